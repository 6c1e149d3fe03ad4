"""The checklist: text that is really read in a clip made here, marks that stay, and a sheet of protected pictures only."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from facedouble.errors import FacedoubleError, InputRefused, ModelError, UsageError
from facedouble.media.encode import Writer
from facedouble.options import DrawOptions, EncodeOptions, Options
from facedouble.pipeline import checklist, checksheet
from facedouble.pipeline.analyse import Analysis
from facedouble.pipeline.checklist import WHOLE, find, shots_of
from facedouble.pipeline.film import Home, look_at
from facedouble.pipeline.finders import FINDERS
from facedouble.pipeline.screening import Screening, render_film
from facedouble.plan import edit
from facedouble.plan.plan import Plan
from facedouble.plan.read import read
from facedouble.plan.values import Check, Clip, Key, Region
from facedouble.protect.composite import compose
from facedouble.types import Array, Bytes, Colour, Finder, Frame, MediaInfo, Spot

WIDE, HIGH, CUT, FRAMES = 640, 360, 40, 90
INFO = MediaInfo("made", "mp4", WIDE, HIGH, None, Fraction(25), Fraction(1, 25), Fraction(0), None, 0, Fraction(1), Colour(),
                 "yuv420p", 8, (), (), ())
SIGN = "AMBULANCE 4711"
CLIP = Clip("A", "street.mp4", "a" * 64, FRAMES, Fraction(25))


def shot(i: int) -> Array:
    """Two shots of moving walls; in the second one a sign that moves."""
    wall = np.random.default_rng(int(i >= CUT)).uniform(60, 140, (9, 16, 3)).astype(np.float32) + 60 * (i >= CUT)
    wide = cv2.resize(wall, (WIDE + 40, HIGH), interpolation=cv2.INTER_LINEAR)
    rgb = np.ascontiguousarray(wide[:, i % 40 : i % 40 + WIDE].astype(np.uint8))
    if i >= CUT:
        cv2.putText(rgb, SIGN, (60 + 2 * (i - CUT), 200), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (20, 20, 90), 3, cv2.LINE_AA)
    return rgb


def planes(rgb: Array) -> tuple[Array, ...]:
    flat = cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420)
    half = (HIGH // 2, WIDE // 2)
    rest = flat[HIGH:].reshape(-1)
    return flat[:HIGH], rest[: rest.size // 2].reshape(half), rest[rest.size // 2 :].reshape(half)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A film, its plan with the checklist in it, and its clip in `safe`."""
    folder = tmp_path_factory.mktemp("checklist")
    with Writer(folder / "street.mp4", INFO, EncodeOptions(crf=18), []) as writer:
        for i in range(FRAMES):
            frame = Frame(i, i, 1, Fraction(1, 25), planes(shot(i)), "yuv420p", Colour())
            writer.add(compose(frame, [], DrawOptions(), 0).safe)
    home = Home(folder / "film.plan.toml")
    look_at([folder / "street.mp4"], home, Options())
    done = find(home, Options())
    assert (done.shots, done.looks, done.new) == (2, 6, done.found + 2)
    render_film(Screening(home, folder / "safe", "film", dt.date(2026, 11, 21)), Options())
    return home


@pytest.fixture
def film(made: Home, tmp_path: Path) -> Home:
    """A copy that a test may change."""
    shutil.copytree(made.plan.parent, tmp_path / "film")
    return Home(tmp_path / "film" / made.plan.name)


def test_text_is_found_in_its_shot(made: Home) -> None:
    checks = read(made.text()).checks
    assert [(c.start, c.stop) for c in checks if c.what == WHOLE] == [(0, CUT), (CUT, FRAMES)]
    (text,) = [c for c in checks if c.what != WHOLE]
    assert (text.what, text.clip, text.start, text.stop, text.state) == (f'text: "{SIGN}"', "A", CUT, FRAMES, "open")
    assert text.place is not None
    (x0, y0), (wide, high) = (60 + 2 * (text.place.frame - CUT), 200 - 30), cv2.getTextSize(SIGN, 0, 1.2, 3)[0]
    assert abs(text.place.x - (x0 + wide / 2)) < 12 and abs(text.place.y - (y0 + high / 2)) < 12
    assert 0.9 < text.place.w / wide < 1.2


def test_looking_again_adds_nothing_and_keeps_marks_and_comments(film: Home) -> None:
    text = edit.mark(film.text(), [1, 3], "seen", "Lin").replace('what = "the whole shot"', 'what = "the whole shot"  # mine', 1)
    film.put(text)
    assert find(film, Options()).new == 0
    assert film.text() == text
    assert [c.state for c in read(text).checks] == ["seen", "open", "seen"]
    film.put(text.replace("AMBULANCE 4711", "AMBULANCE 471l").replace("4711", "4717"))  # corrected by hand
    assert find(film, Options()).new == 0
    film.put(text[: text.rindex("[[check]]")])
    assert find(film, Options(), {}).new == 0  # the shots alone


