"""What an audit found gets covered, and the film is drawn again: nothing is argued about."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from facedouble.audit.verdict import Audit, Finding
from facedouble.pipeline.analyse import Analysis
from facedouble.pipeline.render import Company, Scene
from facedouble.pipeline.score import Beep, Score
from facedouble.protect.regions import Place, Region
from facedouble.protect.treatments import Part
from facedouble.types import Box, Value

GROWN: Final = 0.35  # of a box' sides, by which its cover is larger than what was found
EASE: Final = 5  # frames in which a double goes over to the veil, before
QUIET: Final = 100  # ms to either side of what was heard
Span = tuple[int, int]


@dataclass(frozen=True)
class Veto(Value):
    """tracks: spans of frames in which a face gets the veil, whatever was decided; boxes: spans in which a place is covered;
    ms: spans of sound that are silent."""

    tracks: Mapping[int, tuple[Span, ...]] = field(default_factory=dict)
    boxes: tuple[tuple[int, int, Box], ...] = ()
    ms: tuple[Span, ...] = ()

    def __add__(self, other: Veto) -> Veto:
        tracks = {t: tuple(dict.fromkeys((*self.tracks.get(t, ()), *other.tracks.get(t, ()))))
                  for t in sorted({*self.tracks, *other.tracks})}
        return Veto(tracks, tuple(dict.fromkeys((*self.boxes, *other.boxes))), tuple(dict.fromkeys((*self.ms, *other.ms))))

    def plain(self) -> list[dict[str, Any]]:
        """For the report: what had to be covered."""
        boxes = [{"frames": [a, b], "box": [round(v, 1) for v in (box.x0, box.y0, box.x1, box.y1)]} for a, b, box in self.boxes]
        return [*({"face": t, "frames": list(s)} for t, spans in self.tracks.items() for s in spans), *boxes,
                *({"ms": list(s)} for s in self.ms)]

    def over(self, score: Score) -> Score:
        """The score with silence where something was heard."""
        return replace(score, beeps=(*score.beeps, *(Beep(a, b, False) for a, b in self.ms))) if self.ms else score

    def before(self, company: Company) -> Company:
        """The company with its faces veiled and its places covered."""
        return _Vetoed(company, self) if self.tracks or self.boxes else company


NOTHING: Final = Veto()


def answer(audit: Audit, made: Analysis, lead: int, beside: float, harder: bool) -> Veto:
    """How to cover what an audit found in a film that begins with `lead` frames of its own.

    At first the faces there are veiled; a place without a face of ours gets a cover. harder: a cover over the place itself, or
    over the whole picture where no place was told. What has neither frames nor a time cannot be covered.
    """
    more = Veto()
    for _, finding in audit.findings:
        more += _answer(finding, made, lead, round(beside * float(made.info.rate)), harder)
    return more


def _answer(finding: Finding, made: Analysis, lead: int, beside: int, harder: bool) -> Veto:
    quiet = () if finding.ms is None else ((max(finding.ms[0] - QUIET, 0), finding.ms[1] + QUIET),)
    if finding.frames is None:
        return Veto(ms=quiet)
    a, b = (frame - lead for frame in finding.frames)
    start, stop = max(a - beside, 0), min(b + beside, made.frames)
    if start >= stop:
        return Veto(ms=quiet)
    there = {} if harder else {t: ((start, stop),) for t in _tracks(finding.box, made, max(a, 0), min(max(b, 1), made.frames))}
    if there:
        return Veto(there, ms=quiet)
    box = finding.box or Box(0, 0, made.info.width, made.info.height)
    return Veto(boxes=((start, stop, box),), ms=quiet)


def _tracks(box: Box | None, made: Analysis, start: int, stop: int) -> Iterable[int]:
    """The faces that are in a place at some time."""
    for role in made.roles:
        t = role.track
        if any(box is None or _touch(box, role.boxes[k - t.start]) for k in range(max(start, t.start), min(stop, t.stop))):
            yield t.id


def _touch(a: Box, b: Box) -> bool:
    """Whether the middle of one is in the other."""
    def inside(one: Box, other: Box) -> bool:
        return other.x0 <= (one.x0 + one.x1) / 2 <= other.x1 and other.y0 <= (one.y0 + one.y1) / 2 <= other.y1
    return inside(a, b) or inside(b, a)


class _Vetoed:
    """A company whose scenes are covered."""

    def __init__(self, company: Company, veto: Veto) -> None:
        self.company, self.veto = company, veto

    def scene(self, frame: int) -> Scene:
        """The scene of a frame."""
        scene = self.company.scene(frame)
        covers = tuple(Region(_place(box), "box", "solid") for a, b, box in self.veto.boxes if a <= frame < b)
        return replace(scene, parts=[self._part(p, frame) for p in scene.parts], regions=(*scene.regions, *covers))

    def _part(self, part: Part, frame: int) -> Part:
        if part.treatment == "hide" and part.solid == "frame":
            return part  # hides more than a veil does
        away = min((_away(frame, span) for span in self.veto.tracks.get(part.track, ())), default=math.inf)
        if away == 0 or (away <= EASE and part.treatment not in ("double", "mannequin")):
            return Part(part.track, part.box, part.cover, hair=part.hair)
        return part if away > EASE else replace(part, weight=part.weight * away / (EASE + 1))


def _away(frame: int, span: Span) -> int:
    """Frames from a span; 0 in it."""
    return max(span[0] - frame, frame - span[1] + 1, 0)


def _place(box: Box) -> Place:
    return Place((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2, (box.x1 - box.x0) * (1 + GROWN), (box.y1 - box.y0) * (1 + GROWN))

