"""Listening to the finished film like an enemy: its sound against the footage's, second after second, once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

import numpy as np
import soxr

from facedouble.audit import heard as checks
from facedouble.audit.attack import People
from facedouble.audit.heard import Stream
from facedouble.audit.lag import Lag, Lateness
from facedouble.audit.residual import RATE
from facedouble.audit.said import Said, Spans, flags
from facedouble.audit.still import Most, stillness
from facedouble.audit.traces import Trace, Traces
from facedouble.audit.verdict import Check
from facedouble.audit.voices import Listener, Piece, attackers
from facedouble.errors import InputRefused, ModelError
from facedouble.media.probe import probe
from facedouble.media.recording import blocks, recording
from facedouble.media.sound import pcm, sample_count
from facedouble.models.judge import Speaker, judge
from facedouble.models.words import Words, load_words
from facedouble.options import AuditOptions
from facedouble.pipeline.audit.sounds import Second, seconds
from facedouble.types import Floats, MediaInfo, Value
from facedouble.voice.redact import Listed, find

READ: Final = 10.0  # s whose words are read at once
AGAIN: Final = 8.0  # s from one reading to the next: a word at an end is whole in the other
TOGETHER: Final = 20.0  # s of speech whose time is told together
SOUNDS: Final = (".wav", ".flac", ".mp3", ".m4a", ".ogg")
SUBTITLES: Final = (".srt", ".vtt")
MOST_SUBTITLES: Final = 20_000_000  # bytes
SEEN_RATES: Final = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000)

Convert = Callable[[Floats], Floats]
"""Sound (N,) at 16 kHz -> changed by the tool, as a separate step."""


@dataclass(frozen=True)
class Ears(Value):
    """Models that took no part in the render, and why one is not there ("" if it is)."""

    judge: Speaker | None
    words: Words | None
    why: Mapping[str, str]


def open_ears(models: Path | None = None) -> Ears:
    """What is installed of them."""
    found: dict[str, Speaker | Words | None] = {}
    why: dict[str, str] = {}
    for name, load in (("judge", judge), ("words", load_words)):
        try:
            found[name] = load(models)  # type: ignore[operator]
        except ModelError as error:
            found[name], why[name] = None, f"{str(error).split(': run')[0]}: {checks.INSTALL}"
    return Ears(found["judge"], found["words"], why)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Others(Value):
    """What informed attackers have. gallery: a folder of recordings, one of each of other people; same, elsewhere: what changes
    speech with the film's double, and with another; None: there is none."""

    gallery: Path | None = None
    same: Convert | None = None
    elsewhere: Convert | None = None


def heard(output: Path, source: Path | None, said: Said, options: AuditOptions, ears: Ears, words: Listed | None = None,
          lead: Fraction = Fraction(0), others: Others = Others()) -> list[Check]:  # noqa: B008 - frozen
    """All checks of a film's sound. said: what the plan lets be heard; words: the redaction list; lead: s of pictures that the
    output has before the footage's first."""
    info, was = probe(output), None if source is None else probe(source)
    ear = _Ear(info, was, said, options, ears, words, lead)
    found = [_streams(info, was, lead), ear.traces(), _level(info, said, options, lead), ear.in_time(), ear.voices(),
             ear.gallery(others), ear.names()]
    return [*found, *_subtitles(output, words)]


def _streams(info: MediaInfo, was: MediaInfo | None, lead: Fraction) -> Check:
    if was is None:
        return checks.missing(checks.STREAMS, "the footage was not given; give it with --witness")
    first = min([was.start - lead, *(a.start for a in was.audio)])
    wanted = [Stream(a.rate if a.rate in SEEN_RATES else 48000, min(a.channels, 8),
                     sample_count(was, a.index) + round((a.start - first) * a.rate)) for a in was.audio]
    wanted = [Stream(s.rate, s.channels, round(s.samples * Fraction(s.rate, a.rate))) for s, a in zip(wanted, was.audio, strict=True)]
    return checks.streams([Stream(a.rate, a.channels, sample_count(info, a.index)) for a in info.audio], wanted)


def _level(info: MediaInfo, said: Said, o: AuditOptions, lead: Fraction) -> Check:
    most = Most(o.silence, o.room, o.bleep)
    return checks.level([stillness(pcm(info, a.index), a.rate, float(a.start - info.start - lead), said, most) for a in info.audio]
                        if not said.whole else [])


