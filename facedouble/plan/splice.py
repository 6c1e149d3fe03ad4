"""Cutting and pasting in a TOML text by the places of what stands there. Knows TOML, and nothing of plans."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence

from facedouble.plan.locate import Path, Places

Splice = tuple[int, int, str]
"""Characters [start, stop) of the text, and what takes their place."""


def spliced(text: str, splices: Iterable[Splice]) -> str:
    """The text with all of them, which must not overlap; at one place they come in their order."""
    crlf = "\r\n" in text
    for start, stop, new in sorted(splices, key=lambda s: s[:2])[::-1]:
        text = text[:start] + (new.replace("\n", "\r\n") if crlf else new) + text[stop:]
    return text


def quoted(words: str) -> str:
    """A TOML string; UnicodeEncodeError if it is not text."""
    words.encode()
    return json.dumps(words, ensure_ascii=False).replace("\x7f", "\\u007f")


def list_of(words: Iterable[str]) -> str:
    """A TOML list of strings."""
    return f"[{', '.join(map(quoted, words))}]"


def line_start(text: str, at: int) -> int:
    """Where the line of a character begins."""
    return text.rfind("\n", 0, at) + 1


def line_stop(text: str, at: int) -> int:
    """Where the next line begins."""
    stop = text.find("\n", at)
    return len(text) if stop < 0 else stop + 1


def fresh(text: str, at: int) -> str:
    """The newline that is missing at the end of a file without one."""
    return "\n" if at and text[at - 1] != "\n" else ""


def end_of(places: Places, path: Path) -> int | None:
    """Where the line after a table, with all that it holds, begins; None if there is no such thing."""
    stops = [place.stop for at, place in places.at.items() if at[: len(path)] == path]
    return line_stop(places.text, max(stops)) if stops else None


def keys_end(places: Places, table: Path) -> int:
    """Where the line after a table's own keys begins, before the tables that it holds."""
    own = [place.stop for at, place in places.at.items() if at[:-1] == table and not place.header]
    return line_stop(places.text, max([places.at[table].stop, *own]))


def insert(places: Places, at: int, block: str) -> Splice:
    """A block between empty lines."""
    follows = places.text[at:].lstrip(" \t\r")
    return at, at, f"{fresh(places.text, at)}\n{block}" + ("\n" if follows and not follows.startswith("\n") else "")


def put(places: Places, table: Path, key: str, value: str | None) -> list[Splice]:
    """Change a key's value, add the key after the others, or take it away, None; a comment behind it stays."""
    text, place = places.text, places.at.get((*table, key))
    if place is None and value is None:
        return []
    if place is None:
        at = keys_end(places, table)
        indent = re.match(r"[ \t]*", text[line_start(text, places.at[table].start):])
        return [(at, at, f"{fresh(text, at)}{indent.group() if indent else ''}{key} = {value}\n")]
    if value is not None:
        return [(place.value, place.stop, value)]
    stop = line_stop(text, place.stop)
    behind = [start for start, _ in places.comments if place.stop <= start < stop]
    return [(place.start, behind[0], "")] if behind else [(line_start(text, place.start), stop, "")]


def extend(places: Places, table: Path, key: str, words: Sequence[str]) -> list[Splice]:
    """Put strings at the end of a list, as it is laid out."""
    if not words:
        return []
    if (*table, key) not in places.at:
        return put(places, table, key, list_of(words))
    return append(places, (*table, key), list(map(quoted, words)))


def append(places: Places, path: Path, new: Sequence[str]) -> list[Splice]:
    """Put TOML values at the end of a list that is there, as it is laid out."""
    place, held = places.at[path], items(places, path)
    if not held:
        return [(place.value + 1, place.value + 1, ", ".join(new))]
    text, last = places.text, held[-1][1]
    comma = _comma(places, last)
    rest = line_stop(text, last)
    if rest >= place.stop:  # the list ends in this line
        return [(last, last, "".join(f", {word}" for word in new))]
    indent = text[line_start(text, held[-1][0]):held[-1][0]]
    indent = indent if not indent.strip() else "  "
    return [*([(last, last, ",")] if comma is None else []), (rest, rest, "".join(f"{indent}{word},\n" for word in new))]


