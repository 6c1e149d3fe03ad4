"""Strands over the forehead: only where hair is seen outside, in its colour, and never below the brows."""

import numpy as np
import pytest

from facedouble.morphable.topology import topology
from facedouble.protect.face import _apart, _eased
from facedouble.protect.hairline import LOWEST, hair_around, strands, strands_on
from facedouble.protect.texture import shade
from facedouble.types import Array

T = topology()
HAIR, SKIN = np.array([0.03, 0.02, 0.015], np.float32), np.array([0.5, 0.3, 0.22], np.float32)
SIDE, STEP = 240, 4


@pytest.fixture
def mesh() -> Array:
    return np.asarray(T.mean[:468] * 90 + [120, 130, 0])


def ring_of(mesh: Array) -> Array:
    x, y = np.meshgrid(np.arange(SIDE // STEP) * STEP + 1.5, np.arange(SIDE // STEP) * STEP + 1.5)
    low, high = mesh[:, :2].min(0), mesh[:, :2].max(0)
    far = np.hypot((x - (low + high)[0] / 2) / (high - low)[0], (y - (low + high)[1] / 2) / (high - low)[1]) * 2
    ring: Array = ((far > 1.05) & (far < 1.25)).astype(np.float32)
    return ring


def hair_over(mesh: Array, ring: Array, lowest: float) -> tuple[Array, Array]:
    """The surroundings, and how much darker than skin they are: hair down to `lowest` px, skin below."""
    there = (ring > 0) & ((np.arange(SIDE // STEP) * STEP + 1.5)[:, None] < lowest)
    around = np.where(there[..., None], HAIR, SKIN).astype(np.float32)
    return around, np.where(there, 2.5, 0).astype(np.float32)


def test_hair_is_found_above_a_face_and_carried_inwards(mesh: Array) -> None:
    ring = ring_of(mesh)
    colour, share = hair_around(*hair_over(mesh, ring, mesh[4, 1]), ring, mesh, STEP)
    brow_row, chin_row = int(mesh[10, 1] + 12) // STEP, int(mesh[152, 1]) // STEP
    assert share[brow_row, 30] > 0.8 and np.allclose(colour[brow_row, 30], HAIR, atol=0.01)
    assert not share[chin_row:].any()


def test_a_scarf_gets_none(mesh: Array) -> None:
    ring = ring_of(mesh)
    _, share = hair_around(*hair_over(mesh, ring, SIDE), ring, mesh, STEP)
    assert not share.any()


def test_a_bare_head_gets_none(mesh: Array) -> None:
    ring = ring_of(mesh)
    around = np.broadcast_to(SKIN, (*ring.shape, 3)).astype(np.float32)
    _, share = hair_around(around, np.full(ring.shape, 0.1, np.float32), ring, mesh, STEP)
    assert not share.any()


def test_what_is_not_in_the_ring_says_nothing(mesh: Array) -> None:
    ring = ring_of(mesh)
    rng = np.random.default_rng(2)
    around, darker = hair_over(mesh, ring, mesh[4, 1])
    first = hair_around(around, darker, ring, mesh, STEP)
    noise = np.where(ring[..., None] > 0, around, rng.random((*ring.shape, 3))).astype(np.float32)
    second = hair_around(noise, np.where(ring > 0, darker, rng.normal(0, 3, ring.shape)).astype(np.float32), ring, mesh, STEP)
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_strands_hang_from_the_rim_and_leave_the_eyes_free(mesh: Array) -> None:
    drawing = strands()
    assert drawing.shape == (720, 640) and drawing.min() >= 0 and drawing.max() <= 1
    floor = int(T.atlas[:, 1].min() + (LOWEST + 0.01) * np.ptp(T.atlas[:, 1]))
    assert not drawing[floor:].any()
    _, ids, _ = shade(mesh, np.ones((468, 3)), np.ones((720, 640, 3), np.float32), 0, SIDE, SIDE)
    row, over = strands_on(mesh, ids)
    top = int(mesh[10, 1])
    assert over[top + 2 - row, 120 - 20 : 120 + 20].mean() > 0.5
    eyes = slice(int(mesh[33, 0]), int(mesh[263, 0]))
    assert row + len(over) < mesh[1, 1] and over[int(mesh[105, 1]) - row :, eyes].max(initial=0) < 0.05
    assert not over[ids[row : row + len(over)] < 0].any()


def test_a_face_ends_within_less_where_hair_lies_behind_its_rim() -> None:
    own, hole = np.broadcast_to(SKIN, (20, 20, 3)).copy(), np.ones((20, 20), np.float32)
    fill = np.where((np.arange(20) < 10)[None, :, None], HAIR, SKIN * 1.2).astype(np.float32)
    apart = _apart(fill, own, hole, np.ones_like(own))
    assert apart[:, :6].min() == 1 and apart[:, 14:].max() == 0
    rim = np.broadcast_to(np.linspace(0, 1, 20, dtype=np.float32)[:, None], (20, 20)).copy()
    alpha = np.empty_like(rim)
    _eased(rim, apart.astype(np.float32), alpha)
    half = (alpha < 0.5).sum(0)
    assert half[2] <= 4 and half[17] == 10 and alpha.max() <= 1


def test_strands_are_a_fringe_and_no_patch_on_the_temples() -> None:
    covered = (strands() > 0.3).sum(0)[150:490] / 720  # over forehead and temples, by column; the atlas begins above the face
    rim = np.array([T.atlas[np.abs(T.atlas[:, 0] - x) < 25, 1].min() / 720 for x in range(150, 490)])
    assert np.percentile(covered - rim, 95) < 0.06
