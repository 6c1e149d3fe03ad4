"""Is every face that can be found in the output one that the plan wants to be seen there?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from facedouble.audit.copies import COPIES, dark, gloomy, soft
from facedouble.audit.scene import COVERED, DRAWN, MAYBE, OPEN, Models, Record, Scene, another, matched
from facedouble.audit.spans import Hit, Spans
from facedouble.audit.verdict import Check, Look
from facedouble.options import AuditOptions
from facedouble.types import Array, Seen

CUT: Final = 20.0  # levels: mean difference from the frame before, from which there is a cut
TURNED: Final = tuple(name for name in COPIES if name.startswith("turned"))


class Faces:
    """`take` every scene, then `checks`."""

    def __init__(self, models: Models, limits: AuditOptions, record: Record) -> None:
        self.models, self.limits, self.record = models, limits, record
        self.spans, self.copies = Spans(), Spans()
        self.frames = 0
        self.last: Array | None = None

    def take(self, scene: Scene) -> None:
        """Look at a frame and, of some, at copies of it."""
        self.frames += 1
        for face in scene.faces:
            if face.score >= self.limits.seen_score:
                self._account(scene, face)
        self._copies(scene)

    def _account(self, scene: Scene, face: Seen) -> None:
        self.spans.looked += 1
        known = matched(face, scene.told)
        kinds = {t.treatment for t in known}
        seen = [t for t in known if t.treatment in (*DRAWN, *OPEN)]
        if seen and not all(another(face, scene.faces, t) for t in seen):
            return
        bare = scene.bare(face.box)
        if seen and not bare:  # a part of a face that was drawn, found once more
            return
        self.record("unknown", scene.number, (face.score, face.box.width, len(known), float(bare)))
        if MAYBE in kinds and not bare:
            return
        if kinds & set(COVERED) and not seen:
            what = "A face can be seen where the plan has a veil or a cover."
        elif bare:
            what = "A face of the footage can be seen that the plan does not know, and nothing covers it."
        else:
            what = "A face can be seen where the plan has nobody."
        person = known[0].person if known else ""
        self.spans.add(Hit(what, scene.number, scene.number + 1, face.box, face.score, self.limits.seen_score, person))
        self.spans.near(face.score, Look(scene.number, face.box, "a face that the plan does not explain"))

    def _copies(self, scene: Scene) -> None:
        """Full size, turned and brightened on every so-manieth frame, at cuts and both ends; brightened also where it is dark."""
        sample = self._cut(scene.output) or scene.number % self.limits.every == 0 or scene.ends
        bright = sample or (scene.number % 2 == 1 and dark(scene.rgb)) or (scene.number % 4 == 1 and gloomy(scene.rgb))
        names = [*(TURNED if sample else ()), *(("brightened",) if bright else ()),
                 *(("sharpened",) if sample and soft(scene.rgb) else ())]
        if sample and max(scene.rgb.shape) > self.limits.seen_side:
            self._judge(scene, "at full size", self.models.whole(scene.rgb), self.limits.seen_score)
        for name in names:
            self._judge(scene, name, COPIES[name](self.models.seer, scene.rgb, self.limits.seen_side), self.limits.copy_score)

    def _judge(self, scene: Scene, name: str, faces: Sequence[Seen], score: float) -> None:
        """In copies much looks like a face: only what is there as it was filmed counts, if there is footage."""
        self.copies.looked += 1
        self.copies.figures[f"copies {name}"] = int(self.copies.figures.get(f"copies {name}", 0)) + 1
        for face in faces:
            if face.score < score or any(t.treatment in (*DRAWN, *OPEN) for t in matched(face, scene.told)):
                continue
            bare = scene.source is None or scene.bare(face.box)
            self.record("copy", scene.number, (face.score, face.box.width, float(bare)))
            if bare:
                self.copies.add(Hit(f"A face that nothing covers can be seen in a copy of the picture ({name}).", scene.number,
                                    scene.number + 1, face.box, face.score, score))
                self.copies.near(face.score, Look(scene.number, face.box, f"a face in a copy {name}"))

    def _cut(self, output: Array) -> bool:
        small = np.asarray(output[::16, ::16], np.float32)
        cut = self.last is None or float(np.abs(small - self.last).mean()) > CUT
        self.last = small
        return cut

    def checks(self) -> list[Check]:
        """What was found."""
        every, side = self.limits.every, self.limits.seen_side
        return [
            self.spans.check("Every face is accounted for", f"CenterFace looked at all {self.frames} frames, reduced "
                             f"to {side} px, and the plan was asked about every face it found.", "faces"),
            self.copies.check("Faces in altered copies", f"Every {every}th frame, cuts, the first and the last frame were "
                              "searched again at full size, turned by quarters and brightened; of dark frames every second "
                              "one was brightened, of those with a dark quarter every fourth; soft ones of the sample were "
                              "sharpened.", "copies"),
        ]
