"""Making a film's clips as the plan says: who plays whom, who may be shown, regions, the card, the report."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from facedouble import disk
from facedouble.audit.verdict import Audit
from facedouble.colour import picture
from facedouble.doubles.mannequin import VARIANTS, mannequin
from facedouble.errors import UsageError
from facedouble.faces.identify import Limits, Person, Piece, Seen, looks_at, verify
from facedouble.media.again import spans_of
from facedouble.media.apart.reading import layers
from facedouble.media.decode import frames
from facedouble.options import Options
from facedouble.pipeline.analyse import Analysis, Progress, quiet
from facedouble.pipeline.auditions import audition
from facedouble.pipeline.casting import open_recogniser
from facedouble.pipeline.company import PLAYED, Act, Laid, PlanCompany, Rehearsed, act_name, borders, mask_of
from facedouble.pipeline.digest import Digest, of_file, program
from facedouble.pipeline.film import Film, Home
from facedouble.pipeline.heard import MAKERS, Makers, check_takes, heard_of, open_crew, read_heard, score_of, seed_of
from facedouble.pipeline.hearing import open_ears
from facedouble.pipeline.ledger import Ledger
from facedouble.pipeline.notes import looked_with
from facedouble.pipeline.people import closely, look, reach
from facedouble.pipeline.protect import audit_models, close_doors, load_doubles, quieted
from facedouble.pipeline.rehearse import COMFORT, UNTOLD, Distances, measured, settled
from facedouble.pipeline.render import Audible, perform_all
from facedouble.pipeline.report import PersonLine, Report, Span, runs
from facedouble.pipeline.rounds import Places, draw_and_audit
from facedouble.pipeline.veto import Veto
from facedouble.plan.digest import digest as said_by
from facedouble.plan.digest import sound_digest
from facedouble.plan.people import OPEN
from facedouble.plan.people import Person as Planned
from facedouble.plan.plan import Plan
from facedouble.plan.values import Card as PlannedCard
from facedouble.plan.values import Clip
from facedouble.plan.values import Region as PlannedRegion
from facedouble.protect.card import Card, watermark
from facedouble.protect.composite import titled
from facedouble.protect.regions import Key, Place, follow, interpolate
from facedouble.publish import write_over
from facedouble.types import Bools, Bytes, Double, Frame, MediaInfo, Recogniser, Rows, SafeFrame, Value

FOLLOWED: Final = 480  # px: longer side of the pictures that regions are followed on
MOST_FOLLOWED: Final = 2000  # frames: 260 MB of such pictures
FADE: Final = 0.4  # s in which the card comes and goes
WHY: Final = "veiled although the plan says otherwise: a fit not to be trusted, too like the witness, not sure who, or a bleep"


FilmAuditor = Callable[[str, Path, Progress], tuple[Audit, bytes]]
"""A clip's id, and as `pipeline.rounds.Auditor`."""


@dataclass(frozen=True)
class Finished(Value):
    """A clip of a plan that was made: its id, where it is, the plan's folder, what it was made by, and what was reported."""

    clip: str
    film: Path
    base: Path
    plan: Plan
    made: Analysis
    report: Report


Done = Callable[[Finished], None]


@dataclass(frozen=True)
class Screening(Value):
    """One run of `render_film`. `out` is the folder of the finished clips; `purpose` what the doubles' consents have to cover."""

    home: Home
    out: Path
    purpose: str
    today: dt.date
    clips: tuple[str, ...] = ()
    draft: bool = False

    def place(self, clip: str, suffix: str = ".mp4") -> Path:
        """A finished clip goes by its id: the footage's own name may tell something. What nobody audited says so."""
        return self.out / f"{clip}{'.draft' * self.draft}{suffix}"


