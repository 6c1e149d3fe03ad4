"""The offline bundle: a small one, through the real installer and the real pip. `make bundle` does it at full size."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.bundle import FILES, LICENCE, ROOT, build, copy, digest, finish, licences

# what stands in for the program, and tells what it was asked
PROGRAM = """import sys
def main():
    print(' '.join(sys.argv[1:]))
    sys.exit(6 if sys.argv[1:] == ['doctor'] and 'strange' in __file__ else 0)
"""


def wheel(folder: Path, name: str, files: dict[str, str], script: str = "") -> Path:
    """A package as pip takes it, with the date of no day."""
    info = f"{name}-1.0.dist-info"
    said = {**files, f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
            f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            f"{info}/LICENSE": f"{name} may be used by everybody\n"}
    if script:
        said[f"{info}/entry_points.txt"] = f"[console_scripts]\n{script}\n"
    rows = [f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip('=')},{len(text)}"
            for path, text in said.items()]
    path = folder / f"{name}-1.0-py3-none-any.whl"
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for member, text in {**said, f"{info}/RECORD": "\n".join([*rows, f"{info}/RECORD,,"]) + "\n"}.items():
            archive.writestr(zipfile.ZipInfo(member), text)
    return path


def small(folder: Path) -> Path:
    """A bundle with everything that the real one has, and next to nothing in it."""
    helper = wheel(folder / "wheels", "helper", {"helper.py": "x = 1\n"})
    loose = wheel(folder / "wheels", "loose", {"loose.py": "import helper\n"})
    own = wheel(folder / "wheels", "facedouble", {"facedouble.py": PROGRAM}, "facedouble = facedouble:main")
    pins = folder / "requirements"
    pins.mkdir()
    for lock, one in (("lock.txt", helper), ("lock-nodeps.txt", loose), ("facedouble.txt", own)):
        (pins / lock).write_text(f"{one.name.split('-')[0]}==1.0 --hash=sha256:{digest(one)}\n")
    (folder / "models").mkdir()
    (folder / "models" / "model.onnx").write_bytes(b"numbers")
    licences(folder / "licences", [helper])
    finish(folder)
    return folder


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small(tmp_path_factory.mktemp("stick") / "bundle of Noor")


def install(bundle: Path, target: Path, *words: str, python: str = sys.executable, offline: bool = False
            ) -> subprocess.CompletedProcess[str]:
    front = ["unshare", "-rn"] if offline else []
    return subprocess.run([*front, "sh", str(bundle / "install.sh"), str(target), *words], capture_output=True, text=True,
                          env={**os.environ, "PYTHON": python})


def test_installs_without_a_network(bundle: Path, tmp_path: Path) -> None:
    offline = bool(shutil.which("unshare")) and not subprocess.run(["unshare", "-rn", "true"], capture_output=True).returncode
    target = tmp_path / "over there" / "facedouble"
    paper = digest(bundle / "SHA256SUMS")
    done = install(bundle, target, f"{paper[:8]} {paper[8:].upper()}", offline=offline)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["doctor"]
    assert "nothing was installed" not in done.stderr and paper in done.stderr
    own = subprocess.run([target / "bin" / "python", "-I", "-c", "import facedouble, helper, loose; print(facedouble.__file__)"],
                         capture_output=True, text=True)
    assert own.stdout.startswith(str(target)), own.stderr
    again = install(bundle, target)
    assert again.returncode == 1 and "exists already" in again.stderr


def alter(name: str) -> Callable[[Path], None]:
    def change(bundle: Path) -> None:
        path = next(bundle.glob(name))
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    return change


def unlist(bundle: Path) -> None:
    """Alter a wheel, and its line, as somebody does who had the stick in hand."""
    alter("wheels/helper*")(bundle)
    sums, changed = bundle / "SHA256SUMS", next(bundle.glob("wheels/helper*"))
    lines = [line for line in sums.read_text().splitlines() if not line.endswith(changed.name)]
    sums.write_text("\n".join([*lines, f"{digest(changed)}  wheels/{changed.name}"]) + "\n")


TAMPERED = {
    "a wheel": (alter("wheels/helper*"), "altered or missing"),
    "a model": (alter("models/*"), "altered or missing"),
    "the installer": (lambda bundle: (bundle / "install.sh").write_text((bundle / "install.sh").read_text() + "\n"), "altered"),
    "a file is gone": (lambda bundle: (bundle / "licences" / "models.txt").unlink(), "altered or missing"),
    "a file is more": (lambda bundle: (bundle / "wheels" / "evil-9-py3-none-any.whl").write_bytes(b""), "does not list"),
    "a link is more": (lambda bundle: (bundle / "wheels" / "evil").symlink_to("/etc"), "does not list"),
    "no list": (lambda bundle: (bundle / "SHA256SUMS").unlink(), "no whole bundle"),
    "a wheel and its line": (unlist, "not the one given"),
}


@pytest.mark.parametrize("how", TAMPERED)
def test_a_bundle_that_was_tampered_with_is_not_used(how: str, bundle: Path, tmp_path: Path) -> None:
    paper = digest(bundle / "SHA256SUMS")
    shutil.copytree(bundle, tmp_path / "bundle")
    change, said = TAMPERED[how]
    change(tmp_path / "bundle")
    done = install(tmp_path / "bundle", tmp_path / "target", paper)
    assert done.returncode == 1 and said in done.stderr, done.stderr
    assert not (tmp_path / "target").exists()


def test_a_wheel_and_its_line_without_the_paper_meets_the_pinned_hash(bundle: Path, tmp_path: Path) -> None:
    """The lock says which file it has to be; what was put in place is taken away again."""
    shutil.copytree(bundle, tmp_path / "bundle")
    unlist(tmp_path / "bundle")
    done = install(tmp_path / "bundle", tmp_path / "target")
    assert done.returncode != 0 and "HASH" in done.stderr.upper() and "nothing was installed" in done.stderr
    assert not (tmp_path / "target").exists()


def test_another_python_and_a_short_hash_are_refused(bundle: Path, tmp_path: Path) -> None:
    other = tmp_path / "python3.11"
    other.write_text("#!/bin/sh\nexit 1\n")
    other.chmod(0o755)
    short = digest(bundle / "SHA256SUMS")[:63]  # somebody who makes many bundles finds one that begins alike
    for words, python, said in (((), str(other), "not Python 3.11 with venv"), ((), "/no/such", "not Python 3.11"),
                                ((short,), sys.executable, "64 digits"), (("0" * 64,), sys.executable, "not the one given")):
        done = install(bundle, tmp_path / "target", *words, python=python)
        assert done.returncode == 1 and said in done.stderr, done.stderr
        assert not (tmp_path / "target").exists()


def test_an_unfit_machine_is_told_and_the_program_stays(bundle: Path, tmp_path: Path) -> None:
    done = install(bundle, tmp_path / "strange")
    assert done.returncode == 6 and "look at the lines above" in done.stderr
    assert (tmp_path / "strange" / "bin" / "facedouble").exists()


def test_the_same_bundle_again_is_the_same(bundle: Path, tmp_path: Path) -> None:
    assert (small(tmp_path / "again") / "SHA256SUMS").read_text() == (bundle / "SHA256SUMS").read_text()


def test_our_own_wheel_is_the_same_whatever_the_day_and_the_mask(tmp_path: Path) -> None:
    made = []
    for number, mask in enumerate((0o022, 0o077)):
        before = os.umask(mask)
        try:
            (tmp_path / f"w{number}").mkdir()
            made.append(build(tmp_path / f"w{number}", tmp_path / f"s{number}"))
        finally:
            os.umask(before)
    assert digest(made[0]) == digest(made[1])
    with zipfile.ZipFile(made[0]) as archive:
        names = archive.namelist()
    assert "facedouble/data/voice.onnx" in names and any(name.endswith("LICENSE") for name in names)
    assert not [name for name in names if "__pycache__" in name or name.startswith(("tests", "bench"))]


def test_what_the_installer_says_is_what_is_in_the_bundle() -> None:
    said = (FILES / "README.txt").read_text()
    script = (FILES / "install.sh").read_text()
    for folder in ("wheels", "requirements", "models", "docs", "licences"):
        assert f"{folder}/" in said
    assert "--require-hashes" in script and "--no-index" in script and "http" not in script
    assert script.index("sha256sum --check") < script.index("-m venv")
    assert all(LICENCE.search(name) for name in ("x.dist-info/licenses/LICENSE.txt", "x.dist-info/COPYING", "a/NOTICE"))
    assert "bundle" in (ROOT / "Makefile").read_text()


def test_caches_are_not_copied(tmp_path: Path) -> None:
    (tmp_path / "from" / "__pycache__").mkdir(parents=True)
    (tmp_path / "from" / "__pycache__" / "x.pyc").write_bytes(b"x")
    (tmp_path / "from" / "x.py").write_text("x = 1\n")
    copy(tmp_path / "from", tmp_path / "to")
    assert [path.name for path in (tmp_path / "to").rglob("*")] == ["x.py"]
