"""What was seen of one face, frame after frame, boiled down on arrival: about a kilobyte a frame, however long the film.

Landmarks come in; what stays of each frame are the numbers of its code before any smoothing, a few notes, and the outline.
Coefficients of expression are linear in the shape, so that the neutral shape, known only at the end, can be taken off them
later. It is looked for in a sample of the shapes, whose size is bounded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from scipy.spatial.transform import Rotation

from facedouble.faces.outlines import Outlines
from facedouble.faces.shelf import CHUNK
from facedouble.morphable import layout
from facedouble.morphable.pose import canonical
from facedouble.morphable.semantics import asymmetry, semantics
from facedouble.morphable.topology import topology
from facedouble.types import CODE, CODE_FLOATS, MESH_POINTS, Array, Doubles, Floats, Value

SAMPLE: Final = 600  # shapes that are kept to find the neutral one among
UNSEEN: Final = 1.0  # disagreement of what is interpolated

NOTES: Final = np.dtype([("gap", "f4"), ("width", "f4"), ("right_brow", "f4"), ("left_brow", "f4"), ("skew", "f4"),
                         ("far", "f4"), ("disagreement", "f4"), ("size", "f4"), ("low", "f4", 2), ("high", "f4", 2),
                         ("seen", "?")])
"""What is noted of a frame besides its code: semantics and `asymmetry`, for the frames at rest; disagreement; size, px; low and
high corner of the landmarks, px; whether the face was seen, or interpolated."""


@dataclass(frozen=True)
class Sighting(Value):
    """What was measured of one face in one frame: landmarks fused from picture and mirror, and the light.

    marks (478, 3) px; disagreement: rms distance of the two landmark runs over the eye distance; hues: as of `front.hues_of`,
    if asked for.
    """

    frame: int
    marks: Array
    light: Array
    disagreement: float
    hues: Array | None = None


def gaze(shapes: Array) -> Array:
    """(T, 4) iris centre in eye-corner axes: right x y, left x y; x from image left to right over the eye width."""
    found = []
    for iris, outer, inner in ((468, 33, 133), (473, 263, 362)):
        a, b = shapes[:, outer, :2], shapes[:, inner, :2]
        left, right = (a, b) if iris == 468 else (b, a)
        axis = right - left
        width = np.linalg.norm(axis, axis=-1, keepdims=True)
        ex = axis / width
        ey = np.stack([-ex[:, 1], ex[:, 0]], -1)
        r = shapes[:, iris, :2] - left
        found += [(r * ex).sum(-1) / width[:, 0], (r * ey).sum(-1) / width[:, 0]]
    return np.stack(found, 1)


@cache
def _projection() -> Doubles:
    """(32, 1404) from a shape's 468 points to coefficients of the regional bases."""
    t = topology()
    regions = np.repeat([0, 1, 2], [16, 8, 8])
    made: Doubles = np.stack([(t.basis[k] * t.weights[:, r, None]).ravel() for k, r in enumerate(regions)])
    return made


def projected(moves: Array) -> Array:
    """(T, 32) coefficients of moves (T, >= 468, 3), canonical units; linear."""
    made: Array = moves[:, :MESH_POINTS].reshape(len(moves), -1) @ _projection().T
    return made


