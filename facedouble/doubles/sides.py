"""What a volunteer's turned frames show better than the key frames: the cheeks, temples and jaw seen from the side.

Key frames look at the camera: the sides of a face are a few px wide in them, and smeared over much of the atlas. A frame that is
turned by 25 to 48 degrees has the pores, moles and stubble of its near side, and lends them to every key frame. Eyes, nose and
mouth, which move with the expression, stay the key frame's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from facedouble.doubles.capture import FOREIGN, KEY_PITCH, Material, Selection, facing, still, unlit
from facedouble.doubles.clean import border_dirt
from facedouble.morphable.pose import canonical, euler
from facedouble.morphable.semantics import FEATURE_STEPS, semantics
from facedouble.morphable.topology import ATLAS_HEIGHT, ATLAS_WIDTH, topology
from facedouble.raster import blur, push_pull, render, wide_blur
from facedouble.types import MESH_POINTS, Array, Floats, Value

LEAST_YAW, BEST_YAW, MOST_YAW = 25.0, 38.0, 48.0  # degrees: of a turned frame; beyond, landmarks collapse
PER_DEGREE = 0.15  # half feature steps: an expression that far from rest is as bad as a degree less turned
LATERAL = (0.40, 0.62)  # of half the face's width: nothing from a turned frame, and all of it
BETTER = (0.05, 0.30)  # cosine to the camera by which a turned frame has to see a place better
ALIKE = 0.40  # cosine from which a key frame sees the skin well enough to tell its tone
TONE_SIGMA = 24  # px of the atlas: what is smoother is tone, what is finer is detail
FAINT = 1e-2  # relative albedo
LOG_RANGE = (-4.6, 1.79)  # of albedo
SOFT = 3  # px of the atlas: where one ends and the other begins


@dataclass(frozen=True)
class Side(Value):
    """De-lit albedo (h, w, 3) of a turned frame, cosine to the camera (h, w), and skin (h, w) in [0, 1] without hair."""

    albedo: Floats
    facing: Floats
    skin: Floats


def turned_frames(material: Material, chosen: Selection) -> tuple[int, ...]:
    """Up to two frames of the material, one to each side: turned, still, level and with a face near rest."""
    shapes, _, rotations, _ = canonical(material.marks.astype(np.float64), topology().mean)
    angles = np.array([euler(r) for r in rotations])
    yaw = angles[:, 0]
    steps = semantics(shapes).features() / FEATURE_STEPS - semantics(chosen.neutral[None]).features()[0] / FEATURE_STEPS
    usable = still(material) & (np.abs(yaw) >= LEAST_YAW) & (np.abs(yaw) <= MOST_YAW)
    usable[list(chosen.frames)] = False
    foreign = np.zeros(len(yaw))
    for ids, _ in material.groups():
        usable[ids] &= np.abs(angles[ids, 1] - np.median(angles[ids, 1])) < KEY_PITCH
        foreign[ids] = 0 if chosen.frames[0] in ids else FOREIGN
    cost = np.abs(np.abs(yaw) - BEST_YAW) * PER_DEGREE + np.linalg.norm(steps, axis=1) + foreign
    found = [np.flatnonzero(usable & (np.sign(yaw) == way)) for way in (-1, 1)]
    return tuple(int(ids[np.argmin(cost[ids])]) for ids in found if len(ids))


def side(crop: Floats, marks: Array, light: Floats) -> Side:
    """What one turned frame has to lend. Arguments as of `capture.texture`."""
    albedo, inside, seen = unlit(crop, marks, light)
    dirt = border_dirt(albedo, inside, seen < BETTER[1])
    return Side(albedo, seen, blur((inside & ~dirt).astype(np.float32), 3) * (inside & ~dirt))


def with_sides(texture: Floats, marks: Array, sides: list[Side]) -> Floats:
    """A key frame's texture (h, w, 3) with the detail of turned frames at its sides; marks (478, 3) are the key frame's.

    The tone stays the key frame's: beyond what it shows, light that was fitted to a turned face is off by more than skin differs.
    """
    if not sides:
        return texture
    seen, out = facing(marks), texture
    tone = _tone(np.log(np.maximum(texture, FAINT)), (seen > ALIKE).astype(np.float32))
    for s in sides:
        share = wide_blur(_ramp(s.facing - seen, *BETTER) * _lateral() * s.skin, SOFT)[..., None]
        mine = np.log(np.maximum(s.albedo, FAINT))
        out = out + (np.exp(np.clip(tone + mine - _tone(mine, s.skin), *LOG_RANGE)) - out) * share
    return np.asarray(out, np.float32)


def _tone(log: Floats, known: Floats) -> Floats:
    """(h, w, 3) what is smooth of a log albedo where it is known (h, w), and what follows from it beyond."""
    near = wide_blur(known, TONE_SIGMA)
    smooth = wide_blur(log * known[..., None], TONE_SIGMA) / np.maximum(near, 1e-3)[..., None]
    return push_pull(smooth, ((near > 0.1) & (known > 0)).astype(np.float32))


@cache
def _lateral() -> Floats:
    """(h, w): 0 around eyes, nose and mouth, 1 at the sides of the face."""
    t = topology()
    mesh = np.concatenate([t.atlas, np.zeros((MESH_POINTS, 1))], 1)
    x = np.abs(t.mean[:MESH_POINTS, 0])[:, None]
    return _ramp(render(mesh, t.triangles, x / x.max(), ATLAS_HEIGHT, ATLAS_WIDTH)[1][..., 0], *LATERAL)


def _ramp(x: Array, low: float, high: float) -> Floats:
    p = np.clip((x - low) / (high - low), 0, 1)
    return np.asarray(p * p * (3 - 2 * p), np.float32)
