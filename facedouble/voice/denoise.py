"""Speech without what lies behind it, as far as statistics go: before a voice is analysed, never as what is heard.

The short-time spectral amplitude is estimated with the least mean square error of its logarithm (Ephraim & Malah 1985, doi
10.1109/TASSP.1985.1164550), the noise by the minima of its spectrum (Martin 2001, doi 10.1109/89.928915). Steady noise falls;
other voices, music and what is as sudden as speech stay.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import numpy as np
from scipy.special import exp1

from facedouble.types import Doubles, Floats

FRAME: Final = 0.032  # s, half overlapping
LEAST: Final = 10 ** (-18 / 20)  # gain: what is left of the noise, so that nothing rings
OPENING: Final = 2.0  # s that are listened to before the first sample is given out
QUIET: Final = 10 ** (-60 / 20)  # gain of the gate in pauses
RAMP: Final = 0.010  # s in which the gate opens, before the speech begins, and closes, after it ends
_CARRY: Final = 0.96  # weight of the frame before in the a priori ratio ("decision-directed")
_LOWEST: Final = 10 ** (-20 / 10)  # a priori ratio
_PARTS: Final = 8  # minima are kept for as many parts,
_LENGTH: Final = 12  # of as many frames: 1.5 s in all
_SPAN: Final = np.array([1, 2, 5, 8, 10, 15, 20, 30, 40, 60, 80, 120, 140, 160])  # frames, and Martin's M of as many
_M: Final = np.array([0, 0.26, 0.48, 0.58, 0.61, 0.668, 0.705, 0.762, 0.8, 0.841, 0.865, 0.89, 0.9, 0.91])


class Minima:
    """The noise's power in each bin by minimum statistics; names as in Martin 2001."""

    def __init__(self, bins: int) -> None:
        self.P = np.zeros(bins)  # smoothed power
        self.noise = np.zeros(bins)
        self.mean, self.square = np.zeros(bins), np.zeros(bins)  # moments of P, for its variance
        self.alpha_c = 0.7
        self.low, self.low_sub = np.full(bins, np.inf), np.full(bins, np.inf)
        self.kept = np.full((_PARTS, bins), np.inf)
        self.local, self.new = np.zeros(bins, bool), np.zeros(bins, bool)
        self.frames = 0

    def step(self, power: Doubles) -> Doubles:
        """(bins,) |Y|² of a frame -> the noise's power."""
        if not self.frames:
            self.P, self.noise, self.mean, self.square = power.copy(), power.copy(), power.copy(), power**2
        alpha = self._alpha(power)
        self.P = alpha * self.P + (1 - alpha) * power
        beta = np.minimum(alpha**2, 0.8)
        self.mean = beta * self.mean + (1 - beta) * self.P
        self.square = beta * self.square + (1 - beta) * self.P**2
        inverse = np.clip((self.square - self.mean**2) / (2 * self.noise**2 + 1e-40), 1e-3, 0.5)
        over = 1 + 2.12 * np.sqrt(inverse.mean())
        self._lower(self.P * _bias(inverse, _PARTS * _LENGTH) * over, self.P * _bias(inverse, _LENGTH) * over)
        self._part(float(inverse.mean()))
        return self.noise

    def _alpha(self, power: Doubles) -> Doubles:
        """How much of the frame before is kept: much where it is noise, little where speech begins."""
        now = 1 / (1 + (self.P.sum() / (power.sum() + 1e-30) - 1) ** 2)
        self.alpha_c = 0.7 * self.alpha_c + 0.3 * max(now, 0.7)
        alpha: Doubles = 0.96 * self.alpha_c / (1 + (self.P / (self.noise + 1e-30) - 1) ** 2)
        return np.maximum(alpha, 0.3)

    def _lower(self, whole: Doubles, part: Doubles) -> None:
        self.new = whole < self.low
        self.low = np.where(self.new, whole, self.low)
        self.low_sub = np.where(self.new, part, self.low_sub)

    def _part(self, inverse: float) -> None:
        """At the end of a part its minimum is kept; within a part a minimum that held on may raise the noise."""
        self.frames += 1
        place = self.frames % _LENGTH
        if place == 0:
            self.kept = np.roll(self.kept, 1, axis=0)
            self.kept[0] = self.low
            least = self.kept.min(0)
            slope = 8.0 if inverse < 0.03 else 4.0 if inverse < 0.05 else 2.0 if inverse < 0.06 else 1.2
            rises = self.local & ~self.new & (self.low_sub < slope * least) & (self.low_sub > least)
            self.kept[:, rises] = self.low_sub[rises]
            self.noise = np.where(rises, self.low_sub, least)
            self.low, self.low_sub = np.full_like(self.low, np.inf), np.full_like(self.low, np.inf)
            self.local[:] = False
        elif place > 1:
            self.local |= self.new
            self.noise = np.minimum(self.low_sub, self.noise)


