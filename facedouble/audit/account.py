"""What the plan says of each frame of the output: the audit asks it who is where, and believes nothing else of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Self

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


def ignored(track: int) -> str:
    """What a place is called, among people, that somebody looked at and found to be no face."""
    return f"ignored {track}"


Account = Callable[[int], Sequence[Told]]
"""Frame of the output -> who is where in it."""


@dataclass(frozen=True)
class Cover(Value):
    """A place of a frame that is covered besides faces, or drawn on.

    x, y: its middle, px, pixel centres at integers; w, h: its sides, px, turned clockwise by `angle` degrees; shape: "box" or
    "ellipse". look: "frame", "solid" (of one colour), "veil" (of one colour from side to side), "inpaint" (not as it was filmed),
    "mark" (letters), or "fade": anything. more: px around it that may be changed, too.
    """

    x: float
    y: float
    w: float
    h: float
    angle: float = 0.0
    shape: str = "box"
    look: str = "solid"
    more: float = 0.0

    def check(self) -> None:
        if not (self.w > 0 and self.h > 0 and all(abs(v) < FARTHEST for v in (self.x, self.y, self.w, self.h, self.angle))):
            raise ValueError(f"no place {self}")

    @classmethod
    def of(cls, box: Box, look: str = "solid", more: float = 0.0) -> Self:
        """The cover of a box."""
        return cls((box.x0 + box.x1 - 1) / 2, (box.y0 + box.y1 - 1) / 2, box.width, box.height, look=look, more=more)


FARTHEST: Final = 1e6  # px, degrees

Covering = Callable[[int], Sequence[Cover]]
"""Frame of the output -> what is covered in it besides faces, in the order in which it is drawn."""


def uncovered(number: int) -> Sequence[Cover]:
    """Nothing besides faces."""
    return ()


class ByFrame:
    """Spans of frames [start, stop), to be asked which of them a frame is in; in a long film as quickly as in a short one."""

    def __init__(self, spans: Iterable[tuple[int, int]]) -> None:
        self.spans = list(spans)
        self.held: dict[int, list[int]] = {}
        for k, (start, stop) in enumerate(self.spans):
            for n in range(start // STRETCH, -(-stop // STRETCH)):
                self.held.setdefault(n, []).append(k)

    def at(self, frame: int) -> list[int]:
        """The numbers of the spans, rising."""
        return [k for k in self.held.get(frame // STRETCH, ()) if self.spans[k][0] <= frame < self.spans[k][1]]


STRETCH: Final = 64  # frames
