"""What an adversary has and how much of it is looked at: known people, models, a sample."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from facedouble import disk
from facedouble.audit.parrot import windowed
from facedouble.audit.verdict import Check, Look
from facedouble.errors import InputRefused
from facedouble.options import AuditOptions
from facedouble.pipeline.audit.glimpse import Seers
from facedouble.pipeline.audit.moving import Calmed, Watch
from facedouble.pipeline.audit.parrot import PHOTOS, Errand, Parroted, parrot
from facedouble.pipeline.sight import Follower
from facedouble.types import Floats, Value

VIDEO: Final = {".mp4", ".mov", ".mkv", ".avi", ".mpg", ".mpeg", ".webm", ".m4v", ".mts", ".mxf"}
SOUNDS: Final = {".wav", ".flac", ".mp3", ".m4a", ".ogg"}
SEEN: Final = frozenset(PHOTOS | VIDEO)
SPOKEN: Final = frozenset(SOUNDS | VIDEO)
WORN: Final = "the double that was decided on"
ALIKE: Final = "the double itself"
PARROT: Final = "somebody who knows the double"
MOTION: Final = "somebody who knows how they move"


@dataclass(frozen=True)
class Known(Value):
    """What an adversary has. witness: clips and photos by the plan's id of whom they show; gallery: the same of other people.

    own: the witness's are the very footage that the film was made of: then its first half is attacked with the second.
    """

    witness: Mapping[str, Sequence[Path]] = field(default_factory=dict)
    gallery: Mapping[str, Sequence[Path]] = field(default_factory=dict)
    own: bool = False


@dataclass(frozen=True)
class Means(Value):
    """The models. seers: opens detector and recogniser, in any process; mesh: makes a landmarker; models: their folder."""

    seers: Seers
    mesh: Callable[[], Follower]
    models: Path | None = None
    run: Callable[[Errand, Seers], list[Parroted]] = parrot


class Star:
    """What is seen of one person of the film: looks (2, D) with their frames, and windows of motion, if these are asked for.

    stop: frame from which on looks and windows do not count for the attackers, who have the rest of the same footage.
    """

    def __init__(self, rate: float, watch: Watch | None = None, stop: float = math.inf) -> None:
        self.vectors: list[Floats] = []
        self.frames: list[int] = []
        self.rate, self.watch, self.stop = rate, watch, stop

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

    def look_every(self, seconds: float) -> float:
        """Time in s between looks at a face of a film that long."""
        return 0.0 if self.exhaustive else max(self.audit.attack_every, seconds / self.audit.attack_looks)

    def motion_every(self, seconds: float) -> float:
        """Time in s from one window of motion to the next; 0: without a gap."""
        return 0.0 if self.exhaustive else max(self.audit.motion_seconds, seconds / self.audit.motion_windows)

    def people(self, people: Mapping[str, Sequence[Path]]) -> dict[str, tuple[Path, ...]]:
        """Those of the gallery, and of each the files, that are made use of: people spread over it, their first files."""
        names = sorted(people)
        if not self.exhaustive and len(names) > self.audit.attack_people:
            names = [names[i] for i in np.linspace(0, len(names) - 1, self.audit.attack_people).round().astype(int)]
        return {n: tuple(people[n]) if self.exhaustive else tuple(people[n][: self.audit.attack_files]) for n in names}


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


def untried(name: str, why: str) -> Check:
    """A check for which something is missing; the file may pass without it."""
    return Check(name, "attacked", "A stranger with this program and other footage of everybody.", missing=why, needed=False)


def nearest(stars: Mapping[str, Star]) -> tuple[Look, ...]:
    """A frame of each to look at."""
    return tuple(Look(s.frames[len(s.frames) // 2], None, f"{who}, as the attacker sees them") for who, s in stars.items()
                 if s.frames)
