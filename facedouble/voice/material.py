"""Whether a volunteer's recordings will do for a voice double: how much speech, how clean, and one voice only.

The limits were set on the shared speech and on copies of it that were clipped, mixed with noise, music and other voices
(`bench/voice_casting.py material`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from facedouble.types import Array, Bools, Doubles, Floats, Value
from facedouble.voice.code import SPEECH_RATE
from facedouble.voice.listen import STEP, TICK, Heard

LEAST, WELL, MOST = 15.0, 60.0, 300.0  # s of speech: less is refused, less makes a plain voice, what is more is left out
SOME: Final = 0.5  # s: less speech in a recording is none
SPOKEN, SILENT = 0.5, 0.2  # probability of speech
MARGIN: Final = 0.2  # s around speech that count as neither speech nor pause
LEAST_PAUSE: Final = 0.3  # s of pauses that the noise is read from
NOISE = (10.0, 20.0)  # dB that the speech is over the noise: less is refused, less is warned of
SOFT: Final = -50.0  # dB re full scale: softer speech was recorded far too low
CLIPPED = (0.02, 0.002)  # share of the samples at the top: more is refused, more is warned of
TOP: Final = 0.995  # of the largest sample: what is above is at the top
TONAL: Final = 0.75  # how periodic the pauses are, in the middle: more is a hum, music or somebody else
HEARD: Final = 25.0  # dB under the speech: what is softer is not worth a word
NARROW: Final = -45.0  # dB of what is above `HIGH` re all: less came over a telephone
HIGH: Final = 4_200.0  # Hz
SMOOTH: Final = 8  # looks, 1.6 s: of one of them alone nobody can be told apart
SECOND: Final = 0.10  # share of the looks that a second voice has to have
ONE_VOICE = (0.75, 0.80)  # cosine of the two halves that differ most: less is two people, less may be


@dataclass(frozen=True)
class Recording(Value):
    """What is known of one file: what was heard in it, the share of clipped samples, the level above `HIGH` re all, dB."""

    name: str
    heard: Heard
    clipped: float
    high: float


@dataclass(frozen=True)
class Remark(Value):
    """What is wrong, and with which recording ("" = all of them), and what to do. `refused`: no voice is made of it."""

    recording: str
    words: str
    refused: bool

    def __str__(self) -> str:
        return f"{self.recording}: {self.words}" if self.recording else self.words


@dataclass(frozen=True)
class Material(Value):
    """The recordings together: seconds of speech, and the remarks, refusals first."""

    seconds: float
    remarks: tuple[Remark, ...]

    @property
    def refused(self) -> bool:
        """Whether no voice can be made of this."""
        return any(r.refused for r in self.remarks)


class Gauge:
    """Takes a recording at its own rate, block by block: how much of it is clipped, and how high it reaches."""

    def __init__(self, rate: int) -> None:
        self._rate, self._size = rate, 1 << (rate // 25).bit_length()
        self._window = np.hanning(self._size)
        self._power: Doubles = np.zeros(self._size // 2 + 1)
        self._rest = np.zeros(0, np.float32)
        self._counts: dict[int, int] = {}

    def add(self, block: Floats) -> None:
        """Hear (N, C) samples more."""
        sound = np.nan_to_num(block, posinf=0, neginf=0)
        sizes = np.round(np.abs(sound[np.abs(sound) > 0.01]) * 2048).astype(np.int64)
        for size, count in zip(*np.unique(sizes, return_counts=True), strict=True):
            self._counts[int(size)] = self._counts.get(int(size), 0) + int(count)
        self._rest = np.concatenate([self._rest, sound.mean(1)])
        count = len(self._rest) // self._size
        for piece in self._rest[: count * self._size].reshape(count, self._size):
            self._power += np.abs(np.fft.rfft(piece * self._window)) ** 2
        self._rest = self._rest[count * self._size :].copy()

    @property
    def clipped(self) -> float:
        """The share of what is not silent that lies at the largest value, where speech has next to nothing."""
        total, largest = sum(self._counts.values()), max(self._counts, default=0)
        return sum(n for size, n in self._counts.items() if size >= TOP * largest) / total if total else 0.0

    @property
    def high(self) -> float:
        """The level of what is above `HIGH` re what is above 100 Hz, dB."""
        at = np.fft.rfftfreq(self._size, 1 / self._rate)
        whole, high = self._power[at >= 100].sum(), self._power[at >= HIGH].sum()
        return float(10 * np.log10((high + 1e-20) / (whole + 1e-20)))


def examine(recordings: Sequence[Recording]) -> Material:
    """All that there is to say about a volunteer's recordings."""
    remarks = [r for recording in recordings for r in _one(recording)]
    seconds = sum(spoken(r.heard) for r in recordings)
    all_of_it = f"{seconds:.0f} s of speech in all"
    if seconds < LEAST:
        remarks.append(Remark("", f"{all_of_it}; at least {LEAST:.0f} s are needed, and 5 minutes are best", True))
    elif seconds < WELL:
        remarks.append(Remark("", f"{all_of_it}; a minute or more makes a voice that is easier to understand", False))
    elif seconds > MOST:
        remarks.append(Remark("", f"{all_of_it}; only the first {MOST:.0f} s are used", False))
    alike = halves([r.heard for r in recordings])
    if alike < ONE_VOICE[0]:
        words = f"more than one person speaks (likeness {alike:.2f}); leave out what is not the volunteer's"
        remarks.append(Remark("", words, True))
    elif alike < ONE_VOICE[1]:
        words = f"it may be more than one person, or one who changes the voice (likeness {alike:.2f}); listen again"
        remarks.append(Remark("", words, False))
    return Material(seconds, tuple(sorted(remarks, key=lambda r: not r.refused)))


