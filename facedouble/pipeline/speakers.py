"""One clip and no plan: the people who speak in it by number, from left to right, and what becomes of each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from facedouble.errors import UsageError
from facedouble.pipeline.analyse import Analysis
from facedouble.pipeline.heard import span_of
from facedouble.pipeline.hearing import times
from facedouble.pipeline.score import Cue, Score
from facedouble.plan.voices import AMBIENCES
from facedouble.types import Turn, Value
from facedouble.voice.code import SPEECH_RATE

SUFFIX: Final = ".fvoice"
PLAIN: Final = ("mute", "keep")


@dataclass(frozen=True)
class Speaker(Value):
    """Who speaks, by number from 1: first those with a face, from left to right, then who is only heard, by when.

    voice: of `Turn`; place: where the face is, 0 left to 1 right, None without one; first: when they begin, ms; ms: how long they
    speak in all, in `turns` turns.
    """

    number: int
    voice: int
    place: float | None
    first: int
    ms: int
    turns: int


def speakers(made: Analysis, turns: Sequence[Turn]) -> tuple[Speaker, ...]:
    """Everybody of a clip who was told apart."""
    found = []
    for voice in {t.voice for t in turns if t.voice >= 0}:
        mine = [t for t in turns if t.voice == voice]
        spans = [span_of(t, made.info) for t in mine]
        found.append(Speaker(0, voice, _place(made, mine), min(a for a, _ in spans), sum(b - a for a, b in spans), len(mine)))
    order = sorted(found, key=lambda s: (s.place is None, s.place if s.place is not None else s.first, s.first, s.voice))
    return tuple(Speaker(k, s.voice, s.place, s.first, s.ms, s.turns) for k, s in enumerate(order, 1))


def _place(made: Analysis, turns: Sequence[Turn]) -> float | None:
    """Where the faces of these turns are on average, by their time."""
    shown, tracks = times(made), {role.track.id: role.track for role in made.roles}
    total = weight = 0.0
    for turn in turns:
        track = None if turn.track is None else tracks.get(turn.track)
        if track is not None:
            seen = shown[track.start : track.stop] * SPEECH_RATE
            inside = (seen >= turn.start) & (seen < turn.stop)
            boxes = track.rows["box"][inside if inside.any() else slice(None)]
            long = turn.stop - turn.start
            total += float(boxes[:, [0, 2]].mean()) * long
            weight += long
    return total / weight / made.info.width if weight else None


@dataclass(frozen=True)
class Voices(Value):
    """What is asked for on a command line: "mute", "keep" or a .fvoice, for everybody and for some by number.

    ambience: of plan.voices.AMBIENCES, "" if nothing is said.
    """

    usual: str = "mute"
    of: tuple[tuple[int, str], ...] = ()
    ambience: str = ""
    reason: str = ""

    def check(self) -> None:
        for said in self.said:
            if said not in PLAIN and not said.endswith(SUFFIX):
                raise UsageError(f"voice {said}: take mute or keep, or a volunteer's voice, NAME{SUFFIX}")
        if self.ambience and self.ambience not in AMBIENCES:
            raise UsageError(f"--ambience {self.ambience}: take {', '.join(AMBIENCES)}")
        if ("keep" in self.said or self.ambience == "keep") and not self.reason.strip():
            raise UsageError('keep lets the witness, or the place, be recognised by ear: say why with --reason "…"')
        if len(dict(self.of)) < len(self.of):
            raise UsageError("--voice-of names a person twice; say once what becomes of each")

    @classmethod
    def of_words(cls, usual: str, of: Sequence[str], ambience: str, reason: str) -> Voices:
        """The voices of "1=noor.fvoice", "2=keep", …"""
        found = []
        for word in of:
            number, equals, said = word.partition("=")
            if not equals or not number.isdigit() or not said:
                raise UsageError(f"--voice-of {word}: write the person's number and what they get, as 1=noor{SUFFIX}; "
                                 "`facedouble voice who` numbers them")
            found.append((int(number), said))
        return cls(usual, tuple(found), ambience, reason)

    @property
    def said(self) -> tuple[str, ...]:
        """Everything that somebody gets."""
        return self.usual, *(said for _, said in self.of)

    @property
    def plain(self) -> bool:
        """Whether one thing holds for all sound, so that nobody has to be told apart."""
        return self.usual in PLAIN and not self.of and not self.ambience

    @property
    def files(self) -> dict[str, Path]:
        """The volunteers' voices, by a name that tells nothing."""
        files = sorted({said for said in self.said if said not in PLAIN})
        return {str(k): Path(file) for k, file in enumerate(files, 1)}


def score_for(voices: Voices, made: Analysis, turns: Sequence[Turn]) -> Score:
    """What becomes of each turn. Who is kept is heard where their own face speaks, or where they are never seen."""
    people = speakers(made, turns)
    for number, _ in voices.of:
        if not 0 < number <= len(people):
            raise UsageError(f"--voice-of {number}: {len(people)} people are heard in this clip; `facedouble voice who` numbers "
                             "them")
    wanted, named = dict(voices.of), {str(file): name for name, file in voices.files.items()}
    every = {s.voice: wanted.get(s.number, voices.usual) for s in people}
    seen = {s.voice: s.place is not None for s in people}
    same = voices.usual if set(every.values()) <= {voices.usual} else "mute"  # for who was not told apart
    cues = []
    for n, turn in enumerate(sorted(turns, key=lambda t: (t.start, t.stop)), 1):
        said = every.get(turn.voice, same)
        if said == "keep" and seen.get(turn.voice, False) and turn.track is None:
            said = "mute"
        start, stop = span_of(turn, made.info)
        person = next((f"person {s.number}" for s in people if s.voice == turn.voice), "")
        kind, of = (said, "") if said in PLAIN else ("double", named[str(Path(said))])
        cues.append(Cue(n, start, stop, kind, of, person, turn.flags))
    length = math.floor(made.frames / made.info.rate * 1000)
    return Score(length, tuple(cues), (), tuple(span_of(t, made.info) for t in turns), voices.ambience)
