"""Names that must not be heard or read: what a recogniser writes down of the sound, and the subtitles beside the film."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from facedouble import disk
from facedouble.audit import heard as checks
from facedouble.audit.residual import RATE
from facedouble.audit.verdict import Check
from facedouble.errors import InputRefused
from facedouble.models.words import Words
from facedouble.publish import film_of
from facedouble.types import Floats
from facedouble.voice.redact import Listed, find

READ: Final = 6.0  # s whose words are read at once: of more, what somebody says in between is left out
STEP: Final = 3.0  # s from one reading to the next: a word at an end is whole in the other
SILENT: Final = 1e-4  # of full scale: what is under it is not read
SUBTITLES: Final = (".srt", ".vtt")
LARGEST: Final = 20_000_000  # bytes of subtitles


class Reader:
    """Reads words, some seconds of sound at a time; holds no more than those."""

    def __init__(self, hear: Words, words: Listed) -> None:
        self.hear, self.words = hear, words
        self.held, self.first, self.read = np.zeros(0, np.float32), 0.0, 0

    def add(self, at: float, sound: Floats) -> Iterator[tuple[int, int]]:
        """Sound (N,) at RATE from `at` s of the clip on; ms in which something on the list was heard."""
        if not len(self.held):
            self.first = at
        self.held = np.concatenate([self.held, sound])
        if len(self.held) >= READ * RATE:
            yield from self._named()
            self.held, self.first = self.held[round(STEP * RATE):], self.first + STEP

    def done(self) -> Iterator[tuple[int, int]]:
        """What is left."""
        if len(self.held):
            yield from self._named()

    def _named(self) -> Iterator[tuple[int, int]]:
        if float(np.abs(self.held).max()) < SILENT:
            return
        self.read += 1
        if any(find([self.hear(self.held)], self.words)):
            start = max(round(self.first * 1000), 0)
            yield start, start + len(self.held) * 1000 // RATE


def subtitles(output: Path, words: Listed | None) -> list[Check]:
    """The check of subtitles beside the film, be it still a candidate; none if there are none."""
    stem = film_of(output).stem
    files = [path for path in disk.listing(output.parent) if path.suffix.lower() in SUBTITLES
             and (path.stem == stem or path.stem.startswith(f"{stem}."))]
    if not files:
        return []
    if words is None:
        return [checks.untried(checks.SUBTITLES, "no list of names was given; give one with `--words`", needed=False)]
    found, lines = 0, 0
    for path in files:
        if disk.size(path) > LARGEST:
            raise InputRefused(f"{path}: too large for subtitles; move it away from the film")
        text = [path.stem, *disk.read(path).decode("utf-8", "replace").splitlines()]
        lines += len(text)
        found += sum(map(len, find(text, words)))
    return [checks.names(checks.SUBTITLES, lines, "lines", [None] * found)]
