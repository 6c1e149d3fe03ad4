"""What is left of one sound in another."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from scipy.io import wavfile
from scipy.signal import resample_poly

from facedouble.types import Floats
from facedouble.voice.residual import residual, whiten

RATE = 16000
CHANCE = 8.0  # two voices with their own words; measured 4 to 7 on real speech


@pytest.fixture(scope="module")
def voices(tmp_path_factory: pytest.TempPathFactory) -> tuple[Floats, Floats]:
    """Two espeak voices saying different things, 5 s each, with a little noise each of its own."""
    folder, made = tmp_path_factory.mktemp("espeak"), []
    said = (("en", "We went over the bridge before it was light, my brother and I, and nobody stopped us until the river."),
            ("en+f3", "They asked for our papers twice. Then they let the older people go, and put the others into a lorry."))
    for k, (voice, words) in enumerate(said):
        path: Path = folder / f"{k}.wav"
        subprocess.run(["espeak-ng", "-v", voice, "-w", str(path), words], check=True)
        rate, sound = wavfile.read(path)
        sound = resample_poly(sound / 32768, RATE, rate)[:5 * RATE]
        made.append((sound + 1e-4 * np.random.default_rng(k).standard_normal(len(sound))).astype(np.float32))
    return made[0], made[1]


def test_strangers_share_what_chance_gives(voices: tuple[Floats, Floats]) -> None:
    found = residual(*voices, RATE)
    assert found.peak < CHANCE
    assert found.seconds.shape == (5, 2)


def test_finds_itself(voices: tuple[Floats, Floats]) -> None:
    assert residual(voices[0], 0.01 * voices[0], RATE).seconds.min() > 40


def test_finds_two_hundred_milliseconds(voices: tuple[Floats, Floats]) -> None:
    original, other = voices
    leaked = other.copy()
    leaked[40000:43200] = original[39000:42200]
    found = residual(original, leaked, RATE)
    assert found.peak > 2 * CHANCE
    assert found.at == 2


@pytest.mark.parametrize("rate", [8000, 16000, 48000])
def test_finds_a_mix_at_minus_twenty_decibels(voices: tuple[Floats, Floats], rate: int) -> None:
    original, other = (resample_poly(v, rate, RATE).astype(np.float32) for v in voices)
    gain = 0.1 * other.std() / original.std()
    found = residual(original, other + gain * np.roll(original, rate // 100), rate)
    assert np.sort(found.seconds[:, 1])[-3:].min() > 1.2 * CHANCE
    assert residual(original, other, rate).peak < CHANCE


def test_finds_one_channel_of_two(voices: tuple[Floats, Floats]) -> None:
    original, other = voices
    both = np.stack([other, other + 0.1 * original], 1)
    assert residual(original, both, RATE).peak > 2 * CHANCE


def test_tells_hum_from_voice() -> None:
    rng, t = np.random.default_rng(0), np.arange(3 * RATE) / RATE
    hum = 0.1 * sum(np.sin(2 * np.pi * 50 * h * t + h) for h in range(1, 20))
    one, two = (hum + 0.003 * rng.standard_normal(len(t)) for _ in range(2))
    found = residual(one, two, RATE)
    assert found.seconds[:, 0].min() > CHANCE
    assert found.seconds[:, 1].max() < 6


def test_no_sound_shares_nothing(voices: tuple[Floats, Floats]) -> None:
    original = voices[0]
    assert residual(original, np.zeros_like(original), RATE).peak == 0
    assert residual(np.zeros_like(original), original, RATE).peak == 0
    assert residual(original, np.full_like(original, np.nan), RATE).peak == 0
    assert residual(original[:0], original, RATE).peak == 0
    assert residual(original[:1], original[:1], RATE).peak < CHANCE


def test_a_leak_in_what_should_be_mute_is_found_however_quiet(voices: tuple[Floats, Floats]) -> None:
    assert residual(voices[0], 1e-4 * voices[0], RATE).peak > 2 * CHANCE


def test_whitening_is_flat(voices: tuple[Floats, Floats]) -> None:
    flat = whiten(voices[0].astype(np.float64))
    parts = flat.reshape(-1, 1600).std(1)
    assert parts.max() < 1.5 * parts.min()
