"""The container's checks on a generated film: clean as it is, and every kind of fault found."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from bench.mutate.containers import FAULTS
from bench.mutate.faults import PLACES, Case, Fault, Unfit
from bench.mutate.surgery import Movie
from facedouble.audit.verdict import Check
from facedouble.media.decode import frames
from facedouble.media.encode import Writer
from facedouble.media.probe import probe
from facedouble.media.sound import pcm
from facedouble.options import EncodeOptions
from facedouble.pipeline.audit.container import container, of_footage
from facedouble.pipeline.audit.expected import Expected, expected
from facedouble.types import SafeFrame
from tests.media.make import clip, safe

NAMED = "Interview Ruslan 14.mp4"


def film(source: Path, new: Path, lead: int = 0) -> Path:
    """What the render's writer makes of a clip, with cards before it and its own sound."""
    info = probe(source)
    step = max(1, round(1 / (info.rate * info.time_base)))
    first = next(held := frames(info))
    held.close()
    cards = [safe(replace(first, index=k, ticks=first.ticks - (lead - k) * step, span=step)) for k in range(lead)]
    pictures: Iterator[SafeFrame] = (safe(f) for f in frames(info))
    info = replace(info, start=cards[0].frame.time) if cards else info
    with Writer(new, info, EncodeOptions(), [(a.rate, a.channels, a.start, pcm(info, a.index)) for a in info.audio]) as writer:
        for card in cards:
            writer.add(card)
        writer.cut()
        for frame in pictures:
            writer.add(frame)
    return new


def said(checks: list[Check]) -> dict[str, list[str]]:
    """What each check that found something said."""
    assert [c.group for c in checks] == ["container"] * len(checks)
    assert len({c.name for c in checks}) == len(checks)
    return {c.name: [f.what for f in c.findings] for c in checks if c.findings}


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    folder = tmp_path_factory.mktemp("case")
    source = clip(folder / NAMED, frames=40, audio=[(16000, 1.6, 0.0)], tags={"title": "Kitchen of Petrova"})
    return Case(source, film(source, folder / "safe.mp4"))


@pytest.fixture(scope="module")
def plan(case: Case) -> Expected:
    return expected(case.source)


def test_a_clean_film_passes_and_everything_was_looked_at(case: Case, plan: Expected) -> None:
    checks = container(case.clean, [case.source], plan, ["Petrova"])
    assert said(checks) == {}
    assert all(c.passed and c.looked for c in checks)
    by = {c.name: c for c in checks}
    assert by["counts and times"].looked == 40
    assert by["another reader"].figures["frames"] == 40
    assert by["strings of the footage"].looked == case.clean.stat().st_size


def test_the_surgery_alone_is_no_fault(case: Case, plan: Expected, tmp_path: Path) -> None:
    Movie(case.clean).write(tmp_path / "sewn.mp4")
    assert said(container(tmp_path / "sewn.mp4", [case.source], plan)) == {}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.kind)
def test_every_kind_of_fault_is_found_at_its_weakest(fault: Fault, case: Case, plan: Expected, tmp_path: Path) -> None:
    for place in (1, PLACES - 2):
        new = tmp_path / f"fault{place}.mp4"
        try:
            fault.make(case, place, fault.strengths[-1], new)
        except Unfit as error:
            pytest.skip(str(error))
        checks = container(new, [case.source], plan)
        assert not all(c.passed for c in checks), place


def test_faults_have_a_name_and_strengths_from_strong_to_weak() -> None:
    assert len(FAULTS) >= 12 and len({f.kind for f in FAULTS}) == len(FAULTS)
    for fault in FAULTS:
        assert fault.group == "container"
        assert list(fault.strengths) == sorted(fault.strengths, reverse=True)


def test_hidden_frames_are_the_footage_and_can_be_seen(case: Case, tmp_path: Path) -> None:
    """The fault is a real one: with the edit list ignored, a bare frame comes out."""
    fault = next(f for f in FAULTS if f.kind.startswith("bare frames"))
    fault.make(case, 0, 3, tmp_path / "hidden.mp4")
    with av.open(str(tmp_path / "hidden.mp4"), options={"ignore_editlist": "1"}) as box:
        seen = [f.to_ndarray(format="gray").astype(int) for f in box.decode(video=0)]
    with av.open(str(case.source)) as box:
        bare = [f.to_ndarray(format="gray").astype(int) for f in box.decode(video=0)]
    assert len(seen) == 43
    assert np.abs(seen[0] - bare[0]).mean() < 4


