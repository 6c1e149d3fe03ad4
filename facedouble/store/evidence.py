"""The manifest of what was handed over: footage and trophy videos, as they came, with their hashes."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import apsw

from facedouble.errors import StoreError
from facedouble.store.blobs import Blob

KINDS: Final = ("footage", "trophy")  # trophy: made by the perpetrators
ADDED: Final = "footage added"
RECEIVED: Final = "footage received"
LONGEST: Final = 80  # letters of a name

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS evidence (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    sha256 TEXT NOT NULL UNIQUE,
    shelf TEXT NOT NULL UNIQUE,
    record TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS field_logs (
    project TEXT PRIMARY KEY,
    key TEXT NOT NULL,
    n INTEGER NOT NULL,
    head TEXT NOT NULL
) STRICT;
"""


@dataclass(frozen=True)
class Item:
    """One file as it was handed over.

    name: what it was called; shelf: its name in the project's `footage/`; added: UTC; salt: of its commitment in the log; blob:
    its bytes; note: who handed it over, sealed; origin: field project and entry of its log, if it came from there.
    """

    id: str
    name: str
    shelf: str
    kind: str
    sha256: str
    sha512_256: str
    added: str
    by: str
    salt: str
    blob: Blob
    note: Blob | None = None
    origin: str = ""

    def __post_init__(self) -> None:
        hashes = (self.sha256, self.sha512_256, self.salt)
        if not re.fullmatch("e-[0-9a-f]{8}", self.id) or self.kind not in KINDS or not all(re.fullmatch("[0-9a-f]{64}", h)
                                                                                        for h in hashes):
            raise ValueError("this describes no evidence")

    @property
    def commitment(self) -> str:
        """What the log says of the file: nobody can tell from it which file, and with salt and hash everybody can check it."""
        return hashlib.sha256(f"{self.salt}{self.sha256}".encode()).hexdigest()

    def packed(self) -> str:
        """As text."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def unpacked(cls, text: str | bytes) -> Item:
        """The reverse; StoreError if it is none."""
        try:
            held: dict[str, Any] = json.loads(text)
            note = held.pop("note")
            return cls(**{**held, "blob": Blob(**held["blob"]), "note": None if note is None else Blob(**note)})
        except (ValueError, KeyError, TypeError) as error:
            raise StoreError("a manifest entry of evidence was altered; take the project from a copy") from error


@dataclass(frozen=True)
class Seen:
    """How far a field project's log was when it was received. key: that signs it, public, hex; head: of entry `entry`."""

    field: str
    key: str
    entry: int
    head: str


def seen(db: apsw.Connection, field: str) -> Seen | None:
    """What was received from a field project last."""
    for project, key, n, head in db.execute("SELECT project, key, n, head FROM field_logs WHERE project = ?", (field,)):
        return Seen(str(project), str(key), int(str(n)), str(head))
    return None


def remember(db: apsw.Connection, now: Seen) -> None:
    """Write it down."""
    db.execute("INSERT OR REPLACE INTO field_logs VALUES (?, ?, ?, ?)", (now.field, now.key, now.entry, now.head))


def fresh_id() -> str:
    """A name that tells nothing."""
    return f"e-{secrets.token_hex(4)}"


def fresh_salt() -> str:
    """64 hex digits."""
    return secrets.token_hex(32)


def items(db: apsw.Connection) -> list[Item]:
    """All that was handed over, in the order in which it was."""
    return [Item.unpacked(str(text)) for (text,) in db.execute("SELECT record FROM evidence ORDER BY rowid")]


def with_hash(db: apsw.Connection, sha256: str) -> Item | None:
    """The same bytes, if they are here already."""
    for (text,) in db.execute("SELECT record FROM evidence WHERE sha256 = ?", (sha256,)):
        return Item.unpacked(str(text))
    return None


def insert(db: apsw.Connection, item: Item) -> None:
    """Enter it; nothing ever changes it again."""
    db.execute("INSERT INTO evidence VALUES (?, ?, ?, ?, ?)", (item.id, item.kind, item.sha256, item.shelf, item.packed()))


def move(db: apsw.Connection, item: Item) -> None:
    """Its bytes lie in another blob now, which is all that may ever change."""
    old = next(held for held in items(db) if held.id == item.id)
    if replace(old, blob=item.blob, note=item.note) != item or (old.note is None) is not (item.note is None):
        raise ValueError("nothing but where it lies changes of evidence")
    db.execute("UPDATE evidence SET record = ? WHERE id = ?", (item.packed(), item.id))


def blob_ids(found: Collection[Item]) -> set[str]:
    """Names of what holds them."""
    return {b.id for item in found for b in (item.blob, item.note) if b is not None}


def shelf_name(name: str, taken: Collection[str]) -> str:
    """What a file is called in the project: its own name, without what a terminal, a plan or a path could misread."""
    stem, dot, suffix = name.rpartition(".")
    if not dot or not re.fullmatch("[A-Za-z0-9]{1,8}", suffix):
        stem, suffix = name, ""
    stem = "".join(c if c.isalnum() or c in "-_" else "-" for c in stem)[:LONGEST].strip("-_") or "footage"
    tail = f".{suffix}" if suffix else ""
    number, made = 1, f"{stem}{tail}"
    while made.casefold() in {t.casefold() for t in taken}:
        number += 1
        made = f"{stem}-{number}{tail}"
    return made
