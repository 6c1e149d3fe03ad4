"""Face boxes of one picture: the union of all detectors, near and far, light and dark.

A missed face is a person shown; a false one is a veil too many. So the union of everything is kept, and boxes are
merged only where they are one face.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, overload

import cv2
import numpy as np

from facedouble import geometry
from facedouble.options import DetectOptions
from facedouble.types import Box, Bytes, Detector, Doubles, Value

Found = tuple[tuple[Box, float], ...]
"""The face boxes of one picture, in its pixels, with scores; best first."""

TILE: Final = 384  # px; at 192 px of input a face of 24 px is seen with 12
TILES_EVERY: Final = 2  # searches of full size until the tiles are searched again, which cost as much as all else of it
_TILE_OVERLAP: Final = 0.25  # of a tile: a face up to that size is whole in one of them

_SURE: Final = 0.8  # score under which a find in a tile, which may show half a neck, is looked at once more, one at the rim not
_AROUND: Final = 3.0  # face sizes of picture around it, then...
_SEEN: Final = 192  # ...made that large, px

_RIM: Final = 0.25  # of the picture's shorter side is mirrored at its edges, for faces of up to twice that size
_LEFT_IN: Final = 0.35  # of such a face; of what lies further out the picture has the mirror image too

_SAME: Final = 0.3  # intersection over union from which two boxes are one face
_AGREE: Final = 0.5  # from which their mean is taken instead of the union

_LARGER: Final = 2.0  # so much enlarged a small picture is searched...
_HARDLY: Final = 1.5  # ...unless it comes to less than that...
_LARGE: Final = 1280  # px: ...up to that size...
_TINY: Final = 40  # px: ...for faces up to that; larger ones are found without, and enlarged cloth is taken for them

_CELLS: Final = 8  # the picture's darkness is judged on 8 x 8 cells
_DARK_PART: Final = 0.25  # of the cells: "a large part" of the picture
_DARK_GOAL: Final = 0.8  # luma that the brightest tenth of the dark part is raised to
_MOST_GAIN: Final = 24.0
_LUMA: Final = np.array([0.2126, 0.7152, 0.0722])


@dataclass(frozen=True)
class Detectors(Value):
    """The callables to search with. Those in `tiled` see a small fixed input: at full size they get tiles."""

    whole: tuple[Detector, ...]
    tiled: tuple[Detector, ...] = ()


class Finds(Sequence[Found]):
    """What was found in every frame of a clip, added one after the other: 40 bytes a face, 8 a frame."""

    def __init__(self) -> None:
        self._rows, self._ends = array("d"), array("q", [0])

    def append(self, found: Found) -> None:
        """Add the next frame's."""
        for box, score in found:
            self._rows.extend((box.x0, box.y0, box.x1, box.y1, score))
        self._ends.append(len(self._rows))

    def __len__(self) -> int:
        return len(self._ends) - 1

    @overload
    def __getitem__(self, index: int) -> Found: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Found, ...]: ...

    def __getitem__(self, index: int | slice) -> Found | tuple[Found, ...]:
        if isinstance(index, slice):
            return tuple(self[i] for i in range(*index.indices(len(self))))
        frame = index + len(self) if index < 0 else index
        if not 0 <= frame < len(self):
            raise IndexError(index)
        r = self._rows
        return tuple((Box(r[i], r[i + 1], r[i + 2], r[i + 3]), r[i + 4])
                     for i in range(self._ends[frame], self._ends[frame + 1], 5))


def detect(picture: Bytes, index: int, detectors: Detectors, options: DetectOptions) -> Found:
    """Find the faces of an upright RGB picture (h, w, 3) uint8, frame number `index` of its clip.

    Every frame is searched on a reduced copy; every `full_every` th on full size as well, for small faces, with a small
    picture enlarged, and for faces that the picture's edge cuts; and every second of these in tiles, and turned on its sides
    and upside down. Where the picture, or a large part of it, is dark, brightened copies are searched too.
    """
    small = _reduced(picture, options.reduced_side)
    found = [*_search(small, picture, detectors.whole + detectors.tiled, options)]
    if index % options.full_every == 0:
        full = _reduced(picture, options.full_side)
        large = _enlarged(full, min(_LARGE, options.full_side))
        if large.shape != small.shape:
            most = max(picture.shape) if large is full else _TINY * max(picture.shape) / max(full.shape)
            found += [f for f in _search(large, picture, detectors.whole, options) if max(f[0].width, f[0].height) <= most]
        found += _at_the_rim(small, picture, detectors.whole, options)
        if index % (options.full_every * TILES_EVERY) == 0:
            if max(full.shape) > TILE:
                found += _search(full, picture, [_in_tiles(d) for d in detectors.tiled], options)
            turned = _turned(small, picture, detectors.whole, options)
            found += [t for t in turned if not any(same(t[0], box) for box, _ in found)]
    return merged(found)


