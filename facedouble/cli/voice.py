"""`facedouble voice …`: volunteers' voices, who speaks when, takes, the listening page."""

from __future__ import annotations

import typer

from facedouble.cli import takes

voice_app = typer.Typer(no_args_is_help=True, help="Voice doubles: another voice says the witness's words.")


@voice_app.callback()
def _voice() -> None:
    """Voice doubles: another voice says the witness's words."""


takes.register(voice_app)
