"""Contact sheets of the known failures, before and after, into bench/out/sheets: `.venv/bin/python bench/sheets.py`.

For each failure some clips and what makes a frame of them hard; the hardest frames are chosen by that figure, not by eye. The
protected frames come from the files of `bench/run.py` where they lie in --rendered, else they are drawn here, before any
encoding. Pictures of people: never committed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))
from bench.run import DOUBLES, OUT, QUICK, made_once  # noqa: E402
from facedouble.colour import picture  # noqa: E402
from facedouble.doubles.mannequin import VARIANTS, mannequin  # noqa: E402
from facedouble.media.decode import frames  # noqa: E402
from facedouble.media.probe import probe  # noqa: E402
from facedouble.morphable.calm import EXPRESSIONS, LIDS, LIPS  # noqa: E402
from facedouble.options import Options  # noqa: E402
from facedouble.pipeline.analyse import Analysis, Role, analyse  # noqa: E402
from facedouble.pipeline.casting import open_recogniser  # noqa: E402
from facedouble.pipeline.protect import open_eyes  # noqa: E402
from facedouble.pipeline.rehearse import rehearse  # noqa: E402
from facedouble.pipeline.render import Cast  # noqa: E402
from facedouble.pipeline.stage import Troupe, perform  # noqa: E402
from facedouble.protect.composite import compose  # noqa: E402
from facedouble.types import Array, Bytes, Frame  # noqa: E402

COLUMNS, CELL, CAPTION = 6, 360, 20  # frames across; px
AROUND = 0.95  # half the side of a cell over the larger side of the face's box
APART = 0.05  # of the clip, at least, between two frames of one sheet
FACE = 48  # px: side of the face at which its look is compared with its usual look


@dataclass(frozen=True)
class Seen:
    """One role's figures, one a frame of its fit: angles (n, 3) degrees, codes (n, 123), middle (n, 2) and size (n,) px."""

    start: int
    angles: Array
    codes: Array
    middle: Array
    size: Array
    weights: Array
    odd: Array


Hardness = Callable[[Seen], Array]


def speed(s: Seen) -> Array:
    """(n,) face sizes that the face moves from frame to frame."""
    moved: Array = np.linalg.norm(np.gradient(s.middle, axis=0), axis=1) / s.size if len(s.size) > 2 else np.zeros(len(s.size))
    return moved


def fades(s: Seen) -> Array:
    """(n,) highest where double and veil change over."""
    there: Array = 1 - np.abs(2 * s.weights - 1) + 0.5 * (s.weights < 1)
    return there


def lips(s: Seen) -> Array:
    """(n,) mean lip gap."""
    gap: Array = s.codes[:, LIPS].mean(1)
    return gap


def expression(s: Seen) -> Array:
    """(n,) how far the expression is from the usual one."""
    e = s.codes[:, EXPRESSIONS]
    far: Array = np.linalg.norm(e - np.median(e, 0), axis=1)
    return far


def squint(s: Seen) -> Array:
    """(n,) how narrow the lids are."""
    narrow: Array = -s.codes[:, LIDS].mean(1)
    return narrow


FAILURES: dict[str, tuple[tuple[str, Hardness], ...]] = {
    "1 turning": tuple((c, lambda s: np.abs(s.angles[:, 0])) for c in (
        "cisco_zhling.mp4", "lp_s18.mp4", "lp_s20.mp4", "intel_two_people.mp4", "lp_d10.mp4")),
    "1b veil": tuple((c, fades) for c in ("lp_s13.mp4", "lp_s20.mp4", "lp_d12.mp4", "asl_learn.mkv", "asl_thanks.mkv")),
    "2 in front": tuple((c, lambda s: s.odd) for c in (
        "asl_bird.mkv", "asl_book.mkv", "asl_learn.mkv", "asl_thanks.mkv", "lp_d12.mp4", "lp_d13.mp4")),
    "3 forehead": tuple((c, lambda s: np.abs(s.angles[:, 1] - np.median(s.angles[:, 1])) + np.abs(s.angles[:, 2])) for c in (
        "vr_1.mp4", "vr_4.mp4", "grid_swiz3n.mpg", "grid_lbax4n.mpg", "grid_bbaf2n.mpg", "lp_d18.mp4")),
    "4 skin": tuple((c, lambda s: -np.abs(s.angles[:, 0])) for c in (
        "sad_a.mp4", "grid_brbk7n.mpg", "grid_id2_swwp2s.mpg", "grid_lwbsza.mpg", "vr_3.mp4")),
    "5 expression": tuple((c, expression) for c in ("lp_d10.mp4", "lp_d12.mp4", "lp_d18.mp4", "vr_4.mp4")),
    "5b mouth": tuple((c, lips) for c in ("lp_d10.mp4", "lp_d12.mp4", "sad_a.mp4", "grid_pwij3p.mpg")),
    "5c squint": tuple((c, squint) for c in ("lp_d12.mp4", "vr_1.mp4", "lp_d13.mp4")),
    "5d small": tuple((c, lambda s: -s.size) for c in ("lp_s13.mp4", "lp_s20.mp4")),
    "6 motion": tuple((c, speed) for c in ("lp_d13.mp4", "lp_d10.mp4", "lp_s13.mp4", "vr_4.mp4")),
    "10 outline": tuple((c, expression) for c in ("lp_d13.mp4", "vr_1.mp4", "sad_a.mp4", "grid_lwbsza.mpg")),
}
RUNS = {"1b veil", "6 motion"}  # frames one after the other around the hardest, instead of the hardest apart from each other
WIDE = {"6 motion": 1.3, "10 outline": 1.6}  # times AROUND


