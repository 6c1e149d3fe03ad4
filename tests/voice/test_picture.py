"""Spectrograms show what is there where it is, and two sounds are compared for what an ear should go to."""

from __future__ import annotations

import numpy as np
import pytest

from facedouble.types import Floats
from facedouble.voice.picture import MARKS, compared, flags, place, spectrogram

RATE = 24_000


def tone(hertz: float, seconds: float, level: float = 0.1) -> Floats:
    return np.asarray(level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE), np.float32)


def speech(seconds: float, pitch: float, seed: int = 0) -> Floats:
    """Pulses through random resonances that change ten times a second, with pauses: no two seeds sound alike."""
    rng = np.random.default_rng(seed)
    n = round(seconds * RATE)
    phase = np.cumsum(pitch * (1 + 0.1 * np.sin(np.arange(n) / RATE * 5 + seed)) / RATE)
    out = np.zeros(n)
    for k in range(1, 30):
        gains = np.repeat(rng.uniform(0, 1, n // 2400 + 1), 2400)[:n] / k
        out += gains * np.sin(2 * np.pi * k * phase + rng.uniform(0, 6))
    out *= np.repeat(rng.uniform(size=n // 9600 + 1) > 0.3, 9600)[:n]
    return (0.1 * out + 1e-4 * rng.normal(size=n)).astype(np.float32)


@pytest.mark.parametrize("hertz", MARKS)
def test_a_tone_is_drawn_at_its_mark(hertz: int) -> None:
    picture = spectrogram(tone(hertz, 2), RATE, 200, 240)
    assert picture.shape == (240, 200, 3) and picture.dtype == np.uint8
    brightest = int(picture.sum(2).mean(1).argmax())
    assert abs((239 - brightest) / 240 - place(hertz)) < 0.02


def test_time_runs_to_the_right() -> None:
    picture = spectrogram(np.concatenate([np.zeros(RATE * 3, np.float32), tone(1000, 1)]), RATE, 400, 60)
    bright = picture.sum((0, 2))
    assert (bright[310:390] > 3 * bright[:290].max()).all()


def test_colours_are_the_same_in_every_picture() -> None:
    loud, soft = spectrogram(tone(1000, 1, 0.5), RATE, 50, 60), spectrogram(tone(1000, 1, 0.005), RATE, 50, 60)
    assert loud.max() > soft.max()
    assert spectrogram(np.zeros(RATE, np.float32), RATE, 50, 60).max() < 10


@pytest.mark.parametrize("sound", [np.zeros(0), np.ones(1), np.full(3000, np.nan), np.full(3000, np.inf)])
def test_odd_sounds_are_drawn(sound: Floats) -> None:
    assert spectrogram(sound.astype(np.float32), RATE, 7, 20).shape == (20, 7, 3)


def test_another_voice_raises_no_flag() -> None:
    assert flags(compared(speech(20, 110, 1), speech(20, 110, 1), RATE))[0].why.startswith("the ORIGINAL")
    quiet = [f for f in flags(compared(speech(20, 110, 1), speech(20, 190, 2), RATE)) if "ORIGINAL" in f.why]
    assert not quiet


@pytest.mark.parametrize("done", [lambda x: x, lambda x: -0.3 * x, lambda x: np.roll(x, 400), lambda x: np.round(x * 500) / 500])
def test_the_original_is_found_also_softer_turned_and_later(done: object) -> None:
    before, other = speech(12, 120, 3), speech(12, 200, 4)
    after = other.copy()
    a, b = 4 * RATE, 7 * RATE
    after[a:b] = done(before[a:b])  # type: ignore[operator]
    found = [f for f in flags(compared(before, after, RATE)) if "ORIGINAL" in f.why]
    heard = sum(f.stop - f.start for f in found)
    assert heard > 1.2 and all(f.start >= 3.8 and f.stop <= 7.2 for f in found)


def test_what_went_missing_what_came_and_what_is_too_loud() -> None:
    before = np.concatenate([tone(300, 2), np.zeros(2 * RATE, np.float32), tone(300, 2)])
    after = np.concatenate([tone(200, 4), np.zeros(RATE, np.float32), tone(200, 0.9), tone(200, 0.1, 1.5)])
    whys = {f.why.split(",")[0]: f for f in flags(compared(before, after, RATE))}
    assert set(whys) == {"silent", "louder than before", "as loud as it can be: it may be cut off at the top"}
    silent, louder = whys["silent"], whys["louder than before"]
    assert 4 < silent.start < 4.4 and 2 < louder.start < 2.4
    assert whys["as loud as it can be: it may be cut off at the top"].start >= 5.85


def test_a_room_s_tone_where_somebody_spoke_is_a_gap() -> None:
    before = speech(12, 120, 3)
    after = np.concatenate([speech(6, 200, 3), 0.002 * np.random.default_rng(1).standard_normal(6 * RATE).astype(np.float32)])
    gaps = [f for f in flags(compared(before, after, RATE)) if f.why.startswith("silent")]
    assert sum(f.stop - f.start for f in gaps) > 3 and min(f.start for f in gaps) > 6
    assert not [f for f in flags(compared(before, speech(12, 200, 3), RATE)) if f.why.startswith("silent")]


def test_lengths_may_differ() -> None:
    for n, m in ((0, 0), (1, RATE), (RATE, 1), (RATE, 2 * RATE)):
        levels = compared(np.zeros(n, np.float32), np.zeros(m, np.float32), RATE)
        assert len(levels.before) == len(levels.like) == min(n, m) // 1200 and not flags(levels)
