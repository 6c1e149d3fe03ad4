"""Landmarks of one track -> face codes: pose, expression, lids, lips, gaze; zero-phase smoothing; what to trust."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import distance_transform_edt, gaussian_filter1d
from scipy.signal import savgol_filter
from scipy.spatial.transform import Rotation

from facedouble.morphable import layout
from facedouble.morphable.pose import canonical, euler
from facedouble.morphable.semantics import neutral_frames, semantics
from facedouble.morphable.topology import topology
from facedouble.options import FitOptions
from facedouble.types import MESH_POINTS, Array, ClipCode, FaceCode, Value

# windows in frames, Savitzky-Golay of order 2 (Analytical Chemistry 36(8), 1964)
LANDMARK_WINDOW, ROTATION_WINDOW, SCALE_WINDOW, SHIFT_WINDOW, CODE_WINDOW = 5, 7, 9, 7, 5
LIGHT_SIGMA = 4.0  # frames


@dataclass(frozen=True)
class Sighting(Value):
    """What was measured of one face in one frame: landmarks fused from picture and mirror, and the light.

    marks (478, 3) px; disagreement: rms distance of the two landmark runs over the eye distance.
    """

    frame: int
    marks: Array
    light: Array
    disagreement: float


@dataclass(frozen=True)
class Outline(Value):
    """The witness' outline, all that passes beside the codes: where to blank, and how far the surroundings move.

    mesh (468, 2) px, smoothed landmarks.
    """

    mesh: Array


@dataclass(frozen=True)
class Fit(Value):
    """A run of frames with codes. `codes` and `outlines` are one per frame from `start`; trust (n,) in [0, 1]."""

    start: int
    codes: tuple[FaceCode, ...]
    outlines: tuple[Outline, ...]
    clip: ClipCode
    angles: Array
    trust: Array


def smooth(values: Array, window: int) -> Array:
    """Zero-phase Savitzky-Golay along the first axis; short runs stay as they are."""
    n = len(values)
    w = min(window, n if n % 2 else n - 1)
    if w <= 2:
        return values
    out: Array = savgol_filter(values, w, 2, axis=0, mode="interp")
    return out


def fuse(plain: Array, mirrored: Array) -> tuple[Array, float]:
    """Mean of landmarks from a picture and from its mirror (already turned back in x), and their disagreement."""
    turned = np.empty_like(mirrored)
    turned[topology().mirror] = mirrored
    eye = np.linalg.norm(plain[33, :2] - plain[263, :2]) + 1e-6
    apart = np.sqrt(((plain[:MESH_POINTS, :2] - turned[:MESH_POINTS, :2]) ** 2).sum(-1).mean()) / eye
    return (plain + turned) / 2, float(apart)


def gaze(shapes: Array) -> Array:
    """(T, 4) iris centre in eye-corner axes: right x y, left x y; x from image left to right over the eye width."""
    found = []
    for iris, outer, inner in ((468, 33, 133), (473, 263, 362)):
        a, b = shapes[:, outer, :2], shapes[:, inner, :2]
        left, right = (a, b) if iris == 468 else (b, a)
        axis = right - left
        width = np.linalg.norm(axis, axis=-1, keepdims=True)
        ex = axis / width
        ey = np.stack([-ex[:, 1], ex[:, 0]], -1)
        r = shapes[:, iris, :2] - left
        found += [(r * ex).sum(-1) / width[:, 0], (r * ey).sum(-1) / width[:, 0]]
    return np.stack(found, 1)


def _shared_gaze(g: Array) -> Array:
    """Both eyes move together: three quarters of the motion is shared, which takes the noise off."""
    both = (g[:, :2] + g[:, 2:]) / 2
    parts = []
    for own in (g[:, :2], g[:, 2:]):
        parts.append(0.75 * both + 0.25 * own + 0.25 * (np.median(own, 0) - np.median(both, 0)))
    return np.concatenate(parts, 1)


def _lip_gaps(shapes: Array) -> Array:
    """(T, 9) vertical inner-lip gaps, 0 for closed lips: the landmarker's own offset is taken off."""
    upper, lower = shapes[:, layout.UPPER_INNER_LIP[1:-1], 1], shapes[:, layout.LOWER_INNER_LIP[1:-1], 1]
    g = lower - upper
    g = np.maximum(g - np.minimum(np.percentile(g, 8, axis=0), 0.02), 0)
    return smooth(np.where(g < 0.012, g * 0.5, g), CODE_WINDOW)


