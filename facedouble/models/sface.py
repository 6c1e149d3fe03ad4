"""SFace, a recogniser that takes no part in the render: a picture and five points of a face in, 128 numbers out.

Zhong, Deng, Hu, Zhao, Li & Wen, "SFace: Sigmoid-Constrained Hypersphere Loss for Robust Face Recognition", IEEE TIP 30, 2021; the
8-bit file of the OpenCV Zoo, which runs in cv2 only. Its authors take two faces for one person's from a cosine of .363 on.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import cv2
import numpy as np

from facedouble.errors import ModelError
from facedouble.types import Bytes, Floats, Knower

NUMBERS: Final = 128
SAME: Final = 0.363


def sface(path: Path) -> Knower:
    """Load the recogniser; ModelError if its file is missing or altered. Not for use by several threads at once."""
    if not path.is_file():
        raise ModelError(f"the recogniser {path} is missing: install the models again")
    try:
        model = cv2.FaceRecognizerSF.create(str(path), "")
    except cv2.error as error:
        raise ModelError(f"the recogniser {path} is altered: install the models again") from error

    def embed(picture: Bytes, points: Floats) -> Floats:
        if points.shape != (5, 2) or not np.isfinite(points).all():
            raise ValueError("a face is embedded by its five points")
        row = np.concatenate([np.zeros(4), points.ravel(), [1]]).astype(np.float32)[None]
        chip = model.alignCrop(picture, row)
        found = np.asarray(model.feature(cv2.cvtColor(chip, cv2.COLOR_RGB2BGR)), np.float32)[0]
        return np.asarray(found / max(float(np.linalg.norm(found)), 1e-9), np.float32)

    return embed
