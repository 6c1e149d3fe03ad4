"""The whole audit on small real films: a clean one passes, the footage itself does not, and nothing that draws takes part."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import subprocess
import sys
from collections.abc import Generator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from facedouble.audit.likeness import Known
from facedouble.demo.witness import portrait_pixels
from facedouble.doubles.file import identity, write_double
from facedouble.doubles.mannequin import mannequin
from facedouble.errors import ExitCode, InputRefused, ModelError, StoreError, UsageError
from facedouble.media import decode
from facedouble.media.apart import reading
from facedouble.models.install import default_directory
from facedouble.options import AuditOptions, Options
from facedouble.pipeline.audit.attacked import decided
from facedouble.pipeline.audit.parrot import Mask
from facedouble.pipeline.audit.run import Kit, Task, beside, line_up, open_kit, run, shown_in, worn_by_plan
from facedouble.pipeline.audit.sample import WORN, Wardrobe
from facedouble.pipeline.film import Home, look_at
from facedouble.pipeline.protect import Job, protect
from facedouble.pipeline.render import Voice
from facedouble.pipeline.screening import Screening, render_film
from facedouble.plan import edit
from facedouble.plan.people import Decision, Person, TrackName
from facedouble.plan.plan import Plan
from facedouble.plan.read import read
from facedouble.plan.values import Clip
from facedouble.types import Double
from tests.cli import forked
from tests.media.make import clip
from tests.plan.make import FILM

TODAY = dt.date(2026, 11, 21)
DRAWS = ("facedouble.protect", "facedouble.doubles", "facedouble.pipeline.render", "facedouble.pipeline.protect",
         "facedouble.pipeline.company", "facedouble.pipeline.analyse", "facedouble.pipeline.speaking", "facedouble.voice.double")


@pytest.fixture(scope="module")
def kit() -> Kit:
    return open_kit(Options())


@pytest.fixture(scope="module")
def safe(witness: Path, double_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The generated witness with a double's face, muted."""
    film = tmp_path_factory.mktemp("audited") / "safe.mp4"
    protect(Job(witness, film, double_path, Voice(), False, "test", TODAY), Options())
    return film


def found(task: Task, kit: Kit) -> dict[str, set[str]]:
    """By group, the names of the checks that a film does not pass."""
    made: dict[str, set[str]] = {}
    for check in run(task, Options(), kit=kit).checks:
        if not check.passed:
            made.setdefault(check.group, set()).add(check.name)
    return made


def test_a_clean_film_passes_and_says_what_was_tried(safe: Path, witness: Path, kit: Kit) -> None:
    task = Task(safe, (witness,))
    first = run(task, Options(), kit=kit, keep=beside(task))
    assert first.passed, first.findings
    words = task.said.read_text()
    assert run(task, Options(), kit=kit, keep=beside(task)).json() == words
    said = json.loads(words)
    assert said["passed"] and said["models"]["sface"] and said["limits"]["same_face"]
    assert {c["group"] for c in said["checks"]} == {"seen", "attacked", "heard", "container"}
    page = task.page.read_text()
    assert "Nothing was found" in page and "data:image/jpeg" in page
    assert str(witness.parent) not in words + page


def test_a_film_is_decoded_once_for_all_who_look_at_every_frame(safe: Path, witness: Path, kit: Kit,
                                                                monkeypatch: pytest.MonkeyPatch) -> None:
    """The footage twice: who is where has to be known of all of it before any frame is judged."""
    read = []

    def noted(path: Path, job: str, given: dict[str, object], room: int = reading.ROOM) -> Generator[reading.Got, None, None]:
        read.append((job, path.name))
        return reading.pieces(path, job, given, room)

    monkeypatch.setattr(decode, "pieces", noted)
    assert run(Task(safe, (witness,)), Options(), kit=kit).passed
    assert [name for job, name in read if job == "pictures"].count(safe.name) == 1
    assert [name for job, name in read if job == "pictures"].count(witness.name) == 2


