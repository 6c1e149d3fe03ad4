"""Take from this process, for good, what reading foreign media does not need: files, sockets, programs, other processes.

Call `confine` while the process has one thread, after everything is imported and open. What stays: the descriptors that are
open, memory, threads. Three layers, each held alone: Landlock (no file), seccomp (a list of the system calls that may be
made), limits of resources (no descriptor more, no byte written to a file, so much memory). Each is tried before it counts.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import resource
import signal
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from facedouble.isolation import (
    ARCH,
    EQUAL,
    LOAD,
    NR,
    PR_SET_NO_NEW_PRIVS,
    PR_SET_SECCOMP,
    RETURN,
    SECCOMP_MODE_FILTER,
    SECCOMP_RET_ALLOW,
    SECCOMP_RET_EPERM,
)

PR_SET_PDEATHSIG: Final = 1
PR_SET_DUMPABLE: Final = 4
PR_SET_NAME: Final = 15
SECCOMP_RET_ENOSYS: Final = 0x00050000 | errno.ENOSYS
ANY_BIT: Final = 0x45  # jump if a bit is set
PROT_EXEC: Final = 4
CLONE_THREAD: Final = 0x10000
AF_UNIX, AF_INET, SOCK_STREAM = 1, 2, 1

LANDLOCK_CREATE, LANDLOCK_RESTRICT = 444, 446  # the same on every machine
LANDLOCK_VERSION: Final = 1
FILES: Final = {1: 13, 2: 14, 3: 15, 5: 16}  # interface version -> how many rights to files it knows
NETS: Final = {4: 2}  # bind, connect
SCOPES: Final = {6: 2}  # abstract sockets, signals

# x86_64, aarch64; None: it does not exist there
_ALLOWED: Final[dict[str, tuple[int | None, int | None]]] = {
    "futex": (202, 98), "read": (0, 63), "lseek": (8, 62), "pread64": (17, 67), "readv": (19, 65), "write": (1, 64),
    "sendmsg": (46, 211), "recvmsg": (47, 212), "sendto": (44, 206), "recvfrom": (45, 207), "poll": (7, None), "ppoll": (271, 73),
    "munmap": (11, 215), "mremap": (25, 216), "madvise": (28, 233), "brk": (12, 214), "close": (3, 57), "fstat": (5, 80),
    "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135), "rt_sigreturn": (15, 139), "sigaltstack": (131, 132),
    "restart_syscall": (219, 128), "sched_yield": (24, 124), "sched_getaffinity": (204, 123), "getcpu": (309, 168),
    "nanosleep": (35, 101), "clock_nanosleep": (230, 115), "clock_gettime": (228, 113), "clock_getres": (229, 114),
    "gettimeofday": (96, 169), "time": (201, None), "getrusage": (98, 165), "getrandom": (318, 278), "uname": (63, 160),
    "sysinfo": (99, 179), "getpid": (39, 172), "gettid": (186, 178), "set_robust_list": (273, 99), "rseq": (334, 293),
    "membarrier": (324, 283), "exit": (60, 93), "exit_group": (231, 94),
}
_WITH_CARE: Final = {"mmap": (9, 222), "mprotect": (10, 226), "clone": (56, 220), "clone3": (435, 435), "prctl": (157, 167),
                     "prlimit64": (302, 261), "tgkill": (234, 131)}
_MACHINES: Final = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}  # column, audit number


@dataclass(frozen=True)
class Limits:
    """memory: bytes that may be asked for beyond what is mapped already."""

    memory: int = 6 << 30


@dataclass(frozen=True)
class Layers:
    """What holds. landlock: its interface version, 0 without; refused: what was tried, and did not work."""

    landlock: int
    seccomp: bool
    limits: bool
    refused: tuple[str, ...]

    @property
    def means(self) -> tuple[str, ...]:
        """Their names, for the report."""
        return (*([f"landlock {self.landlock}"] if self.landlock else []), *(["seccomp"] if self.seccomp else []),
                *(["limits"] if self.limits else []))

    @property
    def lacking(self) -> tuple[str, ...]:
        """Those that this machine does not have."""
        return tuple(name for name, held in (("landlock", self.landlock), ("seccomp", self.seccomp), ("limits", self.limits))
                     if not held)


def confine(limits: Limits) -> Layers:
    """Confine this process, which has one thread. It cannot be undone."""
    libc = ctypes.CDLL(None, use_errno=True)
    mapped = resource.getpagesize() * int(Path("/proc/self/statm").read_text().split()[0])
    _prctl(libc, PR_SET_DUMPABLE, 0)  # nobody reads this process's memory, and no crash writes it
    private = _prctl(libc, PR_SET_NO_NEW_PRIVS, 1)
    landlock = _landlock(libc) if private else 0
    landlock = landlock if _open_fails_by(errno.EACCES) else 0
    _limit(mapped + limits.memory)  # after Landlock, which needs a descriptor; before the filter, which lets no limit be set
    limited = _open_fails_by(errno.EMFILE)
    seccomp = private and _filter(libc) and _open_fails_by(errno.EPERM)
    return Layers(landlock, seccomp, limited, tuple(name for name, works in _tries(libc).items() if not works()))


def die_with(parent: int) -> None:
    """End when the process that started this one ends, whatever ends it."""
    _prctl(ctypes.CDLL(None, use_errno=True), PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before
        os.kill(os.getpid(), signal.SIGKILL)


def first_to_go() -> None:
    """Where memory runs out, the kernel takes this process before any other."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def _prctl(libc: ctypes.CDLL, option: int, value: int) -> bool:
    zero = ctypes.c_ulong(0)
    return bool(libc.prctl(option, ctypes.c_ulong(value), zero, zero, zero) == 0)


