"""People with the real models: two portraits cut together, one of them twice; the sheet; what is looked at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from facedouble.demo.witness import portrait_pixels, write_clip
from facedouble.faces.identify import CONFLICT, Doubt, Limits, People, Person, Piece, looks_at, verify
from facedouble.media.probe import probe
from facedouble.options import Options
from facedouble.pipeline.analyse import Analysis, Eyes, Role, analyse
from facedouble.pipeline.casting import open_recogniser
from facedouble.pipeline.double import photo_frame
from facedouble.pipeline.people import (
    LOOKS,
    PAGE_ROWS,
    ROW,
    Glance,
    Looks,
    alike,
    best,
    choose,
    closely,
    dense_frames,
    meetings,
    reach,
    sheet,
    who_is_who,
    worth_of,
)
from facedouble.protect.veil import head_covers
from facedouble.types import Box, Face, Frame, Recogniser, Track

RATE, SIDE, EACH = Fraction(25), 300, 14
ORDER = ("astronaut", "admiral", "astronaut")


def film() -> Iterator[Frame]:
    """Portraits that sway a little, one after the other."""
    for i in range(EACH * len(ORDER)):
        rgb = portrait_pixels(ORDER[i // EACH], 320)
        sway = np.array([[1, 0, 4 * np.sin(i / 3) - 4], [0, 1, 2 * np.cos(i / 4) - 4]])
        full = photo_frame(cv2.warpAffine(rgb, sway, (SIDE // 2 * 2, SIDE), borderMode=cv2.BORDER_REPLICATE), 0)
        small = [cv2.resize(p, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA) for p in full.planes[1:]]
        yield replace(full, index=i, ticks=i, time_base=1 / RATE, planes=(full.planes[0], *small), pixel_format="yuv420p")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, eyes: Eyes) -> Analysis:
    path: Path = tmp_path_factory.mktemp("film") / "film.mp4"
    write_clip(path, film(), SIDE, SIDE, RATE, [])
    return analyse(probe(path), eyes, Options())


@pytest.fixture(scope="module")
def recognise() -> Recogniser:
    return open_recogniser()


@pytest.fixture(scope="module")
def known(made: Analysis, recognise: Recogniser) -> tuple[People, Looks]:
    return who_is_who({"A": made}, recognise)


def test_who_returns_after_a_cut_is_known_again(made: Analysis, known: tuple[People, Looks]) -> None:
    people, looks = known
    astronaut, admiral = people.people
    assert [p.track for p in astronaut.pieces] == [0, 2] and [p.track for p in admiral.pieces] == [1]
    assert astronaut.sure and admiral.sure and astronaut.confidence > 0.5
    assert [(r.track.start, r.track.stop) for r in made.roles] == [(0, 14), (14, 28), (28, 42)]
    assert all(1 < len(s.frames) <= LOOKS for s in looks.seen) and not looks.meetings


def test_who_is_to_be_shown_is_shown_and_nobody_else(made: Analysis, known: tuple[People, Looks], recognise: Recogniser) -> None:
    people, looks = known
    views = [looks_at(p, looks.seen) for p in people.people]
    close = closely("A", made, [0, 1, 2], looks.seen, recognise)
    assert close[0].frames[0] == 0 and len(close[0].frames) < EACH
    assert [verify(close[t], views[0], views[1:], reach=reach(made)).mean() for t in (0, 1, 2)] == [1, 0, 1]


def test_the_sheet_has_a_row_for_everybody(known: tuple[People, Looks]) -> None:
    people, looks = known
    pages = [cv2.imdecode(np.frombuffer(p, np.uint8), cv2.IMREAD_COLOR) for p in sheet(people, looks.glances)]
    assert [p.shape[0] for p in pages] == [2 * ROW] and np.ptp(pages[0][:ROW, 300:400]) > 100
    crowd = People(tuple(Person((Piece("A", k, 0, 9),), 0.0, False, CONFLICT) for k in range(300)), (), ())
    pages = [cv2.imdecode(np.frombuffer(p, np.uint8), cv2.IMREAD_COLOR) for p in sheet(crowd, looks.glances)]
    assert sum(p.shape[0] for p in pages) == 300 * ROW and max(p.shape[0] for p in pages) == PAGE_ROWS * ROW
    assert sheet(People((), (), ()), ()) == []


def test_the_sheet_says_who_may_be_the_same() -> None:
    people = People(tuple(Person((Piece("A", k, 0, 9),), 0.2) for k in range(3)), (Doubt(0, 2, 0.5),), (Doubt(0, 1, 0.2),))
    assert [alike(people, k, ["P1", "P2", "P3"]) for k in range(3)] == [["P2", "P3"], ["P1"], ["P1"]]


def test_thumbnails_are_spread_over_the_pieces() -> None:
    person = Person((Piece("A", 0, 0, 50), Piece("B", 1, 0, 10)), 1.0)
    glances = [Glance("A", 0, k, k / 25, k / 50, b"") for k in range(0, 50, 10)] + [Glance("B", 1, 3, 0.1, 0.01, b"")]
    assert [(g.clip, g.frame) for g in best(person, glances, 3)] == [("A", 30), ("A", 40), ("B", 3)]


def test_looks_are_spread_and_the_best(analysis: Analysis) -> None:
    worth = np.full(100, 0.5)
    worth[[7, 60]] = 1.0
    worth[90:] = 0
    picked = choose(worth, 25)
    assert len(picked) == LOOKS and {7, 60} <= set(picked) and picked.max() < 90
    assert choose(np.zeros(9), 25).tolist() == [4]  # for the thumbnail
    assert LOOKS < len(choose(np.ones(25 * 60), 25)) <= 40
    role = analysis.roles[0]
    dense = dense_frames(role, 25.0)
    assert np.diff(dense).max() <= 8 and dense_frames(role, 25.0, dense) == []
    assert (worth_of(role) > 0).mean() > 0.9 and worth_of(role).max() <= 1


def test_a_track_without_landmarks_gets_a_thumbnail_and_is_not_sure(made: Analysis, recognise: Recogniser) -> None:
    people, looks = who_is_who({"A": replace(made, roles=(replace(made.roles[0], fit=None),))}, recognise, Limits())
    assert [p.sure for p in people.people] == [False] and len(looks.glances) == 1 and looks.glances[0].jpeg


def test_tracks_meet_where_they_are_seen_apart() -> None:
    def role(number: int, x: float, start: int, stop: int, observed: bool = True) -> Role:
        track = Track(number, [Face(f, Box(x, 0, x + 40, 40), 1.0, observed) for f in range(start, stop)])
        return Role(track, None, np.zeros(stop - start), head_covers(track.boxes))

    roles = [role(0, 0, 0, 50), role(1, 100, 30, 80), role(2, 105, 30, 80), role(3, 300, 0, 90, observed=False)]
    assert [(m.one, m.other, m.start, m.stop) for m in meetings("A", roles)] == [(0, 1, 30, 50), (0, 2, 30, 50)]
