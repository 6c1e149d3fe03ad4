"""Hard light, grain, beards and cloth, composed into real clips: what the double looks like there, and whether a face is bare.

    .venv/bin/python bench/composed.py [--quick] [--data ../shared/data] [--frames 40]

Each condition changes the footage along the witness's own mesh, as it was fitted to the clip as filmed; the composed clip is
the footage from there on: it is analysed, rehearsed and drawn with the mannequins and with one double, and the referee
(`../shared/measure/score`) compares. Prints a table, writes a contact sheet of each clip and condition (footage, result) to
`--out`, and what it measured, which is not measured again; exits with 1 if a bare frame was found. Pictures of people: never
committed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache, partial
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from scipy.spatial.transform import Rotation

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))
from bench.run import OUT, Row, made_once, row, score  # noqa: E402
from bench.sheets import page, square  # noqa: E402
from facedouble.colour import crop_rgb, put_rgb  # noqa: E402
from facedouble.doubles.mannequin import VARIANTS, mannequin  # noqa: E402
from facedouble.faces.fit import Fit  # noqa: E402
from facedouble.media.decode import frames  # noqa: E402
from facedouble.media.encode import Writer  # noqa: E402
from facedouble.media.probe import probe  # noqa: E402
from facedouble.morphable import layout  # noqa: E402
from facedouble.morphable.light import irradiance  # noqa: E402
from facedouble.morphable.topology import topology, vertex_normals  # noqa: E402
from facedouble.options import DrawOptions, EncodeOptions, Options  # noqa: E402
from facedouble.pipeline.analyse import Analysis, analyse  # noqa: E402
from facedouble.pipeline.casting import open_recogniser  # noqa: E402
from facedouble.pipeline.protect import open_eyes  # noqa: E402
from facedouble.pipeline.rehearse import rehearse  # noqa: E402
from facedouble.pipeline.render import Voice, render  # noqa: E402
from facedouble.pipeline.stage import Troupe  # noqa: E402
from facedouble.protect.composite import compose  # noqa: E402
from facedouble.protect.face import face_size  # noqa: E402
from facedouble.raster import blur, display, linear  # noqa: E402
from facedouble.raster import render as rasterised  # noqa: E402
from facedouble.types import Array, Bytes, Floats, Frame, Value  # noqa: E402

CLIPS = ("vr_1.mp4", "grid_swiz3n.mpg", "grid_lwbsza.mpg", "grid_pwij3p.mpg", "sad_a.mp4",
         "lp_d10.mp4")  # from dark skin to light, as filmed
QUICK = ("vr_1.mp4", "sad_a.mp4")
DOUBLE = ("clip A", "video/lp_d18.mp4")
LOOKED_AT = 12  # frames at which the referee asks the recogniser
COLUMNS, AROUND = 6, 0.95  # of a contact sheet; half a cell's side over the face size
GRAIN = 12.0  # levels of 255
DIM, READ, SHOT = 0.06, 0.0025, 0.0012  # linear light: share that is left; a sensor's noise, constant, and per root of light
LIT, SHADED = 3.0, 0.25  # of the light, on the cheek that faces the lamp and on the other
KNEE = 0.7  # linear light above which a camera holds back
WARM, COLD = (1.5, 0.8, 0.5), (0.6, 0.9, 1.6)
GLOSS, SHINE = 22.0, 1.6  # exponent of Blinn's highlights, and their light over that of the skin
LAMPS = ((-0.35, -0.4, -1.0), (0.45, -0.25, -1.0))  # halfway between a lamp and the camera
HAIRS = 9000


@dataclass(frozen=True)
class Head(Value):
    """A head in one frame, as fitted: mesh (468, 3) px, rotation (3, 3), light (468, 3) on skin; rest (468, 2) px: its
    usual place; size px.
    """

    mesh: Array
    rotation: Array
    light: Array
    rest: Array
    size: float


Condition = Callable[[Floats, Head, np.random.Generator], Floats]
"""Display RGB (h, w, 3), the head in it, noise -> display RGB."""


def held(light: Floats) -> Floats:
    """Display RGB of linear light, bright light held back as cameras do."""
    over = (np.maximum(light, KNEE) - KNEE) / (1 - KNEE)
    return display(np.where(light > KNEE, 1 - (1 - KNEE) * np.exp(-over), light).astype(np.float32))


def over(rgb: Floats, cloth: Floats, alpha: Floats) -> Floats:
    """Linear light (h, w, 3) laid over display RGB."""
    light = linear(rgb)
    return display(light + (cloth - light) * alpha[..., None])


def grain(rgb: Floats, head: Head, rng: np.random.Generator) -> Floats:
    """White noise."""
    noisy: Floats = np.clip(rgb + rng.standard_normal(rgb.shape, np.float32) * np.float32(GRAIN / 255), 0, 1)
    return noisy


def darkness(rgb: Floats, head: Head, rng: np.random.Generator) -> Floats:
    """Little light, and what a sensor makes of it."""
    light = linear(rgb) * np.float32(DIM)
    return display(light + np.sqrt(READ**2 + SHOT**2 * light / DIM) * rng.standard_normal(rgb.shape, np.float32))


def side_light(rgb: Floats, head: Head, rng: np.random.Generator) -> Floats:
    """A lamp at one side: on the face by its normals, beside it by the place."""
    h, w = rgb.shape[:2]
    ids, facing = rasterised(head.mesh, topology().triangles, vertex_normals(head.mesh)[:, :1], h, w)
    x = (np.arange(w) - head.mesh[:, 0].mean()) / (0.5 * head.size)
    ramp = blur(np.where(ids >= 0, facing[..., 0], np.clip(x, -1, 1)).astype(np.float32), 0.05 * head.size)
    gain = np.exp(np.interp(ramp, (-1, 1), np.log([LIT, SHADED])))
    return held((linear(rgb) * gain[..., None]).astype(np.float32))


def coloured(gains: tuple[float, float, float]) -> Condition:
    """Light of another colour, everywhere."""
    return lambda rgb, head, rng: held(linear(rgb) * np.array(gains, np.float32))


def shine(rgb: Floats, head: Head, rng: np.random.Generator, bare: bool = False) -> Floats:
    """Sweat: Blinn's highlights on the skin (SIGGRAPH 1977), in blotches; over brows, lids and lips too, unless bare."""
    t, (h, w) = topology(), rgb.shape[:2]
    ids, found = rasterised(head.mesh, t.triangles, np.concatenate([vertex_normals(head.mesh), t.uv], 1), h, w)
    lamps = np.array(LAMPS).T / np.linalg.norm(LAMPS, axis=1)
    facing = (found[..., :3] @ lamps).max(-1) / np.maximum(np.linalg.norm(found[..., :3], axis=-1), 1e-6)
    rough = np.clip(cv2.remap(weave(), found[..., 3] * 400, found[..., 4] * 250, cv2.INTER_LINEAR), 0.3, 1.7)
    spot = np.where((ids >= 0) & (ids < len(t.skin)), np.clip(facing, 0, 1) ** GLOSS * rough, 0).astype(np.float32)
    if bare:
        plain = np.isin(np.arange(len(head.mesh)), t.skin_points).astype(np.float32)
        spot *= blur(rasterised(head.mesh, t.triangles, plain[:, None], h, w)[1][..., 0], 0.01 * head.size)
    light = SHINE * float(head.light.mean()) * blur(spot, 0.006 * head.size)
    return held(linear(rgb) + light[..., None])


