"""MP4 and MOV, box by box, against what this program writes: every byte outside of the coded pictures has to be accounted for.

Not the walk that the writer does on its own file (`media/container`): this one was written from ISO/IEC 14496-12, -14 and -15
and from looking at outputs, and it reads more. Boxes that are not in `GRAMMAR` are never entered, so depth is bounded by it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import BinaryIO, Final

from facedouble.audit import tables
from facedouble.audit.tables import Track
from facedouble.audit.walk import LARGEST, Odd, Walk, shown
from facedouble.types import Value

ONCE, MAYBE, MANY = (1, 1), (0, 1), (1, 64)
GRAMMAR: Final = {  # parent -> what may be in it, and how often
    "": {"ftyp": ONCE, "moov": ONCE, "free": MAYBE, "mdat": ONCE},
    "moov": {"mvhd": ONCE, "trak": MANY, "udta": MAYBE},
    "trak": {"tkhd": ONCE, "edts": MAYBE, "mdia": ONCE},
    "edts": {"elst": ONCE},
    "mdia": {"mdhd": ONCE, "hdlr": ONCE, "minf": ONCE},
    "minf": {"vmhd": MAYBE, "smhd": MAYBE, "dinf": ONCE, "stbl": ONCE},
    "dinf": {"dref": ONCE},
    "stbl": {"stsd": ONCE, "stts": ONCE, "ctts": MAYBE, "stss": MAYBE, "stsc": ONCE, "stsz": ONCE, "stco": MAYBE, "co64": MAYBE,
             "sgpd": MAYBE, "sbgp": MAYBE},
}
ORDER: Final = ("ftyp", "moov", "free", "mdat")
BRANDS: Final = {b"isom", b"iso2", b"avc1", b"mp41"}
PADDING: Final = 8  # bytes of the one empty box before the pictures
UDTA: Final = bytes.fromhex("000000356d657461000000000000002168646c7200000000000000006d6469726170706c000000000000000000"
                            "00000008696c7374")  # a list of tags with nothing in it
MATRIX: Final = b"".join(n.to_bytes(4, "big") for n in (1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30))  # the picture as it is
UND: Final = 0x55C4  # the language of nobody, 5 bits a letter
DREF: Final = bytes.fromhex("00000000000000010000000c75726c2000000001")  # all data in this file
KNOWN: Final = {  # what a reader of the report should know of boxes that leak
    "udta": "notes of the camera or of a program", "©xyz": "a place on the map", "loci": "a place on the map", "meta": "tags",
    "uuid": "notes of the camera or of a program", "skip": "padding", "wide": "padding", "free": "padding", "moof": "pieces of film",
    "tref": "a link between streams", "chpl": "chapters", "iods": "a description for older players", "mfra": "an index",
    "emsg": "timed messages", "prft": "the time of recording", "pssh": "keys", "sidx": "an index", "name": "a name",
    "colr": "colour", "tapt": "sizes of the picture", "jumb": "a record of where the film comes from", "gmhd": "a stream of notes",
    "moov": "an index", "ftyp": "the kind of file", "mdat": "pictures and sound",
}


@dataclass
class Node:
    """One box: its content lies in [start, stop), `body` is it where nothing else may be in it."""

    kind: str
    start: int
    stop: int
    body: bytes = b""
    inside: list[Node] = field(default_factory=list)

    def one(self, kind: str) -> Node | None:
        """The first of a kind in it."""
        return next((n for n in self.inside if n.kind == kind), None)


@dataclass(frozen=True)
class Film(Value):
    """What a walk came to. tracks: in the file's order; media: [start, stop) of what the pictures and the sound lie in."""

    tracks: tuple[Track, ...]
    odds: tuple[Odd, ...]
    more: int
    boxes: int
    media: tuple[int, int]


def walk_film(file: BinaryIO) -> Film:
    """Everything in an MP4 that this program would not have written, and its streams as far as they can be read."""
    walk = Walk(file)
    top = Node("", 0, walk.size, inside=list(_inside(walk, "", 0, walk.size)))
    _count(walk, top)
    kinds = [n.kind for n in top.inside if n.kind in ORDER]
    if kinds != sorted(kinds, key=ORDER.index):
        walk.say("The parts of the file are not in their order", 0)
    tracks: list[Track] = []
    media = top.one("mdat")
    for node in top.inside:
        if node.kind == "ftyp":
            _brands(walk, node)
        elif node.kind == "free" and (node.stop - node.start + 8 > PADDING or not walk.empty(node.start, node.stop)):
            walk.say("There is padding in the file with something in it, or more of it than is written", node.start)
        elif node.kind == "moov":
            tracks += _movie(walk, node)
    span = (media.start, media.stop) if media else (0, 0)
    tables.cover(walk, tracks, span)
    return Film(tuple(tracks), tuple(walk.odds), walk.more, walk.steps, span)


