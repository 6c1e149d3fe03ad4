"""Casting: how near a double is to the people it may stand in for, in an embedding's distances. Numbers only.

Distances are Euclidean, of dlib's 128 numbers. Measured on the shared clips: drawings of a double against film of its own
volunteer .20 to .46, against film of others .63 and more, .76 in the middle (but for three clips of people whom dlib takes for
one another in the original footage, too). Drawn into the scene, a double comes up to .07 nearer to its witness than that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from facedouble.errors import UsageError
from facedouble.types import Array, Floats, Value

ACCEPTED = 0.60  # dlib's own threshold: nearer than this, two pictures are taken for one person
WITNESS = (0.65, 0.75)  # a double nearer to a witness is refused; farther is as far apart as people are, and hides no better
DOUBLES = (0.40, 0.50)  # the same of two doubles: drawings are nearer to each other, one volunteer twice .16, two .53 and more
QUALITIES = ("good", "fair", "basic")  # of doubles, best first


class Verdict(StrEnum):
    """What follows from a distance: do not cast, cast if there is nothing better, cast."""

    REFUSED = "refused"
    NEAR = "near"
    FAR = "far"


@dataclass(frozen=True)
class Finding(Value):
    """How near a double, by its id, is to somebody: `whom` is "person 1" of the footage, or the id of another double."""

    double: str
    whom: str
    distance: float
    verdict: Verdict


@dataclass(frozen=True)
class Override(Value):
    """Somebody casts a refused double all the same. The report keeps all of it; `by` is a name or a code."""

    finding: Finding
    by: str
    reason: str

    def check(self) -> None:
        if self.finding.verdict is not Verdict.REFUSED:
            raise UsageError(f"{self.finding.double} was not refused for {self.finding.whom}: there is nothing to override")
        if not self.by.strip() or not self.reason.strip():
            raise UsageError(f"a double too near to {self.finding.whom} is cast only by name and with a reason: give both")

    def record(self) -> dict[str, str | float]:
        """What the report says of it."""
        return {"double": self.finding.double, "whom": self.finding.whom, "distance": round(self.finding.distance, 3),
                "by": self.by.strip(), "reason": self.reason.strip()}


def verdict(distance: float, limits: tuple[float, float] = WITNESS) -> Verdict:
    """The casting rule for a distance; one that is not a number counts as too near."""
    refused, far = limits
    if not distance >= refused:
        return Verdict.REFUSED
    return Verdict.FAR if distance >= far else Verdict.NEAR


def apart(a: Array, b: Array) -> float:
    """The distance of two people, each known by embeddings (n, 128): that of their means."""
    return float(np.linalg.norm(np.mean(a, 0, np.float64) - np.mean(b, 0, np.float64)))


def least(embedding: Array, others: Array) -> float:
    """The distance of one embedding (128,) to the nearest of (n, 128); infinite if there is none."""
    return float(np.linalg.norm(others - embedding, axis=1).min()) if len(others) else float("inf")


def against(double: Floats, person: Floats, parts: Array) -> float:
    """The distance of a double (k, 128) to a person (n, 128), or to the nearest of the parts (n,) that the person is made of.

    The parts are kept apart because two people who were tied together by mistake have a mean that is like neither.
    """
    return float(np.min([apart(double, person), *(apart(double, person[parts == p]) for p in np.unique(parts))]))


def lacking(has: Mapping[str, bool], does: Mapping[str, bool]) -> tuple[str, ...]:
    """The parts of the capture sheet that the witness does and the double's footage lacks."""
    return tuple(part for part, done in does.items() if done and not has.get(part, False))


@dataclass(frozen=True)
class Fitness(Value):
    """How well a double would do for a witness: how near it is, what its footage lacks, its quality."""

    finding: Finding
    lacking: tuple[str, ...]
    quality: str

    def order(self) -> tuple[int, int, int, float]:
        """Sorts the best first: far in identity, then what the eye needs, then the distance."""
        grade = (Verdict.FAR, Verdict.NEAR, Verdict.REFUSED).index(self.finding.verdict)
        worse = QUALITIES.index(self.quality) if self.quality in QUALITIES else len(QUALITIES)
        return grade, len(self.lacking), worse, -self.finding.distance
