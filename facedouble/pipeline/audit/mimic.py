"""The mimic: speech of known people gets the voices that the film's people speak with, in memory, and is listened to.

The one part of the audit that speaks, and therefore, as the parrot's, a process of its own: what makes voices is imported in it
alone, and nothing comes back but embeddings. No sound reaches a disk.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import soxr

from facedouble import disk
from facedouble.audit.said import Spans
from facedouble.errors import FacedoubleError
from facedouble.types import Floats, Value

RATE = 16_000  # samples/s
LEAST = 1.5  # s of speech: of less nothing is known


@dataclass(frozen=True)
class Speech(Value):
    """Somebody's speech. spans: ms of the file's own time in which it is; none: all of it."""

    file: Path
    spans: Spans = ()


@dataclass(frozen=True)
class Errand(Value):
    """What the mimic is sent to do: people by name with what they say, `seconds` of each to be said with each of the voices."""

    people: tuple[tuple[str, tuple[Speech, ...]], ...]
    voices: tuple[Path, ...]
    seconds: float
    models: Path | None = None


@dataclass(frozen=True)
class Mimicked(Value):
    """Somebody's speech with a voice (its file): (D,) as the judge hears it; None, and why, if that could not be."""

    person: str
    voice: Path
    vector: Floats | None
    why: str = ""


def mimic(errand: Errand) -> list[Mimicked]:
    """Run it in a new process, which ends with it."""
    with ProcessPoolExecutor(1, get_context("spawn"), disk.remount, (disk.tickets(),)) as aside:
        return aside.submit(speak_all, errand).result()


def speak_all(errand: Errand) -> list[Mimicked]:
    """Everybody with every voice; who says too little, or cannot be read, says why."""
    from facedouble.isolation import close_doors
    from facedouble.models.judge import judge
    from facedouble.pipeline.speaking import open_content, open_trunk
    from facedouble.voice.double import listen, speak
    from facedouble.voice.file import read_voice

    close_doors()
    hear, content, trunk = judge(errand.models), open_content(errand.models), open_trunk()
    voices = [(file, read_voice(file)) for file in errand.voices]
    said: list[Mimicked] = []
    for person, speech in errand.people:
        try:
            sound = _sound(speech, errand.seconds)
        except FacedoubleError as error:
            said += [Mimicked(person, file, None, str(error)) for file in errand.voices]
            continue
        if len(sound) < LEAST * RATE:
            said += [Mimicked(person, file, None, f"{person}: too little speech") for file in errand.voices]
            continue
        code = listen(sound, content, trunk)
        said += [Mimicked(person, file, hear(np.asarray(soxr.resample(speak(code, voice, trunk), voice.rate, RATE), np.float32)))
                 for file, voice in voices]
    return said


def _sound(speech: tuple[Speech, ...], seconds: float) -> Floats:
    """The first `seconds` of it all, (N,) at RATE."""
    most, parts, count = round(seconds * RATE), [np.zeros(0, np.float32)], 0
    for one in speech:
        for part in _spoken(one):
            parts.append(part[:most - count])
            count += len(parts[-1])
            if count >= most:
                return np.concatenate(parts)
    return np.concatenate(parts)


def _spoken(speech: Speech) -> Iterator[Floats]:
    from facedouble.media.recording import recording
    from facedouble.pipeline.voices import mono

    at = 0
    for block in mono(recording(speech.file), RATE):
        for a, b in ((x * RATE // 1000, y * RATE // 1000) for x, y in speech.spans) if speech.spans else ((at, at + len(block)),):
            yield block[max(a - at, 0):max(b - at, 0)]
        at += len(block)