def _inside(walk: Walk, parent: str, start: int, stop: int) -> Iterator[Node]:
    """The boxes between two places that may be there, with all that may be in them; the others are told."""
    at = start
    while at < stop:
        head = walk.read(at, min(16, stop - at))
        size, kind, skip = int.from_bytes(head[:4], "big"), head[4:8].decode("latin-1"), 8
        if size == 1 and len(head) == 16:
            size, skip = int.from_bytes(head[8:], "big"), 16
        if len(head) < 8 or size < skip or at + size > stop:
            where = f"in {parent}" if parent else "after the last part of the file"
            walk.say(f"There are {stop - at} bytes {where} that are no box", at)
            return
        if not walk.step():
            return
        if kind not in GRAMMAR[parent]:
            known = KNOWN.get(kind, "")
            walk.say(f"There is a box '{shown(kind)}' in {parent or 'the file'}, {size} bytes"
                     f"{f' ({known})' if known else ''}, which this program does not write", at)
        elif kind in GRAMMAR:
            yield Node(kind, at + skip, at + size, inside=list(_inside(walk, kind, at + skip, at + size)))
        else:
            small = kind not in ("mdat", "free")
            if small and size > LARGEST:
                walk.say(f"The box '{kind}' is too large to be right ({size} bytes)", at)
            yield Node(kind, at + skip, at + size, walk.read(at + skip, size - skip) if small else b"")
        at += size


def _count(walk: Walk, node: Node) -> None:
    for kind, (least, most) in GRAMMAR[node.kind].items():
        found = sum(n.kind == kind for n in node.inside)
        if not least <= found <= most:
            walk.say(f"There are {found} boxes '{kind}' in {node.kind or 'the file'}; {least if found < least else most} "
                     "belong there", node.start)
    for child in node.inside:
        if child.kind in GRAMMAR:
            _count(walk, child)


def _brands(walk: Walk, node: Node) -> None:
    body = node.body
    brands = [body[i : i + 4] for i in range(8, len(body), 4)]
    if body[:8] != b"isom\0\0\2\0" or not set(brands) <= BRANDS or len(set(brands)) != len(brands):
        walk.say("The file says that it is of another kind than this program writes", node.start)


def _dates(walk: Walk, node: Node) -> int:
    """Says if a header has a date; returns where what comes after the dates begins, or 0 if it is cut."""
    wide = 8 if node.body[:1] == b"\1" else 4
    if len(node.body) < 4 + 4 * wide:
        walk.say(f"The box '{node.kind}' is cut", node.start)
        return 0
    if any(node.body[4 : 4 + 2 * wide]):
        walk.say(f"There is a date in '{node.kind}'", node.start + 4)
    return 4 + 2 * wide


def _duration(node: Node, at: int) -> tuple[int, int]:
    """(duration, where it ends), as wide as the header says."""
    wide = 8 if node.body[:1] == b"\1" else 4
    return int.from_bytes(node.body[at : at + wide], "big"), at + wide


def _rest(walk: Walk, node: Node, at: int, expected: bytes, flags: bytes = b"\0\0\0") -> None:
    """What follows has to be this and nothing else, and so have the flags."""
    if node.body[at:] != expected or node.body[:1] not in (b"\0", b"\1") or node.body[1:4] != flags:
        walk.say(f"The box '{node.kind}' does not hold what this program writes there", node.start)


def _movie(walk: Walk, node: Node) -> list[Track]:
    tracks = [n for n in node.inside if n.kind == "trak"]
    scale = total = 0
    head = node.one("mvhd")
    if head and (at := _dates(walk, head)):
        scale = int.from_bytes(head.body[at : at + 4], "big")
        total, at = _duration(head, at + 4)
        _rest(walk, head, at, b"\0\1\0\0\1\0" + bytes(10) + MATRIX + bytes(24) + (len(tracks) + 1).to_bytes(4, "big"))
    notes = node.one("udta")
    if notes and notes.body != UDTA:
        walk.say(f"There are notes of the camera or of a program in the file ('udta', {len(notes.body)} bytes)", notes.start)
    read = [_track(walk, n, k, scale) for k, n in enumerate(tracks, 1)]
    found = [t for t in read if t]
    longest = max((t.shown for t in found), default=0)
    if found and abs(total - longest) > 1:
        walk.say("The film says that it is longer or shorter than its streams", node.start)
    return found


