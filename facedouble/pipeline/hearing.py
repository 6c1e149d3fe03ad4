"""Who speaks when in a clip: its sound, read once, against the lips that its analysis already holds."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import soxr
from scipy.signal import oaconvolve

from facedouble.media.sound import pcm
from facedouble.models.hearing import speech_detector, voice_encoder
from facedouble.models.install import locate
from facedouble.pipeline.analyse import Analysis, Progress, Role, quiet
from facedouble.types import CODE, Array, AudioInfo, Floats, MediaInfo, Turn, Value
from facedouble.voice.code import SPEECH_RATE
from facedouble.voice.listen import Activity, Listener, Voiceprint
from facedouble.voice.onscreen import Lips, assign, split
from facedouble.voice.speech import Spoken, turns

BLOCK = 1 << 14  # samples at once
HILBERT = 127  # taps to each side of the filter that turns phases: even from 100 Hz up at 16 kHz


@dataclass(frozen=True)
class Ears(Value):
    """The models that hear: a maker of speech detectors, one for each sound, and what tells voices apart."""

    activity: Callable[[], Activity]
    voiceprint: Voiceprint


def open_ears(models: Path | None = None) -> Ears:
    """Load the models; ModelError with the remedy if one is missing or altered."""
    return Ears(speech_detector(locate("speech", models)), voice_encoder(locate("voices", models)))


def hear(made: Analysis, ears: Ears, people: Mapping[int, int] | None = None, progress: Progress = quiet) -> tuple[Turn, ...]:
    """The turns of a clip, in samples of 1/16000 s from `clock` on; none if it has no sound.

    people: by track, who it is, if that is known already: what is seen of a person in one shot then counts in the others.
    """
    return listen(made, ears, people, progress).turns


def listen(made: Analysis, ears: Ears, people: Mapping[int, int] | None = None, progress: Progress = quiet) -> Spoken:
    """As `hear`, with the mean print of each voice, to be compared with other clips' and not to be kept on a disk."""
    listener, samples = Listener(ears.activity(), ears.voiceprint), 0
    total = None if made.info.duration is None else int(made.info.duration)
    with closing(mono(made.info)) as blocks:
        for block in blocks:
            listener.add(block)
            samples += len(block)
            progress("hearing voices", samples // SPEECH_RATE, total)
    heard = listener.done()
    spoken = turns(heard)
    faces = [lips_of(role, times(made)) for role in made.roles]
    apart = tuple(split(spoken.turns, _cuts(made)))
    return replace(spoken, turns=assign(apart, heard, [f for f in faces if f is not None], people))


def clock(info: MediaInfo) -> Fraction:
    """When sample 0 of the turns is, in seconds of the file: the first sound of any stream. 0 without sound."""
    return min((a.start for a in info.audio), default=Fraction(0))


def times(made: Analysis) -> Array:
    """(frames,) s at which the frames are shown, from `clock` on: the middle of each."""
    info, half = made.info, 0.5 / float(made.info.rate)
    if made.marks is not None:
        shown: Array = made.marks.rows["ticks"] * float(info.time_base)
    else:
        shown = np.arange(made.frames) / float(info.rate) + float(info.start)
    return shown + half - float(clock(info))


def first_shown(made: Analysis, frame: int) -> float:
    """When a frame begins to be shown, s on the same clock."""
    return float(times(made)[frame]) - 0.5 / float(made.info.rate)


def _cuts(made: Analysis) -> list[float]:
    """Samples of the cuts at which another face comes or one goes."""
    edges = {e for role in made.roles for e in (role.track.start, role.track.stop)}
    telling = [c for c in made.cuts if 0 < c < made.frames and edges & {c - 1, c, c + 1}]
    return [first_shown(made, c) * SPEECH_RATE for c in sorted(telling)]


def lips_of(role: Role, shown: Array) -> Lips | None:
    """How far apart the lips of a track are, where its codes are to be trusted; None where there are none."""
    if role.fit is None:
        return None
    start, gaps = role.fit.start, role.fit.codes.numbers[:, CODE["lips"]].mean(1).astype(np.float32)
    weights = role.weights[start - role.track.start :][: len(gaps)]
    return Lips(role.track.id, shown[start : start + len(gaps)], np.where(weights > 0, gaps, np.float32(np.nan)))


def mono(info: MediaInfo) -> Generator[Floats, None, None]:
    """All channels of all sound streams as one, (N,) at 16 kHz, from `clock` on; ends with the longest.

    None is lost where two cancel each other: their phases are turned against each other first.
    """
    mixed = _Stream(_mixed(info))
    while len(block := mixed.take(BLOCK)):
        yield block


def _mixed(info: MediaInfo) -> Iterator[Floats]:
    with ExitStack() as stack:
        streams = [_Stream(stack.enter_context(closing(_resampled(info, a)))) for a in info.audio]
        mixed = Quadrature(sum(a.channels for a in info.audio))
        while most := max(map(len, parts := [s.take(BLOCK) for s in streams]), default=0):
            yield mixed.add(np.concatenate([np.pad(p.reshape(len(p), -1), ((0, most - len(p)), (0, 0))) if len(p) else
                                            np.zeros((most, a.channels), np.float32)
                                            for p, a in zip(parts, info.audio, strict=True)], axis=1))
        yield mixed.rest()


class Quadrature:
    """Channels added with their phases spread over half a turn, at all frequencies of speech.

    Two that are the same, and two that are the same turned round, come out as loud as each other; a plain mean of the second is
    silent. Of more than two no pattern of signs cancels, though little is left of some. One channel passes as it is.
    """

    def __init__(self, channels: int) -> None:
        self.channels, self.given, self.came = channels, 0, 0
        n = np.arange(-HILBERT, HILBERT + 1)
        taps = np.where(n % 2 == 0, 0, 2 / (np.pi * np.where(n == 0, 1, n))) * np.blackman(len(n))
        angle = np.pi * np.arange(channels) / (1 << max(channels - 1, 0).bit_length())  # 0, 60 and 120 degrees cancel
        self.taps = np.outer(n == 0, np.cos(angle)) + np.outer(taps, np.sin(angle))
        self.held = np.zeros((2 * HILBERT, channels), np.float32)

    def add(self, block: Floats) -> Floats:
        """(n, C) -> what is sure by now, (m,)."""
        if self.channels < 2:
            return np.asarray(block[:, 0], np.float32)
        whole = np.concatenate([self.held, block])
        self.held, self.came = whole[len(block) :], self.came + len(block)
        made = oaconvolve(whole, self.taps, "valid", axes=0).mean(1)
        late = max(HILBERT - self.given, 0)
        self.given += len(made)
        return np.asarray(made[late:], np.float32)

    def rest(self) -> Floats:
        """The last samples."""
        missing = min(HILBERT, self.came) if self.channels > 1 else 0
        return self.add(np.zeros((HILBERT, self.channels), np.float32))[-missing:] if missing else np.zeros(0, np.float32)


class _Stream:
    """Blocks of any length, taken in equal ones."""

    def __init__(self, blocks: Iterator[Floats]) -> None:
        self._blocks, self._held = blocks, np.zeros(0, np.float32)

    def take(self, count: int) -> Floats:
        """The next samples; fewer only at the end."""
        parts = [self._held] if len(self._held) else []
        while sum(map(len, parts)) < count and (block := next(self._blocks, None)) is not None:
            parts.append(block)
        whole = np.concatenate(parts) if parts else self._held
        self._held = whole[count:]
        return whole[:count]


def _resampled(info: MediaInfo, audio: AudioInfo) -> Generator[Floats, None, None]:
    """One stream, (N, C) at 16 kHz; silence first if it starts later than others."""
    lead = round((audio.start - clock(info)) * SPEECH_RATE)
    for start in range(0, lead, BLOCK):
        yield np.zeros((min(BLOCK, lead - start), audio.channels), np.float32)
    made = soxr.ResampleStream(audio.rate, SPEECH_RATE, audio.channels, "float32")

    def at_16(block: Floats, last: bool = False) -> Floats:
        return np.asarray(made.resample_chunk(block, last=last), np.float32).reshape(-1, audio.channels)

    for block in pcm(info, audio.index):
        yield at_16(np.ascontiguousarray(np.clip(np.nan_to_num(block, posinf=0, neginf=0), -4, 4), np.float32))
    yield at_16(np.zeros((0, audio.channels), np.float32), last=True)
