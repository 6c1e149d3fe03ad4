"""What of the footage is left in the faces of a clip: in whose face, since when, until when."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import pytest

from facedouble.audit.account import Told
from facedouble.audit.left import EYES, FAINT, MOUTH, MOVED, PARTS, RIM, ROWS, WHOLE, Left
from facedouble.audit.scene import Scene
from facedouble.audit.verdict import Finding
from facedouble.options import AuditOptions
from facedouble.types import Array, Box, Floats, Seen

SHAPE = (150, 280)
BOX, OTHER = Box(30, 20, 110, 125), Box(170, 20, 250, 125)
SECOND = 24
HALVES = ((slice(None), slice(0, 140)), (slice(None), slice(140, None)))  # of the picture, in which one of the faces is each


def face(seed: int) -> Floats:
    """Brightness with soft shades, features and fine detail."""
    rng = np.random.default_rng(seed)
    bands = ((12.0, 14.0), (3.0, 6.0), (1.2, 8.0))  # sigma px, strength levels
    made = [cv2.GaussianBlur(rng.standard_normal(SHAPE).astype(np.float32), (0, 0), sigma) for sigma, _ in bands]
    return np.asarray(130 + sum(levels * m / m.std() for m, (_, levels) in zip(made, bands, strict=True)), np.float32)


SOURCE, DRAWN = face(1), face(2)


def leaking(share: float, part: tuple[slice, slice] = HALVES[0], source: Floats = SOURCE) -> Floats:
    """The double, with a share of the footage in a part of the picture."""
    made = DRAWN.copy()
    made[part] = (1 - share) * DRAWN[part] + share * source[part]
    return made


def coded(picture: Floats, seed: int) -> Array:
    noise = np.random.default_rng(seed).standard_normal(picture.shape)
    return np.asarray(np.clip(np.round(picture + 0.8 * noise), 0, 255), np.uint8)


Frame = tuple[Floats, Sequence[Told], Sequence[Seen]]
"""The output, who is told to be in it, and what a detector sees in it."""


def findings(clip: Sequence[Frame], second: int = SECOND, sources: Sequence[Floats] = (SOURCE,),
             filmed: Sequence[Seen] = ()) -> list[Finding]:
    """filmed: what a detector sees in the footage."""
    left = Left(AuditOptions(), second, lambda *_: None, lambda _: filmed)
    for k, (output, told, seen) in enumerate(clip):
        source = coded(sources[k % len(sources)], k)
        left.take(Scene(k, np.zeros((*output.shape, 3), np.uint8), coded(output, 1000 + k), source, told, seen, False))
    left.finish()
    return [f for c in left.checks("") for f in c.findings]


def one(box: Box = BOX, treatment: str = "double", person: str = "p1", track: int = 1) -> list[Told]:
    return [Told(box, treatment, person, track)]


LEAK: Frame = leaking(0.15), one(), []
CLEAN: Frame = DRAWN, one(), []
GONE: Frame = DRAWN, [], []


def test_a_leak_before_a_pause_is_found_and_told_from_its_first_frame_to_its_last() -> None:
    for after in (50, 0):
        clip = [LEAK] * 20 + [GONE] * 60 + [CLEAN] * after
        assert [f.frames for f in findings(clip) if f.what == FAINT] == [(0, 20)]


def test_a_leak_that_comes_in_short_stretches_is_found() -> None:
    assert [f.frames for f in findings(([LEAK] * 14 + [GONE] * 70) * 2) if f.what == FAINT] == [(0, 14), (84, 98)]


def test_half_a_second_before_a_pause_is_judged() -> None:
    shaded = np.asarray(SOURCE + 20 * np.sin(np.arange(SHAPE[1]) / 5), np.float32)
    rows = leaking(1.0, (slice(60, 64), slice(55, 86)), shaded)
    strip: Frame = rows, one(), []
    assert (0, 9) in [f.frames for f in findings([strip] * 9 + [GONE] * 60, sources=(shaded,)) if f.what == ROWS]


def test_at_a_few_frames_a_second_half_seconds_are_filled() -> None:
    shaded = np.asarray(SOURCE + 20 * np.sin(np.arange(SHAPE[1]) / 5), np.float32)
    rows = leaking(1.0, (slice(60, 64), slice(55, 86)), shaded)
    assert ROWS in [f.what for f in findings([(rows, one(), [])] * 24, 4, (shaded,))]


def test_a_face_that_is_there_in_every_third_frame_is_judged_while_it_is_there() -> None:
    """A patch in a veil for a second and a half, and a clean one for long after."""
    clip = [veiled((90.0, 62.0), (6, 4))] * 36 + [veiled(None)] * 100
    shown: list[Frame] = [(output, one(treatment="veil") if k % 3 == 0 else [], []) for k, output in enumerate(clip)]
    assert PARTS in {f.what for f in findings(shown)}


@pytest.mark.parametrize("person", ["p1", ""])
def test_two_faces_of_one_person_or_of_nobody_are_not_one(person: str) -> None:
    """A mirror: the one face leaks, the other does not, and hides nothing of that."""
    told = [*one(OTHER, person=person, track=2), *one(person=person)]
    clip: list[Frame] = [(leaking(0.15), told[:: (-1) ** k], []) for k in range(2 * SECOND)]
    found = [f for f in findings(clip) if f.what == FAINT]
    assert found and all(f.box == BOX for f in found)


POINTS = np.array([[75, 55], [105, 55], [90, 70], [78, 90], [102, 90]], np.float32)


def test_a_face_is_compared_where_it_is_though_only_its_neighbour_is_seen() -> None:
    """Cheek to cheek: the left one is half bare where the two do not overlap; the detector finds the right one."""
    left, right = Box(20, 20, 90, 110), Box(55, 20, 125, 110)
    told = [*one(left), Told(right, "double", "p2", 2)]
    output = leaking(0.5, (slice(None), slice(0, 50)))
    for seen in ([], [Seen(right, 0.9, POINTS)]):
        found = findings([(output, told, seen)] * SECOND)
        assert max(f.score or 0 for f in found if f.person == "p1") > 2
        assert {f.person for f in found} == {"p1"}


def test_of_two_faces_that_are_seen_each_is_compared_at_its_own() -> None:
    """The left one is told where it is not."""
    left, right = Box(50, 20, 110, 110), Box(80, 20, 150, 110)
    told = [*one(left), Told(right, "double", "p2", 2)]
    seen = [Seen(right, 0.9, POINTS + np.float32(25)), Seen(Box(20, 20, 90, 110), 0.6, POINTS - np.float32(35))]
    found = findings([(leaking(0.5, (slice(None), slice(0, 50))), told, seen)] * SECOND)
    assert max(f.score or 0 for f in found if f.person == "p1") > 2 and {f.person for f in found} == {"p1"}


def veiled(place: tuple[float, float] | None, size: tuple[int, int] = (9, 6), source: Floats = SOURCE) -> Floats:
    """A veil, and in it an oval of the footage, x and y px."""
    soft = cv2.GaussianBlur(DRAWN, (0, 0), 12.0)
    there = np.zeros(SHAPE, np.float32)
    if place is not None:
        cv2.ellipse(there, (round(place[0]), round(place[1])), size, 30, 0, 360, 1.0, -1)
    there = cv2.GaussianBlur(there, (0, 0), 1.0)
    return np.asarray(soft + there * (source - soft), np.float32)


@pytest.mark.parametrize(("place", "what"), [((75.0, 55.0), EYES), ((90.0, 90.0), MOUTH), (None, ""), ((40.0, 110.0), "")])
def test_an_eye_in_a_veil_is_found_though_no_face_is_seen(place: tuple[float, float] | None, what: str) -> None:
    """The head is tilted, so that its eyes are not where those of an upright one are."""
    filmed = [Seen(BOX, 0.9, POINTS), Seen(OTHER, 0.9, POINTS + np.float32(140))]
    output = veiled(place, (9, 6) if what != MOUTH else (16, 12))
    found = {f.what for f in findings([(output, one(treatment="veil"), [])] * SECOND, filmed=filmed)} & {EYES, MOUTH}
    assert found == ({what} if what else set())


def test_eyes_of_the_footage_are_found_where_the_drawn_ones_are_seen_elsewhere() -> None:
    """A hand lies over the mouth, and the face is drawn lower than it is; the footage's eyes are between drawn brows and eyes."""
    seen, filmed = [Seen(BOX, 0.9, POINTS + np.array([0, 18], np.float32))], [Seen(BOX, 0.9, POINTS)]
    soft = cv2.GaussianBlur(SOURCE, (0, 0), 2.0)
    pasted: Frame = veiled((75.0, 55.0), (11, 8), soft), one(), seen
    assert EYES in {f.what for f in findings([pasted] * SECOND, sources=(soft,), filmed=filmed)}
    assert EYES not in {f.what for f in findings([(veiled(None), one(), seen)] * SECOND, sources=(soft,), filmed=filmed)}


