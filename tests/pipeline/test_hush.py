"""Over a bleep no lips can be read: a drawn mouth is at rest, a shown face is veiled."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from facedouble.media.again import MARK, Marks
from facedouble.media.decode import frames
from facedouble.options import Options
from facedouble.pipeline.analyse import Analysis
from facedouble.pipeline.company import Act, PlanCompany, Rehearsed
from facedouble.pipeline.hush import near, rests, stilled
from facedouble.pipeline.render import names
from facedouble.plan.people import Decision, Person, TrackName
from facedouble.plan.plan import Plan
from facedouble.plan.values import Clip, DoubleFile
from facedouble.plan.voices import Bleep
from facedouble.protect.composite import compose
from facedouble.protect.drive import WEIGHT_WINDOW
from facedouble.types import CODE, Array, Double, FaceCode, Frame, Rows

FRAMES = 60
BLEEP = Bleep("A", 1000, 1100)  # the window: .7 to 1.4 s, frames 17 to 35
WINDOW = range(17, 36)
OPTIONS = Options()
CLIP = Clip("A", "a.mp4", "a" * 64, FRAMES, Fraction(25))


def plan(made: Analysis, said: str = "double ana", *bleeps: Bleep) -> Plan:
    faces = tuple(TrackName("A", r.track.id) for r in made.roles)
    decision = Decision.of(said, "Lin", "so")
    return Plan((CLIP,), (DoubleFile("ana", "ana.fdouble"),), (Person("P1", "Rose", faces, decision),), bleeps=bleeps)


def company(of: Plan, made: Analysis, double: Double) -> PlanCompany:
    acts = {(r.track.id, "double ana"): Act(r, double) for r in made.roles}
    sure = {r.track.id: np.ones(len(r.weights), bool) for r in made.roles}
    return PlanCompany(of, "A", made, Rehearsed(acts, sure), OPTIONS)


def speaking(made: Analysis, seed: int) -> Analysis:
    """The same people, saying something else within the window: mouth, lips, and the light on them."""
    roles = []
    for role in made.roles:
        assert role.fit is not None and isinstance(role.fit.codes, Rows)
        numbers = np.array(role.fit.codes.numbers)
        rng, start = np.random.default_rng(seed), role.fit.start
        for frame in WINDOW:
            if 0 <= frame - start < len(numbers):
                row = numbers[frame - start]
                row[CODE["expression"]][:16] += rng.normal(0, 0.2, 16)
                row[CODE["lips"]] = rng.uniform(0, 0.3, 9)
                row[CODE["light"]][27:] += rng.normal(0, 0.1, 42)
        roles.append(replace(role, fit=replace(role.fit, codes=Rows(numbers, FaceCode.of))))
    return replace(made, roles=tuple(roles))


def drawn(of: PlanCompany, film: list[Frame], numbers: list[int]) -> list[tuple[Array, ...]]:
    scenes = {k: of.scene(k) for k in range(FRAMES)}
    return [compose(film[k], scenes[k].parts, OPTIONS.draw, 0).safe.frame.planes for k in numbers]


def same(a: tuple[Array, ...], b: tuple[Array, ...]) -> bool:
    return all(np.array_equal(p, q) for p, q in zip(a, b, strict=True))


@pytest.fixture(scope="module")
def film(analysis: Analysis) -> list[Frame]:
    return list(frames(analysis.info))


def test_what_is_drawn_over_a_bleep_does_not_depend_on_the_lips(analysis: Analysis, double: Double, film: list[Frame]) -> None:
    other, numbers = speaking(analysis, 1), [*[*WINDOW][::4], WINDOW[-1], WINDOW[0] - 2, WINDOW[-1] + 2]
    hushed = plan(analysis, "double ana", BLEEP)
    pairs = [drawn(company(hushed, made, double), film, numbers) for made in (analysis, other)]
    assert all(same(a, b) for a, b in zip(*pairs, strict=True))
    open_ = [drawn(company(plan(analysis), made, double), film, numbers[:5]) for made in (analysis, other)]
    assert not any(same(a, b) for a, b in zip(*open_, strict=True))  # and without the bleep it does


def test_the_mouth_closes_and_the_rest_plays_on(analysis: Analysis, double: Double) -> None:
    loud = speaking(analysis, 2)
    of = company(plan(loud, "double ana", BLEEP), loud, double)
    parts = [of.scene(k).parts[0] for k in range(FRAMES)]
    gaps = np.array([0.0 if p.stage is None else p.stage.lip_gap(p.step) for p in parts])
    assert gaps[WINDOW.start : WINDOW.stop].max() < 0.02
    loud_gaps = [p.stage.lip_gap(p.step) for p in (company(plan(loud), loud, double).scene(k).parts[0] for k in WINDOW)
                 if p.stage is not None]
    assert max(loud_gaps) > 0.1
    steps = np.abs(np.diff(gaps[[*WINDOW]]))
    assert steps.max() < 0.01
    for k in WINDOW:
        stage, usual = parts[k].stage, company(plan(loud), loud, double).scene(k).parts[0].stage
        assert stage is not None and usual is not None
        a, b = stage.codes[parts[k].step], usual.codes[parts[k].step]
        assert np.array_equal(a.lids, b.lids) and np.array_equal(a.expression[16:], b.expression[16:]) and a.scale == b.scale


def test_who_is_shown_is_veiled_over_a_bleep(analysis: Analysis, double: Double, film: list[Frame]) -> None:
    of = company(plan(analysis, "show", BLEEP), analysis, double)
    got = [compose(film[k], of.scene(k).parts, OPTIONS.draw, 0) for k in range(FRAMES)]
    for k in range(FRAMES):
        assert bool(got[k].veiled) or k not in WINDOW, k
        assert bool(got[k].shown) != bool(got[k].veiled)
    assert got[WINDOW[0] - 4].shown and got[WINDOW[-1] + 4].shown
    quiet = company(plan(analysis, "show"), analysis, double)
    assert all(compose(film[k], quiet.scene(k).parts, OPTIONS.draw, 0).shown for k in (20, 30))


def test_only_the_frames_around_a_bleep_are_drawn_again(analysis: Analysis, double: Double) -> None:
    spans = [(k, k + 10) for k in range(0, FRAMES, 10)]
    before, after = (names(analysis, spans, company(plan(analysis, "double ana", *b), analysis, double), OPTIONS, "x")
                     for b in ((), (BLEEP,)))
    assert [a == b for a, b in zip(before, after, strict=True)] == [True, False, False, False, False, True]


def test_when_a_mouth_is_at_rest(analysis: Analysis) -> None:
    rest = rests(plan(analysis, "veil", BLEEP), "A", analysis.info, FRAMES, None)
    assert np.flatnonzero(rest == 1).tolist() == [*WINDOW]
    assert (rest[:14] == 0).all() and (rest[38:] == 0).all() and (np.diff(rest[14:18]) > 0).all()
    assert np.flatnonzero(near(rest)).tolist() == [*range(14 - WEIGHT_WINDOW, 38 + WEIGHT_WINDOW)]
    assert not rests(plan(analysis, "veil", replace(BLEEP, start=0, stop=1)), "A", analysis.info, FRAMES, None)[12:].any()
    half = np.zeros(FRAMES, MARK)  # a phone that filmed half as fast as it said: two seconds are at frame 25
    half["ticks"] = np.arange(FRAMES) * 2 * round(1 / (25 * analysis.info.time_base))
    slow = rests(plan(analysis, "veil", Bleep("A", 2000, 2100)), "A", analysis.info, FRAMES, Marks(half))
    assert slow[25] == 1 and not slow[45:].any() and not slow[:18].any()


def test_codes_of_a_still_mouth() -> None:
    rng = np.random.default_rng(0)
    codes = rng.normal(0, 1, (20, 123)).astype(np.float32)
    rest = np.zeros(20)
    rest[5:9], rest[4], rest[9] = 1, 0.5, 0.5
    made = stilled(codes, rest).numbers
    assert np.array_equal(made[rest == 0], codes[rest == 0])
    assert not made[5:9, CODE["lips"]].any() and not made[5:9, CODE["expression"]][:, :16].any()
    other = codes.copy()
    other[5:9, CODE["lips"]], other[5:9, CODE["light"].start + 27 :] = 7, 7
    assert np.array_equal(stilled(other, rest).numbers, made)
    whole = stilled(codes, np.ones(20)).numbers
    assert not whole[:, CODE["lips"]].any() and not whole[:, CODE["light"].start + 27 :].any()
