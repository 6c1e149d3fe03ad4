"""What somebody is shown before they say yes: their scenes with all that is seen, heard and read there, and a mark."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from facedouble.errors import UsageError
from facedouble.media.decode import frames, packet_times
from facedouble.media.encode import Writer
from facedouble.media.probe import probe
from facedouble.media.sound import pcm
from facedouble.options import EncodeOptions
from facedouble.pipeline.pack import Written, write_pack
from facedouble.store.renders import Scene
from facedouble.types import Array, Colour, Floats, Frame, MediaInfo
from facedouble.voice.subtitles import Cue
from tests.audit.sounds import voice
from tests.media.make import safe, scene

HIGH, WIDE, RATE = 240, 320, 16000
SCENES = (Scene(1, 0, 10, "a" * 64), Scene(2, 10, 20, "b" * 64))
MARK = Written("pk-1")


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty pictures in four seconds, the first of them a second after the sound begins."""
    path = tmp_path_factory.mktemp("pack") / "a.mp4"
    info = MediaInfo("made", "mp4", WIDE, HIGH, None, Fraction(5), Fraction(1, 5), Fraction(1), None, 0, Fraction(1), Colour(),
                     "yuv420p", 8, (), (), ())
    with Writer(path, info, EncodeOptions(), [(RATE, 1, Fraction(0), iter([voice(1, 120.0)[:, None]]))]) as writer:
        for i in range(20):
            flat = cv2.cvtColor(scene(i, WIDE, HIGH), cv2.COLOR_RGB2YUV_I420).reshape(-1)
            y, u, v = np.split(flat, (HIGH * WIDE, HIGH * WIDE * 5 // 4))
            planes = y.reshape(HIGH, WIDE), u.reshape(HIGH // 2, -1), v.reshape(HIGH // 2, -1)
            writer.add(safe(Frame(i, 5 + i, 1, Fraction(1, 5), planes, "yuv420p", Colour())))
    return path


def packed(film: Path, over: Written, *scenes: Scene) -> Path:
    out = film.with_name("pack.mp4")
    out.unlink(missing_ok=True)
    assert write_pack(film, scenes, over, out, EncodeOptions()) == sum(s.stop - s.start for s in scenes)
    return out


def pictures(path: Path) -> list[Array]:
    return [np.array(frame.planes[0], np.int16) for frame in frames(probe(path))]


def read_in(film: Path, words: tuple[Cue, ...], *scenes: Scene) -> list[int]:
    """The pictures of a pack, counted from 0, over which something is read."""
    plain, told = (pictures(packed(film, over, *scenes)) for over in (MARK, replace(MARK, words=words)))
    return [k for k, (a, b) in enumerate(zip(plain, told, strict=True)) if np.abs(a - b)[HIGH // 2:].max() > 60]


@pytest.mark.parametrize(("cue", "scenes", "over"), [
    ((400, 1000), SCENES, [2, 3, 4]), ((1900, 2300), SCENES, [9, 10, 11]), ((1900, 2300), SCENES[1:], [0, 1]),
    ((1900, 2300), SCENES[:1], [9]), ((2000, 2600), SCENES[:1], []),
    ((450, 455), SCENES, [2]), ((0, 0), SCENES, [0]), ((2000, 2000), SCENES, [10]), ((9000, 9900), SCENES, [19])])
def test_what_is_read_in_a_scene_is_read_in_its_pack(film: Path, cue: tuple[int, int], scenes: tuple[Scene, ...],
                                                     over: list[int]) -> None:
    """Counted from the first picture; be it as short as it may, or after the last one."""
    assert read_in(film, (Cue(*cue, "They came at night."),), *scenes) == over


def test_two_at_once_are_both_read(film: Path) -> None:
    one, two = Cue(0, 400, "They came at night."), Cue(0, 400, "Be quiet!")
    alone, both = (pictures(packed(film, replace(MARK, words=words), *SCENES))[0] for words in ((one,), (one, two)))
    assert np.abs(alone - both).max() > 60


@pytest.mark.parametrize(("text", "word"), [("\u1019\u103c\u1014\u103a\u1019\u102c", "scene 2.*name a font"),
                                            ("They came at night. " * 200, "scene 2.*too long")])
def test_what_cannot_be_drawn_is_refused_and_not_left_out(film: Path, text: str, word: str) -> None:
    words = (Cue(2100, 2500, text),)
    with pytest.raises(UsageError, match=word):
        packed(film, replace(MARK, words=words), *SCENES)
    assert not film.with_name("pack.mp4").exists()
    packed(film, replace(MARK, words=words), SCENES[0])  # of another scene


def test_a_pack_has_the_sound_from_before_the_first_picture(film: Path) -> None:
    """It is of the first scene, by whose hash people say yes to it; and picture and sound stay together."""
    def heard(path: Path) -> Floats:
        info = probe(path)
        return np.concatenate([block[:, 0] for block in pcm(info, info.audio[0].index)])

    def shown(path: Path) -> Fraction:
        return packet_times(probe(path))[0] * probe(path).time_base

    out = packed(film, MARK, *SCENES)
    assert shown(film) == shown(out) == 1
    a, b = (heard(path)[:4 * RATE] for path in (film, out))
    assert np.corrcoef(a, b)[0, 1] > 0.9
    second = packed(film, MARK, SCENES[1])
    assert shown(second) == 0
    a, b = heard(film)[3 * RATE:5 * RATE], heard(second)[:2 * RATE]
    assert np.corrcoef(a, b)[0, 1] > 0.9
