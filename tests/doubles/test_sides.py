"""The sides of a double come from frames in which the volunteer is turned."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from facedouble.doubles.capture import Material, facing, measure, texture
from facedouble.doubles.mannequin import mannequin
from facedouble.doubles.sides import _lateral, side, turned_frames, with_sides
from facedouble.faces.light import fit_light
from facedouble.morphable import layout
from facedouble.options import Options
from facedouble.pipeline.alone import draw_alone, rest, resting
from facedouble.pipeline.analyse import Eyes
from facedouble.pipeline.double import make_double
from facedouble.raster import mean3, wide_blur
from facedouble.types import Array, Consent, Double, Floats

AT_THE_SIDE = (0.05, 0.18)  # cosine to a camera in front: too flat to be seen


@pytest.fixture(scope="module")
def freckled() -> Double:
    """A mannequin with freckles all over, some px of the atlas wide."""
    plain = mannequin()
    spots = wide_blur(np.random.default_rng(3).standard_normal(plain.textures.shape[1:3]).astype(np.float32), 2.6)
    marked = plain.textures.astype(np.float32) * (1 + 0.12 * spots / spots.std()).clip(0.5, 1.5)[None, :, :, None]
    return replace(plain, textures=marked.astype(np.float16))


def seen(double: Double, yaw: float) -> tuple[Floats, Array]:
    """The double's picture, turned by so many degrees, and its mesh with irises, (478, 3) px."""
    code = replace(rest(double), rotation=np.array([0, np.radians(yaw), 0], np.float32))
    made = draw_alone(resting(double), code)
    assert made is not None
    picture, mesh = made
    irises = [mesh[list(ids)].mean(0) for ids in ((33, 133), (362, 263)) for _ in range(5)]
    return picture.astype(np.float32), np.concatenate([mesh, irises])


def likeness(atlas: Floats, double: Double, where: Array) -> float:
    """Correlation of the freckles at these px of the atlas."""
    fine = [mean3(t) - wide_blur(mean3(t), 8) for t in (atlas, double.textures[0].astype(np.float32))]
    return float(np.corrcoef(fine[0][where], fine[1][where])[0, 1])


def test_each_side_is_what_the_frame_turned_that_way_showed(freckled: Double) -> None:
    front, *turned = ((p, m, fit_light(p, m)) for p, m in (seen(freckled, yaw) for yaw in (0, -38, 38)))
    key = texture(*front)
    made = with_sides(key, front[1], [side(*t) for t in turned])
    towards = facing(front[1])
    steep = (towards > AT_THE_SIDE[0]) & (towards < AT_THE_SIDE[1]) & (_lateral() > 0.9)
    for half in (slice(0, 320), slice(320, 640)):
        where = np.zeros_like(steep)
        where[:, half] = steep[:, half]
        before, after = likeness(key, freckled, where), likeness(made, freckled, where)
        assert after > 0.8 and before < 0.4, (before, after)
    middle = _lateral() == 0
    middle &= wide_blur((_lateral() > 0).astype(np.float32), 4) < 1e-3
    assert np.array_equal(made[middle], key[middle])  # eyes, nose and mouth are the key frame's


def test_one_turned_frame_changes_its_own_side_only(freckled: Double) -> None:
    front, turned = ((p, m, fit_light(p, m)) for p, m in (seen(freckled, yaw) for yaw in (0, 38)))
    key = texture(*front)
    changed = np.abs(with_sides(key, front[1], [side(*turned)]) - key).max(-1) > 0.02
    near = facing(turned[1]) > facing(front[1])
    assert changed.any() and not (changed & ~cv2.dilate(near.astype(np.uint8), np.ones((25, 25))).astype(bool)).any()
    assert with_sides(key, front[1], []) is key


def test_of_many_frames_the_stillest_ones_turned_to_each_side_are_taken(freckled: Double) -> None:
    yaws = [0, 0, 0, 10, 10, 10, 38, 38, 38, 20, 0, -10, -30, -60, -60]
    marks = np.stack([seen(freckled, yaw)[1] for yaw in yaws])
    marks[7, layout.UPPER_INNER_LIP] -= [0, 30, 0]  # speaks
    material = Material(marks.astype(np.float32), True)
    chosen = turned_frames(material, measure(material))
    assert len(chosen) == 2 and yaws[chosen[0]] == -30 and chosen[1] == 8  # 6 moves, 7 speaks, -60 is too far
    level = Material(marks[:4].astype(np.float32), True)
    assert turned_frames(level, measure(level)) == ()


def test_a_turned_photo_lends_its_side_to_a_double(freckled: Double, eyes: Eyes, tmp_path: Path) -> None:
    for name, yaw in (("front", 0), ("turned", 36)):
        picture = np.round(seen(freckled, yaw)[0][..., ::-1] * 255).astype(np.uint8)
        cv2.imwrite(str(tmp_path / f"{name}.png"), picture)
    consent = Consent("t", ("test",), "2026-01-01")
    alone = make_double([tmp_path / "front.png"], consent, eyes, Options())
    both = make_double([tmp_path / "front.png", tmp_path / "turned.png"], consent, eyes, Options())
    assert len(alone.textures) == len(both.textures)
    a, b = (d.textures[0].astype(np.float32) for d in (alone, both))
    side_on = facing(seen(freckled, 0)[1])
    where = [(side_on > 0) & (side_on < AT_THE_SIDE[1]) & (_lateral() > 0.9) for _ in range(2)]
    where[0][:, 320:], where[1][:, :320] = False, False
    detail = [[float((mean3(t) - wide_blur(mean3(t), 8))[w].std()) for w in where] for t in (a, b)]
    gained = sorted(float(after / before) for before, after in zip(*detail, strict=True))
    assert 0.95 < gained[0] < 1.05 and gained[1] > 1.5, gained  # the side that was turned to the camera, and only it
