"""The motion attacker on files: windows of the film against windows of known footage."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from facedouble.audit.account import Account
from facedouble.audit.motion import Traced, trace
from facedouble.audit.verdict import Check, Figure, Finding
from facedouble.errors import InputRefused
from facedouble.media.decode import frames
from facedouble.media.probe import probe
from facedouble.options import AuditOptions, Options
from facedouble.pipeline.audit.glimpse import Find
from facedouble.pipeline.audit.moving import CALMS, Calmed, Watch, follow
from facedouble.pipeline.audit.parrot import PHOTOS
from facedouble.pipeline.audit.sample import MOTION, Known, Sample, Star, largest, left_out, nearest, untried
from facedouble.pipeline.sight import Follower
from facedouble.types import Box

Files = Mapping[str, Sequence[Path]]
Mesh = Callable[[], Follower]
Where = Callable[[int], Box | None]
"""Frame of a clip -> where somebody is in it, px."""


def known_windows(people: Files, find: Find, mesh: Mesh, sample: Sample, where: Mapping[str, Where]) -> dict[str, list[Calmed]]:
    """Windows of motion of known people, out of their clips. where: of some of them, all share what is looked at."""
    found: dict[str, list[Calmed]] = {}
    for who, files in people.items():
        for file in files:
            if file.suffix.lower() not in PHOTOS:
                try:
                    most = sample.audit.motion_windows // (len(where) if who in where else 1)
                    found.setdefault(who, []).extend(windows_of(file, find, mesh, sample, where.get(who), max(1, most)))
                except InputRefused:  # the parrot says so
                    continue
    return {who: rows for who, rows in found.items() if rows}


def windows_of(file: Path, find: Find, mesh: Mesh, sample: Sample, where: Where | None = None,
               most: int | None = None) -> list[Calmed]:
    """Windows of a clip's face, `motion_windows` at most. where: it is; without, the largest is looked for."""
    info = probe(file)
    rate, most = float(info.rate), most or sample.audit.motion_windows
    watch, last = Watch(mesh(), rate, sample.audit.motion_seconds, CALMS), None
    try:
        for frame in frames(info):
            if frame.corrupt:
                continue
            last = follow(frame, last, rate, find) if where is None else where(frame.index)
            if last is not None:
                last = watch(frame, last) or last
            if not sample.exhaustive and len(watch.found) >= most:
                break
    finally:
        watch.close()
    return watch.found


def traced(stars: Mapping[str, Star], account: Account, people: Known, find: Find, mesh: Mesh, options: Options,
           sample: Sample) -> Check:
    """The check: figures always, findings only past a limit."""
    where = {who: partial(_place, account, who, people.lead, stars[who].stop) for who in people.own if who in people.witness}
    known = known_windows({**people.witness, **sample.people(people.gallery)}, find, mesh, sample, where)
    moves = {who: rows for who, s in stars.items() if who in known and (rows := s.moves())}
    seen = {who: moves[who] for who in people.asked(list(moves))}
    own = bool(seen) and next(iter(seen)) in people.own
    seconds = sample.audit.motion_seconds
    if not seen or len(known) < 2:
        return untried(MOTION, f"needs clips of the witness and of others, {seconds:g} s long at least: photos do not move")
    plain = _trace(known, seen, 0.0, 0.0)
    figures: dict[str, Figure] = {
        "in plain words": _words(plain), "verdict": _verdict(plain, own, options.audit), "AUC": str(plain.auc),
        "first guess right": f"{plain.first:.1%}", "guessing": f"{1 / plain.gallery:.1%}", "people": plain.gallery,
        "people asked about": plain.people, "windows": plain.windows}
    figures |= _calmed(known, seen, options.draw.calm)
    limit = options.audit.motion_auc
    past = [who for who in seen if not own and plain.gallery >= options.audit.attack_least and plain.auc.value > limit]
    findings = tuple(Finding(f"Somebody who has other footage tells {who} from others by how they move.", stars[who].span(),
                             score=plain.auc.value, limit=limit, person=who) for who in past if stars[who].frames)
    tried = (f"How face and head move in the film, in windows of {seconds:g} s, against "
             f"{'the other half of the same clip' if own else 'other footage of the witness'} and {plain.gallery - plain.people} "
             "other people; then made calmer as --calm does it, without and with the attacker doing so to what he knows."
             f"{left_out(stars, seen)}")
    return Check(MOTION, "attacked", tried, plain.windows, "windows", findings, figures, nearest(stars))


def _place(account: Account, who: str, lead: int, begin: float, number: int) -> Box | None:
    """Where a frame of the film's own footage has somebody, from frame `begin` of the film on."""
    there = account(number + lead) if number + lead >= begin else ()
    return next((told.box for told in largest(there, {who})), None)


def _calmed(known: Mapping[str, Sequence[Calmed]], seen: Mapping[str, Sequence[Calmed]], drawn: float) -> dict[str, Figure]:
    """What `--calm` would do, for strengths beyond the film's own."""
    figures: dict[str, Figure] = {}
    for calm in CALMS:
        if calm > drawn:
            figures[f"AUC with --calm {calm:g}"] = str(_trace(known, seen, 0.0, calm).auc)
            figures[f"AUC with --calm {calm:g}, attacker calms his footage too"] = str(_trace(known, seen, calm, calm).auc)
    if drawn > 0:
        figures["AUC without --calm"] = f"not measured: the film was made with --calm {drawn:g}"
    return figures


def _trace(known: Mapping[str, Sequence[Calmed]], seen: Mapping[str, Sequence[Calmed]], his: float, ours: float) -> Traced:
    return trace({n: [w[his] for w in rows] for n, rows in known.items()},
                 {n: [w[ours] for w in rows] for n, rows in seen.items()})


def _words(found: Traced) -> str:
    return (f"A window of the film moves more like the witness than like another of the {found.gallery} people in "
            f"{found.auc.value:.0%} of comparisons; guessing gives 50%. The attacker's first guess was right in "
            f"{found.first:.0%} of the windows; guessing gives {1 / found.gallery:.0%}.")


def _verdict(found: Traced, own: bool, audit: AuditOptions) -> str:
    if own:
        return "nothing can be said: both halves of one clip move alike whoever it is"
    if found.gallery < audit.attack_least:
        return f"nothing can be said: {found.gallery} people are too few, {audit.attack_least} at least are needed"
    if audit.motion_auc >= 1:
        return "nothing can be said: no limit is set, because the performance is kept on purpose"
    return "past the limit" if found.auc.value > audit.motion_auc else "within the limit"
