"""Walk an MP4 box by box and NAL unit by NAL unit against an allow-list. What is not listed must not be there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from facedouble import disk

PARENTS = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"dinf", b"edts"}
ALLOWED = {
    b"": {b"ftyp", b"moov", b"mdat", b"free"}, b"moov": {b"mvhd", b"trak", b"udta"},
    b"trak": {b"tkhd", b"edts", b"mdia"}, b"edts": {b"elst"}, b"mdia": {b"mdhd", b"hdlr", b"minf"},
    b"minf": {b"vmhd", b"smhd", b"dinf", b"stbl"}, b"dinf": {b"dref"},
    b"stbl": {b"stsd", b"stts", b"ctts", b"stss", b"stsc", b"stsz", b"stco", b"co64", b"sgpd", b"sbgp"},
}
HANDLERS = {b"vide", b"soun"}
NAL_TYPES = {1, 5, 7, 8, 9}  # slices, IDR, parameter sets, delimiter; no SEI (6), no filler (12)


def boxes(file: BinaryIO, start: int, stop: int) -> Iterator[tuple[bytes, int, int]]:
    """(kind, start of the content, end) of the boxes between two places."""
    at = start
    while at < stop:
        file.seek(at)
        head = file.read(8)
        if len(head) < 8:
            yield b"????", at, stop
            return
        size, kind, skip = int.from_bytes(head[:4], "big"), head[4:], 8
        if size == 1:
            size, skip = int.from_bytes(file.read(8), "big"), 16
        if size < skip or at + size > stop:
            yield b"????", at, stop
            return
        yield kind, at + skip, at + size
        at += size


def violations(path: Path) -> list[str]:
    """Everything in the file that the allow-list does not name, one line each; empty means clean."""
    with disk.open_read(path) as file:
        return walked(file)


def walked(file: BinaryIO) -> list[str]:
    """The same, of an open file."""
    found: list[str] = []
    _walk(file, b"", 0, file.seek(0, 2), found, _State())
    return found


class _State:
    """What later boxes need to know of earlier ones: the kind of stream that is being walked."""

    def __init__(self) -> None:
        self.handler = b""


def _walk(file: BinaryIO, parent: bytes, start: int, stop: int, found: list[str], state: _State) -> None:
    table: dict[bytes, tuple[int, int]] = {}
    for kind, inside, end in boxes(file, start, stop):
        if kind not in ALLOWED[parent]:
            found.append(f"box {kind!r} in {parent.decode() or 'the file'}")
            continue
        if kind in PARENTS:
            _walk(file, kind, inside, end, found, state)
            continue
        file.seek(inside)
        body = file.read(end - inside) if kind != b"mdat" else b""
        table[kind] = inside, end
        _check(kind, body, found, state)
    if parent == b"stbl" and state.handler == b"vide":
        _check_slices(file, table, found)


def _check(kind: bytes, body: bytes, found: list[str], state: _State) -> None:
    if kind == b"free" and any(body):
        found.append("padding that is not empty")
    elif kind in (b"mvhd", b"tkhd", b"mdhd"):
        wide = 8 if body[0] else 4
        if any(body[4 : 4 + 2 * wide]):
            found.append(f"a date in {kind.decode()}")
    elif kind == b"hdlr":
        state.handler = body[8:12]
        if state.handler not in HANDLERS:
            found.append(f"a stream of kind {state.handler!r}")
        if any(body[24:]):
            found.append("a handler name")
    elif kind == b"elst":
        count = int.from_bytes(body[4:8], "big")
        if count > 2:
            found.append("an edit list with more than one entry")
    elif kind == b"udta" and (b"data" in body or b"xyz" in body or len(body) > 82):
        found.append("user data")


def _numbers(file: BinaryIO, where: tuple[int, int]) -> list[int]:
    file.seek(where[0])
    body = file.read(where[1] - where[0])
    return [int.from_bytes(body[i : i + 4], "big") for i in range(0, len(body) - 3, 4)]


def _check_slices(file: BinaryIO, table: dict[bytes, tuple[int, int]], found: list[str]) -> None:
    """NAL types of every video sample, by the sample tables."""
    need = {b"stsz", b"stsc"}
    if not need <= set(table) or not {b"stco", b"co64"} & set(table):
        found.append("a video stream without sample tables")
        return
    sizes = _numbers(file, table[b"stsz"])
    lengths = sizes[3:] if sizes[1] == 0 else [sizes[1]] * sizes[2]
    if b"stco" in table:
        chunks = _numbers(file, table[b"stco"])[2:]
    else:
        raw = _numbers(file, table[b"co64"])[2:]
        chunks = [(a << 32) | b for a, b in zip(raw[::2], raw[1::2], strict=True)]
    groups = _numbers(file, table[b"stsc"])[2:]
    per_chunk = [(groups[i], groups[i + 1]) for i in range(0, len(groups), 3)]
    sample = 0
    for number, offset in enumerate(chunks, 1):
        count = next(n for first, n in reversed(per_chunk) if first <= number)
        at = offset
        for _ in range(count):
            if sample >= len(lengths):
                break
            _nals(file, at, at + lengths[sample], found)
            at += lengths[sample]
            sample += 1
    if sample != len(lengths):
        found.append("samples outside of the tables")


def _nals(file: BinaryIO, start: int, stop: int, found: list[str]) -> None:
    at = start
    while at < stop:
        file.seek(at)
        head = file.read(5)
        if len(head) < 5:
            found.append("a cut video sample")
            return
        kind = head[4] & 31
        if kind not in NAL_TYPES:
            found.append(f"a NAL unit of type {kind}")
        at += 4 + int.from_bytes(head[:4], "big")
