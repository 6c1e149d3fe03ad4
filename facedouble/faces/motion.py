"""How the picture moves from frame to frame, coarsely, so that a face box can be carried where no detector helps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, overload

import cv2
import numpy as np
from numpy.typing import NDArray

from facedouble import geometry
from facedouble.colour import area
from facedouble.faces.shelf import Shelf
from facedouble.types import Bools, Box, Bytes, Doubles, Floats, Value

SIDE: Final = 192  # px, longer side of the luma that is compared
_CELLS: Final = 24  # along the longer side; the shorter side in proportion

# A cut. On the sample clips, from frame to frame, at most .17 of the blocks changed and their middle residual was 5.7
# levels; between frames of different clips at least .39 and 23. A cut too many only splits a track; one too few may
# tie two people together.
_BLOCKS: Final = (6, 6)
_ALIKE: Final = 0.5  # correlation of a block with its prediction
_CHANGED: Final = 0.3  # share of blocks that are not alike
_RESIDUAL: Final = 8.0  # luma levels, median over the blocks: a hand or a passer-by leaves half of the picture alone
_UTTER: Final = 0.9  # share of blocks from which the residual is not asked
_FLAT: Final = 3.0  # luma levels; standard deviation under which a block has nothing to correlate

_KEPT: Final = 1 << 15  # steps to the longer side that a kept flow has: as fine as float16 for a move of a twentieth of it

_CORE: Final = 0.6  # the middle part of a box, whose motion is the face's
_SAMPLES: Final = 5  # along each side of it
_ZOOM: Final = 0.02  # most change of scale taken over from one frame to the next


@dataclass(frozen=True)
class Motion(Value):
    """How frame `frame` - 1 became frame `frame`.

    flow (rows, columns, 2) float16: what a cell's content moved, x y, in units of the picture's longer side; zero
    across a `cut`.
    """

    frame: int
    flow: NDArray[np.float16]
    cut: bool

    def check(self) -> None:
        if self.flow.ndim != 3 or self.flow.shape[2] != 2:
            raise ValueError("a flow has rows, columns and x y")


class Motions(Sequence[Motion]):
    """The motion of every frame of a clip, added one after the other; each built when asked for."""

    def __init__(self) -> None:
        self._cuts = bytearray()
        self._shelf: Shelf | None = None
        self._shape: tuple[int, ...] = ()

    def append(self, motion: Motion) -> None:
        """Add the next frame's."""
        if motion.frame != len(self) or (self._shelf and motion.flow.shape != self._shape):
            raise ValueError(f"the motion of frame {motion.frame} does not follow {len(self)} of shape {self._shape}")
        if self._shelf is None:
            self._shape = motion.flow.shape
            self._shelf = Shelf(motion.flow.size)
        self._cuts.append(motion.cut)
        self._shelf.append(np.round(motion.flow.astype(np.float32) * _KEPT))

    def __len__(self) -> int:
        return len(self._cuts)

    @overload
    def __getitem__(self, index: int) -> Motion: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Motion, ...]: ...

    def __getitem__(self, index: int | slice) -> Motion | tuple[Motion, ...]:
        if isinstance(index, slice):
            return tuple(self[i] for i in range(*index.indices(len(self))))
        frame = index + len(self) if index < 0 else index
        if self._shelf is None or not 0 <= frame < len(self):
            raise IndexError(index)
        flow = (self._shelf[frame].reshape(self._shape) / _KEPT).astype(np.float16)
        return Motion(frame, flow, bool(self._cuts[frame]))

    @property
    def cuts(self) -> tuple[int, ...]:
        """Frames with which another picture begins; the first one is none."""
        return tuple(i for i, cut in enumerate(self._cuts) if cut and i)

    @property
    def nbytes(self) -> int:
        """Bytes of what is held."""
        return len(self._cuts) + (self._shelf.nbytes if self._shelf else 0)


def small_luma(picture: Bytes) -> Bytes:
    """Luma (h, w) uint8 of an RGB picture or of a luma plane, longer side `SIDE`."""
    factor = SIDE / max(picture.shape[:2])
    height, width = (max(round(s * factor), 16) for s in picture.shape[:2])
    if picture.ndim == 2:
        return np.asarray(area(picture, (width, height)), np.uint8)
    small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)


def measure(before: Bytes | None, now: Bytes, frame: int) -> Motion:
    """Compare two consecutive small lumas; `before` is None at the clip's first frame, which counts as a cut."""
    height, width = now.shape
    longer = max(height, width)
    grid = max(round(width * _CELLS / longer), 1), max(round(height * _CELLS / longer), 1)
    still = np.zeros((grid[1], grid[0], 2), np.float16)
    if before is None or before.shape != now.shape:
        return Motion(frame, still, True)
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
    flow: Floats = np.asarray(search.calc(before, now, np.zeros((height, width, 2), np.float32)), np.float32)
    if _cut(before, now, flow):
        return Motion(frame, still, True)
    calm = np.stack([cv2.medianBlur(np.ascontiguousarray(flow[:, :, i]), 5) for i in (0, 1)], 2)
    coarse = np.asarray(cv2.resize(calm, grid, interpolation=cv2.INTER_AREA) / longer)
    return Motion(frame, coarse.astype(np.float16), False)


