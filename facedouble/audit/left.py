"""Is anything of the footage left in a face? In every frame by itself, and in the frames of a second together."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from facedouble.audit.account import Told
from facedouble.audit.lately import FEW, LEAST, Lately
from facedouble.audit.reuse import Reuse, compare, peak, remains, spots
from facedouble.audit.scene import COVERED, DRAWN, MAYBE, Record, Scene, matched
from facedouble.audit.spans import Hit, Spans
from facedouble.audit.verdict import Check, Look
from facedouble.geometry import overlap, scaled
from facedouble.options import AuditOptions
from facedouble.types import Array, Box, Floats, Seen, Seer

WHOLE: Final = "The footage shines through a face."
EYES: Final = "The eyes in a face are the footage's, or something in them is."
MOUTH: Final = "The mouth in a face is the footage's."
PARTS: Final = "Parts of a face are the footage's."
ROWS: Final = "A strip of a face is the footage's."
RIM: Final = "A rim of a face is the footage's."
COARSE: Final = "The real face may still show here, only blurred or coarse."
HEAD: Final = 1.3  # sides of the face box within which a veil or a cover leaves nothing
SURE: Final = 0.6  # score from which a face that a detector finds where there may be one is compared
ASKED: Final = 4  # every so-manieth frame the footage says where its eyes are: under a veil none are seen, by a hand others
VEILED: Final = 0.35  # of the limit for lines is theirs where no face is seen for half a second: a veil has none
THERE: Final = 0.3  # overlap with the plan's place from which that is the face
FILLED: Final = 2400.0  # px of a face, under which a strip is the shorter, and stands out by chance the more
TRACE: Final = 4.0  # px of rim in a frame that count when they come again and again,
TRACE_SHARE: Final = 0.04  # or of a large face that share of its width: hair comes and goes at its outline
MOVED: Final = "The footage shines through a face, beside its place, or of a moment before or after."
SMALL: Final = "faces too small, or too far outside of the picture, to be compared"
FAINT: Final = "The footage shines faintly through a face, for a second or longer."


Key = tuple[int | str, float]
"""What a face is summed by: its track, or of a told one without any its person, or its place in the list; and the box' size."""


@dataclass
class _Held:
    """Sum of a face's comparisons from a frame to another one, both counted."""

    told: Told
    since: int
    last: int
    surfaces: Floats
    pixels: Array
    count: int = 0
    rims: int = 0