def test_the_footage_itself_is_kept_back(witness: Path, tmp_path: Path, kit: Kit) -> None:
    bare = tmp_path / "safe.mp4"
    shutil.copy(witness, bare)
    bare.with_suffix(".report.json").write_text(json.dumps({"frames": 60, "voice": "mute"}))
    assert {"seen", "heard"} <= set(found(Task(bare, (witness,)), kit))


def test_the_double_with_another_shape_is_found_by_drawing_once_more(safe: Path, witness: Path, double_path: Path,
                                                                     double: Double, tmp_path: Path, kit: Kit) -> None:
    """A mannequin's shape in the double's own skin: what two strangers have in common who wear the double does not tell it."""
    moved = replace(double, neutral=mannequin(1).neutral)
    write_double(replace(moved, id=identity(moved)), tmp_path / "moved.fdouble")
    other = tmp_path / "other.mp4"
    protect(Job(witness, other, tmp_path / "moved.fdouble", Voice(), False, "test", TODAY), Options())
    report = safe.with_suffix(".report.json")
    tasks = (Task(film, (witness,), double=double_path, report=report) for film in (safe, other))
    right, wrong = ({c.name: c for c in run(task, Options(), kit=kit).checks} for task in tasks)
    clean = [v for k, v in right[WORN].figures.items() if "once more" in k and "limit" not in k]
    assert right[WORN].passed and len(clean) == 2 and min(map(float, clean)) > 0.97 and "(1 of 1 people)" in right[WORN].tried
    assert {f.limit for f in wrong[WORN].findings} == {AuditOptions().double_again}
    assert float(wrong[WORN].figures["the witness, face alone, drawn once more"]) < AuditOptions().double_again


def test_who_is_shown_is_found_by_other_footage(safe: Path, witness: Path, kit: Kit) -> None:
    """A double as reference: then it is the protected person whom a recogniser finds."""
    assert "Nobody is recognised" in found(Task(safe, (witness, safe)), kit)["seen"]


@pytest.mark.parametrize("written", ['names = ["Wilhelmine Robertson"]\nplaces = ["Lake Hornborga"]',
                                     "Wilhelmine Robertson\nLake Hornborga"])
def test_a_list_of_words_is_sought_in_the_bytes_and_in_the_name(written: str, safe: Path, witness: Path, tmp_path: Path,
                                                                kit: Kit) -> None:
    film, words = tmp_path / "At Lake Hornborga.mp4", tmp_path / ("names.toml" if "=" in written else "names.txt")
    film.write_bytes(safe.read_bytes() + b"\0\0\0\x1cfreeWilhelmine Robertson")
    shutil.copy(safe.with_suffix(".report.json"), film.with_suffix(".report.json"))
    words.write_text(written)
    made = {c.name: c for c in run(Task(film, (witness,), words=words), Options(), kit=kit).checks}
    assert any("must not be read" in f.what for f in made["strings of the footage"].findings)
    assert any("own name" in f.what for f in made["around the file"].findings)


def test_without_footage_nothing_passes(safe: Path, kit: Kit, tmp_path: Path) -> None:
    other = clip(tmp_path / "other.mp4", 64, 64)
    missing = {c.name for c in run(Task(safe, (other,)), Options(), kit=kit).checks if c.missing and c.needed}
    assert missing


def test_without_footage_and_report_nobody_knows_what_may_be_heard(witness: Path, tmp_path: Path, kit: Kit) -> None:
    other = clip(tmp_path / "other.mp4", 64, 64)
    bare = tmp_path / "bare.mp4"
    shutil.copy(witness, bare)
    made = run(Task(bare, (other,)), Options(), kit=kit)
    assert not made.passed and not [f for check, f in made.findings if check.group == "heard"]


def test_what_draws_takes_no_part() -> None:
    code = f"import sys, facedouble.pipeline.audit.run; print([m for m in sys.modules if m.startswith({DRAWS!r})])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "[]"


