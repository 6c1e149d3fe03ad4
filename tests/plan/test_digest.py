from __future__ import annotations

import dataclasses
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facedouble.plan.digest import card_digest, digest, doubles_in, sound_digest
from facedouble.plan.people import Decision, Person, Span, TrackName
from facedouble.plan.plan import Plan
from facedouble.plan.values import Card, Key, Region
from facedouble.plan.voices import Ambience, Bleep, Speech
from tests.plan.make import CLIPS, DOUBLES, FRAMES, TRACKS, VOICES, plans

CHUNK = 10
ROSE = Person("P1", "Rose", (TrackName("A", 0), TrackName("B", 1)), Decision("double", "ana", "Lin"),
              spans=(Span("A", 20, 40, Decision("hide")),))
LOGO = Region("A", "logo", "solid", "box", tuple(Key(f, 10.0 + f, 5, 8, 8) for f in (5, 25, 45)), start=3, stop=55)
BASE = Plan(CLIPS, DOUBLES, (ROSE,), regions=(LOGO,), card=Card("For their safety"))


def digests(plan: Plan) -> dict[tuple[str, int], str]:
    return {(clip, start): digest(plan, clip, start, start + CHUNK) for clip, frames in FRAMES.items()
            for start in range(0, frames, CHUNK)}


def changes(plan: Plan, other: Plan) -> dict[str, list[int]]:
    a, b = digests(plan), digests(other)
    return {clip: [start for (of, start) in a if of == clip and a[of, start] != b[of, start]] for clip in FRAMES}


def rose(**said: object) -> Plan:
    return dataclasses.replace(BASE, people=(dataclasses.replace(ROSE, **said),))  # type: ignore[arg-type]


def logo(**said: object) -> Plan:
    return dataclasses.replace(BASE, regions=(dataclasses.replace(LOGO, **said),))  # type: ignore[arg-type]


@pytest.mark.parametrize(("other", "a", "b"), [
    (rose(decision=Decision("mannequin")), [0, 10, 40, 50], [0, 10, 20, 30]),
    (rose(decision=Decision("double", "ben", "Lin")), [0, 10, 40, 50], [0, 10, 20, 30]),
    (rose(decision=Decision("double", "ana", "Kim", "so")), [], []),
    (rose(name="Rosa", id="P7", voice_reason="so"), [], []),
    (rose(halo=0.2), [0, 10, 20, 30, 40, 50], [0, 10, 20, 30]),
    (rose(hair="cap"), [0, 10, 20, 30, 40, 50], [0, 10, 20, 30]),
    (rose(hide="frame"), [20, 30], []),  # else nothing of her is hidden
    (rose(spans=(Span("A", 20, 30, Decision("hide"), hide="box"), Span("A", 30, 40, Decision("hide")))), [20], []),
    (rose(spans=()), [20, 30], []),
    (rose(spans=(Span("A", 20, 41, Decision("hide")),)), [40], []),
    (rose(spans=(Span("A", 20, 40, Decision("hide", by="Kim")),)), [], []),
    (rose(spans=(*ROSE.spans, Span("A", 45, 60, Decision("reveal", by="R", reason="so"), dissolve=9))), [40, 50], []),
    (rose(faces=(TrackName("A", 0, 0, 15), TrackName("B", 1))), [10, 20, 30, 40, 50], []),
    (rose(faces=(TrackName("A", 0), TrackName("B", 2))), [], [0, 10, 20, 30]),
    (dataclasses.replace(BASE, people=(ROSE, Person("P2", "Sam", (TrackName("A", 0, 33, 35),)))), [30], []),
    (dataclasses.replace(BASE, people=(ROSE, Person("P2", "Sam", (TrackName("A", 2),)))), [], []),  # veiled as before
    (dataclasses.replace(BASE, watermark="safe"), [0, 10, 20, 30, 40, 50], [0, 10, 20, 30]),
    (dataclasses.replace(BASE, card=None), [], []),
    (dataclasses.replace(BASE, regions=()), [0, 10, 20, 30, 40, 50], []),
    (logo(stop=50), [50], []), (logo(name="badge"), [], []), (logo(cover="veil"), [0, 10, 20, 30, 40, 50], []),
    (logo(keys=(*LOGO.keys[:2], Key(45, 0, 5, 8, 8))), [20, 30, 40, 50], []),
    (logo(keys=(Key(5, 0, 5, 8, 8), *LOGO.keys[1:])), [0, 10, 20], []),
    (logo(track=True), [0, 10, 20, 30, 40, 50], []),
])
def test_only_what_is_affected_changes(other: Plan, a: list[int], b: list[int]) -> None:
    assert changes(BASE, other) == {"A": a, "B": b}


