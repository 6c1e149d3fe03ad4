"""Cue sheets and takes: what is read, what is written, and that nothing else is in it."""

from __future__ import annotations

import struct
import tracemalloc
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from typer.testing import CliRunner

from facedouble.cli.voice import voice_app
from facedouble.errors import FacedoubleError, InputRefused, MachineError, StoreError, UsageError
from facedouble.media.takes import read_sound, record, write_take
from facedouble.plan import edit
from facedouble.plan.people import Person, TrackName
from facedouble.plan.plan import Plan
from facedouble.plan.values import Clip
from facedouble.plan.voices import Speech, Voicing
from facedouble.plan.write import write
from facedouble.types import Floats
from facedouble.voice.cues import Cue, beside, of_sound, of_subtitles, of_turns, page, table, with_text

SRT = ("\ufeff1\r\n00:00:01,000 --> 00:00:02,500\r\n<i>Good</i> morning &amp; hello\r\n\r\n"
       "2\r\n00:01:03,000 --> 00:01:04,000\r\nتفضل\r\n")
VTT = "WEBVTT\n\nNOTE nothing\n\n00:01.000 --> 00:02.500 align:start\nGood morning\nto you\n"


def bursts(rate: int = 16000) -> Floats:
    """Noise at 1-2 s and 3-3.5 s of 5 s."""
    rng = np.random.default_rng(0)
    t = np.arange(rate * 5) / rate
    on = ((t >= 1) & (t < 2)) | ((t >= 3) & (t < 3.5))
    return np.asarray(rng.standard_normal(len(t)) * np.where(on, 0.1, 1e-4), np.float32)


@pytest.mark.parametrize("text", [SRT, VTT])
def test_subtitles_give_times_and_words(text: str) -> None:
    first = of_subtitles(text)[0]
    assert (first.start, first.stop) == (1.0, 2.5) and first.text.startswith("Good morning") and "<" not in first.text


def test_text_without_times_is_refused() -> None:
    with pytest.raises(InputRefused, match="SRT"):
        of_subtitles("some words\n\nand more")


def test_cues_of_turns_and_of_sound_say_when() -> None:
    assert of_turns([(4, 1000, 1500)]) == (Cue(4, 1.0, 1.5, planned=True),)
    found = of_sound([bursts()])
    assert [(round(c.start, 1), round(c.stop, 1)) for c in found] == [(1.0, 2.0), (3.0, 3.5)]
    late = of_sound(np.split(bursts(), [7, 7000, 30001]), -1.5)  # the pictures begin 1.5 s later
    assert [(round(c.start, 1), round(c.stop, 1)) for c in late] == [(0.0, 0.5), (1.5, 2.0)]
    assert not of_sound([]) and not of_sound([np.zeros(0, np.float32)]) and not of_sound([np.zeros(16000, np.float32)])
    assert [c.text for c in with_text(found, [Cue(1, 0.9, 2.2, "yes"), Cue(2, 9, 10, "no")])] == ["yes", ""]


def test_no_subtitle_vanishes() -> None:
    """One whose middle lies in a pause belongs to the nearest line; one far from all lines is told."""
    lines = (Cue(1, 1.0, 2.0), Cue(2, 3.0, 3.5))
    said = (Cue(1, 1.1, 1.4, "well"), Cue(2, 1.9, 2.4, "yes"), Cue(3, 2.5, 2.9, "no"), Cue(4, 9, 10, "who"))
    assert [c.text for c in with_text(lines, said)] == ["well yes", "no"]
    assert [c.text for c in beside(lines, said)] == ["who"] and not with_text((), said)


def test_more_than_an_hour_of_sound_makes_a_sheet() -> None:
    """Held are levels only."""
    minute = np.concatenate([bursts()] * 12)
    tracemalloc.start()
    found = of_sound(minute for _ in range(70))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(found) == 2 * 12 * 70 and found[-1].stop == pytest.approx(70 * 60 - 1.5, abs=0.1)
    assert peak < 100e6, f"{peak / 1e6:.0f} MB of {70 * 60 * 64e3 / 1e6:.0f}"


