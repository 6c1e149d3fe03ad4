"""Pixels of the footage in a face are found, however little of them; a face that was drawn anew is not taken for them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from facedouble.audit.left import COARSE, EYES, MOUTH, PARTS, RIM, ROWS, WHOLE, ratio, scores
from facedouble.audit.reuse import REACH, Reuse, area, compare, peak, remains
from facedouble.options import AuditOptions
from facedouble.types import Array, Box, Floats

BOX = Box(40, 30, 200, 240)
SHAPE = (280, 250)
LIMITS = AuditOptions()


def face(seed: int) -> Floats:
    """Brightness of a picture with a face-like thing: features in the places where a face has them, detail of its own."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]].astype(np.float32)
    picture = 120 + 0.2 * x * (-1) ** seed + 20 * np.sin(y / (30 + 10 * (seed % 3))) + 25 * cv2.GaussianBlur(
        rng.standard_normal(SHAPE).astype(np.float32), (0, 0), 12) * 12
    for cx, cy, w, h in ((80, 110, 18, 7), (160, 110, 18, 7), (120, 190, 30, 9)):
        dark = np.exp(-((x - cx) / w) ** 2 - ((y - cy) / h) ** 2)
        picture -= (50 + 5 * seed) * dark
    detail = cv2.GaussianBlur(rng.standard_normal(SHAPE).astype(np.float32), (0, 0), 0.8)
    return np.asarray(picture + 10 * detail, np.float32)


def coded(picture: Array, seed: int = 9) -> Array:
    """As it comes out of a coder: rounded, with a little noise."""
    noise = np.random.default_rng(seed).standard_normal(picture.shape)
    return np.asarray(np.clip(np.round(picture + 0.6 * noise), 0, 255), np.uint8)


SOURCE, DRAWN = coded(face(1), 1), face(2)


def found(output: Array, source: Array = SOURCE) -> dict[str, float]:
    made = compare(source, coded(output), BOX)
    assert made is not None
    return scores(made, LIMITS, BOX.width)


def test_a_face_drawn_anew_passes_though_its_features_lie_in_the_same_places() -> None:
    assert max(found(DRAWN).values()) < 0.8


@pytest.mark.parametrize("share", [1.0, 0.5, 0.2])
def test_footage_that_shines_through_is_found(share: float) -> None:
    assert found((1 - share) * DRAWN + share * SOURCE)[WHOLE] > 1


@pytest.mark.parametrize(("row", "there"), [(52, False), (68, True), (130, True)])
def test_light_that_both_foreheads_share_is_no_strip(row: int, there: bool) -> None:
    """Shade under the hair falls on the double's forehead as on the footage's; further down, rows alike are the footage's."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]].astype(np.float32)
    shade = np.asarray(60 + 2.5 * np.abs(x - 120), np.float32)
    near = (np.abs(y - row) < 5) & (np.abs(x - 120) < 36)
    source, output = (np.where(near, shade, picture).astype(np.float32) for picture in (face(1), DRAWN))
    assert (found(output, coded(source, 1))[ROWS] > 1) == there


@pytest.mark.parametrize(("rows", "what"), [((85, 135), EYES), ((165, 220), MOUTH)])
def test_eyes_or_mouth_of_the_footage_are_found(rows: tuple[int, int], what: str) -> None:
    output = DRAWN.copy()
    output[rows[0]:rows[1]] = SOURCE[rows[0]:rows[1]]
    assert found(output)[what] > 1


@pytest.mark.parametrize(("what", "height"), [(EYES, 105), (MOUTH, 190)])
@pytest.mark.parametrize(("seed", "same"), [(1, True), (2, False), (3, False)])
def test_what_is_drawn_with_the_same_edges_is_not_the_footages(seed: int, same: bool, what: str, height: int) -> None:
    """Irises and lips lie where the witness's lie; the skin around them has other pores. seed: whose skin."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]].astype(np.float32)
    dark = np.maximum(*(np.clip(7 - np.hypot(x - cx, y - height), 0, 1) for cx in (80, 160)))

    def looking(seed: int) -> Array:
        skin = 0.8 * cv2.GaussianBlur(face(seed), (0, 0), 2.0) + 0.2 * face(seed)
        return np.asarray(skin - (skin - 20) * dark)

    made = compare(coded(looking(1), 1), coded(looking(seed)), BOX)
    assert made is not None
    edges = made.eyes if what == EYES else made.mouth
    assert ratio(edges, (LIMITS.part_height, LIMITS.part_stands, LIMITS.part_sharp)) > 1.2
    assert (scores(made, LIMITS, BOX.width)[what] > 1) is same


