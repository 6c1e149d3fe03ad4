"""Who is where in a film that was made by a plan: the plan's words, and the places that its notes hold. Nothing of the render."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np
from safetensors import SafetensorError

from facedouble import disk, tensors
from facedouble.audit.account import Account, ByFrame, Told, ignored
from facedouble.audit.likeness import Known, grouped
from facedouble.audit.scene import OPEN, Models
from facedouble.colour import picture
from facedouble.errors import InputRefused
from facedouble.geometry import overlap
from facedouble.media.decode import frames
from facedouble.media.probe import probe
from facedouble.plan.people import Treatment
from facedouble.plan.plan import Plan
from facedouble.types import Array, Box, Floats, Frame, Seer

EACH = 25  # frames of the footage from look to look at who is protected
DIGITS = 16  # of the notes' SHA-256 in a plan
LEAST = 20.0  # px of a face that a recogniser can tell anything from
SEEN = 0.3  # of a reveal: from then on something of the face may be seen; it is drawn from .4 on
SAME = 0.3  # overlap from which a face is the one that the plan has there
SAME_FACE = 0.363  # likeness from which two looks are of one person, as SFace's authors have it
FEW, APART = 3, 5  # looks by which somebody is known; frames between those at large faces
NOBODYS = "nobody's"  # whom the plan gives to nobody, each as a person

Places = dict[int, tuple[int, Array]]
"""Number of a face -> its first frame, and its boxes (n, 4) x0 y0 x1 y1 px, one a frame."""


def places(notes: Path, footage: str, told: str) -> Places:
    """Where the faces of a clip are, out of its `.fnotes`.

    footage: the SHA-256 that they have to be about; told: the notes' own, by which the plan knows them: those of
    another analysis number the faces in another way.
    """
    try:
        data = disk.read(notes)
        stored = tensors.parse(data)
        if hashlib.sha256(data).hexdigest()[:DIGITS] != told:
            raise InputRefused(f"{notes}: is not the analysis that numbered the faces of the plan; put that one back")
        header = json.loads(stored.metadata.get("facedouble", "{}"))
        if header["footage"] != footage:
            raise InputRefused(f"{notes}: is of other footage; run `facedouble analyse` again")
        tracks = [int(role["track"]) for role in header["roles"]]
        return {t: (int(stored.get(f"{k}.frame")[0]), np.asarray(stored.get(f"{k}.box"))) for k, t in enumerate(tracks)}
    except (SafetensorError, OSError, KeyError, ValueError, TypeError, IndexError) as error:
        raise InputRefused(f"{notes}: cannot be read, so that nobody knows whose face is where; run `facedouble analyse` "
                           "again") from error


def account_of_plan(plan: Plan, clip: str, where: Places, lead: int) -> Account:
    """The account of a film that begins with `lead` frames of a card, in which nobody is."""
    tracks = list(where)
    by = ByFrame((start, start + len(rows)) for start, rows in where.values())
    owners: dict[int, list[tuple[int, int, str]]] = {}
    for start, stop, track, person in ((f.start, f.end, f.track, p.id) for p in plan.people for f in p.faces if f.clip == clip):
        owners.setdefault(track, []).append((start, stop, person))

    def told(track: int, frame: int) -> Told:
        start, rows = where[track]
        persons = [person for a, b, person in owners.get(track, ()) if a <= frame < b]
        return Told(Box.of(rows[frame - start]), _worn(plan.treatment(clip, track, frame), frame),
                    persons[0] if len(persons) == 1 else "", track)

    def account(number: int) -> list[Told]:
        return [told(tracks[k], number - lead) for k in by.at(number - lead)]
    return account


def _worn(said: Treatment, frame: int) -> str:
    """What a face gets; a reveal is what it begins with, until something of the face may be seen."""
    return said.before if said.face == "reveal" and said.shown(frame) < SEEN else said.face


def owner(plan: Plan, clip: str, track: int, frame: int) -> str:
    """The id of the person whose face this is, "" if nobody's or if two claim it."""
    found = [p.id for p in plan.people if any(f.clip == clip and f.track == track and f.start <= frame < f.end for f in p.faces)]
    return found[0] if len(found) == 1 else ""


def card_frames(plan: Plan, clip: str, rate: float) -> int:
    """How many frames of a card the plan has before a clip."""
    if plan.card is None or not (plan.card.on == "every" or clip == plan.clips[0].id):
        return 0
    return max(1, round(float(plan.card.seconds) * rate))


def known_of(source: Path, account: Account, lead: int, models: Models,
             each: int = EACH) -> tuple[list[Known], list[Known], list[str]]:
    """What those of a plan look like: who is protected; and who is shown, with places that are ignored. By their ids; and the ids
    of those who are protected and whom nobody could be known by.

    Each face that the plan has somebody at is looked at in every `each`th frame of the footage; of whom that gives fewer than
    `FEW` looks, the largest faces, too, at full size.
    """
    vectors: dict[tuple[str, bool], list[Floats]] = {}
    largest: dict[tuple[str, bool], list[tuple[float, int]]] = {}  # area and frame, the largest first
    for frame in frames(probe(source)):
        told = account(frame.index + lead)
        if told and frame.index % each == 0:
            _look(frame, told, models.seer, models, vectors)
        for one in told:
            if one.treatment == "ignore":
                continue
            held = largest.setdefault(_key(one), [])
            near = next((k for k, (_, at) in enumerate(held) if abs(at - frame.index) < APART), len(held))
            if near == len(held) or held[near][0] < one.box.area:
                held[near : near + 1] = [(one.box.area, frame.index)]
                held.sort(reverse=True)
                del held[FEW:]
    few = {key: {at for _, at in held} for key, held in largest.items() if len(vectors.get(key, ())) < FEW}
    last = max((at for some in few.values() for at in some), default=-1)
    for frame in islice(frames(probe(source)), last + 1):
        told = [t for t in account(frame.index + lead) if frame.index in few.get(_key(t), ())]
        if told:
            _look(frame, told, models.whole, models, vectors)
    made = {key: np.stack(rows) for key, rows in vectors.items()}
    protected = [Known(name, rows) for (name, shown), some in made.items() if not shown
                 for rows in (grouped(list(some), SAME_FACE) if name == NOBODYS else [some])]
    unknown = sorted(name for name, shown in largest if not shown and (name, shown) not in made)
    return protected, [Known(name, rows) for (name, shown), rows in made.items() if shown], unknown


def _key(told: Told) -> tuple[str, bool]:
    return ignored(told.track) if told.treatment == "ignore" else told.person or NOBODYS, told.treatment in OPEN


def _look(frame: Frame, told: Sequence[Told], find: Seer, models: Models, vectors: dict[tuple[str, bool], list[Floats]]) -> None:
    """What those look like who are there."""
    rgb = picture(frame)
    for face in find(rgb):
        one = max(told, key=lambda t: overlap(t.box, face.box))
        if face.box.width >= LEAST and overlap(one.box, face.box) > SAME:
            vectors.setdefault(_key(one), []).append(models.knower(rgb, face.points))
