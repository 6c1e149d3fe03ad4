"""What somebody's face gets: one callable for each treatment, in one dict. What is not in it, or not sure, gets the veil.

A treatment works in rounds, and every face of a frame is through with one round before any enters the next: cover what gets no
double, remove the faces that get one, draw, cover again. So an error leaves a hole and not a face, and what is drawn beside a
face can pick nothing of it up. The cover of what never gets a double lies under the doubles of others: most such finds are no
faces, and a double holds nothing of what is behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import cv2
import numpy as np

from facedouble.colour import mean_rgb, put_rgb
from facedouble.morphable.cells import InFront
from facedouble.options import DrawOptions
from facedouble.protect.dissolve import mixed
from facedouble.protect.drive import Performance, place
from facedouble.protect.face import Area, area, blank, blank_mask, draw
from facedouble.protect.headwear import HEADWEAR, Worn
from facedouble.protect.occlusion import front_matte, hair_matte, matte_step
from facedouble.protect.veil import Ellipse, solid_patch, veil_patch
from facedouble.types import Array, Box, FaceCode, Floats, Frame

HIDDEN_LUMA = 0.22  # of full scale
CORE, CORE_COVERED = 0.6, 0.93  # of the face box' axes; share of it that a double's blank has to cover
ROUNDS = 4
HEM = 0.03  # of a cover's half width: how softly it ends at the double of somebody else
CHROMA = 2  # px: so near to what somebody else drew, colours are shared
MORPHED = 0.6  # of a reveal: until then the double's shape has become the witness'
DISSOLVES = 0.4  # of a reveal: from then on the witness' pixels come in; half through nobody is known yet (bench/film.py)


@dataclass(frozen=True)
class Part:
    """One face in one frame, and what it gets.

    box: where detectors and tracks say the face is; cover: its head's veil; weight: of a double, from 1 (all double) to 0 (all
    veil); stage, step, outline (468, 2) px: the double; front: where something is in front of the face, which then stays if the
    options say so.

    treatment: a name in `TREATMENTS`; sure: nobody doubts whose face this is, without which no face is shown; shown: how far a
    reveal is, 0 to 1, and before: the treatment that it begins with; solid: what "hide" covers, "ellipse", "box" or "frame";
    halo: in place of the options'; hair: a name in `HEADWEAR`, or "keep"; morph: how far the double has the witness' shape
    already, 0 to 1, set by a reveal; under: no double of this face is drawn in any frame, so that its veil may lie under those of
    others, always.
    """

    track: int
    box: Box
    cover: Ellipse
    weight: float = 0.0
    stage: Performance | None = None
    step: int = 0
    outline: Array | None = None
    front: InFront | None = None
    treatment: str = "veil"
    sure: bool = False
    shown: float = 0.0
    before: str = "double"
    solid: str = "ellipse"
    halo: float | None = None
    hair: str = "keep"
    morph: float = 0.0
    under: bool = False


class Canvas:
    """Writable copies of a frame's planes, and what came of each track: strength of its veil, and whether it is shown."""

    def __init__(self, frame: Frame, options: DrawOptions, seed: int) -> None:
        self.planes = tuple(p.copy() for p in frame.planes)
        self.frame, self.options, self.seed = frame, options, seed
        self.faces = np.zeros(self.planes[0].shape, np.uint8)  # 1 where a face is to be removed for a double
        self.alone = np.zeros(self.planes[0].shape, np.uint8)  # where a double is all there is: its weight, of 255
        self.veiled: dict[int, float] = {}
        self.shown: set[int] = set()
        self.hidden = False

    def put(self, image: Floats, alpha: Floats, x: int, y: int) -> None:
        """Lay display RGB (h, w, 3) with alpha (h, w) over what is there."""
        put_rgb(self.frame, self.planes, image, alpha, x, y)

    def veil(self, part: Part, strength: float) -> None:
        """Lay the cover of a part's head over what is there, and of its long hair, if that is to be veiled."""
        patch = veil_patch(part.cover, self.frame.width, self.frame.height, part.hair == "veil")
        if patch is not None:
            (x0, y0), cloth, edge = patch
            alpha = edge * strength
            if part.under:
                alpha *= 1 - self._before(x0, y0, (edge.shape[0], edge.shape[1]), HEM * part.cover.rx)
            self.put(cloth, alpha.astype(np.float32), x0, y0)

    def _before(self, x0: int, y0: int, shape: tuple[int, int], soft: float) -> Floats:
        """(h, w) how far doubles lie before a cover, 0 to 1: only where they are all there is, and from there in softly."""
        alone = self.alone[y0 : y0 + shape[0], x0 : x0 + shape[1]]
        inside = cv2.distanceTransform((alone > 0).astype(np.uint8), cv2.DIST_L2, 3) if alone.any() else np.float32(0)
        before: Floats = np.clip((inside - CHROMA) / max(soft, 1.0), 0, 1) * (alone / np.float32(255))
        return before

    def solid(self, cover: Ellipse, shape: str) -> None:
        """Lay a constant colour over a head, or over the whole frame for a shape that is neither "ellipse" nor "box"."""
        if shape not in ("ellipse", "box"):
            self.hidden = True
            for plane, value in zip(self.planes, hidden_levels(self.frame), strict=True):
                plane[:] = value
            return
        patch = solid_patch(cover, shape, self.frame.width, self.frame.height)
        if patch is not None:
            (x0, y0), colour, edge = patch
            self.put(colour, edge, x0, y0)


