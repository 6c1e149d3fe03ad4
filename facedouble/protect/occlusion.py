"""The mattes. Hair: dark strands before the upper and side rim of the face stay in front. Things: so does what passes before it.

The documented exceptions to the bottleneck: only where they are asked for (`--hair`, `--in-front`), and never with `--strict`.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from scipy.ndimage import maximum_filter

from facedouble.morphable import layout
from facedouble.morphable.cells import COLUMNS, ROWS, InFront, cells, hues, unlike
from facedouble.morphable.light import irradiance
from facedouble.morphable.topology import topology, vertex_normals
from facedouble.raster import blur, linear, render
from facedouble.types import Array, Floats

DARKER, SOFT = 0.75, 0.5  # log units under the skin that the light predicts
WORK_FACE = 180.0  # px
BROW_CLEAR = 0.06  # canonical units
CERTAIN, SURE = 0.9, 1.2  # of `unlike`: from where on a pixel may stay, and from where on wholly
ORIGIN, BIN, BINS = np.array([-5.4, -2.8, -2.8], np.float32), np.array([0.27, 0.2, 0.2], np.float32), 28  # of hues
RARE = 0.01  # of the pixels that are surely the thing: rarer hues of it are painted over
BEYOND = 0.12  # face sizes outside of the mesh over which a thing goes on in front of the double


@cache
def _band() -> Array:
    """(468,) where hair may hang: the outer rings of forehead and sides, and the very top."""
    t = topology()
    v = t.uv[:, 1]
    band = np.where(t.ring <= 2, 1.0, np.where(t.ring == 3, 0.6, 0.0)) * np.clip((0.62 - v) / 0.12, 0, 1)
    band = np.maximum(band, np.clip((0.17 - v) / 0.05, 0, 1))
    brows = t.mean[layout.RIGHT_BROW + layout.LEFT_BROW]
    far = np.sqrt(((t.mean[:468, None] - brows[None]) ** 2).sum(-1)).min(1)
    clear = np.where(t.ring <= 1, 1.0, np.clip((far - BROW_CLEAR) / BROW_CLEAR, 0, 1))
    return np.asarray(band * clear)  # a brow that reaches the hair is no hair


def _grey(image: Floats) -> Floats:
    """Mean of the first three channels; faster than a reduction over so short an axis."""
    grey: Floats = (image[..., 0] + image[..., 1] + image[..., 2]) * np.float32(1 / 3)
    return grey


def matte_step(size: float) -> int:
    """Px of a cell of the matte for a face of `size` px."""
    return max(1, round(size / WORK_FACE))


def hair_matte(picture: Floats, mesh: Array, light: Floats, step: int) -> Floats:
    """Alpha (h, w) of hair in front of the face.

    picture (h, w, 3) display RGB of the witness on cells of `step` px, mesh (468, 3) in px of the crop, light code.
    """
    t = topology()
    height, width = picture.shape[:2]
    lit = irradiance(light, vertex_normals(mesh))
    small = mesh.copy()
    small[:, :2] = (small[:, :2] + 0.5) / step - 0.5
    ids, at = render(small, t.skin, np.concatenate([lit, _band()[:, None]], 1), height, width)
    inside = (ids >= 0).astype(np.float32)
    seen = linear(picture)
    under = np.log(np.maximum(_grey(at), 1e-3) / np.maximum(_grey(seen), 1e-3))
    p = np.clip((under - DARKER) / SOFT, 0, 1) * at[..., 3] * inside
    p = blur(p, 1.0) / np.maximum(blur(inside, 1.0), 0.2) * inside
    strands = (p > 0.35).astype(np.uint8)
    _, labels = cv2.connectedComponents(strands)
    outside = cv2.dilate((ids < 0).astype(np.uint8), np.ones((5, 5)))
    touching = np.unique(labels[(outside > 0) & (strands > 0)])
    kept = np.isin(labels, touching[touching > 0]).astype(np.float32)  # hair comes from outside; brows do not
    p = p * blur(cv2.dilate(kept, np.ones((5, 5))), 1.0)
    spread = np.clip(blur(p * inside, 3.0) / np.maximum(blur(inside, 3.0), 1e-3) * 1.6, 0, 1)
    near = blur(outside.astype(np.float32), 1.2)
    p = np.where(inside > 0, np.maximum(p, near * spread), spread)
    out: Floats = np.clip(p, 0, 1).astype(np.float32)
    return out


def _akin(seen: Floats, sample: Array) -> Array:
    """(h, w) bool: hues (h, w, 3) that are common among those of a sample (h, w) bool."""
    bins = np.clip(((seen - ORIGIN) / BIN).astype(np.int32), 0, BINS - 1)
    at = (bins[..., 0] * BINS + bins[..., 1]) * BINS + bins[..., 2]
    count = np.bincount(at[sample], minlength=BINS**3).reshape(BINS, BINS, BINS)
    common = maximum_filter(count >= max(4.0, RARE * sample.sum()), 3)
    found: Array = common.ravel()[at]
    return found


def front_matte(picture: Floats, mesh: Array, front: InFront, step: int) -> Floats:
    """Alpha (h, w) of things in front of the face; each pixel of them is unlike this face, and joined to the outside.

    picture (h, w, 3) display RGB of the witness on cells of `step` px, mesh (468, 3) in px of the crop.
    """
    t, c = topology(), cells()
    height, width = picture.shape[:2]
    small = mesh.copy()
    small[:, :2] = (small[:, :2] + 0.5) / step - 0.5
    ids, uv = render(small, t.triangles, t.uv, height, width)
    hole = (ids < 0).astype(np.uint8)
    size = max(float(np.ptp(small[:, 0])), 8.0)
    away, nearest = cv2.distanceTransformWithLabels(hole, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    place = np.zeros((int(nearest.max()) + 1, 2), np.float32)
    place[nearest[hole == 0]] = uv[hole == 0]
    at = (place[nearest] * np.array([COLUMNS, ROWS], np.float32) - 0.5).astype(np.float32)
    around = away <= BEYOND * size
    j, i = (np.clip(np.round(at[..., k]), 0, n - 1).astype(int) for k, n in ((1, ROWS), (0, COLUMNS)))
    seen = hues(linear(blur(picture, 0.6)))
    far = unlike(seen, front.low[j, i], front.high[j, i])
    body = cv2.dilate(front.share, np.ones((3, 3), np.uint8))
    body[c.parts.any(0) & (front.share == 0)] = 0
    share = cv2.remap(body, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    p = np.clip((far - CERTAIN) / (SURE - CERTAIN), 0, 1) * np.clip(share * 4 - 1, 0, 1) * around
    p = p * _akin(seen, (far > SURE) & (share > 0.9) & (hole == 0))
    p = cv2.erode(p.astype(np.float32), np.ones((5, 5), np.uint8))  # edges are mixed: half thing, half face
    p = cv2.morphologyEx(p, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    _, labels = cv2.connectedComponents((p > 0.3).astype(np.uint8))
    joined = np.unique(labels[(hole > 0) & (labels > 0)])
    kept = cv2.dilate(np.isin(labels, joined).astype(np.uint8) * (labels > 0), np.ones((3, 3), np.uint8))
    out: Floats = np.minimum(blur(p * kept, 0.7), p * kept + 0.3).astype(np.float32)
    return out
