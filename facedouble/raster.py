"""Triangles, fills and warps on arrays. No faces, no files. Each kernel has a slow twin in `tests/test_raster.py`."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
from numba import njit

from facedouble.types import Array, Floats

GAMMA = 2.2
UNSEEN = 0.02  # px
TO_DISPLAY = ((np.arange(4097) / 4096.0) ** (2 / GAMMA)).astype(np.float32)  # indexed by sqrt: finer in the dark


_f32: Any = np.float32  # numba works in double precision as soon as one operand is no float32
_ONE, _FAR = _f32(1), _f32(1e18)
TO_LINEAR = ((np.arange(16385) / 16384.0) ** GAMMA).astype(np.float32)


@njit(cache=True, fastmath=True, nogil=True)
def _linear(values: Array, table: Array, out: Array) -> None:
    for i in range(values.size):
        v = min(max(values[i], 0.0), 1.0) * 16384
        k = min(int(v), 16383)
        out[i] = table[k] + (v - k) * (table[k + 1] - table[k])


def linear(rgb: Array) -> Floats:
    """Display-referred [0, 1] -> linear light, by interpolated table (error < 1e-5)."""
    flat = np.ascontiguousarray(rgb, np.float32)
    out = np.empty_like(flat)
    _linear(flat.ravel(), TO_LINEAR, out.ravel())
    return out


@njit(cache=True, fastmath=True, nogil=True)
def _display(values: Array, table: Array, out: Array) -> None:
    for i in range(values.size):
        v = min(max(values[i], 0.0), 1.0)
        out[i] = table[int(math.sqrt(v) * 4096)]


def display(light: Array) -> Floats:
    """Linear light -> display-referred [0, 1], by table (error < 1/2000)."""
    flat = np.ascontiguousarray(light, np.float32)
    out = np.empty_like(flat)
    _display(flat.ravel(), TO_DISPLAY, out.ravel())
    return out


@njit(cache=True, fastmath=True, nogil=True)
def rasterise(points: Array, triangles: Array, ids: Array, bary: Array, depth: Array) -> None:
    """Fill ids (h, w) int32, bary (h, w, 3) and depth (h, w) with the nearest triangle (small z) at each pixel."""
    h, w = ids.shape
    for k in range(triangles.shape[0]):
        a, b, c = triangles[k, 0], triangles[k, 1], triangles[k, 2]
        ax, ay, bx, by, cx, cy = points[a, 0], points[a, 1], points[b, 0], points[b, 1], points[c, 0], points[c, 1]
        d = (by - cy) * (ax - cx) + (cx - bx) * (ay - cy)
        if abs(d) < 1e-9:
            continue
        x0, x1 = max(0, math.floor(min(ax, bx, cx))), min(w - 1, math.ceil(max(ax, bx, cx)))
        y0, y1 = max(0, math.floor(min(ay, by, cy))), min(h - 1, math.ceil(max(ay, by, cy)))
        for y in range(y0, y1 + 1):
            for x in range(x0, x1 + 1):
                l0 = ((by - cy) * (x - cx) + (cx - bx) * (y - cy)) / d
                l1 = ((cy - ay) * (x - cx) + (ax - cx) * (y - cy)) / d
                l2 = 1 - l0 - l1
                if l0 >= -1e-5 and l1 >= -1e-5 and l2 >= -1e-5:
                    z = l0 * points[a, 2] + l1 * points[b, 2] + l2 * points[c, 2]
                    if z < depth[y, x]:
                        depth[y, x] = z
                        ids[y, x] = k
                        bary[y, x, 0] = l0
                        bary[y, x, 1] = l1
                        bary[y, x, 2] = l2


@njit(cache=True, fastmath=True, nogil=True)
def interpolate(ids: Array, bary: Array, triangles: Array, values: Array, out: Array) -> None:
    """Out (h, w, C) = values (n, C) of the vertices, interpolated where ids >= 0."""
    h, w = ids.shape
    channels = values.shape[1]
    for y in range(h):
        for x in range(w):
            k = ids[y, x]
            if k >= 0:
                for c in range(channels):
                    out[y, x, c] = (bary[y, x, 0] * values[triangles[k, 0], c] + bary[y, x, 1] * values[triangles[k, 1], c]
                                    + bary[y, x, 2] * values[triangles[k, 2], c])


def render(points: Array, triangles: Array, values: Array, height: int, width: int) -> tuple[Array, Floats]:
    """Triangle id (h, w), -1 outside, and interpolated values (h, w, C) of a mesh (n, 3) px."""
    ids = np.full((height, width), -1, np.int32)
    bary = np.zeros((height, width, 3), np.float32)
    depth = np.full((height, width), 1e9, np.float32)
    rasterise(np.ascontiguousarray(points, np.float64), triangles, ids, bary, depth)
    out = np.zeros((height, width, values.shape[1]), np.float32)
    interpolate(ids, bary, triangles, np.ascontiguousarray(values, np.float32), out)
    return ids, out


@njit(cache=True, nogil=True)
def _cover(points: Array, triangles: Array, mask: Array) -> None:
    h, w = mask.shape
    x, y = np.empty(3), np.empty(3)
    for k in range(triangles.shape[0]):
        for n in range(3):
            x[n], y[n] = points[triangles[k, n], 0], points[triangles[k, n], 1]
        side = 1.0 if (x[1] - x[0]) * (y[2] - y[0]) >= (x[2] - x[0]) * (y[1] - y[0]) else -1.0
        left, right = max(x.min() - 0.5, 0.0), min(x.max() + 0.5, w - 1.0)
        top, bottom = max(y.min() - 0.5, 0.0), min(y.max() + 0.5, h - 1.0)
        for j in range(math.ceil(top), math.floor(bottom) + 1):
            low, high = left, right
            for n in range(3):  # of each edge, what of the row is inside of it or within half a pixel
                m = (n + 1) % 3
                along, across = side * (y[n] - y[m]), side * (x[m] - x[n])
                start = across * (j - y[n]) + (abs(along) + abs(across)) / 2
                if along > 0:
                    low = max(low, x[n] - start / along)
                elif along < 0:
                    high = min(high, x[n] - start / along)
                elif start < 0:
                    high = low - 1
            for i in range(math.ceil(low), math.floor(high) + 1):
                mask[j, i] = 1


def cover(points: Array, triangles: Array, height: int, width: int) -> Array:
    """(h, w) uint8, 1 at every pixel whose square a triangle of the mesh touches; ValueError if a point is not finite.

    Akenine-Moller and Aila, Conservative and tiled rasterization using a modified triangle set-up, JGT 10(3), 2005.
    """
    flat = np.ascontiguousarray(points[:, :2], np.float64)
    if not np.isfinite(flat).all():
        raise ValueError("a mesh with points that are nowhere")
    mask = np.zeros((height, width), np.uint8)
    _cover(flat, triangles, mask)
    return mask


def push_pull(image: Floats, weight: Floats) -> Floats:
    """Fill image (h, w, C) where weight (h, w) is 0 from around it. Gortler et al., The Lumigraph, 1996."""
    levels = []
    a, w = image * weight[..., None], weight
    while min(a.shape[:2]) > 2:
        levels.append((a, w))
        size = ((a.shape[1] + 1) // 2, (a.shape[0] + 1) // 2)
        a = cv2.resize(a, size, interpolation=cv2.INTER_AREA).reshape(size[1], size[0], -1)
        w = cv2.resize(w, size, interpolation=cv2.INTER_AREA)
        full = np.minimum(4 * w, 1)  # one known pixel of four is enough: what is filled looks like what is next to it
        a, w = a * (full / np.maximum(w, 1e-6))[..., None], full
    filled = a / np.maximum(w, 1e-6)[..., None]
    if float(w.sum()) <= 0:
        filled = np.zeros_like(filled)
    for a, w in reversed(levels):
        up = cv2.resize(filled, (a.shape[1], a.shape[0]), interpolation=cv2.INTER_LINEAR).reshape(a.shape)
        if min(a.shape[:2]) > 3:
            up = cv2.GaussianBlur(up, (3, 3), 0).reshape(a.shape)
        filled = a + (1 - np.minimum(w, 1))[..., None] * up
    out: Floats = filled.astype(np.float32)
    return out


def mean3(image: Array) -> Floats:
    """(h, w) mean of the channels of (h, w, 3); NumPy's own takes ten times as long along so short an axis."""
    mean: Floats = (image[..., 0] + image[..., 1] + image[..., 2]) / np.float32(3)
    return mean