@cache
def follicles() -> tuple[Array, Array, Array, Array]:
    """Hairs of a beard, canonical: triangle (n,), place in it (n, 3), tip from the root (n, 3), albedo over that of skin (n,)."""
    rng, t = np.random.default_rng(5), topology()
    m = t.mean[:468]
    middle = m[t.skin].mean(1)
    nose, mouth, ear = m[2], m[291], m[454]
    line = np.interp(np.abs(middle[:, 0]), [0, abs(mouth[0]), abs(mouth[0]) + 0.12, abs(ear[0])],
                     [nose[1] + 0.06, nose[1] + 0.10, mouth[1] - 0.02, ear[1] + 0.10])
    lips = m[layout.UPPER_OUTER_LIP + layout.LOWER_OUTER_LIP[::-1], :2].astype(np.float32)
    bearded = np.array([y > edge and cv2.pointPolygonTest(lips, (float(x), float(y)), False) < 0
                        for (x, y, _), edge in zip(middle, line, strict=True)])
    a, b, c = (m[t.skin[:, k]] for k in range(3))
    share = np.linalg.norm(np.cross(b - a, c - a), axis=1) * bearded
    triangle = rng.choice(len(share), HAIRS, p=share / share.sum())
    place = rng.dirichlet([1, 1, 1], HAIRS)
    root = (m[t.skin[triangle]] * place[..., None]).sum(1)
    low = np.clip((root[:, 1] - mouth[1]) / (m[152, 1] - mouth[1]), 0, 1)
    length = (0.07 + 0.26 * low**2) * rng.uniform(0.6, 1.2, HAIRS)
    way = np.stack([0.25 * root[:, 0], 0.9 * np.ones(HAIRS), -0.25 * np.ones(HAIRS)], 1) + rng.normal(0, 0.22, (HAIRS, 3))
    return triangle, place, way * length[:, None], rng.uniform(0.10, 0.32, HAIRS)