def _landlock(libc: ctypes.CDLL) -> int:
    """Refuse every right that this kernel's Landlock knows, with no rule that grants one; its version, 0 if there is none."""
    call = libc.syscall
    version = int(call(ctypes.c_long(LANDLOCK_CREATE), None, ctypes.c_size_t(0), ctypes.c_uint(LANDLOCK_VERSION)))
    if version < 1:
        return 0
    files, nets, scopes = ((1 << max((n for v, n in known.items() if v <= version), default=0)) - 1
                           for known in (FILES, NETS, SCOPES))
    rules = struct.pack("=QQQ", files, nets, scopes)[: 8 if version < 4 else 16 if version < 6 else 24]
    made = int(call(ctypes.c_long(LANDLOCK_CREATE), rules, ctypes.c_size_t(len(rules)), ctypes.c_uint(0)))
    if made < 0:
        return 0
    done = call(ctypes.c_long(LANDLOCK_RESTRICT), ctypes.c_int(made), ctypes.c_uint(0))
    os.close(made)
    return version if done == 0 else 0


def _instructions(column: int, audit: int, pid: int) -> list[tuple[int, int, int, int]]:
    """Build the filter: (code, instructions to skip if true, if false, operand); what it does not name is refused."""
    def argument(n: int, high: bool = False) -> tuple[int, int, int, int]:
        return LOAD, 0, 0, 16 + 8 * n + (4 if high else 0)

    allow, refuse, unknown = ((RETURN, 0, 0, what) for what in (SECCOMP_RET_ALLOW, SECCOMP_RET_EPERM, SECCOMP_RET_ENOSYS))
    code = [(LOAD, 0, 0, ARCH), (EQUAL, 1, 0, audit), refuse, (LOAD, 0, 0, NR)]
    for numbers in _ALLOWED.values():
        number = numbers[column]
        if number is not None:
            code += [(EQUAL, 0, 1, number), allow]
    plain = [argument(2), (ANY_BIT, 0, 1, PROT_EXEC), refuse, allow]  # memory, but none that is run
    care = {"mmap": plain, "mprotect": plain,
            "clone": [argument(0), (ANY_BIT, 0, 1, CLONE_THREAD), allow, refuse],
            "clone3": [unknown],  # its arguments lie in memory, where no filter looks: the C library then takes clone
            "prctl": [argument(0), (EQUAL, 0, 1, PR_SET_NAME), allow, refuse],
            "prlimit64": [argument(2), (EQUAL, 0, 3, 0), argument(2, True), (EQUAL, 0, 1, 0), allow, refuse],  # ask, not set
            "tgkill": [argument(0), (EQUAL, 0, 1, pid), allow, refuse]}  # abort() ends this process, and no other
    for name, block in care.items():
        code += [(EQUAL, 0, len(block), _WITH_CARE[name][column]), *block]
    return [*code, refuse]


def _filter(libc: ctypes.CDLL) -> bool:
    machine = _MACHINES.get(platform.machine())
    if machine is None or sys.platform != "linux" or sys.maxsize < 1 << 32:
        return False
    column, audit = machine
    code = _instructions(column, audit, os.getpid())
    packed = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *line) for line in code))
    program = ctypes.create_string_buffer(struct.pack("@HP", len(code), ctypes.addressof(packed)))
    zero = ctypes.c_ulong(0)
    return bool(libc.prctl(PR_SET_SECCOMP, ctypes.c_ulong(SECCOMP_MODE_FILTER), program, zero, zero) == 0)


def _limit(memory: int) -> None:
    """Lower the limits. How many processes there are is no limit of this one: it would count the user's others, and threads."""
    for what, limit in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, 0),
                        (resource.RLIMIT_NOFILE, 0)):
        with suppress(OSError, ValueError):
            _, hard = resource.getrlimit(what)
            lowest = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
            resource.setrlimit(what, (lowest, lowest))


def _open_fails_by(why: int) -> bool:
    """Whether a file that everybody may read is refused, and by the layer that was put up last."""
    try:
        os.close(os.open("/etc/passwd", os.O_RDONLY))
    except OSError as error:
        return error.errno == why
    return False


def _tries(libc: ctypes.CDLL) -> dict[str, Callable[[], bool]]:
    """What a confined process may try, and whether it works."""
    def opens() -> bool:
        descriptor = int(libc.open(b"/etc/passwd", os.O_RDONLY))
        return descriptor >= 0

    def forks() -> bool:
        try:
            pid = os.fork()
        except OSError:
            return False
        if pid == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        with suppress(ChildProcessError):  # where dead children are nobody's
            os.waitpid(pid, 0)
        return True

    def runs() -> bool:  # no program has that name: where it may be run, the answer is that it is not there
        libc.execve(b"", None, None)
        return ctypes.get_errno() == errno.ENOENT

    return {"file": opens, "socket": lambda: libc.socket(AF_INET, SOCK_STREAM, 0) >= 0,
            "unix socket": lambda: libc.socket(AF_UNIX, SOCK_STREAM, 0) >= 0, "process": forks, "program": runs}
