"""What is said, as the encoder of Whisper-base hears it: 512 numbers for every 20 ms.

The encoder was trained to write down speech in 99 languages, whoever speaks. Its input is short on purpose: padded by half a
second instead of to 30 s, it is five to eight times faster and hears the same.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np

from facedouble.errors import ModelError
from facedouble.models.install import locate
from facedouble.models.registry import WHISPER
from facedouble.types import Doubles, Floats

WIDTH: Final = 512
RATE: Final = 16_000  # Hz
UNIT: Final = 320  # samples: 20 ms
LONGEST: Final = 28 * RATE  # samples that are heard at once; the encoder takes 30 s
WINDOW: Final = 400  # samples
STEP: Final = 160  # samples
BANDS: Final = 80
TAIL: Final = 50  # frames of silence after the sound

Content = Callable[[Floats], Floats]
"""(N,) float32 at 16 kHz -> (ceil(N / 320), 512) float32."""


def load_content(directory: Path | None = None) -> Content:
    """Load the encoder; ModelError if a file of it is missing or altered. One thread at a time may call it."""
    try:
        import ctranslate2
    except ImportError as error:
        raise ModelError(f"ctranslate2 is missing: install it again ({error})") from error
    first, second, config, words = (locate(name, directory).read_bytes() for name in WHISPER)
    files = {"model.bin": first + second, "config.json": config, "vocabulary.txt": words}
    try:
        model: Any = ctranslate2.models.Whisper("whisper", compute_type="int8", intra_threads=1, files=files)
    except (RuntimeError, ValueError) as error:
        raise ModelError("Whisper-base cannot be started: run `facedouble models install`; `revoice` and `mute` work without"
                         ) from error

    def hear(sound: Floats) -> Floats:
        rows = [_encode(sound[at:at + LONGEST]) for at in range(0, len(sound), LONGEST)]
        return np.concatenate(rows) if rows else np.zeros((0, WIDTH), np.float32)

    def _encode(sound: Floats) -> Floats:
        bands = log_mel(sound)
        more = TAIL + bands.shape[1] % 2  # the encoder halves the frames
        padded = np.pad(bands, ((0, 0), (0, more)), constant_values=float(bands.min()))
        heard = np.array(model.encode(ctranslate2.StorageView.from_array(np.ascontiguousarray(padded[None]))))[0]
        return np.asarray(heard[:-(-len(sound) // UNIT)], np.float32)

    return hear


def log_mel(sound: Floats) -> Floats:
    """Whisper's log-mel spectrogram (80, ceil(N / 160) + 1) of (N,) samples at 16 kHz (openai/whisper, audio.py)."""
    padded = np.pad(np.pad(sound.astype(np.float32), (0, STEP)), WINDOW // 2, "reflect" if len(sound) > WINDOW else "constant")
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::STEP]
    window = np.hanning(WINDOW + 1)[:-1].astype(np.float32)
    power = np.abs(np.fft.rfft(frames * window, axis=1)).astype(np.float32) ** 2
    bands = np.log10(np.maximum(power[:-1] @ _FILTERS.T, 1e-10))
    return np.asarray(((np.maximum(bands, bands.max() - 8) + 4) / 4).T, np.float32)


def _hertz(mel: Doubles) -> Doubles:
    """Slaney's mel scale: straight to 1 kHz, 15 mel; 27 steps to each factor of 6.4 above."""
    return np.where(mel < 15, mel * 200 / 3, 1000 * 6.4 ** ((mel - 15) / 27))


def _filters() -> Floats:
    """Slaney's triangular filters (80, 201), each of area one, 0 to 8 kHz."""
    top = 15 + 27 * np.log(RATE / 2 / 1000) / np.log(6.4)
    edges = _hertz(np.linspace(0, top, BANDS + 2))
    bins = np.linspace(0, RATE / 2, WINDOW // 2 + 1)
    rise = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    fall = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    area = 2 / (edges[2:] - edges[:-2])
    return np.asarray(np.maximum(0, np.minimum(rise, fall)) * area[:, None], np.float32)


_FILTERS: Final = _filters()
