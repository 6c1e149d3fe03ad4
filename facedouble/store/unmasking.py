"""Somebody chooses to be seen. Only the person's own act does that, from a day on, for named purposes; and it can be taken back.

Nobody else's face or voice changes by it, not even that of somebody in the same picture.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import apsw

from facedouble.errors import ConsentError
from facedouble.store import acts, consents, people, personal
from facedouble.types import Value

PARTS: Final = ("face", "voice")
FURTHEST_WEST: Final = dt.timedelta(hours=12)  # the last zone in which a day begins, behind UTC

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS unmaskings (
    act INTEGER PRIMARY KEY REFERENCES acts (n),
    person TEXT NOT NULL REFERENCES persons (id),
    facts TEXT NOT NULL
) STRICT;
"""


@dataclass(frozen=True)
class Unmasking(Value):
    """start: the day from which on, ISO 8601; scope: of PURPOSES; parts: of PARTS; witnesses: who was present, two or nobody;
    signed: whether there is a signature, which is kept sealed."""

    start: str
    scope: tuple[str, ...]
    parts: tuple[str, ...] = PARTS
    witnesses: tuple[str, ...] = ()
    signed: bool = False

    def check(self) -> None:
        if not self.scope or not set(self.scope) <= set(consents.PURPOSES):
            raise ConsentError(f"for what may they be seen? Give one or more of {', '.join(consents.PURPOSES)}")
        if not self.parts or not set(self.parts) <= set(PARTS):
            raise ConsentError("what may be open: face, voice, or both")
        if not self.signed and len({w.strip().casefold() for w in self.witnesses} - {""}) < 2:
            raise ConsentError("unmasking is the person's own act: it needs their signature, or two different people who were "
                               "there when they said so")
        try:
            dt.date.fromisoformat(self.start)
        except ValueError as error:
            raise ConsentError(f"{self.start}: from which day on may they be seen? Write it as 2026-01-31") from error


def unmask(db: apsw.Connection, person: str, wish: Unmasking, by: str, now: dt.datetime, signature: bytes = b"") -> int:
    """Write down that somebody wants to be seen; the number of the act.

    It comes after a consent of theirs to face or voice, and never within it: somebody protected decides twice.
    """
    who = people.get(db, person)
    if who.role != "witness":
        raise ConsentError(f"{who.id} is no witness: only who was disguised can be unmasked")
    if wish.signed is not bool(signature):
        raise ConsentError(f"{who.id}: the signature is missing; give the file that holds it, a scan or a recording")
    if dt.date.fromisoformat(wish.start) < acts.day(now):
        raise ConsentError(f"{who.id} cannot be unmasked from {wish.start}, which is over; take today or a later day")
    held = consents.standing(db, who.id)
    if held.agreed is None or not set(wish.scope) <= set(held.agreed.scope) - held.withdrawn or \
            not set(wish.parts) <= set(held.agreed.covers) - held.withdrawn:
        raise ConsentError(f"{who.id} can only be unmasked for what their consent covers; record a new consent first")
    act = acts.note(db, "unmasked", who.id, by, now)
    facts = json.dumps({**vars(wish), "at_once": dt.date.fromisoformat(wish.start) == acts.day(now)}, sort_keys=True)
    db.execute("INSERT INTO unmaskings (act, person, facts) VALUES (?, ?, ?)", (act, who.id, facts))
    personal.keep(db, act, who.id, (("signature", signature),))
    return act


def mask(db: apsw.Connection, person: str, by: str, now: dt.datetime) -> int:
    """Disguise somebody again. Nobody has to say why, and no proof is asked for; what was shown already stays shown."""
    who = people.get(db, person)
    act = acts.note(db, "masked again", who.id, by, now)
    db.execute("INSERT INTO unmaskings (act, person, facts) VALUES (?, ?, '{}')", (act, who.id))
    return act


def open_parts(db: apsw.Connection, person: str, purpose: str, now: dt.datetime) -> Sequence[str]:
    """What of this witness may be open for a purpose today: "face", "voice", both, or nothing.

    A day that was chosen before it came has come when it has everywhere: nobody is seen while for them it is the day before.
    """
    row = db.execute("SELECT act, facts FROM unmaskings WHERE person = ? ORDER BY act DESC LIMIT 1", (person,)).fetchone()
    if row is None or str(row[1]) == "{}":
        return ()
    said = json.loads(str(row[1]))
    if consents.withdrew(db, person, (purpose,)) > int(row[0]) or purpose not in said["scope"]:
        return ()
    begun = acts.day(now) if said.get("at_once") else (now.astimezone(dt.UTC) - FURTHEST_WEST).date()
    if dt.date.fromisoformat(said["start"]) > begun:
        return ()
    return tuple(p for p in said["parts"] if consents.withdrew(db, person, (p,)) < int(row[0]))
