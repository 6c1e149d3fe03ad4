"""What is heard when: turns, bleeps and ambience laid out on the samples of one sound stream. Nothing here touches a sample.

The rules. Of the footage a sample passes only where every turn over it is kept; where there is no turn, only if the ambience is
kept and nobody was heard to speak near. Where a kept turn touches one that is not kept, and nobody has set that border by hand,
the piece of it in which the border may be wrong is not heard. Near a bleep nothing passes. A voice double takes in only samples
whose turns are all converted or kept: whoever is muted, or re-voiced, is in no conversion. Where more voices were heard at once
than there are turns, nobody decided about one of them: nothing passes there, and nothing is converted.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Final, Generic, TypeVar

from facedouble.plan.voices import MARGIN, merged
from facedouble.types import AudioInfo, Value

NEAR: Final = 150  # ms around speech in which no ambience passes: where it begins and ends is not known better
ROUNDED: Final = 20  # ms by which a turn in the plan may differ from what was heard; what overlaps for less is one voice
GUARD: Final = 300  # ms of a kept turn beside a voice that is not kept: so far off a border was sought, and found
BREATH: Final = "breath?"  # of no voice, so that there is no border between two to be wrong
T = TypeVar("T")


@dataclass(frozen=True)
class Cue(Value):
    """One turn, ms [start, stop) of the clip, and what it becomes.

    number: as the report calls it; voice: of plan.voices.VOICES; of: the double's name, or the take's file; flags: what a
    listener should hear.
    """

    number: int
    start: int
    stop: int
    voice: str = "mute"
    of: str = ""
    person: str = ""
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Beep(Value):
    """A bleep, ms [start, stop) of the clip; tone: or silence."""

    start: int
    stop: int
    tone: bool = True


@dataclass(frozen=True)
class Score(Value):
    """All that is decided about the sound of a clip of `length` ms.

    speech: where somebody was heard to speak, whatever became of it in the plan; None: nobody listened, so that no ambience
    passes and no room tone is learned. ambience: of plan.voices.AMBIENCES; "": nobody decided, so that there is none where
    nobody is heard.
    """

    length: int
    cues: tuple[Cue, ...] = ()
    beeps: tuple[Beep, ...] = ()
    speech: tuple[tuple[int, int], ...] | None = None
    ambience: str = ""

    @property
    def silent(self) -> bool:
        """Whether nothing at all is heard."""
        return not self.ambience and all(cue.voice == "mute" for cue in self.cues)

    @property
    def undecided(self) -> list[tuple[int, int]]:
        """Ms in which more voices were heard than there are turns: somebody's was taken out of the plan."""
        turns = [(c.start, c.stop) for c in self.cues]
        return [(a, b) for a, b in _more(self.speech or (), turns) if b - a > ROUNDED]

    @property
    def guards(self) -> list[tuple[int, int]]:
        """Ms of kept turns that may be somebody else's, who is not kept: `GUARD` beside a border that stands as it was heard.

        A border that a person moved, by more than `ROUNDED`, is where they heard it. Turns with a gap between them are parted by
        a pause, which makes their borders sure.
        """
        heard = sorted({edge for span in self.speech or () for edge in span})
        others = [(c.start, c.stop) for c in self.cues if c.voice != "keep" and BREATH not in c.flags]
        others = list(merged([*others, *_more(self.speech or (), [(c.start, c.stop) for c in self.cues])]))
        found = []
        for cue in self.cues:
            if cue.voice == "keep":
                for a, b in others[bisect_left(others, cue.start - ROUNDED, key=lambda span: span[1]) :]:
                    if a > cue.stop + ROUNDED:
                        break
                    if a > cue.start and _stands(border := min(a, cue.stop), heard):
                        found.append((max(border - GUARD, cue.start), border))
                    if b < cue.stop and _stands(border := max(b, cue.start), heard):
                        found.append((border, min(border + GUARD, cue.stop)))
        return found

    def pauses(self) -> list[tuple[int, int]]:
        """Ms in which nobody speaks and nothing is bleeped."""
        if self.speech is None:
            return []
        spoken = [*self.speech, *((c.start, c.stop) for c in self.cues), *((b.start, b.stop) for b in self.beeps)]
        edges = [0, *(edge for span in merged(spoken, NEAR) for edge in span), self.length]
        return [(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if a < b <= self.length]


@dataclass(frozen=True, slots=True)
class Run(Value):
    """Samples [start, stop) in which one thing lies at the bottom: "tone" of the room, "clean", "keep"; "beep" and "hush"
    where something is bleeped."""

    start: int
    stop: int
    kind: str


@dataclass(frozen=True, slots=True)
class Line(Value):
    """Samples [start, stop) in which a cue's other voice speaks."""

    start: int
    stop: int
    cue: Cue


@dataclass(frozen=True)
class Sheet(Value):
    """The score of one stream of `samples`: runs without a gap, lines in the order of their begin, pauses."""

    samples: int
    runs: tuple[Run, ...]
    lines: tuple[Line, ...]
    pauses: tuple[tuple[int, int], ...]


class _Clock:
    """Ms of the clip -> samples of a stream, which may begin before the pictures or after."""

    def __init__(self, begin: Fraction, audio: AudioInfo, samples: int) -> None:
        self.rate, self.shift, self.samples = audio.rate, begin - audio.start, samples

    def wide(self, start: int, stop: int) -> tuple[int, int]:
        """All samples of which anything is in a span."""
        return self._in(math.floor(self._at(start))), self._in(math.ceil(self._at(stop)))

    def narrow(self, start: int, stop: int) -> tuple[int, int]:
        """The samples that are wholly in a span."""
        a, b = self._in(math.ceil(self._at(start))), self._in(math.floor(self._at(stop)))
        return a, max(a, b)

    def _at(self, ms: int) -> Fraction:
        return (Fraction(ms, 1000) + self.shift) * self.rate

    def _in(self, at: int) -> int:
        return min(max(at, 0), self.samples)


def laid_out(score: Score, begin: Fraction, audio: AudioInfo, samples: int) -> Sheet:
    """The score on the samples of a stream. begin: when the first picture is seen, s on the clock of `AudioInfo.start`."""
    clock = _Clock(begin, audio, samples)
    cues = [(c, *(clock.narrow if c.voice == "keep" else clock.wide)(c.start, c.stop)) for c in score.cues]
    beeps = [(b, *clock.wide(max(b.start - MARGIN, 0), b.stop + MARGIN)) for b in score.beeps]
    first, last = clock.narrow(0, score.length)
    nobodys = [(True, *clock.wide(a, b)) for a, b in score.undecided]
    guards = [(True, *clock.wide(a, b)) for a, b in score.guards]
    shut = [(0, samples)]
    if score.speech is not None:  # before the first picture and after the last nobody can look who speaks
        shut = [*(clock.wide(a, b) for a, b in merged(_unkept(score), NEAR)), (0, first), (last, samples)]
    edges = {0, samples} | {e for _, a, b in [*cues, *beeps, *nobodys, *guards] for e in (a, b)} | {e for s in shut for e in s}
    runs: list[Run] = []
    lines: list[Line] = []
    ambience = {"clean": "clean", "keep": "keep"}.get(score.ambience, "tone")
    guarded = _Over(guards)
    for a, b, over, beeping, near, unknown in _swept(sorted(edges), cues, beeps, shut, nobodys):
        doubted = bool(guarded.at(a))
        if beeping:
            kind = "beep" if any(beep.tone for beep in beeping) else "hush"
        elif over:
            kind = "keep" if all(cue.voice == "keep" for cue in over) and not (unknown or doubted) else "tone"
        else:
            kind = "tone" if near else ambience
        if runs and runs[-1].kind == kind:
            runs[-1] = Run(runs[-1].start, b, kind)
        else:
            runs.append(Run(a, b, kind))
        cue = None if beeping or unknown else _converted(over)
        if cue is not None and lines and (lines[-1].cue, lines[-1].stop) == (cue, a):
            lines[-1] = Line(lines[-1].start, b, cue)
        elif cue is not None:
            lines.append(Line(a, b, cue))
    lines += [Line(a, b, cue) for cue, a, b in cues if cue.voice == "revoice" and a < b]
    pauses = tuple(p for p in (clock.narrow(a, b) for a, b in score.pauses()) if p[0] < p[1])
    return Sheet(samples, tuple(runs), tuple(sorted(lines, key=lambda line: line.start)), pauses)


def _stands(border: int, heard: Sequence[int]) -> bool:
    """Whether a border is where one was heard, ms, rising."""
    k = bisect_left(heard, border - ROUNDED)
    return k < len(heard) and heard[k] <= border + ROUNDED


def _unkept(score: Score) -> list[tuple[int, int]]:
    """Ms in which somebody speaks who is not kept, or of whom the plan knows nothing."""
    found = [(c.start, c.stop) for c in score.cues if c.voice != "keep"]
    return found + _more(score.speech or (), [(c.start, c.stop) for c in score.cues if c.voice == "keep"])


def _more(heard: Iterable[tuple[int, int]], turns: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Ms in which more was heard at once than there are turns, each of which counts somewhat longer than it is."""
    steps = Counter[int]()
    for start, stop in heard:
        steps[start] += 1
        steps[stop] -= 1
    for start, stop in turns:
        steps[start - ROUNDED] -= 1
        steps[stop + ROUNDED] += 1
    found, level = [], 0
    for at, after in pairwise(sorted(steps)):
        level += steps[at]
        if level > 0:
            found.append((max(at, 0), after))
    return list(merged(span for span in found if span[0] < span[1]))


def _converted(over: Sequence[Cue]) -> Cue | None:
    """Whose voice double is heard where these cues lie over each other: the first of them, if nobody is in it who may not be."""
    doubles = [cue for cue in over if cue.voice == "double"]
    if not doubles or any(cue.voice not in ("keep", "double") for cue in over):
        return None
    return min(doubles, key=lambda cue: (cue.start, cue.number))


def _swept(edges: Sequence[int], cues: Sequence[tuple[Cue, int, int]], beeps: Sequence[tuple[Beep, int, int]],
           shut: Sequence[tuple[int, int]],
           nobodys: Sequence[tuple[bool, int, int]]) -> Iterator[tuple[int, int, list[Cue], list[Beep], bool, bool]]:
    """The spans between edges, which are rising, and what lies over each."""
    over, beeping, near, unknown = _Over(cues), _Over(beeps), _Over([(True, a, b) for a, b in shut]), _Over(nobodys)
    for a, b in pairwise(edges):
        yield a, b, over.at(a), beeping.at(a), bool(near.at(a)), bool(unknown.at(a))


class _Over(Generic[T]):
    """What lies over a sample, asked for in order."""

    def __init__(self, spans: Iterable[tuple[T, int, int]]) -> None:
        self.coming, self.on = sorted(spans, key=lambda span: span[1])[::-1], list[tuple[T, int, int]]()

    def at(self, sample: int) -> list[T]:
        while self.coming and self.coming[-1][1] <= sample:
            self.on.append(self.coming.pop())
        self.on = [span for span in self.on if span[2] > sample]
        return [what for what, _, _ in self.on]
