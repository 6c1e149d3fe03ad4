"""What the audit makes of sounds: what may be heard, traces, stillness, time, whose voice."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings

from facedouble.audit import heard as checks
from facedouble.audit.lag import Lag, Lateness
from facedouble.audit.residual import RATE
from facedouble.audit.said import Said, Voiced, flags, joined, without
from facedouble.audit.still import Most, Stillness, stillness
from facedouble.audit.traces import MARGIN, Trace, Traces
from facedouble.audit.voices import Listener, Piece, attackers, informed, likeness, own
from facedouble.options import AuditOptions
from facedouble.pipeline.score import Score, laid_out
from facedouble.types import Floats
from tests.audit.sounds import voice
from tests.pipeline.make_sound import stream
from tests.pipeline.test_sound import scores

PAD = round(MARGIN * RATE)
LIMITS = AuditOptions()
MOST = Most(LIMITS.silence, LIMITS.room, LIMITS.bleep)


@pytest.fixture(scope="module")
def voices() -> tuple[Floats, Floats]:
    return voice(1, 110), voice(2, 190)


def said(score: Score) -> Said:
    turns = tuple(Voiced(c.start, c.stop, c.voice, c.person) for c in score.cues)
    return Said(score.length, turns, tuple((b.start, b.stop, b.tone) for b in score.beeps), score.speech,
                score.ambience or ("none" if score.silent else "new"))


@settings(max_examples=60, deadline=None)
@given(scores())
def test_what_may_be_heard_is_what_the_plan_lets_be_heard(score: Score) -> None:
    """Worked out twice: each sample that the render passes may be heard, and no more than its wider margins."""
    rate, mine = 1000, said(score)
    sheet = laid_out(score, Fraction(0), stream(rate), score.length)
    passed, toned = np.zeros((2, score.length), bool)
    for run in sheet.runs:
        passed[run.start:run.stop] = run.kind in ("keep", "clean")
        toned[run.start:run.stop] = run.kind == "tone"
    for line in sheet.lines:
        toned[line.start:line.stop] = False
    may = flags(mine.passes(), 0, score.length, rate)
    assert not (passed & ~may).any()
    assert not (flags(mine.still(), 0, score.length, rate) & ~toned).any() or mine.silent
    wider = np.convolve(passed, np.ones(2 * 71 + 1), "same") > 0  # .15 s and .02 s of the render, .1 s of the audit
    kept = [t for t in mine.turns if t.voice == "keep"]
    if not kept and len(mine.passes()) == 1 and mine.passes()[0][1] - mine.passes()[0][0] > 200:
        assert not (may & ~wider).any()


def test_spans() -> None:
    assert joined([(5, 9), (-4, 2), (2, 3), (7, 7), (8, 12)]) == ((0, 3), (5, 12))
    assert without([(0, 10)], [(3, 4)], [(8, 20)]) == ((0, 3), (4, 8))
    assert without([(0, 10)], [(0, 10)]) == ()
    one = Said(1000, (Voiced(200, 600, "keep"), Voiced(500, 800, "double")), ((300, 350, True),), ((200, 800),), "keep")
    assert one.passes() == ((0, 260), (390, 500), (900, 1000))  # not under the bleep, where both speak, nor .1 s beside
    assert Said(1000).silent and not Said(1000, whole=True).silent
    with pytest.raises(ValueError, match="ambience"):
        Said(10, ambience="loud")


def scan(original: Floats, output: Floats, passes: tuple[tuple[int, int], ...] = ()) -> list[Trace]:
    """Second after second, (N,) or (N, C)."""
    a, b = (np.pad(x.reshape(len(x), -1), ((PAD, PAD), (0, 0))) for x in (original, output))
    search = Traces()
    return [search.add(a[k:k + RATE + 2 * PAD], b[k:k + RATE + 2 * PAD], flags(passes, k - PAD, RATE + 2 * PAD, RATE))
            for k in range(0, len(original) - RATE + 1, RATE)]


def found(made: list[Trace]) -> list[int]:
    """Seconds of findings."""
    check = checks.traces(list(range(len(made))), made, LIMITS)
    assert check.looked == len(made) and check.passed == (not check.findings)
    return [s for f in check.findings if f.ms is not None for s in range(f.ms[0] // 1000, f.ms[1] // 1000)]


def test_strangers_share_nothing(voices: tuple[Floats, Floats]) -> None:
    assert found(scan(*voices)) == []


def test_two_hundred_milliseconds(voices: tuple[Floats, Floats]) -> None:
    leaked = voices[1].copy()
    leaked[40000:43200] = voices[0][40000:43200]
    assert 2 in found(scan(voices[0], leaked))


@pytest.mark.parametrize("late", [0, 4000 - 16, -4000 + 16])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_mix_at_minus_twenty_decibels_in_one_channel(voices: tuple[Floats, Floats], late: int, sign: int) -> None:
    mixed = np.stack([voices[1], voices[1] + sign * 0.1 * np.roll(voices[0], late)], 1)
    made = scan(voices[0], mixed)
    assert len(found(made)) >= 3
    assert abs(max(made, key=lambda t: t.score).late - late / RATE) < 0.001


def test_by_telephone_and_a_little_slower(voices: tuple[Floats, Floats]) -> None:
    import soxr

    size = np.fft.rfftfreq(len(voices[0]), 1 / RATE)
    narrow = np.fft.irfft(np.fft.rfft(voices[0]) * ((size > 300) & (size < 3400)), len(voices[0])).astype(np.float32)
    assert found(scan(voices[0], voices[1] + 0.25 * narrow))
    slower = np.asarray(soxr.resample(voices[0], 1000, 1003), np.float32)[:len(voices[0])]
    assert found(scan(voices[0], slower))


def test_what_may_be_heard_is_not_sought(voices: tuple[Floats, Floats]) -> None:
    kept = voices[1].copy()
    kept[32000:48000] = voices[0][32000:48000]
    assert found(scan(voices[0], kept)) and not found(scan(voices[0], kept, ((2000, 3000),)))


def test_to_begin_at_once_or_to_click_is_no_trace(voices: tuple[Floats, Floats]) -> None:
    one, other = (np.concatenate([np.zeros(3000, np.float32), v[3000:]]) for v in voices)
    one[20000], other[23000] = 0.9, -0.9
    assert not found(scan(one, other))


def test_what_one_channel_has_more_than_the_other(voices: tuple[Floats, Floats]) -> None:
    """Under the new voice it is hidden; that is the same in both."""
    rng = np.random.default_rng(3)
    leaked = np.stack([voices[1], 0.8 * voices[1] - 10 ** (-44 / 20) * voices[0]], 1)
    leaked += (1e-4 * rng.standard_normal(leaked.shape)).astype(np.float32)
    assert len(found(scan(voices[0], leaked))) >= 3
    assert not found(scan(voices[0], leaked[:, 1:]))
    faint = np.outer(voices[1] + 0.03 * voices[0], [1, 0.5]).astype(np.float32)  # so quiet that four seconds together tell more
    alone = max(t.lasting for t in scan(voices[0], faint))
    for a, b in ((0, 24_000), (56_000, 80_000)):  # some seconds have sides, and some have none
        faint[a:b, 1] += 1e-5 * rng.standard_normal(b - a).astype(np.float32)
    assert max(t.lasting for t in scan(voices[0], faint)) > 0.95 * alone
    clean = np.stack([voices[1], 0.8 * voices[1]], 1) + (1e-4 * rng.standard_normal(leaked.shape)).astype(np.float32)
    assert not found(scan(voices[0], clean))


def test_nothing_at_all(voices: tuple[Floats, Floats]) -> None:
    silent = np.zeros_like(voices[0])
    assert not found(scan(voices[0], silent)) and not found(scan(silent, voices[0]))
    assert not found(scan(voices[0], np.zeros((len(voices[0]), 0), np.float32)))


def still(sound: Floats, plan: Said) -> Stillness:
    return stillness((sound[k:k + 777] for k in range(0, len(sound), 777)), RATE, 0.0, plan, MOST)


def tone(seconds: float, seed: int = 0) -> Floats:
    """(n, 2) a room's."""
    made = 2e-3 * np.random.default_rng(seed).standard_normal((round(seconds * RATE), 2))
    return np.asarray(made, np.float32)


