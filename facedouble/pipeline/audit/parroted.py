"""The parrot attacker on files, and what its parrots say of the double itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from facedouble.audit.attack import Verdict
from facedouble.audit.parrot import TWO_SIGMA, Guessed, common, guess, likeness, needed, unit, windowed
from facedouble.audit.verdict import Check, Figure, Finding, Look
from facedouble.options import AuditOptions, Options
from facedouble.pipeline.audit.parrot import BARE, Errand, Mask, Material, Parroted, portraits
from facedouble.pipeline.audit.sample import ALIKE, PARROT, WORN, Known, Means, Sample, Star, left_out, nearest, untried
from facedouble.types import Box, Floats, Value

LOOKS = 5  # at a face that are judged together
FEW = 3  # looks at what was drawn once more, under which they tell nothing
WHOLE, FACE = 0, 1  # of what `glimpse` says


def parroted(stars: Mapping[str, Star], known: Known, means: Means, options: Options, sample: Sample) -> list[Check]:
    """Three checks for each face that is worn by any of them; of who wears one of several only the first."""
    groups = list(dict.fromkeys(masks for star in stars.values() for masks in star.worn))
    if not groups:
        return [untried(name, "which double they wear was not told") for name in (WORN, ALIKE, PARROT)]
    people: list[tuple[str, tuple[Material, ...]]] = [(name, (Material(file),)) for name, file in portraits().items()]
    if not known.lacks:
        people = [*((who, _materials(stars[who], who, known)) for who in known.witness),
                  *((name, tuple(map(Material, files))) for name, files in sample.people(known.gallery).items()), *people]
    masks = {mask.id: mask for group in groups for mask in group}
    drawn = means.run(Errand(tuple(people), tuple(masks.values()), options, means.models, sample.exhaustive,
                             tuple(_again(stars, known))), means.seers)
    made: list[Check] = []
    for group in groups:
        here = {who: star.wearing(group) for who, star in stars.items() if group in star.worn}
        whose = f"Of {', '.join(here)}: " if len(groups) > 1 else ""
        others, again = ([d for d in drawn if d.again is own] for own in (False, True))
        made += [replace(c, tried=f"{whose}{c.tried}") for c in _worn(group, here, others, again, known, options, sample)]
    return made


def _worn(group: tuple[Mask, ...], here: Mapping[str, Star], drawn: Sequence[Parroted], again: Sequence[Parroted], known: Known,
          options: Options, sample: Sample) -> list[Check]:
    """The three checks for those who wear one face, or one of several."""
    ids = tuple(mask.id for mask in group)
    once_more = {d.person: found for d in again if d.person in here and (d.mask,) == ids
                 if (found := compared(here[d.person].first.get(group, ()), d, here[d.person].rate)) is not None}
    made = [worn_as_planned(here, [[d for d in drawn if d.mask == mask.id] for mask in group], sample, once_more)]
    if len(group) > 1:
        return [*made, *(untried(name, "needs a plan that says who wears which double") for name in (ALIKE, PARROT))]
    mine = [d for d in drawn if d.mask == group[0].id]
    made.append(alike(here, drawn, group[0], known, options.audit))
    lacks = known.lacks or ("" if known.witness.keys() & here else _unknown(here, drawn, known))
    recorded = [d for d in mine if d.person in known.witness or d.person in known.gallery]
    return [*made, untried(PARROT, lacks) if lacks else named(here, recorded, known, options.audit)]


def _materials(star: Star, who: str, known: Known) -> tuple[Material, ...]:
    """What shows one of the witnesses, to be drawn with the faces they wear; of the film's own footage what follows `stop`."""
    only = tuple(dict.fromkeys(mask.id for masks in star.worn for mask in masks))
    places = tuple((at - known.lead, box) for at, box, _ in star.places if at >= star.stop) if who in known.own else ()
    return tuple(Material(file, places=places, only=only) for file in known.witness[who])


