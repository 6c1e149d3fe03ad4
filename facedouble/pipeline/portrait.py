"""The contact picture of a double: its key frames under flat light, so that a volunteer's coverage can be looked at."""

from __future__ import annotations

import cv2
import numpy as np

from facedouble.raster import display
from facedouble.types import Double

COLUMNS, CELL = 5, 200  # key frames across, px


def portrait(double: Double) -> bytes:
    """JPEG of all key-frame textures."""
    cells = []
    for texture in double.textures:
        flat = display(texture.astype(np.float32) * 0.42)
        h = round(CELL * flat.shape[0] / flat.shape[1])
        cells.append(cv2.resize(flat, (CELL, h), interpolation=cv2.INTER_AREA))
    while len(cells) % COLUMNS:
        cells.append(np.zeros_like(cells[0]))
    rows = [np.hstack(cells[i : i + COLUMNS]) for i in range(0, len(cells), COLUMNS)]
    page = np.clip(np.vstack(rows) * 255 + 0.5, 0, 255).astype(np.uint8)
    return bytes(cv2.imencode(".jpg", page[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])[1])
