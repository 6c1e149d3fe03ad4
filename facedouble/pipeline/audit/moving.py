"""How a face in a film moves: landmarks of every frame of a window, read down to habits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from facedouble.audit.motion import Moves, habits
from facedouble.colour import picture
from facedouble.faces.reading import projected
from facedouble.geometry import times
from facedouble.morphable.calm import EXPRESSIONS, LIDS, calmed, mirroring
from facedouble.morphable.pose import canonical, euler
from facedouble.morphable.semantics import semantics
from facedouble.morphable.topology import topology
from facedouble.pipeline.audit.glimpse import Find, crop
from facedouble.pipeline.sight import CROP, GROWN, MOVED, NEAR, Follower, Window, windows
from facedouble.types import CODE_FLOATS, LANDMARKS, MESH_POINTS, Array, Box, ClipCode, Doubles, Floats, Frame

CALMS: Final = (0.5, 1.0)  # strengths of `--calm` that are tried on what the film shows
SIDE: Final = 384  # px of the crop that the landmarker sees, as the program's own does
UNSEEN: Final = 0.1  # of a window's frames may show no landmarks; what lies between is filled in
SEARCH: Final = 1.0  # s between searches for the face of known footage

Calmed = dict[float, Floats]
"""Habits of a window by how calm it was made; 0 as it is."""


class Watch:
    """Follows one face from frame to frame; each full window of it becomes habits."""

    def __init__(self, mesh: Follower, rate: float, seconds: float, calms: Sequence[float] = ()) -> None:
        self.mesh, self.rate, self.calms = mesh, rate, calms
        self.length = max(8, round(seconds * rate))
        self.marks: list[Array | None] = []
        self.window: Window | None = None
        self.found: list[Calmed] = []
        self.ends: list[int] = []  # the last frame of each window found
        self.last: int | None = None

    def __call__(self, frame: Frame, box: Box) -> Box | None:
        """Look at the face in the box; returns where its landmarks are."""
        if self.last != frame.index - 1 or self.window is None:
            self.marks, self.window = [], None
            self.mesh.reset()
        self.last = frame.index
        self.window = _held(self.window, box)
        marks = _marks(frame, box, self.window, self.mesh)
        self.marks.append(marks)
        if len(self.marks) == self.length:
            seen = np.array([m is not None for m in self.marks])
            if (~seen).mean() <= UNSEEN:
                self.found.append(read(_filled(self.marks, seen), self.rate, self.calms))
                self.ends.append(frame.index)
            self.marks = []
        if marks is None:
            return None
        low, high = marks[:MESH_POINTS, :2].min(0), marks[:MESH_POINTS, :2].max(0)
        return Box(float(low[0]), float(low[1]), float(high[0]), float(high[1]))


    def close(self) -> None:
        """Free the landmarker."""
        self.mesh.close()


def follow(frame: Frame, last: Box | None, rate: float, find: Find) -> Box | None:
    """Where the largest face of known footage is: where its landmarks were, searched for once a second and when it is lost."""
    if last is not None and frame.index % max(1, round(SEARCH * rate)):
        return last
    small = picture(frame, SIDE * 2)
    found = [face.box for face in find(small)]
    if not found:
        return last
    factor = frame.width / small.shape[1]
    return times(max(found, key=lambda b: b.area), factor, frame.height / small.shape[0])


def _held(window: Window | None, box: Box) -> Window:
    """The crop stays where it is until the face has moved or grown, as in `sight.windows`."""
    if window is not None:
        side, (x, y) = max(box.width, box.height) * CROP, box.centre
        away = max(abs(window.x0 + window.side / 2 - x), abs(window.y0 + window.side / 2 - y))
        if abs(window.side - side) <= GROWN * side and away <= MOVED * side:
            return window
    return windows([box])[0]


def _marks(frame: Frame, box: Box, window: Window, mesh: Follower) -> Array | None:
    """Landmarks (478, 3) px of the frame, or None."""
    if frame.corrupt:
        return None
    seen = crop(frame, window, SIDE)
    found = mesh(seen)
    if found is None:
        return None
    scale = window.side / seen.shape[0]
    marks = found.astype(np.float64) * scale
    marks[:, :2] += [window.x0, window.y0]
    far = np.abs((marks[:MESH_POINTS, :2].min(0) + marks[:MESH_POINTS, :2].max(0)) / 2 - box.centre).max()
    return marks if far <= NEAR * max(box.width, box.height) else None


def _filled(marks: Sequence[Array | None], seen: Array) -> Array:
    """(T, 478, 3) with what was not seen filled in from before and after."""
    at = np.flatnonzero(seen)
    rows = np.stack([m for m in marks if m is not None]).reshape(len(at), -1)
    full = np.stack([np.interp(np.arange(len(marks)), at, column) for column in rows.T], 1)
    return full.reshape(-1, LANDMARKS, 3)


def read(marks: Array, rate: float, calms: Sequence[float] = ()) -> Calmed:
    """Habits of the landmarks (T, 478, 3) of a window: as they are, and made calmer."""
    shapes, _, rotations, _ = canonical(marks, topology().mean)
    s = semantics(shapes)
    codes = np.zeros((len(marks), CODE_FLOATS), np.float32)
    codes[:, EXPRESSIONS] = projected(shapes - np.median(shapes, 0))
    codes[:, LIDS] = np.stack([s.right_aperture, s.left_aperture], 1)
    turns = np.unwrap(np.array([euler(r) for r in rotations]), axis=0, period=360)
    shut = tuple(min(0.115, float(np.percentile(side, 0.5))) for side in codes[:, LIDS].T)
    clip = ClipCode(1, 1, 1, 1, 0, shut, (0.3, 0.3), (0, 0), 0, 0)  # type: ignore[arg-type]
    return {strength: habits(_moves(calmed(codes, clip, strength, rate, 0), turns, rate)) for strength in (0.0, *calms)}


def _moves(codes: Floats, turns: Doubles, rate: float) -> Moves:
    expression = codes[:, EXPRESSIONS].astype(np.float64)
    return Moves(turns, expression, (expression @ mirroring().T - expression) / 2, codes[:, LIDS].astype(np.float64), rate)
