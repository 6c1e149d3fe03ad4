"""Second reading of the footage: draw, encode, report. A frame that cannot be drawn is hidden, never passed."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from facedouble.errors import FacedoubleError, UsageError
from facedouble.media.decode import frames
from facedouble.media.encode import Writer
from facedouble.media.sound import pcm, sample_count, silence
from facedouble.options import Options
from facedouble.pipeline.analyse import Analysis, Progress, Role, quiet
from facedouble.pipeline.report import PersonLine, Report, Span, double_facts, runs
from facedouble.pipeline.sheet import Sheet
from facedouble.pipeline.stage import Troupe, perform, troupe
from facedouble.protect.composite import Composed, Part, compose, hide
from facedouble.protect.drive import Performance
from facedouble.types import Double, Floats, Frame, MediaInfo, Value

WORKERS = 2


@dataclass(frozen=True)
class Voice(Value):
    """What is heard: nothing, or the original, which needs a reason."""

    keep: bool = False
    reason: str = ""

    def check(self) -> None:
        if self.keep and not self.reason.strip():
            raise UsageError('--voice keep lets the witness be recognised by ear: say why with --reason "…"')


@dataclass(frozen=True)
class Cast(Value):
    """A role with its performer (None: the veil only)."""

    role: Role
    stage: Performance | None

    def part(self, frame: int) -> Part | None:
        """This face's part in a frame, or None where it is not there."""
        role = self.role
        face = role.track.at(frame)
        if face is None:
            return None
        i = frame - role.track.start
        weight = float(role.weights[i])
        if self.stage is None or role.fit is None or weight <= 0:
            return Part(role.track.id, role.boxes[i], role.covers[i])
        step = frame - role.fit.start
        front = None if role.front is None else role.front.at(frame)
        return Part(role.track.id, role.boxes[i], role.covers[i], weight, self.stage, step, role.fit.outlines[step].mesh, front)


class _Wings:
    """Where performers wait: each is there from its track's first frame to the last, so that few are in memory at a time."""

    def __init__(self, roles: Sequence[Role], doubles: Troupe, options: Options, rate: float) -> None:
        self.coming, self.doubles = sorted(roles, key=lambda r: r.track.start)[::-1], doubles
        self.options, self.rate = options, rate
        self.on: list[Cast] = []

    def parts(self, frame: int) -> list[Part]:
        """The parts of a frame; frames are asked for in order."""
        self.on = [c for c in self.on if frame < c.role.track.stop]
        while self.coming and self.coming[-1].track.start <= frame:
            role = self.coming.pop()
            stage = None
            if self.doubles and (role.weights > 0).any():
                stage = perform(role, self.doubles[role.pick], self.options, self.rate)
            self.on.append(Cast(role, stage))
        return [p for p in (c.part(frame) for c in self.on) if p is not None]


def _sounds(info: MediaInfo, voice: Voice) -> list[tuple[int, int, Fraction, Iterator[Floats]]]:
    made = []
    for a in info.audio:
        blocks = pcm(info, a.index) if voice.keep else silence(a, sample_count(info, a.index))
        made.append((a.rate, a.channels, a.start, blocks))
    return made


@dataclass
class _Ledger:
    """What came of each frame and face."""

    doubled: dict[int, int]
    fading: dict[int, int]
    veiled: dict[int, list[int]]
    hidden: list[int]
    corrupt: list[int]
    errors: list[str]


def _draw(frame: Frame, parts: list[Part], options: Options) -> tuple[Composed, str | None]:
    """Compose, or hide the frame and say why; nothing escapes but the wish to stop."""
    try:
        return compose(frame, parts, options.draw, options.seed), None
    except Exception as error:
        return Composed(hide(frame), frozenset()), f"frame {frame.index} is hidden: {type(error).__name__} while it was drawn"


