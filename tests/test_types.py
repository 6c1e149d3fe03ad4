from __future__ import annotations

import dataclasses
import pickle
import subprocess
import sys
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facedouble.types import (
    CODE,
    CODE_FLOATS,
    EXPRESSION,
    LANDMARKS,
    LIGHT,
    LIP_GAPS,
    Box,
    ClipCode,
    Colour,
    Consent,
    Double,
    Face,
    FaceCode,
    Frame,
    Rows,
    SafeFrame,
    Track,
    frozen,
)

SHAPES = {"rotation": 3, "translation": 3, "expression": EXPRESSION, "lids": 2, "lips": LIP_GAPS, "gaze": 4,
          "light": LIGHT}


def a_frame(width: int = 6, height: int = 4) -> Frame:
    luma, chroma = np.zeros((height, width), np.uint8), np.full((height // 2, width // 2), 128, np.uint8)
    return Frame(3, 1001, 1001, Fraction(1, 24000), (luma, chroma, chroma.copy()), "yuv420p", Colour())


def a_code(numbers: Any) -> FaceCode:
    parts = np.split(np.asarray(numbers, np.float32)[1:], np.cumsum(list(SHAPES.values()))[:-1])
    return FaceCode(float(np.float32(numbers[0])), **dict(zip(SHAPES, parts, strict=True)))


def a_double(**changes: Any) -> Double:
    held: dict[str, Any] = {f.name: np.zeros(2, np.float32) for f in dataclasses.fields(Double)}
    held |= {"id": "d1", "neutral": np.zeros((LANDMARKS, 3), np.float32),
             "textures": np.zeros((2, 4, 4, 3), np.float16), "features": np.zeros((2, 8), np.float32),
             "quality": "good", "coverage": {"blink": True}, "consent": Consent("V1", ("film",), "2026-11-20")}
    return Double(**(held | changes))


VALUES = [
    a_frame(), a_code(np.arange(CODE_FLOATS)), a_double(),
    Track(1, (Face(4, Box(0, 0, 2, 2), 0.9), Face(5, Box(0, 0, 2, 2), 0.0, observed=False))),
]


def arrays(value: Any) -> list[Any]:
    held = [getattr(value, f.name) for f in dataclasses.fields(value)]
    flat = [item for h in held for item in (h if isinstance(h, tuple) else (h,))]
    return [item for item in flat if isinstance(item, np.ndarray)]


@pytest.mark.parametrize("value", VALUES, ids=lambda v: type(v).__name__)
def test_a_trip_through_pickle_changes_nothing_and_keeps_arrays_read_only(value: Any) -> None:
    copy = pickle.loads(pickle.dumps(value))
    assert type(copy) is type(value)
    for before, after in zip(arrays(value), arrays(copy), strict=True):
        assert np.array_equal(before, after) and before.dtype == after.dtype
        for array in (before, after):
            assert not array.flags.writeable
            with pytest.raises(ValueError, match="read-only"):
                array[...] = 1


@pytest.mark.parametrize("value", VALUES, ids=lambda v: type(v).__name__)
def test_fields_cannot_be_set(value: Any) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, dataclasses.fields(value)[0].name, None)


def test_freezing_leaves_the_callers_array_alone() -> None:
    own = np.zeros(3)
    assert not frozen(own).flags.writeable
    own[0] = 1


numbers32 = st.floats(width=32, allow_nan=False, allow_infinity=False)


@given(st.lists(numbers32, min_size=CODE_FLOATS, max_size=CODE_FLOATS))
def test_a_code_survives_packing_exactly(numbers: list[float]) -> None:
    code = a_code(numbers)
    data = code.pack()
    assert len(data) == CODE_FLOATS * 4
    assert data == np.asarray(numbers, "<f4").tobytes()
    back = FaceCode.unpack(data)
    assert back.pack() == data
    for name, length in SHAPES.items():
        assert getattr(back, name).shape == (length,)


@pytest.mark.parametrize("data", [
    b"", bytes(CODE_FLOATS * 4 - 4), bytes(CODE_FLOATS * 4 + 4), bytes(CODE_FLOATS * 4 - 1),
    np.full(CODE_FLOATS, np.nan, "<f4").tobytes(),
    np.asarray([0.0] * (CODE_FLOATS - 1) + [np.inf], "<f4").tobytes(),
], ids=["empty", "short", "long", "ragged", "nan", "inf"])
def test_a_bad_code_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError):  # NumPy words the ragged case
        FaceCode.unpack(data)


