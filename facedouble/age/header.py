"""The header of an age v1 file, read to the letter of the specification (C2SP age.md): what is written otherwise is refused."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import BinaryIO

from facedouble.age.errors import HeaderRefused

VERSION = b"age-encryption.org/v1"
LIMIT = 1 << 16  # bytes of a header; ours have some hundred, and nobody's has more than a few thousand
COLUMNS = 64  # of a line of a stanza's body; a shorter one ends it


@dataclass(frozen=True)
class Stanza:
    """One way to the file key: its kind, what it needs, and the wrapped key."""

    kind: str
    arguments: tuple[str, ...]
    body: bytes


@dataclass(frozen=True)
class Header:
    """stanzas; mac: over `covered`, the header's bytes up to it; size: bytes up to the nonce of the payload."""

    stanzas: tuple[Stanza, ...]
    mac: bytes
    covered: bytes
    size: int


def read_header(file: BinaryIO) -> Header:
    """The header that the file begins with; HeaderRefused if it is not exactly one."""
    file.seek(0)
    return parse(file.read(LIMIT))


def parse(data: bytes) -> Header:
    """The header at the start of the data."""
    line, at = _line(data, 0)
    if line != VERSION:
        raise HeaderRefused("this is no age v1 file; give one that facedouble or `age` wrote")
    stanzas: list[Stanza] = []
    while True:
        begin = at
        line, at = _line(data, at)
        if line.startswith(b"---"):
            break
        stanza, at = _stanza(line, data, at)
        stanzas.append(stanza)
    if not stanzas:
        raise _bad("it names nobody who can open it")
    if not line.startswith(b"--- "):
        raise _bad("its last line is wrong")
    return Header(tuple(stanzas), exactly(line[4:].decode("latin-1"), 32), data[:begin + 3], at)


def exactly(text: str, size: int) -> bytes:
    """The bytes of a canonical base64 without padding; HeaderRefused if there are more or fewer."""
    data = _base64(text.encode("latin-1"))
    if len(data) != size:
        raise _bad("a field has the wrong length")
    return data


def _stanza(line: bytes, data: bytes, at: int) -> tuple[Stanza, int]:
    words = line.split(b" ")
    if words[0] != b"->" or len(words) < 2 or not all(w and all(33 <= c <= 126 for c in w) for w in words):
        raise _bad("a line of it is wrong")
    body = b""
    while True:
        line, at = _line(data, at)
        if len(line) > COLUMNS:
            raise _bad("a line of it is too long")
        body += _base64(line)
        if len(line) < COLUMNS:
            kind, *arguments = (w.decode("ascii") for w in words[1:])
            return Stanza(kind, tuple(arguments), body), at


def _line(data: bytes, at: int) -> tuple[bytes, int]:
    end = data.find(b"\n", at)
    if end < 0:
        raise _bad("it does not end")
    return data[at:end], end + 1


def _base64(text: bytes) -> bytes:
    try:
        data = base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise _bad("a line of it is no base64") from error
    if base64.b64encode(data).rstrip(b"=") != text:  # another spelling of the same bytes, or padding
        raise _bad("a line of it is not written as it has to be")
    return data


def _bad(what: str) -> HeaderRefused:
    return HeaderRefused(f"the header of this age file was altered or cut: {what}; take the file from another copy")
