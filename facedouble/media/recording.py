"""The sound of a recording or of footage, block after block; a recording needs no picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np

from facedouble.errors import InputRefused
from facedouble.media.probe import opened, video_of
from facedouble.media.sniff import sniff_sound
from facedouble.types import Floats

RATES = (8_000, 192_000)  # samples/s
MOST_CHANNELS = 16
LONGEST_GAP = 3600  # s of silence that a jump in the times may stand for


@dataclass(frozen=True)
class Recording:
    """The first sound stream of a file: samples/s, channels, and how much later than the picture it begins, s."""

    path: str
    demuxer: str
    index: int
    rate: int
    channels: int
    late: float


def recording(path: Path) -> Recording:
    """Look at a file; InputRefused with one sentence if there is no sound in it that can be worked on."""
    demuxer = sniff_sound(path)
    with opened(path, demuxer) as box:
        streams = [s for s in box.streams.audio if s.rate]
        if not streams:
            raise InputRefused(f"{path}: holds no sound; give a recording, or footage with sound")
        stream: Any = streams[0]
        if not RATES[0] <= stream.rate <= RATES[1] or not 1 <= stream.channels <= MOST_CHANNELS:
            raise InputRefused(f"{path}: {stream.rate} samples/s in {stream.channels} channels; record at 48000 in one or two")
        picture = video_of(box)
        late = 0.0 if picture is None else _start(stream) - _start(picture)
        return Recording(str(path), demuxer, stream.index, int(stream.rate), int(stream.channels), late)


def _start(stream: Any) -> float:
    return float(stream.start_time * stream.time_base) if stream.start_time else 0.0


def blocks(source: Recording) -> Iterator[Floats]:
    """All of its sound, (N, C) float32; what is missing in between is silent. InputRefused if not one sample can be read."""
    end, first = 0, None
    resampler = av.AudioResampler(format="fltp")
    with opened(Path(source.path), source.demuxer) as box:
        stream: Any = box.streams[source.index]
        for packet in box.demux(stream):
            try:
                decoded = list(packet.decode())
            except av.error.FFmpegError:
                continue
            for frame in decoded:
                if frame.sample_rate != source.rate or len(frame.layout.channels) != source.channels:
                    raise InputRefused(f"{source.path}: its sound changes rate or channels within the file; convert it first")
                at = end if frame.pts is None else round(frame.pts * frame.time_base * source.rate)
                first = at if first is None else first
                gap = at - first - end
                if gap > LONGEST_GAP * source.rate:
                    raise InputRefused(f"{source.path}: its times jump by more than an hour; convert it first")
                for start in range(0, max(gap, 0), 1 << 16):
                    yield np.zeros((min(1 << 16, gap - start), source.channels), np.float32)
                end += max(gap, 0)
                for made in resampler.resample(frame):
                    block = np.ascontiguousarray(made.to_ndarray().T, np.float32)
                    end += len(block)
                    yield block
    if not end:
        raise InputRefused(f"{source.path}: not one sample of its sound can be read; copy it again")
