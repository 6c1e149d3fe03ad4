"""Consent, the `.fdouble` file, and what is refused."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from facedouble.consent import check_consent, read_consent
from facedouble.demo.witness import portrait_pixels
from facedouble.doubles.capture import texture
from facedouble.doubles.file import identity, read_double, write_double
from facedouble.errors import ConsentError, InputRefused, StoreError
from facedouble.morphable import layout
from facedouble.morphable.topology import topology
from facedouble.options import Options
from facedouble.pipeline.analyse import Eyes
from facedouble.pipeline.double import make_double
from facedouble.pipeline.portrait import portrait
from facedouble.raster import display, render
from facedouble.types import Consent, Double

GOOD = 'code = "V7"\nscope = ["film", "test"]\ndate = 2026-01-31\nuntil = 2030-01-01\nnote = "told in person"\n'


def written(folder: Path, text: str) -> Path:
    (folder / "consent.toml").write_text(text)
    return folder / "consent.toml"


def test_a_good_record(tmp_path: Path) -> None:
    consent = read_consent(written(tmp_path, GOOD))
    assert consent == Consent("V7", ("film", "test"), "2026-01-31", "2030-01-01", "told in person")


@pytest.mark.parametrize(("change", "says"), [
    (("code", "kode"), "unknown entry"), (('code = "V7"\n', ""), "who consents"), (('"film", "test"', '"party"'), "scope"),
    (("scope", "scopes"), "unknown"), (("date = 2026-01-31", 'date = "soon"'), "no date"), (("date = 2026-01-31\n", ""), "date"),
    (("[", ""), "TOML"),
])
def test_bad_records_say_what_is_missing(change: tuple[str, str], says: str, tmp_path: Path) -> None:
    with pytest.raises(ConsentError, match=says):
        read_consent(written(tmp_path, GOOD.replace(*change)))


def test_dates_count() -> None:
    consent = Consent("V7", ("film",), "2026-01-31", "2026-06-30")
    check_consent(consent, dt.date(2026, 3, 1))
    for day in (dt.date(2026, 7, 1), dt.date(2026, 1, 1)):
        with pytest.raises(ConsentError):
            check_consent(consent, day)


def test_a_double_comes_back_whole(double: Double, tmp_path: Path) -> None:
    write_double(double, tmp_path / "a.fdouble")
    again = read_double(tmp_path / "a.fdouble")
    assert again.id == double.id == identity(again) and again.consent == double.consent
    assert np.array_equal(again.textures, double.textures) and again.coverage == double.coverage
    with pytest.raises(StoreError, match="exists"):
        write_double(double, tmp_path / "a.fdouble")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.fdouble"]


def test_a_damaged_double_is_refused(double: Double, tmp_path: Path) -> None:
    write_double(double, tmp_path / "a.fdouble")
    data = bytearray((tmp_path / "a.fdouble").read_bytes())
    bad = tmp_path / "b.fdouble"
    for made in (b"", b"text", bytes(data[:-1]), bytes(data[:500])):
        bad.write_bytes(made)
        with pytest.raises(InputRefused):
            read_double(bad)
    data[-100] ^= 1
    bad.write_bytes(data)
    with pytest.raises(InputRefused):
        read_double(bad)
    with pytest.raises(InputRefused, match="no such"):
        read_double(tmp_path / "none.fdouble")


def test_a_changed_identity_is_refused(double: Double, tmp_path: Path) -> None:
    write_double(replace(double, id="0" * 16), tmp_path / "a.fdouble")
    with pytest.raises(InputRefused, match="changed"):
        read_double(tmp_path / "a.fdouble")


def test_a_photo_makes_a_basic_double(double: Double) -> None:
    assert double.quality == "basic" and double.coverage["neutral"]
    assert len(double.textures) == 2 and not double.coverage["eyes closed"]  # the second has painted lids
    assert 0.15 < double.iris[0, 0] < 0.3
    rise = np.diff(double.lip_response, axis=0)
    assert (rise > 0).all()
    assert portrait(double)[:2] == b"\xff\xd8"


def test_material_without_a_face_or_neutral_is_refused(tmp_path: Path, eyes: Eyes) -> None:
    consent = Consent("V7", ("test",), "2026-01-01")
    cv2.imwrite(str(tmp_path / "wall.png"), np.full((300, 300, 3), 128, np.uint8))
    with pytest.raises(InputRefused, match="no face"):
        make_double([tmp_path / "wall.png"], consent, eyes, Options())
    smile = portrait_pixels("astronaut", 600)
    cv2.imwrite(str(tmp_path / "smile.png"), smile[..., ::-1])
    with pytest.raises(InputRefused, match="neutral"):
        make_double([tmp_path / "smile.png"], consent, eyes, Options())
    small = cv2.resize(smile, None, fx=0.2, fy=0.2, interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(tmp_path / "small.png"), small[..., ::-1])
    with pytest.raises(InputRefused):
        make_double([tmp_path / "small.png"], consent, eyes, Options())


@pytest.mark.parametrize("level", [0.25, 0.1])
def test_brows_are_as_dark_as_they_are_filmed(level: float) -> None:
    """Skin of which a tenth of the light comes back, in soft light: with the chroma's floor in it, .16 and .21 were painted."""
    t = topology()
    marks = t.mean * 90 + [100, 100, 0]
    light = np.zeros(69, np.float32)
    light[:3] = level
    dark = np.isin(np.arange(468), layout.RIGHT_BROW + layout.LEFT_BROW)
    ids, seen = render(marks[:468], t.triangles, level * np.where(dark, 0.1, 1.0)[:, None] * np.ones(3), 200, 200)
    atlas = texture(display(np.where(ids[..., None] >= 0, seen, level).astype(np.float32)), marks, light, clean=False)
    x, y = np.round(t.atlas[layout.RIGHT_BROW]).astype(int).T
    assert np.median(atlas[y, x]) == pytest.approx(0.1, abs=0.04 if level < 0.2 else 0.03)
    x, y = np.round(t.atlas[t.skin_points]).astype(int).T
    assert np.median(atlas[y, x]) == pytest.approx(1, abs=0.02)