def beard(rgb: Floats, head: Head, rng: np.random.Generator) -> Floats:
    """Dark hairs that grow on the lower face, down over the jaw."""
    t, (h, w) = topology(), rgb.shape[:2]
    triangle, place, tip, tone = follicles()
    at = t.skin[triangle]
    root = (head.mesh[at] * place[..., None]).sum(1)
    scale = np.linalg.norm(head.mesh[33] - head.mesh[263])
    end = root + scale * tip @ head.rotation.T
    lit = (head.light[at] * place[..., None]).sum(1)
    seen = vertex_normals(head.mesh)[at].mean(1)[:, 2] < 0.1
    colour = np.clip(display((lit * tone[:, None]).astype(np.float32)) * 255, 0, 255)
    picture, alpha = np.zeros((h, w, 3), np.uint8), np.zeros((h, w), np.uint8)
    bend = (root + end) / 2 + scale * np.array([0.1, -0.1, 0]) * tip[:, :1]
    paths = np.round(np.stack([root, bend, end], 1)[..., :2] * 16).astype(np.int32)
    thick = max(1, round(head.size / 170))
    dark = tuple(np.median(colour, 0).tolist())
    skin = [np.round(head.mesh[f, :2] * 16).astype(np.int32) for f in t.skin[np.unique(triangle)]]
    for f in skin:
        cv2.fillConvexPoly(picture, f, dark, cv2.LINE_AA, 4)
        cv2.fillConvexPoly(alpha, f, 150, cv2.LINE_AA, 4)
    alpha = np.asarray(blur(alpha.astype(np.float32), 0.03 * head.size)).astype(np.uint8)
    for k in np.argsort(root[:, 1]):
        if seen[k]:
            cv2.polylines(picture, [paths[k]], False, colour[k].tolist(), thick, cv2.LINE_AA, 4)
            cv2.polylines(alpha, [paths[k]], False, 235, thick, cv2.LINE_AA, 4)
    known = picture.astype(np.float32) / 255
    return over(rgb, linear(known), blur(alpha.astype(np.float32) / 255, 0.003 * head.size))


@cache
def weave() -> Floats:
    """Rough tone of cloth (256, 1024) around 1, repeating."""
    rng = np.random.default_rng(9)
    rough = rng.normal(0, 1, (256, 1024)).astype(np.float32)
    return np.asarray(1 + 0.10 * blur(rough, 1.0) * 3 + 0.06 * blur(rough, 6.0) * 12, np.float32)


def cloth(colour: tuple[float, float, float], folds: Array, u: Array, v: Array, head: Head) -> Floats:
    """Linear light (h, w, 3) of cloth under the light of the face; folds (h, w) of tone, u and v (h, w) place on the cloth."""
    fine = cv2.remap(weave(), (u % 1024).astype(np.float32), (v % 256).astype(np.float32), cv2.INTER_LINEAR)
    lit = np.median(head.light, 0) / 0.4
    return np.asarray((folds * fine)[..., None] * (np.array(colour) * lit), np.float32)


def scarf(rgb: Floats, head: Head, rng: np.random.Generator) -> Floats:
    """A scarf around the face, over the top of the forehead, ears and neck; it moves with the head."""
    h, w = rgb.shape[:2]
    oval = head.mesh[layout.OVAL, :2]
    middle, up = oval.mean(0), head.mesh[10, :2] - head.mesh[152, :2]
    up = up / np.linalg.norm(up)
    right = np.array([-up[1], up[0]])
    x, y = np.meshgrid(np.arange(w) - middle[0], np.arange(h) - middle[1])
    across, high = x * right[0] + y * right[1], x * up[0] + y * up[1]
    angle, far = np.arctan2(across, high), np.hypot(across, high)
    own = oval - middle
    turn, reach = np.arctan2(own @ right, own @ up), np.linalg.norm(own, axis=1)
    order = np.argsort(turn)
    edge = np.interp(angle, turn[order], reach[order], period=2 * np.pi)
    rho, crown = far / edge, np.clip(np.cos(angle), 0, 1) ** 2
    inner = 0.99 - 0.12 * crown
    u = head.size
    down = np.clip(-high / u - 0.15, 0, 1.6)
    outer = np.maximum((1.38 + 0.15 * crown) - rho, np.where(down > 0, 0.58 + 0.55 * down - np.abs(across) / u, -1))
    inside = np.minimum(np.minimum((rho - inner) * edge, outer * u), (1.5 * u + high))
    depth = (rho - inner) / 0.5
    folds = 0.85 + 0.22 * np.sin(13 * depth + 2.2 * np.sin(2 * angle + 0.7) + 1.3 * np.cos(3 * angle))
    folds *= 1 - 0.45 * np.exp(-np.maximum(depth, 0) / 0.06)
    light = cloth((0.10, 0.19, 0.21), folds, angle * 160 + 512, depth * 180 + 40, head)
    return over(rgb, light, blur(np.clip(inside + 0.5, 0, 1).astype(np.float32), 0.004 * u))


