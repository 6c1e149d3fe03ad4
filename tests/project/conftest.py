"""One project that everything was done in, made once; each test works on a copy. Its key holders have no passphrase."""

from __future__ import annotations

import fcntl
import os
import pickle
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from facedouble.store import agent
from tests.project.desk import Desk
from tests.project.whole import Whole, desk_at, everything_done


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    """After the whole run. Nobody changes it. Test processes that run side by side share it, each with a key of its own."""
    runtime = Path(tempfile.mkdtemp(dir="/tmp"))  # short: the name of a socket has 107 bytes at most
    shared = tmp_path_factory.getbasetemp()
    shared = (shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared) / "whole"
    shared.mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patch, open(shared / "lock", "w") as lock:
        patch.setenv("XDG_RUNTIME_DIR", str(runtime))
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            if not (shared / "done").exists():
                (shared / "desk").mkdir()
                (shared / "elsewhere").mkdir()
                made = everything_done(desk_at(shared / "desk", runtime), shared / "elsewhere")
                (shared / "done").write_bytes(pickle.dumps(made))
            fcntl.flock(lock, fcntl.LOCK_UN)
            made = pickle.loads((shared / "done").read_bytes())
            mine = replace(made.desk, runtime=runtime)
            mine.must("unlock", "film", "--identity", "ana.id")
            yield replace(made, desk=mine)
        finally:
            for left in (runtime / "facedouble").glob("*.sock"):
                agent.stop(left.stem)
            shutil.rmtree(runtime)


@pytest.fixture
def desk(whole: Whole, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A copy from before the release: drawn, audited, agreed to, approved. This process has its state folder too."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(whole.desk.runtime))
    return Desk(whole.out.parent / "before", whole.desk.runtime).copy(tmp_path)
