"""The voice commands as a user meets them: what they say, what they write, and the exit code of each mistake."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import typer

from facedouble.cli import plan_sound
from facedouble.cli.main import app
from facedouble.errors import ExitCode, FacedoubleError
from facedouble.pipeline import hearing, voices
from facedouble.plan import edit
from facedouble.plan.read import read
from facedouble.plan.voices import VoiceFile, Voicing
from facedouble.voice.file import write_voice
from tests.media.make import clip
from tests.media.test_recording import wav
from tests.pipeline.test_voices import EARS, Maker, spoken, voice_of
from tests.voice.test_picture import RATE, speech
from tests.voice.test_takes import planned

CONSENT = 'code = "V3"\nscope = ["film", "test"]\ndate = 2026-01-01\n'


def run(*words: str | Path) -> int:
    """The exit code of a command, in this process."""
    try:
        return int(app([str(w) for w in ("voice", *words)], standalone_mode=False) or 0)
    except FacedoubleError as error:
        sys.stdout.write(f"{error}\n")
        return int(error.exit_code)
    except typer.Exit as stop:
        return int(stop.exit_code)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with recordings, a voice, and ears that need no model."""
    monkeypatch.setattr(hearing, "open_ears", lambda: EARS)
    monkeypatch.setattr(voices, "open_maker", Maker)
    (tmp_path / "consent.toml").write_text(CONSENT)
    spoken(tmp_path / "reading.wav", 60, 16_000)
    spoken(tmp_path / "interview.wav", 30, 16_000, seed=1)
    (tmp_path / "voices").mkdir()
    made = voice_of(tmp_path / "reading.wav", EARS)
    for path in (tmp_path / "noor.fvoice", tmp_path / "voices" / "noor.fvoice"):
        write_voice(made, path)
    return tmp_path


