"""The watch over a film: faces that nobody accounts for, people who are recognised, frames that do not follow the footage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import cv2
import numpy as np
import pytest

from facedouble.audit.account import Cover, Told, ignored
from facedouble.audit.copies import COPIES, dark, gloomy, turned_back
from facedouble.audit.covers import NAME
from facedouble.audit.follow import Follower, _blocks
from facedouble.audit.likeness import Known, grouped, rank, unit
from facedouble.audit.remains import remains
from facedouble.audit.scene import Models
from facedouble.audit.seen import UNKNOWN, Watch
from facedouble.audit.spans import MOST, Hit, Spans
from facedouble.audit.verdict import Check, Look
from facedouble.geometry import shifted
from facedouble.options import AuditOptions
from facedouble.pipeline.audit.page_parts import state
from facedouble.types import Array, Bools, Box, Bytes, Colour, Floats, Frame, Seen

SHAPE = (160, 240)
PLACE = Box(90, 40, 140, 105)
POINTS = np.array([[105, 65], [125, 65], [115, 78], [106, 90], [124, 90]], np.float32)
LIMITS = AuditOptions(every=10)
SECOND = 10


def frame(picture: Array, number: int = 0) -> Frame:
    chroma = np.full((SHAPE[0] // 2, SHAPE[1] // 2), 128, np.uint8)
    luma = np.clip(np.round(picture), 16, 235).astype(np.uint8)
    return Frame(number, number, 1, Fraction(1, SECOND), (luma, chroma, chroma.copy()), "yuv420p", Colour())


def footage(number: int, seed: int = 1) -> Floats:
    """A textured background that moves a little, with a textured face in it."""
    rng = np.random.default_rng(seed)
    ground = cv2.GaussianBlur(rng.standard_normal((SHAPE[0], SHAPE[1] + 200)).astype(np.float32), (0, 0), 2.0) * 150 + 120
    picture = ground[:, 2 * number:2 * number + SHAPE[1]].copy()
    picture[40:105, 90:140] = face(seed)
    return np.asarray(picture, np.float32)


def face(seed: int) -> Floats:
    rng = np.random.default_rng(seed + 100)
    slow = cv2.GaussianBlur(rng.standard_normal((65, 50)).astype(np.float32), (0, 0), 8.0) * 250
    fine = cv2.GaussianBlur(rng.standard_normal((65, 50)).astype(np.float32), (0, 0), 0.7)
    return np.asarray(120 + slow + 12 * fine, np.float32)


def protected(number: int) -> Floats:
    picture = footage(number)
    picture[36:110, 86:144] = 110
    picture[40:105, 90:140] = face(2)
    return picture


class Eyes:
    """A detector that sees what it is told to see, and a recogniser to which faces look as they are told to."""

    def __init__(self, seen: Sequence[Seen] = (), vector: Floats | None = None) -> None:
        self.seen, self.vector = list(seen), unit(np.ones(128, np.float32)) if vector is None else vector

    def models(self) -> Models:
        return Models(self.look, lambda picture: [], lambda picture, points: self.vector)

    def look(self, picture: Bytes) -> list[Seen]:
        return self.seen if picture.shape[:2] == SHAPE else []


SEEN = Seen(PLACE, 0.9, POINTS)


def watched(outputs: Sequence[Array], sources: Sequence[Array | None], eyes: Eyes, treatment: str = "double",
            people: Sequence[Known] = (), gallery: Sequence[Known] = (), shown: Sequence[Known] = ()) -> dict[str, Check]:
    told = [Told(PLACE, treatment, "p1")] if treatment else []
    watch = Watch(lambda number: told, eyes.models(), LIMITS, SECOND, people, gallery, shown=shown)
    for k, (output, source) in enumerate(zip(outputs, sources, strict=True)):
        watch.take(k, frame(output, k), None if source is None else frame(source, k), k == len(outputs) - 1)
    return {check.name: check for check in watch.checks()}


FOOTAGE = [footage(k) for k in range(24)]
CLEAN = [protected(k) for k in range(24)]


def found(checks: dict[str, Check]) -> dict[str, tuple[tuple[int, int] | None, ...]]:
    return {name: tuple(f.frames for f in check.findings) for name, check in checks.items() if check.findings}


def test_a_clean_film_passes() -> None:
    checks = watched(CLEAN, FOOTAGE, Eyes([SEEN]))
    assert found(checks) == {} and [n for n, c in checks.items() if not c.passed] == ["Nobody is recognised"]
    assert checks["Every face is accounted for"].looked == 24 == checks["The picture follows the footage"].looked


def test_one_bare_frame_is_found_where_it_is() -> None:
    outputs = [*CLEAN[:13], FOOTAGE[13], *CLEAN[14:]]
    hits = found(watched(outputs, FOOTAGE, Eyes([SEEN])))["Nothing of the footage is left in a face"]
    assert hits[:1] == ((13, 14),)


def test_a_faint_face_is_found_when_a_second_is_taken_together() -> None:
    outputs = [0.9 * c + 0.1 * f for c, f in zip(CLEAN, FOOTAGE, strict=True)]
    hits = watched(outputs, FOOTAGE, Eyes([SEEN]))["Nothing of the footage is left in a face"].findings
    assert any("faintly" in hit.what for hit in hits)


@pytest.mark.parametrize(("treatment", "word"), [("veil", "veil or a cover"), ("hide", "veil or a cover"), ("", "nobody")])
def test_a_face_that_the_plan_does_not_want_is_found(treatment: str, word: str) -> None:
    hits = watched(CLEAN, FOOTAGE, Eyes([SEEN]), treatment)["Every face is accounted for"].findings
    assert len(hits) == 1 and hits[0].frames == (0, 24) and word in hits[0].what


def test_a_face_of_the_footage_that_nothing_covers_is_called_that() -> None:
    hits = watched(FOOTAGE, FOOTAGE, Eyes([SEEN]), "")["Every face is accounted for"].findings
    assert "of the footage" in hits[0].what


@pytest.mark.parametrize("treatment", ["double", "show"])
def test_one_of_the_plan_accounts_for_one_face(treatment: str) -> None:
    """Whoever stands cheek to cheek with somebody is somebody else; a face that is found twice is not."""
    beside = replace(SEEN, box=Box(122, 40, 172, 105))
    hits = watched(CLEAN, FOOTAGE, Eyes([SEEN, beside]), treatment)["Every face is accounted for"].findings
    assert {(f.what, f.box) for f in hits} == {
        ("A face of the footage can be seen that the plan does not know, and nothing covers it.", beside.box)}
    for box in (Box(100, 45, 145, 100), Box(80, 30, 150, 115)):
        again = replace(SEEN, box=box)
        assert "Every face is accounted for" not in found(watched(CLEAN, FOOTAGE, Eyes([SEEN, again]), treatment))


def test_who_stands_before_a_place_that_is_ignored_is_recognised() -> None:
    poster, person = (Known(name, unit(np.asarray(v, np.float32))[None]) for name, v in
                      ((ignored(-1), np.arange(128) - 60), ("p2", np.ones(128))))
    for eyes, hits in ((Eyes([SEEN], poster.mean), []), (Eyes([SEEN], person.mean), ["p2"])):
        check = watched(FOOTAGE, FOOTAGE, eyes, "ignore", [person], shown=[poster])["Nobody is recognised"]
        assert [f.person for f in check.findings] == hits


@pytest.mark.parametrize("treatment", ["show", "reveal", "ignore"])
def test_who_is_shown_may_be_seen_and_recognised(treatment: str) -> None:
    vectors = {"p1": np.ones(128), "p2": np.arange(128) - 60}
    own, other = (Known(name, unit(v.astype(np.float32))[None]) for name, v in vectors.items())
    assert found(watched(FOOTAGE, FOOTAGE, Eyes([SEEN]), treatment, [other], shown=[own])) == {}
    check = watched(FOOTAGE, FOOTAGE, Eyes([SEEN], other.mean), treatment, [other], shown=[own])["Nobody is recognised"]
    assert [f.person for f in check.findings] == ([] if treatment == "ignore" else ["p2"])


def test_what_is_maybe_a_face_may_be_drawn_over_but_not_seen() -> None:
    assert found(watched(CLEAN, FOOTAGE, Eyes([SEEN]), "maybe")) == {}
    assert "Every face is accounted for" in found(watched(FOOTAGE, FOOTAGE, Eyes([SEEN]), "maybe"))


@pytest.mark.parametrize("damaged", [False, True])
def test_a_frame_that_has_to_be_hidden_whole_is_of_one_colour(damaged: bool) -> None:
    """Because the plan says so, or because nobody can tell what the footage is there."""
    whole = Cover.of(Box(0, 0, SHAPE[1], SHAPE[0]), "frame")
    for output, wrong in ((np.full(SHAPE, 40), False), (CLEAN[0], True)):
        watch = Watch(lambda number: (), Eyes().models(), LIMITS, SECOND, covering=lambda number: () if damaged else [whole])
        watch.take(0, frame(output), replace(frame(FOOTAGE[0]), corrupt=damaged), True)
        assert [c.name for c in watch.checks() if c.findings] == ([NAME] if wrong else [])


def test_who_looks_like_a_protected_person_is_found_and_named() -> None:
    rng = np.random.default_rng(4)
    person = Known("p7", unit(rng.standard_normal(128).astype(np.float32))[None])
    other = Known("p8", unit(rng.standard_normal(128).astype(np.float32))[None])
    alike = unit(person.mean + unit(rng.standard_normal(128).astype(np.float32)))
    check = watched(CLEAN, FOOTAGE, Eyes([SEEN], alike), people=[other, person], gallery=[other])["Nobody is recognised"]
    assert {f.person for f in check.findings} == {"p7"} and len(check.findings) == 2
    assert check.figures["best place of a protected person in it"] == 1
    stranger = watched(CLEAN, FOOTAGE, Eyes([SEEN], other.mean), people=[person])["Nobody is recognised"]
    assert stranger.passed and stranger.looked == 24
    assert "4 of 2,397" in stranger.tried and "0 of 268" in stranger.tried


def test_who_comes_first_in_a_line_up_is_noted_not_passed() -> None:
    person, face, *others = (Known(f"p{k}", row[None]) for k, row in enumerate(np.eye(8, 128, dtype=np.float32)))
    near = unit(0.25 * person.mean + face.mean)  # under every limit, and yet more like that person than like the others
    first = watched(CLEAN, FOOTAGE, Eyes([SEEN], near), people=[person], gallery=others)["Nobody is recognised"]
    assert first.passed and state(first) == "noted" and "luck alone would do so in 14%" in str(first.figures["verdict"])
    assert not any("how much he may tell" in line for line in remains([first]))
    last = watched(CLEAN, FOOTAGE, Eyes([SEEN], unit(face.mean - person.mean)), people=[person], gallery=others)
    assert state(last["Nobody is recognised"]) == "passed"


def test_a_fast_face_has_a_second_too() -> None:
    """It moves by more than its width from frame to frame, and looks the same."""
    person, other = (Known(f"p{k}", row[None]) for k, row in enumerate(np.eye(2, 128, dtype=np.float32)))
    eyes = Eyes([SEEN], unit(0.365 * person.mean + other.mean))  # between the limit of a second and that of a frame
    watch = Watch(lambda number: [], eyes.models(), LIMITS, SECOND, [person])
    for k in range(20):
        eyes.seen = [Seen(shifted(PLACE, 70 * k, 0), 0.9, POINTS)]
        watch.take(k, frame(CLEAN[k], k), None, k == 19)
    check = {c.name: c for c in watch.checks()}["Nobody is recognised"]
    assert [f.what[:13] for f in check.findings] == ["Over a second"] and not any("without a mean" in f for f in check.figures)
    eyes.seen = [SEEN]
    brief = Watch(lambda number: [], eyes.models(), LIMITS, SECOND, [person])
    brief.take(0, frame(CLEAN[0]), None, True)
    figures = {c.name: c for c in brief.checks()}["Nobody is recognised"].figures
    assert figures["faces seen for fewer than 3 frames, without a mean"] == 1


def test_without_footage_or_people_it_says_what_is_missing() -> None:
    checks = watched(CLEAN, [None] * 24, Eyes([SEEN]))
    missing = {name for name, check in checks.items() if check.missing}
    assert missing == {"Nothing of the footage is left in a face", "Eyes and glasses", "Nobody is recognised",
                       "The picture follows the footage"}


def test_a_flash_a_repeat_a_swap_and_a_stranger_are_found() -> None:
    light = CLEAN[8].copy()
    light[5:60, 5:60] += 70
    follow = "The picture follows the footage"
    assert (8, 9) in found(watched([*CLEAN[:8], light, *CLEAN[9:]], FOOTAGE, Eyes()))[follow]
    again = watched([*CLEAN[:8], CLEAN[7], *CLEAN[9:]], FOOTAGE, Eyes())[follow]
    assert any("stands still" in f.what and f.frames == (8, 9) for f in again.findings)
    swapped = watched([*CLEAN[:8], CLEAN[9], CLEAN[8], *CLEAN[10:]], FOOTAGE, Eyes())[follow]
    assert any("another moment" in f.what for f in swapped.findings)
    pasted = CLEAN[8].copy()
    pasted[8:48, 180:220] = face(5)[:40, :40]
    strange = watched([*CLEAN[:8], *[pasted] * 16], [*FOOTAGE[:8], *[FOOTAGE[8]] * 16], Eyes(), "")[follow]
    assert any("changes nothing" in f.what for f in strange.findings)


@pytest.mark.parametrize("at", [0, 23])
def test_a_flash_in_the_first_and_the_last_frame_is_found(at: int) -> None:
    light = CLEAN[at].copy()
    light[-30:, -30:] += 70
    films = [*CLEAN[:at], light, *CLEAN[at + 1:]]
    check = watched(films, FOOTAGE, Eyes(), "")["The picture follows the footage"]
    assert any("flashes" in f.what and f.frames == (at, at + 1) for f in check.findings)
    alone = watched(films, [None] * 24, Eyes(), "")["The picture follows the footage"]  # it may be a cut
    assert not any("flashes" in f.what for f in alone.findings)


def test_one_frame_and_none_of_the_plan_are_no_trouble() -> None:
    assert found(watched(CLEAN[:1], FOOTAGE[:1], Eyes())) == {}
    assert Watch(lambda number: (), Eyes().models(), LIMITS, SECOND).checks()[0].looked == 0


def test_a_frame_that_was_compared_with_nothing_is_said() -> None:
    sources = [*FOOTAGE[:20], *[None] * 4]
    hits = watched(CLEAN, sources, Eyes([SEEN]))["The picture follows the footage"].findings
    assert [(f.what, f.frames) for f in hits] == [(UNKNOWN, (20, 24))]


def test_footage_of_another_size_counts_as_missing() -> None:
    watch = Watch(lambda number: (), Eyes().models(), LIMITS, SECOND)
    other = Frame(0, 0, 1, Fraction(1, 10), tuple(p[:-2] for p in frame(FOOTAGE[0]).planes), "yuv420p", Colour())
    watch.take(0, frame(CLEAN[0]), other, True)
    assert watch.checks()[2].missing


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_face_of_a_turned_copy_is_put_back_where_it_is(quarters: int) -> None:
    picture = np.zeros((60, 100), np.uint8)
    picture[20, 70], picture[30, 80] = 1, 2
    spots = [np.argwhere(np.rot90(picture, quarters) == v)[0][::-1] for v in (1, 2)]
    low, high = np.minimum(*spots), np.maximum(*spots)
    seen = Seen(Box(*low.tolist(), *high.tolist()), 1.0, np.array([spots[0]] * 5, np.float32))
    back = turned_back(seen, quarters, picture.shape)
    assert (back.box.x0, back.box.y0, back.box.x1, back.box.y1) == (70, 20, 80, 30) and back.points[0].tolist() == [70, 20]


def test_a_dark_corner_is_brightened_too() -> None:
    """A backlit face in a bright picture: the picture's mean tells nothing."""
    bright = np.full((96, 128, 3), 200, np.uint8)
    corner = bright.copy()
    corner[40:, 70:] = 20
    told = [(dark(p), gloomy(p)) for p in (bright, corner, np.full_like(bright, 25))]
    assert told == [(False, False), (False, True), (True, True)]
    sampled = watched(CLEAN, FOOTAGE, Eyes())["Faces in altered copies"]
    assert int(sampled.figures["copies brightened"]) >= int(sampled.figures["copies turned 90"]) > 0


