"""A finished film as FFmpeg sees it, with and without its edit list: what an audit holds against its own walk of the file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import av.error

from facedouble.errors import InputRefused
from facedouble.media.decode import frames
from facedouble.media.probe import opened, probe, video_of
from facedouble.media.sniff import sniff_sound
from facedouble.media.sound import sample_count
from facedouble.types import Value

MOST_STREAMS: Final = 64  # that are read; one more is told


@dataclass(frozen=True)
class Stream(Value):
    """A stream as FFmpeg has it. packets; hidden: those of them that are not to be shown; frames, samples: decoded, of sound per
    channel; broken: packets that could not be decoded; side: kinds of side data of its packets and frames.
    """

    index: int
    kind: str
    codec: str
    packets: int
    hidden: int
    frames: int
    samples: int
    broken: int
    size: tuple[int, int]
    rate: int
    channels: int
    cover: bool
    side: tuple[str, ...]


@dataclass(frozen=True)
class Reading(Value):
    """All of a file. tags: (where, key, text)."""

    format: str
    streams: tuple[Stream, ...]
    tags: tuple[tuple[str, str, str], ...]
    chapters: int


@dataclass
class _Tally:
    packets: int = 0
    hidden: int = 0
    frames: int = 0
    samples: int = 0
    broken: int = 0
    side: set[str] = field(default_factory=set)


@contextmanager
def _open(path: Path, edits: bool) -> Iterator[Any]:
    """The file, demuxer pinned and protocols closed as in `probe.opened`; InputRefused instead of FFmpeg's errors."""
    options = {"protocol_whitelist": "file,pipe", **({} if edits else {"ignore_editlist": "1"})}
    name = sniff_sound(path)
    try:
        with av.open(str(path), format=name, options=options if name == "mov" else {"protocol_whitelist": "file,pipe"},
                     metadata_errors="replace") as box:
            yield box
    except (av.error.FFmpegError, ValueError, MemoryError) as error:
        raise InputRefused(f"{path}: cannot be read as video ({type(error).__name__}); render it again") from error


def reading(path: Path, edits: bool = True, decode: bool = True) -> Reading:
    """Read all of it. edits: obey the edit list; decode: else packets are counted only. InputRefused if FFmpeg cannot open it."""
    with _open(path, edits) as box:
        told = {s.index: _Tally() for s in tuple(box.streams)[:MOST_STREAMS]}
        for stream in box.streams:
            stream.thread_type = "AUTO"
        for packet in _packets(box):
            tally = told.get(packet.stream_index)
            if tally is None:
                continue
            if packet.size:
                tally.packets += 1
                tally.hidden += bool(packet.is_discard)
                tally.side |= {str(side.data_type) for side in packet.iter_sidedata()}
            if decode and packet.stream.type in ("video", "audio"):
                _decoded(packet, tally)
        streams = tuple(_stream(s, told.get(s.index, _Tally())) for s in box.streams)
        return Reading(str(box.format.name).split(",")[0], streams, _tags(box), len(box.chapters()))


def tags(path: Path) -> tuple[tuple[str, str, str], ...]:
    """(where, key, text) of every tag that FFmpeg finds; InputRefused if it cannot open the file."""
    with _open(path, True) as box:
        return _tags(box)


def _tags(box: Any) -> tuple[tuple[str, str, str], ...]:
    found = [("file", k, v) for k, v in box.metadata.items()]
    found += [(f"stream {s.index}", k, v) for s in box.streams for k, v in s.metadata.items()]
    return (*found, *(("chapter", k, v) for c in box.chapters() for k, v in c.get("metadata", {}).items()))


def _packets(box: Any) -> Iterator[Any]:
    """Packets, also after an error in the middle of the file."""
    try:
        yield from box.demux()
    except av.error.FFmpegError:
        return


def _decoded(packet: Any, tally: _Tally) -> None:
    try:
        made = packet.decode()
    except av.error.FFmpegError:
        tally.broken += 1
        return
    for frame in made:
        tally.frames += 1
        tally.broken += bool(frame.is_corrupt)
        if packet.stream.type == "audio":
            tally.samples += frame.samples
        else:
            tally.side |= {str(side.type.name) for side in frame.side_data}


def _stream(stream: Any, tally: _Tally) -> Stream:
    context = stream.codec_context
    picture, sound = (context is not None and stream.type == kind for kind in ("video", "audio"))
    return Stream(stream.index, str(stream.type), context.name if context else "", tally.packets, tally.hidden, tally.frames,
                  tally.samples, tally.broken, (int(context.width), int(context.height)) if picture else (0, 0),
                  int(context.sample_rate) if sound else 0, int(context.channels) if sound else 0,
                  bool(stream.disposition & av.stream.Disposition.attached_pic), tuple(sorted(tally.side)))


def times(path: Path, exact: bool = False) -> list[Fraction]:
    """When each frame of footage is shown, s, as `decode.frames` gives them; of packets alone, unless exact."""
    info = probe(path)
    if exact:
        return [frame.time for frame in frames(info)]
    with opened(path, info.container) as box:
        stream = video_of(box)
        found = [packet.pts for packet in box.demux(stream) if packet.size and not packet.is_discard]
    if any(pts is None for pts in found):
        return times(path, True)
    ticks: list[int] = []
    for pts in sorted(found):
        ticks.append(pts if not ticks or pts > ticks[-1] else ticks[-1] + 1)
    return [t * info.time_base for t in ticks]


def sounds(path: Path) -> list[tuple[int, int, int, Fraction]]:
    """(rate, channels, samples, start in s) of each stream of sound in footage."""
    info = probe(path)
    return [(a.rate, a.channels, sample_count(info, a.index), a.start) for a in info.audio]


def idle(samples: Sequence[bytes], config: bytes) -> list[int]:
    """The AAC samples in which the last bits before their end do not matter to the sound: something else lies there.

    A sound's own last bits cannot be changed without another sound, or an error. Every second sample is changed at once, so that
    no sample is blamed for its neighbour's.
    """
    plain = _heard(samples, config)
    left = set(range(len(samples)))
    for bit in range(3):
        if not left:
            break
        same: set[int] = set()
        for odd in (0, 1):
            asked = {k for k in left if k % 2 == odd}
            if asked:
                heard = _heard([_flipped(s, bit) if k in asked else s for k, s in enumerate(samples)], config)
                same |= {k for k in asked if heard[k : k + 2] == plain[k : k + 2]}
        left = same
    return sorted(left)


def _flipped(sample: bytes, bit: int) -> bytes:
    """With one bit changed, that far before the three ones that end it."""
    value = int.from_bytes(sample, "big")
    zeros = (value & -value).bit_length() - 1
    return (value ^ 1 << max(zeros, 0) + 3 + bit).to_bytes(len(sample) + 1, "big")[-len(sample) :]


def _heard(samples: Sequence[bytes], config: bytes) -> list[bytes]:
    """What a fresh decoder makes of each, as a digest."""
    context: Any = av.CodecContext.create("aac", "r")
    context.extradata = config
    made = []
    for sample in samples:
        try:
            made.append(b"".join(_digest(frame.planes) for frame in context.decode(av.Packet(sample))))
        except (av.error.FFmpegError, ValueError):
            made.append(b"error")
    return made


def _digest(planes: Any) -> bytes:
    return b"".join(hashlib.blake2b(bytes(p), digest_size=8).digest() for p in planes)