class _Ear:
    """One pass over both sounds; every check takes what it needs of each second."""

    def __init__(self, info: MediaInfo, was: MediaInfo | None, said: Said, o: AuditOptions, ears: Ears, words: Listed | None,
                 lead: Fraction) -> None:
        self.info, self.was, self.said, self.options, self.ears, self.words = info, was, said, o, ears, words
        self.at: list[float] = []
        self.found: list[Trace] = []
        self.lags: list[tuple[int, int, Lag]] = []
        self.texts: list[tuple[int, int]] = []
        self.read = 0
        self.pieces: Sequence[Piece] = ()
        search, timing = Traces(), [_Timing() for _ in range(min(len(info.audio), len(was.audio) if was else 0))]
        passes, spoken = said.passes(), said.spoken("double", "revoice", "keep")
        listener = None if ears.judge is None or was is None else Listener(said, ears.judge, _pitched)
        reader = None if ears.words is None or words is None else _Reader(ears.words, words)
        for second in seconds(was, info, lead) if not said.silent or was is not None else ():
            if not second.output:
                break
            first, n = round(second.at * RATE) - (len(second.output[0]) - RATE) // 2, len(second.output[0])
            if was is not None and not said.whole:
                self.at.append(second.at)
                self.found.append(search.add(_wide(second.source, n), _wide(second.output, n), flags(passes, first, n, RATE)))
            for k, one in enumerate(timing):
                self.lags += one.add(second, k, _inner(spoken, second, first, n))
            if listener is not None and second.source:
                listener.add(second.at, _mono(second.source, second.inner), _mono(second.output, second.inner))
            if reader is not None:
                self.texts += reader.add(second.at, _mono(second.output, second.inner))
        self.lags += [lag for one in timing for lag in one.done()]
        if listener is not None:
            self.pieces = listener.done()
        if reader is not None:
            self.texts += reader.done()
            self.read = reader.read

    def traces(self) -> Check:
        if self.was is None:
            return checks.missing(checks.TRACES, "the footage was not given; give it with --witness")
        return checks.traces(self.at, self.found, self.options)

    def in_time(self) -> Check:
        if self.was is None:
            return checks.missing(checks.TIME, "the footage was not given; give it with --witness")
        return checks.in_time(self.lags, self.options)

    def voices(self) -> Check:
        if self.ears.judge is None and any(t.voice in ("double", "revoice") for t in self.said.turns):
            return checks.missing(checks.VOICES, self.ears.why["judge"])
        if self.was is None:
            return checks.missing(checks.VOICES, "the footage was not given; give it with --witness")
        return checks.voices(self.pieces, self.options)

    def gallery(self, others: Others) -> Check:
        hear = self.ears.judge
        if hear is None or others.gallery is None or not self.pieces:
            why = ("nobody speaks in another voice" if hear is not None and not self.pieces else
                   "no recordings of other people were given; give a folder of them with --gallery" if hear is not None else
                   self.ears.why["judge"])
            return checks.missing(checks.GALLERY, why, needed=False)
        sounds = {path.stem: _recorded(path) for path in sorted(others.gallery.iterdir()) if path.suffix.lower() in SOUNDS}
        people: People = {f"gallery {name}": [hear(sound)] for name, sound in sounds.items()}
        # the attackers' recordings of the film's own people would have to be other footage of them: nobody enrols these here
        verdicts = attackers(self.pieces, people)
        if not verdicts:
            return checks.missing(checks.GALLERY, "no turn in another voice belongs to a person; say whose they are in the plan",
                                  needed=False)
        return checks.gallery(verdicts, self.options)

    def names(self) -> Check:
        if self.words is None:
            return checks.missing(checks.WORDS, "no list of names was given; give one with --redact", needed=False)
        if self.ears.words is None:
            return checks.missing(checks.WORDS, self.ears.why["words"])
        return checks.names(checks.WORDS, "Whisper tiny.en writes down what is heard, 10 s at a time, and the redaction list is sought in "
                            "it, inflected and in other letters; it knows English only.", self.read, "readings", self.texts)


