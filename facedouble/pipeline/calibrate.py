"""How a landmarker answers to a double's lips: gaps are drawn, measured, and the answer kept with the double.

The double's picture alone decides this; no witness takes part. It makes the witness' measured opening come out as
measured, whatever the double's lips do to the landmarker. The same was tried for lids and for vertical gaze: the
landmarker hardly answers there, so its inverse overdrives the eyes.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np

from facedouble.morphable import layout
from facedouble.morphable.gestures import JAW_SHARE, LIP_PROFILE, open_mouth
from facedouble.morphable.pose import canonical
from facedouble.morphable.semantics import semantics
from facedouble.morphable.topology import topology
from facedouble.pipeline.sight import Pair
from facedouble.protect.drive import Performance, place
from facedouble.protect.face import area, render_face
from facedouble.raster import blur, display
from facedouble.types import Array, ClipCode, Double, FaceCode, Floats

FACE = 300.0  # px, ear to ear
SIDE = 640  # px of the picture
LOOKS = 3  # times that the landmarker sees each picture: it follows from one to the next
LIPS = np.array([0, 0.02, 0.05, 0.08, 0.12, 0.17, 0.23, 0.30, 0.40])
LEAST_RISE = 0.25  # of the drawn step: a flatter answer is noise


def _self_clip(double: Double) -> ClipCode:
    n = double.neutral.astype(np.float64)
    s = semantics(n[None])
    oval = n[layout.OVAL][:, :2]
    x, y = oval[:, 0], oval[:, 1]
    area_ = float(abs(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))) / 2)
    return ClipCode(float(s.width[0]), float(n[152, 1] - n[168, 1]), float(np.linalg.norm(n[33] - n[133])), area_,
                    float(y.max() + y.min()) / 2, (0.0, 0.0), (1.0, 1.0),
                    (float(double.gaze_middle[0]), float(double.gaze_middle[1])), 0.0, 0.0)


def _rest(double: Double) -> FaceCode:
    n = double.neutral
    light = np.zeros(69, np.float32)
    light[:3] = 0.36
    light[9:12] = -0.10  # from the camera
    width = float(np.linalg.norm(n[234, :2] - n[454, :2]))
    middle = np.array([0.5, *double.gaze_middle[:1], 0.5, *double.gaze_middle[1:]], np.float32)
    where = np.array([SIDE / 2, SIDE * 0.45, 0], np.float32)
    return FaceCode(FACE / width, np.zeros(3, np.float32), where, np.zeros(32, np.float32),
                    np.ones(2, np.float32), np.zeros(9, np.float32), middle, light)


class _Mirror:
    """Draws a double alone in the middle of a plain picture and measures it."""

    def __init__(self, double: Double, pair: Pair) -> None:
        self.double, self.pair, self.clip = double, pair, _self_clip(double)

    def shape(self, code: FaceCode) -> Array | None:
        """(1, 478, 3) canonical shape that the landmarker sees, or None."""
        stage = Performance((code,), self.clip, self.double)
        mesh = place(stage.mesh(0), code, stage.to)
        where = area(mesh, mesh, SIDE, SIDE)
        if where is None:
            return None
        out, ids, _, _ = render_face(stage, 0, mesh, where)
        picture = np.full((SIDE, SIDE, 3), 0.25, np.float32)
        inside = blur((ids >= 0).astype(np.float32), 1.5)[..., None]
        skin = np.median(out[ids >= 0], 0) * 0.8
        part = picture[where.y0 : where.y1, where.x0 : where.x1]
        face = np.where(ids[..., None] >= 0, out, skin)
        picture[where.y0 : where.y1, where.x0 : where.x1] = face * inside + part * (1 - inside)
        seen = None
        for _ in range(LOOKS):
            seen = self.pair.marks(display(picture))
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
    mirror, rest, mouth = _Mirror(double, pair), _rest(double), open_mouth()
    pair.reset()
    mirror.shape(rest)  # the landmarker settles
    measured = []
    for gap in LIPS:
        shape = mirror.shape(replace(rest, expression=(mouth * JAW_SHARE * gap).astype(np.float32),
                                     lips=(gap * LIP_PROFILE).astype(np.float32)))
        if shape is None:
            return double.lip_response
        measured.append(float(semantics(shape).gap[0]))
    return _rising(LIPS, np.array(measured))