def most3(image: Array) -> Floats:
    """(h, w) largest channel of (h, w, 3)."""
    most: Floats = np.maximum(np.maximum(image[..., 0], image[..., 1]), image[..., 2])
    return most


@njit(cache=True, fastmath=True, nogil=True)
def _nearest(x: float, y: float, px: Array, py: Array) -> Any:
    nearest = _FAR
    for k in range(px.size):
        dx, dy = x - px[k], y - py[k]
        nearest = min(nearest, dx * dx + dy * dy)
    return nearest


@njit(cache=True, fastmath=True, nogil=True)
def _pulled(x: float, y: float, px: Array, py: Array, mx: Array, my: Array, least: float) -> tuple[Any, Any]:
    sx, sy, total = np.float32(0), np.float32(0), np.float32(1e-12)
    for k in range(px.size):
        dx, dy = x - px[k], y - py[k]
        q = dx * dx + dy * dy + least
        w = _ONE / (q * np.float32(math.sqrt(q)))
        sx += w * mx[k]
        sy += w * my[k]
        total += w
    return sx / total, sy / total


@njit(cache=True, nogil=True)
def displacement(xs: Array, ys: Array, points: Array, moves: Array, sigma: float, skip: Array, out: Array) -> None:
    """Out (len(ys), len(xs), 2): inverse-distance mean of moves (n, 2) at points (n, 2), falling off like a Gaussian.

    0 where not even the largest move would be worth UNSEEN px, and where skip is set. The sums are in single precision.
    """
    px, py, mx, my = (points[:, 0].astype(np.float32), points[:, 1].astype(np.float32), moves[:, 0].astype(np.float32),
                      moves[:, 1].astype(np.float32))
    largest = 0.0
    for k in range(moves.shape[0]):
        largest = max(largest, moves[k, 0] * moves[k, 0] + moves[k, 1] * moves[k, 1])
    reach = 2 * sigma * sigma * math.log(max(math.sqrt(largest) / UNSEEN, 1.0))  # squared distance of the farthest that is moved
    least = _f32(sigma * sigma * 0.01)
    out[:] = 0
    for j in range(ys.size):
        for i in range(xs.size):
            if skip[j, i]:
                continue
            x, y = _f32(xs[i]), _f32(ys[j])
            nearest = _nearest(x, y, px, py)
            if nearest > reach:
                continue
            fall = math.exp(-nearest / (2 * sigma * sigma))
            sx, sy = _pulled(x, y, px, py, mx, my, least)
            out[j, i, 0], out[j, i, 1] = sx * fall, sy * fall


