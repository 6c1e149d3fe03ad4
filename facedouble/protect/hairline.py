"""A hairline of our own making: strands that run over the double's forehead from what lies above it.

Without it a double ends in an arc where the witness's hair was cut off by the mesh. No pixel under the witness's mesh takes part:
the colour comes from the ring outside, and the strands are the same drawing for everybody, fixed to the head.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numba import njit
from scipy.ndimage import gaussian_filter1d

from facedouble.morphable.topology import ATLAS_HEIGHT, ATLAS_WIDTH, topology
from facedouble.raster import blur, most3, push_pull, render
from facedouble.types import Array, Floats

DARKER, SURELY = 0.55, 0.40  # log units under the skin that the light predicts: hair from there on, and wholly that much further
LOWEST = 0.42  # v of the atlas: where the strands end, a little above the eyes
LONG, SHORT = 0.08, 0.03  # of the atlas' height: the longest strands and the shortest fringe
TUFTS, STRANDS = 14, 1100  # around the head
MIXED = 0.3  # share of hair in the ring up to which it is bare, and down from 1 from which it is all hair
CHEEKS, JAW = (-0.05, -0.45), -0.5  # face sizes above the middle of the eyes: where cheeks begin and end, from where it is jaw
SAME, CLOTH, SURELY_CLOTH = 0.35, 0.4, 0.25  # log units; share of the ring there in that colour: cloth from there on, and wholly
FLAT = 1e-9  # px2, twice the area: such a triangle is not drawn
EYE_HEIGHT, RISE = 0.06, 0.16  # face sizes above the middle of the eyes where hair begins to count, and over how much


@cache
def strands() -> Floats:
    """Coverage (h, w) of the atlas by hair that comes from outside, 0 to 1; drawn once, from a fixed seed."""
    rng = np.random.default_rng(20)
    t = topology()
    x, y = np.meshgrid(np.arange(ATLAS_WIDTH, dtype=np.float32), np.arange(ATLAS_HEIGHT, dtype=np.float32))
    mesh = np.concatenate([t.atlas, np.zeros((len(t.atlas), 1))], 1)
    ids, _ = render(mesh, t.triangles, t.shares, ATLAS_HEIGHT, ATLAS_WIDTH)
    depth = cv2.distanceTransform(np.pad((ids >= 0).astype(np.uint8), 1), cv2.DIST_L2, 5)[1:-1, 1:-1] / ATLAS_HEIGHT
    turn = np.arctan2(x - ATLAS_WIDTH / 2, 0.62 * ATLAS_HEIGHT - y) / (2 * np.pi) + 0.5  # 0 and 1 at the chin
    turn = turn + 0.012 * np.sin(depth * 40) + 0.05 * depth  # hair is neither straight nor quite upright
    tufts = gaussian_filter1d(rng.standard_normal(TUFTS * 8), 4, mode="wrap")
    tufts = np.clip(0.5 + 0.5 * tufts / tufts.std(), 0, 1.6)
    single = np.clip(rng.gamma(1.6, 0.28, STRANDS), 0.12, 1.5)
    single = 0.6 * single + 0.4 * gaussian_filter1d(single, 3, mode="wrap")

    def at(values: Array) -> Array:
        return np.interp(turn * len(values) % len(values), np.arange(len(values) + 1), np.r_[values, values[:1]])

    reach = (SHORT + (LONG - SHORT) * 0.45 * at(tufts)) * at(single) + 0.006
    cover = np.clip((reach - depth) / 0.012, 0, 1) * (1 - 0.35 * np.clip(depth / np.maximum(reach, 1e-3), 0, 1))
    low = np.clip((LOWEST - (y - t.atlas[:, 1].min()) / np.ptp(t.atlas[:, 1])) / 0.10, 0, 1)
    return blur(cover * low, 0.7)


@cache
def _top() -> tuple[Array, Array]:
    """Triangles (n, 3) on which strands can lie, and which of all triangles are theirs."""
    t = topology()
    high = (t.uv[t.triangles][:, :, 1].min(1) < LOWEST) & (np.arange(len(t.triangles)) < len(t.skin))
    return t.triangles[high], high


def hair_around(around: Floats, darker: Floats, ring: Floats, mesh: Array, step: int) -> tuple[Floats, Floats]:
    """Colour (h, w, 3) of the hair around a face, and how much of it there is (h, w): carried inwards from the ring.

    around (h, w, 3) linear light on cells of `step` px, darker (h, w) log units under the skin that the light predicts,
    ring (h, w) cells that are looked at, mesh (468, 3) px of the crop.
    """
    h, w = ring.shape
    eyes = mesh[[33, 133, 263, 362], :2].mean(0)
    up = eyes - mesh[152, :2]
    size = float(np.linalg.norm(mesh[234, :2] - mesh[454, :2]))
    up = up / max(float(np.linalg.norm(up)), 1e-6)
    x, y = np.meshgrid((np.arange(w) + 0.5) * step - 0.5 - eyes[0], (np.arange(h) + 0.5) * step - 0.5 - eyes[1])
    above = (x * up[0] + y * up[1]) / size
    high = np.clip((above - EYE_HEIGHT) / RISE, 0, 1)
    hair = (np.clip((darker - DARKER) / SURELY, 0, 1) * ring * high).astype(np.float32)
    if hair.sum() < 1:
        return around, np.zeros((h, w), np.float32)
    cloth = np.clip((_wrapped(around, hair, ring, above) - CLOTH) / SURELY_CLOTH, 0, 1)
    if cloth == 1:
        return around, np.zeros((h, w), np.float32)
    colour = push_pull(around, hair)
    share = push_pull((hair / np.maximum(ring * high, 1e-3))[..., None].astype(np.float32), (ring * high).astype(np.float32))
    sure = np.clip((blur(share[..., 0], 1.5) - MIXED) / (1 - 2 * MIXED), 0, 1)  # beside a bare forehead no strands
    return blur(colour, 1.0), (sure * high * (1 - cloth)).astype(np.float32)


def _wrapped(around: Floats, hair: Array, ring: Floats, above: Array) -> float:
    """How far what is over the forehead goes on beside the cheeks and under the jaw, 0 to 1: scarves do, hair does not.

    around (h, w, 3), hair and ring (h, w) weights, above (h, w) face sizes over the eyes.
    """
    tone = np.log(np.maximum(around, 1e-3))
    own = (tone * hair[..., None]).sum((0, 1)) / hair.sum()
    alike = ring * np.exp(-((most3(np.abs(tone - own)) / SAME) ** 4))
    parts = [(above < CHEEKS[0]) & (above > CHEEKS[1]), above < JAW]
    return min(float(alike[p].sum() / max(float(ring[p].sum()), 1e-3)) for p in parts)


@njit(cache=True, nogil=True)
def _sampled(picture: Array, ids: Array, high: Array, maps: Array, out: Array) -> None:
    """Bilinear samples (n, w) of a picture where triangles `ids` of those in `high` are; maps (T, 2, 3) from pixels to it."""
    rows, columns = picture.shape
    for y in range(ids.shape[0]):
        for x in range(ids.shape[1]):
            k = ids[y, x]
            if k < 0 or not high[k]:
                out[y, x] = 0
                continue
            m = maps[k]
            s = min(max(m[0, 0] * x + m[0, 1] * y + m[0, 2], 0.0), columns - 1.001)
            t = min(max(m[1, 0] * x + m[1, 1] * y + m[1, 2], 0.0), rows - 1.001)
            i, j = np.uintp(s), np.uintp(t)
            fs, ft = np.float32(s - i), np.float32(t - j)
            above, under = picture[j], picture[j + np.uintp(1)]
            upper = above[i] + fs * (above[i + np.uintp(1)] - above[i])
            lower = under[i] + fs * (under[i + np.uintp(1)] - under[i])
            out[y, x] = upper + ft * (lower - upper)


def _maps(points: Array, to: Array) -> Array:
    """(n, 2, 3) affine maps that take the corners (n, 3, 2) to others (n, 3, 2); zero where there is no area."""
    corners = np.concatenate([points, np.ones((*points.shape[:2], 1))], 2)
    flat = np.abs(np.linalg.det(corners)) < FLAT
    corners[flat] = np.eye(3)
    maps: Array = np.linalg.solve(corners, to).transpose(0, 2, 1)
    maps[flat] = 0
    return np.ascontiguousarray(maps)


def strands_on(mesh: Array, ids: Array) -> tuple[int, Floats]:
    """How far strands cover the upper rows (n, w) of a drawn face: the number of the first row, and the cover.

    mesh (468, 3) px of the picture, ids (h, w) triangles seen in it.
    """
    triangles, high = _top()
    t = topology()
    points = mesh[np.unique(triangles), 1]
    y0, y1 = max(int(points.min()) - 1, 0), min(int(points.max()) + 2, ids.shape[0])
    if y1 <= y0:
        return 0, np.zeros((0, ids.shape[1]), np.float32)
    maps = np.zeros((len(high), 2, 3))
    maps[high] = _maps(mesh[triangles, :2] - [0, y0], t.atlas[triangles])
    out = np.empty((y1 - y0, ids.shape[1]), np.float32)
    _sampled(strands(), ids[y0:y1], high, maps, out)
    return y0, out
