"""What a file holds, from its headers and its first picture."""

from __future__ import annotations

from collections.abc import Generator
from fractions import Fraction
from typing import Any, BinaryIO

import av.error

from facedouble.errors import InputRefused
from facedouble.media.inside.opening import depth_of, opened, sounds_of, video_of
from facedouble.media.inside.piece import Steps, ratio, told
from facedouble.media.inside.sounds import FAR
from facedouble.media.limits import LARGEST_AREA, LARGEST_SIDE, LONGEST_GAP, SMALLEST_SIDE


def look(file: BinaryIO, given: dict[str, Any]) -> Steps:
    """The job: one value, the fields of a `MediaInfo`."""
    with opened(file, given["demuxer"]) as box:
        stream = video_of(box)
        if stream is None:
            raise InputRefused("holds no picture; facedouble works on video")
        if stream.codec_context is None:
            raise InputRefused("its pictures are of a kind that there is no decoder for; convert it first")
        width, height = int(stream.codec_context.width), int(stream.codec_context.height)
        _check_size(width, height)
        first = yield from _first_frame(box, stream)
        rotation = int(first.rotation) % 360
        if rotation % 90:
            raise InputRefused(f"is turned by {rotation} degrees; turn it by a quarter first")
        sar = Fraction(stream.sample_aspect_ratio or 1)
        if rotation in (90, 270):
            width, height, sar = height, width, 1 / sar if sar else Fraction(1)
        base = Fraction(stream.time_base)
        start, sounds = Fraction(first.pts * base if first.pts is not None else 0), sounds_of(box)
        if any(abs(_seconds(a.start_time, a.time_base) - start) > LONGEST_GAP for a in sounds):
            raise InputRefused(FAR)
        used = {stream.index, *(a.index for a in sounds)}
        yield from told({
            "width": width, "height": height, "frames": stream.frames or None,
            "rate": ratio(stream.average_rate or stream.guessed_rate or 25), "time_base": ratio(base),
            "start": ratio(start),
            "duration": ratio(_seconds(stream.duration, base)) if stream.duration else None,
            "rotation": rotation, "sample_aspect": ratio(sar or 1),
            "colour": [int(first.color_primaries), int(first.color_trc), int(first.colorspace), _full(first)],
            "pixel_format": str(first.format.name), "bit_depth": depth_of(first.format.name),
            "audio": [_sound(a) for a in sounds],
            "tags": sorted({*box.metadata, *(k for s in box.streams for k in s.metadata)}),
            "dropped": [f"{s.type} {s.index}" for s in box.streams if s.index not in used],
        }, given["room"])


def _check_size(width: int, height: int) -> None:
    if max(width, height) > LARGEST_SIDE or width * height > LARGEST_AREA:
        raise InputRefused(f"{width} x {height} is more than {LARGEST_SIDE} pixels a side; make it smaller first")
    if min(width, height) < SMALLEST_SIDE:
        raise InputRefused(f"{width} x {height} is less than {SMALLEST_SIDE} pixels a side; there is nothing to see")


def _first_frame(box: Any, stream: Any) -> Generator[None, None, Any]:
    for packet in box.demux(stream):
        yield None
        try:
            for frame in packet.decode():
                return frame
        except av.error.FFmpegError:
            continue
    raise InputRefused("not one picture in it can be read; copy it again")


def _full(frame: Any) -> bool:
    return int(frame.color_range) == 2 or str(frame.format.name).startswith("yuvj")


def _sound(stream: Any) -> dict[str, Any]:
    duration = ratio(_seconds(stream.duration, stream.time_base)) if stream.duration else None
    return {"index": stream.index, "codec": stream.codec_context.name, "rate": int(stream.rate), "channels": int(stream.channels),
            "start": ratio(_seconds(stream.start_time, stream.time_base)), "duration": duration}


def _seconds(ticks: int | None, base: Any) -> Fraction:
    return Fraction(0) if ticks is None else ticks * Fraction(base)
