"""Blend a double's key frames to the atlas of one frame, and shade the mesh with it under the scene's light.

Blending comes first and in the atlas, where memory is read in order; the mesh then samples one picture instead of a dozen. The
atlas has levels of half size, so that a small face samples as many texels as it has pixels and does not shimmer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numba import njit

from facedouble.morphable import layout
from facedouble.morphable.topology import ATLAS_HEIGHT, ATLAS_WIDTH, topology
from facedouble.raster import render, shrink
from facedouble.types import Array, Double, Floats, Value

FIXED = 8192.0  # of one unit of albedo: textures are held in 16 bits
LEVELS = 3
TEXELS_ACROSS = 382.0  # texels over the front of a face at level 0
LARGEST_TEXEL = 1 / 3  # log2 of px: larger ones look soft, smaller ones than half of that shimmer
LEAST_WEIGHT = 0.012  # a key frame's share below which it is left out
MOUTH_CAP = 2.0  # relative albedo: brighter teeth read as lamps
DARK_MOUTH = (0.11, 0.05, 0.05)
# numba works in double precision as soon as one operand is no float32, and turns each signed index round that is negative
_f32: Any = np.float32
_u16: Any = np.uint16
_at: Any = np.uintp
_0, _1 = _f32(0), _f32(1)


@dataclass(frozen=True)
class Level(Value):
    """What does not change of the atlas at one size: region shares (3, h, w), mouth (h, w) bool, lips' rows (w,), spans (h, 2).

    points (468, 2) px of the vertices.
    """

    shares: Floats
    mouth: Array
    upper: Array
    lower: Array
    spans: Array
    points: Array


@cache
def level(n: int) -> Level:
    """The atlas at 1 / 2^n of its size."""
    t = topology()
    h, w = ATLAS_HEIGHT >> n, ATLAS_WIDTH >> n
    points = (t.atlas + 0.5) / (1 << n) - 0.5
    mesh = np.concatenate([points, np.zeros((len(points), 1))], 1)
    ids, shares = render(mesh, t.triangles, t.shares, h, w)
    mouth = (ids >= len(t.skin)) & (ids < len(t.skin) + len(t.mouth))
    columns = np.arange(w)
    rows = []
    for lip in (layout.UPPER_INNER_LIP, layout.LOWER_INNER_LIP):
        order = np.argsort(points[lip, 0])
        rows.append(np.interp(columns, points[lip, 0][order], points[lip, 1][order]))
    inside = ids >= 0
    for y in range(h):  # one texel more on each side, which bilinear samples reach
        seen = np.flatnonzero(inside[max(0, y - 2) : y + 3].any(0))
        if len(seen):
            a, b = max(0, seen[0] - 2), min(w, seen[-1] + 3)
            own = np.flatnonzero(inside[y])
            if len(own):
                shares[y, a : own[0]], shares[y, own[-1] + 1 : b] = shares[y, own[0]], shares[y, own[-1]]
            else:
                shares[y, a:b] = [1, 0, 0] if y > h // 2 else [0, 0.5, 0.5]
    spans = np.array([(max(0, s[0] - 2), min(w, s[-1] + 3)) if len(s := np.flatnonzero(inside[max(0, y - 2) : y + 3].any(0)))
                      else (0, 0) for y in range(h)], np.int32)
    return Level(np.ascontiguousarray(shares.transpose(2, 0, 1)), mouth, rows[0], rows[1], spans, points)


def level_for(size: float) -> int:
    """The level at which a face of `size` px has about one texel per pixel, and none is seen as larger than 1.26 px."""
    return int(np.clip(math.floor(math.log2(TEXELS_ACROSS / max(size, 1.0)) + LARGEST_TEXEL), 0, LEVELS - 1))


@njit(cache=True, nogil=True)
def _pack(texture: Array, out: Array) -> None:
    for y in range(out.shape[0]):
        for c in range(3):
            for x in range(out.shape[2]):
                out[y, c, x] = _u16(min(max(texture[y, x, c] * _f32(FIXED) + _f32(0.5), _0), _f32(65535)))


def packed(double: Double, n: int) -> Array:
    """(K, h, 3, w) uint16 textures of a level: each row by colours, because blending reads them one after the other."""
    h, w = ATLAS_HEIGHT >> n, ATLAS_WIDTH >> n
    keys = np.empty((len(double.textures), h, 3, w), np.uint16)
    for texture, key in zip(double.textures, keys, strict=True):
        small = texture.astype(np.float32)
        _pack(shrink(small, (w, h)) if n else small, key)
    return keys


@cache
def alpha_of_rings() -> Array:
    """(468,) 0 / .75 / 1 on rings 0 / 1 / 2 at forehead and sides, .75 / 1 / 1 at the jaw, which has to stay crisp."""
    t = topology()
    y = t.mean[:468, 1]
    jaw = np.clip((y - y[2]) / (y[152] - y[2]) * 1.3, 0, 1)
    alpha: Array = np.where(t.ring == 0, 0.75 * jaw, np.where(t.ring == 1, 0.75 + 0.25 * jaw, 1.0))
    return alpha


@njit(nogil=True, fastmath=True)
def _weigh(shares: Array, y: int, a: int, b: int, weights: Array, least: float, share: Array, total: Array) -> bool:
    """A key frame's share at the texels a to b of row y, added to `total`; whether it has any. Contiguous, so in vectors."""
    s0, s1, s2, to, sums = shares[0, y, a:b], shares[1, y, a:b], shares[2, y, a:b], share[a:b], total[a:b]
    w0, w1, w2, most = weights[0], weights[1], weights[2], _0
    for x in range(to.size):
        w = s0[x] * w0 + s1[x] * w1 + s2[x] * w2
        w = w if w >= least else _0
        to[x] = w
        sums[x] += w
        most = max(most, w)
    return bool(most > 0)


