"""The whole plan, and what it says about every face in every frame."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Final

from facedouble.plan.people import HIDES, Decision, Person, TrackName, Treatment
from facedouble.plan.rules import ENDLESS, Wrong, one_of
from facedouble.plan.values import Card, Check, Clip, DoubleFile, Ignored, Region
from facedouble.plan.voices import Ambience, Bleep, Speech, VoiceFile, Voicing
from facedouble.types import Value

SILENT: Final = Voicing(reason="nobody has decided")
UNDECIDED: Final = Treatment(reason="nobody has decided")
IGNORE: Final = "[[ignore]]"  # among the ids of people, none of which looks like that


@dataclass(frozen=True)
class Conflict(Value):
    """Frames [start, stop) of a face that is claimed by several people (an [[ignore]] counts as one): it is covered."""

    clip: str
    track: int
    start: int
    stop: int
    claimed: tuple[str, ...]


Timeline = tuple[list[int], list[Treatment]]
"""First frames, rising, and what holds from each on."""


@dataclass(frozen=True)
class Plan(Value):
    """All of it. `treatment` and `spans` say what a face gets; whatever is not said, or said twice, is the veil."""

    clips: tuple[Clip, ...] = ()
    doubles: tuple[DoubleFile, ...] = ()
    people: tuple[Person, ...] = ()
    ignored: tuple[Ignored, ...] = ()
    regions: tuple[Region, ...] = ()
    card: Card | None = None
    watermark: str | None = None
    checks: tuple[Check, ...] = ()
    voices: tuple[VoiceFile, ...] = ()
    speech: tuple[Speech, ...] = ()
    bleeps: tuple[Bleep, ...] = ()
    ambience: Ambience | None = None
    gone: tuple[str, ...] = ()  # ids of people who became part of others: nobody else gets them

    def check(self) -> None:
        _unique("clip", [c.id for c in self.clips], "clip", "id")
        _unique("double", [d.name for d in self.doubles], "double", "name")
        _unique("person", [p.id for p in self.people], "person", "id")
        _unique("the pseudonym", [p.name.strip() for p in self.people], "person", "name")
        _unique("region", [f"{r.name} in clip {r.clip}" for r in self.regions], "region", "name")
        for n, person in enumerate(self.people):
            if person.id in self.gone:
                raise Wrong(f"{person.id} was somebody who is part of another person now: take an id that nobody had, such as "
                            f"{self.unused()}", "person", n, "id")
            self._check_person(person, n)
        for n, ignored in enumerate(self.ignored):
            self._check_face(ignored.face, "ignore", n, "face")
        for n, region in enumerate(self.regions):
            self._check_frames(region.clip, region.start, region.stop, "region", n)
            for k, key in enumerate(region.keys):
                self._check_frames(region.clip, key.frame, key.frame + 1, "region", n, "keys", k)
        for n, check in enumerate(self.checks):
            self._check_frames(check.clip, check.start, check.stop, "check", n)
        _unique("voice", [v.name for v in self.voices], "voice", "name")
        for n, turn in enumerate(self.speech):
            self._check_sound(turn.clip, turn.start, "turn", n)
            if turn.person and turn.person not in (ids := [p.id for p in self.people]):
                raise Wrong(f'there is no person "{turn.person}": {one_of(turn.person, ids)}', "turn", n, "person")
            if turn.voicing is not None:
                self._check_voice(turn.voicing, "turn", n, "voice")
        for n, bleep in enumerate(self.bleeps):
            self._check_sound(bleep.clip, bleep.start, "bleep", n)
        if self.watermark is not None and not self.watermark.strip():
            raise Wrong("the watermark says nothing: write its text, or delete [watermark]", "watermark", "text")

    def unused(self, elsewhere: Collection[str] = ()) -> str:
        """An id that no person of this plan has, or ever had. elsewhere: ids of other plans of the same project, not to be taken.

        People are asked by these ids (`store.people`): one that was given twice would ask the wrong one.
        """
        known = {*self.gone, *elsewhere, *(p.id for p in self.people)}
        return next(f"P{n}" for n in range(1, len(known) + 2) if f"P{n}" not in known)

    def _check_person(self, person: Person, n: int) -> None:
        for k, face in enumerate(person.faces):
            self._check_face(face, "person", n, "faces", k)
        self._check_double(person.decision, "person", n)
        self._check_voice(person.voicing, "person", n, "voice")
        for k, span in enumerate(person.spans):
            self._check_frames(span.clip, span.start, span.stop, "person", n, "span", k)
            self._check_double(span.decision, "person", n, "span", k)

    def _check_double(self, said: Decision, *path: str | int) -> None:
        names = [d.name for d in self.doubles]
        if said.double is not None and said.double not in names:
            raise Wrong(f'there is no double "{said.double}": {one_of(said.double, names)}', *path, "face")

    def _check_voice(self, said: Voicing, *path: str | int) -> None:
        names = [v.name for v in self.voices]
        if said.voice == "double" and said.of not in names:
            raise Wrong(f'there is no voice "{said.of}": {one_of(said.of or "", names)}', *path)

    def _check_sound(self, id: str, start: int, *path: str | int) -> None:
        """Sound may last longer than the pictures; what begins after them, nobody can look at."""
        clip = self.clip(id, *path, "clip")
        if start >= clip.frames / clip.rate * 1000:
            raise Wrong(f"from ({start / 1000:.3f} s) is after the end of clip {id}: correct it", *path, "from")

    def _check_face(self, face: TrackName, *path: str | int) -> None:
        self.clip(face.clip, *path)
        self._check_frames(face.clip, face.start, face.stop, *path)

    def _check_frames(self, clip: str, start: int, stop: int | None, *path: str | int) -> None:
        frames = self.clip(clip, *path, "clip").frames
        last = start + 1 if stop is None else stop
        if start < 0 or last > frames:
            raise Wrong(f"frames {start} to {last} are not in clip {clip}, which has {frames}: end at {frames} at most", *path)

    def clip(self, id: str, *path: str | int) -> Clip:
        """The clip of that id; Wrong if there is none."""
        for clip in self.clips:
            if clip.id == id:
                return clip
        raise Wrong(f'there is no clip "{id}": {one_of(id, [c.id for c in self.clips])}', *path)

    def treatment(self, clip: str, track: int, frame: int) -> Treatment:
        """What a face gets in one frame."""
        starts, treatments = self._timelines.get((clip, track), _VEILED)
        return treatments[bisect_right(starts, frame) - 1]

    def spans(self, clip: str, track: int, start: int, stop: int) -> list[tuple[int, int, Treatment]]:
        """What a face gets in frames [start, stop): half-open spans without a gap."""
        if start >= stop:
            return []
        starts, treatments = self._timelines.get((clip, track), _VEILED)
        first, last = bisect_right(starts, start) - 1, bisect_right(starts, stop - 1)
        edges = [start, *starts[first + 1 : last], stop]
        return [(a, b, t) for (a, b), t in zip(pairwise(edges), treatments[first:last], strict=True)]

    def turns(self, clip: str) -> list[tuple[int, Speech]]:
        """The turns of a clip in the order of time, each with its number there, from 1."""
        mine = sorted((t for t in self.speech if t.clip == clip), key=lambda t: (t.start, t.stop))
        return list(enumerate(mine, 1))

    def voicing(self, turn: Speech) -> Voicing:
        """What a turn becomes. Nobody's is muted."""
        if turn.voicing is not None:
            return turn.voicing
        return next((p.voicing for p in self.people if p.id == turn.person), SILENT)

    def behind(self, clip: str) -> Ambience | None:
        """What somebody decided about the sound behind the speech of a clip; None if nobody did."""
        return self.clip(clip).ambience or self.ambience

    def tracks(self, clip: str) -> list[int]:
        """The tracks of a clip that the plan mentions."""
        return sorted(track for of, track in self._timelines if of == clip)

    @property
    def conflicts(self) -> tuple[Conflict, ...]:
        """Where two people claim a face."""
        return self._claims[1]

    @property
    def _timelines(self) -> dict[tuple[str, int], Timeline]:
        return self._claims[0]

    @cached_property
    def _claims(self) -> tuple[dict[tuple[str, int], Timeline], tuple[Conflict, ...]]:
        """Every mentioned face's timeline, and the conflicts."""
        claims: dict[tuple[str, int], list[tuple[str, TrackName, list[tuple[int, Treatment]]]]] = {}
        frames = {clip.id: clip.frames for clip in self.clips}
        for person in self.people:
            pieces = {clip: list(person.pieces(clip, frames[clip])) for clip in {face.clip for face in person.faces}}
            for face in person.faces:
                claims.setdefault((face.clip, face.track), []).append((person.id, face, pieces[face.clip]))
        for ignored in self.ignored:
            passed = [(0, Treatment("ignore", by=ignored.by, reason=ignored.reason))]
            claims.setdefault((ignored.face.clip, ignored.face.track), []).append((IGNORE, ignored.face, passed))
        timelines: dict[tuple[str, int], Timeline] = {}
        conflicts: list[Conflict] = []
        for (clip, track), claimed in claims.items():
            starts, treatments = [-ENDLESS], [UNDECIDED]
            edges = {0, frames[clip]} | {at for _, _, parts in claimed for at, _ in parts}
            edges |= {edge for _, face, _ in claimed for edge in (face.start, face.end)}
            for a, b in pairwise(sorted(edge for edge in edges if edge <= frames[clip])):
                holding = {who: parts for who, face, parts in claimed if face.start <= a < face.end}
                if len(holding) > 1:
                    _add(conflicts, Conflict(clip, track, a, b, tuple(sorted(holding))))
                now = _holds(holding, a)
                if now != treatments[-1]:
                    starts.append(a)
                    treatments.append(now)
            if treatments[-1] != UNDECIDED:
                starts.append(frames[clip])
                treatments.append(UNDECIDED)
            timelines[clip, track] = starts, treatments
        return timelines, tuple(conflicts)


