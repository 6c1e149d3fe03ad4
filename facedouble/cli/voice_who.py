"""`facedouble voice who`: the people who speak in a clip, by number."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from facedouble.cli.shown import OUT, Bar


def voice_who(
    footage: Annotated[Path, typer.Argument(help="a clip with sound")],
    turns: Annotated[bool, typer.Option("--turns", help="every turn, too")] = False,
) -> None:
    """Number the people who speak in a clip, from left to right, as `facedouble protect --voice-of` takes them."""
    from facedouble.options import Options
    from facedouble.pipeline.who import who
    from facedouble.plan.times import clock

    with Bar() as bar:
        people, spoken = who(footage, Options(), bar)
    for p in people:
        where = "is not seen" if p.place is None else f"face at {100 * p.place:.0f} % of the picture's width, from the left"
        OUT.print(f"{p.number}: {where}; {p.ms / 1000:.1f} s in {p.turns} turn{'s' * (p.turns > 1)}, from {clock(p.first)} on",
                  markup=False)
    numbers = {p.voice: p.number for p in people}
    lost = [t for t in spoken if t.turn.voice not in numbers]
    if lost:
        OUT.print(f"not told apart, or of several at once: {len(lost)} turn{'s' * (len(lost) > 1)}, muted unless all get the "
                  "same; --turns lists every turn", markup=False)
    if not spoken:
        OUT.print("nobody is heard to speak")
    for t in spoken if turns else ():
        flags = f"; listen: {', '.join(t.turn.flags)}" if t.turn.flags else ""
        OUT.print(f"  {clock(t.start)} to {clock(t.stop)}: {numbers.get(t.turn.voice, '?')}{flags}", markup=False)


def add_to(app: typer.Typer) -> None:
    """The command of this file."""
    app.command("who", epilog="Example: facedouble voice who interview.mp4")(voice_who)
