"""The picture of a finished file, watched beside its footage: one pass over both, with models that took no part in the render."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, pairwise
from pathlib import Path

import cv2
import numpy as np

from facedouble.audit.account import Account, ByFrame, Covering, Told, uncovered
from facedouble.audit.likeness import Known, grouped
from facedouble.audit.scene import Models, Record
from facedouble.audit.seen import Watch, nowhere
from facedouble.audit.verdict import Check
from facedouble.colour import picture
from facedouble.geometry import distance, overlap, size
from facedouble.media.decode import frames, photo
from facedouble.media.probe import probe
from facedouble.models.centerface import centerface
from facedouble.models.install import locate
from facedouble.models.sface import sface
from facedouble.options import AuditOptions
from facedouble.types import Array, Bools, Box, Doubles, Floats, Frame, MediaInfo, Seen, Value

Progress = Callable[[str, int, int | None], None]
"""What is being done, how far, of how much."""

SURE = 0.6  # score from which a face of the footage is somebody to protect, and to know them by
LEAST = 20.0  # px of a face that a recogniser can tell anything from
EACH = 3  # every so-manieth frame of footage without a plan is searched
FEW = 3  # looks at a face that is in the picture for a short time
LINGER = 15  # frames over which a face is taken to be there between two sightings
STILL = 0.15  # of a face's size: how far it moves between two sightings at most, for a line between them to be trusted
PHOTOS = (".jpg", ".jpeg", ".png", ".webp")


def quiet(what: str, done: int, total: int | None) -> None:
    """Say nothing."""


def open_models(limits: AuditOptions, folder: Path | None = None) -> Models:
    """Load what the audit sees with; ModelError with the remedy if a file is missing or altered."""
    cv2.setNumThreads(1)
    path = locate("centerface", folder)
    return Models(centerface(path, limits.seen_side), centerface(path, 4096), sface(locate("sface", folder)))


def seen(output: Path, source: Path | None, account: Account, models: Models, limits: AuditOptions,
         references: Sequence[Known] = (), gallery: Sequence[Known] = (), lead: int = 0, sampled: str = "",
         progress: Progress = quiet, record: Record = nowhere, shown: Sequence[Known] = (),
         covering: Covering = uncovered, beside: Callable[[Frame], None] | None = None) -> list[Check]:
    """Watch the whole film. lead: frames of the opening card, which the footage has not; sampled: as in `Watch.checks`; beside:
    gets every frame of the output as well, so that who else looks at all of them need not read the film again."""
    info = probe(output)
    watch = Watch(account, models, limits, float(info.rate), references, gallery, record, shown, covering, lead)
    footage = iter(()) if source is None else frames(probe(source))
    for number, frame, below, ends in _pairs(frames(info), footage, lead):
        watch.take(number, frame, below, ends)
        if beside is not None:
            beside(frame)
        progress("looking at the picture", number + 1, info.frames)
    return watch.checks(sampled)


def _pairs(output: Iterator[Frame], footage: Iterator[Frame], lead: int) -> Iterator[tuple[int, Frame, Frame | None, bool]]:
    """Frames of the output with those of the footage, and whether it is the last one."""
    held: tuple[int, Frame, Frame | None] | None = None
    for number, frame in enumerate(output):
        if held is not None:
            yield (*held, False)
        held = number, frame, next(footage, None) if number >= lead else None
    if held is not None:
        yield (*held, True)


def faces_of(source: MediaInfo, models: Models, each: int = EACH) -> Iterator[tuple[int, Frame, Sequence[Seen]]]:
    """Frames of footage that are searched, with what may be faces in them: every so-manieth and the last."""
    last: Frame | None = None
    for frame in frames(source):
        last = frame
        if frame.index % each == 0:
            yield frame.index, frame, models.seer(picture(frame))
    if last is not None and last.index % each:
        yield last.index, last, models.seer(picture(last))


@dataclass(frozen=True)
class Stay(Value):
    """A face of footage without a plan: its first frame, a box (n, 4) x0 y0 x1 y1 px for each from there on, and in which of them
    (n,) it is where the box says; treatment: what it gets there."""

    start: int
    boxes: Doubles
    steady: Bools
    treatment: str


@dataclass(frozen=True)
class Sighted(Value):
    """An `Account` of footage without a plan: who is where, face by face."""

    stays: tuple[Stay, ...]

    @cached_property
    def _by(self) -> ByFrame:
        return ByFrame((s.start, s.start + len(s.boxes)) for s in self.stays)

    def __call__(self, number: int) -> Sequence[Told]:
        return [Told(Box.of(s.boxes[number - s.start]), s.treatment if s.steady[number - s.start] else "maybe", _name(k), k)
                for k in self._by.at(number) for s in (self.stays[k],)]

    @property
    def faces(self) -> tuple[str, ...]:
        """What those who are there are called, in the order in which they come."""
        return tuple(_name(k) for k in sorted(range(len(self.stays)), key=lambda k: self.stays[k].start))


def _name(k: int) -> str:
    return f"face {k + 1}"


def account_of(source: Path, models: Models, treatment: str = "double", each: int = EACH,
               every: int = 5) -> tuple[Sighted, list[Known]]:
    """Who is where in footage without a plan, and what they look like: everybody that CenterFace is sure of is to be protected.

    Between two sightings a face is on the straight line from one place to the other. A "maybe" is what the detector is sure of
    nowhere, and a place that is only guessed: before the first sighting, after the last, between two that lie apart. Embeddings
    come from every `every`th frame that is searched, or from the first looks at a face that is in none of these.
    """
    paths: list[list[tuple[int, Box, float]]] = []
    vectors: list[tuple[int, bool, Floats]] = []  # whose path, one of every `every`th
    looked: Counter[int] = Counter()
    count = 0
    for k, (number, frame, faces) in enumerate(faces_of(probe(source), models, each)):
        count = number + 1
        for face in faces:
            recent = (p for p in paths if number - LINGER <= p[-1][0] < number)
            path = max(recent, key=lambda p: overlap(p[-1][1], face.box), default=None)
            if path is None or overlap(path[-1][1], face.box) < 0.1:
                path = []
                paths.append(path)
            path.append((number, face.box, face.score))
            regular = k % every == 0
            if (regular or looked[id(path)] < FEW) and face.box.width >= LEAST and face.score >= SURE:
                looked[id(path)] += 1
                vectors.append((id(path), regular, models.knower(picture(frame), face.points)))
    stays = []
    for path in paths:
        what = treatment if max(score for _, _, score in path) >= SURE else "maybe"
        places = [(at, box) for at, box, _ in path]
        numbers, boxes = _filled(places, each, count)
        stays.append(Stay(int(numbers[0]), boxes, np.isin(numbers, list(_steady(places))), what))
    known = Counter(whose for whose, regular, _ in vectors if regular)
    looks = [vector for whose, regular, vector in vectors if regular or known[whose] == 0]
    people = [Known(f"person {n + 1}", group) for n, group in enumerate(grouped(looks, 0.363))]
    return Sighted(tuple(stays)), people


def _steady(path: Sequence[tuple[int, Box]]) -> set[int]:
    """The frames in which a face is where the line between two sightings says, as it hardly moves; and those of the sightings."""
    found = {number for number, _ in path}
    for (a, before), (b, after) in pairwise(path):
        if distance(before, after) < STILL * min(size(before), size(after)):
            found |= set(range(a, b))
    return found


def _filled(path: Sequence[tuple[int, Box]], each: int, count: int) -> tuple[Array, Doubles]:
    """Frames (n,) from the first sighting to the last, and up to the next search beyond either; a box (n, 4) for each."""
    at = [number for number, _ in path]
    rows = np.array([(b.x0, b.y0, b.x1, b.y1) for _, b in path])
    numbers = np.arange(max(0, at[0] - each + 1), min(count, at[-1] + each))
    return numbers, np.stack([np.interp(numbers, at, rows[:, c]) for c in range(4)], 1)


def known_by(paths: Sequence[Path], models: Models, name: str = "", each: int = 25) -> list[Known]:
    """What the people in photos and footage look like: of each file the largest face, as many times as it is seen."""
    found = []
    for path in paths:
        pictures = [photo(path)] if path.suffix.lower() in PHOTOS else \
            chain(picture(f) for n, f in enumerate(frames(probe(path))) if n % each == 0)
        vectors = [models.knower(p, face.points) for p in pictures if (face := _largest(models.seer(p))) is not None]
        if vectors:
            found.append(Known(name or path.stem, np.stack(vectors)))
    return found


def _largest(faces: Sequence[Seen]) -> Seen | None:
    return max((f for f in faces if f.score >= SURE and f.box.width >= LEAST), key=lambda f: f.box.area, default=None)
