"""Take hair, background and smeared skin off the rim of a de-lit atlas, so that no strand of the volunteer's is worn as paint."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

from facedouble.morphable import layout
from facedouble.morphable.topology import ATLAS_HEIGHT, ATLAS_WIDTH, topology
from facedouble.raster import blur, mean3, push_pull, render, wide_blur
from facedouble.types import MESH_POINTS, Array, Floats

DARK, BRIGHT = -0.45, 0.4  # log albedo against the skin beside it that is no skin
SOFT_DARK = -0.18  # that belongs to hair if it is next to it: the shade and the loose strands
SKIN_SIGMA = 60  # px of the atlas: skin changes its tone more slowly than this
REACH = 0.93  # of the rim's band: what comes in from outside touches here
GROW = 9  # px around what is taken off
BELOW = 0.75  # of the face's height: under this a beard begins, and only the very rim is looked at
BROW_ENDS = (46, 70, 276, 300)  # where hair meets a brow
BROW_ROOM, EYE_ROOM = 3, 17  # px around brows and eyes that stay: lashes and liner


@cache
def _bands() -> tuple[Array, Array]:
    """(h, w) rim: 1 at the outline, 0 at ring 5, and (h, w) bool: features that are dark by nature."""
    t = topology()
    mesh = np.concatenate([t.atlas, np.zeros((MESH_POINTS, 1))], 1)
    above = np.interp(t.ring, [0, 1, 2, 3, 4, 5], [1, 0.9, 0.6, 0.45, 0.3, 0])
    band = np.where(t.uv[:, 1] < BELOW, above, np.where(t.ring <= 1, above, 0))[:, None]
    rim = render(mesh, t.triangles, band, ATLAS_HEIGHT, ATLAS_WIDTH)[1][..., 0]
    kept = np.zeros((ATLAS_HEIGHT, ATLAS_WIDTH), np.uint8)
    brows = [[v for v in brow if v not in BROW_ENDS] for brow in (layout.RIGHT_BROW, layout.LEFT_BROW)]
    for ids, room in ((brows[0], BROW_ROOM), (brows[1], BROW_ROOM),
                      (layout.RIGHT_UPPER_LID + layout.RIGHT_LOWER_LID, EYE_ROOM),
                      (layout.LEFT_UPPER_LID + layout.LEFT_LOWER_LID, EYE_ROOM)):
        part = np.zeros_like(kept)
        cv2.fillConvexPoly(part, cv2.convexHull(np.round(t.atlas[ids]).astype(np.int32)), 1)
        kept |= cv2.dilate(part, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * room + 1, 2 * room + 1)))
    return rim, kept > 0


def border_dirt(albedo: Floats, inside: Array, steep: Array) -> Array:
    """(h, w) bool: where the rim of an atlas (h, w, 3) shows hair, background or skin seen too flat.

    inside, steep (h, w) bool: the mesh, and what was seen at too flat an angle.
    """
    rim, kept = _bands()
    grey = np.log(np.maximum(blur(mean3(albedo), 2), 1e-3))
    plain = (inside & ~kept & ~steep & (grey > DARK) & (grey < BRIGHT)).astype(np.float32)
    tone = wide_blur(grey * plain, SKIN_SIGMA) / np.maximum(wide_blur(plain, SKIN_SIGMA), 1e-3)
    apart = grey - np.minimum(tone, 0.2)
    bad = ((apart < DARK) | (apart > BRIGHT)) & (rim > 0.02) & ~kept
    _, labels = cv2.connectedComponents(bad.astype(np.uint8))
    touching = np.unique(labels[(rim > REACH) & bad])
    bad = np.isin(labels, touching[touching > 0])
    soft = ((apart < SOFT_DARK) & (rim > 0.02) & ~kept) | bad
    for _ in range(3):  # hair fades out over some pixels: follow it while it is darker than skin
        bad = (cv2.dilate(bad.astype(np.uint8), np.ones((9, 9))) > 0) & soft
    bad |= steep & (rim > 0.2)
    grown: Array = (cv2.dilate(bad.astype(np.uint8), np.ones((GROW, GROW))) > 0) & inside
    return grown


def clean_border(albedo: Floats, inside: Array, steep: Array) -> Floats:
    """The atlas with mirrored detail over a smooth fill where its rim is no skin. Arguments as of `border_dirt`."""
    kept = _bands()[1]
    bad = border_dirt(albedo, inside, steep)
    if not bad.any():
        return albedo
    fill = push_pull(albedo, (inside & ~bad & ~kept).astype(np.float32))
    mirrored = albedo[:, ::-1]
    detail = np.where(bad[:, ::-1, None] | kept[..., None], 0, mirrored - wide_blur(mirrored, 12))
    weight = (blur(bad.astype(np.float32), 3) * ~_core(kept))[..., None]
    out: Floats = albedo * (1 - weight) + (fill + np.clip(detail, -0.15, 0.15)) * weight
    return out


def _core(kept: Array) -> Array:
    """Kept features without their room: hair that crosses a brow's end is taken off up to the brow itself."""
    core: Array = cv2.erode(kept.astype(np.uint8), np.ones((2 * BROW_ROOM + 1, 2 * BROW_ROOM + 1))) > 0
    return core
