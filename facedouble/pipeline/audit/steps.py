"""What to do next, from what was found: sentences, and lines to type. Words in capitals are for the reader to replace."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from facedouble.audit.verdict import Audit, Finding
from facedouble.pipeline.audit.about import About
from facedouble.pipeline.audit.moments import Moment, moments
from facedouble.types import Value

OFTEN, LONG = 4, 10_000  # places with one person, and ms of them in all: then it is the double, not the moment
GROWN: Final = 1.4  # a cover's side in sides of what it covers
BY: Final = '--by "YOUR NAME"'


@dataclass(frozen=True)
class Step(Value):
    """Something to do. commands: lines to type, each by itself."""

    text: str
    commands: tuple[str, ...] = ()


@dataclass(frozen=True)
class Problem(Value):
    """Moments that have one remedy: those of one person, or of one kind where it is nobody's."""

    moments: tuple[Moment, ...]
    remedy: Step


def problems(audit: Audit, about: About) -> list[Problem]:
    """All that was found, in the order of the checks: what one remedy helps against is one problem."""
    by: dict[tuple[str, ...], list[Moment]] = {}
    for moment in moments(audit, about):
        by.setdefault(_key(moment), []).append(moment)
    return [Problem(tuple(held), REMEDIES[key[0]]([m.whole for m in held], about)) for key, held in by.items()]


def _key(moment: Moment) -> tuple[str, ...]:
    """Problems are told apart by whom they give away; nobody's faces by what they are, sounds by whether they have a time."""
    whole = moment.whole
    if moment.group == "seen":
        return "seen", whole.person, "" if whole.person else whole.what
    if moment.group == "heard":
        return "heard", whole.person, "at a time" if whole.ms else ""
    return (moment.group,) if moment.group == "container" else (moment.group, whole.person)


def again(about: About) -> str:
    """The line that makes the film anew."""
    return f"facedouble render {shlex.quote(about.plan)} -o SAFER" if about.clip else \
        "facedouble protect FOOTAGE.mp4 -o SAFER.mp4"


def _seen(found: Sequence[Finding], about: About) -> Step:
    first, plan, clip = found[0], shlex.quote(about.plan), shlex.quote(about.clip)
    around = about.around(first)
    lasts = sum(b - a for a, b in filter(None, map(about.ms, found)))
    if first.person and (len(found) >= OFTEN or lasts >= LONG):
        return Step("It happens often, or for long, so the double is too like this person: cast another. Until then, veil them.",
                    ("facedouble double rank DOUBLES --for FOOTAGE.mp4",
                     *([f"facedouble plan decide {plan} {shlex.quote(first.person)} veil {BY}"] if about.clip else [])))
    if first.frames is None or around is None or not (first.person or first.box):
        return Step("Make the film again from the footage. If it is found again at the same place, cut that out of the footage "
                    "first." + _others(found))
    if not about.clip:
        return Step("Veil everybody in this film; or make a plan, and cover just this place in it.",
                    (f"{again(about)} --double veil", f"facedouble analyse FOOTAGE.mp4 --plan {plan}"))
    when = f"--clip {clip} --from {around[0]} --to {around[1]}"
    if first.person:
        return Step(f"Veil {first.person} there, half a second wider at both ends." + _others(found),
                    (f"facedouble plan span {plan} {shlex.quote(first.person)} veil {when} {BY}",))
    assert first.box is not None
    x, y = first.box.centre
    key = f"{around[0]}:{x:.0f},{y:.0f},{first.box.width * GROWN:.0f}x{first.box.height * GROWN:.0f}"
    return Step("Cover that place. If it moves, give a key (time, middle, size) for where it is at the start and one for the end."
                + _others(found), (f'facedouble plan region {plan} "NAME IT" --key {key} {when}',))


def _attacked(found: Sequence[Finding], about: About) -> Step:
    person = shlex.quote(found[0].person) if found[0].person else "PERSON"
    veil = (f"facedouble plan decide {shlex.quote(about.plan)} {person} veil {BY}" if about.clip
            else f"{again(about)} --double veil")
    return Step("At high risk, veil the face. Else cast a double that is less like the witness and that nobody else has, and "
                "make the face calmer (`--calm 1`).", (veil, "facedouble double rank DOUBLES --for FOOTAGE.mp4"))


def _heard(found: Sequence[Finding], about: About) -> Step:
    first, plan = found[0], shlex.quote(about.plan)
    around = about.around(first)
    if not about.clip:
        return Step("Make the film again without sound, or with a volunteer's voice.", (f"{again(about)} --voice mute",))
    if first.ms is not None and around is not None:
        return Step("Bleep that place, half a second wider at both ends, or mute the whole turn." + _others(found),
                    (f"facedouble plan bleep {plan} {around[0]} {around[1]} --clip {shlex.quote(about.clip)} {BY} "
                     '--reason "found by the audit"',))
    person = shlex.quote(first.person) if first.person else "PERSON"
    return Step("If it is about a voice, mute it, or let a volunteer speak the lines anew (`revoice`). Else make the film again.",
                (f"facedouble plan voice {plan} {person} mute {BY}",))


def _container(found: Sequence[Finding], about: About) -> Step:
    return Step("Do not repair the file, nor clean it with another program: make it again, and publish exactly what facedouble "
                "wrote. Whatever cuts, converts or sends a film may write into it. If a file fresh from facedouble has this, it "
                "is a bug: report it, without the film.")


def _others(found: Sequence[Finding]) -> str:
    rest = len(found) - 1
    return "" if not rest else f" Do the same for the other {rest} places." if rest > 1 else " Do the same for the other place."


REMEDIES: Mapping[str, Callable[[Sequence[Finding], About], Step]] = MappingProxyType(
    {"seen": _seen, "attacked": _attacked, "heard": _heard, "container": _container})
