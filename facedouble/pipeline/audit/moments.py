"""What several checks found of one thing at one time, put together: a bare face is told by many, and is one thing to mend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from facedouble.audit.verdict import Audit, Finding
from facedouble.geometry import overlap
from facedouble.pipeline.audit.about import MARGIN, About
from facedouble.types import Box, Value


@dataclass(frozen=True)
class Moment(Value):
    """Findings of one thing, in the order of the checks. number: of the first one's check on the page; whole: all as one; checks:
    names of those that found it."""

    group: str
    number: int
    findings: tuple[Finding, ...]
    whole: Finding
    checks: frozenset[str]


def moments(audit: Audit, about: About) -> list[Moment]:
    """In the order of time in each group, what has no time last; groups in the order of the checks."""
    numbered = [(n, c.group, f) for n, c in enumerate(audit.checks, 1) for f in c.findings]
    out: list[Moment] = []
    names = [c.name for c in audit.checks]
    for group in dict.fromkeys(group for _, group, _ in numbered):
        mine = [(n, f) for n, g, f in numbered if g == group]
        timed = [(n, f) for n, f in mine if about.ms(f) is not None]
        order = {id(f): k for k, (_, f) in enumerate(timed)}
        out += [_moment(group, sorted(held, key=lambda one: order[id(one[1])]), names) for held in _gathered(timed, about)]
        out += [_moment(group, [(n, f)], names) for n, f in mine if about.ms(f) is None]
    return out


def _gathered(timed: Sequence[tuple[int, Finding]], about: About) -> list[list[tuple[int, Finding]]]:
    """Findings of the same face or voice that are nearer to each other than what a remedy takes in."""
    out: list[list[tuple[int, Finding]]] = []
    live: list[tuple[int, list[tuple[int, Finding]]]] = []  # when they end, and those that one more may join
    near = round(MARGIN * 1000)
    for n, finding in sorted(timed, key=lambda held: (about.ms(held[1]), held[0])):
        start, stop = about.ms(finding) or (0, 0)
        live = [(end, held) for end, held in live if start <= end + near]
        for k, (end, held) in enumerate(live):
            if any(_same(finding, other) for _, other in held):
                held.append((n, finding))
                live[k] = max(end, stop), held
                break
        else:
            out.append([(n, finding)])
            live.append((stop, out[-1]))
    return out


def _same(a: Finding, b: Finding) -> bool:
    if a.box is not None and b.box is not None:
        return overlap(a.box, b.box) > 0
    return not a.person or not b.person or a.person == b.person


def _moment(group: str, held: Sequence[tuple[int, Finding]], names: Sequence[str]) -> Moment:
    found = tuple(f for _, f in held)
    return Moment(group, held[0][0], found, replace(
        found[0], frames=_hull([f.frames for f in found]), ms=_hull([f.ms for f in found]), box=_around([f.box for f in found]),
        person=next((f.person for f in found if f.person), "")), frozenset(names[n - 1] for n, _ in held))


def _hull(spans: Sequence[tuple[int, int] | None]) -> tuple[int, int] | None:
    there = [span for span in spans if span is not None]
    return (min(a for a, _ in there), max(b for _, b in there)) if there else None


def _around(boxes: Sequence[Box | None]) -> Box | None:
    there = [box for box in boxes if box is not None]
    if not there:
        return None
    return Box(min(b.x0 for b in there), min(b.y0 for b in there), max(b.x1 for b in there), max(b.y1 for b in there))
