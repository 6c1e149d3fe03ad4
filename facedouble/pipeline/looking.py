"""A scene of a render, to be looked at before two people answer for it."""

from __future__ import annotations

import secrets

from facedouble import disk
from facedouble.options import Options
from facedouble.pipeline.analyse import Progress, quiet
from facedouble.pipeline.pack import write_pack
from facedouble.pipeline.packing import film_of
from facedouble.store.project import Project
from facedouble.store.renders import Render


def scene_film(project: Project, render: Render, number: int, progress: Progress = quiet) -> bytes:
    """A film of one scene, in memory: as protected as the render is, with its number on every frame."""
    draft = project.folder / "packs" / f"look-{secrets.token_hex(3)}.mp4"
    try:
        write_pack(film_of(project, render), [render.scene(number)], render.id, draft, Options().encode, progress)
        return disk.read(draft)
    finally:
        disk.remove(draft)
