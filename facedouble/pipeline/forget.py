"""What was measured of somebody goes: the notes of every clip in which they are. Footage and films stay."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from facedouble import disk
from facedouble.pipeline.film import SUFFIX, Home
from facedouble.plan.read import read

MEASURED = ("fnotes", "heard.json", "rehearsed.json", "sure.json")


def forget(project: Path, people: Collection[str]) -> int:
    """Remove notes of the clips in which these people of the plans are; how many files that were. The project is mounted.

    A clip's notes hold everybody in it: the others are measured again when the clip is analysed again.
    """
    gone = 0
    for plan in (path for path in disk.found(project, "**/*") if path.name.endswith(SUFFIX)):
        home = Home(plan)
        held = read(home.text())
        faces = {face.clip for person in held.people if person.id in people for face in person.faces}
        voices = {turn.clip for turn in held.speech if turn.person in people}
        for clip in sorted(faces | voices):
            for path in (home.of(clip, what) for what in MEASURED):
                if disk.is_file(path):
                    disk.remove(path)
                    gone += 1
    return gone
