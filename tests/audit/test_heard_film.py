"""Whole films heard by the audit: clean ones, broken ones, and those it cannot hear."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soxr

from facedouble.audit import heard as checks
from facedouble.audit.said import Said, Voiced
from facedouble.audit.verdict import Check
from facedouble.audit.voices import Piece
from facedouble.errors import InputRefused
from facedouble.media.probe import probe
from facedouble.models.words import load_words
from facedouble.options import AuditOptions
from facedouble.pipeline.audit.heard import ENOUGH, Ears, heard, open_ears
from facedouble.pipeline.audit.informed import Others, informed
from facedouble.pipeline.audit.said import said_of_plan, said_of_report
from facedouble.pipeline.audit.sample import SPOKEN, gallery
from facedouble.pipeline.audit.sounds import seconds
from facedouble.pipeline.heard import Spoken
from facedouble.pipeline.speaking import Maker, open_content, open_trunk
from facedouble.plan.plan import Plan
from facedouble.plan.values import Clip
from facedouble.plan.voices import Ambience, Bleep, Speech, Voicing
from facedouble.publish import candidate
from facedouble.types import Floats
from facedouble.voice.file import read_voice, write_voice
from facedouble.voice.redact import listed
from facedouble.voice.volunteer import named
from tests.audit.sounds import RATE, film, voice
from tests.media.make import clip
from tests.voice.spoken import say
from tests.voice.voices import CONSENT

O = AuditOptions()
PLAN = Said(5000, (Voiced(0, 3000, "double", "P1"), Voiced(3000, 5000, "mute", "P2")), (), ((0, 5000),), "new")


def deaf(sound: Floats) -> Floats:
    """A judge who knows a voice by nothing."""
    return np.asarray(np.random.default_rng(len(sound) + int(1e6 * abs(float(sound[100])))).normal(size=64), np.float32) / 8


EARS = Ears(deaf, None, {"words": f"no words; {checks.INSTALL}"})


@pytest.fixture(scope="module")
def sounds() -> tuple[Floats, Floats]:
    """(n, 2) of the footage, and of the film: another voice in the first turn, a room's tone in the second."""
    tone = 1e-3 * np.random.default_rng(4).standard_normal((5 * RATE, 2)).astype(np.float32)
    was, now = (np.repeat(voice(k, pitch)[:, None], 2, 1) for k, pitch in ((1, 110), (2, 190)))
    now[3 * RATE:] = 0
    return was.astype(np.float32), (now + tone).astype(np.float32)


