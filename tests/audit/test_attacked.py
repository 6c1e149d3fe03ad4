"""The informed attackers on files: what is drawn, what is looked at, and what the checks say of it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest

from facedouble.audit.account import Account, Told
from facedouble.audit.verdict import Check
from facedouble.demo.witness import portrait_pixels
from facedouble.doubles.mannequin import mannequin
from facedouble.errors import InputRefused
from facedouble.media.decode import frames
from facedouble.media.probe import probe
from facedouble.models.landmarker import FaceMesh
from facedouble.options import AuditOptions, DrawOptions, Options
from facedouble.pipeline.analyse import Analysis, Eyes
from facedouble.pipeline.audit.attacked import Attack
from facedouble.pipeline.audit.glimpse import Seers, alone
from facedouble.pipeline.audit.parrot import BARE, Errand, Mask, Material, Parroted, draw_all, parrot, portraits, remembered
from facedouble.pipeline.audit.parroted import alike, compared, worn_as_planned
from facedouble.pipeline.audit.sample import Known, Means, Sample, Star, Wardrobe, always, gallery
from facedouble.types import Box, Bytes, Floats, MediaInfo
from tests.audit.stand_ins import blind, embed, find, seers

PEOPLE = 8
Run = Callable[[Errand, Seers], list[Parroted]]


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("photo") / "other.png"
    cv2.imwrite(str(path), portrait_pixels("admiral", 400)[..., ::-1])
    return path


@pytest.fixture(scope="module")
def mask() -> Mask:
    return Mask(mannequin(0).id)


@pytest.fixture(scope="module")
def drawn(photo: Path, witness: Path, mask: Mask) -> list[Parroted]:
    """The witness and somebody else, drawn as the film would be; and a file that is no photo."""
    wrong = photo.with_name("wrong.jpg")
    wrong.write_text("no photo")
    people = (("P1", (Material(witness),)), ("other", (Material(photo), Material(wrong))))
    return draw_all(Errand(people, (mask,), Options(audit=AuditOptions(attack_every=0.2, parrot_seconds=1.0))), seers)


def test_everybody_is_looked_at_bare_and_with_the_mask(drawn: list[Parroted], mask: Mask) -> None:
    assert [(d.person, d.mask, len(d.at)) for d in drawn] == [
        ("P1", BARE, 5), ("P1", mask.id, 5), ("other", BARE, 1), ("other", mask.id, 1), ("other", BARE, 0), ("other", mask.id, 0)]
    assert all(d.vectors.shape == (len(d.at), 2, 432) for d in drawn[:4])
    np.testing.assert_allclose(drawn[0].at, [0.0, 0.2, 0.4, 0.6, 0.8])


def test_what_cannot_be_drawn_says_why(drawn: list[Parroted]) -> None:
    assert all("no photo that facedouble knows" in d.why for d in drawn[4:]) and not any(d.why for d in drawn[:4])


def test_in_one_mask_people_come_nearer_to_each_other(drawn: list[Parroted]) -> None:
    bare, masked = (float((a.vectors[:, 1].mean(0) * b.vectors[:, 1].mean(0)).sum()) for a, b in (drawn[0:3:2], drawn[1:4:2]))
    assert masked > bare + 0.1


def test_the_parrot_draws_in_a_process_of_its_own(photo: Path, mask: Mask, drawn: list[Parroted]) -> None:
    (bare, masked) = parrot(Errand((("other", (Material(photo),)),), (mask,), Options()), seers)
    np.testing.assert_allclose(bare.vectors, drawn[2].vectors, atol=1e-5)
    np.testing.assert_allclose(masked.vectors, drawn[3].vectors, atol=1e-5)


def test_an_errand_is_remembered_until_a_file_changes(photo: Path, mask: Mask, monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[Errand] = []

    class Aside:
        def __init__(self, *_: object, **__: object) -> None: ...
        def __enter__(self) -> Aside:
            return self
        def __exit__(self, *_: object) -> None: ...
        def submit(self, _: object, errand: Errand, __: Seers) -> Aside:
            runs.append(errand)
            return self
        def result(self) -> list[Parroted]:
            return [Parroted("other", photo.name, BARE, np.zeros((0, 2, 1), np.float32), np.zeros(0))]

    monkeypatch.setattr("facedouble.pipeline.audit.parrot.ProcessPoolExecutor", Aside)
    errand = Errand((("other", (Material(photo),)),), (mask,), Options(seed=7))
    for _ in range(2):
        assert len(parrot(errand, seers)) == 1
    assert len(runs) == 1
    os.utime(photo, (1, 1))
    parrot(errand, seers)
    parrot(replace(errand, exhaustive=True), seers)
    assert len(runs) == 3


def test_another_double_than_the_films_is_refused(photo: Path, double_path: Path) -> None:
    for strange in (Mask("0" * 16), Mask("0" * 16, double_path)):
        with pytest.raises(InputRefused, match="is not the face 000000000000"):
            draw_all(Errand((("other", (Material(photo),)),), (strange,), Options()), seers)


def test_the_audit_itself_loads_nothing_that_draws() -> None:
    code = ("import facedouble.pipeline.audit.attacked, sys; bad = [m for m in sys.modules if m.startswith(('facedouble.protect',"
            " 'facedouble.doubles', 'facedouble.pipeline.render', 'facedouble.pipeline.analyse'))]; assert not bad, bad")
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


def test_alone_leaves_the_face_and_nothing_beside_it() -> None:
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (128, 128, 3), dtype=np.uint8)
    points = np.array([[50, 50], [78, 50], [64, 64], [53, 80], [75, 80]], np.float32)
    seen = alone(picture, points)
    assert (seen[:20] == 128).all() and (seen[:, :20] == 128).all() and seen[50:80, 54:74].std() > 20
    changed = picture.copy()
    changed[:15], changed[:, :15] = 0, 255
    np.testing.assert_array_equal(alone(changed, points), seen)
    darker = (picture * 0.5).astype(np.uint8)
    assert np.abs(alone(darker, points).astype(int) - seen).max() < 8  # tone does not count


def attacked(film: MediaInfo, account: Account, worn: Wardrobe, known: Known, means: Means, options: Options) -> list[Check]:
    """All attacks on a film that nothing else looks at."""
    with closing(Attack(film, account, worn, known, means, options)) as attack:
        for frame in frames(film):
            attack.take(frame)
        return attack.checks()


def errand_of(drawings: dict[str, Floats], extra: Floats | None = None) -> Run:
    """A parrot that draws nothing: it knows what each person's face would give."""
    def run(errand: Errand, _: Seers) -> list[Parroted]:
        made = []
        for person, files in errand.people:
            v = drawings[person] if person in drawings else np.mean(list(drawings.values()), 0)
            for mask in (BARE, *(m.id for m in errand.masks)):
                rows = np.repeat(v[None], 2, 0) if mask or extra is None else np.repeat(extra[None], 2, 0)
                made.append(Parroted(person, files[0].file.name, mask, rows.astype(np.float32), np.array([0.0, 3.0])))
        return made

    return run


