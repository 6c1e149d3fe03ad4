"""Strings of the footage, sought in every byte of a file: as text in several codings, in base64, and inside of deflated data.

A string is only sought where chance does not write it: of a short name there is no telling in a large film, and it is sought
outside of the coded pictures and sound only.
"""

from __future__ import annotations

import base64
import re
import unicodedata
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from facedouble.audit.walk import Walk
from facedouble.types import Value

BLOCK: Final = 1 << 22  # bytes looked at together
CHANCE: Final = 1e-7  # expected accidental finds of one string in the coded data of a file: more, and it is not sought there
CHANCE_OUTSIDE: Final = 1e-4  # the same in its tables, which are numbers, and each of which another check knows
SHORTEST: Final = 4  # letters of a string that is sought at all
LONGEST: Final = 200  # letters of it that are compared
INFLATED: Final = 1 << 20  # bytes that one deflated stream is followed for
MOST_STREAMS: Final = 20_000  # begins of deflated streams that are tried
TEXT: Final = 24  # letters in a row, of MANY different ones, that no coder writes: .27 ** 24 of all places
MANY: Final = 8
SIGNATURES: Final = {  # what other files begin with: always sought
    b"\xff\xd8\xff\xe0\x00\x10JFIF\x00": "a JPEG picture", b"Exif\x00\x00MM\x00*": "a camera's notes (Exif)",
    b"Exif\x00\x00II*\x00": "a camera's notes (Exif)", b"\x89PNG\r\n\x1a\n": "a PNG picture", b"<x:xmpmeta": "notes of a program (XMP)",
    b"<?xpacket": "notes of a program (XMP)", b"http://ns.adobe.com": "notes of a program (XMP)", b"x264 - core": "a coder's settings",
    b"RIFF\x00\x00\x00\x00WEBP": "a picture", b"ftypheic": "a picture", b"com.apple.quicktime": "a telephone's notes",
    b"GoPro": "a camera's notes",
}
_PRINTED: Final = bytes(1 if 48 <= c < 58 or 65 <= c < 91 or 97 <= c < 123 or c in b" .,:;+-_/@()'" else 0 for c in range(256))
_LOWER: Final = bytes(c + 32 if 65 <= c < 91 else c for c in range(256))


@dataclass(frozen=True)
class Needle(Value):
    """A string of the footage. what: where it comes from, for the report ("the file name", "the tag 'make'")."""

    text: str
    what: str


@dataclass(frozen=True)
class Hit(Value):
    """A string that is there. how: in which coding; at: byte in the file."""

    needle: Needle
    how: str
    at: int


@dataclass(frozen=True)
class _Pattern:
    data: bytes
    how: str
    needle: Needle
    folded: bool

    @property
    def rarity(self) -> float:
        """The chance that coded data hold it at a given byte: letters in two cases, zeros taken as common."""
        chance = 1.0
        for c in self.data:
            chance *= 1 / 16 if c == 0 else 2 / 256 if self.folded and 97 <= c < 123 else 1 / 256
        return chance


def needles(found: Iterable[Needle]) -> list[Needle]:
    """Those worth seeking: whole strings, and the words in them; each once, none that this program's own files hold."""
    kept: dict[str, Needle] = {}
    for needle in found:
        text = unicodedata.normalize("NFC", needle.text).strip()[:LONGEST]
        for piece in (text, *re.split(r"[\W_]+", text)):
            plain = piece.casefold()
            if len(piece) >= SHORTEST and not _common(plain):
                kept.setdefault(plain, Needle(piece, needle.what))
    return list(kept.values())


def _common(text: str) -> bool:
    """Whether a string says nothing: a brand of MP4 files, a few digits, one letter again and again."""
    return text in _OWN or (text.isdigit() and len(text) < 8) or len(set(text)) < 3


_OWN: Final = {"isom", "iso2", "avc1", "mp41", "ftyp", "moov", "free", "mdat", "mvhd", "trak", "tkhd", "edts", "elst", "mdia", "mdhd",
               "hdlr", "minf", "vmhd", "smhd", "dinf", "dref", "stbl", "stsd", "stts", "ctts", "stss", "stsc", "stsz", "stco", "co64",
               "sgpd", "sbgp", "udta", "meta", "mdir", "appl", "ilst", "avcc", "pasp", "colr", "nclx", "btrt", "esds", "mp4a", "roll",
               "vide", "soun", "isomiso2avc1mp41", "isomiso2mp41", "mdirappl"}