@pytest.mark.parametrize("name", COPIES)
def test_copies_are_looked_at_and_leave_the_picture_alone(name: str) -> None:
    picture = np.ascontiguousarray(np.random.default_rng(1).integers(0, 60, (64, 96, 3), np.uint8))
    before, shapes = picture.copy(), []

    def seer(copy: Bytes) -> list[Seen]:
        shapes.append(copy.shape)
        return []

    COPIES[name](seer, picture, 640)
    assert shapes and sorted(shapes[0]) == sorted(picture.shape) and np.array_equal(before, picture)


def test_people_are_told_apart_and_ranked() -> None:
    rng = np.random.default_rng(2)
    a, b = (unit(rng.standard_normal(128).astype(np.float32)) for _ in range(2))
    groups = grouped([a, b, unit(a + 0.2 * b), b], 0.363)
    assert [len(g) for g in groups] == [2, 2]
    assert rank(a, Known("a", a[None]), [Known("b", b[None])]) == 1 and rank(b, Known("a", a[None]), [Known("b", b[None])]) == 2
    with pytest.raises(ValueError, match="no face"):
        Known("x", np.full((1, 128), np.nan, np.float32))


def test_findings_of_neighbouring_frames_become_one_and_their_number_is_bounded() -> None:
    spans = Spans()
    for k in (3, 4, 6, 40):
        spans.add(Hit("a", k, k + 1, PLACE, 2.0 + k, 1.0))
    assert [f.frames for f in spans.found] == [(3, 7), (40, 41)] and spans.found[0].score == 8.0
    for k in range(10 * MOST):
        spans.add(Hit("b", 100 * k, 100 * k + 1, None, 2.0, 1.0))
        spans.near(float(k), Look(100 * k, None, "x"))
    check = spans.check("n", "t", "u")
    assert len(check.findings) == MOST and len(check.worst) == 6 and check.worst[0].frame == 100 * (10 * MOST - 1)
    assert check.figures["more findings, not listed"] == 9 * MOST + 2


