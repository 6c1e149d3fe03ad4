"""What to do next, from what was found: sentences, and lines for the command line. Words in capitals are for the reader to replace."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from facedouble.audit.verdict import Audit, Check, Finding
from facedouble.pipeline.audit.about import About
from facedouble.types import Value

OFTEN: Final = 4  # places with one person: then it is the double, not the moment
GROWN: Final = 1.4  # a cover's side in sides of what it covers


@dataclass(frozen=True)
class Step(Value):
    """Something to do. commands: lines to type, each by itself."""

    text: str
    commands: tuple[str, ...] = ()


@dataclass(frozen=True)
class Problem(Value):
    """What one check found of one person (or of nobody): its findings, the check's number on the page, and the remedy."""

    number: int
    findings: tuple[Finding, ...]
    remedy: Step


def problems(audit: Audit, about: About) -> list[Problem]:
    """All findings, those of one check and person together, in the order of the checks."""
    out = []
    for number, check in enumerate(audit.checks, 1):
        by: dict[str, list[Finding]] = {}
        for finding in check.findings:
            by.setdefault(finding.person, []).append(finding)
        out += [Problem(number, tuple(held), _remedy(check, held, about)) for held in by.values()]
    return out


def _remedy(check: Check, found: Sequence[Finding], about: About) -> Step:
    return {"seen": _seen, "attacked": _attacked, "heard": _heard, "container": _container}[check.group](found, about)


def _seen(found: Sequence[Finding], about: About) -> Step:
    first, plan = found[0], shlex.quote(about.plan)
    around = about.around(first)
    if first.person and len(found) >= OFTEN:
        return Step("It happens in many places, so the double is too like this person: cast another one. Until then, veil them.",
                    ("facedouble double rank DOUBLES --for FOOTAGE.mp4",
                     *([f'facedouble plan decide {plan} {shlex.quote(first.person)} veil --by "YOUR NAME"'] if about.clip else [])))
    if first.frames is None or around is None:
        return _again(about, "Make the film again from the footage, and audit the new file.")
    if not about.clip:
        return Step("Veil everybody in this film; or make a plan, in which you cover just this place.",
                    ("facedouble protect FOOTAGE.mp4 -o SAFER.mp4 --double veil", f"facedouble analyse FOOTAGE.mp4 --plan {plan}"))
    when = f"--from {around[0]} --to {around[1]}"
    if first.person:
        return Step(f"Veil {first.person} there, half a second wider at both ends." + _others(found),
                    (f"facedouble plan span {plan} {shlex.quote(first.person)} veil --clip {shlex.quote(about.clip)} {when} "
                     '--by "YOUR NAME"', *_render(about)))
    if first.box is not None:
        x, y = first.box.centre
        key = f"{around[0]}:{x:.0f},{y:.0f},{first.box.width * GROWN:.0f}x{first.box.height * GROWN:.0f}"
        return Step("Cover that place with a region; if the thing moves, give it a key (time, middle, size) where it begins and where "
                    "it ends, and --track." + _others(found),
                    (f'facedouble plan region {plan} "NAME OF IT" --clip {shlex.quote(about.clip)} --key {key} {when}',
                     *_render(about)))
    return _again(about, "Make the film again from the footage. If it is found again at the same place, cut it out of the footage "
                         "first." + _others(found))


def _attacked(found: Sequence[Finding], about: About) -> Step:
    person = shlex.quote(found[0].person) if found[0].person else "PERSON"
    return Step("Somebody who has this tool may find the witness. Cast a double that is less like the witness and that nobody else "
                "has, make the face calmer (--calm 1, or calm in the options), or veil it. At high risk: veil.",
                (f'facedouble plan decide {shlex.quote(about.plan)} {person} veil --by "YOUR NAME"' if about.clip
                 else "facedouble protect FOOTAGE.mp4 -o SAFER.mp4 --calm 1", "facedouble double rank DOUBLES --for FOOTAGE.mp4"))


def _heard(found: Sequence[Finding], about: About) -> Step:
    first, plan = found[0], shlex.quote(about.plan)
    around = about.around(first)
    if not about.clip:
        return Step("Make the film again without sound, or with a volunteer's voice.",
                    ("facedouble protect FOOTAGE.mp4 -o SAFER.mp4 --voice mute",))
    if first.ms is not None and around is not None:
        return Step("Bleep that place, half a second wider at both ends; or mute the turn." + _others(found),
                    (f"facedouble plan bleep {plan} {around[0]} {around[1]} --clip {shlex.quote(about.clip)} "
                     '--by "YOUR NAME" --reason "found by the audit"', *_render(about)))
    person = shlex.quote(first.person) if first.person else "PERSON"
    return Step("Mute this voice, or let a volunteer speak the lines anew (revoice).",
                (f'facedouble plan voice {plan} {person} mute --by "YOUR NAME"', *_render(about)))


def _container(found: Sequence[Finding], about: About) -> Step:
    return _again(about, "Do not repair the file, nor clean it with another program. Make it again, and publish exactly what facedouble "
                         "wrote: whatever cuts, converts or renames it may put things in. If a file fresh from facedouble has this, "
                         "it is a bug: report it, without the file.")


def _again(about: About, text: str) -> Step:
    return Step(text, _render(about) if about.clip else ("facedouble protect FOOTAGE.mp4 -o SAFER.mp4",))


def _render(about: About) -> tuple[str, ...]:
    return (f"facedouble render {shlex.quote(about.plan)} -o SAFER",)


def _others(found: Sequence[Finding]) -> str:
    rest = len(found) - 1
    return "" if not rest else f" The same for the other {rest} places." if rest > 1 else " The same for the other place."
