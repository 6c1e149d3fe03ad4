"""What the plan says of each frame of the output: the audit asks it who is where, and believes nothing else of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from facedouble.types import Box, Value


@dataclass(frozen=True)
class Told(Value):
    """A face, where the plan has it in a frame of the output (px, upright), and what it gets there.

    treatment: "double", "mannequin", "veil", "hide", "show", "reveal" or "ignore"; and where no plan says it,
    "maybe": what a detector is not sure of may be drawn over, and may not be seen as it was filmed. person: the plan's id, "" if
    nobody's. track: the number of the face, which is its own as long as it is there; -1 if it has none.
    """

    box: Box
    treatment: str
    person: str = ""
    track: int = -1


Account = Callable[[int], Sequence[Told]]
"""Frame of the output -> who is where in it."""
