"""What is heard, sample by sample: nothing of the footage but what was decided to be kept."""

from __future__ import annotations

import math
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facedouble.errors import InputRefused
from facedouble.pipeline.score import GUARD, NEAR, ROUNDED, Beep, Cue, Score, laid_out
from facedouble.pipeline.sound import ALIKE, Convert, Crew, Told, alike, heard, mono, quoted, resampled
from facedouble.plan.voices import AMBIENCES
from facedouble.types import Bools, Floats
from facedouble.voice.level import LEVEL, gain, speech_level
from tests.pipeline.make_sound import Hiss, NoiseVoice, blocks_of, crew, stream

LENGTH = 2000  # ms of random clips
RATE = 8000
KINDS = [("mute", ""), ("keep", ""), ("double", "noor"), ("double", "iva"), ("revoice", "take")]


def played(sound: Floats, score: Score, begin: Fraction = Fraction(0), rate: int = RATE, start: Fraction = Fraction(0),
           by: Crew | None = None, told: Told | None = None) -> Floats:
    audio = stream(rate, sound.shape[1], start)
    sheet = laid_out(score, begin, audio, len(sound))
    blocks = list(heard(blocks_of(sound), audio, sheet, by or crew(), [0, 0], told or Told()))
    made: Floats = np.concatenate([np.zeros((0, sound.shape[1]), np.float32), *blocks])
    assert made.shape == sound.shape and made.dtype == np.float32
    return made


def noise(samples: int, channels: int = 1, seed: int = 1) -> Floats:
    made: Floats = np.asarray(0.2 * np.random.default_rng(seed).standard_normal((samples, channels)), np.float32)
    return made


@st.composite
def scores(draw: st.DrawFn) -> Score:
    def spans(most: int) -> list[tuple[int, int]]:
        starts = draw(st.lists(st.integers(0, LENGTH - 1), max_size=most))
        return [(a, a + draw(st.integers(1, 700))) for a in starts]
    cues = tuple(Cue(n, a, b, *draw(st.sampled_from(KINDS))) for n, (a, b) in enumerate(spans(5), 1))
    told = tuple([(c.start, c.stop) for c in cues if draw(st.booleans())] + spans(2))
    kinds: list[str] = ["", *AMBIENCES]
    return Score(LENGTH, cues, tuple(Beep(a, min(b, a + 90), draw(st.booleans())) for a, b in spans(2)),
                 draw(st.sampled_from([None, told])), draw(st.sampled_from(kinds)))


def reads(score: Score, samples: int, begin: Fraction, start: Fraction) -> tuple[Bools, Bools]:
    """Of each sample: whether it may be heard as it is, and whether anything may depend on it. Read off the lists, slowly."""
    passes, used = np.zeros(samples, bool), np.zeros(samples, bool)
    def heard_at(ms: int) -> int:
        return sum(x <= ms < y for x, y in score.speech or ())

    def turns_at(ms: int, kinds: tuple[str, ...]) -> int:
        return sum(c.start - ROUNDED <= ms < c.stop + ROUNDED for c in score.cues if c.voice in kinds)

    every_ms = range(max([LENGTH, *(b for _, b in score.speech or ())]) + 1)
    strange = [heard_at(m) > turns_at(m, ("keep",)) for m in every_ms]
    nobodys = [heard_at(m) > turns_at(m, ("keep", "mute", "double", "revoice")) for m in every_ms]
    for m in every_ms:  # what overlaps for less than that is one voice
        if nobodys[m] and not (m and nobodys[m - 1]):
            n = next((k for k in every_ms[m:] if not nobodys[k]), len(nobodys))
            nobodys[m:n] = [n - m > ROUNDED] * (n - m)
    guarded = guards(score, [strange_at(score, m) for m in range(LENGTH + 1000)])
    for i in range(samples):
        a, b = ((Fraction(k, RATE) + start - begin) * 1000 for k in (i, i + 1))
        beeped = any(x.start - 50 < b and a < x.stop + 50 for x in score.beeps)
        over = [c for c in score.cues if c.start < b and a < c.stop]
        inside = any(c.start <= a and b <= c.stop for c in over)
        near = score.speech is None or a < 0 or b > score.length
        ms = range(math.floor(a), math.ceil(b))
        if not near:
            near = any(strange[max(ms.start - NEAR, 0) : ms.stop + NEAR])
            near = near or any(c.start - NEAR < b and a < c.stop + NEAR for c in score.cues if c.voice != "keep")
        unknown = any(nobodys[m] for m in ms if 0 <= m < len(nobodys))
        every = all(c.voice == "keep" for c in over) and not beeped and not unknown
        passes[i] = every and not any(m in guarded for m in ms) and (inside or (score.ambience == "keep" and not near))
        clean = every and not inside and score.ambience == "clean" and not near
        convert = not beeped and not unknown and over and all(c.voice in ("keep", "double") for c in over)
        pause = score.speech is not None and not over and not beeped and not near
        take = any(c.voice == "revoice" for c in over)  # for its timing
        used[i] = passes[i] or clean or convert or pause or take
    return passes, used


