"""The motion attacker tells people apart who move in their own way, and nobody else."""

from __future__ import annotations

import numpy as np
import pytest

from facedouble.audit.motion import Moves, habits, trace
from facedouble.types import Floats

RATE, FRAMES = 25.0, 50


def moves(rng: np.random.Generator, head: float, face: float, blinks: int = 0) -> Moves:
    """A window of somebody: how lively head and face are, and how many blinks."""
    t = np.cumsum(rng.normal(size=(FRAMES, 45)), 0)
    t -= t.mean(0)
    lids = np.full((FRAMES, 2), 0.3)
    for k in range(blinks):
        lids[5 + 12 * k : 8 + 12 * k] = 0.08
    return Moves(head * t[:, :3], face * t[:, 3:35], 0.3 * face * t[:, 3:35], lids, RATE)


def people(count: int, each: int, own: float, seed: int) -> tuple[dict[str, list[Floats]], dict[str, list[Floats]]]:
    """Two lots of windows; `own`: how far each person's liveliness is from the others', log units."""
    rng = np.random.default_rng(seed)
    known: dict[str, list[Floats]] = {}
    seen: dict[str, list[Floats]] = {}
    for k in range(count):
        head, face = np.exp(own * rng.normal(size=2))
        for part in (known, seen):
            part[f"p{k}"] = [habits(moves(rng, head, 0.02 * face, rng.integers(0, 2))) for _ in range(each)]
    return known, seen


def test_people_who_move_in_their_own_way_are_told_apart() -> None:
    found = trace(*people(10, 6, own=1.0, seed=0))
    assert found.auc.value > 0.9 and found.first > 0.5
    assert found.auc.low < found.auc.value < found.auc.high and (found.people, found.windows, found.gallery) == (10, 60, 10)


def test_people_who_move_alike_are_not() -> None:
    aucs = [trace(*people(10, 6, own=0.0, seed=s)).auc for s in range(6)]
    assert np.mean([a.value for a in aucs]) == pytest.approx(0.5, abs=0.05)
    assert sum(a.low < 0.5 < a.high for a in aucs) >= 4


def test_one_person_is_asked_about_among_many() -> None:
    known, seen = people(8, 5, own=1.0, seed=3)
    found = trace(known, {"p1": seen["p1"]})
    assert found.people == 1 and found.windows == 5 and 0.5 < found.auc.low <= found.auc.value


def test_habits_tell_more_lively_from_less() -> None:
    rng = np.random.default_rng(0)
    still, lively = moves(rng, 0.0, 0.0), moves(rng, 1.0, 0.02, blinks=2)
    a, b = habits(still), habits(lively)
    assert a.shape == b.shape and (b[:-2] >= a[:-2] - 1e-6).all()  # all but the lids' evenness and the blinks
    assert a[-1] == 0 and b[-1] == pytest.approx(2 / FRAMES * RATE)


def test_a_shift_of_everything_is_no_motion() -> None:
    m = moves(np.random.default_rng(5), 1.0, 0.02)
    moved = Moves(m.turns + 10, m.expression + 1, m.skew, m.lids, RATE)
    np.testing.assert_allclose(habits(moved), habits(m), atol=1e-5)


def test_bad_windows_and_too_few_people_are_errors() -> None:
    m = moves(np.random.default_rng(0), 1, 0.1)
    with pytest.raises(ValueError, match="finite"):
        Moves(m.turns * np.nan, m.expression, m.skew, m.lids, RATE)
    with pytest.raises(ValueError, match="as many"):
        Moves(m.turns[:-1], m.expression, m.skew, m.lids, RATE)
    known, seen = people(2, 2, 1.0, 0)
    bads: list[dict[str, list[Floats]]] = [{}, {"p0": []}, {"stranger": seen["p0"]}]
    for bad in bads:
        with pytest.raises(ValueError, match="two known people"):
            trace(known, bad)
    with pytest.raises(ValueError, match="two known people"):
        trace({"p0": known["p0"]}, {"p0": seen["p0"]})
