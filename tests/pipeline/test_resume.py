"""A run that was killed goes on from its finished chunks, and what comes out is what would have come out."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facedouble.errors import StoreError
from facedouble.media.decode import frames
from facedouble.options import DrawOptions, EncodeOptions, Options
from facedouble.pipeline import render as module
from facedouble.pipeline.analyse import Analysis
from facedouble.pipeline.digest import Digest
from facedouble.pipeline.ledger import Ledger
from facedouble.pipeline.protect import Job
from facedouble.pipeline.render import Voice, Wings, names, render
from facedouble.pipeline.stage import perform
from facedouble.protect.composite import compose
from facedouble.protect.face import blur_of
from facedouble.protect.veil import Ellipse
from facedouble.types import Double, Frame, Rows

ROOT = Path(__file__).resolve().parents[2]
OPTIONS = Options(encode=EncodeOptions(preset="veryfast", chunk_most=15, chunk_least=5))  # 60 frames: four chunks
SPANS = [(0, 15), (15, 30), (30, 45), (45, 60)]

RUN = """
    import datetime, os, signal, sys
    sys.path.insert(0, {root!r})
    from pathlib import Path
    from facedouble.errors import StoreError
    from facedouble.media import destination, shelf
    from facedouble.pipeline import render
    from facedouble.pipeline.protect import Job, protect
    from facedouble.pipeline.render import Voice
    from tests.pipeline.test_resume import OPTIONS

    drawn, real = [], render.compose

    def counted(frame, *rest):
        drawn.append(frame.index)
        return real(frame, *rest)

    def die(*_, **__):
        os.kill(os.getpid(), signal.SIGKILL)

    def progress(step, done, total):
        if step.startswith("resuming"):
            print(step, flush=True)
        if step == "drawing" and done == {at!r}:
            die()

    render.compose = counted
    {before}
    job = Job(Path({source!r}), Path({target!r}), {double!r}, Voice(), False, "test", datetime.date(2026, 11, 21))
    try:
        protect(job, OPTIONS, progress)
    except StoreError as error:
        print(error)
        sys.exit(5)
    print("drawn", len(drawn))
