"""The name of a result: a digest over everything that it is made of. What has none is refused, rather than left out."""

from __future__ import annotations

import hashlib
import platform
import struct
from dataclasses import fields, is_dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numba
import numpy as np

import facedouble
from facedouble import disk
from facedouble.errors import InputRefused
from facedouble.media.h264 import build

BLOCK = 1 << 20  # bytes read at a time


class Digest:
    """Takes values one after the other. Two runs of values have the same digest only if they are the same."""

    def __init__(self, *values: Any) -> None:
        self._told = hashlib.sha256()
        for value in values:
            self.add(value)

    def add(self, value: Any) -> None:
        """Take a number, text, array, sequence, frozen value, or what has a `fingerprint`; TypeError for anything else."""
        told = self._told.update
        if value is None or isinstance(value, bool | int | Fraction):
            told(f"{type(value).__name__} {value};".encode())
        elif isinstance(value, float):
            told(b"float " + struct.pack("<d", value))
        elif isinstance(value, str | bytes):
            raw = value.encode() if isinstance(value, str) else value
            told(f"{type(value).__name__} {len(raw)}:".encode() + raw)
        elif isinstance(value, np.ndarray | np.generic) and value.dtype.kind != "O":
            told(f"array {value.dtype.descr} {value.shape}:".encode() + value.tobytes())
        elif isinstance(value, tuple | list):
            self._all(f"{len(value)} of", value)
        elif isinstance(value, dict):
            self._all(f"dict {len(value)}", [x for pair in sorted(value.items()) for x in pair])
        elif isinstance(getattr(value, "fingerprint", None), bytes):
            told(type(value).__qualname__.encode() + b" known by:" + value.fingerprint)
        elif is_dataclass(value) and not isinstance(value, type):
            self._all(type(value).__qualname__, [getattr(value, f.name) for f in fields(value)])
        else:
            raise TypeError(f"{type(value).__name__} has no digest")

    def _all(self, what: str, values: Any) -> None:
        self._told.update(f"{what}(".encode())
        for value in values:
            self.add(value)
        self._told.update(b")")

    def hex(self) -> str:
        """Sixty-four hex digits."""
        return self._told.hexdigest()


@cache
def program() -> str:
    """Of this program and of what it computes with: another one may draw other pixels, and a mended one has to."""
    root = Path(facedouble.__file__).parent
    files = sorted(p for p in root.rglob("*") if p.suffix in (".py", ".npz"))
    digest = Digest(platform.machine(), np.__version__, cv2.__version__, numba.__version__, build())
    for path in files:
        digest.add(str(path.relative_to(root)))
        digest.add(disk.read(path))
    return digest.hex()


def of_file(path: Path, before: bytes = b"") -> str:
    """SHA-256 of a file, in hex, of what stands before it as well; InputRefused if it cannot be read.

    before: makes it another number than the file is known by, so that who was told that one cannot tell this one.
    """
    told = hashlib.sha256(before)
    try:
        with disk.open_read(path) as file:
            while block := file.read(BLOCK):
                told.update(block)
    except OSError as error:
        raise InputRefused(f"{path}: cannot be read ({error.strerror}); check the name") from error
    return told.hexdigest()
