"""A film with two people and a plan: who is who, everybody veiled, one shown, one played, and what a change draws again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from facedouble.colour import picture
from facedouble.demo.witness import portrait_pixels
from facedouble.errors import InputRefused, StoreError, UsageError
from facedouble.media.chunks import tidy
from facedouble.media.decode import frames
from facedouble.media.probe import probe
from facedouble.options import DrawOptions, Options
from facedouble.pipeline.analyse import quiet
from facedouble.pipeline.company import PlanCompany, Rehearsed
from facedouble.pipeline.film import Film, Home, look_at
from facedouble.pipeline.screening import Dressing, Screening, card_of, lead_of, render_film
from facedouble.plan import edit
from facedouble.plan.people import Decision, Person, Span
from facedouble.plan.plan import Plan
from facedouble.plan.read import read
from facedouble.plan.values import Card, Clip
from facedouble.protect.composite import compose
from facedouble.types import Array, Face, Rows
from tests.media.make import clip
from tests.pipeline.two_faces import film as film_of
from tests.pipeline.two_faces import swayed

TODAY = dt.date(2026, 11, 21)
BOTH, ALONE = 50, 50  # frames of the two shots


def shots(witness: Path) -> Iterator[Array]:
    """The generated witness beside a still of somebody else; then that one alone on the other side."""
    still = portrait_pixels("admiral", 360)
    walls = {side: np.full((360, 360, 3), grey, np.uint8) for side, grey in (("left", 40), ("right", 90))}
    face = cv2.resize(still, (360, 360)) if still.shape[:2] != (360, 360) else still
    for frame in frames(probe(witness)):
        if frame.index >= BOTH:
            break
        left = cv2.resize(picture(frame), (360, 360))
        yield np.hstack([left, swayed(face, frame.index)])
    for i in range(ALONE):
        yield np.hstack([swayed(face, i + 7), walls["left"]])


@pytest.fixture(scope="module")
def film(witness: Path, tmp_path_factory: pytest.TempPathFactory) -> Home:
    folder = tmp_path_factory.mktemp("film")
    film_of(folder / "street.mp4", shots(witness))
    home = Home(folder / "film.plan.toml")
    found = look_at([folder / "street.mp4"], home, Options())
    assert len(found.pages) == 1
    return home


def screen(home: Home, out: Path) -> Screening:
    return Screening(home, out, "film", TODAY)


def cores(home: Home, out: Path) -> dict[int, list[float]]:
    """By face: how much of its middle is still the footage, as correlation, in every frame."""
    made = Film(home, Options()).made["A"]
    found: dict[int, list[float]] = {}
    for was, now in zip(frames(made.info), frames(probe(out)), strict=True):
        a, b = (picture(f).astype(np.float64).mean(-1) for f in (was, now))
        for role in made.roles:
            face = role.track.at(was.index)
            if face is not None:
                x, y = face.box.centre
                r = 0.28 * face.box.width
                part = np.s_[max(int(y - r), 0) : int(y + r), max(int(x - r), 0) : int(x + r)]
                p, q = a[part] - a[part].mean(), b[part] - b[part].mean()
                spread = float(np.sqrt((p**2).sum() * (q**2).sum()))
                found.setdefault(role.track.id, []).append(float((p * q).sum()) / max(spread, 1e-6))
    return found


def test_who_is_who_and_nobody_is_decided_about(film: Home) -> None:
    plan = read(film.text())
    assert [len(p.faces) for p in plan.people] == [2, 1]  # the one in both shots, and the witness
    assert all(p.decision.face == "veil" for p in plan.people)
    assert {str(f) for f in plan.people[1].faces} <= {"A:0", "A:1"}


def test_an_undecided_plan_covers_everybody_in_every_frame(film: Home, tmp_path: Path) -> None:
    report = render_film(screen(film, tmp_path / "safe"), Options())["A"]
    assert all(line.veiled == line.frames and not line.shown and not line.doubled for line in report.people)
    assert not report.errors and not report.hidden
    for seen in cores(film, tmp_path / "safe" / "A.mp4").values():
        assert max(seen) < 0.7


def files(film: Home) -> dict[str, tuple[int, int]]:
    """The finished chunks by name, each as a file: its number and when it was written."""
    return {p.name: (p.stat().st_ino, p.stat().st_mtime_ns) for p in film.of("A", "parts").glob("*.chunk")}


def test_a_whole_frame_is_hidden_because_the_plan_says_so(film: Home, tmp_path: Path) -> None:
    """Which is no error: the report says who decided it, and the frames count as covered."""
    before = film.text()
    rescuer, witness = read(before).people
    try:
        text = edit.decide(before, rescuer.id, Decision("show", by="Sam", reason="form signed"))
        film.put(edit.decide_span(text, witness.id, Span("A", 10, 20, Decision("hide", by="Lin"), hide="frame")))
        report = render_film(screen(film, tmp_path / "safe"), Options())["A"]
        assert not report.hidden and not report.errors and report.facts["solid_frames"] == list(range(10, 20))
        assert [(s.start, s.stop, s.person) for s in report.spans if "as the plan decides" in s.why] == [(10, 20, None)]
        assert not any(s.why.startswith(("hidden", "veiled although")) for s in report.spans)
        for line in report.people:
            shown = line.person in {f.track for f in rescuer.faces}
            there = Film(film, Options()).made["A"].roles[line.person].track
            hidden = sum(there.start <= k < there.stop for k in range(10, 20))
            assert (line.shown, line.veiled) == ((line.frames - hidden, hidden) if shown else (0, line.frames))
        for seen in frames(probe(tmp_path / "safe" / "A.mp4")):
            assert (np.ptp(seen.planes[0]) == 0) == (10 <= seen.index < 20), seen.index
        assert film.stored() == sum(p.stat().st_size for p in film.of("A", "parts").iterdir()) > 10_000
    finally:
        film.put(before)


def test_the_card_stands_before_the_first_clip_or_before_every() -> None:
    clips = tuple(Clip(id_, f"{id_}.mp4", "a" * 64, 10, Fraction(25)) for id_ in "AB")
    first, every = (Card("For their safety", on=on) for on in ("first", "every"))
    assert [card_of(Plan(clips, card=first), c.id) for c in clips] == [first, None]
    assert [card_of(Plan(clips, card=every), c.id) for c in clips] == [every, every]
    assert [card_of(Plan(clips), c.id) for c in clips] == [None, None]


def test_show_is_for_that_person_only_and_a_change_draws_its_chunk_again(film: Home, tmp_path: Path) -> None:
    before = film.text()
    plan = read(before)
    rescuer, witness = plan.people
    try:
        film.put(edit.decide(before, rescuer.id, Decision("show", by="Sam", reason="form signed")))
        first = render_film(screen(film, tmp_path / "one"), Options())["A"]
        shown = {f.track for f in rescuer.faces}
        for line in first.people:
            assert line.shown == (line.frames if line.person in shown else 0), line
        alike = cores(film, tmp_path / "one" / "A.mp4")
        for track, seen in alike.items():
            assert min(seen) > 0.95 if track in shown else max(seen) < 0.7
        kept = film.stored()
        tidy(film.of("A", "parts"))  # of what other plans left behind
        assert film.stored() <= kept
        chunks = files(film)
        film.put(edit.decide(film.text(), witness.id, Decision("mannequin", by="Rose")))
        second = render_film(screen(film, tmp_path / "two"), Options())["A"]
        again = files(film)
        assert {name: again[name] for name in chunks} == chunks  # the very same files, not written again
        assert len(again) == len(chunks) + 1  # the second shot has nothing of the witness
        (track,) = {f.track for f in witness.faces}
        line = next(line for line in second.people if line.person == track)
        assert line.shown == 0 and line.doubled + line.fading + line.veiled == line.frames
        assert max(cores(film, tmp_path / "two" / "A.mp4")[track]) < 0.8
    finally:
        film.put(before)


def test_card_and_watermark(film: Home, tmp_path: Path) -> None:
    before = film.text()
    try:
        film.put(before + '\n[card]\ntext = "Faces were changed."\nseconds = 1.0\n\n[watermark]\ntext = "Faces changed"\n')
        report = render_film(screen(film, tmp_path / "safe"), Options())["A"]
        made = list(frames(probe(tmp_path / "safe" / "A.mp4")))
        assert report.facts["card_frames"] == 25 and len(made) == 25 + BOTH + ALONE
        assert [f.ticks - made[0].ticks for f in made] == [k * (made[1].ticks - made[0].ticks) for k in range(len(made))]
        assert picture(made[12]).mean() < 40 and picture(made[12]).max() > 150  # light letters on a dark card
    finally:
        film.put(before)


def test_mistakes_are_refused(film: Home, tmp_path: Path) -> None:
    before = film.text()
    footage = film.footage(read(before).clips[0])
    kept = footage.read_bytes()
    try:
        film.put(before.replace('"A:0"', '"A:77"'))
        with pytest.raises(UsageError, match="no face A:77"):
            Film(film, Options())
        film.put(before)
        notes = film.of("A", "fnotes")
        numbers = notes.read_bytes()
        for at in (0.3, 0.6, 0.95):  # a changed number is a number still
            k = int(at * len(numbers))
            notes.write_bytes(numbers[:k] + bytes([numbers[k] ^ 1]) + numbers[k + 1 :])
            with pytest.raises(InputRefused):
                Film(film, Options())
        notes.write_bytes(numbers)
        film.put("\n".join(line for line in before.splitlines() if not line.startswith("notes =")))
        with pytest.raises(InputRefused, match="numbered the faces"):
            Film(film, Options())
        film.put(before)
        footage.write_bytes(kept + b"\0")
        with pytest.raises(InputRefused, match="not the footage"):
            Film(film, Options())
        footage.unlink()
        with pytest.raises(InputRefused, match="not there"):
            Film(film, Options())
    finally:
        film.put(before)
        footage.write_bytes(kept)
        film.of("A", "fnotes").write_bytes(numbers)
    with pytest.raises(UsageError, match="no clip Z"):
        render_film(replace(screen(film, tmp_path / "x"), clips=("Z",)), Options())
    with pytest.raises(UsageError, match="end in"):
        Home(tmp_path / "film.toml")
    (tmp_path / "A.mp4").write_bytes(b"mine")
    with pytest.raises(StoreError, match="exists already"):
        render_film(screen(film, tmp_path), Options())
    assert (tmp_path / "A.mp4").read_bytes() == b"mine"


def test_the_same_footage_is_not_looked_at_twice(film: Home) -> None:
    before = film.text()
    look_at([film.footage(read(before).clips[0])], film, Options())
    assert film.text() == before


def test_lost_notes_are_written_again(film: Home) -> None:
    before, notes = film.text(), film.of("A", "fnotes")
    kept = notes.read_bytes()
    notes.unlink()
    with pytest.raises(InputRefused, match="facedouble analyse"):
        Film(film, Options())
    look_at([], film, Options())
    assert notes.read_bytes() == kept and film.text() == before


def test_without_proof_nobody_is_shown(film: Home) -> None:
    """Whatever a plan says, a scene shows a face only where it is sure, and only if that is said of this very face."""
    made = Film(film, Options()).made["A"]
    text = film.text()
    for person in read(text).people:
        text = edit.decide(text, person.id, Decision("show", by="Sam", reason="form signed"))
    plan = read(text)
    company = PlanCompany(plan, "A", made, Rehearsed({}, {}), Options())
    assert all(p.treatment == "show" and not p.sure for k in range(made.frames) for p in company.scene(k).parts)
    seen = next(frames(made.info))
    parts = PlanCompany(plan, "A", made, Rehearsed({}, {}), Options()).scene(0).parts
    assert compose(seen, parts, DrawOptions(), 0).shown == frozenset()


def with_part(text: str, person: Person, other: Person, track: int, at: int) -> str:
    """The plan with the first person's face cut in two, the second part the other's."""
    text = text.replace(f'"A:{track}"', f'"A:{track}@0-{at}"')
    return text.replace(f'id = "{other.id}"\nname = "{other.name}"\nfaces = [', f'id = "{other.id}"\nname = "{other.name}"\n'
                        f'faces = ["A:{track}@{at}-", ')


def test_two_people_on_one_track_both_play(film: Home, tmp_path: Path) -> None:
    before = film.text()
    rescuer, witness = read(before).people
    (track,) = {f.track for f in witness.faces}
    try:
        text = with_part(before, witness, rescuer, track, 20)
        for person in (rescuer, witness):
            text = edit.decide(text, person.id, Decision("mannequin", by="Rose"))
        film.put(text)
        job = screen(film, tmp_path)
        dressing = Dressing(Film(film, Options()), job, Options(), None, quiet)
        assert {name for name, of in dressing.parts("A").items() if track in of} == {f"mannequin {rescuer.id}",
                                                                                    f"mannequin {witness.id}"}
    finally:
        film.put(before)


def test_nobody_is_shown_where_no_detector_saw_the_face(film: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = film.text()
    rescuer = read(before).people[0]
    try:
        film.put(edit.decide(before, rescuer.id, Decision("show", by="Sam", reason="form signed")))
        whole = Film(film, Options())
        k = next(k for k, r in enumerate(whole.made["A"].roles) if r.track.id in {f.track for f in rescuer.faces})
        role = whole.made["A"].roles[k]
        rows = np.array(role.track.rows)
        rows["observed"][10:13] = False
        blind = replace(role, track=replace(role.track, faces=Rows(rows, Face.of)))
        roles = tuple(blind if r is role else r for r in whole.made["A"].roles)
        monkeypatch.setitem(whole.made, "A", replace(whole.made["A"], roles=roles))
        sure = Dressing(whole, screen(film, tmp_path), Options(), None, quiet)._verified("A", [role.track.id])[role.track.id]
        assert not sure[10:13].any() and sure.sum() > 0.8 * len(sure)
    finally:
        film.put(before)


@pytest.mark.parametrize(("width", "fmt", "codec"), [(97, "yuv420p", "ffv1"), (96, "yuv422p10le", "libx264"),
                                                     (96, "yuv420p", "libx264")])
def test_a_card_has_the_format_of_the_film(width: int, fmt: str, codec: str, tmp_path: Path) -> None:
    info = probe(clip(tmp_path / "odd.mkv", width, 65 if width % 2 else 64, codec=codec, fmt=fmt, full=True))
    first = next(iter(frames(info)))
    lead = lead_of(Card("Faces were changed.", Fraction(1)), info)
    assert len(lead) == round(info.rate)
    for safe in (lead[0], lead[-1]):
        assert safe.frame.pixel_format == first.pixel_format and safe.frame.colour == first.colour
        assert [p.shape for p in safe.frame.planes] == [p.shape for p in first.planes]
    assert lead[-1].frame.ticks + lead[-1].frame.span == first.ticks
    assert lead_of(None, info) == ()


def test_a_region_that_follows_for_too_long_is_refused(film: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = film.text()
    monkeypatch.setattr("facedouble.pipeline.screening.MOST_FOLLOWED", 30)
    region = ('\n[[region]]\nclip = "A"\nname = "sign"\ncover = "solid"\ntrack = true\n'
              'keys = [{ at = 5, x = 60, y = 60, w = 30, h = 20 }]\n')
    try:
        film.put(before + region)
        whole = Film(film, Options())
        dressing = Dressing(whole, screen(film, tmp_path), Options(), None, quiet)
        with pytest.raises(UsageError, match="at most 30"):
            dressing.rehearsed(whole.plan.clips[0])
        film.put(before + region.replace('track', 'to = 25\ntrack'))
        whole = Film(film, Options())
        (laid,) = Dressing(whole, screen(film, tmp_path), Options(), None, quiet).rehearsed(whole.plan.clips[0]).regions
        assert len(laid.places) == 25 and laid.at(24) is not None and laid.at(25) is None
    finally:
        film.put(before)
