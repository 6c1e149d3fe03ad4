from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from dataclasses import replace

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from facedouble.cli.main import app
from facedouble.errors import ExitCode
from facedouble.store import acts, approvals, consents, override, people, releases, renders, unmasking, volunteers
from facedouble.store.keys import Keyring, new_keyring
from facedouble.store.release_rules import blockers, exit_code
from facedouble.store.renders import Appearance, Found, Render
from facedouble.store.unmasking import Unmasking
from facedouble.store.withdrawal import withdraw
from tests.store.cast import (
    AGREED,
    ANA,
    FILE,
    LATER,
    LENDS,
    MAN,
    NOW,
    ROSE,
    a_render,
    approve_all,
    empty,
    enter,
    film,
    kinds,
    ready,
)

ONE, TWO = new_keyring("noor"), new_keyring("lin")
KEYS = {"noor": ONE.public, "lin": TWO.public}
REASON = "a poster on the wall behind her, looked at by both of us"
FACES = "Every face is accounted for"


def of(db: apsw.Connection, render: Render, purpose: str = "film", now: dt.datetime = NOW, log_ok: bool = True,
       keys: dict[str, str] = KEYS) -> set[tuple[str, str]]:
    return {(b.kind, b.person) for b in blockers(db, render, purpose, now, log_ok, keys)}


def put(db: apsw.Connection, render: Render, but: str = "") -> Render:
    """Recorded, and approved by all but one."""
    renders.record(db, render, "lin", NOW)
    approve_all(db, render, but)
    return render


def test_nothing_stands_against_a_film_that_everybody_agreed_to() -> None:
    db, render = ready()
    assert blockers(db, render, "film", NOW, True) == ()
    assert exit_code(()) == ExitCode.DONE


Break = Callable[[apsw.Connection, Render], object]
BROKEN: list[tuple[str, Break, set[tuple[str, str]], ExitCode]] = [
    ("withdrawn", lambda db, _: withdraw(db, "rose", "lin", NOW), {("withdrawn", "rose"), ("approval", "rose")},
     ExitCode.CONSENT),
    ("withdrawn for the film", lambda db, _: withdraw(db, "rose", "lin", NOW, ["film"]),
     {("withdrawn", "rose"), ("approval", "rose")}, ExitCode.CONSENT),
    ("withdrawn voice", lambda db, _: withdraw(db, "rose", "lin", NOW, ["voice"]), {("withdrawn", "rose"), ("approval", "rose")},
     ExitCode.CONSENT),
    ("withdrawn volunteer", lambda db, _: withdraw(db, "v3", "lin", NOW), {("withdrawn", "v3"), ("approval", "v3")},
     ExitCode.CONSENT),
    ("withdrawn passer-by", lambda db, _: withdraw(db, "man", "lin", NOW), {("withdrawn", "man")}, ExitCode.CONSENT),
    ("objects", lambda db, r: approvals.say(db, r, 2, "sam", "objected", "lin", NOW, "in person"), {("objection", "sam")},
     ExitCode.CONSENT),
    ("volunteer objects", lambda db, r: approvals.say(db, r, 1, "v4", "objected", "lin", NOW, "pack"), {("objection", "v4")},
     ExitCode.CONSENT),
    ("consent to less", lambda db, _: consents.record(db, "sam", replace(AGREED, covers=("voice", "body")), "lin", NOW),
     {("consent", "sam")}, ExitCode.CONSENT),
    ("consent to something else", lambda db, _: consents.record(db, "sam", replace(AGREED, scope=("court",)), "lin", NOW),
     {("consent", "sam")}, ExitCode.CONSENT),
    ("consent from next week", lambda db, _: consents.record(db, "sam", replace(AGREED, start="2026-11-29"), "lin", NOW),
     {("consent", "sam")}, ExitCode.CONSENT),
    ("consent until yesterday", lambda db, _: consents.record(db, "sam", replace(AGREED, until="2026-11-21"), "lin", NOW),
     {("consent", "sam")}, ExitCode.CONSENT),
]


@pytest.mark.parametrize(("name", "spoil", "expected", "code"), BROKEN, ids=[b[0] for b in BROKEN])
def test_each_promise_that_does_not_hold_stands_against_it(name: str, spoil: Break, expected: set[tuple[str, str]],
                                                           code: ExitCode) -> None:
    db, render = ready()
    spoil(db, render)
    assert of(db, render) == expected
    found = blockers(db, render, "film", NOW, True)
    assert exit_code(found) == code and all(b.sentence and b.exit_code == code for b in found)


