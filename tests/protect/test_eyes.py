"""The kernel that paints eyes against array code with the same names."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.interpolate import CubicSpline
from scipy.spatial.transform import Rotation

from facedouble.protect.eyes import GLINT, PUPIL, _curve, _paint, below
from facedouble.types import Array


def step(low: float, high: float, x: Array) -> Array:
    t = np.clip((x - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


def painted_slowly(out: Array, soft: Array, lid: Array, left: Array, axis: Array, down: Array, gaze: Array, radius: float,
                   white: Array, colour: Array, level: float, side: float) -> Array:
    width = float(np.linalg.norm(axis))
    gx, gy = np.meshgrid(np.arange(out.shape[1]), np.arange(out.shape[0]))
    rx, ry = gx - left[0], gy - left[1]
    u, v = np.einsum("ij,jhw->ihw", np.linalg.inv(np.stack([axis, down], 1)), np.stack([rx, ry]))
    below = (gy - lid[None]) / np.linalg.norm(down)
    round_ = np.clip(1 - 0.5 * np.abs(2 * u - 1) ** 4, 0.35, 1)
    shadow = (1 - 0.55 * np.exp(-np.maximum(below, 0) / 0.055)) * round_
    dx, dy = (u - gaze[0]) / radius, (v - gaze[1]) / radius
    far = np.hypot(dx, dy)
    pixel = 1 / (radius * width)
    angle = np.arctan2(dy, dx)
    fibres = 1 + 0.10 * np.sin(angle * 17 + 3 * np.sin(angle * 5)) * step(0.35, 0.6, far) * (1 - step(0.8, 1, far))
    body = (1.05 - 0.6 * step(0.6, 1.0, far) + 0.22 * np.clip(dy, -1, 1)) * fibres
    iris = colour * body[..., None]
    pupil = (1 - step(PUPIL - pixel, PUPIL + pixel, far))[..., None]
    iris = iris * (1 - pupil) + 0.012 * level * pupil
    a = (1 - step(0.95 - pixel * 0.5, 1.04 + pixel * 0.6, far))[..., None]
    full = white * shadow[..., None] * (1 - a) + iris * (0.45 + 0.55 * shadow[..., None]) * a
    spot = np.hypot(u - (gaze[0] - 0.30 * radius * side), v - (gaze[1] - 0.34 * radius)) / radius
    glint = (0.7 * (1 - step(0.05, 0.16 + pixel * 0.5, spot)))[..., None] * a
    full = full * (1 - glint) + min(1.6 * level + min(0.25, GLINT * level), 1.0) * glint
    return np.asarray(out * (1 - soft[..., None]) + full * soft[..., None])


def test_eyes_are_painted_as_their_slow_twin_says() -> None:
    rng = np.random.default_rng(0)
    for turn, side in ((0.1, -0.6), (-0.25, 0.9)):
        out = rng.uniform(0, 1, (36, 70, 3)).astype(np.float32)
        soft = np.clip(rng.uniform(-0.5, 1.5, (36, 70)), 0, 1).astype(np.float32)
        lid, left = rng.uniform(2, 9, 70), np.array([3.2, 15.1])
        axis = 63 * np.array([np.cos(turn), np.sin(turn)])
        down = np.array([-axis[1], axis[0]]) * rng.uniform(0.8, 1.5) + rng.uniform(-9, 9, 2)
        rest = (np.array([0.47, 0.05]), 0.22, np.array([0.5, 0.45, 0.4]), np.array([0.1, 0.07, 0.05]), 0.6, side)
        expected = painted_slowly(out, soft, lid, left, axis, down, *rest)
        _paint(out, soft, lid, left, axis, down, *rest)
        assert np.abs(out - expected).max() < 1e-5


def test_a_lid_is_a_cubic_spline() -> None:
    points = np.random.default_rng(1).normal(size=(9, 2))
    assert np.allclose(_curve(points), CubicSpline(np.linspace(0, 1, 9), points)(np.linspace(0, 1, 33)), atol=1e-12)


@pytest.mark.parametrize("yaw", [0, 20, 40, -40])
def test_an_eye_of_a_turned_head_is_narrower_and_no_flatter(yaw: int) -> None:
    """Frontal as it ever was; turned, a look straight down is as far down as it was, and the iris as high."""
    across = np.array([60.0, 5, 12])
    turn = Rotation.from_euler("y", yaw, degrees=True).as_matrix()
    down, seen = below(turn @ across, turn), (turn @ across)[:2]
    assert down == pytest.approx([-5 * np.cos(np.radians(yaw)), 60])
    if yaw == 0:
        assert down == pytest.approx([-seen[1], seen[0]])
    nod = Rotation.from_euler("x", 30, degrees=True).as_matrix()
    assert below(nod @ across, nod)[1] == pytest.approx(60 * np.cos(np.radians(30)))
