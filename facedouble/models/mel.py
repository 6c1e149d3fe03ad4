"""Mel bands as librosa and the models trained with it have them (Slaney's scale and norm)."""

from __future__ import annotations

import numpy as np

from facedouble.types import Array, Doubles, Floats

BEND = 1000.0  # Hz: below, the scale is linear, 200/3 Hz a mel; above, logarithmic, 27 mel from 1000 to 6400 Hz
LINEAR, STEP = 200.0 / 3.0, float(np.log(6.4) / 27.0)


def mel(hertz: Array) -> Doubles:
    """Hz to mel."""
    high = BEND / LINEAR + np.log(np.maximum(hertz, 1e-9) / BEND) / STEP
    return np.where(hertz < BEND, hertz / LINEAR, high)


def hertz(mels: Array) -> Doubles:
    """Mel to Hz."""
    return np.where(mels < BEND / LINEAR, mels * LINEAR, BEND * np.exp(STEP * (mels - BEND / LINEAR)))


def bands(rate: int, window: int, count: int) -> Floats:
    """Triangles over the bins of a spectrum, each of the same area: (window // 2 + 1, count) float32."""
    bins = np.linspace(0, rate / 2, window // 2 + 1)
    edges = hertz(np.linspace(0.0, float(mel(np.array(rate / 2))), count + 2))
    width = np.diff(edges)
    rising = (bins[:, None] - edges[:-2]) / width[:-1]
    falling = (edges[2:] - bins[:, None]) / width[1:]
    area = 2.0 / (edges[2:] - edges[:-2])
    return np.asarray(np.maximum(0, np.minimum(rising, falling)) * area, np.float32)


def spectrogram(sound: Floats, taper: Array, hop: int, triangles: Floats) -> Floats:
    """Power of the mel bands, (frames, count) float32, of a sound (N,), cut into windows as it is; none if N is too short."""
    size = len(taper)
    if len(sound) < size:
        return np.zeros((0, triangles.shape[1]), np.float32)
    cut = np.lib.stride_tricks.sliding_window_view(sound, size)[::hop]
    power = np.abs(np.fft.rfft(cut * taper.astype(np.float32), axis=1)).astype(np.float32) ** 2
    return power @ triangles