def test_a_broken_log_an_unknown_render_and_a_failed_audit_have_their_codes() -> None:
    db, render = ready()
    assert exit_code(blockers(db, render, "film", NOW, False)) == ExitCode.STORE
    other = replace(render, content="0" * 64)  # not what was written down
    assert kinds(found := blockers(db, other, "film", NOW, True)) == {"store"} and exit_code(found) == ExitCode.STORE
    failed = put(db, replace(render, id="r2", audit_passed=False))
    assert exit_code(found := blockers(db, failed, "film", NOW, True)) == ExitCode.AUDIT and len(found) == 1
    assert exit_code(blockers(db, failed, "film", NOW, False)) == ExitCode.STORE


@pytest.mark.parametrize("purpose", ["trailer", "court", "test", ""])
def test_it_goes_out_for_what_it_was_rendered_for_and_nothing_else(purpose: str) -> None:
    db, render = ready()
    assert "purpose" in kinds(blockers(db, render, purpose, NOW, True))
    trailer = put(db, replace(film(), id="r2", purpose="trailer"))
    assert {("consent", "rose"), ("consent", "sam"), ("consent", "v3"), ("consent", "v4"), ("file", "v3"), ("file", "v4")} == \
        of(db, trailer, "trailer")


def test_no_film_goes_out_for_a_court() -> None:
    """`render` makes none for it: originals go there, as they are. Whoever is refused reads what there is instead."""
    db, _ = ready()
    court = put(db, replace(film(), id="r2", purpose="court"))
    (said,) = (b.sentence for b in blockers(db, court, "court", NOW, True) if b.kind == "purpose")
    assert said.endswith("one of film, trailer, stills")
    shown = CliRunner().invoke(app, ["release", "--help"], env={"COLUMNS": "300"}).output
    assert "stills" in shown and "court" not in shown


def test_an_approval_of_one_hash_is_none_of_another() -> None:
    db, _ = ready()
    changed = film()
    changed = replace(changed, id="r2", scenes=(replace(changed.scenes[0], hash="8" * 64), *changed.scenes[1:]))
    renders.record(db, changed, "lin", NOW)
    assert {(b.kind, b.person, b.scene) for b in blockers(db, changed, "film", NOW, True)} == {
        ("approval", "rose", 1), ("approval", "v3", 1), ("approval", "v4", 1)}


def test_nobody_is_in_a_release_without_a_name() -> None:
    db, _ = ready()
    render = put(db, a_render((ROSE, Appearance("P9", "veil", "mute")), name="r2"))
    found = blockers(db, render, "film", NOW, True)
    assert [(b.kind, b.person, b.scene) for b in found] == [("unknown", "P9", 1)] and "passer-by" in found[0].sentence
    people.add(db, "passer-by", "lin", NOW, plan=("P9",))
    assert blockers(db, render, "film", NOW, True) == ()  # asked anew each time, so the film need not be rendered again


@pytest.mark.parametrize(("face", "voice", "free"), [("veil", "mute", True), ("hide", "none", True), ("mannequin", "mute", False),
                                                     ("veil", "keep", False), ("show", "mute", False)])
def test_a_passer_by_is_covered_and_silent(face: str, voice: str, free: bool) -> None:
    db, _ = ready()
    render = put(db, a_render((Appearance("P3", face, voice),), name="r2"))
    assert (("passer-by", "man") not in of(db, render)) is free


@pytest.mark.parametrize(("covered", "consent", "expected"), [
    (True, True, set()), (True, False, set()), (False, True, {("unreachable", "eva")}),
    (False, False, {("unreachable", "eva"), ("consent", "eva")})])
def test_who_could_not_be_reached_is_covered_or_cut(covered: bool, consent: bool, expected: set[tuple[str, str]]) -> None:
    db, _ = ready()
    people.add(db, "witness", "lin", NOW, "eva")
    if consent:
        consents.record(db, "eva", AGREED, "lin", NOW, reach="her sister")
    eva = Appearance("eva", "hide", "mute") if covered else Appearance("eva", "mannequin", "none")
    render = put(db, a_render((eva,), name="r2"), but="eva")
    assert ("approval", "eva") in of(db, render)  # nobody even tried
    approvals.say(db, render, 1, "eva", "unreachable", "lin", NOW)
    assert of(db, render) == expected


@pytest.mark.parametrize(("face", "free"), [("none", False), ("veil", True), ("hide", True), ("mannequin", False)])
def test_words_that_a_passer_by_says_are_of_somebody_whom_nobody_asked(face: str, free: bool) -> None:
    """With a face: where the plan has no turn. They cannot be asked, and the others are."""
    db, _ = ready()
    render = put(db, a_render((Appearance("P3", face, "read"),), name="r2"))
    assert (("passer-by", "man") not in of(db, render)) is free