@njit(nogil=True, fastmath=True)
def _gather(row: Array, share: Array, out: Array) -> None:
    for x in range(out.size):
        out[x] += share[x] * _f32(row[x])


@njit(nogil=True, fastmath=True)
def _put(sums: Array, total: Array, a: int, b: int, out: Array) -> None:
    for x in range(a, b):
        per = _1 / (total[x] * _f32(FIXED))
        out[x, 0], out[x, 1], out[x, 2] = sums[0, x] * per, sums[1, x] * per, sums[2, x] * per


@njit(cache=True, fastmath=True, nogil=True)
def _blend(textures: Array, weights: Array, shares: Array, mouth: Array, spans: Array, upper: Array, lower: Array,
           gap: float, key_gaps: Array, least: float, cap: float, dark_colour: Array, out: Array) -> None:
    keys, rows, _, columns = textures.shape
    used = np.zeros(keys, np.int64)
    count = 0
    for key in range(keys):
        if max(weights[0, key], weights[1, key], weights[2, key]) >= least:
            used[count] = key
            count += 1
    share, total = np.zeros((count, columns), np.float32), np.empty(columns, np.float32)
    sums, present = np.empty((3, columns), np.float32), np.zeros(count, np.bool_)
    for y in range(rows):
        a, b = spans[y, 0], spans[y, 1]
        if b <= a:
            continue
        total[a:b], sums[:, a:b] = 0, 0
        for n in range(count):
            present[n] = _weigh(shares, y, a, b, weights[:, used[n]], least, share[n], total)
            if present[n]:
                for c in range(3):
                    _gather(textures[used[n], y, c, a:b], share[n, a:b], sums[c, a:b])
        _put(sums, total, a, b, out[y])
        for x in range(a, b):
            if not mouth[y, x]:
                continue
            r, g, bl = _0, _0, _0
            top, height = upper[x], max(lower[x] - upper[x], 0.5)
            for n in range(count):
                if not present[n] or share[n, x] <= 0:
                    continue
                key = used[n]
                place = min(max((y - top) / height, 0.0), 1.0)
                stretch, dark = gap / max(key_gaps[key], 0.02), 0.0
                if stretch > 1.1:  # teeth are never stretched: the mouth opens in the dark middle
                    if place < 0.5:
                        place *= stretch
                        if place > 0.5:
                            dark, place = min((place - 0.5) / 0.12, 1.0), 0.5
                    else:
                        place = 1 - (1 - place) * stretch
                        if place < 0.5:
                            dark, place = min((0.5 - place) / 0.12, 1.0), 0.5
                row = min(max(top + place * height, 0.0), rows - 1.001)
                ia = int(row)
                f = row - ia
                for c in range(3):
                    q = ((1 - f) * textures[key, ia, c, x] + f * textures[key, ia + 1, c, x]) / FIXED
                    out_c = share[n, x] * (min(q, cap) * (1 - dark) + dark * dark_colour[c])
                    if c == 0:
                        r += out_c
                    elif c == 1:
                        g += out_c
                    else:
                        bl += out_c
            out[y, x, 0], out[y, x, 1], out[y, x, 2] = r / total[x], g / total[x], bl / total[x]


def blend(textures: Array, n: int, weights: Array, gap: float, key_gaps: Array) -> Floats:
    """The atlas (h, w, 3) of one frame at level n: relative albedo.

    textures as from `packed`, weights (3, K) of the key frames per region, gap of the lips and (K,) key_gaps, canonical.
    """
    at = level(n)
    out = np.zeros((*at.mouth.shape, 3), np.float32)
    _blend(textures, weights.astype(np.float32), at.shares, at.mouth, at.spans, at.upper, at.lower, gap,
           key_gaps.astype(np.float64), _f32(LEAST_WEIGHT), MOUTH_CAP, np.array(DARK_MOUTH), out)
    return out


