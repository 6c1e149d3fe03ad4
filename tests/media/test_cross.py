"""A finished film as FFmpeg sees it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from facedouble.errors import InputRefused
from facedouble.media.cross import idle, reading, sounds, tags, times
from facedouble.media.decode import frames
from facedouble.media.probe import probe
from tests.media.make import clip

CONFIG = bytes.fromhex("1408")  # AAC, 16 kHz, one channel
SILENCE = bytes.fromhex("01402280a3")  # not a whole frame: whatever it is, nothing may break


def test_counts_and_tags_are_as_they_were_written(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4", frames=10, audio=[(16000, 0.4, 0.0)], tags={"title": "Kitchen"})
    seen, bare = reading(path), reading(path, edits=False, decode=False)
    video, sound = seen.streams
    assert (video.kind, video.codec, video.size) == ("video", "h264", (96, 64))
    assert (video.packets, video.frames, video.hidden) == (10, 10, 0)
    assert (sound.kind, sound.rate, sound.channels, sound.hidden) == ("audio", 16000, 1, 1)
    assert [s.packets for s in bare.streams] == [s.packets for s in seen.streams]
    assert ("file", "title", "Kitchen") in seen.tags and seen.tags == tags(path)


UNEVEN = [0, 40, 90, 91, 200, 240, 280, 500, 501, 502, 600, 1000]


@pytest.mark.parametrize("case", [{}, {"pts": UNEVEN, "base": Fraction(1, 1000)}, {"frames": 1}, {"options": {"bf": "0"}}])
def test_times_of_packets_are_those_of_frames(case: dict[str, object], tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4", **case)  # type: ignore[arg-type]
    decoded = [f.ticks for f in frames(probe(path))]
    assert times(path).tolist() == times(path, exact=True).tolist() == decoded


def test_sounds_are_counted(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4", audio=[(16000, 0.5, 0.0), (44100, 0.3, 0.1)])
    assert [(rate, channels) for rate, channels, *_ in sounds(path)] == [(16000, 1), (44100, 1)]
    assert sounds(path)[0][2] == 8000


def test_what_is_no_film_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_text("no film")
    for look in (reading, tags, times):
        with pytest.raises(InputRefused, match=r"a\.mp4"):
            look(tmp_path / "a.mp4")


def test_samples_that_are_no_sound_do_no_harm() -> None:
    rng = np.random.default_rng(0)
    assert idle([], CONFIG) == []
    assert all(k < 50 for k in idle([rng.bytes(int(rng.integers(1, 40))) for _ in range(50)], CONFIG))
    idle([SILENCE, b"\0", b"\0\0\0", b""], CONFIG)
    idle([SILENCE], b"")
