"""Look at the machine and say what is fit and what is not: one finding a line. Sends nothing, changes nothing."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

from facedouble.errors import FacedoubleError, ModelError
from facedouble.media.apart.reading import layers
from facedouble.models.install import REMEDY, locate
from facedouble.models.registry import MEDIAPIPE, MODELS, WANTED

GIB: Final = 2**30
MIN_CORES: Final = 2
MIN_MEMORY: Final = 4 * GIB
MIN_DISK: Final = 2 * GIB
SETUP: Final = "run `make setup`"
OTHER_OPENCV: Final = ("opencv-python", "opencv-python-headless", "opencv-contrib-python")  # all write into cv2/
DENIAL: Final = "from facedouble.isolation import deny_network as d; print(' and '.join(d().means))"


@dataclass(frozen=True)
class Finding:
    """One line of the examination. `ok` is None where there is nothing to pass: good to know, not needed."""

    what: str
    ok: bool | None
    detail: str
    remedy: str = ""


def examine(directory: Path | None = None) -> list[Finding]:
    """Examine this machine and the models in the directory; findings in the order in which a user would repair."""
    return [_python(), *_libraries(), *_models(directory), _cores(), _memory(), _gpu(), _interfaces(), _denial(), _apart(),
            _disk("disk, here", Path.cwd()), _disk("disk, temporary files", Path(tempfile.gettempdir())), _speech()]


def _python() -> Finding:
    fit = sys.version_info[:2] == (3, 11)
    return Finding("Python", fit, sys.version.split()[0], "" if fit else "use Python 3.11")


def _libraries() -> list[Finding]:
    try:
        wanted = metadata.requires("facedouble") or []
    except metadata.PackageNotFoundError:
        return [Finding("libraries", False, "facedouble itself is not installed, so its pins are unknown", SETUP)]
    pins = [f"{MEDIAPIPE.package}=={MEDIAPIPE.version}", *wanted]
    findings = [_library(*pin) for line in pins if (pin := re.findall(r"[\w.-]+", line.split(";")[0]))[1:]]
    return findings + [Finding(name, False, f"{version} overwrites the OpenCV that is pinned", f"pip uninstall {name}, "
                               f"then {SETUP}") for name in OTHER_OPENCV if (version := _version(name))]


def _library(name: str, pin: str) -> Finding:
    version = _version(name)
    if version == pin:
        return Finding(name, True, version)
    return Finding(name, False, f"{version or 'missing'}, pinned is {pin}", f"delete .venv and {SETUP}")


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _models(directory: Path | None) -> list[Finding]:
    return [_model(name, directory) for name in WANTED]


def _model(name: str, directory: Path | None) -> Finding:
    try:
        locate(name, directory)
    except ModelError as error:
        return Finding(f"model {name}", False, str(error), REMEDY)
    return Finding(f"model {name}", True, f"{MODELS[name].source}; checksum right")


def _cores() -> Finding:
    cores = len(os.sched_getaffinity(0))
    return Finding("cores", cores >= MIN_CORES, str(cores), "" if cores >= MIN_CORES else "it will work, slowly")


def _memory() -> Finding:
    size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    fit = size >= MIN_MEMORY
    return Finding("memory", fit, f"{size / GIB:.1f} GiB", "" if fit else f"{MIN_MEMORY // GIB} GiB are advised")


def _gpu() -> Finding:
    nodes = sorted(node.name for node in Path("/dev").glob("nvidia[0-9]*"))
    return Finding("GPU", None, f"{', '.join(nodes) or 'none'} (not needed)")


def _interfaces(root: Path = Path("/sys/class/net")) -> Finding:
    """Name the network interfaces that are up, loopback apart."""
    states = {path.parent.name: path.read_text().strip() for path in sorted(root.glob("*/operstate"))}
    up = [name for name, state in states.items() if state not in ("down", "lowerlayerdown", "notpresent") and name != "lo"]
    if not up:
        return Finding("network interfaces", True, "none is up")
    return Finding("network interfaces", None, f"up: {', '.join(up)}",
                   "the program cuts itself off, other programs do not: work on a machine that is never online")


def _denial() -> Finding:
    """Try the network denial where it does no harm: in a child process."""
    done = subprocess.run([sys.executable, "-c", DENIAL], capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL)
    if done.returncode == 0:
        return Finding("network denial", True, f"works, by {done.stdout.strip()}")
    said = (done.stderr.strip().splitlines() or ["no message"])[-1]
    return Finding("network denial", False, said, "use a Linux kernel with seccomp")


def _apart() -> Finding:
    """Ask a child that would read footage what keeps it in."""
    try:
        held = layers()
    except FacedoubleError as error:
        return Finding("reading apart", False, str(error), "use a Linux kernel with seccomp and Landlock, 5.13 or later")
    found = f"what reads footage is kept in by {', '.join(held.means)}"
    if held.lacking:
        return Finding("reading apart", held.seccomp, f"{found}; not by {', '.join(held.lacking)}",
                       "use a Linux kernel with seccomp and Landlock, 5.13 or later")
    return Finding("reading apart", True, found)


def _disk(what: str, place: Path) -> Finding:
    free = shutil.disk_usage(place).free
    fit = free >= MIN_DISK
    return Finding(what, fit, f"{free / GIB:.1f} GiB free at {place}", "" if fit else f"free {MIN_DISK // GIB} GiB")


def _speech() -> Finding:
    found = shutil.which("espeak-ng")
    return Finding("espeak-ng", None, found or "missing; only the demo's voice uses it",
                   "" if found else "apt install espeak-ng")