def _reduced(picture: Bytes, side: int) -> Bytes:
    """The picture with its longer side at most `side` px."""
    factor = side / max(picture.shape[:2])
    if factor >= 1:
        return picture
    height, width = (max(round(s * factor), 1) for s in picture.shape[:2])
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _enlarged(picture: Bytes, side: int) -> Bytes:
    """The picture at up to twice its size, its longer side at most `side` px; one that is hardly smaller as it is.

    Of a face of 12 px YuNet is not sure, of one of 18 it is.
    """
    factor = min(_LARGER, side / max(picture.shape[:2]))
    if factor < _HARDLY:
        return picture
    return np.asarray(cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC), np.uint8)


def _search(copy: Bytes, picture: Bytes, detectors: Iterable[Detector], options: DetectOptions) -> Iterator[
        tuple[Box, float]]:
    """Boxes that any detector finds in the copy, and in it brightened, in pixels of the picture."""
    y, x = picture.shape[0] / copy.shape[0], picture.shape[1] / copy.shape[1]
    bright = brightened(copy, options.dark_below)
    for detector in detectors:
        for version in (copy,) if bright is None else (copy, bright):
            for box, score in detector(version):
                seen = geometry.clipped(geometry.times(box, x, y), picture.shape[1], picture.shape[0])
                if seen is not None:
                    yield seen, score


def _at_the_rim(copy: Bytes, picture: Bytes, detectors: Iterable[Detector], options: DetectOptions) -> Iterator[
        tuple[Box, float]]:
    """Faces of which the picture's edge cuts off about a half, in pixels of the picture: mirrored at the edge they are whole."""
    height, width = picture.shape[:2]
    rim = round(_RIM * min(copy.shape[:2]))
    wide = cv2.copyMakeBorder(copy, rim, rim, rim, rim, cv2.BORDER_REFLECT)
    for box, score in _search(_reduced(wide, max(copy.shape[:2])), wide, detectors, options):
        whole = geometry.times(geometry.shifted(box, -rim, -rim), width / copy.shape[1], height / copy.shape[0])
        cut = whole.x0 < 0 or whole.y0 < 0 or whole.x1 > width or whole.y1 > height
        seen = geometry.clipped(whole, width, height)
        if cut and seen is not None and score >= _SURE and seen.area >= _LEFT_IN * whole.area:
            yield seen, score


def _turned(copy: Bytes, picture: Bytes, detectors: Iterable[Detector], options: DetectOptions) -> Iterator[tuple[Box, float]]:
    """Faces that lie or stand on their heads, in pixels of the picture: those found for sure in a turned copy."""
    height, width = copy.shape[:2]
    for turns in (1, 2, 3):
        turned = np.ascontiguousarray(np.rot90(copy, turns))
        for box, score in _search(turned, turned, detectors, options):
            if score >= _SURE:
                yield geometry.times(_back(box, turns, width, height), picture.shape[1] / width, picture.shape[0] / height), score


def _back(box: Box, turns: int, width: int, height: int) -> Box:
    """A box of a picture that was turned left by so many quarters, in the picture (width, height) as it was."""
    if turns == 1:
        return Box(width - box.y1, box.x0, width - box.y0, box.x1)
    if turns == 2:
        return Box(width - box.x1, height - box.y1, width - box.x0, height - box.y0)
    return Box(box.y0, height - box.x1, box.y1, height - box.x0)


