"""Whose face is in a `.fdouble`, whose voice in a `.fvoice`: a file with a volunteer whom nobody entered is not released."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import Final

import apsw

from facedouble.errors import ConsentError
from facedouble.store import acts, people
from facedouble.types import Consent, Value

LENT: Final = ("face", "voice")
JOINT: Final = " + "  # between the names in the consent of a double that was blended of several volunteers

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS lent (
    file TEXT NOT NULL,
    kind TEXT NOT NULL,
    part INTEGER NOT NULL,
    parts INTEGER NOT NULL,
    person TEXT NOT NULL REFERENCES persons (id),
    facts TEXT NOT NULL,
    act INTEGER NOT NULL REFERENCES acts (n),
    PRIMARY KEY (file, kind, part)
) STRICT;
"""


@dataclass(frozen=True)
class Lent(Value):
    """A volunteer's part in a double or a voice. file: its id; of parts, which is more than 1 for a blend; the dates and the
    scope that
    the file itself states, "" and () where it states none."""

    file: str
    kind: str
    person: str
    parts: int
    scope: tuple[str, ...]
    start: str
    until: str


def lend(db: apsw.Connection, person: str, kind: str, file: str, said: Consent | None, by: str, now: dt.datetime,
         called: str = "") -> Lent:
    """Enter that this file holds this volunteer's face or voice.

    said: the consent in the file, None for a recording of a take, which has none; called: which of its names is this
    volunteer, unless that is the pseudonym or there is one only.
    """
    who = people.get(db, person)
    if not who.volunteer:
        raise ConsentError(f"{who.id} is entered as {who.role}; only a volunteer lends a {kind}: `facedouble volunteer add` "
                           "enters one")
    names = [who.id] if said is None else [name.strip() for name in said.who.split(JOINT)]
    which = called or (names[0] if len(names) == 1 else who.id)
    if which not in names:
        raise ConsentError(f"{file}: which of its {len(names)} volunteers is {who.id}? Give the name or code as the consent in "
                           "the file has it, with --called")
    part = names.index(which)
    taken = db.execute("SELECT person FROM lent WHERE file = ? AND kind = ? AND part = ?", (file, kind, part)).get
    if taken is not None and taken != who.id:
        raise ConsentError(f"{file}: that is {taken} already; one {kind} belongs to one volunteer")
    act = acts.note(db, f"lends a {kind}", who.id, by, now)
    states = ("", "", "") if said is None else (said.scope, said.date, said.until or "")
    facts = json.dumps(dict(zip(("scope", "start", "until"), states, strict=True)), sort_keys=True)
    db.execute("INSERT OR REPLACE INTO lent (file, kind, part, parts, person, facts, act) VALUES (?, ?, ?, ?, ?, ?, ?)",
               (file, kind, part, len(names), who.id, facts, act))
    return _lent(file, kind, who.id, len(names), facts)


def lenders(db: apsw.Connection, kind: str, file: str) -> tuple[Lent, ...]:
    """Whose it is; fewer than its `parts` if somebody was not entered."""
    rows = db.execute("SELECT person, parts, facts FROM lent WHERE kind = ? AND file = ? ORDER BY part", (kind, file))
    return tuple(_lent(file, kind, *row) for row in rows)


def lent_by(db: apsw.Connection, person: str) -> tuple[Lent, ...]:
    """What somebody lends."""
    rows = db.execute("SELECT file, kind, person, parts, facts FROM lent WHERE person = ? ORDER BY act", (person,))
    return tuple(_lent(str(file), str(kind), *rest) for file, kind, *rest in rows)


def _lent(file: str, kind: str, person: object, parts: object, facts: object) -> Lent:
    said = json.loads(str(facts))
    return Lent(file, kind, str(person), int(str(parts)), tuple(said["scope"]), said["start"], said["until"])
