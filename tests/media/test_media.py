"""In and out again: counts, times, planes, colour, sound; and nothing of the source's container."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from facedouble.colour import picture
from facedouble.errors import InputRefused
from facedouble.media.container import violations
from facedouble.media.decode import frames
from facedouble.media.encode import Writer
from facedouble.media.probe import probe
from facedouble.media.recording import blocks, recording
from facedouble.media.sound import pcm, sample_count
from facedouble.options import EncodeOptions
from facedouble.types import Frame, MediaInfo
from tests.media.make import clip, safe

FAST = EncodeOptions(preset="ultrafast")


def through(source: Path, target: Path) -> tuple[MediaInfo, list[Frame], MediaInfo, list[Frame]]:
    """Source and copy: information and frames."""
    info = probe(source)
    sounds = [(a.rate, a.channels, a.start, pcm(info, a.index)) for a in info.audio]
    held = list(frames(info))
    with Writer(target, info, FAST, sounds) as writer:
        for frame in held:
            writer.add(safe(frame))
    after = probe(target)
    return info, held, after, list(frames(after))


CASES: dict[str, Callable[[Path], Path]] = {
    "plain": lambda p: clip(p / "a.mp4", audio=[(44100, 0.5, 0)]),
    "odd size": lambda p: clip(p / "a.mkv", 97, 65, codec="ffv1", fmt="yuv420p"),
    "4:2:2": lambda p: clip(p / "a.mkv", codec="ffv1", fmt="yuv422p"),
    "4:4:4": lambda p: clip(p / "a.mkv", codec="ffv1", fmt="yuv444p"),
    "10 bit": lambda p: clip(p / "a.mkv", codec="ffv1", fmt="yuv420p10le"),
    "10 bit 4:2:2": lambda p: clip(p / "a.mkv", codec="ffv1", fmt="yuv422p10le"),
    "RGB": lambda p: clip(p / "a.mkv", codec="ffv1", fmt="bgr0"),
    "MPEG": lambda p: clip(p / "a.mpg", 96, 64, codec="mpeg2video", audio=[(44100, 0.5, 0)]),
    "variable rate": lambda p: clip(p / "a.mp4", pts=[0, 7, 11, 30, 31, 32, 60, 61, 90, 91, 92, 200], base=Fraction(1, 600)),
    "late start": lambda p: clip(p / "a.mp4", pts=[50 + 3 * i for i in range(12)], base=Fraction(1, 90)),
    "anamorphic": lambda p: clip(p / "a.mp4", sar=Fraction(4, 3)),
    "full range": lambda p: clip(p / "a.mp4", full=True),
    "one frame": lambda p: clip(p / "a.mp4", frames=1),
    "two sounds": lambda p: clip(p / "a.mp4", audio=[(44100, 0.5, 0), (48000, 0.4, 0)]),
    "rare sound rate": lambda p: clip(p / "a.mkv", codec="ffv1", audio=[(32000, 0.5, 0)]),
}


@pytest.mark.parametrize("case", CASES)
def test_a_clip_comes_out_as_it_went_in(case: str, tmp_path: Path) -> None:
    info, before, after, copied = through(CASES[case](tmp_path), tmp_path / "out.mp4")
    assert violations(tmp_path / "out.mp4") == []
    assert len(before) == len(copied) > 0
    shift = copied[0].time - before[0].time
    assert [f.time + shift for f in before] == [f.time for f in copied]
    assert (after.width, after.height, after.sample_aspect) == (info.width, info.height, info.sample_aspect)
    assert after.colour == info.colour
    assert before[0].depth == copied[0].depth and before[0].chroma_shift == copied[0].chroma_shift
    worst = max(np.abs(picture(a).astype(int) - picture(b)).mean() for a, b in zip(before, copied, strict=True))
    assert worst < 3
    assert [sample_count(info, a.index) for a in info.audio] == [sample_count(after, a.index) for a in after.audio]


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_rotated_footage_is_upright(rotation: int, tmp_path: Path) -> None:
    """A player turns the stored picture counter-clockwise by the display rotation; so do we, and store it upright."""
    info, before, after, _ = through(clip(tmp_path / "a.mp4", 96, 64, rotation=rotation), tmp_path / "out.mp4")
    assert info.rotation == rotation and after.rotation == 0
    assert (info.width, info.height) == ((64, 96) if rotation in (90, 270) else (96, 64))
    rgb = picture(before[0]).astype(int).sum(-1)
    h, w = rgb.shape
    corners = {0: rgb[:6, :6], 90: rgb[-6:, :6], 180: rgb[-6:, -6:], 270: rgb[:6, -6:]}
    assert max(corners, key=lambda k: corners[k].mean()) == rotation
    assert h == info.height and w == info.width


@pytest.mark.parametrize("late", [0.0, 0.5])
def test_the_sound_keeps_its_place(late: float, tmp_path: Path) -> None:
    source = clip(tmp_path / "a.mp4", frames=40, audio=[(48000, 0.8, late)])
    info, before, after, copied = through(source, tmp_path / "out.mp4")
    assert copied[0].time == before[0].time == 0
    assert after.audio[0].start == 0
    a, b = (np.concatenate(list(pcm(i, i.audio[0].index)))[:, 0] for i in (info, after))
    lead = round(info.audio[0].start * 48000)  # a late start has become silence
    assert len(b) == lead + len(a)
    a = np.concatenate([np.zeros(lead, np.float32), a])
    n = len(a)
    spectrum = np.fft.irfft(np.fft.rfft(b, 2 * n) * np.conj(np.fft.rfft(a, 2 * n)))
    shift = int(np.argmax(spectrum))
    assert min(shift, 2 * n - shift) < 96  # 2 ms


def test_sound_lost_at_the_start_leaves_the_rest_in_its_place(tmp_path: Path) -> None:
    """Bleeps are laid by the stream's clock: what is heard must not come sooner because something before it cannot be read."""
    path = clip(tmp_path / "a.mp4", frames=40, audio=[(48000, 1.2, 0)])
    info = probe(path)
    whole = np.concatenate(list(pcm(info, info.audio[0].index)))
    with av.open(str(path)) as box:
        places = [(p.pos or 0, p.size) for p in box.demux(audio=0) if p.size]
    data = bytearray(path.read_bytes())
    for at, size in places[:10]:
        data[at : at + size] = b"\xff" * size
    path.write_bytes(data)
    info = probe(path)
    made = np.concatenate(list(pcm(info, info.audio[0].index)))
    assert len(made) == len(whole) == sample_count(info, info.audio[0].index)
    assert not made[:9000].any() and np.abs(whole[:9000]).max() > 0.2
    assert np.abs(made[11300:] - whole[11300:]).max() < 1e-3


