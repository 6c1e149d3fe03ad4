"""The one door to the encoder: faces out, doubles and veils in. Whatever goes wrong here, no original face is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from facedouble.colour import put_rgb
from facedouble.options import DrawOptions
from facedouble.protect.card import Mark
from facedouble.protect.regions import Region, put_region
from facedouble.protect.treatments import Part, hidden_levels, treated
from facedouble.types import Array, Frame, SafeFrame, take_seal

_SEAL = take_seal()


@dataclass(frozen=True)
class Composed:
    """The frame that may be encoded, the tracks whose face is wholly covered in it, and those of which the face is seen."""

    safe: SafeFrame
    veiled: frozenset[int]
    shown: frozenset[int] = frozenset()


def hide(frame: Frame) -> SafeFrame:
    """The frame with every pixel replaced by a constant."""
    planes = tuple(np.full_like(p, value) for p, value in zip(frame.planes, hidden_levels(frame), strict=True))
    return SafeFrame(_SEAL, _with_planes(frame, planes), True)


def _with_planes(frame: Frame, planes: tuple[Array, ...]) -> Frame:
    return Frame(frame.index, frame.ticks, frame.span, frame.time_base, planes, frame.pixel_format, frame.colour)


def compose(frame: Frame, parts: list[Part], options: DrawOptions, seed: int, regions: Sequence[Region] = (),
            mark: Mark | None = None) -> Composed:
    """Treat all faces, then cover the regions, then put the watermark on."""
    if frame.corrupt:
        return Composed(hide(frame), frozenset())
    canvas = treated(frame, parts, options, seed)
    veiled = frozenset(track for track, strength in canvas.veiled.items() if strength >= 1.0)
    if canvas.hidden:
        return Composed(hide(frame), veiled)
    for region in regions:
        put_region(frame, canvas.planes, region)
    if mark is not None:
        put_rgb(frame, canvas.planes, mark.image, mark.alpha, mark.x, mark.y)
    return Composed(SafeFrame(_SEAL, _with_planes(frame, canvas.planes), False), veiled, frozenset(canvas.shown))