def test_a_sheet_holds_every_line_and_loads_nothing() -> None:
    cues = (Cue(1, 1, 2.5, 'a <b> "c"', True), Cue(2, 61, 62, planned=True))
    made = page(cues)
    assert "a &lt;b&gt;" in made and "turn-002" in made and "00:01:01.000" in made
    assert "http" not in made and "src=" not in made
    assert table(cues).split("\n")[1].split("\t") == ["turn-001", "00:00:01.000", "00:00:02.500", "1.50", 'a <b> "c"']


@pytest.mark.parametrize(("codec", "suffix", "rate"), [("pcm_s16le", "wav", 8000), ("flac", "flac", 48000), ("aac", "m4a", 44100),
                                                       ("mp3", "mp3", 44100)])
def test_recordings_are_read_and_kept_bare(tmp_path: Path, codec: str, suffix: str, rate: int) -> None:
    source = tmp_path / f"take.{suffix}"
    sound = bursts(rate)
    with av.open(str(source), "w") as box:
        box.metadata["artist"] = "CANARY"
        box.metadata["comment"] = "CANARY"
        stream: Any = box.add_stream(codec, rate=rate, layout="stereo")
        form = stream.codec_context.format.name
        both = np.stack([sound, sound * np.float32(0.5)])
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(both), format="fltp", layout="stereo")
        frame.sample_rate = rate
        size = stream.codec_context.frame_size
        for part in av.AudioResampler(format=form, layout="stereo", rate=rate, frame_size=size).resample(frame):
            box.mux(stream.encode(part))
        box.mux(stream.encode(None))
    read, found = read_sound(source)
    assert found == rate and abs(len(read) - len(sound)) < 4000
    assert np.abs(read).max() == pytest.approx(0.75 * np.abs(sound).max(), rel=0.25)  # the mean of both channels
    write_take(tmp_path / "out.wav", read, found)
    data = (tmp_path / "out.wav").read_bytes()
    assert b"CANARY" in source.read_bytes() or suffix == "wav"
    assert b"CANARY" not in data and data[12:16] == b"fmt " and data[36:40] == b"data"
    assert struct.unpack("<HHIIHH", data[20:36]) == (1, 1, 48000, 144000, 3, 24)
    again, again_rate = read_sound(tmp_path / "out.wav")
    assert again_rate == 48000 and len(again) == pytest.approx(len(read) * 48000 / rate, abs=2)
    if rate == 48000:
        assert np.abs(again - read).max() < 2**-22


def test_what_is_no_sound_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"RIFF\x10\0\0\0WAVEfmt ")
    (tmp_path / "b.wav").write_text("words")
    for path in (tmp_path / "a.wav", tmp_path / "b.wav", tmp_path / "none.wav", tmp_path):
        with pytest.raises(InputRefused):
            read_sound(path)


def test_a_take_is_never_written_over(tmp_path: Path) -> None:
    write_take(tmp_path / "a.wav", bursts(), 16000)
    with pytest.raises(StoreError):
        write_take(tmp_path / "a.wav", bursts(), 16000)


def test_without_a_microphone_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("facedouble.media.takes._INPUTS", (("alsa", "no_such_device"),))
    with pytest.raises(MachineError, match="import the file"):
        record(0.1)


def run(*args: object) -> str:
    result = CliRunner().invoke(voice_app, [str(a) for a in args])
    if result.exception is not None:
        raise result.exception
    return result.output


