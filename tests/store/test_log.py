"""Whatever is done to the log is noticed: by the log itself, by the registry, by what this machine remembers, or by paper."""

from __future__ import annotations

import base64
import json
import multiprocessing
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from facedouble.age.sealing import seal
from facedouble.errors import StoreError
from facedouble.store import entry, log
from facedouble.store.keys import Keyring, new_keyring
from facedouble.store.project import Project, create_field
from facedouble.store.verify import verify
from tests.store.make import a_project, keyring_of


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """A project with six entries that has never been seen on this machine."""
    with a_project(tmp_path / "film") as project:
        for k in range(5):
            project.record("scene watched", {"scene": f"s{k}"})
    shutil.rmtree(tmp_path / "state")
    return tmp_path / "film"


def entries(film: Path) -> list[Path]:
    return sorted((film / "log").glob("*.age"))


def forge(film: Path, n: int, change: Callable[[dict[str, object]], object], signer: Keyring | None = None) -> None:
    """Write entry n anew with another content, by somebody who can read the project: signed by no holder, or not at all."""
    keyring, path = keyring_of(film), entries(film)[n - 1]
    made = json.loads(keyring.unseal(path.read_bytes()))
    said = json.loads(made["entry"])
    change(said)
    made["entry"] = entry.canonical(said)
    if signer is not None:
        made["signature"] = base64.b64encode(signer.sign(made["entry"].encode())).decode()
    path.write_bytes(seal(entry.canonical(made).encode(), keyring.recipients[:1]))


def delete(n: int) -> Callable[[Path], object]:
    return lambda film: os.remove(entries(film)[n - 1])


def delete_and_close_up(film: Path) -> None:
    paths = entries(film)
    for old, new in zip(paths[4:], paths[3:], strict=False):
        old.replace(new)


def swap(film: Path) -> None:
    third, fourth = entries(film)[2:4]
    a, b = third.read_bytes(), fourth.read_bytes()
    third.write_bytes(b)
    fourth.write_bytes(a)


def another_project(film: Path) -> None:
    with a_project(film.parent / "other", "ben"):
        shutil.copy(film.parent / "other" / "log" / "00000001.age", film / "log" / "00000001.age")


def flip(film: Path) -> None:
    path = entries(film)[3]
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def by_a_stranger(film: Path) -> None:
    forge(film, 6, lambda said: said.update(key=new_keyring("noor").public), new_keyring("noor"))


def append_as_a_stranger(film: Path) -> None:
    stranger, known = new_keyring("noor"), log.read(film / "log", keyring_of(film))
    data = entry.compose(7, known.head, stranger, "consent given", {"person": "p1"}, (7, "0" * 64), None)
    (film / "log" / "00000007.age").write_bytes(seal(data, (known.recipient,)))


TAMPERING: dict[str, Callable[[Path], object]] = {
    "first gone": delete(1), "middle gone": delete(3), "last gone": delete(6), "gone and closed up": delete_and_close_up,
    "swapped": swap, "of another project": another_project, "bit flipped": flip,
    "event edited": lambda film: forge(film, 3, lambda said: said.update(event="scene approved")),
    "facts edited": lambda film: forge(film, 6, lambda said: said.update(facts={"scene": "s9"})),
    "date edited": lambda film: forge(film, 2, lambda said: said.update(wall="2020-01-01T00:00:00Z")),
    "signed by a stranger": by_a_stranger, "a stranger's appended": append_as_a_stranger,
    "first forged": lambda film: forge(film, 1, lambda said: said.update(event="scene watched")),
    "all gone": lambda film: shutil.rmtree(film / "log"),
    "number 8 without 7": lambda film: shutil.copy(entries(film)[5], film / "log" / "00000008.age"),
    "last again": lambda film: shutil.copy(entries(film)[5], film / "log" / "00000007.age"),
}


@pytest.mark.parametrize("name", TAMPERING)
def test_tampering_is_noticed(film: Path, name: str) -> None:
    keyring = keyring_of(film)
    assert not verify(film, keyring).alarms
    shutil.rmtree(film.parent / "state")  # by the project alone
    TAMPERING[name](film)
    found = verify(film, keyring)
    assert found.alarms, name
    with pytest.raises(StoreError):
        Project.open(film, keyring)


def test_truncation_at_each_byte_of_the_last_three_entries_is_noticed(film: Path) -> None:
    keyring, cut, known = keyring_of(film), film / "cut", None
    cut.mkdir()
    for path in entries(film):
        whole = path.read_bytes()
        for size in range(len(whole)) if int(path.stem) > 3 else ():
            (cut / path.name).write_bytes(whole[:size])
            with pytest.raises(StoreError):
                log.read(cut, keyring, known)
        (cut / path.name).write_bytes(whole)
        known = log.read(cut, keyring, known)
    assert known is not None and known.n == 6


@pytest.mark.parametrize("gone", [1, 2, 3])
def test_a_log_cut_short_is_not_what_the_registry_knows(film: Path, gone: int) -> None:
    """Even if the registry is put back to where the shorter log wants it: it needs that file, and it is not there."""
    for path in entries(film)[-gone:]:
        path.unlink()
    with pytest.raises(StoreError, match="registry was rolled back"):
        Project.open(film, keyring_of(film))


