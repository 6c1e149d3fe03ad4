"""The informed attackers: who knows the program, the double and the settings, and has other footage of everybody.

Two checks. The parrot: known people get the film's own double, and like is matched with like. Motion: habits of the face and the head
are matched. What either finds is said in plain words in any case; only past a limit of the options is it a finding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from facedouble.audit.account import Account, Told
from facedouble.audit.motion import Traced, trace
from facedouble.audit.parrot import Guessed, guess, needed, windowed
from facedouble.audit.verdict import Check, Figure, Finding, Look
from facedouble.media.decode import frames
from facedouble.media.probe import probe
from facedouble.options import AuditOptions, Options
from facedouble.pipeline.audit.glimpse import Embed, Find, Seers, glimpse
from facedouble.pipeline.audit.moving import CALMS, Calmed, Watch, follow
from facedouble.pipeline.audit.parrot import PHOTOS, Errand, Mask, Material, Parroted, parrot
from facedouble.pipeline.sight import Follower
from facedouble.types import Array, Floats, Value

WORN: Final = ("double", "mannequin")
VIDEO: Final = {".mp4", ".mov", ".mkv", ".avi", ".mpg", ".mpeg", ".webm", ".m4v", ".mts", ".mxf"}

Run = Callable[[Errand, Seers], list[Parroted]]
"""As `parrot.parrot`."""


@dataclass(frozen=True)
class Known(Value):
    """What an adversary has. witness: clips and photos by the plan's id of whom they show; gallery: the same of other people, by any
    name; own: the witness's are the very footage that the film was made of, of which the film then counts with one half only."""

    witness: Mapping[str, Sequence[Path]] = field(default_factory=dict)
    gallery: Mapping[str, Sequence[Path]] = field(default_factory=dict)
    own: bool = False


@dataclass(frozen=True)
class Means(Value):
    """The models. seers: opens detector and recogniser, in any process; mesh: makes a landmarker; models: their folder."""

    seers: Seers
    mesh: Callable[[], Follower]
    models: Path | None = None
    run: Run = parrot


def gallery(folder: Path) -> dict[str, tuple[Path, ...]]:
    """People by name, out of a folder: each subfolder is somebody, and so is each photo and clip beside them."""
    people: dict[str, tuple[Path, ...]] = {}
    for path in sorted(folder.iterdir()):
        files = sorted(path.iterdir()) if path.is_dir() else [path]
        some = tuple(f for f in files if f.is_file() and f.suffix.lower() in PHOTOS | VIDEO)
        if some:
            people[path.name if path.is_dir() else path.stem] = some
    return people


class Star:
    """What the attackers see of one person of the film: looks (2, D) with their frames, and windows of motion."""

    def __init__(self, watch: Watch) -> None:
        self.vectors: list[Floats] = []
        self.frames: list[int] = []
        self.watch = watch


def attacked(output: Path, account: Account, masks: Mapping[str, Mask], known: Known, means: Means, options: Options,
             exhaustive: bool = False) -> list[Check]:
    """Both checks on a finished film.

    Parameters
    ----------
    account : who is where in each frame of the output, and what he wears there
    masks : by the plan's id, the face that each wears; who is not in it is not attacked by the parrot
    exhaustive : look at everything instead of a sample
    """
    sampled = Sample(options.audit, exhaustive)
    asked = {who: files for who, files in known.witness.items() if files}
    others = {f"gallery {name}": files for name, files in known.gallery.items()}
    if not asked or not others:
        lacks = "footage or photos of the witness (--witness)" if not asked else "other people to be taken for (--gallery)"
        return [_untried(PARROT, f"needs {lacks}"), _untried(MOTION, f"needs {lacks}")]
    find, embed = means.seers()
    stars = watched(output, account, set(asked), known.own, find, embed, means.mesh, sampled)
    if not stars:
        return [_untried(kind, "none of those whose footage was given wears a double in this film") for kind in (PARROT, MOTION)]
    return [*_parroted(stars, masks, {w: asked[w] for w in stars}, others, known.own, means, options, sampled),
            _traced(stars, {w: asked[w] for w in stars}, others, known.own, find, means.mesh, options, sampled)]


PARROT, MOTION = "somebody who knows the double", "somebody who knows how they move"


