"""A flash in a face: in one frame something shines through it that is not there in the frame before nor in the one after.

Neighbours that are moved to where the face is foretell a frame. What it has beside that, in a band of coarse detail that grain
and coding leave alone, is large under a flash: beside what the footage does itself at that moment, and beside how far the two
neighbours lie apart. And the face's own detail is weaker by the share that shines through, of whatever moment of the footage
that is. A cap or a hairline that flickers does the first in one half of the face only, and next to nothing of the second.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np

from facedouble.audit.scene import COVERED, DRAWN, Record, Scene
from facedouble.audit.spans import Hit, Spans
from facedouble.audit.verdict import Look
from facedouble.options import AuditOptions
from facedouble.types import Array, Bools, Box, Floats

FLASHED: Final = "Something flashes up in a face for one frame."
SIZE: Final = (48, 60)  # px of the reduced face box, wide and high
OVAL: Final = 0.84  # sides of the box
BAND: Final = (0.8, 6.0)  # px of the reduced face: sigmas of the blurs between which the detail lies
MOST: Final = 6.0  # px of the reduced face that it moves from one frame to the next
SMALLEST: Final = 16.0  # px of the face's width under which nothing is told
SAMPLED: Final = 100  # px of the face's width; of a wider one not every pixel is taken
NEIGHBOURS: Final = 0.5  # weight of the neighbours' difference: two unlike ones foretell nothing
FLOOR: Final = 1.0  # levels^2: of what nothing stands out
_TAPER: Final = cv2.createHanningWindow(SIZE, cv2.CV_32F)


def _oval() -> Bools:
    x, y = ((np.arange(n) + 0.5) / n - 0.5 for n in SIZE)
    return np.asarray(x[None] ** 2 + y[:, None] ** 2 < (OVAL / 2) ** 2)


def _halves(oval: Bools) -> list[Bools]:
    """Upper, lower, left and right one."""
    y, x = np.mgrid[: SIZE[1], : SIZE[0]]
    return [oval & half for half in (y < SIZE[1] // 2, y >= SIZE[1] // 2, x < SIZE[0] // 2, x >= SIZE[0] // 2)]


INSIDE: Final = _oval()
HALVES: Final = _halves(INSIDE)


def flash(outputs: Sequence[Array], sources: Sequence[Array], box: Box) -> tuple[float, float]:
    """Of three frames in turn (h, w), the face in px of the middle one: how far it stands out in that half where it does so
    least, times what footage and neighbours do; and the share of its own detail that is lost, 0 to 1,
    less what the footage loses.
    """
    before, now, after = (_reduced(p, box) for p in outputs)
    one, other = _moved(before, now), _moved(after, now)
    kept, apart, seen = _band((one + other) / 2), _band(one - other), _band(now)
    rest = seen - kept
    before, now, after = (_reduced(p, box) for p in sources)
    own, told = _band(now), _band((_moved(before, now) + _moved(after, now)) / 2)
    moves = own - told
    stands = min(float(np.sqrt((rest[half] ** 2).mean() / ((moves[half] ** 2).mean()
                                                           + NEIGHBOURS * (apart[half] ** 2).mean() + FLOOR)))
                 for half in HALVES)
    known = np.stack([kept[INSIDE], own[INSIDE]])  # this moment of the footage may be in what shines through
    shares = np.linalg.solve(known @ known.T + FLOOR * np.eye(2, dtype=np.float32), known @ rest[INSIDE])
    a, b = own[INSIDE], told[INSIDE]
    jerked = max(0.0, 1 - float((a @ b) / (b @ b + FLOOR)))  # the footage's own, where a head is too fast to be moved back
    return stands, max(0.0, -float(shares[0]) - jerked)


def _reduced(picture: Array, box: Box) -> Floats:
    (y0, y1), (x0, x1) = ((round(a), max(round(b), round(a) + 1)) for a, b in ((box.y0, box.y1), (box.x0, box.x1)))
    step = max(1, int(box.width) // SAMPLED)
    if min(x0, y0) >= 0 and y1 <= picture.shape[0] and x1 <= picture.shape[1]:
        part = picture[y0:y1:step, x0:x1:step]
    else:
        rows, columns = (np.arange(a, b, step).clip(0, most - 1)
                         for a, b, most in ((y0, y1, picture.shape[0]), (x0, x1, picture.shape[1])))
        part = picture[np.ix_(rows, columns)]
    return np.asarray(cv2.resize(part.astype(np.float32), SIZE, interpolation=cv2.INTER_AREA), np.float32)


def _moved(picture: Floats, to: Floats) -> Floats:
    """The picture where it fits the other one best."""
    (x, y), _ = cv2.phaseCorrelate(to * _TAPER, picture * _TAPER)
    if max(abs(x), abs(y)) > MOST:
        return picture
    return np.asarray(cv2.warpAffine(picture, np.array([[1, 0, x], [0, 1, y]], np.float32), SIZE,
                                     flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE), np.float32)


def _band(picture: Floats) -> Floats:
    fine, coarse = (cv2.GaussianBlur(picture, (0, 0), sigma) for sigma in BAND)
    return np.asarray(fine - coarse, np.float32)


class Flashes:
    """`take` every scene: the one before it is judged, as its neighbours are known then; the first and the last are not."""

    def __init__(self, limits: AuditOptions, record: Record, spans: Spans) -> None:
        self.limits, self.record, self.spans = limits, record, spans
        self.held: deque[Scene] = deque(maxlen=3)

    def take(self, scene: Scene) -> None:
        """Look at every face that is to be drawn over."""
        self.held.append(scene)
        sources = [s.source for s in self.held if s.source is not None]
        if len(sources) < 3:
            return
        now = self.held[1]
        for told in now.told:
            if told.treatment not in (*DRAWN, *COVERED) or told.box.width < SMALLEST:
                continue
            stands, lost = flash([s.output for s in self.held], sources, told.box)
            self.record("flash", now.number, (stands, lost, told.box.width))
            score = min(stands / self.limits.flash_stands, lost / self.limits.flash_lost)
            name = FLASHED.rstrip(".")
            self.spans.most(f"{name}, share of the limit", score)
            if score > 0.5:
                self.spans.near(score, Look(now.number, told.box, f"{name}? {score:.2f} of the limit"))
            if score > 1:
                self.spans.add(Hit(FLASHED, now.number, now.number + 1, told.box, score, 1.0, told.person))
