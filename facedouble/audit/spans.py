"""Findings of single frames, put together to spans as they come."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from facedouble.audit.verdict import Finding, Look
from facedouble.types import Box

GAP = 3  # frames: what comes again within them is the same finding
MOST = 200  # findings of one check that are told one by one
WORST = 6  # places of a check to look at


@dataclass
class Spans:
    """Takes one frame's finding after the other. Lower scores are worse where the limit is a least one."""

    found: list[Finding] = field(default_factory=list)
    untold: int = 0
    looks: list[tuple[float, Look]] = field(default_factory=list)

    def add(self, what: str, frame: int, box: Box | None, score: float, limit: float, person: str = "", last: int | None = None) -> None:
        """A finding at a frame, or at all from it to `last`."""
        stop = (frame if last is None else last) + 1
        for k in range(len(self.found) - 1, max(-1, len(self.found) - 9), -1):
            old = self.found[k]
            assert old.frames is not None and old.score is not None
            if (old.what, old.person) == (what, person) and frame <= old.frames[1] + GAP:
                worse = abs(score - limit) > abs(old.score - limit)
                self.found[k] = replace(old, frames=(min(old.frames[0], frame), max(old.frames[1], stop)),
                                        box=box if worse else old.box, score=score if worse else old.score)
                return
        if len(self.found) < MOST:
            self.found.append(Finding(what, (frame, stop), None, box, score, limit, person))
        else:
            self.untold += 1

    def near(self, badness: float, frame: int, box: Box | None, why: str) -> None:
        """A place that comes near to a finding, or is one: the worst are kept, one for each stretch of frames."""
        for k, (old, look) in enumerate(self.looks):
            if abs(look.frame - frame) < 12 and look.why.split(":")[0] == why.split(":")[0]:
                if badness > old:
                    self.looks[k] = badness, Look(frame, box, why)
                return
        self.looks = sorted([*self.looks, (badness, Look(frame, box, why))], key=lambda x: -x[0])[:WORST]

    @property
    def worst(self) -> tuple[Look, ...]:
        """The places to look at, worst first."""
        return tuple(look for _, look in sorted(self.looks, key=lambda x: -x[0]))
