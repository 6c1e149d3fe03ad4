"""A film encoded piece by piece. Finished chunks are files that survive a crash; joined, they are the film, bit for bit.

A chunk's file: MAGIC, the coded pictures one after the other, a head in JSON with their SHA-256, the head's own SHA-256 and its
length (8 bytes, big-endian). It has another name until it is whole. One that is not as it was written counts as absent.

Beside the chunks lies `versions.json`: the names of those that the last films were made of. When a film is whole, what is in
none of the last `VERSIONS` goes.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO, Final, Self

import numpy as np

from facedouble import disk
from facedouble.errors import FacedoubleError, StoreError
from facedouble.media.encode import Sound, Writer, mapped
from facedouble.media.h264 import Coder, Header, Packet
from facedouble.media.shelf import shelf
from facedouble.options import EncodeOptions
from facedouble.publish import write_over
from facedouble.types import Array, Colour, MediaInfo, SafeFrame, Value

MAGIC: Final = b"facedouble-chunk-1\n"
NAME: Final = re.compile(r"[0-9a-f]{16,64}")
OURS: Final = re.compile(r"[0-9a-f]{16,64}\.chunk|\.[0-9a-f]{16,64}\.part"  # whole, not finished
                        r"|versions\.json|\.versions\.json\.[0-9]+\.part")
VERSIONS: Final = 3  # of a film: who compares two plans and a third draws nothing again
RECORD: Final = "versions.json"
TAIL: Final = 40  # bytes: a SHA-256 and a length
BLOCK: Final = 1 << 20  # bytes read at a time
KEPT: Final = "what was finished is kept, and the same command goes on from there"
LARGEST_HEAD: Final = 1 << 28  # bytes
ROW: Final = np.dtype([("ticks", "i8"), ("span", "i8"), ("key", "?"), ("size", "i8")])


def borders(frames: int, cuts: Sequence[int], options: EncodeOptions) -> list[tuple[int, int]]:
    """Spans of frames, gapless. They end at cuts; shots under `chunk_least` join others, long ones are divided evenly.

    cuts: first frames of shots. Nothing but them, the number of frames and the options goes into it.
    """
    starts = [0]
    for cut in sorted(set(cuts)):
        if min(cut - starts[-1], frames - cut) >= options.chunk_least:
            starts.append(cut)
    spans: list[tuple[int, int]] = []
    for start, stop in pairwise([*starts, frames]):
        pieces = -(-(stop - start) // options.chunk_most)
        spans += pairwise(start + (stop - start) * k // max(pieces, 1) for k in range(pieces + 1))
    return spans


@dataclass(frozen=True)
class Chunk(Value):
    """A finished chunk, found whole. rows (n,) `ROW` in the order of coding; facts: what the caller had written beside it."""

    path: Path
    start: int
    header: Header
    rows: Array
    payload: str
    facts: dict[str, Any]

    @property
    def stop(self) -> int:
        """The frame after the last."""
        return self.start + len(self.rows)

    def packets(self) -> Iterator[Packet]:
        """The coded pictures. StoreError at the end if they are not what they were when the chunk was found."""
        told = hashlib.sha256()
        try:
            with disk.open_read(self.path) as file:
                file.seek(len(MAGIC))
                for ticks, span, key, size in self.rows.tolist():
                    data = file.read(size)
                    told.update(data)
                    yield Packet(ticks, span, key, data)
        except OSError as error:
            raise StoreError(f"{self.path}: cannot be read any more ({error.strerror}); start again") from error
        if told.hexdigest() != self.payload:
            raise StoreError(f"{self.path}: was altered while the film was joined; start again")


class ChunkWriter:
    """One chunk on its way into its file: `add` frames, then `finish` with the facts. Made by `Folder.new`."""

    def __init__(self, place: Path, file: BinaryIO, info: MediaInfo, options: EncodeOptions) -> None:
        self.place, self.file, self.coder = place, file, Coder(info, options)
        self.start: int | None = None
        self.finished = False
        self._rows: list[tuple[int, int, bool, int]] = []
        self._told = hashlib.sha256()
        file.write(MAGIC)

    def add(self, safe: SafeFrame) -> None:
        """Encode the next frame."""
        with mapped(self.place, KEPT):
            self._write(self.coder.add(safe))
        if self.start is None:
            self.start = safe.frame.index

    def finish(self, name: str, facts: dict[str, Any]) -> None:
        """Write what is left, and the head."""
        with mapped(self.place, KEPT):
            self._write(self.coder.finish())
            header = self.coder.header
            said = {"name": name, "start": self.start, "format": header.pixel_format, "colour": vars(header.colour),
                    "sets": header.sets.hex(), "rows": self._rows, "payload": self._told.hexdigest(), "facts": facts}
            head = json.dumps(said, sort_keys=True).encode()
            self.file.write(head + hashlib.sha256(head).digest() + len(head).to_bytes(8, "big"))
        self.finished = True

    def _write(self, packets: Sequence[Packet]) -> None:
        for packet in packets:
            self.file.write(packet.data)
            self._told.update(packet.data)
            self._rows.append((packet.ticks, packet.span, packet.key, len(packet.data)))


class Folder:
    """A private folder of finished chunks, in the hands of one run: `with Folder(path) as folder`.

    It is made if it is not there, and goes if nothing was finished in it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> Self:
        self._shelf = shelf(self.path)
        self._clear(lambda entry: entry.endswith(".part"))
        return self

    def __exit__(self, *_: object) -> None:
        self._shelf.close()

    def find(self, name: str) -> Chunk | None:
        """The chunk of that name; None if there is none, or if it is not whole."""
        return read(self._place(name), name)

    @contextmanager
    def new(self, name: str, info: MediaInfo, options: EncodeOptions) -> Iterator[ChunkWriter]:
        """A new chunk, which gets its name when the block ends after `finish`; it replaces a damaged one."""
        place = self._place(name)
        with ExitStack() as held:
            with mapped(place, KEPT):
                file, commit = held.enter_context(self._shelf.new(place.name))
                writer = ChunkWriter(place, file, info, options)
            yield writer
            if writer.finished:
                with mapped(place, KEPT):
                    commit()

    def versions(self) -> list[list[str]]:
        """The names of the chunks that the last films were made of, the newest last."""
        try:
            held = json.loads(disk.read(self.path / RECORD))
            return [[name for name in names if NAME.fullmatch(name)] for names in held]
        except (OSError, ValueError, TypeError):
            return []

    def settle(self, names: Sequence[str], most: int = VERSIONS) -> None:
        """A film was made of these chunks: they and those of the versions before it stay, `most` in all; other chunks go."""
        kept = [*(v for v in self.versions() if v != list(names)), list(names)][-most:]
        with suppress(StoreError):  # the film is there; what could not be noted is not cleared away either
            write_over(self.path / RECORD, json.dumps(kept).encode())
            used = {RECORD, *(f"{name}.chunk" for version in kept for name in version)}
            self._clear(lambda entry: entry not in used)

    def keep(self, names: Iterable[str]) -> None:
        """Remove all chunks but these."""
        kept = {self._place(name).name for name in names}
        self._clear(lambda entry: entry not in kept)

    def _place(self, name: str) -> Path:
        if not NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no digest")
        return self.path / f"{name}.chunk"

    def _clear(self, unwanted: Callable[[str], bool]) -> None:
        """Remove files of ours; what else lies in the folder is left alone."""
        for entry in self._shelf.entries():
            if OURS.fullmatch(entry) and unwanted(entry):
                self._shelf.remove(entry)


