"""Two people who speak, from the plan's first writing to the finished film: who is heard, and as what."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facedouble.colour import picture
from facedouble.errors import AuditFailed, InputRefused, ModelError, UsageError
from facedouble.media.decode import frames
from facedouble.media.encode import Writer
from facedouble.media.probe import probe
from facedouble.media.sound import pcm, sample_count
from facedouble.media.takes import write_take
from facedouble.options import DrawOptions, EncodeOptions, Options
from facedouble.pipeline.analyse import Analysis
from facedouble.pipeline.film import Film, Home, look_at
from facedouble.pipeline.heard import Makers, fitted, open_take, read_heard, score_of, span_of, speech_of, take_of, write_heard
from facedouble.pipeline.hearing import Ears
from facedouble.pipeline.screening import Screening, render_film
from facedouble.pipeline.sound import Convert
from facedouble.pipeline.voices import people_of
from facedouble.plan import edit
from facedouble.plan.plan import Plan
from facedouble.plan.read import read
from facedouble.plan.values import Clip
from facedouble.plan.voices import Ambience, Bleep, Speech, VoiceFile, Voicing
from facedouble.protect.composite import compose
from facedouble.types import AudioInfo, Colour, Floats, Frame, MediaInfo, Turn
from facedouble.voice.casting import Candidate
from facedouble.voice.level import LEVEL
from tests.pipeline.make_sound import Hiss, NoiseVoice, fit, halved, hiss
from tests.pipeline.two_faces import RATE, planes, side_by_side

TODAY = dt.date(2026, 11, 21)
SOUND = 48000
TURNS = ((0.1, 0.8), (0.9, 1.6), (1.8, 2.2))  # s: the witness, the other, somebody who is not seen


def talk(seconds: float, seed: int = 3) -> Floats:
    """(N, 2): noise that swells in the turns, a faint hiss between them."""
    at = np.arange(round(seconds * SOUND)) / SOUND
    spoken = np.any([(a <= at) & (at < b) for a, b in TURNS], axis=0)
    loud = 0.003 + 0.2 * spoken * (0.6 + 0.4 * np.sin(2 * np.pi * 5 * at))
    wave = np.random.default_rng(seed).standard_normal(len(at))
    soft = np.convolve(wave, np.ones(6) / 6, "same") * 2
    return np.repeat((loud * soft)[:, None], 2, 1).astype(np.float32)


def sounding(path: Path, witness: Path) -> Path:
    """The two faces with that sound."""
    pictures = list(side_by_side(witness))
    h, w = pictures[0].shape[:2]
    info = MediaInfo("made", "mp4", w, h, None, RATE, 1 / RATE, Fraction(0), None, 0, Fraction(1), Colour(), "yuv420p", 8, (), (),
                     ())
    sound = (SOUND, 2, Fraction(0), iter([talk(len(pictures) / 25)]))
    with Writer(path, info, EncodeOptions(crf=12), [sound]) as writer:
        for i, rgb in enumerate(pictures):
            frame = Frame(i, i, 1, 1 / RATE, planes(np.ascontiguousarray(rgb)), "yuv420p", Colour())
            writer.add(compose(frame, [], DrawOptions(), 0).safe)
    return path


def told(made: Analysis, people: Mapping[int, int]) -> Sequence[Turn]:
    """What a perfect listener would say."""
    by_x = sorted(made.roles, key=lambda r: r.track.boxes[0].centre[0])
    tracks = [by_x[0].track.id, by_x[-1].track.id, None]
    return tuple(Turn(round(a * 16000), round(b * 16000), k, track, ("laughter?",) if track is None else ())
                 for k, ((a, b), track) in enumerate(zip(TURNS, tracks, strict=True)))


@pytest.fixture(scope="module")
def film(witness: Path, tmp_path_factory: pytest.TempPathFactory) -> Home:
    folder = tmp_path_factory.mktemp("heard")
    sounding(folder / "talk.mp4", witness)
    home = Home(folder / "film.plan.toml")
    look_at([folder / "talk.mp4"], home, Options(), hear=told)
    return home


@pytest.fixture
def undone(film: Home) -> Iterator[Home]:
    """The film, whose plan is as it was again after the test."""
    before = film.text()
    yield film
    film.put(before)


def speakers(home: Home) -> list[str]:
    return [turn.person for _, turn in read(home.text()).turns("A")]


def voice(path: Path, purpose: str, today: dt.date, models: Path | None) -> Convert:
    if path.stem == "gone":
        raise ModelError(f"{path}: no such voice")
    if path.stem == "mad":
        return Mad()
    return NoiseVoice(48000)


class Mad(NoiseVoice):
    def __call__(self, sound: Floats) -> Floats:
        raise FloatingPointError("mad")


MAKERS = Makers(voice, open_take, fit, hiss, halved)


def render(home: Home, out: Path) -> dict[str, object]:
    return render_film(Screening(home, out, "film", TODAY), Options(), makers=MAKERS)["A"].facts


def sound_of(path: Path) -> Floats:
    info = probe(path)
    return np.concatenate(list(pcm(info, info.audio[0].index)))


def kept(home: Home, out: Path) -> list[float]:
    """How much of each turn is the footage's, by correlation."""
    was, now = sound_of(home.plan.parent / "talk.mp4"), sound_of(out / "A.mp4")
    n = min(len(was), len(now))
    found = []
    for start, stop in TURNS:
        part = slice(round((start + 0.05) * SOUND), min(round((stop - 0.05) * SOUND), n))
        a, b = was[part, 0], now[part, 0]
        found.append(float(a @ b) / max(float((a @ a) * (b @ b)) ** 0.5, 1e-9))
    return found


