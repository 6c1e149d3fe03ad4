"""Packs: a person's own scenes out of a project, sealed to a passphrase; and where a render's film lies there."""

from __future__ import annotations

import getpass
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from facedouble import disk
from facedouble.age.sealing import Sealer, unseal
from facedouble.errors import InputRefused, StoreError, UsageError
from facedouble.options import Options
from facedouble.pipeline.analyse import Progress, quiet
from facedouble.pipeline.digest import of_file
from facedouble.pipeline.pack import write_pack
from facedouble.store import approvals, people, renders
from facedouble.store.keys import new_passphrase
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
    place = disk.placed(project.folder / "any")
    if place is not None:
        for name in place[0].names():
            if name.endswith(f"{render.clip}.mp4") and of_file(project.folder / name) == render.sha256:
                return project.folder / name
    raise StoreError(f"render {render.id}: its film is not in the project any more; render it again")


def seal_pack(project: Project, person: str, render: str, output: Path, passphrase: str, mark: str,
              progress: Progress = quiet) -> Packed:
    """Make the film of somebody's scenes and seal it; the log notes which scenes, and that somebody got them."""
    if disk.placed(output) is not None:
        raise StoreError(f"{output}: is in the project; name a place outside of it")
    if disk.exists(output):
        raise StoreError(f"{output}: exists already; choose another name")
    made, who = renders.get(project.db, render), people.get(project.db, person)
    asked = {scene.number for scene in made.scenes if who.id in {one.person for one in approvals.asked(project.db, scene)}}
    scenes = tuple(scene for scene in made.scenes if scene.number in asked)
    if not scenes:
        raise UsageError(f"{who.id} is in no scene of render {made.id}, so that there is nothing to show them")
    draft = project.folder / "packs" / f"{mark}.mp4"
    try:
        frames = write_pack(film_of(project, made), scenes, mark, draft, Options().encode, progress)
        _sealed(draft, output, passphrase)
    finally:
        disk.remove(draft)
    facts = {"pack": mark, "person": who.id, "render": made.id, "scenes": [scene.hash for scene in scenes]}
    project.record("pack made", facts)
    return Packed(mark, scenes, frames)


def _sealed(film: Path, output: Path, passphrase: str) -> None:
    """Write the age file, whole or not at all."""
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
        os.link(part, output)
    except OSError as error:
        raise StoreError(f"{output}: cannot be written ({error.strerror}); make room, or choose another place") from error
    finally:
        part.unlink(missing_ok=True)


def passphrase_for(descriptor: int | None) -> tuple[str, bool]:
    """A passphrase for a pack, and whether it is a new one, which has to be shown."""
    if descriptor is None:
        return new_passphrase(), True
    return _typed(descriptor), False


def opened_pack(file: Path, descriptor: int | None = None) -> bytes:
    """The film in a pack; InputRefused if the passphrase does not open it."""
    said = getpass.getpass("passphrase of the pack: ") if descriptor is None else _typed(descriptor)
    try:
        return unseal(disk.read(file), (), said)
    except (OSError, StoreError) as error:
        raise InputRefused(f"{file}: does not open with this passphrase, or is no pack; type it again") from error


def _typed(descriptor: int) -> str:
    with os.fdopen(os.dup(descriptor), "r", encoding="utf-8") as file:
        return file.readline().rstrip("\n")

