"""Expressions made from the basis without anybody's face: for calibration and generated clips."""

from __future__ import annotations

import numpy as np

from facedouble.morphable import layout
from facedouble.morphable.topology import topology
from facedouble.types import Array

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
