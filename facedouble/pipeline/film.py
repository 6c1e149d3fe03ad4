"""A film: clips and one plan. `look_at` finds who is who and writes the plan; `screening.render_film` makes the clips.

Beside `film.plan.toml` lies the folder `film.notes`: what was written down of each clip, and its finished chunks. Both are as
private as the footage.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from facedouble import disk
from facedouble.errors import InputRefused, UsageError
from facedouble.faces.identify import People, Person, Piece
from facedouble.media.chunks import stored
from facedouble.media.probe import probe
from facedouble.options import Options
from facedouble.pipeline.analyse import Analysis, Progress, analyse, quiet
from facedouble.pipeline.casting import open_recogniser
from facedouble.pipeline.digest import of_file
from facedouble.pipeline.heard import read_heard, speech_of, write_heard
from facedouble.pipeline.hearing import hear as listen
from facedouble.pipeline.hearing import open_ears
from facedouble.pipeline.notes import read_notes, write_notes
from facedouble.pipeline.people import sheet, who_is_who
from facedouble.pipeline.protect import close_doors, open_eyes
from facedouble.plan import edit
from facedouble.plan.people import Person as Planned
from facedouble.plan.people import TrackName
from facedouble.plan.plan import Plan
from facedouble.plan.read import read
from facedouble.plan.values import Clip
from facedouble.plan.write import write
from facedouble.publish import write_over
from facedouble.types import MediaInfo, Turn, Value

SUFFIX: Final = ".plan.toml"
LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True)
class Home(Value):
    """Where the things of a film lie, by the path of its plan."""

    plan: Path

    def check(self) -> None:
        if not self.plan.name.endswith(SUFFIX):
            raise UsageError(f"{self.plan}: let the name of the plan end in {SUFFIX}")

    @property
    def notes(self) -> Path:
        """The folder of notes and chunks."""
        return self.plan.with_name(self.plan.name.removesuffix(SUFFIX) + ".notes")

    def of(self, clip: str, what: str) -> Path:
        """A file of a clip there."""
        return self.notes / f"{clip}.{what}"

    def footage(self, clip: Clip) -> Path:
        """The clip's file; a relative name starts beside the plan."""
        return self.plan.parent / clip.file

    @property
    def parts(self) -> tuple[Path, ...]:
        """The folders of finished chunks, of clips that are no longer in the plan, too."""
        return tuple(path for path in disk.listing(self.notes) if path.suffix == ".parts")

    def stored(self) -> int:
        """Bytes on the disk that finished chunks take."""
        return sum(map(stored, self.parts))

    def text(self) -> str:
        """The plan's text; InputRefused if it cannot be read."""
        try:
            return disk.read_text(self.plan)
        except (OSError, UnicodeDecodeError) as error:
            raise InputRefused(f"{self.plan}: the plan cannot be read; `facedouble analyse FOOTAGE -p {self.plan.name}` writes "
                               "one") from error

    def put(self, text: str) -> None:
        """Write the plan, whole or not at all."""
        write_over(self.plan, text.encode())

    def elsewhere(self) -> frozenset[str]:
        """Ids that people have, or had, in other plans of the same project: there, one id is one person."""
        at = disk.placed(self.plan)
        if at is None:
            return frozenset()
        root = Path(os.path.abspath(self.plan)).parents[at[1].count("/")]
        found: set[str] = set()
        for path in (root / name for name in at[0].names() if name.endswith(SUFFIX) and name != at[1]):
            try:
                other = read(disk.read_text(path))
            except (UsageError, UnicodeDecodeError) as error:
                raise UsageError(f"{path}: cannot be read, and who is in it has to be known: {error}") from error
            found.update(other.gone, (person.id for person in other.people))
        return frozenset(found)

    def check_ids(self) -> None:
        """UsageError if somebody in this plan has the id of somebody in another one: the wrong person would be asked."""
        both = sorted(self.elsewhere() & {person.id for person in read(self.text()).people})
        if both:
            raise UsageError(f"{self.plan}: {both[0]} is in another plan of this project as well, and nobody could tell which of "
                             "the two is meant; give one of them an id that nobody has had")


