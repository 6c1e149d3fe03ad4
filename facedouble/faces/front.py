"""What is in front of a face: colours that this face has nowhere near there, over the whole track, in a body from outside.

Pass two writes down the hues at the cells of every frame, deflated. When the track is over they become bounds of what the face
shows (the shortest interval that holds half of the frames, so that a thing which passes stays out of them) and one bit per cell
and frame. What is there for longer - a beard, glasses, a microphone that never moves - counts as the face's.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from scipy.ndimage import binary_closing, binary_opening, label, maximum_filter, minimum_filter

from facedouble.faces.shelf import CHUNK, Shelf
from facedouble.morphable.cells import COLUMNS, ROWS, InFront, cells, hues, unlike
from facedouble.raster import linear, sample, shrink
from facedouble.types import Array, Floats

STEPS: Final = 64.0  # to a log unit
SAMPLE: Final = 400  # frames that the bounds are made of
MOST: Final = 0.5  # of them are the face: what covers a cell for longer counts as face, and is painted over
LEAST_SEEN: Final = 12  # frames; a cell seen in fewer has no bounds, and is painted over
ROOM: Final = 0.5  # of the interval's width is added on both sides...
NARROWEST: Final = np.array([0.12, 0.05, 0.05])  # ...and as much at least, log units
NEAR: Final = 1  # cells: landmarks slip, so what the face shows that near may be here
COMMON: Final = 8.0  # %, both ways: the tones of the rest of the face are nowhere something else
FEWEST, DEEPEST = 8, 3  # cells of a body, and how deep under the outline it has to reach
TOO_MUCH: Final = 0.6  # of the cells that are seen: then nothing is known
UNSTEADY: Final = np.array([0.8, 0.15, 0.15])  # log units of gain: the face cannot be told from what covers it
HALF: Final = 0.4  # of `unlike`: enough on one of them
BESIDE: Final = 2  # cells beside an eye or the mouth have to be covered on two opposite sides before it is
OPEN, CLOSE = 4, 7  # frames: shorter is a flicker, as short a gap is closed


class Front:
    """Of a run of frames, `start` on: bounds as of `InFront` without the frames' gains (n, 3); bits (n, ROWS * COLUMNS / 8)."""

    def __init__(self, start: int, low: Floats, high: Floats, gains: Floats, bits: Array) -> None:
        self.start, self.low, self.high, self.gains, self.bits = start, low, high, gains, bits

    def covered(self, frame: int) -> Array:
        """(ROWS, COLUMNS) bool."""
        i = frame - self.start
        if not 0 <= i < len(self.bits):
            return np.zeros((ROWS, COLUMNS), bool)
        bits: Array = np.unpackbits(self.bits[i])[: ROWS * COLUMNS].reshape(ROWS, COLUMNS).astype(bool)
        return bits

    def at(self, frame: int) -> InFront | None:
        """What is in front in a frame, None if nothing is."""
        if not self.covered(frame).any():
            return None
        share = sum(w * self.covered(frame + k).astype(np.float32) for k, w in ((-1, 0.25), (0, 0.5), (1, 0.25)))
        gain = self.gains[frame - self.start]
        return InFront(self.low + gain, self.high + gain, np.asarray(share, np.float32))

    @property
    def nbytes(self) -> int:
        """Bytes of what grows with the number of frames."""
        size: int = self.bits.nbytes + self.gains.nbytes
        return size


def hues_of(crop: Floats, marks: Array) -> Array:
    """(n, 3) int32 hues at the cells of a face, in steps; a level of 0, which is none, where a cell is turned away.

    crop (side, side, 3) display RGB, marks (478, 3) px of it.
    """
    c = cells()
    side = crop.shape[0]
    small = max(8, min(side, round(side * 2 * COLUMNS / max(float(np.linalg.norm(marks[234, :2] - marks[454, :2])), 1.0))))
    light = shrink(linear(crop), (small, small))
    at = (c.points(marks) + 0.5) * small / side - 0.5
    seen = np.round(hues(sample(light, at[:, 0], at[:, 1])) * STEPS).astype(np.int32)
    seen[:, 0] = np.minimum(seen[:, 0], -1)
    there = c.facing(marks) & (at >= 0).all(1) & (at <= small - 1).all(1)
    seen[~there] = 0
    return np.asarray(seen)


class Colours:
    """The hues of one face, frame after frame."""

    def __init__(self) -> None:
        self.shelf = Shelf(3 * len(cells().corners))
        self.frames: list[int] = []

    def add(self, frame: int, seen: Array) -> None:
        self.shelf.append(seen.ravel())
        self.frames.append(frame)

    def _rows(self, numbers: Array) -> Floats:
        """(k, n, 3) hues, not a number where not seen."""
        rows = np.stack([self.shelf[int(i)] for i in numbers]).reshape(len(numbers), -1, 3)
        out = (rows / STEPS).astype(np.float32)
        out[rows[..., 0] == 0] = np.nan
        return out

    def front(self) -> Front | None:
        """What is in front of the face in each frame; uses this up. None if the face was hardly seen."""
        self.shelf.close()
        count = len(self.frames)
        if count < LEAST_SEEN:
            return None
        some = self._rows(np.unique(np.linspace(0, count - 1, SAMPLE).round().astype(int)))
        middle, low, high = bounds(some)
        start, n = self.frames[0], self.frames[-1] - self.frames[0] + 1
        gains, covered = np.zeros((n, 3), np.float32), np.zeros((n, ROWS, COLUMNS), bool)
        for a in range(0, count, CHUNK):
            rows = self._rows(np.arange(a, min(a + CHUNK, count)))
            at = np.array(self.frames[a : a + CHUNK]) - start
            gains[at] = gain(rows, middle)
            far = unlike(rows - gains[at][:, None], low[cells().inside], high[cells().inside])
            told = (np.abs(gains[at]) <= UNSTEADY).all(1)
            for i, row in zip(at[told], np.nan_to_num(far)[told], strict=True):
                covered[i] = body(row)
        return Front(start, low, high, gains, np.packbits(steady(covered).reshape(n, -1), axis=1))


