"""The voice double by performance: a volunteer speaks the lines, and the recording is laid on the witness's timing.

`measure` looks at both recordings and gives numbers; `perform` makes the sound from the take and those numbers. The witness's
sound does not reach `perform`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import soxr

from facedouble.errors import TakeRefused
from facedouble.types import Floats, Value
from facedouble.voice.align import Path, align
from facedouble.voice.code import SPEECH_RATE
from facedouble.voice.front import FRAME_RATE, Content, Front, listen
from facedouble.voice.room import Place, compare, put, room_tone
from facedouble.voice.stretch import lay, quiet_parts
from facedouble.voice.timing import Piece, pieces

LONGEST: Final = 600.0  # s of one turn; more is cut into turns
_LONG: Final = 2.2  # times the witness's speech that a take's may last
_SHORT: Final = 0.45
_SILENT: Final = 1e-3  # -60 dB full scale
_CLIPPED: Final = 1e-3  # share of the samples that may stand at the top, in rows of three or more
_ODD: Final = 0.56  # of the distance of frames taken at random: these words are perhaps not those
_HARD: Final = 1.9  # stretch that is heard


@dataclass(frozen=True)
class Score(Value):
    """All that passes from the witness: when each piece is spoken, how loudly, at what place, how long the whole is in samples.

    doubts (P,) float32: how unlike the take and the guide are there, 1: as frames taken at random.
    """

    pieces: tuple[Piece, ...]
    place: Place
    samples: int
    doubts: Floats


@dataclass(frozen=True)
class Misfit(Value):
    """A stretch of the guide, in s, that the take does not fit, and why."""

    start: float
    stop: float
    why: str


@dataclass(frozen=True)
class Fitted(Value):
    """sound (M,) float32, as long as the guide; its score; the largest stretch (least and most); what does not fit."""

    sound: Floats
    score: Score
    least: float
    most: float
    misfits: tuple[Misfit, ...]


def fit(take: Floats, guide: Floats, rate: int, content: Content | None = None, seed: int = 0) -> Fitted:
    """The take (N,) on the timing of the guide (M,), both float32 mono at `rate`. TakeRefused says why one cannot be used."""
    score = measure(take, guide, rate, content)
    spans = [p.stretch() for p in score.pieces]
    return Fitted(perform(take, score, rate, seed), score, min(s[0] for s in spans), max(s[1] for s in spans),
                  misfits(score))


def measure(take: Floats, guide: Floats, rate: int, content: Content | None = None) -> Score:
    """Everything that `perform` needs to know of the guide."""
    check(take, rate)
    here, there = _at_speech_rate(guide, rate), _at_speech_rate(take, rate)
    _usable(here, "the witness's turn")
    mine, theirs = listen(here, content), listen(there, content)
    _long_enough(mine, theirs)
    path = align(mine, theirs)
    found = pieces(path, mine, theirs) if len(path.pairs) else ()
    if not found:
        raise TakeRefused("the take does not follow the witness's words: speak the same words in the same order, and pause where "
                          "the witness does")
    return Score(found, compare(here, there, found), len(guide), _doubts(path, found))


def perform(take: Floats, score: Score, rate: int, seed: int = 0) -> Floats:
    """(score.samples,) float32 out of the take alone."""
    rng = np.random.default_rng(seed)
    tone = room_tone(take, rate, quiet_parts(score.pieces, len(take) / rate), score.samples, rng)
    laid = lay(take, rate, score.pieces, score.samples, tone)
    return put(laid, rate, score.pieces, score.place, rng)


def check(take: Floats, rate: int) -> None:
    """TakeRefused for a take that no timing can mend."""
    if take.ndim != 1 or not rate >= 8000:
        raise TakeRefused("the take has to be one channel of sound at 8000 samples/s or more")
    _usable(take, "the take")
    if len(take) > LONGEST * rate:
        raise TakeRefused(f"the take is longer than {LONGEST / 60:.0f} minutes: record it turn by turn")
    top = float(np.abs(take).max())
    if top > 0.5:
        high = np.concatenate([[0], (np.abs(take) >= top * 0.999).astype(np.int8), [0]])
        starts, stops = np.flatnonzero(np.diff(high) == 1), np.flatnonzero(np.diff(high) == -1)
        flat = int((stops - starts)[stops - starts >= 3].sum())
        if flat > _CLIPPED * len(take):
            raise TakeRefused("the take is clipped: turn the microphone down, or move away from it, and record it again")


def _usable(sound: Floats, what: str) -> None:
    if not np.isfinite(sound).all():
        raise TakeRefused(f"{what} holds numbers that are no sound: copy or record it again")
    if not len(sound):
        raise TakeRefused(f"{what} is empty: there is no sound in it")
    if float(np.abs(sound).max()) < _SILENT:
        raise TakeRefused(f"{what} is silent: nobody is heard in it")


def _long_enough(guide: Front, take: Front) -> None:
    here, there = ((~f.quiet).sum() / FRAME_RATE for f in (guide, take))
    if min(here, there) < 0.1:
        raise TakeRefused(f"nobody is heard to speak in {'the take' if there < 0.1 else 'the turn of the witness'}")
    for wrong, word in ((there > _LONG * here, "long"), (there < _SHORT * here, "short")):
        if wrong:
            raise TakeRefused(f"the take is far too {word}: it speaks for {there:.1f} s and the witness for {here:.1f} s; say "
                              "these words only, and about as fast")


def _at_speech_rate(sound: Floats, rate: int) -> Floats:
    if rate == SPEECH_RATE:
        return np.asarray(sound, np.float32)
    return np.asarray(soxr.resample(np.asarray(sound, np.float32), rate, SPEECH_RATE), np.float32)


def _doubts(path: Path, found: tuple[Piece, ...]) -> Floats:
    """(P,) middle cost of each piece's pairs."""
    times = (path.pairs[:, 0] + 0.5) / FRAME_RATE
    inside = [path.cost[(times >= p.guide[0]) & (times <= p.guide[-1])] for p in found]
    return np.array([np.median(c) if len(c) else 1 for c in inside], np.float32)


def misfits(score: Score) -> tuple[Misfit, ...]:
    """What a listener should hear, and may want spoken again."""
    made: list[Misfit] = []
    for p, doubt in zip(score.pieces, score.doubts, strict=True):
        least, most = p.stretch()
        start, stop = float(p.guide[0]), float(p.guide[-1])
        if most > _HARD:
            made.append(Misfit(start, stop, "spoken too fast: speak these words more slowly"))
        if least < 1 / _HARD:
            made.append(Misfit(start, stop, "spoken too slowly: speak these words faster"))
        if doubt > _ODD:
            made.append(Misfit(start, stop, "the words do not sound like the witness's here: were they the same?"))
    return tuple(made)
