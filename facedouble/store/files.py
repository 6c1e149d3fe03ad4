"""Small files of a project: written so that a crash leaves the old or the new one, and one writer at a time."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from facedouble.errors import StoreError
from facedouble.publish import NO_LINKS

PART: Final = ".part"


def write(path: Path, data: bytes, fresh: bool = False) -> None:
    """Give the bytes that name once they are on the disk, for its owner alone; StoreError if they cannot get there.

    fresh: the name must not be taken. Otherwise what is there is replaced in one step.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}{PART}")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        _name(part, path, fresh)
        sync(path.parent)
    except FileExistsError as error:
        raise StoreError(f"{path}: is there already; somebody else writes here, so repeat the command") from error
    except OSError as error:
        raise StoreError(f"{path}: cannot be written ({error.strerror}); make room or mount the disk again, then repeat the "
                         "command: the project is as it was") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _name(part: Path, path: Path, fresh: bool) -> None:
    if not fresh:
        os.replace(part, path)
        return
    try:
        os.link(part, path)
    except OSError as error:
        if error.errno not in NO_LINKS or os.path.lexists(path):
            raise
        os.replace(part, path)  # the caller holds the project's lock, so nobody took the name in between


def sync(folder: Path) -> None:
    """Put the names in a folder on the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def tidy(folder: Path, name: str = "*") -> None:
    """Take away what a crash left half-written of a file, or of any; the caller holds the lock under which it is written."""
    for part in folder.glob(f".{name}.*{PART}"):
        part.unlink(missing_ok=True)


@contextmanager
def locked(path: Path, shared: bool = False, wait_s: float = 0.0, doing: str = "writes in") -> Iterator[None]:
    """Hold a lock file; StoreError names who has it if it does not come free in time."""
    flags = os.O_RDONLY if shared else os.O_RDWR | os.O_CREAT
    try:
        descriptor = os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        if shared and isinstance(error, FileNotFoundError):  # a copy on a read-only medium may lack it, and nobody writes there
            yield
            return
        raise StoreError(f"{path}: cannot be locked ({error.strerror}); mount it so that it can be written") from error
    try:
        _take(descriptor, path, fcntl.LOCK_SH if shared else fcntl.LOCK_EX, wait_s, doing)
        yield
    finally:
        os.close(descriptor)


def hold(path: Path, doing: str) -> int:
    """A lock that is kept as long as the descriptor is open, or the process lives; StoreError names who has it."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise StoreError(f"{path}: cannot be locked ({error.strerror}); mount it so that it can be written") from error
    try:
        _take(descriptor, path, fcntl.LOCK_EX, 0.0, doing)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _take(descriptor: int, path: Path, kind: int, wait_s: float, doing: str) -> None:
    end = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
            return
        except OSError as error:
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                raise StoreError(f"{path}: cannot be locked ({error.strerror}); copy it to another disk") from error
            if time.monotonic() >= end:
                raise StoreError(f"{path.parent}: another facedouble{_holder(descriptor)} {doing} this project; wait until it "
                                 "has ended, or stop it with Ctrl-C where it runs") from error
        time.sleep(0.02)


def _holder(descriptor: int) -> str:
    """The process that holds the lock, where the kernel tells."""
    inode = os.fstat(descriptor).st_ino
    with suppress(OSError):
        for line in Path("/proc/locks").read_text().splitlines():
            words = line.split()
            if "FLOCK" in words and "->" not in words and words[5].rsplit(":", 1)[-1] == str(inode) and int(words[4]) > 0:
                return f" (process {words[4]})"
    return ""
