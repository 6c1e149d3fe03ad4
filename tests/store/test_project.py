"""A change is whole or was never made; an older state put in place of a newer one is noticed."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import apsw
import pytest

from facedouble.errors import StoreError
from facedouble.store import files, settings
from facedouble.store.keys import Secret
from facedouble.store.project import Project, create, create_field, older, recover
from facedouble.store.verify import verify
from tests.store.make import a_project, an_identity, keyring_of

ROOT = Path(__file__).resolve().parents[2]
TABLE = "CREATE TABLE IF NOT EXISTS person(id TEXT PRIMARY KEY, name TEXT) STRICT"


def add(project: Project, person: str, name: str = "") -> None:
    with project.change("person added", {"person": person}) as db:
        db.execute(TABLE)
        db.execute("INSERT INTO person VALUES (?, ?)", (person, name))


def people(project: Project) -> list[str]:
    return [str(row[0]) for row in project.db.execute("SELECT id FROM person ORDER BY id")]


@pytest.fixture
def film(tmp_path: Path) -> Path:
    with a_project(tmp_path / "film") as project:
        add(project, "p1")
    return tmp_path / "film"


def test_what_was_changed_is_there_again(film: Path) -> None:
    with Project.open(film, keyring_of(film)) as project:
        add(project, "p2")
        assert people(project) == ["p1", "p2"]
    with Project.open(film, keyring_of(film), write=False) as project:
        assert people(project) == ["p1", "p2"]
        assert [e.event for e in project.log.entries] == ["created", "person added", "person added"]
        with pytest.raises(StoreError, match="looked at only"):
            add(project, "p3")
    assert len(list((film / "registry").iterdir())) == 1


def test_the_registry_is_written_inside_a_change_only(film: Path) -> None:
    with Project.open(film, keyring_of(film)) as project:
        with pytest.raises(apsw.ReadOnlyError):
            project.db.execute("DELETE FROM person")
        add(project, "p2")
        with pytest.raises(apsw.ReadOnlyError):
            project.db.execute("DELETE FROM person")


def test_a_change_that_fails_was_never_made(film: Path) -> None:
    with Project.open(film, keyring_of(film)) as project:
        with pytest.raises(RuntimeError), project.change("person added", {"person": "p2"}) as db:
            db.execute("INSERT INTO person VALUES ('p2', '')")
            raise RuntimeError
        with pytest.raises(ValueError, match="inside a change"), project.change("person added", {}):
            add(project, "p3")
        assert people(project) == ["p1"]
        add(project, "p4")
    assert not verify(film, keyring_of(film)).alarms


def test_others_see_a_change_when_they_look_again(film: Path) -> None:
    with Project.open(film, keyring_of(film)) as one, Project.open(film, keyring_of(film)) as two:
        add(one, "p2")
        assert people(two) == ["p1"]
        two.refresh()
        assert people(two) == ["p1", "p2"]
        add(one, "p3")
        add(two, "p4")  # on top of what it had not seen
        one.refresh()
        assert people(one) == people(two) == ["p1", "p2", "p3", "p4"]


def test_the_second_writer_is_told_who_is_first(film: Path) -> None:
    with Project.open(film, keyring_of(film)) as one, Project.open(film, keyring_of(film)) as two:
        with one.working(), pytest.raises(StoreError, match=rf"film: another facedouble .process {os.getpid()}. works in this "
                                                           "project; wait until it has ended"), two.working():
            pass
        with two.working():
            add(one, "p2")  # small changes go on beside a long run


def test_rollback_of_the_registry_is_noticed(film: Path) -> None:
    before = next((film / "registry").iterdir())
    old = before.read_bytes()
    with Project.open(film, keyring_of(film)) as project:
        add(project, "p2")
    now = next((film / "registry").iterdir())
    for name in (now.name, before.name):
        now.unlink(missing_ok=True)
        (film / "registry" / name).write_bytes(old)
        with pytest.raises(StoreError, match="registry was rolled back"):
            Project.open(film, keyring_of(film))
        assert verify(film, keyring_of(film)).alarms


def test_rollback_of_the_log_is_noticed(film: Path) -> None:
    shutil.copytree(film, film.with_name("copy"))
    with Project.open(film, keyring_of(film)) as project:
        add(project, "p2")
    shutil.rmtree(film / "log")
    shutil.copytree(film.with_name("copy") / "log", film / "log")
    with pytest.raises(StoreError, match="project was rolled back"):
        Project.open(film, keyring_of(film))
    shutil.rmtree(film.parent / "state")  # and on a machine that has not seen it
    with pytest.raises(StoreError, match="registry was rolled back"):
        Project.open(film, keyring_of(film))


@pytest.fixture
def rolled_back(film: Path) -> Path:
    """Two holders, and a film put back to where it was a change ago."""
    from facedouble.store.holders import add as add_holder

    with Project.open(film, keyring_of(film)) as project:
        add_holder(project, "ben", Secret(recipient=an_identity(film.parent / "ben.id")))
    shutil.copytree(film, film.with_name("copy"))
    with Project.open(film, keyring_of(film)) as project:
        add(project, "p2")
    shutil.rmtree(film)
    shutil.copytree(film.with_name("copy"), film)
    return film


def test_rollback_of_the_whole_project_is_noticed_by_the_machine_that_saw_it(rolled_back: Path) -> None:
    film = rolled_back
    with pytest.raises(StoreError, match=r"rolled back: its log ends at entry 3, and this machine has seen another entry 4"):
        Project.open(film, keyring_of(film))
    with pytest.raises(StoreError, match="rolled back"):
        Project.open(film, keyring_of(film), write=False)
    assert verify(film, keyring_of(film)).alarms


def test_another_history_is_noticed_even_if_it_is_longer(rolled_back: Path, tmp_path: Path,
                                                         monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("XDG_STATE_HOME", str(tmp_path / "elsewhere"))
        with Project.open(rolled_back, keyring_of(rolled_back)) as project:
            for k in range(5):
                add(project, f"q{k}")
    with pytest.raises(StoreError, match="rolled back"):
        Project.open(rolled_back, keyring_of(rolled_back))


def test_rollback_while_a_process_has_the_project_open_is_noticed(film: Path) -> None:
    """A release that began before somebody withdrew; the folder is put back to then, and the release would not know."""
    with Project.open(film, keyring_of(film)) as one:
        shutil.copytree(film, film.with_name("copy"))
        with Project.open(film, keyring_of(film)) as two:
            two.record("withdrawn", {"person": "p1"})
        shutil.rmtree(film)
        shutil.copytree(film.with_name("copy"), film)
        with pytest.raises(StoreError, match=r"rolled back: its log ends at entry 2, and this machine has seen another entry 3"):
            one.record("released", {})
    with pytest.raises(StoreError, match="rolled back"):
        Project.open(film, keyring_of(film))


def test_rollback_of_a_field_project_that_is_open_is_noticed(film: Path) -> None:
    bag = film.with_name("bag")
    with create_field(bag, keyring_of(film).recipients[0]) as one:
        shutil.copytree(bag, film.with_name("copy"))
        one.record("footage added", {"blob": "b1"})
        shutil.rmtree(bag)
        shutil.copytree(film.with_name("copy"), bag)
        with pytest.raises(StoreError, match="field project was rolled back"):
            one.record("footage added", {"blob": "b2"})


def test_two_holders_accept_an_older_copy_and_that_stays_in_the_log(rolled_back: Path) -> None:
    film = rolled_back
    with older(film, keyring_of(film)) as project:
        with pytest.raises(StoreError, match="rolled back"):
            add(project, "p3")
        with pytest.raises(StoreError, match="signed it twice"):
            recover(project, keyring_of(film))
        recover(project, keyring_of(film, "ben"))
    with Project.open(film, keyring_of(film, "ben")) as project:
        assert project.log.last.event == "recovered" and project.log.last.second == "ben"
        add(project, "p3")
    with older(film, keyring_of(film)) as project, pytest.raises(StoreError, match="nothing to accept"):
        recover(project, keyring_of(film, "ben"))


@pytest.mark.parametrize(("line", "word"), [
    ('colour = "red"', "unknown entry 'colour'"), ("id = 3", "id has to be"), ('profile = "open"', "one of full, field"),
    ('machine = "any"', "one of strict, warn"), ("format = 2", "format 2"), ('recipient = "age1x"', "no age recipient"),
    ("id = ", "cannot be read"), (None, "an entry is missing")])
def test_a_page_that_is_not_as_it_has_to_be_is_refused(film: Path, line: str | None, word: str) -> None:
    path = film / settings.NAME
    kept = [old for old in path.read_text().splitlines() if line is None or old.split()[0] != line.split()[0]]
    path.write_text("\n".join(kept[1:] if line is None else [*kept, line]))
    with pytest.raises(StoreError, match=word):
        Project.open(film, keyring_of(film))


@pytest.mark.parametrize(("entry", "value"), [("id", "0" * 16), ("machine", "strict"), ("recipient", "")])
def test_a_page_that_contradicts_the_log_is_refused(film: Path, entry: str, value: str) -> None:
    """Anybody can write there. A recipient of theirs would be able to read all that comes."""
    path = film / settings.NAME
    value = value or an_identity(film.parent / "stranger.id")
    path.write_text("\n".join(f'{entry} = "{value}"' if old.startswith(entry) else old for old in path.read_text().splitlines()))
    with pytest.raises(StoreError, match="somebody altered it"):
        Project.open(film, keyring_of(film))


def test_the_number_of_the_table_of_files_never_goes_back_in_the_log(film: Path) -> None:
    """Who began earlier, and looked at the table earlier, may come second."""
    with Project.open(film, keyring_of(film)) as one, Project.open(film, keyring_of(film)) as two:
        one.record("rendered", {}, index=60)
        two.record("rendered", {}, index=50)
        one.record("scene watched", {"scene": "s1"})
        assert [e.index for e in one.log.entries[2:]] == [60, 60, 60]


def test_what_is_no_project_says_so(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="facedouble init"):
        settings.read(tmp_path)


def test_a_project_is_made_in_an_empty_folder_only(film: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="exists already"):
        a_project(film)
    (tmp_path / "a file").touch()
    with pytest.raises(StoreError, match="exists already"):
        a_project(tmp_path / "a file")
    (tmp_path / "empty").mkdir()
    a_project(tmp_path / "empty").close()
    with pytest.raises(StoreError, match="cannot be made"):
        create(tmp_path / "nowhere" / "film", "noor", Secret(recipient=an_identity(tmp_path / "x.id")))
    assert not list(tmp_path.glob(".*"))


LOOP = """
import sys
from pathlib import Path
from facedouble.store.project import Project
from tests.store.make import keyring_of
from tests.store.test_project import add
folder = Path(sys.argv[1])
project = Project.open(folder, keyring_of(folder))
print("ready", flush=True)
for k in range(100_000):
    add(project, f"{sys.argv[2]}-{k}")
    print(k, flush=True)
