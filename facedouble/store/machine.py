"""A strict project opens on a machine without network; on another only by the word of two key holders, until its next start."""

from __future__ import annotations

from collections.abc import Sequence

from facedouble.errors import MachineError
from facedouble.store.entry import boot_id
from facedouble.store.keys import Keyring
from facedouble.store.log import MACHINE
from facedouble.store.project import Project


def admit(project: Project, reasons: Sequence[str]) -> None:
    """MachineError if the project is strict, there are reasons to call the machine networked, and nobody accepted it."""
    if project.settings.machine != "strict" or not reasons:
        return
    boot = boot_id()
    if not any(e.event == MACHINE and e.facts.get("boot") == boot for e in project.log.entries):
        way = "" if project.blind else ", or let two key holders accept it: `facedouble unlock --accept-machine`"
        raise MachineError(f"{project.folder}: is strict, and this machine is on a network ({'; '.join(reasons)}); take the "
                           f"project to one that is not{way}")


def accept(project: Project, reasons: Sequence[str], second: Keyring) -> None:
    """Two key holders take the machine as it is, until it is started anew; both sign that in the log."""
    project.record(MACHINE, {"boot": boot_id(), "reasons": len(reasons)}, second)
