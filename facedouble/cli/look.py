"""`facedouble files` and `facedouble view`: what is in a project, looked at without a copy of it on the disk."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from facedouble import disk
from facedouble.cli.shown import OUT, size
from facedouble.errors import InputRefused, UsageError

TEXTS = {".toml", ".json", ".srt", ".vtt", ".txt", ".tsv", ".csv"}
PICTURES = {".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".bmp", ".gif"}
PLAYED = {".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".mts", ".3gp",
          ".wav", ".flac", ".mp3", ".m4a", ".aac", ".ogg", ".opus"}


def files(
    folder: Annotated[Path, typer.Argument(help="the project, or a folder in it")],
) -> None:
    """List what a project holds."""
    from facedouble.cli.inside import enter

    project = enter(folder, write=False)
    whole = folder.absolute()
    for path in disk.found(whole, "**/*") if whole != project.folder else disk.found(project.folder, "**/*"):
        OUT.print(f"{size(disk.size(path)):>10}  {path.relative_to(project.folder)}", markup=False)


def view(
    name: Annotated[Path, typer.Argument(help="a file of a project: film/people-1.jpg")],
    program: Annotated[str, typer.Option("--with", help="the program that shows it; default: mpv for films and sound, feh for "
                                         "pictures")] = "",
) -> None:
    """Show a file of a project: text here, pictures and films in another program, out of memory and not from the disk."""
    if disk.placed(name) is None or not disk.is_file(name):
        raise InputRefused(f"{name}: there is no such file in a project; `facedouble files` lists what there is")
    if name.suffix.lower() in TEXTS:
        OUT.print(disk.read_text(name), markup=False, end="")
        return
    program = program or _viewer(name)
    with disk.open_read(name) as source:
        shown_from_memory(source.read(), program, name.suffix)


def _viewer(name: Path) -> str:
    """A program that shows it itself, so that what holds us holds it: one that asks another, as xdg-open does, is not held."""
    kind = name.suffix.lower()
    if kind in PICTURES | PLAYED:
        return "feh" if kind in PICTURES else "mpv"
    raise UsageError(f"{name}: which program shows {kind or 'this'}? Name one with --with; one that runs already, as a browser "
                     "may, is held by nothing: close it first")


def shown_from_memory(data: bytes, program: str, suffix: str, more: Sequence[str] = ()) -> None:
    """Let another program show it out of memory; it is gone when this ends. more: words for that program."""
    found = shutil.which(program)
    if found is None:
        raise UsageError(f"there is no program {program} on this machine; name one that shows {suffix} with --with")
    with open(os.memfd_create("facedouble"), "wb") as held:
        held.write(data)
        held.flush()
        OUT.print("shown from memory; some programs keep thumbnails or lists of what they showed: turn that off", markup=False)
        subprocess.run([found, *more, f"/proc/{os.getpid()}/fd/{held.fileno()}"], check=False, stdin=subprocess.DEVNULL)
        if program == "xdg-open":  # it only asks another program
            typer.prompt("press Enter when you have seen it", default="", show_default=False)


def register(app: typer.Typer) -> None:
    """Add both commands."""
    app.command("files", epilog="Example: facedouble files film")(files)
    app.command("view", epilog="Example: facedouble view film/people-1.jpg --with feh")(view)