def test_a_voice_is_made_and_shown(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("make", desk / "new.fvoice", desk / "reading.wav", "--consent", desk / "consent.toml") == ExitCode.DONE
    assert run("show", desk / "new.fvoice") == ExitCode.DONE
    said = capsys.readouterr().out
    assert said.count("consent: V3, for film, test, 2026-01-01") == 2 and "will know the voice" in said


def test_mistakes_have_their_exit_codes(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = desk / "old.toml"
    old.write_text(CONSENT + "until = 2026-02-01\n")
    (desk / "bad.fvoice").write_bytes((desk / "noor.fvoice").read_bytes()[:-3])
    silent = wav(desk / "silent.wav", np.zeros((32_000, 1), np.float32), 16_000)
    voice, page = desk / "noor.fvoice", desk / "listen.html"
    for words, code, says in (
        (("make", desk / "n.fvoice", desk / "reading.wav"), ExitCode.CONSENT, "--consent"),
        (("make", voice, desk / "reading.wav", "--consent", desk / "consent.toml"), ExitCode.STORE, "exists"),
        (("make", desk / "n.fvoice", desk / "reading.wav", "--consent", old), ExitCode.CONSENT, "of this voice double ended"),
        (("make", desk / "n.fvoice", silent, "--consent", desk / "consent.toml"), ExitCode.INPUT, "no speech"),
        (("make", desk / "n.fvoice", desk / "none.wav", "--consent", desk / "consent.toml"), ExitCode.INPUT, "no such file"),
        (("show", desk / "none.fvoice"), ExitCode.INPUT, "no such voice"),
        (("show", desk / "bad.fvoice"), ExitCode.INPUT, "not a whole voice"),
        (("check", desk / "bad.fvoice", "--against", desk / "interview.wav"), ExitCode.INPUT, "not a whole voice"),
        (("check", voice, "--against", silent), ExitCode.INPUT, "nobody speaks"),
        (("check", voice, "--against", clip(desk / "silent.mp4")), ExitCode.INPUT, "no sound"),
        (("rank", desk / "none", "--for", desk / "interview.wav"), ExitCode.USAGE, "no such folder"),
        (("rank", desk / "voices", "--for", silent), ExitCode.INPUT, "nobody speaks"),
        (("compare", desk / "interview.wav", desk / "none.mp4", "-o", page), ExitCode.INPUT, "no such file"),
        (("compare", desk / "interview.wav", desk / "reading.wav", "-o", voice), ExitCode.STORE, "exists"),
        (("compare", desk / "interview.wav", desk / "reading.wav", "-o", page, "--plan", desk / "no.toml"),
         ExitCode.USAGE, "the plan cannot be read"),
        (("compare", desk / "interview.wav", desk / "reading.wav", "-o", page, "--from", "99"), ExitCode.INPUT, "earlier --from"),
    ):
        assert run(*words) == code, words
        assert says in capsys.readouterr().out, words
    assert not page.exists() and not (desk / "n.fvoice").exists()


def test_too_alike_is_refused_unless_somebody_takes_it(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    check = ("check", desk / "noor.fvoice", "--against", desk / "interview.wav")  # coarse ears: all of these sound alike
    assert run(*check) == ExitCode.AUDIT and "too alike: refused" in capsys.readouterr().out
    assert run(*check, "--override", "voice 1", "--by", "K2") == ExitCode.USAGE
    assert run(*check, "--override", "voice 7", "--by", "K2", "--reason", "x") == ExitCode.USAGE
    assert run(*check, "--override", "voice 1", "--by", "K2", "--reason", "his brother, both agree") == ExitCode.DONE
    (record,) = json.loads((desk / "noor.override.json").read_text())
    assert record["by"] == "K2" and record["whom"] == "voice 1" and record["reason"] == "his brother, both agree"
    assert run(*check) == ExitCode.DONE, "it is known by now"
    other = ("check", desk / "noor.fvoice", "--against", spoken(desk / "other.wav", 30, 16_000, seed=2))  # the next film
    assert run(*other) == ExitCode.AUDIT, "that was decided about other footage"
    assert run(*other, "--override", "voice 1", "--by", "K2", "--reason", "asked again") == ExitCode.DONE
    assert run(*check) == run(*other) == ExitCode.DONE
    assert [r["reason"] for r in json.loads((desk / "noor.override.json").read_text())] == [record["reason"], "asked again"]
    (desk / "noor.override.json").write_text("{")
    assert run(*check) == ExitCode.INPUT


def test_one_voice_for_two_people_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = planned(tmp_path / "film.plan.toml").read_text()
    text = edit.add(text, VoiceFile("noor", "noor.fvoice"), VoiceFile("iva", "iva.fvoice"))
    text = edit.voice(text, "P1", Voicing.of_words("double noor", "Lin", ""))
    for other, told in (("iva", False), ("noor", True)):
        plan_sound.told(read(edit.voice(text, "P2", Voicing.of_words(f"double {other}", "Lin", ""))))
        assert ("voice noor speaks for P1, P2" in capsys.readouterr().out) == told


def test_what_came_of_the_sound_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    turn = {"from": "00:00:01.000", "to": "00:00:02.000", "flags": [], "voice": "keep"}
    said = {"turns": [turn], "seconds": {"keep": 1.0}, "ambience": "new", "shared": {}, "likenesses": [], "guarded": []}
    plan_sound.came_of("A", SimpleNamespace(facts={"sound": said}))
    assert len(capsys.readouterr().out.splitlines()) == 1
    like = {"voice": "revoice", "whom": "P1", "likeness": 0.71, "verdict": "refused", "override": None}
    plan_sound.came_of("A", SimpleNamespace(facts={"sound": {
        **said, "guarded": [["00:00:01.000", "00:00:01.300"]], "likenesses": [like], "shared": {"noor": ["P1", "P2"]},
        "turns": [turn, *({**turn, "voice": "mute", "to": f"00:00:{k}"} for k in range(10, 24))]}}))
    out = capsys.readouterr().out
    assert "not heard of kept turns, because another voice touches them: 00:00:01.000 to 00:00:01.300;" in out
    assert "muted: 00:00:01.000 to 00:00:10, " in out and "00:00:21 and 2 more\n" in out
    assert "takes for P1 sound like" in out and "voice noor speaks for P1, P2" in out


def test_a_folder_is_ranked(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("rank", desk / "voices", "--for", desk / "interview.wav") == ExitCode.DONE
    said = capsys.readouterr().out
    assert said.startswith("voice 1:\n  1. noor (of ") and "refused" in said


def test_the_page_is_written_and_says_what_it_holds(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    after = wav(desk / "after.wav", speech(30, 200, 9)[:, None], RATE)
    assert run("compare", desk / "interview.wav", after, "-o", desk / "listen.html") == ExitCode.DONE
    assert "ORIGINAL voice" in capsys.readouterr().out
    assert (desk / "listen.html").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("command", ["make", "show", "check", "rank", "compare"])
def test_help_has_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(command, "--help") == 0
    assert "Example: facedouble voice" in capsys.readouterr().out
