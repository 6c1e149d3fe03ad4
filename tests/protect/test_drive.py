"""Gains of lids, gaze and mouth: fixed points, order, limits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from facedouble.doubles.mannequin import mannequin
from facedouble.morphable import layout
from facedouble.morphable.semantics import semantics
from facedouble.pipeline.alone import resting
from facedouble.pipeline.analyse import Analysis
from facedouble.protect.drive import GAZE_GAIN, OPEN_AT_REST, RESTING_OPENING, WIDEST, Performance, lid_opening
from facedouble.types import Double, FaceCode


def test_lids_keep_shut_rest_and_order() -> None:
    opening = [lid_opening(r) for r in np.linspace(0, WIDEST, 200).tolist()]
    assert lid_opening(0.0) == 0 and lid_opening(1.0) == 1
    assert (np.diff(opening) > 0).all()
    assert all(lid_opening(r) < r for r in (0.2, 0.5, 0.8))  # read as too open, drawn more closed
    assert max(opening) <= WIDEST


def test_gaze_swings_wider_about_its_own_middle(analysis: Analysis, double: Double) -> None:
    role = analysis.roles[0]
    assert role.fit is not None
    still = FaceCode.unpack(role.fit.codes[0].pack())
    codes = [replace(still, gaze=still.gaze + np.float32(d)) for d in (-0.1, 0.0, 0.1)]
    stage = Performance(codes, role.fit.clip, double)
    low, middle, high = (stage.gaze(t) for t in range(3))
    np.testing.assert_allclose(high - middle, 0.1 * np.tile(GAZE_GAIN, 2), atol=1e-6)
    np.testing.assert_allclose(middle - low, high - middle, atol=1e-6)


@pytest.mark.parametrize(("opening", "drawn"), [(0.27, 0.27), (0.32, 0.32), (0.45, OPEN_AT_REST)])
def test_eyes_at_rest_are_as_open_as_the_double_s_unless_they_stare(opening: float, drawn: float) -> None:
    """By the mean of three gaps, as apertures are measured everywhere else: by the middle one eyes were drawn a twelfth lower."""
    plain, eyes = mannequin(), ((layout.RIGHT_UPPER_LID, layout.RIGHT_LOWER_LID), (layout.LEFT_UPPER_LID, layout.LEFT_LOWER_LID))
    n = plain.neutral.copy()
    for upper, lower in eyes:
        n[upper[1:-1]] = n[lower[1:-1]] + (n[upper[1:-1]] - n[lower[1:-1]]) * opening / 0.32
    stage = resting(replace(plain, neutral=n))
    at_rest = replace(stage.codes[0], lids=np.full(2, RESTING_OPENING[1], np.float32))
    seen = semantics(stage.playing((at_rest,)).mesh(0)[None])
    assert [float(seen.right_aperture[0]), float(seen.left_aperture[0])] == pytest.approx([drawn] * 2, abs=0.003)
