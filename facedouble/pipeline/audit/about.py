"""How the page names the file that was audited, and its places: frames as a person finds them in a player and in the plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from facedouble.audit.verdict import Finding
from facedouble.plan.times import clock, timecode
from facedouble.types import Value

MARGIN = Fraction(1, 2)  # s before and after a place that a remedy takes in as well


@dataclass(frozen=True)
class About(Value):
    """title: the file's own name, and no other; rate: frames a second; lead: frames of the opening card before the film's first.

    clip: the plan's letter for it, "" if it was made without a plan; plan: the plan's name; covered: spans of frames (half-open,
    of the output) that were covered or silenced because an earlier round of this audit found something there.
    """

    title: str
    rate: Fraction
    lead: int = 0
    clip: str = ""
    plan: str = "film.plan.toml"
    covered: tuple[tuple[int, int], ...] = ()

    def check(self) -> None:
        if self.rate <= 0 or self.lead < 0:
            raise ValueError(f"{self.rate} frames a second after {self.lead}")

    def ms(self, finding: Finding) -> tuple[int, int] | None:
        """When a finding is there, ms of the output's time, half-open; None: everywhere."""
        if finding.ms is not None:
            return finding.ms
        return None if finding.frames is None else (self.at(finding.frames[0]), self.at(finding.frames[1]))

    def at(self, frame: int) -> int:
        """The time of a frame, ms."""
        return round(Fraction(frame) / self.rate * 1000)

    def place(self, finding: Finding) -> str:
        """When it is, in words: the player's time, and the frames."""
        if finding.frames is not None:
            start, stop = finding.frames
            frames = f"frame {start:,}" if stop - start == 1 else f"frames {start:,} to {stop - 1:,}"
            return f"at {timecode(start, self.rate)}, {frames}"
        if finding.ms is not None:
            return f"from {clock(finding.ms[0])} to {clock(finding.ms[1])}"
        return "in the whole file"

    def around(self, finding: Finding) -> tuple[str, str] | None:
        """From when to when a remedy holds, as the plan counts: timecodes of the footage, half a second wider at both ends."""
        ms = self.ms(finding)
        if ms is None:
            return None
        more, card = round(MARGIN * 1000), self.at(self.lead)
        return clock(max(ms[0] - more - card, 0)), clock(max(ms[1] + more - card, 1))


def covered(report: Mapping[str, Any], rate: Fraction, lead: int) -> tuple[tuple[int, int], ...]:
    """What a report says was covered because of an audit, in frames of the output; what cannot be understood is left out."""
    said = report.get("audit")
    held = said.get("covered") if isinstance(said, Mapping) else None
    spans = set()
    for one in held if isinstance(held, list) else ():
        try:
            if "frames" in one:
                a, b = (int(v) + lead for v in one["frames"])
            else:
                a, b = (round(Fraction(int(v)) / 1000 * rate) for v in one["ms"])
        except (KeyError, TypeError, ValueError):
            continue
        if 0 <= a <= b:
            spans.add((a, max(b, a + 1)))
    return tuple(sorted(spans))
