"""What was done, for people and for machines: counts, spans to look at, errors. Holds no file name and no path."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from facedouble import __version__
from facedouble.pipeline.analyse import Role
from facedouble.types import Array, Double, Value


@dataclass(frozen=True)
class Span(Value):
    """Frames [start, stop) of one person (None: the whole picture), and why to look at them."""

    start: int
    stop: int
    person: int | None
    why: str


@dataclass(frozen=True)
class PersonLine(Value):
    """One face's part: frames in which it is there, drawn as the double, fading, covered wholly, shown."""

    person: int
    frames: int
    doubled: int
    fading: int
    veiled: int
    shown: int = 0


@dataclass(frozen=True)
class Report(Value):
    """The result of a run. hidden: numbers of frames hidden whole; errors: one sentence each; facts: settings of the run."""

    frames: int
    people: tuple[PersonLine, ...]
    hidden: tuple[int, ...]
    spans: tuple[Span, ...]
    errors: tuple[str, ...]
    facts: dict[str, Any]

    def json(self) -> str:
        """Sorted and stable: the same run gives the same text."""
        plain = {"facedouble": __version__, "frames": self.frames, "people": [vars(p) for p in self.people],
                 "hidden": list(self.hidden), "look_at": [vars(s) for s in self.spans], "errors": list(self.errors),
                 **self.facts}
        return json.dumps(plain, indent=1, sort_keys=True) + "\n"


def runs(flags: Array) -> list[tuple[int, int]]:
    """Half-open runs of True in (n,)."""
    edges = np.flatnonzero(np.diff(np.r_[0, np.asarray(flags, int), 0]))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def double_facts(doubles: Sequence[Double], roles: Sequence[Role]) -> dict[str, Any]:
    """What the report says of the doubles, by person: never who they are."""
    return {"doubles": {str(r.track.id): {"id": doubles[r.pick].id, "quality": doubles[r.pick].quality} for r in roles}
            if doubles else {}}