@pytest.mark.parametrize("name", FINDERS)
def test_every_finder_looks_at_any_picture(name: str) -> None:
    finder = FINDERS[name](None)
    rng = np.random.default_rng(3)
    for w, h in ((640, 360), (33, 17), (2200, 40), (40, 2200), (1, 1)):
        for picture in (np.zeros((h, w, 3), np.uint8), rng.integers(0, 256, (h, w, 3), np.uint8)):
            for spot in finder(picture):
                assert 0 <= spot.score <= 1 and spot.w > 0 and spot.h > 0
    with pytest.raises(ModelError, match="models install"):
        FINDERS[name](Path("/nowhere"))


def test_text_is_read_aslant_upright_and_on_its_head() -> None:
    finder = FINDERS["text"](None)
    page = np.full((700, 700, 3), 190, np.uint8)
    cv2.putText(page, "KX 4711 BR", (220, 350), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (0, 0, 0), 3, cv2.LINE_AA)
    for angle in (0, 30, 90, 180, 270):
        turned = cv2.warpAffine(page, cv2.getRotationMatrix2D((350, 350), angle, 1), (700, 700), borderValue=(190, 190, 190))
        assert [s.what.replace(" ", "") for s in finder(np.asarray(turned, np.uint8))] == ["KX4711BR"], angle
    assert not finder(np.full((700, 700, 3), 190, np.uint8))


def raising(_: Bytes) -> list[Spot]:
    raise ZeroDivisionError


