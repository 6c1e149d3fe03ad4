"""From recordings to a voice: only speech of a volunteer goes in, and a voice like the witness's is noticed."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from facedouble.errors import InputRefused
from facedouble.pipeline import voices
from facedouble.pipeline.hearing import Ears, open_ears
from facedouble.pipeline.speaking import RATE
from facedouble.pipeline.voices import make, people, rank
from facedouble.types import Floats
from facedouble.voice.casting import Verdict
from facedouble.voice.file import read_voice, write_voice
from facedouble.voice.listen import STEP, Activity
from facedouble.voice.volunteer import VoiceDouble
from tests.media.test_recording import wav
from tests.voice.test_picture import speech
from tests.voice.voices import CONSENT, arrays


def loud() -> Activity:
    """Takes whatever is loud for speech."""
    held = np.zeros(0, np.float32)

    def add(sound: Floats) -> Floats:
        nonlocal held
        held = np.concatenate([held, sound])
        count = len(held) // STEP
        rms = np.sqrt((held[: count * STEP].reshape(count, STEP) ** 2).mean(1))
        held = held[count * STEP :]
        return np.asarray(rms > 0.01, np.float32)

    return add


def coarse(looks: Floats) -> Floats:
    """Takes the long-term spectrum for the voice."""
    rows = np.log(np.abs(np.fft.rfft(looks, axis=1))[:, :4096].reshape(len(looks), 64, 64).mean(2) + 1e-3) + 7
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


EARS = Ears(loud, coarse)


class Maker:
    """Keeps what it was given."""

    def __init__(self) -> None:
        self.pieces: list[Floats] = []

    def __call__(self, pieces: Sequence[Floats]) -> dict[str, Floats]:
        self.pieces = list(pieces)
        return {name: a for name, a in arrays().items() if name != "prints"}


def spoken(path: Path, seconds: float, rate: int = 48_000, pitch: float = 120, channels: int = 1, seed: int = 0) -> Path:
    sound = speech(seconds * rate / 24_000, pitch * 24_000 / rate, seed)[: round(seconds * rate)]
    return wav(path, np.repeat(sound[:, None], channels, 1), rate)


@pytest.mark.parametrize(("rate", "channels"), [(48_000, 1), (44_100, 2), (16_000, 1)])
def test_a_voice_is_made_of_the_speech_alone(rate: int, channels: int, tmp_path: Path) -> None:
    maker = Maker()
    path = spoken(tmp_path / "a.wav", 60, rate, channels=channels)
    made, found = make([path], CONSENT, EARS, maker)
    assert made.consent == CONSENT and made.rate == RATE and not found.refused
    assert made.seconds == pytest.approx(sum(map(len, maker.pieces)) / RATE, abs=0.01) and 25 < made.seconds < 58
    assert all(np.sqrt((p**2).mean()) > 0.01 for p in maker.pieces)
    write_voice(made, tmp_path / "v.fvoice")
    assert read_voice(tmp_path / "v.fvoice").id == made.id


def test_of_whispers_no_voice_is_made(tmp_path: Path) -> None:
    """Speech without a pitch: what a network would make of it has none either."""
    rng = np.random.default_rng(3)
    bursts = np.where(np.arange(30 * 16_000) % 24_000 < 19_000, 0.05, 1e-4)
    whispers = wav(tmp_path / "w.wav", (rng.standard_normal(30 * 16_000) * bursts).astype(np.float32)[:, None], 16_000)
    with pytest.raises(InputRefused, match=r"whispered.*aloud"):
        make([whispers], CONSENT, EARS, Maker())


def test_making_tells_how_far_it_is(tmp_path: Path) -> None:
    steps: list[tuple[str, int, int | None]] = []
    maker = Maker()
    make([spoken(tmp_path / "a.wav", 30, 16_000)], CONSENT, EARS, maker, lambda *step: steps.append(step))
    count = len(maker.pieces)
    assert count > 1 and [s for s in steps if s[0] == "making"] == [("making", k, count) for k in range(1, count + 1)]


def test_what_is_more_than_five_minutes_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voices, "MOST", 20.0)
    maker = Maker()
    files = [spoken(tmp_path / f"{k}.wav", 30, 16_000, seed=k) for k in range(3)]
    made, _ = make(files, CONSENT, EARS, maker)
    assert made.seconds == 20.0 == sum(map(len, maker.pieces)) / RATE


def test_bad_recordings_are_refused_with_all_reasons(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    noisy = wav(tmp_path / "noisy.wav", (0.2 * rng.normal(size=(16_000 * 4, 1))).astype(np.float32), 16_000)
    silent = wav(tmp_path / "silent.wav", np.zeros((16_000, 1), np.float32), 16_000)
    with pytest.raises(InputRefused, match=r"silent\.wav: no speech.*at least 15 s"):
        make([noisy, silent], CONSENT, EARS, Maker())
    one = wav(tmp_path / "one.wav", np.ones((1, 1), np.float32), 16_000)
    with pytest.raises(InputRefused, match="no speech"):
        make([one], CONSENT, EARS, Maker())


def test_cutting_is_slicing() -> None:
    rng = np.random.default_rng(1)
    sound = rng.normal(size=10_000).astype(np.float32)
    for _ in range(50):
        edges = np.sort(rng.integers(0, 10_400, 6)).reshape(3, 2)
        spans = [(int(a), int(b) + 40) for a, b in edges]
        cuts = np.sort(rng.integers(0, 10_000, 7))
        got = list(voices._cut(iter(np.split(sound, cuts)), spans))
        wanted = [sound[a:b] for a, b in spans if a < len(sound)]
        assert len(got) == len(wanted) and all(np.array_equal(g, w) for g, w in zip(got, wanted, strict=True))


def voice_of(path: Path, ears: Ears) -> VoiceDouble:
    return make([path], CONSENT, ears, Maker())[0]


def test_two_files_keep_their_voices_apart(tmp_path: Path) -> None:
    files = [spoken(tmp_path / f"{k}.wav", 20, 16_000, seed=k) for k in range(2)]
    found = people(files, EARS)
    assert set(found) == {"0.wav, voice 1", "1.wav, voice 1"} and list(people(files[:1], EARS)) == ["voice 1"]
    assert all(p.dtype == np.float32 and len(p) > 3 for p in found.values())


def test_the_order_of_a_folder(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="holds no voices"):
        list(voices.voices_in(tmp_path))
    footage = spoken(tmp_path / "film.wav", 25, 16_000)
    write_voice(voice_of(spoken(tmp_path / "a.wav", 30, 16_000), EARS), tmp_path / "itself.fvoice")
    against = people([footage], EARS)
    (order,) = rank(voices.voices_in(tmp_path), against).values()
    assert [f.finding.voice for f in order] == ["itself"] and order[0].finding.verdict is Verdict.REFUSED
    (tmp_path / "bad.fvoice").write_bytes(b"no voice")
    with pytest.raises(InputRefused, match=r"bad\.fvoice"):
        rank(voices.voices_in(tmp_path), against)


WORDS = ("I lived in that house for eleven years, and in the winter the river froze from one bank to the other. Then the "
         "soldiers came, and we left with two bags and the dog. Nobody has told me what became of the others, and I have asked "
         "everyone who would listen, in three countries, for nine years.")


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")
def test_real_ears_tell_a_voice_from_another(tmp_path: Path) -> None:
    ears = open_ears()
    for name, voice in (("low", "en-us+m3"), ("high", "en-us+f2")):
        for part, speed in ((1, "150"), (2, "135")):
            subprocess.run(["espeak-ng", "-v", voice, "-s", speed, "-w", str(tmp_path / f"{name}{part}.wav"), WORDS], check=True)
    low = voice_of(tmp_path / "low1.wav", ears)
    (same,) = voices.check(low, people([tmp_path / "low2.wav"], ears))
    (other,) = voices.check(low, people([tmp_path / "high2.wav"], ears))
    assert same.verdict is Verdict.REFUSED and other.verdict is not Verdict.REFUSED and same.likeness > other.likeness + 0.2
    mixed = people([tmp_path / "high1.wav", tmp_path / "low2.wav"], ears)
    assert [f.verdict is Verdict.REFUSED for f in voices.check(low, mixed)] == [False, True]
    with pytest.raises(InputRefused, match="more than one person"):
        make([tmp_path / "low1.wav", tmp_path / "high1.wav"], CONSENT, ears, Maker())
