"""The one door: what else is written while a film is made and let go, who can stop it, and when nothing gets out."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import pytest

from tests.project import traced
from tests.project.desk import FIGURE, PLAN, Desk
from tests.project.whole import PHRASE, Whole

OUT = "out/film.mp4"
GIVEN = ["film.mp4", "film.receipt.json", "film.srt"]
KERNEL = re.compile(r"/dev/(null|tty|shm/.*)|/proc/.*")  # in memory, or no file at all
COMPILED = re.compile(r".*/facedouble/(\w+/)*__pycache__(/.*)?")  # numba's, beside the program
HEAD = re.compile(r"/state/facedouble(/\.?[0-9a-f]{16}\.head(\.\d+\.part)?)?")
AGAIN = """
import subprocess, sys
from pathlib import Path
from facedouble.cli.inside import enter
from facedouble.errors import FacedoubleError
from facedouble.pipeline.packing import film_of
from facedouble.pipeline.release import Order, release
project = enter(Path("film"))
def where(render):
    assert not project.db.execute("SELECT 1 FROM acts WHERE kind = 'withdrawn'").fetchone()
    subprocess.run([sys.executable, "-m", "facedouble", "person", "withdraw", "film", "rose", "--by", "lin"], check=True)
    return film_of(project, render)
try:
    release(project, Order("", Path(sys.argv[-1]), "film"), where)
except FacedoubleError as error:
    print(error, file=sys.stderr)
    sys.exit(error.exit_code)
"""

STICK = """
import errno, os
opened = os.open
def without_nameless(path, flags, *rest, **more):
    if flags & os.O_TMPFILE == os.O_TMPFILE:
        raise OSError(errno.EOPNOTSUPP, "no nameless files")
    return opened(path, flags, *rest, **more)
def without_links(*_, **__):
    raise PermissionError(errno.EPERM, "no links")
os.open, os.link = without_nameless, without_links
from facedouble.cli.main import main
main()
"""
STOPPED = """
from facedouble.media.destination import OnDisk
def stopped(self):
    raise KeyboardInterrupt
OnDisk.publish = stopped
from facedouble.cli.main import main
main()
"""
UNNAMED = """
from facedouble.pipeline import packing
def stopped(part, path):
    raise KeyboardInterrupt
packing.name_new = stopped
from facedouble.cli.main import main
main()
"""
MEANWHILE = """
import subprocess, sys
from facedouble.pipeline import packing
written = packing.write_pack
def withdrawn(*given):
    made = written(*given)
    subprocess.run([sys.executable, "-m", "facedouble", "person", "withdraw", "film", "rose", "--by", "lin"], check=True)
    return made
packing.write_pack = withdrawn
from facedouble.cli.main import main
main()
"""
ENTERED = """
from facedouble.store import releases, remembered
record, remember = releases.record, remembered.remember
def stopped(*given):
    remembered.remember = remember
    raise KeyboardInterrupt
def recorded(*given):
    remembered.remember = stopped
    return record(*given)
releases.record = recorded
from facedouble.cli.main import main
main()
"""
OTHER_WORDS = """
from pathlib import Path
from facedouble import disk
read = disk.read
disk.read = lambda path, *rest: Path("words.srt").read_bytes() if path.suffix == ".srt" else read(path, *rest)
from facedouble.cli.main import main
main()
"""


@pytest.fixture(scope="module")
def other(whole: Whole, tmp_path_factory: pytest.TempPathFactory) -> tuple[Desk, Path]:
    """After another treatment was decided and drawn; and what the kernel saw of that."""
    folder = tmp_path_factory.mktemp("other")
    desk = Desk(whole.out.parent / "before", whole.desk.runtime).copy(folder)
    desk.must("plan", "decide", PLAN, "P1", "hide", "--by", "ana", "--reason", "she asked for more")
    report = tmp_path_factory.mktemp("report") / "render"
    desk.must("render", PLAN, "-o", "film/cut2", under=traced.under(report))
    return desk, report


@pytest.fixture
def drawn(other: tuple[Desk, Path], tmp_path: Path) -> Desk:
    desk = other[0].copy(tmp_path)
    (tmp_path / "out").mkdir()
    return desk


def elsewhere(report: Path, desk: Desk) -> set[str]:
    """What was written outside of the project, of the kernel's own, and of the list of allowed things."""
    every = traced.made(report, desk.folder)
    found = {str(made.path).split("/#")[0] for made in every if not made.path.is_relative_to(desk.film)}
    kept = {path for path in found if not KERNEL.fullmatch(path) and not COMPILED.fullmatch(path)}
    return {path for path in kept if not HEAD.fullmatch(path.removeprefix(str(desk.folder)))}


def test_a_render_writes_into_the_project_only(other: tuple[Desk, Path]) -> None:
    desk, report = other
    every = traced.made(report, desk.folder)
    assert sum(made.path.is_relative_to(desk.film / "blobs") for made in every) > 10  # it was watched, with its children
    assert elsewhere(report, desk) == set()
    named = {made.path.name for made in every if made.path.is_relative_to(desk.film / "blobs") and made.call.startswith("rename")}
    assert all(re.fullmatch(r"[0-9a-f]{32}\.age", name) for name in named) and named


