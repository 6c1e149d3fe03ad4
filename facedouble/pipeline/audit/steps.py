"""What to do next, from what was found: sentences, and lines to type. Words in capitals are for the reader to replace."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from facedouble.audit.covers import NAME as COVERED
from facedouble.audit.verdict import Audit, Finding
from facedouble.audit.whose import NAME as RECOGNISED
from facedouble.pipeline.audit.about import About
from facedouble.pipeline.audit.moments import Moment, moments
from facedouble.pipeline.audit.sample import WORN
from facedouble.types import Value

OFTEN, LONG = 4, 10_000  # places with one person, and ms of them in all: then it is the double, not the moment
GROWN: Final = 1.4  # a cover's side in sides of what it covers
RANK: Final = "facedouble double rank DOUBLES --for FOOTAGE.mp4"
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
    about = replace(about, frames=audit.frames)
    by: dict[tuple[str, ...], list[Moment]] = {}
    for moment in moments(audit, about):
        by.setdefault(_key(moment), []).append(moment)
    return [Problem(tuple(held), REMEDIES[key[0]]([m.whole for m in held], about)) for key, held in by.items()]


def _key(moment: Moment) -> tuple[str, ...]:
    """Problems are told apart by whom they give away, and by whether they are only taken for them; nobody's faces by what they
    are, sounds by whether they have a time, attacks by whether it is the wrong double."""
    whole = moment.whole
    if moment.group == "seen":
        if moment.checks == {COVERED}:
            return "uncovered", ""
        taken = bool(whole.person) and moment.checks == {RECOGNISED}  # where the footage is left as well, that is why
        return ("taken" if taken else "seen"), whole.person, "" if whole.person else whole.what
    if moment.group == "attacked" and WORN in moment.checks:
        return "worn", ""
    if moment.group == "heard":
        return "heard", whole.person, "at a time" if whole.ms else ""
    return (moment.group,) if moment.group == "container" else (moment.group, whole.person)


def again(about: About) -> str:
    """The line that makes the film anew."""
    return f"facedouble render {shlex.quote(about.plan)} -o SAFER" if about.clip else \
        "facedouble protect FOOTAGE.mp4 -o SAFER.mp4"


def _often(found: Sequence[Finding], about: About) -> bool:
    return len(found) >= OFTEN or sum(b - a for a, b in filter(None, map(about.ms, found))) >= LONG


def _veil(person: str, about: About) -> str:
    if not about.clip:
        return f"{again(about)} --double veil"
    return f"facedouble plan decide {shlex.quote(about.plan)} {shlex.quote(person) if person else 'PERSON'} veil {BY}"


def _taken(found: Sequence[Finding], about: About) -> Step:
    """A recogniser takes a face for somebody, and nothing of the footage is left in it."""
    if not _often(found, about):
        return _seen(found, about)
    return Step("It happens often, or for long, so the double is too like this person: cast another. Until then, veil them.",
                (RANK, *([_veil(found[0].person, about)] if about.clip else [])))


def _seen(found: Sequence[Finding], about: About) -> Step:
    first, plan, clip = found[0], shlex.quote(about.plan), shlex.quote(about.clip)
    around = about.around(first)
    if first.person and _often(found, about):
        return Step("It happens often, or for long, and another double does not help: veil them in the whole film, or leave "
                    "`--hair` and `--in-front` out if they were used. Else it is a fault of this program: report it, without "
                    "footage.",
                    (_veil(first.person, about),))
    if first.frames is None or around is None or not (first.person or first.box):
        return Step("Make the film again from the footage. If it is found again at the same place, cut that out of the footage "
                    "first." + _others(found))
    if not about.clip:
        return Step("Choose. Quick: veil everybody in this film (the first line). Or only this place: make a plan, cover it "
                    "there, and make the film by the plan (the other lines; of whom nothing is decided is veiled by it)."
                    + _others(found),
                    (f"{again(about)} --double veil", f"facedouble analyse FOOTAGE.mp4 --plan {plan}",
                     f"facedouble plan decide {plan} PERSON mannequin {BY}", _region(first, around, plan, "A"),
                     f"facedouble render {plan} -o SAFER"))
    when = _when(around, clip)
    if first.person:
        return Step(f"Veil {first.person} there, half a second wider at both ends." + _others(found),
                    (f"facedouble plan span {plan} {shlex.quote(first.person)} veil {when} {BY}",))
    return Step("Cover that place. If it moves, give a key (time, middle, size) for where it is at the start and one for the end."
                + _others(found), (_region(first, around, plan, clip),))


def _when(around: tuple[str, str], clip: str) -> str:
    return f"--clip {clip} --from {around[0]} --to {around[1]}"


def _region(first: Finding, around: tuple[str, str], plan: str, clip: str) -> str:
    """The line that covers the place of a finding; without a box a place to be named."""
    key = f"{around[0]}:X,Y,WIDTHxHEIGHT"
    if first.box is not None:
        x, y = first.box.centre
        key = f"{around[0]}:{x:.0f},{y:.0f},{first.box.width * GROWN:.0f}x{first.box.height * GROWN:.0f}"
    return f'facedouble plan region {plan} "NAME IT" --key {key} {_when(around, clip)}'


def _uncovered(found: Sequence[Finding], about: About) -> Step:
    return Step("The film lacks a cover that it has to have: it was made before that was decided, or changed since. Make it "
                "again; if it is found again, it is a fault of this program: report it, without footage.", (again(about),))


def _attacked(found: Sequence[Finding], about: About) -> Step:
    return Step("At high risk, veil the face. Else cast a double that is less like the witness and that nobody else has, and "
                "make the face calmer (`--calm 1`).",
                (_veil(found[0].person, about), RANK))


def _worn(found: Sequence[Finding], about: About) -> Step:
    return Step("The film was made with another double than the one that was decided on, or the double's file was replaced "
                "since. Look whose double the plan names, and make the film again with it.", (again(about),))


def _heard(found: Sequence[Finding], about: About) -> Step:
    first, plan = found[0], shlex.quote(about.plan)
    around = about.around(first)
    if not about.clip and first.ms is not None:
        return Step("Make the film again without sound, or with a volunteer's voice.", (f"{again(about)} --voice mute",))
    if first.ms is not None and around is not None:
        return Step("Bleep that place, half a second wider at both ends, or mute the whole turn." + _others(found),
                    (f"facedouble plan bleep {plan} {around[0]} {around[1]} --clip {shlex.quote(about.clip)} {BY} "
                     '--reason "found by the audit"',))
    person = shlex.quote(first.person) if first.person else "PERSON"
    return Step("If it is about a voice, mute it, or let a volunteer speak the lines anew (`revoice`). Else make the film again.",
                (f"facedouble plan voice {plan} {person} mute {BY}" if about.clip else f"{again(about)} --voice mute",))


def _container(found: Sequence[Finding], about: About) -> Step:
    return Step("Do not repair the file, nor clean it with another program: make it again, and publish exactly what facedouble "
                "wrote. Whatever cuts, converts or sends a film may write into it. If a file fresh from facedouble has this, it "
                "is a bug: report it, without the film.")


def _others(found: Sequence[Finding]) -> str:
    rest = len(found) - 1
    return "" if not rest else f" Do the same for the other {rest} places." if rest > 1 else " Do the same for the other place."


REMEDIES: Mapping[str, Callable[[Sequence[Finding], About], Step]] = MappingProxyType(
    {"seen": _seen, "taken": _taken, "uncovered": _uncovered, "attacked": _attacked, "worn": _worn, "heard": _heard,
     "container": _container})