def _again(stars: Mapping[str, Star], known: Known) -> Iterator[tuple[str, Material]]:
    """The footage where each of the faces is first worn, to be drawn once more."""
    for who, star in stars.items():
        for (mask, *_), looks in star.first.items():
            if known.footage is not None and len(looks) >= FEW:
                places = tuple((at - known.lead, box) for at, box, _ in looks)
                yield who, Material(known.footage, places=places, only=(mask.id,), looks=tuple(at for at, _ in places))


@dataclass(frozen=True)
class Again(Value):
    """Cosines of a face of the film with what the footage gives when it is drawn once more: as it is, and of the face alone; over
    a span of frames."""

    cosines: tuple[float, float]
    span: tuple[int, int]


def compared(looks: Sequence[tuple[int, Box, Floats]], drawn: Parroted, rate: float) -> Again | None:
    """The mean of looks at the film against that of the same frames drawn once more; None if these are few.

    The better half of them counts: in the others the film may be going over to the double still.
    """
    at = {looks[0][0] + round(s * rate): v for s, v in zip(drawn.at, drawn.vectors, strict=True)} if looks else {}
    frames = [frame for frame, _, _ in looks if frame in at]
    if len(frames) < FEW:
        return None
    film, once = (unit(np.stack(rows)) for rows in ([v for frame, _, v in looks if frame in at], [at[f] for f in frames]))
    each = (film * once).sum(2)
    best = [column >= np.median(column) for column in each.T]
    means = [(unit(film[rows, part].mean(0)) * unit(once[rows, part].mean(0))).sum() for part, rows in enumerate(best)]
    return Again((float(means[0]), float(means[1])), (frames[0], frames[-1] + 1))


def _unknown(people: Iterable[str], drawn: Sequence[Parroted], known: Known) -> str:
    """Why nothing is known of some people, one sentence, by name."""
    def why(who: str) -> str:
        if who not in known.witness:
            return "there is neither footage nor a photo of them (--witness)"
        return "; ".join(sorted({d.why for d in drawn if d.person == who and d.why})) or "no double could be drawn on them"
    return "; ".join(f"{who}: {why(who)}" for who in people)


def rows_of(drawn: Sequence[Parroted], part: int, seconds: float) -> dict[str, list[Floats]]:
    """Windows (D,) of each person's recordings."""
    rows: dict[str, list[Floats]] = {}
    for d in drawn:
        if len(d.at):
            rows.setdefault(d.person, []).extend(windowed(d.vectors[:, part], d.at, seconds))
    return rows


def named(stars: Mapping[str, Star], drawn: Sequence[Parroted], known: Known, audit: AuditOptions) -> Check:
    """The parrot's figures for those who wear one face: always; findings only past a limit."""
    whole, alone = ({who: rows for who, s in stars.items() if (rows := s.windows(part, audit.motion_seconds))}
                    for part in (WHOLE, FACE))
    held = [rows_of(drawn, part, audit.motion_seconds) for part in (WHOLE, FACE)]
    lost = sorted({d.why for d in drawn if d.why})
    asked = known.asked([who for who in whole if held[WHOLE].get(who)])
    if not asked or len(held[WHOLE]) < 2:
        return untried(PARROT, "; ".join(lost) or "no face of them was found in the film")
    own = asked[0] in known.own
    seen = [{who: rows[who] for who in asked} for rows in (whole, alone)]
    found, face = (guess(k, s) for k, s in zip(held, seen, strict=True))
    tried = (f"The witness's {'same footage, the other half of it,' if own else 'other footage'} and "
             f"{len(held[WHOLE]) - len(asked)} other people were given the film's own double, in {len(drawn)} recordings, and "
             "what came out was matched with the film by a recogniser that took no part in making it: as it is, and without "
             f"everything outside of the drawn face.{left_out(stars, asked)}")
    figures = _figures(found, face) | {"verdict": verdict_of(found, own, audit), "recordings that would not do": len(lost)}
    v = found.verdict
    past = [] if own or v.gallery < audit.attack_least or v.rank1.value <= audit.parrot_rank1 else asked
    findings = tuple(Finding(f"Somebody who knows the double and has other footage picks {who} out of {v.gallery} people.",
                             stars[who].span(), score=v.rank1.value, limit=audit.parrot_rank1, person=who) for who in past)
    looked = sum(len(stars[who].frames) for who in asked)
    return Check(PARROT, "attacked", tried, looked, "faces", findings, figures, nearest(stars))


