"""What lies behind the voice: a room tone made new, or the sound that was there without hum and with a clock that wanders.

`new` lets nine numbers of the original through, in steps of 2 dB: how loud the pauses are in each octave. `clean` lets the
background itself through, altered (`voice/hum.py`). `keep` lets everything through and has to be asked for by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.signal import firwin2, oaconvolve

from facedouble.types import Array, Doubles, Floats, Value
from facedouble.voice.hum import Dehum, Wander

AMBIENCES: Final = ("new", "clean", "keep")

CENTRES: Final = 62.5 * 2.0 ** np.arange(9)  # Hz, the octaves that a tone has: 62.5 to 16,000
LEVEL_STEP: Final = 2.0  # dB: finer differences of the levels do not pass
LOUDEST: Final = -40.0  # dB re full scale, all bands together; what is louder is no room but somebody's noise
FLOOR: Final = -120.0  # dB: as good as silence at 16 bits
NEUTRAL: Final = (-60.6, -70.6, -77.6, -83.6, -87.6, -90.6, -92.6, -93.6, -96.6)
"""A quiet room (the noise criterion curve NC-25, Beranek 1957), -60 dB re full scale in all: where no pause could be heard."""
_WINDOW: Final = 0.4  # s, so that lines of hum, 50 Hz apart, are narrow against what lies between them
_EDGE: Final = 0.05  # s at either end of a pause that may be speech still
_LOW: Final = 0.3  # quantile of the bins of a band: lines and formants stand above it
_QUIET: Final = 0.25  # quantile over time: steps and cars stand above it
_TAPS: Final = 0.1  # s, length of the filter that shapes the tone
_BLOCK: Final = 65536  # samples made at once


@dataclass(frozen=True)
class Tone(Value):
    """A room's tone. levels: (9,) float64 dB re full scale in each octave of CENTRES, all channels alike."""

    levels: Doubles

    def check(self) -> None:
        if self.levels.shape != CENTRES.shape or not np.all((self.levels >= FLOOR) & (self.levels <= LOUDEST)):
            raise ValueError(f"a tone has {len(CENTRES)} levels from {FLOOR} to {LOUDEST} dB, not {self.levels}")

    def density(self, frequency: Array) -> Doubles:
        """Hz -> dB re full scale per Hz: straight lines between the octaves, and nothing under 30 Hz."""
        per_hz = self.levels - 10 * np.log10(CENTRES / np.sqrt(2))
        octave = np.log2(np.maximum(frequency, 1.0) / CENTRES[0])
        low = 24 * np.maximum(-1 - octave, 0)
        return np.asarray(np.interp(octave, np.arange(len(CENTRES)), per_hz) - low)

    def sound(self, samples: int, channels: int, rate: int, rng: np.random.Generator) -> Iterator[Floats]:
        """Blocks (n, channels) float32, `samples` in all: each channel noise of its own, through one filter, without a seam."""
        taps = _shape(self, rate)
        tail = np.zeros((len(taps) - 1, channels))
        fresh = rng.standard_normal((len(taps) - 1, channels))  # the filter is full before the first sample is heard
        tail += oaconvolve(fresh, taps[:, None], axes=0)[len(taps) - 1:]
        for start in range(0, samples, _BLOCK):
            n = min(_BLOCK, samples - start)
            made = oaconvolve(rng.standard_normal((n, channels)), taps[:, None], axes=0)
            made[:len(tail)] += tail
            tail = made[n:]
            yield np.clip(made[:n], -1, 1).astype(np.float32)


def _shape(tone: Tone, rate: int) -> Doubles:
    """The filter that gives white noise of variance 1 the tone's density."""
    taps = 2 * round(_TAPS * rate / 2) + 1
    frequency = np.linspace(0, rate / 2, 4 * taps)
    amplitude = 10 ** (tone.density(frequency) / 20) * np.sqrt(rate / 2)
    filtered: Doubles = firwin2(taps, frequency, amplitude, fs=rate)
    return filtered


def neutral() -> Tone:
    """The tone of a room that nobody listened to."""
    return Tone(np.array(NEUTRAL))