def decided(home: Home, first: str, second: str) -> None:
    """What the witness' turn becomes, and the other's."""
    one, other = speakers(home)[:2]
    known = {v.name for v in read(home.text()).voices}
    text = edit.add(home.text(), *(VoiceFile(n, f"{n}.fvoice") for n in ("noor", "mad", "gone") if n not in known))
    for person, said in ((one, first), (other, second)):
        text = edit.voice(text, person, Voicing.of_words(said, "Lin", "asked" if said == "keep" else ""))
    home.put(text)


def test_the_turns_are_in_the_plan_and_nobody_is_heard(film: Home, tmp_path: Path) -> None:
    plan = read(film.text())
    assert [(t.start, t.stop) for _, t in plan.turns("A")] == [(100, 800), (900, 1600), (1800, 2200)]
    assert [t.flags for _, t in plan.turns("A")] == [(), (), ("laughter?",)]
    one, other, off = speakers(film)
    assert one and other and one != other and not off
    facts = render(film, tmp_path)
    assert facts["voice"] == "mute" and not sound_of(tmp_path / "A.mp4").any()


def test_one_converted_one_kept_and_who_is_not_seen_is_muted(undone: Home, tmp_path: Path) -> None:
    decided(undone, "double noor", "keep")
    facts = render(undone, tmp_path)
    first, second, third = kept(undone, tmp_path)
    assert abs(first) < 0.1 and second > 0.97 and abs(third) < 0.1
    now = sound_of(tmp_path / "A.mp4")
    assert np.sqrt(np.square(now[7200:36000]).mean()) > 0.3 * 10 ** (LEVEL / 20)  # something is said
    assert np.abs(now[round(1.85 * SOUND) : round(2.15 * SOUND)]).max() < 0.1
    info = probe(tmp_path / "A.mp4")
    before = probe(undone.plan.parent / "talk.mp4")
    assert sample_count(info, info.audio[0].index) == sample_count(before, before.audio[0].index)
    said = facts["sound"]
    assert isinstance(said, dict)
    assert [t["voice"] for t in said["turns"]] == ["double noor", "keep", "mute"] and said["turns"][2]["flags"] == ["laughter?"]
    assert facts["voice_reason"] == "Lin: asked" and said["seconds"]["double"] == pytest.approx(0.7, abs=0.01)
    assert facts["voice"] == "by turns" and str(undone.plan.parent) not in str(facts)


def test_chance_begins_with_what_only_the_footage_tells(undone: Home, tmp_path: Path) -> None:
    """Who has the film and this program could read the sound of the place at its true times, if the seed were 0."""
    began: list[object] = []

    class Told(Hiss):
        def sound(self, samples: int, channels: int, rate: int, rng: np.random.Generator) -> Iterator[Floats]:
            began.append(rng.bit_generator.seed_seq.entropy)  # type: ignore[attr-defined]
            return super().sound(samples, channels, rate, rng)

    steps: list[tuple[str, int, int | None]] = []
    decided(undone, "double noor", "keep")
    job = Screening(undone, tmp_path, "film", TODAY)
    makers = replace(MAKERS, tone=lambda blocks, rate, pauses: Told(0))
    render_film(job, Options(), makers=makers, progress=lambda *step: steps.append(step))
    footage = undone.plan.parent / "talk.mp4"
    mine = int(hashlib.sha256(b"facedouble sound 0 " + footage.read_bytes()).hexdigest(), 16)
    assert began == [[mine, 0, 0]]
    plain = read(undone.text()).clip("A").sha256
    assert mine != int(plain, 16) and f"{mine:x}" not in (tmp_path / "A.report.json").read_text()
    made = [(done, total) for step, done, total in steps if step == "making sound"]
    assert made == [(1, 2), (2, 2)], "progress is told in seconds while the sound is made"


