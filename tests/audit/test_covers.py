"""Places that are covered besides faces, as the render covers them: a good cover is none too many, a bad one is found."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import cv2
import numpy as np
import pytest

from facedouble.audit.account import ByFrame, Cover
from facedouble.audit.covers import Covers, far
from facedouble.audit.scene import Scene
from facedouble.audit.seen import nowhere
from facedouble.audit.verdict import Finding
from facedouble.errors import InputRefused
from facedouble.pipeline.audit.covers import Reported, covering, lost
from facedouble.plan.people import Decision, Person, Span, TrackName
from facedouble.plan.plan import Plan
from facedouble.plan.values import Clip, Key, Region
from facedouble.protect.regions import COVERS, Place, mask_of, put_region
from facedouble.protect.regions import Region as Laid
from facedouble.types import Array, Box, Bytes, Colour, Frame

HIGH, WIDE = 120, 200
CLIP = Clip("A", "a.mp4", "a" * 64, 50, Fraction(25))


def footage(seed: int = 1) -> Bytes:
    rng = np.random.default_rng(seed)
    ground = cv2.GaussianBlur(rng.standard_normal((HIGH, WIDE)).astype(np.float32), (0, 0), 1.5) * 120 + 120
    return np.asarray(np.clip(ground, 20, 230), np.uint8)


def drawn(luma: Array, place: Place, shape: str, cover: str) -> Bytes:
    grey = np.full((HIGH // 2, WIDE // 2), 128, np.uint8)
    frame = Frame(3, 3, 1, Fraction(1, 25), (luma, grey, grey), "yuv420p", Colour())
    planes = tuple(p.copy() for p in frame.planes)
    put_region(frame, planes, Laid(place, shape, cover))
    return planes[0]


def findings(output: Array, source: Array | None, *covers: Cover) -> list[Finding]:
    made = Covers(nowhere)
    made.take(Scene(0, np.zeros((HIGH, WIDE, 3), np.uint8), output, source, (), (), True, covers))
    return [f for check in made.checks() for f in check.findings]


@pytest.mark.parametrize(("cover", "shape", "angle"), list(product(COVERS, ("box", "ellipse"), (0.0, 35.0))))
def test_a_place_that_is_covered_passes_and_one_that_is_not_does_not(cover: str, shape: str, angle: float) -> None:
    source, place = footage(), Place(100, 60, 80, 44, angle)
    told = Cover(100, 60, 80, 44, angle, shape, cover)
    good = drawn(source, place, shape, cover)
    assert findings(good, source, told) == []
    small, aside = Place(100, 60, 48, 26, angle), Place(124, 60, 80, 44, angle)
    wrong = [source, drawn(source, small, shape, cover), drawn(source, aside, shape, cover),
             np.round(0.4 * source + 0.6 * good).astype(np.uint8)]
    for k, output in enumerate(wrong):
        assert findings(output, source, told), k


def test_a_cover_under_another_one_or_outside_of_the_picture_is_not_asked_about() -> None:
    source = footage()
    output = drawn(drawn(source, Place(80, 60, 60, 40), "box", "veil"), Place(100, 60, 60, 40), "box", "solid")
    covers = Cover(80, 60, 60, 40, look="veil"), Cover(100, 60, 60, 40)
    assert findings(output, source, *covers) == []
    assert findings(source, source, Cover(-200, 60, 60, 40)) == []


def test_a_place_is_where_the_render_has_it() -> None:
    y, x = np.mgrid[:HIGH, :WIDE].astype(float)
    for shape, angle in product(("box", "ellipse"), (0.0, 20.0, 80.0)):
        mine = far(Cover(90, 50, 70, 30, angle, shape), x, y) <= 0
        assert np.array_equal(mine, mask_of(Laid(Place(90, 50, 70, 30, angle), shape), WIDE, HIGH))


def test_in_a_frame_that_is_hidden_whole_not_even_a_plate_is_seen() -> None:
    hidden = np.full((HIGH, WIDE), 30, np.uint8)
    whole = Cover.of(Box(0, 0, WIDE, HIGH), "frame")
    assert findings(hidden, footage(), whole) == []
    hidden[50:58, 70:82] = 70  # 2.5 levels of standard deviation in all of the picture
    assert findings(hidden, footage(), whole)


def test_a_reveal_from_a_hidden_frame_begins_hidden_and_its_regions_stay_covered() -> None:
    opened = Span("A", 10, 40, Decision("reveal", by="me", reason="she chose to"), dissolve=20)
    one = Person("P1", "one", (TrackName("A", 0),), Decision("hide", by="me"), hide="frame", spans=(opened,))
    sign = Region("A", "sign", "solid", "box", (Key(0, 50, 40, 30, 20), Key(49, 50, 40, 30, 20)))
    covers = covering((WIDE, HIGH), Reported(), 0, Plan((CLIP,), people=(one,), regions=(sign,)), "A", WHERE)
    assert [[c.look for c in covers(n)] for n in (8, 12, 25, 35)] == [["frame"], ["frame"], ["fade", "solid"], ["solid"]]


def plan(**more: object) -> Plan:
    hidden = Person("P1", "one", (TrackName("A", 0),), Decision("veil", by="me"),
                    spans=(Span("A", 10, 12, Decision("hide", by="me"), hide="frame"),))
    return Plan((CLIP,), people=(hidden,), **more)  # type: ignore[arg-type]


WHERE = {0: (5, np.tile([10.0, 10, 50, 60], (40, 1)))}


def test_what_a_plan_and_a_report_cover() -> None:
    sign = Region("A", "sign", "solid", "box", (Key(20, 50, 40, 30, 20), Key(30, 70, 40, 30, 20)), start=15)
    reported = Reported.of({"hidden": [40], "audit": {"covered": [{"frames": [18, 20], "box": [1, 2, 30, 40]},
                                                                  {"face": 0, "frames": [8, 9]}, {"ms": [3, 4]}]}})
    covers = covering((WIDE, HIGH), reported, 4, plan(regions=(sign,), watermark="changed"), "A", WHERE)
    looks = {frame: [c.look for c in covers(frame + 4)] for frame in (-1, 0, 10, 11, 12, 17, 19, 25, 40)}
    assert looks == {-1: [], 0: ["mark"], 10: ["frame"], 11: ["frame"], 12: ["mark"], 17: ["solid", "mark"],
                     19: ["solid", "solid", "mark"], 25: ["solid", "mark"], 40: ["frame"]}
    assert [covers(n + 4)[0].x for n in (17, 25, 45)] == [50, 60, 70]


def test_a_region_that_follows_the_picture_is_held_to_its_keys_and_the_report_tells_the_rest() -> None:
    sign = Region("A", "sign", "veil", "box", (Key(20, 50, 40, 30, 20),), True)
    followed = {"0": {"from": 0, "places": [[k, 40, 30, 20, 0] for k in range(50)]}}
    made = plan(regions=(sign,))
    there = covering((WIDE, HIGH), Reported.of({"followed": followed}), 0, made, "A", WHERE)
    assert [[c.x for c in there(n)] for n in (19, 20, 21)] == [[19], [20, 50], [21]]
    alone = covering((WIDE, HIGH), Reported(), 0, made, "A", WHERE)
    assert [[c.x for c in alone(n)] for n in (19, 20, 21)] == [[], [50], []]
    assert lost(made, "A", Reported()) == ["sign"] and not lost(made, "A", Reported.of({"followed": followed}))


@pytest.mark.parametrize("report", [{"hidden": 3}, {"audit": {"covered": [{"box": [1]}]}}, {"followed": {"0": {"from": 1}}},
                                    {"followed": {"a": 1}}, {"audit": {"covered": [{"face": 1, "frames": "x"}]}}])
def test_a_report_that_cannot_be_understood_is_refused(report: dict[str, object]) -> None:
    with pytest.raises(InputRefused, match="what was covered"):
        Reported.of(report)


def test_spans_are_found_by_their_frames() -> None:
    rng = np.random.default_rng(2)
    spans = [(int(a), int(a + n)) for a, n in zip(rng.integers(0, 900, 200), rng.integers(1, 300, 200), strict=True)]
    made = ByFrame(spans)
    for frame in range(0, 1300, 7):
        assert made.at(frame) == [k for k, (a, b) in enumerate(spans) if a <= frame < b]
