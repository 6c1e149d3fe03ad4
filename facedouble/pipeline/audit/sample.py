"""What an adversary has and how much of it is looked at: known people, models, a sample."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from facedouble import disk
from facedouble.audit.account import Told
from facedouble.audit.parrot import windowed
from facedouble.audit.verdict import Check, Finding, Look
from facedouble.errors import InputRefused
from facedouble.options import AuditOptions
from facedouble.pipeline.audit.glimpse import Embed, Find, Seers
from facedouble.pipeline.audit.moving import Calmed, Watch
from facedouble.pipeline.audit.parrot import PHOTOS, Errand, Mask, Parroted, parrot
from facedouble.pipeline.sight import Follower
from facedouble.types import Box, Floats, Value

VIDEO: Final = {".mp4", ".mov", ".mkv", ".avi", ".mpg", ".mpeg", ".webm", ".m4v", ".mts", ".mxf"}
DRAWN: Final = ("double", "mannequin")
AGAIN, AGAIN_EVERY = 1.2, 0.2  # s of the footage that are drawn once more, from where a face is first worn on; and between looks
SOUNDS: Final = {".wav", ".flac", ".mp3", ".m4a", ".ogg"}
SEEN: Final = frozenset(PHOTOS | VIDEO)
SPOKEN: Final = frozenset(SOUNDS | VIDEO)
WORN: Final = "the double that was decided on"
ALIKE: Final = "the double itself"
PARROT: Final = "somebody who knows the double"
MOTION: Final = "somebody who knows how they move"
OTHERS: Final = ("needs pictures of other people, to try whether the witness would be picked out among them "
                 "(`--gallery FOLDER`)")


@dataclass(frozen=True)
class Known(Value):
    """What an adversary has. witness: clips and photos by the plan's id of whom they show; gallery: the same of other people.

    own: of whom the very footage is all that there is: the first half of what it shows of them is attacked with the second; lead:
    frames of the film that come before the footage's first; why: nobody can be asked about, "" if somebody could; footage: what
    the film was made of.
    """

    witness: Mapping[str, Sequence[Path]] = field(default_factory=dict)
    gallery: Mapping[str, Sequence[Path]] = field(default_factory=dict)
    own: frozenset[str] = frozenset()
    lead: int = 0
    why: str = ""
    footage: Path | None = None

    @property
    def lacks(self) -> str:
        """What those attackers need who compare people with each other, one sentence; "" if they have it."""
        if not self.witness:
            return self.why or "needs footage or photos of a witness who wears a double (--witness)"
        return "" if self.gallery else OTHERS

    def asked(self, people: Sequence[str]) -> list[str]:
        """About whom something can be said: about those in other footage, or else in the film's own."""
        return [who for who in people if who not in self.own] or list(people)


@dataclass(frozen=True)
class Wardrobe(Value):
    """Who wears which face, and when.

    turns: of each person, half-open spans of frames of the output with the face that is worn there, or those of which one is;
    findings: faces that are others than the plan's; lacks: what the plan says and nobody can compare, a sentence each; planned:
    a plan says all of it.
    """

    turns: Mapping[str, Sequence[tuple[float, float, tuple[Mask, ...]]]] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    lacks: tuple[str, ...] = ()
    planned: bool = False

    def __call__(self, person: str, frame: int) -> tuple[Mask, ...]:
        """() where nobody knows it."""
        return next((masks for start, stop, masks in self.turns.get(person, ()) if start <= frame < stop), ())


def always(masks: Mapping[str, Sequence[Mask]]) -> Wardrobe:
    """Everybody wears theirs, or one of theirs, throughout."""
    return Wardrobe({who: [(0, math.inf, tuple(some))] for who, some in masks.items()})


@dataclass(frozen=True)
class Means(Value):
    """The models. seers: opens detector and recogniser, in any process; mesh: makes a landmarker; models: their folder; here:
    detector and recogniser, if they are open in this process already."""

    seers: Seers
    mesh: Callable[[], Follower]
    models: Path | None = None
    run: Callable[[Errand, Seers], list[Parroted]] = parrot
    here: tuple[Find, Embed] | None = None