@pytest.mark.parametrize(("gaps", "fits"), [((3500,), True), ((1900, 1900), False)])
def test_silence_between_sounds_is_an_hour_at_most_in_all(gaps: Sequence[int], fits: bool, tmp_path: Path) -> None:
    """A few bytes could ask for days of it."""
    with av.open(str(tmp_path / "a.mkv"), "w") as box:
        video: Any = box.add_stream("mpeg4", rate=1)
        video.width, video.height, video.pix_fmt = 64, 64, "yuv420p"
        sound: Any = box.add_stream("pcm_s16le", rate=8000)
        picture = av.VideoFrame.from_ndarray(np.full((96, 64), 99, np.uint8), format="yuv420p")
        box.mux([*video.encode(picture), *video.encode(None)])
        for k in range(len(gaps) + 1):
            block = av.AudioFrame.from_ndarray(np.ones((1, 8000), np.int16), format="s16", layout="mono")
            block.sample_rate, block.pts, block.time_base = 8000, 8000 * (k + sum(gaps[:k])), Fraction(1, 8000)
            box.mux(sound.encode(block))
    info, source = probe(tmp_path / "a.mkv"), recording(tmp_path / "a.mkv")
    asked: list[Callable[[], int]] = [lambda: sample_count(info, 1), lambda: sum(map(len, pcm(info, 1))),
                                      lambda: sum(map(len, blocks(source)))]
    for ask in asked:
        if fits:
            assert ask() == 8000 * (3500 + 2)
        else:
            with pytest.raises(InputRefused, match="more than an hour"):
                ask()


