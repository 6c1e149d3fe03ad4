"""Our reader and pyrage on the same files: the public vectors, where they are, and one made file for each fault, always."""

from __future__ import annotations

import hashlib
import io

import pyrage
import pytest

from facedouble.age.errors import AgeError, HeaderAltered, HeaderRefused, NoKeyFits, PayloadRefused
from facedouble.age.reader import Reader, open_payload
from tests.age.vectors import FOLDER, Vector, made, public

WORDS: dict[type[AgeError], str] = {
    HeaderRefused: "header failure", NoKeyFits: "no match", HeaderAltered: "HMAC failure", PayloadRefused: "payload failure",
}
PUBLIC, ARMOURED, HYBRID = public() if FOLDER.is_dir() else ([], [], [])
MADE = made()
# The specification refuses these, and so do we. pyrage 1.4.0 reads them: no last line of a body, letters after a number.
LAXER = {"stanza_missing_body", "stanza_missing_final_line", "body missing", "body full line, no end", "scrypt work b'10x'"}


def ours(vector: Vector) -> tuple[str, bytes | None]:
    file = io.BytesIO(vector.data)
    try:
        with Reader(file, open_payload(file, vector.identities, vector.passphrase)) as reader:
            return "success", reader.read()
    except AgeError as error:
        return WORDS[type(error)], None


def theirs(vector: Vector) -> bytes | None:
    try:
        if vector.passphrase is not None and not vector.identities:
            return bytes(pyrage.passphrase.decrypt(vector.data, vector.passphrase))
        return bytes(pyrage.decrypt(vector.data, [pyrage.x25519.Identity.from_str(text) for text in vector.identities]))
    except pyrage.DecryptError:
        return None


@pytest.mark.parametrize("vector", PUBLIC, ids=lambda v: v.name)
def test_a_public_vector_is_read_as_it_says_and_as_pyrage_reads_it(vector: Vector) -> None:
    word, data = ours(vector)
    assert word == vector.expect
    if vector.name in LAXER:
        assert theirs(vector) is not None
    elif vector.name != "scrypt_work_factor_23":  # where the machine seems quick to it, pyrage takes 8 GiB and a minute for this
        assert data == theirs(vector)
    if data is not None:
        assert hashlib.sha256(data).hexdigest() == vector.payload


@pytest.mark.skipif(not FOLDER.is_dir(), reason="the public vectors are not on this machine; the made ones below are")
def test_the_public_vectors_that_do_not_apply_are_these_many() -> None:
    assert (len(PUBLIC), len(ARMOURED), len(HYBRID)) == (92, 33, 18)
    assert {word: sum(v.expect == word for v in PUBLIC) for word in ("success", *WORDS.values())} == {
        "success": 15, "header failure": 51, "no match": 7, "HMAC failure": 1, "payload failure": 18}


@pytest.mark.parametrize("vector", MADE, ids=lambda v: v.name)
def test_a_file_with_one_fault_is_refused_for_that_and_by_pyrage_too(vector: Vector) -> None:
    word, data = ours(vector)
    assert word == vector.expect
    assert theirs(vector) == (b"age" if vector.name in LAXER else data)


def test_the_made_files_have_every_kind_of_fault_and_some_none() -> None:
    assert len(MADE) == 58
    assert {v.expect for v in MADE} == {"success", *WORDS.values()}