def test_the_footage_is_searched_once_for_all_who_are_in_a_frame() -> None:
    asked: list[int] = []

    def find(picture: Array) -> Sequence[Seen]:
        asked.append(picture.shape[2])
        return ()

    left = Left(AuditOptions(), SECOND, lambda *_: None, find)
    for k, told in enumerate([[*one(), *one(OTHER, track=2)]] * 8 + [one(treatment="show")] * 8):
        left.take(Scene(k, np.zeros((*SHAPE, 3), np.uint8), coded(DRAWN, k), coded(SOURCE, 9), told, [], False))
    assert asked == [3, 3]


def test_a_patch_of_the_footage_in_a_veil_is_found_wherever_it_is() -> None:
    """Where a face is seen, it is drawn, and its features may lie where the footage's do."""
    patch: Frame = veiled((90.0, 62.0), (6, 4)), one(treatment="veil"), []
    assert PARTS in {f.what for f in findings([patch] * SECOND)}
    assert PARTS not in {f.what for f in findings([(veiled(None), *patch[1:])] * SECOND)}
    assert PARTS not in {f.what for f in findings([(*patch[:2], [Seen(BOX, 0.9, POINTS)])] * SECOND)}


@pytest.mark.parametrize("late", range(0, SECOND, 5))
def test_footage_beside_its_place_for_a_second_is_found_whenever_that_begins(late: int) -> None:
    some: Frame = leaking(0.135, source=np.roll(SOURCE, (0, 2), (0, 1))), one(), []
    assert MOVED in {f.what for f in findings([CLEAN] * late + [some] * SECOND + [CLEAN] * (2 * SECOND))}


