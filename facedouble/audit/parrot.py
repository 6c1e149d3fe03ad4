"""The parrot attack: who of the known people looks like that, once they all wear the film's own face? Embeddings in, figures out.

All faces with one mask have much in common. An attacker who has drawn many takes that off: embeddings of length 1, less the mean
of the known people's means (`centred`). What is left is what the mask did not hide.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import comb
from typing import Final

import numpy as np

from facedouble.audit.attack import People, Verdict, semi
from facedouble.types import Array, Floats, Value

TWO_SIGMA: Final = 0.0228  # chance of a normal figure two standard deviations above its mean


@dataclass(frozen=True)
class Guessed(Value):
    """What the attacker found. verdict: figures over all windows; right: of the people asked about, whose whole film he named."""

    verdict: Verdict
    right: tuple[str, ...]

    @property
    def luck(self) -> float:
        """How often guessing names as many of the people, or more."""
        return luck(len(self.right), self.verdict.people, self.verdict.gallery)


def luck(right: int, people: int, gallery: int) -> float:
    """The chance that guessing names `right` or more of `people`, each out of `gallery`; a film is one trial, not each window."""
    return sum(comb(people, k) * (1 / gallery) ** k * (1 - 1 / gallery) ** (people - k) for k in range(right, people + 1))


def needed(people: int, below: float = TWO_SIGMA) -> int:
    """How large a gallery has to be for naming all of the people to be past luck."""
    return int(np.ceil(below ** (-1 / people)))


def windowed(vectors: Floats, at: Array, seconds: float) -> list[Floats]:
    """Mean embeddings (D,) of the looks (n, D) at (n,) s in each window."""
    slots = np.floor(np.asarray(at) / seconds).astype(int)
    return [unit(vectors[slots == slot]).mean(0).astype(np.float32) for slot in np.unique(slots)]


def centred(known: People, seen: People) -> tuple[dict[str, list[Floats]], dict[str, list[Floats]]]:
    """Both without what all known people have in common."""
    common = unit(np.stack([unit(np.asarray(rows)).mean(0) for rows in known.values() if len(rows)])).mean(0)

    def less(people: People) -> dict[str, list[Floats]]:
        return {name: [(v - common).astype(np.float32) for v in unit(np.asarray(rows))] for name, rows in people.items()
                if len(rows)}

    return less(known), less(seen)


def guess(known: People, seen: People, seed: int = 0) -> Guessed:
    """The attack. known: recordings of everybody with the mask; seen: windows of the film by whom they show.

    ValueError with fewer than two known people, or somebody seen who is not known.
    """
    if len([rows for rows in known.values() if len(rows)]) < 2:
        raise ValueError("the parrot attack needs two known people")
    alike, asked = centred(known, seen)
    verdict = semi(alike, asked, seed)
    names = list(alike)
    means = unit(np.stack([unit(np.stack(rows)).mean(0) for rows in alike.values()]))
    right = [who for who, rows in asked.items()
             if names[int(np.argmax(means @ unit(np.stack(rows)).mean(0)))] == who]
    return Guessed(verdict, tuple(right))


def common(worn: People, without: str = "") -> Floats:
    """What people who wear one mask have in common, (D,) of length 1: the mask; one of them left out."""
    middles = [unit(unit(np.stack(rows)).mean(0)) for name, rows in worn.items() if len(rows) and name != without]
    if not middles:
        raise ValueError("nobody else wears the mask")
    return np.asarray(unit(np.mean(middles, 0)), np.float32)


@dataclass(frozen=True)
class Likeness(Value):
    """How like a person a double is. score: cosine between what others have in common who wear it and the person's bare face;
    rank: of the person among `people`, 1 = the double is like nobody more."""

    score: float
    rank: int
    people: int


def likeness(bare: People, worn: People, who: str) -> Likeness:
    """The double's likeness to one of the people of `bare`; nobody's own drawings count for him."""
    scores = {name: float(common(worn, name) @ unit(unit(np.stack(rows)).mean(0))) for name, rows in bare.items() if len(rows)}
    return Likeness(scores[who], 1 + sum(s > scores[who] for s in scores.values()), len(scores))


def both_ways(recordings: Mapping[str, Sequence[Floats]]) -> tuple[dict[str, list[Floats]], dict[str, list[Floats]]] | None:
    """Of people with several recordings, embeddings (n, D) each: the first known, the last seen; everybody else is known too.

    None where nobody has two.
    """
    known = {name: [v for rows in (of[:-1] if len(of) > 1 else of) for v in rows] for name, of in recordings.items() if len(of)}
    seen = {name: list(of[-1]) for name, of in recordings.items() if len(of) > 1}
    return (known, seen) if seen else None


def unit(rows: Array) -> Array:
    """Vectors (..., D), each of length 1."""
    made: Array = rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-12)
    return made
