"""The audit of a finished film, from its bytes to its verdict; in a process of its own, which draws nothing.

What it reads is the film, the words of the plan (or of the report beside the film) and the material that an adversary might have.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from fractions import Fraction
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
from safetensors import SafetensorError

from facedouble import __version__, disk, tensors
from facedouble.audit.account import Account, Covering, Told, uncovered
from facedouble.audit.follow import FOLLOWS
from facedouble.audit.likeness import Known, Print, nearest
from facedouble.audit.remains import remains
from facedouble.audit.said import Said
from facedouble.audit.scene import Models
from facedouble.audit.verdict import GROUPS, Audit, Check, Finding, replaceable
from facedouble.errors import InputRefused, StoreError, UsageError
from facedouble.isolation import close_doors as close_doors
from facedouble.isolation import in_force
from facedouble.media.probe import probe
from facedouble.models.landmarker import FaceMesh
from facedouble.models.registry import AUDIT, MODELS
from facedouble.options import Options
from facedouble.pipeline.audit import sample
from facedouble.pipeline.audit.about import About, covered
from facedouble.pipeline.audit.account import EACH, Places, account_of_plan, card_frames, known_of, owner, places
from facedouble.pipeline.audit.attacked import Attack
from facedouble.pipeline.audit.container import container
from facedouble.pipeline.audit.covers import Reported, covering, lost, more_veiled
from facedouble.pipeline.audit.expected import expected
from facedouble.pipeline.audit.glimpse import Embed, Find
from facedouble.pipeline.audit.heard import Ears, heard, open_ears
from facedouble.pipeline.audit.informed import Others
from facedouble.pipeline.audit.looks import wanted
from facedouble.pipeline.audit.page import page
from facedouble.pipeline.audit.parrot import PHOTOS, Mask
from facedouble.pipeline.audit.pictures import MOST, pictures
from facedouble.pipeline.audit.said import said_of_plan, said_of_report
from facedouble.pipeline.audit.seen import Sighted, account_of, known_by, open_models, seen
from facedouble.pipeline.subtitles import open_list
from facedouble.plan.people import Treatment
from facedouble.plan.plan import Plan
from facedouble.plan.read import read
from facedouble.publish import film_of, write_over
from facedouble.types import Frame, MediaInfo, Value
from facedouble.voice.redact import Listed

Progress = Callable[[str, int, int | None], None]
Keep = Callable[[bytes, bytes], None]
PLAN: Final = ".plan.toml"
BLOCK: Final = 1 << 20  # bytes read at a time
DRAWN: Final = ("double", "mannequin")
LOOKED: Final = 3  # files of each person of a gallery that make them known


@dataclass(frozen=True)
class Task(Value):
    """One audit. witness: the footage that the film was made of, and other material of those in it; plan, clip: by which it was
    made, if by one; gallery: other people; words: a list of what must not be heard; double: the `.fdouble` that they wear,
    without a plan; report: beside the film, if it is None; prints: of people of the same project; kept: the folder for what is
    said of it, beside the film if it is None.
    """

    film: Path
    witness: tuple[Path, ...] = ()
    plan: Path | None = None
    clip: str = ""
    gallery: Path | None = None
    words: Path | None = None
    exhaustive: bool = False
    double: Path | None = None
    report: Path | None = None
    prints: tuple[Print, ...] = ()
    kept: Path | None = None

    @property
    def said(self) -> Path:
        """Where the words go."""
        return self._named(".audit.json")

    @property
    def page(self) -> Path:
        """Where the page goes."""
        return self._named(".audit.html")

    def _named(self, suffix: str) -> Path:
        return (self.film if self.kept is None else self.kept / self.film.name).with_suffix(suffix)


@dataclass(frozen=True)
class Kit:
    """The models, for several audits. look: who is where in footage without a plan; of several films of one it may remember."""

    eyes: Models
    ears: Ears
    folder: Path | None = None
    look: Callable[[Path, Models], tuple[Sighted, list[Known]]] = account_of


@dataclass(frozen=True)
class Ground(Value):
    """What a film is held against. source: its footage, None if it was not given; lead: frames of the card; sampled: of what
    `people` are known, in words; people: those who are protected; worn: which faces they wear; asked: what shows them; own: of
    whom the footage alone; why: nobody can be asked about; covering: what is covered besides faces; lost: regions of which nobody
    says where they are in every frame.
    """

    source: Path | None
    lead: int
    account: Account
    people: tuple[Known, ...]
    sampled: str
    said: Said
    worn: sample.Wardrobe = field(default_factory=sample.Wardrobe)
    asked: Mapping[str, Sequence[Path]] = field(default_factory=dict)
    own: frozenset[str] = frozenset()
    why: str = ""
    clip: str = ""
    shown: tuple[Known, ...] = ()
    covering: Covering = uncovered
    lost: tuple[str, ...] = ()


def quiet(step: str, done: int, total: int | None) -> None:
    """A progress that nobody watches."""


def open_kit(options: Options, models: Path | None = None) -> Kit:
    """Load what looks and listens; ModelError with the remedy if a model is missing or altered."""
    return Kit(open_models(options.audit, models), open_ears(models), models)


def run(task: Task, options: Options, progress: Progress = quiet, kit: Kit | None = None, keep: Keep | None = None) -> Audit:
    """Try everything. keep: takes the words and the page."""
    film, ground, checks = tried(task, options, progress, kit or open_kit(options))
    made = Audit(_sha256(task.film), disk.size(task.film), _count(checks, film), tuple(checks), _facts(task, options),
                 remains(checks, sound=bool(film.audio), words=task.words is not None, gallery=task.gallery is not None,
                         exhaustive=task.exhaustive))
    if keep is not None:
        about = About(film_of(task.film).name, film.rate, ground.lead, ground.clip,
                      "film.plan.toml" if task.plan is None else task.plan.name, covered(_report(task), film.rate, ground.lead),
                      made.frames)
        keep(made.json().encode(), page(made, pictures(task.film, wanted(made, MOST)), about).encode())
    return made


def tried(task: Task, options: Options, progress: Progress, kit: Kit,
          groups: Collection[str] = GROUPS) -> tuple[MediaInfo, Ground, list[Check]]:
    """The film, what it is held against, and what came of the checks of some groups."""
    film = probe(task.film)
    words = None if task.words is None else open_list(task.words)
    ground = _by_plan(task, film, kit, options) if task.plan is not None else _by_footage(task, film, kit)
    checks = list[Check]()
    with closing(_attack(task, film, ground, kit, options)) as attack:
        if {"seen", "attacked"} & set(groups):  # the attackers take their sample of what is looked at
            checks += _seen(task, ground, kit, options, progress, attack.take if "attacked" in groups else _unseen)
        if "attacked" in groups:
            progress("attacking it like somebody who has this program", 0, None)
            checks += attack.checks()
    if "heard" in groups:
        checks += _heard(task, film, ground, kit, words, options, progress)
    if "container" in groups:
        checks += _container(task, ground, words, progress)
    return film, ground, checks


def _unseen(frame: Frame) -> None:
    """Nobody looks beside."""


def beside(task: Task) -> Keep:
    """Puts the words and the page where the task says; those of an earlier audit are replaced, and nothing else is."""
    there = [p for p in (task.said, task.page) if disk.exists(p)]
    if there and not (disk.is_file(task.said) and replaceable(disk.read(task.said))):
        raise StoreError(f"{there[0]}: exists already, and is no audit; move it away")

    def keep(words: bytes, shown: bytes) -> None:
        write_over(task.said, words, private=True)  # where a face is bare, they show it
        write_over(task.page, shown, private=True)

    return keep


# what it was made of

def _by_plan(task: Task, film: MediaInfo, kit: Kit, options: Options) -> Ground:
    assert task.plan is not None
    if not task.plan.name.endswith(PLAN):
        raise UsageError(f"{task.plan}: let the name of the plan end in {PLAN}")
    try:
        plan = read(disk.read_text(task.plan))
    except (OSError, UnicodeDecodeError) as error:
        raise InputRefused(f"{task.plan}: the plan cannot be read; check the name") from error
    name = task.clip or task.film.name.split(".")[0]
    if name not in {c.id for c in plan.clips}:
        raise UsageError(f"{task.film}: is none of the plan's clips by its name; say which with --clip, one of "
                         f"{', '.join(c.id for c in plan.clips)}")
    clip = plan.clip(name)
    source = task.plan.parent / clip.file
    if not disk.is_file(source) or _sha256(source) != clip.sha256:
        raise InputRefused(f"{source}: is not there, or not the footage that clip {name} of the plan is about; put the right "
                           "file there")
    notes = task.plan.with_name(task.plan.name.removesuffix(PLAN) + ".notes")
    info = probe(source)
    lead = card_frames(plan, name, float(info.rate))
    where = places(notes / f"{name}.fnotes", clip.sha256, clip.notes)
    account = account_of_plan(plan, name, where, lead)
    people, shown, unknown = known_of(source, account, lead, kit.eyes)
    other = tuple(p for p in _pictured(task.witness) if not disk.same(p, source))  # the very footage would make it too easy
    others = {p: known for p in other for known in known_by((p,), kit.eyes, "other footage")}
    said = said_of_plan(plan, name, info, notes / f"{name}.heard.json")
    worn = worn_by_plan(plan, name, where, task.plan.parent, _report(task), lead)
    asked = shown_in(list(worn.turns), other, others, people, options)
    own = frozenset(person for person in worn.turns if person not in asked)
    reported = Reported.of(_report(task))
    return Ground(source, lead, more_veiled(account, reported, lead), (*people, *others.values()), _known(unknown), said, worn,
                  {person: asked.get(person, (source,)) for person in worn.turns}, own, clip=name, shown=tuple(shown),
                  covering=covering((film.width, film.height), reported, lead, plan, name, where),
                  lost=tuple(lost(plan, name, reported)))


def _by_footage(task: Task, film: MediaInfo, kit: Kit) -> Ground:
    """Without a plan everybody is protected, and the report says what is heard."""
    source = next((p for p in _pictured(task.witness, stills=False) if _fits(p, film)), None)
    if source is None:
        people, report = list[Known](), _report(task)
        said = said_of_report(report, film) if report else Said(0, whole=True)  # nobody says what may be heard
        sighted = Sighted(())
    else:
        sighted, found = kit.look(source, kit.eyes)
        people = [*found]
        said = said_of_report(_report(task), probe(source))
    others = [p for p in task.witness if p != source]
    people += known_by(_pictured(others), kit.eyes, "other footage")
    worn = tuple(Mask(i, task.double) for i in sorted(_worn(_report(task))))
    masks = {face: worn for face in sighted.faces if worn}
    account: Account = sighted
    alone = len([p for p in people if p.name != "other footage"]) == 1 and len(worn) == 1
    if alone:
        masks = {WITNESS: worn}
        account = partial(_alone, sighted)
    asked = {WITNESS: tuple(_pictured(others)) or ((source,) if source else ())} if alone else {}
    return Ground(source, 0, account, tuple(people), " (known by every 15th frame)", said, sample.always(masks), asked,
                  frozenset(() if others else asked), SEVERAL if source is not None and worn else "",
                  covering=covering((film.width, film.height), Reported.of(_report(task))))


FOLLOWED: Final = "Regions that follow the picture"
LOST: Final = ("the report beside the film does not say where a region of the plan is that follows the picture; put it there, or "
               "make the film again")
NOBODY: Final = ("in the footage there is no face of somebody protected that is large and clear enough for a recogniser to know "
                 "anybody by")
WITNESS: Final = "the witness"
SEVERAL: Final = ("needs a plan that says whose face is whose (--plan): in the footage a recogniser tells several people apart, "
                  "or they wear several doubles")


def _known(unknown: Sequence[str]) -> str:
    """By what people are known, in words."""
    lost = f"; not compared with {', '.join(unknown)}, whose face is nowhere large and clear enough to know anybody by"
    return f" (known by every {EACH}th frame, and by their largest faces where these are few{lost if unknown else ''})"


def _alone(account: Account, number: int) -> Sequence[Told]:
    """Who is there, if there is only one person in the film."""
    return [replace(told, person=WITNESS) for told in account(number)]


def _fits(footage: Path, film: MediaInfo) -> bool:
    """Whether a film may have been made of that footage."""
    try:
        info = probe(footage)
    except InputRefused:
        return False
    return (info.width, info.height) == (film.width, film.height) and abs(float(info.rate / film.rate) - 1) < 0.01


def _pictured(paths: Sequence[Path], stills: bool = True) -> list[Path]:
    for path in paths:
        if not disk.is_file(path):
            raise InputRefused(f"{path}: there is no such file; check the name")
    return [p for p in paths if stills or p.suffix.lower() not in PHOTOS]


def _report(task: Task) -> Mapping[str, Any]:
    """What the render wrote beside the film; {} if there is nothing."""
    path = task.report or task.film.with_suffix(".report.json")
    try:
        held = json.loads(disk.read(path))
    except (OSError, ValueError):
        return {}
    return held if isinstance(held, dict) else {}


def _worn(report: Mapping[str, Any]) -> set[str]:
    """The doubles of those faces of a film without a plan that are drawn as doubles anywhere."""
    drawn = {str(p.get("person")) for p in report.get("people") or () if p.get("doubled")}
    return {str(d["id"]) for face, d in (report.get("doubles") or {}).items() if face in drawn}


def worn_by_plan(plan: Plan, clip: str, where: Places, base: Path, report: Mapping[str, Any], lead: int) -> sample.Wardrobe:
    """Whose face each person of the plan wears in a clip, and when. Doubles are those of the plan's files; which of the built-in
    faces a mannequin is only the report says."""
    said, files = report.get("doubles") or {}, {d.name: base / d.file for d in plan.doubles}
    turns: dict[str, list[tuple[float, float, tuple[Mask, ...]]]] = {}
    held: dict[str, Mask | None] = {}
    findings, lacks = list[Finding](), list[str]()
    for track, (start, rows) in where.items():
        for a, b, t in _owned(plan, clip, track, start, start + len(rows)):
            person, face = owner(plan, clip, track, a), t.before if t.face == "reveal" else t.face
            if face not in DRAWN or not person:
                continue
            name = f"double {t.double}" if face == "double" else f"mannequin {person}"
            if name not in held:
                file, told = files[str(t.double)] if face == "double" else None, str(said.get(name, ""))
                own = told if file is None else _id(file)
                held[name] = Mask(own, file) if own else None
                if file is not None and not own:
                    lacks.append(f"{file}: is not there, or is no double, so that nobody can tell whether the film's is that "
                                 "one; put the file there that the plan names")
                elif told and told != own:
                    what = f"The film was made with another {name} than the plan's: {told[:16]}, not {own}. Make it again."
                    findings.append(Finding(what, (a + lead, b + lead), person=person))
            mask = held[name]
            turns.setdefault(person, []).append((a + lead, b + lead, () if mask is None else (mask,)))
    return sample.Wardrobe(turns, tuple(findings), tuple(lacks), True)


def _owned(plan: Plan, clip: str, track: int, start: int, stop: int) -> Iterator[tuple[int, int, Treatment]]:
    """The spans of a face, cut where it becomes another person's."""
    hands = {edge for p in plan.people for f in p.faces if (f.clip, f.track) == (clip, track) for edge in (f.start, f.end)}
    for a, b, said in plan.spans(clip, track, start, stop):
        for one in pairwise(sorted({a, b, *(edge for edge in hands if a < edge < b)})):
            yield *one, said


