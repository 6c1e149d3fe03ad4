"""What breaks a rule of the plan, and the rules that several values share."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import fields
from difflib import get_close_matches
from typing import Final

from facedouble.options import DrawOptions

HALO: Final = next(f.metadata for f in fields(DrawOptions) if f.name == "halo")
ENDLESS: Final = 1 << 40  # frames


class Wrong(ValueError):
    """A rule is broken. `path` is the place in the TOML: keys and, for lists, numbers from 0."""

    def __init__(self, say: str, *path: str | int) -> None:
        super().__init__(say)
        self.path = path


def one_of(word: str, known: Sequence[str]) -> str:
    """The end of a sentence about a word that is not known: the nearest of the known ones, or all of them."""
    near = get_close_matches(word, known, 1, 0.5)
    return f'did you mean "{near[0]}"?' if near else f"take {', '.join(known)}" if known else "there is none yet, add it first"


def choice(what: str, word: str, known: Sequence[str], key: str) -> None:
    """A word has to be one of those."""
    if word not in known:
        raise Wrong(f'{what} = "{word}" is not known: {one_of(word, known)}', key)


def one_word(what: str, word: str, key: str) -> None:
    """A name has to be one word."""
    if not re.fullmatch(r"\w[\w-]*", word):
        raise Wrong(f'{what} "{word}" has to be one word of letters, digits, _ and -', key)


def halo_in_range(halo: float | None) -> None:
    """The strength of a halo has to be in the range of the options."""
    if halo is not None and not HALO["low"] <= halo <= HALO["high"]:
        raise Wrong(f"halo = {halo} is out of range: take {HALO['low']} to {HALO['high']}", "halo")


def ordered(start: int, stop: int) -> None:
    """A span has to begin before it ends."""
    if not 0 <= start < stop:
        raise Wrong(f"to (frame {stop}) has to come after from (frame {start}): exchange or correct them", "to")