def _area(points: Array) -> float:
    x, y = points[:, 0], points[:, 1]
    return float(abs(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))) / 2)


def fit(sightings: list[Sighting], edge_sigma: float, grain_sigma: float) -> Fit:
    """Codes of consecutive sightings of one face within a shot. Trust is 1 here; `judge` lowers it."""
    t = topology()
    marks = np.stack([s.marks for s in sightings]).astype(np.float64)
    shapes, scales, rotations, shifts = canonical(marks, t.mean)
    turns = Rotation.from_matrix(rotations)
    middle = turns[len(turns) // 2]
    rotations = (middle * Rotation.from_rotvec(smooth((middle.inv() * turns).as_rotvec(), ROTATION_WINDOW))).as_matrix()
    scales, shifts = smooth(scales, SCALE_WINDOW), smooth(shifts, SHIFT_WINDOW)
    angles = np.array([euler(r) for r in rotations])
    s = semantics(shapes)
    rest = neutral_frames(s, angles, shapes, t.mean, t.mirror)
    neutral = np.median(shapes[rest], 0)
    terms = layout.pose_terms(angles) - layout.pose_terms(np.median(angles[rest], 0)[None])
    moves = (shapes - neutral - np.tensordot(terms, t.bend, 1))[:, :MESH_POINTS]
    regions = np.repeat([0, 1, 2], [16, 8, 8])
    expression = np.stack([(moves * t.weights[None, :, r, None]).reshape(len(moves), -1) @ t.basis[k].ravel()
                           for k, r in enumerate(regions)], 1)
    expression = smooth(expression, CODE_WINDOW)
    lids = smooth(np.stack([s.right_aperture, s.left_aperture], 1), CODE_WINDOW)
    lips = _lip_gaps(shapes)
    looks = _shared_gaze(smooth(gaze(shapes), CODE_WINDOW))
    lights = np.stack([x.light for x in sightings])
    lights = gaussian_filter1d(lights, LIGHT_SIGMA, axis=0, mode="nearest") if len(lights) > 3 else lights
    codes = tuple(
        FaceCode(float(scales[i]), Rotation.from_matrix(rotations[i]).as_rotvec().astype(np.float32),
                 shifts[i].astype(np.float32), expression[i].astype(np.float32), lids[i].astype(np.float32),
                 lips[i].astype(np.float32), looks[i].astype(np.float32), lights[i].astype(np.float32))
        for i in range(len(sightings)))
    meshes = smooth(marks[:, :MESH_POINTS, :2], LANDMARK_WINDOW)
    n = semantics(neutral[None])
    oval = neutral[layout.OVAL][:, :2]
    clip = ClipCode(
        float(n.width[0]), float(neutral[152, 1] - neutral[168, 1]), float(np.linalg.norm(neutral[33] - neutral[133])),
        _area(oval), float(oval[:, 1].max() + oval[:, 1].min()) / 2,
        tuple(min(0.115, float(np.percentile(a, 0.5))) for a in lids.T),  # type: ignore[arg-type]
        (float(n.right_aperture[0]), float(n.left_aperture[0])),
        (float(np.median(looks[:, 1])), float(np.median(looks[:, 3]))), edge_sigma, grain_sigma)
    return Fit(sightings[0].frame, codes, tuple(Outline(m.astype(np.float32)) for m in meshes), clip, angles,
               np.ones(len(codes)))


def judge(made: Fit, sightings: list[Sighting], options: FitOptions) -> Array:
    """(n,) bool: whether the fit of a frame is good enough to draw on it."""
    width = np.array([np.linalg.norm(s.marks[234, :2] - s.marks[454, :2]) for s in sightings])
    apart = np.array([s.disagreement for s in sightings])
    heights = np.array([np.linalg.norm(s.marks[10, :2] - s.marks[152, :2]) for s in sightings])
    size = np.maximum(width, heights * 0.75)
    good: Array = ((np.abs(made.angles[:, 0]) <= options.max_yaw) & (np.abs(made.angles[:, 1]) <= options.max_pitch)
                   & ((np.abs(made.angles[:, 2]) <= options.max_roll) | (size >= options.upright_face))
                   & (size >= options.min_face) & (apart < options.max_disagreement))
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
