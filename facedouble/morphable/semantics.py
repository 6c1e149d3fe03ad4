"""Readable measures of a canonical shape: lip gap, mouth width, lids, brows; and which frames are at rest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from facedouble.morphable import layout
from facedouble.types import Array, Value

# how much of each feature is one step, for distances between expressions: note 3.6
FEATURE_STEPS = np.array([0.06, 0.06, 0.03, 0.03, 0.05, 0.05, 0.03, 0.03])
FEATURE_REGIONS = ((0, 1, 2, 3), (4, 6), (5, 7))  # mouth, right eye, left eye


@dataclass(frozen=True)
class Semantics(Value):
    """(T,) each, canonical units: lip gap, mouth width, upper-lip raise, corner raise, lid apertures over eye width, brows."""

    gap: Array
    width: Array
    lip_raise: Array
    corner_raise: Array
    right_aperture: Array
    left_aperture: Array
    right_brow: Array
    left_brow: Array

    def features(self) -> Array:
        """(T, 8) in the order of the fields."""
        return np.stack([self.gap, self.width, self.lip_raise, self.corner_raise, self.right_aperture,
                         self.left_aperture, self.right_brow, self.left_brow], 1)


def semantics(shapes: Array) -> Semantics:
    """Measure canonical shapes (T, >= 468, 3)."""

    def gap(a: int, b: int) -> Array:
        d: Array = np.linalg.norm(shapes[:, a] - shapes[:, b], axis=-1)
        return d

    def height(*ids: int) -> Array:
        h: Array = shapes[:, list(ids), 1].mean(-1)
        return h

    return Semantics(
        gap=(gap(13, 14) + gap(82, 87) + gap(312, 317)) / 3,
        width=gap(61, 291),
        lip_raise=height(1) - height(0, 37, 267),
        corner_raise=height(13) - height(61, 291),
        right_aperture=(gap(160, 144) + gap(159, 145) + gap(158, 153)) / 3 / gap(33, 133),
        left_aperture=(gap(387, 373) + gap(386, 374) + gap(385, 380)) / 3 / gap(263, 362),
        right_brow=height(159) - height(105, 66, 107),
        left_brow=height(386) - height(334, 296, 336),
    )


def asymmetry(shapes: Array, mean: Array, mirror: Array) -> tuple[Array, Array]:
    """(T,) each: how far lips and brows of canonical shapes (T, 478, 3) are from their mirror image, and from the mean shape."""
    lips = np.array(layout.UPPER_OUTER_LIP + layout.LOWER_OUTER_LIP + layout.UPPER_INNER_LIP + layout.LOWER_INNER_LIP
                    + layout.RIGHT_BROW + layout.LEFT_BROW)
    skew: Array = np.abs(shapes[:, lips] - shapes[:, mirror[lips]] * [-1, 1, 1]).mean((1, 2))
    far: Array = np.abs(shapes[:, lips] - mean[lips]).mean((1, 2))
    return skew, far


def rest_cost_of(gap: Array, width: Array, right_brow: Array, left_brow: Array, right_aperture: Array, left_aperture: Array,
                 skew: Array, far: Array, angles: Array) -> Array:
    """(T,) how far each frame is from a face at rest, from its semantics, its `asymmetry` and its angles (T, 3) in degrees."""
    cost: Array = gap / 0.05 + np.abs(width - np.median(width)) / 0.04
    for values in (right_brow, left_brow):
        cost = cost + np.abs(values - np.median(values)) / 0.03
    for values in (right_aperture, left_aperture):
        cost = cost + np.abs(values - np.percentile(values, 60)) / 0.04
    cost = cost + np.abs(angles[:, 0]) / 10 + np.abs(angles[:, 1] - np.median(angles[:, 1])) / 10
    total: Array = cost + (skew - skew.min()) / 0.012 + (far - far.min()) / 0.02
    return total


def rest_cost(s: Semantics, angles: Array, shapes: Array, mean: Array, mirror: Array) -> Array:
    """(T,) how far each frame is from a face at rest: about 1 for each noticeable departure."""
    return rest_cost_of(s.gap, s.width, s.right_brow, s.left_brow, s.right_aperture, s.left_aperture,
                        *asymmetry(shapes, mean, mirror), angles)


def least_cost(cost: Array) -> Array:
    """Indices of the 3 to 15 frames most at rest, best first, from the cost (T,) of each; of three frames all, as they come."""
    if len(cost) <= 3:
        return np.arange(len(cost))
    order: Array = np.argsort(cost)
    return order[: max(3, min(15, len(cost) // 8))]


def neutral_frames(s: Semantics, angles: Array, shapes: Array, mean: Array, mirror: Array) -> Array:
    """Indices of the 3 to 15 frames most at rest, best first."""
    return least_cost(rest_cost(s, angles, shapes, mean, mirror))
