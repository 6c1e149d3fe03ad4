"""Things in front of faces, laid over real clips with known mattes: what of them `--in-front` leaves, and what else.

    .venv/bin/python bench/occluders.py [--quick] [--data ../shared/data] [--frames 60]

Composed are a dark microphone, a light cup, a coloured cup, a phone, and a hand cut out of a clip, each moved in front of
the lower face or a cheek and away again. Face-labelled is what lies inside the witness's mesh, as found in the clip without
the thing, and not under the thing (alpha < .05); a revealed pixel is one that keeps half or more of the footage. Prints a
table, writes contact sheets (footage, what stays in green, result) to `--out`; exits with 1 if a face pixel was revealed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))
from facedouble.colour import crop_rgb, put_rgb  # noqa: E402
from facedouble.doubles.mannequin import mannequin  # noqa: E402
from facedouble.media.decode import frames  # noqa: E402
from facedouble.media.encode import Writer  # noqa: E402
from facedouble.media.probe import probe  # noqa: E402
from facedouble.morphable.topology import topology  # noqa: E402
from facedouble.options import DrawOptions, EncodeOptions, Options  # noqa: E402
from facedouble.pipeline.analyse import Analysis, analyse  # noqa: E402
from facedouble.pipeline.protect import open_eyes  # noqa: E402
from facedouble.pipeline.render import Cast  # noqa: E402
from facedouble.pipeline.stage import perform  # noqa: E402
from facedouble.protect.composite import compose  # noqa: E402
from facedouble.protect.drive import place  # noqa: E402
from facedouble.protect.face import area, face_size  # noqa: E402
from facedouble.protect.occlusion import matte_step  # noqa: E402
from facedouble.protect.treatments import Part, what_stays  # noqa: E402
from facedouble.raster import blur, cover  # noqa: E402
from facedouble.types import Array, Box, Double, Floats, Frame, Value  # noqa: E402

CLIPS = ("vr_1.mp4", "vr_3.mp4", "vr_4.mp4", "lp_d10.mp4", "lp_d18.mp4", "sad_a.mp4", "grid_bbaf2n.mpg", "grid_pwij3p.mpg",
         "grid_swiz3n.mpg", "lp_d13.mp4")
PLAIN = (*CLIPS, "lp_d12.mp4", "grid_brbk7n.mpg", "grid_id2_swwp2s.mpg", "grid_lbax4n.mpg", "grid_lwbsza.mpg", "lp_s18.mp4")
REAL = ("asl_bird.mkv", "asl_book.mkv", "asl_learn.mkv", "asl_thanks.mkv")
QUICK = ("vr_1.mp4", "sad_a.mp4", "grid_swiz3n.mpg")
LABEL, SHOWN = 0.05, 0.5  # alpha of the thing under which a pixel is face; share of the footage that counts as revealed
SHEET, COLUMNS = 220, 8  # px and frames of the contact sheets
HAND = ("asl_thanks.mkv", 30, (225, 161, 325, 240))  # clip, frame, box: a hand in front of a grey shirt


@dataclass(frozen=True)
class Thing(Value):
    """Something to hold in front of a face: picture (h, w, 3) display RGB, alpha (h, w), both at a face size of SIZE px.

    at: where its middle is when it is nearest, from: where it comes from; face sizes from the middle of the face.
    """

    name: str
    picture: Floats
    alpha: Floats
    at: tuple[float, float]
    away: tuple[float, float]


SIZE = 256


def _grid(height: float, width: float) -> tuple[Array, Array]:
    """X and y of pixels in face sizes, from the middle of a picture of height x width face sizes."""
    y, x = np.mgrid[: round(height * SIZE), : round(width * SIZE)].astype(np.float32)
    return (x - x.mean()) / SIZE, (y - y.mean()) / SIZE


def _soft(distance: Array) -> Floats:
    """Alpha of a shape from the distance to its outline, face sizes, positive inside."""
    alpha: Floats = np.clip(distance * SIZE / 3 + 0.5, 0, 1).astype(np.float32)
    return alpha


def _made(name: str, tone: Array, alpha: Floats, at: tuple[float, float], away: tuple[float, float]) -> Thing:
    rough = np.random.default_rng(3).normal(0, 0.012, tone.shape[:2]).astype(np.float32)
    return Thing(name, np.clip(tone + blur(rough, 1.0)[..., None] * 2, 0, 1).astype(np.float32), alpha, at, away)


def microphone() -> Thing:
    """A black foam ball on a stick."""
    x, y = _grid(1.5, 0.5)
    y = y + 0.5
    ball = 0.2 - np.hypot(x, y)
    stick = np.minimum(0.055 - np.abs(x), y)
    shade = 0.10 + 0.10 * np.exp(-((x + 0.08) ** 2 + (y + 0.1) ** 2) / 0.008) + 0.04 * (x < 0)
    return _made("microphone", np.repeat(shade[..., None], 3, 2), _soft(np.maximum(ball, stick)), (0.05, 0.85), (0.3, 2.0))


def cup(name: str, colour: tuple[float, float, float]) -> Thing:
    """A cup, lighter on one side."""
    x, y = _grid(0.6, 0.56)
    inside = np.minimum(0.2 - np.abs(x) - 0.1 * (y + 0.2), 0.24 - np.abs(y))
    handle = 0.03 - np.abs(np.hypot(x - 0.19, y - 0.02) - 0.075)
    tone = np.array(colour, np.float32) * (0.86 - 0.9 * x * np.abs(x) * 4)[..., None]
    return _made(name, tone, _soft(np.maximum(inside, handle)), (0.02, 0.5), (-0.7, 1.6))


def phone() -> Thing:
    """A dark phone held to a cheek, with a lighter rim and a lens."""
    x, y = _grid(0.86, 0.7)
    a = np.radians(18)
    u, v = x * np.cos(a) + y * np.sin(a), y * np.cos(a) - x * np.sin(a)
    inside = np.minimum(0.18 - np.abs(u), 0.36 - np.abs(v))
    tone = np.where(inside < 0.02, 0.42, 0.11)[..., None] * np.array([0.95, 1.0, 1.1])
    lens = np.hypot(u - 0.09, v + 0.26) < 0.035
    tone[lens] = 0.25
    return _made("phone", tone.astype(np.float32), _soft(inside), (-0.42, 0.15), (-1.6, 0.6))


def hand(data: Path) -> Thing:
    """A real hand: cut out of a clip where it is in front of a grey shirt, by colour and GrabCut."""
    clip, at, (x0, y0, x1, y1) = HAND
    frame = next(islice(frames(probe(data / "video" / clip)), at, None))
    scale = 4
    crop = cv2.resize(crop_rgb(frame, x0, y0, x1, y1), None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    warm = blur(crop[..., 0] - crop[..., 2], 2)
    marks = np.full(crop.shape[:2], cv2.GC_PR_BGD, np.uint8)
    marks[warm > 0.12] = cv2.GC_PR_FGD
    marks[warm > 0.2] = cv2.GC_FGD
    marks[warm < 0.04] = cv2.GC_BGD
    cv2.grabCut(np.clip(crop * 255, 0, 255).astype(np.uint8), marks, None, np.zeros((1, 65)), np.zeros((1, 65)), 4,
                cv2.GC_INIT_WITH_MASK)
    mask = ((marks == cv2.GC_FGD) | (marks == cv2.GC_PR_FGD)).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    whole = labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    alpha = blur(cv2.erode(whole.astype(np.uint8), np.ones((5, 5))).astype(np.float32), 1.5)
    big = 0.75 * SIZE / max(float(np.ptp(np.nonzero(whole)[0])), 1.0)
    size = round(crop.shape[1] * big), round(crop.shape[0] * big)
    return Thing("hand", np.clip(cv2.resize(crop, size), 0, 1), cv2.resize(alpha, size), (-0.2, 0.4), (-1.0, 1.8))


def things(data: Path) -> list[Thing]:
    """All of them."""
    return [microphone(), cup("light cup", (0.93, 0.92, 0.88)), cup("blue cup", (0.16, 0.35, 0.72)), phone(), hand(data)]


def nearness(i: int, count: int) -> float:
    """0 away, 1 in front: comes after a quarter of the frames, stays for a sixth, goes; never over half of the frames."""
    u = i / count
    near = float(np.clip(min((u - 0.27) / 0.16, (0.77 - u) / 0.16), 0, 1))
    return near * near * (3 - 2 * near)


def laid_over(frame: Frame, thing: Thing, middle: Array, size: float, near: float) -> tuple[Frame, Floats]:
    """The frame with a thing in front of it, and the thing's alpha (h, w)."""
    place = middle + size * (np.array(thing.at) * near + np.array(thing.away) * (1 - near))
    k = size / SIZE
    h, w = thing.alpha.shape
    move = np.array([[k, 0, place[0] - k * w / 2], [0, k, place[1] - k * h / 2]], np.float32)
    whole = (frame.width, frame.height)
    how = cv2.INTER_AREA if k < 1 else cv2.INTER_LINEAR
    alpha = cv2.warpAffine(blur(thing.alpha, max(0.3, 0.45 / k)), move, whole, flags=how)
    picture = cv2.warpAffine(blur(thing.picture, max(0.3, 0.45 / k)), move, whole, flags=how, borderMode=cv2.BORDER_REPLICATE)
    planes = tuple(p.copy() for p in frame.planes)
    put_rgb(frame, planes, picture, alpha, 0, 0)
    return replace(frame, planes=planes), alpha


