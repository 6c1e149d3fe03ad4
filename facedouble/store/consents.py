"""What somebody agreed to, how it was explained to them, and what of it holds today. The newest record says all that holds."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

import apsw

from facedouble.errors import ConsentError
from facedouble.store import acts, people, personal
from facedouble.types import Value

PURPOSES: Final = ("film", "trailer", "stills", "court")
COVERS: Final = ("face", "voice", "body", "story")
TOLD: Final = {  # what has to be said before anybody agrees
    "withdraw_told": "how to withdraw, at any time and without a reason",
    "recall_told": "copies that were published or given away cannot be recalled",
    "disclosed": "what the film is about, who makes it, where it may be seen, what it may lead to",
    "voluntary": "nobody presses them, and they lose nothing by a no",
    "understood": "they said back in their own words what they agree to",
    "able": "they are of age, and able to decide this today: rested, sober, not afraid of those present",
}
MISTAKEN: Final = "they may be mistaken for a witness"

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS consents (
    act INTEGER PRIMARY KEY REFERENCES acts (n),
    person TEXT NOT NULL REFERENCES persons (id),
    facts TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS withdrawals (
    act INTEGER PRIMARY KEY REFERENCES acts (n),
    person TEXT NOT NULL REFERENCES persons (id),
    parts TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS contacts (
    act INTEGER PRIMARY KEY REFERENCES acts (n),
    person TEXT NOT NULL REFERENCES persons (id),
    reached INTEGER NOT NULL
) STRICT;
"""


@dataclass(frozen=True)
class Agreed(Value):
    """A consent record, without what is sealed. Days are ISO 8601; until "": without an end.

    audience: the worst audience, in the words that it was explained with; told: of TOLD, all of them; mistaken and stay_away: for
    a volunteer, that they may be taken for a witness, and where they should not travel.
    """

    language: str
    explained_by: str
    audience: str
    scope: tuple[str, ...]
    covers: tuple[str, ...]
    start: str
    until: str = ""
    told: tuple[str, ...] = ()
    mistaken: bool = False
    stay_away: tuple[str, ...] = ()

    def check(self) -> None:
        for name, held in (("language", self.language), ("explained_by", self.explained_by)):
            if not held.strip():
                raise ConsentError(f"the consent record does not say its {name}: add it")
        if len(self.audience.strip()) < 20:
            raise ConsentError("the consent record does not say how the worst audience was explained; write it as said: that "
                               "whoever hunts them will see this film, and show it to people who know them")
        _among("scope", self.scope, PURPOSES)
        _among("covers", self.covers, COVERS)
        start, until = _day("from", self.start), _day("until", self.until or "9999-12-31")
        if until < start:
            raise ConsentError(f"the consent record ends on {self.until}, before it begins on {self.start}; correct the dates")
        for name, words in TOLD.items():
            if name not in self.told:
                raise ConsentError(f"the consent record does not say that this was done: {words}. Do it, then set {name} = true")


def _among(name: str, held: Collection[str], known: Collection[str]) -> None:
    if not held or not set(held) <= set(known):
        raise ConsentError(f"the consent record needs {name}: one or more of {', '.join(known)}")


