"""Footage -> frames as planes, upright, with exact times; damage is marked, never passed over. Read apart, checked here."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from facedouble import disk
from facedouble.errors import InputRefused
from facedouble.media.apart.reading import Got, lies, pieces
from facedouble.media.limits import LARGEST_SIDE, LONGEST_SPAN
from facedouble.types import Array, Bytes, Frame, MediaInfo

FORMATS = {f"yuv{chroma}p{depth}": shifts for chroma, shifts in (("420", (1, 1)), ("422", (1, 0)), ("444", (0, 0)))
           for depth in ("", "10le")}  # base-2 logarithm of the chroma subsampling, x and y
TICKS = 1 << 63  # no tick reaches it


def frames(info: MediaInfo, seek: int | None = None) -> Generator[Frame, None, None]:
    """All frames in order of time. Damaged and missing ones come with `corrupt` set, in their place.

    seek: begin about there, in ticks, if the footage lets one; what comes first then need not be whole, and is numbered from 0.
    `media/again.py` makes frames of it that can be trusted.

    A packet whose frame never comes out is noticed when a later frame does; then a grey frame takes its place. Times that
    do not increase are moved on by one tick.

    A film that ends the process that reads it is refused, as a whole: what would be shown of it would depend on the machine.
    """
    given = {"demuxer": info.container, "width": info.width, "height": info.height, "rotation": info.rotation,
             "rate": info.rate.as_integer_ratio(), "base": info.time_base.as_integer_ratio(), "seek": seek}
    index, last = 0, -TICKS
    with closing(pieces(Path(info.path), "pictures", given, 6 * info.width * info.height)) as found:
        for piece in found:
            with lies(info.path):
                frame = _frame(info, index, piece, last)
            index, last = index + 1, frame.ticks
            yield frame


def _frame(info: MediaInfo, index: int, piece: Got, last: int) -> Frame:
    """The frame that a piece says it is; ValueError if its numbers do not fit each other."""
    name = piece.head["format"]
    x, y = FORMATS[name]
    depth = np.dtype(np.uint16 if name.endswith("10le") else np.uint8)
    shapes = [(info.height, info.width)] + [(info.height >> y, info.width >> x)] * 2
    if info.height >> y << y != info.height or info.width >> x << x != info.width:
        raise ValueError(f"{name} of an odd size")
    whole = np.array(piece.data).view(depth)  # a copy: the child still has the original
    edges = np.cumsum([0, *(h * w for h, w in shapes)]).tolist()
    if len(whole) != edges[-1]:
        raise ValueError(f"{piece.data.size} bytes")
    planes = tuple(whole[a:b].reshape(shape) for a, b, shape in zip(edges, edges[1:], shapes, strict=False))
    ticks, span = piece.whole("ticks", last + 1, TICKS - 1), piece.whole("span", 1, LONGEST_SPAN - 1)
    return Frame(index, ticks, span, info.time_base, planes, name, info.colour, piece.flag("corrupt"))


def packet_times(info: MediaInfo) -> list[int]:
    """Ticks of the pictures that a film shows, in order, from its packets alone; empty if some have no time."""
    ticks = packet_ticks(Path(info.path), info.container)
    return [] if ticks is None else np.sort(ticks).tolist()


def packet_ticks(path: Path, demuxer: str) -> Array | None:
    """The same (N,) int64 in the order of the packets; None if some have no time."""
    found: list[Array] = [np.empty(0, np.int64)]
    count, most = 0, disk.size(path)
    with closing(pieces(path, "times", {"demuxer": demuxer})) as got:
        for piece in got:
            with lies(str(path)):
                if piece.flag("timeless"):
                    return None
                found.append(np.array(piece.data).view(np.int64))
                count += len(found[-1])
                if count > most:
                    raise ValueError("more packets than bytes")
    return np.concatenate(found)


def photo(path: Path) -> Bytes:
    """A photo, upright, as RGB (h, w, 3) uint8; InputRefused for anything but JPEG, PNG and WebP."""
    made: Any = None
    with closing(pieces(path, "photo", {}, (2 * LARGEST_SIDE) ** 2 * 3)) as got:
        for piece in got:
            with lies(str(path)):
                shape = piece.whole("height", 1, 2 * LARGEST_SIDE), piece.whole("width", 1, 2 * LARGEST_SIDE), 3
                made = np.array(piece.data).reshape(shape)
    if made is None:
        raise InputRefused(f"{path}: the photo is damaged; copy it again")
    return made  # type: ignore[no-any-return]
