"""Parametric eyes: sclera, iris with limbus and fibres, pupil, one catch-light, lid shadow. Never copied from a picture."""

from __future__ import annotations

import cv2
import numpy as np
from scipy.interpolate import CubicSpline

from facedouble.morphable import layout
from facedouble.types import Array, Floats

PUPIL = 0.36  # of the iris' radius
GLINT = 4.0  # times the light, at most, that the catch-light lifts: in the dark eyes do not glow
SUPERSAMPLE = 4
EYES = ((layout.RIGHT_UPPER_LID, layout.RIGHT_LOWER_LID, (33, 133), (117, 118, 119, 120, 100, 101, 50, 68, 104, 69)),
        (layout.LEFT_UPPER_LID, layout.LEFT_LOWER_LID, (362, 263), (346, 347, 348, 349, 329, 330, 280, 298, 333, 299)))


def _step(low: float, high: float, x: Array) -> Array:
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def _curve(points: Array) -> Array:
    spline: Array = CubicSpline(np.linspace(0, 1, len(points)), points)(np.linspace(0, 1, 33))
    return spline


def _opening(upper: Array, lower: Array, box: tuple[int, int, int, int]) -> Floats:
    x0, y0, x1, y1 = box
    mask = np.zeros(((y1 - y0) * SUPERSAMPLE, (x1 - x0) * SUPERSAMPLE), np.uint8)
    rim = np.concatenate([upper, lower[::-1]])
    fixed = np.round((rim - [x0, y0] + 0.5) * SUPERSAMPLE * 16).astype(np.int32)
    cv2.fillPoly(mask, [fixed], 255, cv2.LINE_AA, 4)
    small: Floats = cv2.resize(mask, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    return small


def draw_eyes(out: Floats, mesh: Array, iris: Array, gaze: Array, light: Array, side: float) -> None:
    """Paint both eyes into `out` (h, w, 3), linear light.

    mesh (468, 3) in its pixels, iris (2, 5) of the double, gaze (4,), light (468, 3), side of the light in [-1, 1].
    """
    for eye, (upper, lower, corners, around) in enumerate(EYES):
        _draw(out, mesh, (upper, lower, corners), iris[eye], gaze[2 * eye : 2 * eye + 2], light[list(around)].mean(0), side)


def _draw(out: Floats, mesh: Array, eye: tuple[list[int], list[int], tuple[int, int]], iris: Array, gaze: Array,
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
    left, axis = mesh[corners[0], :2], mesh[corners[1], :2] - mesh[corners[0], :2]
    width = float(np.linalg.norm(axis))
    if width < 2:
        return
    down = np.array([-axis[1], axis[0]])
    gx, gy = np.meshgrid(np.arange(x0, x1), np.arange(y0, y1))
    rx, ry = gx - left[0], gy - left[1]
    u, v = (rx * axis[0] + ry * axis[1]) / width**2, (rx * down[0] + ry * down[1]) / width**2
    order = np.argsort(up[:, 0])
    below = (gy - np.interp(gx[0], up[order, 0], up[order, 1])[None]) / width
    round_ = np.clip(1 - 0.5 * np.abs(2 * u - 1) ** 4, 0.35, 1)
    shadow = (1 - 0.55 * np.exp(-np.maximum(below, 0) / 0.055)) * round_
    level = float(light.mean())
    tint = light / max(level, 1e-6)
    white = level * np.clip(iris[4], 1.2, 1.5) * (0.6 + 0.4 * tint)
    radius = float(iris[0])
    dx, dy = (u - gaze[0]) / radius, (v - gaze[1]) / radius
    far = np.hypot(dx, dy)
    pixel = 1 / (radius * width)
    colour = iris[1:4] * min(1.0, 0.30 / max(float(iris[1:4].mean()), 1e-3)) * level * (0.5 + 0.5 * tint)
    angle = np.arctan2(dy, dx)
    fibres = 1 + 0.10 * np.sin(angle * 17 + 3 * np.sin(angle * 5)) * _step(0.35, 0.6, far) * (1 - _step(0.8, 1, far))
    body = (1.05 - 0.6 * _step(0.6, 1.0, far) + 0.22 * np.clip(dy, -1, 1)) * fibres  # limbus dark, lower half bright
    painted = colour * body[..., None]
    pupil = (1 - _step(PUPIL - pixel, PUPIL + pixel, far))[..., None]
    painted = painted * (1 - pupil) + 0.012 * level * pupil
    a = (1 - _step(0.95 - pixel * 0.5, 1.04 + pixel * 0.6, far))[..., None]
    full = white * shadow[..., None] * (1 - a) + painted * (0.45 + 0.55 * shadow[..., None]) * a
    spot = np.hypot(u - (gaze[0] - 0.30 * radius * side), v - (gaze[1] - 0.34 * radius)) / radius
    glint = (0.7 * (1 - _step(0.05, 0.16 + pixel * 0.5, spot)))[..., None] * a
    full = full * (1 - glint) + min(1.6 * level + min(0.25, GLINT * level), 1.0) * glint
    soft = cv2.GaussianBlur(mask, (0, 0), 0.6)[..., None]
    out[y0:y1, x0:x1] = out[y0:y1, x0:x1] * (1 - soft) + full.astype(np.float32) * soft