class Reading:
    """The sightings of one face in a run of frames, `start` on. Frames in between are interpolated, and marked.

    codes (n, 123) float32 in the order of `FaceCode`, not smoothed, expression against the mean shape, lips as measured;
    notes (n,) `NOTES`; sample: shapes (478, 3) of every `every`th frame.
    """

    def __init__(self, most: int) -> None:
        """Make room for `most` frames; what is not used stays untouched, and takes no memory."""
        self._codes, self._notes = np.zeros((most, CODE_FLOATS), np.float32), np.zeros(most, NOTES)
        self._room, self._count = most, 0
        self._waiting: list[tuple[Array, Array, float, bool]] = []
        self._last: Sighting | None = None
        self.outlines = Outlines()
        self.sample: list[Floats] = []
        self.every = 1
        self.start = 0

    def add(self, seen: Sighting) -> None:
        """Take the next sighting."""
        before, self._last = self._last, seen
        if before is None:
            self.start = seen.frame
        else:
            if seen.frame <= before.frame:
                raise ValueError(f"a sighting of frame {seen.frame} after one of frame {before.frame}")
            for frame in range(before.frame + 1, seen.frame):
                u = (frame - before.frame) / (seen.frame - before.frame)
                self._take(before.marks * (1 - u) + seen.marks * u, before.light * (1 - u) + seen.light * u, UNSEEN, False)
        self._take(seen.marks, seen.light, seen.disagreement, True)

    def _take(self, marks: Array, light: Array, disagreement: float, seen: bool) -> None:
        self._waiting.append((marks, light, disagreement, seen))
        if len(self._waiting) == CHUNK:
            self._boil()

    def _boil(self) -> None:
        """Turn the landmarks that wait into numbers."""
        t, waiting = topology(), self._waiting
        self._waiting = []
        if not waiting:
            return
        marks = np.stack([m for m, _, _, _ in waiting]).astype(np.float64)
        shapes, scales, rotations, shifts = canonical(marks, t.mean)
        s = semantics(shapes)
        here = slice(self._count, self._count + len(waiting))
        code, note = self._codes[here], self._notes[here]
        code[:, CODE["scale"]] = scales[:, None]
        code[:, CODE["rotation"]] = Rotation.from_matrix(rotations).as_rotvec()
        code[:, CODE["translation"]] = shifts
        code[:, CODE["expression"]] = projected(shapes - t.mean)
        code[:, CODE["lids"]] = np.stack([s.right_aperture, s.left_aperture], 1)
        code[:, CODE["lips"]] = shapes[:, layout.LOWER_INNER_LIP[1:-1], 1] - shapes[:, layout.UPPER_INNER_LIP[1:-1], 1]
        code[:, CODE["gaze"]] = gaze(shapes)
        code[:, CODE["light"]] = np.stack([light for _, light, _, _ in waiting])
        for name in ("gap", "width", "right_brow", "left_brow"):
            note[name] = getattr(s, name)
        note["skew"], note["far"] = asymmetry(shapes, t.mean, t.mirror)
        note["disagreement"], note["seen"] = [d for _, _, d, _ in waiting], [seen for _, _, _, seen in waiting]
        wide = np.linalg.norm(marks[:, 234, :2] - marks[:, 454, :2], axis=1)
        note["size"] = np.maximum(wide, 0.75 * np.linalg.norm(marks[:, 10, :2] - marks[:, 152, :2], axis=1))
        mesh = marks[:, :MESH_POINTS, :2]
        note["low"], note["high"] = mesh.min(1), mesh.max(1)
        self.outlines.extend(mesh)
        for i, shape in enumerate(shapes, self._count):
            if i % self.every == 0:
                self.sample.append(shape.astype(np.float32))
                if len(self.sample) > SAMPLE:
                    self.sample, self.every = self.sample[::2], self.every * 2
        self._count += len(waiting)

    def __len__(self) -> int:
        return self._count + len(self._waiting)

    @property
    def notes(self) -> Array:
        """(n,) notes of all frames so far."""
        self._boil()
        return self._notes[: self._count]

    def take_codes(self) -> Floats:
        """Hand over the codes, once and for good: whoever smooths them does so in place."""
        self._boil()
        self.outlines.finish()
        if not self._count or not len(self._codes):
            raise ValueError("there is nothing in this reading, or it was used up")
        codes, self._codes = self._codes[: self._count], self._codes[:0]
        return codes if 2 * self._count > self._room else codes.copy()

    @property
    def nbytes(self) -> int:
        """Bytes of what grows with the number of frames."""
        return self._codes[: self._count].nbytes + self._notes[: self._count].nbytes + self.outlines.nbytes


def read(sightings: Sequence[Sighting]) -> Reading:
    """A reading of sightings that are all there already, in the order of frames."""
    made = Reading(sightings[-1].frame - sightings[0].frame + 1 if sightings else 0)
    for seen in sightings:
        made.add(seen)
    return made
