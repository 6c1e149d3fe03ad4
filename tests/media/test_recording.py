"""Recordings of every usual kind are read whole, and what is none is refused."""

from __future__ import annotations

import os
import wave
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from facedouble.errors import InputRefused
from facedouble.media.flac import flac
from facedouble.media.recording import blocks, recording
from facedouble.media.takes import read_sound
from facedouble.types import Floats
from tests.media.make import clip


def wav(path: Path, sound: Floats, rate: int) -> Path:
    """16 bit, (N, C)."""
    with wave.open(str(path), "wb") as out:
        out.setnchannels(sound.shape[1])
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(np.clip(sound * 32768, -32768, 32767).astype("<i2").tobytes())
    return path


def noise(samples: int, channels: int = 1) -> Floats:
    return (0.1 * np.random.default_rng(0).normal(size=(samples, channels))).astype(np.float32)


@pytest.mark.parametrize(("rate", "channels", "samples"), [(8_000, 1, 4_001), (16_000, 1, 1), (44_100, 2, 50_000),
                                                           (48_000, 2, 96_000), (48_000, 9, 5_000), (48_000, 16, 96_000)])
def test_a_wav_comes_back_sample_by_sample(rate: int, channels: int, samples: int, tmp_path: Path) -> None:
    sound = noise(samples, channels)
    source = recording(wav(tmp_path / "a.wav", sound, rate))
    assert (source.rate, source.channels, source.late) == (rate, channels, 0.0)
    assert np.allclose(np.concatenate(list(blocks(source))), sound, atol=1 / 32768)


def test_flac_is_lossless_and_names_nothing(tmp_path: Path) -> None:
    sound = noise(50_000)[:, 0]
    data = flac((sound[k : k + 999] for k in range(0, len(sound), 999)), 24_000)
    (tmp_path / "a.flac").write_bytes(data)
    source = recording(tmp_path / "a.flac")
    assert source.rate == 24_000
    assert np.allclose(np.concatenate(list(blocks(source)))[:, 0], sound, atol=1 / 32000)
    assert b"Lavf5" not in data and b"Lavf6" not in data and b"Lavc6" not in data
    assert flac(iter([np.array([np.nan, 2, -2], np.float32)]), 24_000)[:4] == b"fLaC"


@pytest.mark.parametrize(("name", "codec"), [("a.mp3", "libmp3lame"), ("a.m4a", "aac"), ("a.ogg", "libvorbis"),
                                             ("a.mka", "pcm_s16le"), ("a.caf", "pcm_s16le")])
def test_other_kinds(name: str, codec: str, tmp_path: Path) -> None:
    path = tmp_path / name
    with av.open(str(path), "w") as box:
        try:
            stream: Any = box.add_stream(codec, rate=44_100)
        except (ValueError, av.error.FFmpegError):
            pytest.skip(f"this PyAV has no {codec}")
        for k in range(20):
            frame = av.AudioFrame.from_ndarray(0.1 * np.ones((1, 4410), np.float32), format="fltp", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = 44_100, k * 4410, Fraction(1, 44_100)
            for made in av.AudioResampler(format=stream.format, layout=stream.layout, rate=44_100).resample(frame):
                box.mux(stream.encode(made))
        box.mux(stream.encode(None))
    source = recording(path)
    total = sum(map(len, blocks(source)))
    assert source.rate == 44_100 and abs(total - 88_200) < 4_700
    assert abs(len(read_sound(path)[0]) - 88_200) < 4_700


def test_footage_gives_its_sound(witness: Path) -> None:
    source = recording(witness)
    assert source.rate == 16_000 and abs(sum(map(len, blocks(source))) - 38_400) < 1_100


@pytest.mark.parametrize("data", [b"", b"text", b"#EXTM3U\nhttp://x/y.wav\n", b"RIFF\0\0\0\0WAVE", b"fLaC" + b"\0" * 50,
                                  b"ID3\4" + b"\0" * 99])
def test_what_is_no_recording_is_refused(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(data)
    with pytest.raises(InputRefused, match=r"a\.wav"):
        sum(map(len, blocks(recording(tmp_path / "a.wav"))))


def test_nothing_there_and_rates_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="no such file"):
        recording(tmp_path / "none.wav")
    os.mkfifo(tmp_path / "pipe")
    for read in (recording, read_sound):
        for no_file in (tmp_path, tmp_path / "pipe"):  # which nobody waits for
            with pytest.raises(InputRefused, match="is not a file"):
                read(no_file)
    for rate, channels in ((4_000, 1), (16_000, 17)):
        with pytest.raises(InputRefused):
            recording(wav(tmp_path / f"{rate}{channels}.wav", noise(100, channels), rate))


def test_a_film_without_sound_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="no sound"):
        recording(clip(tmp_path / "silent.mp4"))


def test_sound_that_begins_late_says_so(tmp_path: Path) -> None:
    assert recording(clip(tmp_path / "late.mp4", audio=[(16_000, 0.4, 0.1)])).late == pytest.approx(0.1, abs=0.07)
