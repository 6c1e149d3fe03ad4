"""The informed attackers: who knows the program, the double and the settings, and has other footage of everybody.

The parrot: known people get the film's own double, and like is matched with like. Motion: habits of face and head are matched.
The double itself: does everybody look like the witness with it on? What the first two find is said in plain words in any case;
only past a limit of the options is it a finding.
"""

from __future__ import annotations

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
from facedouble.pipeline.audit.sample import ALIKE, MOTION, PARROT, Known, Means, Sample, Star, untried
from facedouble.pipeline.audit.traced import traced
from facedouble.pipeline.sight import Follower
from facedouble.types import MediaInfo

WORN: Final = ("double", "mannequin")


def attacked(film: MediaInfo, account: Account, masks: Mapping[str, Mask], known: Known, means: Means, options: Options,
             exhaustive: bool = False) -> list[Check]:
    """All of it on a finished film.

    Parameters
    ----------
    account : who is where in each frame of the output, and what he wears there
    masks : by the plan's id, the face that each wears; who is not in it is not attacked by the parrot
    options : those that the film was drawn with
    exhaustive : look at everything instead of a sample
    """
    sample = Sample(options.audit, exhaustive)
    asked = {who: files for who, files in known.witness.items() if files}
    others = {f"gallery {name}": files for name, files in known.gallery.items() if files}
    if not asked or not others:
        lacks = "footage or photos of the witness (--witness)" if not asked else "other people to be taken for (--gallery)"
        return [untried(name, f"needs {lacks}") for name in (ALIKE, PARROT, MOTION)]
    find, embed = means.seers()
    stars = watched(film, account, set(asked), known.own, find, embed, means.mesh, sample)
    if not stars:
        return [untried(name, "none of those whose footage was given wears a double in this film")
                for name in (ALIKE, PARROT, MOTION)]
    asked = {who: asked[who] for who in stars}
    return [*parroted(stars, masks, asked, others, known.own, means, options, sample),
            traced(stars, asked, others, known.own, find, means.mesh, options, sample)]


def watched(film: MediaInfo, account: Account, people: set[str], half: bool, find: Find, embed: Embed,
            mesh: Callable[[], Follower], sample: Sample) -> dict[str, Star]:
    """One reading of the film: what is seen of those of the people who wear a double in it; in its first half only, if so."""
    rate, seconds = float(film.rate), float(film.duration or 0)
    stop = round(seconds * rate / 2) if half else None
    look, window = (max(1, round(every * rate)) for every in (sample.look_every(seconds), sample.motion_every(seconds)))
    length = round(sample.audit.motion_seconds * rate)
    stars: dict[str, Star] = {}
    try:
        for frame in frames(film):
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
    finally:
        for star in stars.values():
            star.watch.close()
    return stars


def _largest(told: Sequence[Told], people: set[str]) -> Iterator[Told]:
    """Of each of the people who wears a double the largest face."""
    for who in sorted({t.person for t in told if t.person in people and t.treatment in WORN}):
        yield max((t for t in told if t.person == who and t.treatment in WORN), key=lambda t: t.box.area)
