"""In which order, and under which headings, `facedouble --help` lists the commands."""

from __future__ import annotations

from typing import Any, Final

import typer

PANELS: Final = {
    "A clip, or loose files": ("protect", "audit", "compare", "subtitles"),
    "A film with a plan": ("analyse", "people", "plan", "render"),
    "Doubles": ("double", "voice"),
    "A project: footage and all that is made of it, encrypted": (
        "init", "unlock", "lock", "add", "receive", "files", "view", "keys", "log", "evidence"),
    "People, approvals, release": ("person", "volunteer", "approvals", "review", "approve", "object", "unreachable", "override",
                                   "release"),
    "This machine": ("doctor", "models", "demo"),
}


def arrange(app: typer.Typer) -> None:
    """Put every command where it belongs; KeyError for one that nobody gave a place."""
    listed = [(name, panel) for panel, names in PANELS.items() for name in names]
    places = {name: (n, panel) for n, (name, panel) in enumerate(listed)}
    known: list[Any] = [*app.registered_commands, *app.registered_groups]
    for info in known:
        info.rich_help_panel = places[_name(info)][1]
    app.registered_commands.sort(key=lambda info: places[_name(info)][0])
    app.registered_groups.sort(key=lambda info: places[_name(info)][0])


def _name(info: Any) -> str:
    return str(info.name or info.callback.__name__)