@pytest.fixture(scope="module")
def footage(sounds: tuple[Floats, Floats], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film(tmp_path_factory.mktemp("heard") / "footage.mp4", [sounds[0]])


def by_name(made: Sequence[Check]) -> dict[str, Check]:
    assert all(c.group == "heard" and c.tried for c in made)
    return {c.name: c for c in made}


def broken(made: Sequence[Check]) -> set[str]:
    return {c.name for c in made if c.findings}


def test_a_clean_film_has_no_finding(sounds: tuple[Floats, Floats], footage: Path, tmp_path: Path) -> None:
    made = heard(film(tmp_path / "safe.mp4", [sounds[1]]), footage, PLAN, O, EARS)
    assert not broken(made) and all(c.passed for c in made)
    told = by_name(made)
    assert told[checks.TRACES].looked == 5 and told[checks.LEVEL].looked >= 1 and told[checks.TIME].looked >= 2
    assert told[checks.WORDS].missing and told[checks.GALLERY].missing


def leak(was: Floats, now: Floats) -> Floats:
    now[20000:23200] = was[20000:23200]
    return now


def mixed(was: Floats, now: Floats) -> Floats:
    now[:48000, 1] -= 0.1 * was[:48000, 1]
    return now


def forgotten(was: Floats, now: Floats) -> Floats:
    now[60000:64000] = 0.3 * was[20000:24000]
    return now


def late(was: Floats, now: Floats) -> Floats:
    return np.roll(now, 120 * RATE // 1000, 0)


def shorter(was: Floats, now: Floats) -> Floats:
    return now[:-500]


@pytest.mark.parametrize(("fault", "name"), [(leak, checks.TRACES), (mixed, checks.TRACES), (forgotten, checks.LEVEL),
                                             (late, checks.TIME), (shorter, checks.STREAMS)])
def test_faults_are_found(fault: object, name: str, sounds: tuple[Floats, Floats], footage: Path, tmp_path: Path) -> None:
    assert callable(fault)
    made = heard(film(tmp_path / "broken.mp4", [fault(sounds[0], sounds[1].copy())]), footage, PLAN, O, EARS)
    assert name in broken(made)


def test_a_second_stream_is_heard_too(sounds: tuple[Floats, Floats], footage: Path, tmp_path: Path) -> None:
    made = heard(film(tmp_path / "two.mp4", [sounds[1], 1e-3 * sounds[0]]), footage, PLAN, O, EARS)
    assert {checks.STREAMS, checks.TRACES} <= broken(made)


def test_mute_is_digital_silence(sounds: tuple[Floats, Floats], footage: Path, tmp_path: Path) -> None:
    silent = film(tmp_path / "mute.mp4", [np.zeros_like(sounds[0])])
    assert not broken(heard(silent, footage, Said(5000), O, EARS))
    sound = np.zeros_like(sounds[0])
    sound[20000:21600] = 0.05 * sounds[0][20000:21600]
    assert {checks.LEVEL, checks.TRACES} & broken(heard(film(tmp_path / "not.mp4", [sound]), footage, Said(5000), O, EARS))


def test_what_is_kept_is_no_finding(sounds: tuple[Floats, Floats], footage: Path, tmp_path: Path) -> None:
    kept = film(tmp_path / "kept.mp4", [sounds[0]])
    assert not broken(heard(kept, footage, Said(5000, whole=True), O, EARS))
    plan = replace(PLAN, turns=(Voiced(0, 3000, "keep", "P1"), Voiced(3000, 5000, "mute", "P2")))
    sound = sounds[1].copy()
    sound[:47500] = sounds[0][:47500]
    assert not broken(heard(film(tmp_path / "half.mp4", [sound]), footage, plan, O, EARS))
    assert {checks.TRACES, checks.LEVEL} <= broken(heard(kept, footage, plan, O, EARS))


def test_pictures_before_the_first_do_not_move_the_sound(sounds: tuple[Floats, Floats], footage: Path, tmp_path: Path) -> None:
    """A card of a second: the sound begins a second later, after silence."""
    sound = np.concatenate([np.zeros((RATE, 2), np.float32), sounds[1]])
    made = heard(film(tmp_path / "card.mp4", [sound], 30), footage, PLAN, O, EARS, lead=Fraction(1))
    assert not broken(made) and abs(float(by_name(made)[checks.TIME].figures["most, ms"])) < 10
    sound[20000 + RATE:23200 + RATE] = sounds[0][20000:23200]
    made = heard(film(tmp_path / "leak.mp4", [sound], 30), footage, PLAN, O, EARS, lead=Fraction(1))
    (finding,) = by_name(made)[checks.TRACES].findings
    assert finding.ms is not None and finding.ms[0] <= 1250 < finding.ms[1]


def test_what_is_missing_is_said(sounds: tuple[Floats, Floats], footage: Path, tmp_path: Path) -> None:
    safe = film(tmp_path / "safe.mp4", [sounds[1]])
    alone = by_name(heard(safe, None, PLAN, O, EARS, listed(["Khaled"])))
    for name in (checks.STREAMS, checks.TRACES, checks.TIME, checks.VOICES):
        assert "--witness" in alone[name].missing and not alone[name].passed
    assert "models install" in alone[checks.WORDS].missing and not alone[checks.WORDS].passed
    none = open_ears(tmp_path)
    assert none.judge is None and none.words is None and all(checks.INSTALL in why for why in none.why.values())
    told = by_name(heard(safe, footage, PLAN, O, none))
    assert not told[checks.VOICES].passed and told[checks.GALLERY].passed and told[checks.WORDS].passed
    mute = by_name(heard(safe, footage, replace(PLAN, turns=(Voiced(0, 5000),)), O, none))
    assert mute[checks.VOICES].passed  # nobody speaks in another voice


def test_films_without_sound_and_of_one_picture(tmp_path: Path) -> None:
    one = clip(tmp_path / "one.mp4", frames=1)
    assert all(c.passed for c in heard(one, one, Said(40), O, EARS))
    short = clip(tmp_path / "short.mp4", frames=1, audio=[(16000, 0.05, 0)])
    assert checks.LEVEL in broken(heard(short, short, Said(40), O, EARS))
    assert checks.STREAMS in broken(heard(one, short, Said(40), O, EARS))
    (tmp_path / "empty.mp4").write_bytes(b"")
    with pytest.raises(InputRefused):
        heard(tmp_path / "empty.mp4", one, Said(40), O, EARS)
    (tmp_path / "cut.mp4").write_bytes(short.read_bytes()[:300])
    with pytest.raises(InputRefused):
        heard(tmp_path / "cut.mp4", one, Said(40), O, EARS)


def test_names_beside_the_film(sounds: tuple[Floats, Floats], footage: Path, tmp_path: Path) -> None:
    safe, words = film(tmp_path / "safe.mp4", [sounds[1]]), listed(["Магомед Иванов"])
    (tmp_path / "safe.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nwe met … there\n")
    (tmp_path / "safely.srt").write_text("Magomed\n")  # another film's
    assert by_name(heard(safe, footage, PLAN, O, EARS, words))[checks.SUBTITLES].passed
    (tmp_path / "safe.en.vtt").write_text("WEBVTT\n\n00:01.000 --> 00:02.000\nwe met Magomeda there\n")
    found = by_name(heard(safe, footage, PLAN, O, EARS, words))[checks.SUBTITLES]
    assert len(found.findings) == 1 and "agomed" not in found.findings[0].what
    assert by_name(heard(safe, footage, PLAN, O, EARS))[checks.SUBTITLES].missing
    safe.rename(candidate(safe))  # as `render` has it audited: what lies beside the film will go out with it
    assert by_name(heard(candidate(safe), footage, PLAN, O, EARS, words))[checks.SUBTITLES].findings


def test_a_name_that_is_said(sounds: tuple[Floats, Floats], footage: Path, tmp_path: Path) -> None:
    ears, said = Ears(deaf, load_words(), {}), say("Then I went to London with my brother.")
    sound = sounds[1].copy()
    sound[3 * RATE:] = 0
    sound[RATE:RATE + len(said[:4 * RATE])] = said[:4 * RATE, None]
    spoken = film(tmp_path / "said.mp4", [sound])
    assert not by_name(heard(spoken, footage, PLAN, O, ears, listed(["London"])))[checks.WORDS].passed
    assert by_name(heard(spoken, footage, PLAN, O, ears, listed(["Khaled"])))[checks.WORDS].passed


def test_the_judge_knows_the_voice_at_another_pitch(tmp_path: Path) -> None:
    own = say("We went over the bridge before it was light, my brother and I, and nobody saw us.", voice="en+m2")[:4 * RATE]
    other = say("We went over the bridge before it was light, my brother and I, and nobody saw us.", 1.3, voice="en+f3")
    source = film(tmp_path / "was.mp4", [own[:, None]], 20)
    plan = Said(4000, (Voiced(0, 4000, "double", "P1"),), (), ((0, 4000),), "new")
    ears = open_ears()
    for k, (sound, safe) in enumerate(((soxr.resample(own, 1000, 1122), False), (np.resize(other, len(own)), True))):
        out = np.pad(sound, (0, max(len(own) - len(sound), 0)))[:len(own), None].astype(np.float32)
        made = heard(film(tmp_path / f"now{k}.mp4", [out], 20), source, plan, O, ears)
        assert (checks.VOICES not in broken(made)) == safe


def test_attackers_with_a_gallery(sounds: tuple[Floats, Floats], footage: Path, tmp_path: Path) -> None:
    safe = film(tmp_path / "safe.mp4", [sounds[1]])
    for name in ("anna_1.m4a", "ben/some.m4a", "ben/more.m4a", "P1_elsewhere.m4a", "clara.mp4"):
        path = tmp_path / "others" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        film(path.with_suffix(".mp4"), [sounds[0][:2 * RATE]], 10).rename(path)
    clip(tmp_path / "others" / "nobody speaks.mp4", 64, 64)
    made = by_name(heard(safe, footage, PLAN, O, EARS, others=Others(gallery(tmp_path / "others", SPOKEN))))
    assert made[checks.GALLERY].figures["ignorant: by guessing"] == pytest.approx(1 / 4)
    assert ".fvoice" in made[checks.INFORMED].missing and made[checks.INFORMED].passed


@pytest.fixture(scope="module")
def volunteers(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two voices that can speak."""
    folder, maker, files = tmp_path_factory.mktemp("volunteers"), Maker(), []
    for name, tune in (("one", "en+f3"), ("two", "en+m7")):
        spoken = say("The ship was late, and we waited on the quay until the lamps were lit and the rain was over.", voice=tune)
        sound = np.asarray(soxr.resample(spoken, RATE, 24000), np.float32)
        arrays = {**maker([sound]), "prints": np.ones((1, 256), np.float32) / 16}
        files.append(folder / f"{name}.fvoice")
        write_voice(named(CONSENT, 24000, len(sound) / 24000, arrays), files[-1])
    return files


def test_attackers_who_have_the_voice(volunteers: list[Path], tmp_path: Path) -> None:
    """Speech of others is really given the film's voice, in a process of its own; who says it is known by other speech, or by
    the rest of the footage."""
    text = "We went over the bridge before it was light, my brother and I, and nobody saw us, for the river was high."
    for name, tune in (("anna/one", "en+f4"), ("ben", "en+m3"), ("P1_elsewhere", "en+m2")):
        path = tmp_path / "others" / f"{name}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        film(path, [say(text, voice=tune)[:4 * RATE, None]], 20)
    own = np.concatenate([say(text, voice="en+m2"), say(text, 1.1, voice="en+m2")])[:10 * RATE]
    one, two = volunteers
    spoken = Spoken(read_voice(one), open_content(), open_trunk())
    now = np.asarray(soxr.resample(spoken(own), spoken.rate, RATE), np.float32)[:len(own)]
    source = film(tmp_path / "was.mp4", [own[:, None]], 50)
    safe = film(tmp_path / "safe.mp4", [now[:, None]], 50)
    plan = Said(10_000, (Voiced(0, 10_000, "double", "P1"),), (), ((0, 10_000),), "new")
    others, ears = gallery(tmp_path / "others", SPOKEN), open_ears()
    given = Others(others, voices={"P1": one}, spare=[one, two])
    made = by_name(heard(safe, source, plan, O, ears, others=given))[checks.INFORMED]
    assert not made.missing and made.passed and made.figures["semi-informed: by guessing"] == pytest.approx(1 / 3)
    assert made.figures["lazy: by guessing"] == pytest.approx(1 / 3)
    assert "rest of this footage" not in str(made.figures["verdict"])
    pieces = [Piece(2000 * k, 2000 * k + 4000, "P1", deaf(own[k:]), np.ones(256, np.float32) / 16, 0.0) for k in range(4)]
    del others["P1_elsewhere"]
    made = informed(pieces, plan, source, Others(others, voices={"P1": one}))
    assert "rest of this footage" in str(made.figures["verdict"]) and "no second voice" in str(made.figures["not tried"])
    for lacking, why in ((Others(others), ".fvoice"), (Others(voices={"P1": one}), "--gallery"),
                         (Others(others, voices={"P1": tmp_path / "none.fvoice"}), "no such voice")):
        made = informed(pieces, plan, source, lacking)
        assert why in made.missing and made.passed
    assert "too little" in informed(pieces[:1], plan, source, Others(others, voices={"P1": one})).missing


def test_pictures_of_others_are_no_voices(sounds: tuple[Floats, Floats], footage: Path, tmp_path: Path) -> None:
    """A gallery of silent clips leaves the rule on few people of the project as it is."""
    safe = film(tmp_path / "safe.mp4", [sounds[1]])
    silent = {"anna": [clip(tmp_path / "anna.mp4", 64, 64)]}
    prints = {"p": np.ones((2, 64), np.float32)}
    made = by_name(heard(safe, footage, PLAN, O, EARS, others=Others(silent, prints)))[checks.GALLERY]
    assert "1 other" in made.missing


def test_few_people_of_the_project_are_no_gallery(sounds: tuple[Floats, Floats], footage: Path, tmp_path: Path) -> None:
    """Whoever is not alone with one other person is named first half of the time by guessing."""
    safe = film(tmp_path / "safe.mp4", [sounds[1]])
    rng = np.random.default_rng(4)
    assert EARS.judge is not None
    size = len(EARS.judge(sounds[0][:RATE].mean(1)))
    for many, tried in ((1, False), (ENOUGH - 1, False), (ENOUGH, True)):
        prints = {f"p{k}": np.asarray(rng.standard_normal((2, size)), np.float32) for k in range(many)}
        made = by_name(heard(safe, footage, PLAN, O, EARS, others=Others(prints=prints)))[checks.GALLERY]
        assert bool(made.missing) is not tried, many
        assert tried or str(many) in made.missing


@pytest.mark.parametrize(("layout", "channels"), [("6.1", 7), ("hexadecagonal", 16)])
def test_more_channels_than_aac_can_name(layout: str, channels: int, tmp_path: Path) -> None:
    """The film has two, as it is written."""
    rng, source = np.random.default_rng(0), tmp_path / "many.mkv"
    with av.open(source, "w") as box:
        picture, sound = box.add_stream("mpeg4", 5), box.add_stream("pcm_s16le", 48000, layout=layout)
        picture.width, picture.height, picture.pix_fmt = 96, 64, "yuv420p"
        for _ in range(5):
            box.mux(picture.encode(av.VideoFrame.from_ndarray(rng.integers(0, 255, (96, 96), np.uint8), "yuv420p")))
        noise = av.AudioFrame.from_ndarray(rng.integers(-999, 999, (1, 48000 * channels), np.int16), "s16", layout)
        noise.sample_rate = 48000
        box.mux([*picture.encode(None), *sound.encode(noise), *sound.encode(None)])
    info = probe(source)
    assert info.audio[0].channels == channels
    safe = film(tmp_path / "safe.mp4", [np.zeros((48000, channels), np.float32)], 5, 48000)
    assert probe(safe).audio[0].channels == 2
    made = by_name(heard(safe, source, Said(1000), O, EARS))
    assert made[checks.STREAMS].passed, made[checks.STREAMS].findings


def test_seconds_on_one_clock(sounds: tuple[Floats, Floats], footage: Path) -> None:
    info = probe(footage)
    late = replace(info, audio=(replace(info.audio[0], start=Fraction(1, 2)),))
    first = next(iter(seconds(late, info)))
    assert first.at == 0 and not first.source[0][first.inner][:7900].any()
    assert np.allclose(first.source[0][first.inner][8000:], first.output[0][first.inner][:8000], atol=1e-4)


def test_reading_a_plan_and_a_report(footage: Path, tmp_path: Path) -> None:
    info, sha = probe(footage), "0" * 64
    plan = Plan((Clip("A", "footage.mp4", sha, 25, Fraction(5)),), speech=(
        Speech("A", 100, 900, voicing=Voicing("keep", by="L", reason="r")), Speech("A", 1500, 2500)),
        bleeps=(Bleep("A", 200, 300, "L"),), ambience=Ambience("clean", "L"))
    rows = [[1600, 14400, 0, None, []], [24000, 40000, 1, 0, []]]
    (tmp_path / "A.heard.json").write_text(json.dumps({"footage": sha, "turns": rows}))
    one = said_of_plan(plan, "A", info, tmp_path / "A.heard.json")
    spans = ((100, 900), (1500, 2500))
    assert one == Said(5000, (Voiced(100, 900, "keep"), Voiced(1500, 2500)), ((200, 300, True),), spans, "clean")
    assert said_of_plan(plan, "A", info, tmp_path / "none.json").heard is None
    assert said_of_plan(replace(plan, ambience=None), "A", info, None).ambience == "new"
    (tmp_path / "bad.json").write_text('{"footage": "' + sha + '", "turns": [[1]]}')
    with pytest.raises(InputRefused, match="analyse"):
        said_of_plan(plan, "A", info, tmp_path / "bad.json")
    told = {"frames": 25, "voice": "by turns", "sound": {
        "ambience": "keep", "listened": True, "bleeps": [["00:00:00.200", "00:00:00.300"]], "turns": [
            {"from": "00:00:00.100", "to": "00:00:00.900", "voice": "double 1", "person": "person 1", "failed": None},
            {"from": "00:00:01.500", "to": "00:00:02.500", "voice": "keep", "person": None, "failed": "no sound"}]}}
    assert said_of_report(told, info) == Said(5000, (Voiced(100, 900, "double", "person 1"), Voiced(1500, 2500)),
                                              ((200, 300, None),), ((100, 900), (1500, 2500)), "keep")
    assert said_of_report({"frames": 25, "voice": "mute"}, info).silent
    assert said_of_report({"frames": 25, "voice": "keep"}, info).whole
    for wrong in ({}, {"frames": 25}, {"frames": "x", "voice": "mute"}, {"frames": 25, "voice": "loud"}, {**told, "sound": 3}):
        with pytest.raises(InputRefused, match="make the film again"):
            said_of_report(wrong, info)
