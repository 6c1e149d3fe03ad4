"""Have a file read apart, and believe nothing: pieces come with sizes that were checked, or the reading ends with a sentence."""

from __future__ import annotations

import json
import mmap
import os
import select
import socket
import stat
import time
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from facedouble import disk
from facedouble.disk import Lent
from facedouble.errors import ExitCode, InputRefused, MachineError, StoreError
from facedouble.media.apart.keeper import Keeper, keeper
from facedouble.media.apart.wire import LONGEST, LONGEST_TEXT, SLOTS, packed, slot_bytes, unpacked
from facedouble.sandbox import Layers
from facedouble.types import Bytes

ROOM: Final = 1 << 20  # bytes at once of what has no size of its own
LONGEST_VALUE: Final = 1 << 24  # bytes of one value, which takes up to twenty times as much once it is read
FEWEST: Final = 4096  # pieces that any file may give; and two for each byte: every picture and every block of sound has one
STUCK: Final = 60.0  # s without a word
SLOWEST: Final = 1 << 20  # bytes/s that are read at least
MEMORY: Final = 6 << 30  # bytes, and twelve times a slot
RAISED: Final = {kind.exit_code: kind for kind in (InputRefused, StoreError, MachineError)}


class Broken(InputRefused):
    """The process that read a file came to another end than it should. how: "died", "stuck", "lied"."""

    def __init__(self, name: str, how: str) -> None:
        words = {"died": "ended the process that reads it", "stuck": "stopped the process that reads it",
                 "lied": "made the process that reads it say what cannot be"}
        super().__init__(f"{name}: something in it {words[how]}, so it is not used: find out where it comes from, convert it on "
                         "another machine, or cut that place out")
        self.how = how


@dataclass(frozen=True)
class Source:
    """A file for one reading. name: for sentences."""

    name: str
    lent: Lent
    size: int


@dataclass(frozen=True)
class Got:
    """A piece. data: (n,) uint8 in memory that the child writes to: to be copied, then checked, before the next is asked for."""

    head: dict[str, Any]
    data: Bytes

    def whole(self, key: str, lowest: int, highest: int) -> int:
        """A whole number of the head; ValueError if it is none, or out of range."""
        value = self.head.get(key)
        if type(value) is not int or not lowest <= value <= highest:
            raise ValueError(f"{key} is {value!r}")
        return value

    def flag(self, key: str) -> bool:
        """Yes or no."""
        value = self.head.get(key)
        if type(value) is not bool:
            raise ValueError(f"{key} is {value!r}")
        return value


@contextmanager
def source(path: Path) -> Iterator[Source]:
    """The file, lent; InputRefused if there is none."""
    try:
        if not disk.is_file(path):
            raise InputRefused(f"{path}: there is no such file; check the name")
        lent = disk.lend(path)
    except OSError as error:
        raise InputRefused(f"{path}: cannot be read ({error.strerror}); check its name and permissions") from error
    try:
        info = os.fstat(lent.descriptor)
        if not stat.S_ISREG(info.st_mode):
            raise InputRefused(f"{path}: is not a file; give a video file")
        yield Source(str(path), lent, info.st_size)
    finally:
        os.close(lent.descriptor)


@contextmanager
def memory(name: str, data: bytes) -> Iterator[Source]:
    """Bytes of ours as a file to be read apart."""
    with os.fdopen(os.memfd_create("bytes", os.MFD_CLOEXEC), "wb") as file:
        file.write(data)
        file.flush()
        os.lseek(file.fileno(), 0, os.SEEK_SET)
        yield Source(name, Lent(file.fileno()), len(data))


def pieces(path: Path, job: str, given: dict[str, Any], room: int = ROOM) -> Generator[Got, None, None]:
    """What a job of `inside.jobs` gives for a file. room: the most bytes of a piece."""
    with source(path) as found, closing(pieces_of(found, job, given, room)) as got:
        yield from got


def value(path: Path, job: str, given: dict[str, Any]) -> Any:
    """The value that a job tells, as JSON has it."""
    with source(path) as found:
        return value_of(found, job, given)


