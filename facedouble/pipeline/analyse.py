"""First reading of the footage: who is where, and the face codes of everyone. Writes only small numbers."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from facedouble.colour import picture
from facedouble.faces.detect import Detectors, Finds, Found, detect
from facedouble.faces.fit import Fit, cross_fade, fit, judge
from facedouble.faces.front import Colours, Front
from facedouble.faces.motion import Motions, measure, small_luma
from facedouble.faces.reading import Reading, Sighting
from facedouble.faces.track import link
from facedouble.geometry import times
from facedouble.media.again import Marking, Marks
from facedouble.media.decode import frames
from facedouble.options import Options
from facedouble.pipeline.sight import (
    Follower,
    Pair,
    Window,
    close,
    exposure,
    extremes,
    grain,
    look,
    sighting,
    smear,
    softness,
    windows,
)
from facedouble.protect.veil import Ellipse, head_covers
from facedouble.types import Array, Box, Frame, MediaInfo, Rows, Track, Value

Progress = Callable[[str, int, int | None], None]
"""(step, frames done, frames in all or None)"""

Read = Callable[[MediaInfo], Iterable[Frame]]
"""Footage -> its frames, numbered from 0; the same at each call."""

SAMPLES = 8  # frames of a track at which softness and grain are measured
LEAST_FIT = 3  # sightings; fewer cannot be smoothed, so the veil stays


@dataclass(frozen=True)
class Eyes(Value):
    """The models that look: face detectors, and a maker of landmarkers (one pair per face in the picture)."""

    detectors: Detectors
    follower: Callable[[], Follower]


@dataclass(frozen=True)
class Role(Value):
    """One track's part in the film: a fit over some of its frames, the weight of the double in each, the veil's covers.

    weights (n,) in [0, 1], covers and boxes one per frame of the track; alike: spans of frames that are veiled because the
    double came out too like the witness; pick: number of the double that plays it; front: what is in front of the face, if that
    was asked for.
    """

    track: Track
    fit: Fit | None
    weights: Array
    covers: Sequence[Ellipse]
    alike: tuple[tuple[int, int], ...] = ()
    pick: int = 0
    front: Front | None = None

    @property
    def boxes(self) -> Sequence[Box]:
        """Where detectors and tracks say the face is."""
        return self.track.boxes


@dataclass(frozen=True)
class Analysis(Value):
    """All that the drawing needs besides the footage and the double.

    cuts: frames with which another shot begins, flashes included; marks: by what the footage's frames are known again.
    """

    info: MediaInfo
    frames: int
    roles: tuple[Role, ...]
    cuts: tuple[int, ...] = ()
    marks: Marks | None = None


def quiet(step: str, done: int, total: int | None) -> None:
    """A progress that nobody watches."""


def analyse(info: MediaInfo, eyes: Eyes, options: Options, progress: Progress = quiet, read: Read = frames) -> Analysis:
    """Detect, track, fit; two passes over the footage, which `read` can cut short."""
    tracks, cuts, marks = _tracks(info, eyes, options, progress, read)
    count = len(marks)
    notes: dict[int, Notes] = {}
    roles: dict[int, Role] = {}
    with closing(looks(info, tracks, eyes, options, progress, count, read)) as seen:
        for track, glance in seen:
            if track.id not in notes:
                notes[track.id] = Notes(track)
            if glance is not None:
                notes[track.id].add(glance)
            else:  # the track is over: what is not needed any more is let go
                done = notes.pop(track.id)
                front = None if done.colours is None else done.colours.front()
                roles[track.id] = replace(role_of(track, *done.all(), options, done.smears), front=front)
    return Analysis(info, count, tuple(roles[t.id] for t in tracks), cuts, marks)


def _tracks(info: MediaInfo, eyes: Eyes, options: Options, progress: Progress,
            read: Read) -> tuple[tuple[Track, ...], tuple[int, ...], Marks]:
    """First pass: who is where, the cuts, and a mark of every frame."""
    found, motions, marking = Finds(), Motions(), Marking()
    before = None
    for frame in read(info):
        now = small_luma(frame.planes[0] if frame.depth == 8 else (frame.planes[0] >> (frame.depth - 8)).astype(np.uint8))
        moved = measure(before, now, frame.index)
        motions.append(moved)
        found.append(() if frame.corrupt else find(frame, eyes, options, moved.cut))
        marking.add(frame)
        before = now
        progress("finding faces", len(found), info.frames)
    tracks = link(found, motions, float(info.rate), (info.width, info.height), options.track)
    return tracks, motions.cuts, marking.done()


def find(frame: Frame, eyes: Eyes, options: Options, first: bool = False) -> Found:
    """The faces of a frame; of the `first` of a shot, which may be short, everything is searched.

    What detectors look at is made from reduced planes; full size is worked out only when due.
    """
    index = 0 if first else frame.index
    full = index % options.detect.full_every == 0
    small = picture(frame, max(options.detect.full_side, options.detect.reduced_side) if full else options.detect.reduced_side)
    x, y = frame.width / small.shape[1], frame.height / small.shape[0]
    return tuple((times(box, x, y), score) for box, score in detect(small, index, eyes.detectors, options.detect))


@dataclass(frozen=True)
class Look(Value):
    """What pass two saw of a face in a frame; softness, grain and smear of it where they were measured."""

    sighting: Sighting
    softness: float | None = None
    grain: float | None = None
    smear: Array | None = None


class Notes:
    """What pass two writes down of one track."""

    def __init__(self, track: Track) -> None:
        self.reading = Reading(len(track.faces))
        self.softness: list[float] = []
        self.grain: list[float] = []
        self.smears: dict[int, Array] = {}
        self.colours: Colours | None = None

    def add(self, look: Look) -> None:
        self.reading.add(look.sighting)
        if look.sighting.hues is not None:
            self.colours = self.colours or Colours()
            self.colours.add(look.sighting.frame, look.sighting.hues)
        self.softness += [] if look.softness is None else [look.softness]
        self.grain += [] if look.grain is None else [look.grain]
        if look.smear is not None:
            self.smears[look.sighting.frame] = look.smear

    def all(self) -> tuple[Reading, float, float]:
        """The reading, softness and grain; 0 where nothing could be measured."""
        return self.reading, *(float(np.median(v)) if v else 0.0 for v in (self.softness, self.grain))  # type: ignore[return-value]


def looks(info: MediaInfo, tracks: tuple[Track, ...], eyes: Eyes, options: Options, progress: Progress,
          total: int, read: Read = frames) -> Generator[tuple[Track, Look | None], None, None]:
    """Second pass: what is seen of each track, frame after frame; None once after its last frame."""
    if not tracks:
        return
    coming, here = sorted(tracks, key=lambda t: t.start)[::-1], list[Track]()
    views: dict[int, Sequence[Window]] = {}
    telling: dict[int, frozenset[int]] = {}
    pairs: dict[int, Pair] = {}
    spare: list[Pair] = []
    try:
        for frame in read(info):
            while coming and coming[-1].start <= frame.index:
                here.append(coming.pop())
                views[here[-1].id] = windows(here[-1].boxes)
                telling[here[-1].id] = frozenset((extremes(here[-1].boxes) + here[-1].start).tolist())
            for t in here:
                face = t.at(frame.index)
                if face is None:
                    if t.id in pairs:
                        spare.append(pairs.pop(t.id))
                    del views[t.id], telling[t.id]
                    yield t, None
                    continue
                if frame.corrupt or max(face.box.width, face.box.height) < 0.75 * options.fit.min_face:
                    continue  # too small to draw on: the veil needs no landmarks
                if t.id not in pairs:
                    pairs[t.id] = spare.pop() if spare else Pair(eyes.follower, options.fit)
                    pairs[t.id].reset()
                seen = _look(frame, t, face.box, views[t.id][frame.index - t.start], pairs[t.id], options.draw.things,
                             frame.index in telling[t.id])
                if seen is not None:
                    yield t, seen
            here = [t for t in here if frame.index < t.stop]
            progress("reading faces", frame.index + 1, total)
        yield from ((t, None) for t in (*here, *coming))
    finally:
        for pair in (*pairs.values(), *spare):
            pair.close()


def _look(frame: Frame, track: Track, box: Box, window: Window, pair: Pair, hues: bool, tells: bool) -> Look | None:
    seen = sighting(frame, box, window, pair, hues)
    if seen is None:
        return None
    sample = frame.index in np.linspace(track.start, track.stop - 1, SAMPLES).astype(int)
    if not (sample or tells):
        return Look(seen)
    part = close(seen, window)
    crop = look(frame, part)
    smeared = smear(crop, seen, part) if tells else None
    return Look(seen, softness(crop, seen, part), grain(frame), smeared) if sample else Look(seen, smear=smeared)


def agrees(notes: Array, boxes: Array) -> Array:
    """(n,) whether landmarks and the track's face boxes (n, 4) speak of the same face; notes (n,) `NOTES`."""
    far, size = _apart(notes, boxes)
    ratio = (notes["high"] - notes["low"]).max(1) / size
    both: Array = (far < 0.4 * size) & (np.maximum(ratio, 1 / np.maximum(ratio, 1e-6)) < 1.8)
    return both


