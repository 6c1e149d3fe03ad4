"""How loud, how far and in what room the witness speaks, in few numbers; and the volunteer put there.

Of the witness pass: one level a phrase, three bands of the long-term spectrum, one decay time; all in whole steps and within
limits, so that no envelope can hide in them. The room's tail is noise of our own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from scipy.signal import firwin2, oaconvolve

from facedouble.types import Array, Bools, Doubles, Floats, Value
from facedouble.voice.code import HOP, SPEECH_RATE
from facedouble.voice.front import FRAME_RATE, bands, levels
from facedouble.voice.timing import Piece, runs

BANDS: Final = ((100.0, 500.0), (500.0, 2000.0), (2000.0, 6500.0))  # Hz
LOUDER: Final = 24  # dB that a whole take is made louder or softer, at most
UNEVEN: Final = 6  # dB that one phrase differs from that, at most
TILT: Final = 6  # dB that a band is raised or lowered, at most
LONGEST: Final = 1.2  # s of decay
_DECAY_STEP: Final = 0.05  # s
_TILT_STEP: Final = 2  # dB
_DRY: Final = 0.25  # s of decay under which speech alone decays: no room is heard
_TAPS: Final = 0.016  # s of the filter that tilts
_RAMP: Final = 0.05  # s in which a gain changes
_TOP: Final = 0.97  # the highest sample


@dataclass(frozen=True)
class Place(Value):
    """gains (P,) float32 dB, one a piece, in whole dB; tilt (3,) float32 dB of `BANDS`; decay s to -60 dB, 0: none to add.

    Built as a difference: what has to be done to the take, never what the witness is.
    """

    gains: Floats
    tilt: Floats
    decay: float

    def check(self) -> None:
        if self.tilt.shape != (len(BANDS),) or np.abs(self.tilt).max(initial=0) > TILT or not 0 <= self.decay <= LONGEST:
            raise ValueError(f"a place of tilt {self.tilt} and decay {self.decay}")
        if np.abs(self.gains).max(initial=0) > LOUDER + UNEVEN:
            raise ValueError("a phrase more than 30 dB louder or softer")

    @property
    def numbers(self) -> int:
        """How many numbers pass."""
        return len(self.gains) + len(self.tilt) + 1


def compare(guide: Floats, take: Floats, pieces: tuple[Piece, ...]) -> Place:
    """What brings the take (N,) to the guide's place (M,), both float32 at 16 kHz."""
    mine, theirs = bands(guide), bands(take)
    levels_here, levels_there = levels(mine), levels(theirs)
    said_here, said_there = np.zeros(len(mine), bool), np.zeros(len(theirs), bool)
    wanted = []
    for p in pieces:
        a, b = _frames(p.guide, len(mine)), _frames(p.take, len(theirs))
        said_here[a], said_there[b] = True, True
        wanted.append(_loudness(levels_here[a]) - _loudness(levels_there[b]))
    each = np.array(wanted, np.float32)
    middle = float(np.clip(np.median(each), -LOUDER, LOUDER)) if len(each) else 0.0
    gains = np.round(np.clip(each, middle - UNEVEN, middle + UNEVEN)).astype(np.float32)
    gains = np.clip(gains, -LOUDER - UNEVEN, LOUDER + UNEVEN)
    here, there = decay(levels_here, said_here), decay(levels_there, said_there)
    room = here if here > max(there + 0.1, _DRY) else 0.0
    return Place(gains, _tilt(guide, take, said_here, said_there), room)


def _frames(span: Doubles, count: int) -> slice:
    return slice(max(int(span[0] * FRAME_RATE), 0), min(int(span[-1] * FRAME_RATE) + 1, count))


def _loudness(level: Floats) -> float:
    """Mean power in dB of the loud half."""
    if not len(level):
        return 0.0
    loud = level[level >= np.median(level)]
    return float(10 * np.log10(np.mean(10 ** (loud.astype(np.float64) / 10))))


def _tilt(guide: Floats, take: Floats, said_here: Bools, said_there: Bools) -> Floats:
    """(3,) dB, mean 0, in steps of 2 dB."""
    difference = _broad(guide, said_here) - _broad(take, said_there)
    steps = np.round((difference - difference.mean()) / _TILT_STEP) * _TILT_STEP
    return np.asarray(np.clip(steps, -TILT, TILT), np.float32)


def _broad(sound: Floats, said: Bools) -> Doubles:
    """(3,) dB of the long-term power of what is said."""
    total, hz = np.zeros(257), np.arange(257) * SPEECH_RATE / 512
    for a, b in runs(said):
        cut = sound[a * HOP : b * HOP]
        for at in range(0, len(cut) - 511, 256):
            total += np.abs(np.fft.rfft(cut[at : at + 512] * np.hanning(512))) ** 2
    return np.array([10 * np.log10(total[(hz >= low) & (hz < high)].mean() + 1e-9) for low, high in BANDS])


