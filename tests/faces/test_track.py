"""Faces stay covered when the detectors go blind; on the real detectors a face of 16 px is found."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import data

from facedouble.faces.detect import detect
from facedouble.faces.motion import Motion, measure, small_luma
from facedouble.faces.track import link
from facedouble.options import DetectOptions, TrackOptions
from facedouble.pipeline.analyse import Eyes
from facedouble.protect.veil import head_covers
from facedouble.types import Array, Box, Bytes

SIZE = (640, 360)
CELLS = (14, 24)


def still(frame: int, cut: bool = False) -> Motion:
    return Motion(frame, np.zeros((*CELLS, 2), np.float16), cut or frame == 0)


def moving(frame: int, dx: float, dy: float) -> Motion:
    flow = np.zeros((*CELLS, 2), np.float16)
    flow[..., 0], flow[..., 1] = dx / SIZE[0], dy / SIZE[0]
    return Motion(frame, flow, frame == 0)


def box(x: float, y: float, w: float = 60) -> Box:
    return Box(x - w / 2, y - 0.6 * w, x + w / 2, y + 0.6 * w)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 119), st.integers(1, 90), st.integers(0, 2**31))
def test_a_burst_of_blindness_leaves_every_face_covered(start: int, length: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    steps = rng.normal(0, 1.5, (120, 2))
    places = np.clip(np.cumsum(steps, 0) + np.array([320, 180]), [100, 100], [540, 260])
    truth = [box(x, y) for x, y in places]
    moves = np.vstack([[0, 0], np.diff(places, axis=0)])
    motions = [moving(i, *m) for i, m in enumerate(moves)]
    found = [() if start <= i < start + length else ((b, 0.9),) for i, b in enumerate(truth)]
    if not any(found):
        return
    tracks = link(found, motions, 30.0, SIZE, TrackOptions())
    covers = {t.id: head_covers([f.box for f in t.faces]) for t in tracks}
    for i, b in enumerate(truth):
        held = [covers[t.id][i - t.start] for t in tracks if t.at(i) is not None]
        sides = ((1, 0), (-1, 0), (0, 1), (0, -1))
        core = [(b.centre[0] + 0.4 * b.width * c, b.centre[1] + 0.4 * b.height * s) for c, s in sides]
        assert any(all(np.hypot((x - c.x) / c.rx, (y - c.y) / c.ry) <= 1 for x, y in core) for c in held), i


def test_tracks_have_no_gaps_and_do_not_cross_a_cut() -> None:
    found = [((box(100 + i, 100), 0.9),) if i < 30 else ((box(500, 200), 0.9),) for i in range(60)]
    tracks = link(found, [still(i, i == 30) for i in range(60)], 30.0, SIZE, TrackOptions())
    assert [(t.start, t.stop) for t in sorted(tracks, key=lambda t: t.start)] == [(0, 30), (30, 60)]


def test_two_people_keep_their_tracks_when_they_cross() -> None:
    found = [((box(100 + 4 * i, 150), 0.9), (box(500 - 4 * i, 180), 0.8)) for i in range(100)]
    tracks = link(found, [still(i) for i in range(100)], 30.0, SIZE, TrackOptions())
    for i, faces in enumerate(found):
        for b, _ in faces:
            assert any((f := t.at(i)) is not None and f.box.x0 <= b.centre[0] <= f.box.x1 for t in tracks)


def test_a_face_on_one_frame_only_is_covered_there() -> None:
    found = [((box(300, 150), 0.55),) if i == 20 else () for i in range(60)]
    tracks = link(found, [still(i) for i in range(60)], 30.0, SIZE, TrackOptions())
    assert len(tracks) == 1 and tracks[0].at(20) is not None


def portrait(side: int, face: float) -> Bytes:
    """A plain picture with the astronaut, her face about `face` px high."""
    scale = face / 100  # her face is about 100 px high in the original
    whole = np.asarray(data.astronaut())[:300, 60:390]  # type: ignore[no-untyped-call]
    small = cv2.resize(whole, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    out: Bytes = np.full((side, side * 16 // 9, 3), 120, np.uint8)
    out[40 : 40 + small.shape[0], 60 : 60 + small.shape[1]] = small[: side - 40]
    return out


@pytest.mark.parametrize("face", [16, 32, 90, 250])
def test_real_detectors_find_faces_of_many_sizes(face: int, eyes: Eyes) -> None:
    picture = portrait(720, face)
    found = detect(picture, 0, eyes.detectors, DetectOptions())
    x, y = 60 + 170 * face / 100, 40 + 112 * face / 100  # middle of her face
    assert any(b.x0 <= x <= b.x1 and b.y0 <= y <= b.y1 for b, _ in found)


def test_a_face_in_the_dark_is_a_face(eyes: Eyes) -> None:
    dark = (portrait(480, 120).astype(float) * 0.06).astype(np.uint8)
    assert detect(dark, 1, eyes.detectors, DetectOptions())


def test_an_empty_wall_has_no_face(eyes: Eyes) -> None:
    assert not detect(np.full((360, 640, 3), 90, np.uint8), 0, eyes.detectors, DetectOptions())


def test_a_cut_is_seen_and_a_pan_is_not() -> None:
    def scene(seed: int) -> Array:
        noise = np.random.default_rng(seed).integers(0, 255, (20, 36, 3)).astype(np.uint8)
        made: Array = cv2.resize(noise, SIZE, interpolation=cv2.INTER_CUBIC)
        return made

    a, b = scene(1), scene(2)
    assert not measure(small_luma(a), small_luma(np.roll(a, 6, 1)), 1).cut
    assert measure(small_luma(a), small_luma(b), 1).cut
    assert not measure(small_luma(a), small_luma((a * 0.8).astype(np.uint8)), 1).cut
