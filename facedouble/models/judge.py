"""Resemblyzer's speaker encoder, for the audit alone: whose voice a sound is like, as 256 numbers.

It conditions nothing, so that it can judge. A three-layer LSTM over mel bands, run with NumPy; the weights are read out of the
pinned file without torch (`torchfile`). Wan et al. 2018, Generalized end-to-end loss for speaker verification.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from facedouble.errors import ModelError
from facedouble.models import mel
from facedouble.models.install import locate
from facedouble.models.torchfile import tensors
from facedouble.types import Floats, Value

RATE: Final = 16_000  # samples/s
WINDOW, HOP, BANDS = 400, 160, 40  # samples; mel bands
PIECE: Final = 160  # frames: the net hears 1.6 s at a time
PER_SECOND: Final = 1.3  # pieces that begin in a second
LEAST_PIECE: Final = 0.75  # of a piece; a shorter last one is left out
QUIET: Final = 10 ** (-30 / 20)  # rms: what is quieter is raised to it
LAYERS, HIDDEN, EMBEDDING = 3, 256, 256
BATCH: Final = 32  # pieces at a time, so that memory does not grow with the length
SHAPES: Final[dict[str, tuple[int, ...]]] = {
    **{f"lstm.weight_ih_l{k}": (4 * HIDDEN, HIDDEN if k else BANDS) for k in range(LAYERS)},
    **{f"lstm.weight_hh_l{k}": (4 * HIDDEN, HIDDEN) for k in range(LAYERS)},
    **{f"lstm.bias_{way}_l{k}": (4 * HIDDEN,) for k in range(LAYERS) for way in ("ih", "hh")},
    "linear.weight": (EMBEDDING, HIDDEN), "linear.bias": (EMBEDDING,)}

Speaker = Callable[[Floats], Floats]
"""Sound (N,) float32 at 16 kHz, speech only -> embedding of who speaks, of length 1."""


@dataclass(frozen=True)
class Layer(Value):
    """One LSTM layer; the gates are in torch's order: input, forget, cell, output. into (I, 4 H), again (H, 4 H), bias (4 H,)."""

    into: Floats
    again: Floats
    bias: Floats

    def __call__(self, x: Floats) -> Floats:
        """(n, T, I) -> the hidden states (n, T, H)."""
        n, steps, _ = x.shape
        size = len(self.again)
        driven = x.reshape(n * steps, -1) @ self.into + self.bias
        driven = driven.reshape(n, steps, -1)
        h, c = np.zeros((n, size), np.float32), np.zeros((n, size), np.float32)
        out = np.empty((n, steps, size), np.float32)
        for t in range(steps):
            gates = driven[:, t] + h @ self.again
            i, f, g, o = (gates[:, k * size : (k + 1) * size] for k in range(4))
            c = _open(f) * c + _open(i) * np.tanh(g)
            h = _open(o) * np.tanh(c)
            out[:, t] = h
        return out


def _open(x: Floats) -> Floats:
    """The logistic function, by tanh, which cannot overflow."""
    return np.asarray(np.float32(0.5) * (np.tanh(np.float32(0.5) * x) + np.float32(1)), np.float32)


def judge(directory: Path | None = None) -> Speaker:
    """The judge of voices, ready to hear; ModelError if its file is missing or altered. A sound of no energy gives zeros."""
    path = locate("judge", directory)
    layers, weight, bias = _weights(path.read_bytes())
    taper = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)
    triangles = mel.bands(RATE, WINDOW, BANDS)

    def embed(pieces: Floats) -> Floats:
        x = pieces
        for layer in layers:
            x = layer(x)
        raw = np.maximum(x[:, -1] @ weight + bias, 0)
        return np.asarray(raw / np.maximum(np.linalg.norm(raw, axis=1, keepdims=True), 1e-9), np.float32)

    def listen(sound: Floats) -> Floats:
        heard = _level(np.ascontiguousarray(sound, np.float32))
        starts = _starts(len(heard))
        total = np.zeros(EMBEDDING, np.float32)
        for k in range(0, len(starts), BATCH):
            total += embed(np.stack([_piece(heard, s, taper, triangles) for s in starts[k : k + BATCH]])).sum(0)
        return np.asarray(total / max(float(np.linalg.norm(total)), 1e-9), np.float32) if heard.any() else total * 0

    return listen


def _weights(data: bytes) -> tuple[tuple[Layer, ...], Floats, Floats]:
    held = tensors(data, "model_state")
    for name, shape in SHAPES.items():
        if name not in held or held[name].shape != shape or not np.isfinite(held[name]).all():
            raise ModelError(f"the weights of the judge of voices are not what they have to be ({name}); install them again")
    layers = tuple(Layer(held[f"lstm.weight_ih_l{k}"].T, held[f"lstm.weight_hh_l{k}"].T,
                         held[f"lstm.bias_ih_l{k}"] + held[f"lstm.bias_hh_l{k}"]) for k in range(LAYERS))
    return layers, held["linear.weight"].T, held["linear.bias"]


def _level(sound: Floats) -> Floats:
    if sound.ndim != 1 or not np.isfinite(sound).all():
        raise ValueError("the judge of voices hears one channel of finite numbers")
    rms = float(np.sqrt(np.mean(sound.astype(np.float64) ** 2))) if len(sound) else 0.0
    return sound * np.float32(QUIET / rms) if 0 < rms < QUIET else sound


def _starts(samples: int) -> list[int]:
    """The first frames of the pieces; at least one piece, filled up with silence."""
    frames, step = -(-(samples + 1) // HOP), round(RATE / PER_SECOND / HOP)
    starts = list(range(0, max(1, frames - PIECE + step + 1), step))
    if len(starts) > 1 and (samples - starts[-1] * HOP) / (PIECE * HOP) < LEAST_PIECE:
        starts.pop()
    return starts


def _piece(sound: Floats, start: int, taper: Floats, triangles: Floats) -> Floats:
    """(PIECE, BANDS) from a frame on; a frame's middle is at its number times HOP, and there is silence outside."""
    first, last = start * HOP - WINDOW // 2, (start + PIECE - 1) * HOP + WINDOW // 2
    inside = sound[max(first, 0) : max(last, 0)]
    padded = np.pad(inside, (max(-first, 0), last - max(first, 0) - len(inside)))
    return mel.spectrogram(padded, taper, HOP, triangles)
