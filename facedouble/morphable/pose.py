"""Head pose: similarity between landmarks and the mean shape, on the rigid part of the face."""

from __future__ import annotations

import numpy as np

from facedouble.morphable.layout import RIGID
from facedouble.types import Array


def similarity(source: Array, target: Array) -> tuple[float, Array, Array]:
    """Scale, rotation (3, 3) and translation (3,) with scale * R @ source + t ~ target, least squares.

    Umeyama, IEEE TPAMI 13(4), 1991.
    """
    ms, mt = source.mean(0), target.mean(0)
    s, t = source - ms, target - mt
    u, d, v = np.linalg.svd(t.T @ s)
    fix = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ v))])
    rotation = (u * fix) @ v
    scale = float((d * fix).sum() / (s * s).sum())
    return scale, rotation, mt - scale * rotation @ ms


def canonical(marks: Array, mean: Array) -> tuple[Array, Array, Array, Array]:
    """Landmarks (T, 478, 3) px -> canonical shapes (T, 478, 3), scales (T,), rotations (T, 3, 3), translations (T, 3)."""
    shapes = np.empty(marks.shape)
    scales, rotations, shifts = np.empty(len(marks)), np.empty((len(marks), 3, 3)), np.empty((len(marks), 3))
    for i, m in enumerate(marks):
        s, r, t = similarity(mean[RIGID], m[RIGID])
        shapes[i], scales[i], rotations[i], shifts[i] = (m - t) @ r / s, s, r, t
    return shapes, scales, rotations, shifts


def euler(rotation: Array) -> tuple[float, float, float]:
    """Yaw, pitch and roll in degrees of a rotation (image axes: x right, y down, z away)."""
    yaw = np.degrees(np.arctan2(-rotation[2, 0], rotation[2, 2]))
    pitch = np.degrees(np.arcsin(np.clip(rotation[2, 1], -1, 1)))
    roll = np.degrees(np.arctan2(rotation[1, 0], rotation[0, 0]))
    return float(yaw), float(pitch), float(roll)
