"""Casting: what follows from a likeness, and who may decide otherwise."""

from __future__ import annotations

import numpy as np
import pytest

from facedouble.errors import UsageError
from facedouble.types import Floats
from facedouble.voice.casting import LIKE, Finding, Fitness, Override, Verdict, check, judge, likeness, override, rank, verdict


def prints(direction: int, count: int = 8, spread: float = 0.1, seed: int = 0) -> Floats:
    rng = np.random.default_rng(seed)
    rows = np.eye(16)[direction] + spread * rng.normal(size=(count, 16))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def test_the_rule() -> None:
    refused, near = LIKE
    assert verdict(refused) is Verdict.REFUSED and verdict(np.nextafter(refused, 0)) is Verdict.NEAR
    assert verdict(near) is Verdict.NEAR and verdict(np.nextafter(near, 0)) is Verdict.FAR
    assert verdict(float("nan")) is Verdict.REFUSED and verdict(2.0) is Verdict.REFUSED and verdict(-1.0) is Verdict.FAR


def test_a_voice_is_like_itself_and_unlike_others() -> None:
    assert likeness(prints(0), prints(0, seed=1)) > 0.95 and abs(likeness(prints(0), prints(1))) < 0.3
    same, other = check("v", prints(0), {"voice 1": prints(0, seed=2), "voice 2": prints(3)})
    assert (same.whom, same.verdict, other.verdict) == ("voice 1", Verdict.REFUSED, Verdict.FAR)


@pytest.mark.parametrize("theirs", [np.zeros((0, 16)), prints(3, 2), np.full((8, 16), np.nan), np.zeros((8, 16))])
def test_what_cannot_be_told_is_refused(theirs: Floats) -> None:
    finding = judge("v", prints(0), "voice 1", theirs)
    assert np.isnan(finding.likeness) and finding.verdict is Verdict.REFUSED


def test_an_override_has_a_name_and_a_reason() -> None:
    found = check("v", prints(0), {"voice 1": prints(0, seed=2), "voice 2": prints(3)})
    record = override(found, "voice 1", " K2 ", "twins, both agree").record()
    assert record["by"] == "K2" and record["reason"] == "twins, both agree" and record["whom"] == "voice 1"
    for whom, by, reason in (("voice 1", "", "x"), ("voice 1", "K2", " "), ("voice 2", "K2", "x"), ("voice 3", "K2", "x")):
        with pytest.raises(UsageError):
            override(found, whom, by, reason)
    with pytest.raises(UsageError):
        Override(Finding("v", "voice 2", 0.1, Verdict.FAR), "K2", "x")


def test_the_order_of_voices() -> None:
    def fit(name: str, like: float, seconds: float) -> Fitness:
        return Fitness(Finding(name, "voice 1", like, verdict(like)), seconds)

    fits = [fit("alike", 0.9, 300), fit("unknown", float("nan"), 300), fit("short", 0.1, 20), fit("near", 0.6, 300),
            fit("long", 0.3, 290), fit("longer", 0.2, 300), fit("minute", 0.1, 70)]
    assert [f.finding.voice for f in rank(fits)] == ["longer", "long", "minute", "short", "near", "alike", "unknown"]
