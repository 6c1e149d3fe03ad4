"""The shot list in plain words and as a page of drawings: what the volunteer films for one piece of footage."""

from __future__ import annotations

import numpy as np

from facedouble.doubles.drawing import Look
from facedouble.doubles.guide import LEAST_FACE
from facedouble.doubles.page import Cell, Page
from facedouble.doubles.shotlist import EYE_MM, EYEBALL_MM, STEP, Light, Needs, parts, worth

TURN, GAZE = 10, 8  # degrees: less is within a face at rest
EYES_MM, FINGER_MM = 88.0, 16.0  # adult averages: between the outer corners of the eyes, a finger's width
LARGER = 1.5  # times the face of the footage: the double's pictures are turned and stretched
EVEN, STRONG = 1.35, 2.5  # light side over dark side
COLD, WARM = 1.5, 3.2  # red over blue, linear, of lit skin of any tone
MANY = 9  # cells on a page; more stand four in a row
FRONTAL = "into the camera"
SIDES = {12: "straight above", 1: "above right", 2: "above right", 3: "the right", 4: "below right", 5: "below right",
         6: "straight below", 7: "below left", 8: "below left", 9: "the left", 10: "above left", 11: "above left"}


def light_words(light: Light) -> str:
    """In plain English, for whoever sets the lamps."""
    hue = "warm" if light.warmth > WARM else "cold" if light.warmth < COLD else "neutral"
    if light.contrast < EVEN:
        return f"even, from the front; {hue} in colour"
    how = "strong" if light.contrast > STRONG else "gentle"
    return (f"{how}, from {SIDES[light.hour]} as you see it in the picture ({light.hour} o'clock), the light side of the face "
            f"{light.contrast:.1f} times as bright as the dark one; {hue} in colour")


def _sides(values: tuple[int, int], low: str, high: str) -> str:
    ends = (min(values[0], 0), low), (max(values[1], 0), high)
    return " and ".join(f"{abs(v)}° {word}" for v, word in ends if v) or "not at all"


def _share(x: float) -> str:
    return f"{x:.0%} of the time" if x >= 0.01 else "now and then"


def lines(n: Needs) -> tuple[str, ...]:
    """The shot list in plain English; left and right are the volunteer's unless the picture is named."""
    mm = n.gap * EYES_MM
    fingers = ("less than a finger's width", "about one finger's width", "about two fingers' width",
               "about three fingers' width")[min(round(mm / FINGER_MM), 3)]
    expressions = [f"{what} ({_share(n.times[name])})" for name, what in (
        ("smile", "smiles with closed lips"), ("smile with teeth", "lips wide and apart, so that teeth show"),
        ("pucker", "lips pushed forward"), ("brows up", "brows up"), ("brows down", "brows down"),
        ("wink left", "left eye shut alone"), ("wink right", "right eye shut alone"),
        ("looking down", "eyes half closed or looking down")) if worth(n, name)]
    looks = [f"{v:.0f}° to the {side}" for v, side in zip(n.gaze, ("right", "left"), strict=False) if v >= GAZE]  # the picture's
    looks += [f"{v:.0f}° {side}" for v, side in zip(n.gaze[2:], ("up", "down"), strict=True) if v >= GAZE]
    pace = "calmly" if n.speed < 0.3 else "at a normal pace" if n.speed < 1.2 else "fast; move slowly all the same"
    needed, spare = parts(n)
    out = [
        f"Read from {n.frames} frames" + (f" of {n.tracks} stretches of film with a face." if n.tracks > 1 else "."),
        f"Head: turn {_sides(n.yaw, 'to the left', 'to the right')}; chin {_sides(n.pitch, 'up', 'down')}; "
        f"tilt {_sides(n.roll, 'to the right shoulder', 'to the left shoulder')}.",
        f"Usually: {_usual(n.usual)}. Film most of it from there.",
        f"Mouth: opens up to {mm:.0f} mm, {fingers}; " + ("it speaks." if n.speaks else "hardly any speech."),
        "Face: " + (", ".join(expressions) if expressions else "none that stand out") + ".",
        f"Eyes: {n.blinks} blinks; " + ("look " + ", ".join(looks) if looks else "look into one direction") + ".",
        *(f"Light: {light}." for light in _lights(n)),
        f"Size: the face is up to {n.face:.0f} px wide; film it at least {max(LEAST_FACE, round(n.face * LARGER, -1)):.0f} px.",
        f"Motion: the head moves {pace}.",
    ]
    if n.unread > 0.01:
        out.append(f"Unread: in {n.unread:.0%} of the frames the face is too small, turned or hidden; nothing to film for these.")
    out.append("Film: " + "; ".join(needed) + " (of the capture sheet).")
    out.append("Not needed: " + ("; ".join(spare) if spare else "nothing, film the whole capture sheet") + ".")
    return tuple(out)


def _usual(usual: tuple[float, float]) -> str:
    yaw, pitch = (round(v / STEP) * STEP for v in usual)
    if abs(yaw) < TURN and abs(pitch) < TURN:
        return FRONTAL
    ends = (yaw, "to the left", "to the right"), (pitch, "up", "down")
    return "turned " + " and ".join(f"{abs(v)}° {low if v < 0 else high}" for v, low, high in ends if abs(v) >= TURN)


