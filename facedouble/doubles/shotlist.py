"""The range of pose, expression, gaze and light in footage, so that a volunteer can film the same. Numbers only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np

from facedouble.doubles.capture import moments
from facedouble.doubles.guide import PARTS
from facedouble.errors import InputRefused
from facedouble.morphable.light import irradiance_at
from facedouble.morphable.semantics import Semantics, semantics
from facedouble.morphable.topology import topology
from facedouble.types import MESH_POINTS, Array, ClipCode, FaceCode, Value

RANGE = (2.0, 98.0)  # percentiles: what lies outside is rare, or measured badly
STEP = 5  # degrees: ranges are rounded outward to it
LEAST_TIME, LEAST_FRAMES = 0.005, 3  # share of the frames, and frames, from which on something is worth filming
SPEAKING = 0.04  # canonical: the lips' range of somebody who speaks
BLINK, BLINK_LIDS = 12, 0.65  # frames at most; share of the resting opening: quick blinks are measured half shut
LOOK_DOWN, LOOK_DOWN_LIDS = 8, (0.3, 0.75)  # frames at least; share of the resting opening
EYE_MM, EYEBALL_MM = 29.0, 12.0  # adult averages: eye width, radius of the ball
CHUNK = 1000  # frames measured at a time


@dataclass(frozen=True)
class Light(Value):
    """The light on a face: `hour` on the clock face of the picture that it comes from, light side over dark side, and red
    over blue, which skin itself makes warm."""

    hour: int
    contrast: float
    warmth: float


@dataclass(frozen=True)
class Seen(Value):
    """One face of the footage in n frames: angles (n, 3) degrees, measures and those at rest, gaze (n, 2) degrees to the right
    of the picture and down, size (n,) px ear to ear, speed (n,) face widths per second, light."""

    angles: Array
    shown: Semantics
    rest: Semantics
    gaze: Array
    size: Array
    speed: Array
    light: Light


@dataclass(frozen=True)
class Needs(Value):
    """The range of the footage. yaw, pitch, roll: degrees from, to; gap: canonical; gaze: degrees left, right, up, down, of
    the picture; times: share of the frames for each name of `capture.moments` and "looking down"; brows, width: low and high;
    light of each face with its share of the frames; unread: share of the faces' frames that no double can be drawn on."""

    tracks: int
    frames: int
    yaw: tuple[int, int]
    pitch: tuple[int, int]
    roll: tuple[int, int]
    usual: tuple[float, float]
    gap: float
    speaks: bool
    gaze: tuple[float, float, float, float]
    times: dict[str, float]
    blinks: int
    brows: tuple[float, float]
    width: tuple[float, float]
    face: float
    speed: float
    lights: tuple[tuple[Light, float], ...]
    unread: float


def main_light(codes: Array) -> Light:
    """The light of (n, 69) codes: compare the skin's sides, half turned from the camera, around the clock."""
    code = np.median(codes, 0)
    hours = np.arange(1, 13)
    a = np.radians(hours * 30.0)
    facing = np.stack([np.sin(a), -np.cos(a), -np.ones(12)], 1)
    bright = irradiance_at(code, facing / np.linalg.norm(facing, axis=1, keepdims=True)).mean(1)
    ratio = bright / np.roll(bright, 6)
    best = int(np.argmax(ratio))
    return Light(int(hours[best]), float(ratio[best]), float(code[0] / max(code[2], 1e-4)))


def _measures(codes: Sequence[FaceCode], clip: ClipCode) -> tuple[Semantics, Semantics]:
    """What the codes show on the mean face, and the same at rest."""
    t = topology()
    still = semantics(t.mean[None])
    rows = [np.zeros((0, 8))]
    for i in range(0, len(codes), CHUNK):
        moves = np.tensordot(np.stack([c.expression for c in codes[i : i + CHUNK]]).astype(np.float64), t.basis, 1)
        rows.append(semantics(t.mean[:MESH_POINTS] + moves).features())
    columns = np.concatenate(rows).T
    lids = np.stack([c.lids for c in codes]).T
    shown = replace(Semantics(*columns), gap=np.stack([c.lips[3:6] for c in codes]).mean(1), right_aperture=lids[0],
                    left_aperture=lids[1])
    rest = replace(still, gap=np.zeros(1), right_aperture=np.array([clip.lids_neutral[0]]),
                   left_aperture=np.array([clip.lids_neutral[1]]))
    return shown, rest


