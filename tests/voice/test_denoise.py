"""Speech without steady noise, and quiet pauses."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import exp1

from facedouble.types import Floats
from facedouble.voice.denoise import LEAST, QUIET, Minima, denoise, gain, gate
from tests.audit.sounds import voice
from tests.voice.electric import cut

RATE = 16000


@pytest.fixture(scope="module")
def speech() -> Floats:
    """Three seconds of syllables, (N,), with a second and a half of silence before them."""
    return np.asarray(np.concatenate([np.zeros(RATE * 3 // 2), voice(1, 120.0, 3)]), np.float32)


def whole(sound: Floats, rate: int = RATE, size: int = 7777) -> Floats:
    return np.concatenate(list(denoise(cut(sound[:, None] if sound.ndim == 1 else sound, size), rate)))


def white(n: int, level: float, seed: int = 0) -> Floats:
    return np.asarray(level * np.random.default_rng(seed).standard_normal(n), np.float32)


@pytest.mark.parametrize(("snr", "gained"), [(0, 4.0), (5, 4.0), (10, 3.0)])
def test_noise_falls_and_speech_stays(speech: Floats, snr: float, gained: float) -> None:
    loud = np.convolve(speech**2, np.ones(800) / 800, "same") > 1e-4
    level = speech[loud].std() * 10 ** (-snr / 20)
    made = whole(speech + white(len(speech), level))[:, 0]
    error = (made - speech)[loud]
    assert 10 * np.log10(np.sum(speech[loud] ** 2) / np.sum(error**2)) > snr + gained
    assert 20 * np.log10(made[:RATE].std() / level) < -12


def test_clean_speech_is_left_alone(speech: Floats) -> None:
    noisy = speech + white(len(speech), 1e-4)
    made = whole(noisy)[:, 0]
    assert 10 * np.log10(np.sum(noisy**2) / np.sum((made - noisy) ** 2)) > 15


def test_minima_follow_the_noise() -> None:
    """Without bias, whatever the level; up within four seconds, down at once."""
    minima, rng = Minima(257), np.random.default_rng(0)
    for level in (1.0, 100.0, 0.01):
        for _ in range(250):
            noise = minima.step(level * rng.exponential(size=257))
        assert noise.mean() == pytest.approx(level, rel=0.15)


def test_minima_do_not_follow_speech() -> None:
    minima, rng = Minima(257), np.random.default_rng(0)
    for k in range(600):
        noise = minima.step(rng.exponential(size=257) * (1000.0 if k > 100 and k % 40 < 25 else 1.0))
    assert noise.mean() < 2.0


def test_gain_is_the_formula() -> None:
    power, noise, before = np.array([5.0]), np.array([1.0]), np.array([2.0])
    xi = 0.96 * 2 + 0.04 * 4
    expected = xi / (1 + xi) * np.exp(0.5 * exp1(xi / (1 + xi) * 5))
    G, following = gain(power, noise, before)
    assert G[0] == pytest.approx(expected)
    assert following[0] == pytest.approx(expected**2 * 5)
    assert gain(np.array([1.0]), noise, np.array([0.0]))[0][0] == LEAST


@pytest.mark.parametrize("rate", [8000, 16000, 48000])
@pytest.mark.parametrize("samples", [0, 1, 255, 256, 257, 40_000])
def test_as_many_samples_as_came(rate: int, samples: int) -> None:
    sound = white(2 * samples, 0.1).reshape(samples, 2)
    out = list(denoise(cut(sound, 1000), rate))
    assert sum(map(len, out)) == samples
    assert all(block.shape[1] == 2 and block.dtype == np.float32 and np.isfinite(block).all() for block in out)


def test_blocks_do_not_matter_and_nothing_moves(speech: Floats) -> None:
    noisy = speech + white(len(speech), 1e-3)
    made = whole(noisy, size=10**6)[:, 0]
    assert np.abs(made - whole(noisy, size=48_000)[:, 0]).max() < 1e-6
    both = np.fft.irfft(np.fft.rfft(made, 2 * len(made)) * np.conj(np.fft.rfft(noisy, 2 * len(made))))
    assert both.argmax() == 0


def test_what_is_no_sound() -> None:
    for sound in (np.zeros(RATE), np.full(RATE, np.nan), np.full(RATE, np.inf), np.ones(RATE), np.sign(white(RATE, 1.0))):
        made = whole(sound.astype(np.float32))
        assert np.isfinite(made).all()
        assert np.abs(made).max() < 2
    assert np.abs(whole(np.zeros(RATE, np.float32))).max() == 0


def test_gate() -> None:
    sound = np.ones((RATE, 2), np.float32)
    made = np.concatenate(list(gate(cut(sound, 333), RATE, [(4000, 6000), (6100, 8000), (9, 9)])))
    assert made.shape == sound.shape
    assert np.all(made[4000:6000] == 1)
    assert np.all(made[6100:8000] == 1)
    assert np.allclose(made[:3800], QUIET)
    assert np.allclose(made[8200:], QUIET)
    assert np.abs(np.diff(made[:, 0])).max() < 0.02  # no click
    assert np.allclose(np.concatenate(list(gate(cut(sound), RATE, []))), QUIET)