def test_a_release_writes_the_film_its_receipt_and_its_subtitles(drawn: Desk, tmp_path: Path) -> None:
    """What was approved goes out, although another cut was drawn since; and that is all that is written outside."""
    first = drawn.must("log", "show", "film", "--last", "99")
    id_ = re.findall(r"render=(r-[0-9a-f]{8})", first)[0]
    drawn.must("release", "film", "-o", OUT, "--render", id_, under=traced.under(tmp_path / "report"))
    out = elsewhere(tmp_path / "report", drawn)
    assert {re.sub(r"\.\d+\.part", ".N.part", path.removeprefix(f"{drawn.folder}/")) for path in out} == {
        "out", OUT, "out/film.receipt.json", "out/.film.receipt.json.N.part", "out/film.srt",
        "out/.film.srt.N.part"}  # out: the film, while it has no name
    assert sorted(os.listdir(drawn.folder / "out")) == GIVEN
    said = (drawn.folder / "out" / "film.srt").read_text()
    assert said.startswith("1\n00:00:00,100 --> 00:00:00,500\n") and "my name is" in said and "Zelmira" not in said
    assert drawn.events()[-1] == "released"


def test_an_approval_of_one_cut_does_not_release_another(drawn: Desk) -> None:
    before = drawn.events()
    said = drawn.must("release", "film", "-o", OUT, code=4)
    assert "rose" in said and "approv" in said
    assert os.listdir(drawn.folder / "out") == [] and drawn.events() == before
    drawn.must("approve", "film", "rose", "--every-scene", "--how", "in-person", "--by", "lin")
    drawn.must("release", "film", "-o", OUT)


def test_a_withdrawal_while_it_is_drawn_is_heard(drawn: Desk) -> None:
    """Another process writes it down in the middle; the drawing ends as if nothing were, and nothing of it gets out."""
    with drawn.start("render", PLAN, "-o", "film/cut3") as process:
        end = time.monotonic() + 60
        while not held(drawn.film / "work.lock"):
            assert time.monotonic() < end and process.poll() is None
            time.sleep(0.1)
        drawn.must("person", "withdraw", "film", "rose", "--by", "lin")
        assert process.poll() is None
        _, said = process.communicate(timeout=200)
    assert process.returncode == 0, said
    assert [event for event in drawn.events() if event in ("withdrawn", "rendered")][-2:] == ["withdrawn", "rendered"]
    said = drawn.must("release", "film", "-o", OUT, code=4)
    assert "rose" in said and "withdr" in said
    assert os.listdir(drawn.folder / "out") == [] and "released" not in drawn.events()
    drawn.sound()


def test_a_withdrawal_between_the_first_look_and_the_last_is_heard(desk: Desk) -> None:
    (desk.folder / "out").mkdir()
    said = desk.must("release", OUT, code=4, script=AGAIN)
    assert "rose" in said and "withdr" in said
    assert os.listdir(desk.folder / "out") == []
    assert desk.events()[-1] == "withdrawn"
    desk.sound()


@pytest.mark.parametrize("place", ["film/film.mp4", "film/blobs/film.mp4", "there.mp4", "receipt.mp4", "link.mp4", "film.mkv",
                                   ".", "..", "nowhere/film.mp4", "closed/film.mp4"])
def test_where_it_cannot_go_it_does_not(place: str, desk: Desk) -> None:
    """In the project, over something, by a link, into no folder, under another kind of name: nothing is left, or entered."""
    for name in ("there.mp4", "receipt.receipt.json"):
        (desk.folder / name).write_text("mine")
    (desk.folder / "link.mp4").symlink_to("led.mp4")
    (desk.folder / "closed").mkdir(mode=0o555)
    before, events = _names(desk), desk.events()
    closed = ["unshare", "-rm", "sh", "-c", 'mount -t tmpfs -o ro none closed && exec "$@"', "-"]
    said = desk.must("release", "film", "-o", place, code=5, under=closed if place.startswith("closed") else ())
    assert f"facedouble: {place.split('/')[0].split('.')[0]}" in said and "a bug" not in said
    assert (_names(desk), desk.events()) == (before, events)
    assert (desk.folder / "there.mp4").read_text() == "mine"


