"""Volunteers' voices: recordings are heard and checked, a voice is made of them, cast against footage, and ranked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import soxr

from facedouble import disk
from facedouble.errors import InputRefused
from facedouble.media.probe import probe
from facedouble.media.recording import Recording as Source
from facedouble.media.recording import blocks, recording
from facedouble.pipeline.analyse import Progress, quiet
from facedouble.pipeline.auditions import looked_at
from facedouble.pipeline.digest import of_file
from facedouble.pipeline.film import Home
from facedouble.pipeline.hearing import Ears
from facedouble.pipeline.speaking import RATE
from facedouble.pipeline.speaking import Maker as Speaking
from facedouble.plan.read import read
from facedouble.types import Consent, Floats
from facedouble.voice import casting
from facedouble.voice.casting import Finding, Fitness
from facedouble.voice.code import SPEECH_RATE
from facedouble.voice.file import read_voice
from facedouble.voice.listen import LOOK, TICK, Heard, Listener
from facedouble.voice.material import MOST, Gauge, Material, Recording, examine, together
from facedouble.voice.speech import stretches, turns
from facedouble.voice.volunteer import VoiceDouble, named

ALOUD: Final = 2.0  # s of speech with a pitch that a voice needs at least: else nobody knows how high it is
PITCHED: Final = 0.6  # of `Heard.voiced`: noise has .2 to .4
AROUND: Final = 0.1  # s before and after each stretch of speech that a voice is made of

Maker = Callable[[Sequence[Floats]], Mapping[str, Floats]]
"""Stretches of a volunteer's speech, (N,) each at `RATE` -> the arrays of a voice, but for its prints."""


def open_maker(models: Path | None = None) -> Maker:
    """What makes voices; ModelError if a model of it is missing."""
    return Speaking(models)


def mono(source: Source, rate: int, gauge: Gauge | None = None) -> Iterator[Floats]:
    """The sound of a file, (N,) at `rate`, its channels' mean; what is no number is silence."""
    stream = soxr.ResampleStream(source.rate, rate, 1, dtype="float32")
    for block in blocks(source):
        if gauge is not None:
            gauge.add(block)
        flat = np.clip(np.nan_to_num(block, posinf=0, neginf=0), -4, 4).mean(1, dtype=np.float32)
        yield np.asarray(stream.resample_chunk(flat), np.float32)
    yield np.asarray(stream.resample_chunk(np.zeros(0, np.float32), last=True), np.float32)


def hear(path: Path, ears: Ears) -> Recording:
    """Hear a file once, block by block; what is kept grows by some kB a minute."""
    source = recording(path)
    gauge, listener = Gauge(source.rate), Listener(ears.activity(), ears.voiceprint)
    for sound in mono(source, SPEECH_RATE, gauge):
        listener.add(sound)
    return Recording(path.name, listener.done(), gauge.clipped, gauge.high)


def make(paths: Sequence[Path], consent: Consent, ears: Ears, maker: Maker,
         progress: Progress = quiet) -> tuple[VoiceDouble, Material]:
    """A voice of a volunteer's recordings; InputRefused with all that is wrong with them."""
    heard = []
    for k, path in enumerate(paths):
        heard.append(hear(path, ears))
        progress("hearing", k + 1, len(paths))
    material = examine(heard)
    if material.refused:
        raise InputRefused("no voice can be made of this: " + "; ".join(str(r) for r in material.remarks if r.refused))
    if _aloud([r.heard for r in heard]) < ALOUD:
        raise InputRefused("no voice can be made of this: it is whispered, and holds hardly any voice; record some of it aloud")
    pieces = _Told(_speech(paths, [r.heard for r in heard]))
    prints = together([r.heard for r in heard]).astype(np.float32)
    if not len(prints):
        raise InputRefused("no voice can be made of this: nowhere in it somebody speaks for two seconds without a pause")
    seconds = sum(map(len, pieces)) / RATE
    pieces.tell = lambda k: progress("making", k, len(pieces))
    arrays = {**maker(pieces), "prints": prints}
    return named(consent, RATE, round(seconds, 2), arrays), material


class _Told(list[Floats]):
    """Stretches that tell how many of them were done."""

    tell: Callable[[int], None] = staticmethod(lambda k: None)

    def __iter__(self) -> Iterator[Floats]:
        for k, piece in enumerate(super().__iter__(), 1):
            yield piece
            self.tell(k)