def test_a_model_that_is_missing_or_altered_stops_it(tmp_path: Path) -> None:
    shutil.copytree(default_directory(), tmp_path / "models")
    name = "centerface.onnx"
    (tmp_path / "models" / name).write_bytes(b"x")
    with pytest.raises(ModelError, match="centerface"):
        open_kit(Options(), tmp_path / "models")
    (tmp_path / "models" / name).unlink()
    with pytest.raises(ModelError, match="models install"):
        open_kit(Options(), tmp_path / "models")


def test_somebody_elses_file_is_not_replaced(safe: Path, witness: Path, tmp_path: Path) -> None:
    film = tmp_path / "safe.mp4"
    shutil.copy(safe, film)
    film.with_suffix(".audit.json").write_text("mine")
    with pytest.raises(StoreError, match="no audit"):
        beside(Task(film, (witness,)))
    assert film.with_suffix(".audit.json").read_text() == "mine"


@pytest.fixture(scope="module")
def film(witness: Path, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A film of one clip, by a plan with a card, its person played by a mannequin."""
    folder = tmp_path_factory.mktemp("planned")
    shutil.copy(witness, folder / "a.mp4")
    home = Home(folder / "film.plan.toml")
    look_at([folder / "a.mp4"], home, Options(), hear=lambda made, people: ())
    text = edit.decide(home.text(), "P1", Decision("mannequin", by="me"))
    home.put(edit.put_card(text, text="Their faces were changed."))
    render_film(Screening(home, folder / "safe", "film", TODAY), Options())
    return home


def test_a_film_by_a_plan_passes_with_its_card(film: Home, kit: Kit) -> None:
    made = run(Task(film.plan.parent / "safe" / "A.mp4", (), film.plan), Options(), kit=kit)
    assert made.passed, made.findings
    assert made.frames > 60


def test_a_plan_that_says_veil_does_not_pass_a_face(film: Home, kit: Kit, tmp_path: Path) -> None:
    """Whoever changes the plan after the film was made hears of it."""
    safe = film.plan.parent / "safe" / "A.mp4"
    before = film.text()
    try:
        film.put(edit.decide(before, "P1", Decision("veil", by="me")))
        assert "Every face is accounted for" in found(Task(safe, (), film.plan), kit)["seen"]
    finally:
        film.put(before)
    with pytest.raises(UsageError, match="--clip"):
        run(Task(safe.with_suffix(".mp4"), (), film.plan, "Z"), Options(), kit=kit)
    footage = film.plan.parent / "a.mp4"
    kept = footage.read_bytes()
    try:
        footage.write_bytes(kept + b"x")
        with pytest.raises(InputRefused, match="footage"):
            run(Task(safe, (), film.plan), Options(), kit=kit)
    finally:
        footage.write_bytes(kept)


def test_the_command_audits_and_its_exit_code_tells(safe: Path, witness: Path, tmp_path: Path) -> None:
    def command(*words: str, fresh: bool = False) -> subprocess.CompletedProcess[str]:
        return forked.run("audit", *words, cwd=tmp_path, fresh=fresh)

    film = tmp_path / "safe.mp4"
    shutil.copy(safe, film)
    shutil.copy(safe.with_suffix(".report.json"), film.with_suffix(".report.json"))
    good = command("safe.mp4", "--witness", str(witness), fresh=True)
    assert good.returncode == ExitCode.DONE, good.stdout + good.stderr
    assert "nothing was found" in good.stdout and (tmp_path / "safe.audit.html").is_file()
    strict = tmp_path / "strict.toml"
    strict.write_text("[audit]\nsame_face = -1.0\n")
    bad = command("safe.mp4", "--witness", str(witness), "--options", str(strict))
    assert bad.returncode == ExitCode.AUDIT and "NOT to be published" in bad.stdout
    assert command("safe.mp4").returncode == ExitCode.USAGE
    assert command("none.mp4", "--witness", str(witness)).returncode == ExitCode.INPUT


def test_the_double_of_the_plan_is_what_counts(double_path: Path, double: Double, tmp_path: Path) -> None:
    """Not the one that the render's report names: where they differ, that is the fault; where it is gone, nobody can tell."""
    plan, rows = read(FILM.replace('  face = "hide"', '  face = "mannequin"')), np.zeros((150, 4))
    shutil.copy(double_path, tmp_path / "ana.fdouble")

    def worn(**said: str) -> Wardrobe:
        return worn_by_plan(plan, "A", {0: (60, rows), 7: (0, rows)}, tmp_path, {"doubles": said}, 5)
    mask, other = Mask(double.id, tmp_path / "ana.fdouble"), Mask("1234")
    right = worn(**{"double ana": double.id, "mannequin P1": "1234"})
    assert right == Wardrobe({"P1": [(65, 105, (mask,)), (105, 205, (other,)), (205, 215, (mask,))]}, planned=True)
    assert right("P1", 104) == (mask,) and right("P1", 105) == (other,) and right("P3", 20) == ()
    assert worn()("P1", 70) == (mask,) and worn()("P1", 105) == () and not worn().findings + worn().lacks
    (wrong,) = worn(**{"double ana": "abcd"}).findings
    assert wrong.person == "P1" and wrong.frames == (65, 105) and "another double ana than the plan's" in wrong.what
    assert [c.passed for c in decided(worn(**{"double ana": "abcd"}))] == [False] and decided(right) == []
    (tmp_path / "ana.fdouble").write_bytes(b"nothing")
    (missing,) = decided(worn())
    assert missing.needed and "ana.fdouble" in missing.missing and not missing.passed


def test_a_face_that_becomes_another_persons_is_theirs_from_there_on(tmp_path: Path) -> None:
    mask = Decision("mannequin", by="me")
    names = TrackName("A", 3, 0, 60), TrackName("A", 3, 60)
    people = tuple(Person(f"P{k}", f"pseudonym {k}", (name,), mask) for k, name in enumerate(names, 1))
    plan = Plan((Clip("A", "a.mp4", "a" * 64, 100, Fraction(25)),), people=people)
    worn = worn_by_plan(plan, "A", {3: (0, np.zeros((100, 4)))}, tmp_path,
                        {"doubles": {"mannequin P1": "12", "mannequin P2": "34"}}, 0)
    assert worn.turns == {"P1": [(0, 60, (Mask("12"),))], "P2": [(60, 100, (Mask("34"),))]}


def test_other_footage_is_of_whom_a_recogniser_knows_in_it() -> None:
    one, two, stranger = np.eye(3, 128, dtype=np.float32)
    people = [Known("P1", one[None]), Known("P2", two[None])]
    paths = tuple(map(Path, "abc"))
    known = {path: Known("other footage", v[None]) for path, v in zip(paths, (two, one, stranger), strict=True)}
    assert shown_in(["P1", "P2"], paths, known, people, Options()) == {"P2": [Path("a")], "P1": [Path("b")]}
    assert shown_in(["P1"], paths, known, people, Options()) == {"P1": paths}
    assert shown_in(["P1"], (), {}, people, Options()) == {}


def test_a_line_up_has_everybody_once(kit: Kit, tmp_path: Path) -> None:
    for who, name in (("ana", "admiral"), ("ben", "astronaut")):
        (tmp_path / who).mkdir()
        for k in range(4):
            cv2.imwrite(str(tmp_path / who / f"{k}.png"), portrait_pixels(name, 400)[..., ::-1])
    cv2.imwrite(str(tmp_path / "plant.png"), np.full((80, 80, 3), 90, np.uint8))
    assert [(k.name, len(k.vectors)) for k in line_up(tmp_path, kit.eyes)] == [("gallery ana", 3), ("gallery ben", 3)]
    assert [len(k.vectors) for k in line_up(tmp_path, kit.eyes, None)] == [4, 4]


def test_limits_come_from_the_options(safe: Path, witness: Path, kit: Kit) -> None:
    strict = replace(Options(), audit=AuditOptions(same_face=-1.0))
    assert not run(Task(safe, (witness,)), strict, kit=kit).passed
