"""Make a double from a clip, several photos or one photo: two readings of the footage, key frames only in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from facedouble.colour import crop_rgb, picture
from facedouble.doubles import capture
from facedouble.doubles.capture import Material, Selection
from facedouble.doubles.file import identity
from facedouble.errors import InputRefused
from facedouble.faces.detect import detect
from facedouble.faces.light import fit_light
from facedouble.media.decode import frames, photo
from facedouble.media.probe import probe
from facedouble.options import Options
from facedouble.pipeline.analyse import Eyes, Progress, quiet
from facedouble.pipeline.calibrate import calibrate
from facedouble.pipeline.sight import Pair, look, windows
from facedouble.types import MESH_POINTS, Array, Box, Bytes, Colour, Consent, Double, Floats, Frame

PHOTOS = {".jpg", ".jpeg", ".png", ".webp"}
RIM = 0.06  # face sizes around the mesh that a key frame's crop keeps
SETTLE = 4  # times that a photo is shown to the landmarker, which follows from frame to frame
LARGEST_PHOTO = 2600  # px; more has no use for an atlas of 640 x 720


def photo_frame(rgb: Bytes, index: int) -> Frame:
    """A photo as a frame: 4:4:4 planes, BT.601 full range, so that crops come out as they were."""
    rgb = _limited(rgb)
    ycc = cv2.cvtColor(rgb, cv2.COLOR_RGB2YCrCb)
    planes = (ycc[..., 0].copy(), ycc[..., 2].copy(), ycc[..., 1].copy())
    return Frame(index, index, 1, Fraction(1), planes, "yuv444p", Colour(matrix=6, full=True))


def _limited(rgb: Bytes) -> Bytes:
    scale = LARGEST_PHOTO / max(rgb.shape[:2])
    if scale >= 1:
        return rgb
    small: Bytes = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return small


def _pictures(sources: Sequence[Path]) -> Iterator[Frame]:
    """All photos, or the frames of the one clip."""
    if all(p.suffix.lower() in PHOTOS for p in sources):
        for i, path in enumerate(sources):
            yield photo_frame(photo(path), i)
    else:
        yield from frames(probe(sources[0]))


def _largest(frame: Frame, eyes: Eyes, options: Options) -> Box | None:
    found = detect(picture(frame), 0, eyes.detectors, options.detect)
    return max((b for b, _ in found), key=lambda b: b.area, default=None)


def _landmarks(sources: Sequence[Path], moving: bool, eyes: Eyes, options: Options,
               progress: Progress) -> tuple[list[int], list[Array]]:
    """Frame numbers and landmarks (478, 3) px of the largest face of each picture."""
    pair = Pair(eyes.follower, options.fit)
    numbers, marks = [], []
    last: Box | None = None
    try:
        for frame in _pictures(sources):
            if moving and last is not None and frame.index % 5:
                box: Box | None = last
            else:
                box = _largest(frame, eyes, options) or last
            if frame.corrupt or box is None:
                continue
            window = windows([box])[0]
            if not moving:
                pair.reset()
            crop = look(frame, window)
            found = None
            for _ in range(1 if moving else SETTLE):
                found = pair.marks(crop)
            if found is not None:
                m = found[0] + [window.x0, window.y0, 0]
                numbers.append(frame.index)
                marks.append(m)
                low, high = m[:MESH_POINTS, :2].min(0), m[:MESH_POINTS, :2].max(0)
                last = Box(float(low[0]), float(low[1]), float(high[0]), float(high[1]))
            progress("reading the volunteer's face", frame.index + 1, None)
    finally:
        pair.close()
    return numbers, marks


def key_crop(frame: Frame, marks: Array) -> tuple[Floats, Array]:
    """The picture around a face and the landmarks (478, 3) in it."""
    low, high = marks[:MESH_POINTS, :2].min(0), marks[:MESH_POINTS, :2].max(0)
    rim = RIM * float((high - low).max())
    x0, y0 = (int(max(v, 0)) for v in low - rim)
    x1, y1 = int(min(high[0] + rim, frame.width)), int(min(high[1] + rim, frame.height))
    return crop_rgb(frame, x0, y0, x1, y1), marks - np.array([x0, y0, 0])


def make_double(sources: Sequence[Path], consent: Consent, eyes: Eyes, options: Options,
                progress: Progress = quiet) -> Double:
    """A double from photos, or from one clip. InputRefused with advice if the material will not do."""
    still = [p.suffix.lower() in PHOTOS for p in sources]
    if not sources or (not all(still) and len(sources) > 1):
        raise InputRefused("give one clip, or one or several photos, not a mixture; several clips are not supported yet")
    moving = not all(still)
    numbers, marks = _landmarks(sources, moving, eyes, options, progress)
    if not marks:
        raise InputRefused(f"{sources[0]}: no face was found; film the face from the front, at least 300 px wide, in soft light")
    size = float(np.median([np.linalg.norm(m[234, :2] - m[454, :2]) for m in marks]))
    if size < 60:
        raise InputRefused(f"{sources[0]}: the face is only {size:.0f} px wide; film it closer, at least 300 px wide")
    chosen = capture.select(Material(np.stack(marks), moving))
    double = _paint(sources, chosen, numbers, marks, consent, progress)
    pair = Pair(eyes.follower, options.fit)
    try:
        made = replace(double, lip_response=calibrate(double, pair))
    finally:
        pair.close()
    return replace(made, id=identity(made))


def _paint(sources: Sequence[Path], chosen: Selection, numbers: list[int], marks: list[Array], consent: Consent,
           progress: Progress) -> Double:
    wanted = {numbers[i]: k for k, i in enumerate(chosen.frames)}
    textures: list[Floats | None] = [None] * len(chosen.frames)
    eyes = None
    for frame in _pictures(sources):
        k = wanted.get(frame.index)
        if k is None:
            continue
        crop, local = key_crop(frame, marks[chosen.frames[k]])
        light = fit_light(crop, local)
        textures[k] = capture.texture(crop, local, light)
        if k == chosen.widest:
            eyes = capture.iris(crop, local, light)
        progress("painting key frames", sum(t is not None for t in textures), len(textures))
    done = [t for t in textures if t is not None]
    if len(done) != len(textures) or eyes is None:
        raise InputRefused(f"{sources[0]}: changed while it was read; try again")
    return capture.assemble(chosen, done, eyes, consent)
