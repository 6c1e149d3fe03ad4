"""People: looks at every track of the footage, who is who by them, and the sheet of BARE faces to recognise them by."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, zip_longest

import cv2
import numpy as np

from facedouble.faces.identify import Limits, Meeting, People, Person, Seen, identify, unfinished
from facedouble.geometry import corners
from facedouble.media.decode import frames
from facedouble.morphable.topology import topology
from facedouble.pipeline.analyse import Analysis, Progress, Role, quiet
from facedouble.pipeline.sight import Window, windows
from facedouble.pipeline.sight import look as crop_of
from facedouble.raster import cover, edge_sigma
from facedouble.types import CODE, Array, Box, Bytes, Floats, Frame, Recogniser, Value

LOOKS, EACH, MOST_LOOKS = 6, 2.0, 40  # looks at a track; one more for so many seconds of it; but no more than that
DENSE = 0.2  # s between looks at a track that is to be shown, and where it seems to hold two people
WIDTH = 1.55  # outer-eye distances: a face's width
WHOLE_SIZE, LEAST_SIZE = 80.0, 26.0  # px of a face's width from which it tells all, and under which nothing
MOST_YAW, MOST_PITCH = 55.0, 40.0  # degrees: dlib was not made for faces that are turned farther
SOFT = 0.045  # face widths: edge blur at which a face tells half as much
FACE_PICTURE = 96  # px, side of a thumbnail
HAIR, CLOTHES = (-0.22, 0.0), (1.22, 1.46)  # of the face box' height from its top: strips whose colours are kept
INSIDE = 0.5  # share of the smaller box from which two tracks are on one face
APART = 3  # frames in which two tracks have to be seen in different places

PAGE_ROWS, ROW, LEFT, SHOWN = 24, 136, 236, 8  # rows of a page; px of a row and of its text; thumbnails in it
LETTERS, MOST_ALIKE = 34, 3  # of a line of its text; ids of others that it names
SURE = 0.5  # confidence from which on a person is called sure
BACKGROUND, INK, FAINT, WARNING = 32, (235, 235, 235), (160, 160, 160), (255, 170, 60)


@dataclass(frozen=True)
class Glance(Value):
    """A thumbnail of a look: JPEG of a BARE face, for the film-maker's own eyes; worth in [0, 1]."""

    clip: str
    track: int
    frame: int
    time: float
    worth: float
    jpeg: bytes


@dataclass(frozen=True)
class Looks(Value):
    """What was looked at in the footage: numbers for each track, thumbnails, and which tracks are there at the same time."""

    seen: tuple[Seen, ...]
    glances: tuple[Glance, ...]
    meetings: tuple[Meeting, ...]


def look(clip: str, made: Analysis, recognise: Recogniser, progress: Progress = quiet,
         wanted: Mapping[int, Sequence[int]] | None = None) -> Looks:
    """Read a clip once more and look at its tracks: at some frames of each, or at those `wanted` (by track)."""
    rate = float(made.info.rate)
    due: dict[int, list[Role]] = {}
    worth = {r.track.id: worth_of(r) for r in made.roles}
    for role in made.roles:
        t = role.track
        some = choose(worth[t.id], rate) + t.start if wanted is None else wanted.get(t.id, ())
        for f in some:
            due.setdefault(int(f), []).append(role)
    found: dict[int, list[_Look]] = {r.track.id: [] for r in made.roles}
    last = max(due, default=-1)
    for frame in frames(made.info):
        if frame.index > last:
            break
        progress("recognising faces", frame.index + 1, made.frames)
        for role in due.get(frame.index, ()) if not frame.corrupt else ():
            k = role.track.id
            found[k].append(_look(frame, role, float(worth[k][frame.index - role.track.start]), recognise))
    seen = tuple(_seen(clip, r, found[r.track.id]) for r in made.roles if wanted is None or r.track.id in wanted)
    glances = tuple(Glance(clip, r.track.id, s.frame, s.frame / rate, s.trust, s.jpeg)
                    for r in made.roles for s in found[r.track.id])
    return Looks(seen, glances, tuple(meetings(clip, made.roles)))


def who_is_who(clips: Mapping[str, Analysis], recognise: Recogniser, limits: Limits | None = None,
               progress: Progress = quiet) -> tuple[People, Looks]:
    """Look at all clips (by their ids in the plan) and say who is who.

    A track that seems to hold two people is looked at more closely there.
    """
    limits = limits or Limits()
    every = [look(name, made, recognise, progress) for name, made in sorted(clips.items())]
    for k, (name, made) in enumerate(sorted(clips.items())):
        again = closer(every[k].seen, float(made.info.rate), limits)
        if again:
            every[k] = _more(every[k], look(name, made, recognise, progress, again))
    looks = Looks(tuple(s for e in every for s in e.seen), tuple(g for e in every for g in e.glances),
                  tuple(m for e in every for m in e.meetings))
    return identify(looks.seen, looks.meetings, limits), looks