@pytest.fixture(scope="module")
def account(analysis: Analysis) -> Account:
    """The generated witness as P1, who is said to wear a mannequin."""
    boxes = analysis.roles[0].boxes
    return lambda frame: [Told(boxes[frame], "mannequin", "P1")]


@pytest.fixture(scope="module")
def look(witness: Path, account: Account) -> Floats:
    """What the stand-ins see of the film: (2, D)."""
    from facedouble.media.decode import frames
    from facedouble.pipeline.audit.glimpse import glimpse

    seen = [glimpse(f, account(f.index)[0].box, find, embed) for f in frames(probe(witness)) if f.index % 10 == 0]
    return np.asarray(np.mean([s for s in seen if s is not None], 0), np.float32)


def people_like(look: Floats, own: float) -> dict[str, Floats]:
    """Drawings of P1 and the gallery: all like what is seen, and the witness a little more so."""
    rng = np.random.default_rng(0)
    others = {f"gallery g{k}": look + 0.05 * rng.normal(size=look.shape) for k in range(PEOPLE - 1)}
    return {"P1": look + own * 0.05 * rng.normal(size=look.shape), **others}


def checks(witness: Path, account: Account, photo: Path, run: Run, *, audit: AuditOptions, people: int = PEOPLE,
           own: bool = False, clips: bool = False, calm: float = 0.0) -> dict[str, Check]:
    files = [photo, witness] if clips else [photo]
    known = Known({"P1": files}, {f"g{k}": files for k in range(people - 1)}, frozenset({"P1"} if own else ()))
    found = attacked(probe(witness), account, always({"P1": (Mask("m"),)}), known, Means(seers, FaceMesh, None, run),
                     Options(audit=audit, draw=DrawOptions(calm=calm)))
    return {c.name: c for c in found}