_VEILED: Final[Timeline] = ([-ENDLESS], [UNDECIDED])


def _holds(holding: dict[str, list[tuple[int, Treatment]]], frame: int) -> Treatment:
    """What holds in a frame for a face that those claim."""
    if not holding:
        return UNDECIDED
    held = [parts[bisect_right(parts, frame, key=lambda part: part[0]) - 1][1] for parts in holding.values()]
    return held[0] if len(held) == 1 else _widest(held, f"claimed by {' and '.join(sorted(holding))}")


def _widest(claimed: list[Treatment], reason: str) -> Treatment:
    """What covers a face that several people claim: the widest cover that one of them gets, the veil at least.

    A solid ellipse is within the opaque part of the veil.
    """
    solid = max((t.solid for t in claimed if t.solid), key=HIDES.index, default=HIDES[0])
    hair = "veil" if any(t.hair == "veil" for t in claimed) else "keep"  # a cap is worn with a double only
    return Treatment("veil" if solid == HIDES[0] else "hide", hair=hair, reason=reason, hide=solid)


def _add(conflicts: list[Conflict], more: Conflict) -> None:
    """Append a conflict, or lengthen the last."""
    last = conflicts[-1] if conflicts else None
    if last is not None and (last.clip, last.track, last.stop, last.claimed) == (more.clip, more.track, more.start, more.claimed):
        conflicts[-1] = Conflict(more.clip, more.track, last.start, more.stop, more.claimed)
    else:
        conflicts.append(more)


def _unique(what: str, names: Iterable[str], table: str, key: str) -> None:
    seen: set[str] = set()
    for n, name in enumerate(names):
        if name in seen:
            raise Wrong(f"{what} {name} is there twice: rename one of the two, or merge them", table, n, key)
        seen.add(name)