def hidden_levels(frame: Frame) -> tuple[int, int, int]:
    """What the samples of a hidden frame are."""
    middle = 1 << (frame.depth - 1)
    return round(HIDDEN_LUMA * ((1 << frame.depth) - 1)), middle, middle


Steps = Iterator[None]
Treatment = Callable[[Part, Canvas], Steps]
"""Works on the canvas up to the next yield in each round; yields once after each but the last."""


def veil(part: Part, canvas: Canvas) -> Steps:
    """The soft opaque cover of the whole head."""
    canvas.veiled[part.track] = 1.0
    canvas.veil(part, 1.0)  # and again at the end: what is drawn beside it may not pick it up
    yield
    yield
    yield
    canvas.veil(part, 1.0)


def hide(part: Part, canvas: Canvas) -> Steps:
    """One constant colour over the head, or over the whole frame."""
    canvas.veiled[part.track] = 1.0
    _solid(part, canvas)
    yield
    yield
    yield
    _solid(part, canvas)


def _solid(part: Part, canvas: Canvas) -> None:
    if part.hair == "veil":
        canvas.veil(part, 1.0)
    canvas.solid(part.cover, part.solid)


def bare(part: Part, canvas: Canvas) -> Steps:
    """Nothing, where nobody doubts whose face this is; else the veil. Covers of others that reach over it stay where they are."""
    if not part.sure:
        yield from veil(part, canvas)
    else:
        canvas.shown.add(part.track)


@dataclass(frozen=True)
class _Job:
    """A double that can be drawn: its mesh (468, 3) px, the crop, the blank (h, w) uint8, what is worn, the veil's strength."""

    stage: Performance
    outline: Array
    code: FaceCode
    mesh: Array
    where: Area
    mask: Array
    worn: Worn | None
    strength: float


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


def _job(part: Part, frame: Frame) -> _Job | None:
    """What is to be drawn; None where no double can be, so that the veil is left."""
    if part.weight <= 0 or part.stage is None or part.outline is None:
        return None
    code = part.stage.codes[part.step]
    mesh = place(part.stage.mesh(part.step), code, part.stage.to)
    if part.morph > 0:
        mesh[:, :2] += part.morph * (part.outline[:, :2] - mesh[:, :2])
    where = area(mesh, part.outline, frame.width, frame.height)
    if where is None:  # leaving the picture
        return None
    mask = blank_mask(part.outline, where)
    strength = 1.0 - part.weight
    if _core_covered(mask, where.x0, where.y0, part.box) < CORE_COVERED:
        strength = 1.0
    wear = HEADWEAR.get(part.hair, HEADWEAR["veil"])
    worn = None if part.hair == "keep" else wear(part.stage, mesh, code, part.cover, frame.width, frame.height)
    return _Job(part.stage, part.outline, code, mesh, where, mask, worn, strength)


def what_stays(frame: Frame, planes: tuple[Array, ...], part: Part, mesh: Array, where: Area, light: Array,
               options: DrawOptions) -> Array | None:
    """What stays in front of a face, alpha on cells of `matte_step` px of the crop; None: nothing."""
    front = part.front if options.things else None
    strands = options.strands and part.hair == "keep"
    if part.outline is None or not (strands or front is not None):
        return None
    step = matte_step(where.size)
    flat = np.concatenate([part.outline, mesh[:, 2:3]], 1).astype(np.float64) - where.origin
    seen, _ = mean_rgb(frame, planes, where.x0, where.y0, np.zeros(where.shape, np.uint8), step)
    made = [hair_matte(seen, flat, light, step)] if strands else []
    if front is not None:
        made.append(front_matte(seen, flat, front, step))
    return np.asarray(np.max(made, axis=0))