def _apart(notes: Array, boxes: Array) -> tuple[Array, Array]:
    """(n,) each, px: how far the middle of the landmarks is from that of the box, the box' size."""
    far = np.abs((notes["low"].astype(np.float64) + notes["high"]) / 2 - (boxes[:, :2] + boxes[:, 2:]) / 2).max(1)
    return far, (boxes[:, 2:] - boxes[:, :2]).max(1)


def _exposed(made: Fit, smears: Mapping[int, Array], sizes: Array) -> Fit:
    """The fit with its shutter, from the smear seen in some frames; sizes (n,) px."""
    at = np.array([f - made.start for f in smears if 0 < f - made.start < len(made.codes) - 1], int)
    if not at.size:
        return made
    moves = np.array([(made.codes[i + 1].translation[:2] - made.codes[i - 1].translation[:2]) / 2 for i in at.tolist()])
    shutter = exposure(np.array([smears[i + made.start] for i in at.tolist()]), moves, sizes[at])
    return replace(made, clip=replace(made.clip, shutter=shutter))


def role_of(track: Track, reading: Reading, soft: float, noise: float, options: Options,
            smears: Mapping[int, Array] = MappingProxyType({})) -> Role:
    """What becomes of a track: its fit where the landmarks are to be trusted, the veil elsewhere.

    soft, noise: sigma of edges and of grain in its footage, as `ClipCode` has them; smears: as of `sight.smear`, by frame.
    """
    weights = np.zeros(track.stop - track.start)
    boxes = np.array(track.rows["box"])
    made: Fit | None = None
    notes = reading.notes
    if notes["seen"].sum() >= LEAST_FIT:
        made = _exposed(fit(reading, soft, noise), smears, notes["size"])
        edge = slice(made.start - track.start, made.start - track.start + len(notes))
        # outside of the fit is untrusted too: the fade has to be over before
        whole = np.zeros(len(weights), bool)
        whole[edge] = judge(made, notes, options.fit) & agrees(notes, boxes[edge])
        weights = cross_fade(whole, options.fit.fade, options.fit.min_trusted)
        _stretch(boxes[edge], notes)
    return Role(track, made, weights, head_covers(Rows(boxes, Box.of)))


def _stretch(boxes: Array, notes: Array) -> None:
    """Boxes (n, 4) around what the landmarks say as well: the veil covers that too. In place."""
    far, size = _apart(notes, boxes)
    mine = notes["seen"] & (far <= size)
    boxes[mine, :2] = np.minimum(boxes[mine, :2], notes["low"][mine])
    boxes[mine, 2:] = np.maximum(boxes[mine, 2:], notes["high"][mine])
