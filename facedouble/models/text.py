"""Text in a picture: PP-OCRv6's detector and reader, as the wheel of rapidocr carries them, behind one call.

Only the two model files are taken out of that wheel; what rapidocr does around them is done here (its `ch_ppocr_det` and
`ch_ppocr_rec` say how), because its package brings another OpenCV and code that downloads. The reader knows Latin, Chinese
and Japanese letters. Text that it cannot read is found all the same: it comes out as a spot without words.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from facedouble.errors import ModelError
from facedouble.types import Array, Bytes, Finder, Floats, Spot

MEAN, SPREAD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])  # of ImageNet; the detector was trained so
# Without any text in it the detector takes half of a soft picture for text. A line of text below it gives it a measure.
ANCHOR, EVERY, STRIP = "Text 0123", 180, 64  # what it says; px from one to the next, and of its height
STRIDE: Final = 32  # px that the detector's sides are multiples of
LEAST, MOST = 480, 1280  # px: a smaller picture's shorter side is enlarged to this, a larger one's longer side reduced
INK, BOX = 0.2, 0.4  # of the detector's map: from which a pixel belongs to text; mean in a box from which it counts
SURE, CERTAIN = 0.5, 0.9  # mean score of the letters from which they are believed; under the second it may stand on its head
SMALL: Final = 3.0  # px of the map, side of a box under which it is noise
GROWN: Final = 1.6  # the detector marks the middle of a line; its box is larger by area / perimeter times this
LINES: Final = 200  # that are read of one picture, the largest
HIGH: Final = 48  # px of a line that is read
WIDEST: Final = 40.0  # a line's width in heights; what is longer is squeezed
TOGETHER: Final = 4096  # px of lines that are read at once: 38 MB of scores
UPRIGHT: Final = 1.5  # a box so much higher than wide is read turned by a quarter


def text_finder(detector: Path, reader: Path) -> Finder:
    """Load both models; ModelError if one does not load. Threads: as many as the process may use cores."""
    detect, read = _session(detector), _session(reader)
    letters = ["", *read.get_modelmeta().custom_metadata_map.get("character", "").split("\n"), " "]  # the first is "none"
    inputs = detect.get_inputs()[0].name, read.get_inputs()[0].name

    def find(picture: Bytes) -> list[Spot]:
        bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
        small, scale = _sized(bgr)
        whole = (np.vstack([small, _strip(small.shape[1])]) / 255 - MEAN) / SPREAD
        inked = np.asarray(detect.run(None, {inputs[0]: _planes(whole)[None]})[0])[0, 0, : len(small)]
        spots = _boxes(inked, scale)

        def told(crops: Sequence[Bytes]) -> list[tuple[str, float]]:
            return _read(crops, lambda batch: np.asarray(read.run(None, {inputs[1]: batch})[0]), letters)

        crops = [_line(bgr, s) for s in spots]
        said = told(crops)
        doubtful = [k for k, (_, score) in enumerate(said) if score < CERTAIN]
        for k, turned in zip(doubtful, told([crops[k][::-1, ::-1] for k in doubtful]), strict=True):
            said[k] = max(said[k], turned, key=lambda one: one[1])
        return [Spot(s.x, s.y, s.w, s.h, s.angle, words if score >= SURE else "", score if score >= SURE else s.score)
                for s, (words, score) in zip(spots, said, strict=True)]

    return find


def _session(path: Path) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise ModelError(f"onnxruntime is missing, which runs the text finder: run `make setup` ({error})") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = len(os.sched_getaffinity(0))
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # every line has its own width: an arena would only grow
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ModelError(f"the model {path} is missing or altered: install the models again") from error


def _sized(bgr: Bytes) -> tuple[Bytes, tuple[float, float]]:
    """The picture as the detector gets it, and how many px of the picture one of its px is, x and y."""
    h, w = bgr.shape[:2]
    factor = min(max(1.0, LEAST / min(h, w)), MOST / max(h, w))
    size = [max(STRIDE, round(s * factor / STRIDE) * STRIDE) for s in (w, h)]
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(bgr, size, interpolation=how), np.uint8), (w / size[0], h / size[1])


def _strip(width: int) -> Bytes:
    """(STRIP, width, 3): the line of text that the detector sees below every picture."""
    strip = np.full((STRIP, width, 3), 255, np.uint8)
    for x in range(8, width, EVERY):
        cv2.putText(strip, ANCHOR, (x, 40), cv2.FONT_HERSHEY_SIMPLEX, 0.9, (0, 0, 0), 2, cv2.LINE_AA)
    return strip


def _planes(picture: Array) -> Floats:
    """(h, w, 3) as (3, h, w) float32."""
    return np.ascontiguousarray(picture.transpose(2, 0, 1), np.float32)


def _boxes(inked: Floats, scale: tuple[float, float]) -> list[Spot]:
    """Lines of text in the detector's map (h, w) in [0, 1], in px of the picture, the largest first."""
    mask = cv2.dilate((inked > INK).astype(np.uint8), np.ones((2, 2), np.uint8))
    out = []
    for contour in cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)[0]:
        middle, (w, h), angle = cv2.minAreaRect(contour)
        score = _mean(inked, cv2.boxPoints((middle, (w, h), angle))) if min(w, h) >= SMALL else 0.0
        if score < BOX:
            continue
        grow = GROWN * w * h / (w + h)  # to both sides: twice area / perimeter
        corners = cv2.boxPoints((middle, (w + grow, h + grow), angle)) * scale
        (x, y), (w, h), angle = cv2.minAreaRect(np.asarray(corners, np.float32))
        if angle > 45:  # OpenCV says (0, 90]; ours is the turn of the nearest side that lies
            w, h, angle = h, w, angle - 90
        out.append(Spot(x, y, w, h, angle, "", score))
    return sorted(out, key=lambda s: -s.w * s.h)[:LINES]