def crowded(picture: Bytes) -> list[Spot]:
    """A page of a newspaper, with words that would like to be something else."""
    words = '\x1b[2J"]\n[[person]]' + "x" * 5000
    return [Spot(40 + 50 * (k % 12), 8 + 16 * (k // 12), 40, 10, 0, f"{k} {words}", 0.9) for k in range(240)]


def opened(finder: Finder) -> Callable[[Path | None], Finder]:
    return lambda _: finder


def test_a_finder_that_fails_leaves_the_plan_as_it_is(film: Home) -> None:
    before = film.text()
    with pytest.raises(FacedoubleError, match="finder of odd failed at frame 0 of clip A"):
        find(film, Options(), {**FINDERS, "odd": opened(raising)})
    assert film.text() == before


def test_what_a_finder_says_stays_short_and_is_only_words(film: Home) -> None:
    done = find(film, Options(), {"odd": opened(crowded)})
    checks = read(film.text()).checks
    odd = [c for c in checks if c.what.startswith("odd")]
    assert len(odd) == done.new == 2 * (checklist.MOST + 1)
    assert all(len(c.what) < 60 and c.what.isprintable() for c in odd)
    assert "in 220 more places" in odd[checklist.MOST].what
    assert find(film, Options(), {"odd": opened(crowded)}).new == 0


def test_what_was_written_meanwhile_is_kept(film: Home) -> None:
    def meddling(picture: Bytes) -> list[Spot]:
        film.put(edit.mark(film.text(), 1, "accepted", "Lin"))
        return [Spot(50, 50, 20, 10, 0, "new", 1.0)]

    find(film, Options(), {"odd": opened(meddling)})
    assert read(film.text()).checks[0].state == "accepted" and '"odd: \\"new\\""' in film.text()

    def worse(picture: Bytes) -> list[Spot]:
        film.put(film.text().replace("street.mp4", "road.mp4"))
        return []

    with pytest.raises(UsageError, match="changed meanwhile"):
        find(film, Options(), {"odd": opened(worse)})


def test_flashes_are_looked_at_and_are_no_shots() -> None:
    def shots(frames: int, *cuts: int) -> list[tuple[int, int, tuple[int, ...]]]:
        return [(s.start, s.stop, s.looks) for s in shots_of(Analysis(INFO, frames, (), cuts))]

    assert shots(51) == [(0, 51, (0, 25, 50))]
    assert shots(1) == [(0, 1, (0,))]
    assert shots(100, 40, 42, 60) == [(0, 42, (0, 20, 39, 41)), (42, 60, (42, 59)), (60, 100, (60, 80, 99))]
    assert shots(30, 2) == [(0, 30, (1, 2, 29))]


def page_of(film: Home, folder: Path) -> tuple[list[Bytes], tuple[str, ...]]:
    pages, stale = checksheet.sheet(film, folder)
    return [cv2.imdecode(np.frombuffer(p, np.uint8), cv2.IMREAD_COLOR)[..., ::-1] for p in pages], stale


def test_the_sheet_shows_the_protected_picture_with_what_was_found_framed(film: Home, tmp_path: Path) -> None:
    film.put(edit.add(film.text(), Check("A", 0, 20, "tattoo", place=Key(10, -5, 1e5, 9e5, 3)), Check("A", 5, FRAMES, "a coat")))
    safe = film.plan.parent / "safe"
    (page,), stale = page_of(film, safe)
    assert stale == () and page.shape[1] == checksheet.LEFT + checksheet.ACROSS * (checksheet.WIDE + checksheet.GAP)
    red = (page.astype(int)[..., 0] - page.astype(int)[..., 1] > 120).any(1)
    assert red.any()
    sign = Region("A", "sign", "solid", "box", (Key(0, 320, 190, 620, 120),))
    film.put(edit.add_region(film.text(), sign))
    assert page_of(film, safe)[1] == ("A",)
    render_film(Screening(film, tmp_path / "again", "film", dt.date(2026, 11, 21)), Options())
    (covered,), stale = page_of(film, tmp_path / "again")
    assert stale == () and not np.array_equal(covered, page)


def test_a_long_checklist_goes_on_on_more_pages(film: Home) -> None:
    film.put(edit.add(film.text(), *(Check("A", k, k + 1, f"thing {k}", place=Key(k, 50, 50, 20, 20)) for k in range(FRAMES))))
    pages, _ = page_of(film, film.plan.parent / "safe")
    assert len(pages) > 1


def test_no_bare_frame_gets_on_the_sheet(film: Home, tmp_path: Path) -> None:
    safe = film.plan.parent / "safe"
    with pytest.raises(InputRefused, match="holds no clip"):
        checksheet.sheet(film, tmp_path)
    footage = (film.plan.parent / "street.mp4").read_bytes()
    mine = (safe / "A.mp4").read_bytes()
    for data in (footage, mine + b"more"):
        (safe / "A.mp4").write_bytes(data)
        with pytest.raises(InputRefused, match="may show bare faces"):
            checksheet.sheet(film, safe)
    (safe / "A.mp4").write_bytes(mine)
    report = safe / "A.report.json"
    for said in ("{", "[" * 100_000, "[]", report.read_text().replace('"clip": "A"', '"clip": "B"'), None):
        report.write_text(said) if said is not None else report.unlink()
        with pytest.raises(InputRefused, match="may show bare faces"):
            checksheet.sheet(film, safe)


def test_an_empty_checklist_says_how_to_fill_it(film: Home) -> None:
    film.put(film.text()[: film.text().index("[[check]]")])
    with pytest.raises(UsageError, match="plan find"):
        checksheet.sheet(film, film.plan.parent / "safe")


def test_two_number_plates_are_two_lines() -> None:
    spot = Spot(50, 50, 40, 10, 0, "KX 4711", 0.9)
    looks = [checklist.Looked(0, 25 * k, (checklist.Seen("text", 25 * k, s),)) for k, s in enumerate(
        (spot, replace(spot, what="KX 4712", x=400), replace(spot, what="KX 47I2", x=420), replace(spot, x=300)))]
    lines = checklist._lines("A", checklist.Shot(0, 76, (0, 25, 50, 75)), checklist._Things(looks))
    assert [(c.what, c.start, c.stop) for c in lines] == [('text: "KX 4711"', 0, 76), ('text: "KX 4712"', 1, 75)]
    plan = Plan((CLIP,), checks=tuple(lines[:1]))
    assert checklist.unknown(plan, lines) == lines[1:]


def test_readings_that_differ_a_little_are_one_line() -> None:
    spot = Spot(10, 10, 40, 10, 0, "", 0.9)
    looks = [checklist.Looked(0, f, tuple(checklist.Seen("text", f, s) for s in spots)) for f, spots in (
        (0, [replace(spot, what="POLICE"), replace(spot, what="POLICE", x=300)]),  # two of them at once
        (25, [replace(spot, what="P0LICE", x=60), replace(spot, what="POLICE", x=300), replace(spot, y=200)]),
        (50, [replace(spot, y=204), replace(spot, y=100)]))]
    lines = checklist._lines("A", checklist.Shot(0, 51, (0, 25, 50)), checklist._Things(looks))
    assert sorted((c.what, c.start, c.stop) for c in lines) == [
        ("text, not read", 1, 51), ("text, not read", 26, 51), ('text: "POLICE"', 0, 50), ('text: "POLICE"', 0, 50)]
