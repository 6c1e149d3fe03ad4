"""What of a witness' light goes over to a double."""

from __future__ import annotations

import numpy as np

from facedouble.faces.light import RELIEF, _shaven, beard_area, fit_light, without_relief
from facedouble.morphable.light import SH_FLOATS, harmonics, irradiance, irradiance_at
from facedouble.morphable.topology import topology, vertex_normals
from facedouble.raster import display, render
from facedouble.types import Array, Floats

T = topology()
SIDE = 200
SKIN = np.array([0.5, 0.3, 0.22])
MARKS = T.mean * 90 + [100, 100, 0]


def face(lit: Array) -> Floats:
    """(h, w, 3) display RGB of the mean face with light (468, 3) at its vertices."""
    ids, seen = render(MARKS[:468], T.triangles, lit, SIDE, SIDE)
    return display(np.where(ids[..., None] >= 0, seen, 0.1).astype(np.float32))


def lamp(side: float) -> Array:
    """(468, 3) light on skin: from the front and, `side` times that, from the left of the picture."""
    normals = vertex_normals(MARKS)
    return np.asarray(np.clip(0.9 - 0.3 * normals[:, 2:] - side * normals[:, :1], 0.05, 1.8) * SKIN)


def bearded(lit: Array) -> Array:
    """The light of a face with dark hair from the mouth down."""
    low = T.mean[:468, 1] > T.mean[2, 1] + 0.06
    return np.where(low[:, None], 0.2, 1.0) * lit


def test_a_beard_is_no_shade() -> None:
    plain = fit_light(face(lamp(0.3)), MARKS)
    hairy = fit_light(face(bearded(lamp(0.3))), MARKS)
    apart = np.abs(np.log(irradiance(hairy, vertex_normals(MARKS)) / irradiance(plain, vertex_normals(MARKS))))[T.skin_points]
    assert np.median(apart) < 0.08 and np.percentile(apart, 90) < 0.25


def test_without_a_beard_no_sample_changes() -> None:
    normals = vertex_normals(MARKS)[T.skin_points]
    low = beard_area()[: len(normals)]
    trust = np.clip(-normals[:, 2], 0, 1)
    for side in (0.0, 0.3, 0.6):
        colours = lamp(side)[T.skin_points]
        assert np.array_equal(_shaven(colours, harmonics(normals)[:, :4], trust, low), colours)


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
