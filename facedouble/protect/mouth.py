"""The inside of a mouth that no key frame shows: cavity, tongue, teeth fixed to skull and jaw. For one-photo doubles."""

from __future__ import annotations

import numpy as np

from facedouble.protect.texture import LIGHT, PLACE
from facedouble.types import Array, Double, Floats

CAVITY, TONGUE, TOOTH = np.array([0.10, 0.04, 0.045]), np.array([0.42, 0.17, 0.16]), np.array([0.72, 0.66, 0.52])


def _arc(x: Array, depth: Array, height: float, width: float) -> tuple[Array, Array]:
    """Coverage (n, 1) and colour (n, 3) of a row of teeth hanging `height` from its root; units of the mouth's width."""
    edge = height - 0.06 * (x * 2 / width) ** 2
    alpha = np.clip((edge - depth) / 0.02, 0, 1) * np.clip((width / 2 - np.abs(x)) / 0.05, 0, 1)
    gaps = 1 - 0.18 * np.exp(-((((x / 0.085 + 0.5) % 1) - 0.5) / 0.09) ** 2)
    shade = np.clip(1 - (np.abs(x) * 2 / width) ** 2 * 0.75, 0.15, 1) * np.clip(0.75 + 0.25 * (edge - depth) / 0.06, 0.6, 1)
    return alpha[:, None], TOOTH * (gaps * shade)[:, None]


def draw_mouth(out: Floats, inside: Array, at: Floats, mesh: Array, features: Array, double: Double) -> None:
    """Paint the mouth's pixels (h, w) bool of `out` in linear light."""
    if inside.sum() < 6:
        return
    middle, width = float(mesh[[78, 308], 0].mean()), float(np.linalg.norm(mesh[61] - mesh[291]))
    rest = float(double.neutral[13, 1])
    roots_up = rest - 0.07 * float(features[1]) + 0.25 * (float(mesh[13, 1]) - rest)
    roots_low = float(mesh[14, 1]) + 0.03
    x = (at[..., PLACE][inside] - middle) / width
    y = at[..., PLACE + 1][inside]
    up, low = (y - roots_up) / width, (roots_low - y) / width
    tongue = np.exp(-((x / 0.30) ** 2 + ((low - 0.02) / 0.12) ** 2))[:, None]
    colour = CAVITY * (1 - tongue) + TONGUE * tongue
    for depth, height, wide, strength in ((low, 0.09, 0.6, 0.72), (up, 0.13, 0.72, 1.0)):
        alpha, teeth = _arc(x, depth, height, wide)
        colour = colour * (1 - alpha) + teeth * strength * alpha
    out[inside] = colour * at[..., LIGHT : LIGHT + 3][inside]
