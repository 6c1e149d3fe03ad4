"""The checklist as pictures: a row for every shot, with thumbnails of the PROTECTED picture and what was found framed in them.

Thumbnails come only out of clips that `render` made: the report beside each holds the SHA-256 of its file, and another file
is refused, so that no bare frame gets on the sheet.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from facedouble import disk
from facedouble.colour import picture
from facedouble.errors import InputRefused, UsageError
from facedouble.media.decode import frames
from facedouble.media.probe import probe
from facedouble.pipeline.analyse import Progress, quiet
from facedouble.pipeline.checklist import WHOLE
from facedouble.pipeline.digest import of_file
from facedouble.pipeline.film import Home
from facedouble.pipeline.protect import close_doors
from facedouble.plan.digest import digest
from facedouble.plan.plan import Plan
from facedouble.plan.read import read
from facedouble.plan.times import timecode
from facedouble.plan.values import Check, Clip, Key
from facedouble.types import Bytes, Frame, Value

WIDE, HIGH, GAP = 256, 144, 8  # px of a thumbnail, and between two
LEFT, ACROSS, BELOW = 150, 6, 34  # px of a row's text; thumbnails across; px of text below each
PAGE: Final = 2600  # px, from which on a page is full
NEAR, LEAST = 1.6, 96.0  # a close look's width in boxes, and at least, px
LETTERS: Final = 46  # of a line below a thumbnail
PAPER, INK, FAINT, OPEN, DONE, FRAME = 32, (235, 235, 235), (160, 160, 160), (255, 170, 60), (120, 200, 120), (255, 60, 60)
REPORT: Final = 1 << 26  # bytes, the largest that is read


@dataclass
class _Line:
    """A line of the checklist, its number, the frames of its thumbnails, and these."""

    number: int
    check: Check
    at: tuple[int, ...]
    cells: list[Bytes] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many thumbnails it has."""
        return len(self.at) + (self.check.place is not None)


@dataclass
class _Row:
    """A shot and its lines, the shot's own first."""

    title: str
    lines: list[_Line]

    @property
    def last(self) -> int:
        return max(f for line in self.lines for f in line.at)


@dataclass(frozen=True)
class Made(Value):
    """A finished clip: its file, how many frames of the card come before the film's first, and whether the plan was the same."""

    path: Path
    lead: int
    fresh: bool


def sheet(home: Home, folder: Path, progress: Progress = quiet) -> tuple[Iterator[bytes], tuple[str, ...]]:
    """Pages (JPEG) of the whole checklist, each drawn when it is asked for; and the clips that were made by another plan."""
    close_doors()
    plan = read(home.text())
    if not plan.checks:
        raise UsageError(f"{home.plan}: its checklist is empty; `facedouble plan find` makes a line for every shot")
    made = clips_in(folder, plan)
    return _pages(plan, made, progress), tuple(id_ for id_, m in made.items() if not m.fresh)


def clips_in(folder: Path, plan: Plan) -> dict[str, Made]:
    """The finished clips of a plan in a folder, by id; InputRefused if a file is not the one that its report is about."""
    out = {}
    for clip in plan.clips:
        path = folder / f"{clip.id}.mp4"
        if disk.exists(path):
            out[clip.id] = _made(path, clip, plan)
    if not out:
        raise InputRefused(f"{folder}: holds no clip of this plan; make them with `facedouble render`")
    return out


def _made(path: Path, clip: Clip, plan: Plan) -> Made:
    told = _report(path.with_suffix(".report.json"))
    lead = told.get("card_frames")
    if (not isinstance(lead, int) or told.get("clip") != clip.id or told.get("frames") != clip.frames
            or told.get("film") != (sha := of_file(path)) or sha in {c.sha256 for c in plan.clips}):
        raise InputRefused(f"{path}: is not the clip that its report is about, so it may show bare faces; `facedouble render` it "
                           "again, into another folder")
    return Made(path, lead, told.get("said") == digest(plan, clip.id, 0, clip.frames))


def _report(path: Path) -> dict[str, Any]:
    try:
        held = json.loads(disk.read(path)) if disk.size(path) <= REPORT else None
    except (OSError, ValueError, RecursionError):
        held = None
    return held if isinstance(held, dict) else {}


def _pages(plan: Plan, made: Mapping[str, Made], progress: Progress) -> Iterator[bytes]:
    """Clip by clip. Only what is on one page is held."""
    held: list[Bytes] = []
    for clip in plan.clips:
        rows = _rows(plan, clip)
        missing = [_note(f"clip {clip.id} is not in the folder")] if rows else []
        for row in _drawn(clip, made[clip.id], rows, progress) if clip.id in made else missing:
            if held and sum(len(r) for r in held) + len(row) > PAGE:
                yield _page(held)
                held = []
            held.append(row)
    if held:
        yield _page(held)


def _page(rows: Sequence[Bytes]) -> bytes:
    return bytes(cv2.imencode(".jpg", np.concatenate(rows)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])[1])


