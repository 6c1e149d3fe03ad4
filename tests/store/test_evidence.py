"""What is handed over comes in whole or not at all, stays what it was, and can be checked by others."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pyrage
import pytest

from facedouble.age.sealing import unseal
from facedouble.errors import InputRefused, StoreError
from facedouble.publish import name_new
from facedouble.store import evidence, intake, log, remembered
from facedouble.store.evidence import Item
from facedouble.store.export import _member, _place, export
from facedouble.store.project import Project, create_field
from facedouble.store.proof import verify
from facedouble.store.receive import Received, receive
from facedouble.store.vault import Draft, Vault
from tests.store.make import a_project, an_identity, keyring_of

ROOT = Path(__file__).resolve().parents[2]
CANARY = b"CANARY-footage-51c7"
NAME, WHOM = "Canary Street 7 Interview.MP4", "canary cousin at the corner"


@pytest.fixture
def card(tmp_path: Path) -> Path:
    """A card with footage."""
    (tmp_path / "card").mkdir()
    (tmp_path / "card" / NAME).write_bytes(CANARY * 30_000 + b"one")
    (tmp_path / "card" / "two.mov").write_bytes(b"two" * 100_000)
    return tmp_path / "card"


@pytest.fixture
def film(tmp_path: Path) -> Path:
    a_project(tmp_path / "film").close()
    return tmp_path / "film"


@pytest.fixture
def field(tmp_path: Path, film: Path) -> Path:
    with opened(film) as project:
        create_field(tmp_path / "field", project.recipient).close()
    return tmp_path / "field"


def opened(film: Path) -> Project:
    return Project.open(film, keyring_of(film))


def added(film: Path, *paths: Path, note: str = "", kind: str = "footage", keyless: bool = False) -> list[Item]:
    with Project.open(film, None) if keyless else opened(film) as project, intake.taking(project) as vault:
        return [intake.add(project, vault, path, kind, note)[0] for path in paths]


def received(film: Path, field: Path) -> list[Received]:
    with opened(film) as project, intake.taking(project) as vault:
        assert vault is not None
        return list(receive(project, vault, field))


def wrong(film: Path) -> dict[str, str]:
    with Project.open(film, keyring_of(film), write=False) as project:
        return {id: said for id, said in verify(project) if said}


def alter(path: Path, other: Path, what: str) -> None:
    path.chmod(0o600)
    data = bytearray(path.read_bytes())
    data[-20] ^= 1
    if what in ("bit", "manifest"):
        path.write_bytes(data)
    elif what == "cut":
        os.truncate(path, len(data) - 1)
    elif what == "gone":
        path.unlink()
    else:
        shutil.copyfile(other, path)


@contextmanager
def disk_of(vault: Vault, name: str) -> Iterator[Draft]:
    draft = vault.draft(name, False)
    yield draft
    draft.drop()


def on_disk(film: Path) -> list[Path]:
    return [p for p in film.rglob("*") if p.is_file()]


def blobs(film: Path) -> list[Path]:
    return [p for p in (film / "blobs").rglob("*") if p.is_file()]


def test_what_is_added_is_kept_bit_for_bit_and_entered(film: Path, card: Path) -> None:
    data = (card / NAME).read_bytes()
    (item,) = added(film, card / NAME, note=WHOM, kind="trophy")
    assert (item.sha256, item.sha512_256) == (hashlib.sha256(data).hexdigest(), hashlib.new("sha512_256", data).hexdigest())
    assert (item.kind, item.name, item.shelf) == ("trophy", NAME, "Canary-Street-7-Interview.MP4")
    with opened(film) as project, intake.taking(project) as vault:
        assert vault is not None and vault.names() == ["footage/Canary-Street-7-Interview.MP4"]
        with vault.open(vault.names()[0]) as file:
            assert file.read() == data
        assert item.note is not None and vault.blobs.read(item.note) == WHOM.encode()
        with pytest.raises(StoreError, match="nothing changes or removes it"):
            vault.remove(vault.names()[0])
        entry = project.log.last
        assert entry.event == "footage added"
        assert entry.facts == {"evidence": item.id, "blob": item.blob.id, "commitment": item.commitment, "kind": "trophy"}
        assert item.commitment == hashlib.sha256((item.salt + item.sha256).encode()).hexdigest()
    assert (film / "blobs" / item.blob.id[:2] / f"{item.blob.id}.age").stat().st_mode & 0o777 == 0o400
    assert not wrong(film)


def test_nothing_of_it_lies_readable_in_the_project(film: Path, card: Path) -> None:
    (item,) = added(film, card / NAME, note=WHOM)
    for path in on_disk(film):
        data = path.read_bytes()
        for canary in (CANARY, CANARY[:12], b"Canary", WHOM.encode(), item.sha256.encode(), bytes.fromhex(item.sha256)):
            assert canary not in data, path
    with opened(film) as project:  # and not even who can read the log learns of the file from it
        told = json.dumps([dict(e.facts) for e in project.log.entries])
        assert item.sha256 not in told and "Canary" not in told and str(item.blob.size) not in told


def test_the_same_bytes_are_taken_in_once(film: Path, card: Path) -> None:
    shutil.copy(card / NAME, card / "another name.mp4")
    first = added(film, card / NAME, card / "another name.mp4")
    assert first[0] == first[1] == added(film, card / NAME)[0]
    assert len(blobs(film)) == 1
    (card / "sub").mkdir()
    (card / "sub" / NAME).write_bytes(b"others under the same name")
    assert added(film, card / "sub" / NAME)[0].shelf == "Canary-Street-7-Interview-2.MP4"


@pytest.mark.parametrize("what", ["empty", "folder", "gone", "link", "fifo"])
def test_what_is_no_footage_is_refused_and_leaves_nothing(film: Path, card: Path, what: str) -> None:
    path = card / what
    if what == "empty":
        path.touch()
    elif what == "folder":
        path.mkdir()
    elif what == "link":
        path.symlink_to(card / NAME)
    elif what == "fifo":
        os.mkfifo(path)
    before = sorted(on_disk(film))
    with pytest.raises(InputRefused, match=str(path)):
        added(film, path)
    assert [p for p in sorted(on_disk(film)) if "lock" not in p.name] == [p for p in before if "lock" not in p.name]


def test_a_file_that_is_still_written_is_refused(film: Path, card: Path) -> None:
    def more(done: int, _total: int) -> None:
        with open(card / "two.mov", "ab") as file:
            file.write(b"more")

    with opened(film) as project, intake.taking(project) as vault:
        with pytest.raises(InputRefused, match="changed while it was read"):
            intake.add(project, vault, card / "two.mov", "footage", progress=more)
        assert evidence.items(project.db) == [] and blobs(film) == []


@pytest.mark.parametrize(("name", "shelf"), [
    ("a.mp4", "a.mp4"), ("-rf", "rf"), ("%s%n", "s-n"), ("<script>.mp4", "script.mp4"), ("\u202egnp.mp4", "gnp.mp4"),
    ("new\nline.MOV", "new-line.MOV"), ("...", "footage"), ("😀.mp4", "footage.mp4"), ("интервью.mp4", "интервью.mp4"),
    ("x" * 255, "x" * 80), ("a.b c", "a-b-c"),
])
def test_names_are_made_so_that_nothing_misreads_them(name: str, shelf: str) -> None:
    assert evidence.shelf_name(name, []) == shelf
    assert evidence.shelf_name(name, [shelf.upper()]) != shelf


@pytest.mark.parametrize("what", ["bit", "cut", "gone", "swapped"])
def test_verify_tells_what_differs(film: Path, card: Path, what: str) -> None:
    one, two = added(film, card / NAME, card / "two.mov")
    path, other = (film / "blobs" / i.blob.id[:2] / f"{i.blob.id}.age" for i in (one, two))
    alter(path, other, what)
    found = wrong(film)
    assert list(found) == [one.id] and found[one.id]


def test_verify_compares_manifest_and_log(film: Path, card: Path) -> None:
    one, two = added(film, card / NAME, card / "two.mov")
    with opened(film) as project, project.change("x", {}) as db:  # as somebody with the key could
        db.execute("DELETE FROM evidence WHERE id = ?", (one.id,))
        db.execute("UPDATE evidence SET record = ? WHERE id = ?", (Item(**{**vars(two), "salt": "0" * 64}).packed(), two.id))
    found = wrong(film)
    assert "manifest does not know it" in found[one.id] and "committed itself to other bytes" in found[two.id]


def test_verify_looks_at_what_the_project_calls_the_footage(film: Path, card: Path) -> None:
    """Under the footage's name, which is what is rendered, somebody with the key left other bytes."""
    one, two = added(film, card / NAME, card / "two.mov")
    with opened(film) as project, closing(project.vault()) as vault:
        vault.hold()
        vault.keep(f"footage/{one.shelf}", vault.blobs.put(b"other footage"))
        again = vault.blobs.put((card / "two.mov").read_bytes())  # the same, as after a crash while it was encrypted once more
        vault.keep(f"footage/{two.shelf}", again)
    found = wrong(film)
    assert list(found) == [one.id] and "the project calls other bytes footage/" in found[one.id]