def test_a_track_counts_where_it_is() -> None:
    other = rose(decision=Decision("mannequin"))
    for start in range(0, 60, CHUNK):
        same = digest(BASE, "A", start, start + CHUNK, {0: (12, 18)}) == digest(other, "A", start, start + CHUNK, {0: (12, 18)})
        assert same == (start != 10)


def test_the_card_is_apart() -> None:
    card = Card("For their safety")
    cards = [None, card, Card("For safety"), Card("For their safety", Fraction(5)), Card("For their safety", language="en"),
             Card("For their safety", direction="rtl")]
    assert len({card_digest(dataclasses.replace(BASE, card=card)) for card in cards}) == len(cards)


HEARD = dataclasses.replace(BASE, people=(ROSE, Person("P2", "Sam")), voices=VOICES, speech=(
    Speech("A", 200, 900, "P1"), Speech("A", 800, 1500, "P2"), Speech("B", 0, 400)), bleeps=(Bleep("A", 300, 500),))


@pytest.mark.parametrize(("said", "clips"), [
    ({}, ""), ({"bleeps": ()}, "A"), ({"bleeps": (Bleep("A", 300, 500, "Lin", "a name"),)}, ""),
    ({"bleeps": (Bleep("A", 300, 500, sound="silence"),)}, "A"), ({"ambience": Ambience("clean")}, "AB"),
    ({"ambience": Ambience("clean", "Lin", "so")}, "AB"), ({"watermark": "safe"}, ""), ({"card": None}, ""),
    ({"speech": (*HEARD.speech[:2], Speech("B", 0, 401))}, "B"), ({"speech": HEARD.speech[::-1]}, ""),
    ({"speech": (*HEARD.speech[:2], Speech("B", 0, 400, "P2"))}, ""),  # muted as before
    ({"people": (dataclasses.replace(ROSE, voice="double noor"), Person("P2", "Sam"))}, "A"),
    ({"people": (dataclasses.replace(ROSE, decision=Decision("veil")), Person("P2", "Sam"))}, ""),
])
def test_what_is_heard_has_a_digest_of_its_own(said: dict[str, object], clips: str) -> None:
    other = dataclasses.replace(HEARD, **said)  # type: ignore[arg-type]
    assert {c for c in "AB" if sound_digest(HEARD, c) != sound_digest(other, c)} == set(clips)


def test_a_bleep_draws_the_frames_around_it_again() -> None:
    """Which the lips are seen in: 25 frames/s, and .3 s to each side, eased."""
    assert changes(BASE, dataclasses.replace(BASE, bleeps=(Bleep("A", 1000, 1100),))) == {"A": [10, 20, 30], "B": []}


def test_which_doubles_are_needed() -> None:
    assert doubles_in(BASE, "A", 0, 60) == {"ana"}
    assert doubles_in(BASE, "A", 20, 40) == frozenset()
    reveal = rose(spans=(Span("A", 20, 40, Decision("reveal", by="R", reason="so"), dissolve=20),))
    assert doubles_in(reveal, "A", 22, 25) == {"ana"}


@settings(max_examples=60, deadline=None)
@given(plans(), plans(), st.data())
def test_faces_that_are_drawn_differently_have_another_digest(plan: Plan, other: Plan, data: st.DataObject) -> None:
    """And those drawn alike have the same, but for a dissolve that reaches over the border of the chunk."""
    plan = dataclasses.replace(plan, speech=())
    changed = dataclasses.replace(plan, people=tuple(data.draw(st.sampled_from([a, b])) for a, b in
                                                     zip(plan.people, other.people, strict=False)))
    before, after = digests(plan), digests(changed)
    for clip, start in before:
        frames = range(start, start + CHUNK)
        seen = [[[(t.face, t.double, t.halo, t.hair, t.before, t.shown(frame), t.solid) for t in
                  [p.treatment(clip, track, frame) for track in range(TRACKS)]] for frame in frames] for p in (plan, changed)]
        if before[clip, start] == after[clip, start]:
            assert seen[0] == seen[1]
        elif seen[0] == seen[1]:
            assert any(p.treatment(clip, track, frame).dissolve for p in (plan, changed) for track in range(TRACKS)
                       for frame in frames)
