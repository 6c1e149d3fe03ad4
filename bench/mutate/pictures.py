"""Faults of the picture: a protected film whose faces, or frames, are not what they ought to be.

Where the face is says YuNet on the footage, not the audit's detector. A fault lasts a second if nothing else is said, from a
place that runs with 0 to 7 from the film's start to its end; only the person with the largest face is given away.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from bench.mutate.again import again, count, fitting, mixed, pairs
from bench.mutate.faults import PLACES, Case, Fault, Unfit
from facedouble.colour import picture
from facedouble.media.probe import probe
from facedouble.models.install import locate
from facedouble.types import Array, Frame

KNOWN = 20.0  # px of a face's width under which nobody can be told from anybody by it

Paint = Callable[[Frame, Frame, Array, Array], Frame]
"""Clean frame, frame of the footage, box (4,) x0 y0 x1 y1 px, points (5, 2) px of the face -> the faulty frame."""


@lru_cache(maxsize=16)
def faces(case: Case) -> tuple[Array, Array]:
    """Boxes (n, 4) and points (n, 5, 2) of the largest face in each frame, in time with the output, smoothed over gaps."""
    model = cv2.FaceDetectorYN.create(str(locate("yunet")), "", (320, 320), 0.6, 0.3, 500)
    at, rows = [], []
    for number, _, source in pairs(case):
        rgb = picture(source)
        scale = min(1.0, 640 / max(rgb.shape[:2]))
        small = cv2.resize(rgb[..., ::-1], None, fx=scale, fy=scale)
        small = cv2.copyMakeBorder(small, 0, -small.shape[0] % 32, 0, -small.shape[1] % 32, cv2.BORDER_CONSTANT)
        model.setInputSize(small.shape[1::-1])
        found = model.detect(small)[1]
        if found is not None:
            best = max(found, key=lambda r: r[2] * r[3])
            at.append(number)
            rows.append(np.concatenate([best[:2], best[:2] + best[2:4], best[4:14]]) / scale)
    if not rows:
        raise ValueError(f"no face in {case.source.name}")
    every, table = np.arange(count(case)), np.array(rows)
    whole = np.stack([np.interp(every, at, table[:, c]) for c in range(14)], 1)
    return whole[:, :4], whole[:, 4:].reshape(-1, 5, 2)


def second(case: Case) -> int:
    """Frames of a second."""
    return max(1, round(probe(case.clean).rate))


def span(case: Case, place: int, length: int) -> tuple[int, int]:
    """Where a fault of so many frames lies, half-open."""
    total = count(case)
    length = min(max(length, 1), total)
    start = round((total - length) * place / (PLACES - 1))
    return start, start + length


def oval(frame: Frame, box: Array, size: float = 1.0, soft: float = 0.08) -> Array:
    """(h, w) float32: 1 in the ellipse of the box times size, falling to 0 over `soft` of the radius."""
    y, x = np.mgrid[: frame.height, : frame.width].astype(np.float32)
    w, h = (box[2] - box[0]) / 2 * size, (box[3] - box[1]) / 2 * size
    r = np.sqrt(((x - (box[0] + box[2]) / 2) / w) ** 2 + ((y - (box[1] + box[3]) / 2) / h) ** 2)
    return np.asarray(np.clip((1 - r) / soft, 0, 1), np.float32)


def during(case: Case, place: int, length: int, paint: Paint, new: Path) -> None:
    """Paint the frames of a span."""
    start, stop = span(case, place, length)
    boxes, points = faces(case)

    def change(number: int, frame: Frame, source: Frame) -> Frame:
        return paint(frame, source, boxes[number], points[number]) if start <= number < stop else frame

    again(case, change, new)


def _with(frame: Frame, planes: Sequence[Array]) -> Frame:
    return Frame(frame.index, frame.ticks, frame.span, frame.time_base, tuple(planes), frame.pixel_format, frame.colour)


def _each(frame: Frame, change: Callable[[Array], Array], like: Frame) -> Frame:
    """The frame with every plane changed; first brought to the sampling of another one."""
    return _with(like, [np.clip(np.round(change(p.astype(np.float32))), 0, 255 << (like.depth - 8)).astype(p.dtype)
                        for p in fitting(frame, like)])


def bare(case: Case, place: int, strength: float, new: Path) -> None:
    """strength: frames in which the face is as it was filmed."""
    during(case, place, round(strength), lambda f, s, b, p: mixed(f, s, oval(f, b, 1.3)), new)


def shifted(case: Case, place: int, strength: float, new: Path) -> None:
    """strength: px by which the mask lies beside the face, so that a rim of it stays; the place says to which side.

    The mask is an oval of 0.86 of the face box: all of it face, and inside of what a double covers.
    """
    angle = 2 * np.pi * place / PLACES

    def paint(frame: Frame, source: Frame, box: Array, points: Array) -> Frame:
        way = np.array([np.cos(angle), np.sin(angle)] * 2) * strength
        rim = oval(frame, box, 0.86, 0.01) * (1 - oval(frame, box + way, 0.86, 0.01))
        return mixed(frame, source, rim)

    during(case, place, second(case), paint, new)


def swapped(case: Case, place: int, strength: float, new: Path) -> None:
    """strength: seconds in which the whole head gets what somebody else was to get: nothing."""
    during(case, place, round(strength * second(case)), lambda f, s, b, p: mixed(f, s, oval(f, b, 1.9)), new)


def leak(case: Case, place: int, strength: float, new: Path) -> None:
    """strength: share of the witness's face of another moment in the double's, moved to where the double's is."""
    boxes, points = faces(case)
    start, stop = span(case, place, second(case))
    total = len(boxes)
    other = (start + total // 2) % total
    far = next(s for n, _, s in pairs(case) if n == other)

    def change(number: int, frame: Frame, source: Frame) -> Frame:
        if not start <= number < stop:
            return frame
        m, _ = cv2.estimateAffinePartial2D(points[other].astype(np.float32), points[number].astype(np.float32))
        moved = []
        for plane, mine in zip(fitting(far, frame), frame.planes, strict=True):
            k = mine.shape[1] / frame.width
            scaled = m * np.array([[1, 1, k], [1, 1, k]])
            moved.append(cv2.warpAffine(plane, scaled, mine.shape[::-1], flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE))
        return mixed(frame, _with(frame, moved), strength * oval(frame, boxes[number], 0.95))

    again(case, change, new)


def blended(case: Case, place: int, strength: float, new: Path) -> None:
    """strength: share of the footage in the face."""
    during(case, place, second(case), lambda f, s, b, p: mixed(f, s, strength * oval(f, b)), new)


def moved(case: Case, place: int, strength: float, new: Path) -> None:
    """strength: share of the footage in the face, 2 px beside its place; the place says to which side."""
    x, y = (round(2 * way(2 * np.pi * place / PLACES)) for way in (np.cos, np.sin))

    def paint(frame: Frame, source: Frame, box: Array, points: Array) -> Frame:
        planes = fitting(source, frame)
        aside = [np.roll(p, (y * p.shape[0] // frame.height, x * p.shape[1] // frame.width), (0, 1)) for p in planes]
        return mixed(frame, _with(frame, aside), strength * oval(frame, box))

    during(case, place, second(case), paint, new)


def stale(case: Case, place: int, strength: float, new: Path) -> None:
    """strength: share of the footage of one frame before in the face."""
    held: list[Frame] = []
    start, stop = span(case, place, second(case))
    boxes, _ = faces(case)

    def change(number: int, frame: Frame, source: Frame) -> Frame:
        before = held[0] if held else source
        held[:] = [source]
        return mixed(frame, before, strength * oval(frame, boxes[number])) if start <= number < stop else frame

    again(case, change, new)


def eyes(case: Case, place: int, strength: float, new: Path) -> None:
    """strength: share of the footage in the eyes."""
    def paint(frame: Frame, source: Frame, box: Array, points: Array) -> Frame:
        apart = float(np.hypot(*(points[1] - points[0])))
        size = np.array([-0.32, -0.22, 0.32, 0.22]) * apart
        both = [oval(frame, np.concatenate([q, q]) + size, 1.0, 0.2) for q in points[:2]]
        return mixed(frame, source, strength * np.maximum(*both))

    during(case, place, second(case), paint, new)


def mouth(case: Case, place: int, strength: float, new: Path) -> None:
    """strength: share of the footage in the mouth."""
    def paint(frame: Frame, source: Frame, box: Array, points: Array) -> Frame:
        middle, wide = points[3:].mean(0), float(np.hypot(*(points[4] - points[3])))
        size = np.array([-0.65, -0.4, 0.65, 0.4]) * wide
        return mixed(frame, source, strength * oval(frame, np.concatenate([middle, middle]) + size, 1.0, 0.2))

    during(case, place, second(case), paint, new)


def _flipped(source: Frame, like: Frame, box: Array) -> Frame:
    """The footage mirrored about the middle of the face."""
    planes = []
    for plane, mine in zip(fitting(source, like), like.planes, strict=True):
        k = mine.shape[1] / like.width
        m = np.array([[-1, 0, (box[0] + box[2]) * k], [0, 1, 0]])
        planes.append(cv2.warpAffine(plane, m, mine.shape[::-1], borderMode=cv2.BORDER_REPLICATE))
    return _with(like, planes)


def mirrored(case: Case, place: int, strength: float, new: Path) -> None:
    """strength: share of the face as it was filmed, mirrored."""
    during(case, place, second(case), lambda f, s, b, p: mixed(f, _flipped(s, f, b), strength * oval(f, b)), new)


def _elsewhere(frame: Frame, source: Frame, box: Array, size: float, share: float, flip: bool) -> Frame:
    """The face once more, smaller, in the corner that is farthest from it."""
    w, h = (box[2] - box[0]) * 1.4 * size, (box[3] - box[1]) * 1.4 * size
    middle = (box[:2] + box[2:]) / 2
    x = w / 2 + 2 if middle[0] > frame.width / 2 else frame.width - w / 2 - 2
    y = h / 2 + 2 if middle[1] > frame.height / 2 else frame.height - h / 2 - 2
    planes = []
    for plane, mine in zip(fitting(source, frame), frame.planes, strict=True):
        k = mine.shape[1] / frame.width
        soft = cv2.GaussianBlur(plane, (0, 0), max(0.3 / size, 0.1)) if size < 1 else plane
        way = -1 if flip else 1
        m = np.array([[way * size, 0, (x - way * middle[0] * size) * k], [0, size, (y - middle[1] * size) * k]])
        planes.append(cv2.warpAffine(soft, m, mine.shape[::-1], borderMode=cv2.BORDER_REPLICATE))
    there = np.array([x - w / 2, y - h / 2, x + w / 2, y + h / 2])
    return mixed(frame, _with(frame, planes), share * oval(frame, there))


def small(case: Case, place: int, strength: float, new: Path) -> None:
    """strength: size of a bare face elsewhere in the picture, over its own; Unfit if it gets too small to know anybody by."""
    start, stop = span(case, place, second(case))
    boxes, _ = faces(case)
    if strength * float((boxes[start:stop, 2] - boxes[start:stop, 0]).max()) < KNOWN:
        raise Unfit("so small a face is nobody's")
    during(case, place, second(case), lambda f, s, b, p: _elsewhere(f, s, b, strength, 1.0, False), new)


def reflected(case: Case, place: int, strength: float, new: Path) -> None:
    """strength: share of a mirrored, smaller face in the background, as a pane of glass shows it."""
    during(case, place, second(case), lambda f, s, b, p: _elsewhere(f, s, b, 0.5, strength, True), new)


def relit(case: Case, place: int, strength: float, new: Path) -> None:
    """strength: what the brightness of a bare face is multiplied by."""
    def paint(frame: Frame, source: Frame, box: Array, points: Array) -> Frame:
        lit = _each(source, lambda p: p * strength, frame)
        whole = _with(frame, [lit.planes[0], *fitting(source, frame)[1:]])
        return mixed(frame, whole, oval(frame, box, 1.3))

    during(case, place, second(case), paint, new)


def flash(case: Case, place: int, strength: float, new: Path) -> None:
    """strength: share of a frame of the footage, of another moment, that flashes up in one frame."""
    start, _ = span(case, place, 1)
    other = (start + count(case) // 2) % count(case)
    far = next(s for n, _, s in pairs(case) if n == other)

    def change(number: int, frame: Frame, source: Frame) -> Frame:
        return mixed(frame, far, np.full((frame.height, frame.width), strength, np.float32)) if number == start else frame

    again(case, change, new)


def repeated(case: Case, place: int, strength: float, new: Path) -> None:
    """strength: frames in whose place the one before them stands again."""
    start, stop = span(case, place, round(strength))
    start, stop = max(start, 1), max(stop, 2)
    held: list[Frame] = []

    def change(number: int, frame: Frame, source: Frame) -> Frame:
        if start <= number < stop:
            return _with(frame, held[0].planes)
        held[:] = [frame]
        return frame

    again(case, change, new)


def glassy(case: Case, place: int, strength: float, new: Path) -> None:
    """strength: share of the face that is seen through its veil."""
    def paint(frame: Frame, source: Frame, box: Array, points: Array) -> Frame:
        cover = oval(frame, box, 1.4)
        grey = _with(frame, [np.full_like(p, (90 if k == 0 else 128) << (frame.depth - 8)) for k, p in enumerate(frame.planes)])
        return mixed(mixed(frame, grey, cover), source, strength * cover)

    during(case, place, second(case), paint, new)


def rimmed(case: Case, place: int, strength: float, new: Path) -> None:
    """strength: size of a veil over that of the face box, with the footage all around it up to 1.5 of the box.

    Films of the trial without a plan are taken for doubles, of which nothing outside of .84 is asked: there .8 has to be found.
    """
    def paint(frame: Frame, source: Frame, box: Array, points: Array) -> Frame:
        grey = _with(frame, [np.full_like(p, (90 if k == 0 else 128) << (frame.depth - 8)) for k, p in enumerate(frame.planes)])
        return mixed(mixed(frame, source, oval(frame, box, 1.5)), grey, oval(frame, box, strength, 0.02))

    during(case, place, second(case), paint, new)


def _end(case: Case, place: int, number: int, new: Path) -> None:
    """One frame, in which the place says what of the face is bare: all, halves, quarters."""
    parts = ((0, 0, 1, 1), (0, 0, 1, 0.5), (0, 0.5, 1, 1), (0, 0, 0.5, 1), (0.5, 0, 1, 1), (0, 0.2, 1, 0.6), (0.1, 0.1, 0.9, 0.9),
             (0, 0.3, 1, 1))
    boxes, _ = faces(case)

    def change(at: int, frame: Frame, source: Frame) -> Frame:
        if at != number:
            return frame
        box, part = boxes[at], parts[place]
        size = np.tile(box[2:] - box[:2], 2)
        x0, y0, x1, y1 = np.tile(box[:2], 2) + size * np.array(part)
        y, x = np.mgrid[: frame.height, : frame.width]
        return mixed(frame, source, oval(frame, box, 1.2) * ((x >= x0 - 1) & (x < x1 + 1) & (y >= y0 - 1) & (y < y1 + 1)))

    again(case, change, new)


def first(case: Case, place: int, strength: float, new: Path) -> None:
    """The first frame of the footage; the place says which part of the face is bare."""
    _end(case, place, next(n for n, _, _ in pairs(case)), new)


def last(case: Case, place: int, strength: float, new: Path) -> None:
    """The last frame."""
    _end(case, place, count(case) - 1, new)


def _soft(source: Frame, like: Frame, box: Array, strength: float) -> Frame:
    """The footage, blurred by a share of the width of the face."""
    wide = float(box[2] - box[0])
    return _with(like, [cv2.GaussianBlur(p, (0, 0), max(0.3, strength * wide * p.shape[1] / like.width))
                        for p in fitting(source, like)])


def blurred(case: Case, place: int, strength: float, new: Path) -> None:
    """strength: sigma of a blur over the width of the face, instead of a double."""
    during(case, place, second(case), lambda f, s, b, p: mixed(f, _soft(s, f, b, strength), oval(f, b, 1.2)), new)


def grainy(case: Case, place: int, strength: float, new: Path) -> None:
    """strength: the same, with grain of 4 of 255 levels, as a render adds it."""
    def paint(frame: Frame, source: Frame, box: Array, points: Array) -> Frame:
        soft, rng = _soft(source, frame, box, strength), np.random.default_rng(frame.index)
        grain = 4.0 * (1 << (frame.depth - 8)) * rng.standard_normal(soft.planes[0].shape)
        lit = np.clip(np.round(soft.planes[0] + grain), 0, 255 << (frame.depth - 8)).astype(soft.planes[0].dtype)
        return mixed(frame, _with(frame, [lit, *soft.planes[1:]]), oval(frame, box, 1.2))

    during(case, place, second(case), paint, new)


def mosaic(case: Case, place: int, strength: float, new: Path) -> None:
    """strength: px of the tiles of a mosaic instead of a double."""
    def paint(frame: Frame, source: Frame, box: Array, points: Array) -> Frame:
        tiled = []
        for plane in fitting(source, frame):
            k = max(1, round(strength * plane.shape[1] / frame.width))
            size = max(1, plane.shape[1] // k), max(1, plane.shape[0] // k)
            coarse = cv2.resize(plane, size, interpolation=cv2.INTER_AREA)
            tiled.append(cv2.resize(coarse, plane.shape[::-1], interpolation=cv2.INTER_NEAREST))
        return mixed(frame, _with(frame, tiled), oval(frame, box, 1.2))

    during(case, place, second(case), paint, new)


def rows(case: Case, place: int, strength: float, new: Path) -> None:
    """strength: rows of the face that are left as they were filmed; the place says how far down."""
    def paint(frame: Frame, source: Frame, box: Array, points: Array) -> Frame:
        top = box[1] + (box[3] - box[1]) * (0.25 + 0.06 * place)
        y = np.arange(frame.height)[:, None]
        return mixed(frame, source, oval(frame, box, 0.95, 0.01) * ((y >= top) & (y < top + strength)))

    during(case, place, second(case), paint, new)


FAULTS = (
    Fault("bare frames", "picture", (5, 2, 1), bare),
    Fault("mask shifted, px", "picture", (12, 8, 5, 3, 2, 1), shifted),
    Fault("swapped decision, s", "picture", (1, 0.5, 0.2), swapped),
    Fault("double like the witness", "picture", (1, 0.8, 0.6, 0.5, 0.4), leak),
    Fault("footage blended in", "picture", (0.5, 0.35, 0.2, 0.1), blended),
    Fault("footage blended in, moved", "picture", (0.6, 0.4, 0.3, 0.2, 0.1), moved),
    Fault("footage of one frame before blended in", "picture", (0.6, 0.4, 0.3, 0.2, 0.1), stale),
    Fault("eyes of the footage", "picture", (1, 0.7, 0.5, 0.35), eyes),
    Fault("mouth of the footage", "picture", (1, 0.7, 0.5, 0.35), mouth),
    Fault("mirrored face", "picture", (1, 0.8, 0.6, 0.5), mirrored),
    Fault("small bare face elsewhere", "picture", (0.5, 0.25, 0.15), small),
    Fault("brightened bare face", "picture", (1.3, 1.6), relit),
    Fault("darkened bare face", "picture", (0.6, 0.3, 0.15), relit),
    Fault("flash of one frame", "picture", (1, 0.5, 0.25), flash),
    Fault("frame repeated", "picture", (5, 2, 1), repeated),
    Fault("veil lets through", "picture", (0.7, 0.5, 0.3, 0.2), glassy),
    Fault("reflection in a pane", "picture", (0.8, 0.5, 0.35, 0.2), reflected),
    Fault("first frame bare", "picture", (1,), first),
    Fault("last frame bare", "picture", (1,), last),
    Fault("blur instead of a double", "picture", (0.04, 0.07, 0.12), blurred),
    Fault("blur with grain instead of a double", "picture", (0.04, 0.07, 0.12), grainy),
    Fault("rim of the footage around a veil", "picture", (0.8, 0.9, 1.0), rimmed),
    Fault("mosaic instead of a double, px", "picture", (6, 12, 20), mosaic),
    Fault("rows of the footage left", "picture", (24, 12, 6, 3), rows),
)
