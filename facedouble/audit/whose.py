"""Does a recogniser take any face of the output for a protected person: in one frame, over a second, among others?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from facedouble.audit.likeness import Known, nearest, rank, unit
from facedouble.audit.scene import OPEN, Models, Record, Scene, matched
from facedouble.audit.spans import Hit, Spans
from facedouble.audit.verdict import Check, Look
from facedouble.geometry import overlap
from facedouble.options import AuditOptions
from facedouble.types import Box, Floats

MOST: Final = 32  # faces of a frame that are embedded
FEW: Final = 3  # frames under which a second has no mean
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
    shown: what those look like whom the plan shows, by its ids."""

    def __init__(self, models: Models, limits: AuditOptions, second: int, people: Sequence[Known], gallery: Sequence[Known],
                 record: Record, shown: Sequence[Known] = ()) -> None:
        self.models, self.limits, self.second, self.record = models, limits, second, record
        self.people, self.gallery, self.shown = people, gallery, {one.name: one for one in shown}
        self.spans = Spans()
        self.paths: list[_Path] = []
        self.ranks: list[int] = []

    def take(self, scene: Scene) -> None:
        """Embed every face; one that the plan shows has to be nearer to that person than to anybody protected."""
        if not self.people:
            return
        for face in scene.faces[:MOST]:
            known = [t for t in matched(face, scene.told) if t.treatment in OPEN]
            if any(t.treatment == "ignore" for t in known):
                continue
            vector = self.models.knower(scene.rgb, face.points)
            if known:
                self._open(scene.number, face.box, vector, [t.person for t in known])
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
        path = max((p for p in self.paths if p.frame < number), key=lambda p: overlap(p.box, box), default=None)
        if path is None or overlap(path.box, box) < 0.2:
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
            self.spans.figures |= {"people in the gallery": len(self.gallery),
                                   "best place of a protected person in it": min(self.ranks),
                                   "stretches of a face": len(self.ranks), "of them with that person first": self.ranks.count(1)}
        o = self.limits
        tried = f"SFace compared every face with every protected person{sampled}. What counts is a likeness of {o.same_face:g} " \
                f"in one frame, or of {o.same_second:g} of the mean of a second."
        return [self.spans.check(NAME, tried, "faces", missing)]
