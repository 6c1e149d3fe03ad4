"""The original in the output, second after second: what `residual` finds, and what lasts too quietly for a single second."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.ndimage import uniform_filter1d

from facedouble.audit.residual import RATE, REACH, SILENT, piece, rows
from facedouble.types import Array, Bools, Doubles, Value

MARGIN: Final = REACH + 0.25  # s before and after a second that have to be given with it
CELL: Final = 0.07  # s beside what may be heard that are not searched: whitening spreads a sound over its cell
QUIET: Final = 0.005  # s of zeros that are silence
SHORT: Final = 0.016  # s
CLIP: Final = 4.0  # standard deviations
LONG: Final = 4  # s over which a quiet trace at one lag is summed
SAME: Final = 0.9  # correlation of two channels that hold one sound: then what one has more than the other is searched as well


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
        self.channels, self.sides = deque[Doubles](maxlen=LONG), deque[Doubles](maxlen=LONG)

    def add(self, original: Array, output: Array, passes: Bools) -> Trace:
        """A second of (n, C) and (n, D) at RATE with MARGIN to either side; passes (n,): where the original may be heard."""
        shut = _held(passes, round(CELL * RATE))
        before = _pieces(original, shut, 0.0, CELL)
        found = [_sought(before, _pieces(sound, shut, REACH, QUIET), held)
                 for sound, held in ((output, self.channels), (_sides(output), self.sides))]
        return Trace(max(t.single for t in found), max(t.lasting for t in found), max(found, key=lambda t: t.score).late)


def _sought(before: Doubles, after: Doubles, held: deque[Doubles]) -> Trace:
    """Of whitened channels (B, n) in others (A, n). held: sums of the seconds before, to which this one's are added."""
    if not len(before) or not len(after):
        held.clear()
        return Trace(0.0, 0.0, 0.0)
    found = rows(before, after)
    mean = found[:, :, ::2].mean(2)
    if held and held[0].shape != mean.shape:
        held.clear()
    held.append(mean * np.sqrt(found[:, :, ::2].shape[2]))
    lasting = np.abs(np.sum(held, 0)) / np.sqrt(len(held))
    peaks = np.abs(found).max((0, 1, 2))
    best = peaks if peaks.max() >= lasting.max() else lasting.max((0, 1))
    return Trace(float(peaks.max()), float(lasting.max()), (int(best.argmax()) - len(best) // 2) / RATE)


def _pieces(sound: Array, shut: Bools, reach: float, edge: float) -> Doubles:
    """Whitened channels (C, n), each that sounds once: both channels of a stereo stream are often one.

    Zero where nothing is sought, and where there is digital silence: there the filters' ringing would be whitened as well.
    edge: s beside that silence that are left out, too: two sounds that begin at the same moment share that.
    """
    made: list[tuple[Array, Doubles]] = []
    for one in sound.T:
        if one.any() and not any(np.array_equal(one, other) for other, _ in made):
            flat = piece(one, MARGIN, RATE, reach, False)
            cut = round((MARGIN - reach) * RATE)
            silent = _held(~_held(one != 0, round(QUIET * RATE)), round(edge * RATE))
            made.append((one, _even(np.where((shut | silent)[cut:cut + len(flat)], 0, flat))))
    return np.array([flat for _, flat in made])


def _sides(sound: Array) -> Doubles:
    """What channels have more than the first, (n, S): a voice in one of them lies bare there, under the new one elsewhere."""
    whole, found = sound.astype(np.float64), []
    for c in range(1, sound.shape[1]):
        first, other = whole[:, 0], whole[:, c]
        both, own, theirs = (float(x @ y) for x, y in ((first, other), (first, first), (other, other)))
        if both > SAME * np.sqrt(own * theirs) > 0:
            side = other - both / own * first
            if float(side @ side) > SILENT**2 * len(side):
                found.append(side)
    return np.stack(found, 1) if found else np.zeros((len(sound), 0))


def _even(flat: Doubles) -> Doubles:
    """(n,) with the same power in every `SHORT` of time as well, and clipped: a click in both sounds is no trace."""
    size = round(SHORT * RATE)
    power = uniform_filter1d(flat * flat, size, mode="constant")
    even = flat / np.sqrt(np.maximum(power, 0.01 * max(float(np.mean(flat * flat)), 1e-20)))
    return np.asarray(np.clip(even, -CLIP, CLIP))


def _held(on: Bools, reach: int) -> Bools:
    """(n,) where anything within `reach` samples is on."""
    count = np.concatenate([np.zeros(reach + 1, np.int64), np.cumsum(on), np.full(reach, on.sum())])
    return np.asarray(count[2 * reach + 1:] > count[:len(on)])
