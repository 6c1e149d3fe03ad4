from __future__ import annotations

from dataclasses import replace

import pytest

from facedouble.errors import ConsentError, InputRefused
from facedouble.store import override, receipt, renders
from facedouble.store.keys import new_keyring
from facedouble.store.renders import Found
from tests.store.cast import NOW, empty, enter, film, ready

ONE, TWO = new_keyring("noor"), new_keyring("lin")
REASON = "a poster on the wall behind her, looked at by both of us"
FACES = "Every face is accounted for"
GOOD = override.over(film(), "face", 2, (100, 200), REASON, (1000, 1000), "noor", "lin", FACES)


@pytest.mark.parametrize(("change", "word"), [
    *(({"kind": kind}, "nobody may override") for kind in ("rank-1", "withdrawn", "count", "log", "model", "container", "")),
    ({"check_name": "Nobody is recognised"}, "nobody may override"), ({"check_name": "coded pictures"}, "nobody may override"),
    ({"reason": "it is a poster"}, "20 characters"), ({"looked": (999, 5000)}, "looked"), ({"looked": (5000, 0)}, "looked"),
    ({"second": "noor"}, "two key holders"), ({"second": ""}, "two key holders"), ({"person": "rose"}, "one check"),
    ({"kind": "unreachable"}, "one check")])
def test_what_an_override_has_to_be(change: dict[str, object], word: str) -> None:
    with pytest.raises(ConsentError, match=word):
        replace(GOOD, **change)  # type: ignore[arg-type]


@pytest.mark.parametrize("span", [(90, 150), (150, 250), (150, 150), (0, 300)])
def test_it_is_of_one_span_in_one_scene(span: tuple[int, int]) -> None:
    with pytest.raises(ConsentError, match="one scene"):
        override.over(film(), "face", 2, span, REASON, (1000, 1000), "noor", "lin", FACES)


def test_both_sign_with_keys_of_their_own() -> None:
    db, _ = ready()
    for pair in ((ONE, ONE), (TWO, ONE), (ONE, replace(ONE, holder="lin"))):
        with pytest.raises(ConsentError, match="two key holders"):
            override.record(db, GOOD, *pair, NOW)


def test_it_ends_with_any_change_and_without_both_signatures() -> None:
    db, render = ready()
    override.record(db, GOOD, ONE, TWO, NOW)
    keys = {"noor": ONE.public, "lin": TWO.public}
    assert override.standing(db, render, keys) == (GOOD,)
    scenes = (render.scenes[0], replace(render.scenes[1], hash="0" * 64), render.scenes[2])
    for other in (replace(render, content="0" * 64), replace(render, plan="0" * 16), replace(render, scenes=scenes)):
        assert override.standing(db, other, keys) == ()
    for known in ({}, {"noor": ONE.public}, {**keys, "lin": new_keyring("lin").public}):
        assert override.standing(db, render, known) == ()
    assert override.answers(GOOD, Found(FACES, "a face", 100, 200))
    assert not override.answers(GOOD, Found(FACES, "a face", 100, 201))
    db.execute("UPDATE overrides SET text = replace(text, 'poster', 'banner')")
    assert override.standing(db, render, keys) == ()


def test_the_receipt_says_what_went_out_and_nothing_of_where_it_comes_from() -> None:
    _, render = ready()
    render = replace(render, facts={"source": "7" * 64})
    data = receipt.receipt("rel1", render, "film", "0.1.0", NOW, (GOOD,), ONE)
    said = receipt.read(data)
    assert (said["release"], said["content"], said["day"], said["purpose"]) == ("rel1", render.content, "2026-11-22", "film")
    assert said["overrides"] == [{"kind": "face", "scene": 2, "frames": [100, 200]}] and said["key"] == ONE.public
    for secret in ("7" * 64, render.plan, render.file, "rose", "v3", "poster", "12:00", render.clip + '"'):
        assert secret.encode() not in data
    for wrong in (data.replace(b"film", b"fake"), data.replace(ONE.public.encode(), TWO.public.encode()), b"{}", b"", b"[1]"):
        with pytest.raises(InputRefused, match="no receipt"):
            receipt.read(wrong)


def test_the_report_says_who_said_what_and_why_it_went_out() -> None:
    db = empty()
    enter(db)
    renders.record(db, film(), "lin", NOW)
    text = receipt.report(db, "rel1", film(), "film", (GOOD,)).decode()
    assert REASON in text and '"sam": ""' in text and '"man"' in text
