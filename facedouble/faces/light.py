"""Fit the light code of one face: robust spherical harmonics on plain skin, and a coarse luminance residual."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

from facedouble.morphable.light import DARKEST, SH_FLOATS, harmonics, irradiance
from facedouble.morphable.topology import light_weights, topology, vertex_normals
from facedouble.raster import blur, linear, sample, shrink
from facedouble.types import Array, Floats

RIDGE = 0.004
FACE_SIDE = 110.0  # px: the face is measured at this width; pores and moles are below its resolution
ROUNDS = 6  # of Tukey's biweight
LEAST_TRUST = 0.3  # cosine to the camera of skin that counts where a beard or shine is looked for
FLATTER = 0.02  # ridge of the light that is fitted to the upper face alone
BEARD, SURELY = 0.70, 0.20  # log units under the light of the upper face: a beard from there on, and wholly that much further
HAIR = 0.40  # log units so: hair of that beard wholly
GLOSS = 14  # exponent of the highlights that are looked for
PALER, SHINY = 0.15, 0.25  # of the variance of the hue, explained by highlights alone: shine from there on, and wholly there
HARDLY_SEEN, DARK = 0.2, 0.25  # cosine to the camera, and share of the usual light, under which the hue tells nothing
MATT = (0.05, 0.40)  # quantiles of the share of blue between which skin has no shine
GREY = 0.28  # share of blue from which skin is too grey for its shine to be paler
MOST_SHINE, LEAST_LEFT = 0.9, 0.03  # of the light of a sample, and of each of its colours
DOUBT = 4  # power of what is left of a sample without its shine: so much less it counts
FAINT = 1e-3  # ridge of the highlights, and of the light that is moved from the relief to the first order
RELIEF = 0.5  # share of the second order and of the residual that goes over to a double


@cache
def _plain() -> Array:
    """(m, 3) triangles of plain skin."""
    t = topology()
    plain: Array = t.skin[np.isin(t.skin, t.skin_points).all(1)]
    return plain


@cache
def _knots() -> Array:
    """(n, 42) weights of the residual grid's knots at the samples of `fit_light`."""
    t = topology()
    return light_weights(np.concatenate([t.uv[t.skin_points], t.uv[_plain()].mean(1)]))


@cache
def _bytes() -> Floats:
    """(256,) linear light of 8 bits."""
    return linear(np.arange(256) / np.float32(255))


def fit_light(crop: Array, marks: Array) -> Floats:
    """The 69 numbers of the light on a face.

    Parameters
    ----------
    crop : (h, w, 3) display-referred RGB around the face, float32 in [0, 1] or uint8
    marks : (478, 3) landmarks in the crop's pixels
    """
    t = topology()
    width = float(np.linalg.norm(marks[234, :2] - marks[454, :2]))
    factor = max(1.0, width / FACE_SIDE)
    size = (max(4, round(crop.shape[1] / factor)), max(4, round(crop.shape[0] / factor)))
    light = blur(shrink(cv2.LUT(crop, _bytes()) if crop.dtype == np.uint8 else linear(crop), size), 1.6)
    plain = _plain()
    normals = vertex_normals(marks)
    points = np.concatenate([marks[t.skin_points, :2], marks[plain, :2].mean(1)]) * [size[0] / crop.shape[1],
                                                                                     size[1] / crop.shape[0]]
    facing = np.concatenate([normals[t.skin_points], normals[plain].mean(1)])
    facing /= np.linalg.norm(facing, axis=1, keepdims=True)
    seen = ((-facing[:, 2] > 0.12) & (points[:, 0] > 1) & (points[:, 1] > 1) & (points[:, 0] < size[0] - 2)
            & (points[:, 1] < size[1] - 2))
    if seen.sum() < 30:  # the face hangs over the frame's edge: a flat light of the crop's mean
        flat = np.zeros(69, np.float32)
        flat[:3] = light.mean((0, 1))
        return flat
    points, facing = points[seen], facing[seen]
    colours = sample(light, points[:, 0], points[:, 1]).astype(np.float64)
    basis, trust = harmonics(facing), np.clip(-facing[:, 2], 0, 1)
    shine = _shine(colours, basis[:, :4], trust)
    colours = np.maximum(colours - (shine * colours.mean(1))[:, None], LEAST_LEFT * colours)
    trust *= (1 - shine) ** DOUBT
    colours = _shaven(colours, basis[:, :4], trust, beard_area()[seen])
    lum = colours.mean(1)
    ridge = np.diag([0, 1, 1, 1, 4, 4, 4, 4, 4.0]) * RIDGE * len(colours)
    weight = trust.copy()
    for _ in range(ROUNDS):
        c = np.linalg.solve(basis.T @ (weight[:, None] * basis) + ridge, basis.T @ (weight[:, None] * colours))
        model = np.maximum(basis @ c.mean(1), DARKEST * max(float(c[0].mean()), 1e-3))
        r = (lum - model) / model
        scale = 3 * (1.4826 * np.median(np.abs(r)) + 0.03)
        weight = trust * np.where(np.abs(r) < scale, (1 - (r / scale) ** 2) ** 2, 0)
    left = np.clip(np.log(np.maximum(lum, 1e-4) / model), -0.7, 0.7)
    knots = _knots()[seen] * weight[:, None]
    grid = (knots * left[:, None]).sum(0) / (knots.sum(0) + 1.0)
    code: Floats = np.concatenate([c.ravel(), grid]).astype(np.float32)
    return code


