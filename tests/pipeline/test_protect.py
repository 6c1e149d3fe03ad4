"""End to end on the generated witness: what comes out, and what happens when parts fail."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from facedouble.colour import crop_rgb
from facedouble.demo.script import Score
from facedouble.errors import ConsentError, ModelError, NoFaceFound, StoreError, UsageError
from facedouble.faces.detect import Detectors
from facedouble.media.container import violations
from facedouble.media.decode import frames
from facedouble.media.probe import probe
from facedouble.media.sound import pcm, sample_count
from facedouble.options import Options
from facedouble.pipeline import render as render_module
from facedouble.pipeline.analyse import Analysis, Eyes, analyse
from facedouble.pipeline.protect import Job, protect
from facedouble.pipeline.render import Voice, render
from facedouble.pipeline.sight import Follower
from facedouble.protect.composite import compose
from facedouble.types import Array, Box, Bytes, Double, Floats, Frame


def correlation(a: Array, b: Array) -> float:
    return float(np.corrcoef(a, b)[0, 1])


def test_a_clip_becomes_the_double(job: Job) -> None:
    report = protect(job, Options())
    before, after = probe(job.source), probe(job.destination)
    a, b = list(frames(before)), list(frames(after))
    assert [f.time for f in a] == [f.time for f in b]
    assert report.frames == len(a) and not report.hidden and not report.errors
    assert report.people[0].doubled == len(a)
    assert violations(job.destination) == []
    assert sample_count(before, before.audio[0].index) == sample_count(after, after.audio[0].index)
    sound = np.concatenate(list(pcm(after, after.audio[0].index)))
    assert np.abs(sound).max() < 1e-3  # mute is the default
    said = json.loads(job.report.read_text())
    assert said["voice"] == "mute" and said["network"] and said["people"][0]["doubled"] == len(a)
    assert said["read_apart"][1:] == ["seccomp", "limits"]
    assert str(job.source.parent) not in job.report.read_text()
    assert job.sheet.read_bytes()[:2] == b"\xff\xd8"


def test_without_a_double_everyone_is_veiled(job: Job) -> None:
    report = protect(replace(job, double="veil"), Options())
    assert report.people[0].veiled == report.frames


def test_the_voice_is_kept_only_with_a_reason(job: Job) -> None:
    with pytest.raises(UsageError, match="--reason"):
        Voice(True)
    protect(replace(job, voice=Voice(True, "she asked for it"), double="veil"), Options())
    info = probe(job.destination)
    assert np.abs(np.concatenate(list(pcm(info, info.audio[0].index)))).max() > 0.1


def test_same_in_same_out(job: Job, tmp_path: Path) -> None:
    protect(job, Options())
    second = replace(job, destination=tmp_path / "again.mp4")
    protect(second, Options())
    assert job.destination.read_bytes() == second.destination.read_bytes()


def test_places_that_are_taken_are_refused(job: Job) -> None:
    with pytest.raises(UsageError, match="same file"):
        protect(replace(job, destination=job.source), Options())
    job.sheet.write_text("mine")
    with pytest.raises(StoreError, match="exists"):
        protect(job, Options())
    assert job.sheet.read_text() == "mine" and not job.destination.exists()


def test_consent_has_to_cover_the_purpose(job: Job) -> None:
    with pytest.raises(ConsentError, match="trailer"):
        protect(replace(job, purpose="trailer"), Options())


def test_a_missing_model_stops_before_anything_is_written(job: Job, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="models install"):
        protect(job, Options(), models=tmp_path / "nowhere")
    assert not job.destination.exists()


def test_an_error_in_one_frame_hides_that_frame(analysis: Analysis, double: Double, tmp_path: Path,
                                                monkeypatch: pytest.MonkeyPatch) -> None:
    real = compose

    def broken(frame: Frame, *rest: object) -> object:
        if frame.index in (7, 8, 30):
            raise MemoryError
        return real(frame, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(render_module, "compose", broken)
    report, _ = render(analysis, tmp_path / "out.mp4", double, Voice(), Options())
    assert report.hidden == (7, 8, 30) and len(report.errors) == 3
    out = list(frames(probe(tmp_path / "out.mp4")))
    assert len(out) == analysis.frames
    assert all(out[i].planes[0].std() < 3 for i in (7, 8, 30))


def test_no_face_anywhere_needs_a_word(job: Job, eyes: Eyes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blind = Eyes(Detectors((lambda picture: [],)), eyes.follower)
    from facedouble.pipeline import protect as module

    monkeypatch.setattr(module, "open_eyes", lambda *_: blind)
    with pytest.raises(NoFaceFound, match="--no-faces"):
        protect(job, Options())
    assert not job.destination.exists()
    report = protect(replace(job, no_faces=True), Options())
    assert not report.people


class Faulty:
    """Detectors and landmarker that see nothing in a span of frames; `frame` is set by the test."""

    def __init__(self, eyes: Eyes, fails: Callable[[int], bool]) -> None:
        self.eyes, self.fails, self.frame = eyes, fails, -1

    def detector(self) -> Detectors:
        def find(picture: Bytes) -> list[tuple[Box, float]]:
            real = self.eyes.detectors.whole + self.eyes.detectors.tiled
            return [] if self.fails(self.frame) else [x for d in real for x in d(picture)]

        return Detectors((find,))

    def follower(self) -> Follower:
        outer, real = self, self.eyes.follower()

        class Half:
            def __call__(self, crop: Bytes) -> Floats | None:
                return None if outer.fails(outer.frame) else real(crop)

            def reset(self) -> None:
                real.reset()

            def close(self) -> None:
                real.close()

        return Half()


@pytest.mark.parametrize("span", [(0, 15), (20, 21), (20, 35), (10, 55), (45, 60)])
def test_bursts_of_blindness_leave_no_bare_frame(analysis: Analysis, eyes: Eyes, span: tuple[int, int], double: Double,
                                                 tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from facedouble.pipeline import analyse as module

    faulty = Faulty(eyes, lambda i: span[0] <= i < span[1])
    real = frames

    def counted(info: object) -> object:
        for frame in real(info):  # type: ignore[arg-type]
            faulty.frame = frame.index
            yield frame

    monkeypatch.setattr(module, "frames", counted)
    broken = analyse(analysis.info, Eyes(faulty.detector(), faulty.follower), Options())
    monkeypatch.undo()
    render(broken, tmp_path / "out.mp4", double, Voice(), Options())
    source, out = list(frames(analysis.info)), list(frames(probe(tmp_path / "out.mp4")))
    truth = analysis.roles[0].track
    for i in range(*span):
        face = truth.at(i)
        assert face is not None
        b = face.box
        box = (int(b.x0 + 0.2 * b.width), int(b.y0 + 0.2 * b.height), int(b.x1 - 0.2 * b.width), int(b.y1 - 0.2 * b.height))
        was, now = crop_rgb(source[i], *box).mean(-1), crop_rgb(out[i], *box).mean(-1)
        likeness = 0.0 if now.std() < 0.01 else abs(correlation(was.ravel(), now.ravel()))
        assert likeness < 0.8, f"frame {i} of {span}: {likeness:.2f}"


def test_what_was_scripted_is_recovered(analysis: Analysis, script: Score) -> None:
    """Guards against regressions of the analysis; whether the engine is good is decided on real clips."""
    fit = analysis.roles[0].fit
    assert fit is not None and len(fit.codes) == len(script.yaw)
    assert correlation(fit.angles[:, 0], script.yaw) > 0.95
    assert correlation(fit.angles[:, 1], script.pitch) > 0.9
    assert correlation(np.array([c.lids.mean() for c in fit.codes]), script.lids) > 0.75
    assert correlation(np.array([c.gaze[[0, 2]].mean() for c in fit.codes]), script.gaze_x) > 0.9
    assert correlation(np.array([c.lips[3:6].mean() for c in fit.codes]), script.gap) > 0.85


def test_the_double_repeats_the_performance(job: Job, analysis: Analysis, eyes: Eyes) -> None:
    protect(job, Options())
    again = analyse(probe(job.destination), eyes, Options())
    a, b = analysis.roles[0].fit, again.roles[0].fit
    assert a is not None and b is not None and len(a.codes) == len(b.codes)
    assert correlation(a.angles[:, 0], b.angles[:, 0]) > 0.95
    gaps = [np.array([c.lips[3:6].mean() for c in f.codes]) for f in (a, b)]
    assert correlation(*gaps) > 0.8  # measured .84: one photo, and a smile that never closes