def _figures(found: Guessed, face: Guessed) -> dict[str, Figure]:
    v, f = found.verdict, face.verdict
    return {"in plain words": f"Of {v.gallery} people, the attacker's first guess was right in {v.rank1.value:.0%} of the "
                              f"windows; guessing gives {v.chance:.0%}. By the drawn face alone it was right in "
                              f"{f.rank1.value:.0%}: the rest is hair, ears, skin tone and what is around the face.",
            **_intervals(v, ""), **_intervals(f, ", face alone"), "guessing": f"{v.chance:.1%}", "people": v.gallery,
            "people asked about": v.people, "windows": v.trials, "named over the whole film": ", ".join(found.right) or "nobody"}


def _intervals(v: Verdict, way: str) -> dict[str, Figure]:
    """Rank-1, EER and linkability; of one person the first has no interval, and the others have that of the gallery."""
    first = str(v.rank1) if v.people > 1 else f"{v.rank1.value:.1%}, one person: no interval"
    return {f"first guess right{way}": first, f"equal error rate{way}": str(v.eer), f"linkability{way}": str(v.linkability)}


def verdict_of(found: Guessed, own: bool, audit: AuditOptions) -> str:
    """What the figures allow to say: one film of one person is one trial, however many windows it has."""
    v = found.verdict
    if own:
        return "nothing can be said: with the same footage on both sides, place and light tell as much as the person"
    if v.gallery < audit.attack_least:
        return f"nothing can be said: {v.gallery} people are too few, {audit.attack_least} at least are needed"
    if not found.right:
        return "over the whole film the attacker named nobody rightly"
    if found.luck < TWO_SIGMA:
        return f"the attacker knows them: luck would do as well in {found.luck:.1%} of cases"
    return (f"the attacker named {', '.join(found.right)}, and luck would do as well in {found.luck:.0%} of cases: a gallery of "
            f"{needed(v.people)} people would tell")


def alike(stars: Mapping[str, Star], drawn: Sequence[Parroted], mask: Mask, known: Known, audit: AuditOptions) -> Check:
    """Whether other people look like the witness once they wear the double: then the double does."""
    limits = {"as it is": (WHOLE, audit.double_alike), "face alone": (FACE, audit.double_alike_face)}
    figures: dict[str, Figure] = {}
    findings: list[Finding] = []
    bare = {part: rows_of([d for d in drawn if d.mask == BARE], part, audit.motion_seconds) for part in (WHOLE, FACE)}
    worn = {part: rows_of([d for d in drawn if d.mask == mask.id], part, audit.motion_seconds) for part in (WHOLE, FACE)}
    able = [who for who in stars if bare[WHOLE].get(who)]
    asked = [who for who in able if len({*worn[WHOLE], who}) >= audit.attack_least]
    if not asked:
        few = f"needs {audit.attack_least - 1} others on whom a double can be drawn"
        return untried(ALIKE, known.lacks or (few if able else _unknown(stars, drawn, known)))
    for way, (part, limit) in limits.items():
        for who in asked:
            found = likeness(bare[part], worn[part], who)
            figures |= {f"{who}, {way}": found.score, f"{who}, {way}: rank among {found.people}": found.rank}
            if found.score > limit:
                what = f"The double looks like {who}: others who wear it are taken for {who}. Choose another."
                span = stars[who].span() if stars[who].frames else None
                findings.append(Finding(what, span, score=found.score, limit=limit, person=who))
        figures[f"limit, {way}"] = limit
    tried = (f"{len(set(worn[WHOLE]) - set(stars))} other people were given the film's own double, and a recogniser compared "
             f"what they then have in common with bare faces of the witness.{left_out(stars, asked)}")
    return Check(ALIKE, "attacked", tried, len(worn[WHOLE]), "people", tuple(findings), figures, nearest(stars))