class _Timing:
    """How late one stream is, told anew after each `TOGETHER` of speech."""

    def __init__(self) -> None:
        self.sums, self.first, self.last = Lateness(), 0, 0

    def add(self, second: Second, k: int, spoken: Sequence[bool] | np.ndarray) -> Iterator[tuple[int, int, Lag]]:
        """Another second of stream k; what was told."""
        on = np.asarray(spoken)
        if not on.any():
            return
        if not self.sums.frames:
            self.first = max(round(second.at * 1000), 0)
        self.last = max(round(second.at * 1000), 0) + 1000
        self.sums.add(second.source[k], second.output[k], RATE, on)
        if self.sums.lag().seconds >= TOGETHER:
            yield from self.done()

    def done(self) -> Iterator[tuple[int, int, Lag]]:
        """What is left."""
        lag, self.sums = self.sums.lag(), Lateness()
        if lag.seconds >= 1:
            yield self.first, max(self.last, self.first + 1), lag


class _Reader:
    """Reads words, some seconds at a time."""

    def __init__(self, hear: Words, words: Listed) -> None:
        self.hear, self.words, self.held, self.first, self.read = hear, words, np.zeros(0, np.float32), 0.0, 0

    def add(self, at: float, sound: Floats) -> Iterator[tuple[int, int]]:
        """Another second; where something on the list was heard."""
        if not len(self.held):
            self.first = at
        self.held = np.concatenate([self.held, sound])
        if len(self.held) >= READ * RATE:
            yield from self._named()
            self.held, self.first = self.held[round(AGAIN * RATE):], self.first + AGAIN

    def done(self) -> Iterator[tuple[int, int]]:
        """What is left."""
        if len(self.held):
            yield from self._named()

    def _named(self) -> Iterator[tuple[int, int]]:
        if float(np.abs(self.held).max(initial=0)) < 1e-4:
            return
        self.read += 1
        if any(find([self.hear(self.held)], self.words)):
            start = max(round(self.first * 1000), 0)
            yield start, start + len(self.held) * 1000 // RATE


def _wide(streams: Sequence[Floats], n: int) -> Floats:
    """All channels of all streams, (n, C)."""
    return np.concatenate([*streams, np.zeros((n, 0), np.float32)], 1)


def _mono(streams: Sequence[Floats], part: slice) -> Floats:
    """(N,): the loudest channel of all: streams may hold the same, upright and inverted."""
    whole = _wide(streams, len(streams[0]))[part]
    return np.ascontiguousarray(whole[:, int(np.square(whole.astype(np.float64)).sum(0).argmax())])


def _inner(spans: Spans, second: Second, first: int, n: int) -> np.ndarray:
    """(n,) where somebody speaks in the second itself."""
    on = flags(spans, first, n, RATE)
    on[:second.inner.start] = on[second.inner.stop:] = False
    return on


def _pitched(sound: Floats, semitones: float) -> Floats:
    return np.asarray(soxr.resample(sound, RATE * 2 ** (semitones / 12), RATE), np.float32)


def _recorded(path: Path) -> Floats:
    """A recording of the gallery, one channel at RATE; its first two minutes."""
    source = recording(path)
    parts, count = [], 0
    for block in blocks(source):
        parts.append(block.mean(1))
        count += len(block)
        if count > 120 * source.rate:
            break
    return np.asarray(soxr.resample(np.concatenate(parts), source.rate, RATE), np.float32)


def _subtitles(output: Path, words: Listed | None) -> list[Check]:
    """Subtitles beside the film, if there are any."""
    files = [path for path in sorted(output.parent.glob(f"{glob_safe(output.stem)}*")) if path.suffix.lower() in SUBTITLES]
    if not files:
        return []
    if words is None:
        return [checks.missing(checks.SUBTITLES, "there are subtitles beside the film, and no list of names was given; give one with "
                               "--redact", needed=False)]
    found, lines = 0, 0
    for path in files:
        data = path.read_bytes()
        if len(data) > MOST_SUBTITLES:
            raise InputRefused(f"{path}: too large for subtitles; move it away from the film")
        text = [path.stem, *data.decode("utf-8", "replace").splitlines()]
        lines += len(text)
        found += sum(map(len, find(text, words)))
    return [checks.names(checks.SUBTITLES, "The redaction list, sought in the subtitles beside the film and in their names.", lines,
                         "lines", [None] * found)]


def glob_safe(stem: str) -> str:
    """A name without the letters that `glob` reads as wildcards."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in stem)


