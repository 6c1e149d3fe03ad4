"""Things in front of faces, laid over real clips with known mattes: what of them `--in-front` leaves in the picture, and what else.

    .venv/bin/python bench/occluders.py [--quick] [--data ../shared/data] [--frames 60]

Composed are a dark microphone, a light cup, a coloured cup, a phone, and a hand cut out of a clip, each moved in front of the lower
face or a cheek and away again. Face-labelled is what lies inside the witness's mesh, as found in the clip without the thing, and
not under the thing (alpha < .05); a revealed pixel is one that keeps half or more of the footage. Prints a table, writes contact
sheets (footage above, result below) to `--out`, and exits with 1 if a face-labelled pixel was revealed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
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
from facedouble.protect.face import face_size  # noqa: E402
from facedouble.raster import blur, cover  # noqa: E402
from facedouble.types import Array, Floats, Frame, Value  # noqa: E402

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
    """x and y of pixels in face sizes, from the middle of a picture of height x width face sizes."""
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
    return _made(name, tone, _soft(np.maximum(inside, handle)), (0.02, 0.42), (-0.7, 1.6))


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
    big = 0.75 * SIZE / max(np.ptp(np.nonzero(whole)[0]), 1)
    size = round(crop.shape[1] * big), round(crop.shape[0] * big)
    return Thing("hand", np.clip(cv2.resize(crop, size), 0, 1), cv2.resize(alpha, size), (-0.2, 0.4), (-1.0, 1.8))


def things(data: Path) -> list[Thing]:
    """All of them."""
    return [microphone(), cup("light cup", (0.93, 0.92, 0.88)), cup("blue cup", (0.16, 0.35, 0.72)), phone(), hand(data)]


def nearness(i: int, count: int) -> float:
    """0 away, 1 in front: comes after a quarter of the frames, stays for a third, goes."""
    u = i / count
    near = float(np.clip(min((u - 0.22) / 0.18, (0.88 - u) / 0.18), 0, 1))
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


@dataclass(frozen=True)
class Take(Value):
    """A composed clip: frames as decoded again, alphas of the thing (half the size), or none."""

    path: Path
    alphas: list[Array]


def take(made: Analysis, thing: Thing, count: int, path: Path) -> Take:
    """Write a clip with a thing in front of its first face."""
    fit = made.roles[0].fit
    assert fit is not None
    meshes = [fit.outlines[min(max(i - fit.start, 0), len(fit.outlines) - 1)].mesh for i in range(count)]
    size = float(np.median([face_size(np.pad(m, ((0, 0), (0, 1)))) for m in meshes]))
    middle = np.median([m[[234, 454, 10, 152]].mean(0) for m in meshes], 0)
    alphas = []
    path.unlink(missing_ok=True)
    info = replace(made.info, audio=(), path=str(path)) if hasattr(made.info, "path") else replace(made.info, audio=())
    with Writer(path, info, EncodeOptions(crf=8), []) as writer:
        for frame in islice(frames(made.info), count):
            over, alpha = laid_over(frame, thing, middle, size, nearness(frame.index, count))
            writer.add(compose(over, [], DrawOptions(), 0).safe)
            alphas.append((alpha * 255 + 0.5).astype(np.uint8))
    return Take(path, alphas)
