"""Casting: who is in the footage, how near each double is to them, which double suits whom, and the sheet to choose from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from scipy.spatial.transform import Rotation

from facedouble import disk
from facedouble.colour import picture
from facedouble.doubles import capture
from facedouble.doubles.casting import (
    ACCEPTED,
    DOUBLES,
    Finding,
    Fitness,
    Override,
    against,
    apart,
    lacking,
    least,
    verdict,
)
from facedouble.doubles.file import read_double
from facedouble.errors import InputRefused, UsageError
from facedouble.faces.detect import detect
from facedouble.faces.identify import tie
from facedouble.faces.light import fit_light
from facedouble.media.decode import frames
from facedouble.media.probe import probe
from facedouble.models.install import locate
from facedouble.models.recogniser import recogniser
from facedouble.morphable.pose import canonical, euler
from facedouble.morphable.topology import topology
from facedouble.options import Options
from facedouble.pipeline.alone import draw_alone, resting
from facedouble.pipeline.analyse import Eyes, Progress, quiet
from facedouble.pipeline.sight import NEAR, Pair, windows
from facedouble.pipeline.sight import look as crop_of
from facedouble.types import MESH_POINTS, Array, Box, Bytes, Double, Floats, Frame, MediaInfo, Recogniser, Value

STEP = 0.4  # s between the frames that are looked at...
LEAST_FRAMES, MOST_FRAMES = 12, 240  # ...but so many of each piece of footage; who is there between two of them is not cast for
SETTLE = 3  # times that the landmarker sees each face: it follows from one to the next
LEAST_FACE = 0.75  # of `FitOptions.min_face`: nothing is drawn on a smaller one
MOST_YAW = 45.0  # degrees: dlib was not made for faces that are turned farther
LEVEL = 20.0  # degrees of yaw within which expressions are judged: a turned face seems to wink
TURNS = ("turn right", "turn left", "nod")  # parts of the capture sheet that are poses
FACE_PICTURE = 160  # px, side of a witness's picture

# Skin under which a double is looked at, linear RGB; the file holds no skin tone, because that follows the scene.
TONES = ((0.52, 0.31, 0.23), (0.33, 0.18, 0.12), (0.12, 0.06, 0.04))
VIEWS = ((0.0, 0.0, 0), (0.0, 0.0, 1), (0.0, 0.0, 2), (-15.0, 0.0, 1), (15.0, 0.0, 1), (0.0, 8.0, 1), (0.0, -8.0, 1))
"""Yaw and pitch in degrees, and the number of the tone."""
PORTRAIT = 0.58  # of the face's size, from its middle to the rim of the portrait
LIDS = 0.34  # aperture over eye width of eyes at rest
FRONTAL = -0.28  # of the ambient light comes from the camera, besides

CELL, SHOWN, MOST_LETTERS = 220, 6, 30  # px of a portrait on the sheet; doubles shown for each person; letters of a line
BACKGROUND, INK, FAINT = 32, (235, 235, 235), (160, 160, 160)


@dataclass(frozen=True)
class Witness(Value):
    """A person of the footage, known as "person 1" and so on: what casting needs, and one picture for the caller's own eyes.

    embeddings (n, 128), source (n,) number of the piece of footage each is from, frames (n,) its frame there, boxes (n, 4) the
    face x0 y0 x1 y1 px; picture (160, 160, 3): the WITNESS'S BARE FACE, which goes into no sheet; yaw and pitch lowest and
    highest, degrees; skin (3,) ambient light on it, linear RGB; size: median width of the face, px; does: the parts of the
    capture sheet that were seen.
    """

    name: str
    embeddings: Floats
    source: Array
    frames: Array
    boxes: Array
    picture: Bytes
    yaw: tuple[float, float]
    pitch: tuple[float, float]
    skin: Floats
    size: float
    does: dict[str, bool]


@dataclass(frozen=True)
class Candidate(Value):
    """A double as casting sees it: embeddings (k, 128) of drawings of it, a portrait (h, w, 3), what its footage holds."""

    name: str
    id: str
    quality: str
    coverage: dict[str, bool]
    embeddings: Floats
    portrait: Bytes


@dataclass(frozen=True)
class Ranking(Value):
    """The doubles for one witness, best first."""

    witness: Witness
    order: tuple[tuple[Candidate, Fitness], ...]


@dataclass(frozen=True)
class _Glance(Value):
    """One face in one frame of the footage."""

    source: int
    frame: int
    box: Box
    marks: Array
    angles: tuple[float, float]
    width: float
    light: Floats
    embedding: Floats
    picture: Bytes


def open_recogniser(models: Path | None = None) -> Recogniser:
    """Load the embedding that doubles are cast with; ModelError with the remedy if it is missing or altered."""
    return recogniser(locate("dlib", models))


def _eight(crop: Floats) -> Bytes:
    """Display RGB in [0, 1] as bytes."""
    return np.asarray(np.clip(crop * 255 + 0.5, 0, 255), np.uint8)


def embed(frame: Frame, mesh: Array, recognise: Recogniser) -> Floats:
    """The embedding (128,) of a face in a frame; mesh (468 or more, 2 or more) px of the frame."""
    low, high = mesh[:MESH_POINTS, :2].min(0), mesh[:MESH_POINTS, :2].max(0)
    window = windows([Box(float(low[0]), float(low[1]), float(high[0]), float(high[1]))])[0]
    return recognise(_eight(crop_of(frame, window)), mesh[:, :2] - [window.x0, window.y0])


def resemblance(drawn: Bytes, marks: Array, witness: Floats, recognise: Recogniser) -> float:
    """How near what was drawn comes to its witness: the least distance to any of the witness's embeddings (n, 128).

    Under `doubles.casting.ACCEPTED` a recogniser would take the one for the other.

    Parameters
    ----------
    drawn : (h, w, 3) uint8 RGB, the crop as it will be seen, surroundings included
    marks : (468 or more, 2 or more) px of the crop: the double's mesh as it was drawn
    """
    return least(recognise(drawn, marks), witness)


def witnesses(footage: Sequence[Path], eyes: Eyes, recognise: Recogniser, options: Options,
              progress: Progress = quiet) -> tuple[Witness, ...]:
    """Who is in the footage: everybody whose face a double could be drawn on, whoever is seen most often first.

    A sample of the frames is looked at, so somebody who is there for a moment, or in profile only, can be missed.
    """
    glances: list[_Glance] = []
    pair = Pair(eyes.follower, options.fit)
    try:
        for number, path in enumerate(footage):
            glances += _glances(number, probe(path), eyes, pair, recognise, options, progress)
    finally:
        pair.close()
    tied = tie(np.array([g.embedding for g in glances]), [(g.source, g.frame) for g in glances], ACCEPTED)
    return tuple(_witness(f"person {k + 1}", [glances[i] for i in group]) for k, group in enumerate(tied))


def _step(info: MediaInfo) -> int:
    """How many frames there are from one that is looked at to the next."""
    count = info.frames or round(float((info.duration or 60) * info.rate))
    wanted = round(STEP * float(info.rate))
    return max(1, -(-count // MOST_FRAMES), min(wanted, count // LEAST_FRAMES))


def _glances(number: int, info: MediaInfo, eyes: Eyes, pair: Pair, recognise: Recogniser, options: Options,
             progress: Progress) -> Iterator[_Glance]:
    step = _step(info)
    for frame in frames(info):
        progress("looking for people", frame.index + 1, info.frames)
        if frame.index % step or frame.corrupt:
            continue
        for box, _ in detect(picture(frame), frame.index // step, eyes.detectors, options.detect):
            if max(box.width, box.height) >= LEAST_FACE * options.fit.min_face:
                seen = _glance(number, frame, box, pair, recognise)
                if seen is not None:
                    yield seen


def _glance(number: int, frame: Frame, box: Box, pair: Pair, recognise: Recogniser) -> _Glance | None:
    """What is seen of a face; None if the landmarker does not find it, or it is turned too far to be recognised."""
    window = windows([box])[0]
    crop = crop_of(frame, window)
    pair.reset()
    found = None
    for _ in range(SETTLE):
        found = pair.marks(crop)
    if found is None:
        return None
    marks = found[0]
    middle = marks[:MESH_POINTS, :2].mean(0) + np.array([window.x0, window.y0])
    if np.abs(middle - box.centre).max() > NEAR * max(box.width, box.height):
        return None
    yaw, pitch, _ = euler(canonical(marks[None], topology().mean)[2][0])
    if abs(yaw) > MOST_YAW:
        return None
    eight = _eight(crop)
    small = cv2.resize(eight, (FACE_PICTURE, FACE_PICTURE), interpolation=cv2.INTER_AREA)
    width = float(np.linalg.norm(marks[234, :2] - marks[454, :2]))
    return _Glance(number, frame.index, box, marks, (yaw, pitch), width, fit_light(crop, marks), recognise(eight, marks),
                   np.asarray(small, np.uint8))


def _witness(name: str, seen: list[_Glance]) -> Witness:
    angles = np.array([g.angles for g in seen])
    best = max(seen, key=lambda g: g.width * float(np.cos(np.radians(g.angles[0]))))
    return Witness(name, np.array([g.embedding for g in seen]), np.array([g.source for g in seen]),
                   np.array([g.frame for g in seen]), np.array([(g.box.x0, g.box.y0, g.box.x1, g.box.y1) for g in seen]),
                   best.picture, (float(angles[:, 0].min()), float(angles[:, 0].max())),
                   (float(angles[:, 1].min()), float(angles[:, 1].max())),
                   np.median([g.light[:3] for g in seen], 0).astype(np.float32),
                   float(np.median([g.width for g in seen])), _does(seen))


def _does(seen: list[_Glance]) -> dict[str, bool]:
    """Which parts of the capture sheet are in what was seen: poses in all of it, expressions where the face is level."""
    does = _parts(seen)
    level = [g for g in seen if abs(g.angles[0]) < LEVEL]
    expressions = _parts(level) if level else {}
    return {part: done if part in TURNS else expressions.get(part, False) for part, done in does.items()}


def _parts(seen: list[_Glance]) -> dict[str, bool]:
    return capture.measure(capture.Material(np.stack([g.marks for g in seen]), False)).coverage


def look(double: Double, recognise: Recogniser, name: str = "") -> Candidate:
    """Draw a double alone, in several poses and skin tones, and embed the drawings; the double's id is its name by default."""
    at_rest = resting(double)
    found, portrait = [], np.zeros((1, 1, 3), np.uint8)
    for yaw, pitch, tone in VIEWS:
        turn = Rotation.from_euler("yxz", [yaw, pitch, 0], degrees=True).as_rotvec().astype(np.float32)
        light = np.zeros(69, np.float32)
        light[:3], light[9:12] = TONES[tone], FRONTAL * np.array(TONES[tone])
        drawn = draw_alone(at_rest, replace(at_rest.codes[0], rotation=turn, light=light, lids=np.full(2, LIDS, np.float32)))
        if drawn is None:
            raise InputRefused(f"{name or double.id}: cannot be drawn; make the double again")
        seen = _eight(drawn[0])
        found.append(recognise(seen, drawn[1]))
        if len(found) == 1:
            low, high = drawn[1][:, :2].min(0), drawn[1][:, :2].max(0)
            half, (x, y) = round(float((high - low).max()) * PORTRAIT), ((low + high) / 2).astype(int)
            portrait = seen[max(y - half, 0) : y + half, max(x - half, 0) : x + half]
    return Candidate(name or double.id, double.id, double.quality, dict(double.coverage), np.array(found), portrait)


