"""The informed attackers on files: what is drawn, what is looked at, and what the checks say of it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
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
from facedouble.media.probe import probe
from facedouble.models.landmarker import FaceMesh
from facedouble.options import AuditOptions, DrawOptions, Options
from facedouble.pipeline.analyse import Analysis
from facedouble.pipeline.audit.attacked import attacked
from facedouble.pipeline.audit.glimpse import Seers, alone
from facedouble.pipeline.audit.parrot import BARE, Errand, Mask, Material, Parroted, draw_all, parrot, portraits
from facedouble.pipeline.audit.sample import Known, Means, Sample, gallery
from facedouble.types import Box, Floats
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
    known = Known({"P1": files}, {f"g{k}": files for k in range(people - 1)}, own)
    found = attacked(probe(witness), account, {"P1": (Mask("m"),)}, known, Means(seers, FaceMesh, None, run),
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
        assert not few.findings and str(few.figures["verdict"]).startswith("none: ")


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
        made = attacked(probe(witness), account, {"P1": tuple(Mask(m) for m in drawn)}, Known({"P1": [photo]}, {"g": [photo]}),
                        Means(seers, FaceMesh, None, run), Options(audit=FAST))
        return {c.name: c for c in made}

    right = found(-look, look)
    assert right["the double that was decided on"].passed and right["the double that was decided on"].looked == 6
    assert "a plan" in right["the double itself"].missing and "a plan" in right["somebody who knows the double"].missing
    assert found(-look, -look)["the double that was decided on"].findings


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
    found = attacked(probe(witness), account, {"P1": (Mask("m"),)}, known, Means(seers, FaceMesh, None, run), Options(audit=FAST))
    assert len(found) == 4 and all(c.passed for c in found)
    assert all(says in c.missing for c in found[2:])
    assert not found[0].missing  # two portraits that are there anyway wear the double


def test_nobody_in_a_double_and_nobody_seen(witness: Path, photo: Path, account: Account) -> None:
    known = Known({"P1": [photo]}, {"g": [photo]})
    no_run: Run = partial(pytest.fail, "nothing is to be drawn")
    for told in ([], [Told(Box(0, 0, 50, 50), "veil", "P1")], [Told(Box(0, 0, 50, 50), "mannequin", "somebody")]):
        found = attacked(probe(witness), lambda _, told=told: told, {"P1": (Mask("m"),)}, known,  # type: ignore[misc]
                         Means(seers, FaceMesh, None, no_run), Options(audit=FAST))
        assert all("nobody is known to wear a double" in c.missing and c.passed for c in found)
    unseen = attacked(probe(witness), account, {"P1": (Mask("m"),)}, known,
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
