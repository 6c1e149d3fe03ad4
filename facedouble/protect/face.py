"""Draw a double into a blanked crop: mesh, mouth, eyes, surroundings, colour, edge, grain, halo.

What comes in of the witness: face codes, the outline (where the blank is, and how far the surroundings move), the crop with the
face already gone, and, unless strict, the hair matte. The steps follow section 3.9 of the prototype's note.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from facedouble.morphable.light import irradiance
from facedouble.morphable.topology import topology, vertex_normals
from facedouble.protect.drive import Performance, place
from facedouble.protect.eyes import draw_eyes
from facedouble.protect.mouth import draw_mouth
from facedouble.protect.texture import ALPHA, attributes, mouth_rows, shade
from facedouble.raster import (
    blur,
    cover,
    displacement,
    display,
    edge_sigma,
    enlarge,
    linear,
    push_pull,
    render,
    shrink,
)
from facedouble.types import Array, Bools, Floats, Value

MARGIN = 0.45  # of the face size around both outlines
GROW = 3  # px around the mesh are blanked too: chroma of the face reaches that far in 4:2:0
FILL_STEP = 4  # px: the fill looks at the surroundings at this resolution, and not nearer than this
WARP_SIGMA, WARP_GRID = 0.11, 8  # face sizes, px
SEAM_REACH = 0.16  # face sizes over which the neck's colour decays into the face
HALO_BLUR, HALO_WIDTH, HALO_LIFT = 0.035, 0.05, 0.06  # face sizes, face sizes, share of light
FEATHER_WIDTH, FEATHER_ALIKE = 0.05, 0.35  # face sizes, log units
STILL = 0.05  # px of displacement that count as none
REFERENCE_FACE = 200.0  # px: clip codes give the blur at this size
LEAST_BLUR = 0.45  # px
BLUR_SHARE = 0.5  # of the estimate: a smooth-skinned face has soft edges without being out of focus


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
    mask = cover(inside, topology().triangles, where.y1 - where.y0, where.x1 - where.x0)
    grown: Array = cv2.dilate(mask, np.ones((2 * GROW + 1, 2 * GROW + 1), np.uint8))
    return grown


def blank(crop: Floats, mask: Array) -> Floats:
    """The crop with the masked area filled from outside; pixels nearer than FILL_STEP to the mask are not looked at."""
    h, w = mask.shape
    size = (max(8, w // FILL_STEP), max(8, h // FILL_STEP))
    reach = 2 * FILL_STEP + 1
    seen = 1 - cv2.dilate(mask, np.ones((reach, reach), np.uint8))
    weight = shrink(seen.astype(np.float32), size)
    small = shrink(crop * seen[..., None], size) / np.maximum(weight, 1e-3)[..., None]
    trusted = (weight > 0.9).astype(np.float32)
    fill = enlarge(push_pull(small, trusted), (w, h))
    out: Floats = np.where(mask[..., None] > 0, fill, crop)
    return out


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
        out, ids, at, _ = render_face(stage, t, mesh, where)
        inner = cv2.erode(((at[..., ALPHA] > 0.9) & (ids >= 0)).astype(np.uint8), np.ones((5, 5))) > 0
        if inner.sum() >= 200:
            found.append(edge_sigma(display(out).mean(-1) * 255, inner) / size * REFERENCE_FACE)
    if not found:
        return 0.0
    return BLUR_SHARE * float(np.sqrt(max(0.0, stage.clip.edge_sigma**2 - float(np.median(found)) ** 2)))


def blur_of(stage: Performance) -> float:
    """The matched blur, made once per performance."""
    if stage.matched_blur is None:
        stage.matched_blur = _matched_blur(stage)
    return stage.matched_blur


def render_face(stage: Performance, t: int, mesh: Array, where: Area) -> tuple[Floats, Array, Floats, Array]:
    """The double's face in linear light, triangle ids, attributes, and the light at the vertices."""
    topo, code, double = topology(), stage.codes[t], stage.double
    light = irradiance(code.light, vertex_normals(mesh))
    canonical = stage.mesh(t)
    h, w = where.y1 - where.y0, where.x1 - where.x0
    placed = mesh - where.origin
    ids, at = render(placed, topo.triangles, attributes(light, canonical), h, w)
    out = np.zeros((h, w, 3), np.float32)
    upper, lower = mouth_rows()
    shade(ids, at, stage.textures, stage.weights(t).astype(np.float32), stage.lip_gap(t),
          double.features[:, 0].astype(np.float64), upper, lower, len(topo.skin), len(topo.mouth), out)
    if double.quality == "basic" and double.features[:, 0].max() < 0.10:
        inside = (ids >= len(topo.skin)) & (ids < len(topo.skin) + len(topo.mouth))
        draw_mouth(out, inside, at, canonical, stage.features(t), double)
    c = code.light[:27].reshape(9, 3)
    side = float(np.clip(-c[1].mean() / max(float(c[0].mean()), 1e-3) * 4, -1, 1))
    draw_eyes(out, placed, double.iris.astype(np.float64), stage.gaze(t), light, side)
    return out, ids, at, light


