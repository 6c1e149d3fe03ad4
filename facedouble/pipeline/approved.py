"""What a render's scenes are known by lies in the project as its film, and the subtitles beside that: are they still the same?"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from facedouble import disk
from facedouble.errors import InputRefused, StoreError
from facedouble.pipeline.analyse import Progress, quiet
from facedouble.pipeline.contents import contents
from facedouble.store.renders import Render

SUBTITLES: Final = ".srt"


def words_of(film: Path) -> bytes | None:
    """What the subtitles beside a film hold; None without any."""
    words = film.with_suffix(SUBTITLES)
    return disk.read(words) if disk.is_file(words) else None


def check_unaltered(film: Path, words: bytes | None, render: Render, progress: Progress = quiet) -> None:
    """StoreError unless what is seen, heard and read there is what was written down, and people say yes or no to."""
    try:
        told = contents(film, [scene.start for scene in render.scenes], words, progress)
    except InputRefused as error:
        raise StoreError(f"render {render.id}: its film cannot be read any more ({error}); render it again") from error
    if told.whole != render.content:
        raise StoreError(f"render {render.id}: its subtitles, or its film, are not those that people are asked about; render it "
                         "again")
