"""Two films' sound -> the page to listen to both side by side. It holds the original voice: only its owner may read it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import soxr

from facedouble.errors import InputRefused, UsageError
from facedouble.media.flac import flac
from facedouble.media.recording import Recording, blocks, recording
from facedouble.pipeline.analyse import Progress, quiet
from facedouble.pipeline.listenpage import LINE, TALL, WIDE, Mark, Page, Row, html
from facedouble.plan.plan import Plan
from facedouble.publish import write_new
from facedouble.types import Bytes, Floats
from facedouble.voice.picture import compared, flags, spectrogram

RATE: Final = 24_000  # samples/s of what the page plays and draws: speech has next to nothing above 12 kHz
LONGEST: Final = 600.0  # s on one page
SAME: Final = 0.02  # s: lengths that differ by more are told
WEBP: Final = 78


def compare(before: Path, after: Path, output: Path, start: float = 0.0, marks: Sequence[Mark] = (),
            progress: Progress = quiet) -> Page:
    """Write the page for `LONGEST` seconds from `start` on, both s from the start of the films; marks count from there too."""
    if start < 0 or not np.isfinite(start):
        raise UsageError(f"--from {start}: give a time within the film")
    sounds, lengths = [], []
    for step, path in (("before", before), ("after", after)):
        sound, seconds = excerpt(path, start)
        sounds.append(sound)
        lengths.append(seconds)
        progress(step, 1, 1)
    longest = max(len(s) for s in sounds) / RATE
    if not longest:
        raise InputRefused(f"{before}: its sound ends before {start:.0f} s; give an earlier --from")
    found = flags(compared(sounds[0], sounds[1], RATE))
    mine = tuple(replace(m, start=max(m.start - start, 0.0), stop=min(m.stop - start, longest)) for m in marks
                 if m.stop > start and m.start - start < longest)
    rows = tuple(_rows(sounds, longest, progress))
    page = Page(start, longest, _notes(start, longest, lengths), mine, found, rows, *(_coded(s) for s in sounds))
    write_new(output, html(page), private=True)
    return page


def excerpt(path: Path, start: float) -> tuple[Floats, float]:
    """The sound from `start` on at `RATE`, (N,), one channel, at most `LONGEST`; and the length of all of it, s."""
    source = recording(path)
    stream, parts, kept, total = soxr.ResampleStream(source.rate, RATE, 1, dtype="float32"), [], 0, 0
    first, most = round(start * source.rate), round(LONGEST * RATE)
    for block in _timed(source):
        skip = min(max(first - total, 0), len(block))
        total += len(block)
        if kept < most and skip < len(block):
            made = stream.resample_chunk(np.clip(np.nan_to_num(block[skip:].mean(1, dtype=np.float32)), -1, 1))
            parts.append((np.clip(made, -1, 1) * 32767).astype(np.int16))  # half the memory
            kept += len(made)
    if kept < most:
        parts.append((np.clip(stream.resample_chunk(np.zeros(0, np.float32), last=True), -1, 1) * 32767).astype(np.int16))
    whole = np.concatenate(parts) if parts else np.zeros(0, np.int16)
    return whole[:most].astype(np.float32) / np.float32(32767), total / source.rate


def _timed(source: Recording) -> Iterator[Floats]:
    """The sound from the first picture on: silence before what begins later, nothing of what begins earlier."""
    late = round(source.late * source.rate)
    for at in range(0, late, source.rate):
        yield np.zeros((min(source.rate, late - at), 1), np.float32)
    early = max(-late, 0)
    for block in blocks(source):
        yield block[early:]
        early = max(early - len(block), 0)


def marks_of(plan: Plan, clip: str = "") -> tuple[Mark, ...]:
    """The turns of a clip of a plan, "" = its only one, and what is heard of each."""
    ids = [c.id for c in plan.clips]
    if not clip and len(ids) != 1:
        raise UsageError(f"the plan has {len(ids)} clips: say with --clip which one this is ({', '.join(ids)})")
    if clip and clip not in ids:
        raise UsageError(f"the plan has no clip {clip}: it has {', '.join(ids)}")
    who = {p.id: f"{p.id} {p.name}" for p in plan.people}
    return tuple(Mark(t.start / 1000, t.stop / 1000, who.get(t.person, "nobody said who"), plan.voicing(t).said, t.flags)
                 for _, t in plan.turns(clip or ids[0]))


def _rows(sounds: Sequence[Floats], seconds: float, progress: Progress) -> Iterator[Row]:
    count = int(np.ceil(seconds / LINE))
    for k in range(count):
        long = min(LINE, seconds - k * LINE)
        yield Row(k * LINE, long, *(_picture(s, k, long) for s in sounds))
        progress("pictures", k + 1, count)


def _picture(sound: Floats, k: int, seconds: float) -> bytes:
    """The spectrogram of a row; where the sound has ended it is silent."""
    wanted = max(round(seconds * RATE), 1)
    cut = sound[round(k * LINE * RATE) :][:wanted]
    picture: Bytes = spectrogram(np.pad(cut, (0, wanted - len(cut))), RATE, max(round(seconds / LINE * WIDE), 1), TALL)
    done, held = cv2.imencode(".webp", picture[..., ::-1], [cv2.IMWRITE_WEBP_QUALITY, WEBP])
    if not done:
        raise RuntimeError("WebP cannot be written")
    return bytes(held)


def _coded(sound: Floats) -> bytes:
    return flac((sound[at : at + RATE] for at in range(0, max(len(sound), 1), RATE)), RATE)


def _notes(start: float, seconds: float, lengths: Sequence[float]) -> tuple[str, ...]:
    notes = [f"Sound before: {lengths[0]:.3f} s. After: {lengths[1]:.3f} s."
             + (" They differ: the lips will not fit." if abs(lengths[0] - lengths[1]) > SAME else "")
             + " Played here in one channel, up to 12 kHz."]
    if start or max(lengths) > start + seconds + SAME:
        notes.append(f"Only {seconds:.0f} s of it are on this page, from {start:.0f} s on. A page holds ten minutes; make "
                     "another with --from for the rest.")
    return tuple(notes)
