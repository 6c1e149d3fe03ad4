"""Films under a plan: is everybody covered who is not shown, also when models fail; does a reveal leak or jump; what it costs.

    .venv/bin/python bench/film.py [--quick] [--only empty bursts reveal speed memory] [--data ../shared/data]

The truth about faces is not the tool's: the referee's detectors (YuNet, CenterFace, FaceMesh) look at the originals at two
scales. A face is covered if at most 1 % of the core of its box (80 % of the axes; under a double from the brows on) lets through
over 5 % of what is below. That is measured on the very frame: it is composed twice, the second time with other luma under all
cores; what changes came through.
Clips: those of the data with several people, and montages of people who are known (`bench/people.py`).
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))
import facedouble.pipeline.analyse as analysing  # noqa: E402
import facedouble.pipeline.film as filming  # noqa: E402
import facedouble.pipeline.screening as screening  # noqa: E402
from bench import clips as making  # noqa: E402
from bench import people as cutting  # noqa: E402
from bench.memory import MOST  # noqa: E402
from bench.people import Recording, Shot, Sources  # noqa: E402
from bench.speed import Clock, apart, bench_double, cpu, peak  # noqa: E402
from facedouble.media.decode import frames  # noqa: E402
from facedouble.media.probe import probe  # noqa: E402
from facedouble.options import Options  # noqa: E402
from facedouble.pipeline.casting import open_recogniser  # noqa: E402
from facedouble.pipeline.company import PlanCompany  # noqa: E402
from facedouble.pipeline.film import Film, Home, look_at  # noqa: E402
from facedouble.pipeline.protect import open_eyes  # noqa: E402
from facedouble.pipeline.render import Scene  # noqa: E402
from facedouble.pipeline.screening import Dressing, Screening, render_film  # noqa: E402
from facedouble.plan import edit  # noqa: E402
from facedouble.plan.people import Decision, Span  # noqa: E402
from facedouble.plan.read import read  # noqa: E402
from facedouble.plan.values import DoubleFile  # noqa: E402
from facedouble.protect.composite import compose  # noqa: E402
from facedouble.types import Array, Box, Frame, Value  # noqa: E402

TODAY = dt.date(2026, 11, 21)
PARTS = ("empty", "bursts", "reveal", "speed", "memory")
CORE, LEFT = 0.8, 0.01  # of the box' axes; of the core that may let something through
BROWS = 0.45  # of the way from the eyes to the mouth the brows lie above the eyes, at most
PASSES, STEP = 0.05, 80  # share of the original that counts as let through; levels by which the luma is changed to see it
AROUND, APART = 12, 5  # frames before and after a burst that are looked at; of the others one in so many
LENGTHS = (1, 5, 15, 45, 90)
BEGIN, FADE, SHOWN = 20, 25, 60  # first frame of a reveal's dissolve, how many it has, frames of the clip
REVEALED = (("sad_a.mp4", 0), ("vr_4.mp4", 0), ("lp_d12.mp4", 0), ("grid_bbaf2n.mpg", 0), ("lp_d13.mp4", 0), ("lp_d10.mp4", 0),
            ("lp_s18.mp4", 0))  # and its first frame
BEFORE = (Decision("mannequin", None, "bench"), Decision("double", "ana", "bench"))
WORN = (("sad_a.mp4", "cap"), ("lp_d13.mp4", "veil"))
TWO = ("sad_a.mp4", "vr_4.mp4")
LONG, QUICK_LONG = (1000, 6000), (200, 600)
SEVERAL = ("cisco_vt2people.mp4", "intel_two_people.mp4", "intel_three_people.mp4", "asl_bird.mkv")
PYTHON = Path("~/.cache/facedouble-measure/bin/python").expanduser()


@dataclass(frozen=True)
class Reel(Value):
    """A clip to be measured; film: who is where in it, if it is a montage of `known`."""

    name: str
    path: Path
    film: cutting.Film | None = None
    known: tuple[Recording, ...] = ()


@dataclass(frozen=True)
class Seen(Value):
    """A face that the referee's detectors saw: points (5, 2) px, the referee's track, whether that one is confirmed, and who."""

    frame: int
    box: Box
    points: tuple[tuple[float, float], ...]
    track: int
    sure: bool
    who: str


def referee(data: Path, what: str, *paths: Path) -> dict[str, Any]:
    """What the referee's eyes say; the last path is the file that it is written to."""
    tool = data.parent / "measure"
    own = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run([str(PYTHON), str(HERE / "other_eyes.py"), str(tool), what, *map(str, paths)], capture_output=True,
                          text=True, env=own)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    found: dict[str, Any] = json.loads(paths[-1].read_text())
    return found


