"""Planes and RGB crops: round trips, and nothing changes where alpha is 0."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from facedouble.colour import crop_rgb, picture, put_rgb
from facedouble.types import Colour, Frame

FORMATS = {"yuv420p": (1, 1), "yuv422p": (1, 0), "yuv444p": (0, 0), "yuv420p10le": (1, 1)}


def grey_ramp(name: str, full: bool = False) -> Frame:
    sx, sy = FORMATS[name]
    deep = name.endswith("10le")
    dtype, scale = (np.uint16, 4) if deep else (np.uint8, 1)
    y = ((np.tile(np.arange(64), (32, 1)) * 3 + 20) * scale).astype(dtype)
    c = np.full((32 >> sy, 64 >> sx), 128 * scale, dtype)
    return Frame(0, 0, 1, Fraction(1, 25), (y, c, c.copy()), name, Colour(full=full))


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("name", FORMATS)
def test_planes_come_back(name: str, full: bool) -> None:
    frame = grey_ramp(name, full)
    rgb = crop_rgb(frame, 0, 0, 64, 32)
    assert np.allclose(rgb[..., 0], rgb[..., 1], atol=1e-4)
    planes = tuple(p.copy() for p in frame.planes)
    put_rgb(frame, planes, rgb, np.ones((32, 64), np.float32), 0, 0)
    for a, b in zip(frame.planes, planes, strict=True):
        assert np.abs(a.astype(int) - b.astype(int)).max() <= 1


def test_alpha_zero_changes_no_sample() -> None:
    frame = grey_ramp("yuv420p")
    planes = tuple(p.copy() for p in frame.planes)
    put_rgb(frame, planes, np.ones((32, 64, 3), np.float32), np.zeros((32, 64), np.float32), 0, 0)
    assert all(np.array_equal(a, b) for a, b in zip(frame.planes, planes, strict=True))


def test_one_covered_pixel_replaces_its_whole_chroma_cell() -> None:
    frame = grey_ramp("yuv420p")
    alpha = np.zeros((32, 64), np.float32)
    alpha[4, 6] = 1
    image = np.zeros((32, 64, 3), np.float32)
    image[..., 0] = 1
    results = []
    for old in (128, 17, 240):
        planes = tuple(p.copy() for p in frame.planes)
        planes[1][2, 3] = planes[2][2, 3] = old
        put_rgb(frame, planes, image, alpha, 0, 0)
        results.append((planes[1][2, 3], planes[2][2, 3]))
        assert planes[1][2, 4] == 128
    assert len(set(results)) == 1


def test_the_fast_picture_agrees_with_the_exact_one() -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(60, 200, (32, 64)).astype(np.uint8)
    c = np.full((16, 32), 110, np.uint8)
    frame = Frame(0, 0, 1, Fraction(1, 25), (y, c, c.copy()), "yuv420p", Colour(matrix=6))
    exact = np.clip(crop_rgb(frame, 0, 0, 64, 32) * 255, 0, 255)
    assert np.abs(picture(frame).astype(float) - exact).max() < 4
