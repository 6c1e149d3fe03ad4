"""In every command that opens footage, or anything else from outside, the doors are shut before it does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from facedouble.store.handing import environment, hand_on
from tests.plan.test_read import ROSE
from tests.store.make import a_project, keyring_of

ROOT = Path(__file__).resolve().parents[1]
# A hook tells, whenever one of these files is opened, whether the kernel filters this process's calls, and whether it may crash
# into a file. It ends the command there: what follows is tested elsewhere.
WATCH = """
    import json, os, resource, sys
    watched = {"footage.mp4", "other.wav", "given.fdouble", "given.fvoice", "A.fnotes"}
    def tell(event, arguments):
        if event == "open" and isinstance(arguments[0], (str, bytes, os.PathLike)):
            name = os.path.basename(os.fsdecode(arguments[0]))
            if name in watched:
                status = dict(line.split(":", 1) for line in open("/proc/self/status"))
                limit = max(resource.getrlimit(resource.RLIMIT_CORE))
                sys.stdout.write(json.dumps([name, status["Seccomp"].strip(), limit]) + chr(10)); sys.stdout.flush(); os._exit(0)
    from facedouble.cli import main
    sys.addaudithook(tell)
    main()
"""
COMMANDS = {
    "protect": "protect footage.mp4 -o safe.mp4",
    "protect, a double": "protect footage.mp4 -o safe.mp4 --double given.fdouble",
    "analyse": "analyse footage.mp4 --plan new.plan.toml",
    "compare": "compare footage.mp4 -o compare.mp4",
    "audit": "audit footage.mp4 --witness other.wav",
    "double make": "double make new.fdouble footage.mp4 --consent consent.toml",
    "double show": "double show given.fdouble",
    "double blend": "double blend given.fdouble given.fdouble -o new.fdouble",
    "double check": "double check given.fdouble --against footage.mp4",
    "double rank": "double rank . --for footage.mp4",
    "double shotlist": "double shotlist footage.mp4",
    "voice make": "voice make new.fvoice other.wav --consent consent.toml",
    "voice show": "voice show given.fvoice",
    "voice check": "voice check given.fvoice --against other.wav",
    "voice rank": "voice rank . --for other.wav",
    "voice cues": "voice cues other.wav -o cues.html",
    "voice take": "voice take other.wav --turn 3",
    "voice who": "voice who footage.mp4",
    "voice compare": "voice compare footage.mp4 other.wav -o listen.html",
    "plan double": "plan double film.plan.toml ana given.fdouble",
    "render": "render film.plan.toml -o safe",
    "people": "people film.plan.toml --sheet people.jpg",
    "plan find": "plan find film.plan.toml",
}


@pytest.mark.parametrize("name", COMMANDS)
def test_shut_before_anything_is_opened(name: str, tmp_path: Path) -> None:
    for file in ("footage.mp4", "other.wav", "given.fdouble", "given.fvoice"):
        (tmp_path / file).write_bytes(b"no such thing")
    (tmp_path / "film.plan.toml").write_text(ROSE.replace('file = "a"', 'file = "footage.mp4"'))
    (tmp_path / "film.notes").mkdir()
    (tmp_path / "film.notes" / "A.fnotes").write_bytes(b"no such thing")
    (tmp_path / "consent.toml").write_text('code = "V3"\nscope = ["film", "trailer", "test"]\ndate = 2026-01-01\n')
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(WATCH), *COMMANDS[name].split()], cwd=tmp_path,
                          capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    lines = [line for line in done.stdout.splitlines() if line.startswith("[")]
    assert lines, f"nothing was opened: {done.stdout}{done.stderr}"
    file, seccomp, core = json.loads(lines[-1])
    assert (seccomp, core <= 1) == ("2", True), f"{file} was opened before"


PROJECT = {
    "add": "add film footage.mp4",
    "evidence verify": "evidence verify film",
    "log verify": "log verify film",
    "what lies in a project": "protect film/footage/E1.mp4 -o safe.mp4",
}


@pytest.mark.parametrize("name", PROJECT)
def test_shut_before_a_project_is_read_or_written(name: str, tmp_path: Path) -> None:
    """Footage that comes in is opened with the doors shut, and so is the log, the first thing that a key opens."""
    a_project(tmp_path / "film").close()
    (tmp_path / "footage.mp4").write_bytes(b"no such thing")
    descriptor = hand_on(keyring_of(tmp_path / "film"))
    whole = textwrap.dedent(WATCH).replace("footage.mp4", "00000001.age")
    try:
        done = subprocess.run([sys.executable, "-c", whole, *PROJECT[name].split()], cwd=tmp_path, capture_output=True, text=True,
                              env={**os.environ, **environment(descriptor), "PYTHONPATH": str(ROOT),
                                   "XDG_STATE_HOME": str(tmp_path / "state")}, pass_fds=[descriptor])
    finally:
        os.close(descriptor)
    lines = [line for line in done.stdout.splitlines() if line.startswith("[")]
    assert lines, f"nothing was opened: {done.stdout}{done.stderr}"
    file, seccomp, core = json.loads(lines[-1])
    assert (seccomp, core <= 1) == ("2", True), f"{file} was opened before"
