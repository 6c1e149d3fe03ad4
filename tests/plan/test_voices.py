from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facedouble.errors import UsageError
from facedouble.plan import edit
from facedouble.plan.plan import Plan
from facedouble.plan.read import read
from facedouble.plan.voices import Ambience, Bleep, Speech, VoiceFile, Voicing, merged
from facedouble.plan.write import write
from tests.plan.make import FILM, plans

NOOR = VoiceFile("noor", "noor.fvoice")
TALK = edit.add(FILM, NOOR, Speech("A", 1000, 2500, "P1", flags=("laughter?",)), Speech("A", 2000, 4000, speaker=1),
                Speech("A", 200, 900, "P2"), Speech("B", 0, 400))


def lines(old: str, new: str) -> tuple[list[str], list[str]]:
    """The lines that are only in the one, and only in the other."""
    a, b = old.splitlines(), new.splitlines()
    return [line for line in a if line not in b], [line for line in b if line not in a]


def test_a_turn_has_its_number_by_time() -> None:
    plan = read(TALK)
    assert [(n, t.start, t.person) for n, t in plan.turns("A")] == [(1, 200, "P2"), (2, 1000, "P1"), (3, 2000, "")]
    assert {plan.voicing(t).voice for t in plan.speech} == {"mute"}


def test_what_is_decided_of_a_person_holds_for_their_turns() -> None:
    new = edit.voice(TALK, "P1", Voicing.of_words("double noor", "Lin"))
    assert lines(TALK, new) == ([], ['voice = "double noor"', 'voice_by = "Lin"'])
    plan = read(new)
    assert [plan.voicing(t).said for _, t in plan.turns("A")] == ["mute", "double noor", "mute"]
    assert plan.people[0].decision.by == "Lin" and plan.people[0].open == frozenset()
    kept = read(edit.voice(new, "P2", Voicing("keep", by="Sam", reason="form signed")))
    assert [kept.voicing(t).said for _, t in kept.turns("A")] == ["keep", "double noor", "mute"]
    assert kept.people[1].open == {"face", "voice"}


def test_a_turn_gets_a_person_or_a_voice_of_its_own() -> None:
    new = edit.turns(TALK, "A", [3], "P2")
    assert lines(TALK, new) == ([], [])  # such a line is there already
    assert read(new).turns("A")[2][1].person == "P2"
    own = edit.turns(new, "A", [2, 3], own=Voicing.of_words("revoice takes/2.wav", "Lin"))
    plan = read(own)
    assert [plan.voicing(t).said for _, t in plan.turns("A")] == ["mute", "revoice takes/2.wav", "revoice takes/2.wav"]
    assert edit.as_person(own, "A", [2, 3]) == new
    assert read(edit.turns(new, "A", [3], "")) == read(TALK)


def test_turns_of_who_is_merged_go_along() -> None:
    text = edit.add(TALK, Speech("A", 5000, 6000, "P3"))
    text = edit.merge(text, "P1", "P3")
    assert [t.person for _, t in read(text).turns("A")] == ["P2", "P1", "", "P1"]


def test_who_is_heard_takes_nobody_in() -> None:
    text = edit.add(edit.voice(TALK, "P1", Voicing("keep", by="Lin", reason="so")), Speech("A", 5000, 6000, "P3"))
    with pytest.raises(UsageError, match="the voice of P1 is let through"):
        edit.merge(text, "P1", "P3")


def test_bleeps_come_and_go() -> None:
    text = edit.add(TALK, Bleep("A", 1200, 1500, "Lin", "her sister's name"), Bleep("A", 3000, 3100))
    assert [b.start for b in read(text).bleeps] == [1200, 3000]
    assert edit.drop_bleep(edit.drop_bleep(text, "A", 1200), "A", 3000).strip() == TALK.strip()


def test_ambience_of_the_film_and_of_a_clip() -> None:
    text = edit.ambience(TALK, Ambience("clean", "Lin"))
    assert lines(TALK, text) == ([], ['ambience = "clean"', 'ambience_by = "Lin"'])
    text = edit.ambience(text, Ambience("keep", "Lin", "a studio"), "B")
    plan = read(text)
    assert [plan.behind(c) for c in "AB"] == [Ambience("clean", "Lin"), Ambience("keep", "Lin", "a studio")]
    again = edit.ambience(edit.ambience(text, Ambience("keep", "Kim", "why not")), Ambience("new", "Kim"))
    assert read(again).ambience == Ambience("new", "Kim")
    assert read(again).clips == plan.clips


@pytest.mark.parametrize(("change", "says"), [
    (lambda t: edit.voice(t, "P1", Voicing()), "who decided"),
    (lambda t: edit.voice(t, "P1", Voicing.of_words("double nor", "Lin")), 'did you mean "noor"'),
    (lambda t: edit.voice(t, "P9", Voicing(by="Lin")), 'no person "P9"'),
    (lambda t: edit.turns(t, "A", [4], "P1"), "no turn 4"), (lambda t: edit.turns(t, "A", [0], "P1"), "no turn 0"),
    (lambda t: edit.turns(t, "C", [1], "P1"), 'no clip "C"'), (lambda t: edit.turns(t, "A", [1], "P7"), 'no person "P7"'),
    (lambda t: edit.drop_bleep(t, "A", 7), "there is none yet"), (lambda t: edit.ambience(t, Ambience()), "who decided"),
    (lambda t: edit.ambience(t, Ambience(by="Lin"), "C"), 'no clip "C"'),
    (lambda t: edit.add(t, Bleep("A", 10**7, 10**7 + 1)), "after the end"),
])
def test_what_cannot_be_decided(change: Callable[[str], str], says: str) -> None:
    with pytest.raises(UsageError) as caught:
        change(TALK)
    assert says in str(caught.value)
    assert ". " not in str(caught.value).replace("0. ", "")


def test_spans_that_touch_are_one() -> None:
    assert merged([(5, 8), (0, 2), (8, 9), (1, 3)]) == ((0, 3), (5, 9))
    assert merged([(5, 8), (12, 13)], 2) == ((3, 15),)
    assert merged([(1, 2)], 5) == ((0, 7),)


@settings(max_examples=40, deadline=None)
@given(plans(), st.data())
def test_only_keep_by_somebody_for_a_reason_lets_a_voice_through(plan: Plan, data: st.DataObject) -> None:
    """And every turn of random plans can be closed again by command."""
    for turn in plan.speech:
        said = plan.voicing(turn)
        if said.voice == "keep":
            assert said.reason.strip() and said.by.strip()
        if not turn.person and turn.voicing is None:
            assert said.voice == "mute"
    text = write(plan)
    for clip in "AB":
        numbers = [n for n, _ in plan.turns(clip)]
        if numbers:
            text = edit.turns(text, clip, numbers, own=Voicing())
    assert {read(text).voicing(t).voice for t in read(text).speech} <= {"mute"}
