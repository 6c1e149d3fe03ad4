"""Hearing a clip: its streams mixed on one clock, its analysis' lips against speech by espeak-ng, with the real models."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soxr
from scipy.ndimage import gaussian_filter1d
from scipy.signal import hilbert

from facedouble.faces.fit import Fit
from facedouble.media.probe import probe
from facedouble.pipeline.analyse import Analysis, Role
from facedouble.pipeline.hearing import BLOCK, Quadrature, clock, hear, lips_of, listen, mono, open_ears, times
from facedouble.types import CODE, CODE_FLOATS, Box, ClipCode, Face, FaceCode, Floats, Rows, Track
from facedouble.voice.code import SPEECH_RATE
from tests.voice.spoken import pause, say

FIRST = "We went home late, and nobody asked what had happened that night."
SECOND = "They came back in the morning, with more men than before."


def clip(path: Path, sounds: list[tuple[Floats, int, float]], seconds: float, codec: str = "pcm_s16le") -> Path:
    """A grey film, 25 frames/s, with sound streams (N, C) of a rate, each from its start in s."""
    with av.open(str(path), "w", format="mov") as box:
        video: Any = box.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt = 64, 64, "yuv420p"
        streams: list[Any] = []
        for block, rate, _ in sounds:
            stream: Any = box.add_stream(codec, rate=rate)
            stream.codec_context.layout = {1: "mono", 2: "stereo"}[block.shape[1]]
            streams.append(stream)
        for k in range(round(seconds * 25)):
            frame = av.VideoFrame.from_ndarray(np.full((96, 64), 128, np.uint8), format="yuv420p")
            frame.pts, frame.time_base = k, Fraction(1, 25)
            box.mux(video.encode(frame))
        box.mux(video.encode(None))
        for (block, rate, start), stream in zip(sounds, streams, strict=True):
            for k in range(0, len(block), 1024):
                flat = (np.clip(block[k : k + 1024], -1, 1) * 32767).astype(np.int16).reshape(1, -1)
                made = av.AudioFrame.from_ndarray(flat, format="s16", layout=stream.codec_context.layout.name)
                made.sample_rate, made.pts, made.time_base = rate, round(start * rate) + k, Fraction(1, rate)
                box.mux(stream.encode(made))
            box.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("signs", [(1, 1), (1, -1), (1, -1, 1), (-1, 1, 1, -1)])
def test_nothing_cancels_in_the_mix(signs: tuple[int, ...]) -> None:
    """Speech that two channels hold in opposite phase would be heard by nobody, and `ambience keep` would let it pass."""
    sound = np.random.default_rng(1).standard_normal((9000, 1)).astype(np.float32)
    mix = Quadrature(len(signs))
    made = np.concatenate([*(mix.add(sound[k : k + 700] * np.array(signs, np.float32)) for k in range(0, 9000, 700)), mix.rest()])
    assert len(made) == 9000 and made.std() > 0.13 * sound.std()  # 1, -1, 1 leave .41 of 3
    gain = np.abs(np.fft.rfft(made)) / np.abs(np.fft.rfft(sound[:, 0]))
    assert (np.median(gain[100:4200].reshape(41, 100), axis=1) > 0.13).all()  # 180 Hz to 7.5 kHz


@pytest.mark.parametrize("samples", [1, 100, 127, 128, 300])
def test_a_mix_is_as_long_as_its_channels(samples: int) -> None:
    mix = Quadrature(2)
    assert len(mix.add(np.ones((samples, 2), np.float32))) + len(mix.rest()) == samples


def test_speech_in_opposite_phase_is_heard(tmp_path: Path) -> None:
    said = np.concatenate([pause(0.5), say(FIRST), pause(0.5)])
    path = clip(tmp_path / "a.mov", [(np.stack([said, -said], 1), SPEECH_RATE, 0)], len(said) / SPEECH_RATE)
    spoken = hear(analysed(path, (), len(said) / SPEECH_RATE), open_ears())
    assert sum(t.stop - t.start for t in spoken) > 0.6 * (len(said) - SPEECH_RATE)


CONSTANT = ClipCode(1, 1, 1, 1, 0, (0.1, 0.1), (0.3, 0.3), (0, 0), 1, 1)


def face(track: int, gap: Floats, x: float = 10) -> Role:
    """A track from the first frame on whose lips are this far apart, (frames,)."""
    codes = np.zeros((len(gap), CODE_FLOATS), np.float32)
    codes[:, CODE["scale"]], codes[:, CODE["lips"]] = 50, gap[:, None]
    faces = tuple(Face(k, Box(x, 10, x + 20, 30), 0.9) for k in range(len(gap)))
    fit = Fit(0, Rows(codes, FaceCode.of), (), CONSTANT, np.zeros((len(gap), 3)))
    return Role(Track(track, faces), fit, np.ones(len(gap)), ())


def lips_to(sound: Floats, frames: int) -> Floats:
    """(frames,) lips that open with the loudness of a sound, and are at rest in its pauses."""
    level = gaussian_filter1d(np.abs(sound).astype(np.float64), 400)
    return np.asarray(0.004 + 0.9 * level[(np.arange(frames) + 0.5).astype(int) * len(sound) // frames], np.float32)


@pytest.fixture(scope="module")
def interview() -> tuple[Floats, Floats, float]:
    """What two people say in turn, each on a track of their own (N,), and how long it takes, s."""
    one, two = say(FIRST), say(SECOND, 0.75)
    first = np.concatenate([pause(0.5), one, pause(0.8, 1), 0 * two, pause(0.5)])
    second = np.concatenate([pause(0.5), 0 * one, pause(0.8), two, pause(0.5)])
    return first, second, len(first) / SPEECH_RATE


def analysed(path: Path, roles: tuple[Role, ...], seconds: float) -> Analysis:
    return Analysis(probe(path), round(seconds * 25), roles)


def test_an_interview(tmp_path: Path, interview: tuple[Floats, Floats, float]) -> None:
    one, two, seconds = interview
    frames = round(seconds * 25)
    path = clip(tmp_path / "a.mov", [((one + two)[:, None], SPEECH_RATE, 0)], seconds)
    seen: list[int] = []
    found = hear(analysed(path, (face(4, lips_to(one, frames)), face(9, lips_to(two, frames), 40)), seconds), open_ears(),
                 progress=lambda _, done, __: seen.append(done))
    assert [t.track for t in found if t.voice >= 0] == [4, 9]
    assert len({t.voice for t in found if t.voice >= 0}) == 2
    assert seen and seen == sorted(seen)


def test_lips_at_rest_are_given_nothing(tmp_path: Path, interview: tuple[Floats, Floats, float]) -> None:
    one, two, seconds = interview
    path = clip(tmp_path / "a.mov", [((one + two)[:, None], SPEECH_RATE, 0)], seconds)
    still = np.full(round(seconds * 25), 0.004, np.float32)
    found = hear(analysed(path, (face(4, still), face(9, still, 40)), seconds), open_ears())
    assert len(found) >= 2 and all(t.track is None for t in found)


@pytest.mark.parametrize("rate", [8000, 44100, 48000])
def test_two_microphones_at_any_rate_late_or_not(rate: int, tmp_path: Path, interview: tuple[Floats, Floats, float]) -> None:
    """Two streams, one in stereo and late by .4 s: on one clock as if mixed before."""
    one, two, seconds = interview
    late = round(0.4 * SPEECH_RATE)
    streams = [np.asarray(soxr.resample(s, SPEECH_RATE, rate))[:, None] for s in (one, two[late:])]
    path = clip(tmp_path / "a.mov", [(streams[0], rate, 0), (np.repeat(streams[1], 2, 1), rate, 0.4)], seconds)
    info = probe(path)
    assert len(info.audio) == 2
    blocks = list(mono(info))
    assert all(len(b) == BLOCK for b in blocks[:-1])
    mixed = np.concatenate(blocks)
    assert abs(len(mixed) - len(one)) < 200
    n = min(len(mixed), len(one))
    turned = [np.cos(a) * two + np.sin(a) * hilbert(two).imag for a in (np.pi / 4, np.pi / 2)]  # phases of the second stream
    wanted = (one + sum(turned))[:n] / 3
    assert np.corrcoef(mixed[:n], wanted)[0, 1] > (0.97 if rate == 8000 else 0.995)


def test_a_clip_without_sound_has_no_turns(tmp_path: Path) -> None:
    made = analysed(clip(tmp_path / "a.mov", [], 2), (face(1, np.full(50, 0.01, np.float32)),), 2)
    spoken = listen(made, open_ears())
    assert spoken.turns == () and len(spoken.voices) == 0 and clock(made.info) == 0


def test_the_generated_witness_only_hums(analysis: Analysis) -> None:
    """A tone is no speech, however the lips move."""
    found = hear(analysis, open_ears())
    assert all(t.voice == -1 and t.track is None for t in found)


def test_lips_count_where_the_codes_are_trusted(analysis: Analysis) -> None:
    role = analysis.roles[0]
    lips = lips_of(role, times(analysis))
    assert lips is not None and lips.track == role.track.id and np.isfinite(lips.gap).all()
    assert lips.times[1] - lips.times[0] == pytest.approx(0.04) and lips.times[0] == pytest.approx(0.02, abs=0.03)
    weights = role.weights.copy()
    weights[10:20] = 0
    doubtful = lips_of(replace(role, weights=weights), times(analysis))
    assert doubtful is not None and np.isnan(doubtful.gap).sum() == 10
    assert lips_of(replace(role, fit=None), times(analysis)) is None


def test_a_turn_is_cut_where_the_picture_is(tmp_path: Path, interview: tuple[Floats, Floats, float]) -> None:
    one, _, seconds = interview
    frames, cut = round(seconds * 25), 40
    whole = face(4, lips_to(one, frames))
    assert whole.fit is not None
    first = replace(whole, track=Track(4, whole.track.faces[:cut]), weights=whole.weights[:cut],
                    fit=replace(whole.fit, codes=whole.fit.codes[:cut], angles=whole.fit.angles[:cut]))
    path = clip(tmp_path / "a.mov", [(one[:, None], SPEECH_RATE, 0)], seconds)
    made = replace(analysed(path, (first,), seconds), cuts=(cut,))
    found = [t for t in hear(made, open_ears()) if t.voice >= 0]
    assert any(abs(t.stop - cut / 25 * SPEECH_RATE) < 3 for t in found)
    assert all(t.track is None for t in found if t.start >= cut / 25 * SPEECH_RATE - 3)