def surroundings_move(mesh: Array, outline: Array, where: Area) -> Floats:
    """(h, w, 2) px: where each pixel of the surroundings comes from, so that the witness' outline meets the double's."""
    h, w = where.y1 - where.y0, where.x1 - where.x0
    rim = topology().ring <= 2
    xs = np.arange(0, w + WARP_GRID, WARP_GRID, dtype=np.float64)
    ys = np.arange(0, h + WARP_GRID, WARP_GRID, dtype=np.float64)
    field = np.zeros((len(ys), len(xs), 2))
    to = np.ascontiguousarray(mesh[rim, :2] - where.origin[:2])
    displacement(xs, ys, to, np.ascontiguousarray(outline[rim, :2] - mesh[rim, :2]), WARP_SIGMA * where.size, field)
    gx, gy = np.meshgrid(np.arange(w, dtype=np.float32) / WARP_GRID, np.arange(h, dtype=np.float32) / WARP_GRID)
    full: Floats = cv2.remap(field.astype(np.float32), gx, gy, cv2.INTER_LINEAR)
    return full


def _seam(surroundings: Floats, out: Floats, alpha: Array, hole: Array, gone: Floats, size: float) -> tuple[Floats, Floats]:
    """Fill under the mask (h, w, 3) and the colour correction (log, small, with its pixel step) that joins face and neck.

    The double's own low-pass colour, corrected by the skin-like part of a ring outside; hair is not skin-like.
    """
    h, w = hole.shape
    step = 2 * max(1, round(size / 160))
    small = (max(8, w // step), max(8, h // step))
    grown = cv2.dilate(hole, np.ones((3, 3), np.uint8))
    reach = int(0.05 * size) | 1
    ring = cv2.dilate(grown, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach)))
    seen = ((ring > 0) & (grown == 0) & (gone < 0.02)).astype(np.float32)
    weight = shrink(seen, small)
    around = shrink(surroundings * seen[..., None], small) / np.maximum(weight, 1e-4)[..., None]
    core = (alpha > 0.5).astype(np.float32)
    core_weight = shrink(core, small)
    face = shrink(out * core[..., None], small) / np.maximum(core_weight, 1e-4)[..., None]
    face = blur(face * core_weight[..., None], 4) / np.maximum(blur(core_weight, 4), 1e-3)[..., None]
    own = push_pull(face, (core_weight > 0.5).astype(np.float32))
    ratio = np.log(np.maximum(around, 1e-3)) - np.log(np.maximum(own, 1e-3))
    level = ratio.mean(-1)
    chroma = ratio - level[..., None]
    skin = np.exp(-((level / np.where(level > 0, 0.9, 0.55)) ** 2) - (chroma**2).sum(-1) / 0.28**2) * (weight > 0.3)
    trust = (skin + 0.01 * (weight > 0.3)).astype(np.float32)
    correction = np.clip(ratio, -0.7, 0.7) * (skin / np.maximum(trust, 1e-4))[..., None]
    correction = blur(push_pull(correction.astype(np.float32), trust), 3)
    fill = enlarge(blur(own * np.exp(correction), 1.5), (w, h))
    inner = cv2.distanceTransform(cv2.resize(hole, small, interpolation=cv2.INTER_NEAREST), cv2.DIST_L2, 3) * step
    decay = correction * np.exp(-inner / (SEAM_REACH * size))[..., None]
    return fill, enlarge(decay.astype(np.float32), (w, h))


