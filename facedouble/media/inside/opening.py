"""The one way to open a container in the child: demuxer pinned, protocols closed, errors mapped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import av
import av.error
from av.container import InputContainer

from facedouble.errors import InputRefused

CLOSED = {"protocol_whitelist": "none"}  # no protocol has that name; the bytes come from a file that is open


@contextmanager
def opened(file: BinaryIO, demuxer: str, advice: str = "as video ({}); copy it again or convert it",
           options: dict[str, str] | None = None) -> Iterator[InputContainer]:
    """The container, open; InputRefused instead of FFmpeg's errors. advice: follows "cannot be read"; {} is the error's name."""
    try:
        with av.open(file, "r", format=demuxer, options={**CLOSED, **(options or {})}, metadata_errors="replace") as box:
            yield box
    except (av.error.FFmpegError, av.error.InvalidDataError, ValueError, MemoryError) as error:
        raise InputRefused(f"cannot be read {advice.format(type(error).__name__)}") from error


def video_of(box: InputContainer) -> Any:
    """The first stream of moving pictures, or None; attached covers do not count."""
    for stream in box.streams.video:
        if not stream.disposition & av.stream.Disposition.attached_pic:
            return stream
    return None


def one_thread(stream: Any) -> None:
    """Decode a stream in order, one picture after the other, so that the same damage gives the same pictures each time.

    With several of FFmpeg's frame threads, what is put where data are missing depends on which thread was quicker. It costs
    little: decoding runs beside the rest, and a core decodes several times as many pictures as the rest can take.
    """
    if stream.codec_context is not None:
        stream.codec_context.thread_count = 1


def sounds_of(box: InputContainer) -> list[Any]:
    """The streams of sound that can be decoded. Telephones write some that FFmpeg has no decoder for."""
    return [stream for stream in box.streams.audio if stream.codec_context is not None and stream.rate]


def depth_of(name: str) -> int:
    """Bits per sample of a pixel format."""
    return max((c.bits for c in av.VideoFormat(name).components), default=8)
