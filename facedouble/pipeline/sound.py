"""The sound of a clip as its score says: room tone below, kept turns through, other voices on top, bleeps over all of it.

Block by block: a stream of any length is held for as long as one turn is. What goes wrong in a turn mutes that turn.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final, Protocol

import numpy as np
import soxr
from scipy.signal import oaconvolve

from facedouble.errors import InputRefused
from facedouble.media.encode import Sound
from facedouble.media.sound import pcm, sample_count, silence
from facedouble.pipeline.analyse import Progress, quiet
from facedouble.pipeline.score import Line, Run, Score, Sheet, laid_out
from facedouble.types import AudioInfo, Doubles, Floats, MediaInfo, Value
from facedouble.voice.casting import Candidate
from facedouble.voice.channels import FAINT, Seat, gram, seat_of
from facedouble.voice.code import SPEECH_RATE
from facedouble.voice.level import gain, level_of, looks

BLOCK: Final = 8192  # samples given at a time
FADE: Final = 0.01  # s, at every join
LONGEST: Final = 20  # s that are converted at once
SHORTEST: Final = 0.04  # s: less is no speech that could be understood
CUT: Final = 8  # s before that in which the quietest moment is sought, to cut there
WINDOW: Final = 0.02  # s of a quiet moment
KNOWN: Final = 60  # s of what somebody says, by which their pieces are held against each other
LONGEST_TAKE: Final = 300  # s of one turn that is spoken anew
PEAK: Final = 0.9  # of full scale, that another voice reaches at most
BEEP: Final = 0.06  # of full scale
PITCH: Final = 1000.0  # Hz, of a bleep
ALIKE: Final = 0.9  # correlation with what went in from which a conversion has failed; told from a tenth of a second on
LOOK: Final = 0.25  # s that are looked at by themselves for that
HUSH: Final = 1e-4  # power re the loudest of these, under which there is nothing to look at
QUOTE: Final = 1.0  # s of a turn that are sought in its take
QUOTES: Final = 5  # of them at most, the loudest


class Convert(Protocol):
    """Another voice for the same words: (N,) float32 mono at SPEECH_RATE -> as long, at `rate`."""

    @property
    def rate(self) -> int:
        """Samples/s of what comes out."""

    def __call__(self, sound: Floats, /) -> Floats:
        """The same words."""

    def tuned(self, sound: Floats, /) -> Convert:
        """For one person: of what they say (N,), N > 0, at SPEECH_RATE, is cut together."""


class Tone(Protocol):
    """A room's tone."""

    def sound(self, samples: int, channels: int, rate: int, rng: np.random.Generator, /) -> Iterator[Floats]:
        """Blocks (n, C), `samples` in all."""


Fit = Callable[[Floats, Floats, int], tuple[Floats, tuple[str, ...]]]
"""take (M,), guide (N,), samples/s of both -> (N,): the take with the guide's timing, level and room, and no sample of the guide;
and what a listener should hear of it."""


@dataclass(frozen=True)
class Crew(Value):
    """Who makes sounds: voices by name, takes by file (mono, samples/s), how a take is fitted, room tones, cleaning.

    samples: of those voices that can be compared with whom they speak for, by name.
    """

    voices: Mapping[str, Convert]
    takes: Mapping[str, Callable[[], tuple[Floats, int]]]
    fit: Fit
    tone: Callable[[Iterable[Floats], int, Sequence[tuple[int, int]]], Tone]
    clean: Callable[[Iterable[Floats], int, np.random.Generator], Iterator[Floats]]
    samples: Mapping[str, Candidate] = field(default_factory=dict)


@dataclass
class Told:
    """What came of the turns, by number: seconds by kind, of the first stream; who was muted, and why; what to listen to."""

    seconds: dict[str, float] = field(default_factory=dict)
    failed: dict[int, str] = field(default_factory=dict)
    remarks: dict[int, tuple[str, ...]] = field(default_factory=dict)


