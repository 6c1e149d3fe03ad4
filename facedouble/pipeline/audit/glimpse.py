"""One look at one face of a frame: a crop around it, a detector's five points, a recogniser's embedding."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import cv2
import numpy as np

from facedouble.colour import reduced
from facedouble.geometry import overlap
from facedouble.pipeline.sight import Window, look, windows
from facedouble.types import Array, Box, Bytes, Floats, Frame

SIDE = 256  # px of the crop that detector and recogniser see: a face of 128, more than a recogniser's own 112
LEAST = 0.2  # overlap of what the detector finds with the face that is meant
LONG, WIDE, EDGE = 0.85, 0.72, 0.08  # half axes and soft edge of `alone`, of the way from the eyes to the mouth
GREY, CONTRAST = 128, 40  # levels of `alone`: around the face, and the standard deviation in it


class Pointed(Protocol):
    """A face that a detector found: its box, and five points (5, 2) px: eyes, nose, corners of the mouth, each from the left."""

    @property
    def box(self) -> Box: ...
    @property
    def points(self) -> Floats: ...


Find = Callable[[Bytes], Sequence[Pointed]]
"""RGB picture (h, w, 3) uint8 -> the faces in it."""

Embed = Callable[[Bytes, Floats], Floats]
"""RGB picture (h, w, 3) uint8, five points (5, 2) px of it -> embedding (D,)."""

Seers = Callable[[], tuple[Find, Embed]]
"""Opens both; to be pickled, because the parrot draws and looks in a process of its own."""


def crop(frame: Frame, w: Window, side: int = SIDE) -> Bytes:
    """(side, side, 3) of a window, or less where the window is smaller; black where it leaves the frame."""
    if w.side > side:
        return reduced(frame, w.x0, w.y0, w.side, side)
    return np.asarray(np.clip(look(frame, w) * 255 + 0.5, 0, 255), np.uint8)


def alone(picture: Bytes, points: Array) -> Bytes:
    """The drawn part of a face and nothing beside it: an ellipse from the brows to the chin, its tone levelled, on grey.

    picture (h, w, 3); points (5, 2) px of it.
    """
    top, bottom = points[:2].mean(0), points[3:].mean(0)
    down = bottom - top
    length = float(np.hypot(*down))
    turn = float(np.degrees(np.arctan2(down[1], down[0])))
    mask = np.zeros(picture.shape[:2], np.uint8)
    middle = tuple(int(v) for v in np.round((top + bottom) / 2))
    cv2.ellipse(mask, middle, (max(1, round(LONG * length)), max(1, round(WIDE * length))), turn, 0, 360, 1, -1)
    inner = mask > 0
    if not inner.any():
        return np.full_like(picture, GREY)
    tones = picture[inner].astype(np.float32)
    level = (picture - tones.mean(0)) / (tones.std() + 1) * CONTRAST
    share = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), max(EDGE * length, 0.5))[..., None]
    return np.asarray(np.clip(GREY + level * share, 0, 255), np.uint8)


def glimpse(frame: Frame, box: Box, find: Find, embed: Embed) -> Floats | None:
    """Embeddings (2, D) of the face in the box, px of the frame: as it is, and `alone`; None if no face is seen there."""
    w = windows([box])[0]
    seen = crop(frame, w)
    scale = seen.shape[0] / w.side
    meant = Box(*((v - o) * scale for v, o in zip((box.x0, box.y0, box.x1, box.y1), (w.x0, w.y0, w.x0, w.y0), strict=True)))
    best = max(find(seen), key=lambda face: overlap(face.box, meant), default=None)
    if best is None or overlap(best.box, meant) < LEAST:
        return None
    points = np.asarray(best.points, np.float32)
    both = np.stack([embed(seen, points), embed(alone(seen, points), points)]).astype(np.float32)
    return both if np.isfinite(both).all() and both.any(1).all() else None
