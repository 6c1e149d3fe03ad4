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


def _frames(info: MediaInfo, index: int) -> Iterator[tuple[int, Any]]:
    """(start sample, decoded frame) of one stream."""
    with opened(Path(info.path), info.container) as box:
        stream = box.streams[index]
        start = None
        for packet in box.demux(stream):
            try:
                decoded = list(packet.decode())
            except av.error.FFmpegError:
                continue
            for frame in decoded:
                base = Fraction(frame.time_base)
                at = None if frame.pts is None else frame.pts * base
                if start is None:
                    start = at or Fraction(0)
                yield (-1 if at is None else round((at - start) * frame.sample_rate)), frame


def sample_count(info: MediaInfo, index: int) -> int:
    """Samples per channel of the stream, gaps included."""
    end = 0
    for at, frame in _frames(info, index):
        end = max(end, at if at >= 0 else end) + frame.samples if at >= end or at < 0 else end + frame.samples
    return end


def pcm(info: MediaInfo, index: int) -> Iterator[Floats]:
    """Blocks (N, C) float32; gaps in time are silent, so that the length is `sample_count`."""
    end = 0
    resampler = av.AudioResampler(format="fltp")
    for at, frame in _frames(info, index):
        if at > end:
            channels = len(frame.layout.channels)
            for block in silence_blocks(at - end, channels):
                yield block
            end = at
        for made in resampler.resample(frame):
            block = np.ascontiguousarray(made.to_ndarray().T, np.float32)
            end += len(block)
            yield block


def silence_blocks(samples: int, channels: int) -> Iterator[Floats]:
    """Zeros (N, C), in blocks."""
    for start in range(0, samples, BLOCK):
        yield np.zeros((min(BLOCK, samples - start), channels), np.float32)


def silence(audio: AudioInfo, samples: int) -> Iterator[Floats]:
    """A silent stream with the shape of `audio`."""
    return silence_blocks(samples, audio.channels)
