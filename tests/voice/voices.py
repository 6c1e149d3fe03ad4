"""A small voice made of numbers, for tests that need a file and no sound."""

from __future__ import annotations

import numpy as np

from facedouble.types import Consent, Floats
from facedouble.voice.volunteer import VoiceDouble, named

CONSENT = Consent("V7", ("film", "test"), "2026-01-31", "2030-01-01", "told in person")


def arrays(units: int = 5, seed: int = 0) -> dict[str, Floats]:
    rng = np.random.default_rng(seed)

    def some(*shape: int) -> Floats:
        return rng.normal(size=shape).astype(np.float32)

    return {"voice": some(3), "readout": some(4, 7, 5), "real": some(units, 4, 5), "predicted": some(units, 4, 5),
            "voicing": np.abs(some(units)), "spread": np.abs(some(5)), "f0": some(2), "prints": some(3, 8)}


def voice(seed: int = 0) -> VoiceDouble:
    return named(CONSENT, 48_000, 31.5, arrays(seed=seed))
