"""Nine ways out of the process, to a server that is really there: all arrive without the denial, and none with it.

Each is tried as whoever runs the tests, and as a user without any right (the same, where the tests are run by one).
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
NOBODY = 65534
# Loaded first: the user without rights may not be allowed to read where the tests' Python is installed.
LOAD = """
    import ctypes, encodings.idna, http.client, os, shutil, socket, struct, subprocess, sys, urllib.request
    import av
    from facedouble.isolation import deny_network, no_core_dumps
    if sys.argv[1] == "nobody" and os.geteuid() == 0:
        os.setgroups([]); os.setgid(65534); os.setuid(65534)
    if sys.argv[2] == "denied":
        deny_network()
    four, six, udp = map(int, sys.argv[3:6])
    libc = ctypes.CDLL(None, use_errno=True)
"""
WAYS = {
    "http": "c = http.client.HTTPConnection('127.0.0.1', four, timeout=1); c.request('GET', '/'); c.getresponse()",
    "urllib": "urllib.request.urlopen(f'http://127.0.0.1:{four}/', timeout=1)",
    "ctypes": """
        fd = libc.socket(2, 1, 0)
        to = struct.pack('=H', 2) + struct.pack('!H', four) + bytes([127, 0, 0, 1]) + bytes(8)
        if fd < 0 or libc.connect(fd, to, 16) < 0: raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        libc.send(fd, b'GET / HTTP/1.0\\r\\n\\r\\n', 18, 0)
    """,
    "child": "subprocess.run(['curl', '-s', f'http://127.0.0.1:{four}/'], check=True, timeout=2)" if shutil.which("curl") else
             "subprocess.run([sys.executable, '-c', f'import socket; socket.create_connection((\"127.0.0.1\", {four}))'],"
             " check=True)",
    "ipv6": "socket.create_connection(('::1', six), 3).send(b'x')",
    "udp": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', udp))",
    "av": "av.open(f'http://127.0.0.1:{four}/x.mp4')",
    "bash": "subprocess.run(['bash', '-c', f'echo x > /dev/tcp/127.0.0.1/{four}'], check=True, timeout=2)",
}


@dataclass
class Listener:
    """Three sockets of this machine, and whether anything came to them."""

    four: socket.socket
    six: socket.socket
    udp: socket.socket

    @property
    def ports(self) -> list[str]:
        return [str(one.getsockname()[1]) for one in (self.four, self.six, self.udp)]

    def heard(self) -> bool:
        came = False
        for one in (self.four, self.six):
            while True:
                try:
                    caller, _ = one.accept()
                except BlockingIOError:
                    break
                came = True
                caller.close()
        try:
            self.udp.recv(16)
            return True
        except BlockingIOError:
            return came


@pytest.fixture
def listener() -> Iterator[Listener]:
    with (socket.socket() as four, socket.socket(socket.AF_INET6) as six,
          socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp):
        for one, host in ((four, "127.0.0.1"), (six, "::1"), (udp, "127.0.0.1")):
            one.bind((host, 0))
            one.setblocking(False)
        four.listen()
        six.listen()
        yield Listener(four, six, udp)


def attempt(code: str, user: str, denied: str, ports: list[str], seconds: float = 60) -> subprocess.CompletedProcess[str]:
    whole = textwrap.dedent(LOAD) + textwrap.dedent(code)
    return subprocess.run([sys.executable, "-c", whole, user, denied, *ports], capture_output=True, text=True, timeout=seconds,
                          env={**os.environ, "PYTHONPATH": str(ROOT)})


@pytest.mark.parametrize("user", ["self", "nobody"])
@pytest.mark.parametrize("way", WAYS)
def test_refused(way: str, user: str, listener: Listener) -> None:
    done = attempt(WAYS[way], user, "denied", listener.ports)
    assert done.returncode == 1, done.stdout + done.stderr
    assert not listener.heard()
    if way != "child":  # curl says only that it could not
        assert "not permitted" in done.stderr.lower() or "denies itself the network" in done.stderr, done.stderr


@pytest.mark.parametrize("user", ["self", "nobody"])
def test_names_are_not_asked_for(user: str) -> None:
    """The ninth: a question for a name would tell which. Python is stopped by the hook; C finds nothing, and finds it at once."""
    done = attempt("socket.getaddrinfo('example.org', 80)", user, "denied", ["1", "1", "1"])
    assert done.returncode == 1 and "denies itself the network" in done.stderr
    code = """
        found = ctypes.c_void_p()
        print(libc.getaddrinfo(b'example.org', b'80', None, ctypes.byref(found)))
    """
    done = attempt(code, user, "denied", ["1", "1", "1"])
    assert done.returncode == 0 and int(done.stdout) != 0, done.stderr


def test_c_code_asks_no_service_of_this_machine(tmp_path: Path) -> None:
    """systemd-resolved and nscd are asked by sockets of the file system, which stay open to us."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    code = textwrap.dedent(LOAD) + "libc.getaddrinfo(b'example.org', b'80', None, ctypes.byref(ctypes.c_void_p()))"
    trace = tmp_path / "trace"
    done = subprocess.run(["strace", "-f", "-o", str(trace), "-e", "trace=network,openat", sys.executable, "-c", code, "self",
                           "denied", "1", "1", "1"], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    if "ptrace" in done.stderr.lower() and not trace.exists():
        pytest.skip("this machine lets nobody trace")
    lines = trace.read_text().splitlines()
    assert any("/etc/hosts" in line for line in lines)
    assert [line for line in lines if " connect(" in line or " sendto(" in line or " sendmsg(" in line] == []


@pytest.mark.parametrize("user", ["self", "nobody"])
def test_io_uring_and_stolen_sockets(user: str) -> None:
    code = """
        for call in (425, 438, 101 if os.uname().machine == 'x86_64' else 117):
            print(libc.syscall(call, 1, 0, 0), ctypes.get_errno())
    """
    done = attempt(code, user, "denied", ["1", "1", "1"])
    assert done.stdout.split() == ["-1", "1"] * 3, done.stderr


@pytest.mark.parametrize("way", WAYS)
def test_open_without_the_denial(way: str, listener: Listener) -> None:
    """So that a refusal above is the denial's work. Nobody answers, so each fails in its own time, after it was heard."""
    with suppress(subprocess.TimeoutExpired):
        attempt(WAYS[way], "self", "open", listener.ports, 4)
    assert listener.heard()


def test_a_crash_leaves_no_canary(tmp_path: Path) -> None:
    """What is in memory when a program is killed is in no file afterwards; without our call it would be."""
    pattern = Path("/proc/sys/kernel/core_pattern")
    if not pattern.exists():
        pytest.skip("this kernel does not say where it puts crash files")
    left = {}
    for name, call in (("with", "no_core_dumps()"), ("without", "")):
        folder = tmp_path / name
        folder.mkdir()
        code = "import os, resource, signal; from facedouble.isolation import no_core_dumps\n" \
               "resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)\n" \
               f"canary = ('canary-' * 99 + str(os.getpid())).encode(); {call}\nos.kill(os.getpid(), signal.SIGSEGV)"
        done = subprocess.run([sys.executable, "-c", code], cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)})
        assert done.returncode == -11
        left[name] = [b"canary-canary-" in path.read_bytes() for path in folder.iterdir()]
    assert left["with"] == []
    if pattern.read_text().strip() == "core" and os.geteuid() == 0:
        assert left["without"] == [True]
