"""The sound of a recording or of footage, block after block; a recording needs no picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from facedouble.media.apart.reading import lies, value
from facedouble.media.limits import LONGEST_GAP, MOST_CHANNELS, RATES
from facedouble.media.probe import whole
from facedouble.media.sniff import sniff_sound
from facedouble.media.sound import sounding
from facedouble.types import Floats


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
    said = value(path, "recording", {"demuxer": demuxer})
    with lies(str(path)):
        late = said["late"]
        if type(late) is not float or not abs(late) <= LONGEST_GAP:
            raise ValueError("late")
        return Recording(str(path), demuxer, whole(said["index"], 0, 1 << 16), whole(said["rate"], *RATES),
                         whole(said["channels"], 1, MOST_CHANNELS), late)


def blocks(source: Recording) -> Iterator[Floats]:
    """All of its sound, (N, C) float32; what is missing in between is silent. InputRefused if not one sample can be read."""
    given = {"demuxer": source.demuxer, "index": source.index, "rate": source.rate, "channels": source.channels}
    yield from sounding(Path(source.path), "recorded", given, source.rate)
