"""One double from clips and photos of several cameras."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from facedouble.demo.script import score
from facedouble.demo.witness import animate, portrait_pixels, read_portrait, write_clip
from facedouble.doubles.capture import Material, _plain_skin, equalise, measure
from facedouble.doubles.drawing import Look, face
from facedouble.errors import InputRefused
from facedouble.morphable.semantics import semantics
from facedouble.options import Options
from facedouble.pipeline.analyse import Eyes
from facedouble.pipeline.double import _changed, make_double
from facedouble.types import Array, Bytes, Consent, Double
from tests.conftest import RATE

CONSENT = Consent("public-domain portrait", ("test",), "2000-01-01")
COOL = np.array([0.80, 0.95, 1.0])  # the second camera's white balance, display values


def marks(look: Look, at: float = 0.0, scale: float = 100.0) -> Array:
    return face(look) * scale + [at, at, 0]


def filmed(path: Path, pixels: Bytes, frames: int, eyes: Eyes, louder: float = 1.0) -> Path:
    portrait = read_portrait(pixels, eyes)
    portrait = replace(portrait, gaps=portrait.gaps * 0.6)
    h, w = portrait.picture.shape[:2]
    played = score(frames, float(RATE))
    write_clip(path, animate(portrait, replace(played, gap=played.gap * louder), RATE), w, h, RATE, [])
    return path


@pytest.fixture(scope="module")
def cameras(tmp_path_factory: pytest.TempPathFactory, eyes: Eyes) -> tuple[Path, Path, Path]:
    """The same person filmed twice, the second time smaller, cooler and with a mouth that opens wider, and a photo."""
    folder = tmp_path_factory.mktemp("cameras")
    small = (portrait_pixels("astronaut", 420) * COOL).astype(np.uint8)
    cv2.imwrite(str(folder / "photo.png"), portrait_pixels("astronaut", 600)[..., ::-1])
    return (filmed(folder / "a.mp4", portrait_pixels("astronaut", 600), 40, eyes), filmed(folder / "b.mp4", small, 50, eyes, 3.0),
            folder / "photo.png")


@pytest.fixture(scope="module")
def both(cameras: tuple[Path, Path, Path], eyes: Eyes) -> Double:
    return make_double(cameras, CONSENT, eyes, Options())


def tones(double: Double) -> Array:
    """(K, 3) median skin of each key frame."""
    return np.array([np.median(t.astype(np.float32)[_plain_skin()], 0) for t in double.textures])


def test_clips_and_a_photo_make_one_double_in_one_tone(both: Double, cameras: tuple[Path, Path, Path], eyes: Eyes) -> None:
    assert len(both.textures) >= 4 and both.quality in ("fair", "good")
    spread = np.ptp(tones(both), axis=0)
    assert spread.max() < 0.045 and np.abs(tones(both).mean(0) - 1).max() < 0.01  # 1.03 as the lights alone leave it
    again = make_double(cameras, CONSENT, eyes, Options())
    assert again.id == both.id


def test_the_shape_is_that_of_one_clip_alone(both: Double, cameras: tuple[Path, Path, Path], eyes: Eyes) -> None:
    alone = make_double(cameras[:1], CONSENT, eyes, Options())
    assert np.linalg.norm(both.neutral - alone.neutral, axis=1).mean() < 0.02  # eye distances


def test_a_source_that_will_not_do_is_named(cameras: tuple[Path, Path, Path], eyes: Eyes, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "wall.png"), np.full((300, 300, 3), 128, np.uint8))
    with pytest.raises(InputRefused, match=r"wall\.png: no face"):
        make_double([cameras[2], tmp_path / "wall.png"], CONSENT, eyes, Options())
    with pytest.raises(InputRefused, match="nothing"):
        make_double([], CONSENT, eyes, Options())


def test_key_frames_come_from_every_clip() -> None:
    """A cut between clips is no motion, and a camera that looks up at the face is level for its own clip."""
    first = [marks(Look(gap=g)) for g in np.linspace(0, 0.3, 12)]
    second = [marks(Look(brows=b, lids=(1 - b, 1 - b)), at=900, scale=150) for b in np.linspace(0, 0.12, 12)]
    origin = np.repeat([0, 1], 12)
    chosen = measure(Material(np.stack(first + second), True, origin))
    assert {int(origin[k]) for k in chosen.frames} == {0, 1}
    assert chosen.coverage["mouth wide open"] and chosen.coverage["brows up"]


def test_the_first_camera_comes_before_another_that_shows_the_same() -> None:
    talk = [marks(Look(gap=g)) for g in np.linspace(0, 0.35, 16)]
    again = [marks(Look(gap=g), at=400) for g in np.linspace(0.01, 0.36, 16)]
    chosen = measure(Material(np.stack(talk + again), True, np.repeat([0, 1], 16)))
    assert sum(k >= 16 for k in chosen.frames) <= 1 < len(chosen.frames)


def test_a_tilted_camera_is_level_for_its_own_clip() -> None:
    still = np.stack([marks(Look())] * 20)
    a = np.radians(25)
    tilt = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    talk = np.stack([marks(Look(gap=g)) @ tilt.T for g in np.linspace(0, 0.3, 8)])
    both = np.concatenate([still, talk])
    apart = measure(Material(both, True, np.repeat([0, 1], [20, 8])))
    mixed = measure(Material(both, True))
    assert max(apart.frames) >= 20 > max(mixed.frames)


def test_the_neutral_face_comes_from_the_clip_that_has_one() -> None:
    speaking = [marks(Look(gap=g, width=1.1)) for g in np.linspace(0.1, 0.3, 30)]
    resting = [marks(Look(), at=500)] * 30
    chosen = measure(Material(np.stack(speaking + resting), True, np.repeat([0, 1], 30)))
    assert float(semantics(chosen.neutral[None]).gap[0]) < 0.01
    assert all(k >= 0 for k in chosen.frames)


def test_origins_have_to_fit() -> None:
    with pytest.raises(ValueError, match="origin"):
        Material(np.stack([marks(Look())] * 3), True, np.zeros(2))
    groups = Material(np.stack([marks(Look())] * 4), True, np.array([0, -1, 0, 2])).groups()
    assert [(ids.tolist(), moving) for ids, moving in groups] == [([1], False), ([0, 2], True), ([3], True)]


def test_passed_frames_do_not_make_a_face_fast() -> None:
    """Two steps of a still enough face in one are no faster; without the passed frames known they would be."""
    looks = np.stack([marks(Look(gap=g), at=k * 20) for k, g in enumerate(np.linspace(0, 0.3, 12))])
    assert len(measure(Material(looks, True, None, np.arange(12) * 3)).frames) > len(measure(Material(looks, True)).frames)
    with pytest.raises(ValueError, match="time"):
        Material(looks, True, None, np.zeros(3))


def test_a_blink_or_a_word_between_two_looks_is_looked_at() -> None:
    rest = marks(Look())
    assert not _changed(rest, rest + np.array([5, 3, 0])) and not _changed(rest, rest * 1.5)
    assert _changed(rest, marks(Look(gap=0.2))) and _changed(rest, marks(Look(lids=(0.2, 0.2))))


def test_tone_is_evened_between_cameras_and_kept_within() -> None:
    rng = np.random.default_rng(3)
    skin = 1 + 0.1 * rng.standard_normal((*_plain_skin().shape, 3)).astype(np.float32)
    gain = np.array([1.3, 1.0, 0.7], np.float32)
    made = equalise([skin, skin * 1.1, skin * gain], [0, 0, 1])
    tone = [np.median(t[_plain_skin()], 0) for t in made]
    assert np.allclose(tone[2], 1, atol=0.01) and np.allclose(tone[1] / tone[0], 1.1, atol=0.01)
    assert np.allclose((tone[0] + tone[1]) / 2, 1, atol=0.02)
    alone = [skin * gain]
    assert equalise(alone, [5]) is alone