def test_a_full_disk_at_the_destination(desk: Desk) -> None:
    """Too small for the film; and large enough for it, but not for the receipt. Then the log says that it is not out."""
    (desk.folder / "out").mkdir()
    show = 'mount -t tmpfs -o size=$0 none out && "$@"; code=$?; ls -A out; exit $code'
    film = max(size for size in (len(data) for data in _films(desk)))
    events = desk.events()
    for room, entered in ((8192, []), (-(-film // 4096) * 4096, ["released", "release undone"])):
        done = desk.run("release", "film", "-o", OUT, under=["unshare", "-rm", "sh", "-c", show, str(room)])
        assert done.returncode == 5 and "facedouble: " in done.stderr, (done.stdout, done.stderr)
        assert done.stdout == "", done.stdout  # of `ls`
        assert desk.events() == [*events, *entered]
    desk.must("release", "film", "-o", OUT)
    desk.sound()


def _films(desk: Desk) -> list[bytes]:
    from facedouble.store.vault import Keys

    with desk.opened(write=False) as project:
        vault = Keys(desk.film, project.recipient, project.keyring.identities).open()
        return [vault.open(name).read() for name in vault.names() if name.endswith(".mp4") and name.startswith("cut1/")]


def held(path: Path) -> bool:
    """Whether some process has locked a file."""
    return bool(re.search(rf"^\d+: FLOCK .*:{path.stat().st_ino} ", Path("/proc/locks").read_text(), re.MULTILINE))


def _names(desk: Desk) -> list[str]:
    """Everything on the desk."""
    return sorted(str(path.relative_to(desk.folder)) for path in desk.folder.rglob("*"))


def test_a_stick_that_knows_no_links(desk: Desk) -> None:
    """FAT and exFAT: no nameless files, no links. The film gets there whole all the same, and takes nobody's name."""
    (desk.folder / "out").mkdir()
    desk.must("release", "film", "-o", OUT, script=STICK)
    assert sorted(os.listdir(desk.folder / "out")) == GIVEN
    assert (desk.folder / OUT).read_bytes() in _films(desk)
    desk.must("review", "pack", "film", "rose", "-o", "out/rose.age", "--passphrase-fd", FIGURE, told=PHRASE, script=STICK)
    assert sorted(os.listdir(desk.folder / "out")) == [*GIVEN, "rose.age"]


@pytest.mark.parametrize("script", [STOPPED, ENTERED], ids=["before its name", "after its entry"])
def test_ctrl_c_between_the_books_and_the_name(script: str, desk: Desk) -> None:
    """Nothing is out, and the books say so; the next try gets it out."""
    (desk.folder / "out").mkdir()
    before = desk.events()
    desk.must("release", "film", "-o", OUT, code=130, script=script)
    assert os.listdir(desk.folder / "out") == []
    assert desk.events() == [*before, "released", "release undone"]
    desk.must("release", "film", "-o", OUT)
    desk.sound()


def test_other_subtitles_than_those_that_were_approved_do_not_go_out(desk: Desk) -> None:
    (desk.folder / "out").mkdir()
    (desk.folder / "words.srt").write_text("1\n00:00:00,100 --> 00:00:00,500\nanother word\n")
    before = desk.events()
    desk.must("release", "film", "-o", OUT, code=5, script=OTHER_WORDS)
    said = desk.must("review", "pack", "film", "rose", "-o", "out/rose.age", "--passphrase-fd", FIGURE, told=PHRASE, code=5,
                     script=OTHER_WORDS)
    assert "subtitles" in said and os.listdir(desk.folder / "out") == [] and desk.events() == before


def test_who_is_mute_is_asked_about_what_is_read(desk: Desk) -> None:
    """A film with subtitles in which the plan has no turn: they may be the words of whoever is seen."""
    assert "veil/read" in desk.must("approvals", "film")


def test_scenes_of_who_has_withdrawn_are_shown_to_nobody(desk: Desk) -> None:
    (desk.folder / "out").mkdir()
    desk.must("person", "withdraw", "film", "rose", "--by", "lin")
    before = desk.events()
    said = desk.must("review", "pack", "film", "rose", "-o", "out/rose.age", "--passphrase-fd", FIGURE, told=PHRASE, code=4)
    assert "rose has withdrawn" in said and os.listdir(desk.folder / "out") == [] and desk.events() == before


def test_a_withdrawal_while_a_pack_is_made_is_heard(desk: Desk) -> None:
    (desk.folder / "out").mkdir()
    said = desk.must("review", "pack", "film", "rose", "-o", "out/rose.age", "--passphrase-fd", FIGURE, told=PHRASE, code=4,
                     script=MEANWHILE)
    assert "rose has withdrawn" in said and os.listdir(desk.folder / "out") == [] and desk.events()[-1] == "withdrawn"


def test_a_pack_is_in_the_log_before_it_is_there(desk: Desk) -> None:
    """Stopped between the two: the log says more than happened, and never less."""
    (desk.folder / "out").mkdir()
    before = desk.events()
    desk.must("review", "pack", "film", "rose", "-o", "out/rose.age", "--passphrase-fd", FIGURE, told=PHRASE, code=130,
              script=UNNAMED)
    assert os.listdir(desk.folder / "out") == [] and desk.events() == [*before, "pack made"]
    assert not [name for name in desk.must("files", "film").splitlines() if "packs/" in name]
    said = desk.must("review", "pack", "film", "rose", "-o", "out/rose.age", "--passphrase-fd", FIGURE, told="weak", code=2)
    assert "passphrase" in said
