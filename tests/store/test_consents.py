from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from facedouble.errors import ConsentError
from facedouble.store import acts, consent_form, consents, personal
from facedouble.store.consents import TOLD, Agreed
from facedouble.store.withdrawal import withdraw
from tests.store.cast import AGREED, LENDS, NOW, empty, enter

TODAY = NOW.date()


@pytest.mark.parametrize(("change", "word"), [
    ({"language": " "}, "language"), ({"explained_by": ""}, "explained_by"), ({"audience": "the public"}, "worst audience"),
    ({"scope": ()}, "scope"), ({"scope": ("film", "memes")}, "scope"), ({"covers": ("hair",)}, "covers"),
    ({"start": "soon"}, "date"),
    ({"until": "2026-10-31"}, "before it begins"), ({"until": "31.12.2026"}, "date"),
    *(({"told": tuple(t for t in TOLD if t != name)}, name) for name in TOLD)])
def test_a_record_that_leaves_something_out_is_refused(change: dict[str, object], word: str) -> None:
    with pytest.raises(ConsentError, match=word):
        replace(AGREED, **change)  # type: ignore[arg-type]


def test_what_is_needed_once_is_asked_for() -> None:
    db = empty()
    enter(db)
    consents.record(db, "rose", AGREED, "lin", NOW)  # how to reach her is known
    with pytest.raises(ConsentError, match="mistaken"):
        consents.record(db, "v3", AGREED, "lin", NOW)
    with pytest.raises(ConsentError, match="travel"):
        consents.record(db, "v3", replace(LENDS, stay_away=()), "lin", NOW)


@pytest.mark.parametrize(("purpose", "needs", "day", "kind"), [
    ("film", {"face"}, "2026-11-22", None), ("stills", (), "2027-11-01", None), ("trailer", {"face"}, "2026-11-22", "scope"),
    ("test", {"face"}, "2026-11-22", "scope"), ("film", {"face"}, "2027-11-02", "dates"),
    ("film", {"story"}, "2026-11-22", "scope")])
def test_what_a_consent_reaches_to(purpose: str, needs: set[str], day: str, kind: str | None) -> None:
    db = empty()
    enter(db)
    consents.record(db, "rose", replace(AGREED, covers=("face", "voice", "body")), "lin", NOW)
    found = consents.refusal(db, "rose", purpose, needs, dt.datetime.fromisoformat(f"{day}T10:00:00+00:00"))
    assert (found and found.kind) == kind


@pytest.mark.parametrize("parts", [(), ("face",)])
def test_a_withdrawal_comes_before_every_other_reason(parts: tuple[str, ...]) -> None:
    """Also for what nobody can agree to: a film that was drawn `--for test` is shown to people, too."""
    db = empty()
    enter(db)
    withdraw(db, "rose", "lin", NOW, parts)
    for purpose in ("film", "trailer", "test"):
        found = consents.refusal(db, "rose", purpose, {"face"}, NOW)
        assert found is not None and found.kind == "withdrawn", purpose


def test_the_newest_record_says_all_that_holds() -> None:
    db = empty()
    enter(db)
    consents.record(db, "rose", replace(AGREED, scope=("trailer",)), "lin", NOW)
    assert consents.refusal(db, "rose", "trailer", (), NOW) is None
    assert (found := consents.refusal(db, "rose", "film", (), NOW)) is not None and "agreed to trailer" in found.sentence


def test_a_withdrawal_in_the_same_second_beats_the_consent_before_it_and_proof_is_asked_for_after() -> None:
    db = empty()
    enter(db)
    withdraw(db, "rose", "lin", NOW)
    assert (found := consents.refusal(db, "rose", "film", (), NOW)) is not None and found.kind == "withdrawn"
    with pytest.raises(ConsentError, match="proof"):
        consents.record(db, "rose", AGREED, "lin", NOW)
    consents.record(db, "rose", AGREED, "lin", NOW, proof=b"her voice")
    assert consents.refusal(db, "rose", "film", (), NOW) is None


def test_parts_are_withdrawn_alone_and_given_again() -> None:
    db = empty()
    enter(db)
    assert withdraw(db, "rose", "lin", NOW, ["stills", "voice"]).parts == ("stills", "voice")
    kinds = {(p, n): (r and r.kind) for p in ("film", "stills") for n in ("face", "voice")
             for r in [consents.refusal(db, "rose", p, (n,), NOW)]}
    assert kinds == {("film", "face"): None, ("film", "voice"): "withdrawn", ("stills", "face"): "withdrawn",
                     ("stills", "voice"): "withdrawn"}
    consents.record(db, "rose", AGREED, "lin", NOW)
    assert consents.refusal(db, "rose", "stills", ("voice",), NOW) is None


def test_every_try_to_reach_somebody_is_kept() -> None:
    db = empty()
    enter(db)
    consents.contacted(db, "rose", False, "lin", NOW, "phone off")
    consents.contacted(db, "rose", True, "lin", NOW, "she is well", "her sister now")
    assert [a.kind for a in acts.of(db, "rose")][-2:] == ["not reached", "contacted"]
    assert personal.kept(db, "rose", "reach") == b"her sister now" and personal.kept(db, "rose", "note") == b"she is well"
    assert b"she is well" not in db.serialize("main")


def filled(volunteer: bool) -> str:
    text = consent_form.template(volunteer).replace("= false", "= true")
    for key, value in (("audience", f'"{AGREED.audience}"'), ("language", '"Chechen"'), ("explained_by", '"lin"')):
        text = text.replace(f'{key} = ""', f"{key} = {value}")
    for key, value in (("scope", '["film", "stills"]'), ("covers", '["face", "voice", "body", "story"]'),
                       ("stay_away", '["the Caucasus"]')):
        text = text.replace(f"{key} = []", f"{key} = {value}")
    return text + "from = 2026-11-01\nuntil = 2027-11-01\n"


@pytest.mark.parametrize(("volunteer", "expected"), [(False, AGREED), (True, LENDS)])
def test_the_form_as_it_is_printed_is_refused_and_says_all_once_filled_in(volunteer: bool, expected: Agreed) -> None:
    with pytest.raises(ConsentError):
        consent_form.parse(consent_form.template(volunteer), TODAY)
    assert consent_form.parse(filled(volunteer), TODAY) == expected


@pytest.mark.parametrize(("line", "word"), [('reach = "a number"', "kept sealed"), ('real_name = "x"', "kept sealed"),
                                            ("scopes = []", "unknown entry"), ("able = 1", "true or false"),
                                            ("scope = 3", "list"), ("= 3", "valid TOML")])
def test_what_does_not_belong_in_the_form(line: str, word: str) -> None:
    key = line.split(" =")[0]
    text = "\n".join(row for row in filled(False).splitlines() if not row.startswith(f"{key} ="))
    with pytest.raises(ConsentError, match=word):
        consent_form.parse(f"{text}\n{line}\n", TODAY)
