"""Faces, what is decided about them, and people. Frames count from 0, spans are half-open."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Self

from facedouble.plan.rules import ENDLESS, Wrong, choice, halo_in_range, one_word, ordered
from facedouble.plan.voices import Voicing
from facedouble.types import Value

FACES: Final = ("double", "mannequin", "veil", "hide", "show", "reveal")
OPEN: Final = ("show", "reveal")  # let the real face through: only with a reason and a name
HAIR: Final = ("keep", "veil", "cap")
HIDES: Final = ("ellipse", "box", "frame")  # what "hide" covers, from the narrowest to the widest


@dataclass(frozen=True, slots=True)
class TrackName(Value):
    """One face in one shot of a clip, "A:3", or a part of it: "A:3@120-240", "A:3@120-" from frame 120 on."""

    clip: str
    track: int
    start: int = 0
    stop: int | None = None

    def check(self) -> None:
        one_word("clip", self.clip, "clip")
        if self.start < 0 or self.track < 0 or self.end <= self.start:
            raise Wrong(f'face "{self}" ends before it begins: write the first frame, -, and the frame after the last')

    @property
    def end(self) -> int:
        """The frame after the last; far away if the whole track is meant."""
        return ENDLESS if self.stop is None else self.stop

    @classmethod
    def of(cls, text: str) -> Self:
        """Read what `str` wrote."""
        match = re.fullmatch(r"(\w[\w-]*):([0-9]{1,9})(?:@([0-9]{0,9})-([0-9]{0,9}))?", text)
        if match is None or text.endswith("@-"):
            raise Wrong(f'face "{text}" is not understood: write clip:track as in "A:3", or frames of it as in "A:3@120-240"')
        clip, track, start, stop = match.groups()
        return cls(clip, int(track), int(start or 0), int(stop) if stop else None)

    def __str__(self) -> str:
        whole = self.start == 0 and self.stop is None
        return f"{self.clip}:{self.track}" + ("" if whole else f"@{self.start}-{'' if self.stop is None else self.stop}")

    def within(self, other: TrackName) -> TrackName | None:
        """What both name."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        if (self.clip, self.track) != (other.clip, other.track) or start >= end:
            return None
        return TrackName(self.clip, self.track, start, None if end == ENDLESS else end)

    def without(self, other: TrackName) -> list[TrackName]:
        """What is left of it when `other` is taken away."""
        if self.within(other) is None:
            return [self]
        left = [TrackName(self.clip, self.track, self.start, other.start)] if other.start > self.start else []
        right = [TrackName(self.clip, self.track, other.end, self.stop)] if other.end < self.end else []
        return left + right


@dataclass(frozen=True)
class Treatment(Value):
    """What a face gets in a frame; the default is what everybody gets of whom nothing is said.

    halo in [0, 1], None: as in the options. A reveal dissolves from `before` (with `double` and the rest) to the real face in
    the frames `dissolve`. `hide` is what "hide" covers. "ignore" is no face at all, which somebody has looked at.
    """

    face: str = "veil"
    double: str | None = None
    halo: float | None = None
    hair: str = "keep"
    by: str = ""
    reason: str = ""
    before: str = ""
    dissolve: tuple[int, int] | None = None
    hide: str = "ellipse"

    def check(self) -> None:
        choice("face", self.face, (*FACES, "ignore"), "face")
        choice("hair", self.hair, HAIR, "hair")
        choice("hide", self.hide, HIDES, "hide")
        if ("double" in (self.face, self.before)) != (self.double is not None):
            raise Wrong('a double goes with face "double", or with a reveal from one', "face")
        if self.face in OPEN and not (self.by.strip() and self.reason.strip()):
            raise Wrong(f"{self.face} needs a reason and who decided", "face")
        if self.face == "ignore" and not self.by.strip():
            raise Wrong("a face is ignored only after somebody looked at it", "face")
        start, stop = self.dissolve or (0, 0)
        whole = start < stop and self.before in FACES and self.before not in OPEN
        none = self.dissolve is None and not self.before
        if not (whole if self.face == "reveal" else none):
            raise Wrong("a reveal, and nothing else, needs its frames and what it begins with", "face")

    @property
    def solid(self) -> str:
        """What of `HIDES` is covered with one colour, at the beginning at least; "" if nothing is."""
        return self.hide if "hide" in (self.face, self.before) else ""

    def shown(self, frame: int) -> float:
        """How much of the real face is seen in a frame, from 0 to 1."""
        if self.dissolve is None:
            return float(self.face in (*OPEN, "ignore"))
        start, stop = self.dissolve
        return min(max((frame - start + 1) / (stop - start + 1), 0.0), 1.0)


@dataclass(frozen=True)
class Decision(Value):
    """What somebody decided about a face."""

    face: str = "veil"
    double: str | None = None
    by: str = ""
    reason: str = ""

    def check(self) -> None:
        choice("face", self.face, FACES, "face")
        if self.face == "double" and not self.double:
            raise Wrong('face = "double" does not say which: write face = "double NAME"', "face")
        if self.face != "double" and self.double is not None:
            raise Wrong(f'face = "{self.face} {self.double}" takes no name: write face = "{self.face}"', "face")
        for key, held in (("reason", self.reason), ("decided_by", self.by)):
            if self.face in OPEN and not held.strip():
                raise Wrong(f'face = "{self.face}" lets the real face be seen: add {key} = "…" to it', "face")

    @classmethod
    def of(cls, said: str, by: str = "", reason: str = "") -> Self:
        """The decision of "double ana", "veil", …"""
        face, _, double = said.strip().partition(" ")
        return cls(face, double.strip() or None, by, reason)

    @property
    def said(self) -> str:
        """The value of the key `face`."""
        return self.face if self.double is None else f"{self.face} {self.double}"

    def treat(self, halo: float | None, hair: str, hide: str) -> Treatment:
        """The treatment where it holds; that of a reveal is made by `Person.pieces`."""
        return Treatment(self.face, self.double, halo, hair, self.by, self.reason, hide=hide)