def render_film(job: Screening, options: Options, progress: Progress = quiet, models: Path | None = None,
                makers: Makers = MAKERS, auditor: FilmAuditor | None = None, made_one: Done | None = None) -> dict[str, Report]:
    """Make the clips as the plan says; chunks that the plan has not changed since are taken as they are.

    made_one: is told of each clip that is finished.
    """
    denial = close_doors()
    if auditor is not None:
        audit_models(models)
    film = Film(job.home, options)
    plan = film.plan
    unknown = set(job.clips) - {c.id for c in plan.clips}
    if unknown:
        raise UsageError(f"there is no clip {min(unknown)} in {job.home.plan}: take one of {', '.join(c.id for c in plan.clips)}")
    wanted = [c for c in plan.clips if not job.clips or c.id in job.clips]
    for clip in wanted:
        Places(job.place(clip.id)).check()
    base = job.home.plan.parent
    scores = {c.id: score_of(plan, c.id, film.made[c.id].info, read_heard(job.home.of(c.id, "heard.json"), c.sha256), base)
              for c in wanted}
    crew = open_crew(scores.values(), {v.name: base / v.file for v in plan.voices}, job.purpose, job.today, models, makers)
    check_takes({clip: (film.made[clip].info, score) for clip, score in scores.items()}, crew)
    likenesses = []
    if crew.samples or crew.takes:
        told_by = [(film.made[c.id].info, scores[c.id], c.sha256) for c in wanted]
        likenesses = audition(told_by, crew, open_ears(models).voiceprint)
    troupe = Dressing(film, job, options, models, progress)
    reports = {}
    disk.make_folder(job.out)
    for clip in wanted:
        made, rehearsed = film.made[clip.id], troupe.rehearsed(clip)
        score = scores[clip.id]
        voice = heard_of(plan, clip.id, score, crew, seed_of(made.info, score, options.seed), progress, likenesses)
        lead = lead_of(card_of(plan, clip.id), made.info)

        def draw(film: Path, veto: Veto, clip: Clip = clip, made: Analysis = made, rehearsed: Rehearsed = rehearsed,
                 voice: Audible = voice, lead: Sequence[SafeFrame] = lead) -> tuple[Report, bytes]:
            said = quieted(voice, veto)
            ledger, page = perform_all(made, film, lambda: veto.before(PlanCompany(plan, clip.id, made, rehearsed, options)),
                                       said, options, progress, job.home.of(clip.id, "parts"), clip.sha256, lead)
            report = report_of(plan, clip.id, made, rehearsed, ledger, said, options)
            report.facts["network"] = list(denial.means)
            report.facts["read_apart"] = list(layers().means)
            report.facts["card_frames"] = len(lead)
            report.facts["film"] = of_file(film)  # by which the checklist knows a protected picture
            report.facts["said"] = said_by(plan, clip.id, 0, clip.frames)
            report.facts["heard"] = sound_digest(plan, clip.id)
            return report, page

        judge = None if auditor is None else partial(auditor, clip.id)
        reports[clip.id] = draw_and_audit(job.place(clip.id), draw, judge, made, options.audit, progress, len(lead))
        if made_one is not None:
            made_one(Finished(clip.id, job.place(clip.id), base, plan, made, reports[clip.id]))
    return reports


