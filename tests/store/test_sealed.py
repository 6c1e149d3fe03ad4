"""A sealed file is there whole under its name, or not at all, on disks that cannot do everything, and on those that go away."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest

from facedouble.age.sealing import Sealer, generate, unseal
from facedouble.errors import StoreError
from facedouble.publish import name_new
from facedouble.store import files
from facedouble.store.sealed import sealed


def words(sealer: Sealer) -> None:
    sealer.write(b"what goes out")


def test_it_is_named_or_gone(tmp_path: Path) -> None:
    identity, recipient = generate()
    with sealed(tmp_path / "a.age", [recipient], None, words) as part:
        name_new(part, tmp_path / "a.age")
    with sealed(tmp_path / "b.age", [recipient], None, words):
        pass
    with pytest.raises(StoreError, match="exists already"), sealed(tmp_path / "a.age", [recipient], None, words) as part:
        name_new(part, tmp_path / "a.age")
    assert [path.name for path in tmp_path.iterdir()] == ["a.age"]
    assert unseal((tmp_path / "a.age").read_bytes(), (identity,)) == b"what goes out"


def test_a_disk_that_cannot_sync_folders_has_the_file_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unable(_: Path) -> None:
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(files, "sync", unable)
    with sealed(tmp_path / "a.age", [generate()[1]], None, words) as part:
        name_new(part, tmp_path / "a.age")
    assert (tmp_path / "a.age").exists()


def test_a_stick_that_is_pulled_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then nothing can be written there, and nothing removed."""
    def gone(*_: Any, **__: Any) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(Path, "unlink", gone)
    with pytest.raises(StoreError, match="cannot be written"), sealed(tmp_path / "a.age", [generate()[1]], None, gone):
        pass
