"""The numbers of casting: verdicts, tying faces to people, what is lacking, overrides."""

from __future__ import annotations

import numpy as np
import pytest

from facedouble.doubles.casting import (
    DOUBLES,
    WITNESS,
    Finding,
    Fitness,
    Override,
    Verdict,
    against,
    apart,
    lacking,
    least,
    verdict,
)
from facedouble.errors import UsageError
from facedouble.types import Array


def person(rng: np.random.Generator, looks: int, spread: float = 0.2, centre: float = 1.0) -> Array:
    """Embeddings (looks, 128) around a point of its own, `spread` from it; people are about 1.4 `centre` apart."""
    def on_sphere(n: int, radius: float) -> Array:
        v = rng.normal(size=(n, 128))
        v *= radius / np.linalg.norm(v, axis=1, keepdims=True)
        return v
    return (on_sphere(1, centre) + on_sphere(looks, spread)).astype(np.float32)


@pytest.mark.parametrize(("distance", "limits", "expected"), [
    (0.0, WITNESS, Verdict.REFUSED), (0.6499, WITNESS, Verdict.REFUSED), (0.65, WITNESS, Verdict.NEAR),
    (0.7499, WITNESS, Verdict.NEAR), (0.75, WITNESS, Verdict.FAR), (float("nan"), WITNESS, Verdict.REFUSED),
    (0.39, DOUBLES, Verdict.REFUSED), (0.55, DOUBLES, Verdict.FAR)])
def test_verdicts(distance: float, limits: tuple[float, float], expected: Verdict) -> None:
    assert verdict(distance, limits) is expected


def test_distances_of_people_are_those_of_their_middles() -> None:
    e = np.random.default_rng(0).normal(size=(7, 128))
    assert np.isclose(apart(e[:3], e[3:]), np.linalg.norm(e[:3].mean(0) - e[3:].mean(0)))
    assert np.isclose(least(e[0], e[1:]), min(np.linalg.norm(e[0] - o) for o in e[1:]))
    assert least(e[0], e[:0]) == float("inf")


def test_two_people_tied_by_mistake_do_not_hide_the_nearer() -> None:
    rng = np.random.default_rng(1)
    one, two = person(rng, 5), person(rng, 5)
    both, parts = np.concatenate([one, two]), np.repeat([0, 1], 5)
    double = one + 0.01
    assert apart(double, both) > WITNESS[0] > against(double, both, parts)
    assert np.isclose(against(double, both, parts), apart(double, one))


def test_an_embedding_that_is_no_number_refuses() -> None:
    people, broken = np.ones((4, 128), np.float32), np.full((1, 128), np.nan, np.float32)
    assert verdict(against(broken, people, np.array([0, 0, 1, 1]))) is Verdict.REFUSED


def test_what_is_lacking() -> None:
    has = {"neutral": True, "turn left": False, "nod": True}
    assert lacking(has, {"neutral": True, "turn left": True, "nod": False, "smile": True}) == ("turn left", "smile")


def test_the_order_is_identity_first_then_needs() -> None:
    def fitness(distance: float, lacks: int = 0, quality: str = "good") -> Fitness:
        return Fitness(Finding("d", "person 1", distance, verdict(distance)), ("x",) * lacks, quality)
    best_first = [fitness(0.80), fitness(0.76), fitness(0.90, 0, "basic"), fitness(0.95, 1), fitness(0.70), fitness(0.50),
                  fitness(0.60, 3)]
    assert sorted(best_first[::-1], key=Fitness.order) == best_first


def test_an_override_needs_a_refusal_a_name_and_a_reason() -> None:
    refused, near = (Finding("d", "person 2", d, verdict(d)) for d in (0.41237, 0.7))
    kept = Override(refused, " V7 ", "her sister, and she agreed")
    assert kept.record() == {"double": "d", "whom": "person 2", "distance": 0.412, "by": "V7",
                             "reason": "her sister, and she agreed"}
    for by, reason in (("", "why"), ("V7", "  ")):
        with pytest.raises(UsageError, match="by name and with a reason"):
            Override(refused, by, reason)
    with pytest.raises(UsageError, match="not refused"):
        Override(near, "V7", "why")
