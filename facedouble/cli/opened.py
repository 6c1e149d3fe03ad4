"""Open a project for a command: with the key that `unlock` left, or by asking for the passphrase."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from facedouble.airgap.verdict import examine
from facedouble.cli.inside import fence
from facedouble.cli.passphrases import asked
from facedouble.isolation import close_doors
from facedouble.store import agent, keys, settings
from facedouble.store.handing import handed
from facedouble.store.keys import Keyring
from facedouble.store.machine import admit
from facedouble.store.project import Project


def networked(folder: Path) -> Sequence[str]:
    """Why this machine counts as one on a network; nothing if it does not."""
    return examine(folder).networked


def open_project(folder: Path, write: bool = True, passphrase_fd: int | None = None) -> Project:
    """The project, open; StoreError if it is locked and nobody can be asked, MachineError if the machine is not fit for it."""
    return admitted(Project.open(folder, unlocked(folder, passphrase_fd), write))


def admitted(project: Project) -> Project:
    """The project, fenced; MachineError if the machine is not fit for it."""
    admit(project, networked(project.folder) if project.settings.machine == "strict" else ())
    fence(project.folder)
    return project


def unlocked(folder: Path, passphrase_fd: int | None = None) -> Keyring | None:
    """The key: from the parent process, from `unlock`, or from whoever sits here; None for a field project, which has none.

    Before a key is there, this process gives up the network and crash files, for good.
    """
    close_doors()
    said = settings.read(folder)
    if said.profile == "field":
        return None
    return handed() or agent.ask(said.id) or keyring_for(folder, passphrase_fd)


def keyring_for(folder: Path, passphrase_fd: int | None = None, identity: Path | None = None, holder: str | None = None,
                whose: str = "") -> Keyring:
    """The keyring of somebody who says their passphrase now, or has an identity file: an own act of a second key holder."""
    close_doors()
    settings.read(folder)
    if identity is not None:
        return keys.unlock_with(folder / "keys", identity, holder)
    name = whose or (f"of {holder}" if holder else f"for {folder}")
    return keys.unlock(folder / "keys", asked(f"Passphrase {name}", passphrase_fd), holder)
