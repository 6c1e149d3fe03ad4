"""The mannequin: nobody's face, the same on every machine, drawn like any double."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from facedouble.doubles.consent import SCOPES, check_consent
from facedouble.doubles.file import identity, read_double, write_double
from facedouble.doubles.mannequin import OPENINGS, mannequin, neutral_shape
from facedouble.morphable import layout
from facedouble.morphable.semantics import semantics
from facedouble.morphable.topology import topology
from facedouble.types import Array

ID = "fb6f38bb88c5daee"
LEAST_CPU = {"NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3 AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL",
             "OPENCV_CPU_DISABLE": "AVX2,AVX512-SKX", "OPENBLAS_CORETYPE": "Nehalem", "PYTHONWARNINGS": "ignore"}


def at(texture: Array, ids: list[int]) -> Array:
    """(3,) mean albedo at some vertices."""
    x, y = np.round(topology().atlas[ids]).astype(int).T
    colour: Array = texture[y, x].astype(float).mean(0)
    return colour


def test_it_is_the_same_everywhere() -> None:
    """A change of the picture has to change this id on purpose; another processor must not."""
    assert mannequin().id == ID == identity(mannequin())
    program = "from facedouble.doubles.mannequin import mannequin; print(mannequin().id)"
    other = subprocess.run([sys.executable, "-c", program], env=os.environ | LEAST_CPU, capture_output=True, text=True,
                           check=True)
    assert other.stdout.strip() == ID


def test_it_comes_back_whole(tmp_path: Path) -> None:
    write_double(mannequin(), tmp_path / "m.fdouble")
    again = read_double(tmp_path / "m.fdouble")
    assert again.id == ID and again.consent == mannequin().consent and np.array_equal(again.textures, mannequin().textures)


def test_it_belongs_to_nobody() -> None:
    consent = mannequin().consent
    assert consent.who == "mannequin" and consent.scope == SCOPES and consent.until is None and "nobody" in consent.note
    check_consent(consent, dt.date(2026, 1, 1))


def test_its_shape_is_the_even_mean_with_lips_closed() -> None:
    t, shape = topology(), neutral_shape()
    assert np.abs(shape - shape[t.mirror] * [-1, 1, 1]).max() < 1e-4
    upper = [v for v in range(468) if t.mean[v, 1] < t.mean[2, 1] - 0.02 and v not in layout.OVAL]
    assert np.abs(shape[upper] - t.mean[upper]).max() < 0.03
    measured = semantics(shape[None])
    assert float(measured.gap[0]) < 0.01 < 0.2 < float(measured.right_aperture[0])
    assert (shape[layout.LOWER_INNER_LIP, 1] - shape[layout.UPPER_INNER_LIP, 1]).min() > -1e-3


def test_its_skin_is_mean_skin_and_even() -> None:
    textures = mannequin().textures.astype(np.float64)
    assert np.isfinite(textures).all() and textures.min() >= 0 and textures.max() < 2
    t = topology()
    x, y = np.round(t.atlas[t.skin_points]).astype(int).T
    skin = textures[0][y, x]
    assert np.abs(skin.mean(0) - 1).max() < 0.02 and 0.005 < skin.std() < 0.2
    mirrored = np.roll(textures[0][:, ::-1], 1, axis=1)
    assert np.abs(textures[0] - mirrored).mean() < 0.05


def test_it_has_features() -> None:
    awake, asleep = mannequin().textures[0], mannequin().textures[1]
    cheek, lip, brow = at(awake, [50, 280]), at(awake, [16, 315, 85, 72, 302]), at(awake, [52, 282, 65, 295])
    assert lip[0] > 1.25 * lip[1] and lip.mean() < 0.85 * cheek.mean()
    assert brow.mean() < 0.7 * cheek.mean()
    assert at(awake, [98, 327, 60, 290]).mean() < 0.9
    crease = np.abs(awake.astype(float) - asleep.astype(float)).mean(-1)
    assert crease[at_rows(27)].max() > 0.1 > 0.01 > crease[at_rows(152)].max()


def at_rows(vertex: int) -> tuple[slice, slice]:
    """A window of the atlas around and below a vertex."""
    x, y = np.round(topology().atlas[vertex]).astype(int)
    return np.s_[y - 5 : y + 30, x - 30 : x + 30]


@pytest.mark.parametrize("key", [2, 3, 4])
def test_an_open_mouth_has_teeth_and_a_dark_inside(key: int) -> None:
    """The wider it is open, the smaller the share that teeth take of it."""
    double, t = mannequin(), topology()
    assert float(double.features[key, 0]) == pytest.approx(OPENINGS[key - 2], abs=0.002)
    (x, top), (_, bottom) = t.atlas[13], t.atlas[14]
    column = double.textures[key, round(top) : round(bottom) + 1, round(x) - 30].astype(float)
    assert column[3:-3].max() > 0.5 and column[:, 1].min() < 0.25
    bright = [float((m.astype(float)[round(top) : round(bottom), round(x) - 30, 2] > 0.5).mean()) for m in double.textures[2:]]
    assert bright[0] > bright[1] > bright[2]


def test_closed_lids_are_a_key_frame() -> None:
    double = mannequin()
    assert float(double.features[1, 4]) < 0.02 < 0.2 < float(double.features[0, 4])
    assert np.allclose(double.features[1, :4], double.features[0, :4], atol=1e-4)
