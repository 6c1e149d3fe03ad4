"""How much of one sound is still in another: what an audit asks of the output and the original.

Both are whitened in time and frequency first (every cell of a spectrogram gets the same magnitude, as in the phase transform:
Knapp & Carter 1976, doi 10.1109/TASSP.1976.1162830), so that a quiet leak counts where the rest is quieter. Then windows of the
original are sought in the output, at every lag in reach.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft
from scipy.signal import iirnotch, resample_poly, sosfilt, tf2sos

from facedouble.types import Array, Doubles, Value

RATE: Final = 16_000  # samples/s; faster sounds are brought down to it
WINDOW: Final = 0.2  # s that are sought at once
REACH: Final = 0.25  # s: the greatest lag, either way
SILENT: Final = 1e-6  # rms, -120 dB: what is under it is not made louder
_HOP: Final = 0.1  # s from window to window
_CELL: Final = 1024  # samples of a cell of the whitening: 64 ms
_MAINS: Final = (50.0, 60.0)


@dataclass(frozen=True)
class Residual(Value):
    """Matched-filter peaks in standard deviations of what chance gives; two sounds that share nothing reach about 5.

    peak: the greatest, mains hum left out. at: the second where. seconds: (S, 2) float64, the peak of each second of the
    original, as it is and with 50 and 60 Hz and their harmonics left out.
    """

    peak: float
    at: float
    seconds: Doubles


def residual(original: Array, output: Array, rate: int) -> Residual:
    """Seek each second of (N,) or (N, C) in the output, in every pair of channels; both begin at the same time.

    A second's peak is the greater of two: of single windows of 0.2 s, and of the mean of all its windows lag by lag, which
    finds what is quieter and lasts. What is needed at once is a second and a bit, however long the sounds are.
    """
    first, second = (x[:, None] if x.ndim == 1 else x for x in (original, output))
    count = -(-len(first) // rate)
    seconds = np.zeros((count, 2))
    for s in range(count):
        for column, hum in enumerate((True, False)):
            before = [piece(first[:, c], s, rate, 0.0, hum) for c in range(first.shape[1])]
            after = [piece(second[:, c], s, rate, REACH, hum) for c in range(second.shape[1])]
            seconds[s, column] = max(_peak(a, b) for a in before for b in after)
    worst = int(seconds[:, 1].argmax()) if count else 0
    return Residual(float(seconds[worst, 1]) if count else 0.0, float(worst), seconds)


def piece(sound: Array, second: float, rate: int, reach: float, hum: bool) -> Doubles:
    """A second and `reach` to either side, whitened, at RATE at most; zeros where there is no sound."""
    margin = reach + 0.25  # what filters and whitening need is cut away again
    start, stop = round((second - margin) * rate), round((second + 1 + margin) * rate)
    inside = np.nan_to_num(sound[max(start, 0):max(min(stop, len(sound)), 0)].astype(np.float64), posinf=0.0, neginf=0.0)
    whole = np.zeros(stop - start)
    whole[max(-start, 0):max(-start, 0) + len(inside)] = inside
    at = min(rate, RATE)
    if rate > RATE:
        step = int(np.gcd(rate, RATE))
        whole = resample_poly(whole, RATE // step, rate // step)
    if not hum:
        whole = sosfilt(_comb(at), whole)[::-1]
        whole = sosfilt(_comb(at), whole)[::-1]
    flat, cut = whiten(whole), round(0.25 * at)
    ends = max(-start, 0) * at // rate, (max(-start, 0) + len(inside)) * at // rate  # filters ring on where no sound is
    flat[:ends[0]] = flat[ends[1]:] = 0
    return flat[cut:cut + round((1 + 2 * reach) * at)]


def _comb(rate: int) -> Doubles:
    """Takes out 50 and 60 Hz and their harmonics up to 1 kHz."""
    places = sorted({m * h for m in _MAINS for h in range(1, int(1000 / m) + 1)})
    return np.concatenate([tf2sos(*iirnotch(f, f / 8, rate)) for f in places])


def whiten(sound: Doubles) -> Doubles:
    """(N,) with the same magnitude in every cell of its spectrogram (64 ms, half overlapping); what is silent stays so."""
    taper = np.sin(np.pi * (np.arange(_CELL) + 0.5) / _CELL)
    out = np.zeros(len(sound) + 2 * _CELL)
    padded = np.pad(sound, (_CELL // 2, 3 * _CELL // 2))
    for start in range(0, len(sound) + _CELL // 2, _CELL // 2):
        cell = rfft(padded[start:start + _CELL] * taper)
        size = np.abs(cell)
        out[start:start + _CELL] += taper * irfft(cell / (size + SILENT * _CELL**0.5), _CELL)
    return out[_CELL // 2:_CELL // 2 + len(sound)]


def _peak(before: Doubles, after: Doubles) -> float:
    """The greatest correlation of a second with a second and `REACH` to either side, in standard deviations of chance."""
    found = rows(before[None], after[None])[0, 0]
    mean = found[::2].mean(0) * np.sqrt(len(found[::2]))
    return float(max(np.abs(found).max(), np.abs(mean).max()))


def rows(before: Doubles, after: Doubles) -> Doubles:
    """Correlations (B, A, windows, lags) of (B, n) with (A, n + 2 reach), both whitened, in standard deviations of chance.

    A lag of `reach` is none; windows are half overlapping.
    """
    at = before.shape[1]
    n, hop, reach = round(WINDOW * at), round(_HOP * at), (after.shape[1] - at) // 2
    starts = range(0, at - n + 1, hop)
    if np.sqrt(np.mean(after**2)) < 1e-4 or np.sqrt(np.mean(before**2)) < 1e-4:
        return np.zeros((len(before), len(after), len(starts), 2 * reach + 1))
    size = next_fast_len(2 * n + 2 * reach, real=True)
    windows = np.stack([before[:, start:start + n] for start in starts], 1)
    parts = np.stack([after[:, start:start + n + 2 * reach] for start in starts], 1)
    both = irfft(rfft(parts, size)[None] * np.conj(rfft(windows, size))[:, None], size)[..., :2 * reach + 1]
    power = np.concatenate([np.zeros((*parts.shape[:2], 1)), np.cumsum(parts**2, 2)], 2)
    local = power[..., n:] - power[..., :-n]
    full = n * np.maximum(np.mean(after**2, 1), 1e-12)[:, None, None]
    whole = n * np.maximum(np.mean(before**2, 1), 1e-12)[:, None]
    sounds = np.sum(windows**2, 2)
    share = np.minimum(sounds / whole, np.count_nonzero(windows, 2) / n)  # of the window; fewer samples, more chance
    weight = np.sqrt(share * n / np.maximum(sounds, 1e-12))
    return np.asarray(both * weight[:, None, :, None] / np.sqrt(np.maximum(local, 0.1 * full))[None])
