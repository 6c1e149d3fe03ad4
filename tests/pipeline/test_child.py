"""What the audit's own process says beside its words is passed over, whatever it is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from facedouble.errors import UsageError
from facedouble.pipeline.child import audit_in_child

ROOT = Path(__file__).resolve().parents[2]


def test_lines_of_others_that_look_like_progress(tmp_path: Path) -> None:
    """A library that warns on standard error writes among the lines of progress."""
    lines = ["3", "null", "true", '"abc"', "[1, 2]", '["a", 1]', '["a", null, 2]', '["a", "b", 2]', '["a", 1, {}]',
             '["a", Infinity, 2]',
             "{}", '{"a": 1, "b": 2, "c": 3}', '["seen", 1, 2]']
    (tmp_path / "sitecustomize.py").write_text(f"import sys\nprint(*{lines!r}, sep='\\n', file=sys.stderr, flush=True)\n")
    told: list[tuple[str, int, int | None]] = []
    with pytest.raises(UsageError, match="say what the film was made of"):
        audit_in_child(tmp_path / "none.mp4", (), lambda *step: told.append(step),
                       {**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}"})
    assert told == [("audit: seen", 1, 2)]
