"""Line drawings of a face: nobody's, from the mean mesh, with an expression put on it and the head turned. No images."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.interpolate import CubicSpline
from scipy.ndimage import gaussian_filter1d
from scipy.spatial import ConvexHull
from scipy.spatial.transform import Rotation

from facedouble.morphable import layout
from facedouble.morphable.gestures import JAW_SHARE, LIP_PROFILE, open_mouth
from facedouble.morphable.topology import topology
from facedouble.types import MESH_POINTS, Array, Value

RIGHT_WING, LEFT_WING = [129, 64, 98, 97], [358, 294, 327, 326]  # of the nose
NOSE_BASE = [*RIGHT_WING, 2, *LEFT_WING[::-1]]
NOSE_RIDGE = [168, 6, 197, 195, 5, 4]
SKULL = (np.array([0.0, 0.0, 0.74]), np.array([0.84, 1.06, 0.92]))  # centre and half axes, canonical
HAIRLINE = 0.24  # canonical: skin above the topmost landmarks
EAR = (np.array([0.80, 0.36, 0.72]), 0.10, 0.22)  # centre of the left one, half width and height
NECK_X, NECK_Y = 0.52, (1.0, 1.80)
CANVAS, EDGE_SIGMA = 160, 0.03  # px per canonical unit to find a turned face's edge, and its smoothing, canonical
RIDGE_YAW = 12.0  # degrees: turned further, the bridge of the nose shows as a line
WHITE, PALE, GREY, DARK = "white", "#ececec", "#7a7a7a", "#1a1a1a"


@dataclass(frozen=True)
class Look(Value):
    """What a drawing shows. Zero or one everywhere is a face at rest that looks into the camera.

    yaw, pitch, roll in degrees (`pose.euler`); lids: share of the resting opening, right and left; brows up, gap between
    the lips, corners of the mouth up, cheeks out: canonical units; width: of the mouth, times rest; gaze (x, y): the
    irises, eye widths to the right of the picture and down; teeth: whether the open lips show them.
    """

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    lids: tuple[float, float] = (1.0, 1.0)
    brows: float = 0.0
    gap: float = 0.0
    corners: float = 0.0
    width: float = 1.0
    cheeks: float = 0.0
    gaze: tuple[float, float] = (0.0, 0.0)
    teeth: bool = False


@dataclass(frozen=True)
class Stroke(Value):
    """A line or a filled outline: points (n, 2) canonical, x right, y down; fill and line colours, None for none."""

    points: Array
    fill: str | None = None
    line: str | None = DARK
    width: float = 1.0


def _near(points: Array, centre: Array, sigma: float) -> Array:
    """(n,) Gaussian weight of the points around a place in the face's plane."""
    w: Array = np.exp(-((points[:, :2] - centre[:2]) ** 2).sum(1) / (2 * sigma**2))
    return w


def _mouth(points: Array, look: Look) -> None:
    up, low = layout.UPPER_INNER_LIP[1:-1], layout.LOWER_INNER_LIP[1:-1]
    seam = (points[up] + points[low]) / 2  # the mean shape has its lips a little apart
    for inner, outer in ((up, layout.UPPER_OUTER_LIP[1:-1]), (low, layout.LOWER_OUTER_LIP[1:-1])):
        points[outer, 1] += 0.7 * (seam - points[inner])[:, 1]
        points[inner] = seam
    if look.gap > 0:
        points += np.tensordot(open_mouth() * JAW_SHARE * look.gap, topology().basis, 1)
        missing = look.gap * LIP_PROFILE - (points[low, 1] - points[up, 1])
        for ids, share in ((up, -0.3), (low, 0.7), (layout.UPPER_OUTER_LIP[1:-1], -0.2), (layout.LOWER_OUTER_LIP[1:-1], 0.6)):
            points[ids, 1] += share * missing
    middle = points[[61, 291]].mean(0)
    points[:, 0] += (look.width - 1) * points[:, 0] * _near(points, middle, 0.34)
    for ids, sign in ((layout.UPPER_OUTER_LIP[1:-1], -1), (layout.LOWER_OUTER_LIP[1:-1], 1)):
        points[ids, 1] += sign * 0.14 * (1 - look.width)  # lips pushed forward are thicker, stretched ones thinner
    for corner in (61, 291):
        points[:, 1] -= look.corners * _near(points, points[corner].copy(), 0.15)


