"""What is seen and heard, as one number a scene: it holds through another container, and through nothing else."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from facedouble.pipeline.contents import contents
from tests.audit.sounds import film, voice

WORDS = "1\n00:00:02,200 --> 00:00:02,800\nShe said nothing.\n"


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film(tmp_path_factory.mktemp("contents") / "a.mp4", [voice(1, 120.0)[:, None]])


def test_a_scene_has_one_number_whatever_lies_around_it(clip: Path, tmp_path: Path) -> None:
    told = contents(clip, [10, 20])
    assert told.borders == (0, 10, 20, 25) and len(set(told.scenes)) == 3
    other = tmp_path / "b.mp4"
    with av.open(str(clip)) as source, av.open(str(other), "w") as box:
        box.metadata["title"] = "another"
        streams = {s.index: box.add_stream_from_template(s) for s in source.streams}
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                box.mux(packet)
    assert other.read_bytes() != clip.read_bytes()
    assert contents(other, [10, 20]) == told


def test_where_the_borders_are_decides_what_belongs_together(clip: Path) -> None:
    whole, parts = contents(clip, []), contents(clip, [10])
    assert whole.borders == (0, 25) and whole.whole != parts.whole
    assert contents(clip, [10, 0]) == parts


def test_one_sample_changes_its_scene_and_no_other(clip: Path, tmp_path: Path) -> None:
    sound = voice(1, 120.0)
    sound[16000 * 3:16000 * 3 + 160] += 0.1 * np.hanning(160).astype(np.float32)  # in the 15th of 25 frames
    changed = contents(film(tmp_path / "b.mp4", [sound[:, None]]), [10, 20]).scenes
    before = contents(clip, [10, 20]).scenes
    assert [a == b for a, b in zip(before, changed, strict=True)] == [True, False, True]


def test_words_belong_to_the_scenes_in_which_they_are_read(clip: Path) -> None:
    before = contents(clip, [10, 20])
    read = contents(clip, [10, 20], WORDS.encode())
    changed = contents(clip, [10, 20], WORDS.replace("nothing", "everything").encode())
    assert [a == b for a, b in zip(before.scenes, read.scenes, strict=True)] == [True, False, True]
    assert (before.worded, read.worded) == ((), (2,))
    assert read.scenes[1] != changed.scenes[1] and read.scenes[2] == changed.scenes[2]


@pytest.mark.parametrize(("at", "scene"), [("00:00:00,000", 0), ("00:00:02,000", 1), ("00:00:03,000", 1), ("00:00:04,000", 2),
                                           ("00:00:09,000", 2)])
def test_words_that_are_shown_for_no_time_belong_to_a_scene(at: str, scene: int, clip: Path) -> None:
    """They go out with the others: at the first moment, at the border of scenes, after the end."""
    before = contents(clip, [10, 20], WORDS.encode())
    more = contents(clip, [10, 20], f"{WORDS}\n2\n{at} --> {at}\nShe is from Grozny.\n".encode())
    assert [k for k, (a, b) in enumerate(zip(before.scenes, more.scenes, strict=True)) if a != b] == [scene]


def test_a_text_cannot_pass_for_another_cue(clip: Path) -> None:
    one = "1\n00:00:00,100 --> 00:00:01,000\nyeswords 200 300 no\n"
    two = "1\n00:00:00,100 --> 00:00:01,000\nyes\n\n2\n00:00:00,200 --> 00:00:00,300\nno\n"
    assert contents(clip, [], one.encode()).whole != contents(clip, [], two.encode()).whole