def worn_as_planned(stars: Mapping[str, Star], drawn: Sequence[Sequence[Parroted]], sample: Sample,
                    again: Mapping[str, Again] = MappingProxyType({})) -> Check:
    """Whether the faces of the film are the double that was decided on, by what others have in common who wear it, and by what
    the footage gives when it is drawn with it once more: that tells a double with its own skin and another's shape, too.

    drawn: what was drawn with it; or with each of several of which every face has to be one. again: by person, what `compared`
    says.
    """
    limits = {"as it is": (WHOLE, sample.audit.double_worn), "face alone": (FACE, sample.audit.double_worn_face)}
    findings, figures, looks, seen_of = list[Finding](), dict[str, Figure](), list[Look](), set[str]()
    for way, (part, limit) in limits.items():
        worn = [rows_of(some, part, sample.audit.motion_seconds) for some in drawn]
        for who, star in stars.items():
            if not star.frames or min(len(set(rows) - {who}) for rows in worn) < 2:
                continue
            seen_of.add(who)
            each = [_likeness_by_window(star, common(rows, who), part) for rows in worn]
            scores = {span: max(found[span] for found in each) for span in each[0]}
            least = min(scores, key=lambda span: scores[span])
            figures[f"{who}, {way}, least"] = scores[least]
            looks.append(Look(least[0], None, f"{who}, least like the double, {way}"))
            what = f"{who} does not wear the double that was decided on."
            findings += [Finding(what, span, score=score, limit=limit, person=who) for span, score in scores.items()
                         if score < limit]
        figures[f"limit, {way}"] = limit
        for who, found in again.items():
            figures[f"{who}, {way}, drawn once more"] = once = found.cosines[part]
            if part == FACE and once < sample.audit.double_again:  # hair that stays in front is no part of a double
                findings.append(Finding(f"{who} does not wear the double that was decided on.", found.span, score=once,
                                        limit=sample.audit.double_again, person=who))
    if again:
        figures["limit, face alone, drawn once more"] = sample.audit.double_again
    if not looks and not findings:
        return untried(WORN, "needs two people on whom the double can be drawn, and a face in the film")
    looked = sum(len(s.frames) for s in stars.values())
    tried = (f"The faces of the film, a few seconds at a time, against what {min(map(len, worn))} people have in common who were "
             f"given {'the double that was decided on' if len(worn) == 1 else 'one of the doubles that were decided on'}; "
             f"and the first of them against the same frames of the footage, drawn with it once more "
             f"({len(again)} of {len(stars)} people). "
             f"The sample: {looked} looks at {len(seen_of)} of {len(stars)} people, no nearer to each other than "
             f"{sample.look_every(0):g} s.{left_out(stars, seen_of)}")
    return Check(WORN, "attacked", tried, looked, "faces", tuple(findings), figures, tuple(looks))


def _likeness_by_window(star: Star, mask: Floats, part: int) -> dict[tuple[int, int], float]:
    """Median cosine of the looks of each `LOOKS` or so with the mask, by span of frames: a fade to the veil does not count."""
    rows = unit(np.stack(star.vectors)[:, part]) @ mask
    groups = np.array_split(np.arange(len(rows)), max(1, len(rows) // LOOKS))
    return {(star.frames[g[0]], star.frames[g[-1]] + 1): float(np.median(rows[g])) for g in groups}
