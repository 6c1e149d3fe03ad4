"""A file that is being walked: reads within bounds, a limit on steps, and what was odd. For input that may be hostile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO, Final

from facedouble.types import Value

LARGEST: Final = 1 << 26  # bytes read at once: a sample table of 155 hours at 30 pictures/s
MOST_STEPS: Final = 20_000  # boxes or elements outside of the coded pictures
MOST_ODDS: Final = 60  # that are told one by one
TIRED: Final = 1000  # odd things after which what is left of a stream is not looked at
SHOWN: Final = 24  # letters of a name that are repeated


@dataclass(frozen=True)
class Odd(Value):
    """Something that this program does not write. what: a sentence without its full stop; at: byte in the file."""

    what: str
    at: int


class Walk:
    """`walk.read(at, n)` for bytes that are there, `walk.say(what, at)` for what is odd, `walk.step()` for each thing met."""

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.size = file, file.seek(0, 2)
        self.odds: list[Odd] = []
        self.more = 0  # odd things beyond those in `odds`
        self.steps = 0

    def read(self, at: int, count: int) -> bytes:
        """Bytes at a place: fewer at the end of the file, and never more than LARGEST."""
        if at < 0 or at >= self.size or count <= 0:
            return b""
        self.file.seek(at)
        return self.file.read(min(count, LARGEST))

    def say(self, what: str, at: int) -> None:
        """Note something odd."""
        if len(self.odds) < MOST_ODDS:
            self.odds.append(Odd(what, at))
        else:
            self.more += 1

    def step(self) -> bool:
        """Count one thing met; False when there are too many to go on."""
        self.steps += 1
        if self.steps == MOST_STEPS:
            self.say(f"There are more than {MOST_STEPS} parts in the file; the rest was not looked at", 0)
        return self.steps < MOST_STEPS

    @property
    def tired(self) -> bool:
        """Whether so much is odd that more does not matter."""
        return self.more > TIRED

    def empty(self, start: int, stop: int) -> bool:
        """Whether there is nothing but zeros in [start, stop)."""
        while start < stop:
            block = self.read(start, min(stop - start, 1 << 20))
            if not block or block.count(0) != len(block):
                return False
            start += len(block)
        return True


def shown(name: bytes | str) -> str:
    """A name out of a file, as it may stand in a report: short, one line, nothing that a terminal or a page obeys."""
    text = name.decode("latin-1") if isinstance(name, bytes) else name
    return "".join(c if c.isprintable() and c not in "<>&\"'" else "?" for c in text[:SHOWN])
