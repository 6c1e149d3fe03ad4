"""Things besides faces: a logo, a tattoo, a screen, a sign. Covered where hand key frames say, and followed between them.

No pixel of a region takes part in what is drawn there. Where it is, is followed on grey copies of the picture, the region itself
included: what passes is a place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from types import MappingProxyType
from typing import Self

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter1d, maximum_filter1d

from facedouble.colour import levels, mean_rgb, put_rgb
from facedouble.protect.veil import BOTTOM, EDGE, FOLD, FOLDS, SOLID, TOP
from facedouble.raster import blur, enlarge
from facedouble.types import Array, Bytes, Frame, Rows, Value

CLEAR = 5  # px: an inpainted region does not look at its surroundings nearer than this
CELLS, RADIUS = 48, 4.0  # across an inpainted region; cells around a missing one that it is made of
OUTSIDE = 0.6  # of the region's size around it, which fills it
TOO_GRAINY = 12.0  # levels of 255: that is texture, not grain
CORNERS, APART = 120, 4  # points that are followed, and px between them
NEAR, WIDE = 0.15, 0.6  # of the region's size around it: where points are looked for, first and then
LEAST_POINTS, LEAST_AGREE = 6, 0.6  # points, share of them that move as one
RETURN, TOGETHER = 0.8, 1.5  # px: how near a point comes back to where it was, and how far it may leave the common motion
MOST_SCALE, MOST_TURN = 1.12, 12.0  # of a frame; degrees
GROWTH = 0.03  # of its size, by which a region grows in each frame where nothing could be followed
CALM = 1.5  # frames
FOLLOW_SIDE = 8  # px: least side of what is looked for


@dataclass(frozen=True, slots=True)
class Place(Value):
    """Where a region is in a frame: its middle and its size, px, turned clockwise by `angle` degrees."""

    x: float
    y: float
    w: float
    h: float
    angle: float = 0.0

    def check(self) -> None:
        if not (self.w > 0 and self.h > 0):
            raise ValueError(f"empty region {self}")

    @classmethod
    def of(cls, row: Array) -> Self:
        """The place of (5,) x y w h angle."""
        return cls(*row.tolist())

    def row(self) -> Array:
        """(5,) x y w h angle."""
        return np.array([self.x, self.y, self.w, self.h, self.angle])

    def inwards(self, x: Array, y: Array) -> tuple[Array, Array]:
        """Points of the frame along the region's own axes, px from its middle."""
        c, s = np.cos(np.radians(self.angle)), np.sin(np.radians(self.angle))
        dx, dy = x - self.x, y - self.y
        return dx * c + dy * s, dy * c - dx * s

    def outwards(self, u: Array, v: Array) -> tuple[Array, Array]:
        """The way back."""
        c, s = np.cos(np.radians(self.angle)), np.sin(np.radians(self.angle))
        return self.x + u * c - v * s, self.y + u * s + v * c

    def grown(self, px: float) -> Place:
        """The place with `px` more on each side."""
        return Place(self.x, self.y, self.w + 2 * px, self.h + 2 * px, self.angle)

    def crop(self, width: int, height: int, more: float = 0.0) -> tuple[int, int, int, int] | None:
        """Pixels of the frame that it and `more` px around may touch, x0 and y0 even; None if there are none."""
        u, v = np.array([-1, 1, 1, -1]) * (self.w / 2 + more), np.array([-1, -1, 1, 1]) * (self.h / 2 + more)
        x, y = self.outwards(u, v)
        x0, y0 = max(0, int(np.floor(x.min())) - 2) // 2 * 2, max(0, int(np.floor(y.min())) - 2) // 2 * 2
        x1, y1 = min(width, int(np.ceil(x.max())) + 3), min(height, int(np.ceil(y.max())) + 3)
        return (x0, y0, x1, y1) if x1 > x0 and y1 > y0 else None


@dataclass(frozen=True)
class Key(Value):
    """Where somebody put a region in a frame."""

    frame: int
    place: Place


