"""The parrot attacker on files, and what its parrots say of the double itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from facedouble.audit.parrot import TWO_SIGMA, Guessed, Likeness, guess, likeness, needed, windowed
from facedouble.audit.verdict import Check, Figure, Finding
from facedouble.options import AuditOptions, Options
from facedouble.pipeline.audit.parrot import BARE, Errand, Mask, Material, Parroted
from facedouble.pipeline.audit.sample import ALIKE, PARROT, Means, Sample, Star, nearest, untried
from facedouble.types import Floats

Files = Mapping[str, Sequence[Path]]
WHOLE, FACE = 0, 1  # of what `glimpse` says


def parroted(stars: Mapping[str, Star], masks: Mapping[str, Mask], asked: Files, others: Files, own: bool, means: Means,
             options: Options, sample: Sample) -> list[Check]:
    """Two checks for each face that is worn by any of them."""
    worn = {masks[who].id: masks[who] for who in stars if who in masks}
    if not worn:
        return [untried(name, "which double they wear was not told") for name in (ALIKE, PARROT)]
    people = [*((who, tuple(Material(f, 0.5 if own else 0.0) for f in files)) for who, files in asked.items()),
              *((name, tuple(map(Material, files))) for name, files in sample.people(others).items())]
    drawn = means.run(Errand(tuple(people), tuple(worn.values()), options, means.models, sample.exhaustive), means.seers)
    made: list[Check] = []
    for mask in worn.values():
        here = {who: star for who, star in stars.items() if who in masks and masks[who].id == mask.id}
        made.append(alike(here, drawn, mask, options.audit))
        made.append(named(here, [d for d in drawn if d.mask == mask.id], own, options.audit))
    return made


def rows_of(drawn: Sequence[Parroted], part: int, seconds: float) -> dict[str, list[Floats]]:
    """Windows (D,) of each person's recordings."""
    rows: dict[str, list[Floats]] = {}
    for d in drawn:
        if len(d.at):
            rows.setdefault(d.person, []).extend(windowed(d.vectors[:, part], d.at, seconds))
    return rows


def named(stars: Mapping[str, Star], drawn: Sequence[Parroted], own: bool, audit: AuditOptions) -> Check:
    """The parrot's figures for those who wear one face: always; findings only past a limit."""
    whole, alone = ({who: windowed(np.stack(s.vectors)[:, part], np.array(s.frames) / s.watch.rate, audit.motion_seconds)
                     for who, s in stars.items() if s.vectors} for part in (WHOLE, FACE))
    known = [rows_of(drawn, part, audit.motion_seconds) for part in (WHOLE, FACE)]
    lost = sorted({d.why for d in drawn if d.why})
    asked = [who for who in whole if known[WHOLE].get(who)]
    if not asked or len(known[WHOLE]) < 2:
        return untried(PARROT, "; ".join(lost) or "no face of them was found in the film")
    seen = [{who: rows[who] for who in asked} for rows in (whole, alone)]
    found, face = (guess(k, s) for k, s in zip(known, seen, strict=True))
    tried = (f"The witness's {'same footage, the other half of it,' if own else 'other footage'} and "
             f"{len(known[WHOLE]) - len(asked)} other people were given the film's own double, in {len(drawn)} recordings, and "
             "what came out was matched with the film by a recogniser that took no part in making it: as it is, and without "
             "everything outside of the drawn face.")
    figures = _figures(found, face) | {"verdict": verdict_of(found, own, audit), "recordings that would not do": len(lost)}
    v = found.verdict
    past = [] if own or v.gallery < audit.attack_least or v.rank1.value <= audit.parrot_rank1 else asked
    findings = tuple(Finding(f"Somebody who knows the double and has other footage picks {who} out of {v.gallery} people.",
                             stars[who].span(), score=v.rank1.value, limit=audit.parrot_rank1, person=who) for who in past)
    looked = sum(len(s.frames) for s in stars.values())
    return Check(PARROT, "attacked", tried, looked, "faces", findings, figures, nearest(stars))


def _figures(found: Guessed, face: Guessed) -> dict[str, Figure]:
    v, f = found.verdict, face.verdict
    return {"in plain words": f"Of {v.gallery} people, the attacker's first guess was right in {v.rank1.value:.0%} of the "
                              f"windows; guessing gives {v.chance:.0%}. By the drawn face alone it was right in {f.rank1.value:.0%}: the "
                              "rest is hair, ears, skin tone and what is around the face.",
            "first guess right": str(v.rank1), "equal error rate": str(v.eer), "linkability": str(v.linkability),
            "first guess right, face alone": str(f.rank1), "equal error rate, face alone": str(f.eer),
            "linkability, face alone": str(f.linkability), "guessing": f"{v.chance:.1%}", "people": v.gallery,
            "people asked about": v.people, "windows": v.trials, "named over the whole film": ", ".join(found.right) or "nobody"}


def verdict_of(found: Guessed, own: bool, audit: AuditOptions) -> str:
    """What the figures allow to say: one film of one person is one trial, however many windows it has."""
    v = found.verdict
    if own:
        return "none: with the same footage on both sides, place and light tell as much as the person"
    if v.gallery < audit.attack_least:
        return f"none: {v.gallery} people are too few, {audit.attack_least} at least are needed"
    if not found.right:
        return "over the whole film the attacker named nobody rightly"
    if found.luck < TWO_SIGMA:
        return f"the attacker knows them: luck would do as well in {found.luck:.1%} of cases"
    return (f"the attacker named {', '.join(found.right)}, and luck would do as well in {found.luck:.0%} of cases: a gallery of "
            f"{needed(v.people)} people would tell")


def alike(stars: Mapping[str, Star], drawn: Sequence[Parroted], mask: Mask, audit: AuditOptions) -> Check:
    """Whether other people look like the witness once they wear the double: then the double does."""
    bare = rows_of([d for d in drawn if d.mask == BARE], WHOLE, audit.motion_seconds)
    worn = rows_of([d for d in drawn if d.mask == mask.id], WHOLE, audit.motion_seconds)
    found: dict[str, Likeness] = {}
    for who in stars:
        if bare.get(who) and len({*worn, who}) >= audit.attack_least:
            found[who] = likeness(bare, worn, who)
    if not found:
        return untried(ALIKE, f"needs a face of the witness and {audit.attack_least} other people at least")
    limit = audit.double_alike
    findings = tuple(Finding(f"The double itself looks like {who}: others who wear it are taken for {who}. Choose another.",
                             stars[who].span() if stars[who].frames else None, score=like.score, limit=limit, person=who)
                     for who, like in found.items() if like.score > limit)
    worst = max(found.values(), key=lambda like: like.score)
    tried = (f"{len(set(worn) - set(found))} other people were given the film's own double, and a recogniser compared what they "
             "then have in common with bare faces of the witness.")
    figures: dict[str, Figure] = {"likeness": worst.score, "limit": limit, "rank among the people": worst.rank,
                                  "people": worst.people}
    return Check(ALIKE, "attacked", tried, len(worn), "people", findings, figures, nearest(stars))
