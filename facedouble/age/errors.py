"""What can be wrong with an age file, told apart as the public test vectors tell it apart."""

from __future__ import annotations

from facedouble.errors import StoreError


class AgeError(StoreError):
    """An age file or key that cannot be used: altered, cut, not age at all, or not for this key."""


class HeaderRefused(AgeError):
    """The header is not what the format demands to the letter."""


class NoKeyFits(AgeError):
    """The file was made for other keys, or the passphrase is another one."""


class HeaderAltered(AgeError):
    """A key fits, and the header is not the one that was written with it."""


class PayloadRefused(AgeError):
    """The contents were altered, cut, or added to."""
