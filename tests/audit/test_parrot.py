"""The parrot attacker finds what a mask leaves, and nothing where it leaves nothing."""

from __future__ import annotations

import numpy as np
import pytest

from facedouble.audit.parrot import both_ways, common, guess, likeness, luck, needed, windowed
from facedouble.types import Floats

SIZE = 64
Rows = dict[str, list[Floats]]


def cast(count: int, own: float, each: int = 4, seed: int = 0, noise: float = 0.4) -> tuple[Rows, Rows]:
    """Two recordings of people in one mask: most is the mask's, `own` of each theirs, the rest differs from look to look."""
    rng = np.random.default_rng(seed)
    mask = 5 * rng.normal(size=SIZE)
    people = {f"p{k}": own * rng.normal(size=SIZE) for k in range(count)}

    def recording() -> Rows:
        return {n: [(mask + p + noise * rng.normal(size=SIZE)).astype(np.float32) for _ in range(each)]
                for n, p in people.items()}

    return recording(), recording()


def test_who_shines_through_is_named() -> None:
    known, seen = cast(10, own=0.5)
    found = guess(known, seen)
    assert found.verdict.rank1.value == 1.0 and found.verdict.eer.value < 0.02 and found.verdict.linkability.value > 0.9
    assert set(found.right) == set(seen) and found.luck == pytest.approx(0.1**10)


def test_a_mask_that_leaves_nothing_leaves_luck() -> None:
    found = [guess(*cast(12, 0.0, 6, seed)).verdict for seed in range(6)]
    assert np.mean([v.eer.value for v in found]) == pytest.approx(0.5, abs=0.06)
    assert np.mean([v.rank1.value for v in found]) == pytest.approx(1 / 12, abs=0.06)


def test_what_all_masks_have_in_common_does_not_hide_anybody() -> None:
    known, seen = cast(10, own=0.25, noise=0.1)  # a hundredth of the mask's power is the person's
    assert guess(known, seen).verdict.rank1.value > 0.95


def test_one_film_is_one_trial_however_many_windows_it_has() -> None:
    known, seen = cast(10, own=0.5)
    found = guess(known, {"p3": seen["p3"] * 20})
    assert found.right == ("p3",) and found.verdict.trials == 80 and found.luck == pytest.approx(0.1)


@pytest.mark.parametrize(("right", "people", "gallery", "chance"), [
    (0, 1, 10, 1.0), (1, 1, 10, 0.1), (1, 1, 44, 1 / 44), (1, 2, 10, 0.19), (2, 2, 10, 0.01)])
def test_luck(right: int, people: int, gallery: int, chance: float) -> None:
    assert luck(right, people, gallery) == pytest.approx(chance)


def test_how_many_people_a_verdict_needs() -> None:
    assert needed(1) == 44 and needed(2) == 7
    for people in (1, 2, 3):
        assert luck(people, people, needed(people)) < 0.0228 <= luck(people, people, needed(people) - 1)


def test_windows_are_means_of_looks() -> None:
    rows = np.eye(4, dtype=np.float32) * 3
    first, second = windowed(rows, np.array([0.0, 1.9, 2.0, 2.1]), 2.0)
    np.testing.assert_allclose(first, [0.5, 0.5, 0, 0])
    np.testing.assert_allclose(second, [0, 0, 0.5, 0.5])


def test_a_double_that_is_somebodys_face_is_like_him() -> None:
    rng = np.random.default_rng(1)
    bare = {f"p{k}": [rng.normal(size=SIZE).astype(np.float32)] for k in range(8)}
    worn = {n: [(bare["p2"][0] + 0.3 * v[0] + 0.2 * rng.normal(size=SIZE)).astype(np.float32)] for n, v in bare.items()}
    found = likeness(bare, worn, "p2")
    assert found.rank == 1 and found.score > 0.8 and found.people == 8
    assert likeness(bare, worn, "p5").score < 0.5


def test_nobodys_own_drawings_count_for_the_double() -> None:
    rng = np.random.default_rng(2)
    bare = {f"p{k}": [rng.normal(size=SIZE).astype(np.float32)] for k in range(4)}
    worn = {n: [rng.normal(size=SIZE).astype(np.float32)] for n in bare} | {"p1": bare["p1"] * 50}
    assert abs(likeness(bare, worn, "p1").score) < 0.5
    np.testing.assert_allclose(common({"p1": [np.ones(3, np.float32)], "p2": [np.array([2, 0, 0], np.float32)]}, "p1"), [1, 0, 0])


def test_people_with_two_recordings_are_asked_about() -> None:
    a, b, c = (np.full((2, 3), v, np.float32) for v in (1, 2, 3))
    found = both_ways({"p1": [a, b], "p2": [c], "p3": []})
    assert found is not None and list(found[0]) == ["p1", "p2"] and list(found[1]) == ["p1"]
    assert found[1]["p1"][0][0] == 2 and both_ways({"p2": [c]}) is None


def test_too_little_to_ask_is_an_error() -> None:
    known, seen = cast(3, 0.5)
    with pytest.raises(ValueError, match="two known people"):
        guess({"p0": known["p0"]}, {"p0": seen["p0"]})
    with pytest.raises(ValueError, match="not enrolled"):
        guess(known, {"somebody": seen["p0"]})
    with pytest.raises(ValueError, match="finite"):
        guess(known, {"p0": [np.full(SIZE, np.nan, np.float32)]})
    with pytest.raises(ValueError, match="nobody else"):
        common({"p0": known["p0"]}, "p0")