def collar(rgb: Floats, head: Head, rng: np.random.Generator) -> Floats:
    """A high knitted collar up to the chin, which stays where the body is."""
    h, w = rgb.shape[:2]
    u, chin = head.size, head.rest[152]
    x, y = np.meshgrid((np.arange(w) - chin[0]) / u, (np.arange(h) - chin[1]) / u)
    below = y + 0.03 + 0.5 * x**2
    inside = np.minimum(np.minimum(below, 0.42 + 0.5 * np.clip(below - 0.35, 0, 1) - np.abs(x)), 1.2 - y)
    ribs = 0.82 + 0.16 * np.cos(2 * np.pi * x / 0.036) * np.clip(1.2 - np.abs(x), 0, 1)
    ribs *= (1 - 0.35 * np.exp(-np.maximum(below, 0) / 0.03)) * (1 - 0.9 * x**2)
    light = cloth((0.30, 0.25, 0.19), ribs, x * 400 + 512, y * 400, head)
    return over(rgb, light, blur(np.clip(inside * u + 0.5, 0, 1).astype(np.float32), 0.004 * u))


CONDITIONS: dict[str, Condition | None] = {
    "as filmed": None, "grain": grain, "darkness": darkness, "side light": side_light, "warm light": coloured(WARM),
    "cold light": coloured(COLD), "highlights": shine, "highlights on bare skin": partial(shine, bare=True), "beard": beard,
    "head-scarf": scarf, "high collar": collar,
}


def head_at(fit: Fit, step: int, rest: Array, size: float) -> Head:
    """The head in one frame of a fit; its depth is that of the mean head."""
    code, outline = fit.codes[step], fit.outlines[step].mesh
    rotation = Rotation.from_rotvec(code.rotation.astype(np.float64)).as_matrix()
    depth = code.scale * (topology().mean[:468] @ rotation.T)[:, 2:]
    mesh = np.concatenate([outline, depth], 1)
    return Head(mesh, rotation, irradiance(code.light, vertex_normals(mesh)), rest, size)


def take(source: Analysis, fit: Fit | None, condition: Condition | None, count: int, path: Path) -> None:
    """Write the first `count` frames of a clip under a condition; fit: of its witness."""
    path.unlink(missing_ok=True)
    meshes = np.array([o.mesh for o in fit.outlines[:]]) if fit else np.zeros((1, 468, 2))
    rest, size = np.median(meshes, 0), float(np.median([face_size(m) for m in meshes]))
    with Writer(path, replace(source.info, audio=()), EncodeOptions(crf=8), []) as writer:
        for frame in islice(frames(source.info), count):
            taken = frame
            if condition is not None and fit is not None:
                head = head_at(fit, int(np.clip(frame.index - fit.start, 0, len(fit.outlines) - 1)), rest, size)
                rgb = np.clip(crop_rgb(frame, 0, 0, frame.width, frame.height), 0, 1)
                planes = tuple(p.copy() for p in frame.planes)
                put_rgb(frame, planes, condition(rgb, head, np.random.default_rng([7, frame.index])),
                        np.ones(rgb.shape[:2], np.float32), 0, 0)
                taken = replace(frame, planes=planes)
            writer.add(compose(taken, [], DrawOptions(), 0).safe)


def longest(made: Analysis) -> Fit | None:
    """The fit of the role that is read longest."""
    return max((r.fit for r in made.roles if r.fit is not None), key=lambda f: len(f.codes), default=None)


def sheet(path: Path, films: dict[str, Path], fit: Fit, total: int) -> None:
    """Frames of several films of one scene, spread over its length, one film under the other."""
    steps = sorted({int(s) for s in np.linspace(0, total - 1, COLUMNS + 2)[1:-1]})
    middle = np.median([o.mesh.mean(0) for o in fit.outlines[:]], 0)
    half = AROUND * float(np.median([face_size(o.mesh) for o in fit.outlines[:]]))
    rows: list[list[Bytes]] = []
    for film in films.values():
        shown: dict[int, Frame] = {f.index: f for f in frames(probe(film)) if f.index in steps}
        rows.append([square(shown[s], middle, half) for s in steps])
    cv2.imwrite(str(path), page(list(films), rows, [str(s) for s in steps])[..., ::-1])


