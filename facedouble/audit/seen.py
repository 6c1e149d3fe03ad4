"""What is seen in the output, frame by frame: is every face accounted for, is anything of the footage in it, who is it taken for.

`Watch` takes the frames of the output with those of the footage, holds three of them reduced and a few numbers of each person,
and says at the end what was found. Models come as callables.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from facedouble.audit.account import Account, Told
from facedouble.audit.copies import COPIES, dark, soft
from facedouble.audit.follow import Follower, Step
from facedouble.audit.likeness import Known, nearest, rank, unit
from facedouble.audit.reuse import Reuse, compare, luma, peak
from facedouble.audit.spans import Spans
from facedouble.audit.verdict import Check, Figure
from facedouble.colour import picture
from facedouble.geometry import holds, inside, overlap
from facedouble.options import AuditOptions
from facedouble.types import Array, Box, Bytes, Floats, Frame, Knower, Seen, Seer

DRAWN: Final = ("double", "mannequin")
COVERED: Final = ("veil", "hide")
OPEN: Final = ("show", "reveal", "ignore")
WHOLE: Final = 0.98  # of the picture: from that on `hide` means all of it
FLAT: Final = 3.0  # levels: standard deviation up to which a picture is one colour
MOST: Final = 32  # faces of a frame that are embedded

Record = Callable[[str, int, Sequence[float]], None]
"""Name of a measure, frame, its numbers: what a bench fixes limits by."""


@dataclass(frozen=True)
class Models:
    """seer: every frame, reduced; whole: full size; knower: whom a face looks like."""

    seer: Seer
    whole: Seer
    knower: Knower


@dataclass
class _Person:
    """Somebody's running figures. surface: sum of the comparisons of a second; vectors: sum of the embeddings of a second."""

    surface: Floats
    compared: int = 0
    since: int = 0


@dataclass
class _Path:
    """A face of the output through the frames: where it was last, and what it looked like in this second and altogether."""

    box: Box
    frame: int
    second: list[Floats] = field(default_factory=list)
    begun: int = 0
    total: Floats = field(default_factory=lambda: np.zeros(128, np.float32))


