"""Whose lips: made-up lips and sounds, where the truth is exact."""

from __future__ import annotations

import numpy as np

from facedouble.types import Floats, Turn
from facedouble.voice.code import SPEECH_RATE
from facedouble.voice.listen import STEP, TICK, Heard
from facedouble.voice.onscreen import Lips, assign, in_step, split, sway, tune

RATE = 25  # frames/s


def mumble(seconds: float, seed: int) -> Floats:
    """(n,) opening of talking lips at 100 points/s, canonical units: syllables of uneven length."""
    rng = np.random.default_rng(seed)
    out: list[float] = []
    while len(out) < seconds * 100:
        n = int(rng.integers(12, 30))
        out += (rng.uniform(0.03, 0.1) * np.sin(np.linspace(0, np.pi, n)) ** 2).tolist()
    return np.array(out[: round(seconds * 100)], np.float32)


def heard(opening: Floats, speech: list[tuple[float, float]]) -> Heard:
    """The sound that these lips would make while they speak."""
    voiced = np.zeros(len(opening), bool)
    for a, b in speech:
        voiced[round(a * 100) : round(b * 100)] = True
    level = np.where(voiced, -50 + 400 * np.minimum(opening, 0.06), -75).astype(np.float32)
    samples = len(opening) * TICK
    probability = np.interp(np.arange(samples // STEP) * STEP / TICK, np.arange(len(opening)), voiced).astype(np.float32)
    return Heard(samples, probability, level, level, voiced.astype(np.float32), np.zeros(0, int), np.zeros((0, 3), np.float16))


def lips(opening: Floats, track: int, late: float = 0.0) -> Lips:
    at = np.arange(len(opening) * RATE // 100) / RATE
    return Lips(track, at - late, np.interp(at, np.arange(len(opening)) / 100, opening).astype(np.float32))


def turn(a: float, b: float, voice: int = 0, *flags: str) -> Turn:
    return Turn(round(a * SPEECH_RATE), round(b * SPEECH_RATE), voice, None, flags)


def still(seconds: float, seed: int = 9) -> Floats:
    """Lips at rest, with the landmarks' noise."""
    return (0.004 + np.abs(np.random.default_rng(seed).normal(0, 0.0003, round(seconds * 100)))).astype(np.float32)


def only(opening: Floats, spans: list[tuple[float, float]]) -> Floats:
    """Lips that move in these spans."""
    out = still(len(opening) / 100)
    for a, b in spans:
        out[round(a * 100) : round(b * 100)] = opening[round(a * 100) : round(b * 100)]
    return out


ONE, TWO = [(1.0, 4.0), (8.0, 10.0)], [(5.0, 7.5)]
TALK = mumble(11, 1)
TURNS = (turn(1, 4, 0), turn(5, 7.5, 1), turn(8, 10, 0))
SOUND = heard(TALK, ONE + TWO)


def test_two_who_talk_in_turn() -> None:
    found = assign(TURNS, SOUND, [lips(only(TALK, ONE), 7), lips(only(TALK, TWO), 3)])
    assert [t.track for t in found] == [7, 3, 7]


def test_a_voice_over_lips_at_rest_has_no_face() -> None:
    assert [t.track for t in assign(TURNS, SOUND, [lips(still(11), 7), lips(still(11, 5), 3)])] == [None] * 3


def test_lips_that_always_move_out_of_step_have_no_voice() -> None:
    assert [t.track for t in assign(TURNS, SOUND, [lips(mumble(11, 2), 7)])] == [None] * 3


def test_of_two_that_move_the_one_in_step_is_it() -> None:
    long = heard(mumble(31, 1), [(0.5, 30)])
    both = [lips(mumble(31, 2), 7), lips(mumble(31, 1), 3)]
    assert [t.track for t in assign([turn(0.5, 30)], long, both)] == [3]


def test_two_that_move_alike_are_undecided() -> None:
    both = [lips(only(TALK, ONE), 7), lips(only(TALK, ONE), 3)]
    assert [t.track for t in assign(TURNS, SOUND, both)] == [None] * 3


def test_sound_that_is_a_little_late_is_found() -> None:
    for late in (-0.04, 0.08):
        face = sway(lips(only(TALK, ONE), 7, late))
        best = in_step(tune(SOUND), face, 50, 200)
        assert abs(int(best.argmax()) - 3 - round(late * 50)) <= 1


def test_the_voice_of_somebody_who_rests_meanwhile_is_not_theirs() -> None:
    """The same voice over a shot in which its owner's lips rest: spoken off screen."""
    found = assign(TURNS, SOUND, [lips(only(TALK, ONE[:1]), 7)])
    assert [t.track for t in found] == [7, None, None]


def test_overlaps_and_sounds_have_no_face() -> None:
    odd = (turn(1, 4, -1, "overlap"), turn(8, 10, -1, "laughter?"))
    assert [t.track for t in assign(odd, SOUND, [lips(only(TALK, ONE), 7)])] == [None, None]
    assert [t.flags for t in assign(odd, SOUND, [lips(only(TALK, ONE), 7)])] == [("overlap",), ("laughter?",)]


def test_a_face_that_is_hardly_seen_decides_nothing() -> None:
    face = lips(only(TALK, ONE), 7)
    gap = face.gap.copy()
    gap[: round(3.2 * RATE)] = np.nan
    assert [t.track for t in assign(TURNS[:2], SOUND, [Lips(7, face.times, gap)])] == [None, None]
    unknown = np.full(len(face.gap), np.float32(np.nan))
    assert [t.track for t in assign(TURNS, SOUND, [Lips(7, face.times, unknown)])] == [None] * 3
    assert [t.track for t in assign(TURNS, SOUND, [Lips(7, face.times[:1], face.gap[:1])])] == [None] * 3


def test_shots_of_one_person_count_together() -> None:
    whole = only(TALK, ONE)
    at = np.arange(len(whole) * RATE // 100) / RATE
    gap = np.interp(at, np.arange(len(whole)) / 100, whole).astype(np.float32)
    first, last = at < 4.5, at >= 7.8
    shots = [Lips(1, at[first], gap[first]), Lips(2, at[last], gap[last])]
    assert [t.track for t in assign(TURNS, SOUND, shots, {1: 0, 2: 0})] == [1, None, 2]


def test_nothing_to_assign() -> None:
    assert assign((), SOUND, [lips(TALK, 1)]) == ()
    assert assign(TURNS, SOUND, []) == TURNS
    empty = Heard(0, *(np.zeros(0, np.float32),) * 4, np.zeros(0, int), np.zeros((0, 0), np.float16))
    assert [t.track for t in assign([turn(0, 1)], empty, [lips(TALK, 1)])] == [None]


def test_turns_are_cut_where_the_picture_is() -> None:
    cut = tuple(split([turn(1, 4), turn(5, 7.5, 1)], [0.0, 2 * SPEECH_RATE, 4 * SPEECH_RATE, 5.01 * SPEECH_RATE]))
    assert [(t.start / SPEECH_RATE, t.stop / SPEECH_RATE, t.voice) for t in cut] == [(1, 2, 0), (2, 4, 0), (5, 7.5, 1)]
