from __future__ import annotations

import pickle
import time
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facedouble.plan.people import Decision, Person, Span, TrackName, Treatment
from facedouble.plan.plan import UNDECIDED, Plan
from facedouble.plan.rules import Wrong
from facedouble.plan.values import Clip, Ignored
from tests.plan.make import CLIPS, DOUBLES, FRAMES, TRACKS, plans, track_names

SHOW = Decision("show", by="Sam", reason="wants it")


def plan_of(*people: Person, ignored: tuple[Ignored, ...] = ()) -> Plan:
    return Plan(CLIPS, DOUBLES, people, ignored)


def slow(plan: Plan, clip: str, track: int, frame: int) -> set[str]:
    """Who claims a face in a frame, read off the lists."""
    def holds(face: TrackName) -> bool:
        return (face.clip, face.track) == (clip, track) and face.start <= frame and (face.stop is None or frame < face.stop)
    return {p.id for p in plan.people if any(map(holds, p.faces))} | {"ignored" for i in plan.ignored if holds(i.face)}


def said(person: Person, clip: str, frame: int) -> tuple[Decision, Span | None]:
    """What was decided about a person in a frame, read off the lists."""
    here = [s for s in person.spans if s.clip == clip and s.start <= frame < s.stop]
    return (here[0].decision, here[0]) if here else (person.decision, None)


def widths(person: Person, clip: str, frame: int) -> str:
    """How much of the frame is one colour for a person, read off the lists; "" for none of it."""
    decision, span = said(person, clip, frame)
    if decision.face == "reveal" and span is not None and frame < span.start + span.dissolve:
        before = [s for s in person.spans if s.clip == clip and s.stop == span.start]
        begun = before[0].decision if before else person.decision
        wide = span.hide or (before[0].hide if before else None) or person.hide
        return wide if begun.face == "hide" else ""
    return (span.hide if span is not None and span.hide else person.hide) if decision.face == "hide" else ""


@settings(max_examples=80, deadline=None)
@given(plans())
def test_nothing_is_let_through_that_nobody_has_said(plan: Plan) -> None:
    people = {p.id: p for p in plan.people}
    for clip, frames in FRAMES.items():
        for track in range(TRACKS + 1):
            for frame in range(-2, frames + 3):
                got = plan.treatment(clip, track, frame)
                who = slow(plan, clip, track, frame) if 0 <= frame < frames else set()
                if who == {"ignored"}:
                    assert got.face == "ignore"
                    assert got.by.strip()
                elif len(who) != 1:
                    wide = {widths(people[id], clip, frame) for id in who - {"ignored"}} & {"box", "frame"}
                    assert (got.face, got.by, got.shown(frame)) == ("hide" if wide else "veil", "", 0.0)
                    assert got.solid == ("frame" if "frame" in wide else "box" if wide else "")
                else:
                    decision, span = said(people[who.pop()], clip, frame)
                    assert got.reason == decision.reason
                    if decision.face == "reveal":
                        assert span is not None
                        assert got.face == ("reveal" if frame < span.start + span.dissolve else "show")
                    else:
                        assert (got.face, got.double) == (decision.face, decision.double)
                        assert got.shown(frame) == (decision.face == "show")


@settings(max_examples=80, deadline=None)
@given(plans(), st.sampled_from(["A", "B", "Z"]), st.integers(0, TRACKS), st.integers(-5, 70), st.integers(-5, 70))
def test_spans_are_the_treatments_without_a_gap(plan: Plan, clip: str, track: int, start: int, stop: int) -> None:
    spans = plan.spans(clip, track, start, stop)
    assert [f for a, b, _ in spans for f in range(a, b)] == list(range(start, stop))
    for a, b, treatment in spans:
        assert {plan.treatment(clip, track, frame) for frame in range(a, b)} == {treatment}


def test_an_empty_plan_veils() -> None:
    assert Plan().treatment("A", 0, 0) == UNDECIDED
    assert Plan().spans("A", 0, 5, 9) == [(5, 9, UNDECIDED)]
    assert Plan().spans("A", 0, 5, 5) == []


def test_a_face_that_two_claim_is_veiled_where_both_do() -> None:
    plan = plan_of(Person("P1", "Rose", (TrackName("A", 0),), SHOW), Person("P2", "Sam", (TrackName("A", 0, 10, 20),), SHOW))
    assert [(a, b, t.face) for a, b, t in plan.spans("A", 0, 0, 60)] == [(0, 10, "show"), (10, 20, "veil"), (20, 60, "show")]
    assert plan.treatment("A", 0, 12).reason == "claimed by P1 and P2"
    assert [(c.clip, c.track, c.start, c.stop, c.claimed) for c in plan.conflicts] == [("A", 0, 10, 20, ("P1", "P2"))]


def test_of_two_who_claim_a_face_the_widest_cover_holds() -> None:
    def both(one: Person, other: Person) -> Treatment:
        return plan_of(one, other).treatment("A", 0, 12)

    def person(id: str, face: str, hide: str = "ellipse", hair: str = "keep") -> Person:
        return Person(id, id, (TrackName("A", 0),), Decision(face), hide=hide, hair=hair)
    wide = [("ellipse", "veil"), ("box", "hide"), ("frame", "hide")]
    for n, (a, _) in enumerate(wide):
        for m, (b, _) in enumerate(wide):
            got = both(person("P1", "hide", a), person("P2", "hide", b))
            assert (got.hide, got.face) == (wide[max(n, m)][0], wide[max(n, m)][1])
    assert both(person("P1", "veil"), person("P2", "hide", "frame")).solid == "frame"
    assert both(person("P1", "veil", "frame"), person("P2", "mannequin", "box")).face == "veil"  # nobody asked to hide
    assert both(person("P1", "veil", hair="veil"), person("P2", "mannequin")).hair == "veil"