@pytest.mark.parametrize("face", ["none", "veil"])
def test_who_is_mute_is_asked_about_the_words_that_stand_under_the_picture(face: str) -> None:
    """They say what was said, so that they take the yes, and a consent that has the story."""
    db, _ = ready()
    people.add(db, "witness", "lin", NOW, "eva")
    render = put(db, a_render((Appearance("eva", "veil", "none"), Appearance("eva", face, "read")), name="r2"), but="eva")
    approvals.say(db, render, 1, "eva", "unreachable", "lin", NOW)
    assert of(db, render) == {("unreachable", "eva"), ("consent", "eva")}
    consents.record(db, "eva", replace(AGREED, covers=("body",)), "lin", NOW, reach="her sister")
    approvals.say(db, render, 1, "eva", "approved", "lin", NOW, "pack")
    assert of(db, render) == {("consent", "eva")}
    consents.record(db, "eva", replace(AGREED, covers=("body", "story")), "lin", NOW)
    assert of(db, render) == set()


def test_a_covered_person_who_withdrew_blocks_all_the_same() -> None:
    db, _ = ready()
    people.add(db, "witness", "lin", NOW, "eva")
    render = put(db, a_render((Appearance("eva", "hide", "mute"),), name="r2"), but="eva")
    withdraw(db, "eva", "lin", NOW)
    approvals.say(db, render, 1, "eva", "unreachable", "lin", NOW)
    assert ("withdrawn", "eva") in of(db, render)


def test_only_their_own_act_opens_a_witness_and_it_opens_nobody_else() -> None:
    db, _ = ready()
    people.add(db, "witness", "lin", NOW, "partner")
    consents.record(db, "partner", AGREED, "lin", NOW, reach="through rose")
    both = put(db, a_render((replace(ROSE, face="show", voice="keep", double=None, voice_double=None),
                             Appearance("partner", "show", "mute")), name="r2"))
    assert of(db, both) == {("unmasking", "rose"), ("unmasking", "partner")}
    unmasking.unmask(db, "rose", Unmasking("2026-11-23", ("film",), witnesses=("lin", "sam")), "lin", NOW)
    assert of(db, both) == {("unmasking", "rose"), ("unmasking", "partner")}  # from tomorrow on
    assert of(db, both, now=LATER) == {("unmasking", "partner")}
    assert ("unmasking", "rose") in of(db, put(db, replace(both, id="r3", purpose="stills")), "stills", LATER)
    unmasking.mask(db, "rose", "lin", LATER)
    assert of(db, both, now=LATER) == {("unmasking", "rose"), ("unmasking", "partner")}


def test_a_day_that_was_chosen_has_come_when_it_has_everywhere() -> None:
    db, _ = ready()
    both = put(db, a_render((Appearance("rose", "show", "mute"),), name="r2"))
    unmasking.unmask(db, "rose", Unmasking("2026-12-01", ("film",), witnesses=("lin", "sam")), "lin", NOW)
    first = dt.datetime(2026, 12, 1, tzinfo=dt.UTC)
    for now in (first, first + dt.timedelta(hours=11, minutes=59)):  # still 30 November west of Samoa
        assert of(db, both, now=now) == {("unmasking", "rose")}
    assert of(db, both, now=first + dt.timedelta(hours=12)) == set()


def test_consents_end_with_the_day_of_those_who_work_with_them(monkeypatch: pytest.MonkeyPatch) -> None:
    db, render = ready()  # until 1 November 2027
    night = dt.datetime(2027, 11, 1, 23, tzinfo=dt.UTC)
    try:
        for zone, kinds in (("UTC", set()), ("XXX-10", {"consent"})):
            monkeypatch.setenv("TZ", zone)
            time.tzset()
            assert {kind for kind, _ in of(db, render, now=night)} == kinds, zone
    finally:
        monkeypatch.undo()
        time.tzset()


def test_who_withdraws_a_part_before_any_record_is_heard() -> None:
    """A passer-by, and a witness whom nobody could reach: veiled and mute, and still out of what they withdrew from."""
    db, _ = ready()
    people.add(db, "witness", "lin", NOW, "eva", ("P8",))
    veiled = put(db, a_render((MAN, Appearance("P8", "veil", "mute")), name="r2"), "eva")
    approvals.say(db, veiled, 1, "eva", "unreachable", "lin", NOW)
    assert of(db, veiled) == set()
    for who in ("man", "eva"):
        withdraw(db, who, "lin", NOW, ["film"])
        assert ("withdrawn", who) in of(db, veiled)
    assert of(db, put(db, replace(veiled, id="r3", purpose="stills"), "eva"), "stills") == set()


