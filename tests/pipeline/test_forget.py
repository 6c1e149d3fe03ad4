"""After a withdrawal, what was measured of somebody is gone, and what they lent; nobody else's is, and no film."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from facedouble import disk
from facedouble.doubles.file import identity, read_double, write_double
from facedouble.doubles.mannequin import mannequin
from facedouble.pipeline.appearing import take_id
from facedouble.pipeline.forget import forget
from facedouble.pipeline.prints import keep
from facedouble.publish import write_new
from facedouble.store import people, volunteers
from facedouble.store.project import Project
from facedouble.store.vault import Keys, Vault
from tests.plan.make import FILM
from tests.store.cast import NOW
from tests.store.make import a_project


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    made = a_project(tmp_path / "film")
    disk.mount(made.folder, Keys(made.folder, made.recipient, made.keyring.identities).open())
    with made.change("person added", {}) as db:
        for role, name, plan in (("witness", "rose", ("P1",)), ("witness", "ros", ("P9",)), ("double", "v3", ()),
                                 ("double", "v5", ())):
            people.add(db, role, "lin", NOW, name, plan)
    write_new(made.folder / "film.plan.toml", FILM.encode())
    for name in ("A.fnotes", "B.heard.json", "C.fnotes"):
        write_new(made.folder / "film.notes" / name, b"measures")
    for name in ("rose", "ros"):
        keep(made, name, "0123", "", np.zeros((1, 128), np.float32), None)
    yield made
    disk.unmount(made.folder)
    made.close()


def there(project: Project) -> set[str]:
    return {path.relative_to(project.folder).as_posix() for path in disk.found(project.folder, "**/*")}


def test_what_was_measured_of_them_goes_and_one_broken_plan_is_told(project: Project) -> None:
    write_new(project.folder / "a.plan.toml", b"version = 1\nclips = 3\n")
    before = there(project)
    done = forget(project.folder, people.get(project.db, "rose"))
    assert before - there(project) == {"film.notes/A.fnotes", "film.notes/B.heard.json", "prints/rose.0123.age"}
    assert done.gone == 3 and len(done.left) == 1 and "a.plan.toml" in done.left[0] and "line 2" in done.left[0]


def test_the_double_and_the_takes_of_a_volunteer_go(project: Project, tmp_path: Path) -> None:
    made = mannequin()
    both = [project.folder / place for place in ("doubles/ana.fdouble", "ben.fdouble")]
    for k, (path, who) in enumerate(zip(both, ("v3", "v5"), strict=True)):
        other = replace(made, neutral=made.neutral + 0.01 * k, consent=replace(made.consent, who=who))
        write_double(replace(other, id=identity(other)), path)
    lent = read_double(both[0])
    assert lent.id != read_double(both[1]).id
    for place in ("takes/turn-001.wav", "takes/more/2.wav", "other/turn-001.wav"):
        write_new(project.folder / place, b"a voice")
    vault = disk._MOUNTED[project.folder.resolve()]
    assert isinstance(vault, Vault)
    vault.keep("footage/takes/1.wav", vault.blobs.put(b"handed over"))
    with project.change("lent", {}) as db:
        volunteers.lend(db, "v3", "face", lent.id, lent.consent, "lin", NOW)
        volunteers.lend(db, "v3", "voice", take_id(project.folder, project.folder / "takes"), None, "lin", NOW)
        volunteers.lend(db, "v3", "voice", take_id(project.folder, project.folder / "footage/takes/1.wav"), None, "lin", NOW)
    before = there(project)
    forget(project.folder, people.get(project.db, "v3"), volunteers.lent_by(project.db, "v3"))
    assert before - there(project) == {"doubles/ana.fdouble", "takes/turn-001.wav", "takes/more/2.wav"}
