"""Two at once, a disk that is full, a stick that is pulled: a sentence, and a project that is as it was."""

from __future__ import annotations

import os
import random
import shutil
import time

import pytest

from tests.project.desk import PLAN, Desk, kill
from tests.project.test_door import held

SMALL = """
mount -t tmpfs -o size=$0 none small && cp -a film small/film && "$@"; code=$?
mount -o remount,size=64m small && rm -r film && cp -a small/film film; exit $code
"""


def on_a_disk_with(room: int, desk: Desk, *words: str) -> str:
    """Run a command that has to fail, with the project on a disk with only so much room besides; what it said last."""
    (desk.folder / "small").mkdir()
    taken = sum(-(-path.stat().st_size // 4096) * 4096 for path in desk.film.rglob("*") if path.is_file())
    given = [word.replace("film/", "small/film/") if "/" in word else word.replace("film", "small/film") for word in words]
    said = desk.must(*given, code=5, under=["unshare", "-rm", "sh", "-c", SMALL, str(taken + room)]).strip().splitlines()[-1]
    assert said.startswith("facedouble: ") and ("room" in said or "full" in said), said
    return said


def footage(desk: Desk, size: int) -> str:
    """A file of this size, which says nothing."""
    (desk.folder / "card").mkdir()
    (desk.folder / "card" / "long.mov").write_bytes(random.Random(size).randbytes(size))
    return "card/long.mov"


def whole_and_going_on(desk: Desk) -> None:
    """Nothing is damaged: it verifies, what comes in next is taken and all of it is what it was, and no half file is left."""
    desk.sound()
    (desk.folder / "next.mov").write_bytes(b"the next day")
    desk.must("add", "film", "next.mov")
    desk.must("evidence", "verify", "film")
    assert not [path for path in desk.film.rglob("*") if path.name.startswith(".") or path.suffix == ".part"]


def waited_for(desk: Desk) -> None:
    end = time.monotonic() + 60
    while not held(desk.film / "work.lock"):
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_second_writer_is_told_who_is_there(desk: Desk) -> None:
    """While a film is drawn: other work on files is refused and says why; looking, and what people say, is not."""
    with desk.start("render", PLAN, "-o", "film/cut2") as process:
        try:
            waited_for(desk)
            for command in (("render", PLAN, "-o", "film/cut3"), ("add", "film", footage(desk, 1000)),
                            ("plan", "decide", PLAN, "P1", "hide", "--by", "ana", "--reason", "meanwhile")):
                said = desk.must(*command, code=5).strip().splitlines()[-1]
                assert "another" in said and ("wait" in said or "stop it" in said), said
            assert process.poll() is None
            desk.must("person", "list", "film")
            desk.must("log", "verify", "film")
        finally:
            kill(process)
    whole_and_going_on(desk)


def test_many_who_write_at_once(desk: Desk) -> None:
    """Each of them gets into the log, one after the other."""
    before = len(desk.events())
    begun = [desk.start("person", "add", "film", "passer-by", "--by", "lin") for _ in range(4)]
    for process in begun:
        _, said = process.communicate(timeout=100)
        assert process.returncode == 0, said
    assert len(desk.events()) == before + 4
    desk.sound()


@pytest.mark.parametrize("room", [400_000, 2_060_000])
def test_a_full_disk_while_footage_comes_in(room: int, desk: Desk) -> None:
    """Full while it is copied, or when the small things are written that make it count."""
    path = footage(desk, 2_000_000)
    before = desk.must("evidence", "list", "film")
    on_a_disk_with(room, desk, "add", "film", path)
    assert desk.must("evidence", "list", "film") == before
    whole_and_going_on(desk)


def test_a_full_disk_while_a_film_is_made(desk: Desk) -> None:
    desk.must("plan", "decide", PLAN, "P1", "hide", "--by", "ana", "--reason", "she asked for more")
    before = desk.events()
    on_a_disk_with(40_000, desk, "render", PLAN, "-o", "film/cut2")
    assert desk.events() == before
    whole_and_going_on(desk)


@pytest.mark.parametrize("command", [("render", PLAN, "-o", "film/cut2"), ("add", "film", "card/long.mov")])
def test_a_stick_that_is_pulled(command: tuple[str, ...], desk: Desk) -> None:
    """Its folder is gone in the middle, and comes back: a sentence, and everything that was said to be there is there."""
    footage(desk, 40_000_000)
    before = desk.events()
    with desk.start(*command) as process:
        waited_for(desk)
        os.rename(desk.film, desk.folder / "pulled")
        _, said = process.communicate(timeout=200)
    assert process.returncode == 5 and said.strip().splitlines()[-1].startswith("facedouble: "), (process.returncode, said)
    assert "Traceback" not in said
    if (desk.film).exists():  # what was begun anew where the stick was is nothing of the project
        assert not [path for path in desk.film.rglob("*") if path.is_file() and path.stat().st_size]
        shutil.rmtree(desk.film)
    os.rename(desk.folder / "pulled", desk.film)
    assert desk.events() == before
    whole_and_going_on(desk)
