"""Scratch space is a file like any other, except that nothing readable of it reaches the disk."""

from __future__ import annotations

import io
import os
import random
import tracemalloc
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facedouble.errors import StoreError
from facedouble.store.scratch import PAGE, SLOT, Scratch

CANARY = b"CANARY-ON-DISK-7f3a"
Step = tuple[str, int, int]
PLACES = st.one_of(st.integers(0, 5 * PAGE), st.sampled_from([0, PAGE - 1, PAGE, PAGE + 1, 3 * PAGE]))


def raw(scratch: Scratch) -> bytes:
    """What lies on the disk."""
    with open(f"/proc/self/fd/{scratch._descriptor}", "rb") as file:
        return file.read()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["write", "read", "again"]), PLACES, st.integers(0, 3 * PAGE)), max_size=15))
def test_it_reads_as_a_plain_file_does(tmp_path_factory: pytest.TempPathFactory, steps: list[Step]) -> None:
    made = random.Random(1)
    with Scratch(tmp_path_factory.getbasetemp()) as scratch, io.BytesIO() as plain:
        for what, at, size in steps:
            scratch.seek(at)
            plain.seek(at)
            if what == "write":
                data = made.randbytes(size)
                if size == 0:  # BytesIO does not grow by nothing, nor do we
                    continue
                assert scratch.write(data) == plain.write(data)
            elif what == "read":
                assert scratch.read(size) == plain.read(size)
            else:
                with scratch.again() as view:
                    assert view.read() == plain.getvalue()
            assert scratch.seek(0, io.SEEK_END) == plain.seek(0, io.SEEK_END)


def test_nothing_readable_is_on_the_disk_and_no_name(tmp_path: Path) -> None:
    with Scratch(tmp_path) as scratch:
        for _ in range(60):
            scratch.write(CANARY * (PAGE // len(CANARY)))
        scratch.flush()
        lies = raw(scratch)
        assert len(lies) > 59 * PAGE and CANARY not in lies and CANARY[:9] not in lies
        assert list(tmp_path.iterdir()) == []
        assert os.fstat(scratch._descriptor).st_nlink == 0


def test_a_page_that_is_written_again_looks_different(tmp_path: Path) -> None:
    with Scratch(tmp_path) as scratch:
        seen = set()
        for _ in range(3):
            scratch.seek(0)
            scratch.write(bytes(PAGE))
            scratch.flush()
            seen.add(raw(scratch))
        assert len(seen) == 3


@pytest.mark.parametrize("what", ["bit", "swapped", "older", "zeros"])
def test_pages_that_were_altered_are_refused(tmp_path: Path, what: str) -> None:
    with Scratch(tmp_path) as scratch:
        scratch.write(random.Random(2).randbytes(2 * PAGE))
        scratch.flush()
        older = raw(scratch)
        scratch.seek(0)
        scratch.write(b"x")
        scratch.flush()
        now = raw(scratch)
        wrong = {"bit": bytes([now[0] ^ 1]) + now[1:], "swapped": now[SLOT:] + now[:SLOT], "older": older,
                 "zeros": bytes(SLOT) + now[SLOT:]}[what]
        os.pwrite(scratch._descriptor, wrong, 0)
        with pytest.raises(StoreError, match="altered"):
            scratch.again().read()


def test_a_reading_of_its_own_stays_when_the_writer_is_closed(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    scratch.write(b"one two")
    view = scratch.again()
    scratch.close()
    with pytest.raises(io.UnsupportedOperation):
        view.write(b"x")
    assert view.read() == b"one two" and not view.writable()
    view.close()
    with pytest.raises(io.UnsupportedOperation):
        Scratch(tmp_path).truncate(0)


def test_memory_does_not_grow_with_it(tmp_path: Path) -> None:
    block = os.urandom(1 << 20)
    tracemalloc.start()
    try:
        with Scratch(tmp_path) as scratch:
            for _ in range(64):
                scratch.write(block)
            with scratch.again() as view:
                while view.read(1 << 20):
                    pass
        assert tracemalloc.get_traced_memory()[1] < 22 << 20  # two caches of 8 MiB, and pieces
    finally:
        tracemalloc.stop()


def test_a_folder_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be used"):
        Scratch(tmp_path / "file")


def test_a_film_is_muxed_into_it_as_into_a_file(tmp_path: Path) -> None:
    def film(target: object, again: Callable[..., object] | None) -> None:
        with av.open(target, "w", format="mp4", options={"movflags": "faststart", "fflags": "+bitexact"}, io_open=again) as out:
            stream = out.add_stream("libx264", rate=Fraction(25), options={"threads": "1"})
            stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
            noise = np.random.default_rng(1)
            for _ in range(25):
                picture = av.VideoFrame.from_ndarray(noise.integers(0, 256, (240, 320, 3), np.uint8), format="rgb24")
                out.mux(stream.encode(picture))
            out.mux(stream.encode(None))

    film(str(tmp_path / "plain.mp4"), None)
    with Scratch(tmp_path / "scratch") as scratch:
        film(scratch, lambda *_: scratch.again())  # faststart moves the pictures up to make room for the index
        with scratch.again() as view:
            made = view.read()
        lies = raw(scratch)
    plain = (tmp_path / "plain.mp4").read_bytes()
    assert made.count(b"moov") == 1 and b"moov" not in lies and b"ftyp" not in lies
    assert len(made) > 2 * PAGE
    assert made == plain
