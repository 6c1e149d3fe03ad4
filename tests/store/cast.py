"""A small film with everybody in it: a disguised witness, somebody who is shown, a passer-by, and two volunteers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace

import apsw

from facedouble.store import approvals, consents, people, registry, renders, schemas, volunteers
from facedouble.store.consents import TOLD, Agreed
from facedouble.store.renders import Appearance, Render, Scene
from facedouble.types import Consent

NOW = dt.datetime(2026, 11, 22, 12, 0, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(days=1)
AGREED = Agreed("Chechen", "lin", "those who hunt you will see it, and show it to people who know you", ("film", "stills"),
                ("face", "voice", "body", "story"), "2026-11-01", "2027-11-01", tuple(TOLD))
LENDS = replace(AGREED, mistaken=True, stay_away=("the Caucasus",))
FILE = Consent("V3", ("film", "stills"), "2026-01-01", "2027-12-31")
ANA, NOOR = "a" * 16, "b" * 16  # ids of a .fdouble and a .fvoice

ROSE = Appearance("rose", "double", "double", ANA, NOOR)
SAM = Appearance("P2", "show", "keep")
MAN = Appearance("P3", "veil", "mute")


def empty() -> apsw.Connection:
    """A registry without anybody."""
    db = registry.memory()
    registry.fill(db, b"", schemas.PEOPLE)
    db.execute("PRAGMA query_only=off")
    return db


def enter(db: apsw.Connection) -> None:
    """Everybody, with what they agreed to; nobody has approved anything."""
    for name, role, plan in (("rose", "witness", "P1"), ("sam", "shown", "P2"), ("man", "passer-by", "P3"), ("v3", "double", ""),
                             ("v4", "voice-double", "")):
        who = people.add(db, role, "lin", NOW, name, (plan,) if plan else ())
        if role != "passer-by":
            consents.record(db, name, LENDS if who.volunteer else AGREED, "lin", NOW, reach=f"a friend of {name}")
    volunteers.lend(db, "v3", "face", ANA, FILE, "lin", NOW)
    volunteers.lend(db, "v4", "voice", NOOR, replace(FILE, who="V4"), "lin", NOW)


def a_render(*scenes: Iterable[Appearance], name: str = "r1", purpose: str = "film", hashes: str = "123456789") -> Render:
    """A candidate whose audit passed, a hundred frames a scene."""
    made = tuple(Scene(k + 1, 100 * k, 100 * k + 100, hashes[k] * 64, tuple(who)) for k, who in enumerate(scenes))
    content, audit = hashes[0] * 64, "9" * 64
    return Render(name, "A", "f" * 32, "c" * 64, content, "d" * 16, "e" * 16, True, audit, purpose, 100 * len(made), made)


def film() -> Render:
    """Rose alone; all of them; nobody."""
    return a_render((ROSE,), (ROSE, SAM, MAN), ())


def approve_all(db: apsw.Connection, render: Render, but: str = "") -> None:
    """Everybody who is asked says yes to every scene, but for one."""
    for scene in render.scenes:
        for who in approvals.asked(db, scene):
            if who.known and who.person != but:
                approvals.say(db, render, scene.number, who.person, "approved", "lin", NOW, "in person")


def ready() -> tuple[apsw.Connection, Render]:
    """A film against which nothing stands."""
    db, render = empty(), film()
    enter(db)
    renders.record(db, render, "lin", NOW)
    approve_all(db, render)
    return db, render


def kinds(found: Iterable[object]) -> set[str]:
    """What kinds of blockers there are."""
    return {blocker.kind for blocker in found}  # type: ignore[attr-defined]

