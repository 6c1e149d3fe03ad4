"""A project as its key holders meet it: at a terminal, by a script, unlocked, locked, refused."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from facedouble.cli.opened import networked, open_project
from facedouble.cli.project import log_recover
from facedouble.errors import MachineError, StoreError
from facedouble.store import agent, holders, machine
from facedouble.store.handing import environment, hand_on
from facedouble.store.keys import Secret
from facedouble.store.project import Project
from tests.cli import forked
from tests.cli.terminal import at_terminal, made
from tests.store.make import a_project, an_identity, keyring_of

ROOT = Path(__file__).resolve().parents[2]
PHRASE = "otter velvet cinnamon ladder quiet marsh"


@pytest.fixture
def film(tmp_path: Path) -> Path:
    a_project(tmp_path / "film").close()
    return tmp_path / "film"


def run(*words: str, cwd: Path, secret: str | None = None, fresh: bool = False) -> subprocess.CompletedProcess[str]:
    """The program without a terminal; secret: lines on descriptor 3's like."""
    kept: tuple[int, ...] = ()
    if secret is not None:
        out, into = os.pipe()
        os.write(into, secret.encode())
        os.close(into)
        kept, words = (out,), (*words, "--passphrase-fd", str(out))
    try:
        return forked.run(*words, cwd=cwd, pass_fds=kept, timeout=120, fresh=fresh)
    finally:
        for descriptor in kept:
            os.close(descriptor)


def test_from_init_to_lock_at_a_terminal(tmp_path: Path) -> None:
    """The passphrase is made here, shown once, typed again; it opens the project until it is locked."""
    code, shown = at_terminal(["init", "film", "--machine", "warn", "--holder", "noor"], tmp_path, ["what it says"])
    assert code == 0, shown
    phrase = made(shown)
    assert shown.count(phrase) == 1 and len(phrase.split()) == 9
    assert "noor holds its key" in shown and "to write on paper" in shown
    code, shown = at_terminal(["unlock", "film", "--minutes", "5"], tmp_path, [phrase])
    assert code == 0 and "unlocked by noor" in shown and phrase not in shown, shown
    done = run("log", "verify", "film", cwd=tmp_path, fresh=True)
    assert done.returncode == 0 and "1 entries" in done.stdout, done.stderr
    assert run("lock", "film", cwd=tmp_path).stdout == "film: locked\n"
    assert run("lock", "film", cwd=tmp_path).stdout == "film: was locked already\n"
    done = run("log", "verify", "film", cwd=tmp_path)
    assert done.returncode == 5 and "nobody can be asked" in done.stderr
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or phrase.encode() not in path.read_bytes()


def test_a_passphrase_typed_otherwise_makes_nothing(tmp_path: Path) -> None:
    code, shown = at_terminal(["init", "film", "--holder", "one"], tmp_path, ["something else"])
    assert code == 2 and "another passphrase" in shown and not (tmp_path / "film").exists()
    code, shown = at_terminal(["init", "film", "--holder", "one", "--own"], tmp_path, ["password1234567890"])
    assert code == 2 and "too easy to guess" in shown and not (tmp_path / "film").exists()
    assert run("init", "film", "--holder", "one", cwd=tmp_path).returncode == 5  # nobody there to read a passphrase
    done = run("init", "film", cwd=tmp_path)
    assert done.returncode == 2 and "--holder" in done.stderr and not (tmp_path / "film").exists()


def test_passphrases_of_two_holders_from_a_descriptor(tmp_path: Path) -> None:
    begin = "init", "film", "--holder", "one", "--machine", "warn"
    assert "too easy" in run(*begin, cwd=tmp_path, secret="password1234567890\n").stderr
    done = run(*begin, cwd=tmp_path, secret=PHRASE, fresh=True)
    assert done.returncode == 0 and PHRASE not in done.stdout + done.stderr, done.stderr
    done = run("keys", "add", "film", "ben", cwd=tmp_path, secret=f"{PHRASE}\n{PHRASE} two\n")
    assert done.returncode == 0 and "ben holds a key now" in done.stdout, done.stderr
    done = run("keys", "list", "film", cwd=tmp_path, secret=f"{PHRASE} two\n")
    assert done.returncode == 0 and "one: passphrase" in done.stdout and "ben: passphrase" in done.stdout
    wrong = run("keys", "list", "film", cwd=tmp_path, secret="wrong\n")
    assert wrong.returncode == 5 and "opens none of the project's keys" in wrong.stderr


