"""Who says yes to which scene. A yes is to exactly what was seen and heard: another hash, and it was never said."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import apsw

from facedouble.errors import ConsentError, UsageError
from facedouble.store import acts, consents, people, personal, volunteers
from facedouble.store.renders import Appearance, Render, Scene
from facedouble.types import Value

STATES: Final = {"approved": "approved", "objected": "objected", "unreachable": "could not be reached"}
METHODS: Final = ("in person", "pack", "signature", "two witnesses")

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS approvals (
    act INTEGER PRIMARY KEY REFERENCES acts (n),
    person TEXT NOT NULL REFERENCES persons (id),
    hash TEXT NOT NULL,
    state TEXT NOT NULL,
    facts TEXT NOT NULL
) STRICT;
"""


@dataclass(frozen=True)
class Said(Value):
    """What somebody said about a scene. state: of STATES; method: of METHODS, "" if they could not be reached."""

    person: str
    hash: str
    state: str
    method: str
    act: int


@dataclass(frozen=True)
class Asked(Value):
    """Somebody who has to approve a scene. known: whether the project knows them; lends: "face" or "voice" for a volunteer."""

    person: str
    known: bool = True
    lends: str = ""
    quiet: bool = False


def asked(db: apsw.Connection, scene: Scene) -> tuple[Asked, ...]:
    """Everybody in a scene, protected or shown, and each volunteer whose face or voice is used. Covered passers-by are not
    asked."""
    found: list[Asked] = []
    for a in scene.people:
        who = people.find(db, a.person)
        if who is None:
            found.append(Asked(a.person, known=False))
        elif who.role != "passer-by":
            quiet = all(b.quiet for b in scene.people if people.find(db, b.person) == who)
            found.append(Asked(who.id, quiet=quiet))
        found += [Asked(lent.person, lends=lent.kind) for lent in lenders(db, a)]
    return tuple(dict.fromkeys(found))


def lenders(db: apsw.Connection, appearance: Appearance) -> tuple[volunteers.Lent, ...]:
    """Whose face and voice somebody gets."""
    pairs = (("face", appearance.double), ("voice", appearance.voice_double))
    return tuple(lent for kind, file in pairs if file for lent in volunteers.lenders(db, kind, file))


def say(db: apsw.Connection, render: Render, number: int, person: str, state: str, by: str, now: dt.datetime, method: str = "",
        note: str = "", witnesses: Sequence[str] = ()) -> int:
    """Write down what somebody said about a scene of a render; the number of the act. It holds for that scene's hash and no
    other."""
    who, scene = people.get(db, person), render.scene(number)
    if state not in STATES:
        raise ValueError(f"{state} is nothing that is said about a scene")
    if who.id not in {a.person for a in asked(db, scene)}:
        raise UsageError(f"{who.id} is not in scene {number} of render {render.id}, and lends nothing to it; there is nothing to "
                         "ask them")
    if state == "approved" and consents.standing(db, who.id).agreed is None:
        raise ConsentError(f"{who.id} has no consent that holds, so that a yes to scene {number} would be worth nothing; record "
                           "the consent first")
    if (state == "unreachable") is bool(method) or method not in ("", *METHODS):
        raise UsageError(f"how did {who.id} say it? One of {', '.join(METHODS)}; who could not be reached said nothing")
    if method == "two witnesses" and len({w.strip().casefold() for w in witnesses} - {""}) < 2:
        raise UsageError(f"scene {number}: name two different people who were there when {who.id} said it")
    act = acts.note(db, state, who.id, by, now)
    facts = {"method": method, "witnesses": list(witnesses), "render": render.id, "scene": number}
    db.execute("INSERT INTO approvals (act, person, hash, state, facts) VALUES (?, ?, ?, ?, ?)",
               (act, who.id, scene.hash, state, json.dumps(facts, sort_keys=True)))
    if note:
        personal.keep(db, act, who.id, (("note", note.encode()),))
    if state == "unreachable":
        consents.contacted(db, who.id, False, by, now)
    return act


def state(db: apsw.Connection, person: str, scene_hash: str, purpose: str) -> Said | None:
    """What somebody's word on a scene is today; None if they were never asked about exactly this.

    The last yes or no counts, a no also against every yes before it; that somebody could not be reached changes neither.
    What was said before a withdrawal is void.
    """
    after = consents.withdrew(db, person, (purpose, *consents.COVERS))
    rows = db.execute("SELECT state, facts, act FROM approvals WHERE person = ? AND hash = ? AND act > ? "
                      "ORDER BY state = 'unreachable', act DESC LIMIT 1", (person, scene_hash, after))
    return next((Said(person, scene_hash, str(s), json.loads(str(f))["method"], int(n)) for s, f, n in rows), None)
