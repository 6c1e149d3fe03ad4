"""Make a double from clips and photos of one volunteer: two readings of the footage, key frames only in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
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
from facedouble.types import MESH_POINTS, Array, Box, Bytes, Colour, Consent, Double, Floats, Frame, Value

PHOTOS = {".jpg", ".jpeg", ".png", ".webp"}
RIM = 0.06  # face sizes around the mesh that a key frame's crop keeps
SETTLE = 4  # times that a photo is shown to the landmarker, which follows from frame to frame
LEAST_FACE = 60  # px: below it there is no skin to take a texture from
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


def _still(source: Path) -> bool:
    return source.suffix.lower() in PHOTOS


def _pictures(source: Path) -> Iterator[Frame]:
    """The photo, or the frames of the clip."""
    if _still(source):
        yield photo_frame(photo(source), 0)
    else:
        yield from frames(probe(source))


@dataclass(frozen=True)
class Taken(Value):
    """One picture of the volunteer: which source, which frame of it, landmarks (478, 3) px."""

    source: int
    frame: int
    marks: Array


def _largest(frame: Frame, eyes: Eyes, options: Options) -> Box | None:
    found = detect(picture(frame), 0, eyes.detectors, options.detect)
    return max((b for b, _ in found), key=lambda b: b.area, default=None)


def _landmarks(number: int, source: Path, pair: Pair, eyes: Eyes, options: Options, progress: Progress) -> list[Taken]:
    """Landmarks of the largest face in each picture of a source."""
    taken: list[Taken] = []
    last: Box | None = None
    still = _still(source)
    pair.reset()
    for frame in _pictures(source):
        if last is not None and frame.index % 5:
            box: Box | None = last
        else:
            box = _largest(frame, eyes, options) or last
        if frame.corrupt or box is None:
            continue
        window = windows([box])[0]
        crop = look(frame, window)
        found = None
        for _ in range(SETTLE if still else 1):
            found = pair.marks(crop)
        if found is not None:
            m = found[0] + [window.x0, window.y0, 0]
            taken.append(Taken(number, frame.index, m))
            low, high = m[:MESH_POINTS, :2].min(0), m[:MESH_POINTS, :2].max(0)
            last = Box(float(low[0]), float(low[1]), float(high[0]), float(high[1]))
        progress(f"reading the volunteer's face {number + 1}", frame.index + 1, None)
    return taken


def _read(sources: Sequence[Path], eyes: Eyes, options: Options, progress: Progress) -> list[Taken]:
    """All sources, one after the other; InputRefused names the one that will not do."""
    taken: list[Taken] = []
    pair = Pair(eyes.follower, options.fit)
    try:
        for number, source in enumerate(sources):
            found = _landmarks(number, source, pair, eyes, options, progress)
            if not found:
                raise InputRefused(f"{source}: no face was found; film the face from the front, at least 300 px wide, "
                                   "in soft light")
            size = float(np.median([np.linalg.norm(t.marks[234, :2] - t.marks[454, :2]) for t in found]))
            if size < LEAST_FACE:
                raise InputRefused(f"{source}: the face is only {size:.0f} px wide; film it closer, at least 300 px wide")
            taken += found
    finally:
        pair.close()
    return taken


def key_crop(frame: Frame, marks: Array) -> tuple[Floats, Array]:
    """The picture around a face and the landmarks (478, 3) in it."""
    low, high = marks[:MESH_POINTS, :2].min(0), marks[:MESH_POINTS, :2].max(0)
    rim = RIM * float((high - low).max())
    x0, y0 = (int(max(v, 0)) for v in low - rim)
    x1, y1 = int(min(high[0] + rim, frame.width)), int(min(high[1] + rim, frame.height))
    return crop_rgb(frame, x0, y0, x1, y1), marks - np.array([x0, y0, 0])


def make_double(sources: Sequence[Path], consent: Consent, eyes: Eyes, options: Options,
                progress: Progress = quiet) -> Double:
    """A double from clips and photos of one volunteer, in any mixture. InputRefused with advice if the material will not do.

    Whether all show the same person is not asked here: neutral shapes cannot tell. Of clips of one person they differ by
    .007 to .028 eye distances on average, of two people by .015 and more (20 shared clips).
    """
    if not sources:
        raise InputRefused("there is nothing to make a double from; give a clip or a photo of the volunteer")
    taken = _read(sources, eyes, options, progress)
    origin = np.array([-1 if _still(sources[t.source]) else t.source for t in taken])
    chosen = capture.select(Material(np.stack([t.marks for t in taken]), bool((origin >= 0).any()), origin))
    double = _paint(sources, chosen, [taken[i] for i in chosen.frames], consent, progress)
    pair = Pair(eyes.follower, options.fit)
    try:
        made = replace(double, lip_response=calibrate(double, pair))
    finally:
        pair.close()
    return replace(made, id=identity(made))


def _paint(sources: Sequence[Path], chosen: Selection, keys: Sequence[Taken], consent: Consent, progress: Progress) -> Double:
    """Read the sources again, as far as they hold key frames, and take their pictures."""
    textures: dict[int, Floats] = {}
    eyes = None
    for number, source in enumerate(sources):
        wanted = {t.frame: k for k, t in enumerate(keys) if t.source == number}
        for frame in _pictures(source) if wanted else ():
            k = wanted.pop(frame.index, None)
            if k is not None:
                crop, local = key_crop(frame, keys[k].marks)
                light = fit_light(crop, local)
                textures[k] = capture.texture(crop, local, light)
                if k == chosen.widest:
                    eyes = capture.iris(crop, local, light)
                progress("painting key frames", len(textures), len(keys))
            if not wanted:
                break
        if wanted:
            raise InputRefused(f"{source}: changed while it was read; try again")
    if eyes is None:
        raise ValueError("the widest eyes are not among the key frames")
    evened = capture.equalise([textures[k] for k in range(len(keys))], [t.source for t in keys])
    return capture.assemble(chosen, evened, eyes, consent)
