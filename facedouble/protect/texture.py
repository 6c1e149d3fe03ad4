"""Shade the mesh with the double's key frames under the scene's light, the mouth's inside included."""

from __future__ import annotations

from functools import cache

import numpy as np
from numba import njit

from facedouble.morphable import layout
from facedouble.morphable.topology import ATLAS_WIDTH, topology
from facedouble.types import Array, Floats

# columns of the interpolated attributes
U, V, LIGHT, ALPHA, SHARES, PLACE, COLUMNS = 0, 1, 2, 5, 6, 9, 11
MOUTH_CAP = 2.0  # relative albedo: brighter teeth read as lamps
DARK_MOUTH = (0.11, 0.05, 0.05)


@cache
def mouth_rows() -> tuple[Array, Array]:
    """(ATLAS_WIDTH,) each: atlas row of the upper and of the lower inner lip at each column."""
    t = topology()
    x = np.arange(ATLAS_WIDTH)
    rows = []
    for lip in (layout.UPPER_INNER_LIP, layout.LOWER_INNER_LIP):
        points = t.atlas[lip]
        order = np.argsort(points[:, 0])
        rows.append(np.interp(x, points[order, 0], points[order, 1]))
    return rows[0], rows[1]


@cache
def alpha_of_rings() -> Array:
    """(468,) 0 / .75 / 1 on rings 0 / 1 / 2 at forehead and sides, .75 / 1 / 1 at the jaw, which has to stay crisp."""
    t = topology()
    y = t.mean[:468, 1]
    jaw = np.clip((y - y[2]) / (y[152] - y[2]) * 1.3, 0, 1)
    alpha: Array = np.where(t.ring == 0, 0.75 * jaw, np.where(t.ring == 1, 0.75 + 0.25 * jaw, 1.0))
    return alpha


def attributes(light: Array, mesh: Array) -> Floats:
    """(468, COLUMNS) of the vertices: atlas place, light, alpha, region shares, canonical place."""
    t = topology()
    at = np.zeros((468, COLUMNS), np.float32)
    at[:, U:LIGHT] = t.atlas
    at[:, LIGHT:ALPHA] = light
    at[:, ALPHA] = alpha_of_rings()
    at[:, SHARES:PLACE] = t.shares
    at[:, PLACE:] = mesh[:, :2]
    return at


@njit(cache=True, fastmath=True, nogil=True)
def shade(ids: Array, at: Array, textures: Array, weights: Array, gap: float, key_gaps: Array, upper: Array, lower: Array,
          skin_count: int, mouth_count: int, out: Array) -> None:
    """Out (h, w, 3) linear light. Teeth are never stretched: a mouth wider than its key frame opens in the dark middle."""
    h, w = ids.shape
    keys, rows, columns = textures.shape[0], textures.shape[1], textures.shape[2]
    for y in range(h):
        for x in range(w):
            k = ids[y, x]
            if k < 0:
                continue
            u, v = min(max(at[y, x, 0], 0.0), columns - 1.001), min(max(at[y, x, 1], 0.0), rows - 1.001)
            iu, iv = int(u), int(v)
            fu, fv = u - iu, v - iv
            inside = skin_count <= k < skin_count + mouth_count
            s0, s1, s2, total = 0.0, 0.0, 0.0, 0.0
            for key in range(keys):
                weight = (at[y, x, 6] * weights[0, key] + at[y, x, 7] * weights[1, key] + at[y, x, 8] * weights[2, key])
                if weight < 0.012:
                    continue
                total += weight
                dark = 0.0
                if inside:
                    top, bottom = upper[iu], lower[iu]
                    height = max(bottom - top, 0.5)
                    place = min(max((v - top) / height, 0.0), 1.0)
                    stretch = gap / max(key_gaps[key], 0.02)
                    if stretch > 1.1:
                        if place < 0.5:
                            place = place * stretch
                            if place > 0.5:
                                dark = min((place - 0.5) / 0.12, 1.0)
                                place = 0.5
                        else:
                            place = 1 - (1 - place) * stretch
                            if place < 0.5:
                                dark = min((0.5 - place) / 0.12, 1.0)
                                place = 0.5
                    row = min(max(top + place * height, 0.0), rows - 1.001)
                    iv = int(row)
                    fv = row - iv
                for c in range(3):
                    q = ((1 - fv) * ((1 - fu) * textures[key, iv, iu, c] + fu * textures[key, iv, iu + 1, c])
                         + fv * ((1 - fu) * textures[key, iv + 1, iu, c] + fu * textures[key, iv + 1, iu + 1, c]))
                    if inside:
                        q = min(q, MOUTH_CAP) * (1 - dark) + dark * DARK_MOUTH[c]
                    if c == 0:
                        s0 += weight * q
                    elif c == 1:
                        s1 += weight * q
                    else:
                        s2 += weight * q
            if total > 0:
                out[y, x, 0] = s0 / total * at[y, x, 2]
                out[y, x, 1] = s1 / total * at[y, x, 3]
                out[y, x, 2] = s2 / total * at[y, x, 4]
