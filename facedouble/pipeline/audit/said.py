"""What a plan, or a report, says of a clip's sound, as the audit reads it (`audit.said`): from the texts, not from the render."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from facedouble import disk
from facedouble.audit.said import Said, Spans, Voiced, joined
from facedouble.errors import InputRefused
from facedouble.plan.plan import Plan
from facedouble.plan.times import seconds
from facedouble.types import MediaInfo

SAMPLES = 16_000  # a second, of the times in heard.json


def said_of_plan(plan: Plan, clip: str, info: MediaInfo, heard: Path | None) -> Said:
    """What a plan says. heard: `CLIP.heard.json`, where somebody was heard to speak; None, or no file: nobody listened."""
    entry, behind = plan.clip(clip), plan.behind(clip)
    turns = tuple(Voiced(t.start, t.stop, plan.voicing(t).voice, t.person) for _, t in plan.turns(clip))
    bleeps = tuple((b.start, b.stop, b.sound == "tone") for b in plan.bleeps if b.clip == clip)
    length = math.floor(entry.frames / entry.rate * 1000)
    ambience = behind.kind if behind is not None else "none" if all(t.voice == "mute" for t in turns) else "new"
    return Said(length, turns, bleeps, _heard(heard, entry.sha256, info), ambience)


def _heard(path: Path | None, footage: str, info: MediaInfo) -> Spans | None:
    """Ms from the first picture in which somebody speaks; None if that is not known of this footage."""
    if path is None or not disk.is_file(path):
        return None
    try:
        held = json.loads(disk.read(path))
        if held["footage"] != footage:
            return None
        first = min((a.start for a in info.audio), default=Fraction(0)) - info.start
        rows = [((Fraction(int(row[0]), SAMPLES) + first) * 1000, (Fraction(int(row[1]), SAMPLES) + first) * 1000)
                for row in held["turns"]]
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise InputRefused(f"{path}: not whole, so that it is not known where somebody speaks; run `facedouble analyse` again") \
            from error
    return joined((math.floor(a), math.ceil(b)) for a, b in rows)


def said_of_report(report: Mapping[str, Any], info: MediaInfo) -> Said:
    """What the report of a clip says, for one that was made without a plan; InputRefused if it does not say it."""
    try:
        length = math.floor(int(report["frames"]) / info.rate * 1000)
        sound = report.get("sound")
        if sound is None:
            if report["voice"] not in ("mute", "keep"):
                raise ValueError(report["voice"])
            return Said(length, whole=report["voice"] == "keep")
        turns = tuple(Voiced(_ms(t["from"]), _ms(t["to"]), "mute" if t["failed"] else str(t["voice"]).split(" ")[0],
                             str(t["person"] or "")) for t in sound["turns"])
        bleeps = tuple((_ms(a), _ms(b), None) for a, b in sound["bleeps"])
        heard = joined((t.start, t.stop) for t in turns) if sound["listened"] else None
        return Said(length, turns, bleeps, heard, str(sound["ambience"]))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputRefused("the report beside the film does not say what is heard in it; make the film again") from error


def _ms(code: object) -> int:
    return round(seconds(code) * 1000)