"""


def test_killed_at_fifty_moments_the_project_opens_and_its_log_verifies(tmp_path: Path) -> None:
    """What was told as done is there; at most the one change that nobody was told of is there besides."""
    folder, chance = tmp_path / "film", random.Random(7)
    a_project(folder).close()
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    for turn in range(50):
        with subprocess.Popen([sys.executable, "-c", LOOP, str(folder), str(turn)], stdout=subprocess.PIPE, text=True,
                              env=env) as child:
            assert child.stdout is not None and child.stdout.readline() == "ready\n"
            time.sleep(chance.uniform(0, 0.03))
            child.send_signal(signal.SIGKILL)
            told = child.stdout.read().splitlines()
        found = verify(folder, keyring_of(folder))
        assert not found.alarms, found.alarms
        with Project.open(folder, keyring_of(folder)) as project:
            done = [e for e in project.log.entries if str(e.facts.get("person", "")).startswith(f"{turn}-")]
            assert len(done) - len([t for t in told if t.isdigit()]) in (0, 1)
            if len(project.log.entries) > 1:
                assert len(people(project)) == project.log.n - 1
        assert not [p for p in folder.rglob("*") if ".part" in p.name]
        assert len(list((folder / "registry").iterdir())) == 1


def test_a_full_disk_leaves_the_project_as_it_was(film: Path) -> None:
    code = """
