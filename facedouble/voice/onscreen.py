"""Which face speaks: lips that move while a voice is heard, with it, and rest while it is silent.

Evidence is in nats, for "this face speaks" against "somebody else does". Three kinds are added up for a voice and a face: whether
its lips move in the voice's turns, whether they rest in the others', and whether they open and close with the sound. A face has
one voice at most, and of faces seen together one has it. What stays doubtful has no face.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np
from scipy.ndimage import gaussian_filter1d

from facedouble.types import Array, Doubles, Floats, Turn, Value
from facedouble.voice.code import SPEECH_RATE
from facedouble.voice.listen import STEP, TICK, Heard
from facedouble.voice.voices import NOBODY

GRID: Final = 50  # points/s at which lips and sound are compared
SEEN: Final = 0.6  # of a turn that a face has to be seen in
# Speed of the lips, canonical units/s, mean over a quarter of a second. Of eleven people who speak 95 % of the time over .18
# (10 ** -.75); of the same at rest half under .05. Expressions without speech are as fast as speech.
MOVING, SLOPE = -0.75, 0.15
STILL, MOVED = -2.5, 1.2  # nats/s at most that stillness and motion are worth
WIDEST: Final = 0.15  # canonical units: lips further apart say nothing more
SHUT: Final = 0.03  # lips nearer than that are closing
LAGS: Final = range(-3, 6)  # grid points that the sound may be late: -60 to 100 ms, film is not always in step
BLOCK: Final = 1.5  # s over which lips and sound are correlated
# Sum of two correlations in such a block, at the best lag: .86 +- .38 of a face with its own sound, .45 +- .38 with another's
# speech; at a given lag others have .1 +- .45.
FITTING, WORTH, LUCK = 0.45, 2.5, 1.0  # the middle; nats per unit; nats off for having picked the lag
ENOUGH: Final = 1.5  # nats for a face over nobody, and over the next face seen with it
AGAINST: Final = -1.0  # nats: a turn with less of its own is not that face's, whatever the voice's other turns say


@dataclass(frozen=True)
class Lips(Value):
    """How far a face's lips are apart: `gap` (n,) float32, canonical units, NaN where unknown, at `times` (n,) s of the sound."""

    track: int
    times: Array
    gap: Floats

    def check(self) -> None:
        if self.times.shape != self.gap.shape:
            raise ValueError("every opening of the lips has its time")


@dataclass(frozen=True)
class Sway(Value):
    """A face on the grid, from point `start`: how much its lips move, nats/s; opening and speed to be correlated; NaN unknown."""

    track: int
    start: int
    moving: Doubles
    shut: Doubles
    speed: Doubles

    def part(self, a: int, b: int) -> slice:
        """Its own indices of points [a, b)."""
        return slice(max(a - self.start, 0), max(b - self.start, 0))


def sway(lips: Lips) -> Sway:
    """A face's lips on the grid."""
    start, stop = int(np.ceil(lips.times[0] * GRID)), int(np.floor(lips.times[-1] * GRID)) + 1
    at = np.arange(start, max(stop, start + 1)) / GRID
    known = np.isfinite(lips.gap)
    if known.sum() < 2:
        nothing = np.full(len(at), np.nan)
        return Sway(lips.track, start, nothing, nothing, nothing)
    gap = np.minimum(np.interp(at, lips.times[known], lips.gap[known].astype(np.float64)), WIDEST)
    blind = ~known[np.clip(np.searchsorted(lips.times, at), 0, len(known) - 1)]
    speed = np.gradient(gap) * GRID if len(gap) > 1 else np.zeros(1)
    level = np.log10(np.sqrt(gaussian_filter1d(speed**2, GRID / 5)) + 0.01)
    moving = np.clip((level - MOVING) / SLOPE, STILL, MOVED)
    shut = np.minimum(gap, SHUT)
    out = (moving, shut - gaussian_filter1d(shut, 0.4 * GRID), gaussian_filter1d(speed, 2))
    return Sway(lips.track, start, *(np.where(blind, np.nan, v) for v in out))


@dataclass(frozen=True)
class Tune(Value):
    """The sound on the grid: what lips that close follow, what lips that open follow, and where it is speech."""

    loud: Doubles
    rise: Doubles
    speech: Array