def _bias(inverse: Doubles, frames: int) -> Doubles:
    """How far the minimum of so many frames lies under the mean."""
    M = float(np.interp(frames, _SPAN, _M))
    free = (1 / inverse - 2 * M) / (1 - M)
    return 1 + (frames - 1) * 2 / free


def gain(power: Doubles, noise: Doubles, before: Doubles) -> tuple[Doubles, Doubles]:
    """The log-spectral amplitude gain of a frame, and what the next frame needs: the clean power over the noise."""
    after = np.minimum(power / (noise + 1e-30), 1e4)  # a posteriori
    prior = np.maximum(_CARRY * before + (1 - _CARRY) * np.maximum(after - 1, 0), _LOWEST)
    v = np.maximum(prior / (1 + prior) * after, 1e-6)
    G = np.minimum(prior / (1 + prior) * np.exp(0.5 * exp1(v)), 1.0)
    return np.maximum(G, LEAST), G**2 * after


def denoise(blocks: Iterable[Floats], rate: int) -> Iterator[Floats]:
    """(n, C) float32 blocks with the noise suppressed, as many samples as came, none moved; what is no number becomes 0."""
    hop = max(round(FRAME * rate / 2), 1)
    frames: _Frames | None = None
    came = given = 0
    for block in _opening(blocks, round(OPENING * rate)):
        if frames is None:
            frames = _Frames(hop, block.shape[1])
            frames.listen(block[:round(OPENING * rate)])
        made = frames.run(block)[max(hop - given, 0):]  # a hop lies before the sound
        came, given = came + len(block), frames.given
        if len(made):
            yield made
    if frames is not None:
        made = frames.run(np.zeros((2 * hop, frames.tail.shape[1]), np.float32))[max(hop - given, 0):]
        missing = came - max(given - hop, 0)
        if missing:
            yield made[:missing]


def _opening(blocks: Iterable[Floats], samples: int) -> Iterator[Floats]:
    """The blocks as numbers, the first ones as one block of at least so many samples."""
    held: list[Floats] = []
    for block in blocks:
        held.append(np.nan_to_num(block, posinf=0.0, neginf=0.0))
        if samples <= 0 or sum(map(len, held)) >= samples:
            yield np.concatenate(held)
            held, samples = [], 0
    if held:
        yield np.concatenate(held)


class _Frames:
    """Overlapping frames of a stream, each with its gain; what comes out is a hop late."""

    def __init__(self, hop: int, channels: int) -> None:
        self.hop, self.given = hop, 0
        self.taper = np.sin(np.pi * (np.arange(2 * hop) + 0.5) / (2 * hop))[:, None]
        self.held, self.tail = np.zeros((hop, channels)), np.zeros((hop, channels))
        self.noise, self.before = [Minima(hop + 1) for _ in range(channels)], np.ones((hop + 1, channels))

    def listen(self, opening: Floats) -> None:
        """Learn the noise of the opening before any of it is given out."""
        for start in range(0, len(opening) - 2 * self.hop + 1, self.hop):
            Y = np.fft.rfft(opening[start:start + 2 * self.hop] * self.taper, axis=0)
            for c, minima in enumerate(self.noise):
                minima.step(np.abs(Y[:, c]) ** 2)

    def run(self, block: Floats) -> Floats:
        self.held = np.concatenate([self.held, block])
        made = [np.zeros((0, block.shape[1]))]
        while len(self.held) >= 2 * self.hop:
            Y = np.fft.rfft(self.held[:2 * self.hop] * self.taper, axis=0)
            for c, minima in enumerate(self.noise):
                power = np.abs(Y[:, c]) ** 2
                G, self.before[:, c] = gain(power, minima.step(power), self.before[:, c])
                Y[:, c] *= G
            frame = np.fft.irfft(Y, 2 * self.hop, axis=0) * self.taper
            made.append(self.tail + frame[:self.hop])
            self.tail, self.held = frame[self.hop:], self.held[self.hop:]
        whole = np.concatenate(made).astype(np.float32)
        self.given += len(whole)
        return whole


def gate(blocks: Iterable[Floats], rate: int, speech: Sequence[tuple[int, int]]) -> Iterator[Floats]:
    """(n, C) blocks that are quiet, -60 dB, outside the half-open spans of speech (samples, ascending); ramps of 10 ms."""
    ramp, at = max(round(RAMP * rate), 1), 0
    spans = [(a, b) for a, b in speech if b > a]
    for block in blocks:
        n = np.arange(at, at + len(block))
        open_ = np.zeros(len(block))
        while spans and spans[0][1] + ramp <= at:
            spans = spans[1:]
        for a, b in spans:
            if a - ramp >= at + len(block):
                break
            open_ = np.maximum(open_, np.clip(np.minimum(n - a + ramp, b + ramp - 1 - n) / ramp, 0, 1))
        smooth = 0.5 - 0.5 * np.cos(np.pi * open_)
        yield (np.nan_to_num(block, posinf=0.0, neginf=0.0) * (QUIET + (1 - QUIET) * smooth)[:, None]).astype(np.float32)
        at += len(block)
