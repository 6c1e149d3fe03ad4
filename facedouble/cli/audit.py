"""`facedouble audit`: a finished film looked at by other eyes, heard by other ears, and opened byte by byte."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, Any

import typer

from facedouble import disk
from facedouble.cli.asked import options_of
from facedouble.cli.shown import OUT, Bar, Stop
from facedouble.errors import ExitCode, InputRefused, UsageError


def audit(
    film: Annotated[Path, typer.Argument(help="the finished film, .mp4")],
    witness: Annotated[list[Path] | None, typer.Option(help="the footage it was made of, other footage or photos of those who "
                                                       "are protected; can be given again")] = None,
    plan: Annotated[Path | None, typer.Option(help="the plan it was made by, NAME.plan.toml")] = None,
    clip: Annotated[str, typer.Option(help="which clip of the plan it is; the film's own name, if that is one")] = "",
    gallery: Annotated[Path | None, typer.Option(help="a folder with photos and clips of other people, a subfolder or a file for "
                                                 "each: whom an attacker might take the witness for")] = None,
    words: Annotated[Path | None, typer.Option(help="names that nobody may hear or read, as for `facedouble subtitles`")] = None,
    exhaustive: Annotated[bool, typer.Option("--exhaustive", help="look at everything; takes many times as long")] = False,
    options: Annotated[Path | None, typer.Option(help="TOML file with every knob; limits stand in its [audit] table")] = None,
    double: Annotated[Path | None, typer.Option(help="the .fdouble that is worn, without a plan")] = None,
    halo: Annotated[float | None, typer.Option(min=0.0, max=1.0, help="as the film was drawn, if not as the options say")] = None,
    calm: Annotated[float | None, typer.Option(min=0.0, max=1.0, help="the same")] = None,
    lines: Annotated[bool, typer.Option("--lines", hidden=True)] = False,
) -> None:
    """Look at a finished film as an enemy would, and say in one page what was tried and what was found.

    The page lies beside the film; of a film outside of the project that its plan is in, in the project's folder audits.
    """
    from facedouble.pipeline.audit.run import Task, beside, close_doors, run

    if not witness and plan is None:
        raise UsageError("say what the film was made of: --witness FOOTAGE, or --plan NAME.plan.toml")
    if not disk.is_file(film):
        raise InputRefused(f"{film}: there is no such film; check the name")
    knobs = options_of(options, halo, calm)
    project = _project()
    task = Task(film, tuple(witness or ()), plan, clip, gallery, words, exhaustive, double, prints=_prints(project),
                kept=_kept(film, project))
    close_doors()
    if lines:
        made = run(task, knobs, _line, keep=_handed)
    else:
        with Bar() as bar:
            made = run(task, knobs, bar, keep=beside(task))
        for check in made.checks:
            state = "was not tried: " + check.missing if check.missing else \
                f"{len(check.findings)} found" if check.findings else "nothing found"
            OUT.print(f"  {check.name} ({check.looked} {check.unit}): {state}" if check.looked else f"  {check.name}: {state}",
                      markup=False)
            for finding in check.findings[:5]:
                OUT.print(f"    {finding.what}", markup=False)
        verdict = "nothing was found" if made.passed else "NOT to be published as it is"
        OUT.print(f"{film}: {verdict}\n  {task.page}", markup=False)
    if not made.passed:
        raise typer.Exit(ExitCode.AUDIT)


def _project() -> Any | None:
    """The project that the film, its plan or its footage is in."""
    from facedouble.cli.inside import entered

    return next(iter(entered()), None)


def _prints(project: Any | None) -> tuple[Any, ...]:
    """What the people of the project can be known by; nothing without one."""
    if project is None:
        return ()
    from facedouble.pipeline.audit.project import prints

    return tuple(prints(project))


def _kept(film: Path, project: Any | None) -> Path | None:
    """Where what is said of a copy goes that lies outside: what is made of a project's footage stays in it."""
    return None if project is None or disk.placed(film) is not None else Path(os.path.relpath(project.folder)) / "audits"


def _handed(words: bytes, page: bytes) -> None:
    """What the audit says, for the process that started this one: nothing of it is written to a disk here."""
    print(json.dumps({"audit": words.decode(), "page": page.decode()}), flush=True)


def _line(step: str, done: int, total: int | None) -> None:
    """Progress for the process that started this one: a JSON list a line, not more than a hundred for a step."""
    Stop.here()
    if total is None or done >= total or done % max(total // 100, 1) == 0:
        print(json.dumps([step, done, total]), flush=True)
