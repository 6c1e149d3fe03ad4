"""Passphrases come from the terminal or from a descriptor, and go to the terminal; never through arguments or a file."""

from __future__ import annotations

import getpass
import os

from facedouble.cli.told import need_terminal
from facedouble.errors import StoreError, UsageError
from facedouble.store.keys import check_passphrase, new_passphrase

LONGEST = 4096  # bytes


def asked(prompt: str, descriptor: int | None) -> str:
    """A passphrase: the next line from a descriptor, else typed unseen."""
    if descriptor is not None:
        return _line(descriptor).strip()
    _need_terminal()
    return getpass.getpass(f"{prompt}: ").strip()


def chosen(own: bool, descriptor: int | None, whose: str) -> str:
    """A passphrase for a new key: made here and shown once, or, own, the holder's and checked."""
    if descriptor is not None:
        check_passphrase(phrase := _line(descriptor).strip())
        return phrase
    _need_terminal()
    if own:
        check_passphrase(phrase := getpass.getpass(f"Passphrase of {whose}: ").strip())
    else:
        phrase = new_passphrase()  # words and single spaces
        with open("/dev/tty", "w", encoding="utf-8") as terminal:
            terminal.write(f"The passphrase of {whose}. It is shown once, here; write it on paper:\n\n    {phrase}\n\n")
    if getpass.getpass("Type it again: ").strip() != phrase:
        raise UsageError("that is another passphrase; nothing was made: start again")
    return phrase


def _need_terminal() -> None:
    need_terminal(StoreError("nobody can be asked for a passphrase here: run it in a terminal, unlock the project before, or "
                             "give a descriptor with --passphrase-fd"))


def _line(descriptor: int) -> str:
    """One line, byte by byte, so that the next one is left for the next question."""
    read = bytearray()
    try:
        while len(read) < LONGEST and (byte := os.read(descriptor, 1)) not in (b"", b"\n"):
            read += byte
        if not read:
            raise UsageError(f"descriptor {descriptor} holds no passphrase; write one line for each that is needed")
        return read.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"no passphrase can be read from descriptor {descriptor}; --passphrase-fd 3 wants 3<file") from error
