"""The prepared process: started when the first file is read, used by all threads, ended with this process."""

from __future__ import annotations

import atexit
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from threading import Lock
from typing import Final

from facedouble.errors import MachineError

SERVER: Final = (sys.executable, "-P", "-m", "facedouble.media.apart.server")
PATIENCE: Final = 60.0  # s until it is there
ALONE: Final = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # a process that forks has one thread


class Child:
    """A handle on one child: it can be ended, and its number never is another's."""

    def __init__(self, handle: int) -> None:
        self._handle = handle

    def end(self) -> None:
        """Stop it, whatever it does."""
        with suppress(OSError):
            signal.pidfd_send_signal(self._handle, signal.SIGKILL)
        with suppress(OSError):
            os.close(self._handle)


class Keeper:
    """Starts the server, and has it fork."""

    def __init__(self, command: Sequence[str] = SERVER) -> None:
        self._command = command
        self._lock = Lock()
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def fork(self, end: int, file: int, size: int) -> tuple[Child, int]:
        """A child that has these descriptors, its socket and the file, and memory of that size in common; a descriptor of that.

        MachineError if there can be none.
        """
        with self._lock:
            for _ in range(2):  # the server may have been ended from outside
                control = self._control or self._start()
                answer = b""
                handles: list[int] = []
                try:
                    socket.send_fds(control, [size.to_bytes(8, "little")], [end, file])
                    answer, handles, _, _ = socket.recv_fds(control, 1, 2)
                except OSError:
                    pass
                except BaseException:  # stopped in between: the next answer would be to this question
                    self._stop()
                    raise
                if len(handles) == 2:
                    return Child(handles[0]), handles[1]
                for handle in handles:
                    os.close(handle)
                if answer:  # it lives, with others' children; one of ours, if there is one, ends with its socket
                    break
                self._stop()
        raise MachineError("no process can be started to read films in; close other programs, and run `facedouble doctor`")

    def close(self) -> None:
        """End the server, and with it its children."""
        with self._lock:
            self._stop()

    def forget(self) -> None:
        """In a forked copy of this process: the server is the other's."""
        self._lock = Lock()
        if self._control is not None:
            self._control.close()
        self._control, _LEFT[len(_LEFT):] = None, [self._process]
        self._process = None

    def _start(self) -> socket.socket:
        near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with far:
            self._process = subprocess.Popen([*self._command, str(far.fileno())], pass_fds=[far.fileno()], start_new_session=True,
                                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                             env={**os.environ, **ALONE})
        near.settimeout(PATIENCE)
        try:
            ready = near.recv(5)
        except OSError:
            ready = b""
        self._control = near
        if ready != b"ready":
            self._stop()
            raise MachineError("the process that films are read in does not start; run `facedouble doctor`")
        return near

    def _stop(self) -> None:
        if self._control is not None:
            self._control.close()
        if self._process is not None:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(5)
            if self._process.returncode is None:
                self._process.kill()
                self._process.wait()
        self._control = self._process = None


_LEFT: list[subprocess.Popen[bytes] | None] = []  # kept from being collected: they are another process's


@lru_cache(maxsize=1)
def keeper() -> Keeper:
    """The one of this process."""
    made = Keeper()
    atexit.register(made.close)
    os.register_at_fork(after_in_child=made.forget)
    return made