@dataclass(frozen=True)
class Region(Value):
    """A region in one frame: "box" or "ellipse", covered as a name in `COVERS` says."""

    place: Place
    shape: str = "box"
    cover: str = "solid"


def _far(region: Region, crop: tuple[int, int, int, int]) -> tuple[Array, Array]:
    """(h, w) px outside of the region, negative inside (of an ellipse about that), and the share of its height from the top."""
    x0, y0, x1, y1 = crop
    y, x = np.mgrid[y0:y1, x0:x1].astype(np.float32)
    u, v = region.place.inwards(x, y)
    a, b = region.place.w / 2, region.place.h / 2
    if region.shape == "ellipse":
        far = (np.hypot(u / a, v / b) - 1) * min(a, b)
    else:
        far = np.maximum(np.abs(u) - a, np.abs(v) - b)
    return far, np.clip(v / (2 * b) + 0.5, 0, 1)


def mask_of(region: Region, width: int, height: int) -> Array:
    """(h, w) bool: the pixels whose middle is in the region."""
    out = np.zeros((height, width), bool)
    crop = region.place.crop(width, height)
    if crop is not None:
        x0, y0, x1, y1 = crop
        out[y0:y1, x0:x1] = _far(region, crop)[0] <= 0
    return out


def _solid(frame: Frame, planes: tuple[Array, ...], region: Region) -> None:
    crop = region.place.crop(frame.width, frame.height)
    if crop is not None:
        alpha = (_far(region, crop)[0] <= 0.5).astype(np.float32)
        put_rgb(frame, planes, np.full((*alpha.shape, 3), SOLID, np.float32), alpha, crop[0], crop[1])


def _veil(frame: Frame, planes: tuple[Array, ...], region: Region) -> None:
    soft = max(EDGE * min(region.place.w, region.place.h) / 2, 1.0)
    crop = region.place.crop(frame.width, frame.height, soft)
    if crop is not None:
        far, down = _far(region, crop)
        t = np.clip(1 - np.maximum(far, 0) / soft, 0, 1)
        folds = 1 + round(FOLDS * region.place.h / max(region.place.w, region.place.h))
        cloth = TOP * (1 - down[..., None]) + BOTTOM * down[..., None] + FOLD * np.sin(2 * np.pi * folds * down)[..., None]
        put_rgb(frame, planes, cloth.astype(np.float32), (t * t * (3 - 2 * t)).astype(np.float32), crop[0], crop[1])


def _grain(luma: Array, near: Array) -> float:
    """Sigma of the noise of a plane outside of `near` (h, w); as `raster.grain_sigma`, 0 where too little is left."""
    h, w = luma.shape[0] // 2 * 2, luma.shape[1] // 2 * 2
    g, skip = luma[:h, :w].astype(np.float32), near[:h, :w]
    d = (g[0::2, 0::2] - g[1::2, 0::2] - g[0::2, 1::2] + g[1::2, 1::2]) / 2
    free = ~(skip[0::2, 0::2] | skip[1::2, 0::2] | skip[0::2, 1::2] | skip[1::2, 1::2]).astype(bool)
    return float(np.median(np.abs(d[free])) / 0.6745) if free.sum() > 64 else 0.0


