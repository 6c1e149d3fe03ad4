"""A room tone made new; hum and its clock taken out."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from scipy.signal import coherence, sosfreqz, welch

from facedouble.types import Doubles, Floats
from facedouble.voice.ambience import CENTRES, FLOOR, LEVEL_STEP, LOUDEST, NEUTRAL, Tone, clean, neutral, tone_of
from facedouble.voice.hum import SWAY, Wander, lines, notch, width
from tests.voice import electric

RATE = 48000
ROOM = Tone(np.array([-60.0, -62, -64, -66, -68, -70, -72, -74, -76]))


def whole(tone: Tone, samples: int, channels: int = 1, rate: int = RATE, seed: int = 1) -> Floats:
    made = list(tone.sound(samples, channels, rate, np.random.default_rng(seed)))
    return np.concatenate(made) if made else np.zeros((0, channels), np.float32)


def band_levels(sound: Floats, rate: int) -> Doubles:
    """dB of power in the octaves, as they are, lines and all."""
    f, density = welch(sound.astype(np.float64), rate, nperseg=2 * rate // 5, axis=0)
    return np.array([10 * np.log10(density[(f >= c / 2**0.5) & (f < c * 2**0.5)].sum() * (f[1] - f[0]) + 1e-20) for c in CENTRES])


def test_tone_sounds_as_loud_as_it_says() -> None:
    found = band_levels(whole(ROOM, 20 * RATE), RATE)
    assert np.abs(found - ROOM.levels)[1:8].max() < 1.5
    assert np.abs(found - ROOM.levels).max() < 3


def test_tone_of_a_tone_is_that_tone() -> None:
    sound = whole(ROOM, 20 * RATE, 2)
    found = tone_of(electric.cut(sound), RATE, [(0, 5 * RATE), (6 * RATE, 20 * RATE)])
    assert np.abs(found.levels - ROOM.levels).max() <= LEVEL_STEP
    assert not np.any(found.levels % LEVEL_STEP)


def test_size_of_blocks_does_not_matter() -> None:
    sound = whole(ROOM, 4 * RATE)
    spans = [(100, 2 * RATE), (2 * RATE + 7, 4 * RATE)]
    found = [tone_of(electric.cut(sound, size), RATE, spans).levels for size in (313, 7777, 10**6)]
    assert np.array_equal(found[0], found[1])
    assert np.array_equal(found[0], found[2])


def test_hum_does_not_pass() -> None:
    rng = np.random.default_rng(0)
    strays = electric.trace(20, 0.02, rng)
    noise = electric.hum(strays, RATE, (), 0.0, 1e-3, rng)
    with_hum = noise + electric.hum(strays, RATE, range(1, 20), 0.02, 0.0, rng)
    span = [(0, len(noise))]
    without, found = tone_of([noise], RATE, span), tone_of([with_hum], RATE, span)
    assert np.abs(found.levels - without.levels).max() <= LEVEL_STEP
    assert band_levels(with_hum, RATE)[0] > without.levels[0] + 20  # as it would be if it did


def test_narrow_formant_does_not_pass() -> None:
    rng = np.random.default_rng(0)
    noise = electric.hum(np.zeros(21), RATE, (), 0.0, 1e-3, rng)
    spectrum = np.fft.rfft(noise[:, 0])
    f = np.fft.rfftfreq(len(noise), 1 / RATE)
    spectrum[(f > 900) & (f < 1050)] *= 30
    loud = np.fft.irfft(spectrum)[:, None].astype(np.float32)
    span = [(0, len(noise))]
    assert np.abs(tone_of([loud], RATE, span).levels - tone_of([noise], RATE, span).levels).max() <= LEVEL_STEP


def test_speech_outside_pauses_and_steps_in_them_do_not_count() -> None:
    sound = whole(ROOM, 20 * RATE)
    sound[5 * RATE:10 * RATE] += 0.3 * np.random.default_rng(0).standard_normal((5 * RATE, 1)).astype(np.float32)
    sound[12 * RATE:12 * RATE + 4000] += 0.3
    found = tone_of(electric.cut(sound), RATE, [(0, 5 * RATE), (10 * RATE, 20 * RATE)])
    assert np.abs(found.levels - ROOM.levels).max() <= LEVEL_STEP
    assert tone_of(electric.cut(sound), RATE, [(0, 20 * RATE)]).levels.max() < -50  # a quarter of it is loud


@pytest.mark.parametrize("spans", [[], [(0, 100)], [(5, 5)], [(10**9, 2 * 10**9)], [(-RATE, RATE // 10)]])
def test_no_pause_is_neutral(spans: list[tuple[int, int]]) -> None:
    assert np.array_equal(tone_of(electric.cut(whole(ROOM, RATE)), RATE, spans).levels, NEUTRAL)


def test_neutral_is_sixty_decibels_under() -> None:
    assert 10 * np.log10(np.sum(10 ** (neutral().levels / 10))) == pytest.approx(-60, abs=0.1)
    assert 20 * np.log10(whole(neutral(), 20 * RATE).std()) == pytest.approx(-60, abs=1.5)


def test_broken_sounds() -> None:
    silence, span = np.zeros((2 * RATE, 1), np.float32), [(0, 2 * RATE)]
    assert tone_of([silence], RATE, span).levels.max() == FLOOR
    assert np.array_equal(tone_of([np.full_like(silence, np.nan)], RATE, span).levels, NEUTRAL)
    clipped = np.sign(np.random.default_rng(0).standard_normal((2 * RATE, 2))).astype(np.float32)
    levels = tone_of([clipped], RATE, span).levels
    loud = 10 * np.log10(np.sum(10 ** (levels / 10)))
    assert loud <= LOUDEST < loud + 3
    assert np.array_equal(tone_of([], RATE, span).levels, NEUTRAL)


@pytest.mark.parametrize("rate", [8000, 16000, 44100])
def test_low_rates_fall_off_above_what_they_hear(rate: int) -> None:
    found = tone_of([whole(ROOM, 10 * rate, rate=rate)], rate, [(0, 10 * rate)]).levels
    heard = np.sum(rate / 2 >= CENTRES * 2**0.5)
    assert np.abs(found - ROOM.levels)[:heard].max() <= LEVEL_STEP
    assert np.all(np.diff(found[heard - 1:]) == -6)


def test_tone_has_no_seam_and_is_the_same_twice() -> None:
    sound = whole(ROOM, 3 * 65536 + 5, 2)
    assert sound.shape == (3 * 65536 + 5, 2)
    assert np.array_equal(sound, whole(ROOM, 3 * 65536 + 5, 2))
    assert not np.array_equal(sound, whole(ROOM, 3 * 65536 + 5, 2, seed=2))
    sharp = np.abs(np.diff(sound, n=4, axis=0)).max(1)
    assert all(sharp[s - 8:s + 8].max() < 5 * sharp.std() + sharp.mean() for s in (65536, 131072, 196608))
    start = np.concatenate([whole(ROOM, 64, seed=s) for s in range(200)]).std()
    assert start == pytest.approx(whole(ROOM, 5 * RATE).std(), rel=0.3)  # full from the first sample
    assert whole(ROOM, 1).shape == (1, 1)
    assert whole(ROOM, 0).shape == (0, 1)


def test_channels_are_strangers() -> None:
    sound = whole(ROOM, 60 * RATE, 2)
    assert coherence(sound[:, 0], sound[:, 1], RATE, nperseg=8192)[1].mean() < 0.02


def test_tone_refuses_what_is_none() -> None:
    for wrong in (np.zeros(9), np.full(8, -60.0), np.full(9, np.nan)):
        with pytest.raises(ValueError):
            Tone(wrong)
    assert np.array_equal(pickle.loads(pickle.dumps(ROOM)).levels, ROOM.levels)


@pytest.mark.parametrize("mains", [50.0, 60.0])
def test_finds_the_mains(mains: float) -> None:
    rng = np.random.default_rng(0)
    sound = electric.hum(electric.trace(20, 0.02, rng), 16000, (1, 2, 3, 5, 7, 30), 0.003, 0.003, rng, mains)
    found = lines(sound, 16000)
    assert {m for m, _ in found} == {mains}
    assert (mains, 30) in found
    assert {(mains, h) for h in range(1, int(1000 / mains) + 1)} <= found


def test_takes_out_both_where_neither_stands_out() -> None:
    assert {m for m, _ in lines(electric.hum(np.zeros(21), 16000, (), 0, 0.01, np.random.default_rng(0)), 16000)} == {50.0, 60.0}


def test_notch_is_as_deep_and_as_narrow_as_stated() -> None:
    for h in (3, 9, 20):
        places = 50 * h + width(h) * np.array([-1, -0.5, 0, 0.5, 1, -3.1, 3.1])
        gain = 20 * np.log10(np.abs(sosfreqz(notch(50, h, RATE), places, fs=RATE)[1]) + 1e-12)
        assert gain[1:4].max() < -59
        assert gain[[0, 4]].max() < -35
        assert gain[5:].min() > -0.1


def test_no_trace_of_the_mains_in_new_and_clean() -> None:
    """An hour of hum that strays by 20 mHz, its lines 16 dB over the noise; chance alone gives .03 (1 / sqrt(900))."""
    rate, rng = 2000, np.random.default_rng(3)
    strays = electric.trace(3600, 0.02, rng)
    sound = electric.hum(strays, rate, (1, 2, 3, 5, 7, 9, 11), 0.01, 0.003, rng)
    blocks, known = electric.cut(sound), electric.truth(strays)
    made = {"clean": np.concatenate(list(clean(blocks, rate, rng))),
            "new": np.concatenate(list(tone_of(blocks, rate, [(0, len(sound))]).sound(len(sound), 1, rate, rng)))}
    harmonics = (1, 2, 3, 5, 7, 9)
    for read in electric.read_each(sound[:, 0], rate, harmonics):
        assert np.corrcoef(known, read)[0, 1] > 0.95
    for name, out in made.items():
        for h, read in zip(harmonics, electric.read_each(out[:, 0], rate, harmonics), strict=True):
            assert abs(np.corrcoef(known, read)[0, 1]) <= 0.1, (name, h)


def test_clock_wanders_within_its_limits() -> None:
    wander = Wander(16000, np.random.default_rng(0))
    sway = np.concatenate([wander.sway(i, 5000) for i in range(0, 16000 * 600, 5000)])
    speed = np.diff(sway) * 16000
    assert np.abs(sway).max() <= 3 * SWAY
    assert 0.3 * SWAY < sway.std() < SWAY
    assert np.abs(speed).max() < 0.01
    assert np.abs(np.diff(speed)).max() < 1e-6  # no click


def test_wander_reads_where_it_says() -> None:
    rate, t = 16000, np.arange(48000) / 16000
    heard = np.concatenate(list(Wander(rate, np.random.default_rng(5)).run(
        electric.cut(np.sin(2 * np.pi * 440 * t)[:, None].astype(np.float32)))))
    expected = np.sin(2 * np.pi * 440 * (t - Wander(rate, np.random.default_rng(5)).sway(0, len(t))))
    assert np.abs(heard[1000:-1000, 0] - expected[1000:-1000]).max() < 1e-3


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 48000])
@pytest.mark.parametrize("samples", [0, 1, 100, 50_000])
def test_clean_gives_as_many_samples_as_came(rate: int, samples: int) -> None:
    sound = (0.1 * np.random.default_rng(0).standard_normal((samples, 2))).astype(np.float32)
    out = list(clean(electric.cut(sound), rate, np.random.default_rng(0)))
    assert sum(map(len, out)) == samples
    assert all(np.isfinite(block).all() and block.dtype == np.float32 for block in out)


def test_clean_survives_what_is_no_sound() -> None:
    sound = np.random.default_rng(0).standard_normal((16000, 1)).astype(np.float32)
    sound[5000:5100], sound[9000] = np.nan, np.inf
    out = np.concatenate(list(clean(electric.cut(sound), 16000, np.random.default_rng(0))))
    assert np.isfinite(out).all()
    assert np.abs(out).max() <= 1
    assert out[12000:].std() > 0.3


def test_clean_keeps_what_is_neither_low_nor_hum() -> None:
    t = np.arange(30 * 16000) / 16000
    noise = 1e-3 * np.random.default_rng(1).standard_normal((len(t), 3))
    sound = (0.1 * np.stack([np.sin(2 * np.pi * f * t) for f in (80, 1225, 3330)]).T + noise).astype(np.float32)
    out = np.concatenate(list(clean(electric.cut(sound), 16000, np.random.default_rng(0))))[32000:]
    assert 20 * np.log10(2 * np.abs(np.mean(out[:, 0] * np.exp(-2j * np.pi * 80 * t[32000:]))) / 0.1) < -60
    assert np.abs(20 * np.log10(out[:, 1:].std(0) / sound[:, 1:].std(0))).max() < 1