"""


@dataclass
class Child:
    """`protect` in a process of its own."""

    source: Path
    double: Path
    target: Path

    def run(self, at: int = -1, before: str = "pass") -> tuple[int, list[str]]:
        """Kill it when frame `at` is drawn; the exit status and what it said."""
        text = textwrap.dedent(RUN).format(root=str(ROOT), source=str(self.source), target=str(self.target),
                                           double=str(self.double), at=at, before=before)
        done = subprocess.run([sys.executable, "-c", text], stdout=subprocess.PIPE, text=True, timeout=900, check=False)
        return done.returncode, done.stdout.splitlines()

    def left(self) -> int:
        """Finished chunks in its folder."""
        return len(list(self.target.with_name(f"{self.target.name}.parts").glob("*.chunk")))


def outputs(target: Path) -> list[bytes]:
    return [target.with_suffix(s).read_bytes() for s in (".mp4", ".report.json", ".sheet.jpg")]


def test_killed_over_and_over_it_makes_the_same_film(witness: Path, double_path: Path, tmp_path: Path) -> None:
    calm = Child(witness, double_path, tmp_path / "calm.mp4")
    assert calm.run() == (0, ["drawn 60"])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["calm.mp4", "calm.report.json", "calm.sheet.jpg"]
    child = Child(witness, double_path, tmp_path / "safe.mp4")
    killed = -signal.SIGKILL
    assert child.run(at=9) == (killed, []) and child.left() == 0
    assert child.run(at=40)[0] == killed and child.left() == 2
    status, said = child.run(before="shelf.os.replace = die")  # a chunk that is whole and has no name yet
    assert (status, child.left()) == (killed, 2) and said == ["resuming: 2 of 4 chunks are there"]
    assert child.run(at=52)[0] == killed and child.left() == 3
    assert child.run(before="destination.OnDisk.publish = die")[0] == killed and child.left() == 4
    assert not child.target.exists()
    assert child.run() == (0, ["resuming: 4 of 4 chunks are there", "drawn 0"])
    assert outputs(child.target) == outputs(calm.target)
    assert len(list(tmp_path.iterdir())) == 6  # nothing else is left


def test_a_full_disk_is_said_and_what_was_drawn_is_kept(witness: Path, double_path: Path, tmp_path: Path) -> None:
    child = Child(witness, double_path, tmp_path / "safe.mp4")
    full = "shelf.os.fsync = lambda _: len(drawn) < 26 or shelf.os.write(os.open('/dev/full', os.O_WRONLY), b'1')"
    status, said = child.run(before=full)
    assert status == 5 and "disk is full" in said[-1] and "goes on from there" in said[-1]
    assert not child.target.exists() and child.left() == 1


@dataclass
class Renders:
    """Renders of one analysis with one folder, and which frames each of them drew."""

    made: Analysis
    double: Double
    folder: Path
    drawn: list[int]
    count: int = 0

    def __call__(self, made: Analysis | None = None, options: Options = OPTIONS, parts: bool = True) -> tuple[list[int], Any]:
        self.drawn.clear()
        self.count += 1
        out = self.folder / f"{self.count}.mp4"
        report, sheet = render(made or self.made, out, self.double, Voice(), options, parts=self.parts if parts else None,
                               context="the clip")
        return sorted(self.drawn), (out.read_bytes(), report.json(), sheet)

    @property
    def parts(self) -> Path:
        return self.folder / "parts"

    def files(self) -> dict[str, bytes]:
        return {p.name: p.read_bytes() for p in self.parts.glob("*.chunk")}


@pytest.fixture
def renders(analysis: Analysis, double: Double, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Renders:
    drawn: list[int] = []

    def counted(frame: Frame, *rest: Any) -> Any:
        drawn.append(frame.index)
        return compose(frame, *rest)

    monkeypatch.setattr(module, "compose", counted)
    return Renders(analysis, double, tmp_path, drawn)


def span(*spans: tuple[int, int]) -> list[int]:
    return [i for a, b in spans for i in range(a, b)]


def veiled(made: Analysis, start: int, stop: int) -> Analysis:
    """As a plan would change it: the veil in some frames."""
    weights = np.array(made.roles[0].weights)
    weights[start:stop] = 0
    return replace(made, roles=(replace(made.roles[0], weights=weights),))


def test_with_and_without_a_folder_it_is_the_same_film(renders: Renders) -> None:
    drawn, first = renders(parts=False)
    assert drawn == span((0, 60))
    drawn, kept = renders()
    assert drawn == span((0, 60)) and kept == first
    drawn, again = renders()
    assert drawn == [] and again == first


def test_a_change_in_the_middle_changes_its_chunk_only(renders: Renders) -> None:
    _, first = renders()
    before = renders.files()
    changed = veiled(renders.made, 32, 36)
    drawn, other = renders(changed)
    assert drawn == span((30, 45))
    after = renders.files()
    assert {k: after[k] for k in before} == before and len(after) == 5
    assert json.loads(other[1])["people"][0]["veiled"] == 4
    assert renders(changed, parts=False)[1] == other
    drawn, again = renders()  # and back: what was there before is there still
    assert drawn == [] and again == first


@pytest.mark.parametrize("damage", ["flipped", "cut"])
def test_a_damaged_chunk_is_drawn_again(damage: str, renders: Renders) -> None:
    _, first = renders()
    named = _named(renders.made, (renders.double,), OPTIONS, "the clip")
    path = renders.parts / f"{named[1]}.chunk"
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 4
    path.write_bytes(data if damage == "flipped" else data[: len(data) // 2])
    drawn, again = renders()
    assert drawn == span((15, 30)) and again == first


def test_a_chunk_with_an_error_in_it_is_drawn_again(renders: Renders, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error may have been the machine's: what it hid is not kept hidden for ever."""
    _, first = renders(parts=False)

    def broken(frame: Frame, *rest: Any) -> Any:
        if frame.index == 20:
            raise MemoryError
        return compose(frame, *rest)

    good = getattr(module, "compose")  # noqa: B009  the one that counts
    monkeypatch.setattr(module, "compose", broken)
    _, (_, report, _) = renders()
    assert json.loads(report)["hidden"] == [20]
    monkeypatch.setattr(module, "compose", good)
    drawn, again = renders()
    assert drawn == span((15, 30)) and again == first


def _named(made: Analysis, doubles: tuple[Double, ...], options: Options, context: str) -> list[str]:
    return names(made, SPANS, Wings(made.roles, doubles, options, float(made.info.rate)), options, context)


CHANGES: dict[str, tuple[Callable[[Analysis], Analysis], list[int]]] = {
    "a weight": (lambda a: veiled(a, 59, 60), [3]),
    "a box": (lambda a: replace(a, roles=(_with_box(a, 16),)), [1]),
    "a cover": (lambda a: replace(a, roles=(_with_cover(a, 44),)), [2]),
    "a code": (lambda a: replace(a, roles=(_with_code(a),)), [0, 1, 2, 3]),
    "nobody": (lambda a: replace(a, roles=()), [0, 1, 2, 3]),
    "another place of the file": (lambda a: replace(a, info=replace(a.info, path="/elsewhere/b.mp4")), []),
    "another clock": (lambda a: replace(a, info=replace(a.info, time_base=Fraction(1, 50))), [0, 1, 2, 3]),
}


