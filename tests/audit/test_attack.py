"""The attackers find what is there, and nothing where nothing is."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from facedouble.audit import attack
from facedouble.audit.attack import Verdict, eer, ignorant, inverting, lazy, lda, linkability, rank1, semi, trained
from facedouble.types import Array, Floats

SIZE = 32


def people(count: int, each: int, rng: np.random.Generator, spread: float, own: float = 1.0,
           prefix: str = "p") -> tuple[dict[str, list[Floats]], dict[str, list[Floats]]]:
    """Two lots of recordings of the same people: `own` scales what is theirs, `spread` what differs between recordings."""
    middles = own * rng.normal(size=(count, SIZE))

    def lot() -> dict[str, list[Floats]]:
        return {f"{prefix}{k}": [(m + spread * rng.normal(size=SIZE)).astype(np.float32) for _ in range(each)]
                for k, m in enumerate(middles)}

    return lot(), lot()


def slow_eer(target: Array, nontarget: Array) -> float:
    """Half the sum of both errors where they are nearest, over all thresholds."""
    errors = [((target < t).mean(), (nontarget >= t).mean()) for t in np.concatenate([target, nontarget, [np.inf]])]
    missed, false = min(errors, key=lambda e: abs(e[0] - e[1]))
    return float(missed + false) / 2


def test_eer_of_known_scores() -> None:
    assert eer(np.array([2.0, 3.0]), np.array([0.0, 1.0])) == 0
    assert eer(np.array([0.0, 1.0]), np.array([2.0, 3.0])) == 1
    assert eer(np.ones(5), np.ones(7)) == 0.5
    assert eer(np.array([0, 1, 1, 1]), np.array([0, 0, 0, 1])) == pytest.approx(0.25)
    for bad in ((np.array([]), np.ones(2)), (np.ones(2), np.array([])), (np.array([np.nan]), np.ones(2))):
        with pytest.raises(ValueError):
            eer(*bad)


def test_eer_is_that_of_two_bells_and_of_the_slow_way() -> None:
    rng = np.random.default_rng(1)
    target, nontarget = rng.normal(2, 1, 20_000), rng.normal(0, 1, 20_000)
    assert eer(target, nontarget) == pytest.approx(0.1587, abs=0.006)  # the normal distribution beyond one deviation
    for n in (3, 10, 50):
        a, b = np.round(rng.normal(1, 1, n), 1), np.round(rng.normal(0, 1, 3 * n), 1)
        assert abs(eer(a, b) - slow_eer(a, b)) <= 0.5 / n + 0.05


def test_rank1_counts_ties_by_chance() -> None:
    scores = np.array([[3, 1, 1], [1, 1, 1], [0, 2, 2], [5, 0, 0]])
    assert rank1(scores, np.array([0, 1, 1, 2])) == pytest.approx((1 + 1 / 3 + 1 / 2 + 0) / 4)


def test_linkability_ends() -> None:
    rng = np.random.default_rng(2)
    same = rng.normal(size=20_000)
    assert linkability(same, same) == 0
    assert linkability(same, rng.normal(size=20_000)) < 0.06  # the histogram's own noise
    assert linkability(same + 20, same) == 1
    middle = linkability(rng.normal(2, 1, 20_000), rng.normal(0, 1, 20_000))
    x = np.linspace(-8, 10, 20_001)  # the integral itself
    mated, other = np.exp(-((x - 2) ** 2) / 2), np.exp(-(x**2) / 2)
    ratio = mated / other
    truth = float((mated * np.where(ratio > 1, 2 * ratio / (1 + ratio) - 1, 0)).sum() / mated.sum())
    assert middle == pytest.approx(truth, abs=0.02)


@pytest.mark.parametrize("attacker", [ignorant, lazy, semi])
def test_people_who_are_themselves_are_found(attacker: type[Verdict]) -> None:
    enrolled, asked = people(20, 5, np.random.default_rng(3), 0.2)
    v = attacker(enrolled, asked)  # type: ignore[arg-type, call-arg]
    assert v.eer.value < 0.01 and v.rank1.value == 1 and v.linkability.value > 0.95
    assert (v.people, v.trials, v.gallery, v.chance) == (20, 100, 20, 0.05)


def test_people_of_whom_nothing_is_left_are_not_found() -> None:
    rng = np.random.default_rng(4)
    enrolled, asked = people(40, 6, rng, 1.0, own=0.0)
    v = semi(enrolled, asked)
    assert v.eer.low < 0.5 < v.eer.high and abs(v.eer.value - 0.5) < 0.06
    assert v.rank1.low <= v.chance <= v.rank1.high and v.linkability.value < 0.2


def test_the_interval_is_about_people_not_recordings() -> None:
    """Half of the people are found always and half never: more recordings of each make the figure no surer."""
    rng = np.random.default_rng(5)
    enrolled, asked = people(16, 40, rng, 0.05)
    for k in range(8):
        asked[f"p{k}"] = [rng.normal(size=SIZE).astype(np.float32) for _ in range(40)]
    v = ignorant(enrolled, asked)
    assert v.rank1.value == pytest.approx(0.53, abs=0.03) and v.rank1.high - v.rank1.low > 0.3


def test_more_people_make_the_interval_narrower() -> None:
    widths = []
    for count in (8, 64):
        v = semi(*people(count, 4, np.random.default_rng(6), 2.0))
        assert v.eer.low <= v.eer.value <= v.eer.high
        widths.append(v.eer.high - v.eer.low)
    assert widths[1] < 0.6 * widths[0]


def test_the_same_seed_gives_the_same_verdict() -> None:
    lots = people(10, 3, np.random.default_rng(7), 1.0)
    assert ignorant(*lots) == ignorant(*lots) and ignorant(*lots) != ignorant(*lots, seed=1)


def test_a_trained_attacker_finds_what_cosine_misses() -> None:
    """What tells people apart lies in four directions, drowned by what does not."""
    rng = np.random.default_rng(8)
    scale = np.where(np.arange(SIZE) < 4, 1.0, 0.0)
    noise = np.where(np.arange(SIZE) < 4, 0.3, 3.0)

    def lot(middles: Array, prefix: str) -> dict[str, list[Floats]]:
        return {f"{prefix}{k}": [(m * scale + noise * rng.normal(size=SIZE)).astype(np.float32) for _ in range(6)]
                for k, m in enumerate(middles)}

    lessons, known = lot(rng.normal(size=(60, SIZE)), "l"), rng.normal(size=(20, SIZE))
    enrolled, asked = lot(known, "p"), lot(known, "p")
    plain, learned = semi(enrolled, asked), trained(enrolled, asked, lessons)
    assert plain.eer.value > 0.35 and learned.eer.value < 0.15
    with pytest.raises(ValueError, match="both"):
        trained(enrolled, asked, {**lessons, "p3": lessons["l0"]})
    with pytest.raises(ValueError, match="two people"):
        lda({"l0": lessons["l0"]})


def test_an_inverse_that_works_is_found() -> None:
    rng = np.random.default_rng(9)
    enrolled, asked = people(20, 4, rng, 0.3)
    mixing = np.linalg.qr(rng.normal(size=(SIZE, SIZE)))[0]
    changed = {who: [(mixing @ v).astype(np.float32) for v in vectors] for who, vectors in asked.items()}
    ways = {"wrong": lambda v: np.roll(v, 3), "right": lambda v: (mixing.T @ v).astype(np.float32)}
    best, alone = inverting(enrolled, changed, ways, lambda v: v)
    assert alone["nothing"].eer.value > 0.35 and alone["wrong"].eer.value > 0.35 and alone["right"].eer.value < 0.02
    assert best.attacker == "inverting" and best.eer.value < 0.02 and best.rank1.value > 0.97
    helpless, _ = inverting(enrolled, changed, {}, lambda v: v)
    assert helpless.eer == alone["nothing"].eer


def test_different_inverses_for_different_recordings_are_tried_together() -> None:
    rng = np.random.default_rng(10)
    enrolled, asked = people(20, 4, rng, 0.2)
    changed = {who: [np.roll(v, k % 4) for k, v in enumerate(vectors)] for who, vectors in asked.items()}
    ways = {f"{k}": partial(np.roll, shift=-k) for k in (1, 2, 3)}
    best, alone = inverting(enrolled, changed, ways, lambda v: v)
    assert best.eer == alone["any inverse"].eer and best.rank1.value > 0.95
    assert all(alone[k].rank1.value < 0.5 for k in ("nothing", "1", "2", "3"))


def test_what_makes_no_sense_is_refused() -> None:
    enrolled, asked = people(4, 2, np.random.default_rng(11), 1.0)
    nan = {**asked, "p0": [np.full(SIZE, np.nan, np.float32)]}
    for first, second in ((enrolled, {"x": asked["p0"]}), ({"p0": enrolled["p0"]}, {"p0": asked["p0"]}), (enrolled, nan),
                          (enrolled, {"p0": []}), ({**enrolled, "p9": []}, asked)):
        with pytest.raises(ValueError):
            ignorant(first, second)


def test_an_embedding_of_silence_is_like_nobody() -> None:
    enrolled, asked = people(6, 2, np.random.default_rng(12), 0.1)
    asked["p0"] = [np.zeros(SIZE, np.float32)]
    assert 0 < ignorant(enrolled, asked).rank1.value < 1


def test_two_people_are_enough() -> None:
    v = ignorant(*people(2, 1, np.random.default_rng(13), 0.1))
    assert v.rank1.value == 1 and v.eer.value == 0 and attack.DRAWS >= 1000
