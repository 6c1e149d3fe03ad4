"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from facedouble import disk
from facedouble.errors import UsageError


def options_of(path: Path | None, halo: float | None = None, calm: float | None = None, hair: bool = False,
               in_front: bool = False, strict: bool = False) -> Any:
    """The options file, and what the command line has in its place."""
    from dataclasses import replace

    from facedouble.options import Options, parse

    try:
        options = Options() if path is None else parse(disk.read_text(path))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: the options file cannot be read; give another with --options") from error
    draw = options.draw
    if halo is not None:
        draw = replace(draw, halo=halo)
    if calm is not None:
        draw = replace(draw, calm=calm)
    return replace(options, draw=replace(draw, hair=draw.hair or hair, occlusion=draw.occlusion or in_front,
                                       strict=draw.strict or strict))
