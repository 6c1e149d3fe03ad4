"""Which moment of a volunteer's take belongs to which moment of the witness's speech: dynamic time warping, local, monotone.

Sakoe and Chiba 1978 with slopes from 1/3 to 3 for a few frames, in a band around a coarser path; a pause of either side may last
as long as it likes. Speech of the take before and after the words is left out at a price.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numba import njit

from facedouble.types import Array, Bools, Floats, Ints, Value
from facedouble.voice.front import FRAME_RATE, Front, matched

STEPS: Final = ((1, 1), (1, 2), (2, 1), (1, 3), (3, 1), (1, 0), (0, 1))
"""Frames of the guide and of the take that a move goes on. The last two are for pauses."""
_FAR: Final = 1e30
# Costs are in units of the distance between frames of speech taken at random; good pairs have about half of it.
_PAUSE_COST: Final = 0.05  # of a frame of a pause that has no partner
_SKIP_COST: Final = 0.9  # of a frame of the take's speech before or after the words
_BEND: Final = 0.05  # what a move off the diagonal costs beside its frames
_CELLS: Final = 30_000_000  # of the coarsest table, a byte each: 5 min of each side at 55 ms
_BAND: Final = 0.5  # s on both sides of the path before
_FINE_BAND: Final = 0.2  # s, of the last table
_RIDGE: Final = 300.0  # frames that stand against each direction of the map from voice to voice


@dataclass(frozen=True)
class Path(Value):
    """pairs (P, 2) int32: frame of the guide, frame of the take, 5 ms each, in order; cost (P,) of each,
    in units of the distance of frames taken at random."""

    pairs: Ints
    cost: Floats


@njit(cache=True, nogil=True)
def _fill(guide: Array, take: Array, low: Array, width: int, guide_pause: Array, take_pause: Array, head: Array, bend: float,
          moves: Array, last: Array) -> None:
    """Fill moves (n, width) uint8 with the move that ends in each cell, 255: none; last (width,) the sums of the last row.

    Row i holds the take's frames low[i] … low[i] + width - 1. head (m,) is what it costs to begin at a frame of the take.
    """
    n, m, deep = len(guide), len(take), guide.shape[1]
    total = np.full((4, width), _FAR)  # rings of the last four rows
    near = np.full((4, width), _FAR)
    for i in range(n):
        row, base = i % 4, low[i]
        for k in range(width):
            j = base + k
            total[row, k] = _FAR
            moves[i, k] = 255
            if j >= m:
                near[row, k] = _FAR
                continue
            s = 0.0
            for d in range(deep):
                x = guide[i, d] - take[j, d]
                s += x * x
            near[row, k] = np.sqrt(s)
        for k in range(width):
            j = base + k
            if j >= m:
                break
            here, best, move = near[row, k], _FAR, 255
            if i == 0:
                best, move = head[j] + here, 254
            for s in range(1, 4):  # s steps of the take for one of the guide
                if i >= 1:
                    b = k - s + base - low[i - 1]
                    if 0 <= b < width and k - s + 1 >= 0:
                        c = total[(i - 1) % 4, b] + 2 * near[row, k - s + 1] + bend * (s - 1)
                        for t in range(k - s + 2, k + 1):
                            c += near[row, t]
                        if c < best:
                            best, move = c, (0, 1, 3)[s - 1]
            for s in range(2, 4):  # s steps of the guide for one of the take
                if i >= s:
                    b = k - 1 + base - low[i - s]
                    if 0 <= b < width:
                        c, ok = total[(i - s) % 4, b] + here + bend * (s - 1), True
                        for t in range(1, s):
                            a = k + base - low[i - t]
                            if not 0 <= a < width:
                                ok = False
                                break
                            c += near[(i - t) % 4, a] * (2 if t == s - 1 else 1)
                        if ok and c < best:
                            best, move = c, (2, 4)[s - 2]
            if i >= 1:
                a = k + base - low[i - 1]
                if 0 <= a < width and total[(i - 1) % 4, a] + guide_pause[i] < best:
                    best, move = total[(i - 1) % 4, a] + guide_pause[i], 5
            if k >= 1 and total[row, k - 1] + take_pause[j] < best:
                best, move = total[row, k - 1] + take_pause[j], 6
            total[row, k] = best
            moves[i, k] = move
    last[:] = total[(n - 1) % 4]


def table(guide: Floats, take: Floats, low: Ints, width: int, pauses: tuple[Floats, Floats], head: Floats,
          tail: Floats) -> tuple[Ints, float]:
    """Pairs (P, 2) of the cheapest path through the band, and its cost. Empty where the band lets none through."""
    moves, last = np.empty((len(guide), width), np.uint8), np.empty(width)
    _fill(guide, take, low, width, *pauses, head, _BEND, moves, last)
    inside = low[-1] + np.arange(width) < len(take)
    ends = np.where(inside, last + tail[np.minimum(low[-1] + np.arange(width), len(take) - 1)], _FAR)
    k = int(ends.argmin())
    if ends[k] >= _FAR:
        return np.empty((0, 2), np.int32), _FAR
    i, j, found = len(guide) - 1, int(low[-1]) + k, []
    while True:
        found.append((i, j))
        move = int(moves[i, j - low[i]])
        if move == 254:
            break
        a, b = STEPS[move]
        if max(a, b) > 1 and min(a, b) == 1:  # the frames between, so that every frame of a stretched piece has a partner
            found.extend((i - min(t, a - 1), j - min(t, b - 1)) for t in range(1, max(a, b)))
        i, j = i - a, j - b
    return np.array(found[::-1], np.int32), float(ends[k])


def _pooled(rows: Array, size: int) -> Any:
    """Means of `size` rows."""
    starts = np.arange(0, len(rows), size)
    counts = np.diff(np.append(starts, len(rows)))
    return (np.add.reduceat(rows.astype(np.float32), starts) / counts.reshape(-1, *[1] * (rows.ndim - 1))).astype(np.float32)


def _unit(guide: Floats, take: Floats) -> np.float32:
    """Middle distance of frames that do not belong together."""
    if not len(guide) or not len(take):
        return np.float32(1)
    count = max(len(guide), len(take))
    a, b = np.arange(count) * 7919 % len(guide), np.arange(count) * 104729 % len(take)
    return np.float32(max(float(np.median(np.linalg.norm(guide[a] - take[b], axis=1))), 1e-3))


def _search(guide: Front, take: Front, size: int, before: Ints | None, band: float, turn: Floats | None) -> Ints:
    """The path in frames of 5 ms, searched in frames of `size` times that, within `band` s of the path before."""
    g, t = _pooled(guide.features, size), _pooled(take.features, size)
    if turn is not None:
        t = np.hstack([t, np.ones((len(t), 1), np.float32)]) @ turn
    gq, tq = _pooled(guide.quiet, size) > 0.5, _pooled(take.quiet, size) > 0.5
    unit = _unit(g[~gq], t[~tq])
    g, t = g / unit, t / unit
    if before is None:
        low, width = np.zeros(len(g), np.int32), len(t)
    else:
        reach = max(2, round(band * FRAME_RATE / size))
        rows = np.clip(before[:, 0] // size, 0, len(g) - 1)
        every = np.arange(len(g))
        first, final = np.full(len(g), len(t)), np.zeros(len(g), int)
        np.minimum.at(first, rows, before[:, 1] // size)
        np.maximum.at(final, rows, before[:, 1] // size)
        met = np.flatnonzero(first <= final)
        first, final = np.interp(every, met, first[met]).astype(int), np.interp(every, met, final[met]).astype(int)
        width = min(int((final - first).max()) + 2 * reach + 1, len(t))
        low = np.clip((first + final) // 2 - width // 2, 0, len(t) - width).astype(np.int32)
        low = np.maximum.accumulate(low).astype(np.int32)
    pauses = (np.where(gq, _PAUSE_COST, _FAR).astype(np.float32), np.where(tq, _PAUSE_COST, _FAR).astype(np.float32))
    skip = np.where(tq, 0.0, _SKIP_COST)
    head = np.concatenate([[0.0], np.cumsum(skip)[:-1]]).astype(np.float32)
    tail = (skip.sum() - np.cumsum(skip)).astype(np.float32)
    pairs, _ = table(g, t, low, width, pauses, head, tail)
    if not len(pairs):
        return pairs
    fine = pairs * size + size // 2
    return np.minimum(fine, [len(guide.level) - 1, len(take.level) - 1]).astype(np.int32)


def _turned(guide: Front, take: Front, path: Ints, said: Bools) -> Floats:
    """What brings the take's features nearest to the guide's where both speak."""
    both = path[said]
    return matched(take.features[both[:, 1]], guide.features[both[:, 0]], _RIDGE)


def align(guide: Front, take: Front) -> Path:
    """The path through both; empty where the slopes allow none."""
    size = 4
    while (len(guide.level) // size) * (len(take.level) // size) > _CELLS:
        size += 1
    path = _search(guide, take, size, None, 0, None)
    turn = None
    for step, band in ((2, _BAND), (2, _BAND), (1, _FINE_BAND)):
        if not len(path):
            return Path(path, np.empty(0, np.float32))
        said = ~guide.quiet[path[:, 0]] & ~take.quiet[path[:, 1]]
        if said.sum() * (path[1, 0] - path[0, 0] or 1) > 100:
            turn = _turned(guide, take, path, said)
        path = _search(guide, take, step, path, band, turn)
    rows = take.features[path[:, 1]]
    if turn is not None:
        rows = np.hstack([rows, np.ones((len(rows), 1), np.float32)]) @ turn
    unit = _unit(guide.features[~guide.quiet], take.features[~take.quiet])
    return Path(path, np.sqrt(((guide.features[path[:, 0]] - rows) ** 2).sum(1)).astype(np.float32) / unit)
