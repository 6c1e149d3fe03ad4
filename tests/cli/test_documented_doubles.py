"""Every command of docs/capture-guide.md, docs/handbook.md and docs/machine.md: doubles are made, compared, chosen and worn."""

from __future__ import annotations

from pathlib import Path

from tests.cli.documented import furnish, run_all


def test_every_documented_command_runs(tmp_path: Path, short_witness: Path, double_path: Path) -> None:
    furnish(tmp_path, short_witness, double_path)
    assert any("double make" in c for c in run_all("doubles", tmp_path))
