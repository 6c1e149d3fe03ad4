"""Cutting MP4 files open and sewing them up again without coding a picture anew: what the faults of the container are made with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

HOLDERS = {b"moov", b"trak", b"edts", b"mdia", b"minf", b"dinf", b"stbl"}
TABLES = (b"stts", b"ctts", b"stss", b"stsc", b"stsz", b"stco", b"co64", b"sbgp")


def number(value: int, width: int = 4) -> bytes:
    """Big-endian."""
    return value.to_bytes(width, "big")


def box(kind: bytes, *bodies: bytes) -> bytes:
    """A box of a kind."""
    body = b"".join(bodies)
    return number(8 + len(body)) + kind + body


@dataclass
class Node:
    """A box: its body, or what is in it."""

    kind: bytes
    body: bytes = b""
    inside: list[Node] = field(default_factory=list)

    def one(self, *path: bytes) -> Node:
        """The first box along a path of kinds."""
        node = self
        for kind in path:
            node = next(n for n in node.inside if n.kind == kind)
        return node

    def data(self) -> bytes:
        """The whole box."""
        return box(self.kind, self.body, *(n.data() for n in self.inside))

    def put(self, at: int, width: int, value: int) -> None:
        """Write a number into the body."""
        self.body = self.body[:at] + number(value, width) + self.body[at + width :]

    def get(self, at: int, width: int = 4) -> int:
        """Read a number out of the body."""
        return int.from_bytes(self.body[at : at + width], "big")


def nodes(data: bytes) -> list[Node]:
    """The boxes of a stretch of bytes."""
    found, at = [], 0
    while at < len(data):
        size, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        body = data[at + 8 : at + size]
        found.append(Node(kind, b"", nodes(body)) if kind in HOLDERS else Node(kind, body))
        at += size
    return found


@dataclass
class Sample:
    """A coded piece. span: ticks to the next; delay: from decoding to showing; whole: needs no other."""

    data: bytes
    span: int
    delay: int = 0
    whole: bool = True


@dataclass
class Stream:
    """A stream: its box, and its samples in the order of decoding."""

    node: Node
    samples: list[Sample]

    @property
    def kind(self) -> bytes:
        return self.node.one(b"mdia", b"hdlr").body[8:12]

    @property
    def scale(self) -> int:
        return self.node.one(b"mdia", b"mdhd").get(12)

    def lengthen(self, ticks: int, head: int = 0, shown: bool = True) -> None:
        """So much more is in it; head: of that before the film, where no player shows it; shown: players show the rest."""
        self.node.one(b"mdia", b"mdhd").put(16, 4, self.node.one(b"mdia", b"mdhd").get(16) + ticks)
        edits = self.node.one(b"edts", b"elst")
        at = len(edits.body) - 12
        edits.put(at + 4, 4, edits.get(at + 4) + head)
        if shown:
            edits.put(at, 4, edits.get(at) + ticks - head)
            head_box = self.node.one(b"tkhd")
            head_box.put(20, 4, head_box.get(20) + ticks - head)


class Movie:
    """`Movie(path)`, change what is in it, `write(path)`. Version 0 headers, and the film's clock is that of its pictures."""

    def __init__(self, path: Path) -> None:
        data = path.read_bytes()
        self.top = nodes(data)
        self.moov = next(n for n in self.top if n.kind == b"moov")
        self.streams: list[Stream] = []
        places: list[tuple[int, int, int]] = []
        for k, trak in enumerate(n for n in self.moov.inside if n.kind == b"trak"):
            offsets, samples = _samples(trak.one(b"mdia", b"minf", b"stbl"), data)
            self.streams.append(Stream(trak, samples))
            places += [(at, k, j) for j, at in enumerate(offsets)]
        self.order: list[Sample | bytes] = [self.streams[k].samples[j] for _, k, j in sorted(places)]

    @property
    def video(self) -> Stream:
        return next(s for s in self.streams if s.kind == b"vide")

    @property
    def sound(self) -> Stream | None:
        return next((s for s in self.streams if s.kind == b"soun"), None)

    def insert(self, stream: Stream, at: int, samples: Sequence[Sample]) -> None:
        """Put samples into a stream, and beside its neighbours in the file."""
        near = stream.samples[min(at, len(stream.samples) - 1)]
        where = next(k for k, s in enumerate(self.order) if s is near) + (at >= len(stream.samples))
        stream.samples[at:at] = samples
        self.order[where:where] = samples

    def remove(self, stream: Stream, at: int, count: int) -> None:
        """Take samples out."""
        gone = {id(s) for s in stream.samples[at : at + count]}
        del stream.samples[at : at + count]
        self.order = [s for s in self.order if id(s) not in gone]

    def add(self, handler: bytes, entry: bytes, samples: Sequence[Sample], scale: int, name: bytes = b"") -> Stream:
        """A new stream of any kind. entry: its description, a whole box."""
        total = sum(s.span for s in samples)
        film = self.moov.one(b"mvhd")
        movie = total * film.get(12) // scale
        matrix = self.video.node.one(b"tkhd").body[40:76]
        stbl = Node(b"stbl", b"", [Node(b"stsd", number(0) + number(1) + entry)])
        minf = Node(b"minf", b"", [Node(b"nmhd", bytes(4)), self.video.node.one(b"mdia", b"minf", b"dinf"), stbl])
        mdia = Node(b"mdia", b"", [Node(b"mdhd", bytes(12) + number(scale) + number(total) + number(0x55C4, 2) + bytes(2)),
                                   Node(b"hdlr", bytes(8) + handler + bytes(12) + name + b"\0"), minf])
        tkhd = Node(b"tkhd", number(3) + bytes(8) + number(len(self.streams) + 1) + bytes(4) + number(movie) + bytes(16) + matrix + bytes(8))
        stream = Stream(Node(b"trak", b"", [tkhd, mdia]), list(samples))
        self.moov.inside.insert(1 + len(self.streams), stream.node)
        self.streams.append(stream)
        self.order += samples
        film.put(len(film.body) - 4, 4, len(self.streams) + 1)
        return stream

    def settle(self) -> None:
        """The film is as long as its longest stream."""
        self.moov.one(b"mvhd").put(16, 4, max(s.node.one(b"tkhd").get(20) for s in self.streams))

    def write(self, path: Path) -> None:
        """Tables anew, one chunk for each run of a stream's samples."""
        chunks: list[list[list[int]]] = [[] for _ in self.streams]  # of each stream: [place, samples]
        owner = {id(s): k for k, stream in enumerate(self.streams) for s in stream.samples}
        at, media = 0, []
        for k, run in groupby(self.order, lambda piece: owner.get(id(piece), -1)):
            if k >= 0:
                chunks[k].append([at, 0])
            for piece in run:
                data = piece.data if isinstance(piece, Sample) else piece
                if k >= 0:
                    chunks[k][-1][1] += 1
                media.append(data)
                at += len(data)
        for _ in range(2):  # the tables' length does not depend on the places
            start = 8
            for node in self.top:
                if node.kind == b"mdat":
                    break
                start += len(node.data())
            for stream, own in zip(self.streams, chunks, strict=True):
                _tables(stream, [(start + place, count) for place, count in own])
        path.write_bytes(b"".join(box(b"mdat", *media) if n.kind == b"mdat" else n.data() for n in self.top))