def _track(walk: Walk, node: Node, number: int, scale: int) -> Track | None:
    """One stream, checked; None if it cannot be read."""
    media = node.one("mdia")
    index = (lambda m: m and m.one("stbl"))(media and media.one("minf"))
    head, times, says = node.one("tkhd"), media and media.one("mdhd"), media and media.one("hdlr")
    if not (media and index and head and times and says):
        walk.say("A stream cannot be read: parts of its index are missing", node.start)
        return None
    kind = says.body[8:12].decode("latin-1")
    if kind not in ("vide", "soun"):
        walk.say(f"There is a stream of another kind than picture and sound ('{shown(kind)}')", says.start)
        return None
    if says.body != bytes(8) + kind.encode("latin-1") + bytes(13):
        walk.say("A stream has a name", says.start)
    ticks = total = 0
    if at := _dates(walk, times):
        ticks = int.from_bytes(times.body[at : at + 4], "big")
        total, at = _duration(times, at + 4)
        language = int.from_bytes(times.body[at : at + 2], "big")
        if language != UND:
            walk.say("A stream says in what language it is", times.start + at)
        _rest(walk, times, at + 2, bytes(2))
    for minf in (n for n in media.inside if n.kind == "minf"):
        _kind_header(walk, minf, kind)
    track = tables.read(walk, {n.kind: (n.body, n.start) for n in index.inside}, number, kind, ticks)
    if track is None:
        return None
    slack, ends = 2 * int(track.spans.max(initial=0)), int((track.times + track.spans).max(initial=0))
    if not track.total - slack <= total <= max(track.total + slack, ends):  # FFmpeg is up to two pictures off
        walk.say("A stream says that it is longer or shorter than what is in it", times.start)
    edits = (lambda n: n and n.one("elst"))(node.one("edts"))
    track = tables.edited(walk, track, edits.body if edits else b"", edits.start if edits else node.start, scale)
    _track_head(walk, head, track)
    return track


def _kind_header(walk: Walk, minf: Node, kind: str) -> None:
    for name, of, body in (("vmhd", "vide", b"\0\0\0\1" + bytes(8)), ("smhd", "soun", bytes(8))):
        found = minf.one(name)
        if (found is not None) != (kind == of) or (found and found.body != body):
            walk.say(f"The header '{name}' of a stream is not as this program writes it", minf.start)
    place = (lambda n: n and n.one("dref"))(minf.one("dinf"))
    if place and place.body != DREF:
        walk.say("A stream says that its data are in another file", place.start)


def _track_head(walk: Walk, head: Node, track: Track) -> None:
    at = _dates(walk, head)
    if not at:
        return
    number = int.from_bytes(head.body[at : at + 4], "big")
    shown_for, end = _duration(head, at + 8)
    picture = track.kind == "vide"
    across, down = track.aspect
    stretched = round(Fraction(across << 16, down or 1) * track.width)  # muxers write the coded width, or the one that is shown
    widths = {track.width << 16, stretched} if picture else {0}
    sizes = {b"".join((n % (1 << 32)).to_bytes(4, "big") for n in (w, track.height << 16)) for w in widths}
    tail = head.body[end + 52 :]
    group = (0 if picture else 1).to_bytes(2, "big") + (b"\0\0" if picture else b"\1\0")
    if head.body[end : end + 52] != bytes(10) + group + bytes(2) + MATRIX or tail not in sizes:
        walk.say("The header of a stream (layer, volume, turn or size) is not as this program writes it", head.start)
    if number != track.number or any(head.body[at + 4 : at + 8]) or abs(shown_for - track.shown) > 1:
        walk.say("The header of a stream has another number or length than the stream", head.start)
    second = not picture and track.number > 2 and head.body[1:4] == b"\0\0\2"  # of several sounds the first is on
    if head.body[:1] not in (b"\0", b"\1") or not (head.body[1:4] == b"\0\0\3" or second):
        walk.say("A stream is hidden, or marked in a way that this program does not mark streams", head.start)


ENTERED: Final = {"moov", "trak", "mdia", "udta", "meta", "ilst", "minf"}
READ: Final = 1 << 16  # bytes of a box in which texts are sought
DEEP: Final = 8


def texts(file: BinaryIO) -> list[tuple[str, str]]:
    """(box, text) of what cameras and programs wrote into an MP4 or MOV: into `udta`, `meta`, `uuid` and names of streams."""
    walk = Walk(file)
    found: list[tuple[str, str]] = []

    def enter(start: int, stop: int, deep: int, notes: bool) -> None:
        at = start
        while at + 8 <= stop and walk.step():
            head = walk.read(at, 16)
            size, kind, skip = int.from_bytes(head[:4], "big"), head[4:8].decode("latin-1"), 8
            if size == 1:
                size, skip = int.from_bytes(head[8:], "big"), 16
            size = size or stop - at
            if size < skip or at + size > stop:
                return
            mine = notes or kind in ("udta", "meta", "uuid", "hdlr")
            if kind in ENTERED and deep < DEEP:
                full = 4 if kind == "meta" and walk.read(at + skip, 4) == bytes(4) else 0
                enter(at + skip + full, at + size, deep + 1, notes or kind in ("udta", "meta"))
            elif mine:
                enter(at + skip, at + size, deep + 1, True) if deep < DEEP and notes else None
                found.extend((kind, run.decode()) for run in _RUN.findall(walk.read(at + skip, min(size - skip, READ))))
            at += size

    enter(0, walk.size, 0, False)
    return found


_RUN: Final = re.compile(rb"[\x20-\x7e]{5,200}")
