"""Some of the media that `make fuzz` makes, read as it reads them."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest

from bench.fuzz import ENDS, ended, outcome, straced, watched
from bench.mutants import FILM, TEXTS, mutant, seeds

COUNT = 250  # CI reads 500 more: .ci/run
CHILD = ENDS[3:]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return seeds(tmp_path_factory.mktemp("seeds"))


def test_none_brings_the_parent_down_and_no_other_file_is_opened(made: dict[str, bytes], tmp_path: Path) -> None:
    canary = tmp_path / "canary.mp4"
    canary.write_bytes(made["h264.mp4"])
    with watched(canary) as opened:
        found = [outcome(n, made, tmp_path, canary, None) for n in range(COUNT)]
    assert [one for one in found if one.end in CHILD] == []
    ends = Counter(one.end for one in found)
    assert min(ends[end] for end in ENDS[:3]) > COUNT // 20, ends  # not all of it is refused at the door
    assert opened == []


def test_a_canary_that_is_opened_is_seen(tmp_path: Path) -> None:
    (tmp_path / "canary.mp4").write_bytes(b"x")
    with watched(tmp_path / "canary.mp4") as opened:
        (tmp_path / "canary.mp4").read_bytes()
    assert opened


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_a_confined_child_opens_nothing() -> None:
    if "Seccomp:\t0" not in Path("/proc/self/status").read_text():
        pytest.skip("an earlier test of this process denied it the network, and strace with it")
    confined, refused, opened = straced(4, 0)
    assert confined > 4 and refused > confined and opened == []


@pytest.mark.parametrize("what", TEXTS)
@pytest.mark.parametrize("front", [0, 12, 40])
def test_texts_that_name_other_files_are_refused(what: str, front: int, made: dict[str, bytes], tmp_path: Path) -> None:
    canary = tmp_path / "canary.mp4"
    canary.write_bytes(made["h264.mp4"])
    with watched(canary) as opened:
        for name in ("h264.mp4", "vp9.mkv", "mpeg4.avi", "pcm.wav"):
            (tmp_path / name).write_bytes(made[name][:front] + TEXTS[what].format(canary=canary).encode())
            assert ended(tmp_path / name, name)[0] == "refused"
    assert opened == []


def test_the_same_number_gives_the_same_bytes(made: dict[str, bytes], tmp_path: Path) -> None:
    assert [mutant(n, made, tmp_path) for n in range(60)] == [mutant(n, made, tmp_path) for n in range(60)]
    assert len({mutant(n, made, tmp_path)[2] for n in range(300)}) > 290
    assert set(FILM) < set(made)
