"""Regions: nothing under them takes part, and they stay over what they are to cover."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import cv2
import numpy as np
import pytest

from facedouble.options import DrawOptions
from facedouble.protect.composite import compose
from facedouble.protect.regions import COVERS, Key, Place, Region, around, follow, interpolate, mask_of
from facedouble.types import Array, Bytes, Colour, Frame
from tests.protect.test_bottleneck import with_noise

WIDTH, HEIGHT = 320, 240


@pytest.fixture(scope="module")
def frame() -> Frame:
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    luma = 60 + 100 * x / WIDTH + 40 * y / HEIGHT + rng.normal(0, 2, x.shape)
    chroma = [np.full((HEIGHT // 2, WIDTH // 2), v, np.uint8) for v in (118, 140)]
    return Frame(3, 3, 1, Fraction(1, 25), (luma.astype(np.uint8), *chroma), "yuv420p", Colour())


def put(frame: Frame, *regions: Region) -> tuple[Array, ...]:
    return compose(frame, [], DrawOptions(), 0, regions).safe.frame.planes


PLACES = [Place(160, 120, 80, 50, 0), Place(101.3, 90.7, 90, 41, 33), Place(4, 6, 60, 60, -20), Place(150, 235, 33, 21, 80)]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("shape", ["box", "ellipse"])
@pytest.mark.parametrize("cover", COVERS)
def test_no_pixel_of_a_region_takes_part(frame: Frame, cover: str, shape: str, place: Place) -> None:
    region = Region(place, shape, cover)
    inside = mask_of(region, WIDTH, HEIGHT)
    assert inside.sum() > 300
    first = put(frame, region)
    for seed in (1, 2):
        noisy = with_noise(frame, inside, seed)
        for a, b in zip(first, put(noisy, region), strict=True):
            assert np.array_equal(a, b)
    assert (first[0][inside] != frame.planes[0][inside]).mean() > 0.5
    far = mask_of(Region(place.grown(14)), WIDTH, HEIGHT)
    assert np.array_equal(first[0][~far], frame.planes[0][~far])


@pytest.mark.parametrize("cover", COVERS)
def test_the_proof_can_fail(frame: Frame, cover: str) -> None:
    region = Region(PLACES[0], "box", cover)
    beside = mask_of(Region(PLACES[0].grown(12)), WIDTH, HEIGHT)
    a, b = put(frame, region)[0], put(with_noise(frame, beside), region)[0]
    assert not np.array_equal(a, b)


def test_an_unknown_cover_is_solid(frame: Frame) -> None:
    a, b = (put(frame, Region(PLACES[1], "box", cover)) for cover in ("mosaic", "solid"))
    assert all(np.array_equal(p, q) for p, q in zip(a, b, strict=True))


def test_inpainting_goes_on_as_the_surroundings_do(frame: Frame) -> None:
    region = Region(PLACES[0], "ellipse", "inpaint")
    inside = mask_of(region, WIDTH, HEIGHT)
    apart = put(frame, region)[0][inside].astype(float) - frame.planes[0][inside]
    assert abs(apart.mean()) < 3 and apart.std() < 8  # levels: the slope goes on, with its grain


def test_a_region_without_surroundings_is_solid(frame: Frame) -> None:
    out = put(frame, Region(Place(160, 120, 900, 900), "box", "inpaint"))
    assert len(np.unique(out[0])) == 1


def test_a_region_outside_of_the_frame_changes_nothing(frame: Frame) -> None:
    for cover in COVERS:
        assert np.array_equal(put(frame, Region(Place(-200, -90, 40, 40), "box", cover))[0], frame.planes[0])


def test_regions_lie_over_everything(frame: Frame) -> None:
    deep = replace(frame, planes=tuple(p.astype(np.uint16) * 4 for p in frame.planes), pixel_format="yuv420p10le")
    out = put(deep, Region(PLACES[0], "box", "inpaint"), Region(PLACES[0]))
    assert len(np.unique(out[0][mask_of(Region(PLACES[0]), WIDTH, HEIGHT)])) == 1


def test_empty_places_are_refused() -> None:
    with pytest.raises(ValueError, match="empty"):
        Place(1, 1, 0, 4)


def test_straight_lines_between_keys() -> None:
    last = Place(100, 50, 20, 10, 40)
    rows = interpolate([Key(10, Place(0, 0, 10, 10, 0)), Key(20, last), Key(22, last)], 10, 23)
    assert len(rows) == 13
    assert rows[5] == Place(50, 25, 15, 10, 20)
    assert rows[12] == rows[10] == last
    held = interpolate([Key(10, last)], 4, 30)
    assert len(held) == 26 and held[0] == held[25] == last


def test_what_lies_around_places_contains_them() -> None:
    rng = np.random.default_rng(4)
    turn = np.linspace(0, 2 * np.pi, 64)
    for _ in range(50):
        places = [Place.of(rng.uniform([0, 0, 5, 5, -80], [60, 60, 60, 60, 80])) for _ in range(3)]
        whole = around(places, rng.uniform(0.1, 1, 3).tolist())
        for p in places:
            corners = p.outwards(np.array([-1, 1, 1, -1]) * p.w / 2, np.array([-1, -1, 1, 1]) * p.h / 2)
            u, v = whole.inwards(*corners)
            assert (np.abs(u) <= whole.w / 2 + 1e-6).all() and (np.abs(v) <= whole.h / 2 + 1e-6).all()
            x, y = p.outwards(np.cos(turn) * p.w / 2, np.sin(turn) * p.h / 2)
            assert (np.hypot(*(2 * np.array(whole.inwards(x, y)) / [[whole.w], [whole.h]])) <= 1.02).all()


def clip(frames: int, lost: range = range(0), shake: float = 0.0) -> tuple[list[Bytes], list[Place]]:
    """A patterned card that travels, turns and grows over a patterned ground; in `lost` frames the picture is only noise."""
    rng = np.random.default_rng(7)
    ground = cv2.GaussianBlur(rng.integers(0, 255, (HEIGHT, WIDTH), np.uint8), (0, 0), 2)
    card = cv2.GaussianBlur(rng.integers(0, 255, (48, 72), np.uint8), (0, 0), 1.2)
    pictures, truth = [], []
    for t in range(frames):
        s = t / max(frames - 1, 1)
        place = Place(70 + 170 * s + shake * np.sin(t), 70 + 90 * np.sin(2.2 * s), 72 * (1 + 0.3 * s), 48 * (1 + 0.3 * s), 35 * s)
        c, n = np.cos(np.radians(place.angle)), np.sin(np.radians(place.angle))
        k = place.w / 72
        turn = k * np.array([[c, -n], [n, c]])
        matrix = np.column_stack([turn, [place.x, place.y] - turn @ [35.5, 23.5]])
        there = cv2.warpAffine(np.full_like(card, 255), matrix, (WIDTH, HEIGHT)) > 127
        picture = np.where(there, cv2.warpAffine(card, matrix, (WIDTH, HEIGHT)), ground)
        if t in lost:
            picture = rng.integers(0, 255, picture.shape)
        pictures.append((picture * 0.8 + rng.normal(20, 2, picture.shape)).clip(0, 255).astype(np.uint8))
        truth.append(place)
    return pictures, truth


def covered(found: Place, truth: Place) -> bool:
    """Whether the whole of what is to be covered is."""
    wanted = mask_of(Region(truth.grown(-1)), WIDTH, HEIGHT)
    return not (wanted & ~mask_of(Region(found.grown(0.5)), WIDTH, HEIGHT)).any()


@pytest.mark.parametrize("shake", [0.0, 4.0])
def test_a_region_stays_over_its_target(shake: float) -> None:
    """Two hand key frames, 50 frames apart, of a curved and turning path: every frame is covered, by little more than it."""
    pictures, truth = clip(51, shake=shake)
    keys = [Key(100, truth[0].grown(2)), Key(150, truth[50].grown(2))]
    found = follow(pictures, keys, 100)
    assert len(found) == 51
    assert all(covered(a, b) for a, b in zip(found, truth, strict=True))
    assert np.median([a.w * a.h / (b.w * b.h) for a, b in zip(found, truth, strict=True)]) < 1.6
    line = interpolate(keys, 100, 151)
    assert not all(covered(a, b) for a, b in zip(line, truth, strict=True))  # which straight lines would not have done


def test_where_it_is_lost_it_grows_to_hold_both_predictions() -> None:
    pictures, truth = clip(41, lost=range(18, 22))
    found = follow(pictures, [Key(0, truth[0].grown(2)), Key(40, truth[40].grown(2))], 0)
    assert all(covered(found[t], truth[t]) for t in range(41))
    sizes = np.array([p.w * p.h for p in found])
    assert sizes[18:24].max() > 1.3 * np.median(sizes[:10])


@pytest.mark.parametrize("at", [0, 13, 29])
def test_beside_the_keys_it_is_followed_one_way(at: int) -> None:
    pictures, truth = clip(30)
    found = follow(pictures, [Key(7 + at, truth[at].grown(3))], 7)
    assert len(found) == 30
    assert all(covered(a, b) for a, b in zip(found, truth, strict=True))


def test_nothing_to_follow_grows() -> None:
    blank = [np.full((HEIGHT, WIDTH), 90, np.uint8)] * 12
    found = follow(blank, [Key(0, PLACES[0])], 0)
    assert found[11].w > 1.2 * PLACES[0].w


def test_following_twice_gives_the_same() -> None:
    pictures, truth = clip(12)
    keys = [Key(0, truth[0]), Key(11, truth[11])]
    assert follow(pictures, keys, 0) == follow(pictures, keys, 0)
