"""Mains hum, which dates and places a recording: found, notched out, and a time base that wanders over what may be left.

The grid's frequency, 50 or 60 Hz, drifts by some hundredths of a hertz, everywhere alike and logged: a recording's hum tells
when it was made, and where (electric network frequency; Grigoras 2005, doi 10.1016/j.forsciint.2005.08.016).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np
from scipy.ndimage import median_filter
from scipy.signal import iirfilter, sosfilt

from facedouble.types import Array, Doubles, Floats
from facedouble.voice.resample import at

MAINS: Final = (50.0, 60.0)  # Hz
LOW: Final = 120.0  # Hz: under it nothing passes
ALWAYS: Final = 1000.0  # Hz: up to here every harmonic is notched, above it where it stands out
HIGHEST: Final = 4000.0  # Hz: harmonics are not sought above
DEPTH: Final = 60.0  # dB, within .7 of `width`; 36 at its ends
RIPPLE: Final = 0.02  # dB that each filter may take elsewhere; there are some 40 of them
DITHER: Final = 2.0**-16  # rms of the noise, as 16 bits have it, under which what the filters leave is drowned
STANDS_OUT: Final = 10.0  # dB of a line over the bins around it
LOOK: Final = 20.0  # s, over which lines are sought
SWAY: Final = 0.006  # s, standard deviation of the time base; never over three of them
_SLOW: Final = 20.0  # s, after which the sway has forgotten where it was
_SMOOTH: Final = 1.5  # s, over which it is smoothed
_KNOT: Final = 0.25  # s between two numbers of the sway


def width(harmonic: int) -> float:
    """Hz taken out to either side: up to 1 kHz for a grid that strays by .14 Hz (.2: 36 dB), and 4 Hz at most."""
    return min(0.1 + 0.2 * harmonic, 4.0)


def lines(sound: Array, rate: int) -> set[tuple[float, int]]:
    """The lines (mains, harmonic) to take out of (N, C): of the mains that stands out, or of both if neither does."""
    window = max(min(len(sound) // 2, round(LOOK / 2 * rate)), 1)  # three of them, half overlapping
    taper, step = np.hanning(window), max(window // 2, 1)
    starts = range(0, len(sound) - window + 1, step)
    power = sum(np.abs(np.fft.rfft(sound[s:s + window] * taper[:, None], axis=0)).sum(1) ** 2 for s in starts) + 1e-20
    bin_, found = rate / window, {}
    around = median_filter(power, max(round(20 / bin_), 1), mode="nearest")
    for mains in MAINS:
        reach = int(min(HIGHEST, rate / 2 - 5) / mains)
        found[mains] = {h for h in range(1, reach + 1) if _line(power, around, h * mains / bin_, width(h) / bin_)}
    strength = {m: len({h for h in found[m] if h * m <= ALWAYS and h * m % 300}) for m in MAINS}  # 300 Hz belong to both
    best = max(MAINS, key=lambda m: strength[m])
    which = (best,) if strength[best] >= 3 and strength[best] >= 2 * min(strength.values()) else MAINS
    return {(m, h) for m in which for h in {*found[m], *range(1, int(ALWAYS / m) + 1)} if h * m < rate / 2 - 5 - 2 * width(h)}


def _line(power: Doubles, around: Doubles, centre: float, half: float) -> bool:
    lo, hi = int(centre - half), int(np.ceil(centre + half)) + 1
    peak = power[lo:hi].max(initial=0.0)
    return bool(peak > 10 ** (STANDS_OUT / 10) * around[min(round(centre), len(around) - 1)])


def notch(mains: float, harmonic: int, rate: int) -> Doubles:
    """Second-order sections that take one line out: an elliptic filter, untouched from three widths on."""
    half, centre = width(harmonic), mains * harmonic
    edges = [centre - 3 * half, centre + 3 * half]
    sections: Doubles = iirfilter(4, edges, rp=RIPPLE, rs=DEPTH, btype="bandstop", ftype="ellip", fs=rate, output="sos")
    return sections


class Dehum:
    """Takes hum and everything under 120 Hz out of a stream; lines that come later are taken out from then on."""

    def __init__(self, rate: int, rng: np.random.Generator) -> None:
        self.rate, self.rng, self.known = rate, rng, set[tuple[float, int]]()
        self.bank = 2 * [iirfilter(8, LOW, rp=RIPPLE, rs=DEPTH + 10, btype="highpass", ftype="ellip", fs=rate, output="sos")]
        self.states: list[Doubles] = []

    def run(self, blocks: Iterable[Floats]) -> Iterator[Floats]:
        held: list[Floats] = []
        for block in blocks:
            held.append(np.nan_to_num(block, posinf=0.0, neginf=0.0))
            if sum(map(len, held)) >= LOOK * self.rate:
                yield self._pass(np.concatenate(held))
                held = []
        if held:
            yield self._pass(np.concatenate(held))

    def _pass(self, sound: Floats) -> Floats:
        if not len(sound):
            return sound
        for line in sorted(lines(sound, self.rate) - self.known):
            self.bank.append(notch(*line, self.rate))
            self.known.add(line)
        for sections in self.bank[len(self.states):]:
            self.states.append(np.zeros((len(sections), 2, sound.shape[1])))
        made = sound.astype(np.float64)
        for k, sections in enumerate(self.bank):
            made, self.states[k] = sosfilt(sections, made, axis=0, zi=self.states[k])
        made += DITHER * self.rng.standard_normal(made.shape)
        return made.astype(np.float32)


class Wander:
    """Reads a stream at times that sway by a few milliseconds, at random, slowly; as many samples leave as came."""

    def __init__(self, rate: int, rng: np.random.Generator) -> None:
        self.rate, self.rng = rate, rng
        self.knot = max(round(_KNOT * rate), 1)
        self.reach = int(3 * SWAY * rate) + 40  # samples that are read before and after
        self.now = np.full(2, SWAY * rng.standard_normal())  # the sway, and the same smoothed
        self.knots = np.array([self._next() for _ in range(4)])  # of times -1, 0, 1, 2 knots from `self.first`
        self.first = 0

    def _next(self) -> float:
        keep, follow = np.exp(-_KNOT / _SLOW), 1 - np.exp(-_KNOT / _SMOOTH)
        self.now[0] = keep * self.now[0] + np.sqrt(1 - keep**2) * SWAY * self.rng.standard_normal()
        self.now[1] += follow * (self.now[0] - self.now[1])
        return float(3 * SWAY * np.tanh(self.now[1] / (3 * SWAY)))

    def sway(self, start: int, n: int) -> Doubles:
        """Seconds by which samples start ... start + n - 1 are read late; called in order. A cubic B-spline of the knots."""
        out = np.empty(n)
        done = 0
        while done < n:
            while start + done >= self.first + self.knot:
                self.knots, self.first = np.append(self.knots[1:], self._next()), self.first + self.knot
            m = min(n - done, self.first + self.knot - start - done)
            t = (np.arange(start + done, start + done + m) - self.first) / self.knot
            w = np.array([(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3]) / 6
            out[done:done + m] = self.knots @ w
            done += m
        return out

    def run(self, blocks: Iterable[Floats]) -> Iterator[Floats]:
        held: Floats | None = None
        begin = made = end = 0  # sample number of held[0], samples given out, samples come in
        for block in blocks:
            if held is None:
                held, begin = np.zeros((self.reach, block.shape[1]), np.float32), -self.reach
            held, end = np.concatenate([held, block]), end + len(block)
            if end - self.reach > made:
                yield self._read(held, begin, made, end - self.reach - made)
                made = end - self.reach
                held, begin = held[made - self.reach - begin:], made - self.reach
        if held is not None and end > made:
            held = np.concatenate([held, np.zeros((self.reach, held.shape[1]), np.float32)])
            yield self._read(held, begin, made, end - made)

    def _read(self, held: Floats, begin: int, start: int, n: int) -> Floats:
        return np.clip(at(held, np.arange(start, start + n) - begin - self.sway(start, n) * self.rate), -1, 1)
