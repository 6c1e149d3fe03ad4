"""A fast face is smeared as the footage says, along its motion; a slow one is left as it is."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from facedouble.faces.reading import Sighting
from facedouble.morphable.topology import topology
from facedouble.pipeline.analyse import Analysis
from facedouble.pipeline.sight import DIRECTIONS, EXTREMES, Window, exposure, extremes, smear
from facedouble.protect.drive import Performance
from facedouble.protect.face import LEAST_SMEAR, SMEAR_SHARE, smear_of
from facedouble.types import MESH_POINTS, Array, Box, Double, FaceCode


def moved(analysis: Analysis, double: Double, step: tuple[float, float], shutter: float) -> Performance:
    """Three frames of one code, `step` px apart."""
    role = analysis.roles[0]
    assert role.fit is not None
    code = role.fit.codes[5]
    codes = [replace(code, translation=code.translation + np.array([*step, 0], np.float32) * i) for i in range(3)]
    return Performance([FaceCode.unpack(c.pack()) for c in codes], replace(role.fit.clip, shutter=shutter), double)


def spread(kernel: Array) -> Array:
    """(2, 2) covariance of a kernel, px."""
    at = np.arange(len(kernel)) - len(kernel) // 2
    x, y = np.meshgrid(at, at)
    return np.array([[(kernel * a * b).sum() for a in (x, y)] for b in (x, y)])


@pytest.mark.parametrize("step", [(30.0, 0.0), (0.0, -30.0), (20.0, 20.0)])
def test_smear_lies_along_the_motion(analysis: Analysis, double: Double, step: tuple[float, float]) -> None:
    kernel = smear_of(moved(analysis, double, step, 0.3 / SMEAR_SHARE), 1, 400.0)
    assert kernel is not None
    assert kernel.sum() == pytest.approx(1, abs=1e-5)
    along = np.array(step) / np.hypot(*step)
    across = np.array([-along[1], along[0]])
    assert along @ spread(kernel) @ along == pytest.approx((0.3 * np.hypot(*step)) ** 2 / 12, abs=0.4)  # pixels have a width
    assert across @ spread(kernel) @ across < 0.4


@pytest.mark.parametrize(("step", "shutter"), [(0.0, 1.0), (30.0, 0.0), (LEAST_SMEAR / SMEAR_SHARE, 0.9)])
def test_slow_or_unexposed_stays_sharp(analysis: Analysis, double: Double, step: float, shutter: float) -> None:
    assert smear_of(moved(analysis, double, (step, 0.0), shutter), 1, 400.0) is None


def test_a_pose_that_jumps_is_not_drawn_out(analysis: Analysis, double: Double) -> None:
    kernel = smear_of(moved(analysis, double, (4000.0, 0.0), 1.0), 1, 200.0)
    assert kernel is not None
    assert len(kernel) < 0.2 * 200


def test_exposure_is_found_again() -> None:
    speeds = np.r_[np.zeros(EXTREMES), np.linspace(20, 40, EXTREMES)]
    velocities = np.stack([speeds, 0 * speeds], 1)
    marks = np.zeros((MESH_POINTS + 10, 3), np.float32)
    at = np.arange(300) // 40 % 2
    picture = cv2.GaussianBlur((at[:, None] ^ at).astype(np.float32), (0, 0), 2.0)
    marks[:MESH_POINTS] = face_marks()
    seen = Sighting(0, marks, np.zeros(69, np.float32), 0.0)
    smears = []
    for speed in speeds:
        length = max(round(0.4 * speed), 1)
        blurred = cv2.filter2D(picture, -1, np.full((1, length), 1 / length))
        found = smear(np.repeat(blurred[..., None], 3, 2), seen, Window(0, 0, 300))
        assert found is not None and found.shape == (DIRECTIONS,)
        smears.append(found)
    sizes = np.full(len(speeds), 200.0)
    assert exposure(np.array(smears), velocities, sizes) == pytest.approx(0.4, abs=0.12)
    assert exposure(np.array(smears), velocities[:, ::-1], sizes) == 0  # across the motion nothing has grown
    assert exposure(np.array([smears[0]] * len(speeds)), velocities, sizes) == 0
    assert exposure(np.array(smears)[:EXTREMES], velocities[:EXTREMES], sizes[:EXTREMES]) == 0  # nothing is fast


def face_marks() -> Array:
    """(468, 3) the mean face, 200 px wide, in the middle of 300 px."""
    mean = topology().mean[:MESH_POINTS].astype(np.float64)
    wide = np.linalg.norm(mean[234, :2] - mean[454, :2])
    placed = mean * 200 / wide
    placed[:, :2] += 150 - (placed[:, :2].min(0) + placed[:, :2].max(0)) / 2
    return placed


def test_only_a_fast_track_is_looked_at_more_often() -> None:
    still = [Box(100, 100, 200, 200)] * 60
    fast = [Box(100 + x, 100, 200 + x, 200) for x in np.cumsum(np.r_[np.zeros(30), np.full(15, 10), np.zeros(15)]).tolist()]
    assert extremes(still).size == 0
    assert extremes(fast).size == 2 * EXTREMES
    assert extremes(fast[:10]).size == 0