@dataclass(frozen=True)
class Sample(Value):
    """How much is looked at."""

    audit: AuditOptions
    exhaustive: bool

    def look_every(self, seconds: float) -> float:
        """s between looks at a face of a film that long."""
        return 0.0 if self.exhaustive else max(self.audit.attack_every, seconds / self.audit.attack_looks)

    def motion_every(self, seconds: float) -> float:
        """s from one window of motion to the next; 0: without a gap."""
        return 0.0 if self.exhaustive else max(self.audit.motion_seconds, seconds / self.audit.motion_windows)

    def people(self, people: Mapping[str, Sequence[Path]]) -> dict[str, tuple[Path, ...]]:
        """The gallery's people, and of each the files, that are made use of: the first by name, spread over all."""
        names = sorted(people)
        if not self.exhaustive and len(names) > self.audit.attack_people:
            names = [names[i] for i in np.linspace(0, len(names) - 1, self.audit.attack_people).round().astype(int)]
        return {n: tuple(people[n]) if self.exhaustive else tuple(people[n][: self.audit.attack_files]) for n in names}


def watched(output: Path, account: Account, people: set[str], half: bool, find: Find, embed: Embed, mesh: Callable[[], Follower],
            sample: Sample) -> dict[str, Star]:
    """One reading of the film: those of the people who wear a double in it, and what is seen of them; of the first half only, if so."""
    info = probe(output)
    rate, seconds = float(info.rate), float(info.duration or 0)
    stop = round(seconds * rate / 2) if half else None
    look, window = (max(1, round(every * rate)) for every in (sample.look_every(seconds), sample.motion_every(seconds)))
    length = round(sample.audit.motion_seconds * rate)
    stars: dict[str, Star] = {}
    for frame in frames(info):
        if stop is not None and frame.index >= stop:
            break
        for told in _largest(account(frame.index), people):
            if told.person not in stars:
                stars[told.person] = Star(Watch(mesh(), rate, sample.audit.motion_seconds, CALMS))
            star = stars[told.person]
            if frame.index % look == 0 and not frame.corrupt:
                seen = glimpse(frame, told.box, find, embed)
                if seen is not None:
                    star.vectors.append(seen)
                    star.frames.append(frame.index)
            if sample.exhaustive or frame.index % window < length:
                star.watch(frame, told.box)
    for star in stars.values():
        star.watch.close()
    return stars


def _largest(told: Sequence[Told], people: set[str]) -> Iterator[Told]:
    """Of each of the people who wears a double the largest face."""
    for who in sorted({t.person for t in told if t.person in people and t.treatment in WORN}):
        yield max((t for t in told if t.person == who and t.treatment in WORN), key=lambda t: t.box.area)


def _untried(name: str, why: str) -> Check:
    return Check(name, "attacked", "A stranger with this program and other footage of everybody.", missing=why, needed=False)


def _parroted(stars: Mapping[str, Star], masks: Mapping[str, Mask], asked: Mapping[str, Sequence[Path]],
              others: Mapping[str, Sequence[Path]], own: bool, means: Means, options: Options, sample: Sample) -> list[Check]:
    """One check for each face that is worn by any of them."""
    worn = {masks[who].id: masks[who] for who in stars if who in masks}
    if not worn:
        return [_untried(PARROT, "which double they wear was not told")]
    chosen = sample.people(others)
    people = [*((who, tuple(Material(f, 0.5 if own else 0.0) for f in files)) for who, files in asked.items()),
              *((name, tuple(Material(f) for f in files)) for name, files in chosen.items())]
    drawn = means.run(Errand(tuple(people), tuple(worn.values()), options, means.models, sample.exhaustive), means.seers)
    made = []
    for mask in worn.values():
        here = {who: star for who, star in stars.items() if who in masks and masks[who].id == mask.id}
        made.append(_parrot_check(here, [d for d in drawn if d.mask == mask.id], own, len(others), options.audit))
    return made


def _rows(drawn: Sequence[Parroted], part: int, seconds: float) -> dict[str, list[Floats]]:
    """Windows (D,) of each person's recordings; part 0: the face as it is, 1: alone."""
    rows: dict[str, list[Floats]] = {}
    for d in drawn:
        if len(d.at):
            rows.setdefault(d.person, []).extend(windowed(d.vectors[:, part], d.at, seconds))
    return rows
