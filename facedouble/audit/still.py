"""How loud a sound is where little or nothing may be heard: digital silence, a steady room tone, a bleep and nothing below it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from facedouble.audit.said import BESIDE, Said, Spans
from facedouble.types import Array, Bools, Doubles, Floats, Value

STEP: Final = 0.05  # s that are looked at together
EDGES: Final = (80.0, 400.0, 1600.0, 6400.0)  # Hz: borders of the bands; the last goes up to half the rate
TONE: Final = (900.0, 1100.0)  # Hz, of a bleep
FAINT: Final = -75.0  # dB of full scale in a band: what is under it is not heard, and no finding
AAC: Final = 2048  # samples of a block: a loud sound is smeared over as many


@dataclass(frozen=True)
class Loud(Value):
    """What is too loud: ms of the clip; dB over what may be there; kind: "silence", "tone", "below a bleep", "no bleep"."""

    start: int
    stop: int
    over: float
    kind: str


@dataclass(frozen=True)
class Stillness(Value):
    """Of one stream: s of each kind that were looked at; the loudest of each, dB; what is too loud."""

    seconds: dict[str, float]
    worst: dict[str, float]
    found: tuple[Loud, ...]


@dataclass(frozen=True)
class Most(Value):
    """Limits, dB: silence, of full scale; tone, over its own median in a band; below, over that under a bleep."""

    silence: float
    tone: float
    below: float


def stillness(blocks: Iterable[Floats], rate: int, first: float, said: Said, most: Most) -> Stillness:
    """Blocks (n, C) of a stream whose sample 0 is at `first` s from the clip's first picture.

    Four numbers are kept for each step of 50 ms in which nothing but a tone may be heard: an hour takes .6 MB.
    """
    size = max(round(STEP * rate), 16)
    margin = 1000 * AAC // rate + 1
    still = _inside(said.still(), margin)
    bleeps = {True: tuple((a - BESIDE, b + BESIDE) for a, b, tone in said.bleeps if tone is not False),
              False: tuple((a - BESIDE, b + BESIDE) for a, b, tone in said.bleeps if tone is False)}
    found: list[Loud] = []
    seconds, worst = {"silence": 0.0, "tone": 0.0, "bleep": 0.0}, {"silence": -200.0, "tone": -200.0, "bleep": -200.0}
    steps: list[tuple[int, Array]] = []
    covered: list[tuple[int, Array, float, bool]] = []
    for k, block in enumerate(_steps(blocks, size)):
        at = round(first * rate) + k * size
        start, stop = at * 1000 // rate, (at + len(block)) * 1000 // rate
        if said.silent:
            level = _db(float(np.abs(np.nan_to_num(block, nan=1.0)).max(initial=0))**2)
            seconds["silence"] += len(block) / rate
            worst["silence"] = max(worst["silence"], level)
            if level > most.silence:
                found.append(Loud(max(start, 0), max(stop, 1), level - most.silence, "silence"))
        elif len(block) == size and _whole(still, start, stop):
            steps.append((start, _levels(block, rate)[0]))
        elif len(block) == size and (_whole(bleeps[True], start, stop) or _whole(bleeps[False], start, stop)):
            levels, share = _levels(block, rate)
            covered.append((start, levels, share, _whole(bleeps[True], start, stop)))
    if steps:
        table = np.array([levels for _, levels in steps])
        middle = np.maximum(np.median(table, 0), FAINT)
        over = (table - middle).max(1)
        seconds["tone"], worst["tone"] = len(steps) * STEP, float(over.max())
        found += [Loud(max(start, 0), start + 50, float(o - most.tone), "tone")
                  for (start, _), o in zip(steps, over, strict=True) if o > most.tone]
    else:
        middle = np.full(len(EDGES), FAINT)
    for start, levels, share, tone in covered:
        over = float((levels - np.maximum(middle, FAINT)).max())
        seconds["bleep"] += STEP
        worst["bleep"] = max(worst["bleep"], over)
        if over > most.below:
            found.append(Loud(max(start, 0), start + 50, over - most.below, "below a bleep"))
        elif tone and share < 0.5 and said_tone(said, start):
            found.append(Loud(max(start, 0), start + 50, 0.0, "no bleep"))
    return Stillness(seconds, worst, tuple(found))


def said_tone(said: Said, ms: int) -> bool:
    """Whether a tone has to lie over this moment and the next 50 ms."""
    return any(tone is True and a <= ms and ms + 50 <= b for a, b, tone in said.bleeps)


def _inside(spans: Spans, margin: int) -> Spans:
    return tuple((a + margin * (a > 0), b - margin) for a, b in spans if a + margin < b - margin)


def _whole(spans: Sequence[tuple[int, int]], start: int, stop: int) -> bool:
    return any(a <= start and stop <= b for a, b in spans)


def _steps(blocks: Iterable[Floats], size: int) -> Iterator[Floats]:
    """The same sound in steps of `size`; the last may be shorter."""
    held: list[Floats] = []
    count = 0
    for block in blocks:
        held.append(block)
        count += len(block)
        if count >= size:
            whole = np.concatenate(held)
            for start in range(0, count - size + 1, size):
                yield whole[start:start + size]
            held = [whole[count // size * size:]]
            count = len(held[0])
    if count:
        yield np.concatenate(held)


def _levels(block: Floats, rate: int) -> tuple[Doubles, float]:
    """Levels, dB of full scale, of each band in the loudest channel, without a bleep's tone; the tone's share of the power."""
    sound = np.nan_to_num(block.astype(np.float64), nan=1.0, posinf=1.0, neginf=1.0)
    taper = np.blackman(len(sound))[:, None]
    power = np.abs(np.fft.rfft(sound * taper, axis=0))**2 * 2 / np.sum(taper)**2 / 1.5
    at = np.fft.rfftfreq(len(sound), 1 / rate)
    tone: Bools = (at > TONE[0]) & (at < TONE[1])
    share = float(power[tone].sum() / max(power.sum(), 1e-20))
    edges = [*(e for e in EDGES if e < rate / 2), np.inf]
    bands = np.zeros(len(EDGES))
    for k, (a, b) in enumerate(pairwise(edges)):
        bands[k] = power[(at >= a) & (at < b) & ~tone].sum(0).max()
    return np.asarray(10 * np.log10(np.maximum(bands, 1e-20))), share


def _db(power: float) -> float:
    return float(10 * np.log10(max(power, 1e-20)))


