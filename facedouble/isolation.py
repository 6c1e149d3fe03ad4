"""Deny this process the network and core dumps, for good and for all its threads and children. Linux only.

Call `deny_network` before footage is opened. It cannot be undone. What it does not cover: sockets that were open
before, and AF_UNIX sockets, through which another program on the same machine could carry data out for us. The one that
would do so unasked, the resolver of names, is not asked any more.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import resource
import socket
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from facedouble.errors import MachineError

PR_SET_SECCOMP: Final = 22
PR_SET_NO_NEW_PRIVS: Final = 38
SECCOMP_MODE_FILTER: Final = 2
SECCOMP_SET_MODE_FILTER: Final = 1
SECCOMP_FILTER_FLAG_TSYNC: Final = 1  # every thread, also those that libraries started already
SECCOMP_RET_ALLOW: Final = 0x7FFF0000
SECCOMP_RET_EPERM: Final = 0x00050000 | errno.EPERM
X32_BIT: Final = 0x40000000
CLONE_NEWUSER: Final = 0x10000000
CLONE_NEWNET: Final = 0x40000000

# seccomp(2)'s classic BPF: load a word of seccomp_data, jump if equal or greater, return.
LOAD: Final = 0x20
EQUAL: Final = 0x15
AT_LEAST: Final = 0x35
RETURN: Final = 0x06
NR: Final = 0  # offsets in struct seccomp_data
ARCH: Final = 4
ARG0: Final = 16  # low half: socket(2) takes an int


@dataclass(frozen=True)
class _Machine:
    """System call numbers. `refused` reach the network, or another process's memory, round the filter on socket(2)."""

    audit_arch: int
    seccomp: int
    socket: int
    refused: tuple[int, ...]  # ptrace, process_vm_readv, process_vm_writev, bpf, io_uring_setup, pidfd_getfd


_MACHINES: Final = {
    "x86_64": _Machine(0xC000003E, 317, 41, (101, 310, 311, 321, 425, 438)),
    "aarch64": _Machine(0xC00000B7, 277, 198, (117, 270, 271, 280, 425, 438)),
}


@dataclass(frozen=True)
class Denial:
    """Which means keep the network away. One of the first two is always there; the hook only words the message."""

    seccomp: bool
    namespace: bool
    hook: bool

    @property
    def means(self) -> tuple[str, ...]:
        """Their names, for the report."""
        return tuple(name for name in ("seccomp", "namespace", "hook") if getattr(self, name))


class _Filter(ctypes.Structure):
    _fields_ = (("code", ctypes.c_uint16), ("jt", ctypes.c_uint8), ("jf", ctypes.c_uint8), ("k", ctypes.c_uint32))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("filter", ctypes.POINTER(_Filter)))


@lru_cache(maxsize=1)
def deny_network() -> Denial:
    """Make every new socket but AF_UNIX fail from now on; MachineError if that cannot be had. Idempotent."""
    by_filter = _filter_system_calls() and not _opens_sockets()
    by_namespace = not by_filter and _leave_network() and _only_loopback()
    if not (by_filter or by_namespace):
        raise MachineError("this machine cannot deny the program the network: neither seccomp nor a network namespace "
                           "works, so use a Linux kernel that has one of them")
    _resolve_nothing()
    sys.addaudithook(_refuse)
    return Denial(by_filter, by_namespace, hook=True)


def close_doors() -> Denial:
    """No sockets and no core dumps, from here to the end of the process."""
    no_core_dumps()
    return deny_network()


def in_force() -> tuple[str, ...]:
    """Which means keep the network away from this process now, for reports; none before `deny_network`."""
    return deny_network().means if deny_network.cache_info().currsize else ()


