"""From landmarks to codes: what comes out of a moved mean shape is what went in; and when the veil takes over."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from facedouble.faces.fit import Sighting, cross_fade, fit, fuse, judge, smooth
from facedouble.morphable.topology import topology
from facedouble.options import FitOptions
from facedouble.types import Array

T = topology()


def sightings(yaw: Array, size: float = 120.0) -> list[Sighting]:
    light = np.zeros(69, np.float32)
    rows = []
    for i, y in enumerate(yaw):
        r = Rotation.from_euler("y", y, degrees=True).as_matrix()
        rows.append(Sighting(i, (size * T.mean @ r.T + [300 + i, 200, 0]).astype(np.float32), light, 0.01))
    return rows


def test_pose_of_a_moved_mean_shape() -> None:
    yaw = 15 * np.sin(np.arange(40) / 6)
    made = fit(sightings(yaw), 0, 0)
    assert np.abs(made.angles[:, 0] - yaw).max() < 1.0
    assert made.codes[10].scale == pytest.approx(120, rel=0.01)
    assert np.abs(made.codes[10].translation - [310, 200, 0]).max() < 1


def test_too_far_too_small_and_disagreeing_are_not_trusted() -> None:
    options = FitOptions()
    rows = sightings(np.linspace(0, 60, 60))
    good = judge(fit(rows, 0, 0), rows, options)
    assert good[:35].all() and not good[45:].any()
    tiny = sightings(np.zeros(10), size=12)
    assert not judge(fit(tiny, 0, 0), tiny, options).any()
    torn = [Sighting(s.frame, s.marks, s.light, 0.5) for s in sightings(np.zeros(10))]
    assert not judge(fit(torn, 0, 0), torn, options).any()


def test_the_fade_is_over_before_the_first_bad_frame() -> None:
    good = np.ones(60, bool)
    good[30:40] = False
    w = cross_fade(good, 5, 8)
    assert (w[30:40] == 0).all() and w[29] == 0 and w[40] == 0
    assert w[24] == 1 and w[45] == 1 and (np.diff(w[:30]) <= 0).all()
    assert (cross_fade(np.ones(5, bool), 5, 8) == 1).all()


def test_short_islands_of_trust_stay_veiled() -> None:
    good = np.zeros(40, bool)
    good[10:15] = True
    assert (cross_fade(good, 5, 8) == 0).all()


def test_smoothing_has_no_lag_and_leaves_short_runs_alone() -> None:
    x = np.sin(np.arange(50) / 5)
    assert np.abs(smooth(x, 5) - x).max() < 0.01
    assert np.array_equal(smooth(x[:2], 5), x[:2])


def test_a_mirrored_run_is_turned_back() -> None:
    seen = T.mean[T.mirror]  # in a mirror, with x turned back, a landmark has the other side's number
    fused, apart = fuse(T.mean, seen)
    assert apart < 1e-6 and np.allclose(fused[:468], T.mean[:468], atol=1e-6)


def test_the_fade_of_an_hour_of_footage_needs_little_memory() -> None:
    good = np.ones(90_000, bool)
    good[::3000] = False
    w = cross_fade(good, 5, 8)
    assert w[1500] == 1 and w[3000] == 0 and w[3001] == 0 and w[3002] == pytest.approx(0.2)
