"""Every command of docs/film.md and docs/plan.md: a film of two clips is planned, rendered, looked over and changed."""

from __future__ import annotations

from pathlib import Path

from tests.cli.documented import furnish, run_all


def test_every_documented_command_runs(tmp_path: Path, witness: Path, double_path: Path) -> None:
    furnish(tmp_path, witness, double_path)
    assert any("plan check" in c for c in run_all("film", tmp_path))
