"""A volunteer's footage -> a double: neutral shape, de-lit key frames in the UV atlas, iris, coverage of the sheet."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import cv2
import numpy as np

from facedouble.doubles.clean import clean_border
from facedouble.doubles.file import identity
from facedouble.doubles.lids import closed, shut
from facedouble.errors import InputRefused
from facedouble.morphable import layout
from facedouble.morphable.gestures import lips_closed
from facedouble.morphable.light import irradiance
from facedouble.morphable.pose import canonical, euler
from facedouble.morphable.semantics import FEATURE_STEPS, Semantics, neutral_frames, rest_cost, semantics
from facedouble.morphable.topology import ATLAS_HEIGHT, ATLAS_WIDTH, topology, vertex_normals
from facedouble.raster import linear, mean3, push_pull, render
from facedouble.types import MESH_POINTS, Array, Consent, Double, Floats, Value

KEY_FRAMES = 14
KEY_YAW, KEY_PITCH, KEY_MOTION = 25.0, 15.0, 0.15  # degrees, degrees, eye distances per frame
FOREIGN = 3.0  # half feature steps: another camera than the first key frame's has its own sharpness
REST_YAW, REST_YAW_PHOTO = 25.0, 12.0  # degrees: one photo has to show both sides of the face
ALBEDO_FLOOR = 0.012  # linear: dark pixels have no reliable chroma
DARKEST_ALBEDO = 0.02  # of mean skin: less is noise in the black
LEAST_FACING = 0.2  # cosine: skin seen flatter than that is smeared over the atlas
CHROMA_LIMIT = 0.55  # log units
EYE_PATCH = (192, 128)  # px: u in [-.1, 1.1] of the eye width, v in [-.4, .4]


@dataclass(frozen=True)
class Material(Value):
    """Landmarks of a volunteer: marks (T, 478, 3) px of whole frames; `moving` if any are from a clip.

    origin (T,) is the number of the clip that a frame is from, whose frames follow each other in time, or -1 for a photo;
    None says that all are from one clip, or that all are photos. time (T,) is the number of the frame in its clip; None says
    that no frame was passed over.
    """

    marks: Array
    moving: bool
    origin: Array | None = None
    time: Array | None = None

    def check(self) -> None:
        if self.origin is not None and self.origin.shape != (len(self.marks),):
            raise ValueError("one origin for each frame")
        if self.time is not None and self.time.shape != (len(self.marks),):
            raise ValueError("one time for each frame")

    def groups(self) -> list[tuple[Array, bool]]:
        """Frame numbers of each clip, and of the photos together; and whether it is a clip."""
        origin = np.full(len(self.marks), 0 if self.moving else -1) if self.origin is None else self.origin
        return [(np.flatnonzero(origin == k), bool(k >= 0)) for k in np.unique(origin)]


@dataclass(frozen=True)
class Selection(Value):
    """Which frames to take pictures of, and what is known without pictures."""

    frames: tuple[int, ...]
    neutral: Array
    features: Array
    gaze_middle: Array
    widest: int
    rest_yaw: float
    least_gap: float
    coverage: dict[str, bool]
    quality: str


def coverage(s: Semantics, angles: Array, rest: Semantics) -> dict[str, bool]:
    """Which parts of the capture sheet the frames hold."""
    return {name: bool(shown.any()) for name, shown in moments(s, angles, rest).items()}


def moments(s: Semantics, angles: Array, rest: Semantics) -> dict[str, Array]:
    """(T,) bool for each name that `guide.PARTS` finds: the frames that show it. Left and right are the person's."""
    r0, l0 = float(rest.right_aperture[0]), float(rest.left_aperture[0])
    shut_r, shut_l = s.right_aperture < 0.55 * r0, s.left_aperture < 0.55 * l0
    brows = (s.right_brow + s.left_brow) / 2 - float(rest.right_brow[0] + rest.left_brow[0]) / 2
    wide = s.width / float(rest.width[0])
    yaw, pitch = angles[:, 0], angles[:, 1]
    return {
        "neutral": np.ones(len(yaw), bool), "eyes closed": shut_r & shut_l,
        "wink right": shut_r & (s.left_aperture > 0.75 * l0), "wink left": shut_l & (s.right_aperture > 0.75 * r0),
        "brows up": brows > 0.03, "brows down": brows < -0.02,
        "smile": (wide > 1.08) & (s.gap < 0.05), "smile with teeth": (wide > 1.08) & (s.gap > 0.05),
        "mouth wide open": s.gap > 0.25, "pucker": wide < 0.85,
        "turn right": yaw > 20, "turn left": yaw < -20,
        "nod": np.abs(pitch - (pitch.max() + pitch.min()) / 2) > 10,
    }


