"""`compare`: the ways to disguise a face side by side, to choose from. Four of them exist only here, because they are undone.

Blur, mosaic, sketch and silhouette are made from the face's own pixels. The film is to be looked at by those who may see the
footage, and never to be published: it shows the witness.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType

import cv2
import numpy as np

from facedouble.colour import picture
from facedouble.doubles.mannequin import VARIANTS, mannequin
from facedouble.errors import FacedoubleError
from facedouble.media.decode import frames
from facedouble.media.encode import Writer
from facedouble.media.probe import probe
from facedouble.options import Options
from facedouble.pipeline.analyse import Analysis, Progress, analyse, quiet
from facedouble.pipeline.casting import open_recogniser
from facedouble.pipeline.protect import open_eyes
from facedouble.pipeline.rehearse import rehearse
from facedouble.pipeline.render import Wings
from facedouble.pipeline.stage import Troupe, troupe
from facedouble.protect.card import letters
from facedouble.protect.composite import compose, hide, unprotected_sheet
from facedouble.protect.treatments import Part
from facedouble.raster import display, linear
from facedouble.types import Bytes, Double, Floats, Frame, Value

COLUMNS, CELL, BAND = 4, 480, 26  # tiles across; px: longer side of a tile, height of its label
WARNING = (1.0, 0.55, 0.35)  # display RGB of the label of what does not protect
WIDER, BLUR = 1.15, 1 / 18  # of the face's box; sigma over its width: as it was measured
CELLS = 12  # mosaic cells across a face
INK_FINE, INK_WIDE, INK_SHARP, INK_LEVEL = 0.9, 1.6, 0.985, 0.006  # sketch: sigmas px, weight of the wider, paper's threshold
DARK = 0.008  # of linear light, which is left of a silhouette
BODY = 3.2  # head widths: shoulders of a silhouette

Disguise = Callable[[Floats, Sequence[Part]], Floats]
"""Display RGB (h, w, 3) in [0, 1] and who is in it -> the same, changed."""


def _each(rgb: Floats, parts: Sequence[Part], change: Callable[[Floats, float], Floats]) -> Floats:
    """Change the boxes of the faces; what changes them gets the crop and the face's width."""
    out = rgb.copy()
    h, w = rgb.shape[:2]
    for part in parts:
        b = part.box
        (x, y), rx, ry = b.centre, b.width * WIDER / 2, b.height * WIDER / 2
        at = slice(max(0, int(y - ry)), min(h, int(y + ry) + 1)), slice(max(0, int(x - rx)), min(w, int(x + rx) + 1))
        if out[at].size:
            out[at] = change(out[at], b.width)
    return out


def blurred(rgb: Floats, parts: Sequence[Part]) -> Floats:
    """A Gaussian over the face's box."""
    return _each(rgb, parts, lambda crop, width: np.asarray(cv2.GaussianBlur(crop, (0, 0), max(width * BLUR, 0.5)), np.float32))


def mosaic(rgb: Floats, parts: Sequence[Part]) -> Floats:
    """Squares over the face's box."""

    def coarse(crop: Floats, width: float) -> Floats:
        h, w = crop.shape[:2]
        side = max(width / CELLS, 1.0)
        small = cv2.resize(crop, (max(1, round(w / side)), max(1, round(h / side))), interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.resize(small, (w, h), interpolation=cv2.INTER_NEAREST), np.float32)

    return _each(rgb, parts, coarse)


def sketch(rgb: Floats, parts: Sequence[Part]) -> Floats:
    """The whole picture as a drawing. Winnemöller, Kyprianidis, Olsen: XDoG, Computers & Graphics 36(6), 2012."""
    grey = cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2GRAY)
    scale = max(grey.shape) / CELL
    fine, wide = (cv2.GaussianBlur(grey, (0, 0), s * max(scale, 0.6)) for s in (INK_FINE, INK_WIDE))
    edge = (fine - INK_SHARP * wide) / (1 - INK_SHARP)
    ink = np.where(edge > INK_LEVEL, 1.0, 1 + np.tanh(1.2 * (edge - INK_LEVEL)))
    tone = 0.72 + 0.28 * np.floor(cv2.GaussianBlur(grey, (0, 0), 4 * scale) * 5) / 4
    return np.repeat(np.clip(ink * tone, 0, 1)[..., None], 3, 2).astype(np.float32)


