"""Films of a few seconds with synthetic speech, protected or not: small real things to hear."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from scipy.signal import lfilter

from facedouble.media.encode import Writer
from facedouble.options import EncodeOptions
from facedouble.types import Colour, Floats, Frame, MediaInfo
from tests.media.make import safe, scene

RATE = 16000
SECONDS = 5


def voice(seed: int, pitch: float, seconds: int = SECONDS) -> Floats:
    """(N,) syllables: pulses or noise through resonances that change; nothing is shared between two of them.

    espeak will not do: it pastes the same recorded consonants into each of its voices, and they are found (18 and more). All
    have their syllables at the same moments, and as loud: as a double speaks.
    """
    rng, time, out = np.random.default_rng(seed), np.random.default_rng(0), np.zeros(seconds * RATE)
    for start in range(0, len(out), RATE // 8):
        n = RATE // 8
        phase = np.cumsum(pitch * (1 + 0.1 * np.sin(np.arange(n) / 900 + rng.uniform(0, 6))) / RATE) + rng.uniform()
        sound = np.diff(np.floor(phase), prepend=0) if rng.uniform() < 0.7 else 0.1 * rng.standard_normal(n)
        for centre in rng.uniform([250, 900, 2000, 3000], [900, 2000, 3000, 4500]):
            r = np.exp(-np.pi * 90 / RATE)
            sound = lfilter([1 - r], [1, -2 * r * np.cos(2 * np.pi * centre / RATE), r * r], sound)
        loud = time.uniform(0.05, 1)
        out[start:start + n] = sound / max(float(np.sqrt(np.mean(sound**2))), 1e-9) * np.hanning(n) * loud
    return np.asarray(0.05 * out + 1e-4 * rng.standard_normal(len(out)), np.float32)


def film(path: Path, sounds: Sequence[Floats], frames: int = SECONDS * 5, rate: int = RATE) -> Path:
    """A film of 5 pictures a second, as the program writes it. sounds: streams (n, C)."""
    info = MediaInfo("made", "mp4", 96, 64, None, Fraction(5), Fraction(1, 5), Fraction(0), None, 0, Fraction(1), Colour(),
                     "yuv420p", 8, (), (), ())
    streams = [(rate, s.shape[1], Fraction(0), iter([s])) for s in sounds]
    with Writer(path, info, EncodeOptions(), streams) as writer:
        for i in range(frames):
            yuv = cv2.cvtColor(scene(i, 96, 64), cv2.COLOR_RGB2YUV_I420)
            flat = yuv.reshape(-1)
            planes = yuv[:64], flat[6144:7680].reshape(32, 48), flat[7680:].reshape(32, 48)
            writer.add(safe(Frame(i, i, 1, Fraction(1, 5), planes, "yuv420p", Colour())))
    return path
