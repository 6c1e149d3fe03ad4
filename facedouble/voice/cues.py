"""The cue sheet: which lines a volunteer speaks, when, and how long each lasts. Plain text, or one page to print."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from facedouble.errors import InputRefused
from facedouble.types import Floats, Turn, Value
from facedouble.voice.code import SPEECH_RATE
from facedouble.voice.front import FRAME_RATE, listen
from facedouble.voice.timing import runs

_BREATH: Final = 0.7  # s of pause between two cues, where nobody says what the turns are
_TIME: Final = r"(?:(\d+):)?(\d{1,2}):(\d{2})[.,](\d{3})"
_LINE: Final = re.compile(rf"^\s*{_TIME}\s*-->\s*{_TIME}")
_TAG: Final = re.compile(r"<[^>]*>|\{\\[^}]*\}")


@dataclass(frozen=True)
class Cue(Value):
    """A line to speak in [start, stop) s; text "" where nobody wrote it down."""

    number: int
    start: float
    stop: float
    text: str = ""

    def check(self) -> None:
        if not 0 <= self.start < self.stop:
            raise ValueError(f"a cue from {self.start} to {self.stop}")

    @property
    def name(self) -> str:
        """What its takes are called."""
        return f"turn-{self.number:03d}"


def of_turns(turns: Sequence[Turn]) -> tuple[Cue, ...]:
    """A cue for each turn."""
    return tuple(Cue(k, t.start / SPEECH_RATE, t.stop / SPEECH_RATE) for k, t in enumerate(turns, 1))


def of_sound(sound: Floats) -> tuple[Cue, ...]:
    """A cue for each stretch of speech of sound (N,) at 16 kHz, pauses of .7 s between."""
    spoken = [(a / FRAME_RATE, b / FRAME_RATE) for a, b in runs(~listen(sound).quiet)] if len(sound) else []
    joined: list[list[float]] = []
    for a, b in spoken:
        if joined and a - joined[-1][1] < _BREATH:
            joined[-1][1] = b
        else:
            joined.append([a, b])
    return tuple(Cue(k, a, b) for k, (a, b) in enumerate(joined, 1))


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
    """Each cue with the text of the subtitles whose middle lies in it."""
    return tuple(replace(c, text=" ".join(s.text for s in subtitles if c.start <= (s.start + s.stop) / 2 < c.stop))
                 for c in cues)


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
<table><tr><th>take<th>from<th>seconds<th>words<th>done</tr>
{rows}
</table></html>
"""


def page(cues: Sequence[Cue]) -> str:
    """One self-contained page to print, for the volunteer. It loads nothing."""
    rows = "\n".join(f'<tr><td class="n">{c.name}<td class="n">{_clock(c.start)}<td>{c.stop - c.start:.1f}'
                     f'<td class="t" dir="auto">{html.escape(c.text) or "&hellip;"}<td>&#9744;</tr>' for c in cues)
    return _PAGE.format(rows=rows)
