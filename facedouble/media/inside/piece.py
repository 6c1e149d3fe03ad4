"""What the jobs in the child give: pieces, some with arrays."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, BinaryIO, Final, Protocol

import numpy as np

from facedouble.types import Array

OFTEN: Final = 16  # packets

@dataclass(frozen=True)
class Piece:
    """Something read. head: numbers and short words, as JSON has them; arrays: beside it, any strides, valid until the next."""

    head: dict[str, Any] = field(default_factory=dict)
    arrays: tuple[Array, ...] = ()


Steps = Iterator[Piece | None]
"""Pieces; None in between says that the work goes on."""


class Job(Protocol):
    """Read a file. given: what was asked; its `room` is the most bytes of arrays that a piece may have."""

    def __call__(self, file: BinaryIO, given: dict[str, Any], /) -> Steps: ...


def told(value: Any, room: int) -> Iterator[Piece]:
    """A value as JSON text, in pieces; the last says so."""
    text = np.frombuffer(json.dumps(value).encode(), np.uint8)
    for start in range(0, len(text), room):
        yield Piece({"last": start + room >= len(text)}, (text[start : start + room],))


def going(number: int) -> Piece | None:
    """The step after so many packets of a value that takes long: each piece has its own time, and "it goes on" adds none."""
    return None if number % OFTEN else Piece({"last": False})


def ratio(value: Any) -> list[int]:
    """An exact number as JSON: numerator and denominator."""
    exact = Fraction(value)
    return [exact.numerator, exact.denominator]
