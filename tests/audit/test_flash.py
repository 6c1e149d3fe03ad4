"""One frame in which another moment of the footage shines through a face."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from facedouble.audit.account import Told
from facedouble.audit.flash import FLASHED
from facedouble.audit.follow import Following
from facedouble.audit.scene import Scene
from facedouble.options import AuditOptions
from facedouble.types import Array, Box, Floats

SHAPE = (150, 140)
BOX = Box(30, 20, 110, 125)


def face(seed: int, x: float = 0.0, y: float = 0.0) -> Floats:
    """Brightness of soft shades and features, moved by px."""
    rng = np.random.default_rng(seed)
    bands = ((9.0, 12.0), (3.0, 6.0))  # sigma px, strength levels
    made = [cv2.GaussianBlur(rng.standard_normal(SHAPE).astype(np.float32), (0, 0), sigma) for sigma, _ in bands]
    whole = np.asarray(130 + sum(levels * m / m.std() for m, (_, levels) in zip(made, bands, strict=True)), np.float32)
    way = np.array([[1, 0, x], [0, 1, y]], np.float64)
    return np.asarray(cv2.warpAffine(whole, way, SHAPE[::-1], borderMode=cv2.BORDER_REFLECT), np.float32)


def coded(picture: Floats, seed: int) -> Array:
    noise = np.random.default_rng(seed).standard_normal(SHAPE)
    return np.asarray(np.clip(np.round(picture + 0.8 * noise), 0, 255), np.uint8)


def found(outputs: list[Floats], sources: list[Floats], treatment: str = "double") -> list[tuple[int, int] | None]:
    following = Following(AuditOptions(), lambda *_: None)
    for k, (output, source) in enumerate(zip(outputs, sources, strict=True)):
        following.take(Scene(k, np.zeros((*SHAPE, 3), np.uint8), coded(output, k), coded(source, 100 + k),
                             [Told(BOX, treatment, "p1")], [], k == len(outputs) - 1))
    following.finish()
    return [f.frames for c in following.checks("") for f in c.findings if f.what == FLASHED]


def nodding(seed: int, count: int = 12) -> list[Floats]:
    return [face(seed, y=1.5 * np.sin(k)) for k in range(count)]


@pytest.mark.parametrize("away", [0.0, 6.0, 25.0])
@pytest.mark.parametrize("share", [1.0, 0.5, 0.35])
def test_a_flash_of_any_moment_of_the_footage_is_found(away: float, share: float) -> None:
    """Far away it does not stand out of the picture's blocks."""
    outputs, sources = nodding(2), nodding(1)
    outputs[5] = (1 - share) * outputs[5] + share * face(1, away, 1.5 * np.sin(5))
    assert found(outputs, sources) == [(5, 6)]


def test_what_the_footage_does_itself_is_no_flash() -> None:
    """A jerk of the head and back, and a face that stays another one from a frame on."""
    outputs, sources = nodding(2), nodding(1)
    assert found(outputs, sources) == []
    outputs[5], sources[5] = face(2, 14, 9), face(1, 14, 9)
    outputs[8:], sources[8:] = nodding(4)[8:], nodding(3)[8:]
    assert found(outputs, sources) == []


def test_a_hairline_that_flickers_is_no_flash() -> None:
    outputs, sources = nodding(2), nodding(1)
    outputs[5] = outputs[5].copy()
    outputs[5][20:45] -= 40
    assert found(outputs, sources) == []


def test_a_face_that_the_plan_shows_is_not_asked() -> None:
    outputs, sources = nodding(2), nodding(1)
    outputs[5] = face(1)
    assert found(outputs, sources, "show") == []
