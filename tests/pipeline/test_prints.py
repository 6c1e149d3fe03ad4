"""What people can be known by: sealed to their own key, asked in later audits, closed for good when they withdraw."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from facedouble import disk
from facedouble.age.sealing import unseal
from facedouble.audit.likeness import Known, unit
from facedouble.audit.said import Said
from facedouble.errors import StoreError
from facedouble.pipeline.audit import run
from facedouble.pipeline.audit.project import prints
from facedouble.pipeline.audit.run import Ground, Kit, Task
from facedouble.pipeline.prints import clear, keep, take
from facedouble.plan.read import read
from facedouble.publish import write_over
from facedouble.store import people, withdrawal
from facedouble.store.project import Project
from facedouble.store.vault import Keys
from tests.plan.make import FILM
from tests.store.cast import NOW
from tests.store.make import a_project

LOOKS = np.stack([unit(v) for v in np.random.default_rng(0).standard_normal((5, 128)).astype(np.float32)])
VOICES = np.stack([unit(v) for v in np.random.default_rng(1).standard_normal((2, 256)).astype(np.float32)])


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """Two witnesses and somebody who is shown; rose and sam were measured."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    made = a_project(tmp_path / "film")
    disk.mount(made.folder, Keys(made.folder, made.recipient, made.keyring.identities).open())
    with made.change("person added", {}) as db:
        for role, name, plan in (("witness", "rose", ("P1",)), ("witness", "eva", ("P2",)), ("shown", "sam", ("P3",))):
            people.add(db, role, "lin", NOW, name, plan)
    for name in ("rose", "sam"):
        keep(made, name, "A", "", LOOKS, VOICES)
    yield made
    disk.unmount(made.folder)
    made.close()


def test_a_witness_is_known_again_and_who_is_shown_is_not_looked_for(project: Project) -> None:
    (one,) = prints(project)
    assert one.person == "rose" and one.plan == ("P1",)
    assert np.array_equal(one.faces, LOOKS) and np.array_equal(one.voices, VOICES)


def test_the_project_key_alone_does_not_open_it(project: Project) -> None:
    sealed = disk.read(project.folder / "prints" / "rose.A.age").partition(b"\n")[2]
    with pytest.raises(StoreError):
        unseal(sealed, project.keyring.identities)
    everything = b"".join(p.read_bytes() for p in project.folder.rglob("*") if p.is_file())
    assert LOOKS[0].tobytes()[:32] not in everything


def test_who_withdraws_cannot_be_known_by_it_any_more(project: Project) -> None:
    with project.change("withdrawn", {"person": "rose"}) as db:
        withdrawal.withdraw(db, "rose", "lin", NOW)
    assert prints(project) == [] and disk.is_file(project.folder / "prints" / "rose.A.age")


def test_who_withdraws_a_part_is_looked_for_again_once_they_were_measured_again(project: Project) -> None:
    """A render may go on meanwhile: what was sealed to the key of before is passed over, and goes with the next measuring."""
    with project.change("withdrawn", {"person": "rose"}) as db:
        withdrawal.withdraw(db, "rose", "lin", NOW, ("face",))
    keep(project, "rose", "B", "", LOOKS[:1], None)
    (one,) = prints(project)
    assert one.person == "rose" and np.array_equal(one.faces, LOOKS[:1]) and not len(one.voices)
    clear(project)
    assert [path.name for path in disk.listing(project.folder / "prints")] == ["rose.B.age", "sam.A.age"]


def test_a_print_that_was_altered_ends_the_audit(project: Project) -> None:
    """Sealed to somebody else, or cut: nobody can tell whether the clip was looked through for them."""
    whole = disk.read(project.folder / "prints" / "rose.A.age")
    other = disk.read(project.folder / "prints" / "sam.A.age").partition(b"\n")[2]
    for data in (whole[:-1], whole.partition(b"\n")[0] + b"\n" + other, other):
        write_over(project.folder / "prints" / "rose.A.age", data)
        with pytest.raises(StoreError, match="person erase film rose --biometrics --by"):
            prints(project)
        clear(project)
        assert disk.is_file(project.folder / "prints" / "rose.A.age")


def test_of_somebody_whose_key_is_erased_nothing_is_read_again(project: Project) -> None:
    """No model is opened, and no clip: there would be nobody to keep it for."""
    def opened() -> Kit:
        raise AssertionError("somebody is measured")

    with project.change("withdrawn", {"person": "rose"}) as db:
        for name in ("rose", "eva"):
            withdrawal.withdraw(db, name, "lin", NOW)
    made: Any = SimpleNamespace(plan=read(FILM), clip="A", base=project.folder)
    assert take(project, made, opened) == []


def test_only_people_whom_the_plan_does_not_have_in_the_clip_are_added(project: Project) -> None:
    task = Task(Path("A.mp4"), prints=tuple(prints(project)))

    def ground(*names: str) -> Ground:
        return Ground(None, 0, lambda _: (), tuple(Known(n, LOOKS) for n in names), "", Said(0))

    assert [one.person for one in run._elsewhere(task, ground("P2"))] == ["rose"]
    assert run._elsewhere(task, ground("P1")) == []
