"""Sound streams as blocks of float samples; or silence of the same length."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np

from facedouble.media.probe import opened
from facedouble.types import AudioInfo, Floats, MediaInfo

BLOCK = 4096  # samples of generated silence


def _frames(info: MediaInfo, index: int) -> Iterator[tuple[int, int, Any]]:
    """(start sample, samples that count, decoded frame) of one stream; samples are those of the stream's first frame.

    The stream begins where its header says, so that what is lost at the start is missing there. A frame whose rate or channels
    are not the first's is None: its samples would count differently.
    """
    with opened(Path(info.path), info.container) as box:
        stream: Any = box.streams[index]
        start = None if stream.start_time is None else stream.start_time * Fraction(stream.time_base)
        like: tuple[int, int] | None = None
        for packet in box.demux(stream):
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
                yield -1 if at is None else round((at - start) * like[0]), span, frame if kind == like else None


def sample_count(info: MediaInfo, index: int) -> int:
    """Samples per channel of the stream, gaps included."""
    end = 0
    for at, span, _ in _frames(info, index):
        end = max(end, at) + span
    return end


def pcm(info: MediaInfo, index: int) -> Iterator[Floats]:
    """Blocks (N, C) float32, `sample_count` in all: gaps in time are silent, and so are parts of another rate or layout."""
    end, (channels,) = 0, [a.channels for a in info.audio if a.index == index]
    resampler = av.AudioResampler(format="fltp")
    for at, span, frame in _frames(info, index):
        if at > end:
            yield from silence_blocks(at - end, channels)
            end = at
        if frame is None or len(frame.layout.channels) != channels:
            yield from silence_blocks(span, channels)
            end += span
            continue
        left = span
        for made in resampler.resample(frame):
            block = np.ascontiguousarray(made.to_ndarray().T, np.float32)[:left]
            left -= len(block)
            end += len(block)
            yield block


def silence_blocks(samples: int, channels: int) -> Iterator[Floats]:
    """Zeros (N, C), in blocks."""
    for start in range(0, samples, BLOCK):
        yield np.zeros((min(BLOCK, samples - start), channels), np.float32)


def silence(audio: AudioInfo, samples: int) -> Iterator[Floats]:
    """A silent stream with the shape of `audio`."""
    return silence_blocks(samples, audio.channels)
