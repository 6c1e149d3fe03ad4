"""Packs: a person's own scenes out of a project, sealed to a passphrase; and where a render's film lies there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import apsw

from facedouble import disk
from facedouble.age.sealing import Sealer, unseal
from facedouble.errors import ConsentError, InputRefused, StoreError, UsageError
from facedouble.options import Options
from facedouble.pipeline.analyse import Progress, quiet
from facedouble.pipeline.approved import check_unaltered, words_of
from facedouble.pipeline.digest import of_file
from facedouble.pipeline.pack import Written, write_pack
from facedouble.publish import name_new
from facedouble.store import acts, approvals, consents, people, release_rules, renders
from facedouble.store.project import Project
from facedouble.store.renders import Render, Scene
from facedouble.store.sealed import sealed
from facedouble.voice.subtitles import read as read_subtitles

BLOCK: Final = 1 << 20  # bytes sealed at a time


@dataclass(frozen=True)
class Packed:
    """What was made: the mark on its frames, whose scenes they are, how many frames."""

    mark: str
    scenes: tuple[Scene, ...]
    frames: int


def film_of(project: Project, render: Render) -> Path:
    """Where a render's film lies in the project; StoreError if it is there no more."""
    films = disk.found(project.folder, f"**/{render.clip}.mp4")
    for film in (*(f for f in films if disk.stamp(f)[1] == render.file), *films):  # all, where keys were rotated since
        if of_file(film) == render.sha256:
            return film
    raise StoreError(f"render {render.id}: its film is not in the project any more; render it again")


def written(film: Path, render: Render, mark: str, font: Path | None = None, progress: Progress = quiet) -> Written:
    """A mark, and the subtitles of a render's film; StoreError if these, or the film, are not those of the render."""
    words = words_of(film)
    check_unaltered(film, words, render, progress)
    return Written(mark, () if words is None else tuple(read_subtitles(words)), font)


def seal_pack(project: Project, person: str, render: str, output: Path, passphrase: str, mark: str,
              progress: Progress = quiet, font: Path | None = None) -> Packed:
    """Make the film of somebody's scenes and seal it; the log notes which scenes, and that somebody gets them, before they do.

    ConsentError if anybody in these scenes has withdrawn: nothing of theirs goes out, to nobody. font: for subtitles in letters
    that DejaVu Sans lacks; UsageError without.
    """
    if disk.placed(output) is not None:
        raise StoreError(f"{output}: is in the project; name a place outside of it")
    if disk.exists(output):
        raise StoreError(f"{output}: exists already; choose another name")
    made, who = renders.get(project.db, render), people.get(project.db, person)
    asked = {scene.number for scene in made.scenes if who.id in {one.person for one in approvals.asked(project.db, scene)}}
    scenes = tuple(scene for scene in made.scenes if scene.number in asked)
    if not scenes:
        raise UsageError(f"{who.id} is in no scene of render {made.id}, so that there is nothing to show them")
    _refuse_withdrawn(project.db, made, scenes)
    draft = project.folder / "packs" / f"{mark}.mp4"
    try:
        film = film_of(project, made)
        frames = write_pack(film, scenes, written(film, made, mark, font, progress), draft, Options().encode, progress)
        with sealed(output, (), passphrase, lambda sealer: _copy(draft, sealer)) as part:
            with project.change("pack made", {"pack": mark, "person": who.id, "render": made.id,
                                              "scenes": [scene.hash for scene in scenes]}) as db:
                _refuse_withdrawn(db, made, scenes)  # whoever did while it was made is heard: the change read the books anew
            name_new(part, output)
    finally:
        with suppress(StoreError):  # a full disk; `clear` takes it away later
            disk.remove(draft)
    return Packed(mark, scenes, frames)


def clear(project: Project) -> None:
    """Take away packs that were being made when the machine stopped."""
    for left in disk.found(project.folder / "packs", "*.mp4"):
        disk.remove(left)


def _refuse_withdrawn(db: apsw.Connection, render: Render, scenes: Sequence[Scene]) -> None:
    now = acts.latest(db, dt.datetime.now(dt.UTC))
    for scene in scenes:
        for who, needs in release_rules.in_scene(db, scene):
            refused = consents.refusal(db, who, render.purpose, needs, now)
            if refused is not None and refused.kind == "withdrawn":
                raise ConsentError(f"scene {scene.number} is shown to nobody: {refused.sentence}")


def _copy(film: Path, sealer: Sealer) -> None:
    with disk.open_read(film) as source:
        while block := source.read(BLOCK):
            sealer.write(block)


def opened_pack(file: Path, passphrase: str) -> bytes:
    """The film in a pack; InputRefused if the passphrase does not open it."""
    try:
        return unseal(disk.read(file), (), passphrase)
    except (OSError, StoreError) as error:
        raise InputRefused(f"{file}: does not open with this passphrase, or is no pack; type it again") from error