def truth(reel: Reel, data: Path) -> list[Seen]:
    """All faces of a clip, by other eyes."""
    made = []
    for n, x, y, w, h, points, track, sure, _ in referee(data, "find", reel.path, reel.path.with_suffix(".faces.json"))["faces"]:
        box = Box(x, y, x + w, y + h)
        number = reel.film.who(n, box) if reel.film else 0
        who = f"face {track}" if reel.film is None else reel.known[number].person if number >= 0 else "?"
        made.append(Seen(n, box, tuple(map(tuple, points)), track, sure, who))
    return made


def core(box: Box, shape: tuple[int, ...]) -> Array:
    """(h, w) bool: the core of a face."""
    y, x = np.ogrid[: shape[0], : shape[1]]
    (cx, cy), (w, h) = box.centre, (box.width * CORE / 2, box.height * CORE / 2)
    inside: Array = ((x - cx + 0.5) / w) ** 2 + ((y - cy + 0.5) / h) ** 2 <= 1
    return inside


def from_brows(f: Seen, shape: tuple[int, ...]) -> Array:
    """(h, 1) bool: the rows from the brows on; a double leaves the forehead as far as it lies above the landmarks."""
    eyes, mouth = (np.mean([p[1] for p in points]) for points in (f.points[:2], f.points[3:]))
    below: Array = np.arange(shape[0])[:, None] >= eyes - BROWS * (mouth - eyes)
    return below


def passing(frame: Frame, scene: Scene, faces: Sequence[Seen], options: Options,
            played: frozenset[str] = frozenset()) -> tuple[list[float], frozenset[int]]:
    """For each face the share of its core that lets the footage through, and the tracks that are shown.

    Of people who are `played` by a double it is the core from the brows on.
    """
    luma, step = frame.planes[0], STEP << (frame.depth - 8)
    cores = [core(f.box, luma.shape) for f in faces]
    other = luma.copy()
    for c in cores:
        other[c] = np.where(luma[c] < 128 << (frame.depth - 8), luma[c] + step, luma[c] - step)
    one, two = (compose(f, scene.parts, options.draw, options.seed, scene.regions, scene.mark)
                for f in (frame, replace(frame, planes=(other, *frame.planes[1:]))))
    change = np.abs(one.safe.frame.planes[0].astype(np.int32) - two.safe.frame.planes[0].astype(np.int32)) / step
    parts = [c & from_brows(f, luma.shape) if f.who in played else c for f, c in zip(faces, cores, strict=True)]
    return [float((change[c] > PASSES).mean()) if c.any() else 0.0 for c in parts], one.shown


# --- clips


def _side(*whats: Recording, sources: Sources, frames: int) -> Shot:
    return cutting._row(whats, np.random.default_rng(cutting.SEED), sources, frames)


def montages(data: Path, known: Sequence[Recording], sources: Sources, folder: Path, quick: bool) -> list[Reel]:
    """Films as `bench/people.py` cuts them: returns, crossings, wipes, dissolves, far faces, mirrors, up to four side by side."""
    numbers = {r.path: i for i, r in enumerate(known)}
    made = []
    for k, shots in enumerate(cutting.script(1 if quick else 4, 3 if quick else 6, 12 if quick else 16, known, sources)):
        path = folder / f"montage {k + 1}.mp4"
        made.append(Reel(path.stem, path, cutting.write_film(path, shots, sources, numbers), tuple(known)))
    return made


def burst_montages(known: Sequence[Recording], sources: Sources, folder: Path, quick: bool, length: int = 110) -> list[Reel]:
    """Films long enough for long bursts: side by side, crossing, leaving and returning, three and four and a mirror."""
    by = {r.stem: r for r in known}
    a, b, c, d = (by[s] for s in ("sad_a", "vr_4", "lp_d10", "lp_d12"))
    pair = _side(a, b, sources=sources, frames=length).panels
    half = cutting.WIDTH // 2
    films = {
        "side by side": [Shot(pair, length)],
        "crossing": [Shot((replace(pair[0], x=(0, half)), replace(pair[1], x=(half, 0))), length, "cross")],
        "returning": [_side(a, b, sources=sources, frames=34), _side(c, sources=sources, frames=34),
                      _side(b, a, sources=sources, frames=34)],
        "four": [_side(a, b, c, d, sources=sources, frames=60)],
        "mirror": [Shot((replace(pair[0], face=120), replace(pair[0], face=120, x=(half, half), mirrored=True)), 30, "mirror"),
                   _side(a, b, sources=sources, frames=30)],
    }
    numbers = {r.path: i for i, r in enumerate(known)}
    made = []
    for name, shots in films.items():
        if not quick or name == "crossing":
            path = folder / f"{name}.mp4"
            made.append(Reel(name, path, cutting.write_film(path, shots, sources, numbers), tuple(known)))
    return made


