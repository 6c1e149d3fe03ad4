"""Several doubles -> a composite that belongs to none of them.

Shape and tone are the weighted mean. Detail is never averaged, because averaged brows are double brows: each region of the face
takes its detail from one parent, different regions from different parents. All textures live in one atlas, so they are aligned.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import cv2
import numpy as np

from facedouble.consent import SCOPES
from facedouble.doubles.capture import KEY_FRAMES
from facedouble.doubles.file import identity
from facedouble.errors import ConsentError, InputRefused
from facedouble.morphable import layout
from facedouble.morphable.semantics import FEATURE_STEPS, semantics
from facedouble.morphable.topology import ATLAS_HEIGHT, ATLAS_WIDTH, topology
from facedouble.raster import blur, enlarge, shrink
from facedouble.types import Array, Consent, Double, Floats

QUALITIES = ("basic", "fair", "good")
REGIONS = ("mouth", "eyes", "brows", "nose", "skin")
MOUTH, EYES = REGIONS.index("mouth"), REGIONS.index("eyes")
REACH = {"mouth": 24.0, "eyes": 17.0, "brows": 10.0, "nose": 15.0}  # px of the atlas over which a region ends
SKIN = 0.35  # a region ends where its weight falls below this
BANDS = (24.0, 6.0, 1.5)  # px: below the first is tone; region borders are as soft as the band they cut
NOSE = [6, 197, 195, 5, 4, 1, 2, 122, 351, 129, 358, 98, 327, 48, 278, 64, 294]
DARKEST = 0.01  # relative albedo
UNLIKE = 0.5  # log units from mean skin: a tone as far off is hair or a shadow, and counts less
COLUMNS = {"mouth": [0, 1, 2, 3], "eyes": [4, 5, 6, 7], "brows": [4, 5, 6, 7], "nose": list(range(8)), "skin": list(range(8))}


def _hull(ids: list[int]) -> Array:
    mask = np.zeros((ATLAS_HEIGHT, ATLAS_WIDTH), np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(np.round(topology().atlas[ids]).astype(np.int32)), 1)
    return mask


@cache
def regions() -> Floats:
    """(5, h, w) share of each region in the atlas; they sum to 1."""
    hulls = {"mouth": [layout.UPPER_OUTER_LIP + layout.LOWER_OUTER_LIP],
             "eyes": [layout.RIGHT_UPPER_LID + layout.RIGHT_LOWER_LID, layout.LEFT_UPPER_LID + layout.LEFT_LOWER_LID],
             "brows": [layout.RIGHT_BROW, layout.LEFT_BROW], "nose": [NOSE]}
    weights = []
    for name, groups in hulls.items():
        covered = np.max([_hull(ids) for ids in groups], 0)
        away = cv2.distanceTransform(1 - covered, cv2.DIST_L2, 5)
        weights.append(np.exp(-((away / REACH[name]) ** 2)))
    sharp = np.stack([*weights, np.full_like(weights[0], SKIN)]) ** 4
    shares: Floats = (sharp / sharp.sum(0)).astype(np.float32)
    return shares


@cache
def _mouth_hole() -> Floats:
    """(h, w, 1) 1 inside the lips: teeth are nobody's mean."""
    mask = np.zeros((ATLAS_HEIGHT, ATLAS_WIDTH), np.uint8)
    rim = topology().atlas[layout.UPPER_INNER_LIP + layout.LOWER_INNER_LIP[::-1]]
    cv2.fillPoly(mask, [np.round(rim).astype(np.int32)], 1)
    return blur(cv2.dilate(mask, np.ones((5, 5), np.uint8)), 1.5)[..., None]


@cache
def _masks() -> list[list[Floats]]:
    """For each band of detail, (h, w, 1) of each region, with borders as soft as the band is coarse."""
    return [[blur(share, sigma)[..., None] for share in regions()] for sigma in (*BANDS[1:], 1.0)]


