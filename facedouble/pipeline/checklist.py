"""The checklist of a film: one line for every shot, and one for everything that finders see in it. Reads the footage.

Looked at are the first and the last frame of each shot and about one a second between. What is seen in several of them is one
line. The plan changes only when all has been looked at; lines that are there keep their marks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import groupby, pairwise
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from facedouble.colour import picture
from facedouble.errors import FacedoubleError, UsageError
from facedouble.media.again import spans_of
from facedouble.options import Options
from facedouble.pipeline.analyse import Analysis, Progress, quiet
from facedouble.pipeline.film import Film, Home
from facedouble.pipeline.finders import FINDERS, Opener
from facedouble.pipeline.protect import close_doors
from facedouble.plan import edit
from facedouble.plan.plan import Plan
from facedouble.plan.read import read
from facedouble.plan.values import Check, Key
from facedouble.types import Finder, Frame, Spot, Value

WHOLE: Final = "the whole shot"  # what the line of a shot says
EVERY: Final = 1.0  # s between frames that are looked at
FLASH: Final = 5  # frames; a shorter shot is looked at once, and belongs to the one before
LETTERS: Final = 40  # of what was read that go into the plan
ALIKE: Final = 0.8  # from which two readings near each other are of the same words
NEAR: Final = 2.0  # box sizes that such words may have moved from look to look
SAME: Final = 0.3  # share of two boxes that is common, from which two looks without words are at the same thing
MOST: Final = 20  # lines of one shot; what is more is told in one
FOLLOWED: Final = 60  # things of one shot, and of one look; what is more is only counted


@dataclass(frozen=True)
class Entered(Value):
    """What `find` did: shots of the film, frames looked at, things found in them, lines that are new in the plan."""

    shots: int
    looks: int
    found: int
    new: int


def find(home: Home, options: Options, finders: Mapping[str, Opener] = FINDERS, progress: Progress = quiet,
         models: Path | None = None) -> Entered:
    """Enter every shot and all that the finders see into the plan's checklist. Nothing is written if anything fails."""
    close_doors()
    film = Film(home, options)
    opened = {name: opener(models) for name, opener in finders.items()}
    checks: list[Check] = []
    shots = looks = 0
    for clip in film.plan.clips:
        made = film.made[clip.id]
        every = shots_of(made)
        lines: dict[int, list[Check]] = {}
        for number, seen in groupby(_looks(clip.id, made, every, opened, progress), lambda look: look.shot):
            things = _Things(seen)
            lines[number] = _lines(clip.id, every[number], things)
            looks += len(things.frames)
        for number, shot in enumerate(every):
            checks += [Check(clip.id, shot.start, shot.stop, WHOLE), *lines.get(number, ())]
        shots += len(every)
    text = home.text()  # as it is now: somebody may have gone on writing
    plan = read(text)
    if plan.clips != film.plan.clips:
        raise UsageError(f"{home.plan}: its clips were changed meanwhile; it was left as it is, so start again")
    new = unknown(plan, checks)
    if new:
        home.put(edit.add(text, *new))
    return Entered(shots, looks, len(checks) - shots, len(new))


@dataclass(frozen=True)
class Shot(Value):
    """Frames [start, stop) of a clip, and which of them are looked at."""

    start: int
    stop: int
    looks: tuple[int, ...]