import resource, signal, sys
from pathlib import Path
from facedouble.errors import StoreError
from facedouble.store.project import Project
from tests.store.make import keyring_of
from tests.store.test_project import add, people
folder = Path(sys.argv[1])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with Project.open(folder, keyring_of(folder)) as project:
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
    try:
        add(project, "p2")
    except StoreError as error:
        print(error)
    assert people(project) == ["p1"]
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    add(project, "p3")
"""
    size = next((film / "registry").iterdir()).stat().st_size
    done = subprocess.run([sys.executable, "-c", code, str(film), str(size - 200)], capture_output=True, text=True, check=False,
                          env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.returncode == 0 and "make room" in done.stdout, done.stderr
    assert not verify(film, keyring_of(film)).alarms


@pytest.mark.parametrize("room", range(1, 9))
def test_a_disk_that_is_full_at_any_file_leaves_the_project_whole(film: Path, room: int) -> None:
    """A tiny disk of its own where mounting is allowed: each size fails somewhere else."""
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-rm", "true"], capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount")
    code = """
import os, shutil, sys
from pathlib import Path
from facedouble.errors import StoreError
from facedouble.store.project import Project
from facedouble.store.verify import verify
from tests.store.make import keyring_of
from tests.store.test_project import add, people
disk, keyring = Path(sys.argv[1]), keyring_of(Path(sys.argv[2]))
with Project.open(disk / "film", keyring) as project:
    free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
    (disk / "ballast").write_bytes(b"x" * (free - 4096 * int(sys.argv[3])))
    made = 0
    try:
        for k in range(100):
            add(project, f"q{k}")
            made += 1
    except StoreError as error:
        print(error)
    assert len(people(project)) == 1 + made, (made, people(project))
