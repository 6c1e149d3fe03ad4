"""The informed attackers: who knows the program, the double and the settings, and has other footage of everybody.

The parrot: known people get the film's own double, and like is matched with like. Motion: habits of face and head are matched.
The double itself: does everybody look like the witness with it on? What the first two find is said in plain words in any case;
only past a limit of the options is it a finding. And whether what is worn is the double that was decided on at all.
"""

from __future__ import annotations

from dataclasses import replace

from facedouble.audit.account import Account
from facedouble.audit.verdict import Check
from facedouble.options import Options
from facedouble.pipeline.audit.glimpse import glimpse
from facedouble.pipeline.audit.moving import CALMS, Watch
from facedouble.pipeline.audit.parrot import NotTheFace
from facedouble.pipeline.audit.parroted import parroted
from facedouble.pipeline.audit.sample import ALIKE, MOTION, PARROT, WORN, Known, Means, Sample, Star, Wardrobe, largest, untried
from facedouble.pipeline.audit.traced import traced
from facedouble.types import Frame, MediaInfo


class Attack:
    """All of it on a finished film: `take` every frame of it, once, then `checks`; `close` in any case.

    Parameters
    ----------
    account : who is where in each frame of the output, and what he wears there
    worn : by the plan's id, the face that each wears; who is not in it is not attacked by the parrot
    options : those that the film was drawn with
    exhaustive : look at everything instead of a sample
    """

    def __init__(self, film: MediaInfo, account: Account, worn: Wardrobe, known: Known, means: Means, options: Options,
                 exhaustive: bool = False) -> None:
        self.account, self.worn, self.means, self.options = account, worn, means, options
        self.sample = Sample(options.audit, exhaustive)
        self.known = replace(known, witness=self.sample.some({who: files for who, files in known.witness.items() if files}),
                             gallery={f"gallery {name}": files for name, files in known.gallery.items() if files})
        self.find, self.embed = means.here or means.seers()
        self.rate, self.people = float(film.rate), {*self.known.witness, *worn.turns}
        self.moving = set(self.known.witness) if self.known.gallery else set[str]()
        self.seconds = float(film.duration or (film.frames or 0) / film.rate)
        self.window = max(1, round(self.sample.motion_every(self.seconds, max(len(self.moving), 1)) * self.rate))
        self.length = round(options.audit.motion_seconds * self.rate)
        self.stars: dict[str, Star] = {}

    def take(self, frame: Frame) -> None:
        """The next frame: what is seen of those of the people who wear a double in it, and how some of them move."""
        here = list(largest(self.account(frame.index), self.people)) if self.people else []
        look = max(1, round(self.sample.look_every(self.seconds, len(here)) * self.rate))
        for told in here:
            star = self._star(told.person)
            masks, due = self.worn(told.person, frame.index), frame.index % look == 0
            early = self.known.footage is not None and star.early(masks, frame.index)
            seen = glimpse(frame, told.box, self.find, self.embed) if (due or early) and not frame.corrupt else None
            if due:
                star.places.append((frame.index, told.box, masks))
                if seen is not None:
                    star.vectors.append(seen)
                    star.frames.append(frame.index)
            if early and seen is not None:
                star.first.setdefault(masks, []).append((frame.index, told.box, seen))
            if star.watch is not None and (self.sample.exhaustive or frame.index % self.window < self.length):
                star.watch(frame, told.box)

    def _star(self, who: str) -> Star:
        if who not in self.stars:
            watch = Watch(self.means.mesh(), self.rate, self.options.audit.motion_seconds, CALMS) if who in self.moving else None
            self.stars[who] = Star(self.rate, watch, who in self.known.own)
        return self.stars[who]

    def close(self) -> None:
        """Free the landmarkers."""
        for star in self.stars.values():
            if star.watch is not None:
                star.watch.close()

    def checks(self) -> list[Check]:
        """What was found."""
        stars = {who: star for who, star in self.stars.items() if star.places}
        made = decided(self.worn)
        if not stars:
            return [*made, *(untried(name, "nobody is known to wear a double in this film")
                             for name in (WORN, ALIKE, PARROT, MOTION)[bool(made):])]
        known = replace(self.known, witness={who: files for who, files in self.known.witness.items() if who in stars})
        try:
            made += parroted(stars, known, self.means, self.options, self.sample)
        except NotTheFace as error:
            why = str(error) if self.worn.planned else f"{error} (--double)"
            made += [replace(untried(WORN, why), needed=self.worn.planned), untried(ALIKE, why), untried(PARROT, why)]
        return [*made, untried(MOTION, known.lacks) if known.lacks else
                traced(stars, self.account, known, self.find, self.means.mesh, self.options, self.sample)]


def decided(worn: Wardrobe) -> list[Check]:
    """Whether the film was made with the doubles of the plan, by its own report; and which of them are not to be had."""
    tried = "The double that the plan names was compared with the one that the film's report says it was made with."
    found = [Check(WORN, "attacked", tried, len(worn.findings), "doubles", worn.findings)] if worn.findings else []
    return found + [Check(WORN, "attacked", tried, missing=why) for why in worn.lacks]
