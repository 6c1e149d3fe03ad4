"""One frame of the output with all that the checks of the picture look at, made once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from facedouble.audit.account import Cover, Told
from facedouble.audit.reuse import compare
from facedouble.geometry import holds, inside, overlap
from facedouble.types import Array, Box, Bytes, Knower, Seen, Seer

DRAWN: Final = ("double", "mannequin")
COVERED: Final = ("veil", "hide")
OPEN: Final = ("show", "reveal", "ignore")
MAYBE: Final = "maybe"
BARE: Final = 0.5  # correlation of the finest detail from which a place is as it was filmed

Record = Callable[[str, int, Sequence[float]], None]
"""Name of a measure, frame, its numbers: what a bench fixes limits by."""


@dataclass(frozen=True)
class Models:
    """seer: finds faces in a reduced copy; whole: at full size; knower: whom a face looks like."""

    seer: Seer
    whole: Seer
    knower: Knower


@dataclass(frozen=True)
class Scene:
    """rgb (h, w, 3) uint8; output, source (h, w) brightness, source None where there is no footage; ends: the film's last;
    covers: what is covered besides faces."""

    number: int
    rgb: Bytes
    output: Array
    source: Array | None
    told: Sequence[Told]
    faces: Sequence[Seen]
    ends: bool
    covers: Sequence[Cover] = ()

    def bare(self, box: Box) -> bool:
        """Whether a place is as it was filmed, but for coding."""
        found = None if self.source is None else compare(self.source, self.output, box)
        return found is not None and found.whole[0] > BARE


def likest(face: Seen, told: Sequence[Told]) -> Told | None:
    """The one of the plan whose face it is, if it can be one's only; None if nobody is there."""
    return max(matched(face, told), key=lambda t: overlap(face.box, t.box), default=None)


def another(face: Seen, faces: Sequence[Seen], one: Told) -> bool:
    """Whether a face is somebody else's than that of somebody whose place it touches, which has a face that lies better.

    A detector may see one face twice; the middle of what it sees is in the face then. A large face that holds a small place is
    not that one's either.
    """
    own = overlap(face.box, one.box)
    if own <= 0.2 and face.box.area > one.box.area:
        return one.treatment in DRAWN
    return not holds(one.box, face.box.centre) and any(overlap(f.box, one.box) > own for f in faces)


def matched(face: Seen, told: Sequence[Told]) -> list[Told]:
    """Who of the plan a face that was found is."""
    return [t for t in told if overlap(face.box, t.box) > 0.2 or (holds(t.box, face.box.centre) and inside(face.box, t.box) > 0.5)
            or (holds(face.box, t.box.centre) and inside(t.box, face.box) > 0.8)]