CLIPS = {"one frame": {"frames": 1}, "two frames": {"frames": 2}, "ten bits": {"fmt": "yuv420p10le"},
         "full chroma": {"fmt": "yuv444p"},
         "pixels not square": {"sar": Fraction(16, 11)}, "full range": {"full": True}, "turned": {"rotation": 90},
         "uneven times": {"base": Fraction(1, 1000), "pts": [0, 40, 90, 91, 200, 240, 280, 500, 501, 502, 600, 1000]},
         "NTSC": {"base": Fraction(1001, 30000), "pts": list(range(12))},
         "two sounds": {"audio": [(44100, 0.48, 0.0), (48000, 0.3, 0.1)]},
         "late sound": {"audio": [(48000, 0.3, 0.2)]}, "slow sound": {"audio": [(22050, 0.4, 0.0)]},
         "late pictures": {"base": Fraction(1, 1000), "pts": [500 + 40 * k for k in range(12)], "audio": [(48000, 1.0, 0.0)]}}


@pytest.mark.parametrize("lead", [0, 3])
@pytest.mark.parametrize("name", CLIPS)
def test_clean_films_of_every_shape_pass(name: str, lead: int, tmp_path: Path) -> None:
    source = clip(tmp_path / "in.mp4", **CLIPS[name])  # type: ignore[arg-type]
    out = film(source, tmp_path / "out.mp4", lead)
    assert said(container(out, [source], lambda exact: expected(source, lead, exact))) == {}
    if lead:
        assert "counts and times" in said(container(out, [source], expected(source)))


def test_a_film_of_many_hours_has_wide_headers_and_passes(tmp_path: Path) -> None:
    source = clip(tmp_path / "in.mp4", frames=24, base=Fraction(1, 90000), pts=[250_000_000 * k for k in range(24)])
    out = film(source, tmp_path / "out.mp4")
    assert b"mvhd\1" in out.read_bytes()
    assert said(container(out, [source], expected(source))) == {}


def test_a_name_of_the_footage_is_told_from_a_common_word(case: Case) -> None:
    sought = {n.text: n.what for n in of_footage([case.source], ["Zelimkhan"])}
    assert {"Interview", "Ruslan", "Kitchen", "Petrova", "Zelimkhan", NAMED} <= set(sought)
    assert not {"isom", "und", "14", "mp4", "isomiso2avc1mp41"} & set(sought)
    assert "title" in sought["Petrova"]


def test_a_word_in_the_file_name_is_found(case: Case, plan: Expected, tmp_path: Path) -> None:
    new = tmp_path / "film with petrova.mp4"
    new.write_bytes(case.clean.read_bytes())
    assert list(said(container(new, [case.source], plan, ["Petrova"]))) == ["around the file"]


def test_without_a_plan_the_counts_were_not_tried(case: Case) -> None:
    checks = {c.name: c for c in container(case.clean, [], None)}
    assert checks["counts and times"].missing and not checks["counts and times"].passed
    assert all(c.passed for name, c in checks.items() if name != "counts and times")


def test_footage_that_went_is_said(case: Case, tmp_path: Path) -> None:
    gone = tmp_path / "gone.mp4"
    counts = container(case.clean, [], lambda exact: expected(gone, 0, exact))[5]
    assert "gone.mp4" in counts.missing and not counts.passed


def test_footage_that_is_no_video_still_gives_its_name(case: Case, tmp_path: Path) -> None:
    other = tmp_path / "notes of Madina.txt"
    other.write_text("Grozny")
    assert "Madina" in {n.text for n in of_footage([other])}


def test_a_link_is_as_good_as_its_file(case: Case, plan: Expected, tmp_path: Path) -> None:
    os.symlink(case.clean, tmp_path / "link.mp4")
    assert said(container(tmp_path / "link.mp4", [case.source], plan)) == {}


def test_a_disk_where_everybody_may_write_everything_is_no_fault_of_the_film(case: Case, plan: Expected, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    new = stick / "safe.mp4"
    new.write_bytes(case.clean.read_bytes())
    new.chmod(0o666)
    assert list(said(container(new, [case.source], plan))) == ["around the file"]
    stick.chmod(0o777)
    assert said(container(new, [case.source], plan)) == {}


NOISE = np.random.default_rng(0).bytes(3000)


@pytest.mark.parametrize("data", [b"", b"\0", b"ftyp", b"a text that is no film at all", bytes(5000), NOISE], ids=range(6))
def test_what_is_no_film_is_found_and_does_no_harm(data: bytes, case: Case, plan: Expected, tmp_path: Path) -> None:
    new = tmp_path / "safe.mp4"
    new.write_bytes(data)
    found = said(container(new, [case.source], plan))
    assert {"parts of the file", "another reader", "counts and times"} <= set(found)


def test_a_cut_film_is_found_wherever_it_is_cut(case: Case, plan: Expected, tmp_path: Path) -> None:
    whole = case.clean.read_bytes()
    for k in range(1, 25):
        new = tmp_path / "cut.mp4"
        new.write_bytes(whole[: len(whole) * k // 25])
        assert "parts of the file" in said(container(new, [case.source], plan))
    new.write_bytes(whole[:-1])
    assert "parts of the file" in said(container(new, [case.source], plan))


def test_the_same_film_gives_the_same_words(case: Case, plan: Expected) -> None:
    assert container(case.clean, [case.source], plan) == container(case.clean, [case.source], plan)