def tune(heard: Heard) -> Tune:
    """What of the sound is compared with lips."""
    at = np.arange(heard.samples * GRID // SPEECH_RATE) / GRID
    if not len(at):
        return Tune(np.zeros(0), np.zeros(0), np.zeros(0, bool))
    high = gaussian_filter1d(heard.high.astype(np.float64), 2)
    smooth = np.interp(at, np.arange(len(high)) * TICK / SPEECH_RATE, np.maximum(high, high.max() - 40))
    sure = np.interp(at, (np.arange(len(heard.speech)) + 0.5) * STEP / SPEECH_RATE, heard.speech)
    rise = np.gradient(gaussian_filter1d(smooth, 2)) if len(smooth) > 1 else np.zeros(1)
    return Tune(smooth - gaussian_filter1d(smooth, 0.3 * GRID), rise, sure > 0.3)


def _alike(a: Array, b: Array) -> float:
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum() + 1e-9))


def in_step(sound: Tune, face: Sway, a: int, b: int) -> Doubles:
    """(lags,) nats that lips follow the sound in grid points [a, b), for each of `LAGS`; 0 where too little is seen."""
    total = np.zeros(len(LAGS))
    count = max(1, round((b - a) / (BLOCK * GRID)))
    edges = np.linspace(a, b, count + 1).astype(int)
    for low, high in pairwise(edges.tolist()):
        if high - low < BLOCK * GRID / 2:
            continue
        for k, lag in enumerate(LAGS):
            i = np.arange(max(low, 0), min(high, len(sound.loud)))
            i = i[sound.speech[i]]
            j = i - lag - face.start
            inside = (j >= 0) & (j < len(face.shut))
            i, j = i[inside], j[inside]
            sees = np.isfinite(face.shut[j])
            i, j = i[sees], j[sees]
            if len(i) >= BLOCK * GRID / 2:
                fits = _alike(sound.loud[i], face.shut[j]) + _alike(sound.rise[i], face.speed[j])
                total[k] += WORTH * (fits - FITTING) * len(i) / (BLOCK * GRID)
    return total


@dataclass(frozen=True)
class Sight(Value):
    """A face in a turn: how much of it is seen, nats for its motion, nats by lag for being in step."""

    seen: float
    motion: float
    step: Doubles


def sight(turn: Turn, sound: Tune, face: Sway) -> Sight:
    """What a face does in a turn."""
    a, b = turn.start * GRID // SPEECH_RATE, -(-turn.stop * GRID // SPEECH_RATE)
    seen = face.moving[face.part(a, b)]
    known = np.isfinite(seen)
    if not known.any():
        return Sight(0.0, 0.0, np.zeros(len(LAGS)))
    return Sight(float(known.sum()) / (b - a), float(seen[known].sum() / GRID), in_step(sound, face, a, b))


def assign(turns: Sequence[Turn], heard: Heard, faces: Sequence[Lips],
           people: Mapping[int, int] | None = None) -> tuple[Turn, ...]:
    """Turns with the faces that speak. people: by track, who it is, if that is known: a person's tracks share their evidence."""
    sound, ways = tune(heard), [sway(f) for f in faces]
    who = {w.track: (people or {}).get(w.track, -1 - w.track) for w in ways}
    spoken = [(k, t) for k, t in enumerate(turns) if not any(f.endswith("?") for f in t.flags)]
    sights = {(k, w.track): s for k, t in spoken for w in ways if (s := sight(t, sound, w)).seen >= SEEN}
    owner = _owners(turns, sights, who, _rests(turns, ways, sound))
    return tuple(replace(t, track=_of_turn(k, t, sights, who, owner)) for k, t in enumerate(turns))


