"""A reading of one face -> face codes: pose, expression, lids, lips, gaze; zero-phase smoothing; what to trust."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import distance_transform_edt, gaussian_filter1d, maximum_filter1d, uniform_filter1d
from scipy.spatial.transform import Rotation

from facedouble.faces.outlines import Outline
from facedouble.faces.reading import Reading, projected
from facedouble.faces.smooth import smooth
from facedouble.morphable import layout
from facedouble.morphable.pose import euler
from facedouble.morphable.semantics import least_cost, rest_cost_of, semantics
from facedouble.morphable.topology import topology
from facedouble.options import FitOptions
from facedouble.types import CODE, MESH_POINTS, Array, ClipCode, FaceCode, Floats, Rows, Value

ROTATION_WINDOW, SCALE_WINDOW, SHIFT_WINDOW, CODE_WINDOW = 7, 9, 7, 5  # frames, Savitzky-Golay
LAG_WINDOW = 3  # frames over which the lag of the smoothed head is judged
LEAST_LAG = np.radians(1.5)  # a lesser one is what landmarks jitter by: on frontal clips .1 to .4 degrees
TURN_GAIN = (1.3, 1.15, 1.0)  # of pitch, yaw and roll
MOST_FURTHER = 5.0  # degrees that a head is turned farther than it was read
SIDEWAYS = (35.0, 50.0)  # degrees of yaw, as read: from there on less is added, and there nothing
LIGHT_SIGMA = 4.0  # frames
TILT_WINDOW = 51  # frames: a small face that tilts is veiled that long, not in turns


@dataclass(frozen=True)
class Fit(Value):
    """A run of frames with codes. `codes` and `outlines` are one per frame from `start`; angles (n, 3) degrees, smooth."""

    start: int
    codes: Rows[FaceCode]
    outlines: Sequence[Outline]
    clip: ClipCode
    angles: Array


def fuse(plain: Array, mirrored: Array) -> tuple[Array, float]:
    """Mean of landmarks from a picture and from its mirror (already turned back in x), and their disagreement."""
    turned = np.empty_like(mirrored)
    turned[topology().mirror] = mirrored
    eye = np.linalg.norm(plain[33, :2] - plain[263, :2]) + 1e-6
    apart = np.sqrt(((plain[:MESH_POINTS, :2] - turned[:MESH_POINTS, :2]) ** 2).sum(-1).mean()) / eye
    return (plain + turned) / 2, float(apart)


def _calm(columns: Floats, window: int) -> None:
    """Smooth (T, k) in place, a column at a time."""
    for k in range(columns.shape[1]):
        columns[:, k] = smooth(columns[:, k].astype(np.float64), window)


def _calm_pose(codes: Floats) -> Array:
    """Smooth scale, rotation and translation of codes (T, 123) in place; returns the head's angles (T, 3), smooth, degrees.

    Where the head turns faster than the smoothing follows, by more than landmarks jitter, codes keep what was read: in a fast
    turn no jitter is seen, and a head that lags is. The angles stay smooth: what is trusted does not hang on one reading.
    """
    read = [codes[:, CODE[k]].astype(np.float64) for k in ("scale", "translation", "rotation")]
    _calm(codes[:, CODE["scale"]], SCALE_WINDOW)
    _calm(codes[:, CODE["translation"]], SHIFT_WINDOW)
    turns = Rotation.from_rotvec(read[2])
    middle = turns[len(turns) // 2]
    calm = middle * Rotation.from_rotvec(smooth((middle.inv() * turns).as_rotvec(), ROTATION_WINDOW))
    angles: Array = np.array([euler(r) for r in calm.as_matrix()])
    off = (calm.inv() * turns).as_rotvec()
    lag = uniform_filter1d(np.linalg.norm(off, axis=1), LAG_WINDOW, mode="nearest")
    pace = np.clip(1 - (LEAST_LAG / np.maximum(lag, LEAST_LAG)) ** 2, 0, 1)[:, None]
    calm = calm * Rotation.from_rotvec(pace * off)
    codes[:, CODE["rotation"]] = calm.as_rotvec()
    for k, was in zip(("scale", "translation"), read, strict=False):
        codes[:, CODE[k]] += pace * (was - codes[:, CODE[k]])
    return angles


def _turn_further(vectors: Floats, angles: Array) -> None:
    """Turn heads, rotation vectors (T, 3), farther from the one in the middle of their angles (T, 3), in place.

    Landmarkers flatten turning as they flatten gaze: mannequins that are drawn at 20, 30 and 40 degrees of yaw are read at 17,
    25 and 33, at 20 of pitch at 15. Far to the side nothing is added: the outline would leave the witness's.
    """
    turns = Rotation.from_rotvec(vectors.astype(np.float64))
    middle = turns[int(np.argmin(np.abs(angles - np.median(angles, 0)).sum(1)))]
    more = (middle.inv() * turns).as_rotvec() * (np.array(TURN_GAIN) - 1)
    far = np.linalg.norm(more, axis=1, keepdims=True)
    more *= np.minimum(1, np.radians(MOST_FURTHER) / np.maximum(far, 1e-9))
    more *= np.clip((SIDEWAYS[1] - np.abs(angles[:, :1])) / (SIDEWAYS[1] - SIDEWAYS[0]), 0, 1)
    vectors[:] = (turns * Rotation.from_rotvec(more)).as_rotvec()


def _share_gaze(g: Floats) -> None:
    """Both eyes (T, 4) move together: three quarters of the motion is shared, which takes the noise off. In place."""
    right, left = g[:, :2].astype(np.float64), g[:, 2:].astype(np.float64)
    both = (right + left) / 2
    for eye, own in ((slice(0, 2), right), (slice(2, 4), left)):
        g[:, eye] = 0.75 * both + 0.25 * own + 0.25 * (np.median(own, 0) - np.median(both, 0))


def _close_lips(gaps: Floats) -> None:
    """Inner-lip gaps (T, 9) as measured -> 0 for closed lips: the landmarker's own offset is taken off. In place."""
    for k in range(gaps.shape[1]):
        g = gaps[:, k].astype(np.float64)
        g = np.maximum(g - min(float(np.percentile(g, 8)), 0.02), 0)
        gaps[:, k] = smooth(np.where(g < 0.012, g * 0.5, g), CODE_WINDOW)


