"""Speech made by espeak-ng, at 16 kHz: small real things to hear."""

from __future__ import annotations

import io
import shutil
import subprocess
import wave
from functools import cache

import numpy as np
import pytest
import soxr

from facedouble.types import Floats
from facedouble.voice.code import SPEECH_RATE
from facedouble.voice.listen import LOOK


@cache
def say(text: str, size: float = 1.0, voice: str = "en-us", pitch: int = 50) -> Floats:
    """(N,) float32 at a common loudness. size: of the speaker, for espeak's voices are all one person's to the encoder."""
    program = shutil.which("espeak-ng")
    if program is None:
        pytest.skip("espeak-ng is not installed")
    done = subprocess.run([program, "-v", voice, "-p", str(pitch), "--stdout", text], capture_output=True, check=True)
    with wave.open(io.BytesIO(done.stdout)) as file:
        raw = np.frombuffer(file.readframes(1 << 30), np.int16).astype(np.float32) / 32768
        sound = np.asarray(soxr.resample(raw, file.getframerate() * size, SPEECH_RATE), np.float32)
    return sound * np.float32(0.05 / np.sqrt(np.mean(sound**2)))


def pause(seconds: float, seed: int = 0) -> Floats:
    """Faint noise."""
    return np.random.default_rng(seed).normal(0, 1e-4, round(seconds * SPEECH_RATE)).astype(np.float32)


def looks(sound: Floats) -> Floats:
    """(n, LOOK) one every .2 s."""
    return np.stack([sound[k : k + LOOK] for k in range(0, len(sound) - LOOK + 1, 3200)])