def test_a_voice_like_a_person_of_the_plan_is_refused(undone: Home, tmp_path: Path,
                                                      monkeypatch: pytest.MonkeyPatch) -> None:
    def spectrum(looks: Floats) -> Floats:
        rows = np.log(np.abs(np.fft.rfft(looks, axis=1))[:, :6400].reshape(len(looks), 64, 100).mean(2) + 1e-3) + 7
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)

    ears = Ears(lambda: lambda sound: sound, spectrum)
    monkeypatch.setattr("facedouble.pipeline.screening.open_ears", lambda models: ears)
    one, other, _ = speakers(undone)
    before = undone.text()
    undone.put(edit.add(before[: before.index("\n[[turn]]")], Speech("A", 0, 1800, one), Speech("A", 1800, 2200, other)))
    decided(undone, "double noor", "mute")
    found = people_of(undone, ears)
    assert list(found) == [one] and len(found[one]) > 3, "the other says too little"
    sample = Candidate("a" * 16, found[one])

    @dataclass(frozen=True)
    class Sampled(NoiseVoice):
        sample: Candidate | None = None

    def render_as(sample: Candidate) -> dict[str, Any]:
        makers = replace(MAKERS, voice=lambda *_: Sampled(48000, 5, sample))
        return render_film(Screening(undone, tmp_path / "safe", "film", TODAY), Options(), makers=makers)["A"].facts

    with pytest.raises(AuditFailed, match=f"voice noor sounds too like {one}"):
        render_as(sample)
    assert not (tmp_path / "safe").exists(), "before anything is drawn"
    said = {"voice": sample.id, "whom": one, "by": "K2", "reason": "r", "footage": [read(before).clip("A").sha256]}
    facts = render_as(replace(sample, overrides=(said,)))
    assert facts["sound"]["likenesses"][0]["override"] == {"by": "K2", "reason": "r"}
    for name, seed in (("own", 3), ("hers", 4)):
        (undone.plan.parent / f"{name}.wav").unlink(missing_ok=True)
        write_take(undone.plan.parent / f"{name}.wav", talk(2.3, seed)[: round(1.7 * SOUND), 0] * np.float32(0.5), SOUND)
    decided(undone, "revoice own.wav", "mute")  # the wrong file
    with pytest.raises(InputRefused, match=r"turn 1 of clip A: .* own sound"):
        render(undone, tmp_path / "take")
    assert not (tmp_path / "take").exists(), "before anything is drawn"
    decided(undone, "revoice hers.wav", "mute")
    facts = render_film(Screening(undone, tmp_path / "take", "film", TODAY), Options(), makers=MAKERS)["A"].facts
    (found,) = facts["sound"]["likenesses"]
    assert (found["voice"], found["whom"], found["verdict"]) == ("revoice", one, "refused")


def test_takes_that_do_not_fit_their_turns_are_told_all_at_once_before_anything_is_drawn(undone: Home, tmp_path: Path) -> None:
    """The volunteer spoke too much, and then somebody else's line."""
    takes = undone.plan.parent / "fits"
    takes.mkdir()
    said = talk(2.3, 7)[:, 0]
    write_take(takes / "A-1.wav", np.tile(said, 3), SOUND)
    write_take(takes / "A-2.wav", said[: round(0.2 * SOUND)], SOUND)
    decided(undone, "revoice fits", "revoice fits")
    with pytest.raises(InputRefused) as caught:
        render_film(Screening(undone, tmp_path / "safe", "film", TODAY), Options(), makers=replace(MAKERS, fit=fitted))
    told_ = str(caught.value)
    assert "turn 1 of clip A: the take is far too long" in told_ and "turn 2 of clip A: the take is far too short" in told_
    assert "--voice mute" in told_ and not (tmp_path / "safe").exists()