def _tone(log_albedo: Floats) -> Floats:
    """The coarsest band, made at a quarter of the size."""
    h, w = log_albedo.shape[:2]
    return enlarge(blur(shrink(log_albedo, (w // 4, h // 4)), BANDS[0] / 4), (w, h))


def _bands(texture: Array) -> list[Floats]:
    """Log albedo (h, w, 3) split into tone and finer and finer detail; they sum to the whole."""
    left = np.log(np.maximum(texture.astype(np.float32), DARKEST))
    bands = [_tone(left)]
    left = left - bands[0]
    for sigma in BANDS[1:]:
        bands.append(blur(left, sigma))
        left = left - bands[-1]
    return [*bands, left]


def _shares(count: int, weights: Sequence[float] | None) -> Array:
    given = np.ones(count) if weights is None else np.array(weights, np.float64)
    if len(given) != count or not np.isfinite(given).all() or (given <= 0).any():
        raise InputRefused("give one weight above zero for each double, or none at all")
    shares: Array = given / given.sum()
    return shares


def _unevenness(double: Double) -> float:
    """How much the skin of the first key frame varies: hair over the temples and hard shadows count most."""
    skin = regions()[REGIONS.index("skin")] > 0.9
    return float(_tone(np.log(np.maximum(double.textures[0].astype(np.float32), DARKEST)))[skin].std())


def owners(doubles: Sequence[Double]) -> tuple[int, ...]:
    """Which parent gives the detail of each region: skin the evenest, the rest in turn, the best and most key frames first."""
    order = sorted(range(len(doubles)), key=lambda p: (-QUALITIES.index(doubles[p].quality), -len(doubles[p].features), p))
    in_turn = [order[r % len(order)] for r in range(len(REGIONS) - 1)]
    return (*in_turn, min(range(len(doubles)), key=lambda p: (round(_unevenness(doubles[p]), 3), p)))


def _departures(double: Double) -> Array:
    """(K, 8) key-frame features less those of the neutral, in feature steps."""
    rest = semantics(double.neutral[None].astype(np.float64)).features()[0]
    steps: Array = (double.features - rest) / FEATURE_STEPS
    return steps


def _nearest(wanted: Array, held: Array, region: str) -> int:
    columns = COLUMNS[region]
    return int(np.argmin(((held[:, columns] - wanted[columns]) ** 2).sum(1)))


def _expressions(held: list[Array], own: tuple[int, ...]) -> Array:
    """(K, 8) departures to make key frames for: what the owners of mouth and eyes have, the farthest apart first."""
    mouth, eyes = held[own[MOUTH]], held[own[EYES]]
    found = [np.concatenate([m[:4], eyes[_nearest(m, eyes, "eyes")][4:]]) for m in mouth]
    found += [np.concatenate([mouth[_nearest(e, mouth, "mouth")][:4], e[4:]]) for e in eyes]
    pool = np.stack(found)
    chosen = [int(np.argmin((pool**2).sum(1)))]
    far = ((pool - pool[chosen[0]]) ** 2).sum(1)
    while len(chosen) < KEY_FRAMES and far.max() > 1e-6:
        chosen.append(int(np.argmax(far)))
        far = np.minimum(far, ((pool - pool[chosen[-1]]) ** 2).sum(1))
    spread: Array = pool[chosen]
    return spread


def _texture(doubles: Sequence[Double], shares: Array, own: tuple[int, ...], held: list[Array], wanted: Array) -> Array:
    """(h, w, 3) float16: tone of all parents, detail by region, the mouth's inside whole from one."""
    cut: dict[tuple[int, int], list[Floats]] = {}

    def bands(parent: int, key: int) -> list[Floats]:
        if (parent, key) not in cut:
            cut[parent, key] = _bands(doubles[parent].textures[key])
        return cut[parent, key]

    tones = np.stack([bands(p, _nearest(wanted, held[p], "skin"))[0] for p in range(len(doubles))])
    unlike = (tones.mean(-1, keepdims=True) / UNLIKE) ** 2 * _tone(regions()[-1])[..., None]  # lids and brows may be dark
    trust = shares[:, None, None, None] * (np.exp(-unlike) + 1e-3)
    total = (trust * tones).sum(0) / trust.sum(0)
    of_region = [(p, _nearest(wanted, held[p], name)) for p, name in zip(own, REGIONS, strict=True)]
    for n, masks in enumerate(_masks(), 1):
        for mask, (p, key) in zip(masks, of_region, strict=True):
            total = total + mask * bands(p, key)[n]
    p, key = of_region[MOUTH]
    hole = _mouth_hole()
    mixed: Array = np.exp(total) * (1 - hole) + doubles[p].textures[key].astype(np.float32) * hole
    return np.clip(mixed, 0, 6).astype(np.float16)


def _lip_response(doubles: Sequence[Double], shares: Array, own: tuple[int, ...]) -> Floats:
    """(n, 2) mean of the measured responses, at the lip gaps drawn for the owner of the mouth."""
    drawn = doubles[own[MOUTH]].lip_response[:, 0].astype(np.float64)
    measured = sum(share * np.interp(drawn, d.lip_response[:, 0], d.lip_response[:, 1])
                   for d, share in zip(doubles, shares, strict=True))
    made: Floats = np.stack([drawn, np.asarray(measured)], 1).astype(np.float32)
    return made


def joint_consent(doubles: Sequence[Double]) -> Consent:
    """What all parents agreed to; ConsentError if that is nothing."""
    held = [d.consent for d in doubles]
    scope = tuple(s for s in SCOPES if all(s in c.scope for c in held))
    if not scope:
        raise ConsentError("the volunteers of these doubles did not agree to one common use; "
                           "blend doubles whose consents share at least one scope")
    ends = [c.until for c in held if c.until is not None]
    note = "; ".join([f"blend of {', '.join(d.id for d in doubles)}", *(f"{c.who}: {c.note}" for c in held if c.note)])
    return Consent(" + ".join(dict.fromkeys(c.who for c in held)), scope, max(c.date for c in held),
                   min(ends) if ends else None, note)


def blend(doubles: Sequence[Double], weights: Sequence[float] | None = None) -> Double:
    """Mix two or more doubles.

    Parameters
    ----------
    weights : share of each parent in shape, tone and eyes; they need not sum to 1

    Raises
    ------
    InputRefused : fewer than two different doubles, or weights that do not fit
    ConsentError : the parents' consents have no scope in common
    """
    if len({d.id for d in doubles}) < max(2, len(doubles)):
        raise InputRefused("a blend needs at least two doubles, all different; give two or more .fdouble files")
    if len({d.textures.shape[1:] for d in doubles}) != 1:
        raise InputRefused("these doubles have atlases of different sizes; make them again with one version of facedouble")
    shares, own, consent = _shares(len(doubles), weights), owners(doubles), joint_consent(doubles)

    def mean(arrays: Sequence[Array]) -> Floats:
        total: Array = np.tensordot(shares, np.stack(arrays).astype(np.float64), 1)
        return total.astype(np.float32)

    held = [_departures(d) for d in doubles]
    wanted = _expressions(held, own)
    neutral = mean([d.neutral for d in doubles])
    rest = semantics(neutral[None].astype(np.float64)).features()[0]
    features = rest + wanted * FEATURE_STEPS
    features[:, [0, 4, 5]] = np.maximum(features[:, [0, 4, 5]], 0)  # gaps and apertures
    textures = np.stack([_texture(doubles, shares, own, held, w) for w in wanted])
    quality = QUALITIES[min(QUALITIES.index(d.quality) for d in doubles)]
    coverage = {k: all(d.coverage.get(k, False) for d in doubles) for k in sorted({k for d in doubles for k in d.coverage})}
    parts = (neutral, textures, features.astype(np.float32), mean([d.iris for d in doubles]),
             mean([d.gaze_middle for d in doubles]), _lip_response(doubles, shares, own))
    unnamed = Double("", *parts, quality, coverage, consent)
    return Double(identity(unnamed), *parts, quality, coverage, consent)
