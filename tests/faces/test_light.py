"""What of a witness' light goes over to a double."""

from __future__ import annotations

import numpy as np
import pytest

from facedouble.faces.light import RELIEF, _shaven, _shine, beard_area, fit_light, without_relief
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


def shiny(lit: Array, gloss: float, strength: float) -> Array:
    """The light of a face with sweat on it: white highlights of two lamps, `strength` times as bright as the skin is."""
    way = np.array([[-0.35, -0.4, -1.0], [0.45, -0.25, -1.0]])
    facing = (vertex_normals(MARKS) @ (way / np.linalg.norm(way, axis=1, keepdims=True)).T).max(1)
    return np.asarray(lit + strength * lit.mean() * np.clip(facing, 0, 1)[:, None] ** gloss)


def moved(one: Floats, other: Floats) -> float:
    """Root mean square of the log ratio of two fitted lights on plain skin that faces the camera, three colours."""
    normals = vertex_normals(MARKS)
    apart = np.log(irradiance(one, normals) / irradiance(other, normals))[T.skin_points]
    trust = np.clip(-normals[T.skin_points, 2:], 0, 1)
    return float(np.sqrt((trust * apart**2).sum() / (3 * trust.sum())))


def tinted(lit: Array, skin: Array) -> Array:
    """The light of a face with skin of another colour."""
    return np.asarray(lit / SKIN * skin)


@pytest.mark.parametrize(("skin", "strength"), [((0.16, 0.085, 0.05), 1.6), ((0.20, 0.10, 0.03), 1.0), (SKIN, 0.8)])
@pytest.mark.parametrize("gloss", [22.0, 35.0])
def test_shine_is_no_light_on_skin(skin: Array, strength: float, gloss: float) -> None:
    dull = tinted(lamp(0.3), np.asarray(skin))
    plain, sweaty = (without_relief(fit_light(face(lit), MARKS), MARKS) for lit in (dull, shiny(dull, gloss, strength)))
    assert moved(sweaty, plain) < 0.08  # .1 to .34 with the shine in the fit


def test_without_highlights_there_is_no_shine() -> None:
    normals = vertex_normals(MARKS)[T.skin_points]
    trust, basis = np.clip(-normals[:, 2], 0, 1), harmonics(normals)[:, :4]
    rough = np.exp(np.random.default_rng(3).normal(0, 0.1, (len(normals), 1)))
    for side in (0.0, 0.3, 0.6):
        for skin in (SKIN, [0.16, 0.085, 0.05], [0.3, 0.3, 0.3]):
            colours = tinted(lamp(side), np.asarray(skin))[T.skin_points] * rough
            assert not _shine(colours, basis, trust).any()
    cold = np.clip(normals[:, :1], 0, 1) * [0.05, 0.12, 0.2]  # a second lamp, of another colour: that is no shine
    colours = lamp(0.3)[T.skin_points] * rough + cold
    assert not _shine(colours, basis, trust).any()


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
    """Of the relief a half is left; what the face as a whole loses of its light with it, the first order makes up for."""
    rng, normals = np.random.default_rng(0), vertex_normals(MARKS)
    trust = np.clip(-normals[T.skin_points, 2:], 0, 1)
    for _ in range(20):
        code = np.concatenate([[0.4, 0.35, 0.3], 0.05 * rng.standard_normal(66)]).astype(np.float32)
        kept = without_relief(code, MARKS)
        assert np.allclose(kept[12:], RELIEF * code[12:])
        full, left = (irradiance(c, normals)[T.skin_points] for c in (code, kept))
        assert np.abs((trust * np.log(left / full)).sum(0) / trust.sum()).max() < 0.02  # up to .22 without the making up
        side = (trust * normals[T.skin_points][:, :1] * (left - full)).sum(0) / (trust * full).sum(0)
        assert np.abs(side).max() < 0.01
    flat = np.concatenate([[0.4, 0.35, 0.3], 0.05 * rng.standard_normal(9), np.zeros(57)]).astype(np.float32)
    assert np.allclose(without_relief(flat, MARKS), flat)
    at = np.array([[0, 0, -1.0], [1, 0, 0], [0, -1, 0]])
    beyond, less = (irradiance_at(c, at) - harmonics(at)[:, :4] @ c[:12].reshape(4, 3) for c in (code, kept))
    assert np.abs(code[12:SH_FLOATS]).max() > 0 and np.abs(less).max() < 0.6 * np.abs(beyond).max()
