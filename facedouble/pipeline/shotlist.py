"""Footage -> what a volunteer should film for it. Reads the footage as the protection does; no pixel of it comes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facedouble.doubles.page import render
from facedouble.doubles.shotlist import Needs, Seen, needs, parts, see
from facedouble.doubles.shotpage import lines, page
from facedouble.media.probe import probe
from facedouble.options import Options
from facedouble.pipeline.analyse import Analysis, Eyes, Progress, analyse, quiet
from facedouble.types import FaceCode, Rows, Value


@dataclass(frozen=True)
class ShotList(Value):
    """What to film: plain lines, parts of the capture sheet that are needed and not, the numbers, the page as PNG."""

    lines: tuple[str, ...]
    needed: tuple[str, ...]
    spare: tuple[str, ...]
    needs: Needs
    picture: bytes


def shotlist(footage: Sequence[Path], eyes: Eyes, options: Options, progress: Progress = quiet) -> ShotList:
    """Analyse the footage and say what to film. InputRefused if no face in it can be read."""
    return propose([analyse(probe(path), eyes, options, progress) for path in footage])


def propose(analyses: Sequence[Analysis]) -> ShotList:
    """The same from footage that is analysed already."""
    seen: list[Seen] = []
    faces = drawn = 0
    for analysis in analyses:
        for role in analysis.roles:
            faces += len(role.weights)
            if role.fit is None:
                continue
            offset = role.fit.start - role.track.start
            good = np.flatnonzero(role.weights[offset : offset + len(role.fit.codes)] > 0)
            drawn += len(good)
            if len(good):
                codes = Rows(role.fit.codes.numbers[good], FaceCode.of)
                seen.append(see(codes, role.fit.clip, role.fit.angles[good], good + role.fit.start, float(analysis.info.rate)))
    found = needs(seen, 1 - drawn / max(faces, 1))
    return ShotList(lines(found), *parts(found), found, render(page(found), "png"))