def before_item(places: Places, path: Path, n: int, new: str) -> Splice:
    """Put a TOML value before an item of a list: on a line of its own, if the item has one."""
    text, (at, _) = places.text, items(places, path)[n]
    first = line_start(text, at)
    indent = text[first:at]
    return (at, at, f"{new}, ") if indent.strip() else (first, first, f"{indent}{new},\n")


def replace_items(places: Places, table: Path, key: str,
                  change: Callable[[int], Sequence[str] | None]) -> tuple[list[Splice], list[str]]:
    """Put strings in the place of items of a list, None: leave it. Returns the comments of lines that vanish, too."""
    path = (*table, key)
    splices: list[Splice] = []
    notes: list[str] = []
    raw: list[str] = []
    for n, (start, stop) in enumerate(items(places, path)):
        new = change(n)
        raw += [places.text[start:stop]] if new is None else map(quoted, new)
        if new:
            splices.append((start, stop, ", ".join(map(quoted, new))))
        elif new is not None:
            cuts, said = _cut(places, path, start, stop)
            splices += cuts
            notes += said
    place = places.at.get(path)
    if splices and place is not None and "\n" not in places.text[place.value : place.stop]:
        return [(place.value, place.stop, f"[{', '.join(raw)}]")], notes
    return splices, notes


def _cut(places: Places, path: Path, start: int, stop: int) -> tuple[list[Splice], list[str]]:
    """Take an item and its comma out of a list; its line, too, with the comment behind it, if it stands alone there."""
    text, comma = places.text, _comma(places, stop)
    first, last = line_start(text, start), line_stop(text, stop)
    end = stop if comma is None or comma >= last else comma + 1
    comments = [span for span in places.comments if end <= span[0] < last]
    rest = text[end : comments[0][0] if comments else last]
    if first > places.at[path].value and last < places.at[path].stop and not text[first:start].strip() and not rest.strip():
        far = [(comma, comma + 1, "")] if comma is not None and comma >= last else []
        return [(first, last, ""), *far], [text[a + 1 : b].strip() for a, b in comments]
    if comma is None:  # the last one: what is left may end in a comma
        return [(start, stop, "")], []
    if end == stop:
        return [(start, stop, ""), (comma, comma + 1, "")], []
    blank = re.match(r"[ \t]*", text[end:])
    return [(start, end + (blank.end() if blank else 0), "")], []


def cut_table(places: Places, table: Path) -> tuple[Splice, list[str]]:
    """Take a table without tables inside out, with the comments in it and right above it, which are returned."""
    text = places.text
    start, stop = line_start(text, places.at[table].start), keys_end(places, table)
    while start and text[line_start(text, start - 1) : start].lstrip().startswith("#"):
        start = line_start(text, start - 1)
    notes = [text[a + 1 : b].strip() for a, b in places.comments if start <= a < stop]
    blank = re.match(r"[ \t]*\r?\n", text[stop:])
    return (start, stop + (blank.end() if blank else 0), ""), notes


def items(places: Places, path: Path) -> list[tuple[int, int]]:
    """Characters [start, stop) of the items of a list."""
    found: list[tuple[int, int]] = []
    while (place := places.at.get((*path, len(found)))) is not None:
        found.append((place.start, place.stop))
    return found


def _comma(places: Places, at: int) -> int | None:
    """The comma after an item, behind spaces and comments."""
    text, ends = places.text, dict(places.comments)
    while text[at].isspace() or text[at] == "#":
        at = ends[at] if text[at] == "#" else at + 1
    return at if text[at] == "," else None
