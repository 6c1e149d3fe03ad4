"""Taking footage in, checking it and handing it on, as a film-maker meets it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pyrage
import pytest

from facedouble.store.handing import environment, hand_on
from tests.cli import forked
from tests.store.make import a_project, an_identity, keyring_of


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


@pytest.fixture
def film(tmp_path: Path) -> Path:
    a_project(tmp_path / "film").close()
    (tmp_path / "one.mp4").write_bytes(b"one" * 1000)
    (tmp_path / "two\n\x1b[31m.mp4").write_bytes(b"two" * 1000)
    (tmp_path / "empty.mp4").touch()
    return tmp_path / "film"


def run(film: Path, *words: str, said: str = "", fresh: bool = False) -> subprocess.CompletedProcess[str]:
    """The program, with the project unlocked for it."""
    descriptor = hand_on(keyring_of(film))
    try:
        return forked.run(*words, cwd=film.parent, env={**os.environ, **environment(descriptor)}, pass_fds=[descriptor],
                          said=said, timeout=120, fresh=fresh)
    finally:
        os.close(descriptor)


def test_add_list_verify_and_export(film: Path) -> None:
    done = run(film, "add", "film", "one.mp4", "two\n\x1b[31m.mp4", "--from-whom", "-", said="a cousin\n", fresh=True)
    assert done.returncode == 0, done.stderr
    assert "footage/one.mp4" in done.stdout and "cloud" in done.stdout and "\x1b[31m" not in done.stdout
    again = run(film, "add", "film", "one.mp4")
    assert again.returncode == 0 and "is here already" in again.stdout and "cloud" not in again.stdout
    listed = run(film, "evidence", "list", "film")
    assert listed.stdout.count("footage/") == 2 and listed.stdout.count("with a note") == 2 and "cousin" not in listed.stdout
    first = listed.stdout.split()[0]
    assert run(film, "evidence", "note", "film", first).stdout == "a cousin\n"
    assert run(film, "evidence", "verify", "film").stdout == "2 files, each as it was handed over\n"
    to = an_identity(film.parent / "court.id")
    assert run(film, "evidence", "export", "film", "court.age", "--to", to).returncode == 0
    court = pyrage.x25519.Identity.from_str((film.parent / "court.id").read_text().split("\n")[1])
    assert b"SHA256SUMS" in pyrage.decrypt((film.parent / "court.age").read_bytes(), [court])
    assert run(film, "evidence", "export", "film", "court.age", "--to", to).returncode == 5
    assert run(film, "evidence", "export", "film", "court.tar", "--to", to).returncode == 2
    log = run(film, "log", "show", "film").stdout
    assert log.count("noor: exported") == 1 and first in log.splitlines()[-1]


def test_what_is_refused_is_told_and_the_rest_taken_in(film: Path) -> None:
    done = run(film, "add", "film", "empty.mp4", "no-such.mp4", "one.mp4")
    assert done.returncode == 7
    assert "empty.mp4: is empty" in done.stderr and "no-such.mp4: cannot be read" in done.stderr
    assert run(film, "evidence", "list", "film").stdout.count("footage/") == 1


def test_names_of_people_do_not_go_through_the_command_line(film: Path) -> None:
    done = run(film, "add", "film", "one.mp4", "--from-whom", "a cousin")
    assert done.returncode == 2 and "kept by the shell" in done.stderr
    assert run(film, "evidence", "list", "film").stdout == ""


def test_an_altered_file_is_told_with_exit_code_five(film: Path) -> None:
    run(film, "add", "film", "one.mp4", "two\n\x1b[31m.mp4")
    path = next((film / "blobs").glob("??/*.age"))
    path.chmod(0o600)
    os.truncate(path, path.stat().st_size - 1)
    done = run(film, "evidence", "verify", "film")
    assert done.returncode == 5 and "1 of 2 files are not what was handed over" in done.stderr


def test_from_the_field_to_the_film(film: Path) -> None:
    from facedouble.store.settings import read

    recipient = read(film).recipient
    assert run(film, "init", "field", "--field", recipient, "--machine", "warn").returncode == 0
    done = run(film, "add", "field", "one.mp4", "two\n\x1b[31m.mp4")
    assert done.returncode == 0 and "this laptop cannot open it" in done.stdout, done.stderr
    words = done.stdout.split("The log ends at: ")[1].split("\n")[0]
    assert len(words.split()) == 8
    for path in (film.parent / "field").rglob("*"):
        assert path.is_dir() or b"oneone" not in path.read_bytes()
    assert run(film, "evidence", "list", "field").returncode == 5
    shutil.move(film.parent / "field", film.parent / "stick")
    done = run(film, "receive", "film", "stick")
    assert done.returncode == 0 and done.stdout.count("footage/") == 2 and words in done.stdout, done.stderr
    path = max((film.parent / "stick" / "blobs").glob("??/*.age"), key=lambda p: p.stat().st_size)
    path.chmod(0o600)
    os.truncate(path, path.stat().st_size - 1)
    assert run(film, "receive", "film", "stick").returncode == 0  # nothing new in it
    assert run(film, "evidence", "verify", "film").returncode == 0
