"""Casting: how like a volunteer's voice is to the voices it may stand in for. Numbers only.

Likeness is the cosine of mean voice prints (`models/hearing`, a d-vector). The limits come from `bench/voice_casting.py limits`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from facedouble.errors import UsageError
from facedouble.types import Array, Doubles, Floats, Value
from facedouble.voice.material import MOST, WELL

LIKE = (0.65, 0.58)  # refused from the first on, near from the second on; below, as far apart as people are
LEAST_LOOKS = 4  # of .82 s, a fifth of a second apart, that a voice needs to be compared at all


class Verdict(StrEnum):
    """What follows from a likeness: do not cast, cast if there is nothing better, cast."""

    REFUSED = "refused"
    NEAR = "near"
    FAR = "far"


@dataclass(frozen=True)
class Finding(Value):
    """How like a voice, by its id, is to somebody's: `whom` is "voice 1" of the footage, or a person of its plan."""

    voice: str
    whom: str
    likeness: float
    verdict: Verdict


@dataclass(frozen=True)
class Candidate(Value):
    """A volunteer's voice that is to speak: its id, its prints (n, D), and the records of who cast it all the same, for whom."""

    id: str
    prints: Floats
    overrides: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class Override(Value):
    """Somebody casts a refused voice all the same. The report keeps who and why; `by` is a name or a code.

    footage: SHA-256 of the files that it was decided about.
    """

    finding: Finding
    by: str
    reason: str
    footage: tuple[str, ...] = ()

    def check(self) -> None:
        if self.finding.verdict is not Verdict.REFUSED:
            raise UsageError(f"{self.finding.voice} was not refused for {self.finding.whom}: there is nothing to override")
        if not self.by.strip() or not self.reason.strip():
            raise UsageError(f"a voice too like {self.finding.whom} is cast only by name and with a reason: give both")

    def record(self) -> dict[str, str | float | list[str]]:
        """What is written down of it."""
        return {"footage": sorted(self.footage), "voice": self.finding.voice, "whom": self.finding.whom,
                "likeness": round(self.finding.likeness, 3), "by": self.by.strip(), "reason": self.reason.strip()}


def verdict(likeness: float, limits: tuple[float, float] = LIKE) -> Verdict:
    """The casting rule for a likeness; one that is not a number counts as too like."""
    refused, near = limits
    if not likeness < refused:
        return Verdict.REFUSED
    return Verdict.NEAR if likeness >= near else Verdict.FAR


def middle(prints: Array) -> Doubles:
    """The mean (D,), of length 1, of voice prints (n, D)."""
    mean = prints.astype(np.float64).mean(0)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-9))


def likeness(a: Array, b: Array) -> float:
    """Of two voices, each known by prints (n, D); not a number if there is too little of either, or one is no voice."""
    if min(len(a), len(b)) == 0 or not (np.isfinite(a).all() and np.isfinite(b).all()):
        return float("nan")
    one, other = middle(a), middle(b)
    return float(one @ other) if one.any() and other.any() else float("nan")


def judge(voice: str, prints: Array, whom: str, theirs: Array) -> Finding:
    """How like a volunteer's voice (n, D) is to a person's (m, D). What cannot be told is refused."""
    like = likeness(prints, theirs) if len(theirs) >= LEAST_LOOKS else float("nan")
    return Finding(voice, whom, like, verdict(like))


def check(voice: str, prints: Array, people: Mapping[str, Floats]) -> tuple[Finding, ...]:
    """The findings for each person, in their order."""
    return tuple(judge(voice, prints, whom, theirs) for whom, theirs in people.items())


def override(findings: Iterable[Finding], whom: str, by: str, reason: str, footage: Iterable[str] = ()) -> Override:
    """Cast a refused voice all the same; UsageError if `whom` is not in the findings, or no name or reason is given."""
    for finding in findings:
        if finding.whom == whom:
            return Override(finding, by, reason, tuple(footage))
    raise UsageError(f"{whom} is not among those the voice was checked against")


@dataclass(frozen=True)
class Fitness(Value):
    """How well a voice would do for a person: how like theirs it is, and of how much speech it is made."""

    finding: Finding
    seconds: float

    def order(self) -> tuple[int, int, float]:
        """Sorts the best first: far in identity, then made of five minutes, of one, of less, then unlike."""
        grade = (Verdict.FAR, Verdict.NEAR, Verdict.REFUSED).index(self.finding.verdict)
        speech = sum(self.seconds < enough for enough in (0.8 * MOST, 0.8 * WELL))
        return grade, speech, self.finding.likeness if np.isfinite(self.finding.likeness) else 1.0


def rank(fits: Sequence[Fitness]) -> tuple[Fitness, ...]:
    """The voices for one person, best first."""
    return tuple(sorted(fits, key=lambda f: (f.order(), f.finding.voice)))