def see(codes: Sequence[FaceCode], clip: ClipCode, angles: Array, frames: Array, rate: float) -> Seen:
    """Read the codes of one track. angles (n, 3) degrees, frames (n,) numbers in the film, rate per second."""
    shown, rest = _measures(codes, clip)
    looks = np.stack([c.gaze for c in codes]).astype(np.float64)
    off = np.stack([looks[:, [0, 2]].mean(1) - 0.5, looks[:, [1, 3]].mean(1) - np.mean(clip.gaze_middle)], 1)
    width = float(np.linalg.norm(topology().mean[234] - topology().mean[454]))
    scale = np.array([c.scale for c in codes])
    places = np.stack([c.translation[:2] for c in codes]).astype(np.float64)
    steps = np.linalg.norm(np.diff(places, axis=0), axis=1) / np.diff(frames) * rate / (width * scale[1:])
    return Seen(angles, shown, rest, np.degrees(np.arcsin(np.clip(off * EYE_MM / EYEBALL_MM, -0.9, 0.9))), scale * width,
                np.r_[0.0, steps], main_light(np.stack([c.light for c in codes])))


def _runs(flags: Array) -> list[int]:
    """Lengths of the runs of True."""
    return [sum(1 for _ in run) for value, run in groupby(flags.tolist()) if value]


def _outward(values: Array) -> tuple[int, int]:
    low, high = np.percentile(values, RANGE)
    return int(np.floor(low / STEP) * STEP), int(np.ceil(high / STEP) * STEP)


def _lids(s: Seen) -> Array:
    """(n,) opening of both eyes as a share of that at rest."""
    share: Array = (s.shown.right_aperture + s.shown.left_aperture) / (s.rest.right_aperture + s.rest.left_aperture)
    return share


def needs(seen: Sequence[Seen], unread: float = 0.0) -> Needs:
    """Put the faces of the footage together; InputRefused if there is none."""
    if not seen:
        raise InputRefused("no face in the footage can be read well enough to say what to film; film the whole capture sheet")
    angles, gaze = np.concatenate([s.angles for s in seen]), np.concatenate([s.gaze for s in seen])
    size, speed = np.concatenate([s.size for s in seen]), np.concatenate([s.speed for s in seen])
    gap = np.concatenate([s.shown.gap for s in seen])
    total = len(angles)
    found = [moments(s.shown, s.angles, s.rest) for s in seen]
    times = {name: sum(int(f[name].sum()) for f in found) / total for name in found[0]}
    shut = [_lids(s) < BLINK_LIDS for s in seen]
    times["eyes closed"] = sum(int(x.sum()) for x in shut) / total
    down = [(_lids(s) > LOOK_DOWN_LIDS[0]) & (_lids(s) < LOOK_DOWN_LIDS[1]) for s in seen]
    times["looking down"] = sum(n for d in down for n in _runs(d) if n >= LOOK_DOWN) / total
    brows = np.concatenate([(s.shown.right_brow + s.shown.left_brow - s.rest.right_brow - s.rest.left_brow) / 2 for s in seen])
    width = np.concatenate([s.shown.width / s.rest.width for s in seen])
    left, right = (float(v) for v in np.percentile(gaze[:, 0], RANGE))
    up, low = (float(v) for v in np.percentile(gaze[:, 1], RANGE))
    return Needs(
        len(seen), total, _outward(angles[:, 0]), _outward(angles[:, 1]), _outward(angles[:, 2]),
        (float(np.median(angles[:, 0])), float(np.median(angles[:, 1]))), float(np.percentile(gap, RANGE[1])),
        bool(np.ptp(np.percentile(gap, (5, 95))) > SPEAKING), (max(-left, 0), max(right, 0), max(-up, 0), max(low, 0)), times,
        sum(1 for x in shut for n in _runs(x) if n <= BLINK),
        (float(np.percentile(brows, RANGE[0])), float(np.percentile(brows, RANGE[1]))),
        (float(np.percentile(width, RANGE[0])), float(np.percentile(width, RANGE[1]))),
        float(np.percentile(size, RANGE[1])), float(np.percentile(speed, RANGE[1])),
        tuple((s.light, len(s.angles) / total) for s in seen), unread)


def worth(n: Needs, name: str) -> bool:
    """Whether the footage shows this often enough to film it; one blink is enough to need closed eyes."""
    return (name == "eyes closed" and n.blinks > 0) or n.times[name] >= max(LEAST_TIME, LEAST_FRAMES / n.frames)


def parts(n: Needs) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Titles of the capture sheet's parts: those that this footage needs, and those that it does not."""
    needed = {p.title: any(worth(n, name) for name in p.finds) for p in PARTS if p.finds}
    needed |= {"Neutral": True, "Three blinks": worth(n, "eyes closed"), "Say “a, e, i, o, u”": n.speaks,
               "Puffed cheeks": True}  # landmarks do not tell
    return tuple(p.title for p in PARTS if needed[p.title]), tuple(p.title for p in PARTS if not needed[p.title])