def test_a_small_place_of_the_footage_is_found() -> None:
    output = DRAWN.copy()
    output[130:160, 70:110] = SOURCE[130:160, 70:110]
    assert found(output)[PARTS] > 1


def test_a_few_rows_of_the_footage_are_found() -> None:
    output = DRAWN.copy()
    output[106:110] = SOURCE[106:110]
    assert found(output)[ROWS] > 1


def test_a_rim_of_the_footage_is_found() -> None:
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    r = np.hypot((x - 120) / 80, (y - 135) / 105)
    output = np.where((r > 0.8) & (r < 0.87), SOURCE, DRAWN)
    assert found(output)[RIM] > 1


@pytest.mark.parametrize(("middle", "rim"), [(270, False), (180, True), (0, True)])
def test_the_edge_of_the_hair_over_a_drawn_forehead_is_no_rim(middle: float, rim: bool) -> None:
    """It is the witness's own, and how far the box reaches up changes by the frame. middle: degrees; at the sides it is a rim."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    r, turn = np.hypot((x - 120) / 80, (y - 135) / 105), np.degrees(np.arctan2((y - 135) / 105, (x - 120) / 80)) % 360
    source = coded(face(1) + 25 * np.sin(turn / 2), 1)
    there = (r > 0.81) & (r < 0.9) & (np.abs((turn - middle + 180) % 360 - 180) < 35)
    assert (found(np.where(there, source, DRAWN), source)[RIM] > 1) is rim


def test_a_blur_of_the_footage_is_found_though_it_has_none_of_its_detail() -> None:
    shape = cv2.GaussianBlur(face(1), (0, 0), 6.0)
    assert found(shape)[COARSE] > 1 and found(DRAWN)[COARSE] < 1


@pytest.mark.parametrize("grain", [0, 2, 4, 6])
@pytest.mark.parametrize("share", [0.07, 0.11, 0.15])
def test_a_blur_is_found_through_grain(share: float, grain: float) -> None:
    """share: sigma over the width of the face; grain: levels."""
    blur = cv2.GaussianBlur(face(1), (0, 0), share * BOX.width)
    assert found(blur + grain * np.random.default_rng(5).standard_normal(SHAPE).astype(np.float32))[COARSE] > 1


@pytest.mark.parametrize(("seed", "copy"), [(2, False), (4, False), (1, True)])
def test_light_from_one_side_makes_no_copy(seed: int, copy: bool) -> None:
    """A double is drawn in the same light, and from afar that is most of what both look like. seed: whose coarse look."""
    light = 0.6 * np.arange(SHAPE[1], dtype=np.float32) - 30
    source, drawn = face(1) / 2 + light, face(2) / 2 + light
    output = drawn + cv2.GaussianBlur(face(seed) / 2 + light - drawn, (0, 0), 6.0)
    made = compare(coded(source, 1), coded(output), BOX)
    assert made is not None and made.coarse < LIMITS.coarse and made.fine > LIMITS.blurred
    assert (scores(made, LIMITS, BOX.width)[COARSE] > 1) is copy


@pytest.mark.parametrize("contrast", [1.0, 0.6])
def test_a_negative_of_the_footage_is_found(contrast: float) -> None:
    assert found(130 - contrast * (face(1) - 130))[COARSE] > 1


def test_a_face_that_is_half_like_the_footages_is_its_blur_or_its_mosaic_only_without_detail() -> None:
    size = SHAPE[1] // 36, SHAPE[0] // 36
    tiles = cv2.resize(cv2.resize(face(1), size, interpolation=cv2.INTER_AREA), SHAPE[::-1], interpolation=cv2.INTER_NEAREST)
    shape = cv2.GaussianBlur(face(3), (0, 0), 14)  # somebody else's, so that not all of the footage's is there
    for plain in (0.65 * cv2.blur(face(1), (24, 24)) + 0.35 * shape, tiles):
        for output, coarse in ((plain, True), (plain + face(2) - cv2.GaussianBlur(face(2), (0, 0), 2.0), False)):
            made = compare(SOURCE, np.clip(np.round(output), 0, 255).astype(np.uint8), BOX)
            assert made is not None and LIMITS.coarse < made.coarse < LIMITS.coarse_plain
            assert (scores(made, LIMITS, BOX.width)[COARSE] > 1) is coarse


def test_footage_moved_by_some_pixels_is_not_in_place() -> None:
    made = compare(SOURCE, np.roll(SOURCE, 5, 1), BOX)
    assert made is not None and made.whole[0] < 0.2 and made.surfaces[0, REACH, REACH + 5] > 0.5


def test_ten_bits_are_compared_like_eight() -> None:
    made = compare(SOURCE.astype(np.float32), SOURCE, BOX)
    assert made is not None and made.whole[0] > 0.95


@pytest.mark.parametrize("box", [Box(-300, 0, -10, 200), Box(0, 0, 5, 5), Box(230, 250, 400, 500)])
def test_what_is_too_small_or_outside_is_not_compared(box: Box) -> None:
    assert area(box, SHAPE) is None and compare(SOURCE, SOURCE, box) is None


def test_pictures_of_different_size_are_not_compared() -> None:
    assert compare(SOURCE, SOURCE[:-2], BOX) is None


def test_a_flat_picture_has_no_peak() -> None:
    flat = np.full(SHAPE, 90, np.uint8)
    made = compare(flat, flat, BOX)
    assert made is not None and isinstance(made, Reuse) and max(
        scores(made, LIMITS, BOX.width)[k] for k in (WHOLE, PARTS, RIM, ROWS)) < 0.01


def test_a_peak_stands_out_of_chance() -> None:
    surface = np.random.default_rng(3).normal(0, 0.01, (17, 17)).astype(np.float32)
    surface[REACH, REACH] = 0.2
    height, stands, sharp = peak(surface)
    assert height == pytest.approx(0.2) and stands > 10 and sharp > 0.15


def test_what_remains_of_an_eye_tells_footage_from_drawing() -> None:
    eye = np.array([80.0, 110.0])
    own = remains(SOURCE, coded(SOURCE), eye, 12.0)
    other = remains(SOURCE, coded(DRAWN), eye, 12.0)
    assert own is not None and other is not None and own < 0.2 < LIMITS.remains_eye < other
    assert remains(SOURCE, SOURCE, eye, 1.0) is None and remains(SOURCE, SOURCE, np.array([2.0, 2.0]), 12.0) is None


def test_nothing_is_a_copy_of_a_picture_that_was_lost() -> None:
    """In its place the decoder puts grey, and the output hides the frame."""
    lost = np.full(SHAPE, 128, np.uint8)
    for output in (lost, SOURCE):
        made = compare(lost, output, BOX)
        assert made is not None and not any(share > 1 for share in scores(made, AuditOptions(), BOX.width).values())


def test_a_drawn_brow_on_the_real_one_is_not_the_footage_shining_through() -> None:
    """Two skins that have nothing in common, and the same dark lines in a few places; then a fifth of the one in the other."""
    rng = np.random.default_rng(5)

    def skin() -> Array:
        grain = cv2.GaussianBlur(rng.standard_normal((180, 150)), (0, 0), 1.2)
        face: Array = 150 + 12 * grain / grain.std()
        return face

    def lined(face: Array) -> Array:
        out = np.clip(face, 0, 255).astype(np.uint8)
        for x in (35, 90):
            cv2.line(out, (x, 60), (x + 26, 56), 30, 3, cv2.LINE_AA)
        return out

    one, other = skin(), skin()
    box = Box(0, 0, 150, 180)
    alike = compare(lined(one), lined(other), box)
    through = compare(lined(one), lined(0.2 * one + 0.8 * other), box)
    assert alike is not None and through is not None
    assert alike.whole[0] > LIMITS.blend_height > 2 * alike.spread[0][0]
    assert scores(through, LIMITS, box.width)[WHOLE] > 1 > 0.5 > scores(alike, LIMITS, box.width)[WHOLE]
