"""Whom a face of the output is taken for, by a recogniser that took no part in the render."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from facedouble.types import Floats, Value


@dataclass(frozen=True)
class Known(Value):
    """What a person looks like to the recogniser. name: the plan's id, or a file's name; vectors (n, 128), each of length 1."""

    name: str
    vectors: Floats

    def check(self) -> None:
        if self.vectors.ndim != 2 or not len(self.vectors) or not np.isfinite(self.vectors).all():
            raise ValueError(f"no face to know {self.name} by")

    @property
    def mean(self) -> Floats:
        """(128,) of length 1: the face that all pictures of it have in common."""
        return unit(self.vectors.mean(0))


@dataclass(frozen=True)
class Print(Value):
    """Somebody of the project: the pseudonym, what the plan calls them, looks (n, 128) and voices (m, 256), each of length 1."""

    person: str
    plan: tuple[str, ...]
    faces: Floats
    voices: Floats


def unit(vector: Floats) -> Floats:
    """The vector with length 1."""
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9), np.float32)


def nearest(vector: Floats, people: Sequence[Known]) -> tuple[float, str]:
    """The greatest likeness to one of them, and whose; -1 and nobody if there are none."""
    return max(((float(vector @ person.mean), person.name) for person in people), default=(-1.0, ""))


def rank(vector: Floats, person: Known, gallery: Sequence[Known]) -> int:
    """The place of the person among the gallery, 1 if nobody there is more like the face."""
    own = float(vector @ person.mean)
    return 1 + sum(float(vector @ other.mean) >= own for other in gallery)


def grouped(vectors: Sequence[Floats], same: float) -> list[Floats]:
    """Embeddings (n, 128) of as many people as are told apart, in the order in which they come: of a clip without a plan."""
    groups: list[list[Floats]] = []
    for vector in vectors:
        likest = max(groups, key=lambda g: float(unit(np.mean(g, 0)) @ vector), default=None)
        if likest is None or float(unit(np.mean(likest, 0)) @ vector) < same:
            groups.append([vector])
        else:
            likest.append(vector)
    return [np.stack(g) for g in groups]