def _inpaint(frame: Frame, planes: tuple[Array, ...], region: Region) -> None:
    """Fill from around it, with the grain that is around it; edges go on inwards.

    Bertalmio, Bertozzi, Sapiro: Navier-Stokes, Fluid Dynamics, and Image and Video Inpainting, CVPR 2001, on cells of a few px.
    """
    size = max(region.place.w, region.place.h)
    crop = region.place.crop(frame.width, frame.height, OUTSIDE * size + 2 * CLEAR)
    if crop is None:
        return
    x0, y0, x1, y1 = crop
    far = _far(region, crop)[0]
    step = 2 * max(1, round(size / (2 * CELLS)))
    reach = max(CLEAR, step)
    near = cv2.dilate((far <= 0.5).astype(np.uint8), np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
    mean, weight = mean_rgb(frame, planes, x0, y0, near, step)
    hole = (weight <= 0.9).astype(np.uint8)
    if hole.all():  # nothing of the surroundings is in the picture
        _solid(frame, planes, region)
        return
    luma = planes[0][y0:y1, x0:x1]
    grain = min(_grain(luma, near), TOO_GRAINY * (1 << (frame.depth - 8)))
    mean[hole > 0] = 0
    fill = np.stack([cv2.inpaint(np.ascontiguousarray(mean[..., c]), hole, RADIUS, cv2.INPAINT_NS) for c in range(3)], -1)
    h, w = luma.shape
    large = enlarge(blur(fill, 0.7), (fill.shape[1] * step, fill.shape[0] * step))[:h, :w]
    alpha = np.clip(1 - (far - 0.5) / (reach - 1), 0, 1).astype(np.float32)  # ends where the fill has seen its surroundings
    black, white, _, _ = levels(frame)
    noise = np.random.default_rng([frame.index, x0, y0]).standard_normal((h, w), np.float32) * np.float32(grain / (white - black))
    put_rgb(frame, planes, large + noise[..., None], alpha, x0, y0)


COVERS: Mapping[str, Callable[[Frame, tuple[Array, ...], Region], None]] = MappingProxyType(
    {"solid": _solid, "veil": _veil, "inpaint": _inpaint})


def put_region(frame: Frame, planes: tuple[Array, ...], region: Region) -> None:
    """Cover a region in writable planes of the frame; solidly where nobody knows how."""
    COVERS.get(region.cover, _solid)(frame, planes, region)


def interpolate(keys: Sequence[Key], start: int, stop: int) -> Rows[Place]:
    """One place for each frame from start to stop (half-open): on straight lines between keys, beside them as at the nearest."""
    at = [k.frame for k in keys]
    rows = np.array([k.place.row() for k in keys])
    frames = np.arange(start, stop)
    return Rows(np.stack([np.interp(frames, at, rows[:, c]) for c in range(5)], 1), Place.of)


def _points(grey: Bytes, place: Place, more: float) -> Array:
    """(n, 2) corners in the region and around it by that share of its size."""
    wide = place.grown(max(more * min(place.w, place.h), FOLLOW_SIDE))
    mask = mask_of(Region(wide), grey.shape[1], grey.shape[0]).astype(np.uint8)
    found = cv2.goodFeaturesToTrack(grey, CORNERS, 0.01, APART, mask=mask)
    return np.zeros((0, 2), np.float32) if found is None else np.asarray(found, np.float32).reshape(-1, 2)


def _motion(before: Bytes, after: Bytes, place: Place, more: float) -> Array | None:
    """(2, 3) how the points near a region move, if enough of them move as one and come back when followed backwards."""
    points = _points(before, place, more)
    if len(points) < LEAST_POINTS:
        return None
    there, ok, _ = cv2.calcOpticalFlowPyrLK(before, after, points[:, None], None, winSize=(15, 15), maxLevel=3)
    back, ok_back, _ = cv2.calcOpticalFlowPyrLK(after, before, there, None, winSize=(15, 15), maxLevel=3)
    kept = (ok[:, 0] > 0) & (ok_back[:, 0] > 0) & (np.linalg.norm(back[:, 0] - points, axis=1) < RETURN)
    if kept.sum() < max(LEAST_POINTS, LEAST_AGREE * len(points)):
        return None
    cv2.setRNGSeed(0)
    move, agree = cv2.estimateAffinePartial2D(points[kept], there[kept, 0], ransacReprojThreshold=TOGETHER)
    if move is None or agree.sum() < max(LEAST_POINTS, LEAST_AGREE * kept.sum()):
        return None
    scale, turn = np.hypot(move[0, 0], move[1, 0]), np.degrees(np.arctan2(move[1, 0], move[0, 0]))
    sane = 1 / MOST_SCALE < scale < MOST_SCALE and abs(turn) < MOST_TURN
    return np.asarray(move) if sane else None


def _step(before: Bytes, after: Bytes, place: Place) -> tuple[Place, bool]:
    """Where a region goes from one picture to the next, and whether that is sure; grown where it is not."""
    for more in (NEAR, WIDE):
        move = _motion(before, after, place, more)
        if move is not None:
            scale, turn = float(np.hypot(move[0, 0], move[1, 0])), float(np.degrees(np.arctan2(move[1, 0], move[0, 0])))
            x, y = (move @ [place.x, place.y, 1.0]).tolist()
            return Place(x, y, place.w * scale, place.h * scale, place.angle + turn), True
    return place.grown(GROWTH * max(place.w, place.h)), False


def _run(pictures: Sequence[Bytes], start: Place) -> tuple[list[Place], list[bool]]:
    """A region followed through pictures, and up to where that is sure."""
    places, sure = [start], [True]
    for before, after in pairwise(pictures):
        place, known = _step(before, after, places[-1])
        places.append(place)
        sure.append(known and sure[-1])
    return places, sure


def around(places: Sequence[Place], shares: Sequence[float]) -> Place:
    """A place that contains all of them, as boxes and as ellipses, turned as their weighted mean is."""
    rows = np.array([p.row() for p in places])
    mean = Place.of(np.average(rows, 0, shares))
    turn = np.linspace(0, 2 * np.pi, 32, endpoint=False)
    square = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]).T
    u, v = np.concatenate([mean.inwards(*p.outwards(square[0] * p.w / 2, square[1] * p.h / 2)) for p in places], 1)
    middle = mean.outwards((u.min() + u.max()) / 2, (v.min() + v.max()) / 2)
    box = Place(float(middle[0]), float(middle[1]), float(np.ptp(u)), float(np.ptp(v)), mean.angle)
    u, v = np.concatenate([box.inwards(*p.outwards(np.cos(turn) * p.w / 2, np.sin(turn) * p.h / 2)) for p in places], 1)
    more = max(1.0, float(np.hypot(2 * u / box.w, 2 * v / box.h).max()))
    return replace(box, w=box.w * more, h=box.h * more)


