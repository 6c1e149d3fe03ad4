"""First reading of the footage: who is where, and the face codes of everyone. Writes only small numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from facedouble.colour import picture
from facedouble.faces.detect import Detectors, Found, detect
from facedouble.faces.fit import Fit, Sighting, cross_fade, fit, judge
from facedouble.faces.motion import Motion, measure, small_luma
from facedouble.faces.track import link
from facedouble.geometry import times
from facedouble.media.decode import frames
from facedouble.options import Options
from facedouble.pipeline.sight import Follower, Pair, Window, grain, look, sighting, softness, windows
from facedouble.protect.veil import Ellipse, head_covers
from facedouble.types import MESH_POINTS, Array, Box, Frame, MediaInfo, Track, Value

Progress = Callable[[str, int, int | None], None]
"""(step, frames done, frames in all or None)"""

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
    double came out too like the witness.
    """

    track: Track
    fit: Fit | None
    weights: Array
    covers: tuple[Ellipse, ...]
    boxes: tuple[Box, ...]
    alike: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Analysis(Value):
    """All that the drawing needs besides the footage and the double."""

    info: MediaInfo
    frames: int
    roles: tuple[Role, ...]


def quiet(step: str, done: int, total: int | None) -> None:
    """A progress that nobody watches."""


def analyse(info: MediaInfo, eyes: Eyes, options: Options, progress: Progress = quiet) -> Analysis:
    """Detect, track, fit; two passes over the footage."""
    found: list[Found] = []
    motions: list[Motion] = []
    before = None
    for frame in frames(info):
        found.append(() if frame.corrupt else find(frame, eyes, options))
        now = small_luma(frame.planes[0] if frame.depth == 8 else (frame.planes[0] >> (frame.depth - 8)).astype(np.uint8))
        motions.append(measure(before, now, frame.index))
        before = now
        progress("finding faces", len(found), info.frames)
    count = len(found)
    tracks = link(found, motions, float(info.rate), (info.width, info.height), options.track)
    seen = _sightings(info, tracks, eyes, options, progress, count) if tracks else {}
    roles = tuple(_role(t, *seen[t.id], options) for t in tracks)
    return Analysis(info, count, roles)


def find(frame: Frame, eyes: Eyes, options: Options) -> Found:
    """The faces of a frame. What detectors look at is made from reduced planes; full size is worked out only when due."""
    if frame.index % options.detect.full_every == 0:
        return detect(picture(frame), frame.index, eyes.detectors, options.detect)
    small = picture(frame, options.detect.reduced_side)
    x, y = frame.width / small.shape[1], frame.height / small.shape[0]
    return tuple((times(box, x, y), score) for box, score in detect(small, frame.index, eyes.detectors, options.detect))


@dataclass
class _Notes:
    """What pass two writes down of one track."""

    sightings: list[Sighting]
    softness: list[float]
    grain: list[float]


def _sightings(info: MediaInfo, tracks: tuple[Track, ...], eyes: Eyes, options: Options, progress: Progress,
               total: int) -> dict[int, tuple[list[Sighting], float, float]]:
    views = {t.id: windows([f.box for f in t.faces]) for t in tracks}
    notes = {t.id: _Notes([], [], []) for t in tracks}
    watch = {t.id: set(np.linspace(t.start, t.stop - 1, SAMPLES).astype(int).tolist()) for t in tracks}
    pairs: dict[int, Pair] = {}
    spare: list[Pair] = []
    try:
        for frame in frames(info):
            for t in tracks:
                face = t.at(frame.index)
                if face is None:
                    if t.id in pairs and frame.index >= t.stop:
                        spare.append(pairs.pop(t.id))
                    continue
                if frame.corrupt or max(face.box.width, face.box.height) < 0.75 * options.fit.min_face:
                    continue  # too small to draw on: the veil needs no landmarks
                if t.id not in pairs:
                    pairs[t.id] = spare.pop() if spare else Pair(eyes.follower, options.fit)
                    pairs[t.id].reset()
                _note(frame, face.box, views[t.id][frame.index - t.start], pairs[t.id], notes[t.id],
                      frame.index in watch[t.id])
            progress("reading faces", frame.index + 1, total)
    finally:
        for pair in (*pairs.values(), *spare):
            pair.close()
    return {k: (n.sightings, float(np.median(n.softness)) if n.softness else 0.0,
                float(np.median(n.grain)) if n.grain else 0.0) for k, n in notes.items()}


def _note(frame: Frame, box: Box, window: Window, pair: Pair, notes: _Notes, measure: bool) -> None:
    seen = sighting(frame, box, window, pair)
    if seen is None:
        return
    notes.sightings.append(seen)
    if measure:
        soft = softness(look(frame, window), seen, window)
        if soft is not None:
            notes.softness.append(soft)
        notes.grain.append(grain(frame))


def _filled(sightings: list[Sighting]) -> Iterator[tuple[Sighting, bool]]:
    """Gapless sightings, and whether each was seen. What is in between is interpolated, and never drawn on."""
    for a, b in zip(sightings, [*sightings[1:], None], strict=True):
        yield a, True
        if b is None:
            return
        for frame in range(a.frame + 1, b.frame):
            u = (frame - a.frame) / (b.frame - a.frame)
            yield Sighting(frame, a.marks * (1 - u) + b.marks * u, a.light * (1 - u) + b.light * u, 1.0), False


def _agrees(marks: Array, box: Box) -> bool:
    """Whether landmarks and the track's face box speak of the same face."""
    low, high = marks[:MESH_POINTS, :2].min(0), marks[:MESH_POINTS, :2].max(0)
    size = max(box.width, box.height)
    ratio = max(float((high - low).max()) / size, size / max(float((high - low).max()), 1e-6))
    return bool(np.abs((low + high) / 2 - box.centre).max() < 0.4 * size and ratio < 1.8)


def _role(track: Track, sightings: list[Sighting], soft: float, noise: float, options: Options) -> Role:
    weights = np.zeros(track.stop - track.start)
    boxes = [f.box for f in track.faces]
    made: Fit | None = None
    if len(sightings) >= LEAST_FIT:
        filled = list(_filled(sightings))
        rows = [s for s, _ in filled]
        made = fit(rows, soft, noise)
        good = judge(made, rows, options.fit) & np.array([seen for _, seen in filled])
        good &= np.array([_agrees(s.marks, boxes[s.frame - track.start]) for s in rows])
        # outside of the fit is untrusted too: the fade has to be over before
        edge = slice(made.start - track.start, made.start - track.start + len(rows))
        whole = np.zeros(len(weights), bool)
        whole[edge] = good
        weights = cross_fade(whole, options.fit.fade, options.fit.min_trusted)
        for s, (_, seen) in zip(rows, filled, strict=True):
            if seen:  # the veil covers what the landmarks say as well
                boxes[s.frame - track.start] = _union(boxes[s.frame - track.start], s.marks)
    return Role(track, made, weights, tuple(head_covers(boxes)), tuple(f.box for f in track.faces))


def _union(box: Box, marks: Array) -> Box:
    low, high = marks[:MESH_POINTS, :2].min(0), marks[:MESH_POINTS, :2].max(0)
    size = max(box.width, box.height)
    if np.abs((low + high) / 2 - box.centre).max() > size:
        return box
    return Box(min(box.x0, float(low[0])), min(box.y0, float(low[1])), max(box.x1, float(high[0])), max(box.y1, float(high[1])))
