"""The run over real files: footage, what was made of it, and models of their own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench.mutate.again import again
from bench.mutate.faults import Case
from bench.mutate.pictures import FAULTS, bare, during, span
from facedouble.audit.account import Account, Told
from facedouble.audit.left import WHOLE
from facedouble.audit.likeness import Known
from facedouble.audit.scene import Models
from facedouble.audit.verdict import Finding
from facedouble.errors import InputRefused, ModelError
from facedouble.media.decode import frames
from facedouble.media.encode import Writer
from facedouble.media.probe import probe
from facedouble.options import AuditOptions, EncodeOptions
from facedouble.pipeline.audit.account import known_of
from facedouble.pipeline.audit.seen import account_of, known_by, open_models, seen
from facedouble.types import Array, Box, Frame, SafeFrame, _Seal
from tests.media.make import clip

LIMITS = AuditOptions(every=30)


@pytest.fixture(scope="module")
def models() -> Models:
    return open_models(LIMITS)


@pytest.fixture(scope="module")
def case(witness: Path, tmp_path_factory: pytest.TempPathFactory) -> Case:
    """The generated witness, and a clean film: a soft cover over the face."""
    path = tmp_path_factory.mktemp("clean") / "clean.mp4"

    def drawn(frame: Frame, source: Frame, box: Array, points: Array) -> Frame:
        y, x = np.mgrid[: frame.height, : frame.width]
        r = np.hypot((x - box[[0, 2]].mean()) / (box[2] - box[0]), (y - box[[1, 3]].mean()) / (box[3] - box[1]))
        planes = [p.copy() for p in frame.planes]
        planes[0] = np.where(r < 0.75, 110 + 20 * np.sin(x / 17) + 20 * np.cos(y / 23), planes[0]).astype(np.uint8)
        return Frame(frame.index, frame.ticks, frame.span, frame.time_base, tuple(planes), frame.pixel_format, frame.colour)

    during(Case(witness, witness), 0, 10_000, drawn, path)
    return Case(witness, path)


@pytest.fixture(scope="module")
def told(case: Case, models: Models) -> tuple[Account, list[Known]]:
    return account_of(case.source, models)


def findings(case: Case, output: Path, models: Models, told: tuple[Account, list[Known]]) -> list[Finding]:
    return [f for check in seen(output, case.source, told[0], models, LIMITS, told[1]) for f in check.findings]


def test_a_clean_film_has_no_findings_and_a_bare_frame_has(case: Case, models: Models, told: tuple[Account, list[Known]],
                                                              tmp_path: Path) -> None:
    assert findings(case, case.clean, models, told) == []
    bare(case, 3, 1, tmp_path / "bare.mp4")
    start, stop = span(case, 3, 1)
    hits = [f.frames for f in findings(case, tmp_path / "bare.mp4", models, told) if f.what == WHOLE]
    assert hits == [(start, stop)]


def test_the_footage_itself_is_full_of_findings(case: Case, models: Models, told: tuple[Account, list[Known]]) -> None:
    account, people = told
    assert len(people) == 1 and account(30) and account(30)[0].treatment == "double"
    checks = {c.name: c for c in seen(case.source, case.source, account, models, LIMITS, people)}
    assert not checks["Nobody is recognised"].passed and not checks["Nothing of the footage is left in a face"].passed
    assert not checks["Eyes and glasses"].passed and checks["The picture follows the footage"].passed


def test_the_same_film_gives_the_same_checks(case: Case, models: Models, told: tuple[Account, list[Known]],
                                             tmp_path: Path) -> None:
    short = tmp_path / "short.mp4"
    cut(case.clean, short, 8)
    first, second = (seen(short, case.source, told[0], models, LIMITS, told[1]) for _ in range(2))
    assert first == second and first[-1].looked == 8


def test_an_opening_card_moves_the_footage(case: Case, models: Models, tmp_path: Path) -> None:
    cut(case.source, tmp_path / "late.mp4", 12, lead=4)
    name = "The picture follows the footage"
    late, early = ({c.name: c for c in seen(tmp_path / "late.mp4", case.source, lambda n: (), models, LIMITS, lead=lead)}[name]
                   for lead in (4, 0))
    figure = "The picture differs from the footage where the plan changes nothing, levels"
    assert float(late.figures[figure]) < float(early.figures[figure])


def cut(film: Path, new: Path, length: int, lead: int = 0) -> None:
    """The beginning of a film, after its first frame several times over."""
    info = replace(probe(film), audio=())
    pictures = list(frames(info))[: length - lead]
    step = pictures[1].ticks - pictures[0].ticks
    with Writer(new, info, EncodeOptions(), []) as writer:
        for k, picture in enumerate([pictures[0]] * lead + pictures):
            writer.add(SafeFrame(_Seal(), replace(picture, index=k, ticks=pictures[0].ticks + k * step), False))


def test_coding_again_changes_nothing_but_the_fault(case: Case, tmp_path: Path) -> None:
    again(case, lambda number, frame, source: frame, tmp_path / "same.mp4")
    old, new = probe(case.clean), probe(tmp_path / "same.mp4")
    assert (old.frames, old.rate, len(old.audio)) == (new.frames, new.rate, len(new.audio))
    for a, b in zip(frames(old), frames(new), strict=True):
        assert a.time == b.time and np.abs(a.planes[0].astype(int) - b.planes[0]).mean() < 2


def test_every_fault_has_a_name_a_ladder_and_a_text() -> None:
    assert len({f.kind for f in FAULTS}) == len(FAULTS) >= 12
    assert all(f.group == "picture" and f.strengths and f.make.__doc__ for f in FAULTS)


def test_photos_and_footage_tell_what_somebody_looks_like(case: Case, models: Models, tmp_path: Path) -> None:
    empty = clip(tmp_path / "empty.mp4")
    known = known_by([case.source, empty], models)
    assert [k.name for k in known] == ["witness"] and known[0].vectors.shape[1] == 128


def test_who_is_there_for_a_short_time_is_known_all_the_same(case: Case, models: Models) -> None:
    """Between two of the frames that are looked at; and who is too small for anybody to know them is named."""
    box = account_of(case.source, models)[0](12)[0].box
    small = Box(box.x0, box.y0, box.x0 + 12, box.y0 + 12)

    def account(number: int) -> list[Told]:
        return [Told(box, "double", "P1")] if 10 <= number - 5 < 20 else [Told(small, "veil", "P2")]
    people, shown, unknown = known_of(case.source, account, 5, models)
    assert [(k.name, len(k.vectors)) for k in people] == [("P1", 2)] and not shown and unknown == ["P2"]


def test_whose_face_is_there_for_a_short_time_is_known_without_a_plan(case: Case, models: Models, tmp_path: Path) -> None:
    """The searches that are looked at, every fifth, see nobody."""
    searched = iter(range(1000))
    fleeting = replace(models, seer=lambda rgb: models.seer(rgb) if next(searched) in (6, 7) else [])
    assert len(account_of(case.source, fleeting)[1]) == 1


def test_those_whom_the_plan_gives_to_nobody_are_several(case: Case, models: Models) -> None:
    box, looks = account_of(case.source, models)[0](12)[0].box, iter(np.eye(128, dtype=np.float32))
    several = replace(models, knower=lambda rgb, points: next(looks))
    people, _, unknown = known_of(case.source, lambda number: [Told(box, "veil")], 0, several)
    assert [(k.name, len(k.vectors)) for k in people] == 3 * [("nobody's", 1)] and not unknown


def test_files_that_are_broken_are_refused(case: Case, models: Models, tmp_path: Path) -> None:
    nothing, half = tmp_path / "none.mp4", tmp_path / "half.mp4"
    nothing.write_bytes(b"")
    half.write_bytes(case.clean.read_bytes()[:3000])
    for path in (nothing, half):
        with pytest.raises(InputRefused):
            seen(path, case.source, lambda n: (), models, LIMITS)


def test_models_that_are_missing_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="centerface"):
        open_models(LIMITS, tmp_path)
