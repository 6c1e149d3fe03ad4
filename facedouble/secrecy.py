"""For a process that holds keys: its memory is in no crash file, is read by no other program, and is not swapped out."""

from __future__ import annotations

import ctypes
import os
import resource
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from facedouble.isolation import no_core_dumps

PR_SET_DUMPABLE: Final = 4
MCL_CURRENT: Final = 1
MCL_FUTURE: Final = 2
MCL_ONFAULT: Final = 4  # a page is locked when it is first used, not all that is reserved


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
    _, limit = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (limit, limit))
    free = os.geteuid() == 0 or limit == resource.RLIM_INFINITY
    return Secrecy(undumpable, free and libc.mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) == 0)
