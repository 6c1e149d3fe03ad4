"""A person's own scenes, as they are in the protected film, with a mark burned in: what that person approves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Final

from facedouble.errors import InputRefused
from facedouble.media.decode import frames, packet_times
from facedouble.media.encode import Sound, Writer
from facedouble.media.probe import probe
from facedouble.media.sound import pcm
from facedouble.options import EncodeOptions
from facedouble.pipeline.analyse import Progress, quiet
from facedouble.protect.card import watermark
from facedouble.protect.composite import reissued
from facedouble.store.renders import Scene
from facedouble.types import AudioInfo, Floats, MediaInfo

ENDLESS: Final = 1 << 62  # samples


def write_pack(film: Path, scenes: Sequence[Scene], mark: str, output: Path, options: EncodeOptions,
               progress: Progress = quiet) -> int:
    """Write the scenes, one after the other, into a new film; how many frames that are.

    film: one that the registry knows by its hash as drawn, audited and clean. mark: on every frame, with the scene's number.
    """
    info = probe(film)
    spans = _times(info, scenes)
    sounds: list[Sound] = [(a.rate, a.channels, Fraction(0), _sound(info, a, spans)) for a in info.audio]
    there = replace(info, start=Fraction(0))
    done, ticks = 0, 0
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
                label = watermark(f"{mark} · {scene.number}", info.width, info.height)
                writer.add(reissued(replace(frame, index=done, ticks=ticks), label))
                done, ticks = done + 1, ticks + frame.span
                progress("making the pack", done, total)
    if done != total:
        raise InputRefused(f"{film}: has fewer frames than its scenes; render it again")
    return done


def _times(info: MediaInfo, scenes: Sequence[Scene]) -> list[tuple[Fraction, Fraction | None]]:
    """Where each scene begins and ends, in seconds; the last of the film ends with its sound, None."""
    shown = [ticks * info.time_base for ticks in packet_times(info)]
    return [(shown[s.start], shown[s.stop] if s.stop < len(shown) else None) for s in scenes if s.start < len(shown)]


def _sound(info: MediaInfo, audio: AudioInfo, spans: Sequence[tuple[Fraction, Fraction | None]]) -> Iterator[Floats]:
    """The samples of a stream in those spans."""
    wanted = [(round((a - audio.start) * audio.rate), ENDLESS if b is None else round((b - audio.start) * audio.rate))
              for a, b in spans]
    at = 0
    for block in pcm(info, audio.index):
        for start, stop in wanted:
            a, b = max(start - at, 0), min(stop - at, len(block))
            if a < b:
                yield block[a:b]
        at += len(block)
