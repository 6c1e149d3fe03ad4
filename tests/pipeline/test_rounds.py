"""What an audit finds is covered and drawn again; a film of which something is still found gets no name."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from facedouble.audit.verdict import Audit, Check, Finding
from facedouble.colour import picture
from facedouble.errors import AuditFailed, ModelError, StoreError
from facedouble.media.decode import frames
from facedouble.media.probe import probe
from facedouble.media.sound import pcm
from facedouble.options import AuditOptions, EncodeOptions, Options
from facedouble.pipeline.analyse import Analysis, Progress
from facedouble.pipeline.protect import Job, protect
from facedouble.pipeline.render import Voice
from facedouble.pipeline.rounds import Places
from facedouble.pipeline.veto import NOTHING, answer
from facedouble.types import Box

OPTIONS = Options(encode=EncodeOptions(preset="veryfast", chunk_most=20, chunk_least=5), audit=AuditOptions(beside=0.08))
PAGE = b"<html>"


def says(*findings: Finding, missing: str = "") -> Audit:
    return Audit("0" * 64, 1, 60, (Check("faces", "seen", "looked", findings=findings, missing=missing),), {}, ("hair",))


class Judge:
    """An audit that says one thing after the other, and remembers what lay there."""

    def __init__(self, *said: Audit, then: Callable[[], None] = lambda: None) -> None:
        self.said, self.then = list(said), then
        self.seen: list[list[np.ndarray]] = []  # type: ignore[type-arg]
        self.loud: list[float] = []

    def __call__(self, film: Path, progress: Progress) -> tuple[Audit, bytes]:
        assert film.with_suffix(".report.json").is_file()
        info = probe(film)
        self.seen.append([picture(f) for f in frames(info)])
        self.loud.append(float(np.abs(np.concatenate(list(pcm(info, info.audio[0].index)))).max()))
        self.then()
        return self.said.pop(0) if len(self.said) > 1 else self.said[0], PAGE


@pytest.fixture
def face(analysis: Analysis) -> Box:
    return analysis.roles[0].boxes[30]


def left(job: Job) -> set[str]:
    return set(os.listdir(job.destination.parent)) - {job.parts.name}


def test_a_film_of_which_nothing_is_found_gets_its_name(job: Job) -> None:
    judge = Judge(says())
    report = protect(job, OPTIONS, auditor=judge)
    assert report.facts["audit"] == {"passed": True, "rounds": 1, "covered": []}
    assert left(job) == {"safe.mp4", "safe.report.json", "safe.sheet.jpg", "safe.audit.json", "safe.audit.html"}
    assert Places(job.destination).beside(".audit.html").read_bytes() == PAGE and not job.parts.exists()
    plain = replace(job, destination=job.destination.with_name("again.mp4"))
    assert protect(plain, OPTIONS).facts["audit"].startswith("draft")
    assert plain.destination.read_bytes() == job.destination.read_bytes()


def test_where_a_face_is_found_it_is_veiled_and_only_there(job: Job, face: Box) -> None:
    judge = Judge(says(Finding("a face", (30, 31), box=face)), says())
    report = protect(job, OPTIONS, auditor=judge)
    first, second = judge.seen
    assert report.facts["audit"]["rounds"] == 2 and report.facts["audit"]["covered"] == [{"face": 0, "frames": [28, 33]}]
    x, y = round((face.x0 + face.x1) / 2), round((face.y0 + face.y1) / 2)
    inside = [a[y - 20 : y + 20, x - 20 : x + 20].astype(float) for a in second]
    veiled = [k for k, a in enumerate(inside) if a.std() < 6]  # no eyes, no mouth: folds of a cloth
    assert set(range(28, 33)) <= set(veiled) <= set(range(24, 37))
    assert all(np.array_equal(first[k], second[k]) for k in (*range(20), *range(40, 60)))  # other chunks: the very same
    assert report.people[0].veiled == 5


def test_what_is_found_again_is_covered_as_a_place_and_then_nothing_is_let_go(job: Job, face: Box) -> None:
    judge = Judge(says(Finding("a face", (30, 31), box=face)))
    with pytest.raises(AuditFailed, match=r"not written.*a face Look at .*safe\.audit\.html"):
        protect(job, OPTIONS, auditor=judge)
    assert left(job) == {"safe.audit.json", "safe.audit.html"} and job.parts.is_dir() and len(judge.seen) == 3
    place = judge.seen[2][30][round(face.y0) + 2 : round(face.y1) - 2, round(face.x0) + 2 : round(face.x1) - 2]
    assert np.ptp(place.reshape(-1, 3), axis=0).max() <= 8  # one colour, coded
    report = protect(job, OPTIONS, auditor=Judge(says()))
    assert report.facts["audit"]["rounds"] == 1 and job.destination.is_file()


def test_what_cannot_be_covered_is_not_drawn_again(job: Job) -> None:
    for audit in (says(Finding("a name in the file")), says(missing="a model is missing")):
        judge = Judge(audit)
        with pytest.raises(AuditFailed, match=r"name in the file|model is missing"):
            protect(job, OPTIONS, auditor=judge)
        assert len(judge.seen) == 1 and "safe.mp4" not in left(job)


def test_what_is_heard_is_silent_the_next_time(job: Job) -> None:
    judge = Judge(says(Finding("a voice", ms=(500, 700))), says())
    report = protect(replace(job, voice=Voice(True, "asked"), double="veil"), OPTIONS, auditor=judge)
    assert judge.loud[0] > 0.1 and judge.loud[1] < 1e-3 and report.facts["voice"] == "mute"


@pytest.mark.parametrize("name", ["safe.audit.json", "safe.audit.html"])
def test_what_lies_in_the_place_of_the_audit_and_is_none_stays(job: Job, name: str) -> None:
    mine = job.destination.with_name(name)
    mine.write_text('{"checks": "mine"}')
    with pytest.raises(StoreError, match="no audit"):
        protect(job, OPTIONS, auditor=Judge(says()))
    assert mine.read_text() == '{"checks": "mine"}' and left(job) == {name}


def test_an_audit_that_fails_leaves_nothing(job: Job) -> None:
    def dies() -> None:
        raise ModelError("gone")

    with pytest.raises(ModelError):
        protect(job, OPTIONS, auditor=Judge(says(), then=dies))
    assert not left(job)


def test_a_name_that_is_taken_meanwhile_stays_whose_it_is(job: Job) -> None:
    def takes() -> None:
        job.destination.write_text("mine")

    judge = Judge(says(), then=takes)
    with pytest.raises(StoreError, match="appeared"):
        protect(job, OPTIONS, auditor=judge)
    assert job.destination.read_text() == "mine" and ".safe.candidate.mp4" not in left(job)


def test_a_candidate_of_a_run_that_was_killed_is_in_nobodys_way(job: Job) -> None:
    Places(job.destination).candidate.write_text("half a film")
    protect(job, OPTIONS, auditor=Judge(says()))
    assert ".safe.candidate.mp4" not in left(job)


def test_findings_on_the_card_or_past_the_end_move_nothing(analysis: Analysis) -> None:
    lead = 10
    for span in ((0, 3), (70, 90)):
        assert answer(says(Finding("x", span)), analysis, lead, 0.0, False) == NOTHING
    made = answer(says(Finding("x", (9, 12))), analysis, lead, 0.0, False)
    assert made.tracks == {0: ((0, 2),)} and not made.boxes
    everywhere = answer(says(Finding("x", (9, 12))), analysis, lead, 0.0, True)
    assert everywhere.boxes == ((0, 2, Box(0, 0, analysis.info.width, analysis.info.height)),)
    beside = answer(says(Finding("x", (30, 31), box=Box(0, 0, 9, 9))), analysis, lead, 0.0, False)
    assert not beside.tracks and beside.boxes == ((20, 21, Box(0, 0, 9, 9)),)
