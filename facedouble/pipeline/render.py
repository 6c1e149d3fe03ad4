"""Second reading of the footage: draw, encode, report. A frame that cannot be drawn is hidden, never passed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from facedouble.errors import StoreError, UsageError
from facedouble.media.again import spans_of
from facedouble.media.chunks import Chunk, Folder, borders, join
from facedouble.media.encode import Sound, Writer
from facedouble.media.sound import pcm, sample_count, silence
from facedouble.options import Options
from facedouble.pipeline.analyse import Analysis, Progress, Role, quiet
from facedouble.pipeline.digest import Digest, program
from facedouble.pipeline.ledger import Ledger
from facedouble.pipeline.report import PersonLine, Report, Span, double_facts, runs
from facedouble.pipeline.sheet import Sheet
from facedouble.pipeline.stage import Troupe, perform, troupe
from facedouble.protect.card import Mark
from facedouble.protect.composite import Composed, compose, hide
from facedouble.protect.drive import Performance
from facedouble.protect.regions import Region
from facedouble.protect.treatments import Part
from facedouble.types import Bools, Double, Frame, MediaInfo, SafeFrame, Value

WORKERS = 2


@dataclass(frozen=True)
class Voice(Value):
    """What is heard: nothing, or the original, which needs a reason."""

    keep: bool = False
    reason: str = ""

    def check(self) -> None:
        if self.keep and not self.reason.strip():
            raise UsageError('--voice keep lets the witness be recognised by ear: say why with --reason "…"')

    def sounds(self, info: MediaInfo) -> list[Sound]:
        """Each stream, all of it or silence."""
        return [(a.rate, a.channels, a.start, pcm(info, a.index) if self.keep else silence(a, sample_count(info, a.index)))
                for a in info.audio]

    def facts(self) -> dict[str, Any]:
        """For the report."""
        return {"voice": "keep" if self.keep else "mute", "voice_reason": self.reason or None}

    @property
    def errors(self) -> Sequence[str]:
        """Nothing can go wrong."""
        return ()


class Audible(Protocol):
    """What is heard: streams for the writer, and afterwards what came of them."""

    def sounds(self, info: MediaInfo) -> list[Sound]:
        """The streams, anew."""

    def facts(self) -> dict[str, Any]:
        """For the report; whole when the streams were read."""

    @property
    def errors(self) -> Sequence[str]:
        """One sentence for each thing that is muted because it went wrong."""


@dataclass(frozen=True)
class Cast(Value):
    """A role with its performer (None: the veil only).

    still: the same with a mouth at rest, who plays in those frames of the clip that are `hushed`.
    """

    role: Role
    stage: Performance | None
    still: Performance | None = None
    hushed: Bools | None = None

    def part(self, frame: int) -> Part | None:
        """This face's part in a frame, or None where it is not there."""
        role = self.role
        face = role.track.at(frame)
        if face is None:
            return None
        i = frame - role.track.start
        weight = float(role.weights[i])
        if self.stage is None or role.fit is None or weight <= 0:
            return Part(role.track.id, role.boxes[i], role.covers[i], under=self.stage is None)
        step = frame - role.fit.start
        front = None if role.front is None else role.front.at(frame)
        stage = self.still if self.hushed is not None and self.hushed[frame] else self.stage
        if stage is None:
            return Part(role.track.id, role.boxes[i], role.covers[i])
        return Part(role.track.id, role.boxes[i], role.covers[i], weight, stage, step, role.fit.outlines[step].mesh, front,
                    "double")


@dataclass(frozen=True)
class Scene(Value):
    """What is laid over one frame: faces, regions in their order, the watermark."""

    parts: list[Part]
    regions: tuple[Region, ...] = ()
    mark: Mark | None = None


class Company(Protocol):
    """Knows the scene of every frame; frames are asked for in order, not all of them."""

    def scene(self, frame: int) -> Scene:
        """The scene of a frame."""


