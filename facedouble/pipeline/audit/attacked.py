"""The informed attackers: who knows the program, the double and the settings, and has other footage of everybody.

The parrot: known people get the film's own double, and like is matched with like. Motion: habits of face and head are matched.
The double itself: does everybody look like the witness with it on? What the first two find is said in plain words in any case;
only past a limit of the options is it a finding. And whether what is worn is the double that was decided on at all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from facedouble.audit.account import Account
from facedouble.audit.verdict import Check
from facedouble.media.decode import frames
from facedouble.options import Options
from facedouble.pipeline.audit.glimpse import Embed, Find, glimpse
from facedouble.pipeline.audit.moving import CALMS, Watch
from facedouble.pipeline.audit.parrot import NotTheFace
from facedouble.pipeline.audit.parroted import parroted
from facedouble.pipeline.audit.sample import ALIKE, MOTION, PARROT, WORN, Known, Means, Sample, Star, Wardrobe, largest, untried
from facedouble.pipeline.audit.traced import traced
from facedouble.pipeline.sight import Follower
from facedouble.types import MediaInfo


def attacked(film: MediaInfo, account: Account, worn: Wardrobe, known: Known, means: Means, options: Options,
             exhaustive: bool = False) -> list[Check]:
    """All of it on a finished film.

    Parameters
    ----------
    account : who is where in each frame of the output, and what he wears there
    worn : by the plan's id, the face that each wears; who is not in it is not attacked by the parrot
    options : those that the film was drawn with
    exhaustive : look at everything instead of a sample
    """
    sample = Sample(options.audit, exhaustive)
    known = replace(known, witness=sample.some({who: files for who, files in known.witness.items() if files}),
                    gallery={f"gallery {name}": files for name, files in known.gallery.items() if files})
    find, embed = means.seers()
    stars = watched(film, account, worn, known, find, embed, means.mesh, sample)
    checks = decided(worn)
    if not stars:
        return [*checks, *(untried(name, "nobody is known to wear a double in this film")
                           for name in (WORN, ALIKE, PARROT, MOTION)[bool(checks):])]
    known = replace(known, witness={who: files for who, files in known.witness.items() if who in stars})
    try:
        checks += parroted(stars, known, means, options, sample)
    except NotTheFace as error:
        why = str(error) if worn.planned else f"{error} (--double)"
        checks += [replace(untried(WORN, why), needed=worn.planned), untried(ALIKE, why), untried(PARROT, why)]
    return [*checks, untried(MOTION, known.lacks) if known.lacks else
            traced(stars, account, known, find, means.mesh, options, sample)]


def decided(worn: Wardrobe) -> list[Check]:
    """Whether the film was made with the doubles of the plan, by its own report; and which of them are not to be had."""
    tried = "The double that the plan names was compared with the one that the film's report says it was made with."
    found = [Check(WORN, "attacked", tried, len(worn.findings), "doubles", worn.findings)] if worn.findings else []
    return found + [Check(WORN, "attacked", tried, missing=why) for why in worn.lacks]


def watched(film: MediaInfo, account: Account, worn: Wardrobe, known: Known, find: Find, embed: Embed,
            mesh: Callable[[], Follower], sample: Sample) -> dict[str, Star]:
    """One reading of the film: what is seen of those of the people who wear a double in it, and how some of them move."""
    rate, people = float(film.rate), {*known.witness, *worn.turns}
    moving = set(known.witness) if known.gallery else set()
    seconds = float(film.duration or (film.frames or 0) / film.rate)
    window = max(1, round(sample.motion_every(seconds, max(len(moving), 1)) * rate))
    length = round(sample.audit.motion_seconds * rate)
    stars: dict[str, Star] = {}
    if not people:
        return stars
    try:
        for frame in frames(film):
            here = list(largest(account(frame.index), people))
            look = max(1, round(sample.look_every(seconds, len(here)) * rate))
            for told in here:
                if told.person not in stars:
                    watch = Watch(mesh(), rate, sample.audit.motion_seconds, CALMS) if told.person in moving else None
                    stars[told.person] = Star(rate, watch, told.person in known.own)
                star = stars[told.person]
                if frame.index % look == 0:
                    star.places.append((frame.index, told.box, worn(told.person, frame.index)))
                    seen = None if frame.corrupt else glimpse(frame, told.box, find, embed)
                    if seen is not None:
                        star.vectors.append(seen)
                        star.frames.append(frame.index)
                if star.watch is not None and (sample.exhaustive or frame.index % window < length):
                    star.watch(frame, told.box)
    finally:
        for star in stars.values():
            if star.watch is not None:
                star.watch.close()
    return {who: star for who, star in stars.items() if star.places}
