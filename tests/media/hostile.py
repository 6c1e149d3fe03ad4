"""A server whose children do what a decoder would do that footage has taken over. Run as a program by `test_apart.py`."""

from __future__ import annotations

import ctypes
import errno
import json
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from facedouble.media.apart.server import main
from facedouble.media.inside.jobs import JOBS
from facedouble.media.inside.piece import Job, Piece, Steps, told

SERVER = os.getpid()
SYS_OPENAT2, SYS_PTRACE, SYS_VM_READ, SYS_BPF, SYS_URING, SYS_PIDFD = 437, 101, 310, 321, 425, 434


def channel() -> int:
    """The descriptor of the child's own socket: the only one that is a socket."""
    for descriptor in range(64, 80):
        try:
            if os.write(descriptor, b'{"alive":true}'):
                return descriptor
        except OSError:
            continue
    raise OSError(errno.EBADF, "none")


def tries(file: BinaryIO, given: dict[str, Any]) -> Steps:
    """Everything that a confined process must not be able to do; True for what works."""
    libc = ctypes.CDLL(None, use_errno=True)
    own, folder = channel(), given["folder"].encode()

    def python(call: Callable[[], Any]) -> bool:
        try:
            call()
        except (OSError, ValueError):
            return False
        return True

    def fork() -> bool:
        if (pid := libc.fork()) == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return bool(pid > 0)

    done: dict[str, bool] = {
        "read a file": python(lambda: Path("/etc/passwd").read_bytes()),
        "list a folder": python(lambda: os.listdir("/")),
        "look whether a file is there": python(lambda: os.stat("/etc/passwd")),
        "make a file": libc.open(folder + b"/made", os.O_CREAT | os.O_WRONLY, 0o600) >= 0,
        "make a folder": libc.mkdir(folder + b"/new", 0o700) == 0,
        "rename": libc.rename(folder + b"/there", folder + b"/gone") == 0,
        "remove": libc.unlink(folder + b"/there") == 0,
        "open by another call": libc.syscall(SYS_OPENAT2, -100, b"/etc/passwd", (ctypes.c_uint64 * 3)(), 24) >= 0,
        "its own memory as a file": libc.open(b"/proc/self/mem", os.O_RDWR) >= 0,
        "write to the footage": python(lambda: os.write(file.fileno(), b"x")),
        "a socket": python(socket.socket), "a unix socket": python(lambda: socket.socket(socket.AF_UNIX)),
        "a pair of sockets": python(socket.socketpair), "a pipe": libc.pipe((ctypes.c_int * 2)()) == 0,
        "fork": fork(), "vfork": libc.syscall(58) > 0, "clone": libc.syscall(56, signal.SIGCHLD, 0, 0, 0, 0) > 0,
        "run a program": python(lambda: os.execv("/bin/true", ["true"])),
        "end its parent": python(lambda: os.kill(SERVER, signal.SIGTERM)),
        "look at its parent": python(lambda: os.kill(SERVER, 0)),
        "end another by its thread": libc.syscall(234, SERVER, SERVER, signal.SIGTERM) == 0,
        "trace": libc.syscall(SYS_PTRACE, 16, SERVER, 0, 0) == 0,
        "read another's memory": libc.syscall(SYS_VM_READ, SERVER, None, 0, None, 0, 0) >= 0,
        "bpf": libc.syscall(SYS_BPF, 0, None, 0) >= 0, "io_uring": libc.syscall(SYS_URING, 1, None) >= 0,
        "another process by number": libc.syscall(SYS_PIDFD, SERVER, 0) >= 0,
        "a terminal's input": libc.ioctl(0, 0x5412, b"x") == 0, "a descriptor more": python(lambda: os.dup(0)),
        "cut the memory in common": python(lambda: os.ftruncate(given["ring"], 0)),
        "memory that is run": bool(libc.mmap(None, 4096, 7, 0x22, -1, 0) not in (-1, 0xFFFFFFFFFFFFFFFF)),
        "higher limits": libc.prlimit(0, 7, (ctypes.c_uint64 * 2)(99, 99), None) == 0,
        "other rights": libc.setuid(65534) == 0, "another root": libc.chroot(b"/") == 0,
        "a namespace": libc.unshare(0x10000000) == 0,
    }
    os.write(own, json.dumps({"alive": True}).encode())
    yield from told(done, given["room"])


def bomb(file: BinaryIO, given: dict[str, Any]) -> Steps:
    held = [np.empty(1 << 33, np.uint8) for _ in range(64)]
    yield from told(len(held), given["room"])


def giant(file: BinaryIO, given: dict[str, Any]) -> Steps:
    """A picture whose header says 100,000 x 100,000, as a decoder would make room for it."""
    yield Piece({"ticks": 0, "span": 1, "format": "yuv420p", "corrupt": False}, (np.zeros((100_000, 100_000), np.uint8),))


def endless(file: BinaryIO, given: dict[str, Any]) -> Steps:
    while True:
        pass
    yield None


def busy(file: BinaryIO, given: dict[str, Any]) -> Iterator[None]:
    while True:
        yield None


def grey(given: dict[str, Any]) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.full(given["width"] * given["height"] * 3 // 2, 128, np.uint8)


def segfault(file: BinaryIO, given: dict[str, Any]) -> Steps:
    yield Piece({"ticks": 0, "span": 1, "format": "yuv420p", "corrupt": False}, (grey(given),))
    ctypes.string_at(1)


def aborts(file: BinaryIO, given: dict[str, Any]) -> Steps:
    os.abort()
    yield None


def says(file: BinaryIO, given: dict[str, Any]) -> Steps:
    """Whatever the test wants said."""
    end = channel()
    for message in given["messages"] * given.get("times", 1):
        os.write(end, message.encode())
    yield from told(given.get("value", 1), given["room"])


def long(file: BinaryIO, given: dict[str, Any]) -> Steps:
    yield from told("x" * given["letters"], given["room"])


def backwards(file: BinaryIO, given: dict[str, Any]) -> Steps:
    for ticks in (5, 4):
        yield Piece({"ticks": ticks, "span": 1, "format": "yuv420p", "corrupt": False}, (grey(given),))


def odd(file: BinaryIO, given: dict[str, Any]) -> Steps:
    """A number that is just too large, and everything that is asked for a picture or a sound beside it."""
    yield Piece({"ticks": 0, "span": 1, "format": "yuv420p", "corrupt": False} | given["odd"], (grey(given),))


def silences(file: BinaryIO, given: dict[str, Any]) -> Steps:
    for _ in range(given["times"]):
        yield Piece({"silent": given["silent"]})


HOSTILE: dict[str, Job] = {"tries": tries, "bomb": bomb, "giant": giant, "endless": endless, "busy": busy, "aborts": aborts,
                           "segfault": segfault, "says": says, "long": long, "backwards": backwards, "odd": odd,
                           "silences": silences, "pictures": segfault}

if __name__ == "__main__":
    main({**JOBS, **HOSTILE})
    sys.exit()
