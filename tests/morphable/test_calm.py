"""Calm takes away what is a person's own in the motion, and leaves speech alone."""

from __future__ import annotations

import numpy as np
import pytest

from facedouble.morphable.calm import BROWS, EXPRESSIONS, LIDS, LIPS, SHUT, calmed, mirroring
from facedouble.types import CODE_FLOATS, Array, ClipCode

CLIP = ClipCode(0.5, 1.2, 0.4, 2.0, 0.0, (0.05, 0.05), (0.3, 0.3), (0.0, 0.0), 0.0, 0.0)
RATE = 25.0


def talk(frames: int, blinks: list[int]) -> Array:
    rng = np.random.default_rng(1)
    codes = np.zeros((frames, CODE_FLOATS), np.float32)
    codes[:, :7] = rng.normal(size=(frames, 7))
    codes[:, EXPRESSIONS] = np.cumsum(rng.normal(0, 0.02, (frames, 32)), 0)
    codes[:, LIDS] = 0.3
    codes[:, LIPS] = rng.uniform(0, 0.1, (frames, 9))
    for b in blinks:
        codes[b : b + 4, LIDS] = 0.06
    return codes


def shut(codes: Array) -> Array:
    return np.flatnonzero(codes[:, LIDS].mean(1) < SHUT * 0.3)


def test_nothing_happens_without_calm() -> None:
    codes = talk(100, [30])
    assert np.array_equal(calmed(codes, CLIP, 0.0, RATE, 0), codes)


def test_full_calm_is_symmetric() -> None:
    e = calmed(talk(100, [30]), CLIP, 1.0, RATE, 0)[:, EXPRESSIONS]
    assert np.abs(e @ mirroring().T - e).max() < 1e-5
    half = calmed(talk(100, [30]), CLIP, 0.4, RATE, 0)[:, EXPRESSIONS]
    before = talk(100, [30])[:, EXPRESSIONS]
    assert np.abs(half @ mirroring().T - half).max() < 0.7 * np.abs(before @ mirroring().T - before).max()


def test_brows_move_less_and_the_symmetric_mouth_as_much() -> None:
    codes = talk(200, [])
    e = codes[:, EXPRESSIONS]
    even = (e + e @ mirroring().T) / 2
    after = calmed(codes, CLIP, 1.0, RATE, 0)[:, EXPRESSIONS]
    assert after[:, BROWS].std(0) == pytest.approx(0.6 * even[:, BROWS].std(0), rel=0.05)
    assert np.abs(after[:, :16] - even[:, :16]).max() < 1e-5


def test_head_and_mean_lip_gap_stay() -> None:
    codes = talk(100, [30])
    after = calmed(codes, CLIP, 1.0, RATE, 0)
    assert np.array_equal(after[:, :7], codes[:, :7])
    assert np.abs(after[:, LIPS].mean(1) - codes[:, LIPS].mean(1)).max() < 1e-6


def test_the_rhythm_of_blinks_is_nobodys() -> None:
    """Two people who blink at different times come out blinking at the same ones; a gentler calm leaves their own."""
    one, two = talk(500, [40, 60, 80, 300]), talk(500, [100, 350])
    a, b = (shut(calmed(c, CLIP, 0.6, RATE, 3)) for c in (one, two))
    assert len(a) > 5 and np.array_equal(a, b)
    assert not np.array_equal(a, shut(calmed(one, CLIP, 0.6, RATE, 4)))
    assert np.array_equal(shut(calmed(one, CLIP, 0.4, RATE, 3)), shut(one))