@dataclass(frozen=True)
class Span(Value):
    """Another decision about a person in frames [start, stop) of a clip; halo, hair and hide None: the person's.

    A reveal dissolves in its first `dissolve` frames, and shows from there on.
    """

    clip: str
    start: int
    stop: int
    decision: Decision
    halo: float | None = None
    hair: str | None = None
    dissolve: int = 0
    hide: str | None = None

    def check(self) -> None:
        halo_in_range(self.halo)
        choice("hair", self.hair or "keep", HAIR, "hair")
        choice("hide", self.hide or "ellipse", HIDES, "hide")
        ordered(self.start, self.stop)
        if self.decision.face == "reveal" and not 0 < self.dissolve <= self.stop - self.start:
            raise Wrong("a reveal needs the length of its dissolve, within its span: add seconds = 2.0", "seconds")
        if self.decision.face != "reveal" and self.dissolve:
            raise Wrong(f'seconds belongs to face = "reveal" and not to "{self.decision.face}": delete it', "seconds")


@dataclass(frozen=True)
class Person(Value):
    """Somebody, by a pseudonym, the faces that are theirs, and what was decided; without a decision the veil."""

    id: str
    name: str
    faces: tuple[TrackName, ...] = ()
    decision: Decision = Decision()
    halo: float | None = None
    hair: str = "keep"
    spans: tuple[Span, ...] = ()
    voice: str = "mute"
    voice_reason: str = ""
    hide: str = "ellipse"
    voice_by: str = ""

    def check(self) -> None:
        one_word("person", self.id, "id")
        if not self.name.strip():
            raise Wrong(f'person {self.id} has no pseudonym: add name = "…", never the real one', "name")
        halo_in_range(self.halo)
        choice("hair", self.hair, HAIR, "hair")
        choice("hide", self.hide, HIDES, "hide")
        if self.decision.face == "reveal":
            raise Wrong('a reveal has to know when: put face = "reveal" into a [[person.span]] with from and seconds', "face")
        if self.voice == "keep" and not (self.voice_reason.strip() and self._voice_by.strip()):
            raise Wrong('voice = "keep" lets the real voice be heard: add voice_reason = "…" and decided_by = "…", or voice_by '
                        "if another decided", "voice")
        self.voicing  # noqa: B018  raises where the words are not understood
        number = {id(span): n for n, span in enumerate(self.spans)}
        for a, b in pairwise(sorted(self.spans, key=lambda s: (s.clip, s.start))):
            place = ("span", max(number[id(a)], number[id(b)]))
            if a.clip == b.clip and b.start < a.stop:
                raise Wrong(f"two spans of {self.id} overlap in clip {a.clip}, frames {b.start} to {min(a.stop, b.stop)}: "
                            "let one end where the other begins", *place)
            if b.decision.face == "reveal" and a.decision.face in OPEN and (a.clip, a.stop) == (b.clip, b.start):
                raise Wrong(f"{self.id} is shown right before this reveal: let it begin with a face that is covered",
                            "span", number[id(b)], "face")
        for n, span in enumerate(self.spans):
            if span.decision.face == "reveal" and self.decision.face == "show":
                raise Wrong(f'{self.id} is shown already: change face of {self.id}, or delete this reveal', "span", n, "face")

    @property
    def _voice_by(self) -> str:
        return self.voice_by if self.voice_by.strip() else self.decision.by

    @property
    def voicing(self) -> Voicing:
        """What their turns become, where a turn does not say otherwise."""
        return Voicing.of_words(self.voice, self._voice_by, self.voice_reason)

    @property
    def open(self) -> frozenset[str]:
        """What of the person is let through somewhere: "face", "voice"."""
        seen = any(d.face in OPEN for d in (self.decision, *(s.decision for s in self.spans)))
        return frozenset([*["face"] * seen, *["voice"] * (self.voicing.voice == "keep")])

    def pieces(self, clip: str, frames: int) -> Iterator[tuple[int, Treatment]]:
        """The person's treatments in a clip of that many frames, each with its first frame."""
        usual = before = self.decision.treat(self.halo, self.hair, self.hide)
        at = 0
        for span in sorted((s for s in self.spans if s.clip == clip), key=lambda s: s.start):
            if span.start > at:
                yield at, usual
                before = usual
            halo = self.halo if span.halo is None else span.halo
            hair, hide = span.hair or self.hair, span.hide or self.hide
            said, at = span.decision, span.stop
            if said.face == "reveal":
                turn = span.start + span.dissolve
                yield span.start, Treatment("reveal", before.double, halo, hair, said.by, said.reason, before.face,
                                            (span.start, turn), before.hide if span.hide is None else hide)
                before = Treatment("show", None, halo, hair, said.by, said.reason, hide=hide)
                if turn < span.stop:
                    yield turn, before
            else:
                before = said.treat(halo, hair, hide)
                yield span.start, before
        if at < frames:
            yield at, usual
