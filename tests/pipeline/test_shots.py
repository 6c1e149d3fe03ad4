"""Short shots: what is small in them is looked for as well, though every tenth frame only is searched whole."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np

from facedouble.faces.detect import Detectors
from facedouble.media.probe import probe
from facedouble.options import Options
from facedouble.pipeline.analyse import Eyes, analyse
from facedouble.types import Array, Box, Bytes

WIDTH, HEIGHT, CUT, FRAMES = 960, 540, 13, 18
FACE = Box(400.0, 200.0, 410.0, 214.0)


def wall(seed: int) -> Array:
    """A picture unlike that of another seed."""
    coarse = np.random.default_rng(seed).integers(60, 190, (9, 16, 3)).astype(np.uint8)
    return np.asarray(cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC))


def film(path: Path) -> None:
    """Two shots; in the second, from frame CUT on, there is something red and small."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt, stream.options = WIDTH, HEIGHT, "yuv444p", {"crf": "10"}
        for i in range(FRAMES):
            picture = wall(int(i >= CUT))
            if i >= CUT:
                picture[int(FACE.y0) : int(FACE.y1), int(FACE.x0) : int(FACE.x1)] = 255, 0, 0
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        out.mux(stream.encode(None))


def small_red(picture: Bytes) -> list[tuple[Box, float]]:
    """A detector that sees red things from 12 px on: too large for what is 10 px wide in a reduced copy."""
    red = (picture[..., 0] > 200) & (picture[..., 1] < 90) & (picture[..., 2] < 90)
    y, x = np.nonzero(red)
    if len(x) == 0 or x.max() - x.min() < 9:
        return []
    return [(Box(float(x.min()), float(y.min()), float(x.max() + 1), float(y.max() + 1)), 0.95)]


def test_the_first_picture_of_a_shot_is_searched_whole(tmp_path: Path) -> None:
    film(tmp_path / "film.mkv")
    eyes = Eyes(Detectors((small_red,)), lambda: (_ for _ in ()).throw(AssertionError("too small to be read")))
    made = analyse(probe(tmp_path / "film.mkv"), eyes, Options())
    assert made.cuts == (CUT,)
    assert [(r.track.start, r.track.stop) for r in made.roles] == [(CUT, FRAMES)]
    assert all(box.x0 <= FACE.x0 + 1 and box.x1 >= FACE.x1 - 1 for box in made.roles[0].boxes)
