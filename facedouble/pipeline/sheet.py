"""The contact sheet: protected frames only, evenly through the film, with their numbers."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from facedouble.colour import picture
from facedouble.types import Bytes, Frame

COLUMNS, CELL, MOST = 5, 320, 25  # frames across, px, frames in all


class Sheet:
    """Makes thumbnails while the frames pass, and a page of them."""

    def __init__(self, frames: int) -> None:
        self.wanted = set(np.linspace(0, max(frames - 1, 0), min(MOST, max(frames, 1))).astype(int).tolist())
        self.cells: list[Bytes] = []

    def cell(self, frame: Frame) -> Bytes | None:
        """The frame's thumbnail if it is one of those wanted."""
        if frame.index not in self.wanted:
            return None
        rgb = picture(frame, CELL * max(frame.width, frame.height) // frame.width)
        height = max(1, round(frame.height * CELL / frame.width))
        cell = cv2.resize(rgb, (CELL, height), interpolation=cv2.INTER_AREA)
        cv2.rectangle(cell, (0, 0), (64, 18), (0, 0, 0), -1)
        cv2.putText(cell, str(frame.index), (4, 13), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (255, 255, 255), 1, cv2.LINE_AA)
        return np.asarray(cell, np.uint8)

    def add(self, cells: Sequence[Bytes]) -> None:
        """Put thumbnails on the page, in order."""
        self.cells += cells

    def jpeg(self) -> bytes:
        """The sheet as JPEG."""
        h, w = self.cells[0].shape[:2]
        rows = -(-len(self.cells) // COLUMNS)
        page = np.full((rows * h, min(COLUMNS, len(self.cells)) * w, 3), 32, np.uint8)
        for i, cell in enumerate(self.cells):
            y, x = i // COLUMNS * h, i % COLUMNS * w
            page[y : y + h, x : x + w] = cell
        return bytes(cv2.imencode(".jpg", page[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])[1])
