"""Read an age file anywhere in it; only the chunks that are asked for are decrypted, in this process's memory."""

from __future__ import annotations

import io
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from facedouble.age.errors import AgeError, HeaderRefused, PayloadRefused
from facedouble.age.header import read_header
from facedouble.age.keys import derived, file_key

CHUNK = 1 << 16
TAG = NONCE = 16
KEPT = 64  # decrypted chunks: 4 MiB, so that a demuxer that jumps between index and pictures decrypts neither twice
ALTERED = "the contents of this file were altered or cut after they were encrypted; take it from another copy"


@dataclass(frozen=True)
class Payload:
    """The key of one file's contents, 32 bytes, and where in the file they begin. It opens nothing else."""

    key: bytes = field(repr=False)
    start: int


def open_payload(file: BinaryIO, identities: Sequence[str] = (), passphrase: str | None = None) -> Payload:
    """Unlock a file; AgeError if no key fits or the header was altered."""
    try:
        header = read_header(file)
        key = file_key(header, identities, passphrase)
        file.seek(header.size)
        nonce = file.read(NONCE)
    except OSError as error:
        raise _unread(error) from error
    if len(nonce) != NONCE:
        raise HeaderRefused("this age file was cut right after its header; take it from another copy")
    return Payload(derived(key, nonce, b"payload"), header.size + NONCE)


def header_mac(file: BinaryIO) -> bytes:
    """32 bytes that no other file has, and nobody without its file key can give to another."""
    try:
        return read_header(file).mac
    except OSError as error:
        raise _unread(error) from error


def payload_size(file: BinaryIO, payload: Payload) -> int:
    """Bytes of the contents, by the size of the file; PayloadRefused if no age file has that size."""
    try:
        stored = file.seek(0, io.SEEK_END) - payload.start
    except OSError as error:
        raise _unread(error) from error
    chunks = max(-(-stored // (CHUNK + TAG)), 1)
    last = stored - (chunks - 1) * (CHUNK + TAG) - TAG
    if last < 0 or (last == 0 and chunks > 1):
        raise PayloadRefused(ALTERED)
    return (chunks - 1) * CHUNK + last


class Reader(io.BufferedReader):
    """The contents of an age file, as any file opened for reading; closes the file with itself.

    Its end is checked at once, each chunk when it is read: PayloadRefused, be it in the middle of a film.
    """

    def __init__(self, file: BinaryIO, payload: Payload) -> None:
        stream = _Stream(file, payload)
        super().__init__(stream, CHUNK)
        self.size = stream.size


class _Stream(io.RawIOBase):
    """STREAM of age: chunks of 64 KiB, each sealed with its number, the last with a mark."""

    def __init__(self, file: BinaryIO, payload: Payload) -> None:
        self._file, self._start = file, payload.start
        self._cipher = ChaCha20Poly1305(payload.key)
        self._at = 0
        self._kept: OrderedDict[int, bytes] = OrderedDict()
        self._lock = Lock()
        self.size = payload_size(file, payload)
        self._chunks = max(-(-self.size // CHUNK), 1)
        self._last = self.size - (self._chunks - 1) * CHUNK
        self._chunk(self._chunks - 1)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}[whence]
        if at < 0:
            raise ValueError(f"there is no place {at} in a file")
        self._at = at
        return at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        into = memoryview(buffer).cast("B")
        done = 0
        with self._lock:
            while done < len(into) and self._at < self.size:
                number, skip = divmod(self._at, CHUNK)
                part = self._chunk(number)[skip:skip + len(into) - done]
                into[done:done + len(part)] = part
                done += len(part)
                self._at += len(part)
        return done

    def close(self) -> None:
        if not self.closed:
            self._kept.clear()
            self._file.close()
        super().close()

    def _chunk(self, number: int) -> bytes:
        found = self._kept.get(number)
        if found is not None:
            self._kept.move_to_end(number)
            return found
        final = number == self._chunks - 1
        try:
            self._file.seek(self._start + number * (CHUNK + TAG))
            sealed = self._file.read((self._last if final else CHUNK) + TAG)
            clear = self._cipher.decrypt(number.to_bytes(11, "big") + bytes([final]), sealed, None)
        except OSError as error:
            raise _unread(error) from error
        except InvalidTag as error:
            raise PayloadRefused(ALTERED) from error
        self._kept[number] = clear
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return clear


def _unread(error: OSError) -> AgeError:
    return AgeError(f"an encrypted file cannot be read ({error.strerror or error}); is the disk or stick still there?")
