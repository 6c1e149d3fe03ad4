"""`doctor`: is this machine fit for the program, and, with `--air-gap`, for a film with people in danger?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from facedouble.cli.shown import OUT
from facedouble.errors import ExitCode, UsageError

MARKS = {True: "[green]ok  [/]", False: "[red]BAD [/]", None: "[yellow]note[/]"}


def doctor(
    folder: Annotated[Path | None, typer.Argument(help="where the project is, or will be; with --air-gap")] = None,
    air_gap: Annotated[bool, typer.Option("--air-gap", help="whether this machine is cut off, and what it would keep")] = False,
) -> None:
    """Check models, libraries, cores, GPU, network and disk; one line each, with the remedy."""
    if air_gap:
        _air_gap(folder or Path("."))
        return
    if folder is not None:
        raise UsageError(f"{folder}: a folder is only looked at with --air-gap; add it")
    from facedouble.doctor import examine
    from facedouble.models.install import default_directory

    findings = examine(default_directory())
    for f in findings:
        _line(f.ok, f.what, f.detail, f.remedy)
    if any(f.ok is False for f in findings):
        raise typer.Exit(ExitCode.MODEL if any(f.ok is False and f.what.startswith("model") for f in findings)
                         else ExitCode.MACHINE)


def _air_gap(folder: Path) -> None:
    from facedouble.airgap.verdict import examine

    verdict = examine(folder)
    for finding in verdict.findings:
        _line(finding.ok, finding.what, finding.detail, finding.remedy)
    OUT.print()
    OUT.print(verdict.words, markup=False)
    if verdict.networked or verdict.unfit:
        raise typer.Exit(ExitCode.MACHINE)


def _line(ok: bool | None, what: str, detail: str, remedy: str) -> None:
    OUT.print(MARKS[ok], escape(f"{what}: {detail}" + (f" — {remedy}" if remedy else "")))
