"""Whether the output follows the footage frame by frame: nothing flashes, stands still, is swapped or drawn where nobody is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numba import njit

from facedouble.audit.account import Cover
from facedouble.audit.covers import touched
from facedouble.audit.flash import Flashes
from facedouble.audit.scene import Record, Scene, matched
from facedouble.audit.spans import Hit, Spans
from facedouble.audit.verdict import Check, Look
from facedouble.options import AuditOptions
from facedouble.types import Array, Bools, Box, Floats, Value

FOLLOWS: Final = "The picture follows the footage"  # the check's name
BLOCK: Final = 8  # px: of each such square the mean brightness is looked at
SPREAD: Final = 2.0  # face sizes around a face's box in which the picture may be changed: cap, halo, a veil that has grown
STILL: Final = 1.5  # levels by which a frame that is repeated differs, once it is coded
COVER: Final = 0.75  # face sizes around a face's box that a cover may take, so that nothing moves there
LEAST: Final = 0.02  # of the picture that has to be left, to tell whether it moves
FOLLOWED: Final = 0.15  # of the footage's movement off the faces, that the output makes too: films .3 and more, repeats .02
ENOUGH: Final = 0.1  # of the picture that lies off the faces, to tell that; in less, all of it is taken:
RESTED: Final = 0.1  # then both the share that is made too, and the output's own movement (films .16 and more, repeats .07)
OFF: Final = 0.5  # face sizes from which the picture still tells which moment of the footage it is of


@dataclass(frozen=True)
class Step(Value):
    """What one frame of the output looks like beside its neighbours and the footage, in levels of brightness of blocks.

    flash: how far the brightest flash that the footage has not stands out of the frames before and after; flashed: where.
    still: how much the footage moves (99 % of its blocks move less) while the output repeats itself, 0 if it does not; faces that
    are covered, so that nothing of them can move, are left out.
    other: how much worse the frame fits its own frame of the footage than the one before or after, off the faces. strange: the
    greatest difference from the footage far from faces; where: its place. Boxes are in px; None if there is none.
    """

    frame: int
    flash: float
    flashed: Box | None
    still: float
    other: float
    strange: float
    where: Box | None


@dataclass
class _Held:
    """A frame, reduced; far from faces, off them, and away from those that are covered; and from what else may be changed."""

    number: int
    output: Floats
    source: Floats | None
    far: Bools
    off: Bools
    shown: Bools
    free: Bools


class Follower:
    """`follower.take(...)` for each frame in turn; each gives the step of the frame before, as that needs its neighbours."""

    def __init__(self) -> None:
        self.held: list[_Held] = []

    def take(self, number: int, output: Array, source: Array | None, faces: Sequence[Box],
             covered: Sequence[Box] = (), covers: Sequence[Cover] = ()) -> Step | None:
        """The next frame's brightness (h, w); faces that the plan has in it, and those of which none is seen, px; covers."""
        small = _blocks(output)
        free = ~touched(covers, small.shape, output.shape[1] / small.shape[1])
        far, off, shown = (_far(small.shape, *places) & free for places in ((faces, SPREAD), (faces, OFF), (covered, COVER)))
        self.held.append(_Held(number, small, None if source is None else _blocks(source), far, off, shown, free))
        if len(self.held) > 3:
            self.held.pop(0)
        return _step(self.held, len(self.held) - 2) if len(self.held) > 1 else None

    def finish(self) -> Step | None:
        """The step of the last frame."""
        return _step(self.held, len(self.held) - 1) if self.held else None