def _look(frame: Frame, low: Array, high: Array) -> Array:
    """The face's luma, `FACE` px, without its mean and contrast; low, high (2,) px."""
    x0, y0 = np.maximum(low, 0).astype(int)
    x1, y1 = int(min(high[0], frame.width)), int(min(high[1], frame.height))
    if x1 - x0 < 4 or y1 - y0 < 4:
        return np.zeros((FACE, FACE), np.float32)
    small = cv2.resize(frame.planes[0][y0:y1, x0:x1].astype(np.float32), (FACE, FACE), interpolation=cv2.INTER_AREA)
    plain: Array = (small - small.mean()) / (small.std() + 4)
    return plain


def seen(made: Analysis) -> tuple[int, Seen] | None:
    """The number of the role that is read longest and its figures; None if there is none."""
    held = [(k, r) for k, r in enumerate(made.roles) if r.fit is not None]
    if not held:
        return None
    k, role = max(held, key=lambda kr: len(kr[1].fit.codes) if kr[1].fit is not None else 0)
    assert role.fit is not None
    n, start = len(role.fit.codes), role.fit.start
    mesh = np.stack([role.fit.outlines[i].mesh for i in range(n)])
    low, high = mesh.min(1), mesh.max(1)
    looks = np.stack([_look(f, low[f.index - start], high[f.index - start]) for f in frames(made.info)
                      if start <= f.index < start + n])
    odd = np.abs(looks - np.median(looks, 0)).mean((1, 2))
    weights = np.asarray(role.weights)[start - role.track.start :][:n]
    return k, Seen(start, role.fit.angles, role.fit.codes.numbers, mesh.mean(1), (high - low).max(1), weights, odd)