def follow(pictures: Sequence[Bytes], keys: Sequence[Key], start: int) -> Rows[Place]:
    """One place for each picture, followed from key to key by points, forwards from the one and backwards from the other.

    Parameters
    ----------
    pictures : grey (h, w) uint8, one for each frame from `start` on; before the first key it is followed backwards only, after
        the last one forwards only
    keys : rising in frame, within those of the pictures, in px of the pictures

    The place contains both predictions, so it is as large as they disagree; and the straight line between the keys as well where
    points were lost on both ways.
    """
    made = _run(pictures[: keys[0].frame - start + 1][::-1], keys[0].place)[0][:0:-1]
    for here, there in pairwise(keys):
        part = pictures[here.frame - start : there.frame - start + 1]
        ahead, sure_ahead = _run(part, here.place)
        back, sure_back = _run(part[::-1], there.place)
        line = interpolate([here, there], here.frame, there.frame)
        for k in range(len(part) - 1):
            share = k / (len(part) - 1)
            held, weights = [ahead[k], back[-1 - k]], [1 - share + 1e-6, share + 1e-6]
            if not (sure_ahead[k] or sure_back[-1 - k]):
                held, weights = [*held, line[k]], [*weights, 1.0]
            made.append(around(held, weights))
    made += _run(pictures[keys[-1].frame - start :], keys[-1].place)[0]
    return Rows(_calm(np.array([p.row() for p in made])), Place.of)


def _calm(rows: Array) -> Array:
    """Places (n, 5) that move smoothly; what that takes away from a place is given back in size."""
    if len(rows) < 4:
        return rows
    calm = gaussian_filter1d(rows, CALM, axis=0, mode="nearest")
    size = gaussian_filter1d(maximum_filter1d(rows[:, 2:4], 5, axis=0, mode="nearest"), CALM, axis=0, mode="nearest")
    away = np.hypot(*(calm - rows)[:, :2].T) + np.radians(np.abs(calm - rows)[:, 4]) * np.hypot(*rows[:, 2:4].T) / 2
    return np.concatenate([calm[:, :2], np.maximum(size, rows[:, 2:4]) + 2 * away[:, None], calm[:, 4:]], 1)
