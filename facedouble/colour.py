"""Planes <-> RGB crops. Only the crop being worked on is ever RGB; planes outside of it stay as they were decoded."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
from numba import njit

from facedouble.types import Array, Bytes, Colour, Floats, Frame

# numba works in double precision as soon as one operand is no float32
_f32: Any = np.float32
_i32: Any = np.int32
_0, _HALF, _MOST = _f32(0), _f32(0.5), _f32(255)

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


def levels(frame: Frame) -> tuple[float, float, float, float]:
    """Black, white, middle of chroma and reach of chroma of the frame's samples."""
    step = 1 << (frame.depth - 8)
    top = (1 << frame.depth) - 1
    if frame.colour.full:
        return 0.0, float(top), 128.0 * step, float(top)
    return 16.0 * step, 235.0 * step, 128.0 * step, 224.0 * step


def crop_rgb(frame: Frame, x0: int, y0: int, x1: int, y1: int) -> Floats:
    """The crop as (h, w, 3) float32 RGB; values may leave [0, 1] slightly where the planes do."""
    sx, sy = frame.chroma_shift
    out = np.empty((y1 - y0, x1 - x0, 3), np.float32)
    black, white, middle, reach = levels(frame)
    kr, kb = luma_weights(frame.colour, frame.height)
    y, u, v = frame.planes
    _to_rgb(y, u, v, x0, y0, sx, sy, black, white, middle, reach, kr, kb, out)
    return out


@njit(nogil=True)
def _count(row: Array, skip: Array, total: Array, seen: Array) -> None:
    """Add the samples of a row that count. Whole numbers and contiguous: exact, and in vectors."""
    for i in range(total.size):
        counts = _i32(skip[i] == 0)
        total[i] += _i32(row[i]) * counts
        seen[i] += counts


@njit(nogil=True)
def _count_chroma(blue: Array, red: Array, skip: Array, step_x: int, cb: Array, cr: Array, seen: Array) -> None:
    for i in range(seen.size):
        counts = _i32(skip[i * step_x] == 0)
        cb[i] += _i32(blue[i]) * counts
        cr[i] += _i32(red[i]) * counts
        seen[i] += counts


@njit(cache=True, nogil=True)
def _mean_rgb(y: Array, u: Array, v: Array, x0: int, y0: int, skip: Array, step: int, sx: int, sy: int, black: float,
              white: float, middle: float, reach: float, kr: float, kb: float, out: Array, weight: Array) -> None:
    kg = 1 - kr - kb
    h, w = skip.shape
    first, cw = x0 >> sx, ((w - 1 + x0) >> sx) - (x0 >> sx) + 1
    sums, parts = np.empty((2, w), np.int32), np.empty((3, cw), np.int32)  # of each column in a row of cells
    for j in range(out.shape[0]):
        ya, yb = j * step, min((j + 1) * step, h)
        sums[:], parts[:] = 0, 0
        for py in range(ya, yb):
            _count(y[py + y0, x0 : x0 + w], skip[py], sums[0], sums[1])
        for cy in range((ya + y0) >> sy, ((yb - 1 + y0) >> sy) + 1):
            py = min(max((cy << sy) - y0, 0), h - 1)
            _count_chroma(u[cy, first : first + cw], v[cy, first : first + cw], skip[py], 1 << sx, parts[0], parts[1], parts[2])
        for i in range(out.shape[1]):
            xa, xb = i * step, min((i + 1) * step, w)
            luma, seen, cb, cr, cells = 0, 0, 0, 0, 0
            for px in range(xa, xb):
                luma += sums[0, px]
                seen += sums[1, px]
            for cx in range(xa >> sx, ((xb - 1) >> sx) + 1):
                cb += parts[0, cx]
                cr += parts[1, cx]
                cells += parts[2, cx]
            if seen == 0 or cells == 0:
                weight[j, i] = 0
                for c in range(3):
                    out[j, i, c] = 0
                continue
            weight[j, i] = seen / ((yb - ya) * (xb - xa))
            l = (luma / seen - black) / (white - black)
            r = l + 2 * (1 - kr) * (cr / cells - middle) / reach
            b = l + 2 * (1 - kb) * (cb / cells - middle) / reach
            out[j, i, 0] = r
            out[j, i, 1] = (l - kr * r - kb * b) / kg
            out[j, i, 2] = b


