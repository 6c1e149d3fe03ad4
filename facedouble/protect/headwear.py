"""What a double may wear over the witness' hair: a soft veil around the face, or a knitted cap. Both are our own drawing.

For witnesses who would be known by their hair. Where it is opaque, no pixel under it takes part in anything. It follows the
codes' head pose, or the head's cover. Hair that reaches beyond it stays in the picture: under a cap all that is long.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

import cv2
import numpy as np

from facedouble.morphable.light import irradiance_at
from facedouble.morphable.topology import topology
from facedouble.protect.drive import Performance, place
from facedouble.protect.face import face_size
from facedouble.protect.veil import Ellipse, veil_patch
from facedouble.raster import blur, display, render
from facedouble.types import Array, FaceCode, Floats, Value

HEM, HEM_DARK = 0.06, 0.35  # face sizes from the opening's edge inwards of the cloth, and how much darker it is there
SOFT = 0.012  # face sizes: the edge of the opening
AROUND, UP = 192, 30  # vertices of the cap
MIDDLE, DEPTH = 0.12, 0.85  # y and z of the cap's middle, canonical: outer-eye-corner distance 1, y down, z away
WIDE, HIGH, FRONT, BACK = 1.06, 1.58, 1.10, 1.42  # half axes
LOW_FRONT = 0.60  # FRONT at the height of the ears, so that the edge lies close to the cheeks
FULL = 2.5  # exponent of its outline from below to above: 2 is an ellipse
BROW, EAR, NAPE = -0.40, 0.64, 0.9  # y of its lower edge
TEMPLE = (26.0, 64.0)  # degrees from the front: the edge falls from brow to ear
CUFF, CUFF_OUT = 0.15, 0.03  # height and thickness of its hem
WOOL = (0.10, 0.22, 0.40)  # of mean skin's albedo
RIBS, RIB, ROWS, ROW = 62, 0.30, 30, 0.10  # ribs around and how deep they look; rows of stitches up
FINE = 2  # samples per px, each way


@dataclass(frozen=True)
class Worn(Value):
    """A picture (h, w, 3), display RGB, at x, y of the frame; its alpha (h, w) with the face under it, and with the face open."""

    x: int
    y: int
    image: Floats
    whole: Floats
    open: Floats

    def under(self, x0: int, y0: int, shape: tuple[int, int]) -> Array:
        """(h, w) uint8: where in a crop of the frame it lies, if only a little."""
        out = np.zeros(shape, np.uint8)
        h, w = self.whole.shape
        a, b = max(self.x, x0), max(self.y, y0)
        c, d = min(self.x + w, x0 + shape[1]), min(self.y + h, y0 + shape[0])
        if c > a and d > b:
            out[b - y0 : d - y0, a - x0 : c - x0] = self.whole[b - self.y : d - self.y, a - self.x : c - self.x] > 0
        return out


def _opening(mesh: Array, x0: int, y0: int, shape: tuple[int, int]) -> Floats:
    """(h, w) how far the cloth is open over the inner face: a little inside of the double, where it is opaque."""
    ring = topology().ring
    jaw = topology().mean[:468, 1] > 0.6
    points = mesh[(ring >= 1) | jaw, :2] - [x0, y0]
    hull = cv2.convexHull(np.round(points * 16).astype(np.int32))
    mask = np.zeros(shape, np.uint8)
    cv2.fillConvexPoly(mask, hull, 255, cv2.LINE_AA, 4)
    soft = SOFT * face_size(mesh)
    return blur(mask.astype(np.float32) / 255, max(soft, 0.7))


def hood(stage: Performance, mesh: Array, code: FaceCode, cover: Ellipse, width: int, height: int) -> Worn | None:
    """The veil, falling to the shoulders, with the double's inner face left open."""
    patch = veil_patch(cover, width, height, long=True)
    if patch is None:
        return None
    (x, y), cloth, alpha = patch
    hole = _opening(mesh, x, y, (alpha.shape[0], alpha.shape[1]))
    hem = np.clip(2 * blur(hole, max(HEM * face_size(mesh), 0.7)), 0, 1)
    return Worn(x, y, cloth * (1 - HEM_DARK * hem**2)[..., None], alpha, alpha * (1 - hole))


