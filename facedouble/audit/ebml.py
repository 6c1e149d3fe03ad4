"""Matroska and WebM, element by element, against an allow-list (RFC 8794, RFC 9559): frames, and what a player needs for them.

This program writes no Matroska; whoever wraps its film in one has to leave everything else out. Elements that are not in
`GRAMMAR` are never entered, so depth is bounded by it.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import BinaryIO, Final

import numpy as np

from facedouble.audit.tables import Track, parameter_sets
from facedouble.audit.walk import LARGEST, Odd, Walk, shown
from facedouble.types import Value

FILE, HEADER, SEGMENT, SEEKS, SEEK, INFO, TRACKS, ENTRY = 0, 0x1A45DFA3, 0x18538067, 0x114D9B74, 0x4DBB, 0x1549A966, 0x1654AE6B, 0xAE
VIDEO, COLOUR, AUDIO, CUES, CUE, PLACES, CLUSTER, GROUP = 0xE0, 0x55B0, 0xE1, 0x1C53BB6B, 0xBB, 0xB7, 0x1F43B675, 0xA0
VOID, CRC, SIMPLE, BLOCK = 0xEC, 0xBF, 0xA3, 0xA1
NUMBER, UID, KIND, LANGUAGE, CODEC, PRIVATE, LACING = 0xD7, 0x73C5, 0x83, 0x22B59C, 0x86, 0x63A2, 0x9C
SCALE, MUXER, WRITER, TIME, REFERENCE, CUED = 0x2AD7B1, 0x4D80, 0x5741, 0xE7, 0xFB, 0xF7
GRAMMAR: Final[dict[int, set[int]]] = {
    FILE: {HEADER, SEGMENT}, HEADER: {0x4286, 0x42F7, 0x42F2, 0x42F3, 0x4282, 0x4287, 0x4285},
    SEGMENT: {SEEKS, INFO, TRACKS, CUES, CLUSTER}, SEEKS: {SEEK}, SEEK: {0x53AB, 0x53AC},
    INFO: {SCALE, 0x4489, MUXER, WRITER}, TRACKS: {ENTRY},
    ENTRY: {NUMBER, UID, KIND, LACING, 0x88, 0xB9, 0x55AA, LANGUAGE, CODEC, PRIVATE, 0x56AA, 0x56BB, 0x23E383, 0x55EE, VIDEO, AUDIO},
    VIDEO: {0xB0, 0xBA, 0x54B0, 0x54BA, 0x54B2, 0x9A, 0x9D, COLOUR},
    COLOUR: {0x55B1, 0x55B2, 0x55B3, 0x55B4, 0x55B7, 0x55B8, 0x55B9, 0x55BA, 0x55BB},
    AUDIO: {0xB5, 0x78B5, 0x9F, 0x6264}, CUES: {CUE}, CUE: {0xB3, PLACES}, PLACES: {CUED, 0xF1, 0xF0, 0xB2, 0x5378},
    CLUSTER: {TIME, SIMPLE, GROUP, 0xAB, 0xA7}, GROUP: {BLOCK, 0x9B, REFERENCE, 0x75A2},
}
SHORT: Final = 8  # bytes that a number or a date may have
KNOWN: Final = {0x1254C367: "tags", 0x1941A469: "attached files", 0x1043A770: "chapters", 0x7BA9: "a title", 0x4461: "a date",
                0x73A4: "a number of its own", 0x7384: "a file name", 0x4444: "a number of its own", 0x536E: "the name of a stream",
                0x22B59D: "a language", 0x258688: "the name of a coder", 0x75A1: "additions to a picture", 0x6D80: "packed data",
                0x3CB923: "a number of another film", 0x3C83AB: "the name of another film", 0x3EB923: "a number of another film",
                0x3E83BB: "the name of another film", 0x7E8A: "a signature"}
CODECS: Final = {1: {"V_MPEG4/ISO/AVC"}, 2: {"A_AAC", "A_PCM/INT/LIT", "A_PCM/FLOAT/IEEE"}}
APPS: Final = {b"Lavf", b"facedouble"}
MOST_BLOCKS: Final = 1 << 22


@dataclass
class _Stream:
    """A stream as its entry has it, and where its blocks lie."""

    said: dict[int, bytes] = field(default_factory=dict)
    picture: dict[int, bytes] = field(default_factory=dict)
    rows: list[tuple[int, int, int, bool]] = field(default_factory=list)


@dataclass(frozen=True)
class Wrapped(Value):
    """What a walk came to: as `boxes.Film`."""

    tracks: tuple[Track, ...]
    odds: tuple[Odd, ...]
    more: int
    elements: int
    media: tuple[int, int]


def walk_wrapped(file: BinaryIO) -> Wrapped:
    """Everything in a Matroska file that no player needs, and its streams as far as they can be read."""
    walk = Walk(file)
    reader = _Reader(walk)
    reader.inside(FILE, 0, walk.size)
    tracks = tuple(reader.track(number, stream) for number, stream in sorted(reader.streams.items()))
    if not tracks:
        walk.say("There is no stream in the file", 0)
    spans = [(int(t.offsets.min()), int((t.offsets + t.sizes).max())) for t in tracks if len(t.offsets)]
    media = (min(s[0] for s in spans), max(s[1] for s in spans)) if spans else (0, 0)
    return Wrapped(tracks, tuple(walk.odds), walk.more, walk.steps, media)


def _number(data: bytes) -> int:
    return int.from_bytes(data, "big")


def _vint(data: bytes, keep: bool) -> tuple[int, int]:
    """(value, bytes) of a number of varying length; (0, 0) if it is none. keep: with its mark, as an id has it."""
    if not data or not data[0]:
        return 0, 0
    width = 9 - data[0].bit_length()
    if len(data) < width or (keep and width > 4):
        return 0, 0
    value = _number(data[:width])
    return (value if keep else value & ((1 << 7 * width) - 1)), width


class _Reader:
    def __init__(self, walk: Walk) -> None:
        self.walk, self.streams, self.blocks, self.time = walk, dict[int, _Stream](), 0, 0
        self.entry = _Stream()

    def parts(self, parent: int, start: int, stop: int) -> Iterator[tuple[int, int, int]]:
        """(id, start, stop) of the elements between two places that may be there; the others are told."""
        at = start
        while at < stop and not self.walk.tired:
            head = self.walk.read(at, 12)
            kind, wide = _vint(head, True)
            size, more = _vint(head[wide:], False)
            inside = at + wide + more
            unknown = more and size == (1 << 7 * more) - 1
            if not wide or not more or unknown or inside + size > stop:
                what = "an element without a size" if unknown else f"{stop - at} bytes that are no element"
                self.walk.say(f"There is {what} in {parent:X}" if parent else f"There is {what} in the file", at)
                return
            if kind in (SIMPLE, BLOCK):
                self.blocks += 1
                if self.blocks > MOST_BLOCKS:
                    return
            elif kind not in (CLUSTER, TIME, GROUP, CUE, PLACES, CUED, 0xB3, 0xF1, 0xF0, 0x9B, REFERENCE, 0xA7, 0xAB) and not self.walk.step():
                return
            if kind == VOID:
                if not self.walk.empty(inside, inside + size):
                    self.walk.say("There is padding with something in it", at)
            elif kind == CRC:
                self._sum(at, start, stop, inside, size)
            elif kind not in GRAMMAR[parent]:
                known = KNOWN.get(kind)
                self.walk.say(f"There is an element {kind:X}, {size} bytes{f' ({known})' if known else ''}, which does not belong there", at)
            else:
                yield kind, inside, inside + size
            at = inside + size

    def _sum(self, at: int, start: int, stop: int, inside: int, size: int) -> None:
        told = self.walk.read(inside, size) if size == 4 else b""
        if at != start or size != 4 or (stop - inside - 4 <= LARGEST
                                        and zlib.crc32(self.walk.read(inside + 4, stop - inside - 4)) != int.from_bytes(told, "little")):
            self.walk.say("A check sum is wrong, or not where it belongs", at)

    def inside(self, parent: int, start: int, stop: int) -> None:
        """All that is between two places."""
        key = parent != GROUP
        found: list[tuple[int, int]] = []
        for kind, a, b in self.parts(parent, start, stop):
            if kind == ENTRY:
                self.entry = _Stream()
                self.inside(kind, a, b)
                self._entered(a)
            elif kind in GRAMMAR:
                self.inside(kind, a, b)
            elif kind in (SIMPLE, BLOCK):
                found.append((a, b))
                key = kind == SIMPLE and bool(self.walk.read(a + 3, 1)[:1] >= b"\x80")
                if kind == SIMPLE:
                    self._block(a, b, key)
            else:
                key = key or kind != REFERENCE
                self._value(parent, kind, a, self.walk.read(a, min(b - a, 1 << 16)), b - a)
                if kind == REFERENCE:
                    key = False
        if parent == GROUP:
            for a, b in found:
                self._block(a, b, key)

    def _value(self, parent: int, kind: int, at: int, data: bytes, size: int) -> None:
        text = {0x4282: {b"matroska", b"webm"}, MUXER: APPS, WRITER: APPS, LANGUAGE: {b"und"}}.get(kind)
        if text is not None:
            if data not in text:
                self.walk.say(f"There is '{shown(data)}' where a constant belongs ({kind:X})", at)
        elif kind not in (PRIVATE, CODEC) and size > SHORT:
            self.walk.say(f"The element {kind:X} is longer than it has to be", at)
        if kind == TIME:
            self.time = _number(data)
        if parent == ENTRY:
            self.entry.said[kind] = data
        elif parent in (VIDEO, AUDIO):
            self.entry.picture[kind] = data
        elif kind == CUED and self.streams.get(_number(data), self.entry).said.get(KIND) == b"\2" \
                and any(s.said.get(KIND) == b"\1" for s in self.streams.values()):
            self.walk.say("The index names places in the sound", at)

    def _entered(self, at: int) -> None:
        said = self.entry.said
        number, kind, codec = _number(said.get(NUMBER, b"")), _number(said.get(KIND, b"")), said.get(CODEC, b"").decode("latin-1")
        if not number or number in self.streams or len(self.streams) >= 64:
            self.walk.say("Two streams have one number, or one has none", at)
            return
        if kind not in CODECS:
            self.walk.say(f"There is a stream of another kind than picture and sound ({kind})", at)
        elif codec not in CODECS[kind]:
            self.walk.say(f"Stream {number} is coded as '{shown(codec)}', which is not what this program writes", at)
        if _number(said.get(UID, said.get(NUMBER, b""))) != number:
            self.walk.say(f"Stream {number} has a number that tells it from all others", at)
        if LANGUAGE not in said:
            self.walk.say(f"Stream {number} is said to be English, because it says nothing", at)
        self.streams[number] = self.entry

    def _block(self, start: int, stop: int, key: bool) -> None:
        head = self.walk.read(start, 12)
        number, wide = _vint(head, False)
        stream = self.streams.get(number) if wide else None
        if stream is None or len(head) < wide + 3 or stop - start <= wide + 3:
            self.walk.say("There is a block of no stream, or without a picture", start)
            return
        if head[wide + 2] & 0x7F:  # lacing, invisible and reserved bits
            self.walk.say("A block is laced or hidden", start)
        time = self.time + int.from_bytes(head[wide : wide + 2], "big", signed=True)
        stream.rows.append((start + wide + 3, stop - start - wide - 3, time, key))

    def track(self, number: int, stream: _Stream) -> Track:
        """The stream, as the walk of an MP4 has it; times in ms."""
        rows = np.array(stream.rows, np.int64).reshape(-1, 4)
        kind = "vide" if stream.said.get(KIND) == b"\1" else "soun"
        codec = stream.said.get(CODEC, b"").decode("latin-1")
        track = Track(number, kind, codec, 0, 1000, rows[:, 0], rows[:, 1], rows[:, 2], np.zeros(len(rows), np.int64), np.flatnonzero(rows[:, 3]),
                      width=_number(stream.picture.get(0xB0, b"")), height=_number(stream.picture.get(0xBA, b"")))
        if codec == "V_MPEG4/ISO/AVC":
            sets = parameter_sets(stream.said.get(PRIVATE, b""))
            if sets is None:
                self.walk.say(f"The parameter sets of stream {number} are not one SPS and one PPS, or hold more than that", 0)
            return replace(track, sets=sets or ())
        if codec == "A_AAC":
            return replace(track, config=stream.said.get(PRIVATE, b""))
        if stream.said.get(PRIVATE):
            self.walk.say(f"Stream {number} holds data of its coder", 0)
        return track