@njit(cache=True, fastmath=True, nogil=True)
def _shade(points: Array, triangles: Array, uv: Array, light: Array, alpha: Array, atlas: Array, out: Array, ids: Array,
           rim: Array, depth: Array) -> None:
    h, w = ids.shape
    rows, columns = atlas.shape[0], atlas.shape[1]
    p, q = np.empty(3), np.empty(3)
    most_s, most_t = _f32(columns - 1.001), _f32(rows - 1.001)
    for k in range(triangles.shape[0]):
        a, b, c = triangles[k, 0], triangles[k, 1], triangles[k, 2]
        ax, ay, bx, by, cx, cy = points[a, 0], points[a, 1], points[b, 0], points[b, 1], points[c, 0], points[c, 1]
        d = (by - cy) * (ax - cx) + (cx - bx) * (ay - cy)
        if abs(d) < 1e-9:
            continue
        p[0], p[1] = (by - cy) / d, (cy - ay) / d
        p[2] = -p[0] - p[1]
        p0, p1 = _f32(p[0]), _f32(p[1])
        za, zb, zc = _f32(points[a, 2]), _f32(points[b, 2]), _f32(points[c, 2])
        ra, rb, rc = _f32(alpha[a]), _f32(alpha[b]), _f32(alpha[c])
        sa, sb, sc = _f32(uv[a, 0]), _f32(uv[b, 0]), _f32(uv[c, 0])
        ta, tb, tc = _f32(uv[a, 1]), _f32(uv[b, 1]), _f32(uv[c, 1])
        fa0, fb0, fc0 = _f32(light[a, 0]), _f32(light[b, 0]), _f32(light[c, 0])
        fa1, fb1, fc1 = _f32(light[a, 1]), _f32(light[b, 1]), _f32(light[c, 1])
        fa2, fb2, fc2 = _f32(light[a, 2]), _f32(light[b, 2]), _f32(light[c, 2])
        for y in range(max(0, math.ceil(min(ay, by, cy))), min(h - 1, math.floor(max(ay, by, cy))) + 1):
            q[0] = ((cx - bx) * (y - cy) - (by - cy) * cx) / d
            q[1] = ((ax - cx) * (y - cy) - (cy - ay) * cx) / d
            q[2] = 1 - q[0] - q[1]
            low, high = 0.0, w - 1.0
            for i in range(3):  # the part of the row where the i-th barycentric coordinate is not negative
                if p[i] > 1e-12:
                    low = max(low, (-1e-5 - q[i]) / p[i])
                elif p[i] < -1e-12:
                    high = min(high, (-1e-5 - q[i]) / p[i])
                elif q[i] < -1e-5:
                    high = -1.0
            first = max(math.ceil(low), 0)
            q0, q1 = _f32(p[0] * first + q[0]), _f32(p[1] * first + q[1])
            depth_row, ids_row, rim_row, out_row = depth[y], ids[y], rim[y], out[y]
            for x in range(first, math.floor(high) + 1):
                xu, on = _at(x), _f32(x - first)
                l0, l1 = p0 * on + q0, p1 * on + q1
                l2 = _1 - l0 - l1
                z = l0 * za + l1 * zb + l2 * zc
                if z >= depth_row[xu]:
                    continue
                depth_row[xu], ids_row[xu] = z, k
                rim_row[xu] = l0 * ra + l1 * rb + l2 * rc
                s = min(max(l0 * sa + l1 * sb + l2 * sc, _0), most_s)
                t = min(max(l0 * ta + l1 * tb + l2 * tc, _0), most_t)
                i0, j0 = _at(s), _at(t)
                i1, j1 = i0 + _at(1), j0 + _at(1)
                fs, ft = s - _f32(i0), t - _f32(j0)
                w11 = ft * fs
                w01, w10 = fs - w11, ft - w11
                w00 = _1 - fs - w10
                r = w00 * atlas[j0, i0, 0] + w01 * atlas[j0, i1, 0] + w10 * atlas[j1, i0, 0] + w11 * atlas[j1, i1, 0]
                g = w00 * atlas[j0, i0, 1] + w01 * atlas[j0, i1, 1] + w10 * atlas[j1, i0, 1] + w11 * atlas[j1, i1, 1]
                bl = w00 * atlas[j0, i0, 2] + w01 * atlas[j0, i1, 2] + w10 * atlas[j1, i0, 2] + w11 * atlas[j1, i1, 2]
                out_row[xu, 0] = r * (l0 * fa0 + l1 * fb0 + l2 * fc0)
                out_row[xu, 1] = g * (l0 * fa1 + l1 * fb1 + l2 * fc1)
                out_row[xu, 2] = bl * (l0 * fa2 + l1 * fb2 + l2 * fc2)


def shade(mesh: Array, light: Array, atlas: Floats, n: int, height: int, width: int) -> tuple[Floats, Array, Floats]:
    """Linear light (h, w, 3), triangle ids (h, w), -1 outside, and the alpha of the rings (h, w).

    mesh (468, 3) px, light (468, 3) of the vertices, atlas at level n.
    """
    t = topology()
    out, ids = np.zeros((height, width, 3), np.float32), np.full((height, width), -1, np.int16)
    rim, depth = np.zeros((height, width), np.float32), np.full((height, width), 1e9, np.float32)
    _shade(np.ascontiguousarray(mesh, np.float64), t.triangles, level(n).points, np.ascontiguousarray(light, np.float64),
           alpha_of_rings(), atlas, out, ids, rim, depth)
    return out, ids, rim
