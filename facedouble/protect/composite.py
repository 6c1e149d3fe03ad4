"""The one door to the encoder: faces out, doubles and veils in. Whatever goes wrong here, no original face is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from facedouble.colour import put_rgb
from facedouble.options import DrawOptions
from facedouble.protect.card import Card, Mark, card_picture
from facedouble.protect.regions import Region, put_region
from facedouble.protect.treatments import Part, hidden_levels, treated
from facedouble.types import Array, Bytes, Floats, Frame, SafeFrame, take_seal

_SEAL = take_seal()


@dataclass(frozen=True)
class Composed:
    """The frame that may be encoded, the tracks whose face is wholly covered in it, and those of which the face is seen.

    asked: the whole frame is solid because somebody's treatment says so.
    """

    safe: SafeFrame
    veiled: frozenset[int]
    shown: frozenset[int] = frozenset()
    asked: bool = False


def hide(frame: Frame) -> SafeFrame:
    """The frame with every pixel replaced by a constant."""
    planes = tuple(np.full_like(p, value) for p, value in zip(frame.planes, hidden_levels(frame), strict=True))
    return SafeFrame(_SEAL, _with_planes(frame, planes), True)


def _with_planes(frame: Frame, planes: tuple[Array, ...]) -> Frame:
    return Frame(frame.index, frame.ticks, frame.span, frame.time_base, planes, frame.pixel_format, frame.colour)


def titled(frame: Frame, card: Card, light: float = 1.0) -> SafeFrame:
    """The frame with nothing left of it but the words of a card; light: how far it is faded in, 0 to 1."""
    return SafeFrame(_SEAL, _painted(frame, card_picture(card, frame.width, frame.height) * np.float32(light)), False)


def reissued(frame: Frame, *marks: Mark) -> SafeFrame:
    """A frame of a film that went through `compose` before, was audited, and is in a project's registry, with marks on it.

    Nothing here can tell whether that is so: for `pipeline.pack` alone, which asks the registry, and a test says so.
    """
    if frame.corrupt:
        return hide(frame)
    planes = tuple(p.copy() for p in frame.planes)
    for mark in marks:
        put_rgb(frame, planes, mark.image, mark.alpha, mark.x, mark.y)
    return SafeFrame(_SEAL, _with_planes(frame, planes), False)


def unprotected_sheet(frame: Frame, rgb: Bytes) -> SafeFrame:
    """A picture (h, w, 3) in place of a frame, which may be anything: for `pipeline.compare` alone, and a test says so."""
    return SafeFrame(_SEAL, _painted(frame, rgb.astype(np.float32) / 255), False)


def _painted(frame: Frame, rgb: Floats) -> Frame:
    """A frame of the same time and colour, of the picture's size."""
    h, w = rgb.shape[:2]
    sx, sy = frame.chroma_shift
    size = (h, w), (-(-h // (1 + sy)), -(-w // (1 + sx)))
    planes = tuple(np.zeros(size[min(k, 1)], p.dtype) for k, p in enumerate(frame.planes))
    made = _with_planes(frame, planes)
    put_rgb(made, planes, rgb, np.ones((h, w), np.float32), 0, 0)
    return _with_planes(frame, planes)


def compose(frame: Frame, parts: list[Part], options: DrawOptions, seed: int, regions: Sequence[Region] = (),
            mark: Mark | None = None) -> Composed:
    """Treat all faces, then cover the regions, then put the watermark on."""
    if frame.corrupt:
        return Composed(hide(frame), frozenset())
    canvas = treated(frame, parts, options, seed)
    veiled = frozenset(track for track, strength in canvas.veiled.items() if strength >= 1.0)
    if canvas.hidden:
        return Composed(hide(frame), frozenset(part.track for part in parts), asked=True)
    for region in regions:
        put_region(frame, canvas.planes, region)
    if mark is not None:
        put_rgb(frame, canvas.planes, mark.image, mark.alpha, mark.x, mark.y)
    return Composed(SafeFrame(_SEAL, _with_planes(frame, canvas.planes), False), veiled, frozenset(canvas.shown))