def test_sound_that_begins_hours_after_the_picture_is_refused(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mkv", frames=2, codec="mpeg4", audio=[(48000, 0.1, 3590.0)])
    assert probe(path).audio[0].start > 3589 and recording(path).late > 3589
    clip(path, frames=2, codec="mpeg4", audio=[(48000, 0.1, 3610.0)])
    for look in (probe, recording):
        with pytest.raises(InputRefused, match=r"a\.mkv: its sound begins more than an hour"):
            look(path)


def test_a_picture_that_lasts_very_long(tmp_path: Path) -> None:
    """Time-lapse of a camera that counts in nanoseconds."""
    two, three = ((n * 10**9).to_bytes(4, "big") for n in (2, 3))  # FFmpeg writes no more than 2.1 s, and reads it
    path = clip(tmp_path / "a.mp4", frames=4, base=Fraction(1, 10**9), pts=[k * 2 * 10**9 for k in range(4)],
                options={"bf": "0"})
    path.write_bytes(path.read_bytes().replace(two, three))
    made = list(frames(probe(path)))
    assert [f.time for f in made] == [0, 3, 6]  # its edit list ends where it did
    assert all(0 < f.span < 1 << 31 and not f.corrupt for f in made)


def test_what_changes_its_rate_or_layout_in_mid_stream_is_silent_from_there(tmp_path: Path) -> None:
    parts = []
    for number, (rate, layout) in enumerate([(48000, "stereo"), (32000, "mono")]):
        path = tmp_path / f"{number}.ts"
        with av.open(str(path), "w", format="mpegts") as box:
            video: Any = box.add_stream("mpeg2video", rate=25)
            video.width, video.height, video.pix_fmt = 64, 64, "yuv420p"
            sound: Any = box.add_stream("mp2", rate=rate)
            sound.codec_context.layout = layout
            for k in range(25):
                picture = av.VideoFrame.from_ndarray(np.full((96, 64), 99, np.uint8), format="yuv420p")
                picture.pts, picture.time_base = k + 25 * number, Fraction(1, 25)
                box.mux(video.encode(picture))
            box.mux(video.encode(None))
            tone = (8000 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)).astype(np.int16)
            for k in range(0, rate, 1152):
                flat = np.repeat(tone[k : k + 1152], sound.codec_context.layout.nb_channels).reshape(1, -1)
                block = av.AudioFrame.from_ndarray(flat, format="s16", layout=layout)
                block.sample_rate, block.pts, block.time_base = rate, k + rate * number, Fraction(1, rate)
                box.mux(sound.encode(block))
            box.mux(sound.encode(None))
        parts.append(path.read_bytes())
    joined = tmp_path / "joined.ts"
    joined.write_bytes(b"".join(parts))
    info = probe(joined)
    made = list(pcm(info, info.audio[0].index))
    assert {block.shape[1] for block in made} == {2}
    sound_ = np.concatenate(made)
    assert len(sound_) == sample_count(info, info.audio[0].index) and abs(len(sound_) - 2 * 48000) < 2400
    assert np.abs(sound_[5000:45000]).max() > 0.2 and not sound_[51000:].any()


def test_nothing_of_the_source_is_in_the_output(tmp_path: Path) -> None:
    tags = {"title": "CANARYTITLE", "comment": "CANARYCOMMENT", "artist": "CANARYNAME", "location": "+51.5+000.1/"}
    source = clip(tmp_path / "CANARYFILE.mp4", audio=[(44100, 0.3, 0)], tags=tags)
    through(source, tmp_path / "out.mp4")
    data = (tmp_path / "out.mp4").read_bytes()
    for word in (b"CANARY", b"+51.5", b"Lavc", b"Lavf", b"x264", b"Handler"):
        assert word not in data, word
    assert b"CANARYTITLE" in source.read_bytes()


def test_untouched_planes_reach_the_encoder_as_they_were_decoded(tmp_path: Path) -> None:
    source = clip(tmp_path / "a.mkv", codec="ffv1", fmt="yuv420p")
    first = next(iter(frames(probe(source))))
    info = probe(source)
    with Writer(tmp_path / "out.mp4", info, EncodeOptions(crf=0, preset="ultrafast"), []) as writer:
        for frame in frames(info):
            writer.add(safe(frame))
    again = next(iter(frames(probe(tmp_path / "out.mp4"))))
    assert all(np.array_equal(a, b) for a, b in zip(first.planes, again.planes, strict=True))


@pytest.mark.parametrize("width", [360, 396])
def test_the_same_frames_give_the_same_bytes(width: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    source = clip(tmp_path / "a.mkv", width, 360, 12, codec="ffv1")
    info = probe(source)
    grain = [rng.integers(0, 40, (360, width)).astype(np.uint8) for _ in range(12)]
    held = [replace(f, planes=(f.planes[0] // 2 + g, *f.planes[1:])) for f, g in zip(frames(info), grain, strict=True)]
    made = set()
    for k in range(4):
        with Writer(tmp_path / f"{k}.mp4", info, EncodeOptions(), []) as writer:
            for frame in held:
                writer.add(safe(frame))
        made.add((tmp_path / f"{k}.mp4").read_bytes())
        assert rng.integers(0, 255, (2000, 2000)).any()  # stir the memory
    assert len(made) == 1


def test_a_file_with_more_than_it_may_hold_is_seen(tmp_path: Path) -> None:
    through(clip(tmp_path / "a.mp4"), tmp_path / "out.mp4")
    clean = (tmp_path / "out.mp4").read_bytes()
    assert violations(tmp_path / "out.mp4") == []

    def faulty(data: bytes) -> list[str]:
        (tmp_path / "bad.mp4").write_bytes(data)
        return violations(tmp_path / "bad.mp4")

    assert faulty(clean + b"\x00\x00\x00\x10uuidCANARY!!")
    assert faulty(clean + b"tail")
    assert faulty(clean + b"\x00\x00\x00\x10freeCANARY!!")
    at = clean.index(b"mvhd") + 8
    assert faulty(clean[:at] + b"\x01" + clean[at + 1 :])
    with_sei = clip(tmp_path / "sei.mp4")
    assert any("type 6" in v for v in violations(with_sei))
