"""A process that holds keys; tried in a child, because it cannot be undone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from facedouble.secrecy import Held

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
        held = Held(b"s" * 32)
        print(json.dumps([got.locked, got.undumpable, held.locked, len(bytearray(64 << 20))]))
    """
    assert json.loads(child(code).stdout) == [False, True, True, 64 << 20]


def test_held_and_wiped() -> None:
    secret = bytearray(b"correct horse battery")
    with Held(secret) as held:
        assert held.read() == b"correct horse battery"
        assert secret == bytes(21)
        assert "horse" not in repr(held)
    assert repr(held) == "Held(wiped)"
    held.wipe()
    with pytest.raises(ValueError, match="wiped"):
        held.read()


def test_a_forked_child_has_none_of_it() -> None:
    code = """
        held = Held(b"secret")
        reads, writes = os.pipe()
        if os.fork() == 0:
            os.write(writes, held.read())
            os._exit(0)
        os.wait()
        print(os.read(reads, 16), held.read())
    """
    assert child(code).stdout.strip() == r"b'\x00\x00\x00\x00\x00\x00' b'secret'"


def test_a_crash_file_holds_none_of_it(tmp_path: Path) -> None:
    """Even where the crash itself is not kept from leaving a file."""
    pattern = Path("/proc/sys/kernel/core_pattern")
    if not pattern.exists() or pattern.read_text().strip() != "core" or os.geteuid() != 0:
        pytest.skip("crash files go elsewhere on this machine")
    code = """
        resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2)
        os.chdir(sys.stdin.readline().strip())
        secret, loose = bytearray(120), bytearray(120)
        for i in range(120):
            secret[i], loose[i] = b"held-canary-"[i % 12], b"open-canary-"[i % 12]
        held = Held(secret)
        os.kill(os.getpid(), signal.SIGSEGV)
    """
    whole = "import os, resource, signal, sys\nfrom facedouble.secrecy import Held\n" + textwrap.dedent(code)
    subprocess.run([sys.executable, "-c", whole], input=f"{tmp_path}\n", text=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    left = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"open-canary-open-canary-" in left
    assert b"held-canary-held-canary-" not in left
