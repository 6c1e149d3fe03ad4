"""Look at one face in one frame: a steady crop around the track, landmarks in both mirrorings, light, softness."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter1d, maximum_filter1d

from facedouble.colour import crop_rgb, reduced
from facedouble.faces.fit import fuse
from facedouble.faces.front import hues_of
from facedouble.faces.light import fit_light, without_relief
from facedouble.faces.reading import Sighting
from facedouble.geometry import corners
from facedouble.morphable.topology import topology
from facedouble.options import FitOptions
from facedouble.raster import blur, cover, edge_sigma, grain_sigma
from facedouble.types import MESH_POINTS, Array, Box, Bytes, Floats, Frame, Rows, Value

CROP = 2.0  # face boxes: side of the crop
CALM = 3.0  # frames: over which the face's place is judged
MOVED, GROWN = 0.10, 0.15  # of the crop's side: a face that has moved or grown by that gets a new crop
NEAR = 0.45  # face boxes: landmarks farther from the track's face belong to somebody else
BEYOND = 16  # px around a face that the blurs of `edge_sigma` reach
REFERENCE_FACE = 200.0  # px, of `ClipCode.edge_sigma`
DIRECTIONS = 4  # right, right and down, down, left and down: in which smear is looked for
SMEAR_FACE = 100.0  # px: of a larger face a reduced copy, in which lines stay short against the blurs that measure them
EXTREMES = 8  # frames of a track, the fastest and as many of the slowest, in which smear is looked for
FAST = 0.05  # face sizes a frame: motion that shows a usual exposure
LEAST_SHUTTER = 0.08  # frames: below that it is a measuring error
BLURRIEST = 10.0  # px: sigma


class Follower(Protocol):
    """A landmarker that follows one face from crop to crop."""

    def __call__(self, crop: Bytes) -> Floats | None: ...
    def reset(self) -> None: ...
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Window(Value):
    """A square crop, px of the frame."""

    x0: int
    y0: int
    side: int

    @classmethod
    def of(cls, row: Array) -> Self:
        """The window of (3,) x0 y0 side."""
        return cls(*row.tolist())


def windows(boxes: Sequence[Box]) -> Sequence[Window]:
    """One crop per face of a track. It stays where it is until the face has moved or grown: the landmarker is calmer then."""
    b = corners(boxes)
    p = np.stack([(b[:, 0] + b[:, 2]) / 2, (b[:, 1] + b[:, 3]) / 2, np.maximum(b[:, 2] - b[:, 0], b[:, 3] - b[:, 1])], 1)
    if len(p) > 3:
        p[:, 2] = maximum_filter1d(p[:, 2], 5, mode="nearest")
        p = gaussian_filter1d(p, CALM, axis=0, mode="nearest")
    held = np.zeros((len(p), 3), np.int32)
    x0 = y0 = now = 0
    for i, (x, y, size) in enumerate(p.tolist()):
        side = max(round(size * CROP / 2), 16) * 2  # even places have their own chroma samples
        away = max(abs(x0 + now / 2 - x), abs(y0 + now / 2 - y))
        if i == 0 or abs(now - side) > GROWN * side or away > MOVED * side:
            x0, y0, now = round((x - side / 2) / 2) * 2, round((y - side / 2) / 2) * 2, side
        held[i] = x0, y0, now
    return Rows(held, Window.of)


def look(frame: Frame, w: Window) -> Floats:
    """The crop (side, side, 3) as display RGB; black where it leaves the frame."""
    x0, y0 = max(w.x0, 0), max(w.y0, 0)
    x1, y1 = min(w.x0 + w.side, frame.width), min(w.y0 + w.side, frame.height)
    out = np.zeros((w.side, w.side, 3), np.float32)
    if x1 > x0 and y1 > y0:
        out[y0 - w.y0 : y1 - w.y0, x0 - w.x0 : x1 - w.x0] = crop_rgb(frame, x0, y0, x1, y1)
    return out


class Pair:
    """Two followers: one looks at the crop, one at its mirror."""

    def __init__(self, make: Callable[[], Follower], options: FitOptions) -> None:
        self.plain, self.mirrored = make(), make()
        self.side = options.crop_side
        self._at: Window | None = None  # where the last crop was

    def reset(self) -> None:
        self._at = None
        self.plain.reset()
        self.mirrored.reset()

    def close(self) -> None:
        self.plain.close()
        self.mirrored.close()

    def at(self, w: Window, crop: Array) -> tuple[Array, float] | None:
        """`marks` of the crop at that window. One that is not where the last was is looked at twice.

        The followers start from where the face was in the last crop: at a window that jumped they look beside it.
        """
        if self._at not in (None, w):
            self.marks(crop)
        self._at = w
        return self.marks(crop)

    def marks(self, crop: Array) -> tuple[Array, float] | None:
        """Fused landmarks (478, 3) px of the crop (side, side, 3) and their disagreement; None if either sees no face."""
        side, out = crop.shape[0], self.side
        small = crop
        if side != out:
            small = cv2.resize(crop, (out, out), interpolation=cv2.INTER_AREA if side > out else cv2.INTER_CUBIC)
        if small.dtype != np.uint8:
            small = np.clip(small * 255 + 0.5, 0, 255).astype(np.uint8)
        plain, mirrored = self.plain(small), self.mirrored(np.ascontiguousarray(small[:, ::-1]))
        if plain is None or mirrored is None:
            return None
        turned = mirrored.copy()
        turned[:, 0] = out - turned[:, 0]
        fused, apart = fuse(plain.astype(np.float64), turned.astype(np.float64))
        fused *= side / out
        fused[:, :2] -= 0.5  # the landmarker counts from pixel corners
        return fused, apart


def sighting(frame: Frame, box: Box, w: Window, pair: Pair, hues: bool = False) -> Sighting | None:
    """What is seen of the face in the box, or None; with its hues if they are asked for."""
    large = w.side > pair.side  # then a reduced copy tells landmarks and light all they can use
    crop: Array = reduced(frame, w.x0, w.y0, w.side, pair.side) if large else look(frame, w)
    found = pair.at(w, crop)
    if found is None:
        return None
    marks, apart = found
    light = without_relief(fit_light(crop, marks), marks)
    tones = hues_of(crop / np.float32(255) if large else crop, marks) if hues else None
    if large:
        scale = w.side / pair.side
        marks = (marks + 0.5) * scale - 0.5
        marks[:, 2] += 0.5 - 0.5 * scale  # depth has no pixel corner
    middle = marks[:MESH_POINTS, :2].mean(0) + np.array([w.x0, w.y0])
    if np.abs(middle - box.centre).max() > NEAR * max(box.width, box.height):
        pair.reset()
        return None
    return Sighting(frame.index, (marks + np.array([w.x0, w.y0, 0])).astype(np.float32), light, apart, tones)


def close(seen: Sighting, w: Window) -> Window:
    """The part of a crop that `softness` looks at."""
    low, high = np.floor(seen.marks[:, :2].min(0)).astype(int) - BEYOND, np.ceil(seen.marks[:, :2].max(0)).astype(int) + BEYOND
    x0, y0 = (int(max(v, a)) // 2 * 2 for v, a in zip(low, (w.x0, w.y0), strict=True))
    return Window(x0, y0, max(min(int((high - [x0, y0]).max()), w.x0 + w.side - x0, w.y0 + w.side - y0), 2))


def extremes(boxes: Sequence[Box]) -> Array:
    """The frames of a track to look for smear in, counted from its start: the fastest and the slowest; none if none is fast."""
    b = corners(boxes)
    if len(b) < 2 * EXTREMES:
        return np.zeros(0, np.int64)
    middle = gaussian_filter1d((b[:, :2] + b[:, 2:]) / 2, 1.0, axis=0, mode="nearest")
    speed = np.hypot(*np.gradient(middle, axis=0).T) / (b[:, 2:] - b[:, :2]).max(1)
    order = np.argsort(speed, kind="stable")
    if speed[order[-EXTREMES // 2]] < FAST / 2:  # boxes are calmer than faces
        return np.zeros(0, np.int64)
    return np.concatenate([order[:EXTREMES], order[-EXTREMES:]])


def smear(crop: Floats, seen: Sighting, w: Window) -> Array | None:
    """(DIRECTIONS,) edge blur of the face across each direction, sigma in px; None if the face is too small to tell."""
    found = _inner(crop, seen, w)
    if found is None:
        return None
    grey, mask, size = found
    scale = min(1.0, SMEAR_FACE / size)
    if scale < 1:
        grey = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        mask = cv2.resize(mask.astype(np.uint8), grey.shape[::-1], interpolation=cv2.INTER_NEAREST) > 0
    slopes = []
    for sigma in (1.0, 2.5):
        b = blur(grey, sigma)
        gx, gy = cv2.Sobel(b, cv2.CV_32F, 1, 0)[mask], cv2.Sobel(b, cv2.CV_32F, 0, 1)[mask]
        turns = np.pi * np.arange(DIRECTIONS) / DIRECTIONS
        slopes.append([float(np.percentile(np.abs(gx * np.cos(a) + gy * np.sin(a)), 98)) for a in turns])
    r2 = (np.array(slopes[0]) / np.maximum(slopes[1], 1e-6)) ** 2
    sigmas: Array = np.sqrt(np.clip((6.25 - r2) / np.maximum(r2 - 1, 0.05), 0, BLURRIEST**2))
    return sigmas / scale


def exposure(smears: Array, velocities: Array, sizes: Array) -> float:
    """How long the camera exposes, in frames: by how much blur along the motion grows with speed. 0 where nothing tells.

    smears (n, DIRECTIONS) as of `smear`; velocities (n, 2) px a frame; sizes (n,) px of the face.
    """
    speed = np.hypot(*velocities.T)
    fast, slow = speed > FAST * sizes, speed < FAST / 2 * sizes
    if fast.sum() < EXTREMES // 2 or slow.sum() < EXTREMES // 2:
        return 0.0
    along = np.rint(np.arctan2(velocities[fast, 1], velocities[fast, 0]) / (np.pi / DIRECTIONS)).astype(int) % DIRECTIONS
    rest = np.median(smears[slow] / sizes[slow, None], 0)[along] * sizes[fast]
    grown = (smears[fast, along] ** 2 - rest**2) * 12 / speed[fast] ** 2  # a line's variance is length squared over twelve
    shutter = float(np.sqrt(np.clip(np.median(grown), 0, 1)))
    return shutter if shutter >= LEAST_SHUTTER else 0.0


def softness(crop: Floats, seen: Sighting, w: Window) -> float | None:
    """Edge blur of the face, sigma at `REFERENCE_FACE`; None if the face is too small to tell."""
    found = _inner(crop, seen, w)
    if found is None:
        return None
    grey, mask, size = found
    return edge_sigma(grey, mask) / size * REFERENCE_FACE


def _inner(crop: Floats, seen: Sighting, w: Window) -> tuple[Floats, Array, float] | None:
    """Grey picture of a face and its surroundings, levels of 255; bool mask of its skin; its width, px. None if too small."""
    marks = seen.marks - np.array([w.x0, w.y0, 0])
    mask = cv2.erode(cover(marks, topology().skin, w.side, w.side), np.ones((5, 5)))
    size = float(np.linalg.norm(marks[234, :2] - marks[454, :2]))
    if mask.sum() < 200 or size < 20:
        return None
    x, y, w_, h_ = cv2.boundingRect(mask)
    part = np.s_[max(y - BEYOND, 0) : y + h_ + BEYOND, max(x - BEYOND, 0) : x + w_ + BEYOND]
    grey = cv2.transform(crop[part], np.full((1, 3), 255 / 3, np.float32))
    return grey, mask[part] > 0, size


def grain(frame: Frame) -> float:
    """Noise sigma of the frame's luma in levels of 255."""
    return grain_sigma(frame.planes[0].astype(np.float32)) / (1 << (frame.depth - 8))