def _shine(colours: Array, basis: Array, trust: Array) -> Array:
    """(n,) share of the light of the samples (n, 3) that is shine: light of the lamps that no skin has coloured, paler than skin.

    basis (n, 4) of the first order, trust (n,). Two lamps of two colours make skin paler on one side too, but slowly: shine is
    what highlights of a rough surface (Blinn, SIGGRAPH 1977) explain and the first order does not. Where they explain little, all
    is 0; else as much is white as makes what is left no bluer than skin (Shafer, Color Research & Application 10(4), 1985).
    """
    none, front = np.zeros(len(colours)), trust > LEAST_TRUST
    if front.sum() < 30:
        return none
    total = np.maximum(colours.sum(1), 1e-4)
    blue = colours[:, 2] / total
    told = (trust > HARDLY_SEEN) & (total > DARK * np.median(total[front]))  # there the hue is more than noise
    low, high = np.quantile(blue[told], MATT)
    skin = float(np.median(blue[told & (blue >= low) & (blue <= high)]))
    if skin > GREY:
        return none
    pale = np.clip(blue[told], *np.quantile(blue[told], [0.02, 0.98]))
    share = float(np.clip((_highlit(pale, basis[told], trust[told]) - PALER) / (SHINY - PALER), 0, 1))
    white: Array = share * np.clip((blue - skin) / (1 / 3 - skin), 0, MOST_SHINE)
    return white


def _highlit(pale: Array, basis: Array, trust: Array) -> float:
    """Share of the variance of `pale` (n,) that highlights explain beyond the first order, basis (n, 4); 0 if not paler."""
    glints = np.clip(basis[:, 1:] @ _lamps().T, 0, 1) ** GLOSS
    goal = (pale - np.average(pale, weights=trust)) * np.sqrt(trust)
    left = []
    for terms in (basis, np.concatenate([basis, glints], 1)):
        rows = terms * np.sqrt(trust)[:, None]
        ridge = FAINT * len(pale) * np.diag(np.arange(rows.shape[1]) > 0)
        c = np.linalg.solve(rows.T @ rows + ridge, rows.T @ goal)
        left.append(float(((goal - rows @ c) ** 2).sum()))
    spread = float((goal**2).sum())
    return (left[0] - left[1]) / spread if spread > 0 and (glints @ c[4:]).mean() > 0 else 0.0


@cache
def _lamps() -> Array:
    """(6, 3) unit directions halfway between a lamp and the camera."""
    way = np.array([[x, y, -1.0] for x in (-0.5, 0.0, 0.5) for y in (-0.5, 0.0)])
    unit: Array = way / np.linalg.norm(way, axis=1, keepdims=True)
    return unit


@cache
def beard_area() -> Array:
    """(n,) bool: which of the samples of `fit_light` lie where beards grow."""
    t = topology()
    x, y, _ = np.concatenate([t.mean[t.skin_points], t.mean[_plain()].mean(1)]).T
    nose, mouth, ear = t.mean[2], t.mean[291], t.mean[454]
    line = np.interp(np.abs(x), [0, mouth[0], mouth[0] + 0.12, ear[0]],
                     [nose[1] + 0.06, nose[1] + 0.10, mouth[1] - 0.02, ear[1] + 0.10])
    low: Array = y > line
    return low


def _shaven(colours: Array, basis: Array, trust: Array, low: Array) -> Array:
    """The samples (n, 3) with skin for a beard, which is no shade: hardly any light would leave the whole lower face so dark.

    basis (n, 4) of the first order, trust (n,), low (n,) bool where beards grow. Without a beard nothing changes.
    """
    high = ~low
    sure = low & (trust > LEAST_TRUST)
    if high.sum() < 30 or sure.sum() < 30:
        return colours
    lum, weight = colours.mean(1), trust * high
    ridge = np.diag([0, 1, 1, 1.0]) * FLATTER * len(colours)
    for _ in range(ROUNDS):
        c = np.linalg.solve(basis.T @ (weight[:, None] * basis) + ridge, basis.T @ (weight[:, None] * colours))
        expected = np.maximum(basis @ c, DARKEST * np.maximum(c[0], 1e-3))
        r = lum / expected.mean(1) - 1
        scale = 3 * (1.4826 * np.median(np.abs(r[high])) + 0.03)
        weight = trust * high * np.where(np.abs(r) < scale, (1 - (r / scale) ** 2) ** 2, 0)
    darker = np.log(expected.mean(1)) - np.log(np.maximum(lum, 1e-4))
    share = float(np.clip((np.median(darker[sure]) - BEARD) / SURELY, 0, 1))
    if share == 0:
        return colours
    hair = share * low * np.clip(darker / HAIR, 0, 1)
    mixed: Array = colours + hair[:, None] * (expected - colours)
    return mixed


def without_relief(code: Floats, marks: Array) -> Floats:
    """A witness' light (69,) for a double: what is fitted beyond the first order is in part the shape of this very face.

    With four tenths of it, SFace's mean likeness to the witness moved by -.02 to +.006 on ten pairs, and the highest of any frame
    mostly sank; stills of four clips did not look lit otherwise. Half is kept for the sake of side light. What the other half did
    to the skin as a whole goes over to the first order, which was fitted together with it: else faces are lighter or darker by up
    to 3 in L*. marks (>= 468, 3): landmarks.
    """
    kept = code.astype(np.float64)
    kept[12:] *= RELIEF
    t, normals = topology(), vertex_normals(marks)
    lost, at = (irradiance(code, normals) - irradiance(kept, normals))[t.skin_points], normals[t.skin_points]
    trust = np.clip(-at[:, 2:], 0, 1)
    basis = trust * np.exp(t.light_basis[t.skin_points] @ kept[SH_FLOATS:])[:, None] * harmonics(at)[:, :4]
    ridge = FAINT * len(basis) * np.eye(4)
    kept[:12] += np.linalg.solve(basis.T @ basis + ridge, basis.T @ (trust * lost)).ravel()
    whole: Floats = kept.astype(np.float32)
    return whole
