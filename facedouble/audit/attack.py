"""Attacks on changed voices, as figures: who can still tell whose voice it was, and how surely. Arrays in, a `Verdict` out.

People are names in a dict; each has a list of embeddings (D,) of single recordings. An attacker enrols recordings of known people
and asks of each changed recording whose it is. What differs between the attackers is what they enrol:

ignorant: original recordings, not knowing the tool; lazy: recordings changed with another double; semi-informed: changed with
the same double; trained: the same, and has learned on changed speech of other people what still tells them apart; inverting:
originals, after trying a list of inverses on the changed recording.

Figures hold for these attackers, this recogniser and this speech only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from scipy.linalg import eigh

from facedouble.types import Array, Doubles, Floats, Ints, Value

DRAWS: Final = 1000  # of the bootstrap
INTERVAL: Final = (2.5, 97.5)  # percentiles
SHRINK: Final = (0.02, 0.1, 0.4)  # shares of the scatter within a person that the trained attacker takes for the same everywhere
BIN_OF, MOST_BINS = 10, 100  # scores in a bin of the linkability's histogram; most bins

People = Mapping[str, Sequence[Floats]]
"""Each person's embeddings, one a recording."""

Inverse = Callable[[Floats], Floats]
"""A changed sound (N,) -> the original, as the attacker guesses it."""


