"""Damp what a person's motion gives away: asymmetry, restless brows, the rhythm of the blinks. Speech and head stay as they are.

Works on codes alone. Head pose cannot be damped: hair, ears and shoulders stay the witness's own and have to fit the face.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy.ndimage import median_filter

from facedouble.morphable.topology import topology
from facedouble.types import EXPRESSION, LIP_GAPS, MESH_POINTS, Array, ClipCode, Floats

EXPRESSIONS = slice(7, 7 + EXPRESSION)
LIDS = slice(7 + EXPRESSION, 9 + EXPRESSION)
LIPS = slice(9 + EXPRESSION, 9 + EXPRESSION + LIP_GAPS)
BROWS = slice(16, EXPRESSION)  # of the expression: the regions of the two eyes
BROW_SHARE = 0.4  # of the brows' motion that full calm takes away
SHUT = 0.62  # of the resting aperture: a blink
REST_SPAN = 1.0  # s over which the lids' rest is looked for
AROUND = 2  # frames beside a blink that belong to it
INTERVAL, SPREAD, LEAST_INTERVAL = 4.0, 0.35, 1.0  # s, log units, s: how often people blink in talk (Bentivoglio et al. 1997)
BLINK = np.array([0.75, 0.3, 0.05, 0.1, 0.4, 0.7, 0.9])  # aperture over rest at 25 frames/s


@cache
def mirroring() -> Array:
    """(32, 32) what an expression becomes when the face is mirrored."""
    t = topology()
    flipped = t.basis[:, t.mirror[:MESH_POINTS]] * [-1, 1, 1]
    regions = np.repeat([0, 1, 2], [16, 8, 8])
    twin = np.array([0, 2, 1])  # the right eye's region becomes the left eye's
    found = np.zeros((EXPRESSION, EXPRESSION))
    for i in range(EXPRESSION):
        for j in range(EXPRESSION):
            if twin[regions[i]] == regions[j]:
                found[j, i] = (flipped[i] * t.basis[j]).sum()
    return found


def blinks(lids: Array, rest: Array) -> Array:
    """(T,) bool: both lids (T, 2) under SHUT of their rest (T, 2)."""
    shut: Array = (lids / np.maximum(rest, 1e-3)).mean(1) < SHUT
    return shut


def _rest(lids: Array, rate: float) -> Array:
    """(T, 2) the lids without their blinks: a running median."""
    window = max(3, round(REST_SPAN * rate)) | 1
    still: Array = np.stack([median_filter(side, window, mode="nearest") for side in lids.T], 1)
    return still


def _schedule(frames: int, rate: float, rng: np.random.Generator) -> list[int]:
    """Frames at which blinks begin, as nobody's in particular."""
    found: list[int] = []
    at = 0.0
    while True:
        at += max(LEAST_INTERVAL, float(INTERVAL * np.exp(rng.normal(0, SPREAD))))
        if round(at * rate) >= frames:
            return found
        found.append(round(at * rate))


def calmed(codes: Array, clip: ClipCode, strength: float, rate: float, seed: int) -> Floats:
    """Codes (T, 123) with motion damped by strength 0 to 1.

    Asymmetry of the expression falls by that share, the brows' motion by 40 % of it. From 0.5 on the blinks come at
    intervals drawn from `seed` instead of the witness's own.
    """
    out = np.array(codes, np.float32)
    if strength <= 0 or len(out) == 0:
        return out
    expression = out[:, EXPRESSIONS].astype(np.float64)
    expression += strength * 0.5 * (expression @ mirroring().T - expression)
    middle = np.median(expression, 0)
    expression[:, BROWS] = middle[BROWS] + (expression - middle)[:, BROWS] * (1 - BROW_SHARE * strength)
    out[:, EXPRESSIONS] = expression
    out[:, LIPS] += strength * 0.5 * (out[:, LIPS][:, ::-1] - out[:, LIPS])
    lids = out[:, LIDS].astype(np.float64)
    rest = _rest(lids, rate)
    if strength >= 0.5:
        lids = _retimed(lids, rest, np.array(clip.lids_closed), rate, np.random.default_rng(seed))
    even = lids / np.maximum(rest, 1e-3)
    even += strength * (even.mean(1, keepdims=True) - even)
    out[:, LIDS] = even * rest
    return out


def _retimed(lids: Array, rest: Array, closed: Array, rate: float, rng: np.random.Generator) -> Array:
    shut = blinks(lids, rest)
    near = np.convolve(shut, np.ones(2 * AROUND + 1), "same") > 0
    out = np.where(near[:, None], rest, lids)
    shape = np.interp(np.arange(0, len(BLINK), 25 / rate), np.arange(len(BLINK)), BLINK)
    for start in _schedule(len(lids), rate, rng):
        stop = min(start + len(shape), len(lids))
        part = closed + (rest[start:stop] - closed) * shape[: stop - start, None]
        out[start:stop] = np.minimum(out[start:stop], part)
    return out