def _mean(inked: Floats, corners: Array) -> float:
    """Mean of the map in a turned box, corners (4, 2)."""
    h, w = inked.shape
    low = np.clip(np.floor(corners.min(0)).astype(int), 0, [w - 1, h - 1])
    high = np.clip(np.ceil(corners.max(0)).astype(int), 0, [w - 1, h - 1])
    mask = np.zeros((high - low + 1)[::-1], np.uint8)
    cv2.fillPoly(mask, [(corners - low).astype(np.int32)], 1)
    return float(cv2.mean(inked[low[1] : high[1] + 1, low[0] : high[0] + 1], mask)[0])


def _line(bgr: Bytes, s: Spot) -> Bytes:
    """A line cut out, upright, `HIGH` px high."""
    stands = s.h >= UPRIGHT * s.w
    long, high = (s.h, s.w) if stands else (s.w, s.h)
    width = int(np.clip(np.ceil(HIGH * long / high), 8, HIGH * WIDEST))
    m = cv2.getRotationMatrix2D((s.x, s.y), s.angle + (-90 if stands else 0), 1.0)
    m[:, 2] += long / 2 - s.x, high / 2 - s.y
    m = np.diag([width / long, HIGH / high]) @ m
    how = cv2.INTER_LINEAR if high < 2 * HIGH else cv2.INTER_AREA
    cut: Bytes = cv2.warpAffine(bgr, m, (width, HIGH), flags=how, borderMode=cv2.BORDER_REPLICATE)
    return cut


def _read(crops: Sequence[Bytes], run: Any, letters: Sequence[str]) -> list[tuple[str, float]]:
    """What each line says, and the mean score of its letters; those of like width together."""
    said = [("", 0.0)] * len(crops)
    left = sorted(range(len(crops)), key=lambda k: crops[k].shape[1])
    while left:
        width = max(320, crops[left[-1]].shape[1])
        now, left = left[-max(1, TOGETHER // width) :], left[: -max(1, TOGETHER // width)]
        batch = np.zeros((len(now), 3, HIGH, width), np.float32)
        for row, k in zip(batch, now, strict=True):
            row[:, :, : crops[k].shape[1]] = _planes(crops[k]) / 127.5 - 1
        for k, scores in zip(now, run(batch), strict=True):
            said[k] = _told(scores, letters)
    return said


def _told(scores: Floats, letters: Sequence[str]) -> tuple[str, float]:
    """CTC: (steps, letters) -> the words and the mean score of their letters."""
    best = scores.argmax(1)
    new = np.r_[True, best[1:] != best[:-1]] & (best > 0) & (best < len(letters))
    if not new.any():
        return "", 0.0
    return "".join(letters[i] for i in best[new]), float(scores.max(1)[new].mean())