FAST = AuditOptions(motion_seconds=1.0)


def test_all_figures_are_told_and_nothing_is_a_finding_by_default(witness: Path, account: Account, photo: Path,
                                                                  look: Floats) -> None:
    found = checks(witness, account, photo, errand_of(people_like(look, 0.0)), audit=FAST, clips=True)
    assert list(found) == ["the double that was decided on", "the double itself", "somebody who knows the double",
                           "somebody who knows how they move"]
    parroted, moved = list(found.values())[2:]
    assert parroted.passed and moved.passed and not parroted.missing and not moved.missing
    assert parroted.figures["people"] == PEOPLE and parroted.figures["named over the whole film"] == "P1"
    words = str(parroted.figures["in plain words"])
    assert "Of 8 people" in words and "guessing gives 12%" in words
    assert "luck would do as well in 12% of cases" in str(parroted.figures["verdict"])
    assert moved.figures["people"] == PEOPLE and {"AUC with --calm 0.5", "AUC with --calm 1"} <= set(moved.figures)
    assert all(c.group == "attacked" for c in found.values()) and parroted.worst[0].frame < 60


def test_a_limit_makes_it_a_finding(witness: Path, account: Account, photo: Path, look: Floats) -> None:
    strict = replace(FAST, parrot_rank1=0.5)
    run = errand_of(people_like(look, 0.0))
    found = checks(witness, account, photo, run, audit=strict)["somebody who knows the double"]
    assert [f.person for f in found.findings] == ["P1"] and found.findings[0].score == 1.0 and not found.passed
    for people, own in ((4, False), (PEOPLE, True)):
        few = checks(witness, account, photo, run, audit=strict, people=people, own=own)["somebody who knows the double"]
        assert not few.findings and str(few.figures["verdict"]).startswith("nothing can be said: ")


def test_a_double_that_looks_like_the_witness_is_found(witness: Path, account: Account, photo: Path, look: Floats) -> None:
    drawings = people_like(look, 1.0)
    alike = checks(witness, account, photo, errand_of(drawings, extra=look), audit=FAST)["the double itself"]
    assert {f.person for f in alike.findings} == {"P1"} and "Choose another" in alike.findings[0].what
    unlike = checks(witness, account, photo, errand_of(drawings, extra=-look), audit=FAST)["the double itself"]
    assert not unlike.findings and unlike.passed


def test_a_face_that_is_not_the_double_is_found(witness: Path, account: Account, photo: Path, look: Floats) -> None:
    right = checks(witness, account, photo, errand_of(people_like(look, 1.0)), audit=FAST)["the double that was decided on"]
    assert right.passed and right.looked == 6
    wrong = checks(witness, account, photo, errand_of(people_like(-look, 1.0)), audit=FAST)["the double that was decided on"]
    assert wrong.findings and wrong.findings[0].frames == (0, 51) and wrong.findings[0].person == "P1"


def test_of_several_doubles_everybody_wears_one(witness: Path, account: Account, photo: Path, look: Floats) -> None:
    """Without a plan nobody knows who wears which: each face has to be one of them, and more cannot be told."""
    def found(*masks: Floats) -> dict[str, Check]:
        drawn = {f"m{k}": people_like(mask, 1.0) for k, mask in enumerate(masks)}

        def run(errand: Errand, _: Seers) -> list[Parroted]:
            of = {BARE: people_like(look, 0.0), **drawn}
            return [Parroted(who, "f", mask, np.repeat(of[mask].get(who, np.mean(list(of[mask].values()), 0))[None], 2, 0).astype(
                np.float32), np.array([0.0, 3.0])) for who, _ in errand.people for mask in of]
        made = attacked(probe(witness), account, always({"P1": tuple(map(Mask, drawn))}), Known({"P1": [photo]}, {"g": [photo]}),
                        Means(seers, FaceMesh, None, run), Options(audit=FAST))
        return {c.name: c for c in made}

    right = found(-look, look)
    assert right["the double that was decided on"].passed and right["the double that was decided on"].looked == 6
    assert "a plan" in right["the double itself"].missing and "a plan" in right["somebody who knows the double"].missing
    assert found(-look, -look)["the double that was decided on"].findings


