"""Whatever goes wrong in the drawing, no original face is left."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from facedouble.colour import crop_rgb
from facedouble.media.decode import frames
from facedouble.morphable.topology import topology
from facedouble.options import DrawOptions
from facedouble.pipeline.analyse import Analysis
from facedouble.protect.composite import compose, hide
from facedouble.protect.drive import Performance
from facedouble.protect.face import Area, blank_mask
from facedouble.protect.treatments import Part
from facedouble.protect.veil import head_covers
from facedouble.raster import cover
from facedouble.types import Box, Double, Frame, SafeFrame, take_seal


@pytest.fixture(scope="module")
def frame(analysis: Analysis) -> Frame:
    return next(iter(frames(analysis.info)))


def veil(analysis: Analysis) -> Part:
    role = analysis.roles[0]
    return Part(0, role.boxes[0], role.covers[0])


def test_the_veil_does_not_depend_on_what_is_under_it(analysis: Analysis, frame: Frame) -> None:
    part = veil(analysis)
    c = part.cover
    y, x = np.mgrid[0 : frame.height, 0 : frame.width]
    core = np.hypot((x - c.x) / c.rx, (y - c.y) / c.ry) < 0.98
    dark = frame.planes[0].copy()
    dark[core] = 0
    for planes in ((dark, *frame.planes[1:]),):
        other = compose(replace(frame, planes=planes), [part], DrawOptions(), 0).safe.frame
        plain = compose(frame, [part], DrawOptions(), 0).safe.frame
        assert np.array_equal(other.planes[0], plain.planes[0])


def test_a_veil_covers_the_whole_face_box(analysis: Analysis, frame: Frame) -> None:
    part = veil(analysis)
    out = compose(frame, [part], DrawOptions(), 0)
    assert out.veiled == {0}
    b = part.box
    crop = crop_rgb(out.safe.frame, int(b.x0), int(b.y0), int(b.x1), int(b.y1))
    assert 0.02 < crop.std(axis=(0, 1)).max() < 0.05  # calm, yet not flat: a recogniser takes a flat patch for any tilted face
    rows = crop.mean((1, 2))
    assert np.abs(np.diff(np.sign(np.diff(rows)))).sum() >= 2  # folds: lighter and darker again inside the face


def test_a_hidden_frame_holds_nothing(frame: Frame) -> None:
    safe = hide(frame)
    assert safe.hidden
    assert all(len(np.unique(p)) == 1 for p in safe.frame.planes)


def test_a_corrupt_frame_is_hidden(analysis: Analysis, frame: Frame) -> None:
    assert compose(replace(frame, corrupt=True), [veil(analysis)], DrawOptions(), 0).safe.hidden


def test_a_double_that_misses_the_face_is_veiled_over(analysis: Analysis, frame: Frame, double: Double) -> None:
    role = analysis.roles[0]
    assert role.fit is not None
    stage = Performance(role.fit.codes, role.fit.clip, double)
    b = role.boxes[0]
    away = Box(b.x0 + b.width, b.y0, b.x1 + b.width, b.y1)
    part = Part(0, away, head_covers([away])[0], 1.0, stage, 0, role.fit.outlines[0].mesh, treatment="double")
    assert compose(frame, [part], DrawOptions(), 0).veiled == {0}


def test_only_the_composite_makes_safe_frames(frame: Frame) -> None:
    with pytest.raises(RuntimeError):
        take_seal()
    with pytest.raises(TypeError):
        SafeFrame("seal", frame, False)  # type: ignore[arg-type]


def test_covers_contain_every_box_of_their_frames() -> None:
    rng = np.random.default_rng(3)
    centre = np.cumsum(rng.normal(0, 9, (80, 2)), 0) + 300
    boxes = [Box(x - 40, y - 50, x + 40, y + 50) for x, y in centre]
    for b, c in zip(boxes, head_covers(boxes), strict=True):
        for x, y in ((b.x0, b.centre[1]), (b.x1, b.centre[1]), (b.centre[0], b.y0), (b.centre[0], b.y1)):
            assert np.hypot((x - c.x) / c.rx, (y - c.y) / c.ry) < 1


@pytest.mark.parametrize(("size", "grown"), [(100, 3), (380, 3), (1000, 8)])
def test_the_blank_grows_with_the_face(size: int, grown: int) -> None:
    """A landmark is read to a pixel of 384 for two faces: of a face of 1,000 px that is five."""
    mesh = topology().mean[:468] / np.ptp(topology().mean[:468, 0]) * size + [size, size, 0]
    where = Area(0, 0, 2 * size, 3 * size, float(size))
    plain = cover(mesh, topology().triangles, *where.shape)
    row = size + round(float(topology().mean[234, 1]) / np.ptp(topology().mean[:468, 0]) * size)
    edges = [int(np.flatnonzero(mask[row])[0]) for mask in (plain, blank_mask(mesh, where))]
    assert edges[0] - edges[1] == grown
