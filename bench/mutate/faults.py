"""What a fault is: a way to break a protected film on purpose, at a place, with a strength."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PLACES = 8


@dataclass(frozen=True)
class Case:
    """A protected film that is clean, and what it was made of. words: names that must not be heard or read."""

    source: Path
    clean: Path
    words: tuple[str, ...] = ()


class Unfit(Exception):
    """This fault cannot be made on that film (it has no sound, or nothing of the fault would be seen), or on this disk."""


@dataclass(frozen=True)
class Fault:
    """make(case, place, strength, new file): place 0 to 7 is where in the film (or in the file); strengths: strongest first.

    group: "picture", "sound" or "container".
    """

    kind: str
    group: str
    strengths: tuple[float, ...]
    make: Callable[[Case, int, float, Path], None]
