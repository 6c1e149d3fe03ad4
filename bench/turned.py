"""Are faces found whichever way up they are? Prints a table. `.venv/bin/python bench/turned.py [--data ../shared/data]`

Two frames each of twelve clips of one person, turned by quarters, and by other angles at .7 of their size with the border
repeated. "In between" is a frame in which only the reduced copy is searched; "searched whole" is every twentieth, and the first
of every shot.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))
from facedouble.colour import picture  # noqa: E402  found from any folder
from facedouble.faces.detect import detect  # noqa: E402
from facedouble.media.decode import frames  # noqa: E402
from facedouble.media.probe import probe  # noqa: E402
from facedouble.options import Options  # noqa: E402
from facedouble.pipeline.protect import open_eyes  # noqa: E402
from facedouble.types import Bytes  # noqa: E402

CLIPS = ("sad_a.mp4", "lp_d10.mp4", "vr_1.mp4", "vr_3.mp4", "vr_4.mp4", "lp_d18.mp4", "lp_d13.mp4", "grid_bbaf2n.mpg",
         "lp_s13.mp4", "grid_swiz3n.mpg", "lp_s20.mp4", "asl_bird.mkv")
ANGLES = (0, 30, 45, 60, 90, 120, 135, 150, 180, 225, 270, 315)
SMALLER = 0.7


def pictures(video: Path) -> Iterator[Bytes]:
    """The first and the thirtieth frame of each clip."""
    for name in CLIPS:
        for frame in islice(frames(probe(video / name)), 0, 30, 29):
            yield picture(frame)


def turned(upright: Bytes, angle: int) -> Bytes:
    """The picture turned left by some degrees."""
    if angle % 90 == 0:
        return np.ascontiguousarray(np.rot90(upright, angle // 90))
    h, w = upright.shape[:2]
    matrix = cv2.getRotationMatrix2D((w / 2, h / 2), angle, SMALLER)
    return np.asarray(cv2.warpAffine(upright, matrix, (w, h), borderMode=cv2.BORDER_REPLICATE), np.uint8)


def main() -> None:
    """Command line."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--data", type=Path, default=HERE.parent.parent / "shared" / "data")
    given = arguments.parse_args()
    options = Options()
    detectors = open_eyes(options).detectors
    seen = list(pictures(given.data / "video"))
    print("| turned by ° | " + " | ".join(map(str, ANGLES)) + " |\n|---" + "|---" * len(ANGLES) + "|")
    for title, index in (("searched whole", 0), ("in between", 1)):
        counts = [sum(bool(detect(turned(p, a), index, detectors, options.detect)) for p in seen) for a in ANGLES]
        print(f"| {title} | " + " | ".join(f"{n} of {len(seen)}" for n in counts) + " |", flush=True)


if __name__ == "__main__":
    main()
