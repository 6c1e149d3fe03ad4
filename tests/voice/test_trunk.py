"""Content drawn towards common sounds, from made-up numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from facedouble.types import Floats
from facedouble.voice.trunk import DRAWN, KNOWN_UNITS, NEAREST, OUTPUTS, SOFT, Trunk

WIDTH = 6
RNG = np.random.default_rng(7)
SOUNDS = RNG.normal(0, 3, (40, WIDTH)).astype(np.float32)


def silent(code: Floats, voice: Floats) -> tuple[Floats, Floats]:
    raise AssertionError("nothing is said here")


def trunk(sounds: Floats = SOUNDS) -> Trunk:
    """One that takes content as it is."""
    none, one = np.zeros(WIDTH, np.float32), np.ones(OUTPUTS, np.float32)
    return Trunk(silent, none, np.eye(WIDTH, dtype=np.float32), sounds, none, np.eye(WIDTH, dtype=np.float32), one, one)


def test_content_is_drawn_to_the_nearest_sounds() -> None:
    content = RNG.normal(0, 3, (600, WIDTH)).astype(np.float32)
    own = content - content.sum(0) / (len(content) + KNOWN_UNITS)
    wanted = []
    for unit in own:  # the slow, obvious way
        far = ((SOUNDS - unit) ** 2).mean(1)
        near = np.argsort(far)[:NEAREST]
        weights = np.exp((far.min() - far[near]) / SOFT)
        wanted.append((1 - DRAWN) * unit + DRAWN * weights @ SOUNDS[near] / weights.sum())
    np.testing.assert_allclose(trunk().reduced(content), wanted, atol=1e-4)


def test_two_colours_of_a_sound_come_nearer_to_each_other() -> None:
    places = 10 * SOUNDS
    said = places[RNG.integers(0, len(places), 300)]
    one, other = (trunk(places).reduced((said + RNG.normal(0, 0.3, said.shape)).astype(np.float32)) for _ in range(2))
    apart = np.abs(one - other).mean()
    assert apart < 0.6 * 0.3 * np.sqrt(4 / np.pi)  # the mean difference of two normal numbers with that spread


@pytest.mark.parametrize("units", [0, 1, 256, 257])
def test_any_number_of_units(units: int) -> None:
    made = trunk().reduced(np.ones((units, WIDTH), np.float32))
    assert made.shape == (units, WIDTH) and made.dtype == np.float32 and np.isfinite(made).all()


def test_sounds_that_do_not_fit_are_refused() -> None:
    for sounds in (SOUNDS[:, 1:], SOUNDS[:NEAREST - 1]):
        with pytest.raises(ValueError, match="sounds do not fit"):
            replace(trunk(), sounds=sounds)