def no_core_dumps() -> None:
    """Keep memory out of crash files.

    The limit is one byte, not 0: both keep the kernel from writing a file, but only 1 also keeps it from piping the
    dump to a crash collector (fs/coredump.c). PR_SET_DUMPABLE stays as it is: without it /proc/self/fd cannot be read,
    and finished files are published through it.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    limit = 0 if hard == 0 else 1
    resource.setrlimit(resource.RLIMIT_CORE, (limit, limit))


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _instructions(machine: _Machine) -> list[tuple[int, int, int, int]]:
    """Build the filter: (code, instructions to skip if true, if false, operand); it ends with allow, refuse.

    Anything but this machine's own system call table is refused, so that 32-bit calls are no way round.
    """
    head = [(LOAD, 0, 0, ARCH), (EQUAL, 1, 0, machine.audit_arch), (RETURN, 0, 0, SECCOMP_RET_EPERM),
            (LOAD, 0, 0, NR)]
    numbers = [(AT_LEAST, X32_BIT), *((EQUAL, number) for number in machine.refused)]
    # After these come: is it socket, load its domain, is that AF_UNIX, allow, refuse.
    body = [(code, len(numbers) - i + 3, 0, k) for i, (code, k) in enumerate(numbers)]
    tail = [(EQUAL, 0, 2, machine.socket), (LOAD, 0, 0, ARG0), (EQUAL, 0, 1, int(socket.AF_UNIX)),
            (RETURN, 0, 0, SECCOMP_RET_ALLOW), (RETURN, 0, 0, SECCOMP_RET_EPERM)]
    return head + body + tail


def _filter_system_calls() -> bool:
    machine = _MACHINES.get(platform.machine())
    if machine is None or sys.platform != "linux":
        return False
    code = _instructions(machine)
    filters = (_Filter * len(code))(*(_Filter(*line) for line in code))
    program = _Program(len(code), ctypes.cast(filters, ctypes.POINTER(_Filter)))
    libc = _libc()
    one, zero = ctypes.c_ulong(1), ctypes.c_ulong(0)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, one, zero, zero, zero) != 0:
        return False
    number, mode, flags = (ctypes.c_long(n) for n in (machine.seccomp, SECCOMP_SET_MODE_FILTER,
                                                      SECCOMP_FILTER_FLAG_TSYNC))
    if libc.syscall(number, mode, flags, ctypes.byref(program)) == 0:
        return True
    # prctl binds the calling thread only.
    return _threads() == 1 and libc.prctl(PR_SET_SECCOMP, ctypes.c_ulong(SECCOMP_MODE_FILTER), ctypes.byref(program),
                                          zero, zero) == 0


def _leave_network() -> bool:
    """Move into a network namespace of its own, with nothing but a loopback that is down; single-threaded only."""
    if sys.platform != "linux" or _threads() != 1:
        return False
    user, group = os.geteuid(), os.getegid()
    if _libc().unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0:
        return False
    with suppress(OSError):  # without the maps, files keep their owner and only show another name
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    return True


def _threads() -> int:
    """Count threads, also those that Python did not start."""
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        return max(2, threading.active_count())


def _opens_sockets() -> bool:
    """Try every network family that matters, from C, where no hook sees it."""
    libc = _libc()
    opened = False
    for family in (socket.AF_INET, socket.AF_INET6, socket.AF_PACKET, socket.AF_NETLINK, socket.AF_VSOCK):
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW):
            descriptor = libc.socket(int(family), int(kind), 0)
            if descriptor >= 0:
                os.close(descriptor)
                opened = True
    return opened


def _only_loopback() -> bool:
    lines = Path("/proc/self/net/dev").read_text().splitlines()[2:]
    return {line.split(":")[0].strip() for line in lines} <= {"lo"}


def _resolve_nothing() -> None:
    """Look names of hosts up in files alone: C code would ask systemd-resolved or nscd by AF_UNIX, and they the network."""
    with suppress(AttributeError):  # another C library than glibc has no such services
        _libc().__nss_configure_lookup(b"hosts", b"files")


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    """Stop Python's own sockets with a sentence; the kernel stops everything else."""
    if not event.startswith("socket."):
        return
    known = event == "socket.__new__" and arguments[1] in (socket.AF_UNIX, -1)  # -1 wraps an open descriptor
    if not known and event in ("socket.__new__", "socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr",
                               "socket.getnameinfo"):
        raise PermissionError(errno.EPERM, "facedouble denies itself the network, and something asked for it")