class Dressing:
    """What a plan's company needs before it goes on: doubles, rehearsals, who is shown for sure, regions.

    What it measured is remembered from run to run.
    """

    def __init__(self, film: Film, job: Screening, options: Options, models: Path | None, progress: Progress) -> None:
        self.film, self.job, self.options, self.models, self.progress = film, job, options, models, progress
        self.plan = film.plan
        base = job.home.plan.parent
        named = {d.name for d in self.plan.doubles if self._used(d.name)}
        self.doubles: dict[str, Double] = {}
        for d in self.plan.doubles:
            if d.name in named:
                (self.doubles[d.name],) = load_doubles(base / d.file, job.purpose, job.today)
        self.mannequins = tuple(mannequin(n) for n in range(VARIANTS))

    def _used(self, name: str) -> bool:
        return any(name == t.double for c in self.plan.clips for r in self.film.made[c.id].roles
                   for _, _, t in self.plan.spans(c.id, r.track.id, r.track.start, r.track.stop))

    @cached_property
    def recognise(self) -> Recogniser:
        """Loaded only where something has to be looked at."""
        return open_recogniser(self.models)

    def parts(self, clip: str) -> dict[str, set[int]]:
        """The tracks of a clip by what plays them: "double ana", "mannequin P1"."""
        found: dict[str, set[int]] = {}
        for k, role in enumerate(self.film.made[clip].roles):
            for at in borders(self.plan, clip, role.track):
                said = self.plan.treatment(clip, role.track.id, at)
                if mask_of(said) in PLAYED:
                    found.setdefault(act_name(self.plan, clip, role.track.id, at, said), set()).add(k)
        return found

    def distances(self, clip: str, double: Double, of: Iterable[int]) -> dict[int, Distances]:
        """As of `rehearse.measured`; remembered from run to run."""
        made, path = self.film.made[clip], self.job.home.of(clip, "rehearsed.json")
        entry = next(c for c in self.plan.clips if c.id == clip)
        looked = looked_with(self.options)
        key = Digest(program(), entry.sha256, looked, double.id, self.options.draw, self.options.seed).hex()[:32]
        known = _remembered(path)
        held = known.get(key, {})
        missing = [k for k in of if str(k) not in held]
        if missing:
            new = measured(made, missing, double, self.options, self.recognise, self.progress)
            held = {**held, **{str(k): [new[k].at.tolist(), new[k].far.tolist()] if k in new else None for k in missing}}
            write_over(path, json.dumps({**known, key: held}, sort_keys=True).encode())
        return {k: Distances(np.array(v[0], np.int64), np.array(v[1], np.float64)) if v[0] else UNTOLD
                for k in of if (v := held[str(k)]) is not None}

    @cached_property
    def _variants(self) -> dict[str, int]:
        """Which mannequin plays whom, over all clips: as `rehearse` has it for a clip."""
        parts = {clip.id: {name: of for name, of in self.parts(clip.id).items() if name.startswith("mannequin ")}
                 for clip in self.plan.clips}
        left = sorted({name for of in parts.values() for name in of})
        best: dict[str, tuple[float, int]] = {}
        for n, variant in enumerate(self.mannequins):
            least = dict.fromkeys(left, float("inf"))
            for clip, of in parts.items():
                tracks = sorted({k for name in left for k in of.get(name, ())})
                found = self.distances(clip, variant, tracks) if tracks else {}
                for name in left:
                    here = [found[k].least for k in of.get(name, ()) if k in found and len(found[k].at)]
                    least[name] = min([least[name], *here])
            for name in left:
                best[name] = max(best.get(name, (-1.0, n)), (least[name], n), key=lambda b: b[0])
            left = [name for name in left if least[name] < COMFORT]
        return {name: n for name, (_, n) in best.items()}

    def rehearsed(self, clip: Clip) -> Rehearsed:
        """All of it, for a clip."""
        made = self.film.made[clip.id]
        acts: dict[tuple[int, str], Act] = {}
        for name, of in self.parts(clip.id).items():
            kind, _, who = name.partition(" ")
            double = self.doubles[who] if kind == "double" else self.mannequins[self._variants[name]]
            found = self.distances(clip.id, double, sorted(of))
            for k in sorted(of):
                role = settled(made.roles[k], found.get(k), self.options)
                acts[role.track.id, name] = Act(role, double)
        mark = watermark(self.plan.watermark, made.info.width, made.info.height) if self.plan.watermark else None
        return Rehearsed(acts, self._sure(clip.id), self._regions(clip), mark)

    def _sure(self, clip: str) -> dict[int, Bools]:
        """For each track of a clip that is to be shown somewhere: in which frames it is that person and nobody else."""
        made = self.film.made[clip]
        shown = [r.track.id for r in made.roles
                 if any(t.face in OPEN for _, _, t in self.plan.spans(clip, r.track.id, r.track.start, r.track.stop))]
        if not shown:
            return {}
        path = self.job.home.of(clip, "sure.json")
        claims = [[p.id, [str(f) for f in p.faces]] for p in self.plan.people]
        hashes = [c.sha256 for c in self.plan.clips]
        key = Digest(program(), hashes, looked_with(self.options), json.dumps(claims), shown).hex()[:32]
        known = _remembered(path)
        if key not in known:
            flags = self._verified(clip, shown)
            known = {key: {str(t): [list(run) for run in runs(f)] for t, f in flags.items()}}
            write_over(path, json.dumps(known, sort_keys=True).encode())
        out = {}
        for role in made.roles:
            if role.track.id in shown:
                out[role.track.id] = np.zeros(len(role.weights), bool)
                for a, b in known[key][str(role.track.id)]:
                    out[role.track.id][a:b] = True
        return out

    def _verified(self, clip: str, shown: Sequence[int]) -> dict[int, Bools]:
        made = self.film.made[clip]
        seen = {(s.clip, s.track): s for c in self.plan.clips
                for s in look(c.id, self.film.made[c.id], self.recognise, self.progress).seen}
        dense = closely(clip, made, shown, seen.values(), self.recognise, self.progress)
        limits = Limits()
        groups = {p.id: looks_at(_pieces(p, seen), seen.values(), limits) for p in self.plan.people}
        held = {(f.clip, f.track) for p in self.plan.people for f in p.faces}
        strangers = [looks_at(Person((Piece(s.clip, s.track, s.start, s.stop),), 0.0), [s], limits)
                     for at, s in seen.items() if at not in held]
        observed = {r.track.id: np.asarray(r.track.rows["observed"]) for r in made.roles}
        flags = {}
        for track in shown:
            s = dense[track]
            sure = np.zeros(s.stop - s.start, bool)
            for person in self.plan.people:
                for f in person.faces:
                    if (f.clip, f.track) == (clip, track):
                        others = [g for id_, g in groups.items() if id_ != person.id]
                        mine = verify(s, groups[person.id], [*others, *strangers], limits, reach(made))
                        part = slice(max(f.start - s.start, 0), max(min(f.end, s.stop) - s.start, 0))
                        sure[part] = mine[part]
            flags[track] = sure & observed[track]  # between finds the face is only thought to be there
        return flags

    def _regions(self, clip: Clip) -> tuple[Laid, ...]:
        """The plan's regions, those that follow the picture followed: each needs a look at its frames."""
        mine = [r for r in self.plan.regions if r.clip == clip.id]
        laid = []
        for r in mine:
            stop = clip.frames if r.stop is None else r.stop
            keys = [Key(k.frame, Place(k.x, k.y, k.w, k.h, k.angle)) for k in r.keys]
            found = self._followed(clip, r, keys, stop) if r.track else interpolate(keys, r.start, stop)
            laid.append(Laid(r.start, found, r.shape, r.cover))
        return tuple(laid)

    def _followed(self, clip: Clip, region: PlannedRegion, keys: Sequence[Key], stop: int) -> Sequence[Place]:
        """Places of a region that follows the picture; grey copies of the frames of its span are held meanwhile."""
        made, start = self.film.made[clip.id], region.start
        inside = [k for k in keys if start <= k.frame < stop]
        if not inside:
            raise UsageError(f"region {region.name} in clip {clip.id}: none of its keys is in its span; add one")
        if stop - start > MOST_FOLLOWED:
            raise UsageError(f"region {region.name} in clip {clip.id}: follows the picture over {stop - start} frames, at most "
                             f"{MOST_FOLLOWED} are possible; give it from and to, or split it")
        scale = min(1.0, FOLLOWED / max(made.info.width, made.info.height))
        grey: list[Bytes] = []
        with closing(spans_of(made.info, [(start, stop)], made.marks)) as film:
            for frame in film:
                grey.append(_grey(frame, scale))
                self.progress("following regions", len(grey), stop - start)
        small = [Key(k.frame, _scaled(k.place, scale)) for k in inside]
        return [_scaled(p, 1 / scale) for p in follow(grey, small, start)]