class Left:
    """`take` every scene, then `checks`. second: frames of one; find: faces in a picture."""

    def __init__(self, limits: AuditOptions, second: int, record: Record, find: Seer) -> None:
        self.limits, self.second, self.record, self.find = limits, second, record, find
        self.spans, self.eyes = Spans(), Spans()
        self.before: tuple[Array, ...] = ()
        self.held: dict[Key, _Held] = {}
        self.lately: dict[Key, Lately] = {}

    def take(self, scene: Scene) -> None:
        """Compare every face that is to be drawn over with the footage."""
        self._close(scene.number)
        filmed = self._filmed(scene)
        for k, told in enumerate(scene.told):
            if scene.source is None or told.treatment not in (*DRAWN, *COVERED, MAYBE):
                continue
            face = found_at(told, scene)
            box = told.box if face is None else face.box  # where it is seen, it is more exactly than the plan knows
            key = told.track if told.track >= 0 else told.person or f"face {k}"
            there = max(filmed, key=lambda f: overlap(f.box, told.box), default=None)
            asked = () if there is None or overlap(there.box, told.box) <= THERE else (there,)
            self._compare(scene, told, box, (key, 1.0), face, asked)
            if told.treatment in COVERED:
                self._compare(scene, told, scaled(box, HEAD), (key, HEAD))
        self.before = () if scene.source is None else (scene.source, scene.output)

    def _compare(self, scene: Scene, told: Told, box: Box, key: Key, face: Seen | None = None,
                 filmed: Sequence[Seen] = ()) -> None:
        """Compare a place, px, by itself and with what is held of it; face: found there in the output; filmed: in the footage."""
        assert scene.source is not None
        found = compare(scene.source, scene.output, box, self.before if scene.number % 2 else ())
        first = key[1] == 1.0  # of a covered face the whole head is one more look at the same face
        if found is None:
            if first:
                self.spans.figures[SMALL] = int(self.spans.figures.get(SMALL, 0)) + 1
            return
        self.spans.looked += first
        self.eyes.looked += first
        self.record("reuse", scene.number, (*found.whole, *found.eyes, *found.mouth, found.left, found.rows, found.rim.inside,
                                            found.coarse, *found.pixels))
        if told.treatment == MAYBE and (face is None or face.score < SURE):
            return  # nobody knows whether a face is there, or where
        made = scores(found, self.limits, box.width)
        bare = spots(scene.source, scene.output, box) if face is None else None
        for one in (*([] if face is None else [face]), *filmed):
            made = self._features(scene, one, made)
        self._judge(scene.number, told, made)
        self._hold(scene.number, told, key, found, box.width)
        self._gather(scene.number, told, key, found, bare)

    def _features(self, scene: Scene, face: Seen, made: dict[str, float]) -> dict[str, float]:
        """Eyes and mouth once more where a face has them: how much of them remains beside the footage's."""
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

    def _filmed(self, scene: Scene) -> Sequence[Seen]:
        """The faces that are in the footage, in every frame in which it is asked, and in which somebody is to be drawn over."""
        if scene.source is None or scene.number % ASKED or not any(t.treatment in (*DRAWN, *COVERED, MAYBE) for t in scene.told):
            return ()
        return [f for f in self.find(np.repeat(scene.source.astype(np.uint8)[..., None], 3, 2)) if f.score >= SURE]

    def _judge(self, number: int, told: Told, found: dict[str, float]) -> None:
        for what, score in found.items():
            spans = self.eyes if what == EYES else self.spans
            spans.most(what.rstrip("."), score)
            if score > 0.5:
                spans.near(score, Look(number, told.box, f"{what.rstrip('.')}? {score:.2f} of the limit"))
            if score > 1:
                spans.add(Hit(what, number, number + 1, told.box, score, 1.0, told.person))

    def _hold(self, number: int, told: Told, key: Key, found: Reuse, width: float) -> None:
        held = self.held.setdefault(key, _Held(told, number, number, np.zeros_like(found.surfaces), np.zeros(2)))
        held.surfaces, held.count, held.told, held.last = held.surfaces + found.surfaces, held.count + 1, told, number
        held.pixels = held.pixels + found.pixels[:2]
        held.rims += found.rim.inside >= max(TRACE, TRACE_SHARE * width)
        if held.count >= self.second:
            self._end(self.held.pop(key))

    def _gather(self, number: int, told: Told, key: Key, found: Reuse, bare: float | None) -> None:
        half = self.lately.setdefault(key, Lately(max(self.second // 2, LEAST), told))
        half.add(number, told, found, bare)
        if half.full:
            self._sliding(half)
            if half.rest >= half.half:
                self._together(half)

    def _close(self, number: int) -> None:
        """End what has not been filled in twice its time, as a face has left: what there is of it is judged all the same."""
        for key in [k for k, held in self.held.items() if number - held.since > 2 * self.second]:
            self._end(self.held.pop(key))
        for key in [k for k, half in self.lately.items() if number - half.last > half.half]:
            if len((half := self.lately.pop(key)).looks) >= FEW <= half.rest:
                if not half.full:
                    self._sliding(half)
                self._together(half)

    def _sliding(self, half: Lately) -> None:
        """What is asked of the half a second that ends with every frame: a trace of a second fills it, whenever it begins."""
        o, pixels, peaks, share = self.limits, half.pixels(), half.peaks(), half.line()
        bare = half.spots()
        self.record("half", half.since, (share, len(half.looks), *peaks[0], *peaks[1], *peaks[2], pixels, bare))
        least = max(o.moved_height, o.chance / pixels ** 0.5), o.moved_stands, o.moved_sharp
        most = o.line * (VEILED if half.unseen else 1.0)
        self._lasting(half, ((RIM, share / most), (MOVED, max(ratio(p, least) for p in peaks)), (PARTS, bare / o.spots)))

    def _together(self, half: Lately) -> None:
        """What is asked of one half of a second after the other."""
        o, pixels, left, rows, strip = self.limits, half.pixels(), half.left(), half.rows(), half.strip()
        self.record("parts", half.since, (left, rows, len(half.looks), pixels, strip))
        half.rest = 0
        self._lasting(half, ((PARTS, left / o.left_half), (ROWS, rows / o.rows_half),
                             (ROWS, strip / (o.strip_half * max(1.0, (FILLED / pixels) ** 0.25)))))

    def _lasting(self, half: Lately, found: Sequence[tuple[str, float]]) -> None:
        for what, score in found:
            self.spans.most(f"{what.rstrip('.')} (half a second together)", score)
            if score > 1:
                self.spans.add(Hit(what, half.since, half.last + 1, half.told.box, score, 1.0, half.told.person))

    def _end(self, held: _Held) -> None:
        """The mean of a second shows what a single frame does not."""
        if held.count < self.second // 2:
            return
        (whole, gaze), o = (peak(s / np.float32(held.count)) for s in held.surfaces[:2]), self.limits
        chance = o.chance / np.sqrt(np.maximum(held.pixels, 1))
        self.record("held", held.since, (*whole, *gaze, held.count, *held.pixels.tolist(), held.rims / held.count))
        for spans, what, share in (
                (self.spans, FAINT, ratio(whole, (max(o.held_height, float(chance[0])), o.held_stands, o.held_sharp))),
                (self.eyes, EYES, ratio(gaze, (max(o.gaze_height, float(chance[1])), o.held_stands, o.gaze_sharp))),
                (self.spans, RIM, held.rims / held.count / o.rims)):
            spans.most(f"{what.rstrip('.')} (a second together)", share)
            if share > 1:
                spans.add(Hit(what, held.since, held.last + 1, held.told.box, share, 1.0, held.told.person))

    def finish(self) -> None:
        """What is left of the last second, and of its half."""
        self._close(sys.maxsize)

    def checks(self, missing: str) -> list[Check]:
        """What was found."""
        tried = "Each face was laid over the footage in every frame: finest detail, also beside its place and of a frame " \
                "before and after, small and thin windows, coarse look, and a second at a time. Figures are shares of the limits."
        return [
            self.spans.check("Nothing of the footage is left in a face", tried, "faces", missing),
            self.eyes.check("Eyes and glasses", "The eyes of each face, with glasses and what is reflected in them, were laid "
                            "over the footage in every frame.", "faces", missing),
        ]


def found_at(told: Told, scene: Scene) -> Seen | None:
    """The face that a detector found there; None if it lies nearer to somebody else of the plan, or there is none."""
    mine = [f for f in scene.faces if told in matched(f, scene.told)
            and overlap(f.box, told.box) >= max(overlap(f.box, t.box) for t in scene.told)]
    return max(mine, key=lambda f: overlap(f.box, told.box), default=None)


def scores(found: Reuse, o: AuditOptions, width: float) -> dict[str, float]:
    """What is found in a face, `width` px wide, as shares of the limits: more than 1 is a finding."""
    whole, upper, lower = (o.chance / max(n, 1) ** 0.5 for n in found.pixels)
    plain = min(found.fine, found.middle) < o.blurred or found.tiles > o.tiled
    eyes, mouth = ((max(o.part_height, least), o.part_stands, o.part_sharp) for least in (upper, lower))
    blend = max(o.blend_height, whole), o.blend_stands, o.blend_sharp
    return {
        WHOLE: min(ratio(found.whole, blend), ratio(found.spread[0], blend) / o.part_skin),
        EYES: min(ratio(found.eyes, eyes), *(ratio(more, eyes) / o.part_skin for more in (found.skin[0], found.spread[1]))),
        MOUTH: min(ratio(found.mouth, mouth), ratio(found.skin[1], mouth) / o.part_skin),
        PARTS: found.left / max(o.left, o.least / max(found.pixels[0], 1)),
        ROWS: found.rows / max(o.rows, o.least / max(found.pixels[0], 1)),
        RIM: found.rim.inside / max(o.rim, o.rim_share * width),
        COARSE: o.coarse_plain / max(found.coarse, 1e-3) if plain else o.coarse / max(found.coarse, found.unlit, 1e-3),
    }


def ratio(found: Sequence[float], least: Sequence[float]) -> float:
    """How much of its limits a peak reaches: more than 1 if it is past all of them."""
    return max(0.0, min(f / limit for f, limit in zip(found, least, strict=True)))
