"""`facedouble protect` and `facedouble render`: a film is made, audited, and gets its name."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from facedouble.cli import plan_sound
from facedouble.cli.asked import options_of
from facedouble.cli.changed import PlanPath
from facedouble.cli.shown import ERR, OUT, Bar, size
from facedouble.errors import ExitCode, UsageError


def protect(
    source: Annotated[Path, typer.Argument(help="footage: MP4, MOV, MKV, MPEG, AVI, …")],
    output: Annotated[Path, typer.Option("-o", "--output", help="the protected film, .mp4; has to be new")],
    double: Annotated[str, typer.Option(help="a volunteer's face (.fdouble), mannequin, or veil: no face at all")] = "mannequin",
    voice: Annotated[str, typer.Option(help="what everybody's voice becomes: mute, a volunteer's voice (.fvoice), or keep (needs "
                                       "--reason)")] = "mute",
    voice_of: Annotated[list[str] | None, typer.Option(help="what one person's becomes, as 1=noor.fvoice or 2=keep; `facedouble "
                                                       "voice who` numbers them; can be given again")] = None,
    ambience: Annotated[str, typer.Option(help="what lies behind the speech: new, clean, or keep (needs --reason)")] = "",
    reason: Annotated[str, typer.Option(help="why a real voice, or the place, is heard")] = "",
    halo: Annotated[float | None, typer.Option(min=0.0, max=1.0, help="strength of the soft rim that shows the disguise")] = None,
    calm: Annotated[float | None, typer.Option(min=0.0, max=1.0, help="damps brows, asymmetry, blink rhythm")] = None,
    hair: Annotated[bool, typer.Option("--hair", help="strands in front of the face stay; it identifies a little")] = False,
    in_front: Annotated[bool, typer.Option("--in-front", help="a cup, a phone, a microphone before the face stay")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="no matte, whatever the options file says")] = False,
    no_faces: Annotated[bool, typer.Option("--no-faces", help="go on although no face was found")] = False,
    purpose: Annotated[str, typer.Option("--for", help="what the film is for: film, trailer, stills or test")] = "film",
    alike_by: Annotated[str, typer.Option(help="who decides that a double too like the witness is shown all the same")] = "",
    alike_reason: Annotated[str, typer.Option(help="and why; both go into the report")] = "",
    gallery: Annotated[Path | None, typer.Option(help="for the audit: a folder with photos and clips of other people")] = None,
    no_audit: Annotated[bool, typer.Option("--no-audit", help="only to measure: NAME.draft.mp4, that nobody checked")] = False,
    options: Annotated[Path | None, typer.Option(help="TOML file with every knob")] = None,
) -> None:
    """Protect everyone in a clip: the double's face where it can be drawn, the veil elsewhere."""
    from facedouble.consent import SCOPES
    from facedouble.pipeline.protect import Job
    from facedouble.pipeline.protect import protect as run
    from facedouble.pipeline.rehearse import Likeness
    from facedouble.pipeline.speakers import Voices

    if purpose not in SCOPES:
        raise UsageError(f"--for {purpose}: take one of {', '.join(SCOPES)}")
    voices = Voices.of_words(voice, voice_of or [], ambience, reason)
    output = _draft(output) if no_audit else output
    job = Job(source, output, double, voices, no_faces, purpose, dt.date.today(),
              Likeness(alike_by, alike_reason))
    worn = Path(double) if double.endswith(".fdouble") else None
    given = ["--witness", str(source), *_given("--double", worn), *_given("--gallery", gallery), *_given("--options", options)]
    for option, value in (("--halo", halo), ("--calm", calm)):
        given += [] if value is None else [option, str(value)]
    with Bar() as bar:
        report = run(job, options_of(options, halo, calm, hair, in_front, strict), bar,
                     auditor=None if no_audit else partial(_audited, given))
    OUT.print(f"{output}: {report.frames} frames")
    _what_audit_said(report.facts["audit"], output)
    for person in report.people:
        OUT.print(f"  person {person.person}: {person.frames} frames, {person.doubled} doubled, {person.fading} fading, "
                  f"{person.veiled} veiled")
    if report.hidden:
        OUT.print(f"  {len(report.hidden)} frames hidden whole")
    plan_sound.came_of("", report)
    for span in report.spans[:20]:
        OUT.print(f"  look at frames {span.start}-{span.stop - 1}: {span.why}")
    if len(report.spans) > 20:
        OUT.print(f"  … and {len(report.spans) - 20} more spans in the report")
    OUT.print(f"  {job.report}\n  {job.sheet}")
    for error in report.errors[:5]:
        ERR.print(error)
    if report.errors or report.hidden:
        raise typer.Exit(ExitCode.HIDDEN)


def _draft(output: Path) -> Path:
    """What was not audited says so in its name."""
    return output if output.name.endswith(".draft.mp4") else output.with_suffix(".draft.mp4")


def _given(option: str, path: Path | None) -> list[str]:
    return [] if path is None else [option, str(path)]


def _audited(arguments: list[str], film: Path, progress: Any) -> Any:
    """The audit of a candidate, by a process of its own."""
    from facedouble.cli.inside import handed_on
    from facedouble.pipeline.child import audit_in_child

    with handed_on() as (environment, descriptors):
        return audit_in_child(film, arguments, progress, environment, descriptors)