def _grey(frame: Frame, scale: float) -> Bytes:
    grey = cv2.cvtColor(picture(frame), cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else grey, np.uint8)


def _scaled(p: Place, by: float) -> Place:
    return Place((p.x + 0.5) * by - 0.5, (p.y + 0.5) * by - 0.5, p.w * by, p.h * by, p.angle)


def _pieces(person: Planned, seen: Mapping[tuple[str, int], Seen]) -> Person:
    found = []
    for f in person.faces:
        s = seen[f.clip, f.track]
        found.append(Piece(f.clip, f.track, max(s.start, f.start), min(s.stop, f.end)))
    return Person(tuple(found), 1.0)


def _remembered(path: Path) -> dict[str, Any]:
    """What was written there; nothing if it cannot be read: then it is measured again."""
    try:
        held = json.loads(disk.read(path))
    except (OSError, ValueError):
        return {}
    return held if isinstance(held, dict) else {}


def card_of(plan: Plan, clip: str) -> PlannedCard | None:
    """The card that stands before a clip."""
    every = plan.card is not None and plan.card.on == "every"
    return plan.card if every or clip == plan.clips[0].id else None


def lead_of(card: PlannedCard | None, info: MediaInfo) -> Sequence[SafeFrame]:
    """The card's frames, at times before the film's first; each is made when it is asked for."""
    if card is None:
        return ()
    with closing(frames(info)) as film:
        like = next(film)
    step = max(1, round(1 / (info.rate * info.time_base)))
    count = max(1, round(float(card.seconds) * float(info.rate)))
    fade = max(1, round(FADE * float(info.rate)))
    words = Card(card.text, None, "" if card.direction == "auto" else card.direction)

    def made(k: int) -> SafeFrame:
        empty = replace(like, index=int(k), ticks=like.ticks - (count - int(k)) * step, span=step, corrupt=False)
        return titled(empty, words, min(1.0, (k + 1) / fade, (count - k) / fade))

    return Rows(np.arange(count), made)


