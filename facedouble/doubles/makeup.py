"""Brush strokes in the UV atlas: what is drawn along the landmarks of a face that nobody has.

Pixels (h, w) of the atlas, float64; albedo is linear and relative to mean skin. The right side (left in the picture) is drawn and
mirrored. Strands are drawn by cv2 in integers, so that every machine draws the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from scipy.interpolate import PchipInterpolator

from facedouble.morphable import layout
from facedouble.morphable.topology import ATLAS_HEIGHT, ATLAS_WIDTH, topology
from facedouble.types import Array, Value

FINE = 4  # strands are drawn at this multiple of the atlas

# linear albedo relative to skin
LIP_LINE = np.array([0.42, 0.27, 0.27])
CAVITY, TONGUE, TOOTH = np.array([0.09, 0.040, 0.042]), np.array([0.46, 0.21, 0.21]), np.array([0.98, 1.20, 1.32])
LASH = np.array([0.10, 0.085, 0.08])
TEETH = (0.0, 0.095, 0.168, 0.228, 0.280, 0.325, 0.365)  # canonical: from the middle to each tooth's far side


@dataclass(frozen=True)
class Paint(Value):
    """What is painted on one face and not on another: colours are linear albedo relative to skin, lengths px of the atlas.

    brow_lift up, brow_tilt up at the temple and down at the nose, brow_arch in the middle, brow_thick a factor, brow_ink
    opacity; lip_inset: by how much the lips are painted thinner than the mesh has them, upper and lower; freckles, stubble,
    folds (beside nose and mouth, under the eyes) 0 to 1; iris: see `Double`.
    """

    brow_lift: float = 0.0
    brow_tilt: float = 0.0
    brow_arch: float = 0.0
    brow_thick: float = 1.0
    brow_ink: float = 0.8
    hair: tuple[float, float, float] = (0.15, 0.13, 0.12)
    lip: tuple[float, float, float] = (0.80, 0.60, 0.60)
    lip_inset: tuple[float, float] = (1.0, 4.0)
    freckles: float = 0.0
    stubble: float = 0.0
    folds: float = 0.0
    iris: tuple[float, float, float, float, float] = (0.215, 0.200, 0.150, 0.110, 1.25)


def smooth_step(low: float, high: float, x: Array) -> Array:
    """0 below low, 1 above high, a cubic in between; low may be the larger."""
    t = np.clip((x - low) / (high - low), 0, 1)
    out: Array = t * t * (3 - 2 * t)
    return out


def soft(image: Array, sigma: float) -> Array:
    """Gaussian blur in float64; wide ones at a quarter of the size."""
    h, w = image.shape[:2]
    if sigma > 5:
        small = cv2.resize(np.ascontiguousarray(image, np.float64), (w // 4, h // 4), interpolation=cv2.INTER_AREA)
        wide: Array = cv2.resize(cv2.GaussianBlur(small, (0, 0), sigma / 4), (w, h), interpolation=cv2.INTER_LINEAR)
        return wide
    out: Array = cv2.GaussianBlur(np.ascontiguousarray(image, np.float64), (0, 0), sigma)
    return out


def mirrored(image: Array) -> Array:
    """The other side of the face: the atlas is symmetric about column ATLAS_WIDTH / 2."""
    return np.roll(image[:, ::-1], 1, axis=1)


def pixels() -> tuple[Array, Array]:
    """Column and row (h, w) of every pixel of the atlas."""
    x, y = np.meshgrid(np.arange(ATLAS_WIDTH, dtype=np.float64), np.arange(ATLAS_HEIGHT, dtype=np.float64))
    return x, y


def curve(ids: list[int], lift: float = 0.0) -> Callable[[Array], Array]:
    """y(x) through atlas points of vertices, `lift` px higher in its middle third."""
    at = topology().atlas[ids]
    at = at[np.argsort(at[:, 0])]
    s = np.linspace(-1, 1, len(at))
    smooth = PchipInterpolator(at[:, 0], at[:, 1] - lift * (1 - s**4), extrapolate=False)
    first, last = at[0], at[-1]

    def y(x: Array) -> Array:
        inside = smooth(np.clip(x, first[0], last[0]))
        out: Array = np.nan_to_num(inside, nan=float(last[1]))
        return out

    return y


def line_along(curve: Callable[[Array], Array], ends: tuple[float, float], sigma: float, offset: float = 0.0,
          fade: float = 0.15) -> Array:
    """(h, w) in [0, 1]: a soft line of width sigma px, offset px below a curve, fading at both ends."""
    x, y = pixels()
    slope = np.gradient(curve(x[0]))
    off = (y - curve(x[0])[None] - offset) / np.sqrt(1 + slope**2)[None]
    s = (x - ends[0]) / (ends[1] - ends[0])
    line: Array = np.exp(-((off / sigma) ** 2) / 2) * smooth_step(0, fade, s) * smooth_step(0, fade, 1 - s)
    return line


def spot(ids: list[int], wide: float, high: float) -> Array:
    """(h, w) Gaussian of sigma wide x high px at the middle of some vertices."""
    cx, cy = topology().atlas[ids].mean(0)
    x, y = pixels()
    spot: Array = np.exp(-(((x - cx) / wide) ** 2 + ((y - cy) / high) ** 2) / 2)
    return spot


def _strands(roots: Array, tips: Array, bends: Array, widths: Array) -> Array:
    """(h, w) coverage of tapering strands: quadratic curves from roots over bends to tips, (n, 2) atlas px; widths px."""
    canvas = np.zeros((ATLAS_HEIGHT * FINE, ATLAS_WIDTH * FINE), np.uint8)
    s = np.linspace(0, 1, 9)[:, None]
    for root, bend, tip, width in zip(roots, bends, tips, widths, strict=True):
        path = np.round(((1 - s) ** 2 * root + 2 * s * (1 - s) * bend + s**2 * tip) * FINE * 16).astype(np.int32)
        for k in range(len(path) - 1):
            thick = max(1, round(float(width) * FINE * (1 - (k / len(path)) ** 1.5)))
            cv2.line(canvas, tuple(path[k].tolist()), tuple(path[k + 1].tolist()), 255, thick, cv2.LINE_AA, 4)
    small: Array = cv2.resize(canvas, (ATLAS_WIDTH, ATLAS_HEIGHT), interpolation=cv2.INTER_AREA).astype(np.float64) / 255
    return small


def _brow(rng: np.random.Generator, paint: Paint) -> tuple[Array, Array]:
    """(h, w) strands, and the soft ground under them, of the right brow."""
    t, n = topology(), 520
    high, low = curve([70, 63, 105, 66, 107]), curve([46, 53, 52, 65, 55])
    x0, x1 = t.atlas[46, 0] - 2, t.atlas[55, 0] + 2
    s = np.sort(rng.uniform(0, 1, n))  # 0 at the temple, 1 at the nose
    x = x0 + s * (x1 - x0)
    top, bottom = high(x), low(x)
    middle = top + (bottom - top) * (0.72 + 0.10 * (1 - 2 * s) ** 2 - 0.12 * s) + 2.0
    middle = middle - paint.brow_lift - paint.brow_tilt * (1 - 2 * s) - paint.brow_arch * (1 - (1 - 2 * s) ** 2)
    half = 11.5 * paint.brow_thick * np.sqrt(smooth_step(-0.06, 0.55, s)) * (0.72 + 0.28 * smooth_step(0, 0.2, 1 - s))
    y = middle + half * np.clip(rng.normal(0, 0.44, n), -1, 1)
    across = (y - middle) / np.maximum(half, 1e-3)  # strands of the lower edge rise, those of the upper edge lie flat
    slope = (low(x + 10) + high(x + 10) - low(x - 10) - high(x - 10)) / 40
    lean = np.arctan(slope) + (0.12 + 0.30 * across + 0.75 * smooth_step(0.72, 1, s)) * smooth_step(0.05, 0.4, s)
    length = rng.uniform(9, 15, n) * (0.5 + 0.6 * np.sin(np.pi * np.clip(s, 0.05, 0.95)))
    towards = np.stack([-np.cos(lean), -np.sin(lean)], 1)
    roots = np.stack([x, y], 1)
    bends = roots + towards * length[:, None] * 0.5 + np.stack([0 * x, -0.08 * length], 1)
    keep = rng.uniform(0, 1, n) < 0.35 + 0.65 * smooth_step(0, 0.12, 1 - s)
    strands = _strands(roots[keep], (roots + towards * length[:, None])[keep], bends[keep], rng.uniform(0.5, 0.95, n)[keep])
    xs, ys = pixels()
    place = np.clip((xs - x0) / (x1 - x0), 0, 1)
    middle_row, half_row = np.interp(xs[0], x, middle), np.interp(xs[0], x, half)
    ground = np.exp(-(((ys - middle_row) / np.maximum(half_row * 0.9, 1.5)) ** 2))
    ground = ground * smooth_step(-6, 14, xs - x0) * smooth_step(-8, 16, x1 - xs)
    return strands, ground * (0.6 + 0.4 * smooth_step(1, 0.55, place))


def _lashes(rng: np.random.Generator, ids: list[int], n: int, rise: float, spread: float, length: tuple[float, float]) -> Array:
    """(h, w) lashes of the right eye along a lid: outward, upward if rise < 0."""
    t, line = topology(), curve(ids)
    x0, x1 = t.atlas[33, 0], t.atlas[133, 0]
    s = np.sort(rng.uniform(0.0, 0.93, n))
    x = x0 + s * (x1 - x0)
    roots = np.stack([x, line(x)], 1)
    long = rng.uniform(*length, n) * (0.45 + 0.55 * np.sin(np.pi * np.clip(0.75 - 0.62 * s, 0, 1)))
    aim = np.stack([-spread * (1 - 1.25 * s), np.full(n, rise)], 1)
    aim /= np.linalg.norm(aim, axis=1, keepdims=True)
    tips = roots + aim * long[:, None] + np.stack([0 * x, 0.1 * rise * long], 1)
    bends = roots + aim * long[:, None] * 0.55 - np.stack([0 * x, 0.14 * rise * long], 1)
    return _strands(roots, tips, bends, np.full(n, 0.6))


def lips(skin: Array, rng: np.random.Generator, paint: Paint) -> Array:
    """Skin with lips: a soft vermilion border under a lighter roll, fine folds, a darker line where they meet."""
    t = topology()
    x, y = pixels()
    up, low = curve(layout.UPPER_OUTER_LIP), curve(layout.LOWER_OUTER_LIP)
    inner_up, inner_low = curve(layout.UPPER_INNER_LIP), curve(layout.LOWER_INNER_LIP)
    a, b = t.atlas[61, 0], t.atlas[291, 0]
    s = (x - a) / (b - a)
    ends = smooth_step(-0.005, 0.05, s) * smooth_step(-0.005, 0.05, 1 - s)
    inset = np.clip(1 - (2 * s - 1) ** 4, 0, 1)
    edge_up, edge_low = y - up(x[0])[None] - paint.lip_inset[0] * inset, low(x[0])[None] - paint.lip_inset[1] * inset - y
    blunt = 3.5 + 4.0 * np.abs(2 * s - 1) ** 2  # the lower border is lost towards the corners
    inside = soft(smooth_step(-2.5, 3.0, edge_up) * smooth_step(-3.0, blunt, edge_low) * ends, 1.2)
    roll = (np.exp(-(((edge_up + 4) / 3) ** 2)) + 0.6 * np.exp(-(((edge_low + 4) / 3) ** 2))) * ends
    noise = rng.standard_normal((ATLAS_HEIGHT, ATLAS_WIDTH))
    folds = cv2.GaussianBlur(noise, (0, 0), 0.9, sigmaY=4.0) - cv2.GaussianBlur(noise, (0, 0), 3.0, sigmaY=6.0)
    colour = np.array(paint.lip) * (1 + 0.030 * (folds / folds.std())[..., None])
    upper = (y < (inner_up(x[0]) + inner_low(x[0]))[None] / 2)[..., None]
    colour = colour * np.where(upper, 0.90, 1.0) * (1 - 0.10 * np.clip((2 * s - 1) ** 2, 0, 1)[..., None])
    from_line = np.where(upper[..., 0], inner_up(x[0])[None] - y, y - inner_low(x[0])[None])
    gloss = np.exp(-(((from_line - 11) / 5) ** 2)) * np.exp(-(((s - 0.5) / 0.22) ** 2)) * ~upper[..., 0]
    colour = colour * (1 + 0.12 * gloss[..., None])
    under = np.exp(-((np.maximum(edge_low, 0) / 11) ** 2)) * ~upper[..., 0]  # the lower lip turns away from the light
    colour = colour * (1 - 0.19 * under[..., None])
    line = np.exp(-((np.maximum(from_line, 0) / 3.2) ** 2))[..., None]
    colour = colour * (1 - line) + LIP_LINE * line
    shadow = np.exp(-(((edge_low + 13) / 8) ** 2)) * np.exp(-(((s - 0.5) / 0.26) ** 2))
    skin = skin * (1 + (0.035 * roll - 0.10 * shadow) * (1 - inside))[..., None]
    corners = spot([61, 78], 5, 4) + spot([291, 308], 5, 4)
    return np.asarray((skin * (1 - inside[..., None]) + colour * inside[..., None]) * (1 - 0.4 * corners[..., None]))


def mouth(skin: Array, gap: float) -> Array:
    """Skin with the mouth's inside as it shows when the lips are `gap` (canonical) apart; lower and darker teeth below."""
    t = topology()
    x, y = pixels()
    top, bottom = (curve(ids)(x[0])[None] for ids in (layout.UPPER_INNER_LIP, layout.LOWER_INNER_LIP))
    rows = slice(int(top.min()) - 8, int(bottom.max()) + 9)
    x, y = x[rows], y[rows]
    a, b = t.atlas[78, 0], t.atlas[308, 0]
    s = 2 * (x - a) / (b - a) - 1
    across = np.abs(s) * float(np.linalg.norm(t.mean[78] - t.mean[308])) / 2  # canonical, from the middle
    high = gap * np.maximum(bottom - top, 0.1) / float((bottom - top).max())
    below = np.clip((y - top) / np.maximum(bottom - top, 0.5), 0, 1) * high
    tongue = 0.8 * np.exp(-((across / 0.17) ** 2) - ((high - below) / (0.30 * gap)) ** 2)
    colour = CAVITY + (TONGUE - CAVITY) * tongue[..., None]
    which = np.clip(np.searchsorted(TEETH, across.ravel(), "right").reshape(across.shape), 1, len(TEETH) - 1)
    left, right = np.array(TEETH)[which - 1], np.array(TEETH)[which]
    inside = 2 * np.clip((across - left) / (right - left), 0, 1) - 1  # -1..1 across one tooth
    between = np.exp(-(((1 - np.abs(inside)) / 0.13) ** 2))
    arch = 1 - 0.85 * smooth_step(0.13, 0.33, across)
    for depth, long, level in ((high - below, 0.01 + 0.09 * gap, 0.62), (below, 0.050 + 0.085 * min(gap, 0.3), 1.0)):
        edge = long - 0.10 * across**2 / 0.3 - 0.010 * np.abs(inside) ** 3 - 0.004 * (which == 2)
        cover = smooth_step(-0.004, 0.004, edge - depth)
        shade = level * arch * (1 - 0.30 * between) * (0.62 + 0.38 * smooth_step(0, 0.035, depth))
        shade = shade * (0.9 + 0.1 * smooth_step(0, 0.02, edge - depth))
        colour = colour * (1 - cover[..., None]) + TOOTH * (cover * shade)[..., None]
    ends = smooth_step(1.0, 0.93, np.abs(s))
    hole = soft(smooth_step(-1, 0.6, y - top) * smooth_step(-1, 0.6, bottom - y) * ends, 0.6)[..., None]
    out: Array = skin.copy()
    out[rows] = skin[rows] * (1 - hole) + colour * hole
    return out


