"""What is searched, how often, and how finds are put together; the detectors are fakes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from facedouble import geometry
from facedouble.faces.detect import TILE, Detectors, brightened, detect, merged
from facedouble.options import DetectOptions
from facedouble.types import Box, Bytes

OPTIONS = DetectOptions()
MARK = (255, 0, 255)


def marked(width: int, height: int, box: Box, level: int = 120) -> Bytes:
    """A grey picture with a coloured rectangle, the "face" of the fake detector."""
    picture = np.full((height, width, 3), level, np.uint8)
    picture[int(box.y0):int(box.y1), int(box.x0):int(box.x1)] = np.array(MARK) * level // 120
    return picture


class Fake:
    """Finds the coloured rectangle if it is `least` px wide and lit; notes the sizes of the pictures it saw."""

    def __init__(self, least: float = 8, score: float = 0.9) -> None:
        self.least, self.score = least, score
        self.sizes: list[tuple[int, ...]] = []

    def __call__(self, picture: Bytes) -> list[tuple[Box, float]]:
        self.sizes.append(picture.shape[:2])
        there = (picture[..., 0].astype(int) - picture[..., 1] > 60).nonzero()
        if not len(there[0]):
            return []
        box = Box(there[1].min(), there[0].min(), there[1].max() + 1, there[0].max() + 1)
        return [(box, self.score)] if box.width >= self.least else []


def test_a_small_face_is_found_at_full_size_in_every_tenth_frame() -> None:
    truth = Box(1500, 700, 1516, 720)
    picture = marked(1920, 1080, truth)
    found = [detect(picture, i, Detectors((Fake(12),)), OPTIONS) for i in range(11)]
    assert [len(f) for f in found] == [1, *[0] * 9, 1]
    assert geometry.overlap(found[0][0][0], truth) > 0.9


@pytest.mark.parametrize("x", [0, 270, 370, 1000, 1900])
def test_tiles_find_a_face_anywhere_and_once(x: int) -> None:
    fake = Fake(12)
    found = detect(marked(1920, 1080, Box(x, 300, x + 20, 324)), 0, Detectors((), (fake,)), OPTIONS)
    assert len(found) == 1
    assert geometry.overlap(found[0][0], Box(x, 300, x + 20, 324)) > 0.9
    assert fake.sizes[1:] == [(TILE, TILE)] * len(fake.sizes[1:])


def test_a_weak_find_in_a_tile_has_to_be_found_again() -> None:
    class Once(Fake):
        def __call__(self, picture: Bytes) -> list[tuple[Box, float]]:
            return super().__call__(picture) if picture.shape[0] == TILE else []

    picture = marked(1920, 1080, Box(500, 300, 530, 340))
    assert not detect(picture, 0, Detectors((), (Once(12, 0.6),)), OPTIONS)
    assert detect(picture, 0, Detectors((), (Fake(12, 0.6),)), OPTIONS)


def test_a_small_picture_is_searched_enlarged_for_the_smallest_faces() -> None:
    picture = marked(640, 360, Box(300, 100, 308, 110))
    found = [detect(picture, i, Detectors((Fake(14),)), OPTIONS) for i in range(11)]
    assert [len(f) for f in found] == [1, *[0] * 9, 1]
    assert geometry.overlap(found[0][0][0], Box(300, 100, 308, 110)) > 0.8


def test_large_finds_in_an_enlarged_picture_are_left_to_the_plain_one() -> None:
    class Cloth(Fake):
        """Takes what is large for a face, but only where the picture is enlarged."""

        def __call__(self, picture: Bytes) -> list[tuple[Box, float]]:
            return super().__call__(picture) if max(picture.shape) > 900 else []

    assert not detect(marked(640, 360, Box(200, 80, 300, 200)), 0, Detectors((Cloth(),)), OPTIONS)


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_faces_that_lie_or_stand_on_their_heads_are_found(turns: int) -> None:
    """A detector that knows upright things only, red above green; turned copies say the same place."""
    def upright(picture: Bytes) -> list[tuple[Box, float]]:
        p = picture.astype(int)
        red = (p[..., 0] - p[..., 1] > 100).nonzero()
        green = (p[..., 1] - p[..., 0] > 100).nonzero()
        if not len(red[0]) or red[0].max() >= green[0].min():
            return []
        return [(Box(float(red[1].min()), float(red[0].min()), float(red[1].max() + 1), float(green[0].max() + 1)), 0.95)]

    thing = np.full((300, 480, 3), 120, np.uint8)
    thing[110:150, 300:350], thing[150:190, 300:350] = (220, 20, 20), (20, 220, 20)
    picture = np.ascontiguousarray(np.rot90(thing, turns))
    there = (np.abs(picture.astype(int)[..., 0] - picture[..., 1]) > 100).nonzero()
    truth = Box(there[1].min(), there[0].min(), there[1].max() + 1, there[0].max() + 1)
    found = detect(picture, 20, Detectors((upright,)), OPTIONS)
    assert len(found) == 1 and geometry.overlap(found[0][0], truth) > 0.9
    assert len(detect(picture, 10, Detectors((upright,)), OPTIONS)) == (turns == 0)


class Whole(Fake):
    """Finds the rectangle only if the edge of the picture cuts nothing off."""

    def __call__(self, picture: Bytes) -> list[tuple[Box, float]]:
        return [(b, s) for b, s in super().__call__(picture) if b.x1 < picture.shape[1]]


@pytest.mark.parametrize(("score", "index", "count"), [(0.9, 0, 1), (0.9, 1, 0), (0.7, 0, 0)])
def test_half_a_face_at_the_edge_is_found_in_its_mirror_image_if_that_is_sure(score: float, index: int, count: int) -> None:
    picture = marked(640, 360, Box(600, 100, 640, 190))
    found = detect(picture, index, Detectors((Whole(score=score),)), OPTIONS)
    assert len(found) == count
    assert all(geometry.overlap(box, Box(600, 100, 640, 190)) > 0.9 for box, _ in found)


def test_what_only_the_mirror_has_is_no_face() -> None:
    class Mirrored(Fake):
        """A face just outside of the picture, at whose edge the mirror image begins."""

        def __call__(self, picture: Bytes) -> list[tuple[Box, float]]:
            return [(Box(580.0, 100.0, 630.0, 150.0), 0.9)] if picture.shape[0] != 360 else []

    assert not detect(np.full((360, 640, 3), 120, np.uint8), 10, Detectors((Mirrored(),)), replace(OPTIONS, full_side=640))


def test_the_dark_is_searched_brightened() -> None:
    picture = marked(320, 240, Box(100, 80, 140, 130), 10)
    assert brightened(picture, OPTIONS.dark_below) is not None
    assert detect(picture, 1, Detectors((Fake(),)), OPTIONS)
    assert brightened(marked(320, 240, Box(100, 80, 140, 130)), OPTIONS.dark_below) is None


def test_a_dark_half_is_enough() -> None:
    picture = marked(320, 240, Box(100, 80, 140, 130), 10)
    picture[:, 160:] = 250
    assert detect(picture, 1, Detectors((Fake(),)), OPTIONS)


def test_black_is_no_error() -> None:
    assert detect(np.zeros((90, 160, 3), np.uint8), 0, Detectors((Fake(),)), OPTIONS) == ()


def test_merging_keeps_one_box_for_each_face_and_loses_none() -> None:
    a, b, part, other = Box(10, 10, 60, 70), Box(12, 8, 62, 69), Box(40, 50, 66, 80), Box(200, 10, 240, 60)
    (face, score), second = merged([(b, 0.8), (part, 0.6), (other, 0.7), (a, 0.9)])
    assert score == 0.9
    assert geometry.overlap(second[0], other) > 0.999
    assert geometry.inside(part, face) == 1
    assert geometry.inside(a, face) > 0.95