def judge(double: Candidate, person: Witness) -> Finding:
    """How near a double is to a witness."""
    distance = against(double.embeddings, person.embeddings, person.source)
    return Finding(double.id, person.name, distance, verdict(distance))


def check(double: Candidate, people: Sequence[Witness], others: Iterable[Candidate] = ()) -> tuple[Finding, ...]:
    """How near a double is to each person of the footage, then to each of the other doubles; itself is left out."""
    found = [judge(double, person) for person in people]
    for other in others:
        if other.id != double.id:
            distance = apart(double.embeddings, other.embeddings)
            found.append(Finding(double.id, other.id, distance, verdict(distance, DOUBLES)))
    return tuple(found)


def override(findings: Iterable[Finding], whom: str, by: str, reason: str) -> Override:
    """Cast a refused double all the same; UsageError if `whom` is not in the findings, or no name or reason is given."""
    for finding in findings:
        if finding.whom == whom:
            return Override(finding, by, reason)
    raise UsageError(f"{whom} is not among those the double was checked against")


def doubles_in(folder: Path, recognise: Recogniser) -> Iterator[Candidate]:
    """The doubles of a folder, by name; one at a time is in memory. InputRefused if there is none, or one is damaged."""
    paths = disk.found(folder, "*.fdouble")
    if not paths:
        raise InputRefused(f"{folder}: holds no doubles (*.fdouble)")
    for path in paths:
        yield look(read_double(path), recognise, path.stem)