def test_the_commands_from_end_to_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("facedouble.pipeline.protect.close_doors", lambda: None)  # it would hold for all tests that follow
    write_take(tmp_path / "clip.wav", bursts(), 16000)
    (tmp_path / "clip.srt").write_text(SRT)
    assert "2 lines" in run("cues", tmp_path / "clip.wav", "-o", tmp_path / "a.tsv", "--subtitles", tmp_path / "clip.srt")
    assert "morning" in (tmp_path / "a.tsv").read_text()
    assert "\nL1\t" in (tmp_path / "a.tsv").read_text(), "no number that a take could be called by"
    run("cues", tmp_path / "clip.srt", "-o", tmp_path / "a.html")
    for number in (1, 2):
        run("take", tmp_path / "clip.wav", "--turn", 7, "--folder", tmp_path / "takes")
        assert (tmp_path / "takes" / f"turn-007.take-0{number}.wav").is_file()


def planned(path: Path) -> Path:
    """A plan of one clip with four turns, the second and fourth to be spoken anew."""
    clip = Clip("A", "talk.mp4", "0" * 64, 200, Fraction(25), "1" * 64)
    text = edit.add_clip(write(Plan()), clip)
    text = edit.add(text, *(Person(id_, id_, (TrackName("A", k),)) for k, id_ in enumerate(("P1", "P2"))))
    spans = ((500, 900, "P2"), (1000, 2500, "P1"), (3000, 3500, ""), (4000, 5000, "P1"))
    text = edit.add(text, *(Speech("A", a, b, who, None, k % 2) for k, (a, b, who) in enumerate(spans)))
    path.write_text(text)
    return path


def test_the_sheet_of_a_plan_has_the_plans_numbers(tmp_path: Path) -> None:
    plan = planned(tmp_path / "film.plan.toml")
    (tmp_path / "clip.srt").write_text(SRT)

    def sheet(name: str, *more: str) -> list[list[str]]:
        said = run("cues", plan, "-o", tmp_path / name, "--subtitles", tmp_path / "clip.srt", *more)
        assert "1 subtitles are not on it" in said
        return [line.split("\t") for line in (tmp_path / name).read_text().split("\n")[1:-1]]

    assert [row[0] for row in sheet("all.tsv")] == [f"turn-{n:03d}" for n in (1, 2, 3, 4)]
    assert [row[0] for row in sheet("one.tsv", "--person", "P1")] == ["turn-002", "turn-004"]
    plan.write_text(edit.voice(plan.read_text(), "P1", Voicing.of_words("revoice takes", "Lin", "")))
    rows = sheet("anew.tsv", "--clip", "A")
    assert [row[0] for row in rows] == ["turn-002", "turn-004"] and "morning" in rows[0][4]
    assert rows[0][1:3] == ["00:00:01.000", "00:00:02.500"]
    for wrong in (("--person", "P7"), ("--clip", "B")):
        with pytest.raises(UsageError):
            run("cues", plan, "-o", tmp_path / "x.tsv", *wrong)
    with pytest.raises(UsageError, match="plan"):
        run("cues", tmp_path / "clip.srt", "-o", tmp_path / "x.tsv", "--person", "P1")


def test_which_turn_a_take_is_for_has_to_be_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("facedouble.pipeline.protect.close_doors", lambda: None)
    write_take(tmp_path / "clip.wav", bursts(), 16000)
    with pytest.raises(UsageError, match="--turn"):
        run("take", tmp_path / "clip.wav", "--folder", tmp_path / "takes")
    assert not (tmp_path / "takes").exists()


@pytest.mark.parametrize("args", [("take",), ("take", "x.wav", "--record", "1"), ("cues", "x.srt", "-o", "x.docx"),
                                  ("cues", "none.srt", "-o", "x.tsv"), ("take", "none.wav", "--turn", "1")])
def test_commands_that_make_no_sense_say_so(args: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("facedouble.pipeline.protect.close_doors", lambda: None)
    with pytest.raises((FacedoubleError, UsageError)):
        run(*args)


def test_a_silent_take_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("facedouble.pipeline.protect.close_doors", lambda: None)
    write_take(tmp_path / "still.wav", np.zeros(16000, np.float32), 16000)
    with pytest.raises(InputRefused, match="silent"):
        run("take", tmp_path / "still.wav", "--turn", 1, "--folder", tmp_path / "takes")
    assert not (tmp_path / "takes").exists()
