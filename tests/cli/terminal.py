"""The program at a terminal of its own, where it can ask for passphrases."""

from __future__ import annotations

import os
import re
import select
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MADE = re.compile(r"write it on paper:\s+((?:[a-z]+ ){8}[a-z]+)\s")
ASKS = re.compile(r"(?:Passphrase[^\n]*|Type it again|[^\n]*\((?:sealed|empty)[^\n]*\)): $")


def at_terminal(words: Sequence[str], cwd: Path, answers: Sequence[str] = (), limit_s: float = 60) -> tuple[int, str]:
    """Exit code and everything shown. Each question gets the next answer; "what it says" repeats the passphrase it made."""
    child, terminal = os.forkpty()
    if child == 0:
        os.chdir(cwd)
        os.environ.update(PYTHONPATH=str(ROOT), COLUMNS="300", TERM="dumb")
        os.execv(sys.executable, [sys.executable, "-m", "facedouble", *words])
    shown, fresh, left, end = "", "", list(answers), time.monotonic() + limit_s
    try:
        while time.monotonic() < end:
            if not select.select([terminal], [], [], 0.2)[0]:
                if ASKS.search(fresh.replace("\r", "")) and left:
                    said, fresh = left.pop(0), ""
                    os.write(terminal, (made(shown) if said == "what it says" else said).encode() + b"\n")
                continue
            try:
                data = os.read(terminal, 65536)
            except OSError:  # the other end is closed
                break
            if not data:
                break
            shown, fresh = shown + data.decode(), fresh + data.decode()
        else:
            raise TimeoutError(shown)
    finally:
        os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), shown.replace("\r\n", "\n")


def made(shown: str) -> str:
    """The passphrase that was shown."""
    found = MADE.search(shown.replace("\r", ""))
    assert found, shown
    return found[1]