def choose(hard: Array, together: bool) -> list[int]:
    """Steps of the hardest frames in order of time, apart from each other, or in one run around the hardest."""
    n = len(hard)
    if together:
        first = int(np.clip(int(np.argmax(hard)) - COLUMNS // 2, 0, max(n - COLUMNS, 0)))
        return list(range(first, min(first + COLUMNS, n)))
    left, chosen = hard.astype(np.float64).copy(), list[int]()
    while len(chosen) < COLUMNS and np.isfinite(left).any():
        at = int(np.argmax(left))
        chosen.append(at)
        reach = max(1, round(APART * n))
        left[max(at - reach, 0) : at + reach + 1] = -np.inf
    return sorted(chosen)


def square(frame: Frame, middle: Array, half: float) -> Bytes:
    """(CELL, CELL, 3) RGB around a place; grey where it leaves the picture."""
    rgb = picture(frame)
    x0, y0 = (round(v - half) for v in middle)
    side = max(round(2 * half), 8)
    out = np.full((side, side, 3), 96, np.uint8)
    x1, y1 = min(x0 + side, frame.width), min(y0 + side, frame.height)
    if x1 > max(x0, 0) and y1 > max(y0, 0):
        out[max(-y0, 0) : y1 - y0, max(-x0, 0) : x1 - x0] = rgb[max(y0, 0) : y1, max(x0, 0) : x1]
    way = cv2.INTER_AREA if side > CELL else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(out, (CELL, CELL), interpolation=way), np.uint8)


def drawn(made: Analysis, doubles: Troupe, rendered: Path, wanted: set[int], options: Options) -> Iterator[Frame]:
    """The protected frames that are wanted: of the rendered file, or drawn from the footage."""
    if rendered.exists():
        yield from (f for f in frames(probe(rendered)) if f.index in wanted)
        return
    rate = float(made.info.rate)
    casts = [Cast(r, perform(r, doubles[r.pick], options, rate) if (r.weights > 0).any() else None) for r in made.roles]
    for frame in frames(made.info):
        if frame.index in wanted:
            parts = [p for c in casts if (p := c.part(frame.index)) is not None]
            yield compose(frame, parts, options.draw, options.seed).safe.frame


def page(names: Sequence[str], rows: Sequence[Sequence[Bytes]], captions: Sequence[str]) -> Bytes:
    """Rows of cells one under the other, each column's caption below, each row's name in its first cell."""
    out = np.full((len(rows) * CELL + CAPTION, len(captions) * CELL, 3), 32, np.uint8)
    for j, cells in enumerate(rows):
        for i, cell in enumerate(cells):
            out[j * CELL : (j + 1) * CELL, i * CELL : (i + 1) * CELL] = cell
        cv2.putText(out, names[j], (5, j * CELL + 16), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (255, 255, 0), 1, cv2.LINE_AA)
    for i, caption in enumerate(captions):
        cv2.putText(out, caption, (i * CELL + 5, len(rows) * CELL + 14), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (255, 255, 255), 1,
                    cv2.LINE_AA)
    return out


def company(name: str, clip: str, given: argparse.Namespace, options: Options) -> tuple[str, Troupe]:
    """The doubles of that name and the name; the next clip's where it would be the witness himself."""
    source = DOUBLES[name]
    if source and Path(source).name == clip:
        name, source = next((n, s) for n, s in DOUBLES.items() if s and Path(s).name != clip)
    if not source:
        return name, tuple(mannequin(n) for n in range(VARIANTS))
    return name, (made_once(given.data / source, given.out, given.eyes, options),)


def sheets(clip: Path, jobs: Sequence[tuple[str, Hardness]], given: argparse.Namespace, options: Options) -> None:
    """All sheets of one clip: analysed once, read once for the originals and once for each double."""
    made = analyse(probe(clip), given.eyes, options)
    found = seen(made)
    if found is None:
        print(clip.name, "no face is read anywhere: veiled throughout", flush=True)
        return
    number, figures = found
    picks = {title: [i + figures.start for i in choose(hard(figures), title in RUNS)] for title, hard in jobs}
    wanted = {f for steps in picks.values() for f in steps}
    plain = {f.index: f for f in frames(made.info) if f.index in wanted}
    shown: list[tuple[str, Role, dict[int, Frame]]] = []
    for name in given.doubles:
        called, doubles = company(name, clip.name, given, options)
        staged = rehearse(made, doubles, options, given.recognise)
        rendered = given.rendered / f"{clip.stem}__{called.replace(' ', '_')}.mp4"
        shown.append((called, staged.roles[number],
                      {f.index: f for f in drawn(staged, doubles, rendered, wanted, options)}))
    for title, steps in picks.items():
        half = AROUND * WIDE.get(title, 1.0) * float(np.max(figures.size[[f - figures.start for f in steps]]))
        half = min(half, max(made.info.width, made.info.height) / 2)
        places = {f: figures.middle[f - figures.start if title not in RUNS else steps[0] - figures.start] for f in steps}
        rows = [[square(plain[f], places[f], half) for f in steps]]
        rows += [[square(of[f], places[f], half) for f in steps] for _, _, of in shown]
        captions = []
        for f in steps:
            yaw, pitch, roll = figures.angles[f - figures.start]
            weights = "/".join(f"{role.weights[f - role.track.start]:.1f}" for _, role, _ in shown)
            captions.append(f"{f}  {yaw:.0f} {pitch:.0f} {roll:.0f} deg {figures.size[f - figures.start]:.0f} px  "
                            f"double {weights}")
        name = f"{title.replace(' ', '-')}__{clip.stem}.png"
        out = page(["original", *(called for called, _, _ in shown)], rows, captions)
        cv2.imwrite(str(given.sheets / name), out[..., ::-1])
        print(name, flush=True)


def main() -> None:
    """Choose, draw, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="three clips")
    parser.add_argument("--data", type=Path, default=HERE.parents[1] / "shared/data")
    parser.add_argument("--out", type=Path, default=OUT, help="where the doubles of bench/run.py lie")
    parser.add_argument("--rendered", type=Path, help="where the films of bench/run.py lie; without it in --out")
    parser.add_argument("--sheets", type=Path, default=OUT / "sheets")
    parser.add_argument("--doubles", nargs="*", default=["mannequin", "clip A"], choices=list(DOUBLES))
    parser.add_argument("--clips", nargs="*", help="only these, by file name")
    parser.add_argument("--only", nargs="*", help="only failures whose titles begin so")
    given = parser.parse_args()
    if not given.data.is_dir():
        sys.exit(f"{given.data}: the sample clips are not here; give their folder with --data")
    given.clips = given.clips or (list(QUICK) if given.quick else None)
    given.rendered = given.rendered or given.out
    given.sheets.mkdir(parents=True, exist_ok=True)
    options = Options()
    given.eyes, given.recognise = open_eyes(options), open_recogniser()
    jobs: dict[str, list[tuple[str, Hardness]]] = {}
    for title, cases in FAILURES.items():
        for clip, hard in cases:
            if (not given.clips or clip in given.clips) and (not given.only or title.startswith(tuple(given.only))):
                jobs.setdefault(clip, []).append((title, hard))
    for clip, todo in jobs.items():
        sheets(given.data / "video" / clip, todo, given, options)


if __name__ == "__main__":
    main()
