"""No temporary files: this process and its children write into folders that are named, and nowhere else.

Every usual way to a temporary file is turned to a folder that is empty and stays so, and fails there. Where the kernel has
Landlock, it refuses to make or change a file anywhere else, whoever asks.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from facedouble.errors import StoreError
from facedouble.isolation import PR_SET_NO_NEW_PRIVS

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # the same on every machine
VERSION: Final = 1  # LANDLOCK_CREATE_RULESET_VERSION
PATH_BENEATH: Final = 1
WRITE_FILE: Final = 1 << 1
CHANGES: Final = {1: WRITE_FILE | 0b1111111110000, 2: 1 << 13, 3: 1 << 14}  # since version: write, remove, make; refer; truncate
EVERYWHERE: Final = ("TMPDIR", "TEMP", "TMP", "SQLITE_TMPDIR", "XDG_CACHE_HOME", "MPLCONFIGDIR")
DEVICES: Final = Path("/dev")  # null, the terminal: what is there may be written to, nothing made
MEMORY: Final = Path("/dev/shm")  # semaphores of process pools; in memory
PROC: Final = Path("/proc")  # a process tells the kernel of itself there
CODE: Final = Path(__file__).resolve().parent  # numba keeps compiled code in __pycache__, and refuses to work where it cannot


@dataclass(frozen=True)
class Fence:
    """What keeps this process from writing elsewhere. kernel: Landlock does, for every library; else only the environment."""

    kernel: bool

    @property
    def means(self) -> tuple[str, ...]:
        """Their names, for the report."""
        return ("landlock", "environment") if self.kernel else ("environment",)


def no_temporary_files(empty: Path, writable: Iterable[Path]) -> Fence:
    """Let this process, and children that it starts, make files below the writable folders only, for good.

    empty: a folder that is made if it is not there, and that nothing can be written to. Call it while the process has one
    thread. numba's compiled code, which holds nothing of a film, goes where it goes always.
    """
    _empty(empty)
    empty = empty.resolve()
    places = [path.resolve() for path in (*writable, *_code())]
    kernel = _fence(places) and _refused(empty)
    for name in EVERYWHERE:
        os.environ[name] = str(empty)
    if not kernel:
        os.environ.pop("MPLCONFIGDIR")  # matplotlib asks beforehand whether it may write; it keeps a list of fonts
        empty.chmod(0o500)
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    sys.dont_write_bytecode = True
    tempfile.tempdir = str(empty)  # Python would look for another folder by itself
    return Fence(kernel)


def _empty(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        if any(folder.iterdir()):
            raise StoreError(f"{folder}: has to stay empty, so that no temporary file is written, and it is not; look what is "
                             "in it, and delete it")
    except OSError as error:
        raise StoreError(f"{folder}: cannot be made ({error.strerror}); choose another place") from error


def _code() -> list[Path]:
    """Where numba puts what it compiled: beside the source, or else below the user's home."""
    if os.access(CODE, os.W_OK):
        return [CODE]
    home = Path.home() / ".cache" / "numba"
    home.mkdir(parents=True, exist_ok=True)
    os.environ["NUMBA_CACHE_DIR"] = str(home)
    return [home]


def _fence(places: Iterable[Path]) -> bool:
    """Let the kernel refuse every change of a file outside the places; False where it has no such thing."""
    if sys.platform != "linux" or len(os.listdir("/proc/self/task")) != 1:  # it binds the calling thread and what that starts
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(CREATE_RULESET, None, ctypes.c_size_t(0), VERSION)
    rights = sum(right for since, right in CHANGES.items() if version >= since)
    if not rights:
        return False
    asked = struct.pack("=Q", rights)
    rules = libc.syscall(CREATE_RULESET, asked, ctypes.c_size_t(len(asked)), 0)
    if rules < 0:
        return False
    try:
        only_write = rights & (WRITE_FILE | CHANGES[3])
        allowed = [(place, rights) for place in (*places, MEMORY)] + [(DEVICES, only_write), (PROC, only_write)]
        if not all(_allow(libc, rules, place, right) for place, right in allowed if place.is_dir()):
            return False
        one, zero = ctypes.c_ulong(1), ctypes.c_ulong(0)
        return bool(libc.prctl(PR_SET_NO_NEW_PRIVS, one, zero, zero, zero) == 0
                    and libc.syscall(RESTRICT_SELF, rules, 0) == 0)
    finally:
        os.close(rules)


def _allow(libc: ctypes.CDLL, rules: int, place: Path, rights: int) -> bool:
    folder = os.open(place, os.O_PATH | os.O_CLOEXEC)
    try:
        return bool(libc.syscall(ADD_RULE, rules, PATH_BENEATH, struct.pack("=Qi", rights, folder), 0) == 0)
    finally:
        os.close(folder)


def _refused(folder: Path) -> bool:
    """Try it."""
    try:
        made = os.open(folder / "tried", os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except OSError:
        return True
    os.close(made)
    (folder / "tried").unlink()
    return False
