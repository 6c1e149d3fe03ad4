"""The program at a terminal of its own, where it can ask for passphrases."""

from __future__ import annotations

import os
import re
import select
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.cli import forked

MADE = re.compile(r"write it on paper:\s+((?:[a-z]+ ){8}[a-z]+)\s")
ASKS = re.compile(r"(?:Passphrase[^\n]*|Type it again|[^\n]*\((?:sealed|empty)[^\n]*\)): $")


def at_terminal(words: Sequence[str], cwd: Path, answers: Sequence[str] = (), limit_s: float = 60,
                fresh: bool = True) -> tuple[int, str]:
    """Exit code and everything shown. Each question gets the next answer; "what it says" repeats the passphrase it made.

    fresh: by an interpreter of its own; else by `forked`.
    """
    terminal, wait = (_begun if fresh else _forked)(words, cwd)
    shown, unasked, left, end = "", "", list(answers), time.monotonic() + limit_s
    try:
        while time.monotonic() < end:
            if not select.select([terminal], [], [], 0.2)[0]:
                if ASKS.search(unasked.replace("\r", "")) and left:
                    said, unasked = left.pop(0), ""
                    os.write(terminal, (made(shown) if said == "what it says" else said).encode() + b"\n")
                continue
            try:
                data = os.read(terminal, 65536)
            except OSError:  # the other end is closed
                break
            if not data:
                break
            shown, unasked = shown + data.decode(), unasked + data.decode()
        else:
            raise TimeoutError(shown)
    finally:
        os.close(terminal)
        code = wait()
    return code, shown.replace("\r\n", "\n")


def _begun(words: Sequence[str], cwd: Path) -> tuple[int, Callable[[], int]]:
    child, terminal = os.forkpty()
    if child == 0:
        os.chdir(cwd)
        os.environ.update(forked.WIDE, TERM="dumb")
        os.execv(sys.executable, [sys.executable, "-m", "facedouble", *words])
    return terminal, lambda: os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _forked(words: Sequence[str], cwd: Path) -> tuple[int, Callable[[], int]]:
    terminal, inside = os.openpty()
    env = {**os.environ, **forked.WIDE, "TERM": "dumb"}
    child = forked.server().start(words, cwd, env, dict.fromkeys(range(3), inside))
    os.close(inside)
    return terminal, lambda: child.wait(60)


def made(shown: str) -> str:
    """The passphrase that was shown."""
    found = MADE.search(shown.replace("\r", ""))
    assert found, shown
    return found[1]
