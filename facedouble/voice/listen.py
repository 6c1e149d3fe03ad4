"""One reading of a clip's sound, block after block, down to small numbers: how sure it is speech, how loud, how voiced, who.

About 240 kB a minute of speech stay, whatever the rate and channels of the footage. Sound is (N,) float32 mono at 16 kHz; what
is not a number is silence.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from facedouble.types import Array, Doubles, Floats, Value
from facedouble.voice.code import SPEECH_RATE

STEP: Final = 512  # samples of one probability
TICK: Final = 160  # samples of one level: 10 ms
SPAN: Final = 512  # samples that a level is measured over
LOOK: Final = 79 * 160 + 512  # samples of one look at a voice: .82 s
STRIDE: Final = 3200  # samples from a look to the next
HIGH: Final = 900.0  # Hz: what is above follows the lips best
PITCH: Final = (70, 400)  # Hz
SPOKEN: Final = 0.5  # mean probability from which a look is taken

Activity = Callable[[Floats], Floats]
"""The next sound (N,) -> (n,) how sure each whole `STEP` is speech; what is left over waits for the next call."""

Voiceprint = Callable[[Floats], Floats]
"""Looks (n, LOOK) -> (n, D) of length 1."""


@dataclass(frozen=True)
class Heard(Value):
    """What is kept of a sound of `samples`.

    speech: (n,) in [0, 1], one a `STEP`. level, high: (m,) dB re full scale, one a `TICK`, of everything and of what is above
    `HIGH`; voiced: (m,) in [0, 1], how periodic. at: (w,) first sample of each look; prints: (w, D) float16.
    """

    samples: int
    speech: Floats
    level: Floats
    high: Floats
    voiced: Floats
    at: Array
    prints: Array

    def check(self) -> None:
        if not len(self.level) == len(self.high) == len(self.voiced) or len(self.at) != len(self.prints):
            raise ValueError("what was heard does not fit together")


class Listener:
    """Takes a sound block by block; `done` gives what is kept of it."""

    def __init__(self, activity: Activity, voiceprint: Voiceprint) -> None:
        self._activity, self._voiceprint = activity, voiceprint
        self._speech: list[Floats] = []
        self._sure, self._steps = np.zeros(0, np.float32), 0  # the last probabilities, the first's number
        self._rows: list[Floats] = []  # (k, 3) level, high, voiced
        self._at: list[int] = []
        self._prints: list[Array] = []
        self._tail = np.zeros(SPAN // 2, np.float32)  # levels are of windows around their tick: silence comes before
        # for looks: samples, the first's number, the next look
        self._held, self._from, self._next = np.zeros(0, np.float32), 0, 0
        self._samples = 0

    def add(self, block: Floats) -> None:
        """Hear (N,) samples more."""
        sound = np.clip(np.nan_to_num(np.asarray(block, np.float32), posinf=0, neginf=0), -4, 4)
        self._samples += len(sound)
        self._heard(self._activity(sound))
        self._measure(sound)
        self._look(sound)

    def done(self) -> Heard:
        """Hear the rest; the listener is used up."""
        if self._samples % STEP:
            self._heard(self._activity(np.zeros(STEP - self._samples % STEP, np.float32)))
        samples = self._samples
        self._measure(np.zeros(SPAN, np.float32))
        self._look(np.zeros(STEP, np.float32))
        rows = np.concatenate(self._rows) if self._rows else np.zeros((0, 3), np.float32)
        level, high, voiced = rows[: -(-samples // TICK)].T
        prints = np.concatenate(self._prints) if self._prints else np.zeros((0, 0), np.float16)
        speech = np.concatenate(self._speech) if self._speech else np.zeros(0, np.float32)
        return Heard(samples, speech, level, high, voiced, np.array(self._at, np.int64), prints)

    def _heard(self, sure: Floats) -> None:
        if len(sure):
            self._speech.append(sure)
            self._sure = np.concatenate([self._sure, sure])

    def _measure(self, sound: Floats) -> None:
        self._tail = np.concatenate([self._tail, sound])
        count = (len(self._tail) - SPAN) // TICK + 1 if len(self._tail) >= SPAN else 0
        for k in range(0, count, 1000):
            cut = np.lib.stride_tricks.sliding_window_view(self._tail, SPAN)[k * TICK : min(k + 1000, count) * TICK : TICK]
            self._rows.append(measures(cut))
        self._tail = self._tail[count * TICK :].copy()

    def _look(self, sound: Floats) -> None:
        """Looks at what is speech, as far as it is known to be."""
        self._held = np.concatenate([self._held, sound])
        known = (self._steps + len(self._sure)) * STEP
        looks, at = [], []
        while self._next + LOOK <= min(self._from + len(self._held), known):
            a, b = (edge // STEP - self._steps for edge in (self._next, self._next + LOOK))
            if self._sure[a:b].mean() >= SPOKEN:
                looks.append(self._held[self._next - self._from :][:LOOK])
                at.append(self._next)
            self._next += STRIDE
        if looks:
            self._prints.append(self._voiceprint(np.stack(looks)).astype(np.float16))
            self._at += at
        drop = min(self._next - self._from, len(self._held))
        self._held, self._from = self._held[drop:].copy(), self._from + drop
        passed = self._from // STEP - self._steps
        self._sure, self._steps = self._sure[passed:].copy(), self._steps + passed


def measures(cut: Array) -> Floats:
    """Windows (k, SPAN) -> (k, 3): level and high, dB; voiced in [0, 1], the highest of the autocorrelation at a pitch."""
    power: Doubles = np.abs(np.fft.rfft(cut * _HANN, 2 * SPAN)).astype(np.float64) ** 2
    at = np.fft.rfftfreq(2 * SPAN, 1 / SPEECH_RATE)
    scale = 2 / (2 * SPAN * float((_HANN**2).sum()))
    level = 10 * np.log10(power[:, at >= 60].sum(1) * scale + 1e-10)
    high = 10 * np.log10(power[:, at >= HIGH].sum(1) * scale + 1e-10)
    lags = slice(SPEECH_RATE // PITCH[1], SPEECH_RATE // PITCH[0])
    same = np.fft.irfft(power)[:, : lags.stop]
    voiced = (same[:, lags] / _SELF[lags]).max(1) / np.maximum(same[:, 0], 1e-12)
    rows: Floats = np.stack([level, high, np.clip(voiced, 0, 1)], 1).astype(np.float32)
    return rows


_HANN: Final[Doubles] = np.hanning(SPAN + 2)[1:-1]
_SELF: Final[Doubles] = np.fft.irfft(np.abs(np.fft.rfft(_HANN, 2 * SPAN)) ** 2)[:SPAN] / float((_HANN**2).sum())
