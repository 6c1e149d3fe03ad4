"""Pixels of the footage in a face of the output: a registered comparison that a face drawn anew does not pass for.

A double moves as the witness does, so that its eyes and lips lie where the witness's lie: that alone makes two pictures of a
face alike. What it has not is the footage's finest detail at the same pixel. So both pictures are whitened (high pass, then
divided by their local strength), correlated at all shifts of up to `REACH` px, and what counts is a peak at no shift that stands
out of the others and is sharp. A blend of a fifth gives such a peak; a face that was drawn anew gives none. Footage that lies
beside its place gives it at that shift, and footage of a moment before or after with that moment's frame. But features of a
double that lie beside the witness's give one there as well; so what stands out is cut for it, and counts no more than skin does.
So do eyes and lips that are drawn where the witness's are, as wide open: those are asked for both ways.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from facedouble.audit.rim import Rim, rim
from facedouble.types import Array, Bools, Box, Floats, Frame, Value

REACH: Final = 8  # px of shift that are tried
MOVES: Final = (3, 2 * REACH + 1, 2 * REACH + 1)  # of `Reuse.moved`: this footage, that of before, this in what was before
NEAR: Final = 4  # px of shift at which a peak still counts as of the same face
WHITE: Final = 200  # px; wider faces are reduced by a whole factor before they are whitened
SIDE: Final = 0.84  # diameter of the oval that is looked at, in sides of the face box: inside of what a double covers
EYES: Final = (0.25, 0.52)  # rows of the face box, as CenterFace and YuNet draw it
MOUTH: Final = (0.62, 0.92)
ROWS: Final = 6  # of eyes or mouth, under which there is nothing to compare
TINY: Final = 3.0  # px of an eye's radius under which nothing can be told of it
NOISE: Final = 4.0  # levels^2 of a place without contrast
PLACED: Final = 2.0  # levels^2 of an eye or a mouth of the footage, under which it tells nothing
CUT: Final = 0.5  # times their local strength, at which values are cut where a peak may lie at any shift
WINDOW: Final = 9  # px of the windows in which single places are compared
KEPT: Final = 0.9  # correlation in a window from which it counts as left from the footage
STRONG: Final = 1.0  # variance, levels^2, of detail that a window has to have to tell anything
LEVEL: Final = 10.0  # levels: a brow drawn over the footage's has its shape, and not its brightness (17 to 33 apart)
ROW: Final = ((21, 3), (3, 21), (31, 3), (3, 31))  # px of thin windows for rows and columns
CLOSE: Final = 2.0  # mean square of the difference in a thin window, levels^2: coding at crf 17 leaves about that
FAINT: Final = 0.03  # a correlation so far under every limit that nothing more is asked of it
ALONG, MOST = 7, 0.97  # px of a place, and share of the places that is kept for `Reuse.spread`
SPOT: Final = (5, 0.1, 16.0)  # px of a window, share of the footage's variance there by which it may differ, and how much that is
SHADED: Final = 100.0  # variance of the footage along a row, so that flat skin of one tone tells nothing
ALIKE: Final = 3.0  # levels by which a pixel is as it was
BROW: Final = (0.74, 40.0)  # radius of the face, and degrees about its top, from which on a forehead goes over into the footage's
STRIP: Final = (3, 3, 4)  # rows of a strip; that lie between it and those beside it; and of those
PLAIN: Final = 6.0  # levels: a row of the footage that varies less tells as much less
TOLD: Final = (12, 0.4)  # px of a row inside the oval, and share of the longest one, under which it is not looked at
SMALL: Final = (32, 40)  # px of the face for its coarse look
FINE: Final = 90.0  # percentile of the detail by which a face counts as blurred
MIDDLE: Final = (64, 80)  # px of the face in which that is looked for once more,
BAND: Final = (0.02, 0.04)  # of its width, between two blurs of which it lies: of grain little is left there
TWELFTH: Final = 12  # of the rows and columns so many have the steepest steps of a mosaic: the edges of its tiles
STEP: Final = 0.05  # levels that count as no step between the pixels of a tile


@dataclass(frozen=True)
class Reuse(Value):
    """How much of the footage is in a face.

    whole, eyes, mouth: of each the peak's height (a correlation), how far it stands out of other shifts (their standard
    deviations), and how far out of the shifts next to it; left: share of the oval in which small windows are as they were;
    rows: the same for thin windows, rows and columns; strip: by what share of its pixels that are as they were a strip of whole
    rows or columns stands out of those beside it; rim: the same along the outline; coarse: what remains of the coarse look
    when the footage's is taken away, 1 and more if they have nothing in common, 0 if they are one; unlit: the same without the
    ramp that light from one side lays over both; fine: the detail over that of the footage, little where a face is blurred;
    middle: the same of coarser detail, which no grain makes up for; tiles: steps between the steepest rows and columns over those
    between most. skin: the peaks of eyes and mouth once more, where an edge counts no more than the skin around it.
    spread: the peaks of the whole and of the eyes once more without the few places that are most alike: a drawn brow or lash on
    the real one is in few, footage everywhere.
    pixels: how many of the face, its eyes and its mouth were compared, of which it depends how high a peak chance alone gives.
    surfaces: (2, 17, 17) correlation of the whole face and of its eyes at all shifts; moved: (3, 17, 17) the same of the whole
    face, cut, with this footage, with that of the frame before, and of that frame's face with this footage; empty without one.
    """

    whole: tuple[float, float, float]
    eyes: tuple[float, float, float]
    mouth: tuple[float, float, float]
    left: float
    rows: float
    strip: float
    rim: Rim
    coarse: float
    unlit: float
    fine: float
    middle: float
    tiles: float
    skin: tuple[tuple[float, float, float], tuple[float, float, float]]
    spread: tuple[tuple[float, float, float], tuple[float, float, float]]
    pixels: tuple[int, int, int]
    surfaces: Floats
    moved: Floats


def luma(frame: Frame) -> Array:
    """The brightness of the frame (h, w), uint8, or float32 in the same levels for footage of more bits."""
    plane = frame.planes[0]
    return plane if frame.depth == 8 else plane.astype(np.float32) / np.float32(1 << (frame.depth - 8))


def area(box: Box, shape: tuple[int, ...]) -> tuple[slice, slice] | None:
    """Rows and columns of the box inside a picture; None if too little of it is inside to compare."""
    x0, y0 = max(round(box.x0), 0), max(round(box.y0), 0)
    x1, y1 = min(round(box.x1), shape[1]), min(round(box.y1), shape[0])
    if min(x1 - x0, y1 - y0) < 2 * REACH or (x1 - x0) * (y1 - y0) < 0.3 * box.area:
        return None
    return slice(y0, y1), slice(x0, x1)


def compare(source: Array, output: Array, box: Box, before: Sequence[Array] = ()) -> Reuse | None:
    """Compare two pictures' brightness (h, w) in a face box, px; None where the box is too small or outside.

    before: the same two pictures of the frame before.
    """
    part = area(box, source.shape)
    if part is None or any(p.shape != source.shape for p in (output, *before)):
        return None
    a, b, *rest = (np.ascontiguousarray(p[part], np.float32) for p in (source, output, *before))
    oval, down = _oval(part, box)
    found = _whitened((a, b, *rest), oval, down)
    high = [cv2.subtract(x, cv2.GaussianBlur(x, (0, 0), 1.5)) for x in (a, b)]
    fine, middle = (of(q, oval) / max(of(p, oval), 1e-3) for of, p, q in ((_detail, *high), (_middle, a, b)))
    return Reuse(*found.peaks, _kept(a, b, high, oval), _thin(a, b, oval & ~_brow(part, box)), _strip(a, b, oval),
                 rim(source, output, box), *_coarse(a, b, oval), fine, middle, _tiles(b, oval), found.skin, found.spread,
                 found.pixels, found.surfaces, found.moved)


def _oval(part: tuple[slice, slice], box: Box) -> tuple[Bools, Floats]:
    """Which pixels (h, w) of a part of the picture are looked at, and how far down the box (h,) each row is, 0 to 1."""
    rows, columns = (np.arange(s.start, s.stop, dtype=np.float32) + np.float32(0.5) for s in part)
    across = (columns - np.float32(box.x0)) / np.float32(box.width) - np.float32(0.5)
    down = (rows - np.float32(box.y0)) / np.float32(box.height) - np.float32(0.5)
    return across[None] ** 2 + down[:, None] ** 2 < (SIDE / 2) ** 2, down + np.float32(0.5)


def _brow(part: tuple[slice, slice], box: Box) -> Bools:
    """(h, w) the top of the forehead, below the hair: light falls on a double there as it does on the footage's beside it."""
    down, across = np.ogrid[part[0], part[1]]
    x, y = (across + 0.5 - box.centre[0]) * 2 / box.width, (box.centre[1] - down - 0.5) * 2 / box.height
    return np.asarray((np.hypot(x, y) > BROW[0]) & (y > np.abs(x) / np.tan(np.radians(BROW[1]))))


