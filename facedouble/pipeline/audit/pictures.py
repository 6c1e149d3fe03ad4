"""Frames of the OUTPUT as small JPEGs for the page, the place framed. Nothing here is told where the footage is."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from facedouble.audit.verdict import Look
from facedouble.colour import picture
from facedouble.errors import InputRefused
from facedouble.media.again import picked
from facedouble.media.probe import probe
from facedouble.types import Box, Bytes

Pictures = dict[tuple[int, Box | None], bytes]
MOST, SIDE = 24, 480  # pictures on a page, and px of their longer side
ROOM: Final = 1_600_000  # bytes of all pictures of a page, which are 2.1 MB as text; six stand there twice
QUALITIES: Final = (84, 70, 50, 30, 10)
SMALL: Final = 0.3  # of the picture's longer side: a smaller place is shown enlarged, too, in a corner
INSET, GAP = 0.42, 6  # side of that corner in shorter sides of the picture; px to the edge
DARK, BRIGHT = (0, 0, 0), (255, 221, 0)  # of the frame: one of them stands out on any ground, whatever colours one sees


def pictures(output: Path, looks: Iterable[Look], most: int = MOST, side: int = SIDE) -> Pictures:
    """JPEGs by frame and box. Places that the file does not have, or that cannot be decoded, are left out."""
    places = list(dict.fromkeys((look.frame, look.box) for look in looks))[:most]
    out: Pictures = {}
    with suppress(InputRefused):
        for frame in picked(probe(output), [number for number, _ in places]):
            rgb, scale = picture(frame), min(1.0, side / max(frame.width, frame.height))
            for place in places:
                if place[0] == frame.index:
                    out[place] = _jpeg(marked(rgb, place[1], scale), ROOM // len(places))
    return out


def marked(rgb: Bytes, box: Box | None, scale: float) -> Bytes:
    """(h, w, 3) uint8 RGB scaled, the box framed, and a small one enlarged in the corner that is farthest from it."""
    h, w = rgb.shape[:2]
    wide, high = max(1, round(w * scale)), max(1, round(h * scale))
    out = cv2.resize(rgb, (wide, high), interpolation=cv2.INTER_AREA)
    if box is None:
        return np.asarray(out, np.uint8)
    x0, y0, x1, y1 = (float(np.clip(v, 0, side)) for v, side in ((box.x0, w), (box.y0, h), (box.x1, w), (box.y1, h)))
    if x1 - x0 < 1 or y1 - y0 < 1:  # beside the picture
        return np.asarray(out, np.uint8)
    near = _enlarged(rgb, (x0, y0, x1, y1), round(INSET * min(wide, high)))
    _frame(out, x0 * scale, y0 * scale, x1 * scale, y1 * scale)
    if near is not None:
        size = len(near)
        left = GAP if (x0 + x1) / 2 > w / 2 else wide - size - GAP
        top = GAP if (y0 + y1) / 2 > h / 2 else high - size - GAP
        out[top : top + size, left : left + size] = near
        cv2.rectangle(out, (left - 1, top - 1), (left + size, top + size), DARK, 3)
        cv2.rectangle(out, (left - 1, top - 1), (left + size, top + size), BRIGHT, 1)
    return np.asarray(out, np.uint8)


def _enlarged(rgb: Bytes, place: tuple[float, float, float, float], size: int) -> Bytes | None:
    """The place in a square of `size` px with something around it; None where it is large enough to be seen as it is."""
    x0, y0, x1, y1 = place
    side = max(1.5 * max(x1 - x0, y1 - y0), 16.0)
    if side > SMALL * 1.5 * max(rgb.shape[:2]) or size < 32:
        return None
    scale = size / side
    move = np.array([[scale, 0, size / 2 - scale * (x0 + x1) / 2], [0, scale, size / 2 - scale * (y0 + y1) / 2]])
    how = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
    return np.asarray(cv2.warpAffine(rgb, move, (size, size), flags=how, borderMode=cv2.BORDER_CONSTANT), np.uint8)


def _frame(rgb: Bytes, x0: float, y0: float, x1: float, y1: float) -> None:
    a, b = (round(x0) - 2, round(y0) - 2), (round(x1) + 1, round(y1) + 1)
    cv2.rectangle(rgb, a, b, DARK, 4, cv2.LINE_AA)
    cv2.rectangle(rgb, a, b, BRIGHT, 2, cv2.LINE_AA)


def _jpeg(rgb: Bytes, room: int) -> bytes:
    """As good as the room allows."""
    made = b""
    for quality in QUALITIES:
        made = bytes(cv2.imencode(".jpg", rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1])
        if len(made) <= room:
            break
    return made
