"""The rehearsal: some frames are drawn before the film is, and a recogniser looks whether the double hides the witness.

Where what was drawn would be taken for the witness, the veil takes over, and the report says so. The recogniser is dlib's; the
audit's own has no part in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from facedouble.doubles.casting import ACCEPTED
from facedouble.errors import UsageError
from facedouble.faces.fit import cross_fade
from facedouble.media.decode import frames
from facedouble.options import Options
from facedouble.pipeline.analyse import Analysis, Progress, Role, quiet
from facedouble.pipeline.casting import embed
from facedouble.pipeline.stage import Troupe, perform, troupe
from facedouble.protect.composite import compose
from facedouble.protect.drive import Performance, place
from facedouble.protect.treatments import Part
from facedouble.types import Array, Double, Floats, Frame, Recogniser, Value

COMFORT = 0.8  # distance at which the next of several doubles is not asked any more: farther than that hardly any is
EVERY = 2.0  # s between looks at a face...
LEAST = 3  # ...and so many at least


@dataclass(frozen=True)
class Likeness(Value):
    """Somebody decides, by name and with a reason, that a double too like the witness is shown all the same."""

    by: str = ""
    reason: str = ""

    def check(self) -> None:
        if bool(self.by.strip()) != bool(self.reason.strip()):
            raise UsageError("a double too like the witness is shown only by name and with a reason: give --alike-by and "
                             "--alike-reason")

    @property
    def given(self) -> bool:
        """Whether anybody decided so."""
        return bool(self.by.strip())


NOBODY = Likeness()


def looks(role: Role, rate: float) -> list[int]:
    """Frames at which a role's drawing is looked at: only where it is wholly the double."""
    drawn = np.flatnonzero(role.weights >= 1)
    if role.fit is None or len(drawn) == 0:
        return []
    count = min(max(LEAST, -(-len(drawn) // max(1, round(EVERY * rate)))), len(drawn))
    return sorted({int(drawn[i]) + role.track.start for i in np.linspace(0, len(drawn) - 1, count).round().astype(int)})


def near(own: Floats, drawn: Floats) -> Array:
    """(n,) distance of what was drawn, embeddings (n, 128), to the witness: in the same frame, or on the whole; the lesser.

    0, which counts as alike, where it cannot be told.
    """
    same = np.linalg.norm(own - drawn, axis=1)
    whole = np.linalg.norm(own.mean(0) - drawn, axis=1)
    closer: Array = np.nan_to_num(np.minimum(same, whole), nan=0.0)
    return closer


def _look(frame: Frame, role: Role, stage: Performance, options: Options, recognise: Recogniser) -> tuple[Floats, Floats]:
    """Embeddings of the witness and of what would be shown instead; not numbers where that could not be drawn."""
    assert role.fit is not None
    i, step = frame.index - role.track.start, frame.index - role.fit.start
    outline = role.fit.outlines[step].mesh
    front = None if role.front is None else role.front.at(frame.index)
    part = Part(role.track.id, role.boxes[i], role.covers[i], 1.0, stage, step, outline, front, "double")
    own = embed(frame, outline, recognise)
    try:
        drawn = compose(frame, [part], options.draw, options.seed).safe.frame
        return own, embed(drawn, place(stage.mesh(step), stage.codes[step], stage.to), recognise)
    except Exception:  # the drawing of the film meets it again, and hides that frame
        return own, np.full_like(own, np.nan)


@dataclass(frozen=True)
class Distances(Value):
    """How far what would be shown of a role stays from its witness: frames `at` (n,) that were looked at, dlib distances (n,)."""

    at: Array
    far: Array

    def check(self) -> None:
        if self.at.ndim != 1 or self.at.shape != self.far.shape:
            raise ValueError("one distance for each look")

    @property
    def least(self) -> float:
        """The nearest that it came; endless without a look."""
        return float(self.far.min()) if len(self.far) else float("inf")

    @property
    def alike(self) -> Array:
        """(n,) bool: too like; one look between two that were is no reason to show a frame."""
        alike: Array = self.far < ACCEPTED
        alike[1:-1] |= alike[:-2] & alike[2:]
        return alike


UNTOLD = Distances(np.zeros(0, np.int64), np.zeros(0))
"""Of a role that was to be looked at and could not be."""


def measured(made: Analysis, of: Sequence[int], double: Double, options: Options, recognise: Recogniser,
             progress: Progress = quiet) -> dict[int, Distances]:
    """Distances of some of the roles, by their number, with one double; `UNTOLD` where nothing could be seen.

    Roles that are never wholly a double are left out.
    """
    wanted = [k for k in of if looks(made.roles[k], float(made.info.rate))]
    seen = _looks(made, wanted, double, options, recognise, progress) if wanted else {}
    return {k: Distances(np.array([at for at, _, _ in seen[k]]),
                         near(np.array([a for _, a, _ in seen[k]]), np.array([b for _, _, b in seen[k]])))
            if k in seen else UNTOLD for k in wanted}


def settled(role: Role, found: Distances | None, options: Options) -> Role:
    """The role with the veil where the double comes out too like its witness: up to the looks before and after.

    None: it was not to be looked at. `UNTOLD`: all of it is veiled.
    """
    if found is None:
        return role
    if not len(found.at):
        return replace(role, weights=np.zeros(len(role.weights)), alike=((role.track.start, role.track.stop),))
    alike = found.alike
    return _veiled(role, found.at, alike, options.fit.fade) if alike.any() else role


def rehearse(made: Analysis, double: Double | Troupe, options: Options, recognise: Recogniser,
             progress: Progress = quiet) -> Analysis:
    """The analysis with the veil where the double comes out too like its witness.

    Of several doubles each role gets the one that stays farthest; none is asked after one beyond `COMFORT`. A role that was
    to be looked at and could not be is veiled.
    """
    best: dict[int, tuple[int, Distances]] = {}
    left: Sequence[int] = range(len(made.roles))
    for n, candidate in enumerate(troupe(double)):
        for k, found in measured(made, left, candidate, options, recognise, progress).items():
            if k not in best or not len(best[k][1].at) or (len(found.at) and found.least > best[k][1].least):
                best[k] = n, found
        left = [k for k in best if best[k][1].least < COMFORT or not len(best[k][1].at)]
        if not left:
            break
    roles = [replace(settled(role, best[k][1], options), pick=best[k][0]) if k in best else role
             for k, role in enumerate(made.roles)]
    return replace(made, roles=tuple(roles))


Looked = list[tuple[int, Floats, Floats]]
"""Frame, embedding of the witness, embedding of what would be shown."""


def _looks(made: Analysis, of: Sequence[int], double: Double, options: Options, recognise: Recogniser,
           progress: Progress) -> dict[int, Looked]:
    """What is seen of some of the roles, by their number."""
    rate = float(made.info.rate)
    wanted: dict[int, list[int]] = {}
    for k in of:
        for index in looks(made.roles[k], rate):
            wanted.setdefault(index, []).append(k)
    stages: dict[int, Performance] = {}
    seen: dict[int, Looked] = {}
    last = max(wanted)
    for frame in frames(made.info):
        stages = {k: stage for k, stage in stages.items() if frame.index < made.roles[k].track.stop}
        for k in wanted.get(frame.index, []):
            role = made.roles[k]
            stage = stages[k] if k in stages else perform(role, double, options, rate)
            if stage is not None and not frame.corrupt:
                stages[k] = stage
                seen.setdefault(k, []).append((frame.index, *_look(frame, role, stage, options, recognise)))
        progress("rehearsing", min(frame.index, last) + 1, last + 1)
        if frame.index >= last:
            break
    return seen


def _veiled(role: Role, at: Array, alike: Array, fade: int) -> Role:
    """The role with the veil around each look (frames at) that was alike, until the next that was not."""
    spans = []
    for i in np.flatnonzero(alike):
        start = role.track.start if i == 0 else int(at[i - 1]) + 1
        stop = role.track.stop if i == len(at) - 1 else int(at[i + 1])
        spans.append((start, stop))
    trusted = np.ones(len(role.weights), bool)
    for start, stop in spans:
        trusted[start - role.track.start : stop - role.track.start] = False
    weights = np.minimum(role.weights, cross_fade(trusted, fade, 1)) if trusted.any() else np.zeros(len(trusted))
    return replace(role, weights=weights, alike=tuple(spans))