def test_words_on_paper_name_their_entry_or_are_an_alarm(film: Path) -> None:
    head = log.words(log.read(film / "log", keyring_of(film)).entries[3].digest)
    assert "entry 4 of 6" in verify(film, keyring_of(film), head).notes[0]
    assert "entry 4 of 6" in verify(film, keyring_of(film), f"  {head.upper()} ").notes[0]
    for path in entries(film)[1:]:
        path.unlink()
    assert any("no entry of this log has these words" in alarm for alarm in verify(film, keyring_of(film), head).alarms)
    assert any("8 words" in alarm for alarm in verify(film, keyring_of(film), "one two").alarms)


def test_words_are_the_first_88_bits_of_a_head() -> None:
    from mnemonic import Mnemonic

    head = "0123456789abcdef" * 4
    listed, number = Mnemonic("english").wordlist, 0
    for word in log.words(head).split():
        number = number << 11 | listed.index(word)
    assert f"{number:022x}" == head[:22] and len(log.words(head).split()) == 8


def _append(folder: Path, who: int, count: int) -> None:
    with Project.open(folder, keyring_of(folder)) as project:
        for k in range(count):
            with project.change("scene watched", {"who": who, "k": k}) as db:
                db.execute("CREATE TABLE IF NOT EXISTS seen(who, k)")
                db.execute("INSERT INTO seen VALUES (?, ?)", (who, k))


def test_two_processes_append_at_once_and_there_is_no_fork(tmp_path: Path) -> None:
    a_project(tmp_path / "film").close()
    spawn = multiprocessing.get_context("spawn")
    children = [spawn.Process(target=_append, args=(tmp_path / "film", who, 15)) for who in range(3)]
    for child in children:
        child.start()
    for child in children:
        child.join(60)
        assert child.exitcode == 0
    with Project.open(tmp_path / "film", keyring_of(tmp_path / "film")) as project:
        assert project.log.n == 1 + 45
        assert {(e.facts["who"], e.facts["k"]) for e in project.log.entries[1:]} == {(w, k) for w in range(3) for k in range(15)}
        assert project.db.execute("SELECT count(*) FROM seen").fetchone() == (45,)


def test_a_clock_that_jumps_is_noted_and_breaks_nothing(film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import datetime as dt

    class Late(dt.datetime):
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> dt.datetime:  # type: ignore[override]
            return dt.datetime(2090, 1, 1, tzinfo=tz)

    with Project.open(film, keyring_of(film)) as project:
        with monkeypatch.context() as other:
            other.setattr("facedouble.store.entry.dt.datetime", Late)
            project.record("scene watched", {"scene": "s7"})
        project.record("scene watched", {"scene": "s8"})
    found = verify(film, keyring_of(film))
    assert not found.alarms
    assert "put forward" in found.notes[0] and "went back" in found.notes[1]


@pytest.mark.parametrize("facts", [{"name": "Amina K"}, {"path": "/media/card/a.mp4"}, {"what": 1.5}, {"list": ["a", "b c"]},
                                   {"what": "naïve"}])
def test_the_log_keeps_ids_hashes_and_numbers_only(film: Path, facts: dict[str, str]) -> None:
    with Project.open(film, keyring_of(film)) as project, pytest.raises(ValueError, match="ids, hashes and numbers"):
        project.record("person added", facts)


def test_an_entry_can_need_two_holders(film: Path) -> None:
    with Project.open(film, keyring_of(film)) as project:
        with pytest.raises(ValueError, match="second key holder"):
            project.record(log.MACHINE, {"boot": "b"})
        with pytest.raises(StoreError, match="held no key"):
            project.record(log.MACHINE, {"boot": "b"}, second=new_keyring("eve"))
        with pytest.raises(StoreError, match="signed it twice"):
            project.record(log.MACHINE, {"boot": "b"}, second=project.keyring)
        assert project.log.n == 6
    assert not verify(film, keyring_of(film)).alarms


def test_a_field_laptop_appends_and_reads_nothing(film: Path, tmp_path: Path) -> None:
    keyring = keyring_of(film)
    field = create_field(tmp_path / "field", keyring.recipients[0])
    for k in range(3):
        field.record("footage added", {"blob": f"b{k}"})
    with pytest.raises(StoreError, match="reads nothing"):
        field.db.execute("SELECT 1")
    with pytest.raises(StoreError, match="opens with none"):
        field.keyring.unseal((tmp_path / "field" / "log" / "00000002.age").read_bytes())
    with Project.open(tmp_path / "field", None) as again:
        again.record("footage added", {"blob": "b3"})
    with Project.open(tmp_path / "field", keyring, write=False) as home:
        assert [e.facts["blob"] for e in home.log.entries[1:]] == ["b0", "b1", "b2", "b3"]
    (tmp_path / "field" / "log" / "00000005.age").unlink()
    with pytest.raises(StoreError, match="rolled back"):
        Project.open(tmp_path / "field", None)
