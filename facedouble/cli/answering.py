"""`facedouble override`: two key holders answer for a scene whose person could not be reached. Nothing else can be overridden."""

from __future__ import annotations

import shlex
import time
from pathlib import Path
from typing import Annotated

import typer

from facedouble.cli.persons import now
from facedouble.cli.shown import OUT, Bar
from facedouble.cli.told import Font, PassphraseFd, ProjectFolder, Who, opened
from facedouble.errors import ConsentError, UsageError


def override(
    folder: ProjectFolder, person: Who,
    scene: Annotated[int, typer.Option(help="the scene's number: one")],
    reason: Annotated[str, typer.Option(help="why it may go out, 20 characters or more; it stays in the report of the release")],
    render: Annotated[str, typer.Option(help="id that `render` printed; default: the newest")] = "",
    second: Annotated[str | None, typer.Option("--second", help="the second key holder's label")] = None,
    second_identity: Annotated[Path | None, typer.Option(help="the second key holder's age identity file")] = None,
    program: Annotated[str, typer.Option("--with", help="the program that shows the scene")] = "mpv",
    closer: Annotated[str, typer.Option(help="the viewer's option for four times as large")] = "--video-zoom=2",
    font: Font = None,
    passphrase_fd: PassphraseFd = None,
) -> None:
    """Let a scene go out of somebody who could not be reached, if a second key holder signs that too. The scene is shown first.

    Nobody can answer for a no, for somebody who withdrew, for what the audit found, or for a broken log.
    """
    from facedouble.cli.opened import keyring_for
    from facedouble.pipeline.looking import scene_film
    from facedouble.store import approvals, people, renders
    from facedouble.store import override as overrides

    try:
        nearer = shlex.split(closer)
    except ValueError as error:
        raise UsageError(f"--closer {closer}: a quotation mark is open; close it") from error
    project = opened(folder, True, passphrase_fd)
    made, who = renders.get(project.db, render), people.get(project.db, person)
    held, by = made.scene(scene), project.keyring.holder
    said = approvals.state(project.db, who.id, held.hash, made.purpose)
    if said is None or said.state != "unreachable":
        raise ConsentError(f"scene {scene}: it is not written down that {who.id} could not be reached; try, then "
                           "`facedouble unreachable`")
    other = keyring_for(folder, passphrase_fd, second_identity, second, "of a second key holder")
    whole = held.start, held.stop
    overrides.over(made, "unreachable", scene, whole, reason, (overrides.LEAST_LOOKED_MS,) * 2, by, other.holder, who.id)
    with Bar() as bar:
        film = scene_film(project, made, scene, bar, font)
    looked = _looked(film, program), _looked(film, program, *nearer)
    wanted = overrides.over(made, "unreachable", scene, whole, reason, looked, by, other.holder, who.id)
    facts = {"render": made.id, "scene": scene, "hash": held.hash, "person": who.id, "kind": "unreachable"}
    with project.change("override", facts, other) as db:
        overrides.record(db, wanted, project.keyring, other, now())
    OUT.print(f"{by} and {other.holder} answer for {who.id} in scene {scene} of render {made.id}; it ends with any change",
              markup=False)


def _looked(film: bytes, program: str, *more: str) -> int:
    """Show it; for how many ms it was looked at."""
    from facedouble.cli.look import shown_from_memory

    begun = time.monotonic()
    shown_from_memory(film, program, ".mp4", more)
    return round(1000 * (time.monotonic() - begun))
