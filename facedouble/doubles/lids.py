"""Closed lids for a double that was never seen with its eyes closed: what is stretched over its eyes then is skin, not lashes."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

from facedouble.doubles.makeup import LASH, curve, line_along, mirrored, pixels, smooth_step
from facedouble.morphable import layout
from facedouble.morphable.topology import ATLAS_HEIGHT, ATLAS_WIDTH, topology
from facedouble.raster import blur, push_pull
from facedouble.types import Array, Floats

MEET = 0.18  # of the opening above the lower lid: where the lids meet
LID_HEIGHT = 30.0  # px of the atlas above the edge of the upper lid that lashes, liner and crease take up
BESIDE = (20.0, 5.0)  # px beyond the outer and the inner corner
LOW = 7.0  # px under the outer corner that a wing of lashes takes up
BROW_ROOM, LINER = 3, 11  # px around a brow that stay; around an eye that are no plain skin
CHEEK = 58  # px below the lid: where the fine structure of its skin is taken from
FINE, MOST = 5.0, 0.06  # px; relative albedo
LASH_SHARE, CREASE = 0.9, 0.10


def closed(shape: Array) -> Array:
    """(478, 3) the same face with its lids closed."""
    out = shape.copy()
    for upper, lower in ((layout.RIGHT_UPPER_LID, layout.RIGHT_LOWER_LID), (layout.LEFT_UPPER_LID, layout.LEFT_LOWER_LID)):
        meet = shape[lower[1:-1]] + MEET * (shape[upper[1:-1]] - shape[lower[1:-1]])
        out[upper[1:-1]] = out[lower[1:-1]] = meet
    return out


@cache
def _place() -> tuple[Array, Array, Array]:
    """(h, w) each: share of what is painted over; where no skin can be looked at; ink of the lash line."""
    t, (x, y) = topology(), pixels()
    upper = curve(layout.RIGHT_UPPER_LID)
    a, b = float(t.atlas[33, 0]), float(t.atlas[133, 0])
    edge = upper(x[0])[None]
    across = smooth_step(a - BESIDE[0] - 4, a - BESIDE[0] + 4, x) * smooth_step(b + BESIDE[1] + 4, b + BESIDE[1] - 4, x)
    low = y - edge - LOW * smooth_step(a + 6, a - 4, x)  # beside the eye also below its corner
    lid = across * smooth_step(-LID_HEIGHT - 5, -LID_HEIGHT + 3, y - edge) * smooth_step(3, 0, low)
    lid = np.maximum(lid, mirrored(lid))
    brows = np.zeros((ATLAS_HEIGHT, ATLAS_WIDTH), np.uint8)
    for ids in (layout.RIGHT_BROW, layout.LEFT_BROW):
        cv2.fillConvexPoly(brows, cv2.convexHull(np.round(t.atlas[ids]).astype(np.int32)), 1)
    brows = cv2.dilate(brows, np.ones((2 * BROW_ROOM + 1, 2 * BROW_ROOM + 1), np.uint8))
    eyes = np.zeros_like(brows)
    for ids in (layout.RIGHT_UPPER_LID + layout.RIGHT_LOWER_LID[::-1], layout.LEFT_UPPER_LID + layout.LEFT_LOWER_LID[::-1]):
        cv2.fillPoly(eyes, [np.round(t.atlas[ids]).astype(np.int32)], 1)
    eyes = cv2.dilate(eyes, np.ones((2 * LINER + 1, 2 * LINER + 1), np.uint8))
    lid = lid * (1 - blur(brows.astype(np.float32), 1.5))
    unseen = (lid > 0.02) | (brows > 0) | (eyes > 0)
    lash = line_along(upper, (a - 6.0, b + 1.0), 2.3, -1.4, 0.10)
    crease = line_along(upper, (a - 4, b + 6), 4.0, -12.0, 0.3)
    return lid, unseen, np.stack([lash + mirrored(lash), crease + mirrored(crease)], -1)


def shut(texture: Floats) -> Floats:
    """The atlas (h, w, 3), relative albedo with open eyes, with lids that can be drawn closed: skin and one line of lashes."""
    lid, unseen, lines = _place()
    skin = push_pull(texture, (~unseen).astype(np.float32))
    skin = blur(skin, 3)
    detail = np.roll(texture - blur(texture, FINE), -CHEEK, 0)
    skin = skin + np.clip(detail, -MOST, MOST)
    skin = skin * (1 - CREASE * lines[..., 1:])
    painted = texture + (skin - texture) * lid[..., None].astype(np.float32)
    ink = (LASH_SHARE * lines[..., :1]).astype(np.float32)
    out: Floats = (painted + (LASH - painted) * ink).astype(np.float32)
    return out
