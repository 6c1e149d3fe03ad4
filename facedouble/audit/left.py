"""Is anything of the footage left in a face? In every frame by itself, and in the frames of a second together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from facedouble.audit.account import Told
from facedouble.audit.reuse import Reuse, compare, peak, remains
from facedouble.audit.rim import CELLS, line
from facedouble.audit.scene import COVERED, DRAWN, MAYBE, Record, Scene, matched
from facedouble.audit.spans import Hit, Spans
from facedouble.audit.verdict import Check, Look
from facedouble.options import AuditOptions
from facedouble.types import Array, Floats, Seen

WHOLE: Final = "The footage shines through a face."
EYES: Final = "The eyes in a face are the footage's, or something in them is."
MOUTH: Final = "The mouth in a face is the footage's."
PARTS: Final = "Parts of a face are the footage's."
ROWS: Final = "A strip of a face is the footage's."
RIM: Final = "A rim of a face is the footage's."
COARSE: Final = "A face is only a blurred or coarse copy of the footage's."
FEW: Final = 6  # frames under which nothing is told of half a second
TRACE: Final = 4.0  # px of rim in a frame that count when they come again and again,
TRACE_SHARE: Final = 0.04  # or of a large face that share of its width: hair comes and goes at its outline
SMALL: Final = "faces too small, or too far outside of the picture, to be compared"
FAINT: Final = "The footage shines faintly through a face, for a second or longer."


@dataclass
class _Held:
    """Sum of somebody's comparisons since a frame."""

    told: Told
    surfaces: Floats
    count: int
    since: int
    pixels: Array
    rims: int = 0


@dataclass
class _Half:
    """Half a second of somebody: where lines of the footage ran along the outline, summed; left and rows by frame."""

    told: Told
    since: int
    lines: Floats
    frames: list[tuple[float, float]] = field(default_factory=list)


