"""Small projects. A holder by recipient opens at once; a passphrase costs two seconds and half a gigabyte each time."""

from __future__ import annotations

from pathlib import Path

from facedouble.age.sealing import generate
from facedouble.store.keys import Keyring, Secret, unlock_with
from facedouble.store.project import Project, create


def a_project(folder: Path, holder: str = "noor", machine: str = "warn") -> Project:
    """A new project, open; its holder's identity file lies beside it as HOLDER.id."""
    return create(folder, holder, Secret(recipient=an_identity(folder.parent / f"{holder}.id")), machine)


def an_identity(path: Path) -> str:
    """An identity file as age-keygen writes it; its recipient."""
    made, recipient = generate()
    path.write_text(f"# public key: {recipient}\n{made}\n")
    return recipient


def keyring_of(folder: Path, holder: str = "noor") -> Keyring:
    """What the identity file beside the project opens."""
    return unlock_with(folder / "keys", folder.parent / f"{holder}.id", holder)
