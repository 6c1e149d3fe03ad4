"""A folder of small files in the hands of one run: on the disk, or in the vault of a mounted project."""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Protocol

from facedouble import disk
from facedouble.errors import StoreError

Commit = Callable[[], None]


class Shelf(Protocol):
    """What a folder of chunks needs of the place where it lies."""

    def close(self) -> None:
        """Let go of it; it goes if nothing is in it."""
    def entries(self) -> list[str]:
        """Names in it."""
    def remove(self, entry: str) -> None:
        """Take one away."""
    def new(self, entry: str) -> AbstractContextManager[tuple[BinaryIO, Commit]]:
        """A new file, for a `with` statement, and what gives it its name, in place of what had it."""


def shelf(path: Path) -> Shelf:
    """The folder, made if it is not there; StoreError if it cannot be used, or if another run has it."""
    disk.check_way(path)
    return OnDisk(path) if disk.placed(path) is None else InProject(path)


class OnDisk:
    """A private folder (0700), locked as long as the process lives."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with suppress(FileExistsError):
                os.mkdir(path, 0o700)
            self._handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except FileNotFoundError as error:
            raise StoreError(f"{path.parent}: there is no such folder; make it first") from error
        except OSError as error:
            raise StoreError(f"{path}: cannot be used for finished parts ({error.strerror}); move it away") from error
        try:
            self._take()
        except BaseException:
            os.close(self._handle)
            raise

    def _take(self) -> None:
        held = os.fstat(self._handle)
        if held.st_uid != os.geteuid():
            raise StoreError(f"{self.path}: belongs to somebody else; move it away")
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)  # goes with the process, whatever becomes of that
        except OSError as error:
            raise StoreError(f"{self.path}: another run is at work on this film; wait for it") from error
        if stat.S_IMODE(held.st_mode) != 0o700:
            os.fchmod(self._handle, 0o700)

    def close(self) -> None:
        with suppress(OSError):
            os.rmdir(self.path)
        os.close(self._handle)

    def entries(self) -> list[str]:
        return os.listdir(self._handle)

    def remove(self, entry: str) -> None:
        with suppress(OSError):
            os.unlink(entry, dir_fd=self._handle)

    @contextmanager
    def new(self, entry: str) -> Iterator[tuple[BinaryIO, Commit]]:
        part = self.path / f".{entry.split('.')[0]}.part"
        try:
            file = open(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb")  # noqa: SIM115  closed below

            def commit() -> None:
                file.flush()
                os.fsync(file.fileno())
                os.replace(part, self.path / entry)
                os.fsync(self._handle)

            try:
                yield file, commit
            finally:
                with suppress(OSError):  # what was not committed may be lost
                    file.close()
        finally:
            part.unlink(missing_ok=True)


class InProject:
    """Names in a vault. The project's own lock keeps a second run away."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def close(self) -> None:
        """Nothing is held."""

    def entries(self) -> list[str]:
        return [path.name for path in disk.listing(self.path)]

    def remove(self, entry: str) -> None:
        disk.remove(self.path / entry)

    @contextmanager
    def new(self, entry: str) -> Iterator[tuple[BinaryIO, Commit]]:
        with disk.draft_in(self.path / entry, replace=True) as draft:
            yield draft, draft.commit  # type: ignore[misc]