def real_clips(data: Path, folder: Path, quick: bool) -> list[Reel]:
    """The clips of the data that show several people, by links, so that what is written lies elsewhere."""
    made = []
    for name in SEVERAL[1:2] if quick else SEVERAL:
        path = folder / name
        path.symlink_to(data / "video" / name)
        made.append(Reel(path.stem, path))
    return made


# --- the empty plan


@dataclass
class Row:
    """One clip with everybody veiled; shares are of the core that lets something through."""

    frames: int = 0
    faces: int = 0
    uncovered: int = 0
    worst: float = 0.0
    doubtful: int = 0
    doubtful_uncovered: int = 0
    accepted: int = 0
    bare: int = 0
    alike: float = -1.0
    where: list[str] = field(default_factory=list)


def by_frame(faces: Iterable[Seen]) -> dict[int, list[Seen]]:
    """The faces of each frame."""
    found: dict[int, list[Seen]] = defaultdict(list)
    for f in faces:
        found[f.frame].append(f)
    return found


def company(film: Film, dressing: Dressing, options: Options) -> PlanCompany:
    """The plan's company of clip A."""
    return PlanCompany(film.plan, "A", film.made["A"], dressing.rehearsed(film.plan.clips[0]), options)


def empty(reel: Reel, data: Path, options: Options) -> Row:
    """Analyse and render under an empty plan; look at every face."""
    row = Row()
    with tempfile.TemporaryDirectory() as place:
        home = Home(Path(place) / "film.plan.toml")
        look_at([reel.path], home, options)
        job = Screening(home, Path(place) / "safe", "test", TODAY)
        render_film(job, options)
        faces = truth(reel, data)
        found = referee(data, "compare", reel.path, job.place("A"), reel.path.with_suffix(".faces.json"), Path(place) / "c.json")
        film = Film(home, options)
        acting = company(film, Dressing(film, job, options, None, analysing.quiet), options)
        here = by_frame(faces)
        for frame in frames(film.made["A"].info):
            row.frames += 1
            shares, _ = passing(frame, acting.scene(frame.index), here[frame.index], options)
            for f, share in zip(here[frame.index], shares, strict=True):
                _count(row, f, share)
        for f, (alike, same) in zip(faces, found["faces"], strict=True):
            if f.sure and inside(f, film.made["A"].info.width, film.made["A"].info.height):
                row.accepted += alike >= found["accepted"]
                row.bare += same >= found["bare"]
                row.alike = max(row.alike, alike)
                if same >= found["bare"] or alike >= found["accepted"]:
                    row.where.append(f"frame {f.frame} {f.box}: similarity {alike:.2f}, correlation {same:.2f}")
    return row


def inside(f: Seen, width: int, height: int) -> bool:
    """Whether all its points are in the picture; else what is compared is mostly beyond the edge, which is black in both."""
    return all(0 <= x < width and 0 <= y < height for x, y in f.points)


def _count(row: Row, f: Seen, share: float) -> None:
    if f.sure:
        row.faces += 1
        row.uncovered += share > LEFT
        row.worst = max(row.worst, share)
    else:
        row.doubtful += 1
        row.doubtful_uncovered += share > LEFT
    if share > LEFT:
        x, y = f.box.centre
        row.where.append(f"frame {f.frame} at {x:.0f}, {y:.0f}, {f.box.width:.0f} px, {'' if f.sure else 'doubtful, '}"
                         f"{share:.2f} of the core")


def empty_plan(data: Path, reels: Sequence[Reel], options: Options) -> bool:
    """The table; whether everybody is covered."""
    print("\n## Empty plan\n\n| clip | frames | faces | uncovered | most of a core | doubtful finds | uncovered | accepted | "
          "bare | most alike |\n|---|---|---|---|---|---|---|---|---|---|", flush=True)
    rows = []
    for reel in reels:
        began = time.perf_counter()
        r = empty(reel, data, options)
        rows.append(r)
        print(f"| {reel.name} | {r.frames} | {r.faces} | {r.uncovered} | {r.worst:.3f} | {r.doubtful} | {r.doubtful_uncovered} | "
              f"{r.accepted} | {r.bare} | {r.alike:.2f} |", flush=True)
        print(f"{reel.name}: {time.perf_counter() - began:.0f} s", *r.where[:40], sep="\n  ", file=sys.stderr, flush=True)
    total = Row(worst=max(r.worst for r in rows), alike=max(r.alike for r in rows))
    for k in ("frames", "faces", "uncovered", "doubtful", "doubtful_uncovered", "accepted", "bare"):
        setattr(total, k, sum(getattr(r, k) for r in rows))
    print(f"| **all** | {total.frames} | {total.faces} | {total.uncovered} | {total.worst:.3f} | {total.doubtful} | "
          f"{total.doubtful_uncovered} | {total.accepted} | {total.bare} | {total.alike:.2f} |", flush=True)
    return not (total.uncovered or total.bare or total.accepted)