def test_another_voice_draws_no_picture_again(undone: Home, tmp_path: Path) -> None:
    def chunks() -> dict[str, tuple[int, int]]:
        return {p.name: (p.stat().st_ino, p.stat().st_mtime_ns) for p in undone.of("A", "parts").glob("*.chunk")}

    one = render(undone, tmp_path / "one")
    before = chunks()
    decided(undone, "double noor", "mute")
    two = render(undone, tmp_path / "two")
    assert before and chunks() == before
    assert one["said"] == two["said"] and one["heard"] != two["heard"]
    pictures = [[picture(f) for f in frames(probe(tmp_path / n / "A.mp4"))] for n in ("one", "two")]
    assert all(np.array_equal(a, b) for a, b in zip(*pictures, strict=True))


def test_a_turn_that_fails_is_muted_and_told(undone: Home, tmp_path: Path) -> None:
    decided(undone, "double mad", "keep")
    report = render_film(Screening(undone, tmp_path, "film", TODAY), Options(), makers=MAKERS)["A"]
    assert report.errors == ("turn 1 is muted: FloatingPointError while it was made",)
    first, second, _ = kept(undone, tmp_path)
    assert abs(first) < 0.1 and second > 0.97
    assert report.facts["sound"]["turns"][0]["failed"]


@pytest.mark.parametrize("said", ["double gone", "revoice takes/none.wav", "revoice takes"])
def test_what_is_missing_is_told_before_anything_is_drawn(undone: Home, tmp_path: Path, said: str) -> None:
    (undone.plan.parent / "takes").mkdir(exist_ok=True)
    decided(undone, said, "mute")
    with pytest.raises((ModelError, InputRefused)) as caught:
        render(undone, tmp_path / "safe")
    assert "gone.fvoice" in str(caught.value) or "takes" in str(caught.value)
    assert not (tmp_path / "safe").exists()


def test_a_bleep_is_heard_over_the_kept(undone: Home, tmp_path: Path) -> None:
    decided(undone, "mute", "keep")
    undone.put(edit.add(undone.text(), Bleep("A", 1100, 1300, "Lin", "a name")))
    facts = render(undone, tmp_path)
    now = sound_of(tmp_path / "A.mp4")[round(1.06 * SOUND) : round(1.34 * SOUND), 0]
    was = sound_of(undone.plan.parent / "talk.mp4")[round(1.06 * SOUND) : round(1.34 * SOUND), 0]
    assert abs(float(was @ now)) < 0.1 * float((was @ was) * (now @ now)) ** 0.5
    spectrum = np.abs(np.fft.rfft(now * np.hanning(len(now))))
    assert abs(int(spectrum.argmax()) * SOUND / len(now) - 1000) < 5
    assert facts["sound"]["bleeps"] == [["00:00:01.100", "00:00:01.300"]]  # type: ignore[index]


def test_turns_come_once_and_what_was_deleted_stays_away(undone: Home) -> None:
    before = undone.text()
    look_at([], undone, Options(), hear=told)
    assert undone.text() == before
    text = before[: before.index("\n[[turn]]")]
    undone.put(text)
    look_at([], undone, Options(), hear=told)
    assert not read(undone.text()).speech


def test_who_is_heard_gets_no_turns_of_new_footage(undone: Home) -> None:
    decided(undone, "keep", "mute")
    film, made = Film(undone, Options()), Film(undone, Options()).made["A"]
    people = [t.person for t in speech_of(film.plan, "A", made.info, told(made, {}))]
    assert people == ["", speakers(undone)[1], ""]
    (track,) = {t.track for t in told(made, {})[:1]}
    cut = replace(film.plan, people=tuple(replace(p, voice="mute", faces=tuple(replace(f, stop=10) if f.track == track else f
                                                                                 for f in p.faces)) for p in film.plan.people))
    assert speech_of(cut, "A", made.info, told(made, {}))[0].person == ""  # somebody's in a part of it only


def test_ambience_is_only_for_who_has_listened(undone: Home, tmp_path: Path) -> None:
    undone.put(edit.ambience(undone.text(), Ambience("keep", "Lin", "a studio")))
    path = undone.of("A", "heard.json")
    held = path.read_bytes()
    try:
        path.unlink()
        with pytest.raises(UsageError, match="facedouble analyse"):
            render(undone, tmp_path / "safe")
    finally:
        path.write_bytes(held)
    render(undone, tmp_path / "safe")
    was, now = sound_of(undone.plan.parent / "talk.mp4"), sound_of(tmp_path / "safe" / "A.mp4")
    assert all(abs(k) < 0.1 for k in kept(undone, tmp_path / "safe"))
    part = slice(round(2.365 * SOUND), round(2.395 * SOUND))  # .15 s after the last turn
    assert np.corrcoef(was[part, 0], now[part, 0])[0, 1] > 0.9


