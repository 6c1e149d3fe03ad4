"""A small file that exists only when whole: new, or in place of the one before."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from facedouble import disk
from facedouble.errors import StoreError


def write_new(path: Path, data: bytes, private: bool = False) -> None:
    """Write beside the destination, sync, then give it its name; StoreError if that is taken or cannot be written.

    private: from its first byte on, only its owner may read it.
    """
    _write(path, data, os.link, 0o600 if private else 0o666)


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
