"""Faces linked from frame to frame: one gapless track for each face of each shot.

In every frame the chains of boxes so far are carried on by the picture's motion and by what the face itself did beyond
it, and matched with what was found (as in nwojke/deep_sort, with carried boxes in the place of the Kalman filter).
`fill` then makes the chains gapless, both ways.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

import numpy as np
from scipy.optimize import linear_sum_assignment

from facedouble import geometry
from facedouble.faces import fill
from facedouble.faces.motion import Motion
from facedouble.options import TrackOptions
from facedouble.types import FACE, Array, Box, Doubles, Face, Rows, Track

FLASH: Final = 0.2  # s; a shot shorter than that is taken as a flash, part of the shot before it

_REACH: Final = 0.35  # face sizes that a face may be off its place, when seen in the frame before
_FARTHEST: Final = 1.0  # face sizes, however long it was not seen
_SIZES: Final = 2.2  # most ratio of sizes of one face
_FRESH: Final = 0.2  # s; a chain seen that recently swallows parts of its face that are found beside it
_MOMENTUM: Final = 0.5  # share of the newest step in the face's own speed
_FRICTION: Final = 0.25  # s in which that speed falls to 1/e while the face is not seen
_NEVER: Final = 1e6  # cost of a pair that must not be

_DOUBLED: Final = 0.7  # share of a box inside another from which both are one face...
_MOSTLY: Final = 0.6  # ...if it is so in that share of the shorter track's frames


@dataclass
class _Chain:
    """The observed boxes of one face so far, and where it should be in the frame that is being linked."""

    seen: dict[int, tuple[Box, float]]
    place: Box
    last: int
    speed: tuple[float, float] = (0.0, 0.0)  # px a frame, beyond the picture's motion
    parts: list[tuple[int, Box]] = field(default_factory=list)

    def advance(self, motion: Motion, size: tuple[int, int], rate: float) -> None:
        carried = fill.moved(self.place, motion, size, 1, self.seen[self.last][0])
        self.place = geometry.shifted(carried, *self.speed)
        slower = float(np.exp(-1 / (rate * _FRICTION)))
        self.speed = self.speed[0] * slower, self.speed[1] * slower

    def take(self, frame: int, box: Box, score: float) -> None:
        gap = frame - self.last
        off = [(b - p) / gap for b, p in zip(box.centre, self.place.centre, strict=True)]
        self.speed = self.speed[0] + _MOMENTUM * off[0], self.speed[1] + _MOMENTUM * off[1]
        self.seen[frame], self.place, self.last = (box, score), box, frame

    def swallow(self, frame: int, box: Box) -> None:
        self.parts.append((frame, box))

    def boxes(self) -> dict[int, tuple[Box, float]]:
        """The observed boxes, stretched around the parts found in the same frame."""
        if not self.parts:
            return self.seen
        whole = dict(self.seen)
        for frame, part in self.parts:
            if frame in whole:
                whole[frame] = geometry.union([whole[frame][0], part]), whole[frame][1]
        return whole


def shots(motions: Sequence[Motion], rate: float) -> list[tuple[int, int]]:
    """Spans of frames without a cut. One shorter than a flash belongs to the one before it."""
    starts = [0]
    cuts = [m.frame for m in motions if m.cut and m.frame > 0]
    for cut, after in pairwise([*cuts, len(motions)]):
        if after - cut >= FLASH * rate:
            starts.append(cut)
    return list(pairwise([*starts, len(motions)]))


def link(detections: Sequence[Sequence[tuple[Box, float]]], motions: Sequence[Motion], rate: float,
         size: tuple[int, int], options: TrackOptions) -> tuple[Track, ...]:
    """Make gapless tracks of what was found in each frame of a clip, every find in one of them.

    Parameters
    ----------
    detections : what `detect` found, frame by frame; px of the full picture.
    motions : one for each frame, `motions[i].frame == i`.
    rate : frames a second.
    size : width and height of the picture, px.
    """
    if len(detections) != len(motions):
        raise ValueError(f"{len(detections)} frames of detections, {len(motions)} of motion")
    quiet = np.array([not found for found in detections], bool)
    rows: list[Array] = []
    for span in shots(motions, rate) if motions else []:
        chains = _chains(detections, motions, span, rate, size, options)
        shot = fill.Shot(span, motions, rate, size, quiet)
        places = _undoubled([fill.filled(chain.boxes(), chain.parts, shot, options) for chain in chains])
        rows += [np.fromiter(map(_row, row), FACE, len(row)) for row in places]
    rows.sort(key=lambda row: int(row["frame"][0]))
    return tuple(Track(i, Rows(row, Face.of)) for i, row in enumerate(rows))


def _row(place: fill.Place) -> tuple[int, tuple[float, ...], float, bool]:
    c = place.cover
    return place.frame, (c.x0, c.y0, c.x1, c.y1), place.score, place.observed


def _chains(detections: Sequence[Sequence[tuple[Box, float]]], motions: Sequence[Motion], span: tuple[int, int],
            rate: float, size: tuple[int, int], options: TrackOptions) -> list[_Chain]:
    """Link the finds of one shot."""
    chains: list[_Chain] = []
    for frame in range(*span):
        alive = [c for c in chains if frame - c.last <= options.max_gap * rate]
        if frame > span[0]:
            for chain in alive:
                chain.advance(motions[frame], size, rate)
        found = list(detections[frame])
        for chain_index, find_index in list(_matches(alive, found, frame, rate, options)):
            alive[chain_index].take(frame, *found[find_index])
            found[find_index] = (found[find_index][0], -1.0)
        fresh = [c for c in alive if frame - c.last <= _FRESH * rate]
        for box, score in found:
            if score < 0:
                continue
            whole = next((c for c in fresh if _part(box, c.place)), None)
            if whole is not None:
                whole.swallow(frame, box)
            else:
                chains.append(_Chain({frame: (box, score)}, box, frame))
    return chains


def _part(box: Box, face: Box) -> bool:
    """Whether a find is a piece of a face that has its own chain."""
    return geometry.inside(box, face) >= _DOUBLED


def _matches(chains: Sequence[_Chain], found: Sequence[tuple[Box, float]], frame: int, rate: float,
             options: TrackOptions) -> Iterator[tuple[int, int]]:
    """Pairs of chain and find, by the least total cost (Hungarian method)."""
    if not chains or not found:
        return
    cost: Doubles = np.array([[_cost(c, box, (frame - c.last) / rate, options) for box, _ in found] for c in chains])
    for row, column in zip(*linear_sum_assignment(cost), strict=True):
        if cost[row, column] < _NEVER:
            yield int(row), int(column)


def _cost(chain: _Chain, box: Box, unseen: float, options: TrackOptions) -> float:
    """How ill a find suits a chain last seen `unseen` seconds ago; `_NEVER` if it cannot be the same face."""
    side = geometry.size(chain.place)
    ratio = abs(float(np.log(geometry.size(box) / side)))
    away = geometry.distance(chain.place, box) / max(side, geometry.size(box))
    near = away <= min(_REACH + options.growth * unseen, _FARTHEST)
    if ratio > np.log(_SIZES) or not (near or geometry.overlap(chain.place, box) >= options.min_overlap):
        return _NEVER
    return away + ratio + 0.1 * unseen


def _undoubled(rows: list[list[fill.Place]]) -> list[list[fill.Place]]:
    """Merge tracks of which one lies in the other for most of its frames. Longest observed first."""
    kept: list[list[fill.Place]] = []
    for row in sorted(rows, key=lambda r: -sum(p.observed for p in r)):
        for i, other in enumerate(kept):
            if _doubles(row, other):
                kept[i] = fill.joined(other, row)
                break
        else:
            kept.append(row)
    return kept


def _doubles(row: Sequence[fill.Place], other: Sequence[fill.Place]) -> bool:
    theirs = {p.frame: p.core for p in other}
    within = [p.frame in theirs and geometry.inside(p.core, theirs[p.frame]) >= _DOUBLED for p in row]
    return float(np.mean(within)) >= _MOSTLY
