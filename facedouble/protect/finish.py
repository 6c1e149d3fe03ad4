"""The last step over every pixel of a crop: surroundings that follow the double's outline, fill, face, seam, halo, grain.

Everything smooth comes on a coarse grid and is interpolated here; only the face, its alpha and its edge have every pixel. A
pixel that nothing touches keeps its sample; one that only moves is resampled in its own plane and never becomes RGB.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from facedouble.colour import levels, luma_weights
from facedouble.raster import TO_DISPLAY, TO_LINEAR
from facedouble.types import Array, Frame

STILL = 0.05  # px of displacement that count as none
LEAST_HALO = 1 / 512
WHOLE = 0.9995  # from which share on nothing else is looked at
WARP_GRID = 8  # px


# numba works in double precision as soon as one operand is no float32, and turns each signed index round that is negative
_f32: Any = np.float32
_u16: Any = np.uint16
_at: Any = np.uintp
_0, _1, _2, _3, _5, _HALF = (_f32(x) for x in (0, 1, 2, 3, 5, 0.5))
_SOLID = _f32((1 + WHOLE) / 2 + 1e-4)  # edge from which the fill is whole
_WHOLE, _LEAST_HALO, _STILL2 = _f32(WHOLE), _f32(LEAST_HALO), _f32(STILL * STILL)
_SPREAD, _EDGE_FROM, _PER_EDGE = _f32(1.3 / 255), _f32(0.35), _f32(1 / 0.5)
_PER_GRID, _QUARTER = _f32(1 / WARP_GRID), _f32(0.25)
_FINE = _f32(4096)  # steps of the table of the display curve
_STEPS = _f32(16384)  # and of the linear one


@njit(inline="always")
def _cubic(f: float) -> tuple[Any, Any, Any, Any]:
    """Keys' weights (a = -1/2), IEEE ASSP 29(6), 1981."""
    f2 = f * f
    f3 = f2 * f
    return (f2 - _HALF * (f + f3), _1 + _HALF * (_3 * f3 - _5 * f2), _HALF * (f - _3 * f3) + _2 * f2, _HALF * (f3 - f2))


@njit(nogil=True, fastmath=True)
def _bicubic(plane: Array, i: int, j: int, x: float, y: float) -> Any:
    """The plane's sample `x` and `y` in [0, 1) px beyond (i, j); border repeated."""
    h, w = plane.shape
    a, b, c, d = _cubic(x)
    i0, i1, i2, i3 = min(max(i - 1, 0), w - 1), min(max(i, 0), w - 1), min(max(i + 1, 0), w - 1), min(max(i + 2, 0), w - 1)
    total = _0
    for k, weight in enumerate(_cubic(y)):
        row = plane[min(max(j + k - 1, 0), h - 1)]
        total += weight * (a * _f32(row[i0]) + b * _f32(row[i1]) + c * _f32(row[i2]) + d * _f32(row[i3]))
    return total


@njit(nogil=True, fastmath=True)
def _run(r0: Array, r1: Array, r2: Array, r3: Array, x: Array, y: Array, out: Array) -> None:
    """Bicubic samples of four rows: out[n] is `x[n]` px beyond the rows' n + 1, `y[n]` beyond `r1`. Contiguous, so in vectors."""
    for n in range(out.size):
        a, b, c, d = _cubic(x[n])
        e, f, g, k = _cubic(y[n])
        p0, p1, p2, p3 = _f32(r0[n]), _f32(r0[n + 1]), _f32(r0[n + 2]), _f32(r0[n + 3])
        q0, q1, q2, q3 = _f32(r1[n]), _f32(r1[n + 1]), _f32(r1[n + 2]), _f32(r1[n + 3])
        s0, s1, s2, s3 = _f32(r2[n]), _f32(r2[n + 1]), _f32(r2[n + 2]), _f32(r2[n + 3])
        t0, t1, t2, t3 = _f32(r3[n]), _f32(r3[n + 1]), _f32(r3[n + 2]), _f32(r3[n + 3])
        out[n] = (e * (a * p0 + b * p1 + c * p2 + d * p3) + f * (a * q0 + b * q1 + c * q2 + d * q3)
                  + g * (a * s0 + b * s1 + c * s2 + d * s3) + k * (a * t0 + b * t1 + c * t2 + d * t3))


