"""The rehearsal with the real recogniser: the witness's own face is veiled, another is drawn; the troupe's best is picked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from facedouble.demo.witness import portrait_pixels, read_portrait
from facedouble.errors import UsageError
from facedouble.media.decode import frames
from facedouble.options import DrawOptions, Options
from facedouble.pipeline import rehearse as module
from facedouble.pipeline.analyse import Analysis, Eyes
from facedouble.pipeline.casting import open_recogniser
from facedouble.pipeline.rehearse import LEAST, Likeness, looks, near, rehearse
from facedouble.pipeline.render import Voice, render
from facedouble.pipeline.stage import perform
from facedouble.types import Double, Recogniser
from tests.conftest import HEIGHT


@pytest.fixture(scope="module")
def recognise() -> Recogniser:
    return open_recogniser()


@pytest.fixture(scope="module")
def own(eyes: Eyes) -> Double:
    """A double of the very person in the clip."""
    return read_portrait(portrait_pixels("astronaut", HEIGHT), eyes).double


def test_the_witness_is_not_shown_as_the_witness(analysis: Analysis, own: Double, recognise: Recogniser, tmp_path: Path) -> None:
    staged = rehearse(analysis, own, Options(), recognise)
    role = staged.roles[0]
    assert role.weights.max() < 1 and role.alike
    report, _ = render(staged, tmp_path / "veiled.mp4", own, Voice(), Options())
    assert report.people[0].doubled == 0 and report.people[0].veiled > 0.9 * report.people[0].frames
    assert any("too like the witness" in s.why for s in report.spans)


def test_somebody_else_is_shown(analysis: Analysis, double: Double, recognise: Recogniser) -> None:
    staged = rehearse(analysis, double, Options(), recognise)
    assert np.array_equal(staged.roles[0].weights, analysis.roles[0].weights) and not staged.roles[0].alike


def test_of_a_troupe_the_first_that_hides_is_picked(analysis: Analysis, own: Double, double: Double,
                                                    recognise: Recogniser) -> None:
    assert rehearse(analysis, (own, double), Options(), recognise).roles[0].pick == 1
    assert rehearse(analysis, (double, own), Options(), recognise).roles[0].pick == 0


def test_looks_are_few_and_where_the_double_is(analysis: Analysis) -> None:
    role = analysis.roles[0]
    assert len(looks(role, 25.0)) == LEAST and len(looks(role, 1.0)) > 20
    weights = np.zeros(len(role.weights))
    assert looks(replace(role, weights=weights), 25.0) == []
    weights[7] = 1
    assert looks(replace(role, weights=weights), 25.0) == [role.track.start + 7]


def test_near_is_the_lesser_distance() -> None:
    own, drawn = np.zeros((2, 128), np.float32), np.zeros((2, 128), np.float32)
    own[:, 0] = 0, 1
    drawn[:, 0] = 0.7, 1.2
    assert np.allclose(near(own, drawn), [0.2, 0.2])


def test_what_cannot_be_told_is_veiled(analysis: Analysis, double: Double, recognise: Recogniser,
                                       monkeypatch: pytest.MonkeyPatch) -> None:
    """A drawing that breaks, an embedding that is no number, frames that cannot be looked at: none of them shows the double."""
    def broken(*_: object) -> None:
        raise ValueError("broken")

    def veiled() -> bool:
        role = rehearse(analysis, double, Options(), recognise).roles[0]
        return role.weights.max() == 0 and role.alike[0][0] == role.track.start

    assert np.array_equal(near(np.full((1, 128), np.nan, np.float32), np.zeros((1, 128), np.float32)), [0])
    assert not veiled()
    with monkeypatch.context() as patch:
        patch.setattr(module, "compose", broken)
        assert veiled()
    with monkeypatch.context() as patch:
        patch.setattr(module, "embed", lambda *_: np.full(128, np.nan, np.float32))
        assert veiled()
    with monkeypatch.context() as patch:
        patch.setattr(module, "frames", lambda info: (replace(f, corrupt=True) for f in frames(info)))
        assert veiled()


def test_a_decision_needs_a_name_and_a_reason() -> None:
    with pytest.raises(UsageError, match="by name and with a reason"):
        Likeness("somebody", " ").check()
    assert Likeness("somebody", "she asked for it").given


def test_calm_reaches_the_codes_that_are_played(analysis: Analysis, double: Double) -> None:
    role = analysis.roles[0]
    plain = perform(role, double, Options(), 25.0)
    calm = perform(role, double, Options(draw=DrawOptions(calm=1.0)), 25.0)
    assert plain is not None and calm is not None and role.fit is not None
    assert plain.codes[9].pack() == role.fit.codes[9].pack()
    assert not np.allclose(calm.codes[9].expression, plain.codes[9].expression)
    assert np.array_equal(calm.codes[9].rotation, plain.codes[9].rotation)
