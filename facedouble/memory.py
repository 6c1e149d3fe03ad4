"""Keep freed memory for the next picture instead of handing it back each time. glibc only; elsewhere nothing happens."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress
from functools import lru_cache
from typing import Final

M_TRIM_THRESHOLD: Final = -1  # mallopt(3)
M_MMAP_THRESHOLD: Final = -3
LARGEST_KEPT: Final = 1 << 30  # bytes; larger blocks still come from the system and go back to it
MOST_KEPT: Final = 192 << 20  # bytes that may lie free at the end of the heap


@lru_cache(maxsize=1)
def keep_memory() -> bool:
    """Make malloc keep what is freed; whether it will. Changes how long calls take, and nothing that they compute.

    The layers of a face detector on full size are tens of MiB, and glibc maps blocks from 32 MiB on afresh at each call: the
    kernel then zeroes every page again, a third of the time of a search at 1920 px. What is kept is used for the next frame, so
    that the peak stays where it is.
    """
    if not sys.platform.startswith("linux"):
        return False
    with suppress(OSError, AttributeError):  # another C library has no mallopt
        mallopt = ctypes.CDLL(None).mallopt
        return bool(mallopt(M_MMAP_THRESHOLD, LARGEST_KEPT)) and bool(mallopt(M_TRIM_THRESHOLD, MOST_KEPT))
    return False
