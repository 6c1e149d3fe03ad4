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
    """(start sample, samples that count, decoded frame) of one stream."""
    with opened(Path(info.path), info.container) as box:
        stream: Any = box.streams[index]
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
                # the last frame of AAC holds more samples than its packet lasts: the rest is padding
                span = round(frame.duration * base * frame.sample_rate) if frame.duration else frame.samples
                yield (-1 if at is None else round((at - start) * frame.sample_rate)), min(span, frame.samples), frame


def sample_count(info: MediaInfo, index: int) -> int:
    """Samples per channel of the stream, gaps included."""
    end = 0
    for at, span, _ in _frames(info, index):
        end = max(end, at) + span
    return end


def pcm(info: MediaInfo, index: int) -> Iterator[Floats]:
    """Blocks (N, C) float32; gaps in time are silent, so that the length is `sample_count`."""
    end = 0
    resampler = av.AudioResampler(format="fltp")
    for at, span, frame in _frames(info, index):
        if at > end:
            yield from silence_blocks(at - end, len(frame.layout.channels))
            end = at
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
