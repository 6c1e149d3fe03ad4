"""The path of a take made into what can be spoken: pieces without a pause, each smooth, stretched within limits."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.signal import savgol_filter

from facedouble.types import Array, Bools, Doubles, Ints, Value
from facedouble.voice.align import Path
from facedouble.voice.front import FRAME_RATE, Front

SLOWEST: Final = 2.2  # the most a stretch of speech is drawn out
FASTEST: Final = 0.45  # the most it is pressed together
_SMOOTH: Final = 17  # frames: 85 ms over which the path is taken for straight
_BREAK: Final = 30  # frames of the take within one frame of the guide that are a pause of the take's own
_SHORTEST: Final = 8  # frames of a piece: 40 ms
_KNOT: Final = 2  # frames between knots: 10 ms
_NEAR: Final = 6  # frames: onsets are drawn together within 30 ms
_AROUND: Final = 30  # frames: what is compared on both sides when they are, 150 ms
_SPAN: Final = 0.25  # s over which stretch is told


@dataclass(frozen=True)
class Piece(Value):
    """Speech without a pause: guide (K,) and take (K,) float64 s, both rising; between the knots straight lines."""

    guide: Doubles
    take: Doubles

    def check(self) -> None:
        if len(self.guide) < 2 or self.guide.shape != self.take.shape:
            raise ValueError("a piece has two knots or more, on both sides")
        if not ((np.diff(self.guide) > 0).all() and (np.diff(self.take) > 0).all()):
            raise ValueError("time does not go back")

    def stretch(self) -> tuple[float, float]:
        """Least and most stretch over a quarter of a second, or over all of a shorter piece."""
        reach = min(_SPAN, float(self.guide[-1] - self.guide[0]))
        starts = np.arange(self.guide[0], self.guide[-1] - reach + 1e-9, 0.02)
        each = reach / (np.interp(starts + reach, self.guide, self.take) - np.interp(starts, self.guide, self.take))
        return float(each.min()), float(each.max())


def pieces(path: Path, guide: Front, take: Front) -> tuple[Piece, ...]:
    """What is spoken where, from a path in frames of 5 ms."""
    at = _partners(path.pairs, guide.quiet, len(guide.level))
    made: list[Piece] = []
    after = 0.0
    for start, stop in runs(np.isfinite(at)):
        cuts = [start, *(start + 1 + np.flatnonzero(np.diff(at[start:stop]) > _BREAK)), stop]
        for a, b in pairwise(cuts):
            if b - a < _SHORTEST:
                continue
            line = _drawn(at[a:b], int(a), guide, take)
            line = np.maximum(line, after)
            if line[-1] - line[0] < _SHORTEST * FASTEST:
                continue
            made.append(_piece(line, int(a)))
            after = float(line[-1])
    return tuple(made)


def _partners(pairs: Ints, quiet: Bools, frames: int) -> Doubles:
    """(frames,) middle frame of the take of each frame of the guide, NaN where the guide pauses."""
    first, last = np.full(frames, np.inf), np.full(frames, -np.inf)
    np.minimum.at(first, pairs[:, 0], pairs[:, 1])
    np.maximum.at(last, pairs[:, 0], pairs[:, 1])
    met = np.flatnonzero(np.isfinite(first))
    # where the take pauses on its own, the frame before it is meant, and the next begins behind
    middle = np.where(last - first > _BREAK, first, (first + last) / 2)[met]
    made: Doubles = np.where(quiet, np.nan, np.interp(np.arange(frames), met, middle))
    return made


def runs(on: Bools) -> list[tuple[int, int]]:
    """Half-open spans where it holds."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], on.astype(np.int8), [0]])))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def limited(line: Doubles) -> Doubles:
    """The line with steps of 1 / SLOWEST to 1 / FASTEST only: as near as two walks, from both ends, come to it."""
    low, high = 1 / SLOWEST, 1 / FASTEST
    there, back = line.copy(), line.copy()
    for k in range(1, len(line)):
        there[k] = min(max(line[k], there[k - 1] + low), there[k - 1] + high)
    for k in range(len(line) - 2, -1, -1):
        back[k] = max(min(line[k], back[k + 1] - low), back[k + 1] - high)
    made: Doubles = (there + back) / 2
    return made


def _drawn(at: Doubles, start: int, guide: Front, take: Front) -> Doubles:
    """One piece of the path, smooth, its onsets on those of the take, within the limits."""
    size = min(_SMOOTH, len(at) - (len(at) + 1) % 2)
    line = savgol_filter(at, size, 1) if size >= 5 else at
    return limited(line + _onsets(line, start, guide, take))


def _onsets(line: Doubles, start: int, guide: Front, take: Front) -> Doubles:
    """(L,) frames by which the take's onsets lie behind where the line says: where they agree well, else nothing."""
    lags = np.arange(-_NEAR, _NEAR + 1)
    mine = guide.flux[start : start + len(line)]
    frames = np.arange(len(take.flux))
    theirs = np.stack([np.interp(line + lag, frames, take.flux) for lag in lags])
    width = _AROUND / 2

    def mean(rows: Array) -> Doubles:
        return np.asarray(gaussian_filter1d(np.asarray(rows, np.float64), width, axis=-1, mode="constant"))

    a, b = mine - mean(mine), theirs - mean(theirs)
    fit = mean(a * b) / np.sqrt(mean(a * a) * mean(b * b) + 1e-6)
    best = fit.argmax(0)
    sure: Any = np.clip((fit.max(0) - 0.4) / 0.3, 0, 1) * ((best > 0) & (best < 2 * _NEAR))
    weight = mean(sure)
    drawn: Doubles = mean(sure * lags[best]) / np.maximum(weight, 1e-3)
    return np.asarray(drawn * np.clip(weight * 2, 0, 1))


def _piece(line: Doubles, start: int) -> Piece:
    at = np.arange(len(line))
    knots = np.unique(np.append(at[::_KNOT], at[-1]))
    rising = np.maximum.accumulate(line[knots] + np.arange(len(knots)) * 1e-6)
    return Piece((knots + start + 0.5) / FRAME_RATE, (rising + 0.5) / FRAME_RATE)
