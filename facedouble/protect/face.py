"""Draw a double into a blanked crop: mesh, mouth, eyes, surroundings, colour, edge, grain, halo.

What comes in of the witness: face codes, the outline (where the blank is, and how far the surroundings move), the crop with the
face already gone, and the hair matte if one is asked for. The steps follow section 3.9 of the prototype's note; everything smooth
(fill, seam, feather, halo) is worked out on cells of a few pixels, and `finish` interpolates it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numba import njit
from scipy.spatial.transform import Rotation

from facedouble.colour import area as reduce
from facedouble.colour import mean_rgb, put_cells
from facedouble.morphable.light import irradiance
from facedouble.morphable.topology import topology, vertex_normals
from facedouble.protect.drive import Performance, place
from facedouble.protect.eyes import draw_eyes
from facedouble.protect.finish import WARP_GRID, finish
from facedouble.protect.hairline import hair_around, strands_on
from facedouble.protect.mouth import SHOWS_TEETH, draw_mouth
from facedouble.protect.texture import blend, shade
from facedouble.raster import (
    blur,
    cover,
    displacement,
    display,
    edge_sigma,
    linear,
    mean3,
    most3,
    push_pull,
    render,
    wide_blur,
)
from facedouble.types import Array, Floats, Frame, Value

MARGIN = 0.45  # of the face size around both outlines
GROW = 3  # px around the mesh are blanked too: chroma of the face reaches that far in 4:2:0...
ASIDE = 0.008  # face sizes: ...and that many of a larger face, whose landmarks are read on a reduced copy of it
CLEAR = 4  # px: the fill does not look at the surroundings nearer than this to the blank
CELLS = 80  # across a face: the grid of everything smooth
WARP_SIGMA = 0.11  # face sizes
DEEP = 9  # cells from its border: so far inside a face nothing depends on what is behind it
SLACK = 0.004  # face sizes: within that, a move inwards counts as none
SEAM_REACH = 0.16  # face sizes over which the neck's colour decays into the face
RING = 0.05  # face sizes: width of the ring outside that the face is matched to
SKIN_UP, SKIN_DOWN, SKIN_CHROMA = 0.9, 0.55, 0.28  # log units around the fitted light in which the ring counts as skin
LEAST_HAIR = 0.02  # share of hair above the forehead from which strands are drawn
LEAST_SKIN = 0.1  # of the ring has to look like skin before the seam follows it wholly
HALO_BLUR, HALO_WIDTH, HALO_LIFT = 0.035, 0.05, 0.06  # face sizes, face sizes, share of light
FEATHER_WIDTH, FEATHER_ALIKE = 0.05, 0.35  # face sizes, log units
UNLIKE, CRISP = 0.3, 4.0  # log units from which a face's rim begins to be narrower; by how much it gets so
REFERENCE_FACE = 200.0  # px: clip codes give the blur at this size
LEAST_BLUR = 0.25  # px
BLUR_SHARE = 0.33  # of the estimate: a smooth-skinned face has soft edges without being out of focus
LEAST_SMEAR = 1.5  # px
SMEAR_SHARE = 0.5  # of the exposure is drawn: with all of it lips and lids were read worse, and one frame passed as the witness
MOST_SMEAR = 0.12  # face sizes: a pose that jumps is no motion to show
LEAST_GRAIN = 0.6  # levels of 255
TILE = 256  # px of the noise tile
SHARE = 60000  # stands for the whole of a cell in 16 bits


@dataclass(frozen=True)
class Area(Value):
    """The crop that is worked on, px of the frame, and the face's size in px."""

    x0: int
    y0: int
    x1: int
    y1: int
    size: float

    @property
    def origin(self) -> Array:
        return np.array([self.x0, self.y0, 0.0])

    @property
    def shape(self) -> tuple[int, int]:
        return self.y1 - self.y0, self.x1 - self.x0

    @property
    def step(self) -> int:
        """Px of a cell."""
        return 2 * max(1, round(self.size / (2 * CELLS)))


@dataclass(frozen=True)
class Drawn(Value):
    """A double's face: linear light (h, w, 3), triangle ids (h, w), -1 outside, alpha of the rings (h, w); place in the crop."""

    light: Floats
    ids: Array
    rim: Floats
    x: int
    y: int