def mean_rgb(frame: Frame, planes: tuple[Array, ...], x0: int, y0: int, skip: Array, step: int) -> tuple[Floats, Floats]:
    """Mean RGB (h / step, w / step, 3) of the cells of a crop, without the samples where skip (h, w) is set, and their share.

    x0 and y0 are even. Cell i spans pixels [i step, (i + 1) step), so that its middle is at (i + 0.5) step - 0.5.
    """
    h, w = skip.shape
    size = (h + step - 1) // step, (w + step - 1) // step
    out, weight = np.empty((*size, 3), np.float32), np.empty(size, np.float32)
    sx, sy = frame.chroma_shift
    kr, kb = luma_weights(frame.colour, frame.height)
    y, u, v = planes
    _mean_rgb(y, u, v, x0, y0, skip, step, sx, sy, *levels(frame), kr, kb, out, weight)
    return out, weight


@njit(nogil=True, fastmath=True)
def _colours(blue: Array, red: Array, tone: tuple[float, ...], out: Array) -> None:
    """What a row of chroma adds to red, green and blue (3, w), levels of 255."""
    _, _, middle, of_red, of_blue, kr, kb, per_green = tone
    for i in range(blue.size):
        p, q = of_red * (_f32(red[i]) - middle), of_blue * (_f32(blue[i]) - middle)
        out[0, i], out[1, i], out[2, i] = p, -(kr * p + kb * q) * per_green, q


