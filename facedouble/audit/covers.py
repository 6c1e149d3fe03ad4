"""Is every place that has to be covered besides faces, a region or a whole frame, covered, so that nothing is seen there?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np

from facedouble.audit.account import Cover
from facedouble.audit.scene import Record, Scene
from facedouble.audit.spans import Hit, Spans
from facedouble.audit.verdict import Check, Look
from facedouble.types import Array, Bools, Box, Doubles, Floats

NAME: Final = "What has to be covered is covered"
WHOLE: Final = "The whole picture has to be hidden here, and something can be seen."
SEEN: Final = "Something can be seen in a place that has to be covered."
FILMED: Final = "The footage can be seen in a place that has to be covered."
UNMARKED: Final = "The watermark of the plan is not there."
FLAT: Final = 3.0  # levels: standard deviation up to which a picture is one colour
RIM: Final = 3  # px inside of a cover's edge in which the coding rings
LEAST: Final = 24  # px of a place under which nothing is told of it
SPOT: Final = 12.0  # levels, mean over 3 x 3 px, by which a place may differ from its one colour
WINDOW: Final = (5, 5)  # px in which a place is compared with the footage
DETAIL: Final = 36.0  # variance of the footage there, levels^2, that tells anything
ALIKE: Final = 0.1  # of that: mean square of the difference up to which it is as it was filmed
SHARE: Final = 0.08  # of such places that a filled-in one may have: stripes that were continued have .03
BLEND: Final = 0.4  # correlation of the finest detail of all the place; of such stripes .2
MARKED: Final = 12.0  # levels by which letters change some of the picture
BESIDE: Final = 12  # px beside a cover that coding may change


def far(cover: Cover, x: Array, y: Array) -> Doubles:
    """Px of points (of the frame) outside of a cover, negative inside; of an ellipse about that."""
    u, v = _own(cover, x, y)
    a, b = cover.w / 2, cover.h / 2
    outside = (np.hypot(u / a, v / b) - 1) * min(a, b) if cover.shape == "ellipse" else np.maximum(np.abs(u) - a, np.abs(v) - b)
    return np.asarray(outside, np.float64)


def _own(cover: Cover, x: Array, y: Array) -> tuple[Array, Array]:
    """Points of the frame along a cover's own axes, px from its middle."""
    c, s = np.cos(np.radians(cover.angle)), np.sin(np.radians(cover.angle))
    return (x - cover.x) * c + (y - cover.y) * s, (y - cover.y) * c - (x - cover.x) * s


def touched(covers: Sequence[Cover], shape: tuple[int, ...], block: float) -> Bools:
    """(h, w) blocks of a frame, `block` px each, that covers may change."""
    y, x = (np.mgrid[: shape[0], : shape[1]] + 0.5) * block - 0.5
    found: Bools = np.zeros(shape[:2], bool)
    for cover in covers:
        found |= far(cover, x, y) <= cover.more + BESIDE
    return found


class Covers:
    """`take` every scene, then `checks`."""

    def __init__(self, record: Record) -> None:
        self.record, self.spans, self.small = record, Spans(), 0

    def take(self, scene: Scene) -> None:
        """Look at every place of a frame that is covered; at nothing else where all of it is."""
        whole = [c for c in scene.covers if c.look == "frame"]
        for k, cover in enumerate(scene.covers if not whole else whole[:1]):
            if cover.look == "fade":
                continue
            found = _look(scene, cover, () if whole else scene.covers[k + 1 :])
            if found is None:
                self.small += 1
                continue
            what, score, limit = found
            box = None if cover.look == "frame" else _box(cover, scene.output.shape)
            self.spans.looked += 1
            self.record("cover", scene.number, (score, limit))
            self.spans.most(f"{what.rstrip('.')}? Share of the limit", score / limit)
            if score > 0.5 * limit:
                self.spans.near(score / limit, Look(scene.number, box, f"{what.rstrip('.')}? {score / limit:.2f} of the limit"))
            if score > limit:
                self.spans.add(Hit(what, scene.number, scene.number + 1, box, score, limit))

    def checks(self) -> list[Check]:
        """What was found; nothing where nothing had to be covered."""
        if self.small:
            self.spans.figures["places too small, or with too little to see, to tell"] = self.small
        return [] if not (self.spans.looked or self.small) else [
            self.spans.check(NAME, "Each region of the plan, each frame that has to be hidden and each place that was covered "
                             "after an earlier audit was looked at in every frame: of one colour, or at least not as it was "
                             "filmed.", "places")]


