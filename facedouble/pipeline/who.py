"""Who speaks in a clip: analysed and listened to, for a look before `protect`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from facedouble.media.probe import probe
from facedouble.options import Options
from facedouble.pipeline.analyse import Progress, analyse, quiet
from facedouble.pipeline.heard import span_of
from facedouble.pipeline.hearing import hear, open_ears
from facedouble.pipeline.protect import close_doors, open_eyes
from facedouble.pipeline.speakers import Speaker, speakers
from facedouble.types import Turn, Value


@dataclass(frozen=True)
class Said(Value):
    """A turn with its ms from the first picture."""

    turn: Turn
    start: int
    stop: int


def who(footage: Path, options: Options, progress: Progress = quiet,
        models: Path | None = None) -> tuple[tuple[Speaker, ...], tuple[Said, ...]]:
    """The people who speak in a clip, and their turns."""
    close_doors()
    ears, eyes = open_ears(models), open_eyes(options, models)
    made = analyse(probe(footage), eyes, options, progress)
    turns = hear(made, ears, None, progress) if made.info.audio else ()
    return speakers(made, turns), tuple(Said(t, *span_of(t, made.info)) for t in turns)
