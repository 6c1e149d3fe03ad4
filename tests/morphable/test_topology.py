"""The face topology: symmetric, outward, and coefficients come back from the mesh they made."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from facedouble.morphable import layout
from facedouble.morphable.light import harmonics, irradiance
from facedouble.morphable.pose import canonical, euler, similarity
from facedouble.morphable.semantics import semantics
from facedouble.morphable.topology import topology, vertex_normals
from facedouble.types import Array

T = topology()


def turn(yaw: float, pitch: float, roll: float) -> Array:
    from scipy.spatial.transform import Rotation

    made: Array = Rotation.from_euler("yxz", [yaw, pitch, roll], degrees=True).as_matrix()
    return made


def test_it_is_made_from_ten_people_at_least() -> None:
    path = Path(__file__).parents[2] / "facedouble/data/topology.npz"
    with np.load(path) as z:
        assert int(z["people"]) >= 10
        assert set(z.files) == {"mean", "mirror", "triangles", "bend", "weights", "basis", "people"}


def test_the_mean_is_symmetric() -> None:
    assert np.array_equal(T.mirror[T.mirror], np.arange(478))
    assert np.allclose(T.mean[T.mirror] * [-1, 1, 1], T.mean, atol=1e-5)
    assert T.mirror[33] == 263 and T.mirror[61] == 291 and T.mirror[468] == 473
    assert np.linalg.norm(T.mean[33] - T.mean[263]) == pytest.approx(1)


def test_triangles_are_outward_and_each_edge_has_two_sides_at_most() -> None:
    assert len(T.skin) == 852
    assert (vertex_normals(T.mean)[T.skin_points][:, 2] < 0.3).all()  # towards the camera
    edges: dict[tuple[int, int], int] = {}
    for t in T.skin.tolist():
        for a, b in zip(t, t[1:] + t[:1], strict=True):
            assert (a, b) not in edges, "two triangles run along an edge in the same direction"
            edges[a, b] = 1
    rim = [e for e in edges if (e[1], e[0]) not in edges]
    assert {v for e in rim for v in e} >= set(layout.OVAL)


def test_coefficients_come_back_from_the_mesh() -> None:
    rng = np.random.default_rng(0)
    for region in range(3):
        rows = np.repeat([0, 1, 2], [16, 8, 8]) == region
        basis = T.basis[rows].reshape(rows.sum(), -1)
        assert np.allclose(basis @ basis.T, np.eye(len(basis)), atol=1e-4)
        c = rng.normal(0, 0.05, len(basis))
        assert np.allclose(basis @ (c @ basis), c, atol=1e-5)


def test_pose_comes_back() -> None:
    r = turn(20, -10, 5)
    marks = 100 * T.mean @ r.T + [300, 200, 0]
    shapes, scales, rotations, shifts = canonical(marks[None], T.mean)
    assert np.allclose(shapes[0], T.mean, atol=1e-6)
    assert scales[0] == pytest.approx(100) and np.allclose(rotations[0], r) and np.allclose(shifts[0], [300, 200, 0])


def test_similarity_never_mirrors() -> None:
    rng = np.random.default_rng(1)
    p = rng.normal(size=(30, 3))
    _, r, _ = similarity(p, p * [-1, 1, 1])
    assert np.linalg.det(r) == pytest.approx(1)


def test_angles_have_their_signs() -> None:
    assert euler(np.eye(3)) == (0, 0, 0)
    for k, angles in enumerate(((15, 0, 0), (0, 15, 0), (0, 0, 15))):
        assert euler(turn(*angles))[k] == pytest.approx(15)


def test_semantics_follow_the_lips() -> None:
    open_ = T.mean.copy()
    open_[layout.LOWER_INNER_LIP[1:-1], 1] += 0.2
    a, b = semantics(T.mean[None]), semantics(open_[None])
    assert b.gap[0] - a.gap[0] == pytest.approx(0.2, abs=0.03)
    assert b.width[0] == pytest.approx(a.width[0])


def test_flat_light_is_the_same_everywhere() -> None:
    code = np.zeros(69)
    code[:3] = (0.4, 0.3, 0.2)
    lit = irradiance(code, vertex_normals(T.mean))
    assert np.allclose(lit, (0.4, 0.3, 0.2))
    assert harmonics(np.array([[0.0, 0, -1]])).shape == (1, 9)
