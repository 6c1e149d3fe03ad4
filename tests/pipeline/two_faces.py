"""A generated clip with two people side by side, and what was seen in it: for tests that change plans and drop finds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from facedouble.colour import picture
from facedouble.demo.witness import portrait_pixels
from facedouble.faces.detect import Found
from facedouble.faces.motion import Motions, measure, small_luma
from facedouble.faces.reading import Reading, Sighting
from facedouble.faces.track import link
from facedouble.media.decode import frames
from facedouble.media.encode import Writer
from facedouble.media.probe import probe
from facedouble.options import DrawOptions, EncodeOptions, Options
from facedouble.pipeline.analyse import Analysis, Eyes, Role, find, looks, quiet, role_of
from facedouble.protect.composite import compose
from facedouble.types import Array, Box, Colour, Frame, MediaInfo, Track
from tests.protect.test_bottleneck import face_area

RATE = Fraction(25)
HIGH, WIDE = 256, 168  # px of each person's half: the veil of one reaches into the other


def planes(rgb: Array) -> tuple[Array, ...]:
    """4:2:0 planes of an RGB picture."""
    yuv = cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420)
    h, w = rgb.shape[:2]
    flat = yuv.reshape(-1)
    small = (h // 2, w // 2)
    return yuv[:h], flat[h * w : h * w * 5 // 4].reshape(small), flat[h * w * 5 // 4 :].reshape(small)


def swayed(face: Array, i: int) -> Array:
    """A still that moves a little."""
    at = np.array([[1, 0, 3 * np.sin(i / 5)], [0, 1, 2 * np.cos(i / 7)]], np.float32)
    out: Array = cv2.warpAffine(face, at, face.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
    return out


def film(path: Path, pictures: Iterator[Array]) -> Path:
    """A clip of RGB pictures, 25 a second."""
    first = next(pictures)
    h, w = first.shape[:2]
    info = MediaInfo("made", "mp4", w, h, None, RATE, 1 / RATE, Fraction(0), None, 0, Fraction(1), Colour(), "yuv420p", 8, (), (),
                     ())
    with Writer(path, info, EncodeOptions(crf=12), []) as writer:
        for i, rgb in enumerate((first, *pictures)):
            frame = Frame(i, i, 1, 1 / RATE, planes(np.ascontiguousarray(rgb)), "yuv420p", Colour())
            writer.add(compose(frame, [], DrawOptions(), 0).safe)
    return path


def side_by_side(witness: Path) -> Iterator[Array]:
    """The generated witness on the left, a still of somebody else on the right."""
    still = cv2.resize(portrait_pixels("admiral", 360), (HIGH, HIGH))
    left = (HIGH - WIDE) // 2
    for frame in frames(probe(witness)):
        mine = cv2.resize(picture(frame), (HIGH, HIGH))[:, left : left + WIDE]
        yield np.hstack([mine, swayed(still, frame.index)[:, left : left + WIDE]])


@dataclass(frozen=True)
class Seen:
    """A clip as the models saw it.

    areas: for each person (0 left, 1 right) where the face truly is, (h, w) bool by frame; boxes: the same as boxes.
    """

    info: MediaInfo
    frames: list[Frame]
    found: list[Found]
    motions: Motions
    sightings: list[Sighting]
    areas: tuple[dict[int, Array], dict[int, Array]]
    boxes: tuple[dict[int, Box], dict[int, Box]]

    def person(self, x: float) -> int:
        """Whose half of the picture that is."""
        return int(x > self.info.width / 2)

    def analysis(self, dropped: tuple[frozenset[int], ...], options: Options) -> Analysis:
        """What comes of it when in those frames neither detectors nor landmarker see that person."""
        found = [tuple(f for f in faces if k not in dropped[self.person(f[0].centre[0])]) for k, faces in enumerate(self.found)]
        tracks = link(found, self.motions, float(self.info.rate), (self.info.width, self.info.height), options.track)
        left = [s for s in self.sightings if s.frame not in dropped[self.person(float(s.marks[:468, 0].mean()))]]
        return Analysis(self.info, len(self.frames), tuple(_role(t, left, options) for t in tracks))


def _role(track: Track, sightings: list[Sighting], options: Options) -> Role:
    reading = Reading(len(track.faces))
    for s in sightings:
        face = track.at(s.frame)
        if face is not None and np.abs(s.marks[:468, :2].mean(0) - face.box.centre).max() < 0.4 * face.box.width:
            reading.add(s)
    return role_of(track, reading, 1.0, 1.0, options)


def see(path: Path, eyes: Eyes, options: Options) -> Seen:
    """Look at a clip with both people in every frame."""
    info, held, motions = probe(path), list(frames(probe(path))), Motions()
    before = None
    for frame in held:
        now = small_luma(frame.planes[0])
        motions.append(measure(before, now, frame.index))
        before = now
    found = [find(frame, eyes, options) for frame in held]
    tracks = link(found, motions, float(info.rate), (info.width, info.height), options.track)
    sightings = [look.sighting for _, look in looks(info, tracks, eyes, options, quiet, len(held)) if look is not None]
    areas: tuple[dict[int, Array], dict[int, Array]] = {}, {}
    boxes: tuple[dict[int, Box], dict[int, Box]] = {}, {}
    for s in sightings:
        who = int(s.marks[:468, 0].mean() > info.width / 2)
        areas[who][s.frame] = face_area(held[s.frame], s.marks[:468, :2].astype(np.float32))
        low, high = s.marks[:468, :2].min(0), s.marks[:468, :2].max(0)
        boxes[who][s.frame] = Box(*low.tolist(), *high.tolist())
    return Seen(info, held, found, motions, sightings, areas, boxes)
