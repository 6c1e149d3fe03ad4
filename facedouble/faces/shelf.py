"""Integers of every frame of a film, kept small in memory: what changes little from frame to frame needs little room."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, Self

import numpy as np

from facedouble.types import Array, Ints

CHUNK: Final = 32  # rows that are packed together: longer ones save little, and are slower to open
_OPEN: Final = 32  # chunks that stay open, of all shelves together


def _pack(rows: Ints) -> bytes:
    """Rows (n, width) as differences in time, the sign in the lowest bit, bytes of like weight together, deflated."""
    steps = np.diff(rows, axis=0, prepend=np.zeros_like(rows[:1]))
    folded = ((steps << 1) ^ (steps >> 31)).astype("<i4")
    return zlib.compress(folded.reshape(-1, 1).view(np.uint8).T.tobytes())


@lru_cache(_OPEN)
def _unpack(packed: bytes, width: int) -> Ints:
    """What `_pack` was given."""
    planes = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(4, -1)
    folded = np.ascontiguousarray(planes.T).view("<u4").reshape(-1, width)
    rows = np.cumsum((folded >> 1).astype(np.int32) ^ -(folded & 1).astype(np.int32), axis=0, dtype=np.int32)
    rows.flags.writeable = False
    return rows


class Shelf:
    """Rows (width,) int32 in the order they came; what comes out is what went in. Values and steps stay under 2^30."""

    def __init__(self, width: int) -> None:
        self.width = width
        self._packed: list[bytes] = []
        self._loose: list[Ints] = []
        self._count, self._closed = 0, False

    def __len__(self) -> int:
        return self._count

    def append(self, row: Array) -> None:
        """Add the next row."""
        if self._closed:
            raise ValueError("the shelf is closed")
        self._loose.append(row.astype(np.int32).reshape(self.width))
        self._count += 1
        if len(self._loose) == CHUNK:
            self._packed.append(_pack(np.stack(self._loose)))
            self._loose = []

    def close(self) -> None:
        """Pack what is loose; nothing more comes."""
        if self._loose:
            self._packed.append(_pack(np.stack(self._loose)))
        self._loose, self._closed = [], True

    def __getitem__(self, index: int) -> Ints:
        if not 0 <= index < len(self):
            raise IndexError(index)
        chunk, row = divmod(index, CHUNK)
        if chunk == len(self._packed):
            return self._loose[row]
        found: Ints = _unpack(self._packed[chunk], self.width)[row]
        return found

    def packed(self) -> tuple[bytes, ...]:
        """What a closed shelf holds, for `of`."""
        if not self._closed:
            raise ValueError("the shelf is open")
        return tuple(self._packed)

    @classmethod
    def of(cls, width: int, count: int, packed: Sequence[bytes]) -> Self:
        """The closed shelf of `count` rows that `packed` is from; ValueError if it cannot be."""
        made = cls(width)
        made._packed, made._count, made._closed = list(packed), count, True
        try:
            sizes = [len(_unpack(p, width)) for p in (*packed[:1], *packed[-1:])]
        except zlib.error as error:
            raise ValueError("not a shelf") from error
        if len(packed) != -(-count // CHUNK) or sizes not in ([], [CHUNK if count > CHUNK else count, (count - 1) % CHUNK + 1]):
            raise ValueError("not a shelf of that many rows")
        return made

    @property
    def nbytes(self) -> int:
        """Bytes of all rows as they are held."""
        return sum(map(len, self._packed)) + sum(r.nbytes for r in self._loose)