def select(material: Material) -> Selection:
    """Choose neutral and key frames; InputRefused with advice if no frame is at rest."""
    chosen = measure(material)
    _check_neutral(chosen)
    return replace(chosen, neutral=lips_closed(chosen.neutral))  # parted lips at rest would part in every expression


def measure(material: Material) -> Selection:
    """The same without asking whether the neutral is one."""
    t = topology()
    marks = material.marks.astype(np.float64)
    shapes, _, rotations, _ = canonical(marks, t.mean)
    angles = np.array([euler(r) for r in rotations])
    s = semantics(shapes)
    rest = neutral_frames(s, angles, shapes, t.mean, t.mirror)
    neutral = np.median(shapes[rest], 0)
    n = semantics(neutral[None])
    features = s.features()
    if len(marks) == 1:
        chosen = [0]
    else:
        usable = _usable(material, angles)
        usable[rest[0]] = True
        cost = rest_cost(s, angles, shapes, t.mean, t.mirror)
        first = int(rest[np.argmin(np.abs(angles[rest, 0]) / 5 + cost[rest])])
        foreign = np.ones(len(marks)) * FOREIGN
        foreign[next(ids for ids, _ in material.groups() if first in ids)] = 0
        chosen = _farthest(features / FEATURE_STEPS, np.abs(angles[:, 0]) / 12 + foreign, np.flatnonzero(usable), first)
    apertures = features[chosen, 4]
    open_cost = np.abs(apertures - np.percentile(apertures, 80)) * 10 + np.abs(angles[chosen, 0]) / 20
    found = coverage(s, angles, n)
    quality = "basic" if len(marks) == 1 else "good" if material.moving and sum(found.values()) >= 6 else "fair"
    return Selection(tuple(int(c) for c in chosen), neutral, features[chosen], _gaze_middle(shapes),
                     int(np.argmin(open_cost)), float(np.median(angles[rest, 0])),
                     float(np.percentile(s.gap, 5)), found, quality)


def _check_neutral(chosen: Selection) -> None:
    t, neutral = topology(), chosen.neutral
    n = semantics(neutral[None])
    lips = np.array(layout.UPPER_OUTER_LIP + layout.LOWER_OUTER_LIP)
    skew = float(np.abs(neutral[lips] - neutral[t.mirror[lips]] * [-1, 1, 1]).mean())
    why = None
    if chosen.least_gap > 0.10:
        why = "the mouth is never closed"
    elif min(float(n.right_aperture[0]), float(n.left_aperture[0])) < 0.12:
        why = "the eyes are never open"
    elif skew > 0.06:
        why = "the face is never even on both sides"
    elif abs(chosen.rest_yaw) > (REST_YAW_PHOTO if chosen.quality == "basic" else REST_YAW):
        why = "the face never looks at the camera"
    if why:
        raise InputRefused(f"no neutral face in the material: {why}; film two seconds of a face at rest, looking at the camera")


def _usable(material: Material, angles: Array) -> Array:
    """(T,) bool: frames to take a picture of: frontal, level for the camera they are from, and still."""
    usable: Array = (np.abs(angles[:, 0]) < KEY_YAW) & still(material)
    for ids, _ in material.groups():
        usable[ids] &= np.abs(angles[ids, 1] - np.median(angles[ids, 1])) < KEY_PITCH
    return usable


def still(material: Material) -> Array:
    """(T,) bool: frames in which the face hardly moves; all photos."""
    calm = np.ones(len(material.marks), bool)
    for ids, moving in material.groups():
        if moving:
            marks = material.marks[ids].astype(np.float64)
            eye = np.linalg.norm(marks[0, 33] - marks[0, 263])
            steps = np.r_[0, np.linalg.norm(np.diff(marks[:, [1, 152]], axis=0), axis=(1, 2))] / eye
            passed = np.ones(len(ids)) if material.time is None else np.diff(material.time[ids], prepend=-1)
            calm[ids] = steps < KEY_MOTION * np.maximum(passed, 1)
    return calm