def eyes(skin: Array, rng: np.random.Generator, paint: Paint, shut: bool) -> Array:
    """Creases, lid edges and lashes, for open or for closed lids; drawn on the right, mirrored to the left."""
    t = topology()
    upper, lower = curve(layout.RIGHT_UPPER_LID), curve(layout.RIGHT_LOWER_LID)
    a, b = float(t.atlas[33, 0]), float(t.atlas[133, 0])
    long = (a - 6.0, b + 1.0)
    crease = line_along(upper, (a - 4, b + 6), 1.6, -9.5, 0.3)
    fold = line_along(upper, (a - 8, b + 8), 6.0, -15.0, 0.3)
    lash = line_along(upper, long, 2.3, -1.4, 0.10)
    rim = line_along(lower, (a, b), 1.3, 1.6, 0.2)
    low_line = line_along(lower, (a, b), 1.6, 3.6, 0.35)
    low_fold = (1 + 2 * paint.folds) * line_along(lower, (a, b), 5.0, 15.0, 0.4)
    hairs = np.zeros_like(lash)
    if shut:
        # short: while the lids are half open, this texture is blended in under the eye
        hairs = 0.4 * _lashes(rng, layout.RIGHT_LOWER_LID, 60, 1.0, 0.8, (2.5, 4.5))
        dark = 0.10 * crease + 0.06 * fold + 0.04 * low_fold + 0.25 * rim
    else:
        hairs = 0.6 * _lashes(rng, layout.RIGHT_UPPER_LID, 64, -1.0, 0.9, (6, 10)) + 0.25 * _lashes(
            rng, layout.RIGHT_LOWER_LID, 26, 1.0, 0.6, (3, 6))
        dark = 0.42 * crease + 0.17 * fold + 0.06 * low_fold + 0.26 * low_line
        skin = skin * (1 + (rim + mirrored(rim))[..., None] * np.array([0.02, -0.10, -0.10]))
    dark = dark + mirrored(dark)
    skin = skin * (1 - np.clip(dark, 0, 1)[..., None] * np.array([0.9, 1.0, 1.0]))
    ink = 1 - (1 - np.clip(hairs, 0, 1)) * (1 - 0.92 * lash)
    ink = np.clip(ink + mirrored(ink), 0, 1)[..., None]
    return np.asarray(skin * (1 - ink) + LASH * ink)


def brows(skin: Array, rng: np.random.Generator, paint: Paint) -> Array:
    """Skin with brows: strands over a soft ground."""
    strands, ground = _brow(rng, paint)
    ink = 1 - (1 - paint.brow_ink * strands) * (1 - 0.8 * paint.brow_ink * ground)
    ink = np.clip(ink + mirrored(ink), 0, 1)[..., None]
    return np.asarray(skin * (1 - ink) + np.array(paint.hair) * ink)