def decay(level: Floats, said: Bools) -> float:
    """Seconds to -60 dB, told by how steeply the level falls where speech stops; 0 where it cannot be told.

    Speech fades more slowly than the room or as fast, never faster: the steeper falls are the room's.
    """
    floor, span = float(np.percentile(level, 5)), round(0.08 * FRAME_RATE)
    at = np.arange(span) / FRAME_RATE
    at = at - at.mean()
    cuts = np.lib.stride_tricks.sliding_window_view(level.astype(np.float64), span) if len(level) >= span else np.empty((0, span))
    slopes = cuts @ at / (at @ at)
    rest = cuts - cuts.mean(1, keepdims=True) - slopes[:, None] * at
    near = np.convolve(said, np.ones(2 * span), "same")[: len(cuts)] > 0
    good = (np.sqrt((rest**2).mean(1)) < 2.5) & (slopes < -30) & (cuts[:, -1] > floor + 6) & near if len(cuts) else near
    if good.sum() < 12:
        return 0.0
    seconds = -60 / float(np.percentile(slopes[good], 20))
    return float(np.clip(round(seconds / _DECAY_STEP) * _DECAY_STEP, 0, LONGEST))


def put(sound: Floats, rate: int, pieces: tuple[Piece, ...], place: Place, rng: np.random.Generator) -> Floats:
    """The laid take (M,) at the place, as many samples, none over .97. The take's frames of the guide's time give the gains."""
    made = tilted(sound * _gains(len(sound), rate, pieces, place.gains), rate, place.tilt)
    made = reverberant(made, rate, place.decay, rng)
    top = float(np.abs(made).max(initial=0))
    return np.asarray(made * min(1.0, _TOP / top) if top > 0 else made, np.float32)


def _gains(length: int, rate: int, pieces: tuple[Piece, ...], each: Floats) -> Floats:
    """(length,) factors: a phrase's gain over it, straight in dB between two."""
    if not pieces:
        return np.ones(length, np.float32)
    at: list[float] = []
    for p in pieces:
        start = max(float(p.guide[0]) - _RAMP, at[-1] + 1e-6 if at else -1.0)
        at += [start, max(float(p.guide[-1]), start + 1e-6)]
    made = np.interp(np.arange(length) / rate, at, np.repeat(each, 2))
    return (10 ** (made / 20)).astype(np.float32)


def tilted(sound: Floats, rate: int, tilt: Floats) -> Floats:
    """Three bands raised or lowered, smoothly from one to the next, without delay."""
    if not tilt.any():
        return sound
    half = rate / 2
    hz = np.array([0.0, *(np.sqrt(low * high) for low, high in BANDS), half])
    hz = np.minimum(hz, half * 0.999)
    hz[-1] = half
    grid = np.unique(np.concatenate([[0.0], np.geomspace(50, half * 0.99, 60), [half]]))
    db = np.interp(np.log(grid + 30), np.log(hz + 30), [tilt[0], *tilt, tilt[-1]])
    taps = round(_TAPS * rate) | 1
    shape: Any = firwin2(taps, grid, 10 ** (db / 20), fs=rate)
    return np.asarray(oaconvolve(sound.astype(np.float64), shape)[taps // 2 :][: len(sound)], np.float32)


def reverberant(sound: Floats, rate: int, seconds: float, rng: np.random.Generator) -> Floats:
    """The sound with a tail of noise that falls by 60 dB in `seconds`; as many samples."""
    if seconds <= 0 or not len(sound):
        return sound
    t = np.arange(round(seconds * rate)) / rate
    tail: Array = rng.standard_normal(len(t)) * 10 ** (-3 * t / seconds)
    tail[: round(0.004 * rate)] = 0  # nothing comes back from a wall sooner
    # a speaker at 1 m in a room of 60 m³: the reverberant field stands this far to the direct sound
    share = (1 / (0.057 * np.sqrt(60 / seconds))) ** 2
    tail *= np.sqrt(share / max(float((tail**2).sum()), 1e-12))
    made = oaconvolve(sound.astype(np.float64), tail)[: len(sound)]
    return np.asarray(sound + made, np.float32)


def room_tone(take: Floats, rate: int, spans: list[tuple[float, float]], length: int, rng: np.random.Generator) -> Floats:
    """(length,) noise with the long-term spectrum of the take's pauses; silence if there is too little of them."""
    size = 1 << (rate // 25).bit_length()
    window = np.hanning(size)
    powers = [np.abs(np.fft.rfft(take[at : at + size] * window)) ** 2 for a, b in spans
              for at in range(int(a * rate), min(int(b * rate), len(take)) - size, size // 2)]
    if len(powers) < 4:
        return np.zeros(length, np.float32)
    shape = np.sqrt(np.median(powers, axis=0) / 0.69 / (window**2).sum())  # the median of a power is .69 of its mean
    out = np.zeros(length + 2 * size, np.float32)
    rise = np.sin(np.pi * (np.arange(size) + 0.5) / size)
    for at in range(0, length + size, size // 2):
        noise = np.fft.rfft(rng.standard_normal(size))
        out[at : at + size] += (np.fft.irfft(noise * shape, size) * rise).astype(np.float32)
    return out[size : size + length]