def value_of(found: Source, job: str, given: dict[str, Any], by: Keeper | None = None) -> Any:
    """As `value`, of a source."""
    text = bytearray()
    with closing(pieces_of(found, job, given, by=by)) as got, lies(found.name):
        for piece in got:
            text += piece.data.tobytes()
            if len(text) > LONGEST_VALUE:
                raise ValueError("too long")
            if piece.flag("last"):
                return json.loads(text.decode())
        raise ValueError("no end")


@contextmanager
def lies(name: str) -> Iterator[None]:
    """Broken for everything that is not as it has to be."""
    try:
        yield
    except (ValueError, TypeError, KeyError, ArithmeticError, RecursionError, AttributeError) as error:
        raise Broken(name, "lied") from error


def pieces_of(found: Source, job: str, given: dict[str, Any], room: int = ROOM, slots: int = SLOTS,
              by: Keeper | None = None, patience: float = STUCK) -> Generator[Got, None, None]:
    """As `pieces`, of a source."""
    number, said = 0, 0
    with _asked(found, job, {**given, "room": room}, slots, by) as (near, shared):
        told = _said(near, found, patience)
        next(told, None)  # which layers hold
        for head in told:
            said += 1
            size = head.pop("bytes", 0)
            if type(size) is not int or not 0 <= size <= room or said > FEWEST + 2 * found.size:
                raise Broken(found.name, "lied")
            at = number % slots * slot_bytes(room)
            yield Got(head, shared[at : at + size])
            if size:
                number += 1
                with suppress(OSError):  # if it has ended, what it said before is still to be read; one that listens has room
                    near.send(b".", socket.MSG_DONTWAIT)


@lru_cache(maxsize=1)
def layers() -> Layers:
    """What keeps the children of this run in: asked of one that has nothing to read."""
    with memory("nothing", b"") as found, _asked(found, "", {"room": 1}, 1, None) as (near, _), lies(found.name):
        head = _message(near, found, STUCK)
        held = head["held"]
        return Layers(int(head["landlock"]), "seccomp" in held, "limits" in held, tuple(map(str, head["withheld"])))


@contextmanager
def _asked(found: Source, job: str, given: dict[str, Any], slots: int,
           by: Keeper | None) -> Iterator[tuple[socket.socket, Bytes]]:
    """A child at work: the socket to it and the memory that both see. It ends with the block."""
    room, key = given["room"], found.lent.key
    whole = slot_bytes(room) * slots
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with near:
        with far:
            child, ring = (by or keeper()).fork(far.fileno(), found.lent.descriptor, whole)
        try:
            with os.fdopen(ring, "rb"):
                shared = np.frombuffer(mmap.mmap(ring, whole, prot=mmap.PROT_READ), np.uint8)
            with suppress(OSError):
                near.send(packed({"job": job, "given": given, "key": key.hex() if key else "", "start": found.lent.start,
                                  "memory": MEMORY + 12 * room}))
            yield near, shared
        finally:
            child.end()


def _said(near: socket.socket, found: Source, patience: float) -> Iterator[dict[str, Any]]:
    """Messages until the end; Broken if there is none."""
    while (head := _message(near, found, patience)).get("end") is not True:
        if "refused" in head:
            raise _refusal(found.name, head)
        yield head


def _message(near: socket.socket, found: Source, patience: float) -> dict[str, Any]:
    poll = select.poll()
    poll.register(near, select.POLLIN)
    last = time.monotonic() + patience + found.size / SLOWEST
    while time.monotonic() < last:
        if not poll.poll(1000 * patience):
            break
        try:
            data = near.recv(LONGEST + 1)
        except ConnectionResetError:  # it ended before it had taken our last words; its own last ones are still there
            continue
        if not data:
            raise Broken(found.name, "died")
        with lies(found.name):
            head = unpacked(data)
        if head.get("alive") is not True:
            return head
    raise Broken(found.name, "stuck")


def _refusal(name: str, head: dict[str, Any]) -> Exception:
    code, text = head["refused"], head.get("text")
    kind = RAISED.get(ExitCode(code)) if type(code) is int and code in set(ExitCode) else None
    if kind is None or not isinstance(text, str) or len(text) > LONGEST_TEXT:
        return Broken(name, "lied")
    return kind(f"{name}: {''.join(c if c.isprintable() else '?' for c in text)}")

