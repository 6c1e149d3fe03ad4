"""Every way out is tried from a child process, because the denial cannot be undone."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap

import pytest

DENY = "from facedouble.isolation import deny_network\ndenial = deny_network()\n"


def child(code: str, deny: str = DENY) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", deny + textwrap.dedent(code)], capture_output=True, text=True,
                          check=False, timeout=60)


WAYS_OUT = {
    "tcp 4": "import socket; socket.socket(socket.AF_INET, socket.SOCK_STREAM)",
    "tcp 6": "import socket; socket.socket(socket.AF_INET6, socket.SOCK_STREAM)",
    "udp": "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
    "netlink": "import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
    "name": "import socket; socket.getaddrinfo('localhost', 9)",
    "url": "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9/x')",
    "av": "import av; av.open('http://127.0.0.1:9/x')",
    "spawned python": "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import socket; socket.socket()'],"
                      " check=True)",
    "bash": "import subprocess; subprocess.run(['bash', '-c', 'exec 3<>/dev/tcp/127.0.0.1/9'], check=True)",
}


@pytest.mark.parametrize("way", WAYS_OUT)
def test_way_out_is_shut(way: str) -> None:
    done = child(WAYS_OUT[way])
    assert done.returncode == 1
    assert "not permitted" in done.stderr or "denies itself the network" in done.stderr


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_fails() -> None:
    # 6 and 7: could not resolve, could not connect; curl does not say more
    assert child("import subprocess, sys; sys.exit(subprocess.run(['curl', '-s', 'http://127.0.0.1:9/']).returncode)"
                 ).returncode in (6, 7)


def test_c_code_and_earlier_threads_are_bound() -> None:
    code = """
        import ctypes, json, threading
        go, tries = threading.Event(), {}
        def attempt(name):
            libc = ctypes.CDLL(None, use_errno=True)
            tries[name] = [libc.socket(family, 2, 0) < 0 and ctypes.get_errno() for family in (2, 10, 16, 17)]
        earlier = threading.Thread(target=lambda: (go.wait(), attempt("earlier")))
        earlier.start()
        from facedouble.isolation import deny_network
        deny_network()
        go.set(); earlier.join(); attempt("main")
        tries["uring"] = [ctypes.CDLL(None, use_errno=True).syscall(425, 1, 0)]
        print(json.dumps(tries))
    """
    done = child(code, deny="")
    assert json.loads(done.stdout) == {"earlier": [1] * 4, "main": [1] * 4, "uring": [-1]}, done.stderr


def test_unix_sockets_work() -> None:
    code = """
        import socket, tempfile, threading
        path = tempfile.mkdtemp() + "/s"
        server = socket.socket(socket.AF_UNIX); server.bind(path); server.listen()
        client = socket.socket(socket.AF_UNIX); client.connect(path)
        left, right = socket.socketpair(); left.send(b"x"); assert right.recv(1) == b"x"
        from concurrent.futures import ProcessPoolExecutor
        from multiprocessing import get_context
        with ProcessPoolExecutor(1, get_context("fork")) as pool:
            assert pool.submit(abs, -3).result() == 3
    """
    done = child(code)
    assert done.returncode == 0, done.stderr


def test_twice_is_once_and_says_the_means() -> None:
    done = child("assert deny_network() is denial; print(denial.means)")
    assert done.stdout.strip() == "('seccomp', 'hook')", done.stderr


def test_namespace_is_the_second_way() -> None:
    code = """
        from facedouble import isolation
        if not isolation._leave_network():
            print("refused")
        else:
            import os
            print(isolation._only_loopback(), os.geteuid())
    """
    done = child(code, deny="")
    if done.stdout.strip() == "refused":
        pytest.skip("this kernel gives no user namespaces")
    assert done.stdout.split() == ["True", str(os.geteuid())], done.stderr


def test_no_means_is_an_error() -> None:
    code = """
        from facedouble import isolation
        isolation._filter_system_calls = isolation._leave_network = lambda: False
        isolation.deny_network()
    """
    done = child(code, deny="")
    assert done.returncode == 1
    assert "MachineError: this machine cannot deny the program the network" in done.stderr


def test_a_filter_that_does_not_bite_is_noticed() -> None:
    code = """
        from facedouble import isolation
        isolation._filter_system_calls, isolation._leave_network = (lambda: True), (lambda: False)
        isolation.deny_network()
    """
    assert "MachineError" in child(code, deny="").stderr


def test_no_core_dumps() -> None:
    code = """
        import os, resource, signal
        from facedouble.isolation import no_core_dumps
        no_core_dumps(); no_core_dumps()
        assert max(resource.getrlimit(resource.RLIMIT_CORE)) <= 1
        os.kill(os.getpid(), signal.SIGSEGV)
    """
    process = os.posix_spawn(sys.executable, [sys.executable, "-c", textwrap.dedent(code)], dict(os.environ))
    status = os.waitpid(process, 0)[1]
    assert os.WTERMSIG(status) == signal.SIGSEGV
    assert not os.WCOREDUMP(status)