class Left:
    """`take` every scene, then `checks`. second: frames of one."""

    def __init__(self, limits: AuditOptions, second: int, record: Record) -> None:
        self.limits, self.second, self.record = limits, second, record
        self.spans, self.eyes = Spans(), Spans()
        self.held: dict[str, _Held] = {}
        self.halves: dict[str, _Half] = {}

    def take(self, scene: Scene) -> None:
        """Compare every face that is to be drawn over with the footage."""
        for k, told in enumerate(scene.told):
            if scene.source is None or told.treatment not in (*DRAWN, *COVERED, MAYBE):
                continue
            face = next((f for f in scene.faces if told in matched(f, scene.told)), None)
            box = told.box if face is None else face.box  # where it is seen, it is more exactly than the plan knows
            found = compare(scene.source, scene.output, box)
            if found is None:
                self.spans.figures[SMALL] = int(self.spans.figures.get(SMALL, 0)) + 1
                continue
            self.spans.looked += 1
            self.eyes.looked += 1
            self.record("reuse", scene.number, (*found.whole, *found.eyes, *found.mouth, found.left, found.rows,
                                                found.rim.inside, found.coarse, *found.pixels))
            if told.treatment != MAYBE:
                made = scores(found, self.limits, box.width)
                if face is not None:
                    made = self._features(scene, face, made)
                self._judge(scene.number, told, made)
                self._hold(scene.number, told, told.person or f"face {k}", found, box.width)
                self._gather(scene.number, told, told.person or f"face {k}", found)

    def _features(self, scene: Scene, face: Seen, made: dict[str, float]) -> dict[str, float]:
        """Eyes and mouth once more where a face is seen: how much of them remains beside the footage's."""
        assert scene.source is not None
        points = face.points.astype(np.float64)
        apart = float(np.hypot(*(points[1] - points[0])))
        eye, lips = self.limits.remains_eye, self.limits.remains_mouth
        places = ((EYES, points[0], 0.16, eye), (EYES, points[1], 0.16, eye), (MOUTH, points[3:].mean(0), 0.35, lips))
        for what, middle, size, least in places:
            rest = remains(scene.source, scene.output, middle, size * apart)
            if rest is not None:
                self.record("remains", scene.number, (rest, float(what == EYES), size * apart))
                made[what] = max(made[what], least / max(rest, 1e-3))
        return made

    def _judge(self, number: int, told: Told, found: dict[str, float]) -> None:
        for what, score in found.items():
            spans = self.eyes if what == EYES else self.spans
            spans.most(what.rstrip("."), score)
            if score > 0.5:
                spans.near(score, Look(number, told.box, f"{what.rstrip('.')}? {score:.2f} of the limit"))
            if score > 1:
                spans.add(Hit(what, number, number + 1, told.box, score, 1.0, told.person))

    def _hold(self, number: int, told: Told, key: str, found: Reuse, width: float) -> None:
        held = self.held.get(key)
        if held is None or number - held.since > 2 * self.second:
            held = self.held[key] = _Held(told, np.zeros_like(found.surfaces), 0, number, np.zeros(2))
        held.surfaces, held.count, held.told = held.surfaces + found.surfaces, held.count + 1, told
        held.pixels = held.pixels + found.pixels[:2]
        held.rims += found.rim.inside >= max(TRACE, TRACE_SHARE * width)
        if held.count >= self.second:
            self._end(number, held)
            del self.held[key]

    def _gather(self, number: int, told: Told, key: str, found: Reuse) -> None:
        half = self.halves.get(key)
        if half is None or number - half.since > self.second:
            half = self.halves[key] = _Half(told, number, np.zeros(CELLS, np.float32))
        half.lines, half.told = half.lines + found.rim.lines, told
        half.frames.append((found.left, found.rows))
        if len(half.frames) >= max(self.second // 2, FEW):
            self._halved(number, half)
            del self.halves[key]

    def _halved(self, number: int, half: _Half) -> None:
        """Whatever lasts a second fills half of one."""
        share, o = line(half.lines / np.float32(len(half.frames))), self.limits
        left, rows = np.mean(half.frames, 0).tolist()
        self.record("half", half.since, (share, left, rows, len(half.frames)))
        for what, score in ((RIM, share / o.line), (PARTS, left / o.left_half), (ROWS, rows / o.rows_half)):
            self.spans.most(f"{what.rstrip('.')} (half a second together)", score)
            if score > 1:
                self.spans.add(Hit(what, half.since, number + 1, half.told.box, score, 1.0, half.told.person))

    def _end(self, number: int, held: _Held) -> None:
        """The mean of a second shows what a single frame does not."""
        (whole, gaze), o = (peak(s / np.float32(held.count)) for s in held.surfaces), self.limits
        chance = o.chance / np.sqrt(np.maximum(held.pixels, 1))
        self.record("held", held.since, (*whole, *gaze, held.count, *held.pixels.tolist(), held.rims / held.count))
        for spans, what, share in (
                (self.spans, FAINT, ratio(whole, (max(o.held_height, float(chance[0])), o.held_stands, o.held_sharp))),
                (self.eyes, EYES, ratio(gaze, (max(o.gaze_height, float(chance[1])), o.held_stands, o.gaze_sharp))),
                (self.spans, RIM, held.rims / held.count / o.rims)):
            spans.most(f"{what.rstrip('.')} (a second together)", share)
            if share > 1:
                spans.add(Hit(what, held.since, number + 1, held.told.box, share, 1.0, held.told.person))

    def finish(self, number: int) -> None:
        """What is left of the last second, and of its half."""
        for held in self.held.values():
            if held.count >= self.second // 2:
                self._end(number, held)
        for half in self.halves.values():
            if len(half.frames) >= FEW:
                self._halved(number, half)
        self.held.clear()
        self.halves.clear()

    def checks(self, missing: str) -> list[Check]:
        """What was found."""
        tried = "Each face was laid over the footage in every frame: finest detail, small and thin windows, coarse look, and a " \
                "second at a time. Figures are shares of the limits."
        return [
            self.spans.check("Nothing of the footage is left in a face", tried, "faces", missing),
            self.eyes.check("Eyes and glasses", "The eyes of each face, with glasses and what is reflected in them, were laid "
                            "over the footage in every frame.", "faces", missing),
        ]


def scores(found: Reuse, o: AuditOptions, width: float) -> dict[str, float]:
    """What is found in a face, `width` px wide, as shares of the limits: more than 1 is a finding."""
    whole, upper, lower = (o.chance / max(n, 1) ** 0.5 for n in found.pixels)
    return {
        WHOLE: ratio(found.whole, (max(o.blend_height, whole), o.blend_stands, o.blend_sharp)),
        EYES: ratio(found.eyes, (max(o.part_height, upper), o.part_stands, o.part_sharp)),
        MOUTH: ratio(found.mouth, (max(o.part_height, lower), o.part_stands, o.part_sharp)),
        PARTS: found.left / max(o.left, o.least / max(found.pixels[0], 1)),
        ROWS: found.rows / max(o.rows, o.least / max(found.pixels[0], 1)),
        RIM: found.rim.inside / max(o.rim, o.rim_share * width),
        COARSE: (o.coarse_plain if found.fine < o.blurred or found.tiles > o.tiled else o.coarse) / max(found.coarse, 1e-3),
    }


def ratio(found: Sequence[float], least: Sequence[float]) -> float:
    """How much of its limits a peak reaches: more than 1 if it is past all of them."""
    return max(0.0, min(f / limit for f, limit in zip(found, least, strict=True)))
