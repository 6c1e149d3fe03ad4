"""A volunteer's recordings: what is wrong with them is said, and what is right is let through."""

from __future__ import annotations

import numpy as np
import pytest

from facedouble.types import Array, Floats
from facedouble.voice.code import SPEECH_RATE
from facedouble.voice.listen import STEP, TICK, Heard
from facedouble.voice.material import Gauge, Material, Recording, examine, halves, loudness, spoken


def looks(voice: int, count: int, seed: int = 0) -> Array:
    """Prints of looks at a voice, as far from one another as real ones."""
    rows = np.eye(64)[voice] + 0.07 * np.random.default_rng(seed).normal(size=(count, 64))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float16)


def heard(seconds: float = 90.0, level: float = -22.0, noise: float = -60.0, voiced: float = 0.3, voices: int = 1) -> Heard:
    """Speech for two seconds in three, the rest a pause."""
    samples = round(seconds * SPEECH_RATE)
    speech = ((np.arange(-(-samples // STEP)) * STEP // SPEECH_RATE) % 3 < 2).astype(np.float32)
    ticks = np.arange(-(-samples // TICK))
    loud = np.where(speech[np.minimum(ticks * TICK // STEP, len(speech) - 1)] > 0, level, noise).astype(np.float32)
    count = int(seconds * 2)
    prints = np.concatenate([looks(k, count // voices, k) for k in range(voices)])
    return Heard(samples, speech, loud, loud, np.full(len(loud), voiced, np.float32), np.arange(len(prints)) * 1600, prints)


def said(material: Material) -> str:
    return " | ".join(f"{'REFUSED ' if r.refused else ''}{r}" for r in material.remarks)


def one(heard: Heard, clipped: float = 0.0, high: float = -20.0) -> Material:
    return examine([Recording("a.wav", heard, clipped, high)])


def test_good_material_is_let_through_without_a_word() -> None:
    good = one(heard())
    assert not good.refused and not good.remarks and good.seconds == pytest.approx(60, abs=1)


@pytest.mark.parametrize(("material", "word", "refused"), [
    (one(heard(15)), "at least 15 s", True), (one(heard(60)), "minute or more", False), (one(heard(600)), "first 300 s", False),
    (one(heard(noise=-27)), "noise is only", True), (one(heard(noise=-38)), "quieter room", False),
    (one(heard(level=-55, noise=-90)), "far too soft", True), (one(heard(), clipped=0.05), "turn the recording level down", True),
    (one(heard(), clipped=0.005), "too loud in places", False), (one(heard(), high=-55), "telephone", False),
    (one(heard(voices=2)), "more than one person", True), (one(heard(noise=-45, voiced=0.9)), "music", False),
])
def test_what_is_wrong_is_said(material: Material, word: str, refused: bool) -> None:
    assert word in said(material) and material.refused == refused and len(material.remarks) == 1


def test_no_speech_at_all() -> None:
    silent = heard()
    silent = Heard(silent.samples, silent.speech * 0, silent.level, silent.high, silent.voiced, silent.at[:0], silent.prints[:0])
    assert one(silent).refused and "no speech" in said(one(silent))
    nothing = Heard(0, *(np.zeros(0, np.float32),) * 4, np.zeros(0, int), np.zeros((0, 0), np.float16))
    assert one(nothing).refused and examine([]).refused and spoken(nothing) == 0


def test_recordings_are_taken_together_and_named() -> None:
    good, bad = Recording("good.wav", heard(30), 0, -20), Recording("bad.wav", heard(60, noise=-26), 0, -20)
    both = examine([good, bad])
    assert both.refused and both.seconds == pytest.approx(60, abs=1)
    assert said(both).startswith("REFUSED bad.wav: noise") and "good.wav" not in said(both)
    other = Recording("other.wav", Heard(*vars(heard(60)).values()), 0, -20)
    assert not examine([good, other]).refused


def test_a_short_stretch_of_somebody_else_is_noticed() -> None:
    """An eighth of it: half a minute of an interviewer in four."""
    mixed = heard(90)
    prints = np.concatenate([looks(0, 140), looks(9, 24)])
    mixed = Heard(mixed.samples, mixed.speech, mixed.level, mixed.high, mixed.voiced, np.arange(164) * 1600, prints)
    assert halves([mixed]) < 0.5 and halves([heard()]) > 0.9
    assert halves([]) == 1.0


def test_levels_without_a_pause() -> None:
    talk = heard()
    unbroken = Heard(talk.samples, np.ones_like(talk.speech), talk.level, talk.high, talk.voiced, talk.at, talk.prints)
    loud, noise, _ = loudness(unbroken)
    assert noise < loud


def gauge(sound: Floats, rate: int = 48_000, block: int = 1000) -> Gauge:
    made = Gauge(rate)
    for k in range(0, len(sound), block):
        made.add(sound[k : k + block])
    return made


def test_clipping_is_counted_whatever_the_level() -> None:
    rng = np.random.default_rng(0)
    natural = (0.1 * rng.laplace(size=(200_000, 1))).clip(-1, 1).astype(np.float32)
    assert gauge(natural).clipped < 0.001
    for top in (0.3, 0.15):
        cut = natural.clip(-top, top)
        share = float((np.abs(natural) >= top).sum() / (np.abs(cut) > 0.01).sum())
        assert gauge(cut).clipped == pytest.approx(share, rel=0.1) and share > 0.02
        assert gauge(cut * np.float32(0.5)).clipped == pytest.approx(share, rel=0.15)


def test_a_telephone_is_noticed_at_any_rate() -> None:
    rng = np.random.default_rng(1)
    for rate in (16_000, 44_100, 48_000):
        white = rng.normal(size=rate * 4)
        spectrum = np.fft.rfft(white)
        spectrum[np.fft.rfftfreq(len(white), 1 / rate) > 3400] = 0
        phone = np.fft.irfft(spectrum, len(white))
        assert gauge((0.1 * white)[:, None].astype(np.float32), rate).high > -10
        assert gauge((0.1 * phone)[:, None].astype(np.float32), rate).high < -50


@pytest.mark.parametrize("sound", [np.zeros((0, 1)), np.zeros((9000, 2)), np.full((9000, 1), np.nan), np.ones((1, 1))])
def test_odd_sounds_do_no_harm(sound: Floats) -> None:
    made = gauge(sound.astype(np.float32))
    assert 0 <= made.clipped <= 1 and np.isfinite(made.high)
    assert np.isfinite(gauge(np.zeros((9000, 1), np.float32), 8_000).high)