@dataclass(frozen=True)
class Estimate(Value):
    """A figure with its 95 % interval by bootstrap over the people."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.1%} [{self.low:.1%}-{self.high:.1%}]"


@dataclass(frozen=True)
class Verdict(Value):
    """How well one attacker did. eer: equal error rate, .5 = knows nothing; rank1: share of first guesses that were right.

    linkability: 0 = nothing links a recording to its person, 1 = everything does (Gomez-Barrero et al. 2018, D_sys). people were
    asked about in `trials` recordings, among `gallery` enrolled ones.
    """

    attacker: str
    eer: Estimate
    rank1: Estimate
    linkability: Estimate
    people: int
    trials: int
    gallery: int

    @property
    def chance(self) -> float:
        """Rank-1 of guessing."""
        return 1 / self.gallery


def eer(target: Array, nontarget: Array) -> float:
    """The equal error rate of scores of same and of different people, higher meaning more alike."""
    scores, same = _joined(target, nontarget)
    return _Curve(scores, same).eer(np.ones(len(scores)))


def linkability(target: Array, nontarget: Array) -> float:
    """D_sys over a histogram of the scores, same and different people being equally likely beforehand."""
    scores, same = _joined(target, nontarget)
    return _linkability(scores, same, np.ones(len(scores)))


def rank1(scores: Array, owner: Array) -> float:
    """The share of rows (trials) of scores (n, people) whose highest is at `owner` (n,); ties count by chance."""
    return float(_hits(np.asarray(scores, np.float64), np.asarray(owner)).mean())


def ignorant(original: People, changed: People, seed: int = 0) -> Verdict:
    """The attacker who enrols original recordings."""
    return _verdict("ignorant", *_scores(original, changed), seed)


def lazy(elsewhere: People, changed: People, seed: int = 0) -> Verdict:
    """The attacker who enrols recordings changed with another double or other settings."""
    return _verdict("lazy", *_scores(elsewhere, changed), seed)


def semi(alike: People, changed: People, seed: int = 0) -> Verdict:
    """The attacker who enrols other recordings, changed with the same double."""
    return _verdict("semi-informed", *_scores(alike, changed), seed)


def trained(alike: People, changed: People, lessons: People, seed: int = 0) -> Verdict:
    """The semi-informed attacker who has learned from `lessons`: other people's speech, changed with the same double.

    He tries several ways to learn; that he would know the best of them is assumed.
    """
    if known := sorted(set(lessons) & (set(alike) | set(changed))):
        raise ValueError(f"{known[0]} is both in the lessons and in the trial")
    tried = []
    for learn in (lda(lessons, shrink) for shrink in SHRINK):
        shown = [{name: [learn(v) for v in vectors] for name, vectors in part.items()} for part in (alike, changed)]
        tried.append(_verdict("trained", *_scores(*shown), seed))
    return min(tried, key=lambda v: v.eer.value)


def inverting(original: People, changed: Mapping[str, Sequence[Floats]], inverses: Mapping[str, Inverse],
              embed: Callable[[Floats], Floats], seed: int = 0) -> tuple[Verdict, dict[str, Verdict]]:
    """The attacker who enrols originals and tries inverses on each changed sound (N,): the best of his ways, and each alone.

    He may use one inverse for everybody, or for each pair of recording and person the one that makes them most alike. That he
    would know the best way is assumed; doing nothing is always among his ways.
    """
    ways: dict[str, Inverse] = {"nothing": lambda sound: sound, **inverses}
    alone, stacked = {}, []
    for name, inverse in ways.items():
        undone = {who: [embed(inverse(sound)) for sound in sounds] for who, sounds in changed.items()}
        scores, owner = _scores(original, undone)
        alone[name] = _verdict(name, scores, owner, seed)
        stacked.append(scores)
    together = _verdict("any inverse", np.max(stacked, 0), owner, seed)
    best = min([together, *alone.values()], key=lambda v: v.eer.value)
    return replace(best, attacker="inverting"), {**alone, "any inverse": together}


def lda(lessons: People, shrink: float = 0.1) -> Callable[[Floats], Floats]:
    """A projection that keeps what tells the people of the lessons apart, learned from two recordings of each at least.

    Linear discriminant analysis; each direction counts as much as it would in the likelihood ratio of two normal distributions.
    shrink: how much of the scatter within a person is taken for the same in all directions.
    """
    groups = [_units(v) for v in lessons.values() if len(v) > 1]
    if len(groups) < 2:
        raise ValueError("lessons need two people with two recordings each")
    whole = np.concatenate(groups)
    middle, size = whole.mean(0), whole.shape[1]
    inner = np.concatenate([g - g.mean(0) for g in groups])
    within = inner.T @ inner / len(whole)
    within = (1 - shrink) * within + (shrink * np.trace(within) / size + 1e-12) * np.eye(size)
    means = np.stack([g.mean(0) - middle for g in groups])
    counts = np.array([len(g) for g in groups], np.float64)
    scatter, directions = eigh((means * counts[:, None]).T @ means / len(whole), within)
    between = np.maximum(scatter - len(groups) / len(whole), 0)  # what is left of it without the scatter of the means
    kept = directions * np.sqrt(between / (1 + 2 * between))
    return lambda v: np.asarray((_units([v])[0] - middle) @ kept, np.float32)


def _units(vectors: Sequence[Floats]) -> Doubles:
    """Embeddings (n, D) of length 1; ValueError if one is not finite. One of no length stays: it is like nobody."""
    rows = np.asarray(vectors, np.float64)
    if rows.ndim != 2 or not np.isfinite(rows).all():
        raise ValueError("embeddings have to be finite and of one length")
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12))


def _scores(enrolled: People, asked: People) -> tuple[Doubles, Ints]:
    """Cosine of each recording asked about with each enrolled person's mean, (n, people), and whose it is, (n,)."""
    if missing := sorted(set(asked) - set(enrolled)):
        raise ValueError(f"{missing[0]} is asked about and not enrolled")
    if len(enrolled) < 2 or not all(enrolled.values()) or not any(asked.values()):
        raise ValueError("an attack needs two enrolled people with a recording each, and one to ask about")
    names = list(enrolled)
    means = _units([_units(enrolled[name]).mean(0) for name in names])
    tests = np.concatenate([_units(v) for v in asked.values() if len(v)])
    owner = np.concatenate([np.full(len(v), names.index(name)) for name, v in asked.items()])
    return tests @ means.T, owner.astype(np.int32)


