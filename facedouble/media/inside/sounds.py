"""Streams of sound as blocks of float samples, and how long the silence between them is."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, BinaryIO

import av
import av.error
import numpy as np

from facedouble.errors import InputRefused
from facedouble.media.inside.opening import opened, sounds_of, video_of
from facedouble.media.inside.piece import Piece, Steps, going, told
from facedouble.media.limits import FASTEST, LONGEST_GAP, LONGEST_TAKE, MOST_CHANNELS, RATES
from facedouble.types import Floats

FAR = "its sound begins more than an hour before or after its picture; cut it, or convert it first"
AS_SOUND = "as sound ({}); copy it again or make it a WAV"

PACKED = "flt"  # one plane: of planes beyond the eighth PyAV reads what is not theirs


def _block(made: Any) -> Floats:
    """(N, C) samples of a packed frame."""
    return np.asarray(made.to_ndarray(), np.float32).reshape(made.samples, len(made.layout.channels))


def _placed(file: BinaryIO, given: dict[str, Any]) -> Iterator[tuple[int, int, Any] | None]:
    """(silent samples before, samples that count, decoded frame) of one stream; samples are those of the stream's first frame.

    The stream begins where its header says, so that what is lost at the start is missing there. A frame whose rate or channels
    are not the first's is None: its samples would count differently.
    """
    with opened(file, given["demuxer"]) as box:
        stream: Any = box.streams[given["index"]]
        start = None if stream.start_time is None else stream.start_time * Fraction(stream.time_base)
        like: tuple[int, int] | None = None
        end = quiet = 0
        for packet in box.demux(stream):
            yield None
            try:
                decoded = list(packet.decode())
            except av.error.FFmpegError:
                continue
            for frame in decoded:
                base = Fraction(frame.time_base)
                at = None if frame.pts is None else frame.pts * base
                kind = frame.sample_rate, len(frame.layout.channels)
                start, like = start if start is not None else at or Fraction(0), like or kind
                # the last frame of AAC holds more samples than its packet lasts: the rest is padding
                lasts = frame.duration * base if frame.duration else Fraction(frame.samples, frame.sample_rate)
                span = min(round(lasts * like[0]), round(Fraction(frame.samples * like[0], frame.sample_rate)))
                gap = max(0 if at is None else round((at - start) * like[0]) - end, 0)
                quiet += gap
                if quiet > LONGEST_GAP * like[0]:
                    raise InputRefused("the times of its sound jump by more than an hour in all; convert it first")
                end += gap + max(span, 0)
                yield gap, max(span, 0), frame if kind == like else None


def count(file: BinaryIO, given: dict[str, Any]) -> Steps:
    """The job: samples per channel of a stream, gaps included."""
    end = 0
    for number, found in enumerate(_placed(file, given), 1):
        yield going(number)
        if found is not None:
            end += found[0] + found[1]
    yield from told(end, given["room"])


def samples(file: BinaryIO, given: dict[str, Any]) -> Steps:
    """The job: blocks (N, C) float32 of a stream, and numbers of silent samples. given: demuxer, index, channels."""
    resampler = av.AudioResampler(format=PACKED)
    for found in _placed(file, given):
        yield None
        if found is None:
            continue
        gap, span, frame = found
        if gap:
            yield Piece({"silent": gap})
        if frame is None or len(frame.layout.channels) != given["channels"]:
            if span:
                yield Piece({"silent": span})
            continue
        for made in resampler.resample(frame):
            block = _block(made)[:span]
            span -= len(block)
            yield from _blocks(block, given["room"])
        if span:
            yield Piece({"silent": span})


def _blocks(block: Any, room: int) -> Iterator[Piece]:
    """Cut to what goes through at once."""
    rows = max(room // (4 * block.shape[1]), 1)
    for start in range(0, len(block), rows):
        part = block[start : start + rows].astype(np.float32, copy=False)
        yield Piece({"samples": len(part)}, (part,))


def recording(file: BinaryIO, given: dict[str, Any]) -> Steps:
    """The job: index, rate, channels and lateness of the first stream of sound."""
    with opened(file, given["demuxer"]) as box:
        streams = sounds_of(box)
        if not streams:
            raise InputRefused("holds no sound; give a recording, or footage with sound")
        stream: Any = streams[0]
        if not RATES[0] <= stream.rate <= RATES[1] or not 1 <= stream.channels <= MOST_CHANNELS:
            raise InputRefused(f"{stream.rate} samples/s in {stream.channels} channels; record at 48000 in one or two")
        picture = video_of(box)
        late = 0.0 if picture is None else _start(stream) - _start(picture)
        if abs(late) > LONGEST_GAP:
            raise InputRefused(FAR)
        yield from told({"index": stream.index, "rate": int(stream.rate), "channels": int(stream.channels), "late": late},
                        given["room"])


def _start(stream: Any) -> float:
    return float(stream.start_time * stream.time_base) if stream.start_time else 0.0


def recorded(file: BinaryIO, given: dict[str, Any]) -> Steps:
    """The job: all sound of a recording as of `samples`. given: demuxer, index, rate, channels."""
    end, quiet, first = 0, 0, None
    rate, channels = given["rate"], given["channels"]
    resampler = av.AudioResampler(format=PACKED)
    with opened(file, given["demuxer"]) as box:
        for packet in box.demux(box.streams[given["index"]]):
            yield None
            try:
                decoded: list[Any] = list(packet.decode())
            except av.error.FFmpegError:
                continue
            for frame in decoded:
                if frame.sample_rate != rate or len(frame.layout.channels) != channels:
                    raise InputRefused("its sound changes rate or channels within the file; convert it first")
                at = end if frame.pts is None else round(frame.pts * frame.time_base * rate)
                first = at if first is None else first
                gap = max(at - first - end, 0)
                quiet += gap
                if quiet > LONGEST_GAP * rate:
                    raise InputRefused("its times jump by more than an hour in all; convert it first")
                if gap:
                    yield Piece({"silent": gap})
                end += gap
                for made in resampler.resample(frame):
                    block = _block(made)
                    end += len(block)
                    yield from _blocks(block, given["room"])
    if not end:
        raise InputRefused("not one sample of its sound can be read; copy it again")


def take(file: BinaryIO, given: dict[str, Any]) -> Steps:
    """The job: the first sound of a file, its channels mixed: its rate, then blocks (N, 1)."""
    with opened(file, given["demuxer"], AS_SOUND) as box:
        if not sounds_of(box):
            raise InputRefused("holds no sound; give a recording")
        rate = int(sounds_of(box)[0].rate)
        if not 1 <= rate <= FASTEST:
            raise InputRefused(f"{rate} samples/s; record at 48000")
        yield Piece({"rate": rate})
        got = 0
        for block in mixed(box, LONGEST_TAKE):
            yield from _blocks(block[:, None], given["room"])
            got += len(block)
        if not got:
            raise InputRefused("not one sample in it can be read; record it again")
        if got >= LONGEST_TAKE * rate:
            raise InputRefused("is longer than an hour; cut it into takes")


def mixed(box: Any, seconds: float) -> Iterator[Floats]:
    """Blocks (N,) of the first stream of sound, until there are so many seconds."""
    stream = sounds_of(box)[0]
    resampler = av.AudioResampler(format=PACKED)
    got = 0
    for frame in box.decode(stream):
        for made in resampler.resample(frame):
            block = _block(made).mean(1).astype(np.float32)
            got += len(block)
            yield block
        if got >= seconds * stream.rate:
            return
