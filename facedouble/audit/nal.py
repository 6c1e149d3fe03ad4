"""H.264 as it lies in the samples: NAL unit by NAL unit, parameter sets bit by bit (ITU-T H.264, 7.3).

What a sample may hold is one coded picture: slices, and nothing beside them. No messages (SEI), no filler, no second set.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import gcd
from typing import Final

from facedouble.audit.tables import Track
from facedouble.audit.walk import Walk
from facedouble.types import Value

SLICE, IDR, SEI, SPS, PPS, DELIMITER = 1, 5, 6, 7, 8, 9
NAMES: Final = {2: "a part of a picture", 3: "a part of a picture", 4: "a part of a picture", SEI: "a message", SPS: "a second set",
                PPS: "a second set", DELIMITER: "a delimiter", 10: "an end", 11: "an end", 12: "filler", 13: "an extension",
                14: "a prefix", 15: "a second set", 19: "a second picture", 20: "a second view", 21: "a second view"}
MESSAGES: Final = {1: "with the time of recording", 4: "registered: captions, places, HDR", 5: "with free text or data",
                   136: "with a time code", 137: "on the screen", 144: "on the light", 147: "on the light"}
HIGH: Final = {100, 110, 122, 244, 44, 83, 86, 118, 128}
SHAPES: Final = ((0, 1), (1, 1), (12, 11), (10, 11), (16, 11), (40, 33), (24, 11), (20, 11), (32, 11), (80, 33), (18, 11), (15, 11),
                 (64, 33), (160, 99), (4, 3), (3, 2), (2, 1))  # of pixels, table E-1; the first says nothing
WRITTEN: Final = 255  # the shape of pixels is written out
MOST_UNITS: Final = 64  # in one sample
HEADER: Final = 24  # bytes of a unit in which its slice header begins


class Bits:
    """A reader of bits and Exp-Golomb numbers; ValueError beyond the end."""

    def __init__(self, data: bytes) -> None:
        self.value, self.left = int.from_bytes(data, "big"), 8 * len(data)

    def u(self, count: int) -> int:
        """A number of `count` bits."""
        if count > self.left:
            raise ValueError("it is cut")
        self.left -= count
        return self.value >> self.left & ((1 << count) - 1)

    def ue(self) -> int:
        """Exp-Golomb, unsigned."""
        zeros = 0
        while not self.u(1):
            zeros += 1
            if zeros > 32:
                raise ValueError("a number in it is too large")
        return (1 << zeros) - 1 + self.u(zeros)

    def se(self) -> int:
        """Exp-Golomb, signed."""
        n = self.ue()
        return (n + 1) // 2 if n % 2 else -(n // 2)


@dataclass(frozen=True)
class Sps(Value):
    """A sequence parameter set, as far as it has to fit the rest. tick: (units, clock) of its timing, (0, 0) without; aspect: of a pixel."""

    number: int
    width: int
    height: int
    chroma: int
    luma_depth: int
    tick: tuple[int, int]
    aspect: tuple[int, int]


def plain(unit: bytes) -> bytes:
    """A unit without its emulation prevention bytes."""
    return unit.replace(b"\0\0\3", b"\0\0")


def sps(unit: bytes) -> Sps:
    """Read one, to its last bit; ValueError for what x264 does not write for this program."""
    b = Bits(plain(unit)[1:])
    profile, _, _ = b.u(8), b.u(8), b.u(8)
    number = b.ue()
    chroma, luma = 1, 8
    if profile in HIGH:
        chroma = b.ue()
        if chroma == 3 and b.u(1):
            raise ValueError("it has planes apart")
        luma, chroma_depth = 8 + b.ue(), 8 + b.ue()
        if luma != chroma_depth or b.u(1) or b.u(1):
            raise ValueError("it has scaling lists or odd depths")
    b.ue()
    order = b.ue()
    if order == 0:
        b.ue()
    elif order == 1:
        raise ValueError("it orders pictures in a way that is not used")
    b.ue()
    if b.u(1):
        raise ValueError("it has gaps")
    width, height = 16 * (b.ue() + 1), 16 * (b.ue() + 1)
    if not b.u(1):
        raise ValueError("it has fields")
    b.u(1)
    if b.u(1):
        left, right, top, bottom = b.ue(), b.ue(), b.ue(), b.ue()
        across, down = (2 if chroma in (1, 2) else 1), (2 if chroma == 1 else 1)
        if left or top:
            raise ValueError("it hides a part of the picture at its left or top")
        if right * across >= 16 or bottom * down >= 16:
            raise ValueError("it hides a part of the picture")
        width, height = width - across * right, height - down * bottom
    tick, aspect = _vui(b) if b.u(1) else ((0, 0), (0, 1))
    finish(b)
    return Sps(number, width, height, chroma, luma, tick, aspect)


def _vui(b: Bits) -> tuple[tuple[int, int], tuple[int, int]]:
    """(timing, shape of the pixels)"""
    tick, aspect = (0, 0), (0, 1)
    if b.u(1):
        shape = b.u(8)
        if shape != WRITTEN and shape >= len(SHAPES):
            raise ValueError("it has pixels of no known shape")
        aspect = (b.u(16), b.u(16)) if shape == WRITTEN else SHAPES[shape]
    if b.u(1):
        b.u(1)
    if b.u(1):
        b.u(4)
        if b.u(1):
            b.u(24)
    if b.u(1):
        b.ue(), b.ue()
    if b.u(1):
        tick = b.u(32), b.u(32)
        b.u(1)
    if b.u(1) or b.u(1) or b.u(1):
        raise ValueError("it speaks of buffers or of the structure of pictures")
    if b.u(1):
        b.u(1)
        for _ in range(6):
            b.ue()
    return tick, aspect


def pps(unit: bytes, high: bool) -> tuple[int, int]:
    """(its number, its SPS's), read to its last bit; ValueError for what x264 does not write for this program."""
    b = Bits(plain(unit)[1:])
    number, of = b.ue(), b.ue()
    b.u(2)
    if b.ue():
        raise ValueError("it has groups of slices")
    b.ue(), b.ue(), b.u(3), b.se(), b.se(), b.se(), b.u(3)
    if high:
        b.u(1)
        if b.u(1):
            raise ValueError("it has scaling lists")
        b.se()
    finish(b)
    return number, of


def finish(b: Bits) -> None:
    """ValueError unless nothing follows but the bit that ends it, and zeros up to the next byte."""
    left = b.left
    if not 1 <= left <= 8 or b.u(left) != 1 << left - 1:
        raise ValueError("there is more in it than belongs there")


def pictures(walk: Walk, track: Track) -> int:
    """Look into every sample of a stream of pictures; returns how many units there were."""
    if len(track.sets) != 2:
        return 0
    number = _sets(walk, track)
    whole = set(track.whole.tolist())
    met = 0
    for k, (at, size) in enumerate(zip(track.offsets.tolist(), track.sizes.tolist(), strict=True)):
        if walk.tired:
            break
        units = list(_units(walk, k, at, walk.read(at, size), size))
        met += len(units)
        begun = 0
        for place, unit in units:
            kind = unit[0] & 31
            if kind not in (SLICE, IDR):
                walk.say(f"Frame {k} (in the order of coding) holds {_called(unit)}, {len(unit)} bytes, that this program does not "
                         "write", place)
                continue
            if unit[0] & 0x80 or (kind == IDR) != (k in whole):
                walk.say(f"Frame {k} (in the order of coding) is not marked as what it is", place)
            begun += _slice(walk, k, place, unit, number)
        if begun != 1 and units:
            walk.say(f"Sample {k} holds {begun} pictures; one belongs there", at)
    return met


def _sets(walk: Walk, track: Track) -> int:
    """The number of the stream's PPS, or -1."""
    try:
        found = sps(track.sets[0])
        number, of = pps(track.sets[1], track.sets[0][1] in HIGH)
    except ValueError as error:
        walk.say(f"A parameter set of stream {track.number} is not one that this program writes ({error})", track.at)
        return -1
    if of != found.number or (found.width, found.height) != (track.width, track.height):
        walk.say(f"The parameter sets of stream {track.number} are of another stream: {found.width} x {found.height}", track.at)
    across, down = track.aspect
    if found.aspect[0] and (found.aspect[0] * down != found.aspect[1] * across or gcd(across, down) != 1):
        walk.say(f"The pixels of stream {track.number} have two shapes", track.at)
    units, clock = found.tick
    tick = Fraction(2 * units * track.scale, clock) if clock and track.spans.any() else Fraction(1)
    if tick.denominator != 1 or not tick or (track.spans % tick.numerator).any():
        walk.say(f"The clock in the parameter sets of stream {track.number} is not its own", track.at)
    return number


def _units(walk: Walk, k: int, at: int, data: bytes, size: int) -> Iterator[tuple[int, bytes]]:
    """(place in the file, unit) of a sample, each behind four bytes of length."""
    if len(data) != size:
        walk.say(f"Sample {k} is cut", at)
    place = 0
    for _ in range(MOST_UNITS):
        length = int.from_bytes(data[place : place + 4], "big")
        unit = data[place + 4 : place + 4 + length]
        if not length or len(unit) != length:
            walk.say(f"Sample {k} holds {len(data) - place} bytes that are no part of a picture", at + place)
            return
        yield at + place + 4, unit
        place += 4 + length
        if place == len(data):
            return
    walk.say(f"Sample {k} holds more than {MOST_UNITS} units", at)


def _called(unit: bytes) -> str:
    kind = unit[0] & 31
    name = f"a NAL unit of type {kind} ({NAMES.get(kind, 'unknown')})"
    return f"{name[:-1]} {MESSAGES[unit[1]]})" if kind == SEI and len(unit) > 1 and unit[1] in MESSAGES else name


def _slice(walk: Walk, k: int, place: int, unit: bytes, number: int) -> int:
    """1 if a picture begins with this slice. Its header's begin is read, and what no slice may hold is sought."""
    if any(code in unit for code in (b"\0\0\0", b"\0\0\1", b"\0\0\2")) or unit[-1] == 0 or unit.endswith(b"\0\0\3"):
        walk.say(f"The slice in sample {k} holds or ends in what no slice does: there may be other data in it", place)
    try:
        b = Bits(plain(unit[1:HEADER]))
        first, _, of = b.ue(), b.ue(), b.ue()
    except ValueError:
        first, of = 0, -2
    if number >= 0 and of != number:
        walk.say(f"The slice in sample {k} belongs to another set of parameters", place)
    return int(first == 0)
