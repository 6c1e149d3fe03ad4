"""A process that holds keys; tried in a child, because it cannot be undone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def child(code: str, *, prepare: str = "") -> subprocess.CompletedProcess[str]:
    whole = "import ctypes, json, os, resource, signal, sys\nfrom pathlib import Path\nfrom facedouble.secrecy import *\n"
    return subprocess.run([sys.executable, "-c", prepare + whole + textwrap.dedent(code)], capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": str(ROOT)})


def test_nobody_reads_the_memory_and_no_crash_writes_it() -> None:
    code = """
        got = keep_secret()
        libc = ctypes.CDLL(None)
        print(json.dumps([got.undumpable, libc.prctl(3, 0, 0, 0, 0), max(resource.getrlimit(resource.RLIMIT_CORE))]))
    """
    done = child(code)
    undumpable, dumpable, core = json.loads(done.stdout)
    assert undumpable is True and dumpable == 0 and core <= 1, done.stderr


def test_what_is_locked_is_said_and_locked() -> None:
    code = """
        got = keep_secret()
        large = bytearray(64 << 20)  # under a limit this is what would be refused
        locked = next(int(line.split()[1]) for line in Path("/proc/self/status").read_text().splitlines() if "VmLck" in line)
        print(json.dumps([got.locked, locked, got.means]))
    """
    done = child(code)
    locked, kilobytes, means = json.loads(done.stdout)
    assert (kilobytes > 1000) is locked and ("locked" in means) is locked, done.stderr


def test_under_a_limit_nothing_is_locked_and_work_goes_on() -> None:
    """A user without rights, and 64 KiB that may be locked, as on many systems."""
    code = """
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (65536, 65536))
        os.geteuid() or os.setuid(65534)
        got = keep_secret()
        print(json.dumps([got.locked, got.undumpable, len(bytearray(64 << 20))]))
    """
    assert json.loads(child(code).stdout) == [False, True, 64 << 20]


def test_as_much_may_be_locked_as_the_system_lets_anybody() -> None:
    code = """
        _, limit = resource.getrlimit(resource.RLIMIT_MEMLOCK)
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (4096, limit))
        keep_secret()
        print(resource.getrlimit(resource.RLIMIT_MEMLOCK) == (limit, limit))
    """
    assert child(code).stdout == "True\n"
