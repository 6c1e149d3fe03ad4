"""Face detectors behind one call: RGB picture in, face boxes with scores out.

A *face box* runs from the hairline to the chin and from ear to ear, as YuNet draws it. MediaPipe draws a square from
brow to chin; the adapter turns it into a face box. BGR, xywh and relative coordinates live in these adapters only.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from facedouble.errors import ModelError
from facedouble.models.landmarker import load_mediapipe, quiet
from facedouble.types import Box, Bytes, Detector

# The face box in units of MediaPipe's square: medians over 173 faces of the sample clips that both models found.
_WIDTH: Final = 0.82
_HEIGHT: Final = 1.16
_RISE: Final = 0.07

# MediaPipe sees 192 px. What it reports under 12 of them is a face-like blur, off by its own size: left to the tiles.
_SMALLEST: Final = 12 / 192

_YUNET_OVERLAP: Final = 0.3  # non-maximum suppression, the model's own default
_YUNET_MOST: Final = 5000
_YUNET_STEP: Final = 32  # the coarsest stride of the model
_YUNET_LEAST: Final = 64  # px; under it the model returns infinities
_YUNET_SIZES: Final = 6  # kept ready: of a film the reduced copy, full size, the mirrored rim, the turned copy, and two more


def far(score: float) -> Detector:
    """MediaPipe's full-range detector with that least score; ModelError if it does not load."""
    with quiet():
        try:
            model = load_mediapipe().solutions.face_detection.FaceDetection(
                model_selection=1, min_detection_confidence=score)
            model.process(np.zeros((192, 192, 3), np.uint8))
        except Exception as error:
            raise ModelError(f"MediaPipe's face detector does not load: install mediapipe again ({error})") from error

    def find(picture: Bytes) -> list[tuple[Box, float]]:
        height, width = picture.shape[:2]
        found = model.process(np.ascontiguousarray(picture)).detections or []
        places = [(d.location_data.relative_bounding_box, float(d.score[0])) for d in found]
        squares = [(p.xmin * width, p.ymin * height, p.width * width, p.height * height, s) for p, s in places]
        return _boxes(_face(*square) for square in squares if square[2] >= _SMALLEST * max(height, width))

    return find


def _face(x: float, y: float, width: float, height: float, score: float) -> tuple[float, float, float, float, float]:
    """Turn MediaPipe's square, x y width height px, into a face box, x y width height px."""
    left = x + width * (1 - _WIDTH) / 2
    top = y + height * ((1 - _HEIGHT) / 2 - _RISE)
    return left, top, width * _WIDTH, height * _HEIGHT, score


def _boxes(rows: Iterable[tuple[float, float, float, float, float]]) -> list[tuple[Box, float]]:
    """Boxes from x y width height score; rows that are not finite or empty are noise of the model."""
    return [(Box(x, y, x + w, y + h), s) for x, y, w, h, s in rows if np.isfinite([x, y, w, h, s]).all()
            and w > 0 and h > 0]


def yunet(path: Path, score: float) -> Detector:
    """YuNet from its ONNX file, with that least score; ModelError if the file is missing or altered."""
    if not path.is_file():
        raise ModelError(f"the face detector {path} is missing: install the models again")

    def of(size: tuple[int, int]) -> Any:
        try:
            return cv2.FaceDetectorYN.create(str(path), "", size, score, _YUNET_OVERLAP, _YUNET_MOST)
        except cv2.error as error:
            raise ModelError(f"the face detector {path} is altered: install the models again") from error

    model = lru_cache(_YUNET_SIZES)(of)  # one that changes its size is built anew, which costs more than a small picture
    model((320, 320))

    def find(picture: Bytes) -> list[tuple[Box, float]]:
        bgr = _padded(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        rows = model((bgr.shape[1], bgr.shape[0])).detect(bgr)[1]
        found = [] if rows is None else rows[:, [0, 1, 2, 3, 14]].tolist()
        return _boxes(tuple(row) for row in found)

    return find


def _padded(picture: Bytes) -> Bytes:
    """The picture with black to the right and below, so that the sides fit the strides of YuNet."""
    height, width = (max(-(-side // _YUNET_STEP) * _YUNET_STEP, _YUNET_LEAST) for side in picture.shape[:2])
    return np.asarray(cv2.copyMakeBorder(picture, 0, height - picture.shape[0], 0, width - picture.shape[1],
                                         cv2.BORDER_CONSTANT, value=0), np.uint8)
