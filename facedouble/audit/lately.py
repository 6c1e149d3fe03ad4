"""The last half a second of a face, frame after frame: what chance hides in a single one shows in the mean of so many."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from facedouble.audit.account import Told
from facedouble.audit.reuse import MOVES, NEAR, Reuse, peak
from facedouble.audit.rim import CELLS, line
from facedouble.types import Array, Bools, Doubles, Floats, Value

FEW: Final = 6  # frames under which nothing is told of half a second
LEAST: Final = 12  # frames of it at least, however few a second has: in fewer, chance is as strong as a trace


@dataclass(frozen=True)
class _Look(Value):
    """What one frame adds; moved is empty where it was not taken; spots: `reuse.spots` where no face is seen, else None."""

    number: int
    lines: Bools
    moved: Floats
    left: float
    rows: float
    pixels: int
    strip: float
    spots: float | None


@dataclass
class Lately:
    """half: frames of half a second. rest: frames since all of them were judged together."""

    half: int
    told: Told
    looks: deque[_Look] = field(default_factory=deque)
    rest: int = 0
    _lines: Array = field(default_factory=lambda: np.zeros(CELLS, np.int32))
    _moved: Doubles = field(default_factory=lambda: np.zeros(MOVES))
    _count: int = 0
    _whole: bool = False

    def add(self, number: int, told: Told, found: Reuse, spots: float | None = None) -> None:
        """One frame more; those that are too old go. spots: as in `_Look`."""
        while self.looks and (len(self.looks) >= self.half or number - self.since >= 2 * self.half):
            self._whole = True
            self._sum(self.looks.popleft(), -1)
        look = _Look(number, found.rim.lines, found.moved, found.left, found.rows, found.pixels[0], found.strip, spots)
        self.looks.append(look)
        self._sum(look, 1)
        self.told, self.rest = told, self.rest + 1

    def _sum(self, look: _Look, sign: int) -> None:
        self._lines += sign * look.lines
        if len(look.moved):
            self._moved += sign * look.moved
            self._count += sign

    @property
    def since(self) -> int:
        """The first frame that is held."""
        return self.looks[0].number

    @property
    def last(self) -> int:
        """The last one."""
        return self.looks[-1].number

    @property
    def full(self) -> bool:
        """Whether half a second is held, or of a face that is there now and then as much as there is of it in twice the time."""
        return len(self.looks) >= self.half or (self._whole and len(self.looks) >= FEW)

    def line(self) -> float:
        """Share of the turn along which a line of the footage runs."""
        return line(np.asarray(self._lines / np.float32(len(self.looks)), np.float32))

    def peaks(self) -> list[tuple[float, float, float]]:
        """Of this footage, of that of the frame before, of this in what was before: `reuse.peak` of their means."""
        return [peak(np.asarray(moved / max(self._count, 1), np.float32), NEAR) for moved in self._moved]

    @property
    def unseen(self) -> bool:
        """Whether a detector saw a face in none of the frames, as under a veil."""
        return all(look.spots is not None for look in self.looks)

    def spots(self) -> float:
        """Share of a veiled face that tiny windows find as it was, the mean; 0 if a face was seen in any of the frames."""
        return float(np.mean([look.spots or 0.0 for look in self.looks])) if self.unseen else 0.0

    def pixels(self) -> float:
        """Of the face, the mean."""
        return float(np.mean([look.pixels for look in self.looks]))

    def left(self) -> float:
        """Share of the face that small windows find as it was, the mean."""
        return float(np.mean([look.left for look in self.looks]))

    def rows(self) -> float:
        """The same of thin ones."""
        return float(np.mean([look.rows for look in self.looks]))

    def strip(self) -> float:
        """The median, wherever in the face the strip is, as a head moves."""
        return float(np.median([look.strip for look in self.looks]))
