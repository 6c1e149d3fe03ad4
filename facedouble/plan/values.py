"""The other things that a plan says: clips, doubles, what is ignored, regions, the card, the checklist."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Final

from facedouble.plan.people import TrackName
from facedouble.plan.rules import ENDLESS, Wrong, choice, one_word, ordered
from facedouble.plan.voices import Ambience
from facedouble.types import Value

COVERS: Final = ("solid", "inpaint", "veil")
SHAPES: Final = ("box", "ellipse")
DIRECTIONS: Final = ("auto", "ltr", "rtl")
STANDS: Final = ("first", "every")  # the clips that a card stands before
STATES: Final = ("open", "seen", "covered", "accepted")
MAX_RATE: Final = 1000  # frames/s; finer than the milliseconds that a timecode holds
LONGEST: Final = 300  # letters of what a check says
FARTHEST: Final = 10**6  # px, degrees


@dataclass(frozen=True)
class Clip(Value):
    """One footage file. `rate` frames/s; `notes` is the digest of the analysis that numbered its tracks, "" without one.

    ambience None: as in the whole film.
    """

    id: str
    file: str
    sha256: str
    frames: int
    rate: Fraction
    notes: str = ""
    ambience: Ambience | None = None

    def check(self) -> None:
        one_word("clip", self.id, "id")
        if not self.file.strip():
            raise Wrong(f'clip {self.id} has no file: add file = "…"', "file")
        if not re.fullmatch(r"[0-9a-f]{64}", self.sha256):
            raise Wrong(f"the sha256 of clip {self.id} has to be 64 hex digits: copy it from sha256sum", "sha256")
        if not 0 < self.frames < ENDLESS:
            raise Wrong(f"clip {self.id} has to have at least one frame: write their number as frames = 250", "frames")
        if not 0 < self.rate <= MAX_RATE:
            raise Wrong(f'the rate of clip {self.id} has to be frames/s up to {MAX_RATE}: write 25 or "30000/1001"', "rate")


@dataclass(frozen=True)
class DoubleFile(Value):
    """A double by the name that the plan gives it, and its `.fdouble`."""

    name: str
    file: str

    def check(self) -> None:
        one_word("double", self.name, "name")
        if not self.file.strip():
            raise Wrong(f'double {self.name} has no file: add file = "….fdouble"', "file")


@dataclass(frozen=True)
class Ignored(Value):
    """What was found and is no face: it stays as it is, because somebody looked at it."""

    face: TrackName
    by: str
    reason: str = ""

    def check(self) -> None:
        if not self.by.strip():
            raise Wrong(f'face "{self.face}" is ignored only after somebody looked at it: add looked_at_by = "…"')


@dataclass(frozen=True)
class Key(Value):
    """Where a region is in one frame: its centre, width and height in px, turned by `angle` degrees, clockwise."""

    frame: int
    x: float
    y: float
    w: float
    h: float
    angle: float = 0.0

    def check(self) -> None:
        if not all(abs(number) < FARTHEST for number in (self.x, self.y, self.w, self.h, self.angle)):
            raise Wrong("a key is far outside of any picture: give x, y, w and h in pixels")
        if not (self.w > 0 and self.h > 0):
            raise Wrong("w and h have to be over 0: give the width and height in pixels")


@dataclass(frozen=True)
class Region(Value):
    """A part of the picture to be covered in frames [start, stop), None: to the end of the clip.

    It is where its keys say; before the first it is there already, after the last it stays. `track`: between and beside the
    keys it follows the picture.
    """

    clip: str
    name: str
    cover: str
    shape: str
    keys: tuple[Key, ...]
    track: bool = False
    start: int = 0
    stop: int | None = None

    def check(self) -> None:
        if not self.name.strip():
            raise Wrong('a region needs a name: add name = "…"', "name")
        choice("cover", self.cover, COVERS, "cover")
        choice("shape", self.shape, SHAPES, "shape")
        ordered(self.start, self.end)
        if not self.keys:
            raise Wrong(f'region "{self.name}" is nowhere: add keys = [{{ at = 0, x = 400, y = 300, w = 80, h = 40 }}]', "keys")
        for n, (a, b) in enumerate(pairwise(self.keys)):
            if b.frame <= a.frame:
                raise Wrong(f"the keys have to be in the order of time, one a frame: frame {b.frame} comes after {a.frame}",
                            "keys", n + 1)

    @property
    def end(self) -> int:
        """The frame after the last; far away if it stays to the end."""
        return ENDLESS if self.stop is None else self.stop


@dataclass(frozen=True)
class Card(Value):
    """The text before the film. `language` as in HTML ("en", "ar-SY")."""

    text: str
    seconds: Fraction = Fraction(4)
    language: str = ""
    direction: str = "auto"
    on: str = "first"

    def check(self) -> None:
        if not self.text.strip():
            raise Wrong("the card says nothing: write its text, or delete [card]", "text")
        if not Fraction(1, 2) <= self.seconds <= 60:
            raise Wrong("the card has to be seen for 0.5 to 60 seconds: write seconds = 4.0", "seconds")
        if self.language and not re.fullmatch(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*", self.language):
            raise Wrong(f'language = "{self.language}" is not understood: write it as "en" or "ar-SY"', "language")
        choice("direction", self.direction, DIRECTIONS, "direction")
        choice("on", self.on, STANDS, "on")


@dataclass(frozen=True)
class Check(Value):
    """One line of the checklist: something in frames [start, stop) of a clip that may tell who somebody is.

    place: where it is in one of these frames, if that is known.
    """

    clip: str
    start: int
    stop: int
    what: str
    state: str = "open"
    by: str = ""
    place: Key | None = None

    def check(self) -> None:
        ordered(self.start, self.stop)
        if not self.what.strip():
            raise Wrong('a check needs words: add what = "…"', "what")
        if len(self.what) > LONGEST:
            raise Wrong(f"what of a check has {len(self.what)} letters, at most {LONGEST} are possible: say it shorter", "what")
        if self.place is not None and not self.start <= self.place.frame < self.stop:
            raise Wrong(f"the place of a check has to be in its frames {self.start} to {self.stop}: correct its at", "place")
        choice("state", self.state, STATES, "state")
        if self.state != "open" and not self.by.strip():
            raise Wrong(f'state = "{self.state}" needs to say who says so: add by = "…"', "state")


