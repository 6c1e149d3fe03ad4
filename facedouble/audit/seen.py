"""What is seen in the output: faces, what is left in them, whom they are taken for, whether they follow the footage.

`Watch` takes the frames of the output with those of the footage, holds three of them reduced and a few numbers of each person,
and says at the end what was found. Models come as callables.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from facedouble.audit.account import Account, Cover, Covering, uncovered
from facedouble.audit.covers import Covers
from facedouble.audit.faces import Faces
from facedouble.audit.follow import Following
from facedouble.audit.left import Left
from facedouble.audit.likeness import Known
from facedouble.audit.reuse import luma
from facedouble.audit.scene import Models, Record, Scene
from facedouble.audit.spans import Hit
from facedouble.audit.verdict import Check
from facedouble.audit.whose import Whose
from facedouble.colour import picture
from facedouble.options import AuditOptions
from facedouble.types import Box, Frame

UNKNOWN: Final = "There is no footage of the same size here, so nobody knows what this frame was made of."


def nowhere(name: str, frame: int, numbers: Sequence[float]) -> None:
    """Record nothing."""


class Watch:
    """`take` every frame, then `checks`.

    rate: frames of a second; people: whom nobody may recognise; gallery: others; shown: whom the plan shows; covering: what is
    covered besides faces; lead: frames at the beginning that the footage has not.
    """

    def __init__(self, account: Account, models: Models, limits: AuditOptions, rate: float, people: Sequence[Known] = (),
                 gallery: Sequence[Known] = (), record: Record = nowhere, shown: Sequence[Known] = (),
                 covering: Covering = uncovered, lead: int = 0) -> None:
        second = max(2, round(rate))
        self.account, self.models, self.limits = account, models, limits
        self.faces = Faces(models, limits, record)
        self.left = Left(limits, second, record, models.seer)
        self.whose = Whose(models, limits, second, people, gallery, record, shown)
        self.following = Following(limits, record)
        self.covering, self.covers, self.lead = covering, Covers(record), lead
        self.frames = self.alone = 0

    def take(self, number: int, output: Frame, source: Frame | None, ends: bool = False) -> None:
        """The next frame; source: the frame of the footage that it was made of, None if there is none; ends: it is the last."""
        bright, rgb = luma(output), picture(output)
        below = None if source is None else luma(source)
        if below is not None and below.shape != bright.shape:
            below = None
        covers = list(self.covering(number))
        if source is not None and source.corrupt:  # what it is like, nobody knows: nothing can be compared with it
            covers.append(Cover.of(Box(0, 0, output.width, output.height), "frame"))
        scene = Scene(number, rgb, bright, below, self.account(number), self.models.seer(rgb), ends, covers)
        self.frames += 1
        self.alone += below is None
        if below is None and number >= self.lead:
            self.following.spans.add(Hit(UNKNOWN, number, number + 1, None, 1.0, 0.0))
        self.faces.take(scene)
        self.covers.take(scene)
        self.left.take(scene)
        self.whose.take(scene)
        self.following.take(scene)
        if ends:
            self.left.finish()
            self.whose.finish()
            self.following.finish()

    def checks(self, sampled: str = "") -> list[Check]:
        """What was found. sampled: by what the people are known, in words."""
        missing = "" if self.alone < self.frames else \
            "There is no footage to compare with: give it, so that pixels of it that were left can be found."
        return [*self.faces.checks(), *self.covers.checks(), *self.left.checks(missing), *self.whose.checks(sampled),
                *self.following.checks(missing)]
