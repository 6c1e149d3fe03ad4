"""The exact proof of the bottleneck on real clips: noise over the face, codes serialised and read back, strict, with halo.

    .venv/bin/python bench/bottleneck.py [--quick] [--data ../shared/data] [--double FILE.fdouble]

Prints changed samples of whole frames; anything but 0 is a hole, and the exit status is 1.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))
from bench.run import GROUPS  # noqa: E402
from facedouble.doubles.file import read_double  # noqa: E402
from facedouble.media.decode import frames  # noqa: E402
from facedouble.media.probe import probe  # noqa: E402
from facedouble.options import DrawOptions, Options  # noqa: E402
from facedouble.pipeline.analyse import analyse  # noqa: E402
from facedouble.pipeline.protect import open_eyes  # noqa: E402
from facedouble.protect.composite import compose  # noqa: E402
from facedouble.protect.drive import Performance  # noqa: E402
from facedouble.protect.treatments import Part  # noqa: E402
from facedouble.types import FaceCode  # noqa: E402
from tests.protect.test_bottleneck import face_area, with_noise  # noqa: E402

CLIPS = [clip for clips in GROUPS.values() for clip in clips]


def main() -> None:
    """Noise in four frames of each clip, or in fewer where it is shorter or less of it is drawn as the double."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--data", type=Path, default=HERE.parents[1] / "shared/data")
    parser.add_argument("--double", type=Path, default=HERE / "out/lp_d18.fdouble")
    args = parser.parse_args()
    double, eyes, holes = read_double(args.double), open_eyes(Options()), 0
    print("| clip | frames | faces | noisy samples | changed samples |\n|---|---|---|---|---|")
    for clip in CLIPS[: 2 if args.quick else None]:
        made = analyse(probe(args.data / "video" / clip), eyes, Options())
        noisy = changed = seen = faces = 0
        for frame in frames(made.info):
            if frame.index % max(1, made.frames // 4) != made.frames // 8:
                continue
            parts, other = [], frame
            for role in made.roles:
                i = frame.index - role.track.start
                if role.fit is None or role.track.at(frame.index) is None or role.weights[i] < 1:
                    continue
                codes = tuple(FaceCode.unpack(c.pack()) for c in role.fit.codes)
                step = frame.index - role.fit.start
                outline = role.fit.outlines[step].mesh
                stage = Performance(codes, role.fit.clip, double)
                parts.append(Part(role.track.id, role.boxes[i], role.covers[i], 1.0, stage, step, outline, treatment="double"))
                other = with_noise(other, face_area(other, outline))
            if not parts:
                continue
            seen, faces = seen + 1, faces + len(parts)
            noisy += sum(int((a != b).sum()) for a, b in zip(frame.planes, other.planes, strict=True))
            results = [compose(f, parts, DrawOptions(strict=True), 0).safe.frame.planes for f in (frame, other)]
            changed += sum(int(np.count_nonzero(a != b)) for a, b in zip(*results, strict=True))
        print(f"| {clip} | {seen} | {faces} | {noisy} | {changed} |", flush=True)
        holes += changed
    sys.exit(1 if holes else 0)


if __name__ == "__main__":
    main()