def silhouette(rgb: Floats, parts: Sequence[Part]) -> Floats:
    """Head and shoulders as dark as in front of a window."""
    h, w = rgb.shape[:2]
    mask = np.zeros((h, w), np.float32)
    for part in parts:
        c = part.cover
        size = 0.62 * c.rx
        cv2.ellipse(mask, (round(c.x), round(c.y)), (round(0.8 * c.rx), round(0.86 * c.ry)), 0, 0, 360, 1.0, -1)
        top, foot = round(c.y + 0.62 * c.ry), h + 1
        body = np.array([[c.x - size, top], [c.x + size, top], [c.x + BODY * size, top + 1.3 * size], [c.x + BODY * size, foot],
                         [c.x - BODY * size, foot], [c.x - BODY * size, top + 1.3 * size]])
        cv2.fillConvexPoly(mask, np.round(body).astype(np.int32), 1.0)
    soft = cv2.GaussianBlur(mask, (0, 0), max(2.0, 0.01 * max(h, w)))[..., None]
    return np.asarray(rgb * (1 - soft) + display(linear(rgb) * DARK) * soft, np.float32)


REFERENCES: Mapping[str, Disguise] = MappingProxyType(
    {"blur": blurred, "mosaic": mosaic, "sketch": sketch, "silhouette": silhouette})
"""Made from the face's own pixels: for comparison only."""


def attacks() -> dict[str, str]:
    """What is known to undo each of the tiles, and what it does not touch; figures are those of the sources named."""
    return {
        "original": "Nothing needs undoing.",
        "double": "The face is another's, but not its motion: face motion alone linked clips of one person with an AUC of .85 "
                  "(arXiv 2305.03713) and .88 (arXiv 2604.23247); `--calm` damps it. Body, gait, clothes and voice are "
                  "untouched.",
        "mannequin": "As for a double: the motion of the face (arXiv 2305.03713), body, gait, clothes and voice remain.",
        "veil": "No pixel under it is left to undo. Body, clothes and gait remain: where the face is hard to see, people are "
                "matched by their bodies about as well as by whole pictures (Rice et al., Psychological Science).",
        "blur": "A network trained on blurred faces names people whom nobody can name by eye: under the blur of a video site "
                "57 % at the first guess and 85 % within five (McPherson, Shokri, Shmatikov, arXiv 1609.00408).",
        "mosaic": "Such networks name 71 % at the first guess where humans reach .19 % (arXiv 1609.00408).",
        "sketch": "Lines keep the shape of the face and all of its motion, and moving landmarks alone are enough for an AUC of "
                  "about .80 (arXiv 2508.00748). Of 15 ways to change faces, 11 were partly reversed (arXiv 2210.10651). The "
                  "makers of Welcome to Chechnya began with rotoscoping, filters and overlays: under the filters, "
                  "acquaintances still knew the people.",
        "silhouette": "Darkness is little light, not none: more gain brings the face back. Outline, gait and gestures are "
                      "shown as they were, and people are matched by them (Rice et al., Psychological Science).",
    }


@dataclass(frozen=True)
class _Layout(Value):
    """Names of the tiles, and px: a tile's size and the sheet's."""

    names: tuple[str, ...]
    tile: tuple[int, int]

    @property
    def columns(self) -> int:
        return min(COLUMNS, len(self.names))

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the sheet, even."""
        rows = -(-len(self.names) // self.columns)
        return self.columns * self.tile[0], rows * (self.tile[1] + BAND)

    def sheet(self, tiles: Mapping[str, Bytes], labels: Mapping[str, Floats]) -> Bytes:
        """The tiles in their places, each under its label."""
        out = np.zeros((self.size[1], self.size[0], 3), np.uint8)
        w, h = self.tile
        for n, name in enumerate(self.names):
            x, y = n % self.columns * w, n // self.columns * (h + BAND)
            out[y : y + BAND, x : x + w] = np.round(labels[name] * 255)
            out[y + BAND : y + BAND + h, x : x + w] = tiles[name]
        return out


def _layout(names: Sequence[str], width: float, height: float) -> _Layout:
    factor = min(1.0, CELL / max(width, height))
    return _Layout(tuple(names), (max(16, round(width * factor) // 2 * 2), max(16, round(height * factor) // 2 * 2)))


def _label(name: str, width: int) -> Floats:
    """(BAND, width, 3) a tile's name, and whether it is a protection at all."""
    open_face = name == "original" or name in REFERENCES
    text = f"{name} · does not protect" if open_face else name
    out = np.full((BAND, width, 3), 0.08, np.float32)
    for words in (text, name):
        ink = letters(words, 0.5 * BAND, 1e9)
        if ink.shape[1] <= width - 8:
            break
    ink = ink[:BAND, : width - 8]
    out[: len(ink), 6 : 6 + ink.shape[1]] += ink[..., None] * ((np.array(WARNING) if open_face else np.ones(3)) - 0.08)
    return out


