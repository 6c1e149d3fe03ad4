from __future__ import annotations

import random
from pathlib import Path

import apsw
import pytest

from facedouble.age.errors import AgeError
from facedouble.age.sealing import generate, unseal
from facedouble.errors import ConsentError, StoreError, UsageError
from facedouble.store import acts, consents, people, personal, registry
from facedouble.store.withdrawal import erase, withdraw
from tests.store.cast import AGREED, NOW, empty, enter


def test_people_are_found_by_pseudonym_and_by_what_the_plan_calls_them() -> None:
    db = empty()
    rose = people.add(db, "witness", "lin", NOW, "rose", ("P1", "P4"))
    made = people.add(db, "shown", "lin", NOW)
    assert people.find(db, "P4") == people.get(db, "rose") == rose and people.find(db, "P2") is None
    assert made.id.startswith("p-") and people.everybody(db) == (rose, made)
    assert people.call(db, made.id, "P2", "lin", NOW).plan == ("P2",)
    assert [a.kind for a in acts.of(db, "rose")] == ["person added"]


@pytest.mark.parametrize(("role", "name", "plan", "word"), [
    ("witness", "Rose", (), "pseudonym"), ("witness", "rose smith", (), "pseudonym"), ("hero", "eva", (), "role"),
    ("witness", "rose", (), "called that"), ("witness", "eva", ("P1",), "rose already"), ("witness", "eva", ("P 1",), "plan"),
    ("witness", "eva", ("rose",), "rose already")])
def test_one_name_is_one_person(role: str, name: str, plan: tuple[str, ...], word: str) -> None:
    db = empty()
    people.add(db, "witness", "lin", NOW, "rose", ("P1",))
    with pytest.raises(UsageError, match=word):
        people.add(db, role, "lin", NOW, name, plan)
    with pytest.raises(UsageError, match="nobody in this project"):
        people.get(db, "nobody")
    with pytest.raises(UsageError, match="writes this down"):
        people.add(db, "witness", " ", NOW)


def test_a_passer_by_who_is_found_becomes_somebody() -> None:
    db = empty()
    people.add(db, "passer-by", "lin", NOW, "man")
    with pytest.raises(ConsentError, match="passer-by"):
        consents.record(db, "man", AGREED, "lin", NOW, reach="a number")
    assert people.become(db, "man", "witness", "lin", NOW).role == "witness"
    consents.record(db, "man", AGREED, "lin", NOW, reach="a number")
    with pytest.raises(UsageError, match="only a passer-by"):
        people.become(db, "man", "shown", "lin", NOW)


def test_what_is_sealed_to_one_person_opens_with_their_key_alone() -> None:
    db = empty()
    enter(db)
    sealed = personal.seal_for(db, "rose", "biometrics", b"128 numbers")
    assert b"numbers" not in sealed and personal.open_for(db, "rose", "biometrics", sealed) == b"128 numbers"
    for other, kind in (("sam", "biometrics"), ("rose", "record")):
        with pytest.raises(AgeError):
            personal.open_for(db, other, kind, sealed)
    assert personal.kept(db, "rose", "reach") == b"a friend of rose" and personal.kept(db, "rose", "real-name") is None
    with pytest.raises(StoreError, match="nobody"):
        personal.seal_for(db, "eva", "record", b"")


def held(db: apsw.Connection) -> dict[str, str]:
    return {str(k): str(i) for k, i in db.execute("SELECT kind, identity FROM person_keys WHERE person = 'rose'")}


def saved(db: apsw.Connection, folder: Path) -> bytes:
    """The bytes that a generation of the registry's file holds."""
    identity, recipient = generate()
    registry.write(folder, db, 1, 1, "0" * 64, recipient)
    return unseal(registry.path_of(folder, 1).read_bytes(), [identity])


def test_an_erased_key_is_in_no_byte_of_the_registry(tmp_path: Path) -> None:
    db = empty()
    enter(db)
    keys = held(db)
    record = personal.seal_for(db, "rose", "record", b"real name")
    codes = personal.seal_for(db, "rose", "biometrics", b"128 numbers")
    assert all(key.encode() in saved(db, tmp_path) for key in keys.values())
    withdraw(db, "rose", "lin", NOW)
    after = saved(db, tmp_path)
    assert keys["biometrics"].encode() not in after and keys["record"].encode() in after
    with pytest.raises(ConsentError, match="erased"):
        personal.open_for(db, "rose", "biometrics", codes)
    assert personal.open_for(db, "rose", "record", record) == b"real name"
    withdraw(db, "rose", "lin", NOW, erase_record=True)
    assert keys["record"].encode() not in saved(db, tmp_path) and not db.execute("SELECT 1 FROM sealed WHERE person = 'rose'").get
    assert [p.id for p in people.everybody(db)][:2] == ["rose", "sam"]  # that a no was said stays known


def test_nor_between_the_pages_of_a_large_one(tmp_path: Path) -> None:
    """Pages that the database split hold copies of rows that moved; without writing it anew half of the keys would stay."""
    db, order = empty(), random.Random(1)
    for _ in range(80):
        people.add(db, "witness", "lin", NOW, f"n{order.randrange(10**6)}")
    gone = [str(k).encode() for k, in db.execute("SELECT identity FROM person_keys WHERE kind = 'biometrics'")]
    raw = db.serialize("main")
    assert any(raw.count(key) > 1 for key in gone)
    for who in people.everybody(db):
        withdraw(db, who.id, "lin", NOW)
    after = saved(db, tmp_path)
    assert not any(key in after for key in gone) and not any(key in db.serialize("main") for key in gone)


def test_a_new_consent_makes_a_new_key_and_what_was_sealed_before_stays_closed() -> None:
    db = empty()
    enter(db)
    codes = personal.seal_for(db, "rose", "biometrics", b"128 numbers")
    withdraw(db, "rose", "lin", NOW, ["voice"])
    with pytest.raises(AgeError):
        personal.open_for(db, "rose", "biometrics", codes)  # a key of its own again, and another one
    withdraw(db, "rose", "lin", NOW)
    consents.record(db, "rose", AGREED, "lin", NOW, proof=b"her voice")
    with pytest.raises(AgeError):
        personal.open_for(db, "rose", "biometrics", codes)
    erase(db, "rose", ("record",), "lin", NOW)
    with pytest.raises(ConsentError, match="reached safely"):
        consents.record(db, "rose", AGREED, "lin", NOW)