def test_the_ends_are_rounded_outwards_on_the_pictures_clock() -> None:
    audio = AudioInfo(1, "aac", 48000, 2, Fraction(1, 10), None)
    info = MediaInfo("x", "mp4", 8, 8, None, RATE, 1 / RATE, Fraction(1, 4), None, 0, Fraction(1), Colour(), "yuv420p", 8,
                     (audio, replace(audio, start=Fraction(1, 2))), (), ())
    assert span_of(Turn(16001, 16017), info) == (850, 852)
    assert span_of(Turn(0, 100), info) == (0, 1)


def test_what_was_heard_is_of_that_footage(tmp_path: Path) -> None:
    path, turns = tmp_path / "A.heard.json", (Turn(1, 5, 2, None, ("overlap",)), Turn(7, 9, -1, 3))
    assert read_heard(path, "a") is None
    write_heard(path, "a", turns)
    assert read_heard(path, "a") == turns and read_heard(path, "b") is None
    for damage in ('{"format": "facedouble-heard-1", "footage": "a", "turns": [[5, 1, 0, null, []]]}', "{", "[]"):
        path.write_text(damage)
        with pytest.raises(InputRefused, match="analyse"):
            read_heard(path, "a")


def test_takes_in_a_folder_go_by_clip_and_turn(tmp_path: Path) -> None:
    for name in ("A-3.wav", "A-31.wav", "A-4.flac", "A-4.wav", "A-3.txt"):
        (tmp_path / name).write_bytes(b"")
    assert take_of(tmp_path, "A", 3).name == "A-3.wav"
    assert take_of(tmp_path, "A", 5).name == "A-5.wav"  # which is not there, and refused by its name
    (tmp_path / "turn-007.wav").write_bytes(b"")  # as a cue sheet calls it
    assert take_of(tmp_path, "A", 7, True).name == "turn-007.wav" and take_of(tmp_path, "B", 7).name == "B-7.wav"
    with pytest.raises(UsageError, match="2 takes"):
        take_of(tmp_path, "A", 4)


def test_a_take_speaks_one_turn() -> None:
    clip = Clip("A", "a.mp4", "a" * 64, 100, Fraction(25))
    info = MediaInfo("x", "mp4", 8, 8, None, RATE, 1 / RATE, Fraction(0), None, 0, Fraction(1), Colour(), "yuv420p", 8, (), (),
                     ())
    again = Voicing.of_words("revoice a.wav")
    plan = Plan((clip,), speech=(Speech("A", 100, 300, voicing=again), Speech("A", 500, 900, voicing=again)))
    with pytest.raises(UsageError, match="one take cannot speak 2 turns"):
        score_of(plan, "A", info, None, Path())


def test_what_no_take_can_speak_is_told_before_anything_is_drawn(tmp_path: Path) -> None:
    clip = Clip("A", "a.mp4", "a" * 64, 100_000, Fraction(25))
    info = MediaInfo("x", "mp4", 8, 8, None, RATE, 1 / RATE, Fraction(0), None, 0, Fraction(1), Colour(), "yuv420p", 8, (), (),
                     ())
    plan = Plan((clip,), speech=(Speech("A", 100, 301_000, voicing=Voicing.of_words("revoice a.wav")),))
    with pytest.raises(UsageError, match=r"turn 1 of clip A lasts 300 s.*split"):
        score_of(plan, "A", info, None, Path())
    write_take(tmp_path / "still.wav", np.zeros(48000, np.float32), 48000)
    with pytest.raises(InputRefused, match=r"still\.wav: the take is silent"):
        open_take(tmp_path / "still.wav")


def test_the_score_of_a_plan() -> None:
    clip = Clip("A", "a.mp4", "a" * 64, 100, Fraction(25))
    plan = Plan((clip,), speech=(Speech("A", 500, 900), Speech("A", 100, 300, voicing=Voicing("keep", by="L", reason="r"))),
                bleeps=(Bleep("A", 1, 2, sound="silence"),))
    info = MediaInfo("x", "mp4", 8, 8, None, RATE, 1 / RATE, Fraction(0), None, 0, Fraction(1), Colour(), "yuv420p", 8, (), (),
                     ())
    score = score_of(plan, "A", info, None, Path())
    assert [(c.number, c.start, c.voice) for c in score.cues] == [(1, 100, "keep"), (2, 500, "mute")]
    assert (score.length, score.speech, score.ambience, score.beeps[0].tone) == (4000, None, "", False)