def _in_tiles(detector: Detector) -> Detector:
    """The detector run on overlapping tiles. A box cut by an inner tile border is left to the tile next to it."""
    def find(picture: Bytes) -> list[tuple[Box, float]]:
        height, width = picture.shape[:2]
        found = []
        for top in _starts(height):
            for left in _starts(width):
                tile = picture[top:top + TILE, left:left + TILE]
                for box, score in detector(tile):
                    inner = (left == 0 or box.x0 > 0) and (top == 0 or box.y0 > 0)
                    inner &= (left + TILE >= width or box.x1 < TILE) and (top + TILE >= height or box.y1 < TILE)
                    if inner and (score >= _SURE or _confirmed(detector, picture, geometry.shifted(box, left, top))):
                        found.append((geometry.shifted(box, left, top), score))
        return found

    return find


def _confirmed(detector: Detector, picture: Bytes, box: Box) -> bool:
    """Whether the detector finds the same face once more, in a crop with the face in its middle."""
    (x, y), half = box.centre, max(box.width, box.height) * _AROUND / 2
    crop = picture[max(round(y - half), 0):max(round(y + half), 1), max(round(x - half), 0):max(round(x + half), 1)]
    factor = _SEEN / max(crop.shape[:2])
    large = np.asarray(cv2.resize(crop, None, fx=factor, fy=factor, interpolation=cv2.INTER_LINEAR), np.uint8)
    back = (geometry.times(found, 1 / factor, 1 / factor) for found, _ in detector(large))
    return any(same(geometry.shifted(b, max(round(x - half), 0), max(round(y - half), 0)), box) for b in back)


def _starts(length: int) -> list[int]:
    """Where the tiles of that picture side begin."""
    if length <= TILE:
        return [0]
    count = int(np.ceil((length - TILE) / (TILE * (1 - _TILE_OVERLAP)))) + 1
    return [round(s) for s in np.linspace(0, length - TILE, count)]


def darkness(picture: Bytes) -> Doubles:
    """Mean luma, 0 to 1, of 8 x 8 cells of an RGB picture."""
    return np.asarray(cv2.resize(picture, (_CELLS, _CELLS), interpolation=cv2.INTER_AREA) @ _LUMA / 255)


def brightened(picture: Bytes, below: float) -> Bytes | None:
    """A copy in which the dark part can be seen; None if there is none.

    Dark: the mean luma, or that of a quarter of the cells, is under `below`.
    A gain, not a gamma, so that contrast stays; then local histogram equalisation of the luma.
    """
    cells = darkness(picture)
    if cells.mean() >= below and (cells < below).mean() < _DARK_PART:
        return None
    cell = (cells < max(below, float(cells.min()) + 1e-6)).astype(np.uint8)
    dark = cv2.resize(cell, picture.shape[1::-1], interpolation=cv2.INTER_NEAREST) > 0
    level = float(np.percentile(picture[dark] @ _LUMA, 90)) / 255
    gain = np.clip(_DARK_GOAL / max(level, 1e-3), 1.0, _MOST_GAIN)
    lifted = np.asarray(np.minimum(np.arange(256) * gain, 255), np.uint8)[picture]
    lab = cv2.cvtColor(lifted, cv2.COLOR_RGB2LAB)
    lab[:, :, 0] = cv2.createCLAHE(2.0, (4, 4)).apply(lab[:, :, 0])
    return np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), np.uint8)


def merged(found: Sequence[tuple[Box, float]]) -> Found:
    """One box for each face: boxes that overlap, or of which one has its centre in the other, are one face.

    Boxes that agree are averaged by score; the face box is then stretched around those that do not, so that nothing
    found is left out by more than the noise of the detectors.
    """
    groups: list[list[tuple[Box, float]]] = []
    for box, score in sorted(found, key=lambda f: -f[1]):
        for group in groups:
            if same(group[0][0], box):
                group.append((box, score))
                break
        else:
            groups.append([(box, score)])
    return tuple((_together(group), group[0][1]) for group in groups)


def same(a: Box, b: Box) -> bool:
    """Whether two boxes of one picture are one face."""
    return geometry.overlap(a, b) > _SAME or geometry.holds(a, b.centre) or geometry.holds(b, a.centre)


def _together(group: Sequence[tuple[Box, float]]) -> Box:
    """The box of a group, its best box first."""
    agreeing = [(b, s) for b, s in group if geometry.overlap(b, group[0][0]) >= _AGREE]
    core = geometry.mean([b for b, _ in agreeing], [s for _, s in agreeing])
    others = [b for b, _ in group if geometry.overlap(b, group[0][0]) < _AGREE]
    return geometry.union([core, *others])