def peak(surface: Floats, near: int = 0) -> tuple[float, float, float]:
    """Height of the highest peak `near` px about no shift, how far it stands out of other shifts, and out of those beside it."""
    middle = surface[REACH - near:REACH + near + 1, REACH - near:REACH + near + 1]
    j, i = (int(k) + REACH - near for k in np.unravel_index(int(middle.argmax()), middle.shape))
    height = float(surface[j, i])
    far: Bools = np.ones(surface.shape, bool)
    far[j - 2:j + 3, i - 2:i + 3] = False
    others = surface[far]
    beside = max(0.0, *(float(surface[j + dy, i + dx]) for dy, dx in ((-2, 0), (2, 0), (0, -2), (0, 2))))
    return height, (height - float(others.mean())) / max(float(others.std()), 1e-3), height - beside


@dataclass(frozen=True)
class _Peaks:
    """Peaks and pixels of the whole oval, the eyes and the mouth; skin, spread, surfaces and moved of `Reuse`."""

    peaks: tuple[tuple[float, float, float], tuple[float, float, float], tuple[float, float, float]]
    skin: tuple[tuple[float, float, float], tuple[float, float, float]]
    spread: tuple[tuple[float, float, float], tuple[float, float, float]]
    pixels: tuple[int, int, int]
    surfaces: Floats
    moved: Floats