class Wings:
    """Where performers wait: each is there from its track's first frame to the last, so that few are in memory at a time."""

    def __init__(self, roles: Sequence[Role], doubles: Troupe, options: Options, rate: float) -> None:
        self.coming, self.doubles = sorted(roles, key=lambda r: r.track.start)[::-1], doubles
        self.options, self.rate = options, rate
        self.on: list[Cast] = []

    def scene(self, frame: int) -> Scene:
        """Faces only."""
        return Scene(self.parts(frame))

    def parts(self, frame: int) -> list[Part]:
        """The parts of a frame; frames are asked for in order."""
        self.on = [c for c in self.on if frame < c.role.track.stop]
        while self.coming and self.coming[-1].track.start <= frame:
            role = self.coming.pop()
            if role.track.stop <= frame:  # over already: the frames between were not asked for
                continue
            stage = None
            if self.doubles and (role.weights > 0).any():
                stage = perform(role, self.doubles[role.pick], self.options, self.rate)
            self.on.append(Cast(role, stage))
        return [p for p in (c.part(frame) for c in self.on) if p is not None]


def _draw(frame: Frame, scene: Scene, options: Options) -> tuple[Composed, str | None]:
    """Compose, or hide the frame and say why; nothing escapes but the wish to stop."""
    try:
        return compose(frame, scene.parts, options.draw, options.seed, scene.regions, scene.mark), None
    except Exception as error:
        return Composed(hide(frame), frozenset()), f"frame {frame.index} is hidden: {type(error).__name__} while it was drawn"


@dataclass(frozen=True)
class Drawn(Value):
    """A frame with its parts, what was made of it, and what went wrong."""

    frame: Frame
    parts: list[Part]
    composed: Composed
    error: str | None


def drawn(made: Analysis, spans: Sequence[tuple[int, int]], company: Company, options: Options) -> Generator[Drawn, None, None]:
    """The frames of some spans, in order. Drawing one asks for nothing that another left behind."""
    pending: deque[tuple[Frame, list[Part], Future[tuple[Composed, str | None]]]] = deque()
    with ThreadPoolExecutor(WORKERS) as pool, closing(spans_of(made.info, spans, made.marks)) as film:
        try:
            for frame in film:
                scene = company.scene(frame.index)
                pending.append((frame, scene.parts, pool.submit(_draw, frame, scene, options)))
                if len(pending) > 2 * WORKERS:
                    frame, parts, future = pending.popleft()
                    yield Drawn(frame, parts, *future.result())
            while pending:
                frame, parts, future = pending.popleft()
                yield Drawn(frame, parts, *future.result())
        finally:
            for _, _, future in pending:
                future.cancel()


def names(made: Analysis, spans: Sequence[tuple[int, int]], company: Company, options: Options, context: str) -> list[str]:
    """The digest of each span's chunk: of everything that its pixels come from, and of nothing else.

    context: what says which footage it is, at least.
    """
    common = Digest(program(), context, replace(made.info, path=""), made.frames, options.draw, options.encode,
                    options.seed).hex()
    found = []
    for start, stop in spans:
        digest = Digest(common, start, stop)
        for frame in range(start, stop):
            digest.add(company.scene(frame))
        found.append(digest.hex())
    return found


def render(made: Analysis, destination: Path, double: Double | Troupe | None, voice: Audible, options: Options,
           progress: Progress = quiet, parts: Path | None = None, context: str = "",
           covered: Callable[[Company], Company] | None = None) -> tuple[Report, bytes]:
    """Write the protected film to `destination`; returns the report and the contact sheet (JPEG).

    The destination appears when the film is whole, or not at all. parts: a folder in which finished chunks are kept, and found
    again by a later run; context: as for `names`. The film is the same with and without. covered: what is laid over the scenes.
    """
    doubles = troupe(double)

    def enter() -> Company:
        wings = Wings(made.roles, doubles, options, float(made.info.rate))
        return wings if covered is None else covered(wings)

    ledger, sheet = perform_all(made, destination, enter, voice, options, progress, parts, context)
    return _report(made, ledger, doubles, voice, options), sheet


def perform_all(made: Analysis, destination: Path, enter: Callable[[], Company], voice: Audible, options: Options,
                progress: Progress = quiet, parts: Path | None = None, context: str = "",
                lead: Sequence[SafeFrame] = ()) -> tuple[Ledger, bytes]:
    """`render` with any company, which `enter` brings on anew for each reading; what came of it, and the contact sheet.

    lead: frames that come before the film; only with `parts`.
    """
    spans = borders(made.frames, made.cuts, options.encode)
    ledger, sheet = Ledger(), Sheet(made.frames)
    if parts is None:
        _at_once(made, destination, spans, enter(), voice, options, progress, sheet, ledger)
    else:
        with Folder(parts) as folder:
            chunks = _chunks(made, folder, spans, enter, options, progress, sheet, context)
            join(chunks, destination, made.info, options.encode, voice.sounds(made.info), lead)
            for chunk in chunks:
                ledger.take(Ledger.of(chunk.facts))
            folder.settle([chunk.path.stem for chunk in chunks])
    sheet.add(ledger.cells)
    return ledger, sheet.jpeg()


