"""Words on the picture: the card that opens a film, the watermark, and subtitles for whoever is asked about a scene.

Letters come from DejaVu Sans, which matplotlib carries: Latin, Cyrillic, Greek, Arabic, Hebrew, Armenian, Georgian. matplotlib
shapes them (raqm), right-to-left included. Other scripts need a font file that has them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from pathlib import Path

import numpy as np
from matplotlib import get_data_path
from matplotlib.ft2font import FT2Font

from facedouble.errors import UsageError
from facedouble.types import Array, Floats, Value

CARD_WIDTH, CARD_HEIGHT = 0.76, 0.8  # of the frame: what the text may fill
LETTER, SMALLEST = 0.062, 0.02  # of the frame's shorter side: size of the letters, and what it may shrink to
LEADING = 1.5  # letter sizes from line to line
PAPER, INK = 0.03, 0.9  # display-referred
MARK_LETTER, MARK_EDGE = 0.026, 0.03  # of the shorter side: the watermark's letters, and its distance from the edges
MARK_LEAST = 9.0  # px
MARK_ALPHA, SHADOW = 0.55, 0.45
CAPTION_HEIGHT, CAPTION_ALPHA = 0.5, 0.95  # of the frame: what subtitles may fill
RIGHT_TO_LEFT, LEFT_TO_RIGHT = "\u200f", "\u200e"  # marks that say how a line runs, whatever it begins with
UNSEEN = {"Cc", "Cf", "Zs", "Zl", "Zp"}  # Unicode categories without a glyph of their own


@dataclass(frozen=True)
class Card(Value):
    """What a card says, and a font file that has its letters, if DejaVu Sans has not.

    direction: "ltr", "rtl", or "" for that of the text's first letter.
    """

    text: str
    font: Path | None = None
    direction: str = ""


@dataclass(frozen=True)
class Mark(Value):
    """A small picture (h, w, 3), display RGB, with alpha (h, w), at x, y of every frame."""

    x: int
    y: int
    image: Floats
    alpha: Floats


def _font(path: Path | None) -> FT2Font:
    try:
        return FT2Font(path or Path(get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf")
    except (RuntimeError, OSError) as error:
        raise UsageError(f"{path}: cannot be read as a font; name a TTF or OTF file") from error


def check_text(text: str, font: Path | None = None) -> None:
    """Raise UsageError if there is nothing to read, or the font lacks letters of it."""
    if not text.strip():
        raise UsageError("the text of a card or watermark is empty")
    face = _font(font)
    lacking = sorted({c for c in text if unicodedata.category(c) not in UNSEEN and face.get_char_index(ord(c)) == 0})
    if lacking:
        names = ", ".join(f"{c} ({unicodedata.name(c, f'U+{ord(c):04X}')})" for c in lacking[:3])
        raise UsageError(f"{font or 'DejaVu Sans'} has no letter for {names}{' and others' if len(lacking) > 3 else ''}: "
                         "name a font file that has them")


def _line(face: FT2Font, text: str, px: float) -> tuple[Array, int]:
    """(h, w) uint8 coverage of a line, and how many of its rows lie below the letters' foot line."""
    face.clear()
    face.set_size(px, 72)
    face.set_text(text, 0.0)
    face.draw_glyphs_to_bitmap(antialiased=True)
    return np.array(face.get_image()), round(face.get_descent() / 64)


def _wide(face: FT2Font, text: str, px: float) -> float:
    face.clear()
    face.set_size(px, 72)
    face.set_text(text, 0.0)
    return float(face.get_width_height()[0] / 64)


def _pieces(wide: Callable[[str], float], word: str, width: float) -> list[str]:
    """A word that is wider than a line, cut where it has to be: scripts without spaces are one word."""
    made = [""]
    for letter in word:
        joined = made[-1] + letter
        if made[-1] and not unicodedata.combining(letter) and wide(joined) > width:
            made.append(letter)
        else:
            made[-1] = joined
    return made


def direction_of(text: str) -> str:
    """"rtl" if the first letter of a text is of a script that runs to the left, else "ltr"."""
    strong = [kind for c in text if (kind := unicodedata.bidirectional(c)) in ("L", "R", "AL")]
    return "rtl" if strong and strong[0] != "L" else "ltr"


def _wrapped(face: FT2Font, text: str, px: float, width: float) -> list[str]:
    wide = cache(partial(_wide, face, px=px))  # words return
    lines: list[str] = []
    for paragraph in text.strip().splitlines():
        line = ""
        for word in paragraph.split():
            for piece in _pieces(wide, word, width):
                joined = f"{line} {piece}".strip()
                if line and wide(joined) > width:
                    lines.append(line)
                    joined = piece
                line = joined
        lines.append(line)
    return lines