def take(made: Analysis, thing: Thing | None, count: int, path: Path) -> list[Array]:
    """Write the first `count` frames of a clip, a thing in front of its first face; returns the alphas (h, w) uint8."""
    alphas = []
    path.unlink(missing_ok=True)
    size, middle = 0.0, np.zeros(2)
    if thing is not None:
        fit = made.roles[0].fit
        assert fit is not None
        meshes = [o.mesh for o in fit.outlines]
        size = float(np.median([face_size(m) for m in meshes]))
        middle = np.median([m[[234, 454, 10, 152]].mean(0) for m in meshes], 0)
    with Writer(path, replace(made.info, audio=()), EncodeOptions(crf=8), []) as writer:
        for frame in islice(frames(made.info), count):
            over, alpha = frame, np.zeros((frame.height, frame.width), np.float32)
            if thing is not None:
                over, alpha = laid_over(frame, thing, middle, size, nearness(frame.index, count))
            writer.add(compose(over, [], DrawOptions(), 0).safe)
            alphas.append((alpha * 255 + 0.5).astype(np.uint8))
    return alphas


@dataclass
class Line:
    """What came of a clip: frames, those drawn as the double, px of the thing in the mesh and of them revealed, face px revealed.

    flicker: share of the thing's pixels whose state changes from one frame to the next, where the thing stands still.
    """

    clip: str
    thing: str
    frames: int = 0
    drawn: int = 0
    there: int = 0
    kept: int = 0
    face: int = 0
    worst: int = 0
    changed: int = 0
    still: int = 0