@njit(nogil=True, fastmath=True)
def _twice(row: Array, out: Array) -> None:
    for i in range(out.size // 2):
        out[2 * i] = row[i]
        out[2 * i + 1] = row[i]
    out[out.size - 1] = row[(out.size - 1) // 2]


@njit(nogil=True, fastmath=True)
def _to_levels(luma: Array, colour: Array, tone: tuple[float, ...], out: Array) -> None:
    black, gain = tone[0], tone[1]
    for i in range(out.size):
        out[i] = np.uint8(np.int32(min(max((_f32(luma[i]) - black) * gain + colour[i] + _HALF, _0), _MOST)))


@njit(cache=True, nogil=True)
def _to_bytes(y: Array, u: Array, v: Array, sx: int, sy: int, tone: tuple[float, ...], out: Array) -> None:
    h, w = y.shape
    colours, spread, last = np.empty((3, u.shape[1]), np.float32), np.empty((3, w), np.float32), -1
    for j in range(h):
        if j >> sy != last:
            last = j >> sy
            _colours(u[last], v[last], tone, colours)
            if sx:
                for c in range(3):
                    _twice(colours[c], spread[c])
        for c in range(3):
            _to_levels(y[j], spread[c] if sx else colours[c], tone, out[c, j])


def _bytes(frame: Frame, planes: tuple[Array, ...], sx: int, sy: int) -> Bytes:
    kr, kb = luma_weights(frame.colour, frame.height)
    out = np.empty((3, *planes[0].shape), np.uint8)
    y, u, v = planes
    black, white, middle, reach = levels(frame)
    of_red, of_blue = 255 * 2 * (1 - kr) / reach, 255 * 2 * (1 - kb) / reach
    tone = (black, 255 / (white - black), middle, of_red, of_blue, kr, kb, 1 / (1 - kr - kb))
    _to_bytes(y, u, v, sx, sy, tuple(_f32(t) for t in tone), out)
    return np.asarray(cv2.merge(list(out)), np.uint8)


@njit(cache=True, fastmath=True, nogil=True)
def _add(row: Array, weight: float, total: Array) -> None:
    for x in range(total.size):
        total[x] += weight * np.float32(row[x])


@njit(cache=True, nogil=True)
def _spans(length: int, parts: int) -> tuple[Array, Array, Array]:
    """Where each of the parts begins, in how many samples it has a share, and those shares (parts, n) of it."""
    first, count = np.empty(parts, np.int64), np.empty(parts, np.int64)
    shares = np.zeros((parts, length // parts + 3), np.float32)
    for i in range(parts):
        a, b = i * length, (i + 1) * length  # in units of 1 / parts of a sample
        first[i], count[i] = a // parts, (b + parts - 1) // parts - a // parts
        for k in range(count[i]):
            at = (first[i] + k) * parts
            shares[i, k] = (min(at + parts, b) - max(at, a)) / length
    return first, count, shares


@njit(cache=True, fastmath=True, nogil=True)
def _area(plane: Array, out: Array) -> None:
    height, width = out.shape
    first_x, count_x, shares_x = _spans(plane.shape[1], width)
    first_y, count_y, shares_y = _spans(plane.shape[0], height)
    total = np.empty(plane.shape[1], np.float32)
    for j in range(height):
        total[:] = 0
        for k in range(count_y[j]):
            _add(plane[first_y[j] + k], shares_y[j, k], total)
        for i in range(width):
            mean = np.float32(0.5)
            a = first_x[i]
            for k in range(count_x[i]):
                mean += shares_x[i, k] * total[a + k]
            out[j, i] = np.uint16(mean)


def area(plane: Array, size: tuple[int, int]) -> Array:
    """A plane (h, w) of unsigned integers reduced to size (w, h) by exact means; cv2's own takes five times as long."""
    if size[0] > plane.shape[1] or size[1] > plane.shape[0]:
        enlarged: Array = cv2.resize(plane, size, interpolation=cv2.INTER_AREA)
        return enlarged
    out = np.empty(size[::-1], plane.dtype)
    _area(plane, out)
    return out


def picture(frame: Frame, side: int | None = None) -> Bytes:
    """The whole frame as (h, w, 3) uint8 RGB for detectors and people to look at; longer side at most `side` px."""
    if side is None or side >= max(frame.width, frame.height):
        return _bytes(frame, frame.planes, *frame.chroma_shift)
    factor = side / max(frame.width, frame.height)
    size = max(round(frame.width * factor), 1), max(round(frame.height * factor), 1)
    return _bytes(frame, tuple(area(p, size) for p in frame.planes), 0, 0)


def reduced(frame: Frame, x0: int, y0: int, side: int, out: int) -> Bytes:
    """A square crop at even x0, y0, reduced to (out, out, 3) uint8 RGB, out <= side; black where it leaves the frame."""
    sx, sy = frame.chroma_shift
    black, _, middle, _ = levels(frame)
    planes = []
    for plane, kx, ky, empty in zip(frame.planes, (0, sx, sx), (0, sy, sy), (black, middle, middle), strict=True):
        h, w = plane.shape
        a, b, c, d = x0 >> kx, y0 >> ky, (x0 + side) >> kx, (y0 + side) >> ky
        part = plane[max(b, 0) : max(min(d, h), 0), max(a, 0) : max(min(c, w), 0)]
        if part.size == 0:
            part = np.full((d - b, c - a), empty, plane.dtype)
        elif part.shape != (d - b, c - a):
            part = cv2.copyMakeBorder(part, max(-b, 0), max(d - h, 0), max(-a, 0), max(c - w, 0), cv2.BORDER_CONSTANT,
                                      value=float(empty))
        planes.append(area(part, (out, out)))
    return _bytes(frame, tuple(planes), 0, 0)


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
    black, white, middle, reach = levels(frame)
    kr, kb = luma_weights(frame.colour, frame.height)
    _from_rgb(np.ascontiguousarray(rgb, np.float32), np.ascontiguousarray(alpha, np.float32), x0, y0, sx, sy, black, white,
              middle, reach, kr, kb, float((1 << frame.depth) - 1), *planes)


@njit(cache=True, fastmath=True, nogil=True)
def _put_cells(cells: Array, step: int, mask: Array, box: Array, matte: Array, matte_step: int, x0: int, y0: int, sx: int,
               sy: int, black: float, white: float, middle: float, reach: float, kr: float, kb: float, top: float,
               y: Array, u: Array, v: Array) -> None:
    kg = 1 - kr - kb
    h, w = mask.shape
    sh, sw = cells.shape[0], cells.shape[1]
    mh, mw = matte.shape
    step_x, step_y = 1 + sx, 1 + sy
    first, second, part = np.empty(w, np.int64), np.empty(w, np.int64), np.empty(w, np.float32)
    for i in range(w):
        at = min(max((i + 0.5) / step - 0.5, 0.0), sw - 1.0)
        first[i], second[i], part[i] = int(at), min(int(at) + 1, sw - 1), at - int(at)
    across = np.empty((step_y, sw, 3), np.float32)  # the cells at the heights of the luma rows
    # luma and the two differences of a sample of the cells
    span, of_blue, of_red = np.float32(white - black), np.float32(reach / (2 * (1 - kb))), np.float32(reach / (2 * (1 - kr)))
    fr, fg, fb = np.float32(kr), np.float32(kg), np.float32(kb)
    base, half = np.float32(black), np.float32(0.5)
    for cj in range((y0 + box[1]) >> sy, ((y0 + box[1] + box[3] - 1) >> sy) + 1):
        for dj in range(step_y):
            j = min(max(cj * step_y + dj - y0, 0), h - 1)
            fy = min(max((j + 0.5) / step - 0.5, 0.0), sh - 1.0)
            ja, jb, low = int(fy), min(int(fy) + 1, sh - 1), np.float32(fy - int(fy))
            for i in range(sw):
                for c in range(3):
                    across[dj, i, c] = cells[ja, i, c] + low * (cells[jb, i, c] - cells[ja, i, c])
        for ci in range((x0 + box[0]) >> sx, ((x0 + box[0] + box[2] - 1) >> sx) + 1):
            covered, blue, red, kept = 0, np.float32(0), np.float32(0), np.float32(0)
            for dj in range(step_y):
                j = cj * step_y + dj - y0
                if j < 0 or j >= h:
                    continue
                for di in range(step_x):
                    i = ci * step_x + di - x0
                    if i < 0 or i >= w or mask[j, i] == 0:
                        continue
                    ia, ib, fx = np.uintp(first[i]), np.uintp(second[i]), part[i]
                    r = across[dj, ia, 0] + fx * (across[dj, ib, 0] - across[dj, ia, 0])
                    g = across[dj, ia, 1] + fx * (across[dj, ib, 1] - across[dj, ia, 1])
                    b = across[dj, ia, 2] + fx * (across[dj, ib, 2] - across[dj, ia, 2])
                    luma = fr * r + fg * g + fb * b
                    value = base + luma * span
                    if mh > 0:
                        m = matte[min(j // matte_step, mh - 1), min(i // matte_step, mw - 1)]
                        value += m * (np.float32(y[j + y0, i + x0]) - value)
                        kept += m
                    y[j + y0, i + x0] = min(max(value + half, np.float32(0)), np.float32(top))
                    blue += b - luma
                    red += r - luma
                    covered += 1
            if covered > 0:  # one covered pixel is enough to replace the cell
                m = kept / covered
                u[cj, ci] = min(max((1 - m) * (middle + blue / covered * of_blue) + m * u[cj, ci] + 0.5, 0.0), top)
                v[cj, ci] = min(max((1 - m) * (middle + red / covered * of_red) + m * v[cj, ci] + 0.5, 0.0), top)


def put_cells(frame: Frame, planes: tuple[Array, ...], cells: Floats, step: int, mask: Array, matte: Array | None,
              matte_step: int, x0: int, y0: int) -> None:
    """Write RGB cells as from `mean_rgb`, interpolated, into writable planes where mask (h, w) is set.

    matte (h / matte_step, w / matte_step): share of the old sample that stays, or None.
    """
    sx, sy = frame.chroma_shift
    kr, kb = luma_weights(frame.colour, frame.height)
    kept = np.zeros((0, 0), np.float32) if matte is None else matte
    box = np.array(cv2.boundingRect(mask))
    _put_cells(cells, step, mask, box, kept, matte_step, x0, y0, sx, sy, *levels(frame), kr, kb, float((1 << frame.depth) - 1),
               *planes)