def _rows(plan: Plan, clip: Clip) -> list[_Row]:
    """The lines of a clip by the shots in which they begin, or in which their place is."""
    mine = [(n, c) for n, c in enumerate(plan.checks, 1) if c.clip == clip.id]
    shots = sorted((c.start, n, c) for n, c in mine if c.what == WHOLE)
    rows = [_Row(f"clip {clip.id}, shot {k}", [_Line(n, c, tuple(sorted({c.start, (c.start + c.stop) // 2, c.stop - 1})))])
            for k, (_, n, c) in enumerate(shots, 1)]
    other: list[_Row] = []
    for n, c in mine:
        if c.what == WHOLE:
            continue
        at = (c.start + c.stop) // 2 if c.place is None else c.place.frame
        first = c.start if c.place is None else at
        line = _Line(n, c, (at,))
        row = next((row for row in rows[::-1] if row.lines[0].check.start <= first < row.lines[0].check.stop), None)
        if row is None:
            other.append(_Row(f"clip {clip.id}", [line]))
        else:
            row.lines.append(line)
    return sorted(rows + other, key=lambda row: row.last)


def _drawn(clip: Clip, made: Made, rows: Sequence[_Row], progress: Progress) -> Iterator[Bytes]:
    """The rows of a clip, each when its last frame has passed."""
    due: dict[int, list[_Line]] = {}
    for row in rows:
        for line in row.lines:
            for f in line.at:
                due.setdefault(f, []).append(line)
    left = list(rows)[::-1]
    with closing(frames(probe(made.path))) as film:
        for frame in film:
            at = frame.index - made.lead
            for line in due.pop(at, ()):
                line.cells += _cells(frame, line.check.place)
            while left and left[-1].last <= at:
                yield _row(left.pop(), clip)
            progress(f"clip {clip.id}: drawing the checklist", frame.index + 1, clip.frames + made.lead)
            if not left:
                return
    yield from (_row(row, clip) for row in left[::-1])


def _cells(frame: Frame, place: Key | None) -> list[Bytes]:
    """The whole picture and, where something has a place, a close look at it; both with it framed."""
    rgb = picture(frame)
    if place is None:
        return [_fitted(rgb)]
    reach = float(max(rgb.shape[:2]))
    x, y = (float(np.clip(v, 0, side - 1)) for v, side in ((place.x, rgb.shape[1]), (place.y, rgb.shape[0])))
    w, h = (float(np.clip(v, 1, reach)) for v in (place.w, place.h))
    corners = cv2.boxPoints(((x, y), (w + 6, h + 6), place.angle))
    wide = min(max(NEAR * max(w, WIDE / HIGH * h), LEAST), reach)
    size = np.array([wide, wide * HIGH / WIDE])
    low = np.array([x, y]) - size / 2
    scale = WIDE / wide
    m = np.array([[scale, 0, -low[0] * scale], [0, scale, -low[1] * scale]])
    near = cv2.warpAffine(rgb, m, (WIDE, HIGH), flags=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    cv2.polylines(near, [((corners - low) * scale).astype(np.int32)], True, FRAME, 1, cv2.LINE_AA)
    cv2.polylines(rgb, [corners.astype(np.int32)], True, FRAME, max(1, round(reach / 400)), cv2.LINE_AA)
    return [_fitted(rgb), np.asarray(near, np.uint8)]


def _fitted(rgb: Bytes) -> Bytes:
    """The picture as a thumbnail, on the sheet's paper where it has another shape."""
    h, w = rgb.shape[:2]
    scale = min(WIDE / w, HIGH / h)
    size = max(1, round(w * scale)), max(1, round(h * scale))
    cell = np.full((HIGH, WIDE, 3), PAPER, np.uint8)
    y, x = (HIGH - size[1]) // 2, (WIDE - size[0]) // 2
    cell[y : y + size[1], x : x + size[0]] = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    return cell


def _row(row: _Row, clip: Clip) -> Bytes:
    """A shot's row; what does not fit across goes on below."""
    places: list[tuple[int, int, _Line]] = []
    x = y = 0
    for line in row.lines:
        if x and x + line.count > ACROSS:
            x, y = 0, y + 1
        places.append((x, y, line))
        x += line.count
    high = HIGH + BELOW
    out = np.full((GAP + (y + 1) * high, LEFT + ACROSS * (WIDE + GAP), 3), PAPER, np.uint8)
    out[0] = 64
    whole = row.lines[0].check
    left = sum(line.check.state == "open" for line in row.lines)
    alone = left and whole.what == WHOLE and len(row.lines) == 1
    words = (row.title, timecode(whole.start, clip.rate), f"to {timecode(whole.stop, clip.rate)}",
             "nothing found: look" if alone else f"{left} of {len(row.lines)} open")
    for k, said in enumerate(words):
        _write(out, said, 8, GAP + 20 + 16 * k, INK if k == 0 else FAINT)
    for across, down, line in places:
        x, top, check = LEFT + across * (WIDE + GAP), GAP + down * high, line.check
        for k, cell in enumerate(line.cells[: ACROSS - across]):
            out[top : top + HIGH, x + k * (WIDE + GAP) :][:, :WIDE] = cell
        state = f"{line.number}  {check.state}" + (f", {check.by}" if check.state != "open" else "")
        _write(out, state[:LETTERS], x, top + HIGH + 12, OPEN if check.state == "open" else DONE)
        _write(out, textwrap.shorten(check.what, LETTERS * min(2, line.count), placeholder="..."), x, top + HIGH + 26, INK)
    return out


def _note(words: str) -> Bytes:
    out = np.full((40, LEFT + ACROSS * (WIDE + GAP), 3), PAPER, np.uint8)
    out[0] = 64
    _write(out, words, 8, 24, OPEN)
    return out


def _write(page: Bytes, text: str, x: int, y: int, ink: tuple[int, int, int]) -> None:
    plain = "".join(c if " " <= c <= "~" else "?" for c in text)
    cv2.putText(page, plain, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.38, ink, 1, cv2.LINE_AA)
