"""Projects that a command works in: an argument that lies in one opens it, and its files are there under that name."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

PAGE: Final = "facedouble.toml"
DOORS: Final = {"release", "pack", "export"}  # commands that write a file outside of the project
_OPEN: dict[Path, Any] = {}  # projects that this process has opened, by their folders
_ENTERED: list[Sequence[str]] = []  # the arguments of the command line, once it was entered
_MEANS: list[str] = []  # what keeps this process from writing elsewhere


def project_at(path: Path) -> Path | None:
    """The folder of the project that a path is in, or is; None if it is in none."""
    with suppress(OSError, ValueError):
        whole = path.absolute()
        for folder in (whole, *whole.parents):
            if (folder / PAGE).is_file():
                return folder
    return None


def enter(folder: Path, write: bool = True) -> Any:
    """Open a project (`store.project.Project`) and mount its files; once for each."""
    from facedouble.cli.opened import open_project
    from facedouble.errors import UsageError

    found = project_at(folder)
    if found is None:
        raise UsageError(f"{folder}: is no project; `facedouble init {folder}` makes one")
    if found not in _OPEN:
        mounted(open_project(found, write))
    return _OPEN[found]


def mounted(project: Any) -> Any:
    """Mount the files of a project that is open, and note it."""
    from facedouble import disk

    if not project.blind:
        disk.mount(project.folder, project.vault())
    _OPEN[project.folder.absolute()] = project
    return project


def fence(folder: Path | None) -> tuple[str, ...]:
    """From here on, this process and those that it starts write into the project, and at its doors where an argument says.

    By which means, for reports; none where no command line was entered, as in a test that calls commands in its own process.
    """
    from facedouble.store.places import runtime_folder, state_folder
    from facedouble.temporary import no_temporary_files

    if not _ENTERED or _MEANS:
        return tuple(_MEANS)
    arguments = _ENTERED[-1]
    doors = [path.absolute().parent for path in _paths(arguments) if path.suffix and project_at(path) is None]
    state = state_folder()
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    writable = [state, *([] if folder is None else [folder]), *(d for d in doors if DOORS & set(arguments) and d.is_dir())]
    _MEANS.extend(no_temporary_files(runtime_folder() / "empty", writable).means)
    return tuple(_MEANS)


def enter_all(arguments: Sequence[str]) -> None:
    """Open the project that arguments lie in. The folder of a project itself is for the commands about projects."""
    from facedouble.errors import UsageError

    _ENTERED.append(tuple(arguments))
    if "--help" in arguments:  # nobody is asked for a passphrase to read that
        return
    for path in _paths(arguments):
        found = project_at(path)
        if found is not None and path.absolute() != found and not _real(path):
            if _OPEN and found not in _OPEN:
                raise UsageError(f"{path}: is in another project than the rest; work in one at a time")
            enter(found)


def _paths(arguments: Iterable[str]) -> Iterable[Path]:
    for word in arguments:
        for part in {word, word.split("=", 1)[-1]}:
            if part and "\0" not in part and not part.startswith("-"):
                yield Path(part)


def _real(path: Path) -> bool:
    """Whether it is one of the few files that a project has on the disk."""
    with suppress(OSError):
        return path.exists()
    return True


def entered() -> Sequence[Any]:
    """All that are open."""
    return tuple(_OPEN.values())


def forget() -> None:
    """Close and unmount what is open, where a process goes on afterwards."""
    from facedouble import disk

    for folder, project in _OPEN.items():
        disk.unmount(folder)
        project.close()
    _OPEN.clear()


def project_of(path: Path) -> Any | None:
    """The open project that a path is in."""
    found = project_at(path)
    return None if found is None else _OPEN.get(found)


@contextmanager
def handed_on() -> Iterator[tuple[Mapping[str, str] | None, tuple[int, ...]]]:
    """What a child process needs to open what this one has open: an environment, and descriptors that are closed afterwards."""
    if not _OPEN:
        yield None, ()
        return
    from facedouble.store.handing import environment, hand_on

    (project,) = _OPEN.values()
    descriptor = hand_on(project.keyring)
    try:
        yield environment(descriptor), (descriptor,)
    finally:
        os.close(descriptor)
