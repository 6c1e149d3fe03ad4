"""After a key was taken away, everything can be encrypted once more; a holder who was removed then opens none of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyrage
import pytest

from facedouble import disk
from facedouble.errors import StoreError
from facedouble.publish import write_new
from facedouble.store import evidence, holders
from facedouble.store.again import encrypt_again
from facedouble.store.blobs import Blobs
from facedouble.store.intake import add, taking
from facedouble.store.keys import Keyring, Secret
from facedouble.store.project import Project
from facedouble.store.proof import verify
from facedouble.store.vault import Keys
from tests.store.make import a_project, an_identity, keyring_of


@pytest.fixture
def film(tmp_path: Path) -> Path:
    folder = tmp_path / "film"
    with a_project(folder) as project:
        holders.add(project, "ben", Secret(recipient=an_identity(tmp_path / "ben.id")))
        vault = Keys(folder, project.recipient, project.keyring.identities).open()
        disk.mount(folder, vault)
        for k in range(3):
            write_new(folder / f"notes/{k}.json", b"x" * 70_000 * k)
        disk.give_name(folder / "notes/1.json", folder / "twice.json")
        vault.keep("footage/a.mp4", vault.blobs.put(b"original"))
        vault.close()
        disk.unmount(folder)
    return folder


def opened(folder: Path, keyring: Keyring) -> Iterator[bool]:
    """Whether the keys open each blob and the table."""
    for path in [*folder.glob("blobs/*/*.age"), folder / "index.age"]:
        try:
            keyring.unseal(path.read_bytes())
            yield True
        except StoreError:
            yield False


def contents(folder: Path, keyring: Keyring) -> dict[str, bytes]:
    vault = Keys(folder, keyring.recipients[0], keyring.identities).open()
    return {name: vault.open(name).read() for name in vault.names()}


def test_a_holder_who_was_removed_opens_nothing_afterwards(film: Path) -> None:
    gone = keyring_of(film, "ben")
    before = contents(film, gone)
    assert len(before) == 5 and before["footage/a.mp4"] == b"original"
    with Project.open(film, keyring_of(film)) as project:
        holders.remove(project, "ben")
        assert set(opened(film, gone)) == {True}
        told: list[tuple[int, int]] = []
        assert encrypt_again(project, lambda *count: told.append(count)) == 4
        assert told == [(k, 4) for k in range(1, 5)]
        assert list(opened(film, gone)) == [False] * 5
        assert contents(film, project.keyring) == before
        newest = [pyrage.x25519.Identity.from_str(project.keyring.identities[0])]
        for path in film.glob("blobs/*/*.age"):
            pyrage.decrypt(path.read_bytes(), newest)


def test_stopped_in_the_middle_everything_can_be_read(film: Path) -> None:
    before = contents(film, keyring_of(film))

    def stop(count: int, _: int) -> None:
        if count == 2:
            raise KeyboardInterrupt

    with Project.open(film, keyring_of(film)) as project:
        holders.rotate(project)
        with pytest.raises(KeyboardInterrupt):
            encrypt_again(project, stop)
        assert contents(film, project.keyring) == before
        encrypt_again(project, lambda *_: None)
        assert contents(film, project.keyring) == before and len(list(film.glob("blobs/*/*.age"))) == 4


def test_footage_is_still_what_was_handed_over(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"original" * 10_000)
    with a_project(tmp_path / "film") as project:
        with taking(project) as vault:
            item, _ = add(project, vault, tmp_path / "a.mp4", "footage", "her brother")
        holders.rotate(project)
        encrypt_again(project, lambda *_: None)
        (now,) = evidence.items(project.db)
        assert now.blob.id != item.blob.id and now.commitment == item.commitment and now.note != item.note
        assert list(verify(project)) == [(item.id, "")]
        blobs = Blobs(project.folder / "blobs", (project.recipient,), project.keyring.identities[:1])  # the newest key alone
        assert now.note is not None and blobs.read(now.note) == b"her brother"
        assert len(blobs.read(now.blob)) == 80_000 and blobs.path(now.blob.id).stat().st_mode & 0o777 == 0o400


@pytest.mark.parametrize("step", ["evidence.move", "blobs.BlobWriter.publish", "vault.Vault.keep", "blobs.Blobs.remove"])
def test_killed_between_two_steps_nothing_stays_under_the_old_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                                            step: str) -> None:
    """After the copy, after the manifest names it, before what is old goes. The next time finishes it."""
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    film = tmp_path / "film"
    (tmp_path / "a.mp4").write_bytes(b"original" * 10_000)
    with a_project(film) as project:
        with taking(project) as vault:
            add(project, vault, tmp_path / "a.mp4", "footage", "her brother")
        holders.rotate(project)
        with monkeypatch.context() as stopped, pytest.raises(KeyboardInterrupt):
            stopped.setattr(f"facedouble.store.{step}", killed)
            encrypt_again(project, lambda *_: None)
    with Project.open(film, keyring_of(film)) as project:
        assert [said for _, said in verify(project)] == [""]
        holders.rotate(project)
        encrypt_again(project, lambda *_: None)
        (now,) = evidence.items(project.db)
        assert project.vault().blob("footage/a.mp4") == now.blob and now.note is not None
        assert set(project.vault().blobs.ids()) == {now.blob.id, now.note.id}  # and nothing twice
        blobs = Blobs(film / "blobs", (), project.keyring.identities[:1])
        assert (len(blobs.read(now.blob)), blobs.read(now.note)) == (80_000, b"her brother")
