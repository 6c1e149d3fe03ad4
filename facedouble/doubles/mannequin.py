"""The mannequins: built-in faces that belong to nobody, made by this file from the mean shape, a few figures and a seed.

No photo and no person's shape goes in. Shape: the topology's mean with its mouth closed, its proportions altered. Shading:
ambient occlusion and curvature of that mesh. Lips, brows, lashes, creases: drawn along its landmarks. The mean itself will not
do: dlib takes it for a good many people. So each of the faces departs from it in its own direction, within what faces do, and
for anybody at least one of them should be far. Everything is computed in float64 and rounded to far coarser steps, so that the
bits, and with them the ids, are the same on every machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from facedouble.consent import SCOPES
from facedouble.doubles import makeup
from facedouble.doubles.file import identity
from facedouble.doubles.lids import closed
from facedouble.doubles.makeup import Paint, curve, line_along, mirrored, pixels, smooth_step, soft, spot
from facedouble.errors import UsageError
from facedouble.morphable import layout
from facedouble.morphable.gestures import JAW_SHARE, LIP_PROFILE, open_mouth
from facedouble.morphable.semantics import semantics
from facedouble.morphable.topology import ATLAS_HEIGHT, ATLAS_WIDTH, topology
from facedouble.types import MESH_POINTS, Array, Consent, Double

CODE = "mannequin"
SEED = 20260101
STEP = 512  # textures are multiples of 1 / STEP, which float16 holds exactly below 4
DIGITS = 5  # of the other arrays
AO_SCALE, AO_TURNS, AO_REACH = 2, 16, (2, 4, 8, 14, 22, 34)  # shrink factor of the atlas; directions; px of the shrunk atlas
AO_RANGE = 0.30  # canonical units: what is farther hides no light

# linear albedo relative to skin
FEATURES = 2.0  # power of what is darker than what is around it: as painted, it had .5 to .9 of filmed faces' contrast
FEATURE = (0.7, 11.0)  # texels, sigma: what is much finer is a hair, what is wider a shade
BLUSH = np.array([1.035, 0.955, 0.955])
GAZE_MIDDLE = -0.045  # of the eye width: the iris tucks a little under the upper lid
OPENINGS = (0.09, 0.20, 0.36)  # canonical lip gaps of the key frames that show the mouth's inside
JAW_CLOSING = 0.4  # of the mean's lip gap is closed by the jaw
APERTURE = 0.32  # over eye width, at rest: witnesses of the shared clips have .29 to .38...
UPPER = 0.82  # ...and share of the upper lid in what the mean lacks of that


@dataclass(frozen=True)
class Pull:
    """A Gaussian of a face's front view, on both sides alike, in which points are moved; x is the distance from the middle.

    at (x, y) and reach (x, y): its middle and sigma; move (x, y, z) and grow (x, y) about its middle for a trait of 1;
    tilt: y for each x away from its middle. Canonical units: y points down, -z at the camera.
    """

    at: tuple[float, float]
    reach: tuple[float, float]
    move: tuple[float, float, float] = (0.0, 0.0, 0.0)
    grow: tuple[float, float] = (0.0, 0.0)
    tilt: float = 0.0

    def __call__(self, shape: Array, amount: float) -> Array:
        """How the points (n, 3) of a shape are moved."""
        x, y = np.abs(shape[:, 0]) - self.at[0], shape[:, 1] - self.at[1]
        share = amount * np.exp(-((x / self.reach[0]) ** 2 + (y / self.reach[1]) ** 2) / 2)
        side = np.clip(shape[:, 0] / 0.12, -1, 1)  # nothing is torn in the middle
        moved: Array = np.stack([side * (self.move[0] + self.grow[0] * x), self.move[1] + self.grow[1] * y + self.tilt * x,
                                 np.full(len(x), self.move[2])], 1) * share[:, None]
        return moved


PULLS = {
    "face_width": Pull((0.75, 0.25), (0.35, 0.45), (1, 0, 0)),
    "temple_width": Pull((0.68, -0.35), (0.30, 0.25), (1, 0, 0)),
    "jaw_width": Pull((0.55, 0.98), (0.25, 0.26), (1, 0, 0)),
    "chin_width": Pull((0.22, 1.28), (0.20, 0.14), (1, 0, 0)),
    "chin_length": Pull((0, 1.35), (0.50, 0.26), (0, 1, 0)),
    "chin_depth": Pull((0, 1.18), (0.22, 0.13), (0, 0, -1)),
    "brow_ridge": Pull((0.35, -0.16), (0.32, 0.10), (0, 0, -1)),
    "brow_height": Pull((0.38, -0.20), (0.36, 0.11), (0, -1, 0)),
    "eye_spacing": Pull((0.35, 0.03), (0.20, 0.16), (1, 0, 0)),
    "eye_width": Pull((0.35, 0.03), (0.20, 0.14), grow=(1, 0)),
    "eye_height": Pull((0.35, 0.03), (0.24, 0.10), grow=(0, 1)),
    "eye_tilt": Pull((0.35, 0.03), (0.22, 0.16), tilt=-1),
    "nose_length": Pull((0, 0.50), (0.26, 0.15), (0, 1, 0)),
    "nose_width": Pull((0.20, 0.50), (0.12, 0.10), (1, 0, 0)),
    "bridge_depth": Pull((0, 0.14), (0.11, 0.16), (0, 0, -1)),
    "bridge_width": Pull((0.12, 0.22), (0.09, 0.17), (1, 0, 0)),
    "tip_depth": Pull((0, 0.44), (0.14, 0.11), (0, 0, -1)),
    "cheekbones": Pull((0.56, 0.34), (0.16, 0.14), (0.3, 0, -1)),
    "mouth_width": Pull((0, 0.83), (0.40, 0.14), grow=(1, 0)),
    "mouth_height": Pull((0, 0.84), (0.40, 0.18), (0, 1, 0)),
    "lip_fullness": Pull((0, 0.83), (0.34, 0.12), grow=(0, 1)),
}


@dataclass(frozen=True)
class Nobody:
    """What makes one of the mannequins: its seed, how it departs from the mean by `PULLS` and how far, what is painted on it."""

    seed: int
    departure: float
    traits: Mapping[str, float]
    paint: Paint


# Found by a search that pushed all of them away, in dlib's embedding, from the people of the shared clips, within bounds that
# keep a face likely. The figures are four fifths of what it found, and `departure` goes the rest of the way: at four fifths,
# SFace took the second for the liveliest witness of those clips in 2 frames of 183, at five in 1; so it goes a tenth farther in
# all but the mouth and the nose, which would leave what is a face's.
NOBODIES = (
    Nobody(2, 1.25, {"face_width": 0.028, "temple_width": -0.024, "jaw_width": -0.018, "chin_width": 0.024, "chin_length": 0.04,
                     "chin_depth": -0.02, "brow_ridge": 0.016, "brow_height": -0.024, "eye_spacing": 0.022, "eye_width": -0.024,
                     "eye_tilt": -0.06, "nose_length": -0.04, "nose_width": 0.032, "bridge_depth": -0.024,
                     "bridge_width": 0.008, "tip_depth": -0.016, "cheekbones": -0.012, "mouth_width": -0.088,
                     "mouth_height": 0.024, "lip_fullness": -0.16},
           Paint(brow_lift=-5, brow_tilt=-2, brow_arch=4, brow_thick=1.3, brow_ink=0.88, hair=(0.110, 0.097, 0.088),
                 lip=(0.80, 0.60, 0.605), lip_inset=(3, 7), freckles=0.15, folds=0.35,
                 iris=(0.207, 0.235, 0.200, 0.165, 1.22))),
    Nobody(13, 1.4, {"face_width": 0.028, "temple_width": 0.016, "jaw_width": 0.032, "chin_width": -0.024, "chin_length": 0.04,
                     "chin_depth": 0.024, "brow_ridge": 0.016, "brow_height": -0.024, "eye_spacing": -0.021, "eye_width": 0.064,
                     "eye_height": 0.112, "eye_tilt": 0.072, "nose_length": -0.04, "nose_width": 0.025, "bridge_depth": -0.024,
                     "bridge_width": -0.016, "tip_depth": -0.016, "cheekbones": 0.016, "mouth_width": 0.044,
                     "mouth_height": 0.024, "lip_fullness": -0.08},
           Paint(brow_lift=-5, brow_tilt=4, brow_arch=-2, brow_thick=0.95, brow_ink=0.74, hair=(0.075, 0.070, 0.068),
                 lip=(0.77, 0.585, 0.59), lip_inset=(3, 5), stubble=0.45, folds=0.5,
                 iris=(0.210, 0.155, 0.120, 0.085, 1.22))),
    Nobody(25, 1.25, {"face_width": -0.028, "temple_width": 0.024, "jaw_width": 0.032, "chin_width": -0.024,
                      "chin_length": -0.024, "chin_depth": 0.024, "brow_ridge": 0.016, "brow_height": 0.032,
                      "eye_spacing": -0.021, "eye_width": 0.064, "eye_height": 0.112, "eye_tilt": -0.08, "nose_length": 0.04,
                      "nose_width": -0.016, "bridge_depth": -0.024, "bridge_width": 0.007, "tip_depth": 0.016,
                      "cheekbones": -0.012, "mouth_width": 0.08, "mouth_height": -0.024, "lip_fullness": -0.144},
           Paint(brow_lift=4, brow_tilt=4, brow_arch=4, brow_thick=0.95, brow_ink=0.74, hair=(0.272, 0.200, 0.146),
                 lip=(0.74, 0.52, 0.53), lip_inset=(1, 7), freckles=0.8, folds=0.15,
                 iris=(0.212, 0.231, 0.280, 0.329, 1.25))),
)
VARIANTS = len(NOBODIES)


def sculpt(shape: Array, traits: Mapping[str, float]) -> Array:
    """(478, 3) a shape with other proportions: smooth everywhere, so that lids and lips stay what they are."""
    moved = shape + sum((PULLS[name](shape, amount) for name, amount in traits.items()), np.zeros_like(shape))
    rounded: Array = np.round(moved, DIGITS)
    return rounded


def neutral_shape() -> Array:
    """(478, 3) the mean shape with its mouth closed: the jaw by the basis, the rest of the gap lip by lip."""
    t = topology()
    gap = float(semantics(t.mean[None]).gap[0])
    shape = t.mean.copy()
    shape[:MESH_POINTS] -= np.tensordot(open_mouth() * JAW_SHARE * JAW_CLOSING * gap, t.basis, 1)
    up, low = layout.UPPER_INNER_LIP[1:-1], layout.LOWER_INNER_LIP[1:-1]
    left = shape[low, 1] - shape[up, 1]
    for inner, outer, share in ((up, layout.UPPER_OUTER_LIP[1:-1], 0.35), (low, layout.LOWER_OUTER_LIP[1:-1], -0.65)):
        shape[inner, 1] += share * left
        shape[outer, 1] += share * left * 0.7
    shape[up, 2] = shape[low, 2] = (shape[up, 2] + shape[low, 2]) / 2
    for v, (inside, outside, place) in _between_lips().items():
        shape[v] = t.mean[v] + (shape - t.mean)[inside] * (1 - place) + (shape - t.mean)[outside] * place
    shape = (shape + shape[t.mirror] * [-1, 1, 1]) / 2
    closed: Array = np.round(shape, DIGITS)
    return closed


def _between_lips() -> dict[int, tuple[int, int, float]]:
    """Vertices between the inner and the outer line of a lip -> those two and how far out of the way."""
    chains = [(13, 12, 11, 0), (82, 38, 72, 37), (81, 41, 73, 39), (80, 42, 74, 40), (191, 183, 184, 185),
              (14, 15, 16, 17), (87, 86, 85, 84), (178, 179, 180, 181), (88, 89, 90, 91), (95, 96, 77, 146)]
    mirror = topology().mirror
    both = np.concatenate([chains, mirror[np.array(chains)]]).tolist()
    return {v: (c[0], c[3], place) for c in both for v, place in ((c[1], 1 / 3), (c[2], 2 / 3))}


def _spread(values: Array) -> Array:
    """(h, w, C) values (468, C) of the vertices interpolated over the atlas, in float64, and continued beyond its outline."""
    t = topology()
    x, y = pixels()
    total = np.zeros((ATLAS_HEIGHT, ATLAS_WIDTH, values.shape[1]))
    count = np.zeros((ATLAS_HEIGHT, ATLAS_WIDTH, 1))
    for triangle in t.triangles:
        (ax, ay), (bx, by), (cx, cy) = t.atlas[triangle]
        d = (by - cy) * (ax - cx) + (cx - bx) * (ay - cy)
        if abs(d) < 1e-6:
            continue
        x0, x1, y0, y1 = (int(f(v)) for f, v in ((np.floor, min(ax, bx, cx)), (np.ceil, max(ax, bx, cx)),
                                                 (np.floor, min(ay, by, cy)), (np.ceil, max(ay, by, cy))))
        box = np.s_[y0 : y1 + 1, x0 : x1 + 1]
        a = ((by - cy) * (x[box] - cx) + (cx - bx) * (y[box] - cy)) / d
        b = ((cy - ay) * (x[box] - cx) + (ax - cx) * (y[box] - cy)) / d
        share = np.stack([a, b, 1 - a - b], -1)
        inside = (share > -1e-7).all(-1)[..., None]
        total[box] += np.where(inside, share @ values[triangle], 0)
        count[box] += inside
    known = (count > 0).astype(np.float64)
    filled = total / np.maximum(count, 1)
    for sigma in (2.0, 8.0, 30.0):  # wider and wider, so that what is near decides
        weight = soft(known, sigma)[..., None]
        near = soft(filled * known, sigma) / np.maximum(weight, 1e-9)
        reached = (weight > 1e-3) & (known == 0)
        filled, known = np.where(reached, near, filled), np.maximum(known, reached)
    filled = np.where(known > 0, filled, filled[known[..., 0] > 0].mean(0))
    return filled


def _normals(place: Array) -> Array:
    """(h, w, 3) unit normals of a position map, towards the camera."""
    n = np.cross(np.gradient(place, axis=0), np.gradient(place, axis=1))
    unit: Array = n / np.maximum(np.linalg.norm(n, axis=-1, keepdims=True), 1e-12)
    return unit


def _relief(shape: Array) -> tuple[Array, Array]:
    """(h, w) ambient occlusion in [0, 1], and curvature, > 0 in hollows: both of the mesh alone."""
    spread = _spread(np.concatenate([shape[:MESH_POINTS], np.minimum(topology().ring, 3)[:, None]], 1))
    place = soft(spread[..., :3], 3.5)
    small: Array = cv2.resize(place, (ATLAS_WIDTH // AO_SCALE, ATLAS_HEIGHT // AO_SCALE), interpolation=cv2.INTER_AREA)
    flat, upright = (np.ascontiguousarray(v.transpose(2, 0, 1)) for v in (small, _normals(small)))  # axes first: faster
    pad = max(AO_REACH)
    h, w = small.shape[:2]
    wide = np.pad(flat, ((0, 0), (pad, pad), (pad, pad)), mode="edge")
    shut = np.zeros((h, w))
    for turn in range(AO_TURNS):
        angle = 2 * np.pi * turn / AO_TURNS
        horizon = np.zeros((h, w))
        for reach in AO_REACH:
            dx, dy = round(reach * np.cos(angle)), round(reach * np.sin(angle))
            ray = wide[:, pad + dy : pad + dy + h, pad + dx : pad + dx + w] - flat
            far = np.sqrt(ray[0] ** 2 + ray[1] ** 2 + ray[2] ** 2) + 1e-6
            rise = (ray[0] * upright[0] + ray[1] * upright[1] + ray[2] * upright[2]) / far
            horizon = np.maximum(horizon, rise * np.clip(1 - (far / AO_RANGE) ** 2, 0, 1))
        shut += horizon / AO_TURNS
    occlusion: Array = cv2.resize(soft(shut, 1.2), (ATLAS_WIDTH, ATLAS_HEIGHT), interpolation=cv2.INTER_LINEAR)
    facing = _normals(place)
    hollow = sum(((soft(place, s) - place) * facing).sum(-1) / s for s in (6.0, 14.0, 32.0))
    inner = smooth_step(0.1, 1.6, spread[..., 3])
    return occlusion * inner, np.asarray(hollow) * inner


def _band(rng: np.random.Generator, fine: float, coarse: float) -> Array:
    """(h, w) noise between two scales (sigma, px), of deviation 1."""
    noise = rng.standard_normal((ATLAS_HEIGHT, ATLAS_WIDTH))
    band = soft(noise, fine) - soft(noise, coarse)
    scaled: Array = band / band.std()
    return scaled


def _grain(rng: np.random.Generator, freckles: float) -> Array:
    """(h, w, 3) multiplier about 1: pores, blotches that outlast a soft lens, mottling redder where it is darker, freckles."""
    pores, blotches, mottle, specks = (_band(rng, *scales)[..., None] for scales in ((0.9, 2.6), (2.4, 6.5), (7, 22), (1.5, 3.2)))
    grain = 1 + 0.028 * pores + 0.020 * blotches * np.array([0.8, 1.1, 1.1]) + 0.017 * mottle * np.array([0.6, 1.15, 1.15])
    where = np.clip(spot([50, 101, 36], 60, 34) + spot([280, 330, 266], 60, 34) + 0.8 * spot([5, 195], 40, 30), 0, 1)[..., None]
    ink = freckles * where * smooth_step(1.3, 2.6, specks)
    spotted: Array = grain * (1 - ink * np.array([0.22, 0.36, 0.42]))
    return spotted


def _stubble(rng: np.random.Generator) -> Array:
    """(h, w, 3) how dark a shaved beard makes each pixel: jaw, chin and upper lip, grey-blue, grained."""
    t, (x, y) = topology(), pixels()
    low = smooth_step(float(t.atlas[205, 1]), float(t.atlas[61, 1]) + 10, y - 0.16 * np.abs(x - ATLAS_WIDTH / 2))
    bald = spot([17], 60, 7) + spot([43, 273], 30, 12) + spot([50, 205], 45, 50) + spot([280, 425], 45, 50)
    beard = soft(low, 12) * (1 - np.clip(bald, 0, 1)) + 0.8 * (spot([165, 92], 26, 15) + spot([391, 322], 26, 15))
    shade: Array = (np.clip(beard, 0, 1) * (1 + 0.16 * _band(rng, 0.8, 2.0)))[..., None] * np.array([0.30, 0.24, 0.20])
    return shade


def _skin(shape: Array, rng: np.random.Generator, paint: Paint) -> Array:
    """(h, w, 3) bare skin: relief, blush, grain."""
    t = topology()
    occlusion, hollow = _relief(shape)
    shade = np.exp(-1.2 * occlusion - np.clip(4.0 * (hollow - np.median(hollow)), -0.08, 0.30))
    depth = 1 - shade[..., None]
    skin = 1 - depth * np.array([0.92, 1.04, 1.04])  # light that comes out of hollows went through skin
    cheeks = spot([50, 205], 38, 30) + spot([280, 425], 38, 30)
    ears = spot([234], 30, 60) + spot([454], 30, 60)
    red = 0.9 * cheeks + 0.6 * spot([1, 4], 20, 16) + 0.35 * spot([199, 200], 34, 20) + 0.4 * ears
    skin = skin * BLUSH ** np.clip(red, 0, 1)[..., None]
    sockets = sum(spot(i, 30, 13) for i in ([27, 28, 222], [257, 258, 442])) + sum(spot(i, 26, 8) for i in ([230], [450]))
    skin = skin * (1 - np.asarray(sockets)[..., None] * np.array([0.055, 0.085, 0.07]))
    groove = spot([164], 4.5, 13) - 0.5 * (spot([167], 4, 13) + spot([393], 4, 13))
    folds = line_along(curve([129, 203, 206, 216]), (t.atlas[216, 0] - 12, t.atlas[129, 0] + 6), 7.0, 0.0, 0.5)
    creased = 0.07 * groove + 0.09 * (1 + 1.5 * paint.folds) * (folds + mirrored(folds))
    skin = skin * (1 - creased[..., None] * np.array([0.85, 1.05, 1.05]))
    nostrils = spot([79, 166, 60], 9, 4.0) + spot([309, 392, 290], 9, 4.0)
    skin = skin * (1 - 0.72 * np.clip(nostrils, 0, 1)[..., None] * np.array([0.95, 1.0, 1.0]))
    skin = skin * _grain(rng, paint.freckles)
    return np.asarray(skin * (1 - paint.stubble * _stubble(rng)))


def _opened(shape: Array, gap: float) -> Array:
    """(478, 3) the same face with its lips `gap` apart."""
    opened = shape.copy()
    opened[:MESH_POINTS] += np.tensordot(open_mouth() * JAW_SHARE * gap, topology().basis, 1)
    up, low = layout.UPPER_INNER_LIP[1:-1], layout.LOWER_INNER_LIP[1:-1]
    missing = gap * LIP_PROFILE - (opened[low, 1] - opened[up, 1])
    opened[up, 1] -= 0.3 * missing
    opened[low, 1] += 0.7 * missing
    return opened


def _level(texture: Array) -> Array:
    """(3,) mean of plain skin."""
    t = topology()
    at = np.round(t.atlas[t.skin_points]).astype(int)
    level: Array = np.round(soft(texture, 3)[at[:, 1], at[:, 0]].mean(0), DIGITS)
    return level


def _awake(shape: Array) -> Array:
    """(478, 3) the same face with its eyes as far open as they are at rest."""
    measured, opened = semantics(shape[None]), shape.copy()
    more = APERTURE / float(measured.right_aperture[0] + measured.left_aperture[0]) * 2 - 1
    for upper, lower in ((layout.RIGHT_UPPER_LID, layout.RIGHT_LOWER_LID), (layout.LEFT_UPPER_LID, layout.LEFT_LOWER_LID)):
        gap = more * (shape[upper[1:-1]] - shape[lower[1:-1]])
        opened[upper[1:-1]] += UPPER * gap
        opened[lower[1:-1]] -= (1 - UPPER) * gap
    rounded: Array = np.round(opened, DIGITS)
    return rounded


def _deepened(texture: Array) -> Array:
    """(h, w, 3) the same with darker features, each channel by itself so that lips stay red; blemishes and wide shades stay."""
    even = (texture + mirrored(texture)) / 2
    fine, wide = soft(even, FEATURE[0]), soft(even, FEATURE[1])
    deeper: Array = texture * np.minimum(fine / np.maximum(wide, 1e-6), 1) ** (FEATURES - 1)
    return deeper


@cache
def mannequin(variant: int = 0) -> Double:
    """A built-in double, one of VARIANTS; UsageError for another. The same on every machine; takes a moment the first time."""
    if not 0 <= variant < VARIANTS:
        raise UsageError(f"there is no mannequin {variant}: choose one from 0 to {VARIANTS - 1}")
    who = NOBODIES[variant]
    seeds = [SEED + 100 * who.seed + k for k in range(4)]
    shape = _awake(sculpt(neutral_shape(), {name: who.departure * amount for name, amount in who.traits.items()}))
    skin = _skin(shape, np.random.default_rng(seeds[0]), who.paint)
    skin = makeup.lips(skin, np.random.default_rng(seeds[1]), who.paint)
    skin = makeup.brows(skin, np.random.default_rng(seeds[2]), who.paint)
    awake, asleep = (makeup.eyes(skin, np.random.default_rng(seeds[3]), who.paint, shut) for shut in (False, True))
    keys = [makeup.mouth(asleep, OPENINGS[0]), *(makeup.mouth(awake, g) for g in OPENINGS)]
    keys = [_deepened(k) for k in keys]
    level = _level(keys[1])
    # the first has its lips shut: what is behind them hardly shows
    textures = [np.round(np.clip(k / level, 0, 3) * STEP) / STEP for k in (keys[1], *keys)]
    features = semantics(np.stack([shape, closed(shape), *(_opened(shape, g) for g in OPENINGS)])).features()
    consent = Consent(CODE, SCOPES, "2026-01-01", note="belongs to nobody: computed from a mean shape and a seed")
    iris = np.array([who.paint.iris] * 2, np.float32)
    arrays = (shape.astype(np.float32), np.stack(textures).astype(np.float16), np.round(features, DIGITS).astype(np.float32),
              iris, np.full(2, GAZE_MIDDLE, np.float32), np.array([[0, 0], [1, 1]], np.float32))
    unnamed = Double("", *arrays, "basic", {"neutral": True, "eyes closed": True, "mouth wide open": True}, consent)
    return Double(identity(unnamed), *arrays, unnamed.quality, unnamed.coverage, consent)
