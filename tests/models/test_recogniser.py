"""The embedding: its chip is dlib's, and people are told apart, whatever the size and turn of the picture."""

from __future__ import annotations

from pathlib import Path

import cv2
import dlib
import numpy as np
import pytest

from facedouble.demo.witness import portrait_pixels
from facedouble.errors import ModelError
from facedouble.models.install import locate
from facedouble.models.landmarker import FaceMesh
from facedouble.models.recogniser import CHIP, POINTS, TARGET, chip, recogniser, similarity
from facedouble.types import Array, Bytes, Recogniser

SAME, OTHER = 0.30, 0.65  # the shared clips: one person .28 in the middle, two people .83
STILL = 0.15  # one picture, resampled
SETTLE = 4


@pytest.fixture(scope="module")
def recognise() -> Recogniser:
    return recogniser(locate("dlib"))


@pytest.fixture(scope="module")
def portraits() -> dict[str, tuple[Bytes, Array]]:
    """Two people: pictures and landmarks (478, 3)."""
    found = {}
    mesh = FaceMesh()
    for name in ("astronaut", "admiral"):
        picture = portrait_pixels(name, 512)
        mesh.reset()
        for _ in range(SETTLE):
            marks = mesh(picture)
        assert marks is not None
        found[name] = picture, marks
    mesh.close()
    return found


def five(points: Array) -> Array:
    """Landmarks that are all in the middle but the five that count."""
    marks = np.full((468, 2), points.mean())
    marks[list(POINTS)] = points
    return marks


def detection(points: Array) -> dlib.full_object_detection:
    x, y, w, h = cv2.boundingRect(points.astype(np.int32))
    return dlib.full_object_detection(dlib.rectangle(x, y, x + w, y + h), [dlib.point(int(a), int(b)) for a, b in points])


def test_the_template_is_dlibs() -> None:
    places = np.round((TARGET + 0.5) * 40 + 100)  # large, because dlib's points are integers
    found = dlib.get_face_chip_details(detection(places), CHIP, 0.25)
    box = np.array([found.rect.left(), found.rect.top(), found.rect.right(), found.rect.bottom()])
    assert np.abs(box - [100, 100, 100 + 40 * CHIP, 100 + 40 * CHIP]).max() < 2 and abs(found.angle) < 1e-3


@pytest.mark.parametrize("turn", [0, 25, -60])
def test_the_chip_is_dlibs(portraits: dict[str, tuple[Bytes, Array]], turn: float) -> None:
    picture, marks = portraits["admiral"]
    m = cv2.getRotationMatrix2D((200, 200), turn, 1.0)
    turned = cv2.warpAffine(picture, m, (450, 512))
    points = np.round(cv2.transform(marks[None, list(POINTS), :2].astype(np.float64), m)[0])
    theirs = dlib.get_face_chip(turned, detection(points), CHIP, 0.25)
    ours = chip(turned, five(points))
    soft = [cv2.GaussianBlur(c.astype(np.float32), (0, 0), 2) for c in (ours, theirs)]  # dlib blurs before it shrinks
    assert np.abs(soft[0] - soft[1]).mean() < 2.5  # levels
    shift, _ = cv2.phaseCorrelate(soft[0][..., 1], soft[1][..., 1])
    assert np.hypot(*shift) < 0.4  # px


def test_people_are_told_apart(portraits: dict[str, tuple[Bytes, Array]], recognise: Recogniser) -> None:
    (a, at), (b, bt) = portraits["astronaut"], portraits["admiral"]
    one, two = recognise(a, at), recognise(b, bt)
    assert one.shape == (128,) and one.dtype == np.float32
    assert float(np.linalg.norm(one - two)) > OTHER
    dim = np.asarray(a * 0.6, np.uint8)[:, ::-1]
    mirrored = at.copy()
    mirrored[:, 0] = a.shape[1] - 1 - at[:, 0]
    swapped = mirrored.copy()
    swapped[[263, 362, 33, 133]] = mirrored[[33, 133, 263, 362]]
    assert float(np.linalg.norm(one - recognise(dim, swapped))) < SAME


@pytest.mark.parametrize(("scale", "turn"), [(0.5, 0), (3.0, 0), (1.0, 30), (2.0, 180)])
def test_size_and_turn_of_the_picture_do_not_count(portraits: dict[str, tuple[Bytes, Array]], recognise: Recogniser,
                                                   scale: float, turn: float) -> None:
    picture, marks = portraits["astronaut"]
    m = cv2.getRotationMatrix2D((256, 256), turn, scale)
    m[:, 2] += scale * 256 - 256
    side = round(512 * scale)
    turned = cv2.warpAffine(picture, m, (side, side), flags=cv2.INTER_AREA)
    there = cv2.transform(marks[None, :, :2].astype(np.float64), m)[0]
    assert float(np.linalg.norm(recognise(picture, marks) - recognise(turned, there))) < STILL


def test_a_similarity_is_found_again() -> None:
    rng = np.random.default_rng(3)
    points, m = rng.normal(0, 50, (5, 2)), np.array([[0.6, -0.8, 12.0], [0.8, 0.6, -7.0]])
    assert np.allclose(similarity(points, points @ m[:, :2].T + m[:, 2]), m)


def test_landmarks_that_are_none_are_refused(recognise: Recogniser) -> None:
    black = np.zeros((100, 100, 3), np.uint8)
    for marks in (np.zeros((5, 2)), np.zeros((468, 2)), np.full((468, 2), np.nan)):
        with pytest.raises(ValueError):
            recognise(black, marks)


def test_a_missing_or_altered_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="install"):
        recogniser(tmp_path / "none.dat")
    (tmp_path / "bad.dat").write_bytes(b"no network")
    with pytest.raises(ModelError, match="install"):
        recogniser(tmp_path / "bad.dat")
