"""What was rendered: its scenes, who is in each, and how. A scene is known by the hash of what is seen and heard in it."""

from __future__ import annotations

import datetime as dt
import json
import re
from dataclasses import dataclass, field
from typing import Any, Final

import apsw

from facedouble.errors import UsageError
from facedouble.store import acts
from facedouble.types import Value

FACES: Final = ("none", "double", "mannequin", "veil", "hide", "show", "reveal")  # none: not in the picture, or all of it hidden
VOICES: Final = ("none", "mute", "read", "double", "revoice", "keep")  # none: does not speak; read: mute, but with subtitles
DRAWN: Final = ("double", "mannequin", "show", "reveal")  # something of the face is seen, be it what it does only
QUIET: Final = (("none", "veil", "hide"), ("none", "mute"))
OWN: Final = {"face": ("show", "reveal"), "voice": ("keep",)}  # the person's own is seen or heard
MANNEQUIN: Final = "mannequin"

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS renders (
    id TEXT PRIMARY KEY,
    act INTEGER NOT NULL REFERENCES acts (n),
    facts TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS scenes (
    render TEXT NOT NULL REFERENCES renders (id),
    number INTEGER NOT NULL,
    start INTEGER NOT NULL,
    stop INTEGER NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (render, number)
) STRICT;
CREATE TABLE IF NOT EXISTS appearances (
    render TEXT NOT NULL,
    scene INTEGER NOT NULL,
    person TEXT NOT NULL,
    face TEXT NOT NULL,
    voice TEXT NOT NULL,
    double TEXT,
    voice_double TEXT,
    FOREIGN KEY (render, scene) REFERENCES scenes (render, number)
) STRICT;
"""


@dataclass(frozen=True)
class Appearance(Value):
    """Somebody in a scene, once for each way in which they are treated there; without a face, as who speaks.

    person: a pseudonym, or a person of the plan; face, voice: of FACES and VOICES; double: id of the `.fdouble`, also where a
    reveal begins with it; voice_double: id of the `.fvoice`, or `take_id` of the take. voice "read": what they say
    may stand in the subtitles of the scene; of somebody who is seen, that is so where the plan has no turn.
    """

    person: str
    face: str
    voice: str
    double: str | None = None
    voice_double: str | None = None

    def check(self) -> None:
        if self.face not in FACES or self.voice not in VOICES:
            raise ValueError(f"{self.person}: {self.face}, {self.voice} is nothing that somebody can get")
        if (self.face == "double" and not self.double) or (self.double and self.face not in ("double", "reveal")):
            raise ValueError(f"{self.person}: a double goes with face double, or with a reveal from one")
        if (self.voice in ("double", "revoice")) is not bool(self.voice_double):
            raise ValueError(f"{self.person}: a voice double goes with voice double or revoice")

    @property
    def quiet(self) -> bool:
        """Whether nothing of the face is drawn, nothing of the voice is heard, and nothing that they say is read."""
        return self.face in QUIET[0] and self.voice in QUIET[1]

    @property
    def needs(self) -> frozenset[str]:
        """What of a consent this takes."""
        return frozenset((("body",) if self.face != "none" else ()) + (("face",) if self.face in DRAWN else ())
                         + (("story",) if self.voice not in QUIET[1] else ())
                         + (("voice",) if self.voice not in (*QUIET[1], "read") else ()))


@dataclass(frozen=True)
class Scene(Value):
    """Frames [start, stop) of the film. hash: SHA-256 over its decoded frames, sound and subtitles, hex."""

    number: int
    start: int
    stop: int
    hash: str
    people: tuple[Appearance, ...] = ()

    def check(self) -> None:
        if not 0 <= self.start < self.stop or not re.fullmatch(r"[0-9a-f]{64}", self.hash):
            raise ValueError(f"scene {self.number} has frames {self.start} to {self.stop}, hash {self.hash!r}")


@dataclass(frozen=True)
class Found(Value):
    """What the audit found. check_name: of which check; of the output's frames [start, stop), None where it has no place in
    time."""

    check_name: str
    what: str
    start: int | None = None
    stop: int | None = None


@dataclass(frozen=True)
class Render(Value):
    """A candidate. file: `disk.stamp` of the film when it was written down; sha256: of the film's bytes; content: SHA-256 over
    all decoded frames, sound and subtitles; plan, options: digests; audit: SHA-256 of the report; frames: of the film; found:
    what the audit found; facts: versions, means of confinement, and for each take in it, where that lies."""

    id: str
    clip: str
    file: str
    sha256: str
    content: str
    plan: str
    options: str
    audit_passed: bool
    audit: str
    purpose: str
    frames: int
    scenes: tuple[Scene, ...]
    found: tuple[Found, ...] = ()
    facts: dict[str, str] = field(default_factory=dict)

    def check(self) -> None:
        if self.audit_passed and self.found:
            raise ValueError("an audit that passed found nothing")
        if len({scene.number for scene in self.scenes}) != len(self.scenes):
            raise ValueError("two scenes of one number")
        borders = [0, *(scene.stop for scene in self.scenes)]
        if borders[-1] != self.frames or borders[:-1] != [scene.start for scene in self.scenes]:
            raise ValueError("each frame belongs to one scene, so that there is nothing that nobody was asked about")

    def scene(self, number: int) -> Scene:
        """One scene; UsageError if there is none of that number."""
        for scene in self.scenes:
            if scene.number == number:
                return scene
        raise UsageError(f"render {self.id} has no scene {number}; `facedouble approvals` shows which there are")


def record(db: apsw.Connection, render: Render, by: str, now: dt.datetime) -> int:
    """Write a render down; the number of the act."""
    act = acts.note(db, "rendered", "", by, now)
    facts = {name: held for name, held in vars(render).items() if name not in ("scenes", "found", "id")}
    facts["found"] = [vars(f) for f in render.found]
    db.execute("INSERT INTO renders (id, act, facts) VALUES (?, ?, ?)", (render.id, act, json.dumps(facts, sort_keys=True)))
    for s in render.scenes:
        db.execute("INSERT INTO scenes VALUES (?, ?, ?, ?, ?)", (render.id, s.number, s.start, s.stop, s.hash))
        db.executemany("INSERT INTO appearances VALUES (?, ?, ?, ?, ?, ?, ?)",
                       [(render.id, s.number, a.person, a.face, a.voice, a.double, a.voice_double) for a in s.people])
    return act


def get(db: apsw.Connection, name: str = "") -> Render:
    """A render by its id, or the newest; UsageError if there is none."""
    row = db.execute("SELECT id, facts FROM renders WHERE id = ?1 OR ?1 = '' ORDER BY act DESC LIMIT 1", (name,)).fetchone()
    if row is None:
        raise UsageError(f"no render {name or 'yet'} in this project; `facedouble render` makes one")
    facts = json.loads(str(row[1]))
    found = tuple(Found(**f) for f in facts.pop("found"))
    return Render(id=str(row[0]), scenes=_scenes(db, str(row[0])), found=found, **facts)


def films(db: apsw.Connection) -> frozenset[tuple[str, str]]:
    """SHA-256 and stamp of the films of all renders. Two may hold the same bytes: same in, same out."""
    facts = [json.loads(str(held)) for (held,) in db.execute("SELECT facts FROM renders")]
    return frozenset((str(one["sha256"]), str(one["file"])) for one in facts)


def move(db: apsw.Connection, before: str, now: str) -> None:
    """A film was encrypted again, so that it has another stamp; nothing else of a render ever changes."""
    db.execute("UPDATE renders SET facts = json_replace(facts, '$.file', ?2) WHERE json_extract(facts, '$.file') = ?1",
               (before, now))


def _scenes(db: apsw.Connection, render: str) -> tuple[Scene, ...]:
    people: dict[int, list[Appearance]] = {}
    columns = "scene, person, face, voice, double, voice_double"
    for scene, *rest in db.execute(f"SELECT {columns} FROM appearances WHERE render = ? ORDER BY rowid", (render,)):
        people.setdefault(int(str(scene)), []).append(Appearance(*rest))
    rows = db.execute("SELECT number, start, stop, hash FROM scenes WHERE render = ? ORDER BY start", (render,)).fetchall()
    held: list[tuple[Any, ...]] = list(rows)
    return tuple(Scene(n, start, stop, hash, tuple(people.get(n, ()))) for n, start, stop, hash in held)
