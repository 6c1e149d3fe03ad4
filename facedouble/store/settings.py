"""`facedouble.toml`: the plain page of a project. It says which project this is; who may open it, the log says."""

from __future__ import annotations

import re
import tomllib
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Final

from facedouble.errors import StoreError, UsageError
from facedouble.store import files
from facedouble.store.keys import check_recipient

NAME: Final = "facedouble.toml"
FORMAT: Final = 1
PROFILES: Final = ("full", "field")
MACHINES: Final = ("strict", "warn")


@dataclass(frozen=True)
class Settings:
    """recipient: what new files are encrypted to; machine: whether a networked machine is refused, or only told of."""

    id: str
    recipient: str
    profile: str = "full"
    machine: str = "strict"
    format: int = FORMAT

    def __post_init__(self) -> None:
        if self.format != FORMAT:
            raise UsageError(f"format {self.format!r} is not one that this facedouble knows; use the one that made it")
        if not isinstance(self.id, str) or not re.fullmatch("[0-9a-f]{16}", self.id):
            raise UsageError("id has to be 16 of 0-9 and a-f")
        for name, known in (("profile", PROFILES), ("machine", MACHINES)):
            if getattr(self, name) not in known:
                raise UsageError(f"{name} has to be one of {', '.join(known)}")
        check_recipient(str(self.recipient))


def read(folder: Path) -> Settings:
    """The settings of a project; StoreError if this is none, or its page is not as it has to be."""
    path = folder / NAME
    try:
        table = tomllib.loads(path.read_text())
    except FileNotFoundError as error:
        raise StoreError(f"{folder}: is no project, it has no {NAME}; `facedouble init {folder}` makes one") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise StoreError(f"{path}: cannot be read ({error}); take it from a copy of the project") from error
    unknown = sorted(set(table) - {f.name for f in fields(Settings)})
    if unknown:
        raise StoreError(f"{path}: unknown entry {unknown[0]!r}; take it out, or take the file from a copy of the project")
    try:
        return Settings(**table)
    except (TypeError, UsageError) as error:
        said = str(error) if isinstance(error, UsageError) else "an entry is missing"
        raise StoreError(f"{path}: {said}; take it from a copy of the project") from error


def write(folder: Path, settings: Settings) -> None:
    """Put the page there, in one step."""
    lines = [f"{name} = {value}" if isinstance(value, int) else f'{name} = "{value}"' for name, value in asdict(settings).items()]
    files.write(folder / NAME, "\n".join([*lines, ""]).encode())
