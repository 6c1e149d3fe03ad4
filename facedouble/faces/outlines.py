"""The witness' outline in every frame of a track: smoothed while it comes in, kept in sixteenths of a pixel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self, overload

import numpy as np

from facedouble.faces.shelf import Shelf
from facedouble.faces.smooth import smooth
from facedouble.types import MESH_POINTS, Array, Value

WINDOW: Final = 5  # frames, Savitzky-Golay
STEPS: Final = 16  # to a px: what is kept is off by a thirty-second of a pixel at most
_REACH: Final = WINDOW // 2  # frames before and after that a smoothed one looks at


@dataclass(frozen=True)
class Outline(Value):
    """The witness' outline, all that passes beside the codes: where to blank, and how far the surroundings move.

    mesh (468, 2) px, smoothed landmarks.
    """

    mesh: Array


class Outlines(Sequence[Outline]):
    """One outline per frame, built when asked for; about half a kilobyte each."""

    def __init__(self) -> None:
        self._shelf = Shelf(2 + 2 * MESH_POINTS)
        self._near = np.zeros((0, MESH_POINTS, 2))  # as measured: the last ones, which smoothing looks at...
        self._done = 0  # ...and how many of them are on the shelf

    def extend(self, meshes: Array) -> None:
        """Take the next frames' outlines as measured, (n, 468, 2) px."""
        self._near = np.concatenate([self._near, meshes])
        if len(self._near) >= WINDOW + _REACH:
            self._put(len(self._near) - _REACH)

    def finish(self) -> None:
        """Nothing more comes."""
        self._put(len(self._near))
        self._near = self._near[:0].copy()
        self._shelf.close()

    def _put(self, stop: int) -> None:
        for mesh in smooth(self._near, WINDOW)[self._done : stop]:
            whole = np.round(mesh * STEPS).astype(np.int32)
            middle = np.round(whole.mean(0)).astype(np.int32)
            self._shelf.append(np.concatenate([middle, (whole - middle).ravel()]))
        kept = max(0, stop - WINDOW)
        self._near, self._done = self._near[kept:].copy(), stop - kept

    def __len__(self) -> int:
        return len(self._shelf)

    @overload
    def __getitem__(self, index: int) -> Outline: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Outline, ...]: ...

    def __getitem__(self, index: int | slice) -> Outline | tuple[Outline, ...]:
        if isinstance(index, slice):
            return tuple(self[i] for i in range(*index.indices(len(self))))
        row = self._shelf[index + len(self) if index < 0 else index]
        return Outline(((row[2:].reshape(-1, 2) + row[:2]) / STEPS).astype(np.float32))

    @property
    def shelf(self) -> Shelf:
        """Of a finished run: rows of the middle and of what each point is off it, in `STEPS`."""
        return self._shelf

    @classmethod
    def of(cls, shelf: Shelf) -> Self:
        """The finished run that a shelf is from."""
        made = cls()
        if shelf.width != made._shelf.width:
            raise ValueError("not a shelf of outlines")
        made._shelf = shelf
        return made

    @property
    def nbytes(self) -> int:
        """Bytes of what is held."""
        return self._shelf.nbytes + self._near.nbytes
