from __future__ import annotations

from pathlib import Path

import pytest

from facedouble.errors import UsageError
from facedouble.store import people, personal, releases, renders
from facedouble.store.project import Project
from facedouble.store.release_rules import blockers
from facedouble.store.withdrawal import RECALL, withdraw
from tests.store.cast import MAN, NOW, a_render, approve_all, enter, film, ready
from tests.store.make import a_project, keyring_of


def test_past_releases_are_listed_for_everybody_who_has_a_part_in_them() -> None:
    db, render = ready()
    alone = a_render((MAN,), name="r2", hashes="4")
    renders.record(db, alone, "lin", NOW)
    releases.record(db, "rel1", render, "film", "lin", NOW)
    releases.record(db, "rel2", alone, "stills", "lin", NOW)
    for name in ("rose", "v4"):
        assert [r.id for r in withdraw(db, name, "lin", NOW).past] == ["rel1"]
    past = withdraw(db, "man", "lin", NOW, ["stills"]).past
    assert [(r.id, r.day, r.purpose) for r in past] == [("rel1", "2026-11-22", "film"), ("rel2", "2026-11-22", "stills")]
    assert "cannot be recalled" in RECALL
    with pytest.raises(UsageError, match="hair"):
        withdraw(db, "rose", "lin", NOW, ["hair"])


def test_a_withdrawal_between_render_and_release_blocks_within_the_same_second() -> None:
    db, render = ready()
    assert blockers(db, render, "film", NOW, True) == ()
    withdraw(db, "v3", "lin", NOW)
    assert {b.person for b in blockers(db, render, "film", NOW, True)} == {"v3"}


def test_in_a_project_the_key_is_gone_from_every_file(tmp_path: Path) -> None:
    folder = tmp_path / "film"
    with a_project(folder) as project:
        with project.change("person added", {}) as db:
            enter(db)
            renders.record(db, film(), "noor", NOW)
            approve_all(db, film())
            codes = personal.seal_for(db, "rose", "biometrics", b"128 numbers")
        wanted = "SELECT identity FROM person_keys WHERE person = 'rose' AND kind = 'biometrics'"
        key = str(project.db.execute(wanted).get).encode()
        assert sum(key in text for text in _opened(folder)) == 1  # the registry, and nothing else
        with project.change("withdrawn", {"person": "rose"}) as db:
            withdraw(db, "rose", "noor", NOW)
        assert not any(key in text for text in _opened(folder))
        assert not any(b"128 numbers" in text for text in [*_opened(folder), codes])
    with Project.open(folder, keyring_of(folder)) as again:
        assert people.get(again.db, "rose").role == "witness" and not personal.has_key(again.db, "rose", "biometrics")
        found = blockers(again.db, renders.get(again.db), "film", NOW, True)
        assert {(b.kind, b.person) for b in found} == {("withdrawn", "rose"), ("approval", "rose")}


def test_who_withdraws_elsewhere_while_a_film_is_made_is_heard_at_its_release(tmp_path: Path) -> None:
    folder = tmp_path / "film"
    with a_project(folder) as making, making.working():
        with making.change("rendered", {}) as db:
            enter(db)
            renders.record(db, film(), "noor", NOW)
            approve_all(db, film())
        assert blockers(making.db, film(), "film", NOW, True) == ()
        with Project.open(folder, keyring_of(folder)) as other, other.change("withdrawn", {"person": "sam"}) as db:
            withdraw(db, "sam", "noor", NOW)
        with making.change("released", {}) as db:
            assert {b.person for b in blockers(db, film(), "film", NOW, True)} == {"sam"}


def _opened(folder: Path) -> list[bytes]:
    """Every file of the project, decrypted where the project's key opens it."""
    keyring = keyring_of(folder)
    found = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        data = path.read_bytes()
        found.append(keyring.unseal(data) if path.parent.name in ("registry", "log") else data)
    return found
