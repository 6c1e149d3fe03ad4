"""What a plan says about a stretch of a clip, as a digest: where it is the same, nothing has to be rendered again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from facedouble.plan.people import Treatment
from facedouble.plan.plan import Plan
from facedouble.plan.values import Key, Region
from facedouble.plan.voices import EASE, MOUTH

PLAIN = Treatment()


def _drawn(treatment: Treatment) -> list[Any]:
    """All of a treatment that changes pixels: not who decided, nor why."""
    return [treatment.face, treatment.double, treatment.halo, treatment.hair, treatment.before, treatment.dissolve,
            treatment.solid]


def _tracks(plan: Plan, clip: str, start: int, stop: int, extents: Mapping[int, tuple[int, int]] | None) -> dict[str, Any]:
    """The treatments of every track that gets anything but the plain veil in [start, stop)."""
    found = {}
    for track in plan.tracks(clip):
        first, last = (start, stop) if extents is None else extents.get(track, (stop, stop))
        spans: list[list[Any]] = []
        for a, b, treatment in plan.spans(clip, track, max(start, first), min(stop, last)):
            drawn = _drawn(treatment)
            if spans and spans[-1][2] == drawn:  # decided by somebody else, and drawn alike
                spans[-1][1] = b
            else:
                spans.append([a, b, drawn])
        if any(drawn != _drawn(PLAIN) for _, _, drawn in spans):
            found[str(track)] = spans
    return found


def _keys(region: Region, start: int, stop: int) -> tuple[Key, ...]:
    """The keys that place a region in [start, stop): those inside and the nearest outside; all if it follows the picture."""
    if region.track:
        return region.keys
    before = [n for n, key in enumerate(region.keys) if key.frame <= start]
    after = [n for n, key in enumerate(region.keys) if key.frame >= stop - 1]
    return region.keys[before[-1] if before else 0 : after[0] + 1 if after else None]


def _regions(plan: Plan, clip: str, start: int, stop: int) -> list[Any]:
    """The regions of [start, stop), in the order in which they are drawn."""
    found: list[Any] = []
    for region in plan.regions:
        a, b = max(start, region.start), min(stop, region.end)
        if region.clip == clip and a < b:
            keys = [[k.frame, k.x, k.y, k.w, k.h, k.angle] for k in _keys(region, a, b)]
            found.append([a, b, region.cover, region.shape, region.track, keys])
    return found


def digest(plan: Plan, clip: str, start: int, stop: int, extents: Mapping[int, tuple[int, int]] | None = None) -> str:
    """Sixteen hex digits that change with whatever the plan says that can change a pixel of frames [start, stop) of a clip.

    extents: the frames [first, last) of each track, by the analysis; without them a track counts as being everywhere. Widen
    [start, stop) by as many frames as the drawing looks around. Doubles count by name: what is in their files, and the options,
    belong into the name of a result beside this (`doubles_in` says which).
    """
    said = {"tracks": _tracks(plan, clip, start, stop, extents), "regions": _regions(plan, clip, start, stop),
            "watermark": plan.watermark}
    hushed = _hushed(plan, clip, start, stop)
    return _hash({**said, "hushed": hushed} if hushed else said)


def _hushed(plan: Plan, clip: str, start: int, stop: int) -> list[tuple[int, int]]:
    """The bleeps of a clip whose mouths are in [start, stop)."""
    rate = plan.clip(clip).rate / 1000 if plan.bleeps else 0
    return sorted((b.start, b.stop) for b in plan.bleeps
                  if b.clip == clip and (b.start - MOUTH - EASE) * rate < stop and (b.stop + MOUTH + EASE) * rate > start)


def sound_digest(plan: Plan, clip: str) -> str:
    """The same for all that is heard of a clip: not who decided, nor why. Voices and takes count by name and file."""
    turns = [[t.start, t.stop, plan.voicing(t).said] for _, t in plan.turns(clip)]
    behind = plan.behind(clip)
    return _hash([turns, sorted([b.start, b.stop, b.sound] for b in plan.bleeps if b.clip == clip),
                  None if behind is None else behind.kind])


def card_digest(plan: Plan) -> str:
    """The same for the card."""
    card = plan.card
    return _hash(None if card is None else [card.text, str(card.seconds), card.language, card.direction, card.on, plan.watermark])


def doubles_in(plan: Plan, clip: str, start: int, stop: int) -> frozenset[str]:
    """The names of the doubles that the plan asks for in frames [start, stop)."""
    return frozenset(treatment.double for track in plan.tracks(clip) for _, _, treatment in plan.spans(clip, track, start, stop)
                     if treatment.double is not None)


def _hash(said: object) -> str:
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]
