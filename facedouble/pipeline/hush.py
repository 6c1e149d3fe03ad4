"""The mouth over a bleep: whose word is not heard may not be read from lips either."""

from __future__ import annotations

from typing import Final

import numpy as np

from facedouble.media.again import Marks
from facedouble.plan.plan import Plan
from facedouble.plan.voices import EASE, MOUTH
from facedouble.protect.drive import WEIGHT_WINDOW
from facedouble.types import CODE, Array, Bools, Doubles, FaceCode, Floats, MediaInfo, Rows

MOUTH_AND_JAW: Final = slice(CODE["expression"].start, CODE["expression"].start + 16)
LIGHT_DETAIL: Final = slice(CODE["light"].start + 27, CODE["light"].stop)  # it tells a shadow of an open mouth


def rests(plan: Plan, clip: str, info: MediaInfo, frames: int, marks: Marks | None) -> Doubles:
    """(frames,) how much a drawn mouth is at rest: 1 wherever a frame is seen in the window of a bleep, eased beside it."""
    rate = float(info.rate)
    begin = np.arange(frames) / rate
    if marks is not None and len(marks):  # phones film at a changing rate
        begin = (marks.rows["ticks"] - marks.rows["ticks"][0]) * float(info.time_base)
    end = np.append(begin[1:], begin[-1:] + 1 / rate)
    found = np.zeros(frames)
    for b in plan.bleeps:
        if b.clip == clip:
            start, stop = (b.start - MOUTH) / 1000, (b.stop + MOUTH) / 1000
            far = np.maximum(np.maximum(start - end, begin - stop), 0) / (EASE / 1000)
            found = np.maximum(found, 1 - np.minimum(far, 1))
    return np.asarray(np.round(found * found * (3 - 2 * found), 6), np.float64)


def near(rest: Doubles) -> Bools:
    """(frames,) where any frame is at rest that a drawing looks at."""
    reach = np.ones(2 * WEIGHT_WINDOW + 1)
    return np.asarray(np.convolve(rest > 0, reach)[WEIGHT_WINDOW : WEIGHT_WINDOW + len(rest)] > 0) if len(rest) else rest > 0


def stilled(codes: Array, rest: Doubles) -> Rows[FaceCode]:
    """Codes (T, 123) with the mouth at rest as far as `rest` (T,) says: lips closed, and nothing of how they were."""
    made: Floats = np.array(codes, np.float32)
    share = (1 - rest).astype(np.float32)[:, None]
    for part in (MOUTH_AND_JAW, CODE["lips"]):
        made[:, part] *= share
    free = np.flatnonzero(rest < 1)
    shut = np.flatnonzero(rest >= 1)
    for column in range(LIGHT_DETAIL.start, LIGHT_DETAIL.stop):
        made[shut, column] = np.interp(shut, free, made[free, column]) if len(free) else 0
    return Rows(made, FaceCode.of)