def _eyes(points: Array, look: Look) -> None:
    for upper, lower, open_ in ((layout.RIGHT_UPPER_LID, layout.RIGHT_LOWER_LID, look.lids[0]),
                                (layout.LEFT_UPPER_LID, layout.LEFT_LOWER_LID, look.lids[1])):
        low, opening = points[lower[1:-1]], points[upper[1:-1]] - points[lower[1:-1]]
        rise = 0.25 * (1 - min(open_, 1.0))
        points[upper[1:-1]] = low + opening * max(open_, rise)
        points[lower[1:-1]] = low + opening * rise
    for brow in (layout.RIGHT_BROW, layout.LEFT_BROW):
        points[brow, 1] -= look.brows
        if look.brows < 0:  # a frown draws the brows together as well
            points[brow, 0] *= 1 + 0.8 * look.brows


def face(look: Look) -> Array:
    """(478, 3) the mean face with the look, canonical and not turned."""
    points = topology().mean.copy()
    surface = points[:MESH_POINTS]
    _mouth(surface, look)
    _eyes(surface, look)
    for cheek in (50, 280):
        out = np.sign(surface[cheek, 0]) * look.cheeks
        surface[:, 0] += out * _near(surface, surface[cheek] + [0.25 * np.sign(out), 0.3, 0], 0.28)
    for iris, corners in ((layout.RIGHT_IRIS, (33, 133)), (layout.LEFT_IRIS, (362, 263))):
        a, b = points[corners[0]], points[corners[1]]
        middle = (a + b) / 2 + np.linalg.norm(b - a) * np.array([look.gaze[0], look.gaze[1], 0])
        points[iris, :2] += (middle - points[iris[0]])[:2] - [0, 0.012]
    return points


def curve(points: Array, closed: bool = False, steps: int = 8) -> Array:
    """A smooth line (m, 2) through the points (n, 2): cubic splines over the chord length."""
    p = np.concatenate([points, points[:1]]) if closed else points
    length = np.r_[0, np.cumsum(np.linalg.norm(np.diff(p, axis=0), axis=1) + 1e-6)]
    at = np.linspace(0, length[-1], steps * len(p))
    line: Array = CubicSpline(length, p, bc_type="periodic" if closed else "natural")(at)
    return line


def _hull(points: Array) -> Array:
    around: Array = points[ConvexHull(points).vertices]
    return around


def _ellipse(centre: Array, half: tuple[float, float], steps: int = 40) -> Array:
    a = np.linspace(0, 2 * np.pi, steps, endpoint=False)
    ring: Array = centre + np.stack([half[0] * np.cos(a), half[1] * np.sin(a), np.zeros(steps)][: len(centre)], 1)
    return ring


def _skull() -> Array:
    u, v = np.meshgrid(np.linspace(0, np.pi, 19), np.linspace(0, 2 * np.pi, 36, endpoint=False))
    ball = np.stack([np.sin(u) * np.cos(v), np.cos(u), np.sin(u) * np.sin(v)], -1).reshape(-1, 3)
    solid: Array = SKULL[0] + SKULL[1] * ball
    return solid


def _outline(surface: Array, forehead: Array) -> Array:
    """(m, 2) the edge of the turned face (468, 3) with its forehead (n, 3): the mesh is filled, and its border smoothed."""
    every = np.concatenate([surface[:, :2], forehead[:, :2]])
    corner, far = every.min(0) - 0.1, every.max(0) + 0.1
    mask = np.zeros(np.ceil((far - corner) * CANVAS).astype(int)[::-1], np.uint8)
    for flat in (*surface[topology().skin][..., :2], _hull(forehead[:, :2])):
        cv2.fillConvexPoly(mask, np.round((flat - corner) * CANVAS).astype(np.int32), 1)
    border = max(cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0], key=len)[:, 0]
    around: Array = gaussian_filter1d(border.astype(float), EDGE_SIGMA * CANVAS, axis=0, mode="wrap") / CANVAS + corner
    return around


