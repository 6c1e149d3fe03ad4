"""Irradiance on the skin from the 69 numbers of a light code: spherical harmonics of order 2 and a residual grid.

Wen, Liu, Huang: Face Relighting with Radiance Environment Maps, MSR-TR-2002-111.
"""

from __future__ import annotations

import numpy as np

from facedouble.morphable.topology import topology
from facedouble.types import Array

SH_FLOATS = 27
DARKEST = 0.22  # of the ambient term: shade that the fit cannot explain is not black


def harmonics(normals: Array) -> Array:
    """(n, 9) real spherical harmonics up to order 2, without their constants."""
    x, y, z = normals[:, 0], normals[:, 1], normals[:, 2]
    return np.stack([np.ones_like(x), x, y, z, x * y, x * z, y * z, x * x - y * y, 3 * z * z - 1], 1)


def irradiance_at(code: Array, normals: Array) -> Array:
    """(n, 3) light of mean skin that faces the normals (n, 3), wherever on the face, linear, 1 = white."""
    c = np.asarray(code[:SH_FLOATS], np.float64).reshape(9, 3)
    shade: Array = np.maximum(harmonics(normals) @ c, DARKEST * np.maximum(c[0], 1e-3))
    return shade


def irradiance(code: Array, normals: Array) -> Array:
    """(468, 3) light of mean skin at the vertices, linear, 1 = white."""
    lit: Array = irradiance_at(code, normals) * np.exp(topology().light_basis @ np.asarray(code[SH_FLOATS:], np.float64))[:, None]
    return lit
