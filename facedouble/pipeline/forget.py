"""What was measured of somebody goes, and what they lent: notes of their clips, prints, doubles, voices. Films stay."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from facedouble import disk
from facedouble.doubles.file import read_double
from facedouble.errors import FacedoubleError
from facedouble.pipeline.appearing import take_id
from facedouble.pipeline.audit.project import FOLDER
from facedouble.pipeline.film import SUFFIX, Home
from facedouble.plan.read import read
from facedouble.store.people import Person
from facedouble.store.vault import ORIGINALS
from facedouble.store.volunteers import Lent
from facedouble.voice.file import read_voice

MEASURED: Final = ("fnotes", "heard.json", "rehearsed.json", "sure.json")


@dataclass(frozen=True)
class Forgotten:
    """How many files went; and those of which nobody could tell, or which could not go, each with why."""

    gone: int
    left: tuple[str, ...]


def forget(project: Path, person: Person, lent: Collection[Lent] = ()) -> Forgotten:
    """Remove what was measured of somebody, and the files that hold what they lend. The project is mounted.

    A clip's notes hold everybody in it: the others are measured again when the clip is analysed again. Footage that was taken in
    stays. One file that cannot be read keeps no other from going.
    """
    gone, left = 0, []
    for path in disk.found(project, "**/*"):
        try:
            if path.name.endswith(SUFFIX):
                gone += sum(map(_removed, _notes(path, person.plan)))
            elif _of(project, path, person) or (lent and _holds(project, path, lent)):
                gone += _removed(path)
        except FacedoubleError as error:
            left.append(f"{path}: {error}")
    return Forgotten(gone, tuple(left))


def _removed(path: Path) -> bool:
    there = disk.is_file(path)
    disk.remove(path)
    return there


def _notes(plan: Path, people: Collection[str]) -> Iterator[Path]:
    home = Home(plan)
    held = read(home.text())
    faces = {face.clip for person in held.people if person.id in people for face in person.faces}
    voices = {turn.clip for turn in held.speech if turn.person in people}
    return (home.of(clip, what) for clip in sorted(faces | voices) for what in MEASURED)


def _of(project: Path, path: Path, person: Person) -> bool:
    """Whether it is what they can be known by."""
    return path.parent == project / FOLDER and path.name.startswith(f"{person.id}.")


def _holds(project: Path, path: Path, lent: Collection[Lent]) -> bool:
    """Whether a file is one of theirs: a double, a voice, a take, or one of a folder of takes."""
    known = {one.file for one in lent}
    if path.relative_to(project).as_posix().startswith(ORIGINALS):
        return False
    if path.suffix == ".fdouble":
        return read_double(path).id in known
    if path.suffix == ".fvoice":
        return read_voice(path).id in known
    inside = (place for place in (path, *path.parents) if place.is_relative_to(project) and place != project)
    return any(take_id(project, place) in known for place in inside)
