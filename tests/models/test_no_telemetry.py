"""onnxruntime reports on its users by itself; not here."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(("code", "left"), [("import onnxruntime", True), ("import facedouble, onnxruntime", False)])
def test_nothing_is_written_about_the_user(code: str, left: bool, tmp_path: Path) -> None:
    """Without us it does: should it ever stop, this test says so."""
    env = {name: said for name, said in os.environ.items() if name not in ("CI", "ORT_DISABLE_TELEMETRY", "GITHUB_ACTIONS")}
    env |= {"XDG_CACHE_HOME": str(tmp_path / "cache"), "TMPDIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(["unshare", "-rn", sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
    if "unshare" in done.stderr:
        pytest.skip("no namespaces without root here, so the half that would report is not started")
    assert done.returncode == 0, done.stderr
    assert bool([path for path in tmp_path.rglob("*") if path.is_file()]) is left, list(tmp_path.rglob("*"))