assert not verify(disk / "film", keyring).alarms
(disk / "ballast").unlink()
with Project.open(disk / "film", keyring) as project:
    add(project, "after")
    assert len(people(project)) == 2 + made
"""
    disk = film.parent / "disk"
    disk.mkdir()
    script = ('mount -t tmpfs -o size=1m none "$0" && cp -r "$1" "$0/film" && "$2" -c "$3" "$0" "$1" "$4"')
    done = subprocess.run(["unshare", "-rm", "sh", "-c", script, str(disk), str(film), sys.executable, code, str(room)],
                          capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.returncode == 0 and "No space left" in done.stdout, (done.stdout, done.stderr)


def test_a_stick_that_was_pulled_is_told_and_the_project_goes_on_when_it_is_back(film: Path) -> None:
    with Project.open(film, keyring_of(film)) as project:
        film.rename(film.with_name("gone"))
        for act in (lambda: add(project, "p2"), lambda: project.refresh(), lambda: Project.open(film, project.keyring)):
            with pytest.raises(StoreError):
                act()
        with pytest.raises(StoreError, match="mount it"), project.working():
            pass
        film.with_name("gone").rename(film)
        add(project, "p3")
        assert people(project) == ["p1", "p3"]


def test_pulled_between_the_registry_and_the_log(film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The registry of a change is written, its entry is not: the change was never made."""
    with Project.open(film, keyring_of(film)) as project:
        with monkeypatch.context() as pulled:
            pulled.setattr("facedouble.store.registry.keep_only", lambda *_: None)
            pulled.setattr("facedouble.store.log.seal", lambda *_: (film / "log").rename(film / "away") and b"")
            with pytest.raises(StoreError, match="cannot be written"):
                add(project, "p2")
        (film / "away").rename(film / "log")
        assert people(project) == ["p1"]
        add(project, "p3")
    with Project.open(film, keyring_of(film), write=False) as project:
        assert people(project) == ["p1", "p3"]