def blur(image: Array, sigma: float) -> Floats:
    """Gaussian blur, float32."""
    out: Floats = cv2.GaussianBlur(image.astype(np.float32, copy=False), (0, 0), max(sigma, 1e-3))
    return out


def wide_blur(image: Floats, sigma: float) -> Floats:
    """Gaussian blur (h, w) or (h, w, C), on cells of a few px where sigma is so many of them that no pixel can tell."""
    step = 16 if sigma >= 40 else 4 if sigma >= 10 else 2 if sigma >= 2.5 else 1
    h, w = image.shape[:2]
    margin = math.ceil(3 * sigma / step) * step
    if step == 1 or min(h, w) <= 2 * margin:
        return blur(image, sigma)
    high, wide = h + -h % step + 2 * margin, w + -w % step + 2 * margin
    whole = cv2.copyMakeBorder(image, margin, high - h - margin, margin, wide - w - margin, cv2.BORDER_REFLECT_101)
    # the means of the cells and the way back between their middles blur as well
    small = blur(shrink(whole, (wide // step, high // step)),
                 math.sqrt(sigma * sigma - (step * step - 1) / 12 - step * step / 6) / step)
    return np.ascontiguousarray(enlarge(small, (wide, high))[margin : margin + h, margin : margin + w])


def shrink(image: Array, size: tuple[int, int]) -> Floats:
    """Area-averaged copy of size (w, h); keeps the channel axis."""
    out: Floats = cv2.resize(image.astype(np.float32, copy=False), size, interpolation=cv2.INTER_AREA)
    return out


def enlarge(image: Array, size: tuple[int, int]) -> Floats:
    """Bilinear copy of size (w, h)."""
    out: Floats = cv2.resize(image.astype(np.float32, copy=False), size, interpolation=cv2.INTER_LINEAR)
    return out


def sample(image: Array, x: Array, y: Array) -> Floats:
    """Bilinear samples (n, C) of image at points; border repeated."""
    out: Floats = cv2.remap(image, np.asarray(x, np.float32)[:, None], np.asarray(y, np.float32)[:, None],
                            cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[:, 0]
    return out


def edge_sigma(grey: Floats, mask: Array) -> float:
    """Blur (sigma, px) of the strongest edges under mask, from their gradients at sigma 1 and 2.5; grey in any unit."""

    def strongest(sigma: float) -> float:
        b = blur(grey, sigma)
        gx, gy = cv2.Sobel(b, cv2.CV_32F, 1, 0), cv2.Sobel(b, cv2.CV_32F, 0, 1)
        return float(np.percentile(np.hypot(gx, gy)[mask], 98))

    r2 = (strongest(1.0) / max(strongest(2.5), 1e-6)) ** 2
    return float(np.sqrt(np.clip((6.25 - r2) / max(r2 - 1, 0.05), 0, 16)))


def grain_sigma(grey: Floats) -> float:
    """Sigma of the noise from the median of the Haar diagonal details. Donoho & Johnstone, Biometrika 81, 1994."""
    h, w = grey.shape[0] // 2 * 2, grey.shape[1] // 2 * 2
    g = grey[:h, :w]
    d = (g[0::2, 0::2] - g[1::2, 0::2] - g[0::2, 1::2] + g[1::2, 1::2]) / 2
    return float(np.median(np.abs(d)) / 0.6745)
