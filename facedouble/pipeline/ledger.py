"""What came of each frame and face, chunk by chunk: small, kept beside a finished chunk, added up for the report."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field, fields
from typing import Any

import cv2
import numpy as np

from facedouble.types import Bytes


@dataclass
class Ledger:
    """Counts by track, frames by track, frames, sentences; `cells` are the thumbnails for the sheet.

    hidden: because something went wrong; solid: because the plan says so.
    """

    doubled: dict[int, int] = field(default_factory=dict)
    fading: dict[int, int] = field(default_factory=dict)
    shown: dict[int, int] = field(default_factory=dict)
    veiled: dict[int, list[int]] = field(default_factory=dict)
    hidden: list[int] = field(default_factory=list)
    corrupt: list[int] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    cells: list[Bytes] = field(default_factory=list)
    solid: list[int] = field(default_factory=list)

    def take(self, later: Ledger) -> None:
        """Add what came of later frames."""
        for f in fields(self):
            mine, more = getattr(self, f.name), getattr(later, f.name)
            if isinstance(mine, list):
                mine += more
                continue
            for track, of_it in more.items():
                mine[track] = mine[track] + of_it if track in mine else of_it

    def plain(self) -> dict[str, Any]:
        """As JSON can hold it; pictures as PNG."""
        said = {f.name: getattr(self, f.name) for f in fields(self)}
        return {**said, "cells": [base64.b64encode(cv2.imencode(".png", c)[1]).decode() for c in self.cells]}

    @classmethod
    def of(cls, plain: dict[str, Any]) -> Ledger:
        """What `plain` gave, after a trip through JSON."""
        said: dict[str, Any] = {name: {int(track): of_it for track, of_it in held.items()} if isinstance(held, dict) else held
                                for name, held in plain.items()}
        cells = [cv2.imdecode(np.frombuffer(base64.b64decode(c), np.uint8), cv2.IMREAD_COLOR) for c in plain["cells"]]
        return cls(**{**said, "cells": cells})