@njit(nogil=True, fastmath=True)
def _lerp(a: Array, b: Array, part: float, out: Array) -> None:
    for n in range(out.size):
        out[n] = a[n] + part * (b[n] - a[n])


@njit(nogil=True, fastmath=True)
def _ramps(a: Array, first: int, last: int, out: Array) -> None:
    """Values at grid points -> at the pixels of the grid's cells `first` to `last`."""
    for k in range(first, last):
        base, slope = a[k], (a[k + 1] - a[k]) * _PER_GRID
        for n in range(min(WARP_GRID, out.size - k * WARP_GRID)):
            out[k * WARP_GRID + n] = base + _f32(n) * slope


@njit(nogil=True, fastmath=True)
def _split(move: Array, whole: Array, part: Array) -> None:
    for n in range(move.size):
        down = math.floor(move[n])
        whole[n], part[n] = np.int32(down), move[n] - _f32(down)


@njit(nogil=True, fastmath=True)
def _still(x: Array, y: Array) -> None:
    for n in range(x.size):
        moves = x[n] * x[n] + y[n] * y[n] > _STILL2
        x[n], y[n] = x[n] if moves else _0, y[n] if moves else _0


@njit(nogil=True)
def _resampled(plane: Array, j: int, rest: Array, gx: Array, gy: Array, x: Array, y: Array, whole: Array, part: Array,
               out: Array) -> None:
    """What row j of the plane is moved by, x and y (w,) px, and its samples there, in the cells of the grid that are not at rest.

    Where the whole-pixel part of the move stays the same, the samples are contiguous.
    """
    h, w = plane.shape
    k, cells = 0, min(rest.size, (w + WARP_GRID - 1) // WARP_GRID)
    while k < cells:
        if rest[k]:
            x[k * WARP_GRID : (k + 1) * WARP_GRID], y[k * WARP_GRID : (k + 1) * WARP_GRID] = _0, _0
            k += 1
            continue
        first = k
        while k < cells and not rest[k]:
            k += 1
        a, b = first * WARP_GRID, min(k * WARP_GRID, w)
        _ramps(gx, first, k, x)
        _ramps(gy, first, k, y)
        _still(x[a:b], y[a:b])
        _split(x[a:b], whole[0, a:b], part[0, a:b])
        _split(y[a:b], whole[1, a:b], part[1, a:b])
        while a < b:
            ox, oy, c = whole[0, a], whole[1, a], a + 1
            while c < b and whole[0, c] == ox and whole[1, c] == oy:
                c += 1
            top = j + oy - 1
            inner_a, inner_c = min(max(a, 1 - ox), c), max(min(c, w - 2 - ox), a)
            if top < 0 or top + 3 >= h or inner_c <= inner_a:
                inner_a = inner_c = c
            for i in range(a, inner_a):
                out[i] = _bicubic(plane, i + ox, j + oy, part[0, i], part[1, i])
            if inner_c > inner_a:
                p, q = inner_a + ox - 1, inner_c + ox + 2
                _run(plane[top, p:q], plane[top + 1, p:q], plane[top + 2, p:q], plane[top + 3, p:q], part[0, inner_a:inner_c],
                     part[1, inner_a:inner_c], out[inner_a:inner_c])
            for i in range(inner_c, c):
                out[i] = _bicubic(plane, i + ox, j + oy, part[0, i], part[1, i])
            a = c


@njit(nogil=True, fastmath=True)
def _bilinear(plane: Array, x: float, y: float) -> Any:
    h, w = plane.shape
    x, y = min(max(x, _0), _f32(w - 1)), min(max(y, _0), _f32(h - 1))
    i, j = int(x), int(y)
    fx, fy = x - _f32(i), y - _f32(j)
    i0, j0, i1, j1 = _at(i), _at(j), _at(min(i + 1, w - 1)), _at(min(j + 1, h - 1))
    f32 = np.float32
    up = f32(plane[j0, i0]) + fx * (f32(plane[j0, i1]) - f32(plane[j0, i0]))
    low = f32(plane[j1, i0]) + fx * (f32(plane[j1, i1]) - f32(plane[j1, i0]))
    return up + fy * (low - up)


@njit(inline="always")
def _linear(v: float, table: Array) -> Any:
    s = min(max(v, _0), _1) * _STEPS
    k = _at(min(int(s), 16383))
    return table[k] + (s - _f32(k)) * (table[k + _at(1)] - table[k])


@njit(inline="always")
def _display(light: float, table: Array) -> Any:
    return table[_at(math.sqrt(min(max(light, _0), _1)) * _FINE)]


@njit(inline="always")
def _between(row: Array, i: int, j: int, c: int, part: float) -> Any:
    """Channel c of a row of `smooth`, `part` of the way from cell i to cell j."""
    low = row[i + _at(c)]
    return low + part * (row[j + _at(c)] - low)


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


@njit(cache=True, nogil=True)
def _columns(count: int, step: int, cells: int) -> tuple[Array, Array, Array]:
    """For each pixel: the cell that it is in, the two cells around it by their middles (the first of them), the way between."""
    own, first, part = np.empty(count, np.int64), np.empty(count, np.int64), np.empty(count, np.float32)
    for i in range(count):
        at = min(max((i + 0.5) / step - 0.5, 0.0), cells - 1.001)
        own[i], first[i] = min(i // step, cells - 1), max(int(at), 0)
        part[i] = max(at - int(at), 0.0)
    return own, first, part


@njit(cache=True, nogil=True)
def _blocks(rest: Array, busy: Array, own_i: Array, own_j: Array) -> Array:
    """For each row and each WARP_GRID pixels of it: 0 nothing happens there, 1 they move at most, 2 they may be blended."""
    h, w = own_j.size, own_i.size
    count = (w + WARP_GRID - 1) // WARP_GRID
    states = np.empty((h, count), np.uint8)
    for j in range(h):
        for k in range(count):
            near = False
            for i in range(own_i[k * WARP_GRID], own_i[min(k * WARP_GRID + WARP_GRID, w) - 1] + 1):
                near |= busy[own_j[j], i] != 0
            states[j, k] = 2 if near else 0 if rest[j // WARP_GRID, k] else 1
    return states


@njit(nogil=True, fastmath=True)
def _put_moved(x: Array, y: Array, seen: Array, top: float, to: Array, kinds: Array) -> None:
    for n in range(to.size):
        moves = x[n] != 0 or y[n] != 0
        kinds[n] = 1 if moves else 0
        if moves:
            to[n] = _u16(min(max(seen[n] + _HALF, _0), top))


@njit(nogil=True, fastmath=True)
def _opaque(edges: Array, alphas: Array, own: Array, rx: int, w: int, plan: Array) -> None:
    """Where a whole block of a row that may be blended shows nothing but fill and face: 3; nothing but the face: 4."""
    fw = edges.size
    first = (max(rx, 0) + WARP_GRID - 1) // WARP_GRID
    for k in range(first, min(rx + fw, w) // WARP_GRID):
        if plan[k] != 2:
            continue
        a = k * WARP_GRID - rx
        least_edge, least_alpha, outside = _1, _1, False
        for n in range(a, a + WARP_GRID):
            least_edge, least_alpha = min(least_edge, edges[n]), min(least_alpha, alphas[n])
            outside |= own[n] < 0
        if least_edge > _SOLID:
            plan[k] = 4 if least_alpha > _WHOLE and not outside else 3


@njit(nogil=True, fastmath=True)
def _ramp(row: Array, first: Array, second: Array, part: Array, channel: int, out: Array) -> None:
    """A channel of a row of `smooth` at pixels."""
    for n in range(out.size):
        low = row[_at(first[n] + channel)]
        out[n] = low + part[n] * (row[_at(second[n] + channel)] - low)


@njit(nogil=True, fastmath=True)
def _shown(light: Array, channel: int, table: Array, out: Array) -> None:
    """Display values of what the factors in `out` make of the face's light."""
    for n in range(out.size):
        out[n] = table[_at(math.sqrt(min(max(light[n, channel] * out[n], _0), _1)) * _FINE)]


@njit(nogil=True, fastmath=True)
def _shown_with_halo(light: Array, channel: int, table: Array, glow: Array, halo: Array, out: Array) -> None:
    for n in range(out.size):
        v = light[n, channel] * out[n]
        v += (glow[n] - v) * halo[n]
        out[n] = table[_at(math.sqrt(min(max(v, _0), _1)) * _FINE)]


@njit(nogil=True, fastmath=True)
def _halo_of(halo: float, out: Array) -> bool:
    """Weights of the halo from those of the rim, in place; whether there are any."""
    most = _0
    for n in range(out.size):
        v = halo * out[n]
        v = v if v > _LEAST_HALO else _0
        most = max(most, v)
        out[n] = v
    return bool(most > 0)


@njit(nogil=True, fastmath=True)
def _put_face(rgb: Array, noise: Array, tone: tuple[float, ...], to: Array, blue: Array, red: Array) -> None:
    black, white, _, _, kr, kb, top = tone
    kg, span = _1 - kr - kb, white - black
    for n in range(to.size):
        luma = kr * rgb[0, n] + kg * rgb[1, n] + kb * rgb[2, n]
        blue[n], red[n] = rgb[2, n] - luma, rgb[0, n] - luma
        to[n] = _u16(np.int32(min(max(black + (luma + noise[n]) * span + _HALF, _0), top)))


@njit(nogil=True)
def _face_run(light: Array, row: Array, first: Array, second: Array, part: Array, halo: float, noise: Array,
              tone: tuple[float, ...], to_display: Array, rows: Array, to: Array, blue: Array, red: Array) -> None:
    """Pixels of a row where the face is all there is, but for halo and grain. Step by step, each in vectors."""
    rgb, around = rows[:3], rows[3]
    _ramp(row, first, second, part, 7, around)
    glows = _halo_of(halo, around)
    for c in range(3):
        _ramp(row, first, second, part, 3 + c, rgb[c])
        if glows:
            _ramp(row, first, second, part, 8 + c, rows[4])
            _shown_with_halo(light, c, to_display, rows[4], around, rgb[c])
        else:
            _shown(light, c, to_display, rgb[c])
    _put_face(rgb, noise, tone, to, blue, red)


@njit(cache=True, nogil=True, fastmath=True)
def _finish(source: tuple[Array, ...], planes: tuple[Array, ...], x0: int, y0: int, grid: Array, face: tuple[Array, ...],
            ids: Array, rx: int, ry: int, gone: Array, matte: Array, matte_step: int, smooth: Array, busy: Array, step: int,
            halo: float, grain: Array, shift: tuple[int, int], tone: tuple[float, ...], to_linear: Array,
            to_display: Array, alone: Array, mark: int) -> None:
    # smooth (sh, sw, 11): fill 0-2, correction 3-5, feather 6, halo weight 7, halo light 8-10
    luma_from, cb_from, cr_from = source
    y, u, v = planes
    out, alpha, edge = face
    shift_x, shift_y = shift
    black, white, middle, reach, kr, kb, top = tone
    kg = _1 - kr - kb
    h, w = gone.shape
    fh, fw = ids.shape
    mh = matte.shape[0]
    sh, sw = busy.shape
    span, per_span, per_reach = white - black, _1 / (white - black), _1 / reach
    to_red, to_blue, per_green = _2 * (_1 - kr), _2 * (_1 - kb), _1 / kg
    of_red, of_blue = _HALF / (_1 - kr) * reach, _HALF / (_1 - kb) * reach
    per_x, per_y, down = _1 / _f32(1 + shift_x), _1 / _f32(1 + shift_y), _HALF * _f32(shift_y)
    per_matte = _1 / _f32(max(matte_step, 1))
    step_x, step_y = 1 + shift_x, 1 + shift_y
    rest = _at_rest(grid)
    own_i, first_i, part_i = _columns(w, step, sw)
    second_i = np.minimum(first_i + 1, sw - 1) * smooth.shape[2]
    first_i = first_i * smooth.shape[2]
    tile_i = np.arange(w) % max(grain.shape[1], 1)
    nothing = np.empty(0, np.float32)
    own_j, first_j, part_j = _columns(h, step, sh)
    channels = smooth.shape[2]
    flat = smooth.reshape(sh, sw * channels)
    across = np.empty((step_y, sw * channels), np.float32)  # the rows of `smooth` at the heights of the luma rows
    gx, gy = np.empty(grid.shape[1], np.float32), np.empty(grid.shape[1], np.float32)
    move_x, move_y, sampled = (np.empty((step_y, w), np.float32), np.empty((step_y, w), np.float32),
                               np.empty((step_y, w), np.float32))
    whole, between = np.empty((2, w), np.int32), np.empty((2, w), np.float32)
    blocks = (w + WARP_GRID - 1) // WARP_GRID
    kind = np.zeros((step_y, w), np.uint8)  # of each pixel of a row of chroma: 0 stays, 1 only moves, 2 is blended
    blue, red = np.empty((step_y, w), np.float32), np.empty((step_y, w), np.float32)
    states = _blocks(rest, busy, own_i, own_j)
    grainy = grain.shape[0] > 0
    plan, calm = np.empty(blocks, np.uint8), np.empty(rest.shape[1], np.bool_)  # what happens in the blocks of a row
    room, noises = np.empty((5, w), np.float32), np.zeros(w, np.float32)
    for cj in range(y0 >> shift_y, ((y0 + h - 1) >> shift_y) + 1):
        for dj in range(step_y):
            j = cj * step_y + dj - y0
            if j < 0 or j >= h:
                kind[dj] = 0
                continue
            _lerp(flat[first_j[j]], flat[min(first_j[j] + 1, sh - 1)], part_j[j], across[dj])
            bj, fj = j // WARP_GRID, j - ry
            fy = _f32(j - bj * WARP_GRID) * _PER_GRID
            _lerp(grid[bj, :, 0], grid[bj + 1, :, 0], fy, gx)
            _lerp(grid[bj, :, 1], grid[bj + 1, :, 1], fy, gy)
            in_face = 0 <= fj < fh
            fj = max(min(fj, fh - 1), 0)
            edges, alphas, own, lights = edge[fj], alpha[fj], ids[fj], out[fj]
            plan[:], calm[:] = states[j], rest[bj]
            if in_face and mh == 0:
                _opaque(edges, alphas, own, rx, w, plan)
                for k in range(blocks):
                    calm[k] |= plan[k] >= 3  # what lies under is not seen
            _resampled(luma_from, j, calm, gx, gy, move_x[dj], move_y[dj], whole, between, sampled[dj])
            row, near_row, kinds, to, was = across[dj], busy[own_j[j]], kind[dj], y[j + y0, x0 : x0 + w], luma_from[j]
            dx, dy, seen_there, blue_row, red_row = move_x[dj], move_y[dj], sampled[dj], blue[dj], red[dj]
            noise = grain[j % grain.shape[0]] if grainy else nothing
            fj32 = _f32(j)
            b_i = 0
            while b_i < w:
                a_i, state = b_i, plan[b_i // WARP_GRID]
                while b_i < w and plan[b_i // WARP_GRID] == state:
                    b_i += WARP_GRID
                b_i = min(b_i, w)
                if state == 0:
                    kinds[a_i:b_i] = 0
                    continue
                if state == 1:
                    alone[j, a_i:b_i] = 0
                    _put_moved(dx[a_i:b_i], dy[a_i:b_i], seen_there[a_i:b_i], top, to[a_i:b_i], kinds[a_i:b_i])
                    continue
                if state == 4:
                    if grainy:
                        for i in range(a_i, b_i):
                            noises[i] = noise[tile_i[i]]
                    _face_run(lights[a_i - rx : b_i - rx], row, first_i[a_i:b_i], second_i[a_i:b_i], part_i[a_i:b_i], halo,
                              noises[a_i:b_i], tone, to_display, room[:, a_i:b_i], to[a_i:b_i], blue[dj, a_i:b_i],
                              red[dj, a_i:b_i])
                    kinds[a_i:b_i] = 2
                    alone[j, a_i:b_i] = mark
                    continue
                for i in range(a_i, b_i):
                    iu = _at(i)
                    mx, my = dx[iu], dy[iu]
                    moves = mx != 0 or my != 0
                    near = near_row[own_i[iu]]
                    if not (moves or near):
                        kinds[iu] = 0
                        continue
                    px, py = _f32(i) + mx, fj32 + my
                    touched, drawn = False, False
                    under, a, halo_here, part = _0, _0, _0, _0
                    si, si1, fi = _at(0), _at(0), _at(0)
                    if near:
                        si, si1, part = _at(first_i[iu]), _at(second_i[iu]), part_i[iu]
                        halo_here = halo * _between(row, si, si1, 7, part)
                        if in_face and 0 <= i - rx < fw:
                            fi = _at(i - rx)
                            e = edges[fi]
                            a = alphas[fi] * min(max((e - _EDGE_FROM) * _PER_EDGE, _0), _1)
                            under = min(max(_2 * e - _1, _0), _1)
                            drawn = a > 0 and own[fi] >= 0
                        # the very place of a hole is never shown, however its neighbourhood is warped
                        if under < _WHOLE:
                            under = max(under, min(_bilinear(gone, px, py) * _SPREAD, _1))
                        under = max(under, _between(row, si, si1, 6, part))
                        if mh > 0:
                            free = _1 - _bilinear(matte, (px + _HALF) * per_matte - _HALF, (py + _HALF) * per_matte - _HALF)
                            free = min(max(free, _0), _1)
                            a *= free
                            under *= free
                            drawn = drawn and a > 0
                            halo_here *= free  # the rim of light is the face's, not the hair's in front of it
                        halo_here = halo_here if halo_here > _LEAST_HALO else _0
                        touched = under > 0 or a > 0 or halo_here > 0
                    if touched or moves:
                        alone[j, iu] = 0
                    if not touched:
                        kinds[iu] = 1 if moves else 0
                        if moves:
                            to[iu] = _u16(min(max(seen_there[iu] + _HALF, _0), top))
                        continue
                    only_face, only_fill = drawn and a > _WHOLE, under > _WHOLE
                    r, g, b = _0, _0, _0
                    if only_face:
                        alone[j, iu] = mark
                    else:
                        r, g, b = (_between(row, si, si1, 0, part), _between(row, si, si1, 1, part),
                                   _between(row, si, si1, 2, part))  # the fill
                        if only_fill:
                            alone[j, iu] = mark
                        else:
                            ccx, ccy = px * per_x, (py - down) * per_y
                            pb = (_bilinear(cb_from, ccx, ccy) - middle) * per_reach
                            pr = (_bilinear(cr_from, ccx, ccy) - middle) * per_reach
                            seen = seen_there[iu] if moves else _f32(was[iu])
                            luma = (seen - black) * per_span
                            r_seen, b_seen = luma + to_red * pr, luma + to_blue * pb
                            g_seen = _linear((luma - kr * r_seen - kb * b_seen) * per_green, to_linear)
                            r_seen, b_seen = _linear(r_seen, to_linear), _linear(b_seen, to_linear)
                            full = _1 - (_1 - under) * (_1 - a) if a > 0 and not drawn else under
                            r, g, b = r_seen + (r - r_seen) * full, g_seen + (g - g_seen) * full, b_seen + (b - b_seen) * full
                    if drawn:
                        share = _1 if only_face else a
                        r += (lights[fi, 0] * _between(row, si, si1, 3, part) - r) * share
                        g += (lights[fi, 1] * _between(row, si, si1, 4, part) - g) * share
                        b += (lights[fi, 2] * _between(row, si, si1, 5, part) - b) * share
                    if halo_here > 0:
                        r += (_between(row, si, si1, 8, part) - r) * halo_here
                        g += (_between(row, si, si1, 9, part) - g) * halo_here
                        b += (_between(row, si, si1, 10, part) - b) * halo_here
                    r, g, b = _display(r, to_display), _display(g, to_display), _display(b, to_display)
                    luma = kr * r + kg * g + kb * b
                    blue_row[iu] = b - luma
                    red_row[iu] = r - luma
                    kinds[iu] = 2
                    if grainy:
                        luma += noise[tile_i[iu]] * max(under, a)
                    to[iu] = _u16(min(max(black + luma * span + _HALF, _0), top))
        first, second = min(max(cj * step_y - y0, 0), h - 1), min(max(cj * step_y + shift_y - y0, 0), h - 1)
        rows = 1 if first == second else 2
        u_row, v_row, cj32 = u[cj], v[cj], _f32(cj - (y0 >> shift_y))
        kind_a, kind_b = kind[first - cj * step_y + y0], kind[second - cj * step_y + y0]
        x_a, x_b = move_x[first - cj * step_y + y0], move_x[second - cj * step_y + y0]
        y_a, y_b = move_y[first - cj * step_y + y0], move_y[second - cj * step_y + y0]
        for block in range(blocks):
            if states[first, block] == 0 and states[second, block] == 0:
                continue
            a_i, b_i = x0 + block * WARP_GRID, x0 + min(block * WARP_GRID + WARP_GRID, w)
            for ci in range(a_i >> shift_x, ((b_i - 1) >> shift_x) + 1):
                ia, ib = _at(ci * step_x - x0), _at(min(ci * step_x - x0 + shift_x, w - 1))
                most = max(kind_a[ia], kind_a[ib], kind_b[ia], kind_b[ib])
                if most == 2:  # one touched pixel is enough to replace the cell: nothing of the covered colour may stay behind
                    blended, blues, reds = 0, _0, _0
                    for dj in range(rows):
                        for n in range(ia, ib + _at(1)):
                            if kind[dj, n] == 2:
                                blended += 1
                                blues += blue[dj, n]
                                reds += red[dj, n]
                    share = _1 / _f32(blended)
                    u_row[ci] = _u16(min(max(middle + blues * share * of_blue + _HALF, _0), top))
                    v_row[ci] = _u16(min(max(middle + reds * share * of_red + _HALF, _0), top))
                elif most == 1:
                    ccx = _f32(ci - (x0 >> shift_x)) + (x_a[ia] + x_a[ib] + x_b[ia] + x_b[ib]) * _QUARTER * per_x
                    ccy = cj32 + (y_a[ia] + y_a[ib] + y_b[ia] + y_b[ib]) * _QUARTER * per_y
                    u_row[ci] = _u16(min(max(_bilinear(cb_from, ccx, ccy) + _HALF, _0), top))
                    v_row[ci] = _u16(min(max(_bilinear(cr_from, ccx, ccy) + _HALF, _0), top))


def finish(frame: Frame, source: tuple[Array, ...], planes: tuple[Array, ...], x0: int, y0: int, grid: Array,
           light: Array, ids: Array, alpha: Array, edge: Array, place: tuple[int, int], gone: Array, matte: Array | None,
           matte_step: int, smooth: Array, busy: Array, step: int, halo: float, grain: Array, alone: Array | None = None,
           mark: int = 0) -> None:
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
    alone : (h, w) uint8, becomes `mark` where no sample of the crop has any part in a pixel, 0 where one has
    """
    kept = np.zeros((0, 0), np.float32) if matte is None else matte
    tone = tuple(_f32(x) for x in (*levels(frame), *luma_weights(frame.colour, frame.height), (1 << frame.depth) - 1))
    _finish(source, planes, x0, y0, grid, (light, alpha, edge), ids, *place, gone, kept, matte_step, smooth, busy, step,
            _f32(halo), grain, frame.chroma_shift, tone, TO_LINEAR, TO_DISPLAY,
            np.zeros(gone.shape, np.uint8) if alone is None else alone, mark)
