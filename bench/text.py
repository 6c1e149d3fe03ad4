"""Text that the text finder finds and reads, by its height; what it takes for text where there is none; what a frame costs.

    .venv/bin/python bench/text.py [--quick] [--data ../shared/data]

Words made of random letters are set into pictures of real clips (1920 x 1080, coded with H.264 at crf 23), half of them on a plate
of their own, half straight on the picture, and looked for with `models/text.py`. Then each clip is looked at as it is, a
frame a second. Prints Markdown; writes nothing.
"""

from __future__ import annotations

import argparse
import io
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from matplotlib import get_data_path
from matplotlib.ft2font import FT2Font

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))
from facedouble.colour import picture  # noqa: E402
from facedouble.media.decode import frames  # noqa: E402
from facedouble.media.probe import probe  # noqa: E402
from facedouble.models.install import locate  # noqa: E402
from facedouble.models.text import text_finder  # noqa: E402
from facedouble.pipeline.protect import close_doors  # noqa: E402
from facedouble.types import Bytes, Spot, Value  # noqa: E402

SEED = 11
WIDTH, HEIGHT = 1920, 1080
BACKGROUNDS = ("lp_s18.mp4", "asl_bird.mkv", "cisco_zhling.mp4", "vr_3.mp4")
HEIGHTS = (8, 12, 16, 20, 24, 32, 40, 60)  # px of a capital letter
ANGLES = (0, 25)  # degrees
WORDS, QUICK_WORDS = 40, 10  # in each cell of the table
TOGETHER = 10  # words in a picture
SCRIPTS = {"Latin": "ABCDEFGHJKLMNPRSTUVWXYZ0123456789", "Greek": "ΓΔΘΛΞΠΣΦΨΩΑΒΕΗΚΜ0123456789", "Chinese": "北京市公安局急救中心东路西南街口号",
           "Cyrillic": "БГДЖЗИЛПУФЦЧШЩЭЮЯ0123456789", "Arabic": "ابتجحدرسصطعفقكلمنهوي"}
FONTS = ("DejaVuSans-Bold.ttf", "DejaVuSans.ttf", "DejaVuSerif.ttf")
READ = 0.8  # likeness of what was read to what is there, from which it counts as read


@dataclass(frozen=True)
class Word(Value):
    """A word in a picture: its letters, and its corners (4, 2)."""

    text: str
    corners: Any


def glyphs(text: str, high: float, font: str) -> Bytes:
    """(h, w) coverage of a line whose capital letters are `high` px."""
    face = FT2Font(Path(get_data_path()) / "fonts" / "ttf" / font)
    face.set_size(100, 72)
    face.load_char(ord("H"))
    size = 100 * high / (face.get_glyph_name is not None and face.load_char(ord("H")).height / 64)
    face.set_size(size, 72)
    face.set_text(text, 0.0)
    face.draw_glyphs_to_bitmap(antialiased=True)
    return np.array(face.get_image())