def _hits(scores: Doubles, owner: Array) -> Doubles:
    own = scores[np.arange(len(scores)), owner][:, None]
    return np.where((scores > own).any(1), 0.0, 1.0 / (scores == own).sum(1))


def _verdict(attacker: str, scores: Doubles, owner: Ints, seed: int) -> Verdict:
    same = np.arange(scores.shape[1]) == owner[:, None]
    curve, hits = _Curve(scores.ravel(), same.ravel()), _hits(scores, owner)

    def figures(times: Array) -> tuple[float, float, float]:
        weight = times[owner][:, None] * np.where(same, 1, times[None])
        link = _linkability(scores.ravel(), same.ravel(), weight.ravel())
        return curve.eer(weight.ravel()), float(np.average(hits, weights=times[owner])), link

    drawn = []
    for times in _draws(scores.shape[1], np.unique(owner), np.random.default_rng(seed)):
        if (times > 0).sum() > 1:  # somebody to be taken for
            drawn.append(figures(times))
    low, high = np.percentile(drawn, INTERVAL, axis=0)
    error, first, link = (Estimate(v, float(a), float(b))
                          for v, a, b in zip(figures(np.ones(scores.shape[1])), low, high, strict=True))
    return Verdict(attacker, error, first, link, len(np.unique(owner)), len(owner), scores.shape[1])


def _draws(people: int, asked: Array, rng: np.random.Generator) -> list[Doubles]:
    """How often each person is in each draw; those asked about and the rest of the gallery are drawn apart."""
    rest = np.setdiff1d(np.arange(people), asked)
    made = []
    for _ in range(DRAWS):
        drawn = [rng.choice(group, len(group)) for group in (asked, rest) if len(group)]
        made.append(np.bincount(np.concatenate(drawn), minlength=people).astype(np.float64))
    return made


def _joined(target: Array, nontarget: Array) -> tuple[Doubles, Array]:
    scores = np.concatenate([target, nontarget]).astype(np.float64)
    if not len(target) or not len(nontarget) or not np.isfinite(scores).all():
        raise ValueError("scores of same and of different people are needed, all of them finite")
    return scores, np.arange(len(scores)) < len(target)


class _Curve:
    """The errors at every threshold, for any weights of the trials."""

    def __init__(self, scores: Doubles, same: Array) -> None:
        self.same = same
        levels, self.level = np.unique(scores, return_inverse=True)
        self.count = len(levels)

    def eer(self, weight: Doubles) -> float:
        missed = self._below(weight * self.same)
        false = 1 - self._below(weight * ~self.same)
        gap = missed - false  # rises from -1 to 1
        k = int(np.argmax(gap >= 0))
        share = gap[k - 1] / (gap[k - 1] - gap[k])
        return float(missed[k - 1] + share * (missed[k] - missed[k - 1]))

    def _below(self, weight: Doubles) -> Doubles:
        """The share of the weight under each level, and under infinity."""
        held = np.cumsum(np.bincount(self.level, weight, self.count))
        return np.concatenate([[0.0], held / held[-1]])


def _linkability(scores: Doubles, same: Array, weight: Doubles) -> float:
    bins = int(np.clip(same.sum() // BIN_OF, 2, MOST_BINS))
    edges = np.linspace(scores.min(), max(scores.max(), scores.min() + 1e-12), bins + 1)
    mated, other = (np.histogram(scores[s], edges, weights=weight[s])[0] for s in (same, ~same))
    mated, other = mated / mated.sum(), other / other.sum()
    ratio = np.divide(mated, other, out=np.full(bins, np.inf), where=other > 0)
    local = np.where(ratio > 1, 1 - 2 / (1 + ratio), 0.0)  # 2 ratio / (1 + ratio) - 1
    return float((mated * local)[mated > 0].sum())