def _with_box(a: Analysis, frame: int) -> Any:
    rows = np.array(a.roles[0].track.rows)
    rows["box"][frame, 0] -= 1
    track = a.roles[0].track
    return replace(a.roles[0], track=replace(track, faces=Rows(rows, track.faces.build)))  # type: ignore[attr-defined]


def _with_cover(a: Analysis, frame: int) -> Any:
    covers = list(a.roles[0].covers)
    covers[frame] = Ellipse(covers[frame].x + 1, covers[frame].y, covers[frame].rx, covers[frame].ry)
    return replace(a.roles[0], covers=covers)


def _with_code(a: Analysis) -> Any:
    fit = a.roles[0].fit
    assert fit is not None
    numbers = np.array(fit.codes.numbers)
    numbers[7, 20] += 0.01
    return replace(a.roles[0], fit=replace(fit, codes=Rows(numbers, fit.codes.build)))


@pytest.mark.parametrize("change", CHANGES)
def test_what_can_change_a_pixel_changes_the_name(change: str, analysis: Analysis, double: Double) -> None:
    first = _named(analysis, (double,), OPTIONS, "the clip")
    assert len(set(first)) == 4 and first == _named(analysis, (double,), OPTIONS, "the clip")
    alter, which = CHANGES[change]
    other = _named(alter(analysis), (double,), OPTIONS, "the clip")
    assert [k for k in range(4) if first[k] != other[k]] == which


def test_settings_and_people_change_all_names(analysis: Analysis, double: Double) -> None:
    first = _named(analysis, (double,), OPTIONS, "the clip")
    for options in (replace(OPTIONS, seed=1), replace(OPTIONS, draw=DrawOptions(halo=0)),
                    replace(OPTIONS, encode=replace(OPTIONS.encode, crf=18))):
        assert not set(first) & set(_named(analysis, (double,), options, "the clip"))
    assert not set(first) & set(_named(analysis, (double,), OPTIONS, "another clip"))
    assert not set(first) & set(_named(analysis, (replace(double, id="b"),), OPTIONS, "the clip"))
    assert not set(first) & set(_named(analysis, (), OPTIONS, "the clip"))


def test_a_digest_leaves_nothing_out() -> None:
    values = [None, True, 1, 1.0, "1", b"1", np.array([1]), np.array([1.0]), (1,), [(1,)], {"a": 1}, Fraction(1, 2), (1, 1), "",
              Ellipse(1, 2, 3, 4)]
    assert len({Digest(v).hex() for v in values}) == len(values)
    assert Digest("ab", "c").hex() != Digest("a", "bc").hex()
    with pytest.raises(TypeError):
        Digest(object())
    with pytest.raises(TypeError):
        Digest(lambda: 1)


def test_a_frame_is_drawn_the_same_whichever_came_first(analysis: Analysis, double: Double) -> None:
    """Nothing is left behind by drawing other frames, on the performance or elsewhere."""
    role = analysis.roles[0]
    seen = {f.index: f for f in frames(analysis.info) if f.index in (3, 30, 55)}
    made: list[dict[int, Any]] = []
    blurs = []
    for order in ((3, 30, 55), (55, 3, 30), (30,)):
        stage = perform(role, double, Options(), 25.0)
        cast = module.Cast(role, stage)
        made.append({})
        for i in order:
            part = cast.part(i)
            assert part is not None and stage is not None
            made[-1][i] = compose(seen[i], [part], DrawOptions(), 0).safe.frame.planes
            blurs.append(blur_of(stage))
    assert len(set(blurs)) == 1
    for other in made[1:]:
        assert all(np.array_equal(p, q) for i in other for p, q in zip(made[0][i], other[i], strict=True))


def test_a_ledger_comes_back_from_json() -> None:
    cell = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    first = Ledger({1: 5}, {1: 2}, {4: 6}, {2: [7, 8]}, [3], [3], ["frame 3"], [cell])
    whole = Ledger()
    for _ in range(2):
        whole.take(Ledger.of(json.loads(json.dumps(first.plain()))))
    assert (whole.doubled, whole.fading, whole.shown, whole.veiled, whole.hidden, whole.errors) == (
        {1: 10}, {1: 4}, {4: 12}, {2: [7, 8, 7, 8]}, [3, 3], ["frame 3"] * 2)
    assert all(np.array_equal(c, cell) for c in whole.cells) and first.veiled == {2: [7, 8]}


def test_a_folder_that_is_in_use_stops_before_anything_is_looked_at(job: Job) -> None:
    from facedouble.pipeline.protect import protect

    job.parts.write_text("mine")
    with pytest.raises(StoreError, match="move it away"):
        protect(job, Options())
    assert job.parts.read_text() == "mine" and os.listdir(job.parts.parent) == [job.parts.name]
