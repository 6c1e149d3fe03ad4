"""How light a clip's skin is filmed: the individual typology angle (ITA), and whose it is. `.venv/bin/python bench/skin.py`

ITA = atan((L* - 50) / b*) in degrees (Chardon, Cretois & Hourseau, International Journal of Cosmetic Science 13, 1991), from the
median colour of cheeks and forehead in CIE L*a*b* (D65; the picture taken as sRGB), the median over frames spread over the clip.
On a calibrated instrument it parts skin into very light (> 55), light (> 41), intermediate (> 28), tan (> 10), brown (> -30) and
dark. Footage is not calibrated: exposure, white balance and coloured light move the angle by more than one of these classes.
Where the light is bluish (b* near 0 or below), it tells little more than whether L* is over 50. So it is a property of the
footage, good for asking whether the drawing copes where skin is dark in the picture, and says nothing about a person's ancestry.
Of several people in a clip the largest face counts.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from pathlib import Path

import cv2
import numpy as np
from skimage.color import rgb2lab

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))
from facedouble.colour import picture  # noqa: E402
from facedouble.faces.detect import detect  # noqa: E402
from facedouble.media.decode import frames  # noqa: E402
from facedouble.media.probe import probe  # noqa: E402
from facedouble.morphable.topology import topology  # noqa: E402
from facedouble.options import Options  # noqa: E402
from facedouble.pipeline.analyse import Eyes  # noqa: E402
from facedouble.pipeline.protect import open_eyes  # noqa: E402
from facedouble.pipeline.sight import Pair, look, windows  # noqa: E402
from facedouble.types import Array, Box, Bytes, Frame  # noqa: E402

FRAMES = 7  # of a clip
SETTLE = 3  # times that a frame is shown to the landmarker, which follows from frame to frame
LIGHT, DARK = 28.0, 10.0  # degrees: Chardon's borders of intermediate and tan, of tan and brown
CHEEK = (50, 101, 36, 205, 187)  # of one side, the other is its mirror
FOREHEAD = (69, 108, 151, 337, 299, 336, 9, 107)


def ita(rgb: Array) -> float:
    """Degrees, from display RGB (n, 3) in [0, 1]."""
    lab = np.median(rgb2lab(np.clip(rgb, 0, 1).reshape(-1, 1, 3)).reshape(-1, 3), 0)
    return float(np.degrees(np.arctan2(lab[0] - 50, lab[2])))


def plain_skin(shape: tuple[int, ...], marks: Array) -> Array:
    """(h, w) bool: cheeks and forehead; marks (478, 3) px of the picture."""
    mask: Bytes = np.zeros(shape[:2], np.uint8)
    mirror = topology().mirror
    for patch in (CHEEK, tuple(int(mirror[p]) for p in CHEEK), FOREHEAD):
        cv2.fillPoly(mask, [np.round(marks[list(patch), :2]).astype(np.int32)], 1)
    inside: Array = mask > 0
    return inside


def _skin(frame: Frame, eyes: Eyes, pair: Pair, options: Options) -> Array | None:
    """Display RGB (n, 3) of the plain skin of the largest face, or None where none is found."""
    found = detect(picture(frame), 0, eyes.detectors, options.detect)
    box: Box | None = max((b for b, _ in found), key=lambda b: b.area, default=None)
    if box is None:
        return None
    crop = look(frame, windows([box])[0])
    pair.reset()
    marks = None
    for _ in range(SETTLE):
        marks = pair.marks(crop)
    if marks is None:
        return None
    pixels: Array = crop[plain_skin(crop.shape, marks[0])]
    return pixels if len(pixels) else None


def skin(clip: Path, eyes: Eyes, options: Options) -> float | None:
    """ITA of the clip's largest face, degrees; None if no face is read."""
    info = probe(clip)
    count = info.frames or sum(1 for _ in frames(info))
    wanted = set(np.linspace(0, count - 1, FRAMES + 2).astype(int)[1:-1].tolist())
    pair = Pair(eyes.follower, options.fit)
    try:
        seen = [_skin(f, eyes, pair, options) for f in frames(info) if f.index in wanted]
    finally:
        pair.close()
    angles = [ita(pixels) for pixels in seen if pixels is not None]
    return float(np.median(angles)) if angles else None


def people(data: Path) -> dict[str, str]:
    """Whose clip each is, by file name: the samples' own pseudonyms."""
    with (data / "SOURCES.tsv").open(newline="") as table:
        return {Path(row["file"]).name: row["person_or_speaker"] for row in csv.DictReader(table, delimiter="\t")
                if row["file"].startswith("video/")}


def known(folder: Path) -> dict[str, float | None]:
    """What was measured before, by the clip's file name."""
    path = folder / "skin.json"
    found: dict[str, float | None] = json.loads(path.read_text()) if path.exists() else {}
    return found


def measure(clips: list[str], data: Path, folder: Path) -> dict[str, float | None]:
    """ITA of each clip; what `folder`/skin.json does not have yet is measured and kept there."""
    held = known(folder)
    missing = [c for c in clips if c not in held]
    if missing:
        options = Options()
        eyes = open_eyes(options)
        held |= {c: skin(data / "video" / c, eyes, options) for c in missing}
        (folder / "skin.json").write_text(json.dumps(held, indent=1))
    return held


def main() -> None:
    """Print the clips from dark to light."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=HERE.parents[1] / "shared/data")
    parser.add_argument("--out", type=Path, default=HERE / "out")
    given = parser.parse_args()
    if not given.data.is_dir():
        sys.exit(f"{given.data}: the sample clips are not here; give their folder with --data")
    given.out.mkdir(exist_ok=True)
    whose = people(given.data)
    found = measure(sorted(whose), given.data, given.out)
    for clip, angle in sorted(found.items(), key=lambda item: item[1] if item[1] is not None else np.inf):
        print(f"| {clip} | {whose.get(clip, '?')} | {'–' if angle is None else f'{angle:.0f}'} |")


if __name__ == "__main__":
    main()