def gain(rows: Floats, middle: Floats) -> Floats:
    """(k, 3) by how much frames (k, n, 3) differ from the face's usual hues (n, 3): light and white balance."""
    with np.errstate(all="ignore"):
        found: Floats = np.nan_to_num(np.nanmedian(rows - middle, axis=1)).astype(np.float32)
    return found


def bounds(rows: Floats) -> tuple[Floats, Floats, Floats]:
    """Usual hues (n, 3) of frames (k, n, 3), and bounds of what the face shows near each cell, (ROWS, COLUMNS, 3) each."""
    import warnings

    c = cells()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        middle = np.nanmedian(rows, axis=0)
        for _ in range(2):
            even = rows - gain(rows, middle)[:, None]
            middle = np.nanmedian(even, axis=0)
    ordered = np.sort(rows - gain(rows, middle)[:, None], axis=0)  # those not seen come last
    seen = np.isfinite(ordered[..., 0]).sum(0)
    least, most = np.full(middle.shape, -np.inf, np.float32), np.full(middle.shape, np.inf, np.float32)
    for cell in np.flatnonzero(seen >= LEAST_SEEN):
        k = seen[cell]
        held = max(2, int(np.ceil(MOST * k)))
        values = ordered[:k, cell]
        widths = values[held - 1 :] - values[: k - held + 1]
        at = np.argmin(widths, 0)
        a, b = values[at, range(3)], values[at + held - 1, range(3)]
        more = np.maximum(ROOM * (b - a), NARROWEST)
        least[cell], most[cell] = a - more, b + more
    skin = middle[~c.parts.any(0)[c.inside] & np.isfinite(middle[:, 0])]
    low, high = np.full((ROWS, COLUMNS, 3), np.inf, np.float32), np.full((ROWS, COLUMNS, 3), -np.inf, np.float32)
    low[c.inside], high[c.inside] = least, most
    size = (2 * NEAR + 1, 2 * NEAR + 1, 1)
    if len(skin) < len(c.corners) // 4:  # too little of the face was ever seen: everything may be face
        nothing = np.full_like(low, -np.inf), np.full_like(low, np.inf)
        return middle.astype(np.float32), *nothing
    features = c.parts.any(0)[..., None]  # drawn a cell too large: what is beside them has nothing of them
    low = np.where(features, minimum_filter(low, size, mode="nearest"),
                   minimum_filter(np.where(features, np.inf, low), size, mode="nearest"))
    high = np.where(features, maximum_filter(high, size, mode="nearest"),
                    maximum_filter(np.where(features, -np.inf, high), size, mode="nearest"))
    low = np.minimum(low, np.percentile(skin, COMMON, axis=0))
    high = np.maximum(high, np.percentile(skin, 100 - COMMON, axis=0))
    return middle.astype(np.float32), low.astype(np.float32), high.astype(np.float32)


def body(far: Array) -> Array:
    """(ROWS, COLUMNS) bool: what of odd cells, `unlike` (n,) over 1, hangs together, is large and comes from outside.

    Eyes and mouth only where it goes on beyond them.
    """
    c = cells()
    odd = far > 1
    if odd.mean() > TOO_MUCH:
        return np.zeros((ROWS, COLUMNS), bool)
    out = np.zeros((ROWS, COLUMNS), bool)
    out[c.inside] = odd
    named, _ = label(out)
    depth = cv2.distanceTransform(np.pad(c.inside, 1).astype(np.uint8), cv2.DIST_L1, 3)[1:-1, 1:-1]
    features = c.parts.any(0)
    for k in np.unique(named[named > 0]):
        one = named == k
        skin = one & ~features
        if skin.sum() < FEWEST or not (skin & c.rim).any() or depth[skin].max() < DEEPEST:
            out[one] = False
    maybe = out.copy()
    maybe[c.inside] |= far > HALF
    for part in c.parts:
        out[part] &= _between(out & ~features, maybe & ~features, part)[part]
    return out


def _between(body: Array, maybe: Array, part: Array) -> Array:
    """Cells of a part (ROWS, COLUMNS) with a body on one side of the part, and with what may be one on the opposite side."""
    found = np.zeros_like(part)
    for turn in (False, True):
        b, m, p, f = (a.T if turn else a for a in (body, maybe, part, found))
        for i in np.flatnonzero(p.any(0)):
            rows = np.flatnonzero(p[:, i])
            first, last = rows[0], rows[-1] + 1
            before, after = slice(max(first - BESIDE, 0), first), slice(last, last + BESIDE)
            if (b[before, i].any() and m[after, i].any()) or (m[before, i].any() and b[after, i].any()):
                f[first:last, i] = True
    return found


def steady(covered: Array) -> Array:
    """Covered cells (n, ROWS, COLUMNS) without those of a few frames, and without gaps of a few."""
    kept = binary_opening(covered, np.ones((OPEN, 1, 1), bool))
    out: Array = binary_closing(np.pad(kept, ((CLOSE, CLOSE), (0, 0), (0, 0))), np.ones((CLOSE, 1, 1), bool))[CLOSE:-CLOSE]
    return out


