"""A person's own scenes as they are in the protected film, its subtitles and a mark burned in: what that person approves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Final

from facedouble.errors import InputRefused, UsageError
from facedouble.media.decode import frames, packet_times
from facedouble.media.encode import Sound, Writer
from facedouble.media.probe import probe
from facedouble.media.sound import pcm
from facedouble.options import EncodeOptions
from facedouble.pipeline.analyse import Progress, quiet
from facedouble.protect.card import caption, watermark
from facedouble.protect.composite import reissued
from facedouble.store.renders import Scene
from facedouble.types import AudioInfo, Floats, MediaInfo, Value
from facedouble.voice.subtitles import Cue

ENDLESS: Final = 1 << 62  # samples


@dataclass(frozen=True)
class Written(Value):
    """What is written over the frames: a mark, with the scene's number; the subtitles. font: of these, if not DejaVu Sans."""

    mark: str
    words: tuple[Cue, ...] = ()
    font: Path | None = None


def write_pack(film: Path, scenes: Sequence[Scene], over: Written, output: Path, options: EncodeOptions,
               progress: Progress = quiet) -> int:
    """Write the scenes, one after the other, into a new film; how many frames that are.

    film: one that the registry knows by its hash as drawn, audited and clean. UsageError if its subtitles cannot be drawn.
    """
    info = probe(film)
    shown = [ticks * info.time_base for ticks in packet_times(info)]
    first = min([*shown[:1], *(a.start for a in info.audio)])  # sound before the first picture is of the first scene
    spans = [(first if s.start == 0 else shown[s.start], shown[s.stop] if s.stop < len(shown) else None)
             for s in scenes if s.start < len(shown)]
    lines = _lines(info, shown, scenes, over)
    sounds: list[Sound] = [(a.rate, a.channels, Fraction(0), _sound(info, a, spans)) for a in info.audio]
    there = replace(info, start=shown[0] - first if scenes[0].start == 0 else Fraction(0))
    done, ticks = 0, round(there.start / info.time_base)
    total = sum(scene.stop - scene.start for scene in scenes)
    with Writer(output, there, options, sounds) as writer, closing(frames(info)) as found:
        pending = list(scenes)
        for frame in found:
            while pending and frame.index >= pending[0].stop:
                pending.pop(0)
            if not pending:
                break
            if frame.index >= pending[0].start:
                scene = pending[0]
                marks = [watermark(f"{over.mark} · {scene.number}", info.width, info.height)]
                if frame.index in lines:
                    marks.append(caption(lines[frame.index], info.width, info.height, over.font))
                writer.add(reissued(replace(frame, index=done, ticks=ticks), *marks))
                done, ticks = done + 1, ticks + frame.span
                progress("making the pack", done, total)
    if done != total:
        raise InputRefused(f"{film}: has fewer frames than its scenes; render it again")
    return done


def _lines(info: MediaInfo, shown: Sequence[Fraction], scenes: Sequence[Scene], over: Written) -> dict[int, str]:
    """What is read over each frame of the scenes; each cue of a scene is over one at least, be it as short as it may."""
    found: dict[int, str] = {}
    ms = [1000 * (time - shown[0]) for time in shown]
    for scene in scenes:
        for k in range(scene.start, min(scene.stop, len(ms))):
            said = [cue.text for cue in over.words if max(cue.stop, cue.start + 1) > ms[k]
                    and (k + 1 == len(ms) or cue.start < ms[k + 1])]
            if text := "\n".join(filter(None, said)):
                found[k] = text
        for text in {found[k] for k in range(scene.start, scene.stop) if k in found}:  # before the long part
            try:
                caption(text, info.width, info.height, over.font)
            except UsageError as error:
                raise UsageError(f"the subtitles of scene {scene.number} cannot be drawn: {error}") from error
    return found


def _sound(info: MediaInfo, audio: AudioInfo, spans: Sequence[tuple[Fraction, Fraction | None]]) -> Iterator[Floats]:
    """The samples of a stream in those spans, in seconds; one that ends with None ends with the sound."""
    wanted = [(round((a - audio.start) * audio.rate), ENDLESS if b is None else round((b - audio.start) * audio.rate))
              for a, b in spans]
    at = 0
    for block in pcm(info, audio.index):
        for start, stop in wanted:
            a, b = max(start - at, 0), min(stop - at, len(block))
            if a < b:
                yield block[a:b]
        at += len(block)