def test_a_stick_that_knows_no_links_still_takes_no_name_twice(film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")  # what FAT says

    monkeypatch.setattr("os.link", refuse)
    with Project.open(film, keyring_of(film)) as project:
        add(project, "p2")
    with pytest.raises(StoreError, match="Operation not permitted"):
        files.write(film / "log" / "00000003.age", b"another", fresh=True)
    assert not verify(film, keyring_of(film)).alarms


def test_a_copy_on_a_medium_that_cannot_be_written_can_be_looked_at(film: Path) -> None:
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-rm", "true"], capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount")
    code = """
import sys
from pathlib import Path
from facedouble.errors import StoreError
from facedouble.store.project import Project
from tests.store.make import keyring_of
from tests.store.test_project import add, people
folder = Path(sys.argv[1])
with Project.open(folder, keyring_of(folder), write=False) as project:
    print(people(project))
try:
    Project.open(folder, keyring_of(folder))
except StoreError as error:
    print(error)
"""
    script = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && "$1" -c "$2" "$0"'
    done = subprocess.run(["unshare", "-rm", "sh", "-c", script, str(film), sys.executable, code], capture_output=True, text=True,
                          check=False, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.returncode == 0 and done.stdout.startswith("['p1']\n") and "Read-only file system" in done.stdout, done.stderr


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_sorting_and_undoing_megabytes_creates_no_file_beside(film: Path) -> None:
    """SQLite would put what it sorts, and what it may have to undo, into files of its own."""
    code = """
import sys
from pathlib import Path
from facedouble.store.project import Project
from tests.store.make import keyring_of
folder = Path(sys.argv[1])
with Project.open(folder, keyring_of(folder)) as project:
    for turn in range(2):
        with project.change("person added", {"person": "p2"}) as db:
            db.execute("CREATE TABLE IF NOT EXISTS big(a TEXT)")
            db.executemany("INSERT INTO big VALUES (?)", [("CANARY" * 2000 + str(k),) for k in range(400)])
            db.execute("SELECT * FROM big ORDER BY a DESC").fetchall()
            db.execute("UPDATE big SET a = a || 'x'")
            db.execute(f"CREATE INDEX i{turn} ON big(a)")
"""
    subprocess.run(["strace", "-f", "-qq", "-e", "trace=openat,open,creat,memfd_create", "-o", str(film.parent / "trace"),
                    sys.executable, "-c", code, str(film)], check=True,
                   env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"})
    lines = (film.parent / "trace").read_text().splitlines()
    made = [line for line in lines if re.search("O_CREAT|O_RDWR|O_WRONLY|creat|memfd", line)]
    places = {re.sub(r"[0-9]+", "N", line.split('"')[1].removeprefix(str(film.parent))) for line in made}
    places = {place for place in places if not place.startswith("/state/")}
    assert places == {"/film/lock", "/film/registry/.N.age.N.part", "/film/log/.N.age.N.part"}


def test_nothing_that_was_kept_lies_open_on_the_disk(tmp_path: Path) -> None:
    with a_project(tmp_path / "film") as project:
        add(project, "p1", "CANARY-NAME")
        with project.change("person changed", {"person": "p1"}) as db:
            db.execute("UPDATE person SET name = name || ' of CANARY-TOWN'")
    create_field(tmp_path / "field", project.recipient).record("footage added", {"blob": "b1"})
    seen = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(seen) > 15
    for path in seen:
        assert b"CANARY" not in path.read_bytes()
        if "film" in path.parts and path.suffix == ".age":
            assert path.read_bytes().startswith(b"age-encryption.org/v1\n")
        assert path.suffix == ".id" or not path.stat().st_mode & 0o077
