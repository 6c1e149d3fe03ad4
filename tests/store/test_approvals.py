from __future__ import annotations

import pytest

from facedouble.errors import ConsentError, UsageError
from facedouble.store import acts, approvals, consents, people, personal, renders
from facedouble.store.withdrawal import withdraw
from tests.store.cast import AGREED, NOW, a_render, empty, enter, film

HASH = film().scenes[1].hash


def said(steps: list[tuple[str, str]]) -> str | None:
    db, render = empty(), film()
    enter(db)
    renders.record(db, render, "lin", NOW)
    for state, method in steps:
        if state == "withdrew":
            withdraw(db, "sam", "lin", NOW, [method] if method else [])
        elif state == "agreed":
            consents.record(db, "sam", AGREED, "lin", NOW, proof=b"paper", reach="a friend")
        else:
            approvals.say(db, render, 2, "sam", state, "lin", NOW, method)
    held = approvals.state(db, "sam", HASH, "film")
    return None if held is None else held.state


YES, NO, GONE = ("approved", "in person"), ("objected", "pack"), ("unreachable", "")


@pytest.mark.parametrize(("steps", "expected"), [
    ([], None), ([YES], "approved"), ([NO], "objected"), ([GONE], "unreachable"), ([YES, NO], "objected"),
    ([NO, YES], "approved"),
    ([GONE, YES], "approved"), ([YES, GONE], "approved"), ([NO, GONE], "objected"), ([YES, NO, GONE], "objected"),
    ([YES, ("withdrew", "")], None), ([YES, ("withdrew", "film")], None), ([YES, ("withdrew", "trailer")], "approved"),
    ([YES, ("withdrew", "face")], None), ([YES, ("withdrew", ""), ("agreed", "")], None),
    ([YES, ("withdrew", ""), ("agreed", ""), YES], "approved")])
def test_all_within_one_second_the_order_counts(steps: list[tuple[str, str]], expected: str | None) -> None:
    assert said(steps) == expected


def test_who_is_asked_about_a_scene() -> None:
    db, render = empty(), film()
    enter(db)
    assert [{a.person for a in approvals.asked(db, s)} for s in render.scenes] == [
        {"rose", "v3", "v4"}, {"rose", "v3", "v4", "sam"}, set()]
    assert {a.lends for a in approvals.asked(db, render.scenes[0])} == {"", "face", "voice"}


@pytest.mark.parametrize(("person", "scene", "state", "method", "word"), [
    ("sam", 1, "approved", "in person", "not in scene 1"), ("sam", 9, "approved", "in person", "no scene 9"),
    ("eva", 1, "approved", "in person", "nobody in this project"), ("sam", 2, "approved", "", "how did"),
    ("sam", 2, "approved", "by post", "how did"), ("sam", 2, "unreachable", "pack", "how did"),
    ("sam", 2, "approved", "two witnesses", "two different"), ("man", 2, "approved", "in person", "not in scene 2")])
def test_what_nobody_can_have_said(person: str, scene: int, state: str, method: str, word: str) -> None:
    db, render = empty(), film()
    enter(db)
    with pytest.raises(UsageError, match=word):
        approvals.say(db, render, scene, person, state, "lin", NOW, method)
    approvals.say(db, render, 2, "sam", "approved", "lin", NOW, "two witnesses", witnesses=("lin", "noor"))


def test_a_yes_without_a_consent_is_refused_and_a_no_is_always_taken() -> None:
    db, render = empty(), film()
    enter(db)
    withdraw(db, "sam", "lin", NOW)
    with pytest.raises(ConsentError, match="no consent that holds"):
        approvals.say(db, render, 2, "sam", "approved", "lin", NOW, "in person")
    approvals.say(db, render, 2, "sam", "objected", "lin", NOW, "in person", note="he was afraid")
    assert personal.kept(db, "sam", "note") == b"he was afraid" and b"afraid" not in db.serialize("main")


def test_a_try_to_reach_somebody_is_in_the_log_of_contacts() -> None:
    db, render = empty(), film()
    enter(db)
    approvals.say(db, render, 2, "sam", "unreachable", "lin", NOW)
    assert [a.kind for a in acts.of(db, "sam")][-2:] == ["unreachable", "not reached"]


def test_renders_come_back_as_they_were() -> None:
    db, render = empty(), film()
    renders.record(db, render, "lin", NOW)
    other = a_render((), name="r2")
    renders.record(db, other, "lin", NOW)
    assert renders.get(db, "r1") == render and renders.get(db) == other
    with pytest.raises(UsageError, match="no render r3"):
        renders.get(db, "r3")


@pytest.mark.parametrize("wrong", [
    lambda: renders.Appearance("rose", "double", "mute"), lambda: renders.Appearance("rose", "veil", "mute", double="a"),
    lambda: renders.Appearance("rose", "veil", "double"), lambda: renders.Appearance("rose", "blur", "mute"),
    lambda: renders.Scene(1, 5, 5, "0" * 64), lambda: renders.Scene(1, 0, 5, "hash"),
    lambda: renders.Render(**{**vars(film()), "frames": 299}),
    lambda: renders.Render(**{**vars(film()), "scenes": film().scenes[1:]}),
    lambda: renders.Render(**{**vars(film()), "found": (renders.Found("a", "b"),)})])
def test_what_cannot_be(wrong: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        wrong()  # type: ignore[operator]


def test_a_person_of_the_plan_is_asked_once_they_are_known() -> None:
    db = empty()
    enter(db)
    scene = a_render((renders.Appearance("P9", "veil", "mute"),)).scenes[0]
    assert [a.known for a in approvals.asked(db, scene)] == [False]
    people.add(db, "witness", "lin", NOW, "eva", ("P9",))
    assert [(a.person, a.quiet) for a in approvals.asked(db, scene)] == [("eva", True)]