def test_holders_by_recipient_need_no_passphrase(film: Path) -> None:
    desk = film.parent
    for name in ("ben", "ana"):
        recipient = an_identity(desk / f"{name}.id")
        if name == "ben":
            assert run("unlock", "film", "--identity", "noor.id", cwd=desk).returncode == 0
        done = run("keys", "add", "film", name, "--recipient", recipient, cwd=desk)
        assert done.returncode == 0, done.stderr
    assert "ana: identity file of age1" in run("keys", "list", "film", cwd=desk).stdout
    done = run("keys", "remove", "film", "ben", cwd=desk)
    assert done.returncode == 0 and "they could have copied" in done.stdout, done.stderr
    assert run("keys", "remove", "film", "ben", cwd=desk).returncode == 2
    assert run("keys", "rotate", "film", cwd=desk).returncode == 0
    done = run("log", "show", "film", "--last", "3", cwd=desk)
    assert "key removed" in done.stdout and "keys rotated" in done.stdout and "created" not in done.stdout
    assert run("unlock", "film", "--identity", "ben.id", cwd=desk).returncode == 5
    done = run("unlock", "film", "--identity", "ana.id", cwd=desk)
    assert done.returncode == 0 and "by ana" in done.stdout


def test_words_on_paper_and_an_alarm(film: Path) -> None:
    desk = film.parent
    run("unlock", "film", "--identity", "noor.id", cwd=desk)
    head = run("log", "head", "film", cwd=desk).stdout.strip().rpartition(": ")[2]
    with open_project(film) as project:
        project.record("scene watched", {"scene": "s1"})
    done = run("log", "verify", "film", "--words", head, cwd=desk)
    assert done.returncode == 0 and "entry 1 of 2" in done.stdout, done.stdout
    (film / "log" / "00000002.age").unlink()
    done = run("log", "verify", "film", cwd=desk)
    assert done.returncode == 5 and "ALARM" in done.stdout and "rolled back" in done.stdout
    assert run("keys", "list", "film", cwd=desk).returncode == 5


def test_an_older_copy_is_accepted_by_two(film: Path) -> None:
    desk = film.parent
    with Project.open(film, keyring_of(film)) as project:
        holders.add(project, "ben", Secret(recipient=an_identity(desk / "ben.id")))
        shutil.copytree(film, desk / "copy")
        project.record("scene watched", {"scene": "s1"})
    shutil.rmtree(film)
    shutil.copytree(desk / "copy", film)
    assert "rolled back" in run("unlock", "film", "--identity", "noor.id", cwd=desk).stderr
    agent.start(project.id, project.keyring, 1)
    assert run("log", "recover", "film", "--second-identity", "noor.id", cwd=desk).returncode == 5
    done = run("log", "recover", "film", "--second-identity", "ben.id", cwd=desk)
    assert done.returncode == 0 and "goes on from entry 2" in done.stdout, done.stderr
    assert run("log", "verify", "film", cwd=desk).returncode == 0


def test_a_field_laptop_is_made_and_cannot_read(film: Path) -> None:
    desk = film.parent
    recipient = keyring_of(film).recipients[0]
    done = run("init", "bag", "--field", recipient, "--machine", "warn", cwd=desk)
    assert done.returncode == 0 and "cannot show it again" in done.stdout, done.stderr
    with open_project(desk / "bag") as bag:
        bag.record("footage added", {"blob": "b1"})
    for command in (("log", "verify", "bag"), ("log", "show", "bag"), ("unlock", "bag"), ("log", "recover", "bag")):
        done = run(*command, cwd=desk)
        assert done.returncode == 5 and "a field project" in done.stderr, done.stderr
    assert "entry 2" in run("log", "head", "bag", cwd=desk).stdout
    assert run("init", "bag2", "--field", "age1nothing", cwd=desk).returncode == 2
    assert run("init", "bag", "--field", recipient, cwd=desk).returncode == 5
    assert recipient.encode() in (desk / "bag" / "facedouble.toml").read_bytes()
    assert b"AGE-SECRET-KEY" not in b"".join(p.read_bytes() for p in (desk / "bag").rglob("*") if p.is_file())


