"""A rim of the footage in a face: what a cover leaves that lies a few px beside the face.

The band along the outline is unrolled, radii down and turns across. In one frame windows of it may be as they were. In half a
second together a thin line tells more: along it the output is the footage's, and to both sides of it something else, brighter on
both or darker on both. A double crosses the footage's brightness in many places, but from brighter to darker; and where it does
touch it and turns back, that is a line of the footage's, a shadow or a crease, and none of the output's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from facedouble.types import Array, Bools, Box, Floats, Value

THIN: Final = (31, 2)  # px of the windows in which a single frame is compared
INNER: Final = (0.55, 0.86)  # radii, over those of the face box, between which they lie
NARROW: Final = 3.0  # mean square of the difference in them, levels^2
ROUND: Final = 50.0  # variance of the footage along them, so that flat skin of one tone tells nothing
OUTER: Final = (0.72, 1.0)  # radii between which lines are sought: outside of mouth and chin's crease
ALONG: Final = 17  # px along the outline over which a line is looked at
APART: Final = (2, 3)  # px to either side of it, where it has to differ
LEAST: Final = 3.0  # levels by which, at least
ALIKE: Final = 0.5  # share of that by which the line itself may differ, root mean square
CELLS: Final = (40, 128)  # radii and turns of what is kept of a frame
CHIN: Final = (60.0, 120.0, 0.86)  # degrees, clockwise from the right, and a radius: up to there an open mouth has its creases
HAIR: Final = (230.0, 310.0, 0.82)  # the same of the hair: from there on its edge is the witness's by right
SMALLEST: Final = 40.0  # px of the face's width, under which a line fills the band
OFTEN: Final = 0.4  # share of the frames in which a line has to be in a cell; it moves with a jaw that opens


@dataclass(frozen=True)
class Rim(Value):
    """inside: px along the outline at which thin windows are as they were. lines: CELLS of the band, where a line runs."""

    inside: float
    lines: Bools


def rim(source: Array, output: Array, box: Box) -> Rim:
    """Compare two pictures' brightness (h, w) along the outline of a face, box in px."""
    side = box.height / 2
    rows = np.arange(INNER[0] * side, (OUTER[1] * side) + APART[1] + 1)
    p, q, outside = _unrolled(source, output, box, rows / side)
    inner = slice(0, int(np.ceil((INNER[1] - INNER[0]) * side)))
    outer = slice(max(int((OUTER[0] - INNER[0]) * side) - APART[1], 0), None)
    lines = np.zeros(CELLS, bool)
    if box.width >= SMALLEST:
        lines = _lines(p[outer], q[outer], outside[outer], rows[outer] / side)
    return Rim(_inside(p[inner], q[inner], outside[inner], rows[inner] / side), lines)


def line(frames: Floats) -> float:
    """Share of the turn along which a line runs, by the mean of a stretch of frames, CELLS."""
    near = cv2.dilate(frames, np.ones((3, 1), np.uint8))
    return float((near.max(0) > OFTEN).mean())


def _unrolled(source: Array, output: Array, box: Box, radii: Array) -> tuple[Floats, Floats, Floats]:
    """Both pictures along the outline (radii, turns), and where that lies outside of them."""
    (x, y), (a, b) = box.centre, (box.width / 2, box.height / 2)
    turns = np.arange(max(int(2 * np.pi * np.sqrt((a * a + b * b) / 2)), 2 * THIN[0]))
    angles = turns * 2 * np.pi / len(turns)
    across = (x + np.outer(radii * a, np.cos(angles))).astype(np.float32)
    down = (y + np.outer(radii * b, np.sin(angles))).astype(np.float32)
    outside = (across < 0) | (down < 0) | (across > source.shape[1] - 1) | (down > source.shape[0] - 1)
    p, q = (cv2.remap(s, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
            for s in (source, output))
    return p, q, outside.astype(np.float32)


def _mean(values: Floats, size: tuple[int, int]) -> Floats:
    """Means of windows (turns, radii) of a band that is closed in itself."""
    closed = cv2.copyMakeBorder(values, 0, 0, size[0], size[0], cv2.BORDER_WRAP)
    return np.asarray(cv2.blur(closed, size)[:, size[0]:-size[0]], np.float32)


def _inside(p: Floats, q: Floats, outside: Floats, radii: Array) -> float:
    varied = _mean(p * p, THIN) - _mean(p, THIN) ** 2
    found = (_mean((p - q) ** 2, THIN) < NARROW) & (varied > ROUND) & (_mean(outside, THIN) == 0)
    turn = np.arange(p.shape[1]) * 360 / p.shape[1]
    found[np.ix_(radii > HAIR[2], (turn > HAIR[0]) & (turn < HAIR[1]))] = False
    return float(found.sum())


def _lines(p: Floats, q: Floats, outside: Floats, radii: Array) -> Bools:
    """Where the difference, output less footage, is next to nothing, on both sides of one sign, and the output has the line."""
    near, far = APART
    height = len(p) - 2 * far
    if height < 1:
        return np.zeros(CELLS, bool)
    before, after, apart = (_mean(values, (ALONG, 1)) for values in (p, q, q - p))

    def beside(values: Floats, way: int) -> Floats:
        return np.asarray((values[far + way * near:][:height] + values[far + way * far:][:height]) / 2, np.float32)

    def stands(values: Floats) -> Floats:
        """How far a line stands out of its sides."""
        return np.abs(values[far:far + height] - (beside(values, -1) + beside(values, 1)) / 2)

    inner, outer = beside(apart, -1), beside(apart, 1)
    least = np.minimum(np.abs(inner), np.abs(outer))
    rest = np.sqrt(_mean((q - p) ** 2, (ALONG, 1))[far:far + height])
    found = np.zeros(p.shape, np.uint8)
    found[far:far + height] = (inner * outer > 0) & (least > LEAST) & (rest < ALIKE * least) & (stands(after) > stands(before))
    found[_mean(outside, (ALONG, 1)) > 0] = 0
    turn = np.arange(p.shape[1]) * 360 / p.shape[1]
    found[np.ix_(radii < CHIN[2], (turn > CHIN[0]) & (turn < CHIN[1]))] = 0
    thick = 2 * round(max(3.0, len(found) / CELLS[0]) / 2) + 1
    return np.asarray(cv2.resize(cv2.dilate(found, np.ones((thick, 1), np.uint8)), CELLS[::-1], interpolation=cv2.INTER_NEAREST)
                      > 0)