class Film:
    """A plan with its footage, found unaltered. hashes: SHA-256 of files that were read just now."""

    def __init__(self, home: Home, options: Options, hashes: Mapping[Path, str] = MappingProxyType({})) -> None:
        self.home = home
        self.text = home.text()
        self.plan = read(self.text)
        self.made = {clip.id: self._notes(clip, options, hashes) for clip in self.plan.clips}
        for clip in self.plan.clips:
            known = {r.track.id for r in self.made[clip.id].roles}
            for track in self.plan.tracks(clip.id):
                if track not in known:
                    raise UsageError(f"{home.plan}: there is no face {clip.id}:{track}; clip {clip.id} has faces 0 to "
                                     f"{max(known, default=-1)}, `facedouble people` shows them")

    def _notes(self, clip: Clip, options: Options, hashes: Mapping[Path, str]) -> Analysis:
        path = self.home.footage(clip)
        if not disk.is_file(path):
            raise InputRefused(f"{path}: the footage of clip {clip.id} is not there; correct its file in the plan")
        if (hashes.get(path.resolve()) or of_file(path)) != clip.sha256:
            raise InputRefused(f"{path}: is not the footage that clip {clip.id} of the plan is about; put the right file there")
        notes = self.home.of(clip.id, "fnotes")
        made, told = read_notes(notes, probe(path), clip.sha256, options)
        if told != clip.notes:
            raise InputRefused(f"{notes}: is not the analysis that numbered the faces of the plan; put that one back, or begin "
                               "another plan")
        return made

    def put(self, text: str) -> None:
        """Write the plan anew; about the same clips."""
        self.home.put(text)
        self.text, self.plan = text, read(text)


@dataclass(frozen=True)
class Pair(Value):
    """Two people of the plan, by their ids."""

    one: str
    other: str


@dataclass(frozen=True)
class Found(Value):
    """What `look_at` found: who may be one person, who looks like one and is there twice, and pages that hold BARE FACES."""

    maybe: tuple[Pair, ...]
    conflicts: tuple[Pair, ...]
    pages: tuple[bytes, ...]


Hear = Callable[[Analysis, Mapping[int, int]], Sequence[Turn]]
"""Analysis of a clip with sound, person by track -> who speaks when."""


def look_at(footage: Sequence[Path], home: Home, options: Options, progress: Progress = quiet,
            models: Path | None = None, hear: Hear | None = None) -> Found:
    """Analyse footage that the plan does not have yet, find out who is who, and who speaks; write it into the plan, undecided."""
    close_doors()
    fresh = not disk.exists(home.plan)
    text = write(Plan()) if fresh else home.text()
    plan = read(text)
    known = {clip.sha256 for clip in plan.clips}
    hashes = {path.resolve(): of_file(path) for path in footage}
    new = {sha: path for path, sha in hashes.items() if sha not in known}
    if not new and fresh:
        raise UsageError("there is no footage to look at; name some")
    lost = [clip for clip in plan.clips if not disk.exists(home.of(clip.id, "fnotes"))]
    eyes = open_eyes(options, models) if new or lost else None
    if hear is None and any(probe(path).audio for path in new.values()):
        open_ears(models)  # a model that is missing is told now, and not after hours

    def work(info: MediaInfo) -> Analysis:
        assert eyes is not None
        return analyse(info, eyes, options, progress)

    for clip in lost:  # the same program numbers the faces as before; another is told apart by the digest
        if disk.is_file(home.footage(clip)):
            _added(home, clip.id, home.footage(clip), clip.sha256, options, work)
    for sha, path in new.items():
        id_ = next(i for i in _ids() if i not in {c.id for c in read(text).clips})
        text = edit.add_clip(text, _added(home, id_, path, sha, options, work))
    home.put(text)
    film = Film(home, options, hashes)
    people, looks = who_is_who(film.made, open_recogniser(models), progress=progress)
    film.put(_entered(film, people, home.elsewhere()))
    _listen(film, hear or partial(_hear, models, progress))
    shown = _by_plan(film.plan, people, film.made)
    ids = [p.id for p in film.plan.people]
    maybe, conflicts = (tuple(Pair(ids[d.one], ids[d.other]) for d in doubts) for doubts in (shown.maybe, shown.conflicts))
    return Found(maybe, conflicts, tuple(sheet(shown, looks.glances, ids)))


def _hear(models: Path | None, progress: Progress, made: Analysis, people: Mapping[int, int]) -> Sequence[Turn]:
    return listen(made, open_ears(models), people, progress)


