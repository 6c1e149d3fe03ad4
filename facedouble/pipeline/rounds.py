"""A film is drawn, audited, covered where something was found, and audited again. When nothing is found, it gets its name.

What is drawn meanwhile is a candidate: a hidden file beside the destination, with protected pictures only. Nothing takes its
place if the last audit still found something; its words and pictures do, so that somebody can decide what else to do.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from facedouble import disk
from facedouble.audit.verdict import Audit, replaceable
from facedouble.errors import AuditFailed, StoreError
from facedouble.options import AuditOptions
from facedouble.pipeline.analyse import Analysis, Progress
from facedouble.pipeline.report import Report
from facedouble.pipeline.veto import NOTHING, Veto, answer
from facedouble.publish import candidate, write_new, write_over

AUDIT, PAGE, REPORT = ".audit.json", ".audit.html", ".report.json"
DRAFT: Final = "draft: this film was not audited"

Auditor = Callable[[Path, Progress], tuple[Audit, bytes]]
"""A candidate, with its report beside it -> what the audit says of it, and its page; in a process of its own."""

Draw = Callable[[Path, Veto], tuple[Report, bytes]]
"""Writes a film there, covered where the veto says; its report, and its contact sheet."""


@dataclass(frozen=True)
class Places:
    """Where a film and what belongs to it go, by the film's own place."""

    film: Path

    @property
    def candidate(self) -> Path:
        """The film while it is audited."""
        return candidate(self.film)

    def beside(self, suffix: str) -> Path:
        """A file that belongs to the film."""
        return self.film.with_suffix(suffix)

    def check(self) -> None:
        """StoreError if something would have to be overwritten."""
        for path in (self.film, self.beside(REPORT), self.beside(".sheet.jpg")):
            if disk.exists(path):
                raise StoreError(f"{path}: exists already; nothing is overwritten, so choose another name or move it away")
        words, there = self.beside(AUDIT), [p for p in (self.beside(AUDIT), self.beside(PAGE)) if disk.exists(p)]
        if there and not (disk.is_file(words) and replaceable(disk.read(words))):
            raise StoreError(f"{there[0]}: exists already, and is no audit; choose another name or move it away")

    def tidy(self) -> None:
        """Take the candidate away."""
        for path in (self.candidate, self.candidate.with_suffix(REPORT)):
            disk.remove(path)


def draw_and_audit(film: Path, draw: Draw, auditor: Auditor | None, made: Analysis, limits: AuditOptions, progress: Progress,
                   lead: int = 0) -> Report:
    """Make the film; the report and the sheet appear beside it. auditor None: a draft, which says so.

    AuditFailed if something is found that could not be covered in so many rounds: then only what the audit says is there.
    """
    places = Places(film)
    if auditor is None:
        report, sheet = draw(film, NOTHING)
        report.facts["audit"] = DRAFT
    else:
        try:
            report, sheet = _rounds(places, draw, auditor, made, limits, progress, lead)
            _named(places)
        finally:
            with suppress(OSError):
                places.tidy()
    write_new(places.beside(REPORT), report.json().encode())
    write_new(places.beside(".sheet.jpg"), sheet)
    return report


def _rounds(places: Places, draw: Draw, auditor: Auditor, made: Analysis, limits: AuditOptions, progress: Progress,
            lead: int) -> tuple[Report, bytes]:
    veto, rounds = NOTHING, 0
    while True:
        places.tidy()
        report, sheet = draw(places.candidate, veto)
        report.facts["audit"] = {"covered": veto.plain()}
        write_new(places.candidate.with_suffix(REPORT), report.json().encode())
        audit, page = auditor(places.candidate, progress)
        rounds += 1
        covered = veto if audit.passed or rounds >= limits.rounds else veto + answer(audit, made, lead, limits.beside, rounds > 1)
        if covered == veto:
            break
        veto = covered
    write_over(places.beside(AUDIT), audit.json().encode(), private=True)
    write_over(places.beside(PAGE), page, private=True)
    report.facts["audit"] = {"passed": audit.passed, "rounds": rounds, "covered": veto.plain()}
    if not audit.passed:
        what = [f.what for _, f in audit.findings] or [f"{c.name}: {c.missing}" for c in audit.checks if not c.passed]
        things = f"{len(what)} things" if len(what) > 1 else "something"
        raise AuditFailed(f"{places.film}: not written, because the audit found {things} that could not be covered. First: "
                          f"{what[0]} Look at {places.beside(PAGE)}")
    return report, sheet


def _named(places: Places) -> None:
    """Give the candidate its name; fails if the name was taken meanwhile."""
    try:
        disk.give_name(places.candidate, places.film)
    except FileExistsError as error:
        raise StoreError(f"{places.film}: appeared while the film was made; nothing is overwritten") from error
    except OSError as error:
        raise StoreError(f"{places.film}: cannot be written ({error.strerror}); choose another place") from error