def test_a_person_and_an_ignored_face_clash_also_if_the_person_is_called_ignore() -> None:
    for id in ("P1", "ignore"):
        plan = plan_of(Person(id, "Rose", (TrackName("A", 0),), SHOW), ignored=(Ignored(TrackName("A", 0), "Lin"),))
        assert plan.treatment("A", 0, 0).face == "veil"
        assert len(plan.conflicts) == 1


def test_one_person_may_name_a_face_twice() -> None:
    plan = plan_of(Person("P1", "Rose", (TrackName("A", 0), TrackName("A", 0, 5, 9)), SHOW))
    assert not plan.conflicts
    assert plan.treatment("A", 0, 6).face == "show"


def test_a_reveal_begins_with_what_was_there_and_ends_with_the_face() -> None:
    reveal = Span("A", 20, 50, Decision("reveal", by="Rose", reason="wants it"), dissolve=9)
    rose = Person("P1", "Rose", (TrackName("A", 0),), Decision("double", "ana"), 0.5, "veil", (reveal,))
    spans = plan_of(rose).spans("A", 0, 0, 60)
    assert [(a, b, t.face, t.double, t.before) for a, b, t in spans] == [
        (0, 20, "double", "ana", ""), (20, 29, "reveal", "ana", "double"), (29, 50, "show", None, ""),
        (50, 60, "double", "ana", "")]
    turning = spans[1][2]
    assert (turning.dissolve, turning.halo, turning.hair) == ((20, 29), 0.5, "veil")
    shown = [turning.shown(f) for f in range(18, 32)]
    assert shown == sorted(shown)
    assert shown[:3] == [0.0, 0.0, 0.1]
    assert shown[-4:] == pytest.approx([0.9, 1.0, 1.0, 1.0])


def test_a_reveal_begins_with_the_span_before_it() -> None:
    spans = (Span("A", 20, 50, Decision("reveal", by="Rose", reason="wants it"), dissolve=1), Span("A", 10, 20, Decision("hide")))
    plan = plan_of(Person("P1", "Rose", (TrackName("A", 0),), Decision("double", "ana"), spans=spans))
    assert (plan.treatment("A", 0, 20).before, plan.treatment("A", 0, 20).double) == ("hide", None)


def test_halo_and_hair_of_a_span_are_the_persons_unless_it_says() -> None:
    spans = (Span("A", 0, 10, Decision("mannequin")), Span("A", 10, 20, Decision("mannequin"), 0.0, "keep"))
    plan = plan_of(Person("P1", "Rose", (TrackName("A", 0),), halo=0.7, hair="cap", spans=spans))
    assert [(t.halo, t.hair) for _, _, t in plan.spans("A", 0, 0, 30)] == [(0.7, "cap"), (0.0, "keep"), (0.7, "cap")]


@given(track_names(), track_names())
def test_faces_are_cut_without_loss(a: TrackName, b: TrackName) -> None:
    def frames(*names: TrackName) -> list[tuple[str, int, int]]:
        return sorted((n.clip, n.track, f) for n in names for f in range(n.start, min(n.end, 100)))
    both = a.within(b)
    assert TrackName.of(str(a)) == a
    assert frames(*a.without(b), *([both] if both else [])) == frames(a)
    assert set(frames(*([both] if both else []))) == set(frames(a)) & set(frames(b))


@settings(max_examples=20, deadline=None)
@given(plans())
def test_a_plan_survives_a_trip(plan: Plan) -> None:
    again = pickle.loads(pickle.dumps(plan))
    assert again == plan
    assert again.spans("A", 0, 0, 60) == plan.spans("A", 0, 0, 60)


@pytest.mark.parametrize("fields", [
    {"face": "blur"}, {"face": "double"}, {"double": "ana"}, {"face": "show"}, {"face": "show", "by": "Sam", "reason": " "},
    {"face": "reveal", "by": "Sam", "reason": "so"}, {"face": "ignore"}, {"hair": "wig"},
    {"face": "reveal", "by": "a", "reason": "b", "before": "show", "dissolve": (0, 5)}, {"dissolve": (0, 5)},
])
def test_treatments_that_cannot_be(fields: dict[str, object]) -> None:
    with pytest.raises(Wrong):
        Treatment(**fields)  # type: ignore[arg-type]


def test_ten_hours_and_three_hundred_people_take_no_time() -> None:
    frames = 10 * 3600 * 25
    spans = tuple(Span("A", n * 1000, n * 1000 + 500, Decision("hide")) for n in range(900))
    people = tuple(Person(f"P{n}", f"Person {n}", (TrackName("A", n),), spans=spans if n < 10 else ()) for n in range(300))
    plan = Plan((Clip("A", "a.mp4", "a" * 64, frames, Fraction(25)),), people=people)
    plan.treatment("A", 0, 0)
    began = time.perf_counter()
    for n in range(10_000):
        plan.treatment("A", n % 300, n)
        plan.spans("A", n % 300, n * 80, n * 80 + 250)
    assert time.perf_counter() - began < 2  # about .05 s on an idle core