def _lights(n: Needs) -> list[str]:
    """The lights in words, the most common first, at most three; with their shares if there are several."""
    shares: dict[str, float] = {}
    for light, share in n.lights:
        shares[light_words(light)] = shares.get(light_words(light), 0.0) + share
    common = sorted(shares.items(), key=lambda x: -x[1])[:3]
    return [words if len(common) == 1 else f"{words} ({_share(share)})" for words, share in common]


def _poses(n: Needs) -> list[Cell]:
    usual = Look(yaw=n.usual[0], pitch=n.usual[1])
    looks = (Look(),) if _usual(n.usual) == FRONTAL else (Look(), usual)
    cells = [Cell("Neutral", "always", looks, ("At rest, two seconds.",))]
    for heading, ends, sides, drawn in (("Turn", n.yaw, ("left", "right"), [Look(yaw=v) for v in n.yaw]),
                                        ("Chin", n.pitch, ("up", "down"), [Look(pitch=v) for v in n.pitch]),
                                        ("Tilt", n.roll, ("right", "left"), [Look(roll=v) for v in n.roll])):
        there = [(f"{abs(v)}° {side}", look) for v, side, look in zip(ends, sides, drawn, strict=True) if abs(v) > TURN]
        if there:
            cells.append(Cell(heading, "", tuple(look for _, look in there),
                              (", ".join(text for text, _ in there) + ",", "slowly there and back.")))
    return cells


def _expressions(n: Needs) -> list[Cell]:
    wide, narrow = min(max(n.width[1], 1.12), 1.4), max(min(n.width[0], 0.85), 0.55)
    right, left = max(n.gaze[1], GAZE), max(n.gaze[0], GAZE)  # of the picture

    def gaze(x: float, y: float) -> tuple[float, float]:
        shift = np.sin(np.radians([x, y])) * EYEBALL_MM / EYE_MM
        return float(np.clip(shift[0], -0.2, 0.2)), float(np.clip(shift[1], -0.1, 0.1))

    told = {
        "eyes closed": ("Blink", (Look(), Look(lids=(0, 0))), "Three times, then keep shut."),
        "smile": ("Smile", (Look(corners=0.08, width=wide, lids=(0.9, 0.9)),), "Lips closed."),
        "smile with teeth": ("Smile with teeth", (Look(corners=0.1, width=wide, gap=0.095, teeth=True, lids=(0.85, 0.85)),),
                             "Hold it."),
        "pucker": ("Lips forward", (Look(width=narrow),), "As for a kiss."),
        "brows up": ("Brows up", (Look(brows=float(np.clip(n.brows[1], 0.08, 0.15)), lids=(1.2, 1.2)),), "As if surprised."),
        "brows down": ("Brows down", (Look(brows=float(np.clip(n.brows[0], -0.12, -0.08)), lids=(0.8, 0.8)),), "A frown."),
        "wink left": ("Left eye shut", (Look(lids=(1, 0)),), "Hold it."),
        "wink right": ("Right eye shut", (Look(lids=(0, 1)),), "Hold it."),
        "looking down": ("Look down", (Look(lids=(0.55, 0.55), gaze=gaze(0, 20)),), "With the eyes, not the head."),
    }
    cells = [Cell(heading, f"{max(n.times[name], 0.01):.0%}", looks, (text,))
             for name, (heading, looks, text) in told.items() if worth(n, name)]
    if n.gap * EYES_MM > 3:
        how, looks = f"Open it up to {n.gap * EYES_MM:.0f} mm.", (Look(gap=n.gap / 2, teeth=True), Look(gap=n.gap, teeth=True))
        speak = Cell("Speak", "", looks, ("Say “a, e, i, o, u”.", how))
        cells.insert(0, speak if n.speaks else Cell("Mouth open", "", looks, (how,)))
    if max(n.gaze[:2]) >= GAZE:
        cells.append(Cell("Look aside", "", (Look(gaze=gaze(-left, 0)), Look(gaze=gaze(right, 0))), ("Eyes only, both sides.",)))
    return cells


def page(n: Needs) -> Page:
    """The shot list to print: the words, and a drawing for each pose and expression. Nothing of the witness is in it."""
    cells = _poses(n) + _expressions(n)
    foot = ("Set up as the capture sheet says, and light it as above. In doubt, film the whole capture sheet as well.",
            "Percentages are the share of the footage that shows it. The drawings show nobody.")
    return Page("Shot list for a double", tuple(f for line in lines(n) for f in folded(line)), tuple(cells), foot,
                3 if len(cells) <= MANY else 4)


def folded(line: str, most: int = 114) -> list[str]:
    """A line in pieces that fit on the page; the label before the first colon goes into a column of its own."""
    label, colon, text = line.partition(": ")
    text = text[:1].upper() + text[1:]
    if not colon or len(label) > 10:
        label, text = "", line
    rows = [""]
    for word in text.split(" "):
        if len(rows[-1]) + len(word) >= most - (16 if label else 0):
            rows.append("")
        rows[-1] = f"{rows[-1]} {word}".strip()
    return [f"{label if i == 0 else ''}\t{row}" if label else row for i, row in enumerate(rows)]