def _aloud(heard: Sequence[Heard]) -> float:
    """S of speech that has a pitch."""
    ticks = 0
    for known in heard:
        for a, b in stretches(known.speech, known.samples):
            ticks += int((known.voiced[a // TICK : -(-b // TICK)] > PITCHED).sum())
    return ticks * TICK / SPEECH_RATE


def _speech(paths: Sequence[Path], heard: Sequence[Heard]) -> Iterator[Floats]:
    """The stretches of speech, in order, until there is enough of them."""
    left = round(MOST * RATE)
    for path, known in zip(paths, heard, strict=True):
        around = round(AROUND * SPEECH_RATE)
        spans = [(max(a - around, 0) * RATE // SPEECH_RATE, (b + around) * RATE // SPEECH_RATE)
                 for a, b in stretches(known.speech, known.samples)]
        for piece in _cut(mono(recording(path), RATE), spans):
            yield piece[:left]
            left -= len(piece)
            if left <= 0:
                return


def _cut(parts: Iterator[Floats], spans: Sequence[tuple[int, int]]) -> Iterator[Floats]:
    """What lies in [a, b) of a sound that comes block by block; spans in order, and they may overlap a little."""
    held: list[list[Floats]] = [[] for _ in spans]
    at = done = 0
    for part in parts:
        for n in range(done, len(spans)):
            a, b = spans[n]
            if a >= at + len(part):
                break
            held[n].append(part[max(a - at, 0) : max(b - at, 0)])
        at += len(part)
        while done < len(spans) and spans[done][1] <= at:
            yield np.concatenate(held[done])
            held[done].clear()
            done += 1
        if done == len(spans):
            return
    for rest in held[done:]:
        if rest:
            yield np.concatenate(rest)


def people(paths: Sequence[Path], ears: Ears, progress: Progress = quiet) -> dict[str, Floats]:
    """The voices in footage or recordings: their prints (n, D), by "voice 1" and so on, the one heard most first."""
    found: dict[str, Floats] = {}
    for k, path in enumerate(paths):
        heard = hear(path, ears).heard
        spoken = turns(heard)
        middles = heard.at + LOOK // 2
        for v in range(len(spoken.voices)):
            mine = np.zeros(len(middles), bool)
            for turn in spoken.turns:
                mine |= (turn.voice == v) & (turn.start <= middles) & (middles < turn.stop)
            if mine.any():
                name = f"voice {v + 1}" if len(paths) == 1 else f"{path.name}, voice {v + 1}"
                found[name] = heard.prints[mine].astype(np.float32)
        progress("hearing", k + 1, len(paths))
    return found


def people_of(home: Home, ears: Ears, progress: Progress = quiet) -> dict[str, Floats]:
    """The people of a plan, by their ids: the prints (n, D) of what each says alone, in all clips."""
    plan = read(home.text())
    found: dict[str, list[Floats]] = {}
    for k, clip in enumerate(plan.clips):
        path, spans = home.footage(clip), dict[str, list[tuple[int, int]]]()
        for _, turn in plan.turns(clip.id):
            spans.setdefault(turn.person, []).append((turn.start, turn.stop))
        if spans:
            if of_file(path) != clip.sha256:
                raise InputRefused(f"{path}: is not the footage that clip {clip.id} is about; put the right file there")
            for who, prints in looked_at(probe(path), spans, ears.voiceprint).items():
                found.setdefault(who, []).extend([prints] if len(prints) else [])
        progress("hearing", k + 1, len(plan.clips))
    return {who: np.concatenate(prints) for who, prints in sorted(found.items()) if who and prints}


def check(voice: VoiceDouble, against: Mapping[str, Floats]) -> tuple[Finding, ...]:
    """How like a volunteer's voice is to each voice of the footage."""
    return casting.check(voice.id, voice.arrays["prints"], against)


def voices_in(folder: Path) -> Iterator[tuple[str, VoiceDouble]]:
    """The voices of a folder, by name; one at a time is in memory. InputRefused if there is none, or one is damaged."""
    paths = disk.found(folder, "*.fvoice")
    if not paths:
        raise InputRefused(f"{folder}: holds no voices (*.fvoice)")
    for path in paths:
        yield path.stem, read_voice(path)


def rank(voices: Iterable[tuple[str, VoiceDouble]], against: Mapping[str, Floats]) -> dict[str, tuple[Fitness, ...]]:
    """For each voice of the footage: the volunteers' voices, best first, by the names of their files."""
    fits: dict[str, list[Fitness]] = {whom: [] for whom in against}
    for name, voice in voices:
        for finding in casting.check(name, voice.arrays["prints"], against):
            fits[finding.whom].append(Fitness(finding, voice.seconds))
    return {whom: casting.rank(found) for whom, found in fits.items()}
