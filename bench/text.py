"""Text that the text finder finds and reads, by its height; what it takes for text where there is none; what a frame costs.

    .venv/bin/python bench/text.py [--quick] [--data ../shared/data]

Words of random letters are set into pictures of real clips, 1920 x 1080, half of them on a plate of their own, half straight on
the picture. Some are drawn sharp, some as a camera sees them: soft, smeared by motion, of little contrast, with grain. The
picture is coded with H.264 and looked at with `models/text.py`. Then each clip is looked at as it is, a frame a second. Prints
Markdown, writes nothing.
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
from facedouble.types import Array, Bytes, Spot, Value  # noqa: E402

SEED = 11
WIDTH, HEIGHT = 1920, 1080
BACKGROUNDS = ("lp_s18.mp4", "asl_bird.mkv", "cisco_zhling.mp4", "vr_3.mp4")
HEIGHTS = (8, 12, 16, 20, 24, 32, 40, 60)  # px of a capital letter
WORDS, QUICK = 40, 10  # in each cell of the table
TOGETHER = 10  # in a picture
SCRIPTS = {"Latin": "ABCDEFGHJKLMNPRSTUVWXYZ0123456789", "Greek": "ΓΔΘΛΞΠΣΦΨΩ", "Cyrillic": "БГДЖЗИЛПУФЦЧШЩЭЮЯ",
           "Arabic": "ابتجحدرسصطعفقكلمنهوي"}
FONTS = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSerif.ttf")
READ = 0.8  # likeness of what was read to what is there, from which it counts as read


@dataclass(frozen=True)
class Look(Value):
    """How the words are filmed: blur and smear in heights of a letter, contrast and grain in levels of 255, H.264's crf."""

    name: str
    blur: float = 0.0
    smear: float = 0.0
    contrast: float = 150.0
    grain: float = 0.0
    crf: int = 20


LOOKS = (Look("sharp"), Look("soft", 0.08, 0.25, 90.0, 3.0, 24), Look("poor", 0.14, 0.45, 60.0, 6.0, 28))
ROWS = (("Latin", 0, LOOKS[0]), ("Latin", 25, LOOKS[0]), ("Latin", 0, LOOKS[1]), ("Latin", 25, LOOKS[1]), ("Latin", 0, LOOKS[2]),
        ("Latin", 25, LOOKS[2]), *((script, 0, LOOKS[1]) for script in SCRIPTS if script != "Latin"))


@dataclass(frozen=True)
class Word(Value):
    """A word in a picture: its letters, and its corners (4, 2)."""

    text: str
    corners: Array


def glyphs(text: str, high: float, font: str) -> Bytes:
    """(h, w) coverage of a line whose capital letters are `high` px."""
    face = FT2Font(Path(get_data_path()) / "fonts" / "ttf" / font)
    face.set_size(100, 72)
    face.set_size(100 * high / (face.load_char(ord("H")).height / 64), 72)
    face.set_text(text, 0.0)
    face.draw_glyphs_to_bitmap(antialiased=True)
    return np.array(face.get_image())


