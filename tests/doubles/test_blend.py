"""Composite doubles: mean shape and tone, detail of one parent per region, everybody's consent."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from facedouble.doubles.blend import REGIONS, blend, joint_consent, owners, regions
from facedouble.doubles.file import identity, read_double, write_double
from facedouble.doubles.mannequin import mannequin
from facedouble.errors import ConsentError, InputRefused
from facedouble.morphable.topology import topology
from facedouble.types import Array, Consent, Double


@cache
def other() -> Double:
    """A second nobody: the mannequin wider, two key frames only, with stripes for detail and a darker tone."""
    m = mannequin()
    stripes = np.where(np.arange(m.textures.shape[1]) // 3 % 2, 1.1, 0.9)[:, None, None]
    textures = (m.textures[:2].astype(np.float32) * stripes * 0.9).astype(np.float16)
    made = replace(m, neutral=m.neutral * np.array([1.1, 1, 1], np.float32), textures=textures, features=m.features[:2],
                   coverage={"neutral": True}, consent=Consent("ana", ("test", "film"), "2026-02-01", "2030-01-01", "by letter"))
    return replace(made, id=identity(made))


def ripple(texture: Array, share: Array) -> float:
    """How striped the plain part of a region is."""
    log = np.log(np.maximum(texture.astype(float), 0.01)).mean(-1)
    rows = log[3:-3] - (log[6:] + log[:-6]) / 2
    return float(np.median(np.abs(rows[share[3:-3] > 0.95])))


def test_regions_share_the_atlas() -> None:
    shares = regions()
    assert np.allclose(shares.sum(0), 1, atol=1e-5) and shares.min() >= 0
    t = topology()
    for name, vertex in (("mouth", 16), ("eyes", 159), ("brows", 52), ("nose", 4), ("skin", 50)):
        x, y = np.round(t.atlas[vertex]).astype(int)
        assert shares[REGIONS.index(name), y, x] > 0.9, name


def test_shape_and_tone_are_means_and_the_id_follows_the_content() -> None:
    made = blend([mannequin(), other()])
    assert made.id == identity(made) == blend([mannequin(), other()]).id
    assert made.id not in (mannequin().id, other().id) and made.id != blend([mannequin(), other()], [3, 1]).id
    assert np.allclose(made.neutral, (mannequin().neutral + other().neutral) / 2, atol=1e-5)
    heavy = blend([mannequin(), other()], [3, 1])
    assert np.allclose(heavy.neutral, 0.75 * mannequin().neutral + 0.25 * other().neutral, atol=1e-5)
    x, y = np.round(topology().atlas[50]).astype(int)
    patch = np.s_[0, y - 20 : y + 20, x - 20 : x + 20]
    tones = [float(np.log(d.textures[patch].astype(float)).mean()) for d in (mannequin(), other(), made)]
    assert tones[2] == pytest.approx((tones[0] + tones[1]) / 2, abs=0.015)
    assert np.isfinite(made.textures).all() and made.textures.min() >= 0 and made.textures.max() <= 6
    assert len(made.textures) == len(made.features) <= 14 and (np.diff(made.lip_response, axis=0) > 0).all()


def test_detail_comes_from_one_parent_in_each_region() -> None:
    """An average would show stripes of half the height everywhere; here they are whole or absent."""
    made, own = blend([mannequin(), other()]), owners([mannequin(), other()])
    assert set(own) == {0, 1}
    for region in ("skin", "nose"):
        r = REGIONS.index(region)
        plain, striped, mixed = (ripple(d.textures[0], regions()[r]) for d in (mannequin(), other(), made))
        assert striped > 4 * plain
        assert mixed == pytest.approx((plain, striped)[own[r]], rel=0.15), region


def test_expressions_of_both_are_kept() -> None:
    made = blend([mannequin(), other()])
    gaps, apertures = made.features[:, 0], made.features[:, 4]
    assert gaps.max() > 0.3 and apertures.min() < 0.05 and apertures.max() > 0.2 and gaps.min() < 0.02


def test_a_blend_comes_back_whole_and_can_be_blended(tmp_path: Path) -> None:
    made = blend([mannequin(), other()])
    write_double(made, tmp_path / "nobody.fdouble")
    again = read_double(tmp_path / "nobody.fdouble")
    assert again.id == made.id and again.consent == made.consent
    third = blend([again, other()])
    assert "ana" in third.consent.who and made.id in third.consent.note


def test_the_weakest_parent_counts() -> None:
    good = replace(mannequin(), quality="good", coverage={"neutral": True, "nod": True})
    made = blend([good, other()])
    assert made.quality == "basic" and made.coverage == {"neutral": True, "nod": False}


def test_all_consents_are_carried_along() -> None:
    consent = joint_consent([mannequin(), other()])
    assert consent.who == "mannequin + ana" and consent.scope == ("film", "test")
    assert (consent.date, consent.until) == ("2026-02-01", "2030-01-01")
    assert mannequin().id in consent.note and other().id in consent.note and "by letter" in consent.note
    earlier = replace(other(), id="x", consent=replace(other().consent, who="ben", until="2027-01-01"))
    assert joint_consent([other(), earlier]).until == "2027-01-01"


def test_no_common_use_is_refused() -> None:
    stills = replace(other(), id="x", consent=Consent("ben", ("stills",), "2026-01-01"))
    with pytest.raises(ConsentError, match="did not agree to one common use"):
        blend([other(), stills])


@pytest.mark.parametrize("weights", [[1], [1, 0], [1, -1], [1, float("nan")], [1, 1, 1]])
def test_bad_weights_are_refused(weights: list[float]) -> None:
    with pytest.raises(InputRefused, match="weight"):
        blend([mannequin(), other()], weights)


def test_one_face_is_no_blend() -> None:
    for doubles in ([], [mannequin()], [mannequin(), mannequin()], [mannequin(), other(), other()]):
        with pytest.raises(InputRefused, match="at least two"):
            blend(doubles)