def closer(seen: Iterable[Seen], rate: float, limits: Limits) -> dict[int, Sequence[int]]:
    """Frames to look at besides, by track: between two looks that disagree, so that little is left that is nobody's."""
    step = max(1, round(DENSE * rate / 2))
    out = {s.track: [f for a, b in unfinished(s, limits) for f in range(a + step, b, step)] for s in seen}
    return {track: some for track, some in out.items() if some}


def _more(first: Looks, second: Looks) -> Looks:
    also = {s.track: s for s in second.seen}
    return Looks(tuple(s.joined(also[s.track]) if s.track in also else s for s in first.seen), first.glances + second.glances,
                 first.meetings)


def closely(clip: str, made: Analysis, tracks: Iterable[int], known: Iterable[Seen], recognise: Recogniser,
            progress: Progress = quiet) -> dict[int, Seen]:
    """Looks at tracks that are to be shown, by track, about every `DENSE` seconds; those `known` are not taken again.

    Reads the footage. What `faces.identify.verify` is not sure of has to be veiled; its reach is `reach` of the clip.
    """
    before = {s.track: s for s in known if s.clip == clip}
    rate, some = float(made.info.rate), set(tracks)
    wanted = {r.track.id: dense_frames(r, rate, before[r.track.id].frames if r.track.id in before else ())
              for r in made.roles if r.track.id in some}
    new = look(clip, made, recognise, progress, wanted)
    return {s.track: before[s.track].joined(s) if s.track in before else s for s in new.seen}


def reach(made: Analysis) -> int:
    """How many frames may lie between two looks that are to vouch for those between them."""
    return round(2 * DENSE * float(made.info.rate))


