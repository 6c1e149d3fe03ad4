"""Every command of docs/first-card-to-release.md, in its order, at a terminal, on a real clip: a film goes out."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
import shutil
from pathlib import Path

import cv2
import pytest

from facedouble.demo.witness import portrait_pixels
from facedouble.media.container import violations
from tests.cli.documented import CONSENT
from tests.cli.terminal import at_terminal, made
from tests.store.test_consents import filled

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "first-card-to-release.md").read_text()
COMMANDS = re.findall(r"^ {4}facedouble (.*)$", PAGE, re.MULTILINE)
AFTER = ("files film/prints", "audit premiere.mp4 --plan film/film.plan.toml --clip A", "view film/audits/premiere.audit.json",
         "person withdraw film rose --by lin", "release film -o again.mp4")  # and then she changes her mind
SAID = "a friend of hers"
FRESH = ("init", "unlock", "analyse", "render", "release")  # by an interpreter of its own, which imports behind shut doors


@pytest.fixture
def desk(tmp_path: Path, witness: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a card, a portrait and records, and no home that anything could be left in."""
    for name in ("state", "card1"):
        (tmp_path / name).mkdir(mode=0o700)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    shutil.copy(witness, tmp_path / "card1" / "interview.mp4")
    cv2.imwrite(str(tmp_path / "portrait.png"), portrait_pixels("admiral", 700)[..., ::-1])
    (tmp_path / "consent.toml").write_text(CONSENT)
    (tmp_path / "rose.toml").write_text(filled(False))
    (tmp_path / "v3.toml").write_text(filled(True))
    return tmp_path


def test_a_film_goes_from_its_first_card_to_release(desk: Path) -> None:
    assert len(COMMANDS) >= 28
    phrase = ""
    try:
        for command in (*COMMANDS[:-1], *AFTER, COMMANDS[-1]):
            words = shlex.split(command)
            answers = ["what it says"] if words[0] == "init" or words[:2] in (["keys", "add"], ["review", "pack"]) else \
                [phrase] if words[0] == "unlock" else [SAID, "", "", "", ""]
            code, shown = at_terminal(words, desk, answers, limit_s=400, fresh=words[0] in FRESH)
            refused = words[0] == "approvals" or "again.mp4" in words
            assert code == (4 if refused else 0), (command, shown)
            assert ("prints/rose." in shown) is (command == AFTER[0]) and ("withdrawn" not in shown or command in AFTER)
            if words[0] == "init":
                phrase = made(shown)
    finally:
        at_terminal(["lock", "film"], desk)
    film, receipt = desk / "premiere.mp4", json.loads((desk / "premiere.receipt.json").read_text())
    assert violations(film) == [] and film.stat().st_mtime == 315532800
    assert json.loads(receipt["receipt"])["file"] == hashlib.sha256(film.read_bytes()).hexdigest()
    assert (desk / "rose.age").read_bytes().startswith(b"age-encryption.org/v1\n-> scrypt ")
    assert sorted(p.name for p in desk.iterdir()) == sorted([
        "card1", "consent.toml", "film", "portrait.png", "premiere.mp4", "premiere.receipt.json", "rose.age", "rose.toml",
        "state", "v3.age", "v3.toml"])
    everything = b"".join(p.read_bytes() for p in (desk / "film").rglob("*") if p.is_file())
    for canary in (SAID.encode(), b"rose", b"interview", b"SQLite", b"ftyp"):
        assert canary not in everything
