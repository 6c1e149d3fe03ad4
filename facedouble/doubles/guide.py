"""The capture sheet: what the volunteer films, part by part, as data and as a printed page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from facedouble.consent import SCOPES
from facedouble.doubles.drawing import Look
from facedouble.doubles.page import Cell, Page, page_format, render
from facedouble.publish import write_new
from facedouble.types import Value

LEAST_FACE = 300  # px


@dataclass(frozen=True)
class Part(Value):
    """One part of the sheet. `finds` are the names under which `capture.coverage` reports it; none if it cannot tell."""

    title: str
    seconds: int
    do: tuple[str, ...]
    looks: tuple[Look, ...]
    finds: tuple[str, ...] = ()


PARTS = (
    Part("Neutral", 2, ("Look into the camera. Lips closed,", "eyes open. This part matters most."), (Look(),), ("neutral",)),
    Part("Three blinks", 2, ("Blink three times, as you always do.",), (Look(), Look(lids=(0.0, 0.0)))),
    Part("Eyes closed", 2, ("Close both eyes gently and wait.",), (Look(lids=(0.0, 0.0)),), ("eyes closed",)),
    Part("Brows up, brows down", 3, ("As if surprised. Then as if the sun", "were in your eyes."),
         (Look(brows=0.12, lids=(1.2, 1.2)), Look(brows=-0.09, lids=(0.8, 0.8))), ("brows up", "brows down")),
    Part("Smiles", 4, ("With closed lips. Then a broad one", "that shows your teeth."),
         (Look(corners=0.08, width=1.25, lids=(0.85, 0.85)),
          Look(corners=0.10, width=1.35, gap=0.095, teeth=True, lids=(0.8, 0.8))),
         ("smile", "smile with teeth")),
    Part("Say “a, e, i, o, u”", 3, ("Slowly and clearly, one after the other.",),
         (Look(gap=0.24, teeth=True), Look(gap=0.07, width=1.2, teeth=True), Look(gap=0.13, width=0.66))),
    Part("Mouth wide open", 2, ("As at the dentist's, teeth in view.",), (Look(gap=0.45, width=0.95, teeth=True, brows=0.03),),
         ("mouth wide open",)),
    Part("Kiss", 2, ("Push the lips forward and hold.",), (Look(width=0.58),), ("pucker",)),
    Part("Puffed cheeks", 2, ("Fill both cheeks with air, lips closed.",), (Look(cheeks=0.14, width=0.9),)),
    Part("Wink left, wink right", 3, ("One eye shut, the other one open.", "Hold each for a second."),
         (Look(lids=(1.0, 0.0)), Look(lids=(0.0, 1.0))), ("wink left", "wink right")),
    Part("Turn left, turn right", 5, ("Slowly, half way to the shoulder (45°),", "and back. The eyes go with the head."),
         (Look(yaw=-42), Look(yaw=42)), ("turn left", "turn right")),
    Part("Nod", 4, ("Chin slowly up, then slowly down,", "about 20° each way."), (Look(pitch=-20), Look(pitch=20)), ("nod",)),
)

SET_UP = (
    f"For the volunteer and whoever films. One clip of about {sum(p.seconds for p in PARTS)} seconds, or several. "
    "Practise once, then film.",
    "# How to set up",
    "Light\tEven and soft, from the front: face a large window or a white wall. No sun, no lamp from the side.",
    "Camera\tAt eye height, on a tripod, sharp, at least an arm's length away.",
    f"Face\tAt least {LEAST_FACE} pixels wide in the picture: in Full HD, a sixth of its width.",
    "Hair\tOff the forehead, behind the ears, no fringe. No hat, nothing over brows or chin.",
    "Glasses\tOff. No heavy make-up, no face paint; filters and beauty mode of the phone off.",
    "Do each part slowly and come back to the neutral face in between. After a slip just repeat the part.",
)
CONSENT = (
    "# Before anything is filmed: consent, in writing",
    "The volunteer knows what the film is about, where it will be shown and how to withdraw. Write in consent.toml",
    f"name or code · scope (any of: {', '.join(SCOPES)}) · date (as 2026-01-31) · until (optional) · note (optional)",
)


def sheet() -> Page:
    """The capture sheet as a page."""
    return Page("Capture sheet for a double", SET_UP,
                tuple(Cell(f"{i}  {p.title}", f"{p.seconds} s", p.looks, p.do) for i, p in enumerate(PARTS, 1)), CONSENT)


def capture_sheet(path: Path) -> None:
    """Write the sheet, PDF or PNG by the suffix. UsageError for another suffix, StoreError if the file exists."""
    write_new(path, render(sheet(), page_format(path)))
