"""What is left of one sound in another."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import lfilter, resample_poly

from facedouble.audit.residual import residual, whiten
from facedouble.types import Floats

RATE = 16000
CHANCE = 8.0  # two voices with their own words; measured 4 to 7 on real speech


def voice(seed: int, pitch: float) -> Floats:
    """5 s of syllables: pulses or noise through resonances that change; nothing is shared between two of them.

    espeak will not do: it pastes the same recorded consonants into each of its voices, and they are found (18 and more).
    """
    rng, out = np.random.default_rng(seed), np.zeros(5 * RATE)
    for start in range(0, len(out), RATE // 8):
        n = RATE // 8
        phase = np.cumsum(pitch * (1 + 0.1 * np.sin(np.arange(n) / 900 + rng.uniform(0, 6))) / RATE) + rng.uniform()
        sound = np.diff(np.floor(phase), prepend=0) if rng.uniform() < 0.7 else 0.1 * rng.standard_normal(n)
        for centre in rng.uniform([250, 900, 2000, 3000], [900, 2000, 3000, 4500]):
            r = np.exp(-np.pi * 90 / RATE)
            sound = lfilter([1 - r], [1, -2 * r * np.cos(2 * np.pi * centre / RATE), r * r], sound)
        out[start:start + n] = sound * np.hanning(n) * rng.uniform(0.2, 1)
    return np.asarray(0.2 * out / np.abs(out).max() + 1e-4 * rng.standard_normal(len(out)), np.float32)


@pytest.fixture(scope="module")
def voices() -> tuple[Floats, Floats]:
    return voice(1, 110), voice(2, 190)


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
    rng, t = np.random.default_rng(0), np.arange(5 * RATE) / RATE
    hum = 0.1 * sum(np.sin(2 * np.pi * 50 * h * t + h) for h in range(1, 20))
    one, two = (hum + 0.003 * rng.standard_normal(len(t)) for _ in range(2))
    found = residual(one, two, RATE)
    assert found.seconds[:, 0].min() > CHANCE
    assert found.seconds[1:-1, 1].max() < 6  # at either end of the file the hum begins and ends at the same moment


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
