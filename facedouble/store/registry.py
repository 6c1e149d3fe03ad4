"""The registry: an SQLite database that exists decrypted only in memory; on the disk, one age file per generation."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

import apsw

from facedouble.age.sealing import seal
from facedouble.errors import StoreError
from facedouble.store import files
from facedouble.store.entry import Entry
from facedouble.store.keys import Keyring

META: Final = "CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value ANY) STRICT"
ERASED: Final = "erased"  # in meta: something was erased, and its bytes must not stay between the pages
ALTERED: Final = ("the registry was rolled back or altered; keep the project as it is, run `facedouble log verify`, and compare "
                  "it with a copy")


def memory() -> apsw.Connection:
    """A database that never writes a file, be it a temporary one."""
    db = apsw.Connection(":memory:")
    for pragma in ("temp_store=2", "journal_mode=memory", "foreign_keys=on"):
        db.execute(f"PRAGMA {pragma}").fetchall()
    return db


def fill(db: apsw.Connection, data: bytes, schemas: tuple[str, ...]) -> None:
    """Put a saved database there, with the tables that have come since; what was in it goes."""
    db.execute("PRAGMA query_only=off")
    if data:
        db.deserialize("main", data)
    for schema in (META, *schemas):
        db.execute(schema)
    db.execute("PRAGMA query_only=on")


def path_of(folder: Path, generation: int) -> Path:
    """The file of a generation."""
    return folder / f"{generation:08d}.age"


def write(folder: Path, db: apsw.Connection, generation: int, n: int, prev: str, recipient: str) -> tuple[int, str]:
    """Save the database as a generation that log entry n will name; generation and SHA-256 of the file."""
    db.execute("PRAGMA query_only=off")
    if db.execute("DELETE FROM meta WHERE key = ? RETURNING 1", (ERASED,)).get is not None:
        db.execute("VACUUM")
    db.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", [("generation", generation), ("n", n), ("prev", prev)])
    sealed = seal(db.serialize("main"), (recipient,))
    files.write(path_of(folder, generation), sealed)
    return generation, hashlib.sha256(sealed).hexdigest()


def read(folder: Path, named: Entry, keyring: Keyring) -> bytes:
    """The database that a log entry names; StoreError if it is another one, or gone."""
    path = path_of(folder, named.generation)
    try:
        sealed = path.read_bytes()
    except FileNotFoundError as error:
        raise StoreError(f"{path}: {ALTERED}") from error
    except OSError as error:
        raise StoreError(f"{path}: cannot be read ({error.strerror}); is the disk there?") from error
    if hashlib.sha256(sealed).hexdigest() != named.registry:
        raise StoreError(f"{path}: {ALTERED}")
    return keyring.unseal(sealed)


def check(db: apsw.Connection, named: Entry) -> None:
    """StoreError unless the database was saved for just this entry, the last of the log."""
    known = {str(key): value for key, value in db.execute("SELECT key, value FROM meta")}
    if (known.get("n"), known.get("prev"), known.get("generation")) != (named.n, named.prev, named.generation):
        raise StoreError(f"the log ends at entry {named.n}, and the registry knows another one: {ALTERED}")


def keep_only(folder: Path, generation: int) -> None:
    """Remove the others: older ones, and what a crash left; the caller holds the project's lock."""
    for path in folder.glob("*.age"):
        if path != path_of(folder, generation):
            path.unlink(missing_ok=True)
