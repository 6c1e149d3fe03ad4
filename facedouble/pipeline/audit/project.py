"""What the people of a project can be known by, as `pipeline.prints` kept it: for the audit, which draws nothing."""

from __future__ import annotations

from contextlib import suppress
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
        person = path.name.rpartition(".")[0].rpartition(".")[0]
        who = people.find(project.db, person)
        if who is None or who.role != PROTECTED:
            continue
        with suppress(ConsentError, StoreError):
            held = tensors.parse(personal.open_for(project.db, who.id, "biometrics", disk.read(path)))
            called[who.id] = who.plan
            found.setdefault(who.id, []).append((held.get("faces"), held.get("voices")))
    return [Print(who, called[who], np.concatenate([f for f, _ in held]), np.concatenate([v for _, v in held]))
            for who, held in found.items()]
