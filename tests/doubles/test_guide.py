"""The capture sheet: its parts are what the tool looks for, its drawings show them, and the page is whole."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from facedouble.doubles.capture import coverage, moments
from facedouble.doubles.drawing import Look, draw, face
from facedouble.doubles.guide import PARTS, Part, capture_sheet, sheet
from facedouble.doubles.page import MARGIN, PIXELS, render
from facedouble.errors import StoreError, UsageError
from facedouble.morphable.semantics import semantics
from facedouble.types import Array


def shown(looks: tuple[Look, ...]) -> dict[str, Array]:
    """What the coverage report finds in the drawn faces."""
    angles = np.array([(look.yaw, look.pitch, look.roll) for look in looks])
    return moments(semantics(np.stack([face(look) for look in looks])), angles, semantics(face(Look())[None]))


def test_twelve_parts_and_the_report_share_their_names() -> None:
    names = [name for part in PARTS for name in part.finds]
    rest = semantics(face(Look())[None])
    assert len(PARTS) == 12 and len(names) == len(set(names))
    assert set(names) == set(coverage(rest, np.zeros((1, 3)), rest))
    assert {p.title for p in PARTS if not p.finds} == {"Three blinks", "Say “a, e, i, o, u”", "Puffed cheeks"}


@pytest.mark.parametrize("part", [p for p in PARTS if p.finds], ids=lambda p: str(p.title))
def test_a_drawing_shows_what_the_report_looks_for(part: Part) -> None:
    found = shown(part.looks)
    assert [name for name in part.finds if not found[name].any()] == []


def test_a_face_at_rest_shows_nothing_but_rest() -> None:
    assert [name for name, seen in shown((Look(),)).items() if seen.any()] == ["neutral"]


def test_left_is_the_persons_left() -> None:
    found = shown((Look(yaw=-30), Look(lids=(1, 0))))
    assert found["turn left"].tolist() == [True, False] and found["wink left"].tolist() == [False, True]
    for look in (Look(yaw=-30), Look(lids=(1, 0))):
        for stroke in draw(look):
            assert np.isfinite(stroke.points).all() and stroke.points.shape[1] == 2
    face_edge = max((s for s in draw(Look(yaw=-30)) if s.width == 1.3), key=lambda s: len(s.points))
    nose = max((s for s in draw(Look(yaw=-30)) if s.width == 0.9), key=lambda s: len(s.points))
    assert nose.points[:, 0].mean() > face_edge.points[:, 0].mean() + 0.1  # the person's left is right in the picture


def picture(data: bytes) -> Array:
    page: Array = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    return page


def test_the_page_is_whole_and_nothing_runs_over_its_edge(tmp_path: Path) -> None:
    capture_sheet(tmp_path / "sheet.png")
    page = picture((tmp_path / "sheet.png").read_bytes())
    assert page.shape == (int(11.69 * PIXELS), int(8.27 * PIXELS))
    edge = int((MARGIN - 0.1) * PIXELS)
    for strip in (page[:edge], page[-edge:], page[:, :edge], page[:, -edge:]):
        assert (strip == 255).all()
    assert 0.02 < (page < 128).mean() < 0.15
    rows = (page < 128).any(1)
    assert rows[edge : edge + 80].any() and rows[-edge - 100 :].any()


def test_the_same_bytes_each_time_and_no_date(tmp_path: Path) -> None:
    for kind in ("pdf", "png"):
        assert render(sheet(), kind) == render(sheet(), kind)
    capture_sheet(tmp_path / "sheet.pdf")
    data = (tmp_path / "sheet.pdf").read_bytes()
    assert data[:5] == b"%PDF-" and len(re.findall(rb"/Type /Page\b", data)) == 1
    for tag in (b"CreationDate", b"Producer", b"/Author"):
        assert tag not in data


def test_destinations_that_will_not_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="pdf"):
        capture_sheet(tmp_path / "sheet.doc")
    (tmp_path / "sheet.pdf").write_bytes(b"mine")
    with pytest.raises(StoreError, match="exists"):
        capture_sheet(tmp_path / "sheet.pdf")
    assert (tmp_path / "sheet.pdf").read_bytes() == b"mine"