def test_the_export_is_checked_with_age_tar_sha256sum_and_openssl_alone(film: Path, card: Path, tmp_path: Path) -> None:
    one, _ = added(film, card / NAME, card / "two.mov", note=WHOM)
    to = an_identity(tmp_path / "court.id")
    with opened(film) as project:
        chain = [e.digest for e in project.log.entries]
        assert len(export(project, tmp_path / "court.age", to)) == 2
    identity = pyrage.x25519.Identity.from_str((tmp_path / "court.id").read_text().split("\n")[1])
    data = pyrage.decrypt((tmp_path / "court.age").read_bytes(), [identity])
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        for member in tar.getmembers():
            assert (member.uid, member.gid, member.uname, member.gname, member.mtime) == (0, 0, "", "", 0)
        tar.extractall(tmp_path / "out", filter="data")
    out = tmp_path / "out"
    assert subprocess.run(["sha256sum", "-c", "--strict", "--quiet", "SHA256SUMS"], cwd=out, check=False).returncode == 0
    sums = (out / "SHA256SUMS").read_text()
    assert f"{one.sha256}  originals/{one.id}.mp4\n" in sums and "manifest.json" in sums and "log.json" in sums
    check = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "signer.pem", "-rawin", "-in", "SHA256SUMS", "-sigfile",
             "SHA256SUMS.sig"]
    if shutil.which("openssl"):
        assert subprocess.run(check, cwd=out, check=False, capture_output=True).returncode == 0
        (out / "SHA256SUMS").write_text(sums.replace(one.sha256[:4], "0000"))
        assert subprocess.run(check, cwd=out, check=False, capture_output=True).returncode != 0
    told = json.loads((out / "log.json").read_text())
    assert [c["sha256"] for c in told["chain"]] == chain and log.words(chain[-1]) in (out / "README.txt").read_text()
    mine = next(i for i in json.loads((out / "manifest.json").read_text())["evidence"] if i["id"] == one.id)
    entry = json.loads(next(e for e in told["entries"] if one.id in e["entry"])["entry"])
    summed = subprocess.run(["sha256sum"], input=(mine["salt"] + mine["sha256"]).encode(), capture_output=True, check=True)
    assert summed.stdout.decode().split()[0] == entry["facts"]["commitment"]
    said = b"".join(p.read_bytes() for p in out.iterdir() if p.is_file())
    assert b"Canary" not in said and WHOM.encode() not in said  # a name may lead to whoever handed it over


