"""What is typed on a command line -> values of the plan: times, keys of regions, spans, checks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from facedouble.errors import UsageError
from facedouble.plan.people import Decision, Span
from facedouble.plan.plan import Plan
from facedouble.plan.rules import Wrong
from facedouble.plan.times import frame, moment, seconds
from facedouble.plan.values import Check, Clip, Key, Region

_NUMBER: Final = r"-?[0-9]{1,6}(?:\.[0-9]{1,6})?"
_KEY: Final = re.compile(rf"(.+):({_NUMBER}),({_NUMBER}),({_NUMBER})x({_NUMBER})(?:@({_NUMBER}))?")
HOW_KEY: Final = "write the time, the middle and the size in px as 100:640,420,90x60, and @10 behind it if it is turned"


def frame_of(word: str, clip: Clip) -> int:
    """The frame of "120", "4.8" or "00:00:04.8"."""
    try:
        return frame(int(word) if re.fullmatch(r"[0-9]{1,12}", word) else word, clip.rate)
    except ValueError as error:
        raise UsageError(f'"{word}" is no time: write a frame as 120, seconds as 4.8, or a timecode as 00:00:04.800') from error


def moment_of(word: str, clip: Clip) -> int:
    """The ms of "120" (a frame), "4.8" or "00:00:04.8"."""
    try:
        return moment(int(word) if re.fullmatch(r"[0-9]{1,12}", word) else word, clip.rate)
    except ValueError as error:
        raise UsageError(f'"{word}" is no time: write a frame as 120, seconds as 4.8, or a timecode as 00:00:04.800') from error


def numbers_of(word: str) -> list[int]:
    """The numbers of "3" or "4-9"."""
    found = re.fullmatch(r"([0-9]{1,6})(?:-([0-9]{1,6}))?", word)
    if found is None:
        raise UsageError(f'"{word}" is no number: write 3, or 4-9')
    return list(range(int(found[1]), int(found[2] or found[1]) + 1))


def frames_of(start: str | None, stop: str | None, clip: Clip) -> tuple[int, int | None]:
    """First frame and end of --from and --to; without --from the clip's first."""
    return 0 if start is None else frame_of(start, clip), None if stop is None else frame_of(stop, clip)


def length_of(word: str) -> Fraction:
    """Seconds of "2" or "2.5"."""
    try:
        return seconds(int(word) if re.fullmatch(r"[0-9]{1,6}", word) else word)
    except ValueError as error:
        raise UsageError(f'"{word}" is no length of time: write seconds as 2.0') from error


def key_of(word: str, clip: Clip) -> Key:
    """The key of "100:640,420,90x60@10"."""
    match = _KEY.fullmatch(word)
    if match is None:
        raise UsageError(f'--key "{word}" is not understood: {HOW_KEY}')
    at, *numbers = match.groups()
    try:
        return Key(frame_of(at, clip), *(float(n or 0) for n in numbers))
    except Wrong as wrong:
        raise UsageError(f'--key "{word}": {wrong}') from wrong


def clip_of(plan: Plan, id: str) -> Clip:
    """The clip of that id; the only one there is if none is named."""
    if not id and len(plan.clips) == 1:
        return plan.clips[0]
    if not id:
        raise UsageError(f"say which clip with --clip: {', '.join(c.id for c in plan.clips)}")
    try:
        return plan.clip(id)
    except Wrong as wrong:
        raise UsageError(str(wrong)) from wrong


def span_of(clip: Clip, start: str | None, stop: str | None, decision: Decision, lasts: str | None, halo: float | None,
            hair: str | None, hide: str | None) -> Span:
    """A span of a person; without --to it ends with the clip."""
    a, b = frames_of(start, stop, clip)
    length = Fraction(0) if lasts is None else length_of(lasts)
    try:
        return Span(clip.id, a, clip.frames if b is None else b, decision, halo, hair,
                    max(round(length * clip.rate), int(length > 0)), hide)
    except Wrong as wrong:
        raise UsageError(str(wrong)) from wrong


def region_of(held: Region | None, clip: Clip, name: str, keys: Sequence[str], cover: str | None, shape: str | None,
              track: bool | None, start: str | None, stop: str | None) -> Region:
    """A region, new or as one that is held with what is said instead; of that only the keys that are said."""
    a, b = frames_of(start, stop, clip)
    new = sorted((key_of(key, clip) for key in keys), key=lambda key: key.frame)
    if not new and held is None:
        raise UsageError(f'region "{name}" is new and nowhere: give --key; {HOW_KEY}')
    try:
        return Region(clip.id, name, cover or (held.cover if held else "solid"), shape or (held.shape if held else "box"),
                      tuple(new) or (held.keys if held else ()), (held is not None and held.track) if track is None else track,
                      held.start if held and start is None else a, held.stop if held and stop is None else b)
    except Wrong as wrong:
        raise UsageError(str(wrong)) from wrong


def check_of(clip: Clip, what: str, start: str | None, stop: str | None, key: str) -> Check:
    """A line of the checklist; without --to it holds to the clip's end."""
    a, b = frames_of(start, stop, clip)
    try:
        return Check(clip.id, a, clip.frames if b is None else b, what, place=key_of(key, clip) if key else None)
    except Wrong as wrong:
        raise UsageError(str(wrong)) from wrong