def test_the_key_of_an_unlocked_project_is_for_its_user_only(film: Path) -> None:
    """A socket that nobody else can name, in a folder that nobody else can enter; the memory behind it cannot be read."""
    with Project.open(film, keyring_of(film)) as project:
        agent.start(project.id, project.keyring, 1)
    path = next((Path(os.environ["XDG_RUNTIME_DIR"]) / "facedouble").iterdir())
    assert path.stat().st_mode & 0o777 == 0o700 and path.parent.stat().st_mode & 0o777 == 0o700
    assert agent.ask(project.id) == keyring_of(film)
    process = _agent(path)
    maps = Path(f"/proc/{process}")
    if os.getuid() != 0:  # the system's own user reads everything
        with pytest.raises(PermissionError):
            (maps / "mem").open("rb")
    status = (maps / "status").read_text()
    assert "Seccomp:\t2" in status or "NoNewPrivs:\t1" in status
    assert _limit(maps, "Max core file size") in ("0", "1")
    assert keyring_of(film).identities[0].encode() not in (maps / "cmdline").read_bytes() + (maps / "environ").read_bytes()
    os.kill(process, signal.SIGKILL)
    time.sleep(0.2)
    assert agent.ask(project.id) is None and not path.exists()
    path.parent.chmod(0o755)
    with pytest.raises(StoreError, match="others than you"):
        agent.ask(project.id)


def _agent(path: Path) -> int:
    """The process that listens there: our own, so that it can be ended by its number."""
    inode = next(line.split()[6] for line in Path("/proc/net/unix").read_text().splitlines() if line.endswith(str(path)))
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        if b"facedouble.store.agent" in place.read_bytes():
            for link in (place.parent / "fd").iterdir():
                if os.readlink(link) == f"socket:[{inode}]":
                    return int(place.parent.name)
    raise AssertionError(path)


def _limit(place: Path, name: str) -> str:
    line = next(x for x in (place / "limits").read_text().splitlines() if x.startswith(name))
    return line.removeprefix(name).split()[0]


def test_it_locks_itself_when_nobody_asks(film: Path) -> None:
    with Project.open(film, keyring_of(film)) as project:
        agent.start(project.id, project.keyring, 3 / 60)
    assert agent.ask(project.id) is not None
    end = time.monotonic() + 30
    path = Path(os.environ["XDG_RUNTIME_DIR"]) / "facedouble" / f"{project.id}.sock"
    while path.exists():
        assert time.monotonic() < end
        time.sleep(0.2)
    assert agent.ask(project.id) is None


def test_a_key_is_handed_to_a_child_by_a_pipe(film: Path) -> None:
    keyring = keyring_of(film)
    descriptor = hand_on(keyring)
    code = """
import os, sys
from pathlib import Path
from facedouble.cli.opened import open_project
project = open_project(Path(sys.argv[1]))
project.record("scene watched", {"scene": "s1"})
open_project(Path(sys.argv[1]), write=False).close()
print(project.keyring.holder, open("/proc/self/environ").read().count("AGE-SECRET"))
"""
    done = subprocess.run([sys.executable, "-c", code, str(film)], pass_fds=(descriptor,), capture_output=True, text=True,
                          env={**environment(descriptor), "PYTHONPATH": str(ROOT)}, check=False)
    os.close(descriptor)
    assert done.stdout == "noor 0\n", done.stderr
    with Project.open(film, keyring) as project:
        assert project.log.last.event == "scene watched"


