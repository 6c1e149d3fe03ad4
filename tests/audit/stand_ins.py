"""Eyes for tests: they take the middle of a crop for the face, and a few of its pixels for who it is."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from facedouble.pipeline.audit.glimpse import Embed, Find
from facedouble.types import Box, Bytes, Floats


class Middle:
    """A face that fills the middle of a crop, as `sight.windows` cuts it."""

    def __init__(self, side: int) -> None:
        self.box = Box(side / 4, side / 4, side * 3 / 4, side * 3 / 4)
        five = np.array([[0.4, 0.42], [0.6, 0.42], [0.5, 0.53], [0.42, 0.62], [0.58, 0.62]])
        self.points: Floats = (five * side).astype(np.float32)


def find(picture: Bytes) -> Sequence[Middle]:
    """One face, always."""
    return [Middle(min(picture.shape[:2]))]


def embed(picture: Bytes, points: Floats) -> Floats:
    """The face in 12 x 12 levels."""
    low, high = (points.min(0) - 10).clip(0).astype(int), points.max(0).astype(int) + 10
    small = cv2.resize(picture[low[1] : high[1], low[0] : high[0]], (12, 12), interpolation=cv2.INTER_AREA).astype(np.float32)
    flat = (small - small.mean()).ravel()
    return np.asarray(flat / (np.linalg.norm(flat) + 1), np.float32)


def seers() -> tuple[Find, Embed]:
    """Both."""
    return find, embed


def blind(picture: Bytes) -> Sequence[Middle]:
    """No face, ever."""
    return []