def kinds(one: Stillness) -> set[str]:
    assert checks.level([one]).passed == (not one.found)
    return {f.kind for f in one.found}


def test_silence_is_digital() -> None:
    plan, sound = Said(2000), np.zeros((2 * RATE, 2), np.float32)
    assert not kinds(still(sound, plan)) and still(sound, plan).seconds["silence"] == pytest.approx(2)
    sound[20000:20100, 1] = 2e-4
    one = still(sound, plan)
    assert kinds(one) == {"silence"} and one.found[0].start <= 1250 < one.found[0].stop
    assert kinds(still(np.full((100, 1), np.nan, np.float32), plan)) == {"silence"}
    assert not kinds(still(sound[:0], plan))


def test_only_the_room_tone(voices: tuple[Floats, Floats]) -> None:
    plan, sound = Said(5000, (Voiced(1000, 2500),), (), ((1000, 2500),), "new"), tone(5)
    assert not kinds(still(sound, plan))
    sound[24000:27200, 0] += 0.3 * voices[0][24000:27200]
    assert kinds(still(sound, plan)) == {"tone"}


def test_a_bleep_and_nothing_below_it(voices: tuple[Floats, Floats]) -> None:
    plan = Said(5000, (Voiced(0, 2500, "double"),), ((1000, 1500, True),), ((0, 2500),), "new")
    sound, at = tone(5), np.arange(5 * RATE) / RATE
    covered = sound.copy()
    covered[15200:24800] += (0.06 * np.sin(2 * np.pi * 1000 * at))[15200:24800, None].astype(np.float32)
    assert not kinds(still(covered, plan))
    assert kinds(still(sound, plan)) == {"no bleep"}
    spoken = covered.copy()
    spoken[16000:19200, 1] += 0.1 * voices[0][16000:19200]
    assert kinds(still(spoken, plan)) == {"below a bleep"}