def read(path: Path, name: str) -> Chunk | None:
    """A chunk, if its file is there, whole, unaltered and of that name."""
    try:
        with disk.open_read(path, follow=False) as file:
            size = file.seek(0, 2)
            file.seek(max(size - TAIL, 0))
            tail = file.read(TAIL)
            length = int.from_bytes(tail[32:], "big")
            if len(tail) < TAIL or length > min(LARGEST_HEAD, size - TAIL - len(MAGIC)):
                return None
            file.seek(size - TAIL - length)
            head = file.read(length)
            if hashlib.sha256(head).digest() != tail[:32]:
                return None
            said = json.loads(head)
            payload = size - TAIL - length - len(MAGIC)
            rows = np.array([tuple(row) for row in said["rows"]], ROW)
            if said["name"] != name or rows["size"].sum() != payload or not _whole(file, payload, said["payload"]):
                return None
            header = Header(said["format"], Colour(**said["colour"]), bytes.fromhex(said["sets"]))
            return Chunk(path, said["start"], header, rows, said["payload"], said["facts"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _whole(file: BinaryIO, size: int, payload: str) -> bool:
    """Whether the file begins as it has to, and the `size` bytes after that have this SHA-256."""
    file.seek(0)
    if file.read(len(MAGIC)) != MAGIC:
        return False
    told = hashlib.sha256()
    while size > 0:
        block = file.read(min(BLOCK, size))
        if not block:
            return False
        told.update(block)
        size -= len(block)
    return told.hexdigest() == payload


def check(path: Path) -> None:
    """StoreError if there cannot be a folder of chunks: no place for it, something else lies there, another run has it."""
    if not disk.is_folder(path.parent) and disk.placed(path) is None:
        raise StoreError(f"{path.parent}: there is no such folder; make it first")
    if disk.exists(path):
        with Folder(path):
            pass


def remove(path: Path) -> None:
    """Remove a folder of chunks; files in it that are not ours are left, and then the folder is, too."""
    if disk.is_folder(path) and not path.is_symlink():
        with Folder(path) as folder:
            folder.keep(())


def stored(path: Path) -> int:
    """Bytes on the disk that the chunks of a folder take; 0 if there is none."""
    sizes = 0
    for entry in disk.listing(path):
        if OURS.fullmatch(entry.name):
            with suppress(OSError):
                sizes += disk.size(entry)
    return sizes


def tidy(path: Path) -> None:
    """Keep of a folder only what the newest film was made of; one of which no film was made yet stays as it is."""
    if disk.is_folder(path) and not path.is_symlink():
        with Folder(path) as folder:
            if newest := folder.versions()[-1:]:
                folder.settle(newest[0], 1)


def _earlier(info: MediaInfo, lead: Sequence[SafeFrame]) -> MediaInfo:
    """The footage with the start that its lead has."""
    return replace(info, start=lead[0].frame.time) if lead else info


def join(chunks: Iterable[Chunk], destination: Path, info: MediaInfo, options: EncodeOptions, sounds: Sequence[Sound],
         lead: Sequence[SafeFrame] = ()) -> None:
    """The film of all its chunks, in order. Nothing is encoded again but the sound; it appears whole or not at all.

    lead: frames that come before the first, with their times before it.
    """
    at = 0
    with Writer(destination, _earlier(info, lead), options, sounds) as writer:
        for safe in lead:
            writer.add(safe)
        writer.cut()
        for chunk in chunks:
            if chunk.start != at:
                raise FacedoubleError(f"{destination}: not written, because frames {at} to {chunk.start} are missing")
            for packet in chunk.packets():
                writer.put(chunk.header, packet)
            at = chunk.stop
