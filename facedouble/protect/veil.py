"""The veil: an opaque cover of the whole head, its colours constants, its edge calm. The fallback of everything.

It shades from light to dark and has soft folds for a recogniser's sake: SFace finds a flat grey patch up to .37 like a tilted
face that it was given askew (.363 accepts), and one with folds .25 at most (shared clips).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.ndimage import gaussian_filter1d, maximum_filter1d

from facedouble.geometry import corners
from facedouble.types import Array, Box, Floats, Rows, Value

TOP, BOTTOM = np.array([0.55, 0.538, 0.526]), np.array([0.25, 0.246, 0.243])  # display RGB, a warm grey
SOLID = 0.22  # display RGB
FOLDS, FOLD, SAG = 8.5, 0.024, 0.06  # folds from top to bottom; display units; of the height, from the middle to the sides
HEAD_WIDTH, HEAD_UP, HEAD_DOWN = 0.95, 1.15, 0.85  # half axes over the face box: hair and chin are inside
EDGE = 0.16  # of the half axes, outside of the opaque part
LONG, LONG_WIDTH, LONG_FOOT = 1.8, 1.06, 1.35  # of a long veil over the cover: depth; half widths in the middle, at the foot
SQUARE = 4.0  # exponent of the long veil's outline below: 2 is an ellipse
CALM = 4.0  # frames


@dataclass(frozen=True, slots=True)
class Ellipse(Value):
    """A head's cover: centre and half axes of its opaque part, px."""

    x: float
    y: float
    rx: float
    ry: float

    @classmethod
    def of(cls, row: Array) -> Self:
        """The ellipse of (4,) x y rx ry."""
        return cls(*row.tolist())

    def box(self, width: int, height: int, long: bool = False) -> tuple[int, int, int, int] | None:
        """Pixels it may touch, soft edge included, within the frame; None if there are none. long: with the veil's long part."""
        wide, deep = (LONG_FOOT, LONG) if long else (1.0, 1.0)
        a, b = self.rx * (1 + EDGE), self.ry * (1 + EDGE)
        x0, y0 = max(0, int(self.x - a * wide) - 1), max(0, int(self.y - b) - 1)
        x1, y1 = min(width, int(self.x + a * wide) + 2), min(height, int(self.y + b * deep) + 2)
        return (x0, y0, x1, y1) if x1 > x0 and y1 > y0 else None


def head_covers(boxes: Sequence[Box]) -> Rows[Ellipse]:
    """One cover per frame of a track: moves smoothly, and contains the head of every face box of its own frame."""
    x0, y0, x1, y1 = corners(boxes).T
    width, height = x1 - x0, y1 - y0
    w, h = np.maximum(width, 0.72 * height), np.maximum(height, width)
    p = np.stack([(x0 + x1) / 2, (y0 + y1) / 2 + (HEAD_DOWN - HEAD_UP) / 2 * h, HEAD_WIDTH * w,
                  (HEAD_UP + HEAD_DOWN) / 2 * h], 1)
    if len(p) > 3:
        calm = gaussian_filter1d(p, CALM, axis=0, mode="nearest")
        axes = gaussian_filter1d(maximum_filter1d(p[:, 2:], 9, axis=0, mode="nearest"), CALM, axis=0, mode="nearest")
        # what the smoothing takes away from the place is given back in size
        away = np.abs(calm[:, :2] - p[:, :2])
        p = np.concatenate([calm[:, :2], np.maximum(axes, p[:, 2:]) + away], 1)
    return Rows(p, Ellipse.of)


def solid_patch(cover: Ellipse, shape: str, width: int, height: int) -> tuple[tuple[int, int], Floats, Floats] | None:
    """Origin, constant image (h, w, 3) and alpha (h, w) of a head's solid "ellipse" or "box"; None if outside of the frame."""
    box = cover.box(width, height)
    if box is None:
        return None
    x0, y0, x1, y1 = box
    y, x = np.mgrid[y0:y1, x0:x1].astype(np.float32)
    dx, dy = (x - cover.x) / cover.rx, (y - cover.y) / cover.ry
    far = np.hypot(dx, dy) if shape == "ellipse" else np.maximum(np.abs(dx), np.abs(dy))
    alpha: Array = np.clip(1.5 - (far - 1) * min(cover.rx, cover.ry), 0, 1)  # opaque a px beyond the head, then one px of edge
    return (x0, y0), np.full((*alpha.shape, 3), SOLID, np.float32), alpha.astype(np.float32)


def _far(cover: Ellipse, x: Array, y: Array) -> Array:
    """How far pixels are from a long veil's middle, 1 on its opaque edge; it holds the head's ellipse."""
    dx, dy = np.abs(x - cover.x) / cover.rx, (y - cover.y) / cover.ry
    down = np.clip(dy / LONG, 0, None)
    wide = LONG_WIDTH + (LONG_FOOT - LONG_WIDTH) * np.clip(down, 0, 1)
    below = ((dx / wide) ** SQUARE + down**SQUARE) ** (1 / SQUARE)
    made: Array = np.where(dy > 0, below, np.hypot(dx / LONG_WIDTH, dy))
    return made


def veil_patch(cover: Ellipse, width: int, height: int, long: bool = False) -> tuple[tuple[int, int], Floats, Floats] | None:
    """Origin, image (h, w, 3) and alpha (h, w) of a cover; None if it lies outside of the frame.

    long: it falls to the shoulders, over long hair.
    """
    box = cover.box(width, height, long)
    if box is None:
        return None
    x0, y0, x1, y1 = box
    y, x = np.mgrid[y0:y1, x0:x1].astype(np.float32)
    far = _far(cover, x, y) if long else np.hypot((x - cover.x) / cover.rx, (y - cover.y) / cover.ry)
    alpha: Array = np.clip(1 + (1 - far) / EDGE, 0, 1)
    alpha = alpha * alpha * (3 - 2 * alpha)
    down = ((y - (cover.y - cover.ry)) / (2 * cover.ry))[..., None]
    t = np.clip(down * (2 / (1 + LONG) if long else 1), 0, 1)
    hang = np.clip(down, 0, None if long else 1) + SAG * ((x - cover.x) / cover.rx)[..., None] ** 2
    image = TOP * (1 - t) + BOTTOM * t + FOLD * np.sin(2 * np.pi * FOLDS * hang)
    return (x0, y0), image.astype(np.float32), alpha.astype(np.float32)
