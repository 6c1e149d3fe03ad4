"""Read everything that the log vouches for, and say what is wrong instead of stopping at it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from facedouble.errors import StoreError
from facedouble.store import keys, log
from facedouble.store.keys import Keyring
from facedouble.store.log import Log
from facedouble.store.project import Project


@dataclass(frozen=True)
class Verified:
    """What was found. alarms: any of them means that the project was altered; notes: strange, and no proof of anything."""

    log: Log
    alarms: tuple[str, ...]
    notes: tuple[str, ...]


def verify(folder: Path, keyring: Keyring, on_paper: str | None = None) -> Verified:
    """Check log, registry, table of files, plain page, and what this machine remembers; on_paper: eight words that somebody wrote
    down."""
    try:
        known = log.read(folder / "log", keys.completed(folder / "keys", keyring))
    except StoreError as error:
        return Verified(Log(), (str(error),), ())
    alarms, notes = [], list(known.notes)
    try:
        with Project.open(folder, keyring, write=False) as project:
            if left := project.vault().unnamed():
                notes.append(f"files below blobs that nothing names, as after an older table of files was put back: {len(left)}, "
                             f"{', '.join(left[:3])}; they stay as they are, compare with a copy")
    except StoreError as error:
        alarms.append(str(error))
    try:
        if on_paper is not None:
            notes.append(f"the words on paper are those of entry {log.entry_of(known, on_paper).n} of {known.n}")
    except StoreError as error:
        alarms.append(str(error))
    return Verified(known, tuple(alarms), tuple(notes))
