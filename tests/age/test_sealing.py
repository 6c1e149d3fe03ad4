"""Keys, and files written piece by piece: whole or refused."""

from __future__ import annotations

import gc
import io
import time

import pyrage
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facedouble.age import bech32
from facedouble.age.errors import AgeError, NoKeyFits, PayloadRefused
from facedouble.age.header import read_header
from facedouble.age.keys import recipient_of as by_hand
from facedouble.age.reader import NONCE, Payload, payload_size
from facedouble.age.sealing import Sealer, generate, recipient_of, seal, unseal
from tests.age.vectors import PASSPHRASE, age, scrypt

IDENTITY, RECIPIENT = generate()


class Full(io.BytesIO):
    """A disk with 100 kB left."""

    def write(self, data: object, /) -> int:
        if self.tell() > 100_000:
            raise OSError(28, "No space left on device")
        return super().write(data)  # type: ignore[arg-type]


def test_a_recipient_is_the_one_that_pyrage_derives() -> None:
    assert recipient_of(IDENTITY) == by_hand(IDENTITY) == RECIPIENT


@given(st.binary(max_size=80))
def test_bech32_brings_back_what_it_was_given(data: bytes) -> None:
    for prefix in ("age", "AGE-SECRET-KEY-"):
        assert bech32.decode(bech32.encode(prefix, data)) == (prefix, data)


def test_one_wrong_letter_of_a_key_is_noticed_and_the_key_not_repeated() -> None:
    for at in range(len(IDENTITY)):
        wrong = IDENTITY[:at] + ("Q" if IDENTITY[at] != "Q" else "P") + IDENTITY[at + 1:]
        with pytest.raises(AgeError) as told:
            recipient_of(wrong)
        assert wrong[20:] not in str(told.value)


@pytest.mark.parametrize("text", ["", "1", "age", RECIPIENT, RECIPIENT.upper(), IDENTITY.lower(), IDENTITY[:-1], IDENTITY + "Q",
                                  IDENTITY[:30] + IDENTITY[30:].lower(), "AGE-SECRET-KEY-1" + "Ä" * 10], ids=range(10))
def test_what_is_no_secret_key_is_refused(text: str) -> None:
    with pytest.raises(AgeError):
        recipient_of(text)


def test_a_passphrase_opens_and_another_does_not() -> None:
    sealed = seal(b"a note", passphrase="seven words")
    assert unseal(sealed, passphrase="seven words") == b"a note"
    quick = age(scrypt())  # with fewer rounds than anybody should use
    assert unseal(quick, passphrase=PASSPHRASE) == b"age"
    with pytest.raises(NoKeyFits):
        unseal(quick, passphrase="seven wordz")


def test_a_stream_to_a_passphrase_is_what_pyrage_reads() -> None:
    clear = bytes(range(256)) * 512  # two whole chunks: the last one is full
    file = io.BytesIO()
    sealer = Sealer(file, passphrase="seven words")
    for at in range(0, len(clear), 1000):
        sealer.write(clear[at:at + 1000])
    sealer.close()
    assert pyrage.passphrase.decrypt(file.getvalue(), "seven words") == clear
    lost = io.BytesIO()
    sealer = Sealer(lost, passphrase="seven words")
    sealer.write(b"and then the writer was gone")
    thread = sealer._thread
    del sealer
    gc.collect()
    thread.join(60)
    with pytest.raises(PayloadRefused):
        payload_size(lost, Payload(bytes(32), read_header(lost).size + NONCE))


def test_nobody_and_both_are_refused() -> None:
    with pytest.raises(AgeError, match="nobody"):
        seal(b"", [])
    with pytest.raises(AgeError, match="two files"):
        seal(b"", [RECIPIENT], "x")
    with pytest.raises(AgeError, match="no age recipient"):
        seal(b"", ["age1q"])


def test_a_full_disk_is_told_to_whoever_writes() -> None:
    sealer = Sealer(Full(), [RECIPIENT])
    with pytest.raises(OSError, match="No space"):
        for _ in range(50):
            sealer.write(bytes(100_000))
        sealer.close()
    sealer = Sealer(Full(), [RECIPIENT])
    sealer.write(bytes(300_000))
    with pytest.raises(OSError, match="No space"):
        sealer.close()


def test_what_was_given_up_or_forgotten_is_no_whole_file() -> None:
    given_up, lost = io.BytesIO(), io.BytesIO()
    sealer = Sealer(given_up, [RECIPIENT])
    sealer.write(bytes(200_000))
    sealer.abort()
    sealer = Sealer(lost, [RECIPIENT])
    sealer.write(bytes(200_000))
    thread = sealer._thread
    del sealer
    gc.collect()
    thread.join(10)
    assert not thread.is_alive()
    for file in (given_up, lost):
        with pytest.raises(AgeError):
            unseal(file.getvalue(), [IDENTITY])
        with pytest.raises(pyrage.DecryptError):
            pyrage.decrypt(file.getvalue(), [pyrage.x25519.Identity.from_str(IDENTITY)])


def test_a_sealer_takes_no_time_to_end() -> None:
    began = time.monotonic()
    for _ in range(20):
        sealer = Sealer(io.BytesIO(), [RECIPIENT])
        sealer.write(b"x")
        sealer.close()
    assert time.monotonic() - began < 10
