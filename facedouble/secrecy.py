"""For a process that holds keys: its memory is in no crash file, is read by no other program, and is not swapped out.

`Held` keeps one secret so where the whole process cannot be kept. Python copies what it works with: what is held is safe from
the disk, and its copies live as long as the work takes.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import resource
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from facedouble.isolation import no_core_dumps

PR_SET_DUMPABLE: Final = 4
MCL_CURRENT: Final = 1
MCL_FUTURE: Final = 2
MCL_ONFAULT: Final = 4  # a page is locked when it is first used, not all that is reserved
MADV_WIPEONFORK: Final = 18


@dataclass(frozen=True)
class Secrecy:
    """What could be had. undumpable: no crash file and no other program of this user reads the memory; locked: no swap."""

    undumpable: bool
    locked: bool

    @property
    def means(self) -> tuple[str, ...]:
        """Their names, for the log."""
        return tuple(name for name in ("undumpable", "locked") if getattr(self, name))


def keep_secret() -> Secrecy:
    """Keep this process's memory to itself, for good. Not where finished films are published.

    An undumpable process cannot use /proc/self/fd, through which films get their names. Everything is locked only where there is
    no limit to it: under one, the next larger piece of memory would be refused in the middle of the work.
    """
    no_core_dumps()
    libc = ctypes.CDLL(None, use_errno=True)
    zero = ctypes.c_ulong(0)
    undumpable = libc.prctl(PR_SET_DUMPABLE, zero, zero, zero, zero) == 0
    free = os.geteuid() == 0 or resource.getrlimit(resource.RLIMIT_MEMLOCK)[0] == resource.RLIM_INFINITY
    return Secrecy(undumpable, free and libc.mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) == 0)


class Held:
    """A secret in pages of its own: not swapped out (if `locked`), in no crash file, zero in a forked child, wiped at the end."""

    def __init__(self, secret: bytes | bytearray) -> None:
        self._size = len(secret)
        self._pages: mmap.mmap | None = mmap.mmap(-1, max(self._size, 1), mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        place = ctypes.c_char.from_buffer(self._pages)
        libc = ctypes.CDLL(None, use_errno=True)
        self.locked = libc.mlock(ctypes.c_void_p(ctypes.addressof(place)), ctypes.c_size_t(len(self._pages))) == 0
        del place
        self._pages.madvise(mmap.MADV_DONTDUMP)
        self._pages.madvise(MADV_WIPEONFORK)
        self._pages[:self._size] = secret  # straight: a copy would lie about
        if isinstance(secret, bytearray):
            secret[:] = bytes(self._size)

    def read(self) -> bytes:
        """A copy, in ordinary memory; ValueError once it is wiped."""
        if self._pages is None:
            raise ValueError("the secret is wiped")
        return self._pages[:self._size]

    def wipe(self) -> None:
        """Overwrite and give back the pages. Twice is once."""
        if self._pages is not None:
            self._pages[:] = bytes(len(self._pages))
            self._pages.close()
            self._pages = None

    def __repr__(self) -> str:
        return f"Held({'wiped' if self._pages is None else f'{self._size} bytes'})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.wipe()