def _id(file: Path) -> str:
    """What a double's file says it is; the parrot makes sure of that. "" if it is none."""
    try:
        return tensors.read(file).metadata.get("id", "")
    except (SafetensorError, OSError, ValueError):
        return ""


def shown_in(persons: Sequence[str], other: Sequence[Path], known: Mapping[Path, Known], people: Sequence[Known],
             options: Options) -> dict[str, Sequence[Path]]:
    """What shows those who wear a double besides the footage: of one all of it, of several what a recogniser knows them in."""
    if len(persons) == 1:
        return {persons[0]: other} if other else {}
    found: dict[str, Sequence[Path]] = {}
    for path, one in known.items():
        score, who = nearest(one.mean, people)
        if score >= options.audit.same_face and who in persons:
            found[who] = [*found.get(who, ()), path]
    return found


def _elsewhere(task: Task, ground: Ground) -> list[Print]:
    """People of the project whom the plan does not have in this clip: they may be there all the same."""
    here = {one.name for one in (*ground.people, *ground.shown)}
    return [one for one in task.prints if not here & {one.person, *one.plan}]


# the checks

def _seen(task: Task, ground: Ground, kit: Kit, options: Options, progress: Progress,
          beside: Callable[[Frame], None]) -> list[Check]:
    gallery = [] if task.gallery is None else line_up(task.gallery, kit.eyes, None if task.exhaustive else LOOKED)
    limits = replace(options.audit, every=1) if task.exhaustive else options.audit
    project = [Known(one.person, one.faces) for one in _elsewhere(task, ground) if len(one.faces)]
    checks = seen(task.film, ground.source, ground.account, kit.eyes, limits, (*ground.people, *project), gallery, ground.lead,
                  ground.sampled, progress, shown=ground.shown, covering=ground.covering, beside=beside)
    if ground.lost:
        checks.append(Check(FOLLOWED, "seen", "Nobody says where a region is that follows the picture.", missing=LOST))
    nobody = ground.source is not None and not ground.people
    return [replace(c, missing=NOBODY, needed=False) if c.missing and nobody and "recognised" in c.name else c for c in checks]


