"""Parametric eyes: sclera, iris with limbus and fibres, pupil, one catch-light, lid shadow. Never copied from a picture."""

from __future__ import annotations

import math
from functools import cache

import cv2
import numpy as np
from numba import njit
from scipy.interpolate import CubicSpline

from facedouble.morphable import layout
from facedouble.types import Array, Floats

PUPIL = 0.36  # of the iris' radius
GLINT = 4.0  # times the light, at most, that the catch-light lifts: in the dark eyes do not glow
SUPERSAMPLE = 4
EYES = ((layout.RIGHT_UPPER_LID, layout.RIGHT_LOWER_LID, (33, 133), (117, 118, 119, 120, 100, 101, 50, 68, 104, 69)),
        (layout.LEFT_UPPER_LID, layout.LEFT_LOWER_LID, (362, 263), (346, 347, 348, 349, 329, 330, 280, 298, 333, 299)))


@cache
def _spline(count: int) -> Array:
    """(33, count): what a cubic spline through so many points makes of them. It is linear in them, and dear to set up."""
    through: Array = CubicSpline(np.linspace(0, 1, count), np.eye(count))(np.linspace(0, 1, 33))
    return through


def _curve(points: Array) -> Array:
    curve: Array = _spline(len(points)) @ points
    return curve


def _opening(upper: Array, lower: Array, box: tuple[int, int, int, int]) -> Floats:
    x0, y0, x1, y1 = box
    mask = np.zeros(((y1 - y0) * SUPERSAMPLE, (x1 - x0) * SUPERSAMPLE), np.uint8)
    rim = np.concatenate([upper, lower[::-1]])
    fixed = np.round((rim - [x0, y0] + 0.5) * SUPERSAMPLE * 16).astype(np.int32)
    cv2.fillPoly(mask, [fixed], 255, cv2.LINE_AA, 4)
    small: Floats = cv2.resize(mask, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    return small


def draw_eyes(out: Floats, mesh: Array, turn: Array, iris: Array, gaze: Array, light: Array, side: float) -> None:
    """Paint both eyes into `out` (h, w, 3), linear light.

    mesh (468, 3) in its pixels, turn (3, 3) of the head, iris (2, 5) of the double, gaze (4,), light (468, 3), side of the
    light in [-1, 1].
    """
    for eye, (upper, lower, corners, around) in enumerate(EYES):
        _draw(out, mesh, turn, (upper, lower, corners), iris[eye], gaze[2 * eye : 2 * eye + 2], light[list(around)].mean(0), side)


def below(across: Array, turn: Array) -> Array:
    """(2,) px: one eye width down in the face, at right angles to the eye's (3,) px from corner to corner, of a head so turned.

    A head that turns to the side narrows its eyes, and does not flatten them.
    """
    x, y, _ = turn.T @ across
    down: Array = (turn @ [-y, x, 0.0])[:2]
    return down


def _draw(out: Floats, mesh: Array, turn: Array, eye: tuple[list[int], list[int], tuple[int, int]], iris: Array, gaze: Array,
          light: Array, side: float) -> None:
    upper, lower, corners = eye
    up, low = _curve(mesh[upper, :2]), _curve(mesh[lower, :2])
    crossed = up[:, 1] > low[:, 1]
    up[crossed, 1] = low[crossed, 1] = (up[crossed, 1] + low[crossed, 1]) / 2
    rim = np.concatenate([up, low])
    h, w = out.shape[:2]
    x0, y0 = np.maximum(rim.min(0) - 3, 0).astype(int)
    x1, y1 = np.minimum(rim.max(0) + 4, [w, h]).astype(int)
    if x1 - x0 < 3 or y1 - y0 < 2:
        return
    mask = _opening(up, low, (x0, y0, x1, y1))
    left, across = mesh[corners[0], :2], mesh[corners[1]] - mesh[corners[0]]
    axis, down = across[:2], below(across, turn)
    if np.linalg.norm(axis) < 2 or abs(axis[0] * down[1] - axis[1] * down[0]) < 4:
        return
    order = np.argsort(up[:, 0])
    lid = np.interp(np.arange(x0, x1), up[order, 0], up[order, 1])
    level = float(light.mean())
    tint = light / max(level, 1e-6)
    white = level * np.clip(iris[4], 1.2, 1.5) * (0.6 + 0.4 * tint)
    colour = iris[1:4] * min(1.0, 0.30 / max(float(iris[1:4].mean()), 1e-3)) * level * (0.5 + 0.5 * tint)
    soft = cv2.GaussianBlur(mask, (0, 0), 0.6)
    _paint(out[y0:y1, x0:x1], soft, lid - y0, left - [x0, y0], axis, down, gaze, float(iris[0]), white, colour, level, side)


@njit(inline="always")
def _rise(low: float, high: float, x: float) -> float:
    """Smoothstep."""
    t = min(max((x - low) / (high - low), 0.0), 1.0)
    return t * t * (3 - 2 * t)


@njit(cache=True, nogil=True)
def _paint(out: Array, soft: Array, lid: Array, left: Array, axis: Array, down: Array, gaze: Array, radius: float, white: Array,
           colour: Array, level: float, side: float) -> None:
    # all in pixels of `out`; u, v: from the eye's corner, in `axis` along it and `down`; dx, dy: from the iris, in its radii
    width, height = math.hypot(axis[0], axis[1]), math.hypot(down[0], down[1])
    area = axis[0] * down[1] - axis[1] * down[0]
    pixel = 1 / (radius * width)
    gx, gy = gaze[0] - 0.30 * radius * side, gaze[1] - 0.34 * radius
    for j in range(out.shape[0]):
        for i in range(out.shape[1]):
            share = soft[j, i]
            if share == 0:
                continue
            rx, ry = i - left[0], j - left[1]
            u, v = (rx * down[1] - ry * down[0]) / area, (ry * axis[0] - rx * axis[1]) / area
            under = (j - lid[i]) / height
            shadow = (1 - 0.55 * math.exp(-max(under, 0.0) / 0.055)) * min(max(1 - 0.5 * abs(2 * u - 1) ** 4, 0.35), 1.0)
            dx, dy = (u - gaze[0]) / radius, (v - gaze[1]) / radius
            far = math.sqrt(dx * dx + dy * dy)
            a = 1 - _rise(0.95 - pixel * 0.5, 1.04 + pixel * 0.6, far)
            body, pupil, glint = 0.0, 0.0, 0.0
            if a > 0:
                ring = _rise(0.35, 0.6, far) * (1 - _rise(0.8, 1, far))
                body = 1.05 - 0.6 * _rise(0.6, 1.0, far) + 0.22 * min(max(dy, -1.0), 1.0)  # limbus dark, lower half bright
                if ring > 0:
                    angle = math.atan2(dy, dx)
                    body *= 1 + 0.10 * math.sin(angle * 17 + 3 * math.sin(angle * 5)) * ring  # fibres
                pupil = 1 - _rise(PUPIL - pixel, PUPIL + pixel, far)
                spot = math.sqrt((u - gx) ** 2 + (v - gy) ** 2) / radius
                glint = 0.7 * (1 - _rise(0.05, 0.16 + pixel * 0.5, spot)) * a
            for c in range(3):
                painted = colour[c] * body * (1 - pupil) + 0.012 * level * pupil
                full = white[c] * shadow * (1 - a) + painted * (0.45 + 0.55 * shadow) * a
                full = full * (1 - glint) + min(1.6 * level + min(0.25, GLINT * level), 1.0) * glint
                out[j, i, c] += (full - out[j, i, c]) * share
