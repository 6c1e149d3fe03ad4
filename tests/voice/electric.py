"""Mains hum whose frequency is known, and what an attacker reads from it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from facedouble.types import Doubles, Floats


def trace(seconds: int, sigma: float, rng: np.random.Generator, memory: float = 60.0) -> Doubles:
    """How far a grid strays from its frequency, Hz, once a second: forgets in `memory` seconds where it was."""
    keep, out = np.exp(-1 / memory), np.zeros(seconds + 1)
    for i, shock in enumerate(rng.standard_normal(seconds)):
        out[i + 1] = keep * out[i] + np.sqrt(1 - keep**2) * sigma * shock
    return out


def hum(strays: Doubles, rate: int, harmonics: Sequence[int], level: float, noise: float, rng: np.random.Generator,
        mains: float = 50.0) -> Floats:
    """(N, 1): lines of amplitude `level` in white noise."""
    n = rate * (len(strays) - 1)
    phase = 2 * np.pi * np.cumsum(mains + np.interp(np.arange(n) / rate, np.arange(len(strays)), strays)) / rate
    lines: Doubles = sum((np.sin(h * phase + h) for h in harmonics), np.zeros(n))
    return (level * lines + noise * rng.standard_normal(n))[:, None].astype(np.float32)


def read(sound: Floats, rate: int, harmonic: int, window: int = 8, hop: int = 4, mains: float = 50.0) -> Doubles:
    """The strays as an attacker reads them: the highest peak near the harmonic, by a parabola, in windows of 8 s."""
    strays: Doubles = read_each(sound, rate, [harmonic], window, hop, mains)[0]
    return strays


def read_each(sound: Floats, rate: int, harmonics: Sequence[int], window: int = 8, hop: int = 4, mains: float = 50.0) -> Doubles:
    """(harmonics, windows): the same by each of them, out of one spectrum."""
    n, out = window * rate, list[list[float]]()
    size, taper = 8 * n, np.hanning(n)
    for start in range(0, len(sound) - n + 1, hop * rate):
        power = np.abs(np.fft.rfft(sound[start:start + n] * taper, size))
        out.append([])
        for h in harmonics:
            bins = np.arange(int(h * (mains - 0.3) * size / rate), int(h * (mains + 0.3) * size / rate) + 1)
            k = bins[power[bins].argmax()]
            a, b, c = np.log(power[k - 1:k + 2] + 1e-12)
            out[-1].append((k + 0.5 * (a - c) / (a - 2 * b + c + 1e-12)) * rate / size / h - mains)
    return np.array(out).T


def truth(strays: Doubles, window: int = 8, hop: int = 4) -> Doubles:
    """The mean in the same windows."""
    return np.array([strays[s:s + window + 1].mean() for s in range(0, len(strays) - window, hop)])


def cut(sound: Floats, size: int = 7777) -> list[Floats]:
    """The sound in blocks."""
    return [sound[i:i + size] for i in range(0, len(sound), size)]
