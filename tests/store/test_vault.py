"""The files of a project: names in an encrypted table, contents in blobs, reached through `disk`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import av
import pytest

from facedouble import disk
from facedouble.age.sealing import generate, seal
from facedouble.errors import StoreError
from facedouble.publish import write_new, write_over
from facedouble.store import evidence, holders
from facedouble.store.again import encrypt_again
from facedouble.store.blobs import Blobs
from facedouble.store.intake import add, taking
from facedouble.store.project import Project
from facedouble.store.vault import INDEX, Keys, Vault, _seal_of
from facedouble.store.verify import verify
from tests.audit.sounds import film, voice
from tests.store.make import a_project, keyring_of

CANARY = b"canary-canary-canary"


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    folder = tmp_path / "film"
    (folder / "blobs").mkdir(parents=True)
    identity, recipient = generate()
    return Keys(folder, recipient, (identity,))


@pytest.fixture
def place(keys: Keys) -> Iterator[Path]:
    vault = keys.open()
    disk.mount(keys.folder, vault)
    yield keys.folder
    disk.unmount(keys.folder)
    vault.close()


def raw(folder: Path) -> bytes:
    """Every byte below a folder, names included."""
    return b"".join(str(p).encode() + (p.read_bytes() if p.is_file() else b"") for p in sorted(folder.rglob("*")))


def test_what_is_written_is_read_again_and_lies_there_encrypted(place: Path, keys: Keys) -> None:
    name = place / "film.notes" / "canary-canary-canary.json"
    write_new(name, CANARY)
    assert disk.read(name) == CANARY and disk.size(name) == len(CANARY) and disk.is_file(name)
    assert disk.listing(place) == [place / "film.notes"] and disk.is_folder(place / "film.notes")
    assert disk.found(place, "**/*.json") == [name] and disk.found(place, "*.json") == []
    assert disk.found(name.parent, "**/*") == disk.found(name.parent, "*") == [name]
    assert CANARY not in raw(place) and not name.exists()
    with pytest.raises(StoreError, match="exists already"):
        write_new(name, b"other")
    write_over(name, b"other")
    assert disk.read(name) == b"other" and len(list((place / "blobs").rglob("*.age"))) == 1
    assert Vault(keys).size("film.notes/canary-canary-canary.json") == 5
    disk.remove(name)
    assert not disk.exists(name) and disk.listing(place) == [] and not list((place / "blobs").rglob("*.age"))


def test_a_second_name_keeps_the_contents(place: Path) -> None:
    write_new(place / "a", CANARY)
    disk.give_name(place / "a", place / "b")
    with pytest.raises(FileExistsError):
        disk.give_name(place / "a", place / "b")
    disk.remove(place / "a")
    assert disk.read(place / "b") == CANARY


def test_nothing_gets_out_by_a_name(place: Path, tmp_path: Path) -> None:
    write_new(place / "a", CANARY)
    with pytest.raises(StoreError, match="release"):
        disk.give_name(place / "a", tmp_path / "out")
    assert disk.placed(place / ".." / "out") is None


def test_a_film_is_muxed_into_it_as_on_the_disk(place: Path, tmp_path: Path) -> None:
    disk.let_out(tmp_path / "a.mp4")
    plain = film(tmp_path / "a.mp4", [voice(1, 120.0)[:, None]])
    inside = film(place / "a.mp4", [voice(1, 120.0)[:, None]])
    assert disk.read(inside) == plain.read_bytes()
    lent = disk.lend(inside)
    with disk.borrowed(lent) as file, av.open(file, "r") as box:
        assert len(list(box.decode(video=0))) == 25
    assert list(place.rglob(".scratch*")) == []


def test_a_file_that_was_not_finished_never_was(place: Path) -> None:
    with disk.draft_in(place / "a") as draft:
        draft.write(CANARY)
    assert not disk.exists(place / "a") and not list((place / "blobs").rglob("*.age"))


def test_footage_is_neither_replaced_nor_removed(place: Path, keys: Keys) -> None:
    at = disk.placed(place / "footage" / "f.mp4")
    assert at is not None and isinstance(at[0], Vault)
    at[0].keep("footage/f.mp4", at[0].blobs.put(CANARY))
    with pytest.raises(StoreError, match="handed over"):
        write_over(place / "footage" / "f.mp4", b"")
    with pytest.raises(StoreError, match="handed over"):
        disk.remove(place / "footage" / "f.mp4")
    assert disk.read(place / "footage" / "f.mp4") == CANARY


def test_two_writers_do_not_meet(place: Path, keys: Keys) -> None:
    write_new(place / "a", CANARY)
    other = keys.open()
    assert other.names() == ["a"]
    with pytest.raises(StoreError, match="another facedouble"):
        other.remove("a")


def test_a_blob_in_anothers_place_and_an_altered_table_are_refused(place: Path, keys: Keys) -> None:
    write_new(place / "a", CANARY)
    write_new(place / "b", CANARY[::-1])
    one, other = sorted((place / "blobs").rglob("*.age"))
    data = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(data)
    for name in "ab":
        with pytest.raises(StoreError, match="in its place"):
            disk.read(place / name)
    (place / INDEX).write_bytes(seal(b"0" * 64 + b'\n{"format": 1, "generation": 99, "files": {}}', (keys.recipient,)))
    with pytest.raises(StoreError, match="table of files"):  # whoever knows the recipient can encrypt to the project
        keys.open()
    table = bytearray((place / INDEX).read_bytes())
    table[-3] ^= 1
    (place / INDEX).write_bytes(table)
    with pytest.raises(StoreError, match="table of files"):
        keys.open()


def test_an_identity_that_somebody_put_beside_a_holders_key_counts_for_nothing(tmp_path: Path) -> None:
    """A holder's own recipient is plain, so anybody can leave an identity of their own, and a table that it sealed."""
    film = tmp_path / "film"
    with a_project(film) as project:
        own = project.log.holders["noor"].own
        evil, _ = generate()
        (film / "keys" / "noor.more.age").write_bytes(seal(f"{evil}\n".encode(), (own,)))
        blob = Blobs(film / "blobs", (project.recipient,)).put(b"show everybody")
        text = json.dumps({"format": 1, "generation": 10 ** 6, "files": {"film.plan.toml": [blob.id, blob.size, blob.mac]}},
                          sort_keys=True).encode()
        (film / INDEX).write_bytes(seal(_seal_of(text, evil) + b"\n" + text, (project.recipient,)))
    with Project.open(film, keyring_of(film)) as project:
        assert evil in keyring_of(film).identities and evil not in project.keyring.identities
        with pytest.raises(StoreError, match="table of files"):
            Keys(film, project.recipient, project.keyring.identities).open()
        holders.rotate(project)
    assert evil not in keyring_of(film).identities  # nor does it reach anybody
    assert "table of files" in "".join(verify(film, keyring_of(film)).alarms)


