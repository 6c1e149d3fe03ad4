"""The people of a project, by pseudonym: who is protected, who lends a face or a voice, who is shown, who only passes by."""

from __future__ import annotations

import datetime as dt
import re
import secrets
from dataclasses import dataclass
from typing import Final

import apsw

from facedouble.errors import UsageError
from facedouble.store import acts, personal
from facedouble.types import Value

ROLES: Final = ("witness", "double", "voice-double", "shown", "passer-by")
VOLUNTEERS: Final = ("double", "voice-double")

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS persons (
    id TEXT PRIMARY KEY,
    role TEXT NOT NULL,
    act INTEGER NOT NULL REFERENCES acts (n)
) STRICT;
CREATE TABLE IF NOT EXISTS plan_names (
    name TEXT PRIMARY KEY,
    person TEXT NOT NULL REFERENCES persons (id)
) STRICT;
"""


@dataclass(frozen=True)
class Person(Value):
    """Somebody in the project. id: a pseudonym; role: of ROLES; plan: what the film's plan calls them ("P1").

    A passer-by is somebody whom nobody knows and nobody can ask: such people are always covered, and never heard.
    """

    id: str
    role: str
    plan: tuple[str, ...] = ()

    def check(self) -> None:
        if self.role not in ROLES:
            raise UsageError(f"{self.role}: no such role; take one of {', '.join(ROLES)}")
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,31}", self.id):
            raise UsageError(f"{self.id}: a pseudonym is of a to z, 0 to 9 and -, 32 at most; never a real name")
        for name in self.plan:
            if not re.fullmatch(r"\w[\w-]*", name):
                raise UsageError(f"{name}: that is no person of a plan; write it as the plan does, P1")

    @property
    def volunteer(self) -> bool:
        """Whether this person lends a face or a voice."""
        return self.role in VOLUNTEERS


def add(db: apsw.Connection, role: str, by: str, now: dt.datetime, pseudonym: str = "", plan: tuple[str, ...] = ()) -> Person:
    """Enter somebody, with keys of their own; without a pseudonym they get one that tells nothing."""
    person = Person(pseudonym or _unused(db), role, plan)
    if find(db, person.id) is not None:
        raise UsageError(f"{person.id}: somebody in this project is called that; take another pseudonym")
    act = acts.note(db, "person added", person.id, by, now)
    db.execute("INSERT INTO persons (id, role, act) VALUES (?, ?, ?)", (person.id, role, act))
    personal.make_keys(db, person.id)
    for name in plan:
        _name(db, person.id, name)
    return person


def call(db: apsw.Connection, person: str, name: str, by: str, now: dt.datetime) -> Person:
    """From now on, this person of the plan is that person of the project."""
    held = get(db, person)
    Person(held.id, held.role, (name,))
    acts.note(db, "person found in the plan", held.id, by, now)
    _name(db, held.id, name)
    return get(db, person)


def become(db: apsw.Connection, person: str, role: str, by: str, now: dt.datetime) -> Person:
    """A passer-by was found, and can be asked from now on."""
    held = get(db, person)
    if held.role != "passer-by" or role == "passer-by":
        raise UsageError(f"{held.id} is a {held.role}; only a passer-by becomes something else, once somebody can ask them")
    new = Person(held.id, role, held.plan)
    acts.note(db, f"became {role}", held.id, by, now)
    db.execute("UPDATE persons SET role = ? WHERE id = ?", (role, held.id))
    return new


def _name(db: apsw.Connection, person: str, name: str) -> None:
    other = find(db, name)
    if other is not None and other.id != person:
        raise UsageError(f"{name}: that is {other.id} already; one person of the plan is one person of the project")
    db.execute("INSERT OR IGNORE INTO plan_names (name, person) VALUES (?, ?)", (name, person))


def find(db: apsw.Connection, name: str) -> Person | None:
    """Somebody by pseudonym, or by what the plan calls them; None if nobody is called that."""
    row = db.execute("SELECT id, role FROM persons WHERE id = ?1 OR id = (SELECT person FROM plan_names WHERE name = ?1)",
                     (name,)).fetchone()
    if row is None:
        return None
    names = tuple(str(n) for n, in db.execute("SELECT name FROM plan_names WHERE person = ? ORDER BY rowid", (row[0],)))
    return Person(str(row[0]), str(row[1]), names)


def get(db: apsw.Connection, name: str) -> Person:
    """The same; UsageError if nobody is called that."""
    found = find(db, name)
    if found is None:
        raise UsageError(f"{name}: nobody in this project is called that; `facedouble person list` shows who is there")
    return found


def everybody(db: apsw.Connection) -> tuple[Person, ...]:
    """All, in the order in which they came."""
    return tuple(get(db, str(name)) for name, in db.execute("SELECT id FROM persons ORDER BY act").fetchall())


def _unused(db: apsw.Connection) -> str:
    while find(db, made := f"p-{secrets.token_hex(2)}") is not None:
        continue
    return made
