"""The inside of a mouth that no key frame shows: cavity, tongue, teeth fixed to skull and jaw. For one-photo doubles."""

from __future__ import annotations

import numpy as np

from facedouble.morphable.topology import topology
from facedouble.raster import render
from facedouble.types import Array, Double, Floats

CAVITY, TONGUE, TOOTH = np.array([0.10, 0.04, 0.045]), np.array([0.42, 0.17, 0.16]), np.array([0.72, 0.66, 0.52])
SHOWS_TEETH = 0.10  # lip gap of a key frame, canonical, from which its own mouth is used


def _arc(x: Array, depth: Array, height: float, width: float) -> tuple[Array, Array]:
    """Coverage (n, 1) and colour (n, 3) of a row of teeth hanging `height` from its root; units of the mouth's width."""
    edge = height - 0.06 * (x * 2 / width) ** 2
    alpha = np.clip((edge - depth) / 0.02, 0, 1) * np.clip((width / 2 - np.abs(x)) / 0.05, 0, 1)
    gaps = 1 - 0.18 * np.exp(-((((x / 0.085 + 0.5) % 1) - 0.5) / 0.09) ** 2)
    shade = np.clip(1 - (np.abs(x) * 2 / width) ** 2 * 0.75, 0.15, 1) * np.clip(0.75 + 0.25 * (edge - depth) / 0.06, 0.6, 1)
    return alpha[:, None], TOOTH * (gaps * shade)[:, None]


def draw_mouth(out: Floats, ids: Array, mesh: Array, canonical: Array, light: Array, features: Array, double: Double) -> None:
    """Paint the mouth's pixels of `out` (h, w, 3) in linear light where `ids` (h, w) says mouth.

    mesh (468, 3) px, canonical (468, 3), light (468, 3) of the vertices, features (8,) of the frame.
    """
    t = topology()
    first, last = len(t.skin), len(t.skin) + len(t.mouth)
    lips = mesh[np.unique(t.mouth), :2]
    h, w = ids.shape
    x0, y0 = np.maximum(np.floor(lips.min(0)) - 1, 0).astype(int)
    x1, y1 = np.minimum(np.ceil(lips.max(0)) + 2, [w, h]).astype(int)
    if x1 - x0 < 3 or y1 - y0 < 2:
        return
    own = ids[y0:y1, x0:x1]
    inside = (own >= first) & (own < last)
    if inside.sum() < 6:
        return
    _, at = render(mesh - [x0, y0, 0], t.mouth.astype(np.int32), np.concatenate([canonical[:, :2], light], 1), y1 - y0, x1 - x0)
    middle, width = float(canonical[[78, 308], 0].mean()), float(np.linalg.norm(canonical[61] - canonical[291]))
    rest = float(double.neutral[13, 1])
    roots_up = rest - 0.07 * float(features[1]) + 0.25 * (float(canonical[13, 1]) - rest)
    roots_low = float(canonical[14, 1]) + 0.03
    x, y = (at[..., 0][inside] - middle) / width, at[..., 1][inside]
    up, low = (y - roots_up) / width, (roots_low - y) / width
    tongue = np.exp(-((x / 0.30) ** 2 + ((low - 0.02) / 0.12) ** 2))[:, None]
    colour = CAVITY * (1 - tongue) + TONGUE * tongue
    for depth, height, wide, strength in ((low, 0.09, 0.6, 0.72), (up, 0.13, 0.72, 1.0)):
        alpha, teeth = _arc(x, depth, height, wide)
        colour = colour * (1 - alpha) + teeth * strength * alpha
    out[y0:y1, x0:x1][inside] = colour * at[..., 2:][inside]
