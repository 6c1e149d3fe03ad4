"""The cue sheet: which lines a volunteer speaks, when, and how long each lasts. Plain text, or one page to print."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from facedouble.errors import InputRefused
from facedouble.types import Floats, Value
from facedouble.voice.code import HOP, SPEECH_RATE
from facedouble.voice.front import FRAME_RATE, bands, levels, pauses
from facedouble.voice.timing import runs

_FAR: Final = 1.0  # s between a subtitle and a line, from which on it is not that line's
_PART: Final = 20 * SPEECH_RATE  # samples whose levels are measured at once
_BREATH: Final = 0.7  # s of pause between two cues, where nobody says what the turns are
_TIME: Final = r"(?:(\d+):)?(\d{1,2}):(\d{2})[.,](\d{3})"
_LINE: Final = re.compile(rf"^\s*{_TIME}\s*-->\s*{_TIME}")
_TAG: Final = re.compile(r"<[^>]*>|\{\\[^}]*\}")


@dataclass(frozen=True)
class Cue(Value):
    """A line to speak in [start, stop) s of the pictures; text "" where nobody wrote it down.

    planned: number is that of a turn in the plan, so that the take goes by it; else it counts the lines of a sheet.
    """

    number: int
    start: float
    stop: float
    text: str = ""
    planned: bool = False

    def check(self) -> None:
        if not 0 <= self.start < self.stop:
            raise ValueError(f"a cue from {self.start} to {self.stop}")

    @property
    def name(self) -> str:
        """What it goes by; of a turn of the plan, what its takes are called."""
        return f"turn-{self.number:03d}" if self.planned else f"L{self.number}"


def of_turns(turns: Iterable[tuple[int, int, int]]) -> tuple[Cue, ...]:
    """A cue for each turn of a plan: its number, and when it begins and ends, ms."""
    return tuple(Cue(number, start / 1000, stop / 1000, "", True) for number, start, stop in turns)


def of_sound(blocks: Iterable[Floats], late: float = 0.0) -> tuple[Cue, ...]:
    """A cue for each stretch of speech of a sound in blocks (N,) at 16 kHz, pauses of .7 s between.

    late: s after the first picture at which the sound begins. Of the sound nothing is held but levels, 200 a second.
    """
    level = np.concatenate([np.zeros(0, np.float32), *(levels(bands(part)) for part in _parts(blocks))])
    spoken = [(a / FRAME_RATE + late, b / FRAME_RATE + late) for a, b in runs(~pauses(level))] if len(level) else []
    spoken = [(max(a, 0.0), b) for a, b in spoken if b > 0]
    joined: list[list[float]] = []
    for a, b in spoken:
        if joined and a - joined[-1][1] < _BREATH:
            joined[-1][1] = b
        else:
            joined.append([a, b])
    return tuple(Cue(k, a, b) for k, (a, b) in enumerate(joined, 1))


def _parts(blocks: Iterable[Floats]) -> Iterator[Floats]:
    """The same sound in parts of whole frames, of 20 s or little more."""
    held: list[Floats] = []
    for block in blocks:
        held.append(block)
        if sum(map(len, held)) >= _PART:
            whole = np.concatenate(held)
            cut = len(whole) // HOP * HOP
            yield whole[:cut]
            held = [whole[cut:]]
    if rest := sum(map(len, held)):
        yield np.concatenate(held)[:rest]


def of_subtitles(text: str) -> tuple[Cue, ...]:
    """The cues of an SRT or VTT file, marks of style taken out; InputRefused if there is none."""
    made: list[Cue] = []
    for block in re.split(r"\n\s*\n", text.lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n")):
        lines = block.split("\n")
        at = next((k for k, line in enumerate(lines) if _LINE.match(line)), None)
        if at is None:
            continue
        found = _LINE.match(lines[at])
        assert found is not None
        start, stop = _seconds(found.groups()[:4]), _seconds(found.groups()[4:])
        if stop > start:
            said = " ".join(_TAG.sub("", line).strip() for line in lines[at + 1 :])
            made.append(Cue(len(made) + 1, start, stop, html.unescape(said).strip()))
    if not made:
        raise InputRefused("the subtitles hold no line with times: give an SRT or VTT file")
    return tuple(made)


def _seconds(parts: Sequence[str | None]) -> float:
    h, m, s, ms = (int(p or 0) for p in parts)
    return h * 3600 + m * 60 + s + ms / 1000


def with_text(cues: Sequence[Cue], subtitles: Sequence[Cue]) -> tuple[Cue, ...]:
    """Each cue with the text of the subtitles that belong to it: those that lie over it most, or nearest to it."""
    texts: list[list[str]] = [[] for _ in cues]
    for subtitle in subtitles:
        if (at := _place(cues, subtitle)) is not None:
            texts[at].append(subtitle.text)
    return tuple(replace(c, text=" ".join(said)) for c, said in zip(cues, texts, strict=True))


def beside(cues: Sequence[Cue], subtitles: Sequence[Cue]) -> tuple[Cue, ...]:
    """The subtitles that belong to no cue."""
    return tuple(s for s in subtitles if _place(cues, s) is None)


def _place(cues: Sequence[Cue], subtitle: Cue) -> int | None:
    """Which cue a subtitle belongs to; None if it is more than `_FAR` from all of them."""
    over = [min(c.stop, subtitle.stop) - max(c.start, subtitle.start) for c in cues]
    best = max(range(len(over)), key=over.__getitem__, default=None)
    return best if best is not None and over[best] > -_FAR else None


def _clock(seconds: float) -> str:
    ms = round(seconds * 1000)
    return f"{ms // 3600000:02d}:{ms // 60000 % 60:02d}:{ms // 1000 % 60:02d}.{ms % 1000:03d}"


def table(cues: Sequence[Cue]) -> str:
    """Tab-separated lines: name, start, stop, seconds, text."""
    lines = [f"{c.name}\t{_clock(c.start)}\t{_clock(c.stop)}\t{c.stop - c.start:.2f}\t{' '.join(c.text.split())}" for c in cues]
    return "\n".join(["turn\tstart\tstop\tseconds\ttext", *lines]) + "\n"


_PAGE: Final = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Cue sheet</title>
<style>
body{{font:12pt/1.5 sans-serif;margin:2em auto;max-width:46em}} table{{border-collapse:collapse;width:100%}}
td,th{{border-bottom:1px solid #999;padding:.5em;text-align:left;vertical-align:top}}
.n{{white-space:nowrap}} .t{{font-size:14pt}}
tr{{break-inside:avoid}}
</style>
<h1>Cue sheet</h1>
<p>Listen to each line once, then speak the same words in the same order, about as fast, with the pauses where they are. Record in
a quiet room, a hand's breadth from the microphone, one file a line. Speak a line again rather than half of it.</p>
<table><tr><th>line<th>from<th>seconds<th>words<th>done</tr>
{rows}
</table></html>
"""


def page(cues: Sequence[Cue]) -> str:
    """One self-contained page to print, for the volunteer. It loads nothing."""
    rows = "\n".join(f'<tr><td class="n">{c.name}<td class="n">{_clock(c.start)}<td>{c.stop - c.start:.1f}'
                     f'<td class="t" dir="auto">{html.escape(c.text) or "&hellip;"}<td>&#9744;</tr>' for c in cues)
    return _PAGE.format(rows=rows)
