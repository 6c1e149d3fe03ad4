"""What belongs to one person is sealed to that person's own keys: erase a key, and every copy of it is closed for good.

The keys are nowhere but in the registry, which is encrypted itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import apsw

from facedouble.age.sealing import generate, recipient_of, seal, unseal
from facedouble.errors import ConsentError, StoreError
from facedouble.store.registry import ERASED

KINDS: Final = ("record", "biometrics")  # real name, how to reach them, proof; and what a face or a voice can be known by
NAMES: Final = ("real-name", "reach", "proof", "note", "signature")

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS person_keys (
    person TEXT NOT NULL REFERENCES persons (id),
    kind TEXT NOT NULL,
    identity TEXT NOT NULL,
    PRIMARY KEY (person, kind)
) STRICT;
CREATE TABLE IF NOT EXISTS sealed (
    act INTEGER NOT NULL REFERENCES acts (n),
    person TEXT NOT NULL REFERENCES persons (id),
    name TEXT NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (act, name)
) STRICT;
"""


def make_keys(db: apsw.Connection, person: str) -> None:
    """Fresh keys, of each kind that the person has none of."""
    for kind in KINDS:
        if not _identity(db, person, kind):
            db.execute("INSERT INTO person_keys (person, kind, identity) VALUES (?, ?, ?)", (person, kind, generate()[0]))


def has_key(db: apsw.Connection, person: str, kind: str) -> bool:
    """Whether what is sealed to this person can be opened."""
    return _identity(db, person, kind) is not None


def recipient_for(db: apsw.Connection, person: str, kind: str) -> str:
    """The public half of a person's key, which tells it from one of before; ConsentError if it was erased."""
    return recipient_of(_key(db, person, kind))


def seal_for(db: apsw.Connection, person: str, kind: str, data: bytes) -> bytes:
    """An age file that only this person's key of that kind opens; ConsentError if it was erased."""
    return seal(data, [recipient_for(db, person, kind)])


def open_for(db: apsw.Connection, person: str, kind: str, sealed: bytes) -> bytes:
    """What was sealed; ConsentError if the key was erased, StoreError if the bytes were altered or made for another key."""
    return unseal(sealed, [_key(db, person, kind)])


def erase_key(db: apsw.Connection, person: str, kind: str) -> None:
    """Take a key away for good, and with the record's key what the registry itself keeps under it.

    The database is written anew when the change is saved, because pages that it rebuilt earlier may hold a copy.
    """
    db.pragma("secure_delete", True)
    db.execute("INSERT OR REPLACE INTO meta VALUES (?, 1)", (ERASED,))
    db.execute("DELETE FROM person_keys WHERE person = ? AND kind = ?", (person, kind))
    if kind == "record":
        db.execute("DELETE FROM sealed WHERE person = ?", (person,))


def keep(db: apsw.Connection, act: int, person: str, texts: Iterable[tuple[str, bytes]]) -> None:
    """Keep words about somebody, sealed to their record; empty ones are not kept."""
    for name, data in texts:
        if name not in NAMES:
            raise ValueError(f"nothing called {name} is kept about people")
        if data:
            db.execute("INSERT INTO sealed (act, person, name, data) VALUES (?, ?, ?, ?)",
                       (act, person, name, seal_for(db, person, "record", data)))


def kept(db: apsw.Connection, person: str, name: str) -> bytes | None:
    """The newest of what is kept under that name; None if there is nothing; ConsentError if the key was erased."""
    row = db.execute("SELECT data FROM sealed WHERE person = ? AND name = ? ORDER BY act DESC LIMIT 1", (person, name)).fetchone()
    return None if row is None else open_for(db, person, "record", bytes(row[0]))


def _identity(db: apsw.Connection, person: str, kind: str) -> str | None:
    if kind not in KINDS:
        raise ValueError(f"nobody has a key for {kind}")
    row = db.execute("SELECT identity FROM person_keys WHERE person = ? AND kind = ?", (person, kind)).fetchone()
    return None if row is None else str(row[0])


def _key(db: apsw.Connection, person: str, kind: str) -> str:
    if not db.execute("SELECT 1 FROM persons WHERE id = ?", (person,)).get:
        raise StoreError(f"{person}: nobody in this project is called that, so nothing is sealed to them; add them first")
    identity = _identity(db, person, kind)
    if identity is None:
        raise ConsentError(f"{person}: the key of their {kind} was erased, at a withdrawal or on request; what was sealed with "
                           "it cannot be read by anybody, and a new consent makes a new key")
    return identity
