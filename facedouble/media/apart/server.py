"""A process with everything imported and nothing opened, which forks a confined child for each file to be read.

It never sees a byte of media or a key: those go to the child, by a socket of its own. It ends when whoever started it ends.
"""

from __future__ import annotations

import fcntl
import gc
import mmap
import os
import signal
import socket
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from itertools import pairwise
from pkgutil import walk_packages
from typing import Any

import av
import numpy as np

from facedouble import disk
from facedouble.errors import ExitCode, FacedoubleError
from facedouble.isolation import no_core_dumps
from facedouble.media.apart.wire import LONGEST, LONGEST_TEXT, packed, slot_bytes, unpacked
from facedouble.media.inside.jobs import JOBS
from facedouble.media.inside.piece import Job, Piece
from facedouble.sandbox import Layers, Limits, confine, die_with, first_to_go

LATE = ("__main__", "datasets")  # of PyAV: a program, and downloads
for part in walk_packages(av.__path__, "av."):  # a child cannot import any more
    if part.name.split(".")[1] not in LATE:
        import_module(part.name)
if find_spec("facedouble.age") is not None:
    import_module("facedouble.age.reader")

NEEDED = {"file", "socket", "unix socket"}  # what a child must not have; less than that, and nothing is read
SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL  # a child that cut the memory would kill who reads it
BEAT = 1.0  # s without a word after which the child says that it works


def serve(control: socket.socket, jobs: Mapping[str, Job]) -> None:
    """Fork a child for each request (its socket, the file, the memory's size); answer with a handle on it, and the memory.

    Where there can be none, the answer is empty. The memory is made here: who asks may have been forbidden to make large files,
    and this counts as one.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever is stopped ends the children
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    no_core_dumps()
    gc.collect()
    gc.freeze()
    parent = os.getpid()
    while True:
        asked, descriptors, _, _ = socket.recv_fds(control, 8, 2)
        if not asked:
            return
        made: list[int] = []
        with suppress(OSError):  # no more processes, descriptors or memory: that is said, and the children at work stay
            if len(descriptors) == 2:
                descriptors.append(_ring(int.from_bytes(asked, "little")))
                pid = os.fork()
                if pid == 0:
                    try:
                        control.close()
                        _child(parent, descriptors, jobs)
                    finally:
                        os._exit(0)
                descriptors.append(os.pidfd_open(pid))
                made = [descriptors[3], descriptors[2]]
        socket.send_fds(control, [b"."], made)
        for descriptor in descriptors:
            os.close(descriptor)


def _ring(size: int) -> int:
    """Memory to have in common."""
    ring = os.memfd_create("ring", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        os.ftruncate(ring, size)
        fcntl.fcntl(ring, fcntl.F_ADD_SEALS, SEALS)
    except OSError:
        os.close(ring)
        raise
    return ring


def _child(parent: int, descriptors: list[int], jobs: Mapping[str, Job]) -> None:
    die_with(parent)
    first_to_go()
    kept = _only(descriptors)
    channel = _Channel(socket.socket(fileno=kept[0]))
    with suppress(ConnectionError):
        try:
            asked = unpacked(channel.socket.recv(LONGEST))
            ring = mmap.mmap(kept[2], 0)
            os.close(kept[2])
            file = disk.borrowed(disk.Lent(kept[1], bytes.fromhex(asked["key"]) if asked["key"] else None, asked["start"]))
            del asked["key"]
            layers = confine(Limits(asked["memory"]))
            channel.say({"held": list(layers.means), "withheld": list(layers.refused), "landlock": layers.landlock})
            if not set(layers.refused) >= NEEDED:
                channel.refuse(ExitCode.MACHINE, _missing(layers))
                return
            channel.ring = np.frombuffer(ring, np.uint8)
            channel.room = asked["given"]["room"]
            for piece in jobs[asked["job"]](file, asked["given"]):
                channel.beat() if piece is None else channel.give(piece)
            channel.say({"end": True})
        except ConnectionError:
            raise
        except FacedoubleError as error:
            channel.refuse(error.exit_code, str(error))
        except OSError as error:
            channel.refuse(ExitCode.INPUT, f"cannot be read ({error.strerror or error}); is the disk or stick still there?")
        except MemoryError:
            channel.refuse(ExitCode.INPUT, "asks for more memory than a film needs; make it smaller first")
        except Exception as error:  # whatever a file does to the libraries that read it
            channel.refuse(ExitCode.INPUT, f"cannot be read ({type(error).__name__}); copy it again or convert it")


def _only(descriptors: list[int]) -> list[int]:
    """The same files under new numbers, and nothing else open; standard streams lead nowhere."""
    kept = [fcntl.fcntl(d, fcntl.F_DUPFD, 64) for d in descriptors]
    void = os.open("/dev/null", os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(void, standard)
    edges = [2, *sorted(kept), os.sysconf("SC_OPEN_MAX")]
    for last, next_ in pairwise(edges):
        os.closerange(last + 1, next_)
    return kept


def _missing(layers: Layers) -> str:
    return f"is not read: this machine does not keep the process that reads it from {', '.join(NEEDED - set(layers.refused))}"


class _Channel:
    """The child's end."""

    def __init__(self, end: socket.socket) -> None:
        self.socket = end
        self.ring = np.empty(0, np.uint8)
        self.room = 0
        self._given = self._freed = 0
        self._spoke = time.monotonic()

    def say(self, message: dict[str, Any]) -> None:
        self.socket.send(packed(message))
        self._spoke = time.monotonic()

    def refuse(self, code: int, text: str) -> None:
        self.say({"refused": int(code), "text": text[:LONGEST_TEXT]})

    def beat(self) -> None:
        if time.monotonic() - self._spoke > BEAT:
            self.say({"alive": True})

    def give(self, piece: Piece) -> None:
        """Put the arrays into the next slot, as soon as that was read, and say so."""
        size = sum(array.nbytes for array in piece.arrays)
        if not size:
            self.say(piece.head)
            return
        if size > self.room:
            raise ValueError(f"{size} bytes in a piece of {self.room}")
        step = slot_bytes(self.room)
        slots = len(self.ring) // step
        while self._given - self._freed >= slots:
            self._freed += len(self.socket.recv(LONGEST))
        at = self._given % slots * step
        for array in piece.arrays:
            np.copyto(self.ring[at : at + array.nbytes].view(array.dtype).reshape(array.shape), array)
            at += array.nbytes
        self._given += 1
        self.say({**piece.head, "bytes": size})


def main(jobs: Mapping[str, Job] = JOBS) -> None:
    """Serve at the descriptor that the command line names."""
    with socket.socket(fileno=int(sys.argv[1])) as control:
        control.send(b"ready")
        with suppress(ConnectionError):
            serve(control, jobs)


if __name__ == "__main__":
    main()