def dense_frames(role: Role, rate: float, known: Iterable[int] = ()) -> list[int]:
    """Frames to look at so that, with those `known`, there is a look about every `DENSE` seconds, and at both ends."""
    worth, step = worth_of(role), max(1, round(DENSE * rate))
    good = np.flatnonzero(worth > 0)
    if not good.size:
        return []
    have = sorted({int(f) - role.track.start for f in known} | {int(good[0]), int(good[-1])})
    for a, b in pairwise(list(have)):
        parts = np.linspace(a, b, max(1, round((b - a) / step)) + 1).round().astype(int)[1:-1].tolist()
        for f in parts:  # the best frame near to the even place
            low, high = max(a + 1, f - step // 4), min(b, f + step // 4 + 1)
            have.append(low + int(np.argmax(worth[low:high])))
    return sorted(role.track.start + i for i in set(have) if worth[i] > 0 and i + role.track.start not in set(known))


def worth_of(role: Role) -> Floats:
    """(n,) in [0, 1], a track's frames: how much a look at the face would tell; 0 where there is no face to look at."""
    worth = np.zeros(len(role.track.faces), np.float32)
    if role.fit is None:
        return worth
    at = slice(role.fit.start - role.track.start, role.fit.start - role.track.start + len(role.fit.codes))
    numbers = np.asarray(role.fit.codes.numbers)
    size = WIDTH * numbers[:, CODE["scale"]][:, 0]
    yaw, pitch, _ = np.abs(role.fit.angles).T
    turned = np.clip(1 - (yaw / MOST_YAW) ** 2, 0, 1) * np.clip(1 - (pitch / MOST_PITCH) ** 2, 0, 1)
    middle = numbers[:, CODE["translation"]][:, :2]
    b = corners(role.boxes)[at]
    near = (np.abs(middle - (b[:, :2] + b[:, 2:]) / 2) < 0.45 * (b[:, 2:] - b[:, :2])).all(1)
    large = np.clip((size - LEAST_SIZE) / (WHOLE_SIZE - LEAST_SIZE), 0, 1)
    worth[at] = turned * large**0.5 * (near & role.track.rows["observed"][at])
    return worth


def choose(worth: Array, rate: float) -> Array:
    """The frames to look at, from the track's start on: spread over the track, in each part of it the best."""
    good = np.flatnonzero(worth > 0)
    if not good.size:
        return np.array([len(worth) // 2])
    count = int(np.clip(LOOKS + (len(worth) / rate - LOOKS * EACH) / EACH, LOOKS, MOST_LOOKS))
    edges = np.linspace(good[0], good[-1] + 1, min(count, len(good)) + 1).round().astype(int)
    best = {int(a + np.argmax(worth[a:b])) for a, b in pairwise(edges) if b > a and worth[a:b].max() > 0}
    return np.array(sorted(best))


def meetings(clip: str, roles: Sequence[Role]) -> list[Meeting]:
    """Which tracks of a clip are seen at the same time in different places, and when."""
    out = []
    there = sorted((r.track for r in roles), key=lambda t: t.start)
    seen = [np.asarray(t.rows["observed"]) for t in there]
    boxes = [np.asarray(t.rows["box"]) for t in there]
    for i, a in enumerate(there):
        for j in range(i + 1, len(there)):
            b = there[j]
            if b.start >= a.stop:
                break
            start, stop = max(a.start, b.start), min(a.stop, b.stop)
            mine, yours = slice(start - a.start, stop - a.start), slice(start - b.start, stop - b.start)
            apart = seen[i][mine] & seen[j][yours] & (_inside(boxes[i][mine], boxes[j][yours]) < INSIDE)
            at = np.flatnonzero(apart)
            if at.size >= min(APART, stop - start):
                out.append(Meeting(clip, a.id, b.id, start + int(at[0]), start + int(at[-1]) + 1))
    return out


def _inside(a: Array, b: Array) -> Array:
    """(n,) share of the smaller box that lies in the other; a and b (n, 4)."""
    wide = np.minimum(a[:, 2], b[:, 2]) - np.maximum(a[:, 0], b[:, 0])
    high = np.minimum(a[:, 3], b[:, 3]) - np.maximum(a[:, 1], b[:, 1])
    small = np.minimum((a[:, 2] - a[:, 0]) * (a[:, 3] - a[:, 1]), (b[:, 2] - b[:, 0]) * (b[:, 3] - b[:, 1]))
    out: Array = np.maximum(wide, 0) * np.maximum(high, 0) / small
    return out


@dataclass(frozen=True)
class _Look(Value):
    """One look: frame, trust in [0, 1], embedding (128,) or (0,) if no face is to be seen, colours (6,) Lab, thumbnail."""

    frame: int
    trust: float
    embedding: Floats
    colours: Floats
    jpeg: bytes


def _look(frame: Frame, role: Role, worth: float, recognise: Recogniser) -> _Look:
    face = role.track.at(frame.index)
    assert face is not None
    window = windows([face.box])[0]
    crop = crop_of(frame, window)
    eight = np.asarray(np.clip(crop * 255 + 0.5, 0, 255), np.uint8)
    jpeg, colours = _jpeg(eight), _colours(eight, face.box, window)
    if worth <= 0 or role.fit is None:
        return _Look(frame.index, 0.0, np.zeros(0, np.float32), colours, jpeg)
    marks = role.fit.outlines[frame.index - role.fit.start].mesh - [window.x0, window.y0]
    return _Look(frame.index, worth * _sharpness(crop, marks), recognise(eight, marks), colours, jpeg)


def _sharpness(crop: Floats, marks: Array) -> float:
    """1 for a sharp face, 1/2 for one with edges as soft as `SOFT`."""
    grey = cv2.transform(crop, np.full((1, 3), 255 / 3, np.float32))
    mask = cover(marks, topology().skin, grey.shape[1], grey.shape[0]) > 0
    width = float(np.linalg.norm(marks[234] - marks[454]))
    if mask.sum() < 100 or width < 8:
        return 0.5
    return float(1 / (1 + (edge_sigma(grey, mask) / (SOFT * width)) ** 2))


def _jpeg(eight: Bytes) -> bytes:
    small = cv2.resize(eight, (FACE_PICTURE, FACE_PICTURE), interpolation=cv2.INTER_AREA)
    return bytes(cv2.imencode(".jpg", small[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])[1])


def _colours(eight: Bytes, box: Box, w: Window) -> Floats:
    """(6,) mean colours of the strips above and below a face, Lab."""
    lab = cv2.cvtColor(eight, cv2.COLOR_RGB2LAB)
    x0, x1 = (round(box.x0 + u * box.width) - w.x0 for u in (0.2, 0.8))
    out: list[float] = []
    for top, bottom in (HAIR, CLOTHES):
        y0, y1 = (round(box.y0 + v * box.height) - w.y0 for v in (top, bottom))
        strip = lab[max(y0, 0) : max(y1, 1), max(x0, 0) : max(x1, 1)]
        out += strip.reshape(-1, 3).mean(0).tolist() if strip.size else [0.0] * 3
    return np.array(out, np.float32)


def _seen(clip: str, role: Role, looks: list[_Look]) -> Seen:
    faces = [s for s in looks if s.embedding.size]
    return Seen(clip, role.track.id, role.track.start, role.track.stop, np.array([s.frame for s in faces], np.int64),
                np.array([s.embedding for s in faces], np.float32).reshape(-1, 128),
                np.array([s.trust for s in faces], np.float32), np.array([s.colours for s in faces], np.float32).reshape(-1, 6))


def sheet(people: People, glances: Sequence[Glance], ids: Sequence[str] | None = None) -> list[bytes]:
    """Pages (JPEG) to recognise people by: a row for each, with id (P1, P2, … if not given), what is known, and thumbnails.

    They hold the BARE FACES of witnesses: keep them as you keep the footage.
    """
    of: dict[tuple[str, int], list[Glance]] = {}
    for g in glances:
        of.setdefault((g.clip, g.track), []).append(g)
    rows, ids = [], ids or [name for name, _ in people.named()]
    for k, (name, person) in enumerate(zip(ids, people.people, strict=True)):
        tracks = sorted({(p.clip, p.track) for p in person.pieces})
        rows.append(_row(name, person, alike(people, k, ids), [g for t in tracks for g in of.get(t, ())]))
    if not rows:
        return []
    pages = [np.concatenate(rows[i : i + PAGE_ROWS]) for i in range(0, len(rows), PAGE_ROWS)]
    return [bytes(cv2.imencode(".jpg", p[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])[1]) for p in pages]


def alike(people: People, number: int, names: Sequence[str]) -> list[str]:
    """The ids, of `names`, of those that may be the same person, the nearest first."""
    near = sorted((*people.maybe, *people.conflicts), key=lambda d: d.distance)
    return [names[d.other if d.one == number else d.one] for d in near if number in (d.one, d.other)]


def _row(name: str, person: Person, alike: Sequence[str], glances: Sequence[Glance]) -> Bytes:
    """A person's row: text on the left, and the best thumbnails, spread over the person's pieces."""
    row = np.full((ROW, LEFT + SHOWN * (FACE_PICTURE + 8), 3), BACKGROUND, np.uint8)
    row[0] = 64
    _write(row, name, 8, 24, INK, 0.7)
    tracks = f"{len(person.pieces)} track{'s' * (len(person.pieces) > 1)}, {person.frames} frames"
    _write(row, tracks, 8, 42, INK)
    told = ("sure" if person.confidence > SURE else "likely") if person.sure else f"NOT SURE: {person.why}"
    notes = [(line, FAINT if person.sure else WARNING) for line in _wrapped(told)]
    if alike:
        more = f" and {len(alike) - MOST_ALIKE} more" if len(alike) > MOST_ALIKE else ""
        notes.append((f"maybe the same as {', '.join(alike[:MOST_ALIKE])}{more}", WARNING))
    for k, (line, ink) in enumerate(notes):
        _write(row, line, 8, 58 + 14 * k, ink)
    names = " ".join(p.name for p in person.pieces)
    lines = _wrapped(names)
    most = max(1, 5 - len(notes))
    if len(lines) > most:
        shown = sum(len(line.split()) for line in lines[:most - 1])
        lines = [*lines[: most - 1], f"and {len(person.pieces) - shown} more"]
    for k, line in enumerate(lines):
        _write(row, line, 8, ROW - 8 - 14 * (len(lines) - 1 - k), FAINT)
    for k, glance in enumerate(best(person, glances, SHOWN)):
        face = cv2.imdecode(np.frombuffer(glance.jpeg, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
        x = LEFT + k * (FACE_PICTURE + 8)
        row[8 : 8 + FACE_PICTURE, x : x + FACE_PICTURE] = face
        _write(row, f"{glance.clip}:{glance.track}", x, FACE_PICTURE + 20, FAINT)
        _write(row, f"{int(glance.time) // 60}:{glance.time % 60:04.1f}", x, FACE_PICTURE + 33, FAINT)
    return row


def best(person: Person, glances: Sequence[Glance], count: int) -> list[Glance]:
    """So many thumbnails of a person: the best of each piece, of the longest pieces first, then the second best, and so on."""
    queues = []
    for piece in sorted(person.pieces, key=lambda p: (p.start - p.stop, p)):
        mine = [g for g in glances if (g.clip, g.track) == (piece.clip, piece.track) and piece.start <= g.frame < piece.stop]
        queues.append(sorted(mine, key=lambda g: (-g.worth, g.frame)))
    picked = [g for turn in zip_longest(*queues) for g in turn if g is not None][:count]
    return sorted(picked, key=lambda g: (g.clip, g.frame, g.track))


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, LETTERS, break_long_words=True) or [""]


def _write(page: Bytes, text: str, x: int, y: int, ink: tuple[int, int, int], size: float = 0.38) -> None:
    plain = text.encode("ascii", "replace").decode()
    cv2.putText(page, plain, (x, y), cv2.FONT_HERSHEY_SIMPLEX, size, ink, 1, cv2.LINE_AA)
