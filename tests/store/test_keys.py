"""Each holder opens the project with a key of their own, and age alone opens it with the same."""

from __future__ import annotations

import base64
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pyrage
import pytest

from facedouble.age.sealing import seal
from facedouble.errors import StoreError, UsageError
from facedouble.store import holders, keys
from facedouble.store.keys import Keyring, Secret
from facedouble.store.project import Project
from facedouble.store.verify import verify
from tests.store.make import a_project, an_identity, keyring_of

PHRASE = "otter velvet cinnamon ladder quiet marsh"


@pytest.fixture
def film(tmp_path: Path) -> Path:
    a_project(tmp_path / "film").close()
    return tmp_path / "film"


def add_by_recipient(film: Path, holder: str) -> None:
    with Project.open(film, keyring_of(film)) as project:
        holders.add(project, holder, Secret(recipient=an_identity(film.parent / f"{holder}.id")))


def test_a_passphrase_opens_and_a_wrong_one_always_says_the_same(film: Path) -> None:
    """Two seconds and half a gigabyte each time, so it is tried here only."""
    with Project.open(film, keyring_of(film)) as project:
        holders.add(project, "ana", Secret(passphrase=PHRASE))
        blob = seal(b"footage", (project.recipient,))
    ana = keys.unlock(film / "keys", PHRASE)
    assert ana.holder == "ana" and ana.unseal(blob) == b"footage"
    Project.open(film, ana).close()
    said = set()
    for phrase, holder in ((PHRASE + "e", None), ("", "ana"), (PHRASE, "noor"), (PHRASE, "nobody")):
        with pytest.raises(StoreError) as raised:
            keys.unlock(film / "keys", phrase, holder)
        said.add(str(raised.value))
    (film / "keys" / "ana.age").write_bytes((film / "keys" / "ana.age").read_bytes()[:-1])
    with pytest.raises(StoreError) as raised:
        keys.unlock(film / "keys", PHRASE)
    assert {*said, str(raised.value)} == {keys.CLOSED} and PHRASE not in keys.CLOSED


def test_an_identity_file_that_fits_nothing_says_the_same(film: Path) -> None:
    an_identity(film.parent / "eve.id")
    with pytest.raises(StoreError, match=keys.CLOSED):
        keys.unlock_with(film / "keys", film.parent / "eve.id")
    (film.parent / "no.id").write_text("AGE-SECRET-KEY-1NONSENSE\n")
    for name in ("no.id", "none.id"):
        with pytest.raises(StoreError, match="age identity file"):
            keys.unlock_with(film / "keys", film.parent / name)


def test_age_alone_opens_what_the_key_file_holds(film: Path) -> None:
    """`age -d keys/noor.age > id; age -d -i id blob`, also after the key was changed: with what came later."""
    def identities(*names: str) -> list[pyrage.x25519.Identity]:
        mine = [pyrage.x25519.Identity.from_str((film.parent / "noor.id").read_text().splitlines()[1])]
        for name in names:
            text = pyrage.decrypt((film / "keys" / name).read_bytes(), mine).decode()
            mine += [pyrage.x25519.Identity.from_str(line) for line in text.splitlines() if not line.startswith("#")]
        return mine[1:]

    with Project.open(film, keyring_of(film)) as project:
        old = seal(b"footage", (project.recipient,))
        assert pyrage.decrypt(old, identities("noor.age")) == b"footage"
        holders.rotate(project)
        new = seal(b"more footage", (project.recipient,))
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(new, identities("noor.age"))
    both = identities("noor.age", "noor.more.age")
    assert (pyrage.decrypt(old, both), pyrage.decrypt(new, both)) == (b"footage", b"more footage")
    registry = next((film / "registry").iterdir()).read_bytes()
    assert pyrage.decrypt(registry, both).startswith(b"SQLite format 3\0")