@pytest.mark.parametrize("late", [-0.12, 0.0, 0.06, 0.25])
def test_how_late_another_voice_is(voices: tuple[Floats, Floats], late: float) -> None:
    a, b = (np.pad(v, 8000)[:, None] for v in (voices[0], np.roll(voices[1], round(late * RATE))))
    timing = Lateness()
    for k in range(0, 5 * RATE, RATE):
        on = np.zeros(2 * RATE, bool)
        on[8000:24000] = True
        timing.add(a[k:k + 2 * RATE], b[k:k + 2 * RATE], RATE, on)
    lag = timing.lag()
    assert lag.late == pytest.approx(late, abs=0.008) and lag.likeness > LIMITS.in_time
    assert checks.in_time([(0, 5000, lag)], LIMITS).passed == (abs(late) <= LIMITS.late)


def test_what_cannot_be_told_is_no_finding() -> None:
    assert Lateness().lag().likeness == 0
    check = checks.in_time([(0, 1000, Lag(0.3, 0.1, 1.0))], LIMITS)
    assert check.passed and check.figures["seconds that could not be told"] == 1


def loud(sound: Floats) -> Floats:
    """A judge that tells voices by their first sample."""
    made = np.zeros(4, np.float32)
    made[round(float(np.abs(sound).max()) * 4) % 4] = 1
    return made


def test_pieces_of_turns() -> None:
    turns = (Voiced(500, 9500, "double", "P1"), Voiced(3000, 5000, "revoice", "P2"), Voiced(6000, 7000, "double"),
             Voiced(1000, 9000, "mute", "P3"))
    was = np.full(10 * RATE, 0.25, np.float32)
    now = np.where(np.arange(10 * RATE) < 5 * RATE, 0.25, 0.5).astype(np.float32)
    listener = Listener(Said(10_000, turns), loud, lambda sound, by: sound)
    for k in range(10):
        listener.add(float(k), was[k * RATE:(k + 1) * RATE], now[k * RATE:(k + 1) * RATE])
    pieces = listener.done()
    assert [(p.start, p.stop, p.person) for p in pieces] == [
        (500, 4500, "P1"), (2500, 6500, "P1"), (3000, 5000, "P2"), (4500, 8500, "P1"), (6500, 9500, "P1")]
    check = checks.voices(pieces, LIMITS)
    assert [f.ms for f in check.findings] == [(500, 4500), (3000, 5000)] and check.findings[0].person == "P1"


