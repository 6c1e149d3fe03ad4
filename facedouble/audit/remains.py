"""What no check of the audit tells: said on every report, whatever was found. Each line is a topic, a colon, and what it means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from facedouble.audit.verdict import Check

ALWAYS: Final = (
    "Hair, ears, neck and body: they are the witness's own wherever the face is a double or a mannequin. So are hands, scars and "
    "tattoos. People who know the witness may know them by these alone. A cap, a veil over the hair or a region can cover them.",
    "Gait and posture: how somebody walks, sits and holds the head is kept, and is personal. Shots of walking are safer left out.",
    "Clothes and things: a jacket, a ring, a bag, a phone with its sticker. Nobody compared them with other pictures of the witness.",
    "Place and date: the room, the view from a window, signs, plates, screens, weather, shadows.",
    "Words: what is told, names, a turn of phrase, accent and rhythm. What only one person can know names that person.",
    "What other people know: who was there, who was away from home that day, who has a copy of the footage.",
    "The camera: a sensor leaves a pattern in its pictures, and enough footage can tie a film to it.",
    "Other recognisers: this page holds for the programs named below, on this day. Somebody may have better ones, or build one.",
    "Your own eyes and ears: no person has watched or listened for this page.")

FACES = "Faces nobody looked for: whether a face can be seen or recognised was not tried to its end."
MOTION = ("The way the face moves: no attacker compared the movements of the face with other footage of the witness. They are kept on "
          "purpose, and they are personal.")
TOOL = ("Somebody who has this tool: nobody ran other footage of the witness through it with the same double, to compare like with "
        "like.")
SOUND = "The sound: no one has listened, neither a person nor a program. Whatever is heard in the file is as it is."
NAMES = "Names that are spoken: there was no list of words that must not be heard, so none was searched for."
GALLERY = ("A line-up: no pictures of other people were given, so whether the witness would be picked out of a row of people was tried "
           "only as far as the footage goes.")
SAMPLE = "Every frame, closely: the slow looks were taken on a sample of the frames; `--exhaustive` takes them on all."


def remains(checks: Sequence[Check], *, sound: bool = True, words: bool = True, gallery: bool = True, exhaustive: bool = False
            ) -> tuple[str, ...]:
    """The lines for an audit, what was left out first.

    sound: the file has any; words, gallery: a list of words and pictures of other people were given; exhaustive: nothing was sampled.
    """
    ran = [c for c in checks if not c.missing]
    groups = {c.group for c in ran}
    attacked = " ".join(c.name.lower() for c in ran if c.group == "attacked")
    left = [(FACES, "seen" not in groups or any(c.missing and c.needed for c in checks if c.group == "seen")),
            (TOOL, not any(word in attacked for word in ("parrot", "same double", "like with like", "tool"))),
            (MOTION, not any(word in attacked for word in ("motion", "move"))),
            (SOUND, sound and "heard" not in groups), (NAMES, sound and "heard" in groups and not words),
            (GALLERY, not gallery), (SAMPLE, "seen" in groups and not exhaustive)]
    return tuple(line for line, holds in left if holds) + ALWAYS
