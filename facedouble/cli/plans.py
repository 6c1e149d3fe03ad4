"""`facedouble plan …`: looking at a film's plan and changing it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from facedouble import disk
from facedouble.cli import plan_sound
from facedouble.cli.asked import options_of
from facedouble.cli.changed import PlanPath
from facedouble.cli.changed import change as _change
from facedouble.cli.changed import plain as _plain
from facedouble.cli.shown import OUT, Bar, size
from facedouble.errors import StoreError, UsageError

plan_app = typer.Typer(no_args_is_help=True,
                       help="Look at a film's plan and change it; beside loose files a text editor does as well.")


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
    from facedouble.isolation import close_doors
    from facedouble.plan import edit
    from facedouble.plan.values import DoubleFile

    close_doors()
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
    from facedouble.pipeline.film import Home
    from facedouble.plan import edit

    made: list[str] = []

    def change(text: str) -> str:
        text, id_ = edit.split(text, person, faces, elsewhere=Home(plan).elsewhere())
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
    OUT.print(f"{home.notes}: {size(before - home.stored())} removed, {size(home.stored())} of finished parts stay",
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
        done = find(Home(plan), options_of(options), {} if only_shots else FINDERS, bar)
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

    if disk.exists(output):
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


plan_sound.add_to(plan_app)