def test_a_covered_head_before_a_wall_does_not_stand_still() -> None:
    """What moves in the footage is under the cover. A face that is seen, or anything else that moves, has to move."""
    box = Box(100, 60, 160, 120)
    rng = np.random.default_rng(3)
    wall = rng.uniform(60, 200, (180, 260)).astype(np.float32)
    footage = [wall.copy() for _ in range(6)]
    for picture in footage:
        picture[60:120, 100:160] = rng.uniform(0, 255, (60, 60))
    covered = wall.copy()
    covered[45:135, 85:175] = 40

    def most(outputs: list[Floats], sources: list[Floats], hidden: Sequence[Box]) -> float:
        follower = Follower()
        pairs = enumerate(zip(outputs, sources, strict=True))
        steps = [follower.take(k, out, source, [box], hidden) for k, (out, source) in pairs]
        return max(step.still for step in (*steps, follower.finish()) if step is not None)

    assert most([covered] * 6, footage, [box]) == 0
    assert most([footage[0]] * 6, footage, ()) > LIMITS.still
    for k, picture in enumerate(footage):
        picture[:, 20 * k : 20 * k + 20] += 30  # somebody walks behind
    assert most([covered] * 6, footage, [box]) > LIMITS.still


@pytest.mark.parametrize(("size", "noise"), [(40, 4.0), (170, 2.0)])
def test_a_repeat_is_found_where_little_moves_and_coding_changes_it(size: int, noise: float) -> None:
    """Light that flickers a little over a wall; of a face so large nothing is left beside it, and it is drawn anew."""
    box, rng = Box(130 - size / 2, 90 - size / 2, 130 + size / 2, 90 + size / 2), np.random.default_rng(4)
    drawn: Bools = np.zeros((180, 260), bool)
    drawn[int(box.y0):int(box.y1), int(box.x0):int(box.x1)] = True
    wall, face = (cv2.GaussianBlur(rng.standard_normal((180, 260)), (0, 0), 6.0) for _ in range(2))
    footage = [np.asarray(120 + 200 * wall + 2.6 * cv2.blur(rng.standard_normal((180, 260)), (8, 8)) * 4, np.float32)
               for _ in range(10)]
    outputs = [np.where(drawn, 120 + 200 * np.roll(face, k, 1), p + 0.3 * (p - footage[0])) for k, p in enumerate(footage)]

    def stills(outputs: list[Floats]) -> list[float]:
        follower = Follower()
        coded = [np.asarray(np.clip(np.round(o + noise * rng.standard_normal(o.shape)), 0, 255), np.uint8) for o in outputs]
        steps = [follower.take(k, out, source, [box]) for k, (out, source) in enumerate(zip(coded, footage, strict=True))]
        return [step.still for step in (*steps[1:], follower.finish()) if step is not None]

    assert max(stills(outputs)) == 0
    again = stills([*outputs[:5], outputs[4], *outputs[6:]])
    assert again[5] > LIMITS.still and max(again[:5] + again[6:]) == 0


