"""What the quality bench counts and writes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from bench.run import row, shares
from facedouble.pipeline.analyse import Analysis
from facedouble.pipeline.report import Report, Span

ROOT = Path(__file__).resolve().parents[1]


def report(made: Analysis, *spans: Span) -> Report:
    return Report(made.frames, (), (), spans, (), {})


def test_what_was_veiled_or_hidden_while_drawing_is_no_double(analysis: Analysis) -> None:
    """However the analysis meant it; and what fades is counted apart."""
    role = analysis.roles[0]
    weights = np.ones(len(role.weights))
    weights[30:34] = 0.2, 0.4, 0.6, 0.8
    made, person = replace(analysis, roles=(replace(role, weights=weights),)), role.track.id
    all_ = shares(made, report(made))
    assert (all_.doubled, all_.fading, all_.total) == (len(weights) - 4, 4, len(weights))
    start = role.track.start
    less = shares(made, report(made, Span(start, start + 5, person, "veiled: the fit was not to be trusted"),
                               Span(start + 32, start + 40, None, "hidden: an error"),
                               Span(start + 50, start + 55, person, "place filled in from other frames"),
                               Span(start + 50, start + 55, person + 1, "veiled: the fit was not to be trusted")))
    assert (less.doubled, less.fading, less.total) == (all_.doubled - 11, 2, all_.total)
    assert less.near <= less.total and less.near - less.near_doubled - less.near_fading == 13


def test_a_table_that_is_only_shown_writes_nothing(analysis: Analysis, tmp_path: Path) -> None:
    for name in ("table.py", "skin.py", "RESULTS.md"):
        shutil.copy(ROOT / "bench" / name, tmp_path / name)
    (tmp_path / "rows").mkdir()
    (tmp_path / "SOURCES.tsv").write_text("file\tperson_or_speaker\nvideo/a.mp4\tone\n")
    made = row("a.mp4", "small", "mannequin", analysis, report(analysis), {}, 1.0, 30.0)
    (tmp_path / "rows/a__mannequin.json").write_text(json.dumps(asdict(made)))
    before = (tmp_path / "RESULTS.md").read_text()
    for shown in (["--print"], []):
        done = subprocess.run([sys.executable, str(tmp_path / "table.py"), str(tmp_path / "rows"), str(tmp_path), *shown],
                              capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)})
        assert "gaze y" in done.stdout, done.stderr
        assert ((tmp_path / "RESULTS.md").read_text() == before) == bool(shown)