def _tile(frame: Frame, size: tuple[int, int]) -> Bytes:
    return np.asarray(cv2.resize(picture(frame), size, interpolation=cv2.INTER_AREA), np.uint8)


def _safe(frame: Frame, parts: list[Part], options: Options) -> Frame:
    """What a film with these parts shows; hidden where that fails, as in a film."""
    try:
        return compose(frame, parts, options.draw, options.seed).safe.frame
    except Exception:
        return hide(frame).frame


def _tiles(frame: Frame, casts: Mapping[str, list[Part]], layout: _Layout, options: Options) -> dict[str, Bytes]:
    veiled = casts["veil"]
    made = {name: _tile(_safe(frame, parts, options), layout.tile) for name, parts in casts.items()}
    if frame.corrupt:
        return {name: made["veil"] for name in layout.names}
    plain = picture(frame).astype(np.float32) / 255
    for name in layout.names:
        if name not in made:
            changed = REFERENCES[name](plain, veiled) if name in REFERENCES else plain
            small = cv2.resize(changed, layout.tile, interpolation=cv2.INTER_AREA)
            made[name] = np.clip(small * 255 + 0.5, 0, 255).astype(np.uint8)
    return made


def draw_comparison(double: Analysis, plain: Analysis, doubles: Troupe, destination: Path, original: bool, options: Options,
                    progress: Progress = quiet) -> None:
    """Write the sheet's film: `double` says how `doubles` play (with none there is no such tile), `plain` how mannequins do."""
    info = plain.info
    names = [*(["original"] if original else []), *(["double"] if doubles else []), "mannequin", "veil", *REFERENCES]
    layout = _layout(names, info.width * float(info.sample_aspect or 1), info.height)
    labels = {name: _label(name, layout.tile[0]) for name in names}
    stages = {"mannequin": Wings(plain.roles, tuple(mannequin(n) for n in range(VARIANTS)), options, float(info.rate)),
              "veil": Wings(plain.roles, (), options, float(info.rate))}
    if doubles:
        stages["double"] = Wings(double.roles, doubles, options, float(info.rate))
    width, height = layout.size
    sheet = replace(info, width=width, height=height, sample_aspect=Fraction(1), audio=())
    count = 0
    with Writer(destination, sheet, options.encode, []) as writer:
        for frame in frames(info):
            casts = {name: wings.parts(frame.index) for name, wings in stages.items()}
            tiles = _tiles(frame, casts, layout, options)
            writer.add(unprotected_sheet(frame, layout.sheet(tiles, labels)))
            count += 1
            progress("comparing", count, plain.frames)
        if count != plain.frames:
            raise FacedoubleError(f"the footage changed while it was read: {plain.frames} frames, then {count}; try again")


def compare(source: Path, doubles: Double | Troupe | None, destination: Path, original: bool, options: Options,
            progress: Progress = quiet, models: Path | None = None) -> None:
    """Write a film to `destination` that shows the ways to disguise the faces of `source` side by side, without sound.

    original: whether the footage as it is gets a tile too. The sheet shows the witness either way: it is for the cutting room.
    """
    made = analyse(probe(source), open_eyes(options, models), options, progress)
    cast = troupe(doubles)
    recognise = open_recogniser(models)
    played = rehearse(made, cast, options, recognise, progress) if cast else made
    plain = rehearse(made, tuple(mannequin(n) for n in range(VARIANTS)), options, recognise, progress)
    draw_comparison(played, plain, cast, destination, original, options, progress)
