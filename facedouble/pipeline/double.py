"""Make a double from clips and photos of one volunteer: two readings of the footage, key frames only in memory."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from facedouble.colour import crop_rgb, picture, reduced
from facedouble.doubles import capture
from facedouble.doubles.capture import Material, Selection
from facedouble.doubles.file import identity
from facedouble.doubles.sides import Side, side, turned_frames, with_sides
from facedouble.errors import InputRefused
from facedouble.faces.detect import detect, same
from facedouble.faces.light import fit_light
from facedouble.media.decode import frames, photo
from facedouble.media.probe import probe
from facedouble.options import Options
from facedouble.pipeline.analyse import Eyes, Progress, quiet
from facedouble.pipeline.calibrate import calibrate
from facedouble.pipeline.sight import Pair, Window, look, windows
from facedouble.types import MESH_POINTS, Array, Box, Bytes, Colour, Consent, Double, Floats, Frame, MediaInfo, Value

PHOTOS = {".jpg", ".jpeg", ".png", ".webp"}
RIM = 0.06  # face sizes around the mesh that a key frame's crop keeps
SETTLE = 4  # times that a photo is shown to the landmarker, which follows from frame to frame
LEAST_FACE = 60  # px: below it there is no skin to take a texture from
AMPLE = 300  # frames: of a clip that short each is looked at
LOOKS = 15.0  # a second, of longer ones: a blink has its lids shut for 0.1 s
SEARCH, AGAIN = 8, 3  # looks until the face is searched again: while it is followed, and when it is lost
_ENDS = np.array([[159, 145], [386, 374], [13, 14], [61, 291], [105, 33], [334, 263]])  # lids, lips, brows
_TELLING = np.array([0.06, 0.06, 0.08, 0.08, 0.06, 0.06])  # eye distances
PAINTERS = 2  # threads
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


def _largest(frame: Frame, eyes: Eyes, options: Options, full: bool) -> Box | None:
    """The largest face of a picture, searched on a reduced copy or on full size as well."""
    found = detect(picture(frame), 0 if full else 1, eyes.detectors, options.detect)
    return max((b for b, _ in found), key=lambda b: b.area, default=None)


class _Watch:
    """Follows the largest face of one source. Its last landmarks say where it is; now and then it is searched for."""

    def __init__(self, number: int, still: bool, pair: Pair, eyes: Eyes, options: Options) -> None:
        self.number, self.pair, self.eyes, self.options = number, pair, eyes, options
        self.times = SETTLE if still else 1
        self.last: Box | None = None
        self.lost, self.wait = True, 0  # looks until the next search
        pair.reset()

    def __call__(self, frame: Frame) -> Taken | None:
        """The face's landmarks, or None."""
        if frame.corrupt:
            return None
        box = self._place(frame)
        found = None if box is None else self._marks(frame, windows([box])[0])
        if found is None:
            self.wait = self.wait if self.lost else 0
            self.lost = True
            return None
        low, high = found[:MESH_POINTS, :2].min(0), found[:MESH_POINTS, :2].max(0)
        self.last, self.lost = Box(float(low[0]), float(low[1]), float(high[0]), float(high[1])), False
        return Taken(self.number, frame.index, found)

    def _place(self, frame: Frame) -> Box | None:
        """Where the face is: where it was, unless a search finds a larger one elsewhere."""
        if self.wait > 0:
            self.wait -= 1
            return self.last
        found = _largest(frame, self.eyes, self.options, full=self.lost)
        self.wait = AGAIN if self.lost else SEARCH
        if found is None or (self.last is not None and not self.lost and same(found, self.last)):
            return self.last
        return found

    def _marks(self, frame: Frame, w: Window) -> Array | None:
        """Landmarks (478, 3) px of the frame. The landmarker sees no more than a reduced copy."""
        large = w.side > self.pair.side
        crop: Array = reduced(frame, w.x0, w.y0, w.side, self.pair.side) if large else look(frame, w)
        found = None
        for _ in range(self.times):
            found = self.pair.marks(crop)
        if found is None:
            return None
        marks = found[0]
        if large:
            scale = w.side / self.pair.side
            marks = (marks + 0.5) * scale - 0.5
            marks[:, 2] += 0.5 - 0.5 * scale  # depth has no pixel corner
        at: Array = marks + np.array([w.x0, w.y0, 0])
        return at


