"""`facedouble double …`: volunteers' faces, with their consent."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated, Any

import typer

from facedouble import disk
from facedouble.cli.asked import options_of
from facedouble.cli.shown import OUT, Bar
from facedouble.errors import ExitCode, StoreError, UsageError

double_app = typer.Typer(no_args_is_help=True, help="Make and look at doubles: volunteers' faces, with their consent.")


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
    if disk.exists(output):
        raise StoreError(f"{output}: exists already; choose another name")
    record = read_consent(consent)
    check_consent(record, dt.date.today())
    close_doors()
    settings = options_of(None)
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
    from facedouble.isolation import close_doors
    from facedouble.pipeline.portrait import portrait
    from facedouble.publish import write_new

    close_doors()
    double = read_double(path)
    _describe(path, double)
    target = picture or path.with_suffix(".contact.jpg")
    if disk.exists(target):
        OUT.print(f"  contact picture: {target} (exists already, left as it is)")
        return
    write_new(target, portrait(double))
    OUT.print(f"  contact picture: {target}")


@double_app.command("blend", epilog="Example: facedouble double blend ana.fdouble ben.fdouble eva.fdouble -o mixed.fdouble")
def double_blend(
    doubles: Annotated[list[Path], typer.Argument(help="two or more .fdouble files")],
    output: Annotated[Path, typer.Option("-o", "--output", help="the composite double, .fdouble; has to be new")],
) -> None:
    """Mix several volunteers' faces to one; their consents go with it.

    A recogniser may still take the composite for one of them: each has to be as safe as one who lends a face alone.
    """
    from facedouble.doubles.blend import blend
    from facedouble.doubles.file import read_double, write_double
    from facedouble.pipeline.casting import check, look, open_recogniser
    from facedouble.pipeline.protect import close_doors

    if disk.exists(output):
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
    settings, recognise = options_of(options), casting.open_recogniser()
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

    if not disk.is_folder(folder):
        raise UsageError(f"{folder}: no such folder; give the one that holds the .fdouble files")
    if sheet is not None and disk.exists(sheet):
        raise StoreError(f"{sheet}: exists already; choose another name")
    close_doors()
    settings, recognise = options_of(options), casting.open_recogniser()
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

    if picture is not None and disk.exists(picture):
        raise StoreError(f"{picture}: exists already; choose another name")
    close_doors()
    settings = options_of(options)
    with Bar() as bar:
        found = shotlist(footage, open_eyes(settings), settings, bar)
    for line in found.lines:
        OUT.print(line)
    if picture is not None:
        write_new(picture, found.picture)
        OUT.print(f"  {picture}")