def _what_audit_said(said: Any, film: Path) -> None:
    if isinstance(said, str):
        OUT.print(f"  {said}; never publish it")
        return
    more = said["rounds"] - 1
    again = f" after {more} round{'s' * (more > 1)} of covering what was" if more else ""
    OUT.print(f"  audited: nothing was found{again}; {film.with_suffix('.audit.html')} says what was tried")
    for covered in said["covered"]:
        OUT.print(f"    covered because of the audit: {_covered(**covered)}", markup=False)


def _covered(face: int | None = None, frames: Sequence[int] = (), box: Sequence[float] = (), ms: Sequence[int] = ()) -> str:
    """One thing of a report, in words; [from, to) as a film-maker reads it."""
    if ms:
        return f"the sound from {ms[0] / 1000:.2f} to {ms[1] / 1000:.2f} s"
    what = f"face {face}" if face is not None else f"the place {', '.join(f'{v:.0f}' for v in box)} (left, top, right, bottom)"
    return f"{what} in frames {frames[0]} to {frames[1] - 1}"


def render(
    plan: PlanPath,
    output: Annotated[Path, typer.Option("-o", "--output", help="a folder for the clips, which go by their ids: A.mp4")],
    clip: Annotated[list[str] | None, typer.Option(help="only this clip; can be given again")] = None,
    purpose: Annotated[str, typer.Option("--for", help="what the film is for: film, trailer, stills or test")] = "film",
    gallery: Annotated[Path | None, typer.Option(help="for the audit: a folder with photos and clips of other people")] = None,
    words: Annotated[Path | None, typer.Option(help="for the audit: names that nobody may hear, as for `subtitles`")] = None,
    no_audit: Annotated[bool, typer.Option("--no-audit", help="only to measure: A.draft.mp4, that nobody checked")] = False,
    options: Annotated[Path | None, typer.Option(help="TOML file with every knob")] = None,
) -> None:
    """Make the clips as the plan says. What the plan has not changed since the last time is not drawn again."""
    from facedouble.consent import SCOPES
    from facedouble.pipeline.film import Home
    from facedouble.pipeline.screening import Screening, render_film

    if purpose not in SCOPES:
        raise UsageError(f"--for {purpose}: take one of {', '.join(SCOPES)}")
    job = Screening(Home(plan), output, purpose, dt.date.today(), tuple(clip or ()), no_audit)
    given = ["--plan", str(plan), *_given("--gallery", gallery), *_given("--words", words), *_given("--options", options)]

    def judge(id_: str, film: Path, progress: Any) -> Any:
        return _audited([*given, "--clip", id_], film, progress)

    knobs = options_of(options)
    if _in_project(output):
        job.home.check_ids()
        _begun(output, tuple(clip or ()), no_audit)
    with Bar() as bar:
        note = partial(_written_down, purpose, knobs, bar) if _in_project(output) and not no_audit else None
        reports = render_film(job, knobs, bar, auditor=None if no_audit else judge, made_one=note)
    hidden = failed = 0
    for id_, report in reports.items():
        OUT.print(f"{job.place(id_)}: {report.frames} frames")
        for line in report.people:
            OUT.print(f"  face {id_}:{line.person}: {line.frames} frames, {line.doubled} doubled, {line.fading} fading, "
                      f"{line.veiled} covered, {line.shown} shown")
        for span in report.spans[:12]:
            OUT.print(f"  look at frames {span.start}-{span.stop - 1}: {span.why}", markup=False)
        _what_audit_said(report.facts["audit"], job.place(id_))
        plan_sound.came_of(id_, report)
        for error in report.errors[:5]:
            ERR.print(error)
        hidden += len(report.hidden)
        failed += len(report.errors)
    OUT.print(f"  {job.home.notes} holds {size(job.home.stored())} of finished parts; `facedouble plan tidy` makes it less",
              markup=False)
    if hidden:
        OUT.print(f"  {hidden} frames hidden whole")
    if hidden or failed:
        raise typer.Exit(ExitCode.HIDDEN)


def _in_project(path: Path) -> bool:
    from facedouble import disk

    return disk.placed(path) is not None


def _begun(folder: Path, clips: tuple[str, ...], draft: bool) -> None:
    """Whoever comes second is told now, and not when there is something to write. What an earlier run did not get to write down
    would only be in the way."""
    from facedouble import disk
    from facedouble.cli.inside import project_of
    from facedouble.pipeline.recorded import clear_unfinished

    project, place = project_of(folder), disk.placed(folder)
    if place is not None:
        place[0].hold()
    if project is not None and not draft:
        project.refresh()  # the run before may have ended, and written its films down, since this command read the books
        clear_unfinished(project, folder, clips)


def _written_down(purpose: str, knobs: Any, progress: Any, one: Any) -> None:
    """What was made in a project is entered there, so that people can be asked about it."""
    from facedouble.cli.inside import fence, project_of
    from facedouble.pipeline.audit.run import open_kit
    from facedouble.pipeline.prints import take
    from facedouble.pipeline.recorded import record

    project = project_of(one.film)
    if project is not None:
        made = record(project, one, purpose, knobs, progress, fence(project.folder))
        kept = take(project, one, partial(open_kit, knobs))
        OUT.print(f"{one.film}: written down as render {made.id}, {len(made.scenes)} scenes; `facedouble approvals` says whom to "
                  "ask", markup=False)
        if kept:
            OUT.print(f"  what {', '.join(kept)} can be known by is kept, sealed to their own key; later audits look for them",
                      markup=False)
