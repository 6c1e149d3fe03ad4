"""The sound of two films, second after second on one clock, and no more of it in memory than a few seconds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np
import soxr

from facedouble.audit.residual import RATE
from facedouble.audit.traces import MARGIN
from facedouble.media.sound import pcm
from facedouble.types import AudioInfo, Floats, MediaInfo, Value

PAD: Final = round(MARGIN * RATE)


@dataclass(frozen=True)
class Second(Value):
    """Second `at` (s from the first picture) of every stream, (n, C) at RATE, with `PAD` samples to either side."""

    at: float
    source: tuple[Floats, ...]
    output: tuple[Floats, ...]

    @property
    def inner(self) -> slice:
        """Where the second itself lies."""
        return slice(PAD, PAD + RATE)


class _Reel:
    """One stream at RATE from a point of time on, asked for in rising order; silent before and after."""

    def __init__(self, info: MediaInfo, audio: AudioInfo, first: Fraction, lead: Fraction) -> None:
        self.channels = audio.channels
        late = audio.start - info.start - lead - first
        self.blocks = self._read(info, audio, max(round(late * RATE), 0), max(round(-late * audio.rate), 0))
        self.held, self.at, self.over = np.zeros((PAD, self.channels), np.float32), -PAD, False

    def _read(self, info: MediaInfo, audio: AudioInfo, silent: int, skipped: int) -> Iterator[Floats]:
        for at in range(0, silent, RATE):
            yield np.zeros((min(RATE, silent - at), self.channels), np.float32)
        made = soxr.ResampleStream(audio.rate, RATE, self.channels, "float32")
        for block in pcm(info, audio.index):
            left, skipped = block[skipped:], max(skipped - len(block), 0)
            flat = np.ascontiguousarray(np.clip(np.nan_to_num(left, posinf=0, neginf=0), -4, 4), np.float32)
            yield np.asarray(made.resample_chunk(flat), np.float32).reshape(-1, self.channels)
        yield np.asarray(made.resample_chunk(np.zeros((0, self.channels), np.float32), last=True),
                         np.float32).reshape(-1, self.channels)

    def of(self, start: int, stop: int) -> Floats:
        """(stop - start, C)"""
        parts, end = [self.held], self.at + len(self.held)
        while end < stop and not self.over:
            block = next(self.blocks, None)
            if block is None:
                self.over = True
            else:
                parts.append(block)
                end += len(block)
        if end < stop:
            parts.append(np.zeros((stop - end, self.channels), np.float32))
        whole = np.concatenate(parts)
        self.held, self.at = whole[start - self.at:], start
        return self.held[:stop - start]

    @property
    def ended(self) -> bool:
        """Whether nothing but silence comes."""
        return self.over


def begin(info: MediaInfo, lead: Fraction = Fraction(0)) -> Fraction:
    """When anything of a film begins, in s from its first picture; lead: of pictures that were put before."""
    return min([Fraction(0), *(a.start - info.start - lead for a in info.audio)])


def seconds(source: MediaInfo | None, output: MediaInfo, lead: Fraction = Fraction(0)) -> Iterator[Second]:
    """All of both, until every stream has ended. lead: s of pictures that the output has before the source's first."""
    films: Sequence[tuple[MediaInfo | None, Fraction]] = ((source, Fraction(0)), (output, lead))
    first = min(begin(info, ahead) for info, ahead in films if info is not None)
    reels = [[] if info is None else [_Reel(info, a, first, ahead) for a in info.audio] for info, ahead in films]
    every = [reel for film in reels for reel in film]
    at = 0
    while every and not all(reel.ended for reel in every):
        start, stop = at * RATE - PAD, (at + 1) * RATE + PAD
        taken = [tuple(reel.of(start, stop) for reel in film) for film in reels]
        yield Second(float(first) + at, *taken)
        at += 1
