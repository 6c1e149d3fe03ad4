"""Which places of the output are shown on the page: findings before what only comes near to one, each check in its turn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from facedouble.audit.verdict import Audit, Check, Finding, Look
from facedouble.geometry import overlap

FOUND: Final = 6  # pictures of a check that found something, at most
NEAR: Final = 2  # and of one that did not
APART: Final = 12  # frames: what is nearer, and at the same place of the picture, looks the same


def spot(check: Check, finding: Finding) -> Look | None:
    """Where a finding is seen best: what the check itself says of these frames, else the middle of them; None for sound."""
    if finding.frames is None:
        return None
    start, stop = finding.frames
    said = [look for look in check.worst if start <= look.frame < stop]
    exact = [look for look in said if look.box == finding.box]
    for look in exact or said:
        return Look(look.frame, look.box or finding.box, finding.what)
    return Look((start + stop - 1) // 2, finding.box, finding.what)


def looks(check: Check) -> list[Look]:
    """The places of one check, the worst first, none that looks like another."""
    found = [spot(check, f) for f in check.findings]
    out: list[Look] = []
    for look in (*(look for look in found if look is not None), *check.worst):
        if not any(abs(look.frame - other.frame) < APART and _same(look, other) for other in out):
            out.append(look)
        if len(out) == (FOUND if check.findings else NEAR):
            break
    return out


def _same(a: Look, b: Look) -> bool:
    return a.box == b.box if a.box is None or b.box is None else overlap(a.box, b.box) > 0


def wanted(audit: Audit, most: int) -> list[Look]:
    """What to draw of an audit: one place of every check that found something, then their others, then what came near."""
    out: dict[tuple[int, object], Look] = {}
    for checks in ([c for c in audit.checks if c.findings], [c for c in audit.checks if not c.findings]):
        for row in _across([looks(c) for c in checks]):
            out.setdefault((row.frame, row.box), row)
    return list(out.values())[:most]


def _across(rows: Sequence[Sequence[Look]]) -> list[Look]:
    """The first of each, then the second of each, and so on."""
    deepest = max(map(len, rows), default=0)
    return [row[k] for k in range(deepest) for row in rows if k < len(row)]
