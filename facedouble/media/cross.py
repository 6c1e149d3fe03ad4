"""A finished film as FFmpeg sees it, with and without its edit list: what an audit holds against its own walk of the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facedouble.media.apart.reading import lies, memory, value, value_of
from facedouble.media.decode import frames, packet_ticks
from facedouble.media.probe import probe, texts, whole, word
from facedouble.media.sniff import sniff_sound
from facedouble.media.sound import sample_count
from facedouble.types import Value


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


def reading(path: Path, edits: bool = True, decode: bool = True) -> Reading:
    """Read all of it. edits: obey the edit list; decode: else packets are counted only. InputRefused if FFmpeg cannot open it."""
    said = value(path, "reading", {"demuxer": sniff_sound(path), "edits": edits, "decode": decode})
    with lies(str(path)):
        return Reading(word(said["format"]), tuple(_stream(s) for s in said["streams"]), _tags(said["tags"]),
                       whole(said["chapters"], 0))


def tags(path: Path) -> tuple[tuple[str, str, str], ...]:
    """(where, key, text) of every tag that FFmpeg finds; InputRefused if it cannot open the file."""
    said = value(path, "tags", {"demuxer": sniff_sound(path)})
    with lies(str(path)):
        return _tags(said)


def _tags(said: Any) -> tuple[tuple[str, str, str], ...]:
    found = tuple(texts(tag) for tag in said)
    if any(len(tag) != 3 for tag in found):
        raise ValueError("no tags")
    return found  # type: ignore[return-value]


def _stream(said: dict[str, Any]) -> Stream:
    width, height = said["size"]
    if type(said["cover"]) is not bool:
        raise ValueError("cover")
    packets, hidden, shown, samples, broken = (whole(said[k], 0) for k in ("packets", "hidden", "frames", "samples", "broken"))
    return Stream(whole(said["index"], 0, 1 << 16), word(said["kind"]), word(said["codec"]), packets, hidden, shown, samples,
                  broken, (whole(width), whole(height)), whole(said["rate"]), whole(said["channels"]), said["cover"],
                  texts(said["side"]))


def times(path: Path, exact: bool = False) -> NDArray[np.int64]:
    """When each frame of footage is shown, (N,) ticks, as `decode.frames` has it; from packets alone, unless exact."""
    info = probe(path)
    if exact:
        return np.fromiter((frame.ticks for frame in frames(info)), np.int64)
    found = packet_ticks(path, info.container)
    if found is None:
        return times(path, True)
    ticks = np.sort(found)
    if (np.diff(ticks) <= 0).any():  # two at one time: the second comes a tick later
        for k in range(1, len(ticks)):
            ticks[k] = max(ticks[k], ticks[k - 1] + 1)
    return ticks


def sounds(path: Path) -> list[tuple[int, int, int, Fraction]]:
    """(rate, channels, samples, start in s) of each stream of sound in footage."""
    info = probe(path)
    return [(a.rate, a.channels, sample_count(info, a.index), a.start) for a in info.audio]


def idle(samples: Sequence[bytes], config: bytes) -> list[int]:
    """The AAC samples in which the last bits before their end do not matter to the sound: something else lies there."""
    data = b"".join(len(s).to_bytes(4, "little") + s for s in samples)
    with memory("the film's sound", data) as lent:
        said = value_of(lent, "idle", {"config": config.hex()})
    with lies("the film's sound"):
        return [whole(k, 0, len(samples) - 1) for k in said]