def face_size(mesh: Array) -> float:
    """Ear to ear, or three quarters of brow to chin, whichever is larger; px."""
    wide = np.linalg.norm(mesh[234, :2] - mesh[454, :2])
    return float(max(wide, np.linalg.norm(mesh[10, :2] - mesh[152, :2]) * 0.75))


def area(double_mesh: Array, outline: Array, width: int, height: int) -> Area | None:
    """The crop that holds both outlines with their margin; None if hardly any of it is in the frame."""
    size = face_size(double_mesh)
    both = np.concatenate([double_mesh[:, :2], outline[:, :2]])
    low, high = np.floor(both.min(0) - MARGIN * size), np.ceil(both.max(0) + MARGIN * size)
    x0, y0 = (int(max(v, 0)) // 2 * 2 for v in low)
    x1, y1 = int(min(high[0], width)), int(min(high[1], height))
    if x1 - x0 < 16 or y1 - y0 < 16:
        return None
    return Area(x0, y0, x1, y1, size)


def blank_mask(outline: Array, where: Area) -> Array:
    """(h, w) uint8: the witness' whole mesh, openings included, grown."""
    inside = outline[:, :2] - [where.x0, where.y0]
    mask = cover(inside, topology().triangles, *where.shape)
    grow = max(GROW, round(ASIDE * where.size))
    grown: Array = cv2.dilate(mask, np.ones((2 * grow + 1, 2 * grow + 1), np.uint8))
    return grown


def blank(frame: Frame, planes: tuple[Array, ...], mask: Array, where: Area, matte: Array | None, matte_step: int,
          faces: Array | None = None) -> None:
    """Fill the masked area of a crop of `planes` from outside; what is nearer than CLEAR px to the mask is not looked at.

    matte (h / matte_step, w / matte_step): what stays in front of the face, or None; faces (h, w) uint8: the masks of all the
    faces in the crop, this one's included, none of which is looked at.
    """
    reach = 2 * max(CLEAR, where.step) + 1
    near = cv2.dilate(mask if faces is None else faces, np.ones((reach, reach), np.uint8))
    mean, weight = mean_rgb(frame, planes, where.x0, where.y0, near, where.step)
    fill = push_pull(mean, (weight > 0.9).astype(np.float32))
    put_cells(frame, planes, fill, where.step, mask, matte, matte_step, where.x0, where.y0)


def _matched_blur(stage: Performance) -> float:
    """Sigma at the reference face size that makes the double as soft as the footage; from codes and double alone."""
    if stage.clip.edge_sigma <= 0:
        return 0.0
    found = []
    for t in np.unique(np.linspace(0, len(stage.codes) - 1, 4).astype(int)):
        mesh = place(stage.mesh(t), stage.codes[t], stage.to)
        size = face_size(mesh)
        where = area(mesh, mesh, 1 << 20, 1 << 20) if mesh[:, :2].min() > 0 else None
        if where is None or size > 1500:
            continue
        face = render_face(stage, t, mesh, where)
        inner = cv2.erode(((face.rim > 0.9) & (face.ids >= 0)).astype(np.uint8), np.ones((5, 5))) > 0
        if inner.sum() >= 200:
            found.append(edge_sigma(mean3(display(face.light)) * 255, inner) / size * REFERENCE_FACE)
    if not found:
        return 0.0
    return BLUR_SHARE * float(np.sqrt(max(0.0, stage.clip.edge_sigma**2 - float(np.median(found)) ** 2)))


def blur_of(stage: Performance) -> float:
    """The matched blur, made once per performance."""
    if stage.matched_blur is None:
        stage.matched_blur = _matched_blur(stage)
    return stage.matched_blur


def smear_of(stage: Performance, t: int, size: float) -> Array | None:
    """Kernel (n, n) of a line, as long as the face moves in SMEAR_SHARE of the exposure; None if that is hardly a pixel."""
    if stage.clip.shutter <= 0:
        return None
    path = stage.velocity(t) * (SMEAR_SHARE * stage.clip.shutter)
    length = float(np.hypot(*path))
    if length <= LEAST_SMEAR:
        return None
    path *= min(1.0, MOST_SMEAR * size / length)
    half = int(np.ceil(np.abs(path).max() / 2)) + 1
    kernel = np.zeros((2 * half + 1, 2 * half + 1))
    steps = (np.arange(8 * half) + 0.5) / (8 * half) - 0.5
    at = np.arange(-half, half + 1)
    for x, y in (steps[:, None] * path).tolist():  # each point lies between four pixels
        kernel += np.maximum(1 - np.abs(at - y), 0)[:, None] * np.maximum(1 - np.abs(at - x), 0)
    return np.asarray(kernel / kernel.sum(), np.float32)


def _smeared(image: Floats, kernel: Array) -> Floats:
    out: Floats = cv2.filter2D(image, -1, kernel, borderType=cv2.BORDER_CONSTANT)
    return out


def render_face(stage: Performance, t: int, mesh: Array, where: Area, margin: int = 2) -> Drawn:
    """The double's face in linear light, in the part of the crop that it covers, `margin` px more on each side."""
    code, double = stage.codes[t], stage.double
    low = np.maximum(np.floor(mesh[:, :2].min(0)).astype(int) - margin, [where.x0, where.y0])
    high = np.minimum(np.ceil(mesh[:, :2].max(0)).astype(int) + margin + 1, [where.x1, where.y1])
    w, h = np.maximum(high - low, 1)
    light = irradiance(code.light, vertex_normals(mesh))
    placed = mesh - np.array([*low, 0.0])
    atlas = blend(stage.textures, stage.level, stage.weights(t), stage.lip_gap(t), double.features[:, 0])
    out, ids, rim = shade(placed, light, atlas, stage.level, int(h), int(w))
    if double.quality == "basic" and double.features[:, 0].max() < SHOWS_TEETH:
        draw_mouth(out, ids, placed, stage.mesh(t), light, stage.features(t), double)
    c = code.light[:27].reshape(9, 3)
    side = float(np.clip(-c[1].mean() / max(float(c[0].mean()), 1e-3) * 4, -1, 1))
    turn = Rotation.from_rotvec(code.rotation.astype(np.float64)).as_matrix()
    draw_eyes(out, placed, turn, double.iris.astype(np.float64), stage.gaze(t), light, side)
    return Drawn(out, ids, rim, int(low[0]) - where.x0, int(low[1]) - where.y0)


def _pulled_in(moves: Array, points: Array, slack: float) -> Array:
    """Moves (n, 2) px at the double's rim points (n, 2): what points outwards stays, what points inwards goes, smoothly.

    Where the double is the wider one, it covers what was beside the witness; pushing that aside would bend straight lines.
    """
    outwards = points - points.mean(0)
    outwards /= np.linalg.norm(outwards, axis=1, keepdims=True) + 1e-6
    along = (moves * outwards).sum(1)
    kept = (along + np.sqrt(along**2 + slack**2)) / 2
    pulled: Array = moves * (kept / (np.abs(along) + slack))[:, None]
    return pulled


def surroundings_move(mesh: Array, outline: Array, where: Area, push: bool = False, hole: Floats | None = None) -> Floats:
    """(n, m, 2) px on a grid of WARP_GRID: where the surroundings come from, so that the witness' outline meets the double's.

    push: they give way to a wider double as well. hole: the face's share of each cell, if it hides what is behind it; deep inside
    nothing is moved then, for nobody sees it.
    """
    h, w = where.shape
    rim = topology().ring <= 2
    xs = np.arange(0, w + 2 * WARP_GRID, WARP_GRID, dtype=np.float64)
    ys = np.arange(0, h + 2 * WARP_GRID, WARP_GRID, dtype=np.float64)
    field = np.zeros((len(ys), len(xs), 2))
    to = np.ascontiguousarray(mesh[rim, :2] - where.origin[:2])
    moves = outline[rim, :2] - mesh[rim, :2]
    moves = moves if push else _pulled_in(moves, mesh[rim, :2], SLACK * where.size)
    deep = np.zeros((len(ys), len(xs)), np.uint8) if hole is None else _deep(hole, xs, ys, where.step)
    displacement(xs, ys, to, np.ascontiguousarray(moves), WARP_SIGMA * where.size, deep, field)
    return field.astype(np.float32)


def _deep(hole: Floats, xs: Array, ys: Array, step: int) -> Array:
    """(len(ys), len(xs)) uint8: places so far inside a face that neither a blur nor a grid cell around them reaches out of it."""
    reach = DEEP + -(-WARP_GRID // step)
    around = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    whole = cv2.erode((hole > 0.999).astype(np.uint8), around, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    rows, columns = (np.minimum(at // step, size - 1).astype(int) for at, size in zip((ys, xs), hole.shape, strict=True))
    deep: Array = whole[rows[:, None], columns]
    return deep


@njit(cache=True, nogil=True)
def _cells(face: Array, ids: Array, rim: Array, x: int, y: int, step: int, light: Array, hole: Array, core: Array) -> None:
    """Means over cells: light of the face, shares of the face and of its core (rim > .5)."""
    h, w = ids.shape
    area: Any = np.float32(1.0 / (step * step))  # in single precision, and no division per pixel
    column = (np.arange(w) + x) // step
    for j in range(h):
        cj = (j + y) // step
        for i in range(w):
            if ids[j, i] < 0:
                continue
            ci = np.uintp(column[i])
            hole[cj, ci] += area
            light[cj, ci, 0] += face[j, i, 0] * area
            light[cj, ci, 1] += face[j, i, 1] * area
            light[cj, ci, 2] += face[j, i, 2] * area
            if rim[j, i] > 0.5:
                core[cj, ci] += area


@njit(cache=True, nogil=True, fastmath=True)
def _eased(rim: Array, apart: Array, alpha: Array) -> None:
    """Alpha (h, w) from that of the rings, with a smooth start and end; it rises faster where something unlike the face lies
    behind its rim, apart (h, w) 0 to 1: a wide rise looks like a smudge there."""
    three, two, one, more = np.float32(3), np.float32(2), np.float32(1), np.float32(CRISP - 1)
    for j in range(rim.shape[0]):
        for i in range(rim.shape[1]):
            t = min(rim[j, i] * (one + more * apart[j, i]), one)
            alpha[j, i] = t * t * (three - two * t)


def _warped(image: Floats, grid: Floats, step: int) -> Floats:
    """A picture of cells (sh, sw, C), moved as the surroundings are."""
    sh, sw = image.shape[:2]
    x, y = np.meshgrid((np.arange(sw, dtype=np.float32) + 0.5) * step - 0.5, (np.arange(sh, dtype=np.float32) + 0.5) * step - 0.5)
    move = cv2.remap(grid, x / WARP_GRID, y / WARP_GRID, cv2.INTER_LINEAR)
    out: Floats = cv2.remap(image, (x + move[..., 0] + 0.5) / step - 0.5, (y + move[..., 1] + 0.5) / step - 0.5,
                            cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return out


def _share(mask: Array, grid: Floats, step: int, size: tuple[int, int]) -> Floats:
    """Share of a mask (h, w) uint8 in each cell, moved as the surroundings are; size (sw, sh)."""
    return _warped(reduce(mask.astype(np.uint16) * np.uint16(SHARE), size).astype(np.float32) / np.float32(SHARE), grid, step)


def _expected(stage: Performance, t: int, mesh: Array, where: Area, shape: tuple[int, int]) -> Floats:
    """(sh, sw, 3) the light of mean skin on the face, carried on beyond it."""
    topo = topology()
    small = mesh - where.origin
    small[:, :2] = (small[:, :2] + 0.5) / where.step - 0.5
    ids, lit = render(small, topo.skin, irradiance(stage.codes[t].light, vertex_normals(mesh)), *shape)
    return push_pull(lit, (ids >= 0).astype(np.float32))


def _grown(mask: Array, px: float) -> Array:
    """A mask (uint8) grown by a radius in cells."""
    grown: Array = (cv2.distanceTransform((mask == 0).astype(np.uint8), cv2.DIST_L2, 3) <= px).astype(np.uint8)
    return grown


def draw(stage: Performance, t: int, mesh: Array, outline: Array, where: Area, frame: Frame, planes: tuple[Array, ...],
         mask: Array, matte: Array | None, matte_step: int, halo: float, noise: np.random.Generator,
         worn: Array | None = None, alone: Array | None = None, mark: int = 0) -> None:
    """Draw one face into the blanked `planes` of a frame.

    mesh (468, 3) px, outline (468, 2) px, mask (h, w) uint8 of the crop as blanked, matte as for `blank`; worn (h, w) uint8
    where something lies over the surroundings already, which then say nothing of skin and hair; alone (h, w) uint8 becomes
    `mark` where nothing but the face and its fill was drawn, and 0 where anything else was.
    """
    step, size = where.step, where.size
    h, w = where.shape
    soft = blur_of(stage) * size / REFERENCE_FACE
    line = smear_of(stage, t, size)
    face = render_face(stage, t, mesh, where, margin=round(0.03 * size) + 3 + (0 if line is None else len(line) // 2))
    solid = (face.ids >= 0).astype(np.float32)
    light, share = face.light, solid
    if line is not None:
        light, share = _smeared(light * solid[..., None], line), _smeared(solid, line)
    if soft > LEAST_BLUR:
        light, share = blur(light, soft), blur(share, soft)
    if share is not solid:
        light /= np.maximum(share, 0.05)[..., None]

    sh, sw = (h + step - 1) // step, (w + step - 1) // step
    own, hole, core = np.zeros((sh, sw, 3), np.float32), np.zeros((sh, sw), np.float32), np.zeros((sh, sw), np.float32)
    _cells(light, face.ids, face.rim, face.x, face.y, step, own, hole, core)
    grid = surroundings_move(mesh, outline, where, hole=hole if matte is None else None)
    around = np.clip(mean_rgb(frame, planes, where.x0, where.y0, np.zeros((h, w), np.uint8), step)[0], 0, 1)
    around = linear(_warped(around, grid, step))
    gone = _share(mask, grid, step, (sw, sh))
    expected = _expected(stage, t, mesh, where, (sh, sw))
    depth = _depth(hole)
    ring = _ring(hole, gone, size / step)
    if worn is not None:
        ring *= 1 - np.clip(8 * _share(worn, grid, step, (sw, sh)), 0, 1)
    apart = np.log(np.maximum(around, 1e-3)) - np.log(np.maximum(expected, 1e-3))
    fill, correction = _seam(around, apart, own, hole, depth, ring, size / step)
    hair, hairy = hair_around(around, -mean3(apart), ring, mesh - where.origin, step)
    fill += (hair - fill) * hairy[..., None]

    under = np.clip(np.maximum(2 * hole - 1, gone * 1.3), 0, 1)
    feather = _feather(under, fill, around, size / step)
    full = np.maximum(under, feather)[..., None]
    base = around + (fill - around) * full
    base += (own / np.maximum(hole, 1e-4)[..., None] * correction - base) * core[..., None]
    a = np.empty_like(face.rim)
    _eased(face.rim, _part(_apart(fill, own, hole, correction), face, 0, len(a), step), a)
    rim_weight = np.exp(-((depth / (HALO_WIDTH * size / step)) ** 2))
    glow = blur(base, HALO_BLUR * size / step) * (1 + HALO_LIFT)
    smooth = np.concatenate([fill, correction, feather[..., None], rim_weight[..., None], glow], -1).astype(np.float32)
    busy = (hole > 0) | (gone > 0) | (feather > 0) | (halo * rim_weight > 1 / 1024)
    busy = _grown(busy.astype(np.uint8), 2.5)

    if hairy.max() > LEAST_HAIR:
        row, over = strands_on(mesh - where.origin - [face.x, face.y, 0], face.ids)
        a[row : row + len(over)] *= 1 - over * _part(hairy, face, row, len(over), step)
    a = wide_blur(a, max(0.7, 0.006 * size))
    edge = wide_blur(solid, max(0.8, 0.008 * size))
    if line is not None:  # the fill that lies under the edge gives no way
        a, edge = _smeared(a, line), np.maximum(edge, _smeared(edge, line))
    shift_x, shift_y = frame.chroma_shift
    source = (planes[0][where.y0 : where.y1, where.x0 : where.x1].copy(),
              *(p[where.y0 >> shift_y : ((where.y1 - 1) >> shift_y) + 1,
                  where.x0 >> shift_x : ((where.x1 - 1) >> shift_x) + 1].copy() for p in planes[1:]))
    grain = np.zeros((0, 0), np.float32)
    if stage.clip.grain_sigma > LEAST_GRAIN:
        grain = noise.standard_normal((TILE, TILE), np.float32) * np.float32(stage.clip.grain_sigma / 255)
    finish(frame, source, planes, where.x0, where.y0, grid, light, face.ids, a, edge, (face.x, face.y),
           cv2.GaussianBlur(mask * np.uint8(255), (0, 0), 0.7), matte, matte_step, smooth, busy, step, halo, grain, alone, mark)


def _apart(fill: Floats, own: Floats, hole: Floats, correction: Floats) -> Floats:
    """How unlike what lies behind the rim of a face is to its skin, 0 to 1, in cells (sh, sw): hair is, a forehead is not."""
    seen = hole > 0.05
    skin = own / np.maximum(hole, 1e-4)[..., None] * correction
    apart = most3(np.abs(np.log(np.maximum(fill, 1e-3)) - np.log(np.maximum(skin, 1e-3))))
    weight = seen.astype(np.float32)
    near: Floats = blur(apart * weight, 1.0) / np.maximum(blur(weight, 1.0), 1e-3)
    return np.clip((near - UNLIKE) / UNLIKE, 0, 1)


def _depth(share: Floats) -> Floats:
    """Cells from the border of a shape, positive inside, from its share of each cell; smooth, so that it does not jump."""
    inside = (share >= 0.5).astype(np.uint8)
    far = cv2.distanceTransform(inside, cv2.DIST_L2, 5) - cv2.distanceTransform(1 - inside, cv2.DIST_L2, 5)
    far -= np.where(inside > 0, 0.5, -0.5).astype(np.float32)
    near = np.abs(far) < 1
    return blur(np.where(near, np.clip(share - 0.5, -0.5, 0.5), far), 0.8)


def _ring(hole: Floats, gone: Floats, cells: float) -> Floats:
    """(sh, sw) weight of the cells right outside of what the double covers and of what the witness left."""
    rim = _depth(np.maximum(hole, np.clip(8 * gone, 0, 1)))
    ring: Floats = np.clip(-rim, 0, 1) * np.clip(max(RING * cells, 3.0) + 0.5 + rim, 0, 1)
    return ring


def _part(cells: Floats, face: Drawn, row: int, rows: int, step: int) -> Floats:
    """(rows, w) a picture of cells, at the pixels of a drawn face from a row on."""
    at = np.array([[1, 0, face.x + 0.5 - 0.5 * step], [0, 1, face.y + row + 0.5 - 0.5 * step]]) / step
    out: Floats = cv2.warpAffine(cells, at, (face.ids.shape[1], rows), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                                 borderMode=cv2.BORDER_REPLICATE)
    return out


def _seam(around: Floats, apart: Floats, own: Floats, hole: Floats, depth: Floats, ring: Floats,
          cells: float) -> tuple[Floats, Floats]:
    """Fill under the mask (sh, sw, 3) and the factors (sh, sw, 3) that join face and neck; `cells` across the face.

    The double's own low-pass colour, corrected by the skin-like part of a ring outside. Skin is what looks like the fitted
    light of the scene on skin; hair and background do not. apart (sh, sw, 3): log of the surroundings over that light.
    """
    face = blur(own, 3) / np.maximum(blur(hole, 3), 1e-3)[..., None]
    low = push_pull(face, (hole > 0.5).astype(np.float32))
    level = mean3(apart)
    chroma = apart - level[..., None]
    skin = np.exp(-((level / np.where(level > 0, SKIN_UP, SKIN_DOWN)) ** 2) - 3 * mean3(chroma**2) / SKIN_CHROMA**2) * ring
    skin *= np.clip(skin.sum() / max(LEAST_SKIN * float(ring.sum()), 1e-3), 0, 1)  # a few cells do not colour a whole face
    trust = (skin + 0.01 * ring).astype(np.float32)
    ratio = np.log(np.maximum(around, 1e-3)) - np.log(np.maximum(low, 1e-3))
    correction = np.clip(ratio, -0.7, 0.7) * (skin / np.maximum(trust, 1e-4))[..., None]
    correction = blur(push_pull(correction.astype(np.float32), trust), 3)
    fill = blur(low * np.exp(correction), 1.5)
    factors: Floats = np.exp(correction * np.exp(-np.maximum(depth, 0) / (SEAM_REACH * cells))[..., None]).astype(np.float32)
    return fill, factors


def _feather(under: Floats, fill: Floats, around: Floats, cells: float) -> Floats:
    """How far the fill runs out over skin beyond the mask, so that a forehead shows no arc; hair is left alone."""
    outside = np.maximum(-_depth(under), 0)
    apart = np.log(np.maximum(blur(around, 0.02 * cells), 1e-3)) - np.log(np.maximum(fill, 1e-3))
    alike = np.exp(-((most3(np.abs(apart)) / FEATHER_ALIKE) ** 2))
    weight = np.exp(-((outside / (FEATHER_WIDTH * cells)) ** 2)) * alike
    kept: Floats = np.where(weight < 1 / 255, 0, weight).astype(np.float32)
    return kept


