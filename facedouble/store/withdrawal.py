"""Somebody changes their mind: from this act on nothing of theirs goes out. It needs no reason, and nobody may overrule it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass

import apsw

from facedouble.errors import UsageError
from facedouble.store import acts, people, personal, releases
from facedouble.store.consents import COVERS, PURPOSES
from facedouble.types import Value

RECALL = "copies that were published or given away cannot be recalled; write to those who have them"


@dataclass(frozen=True)
class Withdrawn(Value):
    """What follows from it. parts: what was withdrawn, () for everything; past: what was released with this person in it."""

    act: int
    person: str
    parts: tuple[str, ...]
    past: tuple[releases.Released, ...]


def withdraw(db: apsw.Connection, person: str, by: str, now: dt.datetime, parts: Sequence[str] = (),
             erase_record: bool = False) -> Withdrawn:
    """Withdraw everything, or some purposes (film, trailer, …) or parts (face, voice, …). It holds at once.

    With everything the key of the person's face codes and voice print is erased; with face or voice it is replaced by a new one,
    which opens nothing that was sealed before. erase_record: on their wish also real name, how to reach them, and proof.
    """
    who = people.get(db, person)
    check(parts)
    act = acts.note(db, "withdrawn", who.id, by, now)
    db.execute("INSERT INTO withdrawals (act, person, parts) VALUES (?, ?, ?)", (act, who.id, json.dumps(sorted(set(parts)))))
    if not parts or {"face", "voice"} & set(parts):
        personal.erase_key(db, who.id, "biometrics")
    if erase_record:
        personal.erase_key(db, who.id, "record")
    if parts:
        personal.make_keys(db, who.id)
    return Withdrawn(act, who.id, tuple(sorted(set(parts))), releases.of(db, who.id))


def check(parts: Sequence[str]) -> None:
    """UsageError for what nobody can withdraw."""
    for part in parts:
        if part not in (*PURPOSES, *COVERS):
            raise UsageError(f"{part}: nobody can withdraw that; take some of {', '.join((*PURPOSES, *COVERS))}, each with its "
                             "own --part, or nothing for all")


def erase(db: apsw.Connection, person: str, kinds: Sequence[str], by: str, now: dt.datetime) -> int:
    """Erase what is kept about somebody, on their wish: "biometrics", "record". Acts by pseudonym stay; they keep a no a no."""
    who = people.get(db, person)
    act = acts.note(db, "erased", who.id, by, now)
    for kind in kinds:
        personal.erase_key(db, who.id, kind)
    return act