HEADER = ("| clip | condition | double | drawn | veiled | bare | accepted | SFace witness | SFace double | tone was | tone is "
          "| sharpness | flicker | jitter ratio |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|---|")


def show(lines: Sequence[Row], clip: str) -> None:
    """A row of the table: the mean of some lines."""
    def mean(values: Sequence[float | None], digits: int = 2) -> str:
        found = [v for v in values if v is not None]
        return f"{np.mean(found):.{digits}f}" if found else "–"

    tones, jitters = [x.tone for x in lines if x.tone], [x.jitter for x in lines]
    print(f"| {clip} | {lines[0].group} | {lines[0].double} | {mean([100 * x.doubled for x in lines], 0)}% "
          f"| {mean([100 * x.veiled for x in lines], 0)}% | {sum(x.bare for x in lines)} | {sum(x.accepted for x in lines)} "
          f"| {mean([x.witness for x in lines])} | {mean([x.to_double for x in lines])} | {mean([t[0] for t in tones], 1)} "
          f"| {mean([t[1] for t in tones], 1)} | {mean([x.sharpness for x in lines])} | {mean([x.flicker for x in lines])} "
          f"| {mean([j[1] / j[0] if j and j[0] else None for j in jitters])} |", flush=True)


def main() -> int:
    """All clips and conditions; 1 if a bare frame was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--data", type=Path, default=HERE.parents[1] / "shared/data")
    parser.add_argument("--frames", type=int, default=40)
    parser.add_argument("--clips", nargs="*", help="only these")
    parser.add_argument("--conditions", nargs="*", choices=list(CONDITIONS), default=list(CONDITIONS))
    parser.add_argument("--doubles", type=Path, default=OUT, help="where the doubles of bench/run.py lie")
    parser.add_argument("--out", type=Path, default=OUT / "composed")
    args = parser.parse_args()
    if not args.data.is_dir():
        sys.exit(f"{args.data}: the sample clips are not here; give their folder with --data")
    args.out.mkdir(parents=True, exist_ok=True)
    options, eyes, recognise = Options(), open_eyes(Options()), open_recogniser()
    tool, count = args.data.parent / "measure/score", 20 if args.quick else args.frames
    filmed = made_once(args.data / DOUBLE[1], args.doubles, eyes, options)
    doubles: dict[str, Troupe] = {"mannequin": tuple(mannequin(n) for n in range(VARIANTS)), DOUBLE[0]: (filmed,)}
    lines: list[Row] = []
    print(HEADER, flush=True)
    for clip in args.clips or (QUICK if args.quick else CLIPS):
        stem, truth = Path(clip).stem, None
        for name in args.conditions:
            base = args.out / f"{stem}-{name.replace(' ', '-')}"
            results = {d: base.with_name(f"{base.name}__{d.replace(' ', '-')}.json") for d in doubles}
            if not all(path.exists() for path in results.values()):
                if truth is None:
                    plain = args.out / f"{stem}.mp4"
                    take(Analysis(probe(args.data / "video" / clip), 0, ()), None, None, count, plain)
                    truth = analyse(probe(plain), eyes, options)
                fit = longest(truth)
                if fit is None:
                    continue
                footage = base.with_suffix(".mp4")
                take(truth, fit, CONDITIONS[name], count, footage)
                made = analyse(probe(footage), eyes, options)
                films = {name: footage}
                for called, cast in doubles.items():
                    films[called] = results[called].with_suffix(".mp4")
                    films[called].unlink(missing_ok=True)
                    staged = rehearse(made, cast, options, recognise)
                    report, _ = render(staged, films[called], cast, Voice(), options)
                    film = args.data / DOUBLE[1] if called == DOUBLE[0] else None
                    figures = score(tool, footage, films[called], film, LOOKED_AT)
                    results[called].write_text(json.dumps(asdict(row(clip, name, called, staged, report, figures, 0.0, None))))
                sheet(base.with_suffix(".png"), films, fit, made.frames)
            for path in results.values():
                lines.append(Row(**json.loads(path.read_text())))
                show(lines[-1:], clip)
    for name in args.conditions:
        for called in doubles:
            of = [line for line in lines if (line.group, line.double) == (name, called)]
            if of:
                show(of, f"mean of {len(of)}")
    return int(any(line.bare for line in lines))


if __name__ == "__main__":
    sys.exit(main())
