"""The drawing's kernels against slow, plain twins."""

from __future__ import annotations

import math
from fractions import Fraction

import cv2
import numpy as np
import pytest

from facedouble.colour import levels, luma_weights, mean_rgb, picture, put_cells, reduced
from facedouble.morphable.topology import topology
from facedouble.protect.face import CRISP, DEEP, _cells, _eased, area, surroundings_move
from facedouble.protect.finish import STILL, WARP_GRID, WHOLE, finish
from facedouble.protect.texture import DARK_MOUTH, FIXED, LEAST_WEIGHT, MOUTH_CAP, blend, level, level_for, shade
from facedouble.raster import render, wide_blur
from facedouble.types import Array, Colour, Frame


def frame_of(h: int, w: int, pixel_format: str = "yuv420p", seed: int = 0) -> Frame:
    rng = np.random.default_rng(seed)
    top, kind = (1 << 10, np.uint16) if pixel_format.endswith("10le") else (1 << 8, np.uint8)
    sx, sy = (0, 0) if "444" in pixel_format else (1, 0) if "422" in pixel_format else (1, 1)
    shapes = ((h, w), ((h + sy) >> sy, (w + sx) >> sx), ((h + sy) >> sy, (w + sx) >> sx))
    planes = tuple(cv2.GaussianBlur(rng.integers(top // 8, top * 7 // 8, s).astype(np.float32), (0, 0), 1.2).astype(kind)
                   for s in shapes)
    return Frame(0, 0, 1, Fraction(1, 25), planes, pixel_format, Colour())


def to_rgb(frame: Frame, luma: float, cb: float, cr: float) -> Array:
    black, white, middle, reach = levels(frame)
    kr, kb = luma_weights(frame.colour, frame.height)
    y, pb, pr = (luma - black) / (white - black), (cb - middle) / reach, (cr - middle) / reach
    r, b = y + 2 * (1 - kr) * pr, y + 2 * (1 - kb) * pb
    return np.array([r, (y - kr * r - kb * b) / (1 - kr - kb), b])


def from_rgb(frame: Frame, rgb: Array) -> tuple[float, float, float]:
    black, white, middle, reach = levels(frame)
    kr, kb = luma_weights(frame.colour, frame.height)
    y = kr * rgb[0] + (1 - kr - kb) * rgb[1] + kb * rgb[2]
    return (black + y * (white - black), middle + (rgb[2] - y) / (2 * (1 - kb)) * reach,
            middle + (rgb[0] - y) / (2 * (1 - kr)) * reach)


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv422p", "yuv444p", "yuv420p10le"])
def test_cell_means_are_means_of_the_samples_that_count(pixel_format: str) -> None:
    frame = frame_of(24, 30, pixel_format)
    sx, sy = frame.chroma_shift
    skip = np.zeros((15, 17), np.uint8)
    skip[3:9, 5:12] = 1
    x0, y0, step = 4, 6, 4
    mean, weight = mean_rgb(frame, frame.planes, x0, y0, skip, step)
    for j in range(mean.shape[0]):
        for i in range(mean.shape[1]):
            spots = [(y, x) for y in range(j * step, min(j * step + step, 15)) for x in range(i * step, min(i * step + step, 17))]
            seen = [(y, x) for y, x in spots if not skip[y, x]]
            cells = {((y + y0) >> sy, (x + x0) >> sx) for y, x in spots}
            clear = [c for c in cells if not skip[min(max((c[0] << sy) - y0, 0), 14), min(max((c[1] << sx) - x0, 0), 16)]]
            if not seen or not clear:
                assert weight[j, i] == 0
                continue
            assert weight[j, i] == pytest.approx(len(seen) / len(spots))
            luma = np.mean([frame.planes[0][y + y0, x + x0] for y, x in seen])
            cb, cr = (np.mean([frame.planes[k][c] for c in clear]) for k in (1, 2))
            assert np.allclose(mean[j, i], to_rgb(frame, luma, float(cb), float(cr)), atol=1e-4)


def bilinear(image: Array, x: float, y: float) -> Array:
    h, w = image.shape[:2]
    x, y = min(max(x, 0), w - 1), min(max(y, 0), h - 1)
    i, j = min(int(x), max(w - 2, 0)), min(int(y), max(h - 2, 0))
    fx, fy = x - i, y - j
    k, n = min(i + 1, w - 1), min(j + 1, h - 1)
    a = image.astype(np.float64)
    out: Array = (1 - fy) * ((1 - fx) * a[j, i] + fx * a[j, k]) + fy * ((1 - fx) * a[n, i] + fx * a[n, k])
    return out


def test_cells_are_put_only_where_the_mask_is() -> None:
    frame = frame_of(20, 24)
    planes = tuple(p.copy() for p in frame.planes)
    rng = np.random.default_rng(1)
    mask = np.zeros((12, 14), np.uint8)
    mask[3:9, 4:11] = 1
    cells = rng.uniform(0.2, 0.8, (3, 4, 3)).astype(np.float32)
    matte = rng.uniform(0, 1, (6, 7)).astype(np.float32)
    put_cells(frame, planes, cells, 4, mask, matte, 2, 4, 2)
    whole = np.zeros(frame.planes[0].shape, bool)
    whole[2:14, 4:18] = mask > 0
    assert np.array_equal(planes[0][~whole], frame.planes[0][~whole])
    for y, x in zip(*np.nonzero(whole), strict=True):
        j, i = y - 2, x - 4
        luma, _, _ = from_rgb(frame, bilinear(cells, (i + 0.5) / 4 - 0.5, (j + 0.5) / 4 - 0.5))
        m = matte[j // 2, i // 2]
        assert abs(float(planes[0][y, x]) - ((1 - m) * luma + m * frame.planes[0][y, x])) <= 0.51
    touched = np.zeros(frame.planes[1].shape, bool)
    ys, xs = np.nonzero(whole)
    touched[ys >> 1, xs >> 1] = True
    for k in (1, 2):
        assert np.array_equal(planes[k][~touched], frame.planes[k][~touched]) and (planes[k] != frame.planes[k])[touched].any()


def test_reduced_pictures_match_the_whole_one() -> None:
    frame = frame_of(96, 128)
    full = picture(frame).astype(float)
    small = picture(frame, 64).astype(float)
    assert small.shape == (48, 64, 3)
    assert np.abs(cv2.resize(full, (64, 48), interpolation=cv2.INTER_AREA) - small).mean() < 1.5
    crop = reduced(frame, -10, 20, 80, 40).astype(float)
    assert crop.shape == (40, 40, 3) and crop[:, :5].max() < 2  # outside of the frame it is black
    assert np.abs(cv2.resize(full[20:90, 0:70], (35, 35), interpolation=cv2.INTER_AREA) - crop[:35, 5:]).mean() < 1.5


def test_shading_is_albedo_times_light() -> None:
    t = topology()
    rng = np.random.default_rng(2)
    n = 2
    mesh = t.mean[:468] * 60 + [60, 66, 0]
    light = rng.uniform(0.2, 0.8, (468, 3))
    atlas = cv2.GaussianBlur(rng.uniform(0.5, 1.5, (*level(n).mouth.shape, 3)).astype(np.float32), (0, 0), 2)
    out, ids, rim = shade(mesh, light, atlas, n, 140, 120)
    values = np.concatenate([level(n).points, light], 1)
    slow_ids, at = render(mesh, t.triangles, values, 140, 120)
    same = (ids == slow_ids) & (ids >= 0)
    assert (ids == slow_ids).mean() > 0.995 and same.sum() > 4000
    albedo = cv2.remap(atlas, at[..., 0], at[..., 1], cv2.INTER_LINEAR)
    assert np.abs(out - albedo * at[..., 2:])[same].max() < 0.02
    assert rim[ids < 0].max() == 0 and rim.max() == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("gap", [0.02, 0.3])
def test_blending_weighs_the_key_frames_and_never_stretches_teeth(gap: float) -> None:
    rng = np.random.default_rng(3)
    n, keys = 2, 4
    at = level(n)
    h, w = at.mouth.shape
    textures = (rng.uniform(0.3, 2.5, (keys, h, w, 3)) * FIXED).astype(np.uint16)
    by_rows = np.ascontiguousarray(textures.transpose(0, 1, 3, 2))
    weights = np.array([[0.6, 0.4, 0, 0], [0, 1, 0, 0], [0.01, 0, 0.99, 0]])
    key_gaps = np.array([0.05, 0.1, 0.2, 0.3])
    out = blend(by_rows, n, weights, gap, key_gaps)
    inside = [(y, x) for y in range(h) for x in range(at.spans[y, 0], at.spans[y, 1])]
    spots = [inside[i] for i in rng.integers(0, len(inside), 150)] + list(zip(*np.nonzero(at.mouth), strict=True))[::5]
    for y, x in spots:
        share = at.shares[:, y, x] @ weights
        share = np.where(share >= LEAST_WEIGHT, share, 0)
        picked = []
        for key in range(keys):
            if not at.mouth[y, x]:
                picked.append(textures[key, y, x] / FIXED)
                continue
            top, height = at.upper[x], max(at.lower[x] - at.upper[x], 0.5)
            place, dark = min(max((y - top) / height, 0), 1), 0.0
            stretch = gap / max(key_gaps[key], 0.02)
            if stretch > 1.1:
                far = place * stretch if place < 0.5 else (1 - place) * stretch
                dark = min(max(far - 0.5, 0) / 0.12, 1)
                place = min(far, 0.5) if place < 0.5 else 1 - min(far, 0.5)
            row = min(max(top + place * height, 0), h - 1.001)
            teeth = bilinear(textures[key], x, row) / FIXED
            picked.append(np.minimum(teeth, MOUTH_CAP) * (1 - dark) + dark * np.array(DARK_MOUTH))
        assert np.allclose(out[y, x], share @ np.array(picked) / share.sum(), atol=2e-3), (y, x)


def test_cells_of_a_face_hold_means_and_shares() -> None:
    rng = np.random.default_rng(6)
    face, ids = rng.uniform(0, 1, (11, 13, 3)).astype(np.float32), np.where(rng.uniform(size=(11, 13)) < 0.7, 2, -1)
    rim, x, y, step = rng.uniform(0, 1, (11, 13)).astype(np.float32), 3, 2, 4
    light, hole, core = np.zeros((5, 5, 3), np.float32), np.zeros((5, 5), np.float32), np.zeros((5, 5), np.float32)
    _cells(face, ids.astype(np.int16), rim, x, y, step, light, hole, core)
    whole, solid, inner = np.zeros((20, 20, 3)), np.zeros((20, 20)), np.zeros((20, 20))
    whole[y : y + 11, x : x + 13] = face * (ids >= 0)[..., None]
    solid[y : y + 11, x : x + 13], inner[y : y + 11, x : x + 13] = ids >= 0, (ids >= 0) & (rim > 0.5)
    for made, pixels in ((light, whole), (hole, solid), (core, inner)):
        assert np.allclose(made, pixels.reshape(5, 4, 5, 4, -1).mean((1, 3)).reshape(made.shape), atol=1e-5)


def test_easing_is_smoothstep_and_faster_beside_what_is_unlike() -> None:
    rng = np.random.default_rng(8)
    rim, apart = (rng.uniform(0, 1, (9, 13)).astype(np.float32) for _ in range(2))
    alpha = np.empty_like(rim)
    _eased(rim, apart, alpha)
    t = np.minimum(rim * (1 + (CRISP - 1) * apart), 1)
    assert np.allclose(alpha, t * t * (3 - 2 * t), atol=1e-6)
    _eased(rim, np.zeros_like(rim), alpha)
    assert np.allclose(alpha, rim * rim * (3 - 2 * rim), atol=1e-6)


def test_wide_blurs_are_blurs() -> None:
    rng = np.random.default_rng(9)
    image = (cv2.GaussianBlur(rng.uniform(0, 1, (121, 143)).astype(np.float32), (0, 0), 4) > 0.5).astype(np.float32)
    for sigma in (0.8, 3.2, 8.5, 12.0):
        off = np.abs(wide_blur(image, sigma) - cv2.GaussianBlur(image, (0, 0), sigma))
        assert off.max() < 0.02 and off.mean() < 0.004, (sigma, off.max(), off.mean())


def test_a_small_face_gets_a_small_atlas() -> None:
    assert [level_for(s) for s in (40, 100, 190, 400, 2000)] == [2, 2, 1, 0, 0]
    for size in range(100, 1000):  # no texel is seen as large
        assert size / (382 / 2 ** level_for(size)) < 1.27 or level_for(size) == 0


def keys_cubic(plane: Array, x: float, y: float) -> float:
    def weights(f: float) -> list[float]:
        q, c = f * f, f**3
        return [-0.5 * f + q - 0.5 * c, 1 - 2.5 * q + 1.5 * c, 0.5 * f + 2 * q - 1.5 * c, 0.5 * (c - q)]

    h, w = plane.shape
    i, j = math.floor(x), math.floor(y)
    total = 0.0
    for b, wy in enumerate(weights(y - j)):
        for a, wx in enumerate(weights(x - i)):
            total += wy * wx * float(plane[min(max(j + b - 1, 0), h - 1), min(max(i + a - 1, 0), w - 1)])
    return total


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv444p", "yuv420p10le"])
def test_finish_against_its_plain_twin(pixel_format: str) -> None:
    frame = frame_of(48, 56, pixel_format, seed=4)
    rng = np.random.default_rng(5)
    sx, sy = frame.chroma_shift
    x0, y0, h, w, step = 8, 4, 32, 40, 4
    planes = tuple(p.copy() for p in frame.planes)
    source = (planes[0][y0 : y0 + h, x0 : x0 + w].copy(),
              *(p[y0 >> sy : ((y0 + h - 1) >> sy) + 1, x0 >> sx : ((x0 + w - 1) >> sx) + 1].copy() for p in planes[1:]))
    grid = np.zeros((h // WARP_GRID + 2, w // WARP_GRID + 2, 2), np.float32)
    grid[1:4, 2:5] = rng.normal(0, 1.5, (3, 3, 2))
    fh, fw, fx, fy = 14, 16, 10, 8
    light = rng.uniform(0, 0.9, (fh, fw, 3)).astype(np.float32)
    ids = np.where(rng.uniform(size=(fh, fw)) < 0.9, 1, -1).astype(np.int16)
    alpha, edge = (rng.uniform(0, 1, (fh, fw)).astype(np.float32) for _ in range(2))
    alpha[:, :8] = edge[:, :8] = 1
    gone = np.zeros((h, w), np.uint8)
    gone[9:20, 12:25] = 255
    matte = rng.uniform(0, 1, (h // 2, w // 2)).astype(np.float32)
    matte[:8] = 0
    sh, sw = h // step, w // step
    smooth = rng.uniform(0.1, 0.8, (sh, sw, 11)).astype(np.float32)
    smooth[..., 6] *= rng.uniform(size=(sh, sw)) < 0.3
    busy = np.zeros((sh, sw), np.uint8)
    busy[1:6, 2:7] = 1
    halo = 0.4
    alone = rng.integers(0, 2, (h, w)).astype(np.uint8)
    only = alone.copy()
    finish(frame, source, planes, x0, y0, grid, light, ids, alpha, edge, (fx, fy), gone, matte, 2, smooth, busy, step, halo,
           np.zeros((0, 0), np.float32), alone, 7)
    top = (1 << frame.depth) - 1
    want = [p.astype(np.float64) for p in frame.planes]
    for cj in range(y0 >> sy, ((y0 + h - 1) >> sy) + 1):
        for ci in range(x0 >> sx, ((x0 + w - 1) >> sx) + 1):
            chroma, moves, count = [], [], 0
            for j in range((cj << sy) - y0, (cj << sy) - y0 + 1 + sy):
                for i in range((ci << sx) - x0, (ci << sx) - x0 + 1 + sx):
                    move = bilinear(grid, i / WARP_GRID, j / WARP_GRID)
                    still = float(move @ move) <= STILL**2
                    move = move * (not still)
                    moves.append(move)
                    px, py = i + move[0], j + move[1]
                    under = a = rim = 0.0
                    s = bilinear(smooth, min((i + 0.5) / step - 0.5, sw - 1.001), min((j + 0.5) / step - 0.5, sh - 1.001))
                    if busy[j // step, i // step]:
                        inside = 0 <= i - fx < fw and 0 <= j - fy < fh
                        e = float(edge[j - fy, i - fx]) if inside else 0.0
                        a = float(alpha[j - fy, i - fx]) * min(max((e - 0.35) / 0.5, 0), 1) if inside else 0.0
                        under = max(min(max(2 * e - 1, 0), 1), min(float(bilinear(gone, px, py)) / 255 * 1.3, 1), s[6])
                        free = 1 - float(bilinear(matte, (px + 0.5) / 2 - 0.5, (py + 0.5) / 2 - 0.5))
                        a, under, rim = a * free, under * free, halo * s[7] * free
                    sampled = float(source[0][j, i]) if still else keys_cubic(source[0], px, py)
                    whole = under > WHOLE or (a > WHOLE and ids[j - fy, i - fx] >= 0)
                    if not (still and under <= 0 and a <= 0 and rim <= 1 / 512):
                        only[j, i] = 7 if whole else 0
                    if not (under > 0 or a > 0 or rim > 1 / 512):
                        count += not still
                        want[0][j + y0, i + x0] = min(max(sampled, 0), top) if not still else want[0][j + y0, i + x0]
                        continue
                    cb, cr = (float(bilinear(source[k], px / (1 + sx), (py - 0.5 * sy) / (1 + sy))) for k in (1, 2))
                    shown = np.clip(to_rgb(frame, sampled, cb, cr), 0, 1) ** 2.2
                    shown = shown + (s[:3] - shown) * under
                    if a > 0:
                        drawn = ids[j - fy, i - fx] >= 0
                        shown = shown + ((light[j - fy, i - fx] * s[3:6] if drawn else s[:3]) - shown) * a
                    shown = shown + (s[8:11] - shown) * rim
                    y, cb, cr = from_rgb(frame, np.clip(shown, 0, 1) ** (1 / 2.2))
                    want[0][j + y0, i + x0] = min(max(y, 0), top)
                    chroma.append((cb, cr))
            if chroma:
                for k in (0, 1):
                    want[1 + k][cj, ci] = min(max(float(np.mean([c[k] for c in chroma])), 0), top)
            elif count:
                move = np.mean(moves, 0)
                for k in (1, 2):
                    x, y = ci - (x0 >> sx) + move[0] / (1 + sx), cj - (y0 >> sy) + move[1] / (1 + sy)
                    want[k][cj, ci] = float(bilinear(source[k], x, y))
    for k in range(3):
        off = np.abs(np.asarray(planes[k], np.float64) - want[k])
        assert off.max() <= (1.6 if frame.depth == 8 else 4), (k, off.max())  # rounding, and the tables of the display curve
    assert (planes[0] != frame.planes[0]).sum() > 300
    assert ((alone != only) <= (alone == 0)).all() and (alone != only).mean() < 0.1  # whole blocks that move at most are let go
    assert (alone == 7).sum() > 60 and (alone == 1).any() and (alone == 0).any()


def test_surroundings_are_pulled_in_but_not_pushed_out() -> None:
    mean = np.asarray(topology().mean[:468] * 120 + [200, 200, 0])
    where = area(mean, mean[:, :2], 400, 400)
    assert where is not None
    middle = mean[:, :2].mean(0)
    narrower, wider = (mean[:, :2] - middle) * 1.1 + middle, (mean[:, :2] - middle) * 0.9 + middle
    pulled = surroundings_move(mean, narrower, where)  # the witness's outline is the wider one: the gap has to be closed
    still = surroundings_move(mean, wider, where)
    pushed = surroundings_move(mean, wider, where, push=True)
    assert np.abs(pulled).max() > 4 and np.abs(pushed).max() > 4
    assert np.abs(still).max() < 0.1 * np.abs(pushed).max()


def test_deep_inside_a_face_nothing_is_moved_and_nothing_depends_on_it() -> None:
    mean = np.asarray(topology().mean[:468] * 240 + [400, 400, 0])
    where = area(mean, mean[:, :2], 800, 800)
    assert where is not None
    outline = (mean[:, :2] - mean[:, :2].mean(0)) * 1.1 + mean[:, :2].mean(0)
    cells = tuple(-(-side // where.step) for side in where.shape)
    hole = np.zeros(cells, np.float32)
    hole[20:60, 20:60] = 1
    whole, spared = surroundings_move(mean, outline, where), surroundings_move(mean, outline, where, hole=hole)
    deep = (whole != spared).any(-1)
    assert deep.any() and not spared[deep].any()
    ys, xs = np.nonzero(deep)
    for at in (ys, xs):  # in cells; a cell of the grid and DEEP cells lie between them and the border
        assert (at * WARP_GRID / where.step).min() >= 20 + DEEP and (at * WARP_GRID / where.step).max() <= 60 - DEEP
