"""Listening to the finished film like an enemy: its sound against the footage's, second after second, in one pass."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Final

import numpy as np
import soxr

from facedouble.audit import heard as checks
from facedouble.audit.heard import Stream, untried
from facedouble.audit.lag import Lag, Lateness
from facedouble.audit.residual import RATE
from facedouble.audit.said import Said, Spans, flags
from facedouble.audit.still import Most, stillness
from facedouble.audit.traces import Trace, Traces
from facedouble.audit.verdict import Check
from facedouble.audit.voices import Listener, Piece, attackers
from facedouble.errors import InputRefused, ModelError
from facedouble.media.encode import AAC_RATES
from facedouble.media.probe import probe
from facedouble.media.recording import blocks, recording
from facedouble.media.sound import pcm, sample_count
from facedouble.models.judge import Speaker, judge
from facedouble.models.words import Words, load_words
from facedouble.options import AuditOptions
from facedouble.pipeline.audit.expected import LAYOUTS
from facedouble.pipeline.audit.informed import Others, informed
from facedouble.pipeline.audit.names import SILENT, Reader, subtitles
from facedouble.pipeline.audit.sample import VIDEO
from facedouble.pipeline.audit.sounds import Second, seconds
from facedouble.types import Bools, Floats, MediaInfo, Value
from facedouble.voice.redact import Listed

TOGETHER: Final = 20.0  # s of speech whose time is told together
LONGEST: Final = 120.0  # s of a recording of the gallery that are heard
FOOTAGE: Final = "the footage was not given; give it with --witness"

@dataclass(frozen=True)
class Ears(Value):
    """Models that took no part in the render; why: what is missing, by name, and what to do."""

    judge: Speaker | None
    words: Words | None
    why: Mapping[str, str] = field(default_factory=dict)


def open_ears(models: Path | None = None) -> Ears:
    """What is installed of them."""
    why: dict[str, str] = {}
    speaker, words = None, None
    try:
        speaker = judge(models)
    except ModelError as error:
        why["judge"] = _remedy(error)
    try:
        words = load_words(models)
    except ModelError as error:
        why["words"] = _remedy(error)
    return Ears(speaker, words, why)


def _remedy(error: ModelError) -> str:
    return f"{str(error).split(': ')[0]}; {checks.INSTALL}"


NOBODY: Final = Others()
ENOUGH: Final = 9  # other people of a project, among whom guessing is right once in ten


def heard(output: Path, source: Path | None, said: Said, options: AuditOptions, ears: Ears, words: Listed | None = None,
          lead: Fraction = Fraction(0), others: Others = NOBODY) -> list[Check]:
    """All checks of a film's sound.

    said: what the plan lets be heard; words: the redaction list; lead: s of pictures that the output has before the footage's.
    """
    info, was = probe(output), None if source is None else probe(source)
    ear = _Ear(info, was, said, options, ears, words, lead)
    ear.listen()
    return [_streams(info, was, lead), ear.traces(), _level(info, said, options, lead), ear.in_time(), ear.voices(),
            ear.among(others), ear.informed(others), ear.names(), *subtitles(output, words)]


def _streams(info: MediaInfo, was: MediaInfo | None, lead: Fraction) -> Check:
    """As the writer is documented to do: what begins late begins with silence; of rates that AAC does not know it makes 48000, of
    numbers of channels 2."""
    if was is None:
        return untried(checks.STREAMS, FOOTAGE)
    first = min([was.start - lead, *(a.start for a in was.audio)])
    wanted = []
    for a in was.audio:
        rate = a.rate if a.rate in AAC_RATES else 48000
        samples = sample_count(was, a.index) + round((a.start - first) * a.rate)
        wanted.append(Stream(rate, a.channels if a.channels in LAYOUTS else 2, round(samples * Fraction(rate, a.rate))))
    return checks.streams([Stream(a.rate, a.channels, sample_count(info, a.index)) for a in info.audio], wanted)


def _level(info: MediaInfo, said: Said, o: AuditOptions, lead: Fraction) -> Check:
    most, found = Most(o.silence, o.room, o.bleep), []
    for a in info.audio if not said.whole else ():
        found.append(stillness(pcm(info, a.index), a.rate, float(a.start - info.start - lead), said, most))
    return checks.level(found)


class _Ear:
    """One pass over both sounds; every check takes what it needs of each second."""

    def __init__(self, info: MediaInfo, was: MediaInfo | None, said: Said, o: AuditOptions, ears: Ears, words: Listed | None,
                 lead: Fraction) -> None:
        self.info, self.was, self.said, self.options, self.ears, self.words, self.lead = info, was, said, o, ears, words, lead
        self.at: list[float] = []
        self.found: list[Trace] = []
        self.lags: list[tuple[int, int, Lag]] = []
        self.named: list[tuple[int, int]] = []
        self.pieces: Sequence[Piece] = ()
        self.lost = 0.0
        self.reader = None if ears.words is None or words is None else Reader(ears.words, words)

    def listen(self) -> None:
        """Hear all of it."""
        was, said = self.was, self.said
        search, timing = Traces(), [_Timing() for _ in range(min(len(self.info.audio), len(was.audio) if was else 0))]
        listener = None if self.ears.judge is None or was is None else Listener(said, self.ears.judge, _pitched)
        passes, spoken = said.passes(), said.spoken("double", "revoice", "keep")
        for second in seconds(was, self.info, self.lead) if self.info.audio else ():
            n = len(second.output[0])
            first = round(second.at * RATE) - second.inner.start
            if was is not None and not said.whole:
                self.at.append(second.at)
                self.found.append(search.add(_wide(second.source, n), _wide(second.output, n), flags(passes, first, n, RATE)))
            for k, one in enumerate(timing):
                self.lags += one.add(second, k, _inner(spoken, second, first, n))
            if listener is not None and second.source:
                listener.add(second.at, _mono(second.source, second.inner), _mono(second.output, second.inner))
            if self.reader is not None:
                self.named += self.reader.add(second.at, _mono(second.output, second.inner))
        self.lags += [lag for one in timing for lag in one.done()]
        if listener is not None:
            self.pieces, self.lost = listener.done(), listener.lost
        self.named += [] if self.reader is None else self.reader.done()

    def traces(self) -> Check:
        """The original in it."""
        return untried(checks.TRACES, FOOTAGE) if self.was is None else checks.traces(self.at, self.found, self.options)

    def in_time(self) -> Check:
        """Whether it is late."""
        return untried(checks.TIME, FOOTAGE) if self.was is None else checks.in_time(self.lags, self.options)

    def voices(self) -> Check:
        """Whose voice it is like."""
        if any(t.voice in ("double", "revoice") for t in self.said.turns):
            if self.ears.judge is None:
                return untried(checks.VOICES, self.ears.why["judge"])
            if self.was is None:
                return untried(checks.VOICES, FOOTAGE)
        return checks.voices(self.pieces, self.options, self.lost)

    def among(self, others: Others) -> Check:
        """Attackers."""
        hear = self.ears.judge
        if hear is None:
            return untried(checks.GALLERY, self.ears.why["judge"])
        if not self.pieces:
            return untried(checks.GALLERY, "nobody is heard to speak in another voice")
        known = {f"project {who}": list(rows) for who, rows in others.prints.items() if len(rows)}
        people = {p.person for p in self.pieces if p.person}
        heard = {who: [hear(s) for s in map(_recorded, files) if s is not None] for who, files in others.of(people).items()}
        theirs = {who: vectors for who, vectors in heard.items() if vectors}
        if not theirs and len(known) < ENOUGH:
            return untried(checks.GALLERY, f"there are voices of {len(known) or 'no'} other people, and among so few guessing is "
                                           "right too often; give a folder with recordings of others with --gallery")
        verdicts = attackers(self.pieces, {**known, **theirs})
        if not verdicts:
            return untried(checks.GALLERY, "no turn in another voice belongs to a person, or there is nobody else; say in the "
                                           "plan whose turns they are, and give recordings of other people with --gallery")
        return checks.gallery(verdicts, self.options)

    def informed(self, others: Others) -> Check:
        """Attackers who have the voice."""
        if self.ears.judge is None:
            return untried(checks.INFORMED, self.ears.why["judge"])
        if not self.pieces:
            return untried(checks.INFORMED, "nobody is heard to speak in another voice")
        return informed(self.pieces, self.said, None if self.was is None else Path(self.was.path), others)

    def names(self) -> Check:
        """Words of the redaction list."""
        if self.words is None:
            return untried(checks.WORDS, "there is no list of names; give one with `--words`", needed=False)
        if self.reader is None:
            return untried(checks.WORDS, self.ears.why["words"])
        return checks.names(checks.WORDS, self.reader.read, "readings", self.named)


class _Timing:
    """How late one stream is, told anew after each `TOGETHER` of speech."""

    def __init__(self) -> None:
        self.sums, self.first, self.last = Lateness(), 0, 0

    def add(self, second: Second, k: int, spoken: Bools) -> Iterator[tuple[int, int, Lag]]:
        """Another second of stream k; what was told."""
        if not spoken.any():
            return
        if not self.sums.frames:
            self.first = max(round(second.at * 1000), 0)
        self.last = max(round(second.at * 1000), 0) + 1000
        self.sums.add(second.source[k], second.output[k], RATE, spoken)
        if self.sums.lag().seconds >= TOGETHER:
            yield from self.done()

    def done(self) -> Iterator[tuple[int, int, Lag]]:
        """What is left; of less than a second nothing is told."""
        lag, self.sums = self.sums.lag(), Lateness()
        if lag.seconds >= 1:
            yield self.first, self.last, lag


def _wide(streams: Sequence[Floats], n: int) -> Floats:
    """All channels of all streams, (n, C)."""
    return np.concatenate([*streams, np.zeros((n, 0), np.float32)], 1)


def _mono(streams: Sequence[Floats], part: slice) -> Floats:
    """(N,): the loudest channel of all: others may hold the same, or its opposite."""
    whole = np.concatenate([stream[part] for stream in streams], 1)
    return np.ascontiguousarray(whole[:, int(np.square(whole.astype(np.float64)).sum(0).argmax())])


def _inner(spans: Spans, second: Second, first: int, n: int) -> Bools:
    """(n,) where somebody speaks in the second itself."""
    on = flags(spans, first, n, RATE)
    on[:second.inner.start] = on[second.inner.stop:] = False
    return on


def _pitched(sound: Floats, semitones: float) -> Floats:
    return np.asarray(soxr.resample(sound, RATE * 2 ** (semitones / 12), RATE), np.float32)


def _recorded(path: Path) -> Floats | None:
    """A recording of the gallery, one channel at RATE; None for a clip that is silent, or whose sound cannot be read."""
    parts: list[Floats] = []
    try:
        source = recording(path)
        for block in blocks(source):
            parts.append(block.mean(1))
            if sum(map(len, parts)) > LONGEST * source.rate:
                break
    except InputRefused:
        if path.suffix.lower() in VIDEO:
            return None
        raise
    if not parts:
        return None
    sound = np.asarray(soxr.resample(np.concatenate(parts), source.rate, RATE), np.float32)
    return None if path.suffix.lower() in VIDEO and float(np.abs(sound).max(initial=0)) < SILENT else sound
