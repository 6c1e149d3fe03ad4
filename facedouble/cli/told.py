"""What must not stand in a shell's history: asked for unseen, or read from a descriptor; and small files that are kept sealed."""

from __future__ import annotations

import getpass
import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from facedouble.errors import FacedoubleError, InputRefused, UsageError

ProjectFolder = Annotated[Path, typer.Argument(help="the project")]
Who = Annotated[str, typer.Argument(help="the pseudonym, or what the plan calls them, P1")]
By = Annotated[str, typer.Option(help="who writes this down: a code")]
SecretFd = Annotated[int | None, typer.Option("--secret-fd", help="read what is kept sealed from this descriptor, as TOML")]
PassphraseFd = Annotated[int | None, typer.Option("--passphrase-fd", help="read passphrases from this descriptor, one a line")]
Font = Annotated[Path | None, typer.Option(help="a TTF or OTF file, for subtitles in letters that DejaVu Sans lacks")]
LARGEST: Final = 64 << 20  # bytes of a proof: it is kept in the registry, which is read whole
LONGEST: Final = 1 << 16
QUESTIONS: Final = {
    "reach": "How can they be reached safely? (sealed; nothing is seen while you type)",
    "real_name": "Their real name (sealed; leave it empty if nobody needs it)",
    "note": "A note (sealed; empty for none)",
}


def opened(folder: Path, write: bool, passphrase_fd: int | None) -> Any:
    """The project (`store.project.Project`), its files mounted."""
    from facedouble.cli.inside import enter, mounted
    from facedouble.cli.opened import open_project

    return enter(folder, write) if passphrase_fd is None else mounted(open_project(folder, write, passphrase_fd))


def told(names: tuple[str, ...], descriptor: int | None) -> dict[str, str]:
    """What is said to each of QUESTIONS: from the descriptor, "" for what is not there, or typed unseen."""
    if descriptor is None:
        return {name: _typed(name) for name in names}
    try:
        with os.fdopen(os.dup(descriptor), "rb") as file:
            said = tomllib.loads(file.read(LONGEST).decode())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f'--secret-fd {descriptor}: holds no TOML; write lines like reach = "…" into it') from error
    unknown = sorted(set(said) - set(names))
    if unknown:
        raise UsageError(f"--secret-fd {descriptor}: {unknown[0]} is not asked for here; known are {', '.join(names)}")
    return {name: str(said.get(name, "")).strip() for name in names}


def _typed(name: str) -> str:
    need_terminal(UsageError(f"nobody can be asked for {name.replace('_', ' ')} here: run it in a terminal, or give --secret-fd"))
    return getpass.getpass(f"{QUESTIONS[name]}: ").strip()


def need_terminal(otherwise: FacedoubleError) -> None:
    """Raise this error if there is no terminal that anybody could be asked at."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR))
    except OSError as error:
        raise otherwise from error


def proof_of(path: Path | None) -> bytes:
    """The bytes of a scan or a recording; empty without a path; InputRefused if it cannot be read."""
    from facedouble import disk

    if path is None:
        return b""
    try:
        if disk.size(path) > LARGEST:
            raise InputRefused(f"{path}: is larger than 64 MB; give a shorter recording, or a smaller scan")
        data = disk.read(path)
    except OSError as error:
        raise InputRefused(f"{path}: cannot be read ({error.strerror}); give the scan or recording that proves it") from error
    if not data:
        raise InputRefused(f"{path}: is empty; give the scan or recording that proves it")
    return data