def _openings(p: Array, look: Look) -> list[Stroke]:
    """Eyes and mouth of turned points (478, 3)."""
    out = []
    for upper, lower, iris in ((layout.RIGHT_UPPER_LID, layout.RIGHT_LOWER_LID, layout.RIGHT_IRIS),
                               (layout.LEFT_UPPER_LID, layout.LEFT_LOWER_LID, layout.LEFT_IRIS)):
        top, bottom = curve(p[upper, :2]), curve(p[lower, :2])
        rim = np.concatenate([top, bottom[::-1]])
        out.append(Stroke(rim, WHITE, None))
        width = float(np.linalg.norm(p[upper[0], :2] - p[upper[-1], :2]))
        for share, colour in ((0.21, GREY), (0.09, DARK)):
            disc = _ellipse(p[iris[0], :2], (share * min(width, 0.33), share * 0.33))
            inside = _within(disc, top, bottom)
            if np.ptp(inside[:, 1]) > 0.012:
                out.append(Stroke(inside, colour, DARK if share > 0.1 else None, 0.5))
        out += [Stroke(top, None, DARK, 1.5), Stroke(bottom, None, DARK, 0.6)]
    lips = [curve(p[ids, :2]) for ids in (layout.UPPER_OUTER_LIP, layout.LOWER_OUTER_LIP)]
    top, bottom = (curve(p[ids, :2]) for ids in (layout.UPPER_INNER_LIP, layout.LOWER_INNER_LIP))
    out.append(Stroke(np.concatenate([lips[0], lips[1][::-1]]), "#d9d9d9", DARK, 0.8))
    if look.gap > 0.01:
        out.append(Stroke(np.concatenate([top, bottom[::-1]]), WHITE if look.teeth and look.gap < 0.1 else "#4a4a4a", DARK, 0.8))
        if look.teeth and look.gap >= 0.1:
            edge = np.minimum(top[:, 1] + 0.10, bottom[:, 1])
            out.append(Stroke(np.concatenate([top, np.stack([top[:, 0], edge], 1)[::-1]]), WHITE, DARK, 0.5))
    else:
        out.append(Stroke(top, None, DARK, 1.1))
    return out


def _within(disc: Array, top: Array, bottom: Array) -> Array:
    """A disc (n, 2) cut by the lids (m, 2): each point is held between them."""
    lids = [edge[np.argsort(edge[:, 0])] for edge in (top, bottom)]
    low, high = (np.interp(disc[:, 0], edge[:, 0], edge[:, 1]) for edge in lids)
    cut: Array = np.stack([disc[:, 0], np.clip(disc[:, 1], low, np.maximum(low, high))], 1)
    return cut


def draw(look: Look) -> tuple[Stroke, ...]:
    """The strokes of one drawing, back to front."""
    turn = Rotation.from_euler("yxz", [look.yaw, look.pitch, look.roll], degrees=True).as_matrix()
    pivot = np.array([0, 0.5, 0.6])

    def turned(points: Array) -> Array:
        placed: Array = (points - pivot) @ turn.T + pivot
        return placed

    points = face(look)
    p = turned(points)
    oval = points[layout.OVAL]
    top = oval[oval[:, 1] < -0.1]
    rise = np.stack([-0.06 * top[:, 0], -HAIRLINE * (1 - (top[:, 0] / 0.8) ** 2), np.full(len(top), 0.1)], 1)
    forehead = turned(np.concatenate([top, top + rise]))
    neck = np.array([[-NECK_X, NECK_Y[0]], [-NECK_X, NECK_Y[1]], [NECK_X, NECK_Y[1]], [NECK_X, NECK_Y[0]]])
    out = [Stroke(neck, WHITE, None), *(Stroke(neck[ids], None, DARK, 1.0) for ids in ([0, 1], [2, 3]))]
    ears = []
    for side in (-1, 1):
        rim = _ellipse(EAR[0] * [side, 1, 1], EAR[1:])
        rim[:, 2] += 0.6 * side * (rim[:, 0] - EAR[0][0] * side)  # it stands off the head
        ears.append(turned(rim))
    far, near = sorted(ears, key=lambda e: -float(e[:, 2].mean()))
    hair = Stroke(curve(_hull(turned(_skull())[:, :2]), closed=True), PALE, DARK, 1.0)
    level = abs(look.yaw) < RIDGE_YAW
    out += [Stroke(far[:, :2], WHITE, DARK, 1.0)] if not level else []
    out += [hair, *(Stroke(e[:, :2], WHITE, DARK, 1.0) for e in ((far, near) if level else (near,)))]
    out.append(Stroke(_outline(p[:MESH_POINTS], forehead), WHITE, DARK, 1.3))
    for brow in (layout.RIGHT_BROW, layout.LEFT_BROW):
        rows = [curve(p[brow[:5], :2]), curve(p[brow[5:], :2])]
        rows[1] = rows[0] + 0.75 * (rows[1] - rows[0])
        out.append(Stroke(np.concatenate([rows[0], rows[1][::-1]]), "#555555", None))
    out += _openings(p, look)
    out.append(Stroke(curve(p[NOSE_BASE, :2]), None, DARK, 0.9))
    if not level:
        out.append(Stroke(curve(p[NOSE_RIDGE, :2]), None, DARK, 0.9))
    if max(look.cheeks, look.corners) > 0.03:
        for side, beside in ((-1, 61), (1, 291)):
            at, a = p[beside, :2] + [side * (0.24 if look.cheeks > 0 else 0.15), -0.1], np.linspace(-0.9, 0.9, 12)
            out.append(Stroke(at + 0.15 * np.stack([side * (np.cos(a) - 1), 1.2 * np.sin(a)], 1), None, DARK, 0.7))
    return tuple(out)
