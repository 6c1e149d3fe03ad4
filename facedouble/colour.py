"""Planes <-> RGB crops. Only the crop being worked on is ever RGB; planes outside of it stay as they were decoded."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numba import njit

from facedouble.types import Array, Bytes, Colour, Floats, Frame

_WEIGHTS = {1: (0.2126, 0.0722), 9: (0.2627, 0.0593), 10: (0.2627, 0.0593), 7: (0.212, 0.087), 4: (0.30, 0.11)}


def luma_weights(colour: Colour, height: int) -> tuple[float, float]:
    """Kr and Kb of the matrix (ITU-T H.273); unspecified means BT.709 for HD heights, BT.601 below, as players do."""
    if colour.matrix in _WEIGHTS:
        return _WEIGHTS[colour.matrix]
    return (0.2126, 0.0722) if colour.matrix == 2 and height >= 720 else (0.299, 0.114)


@njit(cache=True, nogil=True)
def _to_rgb(y: Array, u: Array, v: Array, x0: int, y0: int, sx: int, sy: int, black: float, white: float, middle: float,
            reach: float, kr: float, kb: float, out: Array) -> None:
    kg = 1 - kr - kb
    ch, cw = u.shape
    for j in range(out.shape[0]):
        cy = (j + y0 - 0.5 * sy) / (1 + sy)  # chroma centred between rows
        j0 = math.floor(cy)
        fy = cy - j0
        ja, jb = min(max(j0, 0), ch - 1), min(max(j0 + 1, 0), ch - 1)
        for i in range(out.shape[1]):
            cx = (i + x0) / (1 + sx)  # chroma sited on even columns (MPEG-2 style)
            i0 = math.floor(cx)
            fx = cx - i0
            ia, ib = min(i0, cw - 1), min(i0 + 1, cw - 1)
            cb = (1 - fy) * ((1 - fx) * u[ja, ia] + fx * u[ja, ib]) + fy * ((1 - fx) * u[jb, ia] + fx * u[jb, ib])
            cr = (1 - fy) * ((1 - fx) * v[ja, ia] + fx * v[ja, ib]) + fy * ((1 - fx) * v[jb, ia] + fx * v[jb, ib])
            luma = (y[j + y0, i + x0] - black) / (white - black)
            pb, pr = (cb - middle) / reach, (cr - middle) / reach
            r, b = luma + 2 * (1 - kr) * pr, luma + 2 * (1 - kb) * pb
            out[j, i, 0] = r
            out[j, i, 2] = b
            out[j, i, 1] = (luma - kr * r - kb * b) / kg


def _levels(frame: Frame) -> tuple[float, float, float, float]:
    step = 1 << (frame.depth - 8)
    top = (1 << frame.depth) - 1
    if frame.colour.full:
        return 0.0, float(top), 128.0 * step, float(top)
    return 16.0 * step, 235.0 * step, 128.0 * step, 224.0 * step


def crop_rgb(frame: Frame, x0: int, y0: int, x1: int, y1: int) -> Floats:
    """The crop as (h, w, 3) float32 RGB; values may leave [0, 1] slightly where the planes do."""
    sx, sy = frame.chroma_shift
    out = np.empty((y1 - y0, x1 - x0, 3), np.float32)
    black, white, middle, reach = _levels(frame)
    kr, kb = luma_weights(frame.colour, frame.height)
    y, u, v = frame.planes
    _to_rgb(y, u, v, x0, y0, sx, sy, black, white, middle, reach, kr, kb, out)
    return out


def picture(frame: Frame) -> Bytes:
    """The whole frame as (h, w, 3) uint8 RGB for detectors and pictures to look at."""
    if frame.pixel_format == "yuv420p" and not frame.colour.full and frame.colour.matrix not in (1, 9, 10):
        h, w = frame.planes[0].shape
        if h % 2 == 0 and w % 2 == 0:
            packed = np.concatenate([p.ravel() for p in frame.planes]).reshape(h * 3 // 2, w)
            fast: Bytes = cv2.cvtColor(packed, cv2.COLOR_YUV2RGB_I420)
            return fast
    rgb = crop_rgb(frame, 0, 0, frame.width, frame.height)
    slow: Bytes = np.clip(rgb * 255 + 0.5, 0, 255).astype(np.uint8)
    return slow


@njit(cache=True, nogil=True)
def _from_rgb(rgb: Array, alpha: Array, x0: int, y0: int, sx: int, sy: int, black: float, white: float, middle: float,
              reach: float, kr: float, kb: float, top: float, y: Array, u: Array, v: Array) -> None:
    kg = 1 - kr - kb
    h, w = alpha.shape
    for j in range(h):
        for i in range(w):
            a = alpha[j, i]
            if a > 0:
                luma = kr * rgb[j, i, 0] + kg * rgb[j, i, 1] + kb * rgb[j, i, 2]
                value = black + luma * (white - black)
                value = a * value + (1 - a) * y[j + y0, i + x0]
                y[j + y0, i + x0] = min(max(value + 0.5, 0.0), top)
    step_x, step_y = 1 + sx, 1 + sy
    for cj in range(y0 // step_y, (y0 + h + step_y - 1) // step_y):
        for ci in range(x0 // step_x, (x0 + w + step_x - 1) // step_x):
            total, blue, red, strongest = 0.0, 0.0, 0.0, 0.0
            for dj in range(step_y):
                for di in range(step_x):
                    j, i = cj * step_y + dj - y0, ci * step_x + di - x0
                    if 0 <= j < h and 0 <= i < w and alpha[j, i] > 0:
                        a = alpha[j, i]
                        luma = kr * rgb[j, i, 0] + kg * rgb[j, i, 1] + kb * rgb[j, i, 2]
                        blue += a * (rgb[j, i, 2] - luma) / (2 * (1 - kb))
                        red += a * (rgb[j, i, 0] - luma) / (2 * (1 - kr))
                        total += a
                        strongest = max(strongest, a)
            if total > 0:
                # one covered pixel is enough to replace the cell: nothing of the covered colour may stay behind
                cb = strongest * (middle + blue / total * reach) + (1 - strongest) * u[cj, ci]
                cr = strongest * (middle + red / total * reach) + (1 - strongest) * v[cj, ci]
                u[cj, ci] = min(max(cb + 0.5, 0.0), top)
                v[cj, ci] = min(max(cr + 0.5, 0.0), top)


def put_rgb(frame: Frame, planes: tuple[Array, ...], rgb: Floats, alpha: Floats, x0: int, y0: int) -> None:
    """Write an RGB crop into writable planes of the frame's format; where alpha is 0 no sample changes."""
    sx, sy = frame.chroma_shift
    black, white, middle, reach = _levels(frame)
    kr, kb = luma_weights(frame.colour, frame.height)
    _from_rgb(np.ascontiguousarray(rgb, np.float32), np.ascontiguousarray(alpha, np.float32), x0, y0, sx, sy, black, white,
              middle, reach, kr, kb, float((1 << frame.depth) - 1), *planes)
