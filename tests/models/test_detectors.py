"""The real models on the astronaut's portrait: same convention, small faces, quiet."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data

from facedouble import geometry
from facedouble.errors import ModelError
from facedouble.faces.detect import Detectors, detect
from facedouble.models.detectors import far, yunet
from facedouble.models.install import locate
from facedouble.models.landmarker import FaceMesh
from facedouble.options import DetectOptions
from facedouble.types import Box, Bytes, Detector

FACE = Box(178, 62, 268, 176)  # hairline to chin, ear to ear, in the picture of 512 px


def astronaut(side: int) -> Bytes:
    whole = np.asarray(data.astronaut())  # type: ignore[no-untyped-call]
    return np.asarray(cv2.resize(whole, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


@pytest.fixture(scope="module", params=["far", "yunet"])
def detector(request: pytest.FixtureRequest) -> Detector:
    return far(0.5) if request.param == "far" else yunet(locate("yunet"), 0.6)


@pytest.mark.parametrize("side", [512, 256, 128, 72])  # faces of 90, 45, 22 and 13-16 px
def test_both_find_the_face_and_draw_the_same_box(detector: Detector, side: int) -> None:
    found = detector(astronaut(side))
    assert len(found) == 1
    # .5: at 13 px both are rounded to their grids
    assert geometry.overlap(found[0][0], geometry.times(FACE, side / 512, side / 512)) > (0.7 if side > 128 else 0.5)


@pytest.mark.parametrize("shape", [(1, 1), (7, 300), (33, 20), (360, 641)])
def test_odd_sizes_without_a_face_are_fine(detector: Detector, shape: tuple[int, int]) -> None:
    assert detector(np.full((*shape, 3), 90, np.uint8)) == []


def test_a_missing_and_an_altered_model_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="missing"):
        yunet(tmp_path / "none.onnx", 0.5)
    (tmp_path / "bad.onnx").write_bytes(b"not a model")
    with pytest.raises(ModelError, match="altered"):
        yunet(tmp_path / "bad.onnx", 0.5)


def test_the_mesh_lies_on_the_face_and_forgets_on_reset(capfd: pytest.CaptureFixture[str]) -> None:
    crop = astronaut(512)[30:220, 120:330]
    mesh = FaceMesh()
    assert mesh(np.zeros((100, 90, 3), np.uint8)) is None
    first = mesh(crop)
    assert first is not None
    assert first.shape == (478, 3)
    assert first.dtype == np.float32
    middle = first[:, :2].mean(0) + np.array([120, 30])
    assert geometry.holds(geometry.scaled(FACE, 0.4), (float(middle[0]), float(middle[1])))
    mesh(crop)
    mesh.reset()
    again = mesh(crop)
    assert again is not None
    np.testing.assert_array_equal(again, first)
    mesh.close()
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("light", [1.0, 0.04])  # in daylight, and in near darkness
@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_face_that_lies_or_stands_on_its_head_is_found(turns: int, light: float) -> None:
    known = Detectors((yunet(locate("yunet"), 0.6),), (far(0.5),))
    side = 256
    picture = np.ascontiguousarray(np.rot90(astronaut(side), turns) * light).astype(np.uint8)
    found = detect(picture, 0, known, DetectOptions())
    upright = detect(astronaut(side), 0, known, DetectOptions())[0][0]
    x0, y0, x1, y1 = upright.x0, upright.y0, upright.x1, upright.y1
    truth = {1: Box(y0, side - x1, y1, side - x0), 2: Box(side - x1, side - y1, side - x0, side - y0),
             3: Box(side - y1, x0, side - y0, x1)}[turns]
    assert any(geometry.overlap(box, truth) > 0.5 for box, _ in found)


@pytest.mark.parametrize("shape", [(360, 640), (640, 360), (360, 360)])
def test_the_sizes_of_a_film_are_built_once(shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Reduced copy, full size, mirrored rim, turned copy: one that is built anew costs more than a small picture."""
    built: list[tuple[int, int]] = []
    create = cv2.FaceDetectorYN.create

    def counted(model: str, config: str, size: tuple[int, int], *more: float) -> object:
        built.append(size)
        return create(model, config, size, *more)

    monkeypatch.setattr(cv2.FaceDetectorYN, "create", counted)
    searching, picture = Detectors((yunet(locate("yunet"), 0.6),)), np.full((*shape, 3), 90, np.uint8)
    for index in range(41):
        detect(picture, index, searching, DetectOptions(full_every=10, reduced_side=320))
    assert len(built) == len(set(built)) <= 6
