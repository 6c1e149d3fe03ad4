"""A take on the witness's timing: where it lies, that nothing of the witness is heard, what is refused."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from facedouble.errors import TakeRefused
from facedouble.types import Array, Bools, Doubles, Floats
from facedouble.voice import align as aligning
from facedouble.voice.align import STEPS, align, table
from facedouble.voice.front import listen, pauses
from facedouble.voice.revoice import Fitted, fit, measure, misfits, perform
from facedouble.voice.room import BANDS, LOUDER, TILT, UNEVEN, decay, reverberant, room_tone, tilted
from facedouble.voice.stretch import follow, lay, onsets
from facedouble.voice.timing import Piece, limited, pieces

RATE = 16_000
SYLLABLES = ((700, 1200, 2500), (300, 2200, 3000), (350, 800, 2300), (500, 1800, 2500), (600, 1000, 2400), (280, 1900, 2700))


def speech(starts: Doubles, lengths: Doubles, pitch: float, tract: float, seconds: float, seed: int = 0) -> Floats:
    """Syllables of three resonances over pulses, in a little noise; as a voice of `pitch` Hz with a tract of `tract`."""
    rng = np.random.default_rng(seed)
    out = rng.standard_normal(round(seconds * RATE)) * 3e-4
    for k, (at, length) in enumerate(zip(starts, lengths, strict=True)):
        n = round(length * RATE)
        t = np.arange(n) / RATE
        pulses = np.zeros(n)
        pulses[np.unique((np.arange(0, length, 1 / pitch) * RATE).astype(int))] = 1
        made = pulses
        for f in SYLLABLES[k % len(SYLLABLES)]:
            ring = np.exp(-t[:400] * 350) * np.cos(2 * np.pi * f * tract * t[:400])
            made = np.convolve(made, ring)[:n]
        made = made / np.abs(made).max() * np.minimum(1, np.minimum(t, length - t) / 0.01)
        first = round(at * RATE)
        out[first : first + n] += 0.3 * made[: len(out) - first]
    return out.astype(np.float32)


LENGTHS = np.array([0.2, 0.25, 0.18, 0.3, 0.22, 0.26] * 2)
GAPS = np.array([0.06, 0.05, 0.06, 0.05, 0.07, 0.6] * 2)  # a pause after the sixth
STARTS = 0.5 + np.concatenate([[0], np.cumsum(LENGTHS + GAPS)[:-1]])
SLOW = np.array([0.8, 1.2, 0.9, 1.3, 0.8, 1.1] * 2)
OTHER_GAPS = np.array([0.06, 0.05, 0.06, 0.05, 0.07, 1.1] * 2)
OTHER_STARTS = 1.1 + np.concatenate([[0], np.cumsum(LENGTHS * SLOW + OTHER_GAPS)[:-1]])


@pytest.fixture(scope="module")
def guide() -> Floats:
    return speech(STARTS, LENGTHS, 120, 1.0, 5.0)


@pytest.fixture(scope="module")
def take() -> Floats:
    return speech(OTHER_STARTS, LENGTHS * SLOW, 190, 1.15, 6.5, seed=1)


@pytest.fixture(scope="module")
def fitted(take: Floats, guide: Floats) -> Fitted:
    return fit(take, guide, RATE)


def reference(near: Array, guide_pause: Array, take_pause: Array, head: Array, tail: Array, bend: float) -> float:
    """The cheapest path's cost through the whole table, cell by cell."""
    n, m = near.shape
    total = np.full((n, m), np.inf)
    for i in range(n):
        for j in range(m):
            costs = [head[j] + near[i, j]] if i == 0 else []
            for a, b in STEPS[:5]:
                if i >= a and j >= b:
                    between = sum(near[i - min(t, a - 1), j - min(t, b - 1)] for t in range(max(a, b) - 1))
                    first = near[i - a + 1, j - b + 1]
                    costs.append(total[i - a, j - b] + between + 2 * first + bend * (max(a, b) - 1))
            if i:
                costs.append(total[i - 1, j] + guide_pause[i])
            if j:
                costs.append(total[i, j - 1] + take_pause[j])
            total[i, j] = min(costs) if costs else np.inf
    return float((total[-1] + tail).min())