def _listen(film: Film, hear: Hear) -> None:
    """Enter the turns of the clips that nobody listened to yet; those that have turns already keep these."""
    for clip in film.plan.clips:
        path, made = film.home.of(clip.id, "heard.json"), film.made[clip.id]
        if read_heard(path, clip.sha256) is not None:
            continue
        owners = {f.track: k for k, p in enumerate(film.plan.people) for f in p.faces if f.clip == clip.id}
        turns = hear(made, owners) if made.info.audio else ()
        if not film.plan.turns(clip.id):
            film.put(edit.add(film.text, *speech_of(film.plan, clip.id, made.info, turns)))
        write_heard(path, clip.sha256, turns)


def _ids() -> Iterable[str]:
    yield from LETTERS
    yield from (f"{a}{b}" for a in LETTERS for b in LETTERS)


def _added(home: Home, id_: str, path: Path, sha: str, options: Options, work: Callable[[MediaInfo], Analysis]) -> Clip:
    """The clip's entry; its notes are written, unless they are there already."""
    notes, info = home.of(id_, "fnotes"), probe(path)
    if disk.exists(notes):
        made, told = read_notes(notes, info, sha, options)
    else:
        made = work(info)
        disk.make_folder(home.notes, private=True)
        told = write_notes(notes, made, sha, options)
    try:
        file = str(path.resolve().relative_to(home.plan.parent.resolve()))
    except ValueError:
        file = str(path.resolve())
    return Clip(id_, file, sha, made.frames, Fraction(info.rate).limit_denominator(1001), told)


def _names(person: Person) -> tuple[TrackName, ...]:
    return tuple(TrackName.of(piece.name) for piece in person.pieces)


def _entered(film: Film, people: People, elsewhere: Collection[str]) -> str:
    """The plan's text with everybody who is not in it yet.

    Faces that belong to somebody who is there join that one, unless something of that person is shown: then they stay apart, and
    veiled, until somebody merges them.
    """
    text = film.text
    for person in people.people:
        plan = read(text)
        held = {(f.clip, f.track): p.id for p in plan.people for f in p.faces}
        held |= {(i.face.clip, i.face.track): "" for i in plan.ignored}
        fresh = tuple(n for n in _names(person) if (n.clip, n.track) not in held)
        if not fresh:
            continue
        owners = {held[n.clip, n.track] for n in _names(person) if (n.clip, n.track) in held}
        same = next((p for p in plan.people if owners == {p.id}), None)
        if same is not None and person.sure and not same.open:
            text = edit.join(text, same.id, fresh)
            continue
        id_ = plan.unused(elsewhere)
        text = edit.add(text, Planned(id_, f"Person {id_[1:]}" if person.sure else f"Not sure {id_[1:]}", fresh))
    return text


def _by_plan(plan: Plan, found: People, made: Mapping[str, Analysis]) -> People:
    """The plan's people as the sheet draws them; doubts are those of the people found that they are made of."""
    spans = {(clip, r.track.id): (r.track.start, r.track.stop) for clip, m in made.items() for r in m.roles}
    whose = {(p.clip, p.track): person for person in found.people for p in person.pieces}
    shown = []
    for planned in plan.people:
        pieces = []
        for f in planned.faces:
            a, b = spans[f.clip, f.track]
            start, stop = max(a, f.start), min(b, f.end)
            if start < stop:
                pieces.append(Piece(f.clip, f.track, start, stop, (start, stop) == (a, b)))
        doubts = [whose[p.clip, p.track] for p in pieces if (p.clip, p.track) in whose]
        sure = all(d.sure for d in doubts)
        shown.append(Person(tuple(pieces), min((d.confidence for d in doubts), default=0.0), sure,
                            next((d.why for d in doubts if not d.sure), "")))
    number = {person: k for k, person in enumerate(found.people)}
    place: dict[int, int] = {}
    for k, person in enumerate(shown):
        for piece in person.pieces:
            if (piece.clip, piece.track) in whose:
                place.setdefault(number[whose[piece.clip, piece.track]], k)

    def kept(doubts: Sequence[Any]) -> tuple[Any, ...]:
        moved = [replace(d, one=place[d.one], other=place[d.other]) for d in doubts if d.one in place and d.other in place]
        return tuple(d for d in moved if d.one != d.other)

    return People(tuple(shown), kept(found.maybe), kept(found.conflicts))
