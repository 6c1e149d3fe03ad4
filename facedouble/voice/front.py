"""What of two recordings of the same words is compared: what is said, not who says it, where, or how loudly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
from scipy.fft import dct
from scipy.ndimage import binary_closing, binary_opening

from facedouble.types import Array, Bools, Doubles, Floats, Value
from facedouble.voice.code import HOP, SPEECH_RATE, UNIT

Content = Callable[[Floats], Floats]
"""Sound (N,) float32 at 16 kHz -> what is said, (U, D) float32, a row for each 20 ms."""

FRAME_RATE: Final = SPEECH_RATE // HOP  # 200 frames/s
_WINDOW: Final = 400  # samples: 25 ms
_FFT: Final = 512
_BLOCK: Final = 4000  # frames worked on at once
_BANDS: Final = 26
_LOW: Final = 100.0  # Hz
_HIGH: Final = 6500.0
_CEPSTRA: Final = 12  # of the bands' cosine transform, without the first, which is loudness
_DEEP: Final = 7.0  # natural log of power under the loudest of a band that still counts: 30 dB
_LEAST_SPREAD: Final = 0.35  # a coefficient that varies less says nothing and is not blown up
_PAUSE: Final = 0.15  # s; quiet for less is a stop's closure
_CLICK: Final = 0.035  # s; loud for less is no speech


@dataclass(frozen=True)
class Front(Value):
    """features (F, D) float32, a row for each 5 ms; level (F,) float32 dB; quiet (F,): a pause; flux (F,): how much begins."""

    features: Floats
    level: Floats
    quiet: Bools
    flux: Floats


@lru_cache(maxsize=1)
def _filters() -> Floats:
    """(257, bands) triangles, evenly on the mel scale."""
    mel = np.linspace(np.log1p(_LOW / 700), np.log1p(_HIGH / 700), _BANDS + 2)
    edges = 700 * np.expm1(mel)
    hz = np.arange(_FFT // 2 + 1) * SPEECH_RATE / _FFT
    up = (hz[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    down = (edges[2:] - hz[:, None]) / (edges[2:] - edges[1:-1])
    made: Floats = np.clip(np.minimum(up, down), 0, None).astype(np.float32)
    return made


def bands(sound: Floats) -> Floats:
    """(F, bands) natural log of power of 5 ms frames; frame f is centred on sample 80 f + 40."""
    frames = -(-len(sound) // HOP)
    half = (_WINDOW - HOP) // 2
    padded = np.pad(sound, (half, frames * HOP - len(sound) + _WINDOW))
    window = np.hanning(_WINDOW).astype(np.float32)
    out = np.empty((frames, _BANDS), np.float32)
    for at in range(0, frames, _BLOCK):
        stop = min(at + _BLOCK, frames)
        cut = np.lib.stride_tricks.sliding_window_view(padded[at * HOP : stop * HOP + _WINDOW], _WINDOW)[:: HOP][: stop - at]
        power = np.abs(np.fft.rfft(cut * window, _FFT)) ** 2
        out[at:stop] = np.log(power.astype(np.float32) @ _filters() + 1e-10)
    return out


def levels(log_bands: Floats) -> Floats:
    """(F,) dB of all bands together."""
    made: Floats = (10 * np.log10(np.exp(log_bands).sum(1))).astype(np.float32)
    return made


def pauses(level: Floats) -> Bools:
    """(F,) where nobody speaks for .15 s or more. Where the whole recording is about as loud, nowhere."""
    floor, loud = np.percentile(level, 5), np.percentile(level, 95)
    if loud - floor < 10:
        return np.full(len(level), bool(loud < -60))
    speech = level > floor + np.clip(0.3 * (loud - floor), 5, loud - 38 - floor if loud - 38 - floor > 5 else 5)
    speech = binary_opening(speech, np.ones(round(_CLICK * FRAME_RATE), bool))
    reach = round(_PAUSE * FRAME_RATE)
    grown = binary_closing(np.pad(speech, reach), np.ones(reach, bool))[reach:-reach]
    quiet: Bools = ~grown.astype(bool)
    return quiet


def _deltas(rows: Floats, reach: int) -> Floats:
    """Slope of each column over 2 reach + 1 rows."""
    padded = np.pad(rows, ((reach, reach), (0, 0)), mode="edge")
    made = sum(k * (padded[reach + k : reach + k + len(rows)] - padded[reach - k : reach - k + len(rows)])
               for k in range(1, reach + 1)) / (2 * sum(k * k for k in range(1, reach + 1)))
    return np.asarray(made, np.float32)


def _even(rows: Floats, counted: Bools) -> Floats:
    """Mean 0 and spread 1 of each column over the counted rows."""
    some = rows[counted] if counted.sum() > 20 else rows
    return np.asarray((rows - some.mean(0)) / np.maximum(some.std(0), _LEAST_SPREAD), np.float32)


def listen(sound: Floats, content: Content | None = None) -> Front:
    """What is compared, of sound (N,) float32 at 16 kHz."""
    logs = bands(sound)
    level = levels(logs)
    quiet = pauses(level)
    said = ~quiet
    lifted = np.maximum(logs, np.percentile(logs[said] if said.any() else logs, 98, axis=0) - _DEEP).astype(np.float32)
    cepstra = _even(np.asarray(dct(lifted, norm="ortho", axis=1)[:, 1 : _CEPSTRA + 1], np.float32), said)
    slopes = _even(_deltas(cepstra, 6) * 30, said)
    top = np.percentile(level, 95)
    loud = np.clip((level - top + 35) / 35, 0, 1).astype(np.float32)
    weight = np.where(quiet, 0.0, np.clip(loud * 2, 0.2, 1)).astype(np.float32)[:, None]
    rising = _even(_deltas(loud[:, None], 4) * 30, said)
    parts: list[Any] = [cepstra * weight, 0.8 * slopes * weight, 3 * loud[:, None], 1.5 * rising]
    if content is not None:
        parts.append(_spoken(content(sound), len(logs), said) * weight)
    rise = np.diff(lifted, axis=0, prepend=lifted[:1]).clip(0).mean(1).astype(np.float32)
    return Front(np.hstack(parts).astype(np.float32), level, quiet, rise)


def _spoken(units: Floats, frames: int, said: Bools) -> Floats:
    """The content of 20 ms as rows of 5 ms, each row of length about that of the cepstra's."""
    ratio = UNIT // HOP
    at = (np.arange(frames) - (ratio - 1) / 2) / ratio
    low = np.clip(np.floor(at).astype(int), 0, len(units) - 1)
    high, part = np.minimum(low + 1, len(units) - 1), np.clip(at - low, 0, 1)[:, None].astype(np.float32)
    rows = _even(units[low] * (1 - part) + units[high] * part, said)
    return np.asarray(rows * np.sqrt(_CEPSTRA / rows.shape[1]), np.float32)


def matched(take: Floats, guide: Floats, ridge: float) -> Floats:
    """Matrix (D + 1, D) that brings rows of the take nearest to the guide's rows beside them, drawn to none by `ridge`."""
    one = np.hstack([take, np.ones((len(take), 1), np.float32)]).astype(np.float64)
    gram: Doubles = one.T @ one + ridge * np.eye(one.shape[1])
    plain = np.vstack([np.eye(take.shape[1]), np.zeros((1, take.shape[1]))])
    made: Array = np.linalg.solve(gram, one.T @ guide + ridge * plain)
    return made.astype(np.float32)
