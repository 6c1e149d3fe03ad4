"""Volunteers' voices: recordings are heard and checked, a voice is made, cast against footage, and ranked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr

from facedouble.media.recording import blocks, recording
from facedouble.types import Floats
from facedouble.voice.code import SPEECH_RATE
from facedouble.voice.listen import Activity, Listener, Voiceprint
from facedouble.voice.material import Gauge, Recording


@dataclass(frozen=True)
class Ears:
    """The models that listen: `begin` gives a fresh speech detector."""

    begin: Callable[[], Activity]
    voiceprint: Voiceprint


def mono(parts: Iterator[Floats], rate: int) -> Iterator[Floats]:
    """Blocks (N, C) at any rate -> blocks (N,) at 16 kHz; what is no number is silence."""
    stream = soxr.ResampleStream(rate, SPEECH_RATE, 1, dtype="float32")
    for block in parts:
        yield stream.resample_chunk(np.nan_to_num(block, posinf=0, neginf=0).mean(1, dtype=np.float32))
    yield stream.resample_chunk(np.zeros(0, np.float32), last=True)


def hear(path: Path, ears: Ears) -> Recording:
    """Hear a file once, block by block; memory does not grow with its length but by some kB a minute."""
    source = recording(path)
    gauge, listener = Gauge(source.rate), Listener(ears.begin(), ears.voiceprint)

    def gauged() -> Iterator[Floats]:
        for block in blocks(source):
            gauge.add(block)
            yield block

    for sound in mono(gauged(), source.rate):
        listener.add(sound)
    return Recording(path.name, listener.done(), gauge.clipped, gauge.high)
