"""A double alone in the middle of a plain picture, for what is measured on the double itself. No witness takes part."""

from __future__ import annotations

import numpy as np

from facedouble.morphable import layout
from facedouble.morphable.semantics import semantics
from facedouble.protect.drive import Performance, place
from facedouble.protect.face import area, render_face
from facedouble.raster import blur, display
from facedouble.types import Array, ClipCode, Double, FaceCode, Floats

FACE = 300.0  # px, ear to ear
SIDE = 640  # px of the picture
GREY = 0.25  # of the picture around the face, linear


def self_clip(double: Double) -> ClipCode:
    """The clip code of a double that plays itself."""
    n = double.neutral.astype(np.float64)
    s = semantics(n[None])
    oval = n[layout.OVAL][:, :2]
    x, y = oval[:, 0], oval[:, 1]
    area_ = float(abs(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))) / 2)
    return ClipCode(float(s.width[0]), float(n[152, 1] - n[168, 1]), float(np.linalg.norm(n[33] - n[133])), area_,
                    float(y.max() + y.min()) / 2, (0.0, 0.0), (1.0, 1.0),
                    (float(double.gaze_middle[0]), float(double.gaze_middle[1])), 0.0, 0.0)


def rest(double: Double) -> FaceCode:
    """The double at rest in the middle of the picture, looking at the camera, lit from there."""
    n = double.neutral
    light = np.zeros(69, np.float32)
    light[:3] = 0.36
    light[9:12] = -0.10  # from the camera
    width = float(np.linalg.norm(n[234, :2] - n[454, :2]))
    middle = np.array([0.5, *double.gaze_middle[:1], 0.5, *double.gaze_middle[1:]], np.float32)
    where = np.array([SIDE / 2, SIDE * 0.45, 0], np.float32)
    return FaceCode(FACE / width, np.zeros(3, np.float32), where, np.zeros(32, np.float32),
                    np.ones(2, np.float32), np.zeros(9, np.float32), middle, light)


def resting(double: Double) -> Performance:
    """A double that plays itself, at rest."""
    return Performance((rest(double),), self_clip(double), double)


def draw_alone(at_rest: Performance, code: FaceCode | None = None) -> tuple[Floats, Array] | None:
    """The picture (SIDE, SIDE, 3) display RGB and the mesh (468, 3) px in it; None if the face is not in the picture.

    at_rest: as of `resting`; code: what is played instead.
    """
    code = at_rest.codes[0] if code is None else code
    stage = at_rest.playing((code,))
    mesh = place(stage.mesh(0), code, stage.to)
    where = area(mesh, mesh, SIDE, SIDE)
    if where is None:
        return None
    drawn = render_face(stage, 0, mesh, where, margin=6)
    h, w = drawn.ids.shape
    x, y = where.x0 + drawn.x, where.y0 + drawn.y
    picture = np.full((SIDE, SIDE, 3), GREY, np.float32)
    solid = drawn.ids[..., None] >= 0
    inside = blur(solid.astype(np.float32), 1.5)[..., None]
    skin = np.median(drawn.light[drawn.ids >= 0], 0) * 0.8
    part = picture[y : y + h, x : x + w]
    part += (np.where(solid, drawn.light, skin) - part) * inside
    return display(picture), mesh
