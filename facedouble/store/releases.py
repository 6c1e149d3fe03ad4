"""What was released, and who is in it: for those who withdraw, and so that nobody ever gets two different faces."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

import apsw

from facedouble.store import acts, people, volunteers
from facedouble.store.renders import MANNEQUIN, Appearance, Render
from facedouble.types import Value

LENDS: Final = "lends"  # the part of a volunteer in a release

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS releases (
    id TEXT PRIMARY KEY,
    act INTEGER NOT NULL REFERENCES acts (n),
    render TEXT NOT NULL REFERENCES renders (id),
    purpose TEXT NOT NULL,
    content TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS release_people (
    release TEXT NOT NULL REFERENCES releases (id),
    person TEXT NOT NULL,
    part TEXT NOT NULL,
    face TEXT NOT NULL,
    voice TEXT NOT NULL
) STRICT;
"""


@dataclass(frozen=True)
class Released(Value):
    """A release: its id, the day, what for, SHA-256 of what is seen and heard in it."""

    id: str
    day: str
    purpose: str
    content: str


def record(db: apsw.Connection, release: str, render: Render, purpose: str, by: str, now: dt.datetime) -> int:
    """Enter a release with everybody who is in it, and everybody who lent a face or a voice; the number of the act."""
    act = acts.note(db, "released", "", by, now)
    db.execute("INSERT INTO releases (id, act, render, purpose, content) VALUES (?, ?, ?, ?, ?)",
               (release, act, render.id, purpose, render.content))
    rows: set[tuple[str, str, str, str, str]] = set()
    for a in (a for scene in render.scenes for a in scene.people):
        found = people.find(db, a.person)
        rows.add((release, a.person if found is None else found.id, "is seen or heard", face_of(db, a), voice_of(db, a)))
        rows |= {(release, lent.person, LENDS, "", "") for kind, file in (("face", a.double), ("voice", a.voice_double)) if file
                 for lent in volunteers.lenders(db, kind, file)}
    db.executemany("INSERT INTO release_people VALUES (?, ?, ?, ?, ?)", sorted(rows))
    return act


def known(db: apsw.Connection, release: str) -> bool:
    """Whether it is in the books."""
    return db.execute("SELECT 1 FROM releases WHERE id = ?", (release,)).get is not None


def undo(db: apsw.Connection, release: str) -> None:
    """Take a release back that never got its name: nobody has seen it. What it was, the log keeps."""
    db.execute("DELETE FROM release_people WHERE release = ?", (release,))
    db.execute("DELETE FROM releases WHERE id = ?", (release,))


def face_of(db: apsw.Connection, a: Appearance) -> str:
    """Whose face is seen in place of theirs, so that a double made anew of the same volunteer is the same face; "" for none."""
    return _whose(db, "face", a.double) or (MANNEQUIN if a.face == MANNEQUIN else "")


def voice_of(db: apsw.Connection, a: Appearance) -> str:
    """Whose voice is heard in place of theirs; "" for none."""
    return _whose(db, "voice", a.voice_double)


def _whose(db: apsw.Connection, kind: str, file: str | None) -> str:
    if not file:
        return ""
    lent = volunteers.lenders(db, kind, file)
    return lent[0].person if len(lent) == 1 == lent[0].parts else file  # each blend is a face of its own


def of(db: apsw.Connection, person: str) -> tuple[Released, ...]:
    """The releases that somebody is in, or lent something to, first to last."""
    rows = db.execute("SELECT DISTINCT r.id, substr(a.at, 1, 10), r.purpose, r.content, r.act FROM releases r "
                      "JOIN acts a ON a.n = r.act JOIN release_people p ON p.release = r.id WHERE p.person = ? "
                      "ORDER BY r.act", (person,))
    return tuple(Released(str(i), str(day), str(purpose), str(content)) for i, day, purpose, content, _ in rows)


def worn(db: apsw.Connection, person: str) -> tuple[frozenset[str], frozenset[str]]:
    """The faces and the voices that the world has seen and heard this person with."""
    rows = db.execute("SELECT face, voice FROM release_people WHERE person = ?", (person,)).fetchall()
    return frozenset(str(f) for f, _ in rows) - {""}, frozenset(str(v) for _, v in rows) - {""}
