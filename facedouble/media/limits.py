"""Sizes that footage and recordings may have, on both sides of the decode child."""

from __future__ import annotations

from typing import Final

LARGEST_SIDE: Final = 8192  # px
LARGEST_AREA: Final = 64_000_000
SMALLEST_SIDE: Final = 16
LARGEST_PHOTO: Final = 1 << 28  # bytes
RATES: Final = (8_000, 192_000)  # samples/s of a recording
FASTEST: Final = 768_000  # samples/s of a take
MOST_CHANNELS: Final = 16
LONGEST_GAP: Final = 3600  # s of silence that all jumps in the times may stand for; and between the picture's start and a sound's
DENSEST: Final = 1 << 13  # samples in a byte of a file; FLAC has 65,535 of silence in 14
LONGEST_TAKE: Final = 3600  # s that are read; a take of an hour is none
LONGEST_SPAN: Final = 1 << 31  # ticks; one picture lasts less
MOST_STREAMS: Final = 64  # that are read; one more is told
MOST_REPLACED: Final = 1024  # missing pictures that are remembered, in case one comes late
