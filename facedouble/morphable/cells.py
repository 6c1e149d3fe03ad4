"""Places spread evenly over the face, and how far a colour is from all that a face shows around such a place."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from scipy.spatial import ConvexHull

from facedouble.morphable import layout
from facedouble.morphable.topology import topology, vertex_normals
from facedouble.types import Array, Floats, Value

COLUMNS: Final = 26  # of the cylinder around the head
ROWS: Final = 28
FLOOR: Final = 0.006  # linear light added before the logarithm: black is as dark as that, and has no hue
HUE: Final = 0.20  # log ratios of channels, ...
DARKER: Final = 1.0  # ...log units under...
LIGHTER: Final = 0.5  # ...and over what the face shows: as far off is something else
FACING: Final = 0.15  # cosine to the camera under which a cell is not seen


@dataclass(frozen=True)
class Cells(Value):
    """The grid (ROWS, COLUMNS). inside: bool; of the n cells inside: corners (n, 3) vertices and their shares (n, 3).

    parts (k, ROWS, COLUMNS) bool: both eyes with their brows, the mouth; rim: cells beside the outline.
    """

    inside: Array
    corners: Array
    shares: Array
    parts: Array
    rim: Array

    def points(self, mesh: Array) -> Array:
        """(n, 2) where the cells are in a picture, of a mesh (>= 468, 2 or more) px."""
        made: Array = (mesh[self.corners, :2] * self.shares[..., None]).sum(1)
        return made

    def facing(self, mesh: Array) -> Array:
        """(n,) bool: cells of a mesh (>= 468, 3) that the camera sees."""
        turned: Array = -(vertex_normals(mesh)[self.corners, 2] * self.shares).sum(1) > FACING
        return turned


@dataclass(frozen=True)
class InFront(Value):
    """Of one frame: bounds of the hues of the face around each cell, low and high (ROWS, COLUMNS, 3); share (ROWS, COLUMNS)."""

    low: Floats
    high: Floats
    share: Floats


def _hull(points: Array, at: Array, margin: float) -> Array:
    """(n,) bool: UV places (n, 2) within `margin` of the convex hull of UV points."""
    sides = ConvexHull(points).equations
    inside: Array = (at @ sides[:, :2].T + sides[:, 2] <= margin).all(1)
    return inside


@cache
def cells() -> Cells:
    """The grid of this topology, once per process."""
    t, shape = topology(), (ROWS, COLUMNS)
    u, v = np.meshgrid((np.arange(COLUMNS) + 0.5) / COLUMNS, (np.arange(ROWS) + 0.5) / ROWS)
    at = np.stack([u, v], -1).reshape(-1, 2)
    corner, share = np.full((len(at), 3), -1), np.zeros((len(at), 3))
    for triangle in t.triangles:
        a, b, c = t.uv[triangle]
        sides = np.stack([b - a, c - a], 1)
        if abs(np.linalg.det(sides)) < 1e-9:
            continue
        rest = np.linalg.solve(sides, (at - a).T).T
        bary = np.stack([1 - rest.sum(1), rest[:, 0], rest[:, 1]], 1)
        hit = (bary >= -1e-6).all(1) & (corner[:, 0] < 0)
        corner[hit], share[hit] = triangle, bary[hit]
    inside = (corner[:, 0] >= 0).reshape(shape)
    hulls = ((layout.RIGHT_BROW + layout.RIGHT_UPPER_LID + layout.RIGHT_LOWER_LID, 0.02),
             (layout.LEFT_BROW + layout.LEFT_UPPER_LID + layout.LEFT_LOWER_LID, 0.02),
             (layout.UPPER_OUTER_LIP + layout.LOWER_OUTER_LIP, 0.035))
    parts = np.stack([_hull(t.uv[points], at, margin).reshape(shape) & inside for points, margin in hulls])
    around = np.pad(inside, 1)
    rim = inside & ~(around[:-2, 1:-1] & around[2:, 1:-1] & around[1:-1, :-2] & around[1:-1, 2:])
    return Cells(inside, corner[inside.ravel()], share[inside.ravel()], parts, rim)


def hues(light: Array) -> Array:
    """(..., 3) log level, log red over green, log blue over green of linear light (..., 3)."""
    logs = np.log(np.maximum(light, 0) + np.float32(FLOOR))
    out: Array = np.stack([logs.mean(-1), logs[..., 0] - logs[..., 1], logs[..., 2] - logs[..., 1]], -1)
    return out


def unlike(seen: Array, low: Array, high: Array) -> Array:
    """How far hues (..., 3) are outside of the bounds of a face (..., 3) each; over 1 is something else."""
    under, over = np.maximum(low - seen, 0), np.maximum(seen - high, 0)
    hue = np.hypot(under[..., 1] + over[..., 1], under[..., 2] + over[..., 2]) / HUE
    far: Array = np.maximum(hue, np.maximum(under[..., 0] / DARKER, over[..., 0] / LIGHTER))
    return far
