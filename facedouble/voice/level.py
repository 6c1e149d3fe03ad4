"""How loud somebody speaks in a recording. An attacker knows people by it, so that a double speaks at one level in every film."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from facedouble.types import Doubles, Floats

LEVEL: Final = -26.0  # dB of full scale, mean power of a double's speech
LOOK: Final = 0.05  # s of which the power is taken at once
BELOW: Final = 30.0  # dB under the loudest looks: what is softer is no speech
LOUDEST: Final = 99.0  # percentile of the looks: who only says "yes" in a long turn speaks there, too
MOST: Final = 30.0  # dB of gain: an open input that only hums does not become speech
SILENT: Final = -90.0  # dB of full scale: where nothing is louder, nobody speaks


def speech_level(pieces: Iterable[Floats], rate: int) -> float | None:
    """Mean power of the speech in pieces (N,) of sound, dB of full scale; None if nobody speaks.

    All of a person's pieces together, so that loud and soft turns stay apart. Of them a number is kept for each LOOK.
    """
    return level_of([looks(piece, rate) for piece in pieces])


def looks(piece: Floats, rate: int) -> Doubles:
    """(L,) mean power of each LOOK of (N,); what is left over is left out."""
    size = max(round(LOOK * rate), 1)
    return np.asarray(np.square(piece[:len(piece) // size * size], dtype=np.float64).reshape(-1, size).mean(1))


def level_of(powers: Sequence[Doubles]) -> float | None:
    """The same of the looks (L,) at each piece."""
    power = np.concatenate([np.zeros(0), *powers])
    if not len(power):
        return None
    spoken = power[power >= np.percentile(power, LOUDEST) * 10 ** (-BELOW / 10)]
    level = 10 * float(np.log10(max(float(spoken.mean()), 1e-30)))
    return level if level > SILENT else None


def gain(level: float | None) -> float:
    """What a sound of that level is multiplied by, to be at LEVEL, or MOST dB louder."""
    return 1.0 if level is None else float(10 ** (min(LEVEL - level, MOST) / 20))
