"""What stands against a release. Nothing goes out unless this list is empty; it is made anew at the moment of release."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import apsw

from facedouble.errors import ExitCode, UsageError
from facedouble.store import acts, approvals, consents, override, people, releases, renders, unmasking, volunteers
from facedouble.store.override import Override
from facedouble.store.people import Person
from facedouble.store.renders import Appearance, Render, Scene
from facedouble.types import Value

NOBODY: Final[Mapping[str, str]] = MappingProxyType({})
RELEASED_FOR: Final = ("film", "trailer", "stills")  # what a render can be made for and let go: footage goes to a court as it is
URGENT: Final = (ExitCode.STORE, ExitCode.AUDIT, ExitCode.CONSENT)  # which exit code a release with several ends with
CODES: Final = {"log": ExitCode.STORE, "store": ExitCode.STORE, "audit": ExitCode.AUDIT}  # of everything else: CONSENT
WHY: Final = {
    "log": "the log is broken or was rolled back; nothing goes out until `facedouble log verify` is content",
    "store": "render {it} is not what the project wrote down when it was made; render again",
    "purpose": "this was rendered for {it}; render it for the purpose that it goes out for, one of " + ", ".join(RELEASED_FOR),
    "audit": "{it} Cover what was found, and render again",
    "unknown": "who is {who}? `facedouble person add --plan {who}` enters them, as a passer-by if nobody can be asked",
    "passer-by": "{who} is a passer-by, whom nobody asked; veil or hide and mute them, without subtitles in scenes where they "
                 "speak",
    "withdrawn": "{it}",
    "consent": "{it}",
    "unmasking": "the {it} of {who} is open, and they did not choose that, for this purpose and from a day that has come; "
                 "cover it, or `facedouble person unmask` once they do",
    "approval": "{who} has not approved it as it is now; show it to them, then `facedouble approve`",
    "objection": "{who} objects; change the scene, or make the film of footage without it",
    "unreachable": "{who} could not be reached, which is no approval; hide and mute them and take its subtitles out, make the "
                   "film of footage without the scene, or two key holders answer for it",
    "volunteer": "whose {it}? Not every volunteer in it is known; `facedouble volunteer lend` enters them",
    "file": "the consent in the {it} of {who} does not reach to this purpose today; make it anew with one that does",
    "double": "{who} would be known with the {it} of more than one double, here and in what was released, and comparing finds "
              "people; give them one everywhere, or none",
}


@dataclass(frozen=True)
class Blocker(Value):
    """One thing that stands against a release. kind: of WHY; person, scene: whom and where, "" and None for the whole film."""

    kind: str
    person: str
    scene: int | None
    sentence: str
    exit_code: ExitCode


@dataclass(frozen=True)
class _Case:
    """What every rule looks at. now: the latest time that the project has seen."""

    db: apsw.Connection
    render: Render
    purpose: str
    now: dt.datetime
    overrides: tuple[Override, ...]


def blockers(db: apsw.Connection, render: Render, purpose: str, now: dt.datetime, log_ok: bool,
             keys: Mapping[str, str] = NOBODY) -> tuple[Blocker, ...]:
    """Everything that stands against releasing this render for this purpose; () lets it go.

    log_ok: the whole log was verified just now; keys: the key holders as the log knows them, name -> public key in hex.
    Without them no override counts.
    """
    case = _Case(db, render, purpose, acts.latest(db, now), override.standing(db, render, keys))
    found = [*_whole(case, log_ok), *_audit(case)]
    for scene in render.scenes:
        for appearance in scene.people:
            found += [*_seen(case, scene, appearance), *_lent(case, scene, appearance)]
    return tuple(dict.fromkeys((*found, *_faces(case))))


def in_scene(db: apsw.Connection, scene: Scene) -> Iterator[tuple[str, frozenset[str]]]:
    """Everybody of whom something is in a scene, volunteers too, and what of them."""
    for a in scene.people:
        who = people.find(db, a.person)
        if who is not None:
            yield who.id, a.needs
        for kind, file in (("face", a.double), ("voice", a.voice_double)):
            yield from ((lent.person, frozenset((kind,))) for lent in (volunteers.lenders(db, kind, file) if file else ()))


def exit_code(found: Sequence[Blocker]) -> ExitCode:
    """What the process returns: a broken store before the audit, the audit before people."""
    codes = {blocker.exit_code for blocker in found}
    return next((code for code in URGENT if code in codes), ExitCode.DONE)


def _no(kind: str, it: str = "", who: str = "", scene: Scene | None = None) -> Blocker:
    where = "" if scene is None else f"scene {scene.number}: "
    return Blocker(kind, who, None if scene is None else scene.number, where + WHY[kind].format(it=it, who=who),
                   CODES.get(kind, ExitCode.CONSENT))


def _whole(case: _Case, log_ok: bool) -> Iterator[Blocker]:
    if not log_ok:
        yield _no("log")
    try:
        known = renders.get(case.db, case.render.id) == case.render
    except UsageError:
        known = False
    if not known:
        yield _no("store", case.render.id)
    if case.purpose != case.render.purpose or case.purpose not in RELEASED_FOR:
        yield _no("purpose", case.render.purpose)


def _audit(case: _Case) -> Iterator[Blocker]:
    if case.render.audit_passed:
        return
    if not case.render.found:
        yield _no("audit", "The audit did not pass.")
    for found in case.render.found:
        if not any(override.answers(made, found) for made in case.overrides):
            yield _no("audit", f"{found.check_name}: {found.what}")


def _seen(case: _Case, scene: Scene, a: Appearance) -> Iterator[Blocker]:
    """Somebody in the picture or in the sound: known, with a consent, open only by their own will, asked about this scene."""
    who = people.find(case.db, a.person)
    if who is None:
        yield _no("unknown", who=a.person, scene=scene)
        return
    refused = consents.refusal(case.db, who.id, case.purpose, a.needs, case.now)
    if who.role == "passer-by":
        if refused is not None and refused.kind == "withdrawn":
            yield _no("withdrawn", refused.sentence, who.id, scene)
        unsaid = a.face in ("veil", "hide") and a.voice == "read"  # covered, where the plan has no turn of anybody
        if not a.quiet and not unsaid:
            yield _no("passer-by", who=who.id, scene=scene)
        return
    said = approvals.state(case.db, who.id, scene.hash, case.purpose)
    covered = a.quiet and said is not None and said.state == "unreachable"
    if refused is not None and not (covered and refused.kind == "none"):
        yield _no("withdrawn" if refused.kind == "withdrawn" else "consent", refused.sentence, who.id, scene)
    yield from _open(case, scene, a, who)
    if not covered:
        yield from _approved(case, scene, who.id, said)


def _open(case: _Case, scene: Scene, a: Appearance, who: Person) -> Iterator[Blocker]:
    chosen = {"shown": ("face", "voice"), "witness": unmasking.open_parts(case.db, who.id, case.purpose, case.now)}
    for part, treatment in (("face", a.face), ("voice", a.voice)):
        if treatment in renders.OWN[part] and part not in chosen.get(who.role, ()):
            yield _no("unmasking", part, who.id, scene)


def _approved(case: _Case, scene: Scene, person: str, said: approvals.Said | None) -> Iterator[Blocker]:
    whole = person, scene.number, scene.start, scene.stop
    if said is None:
        yield _no("approval", who=person, scene=scene)
    elif said.state == "objected":
        yield _no("objection", who=person, scene=scene)
    elif said.state == "unreachable" and not any((o.person, o.scene, o.start, o.stop) == whole for o in case.overrides):
        yield _no("unreachable", who=person, scene=scene)


def _lent(case: _Case, scene: Scene, a: Appearance) -> Iterator[Blocker]:
    """The volunteers whose face or voice is used: all known, with a consent of their own and in the file, and asked."""
    today = acts.day(case.now).isoformat()
    for kind, file in (("face", a.double), ("voice", a.voice_double)):
        found = volunteers.lenders(case.db, kind, file) if file else ()
        if file and (not found or len(found) < found[0].parts):
            yield _no("volunteer", f"{kind} is {case.render.facts.get(file, file)}", scene=scene)
        for lent in found:
            outside = bool(lent.scope) and case.purpose not in lent.scope
            if outside or lent.start > today or (lent.until and lent.until < today):
                yield _no("file", kind, lent.person, scene)
            refused = consents.refusal(case.db, lent.person, case.purpose, (kind,), case.now)
            if refused is not None:
                yield _no("withdrawn" if refused.kind == "withdrawn" else "consent", refused.sentence, lent.person, scene)
            said = approvals.state(case.db, lent.person, scene.hash, case.purpose)
            yield from _approved(case, scene, lent.person, said)


def _faces(case: _Case) -> Iterator[Blocker]:
    """One double and one voice for each person, in all that was ever released: who has two can be found where both can be."""
    now: dict[str, tuple[set[str], set[str]]] = {}
    for a in (a for scene in case.render.scenes for a in scene.people):
        who = people.find(case.db, a.person)
        if who is not None:
            faces, voices = now.setdefault(who.id, (set(), set()))
            faces |= {releases.face_of(case.db, a)} - {""}
            voices |= {releases.voice_of(case.db, a)} - {""}
    for person, both in now.items():
        for kind, mine, before in zip(("face", "voice"), both, releases.worn(case.db, person), strict=True):
            if mine and len(mine | before) > 1:
                yield _no("double", kind, person)