def _look(scene: Scene, cover: Cover, later: Sequence[Cover]) -> tuple[str, float, float] | None:
    """What a place is judged by, how much there is of it, and how much may be. later: what is drawn over it."""
    if cover.look == "frame":
        whole = np.asarray(scene.output, np.float32)
        spots = _spots(whole, np.ones(whole.shape, bool), np.zeros(whole.shape))
        return WHOLE, max(float(np.std(whole[::4, ::4])) / FLAT, spots / SPOT), 1.0
    box = _box(cover, scene.output.shape)
    if box is None:
        return None
    part = np.s_[int(box.y0) : int(box.y1), int(box.x0) : int(box.x1)]
    y, x = np.mgrid[part].astype(np.float64)
    inside: Bools = far(cover, x, y) <= (0 if cover.look == "mark" else -RIM)
    for other in later:
        inside &= far(other, x, y) > other.more + RIM
    if inside.sum() < LEAST:
        return None
    output = np.asarray(scene.output[part], np.float32)
    source = None if scene.source is None else np.asarray(scene.source[part], np.float32)
    if cover.look in ("solid", "veil"):
        return SEEN, _spots(output, inside, _own(cover, x, y)[1] if cover.look == "veil" else np.zeros(x.shape)), SPOT
    if source is None:
        return None
    if cover.look == "mark":
        return UNMARKED, MARKED / max(float(np.percentile(np.abs(output - source)[inside], 99)), 1e-3), 1.0
    left = _left(source, output, inside)
    return None if left is None else (FILMED, left, 1.0)


def _spots(picture: Floats, inside: Bools, down: Array) -> float:
    """The greatest difference of a place from the middle level of each of its rows, mean over 3 x 3 px."""
    row = np.round(down[inside] - down[inside].min()).astype(int)
    count = np.maximum(np.bincount(row), 1)
    if down.any():
        middle = (np.bincount(row, picture[inside]) / count)[row]
    else:
        middle = np.full(row.shape, np.median(picture[inside]))
    apart = np.zeros(picture.shape, np.float32)
    apart[inside] = np.abs(picture[inside] - middle)
    return float(cv2.blur(apart, (3, 3), borderType=cv2.BORDER_CONSTANT).max())


def _left(source: Floats, output: Floats, inside: Bools) -> float | None:
    """How much of a place is as it was filmed, as a share of what may be; None if the footage has no detail there."""
    spread = cv2.blur(source * source, WINDOW) - cv2.blur(source, WINDOW) ** 2
    tells = inside & (spread > DETAIL)
    if tells.sum() < LEAST:
        return None
    alike = cv2.blur((source - output) ** 2, WINDOW) < ALIKE * spread
    a, b = ((p - cv2.GaussianBlur(p, (0, 0), 1.5))[tells] for p in (source, output))
    blend = float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum() + 1e-6))
    return max(float(np.mean(alike[tells])) / SHARE, blend / BLEND)


def _box(cover: Cover, shape: tuple[int, ...]) -> Box | None:
    """The pixels of the picture around a cover."""
    c, s = (abs(f(np.radians(cover.angle))) for f in (np.cos, np.sin))
    w, h = (cover.w * c + cover.h * s) / 2, (cover.w * s + cover.h * c) / 2
    x0, y0 = max(0, int(np.floor(cover.x - w))), max(0, int(np.floor(cover.y - h)))
    x1, y1 = min(shape[1], int(np.ceil(cover.x + w)) + 1), min(shape[0], int(np.ceil(cover.y + h)) + 1)
    return Box(x0, y0, x1, y1) if x1 > x0 and y1 > y0 else None
