"""Commands are killed at random points; `bench/kills.py` does that fifty times."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.project import killing
from tests.project.desk import PLAN, Desk
from tests.project.whole import Whole

KILLS = {"add": 3, "approve": 2, "release": 3}  # and a render, below
NAMED = """
import os, signal, sys
from facedouble.pipeline import recorded
recorded.record = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
from facedouble.cli.main import main
main()
"""


def test_whatever_is_killed_leaves_all_or_nothing(whole: Whole, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Import, approval, release: the project opens afterwards, verifies, and the command can be done again."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(whole.desk.runtime))
    found = killing.run(whole, tmp_path, KILLS, seed=3)
    assert len(found) == sum(KILLS.values())
    assert [one for one in found if one.wrong] == []
    assert any(one.left == "as before" for one in found)


def test_a_film_that_was_not_written_down_any_more_is_drawn_again(desk: Desk) -> None:
    """Killed after the film got its name in the project, and before the log knew: the same command takes it away and goes on."""
    done = desk.run("render", PLAN, "-o", "film/cut2", script=NAMED)
    assert done.returncode == -signal.SIGKILL, done.stderr
    desk.must("render", PLAN, "-o", "film/cut2")
    assert desk.events().count("rendered") == 2
    assert "exists already" in desk.must("render", PLAN, "-o", "film/cut2", code=5)  # this one is written down, and stays
    desk.sound()
