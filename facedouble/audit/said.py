"""What the plan says of a clip's sound, read by the audit for itself: where the footage may be heard, where nothing may.

Times are ms from the clip's first picture, half-open. The rules are those of the plan's documentation, worked out a second time:
nothing here asks the code that makes the sound.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from facedouble.types import Bools, Value

NEAR: Final = 100  # ms around speech that is not kept in which nothing of the place may be heard; it is made with 150
BESIDE: Final = 40  # ms beside a bleep in which nothing of the footage may be heard; it is made with 50
FADES: Final = 60  # ms at the ends of what is heard in which it may ring on: a fade, and AAC's blocks of 1024 samples
ROUNDED: Final = 20  # ms by which a turn of the plan may differ from what was heard

Spans = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Voiced(Value):
    """A turn: ms, and what becomes of it: "mute", "keep", "double", "revoice"."""

    start: int
    stop: int
    voice: str = "mute"
    person: str = ""


@dataclass(frozen=True)
class Said(Value):
    """All that is decided about the sound of a clip of `length` ms.

    bleeps: and whether a tone lies there (None: not known). heard: where somebody was heard to speak, whatever became of it;
    None: nobody listened. ambience: "none", "new", "clean", "keep"; whole: all of the footage's sound may be heard.
    """

    length: int
    turns: tuple[Voiced, ...] = ()
    bleeps: tuple[tuple[int, int, bool | None], ...] = ()
    heard: Spans | None = None
    ambience: str = "none"
    whole: bool = False

    def check(self) -> None:
        if self.ambience not in ("none", "new", "clean", "keep"):
            raise ValueError(f"no ambience {self.ambience}")

    @property
    def silent(self) -> bool:
        """Whether nothing at all may be heard."""
        return not self.whole and self.ambience == "none" and all(t.voice == "mute" for t in self.turns)

    def passes(self) -> Spans:
        """Where sound of the footage may be heard: kept turns, and the place where nobody is near."""
        if self.whole:
            return ((0, self.length),)
        edges = sorted({0, self.length, *(e for t in self.turns for e in (t.start, t.stop))})
        kept = []
        for a, b in pairwise(edges):
            over = [t.voice for t in self.turns if t.start <= a and b <= t.stop]
            if over and all(voice == "keep" for voice in over):
                kept.append((a, b))
        if self.ambience in ("keep", "clean") and self.heard is not None:
            kept += without([(0, self.length)], [(t.start, t.stop) for t in self.turns], self.unkept(NEAR))
        return without(joined(kept), [(a - BESIDE, b + BESIDE) for a, b, _ in self.bleeps])

    def unkept(self, margin: int) -> Spans:
        """Where somebody speaks who is not kept, or of whom the plan knows nothing, and a margin."""
        kept = joined([(t.start - ROUNDED, t.stop + ROUNDED) for t in self.turns if t.voice == "keep"])
        found = [(t.start, t.stop) for t in self.turns if t.voice != "keep"]
        return joined([(a - margin, b + margin) for a, b in (*found, *without(self.heard or (), kept))])

    def spoken(self, *voices: str) -> Spans:
        """Where other voices speak, outside bleeps."""
        found = joined([(t.start, t.stop) for t in self.turns if t.voice in voices])
        return without(found, [(a - BESIDE, b + BESIDE) for a, b, _ in self.bleeps])

    def still(self) -> Spans:
        """Where nothing but the new room tone, or nothing at all, may be heard: what is heard elsewhere ends well before."""
        loud = [*self.passes(), *((t.start, t.stop) for t in self.turns if t.voice in ("double", "revoice")),
                *((a - BESIDE, b + BESIDE) for a, b, _ in self.bleeps)]
        return without([(0, self.length)], [(a - FADES, b + FADES) for a, b in loud])


def joined(spans: Iterable[tuple[int, int]]) -> Spans:
    """In order; those that touch become one; empty ones go."""
    found: list[tuple[int, int]] = []
    for a, b in sorted((max(a, 0), b) for a, b in spans if max(a, 0) < b):
        if found and a <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], b)
        else:
            found.append((a, b))
    return tuple(found)


def without(spans: Iterable[tuple[int, int]], *others: Iterable[tuple[int, int]]) -> Spans:
    """What is left of spans outside of others."""
    left = list(joined(spans))
    for a, b in joined([span for other in others for span in other]):
        left = [piece for x, y in left for piece in ((x, min(y, a)), (max(x, b), y)) if piece[0] < piece[1]]
    return tuple(left)


def flags(spans: Sequence[tuple[int, int]], first: int, samples: int, rate: int) -> Bools:
    """(samples,) True inside the spans; sample 0 is sample `first` from the clip's first picture on."""
    on = np.zeros(samples, bool)
    for a, b in spans:
        i, j = (round(ms * rate / 1000) - first for ms in (a, b))
        on[max(i, 0):max(j, 0)] = True
    return on