def letters(text: str, px: float, width: float, font: Path | None = None, direction: str = "") -> Floats:
    """(h, w) coverage of a text in letters of `px`, in centred lines of at most `width` px."""
    face = _font(font)
    lead = RIGHT_TO_LEFT if (direction or direction_of(text)) == "rtl" else LEFT_TO_RIGHT
    drawn = cache(lambda line: _line(face, lead + line, px) if line else (np.zeros((1, 1), np.uint8), 0))
    made = [drawn(line) for line in _wrapped(face, text, px, width)]
    wide = max(a.shape[1] for a, _ in made)
    out = np.zeros((round(px * (LEADING * (len(made) - 1) + 2.4)), wide), np.float32)
    for n, (glyphs, below) in enumerate(made):
        h, w = glyphs.shape
        y, x = round(px * (LEADING * n + 1.4)) + below - h, (wide - w) // 2
        top, end = max(0, -y), min(h, len(out) - y)
        part = out[y + top : y + end, x : x + w]
        np.maximum(part, glyphs[top:end].astype(np.float32) / 255, out=part)
    return out


def _fitted(card: Card, px: float, least: float, room: tuple[int, int]) -> Floats | None:
    """The letters of a card in a frame so wide, and in so much of its height: smaller if it is long; None if they do not fit."""
    while px >= least:
        ink = letters(card.text, px, CARD_WIDTH * room[0], card.font, card.direction)
        if ink.shape[0] <= room[1] and ink.shape[1] <= 0.95 * room[0]:
            return ink
        px *= 0.92
    return None


@lru_cache(maxsize=4)
def card_picture(card: Card, width: int, height: int) -> Floats:
    """(height, width, 3) display RGB: the text in the middle of a dark frame, smaller if it is long; read-only."""
    check_text(card.text, card.font)
    px = LETTER * min(width, height)
    ink = _fitted(card, px, SMALLEST * min(width, height), (width, round(CARD_HEIGHT * height)))
    if ink is None:
        raise UsageError("the card's text is too long for one frame: make it shorter")
    out = np.full((height, width, 3), PAPER, np.float32)
    y, x = (height - ink.shape[0]) // 2, (width - ink.shape[1]) // 2
    out[y : y + ink.shape[0], x : x + ink.shape[1]] += (INK - PAPER) * ink[..., None]
    out.flags.writeable = False
    return out


def watermark(text: str, width: int, height: int, font: Path | None = None) -> Mark:
    """A small line in the lower right corner: light letters with a dark shadow, so that it can be read on anything."""
    check_text(text, font)
    px = max(MARK_LETTER * min(width, height), MARK_LEAST)
    ink = letters(" ".join(text.split()), px, 1e9, font)
    rows, columns = (np.flatnonzero(ink.any(axis)) for axis in (1, 0))
    ink = np.pad(ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], 3)
    h, w = ink.shape
    edge = round(MARK_EDGE * min(width, height))
    if w > width - 2 * edge or h > height - 2 * edge:
        raise UsageError("the watermark is too long for the frame: make it shorter")
    return _lit(ink, width - edge - w, height - edge - h, MARK_ALPHA, SHADOW)


@lru_cache(maxsize=4)
def caption(text: str, width: int, height: int, font: Path | None = None) -> Mark:
    """Subtitles, in the middle above a watermark: all of them, or UsageError."""
    check_text(text, font)
    short = min(width, height)
    ink = _fitted(Card(text, font), max(LETTER * short, MARK_LEAST), MARK_LEAST, (width, round(CAPTION_HEIGHT * height)))
    if ink is None:
        raise UsageError("they are too long for one frame: make them shorter")
    ink = np.pad(ink, 3)
    h, w = ink.shape
    below = round(2 * MARK_EDGE * short + 2 * max(MARK_LETTER * short, MARK_LEAST))
    return _lit(ink, (width - w) // 2, max(height - below - h, 0), CAPTION_ALPHA, CAPTION_ALPHA)


def _lit(ink: Floats, x: int, y: int, light: float, dark: float) -> Mark:
    """Light letters with a dark shadow."""
    shadow = np.maximum.reduce([np.roll(ink, (dy, dx), (0, 1)) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]) * dark
    alpha = np.maximum(shadow, light * ink)
    image = np.repeat((ink / np.maximum(np.maximum(ink, shadow), 1e-6))[..., None], 3, 2)
    return Mark(x, y, image.astype(np.float32), alpha.astype(np.float32))