def judge(line: Line, made: Analysis, truth: Analysis, alphas: list[Array] | None, double: Double, sheet: Path | None) -> Line:
    """Draw a composed clip and count. made: its analysis; truth: that of the clip without the thing."""
    options = DrawOptions(occlusion=True)
    casts = [Cast(r, perform(r, double, Options(draw=options), float(made.info.rate)) if (r.weights > 0).any() else None)
             for r in made.roles]
    known = truth.roles[0].fit
    tiles: list[Array] = []
    before: tuple[Array, Array] | None = None
    for frame in frames(made.info):
        parts = [p for p in (c.part(frame.index) for c in casts) if p is not None]
        line.frames += 1
        line.drawn += bool(parts and parts[0].weight >= 1)
        shown = revealed(frame, parts, options)
        if known is not None and 0 <= frame.index - known.start < len(known.outlines):
            mesh = cover(known.outlines[frame.index - known.start].mesh, topology().triangles, frame.height, frame.width) > 0
            alpha = np.zeros(mesh.shape, np.uint8) if alphas is None else alphas[frame.index]
            thing, bare = mesh & (alpha >= 128), mesh & (alpha < LABEL * 255)
            line.there += int(thing.sum())
            line.kept += int((thing & shown).sum())
            wrong = int((bare & shown).sum())
            line.face, line.worst = line.face + wrong, max(line.worst, wrong)
            if before is not None and nearness(frame.index, made.frames) == 1:
                both = thing & before[0]
                line.still, line.changed = line.still + int(both.sum()), line.changed + int((shown != before[1])[both].sum())
            before = thing, shown
        if sheet is not None and frame.index % max(1, made.frames // (2 * COLUMNS)) == 0:
            tiles.append(tile(frame, compose(frame, parts, options, 0).safe.frame, shown, made.roles[0].boxes))
    if sheet is not None:
        write_sheet(sheet, tiles)
    return line


def revealed(frame: Frame, parts: list[Part], options: DrawOptions) -> Array:
    """(h, w) bool: pixels of the footage that stay in front of a face by half or more."""
    out = np.zeros((frame.height, frame.width), bool)
    for part in parts:
        if part.stage is None or part.outline is None:
            continue
        code = part.stage.codes[part.step]
        mesh = place(part.stage.mesh(part.step), code, part.stage.to)
        where = area(mesh, part.outline, frame.width, frame.height)
        if where is None:
            continue
        matte = what_stays(frame, frame.planes, part, mesh, where, code.light, options)
        if matte is None:
            continue
        step = matte_step(where.size)
        large = np.repeat(np.repeat(matte, step, 0), step, 1)[: where.shape[0], : where.shape[1]]
        out[where.y0 : where.y1, where.x0 : where.x1] |= large >= SHOWN
    return out


def tile(was: Frame, now: Frame, shown: Array, boxes: Sequence[Box]) -> Array:
    """Footage, what is revealed in green, and the result, around the face, one above the other."""
    x, y = np.median([b.centre for b in boxes], 0)
    r = 1.1 * float(np.median([max(b.width, b.height) for b in boxes]))
    box = (max(0, round(x - r)), max(0, round(y - r)), min(was.width, round(x + r)), min(was.height, round(y + r)))
    first, last = crop_rgb(was, *box), crop_rgb(now, *box)
    marked = first * np.float32(0.6)
    marked[..., 1] += 0.4 * shown[box[1] : box[3], box[0] : box[2]]
    return np.concatenate([cv2.resize(a, (SHEET, SHEET), interpolation=cv2.INTER_AREA) for a in (first, marked, last)])


def write_sheet(path: Path, tiles: list[Array]) -> None:
    """Tiles side by side, in rows of COLUMNS."""
    while len(tiles) % COLUMNS:
        tiles.append(np.zeros_like(tiles[0]))
    whole = np.concatenate([np.concatenate(tiles[i : i + COLUMNS], 1) for i in range(0, len(tiles), COLUMNS)])
    cv2.imwrite(str(path), np.clip(whole[..., ::-1] * 255 + 0.5, 0, 255).astype(np.uint8))


def show(line: Line) -> None:
    """A row of the table."""
    recall = f"{line.kept / line.there:.2f}" if line.there else "–"
    flicker = f"{line.changed / line.still:.4f}" if line.still else "–"
    print(f"| {line.clip} | {line.thing} | {line.frames} | {line.drawn} | {line.there} | {recall} | {line.face} | {line.worst} "
          f"| {flicker} |", flush=True)


def main() -> int:
    """All clips and things; 1 if a pixel of a face was revealed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--data", type=Path, default=HERE.parents[1] / "shared/data")
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--clips", nargs="*", help="only these")
    parser.add_argument("--out", type=Path, default=HERE / "out/occluders")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    options = Options(draw=DrawOptions(occlusion=True))
    eyes, double, all_things, lines = open_eyes(options), mannequin(), things(args.data), list[Line]()
    chosen = args.clips or (QUICK if args.quick else (*PLAIN, *REAL))
    print("| clip | thing | frames | drawn | px of it in the mesh | recall | face px revealed | in the worst frame | flicker |\n"
          "|---|---|---|---|---|---|---|---|---|", flush=True)
    for clip in chosen:
        path = args.out / f"{Path(clip).stem}.mp4"
        source = Analysis(probe(args.data / "video" / clip), 0, ())
        take(source, None, args.frames if clip not in REAL else 1000, path)
        truth = analyse(probe(path), eyes, options)
        if not truth.roles:
            continue
        sheet = path.with_suffix(".png")
        lines.append(judge(Line(clip, "real" if clip in REAL else "none"), truth, truth, None, double, sheet))
        show(lines[-1])
        for thing in all_things if clip in CLIPS else ():
            path = args.out / f"{Path(clip).stem}-{thing.name.replace(' ', '-')}.mp4"
            alphas = take(truth, thing, truth.frames, path)
            made = analyse(probe(path), eyes, options)
            lines.append(judge(Line(clip, thing.name), made, truth, alphas, double, path.with_suffix(".png")))
            show(lines[-1])
            path.unlink()
    for name in sorted({line.thing for line in lines}):
        of = [line for line in lines if line.thing == name]
        summed = ("frames", "drawn", "there", "kept", "face", "changed", "still")
        show(Line(f"all {len(of)}", name, worst=max(line.worst for line in of),
                  **{k: sum(getattr(line, k) for line in of) for k in summed}))
    return int(any(line.face for line in lines if line.thing != "real"))


if __name__ == "__main__":
    sys.exit(main())
