"""What keeps an unlocked project's key for later commands of the same user: a small process without network or core dumps.

`unlock` starts it as `python -m facedouble.store.agent` and gives it the key through a pipe. It ends by `lock`, or when nobody
has asked for a while. It holds nothing on the disk but the name of its socket.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from facedouble.errors import FacedoubleError, StoreError
from facedouble.isolation import deny_network
from facedouble.secrecy import keep_secret
from facedouble.store.keys import Keyring
from facedouble.store.places import runtime_folder

GIVE: Final = b"k"
END: Final = b"q"
ANSWER_S: Final = 5.0  # for a client that says nothing
NAP_S: Final = 2.0  # the clock is looked at this often, because timeouts stand still while the machine sleeps
LONGEST: Final = 1 << 20  # bytes of a keyring


def start(project: str, keyring: Keyring, minutes: float) -> None:
    """Keep the key for the project, in place of one that is kept; StoreError if that cannot be."""
    stop(project)
    said = json.dumps({"project": project, "minutes": minutes, "keyring": keyring.packed().decode()})
    place = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    done = subprocess.run([sys.executable, "-P", "-m", "facedouble.store.agent"], input=said, capture_output=True, text=True,
                          cwd="/", env=place, check=False)  # not in the project's folder: its disk can be taken out
    if done.returncode != 0:
        raise StoreError(f"the project cannot be kept unlocked ({_last_line(done.stderr)}); commands ask for the passphrase each "
                         "time instead")


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["the process ended"])[-1]


def ask(project: str) -> Keyring | None:
    """The key of an unlocked project; None if it is locked."""
    with suppress(ValueError, KeyError):
        said = _call(project, GIVE)
        return Keyring.unpacked(said) if said else None
    return None


def stop(project: str) -> bool:
    """Lock the project; whether it was unlocked."""
    return _call(project, END) is not None


def _call(project: str, word: bytes) -> bytes | None:
    path = _path(project)
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(ANSWER_S)
        try:
            client.connect(str(path))
            if _user(client) != os.getuid():
                raise StoreError(f"{path}: somebody else answers there; remove it, and unlock the project again")
            client.sendall(word)
            said = b""
            while more := client.recv(65536):
                said += more
            return said
        except ConnectionRefusedError:  # an agent that was killed leaves its name
            path.unlink(missing_ok=True)
        except OSError:
            pass
    return None


def _path(project: str) -> Path:
    return runtime_folder() / f"{project}.sock"


def _user(connection: socket.socket) -> int:
    """Who is at the other end, as the kernel knows it."""
    _, user, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))
    return int(user)


def _serve(server: socket.socket, keyring: Keyring, idle_s: float) -> None:
    """Give the key to this user's processes until one says that it is enough, or none has asked for so long."""
    packed, last = keyring.packed(), _now()
    server.settimeout(NAP_S)
    while _now() - last < idle_s:
        try:
            client, _ = server.accept()
        except TimeoutError:
            continue
        with client, suppress(OSError):
            client.settimeout(ANSWER_S)
            word = client.recv(1) if _user(client) == os.getuid() else b""
            if word == END:
                return
            if word == GIVE:
                client.sendall(packed)
                last = _now()


def _now() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def main() -> None:
    """Read what to keep from standard input; go on in the background as soon as others can ask for it."""
    deny_network()
    said = json.loads(sys.stdin.buffer.read(LONGEST))
    path = _path(said["project"])
    server = socket.socket(socket.AF_UNIX)
    os.umask(0o077)
    path.unlink(missing_ok=True)
    server.bind(str(path))
    server.listen()
    if os.fork():
        return
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(nothing, descriptor)
    keep_secret()
    try:
        _serve(server, Keyring.unpacked(said["keyring"].encode()), 60 * float(said["minutes"]))
    finally:
        path.unlink(missing_ok=True)


if __name__ == "__main__":
    try:
        main()
    except FacedoubleError as refused:
        raise SystemExit(str(refused)) from refused
