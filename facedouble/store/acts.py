"""What was done about people, in the order in which it was done: a clock may be wrong, the order is not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import apsw

from facedouble.errors import UsageError
from facedouble.types import Value

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS acts (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    kind TEXT NOT NULL,
    person TEXT NOT NULL,
    by TEXT NOT NULL
) STRICT;
"""


@dataclass(frozen=True)
class Act(Value):
    """Something that was done: number in the order of all acts, when by the clock, what, about whom, and who wrote it down."""

    n: int
    at: str
    kind: str
    person: str
    by: str


def stamp(now: dt.datetime) -> str:
    """A time as it is written: UTC, whole seconds. ValueError without a time zone."""
    if now.tzinfo is None:
        raise ValueError("a time without its zone")
    return now.astimezone(dt.UTC).isoformat(timespec="seconds")


def note(db: apsw.Connection, kind: str, person: str, by: str, now: dt.datetime) -> int:
    """Write an act down; its number."""
    if not by.strip():
        raise UsageError(f"{kind}: who writes this down? Give --by with a name or a code")
    db.execute("INSERT INTO acts (at, kind, person, by) VALUES (?, ?, ?, ?)", (stamp(now), kind, person, by.strip()))
    return db.last_insert_rowid()


def of(db: apsw.Connection, person: str) -> tuple[Act, ...]:
    """What was done about somebody, first to last."""
    rows = db.execute("SELECT n, at, kind, person, by FROM acts WHERE person = ? ORDER BY n", (person,))
    return tuple(Act(int(n), *map(str, rest)) for n, *rest in rows)


def day(now: dt.datetime) -> dt.date:
    """Which day it is where this machine says it is: days of consents are written down as people say them, without a zone."""
    return now.astimezone().date()


def latest(db: apsw.Connection, now: dt.datetime, walls: Iterable[dt.datetime] = ()) -> dt.datetime:
    """The latest time that this project has ever seen: a clock that was set back prolongs no consent.

    walls: the times of the log's entries, to be asked as well at a release.
    """
    seen = db.execute("SELECT max(at) FROM acts").get
    known = [now, *walls] if seen is None else [now, *walls, dt.datetime.fromisoformat(str(seen))]
    return max(known).astimezone(dt.UTC)
