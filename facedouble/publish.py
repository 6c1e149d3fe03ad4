"""A new small file that exists only when whole, and never replaces another."""

from __future__ import annotations

import os
from pathlib import Path

from facedouble.errors import StoreError


def write_new(path: Path, data: bytes) -> None:
    """Write beside the destination, sync, then give it its name; StoreError if that is taken or cannot be written."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with open(part, "xb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        os.link(part, path)
    except FileExistsError as error:
        raise StoreError(f"{path}: exists already; choose another name") from error
    except OSError as error:
        raise StoreError(f"{path}: cannot be written ({error.strerror}); choose another place") from error
    finally:
        part.unlink(missing_ok=True)
