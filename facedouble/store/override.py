"""Two key holders may answer for one thing in one span of one render, where a person saw what a program could not decide.

They may say that what the audit took for a face is none, or let a scene go whose person could not be reached. Nothing else.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import apsw

from facedouble.errors import ConsentError
from facedouble.store import acts
from facedouble.store.keys import Keyring, signed
from facedouble.store.renders import Found, Render
from facedouble.types import Value

KINDS: Final = ("face", "unreachable")
CHECKS: Final = ("Every face is accounted for", "Faces in altered copies")  # of the audit: all that finding faces may get wrong
LEAST_REASON: Final = 20  # characters
LEAST_LOOKED_MS: Final = 1000  # at full size, and four times as large

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS overrides (
    act INTEGER PRIMARY KEY REFERENCES acts (n),
    render TEXT NOT NULL REFERENCES renders (id),
    text TEXT NOT NULL,
    signature BLOB NOT NULL,
    second BLOB NOT NULL
) STRICT;
"""


@dataclass(frozen=True)
class Override(Value):
    """What is answered for. Frames [start, stop) of one scene; hash: of that scene; plan: digest of the plan.

    kind "face": check is the check of the audit whose finding is no face; kind "unreachable": person is who could not be asked.
    looked: ms for which the frames were looked at, at full size and four times as large; by, second: the two key holders.
    """

    render: str
    kind: str
    scene: int
    start: int
    stop: int
    hash: str
    content: str
    plan: str
    reason: str
    looked: tuple[int, int]
    by: str
    second: str
    person: str = ""
    check_name: str = ""

    def check(self) -> None:
        if self.kind not in KINDS:
            raise ConsentError(f"nobody may override this ({self.kind}); only a face that is none, and somebody who could not be "
                               f"reached")
        if len(self.reason.strip()) < LEAST_REASON:
            raise ConsentError(f"an override needs a reason of {LEAST_REASON} characters or more; say what was seen, and why it "
                               f"may go")
        if min(self.looked) < LEAST_LOOKED_MS:
            raise ConsentError("an override needs somebody who looked: a second or longer at full size, and at four times that")
        if self.by == self.second or not self.by or not self.second:
            raise ConsentError("an override needs two key holders; somebody else has to sign it as well")
        if (self.kind == "face") is not bool(self.check_name) or (self.kind == "unreachable") is not bool(self.person):
            raise ConsentError("an override is of one check of the audit, or for one person")
        if self.kind == "face" and self.check_name not in CHECKS:
            raise ConsentError(f'nobody may override what the audit found in "{self.check_name}"; cover it, and render again')

    @property
    def text(self) -> str:
        """What both sign: one spelling of all of it."""
        return json.dumps(vars(self), sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def over(render: Render, kind: str, scene: int, span: tuple[int, int], reason: str, looked: tuple[int, int], by: str, second: str,
         of: str) -> Override:
    """An override for a render as it is now; of: the check of the audit, or the person."""
    held = render.scene(scene)
    if not held.start <= span[0] < span[1] <= held.stop:
        raise ConsentError(f"frames {span[0]} to {span[1]} are not in scene {scene}, which has {held.start} to {held.stop}; an "
                           "override is for one scene")
    return Override(render.id, kind, scene, *span, held.hash, render.content, render.plan, reason.strip(), looked, by, second,
                    of if kind == "unreachable" else "", of if kind == "face" else "")


def record(db: apsw.Connection, made: Override, holder: Keyring, second: Keyring, now: dt.datetime) -> int:
    """Both sign, and it is written down; the number of the act."""
    if (holder.holder, second.holder) != (made.by, made.second) or holder.public == second.public:
        raise ConsentError("an override needs two key holders with a key of their own each")
    act = acts.note(db, "override", made.person, made.by, now)
    data = made.text.encode()
    db.execute("INSERT INTO overrides (act, render, text, signature, second) VALUES (?, ?, ?, ?, ?)",
               (act, made.render, made.text, holder.sign(data), second.sign(data)))
    return act


def standing(db: apsw.Connection, render: Render, keys: Mapping[str, str]) -> tuple[Override, ...]:
    """The overrides that hold for exactly this render, signed by two of these holders (name -> public key, hex)."""
    found = []
    for text, one, two in db.execute("SELECT text, signature, second FROM overrides WHERE render = ? ORDER BY act", (render.id,)):
        said = json.loads(str(text))
        made = Override(**{**said, "looked": tuple(said["looked"])})
        scenes = {s.number: s.hash for s in render.scenes}
        same = (made.content, made.plan, made.hash) == (render.content, render.plan, scenes.get(made.scene))
        signers = {keys.get(made.by, ""), keys.get(made.second, "")} - {""}
        if same and len(signers) == 2 and signed(keys[made.by], bytes(one), made.text.encode()) and \
                signed(keys[made.second], bytes(two), made.text.encode()):
            found.append(made)
    return tuple(found)


def answers(made: Override, found: Found) -> bool:
    """Whether it is this finding that is answered for: of that check, all of it within the span."""
    return made.kind == "face" and made.check_name == found.check_name and found.start is not None and found.stop is not None \
        and made.start <= found.start < found.stop <= made.stop
