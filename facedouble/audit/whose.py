"""Does a recogniser take any face of the output for a protected person: in one frame, over a second, among others?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from facedouble.audit.account import ignored
from facedouble.audit.likeness import Known, nearest, rank, unit
from facedouble.audit.scene import OPEN, Models, Record, Scene, likest
from facedouble.audit.spans import Hit, Spans
from facedouble.audit.verdict import VERDICT, Check, Look
from facedouble.geometry import distance, overlap, size
from facedouble.options import AuditOptions
from facedouble.types import Box, Floats

MOST: Final = 32  # faces of a frame that are embedded
FEW: Final = 3  # frames under which a second has no mean
REACH: Final = 2.0  # sizes of a face that it moves from one frame to the next, if it looks the same
ERRS: Final = (  # of bench/RESULTS.md: pairs of photos of 71 faces, all skin tones, and of those the dark ones
    "At .363 SFace takes two strangers for one person in 4 of 2,397 pairs of photos (.1 to .4 %; both dark: in 0 of 268, at most "
    "1.4 %), at .32 in 18 of 2,397 (.5 to 1.2 %)")
NAME: Final = "Nobody is recognised"


@dataclass
class _Path:
    """A face of the output through the frames: where it was last, what it looked like in this second, and altogether."""

    box: Box
    frame: int
    second: list[Floats] = field(default_factory=list)
    begun: int = 0
    total: Floats = field(default_factory=lambda: np.zeros(128, np.float32))


class Whose:
    """`take` every scene, then `checks`. people: the protected ones; gallery: those among whom somebody may look for them;
    shown: what those look like whom the plan shows, by its ids, and the places that it ignores, by what `ignored` calls them."""

    def __init__(self, models: Models, limits: AuditOptions, second: int, people: Sequence[Known], gallery: Sequence[Known],
                 record: Record, shown: Sequence[Known] = ()) -> None:
        self.models, self.limits, self.second, self.record = models, limits, second, record
        self.people, self.gallery, self.shown = people, gallery, {one.name: one for one in shown}
        self.spans = Spans()
        self.paths: list[_Path] = []
        self.ranks: list[int] = []
        self.short = 0

    def take(self, scene: Scene) -> None:
        """Embed every face; one that the plan shows has to be nearer to that person than to anybody protected."""
        if not self.people:
            return
        for face in scene.faces[:MOST]:
            one = likest(face, scene.told)
            name = "" if one is None else ignored(one.track) if one.treatment == "ignore" else one.person
            if one is not None and one.treatment == "ignore" and name not in self.shown:
                continue
            vector = self.models.knower(scene.rgb, face.points)
            if one is not None and one.treatment in OPEN:
                self._open(scene.number, face.box, vector, [name])
                continue
            score, name = nearest(vector, self.people)
            self.spans.looked += 1
            self.record("known", scene.number, (score, face.box.width))
            self.spans.most("greatest likeness in one frame", score)
            self.spans.near(score, Look(scene.number, face.box, f"likest to a protected person? {score:.2f}"))
            if score >= self.limits.same_face:
                self.spans.add(Hit("A face recogniser takes a face for a protected person.", scene.number, scene.number + 1,
                                   face.box, score, self.limits.same_face, name))
            self._walk(scene.number, face.box, vector)
        for path in [p for p in self.paths if scene.number - p.frame > self.second]:
            self._leave(path)
            self.paths.remove(path)

    def _open(self, number: int, box: Box, vector: Floats, persons: Sequence[str]) -> None:
        """A face that the plan shows: is it whom it says?"""
        score, name = nearest(vector, self.people)
        own, _ = nearest(vector, [self.shown[p] for p in persons if p in self.shown])
        self.spans.looked += 1
        self.record("shown", number, (score, own))
        if score >= self.limits.same_face and score > own:
            self.spans.add(Hit("A face that the plan shows is rather that of a protected person.", number, number + 1, box, score,
                               self.limits.same_face, name))

    def _walk(self, number: int, box: Box, vector: Floats) -> None:
        free = [p for p in self.paths if p.frame < number]
        path = max(free, key=lambda p: overlap(p.box, box), default=None)
        if path is None or overlap(path.box, box) < 0.2:  # it is new, or was fast
            path = max((p for p in free if distance(p.box, box) < REACH * size(box)), key=lambda p: float(unit(p.total) @ vector),
                       default=None)
        if path is None or (overlap(path.box, box) < 0.2 and float(unit(path.total) @ vector) < self.limits.same_face):
            path = _Path(box, number)
            self.paths.append(path)
        if path.second and number - path.begun >= self.second:
            self._end(path)
        if not path.second:
            path.begun = number
        path.box, path.frame, path.total = box, number, path.total + vector
        path.second.append(vector)

    def _end(self, path: _Path) -> None:
        """Judge the mean of a second."""
        vectors, path.second = path.second, []
        if len(vectors) < FEW:
            self.short += len(vectors)
            return
        score, name = nearest(unit(np.mean(vectors, 0)), self.people)
        self.record("second", path.begun, (score, len(vectors)))
        self.spans.most("greatest likeness in one second", score)
        if score >= self.limits.same_second:
            self.spans.add(Hit("Over a second, a face recogniser takes a face for a protected person.", path.begun,
                               path.frame + 1, path.box, score, self.limits.same_second, name))

    def _leave(self, path: _Path) -> None:
        """The face is gone: where among the gallery would its likest protected person be?"""
        self._end(path)
        if self.gallery and path.total.any():
            face = unit(path.total)
            person = max(self.people, key=lambda p: float(face @ p.mean))
            self.ranks.append(rank(face, person, [g for g in self.gallery if g.name != person.name]))

    def finish(self) -> None:
        """No more faces."""
        for path in self.paths:
            self._leave(path)
        self.paths = []

    def checks(self, sampled: str) -> list[Check]:
        """What was found. sampled: by what the people are known, in words."""
        missing = "" if self.people else \
            "There is nobody the faces could be compared with: give footage or photos of the protected people."
        if self.ranks:
            first, all_of_them = self.ranks.count(1), len(self.ranks)
            self.spans.figures |= {"people in the gallery": len(self.gallery), "stretches of a face": all_of_them,
                                   "best place of a protected person in it": min(self.ranks),
                                   "of them with that person first": first}
            if first:
                self.spans.figures[VERDICT] = (
                    f"Among {len(self.gallery)} other people a protected person comes first in {first} of {all_of_them} "
                    f"stretches of a face; luck alone would do so in "
                    f"{len(self.people) / (len(self.people) + len(self.gallery)):.0%}. To a line-up no limit is set, as somebody "
                    "is always first")
        if self.short:
            self.spans.figures[f"faces seen for fewer than {FEW} frames, without a mean"] = self.short
        o = self.limits
        tried = f"SFace compared every face with every protected person{sampled}. What counts is a likeness of {o.same_face:g} " \
                f"in one frame, or of {o.same_second:g} of the mean of a second. {ERRS}."
        return [self.spans.check(NAME, tried, "faces", missing)]