def _area(points: Array) -> float:
    x, y = points[:, 0], points[:, 1]
    return float(abs(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))) / 2)


def fit(reading: Reading, edge_sigma: float, grain_sigma: float) -> Fit:
    """Codes of one face within a shot; uses the reading up, but for its notes."""
    t, notes = topology(), reading.notes
    codes = reading.take_codes()
    angles = _calm_pose(codes)
    _turn_further(codes[:, CODE["rotation"]], angles)
    lids = codes[:, CODE["lids"]]
    some = slice(None, None, reading.every)
    n, right, left = notes[some], *lids[some].T
    rest = least_cost(rest_cost_of(n["gap"], n["width"], n["right_brow"], n["left_brow"], right, left, n["skew"], n["far"],
                                   angles[some]))
    neutral = np.median([reading.sample[i] for i in rest], 0).astype(np.float64)
    expression, middle = codes[:, CODE["expression"]], layout.pose_terms(np.median(angles[some][rest], 0)[None])
    terms, bend, still = layout.pose_terms(angles) - middle, projected(t.bend), projected((neutral - t.mean)[None])[0]
    for k in range(expression.shape[1]):
        expression[:, k] = smooth(expression[:, k] - terms @ bend[:, k] - still[k], CODE_WINDOW)
    _calm(lids, CODE_WINDOW)
    _close_lips(codes[:, CODE["lips"]])
    looks = codes[:, CODE["gaze"]]
    _calm(looks, CODE_WINDOW)
    _share_gaze(looks)
    if len(codes) > 3:
        for k in range(*CODE["light"].indices(codes.shape[1])):
            codes[:, k] = gaussian_filter1d(codes[:, k], LIGHT_SIGMA, mode="nearest")
    reading.sample.clear()
    s = semantics(neutral[None])
    oval = neutral[layout.OVAL][:, :2]
    clip = ClipCode(
        float(s.width[0]), float(neutral[152, 1] - neutral[168, 1]), float(np.linalg.norm(neutral[33] - neutral[133])),
        _area(oval), float(oval[:, 1].max() + oval[:, 1].min()) / 2,
        tuple(min(0.115, float(np.percentile(a, 0.5))) for a in lids.T),  # type: ignore[arg-type]
        (float(s.right_aperture[0]), float(s.left_aperture[0])),
        (float(np.median(looks[:, 1])), float(np.median(looks[:, 3]))), edge_sigma, grain_sigma)
    return Fit(reading.start, Rows(codes, FaceCode.of), reading.outlines, clip, angles)


def judge(made: Fit, notes: Array, options: FitOptions) -> Array:
    """(n,) bool: whether the fit of a frame is good enough to draw on it, from its angles and the reading's notes."""
    size = notes["size"]
    yaw, pitch, roll = np.abs(made.angles).T
    upright = np.where(size < options.small_face, maximum_filter1d(roll, TILT_WINDOW) <= options.small_roll,
                       (roll <= options.max_roll) | (size >= options.upright_face))
    good: Array = ((yaw <= options.max_yaw) & (pitch <= options.max_pitch) & upright
                   & (size >= options.min_face) & (notes["disagreement"] < options.max_disagreement) & notes["seen"])
    return good


def cross_fade(good: Array, fade: int, least: int) -> Array:
    """(n,) weight of the double in [0, 1] from where the fit is good (n,) bool.

    The fade to the veil is over before the first untrusted frame, and the one back starts after the last; runs of trusted
    frames shorter than `least` stay veiled.
    """
    n = len(good)
    trusted = good.astype(bool).copy()
    edges = np.flatnonzero(np.diff(np.r_[0, trusted.astype(int), 0]))
    for a, b in zip(edges[::2], edges[1::2], strict=True):
        if b - a < least and (b - a) < n:
            trusted[a:b] = False
    if trusted.all():
        return np.ones(n)
    weights: Array = np.clip((distance_transform_edt(trusted) - 1) / fade, 0, 1)  # frames to the nearest untrusted one
    return weights
