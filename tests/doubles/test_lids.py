"""Painted lids of a double that was never seen with its eyes closed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from facedouble.doubles.capture import Selection, assemble
from facedouble.doubles.lids import LID_HEIGHT, closed, shut
from facedouble.doubles.mannequin import mannequin
from facedouble.morphable import layout
from facedouble.morphable.semantics import semantics
from facedouble.morphable.topology import topology
from facedouble.raster import blur
from facedouble.types import Consent, Floats


@pytest.fixture(scope="module")
def made_up() -> Floats:
    """Open eyes of a mannequin under a broad black bar of lashes."""
    texture: Floats = mannequin().textures[0].astype(np.float32)
    upper = topology().atlas[layout.RIGHT_UPPER_LID[2:-2] + layout.LEFT_UPPER_LID[2:-2]]
    for x, y in np.round(upper).astype(int):
        texture[y - 16 : y - 2, x - 8 : x + 9] = 0.03
    return texture


def test_lashes_give_way_to_skin_and_nothing_else_changes(made_up: Floats) -> None:
    out = shut(made_up)
    t = topology()
    changed = np.abs(out - made_up).max(-1) > 1e-3
    for ids in (layout.RIGHT_UPPER_LID, layout.LEFT_UPPER_LID):
        x, y = np.round(t.atlas[ids[4]]).astype(int)
        assert made_up[y - 14 : y - 6, x - 6 : x + 7].mean() < 0.05 < 0.6 < out[y - 14 : y - 6, x - 6 : x + 7].mean()
    rows, columns = np.nonzero(changed)
    lids = t.atlas[layout.RIGHT_UPPER_LID + layout.LEFT_UPPER_LID]
    assert rows.min() > lids[:, 1].min() - LID_HEIGHT - 12 and rows.max() < lids[:, 1].max() + 22
    assert columns.min() > lids[:, 0].min() - 40 and columns.max() < lids[:, 0].max() + 40
    brows = np.round(t.atlas[layout.RIGHT_BROW + layout.LEFT_BROW]).astype(int)
    assert np.abs(blur(out, 1) - blur(made_up, 1)).max(-1)[brows[:, 1], brows[:, 0]].max() < 0.05


def test_closed_lids_meet_and_the_rest_of_the_face_stays() -> None:
    shape = mannequin().neutral.astype(float)
    asleep = closed(shape)
    before, after = semantics(shape[None]), semantics(asleep[None])
    assert float(after.right_aperture[0]) < 0.02 < 0.2 < float(before.right_aperture[0])
    assert float(after.gap[0]) == float(before.gap[0])
    lids = layout.RIGHT_UPPER_LID + layout.RIGHT_LOWER_LID + layout.LEFT_UPPER_LID + layout.LEFT_LOWER_LID
    rest = np.setdiff1d(np.arange(len(shape)), lids)
    assert np.array_equal(asleep[rest], shape[rest])


@pytest.mark.parametrize("seen", [True, False])
def test_a_double_gets_them_only_if_its_own_were_not_seen(made_up: Floats, seen: bool) -> None:
    source = mannequin()
    features = semantics(source.neutral.astype(float)[None]).features()
    chosen = Selection((0,), source.neutral.astype(float), features, source.gaze_middle.astype(float), 0, 0.0, 0.0,
                       {"neutral": True, "eyes closed": seen}, "basic")
    double = assemble(chosen, [made_up], source.iris, Consent("t", ("test",), "2026-01-01"))
    assert len(double.textures) == len(double.features) == (1 if seen else 2)
    assert double.coverage["eyes closed"] is seen
    if not seen:
        lids = [4, 5]
        assert (double.features[1, lids] < 0.02).all() and (double.features[0, lids] > 0.2).all()
        assert np.array_equal(double.features[0, :4], double.features[1, :4])  # the mouth
        assert replace(double, id="").textures[1].max() <= made_up.max() + 0.2
