"""`facedouble review pack` and `facedouble release`: what people see before they say yes, and the one door out."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Annotated

import typer

from facedouble.cli.shown import OUT, Bar
from facedouble.cli.told import Font
from facedouble.errors import UsageError

review_app = typer.Typer(no_args_is_help=True, help="Show people their own scenes before they are released.")


@review_app.command("pack", epilog="Example: facedouble review pack film noor -o /media/stick/noor.age")
def pack(
    folder: Annotated[Path, typer.Argument(help="the project")],
    person: Annotated[str, typer.Argument(help="whose scenes: the pseudonym, or an id of the plan")],
    output: Annotated[Path, typer.Option("-o", "--output", help="a new file outside of the project, .age")],
    render: Annotated[str, typer.Option(help="id that `render` printed; default: the newest")] = "",
    font: Font = None,
    passphrase_fd: Annotated[int | None, typer.Option(help="read the pack's passphrase from this descriptor")] = None,
) -> None:
    """Make a film of one person's own scenes, as protected as the film is, with its subtitles and a mark on every frame, sealed
    to a passphrase."""
    from facedouble.cli.inside import enter
    from facedouble.cli.passphrases import chosen
    from facedouble.pipeline.packing import clear, seal_pack

    if output.suffix.lower() != ".age":
        raise UsageError(f"{output}: let its name end in .age")
    project = enter(folder)
    clear(project)
    said = chosen(False, passphrase_fd, "the pack; tell it to them by another way than the file")
    with Bar() as bar:
        made = seal_pack(project, person, render, output, said, f"pk-{secrets.token_hex(3)}", bar, font)
    OUT.print(f"{output}: {made.frames} frames of {len(made.scenes)} scenes, marked {made.mark}", markup=False)
    for scene in made.scenes:
        OUT.print(f"  scene {scene.number}: {scene.stop - scene.start} frames, {scene.hash[:12]}", markup=False)
    OUT.print("It opens with `age -d` or `facedouble review open`. Whoever has the file and the passphrase can copy the scenes: "
              "take the stick back, and destroy it.", markup=False)


@review_app.command("open", epilog="Example: facedouble review open noor.age --with mpv")
def open_pack(
    file: Annotated[Path, typer.Argument(help="the pack")],
    program: Annotated[str, typer.Option("--with", help="the program that shows it")] = "mpv",
    passphrase_fd: Annotated[int | None, typer.Option(help="read its passphrase from this descriptor")] = None,
) -> None:
    """Show a pack out of memory; nothing of it is written to the disk."""
    from facedouble.cli.inside import fence
    from facedouble.cli.look import shown_from_memory
    from facedouble.cli.passphrases import asked
    from facedouble.isolation import close_doors
    from facedouble.pipeline.packing import opened_pack

    close_doors()
    fence(None)  # the viewer, too, reaches no network and writes nowhere
    shown_from_memory(opened_pack(file, asked("Passphrase of the pack", passphrase_fd)), program, ".mp4")


def release(
    folder: Annotated[Path, typer.Argument(help="the project")],
    output: Annotated[Path, typer.Option("-o", "--output", help="the film, .mp4; a new file outside of the project")],
    render: Annotated[str, typer.Option(help="id that `render` printed; default: the newest")] = "",
    purpose: Annotated[str, typer.Option("--for", help="film, trailer or stills, as it was rendered for")] = "film",
    check: Annotated[bool, typer.Option("--check", help="only say what stands in the way")] = False,
) -> None:
    """Let a film go, if its audit passed, everybody in it said yes to it as it is, and nobody has withdrawn."""
    from facedouble.cli.inside import enter
    from facedouble.errors import ExitCode
    from facedouble.pipeline.packing import film_of
    from facedouble.pipeline.release import Order, standing_in_the_way
    from facedouble.pipeline.release import release as run
    from facedouble.store.release_rules import exit_code

    project = enter(folder)
    if check:
        found = standing_in_the_way(project, render, purpose)
        for blocker in found:
            OUT.print(blocker.sentence, markup=False)
        OUT.print("nothing stands in the way" if not found else f"{len(found)} things stand in the way", markup=False)
        if found:
            raise typer.Exit(exit_code(found))
        raise typer.Exit(ExitCode.DONE)
    with Bar() as bar:
        made = run(project, Order(render, output, purpose), lambda wanted: film_of(project, wanted), bar)
    OUT.print(f"{made.film}: released as {made.id}", markup=False)
    for path in made.beside:
        OUT.print(f"  {path}", markup=False)
    OUT.print("What is out cannot be called back. Write the log's head on paper: `facedouble log head`.", markup=False)


def register(app: typer.Typer) -> None:
    """Add them all."""
    app.add_typer(review_app, name="review")
    app.command("release", epilog="Example: facedouble release film -o /media/stick/film.mp4 --for film")(release)
