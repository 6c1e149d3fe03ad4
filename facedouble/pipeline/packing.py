"""Packs: a person's own scenes out of a project, sealed to a passphrase; and where a render's film lies there."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from facedouble import disk
from facedouble.age.sealing import Sealer, unseal
from facedouble.errors import ConsentError, InputRefused, StoreError, UsageError
from facedouble.options import Options
from facedouble.pipeline.analyse import Progress, quiet
from facedouble.pipeline.digest import of_file
from facedouble.pipeline.pack import write_pack
from facedouble.publish import name_new
from facedouble.store import acts, approvals, consents, people, release_rules, renders
from facedouble.store.project import Project
from facedouble.store.renders import Render, Scene

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


def seal_pack(project: Project, person: str, render: str, output: Path, passphrase: str, mark: str,
              progress: Progress = quiet) -> Packed:
    """Make the film of somebody's scenes and seal it; the log notes which scenes, and that somebody gets them, before they do.

    ConsentError if anybody in these scenes has withdrawn: nothing of theirs goes out, to nobody.
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
    _refuse_withdrawn(project, made, scenes)
    draft = project.folder / "packs" / f"{mark}.mp4"
    try:
        frames = write_pack(film_of(project, made), scenes, mark, draft, Options().encode, progress)
        with _sealed(draft, output, passphrase) as part:
            _refuse_withdrawn(project, made, scenes)
            project.record("pack made", {"pack": mark, "person": who.id, "render": made.id,
                                         "scenes": [scene.hash for scene in scenes]})
            name_new(part, output)
    finally:
        with suppress(StoreError):  # a full disk; `clear` takes it away later
            disk.remove(draft)
    return Packed(mark, scenes, frames)


def clear(project: Project) -> None:
    """Take away packs that were being made when the machine stopped."""
    for left in disk.found(project.folder / "packs", "*.mp4"):
        disk.remove(left)


def _refuse_withdrawn(project: Project, render: Render, scenes: Sequence[Scene]) -> None:
    now = acts.latest(project.db, dt.datetime.now(dt.UTC))
    for scene in scenes:
        for who, needs in release_rules.in_scene(project.db, scene):
            refused = consents.refusal(project.db, who, render.purpose, needs, now)
            if refused is not None and refused.kind == "withdrawn":
                raise ConsentError(f"scene {scene.number} is shown to nobody: {refused.sentence}")


@contextmanager
def _sealed(film: Path, output: Path, passphrase: str) -> Iterator[Path]:
    """The age file, whole, under a name beside its own; it is gone afterwards unless it was given another."""
    part = output.with_name(f".{output.name}.{os.getpid()}.part")
    try:
        with open(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o600), "wb") as out, \
                disk.open_read(film) as source:
            sealer = Sealer(out, (), passphrase)
            try:
                while block := source.read(BLOCK):
                    sealer.write(block)
                sealer.close()
            except BaseException:
                sealer.abort()
                raise
            out.flush()
            os.fsync(out.fileno())
        yield part
    except FileExistsError as error:
        raise StoreError(f"{output}: exists already; choose another name") from error
    except OSError as error:
        raise StoreError(f"{output}: cannot be written ({error.strerror}); make room, or choose another place") from error
    finally:
        part.unlink(missing_ok=True)


def opened_pack(file: Path, passphrase: str) -> bytes:
    """The film in a pack; InputRefused if the passphrase does not open it."""
    try:
        return unseal(disk.read(file), (), passphrase)
    except (OSError, StoreError) as error:
        raise InputRefused(f"{file}: does not open with this passphrase, or is no pack; type it again") from error
