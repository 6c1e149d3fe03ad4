"""What the people of a project can be known by, as `pipeline.prints` kept it: for the audit, which draws nothing."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Final

import numpy as np

from facedouble import disk, tensors
from facedouble.audit.likeness import Print
from facedouble.errors import ConsentError, StoreError
from facedouble.store import people, personal
from facedouble.store.project import Project
from facedouble.types import Floats

FOLDER: Final = "prints"
PROTECTED: Final = "witness"


def prints(project: Project) -> list[Print]:
    """Of everybody who is protected, and whose key is there."""
    found: dict[str, list[tuple[Floats, Floats]]] = {}
    called: dict[str, tuple[str, ...]] = {}
    for path in disk.listing(project.folder / FOLDER):
        person = path.name.partition(".")[0]
        who = people.find(project.db, person)
        if who is None or who.role != PROTECTED:
            continue
        with suppress(ConsentError):  # their key is erased; a print that was altered, or is gone, ends the audit
            held = tensors.parse(_opened(project, who.id, path))
            called[who.id] = who.plan
            found.setdefault(who.id, []).append((held.get("faces"), held.get("voices")))
    return [Print(who, called[who], np.concatenate([f for f, _ in held]), np.concatenate([v for _, v in held]))
            for who, held in found.items()]


def _opened(project: Project, person: str, path: Path) -> bytes:
    try:
        return personal.open_for(project.db, person, "biometrics", disk.read(path))
    except StoreError as error:
        raise StoreError(f"{path}: what {person} can be known by does not open, so that nobody can look for them ({error}). If "
                         f"they have withdrawn, `facedouble person erase {project.folder.name} {person} --biometrics` takes it "
                         "away; if not, it was altered: put back a copy of the project") from error