def strange_at(score: Score, ms: int) -> bool:
    """Whether somebody speaks there who is not kept, or nobody's turn is."""
    mine = sum(c.start - ROUNDED <= ms < c.stop + ROUNDED for c in score.cues)
    return any(c.start <= ms < c.stop and c.voice != "keep" for c in score.cues) or \
        sum(a <= ms < b for a, b in score.speech or ()) > mine


def guards(score: Score, strange: list[bool]) -> set[int]:
    """Ms of kept turns in which the border to another voice may be, slowly."""
    found: set[int] = set()
    for c in score.cues:
        for m in range(max(c.start - ROUNDED, 1), c.stop + ROUNDED + 1) if c.voice == "keep" else ():
            begins, ends = strange[m] and not strange[m - 1], strange[m - 1] and not strange[m]
            at = min(m, c.stop) if begins else max(m, c.start)
            if ((begins and m > c.start) or (ends and m < c.stop)) and any(
                    abs(edge - at) <= ROUNDED for span in score.speech or () for edge in span):
                found |= set(range(max(at - GUARD, c.start), at) if begins else range(at, min(at + GUARD, c.stop)))
    return found


@settings(max_examples=60, deadline=None)
@given(scores(), st.sampled_from([Fraction(0), Fraction(1, 10), Fraction(-7, 90)]), st.integers(1, 2))
def test_a_sample_is_the_footages_only_where_every_decision_is_keep(score: Score, start: Fraction, channels: int) -> None:
    sound = noise(LENGTH * RATE // 1000 + 300, channels)
    passes, used = reads(score, len(sound), Fraction(0), start)
    made = played(sound, score, start=start)
    same = (made == sound).all(1)
    assert not (same & ~passes).any(), np.flatnonzero(same & ~passes)[:5]
    other = np.where(used[:, None], sound, noise(len(sound), channels, 2))
    assert np.array_equal(played(other, score, start=start), made)
    assert np.abs(made).max() <= np.abs(sound).max() + 1


def test_the_referee_whistles() -> None:
    """A score that keeps a turn is a leak in the eyes of one that mutes it."""
    sound = noise(16300)
    passes, _ = reads(Score(LENGTH, (Cue(1, 500, 900),), speech=()), len(sound), Fraction(0), Fraction(0))
    same = (played(sound, Score(LENGTH, (Cue(1, 500, 900, "keep"),), speech=())) == sound).all(1)
    assert (same & ~passes).sum() > 2500


def test_what_is_kept_is_the_footage_but_for_its_edges() -> None:
    sound = noise(16000, 2)
    made = played(sound, Score(LENGTH, (Cue(1, 500, 900, "keep"), Cue(2, 900, 1200, "keep")), speech=()))
    assert np.array_equal(made[4080:9520], sound[4080:9520])  # through where one follows the other
    assert np.abs(made[:3900]).max() < 0.2 * np.abs(sound).max()
    assert np.abs(np.diff(made[3990:4100], axis=0)).max() < 1.2


def test_all_that_is_kept_with_its_ambience_is_the_footage() -> None:
    """Also where what was heard, and what the plan says of it, differ by some milliseconds."""
    sound = noise(16000)
    score = Score(LENGTH, (Cue(1, 510, 890, "keep"),), speech=((500, 905),), ambience="keep")
    assert np.array_equal(played(sound, score), sound)


def test_a_border_to_a_voice_that_is_not_kept_is_not_trusted_until_somebody_sets_it() -> None:
    """The witness, converted, speaks until .2 s after the border that was found; the interviewer is kept."""
    sound = noise(16000)
    heard_ = ((200, 900), (900, 1700))

    def passed(cues: tuple[Cue, ...]) -> Floats:
        score = Score(LENGTH, cues, speech=heard_)
        return np.asarray(np.flatnonzero((played(sound, score) == sound).all(1)) / RATE * 1000)

    for first, second in (("double", "keep"), ("mute", "keep")):
        found = passed((Cue(1, 200, 900, first, "noor"), Cue(2, 900, 1700, second)))
        assert found.min() == pytest.approx(900 + GUARD, abs=12) and found.max() == pytest.approx(1690, abs=2)
    found = passed((Cue(1, 200, 900, "keep"), Cue(2, 900, 1700, "double", "noor")))
    assert found.max() == pytest.approx(900 - GUARD, abs=12) and found.min() == pytest.approx(210, abs=2)
    assert passed((Cue(2, 900, 1700, "keep"),)).min() == pytest.approx(900 + GUARD, abs=12)  # whose turn was deleted
    moved = passed((Cue(1, 200, 1000, "double", "noor"), Cue(2, 1000, 1700, "keep")))
    assert moved.min() == pytest.approx(1010, abs=2)  # there a person heard it
    apart = Score(LENGTH, (Cue(1, 200, 850, "double", "noor"), Cue(2, 900, 1700, "keep")), speech=((200, 850), (900, 1700)))
    assert not apart.guards  # a pause parts them
    for flags in ((), ("breath?",)):
        found = passed((Cue(1, 200, 900, "mute", flags=flags), Cue(2, 900, 1700, "keep")))
        assert (found.min() < 920) == (flags == ("breath?",))
    assert len(passed((Cue(1, 200, 900, "keep"), Cue(2, 900, 1700, "keep")))) > 1400 * RATE / 1000


def test_ambience_stops_where_somebody_was_heard() -> None:
    sound = noise(16000)
    score = Score(LENGTH, speech=((800, 1000),), ambience="keep")
    same = (played(sound, score) == sound).all(1)
    assert same[:5000].all() and same[9400:].all() and not same[650 * 8 : 1150 * 8].any()
    assert not (played(sound, replace(score, speech=None)) == sound).any()  # nobody listened
    assert not (played(sound, replace(score, ambience="new")) == sound).any()


def test_nothing_decided_is_silence() -> None:
    score = Score(LENGTH, (Cue(1, 0, 500), Cue(2, 600, 900)), (Beep(1000, 1100),), speech=((0, 500),))
    assert score.silent and not replace(score, ambience="new").silent


def level(sound: Floats) -> float:
    return float(np.sqrt(np.square(sound).mean()))


def test_a_double_speaks_at_its_level_in_its_place_and_nowhere_else() -> None:
    sound = np.repeat(resampled(noise(32000)[:, 0], 16000, 48000)[:, None], 2, 1)
    told, still = Told(), replace(crew(), tone=lambda blocks, rate, pauses: Hiss(0))
    made = played(sound, Score(LENGTH, (Cue(1, 500, 1500, "double", "iva"),), speech=()), rate=48000, told=told, by=still)
    assert np.array_equal(made[:, 0], made[:, 1])
    assert 0.4 < level(made[26000:70000]) / 10 ** (LEVEL / 20) < 0.7  # half, says the noise voice
    assert level(made[:23900]) < 0.01 * level(sound) and level(made[72100:]) < 0.01 * level(sound)
    assert told.seconds["double"] == pytest.approx(1.0) and not told.failed


def test_how_loud_somebody_was_recorded_is_not_heard_and_how_they_raise_their_voice_is() -> None:
    score = Score(LENGTH, (Cue(1, 0, 800, "double", "iva", "P1"), Cue(2, 900, 1500, "double", "iva", "P1"),
                           Cue(3, 1500, 2000, "double", "iva", "P2")), speech=())
    sound = noise(16000)
    sound[7000:12000] *= 0.25
    still = replace(crew(), tone=lambda blocks, rate, pauses: Hiss(0))
    made = played(sound, score, by=still)
    softer = sound.copy()
    softer[:12000] *= 0.1
    softer[12000:] *= 0.3
    assert np.allclose(played(softer, score, by=still), made, atol=1e-4)
    assert 3.5 < level(made[500:6000]) / level(made[7500:11500]) < 4.5
    assert gain(-75.0) == pytest.approx(10 ** 1.5), "an open input that hums is no speech"
    yes = noise(20 * RATE)[:, 0] * np.where(np.arange(20 * RATE) < 0.4 * RATE, 1, 0.001)
    assert speech_level([yes.astype(np.float32)], RATE) == pytest.approx(20 * np.log10(0.2), abs=0.5)
    assert speech_level([], RATE) is None and speech_level([np.zeros(RATE, np.float32)], RATE) is None


def test_long_turns_are_cut_where_they_are_quiet() -> None:
    heard_: list[int] = []

    class Counting(NoiseVoice):
        def __call__(self, sound: Floats) -> Floats:
            heard_.append(len(sound))
            return super().__call__(sound)

    sound = noise(50 * RATE)
    sound[17 * RATE : 17 * RATE + 400] *= 0.01
    score = Score(50_000, (Cue(1, 0, 50_000, "double", "long"),), speech=())
    made = played(sound, score, by=crew({"long": Counting()}))
    assert len(heard_) == 3 and abs(heard_[0] / 16000 - 17.03) < 0.05 and max(heard_) <= 20 * 16000
    assert sum(heard_) == pytest.approx(50 * 16000, abs=3) and level(made[-RATE:]) > 0.25 * 10 ** (LEVEL / 20)


def test_a_voice_is_tuned_to_a_person_by_all_their_turns_and_not_by_anybody_else_s() -> None:
    tuned: list[Floats] = []

    class Tuned(NoiseVoice):
        def tuned(self, sound: Floats) -> NoiseVoice:
            tuned.append(sound)
            return NoiseVoice(seed=len(tuned))

    sound = noise(16000)
    score = Score(LENGTH, (Cue(1, 0, 500, "double", "iva", "P1"), Cue(2, 600, 900, "double", "iva", "P2"),
                           Cue(3, 1000, 2000, "double", "iva", "P1")), speech=())
    told = Told()
    made = played(sound, score, by=crew({"iva": Tuned()}), told=told)
    assert not told.failed and [len(of) for of in tuned] == [24000, 4800]
    other = sound.copy()
    other[:4000] *= -1
    played(other, score, by=crew({"iva": Tuned()}))
    assert not np.array_equal(tuned[2], tuned[0]) and np.array_equal(tuned[3], tuned[1])

    class Untunable(Tuned):
        def tuned(self, sound: Floats) -> NoiseVoice:
            raise FloatingPointError("mad")

    assert played(sound, score, by=crew({"iva": Untunable()})).shape == made.shape


def test_who_has_a_lavalier_is_heard_by_it_and_their_other_voice_is_in_its_channel() -> None:
    """In every piece alike, also in those in which the other microphone is the louder one."""
    heard_: list[Floats] = []

    class Ear(NoiseVoice):
        def __call__(self, sound: Floats) -> Floats:
            heard_.append(sound)
            return super().__call__(sound)

    still = replace(crew({"ear": Ear()}), tone=lambda blocks, rate, pauses: Hiss(0))
    sound = noise(16000, 2)  # the second microphone hears something else, louder at the end
    sound[:, 1] *= np.where(np.arange(16000) < 14000, 0.18, 1.2).astype(np.float32)
    cues = (Cue(1, 100, 1500, "double", "ear", "P1"), Cue(2, 1750, 1950, "double", "ear", "P1"))
    made = played(sound, Score(LENGTH, cues, speech=()), by=still)
    assert np.allclose(made[:, 1], 10 ** (-6 / 20) * made[:, 0], atol=1e-6)
    other = np.stack([sound[:, 0], np.roll(sound[:, 1], 40)], 1)
    played(other, Score(LENGTH, cues, speech=()), by=still)
    assert len(heard_) == 4 and all(map(np.array_equal, heard_[:2], heard_[2:]))


def test_however_many_speak_the_stream_is_read_as_often() -> None:
    def count(people: int, channels: int) -> int:
        sound, times = noise(16000, channels), list[int]()
        cues = tuple(Cue(k, 200 * k, 200 * k + 150, "double", "iva", f"P{k}") for k in range(people))
        sheet = laid_out(Score(LENGTH, cues, speech=()), Fraction(0), stream(RATE, channels), len(sound))

        def footage() -> Iterator[Floats]:
            times.append(1)
            return blocks_of(sound)()

        list(heard(footage, stream(RATE, channels), sheet, crew(), [0, 0], Told()))
        return len(times)

    assert count(1, 1) == count(9, 1) == count(9, 2) - 1 and count(1, 2) == count(9, 2)


@pytest.mark.parametrize("fails", ["raises", "short", "deaf", "nan", "same", "stereo"])
def test_what_goes_wrong_in_a_turn_mutes_that_turn(fails: str) -> None:
    def convert(sound: Floats) -> Floats:
        if fails == "raises":
            raise RuntimeError("no")
        return {"short": sound[:-900], "deaf": np.zeros(0, np.float32), "nan": sound * np.float32("nan"), "same": sound * 0.8,
                "stereo": np.stack([sound, sound], 1)}[fails]

    class Bad(NoiseVoice):
        def __call__(self, sound: Floats) -> Floats:
            return convert(sound)

    sound, told = noise(16000), Told()
    cues = (Cue(1, 200, 800, "double", "bad"), Cue(2, 900, 1400, "double", "noor"))
    made = played(sound, Score(LENGTH, cues, speech=()), by=crew({"bad": Bad()}), told=told)
    assert set(told.failed) == {1}
    assert level(made[1600:6400]) < 0.1 * level(sound) and level(made[7400:11000]) > 0.3 * 10 ** (LEVEL / 20)


def test_a_failed_take_is_silent_and_a_good_one_is_heard() -> None:
    def gone() -> tuple[Floats, int]:
        raise OSError("unplugged")

    sound, told = noise(16000), Told()
    by = replace(crew(), takes={**crew().takes, "gone": gone})
    cues = (Cue(1, 200, 800, "revoice", "gone"), Cue(2, 900, 1400, "revoice", "take"))
    made = played(sound, Score(LENGTH, cues, speech=()), by=by, told=told)
    assert set(told.failed) == {1} and "OSError" in told.failed[1]
    assert level(made[1600:6400]) < 0.1 * level(sound)
    assert level(made[7400:11000]) == pytest.approx(0.2, rel=0.1)


def test_where_two_speak_at_once_a_muted_one_is_in_no_conversion() -> None:
    sound = np.zeros((16000, 1), np.float32)
    sound[4000:8000] = noise(4000)  # while both speak
    both = Score(LENGTH, (Cue(1, 0, 1500, "double", "noor"), Cue(2, 500, 1000)), speech=())
    made = played(sound, both)
    assert np.abs(made).max() < 0.1
    either = Score(LENGTH, (Cue(1, 0, 1500, "double", "noor"), Cue(2, 500, 1000, "keep")), speech=())
    assert level(played(sound, either)[4100:7900]) > 0.25 * 10 ** (LEVEL / 20)
    assert not (played(sound, either)[4000:8000] == sound[4000:8000]).any()


def test_who_was_taken_out_of_the_plan_is_not_kept_with_whom_is_over_it() -> None:
    """Two were heard at once, and one turn was deleted: what it held is undecided, whatever becomes of the other."""
    sound, heard_ = noise(16000), ((200, 1600), (800, 1100))
    for voice, of in (("keep", ""), ("double", "noor")):
        both = (Cue(1, 200, 1600, voice, of), Cue(2, 800, 1100, voice, of))
        with_, without = (Score(LENGTH, cues, speech=heard_, ambience="keep") for cues in (both, both[:1]))
        assert level(played(sound, with_)[6500:8700]) > 0.25 * 10 ** (LEVEL / 20)
        made = played(sound, without)
        assert level(made[6500:8700]) < 0.1 * level(sound) and level(made[2000:6300]) > 0.25 * 10 ** (LEVEL / 20)
        assert without.undecided == [(800, 1100)] and not with_.undecided
    joined = Score(LENGTH, (Cue(1, 200, 1600, "keep"),), speech=((200, 900), (899, 1600)))  # two turns that a person made one
    assert not joined.undecided


def test_a_pause_is_not_held_however_long_it_is() -> None:
    seconds, audio = 900, stream(RATE, 2)

    def given() -> Iterator[Floats]:
        for _ in range(seconds - 2):  # and the stream ends too early
            yield noise(RATE, 2)

    cues = [Cue(k, a, a + 1000, voice, of, "P1") for k, (a, voice, of) in enumerate(
        [(0, "double", "noor"), (1500, "keep", ""), (450_000, "double", "noor"), (898_500, "double", "noor")], 1)]
    sheet, told = laid_out(Score(1000 * seconds, tuple(cues), speech=()), Fraction(0), audio, seconds * RATE), Told()
    tracemalloc.start()
    try:
        total = sum(len(block) for block in heard(given, audio, sheet, crew(), [0, 0], told))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert total == seconds * RATE and not told.failed
    assert peak < 6e6, f"{peak / 1e6:.1f} MB of {seconds * RATE * 8 / 1e6:.0f}"


class Failing:
    """Blocks of a stream, one of which cannot be read; those after it can."""

    def __init__(self, sound: Floats, at: int) -> None:
        self.sound, self.at, self.k = sound, at, 0

    def __iter__(self) -> Failing:
        return self

    def __next__(self) -> Floats:
        self.k += 1
        if self.k - 1 == self.at:
            raise MemoryError
        if (self.k - 1) * 1024 >= len(self.sound):
            raise StopIteration
        return self.sound[(self.k - 1) * 1024 : self.k * 1024]


@pytest.mark.parametrize("first", ["double", "revoice", "long"])
def test_after_a_block_that_cannot_be_read_no_sample_is_given(first: str) -> None:
    """Else all that is kept comes a block too early: what was muted there is heard."""
    sound = noise(30 * RATE)
    end, voice = {"double": (1000, "double"), "revoice": (1000, "revoice"), "long": (25_000, "double")}[first]
    cues = (Cue(1, 0, end, voice, "take" if voice == "revoice" else "noor"), Cue(2, end + 100, end + 2000, "double", "noor"),
            Cue(3, end + 2100, 30_000, "keep"))
    audio = stream(RATE)

    def given(told: Told, *what: Cue) -> Floats:
        sheet = laid_out(Score(30_000, what, speech=()), Fraction(0), audio, len(sound))
        by = replace(crew(), tone=lambda blocks, rate, pauses: Hiss(0))
        return np.concatenate(list(heard(lambda: Failing(sound, 3), audio, sheet, by, [0, 0], told)))

    told = Told()
    made = given(told, *cues[:2])
    assert set(told.failed) == {1, 2} and "MemoryError" in told.failed[1] and "read" in told.failed[2] and not made.any()
    with pytest.raises(InputRefused, match="cannot be read"):
        given(Told(), *cues)


def test_a_bleep_is_a_soft_tone_over_whoever_speaks() -> None:
    sound = noise(16000)
    for voice, of in KINDS:
        for tone in (True, False):
            score = Score(LENGTH, (Cue(1, 200, 1800, voice, of),), (Beep(1000, 1200, tone),), speech=())
            made = played(sound, score)[950 * 8 + 80 : 1250 * 8 - 80, 0]
            peak = np.abs(np.fft.rfft(made * np.hanning(len(made))))
            at = int(peak.argmax()) * RATE / len(made)
            assert (abs(at - 1000) < 10) == tone and level(made) < 0.06


def test_clipping_and_what_is_no_number() -> None:
    loud = (noise(16000) * 50).clip(-1, 1)
    loud[8000:8100] = np.nan
    loud[8100:8200] = np.inf
    for voice, of in KINDS:
        told = Told()
        made = played(loud, Score(LENGTH, (Cue(1, 200, 1800, voice, of),), speech=()), told=told)
        assert np.isfinite(made).all() and np.abs(made).max() <= 1 and not told.failed


@pytest.mark.parametrize("samples", [0, 1, 2, 77])
@pytest.mark.parametrize(("voice", "of"), KINDS)
def test_hardly_any_sound(samples: int, voice: str, of: str) -> None:
    for rate in (8000, 48000):
        told = Told()
        score = Score(LENGTH, (Cue(1, 0, 2000, voice, of),), (Beep(0, 5),), speech=())
        played(noise(samples), score, rate=rate, told=told)
        assert not told.failed


def test_sound_that_begins_late_or_early_is_where_the_pictures_are() -> None:
    sound = noise(16000)
    for start in (Fraction(1, 4), Fraction(-1, 4)):
        made = played(sound, Score(LENGTH, (Cue(1, 500, 900, "keep"),), speech=()), start=start)
        same = np.flatnonzero((made == sound).all(1)) / RATE + float(start)
        assert same[0] == pytest.approx(0.51, abs=0.002) and same[-1] == pytest.approx(0.89, abs=0.002)


def test_channels_that_cancel_each_other_are_heard_all_the_same() -> None:
    one = noise(100)
    assert np.array_equal(mono(np.concatenate([one, -one], 1)), one[:, 0])
    assert np.allclose(mono(np.concatenate([one, one], 1)), one[:, 0])


def test_resampling_keeps_time() -> None:
    at = np.arange(16000) / 16000
    wave = np.sin(2 * np.pi * 300 * at).astype(np.float32)
    for rate in (8000, 22050, 44100, 48000):
        there = resampled(wave, 16000, rate)
        assert len(there) == rate
        assert np.abs(there - np.sin(2 * np.pi * 300 * np.arange(rate) / rate))[200:-200].max() < 2e-3
        assert np.abs(resampled(there, rate, 16000) - wave)[200:-200].max() < 4e-3
    assert len(resampled(wave[:0], 16000, 8000)) == 0


def test_what_is_alike() -> None:
    a, b = noise(9000)[:, 0], noise(9000, seed=4)[:, 0]
    assert alike(a, -0.3 * a) and not alike(a, b) and not alike(a, 0 * a) and not alike(a, a + b * (1 / ALIKE))


def test_a_quarter_of_a_second_that_passes_is_enough_to_fail() -> None:
    """A conversion of 20 s with so much of the original in it, half as loud, correlates with it hardly at all."""
    a, b = noise(20 * 16000)[:, 0], noise(20 * 16000, seed=4)[:, 0]
    assert not alike(a, b)
    b[100_000:106_000] = 0.5 * a[100_000:106_000]
    assert alike(a, b)
    hum = np.sin(2 * np.pi * 110 * np.arange(32000) / 16000).astype(np.float32)  # two voices of one pitch
    assert not alike(hum + 0.3 * a[:32000], hum + 0.3 * b[:32000])


def test_a_take_that_is_the_footage_itself_is_not_heard() -> None:
    sound = noise(16000)
    louder = (np.concatenate([noise(5000, seed=8), 1.7 * sound[1500:7000]])[:, 0]).astype(np.float32)
    told, by = Told(), replace(crew(), takes={**crew().takes, "own": lambda: (louder, RATE)})
    cues = (Cue(1, 200, 800, "revoice", "own"), Cue(2, 900, 1400, "revoice", "take"))
    made = played(sound, Score(LENGTH, cues, speech=()), by=by, told=told)
    assert set(told.failed) == {1} and "own sound" in told.failed[1] and level(made[1600:6400]) < 0.1 * level(sound)
    guide = noise(40000, seed=9)[:, 0]
    assert quoted(guide, np.concatenate([louder, guide[9000:39000]])) and not quoted(guide, noise(90000, seed=11)[:, 0])
    assert not quoted(guide[:100], guide) and not quoted(guide, guide[:100]) and not quoted(guide * 0, guide * 0)


def test_a_turn_that_no_take_can_speak_says_what_to_do() -> None:
    told = Told()
    played(noise(302 * RATE), Score(302_000, (Cue(1, 0, 301_500, "revoice", "take"),), speech=()), told=told)
    assert "split it" in told.failed[1] and "Error" not in told.failed[1]


def test_a_voice_is_what_it_has_to_be() -> None:
    voice: Convert = NoiseVoice()
    assert voice.rate == 16000 and len(voice(noise(1601)[:, 0])) == 1601
