"""Sound streams as blocks of float samples; or silence of the same length. Read apart, checked here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from facedouble import disk
from facedouble.media.apart.reading import Got, lies, pieces, value
from facedouble.media.limits import DENSEST, LONGEST_GAP
from facedouble.media.probe import whole
from facedouble.types import AudioInfo, Floats, MediaInfo

BLOCK = 4096  # samples of generated silence
LOUDEST = 1e4  # far above full scale; no number in a recording is more


def sample_count(info: MediaInfo, index: int) -> int:
    """Samples per channel of the stream, gaps included."""
    said = value(Path(info.path), "count", {"demuxer": info.container, "index": index})
    ((rate,),) = [(a.rate,) for a in info.audio if a.index == index]
    with lies(info.path):
        return whole(said, 0, _most(Path(info.path), rate))


def pcm(info: MediaInfo, index: int) -> Iterator[Floats]:
    """Blocks (N, C) float32, `sample_count` in all: gaps in time are silent, and so are parts of another rate or layout."""
    ((rate, channels),) = [(a.rate, a.channels) for a in info.audio if a.index == index]
    yield from sounding(Path(info.path), "samples", {"demuxer": info.container, "index": index, "channels": channels}, rate)


def sounding(path: Path, job: str, given: dict[str, Any], rate: int) -> Iterator[Floats]:
    """Blocks (N, C) of a job that gives samples and silence."""
    channels, silent = given["channels"], 0
    with closing(pieces(path, job, given)) as found:
        for piece in found:
            if "silent" in piece.head:
                with lies(str(path)):
                    gap = piece.whole("silent", 0, (LONGEST_GAP + 1) * max(rate, 1 << 18))
                    silent += gap
                    if silent > _most(path, rate):
                        raise ValueError("too much silence")
                yield from silence_blocks(gap, channels)
            else:
                with lies(str(path)):
                    block = block_of(piece, channels)
                yield block


def _most(path: Path, rate: int) -> int:
    """Silent samples that there can be: in jumps of the times, maybe at a higher rate than the header's, and in the file."""
    return LONGEST_GAP * max(rate, 1 << 18) + DENSEST * disk.size(path)


def block_of(piece: Got, channels: int) -> Floats:
    """(N, C) samples, finite: what no number is, is silent."""
    block = np.array(piece.data).view(np.float32).reshape(piece.whole("samples", 1, piece.data.size), channels)
    if not np.isfinite(block).all() or np.abs(block).max() > LOUDEST:
        block = np.clip(np.nan_to_num(block), -LOUDEST, LOUDEST)
    return block


def silence_blocks(samples: int, channels: int) -> Iterator[Floats]:
    """Zeros (N, C), in blocks."""
    for start in range(0, samples, BLOCK):
        yield np.zeros((min(BLOCK, samples - start), channels), np.float32)


def silence(audio: AudioInfo, samples: int) -> Iterator[Floats]:
    """A silent stream with the shape of `audio`."""
    return silence_blocks(samples, audio.channels)