class Star:
    """What is seen of one person of the film: looks (2, D) with their frames, and windows of motion, if these are asked for.

    places: frame, box (px) and what is worn, wherever somebody looked, whether or not anything was seen; half: the attackers have
    the second half of them, in the footage; first: by what is worn, the looks of its first `AGAIN` s: frame, box and (2, D).
    """

    def __init__(self, rate: float, watch: Watch | None = None, half: bool = False) -> None:
        self.vectors: list[Floats] = []
        self.frames: list[int] = []
        self.places: list[tuple[int, Box, tuple[Mask, ...]]] = []
        self.rate, self.watch, self.half = rate, watch, half
        self.first: dict[tuple[Mask, ...], list[tuple[int, Box, Floats]]] = {}
        self.begun: dict[tuple[Mask, ...], int] = {}

    def early(self, masks: tuple[Mask, ...], frame: int) -> bool:
        """Whether a look is due because that face, known for the very one, has been worn for no longer than `AGAIN`."""
        since = frame - self.begun.setdefault(masks, frame)
        return len(masks) == 1 and since < AGAIN * self.rate and since % max(1, round(AGAIN_EVERY * self.rate)) == 0

    @property
    def stop(self) -> float:
        """Frame from which on looks and windows do not count for the attackers."""
        return self.places[len(self.places) // 2][0] if self.half and self.places else math.inf

    @property
    def worn(self) -> list[tuple[Mask, ...]]:
        """The faces that are worn, or groups of which one is, in the order of time."""
        return list(dict.fromkeys(masks for _, _, masks in self.places if masks))

    def wearing(self, masks: tuple[Mask, ...]) -> Star:
        """What is seen of them where they wear that."""
        at = {frame for frame, _, some in self.places if some == masks}
        some = Star(self.rate, self.watch, self.half)
        some.places, some.first = self.places, self.first
        some.vectors = [v for v, frame in zip(self.vectors, self.frames, strict=True) if frame in at]
        some.frames = [frame for frame in self.frames if frame in at]
        return some

    def windows(self, part: int, seconds: float) -> list[Floats]:
        """Windows (D,) of the looks that count; part: which of the two."""
        count = sum(f < self.stop for f in self.frames)
        if count == 0:
            return []
        return windowed(np.stack(self.vectors[:count])[:, part], np.array(self.frames[:count]) / self.rate, seconds)

    def moves(self) -> list[Calmed]:
        """Windows of motion that count."""
        if self.watch is None:
            return []
        return [w for w, end in zip(self.watch.found, self.watch.ends, strict=True) if end < self.stop]

    def span(self) -> tuple[int, int]:
        """From the first look to the last; there has to be one."""
        return self.frames[0], self.frames[-1] + 1


@dataclass(frozen=True)
class Sample(Value):
    """How much is looked at."""

    audit: AuditOptions
    exhaustive: bool = False

    def look_every(self, seconds: float, people: int = 1) -> float:
        """Time in s between looks at each of so many faces, of a film that long: all of them together have `attack_looks`."""
        return 0.0 if self.exhaustive else max(self.audit.attack_every, seconds * people / self.audit.attack_looks)

    def motion_every(self, seconds: float, people: int = 1) -> float:
        """Time in s from one window of motion to the next, of each of so many people; 0: without a gap."""
        return 0.0 if self.exhaustive else max(self.audit.motion_seconds, seconds * people / self.audit.motion_windows)

    def people(self, people: Mapping[str, Sequence[Path]]) -> dict[str, tuple[Path, ...]]:
        """Those of the gallery, and of each the files, that are made use of: people spread over it, their first files."""
        return {n: tuple(f) if self.exhaustive else tuple(f[: self.audit.attack_files]) for n, f in self.some(people).items()}

    def some(self, people: Mapping[str, Sequence[Path]]) -> dict[str, Sequence[Path]]:
        """People spread over all of them, with all their files."""
        names = sorted(people)
        if not self.exhaustive and len(names) > self.audit.attack_people:
            names = [names[i] for i in np.linspace(0, len(names) - 1, self.audit.attack_people).round().astype(int)]
        return {n: people[n] for n in names}


def gallery(folder: Path, kinds: frozenset[str] = SEEN) -> dict[str, tuple[Path, ...]]:
    """People by name, out of a folder: each subfolder is somebody, and so is each file of those kinds beside them."""
    try:
        if not disk.is_folder(folder):
            raise NotADirectoryError(20, "there is no such folder")
        paths = disk.listing(folder)
    except OSError as error:
        raise InputRefused(f"{folder}: cannot be read ({error.strerror}); give a folder with photos and clips") from error
    people: dict[str, tuple[Path, ...]] = {}
    for path in paths:
        files = disk.listing(path) if disk.is_folder(path) else [path]
        some = tuple(f for f in files if disk.is_file(f) and f.suffix.lower() in kinds)
        name = path.name if disk.is_folder(path) else path.stem
        if some:
            people[name] = (*people.get(name, ()), *some)
    return people


def largest(told: Sequence[Told], people: Collection[str]) -> Iterator[Told]:
    """Of each of the people who wears a double the largest face."""
    for who in sorted({t.person for t in told if t.person in people and t.treatment in DRAWN}):
        yield max((t for t in told if t.person == who and t.treatment in DRAWN), key=lambda t: t.box.area)


def untried(name: str, why: str) -> Check:
    """A check for which something is missing; the file may pass without it."""
    return Check(name, "attacked", "A stranger with this program and other footage of everybody.", missing=why, needed=False)


def left_out(people: Iterable[str], asked: Collection[str]) -> str:
    """A sentence about those of whom nothing was said, with a space before it; "" if there are none."""
    rest = [who for who in people if who not in asked]
    return f" Not tried, as too little is known or seen of them: {', '.join(rest)}." if rest else ""


def nearest(stars: Mapping[str, Star]) -> tuple[Look, ...]:
    """A frame of each to look at."""
    return tuple(Look(s.frames[len(s.frames) // 2], None, f"{who}, as the attacker sees them") for who, s in stars.items()
                 if s.frames)
