"""Face code + double -> the double's mesh in the scene. Nothing here sees a pixel or a landmark of the witness."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.spatial.transform import Rotation

from facedouble.morphable import layout
from facedouble.morphable.semantics import FEATURE_REGIONS, FEATURE_STEPS, semantics
from facedouble.morphable.topology import topology
from facedouble.protect.texture import level_for, packed
from facedouble.types import MESH_POINTS, Array, ClipCode, Double, FaceCode, Rows, Value

LID_SHARE = 0.82  # of a lid's motion is the upper lid's
RESTING_OPENING = (0.20, 0.34)  # aperture over eye width: outside of that a rest is a squint or a stare, or measured badly
OPEN_AT_REST = 0.34  # a double's aperture over eye width at most: a volunteer who stares into the lens is not worn staring
WIDENING, WIDEST = 0.75, 1.45  # of what goes beyond rest; times the opening at rest
MOUTH_GAIN = 1.2  # of sideways motion, and GAZE_GAIN of x and y: landmarkers flatten what is drawn as much as what is filmed
GAZE_GAIN = (1.15, 1.3)
LIP_FACTORS = (0.7, 2.5)
LIP_RATIOS = (0.9, 1.15)  # a gap follows the face's height: a small mouth still has to be seen opening
KEYS_KEPT = 3
KEPT_FRAMES = 64  # meshes held while their neighbours are drawn
WEIGHT_WINDOW, WEIGHT_SIGMA = 3, 1.3  # frames to each side; key-frame weights change smoothly


@dataclass(frozen=True)
class Retarget(Value):
    """How the witness' motion scales onto the double: ratios double over witness, outline scale and vertical offset."""

    mouth: float
    face: float
    eye: float
    outline: float
    offset: float

    @classmethod
    def between(cls, clip: ClipCode, double: Double) -> Retarget:
        """Ratios with the limits that keep a strange witness shape out (note 3.5)."""
        n = double.neutral.astype(np.float64)
        oval = n[layout.OVAL][:, :2]
        x, y = oval[:, 0], oval[:, 1]
        area = float(abs(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))) / 2)
        scale = float(np.clip(np.sqrt(clip.outline_area / area), 0.9, 1.1))
        offset = clip.outline_middle - scale * float(y.max() + y.min()) / 2
        return cls(float(np.clip(np.linalg.norm(n[61] - n[291]) / clip.mouth_width, 0.7, 1.4)),
                   float(np.clip((n[152, 1] - n[168, 1]) / clip.face_height, 0.8, 1.25)),
                   float(np.clip(np.linalg.norm(n[33] - n[133]) / clip.eye_width, 0.8, 1.25)),
                   scale, float(np.clip(offset, -0.08, 0.08)))


def lid_opening(r: float) -> float:
    """Drawn opening over the opening at rest, of a measured one; both 0 to `WIDEST`.

    Landmarkers read half-closed lids as too open (.5 of rest is read as .7, on witness and double alike), so that what is
    drawn as measured is read as too open once more.
    """
    return r * r * (2 - r) if r < 1 else min(1 + (r - 1) * WIDENING, WIDEST)


def _lids(points: Array, double: Double, code: FaceCode, clip: ClipCode) -> None:
    eyes = ((layout.RIGHT_UPPER_LID, layout.RIGHT_LOWER_LID, (33, 133)),
            (layout.LEFT_UPPER_LID, layout.LEFT_LOWER_LID, (263, 362)))
    n = double.neutral
    for eye, (upper, lower, corners) in enumerate(eyes):
        shut = clip.lids_closed[eye]
        r = (float(code.lids[eye]) - shut) / (float(np.clip(clip.lids_neutral[eye], *RESTING_OPENING)) - shut)
        r = lid_opening(float(np.clip(r, 0, WIDEST)))
        shift = sum((points[c] - n[c]) * 0.5 for c in corners)
        opening = n[upper[1:-1]] - n[lower[1:-1]]
        gaps = np.linalg.norm(n[upper[3:6]] - n[lower[3:6]], axis=1)  # as `semantics` has it
        stare = float(gaps.mean() / np.linalg.norm(n[corners[0]] - n[corners[1]]))
        opening = opening * min(1.0, OPEN_AT_REST / max(stare, 1e-3))
        raise_lower = (1 - LID_SHARE) * (1 - min(r, 1))
        low = n[lower[1:-1]] + shift + opening * raise_lower
        points[upper[1:-1]] = low + opening * r * (1 - raise_lower)
        points[lower[1:-1]] = low


def lip_factor(double: Double, gap: float) -> float:
    """By how much lip gaps are drawn wider so that a landmarker sees a middle gap of `gap` (canonical)."""
    if gap < 1e-4:
        return 1.0
    drawn, measured = double.lip_response[:, 0], double.lip_response[:, 1]
    return float(np.clip(np.interp(measured[0] + gap, measured, drawn) / gap, *LIP_FACTORS))


def _lips(points: Array, double: Double, code: FaceCode, ratio: float) -> None:
    up, low = layout.UPPER_INNER_LIP[1:-1], layout.LOWER_INNER_LIP[1:-1]
    wanted = code.lips * ratio
    missing = wanted * lip_factor(double, float(wanted[3:6].mean())) - (points[low, 1] - points[up, 1])
    points[up, 1] -= missing * 0.3
    points[low, 1] += missing * 0.7
    points[layout.UPPER_OUTER_LIP[1:-1], 1] -= missing * 0.15
    points[layout.LOWER_OUTER_LIP[1:-1], 1] += missing * 0.35


