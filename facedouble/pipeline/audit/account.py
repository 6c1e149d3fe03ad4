"""Who is where in a film that was made by a plan: the plan's words, and the places that its notes hold. Nothing of the render."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

from facedouble.audit.account import Account, Told
from facedouble.errors import InputRefused
from facedouble.plan.plan import Plan
from facedouble.types import Array, Box

Places = dict[int, tuple[int, Array]]
"""Number of a face -> its first frame, and its boxes (n, 4) x0 y0 x1 y1 px, one a frame."""


def places(notes: Path, footage: str) -> Places:
    """Where the faces of a clip are, out of its `.fnotes`. footage: the SHA-256 that they have to be about."""
    try:
        with safe_open(str(notes), framework="numpy") as stored:
            header = json.loads((stored.metadata() or {}).get("facedouble", "{}"))
            if header["footage"] != footage:
                raise InputRefused(f"{notes}: is of other footage; run `facedouble analyse` again")
            return {int(told["track"]): (int(stored.get_tensor(f"{k}.frame")[0]), np.asarray(stored.get_tensor(f"{k}.box")))
                    for k, told in enumerate(header["roles"])}
    except (SafetensorError, OSError, KeyError, ValueError, TypeError, IndexError) as error:
        raise InputRefused(f"{notes}: cannot be read, so that nobody knows whose face is where; run `facedouble analyse` "
                           "again") from error


def account_of_plan(plan: Plan, clip: str, where: Places, lead: int) -> Account:
    """The account of a film that begins with `lead` frames of a card, in which nobody is."""
    def account(number: int) -> list[Told]:
        frame = number - lead
        there = [(track, rows[frame - start]) for track, (start, rows) in where.items() if start <= frame < start + len(rows)]
        return [Told(Box.of(row), plan.treatment(clip, track, frame).face, owner(plan, clip, track, frame))
                for track, row in there]
    return account


def owner(plan: Plan, clip: str, track: int, frame: int) -> str:
    """The id of the person whose face this is, "" if nobody's or if two claim it."""
    found = [p.id for p in plan.people if any(f.clip == clip and f.track == track and f.start <= frame < f.end for f in p.faces)]
    return found[0] if len(found) == 1 else ""


def card_frames(plan: Plan, clip: str, rate: float) -> int:
    """How many frames of a card the plan has before a clip."""
    if plan.card is None or not (plan.card.on == "every" or clip == plan.clips[0].id):
        return 0
    return max(1, round(float(plan.card.seconds) * rate))
