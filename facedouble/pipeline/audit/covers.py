"""What is covered in a film besides faces: what its plan says, and what its report says was covered beyond that.

The plan is held to: where it has a cover, there has to be one. The report may only say that more was hidden; that is looked at in
the same way, so that nothing passes as covered which is not. For where a region is that follows the picture the report is asked,
too, between the keys; at these the plan says it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np

from facedouble.audit.account import Account, ByFrame, Cover, Covering, Told
from facedouble.audit.scene import OPEN
from facedouble.errors import InputRefused
from facedouble.pipeline.audit.account import SEEN, Places
from facedouble.plan.people import Treatment
from facedouble.plan.plan import Plan
from facedouble.plan.values import Region
from facedouble.types import Array, Box, Value

EASED: Final = 5  # frames beside a veil of the audit's own rounds in which what is shown is veiled already
GROWN: Final = 0.2  # of its longer side, by which such a cover reaches beyond what was found
SOFT: Final = 0.09  # of a veil's shorter side: its soft edge
FILLED: Final = 0.05  # of an inpainted place's longer side: where it goes over to what is around it
CLEAR: Final = 6.0  # px, that at least
LETTER, LEAST, EDGE, PAD = 0.026, 9.0, 0.03, 3.0  # a watermark's letters in shorter sides of the picture, px; from its edges; px
PLACE: Final = ("x", "y", "w", "h", "angle")

Span = tuple[int, int]


@dataclass(frozen=True)
class Reported(Value):
    """What a report says was covered beyond the plan, in frames of the footage.

    hidden: frames that are hidden whole; places: (start, stop, found) boxes; tracks: of faces that got the veil; followed: by the
    number of a region in its clip, the first frame, and places (n, 5) x y w h angle from there on.
    """

    hidden: frozenset[int] = frozenset()
    places: tuple[tuple[int, int, Box], ...] = ()
    tracks: Mapping[int, tuple[Span, ...]] = field(default_factory=dict)
    followed: Mapping[int, tuple[int, Array]] = field(default_factory=dict)

    @classmethod
    def of(cls, report: Mapping[str, Any]) -> Reported:
        """Read it; InputRefused if it cannot be understood."""
        try:
            audit = report.get("audit")
            rows = audit.get("covered") or () if isinstance(audit, Mapping) else ()
            places = tuple((*_span(r["frames"]), Box(*map(float, r["box"]))) for r in rows if "box" in r)
            tracks: dict[int, tuple[Span, ...]] = {}
            for r in rows:
                if "face" in r:
                    tracks[int(r["face"])] = (*tracks.get(int(r["face"]), ()), _span(r["frames"]))
            followed = {int(k): (int(f["from"]), np.array(f["places"], np.float64).reshape(-1, len(PLACE)))
                        for k, f in (report.get("followed") or {}).items()}
            return cls(frozenset(map(int, report.get("hidden") or ())), places, tracks, followed)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputRefused("the report beside the film does not say what was covered in it; make the film again") from error


def _span(row: Sequence[Any]) -> Span:
    start, stop = map(int, row)
    return start, stop


def covering(size: tuple[int, int], reported: Reported, lead: int = 0, plan: Plan | None = None, clip: str = "",
             where: Places | None = None) -> Covering:
    """What is covered in each frame of a film of `size` px, after `lead` frames of a card; by a plan, if there is one."""
    whole = Box(0, 0, *size)
    hides = [] if plan is None else [(a, b, said) for track, (start, rows) in (where or {}).items()
                                     for a, b, said in plan.spans(clip, track, start, start + len(rows)) if said.solid == "frame"]
    by = ByFrame((a, b) for a, b, _ in hides)
    regions = [] if plan is None else [r for r in plan.regions if r.clip == clip]

    def covers(number: int) -> Sequence[Cover]:
        frame = number - lead
        if frame < 0:
            return ()
        looks = {"frame"} if frame in reported.hidden else {_whole(hides[k][2], frame) for k in by.at(frame)}
        if "frame" in looks:
            return [Cover.of(whole, "frame")]
        found = [Cover.of(whole, look) for look in looks]
        found += [cover for k, region in enumerate(regions) for cover in _region(region, frame, reported.followed.get(k))]
        found += [Cover.of(box, more=GROWN * max(box.width, box.height))
                  for start, stop, box in reported.places if start <= frame < stop]
        return found if plan is None or not plan.watermark else [*found, _mark(plan.watermark, *size)]

    return covers


def _whole(said: Treatment, frame: int) -> str:
    """What becomes of a frame that is hidden for somebody: a reveal from there lets anything be seen, but not from its start."""
    return "frame" if said.face == "hide" or said.shown(frame) < SEEN else "fade"


def _region(region: Region, frame: int, followed: tuple[int, Array] | None) -> list[Cover]:
    """A region in a frame: where it was followed to, and at last where its keys say, so that it is held to these."""
    if not region.start <= frame < region.end:
        return []
    keys = region.keys
    if region.track:
        keys = tuple(k for k in keys if k.frame == frame)
    rows = [followed[1][frame - followed[0]]] if followed is not None and 0 <= frame - followed[0] < len(followed[1]) else []
    if keys:
        at = [k.frame for k in keys]
        rows.append(np.array([np.interp(frame, at, [getattr(k, name) for k in keys]) for name in PLACE]))
    found = []
    for x, y, w, h, angle in (row.tolist() for row in rows):
        more = {"veil": SOFT * min(w, h), "inpaint": max(FILLED * max(w, h), CLEAR)}.get(region.cover, 0.0)
        found.append(Cover(x, y, w, h, angle, region.shape, region.cover, more))
    return found


def _mark(text: str, width: int, height: int) -> Cover:
    """Where the line of a watermark may be, in the lower right corner: no letter is much wider than it is high."""
    short = min(width, height)
    px, edge = max(LETTER * short, LEAST), EDGE * short
    w = min(1.2 * px * len(text) + 2 * PAD, width - 2 * edge)
    x1, y1 = width - edge + 2, height - edge + 2
    return Cover.of(Box(x1 - w, y1 - 2 * px - 2 * PAD, x1, y1), "mark")


def more_veiled(account: Account, reported: Reported, lead: int) -> Account:
    """The account of a film of a plan in which some faces got the veil though the plan shows them."""
    def told(number: int) -> Sequence[Told]:
        return [replace(t, treatment="veil") if t.treatment in OPEN and any(
            a - EASED <= number - lead < b + EASED for a, b in reported.tracks.get(t.track, ())) else t for t in account(number)]
    return told if reported.tracks else account


def lost(plan: Plan, clip: str, reported: Reported) -> list[str]:
    """The names of regions that follow the picture of which the report does not say whereto."""
    return [r.name for k, r in enumerate(r for r in plan.regions if r.clip == clip) if r.track and k not in reported.followed]
