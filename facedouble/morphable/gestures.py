"""Expressions made from the basis without anybody's face: for calibration and generated clips."""

from __future__ import annotations

import numpy as np

from facedouble.morphable import layout
from facedouble.morphable.semantics import semantics
from facedouble.morphable.topology import topology
from facedouble.types import MESH_POINTS, Array

LIP_PROFILE = np.array([0.25, 0.6, 0.85, 1, 1, 1, 0.85, 0.6, 0.25], np.float32)  # of the gap, from corner to corner
JAW_SHARE = 0.8  # canonical units of jaw per unit of lip gap


def open_mouth() -> Array:
    """(32,) expression that lowers jaw and lower lip by one canonical unit: least squares on the mouth's basis."""
    t = topology()
    goal = np.zeros((468, 3))
    y = t.mean[:468, 1]
    below = np.clip((y - t.mean[13, 1]) / (t.mean[152, 1] - t.mean[13, 1]), 0, 1)
    lower = np.isin(np.arange(468), layout.LOWER_INNER_LIP[1:-1] + layout.LOWER_OUTER_LIP[1:-1])
    goal[:, 1] = np.where(lower, 1.0, np.sqrt(below) * (y > t.mean[14, 1]))
    found = np.zeros(32)
    found[:16] = np.linalg.lstsq(t.basis[:16].reshape(16, -1).T, goal.ravel(), rcond=None)[0]
    return found


JAW_CLOSING = 0.4  # of an open mouth at rest is closed by the jaw, the rest lip by lip
AT_REST = 0.015  # canonical lip gap of closed lips, as a landmarker sees them


def lips_closed(shape: Array) -> Array:
    """A canonical shape (478, 3) with its lips closed, for a volunteer whose lips part at rest; otherwise as it is."""
    gap = float(semantics(shape[None]).gap[0])
    closed = np.array(shape, np.float64)
    if gap <= 2 * AT_REST:
        return closed
    closed[:MESH_POINTS] -= np.tensordot(open_mouth() * JAW_SHARE * JAW_CLOSING * gap, topology().basis, 1)
    up, low = layout.UPPER_INNER_LIP[1:-1], layout.LOWER_INNER_LIP[1:-1]
    left = np.maximum(closed[low, 1] - closed[up, 1] - AT_REST, 0)
    for inner, outer, share in ((up, layout.UPPER_OUTER_LIP[1:-1], 0.35), (low, layout.LOWER_OUTER_LIP[1:-1], -0.65)):
        closed[inner, 1] += share * left
        closed[outer, 1] += share * left * 0.7
    return closed
