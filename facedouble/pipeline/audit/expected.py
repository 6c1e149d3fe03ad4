"""What a finished file should hold by its footage and its plan, and where it does not: frames, times, sizes, sounds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

import numpy as np

from facedouble.audit.tables import AAC_RATES, Longs, Track
from facedouble.audit.verdict import Finding
from facedouble.media import cross
from facedouble.media.probe import probe
from facedouble.types import Value

SLACK: Final = 64  # samples that a change of the sampling rate may add or take
LAYOUTS: Final = (1, 2, 3, 4, 5, 6, 8)  # channels that a stream of sound may have; others become two


@dataclass(frozen=True)
class Expected(Value):
    """What the plan says the file holds. ticks (N,) int64: when each frame is shown, in units of base (s), from the film's begin;
    sounds: (samples/s, channels, samples) of each stream; exact: a sound was not resampled.
    """

    ticks: Longs
    base: Fraction
    width: int
    height: int
    sounds: tuple[tuple[int, int, int, bool], ...]


def expected(source: Path, lead: int = 0, exact: bool = False) -> Expected:
    """What becomes of footage, with `lead` frames of a card before it. exact: frames are decoded, else packets counted."""
    info = probe(source)
    base, step = info.time_base, max(1, round(1 / (info.rate * info.time_base)))
    shown_at = cross.times(source, exact)
    ticks = np.concatenate([shown_at[0] + step * np.arange(-lead, 0), shown_at])
    given = cross.sounds(source)
    first = (int(ticks[0]) if lead else round(info.start / base)) * base
    origin = min([first, *(start for *_, start in given)])
    sounds = []
    for rate, channels, samples, start in given:
        best = rate if rate in AAC_RATES[:-1] else 48000
        count = min(channels, 8) if channels in LAYOUTS else 2
        sounds.append((best, count, round((round((start - origin) * rate) + samples) * Fraction(best, rate)), best == rate))
    return Expected(ticks - round(origin / base), base, info.width, info.height, tuple(sounds))


Expecting = Callable[[bool], Expected] | Expected | None
"""What the plan says; or who says it, asked for quick counts first, and for exact ones where those do not fit."""


def differences(tracks: Sequence[Track], exact: bool, plan: Expected) -> list[Finding]:
    """Where a file's streams are not what the plan says. exact: its times are kept to the tick, as in MP4."""
    pictures, sounds = ([t for t in tracks if t.kind == kind] for kind in ("vide", "soun"))
    if len(pictures) != 1 or len(sounds) != len(plan.sounds):
        return [Finding(f"There are {len(pictures)} streams of pictures and {len(sounds)} of sound; the plan has 1 and "
                        f"{len(plan.sounds)}.")]
    track, found = pictures[0], list[Finding]()
    if (track.width, track.height) != (plan.width, plan.height):
        found.append(Finding(f"The picture is {track.width} x {track.height}, and the plan's {plan.width} x {plan.height}."))
    if len(track.times) != len(plan.ticks):
        found.append(Finding(f"There are {len(track.times)} frames, and the plan has {len(plan.ticks)}."))
    ticks = np.sort(track.times) - track.head
    wait = track.wait * track.scale
    near = 0
    if not exact and len(ticks):  # Matroska rounds times, and may begin anywhere
        near, wait = 1, plan.ticks[:1].sum() * plan.base * track.scale - int(ticks[0])
    off = [k for k, (here, there) in enumerate(zip(ticks.tolist(), plan.ticks.tolist(), strict=False))
           if abs(here + wait - there * plan.base * track.scale) > near]
    if off:
        found.append(Finding(f"{len(off)} frames are shown at other times than the plan says, the first is frame {off[0]}.",
                             frames=(off[0], off[0] + 1)))
    for k, (sound, (rate, channels, samples, kept)) in enumerate(zip(sounds, plan.sounds, strict=True)):
        if (sound.rate, sound.channels) != (rate, channels):
            found.append(Finding(f"Sound {k} has {sound.channels} channels at {sound.rate} Hz, the plan's {channels} at {rate}."))
        if exact and (abs(sound.total - sound.head - samples) > (0 if kept else SLACK) or sound.wait):
            found.append(Finding(f"Sound {k} is {sound.total - sound.head} samples long, and the plan's {samples}."))
    return found