def _rests(turns: Sequence[Turn], ways: Sequence[Sway], sound: Tune) -> dict[tuple[int, int], float]:
    """By voice and track: nats/s times s of the lips' motion where that voice is silent."""
    silent: dict[int, Array] = {}
    for voice in {t.voice for t in turns if t.voice != NOBODY}:
        free = np.ones(len(sound.loud), bool)
        for t in turns:
            if t.voice in (voice, NOBODY):  # with half a second around: lips open before the voice is heard
                free[max(t.start * GRID // SPEECH_RATE - GRID // 2, 0) : t.stop * GRID // SPEECH_RATE + GRID // 2] = False
        silent[voice] = free
    found: dict[tuple[int, int], float] = {}
    for voice, free in silent.items():
        for w in ways:
            low, high = max(w.start, 0), min(w.start + len(w.moving), len(free))
            part = w.moving[low - w.start : high - w.start][free[low:high]] if high > low else np.zeros(0)
            found[voice, w.track] = float(np.nansum(part)) / GRID
    return found


def _worth(seen: Sequence[Sight], rest: float = 0.0) -> float:
    """Nats in all, of one face in some turns. Motion alone is worth little, for people move their lips for many reasons;
    stillness is worth a lot. Faces that are out of step may be badly seen, so that counts little against them.
    """
    motion = sum(s.motion for s in seen)
    step = np.sum([s.step for s in seen], 0)
    fits = float(np.clip(step.max() - LUCK, -1.0, 8.0)) if step.any() else 0.0
    return float(np.clip(motion, -10, 1.5)) + (float(np.clip(-rest, -1.0, 2.5)) if motion > 0 else 0.0) + fits


def _owners(turns: Sequence[Turn], sights: Mapping[tuple[int, int], Sight], who: Mapping[int, int],
            rests: Mapping[tuple[int, int], float]) -> dict[int, tuple[int, float]]:
    """By person: the voice that is theirs, and the nats for it."""
    score: dict[tuple[int, int], float] = {}
    tracks: dict[int, list[int]] = {}
    for track, person in who.items():
        tracks.setdefault(person, []).append(track)
    for voice in sorted({t.voice for t in turns if t.voice != NOBODY}):
        ks = [k for k, t in enumerate(turns) if t.voice == voice]
        for person, theirs in tracks.items():
            own = [t for t in theirs if any((k, t) in sights for k in ks)]
            if own:
                score[voice, person] = sum(_worth([sights[k, t] for k in ks if (k, t) in sights], rests[voice, t]) for t in own)
    owner: dict[int, tuple[int, float]] = {}
    for (voice, person), nats in sorted(score.items(), key=lambda one: (-one[1], one[0])):
        together = _rivals(voice, person, turns, sights, who)
        rival = max((score[voice, p] for p in together if (voice, p) in score), default=-np.inf)
        taken = any(owner[p][0] == voice for p in together if p in owner)
        if nats >= ENOUGH and nats - rival >= ENOUGH and not taken and person not in owner:
            owner[person] = voice, nats
    return owner


def _rivals(voice: int, person: int, turns: Sequence[Turn], sights: Mapping[tuple[int, int], Sight],
            who: Mapping[int, int]) -> set[int]:
    """Who else is seen in turns of the voice that the person is seen in."""
    mine = {k for k, t in sights if who[t] == person and turns[k].voice == voice}
    return {who[t] for k, t in sights if k in mine} - {person}


def _of_turn(k: int, turn: Turn, sights: Mapping[tuple[int, int], Sight], who: Mapping[int, int],
             owner: Mapping[int, tuple[int, float]]) -> int | None:
    """The face that speaks in a turn: that of the voice's owner, unless what is seen in the turn itself says otherwise."""
    if turn.voice == NOBODY:
        return None
    own = {t: _worth([s]) for (i, t), s in sights.items() if i == k}
    theirs = [t for t in own if owner.get(who[t], (NOBODY,))[0] == turn.voice]
    if len(theirs) != 1:
        return None
    track, = theirs
    rival = max((nats for t, nats in own.items() if t != track), default=-np.inf)
    return track if own[track] >= AGAINST and own[track] >= rival - ENOUGH else None


def split(turns: Sequence[Turn], cuts: Sequence[float]) -> Iterator[Turn]:
    """Turns cut where the picture is, for another face may be seen from there on; cuts in samples, ascending."""
    least = SPEECH_RATE // 10
    for turn in turns:
        inner = [round(c) for c in cuts if turn.start + least <= c <= turn.stop - least]
        for a, b in zip([turn.start, *inner], [*inner, turn.stop], strict=True):
            yield replace(turn, start=a, stop=b)
