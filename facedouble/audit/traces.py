"""The original in the output, second after second: what `residual` finds, and what lasts too quietly for a single second."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np

from facedouble.audit.residual import RATE, REACH, piece, rows
from facedouble.types import Array, Bools, Doubles, Value

MARGIN: Final = REACH + 0.25  # s before and after a second that have to be given with it
LONG: Final = 4  # s over which a quiet trace at one lag is summed


@dataclass(frozen=True)
class Trace(Value):
    """The likest place of one second: standard deviations of chance, and by how many s the output is late there.

    single: of windows of .2 s; lasting: of the last `LONG` seconds at one lag.
    """

    single: float
    lasting: float
    late: float

    @property
    def score(self) -> float:
        """The greater of the two."""
        return max(self.single, self.lasting)


class Traces:
    """Seconds in order. Holds sums of correlations, by lag and pair of channels, and no sound."""

    def __init__(self) -> None:
        self.held: deque[Doubles] = deque(maxlen=LONG)

    def add(self, original: Array, output: Array, passes: Bools) -> Trace:
        """A second of (n, C) and (n, D) at RATE with MARGIN to either side; passes (n,): where the original may be heard."""
        before, after = (_pieces(np.where(passes[:, None], 0, sound), reach) for sound, reach in ((original, 0.0), (output, REACH)))
        if not len(before) or not len(after):
            self.held.clear()
            return Trace(0.0, 0.0, 0.0)
        found = rows(before, after)
        mean = found[:, :, ::2].mean(2)
        if self.held and self.held[0].shape != mean.shape:
            self.held.clear()
        self.held.append(mean * np.sqrt(found[:, :, ::2].shape[2]))
        lasting = np.abs(np.sum(self.held, 0)) / np.sqrt(len(self.held))
        peaks = np.abs(found).max((0, 1, 2))
        best = peaks if peaks.max() >= lasting.max() else lasting.max((0, 1))
        return Trace(float(peaks.max()), float(lasting.max()), (int(best.argmax()) - len(best) // 2) / RATE)


def _pieces(sound: Array, reach: float) -> Doubles:
    """Whitened channels (C, n), each that sounds once: both channels of a stereo stream are often one."""
    made: list[Array] = []
    for c in range(sound.shape[1]):
        if sound[:, c].any() and not any(np.array_equal(sound[:, c], other) for other in made):
            made.append(sound[:, c])
    return np.array([piece(sound, MARGIN, RATE, reach, False) for sound in made])
