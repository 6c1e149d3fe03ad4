"""Every command of docs/project.md, in its order, at a terminal."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

from facedouble.store import settings
from tests.cli.terminal import at_terminal, made
from tests.store.make import an_identity

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "project.md").read_text()


def test_every_command_of_the_page_runs(tmp_path: Path) -> None:
    commands = re.findall(r"^ {4}facedouble (.*)$", PAGE, re.MULTILINE)
    assert len(commands) >= 17
    ana, film, phrase, head = an_identity(tmp_path / "ana.id"), tmp_path / "film", "", ""
    for command in commands:
        words = shlex.split(command)
        if "age1…" in words:
            words[words.index("age1…")] = ana if "--recipient" in words else settings.read(film).recipient
        if "…" in words:
            words[words.index("…")] = head
        if "recover" in words:  # somebody put an older copy there
            shutil.rmtree(film)
            shutil.copytree(tmp_path / "copy", film)
        answers = ["what it says"] if words[0] == "init" or words[:2] == ["keys", "add"] else [phrase]
        code, shown = at_terminal(words, tmp_path, answers, fresh=words[0] == "init")
        assert code == 0, (command, shown)
        if words[0] == "init" and not phrase:
            phrase = made(shown)
        if words[:2] == ["log", "head"]:
            head = shown.strip().rpartition(": ")[2]
            shutil.copytree(film, tmp_path / "copy")
        assert ("entry 3 of 3" in shown) is ("--words" in words)
