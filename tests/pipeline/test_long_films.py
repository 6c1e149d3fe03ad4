"""What is needed of a person is held while that person is there, and not for the length of the film."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from facedouble.faces.outlines import Outlines
from facedouble.faces.reading import NOTES
from facedouble.options import Options
from facedouble.pipeline.analyse import Analysis, Eyes, agrees, analyse, looks, quiet
from facedouble.pipeline.company import PlanCompany, Rehearsed
from facedouble.pipeline.render import Wings
from facedouble.protect.veil import head_covers
from facedouble.types import FACE, Array, Box, Double, Face, Rows, Track
from tests.pipeline.test_hush import company, plan


def track(number: int, start: int, stop: int, like: Track) -> Track:
    """A piece of a track as one of its own."""
    return Track(number, like.faces[start - like.start : stop - like.start])


def test_every_track_is_told_to_be_over_once_and_its_looks_lie_in_it(analysis: Analysis, eyes: Eyes) -> None:
    whole = analysis.roles[0].track
    pieces = (track(0, 0, 20, whole), track(1, 10, 30, whole), track(2, 30, 60, whole))
    seen: dict[int, list[int]] = {0: [], 1: [], 2: []}
    over: list[int] = []
    for t, look in looks(analysis.info, pieces, eyes, Options(), quiet, analysis.frames):
        assert t.id not in over
        if look is None:
            over.append(t.id)
        else:
            seen[t.id].append(look.sighting.frame)
    assert over == [0, 1, 2]
    for t in pieces:
        assert seen[t.id] == sorted(seen[t.id]) and set(seen[t.id]) <= set(range(t.start, t.stop))
        assert len(seen[t.id]) > 0.8 * (t.stop - t.start)


def test_the_same_film_is_read_the_same_twice(analysis: Analysis, eyes: Eyes) -> None:
    made = analyse(analysis.info, eyes, Options())
    assert len(made.roles) == len(analysis.roles)
    for first, again in zip(analysis.roles, made.roles, strict=True):
        assert first.track == again.track and first.covers == again.covers and np.array_equal(first.weights, again.weights)
        assert first.fit is not None and again.fit is not None
        assert first.fit.codes == again.fit.codes and first.fit.clip == again.fit.clip
        assert all(np.array_equal(a.mesh, b.mesh) for a, b in zip(first.fit.outlines, again.fit.outlines, strict=True))


def test_what_a_role_holds_of_a_frame_is_small(analysis: Analysis) -> None:
    role = analysis.roles[0]
    assert role.fit is not None
    covers, outlines = role.covers, role.fit.outlines
    assert isinstance(covers, Rows) and isinstance(outlines, Outlines)
    held = (role.track.rows.nbytes + covers.numbers.nbytes + role.weights.nbytes + role.fit.codes.numbers.nbytes
            + role.fit.angles.nbytes + outlines.nbytes)
    assert held / len(role.weights) < 1500  # bytes


def test_performers_come_with_their_tracks_and_go_with_them(analysis: Analysis, double: Double) -> None:
    role = analysis.roles[0]
    one, two = (replace(role, track=track(k, *span, role.track), weights=np.ones(30), covers=role.covers[slice(*span)])
                for k, span in enumerate([(0, 30), (30, 60)]))
    wings = Wings([one, two], (double,), Options(), 25.0)
    for frame in range(60):
        assert [p.track for p in wings.parts(frame)] == [frame // 30]
        assert [c.role.track.id for c in wings.on] == [frame // 30]
    assert not wings.parts(60) and not wings.on and not wings.coming


def test_only_the_cover_of_what_never_gets_a_double_lies_under_others(analysis: Analysis, double: Double) -> None:
    """Also with a plan: a veil that a double comes out of lies where it always lay, so that nothing jumps."""
    role = analysis.roles[0]
    never = replace(role, weights=np.zeros(len(role.weights)))
    later = replace(role, weights=np.repeat([0.0, 1.0], [30, len(role.weights) - 30]))
    for of, under in ((never, True), (later, False)):
        made = replace(analysis, roles=(of,))
        asked = [Wings([of], (double,), Options(), 25.0).parts(0), company(plan(made), made, double).scene(0).parts]
        assert [[p.under for p in parts] for parts in asked] == [[under], [under]]
    veiled = PlanCompany(plan(analysis, "veil"), "A", analysis, Rehearsed({}, {}), Options())
    assert [p.under for p in veiled.scene(0).parts] == [False], "a plan may give it a double elsewhere"


def boxes(*rows: tuple[float, float, float, float]) -> Array:
    return np.array(rows)


def test_landmarks_and_box_agree_or_do_not() -> None:
    notes = np.zeros(5, NOTES)
    notes["low"] = [[10, 10], [10, 10], [60, 10], [10, 10], [50, 50]]
    notes["high"] = [[90, 110], [50, 60], [140, 110], [200, 210], [50, 50]]
    assert agrees(notes, boxes(*[(0, 0, 100, 100)] * 5)).tolist() == [True, False, False, False, False]


def test_covers_of_rows_are_those_of_boxes() -> None:
    rng = np.random.default_rng(2)
    low = rng.random((50, 2)) * 300
    numbers = np.concatenate([low, low + 20 + 80 * rng.random((50, 2))], 1)
    assert head_covers(Rows(numbers, Box.of)) == head_covers([Box(*row) for row in numbers.tolist()])
    faces = np.zeros(50, FACE)
    faces["frame"], faces["box"] = np.arange(50), numbers
    assert list(Track(0, Rows(faces, Face.of)).boxes) == [Box(*row) for row in numbers.tolist()]
