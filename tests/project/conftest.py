"""One project that everything was done in, made once; each test works on a copy. Its key holders are recipients: no passphrase."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from facedouble.store import agent
from tests.project.desk import Desk
from tests.project.whole import Whole, desk_at, everything_done


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    """After the whole run. Nobody changes it."""
    runtime = Path(tempfile.mkdtemp(dir="/tmp"))  # short: the name of a socket has 107 bytes at most
    desk = desk_at(tmp_path_factory.mktemp("desk"), runtime)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(runtime))
        try:
            yield everything_done(desk, tmp_path_factory.mktemp("elsewhere"))
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