def canonical_mesh(code: FaceCode, clip: ClipCode, double: Double, to: Retarget) -> Array:
    """(468, 3) the double's expression in its own canonical frame."""
    t = topology()
    move = np.tensordot(code.expression.astype(np.float64), t.basis, 1)
    mouth = t.shares[:, :1]
    scale = np.concatenate([MOUTH_GAIN * to.mouth * mouth + to.eye * (1 - mouth), to.face * mouth + to.eye * (1 - mouth),
                            to.face * mouth + to.eye * (1 - mouth)], 1)
    points: Array = double.neutral[:MESH_POINTS].astype(np.float64) + move * scale
    _lids(points, double, code, clip)
    _lips(points, double, code, float(np.clip(to.face, *LIP_RATIOS)))
    return points


def place(points: Array, code: FaceCode, to: Retarget) -> Array:
    """(468, 3) px: canonical points put where the witness' head is."""
    rotation = Rotation.from_rotvec(code.rotation.astype(np.float64)).as_matrix()
    placed: Array = code.scale * ((to.outline * points + [0, to.offset, 0]) @ rotation.T) + code.translation
    return placed


def key_weights(features: Array, double: Double) -> Array:
    """(3, K) weight of each key frame for mouth, right eye and left eye: the nearest three, Gaussian in feature steps."""
    k = len(double.features)
    weights = np.zeros((3, k))
    for region, columns in enumerate(FEATURE_REGIONS):
        ids = list(columns)
        far = (((features[ids] - double.features[:, ids]) / FEATURE_STEPS[ids]) ** 2).sum(1)
        w = np.exp(-(far - far.min()) / 2)
        w[np.argsort(w)[:-KEYS_KEPT]] = 0
        weights[region] = w / w.sum()
    return weights


class Performance:
    """A run of codes played by a double. Meshes and key weights are made when asked for, with their neighbours."""

    def __init__(self, codes: Sequence[FaceCode], clip: ClipCode, double: Double) -> None:
        self.codes = codes
        self.clip = clip
        self.double = double
        self.to = Retarget.between(clip, double)
        self._look = np.median([c.gaze for c in codes], 0).astype(np.float64)
        self._made: dict[int, tuple[Array, Array, Array]] = {}
        width = float(np.linalg.norm(double.neutral[234, :2] - double.neutral[454, :2])) * self.to.outline
        self.level = level_for(width * float(np.median([c.scale for c in codes])))
        self.matched_blur: float | None = None  # of codes and double alone, whichever frame is drawn first; kept by `blur_of`
        kernel = np.exp(-np.arange(-WEIGHT_WINDOW, WEIGHT_WINDOW + 1) ** 2 / (2 * WEIGHT_SIGMA**2))
        self._kernel = kernel / kernel.sum()

    @cached_property
    def textures(self) -> Array:
        """(K, h, w, 3) uint16, as of `packed`."""
        return packed(self.double, self.level)

    def playing(self, codes: Sequence[FaceCode]) -> Performance:
        """The same double in the same clip with other codes; what is dear to make is shared."""
        other = Performance(codes, self.clip, self.double)
        if other.level == self.level:
            other.textures = self.textures
        return other

    @cached_property
    def fingerprint(self) -> bytes:
        """SHA-256 of all that its drawings are made of besides code; all codes, since medians over them go into every frame."""
        told = hashlib.sha256(f"{self.double.id} {self.double.quality}".encode())
        told.update(np.array(self.clip.floats(), np.float64).tobytes())
        codes = self.codes
        told.update(codes.numbers.tobytes() if isinstance(codes, Rows) else b"".join(c.pack() for c in codes))
        return told.digest()

    def _one(self, t: int) -> tuple[Array, Array, Array]:
        made = self._made.get(t)
        if made is None:
            mesh = canonical_mesh(self.codes[t], self.clip, self.double, self.to)
            features = semantics(mesh[None]).features()[0]
            made = mesh, features, key_weights(features, self.double)
            if len(self._made) > KEPT_FRAMES:  # threads draw frames near each other; a lost entry is only made again
                self._made = {}
            self._made[t] = made
        return made

    def mesh(self, t: int) -> Array:
        """(468, 3) canonical."""
        return self._one(t)[0]

    def velocity(self, t: int) -> Array:
        """(2,) px a frame: how the middle of the drawn face moves."""
        last = len(self.codes) - 1
        before, after = max(t - 1, 0), min(t + 1, last)
        middle = self.mesh(t).mean(0)
        a, b = (place(middle, self.codes[i], self.to) for i in (before, after))
        moved: Array = (b - a)[:2] / max(after - before, 1)
        return moved

    def lip_gap(self, t: int) -> float:
        return float(self._one(t)[1][0])

    def features(self, t: int) -> Array:
        return self._one(t)[1]

    def weights(self, t: int) -> Array:
        """(3, K) key-frame weights, smoothed over seven frames."""
        last = len(self.codes) - 1
        near = range(t - WEIGHT_WINDOW, t + WEIGHT_WINDOW + 1)
        total: Array = sum(w * self._one(min(max(i, 0), last))[2] for w, i in zip(self._kernel, near, strict=True))
        return total

    def gaze(self, t: int) -> Array:
        """(4,) right x y, left x y. No offset in x; in y half of the difference of the resting heights, within .04."""
        offset = np.clip(np.mean(self.double.gaze_middle - np.array(self.clip.gaze_middle)), -0.04, 0.04)
        looks: Array = self._look + (self.codes[t].gaze - self._look) * np.tile(GAZE_GAIN, 2) + np.tile([0, offset], 2)
        return looks
