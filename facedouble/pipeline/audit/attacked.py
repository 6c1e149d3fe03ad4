"""The informed attackers: who knows the program, the double and the settings, and has other footage of everybody.

The parrot: known people get the film's own double, and like is matched with like. Motion: habits of face and head are matched.
The double itself: does everybody look like the witness with it on? What the first two find is said in plain words in any case;
only past a limit of the options is it a finding. And whether what is worn is the double that was decided on at all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from facedouble.audit.account import Account, Told
from facedouble.audit.verdict import Check
from facedouble.media.decode import frames
from facedouble.options import Options
from facedouble.pipeline.audit.glimpse import Embed, Find, glimpse
from facedouble.pipeline.audit.moving import CALMS, Watch
from facedouble.pipeline.audit.parrot import Mask
from facedouble.pipeline.audit.parroted import parroted
from facedouble.pipeline.audit.sample import ALIKE, MOTION, PARROT, WORN, Known, Means, Sample, Star, untried
from facedouble.pipeline.audit.traced import traced
from facedouble.pipeline.sight import Follower
from facedouble.types import MediaInfo

DRAWN: Final = ("double", "mannequin")


def attacked(film: MediaInfo, account: Account, masks: Mapping[str, Sequence[Mask]], known: Known, means: Means, options: Options,
             exhaustive: bool = False) -> list[Check]:
    """All of it on a finished film.

    Parameters
    ----------
    account : who is where in each frame of the output, and what he wears there
    masks : by the plan's id, the face that each wears, or those of which each wears one; who is not in it is not attacked by
        the parrot
    options : those that the film was drawn with
    exhaustive : look at everything instead of a sample
    """
    sample = Sample(options.audit, exhaustive)
    asked = {who: files for who, files in known.witness.items() if files}
    others = {f"gallery {name}": files for name, files in known.gallery.items() if files}
    find, embed = means.seers()
    stars = watched(film, account, {*asked, *masks}, set(asked) if others else set(), find, embed, means.mesh, sample, known.own)
    if not stars:
        return [untried(name, "nobody is known to wear a double in this film") for name in (WORN, ALIKE, PARROT, MOTION)]
    asked = {who: files for who, files in asked.items() if who in stars}
    checks = parroted(stars, masks, asked, others, known.own, means, options, sample)
    lacks = "needs footage or photos of a witness who wears a double (--witness)" if not asked else (
        "" if others else "needs other people to be taken for (--gallery)")
    return [*checks, untried(MOTION, lacks) if lacks else
            traced(stars, asked, others, known.own, find, means.mesh, options, sample)]


def watched(film: MediaInfo, account: Account, people: set[str], moving: set[str], find: Find, embed: Embed,
            mesh: Callable[[], Follower], sample: Sample, half: bool = False) -> dict[str, Star]:
    """One reading of the film: what is seen of those of the people who wear a double in it, and how some of them move."""
    rate, seconds = float(film.rate), float(film.duration or 0)
    look, window = (max(1, round(every * rate)) for every in (sample.look_every(seconds), sample.motion_every(seconds)))
    stop = seconds * rate / 2 if half else math.inf
    length = round(sample.audit.motion_seconds * rate)
    stars: dict[str, Star] = {}
    try:
        for frame in frames(film):
            for told in _largest(account(frame.index), people):
                if told.person not in stars:
                    watch = Watch(mesh(), rate, sample.audit.motion_seconds, CALMS) if told.person in moving else None
                    stars[told.person] = Star(rate, watch, stop)
                star = stars[told.person]
                if frame.index % look == 0 and not frame.corrupt:
                    seen = glimpse(frame, told.box, find, embed)
                    if seen is not None:
                        star.vectors.append(seen)
                        star.frames.append(frame.index)
                if star.watch is not None and (sample.exhaustive or frame.index % window < length):
                    star.watch(frame, told.box)
    finally:
        for star in stars.values():
            if star.watch is not None:
                star.watch.close()
    return stars


def _largest(told: Sequence[Told], people: set[str]) -> Iterator[Told]:
    """Of each of the people who wears a double the largest face."""
    for who in sorted({t.person for t in told if t.person in people and t.treatment in DRAWN}):
        yield max((t for t in told if t.person == who and t.treatment in DRAWN), key=lambda t: t.box.area)
