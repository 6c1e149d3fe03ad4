"""Reading anywhere, and what is refused: every bit, every cut, every exchange."""

from __future__ import annotations

import io
import os
import random
import tracemalloc
from pathlib import Path

import pyrage
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facedouble.age.errors import AgeError, NoKeyFits
from facedouble.age.reader import CHUNK, TAG, Payload, Reader, header_mac, open_payload
from facedouble.age.sealing import Sealer, generate, seal, unseal
from facedouble.disk import Lent, borrowed

IDENTITY, RECIPIENT = generate()
THEIRS = pyrage.x25519.Identity.from_str(IDENTITY)
CLEAR = random.Random(1).randbytes(3 * CHUNK + 1234)
SEALED = seal(CLEAR, [RECIPIENT])


def reader(data: bytes) -> Reader:
    file = io.BytesIO(data)
    return Reader(file, open_payload(file, [IDENTITY]))


def refused(data: bytes) -> bool:
    """By ours and by pyrage; nothing else than AgeError comes out of ours."""
    try:
        unseal(data, [IDENTITY])
    except AgeError:
        with pytest.raises(pyrage.DecryptError):
            pyrage.decrypt(data, [THEIRS])
        return True
    return False


def test_every_flipped_bit_of_a_small_file_is_refused() -> None:
    small = seal(b"small", [RECIPIENT])
    assert not refused(small)
    for bit in range(8 * len(small)):
        changed = bytearray(small)
        changed[bit // 8] ^= 1 << bit % 8
        assert refused(bytes(changed)), bit


def test_every_cut_of_a_small_file_and_every_addition_is_refused() -> None:
    small = seal(b"small", [RECIPIENT])
    assert all(refused(small[:size]) for size in range(len(small)))
    assert all(refused(small + bytes(more)) for more in (1, 15, 16, 17, CHUNK))


def test_a_cut_is_refused_when_the_file_is_opened_before_anything_is_read() -> None:
    file = io.BytesIO(SEALED)
    payload = open_payload(file, [IDENTITY])
    for chunks in (0, 1, 2, 3):
        for more in (0, 1, TAG, 1000):
            with pytest.raises(AgeError, match="cut"):
                Reader(io.BytesIO(SEALED[:payload.start + chunks * (CHUNK + TAG) + more]), payload)


def test_chunks_that_changed_places_are_refused() -> None:
    start = open_payload(io.BytesIO(SEALED), [IDENTITY]).start
    step = CHUNK + TAG
    one, two = SEALED[start:start + step], SEALED[start + step:start + 2 * step]
    assert refused(SEALED[:start] + two + one + SEALED[start + 2 * step:])
    assert refused(SEALED[:start] + one + one + SEALED[start + 2 * step:])
    assert refused(SEALED[:start] + two + SEALED[start + 2 * step:])


def test_a_changed_chunk_stops_the_reading_there_and_gives_none_of_it() -> None:
    start = open_payload(io.BytesIO(SEALED), [IDENTITY]).start
    changed = bytearray(SEALED)
    changed[start + (CHUNK + TAG) + 5] ^= 1
    with reader(bytes(changed)) as file:
        assert file.read(CHUNK) == CLEAR[:CHUNK]
        with pytest.raises(AgeError, match="altered"):
            file.read(1)
        file.seek(2 * CHUNK)
        assert file.read() == CLEAR[2 * CHUNK:]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(CLEAR) + 10), st.integers(0, 2 * CHUNK + 5)), max_size=12))
def test_reading_anywhere_gives_what_is_there(steps: list[tuple[int, int]]) -> None:
    with reader(SEALED) as file:
        assert file.size == len(CLEAR)
        for at, size in steps:
            assert file.seek(at) == at
            assert file.read(size) == CLEAR[at:at + size]
            assert file.tell() == max(at, min(at + size, len(CLEAR)))


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK])
def test_what_pyrage_writes_ours_reads_and_what_the_sealer_writes_pyrage_reads(size: int) -> None:
    clear = CLEAR[:size]
    assert unseal(seal(clear, [RECIPIENT]), [IDENTITY]) == clear
    file = io.BytesIO()
    sealer = Sealer(file, [RECIPIENT])
    sealer.write(clear)
    sealer.close()
    assert pyrage.decrypt(file.getvalue(), [THEIRS]) == clear


def test_it_is_a_file_like_any_other(tmp_path: Path) -> None:
    path = tmp_path / "a.age"
    path.write_bytes(seal(b"one\ntwo\nthree", [RECIPIENT]))
    source = path.open("rb")
    with Reader(source, open_payload(source, [IDENTITY])) as file:
        assert file.readable() and file.seekable() and not file.writable()
        assert file.seek(-5, io.SEEK_END) == 8 and file.read(2) == b"th" and file.seek(1, io.SEEK_CUR) == 11
        file.seek(0)
        assert list(file) == [b"one\n", b"two\n", b"three"]
        into = bytearray(3)
        file.seek(4)
        assert file.readinto(into) == 3 and into == b"two"
        with pytest.raises(ValueError):
            file.seek(-1)
    assert source.closed


def test_a_child_gets_the_key_of_one_file_only(tmp_path: Path) -> None:
    path = tmp_path / "a.age"
    path.write_bytes(SEALED)
    with open(path, "rb") as file:
        payload = open_payload(file, [IDENTITY])
    with borrowed(Lent(os.open(path, os.O_RDONLY), payload.key, payload.start)) as mine:
        assert mine.read() == CLEAR
    assert repr(payload.key) not in repr(payload)
    other = seal(b"another", [RECIPIENT])
    with pytest.raises(AgeError, match="altered"):
        Reader(io.BytesIO(other), Payload(payload.key, payload.start))


def test_several_identities_and_a_wrong_one() -> None:
    other = generate()[0]
    assert unseal(seal(b"x", [RECIPIENT]), [other, IDENTITY]) == b"x"
    with pytest.raises(NoKeyFits, match="not made for this key"):
        unseal(seal(b"x", [RECIPIENT]), [other])
    with pytest.raises(NoKeyFits):
        unseal(seal(b"x", [RECIPIENT]), passphrase="x")


def test_the_mac_of_a_header_tells_files_apart() -> None:
    one, two = seal(b"x", [RECIPIENT]), seal(b"x", [RECIPIENT])
    assert header_mac(io.BytesIO(one)) != header_mac(io.BytesIO(two))
    assert len(header_mac(io.BytesIO(one))) == 32


def test_a_stick_that_is_pulled_out_is_told() -> None:
    class Pulled(io.BytesIO):
        gone = False

        def read(self, size: int | None = -1, /) -> bytes:
            if self.gone:
                raise OSError(5, "Input/output error")
            return super().read(size)

    file = Pulled(SEALED)
    stick = Reader(file, open_payload(file, [IDENTITY]))
    file.gone = True
    with pytest.raises(AgeError, match="Input/output error"):
        stick.read(10)


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    """64 MiB written and read; the pipe, 64 kept chunks and pieces of 1 MiB make 8 MiB."""
    block = os.urandom(1 << 20)
    path = tmp_path / "big.age"
    tracemalloc.start()
    try:
        with open(path, "wb") as file:
            sealer = Sealer(file, [RECIPIENT])
            for _ in range(64):
                sealer.write(block)
            sealer.close()
        source = path.open("rb")
        with Reader(source, open_payload(source, [IDENTITY])) as big:
            while big.read(1 << 20):
                pass
        assert tracemalloc.get_traced_memory()[1] < 10 << 20
    finally:
        tracemalloc.stop()
