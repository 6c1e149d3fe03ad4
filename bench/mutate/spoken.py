"""Voices for faults: words by espeak-ng, and a recording at another pitch, as long as before."""

from __future__ import annotations

import io
import shutil
import subprocess
import wave

import numpy as np
import soxr

from facedouble.types import Floats
from facedouble.voice.stretch import follow


def spoken(text: str, voice: str, rate: int) -> Floats:
    """(N,) at `rate`, as loud as -26 dB."""
    program = shutil.which("espeak-ng")
    if program is None:
        raise OSError("espeak-ng is not installed: apt-get install espeak-ng")
    done = subprocess.run([program, "-v", voice, "-s", "150", "--stdout", text], capture_output=True, check=True)
    with wave.open(io.BytesIO(done.stdout)) as file:
        raw = np.frombuffer(file.readframes(1 << 30), np.int16).astype(np.float32) / 32768
        sound = np.asarray(soxr.resample(raw, file.getframerate(), rate), np.float32)
    return sound * np.float32(0.05 / np.sqrt(np.mean(sound**2)))


def with_pitch(sound: Floats, rate: int, semitones: float) -> Floats:
    """(n, C) with pitch and formants moved, in its own time."""
    ratio = 2 ** (semitones / 12)
    made = []
    for c in range(sound.shape[1]):
        quick = soxr.resample(np.ascontiguousarray(sound[:, c]), rate * ratio, rate).astype(np.float32)
        made.append(follow(quick, rate, np.arange(len(sound)) / ratio))
    return np.stack(made, 1)
