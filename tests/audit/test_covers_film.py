"""A film by a plan with regions, hidden frames and a watermark, made by the real render and looked at by the real audit."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from facedouble.audit.covers import FILMED, NAME, SEEN, UNMARKED, WHOLE
from facedouble.audit.verdict import Audit, Check, Finding
from facedouble.colour import picture
from facedouble.errors import InputRefused
from facedouble.media.decode import frames
from facedouble.media.encode import Writer
from facedouble.media.probe import probe
from facedouble.options import AuditOptions, EncodeOptions, Options
from facedouble.pipeline.analyse import Progress
from facedouble.pipeline.audit.account import account_of_plan, places
from facedouble.pipeline.audit.covers import Reported, covering
from facedouble.pipeline.audit.run import Kit, Task, open_kit, run
from facedouble.pipeline.audit.seen import seen
from facedouble.pipeline.film import Home, look_at
from facedouble.pipeline.screening import Screening, render_film
from facedouble.plan import edit
from facedouble.plan.people import Decision, Span
from facedouble.plan.read import read
from facedouble.plan.values import Key, Region
from facedouble.types import Array, Box, SafeFrame, _Seal
from tests.pipeline.two_faces import film as film_of

TODAY = dt.date(2026, 11, 21)
LENGTH = 30


def street(witness: Path) -> Iterator[Array]:
    """A witness before a wall on which there is something to read, and a sign that goes from left to right."""
    rng = np.random.default_rng(3)
    wall = cv2.GaussianBlur(rng.uniform(0, 255, (360, 280, 3)).astype(np.float32), (0, 0), 1.5)
    wall = np.clip((wall - 127) * 2.5 + 127, 0, 255).astype(np.uint8)
    sign = np.full((44, 64, 3), 240, np.uint8)
    cv2.putText(sign, "N 7", (4, 30), cv2.FONT_HERSHEY_SIMPLEX, 0.9, (20, 20, 20), 2)
    for frame in frames(probe(witness)):
        if frame.index >= LENGTH:
            return
        right = wall.copy()
        right[40:84, 40 + 3 * frame.index : 104 + 3 * frame.index] = sign
        yield np.hstack([cv2.resize(picture(frame), (360, 360)), right])


@pytest.fixture(scope="module")
def kit() -> Kit:
    return open_kit(Options())


@pytest.fixture(scope="module")
def home(witness: Path, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The plan: a plate, a turned tattoo, a filled-in place, the sign that is followed; ten frames hidden whole; a watermark."""
    folder = tmp_path_factory.mktemp("covered")
    film_of(folder / "street.mp4", street(witness))
    home = Home(folder / "film.plan.toml")
    look_at([folder / "street.mp4"], home, Options(), hear=lambda made, people: ())
    text = edit.decide(home.text(), "P1", Decision("mannequin", by="me"))
    text = edit.decide_span(text, "P1", Span("A", 24, 27, Decision("hide", by="me"), hide="frame"))
    for region in (Region("A", "plate", "solid", "box", (Key(0, 500, 300, 90, 40),), start=5, stop=20),
                   Region("A", "tattoo", "veil", "ellipse", (Key(0, 420, 180, 70, 40, 30), Key(29, 450, 190, 80, 44, 50))),
                   Region("A", "scar", "inpaint", "box", (Key(0, 590, 200, 50, 50),)),
                   Region("A", "sign", "solid", "box", (Key(0, 432, 62, 74, 54), Key(29, 519, 62, 74, 54)), True)):
        text = edit.add_region(text, region)
    home.put(text + '\n[watermark]\ntext = "Faces were changed"\n')
    return home


@pytest.fixture(scope="module")
def audits(home: Home, kit: Kit) -> list[Audit]:
    """The film is made; the first audit finds something on the wall, so that it is covered there; the second is the real one."""
    held: list[Audit] = []

    def auditor(clip: str, film: Path, progress: Progress) -> tuple[Audit, bytes]:
        found = Finding("a passer-by", (8, 9), box=Box(620, 100, 640, 130))
        first = Audit("0" * 64, 1, LENGTH, (Check("faces", "seen", "looked", findings=(found,)),), {}, ())
        held.append(run(Task(film, (), home.plan, clip), Options(), kit=kit) if held else first)
        return held[-1], b"<html>"

    render_film(Screening(home, home.plan.parent / "safe", "film", TODAY), Options(), auditor=auditor)
    return held


def test_what_is_covered_besides_faces_passes(audits: list[Audit], home: Home) -> None:
    """A plate, a turned tattoo, a filled-in scar, a followed sign, hidden frames, a watermark, and what a round covered."""
    assert len(audits) == 2 and audits[1].passed
    (check,) = (c for c in audits[1].checks if c.name == NAME)
    report = json.loads((home.plan.parent / "safe" / "A.report.json").read_text())
    a, b = report["audit"]["covered"][0]["frames"]
    assert a <= 8 < b
    always, hidden, keys, plate = 4, 3, 2, 15  # the tattoo, the scar, the sign, the watermark; the sign's keys
    again = sum(k not in (24, 25, 26) for k in range(a, b))
    assert check.looked == always * (LENGTH - hidden) + hidden + keys + plate + again


def test_what_is_not_covered_is_found_where_it_is(audits: list[Audit], home: Home, kit: Kit, tmp_path: Path) -> None:
    clean = home.plan.parent / "safe" / "A.mp4"
    bare = {(6, 8): np.s_[280:320, 455:545], (12, 13): np.s_[150:230, 425:470], (13, 14): np.s_[170:230, 560:620],
            (18, 19): np.s_[35:90, 450:500], (25, 26): np.s_[:, :], (21, 22): np.s_[300:, 300:]}
    info = replace(probe(clean), audio=())
    with Writer(tmp_path / "A.mp4", info, EncodeOptions(), []) as writer:
        for was, now in zip(frames(probe(home.plan.parent / "street.mp4")), frames(info), strict=True):
            planes = [p.copy() for p in now.planes]
            for (start, stop), part in bare.items():
                if start <= now.index < stop:
                    planes[0][part] = was.planes[0][part]
            writer.add(SafeFrame(_Seal(), replace(now, planes=tuple(planes)), False))
    shutil.copy(clean.with_suffix(".report.json"), tmp_path / "A.report.json")
    plan, size = read(home.text()), (info.width, info.height)
    reported = Reported.of(json.loads((tmp_path / "A.report.json").read_text()))
    where = places(home.of("A", "fnotes"), plan.clip("A").sha256, plan.clip("A").notes)
    checks = seen(tmp_path / "A.mp4", home.plan.parent / "street.mp4", account_of_plan(plan, "A", where, 0), kit.eyes,
                  AuditOptions(every=100), covering=covering(size, reported, 0, plan, "A", where))
    (check,) = (c for c in checks if c.name == NAME)
    assert {(f.what, f.frames) for f in check.findings} >= {
        (SEEN, (6, 8)), (SEEN, (12, 13)), (FILMED, (13, 14)), (SEEN, (18, 19)), (WHOLE, (25, 26)), (UNMARKED, (21, 22))}


def test_notes_of_another_analysis_are_refused(home: Home) -> None:
    with pytest.raises(InputRefused, match="numbered the faces"):
        places(home.of("A", "fnotes"), read(home.text()).clip("A").sha256, "0" * 16)
