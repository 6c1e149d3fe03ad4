"""`protect`: one clip in, the same clip out with a double's face, or with everyone veiled."""

from __future__ import annotations

import datetime as dt
import os
from dataclasses import dataclass
from pathlib import Path

from facedouble.doubles.consent import check_consent
from facedouble.doubles.file import read_double
from facedouble.errors import ConsentError, NoFaceFound, StoreError, UsageError
from facedouble.faces.detect import Detectors
from facedouble.isolation import Denial, deny_network, no_core_dumps
from facedouble.media.probe import probe
from facedouble.models.detectors import far, yunet
from facedouble.models.install import locate
from facedouble.models.landmarker import FaceMesh
from facedouble.models.registry import RENDER
from facedouble.options import Options
from facedouble.pipeline.analyse import Eyes, Progress, analyse, quiet
from facedouble.pipeline.render import Voice, render
from facedouble.pipeline.report import Report
from facedouble.publish import write_new
from facedouble.types import Double, Value


@dataclass(frozen=True)
class Job(Value):
    """One run of `protect`. `purpose` is what the consent of the double has to cover; `today` for its dates."""

    source: Path
    destination: Path
    double: Path | None
    voice: Voice
    no_faces: bool
    purpose: str
    today: dt.date

    @property
    def report(self) -> Path:
        return self.destination.with_suffix(".report.json")

    @property
    def sheet(self) -> Path:
        return self.destination.with_suffix(".sheet.jpg")


def open_eyes(options: Options, models: Path | None = None) -> Eyes:
    """Load the render's models; ModelError with the remedy if one is missing or altered."""
    paths = {name: locate(name, models) for name in RENDER}
    detectors = Detectors((yunet(paths["yunet"], options.detect.yunet_score),), (far(options.detect.far_score),))
    return Eyes(detectors, FaceMesh)


def close_doors() -> Denial:
    """No sockets and no core dumps, from here to the end of the process."""
    no_core_dumps()
    return deny_network()


def _check_places(job: Job) -> None:
    if job.destination.suffix.lower() != ".mp4":
        raise UsageError(f"{job.destination}: the output is MP4; let its name end in .mp4")
    if job.destination.exists() and job.source.exists() and os.path.samefile(job.source, job.destination):
        raise UsageError(f"{job.destination}: input and output are the same file; choose another output")
    for path in (job.destination, job.report, job.sheet):
        if path.exists() or path.is_symlink():
            raise StoreError(f"{path}: exists already; nothing is overwritten, so choose another name or move it away")


def load_double(path: Path, purpose: str, today: dt.date) -> Double:
    """A double whose consent covers the purpose today."""
    double = read_double(path)
    check_consent(double.consent, today)
    if purpose not in double.consent.scope:
        scope = ", ".join(double.consent.scope)
        raise ConsentError(f"{path}: the volunteer consented to {scope}, not to {purpose}; ask them, or say what this is "
                           "for with --for")
    return double


def protect(job: Job, options: Options, progress: Progress = quiet, models: Path | None = None) -> Report:
    """Analyse, draw, report. The film appears when whole; the report and the sheet appear after it."""
    denial = close_doors()
    _check_places(job)
    double = load_double(job.double, job.purpose, job.today) if job.double is not None else None
    info = probe(job.source)
    made = analyse(info, open_eyes(options, models), options, progress)
    if not made.roles and not job.no_faces:
        raise NoFaceFound(f"{job.source}: no face was found in any frame, so nothing would be hidden; look at the footage, and "
                          "if there really is none, add --no-faces")
    report, sheet = render(made, job.destination, double, job.voice, options, progress)
    report.facts["network"] = list(denial.means)
    write_new(job.report, report.json().encode())
    write_new(job.sheet, sheet)
    return report
