"""The one door to the encoder: faces out, doubles and veils in. Whatever goes wrong here, no original face is left."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from facedouble.colour import mean_rgb, put_rgb
from facedouble.morphable.cells import InFront
from facedouble.options import DrawOptions
from facedouble.protect.drive import Performance, place
from facedouble.protect.face import Area, area, blank, blank_mask, draw
from facedouble.protect.occlusion import front_matte, hair_matte, matte_step
from facedouble.protect.veil import Ellipse, veil_patch
from facedouble.types import Array, Box, Frame, SafeFrame, take_seal

_SEAL = take_seal()
HIDDEN_LUMA = 0.22  # of full scale
CORE, CORE_COVERED = 0.6, 0.93  # of the face box' axes; share of it that a double's blank has to cover


@dataclass(frozen=True)
class Part:
    """One face in one frame, and what it gets: the double where weight is 1, the veil where it is 0, between a cross-fade.

    box: where detectors and tracks say the face is; cover: its head's veil; stage, step, outline (468, 2) px: the double;
    front: where something is in front of the face, which then stays if the options say so.
    """

    track: int
    box: Box
    cover: Ellipse
    weight: float = 0.0
    stage: Performance | None = None
    step: int = 0
    outline: Array | None = None
    front: InFront | None = None


@dataclass(frozen=True)
class Composed:
    """The frame that may be encoded, and the tracks whose face is wholly under the veil in it."""

    safe: SafeFrame
    veiled: frozenset[int]


def hide(frame: Frame) -> SafeFrame:
    """The frame with every pixel replaced by a constant."""
    top = (1 << frame.depth) - 1
    planes = (np.full_like(frame.planes[0], round(HIDDEN_LUMA * top)),
              *(np.full_like(p, 1 << (frame.depth - 1)) for p in frame.planes[1:]))
    return SafeFrame(_SEAL, _with_planes(frame, planes), True)


def _with_planes(frame: Frame, planes: tuple[Array, ...]) -> Frame:
    return Frame(frame.index, frame.ticks, frame.span, frame.time_base, planes, frame.pixel_format, frame.colour)


class _Canvas:
    """Writable copies of a frame's planes."""

    def __init__(self, frame: Frame) -> None:
        self.planes = tuple(p.copy() for p in frame.planes)
        self.frame = frame

    def veil(self, cover: Ellipse, strength: float) -> None:
        """Lay a head's cover over what is there."""
        patch = veil_patch(cover, self.frame.width, self.frame.height)
        if patch is not None:
            (x0, y0), cloth, edge = patch
            put_rgb(self.frame, self.planes, cloth, (edge * strength).astype(np.float32), x0, y0)


def _core_covered(mask: Array, x0: int, y0: int, box: Box) -> float:
    """Share of the core of a face box that a mask (at x0, y0) covers; parts outside of the crop count as bare."""
    h, w = mask.shape
    cx, cy = box.centre
    core = np.zeros((h, w), np.uint8)
    axes = (max(1, round(box.width * CORE / 2)), max(1, round(box.height * CORE / 2)))
    cv2.ellipse(core, (round(cx) - x0, round(cy) - y0), axes, 0, 0, 360, 1, -1)
    whole = np.pi * axes[0] * axes[1]
    inside = int(core.sum())
    if inside < 0.4 * whole:  # the face hangs far over the crop's edge: not something to draw on
        return 0.0
    return float((mask[core > 0] > 0).mean())


def what_stays(frame: Frame, planes: tuple[Array, ...], part: Part, mesh: Array, where: Area, light: Array,
               options: DrawOptions) -> Array | None:
    """What stays in front of a face, alpha on cells of `matte_step` px of the crop; None: nothing."""
    front = part.front if options.things else None
    if part.outline is None or not (options.strands or front is not None):
        return None
    step = matte_step(where.size)
    flat = np.concatenate([part.outline, mesh[:, 2:3]], 1).astype(np.float64) - where.origin
    seen, _ = mean_rgb(frame, planes, where.x0, where.y0, np.zeros(where.shape, np.uint8), step)
    made = [hair_matte(seen, flat, light, step)] if options.strands else []
    if front is not None:
        made.append(front_matte(seen, flat, front, step))
    return np.asarray(np.max(made, axis=0))


def compose(frame: Frame, parts: list[Part], options: DrawOptions, seed: int) -> Composed:
    """Blank all faces that get a double, draw the doubles, then the veils on top."""
    if frame.corrupt:
        return Composed(hide(frame), frozenset())
    canvas = _Canvas(frame)
    jobs = []
    veiled: dict[int, float] = {}
    for part in parts:
        strength = 1.0 - part.weight
        if part.weight > 0 and part.stage is not None and part.outline is not None:
            code = part.stage.codes[part.step]
            mesh = place(part.stage.mesh(part.step), code, part.stage.to)
            where = area(mesh, part.outline, frame.width, frame.height)
            if where is None:  # leaving the picture
                veiled[part.track] = 1.0
                continue
            mask = blank_mask(part.outline, where)
            if _core_covered(mask, where.x0, where.y0, part.box) < CORE_COVERED:
                strength = 1.0
            jobs.append((part, mesh, where, mask, code))
        else:
            strength = 1.0
        if strength > 0:
            veiled[part.track] = strength
    for part in parts:
        if veiled.get(part.track, 0.0) >= 1:  # and again at the end: what is drawn beside it may not pick it up
            canvas.veil(part.cover, 1.0)
    ready = []
    for part, mesh, where, mask, code in jobs:  # blackout first: all faces, before anything is drawn
        assert part.outline is not None
        matte, step = what_stays(frame, canvas.planes, part, mesh, where, code.light, options), matte_step(where.size)
        blank(frame, canvas.planes, mask, where, matte, step)
        ready.append((part, mesh, where, mask, matte, step))
    for part, mesh, where, mask, matte, step in ready:
        assert part.stage is not None and part.outline is not None
        noise = np.random.default_rng([seed, part.track, frame.index])
        draw(part.stage, part.step, mesh, part.outline, where, frame, canvas.planes, mask, matte, step, options.halo, noise)
    for part in parts:
        if part.track in veiled:
            canvas.veil(part.cover, veiled[part.track])
    safe = SafeFrame(_SEAL, _with_planes(frame, canvas.planes), False)
    return Composed(safe, frozenset(track for track, strength in veiled.items() if strength >= 1.0))