def rank(candidates: Iterable[Candidate], people: Sequence[Witness]) -> tuple[Ranking, ...]:
    """For each person: the doubles that are far in identity first, among those the ones with what the eye needs.

    That is the turns, nods and expressions that the witness makes, and the double's quality. Skin does not count: a double has
    none of its own, it takes the tone of the scene. Refused ones come last.
    """
    known = list(candidates)
    made = []
    for person in people:
        fits = [(c, Fitness(judge(c, person), lacking(c.coverage, person.does), c.quality)) for c in known]
        made.append(Ranking(person, tuple(sorted(fits, key=lambda f: (f[1].order(), f[0].name)))))
    return tuple(made)


def sheet(rankings: Sequence[Ranking]) -> bytes:
    """JPEG to choose from: a row for each person, described in figures only, with the portraits of the best doubles."""
    rows = [_row(r) for r in rankings]
    if not rows:
        raise InputRefused("nobody was found in the footage whom a double could stand in for: there is nothing to choose")
    wide = max(r.shape[1] for r in rows)
    page = np.concatenate([np.pad(r, ((0, 0), (0, wide - r.shape[1]), (0, 0)), constant_values=BACKGROUND) for r in rows])
    return bytes(cv2.imencode(".jpg", page[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])[1])


def _row(ranking: Ranking) -> Bytes:
    person = ranking.witness
    row = np.full((CELL + 92, max(CELL * SHOWN, CELL), 3), BACKGROUND, np.uint8)
    seen = f"{len(person.embeddings)} looks, yaw {person.yaw[0]:+.0f} to {person.yaw[1]:+.0f}, pitch {person.pitch[0]:+.0f} to " \
           f"{person.pitch[1]:+.0f} degrees, face {person.size:.0f} px"
    _write(row, f"{person.name}: {seen}", 8, 18, INK)
    for k, (candidate, fitness) in enumerate(ranking.order[:SHOWN]):
        x = k * CELL
        small = cv2.resize(candidate.portrait, (CELL - 8, CELL - 8), interpolation=cv2.INTER_AREA)
        row[28 : 28 + CELL - 8, x + 4 : x + CELL - 4] = small
        _write(row, f"{k + 1}. {candidate.name[:24]}", x + 6, CELL + 36, INK)
        _write(row, f"distance {fitness.finding.distance:.2f}: {fitness.finding.verdict}", x + 6, CELL + 53, INK)
        lacks = f"lacks {', '.join(fitness.lacking)}" if fitness.lacking else "lacks nothing"
        _write(row, f"quality {candidate.quality}", x + 6, CELL + 70, FAINT)
        _write(row, lacks if len(lacks) < MOST_LETTERS else lacks[: MOST_LETTERS - 3] + "...", x + 6, CELL + 86, FAINT)
    return row


def _write(page: Bytes, text: str, x: int, y: int, ink: tuple[int, int, int]) -> None:
    plain = text.encode("ascii", "replace").decode()
    cv2.putText(page, plain, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.38, ink, 1, cv2.LINE_AA)
