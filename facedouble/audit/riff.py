"""WAV, chunk by chunk: the format, the samples, and nothing else (RIFF; Microsoft's WAVEFORMATEXTENSIBLE)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO, Final

from facedouble.audit.walk import Odd, Walk, shown
from facedouble.types import Value

PCM, FLOAT, EXTENDED = 1, 3, 0xFFFE
GUID: Final = bytes.fromhex("000000001000800000aa00389b71")  # behind the format's number
KNOWN: Final = {"LIST": "titles, names and dates", "bext": "a broadcaster's notes: names, dates, places", "iXML": "a recorder's notes",
                "id3 ": "tags", "ID3 ": "tags", "cue ": "marks", "smpl": "marks", "axml": "notes", "_PMX": "notes", "umid": "a number of its own",
                "cart": "a broadcaster's notes", "PEAK": "the time of writing", "JUNK": "padding", "fact": "a length"}


@dataclass(frozen=True)
class Wave(Value):
    """What a walk came to. samples: per channel; media: [start, stop) of the samples."""

    rate: int
    channels: int
    samples: int
    odds: tuple[Odd, ...]
    more: int
    chunks: int
    media: tuple[int, int]


def walk_wave(file: BinaryIO) -> Wave:
    """Everything in a WAV file beside format and samples."""
    walk = Walk(file)
    head = walk.read(0, 12)
    if head[:4] != b"RIFF" or head[8:] != b"WAVE":
        walk.say("This is no WAV file", 0)
        return Wave(0, 0, 0, tuple(walk.odds), walk.more, 0, (0, 0))
    if int.from_bytes(head[4:8], "little") + 8 != walk.size:
        walk.say("The file is longer or shorter than it says", 4)
    at, rate, channels, block, media = 12, 0, 0, 0, (0, 0)
    seen: list[str] = []
    while at < walk.size and walk.step():
        start = walk.read(at, 8)
        size, kind = int.from_bytes(start[4:], "little"), start[:4].decode("latin-1")
        if len(start) < 8 or at + 8 + size > walk.size:
            walk.say(f"There are {walk.size - at} bytes at the end that are no chunk", at)
            break
        if kind in seen:
            walk.say(f"There is a second chunk '{shown(kind)}'", at)
        elif kind == "fmt ":
            rate, channels, block = _format(walk, at + 8, walk.read(at + 8, min(size, 64)), size)
        elif kind == "data":
            media = at + 8, at + 8 + size
        elif kind == "JUNK":
            if size > 1024 or not walk.empty(at + 8, at + 8 + size):
                walk.say("There is padding with something in it", at)
        elif not (kind == "fact" and size == 4):
            known = KNOWN.get(kind)
            walk.say(f"There is a chunk '{shown(kind)}', {size} bytes{f' ({known})' if known else ''}, which does not belong there", at)
        seen.append(kind)
        at += 8 + size
        if size % 2:
            if walk.read(at, 1) not in (b"\0", b""):
                walk.say("There is something in a byte of padding", at)
            at += 1
    if "fmt " not in seen or "data" not in seen or seen.index("fmt ") > seen.index("data"):
        walk.say("There is no format before the samples, or there are no samples", 12)
    if block and (media[1] - media[0]) % block:
        walk.say("The last sample is cut", media[0])
    samples = (media[1] - media[0]) // block if block else 0
    return Wave(rate, channels, samples, tuple(walk.odds), walk.more, walk.steps, media)


def _format(walk: Walk, at: int, body: bytes, size: int) -> tuple[int, int, int]:
    """(rate, channels, bytes of a sample of all channels)"""
    kind, channels = int.from_bytes(body[:2], "little"), int.from_bytes(body[2:4], "little")
    rate, speed = int.from_bytes(body[4:8], "little"), int.from_bytes(body[8:12], "little")
    block, bits = int.from_bytes(body[12:14], "little"), int.from_bytes(body[14:16], "little")
    plain = kind in (PCM, FLOAT) and (size == 16 or (size == 18 and body[16:18] == b"\0\0"))
    wide = (kind == EXTENDED and size == 40 and body[16:18] == b"\x16\0" and body[26:] == GUID and body[24:26] in (b"\1\0", b"\3\0")
            and int.from_bytes(body[18:20], "little") <= bits)
    if not (plain or wide) or bits not in (8, 16, 24, 32, 64) or block != channels * bits // 8 or speed != rate * block or not channels:
        walk.say("The format of the sound is not plain samples, or holds more than that", at)
    return rate, channels, block
