"""Where a film that is being written goes: a nameless file that gets its name when whole, or a draft in a mounted project."""

from __future__ import annotations

import errno
import os
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from facedouble import disk
from facedouble.errors import StoreError
from facedouble.publish import name_new


class Destination(Protocol):
    """A new file on its way."""

    def muxed(self) -> tuple[Any, dict[str, Any]]:
        """What `av.open` writes to, and with which further arguments."""
    def again(self) -> BinaryIO:
        """What was written, to be read."""
    def publish(self) -> None:
        """Give the whole file its name; StoreError if the name was taken meanwhile."""
    def drop(self) -> None:
        """Take away what has no name."""


def destination(path: Path) -> Destination:
    """A place for a new film; StoreError if the name is taken, or nothing can be written there."""
    if disk.exists(path):
        raise StoreError(f"{path}: exists already; nothing is overwritten, so choose another name")
    disk.check_way(path)
    return OnDisk(path) if disk.placed(path) is None else InProject(path)


class OnDisk:
    """An open descriptor of a nameless file in the destination's folder, or of a hidden one where that fails."""

    def __init__(self, path: Path) -> None:
        self.path = path
        folder = path.parent if str(path.parent) else Path(".")
        self.hidden: Path | None = None
        try:
            self.descriptor = os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o600)
            return
        except FileNotFoundError as error:
            raise StoreError(f"{folder}: there is no such folder; make it first") from error
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM, errno.ENOSPC):
                raise StoreError(f"{folder}: cannot be written ({error.strerror}); choose another folder") from error
        self.hidden = folder / f".{path.name}.{os.getpid()}.part"
        try:
            self.descriptor = os.open(self.hidden, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        except OSError as error:
            raise StoreError(f"{folder}: cannot be written ({error.strerror}); choose another folder") from error

    def muxed(self) -> tuple[Any, dict[str, Any]]:
        """The name that the descriptor has in /proc."""
        return f"/proc/self/fd/{self.descriptor}", {}

    def again(self) -> BinaryIO:
        """The same, opened once more."""
        return open(f"/proc/self/fd/{self.descriptor}", "rb")

    def publish(self) -> None:
        """Sync, and name it."""
        os.fsync(self.descriptor)
        os.fchmod(self.descriptor, 0o644 & ~_umask())
        try:
            if self.hidden is None:
                # naming a folder descriptor makes Python call linkat(AT_SYMLINK_FOLLOW), which plain link() is not
                os.link(f"/proc/self/fd/{self.descriptor}", self.path, src_dir_fd=self.descriptor, follow_symlinks=True)
            else:
                name_new(self.hidden, self.path)
        except FileExistsError as error:
            raise StoreError(f"{self.path}: appeared while the film was made; nothing is overwritten") from error

    def named(self) -> bool:
        """Whether it has its name."""
        try:
            return os.path.samestat(os.fstat(self.descriptor), os.stat(self.path, follow_symlinks=False))
        except OSError:
            return False

    def drop(self) -> None:
        """Close it; without a name it is gone."""
        with suppress(OSError):
            os.close(self.descriptor)
        if self.hidden is not None:
            self.hidden.unlink(missing_ok=True)


class InProject:
    """Encrypted from its first byte on: a draft in the vault of a project."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._held = ExitStack()
        self.draft = self._held.enter_context(disk.draft_in(path))

    def muxed(self) -> tuple[Any, dict[str, Any]]:
        """The draft; the muxer reads it once more when it moves the index to the front."""
        return self.draft, {"io_open": lambda *_: self.draft.again()}

    def again(self) -> BinaryIO:
        """What was written."""
        return self.draft.again()

    def publish(self) -> None:
        """Commit it."""
        self.draft.commit()

    def drop(self) -> None:
        """Without a commit, it is gone."""
        self._held.close()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