def test_a_strict_project_opens_on_a_networked_machine_only_if_two_say_so(tmp_path: Path,
                                                                          monkeypatch: pytest.MonkeyPatch) -> None:
    film, reasons = tmp_path / "film", ["eth0 is up"]
    a_project(film, machine="strict").close()
    monkeypatch.setattr("facedouble.cli.opened.networked", lambda folder: reasons)
    with Project.open(film, keyring_of(film)) as project:
        holders.add(project, "ben", Secret(recipient=an_identity(tmp_path / "ben.id")))
        agent.start(project.id, project.keyring, 1)
        with pytest.raises(MachineError, match=r"strict, and this machine is on a network .eth0 is up."):
            open_project(film)
        with pytest.raises(StoreError, match="signed it twice"):
            machine.accept(project, reasons, keyring_of(film))
        machine.accept(project, reasons, keyring_of(film, "ben"))
        assert (project.log.last.event, project.log.last.second) == ("machine accepted", "ben")
    open_project(film).close()
    monkeypatch.setattr("facedouble.store.machine.boot_id", lambda: "after the next start")
    with pytest.raises(MachineError):
        open_project(film)
    reasons.clear()
    open_project(film).close()


def test_a_strict_project_is_not_recovered_on_a_networked_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    film, reasons = tmp_path / "film", ["eth0 is up"]
    with a_project(film, machine="strict") as project:
        holders.add(project, "ben", Secret(recipient=an_identity(tmp_path / "ben.id")))
        shutil.copytree(film, tmp_path / "copy")
        project.record("scene watched", {"scene": "s1"})
    shutil.rmtree(film)
    shutil.copytree(tmp_path / "copy", film)
    agent.start(project.id, project.keyring, 1)
    monkeypatch.setattr("facedouble.cli.opened.networked", lambda folder: reasons)
    with pytest.raises(MachineError, match="is strict"):
        log_recover(film, tmp_path / "ben.id")
    assert len(list((film / "log").iterdir())) == 2
    reasons.clear()
    log_recover(film, tmp_path / "ben.id")
    with Project.open(film, keyring_of(film)) as project:
        assert project.log.last.event == "recovered"


def test_a_strict_project_on_this_machine(tmp_path: Path) -> None:
    """The same by the command line, as far as this machine has a network."""
    if not networked(tmp_path):
        pytest.skip("this machine has no network")
    a_project(tmp_path / "film", machine="strict").close()
    with Project.open(tmp_path / "film", keyring_of(tmp_path / "film")) as project:
        holders.add(project, "ben", Secret(recipient=an_identity(tmp_path / "ben.id")))
    done = run("unlock", "film", "--identity", "noor.id", cwd=tmp_path)
    assert done.returncode == 6 and "is strict" in done.stderr
    done = run("unlock", "film", "--identity", "noor.id", "--accept-machine", "--second-identity", "ben.id", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert run("keys", "list", "film", cwd=tmp_path).returncode == 0


@pytest.mark.parametrize(("words", "code", "word"), [
    ("unlock nowhere", 5, "is no project"), ("lock nowhere", 5, "is no project"), ("init film --recipient age1", 5, "exists"),
    ("init other --holder one --recipient age1", 2, "no age recipient"), ("init other --holder Ana", 2, "no real name"),
    ("init other --machine lax", 2, "strict, warn"), ("init film", 5, "exists already"), ("init noor.id", 5, "exists already"),
    ("init noor.id --recipient age1", 5, "exists already"), ("unlock film", 5, "--passphrase-fd"),
    ("unlock film --passphrase-fd 77", 2, "descriptor 77"), ("unlock film --identity none.id", 5, "age identity file"),
    ("init bag --field age1 --own", 2, "give --field alone"), ("keys add film Ana", 2, "no real name")])
def test_mistakes_get_a_sentence_and_a_code(film: Path, words: str, code: int, word: str) -> None:
    done = run(*words.split(), cwd=film.parent)
    assert done.returncode == code and word in done.stderr, (done.stdout, done.stderr)
    assert "Traceback" not in done.stderr and done.stderr.startswith("facedouble: ")