def _blocks(picture: Array) -> Floats:
    size = max(1, picture.shape[1] // BLOCK), max(1, picture.shape[0] // BLOCK)
    if picture.dtype == np.uint8 and picture.shape == (size[1] * BLOCK, size[0] * BLOCK):
        out = np.empty(size[::-1], np.float32)
        _means(picture, out)
        return out
    return np.asarray(cv2.resize(picture.astype(np.float32), size, interpolation=cv2.INTER_AREA), np.float32)


@njit(cache=True, nogil=True)
def _means(picture: Array, out: Array) -> None:
    sums = np.empty(picture.shape[1], np.uint16)
    for j in range(out.shape[0]):
        sums[:] = picture[j * BLOCK]
        for row in range(j * BLOCK + 1, (j + 1) * BLOCK):
            for x in range(sums.size):
                sums[x] += picture[row, x]
        for i in range(out.shape[1]):
            total = 0
            for x in range(i * BLOCK, (i + 1) * BLOCK):
                total += sums[x]
            out[j, i] = np.float32(total) / np.float32(BLOCK * BLOCK)


def _far(shape: tuple[int, ...], faces: Sequence[Box], spread: float) -> Bools:
    far: Bools = np.ones(shape, bool)
    for box in faces:
        more = max(box.width, box.height) * spread
        x0, y0, x1, y1 = ((v / BLOCK) for v in (box.x0 - more, box.y0 - more, box.x1 + more, box.y1 + more))
        far[max(0, int(y0)):max(0, int(np.ceil(y1))), max(0, int(x0)):max(0, int(np.ceil(x1)))] = False
    return far


def _step(held: Sequence[_Held], k: int) -> Step:
    now = held[k]
    beside = [h for j, h in enumerate(held) if abs(j - k) == 1]
    flash, flashed = _flash(now, beside)
    still = max((_still(h, now) for h in beside if h.number < now.number), default=0.0)
    strange, where = _strange(now)
    return Step(now.number, flash, flashed, still, _other(now, beside), strange, where)


def _flash(now: _Held, beside: Sequence[_Held]) -> tuple[float, Box | None]:
    """What differs from both neighbours by more than it does in the footage, mean over 3 x 3 blocks.

    The first and the last frame have one neighbour: there it counts off the faces, which a double may enter or leave, and where
    the footage is known.
    """
    if not beside or (len(beside) < 2 and (now.source is None or beside[0].source is None)):
        return 0.0, None
    apart = np.minimum.reduce([_apart(now.output, h.output) for h in beside])
    if now.source is not None:
        moved = [np.abs(now.source - h.source) for h in beside if h.source is not None]
        apart = apart - cv2.dilate(np.maximum.reduce(moved), np.ones((5, 5), np.uint8)) if moved else apart
    free = np.logical_and.reduce([now.free, *(h.free for h in beside)])
    if len(beside) < 2:
        free = free & now.off & now.shown & beside[0].off & beside[0].shown
    return _place(cv2.blur(apart * free, (3, 3)))


def _apart(a: Floats, b: Floats) -> Floats:
    return np.asarray(np.abs(a - b), np.float32)


def _place(apart: Floats) -> tuple[float, Box | None]:
    y, x = np.unravel_index(int(apart.argmax()), apart.shape)
    x0, y0 = max(int(x) - 1, 0) * BLOCK, max(int(y) - 1, 0) * BLOCK
    return max(float(apart[y, x]), 0.0), Box(x0, y0, x0 + 3 * BLOCK, y0 + 3 * BLOCK)


def _still(before: _Held, now: _Held) -> float:
    """How much the footage moves where the output does not."""
    if now.source is None or before.source is None:
        return 0.0
    shown = now.shown & before.shown
    if shown.mean() < LEAST:
        return 0.0
    moved, made = now.source - before.source, now.output - before.output
    moves = float(np.percentile(np.abs(moved)[shown], 99))
    rest = float(np.percentile(np.abs(made)[shown], 99))
    return moves if rest < min(STILL, 0.25 * moves) or _rests(moved, made, shown, shown & now.off & before.off) else 0.0


def _rests(moved: Floats, made: Floats, shown: Bools, off: Bools) -> bool:
    """Whether the output's step from the frame before has nothing of the footage's: noise and coding differ in a repeat, too.

    Where a veil comes, it has nothing of it either, and is the larger.
    """
    place = off if off.mean() > ENOUGH else shown
    ours, theirs = made[place], moved[place]
    energy = float(theirs @ theirs)
    followed = float(ours @ theirs) / max(energy, 1e-3)
    own = float(ours @ ours) / max(energy, 1e-3)
    return followed < FOLLOWED and own < 1 if place is off else followed < RESTED and own < RESTED


def _other(now: _Held, beside: Sequence[_Held]) -> float:
    if now.source is None or now.off.mean() < 0.05:
        return 0.0
    own = float(np.abs(now.output - now.source)[now.off].mean())
    others = [float(np.abs(now.output - h.source)[now.off].mean()) for h in beside if h.source is not None]
    return own - min(others, default=own)


def _strange(now: _Held) -> tuple[float, Box | None]:
    if now.source is None or not now.far.any():
        return 0.0, None
    apart = np.abs(now.output - now.source) * now.far
    return _place(cv2.blur(apart, (3, 3)))


class Following:
    """`take` every scene, then `checks`."""

    def __init__(self, limits: AuditOptions, record: Record) -> None:
        self.limits, self.record = limits, record
        self.follower, self.spans = Follower(), Spans()
        self.flashes = Flashes(limits, record, self.spans)

    def take(self, scene: Scene) -> None:
        """Judge the frame before, now that both its neighbours are known."""
        self.flashes.take(scene)
        there = [t for t in scene.told if t.treatment != "ignore"]
        covered = [t.box for t in there if not any(matched(face, [t]) for face in scene.faces)]
        self._judge(self.follower.take(scene.number, scene.output, scene.source, [t.box for t in there], covered,
                                         scene.covers))

    def finish(self) -> None:
        """Judge the last frame."""
        self._judge(self.follower.finish())

    def _judge(self, step: Step | None) -> None:
        if step is None:
            return
        o = self.limits
        self.spans.looked += 1
        self.record("step", step.frame, (step.flash, step.still, step.other, step.strange))
        for what, score, limit, box in (
                ("Something flashes up in one frame that the footage has not.", step.flash, o.flash, step.flashed),
                ("The picture stands still or is repeated where the footage moves.", step.still, o.still, None),
                ("The picture is that of another moment of the footage.", step.other, o.other, None),
                ("The picture differs from the footage where the plan changes nothing.", step.strange, o.strange, step.where)):
            name = what.rstrip(".")
            self.spans.most(f"{name}, levels", score)
            if score > 0.5 * limit:
                self.spans.near(score / limit, Look(step.frame, box, f"{name}? {score:.1f} of {limit:g} levels"))
            if score > limit:
                self.spans.add(Hit(what, step.frame, step.frame + 1, box, score, limit))

    def checks(self, missing: str) -> list[Check]:
        """What was found."""
        return [self.spans.check(FOLLOWS, "Each frame was compared with its neighbours and with the "
                                 "footage: flashes, repeats, swaps, and changes far from everybody.", "frames", missing)]