def sounds(info: MediaInfo, score: Score, crew: Crew, seed: int, told: Told, progress: Progress = quiet) -> list[Sound]:
    """Each stream of the clip, as `media.encode.Writer` takes it: as many samples as the footage has.

    told: fills while they are taken; so does the progress, in seconds of all streams.
    """
    made: list[Sound] = []
    samples = [sample_count(info, audio.index) for audio in info.audio]
    total = sum(n // audio.rate for n, audio in zip(samples, info.audio, strict=True))
    for n, audio in enumerate(info.audio):
        if score.silent:
            blocks = silence(audio, samples[n])
        else:
            sheet = laid_out(score, info.start, audio, samples[n])
            before = sum(k // other.rate for k, other in zip(samples[:n], info.audio, strict=False))
            blocks = _counted(heard(partial(pcm, info, audio.index), audio, sheet, crew, [seed, n], told), audio.rate,
                              lambda s, before=before: progress("making sound", before + s, total))  # type: ignore[misc]
        made.append((audio.rate, audio.channels, audio.start, blocks))
    return made


def _counted(blocks: Iterator[Floats], rate: int, tell: Callable[[int], None]) -> Iterator[Floats]:
    """The same blocks; each second of them is told."""
    done = 0
    for block in blocks:
        yield block
        if (done + len(block)) // rate > done // rate:
            tell((done + len(block)) // rate)
        done += len(block)


def heard(footage: Callable[[], Iterator[Floats]], audio: AudioInfo, sheet: Sheet, crew: Crew, seed: list[int],
          told: Told) -> Iterator[Floats]:
    """One stream, in blocks (n, C). footage: gives its samples from the first on, each time it is called."""
    yield from _Stage(footage, audio, sheet, crew, seed, told).blocks()


def refused(info: MediaInfo, score: Score, crew: Crew) -> dict[int, str]:
    """Of the turns whose takes cannot be laid on the first stream, by number, why: before hours are spent on the pictures."""
    again = tuple(cue for cue in score.cues if cue.voice == "revoice")
    if not info.audio or not again:
        return {}
    audio, samples = info.audio[0], sample_count(info, info.audio[0].index)
    sheet = laid_out(replace(score, cues=again), info.start, audio, samples)
    return _Stage(partial(pcm, info, audio.index), audio, sheet, crew, [0], Told()).refused()


class _Original:
    """A stream's samples, asked for in rising order; what comes after its end is silent, what is no number, too.

    Held is what lies between what was dropped and what was asked for last: pauses are read over and forgotten.
    """

    def __init__(self, blocks: Iterator[Floats], channels: int) -> None:
        self.blocks, self.start, self.floor, self.lost = blocks, 0, 0, False
        self.held = np.zeros((0, channels), np.float32)

    def of(self, start: int, stop: int) -> Floats:
        """(stop - start, C). After a failure nobody knows any more which sample is which, so that none is given."""
        if self.lost:
            raise InputRefused("the sound cannot be read any further; copy the footage again, or render it with its voices muted")
        try:
            self._read(stop)
        except BaseException:
            self.lost = True
            raise
        return self.held[start - self.start : stop - self.start]

    def _read(self, stop: int) -> None:
        more, end = [self.held], self.start + len(self.held)
        while end < stop:
            block = next(self.blocks, None)
            if block is None:
                block = np.zeros((min(stop - end, BLOCK), self.held.shape[1]), np.float32)
            end += len(block)
            if end <= self.floor:
                more, self.start = [self.held[:0]], end
            else:
                more.append(np.nan_to_num(block, posinf=0.0, neginf=0.0) if not np.isfinite(block).all() else block)
        self.held = np.concatenate(more) if len(more) > 1 else more[0]

    def drop(self, before: int) -> None:
        """Forget what comes before; it is not asked for any more."""
        self.floor = max(self.floor, before)
        n = min(before - self.start, len(self.held))
        if 2 * n > len(self.held):  # not at every block: what is held may be long
            self.held, self.start = self.held[n:].copy(), self.start + n


class _Flow:
    """Blocks, asked for in pieces of any length; silent after their end."""

    def __init__(self, blocks: Iterator[Floats], channels: int) -> None:
        self.original, self.at = _Original(blocks, channels), 0

    def next(self, samples: int) -> Floats:
        """(samples, C)"""
        found = self.original.of(self.at, self.at + samples)
        self.at += samples
        self.original.drop(self.at)
        return found


def ramp(samples: int, fade: int, begins: bool = True, ends: bool = True, part: slice = slice(None)) -> Floats:
    """A part of (samples,) that rises from 0 to 1 and falls again."""
    at = np.arange(*part.indices(samples))
    up = np.minimum((at + 0.5) / fade, 1) if begins else np.ones(len(at))
    down = np.minimum((samples - at - 0.5) / fade, 1) if ends else np.ones(len(at))
    shape: Floats = (np.sin(np.pi / 2 * np.minimum(up, down)) ** 2).astype(np.float32)
    return shape


class _Stage:
    """One stream on its way."""

    def __init__(self, footage: Callable[[], Iterator[Floats]], audio: AudioInfo, sheet: Sheet, crew: Crew, seed: list[int],
                 told: Told) -> None:
        self.footage, self.audio, self.sheet, self.crew, self.told = footage, audio, sheet, crew, told
        self.first = seed[-1] == 0
        self.seed = seed
        self.fade = max(round(FADE * audio.rate), 1)
        self.waiting = list(sheet.lines)[::-1]
        self.over: list[tuple[int, int, Floats, Floats]] = []  # other voices: number of the turn, first sample, (n,), gains (C,)
        self.seats: dict[tuple[str, str], Seat] = {}
        self.gains: dict[tuple[str, str], float] = {}
        self.voices: dict[tuple[str, str], Convert] = {}

    def blocks(self) -> Iterator[Floats]:
        """The stream."""
        a, channels, sheet = self.audio, self.audio.channels, self.sheet
        self._meet()
        original = _Original(self.footage(), channels)
        tone = self.crew.tone(self.footage(), a.rate, sheet.pauses)
        below = _Flow(tone.sound(sheet.samples, channels, a.rate, np.random.default_rng([*self.seed, 0])), channels)
        clean = None
        if any(run.kind == "clean" for run in sheet.runs):
            cleaned = self.crew.clean(self._gated(), a.rate, np.random.default_rng([*self.seed, 1]))
            clean = _Flow(cleaned, channels)
        for run in sheet.runs:
            self._count(run.kind, run.stop - run.start)
            for start in range(run.start, run.stop, BLOCK):
                stop = min(start + BLOCK, run.stop)
                self._speak(original, stop)
                out, heard = below.next(stop - start), None if clean is None else clean.next(stop - start)
                if run.kind in ("keep", "clean"):
                    real = original.of(start, stop) if run.kind == "keep" else heard
                    assert real is not None
                    share = self._share(run, start, stop)[:, None]
                    out = np.where(share == 1, real, share * real + (1 - share) * out)
                else:
                    out = np.clip(out + self._above(run, start, stop), -1, 1)
                original.drop(stop)
                yield out.astype(np.float32)

    def refused(self) -> dict[int, str]:
        """Of the turns that cannot be spoken, by number, why; what nobody foresaw is told when they are made."""
        self._meet()
        original, why = _Original(self.footage(), self.audio.channels), dict[int, str]()
        for line in self.sheet.lines:
            original.drop(line.start)
            try:
                self._said(original, line)
            except InputRefused as error:
                why[line.cue.number] = str(error)
            except Exception:
                continue
        return why

    def _meet(self) -> None:
        """All who get another voice: their channels, how loud they are, and a voice held against all that they say, so that a
        calm turn stays one beside others. However many they are, the stream is read once for the channels, and once for the rest.
        """
        commons: dict[tuple[str, str], Doubles] = {}
        for line, sound in self._spoken(self.sheet.lines) if self.audio.channels > 1 else ():
            commons[_who(line)] = commons.get(_who(line), 0) + gram(sound, self.audio.rate)
        self.seats = {who: seat_of(common) for who, common in commons.items()}
        lines = [line for line in self.sheet.lines if line.cue.voice == "double"]
        first: dict[tuple[str, str], list[Floats]] = {_who(line): [] for line in lines}
        powers: dict[tuple[str, str], list[Doubles]] = {_who(line): [] for line in lines}
        for line, sound in self._spoken(lines):
            heard = self._taken(line, sound)
            powers[_who(line)].append(looks(heard, self.audio.rate))
            if sum(map(len, first[_who(line)])) < KNOWN * self.audio.rate:
                first[_who(line)].append(heard)
        for who, pieces in first.items():
            self.gains[who], self.voices[who] = gain(level_of(powers[who])), self.crew.voices[who[1]]
            said = resampled(np.concatenate(pieces), self.audio.rate, SPEECH_RATE) if pieces else np.zeros(0, np.float32)
            if len(said) >= SHORTEST * SPEECH_RATE:
                with suppress(Exception):  # whatever it is, it is told when their turns are made
                    self.voices[who] = self.voices[who].tuned(said)

    def _spoken(self, lines: Sequence[Line]) -> Iterator[tuple[Line, Floats]]:
        """What is heard in these lines, (n, C) of a second at most, in one reading; it ends where the stream cannot be read."""
        original, rate = _Original(self.footage(), self.audio.channels), self.audio.rate
        for start, k in sorted((start, k) for k, line in enumerate(lines) for start in range(line.start, line.stop, rate)):
            original.drop(start)
            try:
                sound = original.of(start, min(start + rate, lines[k].stop))
            except Exception:  # these turns are muted, with the reason, when their place comes
                return
            yield lines[k], sound

    def _taken(self, line: Line, sound: Floats) -> Floats:
        """(n,) of (n, C) what somebody is listened to by."""
        return np.asarray(sound @ self._seat(line).taken, np.float32)

    def _seat(self, line: Line) -> Seat:
        """Where who speaks a line is heard; everywhere, where that is not known."""
        return self.seats.get(_who(line)) or seat_of(np.ones((self.audio.channels,) * 2))

    def _gated(self) -> Iterator[Floats]:
        """The stream where its background may be heard; silence elsewhere, so that no filter remembers anything of that."""
        flow = _Flow(self.footage(), self.audio.channels)
        for run in self.sheet.runs:
            for start in range(run.start, run.stop, BLOCK):
                stop = min(start + BLOCK, run.stop)
                found = flow.next(stop - start)
                yield found * self._share(run, start, stop)[:, None] if run.kind == "clean" else np.zeros_like(found)

    def _share(self, run: Run, start: int, stop: int) -> Floats:
        """(stop - start,) how much of what a run is there is; it comes and goes softly."""
        part = slice(start - run.start, stop - run.start)
        return ramp(run.stop - run.start, self.fade, run.start > 0, run.stop < self.sheet.samples, part)

    def _above(self, run: Run, start: int, stop: int) -> Floats:
        """(stop - start, C) of other voices, (stop - start, 1) of the bleep."""
        if run.kind == "beep":
            wave = BEEP * np.sin(2 * np.pi * PITCH / self.audio.rate * np.arange(start, stop))
            return np.asarray(wave * self._share(run, start, stop), np.float32)[:, None]
        out = np.zeros((stop - start, self.audio.channels), np.float32)
        self.over = [held for held in self.over if held[1] + len(held[2]) > start]
        for _, at, voice, given in self.over:
            a, b = max(at, start), min(at + len(voice), stop)
            if a < b:
                out[a - start : b - start] += voice[a - at : b - at, None] * given
        return out

    def _speak(self, original: _Original, until: int) -> None:
        """Make the other voices that begin before a sample."""
        while self.waiting and self.waiting[-1].start < until:
            line = self.waiting.pop()
            if line.cue.number in self.told.failed:
                continue
            try:
                stop = line.stop if line.cue.voice == "revoice" else self._cut(original, line)
                if stop < line.stop:
                    self.waiting.append(Line(stop, line.stop, line.cue))
                    self.waiting.sort(key=lambda held: -held.start)
                made = self._said(original, Line(line.start, stop, line.cue))
            except Exception as error:
                why = str(error) if isinstance(error, InputRefused) else f"{type(error).__name__} while it was made"
                self.told.failed[line.cue.number] = why
                self.over = [held for held in self.over if held[0] != line.cue.number]
                continue
            self._count(line.cue.voice, stop - line.start)
            self.over.append((line.cue.number, line.start, made, self._seat(line).given))

    def _cut(self, original: _Original, line: Line) -> int:
        """Where the next piece of a line ends: at its quietest moment, if it is too long to be converted at once."""
        most = LONGEST * self.audio.rate
        if line.stop - line.start <= most:
            return line.stop
        first, size = line.start + most - CUT * self.audio.rate, max(round(WINDOW * self.audio.rate), 1)
        power = np.square(self._taken(line, original.of(first, line.start + most)))
        loud = power[: len(power) // size * size].reshape(-1, size).sum(1)
        return first + int(loud.argmin()) * size + size // 2

    def _said(self, original: _Original, line: Line) -> Floats:
        """(n,) of a line in its other voice, faded, silent under bleeps."""
        rate, n = self.audio.rate, line.stop - line.start
        if line.cue.voice == "revoice":
            if n > LONGEST_TAKE * rate:
                raise InputRefused(f"it lasts {n // rate} s, and one take speaks {LONGEST_TAKE} s at most; split it in the plan")
            take, own = self.crew.takes[line.cue.of]()
            guide = self._taken(line, original.of(line.start, line.stop))
            if quoted(resampled(guide, rate, SPEECH_RATE), resampled(take, own, SPEECH_RATE)):
                raise InputRefused("its take is the footage's own sound; give the recording of the volunteer")
            made, remarks = self.crew.fit(resampled(take, own, rate), guide, rate)
            self.told.remarks[line.cue.number] = remarks
        elif n < SHORTEST * rate:
            made = np.zeros(n, np.float32)
        else:
            convert = self.voices[_who(line)]
            heard = resampled(self._taken(line, original.of(line.start, line.stop)) * ramp(n, self.fade), rate, SPEECH_RATE)
            spoken = np.asarray(convert(heard), np.float32)
            if spoken.ndim != 1 or abs(len(spoken) / convert.rate - len(heard) / SPEECH_RATE) > 1 / convert.rate:
                raise ValueError("a conversion of another length")
            if alike(heard, resampled(spoken, convert.rate, SPEECH_RATE)):
                raise ValueError("a conversion that changed nothing")
            made = resampled(spoken, convert.rate, rate) * self.gains[_who(line)]
        made = np.asarray(made, np.float32)
        if made.ndim != 1 or not np.isfinite(made).all():
            raise ValueError("no sound")
        out = np.zeros(n, np.float32)
        out[: len(made[:n])] = made[:n]
        return np.asarray(out * min(1.0, PEAK / max(float(np.abs(out).max(initial=0)), 1e-9)) * self._open(line), np.float32)

    def _open(self, line: Line) -> Floats:
        """(n,) 1 where a line is heard: not under bleeps, with fades beside them and at its ends."""
        out = np.zeros(line.stop - line.start, np.float32)
        for a, b in _free(self.sheet.runs, line):
            out[a - line.start : b - line.start] = ramp(b - a, self.fade)
        return out

    def _count(self, kind: str, samples: int) -> None:
        if self.first:
            self.told.seconds[kind] = self.told.seconds.get(kind, 0.0) + samples / self.audio.rate


def _who(line: Line) -> tuple[str, str]:
    """Whose level a line has, and whose channels: the person's, with one voice; whatever take it is that speaks."""
    return line.cue.person, line.cue.of if line.cue.voice == "double" else ""


def _free(runs: Sequence[Run], line: Line) -> Iterator[tuple[int, int]]:
    """The pieces of a line in which another voice may be heard."""
    for run in runs[bisect_right([run.stop for run in runs], line.start) :]:
        if run.start >= line.stop:
            return
        if run.kind == "tone":
            yield max(run.start, line.start), min(run.stop, line.stop)


def mono(sound: Floats) -> Floats:
    """(N, C) -> (N,): the mean of the channels, or the loudest where they cancel each other."""
    mean = sound.mean(1)
    power = np.square(sound).sum(0)
    loudest = int(power.argmax())
    return np.asarray(sound[:, loudest] if np.square(mean).sum() < FAINT * power[loudest] else mean, np.float32)


def resampled(sound: Floats, rate: int, to: int) -> Floats:
    """(N,) at another rate, round(N to / rate) samples."""
    length = round(len(sound) * to / rate)
    if rate == to or not length:
        return np.asarray(sound[:length], np.float32)
    made = np.asarray(soxr.resample(np.ascontiguousarray(sound, np.float32), rate, to), np.float32)[:length]
    return np.pad(made, (0, length - len(made)))


def alike(a: Floats, b: Floats) -> bool:
    """Whether two sounds (N,) at SPEECH_RATE are the same but for their loudness, anywhere for a quarter of a second."""
    n = min(len(a), len(b))
    if n <= SPEECH_RATE // 10:
        return False
    one, other = _bright(a[:n]), _bright(b[:n])
    size = min(round(LOOK * SPEECH_RATE), n)
    across, mine, theirs = (_sums(x, size) for x in (one * other, one**2, other**2))
    said = (mine > HUSH * mine.max()) & (theirs > HUSH * theirs.max())
    return bool((said & (np.abs(across) > ALIKE * np.sqrt(np.maximum(mine * theirs, 0)))).any())


def quoted(guide: Floats, take: Floats) -> bool:
    """Whether a second of the guide (N,), as loud as any, is in the take (M,), wherever; both at SPEECH_RATE."""
    size = min(round(QUOTE * SPEECH_RATE), len(guide))
    if not SPEECH_RATE // 4 <= size <= len(take):
        return False
    one, other = _bright(guide), _bright(take)
    cut = one[: len(one) // size * size].reshape(-1, size)
    loud = np.sort(np.argsort((cut**2).sum(1))[-QUOTES:])
    energy = _sums(other**2, size)
    for piece in cut[loud]:
        own = float(piece @ piece)
        across = np.abs(oaconvolve(other, piece[::-1], "valid"))
        if own > 0 and (across > ALIKE * np.sqrt(np.maximum(own * energy, HUSH * own * energy.max(initial=0)))).any():
            return True
    return False


def _bright(sound: Floats) -> Doubles:
    """Its differences: so that two voices of one pitch are not alike by their fundamental."""
    return np.diff(sound.astype(np.float64), prepend=0.0)


def _sums(values: Doubles, size: int) -> Doubles:
    """Sums of so many values that follow each other."""
    total = np.concatenate([[0.0], np.cumsum(values)])
    return np.asarray(total[size:] - total[:-size])
