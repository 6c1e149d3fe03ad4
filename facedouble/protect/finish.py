"""The last step over every pixel of a crop: surroundings that follow the double's outline, fill, face, seam, halo, grain.

Everything smooth comes on a coarse grid and is interpolated here; only the face, its alpha and its edge have every pixel. A
pixel that nothing touches keeps its sample; one that only moves is resampled in its own plane and never becomes RGB.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from facedouble.colour import levels, luma_weights
from facedouble.raster import TO_DISPLAY, TO_LINEAR
from facedouble.types import Array, Frame

STILL = 0.05  # px of displacement that count as none
LEAST_HALO = 1 / 512
WHOLE = 0.9995  # from which share on nothing else is looked at
WARP_GRID = 8  # px


@njit(inline="always")
def _cubic(f: float) -> tuple[float, float, float, float]:
    """Keys' weights (a = -1/2), IEEE ASSP 29(6), 1981."""
    f2, f3 = f * f, f * f * f
    return -0.5 * f + f2 - 0.5 * f3, 1 - 2.5 * f2 + 1.5 * f3, 0.5 * f + 2 * f2 - 1.5 * f3, 0.5 * (f3 - f2)


@njit(nogil=True, fastmath=True)
def _bicubic(plane: Array, x: float, y: float) -> float:
    h, w = plane.shape
    i, j = math.floor(x), math.floor(y)
    a, b, c, d = _cubic(x - i)
    e, f, g, k = _cubic(y - j)
    if 1 <= i < w - 2 and 1 <= j < h - 2:
        return float(e * (a * plane[j - 1, i - 1] + b * plane[j - 1, i] + c * plane[j - 1, i + 1] + d * plane[j - 1, i + 2])
                     + f * (a * plane[j, i - 1] + b * plane[j, i] + c * plane[j, i + 1] + d * plane[j, i + 2])
                     + g * (a * plane[j + 1, i - 1] + b * plane[j + 1, i] + c * plane[j + 1, i + 1] + d * plane[j + 1, i + 2])
                     + k * (a * plane[j + 2, i - 1] + b * plane[j + 2, i] + c * plane[j + 2, i + 1] + d * plane[j + 2, i + 2]))
    i0, i1, i2, i3 = (min(max(i - 1, 0), w - 1), min(max(i, 0), w - 1), min(max(i + 1, 0), w - 1), min(max(i + 2, 0), w - 1))
    j0, j1, j2, j3 = (min(max(j - 1, 0), h - 1), min(max(j, 0), h - 1), min(max(j + 1, 0), h - 1), min(max(j + 2, 0), h - 1))
    return float(e * (a * plane[j0, i0] + b * plane[j0, i1] + c * plane[j0, i2] + d * plane[j0, i3])
                 + f * (a * plane[j1, i0] + b * plane[j1, i1] + c * plane[j1, i2] + d * plane[j1, i3])
                 + g * (a * plane[j2, i0] + b * plane[j2, i1] + c * plane[j2, i2] + d * plane[j2, i3])
                 + k * (a * plane[j3, i0] + b * plane[j3, i1] + c * plane[j3, i2] + d * plane[j3, i3]))


@njit(nogil=True, fastmath=True)
def _bilinear(plane: Array, x: float, y: float) -> float:
    h, w = plane.shape
    x, y = min(max(x, 0.0), w - 1.0), min(max(y, 0.0), h - 1.0)
    i, j = min(int(x), max(w - 2, 0)), min(int(y), max(h - 2, 0))
    fx, fy = x - i, y - j
    i1, j1 = min(i + 1, w - 1), min(j + 1, h - 1)
    return float((1 - fy) * ((1 - fx) * plane[j, i] + fx * plane[j, i1]) + fy * ((1 - fx) * plane[j1, i] + fx * plane[j1, i1]))


@njit(nogil=True, fastmath=True)
def _linear(v: float, table: Array) -> float:
    s = min(max(v, 0.0), 1.0) * 16384
    k = min(int(s), 16383)
    return float(table[k] + (s - k) * (table[k + 1] - table[k]))


