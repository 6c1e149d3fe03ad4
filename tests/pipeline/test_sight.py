"""Looks at one face with the real landmarker: a crop that jumps moves no landmark."""

from __future__ import annotations

import numpy as np
from skimage import data

from facedouble.options import Options
from facedouble.pipeline.analyse import Eyes
from facedouble.pipeline.double import photo_frame
from facedouble.pipeline.sight import Pair, Window, sighting
from facedouble.types import MESH_POINTS, Array, Box

FACE = Box(178, 62, 268, 176)
HERE, THERE = Window(108, 4, 228), Window(132, 4, 228)  # a tenth of its side apart


def test_a_crop_that_jumped_is_read_as_one_that_stayed(eyes: Eyes) -> None:
    frame = photo_frame(np.asarray(data.astronaut()), 0)  # type: ignore[no-untyped-call]
    pair = Pair(eyes.follower, Options().fit)
    try:
        def read(w: Window) -> Array:
            seen = sighting(frame, FACE, w, pair)
            assert seen is not None
            return np.asarray(seen.marks[:MESH_POINTS, :2], np.float64)

        for _ in range(4):
            before = read(HERE)
        jumped, settled = (read(THERE) for _ in range(2))
    finally:
        pair.close()
    eye = np.linalg.norm(before[33] - before[263])
    assert np.sqrt(((jumped - settled) ** 2).sum(1).mean()) < 0.02 * eye
    assert np.sqrt(((jumped - before) ** 2).sum(1).mean()) < 0.05 * eye
