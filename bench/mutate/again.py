"""A clean film once more, with some of its frames altered: coded as the program codes, so that nothing but the fault differs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from bench.mutate.faults import Case
from facedouble.media.decode import frames
from facedouble.media.encode import Writer
from facedouble.media.probe import probe
from facedouble.media.sound import pcm
from facedouble.options import EncodeOptions
from facedouble.types import Array, Frame, MediaInfo, SafeFrame, _Seal

Change = Callable[[int, Frame, Frame], Frame]
"""Number of a frame of the output, that frame, the frame of the footage that it was made of -> what is written instead."""


def pairs(case: Case) -> Iterator[tuple[int, Frame, Frame]]:
    """Frames of the clean film with those of its footage; before the footage begins, with its first one."""
    clean, source = probe(case.clean), probe(case.source)
    lead = max(0, _count(clean) - _count(source))
    footage = frames(source)
    at = next(footage)
    for number, frame in enumerate(frames(clean)):
        if number > lead:
            at = next(footage, at)
        yield number, frame, at


def count(case: Case) -> int:
    """Frames of the clean film."""
    return _count(probe(case.clean))


def _count(info: MediaInfo) -> int:
    return info.frames or sum(1 for _ in frames(info))


def again(case: Case, change: Change, new: Path) -> None:
    """Write the clean film anew with `change` at every frame; what it returns unaltered is only coded again."""
    info = probe(case.clean)
    sounds = [(s.rate, s.channels, s.start, pcm(info, s.index)) for s in info.audio]
    with Writer(new, info, EncodeOptions(), sounds) as writer:
        for number, frame, source in pairs(case):
            made = change(number, frame, source)
            writer.add(SafeFrame(_Seal(), Frame(number, frame.ticks, frame.span, frame.time_base, made.planes, frame.pixel_format,
                                                frame.colour), False))


def mixed(frame: Frame, other: Frame, weight: Array) -> Frame:
    """The frame with another one laid over it; weight (h, w) float32, 1 where only the other is seen."""
    planes = []
    for mine, theirs in zip(frame.planes, fitting(other, frame), strict=True):
        dy, dx = weight.shape[0] // mine.shape[0], weight.shape[1] // mine.shape[1]
        part = weight[: mine.shape[0] * dy, : mine.shape[1] * dx].reshape(mine.shape[0], dy, mine.shape[1], dx).mean((1, 3))
        planes.append(np.round(mine + part * (theirs.astype(np.float32) - mine)).astype(mine.dtype))
    return Frame(frame.index, frame.ticks, frame.span, frame.time_base, tuple(planes), frame.pixel_format, frame.colour)


def fitting(source: Frame, like: Frame) -> tuple[Array, ...]:
    """The planes of a frame in the sampling of another one."""
    planes = []
    for plane, wanted in zip(source.planes, like.planes, strict=True):
        if plane.shape != wanted.shape:  # 4:2:2 or 4:4:4 footage, 4:2:0 film
            plane = plane[:: max(1, plane.shape[0] // wanted.shape[0]), :: max(1, plane.shape[1] // wanted.shape[1])]
            plane = plane[: wanted.shape[0], : wanted.shape[1]]
        planes.append(plane)
    return tuple(planes)
