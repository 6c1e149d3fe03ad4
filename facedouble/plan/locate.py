"""Where in a TOML text everything stands: tomllib gives the values, this gives their places, for errors and for edits.

Not a parser: the text has to be one that tomllib accepts. (tomlkit, which edits TOML, knows no lines, and moves comments to
other tables where [[clip]] and [[person]] take turns, as they do in files that grow by hand.)
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import Final

from facedouble.types import Value

Path = tuple[str | int, ...]
"""Keys, and for lists the number of the item from 0: ("person", 2, "faces", 0)."""

_SPACE: Final = re.compile(r"[\s\ufeff]*")
_COMMENT: Final = re.compile(r"#[^\n\r]*")
_PART: Final = re.compile(r"""[ \t]*("(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_-]+)[ \t]*(\.?)""")
_SCALAR: Final = re.compile(
    r'"""(?:[^"\\]|\\[\s\S]|"{1,2}(?!"))*"{3,5}' r"|'''(?:[^']|'{1,2}(?!'))*'{3,5}"
    r'|"(?:[^"\\]|\\.)*"' r"|'[^']*'"
    r"|\d{4}-\d\d-\d\d \d\d:[\d:.+Zz-]*" r"|[^\s,\]}#]+"
)


@dataclass(frozen=True, slots=True)
class Place(Value):
    """Characters [start, stop) of a key with its value, a [header], or an item of a list; `value` is where the value begins."""

    start: int
    stop: int
    value: int
    header: bool = False


@dataclass(frozen=True)
class Places(Value):
    """The text, where everything is, and its comments as characters [start, stop)."""

    text: str
    at: dict[Path, Place]
    comments: tuple[tuple[int, int], ...]

    def find(self, path: Path) -> Place:
        """The place of that, or of the nearest thing that holds it; the first character for the whole."""
        while path and path not in self.at:
            path = path[:-1]
        return self.at[path] if path else Place(0, 0, 0)

    def line(self, path: Path) -> int:
        """The line, from 1."""
        return self.text.count("\n", 0, self.find(path).start) + 1


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.places: dict[Path, Place] = {}
        self.comments: list[tuple[int, int]] = []
        self.lists: dict[Path, int] = {}  # [[tables]] and how many of them there were

    def skip(self) -> None:
        """Move to the next thing."""
        while True:
            self.at = self.match(_SPACE).end()
            if not self.text.startswith("#", self.at):
                return
            comment = self.match(_COMMENT)
            self.comments.append(comment.span())
            self.at = comment.end()

    def match(self, pattern: re.Pattern[str]) -> re.Match[str]:
        found = pattern.match(self.text, self.at)
        if found is None:
            raise ValueError(f"not TOML at character {self.at}")
        return found

    def key(self) -> Path:
        """A dotted key."""
        parts: list[str] = []
        while True:
            found = self.match(_PART)
            raw, dot = found.groups()
            parts.append(next(iter(tomllib.loads(f"{raw} = 0"))) if raw[0] in "\"'" else raw)
            self.at = found.end()
            if not dot:
                return tuple(parts)

    def document(self) -> None:
        """Everything from the first to the last character."""
        table: Path = ()
        while True:
            self.skip()
            if self.at >= len(self.text):
                return
            if self.text.startswith("[", self.at):
                table = self.header()
            else:
                self.pair(table)

    def header(self) -> Path:
        start = self.at
        double = self.text.startswith("[[", start)
        self.at += 2 if double else 1
        path: Path = ()
        parts = self.key()
        for n, part in enumerate(parts):
            path += (part,)
            if n < len(parts) - 1 or not double:
                path += (self.lists[path] - 1,) if path in self.lists else ()
        self.at = self.text.index("]", self.at) + (2 if double else 1)
        place = Place(start, self.at, start, True)
        if double:
            self.lists[path] = self.lists.get(path, 0) + 1
            self.places.setdefault(path, place)
            path += (self.lists[path] - 1,)
        self.enter(path, place)
        return path

    def enter(self, path: Path, place: Place) -> None:
        """Remember a place; what holds it and has no place yet begins there, too."""
        for n in range(1, len(path)):
            self.places.setdefault(path[:n], place)
        self.places[path] = place

    def pair(self, table: Path) -> None:
        start = self.at
        path = table + self.key()
        self.at = self.text.index("=", self.at) + 1
        self.skip()
        value = self.at
        self.enter(path, Place(start, value, value))  # what holds it begins here, and not where its first item does
        self.value(path)
        self.enter(path, Place(start, self.at, value))

    def value(self, path: Path) -> None:
        """A value; the places of what it holds."""
        if self.text.startswith("[", self.at):
            self.items(path, "]")
        elif self.text.startswith("{", self.at):
            self.items(path, "}")
        else:
            self.at = self.match(_SCALAR).end()

    def items(self, path: Path, end: str) -> None:
        self.at += 1
        number = 0
        while True:
            self.skip()
            if self.text.startswith(end, self.at):
                self.at += 1
                return
            if end == "}":
                self.pair(path)
            else:
                start = self.at
                self.value((*path, number))
                self.enter((*path, number), Place(start, self.at, start))
                number += 1
            self.skip()
            if self.text.startswith(",", self.at):
                self.at += 1


def locate(text: str) -> Places:
    """The places of a text that tomllib accepts."""
    scanner = _Scanner(text)
    scanner.document()
    return Places(text, scanner.places, tuple(scanner.comments))
