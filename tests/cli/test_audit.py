"""Where an audit's page goes, and whom it looks for: of a loose film, of one in a project, of a copy that went out of one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facedouble import disk
from facedouble.audit.likeness import Print
from facedouble.audit.verdict import Audit
from facedouble.cli import inside
from facedouble.cli.main import app
from facedouble.pipeline.audit import project as of_project
from facedouble.pipeline.audit import run as module
from facedouble.pipeline.audit.run import Task
from facedouble.publish import write_new
from facedouble.store.project import Project
from tests.store.make import a_project

ROSE = Print("rose", ("P1",), np.zeros((1, 128), np.float32), np.zeros((0, 256), np.float32))


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A project with a film and its plan, and the copy that went out."""
    monkeypatch.chdir(tmp_path)
    project = a_project(tmp_path / "film")
    inside._OPEN[tmp_path / "film"] = inside.mounted(project)
    for path in (project.folder / "cut1" / "A.mp4", project.folder / "film.plan.toml"):
        write_new(path, b"what is in it")
    Path("premiere.mp4").write_bytes(b"what is in it")
    yield project
    inside._OPEN.clear()
    project.close()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Task]:
    """What was audited; it said something each time."""
    tasks: list[Task] = []

    def run(task: Task, options: Any, progress: Any, keep: Any) -> Audit:
        tasks.append(task)
        made = Audit("0" * 64, 1, 1, (), {}, ())
        keep(made.json().encode(), b"the page")
        return made

    monkeypatch.setattr(module, "run", run)
    monkeypatch.setattr(module, "close_doors", lambda: None)
    monkeypatch.setattr(of_project, "prints", lambda project: [ROSE])
    return tasks


def audit(*words: str) -> None:
    app(["audit", *words], standalone_mode=False)


def test_of_a_copy_outside_it_lies_in_the_project(desk: Project, asked: list[Task], capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):  # an earlier audit's are replaced
        audit("premiere.mp4", "--plan", "film/film.plan.toml", "--clip", "A")
    assert "film/audits/premiere.audit.html" in capsys.readouterr().out
    assert disk.read(desk.folder / "audits" / "premiere.audit.html") == b"the page"
    assert disk.is_file(desk.folder / "audits" / "premiere.audit.json")
    assert not list(Path().glob("premiere.audit*"))
    assert asked[0].prints == (ROSE,)


def test_of_a_film_in_the_project_it_lies_beside_it(desk: Project, asked: list[Task]) -> None:
    audit("film/cut1/A.mp4", "--plan", "film/film.plan.toml")
    assert disk.is_file(desk.folder / "cut1" / "A.audit.html") and asked[0].prints == (ROSE,)


def test_of_a_loose_film_it_lies_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: list[Task]) -> None:
    monkeypatch.chdir(tmp_path)
    Path("safe.mp4").write_bytes(b"what is in it")
    audit("safe.mp4", "--witness", "safe.mp4")
    assert sorted(p.name for p in tmp_path.iterdir() if p.is_file()) == ["safe.audit.html", "safe.audit.json", "safe.mp4"]
    assert asked[0].prints == ()
