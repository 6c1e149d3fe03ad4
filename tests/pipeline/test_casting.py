"""Casting with the real models: the witness's own face is refused, another portrait is not; the sheet shows doubles only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from facedouble.demo.witness import portrait_pixels, read_portrait, write_clip
from facedouble.doubles.casting import ACCEPTED, DOUBLES, Verdict
from facedouble.doubles.file import write_double
from facedouble.errors import InputRefused, UsageError
from facedouble.options import Options
from facedouble.pipeline.alone import draw_alone, resting
from facedouble.pipeline.analyse import Eyes
from facedouble.pipeline.casting import (
    Candidate,
    Witness,
    check,
    doubles_in,
    embed,
    look,
    open_recogniser,
    override,
    rank,
    resemblance,
    sheet,
    witnesses,
)
from facedouble.pipeline.double import photo_frame
from facedouble.types import Double, Frame, Recogniser
from tests.conftest import FRAMES, HEIGHT

RATE, WIDTH = Fraction(25), 300


def still(name: str, frames: int) -> Iterator[Frame]:
    """A portrait that does nothing, as 4:2:0 frames of one size."""
    rgb = portrait_pixels(name, HEIGHT)[:, :WIDTH]
    full = photo_frame(rgb, 0)
    small = [cv2.resize(p, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA) for p in full.planes[1:]]
    for i in range(frames):
        yield replace(full, index=i, ticks=i, time_base=1 / RATE, planes=(full.planes[0], *small), pixel_format="yuv420p")


@pytest.fixture(scope="module")
def recognise() -> Recogniser:
    return open_recogniser()


@pytest.fixture(scope="module")
def people(witness: Path, eyes: Eyes, recognise: Recogniser) -> tuple[Witness, ...]:
    return witnesses([witness], eyes, recognise, Options())


@pytest.fixture(scope="module")
def own(eyes: Eyes) -> Double:
    """A double of the very person in the clip."""
    return read_portrait(portrait_pixels("astronaut", HEIGHT), eyes).double


@pytest.fixture(scope="module")
def same(own: Double, recognise: Recogniser) -> Candidate:
    return look(own, recognise, "same")


@pytest.fixture(scope="module")
def other(double: Double, recognise: Recogniser) -> Candidate:
    return look(double, recognise, "other")


def test_the_witness_is_found_once(people: tuple[Witness, ...]) -> None:
    person, = people
    assert person.name == "person 1" and 10 <= len(person.embeddings) <= FRAMES and set(person.source) == {0}
    assert person.yaw[0] < person.yaw[1] < 40 and 60 < person.size < HEIGHT
    assert person.does["neutral"] and not person.does["turn left"] and not person.does["turn right"]
    assert np.linalg.norm(person.embeddings - person.embeddings.mean(0), axis=1).max() < ACCEPTED / 2


def test_the_same_person_is_refused_and_the_other_is_not(people: tuple[Witness, ...], same: Candidate,
                                                         other: Candidate) -> None:
    refused, = check(same, people)
    accepted, = check(other, people)
    assert refused.verdict is Verdict.REFUSED and refused.distance < ACCEPTED - 0.1
    assert accepted.verdict is not Verdict.REFUSED and (accepted.double, accepted.whom) == (other.id, "person 1")


def test_doubles_are_checked_against_each_other(own: Double, same: Candidate, other: Candidate,
                                                recognise: Recogniser) -> None:
    twin = look(replace(own, id="twin", iris=own.iris * np.float32(0.9)), recognise)
    findings = {f.whom: f for f in check(same, (), (same, other, twin))}
    assert set(findings) == {other.id, "twin"}
    assert findings["twin"].verdict is Verdict.REFUSED and findings[other.id].distance > DOUBLES[0]


def test_the_ranking_and_its_sheet(people: tuple[Witness, ...], same: Candidate, other: Candidate) -> None:
    ranking, = rank((same, other), people)
    assert [c.name for c, _ in ranking.order] == ["other", "same"]
    turning = replace(people[0], does={"neutral": True, "turn left": True})
    assert rank((other,), (turning,))[0].order[0][1].lacking == ("turn left",)
    page = sheet((ranking,))
    assert page[:2] == b"\xff\xd8"
    faceless = replace(people[0], picture=np.zeros_like(people[0].picture), embeddings=people[0].embeddings * 0)
    assert sheet((replace(ranking, witness=faceless),)) == page  # nothing of the witness is on it but figures
    assert sheet((replace(ranking, order=ranking.order[::-1]),)) != page


def test_a_refusal_is_overridden_by_name_only(people: tuple[Witness, ...], same: Candidate) -> None:
    findings = check(same, people)
    assert override(findings, "person 1", "V7", "she plays herself").record()["by"] == "V7"
    with pytest.raises(UsageError, match="name and with a reason"):
        override(findings, "person 1", "", "she plays herself")
    with pytest.raises(UsageError, match="not among"):
        override(findings, "person 2", "V7", "she plays herself")


def test_a_drawing_is_held_against_its_witness(people: tuple[Witness, ...], own: Double, double: Double,
                                               recognise: Recogniser) -> None:
    near, far = (draw_alone(resting(d)) for d in (own, double))
    assert near is not None and far is not None
    close, away = (resemblance(np.asarray(np.clip(p * 255, 0, 255), np.uint8), m, people[0].embeddings, recognise)
                   for p, m in (near, far))
    assert close < ACCEPTED < away


def test_a_face_of_a_frame_is_embedded(own: Double, recognise: Recogniser) -> None:
    drawn = draw_alone(resting(own))
    assert drawn is not None
    picture = np.asarray(np.clip(drawn[0] * 255 + 0.5, 0, 255), np.uint8)
    found = embed(photo_frame(picture, 0), drawn[1], recognise)
    assert np.linalg.norm(found - recognise(picture, drawn[1])) < 0.05


def test_pieces_of_footage_and_two_people(eyes: Eyes, recognise: Recogniser, other: Candidate, tmp_path: Path) -> None:
    for name, portrait, count in (("a", "astronaut", 3), ("b", "admiral", 4), ("c", "astronaut", 3)):
        write_clip(tmp_path / f"{name}.mp4", still(portrait, count), WIDTH, HEIGHT, RATE, [])
    one, two = witnesses([tmp_path / f"{name}.mp4" for name in "abc"], eyes, recognise, Options())
    assert (set(one.source), set(two.source)) == ({0, 2}, {1}) and len(one.embeddings) == 6
    assert [f.verdict is Verdict.REFUSED for f in check(other, (one, two))] == [False, True]


def test_nobody_there(eyes: Eyes, recognise: Recogniser, tmp_path: Path) -> None:
    grey = (Frame(i, i, 1, 1 / RATE, tuple(np.full((120 >> k, 160 >> k), 128, np.uint8) for k in (0, 1, 1)), "yuv420p",
                  photo_frame(np.zeros((8, 8, 3), np.uint8), 0).colour) for i in range(5))
    write_clip(tmp_path / "grey.mp4", grey, 160, 120, RATE, [])
    assert witnesses([tmp_path / "grey.mp4"], eyes, recognise, Options()) == ()
    with pytest.raises(InputRefused, match="nobody"):
        sheet(())


def test_a_folder_of_doubles(double: Double, other: Candidate, recognise: Recogniser, tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="no doubles"):
        list(doubles_in(tmp_path, recognise))
    write_double(double, tmp_path / "ana.fdouble")
    found, = doubles_in(tmp_path, recognise)
    assert (found.name, found.id, found.quality) == ("ana", double.id, "basic")
    assert np.array_equal(found.embeddings, other.embeddings)
    (tmp_path / "broken.fdouble").write_bytes(b"x")
    with pytest.raises(InputRefused, match="broken"):
        list(doubles_in(tmp_path, recognise))
