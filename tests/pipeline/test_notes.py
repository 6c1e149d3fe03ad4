"""Notes on disk: what comes back draws the same film; what is damaged or of something else is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from facedouble.errors import InputRefused
from facedouble.options import FitOptions, Options
from facedouble.pipeline.analyse import Analysis
from facedouble.pipeline.notes import clip_code, pack, read_notes, write_notes
from facedouble.pipeline.render import Voice, render
from facedouble.types import Double

SHA = "ab" * 32


def test_round_trip_draws_the_same_film(analysis: Analysis, double: Double, tmp_path: Path) -> None:
    told = write_notes(tmp_path / "A.fnotes", analysis, SHA, Options())
    back, digest = read_notes(tmp_path / "A.fnotes", analysis.info, SHA, Options())
    assert digest == told
    assert pack(back, SHA, Options()) == pack(analysis, SHA, Options())
    assert back.cuts == analysis.cuts and back.marks is not None and len(back.marks) == analysis.frames
    assert back.roles[0].fit is not None and analysis.roles[0].fit is not None
    assert back.roles[0].fit.clip == analysis.roles[0].fit.clip
    np.testing.assert_array_equal(back.roles[0].fit.outlines[3].mesh, analysis.roles[0].fit.outlines[3].mesh)
    for name, made in (("one", analysis), ("two", back)):
        render(made, tmp_path / f"{name}.mp4", double, Voice(), Options())
    assert (tmp_path / "one.mp4").read_bytes() == (tmp_path / "two.mp4").read_bytes()


def test_other_footage_and_other_options_are_refused(analysis: Analysis, tmp_path: Path) -> None:
    path = tmp_path / "A.fnotes"
    write_notes(path, analysis, SHA, Options())
    with pytest.raises(InputRefused, match="other footage"):
        read_notes(path, analysis.info, "cd" * 32, Options())
    with pytest.raises(InputRefused, match="other options"):
        read_notes(path, analysis.info, SHA, replace(Options(), fit=FitOptions(max_yaw=40)))
    with pytest.raises(InputRefused, match="there are no notes"):
        read_notes(tmp_path / "B.fnotes", analysis.info, SHA, Options())


@pytest.mark.parametrize("at", [0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99])
def test_a_cut_file_is_refused(analysis: Analysis, tmp_path: Path, at: float) -> None:
    whole = pack(analysis, SHA, Options())
    path = tmp_path / "A.fnotes"
    path.write_bytes(whole[: int(at * len(whole))])
    with pytest.raises(InputRefused):
        read_notes(path, analysis.info, SHA, Options())


def test_clip_code_has_no_number_too_many(analysis: Analysis) -> None:
    fit = analysis.roles[0].fit
    assert fit is not None
    assert clip_code(fit.clip.floats()) == fit.clip
    with pytest.raises(ValueError, match="clip code"):
        clip_code([*fit.clip.floats(), 1.0])