def _farthest(features: Array, penalty: Array, usable: Array, first: int) -> list[int]:
    """Farthest-point sampling: each next frame is the one least like those chosen."""
    chosen = [first]
    far = np.linalg.norm(features[usable] - features[first], axis=1)
    while len(chosen) < min(KEY_FRAMES, len(usable)):
        best = int(usable[np.argmax(far - 0.5 * penalty[usable])])
        if best in chosen:
            break
        chosen.append(best)
        far = np.minimum(far, np.linalg.norm(features[usable] - features[best], axis=1))
    return chosen


def _gaze_middle(shapes: Array) -> Array:
    middles = []
    for iris, outer, inner in ((468, 33, 133), (473, 263, 362)):
        a, b = shapes[:, outer, :2], shapes[:, inner, :2]
        left, right = (a, b) if iris == 468 else (b, a)
        axis = right - left
        width = np.linalg.norm(axis, axis=-1)
        down = np.stack([-axis[:, 1], axis[:, 0]], -1) / width[:, None]
        middles.append(np.median(((shapes[:, iris, :2] - left) * down).sum(-1) / width))
    return np.array(middles)


def _atlas_mesh() -> Array:
    return np.concatenate([topology().atlas, np.zeros((MESH_POINTS, 1))], 1)


def facing(marks: Array) -> Floats:
    """(h, w) of the atlas: cosine of the skin to the camera, of a face with landmarks (478, 3)."""
    towards = -vertex_normals(marks)[:, 2:]
    return render(_atlas_mesh(), topology().triangles, towards, ATLAS_HEIGHT, ATLAS_WIDTH)[1][..., 0]


