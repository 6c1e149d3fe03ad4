"""Who is who in montages of known people: are faces tied to the right person through cuts, returns and crossings?

    .venv/bin/python bench/people.py [--quick] [--data ../shared/data] [--out bench/out/people]

The single-person clips of the sample data and its portraits, set in motion by a slow zoom, pan and tilt, are cut into films
with returns, crossings, wipes, mirrors, faces far away, and one to four people side by side. Who is where is known in every
frame. The films are analysed and identified as one production. A face of which people is a track or the part of one that
shows one person. Counted are pairs of them; one that is "not sure" is alone. The people are halved by the alphabet: limits
were set on the first half only. Prints Markdown; exits with 1 if a `show` of one person would carry another.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import lru_cache
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))
from facedouble.colour import picture  # noqa: E402
from facedouble.faces.detect import detect  # noqa: E402
from facedouble.faces.identify import Limits, People, Seen, looks_at, verify  # noqa: E402
from facedouble.media.decode import frames, photo  # noqa: E402
from facedouble.media.encode import Writer  # noqa: E402
from facedouble.media.probe import probe  # noqa: E402
from facedouble.options import DrawOptions, EncodeOptions, Options  # noqa: E402
from facedouble.pipeline.analyse import Analysis, Eyes, analyse  # noqa: E402
from facedouble.pipeline.casting import open_recogniser  # noqa: E402
from facedouble.pipeline.double import photo_frame  # noqa: E402
from facedouble.pipeline.people import Looks, closely, reach, sheet, who_is_who  # noqa: E402
from facedouble.pipeline.protect import open_eyes  # noqa: E402
from facedouble.protect.composite import compose  # noqa: E402
from facedouble.types import Array, Box, Bytes, Colour, Frame, MediaInfo, Recogniser, Track, Value  # noqa: E402

WIDTH, HEIGHT, RATE = 640, 360, Fraction(25)
SEED = 5
BACKDROP = ("grid_bbaf2n", "grid_swiz3n", "grid_lbax4n", "grid_lwbsza", "grid_brbk7n", "grid_pwij3p")  # the same wall behind all
GROUPS = {"photo/hu_group-3.jpg", "photo/hu_group-7.jpg"}  # "multi-face / portraits" of others means one face in each
SAME = {"v-d18?": "v-d18"}  # "looks like the man of" in the table
FAR = 14.0  # px of a face that is far away
BOTH = -2  # where two recordings shine through each other
LEAST = 3  # frames of a person in a track that make a face to be counted
REAL = {"intel_two_people": 2, "intel_three_people": 3, "cisco_vt2people": 2}  # people in the clips that show several


@dataclass(frozen=True)
class Recording(Value):
    """A clip or a portrait of one person, by its path in the data."""

    path: str
    person: str

    @property
    def moving(self) -> bool:
        return self.path.startswith("video/")

    @property
    def stem(self) -> str:
        return Path(self.path).stem


@dataclass(frozen=True)
class Panel(Value):
    """A recording on a place of the screen: x of its left rim at the start and at the end of the move, width; face size px."""

    what: Recording
    x: tuple[float, float]
    width: int
    face: float
    start: int
    mirrored: bool = False


@dataclass(frozen=True)
class Shot(Value):
    """Panels, the later ones on top. In a wipe and a dissolve the second half of them comes over the first."""

    panels: tuple[Panel, ...]
    frames: int
    kind: str = "plain"  # "cross", "wipe", "dissolve", "mirror", "far"


Place = tuple[float, float, float, float, int]
"""Rectangle x0 y0 x1 y1 px of the screen, and the number of the recording in it."""


@dataclass(frozen=True)
class Film(Value):
    """A montage: its file, for each frame what is where (later ones on top), the first frames of its shots and their kinds."""

    path: Path
    places: tuple[tuple[Place, ...], ...]
    starts: tuple[int, ...]
    kinds: tuple[str, ...]

    def kind(self, frame: int) -> str:
        return self.kinds[int(np.searchsorted(self.starts, frame, "right")) - 1]

    def who(self, frame: int, box: Box) -> int:
        """The number of the recording that the middle of a box shows; -1 for none, `BOTH` for two."""
        x, y = box.centre
        for x0, y0, x1, y1, number in reversed(self.places[frame]):
            if x0 <= x < x1 and y0 <= y < y1:
                return number
        return -1


def _several(row: dict[str, str]) -> bool:
    """Whether a picture of the table shows several people."""
    many = "multi-face" in row["stress"] and "portraits" not in row["stress"]
    return many or row["file"] in GROUPS


def recordings(data: Path) -> list[Recording]:
    """Everything in the data that shows one known person."""
    with (data / "SOURCES.tsv").open() as table:
        rows = list(csv.DictReader(table, delimiter="\t"))
    made = []
    for r in rows:
        if r["file"].startswith(("photo/", "video/")) and not _several(r):
            person = r["person_or_speaker"]
            made.append(Recording(r["file"], Path(r["file"]).stem if person == "various" else SAME.get(person, person)))
    return made


class Sources:
    """Pictures of recordings, and where the face is in them."""

    def __init__(self, data: Path, eyes: Eyes, options: Options) -> None:
        self.data, self.eyes, self.options = data, eyes, options
        self.still = lru_cache(6)(self._still)
        self.face = lru_cache(None)(self._face)

    def _still(self, what: Recording) -> Bytes:
        whole = photo(self.data / what.path)
        scale = min(1.0, 1400 / max(whole.shape[:2]))
        return np.asarray(cv2.resize(whole, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)

    def length(self, what: Recording) -> int:
        return probe(self.data / what.path).frames or 50

    def pictures(self, what: Recording, start: int, count: int) -> Iterator[Bytes]:
        """So many pictures from a frame on; a clip that ends is played backwards, a portrait stands still."""
        if not what.moving:
            for _ in range(count):
                yield self.still(what)
            return
        found = [picture(f, 1000) for f in islice(frames(probe(self.data / what.path)), start, start + count)]
        there_and_back = found + found[-2:0:-1]
        for i in range(count):
            yield there_and_back[i % len(there_and_back)]

    def _face(self, what: Recording) -> Box | None:
        """The largest face of a recording's first picture."""
        shown = next(self.pictures(what, self.length(what) // 2 if what.moving else 0, 1))
        boxes = [b for b, _ in detect(shown, 0, self.eyes.detectors, self.options.detect)]
        return max(boxes, key=lambda b: b.area, default=None)


def _drawn(shown: Bytes, face: Box, panel: Panel, t: float, phase: float) -> Bytes:
    """The panel (HEIGHT, width, 3): the face at its place, slowly moving if it is a portrait; t from 0 to 1."""
    scale = panel.face / max(face.width, face.height)
    x, y = face.centre
    moves = 0.0 if panel.what.moving else 1.0
    scale *= 1 + moves * 0.10 * np.sin(phase + 2.2 * t)
    dx, dy = moves * panel.face * 0.10 * np.sin(2.6 * t + phase), moves * panel.face * 0.07 * np.cos(3.1 * t - phase)
    to = np.array([panel.width / 2 + dx, HEIGHT * 0.47 + dy])
    flat = np.array([[scale, 0, to[0] - scale * x], [0, scale, to[1] - scale * y], [0, 0, 1]])
    tilt = np.eye(3)
    tilt[2, 0] = moves * 0.16 * np.sin(2.0 * t + phase) / panel.width
    back = np.array([[1, 0, -to[0]], [0, 1, -to[1]], [0, 0, 1.0]])
    whole = np.linalg.inv(back) @ tilt @ back @ flat
    if panel.mirrored:
        whole = np.array([[-1, 0, panel.width - 1], [0, 1, 0], [0, 0, 1.0]]) @ whole
    if scale < 0.6:
        shown = cv2.GaussianBlur(shown, (0, 0), 0.45 / scale)
    return np.asarray(cv2.warpPerspective(shown, whole, (panel.width, HEIGHT), flags=cv2.INTER_LINEAR,
                                          borderMode=cv2.BORDER_REPLICATE), np.uint8)


def _ease(t: float) -> float:
    """0 in the first third, 1 in the last."""
    u = float(np.clip((t - 0.33) / 0.34, 0, 1))
    return u * u * (3 - 2 * u)


def _screens(shot: Shot, sources: Sources, numbers: dict[str, int], phase: float) -> Iterator[tuple[Bytes, tuple[Place, ...]]]:
    """The frames of a shot, and what is where in each."""
    reels = [sources.pictures(p.what, p.start, shot.frames) for p in shot.panels]
    for i in range(shot.frames):
        t = i / max(shot.frames - 1, 1)
        screen = np.full((HEIGHT, WIDTH, 3), 24, np.uint8)
        places: list[Place] = []
        for k, (panel, reel) in enumerate(zip(shot.panels, reels, strict=True)):
            face = sources.face(panel.what)
            assert face is not None
            drawn = _drawn(next(reel), face, panel, t, phase + k)
            x0 = round(panel.x[0] + (panel.x[1] - panel.x[0]) * _ease(t))
            a, b = max(x0, 0), min(x0 + panel.width, WIDTH)
            if shot.kind == "wipe" and k >= len(shot.panels) // 2:  # the split moves over the panel from its left
                b = a + round((b - a) * _ease(t))
            if b <= a:
                continue
            number, part = numbers[panel.what.path], drawn[:, a - x0 : b - x0]
            if shot.kind == "dissolve" and k:
                shine = float(np.clip((t - 0.38) / 0.24, 0, 1))
                part = cv2.addWeighted(part, shine, screen[:, a:b], 1 - shine, 0)
                if shine <= 0.75:
                    number = BOTH if shine >= 0.25 else places[0][4]
            screen[:, a:b] = part
            places.append((a, 0, b, HEIGHT, number))
        yield screen, tuple(places)


def _planes(rgb: Bytes, index: int) -> Frame:
    full = photo_frame(rgb, index)
    small = [cv2.resize(p, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA) for p in full.planes[1:]]
    return replace(full, index=index, ticks=index, span=1, time_base=1 / RATE, planes=(full.planes[0], *small),
                   pixel_format="yuv420p")


def write_film(path: Path, shots: Sequence[Shot], sources: Sources, numbers: dict[str, int]) -> Film:
    """Cut the shots together."""
    info = MediaInfo("", "mp4", WIDTH, HEIGHT, None, RATE, 1 / RATE, Fraction(0), None, 0, Fraction(1), Colour(), "yuv420p", 8,
                     (), (), ())
    path.unlink(missing_ok=True)
    places: list[tuple[Place, ...]] = []
    starts = []
    with Writer(path, info, EncodeOptions(crf=18), []) as writer:
        for k, shot in enumerate(shots):
            starts.append(len(places))
            for screen, where in _screens(shot, sources, numbers, 1.7 * k):
                writer.add(compose(_planes(screen, len(places)), [], DrawOptions(), 0).safe)
                places.append(where)
    return Film(path, tuple(places), tuple(starts), tuple(s.kind for s in shots))


def _row(whats: Sequence[Recording], rng: np.random.Generator, sources: Sources, length: int, far: int = -1) -> Shot:
    """A shot of people side by side; `far` is the number of one who is far away."""
    width = WIDTH // len(whats)
    panels = []
    for k, what in enumerate(whats):
        face = min(0.42 * HEIGHT, 0.52 * width) * rng.uniform(0.7, 1.1)
        start = int(rng.integers(0, max(sources.length(what) - length, 1))) if what.moving else 0
        panels.append(Panel(what, (k * width, k * width), width, FAR if k == far else face, start))
    return Shot(tuple(panels), length)


def script(films: int, shots: int, length: int, known: Sequence[Recording], sources: Sources) -> list[list[Shot]]:
    """The shots of the films, everybody about as often as everybody else."""
    rng = np.random.default_rng(SEED)
    queue: list[Recording] = []

    def some(count: int) -> list[Recording]:
        """So many people, all different."""
        out: list[Recording] = []
        while len(out) < count:
            if len(queue) < 8:
                queue.extend(known[i] for i in rng.permutation(len(known)))
            at = next(i for i, r in enumerate(queue) if r.person not in {o.person for o in out})
            out.append(queue.pop(at))
        return out

    made = []
    wall = [r for r in known if r.stem in BACKDROP]
    for _ in range(films):
        film = []
        for k in range(shots):
            film.append(_row(some((1, 2, 1, 3, 2, 1, 4)[k % 7]), rng, sources, length))
        for kind in ("cross", "wipe", "dissolve"):
            a, b = _row(some(2), rng, sources, 2 * length).panels
            half = WIDTH // 2
            if kind == "cross":
                panels: tuple[Panel, ...] = (replace(a, x=(0, half)), replace(b, x=(half, 0)))
            elif kind == "dissolve":
                panels = tuple(replace(p, x=(0, 0), width=WIDTH, face=130.0) for p in (a, b))
            else:
                panels = (a, b, replace(b, x=(0, 0)), replace(a, x=(half, half)))
            film.append(Shot(panels, 2 * length, kind))
        far = _row(some(2), rng, sources, length, far=1)
        film.append(replace(far, kind="far"))
        a = _row(some(1), rng, sources, length).panels[0]
        a = replace(a, width=WIDTH // 2, face=min(a.face, 120))
        film.append(Shot((a, replace(a, x=(WIDTH // 2, WIDTH // 2), mirrored=True)), length, "mirror"))
        order = [film[i] for i in rng.permutation(len(film))]
        pair = [wall[i] for i in rng.permutation(len(wall))][:3] if len(wall) >= 3 else []
        made.append([*order, *(_row([w], rng, sources, length) for w in pair)])
    return made


@dataclass(frozen=True)
class Face(Value):
    """A track or the part of one that shows one person: truth, and the number of the person it was given to, -1 for nobody."""

    what: Recording
    kind: str
    given: int
    sure: bool


@dataclass
class Result:
    """What came of the films."""

    faces: list[Face] = field(default_factory=list)
    cuts: int = 0
    missed: int = 0
    pieces: int = 0
    mixed: int = 0
    mixed_frames: int = 0
    shown: int = 0
    wrong: int = 0
    there: int = 0
    wrongs: list[str] = field(default_factory=list)


def owners(film: Film, track: Track) -> Array:
    """(n,) numbers of the recordings that a track shows, frame by frame; -1 where it was not observed."""
    seen = track.rows["observed"]
    return np.array([film.who(f.frame, f.box) if o else -1 for f, o in zip(track.faces, seen, strict=True)])


def judge(films: Sequence[Film], made: Sequence[Analysis], people: People, looks: Looks, close: Sequence[dict[int, Seen]],
          known: Sequence[Recording], limits: Limits) -> Result:
    """Compare with the truth."""
    out = Result()
    clip = [f.path.stem for f in films]
    truth = {(clip[k], r.track.id): (r.track, owners(films[k], r.track), films[k]) for k, a in enumerate(made) for r in a.roles}
    given = {key: np.full(len(o), -1) for key, (_, o, _) in truth.items()}
    who = np.array([sorted({r.person for r in known}).index(r.person) for r in known] + [BOTH, -1])  # of numbers -2 and -1, too
    for n, person in enumerate(people.people):
        for p in person.pieces:
            track, own, _ = truth[p.clip, p.track]
            at = slice(p.start - track.start, p.stop - track.start)
            given[p.clip, p.track][at] = n
            counts = np.bincount(who[own[at]][own[at] >= 0])
            out.pieces += bool(counts.sum())
            out.mixed += int((counts > 0).sum()) > 1
            out.mixed_frames += int(counts.sum() - counts.max(initial=0))
    for key, (track, own, film) in truth.items():
        for number in np.unique(own[own >= 0]):
            mine = given[key][own == number]
            if len(mine) >= LEAST:
                most = int(np.bincount(mine + 1).argmax()) - 1
                size = float(np.median([max(b.width, b.height) for b, o in zip(track.boxes, own, strict=True) if o == number]))
                kind = film.kind((track.start + track.stop) // 2)
                kind = "plain" if kind == "far" and size > 2 * FAR else kind
                out.faces.append(Face(known[number], kind, most, most >= 0 and people.people[most].sure))
    for k, film in enumerate(films):
        out.cuts += len(film.starts) - 1
        out.missed += sum(any(t.start < s - 2 and s + 2 < t.stop and t.at(s - 1) for t in (r.track for r in made[k].roles))
                          for s in film.starts[1:])
    _shown(out, people, looks, close, clip, truth, who, limits, [reach(a) for a in made])
    return out


def _shown(out: Result, people: People, looks: Looks, close: Sequence[dict[int, Seen]], clip: list[str],
           truth: dict[tuple[str, int], tuple[Track, Array, Film]], who: Array, limits: Limits, reaches: list[int]) -> None:
    """Pretend that everybody in turn is to be shown."""
    views = [looks_at(p, looks.seen, limits) for p in people.people]
    for n, person in enumerate(people.people):
        if not person.sure:
            continue
        owned = np.concatenate([who[o[p.start - t.start : p.stop - t.start]] for p in person.pieces
                                for t, o, _ in [truth[p.clip, p.track]]])
        owner = int(np.bincount(owned[owned >= 0]).argmax()) if (owned >= 0).any() else BOTH - 1
        for p in person.pieces:
            track, own, film = truth[p.clip, p.track]
            k = clip.index(p.clip)
            sure = verify(close[k][p.track], views[n], views[:n] + views[n + 1 :], limits, reaches[k])
            at = slice(p.start - track.start, p.stop - track.start)
            showing = np.array([film.who(f, track.faces[f - track.start].box) for f in range(p.start, p.stop)])
            bad = sure[at] & (who[showing] != owner) & (showing != -1)
            out.there += int((who[own[at]] == owner).sum())
            out.shown += int(sure[at].sum())
            out.wrong += int(bad.sum())
            if bad.any():
                out.wrongs.append(f"{p.name} {film.kind(p.start)} {bad.sum()} frames from {p.start + int(np.argmax(bad))}")


def f1(faces: Sequence[Face], other: bool = False) -> tuple[float, float, float, int]:
    """F1, precision, recall over pairs of faces, and how many are of one person; `other`: from different recordings only."""
    name = np.array([f.what.person for f in faces])
    path = np.array([f.what.path for f in faces])
    given = np.array([f.given for f in faces])
    same = name[:, None] == name
    tied = (given[:, None] == given) & (given >= 0)
    pairs = np.triu(np.ones_like(same), 1) & ((path[:, None] != path) | (not other))
    hits, told, real = ((m & pairs).sum() for m in (same & tied, tied, same))
    precision, recall = hits / max(told, 1), hits / max(real, 1)
    return 2 * hits / max(told + real, 1), precision, recall, int(real)


def halves(known: Sequence[Recording]) -> tuple[set[str], set[str]]:
    """The people, every other one by the alphabet."""
    names = sorted({r.person for r in known})
    return set(names[::2]), set(names[1::2])


def confused(faces: Sequence[Face]) -> Iterator[str]:
    """Pairs of recordings of which faces were not tied though they show one person, or tied though they do not."""
    found: dict[tuple[str, str, str], int] = {}
    for i, a in enumerate(faces):
        for b in faces[:i]:
            same, tied = a.what.person == b.what.person, a.given == b.given and a.given >= 0
            if same != tied:
                one, two = sorted((a.what.stem, b.what.stem))
                key = ("not tied" if same else "TIED", one, two)
                found[key] = found.get(key, 0) + 1
    return (f"- {verdict}: {a} and {b}, {count} pairs" for (verdict, a, b), count in sorted(found.items()))


def report(out: Result, known: Sequence[Recording], films: Sequence[Film]) -> None:
    """Print the tables."""
    first, second = halves(known)
    plain = [f for f in out.faces if f.kind not in ("mirror", "far")]
    print(f"{len(films)} films, {out.cuts + len(films)} shots, {sum(len(f.places) for f in films)} frames, "
          f"{len({f.what.person for f in out.faces})} people, {len({f.what.path for f in out.faces})} recordings, "
          f"{len(out.faces)} faces\n")
    print("| people | faces | pairs of one person | F1 | precision | recall | across recordings | F1 | precision | recall |\n"
          "|---|---|---|---|---|---|---|---|---|---|")
    for name, some in (("first half (limits set)", first), ("second half", second), ("all", first | second)):
        of = [f for f in plain if f.what.person in some]
        cells = []
        for other in (False, True):
            f, precision, recall, real = f1(of, other)
            cells.append(f"{real} | {f:.3f} | {precision:.3f} | {recall:.3f}")
        print(f"| {name} | {len(of)} | {' | '.join(cells)} |")
    print("\n| | |\n|---|---|")
    far, mirror = ([f for f in out.faces if f.kind == k] for k in ("far", "mirror"))
    unsure = sum(not f.sure for f in plain)
    for text, value in (
            ("cuts missed", f"{out.missed} of {out.cuts}"),
            ("parts of tracks that hold two people", f"{out.mixed} of {out.pieces} ({out.mixed_frames} frames)"),
            ("frames in which a `show` of one person carries another", f"{out.wrong} of {out.shown}"),
            ("frames of sure people that would be shown", f"{out.shown} of {out.there}"),
            ("faces not sure or nobody's", f"{unsure} of {len(plain)} ({unsure / max(len(plain), 1):.0%})"),
            ("faces in mirrors not sure", f"{sum(not f.sure for f in mirror)} of {len(mirror)}"),
            (f"faces of {FAR:.0f} px not sure", f"{sum(not f.sure for f in far)} of {len(far)}")):
        print(f"| {text} | {value} |")
    print()
    for line in confused(plain):
        print(line)
    for line in out.wrongs:
        print(f"- shown wrongly: {line}")


def real(args: argparse.Namespace, eyes: Eyes, options: Options, recognise: Recogniser) -> None:
    """The clips of the data that show several people at once."""
    print("\n| clip | people | tracks | people found, sure | not sure | parts |\n|---|---|---|---|---|---|")
    for name, count in REAL.items():
        made = analyse(probe(args.data / "video" / f"{name}.mp4"), eyes, options)
        people, looks = who_is_who({name: made}, recognise)
        sure = [p for p in people.people if p.sure]
        told = "; ".join(f"{len(p.pieces)} parts, {p.frames} frames" for p in sure)
        print(f"| {name} | {count} | {len(made.roles)} | {len(sure)} | {len(people.people) - len(sure)} | {told} |", flush=True)
        for k, page in enumerate(sheet(people, looks.glances)):
            (args.out / f"{name}-{k + 1}.jpg").write_bytes(page)


def main() -> int:
    """Films, looks, tables; 1 if a `show` would carry somebody else."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one short film")
    parser.add_argument("--data", type=Path, default=HERE.parents[1] / "shared/data")
    parser.add_argument("--out", type=Path, default=HERE / "out/people")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    options, limits = Options(), Limits()
    eyes, recognise = open_eyes(options), open_recogniser()
    sources = Sources(args.data, eyes, options)
    known = [r for r in recordings(args.data) if sources.face(r) is not None]
    if args.quick:
        known = known[::4] + [r for r in known if r.person in ("v-sad_a", "GRID-A")]
    numbers = {r.path: i for i, r in enumerate(known)}
    films, made = [], []
    for k, shots in enumerate(script(1 if args.quick else 3, 6 if args.quick else 18, 16 if args.quick else 24, known, sources)):
        films.append(write_film(args.out / f"{chr(65 + k)}.mp4", shots, sources, numbers))
        made.append(analyse(probe(films[-1].path), eyes, options))
    clips = {f.path.stem: a for f, a in zip(films, made, strict=True)}
    people, looks = who_is_who(clips, recognise, limits)
    close = [closely(name, a, [r.track.id for r in a.roles], looks.seen, recognise) for name, a in clips.items()]
    for k, page in enumerate(sheet(people, looks.glances)):
        (args.out / f"people-{k + 1}.jpg").write_bytes(page)
    out = judge(films, made, people, looks, close, known, limits)
    report(out, known, films)
    if not args.quick:
        real(args, eyes, options, recognise)
    return int(out.wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