def eyes_on(look: Floats, who: str, *, first: int, stop: int) -> tuple[Star, list[Parroted]]:
    """Somebody seen as `look`, and what is drawn of them."""
    star = Star(25.0)
    star.places = [(at, Box(0, 0, 9, 9), (Mask("m"),)) for at in range(first, stop)]
    star.frames, star.vectors = list(range(first, stop)), [look] * (stop - first)
    return star, [Parroted(who, "f", mask, np.repeat(look[None], 2, 0), np.array([0.0, 3.0])) for mask in (BARE, "m")]


def test_what_is_found_of_one_is_not_lost_because_of_another(look: Floats) -> None:
    """The second witness has no footage that would do, and nobody looked at the third."""
    star, _ = eyes_on(look, "P1", first=0, stop=20)
    stars = {"P1": star, "P2": eyes_on(look, "P2", first=20, stop=40)[0], "P3": eyes_on(look, "P3", first=0, stop=0)[0]}
    people = ("P1", "gallery a", "gallery b", "gallery c", "gallery d")
    drawn = [d for who in people for d in eyes_on(look, who, first=0, stop=1)[1]]
    known = Known({"P1": (Path("a"),), "P2": (Path("b"),)}, {"gallery a": (Path("c"),)})
    found = alike(stars, drawn, Mask("m"), known, FAST)
    assert {f.person for f in found.findings} == {"P1"} and found.tried.endswith("seen of them: P2, P3.")
    worn = worn_as_planned(stars, [[d for d in drawn if d.mask == "m"]], Sample(FAST))
    assert worn.passed and "40 looks at 2 of 3 people" in worn.tried and worn.tried.endswith("seen of them: P3.")


def test_who_wears_two_doubles_is_held_against_each_in_its_time(witness: Path, account: Account, photo: Path,
                                                                look: Floats) -> None:
    def found(first: Floats, then: Floats) -> list[Check]:
        of = {BARE: look, "a": first, "b": then}

        def run(errand: Errand, _: Seers) -> list[Parroted]:
            assert [m.id for m in errand.masks] == ["a", "b"]
            return [Parroted(who, "f", mask, np.repeat(v[None], 2, 0), np.array([0.0, 3.0])) for who, _ in errand.people
                    for mask, v in of.items()]
        worn = Wardrobe({"P1": [(0, 30, (Mask("a"),)), (30, 99, (Mask("b"),))]}, planned=True)
        made = attacked(probe(witness), account, worn, Known({"P1": [photo]}, {"g": [photo]}),
                        Means(seers, FaceMesh, None, run), Options(audit=FAST))
        return [c for c in made if c.name == "the double that was decided on"]

    assert [c.passed for c in found(look, look)] == [True, True]
    first, then = found(look, -look)
    assert first.passed and {f.frames for f in then.findings} == {(30, 51)}


def test_of_two_witnesses_each_is_known_by_their_own_part_of_the_footage(witness: Path, account: Account, look: Floats) -> None:
    def shared(frame: int) -> list[Told]:
        return [replace(account(min(frame, 59))[0], person="P1" if frame < 30 else "P2")]

    errands: list[Errand] = []

    def run(errand: Errand, eyes: Seers) -> list[Parroted]:
        errands.append(errand)
        return errand_of({"P1": look, "P2": look})(errand, eyes)

    worn = Wardrobe({"P1": [(0, 99, (Mask("a"),))], "P2": [(0, 99, (Mask("b"),))]}, planned=True)
    known = Known({"P1": [witness], "P2": [witness]}, {"g": [witness]}, frozenset({"P1", "P2"}))
    film = replace(probe(witness), duration=None)  # nobody knows how long it is before it is read
    made = attacked(film, shared, worn, known, Means(seers, FaceMesh, None, run),
                    Options(audit=replace(FAST, motion_seconds=0.5, attack_every=0.08)))
    assert not [(c.name, c.missing) for c in made if c.missing and c.name != "the double itself"]
    places = {who: [at for at, _ in files[0].places] for who, files in errands[0].people if files[0].places}
    assert places == {"P1": [*range(14, 30, 2)], "P2": [*range(44, 60, 2)]}
    assert {files[0].only for _, files in errands[0].people} == {("a",), ("b",), ()}
    moved = made[-1]
    assert moved.figures["people asked about"] == 2 and "other half" in moved.tried
    alone = attacked(film, shared, worn, replace(known, gallery={}), Means(seers, FaceMesh, None, run), Options(audit=FAST))
    assert all("--gallery" in c.missing for c in alone if c.missing)
    assert len(errands[1].people) == 2  # without a gallery nothing but the portraits is drawn


