"""Every command of docs/people.md, in its order; what is asked unseen is answered through a descriptor."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from facedouble.store import consents, people, renders
from facedouble.store.project import Project
from tests.cli.test_people import ana, desk, run
from tests.store.cast import AGREED, MAN, NOW, ROSE, SAM, a_render
from tests.store.test_consents import filled

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "people.md").read_text()
COMMANDS = [line.strip().removeprefix("facedouble ") for line in re.findall(r"(?m)^ {4}(facedouble .*)$", PAGE)]
ASKS = re.compile(r"(person|volunteer) (consent(?! --template)|contact) |.* --note ")

__all__ = ["ana", "desk"]


def test_every_documented_command_runs(desk: Project) -> None:
    for name in ("rose", "sam", "v3", "v4"):
        Path(f"{name}.toml").write_text(filled(name.startswith("v")))
    Path("rose-says-yes.jpg").write_bytes(b"a scan")
    Path("noor-take.wav").write_bytes(b"a take")
    with desk.change("person added", {}) as db:
        people.add(db, "witness", "lin", NOW, "eva")
        consents.record(db, "eva", AGREED, "lin", NOW, reach="a friend")
    assert len(COMMANDS) > 25
    for command in COMMANDS:
        if command == "approvals film":
            _rendered(desk)
        if ASKS.match(command):
            asked = 'note = "x"' if " --note " in command or " contact " in command else 'reach = "a friend"'
            assert run(f"{command} --secret-fd FD", asked) == 0, command
        else:
            assert run(command) == (4 if command == "approvals film" else 0), command


def _rendered(project: Project) -> None:
    """The film that the page speaks of, with the files that it says were lent."""
    files = {str(k): str(f) for k, f in project.db.execute("SELECT kind, file FROM lent")}
    rose = replace(ROSE, double=files["face"], voice="revoice", voice_double=files["voice"])
    with project.change("rendered", {}) as db:
        renders.record(db, a_render((rose,), (rose, SAM, MAN)), "lin", NOW)


def test_the_page_says_what_cannot_be_taken_back_before_it_says_how_to_agree() -> None:
    assert 0 < PAGE.index("published copies\ncannot be called back") < PAGE.index("facedouble person consent film rose")


@pytest.mark.parametrize("word", ["passer-by", "Could not be reached", "mistaken for a witness", "older copy of the whole"])
def test_the_page_speaks_of_what_people_have_to_know(word: str) -> None:
    assert word in PAGE
