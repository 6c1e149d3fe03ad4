"""A file that goes out sealed: it is written beside its place, and gets its name when it is whole and on the disk, or never."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from facedouble.age.sealing import Sealer
from facedouble.errors import StoreError
from facedouble.store import files


@contextmanager
def sealed(out: Path, recipients: Sequence[str], passphrase: str | None, fill: Callable[[Sealer], object]) -> Iterator[Path]:
    """Seal what `fill` writes; gives the file, to be named by `publish.name_new`. It is gone afterwards if it was not."""
    part = out.with_name(f".{out.name}.{os.getpid()}{files.PART}")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            sealer = Sealer(file, recipients, passphrase)
            try:
                fill(sealer)
                sealer.close()
            except BaseException:
                sealer.abort()
                raise
            file.flush()
            os.fsync(file.fileno())
        yield part
    except FileExistsError as error:
        raise StoreError(f"{out}: exists already; choose another name") from error
    except OSError as error:
        raise StoreError(f"{out}: cannot be written ({error.strerror}); make room, or choose another place") from error
    finally:
        with suppress(OSError):  # a stick that was pulled
            part.unlink(missing_ok=True)
    with suppress(OSError):  # it has its name; some disks cannot be told to write that down
        files.sync(out.absolute().parent)
