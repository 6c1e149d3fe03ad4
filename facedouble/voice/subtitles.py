"""SubRip (SRT) and WebVTT: cues read whole or refused, and written anew; nothing else of a file passes.

Own reader instead of pysubs2 or srt: those are made to get along with broken files by leaving out what they cannot read, and
keep styles, notes and voices' names. Here what is not understood is refused.
"""

from __future__ import annotations

import html
import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from facedouble.errors import InputRefused
from facedouble.types import Value

LARGEST: Final = 16 * 2**20  # bytes
_TIME: Final = r"(?:(\d{1,3}):)?(\d{1,2}):(\d{2})[,.](\d{1,3})"
_TIMES: Final = re.compile(rf"\s*{_TIME}\s*-->\s*{_TIME}(?:\s+.*)?")
_TAG: Final = re.compile(r"</?[\w:.]?[^\s<>][^<>]*>|<[\w/]?>|\{\\[^{}]*\}|\{[a-zA-Z]:[^{}]*\}")
_JOINERS: Final = "\u200c\u200d"  # Persian and Indian scripts need them


@dataclass(frozen=True)
class Cue(Value):
    """A text from `start` to `stop`, milliseconds; lines without tags."""

    start: int
    stop: int
    text: str


def read(data: bytes) -> list[Cue]:
    """The cues of an SRT or WebVTT file; InputRefused with the line that is neither text nor time."""
    if len(data) > LARGEST:
        raise InputRefused("the subtitles are larger than 16 MB, which no film's are; give the right file")
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        text = data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputRefused("the subtitles are not UTF-8, so names in them might be missed; save them as UTF-8") from error
    if "\0" in text:
        raise InputRefused("the subtitles hold zero bytes: not a text file; give an .srt or .vtt file")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return _vtt(lines) if re.match(r"WEBVTT(?:[ \t]|$)", lines[0]) else _srt(lines)


def _srt(lines: list[str]) -> list[Cue]:
    """A cue begins with its times, or with a number and then its times; empty lines within a text belong to it."""
    begins = [i for i, line in enumerate(lines) if _TIMES.fullmatch(line)]
    numbers = [i > 0 and bool(re.fullmatch(r"\s*\d+\s*", lines[i - 1])) and (i == 1 or not lines[i - 2].strip()) for i in begins]
    first = begins[0] - numbers[0] if begins else len(lines)
    for i, line in enumerate(lines):
        if (i < first and line.strip()) or ("-->" in line and not _TIMES.fullmatch(line)):
            raise InputRefused(f"line {i + 1} of the subtitles is not understood, so nothing was read; correct it")
    if not begins:
        raise InputRefused("the subtitles have no cue; give an .srt or .vtt file")
    ends = [b - n for b, n in zip(begins[1:], numbers[1:], strict=True)] + [len(lines)]
    return [_cue(lines, at, end) for at, end in zip(begins, ends, strict=True)]


def _vtt(lines: list[str]) -> list[Cue]:
    """Blocks between empty lines: the header, NOTE, STYLE and REGION are left out; what else is no cue is refused."""
    cues, i = [], next((i for i, line in enumerate(lines) if not line.strip()), len(lines))
    if any("-->" in line for line in lines[:i]):
        raise InputRefused("the subtitles have no empty line after WEBVTT; add one")
    while i < len(lines):
        end = next((j for j in range(i, len(lines)) if not lines[j].strip()), len(lines))
        at = next((j for j in range(i, min(i + 2, end)) if _TIMES.fullmatch(lines[j])), None)
        dropped = re.match(r"(?:NOTE|STYLE|REGION)(?:[ \t:]|$)", lines[i]) and not any("-->" in line for line in lines[i:end])
        if at is not None and not any("-->" in line for line in lines[at + 1:end]):
            cues.append(_cue(lines, at, end))
        elif end > i and not dropped:
            raise InputRefused(f"line {i + 1} of the subtitles is not understood, so nothing was read; correct it")
        i = end + 1
    return cues


def _cue(lines: list[str], at: int, end: int) -> Cue:
    times = _TIMES.fullmatch(lines[at])
    assert times is not None
    start, stop = (_ms(times.groups()[k:k + 4]) for k in (0, 4))
    if stop < start:
        raise InputRefused(f"line {at + 1} of the subtitles ends before it begins; correct it")
    return Cue(start, stop, "\n".join(filter(None, (plain(line) for line in "\n".join(lines[at + 1:end]).split("\n")))))


def _ms(parts: tuple[str | None, ...]) -> int:
    h, m, s, fraction = (part or "0" for part in parts)
    return (int(h) * 3600 + int(m) * 60 + int(s)) * 1000 + int(fraction.ljust(3, "0"))


def plain(line: str) -> str:
    """A line without tags, entities, and letters that show nothing and could part a name."""
    for _ in range(4):  # entities of tags, tags within tags
        before, line = line, _TAG.sub("", html.unescape(line))
        if line == before:
            break
    kept = (" " if c in "\t\u2028\u2029" else c for c in unicodedata.normalize("NFC", line)
            if c in _JOINERS + "\t" or unicodedata.category(c) not in ("Cc", "Cf", "Co", "Cs", "Cn"))
    return " ".join("".join(kept).replace("-->", "→").split())


def write(cues: list[Cue], kind: str) -> bytes:
    """The cues as `srt` or `vtt`, UTF-8: times and texts, nothing else. Cues without a text are left out."""
    comma = "," if kind == "srt" else "."
    made = ["WEBVTT\n"] if kind == "vtt" else []
    for number, cue in enumerate((c for c in cues if c.text), 1):
        times = f"{_clock(cue.start, comma)} --> {_clock(cue.stop, comma)}"
        text = html.escape(cue.text, quote=False) if kind == "vtt" else cue.text
        made.append("\n".join([*([str(number)] if kind == "srt" else []), times, text, ""]))
    return "\n".join(made).encode()


def _clock(ms: int, comma: str) -> str:
    return f"{ms // 3600000:02}:{ms // 60000 % 60:02}:{ms // 1000 % 60:02}{comma}{ms % 1000:03}"
