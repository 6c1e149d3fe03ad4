"""What a sound looks like: a spectrogram as a picture, and two sounds compared for what an ear should go to first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from scipy.ndimage import maximum_filter1d

from facedouble.types import Bools, Bytes, Doubles, Floats, Value

WINDOW, BINS = 600, 1024  # samples: 25 ms at 24 kHz; of the Fourier transform
LOWEST, HIGHEST = 60.0, 10_000.0  # Hz
FLOOR, TOP = -100.0, -25.0  # dB re full scale: black and white; the same in both pictures
MARKS: Final = (200, 500, 1000, 2000, 4000, 8000)  # Hz that are written beside the picture

PACE: Final = 0.05  # s between the levels that two sounds are compared by
ORIGINAL: Final = 0.95  # correlation with the sound before, from which it is that sound
LEAST: Final = 0.25  # s: what is shorter is not worth a line
SPEECH, SILENCE = -45.0, -62.0  # dB: surely something, surely nothing
LOUDER: Final = 12.0  # dB over what was there before
GONE: Final = 20.0  # dB under it: a room's tone alone, where somebody spoke
NEAR: Final = 5  # levels to each side that are looked at too: words may move a little
FULL: Final = 0.999  # of full scale


@dataclass(frozen=True)
class Flag(Value):
    """Listen here: [start, stop) in s, and why."""

    start: float
    stop: float
    why: str


def place(hertz: float) -> float:
    """Where a frequency is in the picture: 0 at the bottom, 1 at the top. Mel scale, as the ear spreads them."""
    low, high, here = (np.log1p(f / 700.0) for f in (LOWEST, HIGHEST, hertz))
    return float((here - low) / (high - low))


def spectrogram(sound: Floats, rate: int, width: int, height: int) -> Bytes:
    """RGB (height, width, 3) of (N,) samples; column k is around (k + .5) / width of the way."""
    middles = ((np.arange(width) + 0.5) * len(sound) / width).astype(np.int64)
    padded = np.pad(np.nan_to_num(sound, posinf=0, neginf=0), WINDOW // 2)
    taper = np.hanning(WINDOW).astype(np.float32)
    cut = padded[middles[:, None] + np.arange(WINDOW)] * taper
    power = np.abs(np.fft.rfft(cut, BINS, axis=1)).astype(np.float32) ** 2 * np.float32(4 / float(taper.sum()) ** 2)
    level = 10 * np.log10(power @ _rows(rate, height) + 1e-12)
    grey = np.clip((level - FLOOR) / (TOP - FLOOR), 0, 1)
    painted = cv2.applyColorMap((grey.T[::-1] * 255).astype(np.uint8), cv2.COLORMAP_MAGMA)
    return np.ascontiguousarray(painted[..., ::-1])


def _rows(rate: int, height: int) -> Floats:
    """What each row sees of each bin: (bins, height), the lowest frequency first, each row's mean over its width."""
    at = np.fft.rfftfreq(BINS, 1 / rate)
    low, high = np.log1p(LOWEST / 700.0), np.log1p(HIGHEST / 700.0)
    edges = 700.0 * np.expm1(np.linspace(low, high, height + 1))
    middle, half = (edges[1:] + edges[:-1]) / 2, np.maximum(edges[1:] - edges[:-1], rate / BINS)
    seen = np.maximum(0, 1 - np.abs(at[:, None] - middle) / half)
    return np.asarray(seen / np.maximum(seen.sum(0), 1e-9), np.float32)


@dataclass(frozen=True)
class Levels(Value):
    """Of each `PACE` of two sounds: levels before and after, dB re full scale, likeness in [0, 1], the largest sample after."""

    before: Floats
    after: Floats
    like: Floats
    peak: Floats


def compared(before: Floats, after: Floats, rate: int) -> Levels:
    """Two sounds (N,) and (M,), as long as the shorter; what is left of the last `PACE` is left out."""
    step = round(PACE * rate)
    count = min(len(before), len(after)) // step
    pairs = [np.nan_to_num(s[: count * step]).astype(np.float64).reshape(count, step) for s in (before, after)]
    level = [10 * np.log10((p**2).mean(1) + 1e-12) for p in pairs]
    like = np.array([_likeness(pairs[0], pairs[1], k) for k in range(count)])
    peak = np.abs(pairs[1]).max(1) if count else np.zeros(0)
    return Levels(*(np.asarray(a, np.float32) for a in (*level, like, peak)))


def _likeness(before: Doubles, after: Doubles, k: int) -> float:
    """The highest correlation of a piece of the sound after with the sound around it before, any sign, by Fourier transform."""
    piece = after[k]
    around = before[max(k - 1, 0) : k + 2].ravel()
    if (piece**2).mean() < 10 ** (SILENCE / 10) or len(around) < 2 * len(piece):
        return 0.0
    size = 1 << (len(around) + len(piece)).bit_length()
    cross = np.fft.irfft(np.fft.rfft(around, size) * np.conj(np.fft.rfft(piece, size)), size)[: len(around) - len(piece) + 1]
    sums = np.concatenate([[0.0], np.cumsum(around**2)])
    energy = sums[len(piece) :] - sums[: -len(piece)]
    return float(np.max(np.abs(cross) / np.sqrt(np.maximum(energy * (piece**2).sum(), 1e-20))))


def flags(levels: Levels) -> tuple[Flag, ...]:
    """What an ear should go to first, in the order of time."""
    before, after = levels.before, levels.after
    widest = [maximum_filter1d(level, 2 * NEAR + 1, mode="nearest") if len(level) else level for level in (before, after)]
    found = [
        (levels.like >= ORIGINAL, "the ORIGINAL sound is heard here"),
        ((before > SPEECH) & (widest[1] < np.maximum(before - GONE, SILENCE)), "silent, or nearly, and it was not before"),
        ((after > widest[0] + LOUDER) & (after > SPEECH), "louder than before"),
        (levels.peak >= FULL, "as loud as it can be: it may be cut off at the top"),
    ]
    made = [Flag(a * PACE, b * PACE, why) for held, why in found for a, b in runs(held)
            if (b - a) * PACE >= LEAST or "cut off" in why]
    return tuple(sorted(made, key=lambda f: (f.start, f.stop)))


def runs(held: Bools, gap: int = 4) -> list[tuple[int, int]]:
    """Half-open runs of True; gaps of up to `gap` do not break them."""
    edges = np.flatnonzero(np.diff(np.r_[0, held.astype(np.int8), 0]))
    spans: list[tuple[int, int]] = []
    for a, b in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if spans and a - spans[-1][1] <= gap:
            spans[-1] = spans[-1][0], b
        else:
            spans.append((a, b))
    return spans
