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
KIND: Final = "biometrics"
RECIPIENT: Final = b"age1"  # what such a line begins with


def sealed(project: Project, person: str, data: bytes) -> bytes:
    """A print as it lies in the project: whose key it is sealed to, in a line of its own, and the age file."""
    recipient = personal.recipient_for(project.db, person, KIND)
    return recipient.encode() + b"\n" + personal.seal_for(project.db, person, KIND, data)


def opened(project: Project, person: str, path: Path) -> bytes:
    """The reverse; ConsentError if the key was erased or replaced since, StoreError if it does not open by the key it names."""
    try:
        whole = disk.read(path)
        to, _, age = whole.partition(b"\n") if whole.startswith(RECIPIENT) else (b"", b"", whole)
        if to and to != personal.recipient_for(project.db, person, KIND).encode():
            raise ConsentError(f"{path}: is sealed to a key of {person} that was replaced, at a withdrawal")
        return personal.open_for(project.db, person, KIND, age)
    except StoreError as error:
        raise StoreError(f"{path}: what {person} can be known by does not open, so that nobody can look for them ({error}). If "
                         f"they have withdrawn, `facedouble person erase {project.folder.name} {person} --biometrics --by NAME` "
                         "takes it away; if not, it was altered: put back a copy of the project") from error


def prints(project: Project) -> list[Print]:
    """Of everybody who is protected, and whose key is there."""
    found: dict[str, list[tuple[Floats, Floats]]] = {}
    called: dict[str, tuple[str, ...]] = {}
    for path in disk.listing(project.folder / FOLDER):
        person = path.name.partition(".")[0]
        who = people.find(project.db, person)
        if who is None or who.role != PROTECTED:
            continue
        with suppress(ConsentError):  # their key is erased, or replaced; a print that was altered, or is gone, ends the audit
            held = tensors.parse(opened(project, who.id, path))
            called[who.id] = who.plan
            found.setdefault(who.id, []).append((held.get("faces"), held.get("voices")))
    return [Print(who, called[who], np.concatenate([f for f, _ in held]), np.concatenate([v for _, v in held]))
            for who, held in found.items()]

