"""The verdict: is this machine on a network, or could it be in a moment, and what would it keep?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from facedouble.airgap.disks import disks
from facedouble.airgap.leaks import leaks
from facedouble.airgap.machine import Finding, Machine
from facedouble.airgap.network import network
from facedouble.airgap.radios import radios
from facedouble.airgap.traces import traces

LIMIT: Final = ("A program cannot prove that a machine was never online: it sees what this system shows it, not firmware, not a "
                "host below, not a stick that was here, not what was erased.")


@dataclass(frozen=True)
class Verdict:
    """What was found. A strict project opens only where `networked` is empty, or two people say so."""

    findings: tuple[Finding, ...]

    @property
    def networked(self) -> tuple[str, ...]:
        """Why this machine counts as one on a network."""
        return tuple(f"{f.what}: {f.detail}" for f in self.findings if f.network and f.ok is False)

    @property
    def unfit(self) -> tuple[str, ...]:
        """What else is wrong: bare disks and swap, which keep what was only in memory."""
        return tuple(f"{f.what}: {f.detail}" for f in self.findings if not f.network and f.ok is False)

    @property
    def words(self) -> str:
        """One paragraph for people."""
        if self.networked:
            said = f"This machine is NOT cut off: {'; '.join(self.networked)}. A strict project does not open here."
        else:
            said = "Nothing was found by which this machine could reach a network now."
            noted = [f.what for f in self.findings if f.network and f.ok is None]
            said += f" Look at what is noted, though: {', '.join(noted)}." if noted else ""
        if self.unfit:
            said += f" It may keep what should be gone: {'; '.join(self.unfit)}."
        return f"{said} {LIMIT}"


def examine(folder: Path, root: Path = Path("/")) -> Verdict:
    """Examine the machine for a project that is, or will be, in the folder. Only reads; sends, starts and writes nothing."""
    machine = Machine(root)
    place = Path(folder).resolve() if root == Path("/") else Path("/") / folder
    return Verdict((*network(machine), *radios(machine), *traces(machine, place), *disks(machine, place), *leaks(machine)))
