"""The layers, each alone. What they refuse together is tried in `media/test_apart.py`, by a child that has been taken over."""

from __future__ import annotations

import platform
import struct
import subprocess
import sys
import textwrap

import pytest

from facedouble import sandbox
from facedouble.isolation import SECCOMP_RET_ALLOW, SECCOMP_RET_EPERM

AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
ENOSYS = sandbox.SECCOMP_RET_ENOSYS
PID = 4711


def decided(machine: str, number: int, *arguments: int, audit: int | None = None) -> int:
    """What the filter answers to a system call: classic BPF, interpreted as the kernel does."""
    column, own = sandbox._MACHINES[machine]
    code = sandbox._instructions(column, own, PID)
    words = [*arguments, *[0] * (6 - len(arguments))]
    data = struct.pack("=IIQ6Q", number, own if audit is None else audit, 0, *words)
    at = held = 0
    while True:
        kind, true, false, k = code[at]
        at += 1
        if kind == 0x06:
            return k
        if kind == 0x20:
            (held,) = struct.unpack_from("=I", data, k)
        else:
            at += true if (held == k if kind == 0x15 else held & k) else false


CALLS = {  # x86_64, aarch64
    "open": (2, None), "openat": (257, 56), "openat2": (437, 437), "socket": (41, 198), "socketpair": (53, 199),
    "connect": (42, 203), "execve": (59, 221), "execveat": (322, 281), "fork": (57, None), "vfork": (58, None), "kill": (62, 129),
    "tkill": (200, 130), "ptrace": (101, 117), "process_vm_writev": (311, 271), "bpf": (321, 280), "io_uring_setup": (425, 425),
    "unlinkat": (263, 35), "renameat2": (316, 276), "newfstatat": (262, 79), "ftruncate": (77, 46), "ioctl": (16, 29),
    "setrlimit": (160, 164), "mount": (165, 40), "pidfd_open": (434, 434), "dup": (32, 23), "fcntl": (72, 25),
    "pkey_mprotect": (329, 288), "userfaultfd": (323, 282), "memfd_create": (319, 279),
}


@pytest.mark.parametrize("machine", AUDIT)
@pytest.mark.parametrize("call", CALLS)
def test_a_call_that_is_not_named_is_refused(call: str, machine: str) -> None:
    number = CALLS[call][list(AUDIT).index(machine)]
    if number is not None:
        assert decided(machine, number) == SECCOMP_RET_EPERM


@pytest.mark.parametrize("machine", AUDIT)
def test_calls_that_depend_on_what_is_asked(machine: str) -> None:
    column = sandbox._MACHINES[machine][0]
    number = {name: numbers[column] for name, numbers in sandbox._WITH_CARE.items()}
    allowed: list[tuple[str, tuple[int, ...]]]
    refused: list[tuple[str, tuple[int, ...]]]
    allowed = [("mmap", (0, 4096, 3)), ("mprotect", (0, 4096, 1)), ("clone", (0x3D0F00,)), ("prctl", (15,)),
               ("prlimit64", (0, 7, 0, 1234)), ("tgkill", (PID, 1, 6))]
    refused = [("mmap", (0, 4096, 7)), ("mprotect", (0, 4096, 5)), ("clone", (17,)), ("clone", (0,)), ("prctl", (38,)),
               ("prctl", (4,)), ("prlimit64", (0, 7, 1)), ("prlimit64", (0, 7, 1 << 32)), ("tgkill", (1, 1, 6))]
    assert {decided(machine, number[name], *asked) for name, asked in allowed} == {SECCOMP_RET_ALLOW}
    assert {decided(machine, number[name], *asked) for name, asked in refused} == {SECCOMP_RET_EPERM}
    assert decided(machine, number["clone3"]) == ENOSYS  # the C library then takes clone, whose flags can be seen


@pytest.mark.parametrize("machine", AUDIT)
def test_calls_of_another_machine_are_refused(machine: str) -> None:
    other = AUDIT["aarch64" if machine == "x86_64" else "x86_64"]
    for number in range(500):
        assert decided(machine, number, audit=other) == SECCOMP_RET_EPERM
        assert decided(machine, number | 0x40000000) == SECCOMP_RET_EPERM  # the x32 table


def test_what_is_named_is_named_once() -> None:
    for column in (0, 1):
        numbers = [n[column] for n in [*sandbox._ALLOWED.values(), *sandbox._WITH_CARE.values()] if n[column] is not None]
        assert len(numbers) == len(set(numbers))


def confined(code: str) -> str:
    """What a program says that confines itself and then does that."""
    head = "import errno, os, resource, sys, threading\nfrom facedouble import sandbox\n"
    done = subprocess.run([sys.executable, "-c", head + textwrap.dedent(code)], capture_output=True, text=True, check=False,
                          timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_each_layer_refuses_files_alone() -> None:
    assert confined("""
        libc = sandbox.ctypes.CDLL(None, use_errno=True)
        print(sandbox._prctl(libc, 38, 1), sandbox._landlock(libc) > 0, sandbox._open_fails_by(errno.EACCES))
    """) == "True True True"
    assert confined("sandbox._limit(8 << 30); print(sandbox._open_fails_by(errno.EMFILE))") == "True"
    assert confined("""
        libc = sandbox.ctypes.CDLL(None, use_errno=True)
        print(sandbox._prctl(libc, 38, 1), sandbox._filter(libc), sandbox._open_fails_by(errno.EPERM))
    """) == "True True True"


@pytest.mark.skipif(platform.machine() not in AUDIT, reason="the filter knows two machines")
def test_a_confined_process_still_computes() -> None:
    assert confined("""
        layers = sandbox.confine(sandbox.Limits(1 << 30))
        said = []
        thread = threading.Thread(target=lambda: said.append(sum(range(1000))))
        thread.start(); thread.join()
        try:
            bytearray(2 << 30)
        except MemoryError:
            said.append("limited")
        print(said, layers.lacking, layers.refused)
    """) == "[499500, 'limited'] () ('file', 'socket', 'unix socket', 'process', 'program')"


def test_without_a_layer_it_is_said() -> None:
    layers = sandbox.Layers(0, True, True, ("file",))
    assert layers.means == ("seccomp", "limits") and layers.lacking == ("landlock",)
