"""What no check of the audit tells: said on every report, whatever was found. Each line is a topic, a colon, what it means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from facedouble.audit.verdict import VERDICT, Check

ALWAYS: Final = (
    "Hair, ears, neck, hands and body: they are the witness's own wherever the face is a double or a mannequin; so are scars "
    "and tattoos. Who knows the witness may know them by these alone. A cap, a veil over the hair or a region can cover them.",
    "Gait and posture: how somebody walks, sits and holds the head is kept, and it is personal. Shots of walking are better cut.",
    "Clothes and things: a jacket, a ring, a bag, a phone with its sticker. Nobody compared them with other pictures.",
    "Place and date: the room, the view from a window, signs, plates, screens, weather, shadows.",
    "What is said: names, what happened, a turn of phrase, accent and rhythm. What only one person can know names that person.",
    "What other people know: who was there, who was not at home that day, who has a copy of the footage.",
    "The camera's own pattern: a sensor leaves a pattern in its pictures, and enough footage can tie a film to it.",
    "Other recognisers than these: this page holds for the programs named at its end, with their limits. Somebody may have "
    "better ones, or build one.",
    "What only a person notices: no one has watched this film or listened to it for this page.")

FACES = "Faces in part of the film: whether a face can be seen or recognised was not tried to its end."
TOOL = ("Somebody who has this tool: nobody ran other footage of the witness through it with the same double, to compare like "
        "with like.")
MOTION = ("The way the face moves: nobody compared its movements with other footage of the witness. They are kept on purpose, "
          "and they are personal.")
TOLD = ("Somebody who has this tool, and how much he may tell: what such attackers could tell is measured above, and no limit is "
        "set for it.")
SOUND = "The sound: no one has listened, neither a person nor a program. Whatever is heard in the file is as it is."
NAMES = "Names that are spoken: there was no list of words that must not be heard, so none was searched for."
GALLERY = ("A line-up: no pictures of other people were given, so nobody tried whether the witness would be picked out of a row "
           "of people.")
SAMPLE = ("Some frames, for the slow checks: every frame was searched for faces, but the slow looks were taken on a sample. "
          "With `--exhaustive` they are taken on all.")


def remains(checks: Sequence[Check], *, sound: bool = True, words: bool = True, gallery: bool = True,
            exhaustive: bool = False) -> tuple[str, ...]:
    """The lines for an audit, what was left out this time first.

    sound: the file has any; words, gallery: a list of words, pictures of other people were given; exhaustive: no samples.
    """
    ran = [c for c in checks if not c.missing]
    groups = {c.group for c in ran}
    attacked = " ".join(c.name.lower() for c in ran if c.group == "attacked")
    left = ((FACES, "seen" not in groups or any(c.missing and c.needed for c in checks if c.group == "seen")),
            (TOOL, not any(word in attacked for word in ("parrot", "knows the double", "tool", "program"))),
            (MOTION, not any(word in attacked for word in ("motion", "move"))),
            (TOLD, any(VERDICT in c.figures and c.group == "attacked" for c in ran)),
            (SOUND, sound and "heard" not in groups), (NAMES, sound and "heard" in groups and not words),
            (GALLERY, not gallery), (SAMPLE, "seen" in groups and not exhaustive))
    return tuple(line for line, holds in left if holds) + ALWAYS
