"""Where a path's bytes are: in the file of that name, or encrypted in a project that is mounted there.

Everything that reads or writes footage, or what was made of it, does so through here. A path below the folder of a mounted
project names something in its vault, and nothing on the disk has that name.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Protocol

from facedouble.errors import StoreError


@dataclass(frozen=True)
class Lent:
    """A file for another process: a descriptor of its bytes, and the key of just these where they are encrypted.

    key: of the payload of an age file, 32 bytes; start: where that payload begins.
    """

    descriptor: int
    key: bytes | None = field(default=None, repr=False)
    start: int = 0


class Draft(Protocol):
    """A file on its way: written and read anywhere in it; it gets its name by `commit`, or never was."""

    def write(self, data: bytes, /) -> int: ...
    def read(self, size: int = -1, /) -> bytes: ...
    def seek(self, offset: int, whence: int = 0, /) -> int: ...
    def tell(self) -> int: ...
    def commit(self) -> None:
        """Give it its name, whole and on the disk; StoreError if that is taken, unless it may replace what is there."""
    def again(self) -> BinaryIO:
        """Another reading of what was written so far."""


class Place(Protocol):
    """The file table of a mounted project. Names are relative, with slashes."""

    def open(self, name: str) -> BinaryIO: ...
    def lend(self, name: str) -> Lent: ...
    def draft(self, name: str, replace: bool) -> Draft: ...
    def drop(self, draft: Draft) -> None: ...
    def size(self, name: str) -> int: ...
    def stamp(self, name: str) -> str: ...
    def names(self) -> list[str]: ...
    def remove(self, name: str) -> None: ...
    def link(self, old: str, new: str, replace: bool) -> None: ...
    def hold(self) -> None: ...
    def ticket(self) -> Ticket: ...


class Ticket(Protocol):
    """With what another process of this run opens the same place. It may hold keys: it goes through a pipe, never to a disk."""

    def open(self) -> Place: ...


_MOUNTED: dict[Path, Place] = {}  # the one table of this process; children mount their own
_DOORS: set[Path] = set()  # files outside that this process may write although a project is mounted


def mount(folder: Path, place: Place) -> None:
    """From now on, paths below the folder are names in that place."""
    _MOUNTED[folder.resolve()] = place


def unmount(folder: Path) -> None:
    """Names there are gone, and so is what led out."""
    _DOORS.clear()
    _MOUNTED.pop(folder.resolve(), None)


def let_out(*paths: Path) -> None:
    """These files may be written outside of the project that is mounted: for the commands that are its doors."""
    _DOORS.update(path.absolute() for path in paths)


def check_way(path: Path) -> None:
    """StoreError for a new file outside of a project that is mounted: what is made of its footage stays in it."""
    if _MOUNTED and placed(path) is None and path.absolute() not in _DOORS:
        raise StoreError(f"{path}: is outside of the project, and what is made of its footage stays in it; name a place in it, "
                         f"as {next(iter(_MOUNTED)).name}/{path.name}. Films get out by `facedouble release`")


def tickets() -> tuple[tuple[Path, Ticket], ...]:
    """All that is mounted, for a child process."""
    return tuple((folder, place.ticket()) for folder, place in _MOUNTED.items())


def remount(held: Sequence[tuple[Path, Ticket]]) -> None:
    """Mount in a child what its parent has mounted."""
    for folder, ticket in held:
        mount(folder, ticket.open())


def placed(path: Path) -> tuple[Place, str] | None:
    """The place that a path is in, and its name there; None for a file of the machine."""
    if not _MOUNTED:
        return None
    whole = Path(os.path.abspath(path))
    for candidate in (whole, whole.parent.resolve() / whole.name):
        for folder, place in _MOUNTED.items():
            if candidate != folder and candidate.is_relative_to(folder):
                return place, candidate.relative_to(folder).as_posix()
            if candidate == folder:
                return place, ""
    return None


def open_read(path: Path, follow: bool = True) -> BinaryIO:
    """The bytes, to be read anywhere; OSError as `open` raises it, StoreError if they were altered. follow: links, too."""
    at = placed(path)
    if at is not None:
        return at[0].open(at[1])
    return open(os.open(path, os.O_RDONLY | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)), "rb")


def lend(path: Path) -> Lent:
    """The file, for a child process; the caller closes the descriptor."""
    at = placed(path)
    return Lent(os.open(path, os.O_RDONLY | os.O_CLOEXEC)) if at is None else at[0].lend(at[1])


def borrowed(lent: Lent) -> BinaryIO:
    """What was lent, to be read anywhere; the descriptor is closed with it."""
    if lent.key is None:
        return os.fdopen(lent.descriptor, "rb")
    from facedouble.age.reader import Payload, Reader

    return Reader(os.fdopen(lent.descriptor, "rb"), Payload(lent.key, lent.start))


def read(path: Path) -> bytes:
    """All bytes."""
    with open_read(path) as file:
        return file.read()


def read_text(path: Path, encoding: str = "utf-8") -> str:
    """All of a text."""
    return read(path).decode(encoding)


def size(path: Path) -> int:
    """Bytes in the file."""
    at = placed(path)
    return os.stat(path).st_size if at is None else at[0].size(at[1])


def stamp(path: Path) -> tuple[int, str]:
    """Size, and by what another version of the file is told; zeros if it is not there."""
    at = placed(path)
    try:
        if at is not None:
            return at[0].size(at[1]), at[0].stamp(at[1])
        known = os.stat(path)
        return known.st_size, str(known.st_mtime_ns)
    except OSError:
        return 0, ""


def is_file(path: Path) -> bool:
    """Whether there is a file of that name."""
    at = placed(path)
    return path.is_file() if at is None else at[1] in at[0].names()


def is_folder(path: Path) -> bool:
    """Whether there is such a folder; in a project, folders are there as soon as something is in them."""
    at = placed(path)
    if at is None:
        return path.is_dir()
    return not at[1] or any(name.startswith(f"{at[1]}/") for name in at[0].names())


def exists(path: Path) -> bool:
    """Whether the name is taken, be it by a link that leads nowhere."""
    return (path.exists() or path.is_symlink()) if placed(path) is None else is_file(path) or is_folder(path)


def listing(folder: Path) -> list[Path]:
    """Files and folders in a folder, sorted; none if there is no such folder."""
    at = placed(folder)
    if at is None:
        return sorted(folder.iterdir()) if folder.is_dir() else []
    head = f"{at[1]}/" if at[1] else ""
    return sorted({folder / name[len(head):].split("/")[0] for name in at[0].names() if name.startswith(head)})


def found(folder: Path, pattern: str) -> list[Path]:
    """Files below a folder whose names fit the pattern, as `Path.glob` has it; sorted."""
    at = placed(folder)
    if at is None:
        return sorted(folder.glob(pattern))
    head = f"{at[1]}/" if at[1] else ""
    names = [name[len(head):] for name in at[0].names() if name.startswith(head)]
    deep, wanted = pattern.startswith("**/"), pattern.removeprefix("**/")
    return sorted(folder / name for name in names if PurePosixPath(name).match(wanted)
                  and (deep or name.count("/") == wanted.count("/")))


def same(one: Path, other: Path) -> bool:
    """Whether two names are of one file."""
    if placed(one) is None and placed(other) is None:
        return one.exists() and other.exists() and os.path.samefile(one, other)
    return placed(one) == placed(other)


def make_folder(path: Path, private: bool = False) -> None:
    """Make a folder and those above it, unless they are there; in a project there is nothing to make."""
    if placed(path) is None:
        path.mkdir(mode=0o700 if private else 0o777, parents=True, exist_ok=True)


def remove(path: Path) -> None:
    """Take a file away; nothing happens if it is not there."""
    at = placed(path)
    if at is None:
        path.unlink(missing_ok=True)
    else:
        with suppress(FileNotFoundError):
            at[0].remove(at[1])


def give_name(old: Path, new: Path) -> None:
    """Another name for a file, in the same place; FileExistsError if it is taken."""
    here, there = placed(old), placed(new)
    if here is None and there is None:
        os.link(old, new)
    elif here is not None and there is not None and here[0] is there[0]:
        here[0].link(here[1], there[1], False)
    else:
        raise StoreError(f"{new}: a film in a project gets out of it by `facedouble release` only")


@contextmanager
def draft_in(path: Path, replace: bool = False) -> Iterator[Draft]:
    """A new file in a mounted project, which is there after its `commit`, and is gone if there was none."""
    at = placed(path)
    if at is None:
        raise ValueError(f"{path}: is in no project")
    made = at[0].draft(at[1], replace)
    try:
        yield made
    finally:
        at[0].drop(made)
