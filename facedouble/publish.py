"""A small file that exists only when whole: new, or in place of the one before."""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from facedouble import disk
from facedouble.errors import StoreError

NO_LINKS: Final = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS)  # what FAT and exFAT sticks say to link(2)
AT_FDCWD: Final = -100
RENAME_NOREPLACE: Final = 1
CANDIDATE: Final = ".candidate"  # after the stem of a film that is being audited, whose name begins with a dot


def candidate(film: Path) -> Path:
    """The hidden file that a film is while it is audited."""
    return film.with_name(f".{film.stem}{CANDIDATE}.mp4")


def film_of(path: Path) -> Path:
    """The film whose candidate that is; any other path is its own."""
    if path.name.startswith(".") and path.stem.endswith(CANDIDATE):
        return path.with_name(path.stem[1:].removesuffix(CANDIDATE) + path.suffix)
    return path


def write_new(path: Path, data: bytes, private: bool = False) -> None:
    """Write beside the destination, sync, then give it its name; StoreError if that is taken or cannot be written.

    private: from its first byte on, only its owner may read it.
    """
    _write(path, data, name_new, 0o600 if private else 0o666)


def write_over(path: Path, data: bytes, private: bool = False) -> None:
    """The same, in place of what is there; StoreError if it cannot be written, and then what was there is there still."""
    _write(path, data, os.replace, 0o600 if private else 0o666)


def _write(path: Path, data: bytes, name: Callable[[Path, Path], None], mode: int = 0o666) -> None:
    if disk.placed(path) is not None:
        with disk.draft_in(path, replace=name is os.replace) as draft:
            draft.write(data)
            draft.commit()
        return
    disk.check_way(path)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with open(part, "xb", opener=lambda file, flags: os.open(file, flags, mode)) as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        name(part, path)
    except FileExistsError as error:
        raise StoreError(f"{path}: exists already; choose another name") from error
    except OSError as error:
        raise StoreError(f"{path}: cannot be written ({error.strerror}); choose another place") from error
    finally:
        part.unlink(missing_ok=True)


def name_new(part: Path, path: Path) -> None:
    """Give a file its name; FileExistsError if that is taken, also on a stick that knows no links."""
    try:
        os.link(part, path)
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.renameat2(AT_FDCWD, os.fsencode(part), AT_FDCWD, os.fsencode(path), RENAME_NOREPLACE):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(path)) from error
