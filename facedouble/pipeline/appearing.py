"""Who is in each scene of a finished clip, and how: out of its plan, its analysis, and the report of its drawing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from facedouble.pipeline.analyse import Analysis
from facedouble.pipeline.contents import Contents
from facedouble.plan.people import Treatment
from facedouble.plan.plan import Plan
from facedouble.plan.voices import Voicing
from facedouble.store.renders import Appearance, Scene

NOBODY: Final = "unnamed"  # a face, or a voice, that the plan gives to nobody: it is covered, or silent

VoiceId = Callable[[str], str]
"""The name of a voice in the plan -> the id of its `.fvoice`."""


def borders_of(made: Analysis, lead: int) -> list[int]:
    """First frames of the shots, in the film with its card, which counts to the first."""
    return [0, *(cut + lead for cut in made.cuts if cut)]


def scenes_of(plan: Plan, clip: str, made: Analysis, told: Contents, lead: int, report: Mapping[str, Any],
              voice_id: VoiceId) -> tuple[Scene, ...]:
    """The scenes, numbered from 1, with everybody who is seen or heard in them, once for each way in which they are treated."""
    found = []
    for number, (start, stop) in enumerate(pairwise(told.borders), 1):
        first, last = max(start - lead, 0), stop - lead
        people = {*_seen(plan, clip, made, first, last, report), *_heard(plan, clip, made, first, last, voice_id)}
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
    rate = Fraction(made.info.rate)
    begin, end = 1000 * start / rate, 1000 * stop / rate
    found = []
    for _, turn in plan.turns(clip):
        if turn.start < end and turn.stop > begin:
            said = plan.voicing(turn)
            found.append(Appearance(turn.person or NOBODY, "none", said.voice, None, _lent(said, voice_id)))
    return found


def _lent(said: Voicing, voice_id: VoiceId) -> str | None:
    if said.voice == "double":
        return voice_id(said.of or "")
    return Path(said.of or "take").stem if said.voice == "revoice" else None


def treated(scenes: Sequence[Scene], person: str) -> list[Scene]:
    """The scenes that somebody is in."""
    return [scene for scene in scenes if any(one.person == person for one in scene.people)]