# --- bursts


@contextmanager
def blind(burst: range, known: dict[int, Any]) -> Iterator[None]:
    """Detectors and landmarker see nothing in those frames; what detectors saw of the others is `known` or entered there."""
    made: Any = analysing
    find, sighting = made.find, made.sighting

    def found(frame: Frame, *args: Any) -> Any:
        if frame.index not in known:
            known[frame.index] = find(frame, *args)
        return () if frame.index in burst else known[frame.index]

    def seen(frame: Frame, *args: Any) -> Any:
        return None if frame.index in burst else sighting(frame, *args)

    made.find, made.sighting = found, seen
    try:
        yield
    finally:
        made.find, made.sighting = find, sighting


@dataclass
class Broken:
    """Bursts of one length in one clip, under a plan. `blind`: nobody could know of the face, so it is not among the checked."""

    bursts: int = 0
    checked: int = 0
    within: int = 0
    uncovered: int = 0
    blind: int = 0
    worst: float = 0.0
    carried: int = 0
    shown: int = 0
    there: int = 0
    where: list[str] = field(default_factory=list)

    def add(self, other: Broken) -> None:
        """Take those of another clip in."""
        for k in ("bursts", "checked", "within", "uncovered", "blind", "carried", "shown", "there"):
            setattr(self, k, getattr(self, k) + getattr(other, k))
        self.worst = max(self.worst, other.worst)


def decided(film: Film, truths: Mapping[int, list[Seen]], decisions: Mapping[str, Decision], double: Path) -> str:
    """The plan's text as somebody who knows all the people would write it: by whom most of a person's faces show."""
    text = edit.add(film.text, DoubleFile("ana", str(double)))
    for person in film.plan.people:
        votes: dict[str, int] = defaultdict(int)
        for name in person.faces:
            track = next(r.track for r in film.made["A"].roles if r.track.id == name.track)
            for f in track.faces:
                if f.observed and name.start <= f.frame < name.end:
                    for t in truths[f.frame]:
                        votes[t.who] += near(t.box, f.box)
        who = max(votes, key=lambda w: votes[w], default="?")
        if votes and votes[who] and who in decisions:
            text = edit.decide(text, person.id, decisions[who])
    return text


def near(a: Box, b: Box) -> bool:
    """Whether two boxes are of one face."""
    w, h = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
    return w > 0 and h > 0 and w * h > 0.25 * (a.area + b.area - w * h)


def lost(whole: analysing.Analysis, burst: range, f: Seen) -> bool:
    """Whether every find of the face, from cut to cut, fell into the burst."""
    for role in whole.roles:
        at = role.track.at(f.frame)
        if at is not None and near(at.box, f.box):
            rows = role.track.rows
            return bool(np.isin(rows["frame"][rows["observed"]], burst).all())
    return False


def one_burst(reel: Reel, burst: range, known: dict[int, Any], whole: analysing.Analysis | None, truths: dict[int, list[Seen]],
              plans: Mapping[str, Mapping[str, Decision]], double: Path,
              options: Options) -> tuple[analysing.Analysis, dict[str, Broken]]:
    """Analyse while blind, decide, compose every frame; by the name of the plan."""
    out = {}
    with tempfile.TemporaryDirectory() as place:
        home = Home(Path(place) / "film.plan.toml")
        with blind(burst, known):
            look_at([reel.path], home, options)
        undecided = Film(home, options)
        for title, decisions in plans.items():
            home.put(decided(undecided, truths, decisions, double) if decisions else undecided.text)
            film = Film(home, options)
            dressing = Dressing(film, Screening(home, Path(place) / "safe", "test", TODAY), options, None, analysing.quiet)
            acting = company(film, dressing, options)
            out[title] = _checked(film, acting, burst, whole or film.made["A"], truths, decisions, options)
    return film.made["A"], out