@cache
def _knitting() -> tuple[Array, Array, Array]:
    """Vertices (n, 3) of the cap, canonical; its triangles (m, 3), outward; turn and height (n, 2) of the vertices, 0 to 1."""
    turn, rise = np.meshgrid(np.linspace(-np.pi, np.pi, AROUND + 1), np.linspace(0, 1, UP), indexing="ij")
    degrees = np.abs(np.degrees(turn))
    fall = np.clip((degrees - TEMPLE[0]) / (TEMPLE[1] - TEMPLE[0]), 0, 1)
    back = np.clip((degrees - 100) / 60, 0, 1)
    edge = BROW + (EAR - BROW) * fall * fall * (3 - 2 * fall) + (NAPE - EAR) * back * back * (3 - 2 * back)
    y = edge + (MIDDLE - HIGH - edge) * np.sin(rise * np.pi / 2)
    up = np.clip((MIDDLE - y) / HIGH, 0, 1)
    radius = np.where(y < MIDDLE, (1 - up**FULL) ** (1 / FULL), 1 - 0.35 * (y - MIDDLE) ** 2)
    out = CUFF_OUT * np.clip((CUFF - (edge - y)) / 0.05, 0, 1)  # the hem stands off
    low = np.clip((y + 0.35) / 0.6, 0, 1)
    front = FRONT + (LOW_FRONT - FRONT) * low * low * (3 - 2 * low)
    x = (WIDE * radius + out) * np.sin(turn)
    z = DEPTH - (np.where(np.cos(turn) > 0, front, BACK) * radius + out) * np.cos(turn)
    points = np.stack([x, y, z], -1).reshape(-1, 3)
    at = np.arange(AROUND)[:, None] * UP + np.arange(UP - 1)
    a, b, c, d = (v.ravel() for v in (at, at + UP, at + UP + 1, at + 1))
    triangles = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)]).astype(np.int32)
    normal = np.cross(points[triangles[:, 1]] - points[triangles[:, 0]], points[triangles[:, 2]] - points[triangles[:, 0]])
    wrong = (normal * (points[triangles].mean(1) - [0, MIDDLE, DEPTH])).sum(1) < 0
    triangles[wrong] = triangles[wrong][:, ::-1]
    return points, triangles, np.stack([(turn + np.pi) / (2 * np.pi), edge - y], -1).reshape(-1, 2)


def _normals(points: Array, triangles: Array) -> Array:
    """(n, 3) outward unit normals of the cap's vertices; where its back meets itself they are the same on both sides."""
    normals = np.zeros_like(points)
    face = np.cross(points[triangles[:, 1]] - points[triangles[:, 0]], points[triangles[:, 2]] - points[triangles[:, 0]])
    for k in range(3):
        np.add.at(normals, triangles[:, k], face)
    seam = normals[:UP] + normals[-UP:]
    normals[:UP] = normals[-UP:] = seam
    unit: Array = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    return unit


def cap(stage: Performance, mesh: Array, code: FaceCode, cover: Ellipse, width: int, height: int) -> Worn | None:
    """A knitted cap over hair and ears, its hem above the brows; turned and lit as the codes say."""
    points, triangles, weave = _knitting()
    placed = place(points, code, stage.to)
    margin = 2 + round(SOFT * face_size(mesh))
    low = np.maximum(np.floor(placed[:, :2].min(0)).astype(int) - margin, 0)
    high = np.minimum(np.ceil(placed[:, :2].max(0)).astype(int) + margin + 1, [width, height])
    w, h = high - low
    if w <= 0 or h <= 0:
        return None
    normals = _normals(placed, triangles)
    front = _normals_seen(placed, triangles)
    fine = (placed - [*low, 0.0]) * [FINE, FINE, FINE] + [(FINE - 1) / 2, (FINE - 1) / 2, 0]
    values = np.concatenate([irradiance_at(code.light, normals), weave], 1)
    ids, seen = render(fine, np.ascontiguousarray(triangles[front]), values, int(h) * FINE, int(w) * FINE)
    turn, up = seen[..., 3], seen[..., 4]
    rib = 1 - RIB * (0.5 + 0.5 * np.cos(2 * np.pi * RIBS * turn)) ** 2
    cuff = up < CUFF
    stitch = np.where(cuff, 1.0, 1 - ROW * (0.5 + 0.5 * np.cos(2 * np.pi * ROWS * up)))
    shade = 1 - 0.45 * np.exp(-(((up - CUFF - 0.02) / 0.035) ** 2)) * ~cuff  # what the hem throws on the cap
    light = seen[..., :3] * np.array(WOOL, np.float32) * (rib * stitch * shade)[..., None]
    there = (ids >= 0).astype(np.float32)
    alpha = cv2.resize(there, (int(w), int(h)), interpolation=cv2.INTER_AREA)
    light = cv2.resize(light.astype(np.float32), (int(w), int(h)), interpolation=cv2.INTER_AREA)
    image = display(light / np.maximum(alpha, 1 / FINE**2)[..., None])
    return Worn(int(low[0]), int(low[1]), image, alpha, alpha)


def _normals_seen(placed: Array, triangles: Array) -> Array:
    """(m,) which triangles turn towards the camera."""
    a, b, c = (placed[triangles[:, k], :2] for k in range(3))
    away: Array = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0]) < 0
    return away


Headwear = Callable[[Performance, Array, FaceCode, Ellipse, int, int], Worn | None]
"""(the double, its mesh (468, 3) px, the code, the head's cover, width, height) -> what is worn; None: outside of the frame"""

HEADWEAR: Mapping[str, Headwear] = MappingProxyType({"veil": hood, "cap": cap})
