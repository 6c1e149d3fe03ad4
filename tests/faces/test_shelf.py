"""What is kept small comes back as it went in."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facedouble.faces.detect import Finds, Found
from facedouble.faces.motion import Motion, Motions
from facedouble.faces.outlines import WINDOW, Outlines
from facedouble.faces.shelf import CHUNK, Shelf
from facedouble.faces.smooth import smooth
from facedouble.faces.track import link
from facedouble.options import TrackOptions
from facedouble.types import Box

RNG = np.random.default_rng(11)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 3 * CHUNK), st.sampled_from([1, 7, 2**20, 2**29]), st.integers(0, 2**31), st.booleans())
def test_a_shelf_gives_back_what_it_was_given(count: int, most: int, seed: int, closed: bool) -> None:
    rows = np.random.default_rng(seed).integers(-most, most + 1, (count, 5)).astype(np.int32)
    shelf = Shelf(5)
    for row in rows:
        shelf.append(row)
    if closed:
        shelf.close()
        with pytest.raises(ValueError, match="closed"):
            shelf.append(np.zeros(5))
    assert len(shelf) == count
    assert all(np.array_equal(shelf[i], rows[i]) for i in range(count))
    for beyond in (-1, count):
        with pytest.raises(IndexError):
            shelf[beyond]


def test_what_changes_little_needs_little() -> None:
    walk = np.cumsum(RNG.integers(-3, 4, (10 * CHUNK, 900)), 0)
    shelf = Shelf(900)
    for row in walk:
        shelf.append(row)
    assert shelf.nbytes / len(walk) < 900 * 0.7  # bytes; a step of seven values is 2.8 bits, and whole numbers are 4 bytes


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6, 7, 8, 31, 32, 33, 36, 37, 97])
@pytest.mark.parametrize("step", [1, 3, 32])
def test_outlines_are_smoothed_as_if_all_were_there(count: int, step: int) -> None:
    meshes = 900 * RNG.random((1, 468, 2)) + np.cumsum(RNG.normal(0, 2, (count, 468, 2)), 0)
    made = Outlines()
    for i in range(0, count, step):
        made.extend(meshes[i : i + step])
    made.finish()
    assert len(made) == count
    assert np.abs(np.array([o.mesh for o in made]) - smooth(meshes, WINDOW)).max() <= 1 / 32 + 1e-4
    assert np.array_equal(made[-1].mesh, made[count - 1].mesh)


def test_a_face_that_fills_a_very_large_picture_keeps_its_outline() -> None:
    mesh = np.array([[[-20_000.0, 30_000.0]]]) + 9000 * RNG.random((6, 468, 2))
    made = Outlines()
    made.extend(mesh)
    made.finish()
    assert np.abs(np.array([o.mesh for o in made[:]]) - smooth(mesh, WINDOW)).max() <= 1 / 31


def test_kept_motion_and_finds_lead_to_the_same_tracks() -> None:
    place, found, motions = np.array([300.0, 180.0]), Finds(), Motions()
    plain_found: list[Found] = []
    plain_motions: list[Motion] = []
    for i in range(200):
        move = RNG.normal(0, 2, 2)
        place = np.clip(place + move, 100, 260)
        flow = (move / 640 + RNG.normal(0, 1e-4, (14, 24, 2))).astype(np.float16)
        motion = Motion(i, flow, i in (0, 120))
        box = Box(place[0] - 30, place[1] - 36, place[0] + 30, place[1] + 36)
        here = () if 50 <= i < 80 else ((box, 0.9),) if i % 3 else ((box, 0.9), (Box(5, 5, 40, 50), 0.6))
        found.append(here)
        plain_found.append(here)
        motions.append(motion)
        plain_motions.append(motion)
    assert tuple(found) == tuple(plain_found)
    assert [m.cut for m in motions] == [m.cut for m in plain_motions]
    assert max(float(np.abs(a.flow.astype(float) - b.flow).max()) for a, b in zip(motions, plain_motions, strict=True)) < 2**-15
    assert motions.nbytes / 200 < 1344  # what a flow takes as float16; this one is noise through and through
    a, b = (link(f, m, 30.0, (640, 360), TrackOptions()) for f, m in ((found, motions), (plain_found, plain_motions)))
    assert [(t.start, t.stop) for t in a] == [(t.start, t.stop) for t in b]
    assert max(float(np.abs(x.rows["box"] - y.rows["box"]).max()) for x, y in zip(a, b, strict=True)) < 0.5  # px after a gap


def test_motion_has_to_come_in_order() -> None:
    motions = Motions()
    with pytest.raises(ValueError, match="does not follow"):
        motions.append(Motion(3, np.zeros((2, 2, 2), np.float16), True))