def unlit(crop: Floats, marks: Array, light: Floats) -> tuple[Floats, Array, Floats]:
    """De-lit atlas (h, w, 3) of a frame as it was seen, relative albedo; where the mesh is (h, w) bool; and `facing`.

    crop (h, w, 3) display RGB, marks (478, 3) in its pixels, light its code.
    """
    t = topology()
    ids, xy = render(_atlas_mesh(), t.triangles, marks[:MESH_POINTS, :2], ATLAS_HEIGHT, ATLAS_WIDTH)
    flat = cv2.remap(crop, xy[..., 0], xy[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    shade = np.maximum(irradiance(light, vertex_normals(marks)), 1e-3)
    lit = np.maximum(render(_atlas_mesh(), t.triangles, shade, ATLAS_HEIGHT, ATLAS_WIDTH)[1], 1e-3)
    colour = linear(flat)
    brightness = np.maximum(mean3(colour) / np.maximum(mean3(lit), ALBEDO_FLOOR), DARKEST_ALBEDO)
    hue, grey = ((c + ALBEDO_FLOOR) / (of + ALBEDO_FLOOR) for c, of in ((colour, lit), (mean3(colour), mean3(lit))))
    chroma = np.log(hue) - np.log(grey)[..., None]
    albedo = brightness[..., None] * np.exp(CHROMA_LIMIT * np.tanh(chroma / CHROMA_LIMIT))
    return albedo.astype(np.float32), ids >= 0, facing(marks)


def texture(crop: Floats, marks: Array, light: Floats, clean: bool = True) -> Floats:
    """The same as a key frame's texture: filled to beyond the mesh; clean: hair and what was seen too flat replaced."""
    albedo, inside, seen = unlit(crop, marks, light)
    if clean:
        albedo = clean_border(albedo, inside, seen < LEAST_FACING)
    inner = cv2.erode(inside.astype(np.uint8), np.ones((3, 3)), borderValue=0).astype(np.float32)
    albedo = np.where(inner[..., None] > 0, albedo, push_pull(albedo, inner))
    out: Floats = np.clip(albedo, 0, 6).astype(np.float32)
    return out


@cache
def _plain_skin() -> Array:
    """(h, w) bool: the atlas' pixels that are plain skin, away from the rim."""
    t = topology()
    plain = np.isin(np.arange(MESH_POINTS), t.skin_points) & (t.ring >= 2)
    share = render(_atlas_mesh(), t.triangles, plain[:, None].astype(np.float64), ATLAS_HEIGHT, ATLAS_WIDTH)[1]
    mask: Array = share[..., 0] > 0.99
    return mask


def equalise(textures: list[Floats], cameras: list[int]) -> list[Floats]:
    """Textures of several cameras in one tone: the skin of each camera has a median of 1 in each channel.

    textures: K of (h, w, 3); cameras: which clip or photo each is from. Key frames of one camera keep their differences.
    """
    if len(set(cameras)) < 2:
        return textures
    skin = _plain_skin()
    tone = {c: np.median(np.concatenate([t[skin] for t, k in zip(textures, cameras, strict=True) if k == c]), 0)
            for c in set(cameras)}
    return [(t / np.maximum(tone[c], 0.05)).astype(np.float32) for t, c in zip(textures, cameras, strict=True)]


def iris(crop: Floats, marks: Array, light: Floats) -> Array:
    """(2, 5) of right and left eye: iris radius over eye width, iris colour over skin (3), sclera over skin."""
    lit = irradiance(light, vertex_normals(marks))
    rows = []
    for upper, lower, ring, corners in ((layout.RIGHT_UPPER_LID, layout.RIGHT_LOWER_LID, layout.RIGHT_IRIS, (33, 133)),
                                        (layout.LEFT_UPPER_LID, layout.LEFT_LOWER_LID, layout.LEFT_IRIS, (362, 263))):
        left, axis = marks[corners[0], :2], marks[corners[1], :2] - marks[corners[0], :2]
        down = np.array([-axis[1], axis[0]])
        w, h = EYE_PATCH
        u, v = np.meshgrid(np.linspace(-0.1, 1.1, w), np.linspace(-0.4, 0.4, h))
        x, y = (left[k] + u * axis[k] + v * down[k] for k in (0, 1))
        patch = linear(cv2.remap(crop, x.astype(np.float32), y.astype(np.float32), cv2.INTER_CUBIC))
        frame = np.stack([axis, down], 1)
        rim = np.linalg.solve(frame, (marks[upper + lower[::-1], :2] - left).T).T
        corners_px = np.stack([(rim[:, 0] + 0.1) / 1.2 * (w - 1), (rim[:, 1] + 0.4) / 0.8 * (h - 1)], 1)
        opening = np.zeros((h, w), np.uint8)
        cv2.fillPoly(opening, [corners_px.astype(np.int32)], 1)
        opening = cv2.erode(opening, np.ones((7, 7))) > 0
        q = np.linalg.solve(frame, (marks[ring, :2] - left).T).T
        radius = float(np.clip(np.median(np.linalg.norm(q[1:] - q[0], axis=1)), 0.18, 0.25))
        far = np.hypot(u - q[0, 0], v - q[0, 1]) / radius
        lum, skin = patch.mean(-1), float(lit[upper].mean())
        ring_px = opening & (far > 0.45) & (far < 0.85)
        colour = np.array([0.06, 0.04, 0.03])
        if ring_px.sum() > 30:
            colour = np.median(patch[ring_px & (lum <= np.percentile(lum[ring_px], 60))], 0)
        white = opening & (far > 1.15) & (u > 0.1) & (u < 0.9)
        sclera = float(np.clip(np.percentile(lum[white], 85) / skin, 0.75, 1.7)) if white.sum() > 40 else 1.0
        rows.append(np.r_[radius, colour / skin, sclera])
    both = np.array(rows)
    both[:, 1:] = both[:, 1:].mean(0)  # the two irises of a face are alike; one eye alone is noisy
    return both


LIDS = [4, 5]  # of the features
UNCALIBRATED = np.array([[0, 0], [1, 1]], np.float32)


def assemble(chosen: Selection, textures: list[Floats], eyes: Array, consent: Consent,
             lip_response: Floats = UNCALIBRATED) -> Double:
    """Put the parts together and give the double its id.

    If the lids were never seen closed, a key frame with painted ones is added; `coverage` goes on saying that they were not.
    """
    features = chosen.features
    if not chosen.coverage["eyes closed"]:
        textures = [*textures, shut(textures[0])]
        awake, asleep = semantics(np.stack([chosen.neutral, closed(chosen.neutral)])).features()
        features = np.concatenate([features, features[:1] + asleep - awake])
        features[-1, LIDS] = asleep[LIDS]
    parts = (chosen.neutral.astype(np.float32), np.stack(textures).astype(np.float16), features.astype(np.float32),
             eyes.astype(np.float32), chosen.gaze_middle.astype(np.float32), lip_response)
    unnamed = Double("", *parts, chosen.quality, chosen.coverage, consent)
    return Double(identity(unnamed), *parts, chosen.quality, chosen.coverage, consent)