def tone_of(blocks: Iterable[Floats], rate: int, pauses: Sequence[tuple[int, int]]) -> Tone:
    """The tone of the pauses of a sound; the neutral one, if none is long enough (half a second).

    Parameters
    ----------
    blocks : (n, C) float32 each, one after the other.
    pauses : half-open spans in samples of this sound, ascending, in which nobody speaks.

    Each window of 0.4 s counts, in each octave, with the 30 % quantile over its bins: hum and other lines do not pass. Of these
    the 25 % quantile over time is taken, and rounded. Memory does not grow with the sound: the levels are counted by dB.
    """
    size, bands = round(_WINDOW * rate), _bands(rate)
    counts = np.zeros((len(bands), round(40 - FLOOR)), np.int64)
    for window in _windows(blocks, size, [(a + round(_EDGE * rate), b - round(_EDGE * rate)) for a, b in pauses]):
        for band, level in enumerate(_levels(window, rate, bands)):
            counts[band, np.clip(int(level - FLOOR), 0, counts.shape[1] - 1)] += 1
    total = int(counts[0].sum()) if bands else 0
    if not total:
        return neutral()
    heard = [int(np.searchsorted(np.cumsum(row), _QUIET * total)) + FLOOR + 0.5 for row in counts]
    heard += [heard[-1] - 6.0 * (k + 1) for k in range(len(CENTRES) - len(heard))]  # above half the rate: falls 6 dB an octave
    levels = LEVEL_STEP * np.round(np.array(heard) / LEVEL_STEP)
    over = 10 * np.log10(np.sum(10 ** (levels / 10))) - LOUDEST
    return Tone(np.clip(levels - LEVEL_STEP * np.ceil(max(over, 0.0) / LEVEL_STEP), FLOOR, LOUDEST))


def _bands(rate: int) -> list[slice]:
    """The bins of each octave in a window; octaves that end above half the rate are not heard."""
    edges = np.append(CENTRES, 2 * CENTRES[-1]) / np.sqrt(2)
    bins = np.ceil(edges * _WINDOW).astype(int)
    return [slice(a, b) for a, b, top in zip(bins[:-1], bins[1:], edges[1:], strict=True) if top <= rate / 2]


def _levels(window: Array, rate: int, bands: list[slice]) -> Doubles:
    """(n, C) -> dB re full scale in each band, by the low quantile of the bins' exponential distribution."""
    taper = np.hanning(len(window))
    power = np.abs(np.fft.rfft(window * taper[:, None], axis=0)) ** 2 / np.sum(taper**2) / len(window) * 2
    mean = power.mean(1) + 1e-30
    level = [np.quantile(mean[band], _LOW) / -np.log(1 - _LOW) * (band.stop - band.start) for band in bands]
    return np.asarray(10 * np.log10(np.array(level)))


def _windows(blocks: Iterable[Floats], size: int, spans: list[tuple[int, int]]) -> Iterator[Array]:
    """Windows of `size`, half overlapping, that lie wholly within a span and hold only numbers."""
    spans = [(max(a, 0), b) for a, b in spans if b - max(a, 0) >= size]
    held, start = np.zeros((0, 1), np.float32), 0
    for block in blocks:
        held = np.concatenate([held, block]) if len(held) else block
        while spans and start + len(held) >= max(spans[0][0], start) + size:
            at, stop = max(spans[0][0], start), spans[0][1]
            if at + size > stop:
                spans = spans[1:]
                continue
            window = held[at - start:at - start + size]
            if np.isfinite(window).all():
                yield window.astype(np.float64)
            held, start = held[at - start + size // 2:], at + size // 2
        drop = len(held) if not spans else max(min(len(held) - size, spans[0][0] - start), 0)
        held, start = held[drop:], start + drop


def clean(blocks: Iterable[Floats], rate: int, rng: np.random.Generator) -> Iterator[Floats]:
    """The sound from 120 Hz up, without mains hum, on a clock that wanders: (n, C) float32 blocks, as many samples as came.

    What is no number becomes 0. The background itself passes: other voices, calls, engines are still there.
    """
    yield from Wander(rate, rng).run(Dehum(rate, rng).run(blocks))