class Watch:
    """`take` every frame, then `checks`. rate: frames of a second."""

    def __init__(self, account: Account, models: Models, limits: AuditOptions, rate: float, references: Sequence[Known] = (),
                 gallery: Sequence[Known] = (), record: Record = lambda name, frame, numbers: None) -> None:
        self.account, self.models, self.limits, self.record = account, models, limits, record
        self.references, self.gallery = references, gallery
        self.second = max(2, round(rate))
        self.follower = Follower()
        self.spans = {name: Spans() for name in ("faces", "copies", "reuse", "eyes", "known", "follow")}
        self.figures: dict[str, dict[str, float]] = {name: {} for name in self.spans}
        self.looked = dict.fromkeys(self.spans, 0)
        self.people: dict[str, _Person] = {}
        self.paths: list[_Path] = []
        self.ranks: list[int] = []
        self.frames = self.sourceless = 0
        self.told: dict[int, Sequence[Told]] = {}
        self.cut = False
        self.last: Array | None = None

    def take(self, number: int, output: Frame, source: Frame | None, ends: bool = False) -> None:
        """The next frame; source: the frame of the footage that it was made of; ends: it is the last one."""
        told = self.account(number)
        rgb = picture(output)
        bright = luma(output)
        below = None if source is None else luma(source)
        if below is not None and below.shape != bright.shape:
            below = None
        self.frames += 1
        self.sourceless += below is None
        faces = self.models.seer(rgb)
        self._account(number, faces, told, bright, below)
        self._copies(number, rgb, told, bright, below, ends)
        self._hidden(number, told, bright)
        if below is not None:
            self._reuse(number, told, below, bright)
        self._know(number, rgb, faces, told)
        step = self.follower.take(number, bright, below, [t.box for t in told if t.treatment != "ignore"])
        self._followed(step)
        if ends:
            self._followed(self.follower.finish())
            self._settle(number)

    # faces

    def _account(self, number: int, faces: Sequence[Seen], told: Sequence[Told], output: Array, source: Array | None) -> None:
        spans = self.spans["faces"]
        for face in faces:
            if face.score < self.limits.seen_score:
                continue
            self.looked["faces"] += 1
            known = matched(face, told)
            if any(t.treatment in (*DRAWN, *OPEN) for t in known):
                continue
            bare = _bare(source, output, face.box)
            self.record("unknown", number, (face.score, face.box.width, len(known), float(bare)))
            if any(t.treatment == "maybe" for t in known) and not bare:
                continue
            if any(t.treatment in COVERED for t in known):
                what = "A face can be seen where the plan has a veil or a cover."
            elif bare:
                what = "A face of the footage can be seen that the plan does not know, and that nothing covers."
            else:
                what = "A face can be seen where the plan has nobody."
            person = known[0].person if known else ""
            spans.add(what, number, face.box, face.score, self.limits.seen_score, person)
            spans.near(face.score, number, face.box, "a face that the plan does not explain")

    def _copies(self, number: int, rgb: Bytes, told: Sequence[Told], output: Array, source: Array | None, ends: bool) -> None:
        """Full size and copies, on every so-manieth frame, at cuts and at both ends; brightened wherever it is dark."""
        cut = self._is_cut(output)
        gloomy = dark(rgb)
        sample = number % self.limits.every == 0 or cut or ends
        names = [n for n in COPIES if n.startswith("turned")] if sample else []
        names += ["brightened"] if gloomy and (sample or number % 2) else []
        names += ["sharpened"] if sample and soft(rgb) else []
        if sample and max(rgb.shape) > self.limits.seen_side:
            self._judge_copy("at full size", number, self.models.whole(rgb), told, output, source, self.limits.seen_score)
        for name in names:
            self._judge_copy(name, number, COPIES[name](self.models.seer, rgb), told, output, source, self.limits.copy_score)

    def _judge_copy(self, name: str, number: int, faces: Sequence[Seen], told: Sequence[Told], output: Array,
                    source: Array | None, score: float) -> None:
        """In copies much looks like a face: only what the footage has at that place in those very pixels counts, if there is any."""
        self.looked["copies"] += 1
        self.figures["copies"][name] = self.figures["copies"].get(name, 0) + 1
        for face in faces:
            known = matched(face, told)
            if face.score < score or any(t.treatment in (*DRAWN, *OPEN) for t in known):
                continue
            self.record("copy", number, (face.score, face.box.width, float(_bare(source, output, face.box))))
            if source is None or _bare(source, output, face.box):
                self.spans["copies"].add(f"A face can be seen in a copy of the picture ({name}) that nothing covers.", number,
                                         face.box, face.score, score)
                self.spans["copies"].near(face.score, number, face.box, f"a face in a copy: {name}")

    def _is_cut(self, output: Array) -> bool:
        small = np.asarray(output[::16, ::16], np.float32)
        cut = self.last is None or float(np.abs(small - self.last).mean()) > 20
        self.last = small
        return cut

    def _hidden(self, number: int, told: Sequence[Told], output: Array) -> None:
        """A frame that is hidden whole is of one colour."""
        size = output.shape[0] * output.shape[1]
        if any(t.treatment == "hide" and t.box.area >= WHOLE * size for t in told):
            spread = float(np.std(output[::4, ::4]))
            if spread > FLAT:
                self.spans["faces"].add("The whole picture has to be hidden here, and something can be seen.", number, None, spread, FLAT)

    # pixels of the footage

    def _reuse(self, number: int, told: Sequence[Told], source: Array, output: Array) -> None:
        for k, part in enumerate(told):
            if part.treatment not in (*DRAWN, *COVERED):
                continue
            found = compare(source, output, part.box)
            if found is None:
                continue
            self.looked["reuse"] += 1
            self.record("reuse", number, (*found.whole, *found.eyes, *found.mouth, found.left, found.rim, found.coarse))
            self._judge_reuse(number, part, found)
            self._hold(number, part, part.person or f"face {k}", found)

    def _judge_reuse(self, number: int, part: Told, found: Reuse) -> None:
        o = self.limits
        spans, eyes = self.spans["reuse"], self.spans["eyes"]
        least = (o.part_height, o.part_stands, o.part_sharp)
        tests = ((spans, "The footage shines through a face.", ratio(found.whole, (o.blend_height, o.blend_stands, o.blend_sharp))),
                 (eyes, "The eyes in a face are the footage's, or something in them is.", ratio(found.eyes, least)),
                 (spans, "The mouth in a face is the footage's.", ratio(found.mouth, least)),
                 (spans, "Parts of a face are the footage's.", found.left / o.left),
                 (spans, "A rim or a strip of a face is the footage's.", found.rim / o.rim),
                 (spans, "A face is only a blurred or coarse copy of the footage's.", o.coarse / max(found.coarse, 1e-3)))
        for place, what, score in tests:
            if score > 1:
                place.add(what, number, part.box, score, 1.0, part.person)
            place.near(score, number, part.box, f"{what.rstrip('.')}? {score:.2f} of the limit")
            key = what.rstrip(".")
            figures = self.figures["eyes" if place is eyes else "reuse"]
            figures[key] = max(figures.get(key, 0.0), score)

    def _hold(self, number: int, part: Told, key: str, found: Reuse) -> None:
        """Of each second the mean of the comparisons, which shows what a single frame does not."""
        held = self.people.get(key)
        if held is None or number - held.since > 2 * self.second:
            held = self.people[key] = _Person(np.zeros_like(found.surface), 0, number)
        held.surface = held.surface + found.surface
        held.compared += 1
        if held.compared >= self.second:
            self._end_hold(number, part, held)
            del self.people[key]

    def _end_hold(self, number: int, part: Told, held: _Person) -> None:
        found = peak(held.surface / np.float32(held.compared))
        self.record("held", number, found)
        o = self.limits
        score = ratio(found, (o.held_height, o.held_stands, o.held_sharp))
        if score > 1:
            self.spans["reuse"].add("The footage shines faintly through a face, for a second or longer.", held.since, part.box,
                                    score, 1.0, part.person, number)
        self.figures["reuse"]["a second together"] = max(self.figures["reuse"].get("a second together", 0.0), score)

    # whom it is taken for

    def _know(self, number: int, rgb: Bytes, faces: Sequence[Seen], told: Sequence[Told]) -> None:
        if not self.references:
            return
        for face in faces[:MOST]:
            known = matched(face, told)
            if any(t.treatment in OPEN for t in known):
                continue
            vector = self.models.knower(rgb, face.points)
            self.looked["known"] += 1
            score, name = nearest(vector, self.references)
            self.record("known", number, (score, face.box.width))
            if score >= self.limits.same_face:
                self.spans["known"].add("A face recogniser takes a face for a protected person.", number, face.box, score,
                                        self.limits.same_face, name)
            self.spans["known"].near(score, number, face.box, f"the likest to a protected person: {score:.2f}")
            self._figure("known", "greatest likeness in one frame", score)
            self._walk(number, face.box, vector)
        for path in [p for p in self.paths if number - p.frame > self.second]:
            self._end_second(path)
            self._end_path(path)
            self.paths.remove(path)

    def _walk(self, number: int, box: Box, vector: Floats) -> None:
        path = max(self.paths, key=lambda p: overlap(p.box, box) if p.frame < number else 0.0, default=None)
        if path is None or path.frame >= number or overlap(path.box, box) < 0.2:
            path = _Path(box, number, [], number)
            self.paths.append(path)
        if path.second and number - path.begun >= self.second:
            self._end_second(path)
        if not path.second:
            path.begun = number
        path.box, path.frame, path.total = box, number, path.total + vector
        path.second.append(vector)

    def _end_second(self, path: _Path) -> None:
        if len(path.second) < 3:
            path.second.clear()
            return
        score, name = nearest(unit(np.mean(path.second, 0)), self.references)
        self.record("second", path.begun, (score, len(path.second)))
        self._figure("known", "greatest likeness in one second", score)
        if score >= self.limits.same_second:
            self.spans["known"].add("Over a second, a face recogniser takes a face for a protected person.", path.begun, path.box,
                                    score, self.limits.same_second, name, path.frame)
        path.second.clear()

    def _end_path(self, path: _Path) -> None:
        """The place of the likest protected person among the people of the gallery, for the whole stretch of a face."""
        if self.gallery and path.total.any():
            face = unit(path.total)
            _, name = nearest(face, self.references)
            person = next(r for r in self.references if r.name == name)
            self.ranks.append(rank(face, person, [g for g in self.gallery if g.name != name]))

    # following the footage

    def _followed(self, step: Step | None) -> None:
        if step is None:
            return
        o, spans = self.limits, self.spans["follow"]
        self.looked["follow"] += 1
        self.record("step", step.frame, (step.flash, step.still, step.other, step.strange))
        tests = (("Something flashes up in one frame that the footage has not.", step.flash, o.flash, step.flashed),
                 ("The picture stands still or is repeated where the footage moves.", step.still, o.still, None),
                 ("The picture is that of another moment of the footage.", step.other, o.other, None),
                 ("The picture differs from the footage where the plan changes nothing.", step.strange, o.strange, step.where))
        for what, score, limit, box in tests:
            if score > limit:
                spans.add(what, step.frame, box, score, limit)
            spans.near(score / limit, step.frame, box, f"{what.rstrip('.')}? {score:.1f} of {limit:g}")
            self._figure("follow", what.rstrip("."), score)

    def _figure(self, check: str, name: str, score: float) -> None:
        self.figures[check][name] = max(self.figures[check].get(name, score), score)

    def _settle(self, number: int) -> None:
        for key, held in self.people.items():
            if held.compared >= self.second // 2:
                told = next((t for k, t in enumerate(self.account(number)) if (t.person or f"face {k}") == key), None)
                if told is not None:
                    self._end_hold(number, told, held)
        for path in self.paths:
            self._end_second(path)
            self._end_path(path)
        self.paths = []

    def checks(self, sampled: str = "") -> list[Check]:
        """What was found. sampled: on what the references were taken, in words."""
        o = self.limits
        without = "" if self.sourceless < self.frames else \
            "There is no footage to compare with: give it, so that left-over pixels of it can be found."
        strangers = "" if self.references else \
            "Nobody is known that the faces could be compared with: give footage or photos of the protected people."
        figures: dict[str, dict[str, Figure]] = {name: dict(f) for name, f in self.figures.items()}
        if self.ranks:
            figures["known"] |= {"people in the gallery": len(self.gallery), "best place of a protected person in it": min(self.ranks),
                                 "stretches in which that is the first": sum(r == 1 for r in self.ranks)}
        return [
            self._check("Every face is accounted for", "faces", f"CenterFace looked at all {self.frames} frames, reduced to "
                        f"{o.seen_side} px, and the plan was asked about every face it found.", "faces", figures),
            self._check("Faces in altered copies", "copies", f"Every {o.every}th frame, cuts, the first and the last frame were searched "
                        "again at full size and turned; dark ones brightened, every second one of them; soft ones sharpened.", "copies", figures),
            self._check("Nothing of the footage is left in a face", "reuse", "Each face's pixels were laid over the footage's, in "
                        "every frame: finest detail, small and thin windows, coarse look, and a second at a time.",
                        "faces", figures, without),
            self._check("Eyes and glasses", "eyes", "The eyes of each face, with glasses and what is reflected in them, were laid "
                        "over the footage's in every frame.", "faces", figures, without, self.looked["reuse"]),
            self._check("Nobody is recognised", "known", f"SFace compared every face with every protected person{sampled}: "
                        f"one frame from {o.same_face:g} on, the mean of a second from {o.same_second:g} on counts.", "faces",
                        figures, strangers),
            self._check("The picture follows the footage", "follow", "Each frame was compared with its neighbours and with the footage: "
                        "flashes, repeats, swaps, and changes far from everybody.", "frames", figures, without),
        ]

    def _check(self, name: str, key: str, tried: str, unit_: str, figures: Mapping[str, Mapping[str, Figure]], missing: str = "",
               looked: int | None = None) -> Check:
        spans = self.spans[key]
        more: dict[str, Figure] = {"more findings, not listed": spans.untold} if spans.untold else {}
        return Check(name, "seen", tried, self.looked[key] if looked is None else looked, unit_, () if missing else tuple(spans.found),
                     {**figures[key], **more}, spans.worst, missing)


def matched(face: Seen, told: Sequence[Told]) -> list[Told]:
    """Who of the plan a face that was found is."""
    return [t for t in told if overlap(face.box, t.box) > 0.2 or (holds(t.box, face.box.centre) and inside(face.box, t.box) > 0.5)
            or (holds(face.box, t.box.centre) and inside(t.box, face.box) > 0.8)]


def ratio(found: tuple[float, float, float], least: tuple[float, float, float]) -> float:
    """How much of its limits a peak reaches: more than 1 if it is past all of them."""
    return max(0.0, min(f / limit for f, limit in zip(found, least, strict=True)))


def _bare(source: Array | None, output: Array, box: Box) -> bool:
    """Whether a place is as it was in the footage, but for coding."""
    found = None if source is None else compare(source, output, box)
    return found is not None and found.whole[0] > 0.5
