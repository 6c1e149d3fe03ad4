"""Small real things: a generated witness clip, a double from a public-domain photo, the real models."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from facedouble import disk
from facedouble.cli import inside
from facedouble.demo.script import Score, score
from facedouble.demo.witness import Portrait, animate, portrait_pixels, read_portrait, write_clip
from facedouble.doubles.file import read_double, write_double
from facedouble.media.probe import probe
from facedouble.options import Options
from facedouble.pipeline.analyse import Analysis, Eyes, analyse
from facedouble.pipeline.double import make_double
from facedouble.pipeline.protect import Job, open_eyes
from facedouble.pipeline.render import Voice
from facedouble.types import Consent, Double, Floats

RATE = Fraction(25)
FRAMES = 60
HEIGHT = 360


def tone(seconds: float, rate: int = 16000) -> Iterator[Floats]:
    """A 440 Hz tone, (N, 1)."""
    t = np.arange(round(seconds * rate)) / rate
    yield (0.2 * np.sin(2 * np.pi * 440 * t))[:, None].astype(np.float32)


FREE = ("/test_isolation.py", "/test_ways_out.py", "/test_doors.py", "/test_fuzz.py", "/test_secrecy.py", "/project/",
        "/store/test_evidence.py", "/store/test_project.py")
LONG = ("/audit/test_run.py", "/test_documented_film.py", "/test_documented_clips.py", "/test_resume.py",
        "/test_documented_doubles.py", "/test_first_card.py", "/pipeline/test_film.py", "/pipeline/test_protect.py",
        "/test_rounds.py", "/test_cli.py", "/test_chunks.py", "/test_ambience.py", "/test_kernels.py", "/cli/test_project.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first. Before them what needs a process that may still use the network and strace: others give both up.

    In a process that has shut its doors, those of every child are shut, whatever a command does: test_doors.py would see nothing.
    """
    first = (*FREE, *LONG)
    items.sort(key=lambda item: next((k for k, part in enumerate(first) if part in item.path.as_posix()), len(first)))


@pytest.fixture(autouse=True)
def _mounts() -> Iterator[None]:
    """A project that a test opened in this process is closed to the next: while one is, nothing is written outside of it."""
    before = dict(disk._MOUNTED), dict(inside._OPEN)
    yield
    for held, was in zip((disk._MOUNTED, inside._OPEN), before, strict=True):
        held.clear()
        held.update(was)


@pytest.fixture(scope="session")
def eyes() -> Eyes:
    return open_eyes(Options())


@pytest.fixture(scope="session")
def script() -> Score:
    return score(FRAMES, float(RATE))


@pytest.fixture(scope="session")
def portrait(eyes: Eyes) -> Portrait:
    return read_portrait(portrait_pixels("astronaut", HEIGHT), eyes)


def speaking(folder: Path, portrait: Portrait, script: Score) -> Path:
    """A generated clip of one speaking person, with a tone."""
    path, frames = folder / "witness.mp4", len(script.yaw)
    h, w = portrait.picture.shape[:2]
    write_clip(path, animate(portrait, script, RATE), w, h, RATE, [(16000, 1, Fraction(0), tone(frames / 25))])
    return path


@pytest.fixture(scope="session")
def witness(tmp_path_factory: pytest.TempPathFactory, portrait: Portrait, script: Score) -> Path:
    """60 frames of one speaking person."""
    return speaking(tmp_path_factory.mktemp("witness"), portrait, script)


@pytest.fixture(scope="session")
def short_witness(tmp_path_factory: pytest.TempPathFactory, portrait: Portrait) -> Path:
    """24 frames of the same, for runs of which only the end is looked at."""
    return speaking(tmp_path_factory.mktemp("short"), portrait, score(24, float(RATE)))


@pytest.fixture(scope="session")
def double_path(tmp_path_factory: pytest.TempPathFactory, eyes: Eyes) -> Path:
    """A double from one public-domain photo: the quickest that is real."""
    folder = tmp_path_factory.mktemp("double")
    cv2.imwrite(str(folder / "photo.png"), portrait_pixels("admiral", 800)[..., ::-1])
    consent = Consent("public-domain portrait", ("test", "film"), "2000-01-01")
    write_double(make_double([folder / "photo.png"], consent, eyes, Options()), folder / "ana.fdouble")
    return folder / "ana.fdouble"


@pytest.fixture(scope="session")
def double(double_path: Path) -> Double:
    return read_double(double_path)


@pytest.fixture(scope="session")
def analysis(witness: Path, eyes: Eyes) -> Analysis:
    return analyse(probe(witness), eyes, Options())


@pytest.fixture
def job(witness: Path, double_path: Path, tmp_path: Path) -> Job:
    return Job(witness, tmp_path / "safe.mp4", double_path, Voice(), False, "test", dt.date(2026, 11, 21))