def shots_of(made: Analysis) -> list[Shot]:
    """The shots of a clip."""
    step = EVERY * float(made.info.rate)
    out: list[Shot] = []
    for start, stop in pairwise([0, *made.cuts, made.frames]):
        length = stop - start
        looks: tuple[int, ...]
        if length < FLASH:
            looks = (start + length // 2,)
        else:
            looks = tuple(np.linspace(start, stop - 1, max(2, round(length / step) + 1)).round().astype(int).tolist())
        if out and (length < FLASH or out[-1].stop - out[-1].start < FLASH):
            before = out.pop()
            start, looks = before.start, before.looks + looks
        out.append(Shot(start, stop, looks))
    return out


@dataclass(frozen=True)
class Seen(Value):
    """What a finder saw in a frame: its name, the frame, and the spot."""

    finder: str
    frame: int
    spot: Spot


@dataclass(frozen=True)
class Looked(Value):
    """One frame that was looked at, in which shot, and all that was seen."""

    shot: int
    frame: int
    seen: tuple[Seen, ...]


def _looks(clip: str, made: Analysis, shots: Sequence[Shot], finders: Mapping[str, Finder],
           progress: Progress) -> Iterator[Looked]:
    """Look at some frames of every shot, in order. Damaged ones tell nothing."""
    number = {f: k for k, shot in enumerate(shots) for f in shot.looks} if finders else {}
    with closing(spans_of(made.info, [(f, f + 1) for f in number], made.marks)) as film:
        for done, frame in enumerate(film, 1):
            yield Looked(number[frame.index], frame.index, () if frame.corrupt else tuple(_seen(clip, frame, finders)))
            progress(f"clip {clip}: looking for {', '.join(finders)}", done, len(number))


def _seen(clip: str, frame: Frame, finders: Mapping[str, Finder]) -> Iterator[Seen]:
    rgb = picture(frame)
    for name, finder in finders.items():
        try:
            spots = finder(rgb)
        except FacedoubleError:
            raise
        except Exception as error:
            raise FacedoubleError(f"the finder of {name} failed at frame {frame.index} of clip {clip} "
                                  f"({type(error).__name__}): the plan was left as it is; please report it") from error
        yield from (Seen(name, frame.index, replace(spot, what=brief(spot.what))) for spot in spots)


class _Thing:
    """Something that was seen in one or more looks at a shot: the best of them, and in which looks it first and last was."""

    def __init__(self, seen: Seen, look: int) -> None:
        self.best = self.last = seen
        self.first_look = self.last_look = look
        self.looks = 1

    def add(self, seen: Seen, look: int) -> None:
        self.best = max(self.best, seen, key=_worth)
        self.last, self.last_look, self.looks = seen, look, self.looks + 1

    def likeness(self, seen: Seen) -> float:
        """How sure it is that this is the same thing again; 0 if it is not."""
        if self.best.finder != seen.finder:
            return 0.0
        a, b, last = self.best.spot, seen.spot, self.last.spot
        words = _alike(a.what, b.what) if a.what and b.what else 0.0
        # another number plate is as like as a misread one, but elsewhere
        if words == 1 or (words >= ALIKE and np.hypot(last.x - b.x, last.y - b.y) < NEAR * max(last.w, last.h)):
            return 1 + words
        share = _common(last, b)
        return share if share >= SAME else 0.0


def _worth(seen: Seen) -> tuple[bool, float]:
    """What was read is worth more than what was not, and longer words more than shorter ones."""
    s = seen.spot
    return bool(s.what), s.score * (len(_plain(s.what)) if s.what else s.w * s.h)


def _plain(words: str) -> str:
    return "".join(c for c in words.casefold() if c.isalnum())


def _alike(one: str, other: str) -> float:
    """In [0, 1]; short words only if they are the same."""
    a, b = _plain(one), _plain(other)
    if a == b:
        return float(bool(a) or one == other)
    told = SequenceMatcher(None, a, b)
    return told.ratio() if min(len(a), len(b)) > 2 and told.quick_ratio() >= ALIKE else 0.0


def _common(a: Spot | Key, b: Spot | Key) -> float:
    """Intersection over union of two turned boxes."""
    boxes = [cv2.boxPoints(((s.x, s.y), (s.w, s.h), s.angle)) for s in (a, b)]
    both = float(cv2.intersectConvexConvex(*boxes)[0])
    return both / (a.w * a.h + b.w * b.h - both)


class _Things:
    """What was seen in a shot, each once; how much more there was in a look that was not followed; the frames looked at."""

    def __init__(self, looks: Iterable[Looked]) -> None:
        self.all: list[_Thing] = []
        self.frames: list[int] = []
        self.more = 0
        for look in looks:
            self._add(look)
            self.frames.append(look.frame)

    def _add(self, look: Looked) -> None:
        before, more = list(self.all), len(look.seen[FOLLOWED:])
        for seen in look.seen[:FOLLOWED]:
            likeness, near = max(((t.likeness(seen), k) for k, t in enumerate(before)), default=(0.0, -1))
            if likeness > 0:
                before.pop(near).add(seen, len(self.frames))
            elif len(self.all) < FOLLOWED:
                self.all.append(_Thing(seen, len(self.frames)))
            else:
                more += 1
        self.more = max(self.more, more)


def _lines(clip: str, shot: Shot, things: _Things) -> list[Check]:
    """The lines of what was seen in a shot: those seen longest; each from after the look before the first to the one after."""
    edges = [shot.start - 1, *things.frames, shot.stop]
    ranked = sorted(things.all, key=lambda t: (-t.looks, -t.best.spot.score))
    out = []
    for thing in sorted(ranked[:MOST], key=lambda t: (t.best.frame, t.best.spot.y, t.best.spot.x)):
        s = thing.best.spot
        place = Key(thing.best.frame, *(round(float(v), 1) for v in (s.x, s.y, max(s.w, 0.1), max(s.h, 0.1), s.angle)))
        out.append(Check(clip, edges[thing.first_look] + 1, edges[thing.last_look + 2], said(thing.best), place=place))
    more = things.more + len(ranked[MOST:])
    if more:
        names = sorted({t.best.finder for t in things.all})
        out.append(Check(clip, shot.start, shot.stop, f"{', '.join(names)} in {more} more places"))
    return out


def brief(words: str) -> str:
    """At most so many letters of what was read, and nothing else than letters."""
    plain = " ".join("".join(c if c.isprintable() else " " for c in words[: 4 * LETTERS]).split())
    return plain if len(plain) <= LETTERS else f"{plain[:LETTERS]}…"


def said(seen: Seen) -> str:
    """How a line of the checklist names what was seen."""
    return f'{seen.finder}: "{seen.spot.what}"' if seen.spot.what else f"{seen.finder}, not read"


def unknown(plan: Plan, checks: Iterable[Check]) -> list[Check]:
    """Those that no line of the plan is about yet; each line there answers for one."""
    left = list(plan.checks)
    new = []
    for check in checks:
        known = next((k for k, c in enumerate(left) if _about(c, check)), None)
        if known is None:
            new.append(check)
        else:
            left.pop(known)
    return new


def _about(there: Check, found: Check) -> bool:
    """Whether a line that is there is about what was found: the same shot; or the same words or place at the same time."""
    if there.clip != found.clip or min(there.stop, found.stop) <= max(there.start, found.start):
        return False
    if WHOLE in (there.what, found.what):
        return (there.what, there.start, there.stop) == (found.what, found.start, found.stop)
    a, b = there.place, found.place
    if a is not None and b is not None and a.frame == b.frame and _common(a, b) >= SAME:
        return True
    return (b is None or found.what.endswith('"')) and there.what == found.what
