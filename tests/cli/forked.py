"""Commands of the program, each in a process of its own that is forked from one which has imported facedouble already.

A fresh interpreter spends two seconds on imports, most commands a tenth of one on what they do. A forked one has what a fresh
one has: its memory, limits, signals, filters of system calls and exit code. What it cannot show is what a start without the
network, or an import behind shut doors, does: tests of that start `python -m facedouble` themselves.
"""

from __future__ import annotations

import atexit
import fcntl
import gc
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from importlib import import_module, reload
from pathlib import Path
from pkgutil import walk_packages
from tempfile import TemporaryFile

ROOT = Path(__file__).resolve().parents[2]
WIDE = {"PYTHONPATH": str(ROOT), "COLUMNS": "300"}  # consoles read COLUMNS when they are imported
LATE = ("facedouble.__main__", "facedouble.demo")  # what is run here; what no command but `demo` imports
TYPERS = ("typer.rich_utils", "typer._adapters")  # imported when a command is read
LONGEST, MOST = 1 << 17, 16  # bytes, descriptors


def run(*words: str, cwd: Path, env: Mapping[str, str] | None = None, pass_fds: Sequence[int] = (), said: str = "",
        timeout: float = 300, fresh: bool = False) -> subprocess.CompletedProcess[str]:
    """The program without a terminal, as `subprocess.run` would tell of it. fresh: by an interpreter of its own."""
    whole = {**(os.environ if env is None else env), **WIDE}
    command = [sys.executable, "-m", "facedouble", *words]
    if fresh:
        return subprocess.run(command, cwd=cwd, env=whole, capture_output=True, text=True, timeout=timeout, input=said,
                              pass_fds=pass_fds, start_new_session=True, check=False)
    with TemporaryFile("w+") as given, TemporaryFile("w+") as out, TemporaryFile("w+") as err:
        given.write(said)
        given.seek(0)
        standard = {k: stream.fileno() for k, stream in enumerate((given, out, err))}
        child = server().start(words, cwd, whole, standard | {number: number for number in pass_fds})
        code = child.wait(timeout)
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(command, code, out.read(), err.read())


class Child:
    """A command that runs."""

    def __init__(self, pid: int, control: socket.socket) -> None:
        self.pid, self._control = pid, control

    def wait(self, timeout: float) -> int:
        """Its exit code, minus the signal that ended it; it and its session are killed when the time is over."""
        self._control.settimeout(timeout)
        try:
            return os.waitstatus_to_exitcode(int(_told(self._control)))
        except TimeoutError as error:
            self.kill()
            raise subprocess.TimeoutExpired("facedouble", timeout) from error

    def kill(self) -> None:
        """End it and its session."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._control.settimeout(60)
        _told(self._control)


class Server:
    """The process that forks, started when the first command is, ended with this one."""

    def __init__(self) -> None:
        self._control, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with far:
            line = [sys.executable, "-m", "tests.cli.forked", str(far.fileno())]
            self._process = subprocess.Popen(line, cwd=ROOT, env={**os.environ, **WIDE}, stdin=subprocess.DEVNULL,
                                             pass_fds=[far.fileno()])

    def start(self, words: Sequence[str], cwd: Path, env: Mapping[str, str], descriptors: Mapping[int, int]) -> Child:
        """A command. env: its whole environment; descriptors: by their numbers there, those of this process."""
        asked = json.dumps([list(words), str(cwd), dict(env), list(descriptors)]).encode()
        self._control.settimeout(300)
        socket.send_fds(self._control, [asked], list(descriptors.values()))
        return Child(int(_told(self._control)), self._control)

    def close(self) -> None:
        self._control.close()
        self._process.wait(60)


@lru_cache(maxsize=1)
def server() -> Server:
    """The one of this process."""
    made = Server()
    atexit.register(made.close)
    return made


def _told(control: socket.socket) -> bytes:
    said = control.recv(64)
    if not said:
        raise RuntimeError("the process that forks commands has ended")
    return said


def serve(control: socket.socket) -> list[str] | None:
    """Fork a child for each request and tell its number, then how it ended. None at the end; in a child, its command line."""
    while True:
        asked, descriptors, _, _ = socket.recv_fds(control, LONGEST, MOST)
        if not asked:
            return None
        words, cwd, env, numbers = json.loads(asked)
        child = os.fork()
        if child == 0:
            control.close()
            _become(cwd, env, dict(zip(numbers, descriptors, strict=True)))
            return [str(word) for word in words]
        for descriptor in descriptors:
            os.close(descriptor)
        control.send(str(child).encode())
        control.send(str(os.waitpid(child, 0)[1]).encode())


def _become(cwd: str, env: Mapping[str, str], descriptors: Mapping[int, int]) -> None:
    """Take the place, environment and files of the command; its terminal, where standard input is one."""
    os.setsid()
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    reload(sys.modules["facedouble"])  # it sets what libraries read
    for number, held in _above(descriptors).items():
        os.dup2(held, number)
        os.close(held)
    if os.isatty(0):
        os.close(os.open(os.ttyname(0), os.O_RDWR))  # the first that a session opens is its own
    sys.stdin = open(0, closefd=False)  # noqa: SIM115  until the end, as an interpreter has them
    sys.stdout = open(1, "w", 1 if os.isatty(1) else -1, closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", 1, errors="backslashreplace", closefd=False)  # noqa: SIM115


def _above(descriptors: Mapping[int, int]) -> dict[int, int]:
    """The same under numbers that are none of theirs."""
    held = {number: fcntl.fcntl(given, fcntl.F_DUPFD_CLOEXEC, 1 + max(descriptors)) for number, given in descriptors.items()}
    for given in descriptors.values():
        os.close(given)
    return held


def main() -> None:
    """Import everything, then serve at the descriptor that the command line names."""
    import facedouble

    for name in (*(part.name for part in walk_packages(facedouble.__path__, "facedouble.")), *TYPERS):
        if not name.startswith(LATE):
            import_module(name)
    assert len(os.listdir("/proc/self/task")) == 1, "a process that forks has one thread"
    gc.collect()
    gc.freeze()
    with socket.socket(fileno=int(sys.argv[1])) as control:
        words = serve(control)
    if words is not None:
        sys.argv[1:] = words
        runpy.run_module("facedouble", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