def test_looks_at_what_was_drawn_once_more_are_compared_frame_by_frame(look: Floats) -> None:
    """At a few it is not; while the film goes over to the double, it may still be another face."""
    rng, box = np.random.default_rng(3), Box(0, 0, 9, 9)
    rows = np.stack([look + 0.5 * rng.standard_normal(look.shape) for _ in range(6)]).astype(np.float32)
    once = Parroted("P1", "f", "m", rows, np.arange(6) / 5, again=True)
    def looks(film: Floats, count: int = 6) -> list[tuple[int, Box, Floats]]:
        return [(40 + 5 * k, box, film[k]) for k in range(count)]
    same, late = (compared(looks(rows), replace(once, at=once.at + s), 25.0) for s in (0, 0.2))
    assert same is not None and same.span == (40, 66) and min(same.cosines) == pytest.approx(1)
    assert late is not None and late.span == (45, 66) and max(late.cosines) < 0.99
    fading = compared(looks(np.concatenate([-rows[:2], rows[2:]])), once, 25.0)
    assert fading is not None and min(fading.cosines) == pytest.approx(1)
    assert compared(looks(rows, 2), once, 25.0) is None and compared((), once, 25.0) is None


def test_the_footage_is_drawn_once_more_where_the_film_was_looked_at(witness: Path, account: Account, mask: Mask) -> None:
    places = tuple((k, account(k)[0].box) for k in (10, 15, 20))
    material = Material(witness, places=places, only=(mask.id,), looks=(10, 15, 20))
    (once,) = draw_all(Errand((), (mask,), Options(), again=(("P1", material),)), seers)
    assert once.again and (once.person, once.mask, once.why) == ("P1", mask.id, "")
    np.testing.assert_allclose(once.at * float(probe(witness).rate), [0, 5, 10])


def test_a_photo_is_searched_once(eyes: Eyes) -> None:
    """However many frames of a clip it is drawn as."""
    searched: list[int] = []
    whole, blank = portrait_pixels("admiral", 300), np.zeros((300, 300, 3), np.uint8)

    def find(picture: Bytes) -> Sequence[tuple[Box, float]]:
        searched.append(int(picture.sum()))
        return eyes.detectors.whole[0](picture)

    once = remembered(find)
    assert once(whole) == once(whole.copy()) == eyes.detectors.whole[0](whole) and once(blank) == once(blank)
    assert searched == [int(whole.sum()), 0]


def test_who_is_at_a_place_is_drawn_and_nobody_else(witness: Path, account: Account, mask: Mask) -> None:
    here, away = account(40)[0].box, Box(0, 0, 20, 20)
    people = tuple((who, (Material(witness, places=((40, box),), only=(mask.id,)),)) for who, box in (("P1", here), ("P2", away)))
    options = Options(audit=AuditOptions(attack_every=0.2, parrot_seconds=0.5))
    drawn = draw_all(Errand(people, (Mask(mannequin(1).id), mask), options), seers)
    assert [(d.person, d.mask, len(d.at) > 0) for d in drawn] == [("P1", BARE, True), ("P1", mask.id, True), ("P2", BARE, False),
                                                                  ("P2", mask.id, False)]


def test_a_plans_double_that_cannot_be_compared_is_needed(witness: Path, account: Account, double_path: Path) -> None:
    def worn(planned: bool) -> list[Check]:
        wardrobe = replace(always({"P1": (Mask("0" * 16, double_path),)}), planned=planned)
        return attacked(probe(witness), account, wardrobe, Known(), Means(seers, FaceMesh), Options(audit=FAST))
    assert [c.passed for c in worn(True)] == [False, True, True, True]
    assert all("is not the face" in c.missing for c in worn(True)[:3])
    assert all(c.passed for c in worn(False)) and "--double" in worn(False)[0].missing