@pytest.mark.parametrize("seed", range(4))
def test_the_kernel_finds_what_the_plain_reference_finds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    g, t = rng.standard_normal((23, 5)).astype(np.float32), rng.standard_normal((31, 5)).astype(np.float32)
    pause = [np.where(rng.random(n) < 0.3, 0.05, 1e30).astype(np.float32) for n in (23, 31)]
    head, tail = np.cumsum(rng.random(31)).astype(np.float32), rng.random(31).astype(np.float32)[::-1]
    pairs, cost = table(g, t, np.zeros(23, np.int32), 31, (pause[0], pause[1]), head, tail)
    near = np.linalg.norm(g[:, None] - t[None], axis=2)
    assert cost == pytest.approx(reference(near, pause[0], pause[1], head, tail, aligning._BEND), rel=1e-5)
    assert (np.diff(pairs, axis=0) >= 0).all() and pairs[0, 0] == 0 and pairs[-1, 0] == 22


def test_a_band_that_holds_the_path_changes_nothing() -> None:
    rng = np.random.default_rng(0)
    g = rng.standard_normal((60, 6)).astype(np.float32)
    t = np.repeat(g, rng.integers(1, 3, 60), axis=0) + rng.standard_normal((1, 6)).astype(np.float32) * 0.1
    never = (np.full(60, 1e30, np.float32), np.full(len(t), 1e30, np.float32))
    head, tail = np.arange(len(t), dtype=np.float32), np.arange(len(t), dtype=np.float32)[::-1]
    whole, cost = table(g, t, np.zeros(60, np.int32), len(t), never, head, tail)
    low = np.clip(np.arange(60) * len(t) // 60 - 20, 0, len(t) - 41).astype(np.int32)
    banded, same = table(g, t, low, 41, never, head, tail)
    assert same == pytest.approx(cost) and np.array_equal(whole, banded)


def test_syllables_come_to_stand_on_the_witness(take: Floats, guide: Floats) -> None:
    mine, theirs = listen(guide), listen(take)
    found = pieces(align(mine, theirs), mine, theirs)
    times = np.concatenate([p.take for p in found]), np.concatenate([p.guide for p in found])
    off = np.abs(np.interp(OTHER_STARTS, *times) - STARTS)
    assert np.median(off) < 0.01 and off.max() < 0.03
    for a, b in pairwise(found):
        assert a.guide[-1] <= b.guide[0] and a.take[-1] <= b.take[0]


def test_the_heard_onsets_are_the_witness_s(fitted: Fitted, guide: Floats) -> None:
    """Of the sound itself, not of the map: where syllables begin in output and guide."""
    assert len(fitted.sound) == len(guide)
    for start in STARTS[[0, 6]]:  # those after a pause
        first = round((start - 0.1) * RATE)
        loud = np.abs(fitted.sound[first : first + 6400]) > 0.03
        assert abs((first + int(loud.argmax())) / RATE - start) < 0.015


def test_no_sample_of_the_witness_is_heard(take: Floats, guide: Floats, fitted: Fitted) -> None:
    """The numbers fixed, the sound replaced: not one sample changes, for the sound does not reach what makes it."""
    score = measure(take, guide, RATE)
    assert np.array_equal(perform(take, score, RATE), fitted.sound)
    assert np.array_equal(fit(take, -guide, RATE).sound, fitted.sound)  # the same numbers of another wave
    loud = fit(take, (guide * 0.5).astype(np.float32), RATE)
    ratio = loud.sound[8000:40000] / np.where(fitted.sound[8000:40000] == 0, 1, fitted.sound[8000:40000])
    assert np.allclose(ratio, 10 ** (-6 / 20), atol=0.02)  # half as loud is all that it becomes: -6 dB in whole steps


def test_what_passes_is_few_numbers_in_steps(fitted: Fitted) -> None:
    place = fitted.score.place
    assert place.numbers == len(fitted.score.pieces) + 4
    assert (place.gains == np.round(place.gains)).all() and np.abs(place.gains).max() <= LOUDER + UNEVEN
    assert (place.tilt % 2 == 0).all() and np.abs(place.tilt).max() <= TILT


def test_a_witness_of_extreme_sound_moves_the_place_to_its_limits_only(take: Floats, guide: Floats) -> None:
    shrill = np.diff(np.diff(np.diff(guide, prepend=0), prepend=0), prepend=0).astype(np.float32)
    place = measure(take, shrill, RATE).place
    assert np.abs(place.tilt).max() <= TILT


@pytest.mark.parametrize("rate", [8000, 22050, 48000])
def test_every_rate_gives_as_many_samples(take: Floats, guide: Floats, rate: int) -> None:
    import soxr

    t, g = (soxr.resample(s, RATE, rate).astype(np.float32) for s in (take, guide))
    made = fit(t, g[:-1], rate)
    assert len(made.sound) == len(g) - 1 and np.isfinite(made.sound).all() and np.abs(made.sound).max() < 1


REFUSED: dict[str, Any] = {
    "empty": lambda s: s[:0], "one sample": lambda s: s[:1] * 0, "silence": lambda s: s * 0,
    "not a number": lambda s: np.where(np.arange(len(s)) == 9, np.nan, s).astype(np.float32),
    "clipped": lambda s: np.clip(s * 8, -1, 1), "short": lambda s: s[: round(2.0 * RATE)],
    "long": lambda s: np.tile(s, 3), "too long": lambda s: np.tile(s, 120), "stereo": lambda s: np.stack([s, s], 1)}


@pytest.mark.parametrize("how", REFUSED)
def test_a_take_that_cannot_be_used_is_refused_in_a_sentence(how: str, take: Floats, guide: Floats) -> None:
    with pytest.raises(TakeRefused) as caught:
        fit(REFUSED[how](take), guide, RATE)
    assert len(str(caught.value)) > 20 and "\n" not in str(caught.value)


def test_a_silent_witness_is_refused(take: Floats) -> None:
    with pytest.raises(TakeRefused, match="witness"):
        fit(take, np.zeros(48000, np.float32), RATE)


def test_what_does_not_fit_is_said(fitted: Fitted) -> None:
    assert not fitted.misfits
    at = np.array([0.0, 1.0])
    spoken = (Piece(at, at / 2.1), Piece(at + 2.0, at * 2.1 + 2), Piece(at + 5.0, at + 5.0))
    score = replace(fitted.score, pieces=spoken, doubts=np.array([0.3, 0.3, 0.9], np.float32))
    said = misfits(score)
    assert [m.start for m in said] == [0, 2, 5]
    assert "fast" in said[0].why and "slowly" in said[1].why and "words" in said[2].why


def test_at_stretch_one_the_take_comes_out_as_it_went_in(take: Floats) -> None:
    assert np.array_equal(follow(take, RATE, np.arange(len(take))), take)


@pytest.mark.parametrize("stretch", [0.6, 0.8, 1.3, 1.8])
def test_a_stretched_tone_keeps_its_pitch_and_its_level(stretch: float) -> None:
    t = np.arange(RATE * 2) / RATE
    tone = (0.3 * np.sin(2 * np.pi * 150 * t) + 0.2 * np.sin(2 * np.pi * 300 * t)).astype(np.float32)
    made = follow(tone, RATE, np.arange(int(len(tone) * stretch)) / stretch)
    middle = made[4000:-4000]
    peak = np.abs(np.fft.rfft(middle * np.hanning(len(middle)))).argmax() * RATE / len(middle)
    assert peak == pytest.approx(150, abs=1.5)
    assert middle.std() == pytest.approx(tone.std(), rel=0.03)
    assert np.abs(np.diff(middle)).max() < np.abs(np.diff(tone)).max() * 1.1  # no click


def test_a_transient_stays_one() -> None:
    rng = np.random.default_rng(0)
    sound = (rng.standard_normal(RATE) * 1e-3).astype(np.float32)
    sound[8000:8040] += np.float32(0.5)
    assert onsets(sound, RATE)[8000] and onsets(sound, RATE).mean() < 0.1
    made = follow(sound, RATE, np.arange(RATE * 3 // 2) / 1.5)
    loud = np.flatnonzero(np.abs(made) > 0.25)
    assert 20 < len(loud) < 60 and np.ptp(loud) < 60 and abs(loud[0] - 12000) < 0.022 * RATE


def test_a_longer_pause_is_filled_with_tone_not_stretched() -> None:
    sound = np.zeros(RATE * 2, np.float32)
    sound[:8000], sound[16000:24000] = 0.5, 0.5
    spoken = (Piece(np.array([0.0, 0.5]), np.array([0.0, 0.5])), Piece(np.array([3.0, 3.5]), np.array([1.0, 1.5])))
    made = lay(sound, RATE, spoken, RATE * 4, np.full(RATE * 4, 0.01, np.float32))
    assert np.allclose(made[RATE : 2 * RATE], 0.01) and made[RATE * 3 + 4000] == pytest.approx(0.5)


def test_a_time_map_does_not_go_back_or_over_its_limits() -> None:
    line = np.cumsum(np.array([0, 9, 0, 0, 4, -3, 1, 1, 1, 8.0]))
    steps = np.diff(limited(line))
    assert steps.min() >= 1 / 2.2 - 1e-9 and steps.max() <= 1 / 0.45 + 1e-9
    with pytest.raises(ValueError, match="back"):
        Piece(np.array([0.0, 1.0]), np.array([1.0, 0.5]))


def test_pauses_are_where_nobody_speaks(guide: Floats) -> None:
    quiet = listen(guide).quiet
    assert quiet[:90].all() and not quiet[round(STARTS[2] * 200) + 5]
    assert quiet[round((STARTS[5] + LENGTHS[5] + 0.3) * 200)]
    flat: Bools = pauses(np.full(400, -20, np.float32))
    assert not flat.any()


def test_features_ignore_level_and_slow_colour(guide: Floats) -> None:
    plain, changed = listen(guide), listen(np.convolve(guide, [1, -0.6])[: len(guide)].astype(np.float32) * 0.2)
    said = ~plain.quiet & ~changed.quiet
    off = np.linalg.norm(plain.features - changed.features, axis=1)[said].mean()
    other = np.linalg.norm(plain.features[said] - plain.features[said][::-1], axis=1).mean()
    assert off < 0.35 * other


def test_content_features_are_used_when_given(guide: Floats) -> None:
    seen: list[int] = []

    def content(sound: Floats) -> Floats:
        seen.append(len(sound))
        return np.random.default_rng(0).standard_normal((-(-len(sound) // 320), 12)).astype(np.float32)

    assert listen(guide, content).features.shape[1] == listen(guide).features.shape[1] + 12 and seen == [len(guide)]


def test_the_tail_of_a_room_is_seeded_and_decays_as_told() -> None:
    click = np.zeros(RATE * 2, np.float32)
    click[100] = 1
    made = [reverberant(click, RATE, 0.6, np.random.default_rng(3)) for _ in range(2)]
    assert np.array_equal(made[0], made[1]) and np.allclose(made[0][:101], click[:101], atol=1e-12)  # rounding of the transform
    power = [np.log10((made[0][100 + k : 100 + k + 800] ** 2).mean()) for k in (1600, 4800)]
    assert (power[0] - power[1]) * 10 / 0.2 * 0.6 == pytest.approx(60, rel=0.1)
    assert reverberant(click, RATE, 0.0, np.random.default_rng(3)) is click


def test_a_longer_decay_is_told_from_a_shorter() -> None:
    rng = np.random.default_rng(0)
    told = []
    for seconds in (0.3, 0.9):
        burst = np.zeros(RATE * 6)
        for at in range(0, RATE * 6, RATE):
            burst[at : at + 3200] = rng.standard_normal(3200)
        t = np.arange(RATE) / RATE
        wet = np.convolve(burst, rng.standard_normal(RATE) * 10 ** (-3 * t / seconds))[: RATE * 6]
        wet += rng.standard_normal(RATE * 6) * 1e-3
        level = listen(wet.astype(np.float32)).level
        told.append(decay(level, np.ones(len(level), bool)))
    assert 0.2 <= told[0] <= 0.45 and 0.6 <= told[1] <= 1.2
    assert decay(np.full(5, -20, np.float32), np.ones(5, bool)) == 0


def test_a_tilt_raises_its_band_and_delays_nothing() -> None:
    rng = np.random.default_rng(0)
    noise = rng.standard_normal(RATE).astype(np.float32)
    made = tilted(noise, RATE, np.array([-4, -2, 6], np.float32))
    hz = np.fft.rfftfreq(RATE, 1 / RATE)
    change = [10 * np.log10((np.abs(np.fft.rfft(made)) ** 2)[(hz > a) & (hz < b)].mean()
                            / (np.abs(np.fft.rfft(noise)) ** 2)[(hz > a) & (hz < b)].mean()) for a, b in BANDS]
    assert np.allclose(change, [-4, -2, 6], atol=2) and len(made) == len(noise)
    assert np.correlate(made, noise[100:-100], "valid").argmax() == 100


def test_room_tone_sounds_like_the_take_s_pause() -> None:
    rng = np.random.default_rng(0)
    take = np.convolve(rng.standard_normal(RATE * 2), [1, 0.9])[: RATE * 2].astype(np.float32) * np.float32(0.01)
    tone = room_tone(take, RATE, [(0.0, 2.0)], RATE, rng)
    assert tone.std() == pytest.approx(take.std(), rel=0.1)
    assert not room_tone(take, RATE, [(0.0, 0.05)], 100, rng).any()