def test_the_bottleneck_has_the_documented_width() -> None:
    assert CODE_FLOATS == 123 == 1 + sum(SHAPES.values())
    clip = ClipCode(1, 2, 3, 4, 5, (6, 7), (8, 9), (10, 11), 12, 13, 14)
    assert clip.floats() == list(range(1, 15))


@pytest.mark.parametrize("corners", [(0, 0, 0, 1), (0, 0, 1, 0), (2, 0, 1, 1), (0, 0, float("nan"), 1)])
def test_empty_boxes_are_refused(corners: tuple[float, float, float, float]) -> None:
    with pytest.raises(ValueError, match="empty box"):
        Box(*corners)


def test_box_measures() -> None:
    box = Box(1, 2, 4, 8)
    assert (box.width, box.height, box.centre, box.area) == (3, 6, (2.5, 5), 18)


def test_tracks_have_no_gaps() -> None:
    first, third = Face(0, Box(0, 0, 1, 1), 1), Face(2, Box(0, 0, 1, 1), 1)
    with pytest.raises(ValueError, match="gaps"):
        Track(1, (first, third))
    track = Track(1, (first,))
    assert (track.start, track.stop, track.at(0), track.at(1), track.at(-1)) == (0, 1, first, None, None)


def test_a_track_is_numbers_until_a_face_is_asked_for() -> None:
    faces = tuple(Face(i, Box(i, 0, i + 2.5, 3), 0.25 * i, i % 2 == 0) for i in range(4))
    track = Track(1, faces)
    assert tuple(track.faces) == faces and list(track.boxes) == [f.box for f in faces]
    assert track.rows.nbytes == 4 * 49 and not track.rows.flags.writeable
    copy = pickle.loads(pickle.dumps(track))
    assert copy == track != Track(1, faces[:3]) and not copy.rows.flags.writeable


def test_rows_are_a_sequence_of_values() -> None:
    rows = Rows(np.arange(3 * CODE_FLOATS, dtype=np.float32).reshape(3, -1), FaceCode.of)
    assert len(rows) == len(list(rows)) == 3 and rows[-1].pack() == rows[2].pack() == rows.numbers[2].tobytes()
    assert rows[1:].numbers.shape == (2, CODE_FLOATS) and rows == pickle.loads(pickle.dumps(rows)) != rows[1:]
    with pytest.raises(IndexError):
        rows[3]
    with pytest.raises(ValueError, match="read-only"):
        rows[0].light[0] = 1


def test_the_names_of_a_codes_numbers_are_its_fields() -> None:
    code = a_code(np.arange(CODE_FLOATS))
    packed = np.frombuffer(code.pack(), "<f4")
    assert list(CODE) == [f.name for f in dataclasses.fields(FaceCode)]
    assert all(np.array_equal(packed[part], np.ravel(getattr(code, name))) for name, part in CODE.items())


def test_frames_have_three_planes_and_know_their_time() -> None:
    frame = a_frame()
    assert (frame.width, frame.height, frame.depth, frame.chroma_shift) == (6, 4, 8, (1, 1))
    assert frame.time == Fraction(1001, 24000)
    with pytest.raises(ValueError, match="three planes"):
        dataclasses.replace(frame, planes=frame.planes[:1])


def test_arrays_of_doubles_and_patches_have_to_fit() -> None:
    with pytest.raises(ValueError, match="fit"):
        a_double(neutral=np.zeros((LANDMARKS, 2), np.float32))
    with pytest.raises(ValueError, match="fit"):
        a_double(features=np.zeros((3, 8), np.float32))


@pytest.mark.parametrize("seal", [None, object(), "seal", type("_Seal", (), {})()])
def test_a_foreign_seal_makes_no_safe_frame(seal: Any) -> None:
    with pytest.raises(TypeError, match="only protect"):
        SafeFrame(seal, a_frame(), hidden=False)


def test_there_is_one_seal() -> None:
    # in a process of its own, because protect.composite takes the seal of this one
    code = "from facedouble.types import take_seal; take_seal(); take_seal()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "RuntimeError: the seal for safe frames is taken" in done.stderr