def _runs(node: Node) -> list[int]:
    rows = [(node.get(8 + 8 * k), node.get(12 + 8 * k)) for k in range(node.get(4))]
    return [value for count, value in rows for _ in range(count)]


def _samples(stbl: Node, data: bytes) -> tuple[list[int], list[Sample]]:
    tables = {n.kind: n for n in stbl.inside}
    count, each = tables[b"stsz"].get(8), tables[b"stsz"].get(4)
    sizes = [each or tables[b"stsz"].get(12 + 4 * k) for k in range(count)]
    spans = _runs(tables[b"stts"])
    delays = _runs(tables[b"ctts"]) if b"ctts" in tables else [0] * count
    whole = {tables[b"stss"].get(8 + 4 * k) - 1 for k in range(tables[b"stss"].get(4))} if b"stss" in tables else set(range(count))
    chunks = [tables[b"stco"].get(8 + 4 * k) for k in range(tables[b"stco"].get(4))]
    groups = [(tables[b"stsc"].get(8 + 12 * k), tables[b"stsc"].get(12 + 12 * k)) for k in range(tables[b"stsc"].get(4))]
    offsets: list[int] = []
    for n, at in enumerate(chunks, 1):
        for _ in range(next(per for first, per in reversed(groups) if first <= n)):
            offsets.append(at)
            at += sizes[len(offsets) - 1]
    return offsets, [Sample(data[o : o + size], spans[k], delays[k], k in whole)
                     for k, (o, size) in enumerate(zip(offsets, sizes, strict=True))]


def _table(values: Iterable[int]) -> bytes:
    rows = [(len(list(run)), value) for value, run in groupby(values)]
    return number(0) + number(len(rows)) + b"".join(number(n) + number(v) for n, v in rows)


def _tables(stream: Stream, chunks: Sequence[tuple[int, int]]) -> None:
    stbl, samples = stream.node.one(b"mdia", b"minf", b"stbl"), stream.samples
    sizes = {len(s.data) for s in samples}
    made = [Node(b"stts", _table(s.span for s in samples))]
    if not all(s.whole for s in samples):
        keys = [k for k, s in enumerate(samples, 1) if s.whole]
        made.append(Node(b"stss", number(0) + number(len(keys)) + b"".join(map(number, keys))))
    if any(s.delay for s in samples):
        made.append(Node(b"ctts", _table(s.delay for s in samples)))
    groups = [(n, count) for k, (n, count) in enumerate((n, c) for n, (_, c) in enumerate(chunks, 1)) if not k or chunks[k - 1][1] != count]
    made.append(Node(b"stsc", number(0) + number(len(groups)) + b"".join(number(n) + number(c) + number(1) for n, c in groups)))
    same = len(sizes) == 1
    listed = b"" if same else b"".join(number(len(s.data)) for s in samples)
    made.append(Node(b"stsz", number(0) + number(sizes.pop() if same else 0) + number(len(samples)) + listed))
    made.append(Node(b"stco", number(0) + number(len(chunks)) + b"".join(number(place) for place, _ in chunks)))
    stsd = stbl.one(b"stsd")
    rate = stsd.body.find(b"btrt")
    if rate > 0 and stream.kind == b"vide" and samples:  # as a muxer that had written it would say
        bits = sum(len(s.data) for s in samples) * 8 * stream.scale // max(1, sum(s.span for s in samples))
        stsd.put(rate + 8, 4, bits)
    groups_of = [n for n in stbl.inside if n.kind == b"sbgp"]
    for node in groups_of:
        node.put(12, 4, len(samples))
    stbl.inside = [n for n in stbl.inside if n.kind not in TABLES] + made + groups_of
