"""`protect`: one clip in, the same clip out with a double's face, or with everyone veiled."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2

from facedouble import disk
from facedouble.consent import check_consent
from facedouble.doubles.file import read_double
from facedouble.doubles.mannequin import VARIANTS, mannequin
from facedouble.errors import ConsentError, NoFaceFound, UsageError
from facedouble.faces.detect import Detectors
from facedouble.isolation import close_doors as close_doors
from facedouble.media.apart.reading import layers
from facedouble.media.chunks import check, remove
from facedouble.media.probe import probe
from facedouble.memory import keep_memory
from facedouble.models.detectors import far, yunet
from facedouble.models.install import locate
from facedouble.models.landmarker import FaceMesh
from facedouble.models.registry import AUDIT, RENDER
from facedouble.options import Options
from facedouble.pipeline.analyse import Analysis, Eyes, Progress, analyse, quiet
from facedouble.pipeline.auditions import audition
from facedouble.pipeline.casting import open_recogniser
from facedouble.pipeline.digest import of_file
from facedouble.pipeline.heard import MAKERS, Heard, Makers, open_crew, seed_of
from facedouble.pipeline.hearing import Ears, open_ears
from facedouble.pipeline.hearing import hear as listen
from facedouble.pipeline.rehearse import NOBODY, Likeness, rehearse
from facedouble.pipeline.render import Audible, Voice, render
from facedouble.pipeline.report import Report
from facedouble.pipeline.rounds import Auditor, Places, draw_and_audit
from facedouble.pipeline.score import Cue, Score
from facedouble.pipeline.sound import Crew
from facedouble.pipeline.speakers import Voices, score_for, speakers
from facedouble.pipeline.stage import Troupe
from facedouble.pipeline.veto import Veto
from facedouble.types import Turn, Value

Hear = Callable[[Analysis, Ears, Mapping[int, int] | None, Progress], Sequence[Turn]]
"""As `pipeline.hearing.hear`."""


@dataclass(frozen=True)
class Job(Value):
    """One run of `protect`. `purpose` is what the consent of the double has to cover; `today` for its dates.

    double: the path of a .fdouble, "mannequin", or "veil" for no face at all.
    """

    source: Path
    destination: Path
    double: str | Path
    voice: Voice | Voices
    no_faces: bool
    purpose: str
    today: dt.date
    likeness: Likeness = NOBODY

    @property
    def report(self) -> Path:
        return self.destination.with_suffix(".report.json")

    @property
    def sheet(self) -> Path:
        return self.destination.with_suffix(".sheet.jpg")

    @property
    def parts(self) -> Path:
        """Where finished chunks, protected pictures only, wait while the film is made."""
        return self.destination.with_name(f"{self.destination.name}.parts")


def open_eyes(options: Options, models: Path | None = None) -> Eyes:
    """Load the render's models; ModelError with the remedy if one is missing or altered."""
    keep_memory()
    cv2.setNumThreads(1)  # frames are drawn side by side; threads inside of each would only wait for each other
    paths = {name: locate(name, models) for name in RENDER}
    detectors = Detectors((yunet(paths["yunet"], options.detect.yunet_score),), (far(options.detect.far_score),))
    return Eyes(detectors, FaceMesh)


def _check_places(job: Job) -> None:
    if job.destination.suffix.lower() != ".mp4":
        raise UsageError(f"{job.destination}: the output is MP4; let its name end in .mp4")
    if disk.same(job.source, job.destination):
        raise UsageError(f"{job.destination}: input and output are the same file; choose another output")
    Places(job.destination).check()
    check(job.parts)


def load_doubles(named: str | Path, purpose: str, today: dt.date) -> Troupe:
    """The double, whose consent has to cover the purpose today; all mannequins for "mannequin", none for "veil"."""
    if named == "veil":
        return ()
    if named == "mannequin":
        return tuple(mannequin(n) for n in range(VARIANTS))
    path = Path(named)
    double = read_double(path)
    check_consent(double.consent, today)
    if purpose not in double.consent.scope:
        scope = ", ".join(double.consent.scope)
        raise ConsentError(f"{path}: the volunteer consented to {scope}, not to {purpose}; ask them, or say what this is "
                           "for with --for")
    return (double,)


