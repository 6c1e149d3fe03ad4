"""What lies in a project is shown by programs that are held as ours are; nothing is handed to one that is not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from facedouble.cli import inside, look
from facedouble.cli.main import app
from facedouble.errors import InputRefused, UsageError
from facedouble.publish import write_new
from facedouble.store.project import Project
from tests.store.make import a_project


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A project with a file of each kind."""
    monkeypatch.chdir(tmp_path)
    project = a_project(tmp_path / "film")
    inside._OPEN[tmp_path / "film"] = inside.mounted(project)
    for name in ("people.JPG", "cut1/A.mp4", "takes/A-3.wav", "cut1/A.audit.html", "film.plan.toml", "odd"):
        write_new(project.folder / name, b"what is in it")
    yield project
    inside._OPEN.clear()
    project.close()


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bytes]]:
    """What was given to which program."""
    given: list[tuple[str, bytes]] = []
    monkeypatch.setattr(look, "shown_from_memory", lambda data, program, suffix: given.append((program, data)))
    return given


def view(*words: str) -> None:
    app(["view", *words], standalone_mode=False)


@pytest.mark.parametrize(("name", "program"), [("people.JPG", "feh"), ("cut1/A.mp4", "mpv"), ("takes/A-3.wav", "mpv")])
def test_pictures_and_films_have_a_program(desk: Project, shown: list[tuple[str, bytes]], name: str, program: str) -> None:
    view(f"film/{name}")
    view(f"film/{name}", "--with", "other")
    assert shown == [(program, b"what is in it"), ("other", b"what is in it")]


@pytest.mark.parametrize("name", ["cut1/A.audit.html", "odd"])
def test_for_everything_else_a_program_has_to_be_named(desk: Project, shown: list[tuple[str, bytes]], name: str) -> None:
    with pytest.raises(UsageError, match="--with"):
        view(f"film/{name}")
    view(f"film/{name}", "--with", "firefox")
    assert shown == [("firefox", b"what is in it")]


def test_a_text_is_shown_here(desk: Project, shown: list[tuple[str, bytes]], capsys: pytest.CaptureFixture[str]) -> None:
    view("film/film.plan.toml")
    assert capsys.readouterr().out == "what is in it" and shown == []


def test_what_is_not_there_is_said(desk: Project) -> None:
    with pytest.raises(InputRefused, match="no such file"):
        view("film/cut2/A.mp4")
