"""Write age files, by pyrage, and make keys for them."""

from __future__ import annotations

import errno
import fcntl
import io
import os
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from threading import Thread
from typing import BinaryIO

import pyrage
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from facedouble.age.errors import AgeError
from facedouble.age.header import read_header
from facedouble.age.keys import derived, file_key, recipient_of
from facedouble.age.reader import CHUNK, NONCE, Reader, open_payload

__all__ = ["Sealer", "generate", "recipient_of", "seal", "unseal"]
EITHER = "age encrypts to recipients or to a passphrase, not to both; make two files"
PIPED = 1 << 20  # bytes that wait in the pipe at most, where the system grants it


def generate() -> tuple[str, str]:
    """A new identity, and the recipient that belongs to it."""
    identity = pyrage.x25519.Identity.generate()
    return str(identity), str(identity.to_public())


def seal(data: bytes, recipients: Sequence[str] = (), passphrase: str | None = None) -> bytes:
    """The age file of these bytes, for the recipients, or for whoever knows the passphrase."""
    if passphrase is not None:
        if recipients:
            raise AgeError(EITHER)
        return bytes(pyrage.passphrase.encrypt(data, passphrase))
    return bytes(pyrage.encrypt(data, _recipients(recipients)))


def unseal(data: bytes, identities: Sequence[str] = (), passphrase: str | None = None) -> bytes:
    """The contents of an age file; AgeError if no key fits or a bit of it was altered."""
    file = io.BytesIO(data)
    with Reader(file, open_payload(file, identities, passphrase)) as reader:
        return reader.read()


class Sealer:
    """A file written piece by piece: what is written here arrives encrypted there, in memory that does not grow.

    file: where to, which stays open. `close` ends it properly; a file that was not closed is refused by every reader of age.
    """

    def __init__(self, file: BinaryIO, recipients: Sequence[str] = (), passphrase: str | None = None) -> None:
        if passphrase is not None and recipients:
            raise AgeError(EITHER)
        seal: Seal = partial(_seal_to, _recipients(recipients)) if passphrase is None else partial(_seal_by, passphrase)
        self._fate = _Fate()
        read, write = os.pipe()
        with suppress(OSError, AttributeError):
            fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, PIPED)
        self._pipe = os.fdopen(write, "wb", PIPED)
        self._thread = Thread(target=_run, args=(os.fdopen(read, "rb"), file, seal, self._fate), daemon=True)
        self._thread.start()

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Take these bytes; OSError if the file could not be written, be it because of earlier ones."""
        try:
            return self._pipe.write(data)
        except BrokenPipeError:
            self._end()
            raise

    def close(self) -> None:
        """Encrypt what is left, and end the file; OSError if it could not be written."""
        with suppress(BrokenPipeError):
            self._pipe.flush()
            self._fate.whole = True
        self._end()

    def abort(self) -> None:
        """Stop; what was written is no whole age file."""
        self._fate.failed = self._fate.failed or _given_up()
        with suppress(OSError):
            self._end()

    def __del__(self) -> None:
        with suppress(Exception):  # its thread ends, and so does the file, as one that is not whole
            self._pipe.close()

    def _end(self) -> None:
        with suppress(BrokenPipeError):
            self._pipe.close()
        self._thread.join()
        if self._fate.failed is not None:
            raise self._fate.failed


@dataclass
class _Fate:
    """What became of a file: why it could not be written, and whether its writer came to the end."""

    failed: BaseException | None = None
    whole: bool = False


def _run(source: BinaryIO, file: BinaryIO, seal: Seal, fate: _Fate) -> None:
    with source:
        try:
            seal(_Source(source, fate), _Target(file, fate))
        except BaseException as error:  # raised again to whoever writes
            fate.failed = fate.failed or error


def _seal_to(to: list[object], source: _Source, target: _Target) -> None:
    pyrage.encrypt_io(source, target, to)


def _seal_by(passphrase: str, source: _Source, target: _Target) -> None:
    """For passphrases, pyrage has no stream: its header, which wraps a fresh file key, and chunks of our own under that."""
    empty = io.BytesIO(pyrage.passphrase.encrypt(b"", passphrase))
    header, nonce = read_header(empty), secrets.token_bytes(NONCE)
    cipher = ChaCha20Poly1305(derived(file_key(header, (), passphrase), nonce, b"payload"))
    target.write(empty.getvalue()[:header.size] + nonce)
    number, chunk = 0, source.read(CHUNK)
    while True:
        following = source.read(CHUNK)  # at the end as well, where it is asked whether that is the end
        target.write(cipher.encrypt(number.to_bytes(11, "big") + bytes([not following]), chunk, None))
        if not following:
            return
        number, chunk = number + 1, following


class _Source:
    """The pipe; its end counts only where the writer said that it is one, not where he was lost."""

    def __init__(self, file: BinaryIO, fate: _Fate) -> None:
        self._file, self._fate = file, fate

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        if not data and not self._fate.whole:
            self._fate.failed = self._fate.failed or _given_up()
            raise self._fate.failed
        return data


class _Target:
    """Passes on what is written, and remembers why it could not be: pyrage forgets the reason."""

    def __init__(self, file: BinaryIO, fate: _Fate) -> None:
        self._file, self._fate = file, fate

    def write(self, data: bytes) -> int:
        try:
            if self._fate.failed is not None:
                raise self._fate.failed
            return self._file.write(data)
        except BaseException as error:
            self._fate.failed = self._fate.failed or error
            raise

    def flush(self) -> None:
        self._file.flush()


def _given_up() -> OSError:
    return OSError(errno.ECANCELED, "given up")  # InterruptedError would be tried again for ever


def _recipients(recipients: Sequence[str]) -> list[object]:
    if not recipients:
        raise AgeError("there is nobody to encrypt for; name a recipient (age1…)")
    try:
        return [pyrage.x25519.Recipient.from_str(text) for text in recipients]
    except pyrage.RecipientError as error:
        raise AgeError("this is no age recipient; it begins with age1, copy it again, whole") from error


Seal = Callable[[_Source, _Target], None]
