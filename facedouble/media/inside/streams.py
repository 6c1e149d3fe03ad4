"""All streams of a file as FFmpeg has them, with and without its edit list: counts, tags, side data."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import av
import av.error

from facedouble.media.inside.opening import one_thread, opened
from facedouble.media.inside.piece import Steps, going, told
from facedouble.media.limits import MOST_STREAMS

AGAIN = "as video ({}); render it again"


@dataclass
class _Tally:
    packets: int = 0
    hidden: int = 0
    frames: int = 0
    samples: int = 0
    broken: int = 0
    side: set[str] = field(default_factory=set)


def _open(file: BinaryIO, demuxer: str, edits: bool) -> AbstractContextManager[Any]:
    return opened(file, demuxer, AGAIN, {} if edits or demuxer != "mov" else {"ignore_editlist": "1"})


def reading(file: BinaryIO, given: dict[str, Any]) -> Steps:
    """The job: one value, the fields of a `cross.Reading`. given: demuxer, edits, decode."""
    with _open(file, given["demuxer"], given["edits"]) as box:
        tallies = {s.index: _Tally() for s in tuple(box.streams)[:MOST_STREAMS]}
        for stream in box.streams:
            one_thread(stream)
        for number, packet in enumerate(_packets(box), 1):
            yield going(number)
            tally = tallies.get(packet.stream_index)
            if tally is None:
                continue
            if packet.size:
                tally.packets += 1
                tally.hidden += bool(packet.is_discard)
                tally.side |= {str(side.data_type) for side in packet.iter_sidedata()}
            if given["decode"] and packet.stream.type in ("video", "audio"):
                _decoded(packet, tally)
        yield from told({"format": str(box.format.name).split(",")[0], "tags": _tags(box), "chapters": len(box.chapters()),
                         "streams": [_stream(s, tallies.get(s.index, _Tally())) for s in box.streams]}, given["room"])


def tags(file: BinaryIO, given: dict[str, Any]) -> Steps:
    """The job: (where, key, text) of every tag. given: demuxer."""
    with _open(file, given["demuxer"], True) as box:
        yield from told(_tags(box), given["room"])


def _tags(box: Any) -> list[tuple[str, str, str]]:
    found = [("file", k, v) for k, v in box.metadata.items()]
    found += [(f"stream {s.index}", k, v) for s in box.streams for k, v in s.metadata.items()]
    return [*found, *(("chapter", k, v) for c in box.chapters() for k, v in c.get("metadata", {}).items())]


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


def _stream(stream: Any, tally: _Tally) -> dict[str, Any]:
    context = stream.codec_context
    picture, sound = (context is not None and stream.type == kind for kind in ("video", "audio"))
    return {"index": stream.index, "kind": str(stream.type), "codec": context.name if context else "", "packets": tally.packets,
            "hidden": tally.hidden, "frames": tally.frames, "samples": tally.samples, "broken": tally.broken,
            "size": [int(context.width), int(context.height)] if picture else [0, 0],
            "rate": int(context.sample_rate) if sound else 0, "channels": int(context.channels) if sound else 0,
            "cover": bool(stream.disposition & av.stream.Disposition.attached_pic), "side": sorted(tally.side)}


def idle(file: BinaryIO, given: dict[str, Any]) -> Steps:
    """The job: numbers of the AAC samples in which the last bits before their end do not matter to the sound.

    A sound's own last bits cannot be changed without another sound, or an error. Every second sample is changed at once, so that
    no sample is blamed for its neighbour's. given: config, in hexadecimal digits. In the file, four bytes of size go before each.
    """
    config, packets = bytes.fromhex(given["config"]), list(_sized(file))
    plain = yield from _heard(packets, config)
    left = set(range(len(packets)))
    for bit in range(3):
        if not left:
            break
        same: set[int] = set()
        for odd in (0, 1):
            asked = {k for k in left if k % 2 == odd}
            if asked:
                heard = yield from _heard([_flipped(s, bit) if k in asked else s for k, s in enumerate(packets)], config)
                same |= {k for k in asked if heard[k : k + 2] == plain[k : k + 2]}
        left = same
    yield from told(sorted(left), given["room"])


def _sized(file: BinaryIO) -> Iterator[bytes]:
    while size := file.read(4):
        yield file.read(int.from_bytes(size, "little"))


def _flipped(sample: bytes, bit: int) -> bytes:
    """With one bit changed, that far before the three ones that end it."""
    value = int.from_bytes(sample, "big")
    zeros = (value & -value).bit_length() - 1
    return (value ^ 1 << max(zeros, 0) + 3 + bit).to_bytes(len(sample) + 1, "big")[-len(sample) :]


def _heard(samples: Sequence[bytes], config: bytes) -> Any:
    """What a fresh decoder makes of each, as a digest."""
    context: Any = av.CodecContext.create("aac", "r")
    context.extradata = config
    made = []
    for number, sample in enumerate(samples, 1):
        yield going(number)
        try:
            made.append(b"".join(_digest(frame.planes) for frame in context.decode(av.Packet(sample))))
        except (av.error.FFmpegError, ValueError):
            made.append(b"error")
    return made


def _digest(planes: Any) -> bytes:
    return b"".join(hashlib.blake2b(bytes(p), digest_size=8).digest() for p in planes)
