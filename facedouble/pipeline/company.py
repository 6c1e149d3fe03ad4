"""A clip's company under a plan: what each face gets in each frame, and what else is laid over it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from facedouble.options import Options
from facedouble.pipeline.analyse import Analysis, Role
from facedouble.pipeline.hush import near, rests, stilled
from facedouble.pipeline.render import Cast, Scene
from facedouble.pipeline.stage import perform
from facedouble.plan.people import OPEN, Treatment
from facedouble.plan.plan import Plan
from facedouble.protect.card import Mark
from facedouble.protect.drive import Performance
from facedouble.protect.regions import Place, Region
from facedouble.protect.treatments import Part
from facedouble.types import Bools, Double, Rows, Track, Value

PLAYED = ("double", "mannequin")


def mask_of(treatment: Treatment) -> str:
    """What covers the face: a reveal begins with something that does."""
    return treatment.before if treatment.face == "reveal" else treatment.face


@dataclass(frozen=True)
class Act(Value):
    """A role as one double plays it: weights are 0 where that one comes out too like the witness."""

    role: Role
    double: Double


@dataclass(frozen=True)
class Laid(Value):
    """A region of the plan in a clip: one place for each frame from `start` on."""

    start: int
    places: Sequence[Place]
    shape: str
    cover: str

    def at(self, frame: int) -> Region | None:
        """The region in a frame, None where it is not there."""
        k = frame - self.start
        return Region(self.places[k], self.shape, self.cover) if 0 <= k < len(self.places) else None


@dataclass(frozen=True)
class Rehearsed(Value):
    """All that a plan's rendering of a clip needs besides plan and analysis.

    acts: by track and what the plan calls the double, or the person that the mannequin plays; sure: by track, in which of its
    frames nobody doubts whose face it is.
    """

    acts: Mapping[tuple[int, str], Act]
    sure: Mapping[int, Bools]
    regions: tuple[Laid, ...] = ()
    mark: Mark | None = None


def owner(plan: Plan, clip: str, track: int, frame: int) -> str:
    """The id of the person whose face this is, "" if nobody's or if two claim it."""
    found = [p.id for p in plan.people if any(f.clip == clip and f.track == track and f.start <= frame < f.end for f in p.faces)]
    return found[0] if len(found) == 1 else ""


def borders(plan: Plan, clip: str, track: Track) -> list[int]:
    """The frames of a track from which on something else holds for it, or it is somebody else's; its first is one."""
    at = {a for a, _, _ in plan.spans(clip, track.id, track.start, track.stop)}
    at |= {edge for p in plan.people for f in p.faces if (f.clip, f.track) == (clip, track.id) for edge in (f.start, f.end)}
    return sorted(a for a in at if track.start <= a < track.stop)


def act_name(plan: Plan, clip: str, track: int, frame: int, treatment: Treatment) -> str:
    """What `Rehearsed.acts` calls the double of a face in a frame: "double ana", or "mannequin P1"."""
    if mask_of(treatment) == "double":
        return f"double {treatment.double}"
    return f"mannequin {owner(plan, clip, track, frame)}"


class PlanCompany:
    """The plan's scene of each frame; frames are asked for in order."""

    def __init__(self, plan: Plan, clip: str, made: Analysis, rehearsed: Rehearsed, options: Options) -> None:
        self.plan, self.clip, self.made, self.rehearsed, self.options = plan, clip, made, rehearsed, options
        self.coming = sorted(made.roles, key=lambda r: r.track.start)[::-1]
        self.rest = rests(plan, clip, made.info, made.frames, made.marks)
        self.hushed = near(self.rest)
        self.on: list[Role] = []
        self.casts: dict[tuple[int, str], Cast] = {}
        self.under = {r.track.id for r in made.roles if not (r.weights > 0).any()}  # whatever the plan says of other frames

    def scene(self, frame: int) -> Scene:
        """Everything of a frame. Whom the plan does not mention is veiled."""
        over = {r.track.id for r in self.on if frame >= r.track.stop}
        if over:
            self.on = [r for r in self.on if r.track.id not in over]
            self.casts = {key: cast for key, cast in self.casts.items() if key[0] not in over}
        while self.coming and self.coming[-1].track.start <= frame:
            role = self.coming.pop()
            if frame < role.track.stop:
                self.on.append(role)
        regions = [r for r in (laid.at(frame) for laid in self.rehearsed.regions) if r is not None]
        return Scene([self._part(role, frame) for role in self.on], tuple(regions), self.rehearsed.mark)

    def _part(self, role: Role, frame: int) -> Part:
        t = self.plan.treatment(self.clip, role.track.id, frame)
        mask = mask_of(t)
        i = frame - role.track.start
        part = Part(role.track.id, role.boxes[i], role.covers[i])
        if mask in PLAYED:
            cast = self._cast(role, act_name(self.plan, self.clip, role.track.id, frame, t))
            part = part if cast is None else cast.part(frame) or part
        if t.face in OPEN and t.shown(frame) > 0 and self.rest[frame] > 0:  # lips that say what is bleeped
            return replace(Part(role.track.id, role.boxes[i], role.covers[i]), hair=t.hair)
        sure = t.face == "ignore" or self._sure(role.track.id, i)
        return replace(part, treatment=t.face, sure=sure, shown=t.shown(frame), before=mask if t.face == "reveal" else "double",
                       halo=t.halo, hair=t.hair, solid=t.solid or "ellipse", under=role.track.id in self.under)

    def _sure(self, track: int, i: int) -> bool:
        flags = self.rehearsed.sure.get(track)
        return flags is not None and bool(flags[i])

    def _cast(self, role: Role, name: str) -> Cast | None:
        key = role.track.id, name
        if key not in self.casts and key in self.rehearsed.acts:
            act = self.rehearsed.acts[key]
            drawn = (act.role.weights > 0).any()
            stage = perform(act.role, act.double, self.options, float(self.made.info.rate)) if drawn else None
            self.casts[key] = Cast(act.role, stage, self._still(act.role, stage), self.hushed)
        return self.casts.get(key)

    def _still(self, role: Role, stage: Performance | None) -> Performance | None:
        """The performer with a mouth at rest over the bleeps; None where there is none in the role."""
        if stage is None or role.fit is None:
            return None
        codes = stage.codes
        assert isinstance(codes, Rows)
        part = slice(role.fit.start, role.fit.start + len(codes))
        return stage.playing(stilled(codes.numbers, self.rest[part])) if self.hushed[part].any() else None