def spoken(heard: Heard) -> float:
    """Seconds of speech."""
    return float((heard.speech >= SPOKEN).sum()) * STEP / SPEECH_RATE


def loudness(heard: Heard) -> tuple[float, float, float]:
    """Level of the speech and of the pauses, dB re full scale, and how periodic the pauses are.

    Where there is no pause its level is that of the softest speech.
    """
    speech, pause = _ticks(heard)
    if not speech.any():
        return -100.0, -100.0, 0.0
    loud = _mean(heard.level[speech])
    if pause.sum() * TICK < LEAST_PAUSE * SPEECH_RATE:
        return loud, float(np.percentile(heard.level, 2)), 0.0
    level = heard.level[pause]
    return loud, _mean(np.minimum(level, np.percentile(level, 90))), float(np.median(heard.voiced[pause]))


def halves(heard: Sequence[Heard]) -> float:
    """How alike the two voices are that the looks fall into: cosine, 1 if there are too few to say."""
    prints = together(heard)
    if len(prints) < 2 * SMOOTH:
        return 1.0
    widest = np.linalg.svd(prints - prints.mean(0), full_matrices=False)[2][0]
    across = (prints - prints.mean(0)) @ widest
    starts = [across > 0, across > np.median(across), *(prints @ prints[k] < np.median(prints @ prints[k]) for k in (0, -1))]
    return min(_apart(prints, start) for start in starts)


def together(heard: Sequence[Heard]) -> Doubles:
    """The smoothed voice prints (n, D) of several recordings."""
    rows = [s for s in map(smoothed, heard) if len(s)]
    return np.concatenate(rows) if rows else np.zeros((0, 1))


def smoothed(heard: Heard) -> Doubles:
    """Voice prints (n, D) of length 1 over `SMOOTH` looks each that follow one another, overlapping by half."""
    prints = heard.prints.astype(np.float64)
    count = max((len(prints) - SMOOTH // 2) // (SMOOTH // 2), 0)
    rows = [prints[k * SMOOTH // 2 : k * SMOOTH // 2 + SMOOTH].mean(0) for k in range(count)]
    return _unit(np.array(rows)) if rows else np.zeros((0, prints.shape[1] if prints.ndim == 2 else 1))


def _apart(prints: Doubles, mine: Bools) -> float:
    """How alike two groups are, from a first guess on; 1 if one of them becomes too small to be a person."""
    middles = np.zeros((2, prints.shape[1]))
    for _ in range(20):
        if min(mine.sum(), (~mine).sum()) < max(SECOND * len(mine), 2):
            return 1.0
        middles = _unit(np.stack([prints[~mine].mean(0), prints[mine].mean(0)]))
        mine = np.diff(prints @ middles.T, axis=1)[:, 0] > 0
    return float(middles[0] @ middles[1])


def _unit(rows: Doubles) -> Doubles:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9))


def _mean(level: Array) -> float:
    return float(10 * np.log10(np.mean(10 ** (level.astype(np.float64) / 10))))


def _ticks(heard: Heard) -> tuple[Bools, Bools]:
    """Which levels are of speech, and which of pauses."""
    if not len(heard.speech) or not len(heard.level):
        return np.zeros(len(heard.level), bool), np.zeros(len(heard.level), bool)
    sure = heard.speech[np.minimum(np.arange(len(heard.level)) * TICK // STEP, len(heard.speech) - 1)]
    reach = round(MARGIN * SPEECH_RATE / TICK)
    near = np.convolve(sure >= SILENT, np.ones(2 * reach + 1), "same") > 0 if len(sure) > 2 * reach else np.ones(len(sure), bool)
    return sure >= SPOKEN, ~near


def _one(r: Recording) -> list[Remark]:
    found: list[Remark] = []

    def say(words: str, refused: bool = False) -> None:
        found.append(Remark(r.name, words, refused))

    if spoken(r.heard) < SOME:
        say("no speech was found in it; leave it out", True)
        return found
    loud, noise, tonal = loudness(r.heard)
    if loud < SOFT:
        say(f"far too soft ({loud:.0f} dB); go nearer to the microphone", True)
    elif loud - noise < NOISE[0]:
        say(f"noise is only {loud - noise:.0f} dB below the voice; record in a quiet room, near to the microphone", True)
    elif loud - noise < NOISE[1]:
        say(f"noise is {loud - noise:.0f} dB below the voice, and will be heard; a quieter room is better")
    if tonal > TONAL and loud - noise < HEARD:
        say("there is a hum, music or another voice in the pauses; switch it off and record again")
    if r.clipped > CLIPPED[0]:
        say(f"too loud: {r.clipped:.1%} of it is cut off at the top; turn the recording level down", True)
    elif r.clipped > CLIPPED[1]:
        say(f"too loud in places: {r.clipped:.1%} of it is cut off at the top; turn the recording level down")
    if r.high < NARROW:
        say("nothing above 4 kHz, as over a telephone; the voice will sound like that; record it with a microphone")
    return found