@njit(cache=True, nogil=True)
def _at_rest(grid: Array) -> Array:
    """Where all four corners of a cell of the grid count as unmoved, so that everything between them does."""
    n, m = grid.shape[:2]
    rest = np.empty((n - 1, m - 1), np.bool_)
    for j in range(n - 1):
        for i in range(m - 1):
            rest[j, i] = True
            for k in range(4):
                x, y = grid[j + k // 2, i + k % 2]
                rest[j, i] &= x * x + y * y <= STILL * STILL
    return rest


@njit(cache=True, nogil=True, fastmath=True)
def _finish(source: tuple[Array, ...], planes: tuple[Array, ...], x0: int, y0: int, grid: Array, face: tuple[Array, ...],
            ids: Array, rx: int, ry: int, gone: Array, matte: Array, matte_step: int, smooth: Array, busy: Array, step: int,
            halo: float, grain: Array, shift: tuple[int, int], tone: tuple[float, ...], to_linear: Array,
            to_display: Array) -> None:
    # smooth (sh, sw, 11): fill 0-2, correction 3-5, feather 6, halo weight 7, halo light 8-10
    luma_from, cb_from, cr_from = source
    y, u, v = planes
    out, alpha, edge = face
    shift_x, shift_y = shift
    black, white, middle, reach, kr, kb, top = tone
    kg = 1 - kr - kb
    h, w = gone.shape
    fh, fw = ids.shape
    mh = matte.shape[0]
    sh, sw = busy.shape
    span = white - black
    step_x, step_y = 1 + shift_x, 1 + shift_y
    rest = _at_rest(grid)
    channels = smooth.shape[2]
    across = np.empty((step_y, sw, channels), np.float32)  # the rows of `smooth` at the heights of the luma rows
    for cj in range(y0 >> shift_y, ((y0 + h - 1) >> shift_y) + 1):
        for dj in range(step_y):
            cy = min(max((cj * step_y + dj - y0 + 0.5) / step - 0.5, 0.0), sh - 1.001)
            sj = int(cy)
            low = np.float32(cy - sj)
            for si in range(sw):
                for c in range(channels):
                    up = smooth[sj, si, c]
                    across[dj, si, c] = up + low * (smooth[min(sj + 1, sh - 1), si, c] - up)
        for ci in range(x0 >> shift_x, ((x0 + w - 1) >> shift_x) + 1):
            blended, moved, blue, red, cells = 0, 0, 0.0, 0.0, 0
            cmx, cmy = 0.0, 0.0
            for dj in range(step_y):
                j = cj * step_y + dj - y0
                if j < 0 or j >= h:
                    continue
                for di in range(step_x):
                    i = ci * step_x + di - x0
                    if i < 0 or i >= w:
                        continue
                    cells += 1
                    near = busy[min(j // step, sh - 1), min(i // step, sw - 1)]
                    bi, bj = i // WARP_GRID, j // WARP_GRID
                    mx, my, moves = 0.0, 0.0, False
                    if not rest[bj, bi]:
                        fx, fy = i / WARP_GRID - bi, j / WARP_GRID - bj
                        mx = ((1 - fy) * ((1 - fx) * grid[bj, bi, 0] + fx * grid[bj, bi + 1, 0])
                              + fy * ((1 - fx) * grid[bj + 1, bi, 0] + fx * grid[bj + 1, bi + 1, 0]))
                        my = ((1 - fy) * ((1 - fx) * grid[bj, bi, 1] + fx * grid[bj, bi + 1, 1])
                              + fy * ((1 - fx) * grid[bj + 1, bi, 1] + fx * grid[bj + 1, bi + 1, 1]))
                        moves = mx * mx + my * my > STILL * STILL
                        if not moves:
                            mx, my = 0.0, 0.0
                    elif not near:
                        continue
                    cmx += mx
                    cmy += my
                    touched = False
                    under, a, ring, halo_here = 0.0, 0.0, 0.0, 0.0
                    if near:
                        cx = min(max((i + 0.5) / step - 0.5, 0.0), sw - 1.001)
                        si = int(cx)
                        si1 = min(si + 1, sw - 1)
                        part = np.float32(cx - si)
                        rest_of = np.float32(1) - part
                        ring = rest_of * across[dj, si, 6] + part * across[dj, si1, 6]
                        halo_here = halo * (rest_of * across[dj, si, 7] + part * across[dj, si1, 7])
                        fi, fj = i - rx, j - ry
                        inside = 0 <= fi < fw and 0 <= fj < fh
                        if inside:
                            e = edge[fj, fi]
                            a = alpha[fj, fi] * min(max((e - 0.35) / 0.5, 0.0), 1.0)
                            under = min(max(2 * e - 1, 0.0), 1.0)
                        # the very place of a hole is never shown, however its neighbourhood is warped
                        if under < WHOLE:
                            under = max(under, min(_bilinear(gone, i + mx, j + my) / 255 * 1.3, 1.0))
                        under = max(under, ring)
                        if mh > 0:
                            free = 1 - _bilinear(matte, (i + mx + 0.5) / matte_step - 0.5, (j + my + 0.5) / matte_step - 0.5)
                            free = min(max(free, 0.0), 1.0)
                            a *= free
                            under *= free
                            halo_here *= free  # the rim of light is the face's, not the hair's in front of it
                        halo_here = halo_here if halo_here > LEAST_HALO else 0.0
                        touched = under > 0 or a > 0 or halo_here > 0
                    px, py = i + mx, j + my
                    if not touched:
                        if moves:
                            moved += 1
                            y[j + y0, i + x0] = min(max(_bicubic(luma_from, px, py) + 0.5, 0.0), top)
                        continue
                    fi, fj = i - rx, j - ry
                    drawn = a > 0 and 0 <= fi < fw and 0 <= fj < fh and ids[fj, fi] >= 0
                    only_face, only_fill = drawn and a > WHOLE, under > WHOLE
                    r, g, b = 0.0, 0.0, 0.0
                    if not (only_face or only_fill):
                        ccx, ccy = px / step_x, (py - 0.5 * shift_y) / step_y
                        pb, pr = (_bilinear(cb_from, ccx, ccy) - middle) / reach, (_bilinear(cr_from, ccx, ccy) - middle) / reach
                        luma = ((_bicubic(luma_from, px, py) if moves else float(luma_from[j, i])) - black) / span
                        r, b = luma + 2 * (1 - kr) * pr, luma + 2 * (1 - kb) * pb
                        g = (luma - kr * r - kb * b) / kg
                    for c in range(3):
                        light = 0.0
                        if not only_face:
                            light = rest_of * across[dj, si, c] + part * across[dj, si1, c]  # the fill
                            if not only_fill:
                                full = 1 - (1 - under) * (1 - a) if a > 0 and not drawn else under
                                seen = _linear(r if c == 0 else g if c == 1 else b, to_linear)
                                light = seen + (light - seen) * full
                        if drawn:
                            fixed = rest_of * across[dj, si, 3 + c] + part * across[dj, si1, 3 + c]
                            light += (out[fj, fi, c] * fixed - light) * (1.0 if only_face else a)
                        if halo_here > 0:
                            soft = rest_of * across[dj, si, 8 + c] + part * across[dj, si1, 8 + c]
                            light += (soft - light) * halo_here
                        shown = to_display[int(math.sqrt(min(max(light, 0.0), 1.0)) * 4096)]
                        if c == 0:
                            r = shown
                        elif c == 1:
                            g = shown
                        else:
                            b = shown
                    luma = kr * r + kg * g + kb * b
                    noise = 0.0
                    if grain.shape[0] > 0:
                        noise = grain[j % grain.shape[0], i % grain.shape[1]] * max(under, a)
                    y[j + y0, i + x0] = min(max(black + (luma + noise) * span + 0.5, 0.0), top)
                    blue += (b - luma) / (2 * (1 - kb))
                    red += (r - luma) / (2 * (1 - kr))
                    blended += 1
            if blended > 0:  # one touched pixel is enough to replace the cell: nothing of the covered colour may stay behind
                u[cj, ci] = min(max(middle + blue / blended * reach + 0.5, 0.0), top)
                v[cj, ci] = min(max(middle + red / blended * reach + 0.5, 0.0), top)
            elif moved > 0:
                ccx, ccy = ci - (x0 >> shift_x) + cmx / cells / step_x, cj - (y0 >> shift_y) + cmy / cells / step_y
                u[cj, ci] = min(max(_bilinear(cb_from, ccx, ccy) + 0.5, 0.0), top)
                v[cj, ci] = min(max(_bilinear(cr_from, ccx, ccy) + 0.5, 0.0), top)


def finish(frame: Frame, source: tuple[Array, ...], planes: tuple[Array, ...], x0: int, y0: int, grid: Array,
           light: Array, ids: Array, alpha: Array, edge: Array, place: tuple[int, int], gone: Array, matte: Array | None,
           matte_step: int, smooth: Array, busy: Array, step: int, halo: float, grain: Array) -> None:
    """Write a crop into `planes`.

    Parameters
    ----------
    source : copies of the blanked planes, the crop only (x0 and y0 are even)
    grid : (n, m, 2) px displacement every WARP_GRID px
    light, ids, alpha, edge : (fh, fw, 3) linear and (fh, fw), the face, at `place` (x, y) in the crop
    gone : (h, w) uint8, the blanked mask, soft
    matte : (h / matte_step, w / matte_step) or None
    smooth, busy : (sh, sw, 11) and (sh, sw) on cells of `step` px
    grain : a tile of noise, display units, or empty
    """
    kept = np.zeros((0, 0), np.float32) if matte is None else matte
    tone = (*levels(frame), *luma_weights(frame.colour, frame.height), float((1 << frame.depth) - 1))
    _finish(source, planes, x0, y0, grid, (light, alpha, edge), ids, *place, gone, kept, matte_step, smooth, busy, step, halo,
            grain, frame.chroma_shift, tone, TO_LINEAR, TO_DISPLAY)