def test_an_open_voice_needs_an_unmasked_voice() -> None:
    db, _ = ready()
    render = put(db, a_render((replace(ROSE, voice="keep", voice_double=None),), name="r2"))
    unmasking.unmask(db, "rose", Unmasking("2026-11-22", ("film",), ("face",), ("lin", "sam")), "lin", NOW)
    assert of(db, render) == {("unmasking", "rose")}
    unmasking.unmask(db, "rose", Unmasking("2026-11-22", ("film",), ("voice",), ("lin", "sam")), "lin", NOW)
    assert of(db, render) == set()


def test_a_withdrawal_ends_an_unmasking_for_good() -> None:
    db, _ = ready()
    unmasking.unmask(db, "rose", Unmasking("2026-11-22", ("film",), witnesses=("lin", "sam")), "lin", NOW)
    withdraw(db, "rose", "lin", NOW)
    consents.record(db, "rose", AGREED, "lin", NOW, reach="a friend", proof=b"a voice")
    render = put(db, a_render((Appearance("rose", "show", "mute"),), name="r2"))
    assert of(db, render) == {("unmasking", "rose")}


def test_every_volunteer_of_a_double_is_known_and_asked() -> None:
    db, _ = ready()
    blend = "9" * 16
    render = put(db, a_render((replace(ROSE, double=blend),), name="r2", hashes="7"))
    assert ("volunteer", "") in of(db, render)
    volunteers.lend(db, "v3", "face", blend, replace(FILE, who="V3 + V9"), "lin", NOW, called="V3")
    assert ("volunteer", "") in of(db, render)  # one of two
    people.add(db, "double", "lin", NOW, "v9")
    volunteers.lend(db, "v9", "face", blend, replace(FILE, who="V3 + V9"), "lin", NOW, called="V9")
    assert of(db, render) == {("approval", "v3"), ("approval", "v9"), ("consent", "v9")}


@pytest.mark.parametrize(("said", "blocked"), [({}, False), ({"until": "2026-11-21"}, True), ({"date": "2026-12-01"}, True),
                                               ({"scope": ("test",)}, True)])
def test_the_consent_in_the_file_counts_as_well(said: dict[str, object], blocked: bool) -> None:
    db, render = ready()
    volunteers.lend(db, "v3", "face", ANA, replace(FILE, **said), "lin", NOW)  # type: ignore[arg-type]
    assert (("file", "v3") in of(db, render)) is blocked


def test_nobody_gets_a_second_double() -> None:
    db, render = ready()
    people.add(db, "double", "lin", NOW, "v5")
    consents.record(db, "v5", LENDS, "lin", NOW, reach="mail")
    volunteers.lend(db, "v5", "face", "5" * 16, replace(FILE, who="V5"), "lin", NOW)
    volunteers.lend(db, "v3", "face", "3" * 16, FILE, "lin", NOW)
    twice = put(db, a_render((ROSE,), (replace(ROSE, double="5" * 16),), name="r2"))
    assert of(db, twice) == {("double", "rose")}
    other = put(db, a_render((replace(ROSE, double="5" * 16),), name="r3"))
    mannequin = put(db, a_render((Appearance("rose", "mannequin", "mute"),), name="r4"))
    again = put(db, a_render((replace(ROSE, double="3" * 16),), name="r5"))  # made anew, of the same volunteer
    veiled = put(db, a_render((Appearance("rose", "veil", "mute"),), name="r6"))
    assert of(db, other) == of(db, mannequin) == set()
    releases.record(db, "rel1", render, "film", "lin", NOW)
    assert of(db, other) == of(db, mannequin) == {("double", "rose")}
    assert of(db, again) == of(db, veiled) == set()


def _noticed(db: apsw.Connection, *found: Found) -> Render:
    return put(db, replace(film(), id="r2", audit_passed=False, found=found))


def _over(db: apsw.Connection, render: Render, span: tuple[int, int] = (100, 200), kind: str = "face", of: str = FACES,
          one: Keyring = ONE, two: Keyring = TWO) -> None:
    made = override.over(render, kind, 2, span, REASON, (2000, 2000), one.holder, two.holder, of)
    override.record(db, made, one, two, NOW)