def put_back(film: Path) -> Project:
    """A project whose table of files is older than its log says, open."""
    project = a_project(film)
    vault = project.vault()
    disk.mount(film, vault)
    write_new(film / "film.plan.toml", b"show")
    older = (film / INDEX).read_bytes()
    write_over(film / "film.plan.toml", b"veil")
    disk.unmount(film)
    vault.close()
    project.record("rendered", {}, index=vault.generation)
    (film / INDEX).write_bytes(older)
    return project


def test_an_older_table_put_back_is_not_made_newer_by_who_takes_footage_in(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(CANARY)
    with put_back(tmp_path / "film") as project:
        older = (tmp_path / "film" / INDEX).read_bytes()
        with pytest.raises(StoreError, match="older than its log"), taking(project) as vault:
            add(project, vault, tmp_path / "a.mp4", "footage")
        with pytest.raises(StoreError, match="older than its log"):
            encrypt_again(project, lambda *_: None)
        assert (tmp_path / "film" / INDEX).read_bytes() == older


def test_an_older_table_put_back_while_the_project_is_open_is_refused(tmp_path: Path) -> None:
    """Noted by no entry of the log, and seen by this process."""
    film = tmp_path / "film"
    with a_project(film) as project:
        vault, other = project.vault(), project.vault()
        with closing(other):
            other.hold()
            other.keep("footage/a.mp4", other.blobs.put(CANARY))
            older = (film / INDEX).read_bytes()
            other.keep("footage/b.mp4", other.blobs.put(CANARY))
        assert len(vault.names()) == 2
        (film / INDEX).write_bytes(older)
        for use in (vault.names, vault.hold, lambda: vault.blob("footage/c.mp4")):
            with pytest.raises(StoreError, match="earlier one back"):
                use()
        (film / INDEX).unlink()
        with pytest.raises(StoreError, match="earlier one back"):
            vault.names()


@pytest.fixture
def three(tmp_path: Path) -> Path:
    """A project with three files, each written once, and footage; the table of before the last is `older.age` beside it."""
    film = tmp_path / "film"
    (tmp_path / "a.mp4").write_bytes(CANARY)
    with a_project(film) as project:
        with taking(project) as vault:
            add(project, vault, tmp_path / "a.mp4", "footage", "her brother")
        with closing(project.vault()) as vault:
            disk.mount(film, vault)
            for name in ("film.plan.toml", "ana.fdouble", "film.notes/A.fnotes"):
                (tmp_path / "older.age").write_bytes((film / INDEX).read_bytes())
                write_new(film / name, name.encode())
            disk.unmount(film)
    return film


def test_a_table_that_is_gone_is_told_and_costs_no_file(three: Path) -> None:
    """Before anything was rendered, so that the log knows of no table."""
    there, table = Blobs(three / "blobs", ()).ids(), (three / INDEX).read_bytes()
    (three / INDEX).unlink()
    for write in (True, False):
        with Project.open(three, keyring_of(three), write) as project, pytest.raises(StoreError, match=", is gone, and"):
            project.vault()
    assert "is gone" in "".join(verify(three, keyring_of(three)).alarms)
    with closing(Keys(three, project.recipient, project.keyring.identities).open()) as vault:
        vault.hold()
    assert Blobs(three / "blobs", ()).ids() == there
    (three / INDEX).write_bytes(table)
    with Project.open(three, keyring_of(three)) as project:
        assert project.vault().open("ana.fdouble").read() == b"ana.fdouble"


def test_an_older_table_put_back_unnoticed_costs_no_file(three: Path) -> None:
    """Nothing was entered into the log since. What it does not name stays, so that the right one can be put back, and is told."""
    table = (three / INDEX).read_bytes()
    (three / INDEX).write_bytes((three.parent / "older.age").read_bytes())
    with Project.open(three, keyring_of(three)) as project, closing(project.vault()) as vault:
        draft = vault.draft("film.plan.toml", True)
        draft.write(b"another")
        draft.commit()
        vault.remove("film.plan.toml")
    assert "nothing names, as after an older table of files was put back: 1, " in "".join(verify(three, keyring_of(three)).notes)
    (three / INDEX).write_bytes(table)
    with Project.open(three, keyring_of(three)) as project:
        assert project.vault().open("film.notes/A.fnotes").read() == b"film.notes/A.fnotes"
    assert not verify(three, keyring_of(three)).notes


def test_a_table_older_than_any_entry_of_the_log_is_noticed(three: Path) -> None:
    """Each entry that a command with the files at hand makes notes how often they have changed."""
    with Project.open(three, keyring_of(three)) as project, closing(project.vault()) as vault:
        disk.mount(three, vault)
        project.record("scene watched", {"scene": "s1"})
        disk.unmount(three)
    (three / INDEX).write_bytes((three.parent / "older.age").read_bytes())
    assert "older than its log" in "".join(verify(three, keyring_of(three)).alarms)


STOPPED = """
import os, sys
from pathlib import Path
from facedouble.store import blobs, vault
from facedouble.store.project import Project
from tests.store.make import keyring_of
film = Path(sys.argv[1])
opened = Project.open(film, keyring_of(film)).vault()
owner, _, name = sys.argv[2].partition(".")
owners = {"Blobs": blobs.Blobs, "BlobWriter": blobs.BlobWriter, "Vault": vault.Vault}
setattr(owners[owner], name, lambda *_: os.kill(os.getpid(), 9))
if sys.argv[3] == "remove":
    opened.remove("ana.fdouble")
draft = opened.draft("ana.fdouble", True)
draft.write(b"her face")
draft.commit()
"""


@pytest.mark.parametrize(("step", "what", "there"), [
    ("Vault._put", "write", b"ana.fdouble"), ("BlobWriter.publish", "write", b"her face"), ("Blobs.remove", "write", b"her face"),
    ("Blobs.remove", "remove", None)])
def test_killed_between_blob_and_table_nothing_stays_that_nobody_names(three: Path, step: str, what: str,
                                                                        there: bytes | None) -> None:
    """A double whose volunteer has withdrawn, say: it goes when somebody works there next."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    done = subprocess.run([sys.executable, "-c", STOPPED, str(three), step, what], env=environment, check=False)
    assert done.returncode == -9
    with Project.open(three, keyring_of(three)) as project, closing(project.vault()) as vault:
        assert ("ana.fdouble" in vault.names()) is (there is not None)
        assert there is None or vault.open("ana.fdouble").read() == there
        assert not verify(three, keyring_of(three)).notes
        vault.hold()
        named = {vault.blob(name).id for name in vault.names()} | evidence.blob_ids(evidence.items(project.db))
        assert set(vault.blobs.ids()) == named and not list((three / "blobs").rglob(".*"))
        assert there is None or vault.open("ana.fdouble").read() == there


def test_a_table_that_is_half_written_belongs_to_who_works_in_the_project(tmp_path: Path) -> None:
    """Other commands open the project meanwhile; what a crash left goes when the next one begins to work."""
    film = tmp_path / "film"
    part, page = film / f".{INDEX}.123.part", film / ".facedouble.toml.123.part"
    with a_project(film) as project, closing(project.vault()) as vault:
        vault.hold()
        for path in (part, page):
            path.write_bytes(b"half")
        Project.open(film, keyring_of(film)).close()
        project.record("scene watched", {"scene": "s1"})
        assert part.exists() and not page.exists()
    with Project.open(film, keyring_of(film)) as project, closing(project.vault()) as vault:
        assert part.exists()
        vault.hold()
    assert not part.exists()


KILLED = """
import os, sys, threading, time
from pathlib import Path
from facedouble.store.vault import Keys
keys = Keys(Path(sys.argv[1]), sys.argv[2], (sys.argv[3],))
vault = keys.open()
threading.Timer(float(sys.argv[4]), lambda: os.kill(os.getpid(), 9)).start()
n = 0
while True:
    for name in ("a", "b"):
        draft = vault.draft(name, True)
        draft.write(bytes([n % 256]) * 300_000)
        draft.commit()
        draft.drop()
    n += 1
"""


def test_killed_at_any_moment_each_file_is_whole(keys: Keys) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    for k in range(10):
        words = [str(keys.folder), keys.recipient, keys.identities[0], str(0.05 + 0.013 * k)]
        subprocess.run([sys.executable, "-c", KILLED, *words], env=environment, check=False)
        vault = keys.open()
        for name in vault.names():
            with vault.open(name) as file:
                data = file.read()
            assert len(data) == 300_000 and len(set(data)) == 1
        vault.remove("a") if "a" in vault.names() else None
        vault.close()
