"""Detectors and landmarker fail together for a while: does every face stay hidden? Prints a table; exit 1 if not.

Every clip is read once. Then finds and sightings of a burst of frames are dropped, everything after detection is done
again, and each face of the unbroken run is looked for under the double or the veil.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from facedouble.colour import picture
from facedouble.faces.detect import Found, detect
from facedouble.faces.motion import Motion, measure, small_luma
from facedouble.faces.reading import Sighting
from facedouble.faces.reading import read as boiled
from facedouble.faces.track import link
from facedouble.geometry import corners
from facedouble.media.decode import frames
from facedouble.media.probe import probe
from facedouble.options import Options
from facedouble.pipeline.analyse import Eyes, Role, agrees, looks, quiet, role_of
from facedouble.pipeline.protect import open_eyes
from facedouble.pipeline.sight import NEAR
from facedouble.protect.veil import Ellipse
from facedouble.types import MESH_POINTS, Array, Box, MediaInfo, Track

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))
from bench.clips import joined  # noqa: E402  found from any folder

LENGTHS = (1, 5, 15, 45, 90)
QUICK = ("intel_three_people.mp4", "lp_s20.mp4", "cut_grid")
CUT = {  # the real clips have no cuts: these are made of clips of one size, so many frames of each
    "cut_asl": (("asl_bird.mkv", "asl_book.mkv", "asl_thanks.mkv"), 50),
    "cut_grid": (("grid_bbaf2n.mpg", "grid_swiz3n.mpg", "grid_lbax4n.mpg"), 60),
    "cut_intel": (("intel_three_people.mp4", "intel_two_people.mp4", "intel_three_people.mp4"), 40),
}
CONFIRMED = 3  # frames in which the detectors saw a face
CORE, ENOUGH = 0.8, 0.99  # of the true box's axes; of its area that has to be covered
_DISC: Array = np.array([(x, y) for x in np.linspace(-1, 1, 41) for y in np.linspace(-1, 1, 41) if x * x + y * y <= 1])


@dataclass(frozen=True)
class Read:
    """One clip as the models saw it; `seen` holds the sightings of each track."""

    info: MediaInfo
    corrupt: frozenset[int]
    found: list[Found]
    motions: list[Motion]
    tracks: tuple[Track, ...]
    seen: dict[int, list[Sighting]]
    joins: tuple[int, ...] = ()  # first frames after cuts that are known to be there, found or not


@dataclass(frozen=True)
class Truth:
    """One face in one frame of the unbroken run."""

    frame: int
    track: int
    box: Box
    kind: str  # "detectors" or "landmarks"


@dataclass
class Row:
    """One clip and burst length, all places of the burst together.

    `within`: faces inside of a burst. `blind`: faces of tracks of which no find is left, so that nobody can know of them;
    not among the checked ones.
    """

    clip: str
    length: int
    bursts: int = 0
    checked: int = 0
    within: int = 0
    uncovered: int = 0
    mesh_checked: int = 0
    mesh_uncovered: int = 0
    blind: int = 0
    worst: float = 1.0


def read(path: Path, eyes: Eyes, options: Options, joins: tuple[int, ...] = ()) -> Read:
    """Detection, motion and landmarks of a clip, once."""
    info = probe(path)
    found: list[Found] = []
    motions: list[Motion] = []
    corrupt = set()
    before = None
    for frame in frames(info):
        rgb = picture(frame)
        if frame.corrupt:
            corrupt.add(frame.index)
        found.append(() if frame.corrupt else detect(rgb, frame.index, eyes.detectors, options.detect))
        now = small_luma(rgb)
        motions.append(measure(before, now, frame.index))
        before = now
    tracks = link(found, motions, float(info.rate), (info.width, info.height), options.track)
    seen: dict[int, list[Sighting]] = {t.id: [] for t in tracks}
    for track, glance in looks(info, tracks, eyes, options, quiet, len(found)):
        if glance is not None:
            seen[track.id].append(glance.sighting)
    return Read(info, frozenset(corrupt), found, motions, tracks, seen, joins)


def mesh_box(marks: Array) -> Box:
    """The box around a face's landmarks."""
    low, high = marks[:MESH_POINTS, :2].min(0), marks[:MESH_POINTS, :2].max(0)
    return Box(float(low[0]), float(low[1]), float(high[0]), float(high[1]))


