"""What the kernel saw a command and its children make, name, or remove."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CALLS: Final = ("open,openat,openat2,creat,rename,renameat,renameat2,link,linkat,symlink,symlinkat,mkdir,mkdirat,mknod,mknodat,"
                "unlink,unlinkat,memfd_create,truncate")
OPENS: Final = ("open", "openat", "openat2", "creat")
MAKES: Final = ("rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat", "mkdir", "mkdirat", "mknod",
                "mknodat")
LINE: Final = re.compile(r"^\d+ +(\w+)\((.*)\) += (-?\d+)(?:<([^>]*)>)?")
WRITES: Final = ("O_CREAT", "O_TMPFILE", "O_WRONLY", "O_RDWR", "O_TRUNC")


@dataclass(frozen=True)
class Made:
    """call: of the kernel; path: what was made, or opened to be written to, absolute."""

    call: str
    path: Path
    whole: str


def under(report: Path) -> list[str]:
    """The words before a command, so that the kernel's report of it goes there."""
    return ["strace", "-f", "-qq", "-y", "-s", "4096", "-e", f"trace={CALLS}", "-e", "signal=none", "-o", str(report)]


def made(report: Path, cwd: Path) -> list[Made]:
    """Everything that was made or opened to be written to; what failed has changed nothing and is left out."""
    found = []
    for line in _joined(report.read_text(errors="surrogateescape").splitlines()):
        match = LINE.match(line)
        if match is None or int(match[3]) < 0:
            continue
        call, said, at = match[1], match[2], match[4]
        names = re.findall(r'"([^"]*)"', said)
        if call in OPENS and any(word in said for word in WRITES):
            found.append(Made(call, Path((at or names[0]).removesuffix("(deleted)")), line))
        elif call in MAKES:
            folders = re.findall(r"(?:AT_FDCWD|\d+)<([^>]*)>", said)
            base = Path(folders[-1]) if folders else cwd
            found.append(Made(call, base / names[-1], line))
        elif call in ("truncate",):
            found.append(Made(call, cwd / names[0], line))
    return found


def _joined(lines: list[str]) -> list[str]:
    """Calls that were interrupted by another process's are told in two halves."""
    begun: dict[tuple[str, str], str] = {}
    out = []
    for line in lines:
        number, _, rest = line.partition(" ")
        rest = rest.strip()
        if rest.endswith("<unfinished ...>"):
            begun[number, rest.split("(")[0]] = rest.removesuffix("<unfinished ...>").rstrip()
        elif (again := re.match(r"<\.\.\. (\w+) resumed>(.*)", rest)) is not None:
            out.append(f"{number} {begun.pop((number, again[1]), again[1] + '(')}{again[2]}")
        else:
            out.append(f"{number} {rest}")
    return out
