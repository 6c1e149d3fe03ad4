"""What is seen and heard in a finished film, scene by scene, as one number each: by that, people approve it.

A scene's hash is SHA-256 over its decoded pictures (size, format, planes as they are decoded), its sound (samples of each stream
as decoded, float32) and the words of the subtitles that are shown in it. Another container around the same contents changes
nothing; one sample, one pixel or one letter does.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from facedouble.media.decode import frames
from facedouble.media.probe import probe
from facedouble.media.sound import pcm
from facedouble.pipeline.analyse import Progress, quiet
from facedouble.types import Frame, MediaInfo, Value
from facedouble.voice.subtitles import read as read_subtitles


@dataclass(frozen=True)
class Contents(Value):
    """Hashes of the scenes, in order; borders: their first frames and the end; whole: one hash of all of them; worded: numbers,
    from 1, of the scenes with subtitles."""

    borders: tuple[int, ...]
    scenes: tuple[str, ...]
    worded: tuple[int, ...] = ()

    @property
    def whole(self) -> str:
        """Of the film."""
        return hashlib.sha256("\n".join(self.scenes).encode()).hexdigest()

    @property
    def frames(self) -> int:
        """How many there are."""
        return self.borders[-1]


def contents(film: Path, starts: Sequence[int], subtitles: bytes | None = None, progress: Progress = quiet) -> Contents:
    """Decode a film and hash its scenes. starts: first frames of shots, in the film itself; subtitles: what its file holds.

    InputRefused if the film cannot be read to its end.
    """
    info, wanted = probe(film), sorted({0, *starts})
    told: list[Any] = []
    begins: list[Fraction] = []
    borders: list[int] = []
    number = 0
    with closing(frames(info)) as found:
        for number, frame in enumerate(found, 1):
            if len(told) < len(wanted) and frame.index == wanted[len(told)]:
                told.append(hashlib.sha256())
                begins.append(frame.time)
                borders.append(frame.index)
            _picture(told[-1], frame)
            progress("fingerprints of the scenes", number, info.frames)
    _sound(told, begins, info)
    before = [h.digest() for h in told]
    _words(told, begins, subtitles)
    worded = tuple(n for n, (h, silent) in enumerate(zip(told, before, strict=True), 1) if h.digest() != silent)
    return Contents((*borders, number), tuple(h.hexdigest() for h in told), worded)


def _picture(told: Any, frame: Frame) -> None:
    told.update(f"{frame.width} {frame.height} {frame.pixel_format} {frame.corrupt}".encode())
    for plane in frame.planes:
        told.update(plane)


def _sound(told: Sequence[Any], begins: Sequence[Fraction], info: MediaInfo) -> None:
    """Each sample goes to the scene that it is heard in."""
    for audio in info.audio:
        edges = [max(0, round((t - audio.start) * audio.rate)) for t in begins[1:]]
        at = scene = 0
        told[0].update(f"sound {audio.rate} {audio.channels}".encode())
        for block in pcm(info, audio.index):
            start = 0
            while start < len(block):
                while scene < len(edges) and at + start >= edges[scene]:
                    scene += 1
                    told[scene].update(f"sound {audio.rate} {audio.channels}".encode())
                stop = len(block) if scene == len(edges) else min(len(block), edges[scene] - at)
                told[scene].update(block[start:stop].tobytes())
                start = stop
            at += len(block)


def _words(told: Sequence[Any], begins: Sequence[Fraction], subtitles: bytes | None) -> None:
    """Each cue goes to the scenes that it is shown in, and one that is shown for no time to the scene of that moment."""
    for cue in read_subtitles(subtitles) if subtitles is not None else ():
        for number, begin in enumerate(begins):
            end = begins[number + 1] if number + 1 < len(begins) else None
            shown = max(cue.stop, cue.start + 1) > 1000 * (begin - begins[0])
            if shown and (end is None or cue.start < 1000 * (end - begins[0])):
                told[number].update(f"words {json.dumps([cue.start, cue.stop, cue.text])}".encode())