def test_an_export_of_one_file_only(film: Path, card: Path, tmp_path: Path) -> None:
    one, two = added(film, card / NAME, card / "two.mov")
    with opened(film) as project:
        export(project, tmp_path / "one.age", project.recipient, only=[two.id])
        with tarfile.open(fileobj=io.BytesIO(unseal((tmp_path / "one.age").read_bytes(), project.keyring.identities))) as tar:
            names = tar.getnames()
    assert f"originals/{two.id}.mov" in names and not any(one.id in n for n in names)


def test_an_export_is_in_the_log_before_it_has_a_name(film: Path, card: Path, tmp_path: Path,
                                                      monkeypatch: pytest.MonkeyPatch) -> None:
    """Which files, and who. One that got no name after all is said to be undone; a second export does not mind the first."""
    one, two = added(film, card / NAME, card / "two.mov")
    seen: list[str] = []

    def watched(part: Path, out: Path) -> None:
        with opened(film) as project:
            seen.append(project.log.last.event)
        if out.name == "full.age":
            raise OSError(28, "No space left on device")
        name_new(part, out)

    monkeypatch.setattr("facedouble.store.export.name_new", watched)
    with opened(film) as project:
        before = project.log.n
        for only, name in (((two.id,), "one.age"), ((), "all.age")):
            export(project, tmp_path / name, project.recipient, only=only)
        with pytest.raises(StoreError, match="No space"):
            export(project, tmp_path / "full.age", project.recipient)
        first, second, third, undone = project.log.entries[before:]
    assert seen == ["exported"] * 3 and not (tmp_path / "full.age").exists()
    assert (first.event, first.actor, first.facts["files"]) == ("exported", "noor", [two.id])
    assert set(second.facts["files"]) == {one.id, two.id}
    assert undone.event == "export undone" and undone.facts == {"export": third.facts["export"]}


