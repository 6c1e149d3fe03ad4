"""Boxes: overlap, growth, shift. Pure NumPy; every number in pixels of one picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from facedouble.types import Box, Doubles, Rows


def array(box: Box) -> Doubles:
    """The box as (4,) x0 y0 x1 y1."""
    return np.array([box.x0, box.y0, box.x1, box.y1])


def corners(boxes: Sequence[Box]) -> Doubles:
    """Boxes as (n, 4) x0 y0 x1 y1."""
    if isinstance(boxes, Rows):
        return np.asarray(boxes.numbers, np.float64)
    return np.array([(b.x0, b.y0, b.x1, b.y1) for b in boxes], np.float64).reshape(-1, 4)


def shared(a: Box, b: Box) -> float:
    """The area that both boxes cover."""
    width = min(a.x1, b.x1) - max(a.x0, b.x0)
    height = min(a.y1, b.y1) - max(a.y0, b.y0)
    return max(width, 0.0) * max(height, 0.0)


def overlap(a: Box, b: Box) -> float:
    """Intersection over union, 0 to 1."""
    both = shared(a, b)
    return both / (a.area + b.area - both)


def inside(a: Box, b: Box) -> float:
    """The share of `a` that lies in `b`, 0 to 1."""
    return shared(a, b) / a.area


def holds(box: Box, point: tuple[float, float]) -> bool:
    """Whether the point lies in the box."""
    return box.x0 <= point[0] < box.x1 and box.y0 <= point[1] < box.y1


def size(box: Box) -> float:
    """The side of a square of the same area."""
    return float(np.sqrt(box.area))


def distance(a: Box, b: Box) -> float:
    """From centre to centre."""
    return float(np.hypot(a.centre[0] - b.centre[0], a.centre[1] - b.centre[1]))


def union(boxes: Iterable[Box]) -> Box:
    """The smallest box around all."""
    x0, y0, x1, y1 = zip(*((b.x0, b.y0, b.x1, b.y1) for b in boxes), strict=True)
    return Box(min(x0), min(y0), max(x1), max(y1))


def mean(boxes: Sequence[Box], weights: Sequence[float]) -> Box:
    """The weighted mean of the corners."""
    return Box(*np.average([array(b) for b in boxes], axis=0, weights=weights).tolist())


def grown(box: Box, margin: float) -> Box:
    """The box with `margin` px more on each of its sides."""
    return Box(box.x0 - margin, box.y0 - margin, box.x1 + margin, box.y1 + margin)


def scaled(box: Box, factor: float) -> Box:
    """The box made larger about its centre: both sides times `factor`."""
    x, y = box.centre
    width, height = box.width * factor / 2, box.height * factor / 2
    return Box(x - width, y - height, x + width, y + height)


def shifted(box: Box, x: float, y: float) -> Box:
    """The box moved."""
    return Box(box.x0 + x, box.y0 + y, box.x1 + x, box.y1 + y)


def times(box: Box, x: float, y: float) -> Box:
    """The box in a picture whose sides are that many times as long."""
    return Box(box.x0 * x, box.y0 * y, box.x1 * x, box.y1 * y)


def clipped(box: Box, width: float, height: float) -> Box | None:
    """The part in a picture of that size, or None."""
    x0, y0, x1, y1 = max(box.x0, 0.0), max(box.y0, 0.0), min(box.x1, width), min(box.y1, height)
    return Box(x0, y0, x1, y1) if x1 > x0 and y1 > y0 else None