def _people(folder: Path) -> Mapping[str, tuple[Path, ...]]:
    if not disk.is_folder(folder):
        raise InputRefused(f"{folder}: there is no such folder; check the name")
    return sample.gallery(folder)


def line_up(folder: Path, eyes: Models, most: int | None = LOOKED) -> list[Known]:
    """Everybody of a gallery who has a face, each once. most: files that are looked at of each; None: all."""
    seen_of = {name: known_by(files[:most], eyes) for name, files in _people(folder).items()}
    return [Known(f"gallery {name}", np.concatenate([one.vectors for one in some])) for name, some in seen_of.items() if some]


def _attack(task: Task, film: MediaInfo, ground: Ground, kit: Kit, options: Options) -> Attack:
    known = sample.Known(ground.asked, {} if task.gallery is None else _people(task.gallery), ground.own, ground.lead, ground.why,
                         ground.source)
    means = sample.Means(Opening(kit.folder, options), FaceMesh, kit.folder, here=(kit.eyes.seer, kit.eyes.knower))
    return Attack(film, ground.account, ground.worn, known, means, options, task.exhaustive)


@dataclass(frozen=True)
class Opening(Value):
    """Opens detector and recogniser of the audit, in any process; equal ones open the same."""

    folder: Path | None
    options: Options

    def __call__(self) -> tuple[Find, Embed]:
        eyes = open_models(self.options.audit, self.folder)
        return eyes.seer, eyes.knower