def test_holders_are_added_and_open_everything(film: Path) -> None:
    with Project.open(film, keyring_of(film)) as project:
        old = seal(b"footage", (project.recipient,))
    add_by_recipient(film, "ben")
    ben = keyring_of(film, "ben")
    assert ben.unseal(old) == b"footage" and ben.signing != keyring_of(film).signing
    with Project.open(film, ben) as project:
        assert list(project.log.holders) == ["noor", "ben"] and project.log.last.actor == "noor"
        project.record("scene watched", {"scene": "s1"})
        assert project.log.last.actor == "ben"
        with pytest.raises(UsageError, match="already"):
            holders.add(project, "noor", Secret(passphrase=PHRASE))
        with pytest.raises(UsageError, match="no real name"):
            holders.add(project, "Ana K.", Secret(passphrase=PHRASE))


def test_a_holder_who_was_removed_reads_nothing_that_came_later(film: Path) -> None:
    for name in ("ben", "ana"):
        add_by_recipient(film, name)
    gone = keyring_of(film, "ben")
    with Project.open(film, keyring_of(film)) as project:
        old = seal(b"footage", (project.recipient,))
        holders.remove(project, "ben")
        new = seal(b"more footage", (project.recipient,))
        project.record("scene watched", {"scene": "s1"})
        for who in ("noor", "ben"):
            with pytest.raises(UsageError):
                holders.remove(project, who)
    assert gone.unseal(old) == b"footage"  # as he could have copied it
    with pytest.raises(StoreError, match="opens with none"):
        gone.unseal(new)
    with pytest.raises(StoreError, match="opens with none"):
        Project.open(film, gone)
    assert not list((film / "keys").glob("ben.*"))
    ana = keyring_of(film, "ana")  # was not there when the key changed
    assert ana.unseal(old) + ana.unseal(new) == b"footagemore footage"
    with Project.open(film, ana) as project:
        holders.remove(project, "noor")
        assert list(project.log.holders) == ["ana"]
    assert not verify(film, ana).alarms


def test_an_open_project_goes_on_when_somebody_else_changes_the_key(film: Path) -> None:
    add_by_recipient(film, "ben")
    with Project.open(film, keyring_of(film)) as one, Project.open(film, keyring_of(film, "ben")) as two:
        holders.rotate(one)
        two.record("scene watched", {"scene": "s1"})
        one.refresh()
        assert one.recipient == two.recipient == one.settings.recipient and one.log.last.actor == "ben"


def test_keys_are_changed_while_nobody_writes_files(film: Path) -> None:
    """Who works in the project, with a film that takes hours, goes on writing to the key that it began with."""
    add_by_recipient(film, "ben")
    with Project.open(film, keyring_of(film)) as one, Project.open(film, keyring_of(film)) as two:
        with closing(one.vault()) as vault:
            vault.hold()
            with pytest.raises(StoreError, match="works in this project; wait"):
                holders.remove(two, "ben")
            with pytest.raises(StoreError, match="works in this project; wait"):
                holders.rotate(two)
        holders.remove(two, "ben")


@pytest.mark.parametrize("written", [False, True])
def test_who_had_the_files_open_before_the_keys_were_changed_starts_again(film: Path, written: bool) -> None:
    """It writes nothing to the old key, and takes what was written to the new one for nothing that was altered."""
    with Project.open(film, keyring_of(film)) as one, Project.open(film, keyring_of(film)) as two, \
            closing(one.vault()) as before:
        holders.rotate(two)
        if written:
            with closing(two.vault()) as vault:
                vault.keep("a", vault.blobs.put(b"a film"))
            with pytest.raises(StoreError, match="start it again"):
                before.names()
        with pytest.raises(StoreError, match="start it again"):
            before.draft("b", False)
        one.refresh()
        with closing(one.vault()) as vault:
            vault.hold()
            assert vault.names() == ["a"] * written


