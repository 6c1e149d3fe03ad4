"""Damaged footage, a place that a round covered, and no plan: the film is finished, and passes by what can be seen of it."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import numpy as np

from facedouble.audit.covers import NAME
from facedouble.audit.verdict import Audit, Check, Finding
from facedouble.media.decode import frames
from facedouble.media.probe import probe
from facedouble.options import Options
from facedouble.pipeline.analyse import Progress
from facedouble.pipeline.audit.run import Task, open_kit, run
from facedouble.pipeline.protect import Job, protect
from facedouble.pipeline.render import Voice
from facedouble.types import Box


def damaged(footage: Path, path: Path) -> list[int]:
    """A copy with some bytes of its pictures altered; the frames that the decoder calls damaged."""
    data = bytearray(footage.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 40] = bytes(b ^ 0x5A for b in data[middle : middle + 40])
    path.write_bytes(data)
    return [f.index for f in frames(probe(path)) if f.corrupt]


def test_a_damaged_film_with_a_covered_place_passes(short_witness: Path, tmp_path: Path) -> None:
    footage, film = tmp_path / "damaged.mp4", tmp_path / "safe.mp4"
    bad = damaged(short_witness, footage)
    assert 0 < len(bad) < 20, bad
    held: list[Audit] = []

    def auditor(made: Path, progress: Progress) -> tuple[Audit, bytes]:
        found = Finding("a mirror", (5, 6), box=Box(4, 4, 40, 44))
        first = Audit("0" * 64, 1, 24, (Check("faces", "seen", "looked", findings=(found,)),), {}, ())
        held.append(run(Task(made, (footage,)), Options(), kit=open_kit(Options())) if held else first)
        return held[-1], b"<html>"

    protect(Job(footage, film, "veil", Voice(), False, "test", dt.date(2026, 11, 21)), Options(), auditor=auditor)
    assert held[-1].passed, held[-1].findings
    assert json.loads(film.with_suffix(".report.json").read_text())["hidden"] == bad
    (check,) = (c for c in held[-1].checks if c.name == NAME)
    assert check.looked > len(bad)
    assert all(np.std(f.planes[0]) < 3 for f in frames(probe(film)) if f.index in bad)