def _checked(film: Film, acting: PlanCompany, burst: range, whole: analysing.Analysis, truths: dict[int, list[Seen]],
             decisions: Mapping[str, Decision], options: Options) -> Broken:
    row = Broken(bursts=1)
    tracks = {r.track.id: r.track for r in film.made["A"].roles}
    played = frozenset(who for who, said in decisions.items() if said.face in ("double", "mannequin"))
    for frame in frames(film.made["A"].info):
        scene = acting.scene(frame.index)
        if frame.index % APART and not burst.start - AROUND <= frame.index < burst.stop + AROUND:
            continue
        here = [f for f in truths[frame.index] if f.sure]
        shares, shown = passing(frame, scene, here, options, played)
        for f, share in zip(here, shares, strict=True):
            if decisions.get(f.who, Decision()).face == "show":
                row.there += 1
                row.shown += share > LEFT
            elif lost(whole, burst, f):
                row.blind += 1
            else:
                row.checked += 1
                row.within += frame.index in burst
                row.uncovered += share > LEFT
                row.worst = max(row.worst, share)
                if share > LEFT:
                    row.where.append(f"burst {burst.start}-{burst.stop} frame {frame.index} {f.who} {share:.3f}")
        for track in shown:
            face = tracks[track].at(frame.index)
            carried = [f.who for f in here if face is not None and near(f.box, face.box)
                       and decisions.get(f.who, Decision()).face != "show"]
            row.carried += bool(carried)
            row.where += [f"burst {burst.start}-{burst.stop} frame {frame.index}: a show carries {w}" for w in carried]
    return row