def _whitened(pictures: Sequence[Floats], oval: Bools, down: Floats) -> _Peaks:
    """pictures: footage and output, and those of the frame before."""
    height, width = oval.shape
    factor = -(-width // WHITE)
    if factor > 1:
        size = width // factor, height // factor
        pictures = [np.asarray(cv2.resize(p, size, interpolation=cv2.INTER_AREA), np.float32) for p in pictures]
        oval = np.asarray(cv2.resize(oval.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST), np.uint8) > 0
        down = down[: size[1] * factor : factor]
    mask = cv2.GaussianBlur(oval.astype(np.float32), (0, 0), 1.0)
    white = [_white(p) * mask for p in pictures]
    a, b = white[:2]
    upper, lower = ((down >= low) & (down < high) for low, high in (EYES, MOUTH))
    none = np.zeros((2 * REACH + 1, 2 * REACH + 1), np.float32)
    cut = [np.clip(w, -CUT, CUT) for w in white]
    parts = [_surface(p[rows], q[rows]) if rows.sum() >= ROWS else none
             for p, q in ((a, b), (cut[0], cut[1])) for rows in (upper, lower)]
    whole = _surface(a, b)
    moved = [_surface(cut[i], cut[k]) for i, k in ((0, 1), (2, 1), (0, 3))] if len(cut) > 2 else ()
    pixels = int(oval.sum()), int(oval[upper].sum()), int(oval[lower].sum())
    spread = _spread(a, b, oval, whole), _spread(a[upper], b[upper], oval[upper], parts[0])
    return _Peaks((peak(whole), peak(parts[0]), peak(parts[1])), (peak(parts[2]), peak(parts[3])), spread, pixels,
                  np.stack([whole, parts[0]]), np.asarray(moved, np.float32))


def _spread(a: Floats, b: Floats, oval: Bools, surface: Floats) -> tuple[float, float, float]:
    """The peak once more without the places where both are most alike. a, b: whitened; surface: theirs as they are."""
    first = peak(surface)
    if first[0] < FAINT or not oval.any():
        return first
    alike = cv2.blur(a * b, (ALONG, ALONG))
    kept = (alike <= np.quantile(alike[oval], MOST)).astype(np.float32)
    return peak(_surface(a * kept, b * kept))


def _white(picture: Floats) -> Floats:
    high = picture - cv2.GaussianBlur(picture, (0, 0), 1.0)
    return np.asarray(high / np.sqrt(cv2.GaussianBlur(high * high, (0, 0), 6.0) + 1.0), np.float32)


def _surface(a: Floats, b: Floats) -> Floats:
    """Correlation (17, 17) of two pictures at all shifts of up to `REACH` px."""
    wide = cv2.copyMakeBorder(b, REACH, REACH, REACH, REACH, cv2.BORDER_CONSTANT, value=0)
    energy = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return np.asarray(cv2.matchTemplate(wide, a, cv2.TM_CCORR), np.float32) / np.float32(energy + 1e-3)


def _kept(a: Floats, b: Floats, high: Sequence[Array], oval: Bools) -> float:
    """Share of the oval that windows find as they were. high: the detail of both."""
    p, q = high
    pp, qq, pq, level, there = (cv2.blur(x, (WINDOW, WINDOW)) for x in (
        cv2.multiply(p, p), cv2.multiply(q, q), cv2.multiply(p, q), a, b))
    alike = cv2.compare(pq, KEPT * cv2.sqrt(cv2.multiply(pp, qq) + np.float32(0.05)), cv2.CMP_GT)
    for other in (pp > STRONG, cv2.absdiff(level, there) < LEVEL, oval):
        alike &= other.view(np.uint8) * np.uint8(255)
    return float(cv2.countNonZero(alike) / max(int(oval.sum()), 1))


def _thin(a: Floats, b: Floats, oval: Bools) -> float:
    """Share of the oval that thin windows find as they were."""
    apart = cv2.subtract(a, b)
    apart, square = cv2.multiply(apart, apart), cv2.multiply(a, a)
    thin = np.zeros(oval.shape, bool)
    for size in ROW:
        near = cv2.blur(apart, size) < CLOSE
        if near.any():
            mean = cv2.blur(a, size)
            thin |= near & (cv2.subtract(cv2.blur(square, size), cv2.multiply(mean, mean)) > SHADED)
    return float((thin & oval).sum() / max(int(oval.sum()), 1))


def _strip(a: Floats, b: Floats, oval: Bools) -> float:
    """How far the strip that stands out most does, in shares of its pixels."""
    inside = oval.astype(np.float32)
    alike = cv2.threshold(cv2.absdiff(a, b), ALIKE, 1, cv2.THRESH_BINARY_INV)[1] * inside
    shade = a * inside
    pictures = inside, alike, shade, shade * a
    high, gap, beside = STRIP
    far, best = gap + beside, 0.0
    for axis in (0, 1):
        ones = np.ones(a.shape[axis], np.float32)  # a product with them is a sum, and much faster
        count, same, first, second = (ones @ p if axis == 0 else p @ ones for p in pictures)
        held = np.maximum(count, 1)
        varied = np.sqrt(np.maximum(second / held - (first / held) ** 2, 0))
        shares = same / held * np.minimum(varied / PLAIN, 1)
        whole = count >= max(TOLD[0], TOLD[1] * float(count.max()))
        if len(shares) < high + 2 * far:
            continue
        strips, others = (np.convolve(shares, np.full(n, 1 / n), "valid") for n in (high, beside))
        starts = np.arange(far, len(shares) - high - far + 1)
        stands = strips[starts] - np.maximum(others[starts - far], others[starts + high + gap])
        best = max(best, float((stands * (whole[starts - far] & whole[starts + high + far - 1])).max()))
    return best


def _coarse(a: Floats, b: Floats, oval: Bools) -> tuple[float, float]:
    """What remains of the footage's coarse look without the output's, best gain and offset, over the footage's: as it is, and
    with the ramp taken off both that fits each best.

    0 for the footage and for its negative; 1 where the footage has no look.
    """
    p, q = (cv2.GaussianBlur(cv2.resize(x, SMALL, interpolation=cv2.INTER_AREA), (0, 0), 2.0) for x in (a, b))
    inside = cv2.resize(oval.astype(np.uint8), SMALL, interpolation=cv2.INTER_NEAREST) > 0
    ramp = np.stack([np.ones(int(inside.sum())), *np.nonzero(inside)], 1)
    return _remainder(p[inside], q[inside], ramp[:, :1]), _remainder(p[inside], q[inside], ramp)


def _remainder(p: Floats, q: Floats, known: Array) -> float:
    """What remains of p (n,) without q, over p, when what the columns `known` (n, k) tell is taken off both."""
    p, q = (x - known @ np.linalg.lstsq(known, x, rcond=None)[0] for x in (p, q))
    if float((p * p).mean()) < 1.0:
        return 1.0  # nothing that anything could be a copy of: the stand-in for a lost picture
    gain = float((p * q).sum() / max(float((q * q).sum()), 1e-3))
    return float(np.sqrt(((p - gain * q) ** 2).mean() / max(float((p * p).mean()), 1.0)))


def _detail(high: Array, oval: Bools) -> float:
    values = np.abs(high[oval])
    return float(np.partition(values, at := int((len(values) - 1) * FINE / 100))[at]) if len(values) else 0.0


def _middle(picture: Floats, oval: Bools) -> float:
    small = cv2.resize(picture, MIDDLE, interpolation=cv2.INTER_AREA)
    inside = cv2.resize(oval.astype(np.uint8), MIDDLE, interpolation=cv2.INTER_NEAREST) > 0
    fine, coarse = (cv2.GaussianBlur(small, (0, 0), k * MIDDLE[0]) for k in BAND)
    return float(np.percentile(np.abs(fine - coarse)[inside], FINE))


def _tiles(picture: Floats, oval: Bools) -> float:
    """Of a mosaic much more than of a face: the lesser of what rows and what columns say."""
    found = []
    for axis in (0, 1):
        inside = oval[1:] if axis == 0 else oval[:, 1:]
        count = inside.sum(1 - axis)
        steps = (np.abs(np.diff(picture, axis=axis)) * inside).sum(1 - axis)[count > WINDOW] / count[count > WINDOW]
        if len(steps) < TWELFTH:
            return 1.0
        steps = np.sort(steps)
        found.append(float(steps[-(len(steps) // TWELFTH):].mean() / max(float(np.median(steps)), STEP)))
    return min(found)


def spots(source: Array, output: Array, box: Box) -> float:
    """Share of a face box' oval (px) that tiny windows find as it was, level and all: under a veil there is none of it."""
    part = area(box, source.shape)
    if part is None or source.shape != output.shape:
        return 0.0
    a, b = (np.ascontiguousarray(p[part], np.float32) for p in (source, output))
    (size, alike, least), apart = SPOT, cv2.subtract(a, b)
    mean, square, rest = (cv2.blur(x, (size, size)) for x in (a, cv2.multiply(a, a), cv2.multiply(apart, apart)))
    varied = cv2.subtract(square, cv2.multiply(mean, mean))
    oval = _oval(part, box)[0]
    return float(((varied > least) & (rest < alike * varied) & oval).sum() / max(int(oval.sum()), 1))


def remains(source: Array, output: Array, middle: Array, radius: float) -> float | None:
    """What remains of a small place when the footage's brightness is taken away, over the footage's contrast there.

    About 1 for an eye or a mouth that was drawn anew in the same place, 0 for the footage's. None if it is too small or outside,
    or the footage has nothing there to tell it by.
    """
    (x, y), wide = middle.tolist(), 1.3 * radius
    x0, y0, x1, y1 = round(x - wide), round(y - radius), round(x + wide + 1), round(y + radius + 1)
    if radius < TINY or x0 < 0 or y0 < 0 or x1 > source.shape[1] or y1 > source.shape[0]:
        return None
    a, b = (p[y0:y1, x0:x1].astype(np.float32) for p in (source, output))
    return float(np.std(b - a) / np.sqrt(np.var(a) + NOISE)) if np.var(a) > PLACED else None
