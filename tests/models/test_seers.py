"""The audit's own eyes: CenterFace finds faces and their points where they are, SFace tells people apart."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data

from facedouble.audit.copies import COPIES, lifted
from facedouble.errors import ModelError
from facedouble.geometry import overlap
from facedouble.models.centerface import LEAST, OUTPUTS, centerface, decoded, fitted
from facedouble.models.install import locate
from facedouble.models.registry import MODELS, RENDER
from facedouble.models.sface import NUMBERS, SAME, sface
from facedouble.types import Array, Bytes, Knower, Seer

EYES = ((202, 102), (246, 105))  # of the astronaut, measured by hand, px


@pytest.fixture(scope="module")
def seer() -> Seer:
    return centerface(locate("centerface"), 640)


@pytest.fixture(scope="module")
def knower() -> Knower:
    return sface(locate("sface"))


@pytest.fixture(scope="module")
def astronaut() -> Bytes:
    return np.ascontiguousarray(skimage.data.astronaut())  # type: ignore[no-untyped-call]


def test_neither_takes_part_in_the_render() -> None:
    assert {MODELS["centerface"].use, MODELS["sface"].use} == {"audit"}
    assert not {"centerface", "sface"} & set(RENDER)


def test_a_face_and_its_points_are_where_they_are(seer: Seer, astronaut: Bytes) -> None:
    found = seer(astronaut)
    assert len(found) == 1 and found[0].score > 0.8
    assert np.abs(found[0].points[:2] - EYES).max() < 8
    assert found[0].points[0, 0] < found[0].points[1, 0] and found[0].points[3, 0] < found[0].points[4, 0]


@pytest.mark.parametrize("scale", [0.5, 1.7, 2.5])
def test_one_network_sees_pictures_of_every_size(seer: Seer, astronaut: Bytes, scale: float) -> None:
    seer(astronaut)
    found = seer(np.asarray(cv2.resize(astronaut, None, fx=scale, fy=scale), np.uint8))
    assert found and np.abs(found[0].points[:2] / scale - EYES).max() < 10
    assert np.abs(seer(astronaut)[0].points[:2] - EYES).max() < 8


def test_nothing_is_found_in_noise_and_in_next_to_nothing(seer: Seer) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (200, 300, 3), np.uint8)
    assert not [f for f in seer(noise) if f.score > 0.5]
    assert not [f for f in seer(np.zeros((1, 1, 3), np.uint8)) if f.score > 0.5]


def test_sides_become_multiples_of_the_step() -> None:
    small, scale = fitted(np.zeros((1080, 1920, 3), np.uint8), 960)
    assert small.shape == (544, 960, 3) and scale == 0.5


def test_maps_that_are_not_finite_give_no_face() -> None:
    maps = [np.full((c, 8, 8), 0.9 if c == 1 else np.nan, np.float32) for c in (1, 2, 2, 10)]
    assert decoded(maps, 1.0, 0.5) == []


def test_one_person_is_nearer_than_another(seer: Seer, knower: Knower, astronaut: Bytes) -> None:
    first = knower(astronaut, seer(astronaut)[0].points)
    darker = np.asarray(cv2.GaussianBlur(astronaut, (0, 0), 1.2) * 0.7, np.uint8)
    again = knower(darker, seer(darker)[0].points)
    mirror = np.ascontiguousarray(astronaut[:, ::-1])
    turned = knower(mirror, seer(mirror)[0].points)
    assert first.shape == (NUMBERS,) and abs(float(first @ first) - 1) < 1e-4
    assert float(first @ again) > 0.7 and float(first @ turned) > SAME
    other = np.random.default_rng(2).integers(0, 255, astronaut.shape, np.uint8)
    assert float(first @ knower(other, seer(astronaut)[0].points)) < SAME


@pytest.mark.parametrize("points", [np.zeros((4, 2), np.float32), np.full((5, 2), np.nan, np.float32)])
def test_points_that_are_none_are_refused(knower: Knower, astronaut: Bytes, points: Array) -> None:
    with pytest.raises(ValueError):
        knower(astronaut, points)


@pytest.mark.parametrize("load", [lambda p: centerface(p, 640), sface])
def test_models_that_are_missing_or_altered_are_errors(load: object, tmp_path: Path) -> None:
    assert callable(load)
    with pytest.raises(ModelError, match="missing"):
        load(tmp_path / "none.onnx")
    (tmp_path / "bad.onnx").write_bytes(b"no model")
    with pytest.raises(ModelError, match="altered"):
        load(tmp_path / "bad.onnx")


def test_centerface_gives_the_numbers_of_its_file(seer: Seer, astronaut: Bytes) -> None:
    """As cv2.dnn reads it, which keeps to the file, takes twice as long and needs a network for each size."""
    for picture in (astronaut, np.ascontiguousarray(astronaut[:300, 40:])):
        small, scale = fitted(picture, 640)
        model = cv2.dnn.readNetFromONNX(str(locate("centerface")))
        model.setInput(cv2.dnn.blobFromImage(small))
        wanted = decoded([np.asarray(o[0]) for o in model.forward(list(OUTPUTS))], scale, LEAST)
        found = seer(picture)
        assert len(found) == len(wanted) > 0
        for a, b in zip(found, wanted, strict=True):
            assert abs(a.score - b.score) < 1e-4 and np.abs(a.points - b.points).max() < 0.01


def test_a_face_is_embedded_by_its_own_colours(seer: Seer, knower: Knower, astronaut: Bytes) -> None:
    points = seer(astronaut)[0].points
    model = cv2.FaceRecognizerSF.create(str(locate("sface")), "")
    row = np.concatenate([np.zeros(4), points.ravel(), [1]]).astype(np.float32)[None]
    wanted = model.feature(model.alignCrop(cv2.cvtColor(astronaut, cv2.COLOR_RGB2BGR), row))[0]
    assert np.abs(knower(astronaut, points) - wanted / np.linalg.norm(wanted)).max() < 1e-5


def test_a_brightened_copy_tells_where_a_face_is_in_the_picture(seer: Seer, astronaut: Bytes) -> None:
    """Its contrast is spread at the size that the detector sees, of which the face has to come back to the picture's own."""
    small = np.asarray(cv2.resize(astronaut, (300, 300), interpolation=cv2.INTER_AREA), np.uint8)
    picture = np.zeros((1080, 1920, 3), np.uint8)
    picture[700:1000, 1500:1800] = small
    dark = np.asarray(picture * 0.1 + np.random.default_rng(1).integers(0, 4, picture.shape), np.uint8)
    [face], [wanted] = COPIES["brightened"](seer, dark, 640), seer(picture)
    assert face.score > 0.7 and np.abs(face.points - wanted.points).max() < 5
    assert overlap(face.box, wanted.box) > 0.7
    assert lifted(dark, 640).shape == (360, 640, 3) and lifted(small, 640).shape == small.shape
