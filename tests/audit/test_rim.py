"""A thin line of the footage along the outline of a face, as a mask that lies a few px beside it leaves one."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from facedouble.audit.account import Told
from facedouble.audit.left import RIM, ROWS, Left
from facedouble.audit.rim import CELLS, line, rim
from facedouble.audit.scene import Scene
from facedouble.options import AuditOptions
from facedouble.types import Array, Box, Floats, Seen

LIMITS = AuditOptions()
SHAPE = (150, 140)
BOX = Box(30, 20, 110, 125)
SECOND = 24


def skin(seed: int, middle: float) -> Floats:
    """Brightness of a smooth face with soft shades and a little grain."""
    rng = np.random.default_rng(seed)
    soft = cv2.GaussianBlur(rng.standard_normal(SHAPE).astype(np.float32), (0, 0), 14)
    return np.asarray(middle + 6 * soft / soft.std() + 1.5 * rng.standard_normal(SHAPE), np.float32)


SOURCE, DRAWN = skin(1, 140), skin(2, 118)  # the double is darker nearly everywhere


def oval(box: Box, size: float) -> Array:
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    (cx, cy), (a, b) = box.centre, (box.width / 2, box.height / 2)
    return np.asarray(((x - cx) / a) ** 2 + ((y - cy) / b) ** 2 < size ** 2)


def beside(angle: float, px: float, drawn: Floats = DRAWN) -> Floats:
    """The double, whose mask lies so many px beside the face: what it leaves there is the footage."""
    way = px * np.cos(angle), px * np.sin(angle)
    there = oval(BOX, 0.86) & ~oval(Box(BOX.x0 + way[0], BOX.y0 + way[1], BOX.x1 + way[0], BOX.y1 + way[1]), 0.86)
    return np.where(there, SOURCE, drawn)


def coded(picture: Floats, seed: int) -> Array:
    noise = np.random.default_rng(seed).standard_normal(SHAPE)
    return np.asarray(np.clip(np.round(picture + 0.8 * noise), 0, 255), np.uint8)


def found(outputs: list[Floats], limits: AuditOptions = LIMITS, source: Floats = SOURCE, seen: bool = False) -> list[str]:
    """What is said of a clip, the box of the face being told now here, now there; seen: a detector finds a face in the output."""
    left = Left(limits, SECOND, lambda *_: None, lambda _: ())
    for k, output in enumerate(outputs):
        shaken = Box(*(v + 0.7 * (-1) ** k for v in (BOX.x0, BOX.y0, BOX.x1, BOX.y1)))
        left.take(Scene(k, np.zeros((*SHAPE, 3), np.uint8), coded(output, k), coded(source, 100), [Told(shaken, "double", "p1")],
                        [Seen(shaken, 0.9, np.zeros((5, 2), np.float32))] if seen else [], k == len(outputs) - 1))
    left.finish()
    return [f.what for c in left.checks("") for f in c.findings]


@pytest.mark.parametrize("angle", [0.0, 0.8, 1.6, 3.1, 4.7])
def test_a_mask_three_px_beside_a_small_face_is_found(angle: float) -> None:
    assert RIM in found([beside(angle, 3)] * SECOND)


def test_a_fault_of_a_second_is_found_wherever_it_begins() -> None:
    for start in (5, 13, 20):
        clip = [DRAWN] * start + [beside(0.8, 3)] * SECOND + [DRAWN] * (40 - start)
        assert RIM in found(clip), start


@pytest.mark.parametrize("seen", [True, False])
def test_under_a_veil_a_shorter_line_is_enough(seen: bool) -> None:
    short = np.where(np.arange(SHAPE[0])[:, None] < BOX.centre[1] + 10, beside(0.0, 3), DRAWN)
    short = np.where(np.arange(SHAPE[0])[:, None] > BOX.centre[1] - 10, short, DRAWN)
    assert (RIM in found([np.asarray(short, np.float32)] * SECOND, seen=seen)) == (not seen)


@pytest.mark.parametrize("drawn", [DRAWN, skin(3, 140), skin(4, 170), SOURCE + 20 * np.sin(np.arange(SHAPE[1]) / 6)])
def test_a_face_drawn_anew_has_none(drawn: Floats) -> None:
    assert RIM not in found([np.asarray(drawn, np.float32)] * 3 * SECOND)


def test_brightness_that_is_crossed_is_no_line() -> None:
    """Brighter inside and darker outside: somewhere between the double is as bright as the footage, all around."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    r = np.hypot((x - BOX.centre[0]) / BOX.width * 2, (y - BOX.centre[1]) / BOX.height * 2)
    crossed = np.asarray(SOURCE + 200 * (0.85 - r), np.float32)
    assert not rim(SOURCE, crossed, BOX).lines.any()


def test_a_line_counts_where_it_stays_and_not_where_it_passes() -> None:
    cells = np.zeros(CELLS, np.float32)
    cells[10, :32] = 0.6
    cells[20, 64:] = 0.4
    assert line(cells) == 0.25
    cells[10] = 0
    assert line(cells) == 0


@pytest.mark.parametrize("box", [Box(5, 5, 35, 45), Box(-60, 20, 20, 125), Box(100, 100, 180, 205)])
def test_a_face_that_is_tiny_or_outside_is_no_error(box: Box) -> None:
    made = rim(SOURCE, DRAWN, box)
    assert made.lines.shape == CELLS and (box.width >= 40 or not made.lines.any())


def test_a_few_rows_of_a_small_face_are_found_in_half_a_second() -> None:
    shaded = np.asarray(SOURCE + 20 * np.sin(np.arange(SHAPE[1]) / 5), np.float32)
    rows = DRAWN.copy()
    rows[60:64, 55:86] = shaded[60:64, 55:86]
    assert ROWS in found([rows] * SECOND, source=shaded)
    assert ROWS not in found([rows] * SECOND, replace(LIMITS, rows_half=1.0, strip_half=1.0), shaded)
    assert ROWS not in found([DRAWN] * SECOND, source=shaded)
