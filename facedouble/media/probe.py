"""What a file holds, and the one way to open it: demuxer pinned, protocols closed, errors mapped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
from av.container import InputContainer

from facedouble.errors import InputRefused
from facedouble.media.sniff import sniff
from facedouble.types import AudioInfo, Colour, MediaInfo

LARGEST_SIDE, LARGEST_AREA, SMALLEST_SIDE = 8192, 64_000_000, 16  # px


@contextmanager
def opened(path: Path, demuxer: str | None = None) -> Iterator[InputContainer]:
    """The container, open; InputRefused instead of FFmpeg's errors."""
    name = demuxer or sniff(path)
    try:
        with av.open(str(path), format=name, options={"protocol_whitelist": "file,pipe"}, metadata_errors="replace") as box:
            yield box
    except (av.error.FFmpegError, av.error.InvalidDataError, ValueError, MemoryError) as error:
        raise InputRefused(f"{path}: cannot be read as video ({type(error).__name__}); copy it again or convert it") from error


def video_of(box: InputContainer) -> Any:
    """The first stream of moving pictures, or None; attached covers do not count."""
    for stream in box.streams.video:
        if not stream.disposition & av.stream.Disposition.attached_pic:
            return stream
    return None


def depth_of(name: str) -> int:
    """Bits per sample of a pixel format."""
    return max((c.bits for c in av.VideoFormat(name).components), default=8)


def probe(path: Path) -> MediaInfo:
    """Look at a file; InputRefused with one sentence if it cannot be worked on."""
    name = sniff(path)
    with opened(path, name) as box:
        stream = video_of(box)
        if stream is None:
            raise InputRefused(f"{path}: holds no picture; facedouble works on video")
        context = stream.codec_context
        width, height = int(context.width), int(context.height)
        _check_size(path, width, height)
        first = _first_frame(path, box, stream)
        rotation = int(first.rotation) % 360
        if rotation % 90:
            raise InputRefused(f"{path}: is turned by {rotation} degrees; turn it by a quarter first")
        sar = Fraction(stream.sample_aspect_ratio or 1)
        if rotation in (90, 270):
            width, height, sar = height, width, 1 / sar if sar else Fraction(1)
        colour = Colour(int(first.color_primaries), int(first.color_trc), int(first.colorspace), _full(first))
        rate = Fraction(stream.average_rate or stream.guessed_rate or 25)
        base = Fraction(stream.time_base)
        audio = tuple(AudioInfo(a.index, a.codec_context.name, int(a.rate), int(a.channels), _seconds(a.start_time, a.time_base),
                                _seconds(a.duration, a.time_base) if a.duration else None) for a in box.streams.audio if a.rate)
        used = {stream.index, *(a.index for a in audio)}
        dropped = tuple(f"{s.type} {s.index}" for s in box.streams if s.index not in used)
        tags = tuple(sorted({*box.metadata, *(k for s in box.streams for k in s.metadata)}))
        return MediaInfo(str(path), name, width, height, stream.frames or None, rate, base,
                         first.pts * base if first.pts is not None else Fraction(0),
                         _seconds(stream.duration, base) if stream.duration else None, rotation, sar or Fraction(1), colour,
                         str(first.format.name), depth_of(first.format.name), audio, tags, dropped)


def _check_size(path: Path, width: int, height: int) -> None:
    if max(width, height) > LARGEST_SIDE or width * height > LARGEST_AREA:
        raise InputRefused(f"{path}: {width} x {height} is more than {LARGEST_SIDE} pixels a side; make it smaller first")
    if min(width, height) < SMALLEST_SIDE:
        raise InputRefused(f"{path}: {width} x {height} is less than {SMALLEST_SIDE} pixels a side; there is nothing to see")


def _first_frame(path: Path, box: InputContainer, stream: Any) -> Any:
    for packet in box.demux(stream):
        try:
            for frame in packet.decode():
                return frame
        except av.error.FFmpegError:
            continue
    raise InputRefused(f"{path}: not one picture in it can be read; copy it again")


def _full(frame: Any) -> bool:
    return int(frame.color_range) == 2 or str(frame.format.name).startswith("yuvj")


def _seconds(ticks: int | None, base: Any) -> Fraction:
    return Fraction(0) if ticks is None else ticks * Fraction(base)