def test_two_holders_may_say_that_a_face_is_none() -> None:
    db, _ = ready()
    render = _noticed(db, Found(FACES, "A face can be seen.", 120, 130))
    assert of(db, render) == {("audit", "")}
    _over(db, render, (110, 125))
    assert of(db, render) == {("audit", "")}  # not all of it
    _over(db, render)
    assert of(db, render) == set() and of(db, render, keys={}) == {("audit", "")}
    assert of(db, render, keys={"noor": ONE.public, "lin": ONE.public}) == {("audit", "")}
    later = put(db, replace(render, id="r3"))
    assert of(db, later) == {("audit", "")}  # of one render


@pytest.mark.parametrize("found", [Found("Nobody is recognised", "SFace takes P1 for P1.", 120, 130), Found(FACES, "Somewhere."),
                                   Found(FACES, "In two scenes.", 190, 210)])
def test_what_no_override_reaches(found: Found) -> None:
    db, _ = ready()
    render = _noticed(db, found)
    _over(db, render)
    assert of(db, render) == {("audit", "")}


def test_two_holders_may_answer_for_who_could_not_be_reached_but_not_for_a_no() -> None:
    db = empty()
    enter(db)
    render = put(db, film(), but="sam")
    approvals.say(db, render, 2, "sam", "unreachable", "lin", NOW)
    _over(db, render, (100, 150), "unreachable", "sam")
    assert of(db, render) == {("unreachable", "sam")}  # not the whole scene
    _over(db, render, kind="unreachable", of="sam")
    assert of(db, render) == set()
    approvals.say(db, render, 2, "sam", "objected", "lin", NOW, "signature")
    assert of(db, render) == {("objection", "sam")}
    withdraw(db, "sam", "lin", NOW)
    assert ("withdrawn", "sam") in of(db, render)


def test_a_clock_that_was_set_back_prolongs_nothing() -> None:
    db, render = ready()
    consents.contacted(db, "rose", True, "lin", NOW + dt.timedelta(days=800))  # the project has seen 2029
    assert {k for k, _ in of(db, render)} == {"consent", "file"}


def test_the_latest_time_is_that_of_the_log_too() -> None:
    db, _ = ready()
    assert acts.latest(db, NOW - dt.timedelta(days=900)) == acts.latest(db, NOW) == NOW
    assert acts.latest(db, NOW, (NOW - dt.timedelta(1), LATER)) == LATER
    with pytest.raises(ValueError, match="zone"):
        acts.note(db, "contacted", "rose", "lin", dt.datetime(2026, 11, 22))


SPOILS: list[Break] = [
    lambda db, _: withdraw(db, "rose", "lin", NOW), lambda db, _: withdraw(db, "sam", "lin", NOW, ["film"]),
    lambda db, _: withdraw(db, "v3", "lin", NOW, ["face"]),
    lambda db, r: approvals.say(db, r, 1, "rose", "objected", "lin", NOW, "pack"),
    lambda db, r: approvals.say(db, r, 2, "sam", "unreachable", "lin", NOW),
    lambda db, _: consents.record(db, "v4", replace(LENDS, until="2026-11-20"), "lin", NOW),
    lambda db, _: unmasking.mask(db, "rose", "lin", NOW),
]


@settings(max_examples=60, deadline=None)
@given(asked=st.sets(st.tuples(st.integers(1, 2), st.sampled_from(["rose", "sam", "v3", "v4"]))), log_ok=st.booleans(),
       audit=st.booleans(), purpose=st.sampled_from(["film", "film", "stills", "trailer"]), days=st.sampled_from([0, 0, 400]),
       spoils=st.lists(st.sampled_from(SPOILS), max_size=2))
def test_nothing_goes_out_unless_all_of_it_holds(asked: set[tuple[int, str]], log_ok: bool, audit: bool, purpose: str, days: int,
                                                 spoils: list[Break]) -> None:
    """Random states, and an oracle that knows only what each step did."""
    db = empty()
    enter(db)
    render = replace(film(), audit_passed=audit)
    renders.record(db, render, "lin", NOW)
    needed = {(s.number, a.person) for s in render.scenes for a in approvals.asked(db, s)}
    for scene, person in sorted(asked & needed):
        approvals.say(db, render, scene, person, "approved", "lin", NOW, "in person")
    for spoil in spoils:
        spoil(db, render)
    harmless = {SPOILS[4], SPOILS[6]}  # "not reached" takes back no yes, and Rose is not open
    whole = needed <= asked and log_ok and audit and purpose == "film" and days == 0 and set(spoils) <= harmless
    found = blockers(db, render, purpose, NOW + dt.timedelta(days=days), log_ok)
    assert (found == ()) is whole
    assert (exit_code(found) == ExitCode.DONE) is whole