def render(made: Analysis, destination: Path, double: Double | Troupe | None, voice: Voice, options: Options,
           progress: Progress = quiet) -> tuple[Report, bytes]:
    """Write the protected film to `destination`; returns the report and the contact sheet (JPEG).

    The destination appears when the film is whole, or not at all.
    """
    doubles = troupe(double)
    wings = _Wings(made.roles, doubles, options, float(made.info.rate))
    ledger = _Ledger({}, {}, {}, [], [], [])
    sheet = Sheet(made.frames)
    pending: deque[tuple[Frame, list[Part], Future[tuple[Composed, str | None]]]] = deque()
    with Writer(destination, made.info, options.encode, _sounds(made.info, voice)) as writer, \
            ThreadPoolExecutor(WORKERS) as pool:

        def finish() -> None:
            frame, parts, future = pending.popleft()
            composed, error = future.result()
            _book(ledger, frame, parts, composed, error)
            sheet.add(composed.safe.frame)
            writer.add(composed.safe)
            progress("drawing", frame.index + 1, made.frames)

        try:
            count = 0
            for frame in frames(made.info):
                parts = wings.parts(frame.index)
                pending.append((frame, parts, pool.submit(_draw, frame, parts, options)))
                count += 1
                if len(pending) > 2 * WORKERS:
                    finish()
            while pending:
                finish()
        finally:
            for _, _, future in pending:
                future.cancel()
        if count != made.frames:
            raise FacedoubleError(f"the footage changed while it was read: {made.frames} frames, then {count}; try again")
    return _report(made, ledger, doubles, voice, options), sheet.jpeg()


def _book(ledger: _Ledger, frame: Frame, parts: list[Part], composed: Composed, error: str | None) -> None:
    if error is not None:
        ledger.errors.append(error)
    if composed.safe.hidden:
        ledger.hidden.append(frame.index)
        if frame.corrupt:
            ledger.corrupt.append(frame.index)
        return
    for part in parts:
        if part.track in composed.veiled:
            ledger.veiled.setdefault(part.track, []).append(frame.index)
        else:
            ledger.doubled[part.track] = ledger.doubled.get(part.track, 0) + 1
            if part.weight < 1:
                ledger.fading[part.track] = ledger.fading.get(part.track, 0) + 1


def _report(made: Analysis, ledger: _Ledger, doubles: Troupe, voice: Voice, options: Options) -> Report:
    people, spans = [], []
    for role in made.roles:
        t = role.track
        veiled = ledger.veiled.get(t.id, [])
        doubled, fading = ledger.doubled.get(t.id, 0), ledger.fading.get(t.id, 0)
        people.append(PersonLine(t.id, t.stop - t.start, doubled - fading, fading, len(veiled)))
        if doubles:
            flags = np.zeros(made.frames, bool)
            flags[veiled] = True
            alike = np.zeros(made.frames, bool)
            for a, b in role.alike:
                alike[a:b] = flags[a:b]
            spans += [Span(a, b, t.id, "veiled: the fit was not to be trusted") for a, b in runs(flags & ~alike)]
            spans += [Span(a, b, t.id, "veiled: the double comes out too like the witness, or it could not be told; cast another")
                      for a, b in runs(alike)]
        flags = ~t.rows["observed"]
        spans += [Span(a + t.start, b + t.start, t.id, "place filled in from other frames")
                  for a, b in runs(flags) if b - a > 2]
    hidden = np.zeros(made.frames, bool)
    hidden[ledger.hidden] = True
    corrupt = set(ledger.corrupt)
    spans += [Span(a, b, None, "hidden: the footage is damaged" if a in corrupt else "hidden: an error")
              for a, b in runs(hidden)]
    facts = {**double_facts(doubles, made.roles), "voice": "keep" if voice.keep else "mute", "voice_reason": voice.reason or None,
             "halo": options.draw.halo, "calm": options.draw.calm, "strict": options.draw.strict,
             "options": options.digest(), "seed": options.seed,
             "mattes": options.draw.mattes,
             "dropped_streams": list(made.info.dropped)}
    return Report(made.frames, tuple(people), tuple(ledger.hidden), tuple(spans), tuple(ledger.errors), facts)
