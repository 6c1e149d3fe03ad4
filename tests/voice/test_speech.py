"""Turns: from made-up numbers, where the truth is exact, and from speech by espeak-ng through the real models."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from facedouble.pipeline.hearing import open_ears
from facedouble.types import Array, Floats, Turn
from facedouble.voice.code import SPEECH_RATE
from facedouble.voice.listen import LOOK, STEP, STRIDE, TICK, Heard, Listener
from facedouble.voice.speech import as_rows, guess, of_rows, padded, same_voices, stretches, turns
from facedouble.voice.voices import alike, follow, gather
from tests.voice.spoken import pause, say

SLACK = 0.35  # s: looks are .2 s apart, and turns are padded


def listened(sound: Floats, block: int = 5000) -> Heard:
    ears = open_ears()
    listener = Listener(ears.activity(), ears.voiceprint)
    for k in range(0, len(sound), block):
        listener.add(sound[k : k + block])
    return listener.done()


def made(seconds: float, spans: list[tuple[float, float, Array]], level: Floats | None = None) -> Heard:
    """What would be heard of somebody with this print speaking in each span, s."""
    samples = round(seconds * SPEECH_RATE)
    at = np.arange(0, samples - LOOK + 1, STRIDE)
    speech, prints = np.zeros(-(-samples // STEP), np.float32), np.zeros((len(at), len(ANA)))
    for a, b, one in spans:
        speech[round(a * SPEECH_RATE / STEP) : round(b * SPEECH_RATE / STEP)] = 1
        prints += np.clip(np.minimum(at + LOOK, b * SPEECH_RATE) - np.maximum(at, a * SPEECH_RATE), 0, LOOK)[:, None] / LOOK * one
    heard = [k for k, a in enumerate(at) if speech[a // STEP : (a + LOOK) // STEP].mean() >= 0.5]
    prints /= np.maximum(np.linalg.norm(prints, axis=1, keepdims=True), 1)
    chance = np.random.default_rng(5).normal(0, np.sqrt(0.75 / len(ANA)), (len(at), len(ANA)))  # one voice: .57
    prints = (prints + chance)[heard] / np.maximum(np.linalg.norm((prints + chance)[heard], axis=1, keepdims=True), 1e-9)
    quiet = np.full(-(-samples // TICK), -80, np.float32) if level is None else level
    return Heard(samples, speech, quiet, quiet, np.zeros(len(quiet), np.float32), at[heard], prints.astype(np.float16))


ANA, BEA = np.eye(128)[:2] + 0.1 * np.eye(128)[1::-1]


def test_two_voices_in_turn() -> None:
    spoken = turns(made(12, [(1, 4, ANA), (5, 8, BEA), (8.8, 11, ANA)]))
    assert [t.voice for t in spoken.turns] == [0, 1, 0]
    for turn, (a, b) in zip(spoken.turns, ((1, 4), (5, 8), (8.8, 11)), strict=True):
        assert a - 0.2 <= turn.start / SPEECH_RATE <= a and b <= turn.stop / SPEECH_RATE <= b + 0.25
    assert alike(spoken.voices[0], ANA) > 0.95 and alike(spoken.voices[1], BEA) > 0.95


def test_a_change_of_voice_without_a_pause_ends_a_turn() -> None:
    found = [t for t in turns(made(8, [(1, 4, ANA), (4, 7, BEA)])).turns if t.voice >= 0]
    assert sorted(t.voice for t in found) == [0, 1]
    assert abs(found[0].stop / SPEECH_RATE - 4) < SLACK and abs(found[1].start / SPEECH_RATE - 4) < SLACK


def test_the_change_is_put_where_it_is_quiet() -> None:
    level = np.full(800, -30, np.float32)
    level[412:418] = -70
    found = turns(made(8, [(1, 4, ANA), (4, 7, BEA)], level)).turns
    assert any(abs(t.stop - 4.15 * SPEECH_RATE) <= 4 * TICK for t in found)


def test_two_at_once_are_nobodys() -> None:
    both = turns(made(24, [(1, 5, ANA), (6, 10, BEA), (11, 15.5, ANA), (12.8, 17.5, BEA), (18.5, 22, ANA)]))
    assert {t.voice for t in both.turns} == {0, 1, -1}
    middle, = (t for t in both.turns if t.voice == -1)
    assert middle.flags == ("overlap",) and middle.start <= 14.3 * SPEECH_RATE < middle.stop


def test_a_word_too_short_to_know_is_nobodys() -> None:
    found = turns(made(6, [(1, 4, ANA), (5, 5.3, BEA)])).turns
    assert [(t.voice, t.flags) for t in found] == [(0, ()), (-1, ("short",))]


def test_turns_never_overlap() -> None:
    rng = np.random.default_rng(3)
    for _ in range(30):
        edges = np.sort(rng.uniform(0, 20, 12))
        spans = [(float(a), float(b), (ANA, BEA)[k % 2]) for k, (a, b) in enumerate(zip(edges[::2], edges[1::2], strict=True))]
        found = turns(made(20, spans)).turns
        assert all(a.stop <= b.start for a, b in pairwise(found))
        assert all(0 <= t.start < t.stop <= 20 * SPEECH_RATE for t in found)


def test_hysteresis() -> None:
    speech = np.array([0, 0.4, 0.6, 0.4, 0.4, 0.2, 0.1, 0.4, 0.4, 0.4, 0.4, 0], np.float32)
    assert stretches(speech, len(speech) * STEP) == [(STEP, 5 * STEP)]  # the second never is sure
    assert stretches(np.array([0, 0.9, 0, 0], np.float32), 4 * STEP) == []  # a click
    gap = np.r_[np.ones(10), np.zeros(5), np.ones(10), np.zeros(12), np.ones(4)].astype(np.float32)
    assert stretches(gap, 41 * STEP - 100) == [(0, 25 * STEP), (37 * STEP, 41 * STEP - 100)]


def test_padding_shares_out_a_short_pause() -> None:
    one, two = padded([Turn(8000, 16000, 0), Turn(17000, 30000, 1)], 31000)
    assert (one.start, two.stop) == (8000 - 1920, 31000)
    assert one.stop == two.start and 16000 < one.stop < 17000


@pytest.mark.parametrize("samples", [0, 1, 511, 512, 20000])
def test_silence_and_nothing_have_no_turns(samples: int) -> None:
    spoken = turns(listened(np.zeros(samples, np.float32)))
    assert spoken.turns == () and len(spoken.voices) == 0


def test_broken_sound_is_heard_as_silence() -> None:
    sound = np.concatenate([pause(0.5), say("The rain has stopped, and we walked along the river."), pause(0.5)])
    broken = sound.copy()
    broken[:2000], broken[-2000:] = np.nan, np.inf
    assert [(t.voice, t.flags) for t in turns(listened(broken)).turns] == [(0, ())]
    loud = np.clip(sound * 100, -1, 1)
    assert sum(t.stop - t.start for t in turns(listened(loud)).turns) > 1.5 * SPEECH_RATE


def test_blocks_of_any_length_give_the_same_turns() -> None:
    sound = np.concatenate([pause(0.3), say("One two three four five."), pause(0.6), say("Nobody asked.", 0.75)])
    first, second = (listened(sound, block) for block in (1000, len(sound)))
    np.testing.assert_array_equal(first.prints, second.prints)
    np.testing.assert_array_equal(first.level, second.level)
    assert turns(first).turns == turns(second).turns


def test_two_people_by_the_real_models() -> None:
    said = (("We went home late, and nobody asked what had happened that night.", 1.0),
            ("They came back in the morning, with more men than before.", 0.75),
            ("I never saw my brother again after that day in the market.", 1.0),
            ("And what did the neighbours say when they heard about it?", 0.75))
    parts, truth, at = [pause(0.5)], [], 8000
    for text, size in said:
        sound = say(text, size)
        truth.append((at, at + len(sound)))
        parts += [sound, pause(0.7)]
        at += len(sound) + len(parts[-1])
    spoken = turns(listened(np.concatenate(parts)))
    one = [[t.voice for t in spoken.turns if t.start < b and t.stop > a and t.voice >= 0] for a, b in truth]
    assert all(len(set(v)) == 1 for v in one)
    assert one[0][0] == one[2][0] != one[1][0] == one[3][0]


def test_voices_are_known_again_in_another_clip() -> None:
    first = turns(listened(say("We went home late, and nobody asked what had happened that night."))).voices
    second = turns(listened(np.concatenate([
        say("They came back in the morning, with more men than before.", 0.75), pause(0.8),
        say("I never saw my brother again after that day in the market.")]))).voices
    assert len(second) == 2
    known = same_voices({"ana": first[0]}, second)
    assert list(known.values()) == ["ana"]
    assert alike(first[0], second[next(iter(known))]) > max(alike(first[0], second[1 - next(iter(known))]), 0.7)


def test_sounds_that_are_no_speech_are_flagged() -> None:
    rng = np.random.default_rng(2)
    noise = rng.normal(0, 0.05, SPEECH_RATE // 2).astype(np.float32)
    found = turns(listened(np.concatenate([pause(2), noise, pause(2)]))).turns
    assert [(t.voice, t.track, t.flags) for t in found] == [(-1, None, ("breath?",))]
    assert abs(found[0].start / SPEECH_RATE - 2) < 0.1 and abs(found[0].stop / SPEECH_RATE - 2.5) < 0.1
    t = np.arange(2 * SPEECH_RATE) / SPEECH_RATE
    tone = (0.1 * np.sin(2 * np.pi * 220 * t)).astype(np.float32)
    assert [x.flags for x in turns(listened(np.concatenate([pause(2), tone, pause(2)]))).turns] == [("not speech?",)]


def test_bursts_of_voice_may_be_laughter() -> None:
    at = np.arange(150)
    level = (-40 + 12 * np.sin(2 * np.pi * 5 * at / 100)).astype(np.float32)
    assert guess(level, np.full(150, 0.8, np.float32)) == "laughter?"
    assert guess(np.full(150, -40, np.float32), np.full(150, 0.8, np.float32)) == "not speech?"
    assert guess(np.full(60, -40, np.float32), np.full(60, 0.2, np.float32)) == "breath?"


def test_rows_there_and_back() -> None:
    some = (Turn(0, 5, 1, 3, ("overlap",)), Turn(7, 9), Turn(10, 20, 0, None, ("laughter?", "short")))
    assert of_rows(json.loads(json.dumps(as_rows(some)))) == some
    assert of_rows([]) == ()


@pytest.mark.parametrize("row", [[1, 2], [5, 5, 0, None, []], [0, 5, 0, None, "x"], [0, 5.5, 0, None, []], [0, 5, "0", None, []],
                                 [0, 5, True, None, []], [0, 5, 0, None, [1]], None, [-1, 5, 0, None, []]])
def test_rows_that_are_no_turns_are_refused(row: object) -> None:
    with pytest.raises(ValueError, match="turn"):
        of_rows([row])  # type: ignore[list-item]


def test_many_stretches_are_gathered_in_parts() -> None:
    rng = np.random.default_rng(4)
    who = rng.integers(0, 3, 4000)
    prints = np.eye(16)[who] + rng.normal(0, 0.12, (4000, 16))
    prints /= np.linalg.norm(prints, axis=1, keepdims=True)
    voices = gather(np.repeat(prints, 2, 0).astype(np.float32), np.repeat(np.arange(4000), 2))
    assert len(voices) == 3
    assert (np.eye(16)[:3] @ (voices / np.linalg.norm(voices, axis=1, keepdims=True)).T).max(1).min() > 0.98


def test_what_is_kept_is_small() -> None:
    """Ten minutes of speech: less than 250 kB a minute, and nothing of the sound but the last looks."""
    listener = Listener(lambda sound: np.ones(len(sound) // STEP, np.float32),
                        lambda looks: np.ones((len(looks), 256), np.float32))
    block = pause(8.192)
    for _ in range(72):
        listener.add(block)
        assert sum(len(v) for v in vars(listener).values() if isinstance(v, np.ndarray)) < 2 * LOOK
    heard = listener.done()
    assert heard.samples == 72 * len(block) and len(heard.at) > 2900
    assert sum(v.nbytes for v in (getattr(heard, f) for f in ("speech", "level", "high", "voiced", "at", "prints"))) < 2_500_000


def test_a_single_look_does_not_change_the_voice() -> None:
    near = np.tile(np.array([[0.6, 0.3]], np.float32), (9, 1))
    near[4] = 0.4, 0.6
    assert follow(near).tolist() == [0] * 9
    near[4:] = 0.2, 0.6
    assert follow(near).tolist() == [0] * 4 + [1] * 5


def test_what_does_not_fit_is_refused() -> None:
    heard = made(3, [(1, 2.5, ANA)])
    with pytest.raises(ValueError, match="fit"):
        replace(heard, high=heard.high[:-1])