def open_to(film: Path, *names: str) -> None:
    """Each of them opens the project, and reads what was sealed at any time; the log verifies."""
    for name in names:
        with Project.open(film, keyring_of(film, name)) as project:
            project.record("scene watched", {"scene": "s1"})
            assert set(project.keyring.recipients) == set(project.log.recipients) and list(project.log.holders) == list(names)
        assert not verify(film, keyring_of(film, name)).alarms


@pytest.mark.parametrize("second", ["rotate", "remove"])
def test_two_who_change_the_key_at_once_lock_nobody_out(film: Path, second: str) -> None:
    """Both have the project open; who comes second has not seen the first one's key."""
    for name in ("ben", "ana"):
        add_by_recipient(film, name)
    with Project.open(film, keyring_of(film)) as one, Project.open(film, keyring_of(film, "ben")) as two:
        holders.rotate(two)
        if second == "rotate":
            holders.rotate(one)
        else:
            holders.remove(one, "ana")
    open_to(film, "noor", "ben", *(["ana"] if second == "rotate" else []))


def test_who_is_added_while_somebody_changes_the_key_opens_the_project(film: Path) -> None:
    add_by_recipient(film, "ben")
    with Project.open(film, keyring_of(film)) as one, Project.open(film, keyring_of(film, "ben")) as two:
        holders.rotate(two)
        holders.add(one, "carol", Secret(recipient=an_identity(film.parent / "carol.id")))
    open_to(film, "noor", "ben", "carol")


@pytest.mark.parametrize("second", ["rotate", "remove"])
def test_who_was_added_meanwhile_gets_the_new_key(film: Path, second: str) -> None:
    add_by_recipient(film, "ben")
    with Project.open(film, keyring_of(film)) as one, Project.open(film, keyring_of(film, "ben")) as two:
        holders.add(two, "carol", Secret(recipient=an_identity(film.parent / "carol.id")))
        if second == "rotate":
            holders.rotate(one)
        else:
            holders.remove(one, "ben")
    open_to(film, "noor", *(["ben"] if second == "rotate" else []), "carol")


def test_who_came_or_went_meanwhile_is_told_and_nothing_changes(film: Path) -> None:
    for name in ("ben", "ana"):
        add_by_recipient(film, name)
    with Project.open(film, keyring_of(film)) as one, Project.open(film, keyring_of(film, "ben")) as two:
        holders.remove(two, "ana")
        with pytest.raises(UsageError, match="ana holds no key"):
            holders.remove(one, "ana")
        holders.rotate(one)  # and hands nothing down to her
        holders.add(two, "carol", Secret(recipient=an_identity(film.parent / "carol.id")))
        with pytest.raises(UsageError, match="carol holds a key already"):
            holders.add(one, "carol", Secret(recipient=an_identity(film.parent / "other.id")))
        assert [e.event for e in one.log.entries[3:]] == ["key removed", "keys rotated", "key added"]
    assert {path.name.split(".")[0] for path in (film / "keys").iterdir()} == {"noor", "ben", "carol"}
    open_to(film, "noor", "ben", "carol")


def test_a_crash_while_the_key_changes_leaves_the_old_or_the_new_one(film: Path) -> None:
    """Killed after each write of a removal, in a process of its own."""
    add_by_recipient(film, "ben")
    code = """
import os, signal, sys
from pathlib import Path
from facedouble.store import files, holders
from facedouble.store.project import Project
from tests.store.make import keyring_of
folder, left = Path(sys.argv[1]), [int(sys.argv[2])]
project, sync = Project.open(folder, keyring_of(folder)), files.sync
def count(place):
    sync(place)
    left[0] -= 1
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)
files.sync = count
holders.remove(project, "ben")
"""
    ended = []
    for step in range(1, 12):
        with Project.open(film, keyring_of(film)) as project:
            if "ben" not in project.log.holders:
                holders.add(project, "ben", Secret(recipient=an_identity(film.parent / "ben.id")))
        done = subprocess.run([sys.executable, "-c", code, str(film), str(step)], check=False, capture_output=True, text=True)
        ended.append(done.returncode)
        assert done.returncode in (0, -9), done.stderr
        with Project.open(film, keyring_of(film)) as project:
            project.record("scene watched", {"scene": "s1"})
            kept = {path.name.split(".")[0] for path in (film / "keys").iterdir()}
            assert kept == set(project.log.holders) and project.settings.recipient == project.log.recipient
        assert not verify(film, keyring_of(film)).alarms
    assert ended[:4] == [-9] * 4 and ended[-1] == 0