def _heard(task: Task, film: MediaInfo, ground: Ground, kit: Kit, words: Listed | None, options: Options,
           progress: Progress) -> list[Check]:
    progress("listening", 0, None)
    gallery = {} if task.gallery is None else sample.gallery(task.gallery, sample.SPOKEN)
    return heard(task.film, ground.source, ground.said, options.audit, kit.ears, words, Fraction(ground.lead) / film.rate,
                 Others(gallery, {o.person: o.voices for o in _elsewhere(task, ground)}, *_voices(task, ground),
                        models=kit.folder))


def _voices(task: Task, ground: Ground) -> tuple[dict[str, Path], tuple[Path, ...]]:
    """By the plan, the `.fvoice` that each person of the clip speaks with most, and all that it has and that are there."""
    if task.plan is None:
        return {}, ()
    plan = read(disk.read_text(task.plan))
    files = {v.name: file for v in plan.voices if disk.is_file(file := task.plan.parent / v.file)}
    spoken: dict[str, Counter[Path]] = {}
    for _, turn in plan.turns(ground.clip):
        said = plan.voicing(turn)
        if said.voice == "double" and said.of in files and turn.person:
            spoken.setdefault(turn.person, Counter())[files[said.of]] += turn.stop - turn.start
    return {person: count.most_common(1)[0][0] for person, count in spoken.items()}, tuple(files.values())


