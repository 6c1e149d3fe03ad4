"""The proof of the bottleneck: with the codes fixed, nothing under the face can change the frame."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from facedouble.media.decode import frames
from facedouble.morphable.topology import topology
from facedouble.options import DrawOptions
from facedouble.pipeline.analyse import Analysis
from facedouble.protect.composite import compose
from facedouble.protect.drive import Performance
from facedouble.protect.treatments import Part
from facedouble.raster import cover
from facedouble.types import CODE_FLOATS, Array, Double, FaceCode, Frame

STRICT = DrawOptions(halo=0.5, strict=True)


def face_area(frame: Frame, outline: Array) -> Array:
    """(h, w) bool: brow to chin to ear, as the landmarks outline it."""
    return cover(outline, topology().triangles, frame.height, frame.width) > 0


def with_noise(frame: Frame, area: Array, seed: int = 1) -> Frame:
    """The frame with uniform noise in every sample that belongs to the area."""
    rng = np.random.default_rng(seed)
    planes = []
    for k, plane in enumerate(frame.planes):
        mask = area if k == 0 else cv2.resize(area.astype(np.uint8), plane.shape[::-1], interpolation=cv2.INTER_AREA) > 0
        if k:
            mask = np.zeros(plane.shape, bool)
            ys, xs = np.nonzero(area)
            mask[ys >> 1, xs >> 1] = True
        made = plane.copy()
        made[mask] = rng.integers(0, 256, int(mask.sum()))
        planes.append(made)
    return replace(frame, planes=tuple(planes))


@pytest.fixture(scope="module")
def scene(analysis: Analysis, double: Double) -> tuple[list[Frame], list[Part]]:
    role = analysis.roles[0]
    assert role.fit is not None
    codes = tuple(FaceCode.unpack(c.pack()) for c in role.fit.codes)  # as serialised as they will ever be
    stage = Performance(codes, role.fit.clip, double)
    chosen = [f for f in frames(analysis.info) if f.index in (5, 24, 40)]
    parts = []
    for f in chosen:
        step = f.index - role.fit.start
        i = f.index - role.track.start
        parts.append(Part(0, role.boxes[i], role.covers[i], 1.0, stage, step, role.fit.outlines[step].mesh, treatment="double"))
    return chosen, parts


@pytest.mark.parametrize("options", [DrawOptions(), STRICT, DrawOptions(hair=True, strict=True)])
def test_noise_in_the_face_changes_nothing(scene: tuple[list[Frame], list[Part]], options: DrawOptions) -> None:
    for frame, part in zip(*scene, strict=True):
        assert part.outline is not None
        area = face_area(frame, part.outline)
        assert area.sum() > 5000
        noisy = with_noise(frame, area)
        assert any((a != b).any() for a, b in zip(frame.planes, noisy.planes, strict=True))
        before = compose(frame, [part], options, 0)
        after = compose(noisy, [part], options, 0)
        assert not before.veiled and not before.safe.hidden
        for a, b in zip(before.safe.frame.planes, after.safe.frame.planes, strict=True):
            assert np.array_equal(a, b)


def test_the_proof_can_fail(scene: tuple[list[Frame], list[Part]]) -> None:
    """Noise beside the face does change the frame, so the comparison above is not blind."""
    frame, part = scene[0][0], scene[1][0]
    assert part.outline is not None
    area = face_area(frame, part.outline + np.array([0, 12], np.float32))
    changed = compose(with_noise(frame, area), [part], STRICT, 0).safe.frame
    plain = compose(frame, [part], STRICT, 0).safe.frame
    assert any((a != b).any() for a, b in zip(changed.planes, plain.planes, strict=True))


def test_hair_that_is_asked_for_stays_in_front(scene: tuple[list[Frame], list[Part]]) -> None:
    """A dark strand from outside over the forehead: the matte shows it, and without the matte there is no trace of it."""
    frame, part = scene[0][0], scene[1][0]
    assert part.outline is not None and part.stage is not None
    x, y = part.outline[10]  # the top of the forehead
    size = float(np.ptp(part.outline[:, 0]))
    strand = np.zeros((frame.height, frame.width), bool)
    strand[int(y - 0.2 * size) : int(y + 0.1 * size), int(x - 0.05 * size) : int(x + 0.05 * size)] = True
    dark = frame.planes[0].copy()
    dark[strand] = 24
    combed = replace(frame, planes=(dark, *frame.planes[1:]))
    inside = strand & face_area(frame, part.outline)
    drawn = (compose(combed, [part], DrawOptions(hair=hair), 0).safe.frame for hair in (True, False))
    shown, gone = (d.planes[0][inside].mean() for d in drawn)
    assert shown < 0.6 * gone


def test_a_code_has_its_documented_length(analysis: Analysis) -> None:
    fit = analysis.roles[0].fit
    assert fit is not None
    assert {len(c.pack()) for c in fit.codes} == {4 * CODE_FLOATS} == {492}
    assert len(fit.clip.floats()) == 14


def test_pixels_outside_the_patch_stay_bit_identical(scene: tuple[list[Frame], list[Part]]) -> None:
    frame, part = scene[0][0], scene[1][0]
    out = compose(frame, [part], STRICT, 0).safe.frame
    b = part.box
    far = np.ones((frame.height, frame.width), bool)
    pad = 0.8 * max(b.width, b.height)
    far[max(0, int(b.y0 - pad)) : int(b.y1 + pad), max(0, int(b.x0 - pad)) : int(b.x1 + pad)] = False
    assert far.sum() > 1000
    assert np.array_equal(frame.planes[0][far], out.planes[0][far])
