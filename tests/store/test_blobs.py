"""Blobs are whole or not there, and nobody puts one in another's place unnoticed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pyrage
import pytest

from facedouble import disk
from facedouble.age.sealing import generate
from facedouble.errors import StoreError
from facedouble.store.blobs import Blob, Blobs

IDENTITY, RECIPIENT = generate()


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path / "blobs", [RECIPIENT], [IDENTITY])


def test_what_is_put_comes_back_and_age_alone_opens_it(blobs: Blobs) -> None:
    blob = blobs.put(b"a note")
    assert blobs.read(blob) == b"a note" and blob.size == 6 and blobs.ids() == [blob.id]
    path = blobs.path(blob.id)
    assert path == blobs.folder / blob.id[:2] / f"{blob.id}.age"
    assert path.stat().st_mode & 0o777 == 0o600
    assert pyrage.decrypt(path.read_bytes(), [pyrage.x25519.Identity.from_str(IDENTITY)]) == b"a note"


def test_until_its_commit_there_is_no_blob_and_nothing_in_the_clear(blobs: Blobs) -> None:
    with blobs.new() as out:
        out.write(b"canary " * 100_000)
        assert blobs.ids() == []
        hidden = [p for p in blobs.folder.rglob("*") if p.is_file()]
        assert len(hidden) == 1 and b"canary" not in hidden[0].read_bytes() and hidden[0].name.startswith(".")
    assert [p for p in blobs.folder.rglob("*") if p.is_file()] == []
    with pytest.raises(RuntimeError), blobs.new() as out:
        out.write(b"x")
        raise RuntimeError
    assert [p for p in blobs.folder.rglob("*") if p.is_file()] == []


def test_another_blob_in_its_place_is_refused(blobs: Blobs) -> None:
    one, two = blobs.put(b"one"), blobs.put(b"two")
    shutil.copy(blobs.path(two.id), blobs.path(one.id))
    for use in (blobs.open, blobs.lend, blobs.read, blobs.sealed):
        with pytest.raises(StoreError, match="another file was put in its place"):
            use(one)
    with pytest.raises(StoreError, match="size"):
        blobs.open(Blob(two.id, two.size + 1, two.mac))


@pytest.mark.parametrize("what", ["cut", "longer", "bit", "gone", "link", "empty"])
def test_an_altered_blob_is_refused(blobs: Blobs, what: str) -> None:
    blob = blobs.put(b"something that is long enough")
    path = blobs.path(blob.id)
    data = bytearray(path.read_bytes())
    path.unlink()
    if what == "cut":
        path.write_bytes(data[:-1])
    elif what == "longer":
        path.write_bytes(bytes(data) + b"x")
    elif what == "bit":
        data[-1] ^= 1
        path.write_bytes(data)
    elif what == "link":
        (blobs.folder / "elsewhere").write_bytes(data)
        path.symlink_to(blobs.folder / "elsewhere")
    elif what == "empty":
        path.touch()
    with pytest.raises(StoreError, match=blob.id):
        blobs.read(blob)


def test_a_child_gets_one_blob_and_no_key_of_the_project(blobs: Blobs) -> None:
    blob, other = blobs.put(b"mine" * 50_000), blobs.put(b"not mine")
    lent = blobs.lend(blob)
    assert lent.key is not None and IDENTITY not in repr(lent) and lent.key.hex() not in repr(lent)
    with disk.borrowed(lent) as file:
        assert file.read() == b"mine" * 50_000
    with blobs.sealed(other) as sealed, pytest.raises(StoreError):
        disk.borrowed(disk.Lent(os.dup(sealed.fileno()), lent.key, lent.start)).read()


def test_without_a_key_blobs_are_written_and_not_read(blobs: Blobs) -> None:
    field = Blobs(blobs.folder, [RECIPIENT])
    blob = field.put(b"from the field")
    with pytest.raises(StoreError, match="not made for this key"):
        field.read(blob)
    assert blobs.read(blob) == b"from the field"


def test_a_blob_that_is_prepared_waits_until_it_is_known_or_goes(blobs: Blobs) -> None:
    with blobs.new() as one, blobs.new() as two:
        one.write(b"known")
        two.write(b"not known")
        known, other = one.prepare(), two.prepare()
    assert blobs.ids() == []  # as a crash would leave them
    blobs.settle({known.id})
    assert blobs.ids() == [known.id] and blobs.read(known) == b"known"
    assert not list(blobs.folder.glob("??/.*")) and other.id not in blobs.ids()


def test_removed_and_left_over_ones(blobs: Blobs) -> None:
    blob = blobs.put(b"x")
    blobs.remove(blob.id)
    blobs.remove(blob.id)
    assert blobs.ids() == []
    part = blobs.folder / "ab" / f".{'ab' * 16}.part"
    part.parent.mkdir(exist_ok=True)
    part.write_bytes(b"half")
    blobs.settle()
    assert not part.exists()
    with pytest.raises(ValueError):
        blobs.path("../../etc/passwd")


def test_a_file_larger_than_what_is_allowed_is_told_in_one_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    """RLIMIT_FSIZE stands for the full disk: the system says no in the middle of the writing."""
    code = f"""
import resource, signal, sys
from pathlib import Path
from facedouble.errors import StoreError
from facedouble.store.blobs import Blobs
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
try:
    with Blobs(Path({str(tmp_path / "blobs")!r}), [{RECIPIENT!r}]).new() as out:
        for _ in range(30):
            out.write(bytes(100_000))
        out.commit()
except StoreError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "cannot be written (File too large)" in done.stdout
    assert [p for p in (tmp_path / "blobs").rglob("*") if p.is_file()] == []


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "blobs").write_text("a file is in the way")
    with pytest.raises(StoreError, match="cannot be written"):
        Blobs(tmp_path / "blobs", [RECIPIENT]).put(b"x")
