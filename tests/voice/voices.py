"""A small voice made of numbers, for tests that need a file and no sound."""

from __future__ import annotations

import numpy as np

from facedouble.types import Consent, Floats
from facedouble.voice.volunteer import COEFFICIENTS, VoiceDouble, named

CONSENT = Consent("V7", ("film", "test"), "2026-01-31", "2030-01-01", "told in person")


def arrays(units: int = 5, seed: int = 0) -> dict[str, Floats]:
    rng = np.random.default_rng(seed)

    def some(*shape: int) -> Floats:
        return rng.normal(size=shape).astype(np.float32)

    return {"mean": some(COEFFICIENTS), "spread": np.abs(some(COEFFICIENTS)), "units_content": some(units, 6),
            "units_envelope": some(units, 4 * 3), "units_noise": some(units, 4), "readout": some(7, 3), "f0": some(2),
            "prints": some(3, 8), "energy": np.sort(some(COEFFICIENTS))}


def voice(seed: int = 0) -> VoiceDouble:
    return named(CONSENT, 48_000, 31.5, arrays(seed=seed))
