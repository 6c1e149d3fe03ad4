"""How a landmarker answers to a double's lips: gaps are drawn, measured, and the answer kept with the double.

The double's picture alone decides this; no witness takes part. It makes the witness' measured opening come out as
measured, whatever the double's lips do to the landmarker. The same was tried for lids and for vertical gaze: the
landmarker hardly answers there, so its inverse overdrives the eyes.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np

from facedouble.morphable.gestures import JAW_SHARE, LIP_PROFILE, open_mouth
from facedouble.morphable.pose import canonical
from facedouble.morphable.semantics import semantics
from facedouble.morphable.topology import topology
from facedouble.pipeline.alone import draw_alone, resting
from facedouble.pipeline.sight import Pair
from facedouble.types import Array, Double, FaceCode, Floats

LOOKS = 3  # times that the landmarker sees each picture: it follows from one to the next
LIPS = np.array([0, 0.02, 0.05, 0.08, 0.12, 0.17, 0.23, 0.30, 0.40])
LEAST_RISE = 0.25  # of the drawn step: a flatter answer is noise


class _Mirror:
    """Draws a double alone and measures it."""

    def __init__(self, double: Double, pair: Pair) -> None:
        self.rest, self.pair = resting(double), pair

    def shape(self, code: FaceCode) -> Array | None:
        """(1, 478, 3) canonical shape that the landmarker sees, or None."""
        drawn = draw_alone(self.rest, code)
        if drawn is None:
            return None
        seen = None
        for _ in range(LOOKS):
            seen = self.pair.marks(drawn[0])
        return None if seen is None else canonical(seen[0][None], topology().mean)[0]


def _rising(drawn: Array, measured: Array) -> Floats:
    """(n, 2) the response made strictly rising."""
    fixed = [float(measured[0])]
    for (d0, d1), m in zip(pairwise(drawn), measured[1:], strict=True):
        fixed.append(max(float(m), fixed[-1] + LEAST_RISE * (d1 - d0)))
    made: Floats = np.stack([drawn, np.array(fixed)], 1).astype(np.float32)
    return made


def calibrate(double: Double, pair: Pair) -> Floats:
    """The lip response (n, 2) of a double; what it had before where it cannot be measured."""
    mirror, mouth = _Mirror(double, pair), open_mouth()
    still = mirror.rest.codes[0]
    pair.reset()
    mirror.shape(still)  # the landmarker settles
    measured = []
    for gap in LIPS:
        shape = mirror.shape(replace(still, expression=(mouth * JAW_SHARE * gap).astype(np.float32),
                                     lips=(gap * LIP_PROFILE).astype(np.float32)))
        if shape is None:
            return double.lip_response
        measured.append(float(semantics(shape).gap[0]))
    return _rising(LIPS, np.array(measured))
