"""The committed statistics and what follows from them: triangles, UV atlas, rings, region weights."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from facedouble.morphable import layout
from facedouble.types import MESH_POINTS, Array, Value

ATLAS_WIDTH, ATLAS_HEIGHT, ATLAS_MARGIN = 640, 720, 20  # px
LIGHT_COLUMNS, LIGHT_ROWS = 6, 7
LIGHT_SIGMA = 0.11  # UV units


@dataclass(frozen=True)
class Topology(Value):
    """Everything that is the same for all faces.

    mean (478, 3); mirror (478,); skin (n, 3) triangles of the surface, mouth and eyes (n, 3) of the openings, `triangles`
    all of them in that order, outward; uv (468, 2) in [0, 1], atlas (468, 2) px; ring (468,) edges from the outline;
    weights (468, 3) share of the regions, normalised; basis (32, 468, 3); bend (5, 478, 3) of the pose terms;
    light_basis (468, 42) weights of the residual grid; skin_points ids of plain skin vertices.
    """

    mean: Array
    mirror: Array
    skin: Array
    mouth: Array
    eyes: Array
    triangles: Array
    uv: Array
    atlas: Array
    ring: Array
    weights: Array
    shares: Array
    basis: Array
    bend: Array
    light_basis: Array
    skin_points: Array


def light_weights(uv: Array) -> Array:
    """(n, 42) Gaussian weights of the residual grid's knots at UV points; not normalised."""
    u, v = np.meshgrid(np.linspace(0.08, 0.92, LIGHT_COLUMNS), np.linspace(0.05, 0.95, LIGHT_ROWS))
    knots = np.stack([u, v], -1).reshape(-1, 2)
    far = ((uv[:, None] - knots[None]) ** 2).sum(-1)
    w: Array = np.exp(-far / (2 * LIGHT_SIGMA**2))
    return w


def _outward(triangles: Array, mean: Array) -> Array:
    inside = np.array([0, mean[:, 1].mean(), mean[:, 2].max() + 0.3])
    middle = mean[triangles].mean(1) - inside
    normal = np.cross(mean[triangles[:, 1]] - mean[triangles[:, 0]], mean[triangles[:, 2]] - mean[triangles[:, 0]])
    turned = triangles.copy()
    wrong = (normal * middle).sum(1) < 0
    turned[wrong] = turned[wrong][:, [0, 2, 1]]
    return turned


def _neighbours(triangles: Array) -> list[set[int]]:
    near: list[set[int]] = [set() for _ in range(MESH_POINTS)]
    for a, b, c in triangles.tolist():
        near[a] |= {b, c}
        near[b] |= {a, c}
        near[c] |= {a, b}
    return near


def _rings(near: list[set[int]]) -> Array:
    ring = np.full(MESH_POINTS, 9)
    ring[layout.OVAL] = 0
    for depth in range(1, 5):
        for v in range(MESH_POINTS):
            if ring[v] == 9 and any(ring[n] == depth - 1 for n in near[v]):
                ring[v] = depth
    return ring


def _skin_points(mean: Array, near: list[set[int]]) -> Array:
    """Vertices whose colour is skin: not lips, lids, brows, nostrils, nor right beside them."""
    lids = (layout.RIGHT_UPPER_LID + layout.RIGHT_LOWER_LID + layout.LEFT_UPPER_LID + layout.LEFT_LOWER_LID)
    outer = layout.UPPER_OUTER_LIP + layout.LOWER_OUTER_LIP
    brows = layout.RIGHT_BROW + layout.LEFT_BROW
    off = set(lids + outer + layout.UPPER_INNER_LIP + layout.LOWER_INNER_LIP + brows + layout.NOSTRILS)
    for v in lids:
        off |= near[v]
    for v in brows:
        off |= {n for n in near[v] if mean[105, 1] - 0.06 < mean[n, 1] < mean[159, 1] - 0.03}
    for v in outer:
        off |= {n for n in near[v] if abs(mean[n, 1] - mean[13, 1]) < 0.22}
    return np.array([v for v in range(MESH_POINTS) if v not in off])


@cache
def topology() -> Topology:
    """Load the statistics of `scripts/build_topology.py` and derive the rest; once per process."""
    with np.load(str(files("facedouble") / "data" / "topology.npz")) as z:
        mean, mirror, plain = z["mean"].astype(np.float64), z["mirror"], z["triangles"]
        weights, basis, bend = z["weights"].astype(np.float64), z["basis"].astype(np.float64), z["bend"].astype(np.float64)
    skin = _outward(plain, mean)
    mouth = _outward(layout.strip(layout.UPPER_INNER_LIP, layout.LOWER_INNER_LIP), mean)
    eyes = _outward(np.concatenate([layout.strip(layout.RIGHT_UPPER_LID, layout.RIGHT_LOWER_LID),
                                    layout.strip(layout.LEFT_UPPER_LID, layout.LEFT_LOWER_LID)]), mean)
    x = mean[:MESH_POINTS]
    u = np.arctan2(x[:, 0], x[:, 2].max() + 0.35 - x[:, 2])  # cylinder around the head's axis
    uv = np.stack([(u - u.min()) / np.ptp(u), (x[:, 1] - x[:, 1].min()) / np.ptp(x[:, 1])], 1)
    atlas = ATLAS_MARGIN + uv * [ATLAS_WIDTH - 2 * ATLAS_MARGIN, ATLAS_HEIGHT - 2 * ATLAS_MARGIN]
    near = _neighbours(skin)
    knots = light_weights(uv)
    return Topology(mean, mirror, skin, mouth, eyes, np.concatenate([skin, mouth, eyes]).astype(np.int32), uv, atlas,
                    _rings(near), weights, weights / weights.sum(1, keepdims=True), basis, bend,
                    knots / knots.sum(1, keepdims=True), _skin_points(mean, near))


def vertex_normals(points: Array) -> Array:
    """(468, 3) unit normals of a mesh (>= 468, 3), outward (towards the camera: z < 0)."""
    t = topology().skin
    p = points[:MESH_POINTS].astype(np.float64)
    n = np.cross(p[t[:, 1]] - p[t[:, 0]], p[t[:, 2]] - p[t[:, 0]])
    total = np.zeros((MESH_POINTS, 3))
    for corner in range(3):
        for axis in range(3):
            total[:, axis] += np.bincount(t[:, corner], n[:, axis], MESH_POINTS)
    unit: Array = total / (np.linalg.norm(total, axis=1, keepdims=True) + 1e-9)
    return unit