def short(length: int, many: int, person: str = "P1") -> tuple[list[Piece], float]:
    """Turns of `length` ms every two seconds, all as in the footage: what is judged of them, and s that are not."""
    turns = tuple(Voiced(2000 * k, 2000 * k + length, "double", person) for k in range(many))
    listener = Listener(Said(2000 * many, turns), loud, lambda sound, by: sound)
    for k in range(2 * many):
        listener.add(float(k), np.full(RATE, 0.25, np.float32), np.full(RATE, 0.25, np.float32))
    return list(listener.done()), listener.lost


def test_short_answers_of_one_person_are_judged_together() -> None:
    """Yes and no, all through an interview."""
    pieces, lost = short(900, 7)
    assert [p.spans for p in pieces] == [tuple((2000 * k, 2000 * k + 900) for k in some) for some in ((0, 1, 2, 3, 4), (5, 6))]
    assert lost == 0 and [f.ms for f in checks.voices(pieces, LIMITS, lost).findings] == [
        (2000 * k, 2000 * k + 900) for k in range(7)]
    for few, person in ((1, "P1"), (5, "")):  # whose they are is not known: they may be of several people
        pieces, lost = short(900, few, person)
        told = checks.voices(pieces, LIMITS, lost)
        assert not pieces and lost == pytest.approx(0.9 * few) and f"{lost:.1f} s" in told.missing and told.passed
    pieces, lost = short(900, 6)
    assert len(pieces) == 1 and checks.voices(pieces, LIMITS, lost).figures["seconds that could not be judged"] == lost == 0.9


def test_who_is_silent_is_nobody() -> None:
    listener = Listener(Said(3000, (Voiced(0, 3000, "double", "P1"),)), loud, lambda sound, by: sound)
    for k in range(3):
        listener.add(float(k), np.zeros(RATE, np.float32), np.ones(RATE, np.float32))
    assert not listener.done() and checks.voices((), LIMITS).passed


def person(seed: int, place: int, near: float) -> Piece:
    rng = np.random.default_rng(seed)
    was = np.eye(16, dtype=np.float32)[place]
    now = near * was + rng.normal(0, 0.05, 16).astype(np.float32) + 0.3 * np.eye(16, dtype=np.float32)[15]
    return Piece(0, 1, f"P{place}", was, now / np.float32(np.linalg.norm(now)), 0.0)


def test_attackers_find_who_is_not_hidden() -> None:
    gallery = {f"g{k}": [np.eye(16, dtype=np.float32)[k + 4]] for k in range(8)}
    open_, hidden = ([person(9 * p + k, p, near) for p in range(3) for k in range(4)] for near in (1.0, 0.0))
    (known,), (unknown,) = attackers(open_, gallery), attackers(hidden, gallery)
    assert known.rank1.value == 1 and unknown.rank1.value < 0.5 and known.gallery == 11
    assert not checks.gallery([known], LIMITS).passed and checks.gallery([unknown], LIMITS).passed
    alike = {**gallery, **{p.person: [p.now] for p in open_}}
    semi, lazy = informed(open_, alike, gallery | {"P0": [open_[0].now]})
    assert (semi.attacker, lazy.attacker) == ("semi-informed", "lazy") and semi.rank1.value == 1
    assert (semi.people, lazy.people) == (3, 1) and not informed(open_, {}, gallery)
    told = checks.informed([semi, lazy], True, ["P9: too little speech"])
    assert told.passed and "semi-informed, first guess right for 100%" in str(told.figures["verdict"])
    assert told.figures["not tried"] == "P9: too little speech" and not told.needed
    assert attackers([], gallery) == [] and attackers(open_[:1], {}) == []
    assert likeness(open_[0], own(open_)) > 0.9


def test_streams_have_to_be_those_of_the_footage() -> None:
    one, other = checks.Stream(16000, 1, 100), checks.Stream(48000, 2, 300)
    assert checks.streams([one, other], [one, other]).passed and checks.streams([], []).passed
    assert len(checks.streams([other, one], [one, other]).findings) == 2
    assert not checks.streams([one], [one, other]).passed and not checks.streams([one, one], [one]).passed
    assert not checks.streams([checks.Stream(16000, 1, 99)], [one]).passed


def test_findings_name_no_name() -> None:
    check = checks.names(checks.WORDS, 3, "readings", [(0, 10_000)])
    assert not check.passed and check.findings[0].what == "A word of the redaction list is heard."