def report_of(plan: Plan, clip: str, made: Analysis, rehearsed: Rehearsed, ledger: Ledger, voice: Audible,
              options: Options) -> Report:
    """What came of the clip, by face; whom the plan calls what is in the facts."""
    lines, spans = [], []
    for role in made.roles:
        t = role.track
        veiled = ledger.veiled.get(t.id, [])
        doubled, fading = ledger.doubled.get(t.id, 0), ledger.fading.get(t.id, 0)
        shown = ledger.shown.get(t.id, 0)
        lines.append(PersonLine(t.id, t.stop - t.start, doubled - fading, fading, len(veiled), shown))
        meant = np.zeros(made.frames, bool)
        for a, b, said in plan.spans(clip, t.id, t.start, t.stop):
            meant[a:b] = said.face not in ("veil", "hide")
        flags = np.zeros(made.frames, bool)
        flags[veiled] = True
        flags[ledger.solid] = False
        spans += [Span(a, b, t.id, WHY) for a, b in runs(flags & meant)]
    hidden = np.zeros(made.frames, bool)
    hidden[ledger.hidden] = True
    corrupt = set(ledger.corrupt)
    spans += [Span(a, b, None, "hidden: the footage is damaged" if a in corrupt else "hidden: an error")
              for a, b in runs(hidden)]
    solid = np.zeros(made.frames, bool)
    solid[ledger.solid] = True
    spans += [Span(a, b, None, "one colour, as the plan decides: hide = \"frame\"") for a, b in runs(solid)]
    spans += [Span(c.start, c.stop, c.track, f"covered: claimed by {' and '.join(c.claimed)}") for c in plan.conflicts
              if c.clip == clip]
    facts = {"clip": clip, "people": {p.id: [str(f) for f in p.faces if f.clip == clip] for p in plan.people},
             "shown_by": sorted({f"{t.by}: {t.reason}" for r in made.roles
                                 for _, _, t in plan.spans(clip, r.track.id, r.track.start, r.track.stop) if t.face in OPEN}),
             "doubles": {name: act.double.id for (_, name), act in sorted(rehearsed.acts.items())},
             **voice.facts(), "halo": options.draw.halo,
             "options": options.digest(), "seed": options.seed, "mattes": options.draw.mattes,
             "regions": len(rehearsed.regions), "followed": _whereto(plan, clip, rehearsed),
             "solid_frames": list(ledger.solid), "dropped_streams": list(made.info.dropped),
             "unchecked": [k for k, c in enumerate(plan.checks, 1) if c.clip == clip and c.state == "open"]}
    return Report(made.frames, tuple(lines), tuple(ledger.hidden), tuple(spans), (*ledger.errors, *voice.errors), facts)


def _whereto(plan: Plan, clip: str, rehearsed: Rehearsed) -> dict[str, Any]:
    """Places x y w h angle of the regions of a clip that follow the picture, by their number there; the audit asks for them."""
    mine = [r for r in plan.regions if r.clip == clip]
    return {str(k): {"from": laid.start, "places": [[round(v, 1) for v in (p.x, p.y, p.w, p.h, p.angle)] for p in laid.places]}
            for k, (r, laid) in enumerate(zip(mine, rehearsed.regions, strict=True)) if r.track}