def test_photos_do_not_move(witness: Path, account: Account, photo: Path, look: Floats) -> None:
    moved = checks(witness, account, photo, errand_of(people_like(look, 0.0)), audit=FAST)["somebody who knows how they move"]
    assert "photos do not move" in moved.missing and not moved.needed and moved.passed


def test_a_film_made_calm_says_what_was_not_measured(witness: Path, account: Account, photo: Path, look: Floats) -> None:
    found = checks(witness, account, photo, errand_of(people_like(look, 0.0)), audit=FAST, people=3, clips=True, calm=0.5)
    figures = found["somebody who knows how they move"].figures
    assert "AUC with --calm 0.5" not in figures and "not measured" in str(figures["AUC without --calm"])


@pytest.mark.parametrize(("known", "says"), [
    (Known(), "--witness"), (Known({"P2": [Path("x.jpg")]}, {"g": [Path("y.jpg")]}), "--witness"),
    (Known({"P1": [Path("x.jpg")]}), "--gallery")])
def test_what_is_not_given_is_asked_for(witness: Path, account: Account, look: Floats, known: Known, says: str) -> None:
    run = errand_of(people_like(look, 0.0))
    found = attacked(probe(witness), account, always({"P1": (Mask("m"),)}), known, Means(seers, FaceMesh, None, run),
                     Options(audit=FAST))
    assert len(found) == 4 and all(c.passed for c in found)
    assert all(says in c.missing for c in found[2:])
    assert not found[0].missing  # two portraits that are there anyway wear the double


def test_nobody_in_a_double_and_nobody_seen(witness: Path, photo: Path, account: Account) -> None:
    known = Known({"P1": [photo]}, {"g": [photo]})
    no_run: Run = partial(pytest.fail, "nothing is to be drawn")
    for told in ([], [Told(Box(0, 0, 50, 50), "veil", "P1")], [Told(Box(0, 0, 50, 50), "mannequin", "somebody")]):
        found = attacked(probe(witness), lambda _, told=told: told, always({"P1": (Mask("m"),)}), known,  # type: ignore[misc]
                         Means(seers, FaceMesh, None, no_run), Options(audit=FAST))
        assert all("nobody is known to wear a double" in c.missing and c.passed for c in found)
    unseen = attacked(probe(witness), account, always({"P1": (Mask("m"),)}), known,
                      Means(lambda: (blind, embed), FaceMesh, None, errand_of({"P1": np.ones((2, 432), np.float32)})),
                      Options(audit=FAST))
    assert all(c.missing and c.passed for c in unseen)


def test_a_long_film_is_sampled_and_exhaustive_is_not() -> None:
    short, long, all_of_it = Sample(FAST), Sample(AuditOptions()), Sample(AuditOptions(), True)
    assert short.look_every(10) == pytest.approx(0.4) and long.look_every(3600) == 18.0 and all_of_it.look_every(3600) == 0
    assert long.motion_every(3600) == 120.0 and all_of_it.motion_every(3600) == 0
    many: dict[str, Sequence[Path]] = {f"p{k:03}": [Path(f"{k}-{i}.jpg") for i in range(9)] for k in range(100)}
    assert len(long.people(many)) == 30 and all(len(f) == 3 for f in long.people(many).values())
    assert all_of_it.people(many) == {n: tuple(f) for n, f in many.items()}


def test_a_gallery_is_a_folder_of_people(tmp_path: Path) -> None:
    for name in ("ana/1.jpg", "ana/2.mp4", "ben.PNG", "notes.txt", "empty/readme.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = {n: [f.name for f in files] for n, files in gallery(tmp_path).items()}
    assert found == {"ana": ["1.jpg", "2.mp4"], "ben": ["ben.PNG"]}
    with pytest.raises(InputRefused, match="cannot be read"):
        gallery(tmp_path / "nowhere")


def test_the_portraits_are_there() -> None:
    assert len(portraits()) == 2 and all(p.stat().st_size > 10_000 for p in portraits().values())
