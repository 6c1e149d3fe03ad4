"""Which channels somebody is in: lavaliers, a stereo pair, 5.1."""

from __future__ import annotations

import numpy as np
import pytest

from facedouble.types import Floats
from facedouble.voice.channels import LEAST, Seat, gram, seat_of

RATE = 16000


def noise(seed: int, seconds: int = 2) -> Floats:
    return (0.1 * np.random.default_rng(seed).standard_normal(seconds * RATE)).astype(np.float32)


def seat(*channels: Floats) -> Seat:
    sound = np.stack(channels, 1)
    return seat_of(np.sum([gram(sound[k : k + RATE], RATE) for k in range(0, len(sound), RATE)], 0))


def deep(sound: Floats) -> Floats:
    """What is left of it under 120 Hz."""
    spectrum = np.fft.rfft(sound)
    spectrum[round(120 * len(sound) / RATE) :] = 0
    return np.asarray(np.fft.irfft(spectrum, len(sound)), np.float32)


def test_one_channel_and_two_alike_are_heard_as_they_always_were() -> None:
    for channels in (1, 2):
        found = seat(*[noise(1)] * channels)
        assert np.array_equal(found.taken, np.full(channels, 1 / channels)) and np.array_equal(found.given, np.ones(channels))
    nothing = seat_of(np.zeros((3, 3)))
    assert np.allclose(nothing.taken, 1 / 3) and np.array_equal(nothing.given, np.ones(3))


def test_of_two_lavaliers_the_nearer_one_is_listened_to() -> None:
    one, other = noise(1), noise(2)
    found = seat(one + 0.1 * other, 0.18 * one + 0.01 * other)
    assert found.taken.tolist() == [1, 0] and found.given == pytest.approx([1, 10 ** (-15 / 20)], rel=1e-6)


def test_how_loud_a_channel_is_is_told_in_steps_of_3_db_only() -> None:
    one = noise(1)
    assert np.array_equal(seat(one, 0.72 * one).given, seat(one, 0.7 * one).given)
    assert {float(g) for k in range(60) for g in seat(one, 10 ** (-k / 20) * one).given} == {
        0.0, *(float(np.float32(10 ** (-3 * k / 20))) for k in range(9))}
    assert seat(one, 10 ** ((LEAST - 2) / 20) * one).given[1] == 0


def test_nothing_is_said_in_the_low_channel_nor_where_there_is_other_sound_only() -> None:
    centre, surround = noise(1), 0.03 * noise(2)
    found = seat(0.1 * centre, 0.1 * centre, centre, 3 * deep(centre), surround, surround)
    assert found.taken.tolist() == [0, 0, 1, 0, 0, 0]
    assert found.given[2] == 1 and not found.given[3:].any() and np.allclose(found.given[:2], 10 ** (-21 / 20))


def test_channels_that_cancel_each_other_are_not_added_up() -> None:
    assert seat(noise(1), -0.9 * noise(1)).taken.tolist() == [1, 0]
