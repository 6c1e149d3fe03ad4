"""What is heard: voices, turns of speech, bleeps, and what lies behind the speech. Times are ms from the clip's first frame."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

from facedouble.plan.rules import Wrong, choice, one_word
from facedouble.types import Value

VOICES: Final = ("mute", "keep", "double", "revoice")
AMBIENCES: Final = ("new", "clean", "keep")
BLEEPS: Final = ("tone", "silence")
LATEST: Final = 1000 * 3600 * 1000  # ms: a thousand hours
MARGIN: Final = 50  # ms to each side of a bleep in which nothing of the footage is heard
MOUTH: Final = 300  # ms to each side of a bleep in which nobody's lips may be read
EASE: Final = 120  # ms beside those in which a drawn mouth comes to rest and goes on


@dataclass(frozen=True)
class VoiceFile(Value):
    """A volunteer's voice by the name that the plan gives it, and its `.fvoice`."""

    name: str
    file: str

    def check(self) -> None:
        one_word("voice", self.name, "name")
        if not self.file.strip():
            raise Wrong(f'voice {self.name} has no file: add file = "….fvoice"', "file")


@dataclass(frozen=True)
class Voicing(Value):
    """What somebody's speech becomes: nothing, itself, a volunteer's voice, a volunteer's take.

    of: the voice's name, or the take's file or folder. The default is what everybody gets of whom nothing is said.
    """

    voice: str = "mute"
    of: str | None = None
    by: str = ""
    reason: str = ""

    def check(self) -> None:
        choice("voice", self.voice, VOICES, "voice")
        if self.voice in ("mute", "keep") and self.of is not None:
            raise Wrong(f'voice = "{self.voice} {self.of}" takes no name: write voice = "{self.voice}"', "voice")
        if self.voice == "double" and not self.of:
            raise Wrong('voice = "double" does not say whose: write voice = "double NAME"', "voice")
        if self.voice == "revoice" and not self.of:
            raise Wrong('voice = "revoice" does not say with which take: write voice = "revoice FILE"', "voice")
        if self.voice == "keep" and not (self.by.strip() and self.reason.strip()):
            raise Wrong('voice = "keep" lets the real voice be heard: add a reason and who decided', "voice")

    @classmethod
    def of_words(cls, said: str, by: str = "", reason: str = "") -> Self:
        """The voicing of "mute", "double noor", "revoice takes/3.wav", …"""
        voice, _, of = said.strip().partition(" ")
        return cls(voice, of.strip() or None, by, reason)

    @property
    def said(self) -> str:
        """The value of the key `voice`."""
        return self.voice if self.of is None else f"{self.voice} {self.of}"


@dataclass(frozen=True)
class Speech(Value):
    """Somebody's turn to speak, ms [start, stop) of a clip: a [[turn]].

    person: the id of who speaks, "" if nobody has said; then nothing of it is heard. voicing None: as that person. speaker: which
    of the clip's voices the analysis took it for, -1 if it could not tell. flags: what a listener should hear.
    """

    clip: str
    start: int
    stop: int
    person: str = ""
    voicing: Voicing | None = None
    speaker: int = -1
    flags: tuple[str, ...] = ()

    def check(self) -> None:
        in_order(self.start, self.stop)
        if self.speaker < -1:
            raise Wrong("speaker counts from 0: delete it if it is not known", "speaker")
        if not all(flag.strip() for flag in self.flags):
            raise Wrong("an empty flag says nothing: delete it", "flags")


@dataclass(frozen=True)
class Bleep(Value):
    """A word that nobody hears, and nobody reads from lips, ms [start, stop) of a clip. sound: of `BLEEPS`."""

    clip: str
    start: int
    stop: int
    by: str = ""
    reason: str = ""
    sound: str = "tone"

    def check(self) -> None:
        in_order(self.start, self.stop)
        choice("sound", self.sound, BLEEPS, "sound")


@dataclass(frozen=True)
class Ambience(Value):
    """What lies behind the speech: a room tone made new, the footage's sound cleaned, or as it is."""

    kind: str = "new"
    by: str = ""
    reason: str = ""

    def check(self) -> None:
        choice("ambience", self.kind, AMBIENCES, "ambience")
        for key, held in (("ambience_reason", self.reason), ("ambience_by", self.by)):
            if self.kind == "keep" and not held.strip():
                raise Wrong(f'ambience = "keep" lets the place be heard: add {key} = "…" to it', "ambience")


def in_order(start: int, stop: int) -> None:
    """A span of sound has to begin before it ends."""
    if not 0 <= start < stop <= LATEST:
        raise Wrong(f"to ({stop / 1000:.3f} s) has to come after from ({start / 1000:.3f} s): exchange or correct them", "to")


def merged(spans: Iterable[tuple[int, int]], margin: int = 0) -> tuple[tuple[int, int], ...]:
    """Spans, widened by a margin to both sides, in order; those that touch become one."""
    found: list[tuple[int, int]] = []
    for start, stop in sorted((max(a - margin, 0), b + margin) for a, b in spans):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], stop)
        else:
            found.append((start, stop))
    return tuple(found)
