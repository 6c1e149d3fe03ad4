"""Properties of tracks, whatever the detectors say."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from facedouble import geometry
from facedouble.faces.fill import margin
from facedouble.faces.motion import Motion
from facedouble.faces.track import link, shots
from facedouble.options import TrackOptions
from facedouble.types import Box, Track

SIZE = (640, 360)
RATE = 30.0
OPTIONS = TrackOptions()
Finds = list[list[tuple[Box, float]]]


def motions(frames: int, cuts: tuple[int, ...] = ()) -> list[Motion]:
    return [Motion(i, np.zeros((14, 24, 2), np.float16), i == 0 or i in cuts) for i in range(frames)]


def face(x: float, y: float, side: float = 60) -> Box:
    return Box(x - side / 2, y - 0.6 * side, x + side / 2, y + 0.6 * side)


def covered(tracks: tuple[Track, ...], frame: int, box: Box) -> float:
    """The largest share of the box in one track's."""
    return max((geometry.inside(box, f.box) for t in tracks if (f := t.at(frame)) is not None), default=0.0)


boxes = st.builds(face, st.floats(20, 620), st.floats(20, 340), st.floats(8, 150))
finds = st.lists(st.lists(st.tuples(boxes, st.floats(0.5, 1)), max_size=3), min_size=1, max_size=40)


@settings(max_examples=60, deadline=None)
@given(finds, st.sets(st.integers(1, 39), max_size=3))
def test_every_find_is_covered_in_its_frame_and_no_track_crosses_a_cut(found: Finds, cuts: set[int]) -> None:
    moves = motions(len(found), tuple(c for c in cuts if c < len(found)))
    tracks = link(found, moves, RATE, SIZE, OPTIONS)
    for i, here in enumerate(found):
        assert all(covered(tracks, i, box) > 0.999 for box, _ in here), i
    for track in tracks:
        assert any(a <= track.start and track.stop <= b for a, b in shots(moves, RATE))


def test_a_short_shot_is_a_flash_and_the_face_stays_covered() -> None:
    found: Finds = [[(face(300, 150), 0.9)] if i != 30 else [] for i in range(60)]
    tracks = link(found, motions(60, (30, 31)), RATE, SIZE, OPTIONS)
    assert all(covered(tracks, i, face(300, 150)) > 0.999 for i in range(60))


def test_blind_around_a_cut_both_faces_are_covered_up_to_it() -> None:
    truth = [face(150, 150) if i < 100 else face(500, 200) for i in range(200)]
    found: Finds = [[] if 60 <= i < 140 else [(truth[i], 0.9)] for i in range(200)]
    tracks = link(found, motions(200, (100,)), RATE, SIZE, OPTIONS)
    assert all(covered(tracks, i, truth[i]) > 0.999 for i in range(200))


def test_a_part_of_a_face_starts_no_track() -> None:
    found: Finds = [[(face(300, 150), 0.9)] for _ in range(60)]
    found[30].append((Box(285, 160, 305, 182), 0.6))
    found[40] = [(Box(285, 160, 305, 182), 0.6)]  # the part alone
    tracks = link(found, motions(60), RATE, SIZE, OPTIONS)
    assert len(tracks) == 1
    assert covered(tracks, 40, face(300, 150)) > 0.999


def test_people_who_cross_keep_one_track_each() -> None:
    left, right = [face(100 + 4 * i, 150) for i in range(100)], [face(500 - 4 * i, 165, 66) for i in range(100)]
    found: Finds = [[(a, 0.9), (b, 0.8)] if abs(i - 50) > 5 else [(a, 0.9)] for i, (a, b)
                    in enumerate(zip(left, right, strict=True))]
    tracks = link(found, motions(100), RATE, SIZE, OPTIONS)
    assert len(tracks) == 2
    ends = {(round(t.faces[0].box.centre[0]), round(t.faces[-1].box.centre[0])) for t in tracks}
    assert ends == {(100, 496), (500, 104)}


def test_a_lone_weak_find_is_covered_briefly_and_a_known_face_for_long() -> None:
    known: Finds = [[(face(100, 150), 0.9)] for _ in range(300)]
    known[150].append((face(500, 200), 0.55))
    lone = next(t for t in link(known, motions(300), RATE, SIZE, OPTIONS) if t.faces[0].box.x0 > 300)
    assert lone.stop - lone.start <= 0.4 * RATE + 1
    gone: Finds = [[(face(100, 150), 0.9)] if i < 60 else [] for i in range(300)]
    (track,) = link(gone, motions(300), RATE, SIZE, OPTIONS)
    assert track.stop == 60 + OPTIONS.linger * RATE


def test_covers_grow_while_the_face_is_not_seen_and_level_off() -> None:
    values = [margin(t, OPTIONS.growth) for t in np.linspace(0, 10, 50)]
    assert values[0] == 0
    assert all(a < b for a, b in pairwise(values))
    assert values[-1] < 0.61


def test_errors_of_scale_do_not_shrink_a_cover_away() -> None:
    flow = np.zeros((14, 24, 2), np.float16)
    flow[..., 0] = np.linspace(0.05, -0.05, 24)  # everything runs to the middle
    moves = [Motion(i, flow, i == 0) for i in range(100)]
    found: Finds = [[(face(320, 180), 0.9)] if i < 10 else [] for i in range(100)]
    tracks = link(found, moves, RATE, SIZE, OPTIONS)
    assert all(covered(tracks, i, face(320, 180)) > 0.9 for i in range(100))


def test_no_frames_no_finds_no_tracks() -> None:
    assert link([], [], RATE, SIZE, OPTIONS) == ()
    assert link([[], []], motions(2), RATE, SIZE, OPTIONS) == ()
