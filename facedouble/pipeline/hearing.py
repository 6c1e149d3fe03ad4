"""Who speaks when in a clip: its sound, read once, against the lips that its analysis already holds."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import soxr

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
    total = None if made.info.duration is None else int(made.info.duration * SPEECH_RATE)
    with closing(mono(made.info)) as blocks:
        for block in blocks:
            listener.add(block)
            samples += len(block)
            progress("hearing voices", samples, total)
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


def _cuts(made: Analysis) -> list[float]:
    """Samples of the cuts at which another face comes or one goes."""
    shown, half = times(made), 0.5 / float(made.info.rate)
    edges = {e for role in made.roles for e in (role.track.start, role.track.stop)}
    telling = [c for c in made.cuts if 0 < c < made.frames and edges & {c - 1, c, c + 1}]
    return [float((shown[c] - half) * SPEECH_RATE) for c in sorted(telling)]


def lips_of(role: Role, shown: Array) -> Lips | None:
    """How far apart the lips of a track are, where its codes are to be trusted; None where there are none."""
    if role.fit is None:
        return None
    start, gaps = role.fit.start, role.fit.codes.numbers[:, CODE["lips"]].mean(1).astype(np.float32)
    weights = role.weights[start - role.track.start :][: len(gaps)]
    return Lips(role.track.id, shown[start : start + len(gaps)], np.where(weights > 0, gaps, np.float32(np.nan)))


def mono(info: MediaInfo) -> Generator[Floats, None, None]:
    """All sound streams mixed, (N,) at 16 kHz, from `clock` on; ends with the longest."""
    with ExitStack() as stack:
        streams = [_Stream(stack.enter_context(closing(_resampled(info, a)))) for a in info.audio]
        while parts := [p for p in (s.take(BLOCK) for s in streams) if len(p)]:
            mixed = np.zeros(max(map(len, parts)), np.float32)
            for part in parts:
                mixed[: len(part)] += part / np.float32(len(streams))
            yield mixed


class _Stream:
    """Blocks of any length, taken in equal ones."""

    def __init__(self, blocks: Iterator[Floats]) -> None:
        self._blocks, self._held = blocks, np.zeros(0, np.float32)

    def take(self, count: int) -> Floats:
        """The next samples; fewer only at the end."""
        parts = [self._held]
        while sum(map(len, parts)) < count and (block := next(self._blocks, None)) is not None:
            parts.append(block)
        whole = np.concatenate(parts)
        self._held = whole[count:]
        return whole[:count]


def _resampled(info: MediaInfo, audio: AudioInfo) -> Generator[Floats, None, None]:
    """One stream, its channels' mean, (N,) at 16 kHz; silence first if it starts later than others."""
    lead = round((audio.start - clock(info)) * SPEECH_RATE)
    for start in range(0, lead, BLOCK):
        yield np.zeros(min(BLOCK, lead - start), np.float32)
    made = soxr.ResampleStream(audio.rate, SPEECH_RATE, 1, "float32")
    for block in pcm(info, audio.index):
        flat = np.clip(np.nan_to_num(block, posinf=0, neginf=0), -4, 4).mean(1, dtype=np.float32)
        yield np.asarray(made.resample_chunk(flat), np.float32).reshape(-1)
    yield np.asarray(made.resample_chunk(np.zeros(0, np.float32), last=True), np.float32).reshape(-1)