def test_an_export_that_is_stopped_just_after_its_entry_is_undone_there(film: Path, card: Path, tmp_path: Path,
                                                                        monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C when the entry is on the disk, and the project in memory does not have it yet."""
    added(film, card / NAME)
    remember = remembered.remember

    def stopped(*given: Any) -> None:
        monkeypatch.setattr(remembered, "remember", remember)
        raise KeyboardInterrupt

    with opened(film) as project:
        before = project.log.n
        monkeypatch.setattr(remembered, "remember", stopped)
        with pytest.raises(KeyboardInterrupt):
            export(project, tmp_path / "court.age", project.recipient)
        assert [entry.event for entry in project.log.entries[before:]] == ["exported", "export undone"]
    assert not (tmp_path / "court.age").exists()


def test_an_export_takes_no_name_that_somebody_took_meanwhile(film: Path, card: Path, tmp_path: Path,
                                                              monkeypatch: pytest.MonkeyPatch) -> None:
    """On a stick that knows no links."""
    added(film, card / NAME)
    out, link = tmp_path / "court.age", os.link

    def without_links(part: Path, path: Path) -> None:
        if path != out:
            return link(part, path)
        out.write_text("mine")
        raise PermissionError(errno.EPERM, "no links")

    monkeypatch.setattr(os, "link", without_links)
    with opened(film) as project, pytest.raises(StoreError, match="exists already"):
        export(project, out, project.recipient)
    assert out.read_text() == "mine"


def test_originals_of_nine_gibibytes_can_be_exported(film: Path, card: Path, tmp_path: Path,
                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    """Its header only, which is all that knows the size."""
    (item,) = added(film, card / NAME)
    monkeypatch.setattr("facedouble.store.export._fill", lambda tar, *_: tar.addfile(_member(_place(item), 9 << 30)))
    made = []
    with opened(film) as project:
        for name in ("one.age", "two.age"):
            export(project, tmp_path / name, project.recipient)
            made.append(unseal((tmp_path / name).read_bytes(), project.keyring.identities))
    assert made[0] == made[1]
    with tarfile.open(fileobj=io.BytesIO(made[0])) as tar:
        member = tar.next()
    assert member is not None and (member.name, member.size, member.mtime) == (_place(item), 9 << 30, 0)
    listed = subprocess.run(["tar", "tvf", "-"], input=made[0], capture_output=True, check=False)  # and then misses the bytes
    assert f" {9 << 30} ".encode() in listed.stdout and _place(item).encode() in listed.stdout


def test_an_export_of_what_was_altered_or_to_a_wrong_place_leaves_nothing(film: Path, card: Path, tmp_path: Path) -> None:
    (one,) = added(film, card / NAME)
    to = an_identity(tmp_path / "court.id")
    before = sorted(tmp_path.iterdir())
    with opened(film) as project:
        entries = project.log.n
        for out, only, error in ((film / "x.age", [], StoreError), (tmp_path / "no" / "x.age", [], StoreError),
                                 (tmp_path / "x.age", ["e-00000000"], InputRefused), (tmp_path / "court.id", [], StoreError)):
            with pytest.raises(error):
                export(project, out, to, only=only)
        path = film / "blobs" / one.blob.id[:2] / f"{one.blob.id}.age"
        path.chmod(0o600)
        os.truncate(path, path.stat().st_size - 1)
        with pytest.raises(StoreError):
            export(project, tmp_path / "x.age", to)
        assert project.log.n == entries
    assert sorted(tmp_path.iterdir()) == before


def test_a_field_laptop_takes_in_what_it_cannot_read_and_the_film_receives_it(film: Path, field: Path, card: Path) -> None:
    added(field, card / NAME, card / "two.mov", note=WHOM, keyless=True)
    for path in on_disk(field):
        assert CANARY[:12] not in path.read_bytes() and b"Canary" not in path.read_bytes()
    with Project.open(field, None) as project, pytest.raises(StoreError, match="reads nothing"):
        list(verify(project))
    first = received(film, field)
    assert [r.item.name for r in first if r.item] == [NAME, "two.mov"] and not any(r.double or r.refused for r in first)
    assert received(film, field) == [] and not wrong(film)
    with opened(film) as project:
        (item, _) = evidence.items(project.db)
        assert item.note is not None and intake.blobs_of(project).read(item.note) == WHOM.encode()
        with intake.blobs_of(project).open(item.blob) as file:
            assert file.read() == (card / NAME).read_bytes()
        assert project.log.last.event == "footage received" and project.log.last.facts["field"]


def test_what_is_here_already_is_not_received_twice(film: Path, field: Path, card: Path) -> None:
    (mine,) = added(film, card / NAME)
    added(field, card / NAME, card / "two.mov", keyless=True)
    first, second = received(film, field)
    assert first.double and first.item == mine and not second.double
    assert len(blobs(film)) == 2


@pytest.mark.parametrize("gone", ["evidence", "blob", "manifest", "size"])
def test_an_entry_of_a_field_log_that_lacks_a_fact_is_refused_and_the_rest_received(film: Path, field: Path, card: Path,
                                                                                    gone: str) -> None:
    """Whoever has the field laptop can sign such a one."""
    added(field, card / NAME, keyless=True)
    facts = log.read(field / "log", keyring_of(film)).last.facts
    with Project.open(field, None) as project:
        project.record("footage added", {name: value for name, value in facts.items() if name != gone})
        project.record("footage added", {**facts, "size": None})
    added(field, card / "two.mov", keyless=True)
    first, second, third, last = received(film, field)
    assert first.item is not None and last.item is not None and not wrong(film)
    for one in (second, third):
        assert one.item is None and "names no manifest" in one.refused


@pytest.mark.parametrize("what", ["bit", "gone", "swapped", "manifest"])
def test_what_was_altered_on_the_way_is_refused_and_the_rest_received(film: Path, field: Path, card: Path, what: str) -> None:
    one, two = added(field, card / NAME, card / "two.mov", keyless=True)
    place = field / "blobs"
    path, other = (place / i.blob.id[:2] / f"{i.blob.id}.age" for i in (one, two))
    if what == "manifest":
        known = {i.blob.id for i in (one, two)}
        path = min((p for p in blobs(field) if p.stem not in known), key=lambda p: p.stat().st_mtime_ns)
    alter(path, other, what)
    first, second = received(film, field)
    assert first.item is None and first.refused and second.item is not None
    assert len(blobs(film)) == 1 and not wrong(film)


def test_a_field_log_that_was_cut_edited_or_replaced_is_refused(film: Path, field: Path, card: Path, tmp_path: Path) -> None:
    added(field, card / NAME, keyless=True)
    shutil.copytree(field, tmp_path / "older")
    added(field, card / "two.mov", keyless=True)
    received(film, field)
    with pytest.raises(StoreError, match="rolled back or altered"):
        received(film, tmp_path / "older")
    entries = sorted((field / "log").glob("*.age"))
    kept = entries[1].read_bytes()
    for data in (entries[2].read_bytes(), kept[:-1], kept[:-1] + bytes([kept[-1] ^ 1])):
        entries[1].write_bytes(data)
        with pytest.raises(StoreError):
            received(film, field)
    entries[1].unlink()
    with pytest.raises(StoreError, match="missing"):
        received(film, field)
    with pytest.raises(StoreError, match="no field project"):
        received(film, film)


def test_an_import_that_is_killed_leaves_a_project_that_opens_and_nothing_else(film: Path, card: Path) -> None:
    """Ten moments of an import of two files; the second import finishes or clears what the first left."""
    (card / "long.mov").write_bytes(random.Random(1).randbytes(3 << 20))
    code = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(ROOT)!r})
from tests.store.test_evidence import added
print("now", flush=True)
added(Path({str(film)!r}), Path({str(card / "long.mov")!r}), Path({str(card / "two.mov")!r}), note="from somebody")
"""
    moments, env = random.Random(2), {**os.environ, "PYTHONPATH": str(ROOT)}
    for _ in range(10):
        child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=env)
        assert child.stdout is not None and child.stdout.readline() == b"now\n"
        time.sleep(moments.uniform(0, 0.25))
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        assert not wrong(film)
    added(film, card / "long.mov", card / "two.mov", note="from somebody")
    with opened(film) as project, intake.taking(project) as vault:
        assert vault is not None and vault.names() == ["footage/long.mov", "footage/two.mov"]
        assert {p.stem for p in blobs(film)} == evidence.blob_ids(evidence.items(project.db))
    assert not wrong(film)