def _patterns(needle: Needle) -> Iterator[_Pattern]:
    text = needle.text
    forms = {text, text.lower(), text.upper(), unicodedata.normalize("NFD", text)}
    if text.isascii():
        forms = {text.lower()}
    for form in forms:
        for coding, how in (("utf-8", "as text"), ("utf-16-le", "as text (UTF-16)"), ("utf-16-be", "as text (UTF-16)")):
            yield _Pattern(form.encode(coding).translate(_LOWER), how, needle, True)
    for coding in ("utf-8", "utf-16-le"):
        raw = text.encode(coding)
        for skip in range(3):  # at which of three bytes of the hidden text it begins
            inner = raw[(3 - skip) % 3 :]
            coded = base64.b64encode(inner[: len(inner) // 3 * 3])
            for form in {coded, base64.urlsafe_b64encode(inner[: len(inner) // 3 * 3])}:
                yield _Pattern(form, "in base64", needle, False)
        yield _Pattern(raw.hex().encode(), "in hexadecimal", needle, True)


class Search:
    """`search.file(walk, span)` for a file, `shifted` and `inflated` for bytes of it. coded, other: bytes that there are of both."""

    def __init__(self, sought: Sequence[Needle], coded: int, other: int) -> None:
        every = [p for needle in sought for p in _patterns(needle) if len(p.data) >= SHORTEST]
        every += [_Pattern(data, "as it stands", Needle(data.decode("latin-1"), what), False) for data, what in SIGNATURES.items()]
        self.everywhere = _Finder([p for p in every if p.rarity * coded < CHANCE])
        self.outside = _Finder([p for p in every if p.rarity * coded >= CHANCE and p.rarity * other < CHANCE_OUTSIDE])
        reached = {p.needle for p in (*self.everywhere.patterns, *self.outside.patterns)}
        self.skipped = sum(n not in reached for n in sought)

    def file(self, walk: Walk, coded: tuple[int, int]) -> list[Hit]:
        """Hits in a file whose coded pictures and sound lie in [start, stop)."""
        hits: list[Hit] = []
        reach = max((len(p.data) for p in self.everywhere.patterns), default=1)
        for at in range(0, walk.size, BLOCK):
            hits += self.everywhere.hits(walk.read(at, BLOCK + reach), at)
        for start, stop in ((0, coded[0]), (coded[1], walk.size)):
            if start < stop:
                hits += self.outside.hits(walk.read(start, stop - start), start)
        return once(hits)

    def shifted(self, data: bytes) -> list[Hit]:
        """Hits in sound, whose codes begin at any bit: at each of the eight."""
        hits = self.everywhere.hits(data, 0)
        raw = np.frombuffer(data + b"\0", np.uint8).astype(np.uint16)
        for bit in range(1, 8):
            moved = ((raw[:-1] << bit | raw[1:] >> 8 - bit) & 255).astype(np.uint8)
            hits += self.everywhere.hits(moved.tobytes(), 0)
        return once(hits)

    def inflated(self, data: bytes, at: int) -> list[Hit]:
        """Hits in what the deflated streams that begin in the data hold; `at`: where in the file the data begin."""
        hits: list[Hit] = []
        for k, found in enumerate(_DEFLATED.finditer(data)):
            if k >= MOST_STREAMS:
                break
            text = inflate(data[found.start() : found.start() + INFLATED])
            if text:
                hits += [Hit(h.needle, f"deflated, {h.how}", at + found.start()) for h in self.everywhere.hits(text, 0)]
                hits += [Hit(h.needle, f"deflated, {h.how}", at + found.start()) for h in self.outside.hits(text, 0)]
        return once(hits)


_DEFLATED: Final = re.compile(rb"\x78[\x01\x5e\x9c\xda]|\x1f\x8b\x08|PK\x03\x04")


def once(hits: Sequence[Hit]) -> list[Hit]:
    """The first hit of each string in each coding."""
    return list({(h.needle.text, h.how): h for h in reversed(hits)}.values())[::-1]


def inflate(data: bytes) -> bytes:
    """What a zlib, gzip or zip stream holds that begins here, as far as it goes; nothing if it is none."""
    bits = 31 if data[:2] == b"\x1f\x8b" else -15 if data[:2] == b"PK" else 15
    if bits == -15:
        skip = 30 + int.from_bytes(data[26:28], "little") + int.from_bytes(data[28:30], "little")
        data = data[skip:]
    stream = zlib.decompressobj(bits)
    made = b""
    try:
        for at in range(0, min(len(data), INFLATED), 4096):
            made += stream.decompress(data[at : at + 4096], INFLATED - len(made))
            if stream.eof or len(made) >= INFLATED:
                break
    except zlib.error:
        pass
    return made if len(made) >= SHORTEST else b""


def text_in(data: bytes) -> list[tuple[int, str]]:
    """(place, letters) of the first text in coded data that is longer and richer than chance writes."""
    marks = data.translate(_PRINTED)
    at = marks.find(b"\1" * TEXT)
    while at >= 0:
        end = marks.find(b"\0", at)
        run = data[at : end if end > 0 else len(data)][:LONGEST]
        if len(set(run)) >= MANY:
            return [(at, run.decode("ascii"))]
        at = marks.find(b"\1" * TEXT, at + len(run))
    return []


class _Finder:
    """Many patterns at once: where the first two bytes fit, the third and fourth are compared, and there the whole."""

    def __init__(self, patterns: Sequence[_Pattern]) -> None:
        self.patterns = list(patterns)
        self._by: dict[bool, dict[int, list[_Pattern]]] = {True: {}, False: {}}
        for p in self.patterns:
            self._by[p.folded].setdefault(int.from_bytes(p.data[:4], "big"), []).append(p)
        self._table = {folded: np.zeros(1 << 16, bool) for folded in self._by}
        for folded, groups in self._by.items():
            self._table[folded][[key >> 16 for key in groups]] = True

    def hits(self, block: bytes, start: int) -> list[Hit]:
        """What begins in a block of a file that begins at `start`."""
        found: list[Hit] = []
        for folded, groups in self._by.items():
            data = block.translate(_LOWER) if folded else block
            if not groups or len(data) < SHORTEST:
                continue
            raw = np.frombuffer(data, np.uint8)
            pairs = raw[:-1].astype(np.uint16) << 8 | raw[1:]
            places = np.flatnonzero(self._table[folded][pairs[:-2]])
            keys = pairs[places].astype(np.int64) << 16 | pairs[places + 2]
            places = places[np.isin(keys, list(groups))]
            for at in places.tolist():
                for p in groups[int.from_bytes(data[at : at + 4], "big")]:
                    if data.startswith(p.data, at):
                        found.append(Hit(p.needle, p.how, start + at))
        return found
