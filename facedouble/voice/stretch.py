"""A take laid on another timing, as the volunteer spoke it: whole pitch periods are left out or said twice, nothing is remade.

WSOLA (Verhelst and Roelands 1993) that prefers to go on: samples are copied as they stand until the place drifts from where it
should be; then it jumps to where the wave looks alike, and not across an onset. At stretch 1 the take comes out as it went in.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit
from scipy.signal import butter, sosfiltfilt

from facedouble.types import Array, Bools, Floats
from facedouble.voice.timing import Piece, runs

_DRIFT: Final = 0.004  # s off the place at which a jump is looked for
_MOST: Final = 0.014  # s off the place at which it jumps, alike or not, onset or not
_REACH: Final = 0.010  # s around the place in which it looks: a period of 50 Hz
_ALIKE: Final = 0.018  # s of wave compared, around the jump
_FADE: Final = 0.008  # s of crossfade
_CHECK: Final = 0.001  # s between looks
_SURE: Final = 0.85  # correlation at which a jump is heard by nobody
_EDGE: Final = 0.012  # s in which a piece fades in and out
_KEPT: Final = 0.35  # s of the take's own pause that are kept beside a piece, with its breath
_RISE: Final = 8.0  # dB within 4 ms: an onset
_COARSE: Final = 8000  # samples/s in which a jump is looked for first


@njit(cache=True, nogil=True)
def _alike(x: Array, a: int, b: int, size: int, step: int) -> Any:
    """Correlation of `size` samples around a and around b, every `step`-th."""
    ab = aa = bb = 0.0
    for k in range(-size // 2, size - size // 2, step):
        p, q = x[a + k], x[b + k]
        ab += p * q
        aa += p * p
        bb += q * q
    return ab / np.sqrt(aa * bb + 1e-12)


@njit(cache=True, nogil=True)
def _walk(x: Array, low: Array, target: Array, hold: Array, pad: int, sizes: Array, out: Array) -> int:
    """Fill out (L,) from x; target (L,) is where each sample should come from, x and low being padded by `pad` on both sides.

    low: x without its high sounds, for the comparison. hold (len(x),): an onset is near. Returns the number of jumps.
    """
    drift, most, reach, size, fade, check, step = sizes
    place, n, jumps, free = round(target[0]) + pad, 0, 0, 0
    last, lowest = len(x) - size - 2, size
    while n < len(out):
        off = place - (target[n] + pad)
        wanted = abs(off) > drift and n >= free and (abs(off) > most or not hold[min(max(place, 0), len(x) - 1)])
        if wanted and n + fade < len(out) and lowest <= place < last:
            middle, best, at = round(target[n]) + pad, -2.0, -1
            for pass_ in range(2):
                stride = step if pass_ == 0 else 1
                first, final = (middle - reach, middle + reach) if pass_ == 0 else (at - step, at + step)
                for c in range(max(first, lowest), min(final, last) + 1, stride):
                    if abs(c - middle) > abs(off) - drift / 4 and abs(off) <= most:
                        continue
                    score = _alike(low, place, c, size, stride) - (0.1 * abs(c - middle) / reach if pass_ == 0 else 0.0)
                    if score > best:
                        best, at = score, c
                if at < 0:
                    break
                if pass_ == 0:
                    best = -2.0
            if at >= 0 and (_alike(low, place, at, size, step) > 0.85 or abs(off) > most) and (
                    not hold[at] or abs(off) > most):
                like = max(_alike(low, place, at, size, step), 0.0)
                for k in range(fade):
                    w = 0.5 - 0.5 * np.cos(np.pi * (k + 0.5) / fade)
                    norm = np.sqrt(w * w + (1 - w) * (1 - w) + 2 * w * (1 - w) * like)
                    out[n + k] = ((1 - w) * x[place + k] + w * x[at + k]) / norm
                n, place, jumps, free = n + fade, at + fade, jumps + 1, n + fade
                continue
        stop = min(n + check, len(out))
        while n < stop:
            out[n] = x[place] if 0 <= place < len(x) else 0.0
            n, place = n + 1, place + 1
    return jumps


def onsets(sound: Floats, rate: int) -> Bools:
    """(N,) where something begins at once, within 8 ms of it."""
    hop = max(rate // 500, 1)
    bright = np.diff(sound, prepend=sound[:1])
    count = -(-len(sound) // hop)
    power = np.pad(bright, (0, count * hop - len(sound))).reshape(count, hop).astype(np.float64) ** 2
    level = 10 * np.log10(power.mean(1) + 1e-9)
    before = np.pad(level, (5, 0), mode="edge")
    past = np.max([before[k : k + count] for k in range(4)], axis=0)  # the loudest of 4 to 10 ms ago
    begins = (level - past > _RISE) & (level > np.percentile(level, 95) - 35)
    near = np.convolve(begins, np.ones(9), "same") > 0
    made: Bools = np.repeat(near, hop)[: len(sound)]
    return made


def follow(take: Floats, rate: int, target: Array) -> Floats:
    """(L,) samples of the take (N,), each from near `target` (L,) in samples of the take. Outside of the take it is silent."""
    pad = int(rate * (_MOST + _ALIKE + _FADE)) * 2
    first, last = max(int(target[0]) - pad, 0), min(int(target[-1]) + pad, len(take))
    if last - first < 2:
        return np.zeros(len(target), np.float32)
    cut = np.ascontiguousarray(take[first:last])
    x = np.pad(cut, pad)
    hold = np.pad(onsets(cut, rate), pad)
    sos: Any = butter(2, min(3000, 0.45 * rate), fs=rate, output="sos")
    low = np.ascontiguousarray(sosfiltfilt(sos, x.astype(np.float64))).astype(np.float32)
    sizes = np.array([*(round(s * rate) for s in (_DRIFT, _MOST, _REACH, _ALIKE, _FADE, _CHECK)), max(rate // _COARSE, 1)])
    out = np.zeros(len(target), np.float32)
    _walk(x, low, target - first, hold, pad, sizes, out)
    return out


def lay(take: Floats, rate: int, pieces: tuple[Piece, ...], length: int, tone: Floats) -> Floats:
    """(length,) float32: the pieces of the take at the guide's times, its own pauses cut or filled with tone (length,)."""
    out, cover = np.zeros(length, np.float32), np.zeros(length, np.float32)
    gaps = _room(pieces, len(take) / rate, length / rate)
    for piece, (head, tail) in zip(pieces, gaps, strict=True):
        guide = np.concatenate([[piece.guide[0] - head - 1e-6], piece.guide, [piece.guide[-1] + tail + 1e-6]])
        source = np.concatenate([[piece.take[0] - head - 1e-6], piece.take, [piece.take[-1] + tail + 1e-6]])
        start, stop = max(round(guide[0] * rate), 0), min(round(guide[-1] * rate), length)
        if stop - start < 2:
            continue
        target = np.interp(np.arange(start, stop) / rate, guide, source) * rate
        edge = min(round(_EDGE * rate), (stop - start) // 2)
        shape = np.ones(stop - start, np.float32)
        ramp = (0.5 - 0.5 * np.cos(np.pi * (np.arange(edge) + 0.5) / max(edge, 1))).astype(np.float32)
        shape[:edge], shape[stop - start - edge :] = ramp, ramp[::-1]
        out[start:stop] += follow(take, rate, target) * shape
        cover[start:stop] += shape
    return np.asarray(out + tone * np.sqrt(np.clip(1 - cover**2, 0, 1)), np.float32)


def _room(pieces: tuple[Piece, ...], take: float, guide: float) -> list[tuple[float, float]]:
    """(before, after) s of each piece that are taken along: half of the shorter pause, of guide and take, but for the ends."""
    made: list[list[float]] = [[0.0, 0.0] for _ in pieces]
    if not pieces:
        return []
    made[0][0] = min(pieces[0].guide[0], pieces[0].take[0], _KEPT)
    made[-1][1] = min(guide - pieces[-1].guide[-1], take - pieces[-1].take[-1], _KEPT)
    for k in range(len(pieces) - 1):
        here, after = pieces[k], pieces[k + 1]
        gap = min(after.guide[0] - here.guide[-1], after.take[0] - here.take[-1])
        tail = min(gap * 0.4, _KEPT)  # a breath stands before what follows: the larger part goes there
        made[k][1], made[k + 1][0] = tail + _EDGE / 2, min(gap - tail, _KEPT) + _EDGE / 2
    return [(max(a, 0.0), max(b, 0.0)) for a, b in made]


def quiet_parts(pieces: tuple[Piece, ...], seconds: float) -> list[tuple[float, float]]:
    """Spans of the take, in s, in which nothing that is laid is spoken."""
    marks = np.ones(int(seconds * 100) + 1, bool)
    for p in pieces:
        marks[max(int(p.take[0] * 100) - 5, 0) : int(p.take[-1] * 100) + 6] = False
    return [(a / 100, b / 100) for a, b in runs(marks) if b - a >= 10]