def test_a_change_of_keys_that_failed_leaves_a_key_that_counts_for_nothing(film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It reached the holders' files, and no entry of the log names it."""
    def full(*_: object) -> None:
        raise StoreError("the disk is full")

    with Project.open(film, keyring_of(film)) as project:
        before = project.keyring.identities
        with monkeypatch.context() as disk, pytest.raises(StoreError, match="full"):
            disk.setattr("facedouble.store.registry.write", full)
            holders.rotate(project)
        assert len(keyring_of(film).identities) == 2
        project.refresh()
        assert project.keyring.identities == before
        holders.rotate(project)
    open_to(film, "noor")
    assert len(keyring_of(film).identities) == 2


@pytest.mark.parametrize("text", [b"AGE-SECRET-KEY-1NONSENSE", b"\xff", None])
def test_later_keys_that_are_none_are_refused(film: Path, text: bytes | None) -> None:
    with Project.open(film, keyring_of(film)) as project:
        sealed = b"no age file" if text is None else seal(text, (project.log.holders["noor"].own,))
    (film / "keys" / "noor.more.age").write_bytes(sealed)
    with pytest.raises(StoreError, match="was altered"):
        keyring_of(film)


def test_files_of_nobody_go_and_what_is_not_ours_stays(film: Path) -> None:
    for name in ("eve.age", "eve.more.age", "eve.toml", "noor.id", "README"):
        (film / "keys" / name).write_bytes(b"x")
    Project.open(film, keyring_of(film)).close()
    assert {p.name for p in (film / "keys").iterdir()} == {"noor.age", "noor.toml", "noor.id", "README"}
    with pytest.raises(StoreError, match="is the disk there"):
        keys.keep_only(film.parent / "pulled", {"noor"})


@pytest.mark.parametrize(("phrase", "why"), [("kiosk-7", "too short"), ("aaaaaaaaaaaaaaaaaaaaaaaa", "too easy"),
                                             ("password1234567890", "too easy"), ("qwertyuiopasdfghjkl", "too easy")])
def test_a_weak_passphrase_is_refused_and_says_why(phrase: str, why: str) -> None:
    with pytest.raises(UsageError, match=why) as raised:
        keys.check_passphrase(phrase)
    assert phrase not in str(raised.value)


def test_a_passphrase_that_is_made_is_nine_words_and_strong() -> None:
    made = [keys.new_passphrase() for _ in range(20)]
    assert len(set(made)) == 20 and {len(phrase.split()) for phrase in made} == {9}
    for phrase in (*made, PHRASE, PHRASE * 3):
        keys.check_passphrase(phrase)


@pytest.mark.parametrize("recipient", ["age1x", "ssh-ed25519 AAAA", "AGE-SECRET-KEY-1", ""])
def test_what_is_no_recipient_is_refused(recipient: str) -> None:
    with pytest.raises(UsageError, match="no age recipient"):
        Secret(recipient=recipient)


def test_a_keyring_shows_nothing_and_survives_a_pipe() -> None:
    keyring = keys.new_keyring("noor")
    shown = repr(keyring) + repr(Secret(passphrase=PHRASE))
    assert "noor" in shown
    for hidden in (keyring.identities[0], keyring.own, keyring.signing.hex(), base64.b64encode(keyring.signing).decode(),
                   repr(keyring.signing), PHRASE):
        assert hidden not in shown
    assert Keyring.unpacked(keyring.packed()) == keyring
