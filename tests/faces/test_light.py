"""What of a witness' light goes over to a double."""

from __future__ import annotations

import numpy as np

from facedouble.faces.light import RELIEF, without_relief
from facedouble.morphable.light import SH_FLOATS, harmonics, irradiance_at


def test_colour_and_side_of_the_light_stay_and_relief_is_less() -> None:
    rng = np.random.default_rng(0)
    code = np.concatenate([[0.4, 0.35, 0.3], 0.05 * rng.standard_normal(66)]).astype(np.float32)
    kept = without_relief(code)
    assert np.array_equal(kept[:12], code[:12])  # ambient and first order, three colours each
    assert np.allclose(kept[12:], RELIEF * code[12:])
    normals = np.array([[0, 0, -1.0], [1, 0, 0], [0, -1, 0]])
    first = harmonics(normals)[:, :4] @ code[:12].reshape(4, 3)
    beyond, left = (irradiance_at(c, normals) - first for c in (code, kept))
    assert np.abs(code[12:SH_FLOATS]).max() > 0 and np.abs(left).max() < 0.6 * np.abs(beyond).max()
