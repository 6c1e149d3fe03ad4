"""A home and a folder for sockets of each test; what it left unlocked is locked."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from facedouble.cli import inside
from facedouble.store import agent


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    runtime = Path(tempfile.mkdtemp(dir="/tmp"))  # short: the name of a socket has 107 bytes at most
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    yield
    inside.forget()  # commands that ran in this process
    for left in (runtime / "facedouble").glob("*.sock"):
        agent.stop(left.stem)
    shutil.rmtree(runtime, ignore_errors=True)  # its agent may be tidying up, too
