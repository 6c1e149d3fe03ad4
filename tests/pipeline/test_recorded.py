"""What a project wrote down is kept whatever its keys became since; what a stopped machine left in the way is not."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from facedouble import disk
from facedouble.cli import inside
from facedouble.cli.making import _begun
from facedouble.pipeline.packing import film_of
from facedouble.pipeline.recorded import clear_unfinished
from facedouble.publish import write_new
from facedouble.store import holders, renders
from facedouble.store.again import encrypt_again
from facedouble.store.project import Project
from facedouble.store.renders import Render
from tests.store.cast import MAN, NOW, a_render
from tests.store.make import a_project, keyring_of


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """Its files are mounted, as a command has it."""
    with a_project(tmp_path / "film") as made:
        yield inside.mounted(made)
        let_go(made)
        inside.forget()


def let_go(project: Project) -> None:
    """Nobody works in it any more."""
    disk._MOUNTED[project.folder.resolve()].close()  # type: ignore[attr-defined]
    disk.unmount(project.folder)


def drawn(project: Project, film: str, data: bytes = b"the film") -> Render:
    """A film with its report in the project; what is written down of it."""
    path = project.folder / film
    write_new(path, data)
    write_new(path.with_suffix(".report.json"), json.dumps({"clip": path.stem, "audit": {}}).encode())
    return replace(a_render((MAN,), name=film), file=disk.stamp(path)[1], sha256=hashlib.sha256(data).hexdigest())


def written_down(project: Project, *made: Render) -> None:
    with project.change("rendered", {}) as db:
        for render in made:
            renders.record(db, render, "noor", NOW)


def films(project: Project) -> list[str]:
    return [path.relative_to(project.folder).as_posix() for path in disk.found(project.folder, "**/*.mp4")]


def test_an_approved_film_stays_after_its_keys_were_rotated(project: Project) -> None:
    made = drawn(project, "cut/A.mp4", b"the film A")
    drawn(project, "cut/B.mp4", b"the film B")
    written_down(project, made)
    let_go(project)
    holders.rotate(project)
    encrypt_again(project, lambda *_: None)
    inside.mounted(project)
    assert disk.stamp(project.folder / "cut" / "A.mp4")[1] != made.file
    clear_unfinished(project, project.folder / "cut")
    assert films(project) == ["cut/A.mp4"]
    assert film_of(project, made) == project.folder / "cut" / "A.mp4"


def test_each_of_two_films_of_the_same_bytes_is_found_after_its_keys_were_rotated(project: Project) -> None:
    """Their subtitles may differ."""
    written_down(project, *(drawn(project, f"cut{k}/A.mp4") for k in (1, 2)))
    let_go(project)
    holders.rotate(project)
    encrypt_again(project, lambda *_: None)
    inside.mounted(project)
    for k in (1, 2):
        assert film_of(project, renders.get(project.db, f"cut{k}/A.mp4")) == project.folder / f"cut{k}" / "A.mp4"


def test_films_of_the_same_bytes_are_all_written_down(project: Project) -> None:
    """Same in, same out: two renders of one plan differ in nothing, and each is in the books."""
    written_down(project, *(drawn(project, f"cut{k}/A.mp4") for k in (1, 2)))
    drawn(project, "cut3/A.mp4")
    for k in (1, 2, 3):
        clear_unfinished(project, project.folder / f"cut{k}")
    assert films(project) == ["cut1/A.mp4", "cut2/A.mp4"]


def test_a_film_that_somebody_else_has_written_down_since_stays(project: Project) -> None:
    """A command reads the books when it begins, and clears when it is the only one who works."""
    made = drawn(project, "cut/A.mp4")
    with Project.open(project.folder, keyring_of(project.folder)) as other:
        written_down(other, made)
    _begun(project.folder / "cut", (), draft=False)
    assert films(project) == ["cut/A.mp4"]
