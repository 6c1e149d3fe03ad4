"""`facedouble demo`: a generated witness speaks, a double is made, the witness is protected; before, after, sheet."""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np

from facedouble.audit.verdict import Audit
from facedouble.demo.script import score
from facedouble.demo.witness import animate, portrait_pixels, read_portrait, write_clip
from facedouble.doubles.file import write_double
from facedouble.errors import StoreError
from facedouble.options import Options
from facedouble.pipeline.analyse import Progress, quiet
from facedouble.pipeline.child import audit_in_child
from facedouble.pipeline.double import make_double
from facedouble.pipeline.protect import Job, close_doors, open_eyes, protect
from facedouble.pipeline.render import Voice
from facedouble.types import Consent, Floats

RATE = Fraction(25)
SECONDS = 8
CAPTURE_SECONDS = 3
CLOSING = 0.6  # of the portrait's lip gap: a smile that shows its teeth a little
SOUND_RATE = 22050
WORDS = "I can tell you what happened to us. I was afraid, and I am still afraid. But I want you to know."
NAMES = ("before.mp4", "ana.fdouble", "after.mp4", "after.report.json", "after.sheet.jpg", "sheet.jpg", "after.audit.json",
         "after.audit.html")


def speech(seconds: float) -> Iterator[Floats]:
    """Synthetic speech from espeak-ng if it is installed, else a tone: blocks (N, 1) at `SOUND_RATE`."""
    total = round(seconds * SOUND_RATE)
    sound = 0.1 * np.sin(2 * np.pi * 220 * np.arange(total) / SOUND_RATE)
    program = shutil.which("espeak-ng")
    if program:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "speech.wav"
            subprocess.run([program, "-w", str(path), "-s", "140", WORDS], check=True, capture_output=True)
            raw = np.frombuffer(path.read_bytes()[44:], "<i2").astype(np.float64) / 32768
        sound = np.zeros(total)
        sound[: min(total, len(raw))] = raw[:total]
    for start in range(0, total, 4096):
        yield sound[start : start + 4096, None].astype(np.float32)


def make_witness(path: Path, seconds: float = SECONDS, progress: Progress = quiet, name: str = "admiral",
                 height: int = 512) -> None:
    """Write a clip of an animated portrait, with sound."""
    portrait = read_portrait(portrait_pixels(name, height), open_eyes(Options()))
    frames = round(seconds * RATE)

    def counted() -> Iterator[object]:
        for frame in animate(portrait, score(frames, float(RATE)), RATE):
            progress("making the witness", frame.index + 1, frames)
            yield frame

    h, w = portrait.picture.shape[:2]
    write_clip(path, counted(), w, h, RATE, [(SOUND_RATE, 1, Fraction(0), speech(seconds))])  # type: ignore[arg-type]


def make_volunteer(path: Path, progress: Progress = quiet) -> None:
    """Write a double made from a generated capture clip: another portrait that smiles less, blinks and speaks."""
    portrait = read_portrait(portrait_pixels("astronaut", 640), open_eyes(Options()))
    closing = replace(portrait, gaps=portrait.gaps * CLOSING)
    frames = round(CAPTURE_SECONDS * RATE)
    h, w = portrait.picture.shape[:2]
    with tempfile.TemporaryDirectory() as folder:
        capture = Path(folder) / "capture.mp4"
        write_clip(capture, animate(closing, score(frames, float(RATE)), RATE), w, h, RATE, [])
        consent = Consent("public-domain portrait", ("test", "film"), "2000-01-01")
        write_double(make_double([capture], consent, open_eyes(Options()), Options(), progress), path)


def run(folder: Path, progress: Progress = quiet) -> list[Path]:
    """Make everything anew in `folder`; returns the files to look at."""
    close_doors()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in NAMES:
            (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(f"{folder}: cannot be written ({error.strerror}); choose another folder") from error
    before, double, after = folder / "before.mp4", folder / "ana.fdouble", folder / "after.mp4"
    make_witness(before, progress=progress)
    make_volunteer(double, progress)
    job = Job(before, after, "mannequin", Voice(), False, "test", dt.date.today())  # ana comes out too like this witness
    protect(job, Options(), progress, auditor=partial(_audited, before))
    shutil.move(job.sheet, folder / "sheet.jpg")
    return [before, after, folder / "sheet.jpg", folder / "after.audit.html"]


def _audited(source: Path, film: Path, progress: Progress) -> tuple[Audit, bytes]:
    return audit_in_child(film, ["--witness", str(source)], progress)
