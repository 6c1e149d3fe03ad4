"""The motion attacker: who moves like that? Arrays in, figures out.

He has footage of known people and a film in which somebody wears another face. Windows of a few seconds of either become habits:
how lively each part of face and head is and how fast, how lopsided, how often it blinks. Each window of the film is compared
with the mean of each known person's, every figure over its spread among the windows that he knows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from facedouble.audit.attack import DRAWS, INTERVAL, Estimate
from facedouble.types import Array, Doubles, Floats, Value

SHUT: Final = 0.62  # of the resting aperture: a blink
FLOOR: Final = 0.01  # canonical units or coefficients: less motion than that is noise
TURN_FLOOR: Final = 0.2  # degrees
LEAST_SPREAD: Final = 0.05  # of a habit, in log units

Habits = Mapping[str, Sequence[Floats]]
"""Each person's windows (f,)."""


@dataclass(frozen=True)
class Moves(Value):
    """How a face moved through a window: turns (T, 3) yaw, pitch, roll in degrees; expression (T, n) coefficients and skew (T, n)
    how far they are from those of the mirrored face; lids (T, 2) aperture over eye width; rate in frames/s."""

    turns: Array
    expression: Array
    skew: Array
    lids: Array
    rate: float

    def check(self) -> None:
        parts = (self.turns, self.expression, self.skew, self.lids)
        if len({len(p) for p in parts}) != 1 or not all(np.isfinite(p).all() for p in parts):
            raise ValueError("motion of one face: finite figures, as many of each")


@dataclass(frozen=True)
class Traced(Value):
    """How well the motion attacker did. auc: the chance that a window is nearer to its own person than to another, .5 = knows
    nothing; first: share of windows whose nearest was right; windows of `people` were asked about, among `gallery` known ones."""

    auc: Estimate
    first: float
    people: int
    windows: int
    gallery: int


def habits(moves: Moves) -> Floats:
    """(f,) how somebody moves."""
    def lively(columns: Array, floor: float) -> list[Array]:
        speed = np.diff(columns, axis=0) * moves.rate
        return [np.log(columns.std(0) + floor), np.log(speed.std(0) + floor)]

    even = moves.lids / np.maximum(np.median(moves.lids, 0), 1e-3)
    shut = even.mean(1) < SHUT
    blinks = np.sum(np.diff(np.r_[0, shut.astype(int)]) == 1) / len(shut) * moves.rate
    found = [*lively(moves.turns, TURN_FLOOR), *lively(moves.expression, FLOOR), *lively(moves.lids, FLOOR),
             np.log(np.sqrt((moves.skew**2).mean(0)) + FLOOR), [np.log(np.abs(even[:, 0] - even[:, 1]).mean() + FLOOR), blinks]]
    return np.asarray(np.concatenate(found), np.float32)


def trace(known: Habits, seen: Habits, seed: int = 0) -> Traced:
    """The attack on the windows of `seen`, each of somebody known; ValueError if there are too few to ask about."""
    names = [n for n, rows in known.items() if len(rows)]
    asked = {n: np.asarray(rows, np.float64) for n, rows in seen.items() if len(rows)}
    if len(names) < 2 or not asked or set(asked) - set(names):
        raise ValueError("the motion attack needs two known people, and windows of one of them")
    spread = np.concatenate([np.asarray(known[n], np.float64) for n in names]).std(0) + LEAST_SPREAD
    middles = np.stack([np.asarray(known[n], np.float64).mean(0) for n in names])
    scores = [-np.linalg.norm((rows[:, None] - middles[None]) / spread, axis=2) for rows in asked.values()]
    owners = [names.index(n) for n in asked]
    first = np.concatenate([s.argmax(1) == o for s, o in zip(scores, owners, strict=True)])
    return Traced(_auc(scores, owners, len(names), seed), float(first.mean()), len(asked), len(first), len(names))


def _auc(scores: Sequence[Doubles], owners: Sequence[int], people: int, seed: int) -> Estimate:
    """The chance that a window's own person scores higher than another; interval by bootstrap over asked and known people.

    scores: of each asked person, (windows, people).
    """
    wins = np.empty((len(scores), people))  # mean over the windows of somebody: how often he beats each other person
    for row, (s, o) in enumerate(zip(scores, owners, strict=True)):
        wins[row] = ((s[:, [o]] > s) + 0.5 * (s[:, [o]] == s)).mean(0)
    other = np.ones((len(scores), people))
    other[np.arange(len(scores)), owners] = 0
    sizes = np.array([len(s) for s in scores], np.float64)
    rng = np.random.default_rng(seed)

    def figure(asked: Array, known: Array) -> float:
        weight = asked[:, None] * sizes[:, None] * known[None] * other
        return float((weight * wins).sum() / weight.sum()) if weight.sum() > 0 else float("nan")

    drawn = [figure(np.bincount(rng.integers(0, len(scores), len(scores)), minlength=len(scores)),
                    np.bincount(rng.integers(0, people, people), minlength=people)) for _ in range(DRAWS)]
    low, high = np.nanpercentile(drawn, INTERVAL)
    return Estimate(figure(np.ones(len(scores)), np.ones(people)), float(low), float(high))
