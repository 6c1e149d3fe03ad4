"""Subtitles without the names of a list: read whole, replaced, written anew, searched again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from facedouble import disk
from facedouble.errors import InputRefused, StoreError, UsageError
from facedouble.publish import write_new
from facedouble.voice.redact import Listed, find, read_list, redact
from facedouble.voice.subtitles import read, write

KINDS: Final = (".srt", ".vtt")


@dataclass(frozen=True)
class Redacted:
    """What was done, by number only: cues that were written, cues that had something on the list, places replaced."""

    cues: int
    touched: int
    replaced: int


def open_list(path: Path) -> Listed:
    """A redaction list, TOML if it is called so, else a name on each line."""
    try:
        return read_list(disk.read(path), path.suffix.casefold() == ".toml")
    except OSError as error:
        raise UsageError(f"{path}: the redaction list cannot be read ({error.strerror}); give another with --redact") from error


def subtitles(source: Path, what: Listed, output: Path) -> Redacted:
    """Write `source` to `output` without what is on the list; on any doubt nothing is written."""
    kind = output.suffix.casefold()
    if kind not in KINDS:
        raise UsageError(f"the output has to end in {' or '.join(KINDS)}; choose such a name")
    if any(find([output.stem], what)):
        raise UsageError("the output's own file name has something that is on the redaction list; choose another name")
    if disk.exists(output):
        raise StoreError(f"{output}: exists already; choose another name")
    try:
        cues = [cue for cue in read(disk.read(source)) if cue.text]
    except OSError as error:
        raise InputRefused(f"the subtitles cannot be read ({error.strerror}); give another file") from error
    texts, replaced = redact([cue.text for cue in cues], what)
    made = [replace(cue, text=text) for cue, text in zip(cues, texts, strict=True)]
    data = write(made, kind[1:])
    if verified(data, what) != [(cue.start, cue.stop) for cue in cues]:
        raise InputRefused("the subtitles do not come back as they were written, so nothing was kept; save them as plain text")
    write_new(output, data)
    return Redacted(len(made), sum(a.text != b for a, b in zip(cues, texts, strict=True)), replaced)


def verified(data: bytes, what: Listed) -> Sequence[tuple[int, int]]:
    """The times of what would be written, read anew and searched with the same list: all together and each by itself."""
    again = read(data) if data.strip() not in (b"", b"WEBVTT") else []
    if any(find([cue.text for cue in again], what)) or any(find([cue.text], what) != [[]] for cue in again):
        raise InputRefused("the subtitles still hold something that is on the list, so nothing was kept; look at the list's mark")
    return [(cue.start, cue.stop) for cue in again]
