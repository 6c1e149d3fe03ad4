"""What a file holds: read apart, checked here."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path
from typing import Any

from facedouble.media.apart.reading import lies, value
from facedouble.media.limits import LARGEST_AREA, LARGEST_SIDE, LONGEST_GAP, SMALLEST_SIDE
from facedouble.media.sniff import sniff
from facedouble.types import AudioInfo, Colour, MediaInfo

LARGEST = 1 << 63  # no number of FFmpeg's is larger


def probe(path: Path) -> MediaInfo:
    """Look at a file; InputRefused with one sentence if it cannot be worked on."""
    name = sniff(path)
    said = value(path, "look", {"demuxer": name})
    with lies(str(path)):
        return media_info(str(path), name, said)


def media_info(path: str, container: str, said: dict[str, Any]) -> MediaInfo:
    """The words of a child as what they stand for; ValueError, TypeError or KeyError if they are not."""
    width, height = (whole(said[k], SMALLEST_SIDE, LARGEST_SIDE) for k in ("width", "height"))
    if width * height > LARGEST_AREA:
        raise ValueError("too large")
    frames, duration = said["frames"], said["duration"]
    colour = said["colour"]
    if type(colour[3]) is not bool or said["rotation"] not in (0, 90, 180, 270):
        raise ValueError("no colour, or turned")
    start, sounds = exact(said["start"]), tuple(_sound(a) for a in said["audio"])
    if any(abs(a.start - start) > LONGEST_GAP for a in sounds):
        raise ValueError("a sound far from the picture")
    return MediaInfo(path, container, width, height, None if frames is None else whole(frames), positive(said["rate"]),
                     positive(said["time_base"]), start, None if duration is None else exact(duration),
                     whole(said["rotation"]), positive(said["sample_aspect"]),
                     Colour(whole(colour[0], 0, 255), whole(colour[1], 0, 255), whole(colour[2], 0, 255), colour[3]),
                     word(said["pixel_format"]), whole(said["bit_depth"], 1, 64),
                     sounds, texts(said["tags"]), texts(said["dropped"]))


def _sound(said: dict[str, Any]) -> AudioInfo:
    return AudioInfo(whole(said["index"], 0, 1 << 16), word(said["codec"]), whole(said["rate"], 1, 1 << 31),
                     whole(said["channels"], 0, 1 << 10), exact(said["start"]),
                     None if said["duration"] is None else exact(said["duration"]))


def whole(said: Any, lowest: int = -LARGEST, highest: int = LARGEST) -> int:
    """A whole number in a range; ValueError for anything else."""
    if type(said) is not int or not lowest <= said <= highest:
        raise ValueError(f"{said!r} is no number from {lowest} to {highest}")
    return said


def exact(said: Any) -> Fraction:
    """A fraction of two numbers."""
    above, below = said
    return Fraction(whole(above, -(LARGEST**2), LARGEST**2), whole(below, 1, LARGEST**2))


def positive(said: Any) -> Fraction:
    """A fraction above 0."""
    made = exact(said)
    if made <= 0:
        raise ValueError(f"{made} is not above 0")
    return made


def word(said: Any) -> str:
    """A short name."""
    if not isinstance(said, str) or not re.fullmatch(r"[\w .-]{0,64}", said):
        raise ValueError("no name")
    return said


def texts(said: Any) -> tuple[str, ...]:
    """A list of texts."""
    if not isinstance(said, list) or not all(isinstance(text, str) for text in said):
        raise ValueError("no texts")
    return tuple(said)
