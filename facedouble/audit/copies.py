"""Copies of a picture in which a face may be found that is not found in the picture itself: turned, brightened, sharpened."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import cv2
import numpy as np

from facedouble.geometry import times
from facedouble.types import Array, Box, Bytes, Seen, Seer

DARK: Final = 64.0  # mean level under which a picture, or a part of it, is dark
TILES: Final = 6  # parts of a picture to each side; the darkest quarter of them is a part
SOFT: Final = 3.0  # mean strength of the finest detail, levels, under which it is soft


def dark(picture: Bytes) -> bool:
    """Whether a picture (h, w, 3) is so dark that faces in it may only be found when it is brightened."""
    return float(picture[::4, ::4].mean()) < DARK


def gloomy(picture: Bytes) -> bool:
    """Whether the darkest quarter of a picture's tiles is dark: a face against the light, or in a corner."""
    grey = picture[::4, ::4].mean(2, dtype=np.float32)
    tiles = np.sort(cv2.resize(grey, (TILES, TILES), interpolation=cv2.INTER_AREA), None)
    return float(tiles[:TILES * TILES // 4].mean()) < DARK


def soft(picture: Bytes) -> bool:
    """Whether a picture has hardly any fine detail."""
    middle = picture[..., 1][::2, ::2]
    return float(np.abs(cv2.Laplacian(middle, cv2.CV_32F)).mean()) < SOFT


def lifted(picture: Bytes, side: int) -> Bytes:
    """Brightened by a gamma of 0.4, its longer side reduced to `side` px at most, then its contrast spread in tiles."""
    table = np.round(255 * (np.arange(256) / 255) ** 0.4).astype(np.uint8)
    bright, scale = cv2.LUT(picture, table), side / max(picture.shape[:2])
    if scale < 1:
        size = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
        bright = cv2.resize(bright, size, interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(bright, cv2.COLOR_RGB2LAB)
    lab[..., 0] = cv2.createCLAHE(2.0, (8, 8)).apply(np.ascontiguousarray(lab[..., 0]))
    return np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), np.uint8)


def sharpened(picture: Bytes) -> Bytes:
    """With its finest detail added twice over."""
    return np.asarray(cv2.addWeighted(picture, 3.0, cv2.GaussianBlur(picture, (0, 0), 2.0), -2.0, 0), np.uint8)


def _brightened(seer: Seer, picture: Bytes, side: int) -> list[Seen]:
    small = lifted(picture, side)
    x, y = picture.shape[1] / small.shape[1], picture.shape[0] / small.shape[0]
    return [Seen(times(face.box, x, y), face.score, np.asarray(face.points * [x, y], np.float32)) for face in seer(small)]


def _turned(quarters: int) -> Callable[[Seer, Bytes, int], list[Seen]]:
    def look(seer: Seer, picture: Bytes, side: int) -> list[Seen]:
        found = seer(np.ascontiguousarray(np.rot90(picture, quarters)))
        return [turned_back(face, quarters, picture.shape) for face in found]

    return look


def turned_back(face: Seen, quarters: int, shape: tuple[int, ...]) -> Seen:
    """A face of the picture turned by quarters, counter-clockwise, in the coordinates of the picture (h, w, ..)."""
    h, w = shape[:2]
    points: Array = np.concatenate([face.points, [[face.box.x0, face.box.y0], [face.box.x1, face.box.y1]]])
    for k in range(quarters % 4):  # rot90 puts (x, y) at (y, width - 1 - x); undone, last turn first
        width = w if (quarters - 1 - k) % 2 == 0 else h
        points = np.stack([width - 1 - points[:, 1], points[:, 0]], 1)
    low, high = points[5:].min(0), points[5:].max(0)
    return Seen(Box(*low.tolist(), *high.tolist()), face.score, np.asarray(points[:5], np.float32))


COPIES: Final[Mapping[str, Callable[[Seer, Bytes, int], Sequence[Seen]]]] = MappingProxyType({
    "brightened": _brightened,
    "sharpened": lambda seer, picture, side: seer(sharpened(picture)),
    "turned 90": _turned(1), "turned 180": _turned(2), "turned 270": _turned(3),
})
"""Ways to look at a picture with a detector, which reduces it to a longer side of so many px; what is found is in the picture's
own pixels."""
