"""Where somebody is heard among the channels of a stream: what they are listened to by, and how loud each channel has them.

By the band of speech alone: music that fills the surround channels counts for little there, and the low one of 5.1 for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from facedouble.types import Doubles, Floats, Value

BAND: Final = (300, 3400)  # Hz
NEAR: Final = 6.0  # dB under the loudest channel; what is nearer is listened to as well
FAINT: Final = 0.25  # power of the mean of channels over that of the loudest, under which they cancel each other
STEP: Final = 3.0  # dB in which it is told how loud somebody is in a channel: more would tell more of the place
LEAST: Final = -24.0  # dB re the loudest channel; where somebody is softer, nothing of another voice is heard


@dataclass(frozen=True)
class Seat(Value):
    """taken (C,): weights of the channels somebody is listened to by, 1 in all. given (C,): gains of another voice, 0 to 1."""

    taken: Floats
    given: Floats


def gram(sound: Floats, rate: int) -> Doubles:
    """(C, C) what the channels of (N, C) have in common in the band of speech: power on the diagonal, to be summed up."""
    heard = np.fft.rfft(sound, axis=0)
    low, high = (round(hz * len(sound) / rate) for hz in BAND)
    band = heard[low : high + 1]
    return np.asarray((band.conj().T @ band).real, np.float64) / max(len(sound), 1)


def seat_of(common: Doubles) -> Seat:
    """Of the sum of `gram` over all that somebody says."""
    power = np.diagonal(common)
    loudest = int(power.argmax())
    with np.errstate(divide="ignore", invalid="ignore"):
        under = np.nan_to_num(10 * np.log10(power / power[loudest]), neginf=-np.inf)
    near = (under >= -NEAR).astype(np.float64)
    taken = near / near.sum()
    if taken @ common @ taken < FAINT * power[loudest]:
        taken = np.eye(len(power))[loudest]
    steps = STEP * np.round(np.maximum(under, 2 * LEAST) / STEP)
    given = np.where(steps >= LEAST, 10 ** (steps / 20), 0)
    return Seat(taken.astype(np.float32), given.astype(np.float32))
