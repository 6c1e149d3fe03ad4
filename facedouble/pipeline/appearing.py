"""Who is in each scene of a finished clip, and how: out of its plan, its analysis, and the report of its drawing."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from facedouble.pipeline.analyse import Analysis
from facedouble.pipeline.contents import Contents
from facedouble.pipeline.hearing import first_shown
from facedouble.plan.people import Treatment
from facedouble.plan.plan import Plan
from facedouble.plan.voices import Voicing
from facedouble.store import renders
from facedouble.store.renders import Appearance, Scene

NOBODY: Final = "unnamed"  # a face, or a voice, that the plan gives to nobody: it is covered, or silent

VoiceId = Callable[[Voicing], str]
"""A voicing that is somebody else's voice -> the id of the `.fvoice` of that name, or `take_id`."""


def borders_of(made: Analysis, lead: int) -> list[int]:
    """First frames of the shots, in the film with its card, which counts to the first."""
    return [0, *(cut + lead for cut in made.cuts if cut)]


def scenes_of(plan: Plan, clip: str, made: Analysis, told: Contents, lead: int, report: Mapping[str, Any],
              voice_id: VoiceId) -> tuple[Scene, ...]:
    """The scenes, numbered from 1, with everybody who is seen or heard in them, once for each way in which they are treated."""
    found = []
    for number, (start, stop) in enumerate(pairwise(told.borders), 1):
        first, last = max(start - lead, 0), stop - lead
        seen, heard = _seen(plan, clip, made, first, last, report), _heard(plan, clip, made, first, last, voice_id)
        if number in told.worded:
            seen, heard = seen if heard else _read(seen), _read(heard)
        people = {*seen, *heard}
        found.append(Scene(number, start, stop, told.scenes[number - 1], tuple(sorted(people, key=_order))))
    return tuple(found)


def _order(one: Appearance) -> tuple[str, ...]:
    return one.person, one.face, one.voice, one.double or "", one.voice_double or ""


def _seen(plan: Plan, clip: str, made: Analysis, start: int, stop: int, report: Mapping[str, Any]) -> list[Appearance]:
    found = []
    for role in made.roles:
        at, end = max(start, role.track.start), min(stop, role.track.stop)
        for a, b in _parts(plan, clip, role.track.id, at, end):
            person = _owner(plan, clip, role.track.id, a)
            for _, _, said in plan.spans(clip, role.track.id, a, b):
                if said.face != "ignore":
                    found.append(Appearance(person, said.face, "none", _double(said, report), None))
    return found


def _parts(plan: Plan, clip: str, track: int, start: int, stop: int) -> list[tuple[int, int]]:
    """Frames [start, stop) of a face, divided where it becomes somebody else's."""
    edges = {start, stop} if start < stop else set[int]()
    for person in plan.people:
        for face in person.faces:
            if (face.clip, face.track) == (clip, track):
                edges |= {edge for edge in (face.start, face.end) if start < edge < stop}
    ordered = sorted(edges)
    return list(pairwise(ordered))


def _owner(plan: Plan, clip: str, track: int, frame: int) -> str:
    found = [p.id for p in plan.people if any(f.clip == clip and f.track == track and f.start <= frame < f.end for f in p.faces)]
    return found[0] if len(found) == 1 else NOBODY


def _double(said: Treatment, report: Mapping[str, Any]) -> str | None:
    """The id of the double that was drawn: as the report has it, for the file of that name may have changed since."""
    if said.double is None or said.face not in ("double", "reveal"):
        return None
    return str((report.get("doubles") or {}).get(f"double {said.double}", said.double))


def _heard(plan: Plan, clip: str, made: Analysis, start: int, stop: int, voice_id: VoiceId) -> list[Appearance]:
    begin, end = _clock_ms(made, start, -math.inf), _clock_ms(made, stop, math.inf)
    found = []
    for _, turn in plan.turns(clip):
        if turn.start < end and turn.stop > begin:
            said = plan.voicing(turn)
            found.append(Appearance(turn.person or NOBODY, "none", said.voice, None, _lent(said, voice_id)))
    return found


def _read(people: Iterable[Appearance]) -> list[Appearance]:
    """The same people in a scene with subtitles, which may be the words of each who is mute, and speaks there; where the
    plan has no turn, of each who is seen."""
    return [replace(a, voice="read") if a.voice in renders.QUIET[1] else a for a in people]


def _clock_ms(made: Analysis, border: int, outside: float) -> float:
    """When a scene's first frame is shown, ms on the clock of the turns. Sound before the first or after the last counts, too."""
    return 1000 * first_shown(made, border) if 0 < border < made.frames else outside


def _lent(said: Voicing, voice_id: VoiceId) -> str | None:
    return voice_id(said) if said.voice in ("double", "revoice") else None


def take_id(folder: Path, take: Path) -> str:
    """By what the volunteer in a take, or in a folder of takes, is known in a project's books: its place, as a hash.

    folder: the project's. Two takes of one name in two folders are two, which their names alone would not tell.
    """
    place = os.path.relpath(os.path.abspath(take), os.path.abspath(folder))
    return f"take-{hashlib.sha256(place.encode()).hexdigest()[:16]}"