def composed(base: Bytes, high: float, angle: float, script: str, look: Look,
             rng: np.random.Generator) -> tuple[Bytes, list[Word]]:
    """A picture with words in it, in two columns, at random places in their cells."""
    out, words = base.astype(np.float32), []
    cell = np.array([WIDTH // 2, HEIGHT // (TOGETHER // 2)])
    for k in range(TOGETHER):
        text = "".join(rng.choice(list(SCRIPTS[script]), 8))
        text = text if script == "Arabic" else f"{text[:4]} {text[4:]}"
        ink = cv2.copyMakeBorder(glyphs(text, high, str(rng.choice(FONTS if script == "Latin" else FONTS[:1]))),
                                 *(round(high),) * 4, cv2.BORDER_CONSTANT, value=0).astype(np.float32) / 255
        ink = cv2.blur(ink, (1 + round(look.smear * high), 1))
        ink = cv2.GaussianBlur(ink, (0, 0), look.blur * high) if look.blur else ink
        h, w = ink.shape
        reach = cv2.boxPoints(((0, 0), (w, h), angle)).max(0)
        x, y = (np.array([k % 2, k // 2]) + 0.5) * cell + rng.uniform(-1, 1, 2) * np.maximum(cell / 2 - reach, 0)
        m = cv2.getRotationMatrix2D((w / 2, h / 2), -angle, 1.0)
        m[:, 2] += x - w / 2, y - h / 2
        if k % 2 == 0:
            plate = cv2.boxPoints(((x, y), (w - 0.8 * high, h - high), angle))
            cv2.fillPoly(out, [plate.astype(np.int32)], rng.uniform(20, 235, 3).tolist(), cv2.LINE_AA)
        there = out[max(int(y) - 4, 0) : int(y) + 5, max(int(x) - 4, 0) : int(x) + 5].mean((0, 1))
        colour = there + look.contrast * (1 if there.mean() < 127 else -1) + rng.uniform(-15, 15, 3)
        alpha = cv2.warpAffine(ink, m, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR)[..., None]
        out = out * (1 - alpha) + colour.astype(np.float32) * alpha
        words.append(Word(text, cv2.boxPoints(((x, y), (w - 2 * high, h - 2 * high), angle))))
    out += rng.normal(0, look.grain, out.shape[:2])[..., None]
    return coded(np.asarray(np.clip(out, 0, 255), np.uint8), look.crf), words


def coded(rgb: Bytes, crf: int) -> Bytes:
    """The picture after H.264."""
    store = io.BytesIO()
    with av.open(store, "w", format="mp4") as box:
        stream: Any = box.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt, stream.options = WIDTH, HEIGHT, "yuv420p", {"crf": str(crf)}
        frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
        frame.pts, frame.time_base = 0, Fraction(1, 25)
        box.mux(stream.encode(frame))
        box.mux(stream.encode(None))
    store.seek(0)
    with av.open(store, "r") as read:
        return np.asarray(next(read.decode(video=0)).to_ndarray(format="rgb24"), np.uint8)


def background(path: Path) -> Bytes:
    """A frame of a clip that fills the picture."""
    rgb = next(picture(f) for f in frames(probe(path)) if f.index == 8)
    scale = max(WIDTH / rgb.shape[1], HEIGHT / rgb.shape[0])
    big = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    y, x = (big.shape[0] - HEIGHT) // 2, (big.shape[1] - WIDTH) // 2
    return np.ascontiguousarray(big[y : y + HEIGHT, x : x + WIDTH], np.uint8)


def judge(word: Word, spots: Sequence[Spot]) -> tuple[bool, bool]:
    """Whether a word was found (half of it is in spots) and read."""
    area, met, read = cv2.contourArea(word.corners), 0.0, False
    for s in spots:
        both = cv2.intersectConvexConvex(word.corners, cv2.boxPoints(((s.x, s.y), (s.w, s.h), s.angle)))[0]
        if both > 0.1 * area:
            met += both
            said, there = (t.replace(" ", "").upper() for t in (s.what, word.text))
            read |= SequenceMatcher(None, said, there).ratio() >= READ
    return met > 0.5 * area, read


def samples(path: Path) -> Iterator[Bytes]:
    """A frame a second."""
    info = probe(path)
    step = max(1, round(float(info.rate)))
    yield from (picture(frame) for frame in frames(info) if frame.index % step == 0)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=HERE.parent.parent / "shared" / "data")
    parser.add_argument("--quick", action="store_true")
    args = parser.parse_args()
    close_doors()
    find, rng = text_finder(locate("text"), locate("letters")), np.random.default_rng(SEED)
    bases = [background(args.data / "video" / name) for name in BACKGROUNDS]
    spent: list[float] = []
    extra = 0
    print("| script | angle ° | look | " + " | ".join(f"{h} px" for h in HEIGHTS) + " |\n" + "|---" * (3 + len(HEIGHTS)) + "|")
    for script, angle, look in ROWS:
        cells = []
        for high in HEIGHTS:
            found = []
            for k in range((QUICK if args.quick or script != "Latin" else WORDS) // TOGETHER):
                rgb, there = composed(bases[k % len(bases)], high, angle, script, look, rng)
                begin = time.process_time()
                spots = find(rgb)
                spent.append(time.process_time() - begin)
                found += [judge(word, spots) for word in there]
                extra += max(0, len(spots) - len(there))
            seen, read = np.mean(found, 0)
            cells.append(f"{seen:.2f} ({read:.2f})")
        print(f"| {script} | {angle} | {look.name} | " + " | ".join(cells) + " |", flush=True)
    print(f"\nCPU time of a picture with {TOGETHER} words: median {np.median(spent):.2f} s of {len(spent)}; spots beyond the "
          f"words that are there: {extra}.\n")
    print("| clip | frames looked at | spots | of them read | CPU s a frame |\n|---|---|---|---|---|")
    for path in sorted((args.data / "video").iterdir())[:: 4 if args.quick else 1]:
        every = list(samples(path))
        begin = time.process_time()
        flat = [s for rgb in every for s in find(rgb)]
        cost = (time.process_time() - begin) / len(every)
        said = ", ".join(sorted({s.what for s in flat if s.what})) or "–"
        print(f"| {path.name} | {len(every)} | {len(flat)} | {said} | {cost:.2f} |", flush=True)


if __name__ == "__main__":
    main()
