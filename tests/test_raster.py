"""Every kernel against its slow, obvious twin."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from facedouble.colour import area
from facedouble.raster import UNSEEN, cover, displacement, display, linear, push_pull, render
from facedouble.types import Array


def slow_render(points: Array, triangles: Array, values: Array, h: int, w: int) -> tuple[Array, Array]:
    ids, out, depth = np.full((h, w), -1), np.zeros((h, w, values.shape[1])), np.full((h, w), np.inf)
    for k, (a, b, c) in enumerate(triangles):
        m = np.array([[points[a, 0], points[b, 0], points[c, 0]], [points[a, 1], points[b, 1], points[c, 1]], [1, 1, 1]])
        if abs(np.linalg.det(m)) < 1e-9:
            continue
        inverse = np.linalg.inv(m)
        for y in range(h):
            for x in range(w):
                bary = inverse @ [x, y, 1]
                z = bary @ points[[a, b, c], 2]
                if (bary >= -1e-6).all() and z < depth[y, x]:
                    depth[y, x], ids[y, x], out[y, x] = z, k, bary @ values[[a, b, c]]
    return ids, out


def test_render_is_barycentric_and_the_nearest_wins() -> None:
    rng = np.random.default_rng(0)
    points = np.c_[rng.uniform(-5, 45, (12, 2)), rng.uniform(0, 9, 12)]
    triangles = rng.integers(0, 12, (9, 3)).astype(np.int32)
    triangles = triangles[[len(set(t)) == 3 for t in triangles.tolist()]]
    values = rng.normal(size=(12, 2))
    ids, out = render(points, triangles, values, 40, 40)
    slow_ids, slow_out = slow_render(points, triangles, values, 40, 40)
    same = ids == slow_ids
    assert same.mean() > 0.995  # rounding on shared edges
    assert np.abs(out - slow_out)[same].max() < 1e-3


def test_cover_is_every_pixel_that_a_triangle_touches() -> None:
    rng = np.random.default_rng(1)
    points = np.c_[rng.uniform(-8, 48, (20, 2)), np.zeros(20)]
    triangles = np.array([[i, i + 1, i + 2] for i in range(18)] + [[3, 3, 9]], np.int32)  # the last is a line
    ids, _ = render(points, triangles, np.zeros((20, 1)), 40, 40)
    covered = cover(points, triangles, 40, 40)
    assert (covered[ids >= 0] == 1).all()
    for k, triangle in enumerate(triangles):
        alone = cover(points, triangle[None], 40, 40)
        assert (covered >= alone).all()
        inside = rng.dirichlet(np.ones(3), 4000) @ points[triangle, :2]
        x, y = np.rint(inside).astype(int).T
        here = (x >= 0) & (y >= 0) & (x < 40) & (y < 40)
        assert alone[y[here], x[here]].all(), k
        outline = points[triangle, :2].astype(np.float32)
        far = [cv2.pointPolygonTest(outline, (float(i), float(j)), True) for j, i in zip(*np.nonzero(alone), strict=True)]
        assert not far or min(far) > -1.0 or _thin(outline), k


def _thin(triangle: Array) -> bool:
    """Whether a corner is so sharp that pixels beside its tip count as touched."""
    a, b = triangle[1] - triangle[0], triangle[2] - triangle[0]
    return bool(abs(a[0] * b[1] - a[1] * b[0]) < 0.35 * max(np.linalg.norm(a), np.linalg.norm(b)) ** 2)


def test_a_mesh_that_is_nowhere_covers_nothing_by_an_error() -> None:
    points = np.array([[1.0, 1.0], [5.0, np.nan], [3.0, 8.0]])
    with pytest.raises(ValueError, match="nowhere"):
        cover(points, np.array([[0, 1, 2]], np.int32), 10, 10)


def test_light_and_display_are_each_others_inverse() -> None:
    x = np.linspace(0, 1, 1000, dtype=np.float32)[None]
    assert np.abs(linear(x) - x**2.2).max() < 1e-5
    assert np.abs(display(linear(x)) - x).max() < 2e-3


def test_displacement_matches_its_formula() -> None:
    rng = np.random.default_rng(2)
    points, moves = rng.uniform(0, 50, (7, 2)), rng.normal(size=(7, 2))
    xs, ys, sigma = np.arange(0, 50.0, 8), np.arange(0, 40.0, 8), 6.0
    out = np.zeros((len(ys), len(xs), 2))
    skip = np.zeros((len(ys), len(xs)), np.uint8)
    skip[2, 1:3] = 1
    displacement(xs, ys, points, moves, sigma, skip, out)
    assert not out[skip > 0].any()
    displacement(xs, ys, points, moves, sigma, 0 * skip, out)
    moved = 0
    for j, y in enumerate(ys):
        for i, x in enumerate(xs):
            d2 = ((points - [x, y]) ** 2).sum(1)
            w = 1 / (d2 + sigma**2 * 0.01) ** 1.5
            expected = (w[:, None] * moves).sum(0) / w.sum() * np.exp(-d2.min() / (2 * sigma**2))
            if (out[j, i] == 0).all():
                assert np.hypot(*expected) < UNSEEN
                continue
            moved += 1
            assert np.allclose(out[j, i], expected, atol=1e-6)
    assert moved > 10


def test_push_pull_keeps_what_is_known_and_fills_the_rest() -> None:
    image = np.full((33, 47, 3), 0.4, np.float32)
    weight = np.ones((33, 47), np.float32)
    image[10:20, 10:30], weight[10:20, 10:30] = 9.0, 0.0
    out = push_pull(image, weight)
    assert np.allclose(out[weight > 0], 0.4, atol=1e-5)
    assert np.allclose(out[weight == 0], 0.4, atol=1e-3)


def test_area_is_the_mean_of_what_each_pixel_covers() -> None:
    rng = np.random.default_rng(4)
    for shape, size, kind in (((31, 47), (13, 9), np.uint8), ((40, 60), (20, 10), np.uint16), ((7, 9), (9, 5), np.uint8)):
        plane = rng.integers(0, 1 << (8 if kind == np.uint8 else 10), shape).astype(kind)
        fine = np.repeat(np.repeat(plane.astype(float), size[1], 0), size[0], 1)
        slow = fine.reshape(size[1], shape[0], size[0], shape[1]).mean((1, 3))
        assert np.abs(area(plane, size) - slow).max() <= 0.501


def test_area_agrees_with_cv2() -> None:
    plane = np.random.default_rng(5).integers(0, 256, (108, 192)).astype(np.uint8)
    for size in ((64, 36), (96, 54), (71, 31)):
        other = cv2.resize(plane, size, interpolation=cv2.INTER_AREA)
        assert np.abs(area(plane, size).astype(int) - other).max() <= 1