@pytest.mark.parametrize("limit", [1 << 20, 100_000, 3_000])
def test_a_disk_that_is_full_during_an_import_is_told_and_leaves_nothing(film: Path, card: Path, limit: int) -> None:
    """RLIMIT_FSIZE stands for it: in the footage, at its end, and in what comes after it."""
    (card / "long.mov").write_bytes(bytes(2 << 20 if limit == 1 << 20 else 1000))
    code = f"""
import resource, signal, sys
from pathlib import Path
sys.path.insert(0, {str(ROOT)!r})
from facedouble.errors import StoreError
from tests.store.test_evidence import added
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
try:
    added(Path({str(film)!r}), Path({str(card / "long.mov")!r}))
except StoreError as error:
    print(error)
"""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    full = "cannot be written" in done.stdout
    assert full or limit == 100_000, done.stdout
    with opened(film) as project, intake.taking(project):
        assert bool(evidence.items(project.db)) is not full
    assert len(blobs(film)) == (0 if full else 1) and not wrong(film)


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not on this machine")
def test_an_import_opens_no_other_file_for_writing(film: Path, card: Path, tmp_path: Path) -> None:
    code = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(ROOT)!r})
from tests.store.test_evidence import added
added(Path({str(film)!r}), Path({str(card / NAME)!r}), note="from somebody")
"""
    trace = tmp_path / "trace"
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run(["strace", "-f", "-qq", "-s", "300", "-e", "trace=open,openat,creat,memfd_create", "-o", str(trace),
                    sys.executable, "-c", code], env=env, check=True, capture_output=True)
    written = [line.split('"')[1] for line in trace.read_text().splitlines()
               if re.search("O_WRONLY|O_RDWR|O_CREAT|creat[(]|memfd", line) and " = -1 " not in line]
    allowed = (str(film), str(tmp_path / "state"), "/dev/")
    assert written and [path for path in written if not path.startswith(allowed)] == []


def test_what_a_crash_left_and_nothing_names_goes_when_somebody_works(film: Path, card: Path) -> None:
    """A whole film, or the measures of somebody who has just withdrawn. What the manifest alone names stays."""
    with opened(film) as stale:
        (item,) = added(film, card / NAME, note=WHOM)  # by another process, which has ended
        with closing(stale.vault()) as vault:
            vault.hold()
            with disk_of(vault, "film.measures") as draft:
                draft.write(b"her voice")
                draft.commit()
            measures = vault.blob("film.measures")
            vault.leave(vault.blobs.put(b"her face").id)
            with vault.blobs.new() as out:
                out.write(b"half")
                out.prepare()
        with closing(stale.vault()) as vault:
            vault.hold()
            assert item.note is not None and vault.blobs.read(item.note) == WHOM.encode()
            assert set(vault.blobs.ids()) == {item.blob.id, item.note.id, measures.id}
    assert {p.stem for p in blobs(film)} == {item.blob.id, item.note.id, measures.id}
    assert not wrong(film)


def test_two_imports_at_once_are_told_apart(film: Path) -> None:
    with opened(film) as one, opened(film) as two, intake.taking(one), \
            pytest.raises(StoreError, match="works in this project"), intake.taking(two):
        pass
