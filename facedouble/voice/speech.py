"""What was heard -> turns: where somebody speaks, cut at pauses and where the voice changes, and which voice it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from scipy.ndimage import gaussian_filter1d

from facedouble.types import Array, Floats, Turn, Value
from facedouble.voice.code import SPEECH_RATE
from facedouble.voice.listen import LOOK, STEP, TICK, Heard
from facedouble.voice.voices import ALIKE, NOBODY, alike, follow, gather, several

ON, OFF = 0.5, 0.35  # probability with which speech begins, and under which it ends
PAUSE: Final = 0.30  # s: what is shorter does not end a turn
SHORT: Final = 0.10  # s: less is no speech
BEFORE, AFTER = 0.12, 0.18  # s that a turn has more than the detector says: it misses soft beginnings and ends
SEEK: Final = 0.30  # s around a change of voice in which the quietest place is looked for
PIECE: Final = 0.25  # s: a change of voice leaves no turn shorter than that
SURER: Final = 0.08  # similarity by which a turn with a look or two has to be nearer to its voice than to others
LOUD: Final = 12.0  # dB over the quiet of the clip: a sound that is no speech is worth a listener's ear
FLOOR: Final = -65.0  # dB re full scale: what is softer is nothing
SOUND: Final = 0.25  # s: so long it has to be


@dataclass(frozen=True)
class Spoken(Value):
    """The turns of a clip, in order, and the mean print of each of its voices (v, D): compare with `voices.alike`."""

    turns: tuple[Turn, ...]
    voices: Floats


@dataclass(frozen=True)
class Looks(Value):
    """Looks at one stretch of speech: (n,) first samples, (n, v) similarity to each voice, (n,) whose, `NOBODY` of several."""

    at: Array
    near: Floats
    whose: Array


def turns(heard: Heard) -> Spoken:
    """Who speaks when, as far as it can be heard. What nobody can be told for has voice -1."""
    spans = stretches(heard.speech, heard.samples)
    middle = heard.at + LOOK // 2
    number = np.full(len(middle), -1)
    for k, (a, b) in enumerate(spans):
        number[np.searchsorted(middle, a) : np.searchsorted(middle, b)] = k
    inside = number >= 0
    at, number, prints = heard.at[inside], number[inside], heard.prints[inside].astype(np.float32)
    voices = gather(prints, number)
    near = np.asarray(prints @ voices.T, np.float32)
    nearest = near.argmax(1) if len(near) else number
    usual = np.array([np.median(near[nearest == v, v]) if (nearest == v).any() else 1.0 for v in range(len(voices))])
    made: list[Turn] = []
    for k, (a, b) in enumerate(spans):
        low, high = np.searchsorted(number, [k, k + 1]).tolist()
        made += _of_one(a, b, _told(at[low:high], near[low:high], usual, heard.speech), heard.level)
    both = (*padded(made, heard.samples), *others(heard, spans))
    return Spoken(tuple(sorted(both, key=lambda t: (t.start, t.stop))), voices)


def _told(at: Array, near: Floats, usual: Array, speech: Floats) -> Looks:
    """Looks at one stretch with whose they are."""
    if not len(at):
        return Looks(at, near, np.zeros(0, np.int32))
    path = follow(near)
    sure = np.array([speech[a // STEP : (a + LOOK) // STEP].mean() for a in at.tolist()])
    return Looks(at, near, np.where(several(near, path, usual, sure), NOBODY, path))


def stretches(speech: Floats, samples: int) -> list[tuple[int, int]]:
    """Spans of samples with unbroken speech, by hysteresis; pauses under `PAUSE` do not break it."""
    spans: list[tuple[int, int]] = []
    edges = np.flatnonzero(np.diff(np.r_[0, (speech >= OFF).astype(np.int8), 0]))
    for a, b in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if speech[a:b].max() < ON or (b - a) * STEP < SHORT * SPEECH_RATE:
            continue
        if spans and a * STEP - spans[-1][1] < PAUSE * SPEECH_RATE:
            spans[-1] = spans[-1][0], b * STEP
        else:
            spans.append((a * STEP, b * STEP))
    return [(a, min(b, samples)) for a, b in spans]


def _of_one(start: int, stop: int, looks: Looks, level: Floats) -> list[Turn]:
    """The turns of one stretch of speech."""
    at = looks.at
    if not len(at):
        return [Turn(start, stop, NOBODY, None, ("short",))]
    runs = np.split(np.arange(len(at)), np.flatnonzero(np.diff(looks.whose)) + 1)
    ends = [*(_quietest(int(at[r[0] - 1] + at[r[0]]) // 2 + LOOK // 2, level) for r in runs[1:]), stop]
    made: list[Turn] = []
    for end, run in zip(ends, runs, strict=True):
        begin = made[-1].stop if made else start
        if made and end - begin < PIECE * SPEECH_RATE:  # too short for a change that is to be believed
            made[-1] = replace(made[-1], stop=max(end, begin))
        elif end > begin:
            voice = int(looks.whose[run[0]])
            sure = voice != NOBODY and _sure(looks.near[run].mean(0), voice, len(run))
            flags = () if sure else ("overlap",) if voice == NOBODY else ("unsure",)
            made.append(Turn(begin, end, voice if sure else NOBODY, None, flags))
    return made


def _sure(near: Array, voice: int, looks: int) -> bool:
    """Whether it is that voice: near enough, and with few looks nearer than to all others."""
    rival = np.delete(near, voice).max() if len(near) > 1 else -1.0
    return bool(near[voice] >= (ALIKE if looks > 2 else ALIKE - 0.07) and (looks > 2 or near[voice] - rival >= SURER))


def _quietest(sample: int, level: Floats) -> int:
    """The sample of the quietest place around a sample; what is farther off has to be quieter, by 3 dB at the edge."""
    reach, at = round(SEEK * SPEECH_RATE / TICK), sample // TICK
    low, high = max(at - reach, 0), min(at + reach + 1, len(level))
    if high <= low:
        return sample
    off = 3 * np.abs(np.arange(low, high) - at) / reach
    return (low + int((gaussian_filter1d(level[low:high], 2) + off).argmin())) * TICK


def padded(made: Sequence[Turn], samples: int) -> list[Turn]:
    """Turns with `BEFORE` and `AFTER`; between neighbours what there is of a pause is shared out."""
    out: list[Turn] = []
    before, after = round(BEFORE * SPEECH_RATE), round(AFTER * SPEECH_RATE)
    for k, turn in enumerate(made):
        left = turn.start - made[k - 1].stop if k else turn.start
        right = made[k + 1].start - turn.stop if k + 1 < len(made) else samples - turn.stop
        start = turn.start - min(before, left if not k else left * before // (before + after))
        stop = turn.stop + min(after, right if k + 1 == len(made) else right - right * before // (before + after))
        out.append(replace(turn, start=max(start, 0), stop=min(stop, samples)))
    return out


def others(heard: Heard, spans: Sequence[tuple[int, int]]) -> Iterator[Turn]:
    """Sounds between the speech that a listener should hear: they may be laughter, crying, breath, or nobody's."""
    if not len(heard.level):
        return
    quiet = max(float(np.percentile(heard.level, 10)), FLOOR - LOUD / 2)
    loud = gaussian_filter1d(heard.level, 3) > quiet + LOUD
    pad = round(AFTER * SPEECH_RATE)
    for a, b in spans:
        loud[max(a - pad, 0) // TICK : -(-(b + pad) // TICK)] = False
    edges = np.flatnonzero(np.diff(np.r_[0, loud.astype(np.int8), 0]))
    for a, b in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if (b - a) * TICK >= SOUND * SPEECH_RATE:
            kind = guess(heard.level[a:b], heard.voiced[a:b])
            yield Turn(a * TICK, min(b * TICK, heard.samples), NOBODY, None, (kind,))


def guess(level: Floats, voiced: Floats) -> str:
    """What a sound that is no speech may be, from its levels and how voiced it is, one each 10 ms. No more than a hint.

    Breath is noise, and short. Laughter and sobs are voiced bursts, three to eight of them a second.
    """
    seconds = len(level) * TICK / SPEECH_RATE
    if np.median(voiced) < 0.45 and seconds < 1.5:
        return "breath?"
    smooth = gaussian_filter1d(level, 2)
    up = np.flatnonzero(np.diff(np.sign(smooth - gaussian_filter1d(level, 12))) > 0)
    bursts = len(up) / seconds
    if np.median(voiced) > 0.55 and 3 <= bursts <= 8 and float(np.std(smooth)) > 3:
        return "laughter?"
    return "not speech?"


def as_rows(turns: Iterable[Turn]) -> list[list[Any]]:
    """Turns as plain lists, for a file of JSON: start, stop, voice, track, flags."""
    return [[t.start, t.stop, t.voice, t.track, list(t.flags)] for t in turns]


def of_rows(rows: Iterable[Sequence[Any]]) -> tuple[Turn, ...]:
    """Turns of `as_rows`; ValueError if they are none."""
    return tuple(_turn(row) for row in rows)


def _turn(row: Sequence[Any]) -> Turn:
    try:
        start, stop, voice, track, flags = row
    except (TypeError, ValueError):
        raise ValueError(f"{row!r} is no turn") from None
    numbers = (start, stop, voice, 0 if track is None else track)
    if any(type(n) is not int for n in numbers) or not isinstance(flags, list | tuple) or any(type(f) is not str for f in flags):
        raise ValueError(f"{row!r} is no turn")
    return Turn(start, stop, voice, track, tuple(flags))


def same_voices(known: Mapping[str, Floats], voices: Floats, least: float = 0.7) -> dict[int, str]:
    """Voices of another clip (v, D) that are known already, by name: each to its nearest, if that is near and nobody else's."""
    scores = sorted(((alike(p, voices[v]), v, name) for name, p in known.items() for v in range(len(voices))), reverse=True)
    found: dict[int, str] = {}
    for score, v, name in scores:
        if score >= least and v not in found and name not in found.values():
            found[v] = name
    return found