def test_a_veil_that_comes_where_little_moves_is_no_repeat() -> None:
    """It is laid over somebody who is not in the plan: what the output does there is more than the footage does."""
    rng = np.random.default_rng(5)
    wall = 120 + 200 * cv2.GaussianBlur(rng.standard_normal((180, 260)), (0, 0), 6.0)
    footage = [np.asarray(wall + 10 * cv2.blur(rng.standard_normal((180, 260)), (8, 8)), np.float32) for _ in range(10)]
    outputs = [p.copy() for p in footage]
    for picture in outputs[5:]:
        picture[:, 120:] = np.linspace(20, 90, 140)
    follower = Follower()
    steps = [follower.take(k, out, source, [Box(10, 10, 60, 60)]) for k, (out, source) in enumerate(zip(outputs, footage,
                                                                                                       strict=True))]
    assert max(step.still for step in (*steps[1:], follower.finish()) if step is not None) == 0


@pytest.mark.parametrize("size", [(64, 48), (60, 45)])
def test_blocks_are_the_means_of_their_pixels(size: tuple[int, int]) -> None:
    picture = np.random.default_rng(3).integers(0, 256, size[::-1], np.uint8)
    wanted = cv2.resize(picture.astype(np.float32), (size[0] // 8, size[1] // 8), interpolation=cv2.INTER_AREA)
    assert np.abs(_blocks(picture) - wanted).max() < 1e-3
