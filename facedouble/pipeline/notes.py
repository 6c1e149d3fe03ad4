"""`.fnotes`: what an analysis wrote down of one clip, on disk. Numbers only: places, codes, outlines; no pixel, no embedding.

It still tells how each face moved, so it is as private as the footage it lies beside.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, fields
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import save

from facedouble import disk, tensors
from facedouble.errors import InputRefused
from facedouble.faces.fit import Fit
from facedouble.faces.front import Front
from facedouble.faces.outlines import Outlines
from facedouble.faces.shelf import Shelf
from facedouble.media.again import MARK, Marks
from facedouble.options import Options
from facedouble.pipeline.analyse import Analysis, Role
from facedouble.protect.veil import Ellipse
from facedouble.publish import write_new
from facedouble.types import CODE_FLOATS, FACE, MESH_POINTS, Array, ClipCode, Face, FaceCode, MediaInfo, Rows, Track

FORMAT: Final = "facedouble-notes-1"
LARGEST: Final = 1 << 32  # bytes


def looked_with(options: Options) -> str:
    """Sixteen hex digits over the options that an analysis depends on."""
    used = [asdict(options.detect), asdict(options.track), asdict(options.fit), options.draw.things]
    return hashlib.sha256(json.dumps(used, sort_keys=True).encode()).hexdigest()[:16]


def pack(made: Analysis, footage: str, options: Options) -> bytes:
    """The file's bytes; the same analysis gives the same bytes. footage: the SHA-256 of its file."""
    arrays: dict[str, Array] = {}
    roles: list[dict[str, Any]] = []
    for k, role in enumerate(made.roles):
        one = _arrays(role)
        arrays |= {f"{k}.{name}": np.ascontiguousarray(value) for name, value in one.items()}
        roles.append({"track": role.track.id, "pick": role.pick, "start": None if role.fit is None else role.fit.start,
                      "front": None if role.front is None else role.front.start})
    if made.marks is not None:
        arrays["marks"] = np.frombuffer(made.marks.rows.tobytes(), np.uint8)
    header = {"format": FORMAT, "footage": footage, "looked": looked_with(options), "frames": made.frames, "roles": roles,
              "cuts": made.cuts, "marks": made.marks is not None}
    # one key only: safetensors writes several in an order of their own
    return save(arrays or {"none": np.zeros(0)}, {"facedouble": json.dumps(header, sort_keys=True)})


def _arrays(role: Role) -> dict[str, Array]:
    rows = role.track.rows
    out = {"frame": rows["frame"][:1], "box": rows["box"], "score": rows["score"], "observed": rows["observed"].astype(np.uint8),
           "weights": role.weights, "covers": np.array([(c.x, c.y, c.rx, c.ry) for c in role.covers]),
           "alike": np.array(role.alike, np.int64).reshape(-1, 2)}
    if role.fit is not None:
        assert isinstance(role.fit.outlines, Outlines)
        packed = role.fit.outlines.shelf.packed()
        out |= {"codes": role.fit.codes.numbers, "angles": role.fit.angles, "clip": np.array(role.fit.clip.floats()),
                "outlines": np.frombuffer(b"".join(packed), np.uint8), "ends": np.cumsum([len(p) for p in packed])}
    if role.front is not None:
        f = role.front
        out |= {"low": f.low, "high": f.high, "gains": f.gains, "bits": f.bits}
    return out


def write_notes(path: Path, made: Analysis, footage: str, options: Options) -> str:
    """Write a new file; returns its digest, by which a plan knows what its tracks are numbered by."""
    data = pack(made, footage, options)
    write_new(path, data)
    return digest(data)


def digest(data: bytes) -> str:
    """Sixteen hex digits over the bytes of a file."""
    return hashlib.sha256(data).hexdigest()[:16]