def place_of(count: int, length: int, cuts: Sequence[int]) -> int:
    """First frame of a burst: across the first cut, or in the middle."""
    return min(max(cuts[0] - length // 2 if cuts else (count - length) // 2, 0), count - length)


def bursts(data: Path, reels: Sequence[Reel], double: Path, options: Options, lengths: Sequence[int]) -> bool:
    """The table; whether everybody was covered and nobody shown for another."""
    head = ("| clip | burst, frames | plan | bursts | faces checked | in a burst | uncovered | most of a core | blind | "
            "frames in which a show carries another | of the shown one's |\n" + "|---" * 11 + "|")
    print(f"\n## Bursts under a plan\n\n{head}", flush=True)
    totals: dict[tuple[int, str], Broken] = defaultdict(Broken)
    for reel in reels:
        truths = by_frame(truth(reel, data))
        people = sorted({f.who for here in truths.values() for f in here if f.sure and f.who != "?"},
                        key=lambda w: (-sum(f.who == w for here in truths.values() for f in here), w))
        gets = (Decision("show", None, "bench", "bench"), *BEFORE[::-1])
        plans = {"empty": {}, "show, double, mannequin": dict(zip(people, gets, strict=False))}
        known: dict[int, Any] = {}
        whole: analysing.Analysis | None = None
        for length in (0, *lengths):
            count = probe(reel.path).frames or len(truths)
            if length >= count:
                continue
            began = time.perf_counter()
            start = place_of(count, length, reel.film.starts[1:] if reel.film else ()) if length else 0
            made, found = one_burst(reel, range(start, start + length), known, whole, truths, plans, double, options)
            whole = whole or made
            for title, row in found.items():
                totals[length, title].add(row)
                print(_line(reel.name, length, title, row), flush=True)
                if row.where:
                    print(f"{reel.name}, {title}:", *row.where[:20], sep="\n  ", file=sys.stderr, flush=True)
            print(f"{reel.name} {length}: {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
    for (length, title), row in sorted(totals.items()):
        print(_line("**all**", length, title, row), flush=True)
    return not any(r.uncovered or r.carried for r in totals.values())


def _line(name: str, length: int, title: str, r: Broken) -> str:
    shown = f"{r.shown} of {r.there}" if r.there else "–"
    return (f"| {name} | {length or 'none'} | {title} | {r.bursts} | {r.checked} | {r.within} | {r.uncovered} | {r.worst:.3f} | "
            f"{r.blind} | {r.carried} | {shown} |")


# --- reveal


@dataclass(frozen=True)
class Turn(Value):
    """One reveal. accepted, bare: frames before the second half of the dissolve, where the face may not be known yet, and of
    others at any time; drawn: frames before it that are wholly the double; first: the first in which the face is known.

    Steps from frame to frame, (n,) with nan where they could not be measured: geometry, how the drawn points move against the
    footage's, % of the outer eye distance; colour, CIEDE2000 of the mean of the face, in the film and in the footage.
    """

    frames: int
    drawn: int
    fade: int
    accepted: tuple[int, ...]
    bare: tuple[int, ...]
    first: int
    geometry: Array
    colour: Array
    source: Array

    def during(self) -> slice:
        return slice(BEGIN, BEGIN + self.fade + 1)


def steps_of(rows: Sequence[Mapping[str, Any]]) -> tuple[Array, Array, Array]:
    """Steps of geometry, of colour, of the footage's colour, as `Turn` has them; that of frame k is from k - 1 to k."""
    from skimage import color

    difference: Any = color.deltaE_ciede2000
    apart, size = [], []
    for row in rows:
        a, b = (np.array(p) if p is not None else np.full((468, 2), np.nan) for p in row["points"])
        apart.append(b - a)
        size.append(np.linalg.norm(a[33] - a[263]))
    geometry = np.sqrt((np.diff(np.array(apart), axis=0) ** 2).sum(-1).mean(-1)) / np.array(size[1:]) * 100
    labs = [np.array([row["lab"][side] or [np.nan] * 3 for row in rows]) for side in (1, 0)]
    colour, source = (difference(lab[1:], lab[:-1]) for lab in labs)
    geometry, colour, source = (np.concatenate([[np.nan], s]) for s in (geometry, colour, source))
    return geometry, colour, source


def reveal_plan(film: Film, before: Decision, double: Path, hair: str, fade: int) -> str:
    """The plan's text: whoever is seen longest gets that, and is revealed."""
    frames_of = {p.id: sum(len(r.weights) for f in p.faces for r in film.made["A"].roles if r.track.id == f.track)
                 for p in film.plan.people}
    who = max(frames_of, key=lambda p: frames_of[p])
    text = edit.add(film.text, DoubleFile("ana", str(double))) if before.face == "double" else film.text
    text = edit.decide(text, who, before, hair=hair)
    said = Decision("reveal", None, "bench", "bench")
    return edit.decide_span(text, who, Span("A", BEGIN, film.plan.clips[0].frames, said, dissolve=fade))


def turned(home: Home, before: Decision, data: Path, double: Path, hair: str, out: Path, faces: Sequence[Seen],
           options: Options) -> Turn:
    """Render it and look."""
    undecided = Film(home, options)
    keep, clip = undecided.text, undecided.plan.clips[0]
    home.put(reveal_plan(undecided, before, double, hair, FADE))
    film = Film(home, options)
    job = Screening(home, out, "test", TODAY)
    render_film(job, options)
    footage = home.footage(clip)
    listed = footage.with_suffix(".faces.json")
    found = referee(data, "compare", footage, job.place("A"), listed, out / "compare.json")
    (person,) = (p for p in film.plan.people if p.spans)
    tracks = [r.track for r in film.made["A"].roles if r.track.id in {f.track for f in person.faces}]
    own = [any((at := t.at(f.frame)) is not None and near(at.box, f.box) for t in tracks) for f in faces]
    until = BEGIN + FADE // 2
    rows = list(zip(faces, own, found["faces"], strict=True))
    bad = {k: tuple(sorted({f.frame for f, mine, v in rows if f.sure and v[n] >= found[k] and (not mine or f.frame < until)}))
           for n, k in ((0, "accepted"), (1, "bare"))}
    known_at = sorted(f.frame for f, mine, v in rows if mine and (v[0] >= found["accepted"] or v[1] >= found["bare"]))
    boxes = [[f.frame, f.box.x0, f.box.y0, f.box.width, f.box.height] for f, mine in zip(faces, own, strict=True) if mine]
    (out / "own.json").write_text(json.dumps({"faces": boxes}))
    followed = referee(data, "follow", footage, job.place("A"), out / "own.json", out / "follow.json")["rows"]
    acting = company(film, Dressing(film, job, options, None, analysing.quiet), options)
    drawn = sum(any(p.weight >= 1 for p in acting.scene(k).parts if p.treatment in ("double", "mannequin")) for k in range(BEGIN))
    home.put(keep)
    return Turn(clip.frames, drawn, FADE, bad["accepted"], bad["bare"], known_at[0] if known_at else -1, *steps_of(followed))


def reveals(data: Path, known: Sequence[Recording], sources: Sources, folder: Path, double: Path, options: Options, quick: bool,
            keep: Path | None, wanted: Callable[[str], bool]) -> bool:
    """The table; whether nothing leaked before its time."""
    print("\n## Reveal\n\n| clip | from | hair | drawn before | accepted too early | bare too early | first known | geometry "
          "before, median | most | dissolve, most | after, most | colour before, most | dissolve, most | footage, most |\n"
          + "|---" * 14 + "|", flush=True)
    films: list[tuple[str, Path, str]] = []
    for name, start in REVEALED[:1] if quick else REVEALED:
        films.append((Path(name).stem, folder / f"{Path(name).stem}.mp4", "keep"))
        making.part(data / "video" / name, films[-1][1], start, SHOWN)
    if not quick:
        films += [(Path(name).stem, folder / f"{Path(name).stem}.mp4", hair) for name, hair in WORN]
        films += [(r.name, r.path, "keep") for r in burst_montages(known, sources, folder, True, SHOWN)]
    good = True
    for name, path, hair in films:
        if not wanted(name):
            continue
        with tempfile.TemporaryDirectory() as place:
            home = Home(Path(place) / "film.plan.toml")
            look_at([path], home, options)
            faces = truth(Reel(name, path), data)
            for before in BEFORE:
                title = f"{name} {before.face} {hair}".replace(" ", "_")
                out = (keep or Path(place)) / title
                t = turned(home, before, data, double, hair, out, faces, options)
                good &= not (t.accepted or t.bare)
                here, after = t.during(), slice(BEGIN + FADE + 1, None)
                print(f"| {name} | {before.face} | {hair} | {t.drawn} of {BEGIN} | {len(t.accepted)} | {len(t.bare)} | "
                      f"{t.first} | {np.nanmedian(t.geometry[:BEGIN]):.2f} | {most(t.geometry[:BEGIN])} | "
                      f"{most(t.geometry[here])} | {most(t.geometry[after])} | {most(t.colour[:BEGIN])} | "
                      f"{most(t.colour[here])} | {most(t.source[here])} |", flush=True)
                print(f"{title}: accepted {t.accepted}, bare {t.bare}, geometry {np.round(t.geometry[here], 2).tolist()}, colour "
                      f"{np.round(t.colour[here], 2).tolist()}", file=sys.stderr, flush=True)
    return good


def most(values: Array) -> str:
    """The most of what could be measured."""
    left = values[np.isfinite(values)]
    return f"{left.max():.2f}" if len(left) else "–"


# --- what it costs


def analysed(clip: Path, first: Path) -> dict[str, float]:
    """CPU seconds of `facedouble analyse` on a clip by stage, after one on another; the models' start is not in it."""
    from facedouble.media.decode import frames as decoded

    options, clock = Options(), Clock()
    warm(options)
    with tempfile.TemporaryDirectory() as place:
        look_at([first], Home(Path(place) / "warm.plan.toml"), options)
        made: Any = analysing
        who: Any = filming
        made.frames = clock.wrap_iterator("decode", decoded)
        for name, stage in (("find", "find"), ("measure", "motion"), ("small_luma", "motion"), ("sighting", "read")):
            setattr(made, name, clock.wrap(stage, getattr(made, name)))
        who.analyse = clock.wrap("analyse", who.analyse)
        who.who_is_who = clock.wrap("who is who", who.who_is_who)
        began, wall = cpu(), time.perf_counter()
        look_at([clip], Home(Path(place) / "film.plan.toml"), options)
        return {"cpu": cpu() - began, "wall": time.perf_counter() - wall, **clock.spent}


def speed(data: Path, folder: Path, count: int) -> None:
    """The cost of the analysis beside a plain decode and encode, 1920 x 1080, two faces, no grain."""
    clip, first = folder / "two.mp4", folder / "first.mp4"
    making.paired([data / "video" / c for c in TWO], clip, 1920, 1080, count)
    making.paired([data / "video" / c for c in TWO], first, 480, 270, 12)
    base = apart("plain", clip, folder / "plain.mp4")
    found = alone("analysed", clip, first)
    ms = {k: v / count * 1000 for k, v in found.items()}
    once = base["cpu"] / count * 1000
    print(f"\n## Analysis\n\n{count} frames, {clip.stat().st_size * 8 / 1e6 / (count / 25):.1f} Mbit/s\n\n"
          "| plain, CPU ms | decode twice | find | motion | read | all of it | **to plain** | who is who | whole command | "
          "to plain |\n" + "|---" * 10 + "|")
    print(f"| {once:.1f} | {ms['decode']:.1f} | {ms['find']:.1f} | {ms['motion']:.1f} | {ms['read']:.1f} | {ms['analyse']:.1f} | "
          f"**{ms['analyse'] / once:.2f}** | {ms['who is who']:.1f} | {ms['cpu']:.1f} | {ms['cpu'] / once:.2f} |", flush=True)


def alone(kind: str, *paths: Path) -> dict[str, float]:
    """A measurement in a fresh process."""
    call = [sys.executable, str(Path(__file__).resolve()), "--one", kind, *map(str, paths)]
    done = subprocess.run(call, stdout=subprocess.PIPE, check=True, env={**os.environ, "PYTHONPATH": str(HERE.parent)})
    told: dict[str, float] = json.loads(done.stdout.decode().strip().splitlines()[-1])
    return told


def filmed(clip: Path, out: Path) -> dict[str, float]:
    """`analyse` and `render`, everybody a mannequin; seconds, and the peaks of memory by step, MiB."""
    peaks: dict[str, float] = {}
    options, home = Options(), Home(out / "film.plan.toml")

    def watch(step: str, *_: object) -> None:
        peaks[step] = peak()

    began = time.perf_counter()
    look_at([clip], home, options, watch)
    text = home.text()
    for person in read(text).people:
        text = edit.decide(text, person.id, Decision("mannequin", None, "bench"))
    home.put(text)
    report = render_film(Screening(home, out / "safe", "test", TODAY), options, watch)["A"]
    peaks = {k: v for k, v in peaks.items() if not k.startswith("resuming")}
    return {"doubled": sum(p.doubled for p in report.people), "wall": time.perf_counter() - began, "peak": peak(), **peaks}


def memory(folder: Path, lengths: Sequence[int]) -> bool:
    """Peak memory against the length; whether it is flat."""
    steps = ("finding faces", "reading faces", "recognising faces", "rehearsing", "drawing")
    print(f"\n## Memory\n\n| frames | doubled | s | {' | '.join(steps)} | whole process, MiB |\n"
          + "|---" * (len(steps) + 4) + "|", flush=True)
    found = []
    for count in lengths:
        clip, out = folder / f"long-{count}.mp4", folder / f"long-{count}"
        out.mkdir()
        call = [sys.executable, str(HERE / "memory.py"), "--film", str(count), str(clip)]
        subprocess.run(call, check=True, capture_output=True)
        got = alone("filmed", clip, out)
        print(f"| {count} | {got['doubled']:.0f} | {got['wall']:.0f} | "
              f"{' | '.join(f'{got.get(s, 0):.0f}' for s in steps)} | {got['peak']:.0f} |", flush=True)
        found.append((count, got["peak"] * 2**20))
    (least, low), (longest, high) = found[0], found[-1]
    slope = (high - low) / (longest - least)
    print(f"\n{slope:.0f} bytes a frame; at most {MOST:.0f} are wanted.", flush=True)
    return slope <= MOST


def warm(options: Options) -> analysing.Eyes:
    """Models are loaded once for all films."""
    made: Any = filming
    eyes, recogniser = open_eyes(options), open_recogniser()
    made.open_eyes = lambda *args: eyes
    screen: Any = screening
    made.open_recogniser = screen.open_recogniser = lambda *args: recogniser
    return eyes


def main() -> int:
    """Command line; returns the exit status."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--quick", action="store_true", help="one or two short clips each")
    arguments.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    arguments.add_argument("--data", type=Path, default=HERE.parents[1] / "shared/data")
    arguments.add_argument("--double", type=Path, help='a .fdouble for the purpose "test"; without it lp_d18.mp4 is one')
    arguments.add_argument("--clip", nargs="+", help="only these")
    arguments.add_argument("--keep", type=Path, help="keep what reveals made there: it shows REAL FACES")
    arguments.add_argument("--one", nargs="+", help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.one:
        calls: dict[str, Callable[[Path, Path], dict[str, float]]] = {"analysed": analysed, "filmed": filmed}
        print(json.dumps(calls[given.one[0]](*map(Path, given.one[1:]))))
        return 0
    (HERE / "out").mkdir(exist_ok=True)
    double = given.double or (bench_double(given.data) if {"bursts", "reveal"} & set(given.only) else Path())
    options, good = Options(), True
    eyes = warm(options)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        sources = Sources(given.data, eyes, options)
        known = [r for r in cutting.recordings(given.data) if r.stem in ("sad_a", "vr_4", "lp_d10", "lp_d12") or (
            "empty" in given.only and sources.face(r) is not None)]

        def wanted(name: str) -> bool:
            return not given.clip or name in given.clip

        real = real_clips(given.data, folder, given.quick)
        if "empty" in given.only:
            cut = montages(given.data, known, sources, folder, given.quick)
            good &= empty_plan(given.data, [r for r in (*real, *cut) if wanted(r.name)], options)
        if "bursts" in given.only:
            cut = burst_montages(known, sources, folder, given.quick)
            reels = [r for r in (*real[:3], *cut) if wanted(r.name)]
            good &= bursts(given.data, reels, double, options, (5, 15) if given.quick else LENGTHS)
        if "reveal" in given.only:
            good &= reveals(given.data, known, sources, folder, double, options, given.quick, given.keep,
                            wanted)
        if "speed" in given.only:
            speed(given.data, folder, 25 if given.quick else 100)
        if "memory" in given.only:
            good &= memory(folder, QUICK_LONG if given.quick else LONG)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