def audit_models(models: Path | None = None) -> None:
    """ModelError now, and not when the film is drawn, if the audit could not be made."""
    for name in AUDIT:
        locate(name, models)


def quieted(voice: Audible, veto: Veto) -> Audible:
    """What is heard, with silence where the audit heard what must not be; everything silent, if it cannot be told apart."""
    if not veto.ms:
        return voice
    if isinstance(voice, Heard):
        return voice.over(veto.over(voice.score))
    return Voice()


def _voice(job: Job, made: Analysis, footage: str, seed: int, crew: Crew | None, progress: Progress, models: Path | None,
           hear: Hear) -> Audible:
    """What is heard of the clip; who speaks is only listened for where it matters. AuditFailed if a voice is too like one."""
    voices = job.voice
    if isinstance(voices, Voice):
        return voices
    if crew is None:
        return Voice(voices.usual == "keep", voices.reason)
    ears = open_ears(models)
    turns = hear(made, ears, None, progress) if made.info.audio else ()
    score = score_for(voices, made, turns)
    likenesses = () if not crew.samples else audition(
        [(made.info, score, footage)], crew, ears.voiceprint,
        {f"person {s.number}": f"voice {s.voice + 1}" for s in speakers(made, turns)})
    return Heard(score, crew, seed_of(made.info, score, seed), voices.reason, progress, likenesses)


def _crew(job: Job, models: Path | None, makers: Makers) -> Crew | None:
    """Who speaks for others, opened before the footage is looked at: None if nobody does and nobody has to be told apart."""
    if isinstance(job.voice, Voice) or job.voice.plain:
        return None
    open_ears(models)
    files = job.voice.files
    asked = Score(0, tuple(Cue(0, 0, 0, "double", name) for name in files))
    return open_crew([asked], files, job.purpose, job.today, models, makers)


def protect(job: Job, options: Options, progress: Progress = quiet, models: Path | None = None, makers: Makers = MAKERS,
            hear: Hear = listen, auditor: Auditor | None = None) -> Report:
    """Analyse, draw, audit, report. The film appears when whole and clean; the report and the sheet appear after it.

    Chunks that are finished survive a crash: the same job goes on from them, and the film is the same.
    """
    denial = close_doors()
    _check_places(job)
    info = probe(job.source)  # first: footage that cannot be read is told at once, and not when everything else is there
    if auditor is not None:
        audit_models(models)
    doubles = load_doubles(job.double, job.purpose, job.today)
    crew = _crew(job, models, makers)
    footage = of_file(job.source)
    made = analyse(info, open_eyes(options, models), options, progress)
    if not made.roles and not job.no_faces:
        raise NoFaceFound(f"{job.source}: no face was found in any frame, so nothing would be hidden; look at the footage, and "
                          "if there really is none, add --no-faces")
    # of the lips as they were read, before the rehearsal
    voice = _voice(job, made, footage, options.seed, crew, progress, models, hear)
    if doubles and not job.likeness.given:
        made = rehearse(made, doubles, options, open_recogniser(models), progress)

    def draw(film: Path, veto: Veto) -> tuple[Report, bytes]:
        report, sheet = render(made, film, doubles, quieted(voice, veto), options, progress, job.parts, footage, veto.before)
        report.facts["network"] = list(denial.means)
        report.facts["read_apart"] = list(layers().means)
        report.facts["alike"] = {"by": job.likeness.by, "reason": job.likeness.reason} if job.likeness.given else None
        return report, sheet

    report = draw_and_audit(job.destination, draw, auditor, made, options.audit, progress)
    remove(job.parts)
    return report
