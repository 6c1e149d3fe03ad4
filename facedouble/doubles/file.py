"""`.fdouble`: one file, safetensors with a JSON header. Nothing in it is executed when it is read."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import save

from facedouble import disk, tensors
from facedouble.errors import InputRefused
from facedouble.publish import write_new
from facedouble.types import LANDMARKS, Consent, Double

FORMAT = "facedouble-double-1"
SHAPES: dict[str, tuple[int | None, ...]] = {
    "neutral": (LANDMARKS, 3), "textures": (None, None, None, 3), "features": (None, 8), "iris": (2, 5), "gaze_middle": (2,),
    "lip_response": (None, 2)}
LARGEST = 1 << 30  # bytes


def identity(double: Double) -> str:
    """Sixteen hex digits over everything that is drawn."""
    h = hashlib.sha256()
    for name in SHAPES:
        h.update(np.ascontiguousarray(getattr(double, name)).tobytes())
    return h.hexdigest()[:16]


def write_double(double: Double, path: Path) -> None:
    """Write a new file; it exists only when whole. StoreError if the destination exists or cannot be written."""
    header = {"format": FORMAT, "id": double.id, "quality": double.quality,
              "coverage": json.dumps(double.coverage, sort_keys=True),
              "consent": json.dumps(vars(double.consent), sort_keys=True)}
    write_new(path, save({name: np.ascontiguousarray(getattr(double, name)) for name in SHAPES}, header))


def read_double(path: Path) -> Double:
    """Read and check a double; InputRefused for anything that is not a whole one."""
    if not disk.is_file(path):
        raise InputRefused(f"{path}: there is no such double; make one with `facedouble double make`")
    if disk.size(path) > LARGEST:
        raise InputRefused(f"{path}: too large for a double")
    try:
        stored = tensors.read(path)
        header: dict[str, Any] = stored.metadata
        if header.get("format") != FORMAT:
            raise InputRefused(f"{path}: not a facedouble double; make one with `facedouble double make`")
        arrays = {name: stored.get(name) for name in SHAPES}
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise InputRefused(f"{path}: not a whole facedouble double; make it again with `facedouble double make`") from error
    for name, shape in SHAPES.items():
        held = arrays[name]
        fits = held.ndim == len(shape) and all(w is None or w == g for w, g in zip(shape, held.shape, strict=True))
        if not fits or held.dtype.kind != "f" or not np.isfinite(held).all():
            raise InputRefused(f"{path}: damaged ({name}); make the double again")
    try:
        consent = json.loads(header["consent"])
        consent["scope"] = tuple(consent["scope"])
        double = Double(id=header["id"], quality=header["quality"], coverage=json.loads(header["coverage"]),
                        consent=Consent(**consent), **arrays)
    except (KeyError, TypeError, ValueError) as error:
        raise InputRefused(f"{path}: damaged header; make the double again") from error
    if identity(double) != double.id:
        raise InputRefused(f"{path}: its content was changed after it was made; make the double again")
    return double
