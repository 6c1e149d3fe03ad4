"""Boxes go where the picture goes; cuts are seen, hands and flashes are not cuts."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from facedouble import geometry
from facedouble.faces.motion import Motion, carry, measure, small_luma
from facedouble.types import Box, Bytes

SIZE = (640, 360)
NEAR = 0.15  # face sizes that a carried box may be off after twenty frames: the flow is coarse


def scene(seed: int) -> Bytes:
    """A soft random picture, larger than the frame."""
    noise = np.random.default_rng(seed).integers(0, 255, (40, 60, 3)).astype(np.uint8)
    return np.asarray(cv2.resize(noise, (1200, 800), interpolation=cv2.INTER_CUBIC), np.uint8)


def view(world: Bytes, x: float, y: float, zoom: float = 1.0) -> Bytes:
    """The frame whose middle is at x, y of the world."""
    move = np.array([[zoom, 0, SIZE[0] / 2 - zoom * x], [0, zoom, SIZE[1] / 2 - zoom * y]])
    return np.asarray(cv2.warpAffine(world, move, SIZE), np.uint8)


def motions(pictures: list[Bytes]) -> list[Motion]:
    small = [small_luma(p) for p in pictures]
    return [measure(a, b, i) for i, (a, b) in enumerate(zip([None, *small[:-1]], small, strict=True))]


@pytest.mark.parametrize("way", [1, -1])
def test_a_box_goes_with_the_picture(way: int) -> None:
    world = scene(1)
    found = motions([view(world, 600 + 3 * i, 400 - 2 * i) for i in range(21)])
    early, late = Box(290, 150, 350, 220), Box(230, 190, 290, 260)
    carried = carry(early, found, 0, 20, SIZE) if way > 0 else carry(late, found, 20, 0, SIZE)
    assert geometry.distance(carried, late if way > 0 else early) < NEAR * 65


def test_a_box_grows_with_a_zoom() -> None:
    world = scene(2)
    found = motions([view(world, 600, 400, 1.01**i) for i in range(21)])
    grown = carry(Box(290, 150, 350, 210), found, 0, 20, SIZE)
    assert 1.1 < grown.width / 60 < 1.3  # truth: 1.22


def test_a_cut_and_only_a_cut_is_one() -> None:
    a, b = scene(1), scene(3)
    shots = [view(a, 600 + i, 400) for i in range(5)] + [view(b, 600, 400)] * 3
    assert [m.frame for m in motions(shots) if m.cut] == [0, 5]


def test_a_hand_passing_and_a_flash_are_no_cuts() -> None:
    picture = view(scene(1), 600, 400)
    hand = [picture.copy() for _ in range(8)]
    for i, p in enumerate(hand):
        p[60:, 60 * i:60 * i + 260] = (180, 140, 120)
    flash = np.minimum(picture.astype(int) * 6 // 5 + 40, 255).astype(np.uint8)
    assert not any(m.cut for m in motions([picture, *hand, picture, flash, picture])[1:])


def test_nothing_is_carried_across_a_cut() -> None:
    flow = np.full((14, 24, 2), 0.1, np.float16)
    box = Box(100, 100, 150, 160)
    assert carry(box, [Motion(0, flow, True), Motion(1, flow, True)], 0, 1, SIZE) == box
