"""The mannequin: a built-in neutral face that belongs to nobody, made by this file from the mean shape and a seed.

No photo and no person's shape goes in. Shape: the topology's mean with its mouth closed. Shading: ambient occlusion and curvature
of that mesh. Lips, brows, lashes, creases: drawn along its landmarks. Everything is computed in float64 and rounded to far
coarser steps, so that the bits, and with them the id, are the same on every machine.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

from facedouble.doubles.consent import SCOPES
from facedouble.doubles.file import identity
from facedouble.doubles.makeup import brows, curve, eyes, line_along, lips, mirrored, mouth, pixels, smooth_step, soft, spot
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
BLUSH = np.array([1.035, 0.955, 0.955])
IRIS = (0.215, 0.200, 0.150, 0.110, 1.25)  # radius over eye width, colour over skin, sclera over skin
GAZE_MIDDLE = -0.045  # of the eye width: the iris tucks a little under the upper lid
OPENINGS = (0.09, 0.20, 0.36)  # canonical lip gaps of the key frames that show the mouth's inside
JAW_CLOSING = 0.4  # of the mean's lip gap is closed by the jaw


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
    normal, pad = _normals(small), max(AO_REACH)
    h, w = small.shape[:2]
    wide = np.pad(small, ((pad, pad), (pad, pad), (0, 0)), mode="edge")
    shut = np.zeros((h, w))
    for turn in range(AO_TURNS):
        angle = 2 * np.pi * turn / AO_TURNS
        horizon = np.zeros((h, w))
        for reach in AO_REACH:
            dx, dy = round(reach * np.cos(angle)), round(reach * np.sin(angle))
            ray = wide[pad + dy : pad + dy + h, pad + dx : pad + dx + w] - small
            far = np.sqrt((ray**2).sum(-1)) + 1e-6
            rise = (ray * normal).sum(-1) / far
            horizon = np.maximum(horizon, rise * np.clip(1 - (far / AO_RANGE) ** 2, 0, 1))
        shut += horizon / AO_TURNS
    occlusion: Array = cv2.resize(soft(shut, 1.2), (ATLAS_WIDTH, ATLAS_HEIGHT), interpolation=cv2.INTER_LINEAR)
    facing = _normals(place)
    hollow = sum(((soft(place, s) - place) * facing).sum(-1) / s for s in (6.0, 14.0, 32.0))
    inner = smooth_step(0.1, 1.6, spread[..., 3])
    return occlusion * inner, np.asarray(hollow) * inner


def _grain(rng: np.random.Generator) -> Array:
    """(h, w, 3) band-limited multiplier about 1: pores, and a mottling that is a little redder where it is darker."""
    fine, broad = (rng.standard_normal((ATLAS_HEIGHT, ATLAS_WIDTH)) for _ in range(2))
    pores = soft(fine, 0.9) - soft(fine, 2.6)
    mottle = soft(broad, 7) - soft(broad, 22)
    pores, mottle = pores / pores.std(), mottle / mottle.std()
    grain: Array = 1 + 0.028 * pores[..., None] + 0.015 * mottle[..., None] * np.array([0.6, 1.15, 1.15])
    return grain


def _skin(shape: Array, rng: np.random.Generator) -> Array:
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
    skin = skin * (1 - (0.07 * groove + 0.09 * (folds + mirrored(folds)))[..., None] * np.array([0.85, 1.05, 1.05]))
    nostrils = spot([79, 166, 60], 9, 4.0) + spot([309, 392, 290], 9, 4.0)
    skin = skin * (1 - 0.72 * np.clip(nostrils, 0, 1)[..., None] * np.array([0.95, 1.0, 1.0]))
    return np.asarray(skin * _grain(rng))


def _shut(shape: Array) -> Array:
    """(478, 3) the same face with closed lids."""
    closed = shape.copy()
    for upper, lower in ((layout.RIGHT_UPPER_LID, layout.RIGHT_LOWER_LID), (layout.LEFT_UPPER_LID, layout.LEFT_LOWER_LID)):
        meet = shape[lower[1:-1]] + 0.18 * (shape[upper[1:-1]] - shape[lower[1:-1]])
        closed[upper[1:-1]] = closed[lower[1:-1]] = meet
    return closed


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


@cache
def mannequin() -> Double:
    """The built-in double. The same on every machine; takes a moment the first time."""
    shape = neutral_shape()
    skin = _skin(shape, np.random.default_rng(SEED))
    skin = brows(lips(skin, np.random.default_rng(SEED + 1)), np.random.default_rng(SEED + 2))
    awake, asleep = (eyes(skin, np.random.default_rng(SEED + 3), shut) for shut in (False, True))
    keys = [mouth(asleep, OPENINGS[0]), *(mouth(awake, g) for g in OPENINGS)]
    level = _level(keys[1])
    # the first has its lips shut: what is behind them hardly shows
    textures = [np.round(np.clip(k / level, 0, 3) * STEP) / STEP for k in (keys[1], *keys)]
    features = semantics(np.stack([shape, _shut(shape), *(_opened(shape, g) for g in OPENINGS)])).features()
    consent = Consent(CODE, SCOPES, "2026-01-01", note="belongs to nobody: computed from a mean shape and a seed")
    arrays = (shape.astype(np.float32), np.stack(textures).astype(np.float16), np.round(features, DIGITS).astype(np.float32),
              np.array([IRIS, IRIS], np.float32), np.full(2, GAZE_MIDDLE, np.float32), np.array([[0, 0], [1, 1]], np.float32))
    unnamed = Double("", *arrays, "basic", {"neutral": True, "eyes closed": True, "mouth wide open": True}, consent)
    return Double(identity(unnamed), *arrays, unnamed.quality, unnamed.coverage, consent)
