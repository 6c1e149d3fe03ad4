"""A scene of a render, to be looked at before two people answer for it."""

from __future__ import annotations

import secrets
from contextlib import suppress
from pathlib import Path

from facedouble import disk
from facedouble.errors import StoreError
from facedouble.options import Options
from facedouble.pipeline.analyse import Progress, quiet
from facedouble.pipeline.pack import write_pack
from facedouble.pipeline.packing import film_of, written
from facedouble.store.project import Project
from facedouble.store.renders import Render


def scene_film(project: Project, render: Render, number: int, progress: Progress = quiet, font: Path | None = None) -> bytes:
    """A film of one scene, in memory: as protected as the render is, with its subtitles, and its number on every frame."""
    draft = project.folder / "packs" / f"look-{secrets.token_hex(3)}.mp4"
    film = film_of(project, render)
    try:
        over = written(film, render, render.id, font, progress)
        write_pack(film, [render.scene(number)], over, draft, Options().encode, progress)
        return disk.read(draft)
    finally:
        with suppress(StoreError):  # a full disk; `clear` takes it away later
            disk.remove(draft)
