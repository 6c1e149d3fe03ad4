from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facedouble.errors import UsageError
from facedouble.plan import typed
from facedouble.plan.people import Decision
from facedouble.plan.read import read
from facedouble.plan.times import timecode
from facedouble.plan.values import Clip, Key, Region
from tests.plan.make import CLIPS, FILM

A, B = CLIPS
HIDE = Decision("hide", by="Lin")


@pytest.mark.parametrize(("word", "frame"), [("12", 12), ("1.0", 25), ("1s", 25), ("00:00:02.000", 50), ("0:02", 50), ("0", 0)])
def test_times(word: str, frame: int) -> None:
    assert typed.frame_of(word, A) == frame


@given(st.integers(0, 10**6), st.sampled_from(CLIPS))
def test_a_frame_and_its_timecode_are_the_same(frame: int, clip: Clip) -> None:
    assert typed.frame_of(str(frame), clip) == typed.frame_of(timecode(frame, clip.rate), clip) == frame


@pytest.mark.parametrize(("word", "key"), [
    ("12:640,420,90x60", Key(12, 640, 420, 90, 60)), ("12:640,420,90x60@-10.5", Key(12, 640, 420, 90, 60, -10.5)),
    ("00:00:01.000:-4,2.5,9x6@10", Key(25, -4, 2.5, 9, 6, 10)), ("1.0:1,2,3x4", Key(25, 1, 2, 3, 4)),
])
def test_keys(word: str, key: Key) -> None:
    assert typed.key_of(word, A) == key


@pytest.mark.parametrize("word", ["", "12", "12:1,2,3", "12:1,2,3x", "1,2,3x4", "12:1,2,3x4@", "12:1,2,0x4", "noon:1,2,3x4",
                                  "12:a,2,3x4", "12:1,2,3x4,5", "-1s:1,2,3x4", "12:1e9,2,3x4"])
def test_keys_that_are_none(word: str) -> None:
    with pytest.raises(UsageError):
        typed.key_of(word, A)


@pytest.mark.parametrize("word", ["", "noon", "12:", "-3", "1:2:3:4", "true", "9" * 20])
def test_times_that_are_none(word: str) -> None:
    with pytest.raises(UsageError, match="timecode"):
        typed.frame_of(word, A)


def test_spans() -> None:
    span = typed.span_of(A, "1.0", None, HIDE, None, 0.5, "cap", "frame")
    assert (span.start, span.stop, span.halo, span.hair, span.hide, span.dissolve) == (25, 60, 0.5, "cap", "frame", 0)
    reveal = Decision("reveal", by="Rose", reason="so")
    assert typed.span_of(A, "10", "50", reveal, "0.5", None, None, None).dissolve == 12
    for start, stop, said, lasts in (("20", "10", HIDE, None), ("0", "10", HIDE, "1"), ("0", "10", reveal, None),
                                     ("0", "10", reveal, "soon")):
        with pytest.raises(UsageError):
            typed.span_of(A, start, stop, said, lasts, None, None, None)


def test_clips() -> None:
    plan = read(FILM)
    assert typed.clip_of(plan, "B").id == "B"
    for id, says in (("", "A, B"), ("C", "no clip")):
        with pytest.raises(UsageError, match=says):
            typed.clip_of(plan, id)


def test_regions_new_and_changed() -> None:
    new = typed.region_of(None, A, "logo", ["20:1,2,3x4", "1:1,2,3x4"], None, None, None, None, None)
    assert new == Region("A", "logo", "solid", "box", (Key(1, 1, 2, 3, 4), Key(20, 1, 2, 3, 4)))
    other = typed.region_of(new, A, "logo", [], "veil", None, True, None, "2.0")
    assert other == Region("A", "logo", "veil", "box", new.keys, True, 0, 50)
    assert typed.region_of(other, A, "logo", [], None, "ellipse", False, "5", None) == Region(
        "A", "logo", "veil", "ellipse", new.keys, False, 5, 50)
    for keys, cover in (([], None), (["5:1,2,3x4", "5:1,2,3x4"], None), (["5:1,2,3x4"], "mosaic")):
        with pytest.raises(UsageError):
            typed.region_of(None, A, "logo", keys, cover, None, None, None, None)
    assert typed.length_of("2") == 2 and typed.length_of("2.5") == Fraction(5, 2)
