"""dlib's face embedding behind one call: who a face looks like, as 128 numbers.

Distances are Euclidean. The network was trained so that two pictures of one person are less than 0.6 apart. Its chip is cut
here from our own landmarks, so that dlib's shape predictors, one of which may not be used commercially, are not needed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from facedouble.errors import ModelError
from facedouble.types import MESH_POINTS, Array, Bytes, Floats, Recogniser

EMBEDDING: Final = 128
CHIP: Final = 150  # px
PADDING: Final = 0.25  # of the template's square, on each side

# Corners of the eyes, left outer, left inner, right outer, right inner, and the base of the nose: mesh points, and where dlib's
# `get_face_chip` puts them in the square without its padding (`tests/models/test_recogniser.py` compares).
POINTS: Final = (263, 362, 33, 133, 2)
TEMPLATE: Final = np.array([[0.8595674595992, 0.2134981538014], [0.6460604764104, 0.2289674387677],
                            [0.1205750620789, 0.2137274526848], [0.3340850613712, 0.2290642403242],
                            [0.4901123135679, 0.6277975316475]])
TARGET: Final = (TEMPLATE + PADDING) / (1 + 2 * PADDING) * CHIP - 0.5  # px of the chip; dlib's square ends at pixel borders


def recogniser(path: Path) -> Recogniser:
    """Load the embedding from its file; ModelError if it is missing or altered. Not for use by several threads at once."""
    try:
        import dlib
    except ImportError as error:
        raise ModelError(f"dlib is missing: install dlib-bin again ({error})") from error
    try:
        model: Any = dlib.face_recognition_model_v1(str(path))
    except RuntimeError as error:
        raise ModelError(f"the recogniser {path} is missing or altered: install the models again") from error

    def embed(crop: Bytes, marks: Array) -> Floats:
        return np.asarray(model.compute_face_descriptor(chip(crop, marks)), np.float32)

    return embed


def chip(crop: Bytes, marks: Array) -> Bytes:
    """The face upright in (150, 150, 3), as the embedding wants it; black where it leaves the crop.

    Parameters
    ----------
    crop : (h, w, 3) uint8 RGB
    marks : (468 or more, 2 or more) landmarks in its pixels; ValueError if they are fewer, or all in one place
    """
    if len(marks) < MESH_POINTS or not np.isfinite(marks).all():
        raise ValueError("a chip needs the landmarks of a whole face")
    points = np.asarray(marks, np.float64)[list(POINTS), :2]
    factor = 2 * float(np.hypot(*similarity(points, TARGET)[0, :2]))
    if factor < 1:  # far larger than the chip: averaged first, so that pores do not alias
        height, width = crop.shape[:2]
        crop = np.asarray(cv2.resize(crop, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)
        points = (points + 0.5) * [crop.shape[1] / width, crop.shape[0] / height] - 0.5
    m = similarity(points, TARGET)
    out: Bytes = cv2.warpAffine(np.ascontiguousarray(crop), m, (CHIP, CHIP), flags=cv2.INTER_LINEAR)
    return out


def similarity(source: Array, target: Array) -> Array:
    """(2, 3) turn, scale and shift that bring points (n, 2) nearest to others, least squares, without mirroring."""
    a, b = (p[:, 0] + 1j * p[:, 1] for p in (source, target))
    p, q = a - a.mean(), b - b.mean()
    size = float((p.conj() * p).real.sum())
    if size < 1e-6:
        raise ValueError("landmarks all in one place")
    s = complex((p.conj() * q).sum()) / size
    t = complex(b.mean() - s * a.mean())
    return np.array([[s.real, -s.imag, t.real], [s.imag, s.real, t.imag]])