def _container(task: Task, ground: Ground, words: Listed | None, progress: Progress) -> list[Check]:
    progress("reading the file byte by byte", 0, None)
    sources = ([ground.source] if ground.source else []) + [p for p in task.witness if p != ground.source]
    told = None if ground.source is None else partial(expected, ground.source, ground.lead)
    return container(task.film, sources, told, () if words is None else words.texts)


# the words

def _facts(task: Task, options: Options) -> dict[str, Any]:
    return {"facedouble": __version__, "limits": asdict(options.audit), "seed": options.seed, "exhaustive": task.exhaustive,
            "models": {name: MODELS[name].sha256 for name in AUDIT}, "by_plan": task.plan is not None,
            "network": list(in_force()),
            "given": {"witness": len(task.witness), "gallery": task.gallery is not None, "words": task.words is not None,
                      "project": len(task.prints)}}


def _count(checks: Sequence[Check], film: MediaInfo) -> int:
    """How many frames the film has, of those that were looked at: other checks count what a plan has."""
    return next((c.looked for c in checks if c.name == FOLLOWS), film.frames or 0)


def _sha256(path: Path) -> str:
    told = hashlib.sha256()
    with disk.open_read(path) as file:
        while block := file.read(BLOCK):
            told.update(block)
    return told.hexdigest()
