"""What passes between the child and its parent: short JSON messages, and arrays in memory that both map."""

from __future__ import annotations

import json
from typing import Any, Final

LONGEST: Final = 1 << 16  # bytes of a message
LONGEST_TEXT: Final = 400  # characters of a refusal
ALIGNED: Final = 4096  # a slot begins at a page
SLOTS: Final = 4  # pictures that the child may be ahead


def packed(message: dict[str, Any]) -> bytes:
    """A message as bytes."""
    data = json.dumps(message, separators=(",", ":")).encode()
    if len(data) > LONGEST:
        raise ValueError(f"a message of {len(data)} bytes")
    return data


def unpacked(data: bytes) -> dict[str, Any]:
    """A message; ValueError for anything else."""
    try:
        message = json.loads(data, parse_constant=_refused)
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    if not isinstance(message, dict):
        raise ValueError("no message")
    return message


def _refused(name: str) -> Any:
    raise ValueError(f"{name} is no number")


def slot_bytes(room: int) -> int:
    """Bytes from one slot to the next."""
    return -(-max(room, 1) // ALIGNED) * ALIGNED
