"""`facedouble subtitles`: subtitles without names."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from facedouble.cli.shown import OUT


def subtitles(
    source: Annotated[Path, typer.Argument(help="subtitles, .srt or .vtt")],
    listed: Annotated[Path, typer.Option("--redact", help="what must not be read: .toml (names, places), or a name a line")],
    output: Annotated[Path, typer.Option("-o", "--output", help="the new subtitles, .srt or .vtt; has to be new")],
) -> None:
    """Replace names and places in subtitles, inflected or in other letters too. Everything but times and texts is left out."""
    from facedouble.pipeline.subtitles import open_list
    from facedouble.pipeline.subtitles import subtitles as run

    made = run(source, open_list(listed), output)
    OUT.print(f"{output}: {made.cues} cues, {made.replaced} places replaced in {made.touched} of them")
    OUT.print("  read it once from start to end: nicknames, hints and other spellings are found by people only")
