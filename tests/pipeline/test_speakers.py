"""One clip from one command line: people by number, and what becomes of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facedouble.errors import AuditFailed, ModelError, UsageError
from facedouble.media.probe import probe
from facedouble.options import Options
from facedouble.pipeline.analyse import Analysis, Eyes, Progress, analyse
from facedouble.pipeline.auditions import looked_at
from facedouble.pipeline.digest import of_file
from facedouble.pipeline.hearing import Ears
from facedouble.pipeline.protect import Job, protect
from facedouble.pipeline.speakers import Voices, score_for, speakers
from facedouble.types import Floats, Turn
from facedouble.voice.casting import Candidate
from tests.pipeline.make_sound import NoiseVoice
from tests.pipeline.test_heard import MAKERS, SOUND, TURNS, sound_of, sounding, told


@pytest.fixture(scope="module")
def talk(witness: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sounding(tmp_path_factory.mktemp("speakers") / "talk.mp4", witness)


@pytest.fixture(scope="module")
def made(talk: Path, eyes: Eyes) -> Analysis:
    return analyse(probe(talk), eyes, Options())


def heard(made: Analysis, ears: Ears, people: Mapping[int, int] | None, progress: Progress) -> Sequence[Turn]:
    return told(made, {})


def test_people_go_from_left_to_right_and_then_who_is_not_seen(made: Analysis) -> None:
    turns = told(made, {})
    mixed = [replace(turns[1], voice=0), replace(turns[0], voice=7), replace(turns[2], voice=3), replace(turns[2], voice=-1)]
    found = speakers(made, mixed)
    assert [(s.number, s.voice, s.turns) for s in found] == [(1, 7, 1), (2, 0, 1), (3, 3, 1)]
    assert found[0].place is not None and found[1].place is not None and found[0].place < 0.5 < found[1].place
    assert found[2].place is None and [s.first for s in found] == [100, 900, 1800]


@pytest.mark.parametrize(("usual", "of", "gets"), [
    ("mute", (), ["mute"] * 4), ("a.fvoice", (), ["double 1"] * 4), ("keep", (), ["keep"] * 3 + ["keep"]),
    ("mute", ((1, "a.fvoice"), (2, "keep")), ["double 1", "keep", "mute", "mute"]),
    ("keep", ((1, "b.fvoice"),), ["double 1", "keep", "keep", "mute"]),  # nobody knows who the last is
    ("b.fvoice", ((3, "a.fvoice"),), ["double 2", "double 2", "double 1", "mute"]),
])
def test_what_becomes_of_each(made: Analysis, usual: str, of: tuple[tuple[int, str], ...], gets: list[str]) -> None:
    turns = (*told(made, {}), Turn(36000, 36500))
    score = score_for(Voices(usual, of, reason="so"), made, turns)
    assert [f"{c.voice} {c.of}".strip() for c in score.cues] == gets
    assert [c.person for c in score.cues] == ["person 1", "person 2", "person 3", ""]


def test_who_is_seen_is_kept_only_where_the_face_speaks(made: Analysis) -> None:
    turns = told(made, {})
    behind = replace(turns[2], voice=turns[1].voice)  # taken for the second, whose face it is not
    assert [c.voice for c in score_for(Voices("keep", reason="so"), made, (*turns[:2], behind)).cues] == ["keep", "keep", "mute"]
    said = score_for(Voices("a.fvoice"), made, (*turns[:2], behind))
    assert [c.voice for c in said.cues] == ["double", "double", "double"]


def test_who_is_not_there(made: Analysis) -> None:
    with pytest.raises(UsageError, match="3 people are heard"):
        score_for(Voices(of=((4, "mute"),)), made, told(made, {}))


@pytest.mark.parametrize(("words", "says"), [
    (("loud", []), "mute or keep"), (("mute", ["keep"]), "1=noor"), (("mute", ["x=keep"]), "1=noor"),
    (("mute", ["1="]), "1=noor"), (("mute", ["1=mute", "1=mute"]), "twice"),
    (("keep", []), "--reason"), (("mute", ["1=keep"]), "--reason"),
])
def test_words_that_are_none(words: tuple[str, list[str]], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        Voices.of_words(*words, "", "")


def test_one_converted_and_one_kept_from_one_line(talk: Path, job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("facedouble.pipeline.protect.open_ears", lambda models: None)
    voices = Voices.of_words("mute", ["1=noor.fvoice", "2=keep"], "", "she asked for it")
    mine = replace(job, source=talk, double="veil", voice=voices)
    report = protect(mine, Options(), makers=MAKERS, hear=heard)
    assert not report.errors and report.facts["voice"] == "by turns" and report.facts["voice_reason"] == "she asked for it"
    assert "noor" not in str(report.facts)
    was, now = sound_of(talk), sound_of(mine.destination)
    alike = [abs(float(np.corrcoef(was[a:b, 0], now[a:b, 0])[0, 1])) for a, b in
             [(round((a + 0.05) * SOUND), round((b - 0.05) * SOUND)) for a, b in TURNS]]
    assert alike[0] < 0.1 and alike[1] > 0.97 and alike[2] < 0.1
    assert np.abs(now[9600:33600]).max() > 0.1


@dataclass(frozen=True)
class Sampled(NoiseVoice):
    """A volunteer who can be compared with the witness."""

    sample: Candidate | None = None


def spectrum(looks: Floats) -> Floats:
    """Ears that know who speaks by nothing but the spectrum: all of these sound alike."""
    rows = np.log(np.abs(np.fft.rfft(looks, axis=1))[:, :6400].reshape(len(looks), 64, 100).mean(2) + 1e-3) + 7
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def test_a_voice_like_the_one_it_speaks_for_is_refused_before_anything_is_drawn(
        talk: Path, made: Analysis, job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    turns = tuple(replace(t, start=a, stop=b) for t, (a, b) in zip(told(made, {}), ((0, 30000), (30000, 36000)), strict=False))
    ears = Ears(lambda: lambda sound: sound, spectrum)
    monkeypatch.setattr("facedouble.pipeline.protect.open_ears", lambda models: ears)
    (prints,) = looked_at(made.info, {"person 1": [(0, 1875)]}, spectrum).values()
    assert len(prints) > 4
    own = of_file(talk)

    def render(sample: Candidate) -> dict[str, Any]:
        makers = replace(MAKERS, voice=lambda *_: Sampled(48000, 5, sample))
        mine = replace(job, source=talk, double="veil", voice=Voices.of_words("mute", ["1=noor.fvoice"], "", ""))
        facts = protect(mine, Options(), makers=makers, hear=lambda *_: turns).facts
        mine.destination.unlink()
        mine.report.unlink()
        mine.sheet.unlink()
        return facts

    alike = Candidate("a" * 16, prints)
    with pytest.raises(AuditFailed, match=r"voice 1 sounds too like person 1 \(likeness (0\.9|1\.0)"):
        render(alike)
    assert not job.destination.exists()
    record = {"voice": alike.id, "whom": "voice 1", "by": "K2", "reason": "his brother", "footage": [own], "likeness": 0.99}
    for wrong in ({"voice": "b" * 16}, {"whom": "voice 2"}, {"footage": ["0" * 64]}, {"footage": None}):
        with pytest.raises(AuditFailed):
            render(replace(alike, overrides=({**record, **wrong},)))
    (said,) = render(replace(alike, overrides=(record,)))["sound"]["likenesses"]
    assert said["whom"] == "person 1" and said["verdict"] == "refused"
    assert said["override"] == {"by": "K2", "reason": "his brother"}
    (said,) = render(Candidate("c" * 16, np.asarray(prints * np.sign(np.arange(64) - 31.5), np.float32)))["sound"]["likenesses"]
    assert said["verdict"] == "far" and said["override"] is None


def test_looks_are_of_who_speaks_alone(made: Analysis) -> None:
    def times(spans: dict[str, list[tuple[int, int]]]) -> dict[str, int]:
        return {who: len(found) for who, found in looked_at(made.info, spans, spectrum).items()}

    assert times({"P1": [(0, 900)], "P2": [(900, 1600)]}) == {"P1": 1, "P2": 0}  # .82 s each
    assert times({"P1": [(0, 2000)], "P2": [(500, 900)]}) == {"P1": 2, "P2": 0}
    assert times({"P1": [], "P2": [(5000, 9000)]}) == {"P1": 0, "P2": 0}  # after the end


def test_one_voice_for_two_is_told(talk: Path, job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("facedouble.pipeline.protect.open_ears", lambda models: None)
    mine = replace(job, source=talk, double="veil", voice=Voices.of_words("noor.fvoice", ["3=mute"], "", ""))
    assert protect(mine, Options(), makers=MAKERS, hear=heard).facts["sound"]["shared"] == {"1": ["person 1", "person 2"]}


def test_a_voice_that_is_missing_is_told_first(talk: Path, job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("facedouble.pipeline.protect.open_ears", lambda models: None)
    mine = replace(job, source=talk, double="veil", voice=Voices("gone.fvoice"))
    with pytest.raises(ModelError, match="gone"):
        protect(mine, Options(), makers=MAKERS, hear=heard)
    assert not mine.destination.exists()