def composed(base: Bytes, high: float, angle: float, script: str, rng: np.random.Generator) -> tuple[Bytes, list[Word]]:
    """A picture with words in it, in two columns, at random places in their cells."""
    out, words = base.astype(np.float32), []
    for k in range(TOGETHER):
        text = "".join(rng.choice(list(SCRIPTS[script]), 8))
        text = text if script in ("Arabic", "Chinese") else f"{text[:4]} {text[4:]}"
        ink = glyphs(text, high, str(rng.choice(FONTS)) if script in ("Latin", "Greek", "Cyrillic") else FONTS[1])
        h, w = ink.shape
        cell = (WIDTH // 2, HEIGHT // (TOGETHER // 2))
        reach = cv2.boxPoints(((0, 0), (w + 2 * high, h + 2 * high), angle)).max(0)
        room = np.maximum(np.array(cell) / 2 - reach, 0)
        x, y = (np.array([k % 2, k // 2]) + 0.5) * cell + rng.uniform(-1, 1, 2) * room
        m = cv2.getRotationMatrix2D((w / 2, h / 2), -angle, 1.0) + [[0, 0, x - w / 2], [0, 0, y - h / 2]]
        dark = bool(rng.integers(2))
        paper, colour = rng.uniform(150, 240, 3), rng.uniform(0, 70, 3)
        if not dark:
            paper, colour = colour, paper
        if k % 2:  # straight on the picture: against what is there
            there = out[int(y) - 4 : int(y) + 5, int(x) - 4 : int(x) + 5].mean()
            colour = rng.uniform(0, 60, 3) if there > 120 else rng.uniform(190, 255, 3)
        else:
            plate = cv2.boxPoints(((x, y), (w + 1.2 * high, h + 1.0 * high), angle))
            cv2.fillPoly(out, [plate.astype(np.int32)], paper.tolist(), cv2.LINE_AA)
        alpha = cv2.warpAffine(ink, m, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR)[..., None] / np.float32(255)
        out = out * (1 - alpha) + colour.astype(np.float32) * alpha
        words.append(Word(text, cv2.boxPoints(((x, y), (w, h), angle))))
    return np.asarray(np.clip(out, 0, 255), np.uint8), words


def coded(rgb: Bytes) -> Bytes:
    """The picture after H.264."""
    store = io.BytesIO()
    with av.open(store, "w", format="mp4") as box:
        stream: Any = box.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt, stream.options = WIDTH, HEIGHT, "yuv420p", {"crf": "23"}
        frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
        frame.pts, frame.time_base = 0, Fraction(1, 25)
        box.mux(stream.encode(frame))
        box.mux(stream.encode(None))
    store.seek(0)
    with av.open(store) as box:
        return next(box.decode(video=0)).to_ndarray(format="rgb24")


def background(path: Path) -> Bytes:
    """A frame of a clip that fills the picture."""
    rgb = next(picture(f) for f in frames(probe(path)) if f.index == 8)
    scale = max(WIDTH / rgb.shape[1], HEIGHT / rgb.shape[0])
    big = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    y, x = (big.shape[0] - HEIGHT) // 2, (big.shape[1] - WIDTH) // 2
    return np.ascontiguousarray(big[y : y + HEIGHT, x : x + WIDTH])


def judge(word: Word, spots: Sequence[Spot]) -> tuple[bool, bool]:
    """Whether a word was found (half of it is in spots) and read."""
    area, met, read = cv2.contourArea(word.corners), 0.0, False
    for s in spots:
        both = cv2.intersectConvexConvex(word.corners, cv2.boxPoints(((s.x, s.y), (s.w, s.h), s.angle)))[0]
        if both > 0.1 * area:
            met += both
            plain = [t.replace(" ", "").upper() for t in (s.what, word.text)]
            read |= SequenceMatcher(None, *plain).ratio() >= READ
    return met > 0.5 * area, read


def samples(path: Path) -> Iterator[Bytes]:
    """A frame a second."""
    info = probe(path)
    step = max(1, round(float(info.rate)))
    for frame in frames(info):
        if frame.index % step == 0:
            yield picture(frame)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=HERE.parent.parent / "shared" / "data")
    parser.add_argument("--quick", action="store_true")
    args = parser.parse_args()
    close_doors()
    find, rng = text_finder(locate("text"), locate("letters")), np.random.default_rng(SEED)
    bases = [background(args.data / "video" / name) for name in BACKGROUNDS]
    words, spent, looks = QUICK_WORDS if args.quick else WORDS, 0.0, 0
    print("| script | angle ° | " + " | ".join(f"{h} px" for h in HEIGHTS) + " |\n" + "|---" * (2 + len(HEIGHTS)) + "|")
    for script in SCRIPTS:
        for angle in ANGLES if script == "Latin" else ANGLES[:1]:
            cells = []
            for high in HEIGHTS:
                found = []
                for k in range(words // TOGETHER if script == "Latin" else 1):
                    rgb, there = composed(bases[k % len(bases)], high, angle, script, rng)
                    rgb = coded(rgb)
                    begin = time.process_time()
                    spots = find(rgb)
                    spent, looks = spent + time.process_time() - begin, looks + 1
                    found += [judge(word, spots) for word in there]
                seen, read = np.mean(found, 0)
                cells.append(f"{seen:.2f} ({read:.2f})")
            print(f"| {script} | {angle} | " + " | ".join(cells) + " |", flush=True)
    print(f"\nCPU time of a composed picture: {spent / looks:.2f} s (mean of {looks}).\n")
    print("| clip | frames looked at | spots | of them read |\n|---|---|---|---|")
    for path in sorted((args.data / "video").iterdir())[:: 4 if args.quick else 1]:
        every = [find(rgb) for rgb in samples(path)]
        flat = [s for spots in every for s in spots]
        print(f"| {path.name} | {len(every)} | {len(flat)} | {', '.join(sorted({s.what for s in flat if s.what})) or '–'} |", flush=True)


if __name__ == "__main__":
    main()