def _day(name: str, text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise ConsentError(f"the consent record has {name} = {text!r}, which is no date; write it as 2026-01-31") from error


def record(db: apsw.Connection, person: str, agreed: Agreed, by: str, now: dt.datetime, reach: str = "", real_name: str = "",
           proof: bytes = b"") -> int:
    """Write a consent down. It takes the place of the one before, so it has to say all that holds; the number of the act.

    reach: how to reach them safely; needed once, and kept. It and the rest are sealed to the person.
    """
    who = people.get(db, person)
    if who.role == "passer-by":
        raise ConsentError(f"{who.id} is a passer-by, whom nobody could ask; now that somebody can, give them a role with "
                           "`facedouble person role`, then record the consent")
    if who.volunteer and not (agreed.mistaken and agreed.stay_away):
        raise ConsentError(f"{who.id} lends a face or a voice, and was not told everything: {MISTAKEN}, and which places they "
                           "should not travel to. Tell them, then set mistaken = true and stay_away = [\"…\"]")
    erased = not personal.has_key(db, who.id, "record")
    if not reach.strip() and (erased or personal.kept(db, who.id, "reach") is None):
        raise ConsentError(f"{who.id}: how can they be reached safely? Without that they cannot approve anything; it is kept "
                           "sealed")
    if standing(db, who.id).last > standing(db, who.id).act and not proof:
        raise ConsentError(f"{who.id} has withdrawn before; a consent after that needs proof that it is theirs: give a signature "
                           "or a recording with --proof")
    personal.make_keys(db, who.id)
    act = acts.note(db, "consent recorded", who.id, by, now)
    facts = json.dumps(vars(agreed), sort_keys=True)
    db.execute("INSERT INTO consents (act, person, facts) VALUES (?, ?, ?)", (act, who.id, facts))
    personal.keep(db, act, who.id, (("reach", reach.encode()), ("real-name", real_name.encode()), ("proof", proof)))
    return act


def contacted(db: apsw.Connection, person: str, reached: bool, by: str, now: dt.datetime, note: str = "", reach: str = "") -> int:
    """Write down that somebody was contacted again, or could not be; how to reach them from now on, if that changed."""
    who = people.get(db, person)
    act = acts.note(db, "contacted" if reached else "not reached", who.id, by, now)
    db.execute("INSERT INTO contacts (act, person, reached) VALUES (?, ?, ?)", (act, who.id, int(reached)))
    personal.keep(db, act, who.id, (("note", note.encode()), ("reach", reach.encode())))
    return act


@dataclass(frozen=True)
class Standing(Value):
    """What of somebody's consent holds. agreed None: nothing was ever recorded, or it was withdrawn; withdrawn: since then, by
    part;
    last: the act of the last withdrawal of everything, 0 for none."""

    agreed: Agreed | None
    act: int = 0
    withdrawn: frozenset[str] = frozenset()
    last: int = 0


def standing(db: apsw.Connection, person: str) -> Standing:
    """The newest record, unless everything was withdrawn after it."""
    row = db.execute("SELECT act, facts FROM consents WHERE person = ? ORDER BY act DESC LIMIT 1", (person,)).fetchone()
    act = 0 if row is None else int(row[0])
    gone: set[str] = set()
    last = 0
    for when, parts in db.execute("SELECT act, parts FROM withdrawals WHERE person = ? ORDER BY act", (person,)):
        held = json.loads(str(parts))
        last = last if held else int(when)
        gone.update(held if int(when) > act else ())
    if row is None or last > act:
        return Standing(None, act, frozenset((*PURPOSES, *COVERS) if last else gone), last)
    facts: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in json.loads(str(row[1])).items()}
    return Standing(Agreed(**facts), act, frozenset(gone), last)


def withdrew(db: apsw.Connection, person: str, parts: Collection[str]) -> int:
    """The act of the last withdrawal of any of these parts, or of everything; 0 for none."""
    rows = db.execute("SELECT act, parts FROM withdrawals WHERE person = ? ORDER BY act DESC", (person,))
    return next((int(act) for act, said in rows if not (held := json.loads(str(said))) or set(held) & set(parts)), 0)


@dataclass(frozen=True)
class Refusal(Value):
    """Why somebody's consent does not reach: "withdrawn", "none", "dates" or "scope"; and in a sentence."""

    kind: str
    sentence: str


def refusal(db: apsw.Connection, person: str, purpose: str, needs: Collection[str], now: dt.datetime) -> Refusal | None:
    """Why this person's face, voice, body or story may not go out for this purpose now; None if it may.

    now: the latest time that the project has seen counts, should the clock have been set back.
    """
    held = standing(db, person)
    gone = sorted(held.withdrawn & {purpose, *needs})
    if held.agreed is None and held.last:
        return Refusal("withdrawn", f"{person} has withdrawn; leave them out, every scene of theirs")
    if gone:
        return Refusal("withdrawn", f"{person} has withdrawn {' and '.join(gone)}; leave them out, or hide and mute them")
    if purpose not in PURPOSES:
        return Refusal("scope", f"{purpose} is no purpose that anybody can agree to; take one of {', '.join(PURPOSES)}")
    if held.agreed is None:
        return Refusal("none", f"{person} has no consent record; ask them, then `facedouble person consent`")
    today, agreed = acts.day(acts.latest(db, now)), held.agreed
    if _day("from", agreed.start) > today:
        return Refusal("dates", f"the consent of {person} begins on {agreed.start} only; wait, or ask for another")
    if agreed.until and _day("until", agreed.until) < today:
        return Refusal("dates", f"the consent of {person} ended on {agreed.until}; ask them for a new one")
    if purpose not in agreed.scope:
        return Refusal("scope", f"{person} agreed to {', '.join(agreed.scope)}, not to {purpose}; a new purpose needs a new "
                                f"consent")
    lacking = [part for part in COVERS if part in needs and part not in agreed.covers]
    if lacking:
        return Refusal("scope", f"{person} did not agree that their {' and '.join(lacking)} may be used; ask them, or cover and "
                                f"mute them")
    return None