def read_notes(path: Path, info: MediaInfo, footage: str, options: Options) -> tuple[Analysis, str]:
    """The analysis of a clip, and the file's digest, which the caller has to compare: a changed number is a number still.

    InputRefused if the file is not whole, or is of other footage or of other options.
    """
    if not disk.is_file(path) or disk.size(path) > LARGEST:
        raise InputRefused(f"{path}: there are no notes of this footage; `facedouble analyse` or `facedouble people` writes them")
    again = "remove the file and run `facedouble analyse` again"
    try:
        told = digest(disk.read(path))
        stored = tensors.read(path)
        header: dict[str, Any] = json.loads(stored.metadata.get("facedouble", "{}"))
        if header.get("format") != FORMAT:
            raise InputRefused(f"{path}: not notes of facedouble; {again}")
        if header["footage"] != footage:
            raise InputRefused(f"{path}: is of other footage than {info.path}; {again}")
        if header["looked"] != looked_with(options):
            raise InputRefused(f"{path}: was made with other options; give the same with --options, or {again}")
        roles = tuple(_role(k, told, stored.get) for k, told in enumerate(header["roles"]))
        marks = np.frombuffer(stored.get("marks").tobytes(), MARK) if header["marks"] else None
        if marks is not None and len(marks) != header["frames"]:
            raise ValueError("damaged: marks")
        return Analysis(info, int(header["frames"]), roles, tuple(map(int, header["cuts"])),
                        None if marks is None else Marks(marks)), told
    except (SafetensorError, OSError, KeyError, ValueError, TypeError) as error:
        raise InputRefused(f"{path}: not whole notes; {again}") from error


def _role(k: int, told: dict[str, Any], get: Callable[[str], Any]) -> Role:
    def part(name: str, *shape: int, kind: str = "f") -> Array:
        held = np.asarray(get(f"{k}.{name}"))
        if held.dtype.kind != kind or held.shape[1:] != shape or (kind == "f" and not np.isfinite(held).all()):
            raise ValueError(f"damaged: {name}")
        return held

    boxes = part("box", 4)
    rows = np.zeros(len(boxes), FACE)
    rows["frame"] = np.arange(len(boxes)) + int(part("frame", kind="i")[0])
    rows["box"], rows["score"], rows["observed"] = boxes, part("score"), part("observed", kind="u")
    track = Track(int(told["track"]), Rows(rows, Face.of))
    weights, covers = part("weights"), part("covers", 4)
    if not len(boxes) == len(weights) == len(covers):
        raise ValueError("damaged: lengths")
    alike = tuple((int(a), int(b)) for a, b in part("alike", 2, kind="i"))
    front = None if told["front"] is None else Front(told["front"], get(f"{k}.low"), get(f"{k}.high"), get(f"{k}.gains"),
                                                     get(f"{k}.bits"))
    fit = None if told["start"] is None else _fit(int(told["start"]), part)
    return Role(track, fit, weights, Rows(covers, Ellipse.of), alike, int(told["pick"]), front)


def _fit(start: int, part: Callable[..., Array]) -> Fit:
    codes, angles = part("codes", CODE_FLOATS), part("angles", 3)
    ends = [0, *part("ends", kind="i").tolist()]
    whole = part("outlines", kind="u").tobytes()
    shelf = Shelf.of(2 + 2 * MESH_POINTS, len(codes), [whole[a:b] for a, b in pairwise(ends)])
    if len(angles) != len(codes):
        raise ValueError("damaged: lengths")
    return Fit(start, Rows(codes, FaceCode.of), Outlines.of(shelf), clip_code(part("clip").tolist()), angles)


def clip_code(numbers: list[float]) -> ClipCode:
    """The clip code of `ClipCode.floats`."""
    left = list(numbers)
    made: list[Any] = []
    for f in fields(ClipCode):
        pair = "tuple" in str(f.type)
        made.append((left.pop(0), left.pop(0)) if pair else left.pop(0))
    if left:
        raise ValueError("not a clip code")
    return ClipCode(*made)