def _at_once(made: Analysis, destination: Path, spans: Sequence[tuple[int, int]], company: Company, voice: Audible,
             options: Options, progress: Progress, sheet: Sheet, ledger: Ledger) -> None:
    with Writer(destination, made.info, options.encode, voice.sounds(made.info)) as writer, \
            closing(drawn(made, spans, company, options)) as film:
        for span in spans:
            ledger.take(_fill(writer.add, film, span, sheet, made.frames, progress))
            writer.cut()


def _chunks(made: Analysis, folder: Folder, spans: Sequence[tuple[int, int]], enter: Callable[[], Company], options: Options,
            progress: Progress, sheet: Sheet, context: str) -> list[Chunk]:
    """All chunks of the film. Those that are there are taken as they are, unless an error hid frames of them."""
    named = names(made, spans, enter(), options, context)
    found = [chunk if chunk is None or not chunk.facts["errors"] else None for chunk in map(folder.find, named)]
    missing = [k for k, chunk in enumerate(found) if chunk is None]
    there = len(found) - len(missing)
    if there:
        progress(f"resuming: {there} of {len(found)} chunks are there", there, len(found))
    with closing(drawn(made, [spans[k] for k in missing], enter(), options)) as film:
        for k in missing:
            with folder.new(named[k], made.info, options.encode) as chunk:
                ledger = _fill(chunk.add, film, spans[k], sheet, made.frames, progress)
                chunk.finish(named[k], ledger.plain())
            found[k] = folder.find(named[k])
    whole = [chunk for chunk in found if chunk is not None]
    if len(whole) < len(found):
        raise StoreError(f"{folder.path}: what was written there cannot be read again; choose another disk")
    return whole


def _fill(add: Callable[[SafeFrame], None], film: Iterator[Drawn], span: tuple[int, int], sheet: Sheet, total: int,
          progress: Progress) -> Ledger:
    """Add the frames of one span; what came of them."""
    ledger = Ledger()
    for made in islice(film, span[1] - span[0]):
        _book(ledger, made.frame, made.parts, made.composed, made.error)
        cell = sheet.cell(made.composed.safe.frame)
        if cell is not None:
            ledger.cells.append(cell)
        add(made.composed.safe)
        progress("drawing", made.frame.index + 1, total)
    return ledger


def _book(ledger: Ledger, frame: Frame, parts: list[Part], composed: Composed, error: str | None) -> None:
    if error is not None:
        ledger.errors.append(error)
    if composed.asked:
        ledger.solid.append(frame.index)
    elif composed.safe.hidden:
        ledger.hidden.append(frame.index)
        if frame.corrupt:
            ledger.corrupt.append(frame.index)
        return
    for part in parts:
        if part.track in composed.shown:
            ledger.shown[part.track] = ledger.shown.get(part.track, 0) + 1
        elif part.track in composed.veiled:
            ledger.veiled.setdefault(part.track, []).append(frame.index)
        elif part.track not in composed.shown:
            ledger.doubled[part.track] = ledger.doubled.get(part.track, 0) + 1
            if part.weight < 1:
                ledger.fading[part.track] = ledger.fading.get(part.track, 0) + 1


def _report(made: Analysis, ledger: Ledger, doubles: Troupe, voice: Audible, options: Options) -> Report:
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
    facts = {**double_facts(doubles, made.roles), **voice.facts(),
             "halo": options.draw.halo, "calm": options.draw.calm, "strict": options.draw.strict,
             "options": options.digest(), "seed": options.seed,
             "mattes": options.draw.mattes,
             "dropped_streams": list(made.info.dropped)}
    return Report(made.frames, tuple(people), tuple(ledger.hidden), tuple(spans), (*ledger.errors, *voice.errors), facts)
