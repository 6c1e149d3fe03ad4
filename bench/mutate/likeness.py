"""Faults of the double itself: the film is drawn as ever, by the program itself, with a double that it should not have had."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2

from bench.clips import part
from bench.mutate.faults import PLACES, Case, Fault, Unfit
from facedouble.demo.witness import portrait_pixels
from facedouble.doubles.blend import blend
from facedouble.doubles.file import identity, write_double
from facedouble.doubles.mannequin import VARIANTS, mannequin
from facedouble.errors import FacedoubleError
from facedouble.media.probe import probe
from facedouble.options import Options
from facedouble.pipeline.double import make_double
from facedouble.pipeline.protect import open_eyes
from facedouble.types import Consent, Double

CONSENT = Consent("nobody: a fault made on purpose", ("test", "film"), "2000-01-01")
SHARE = 0.5  # of the footage that a double is made of: which half of it, the place says
ROOT = Path(__file__).resolve().parents[2]


def of_witness(case: Case, place: int) -> Double:
    """A double of the witness, made of a part of the footage; of all of it where that part shows no face at rest."""
    eyes, info = open_eyes(Options()), probe(case.source)
    count = round(float((info.duration or 0) * info.rate))
    with tempfile.TemporaryDirectory() as folder:
        some = Path(folder) / "some.mp4"
        part(case.source, some, int(count * (1 - SHARE) * place / (PLACES - 1)), int(count * SHARE))
        try:
            return make_double([some], CONSENT, eyes, Options())
        except FacedoubleError:
            pass
    try:
        return make_double([case.source], CONSENT, eyes, Options())
    except FacedoubleError as error:  # no fault: of such footage nobody can make one
        raise Unfit(str(error)) from error


def somebody_else() -> Double:
    """A double of a public-domain portrait."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "portrait.png"
        cv2.imwrite(str(path), portrait_pixels("admiral", 800)[..., ::-1])
        return make_double([path], CONSENT, open_eyes(Options()), Options())


def decided(case: Case) -> Double:
    """The mannequin of the clean film, so that nothing but the fault differs; the first if its report names none."""
    try:
        said = json.loads(case.clean.with_suffix(".report.json").read_bytes()).get("doubles") or {}
    except (OSError, ValueError):
        said = {}
    ids = {d["id"] for d in said.values()}
    return next((m for m in map(mannequin, range(VARIANTS)) if m.id in ids), mannequin(0))


def mixed(case: Case, one: Double, strength: float) -> Double:
    """The double, or at less than full strength a blend with the film's mannequin: so much of it is its own."""
    return one if strength >= 1 else blend([one, decided(case)], [strength, 1 - strength])


def reshaped(case: Case, one: Double, strength: float) -> Double:
    """The film's mannequin with somebody's shape: all of it, or a part of the way."""
    base = decided(case)
    moved = replace(base, neutral=(base.neutral + strength * (one.neutral - base.neutral)).astype("float32"))
    return replace(moved, id=identity(moved))


def drawn(case: Case, double: Double, new: Path) -> None:
    """The film with that double; that it is too like the witness is overruled, as somebody could.

    Unfit where every face of it is veiled, so that nothing of any double is seen.
    """
    with tempfile.TemporaryDirectory(dir=new.parent) as folder:
        file, film = Path(folder) / "fault.fdouble", Path(folder) / "fault.mp4"
        draft = film.with_suffix(".draft.mp4")  # nobody but the trial looks at it
        write_double(double, file)
        subprocess.run([sys.executable, "-m", "facedouble", "protect", str(case.source), "-o", str(film), "--double", str(file),
                        "--voice", "mute", "--no-audit", "--alike-by", "the trial", "--alike-reason", "a fault made on purpose"],
                       check=True, capture_output=True, cwd=ROOT)
        report = json.loads(draft.with_suffix(".report.json").read_bytes())
        if not any(person["doubled"] for person in report["people"]):
            raise Unfit("every face of it is veiled, whatever the double")
        draft.rename(new)


def _fault(kind: str, strengths: tuple[float, ...], double: Callable[[Case, int, float], Double]) -> Fault:
    return Fault(kind, "picture", strengths, lambda case, place, strength, new: drawn(case, double(case, place, strength), new))


FAULTS = (
    _fault("a double that resembles the witness", (1.0, 0.7, 0.5, 0.35), lambda c, p, s: mixed(c, of_witness(c, p), s)),
    _fault("shape of the witness kept", (1.0, 0.7, 0.5, 0.35), lambda c, p, s: reshaped(c, of_witness(c, p), s)),
    _fault("another person's face in place of the mannequin's", (1.0, 0.7, 0.5, 0.35),
           lambda c, p, s: mixed(c, somebody_else(), s)),
)
