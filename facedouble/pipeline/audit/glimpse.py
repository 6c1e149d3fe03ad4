"""One look at one face of a frame: a crop around it, a detector's five points, a recogniser's embedding."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from facedouble.colour import reduced
from facedouble.geometry import overlap
from facedouble.pipeline.sight import Window, look, windows
from facedouble.types import Array, Box, Bytes, Floats, Frame

SIDE = 256  # px of the crop that detector and recogniser see: a face of 128, more than a recogniser's own 112
LEAST = 0.2  # overlap of what the detector finds with the face that is meant

Find = Callable[[Bytes], Sequence[tuple[Box, float, Array]]]
"""RGB picture (h, w, 3) uint8 -> boxes, scores, five points (5, 2) px: eyes, nose, corners of the mouth, from the picture's left."""

Embed = Callable[[Bytes, Array], Floats]
"""RGB picture (h, w, 3) uint8, five points (5, 2) px of it -> embedding (D,)."""

Seers = Callable[[], tuple[Find, Embed]]
"""Opens both; to be pickled, because the parrot draws and looks in a process of its own."""


def crop(frame: Frame, w: Window, side: int = SIDE) -> Bytes:
    """(side, side, 3) of a window, or less where the window is smaller; black where it leaves the frame."""
    if w.side > side:
        return reduced(frame, w.x0, w.y0, w.side, side)
    return np.asarray(np.clip(look(frame, w) * 255 + 0.5, 0, 255), np.uint8)


def glimpse(frame: Frame, box: Box, find: Find, embed: Embed) -> Floats | None:
    """Embedding (D,) of the face that lies in the box, px of the frame; None if the detector sees none there."""
    w = windows([box])[0]
    seen = crop(frame, w)
    scale = seen.shape[0] / w.side
    meant = Box(*((v - o) * scale for v, o in zip((box.x0, box.y0, box.x1, box.y1), (w.x0, w.y0, w.x0, w.y0), strict=True)))
    found = [(overlap(at, meant), points) for at, _, points in find(seen)]
    best = max(found, key=lambda f: f[0], default=(0.0, None))
    if best[1] is None or best[0] < LEAST:
        return None
    vector = np.asarray(embed(seen, best[1]), np.float32)
    return vector if np.isfinite(vector).all() and np.any(vector) else None