def double(part: Part, canvas: Canvas) -> Steps:
    """A volunteer's face, or the mannequin's, played by the witness; where it is not to be trusted, or not at all, the veil."""
    job = _job(part, canvas.frame)
    if job is None:
        yield from veil(part, canvas)
        return
    frame, options, where = canvas.frame, canvas.options, job.where
    if job.strength > 0:
        canvas.veiled[part.track] = job.strength
    if job.strength >= 1:
        canvas.veil(part, 1.0)
    if job.worn is not None:
        canvas.put(job.worn.image, job.worn.whole, job.worn.x, job.worn.y)
    faces = canvas.faces[where.y0 : where.y1, where.x0 : where.x1]
    faces |= job.mask
    yield
    matte, step = what_stays(frame, canvas.planes, part, job.mesh, where, job.code.light, options), matte_step(where.size)
    blank(frame, canvas.planes, job.mask, where, matte, step, faces)
    yield
    noise = np.random.default_rng([canvas.seed, part.track, frame.index])
    halo = options.halo if part.halo is None else part.halo
    draw(job.stage, part.step, job.mesh, job.outline, where, frame, canvas.planes, job.mask, matte, step, halo, noise,
         None if job.worn is None else job.worn.under(where.x0, where.y0, where.shape),
         canvas.alone[where.y0 : where.y1, where.x0 : where.x1], round(255 * (1 - job.strength)))
    yield
    if job.worn is not None:
        canvas.put(job.worn.image, job.worn.open, job.worn.x, job.worn.y)
    if job.strength > 0:
        canvas.veil(part, job.strength)


def reveal(part: Part, canvas: Canvas) -> Steps:
    """What was there before, up to the end, then the face; between the two `treated` mixes what `ends` says."""
    if part.shown >= 1:
        return bare(part, canvas)
    return MASKS.get(part.before, veil)(part, canvas)


MASKS: Mapping[str, Treatment] = MappingProxyType({"double": double, "mannequin": double, "veil": veil, "hide": hide})
"""Those that let nothing of a face pass."""

TREATMENTS: Mapping[str, Treatment] = MappingProxyType({**MASKS, "show": bare, "reveal": reveal, "ignore": bare})
"""By the names that a plan uses. "ignore" is for what somebody looked at and found to be no face."""


def _smooth(t: float) -> float:
    t = min(max(t, 0.0), 1.0)
    return t * t * (3 - 2 * t)


def ends(part: Part) -> tuple[Part, Part, float] | None:
    """The two pictures that a reveal lies between, and the share of the second; None if one will do.

    The double takes on the witness' shape while it begins to dissolve, so that no second outline appears.
    """
    if part.treatment != "reveal" or not 0 < part.shown < 1:
        return None
    masked = replace(part, shown=0.0, morph=_smooth(part.shown / MORPHED))
    return masked, replace(part, shown=1.0), _smooth((part.shown - DISSOLVES) / (1 - DISSOLVES))


def treated(frame: Frame, parts: list[Part], options: DrawOptions, seed: int) -> Canvas:
    """The frame with all its faces treated.

    A reveal is a mix of two frames, each of which could be shown as it is: so nobody else's face can come out with it.
    """
    for k, part in enumerate(parts):
        found = ends(part)
        if found is not None:
            first, second, share = found
            masked = treated(frame, [*parts[:k], first, *parts[k + 1 :]], options, seed)
            if share <= 0:
                return masked
            seen = treated(frame, [*parts[:k], second, *parts[k + 1 :]], options, seed)
            masked.planes = mixed(frame, masked.planes, seen.planes, share)
            masked.hidden = seen.hidden  # else a hidden frame dissolves
            masked.veiled = {t: s if t in seen.veiled else s * (1 - share) for t, s in masked.veiled.items()}
            masked.shown |= seen.shown
            return masked
    canvas = Canvas(frame, options, seed)
    running = [TREATMENTS.get(part.treatment, veil)(part, canvas) for part in parts]
    for _ in range(ROUNDS):
        for steps in running:
            next(steps, None)
    if canvas.hidden:  # whatever was drawn beside it
        canvas.solid(Ellipse(0, 0, 1, 1), "frame")
        canvas.shown.clear()
    return canvas
