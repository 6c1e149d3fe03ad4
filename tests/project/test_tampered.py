"""Whoever alters the log, or puts back an older state of anything, is found out by the commands; nothing is released then."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from facedouble.age.sealing import seal
from facedouble.store.vault import Keys
from tests.project.desk import Desk
from tests.store.make import keyring_of

Tampering = Callable[[Path, Path], object]
"""What is done to a project; the second is the same project one entry earlier."""


def log(film: Path, back: int) -> Path:
    """An entry of the log; 0: the last."""
    return sorted((film / "log").iterdir())[-1 - back]


def after(film: Path) -> Path:
    """Where the next entry goes."""
    return film / "log" / f"{len(list((film / 'log').iterdir())) + 1:08d}.age"


def changed(path: Path, at: int) -> None:
    """One bit of a file."""
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def sealed_again(film: Path, path: Path, other: bytes) -> None:
    """By somebody who knows the recipient, which is plain, and no key."""
    path.write_bytes(seal(other, (keyring_of(film, "ana").recipients[0],)))


def swapped(one: Path, other: Path) -> None:
    held = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(held)


def put_back(film: Path, earlier: Path, *names: str) -> None:
    """Folders or files as they were before."""
    for name in names:
        if (film / name).is_dir():
            shutil.rmtree(film / name)
            shutil.copytree(earlier / name, film / name)
        else:
            shutil.copy2(earlier / name, film / name)


def gone(film: Path, count: int) -> None:
    """The last entries."""
    for path in sorted((film / "log").iterdir())[-count:]:
        path.unlink()


def registry_only(film: Path, earlier: Path) -> None:
    """The older registry under the newer one's name."""
    (now,) = (film / "registry").iterdir()
    (before,) = (earlier / "registry").iterdir()
    now.write_bytes(before.read_bytes())


TAMPERED: dict[str, Tampering] = {
    "an entry edited": lambda film, _: changed(log(film, 3), -20),
    "an entry's header edited": lambda film, _: changed(log(film, 3), 60),
    "the last entry edited": lambda film, _: changed(log(film, 0), -1),
    "an entry cut": lambda film, _: log(film, 2).write_bytes(log(film, 2).read_bytes()[:-30]),
    "an entry emptied": lambda film, _: log(film, 2).write_bytes(b""),
    "an entry made by a stranger": lambda film, _: sealed_again(film, log(film, 0), b'{"entry": "{}", "signature": ""}'),
    "an entry appended by a stranger": lambda film, _: sealed_again(film, after(film), b'{"entry": "{}", "signature": ""}'),
    "an entry twice": lambda film, _: log(film, 0).write_bytes(log(film, 1).read_bytes()),
    "the first deleted": lambda film, _: sorted((film / "log").iterdir())[0].unlink(),
    "one deleted": lambda film, _: log(film, 2).unlink(),
    "the last deleted": lambda film, _: log(film, 0).unlink(),
    "three deleted": lambda film, _: gone(film, 3),
    "all deleted": lambda film, _: gone(film, 99),
    "two swapped": lambda film, _: swapped(log(film, 1), log(film, 2)),
    "the first and the last swapped": lambda film, _: swapped(log(film, 0), sorted((film / "log").iterdir())[0]),
    "the registry put back": registry_only,
    "the registry's folder put back": lambda film, earlier: put_back(film, earlier, "registry"),
    "the registry edited": lambda film, _: changed(next((film / "registry").iterdir()), -30),
    "the registry deleted": lambda film, _: next((film / "registry").iterdir()).unlink(),
    "log and registry put back": lambda film, earlier: put_back(film, earlier, "log", "registry"),
    "all of it put back": lambda film, earlier: put_back(film, earlier, *(path.name for path in earlier.iterdir())),
    "another project's page": lambda film, _: (film / "facedouble.toml").write_text(
        (film / "facedouble.toml").read_text().replace('id = "', 'id = "0').replace('0"\n', '"\n', 1)),
    "a machine that is not asked for": lambda film, _: (film / "facedouble.toml").write_text(
        (film / "facedouble.toml").read_text().replace('"warn"', '"strict"')),
}


@pytest.fixture
def later(desk: Desk) -> tuple[Desk, Path]:
    """A project after another entry, which this machine has seen, and a copy from before that."""
    (desk.folder / "out").mkdir()
    earlier = desk.folder / "earlier"
    shutil.copytree(desk.film, earlier)
    with desk.opened() as project:
        project.record("scene watched", {"scene": "s1"})
    return desk, earlier


@pytest.mark.parametrize("how", TAMPERED)
def test_it_is_noticed_and_nothing_gets_out(how: str, later: tuple[Desk, Path]) -> None:
    desk, earlier = later
    TAMPERED[how](desk.film, earlier)
    state = {path: path.read_bytes() for path in desk.film.rglob("*") if path.is_file()}
    said = desk.must("log", "verify", "film", code=5)
    assert "ALARM" in said or how in ("another project's page",), said
    refused = desk.must("release", "film", "-o", "out/film.mp4", code=5)
    assert refused.splitlines()[-1].startswith("facedouble: "), refused
    assert not list((desk.folder / "out").iterdir())
    assert {path: path.read_bytes() for path in desk.film.rglob("*") if path.is_file()} == state  # kept as it is, to be compared


def test_the_table_of_files_put_back_is_noticed(desk: Desk) -> None:
    """To a generation before the one that the log speaks of."""
    (desk.folder / "out").mkdir()
    earlier = (desk.film / "index.age").read_bytes()
    desk.must("release", "film", "-o", "out/film.mp4")
    desk.must("release", "film", "-o", "out/again.mp4")
    (desk.film / "index.age").write_bytes(earlier)
    assert "older than its log" in desk.must("release", "film", "-o", "out/third.mp4", code=5)
    assert "older than its log" in desk.must("log", "verify", "film", code=5)
    assert sorted(path.name for path in (desk.folder / "out").iterdir()) == [
        "again.mp4", "again.receipt.json", "again.srt", "film.mp4", "film.receipt.json", "film.srt"]


def test_a_blob_in_another_ones_place_is_noticed(desk: Desk) -> None:
    """The film itself: exchanged for footage by somebody without a key."""
    (desk.folder / "out").mkdir()
    with desk.opened(write=False) as project:
        vault = Keys(desk.film, project.recipient, project.keyring.identities).open()
        (taken,) = (name for name in vault.names() if name.startswith("footage/"))
        film, footage = (vault.blobs.path(vault.blob(name).id) for name in ("cut1/A.mp4", taken))
    film.chmod(0o600)
    film.write_bytes(footage.read_bytes())
    desk.must("release", "film", "-o", "out/film.mp4", code=5)
    assert not list((desk.folder / "out").iterdir())


def test_paper_finds_what_a_machine_that_never_saw_it_cannot(later: tuple[Desk, Path]) -> None:
    """All of it put back, on another machine: its log is whole, and only the words from paper tell."""
    desk, earlier = later
    words = desk.must("log", "head", "film").strip().rpartition(": ")[2]
    shutil.rmtree(desk.film)
    shutil.copytree(earlier, desk.film)
    shutil.rmtree(desk.folder / "state")
    desk.must("log", "verify", "film")
    assert "ALARM" in desk.must("log", "verify", "film", "--words", words, code=5)
