"""A safetensors file from wherever its path is: the words of its header, and its arrays as they are asked for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.numpy import load

from facedouble import disk
from facedouble.types import Array


@dataclass(frozen=True)
class Tensors:
    """What is in the file. Arrays have the shapes and dtypes that they were written with."""

    metadata: dict[str, str]
    arrays: dict[str, Array]

    def keys(self) -> list[str]:
        """The names of the arrays."""
        return list(self.arrays)

    def get(self, name: str) -> Array:
        """An array; SafetensorError if there is none of that name."""
        if name not in self.arrays:
            raise SafetensorError(f"there is no array {name!r}")
        return self.arrays[name]


def read(path: Path) -> Tensors:
    """All of the file; OSError, or SafetensorError if it is none."""
    return parse(disk.read(path))


def parse(data: bytes) -> Tensors:
    """The same, of bytes."""
    arrays = load(data)  # checks the header before anything of it is used
    length = int.from_bytes(data[:8], "little")
    words: dict[str, Any] = json.loads(data[8 : 8 + length]).get("__metadata__") or {}
    return Tensors({str(k): str(v) for k, v in words.items()}, arrays)