def _cut(before: Bytes, now: Bytes, flow: Floats) -> bool:
    """Whether another picture begins with `now`. Blind to gain and offset, so that most flashes are no cut."""
    height, width = now.shape
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    # The flow runs from `before`; taken at the target, it is off by its own change over its length.
    expected = np.asarray(cv2.remap(before, x - flow[:, :, 0], y - flow[:, :, 1], cv2.INTER_LINEAR,
                                    borderMode=cv2.BORDER_REPLICATE), np.uint8)
    share = 1 - float(_alike(expected, now).mean())
    return share > _UTTER or (share > _CHANGED and _residual(expected, now) > _RESIDUAL)


def _alike(a: Bytes, b: Bytes) -> Bools:
    """Which blocks (6, 6) of two lumas show the same thing. Two flat ones do if their levels do."""
    first, second = a.astype(np.float32), b.astype(np.float32)
    mean, mean_b = _blocks(first), _blocks(second)
    spread = np.sqrt(np.maximum(_blocks(first * first) - mean * mean, 0))
    spread_b = np.sqrt(np.maximum(_blocks(second * second) - mean_b * mean_b, 0))
    together = _blocks(first * second) - mean * mean_b
    flat = np.maximum(spread, spread_b) < _FLAT
    textured = np.minimum(spread, spread_b) >= _FLAT / 3
    alike = textured & (together > _ALIKE * spread * spread_b)
    return np.asarray(np.where(flat, np.abs(mean - mean_b) < 4 * _FLAT, alike), np.bool_)


def _blocks(values: Floats) -> Doubles:
    """Means of 6 x 6 blocks."""
    return np.asarray(cv2.resize(values, _BLOCKS, interpolation=cv2.INTER_AREA), np.float64)


def _residual(expected: Bytes, now: Bytes) -> float:
    """What the prediction is off by in the median block, in luma levels, but for a common offset."""
    off = expected.astype(np.float32) - now
    return float(np.median(_blocks(np.abs(off - np.median(off)))))


def carry(box: Box, motions: Sequence[Motion], a: int, b: int, size: tuple[int, int]) -> Box:
    """Move a box of frame a to frame b, forwards or backwards, with what it holds.

    `motions[i]` belongs to frame i of the clip; `size` is the picture's width and height in px. Nothing is carried
    across a cut: the box stays as it was there.
    """
    for frame in range(a + 1, b + 1):
        box = step(box, motions[frame], size, 1)
    for frame in range(a, b, -1):
        box = step(box, motions[frame], size, -1)
    return box


def step(box: Box, motion: Motion, size: tuple[int, int], way: int) -> Box:
    """Move a box by one frame, forwards (way 1: into `motion.frame`) or backwards (way -1: out of it)."""
    if motion.cut:
        return box
    x, y = _samples(box)
    flow = _flow_at(motion, x, y, size) if way > 0 else -_flow_at(motion, x, y, size)
    if way < 0:  # the flow is known at the place before: look there, once more
        flow = -_flow_at(motion, x + flow[..., 0], y + flow[..., 1], size)
    moved = np.median(flow.reshape(-1, 2), 0)
    wide = np.median(flow[:, -1, 0] - flow[:, 0, 0]) / (x[0, -1] - x[0, 0])
    high = np.median(flow[-1, :, 1] - flow[0, :, 1]) / (y[-1, 0] - y[0, 0])
    zoom = 1 + float(np.clip((wide + high) / 2, -_ZOOM, _ZOOM))
    return geometry.scaled(geometry.shifted(box, float(moved[0]), float(moved[1])), zoom)


def _samples(box: Box) -> tuple[Floats, Floats]:
    """The x and y, each (5, 5) px, where a box's motion is read."""
    (cx, cy), line = box.centre, np.linspace(-_CORE / 2, _CORE / 2, _SAMPLES, dtype=np.float32)
    x, y = np.meshgrid(cx + line * box.width, cy + line * box.height)
    return x.astype(np.float32), y.astype(np.float32)


def _flow_at(motion: Motion, x: Floats, y: Floats, size: tuple[int, int]) -> Floats:
    """The flow in px at points given in px, bilinear between the cells."""
    rows, columns = motion.flow.shape[:2]
    width, height = size
    u = np.clip((x + 0.5) * columns / width - 0.5, 0, columns - 1).astype(np.float32)
    v = np.clip((y + 0.5) * rows / height - 0.5, 0, rows - 1).astype(np.float32)
    left, top = np.minimum(u.astype(int), max(columns - 2, 0)), np.minimum(v.astype(int), max(rows - 2, 0))
    right, under = np.minimum(left + 1, columns - 1), np.minimum(top + 1, rows - 1)
    p, q = (u - left)[..., None], (v - top)[..., None]
    flow = motion.flow.astype(np.float32)
    above = flow[top, left] * (1 - p) + flow[top, right] * p
    below = flow[under, left] * (1 - p) + flow[under, right] * p
    return np.asarray((above * (1 - q) + below * q) * max(size), np.float32)
