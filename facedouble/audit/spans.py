"""Findings of single frames, put together to spans as they come."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from facedouble.audit.verdict import Check, Figure, Finding, Look
from facedouble.types import Box, Value

GAP = 3  # frames: what comes again within them is the same finding
LATE = 8  # findings back from the last that a new one is compared with
MOST = 200  # findings of one check that are told one by one
WORST = 6  # places of a check to look at
APART = 12  # frames between two of them


@dataclass(frozen=True)
class Hit(Value):
    """Something past its limit in frames [start, stop). person: the plan's id, or whom a face is taken for."""

    what: str
    start: int
    stop: int
    box: Box | None
    score: float
    limit: float
    person: str = ""


@dataclass
class Spans:
    """What one check finds: takes a film's frames one after the other, and holds no more the longer the film is."""

    found: list[Finding] = field(default_factory=list)
    untold: int = 0
    looked: int = 0
    looks: list[tuple[float, Look]] = field(default_factory=list)
    figures: dict[str, Figure] = field(default_factory=dict)

    def add(self, hit: Hit) -> None:
        """A finding; of the same kind, person and time as an earlier one it becomes part of that."""
        for k in range(len(self.found) - 1, max(-1, len(self.found) - 1 - LATE), -1):
            old = self.found[k]
            assert old.frames is not None and old.score is not None
            if (old.what, old.person) == (hit.what, hit.person) and hit.start <= old.frames[1] + GAP:
                frames = min(old.frames[0], hit.start), max(old.frames[1], hit.stop)
                worse = abs(hit.score - hit.limit) > abs(old.score - hit.limit)
                box, score = (hit.box, hit.score) if worse else (old.box, old.score)
                self.found[k] = replace(old, frames=frames, box=box, score=score)
                return
        if len(self.found) < MOST:
            self.found.append(Finding(hit.what, (hit.start, hit.stop), None, hit.box, hit.score, hit.limit, hit.person))
        else:
            self.untold += 1

    def near(self, badness: float, look: Look) -> None:
        """A place that comes near to a finding, or is one: of each stretch of frames the worst is kept."""
        for k, (old, other) in enumerate(self.looks):
            if abs(other.frame - look.frame) < APART and other.why.split("?")[0] == look.why.split("?")[0]:
                if badness > old:
                    self.looks[k] = badness, look
                return
        self.looks = sorted([*self.looks, (badness, look)], key=lambda entry: -entry[0])[:WORST]

    def most(self, name: str, value: float) -> None:
        """Keep the greatest of a figure."""
        self.figures[name] = max(float(self.figures.get(name, value)), value)

    def check(self, name: str, tried: str, unit: str, missing: str = "") -> Check:
        """All of it as a check of the group "seen"."""
        more: dict[str, Figure] = {"more findings, not listed": self.untold} if self.untold else {}
        looks = tuple(look for _, look in sorted(self.looks, key=lambda entry: -entry[0]))
        found = () if missing else tuple(self.found)
        return Check(name, "seen", tried, self.looked, unit, found, {**self.figures, **more}, looks, missing)