def truths(clip: Read, options: Options) -> list[Truth]:
    """All faces of confirmed tracks: what detectors saw, and what the landmarker saw and both mirrorings agree on."""
    made = []
    for t in clip.tracks:
        if sum(f.observed for f in t.faces) < CONFIRMED:
            continue
        made += [Truth(f.frame, t.id, f.box, "detectors") for f in t.faces if f.observed and f.frame not in clip.corrupt]
        for s in clip.seen[t.id]:
            face = t.at(s.frame)
            if (face is not None and s.disagreement < options.fit.max_disagreement
                    and agrees(boiled([s]).notes, corners([face.box])).all()):
                made.append(Truth(s.frame, t.id, mesh_box(s.marks), "landmarks"))
    return made


def places(clip: Read, length: int) -> Iterator[int]:
    """First frames of the bursts: start, middle and end of the clip; before, across and after each cut."""
    count = len(clip.found)
    starts = {0, (count - length) // 2, count - length}
    for cut in {*clip.joins, *(m.frame for m in clip.motions[1:] if m.cut)}:
        starts |= {cut - length, cut - length // 2, cut}
    yield from sorted({min(max(s, 0), max(count - length, 0)) for s in starts})


def broken(clip: Read, burst: range, options: Options) -> list[tuple[Role, dict[int, Sighting]]]:
    """The roles when nothing is seen during the burst, each with the sightings that it was given."""
    found = [() if i in burst else f for i, f in enumerate(clip.found)]
    tracks = link(found, clip.motions, float(clip.info.rate), (clip.info.width, clip.info.height), options.track)
    by_frame: dict[int, list[Sighting]] = defaultdict(list)
    for sightings in clip.seen.values():
        for s in sightings:
            if s.frame not in burst:
                by_frame[s.frame].append(s)
    roles = []
    for t in tracks:
        mine = [near for f in t.faces if (near := _nearest(by_frame[f.frame], f.box, options)) is not None]
        roles.append((role_of(t, boiled(mine), 0.0, 0.0, options), {s.frame: s for s in mine}))
    return roles


def _nearest(sightings: list[Sighting], box: Box, options: Options) -> Sighting | None:
    """The sighting that a look at the box would have brought, by the rules of `analyse` and `sighting`."""
    size = max(box.width, box.height)
    if size < 0.75 * options.fit.min_face or not sightings:
        return None
    apart = [float(np.abs(s.marks[:MESH_POINTS, :2].mean(0) - box.centre).max()) for s in sightings]
    best = int(np.argmin(apart))
    return sightings[best] if apart[best] <= NEAR * size else None


def share_covered(box: Box, covers: list[Ellipse], width: int, height: int) -> float:
    """The most of the core of a face (what of it is in the picture) that one of the covers hides."""
    (cx, cy), (w, h) = box.centre, (box.width, box.height)
    points = _DISC * [w * CORE / 2, h * CORE / 2] + [cx, cy]
    points = points[((points >= 0) & (points < [width, height])).all(1)]
    if not len(points):
        return 1.0
    return max((float(((((points - [c.x, c.y]) / [c.rx, c.ry]) ** 2).sum(1) <= 1).mean()) for c in covers), default=0.0)


def _doubled(truth: Truth, role: Role, sightings: dict[int, Sighting]) -> bool:
    """Whether the double is drawn on that very face, from landmarks that were seen in that frame."""
    i = truth.frame - role.track.start
    if role.fit is None or not 0 <= i < len(role.weights) or role.weights[i] <= 0:
        return False
    seen = sightings.get(truth.frame)
    if seen is None:
        return False
    x, y = mesh_box(seen.marks).centre
    cx, cy = truth.box.centre
    return max(abs(x - cx), abs(y - cy)) <= NEAR * max(truth.box.width, truth.box.height)


def covered(truth: Truth, roles: list[tuple[Role, dict[int, Sighting]]], info: MediaInfo) -> float:
    """1 where the double is drawn, else the share of the core under the best opaque veil of that frame."""
    if any(_doubled(truth, role, sightings) for role, sightings in roles):
        return 1.0
    veils = []
    for role, _ in roles:
        i = truth.frame - role.track.start
        if 0 <= i < len(role.weights) and role.weights[i] <= 0:
            veils.append(role.covers[i])
    return share_covered(truth.box, veils, info.width, info.height)


def check(name: str, clip: Read, options: Options, bad: list[dict[str, object]]) -> Iterator[Row]:
    """One row for each burst length that leaves something of the clip; what is uncovered goes to `bad` as well."""
    count = len(clip.found)
    facts = truths(clip, options)
    finds = {t.id: {f.frame for f in t.faces if f.observed} for t in clip.tracks}
    for length in (0, *LENGTHS):
        if length >= count:
            continue
        row = Row(name, length)
        for start in (places(clip, length) if length else [0]):
            burst = range(start, start + length)
            roles = broken(clip, burst, options)
            row.bursts += 1
            lost = {k for k, v in finds.items() if v <= set(burst)}
            for truth in facts:
                if truth.track in lost:
                    row.blind += 1
                    continue
                share = covered(truth, roles, clip.info)
                short = share < ENOUGH
                if truth.kind == "detectors":
                    row.checked += 1
                    row.within += truth.frame in burst
                    row.uncovered += short
                else:
                    row.mesh_checked += 1
                    row.mesh_uncovered += short
                row.worst = min(row.worst, share)
                if short:
                    bad.append({"clip": name, "length": length, "start": start, "frame": truth.frame, "track": truth.track,
                                "kind": truth.kind, "share": round(share, 3),
                                "box": [round(v, 1) for v in (truth.box.x0, truth.box.y0, truth.box.x1, truth.box.y1)]})
        yield row


SUMMED = ("bursts", "checked", "within", "uncovered", "mesh_checked", "mesh_uncovered", "blind")


def footage(name: str, data: Path, folder: Path) -> Path:
    """A clip of the data, or one made of several."""
    if name not in CUT:
        return data / "video" / name
    sources, count = CUT[name]
    joined([data / "video" / s for s in sources], folder / f"{name}.mp4", count)
    return folder / f"{name}.mp4"


HEAD = ("| clip | burst, frames | bursts | faces checked | of them in a burst | uncovered | landmark faces checked | uncovered | "
        "blind | least covered |\n|---|---|---|---|---|---|---|---|---|---|")


def line(r: Row) -> str:
    """A row of the table."""
    return (f"| {r.clip} | {r.length or 'none'} | {r.bursts} | {r.checked} | {r.within} | {r.uncovered} | {r.mesh_checked} | "
            f"{r.mesh_uncovered} | {r.blind} | {r.worst:.3f} |")


def main() -> int:
    """Command line; returns the exit status."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--quick", action="store_true", help=f"only {', '.join(QUICK)}")
    arguments.add_argument("--data", type=Path, default=HERE.parent.parent / "shared" / "data")
    arguments.add_argument("--clip", action="append", help="only that clip; may be repeated")
    arguments.add_argument("--json", type=Path, help="write rows and uncovered faces there")
    given = arguments.parse_args()
    options = Options()
    eyes = open_eyes(options)
    names = given.clip or (list(QUICK) if given.quick else [*sorted(p.name for p in (given.data / "video").iterdir()), *CUT])
    rows: list[Row] = []
    bad: list[dict[str, object]] = []
    print(HEAD, flush=True)
    for name in names:
        began = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            joins = tuple(CUT[name][1] * i for i in range(1, len(CUT[name][0]))) if name in CUT else ()
            clip = read(footage(name, given.data, Path(folder)), eyes, options, joins)
        middle = time.perf_counter()
        for row in check(name, clip, options, bad):
            rows.append(row)
            print(line(row), flush=True)
        print(f"{name}: read in {middle - began:.0f} s, checked in {time.perf_counter() - middle:.0f} s, "
              f"cuts found at {[m.frame for m in clip.motions[1:] if m.cut]}, made at {list(joins)}", file=sys.stderr)
        if given.json:
            given.json.write_text(json.dumps({"rows": [asdict(r) for r in rows], "uncovered": bad}, indent=1))
    for length in (0, *LENGTHS):
        mine = [r for r in rows if r.length == length]
        if mine:
            print(line(Row("**all**", length, **{k: sum(getattr(r, k) for r in mine) for k in SUMMED},
                           worst=min(r.worst for r in mine))))
    total = sum(r.uncovered + r.mesh_uncovered for r in rows)
    print(f"\n{total} of {sum(r.checked + r.mesh_checked for r in rows)} faces uncovered, "
          f"{sum(r.blind for r in rows)} blind (every find of the face fell into the burst).")
    return 1 if total else 0


if __name__ == "__main__":
    sys.exit(main())
