"""The numbers of casting: verdicts, tying faces to people, what is lacking, overrides."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import cdist

from facedouble.doubles.casting import (
    ACCEPTED,
    DOUBLES,
    FEW,
    ONE_PERSON,
    WITNESS,
    Finding,
    Fitness,
    Override,
    Verdict,
    against,
    apart,
    distances,
    lacking,
    least,
    tie,
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


def test_distances_are_those_of_a_slow_reference() -> None:
    e = np.random.default_rng(0).normal(size=(7, 128))
    assert np.allclose(distances(e), cdist(e, e), atol=1e-6)
    assert np.isclose(apart(e[:3], e[3:]), np.linalg.norm(e[:3].mean(0) - e[3:].mean(0)))
    assert np.isclose(least(e[0], e[1:]), cdist(e[:1], e[1:]).min())
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


def test_faces_are_tied_to_people() -> None:
    rng = np.random.default_rng(2)
    people = [person(rng, n) for n in (4, 9, 6)]
    order = rng.permutation(19)
    tied = tie(np.concatenate(people)[order], list(range(19)))
    owner = np.repeat([0, 1, 2], [4, 9, 6])[order]
    assert [len(g) for g in tied] == [9, 6, 4]
    assert all(len(set(owner[g])) == 1 for g in tied) and sorted(i for g in tied for i in g) == list(range(19))
    assert tie(np.zeros((0, 128)), []) == []


def test_tying_is_average_linkage() -> None:
    e = np.random.default_rng(3).normal(size=(40, 3)) * 0.5
    labels = fcluster(linkage(e, "average"), ONE_PERSON, "distance")
    reference = [set(np.flatnonzero(labels == k).tolist()) for k in np.unique(labels)]
    ours = [set(g) for g in tie(e, list(range(40)))]
    assert len([g for g in reference if len(g) > 1]) > 3
    for group in ours:  # what was hardly seen may have joined a group since
        inside = [g for g in reference if g <= group]
        assert set().union(*inside) == group and len([g for g in inside if len(g) > FEW]) <= 1


def test_two_faces_of_one_moment_are_two_people() -> None:
    one = person(np.random.default_rng(4), 6, spread=0.05)
    assert [len(g) for g in tie(one, [0, 0, 1, 1, 2, 2])] == [3, 3]
    assert [len(g) for g in tie(one, list(range(6)))] == [6]


def test_a_stray_face_goes_to_whom_it_would_be_accepted_as() -> None:
    base = np.zeros((4, 128))
    stray = np.zeros((1, 128))
    stray[0, 0] = (ONE_PERSON + ACCEPTED) / 2
    assert tie(np.concatenate([base, stray]), list(range(5))) == [[0, 1, 2, 3, 4]]
    stray[0, 0] = ACCEPTED + 0.01
    assert tie(np.concatenate([base, stray]), list(range(5))) == [[0, 1, 2, 3], [4]]


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