@pytest.mark.parametrize(("x", "y"), [(0, 0), (2, 0), (0, 3), (-2, 2)])
def test_footage_beside_its_place_is_found(x: int, y: int) -> None:
    clip: list[Frame] = [(leaking(0.2, source=np.roll(SOURCE, (y, x), (0, 1))), one(), [])] * SECOND
    assert MOVED in {f.what for f in findings(clip)}


@pytest.mark.parametrize("late", [1, -1])
def test_footage_of_a_frame_before_or_after_is_found_while_the_head_moves(late: int) -> None:
    """The head moves to and fro, and the face in the output with it."""
    sources = [np.roll(SOURCE, round(9 * np.sin(k)), 1) for k in range(2 * SECOND)]
    clip: list[Frame] = [(leaking(0.25, source=sources[(k - late) % len(sources)]), one(), []) for k in range(len(sources))]
    assert MOVED in {f.what for f in findings(clip, sources=sources)}


def test_a_double_whose_features_lie_beside_the_footages_has_nothing_of_it() -> None:
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]

    def featured(picture: Floats, dy: float) -> Floats:
        features = ((50, 52, 9, 4, 60), (90, 52, 9, 4, 60), (70, 95, 16, 4, 45))  # x, y, radii px, levels
        dark = sum(d * np.exp(-((x - cx) / w) ** 2 - ((y - dy - cy) / h) ** 2) for cx, cy, w, h, d in features)
        return np.asarray(picture - dark, np.float32)

    clip: list[Frame] = [(featured(DRAWN, 2), one(), [])] * SECOND
    assert MOVED not in {f.what for f in findings(clip, sources=(featured(SOURCE, 0),))}


def around(size: float, source: Floats = SOURCE, box: Box = BOX) -> Floats:
    """A veil over the oval of the face box times `size`; all around it the footage."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    r = np.hypot((x - box.centre[0]) / box.width * 2, (y - box.centre[1]) / box.height * 2)
    cover = np.clip((size - r) / 0.05, 0, 1)
    return np.asarray(source * (1 - cover) + (90 + 10 * np.sin(x / 9)) * cover, np.float32)


@pytest.mark.parametrize("treatment", ["veil", "hide"])
def test_a_veil_has_to_cover_the_whole_head(treatment: str) -> None:
    """Chin, ears and brow: a double leaves them bare, a veil may not."""
    for size in (0.8, 0.95, 1.0):
        clip: list[Frame] = [(around(size), one(treatment=treatment), [])] * SECOND
        assert {f.what for f in findings(clip)} & {WHOLE, PARTS, RIM}, size
    whole: Frame = around(1.35), one(treatment=treatment), []
    assert findings([whole] * SECOND) == []
    drawn: Frame = np.asarray(DRAWN + around(0.95) - around(0.95, DRAWN), np.float32), one(), []
    assert findings([drawn] * SECOND) == []


def test_a_face_that_is_maybe_one_is_compared_where_a_detector_finds_it() -> None:
    seen = [Seen(Box(31, 21, 111, 126), 0.7, POINTS)]
    for output, leaks in ((leaking(0.3), True), (DRAWN, False)):
        frame: Frame = output, one(treatment="maybe"), seen
        assert bool(findings([frame] * SECOND)) is leaks
    unseen: Frame = leaking(0.3), one(treatment="maybe"), []
    assert findings([unseen] * SECOND) == []


HIGH: Array = np.random.default_rng(9).standard_normal(SHAPE)


def stripped(source: Floats, part: tuple[slice, slice]) -> Floats:
    """The double but for a thin part; all else lies far from the footage."""
    made = np.asarray(source + 18 + 10 * HIGH, np.float32)
    made[part] = source[part] + 1.2 * HIGH[part]
    return made


@pytest.mark.parametrize("across", [False, True])
def test_a_strip_of_a_face_is_found_though_coding_moved_every_pixel_of_it(across: bool) -> None:
    """The head nods, and the strip with it."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    shaded = np.asarray(130 + 9 * np.sin(x / 7) + 9 * np.sin(y / 7), np.float32)
    clip: list[Frame] = []
    for k in range(12):
        at, box = 66 + k % 3, Box(BOX.x0, BOX.y0 + k % 3, BOX.x1, BOX.y1 + k % 3)
        part = (slice(None), slice(at, at + 5)) if across else (slice(at, at + 5), slice(None))
        clip.append((stripped(shaded, part), one(box), []))
    assert (0, 12) in [f.frames for f in findings(clip, sources=(shaded,)) if f.what == ROWS]
    without: list[Frame] = [(stripped(shaded, (slice(0, 0), slice(None))), one(), [])] * 12
    assert ROWS not in [f.what for f in findings(without, sources=(shaded,))]
