"""Room for a file while it is made: read and written anywhere, on the disk only encrypted, gone when it is closed.

A container of films is written with places left open that are filled in at the end, so it cannot stream into an age file. It is
made here, under a key that this process never writes down, and then copied into a blob.
"""

from __future__ import annotations

import io
import os
import secrets
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from facedouble.errors import StoreError

PAGE: Final = 1 << 18
NONCE, TAG = 12, 16
SLOT: Final = PAGE + TAG  # of each page on the disk
KEPT: Final = 32  # decrypted pages: 8 MiB
HIDDEN: Final = ".scratch."


class Scratch(io.RawIOBase):
    """A file without a name in a folder. Each page lies there under AES-256-GCM, with a fresh nonce each time it is written.

    The nonces stay in memory, so that an older page put back in its place is noticed as well.
    """

    _descriptor = -1

    def __init__(self, folder: Path) -> None:
        self._open(_nameless(folder), AESGCM(secrets.token_bytes(32)), {}, 0, True)

    def _open(self, descriptor: int, cipher: AESGCM, nonces: dict[int, bytes], size: int, changing: bool) -> None:
        self._descriptor, self._cipher, self._size, self._changing = descriptor, cipher, size, changing
        self._nonces = nonces  # of the pages that are on the disk; a reading of its own shares it
        self._at = 0
        self._pages: OrderedDict[int, bytearray] = OrderedDict()
        self._dirty: set[int] = set()

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return self._changing

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if at < 0:
            raise ValueError(f"there is no place {at} in a file")
        self._at = at
        return at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        into = memoryview(buffer).cast("B")
        done, wanted = 0, max(min(len(into), self._size - self._at), 0)
        while done < wanted:
            number, skip = divmod(self._at, PAGE)
            part = memoryview(self._page(number))[skip:skip + wanted - done]
            into[done:done + len(part)] = part
            done += len(part)
            self._at += len(part)
        return done

    def write(self, data: bytes | bytearray | memoryview, /) -> int:  # type: ignore[override]
        if not self._changing:
            raise io.UnsupportedOperation("not writable")
        view = memoryview(data).cast("B")
        done = 0
        while done < len(view):
            number, skip = divmod(self._at, PAGE)
            part = view[done:done + PAGE - skip]
            self._page(number)[skip:skip + len(part)] = part
            self._dirty.add(number)
            done += len(part)
            self._at += len(part)
            self._size = max(self._size, self._at)
        return done

    def truncate(self, size: int | None = None, /) -> int:
        """Not to be had: a page that is cut off would still lie there under a valid seal."""
        raise io.UnsupportedOperation("truncate")

    def flush(self) -> None:
        """Put on the disk what is in memory only."""
        if not self.closed:
            for number in sorted(self._dirty):
                self._store(number)

    def again(self) -> Scratch:
        """A reading of its own of what was written so far; what is written later may show in it or not."""
        self.flush()
        view = Scratch.__new__(Scratch)
        view._open(os.dup(self._descriptor), self._cipher, self._nonces, self._size, False)
        return view

    def close(self) -> None:
        """Let go of it; the space on the disk is free again."""
        if not self.closed and self._descriptor >= 0:
            self._dirty.clear()
            self._pages.clear()
            os.close(self._descriptor)
        super().close()

    def _page(self, number: int) -> bytearray:
        found = self._pages.get(number)
        if found is None:
            found = self._load(number) if number in self._nonces else bytearray(PAGE)
            self._pages[number] = found
            if len(self._pages) > KEPT:
                self._let_go()
        self._pages.move_to_end(number)
        return found

    def _let_go(self) -> None:
        oldest = next(iter(self._pages))
        if oldest in self._dirty:
            self._store(oldest)
        del self._pages[oldest]

    def _load(self, number: int) -> bytearray:
        try:
            slot = os.pread(self._descriptor, SLOT, number * SLOT)
            return bytearray(self._cipher.decrypt(self._nonces[number], slot, number.to_bytes(8, "big")))
        except OSError as error:
            raise _lost(error) from error
        except InvalidTag as error:
            raise StoreError("the encrypted space for intermediate files was altered; stop whatever writes there, and repeat the "
                             "command") from error

    def _store(self, number: int) -> None:
        nonce = secrets.token_bytes(NONCE)
        slot = self._cipher.encrypt(nonce, bytes(self._pages[number]), number.to_bytes(8, "big"))
        try:
            written = 0
            while written < SLOT:
                written += os.pwrite(self._descriptor, slot[written:], number * SLOT + written)
        except OSError as error:
            raise _lost(error) from error
        self._dirty.discard(number)
        self._nonces[number] = nonce


def _nameless(folder: Path) -> int:
    """A file that nobody can open by a name."""
    flags = os.O_RDWR | os.O_CLOEXEC
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(OSError):
            return os.open(folder, flags | os.O_TMPFILE | os.O_EXCL, 0o600)
        path = folder / f"{HIDDEN}{secrets.token_hex(16)}"  # FAT and some network disks
        descriptor = os.open(path, flags | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        os.unlink(path)
        return descriptor
    except OSError as error:
        raise _lost(error) from error


def _lost(error: OSError) -> StoreError:
    return StoreError(f"the encrypted space for intermediate files cannot be used ({error.strerror}); make room or put the disk "
                      "back, then repeat the command")
