"""What the commands about plans share: the plan's path, changing it, words that a terminal can show."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from facedouble.cli.shown import OUT

PlanPath = Annotated[Path, typer.Argument(help="the film's plan, NAME.plan.toml")]


def plain(words: str) -> str:
    """Words without characters that would move the cursor of a terminal."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in words)


def change(plan: Path, how: Callable[[str], str], said: str) -> None:
    """Change the plan's text, or say why not; tell what came of it."""
    from facedouble.pipeline.film import Home

    home = Home(plan)
    home.put(how(home.text()))
    OUT.print(f"{plan}: changed" + (f", {said}" if said else ""), markup=False)