def draw(stage: Performance, t: int, mesh: Array, outline: Array, where: Area, blanked: Floats, mask: Array,
         matte: Floats | None, halo: float, noise: np.random.Generator) -> tuple[Floats, Floats]:
    """The finished crop (h, w, 3) display RGB, and alpha (h, w): 1 where it differs from `blanked`."""
    out, ids, at, _ = render_face(stage, t, mesh, where)
    h, w = ids.shape
    hole = (ids >= 0).astype(np.uint8)
    soft = blur_of(stage) * where.size / REFERENCE_FACE
    if soft > LEAST_BLUR:
        solid = hole.astype(np.float32)
        out = blur(out, soft) / np.maximum(blur(solid, soft), 0.05)[..., None] * solid[..., None]
    move = surroundings_move(mesh, outline, where)
    gx, gy = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
    from_x, from_y = gx + move[..., 0], gy + move[..., 1]
    around = linear(cv2.remap(blanked, from_x, from_y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE))
    gone = cv2.remap(mask.astype(np.float32), from_x, from_y, cv2.INTER_LINEAR)
    fill, correction = _seam(around, out, at[..., ALPHA], hole, gone, where.size)
    out = np.where(hole[..., None] > 0, out * np.exp(correction), fill)

    a = at[..., ALPHA]
    a = blur(a * a * (3 - 2 * a), max(0.7, 0.006 * where.size))
    edge = blur(hole.astype(np.float32), max(0.8, 0.008 * where.size))
    under = np.maximum(np.clip(2 * edge - 1, 0, 1), np.clip(blur(gone, 0.7) * 1.3, 0, 1))
    a = a * np.clip((edge - 0.35) / 0.5, 0, 1)
    under = np.maximum(under, _feather(under, fill, around, where.size))
    if matte is not None:
        free = 1 - cv2.remap(matte, from_x, from_y, cv2.INTER_LINEAR)
        a, under = a * free, under * free
    base = fill * under[..., None] + around * (1 - under[..., None])
    light = base * (1 - a[..., None]) + out * a[..., None]
    if halo > 0:
        light = _halo(light, hole, where.size, halo)
    picture = display(light)
    if stage.clip.grain_sigma > 0.6:
        grain = noise.normal(0, stage.clip.grain_sigma / 255, (h, w)).astype(np.float32)
        picture = picture + (grain * np.maximum(under, a))[..., None]
    changed: Bools = (np.hypot(move[..., 0], move[..., 1]) > STILL) | (under > 0) | (a > 0)
    if halo > 0:
        changed = np.logical_or(changed, _halo_weight(hole, where.size, halo) > 1 / 512)
    alpha: Floats = changed.astype(np.float32)
    return picture, alpha


def _feather(under: Floats, fill: Floats, around: Floats, size: float) -> Floats:
    """How far the fill runs out over skin beyond the mask, so that a forehead shows no arc; hair is left alone."""
    outside = cv2.distanceTransform((under < 0.5).astype(np.uint8), cv2.DIST_L2, 3)
    apart = np.log(np.maximum(blur(around, 0.02 * size), 1e-3)) - np.log(np.maximum(fill, 1e-3))
    alike = np.exp(-((np.abs(apart).max(-1) / FEATHER_ALIKE) ** 2))
    weight = np.exp(-((outside / (FEATHER_WIDTH * size)) ** 2)) * alike
    kept: Floats = np.where(weight < 1 / 255, 0, weight).astype(np.float32)
    return kept


def _halo_weight(hole: Array, size: float, halo: float) -> Floats:
    inside = cv2.distanceTransform(hole, cv2.DIST_L2, 3)
    outside = cv2.distanceTransform(1 - hole, cv2.DIST_L2, 3)
    weight: Floats = halo * np.exp(-(((inside + outside) / (HALO_WIDTH * size)) ** 2))
    return weight


def _halo(light: Floats, hole: Array, size: float, halo: float) -> Floats:
    """A soft, slightly lifted rim along the outline, which tells viewers that the face is a disguise."""
    weight: Array = _halo_weight(hole, size, halo)[..., None]
    soft: Floats = light * (1 - weight) + blur(light, HALO_BLUR * size) * (1 + HALO_LIFT) * weight
    return soft
