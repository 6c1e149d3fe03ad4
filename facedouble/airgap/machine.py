"""Read what the kernel says of a machine below a root folder. Nothing is sent, run or written."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FIRST: Final = {"pid": "pid:[4026531836]", "user": "user:[4026531837]"}  # what a machine starts with: the kernel's numbers
UNTOLD: Final = "cannot be told: this system does not say"
UNSEEN: Final = "cannot be told: programs of others are hidden from this one"


@dataclass(frozen=True)
class Finding:
    """One line of the examination. `ok` is None where it is good to know, and no reason to refuse.

    network: it is about being reached, or having been; without it, about what stays behind on this machine.
    """

    what: str
    ok: bool | None
    detail: str
    remedy: str = ""
    network: bool = False


@dataclass(frozen=True)
class Machine:
    """The files below /proc, /sys, /etc and so on; with another root, of a machine that is not this one."""

    root: Path = Path("/")

    def at(self, path: str | Path) -> Path:
        """Where a path of that machine is on this one."""
        return self.root / str(path).lstrip("/")

    def text(self, path: str | Path) -> str | None:
        """What a file says, without the last line's end; None where it is not there, or will not be read."""
        try:
            return self.at(path).read_text("utf-8", "replace").rstrip("\n\0")
        except OSError:
            return None

    def names(self, path: str | Path) -> list[str]:
        """What lies in a folder, sorted; nothing where there is none."""
        try:
            return sorted(os.listdir(self.at(path)))
        except OSError:
            return []

    def there(self, path: str | Path) -> bool:
        """Whether there is such a thing; no, where that may not be asked."""
        try:
            return self.at(path).exists()
        except OSError:
            return False

    def shown(self, path: str | Path) -> bool:
        """It is a folder that may be looked into: what it does not hold is not there."""
        try:
            os.listdir(self.at(path))
        except OSError:
            return False
        return True

    def inside(self, kind: str) -> bool | None:
        """Whether this process is in another namespace of the kind than the machine's first; None where that is not said."""
        try:
            return os.readlink(self.at(f"/proc/self/ns/{kind}")) != FIRST[kind]
        except OSError:
            return None

    def closed(self, path: str | Path) -> bool:
        """It is, or may be, a folder that this user may not look into."""
        try:
            os.listdir(self.at(path))
        except PermissionError:
            return True
        except OSError:
            return False
        return False

    def all_running(self) -> bool:
        """Whether `running` is all of them: neither a namespace nor hidepid keeps others' from this process."""
        return self.text("/proc/1/comm") is not None and not self.inside("pid")

    def running(self) -> set[str]:
        """What the processes that it sees call themselves; the kernel keeps 15 letters of it."""
        said = (self.text(f"/proc/{number}/comm") for number in self.names("/proc") if number.isdigit())
        return {name for name in said if name}


def some(names: list[str] | set[str], most: int = 6) -> str:
    """A list in words, cut where it gets long."""
    ordered = sorted(names)
    return ", ".join(ordered[:most]) + (f" and {len(ordered) - most} more" if len(ordered) > most else "")