def _stride(info: MediaInfo) -> int:
    """Every how manieth frame of a clip is looked at in any case."""
    rate = float(info.rate)
    frames = math.inf if info.duration is None else float(info.duration) * rate
    return max(1, round(min(frames / AMPLE, rate / LOOKS)))


def _changed(a: Array, b: Array) -> bool:
    """Whether lids, lips or brows differ between landmarks (478, 3) of two pictures, by what a key frame may turn on."""
    sides = [np.linalg.norm(m[_ENDS[:, 0]] - m[_ENDS[:, 1]], axis=1) / np.linalg.norm(m[33] - m[263]) for m in (a, b)]
    return bool((np.abs(sides[0] - sides[1]) > _TELLING).any())


def _landmarks(number: int, source: Path, pair: Pair, eyes: Eyes, options: Options, progress: Progress) -> list[Taken]:
    """Landmarks of the largest face in the pictures of a source: of a long clip some each second, more where it moves."""
    taken: list[Taken] = []
    still = _still(source)
    stride = 1 if still else _stride(probe(source))
    watch = _Watch(number, still, pair, eyes, options)
    before: Taken | None = None
    between: Frame | None = None
    for frame in _pictures(source):
        if frame.index % stride:
            between = frame if frame.index % stride == stride // 2 else between
            continue
        now = watch(frame)
        if between is not None and before is not None and now is not None and _changed(before.marks, now.marks):
            passed = watch(between)
            taken += [passed] if passed is not None else []
        taken += [now] if now is not None else []
        before, between = now, None
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
    material = Material(np.stack([t.marks for t in taken]), bool((origin >= 0).any()), origin,
                        np.array([t.frame for t in taken]))
    chosen = capture.select(material)
    keys, turned = ([taken[i] for i in ids] for ids in (chosen.frames, turned_frames(material, chosen)))
    double = _paint(sources, chosen, keys, turned, consent, progress)
    pair = Pair(eyes.follower, options.fit)
    try:
        made = replace(double, lip_response=calibrate(double, pair))
    finally:
        pair.close()
    return replace(made, id=identity(made))


def _paint(sources: Sequence[Path], chosen: Selection, keys: Sequence[Taken], turned: Sequence[Taken], consent: Consent,
           progress: Progress) -> Double:
    """Read the sources again, as far as they hold key frames or turned ones, and take their pictures.

    keys are the frames of `chosen`; turned are others, see `doubles.sides`.
    """
    waiting: dict[int, Future[Floats]] = {}
    lent: list[Future[Side]] = []
    eyes, total = None, len(keys) + len(turned)
    with ThreadPoolExecutor(PAINTERS) as pool:
        for number, source in enumerate(sources):
            wanted = {t.frame: k for k, t in enumerate([*keys, *turned]) if t.source == number}
            for frame in _pictures(source) if wanted else ():
                k = wanted.pop(frame.index, None)
                if k is not None:
                    crop, local = key_crop(frame, (keys[k] if k < len(keys) else turned[k - len(keys)]).marks)
                    light = fit_light(crop, local)
                    if k < len(keys):
                        waiting[k] = pool.submit(capture.texture, crop, local, light)
                    else:
                        lent.append(pool.submit(side, crop, local, light))
                    if k == chosen.widest:
                        eyes = capture.iris(crop, local, light)
                    progress("painting key frames", len(waiting) + len(lent), total)
                if not wanted:
                    break
            if wanted:
                raise InputRefused(f"{source}: changed while it was read; try again")
        sides = [s.result() for s in lent]
        textures = list(pool.map(lambda k: with_sides(waiting[k].result(), keys[k].marks, sides), range(len(keys))))
    if eyes is None:
        raise ValueError("the widest eyes are not among the key frames")
    evened = capture.equalise(textures, [t.source for t in keys])
    return capture.assemble(chosen, evened, eyes, consent)
