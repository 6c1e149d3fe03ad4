"""Animate a still portrait with a score: our renderer puts the portrait's own face, driven, back into the portrait."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from scipy.spatial.transform import Rotation

from facedouble.colour import picture, put_rgb
from facedouble.demo.script import Score
from facedouble.doubles import capture
from facedouble.faces.detect import detect
from facedouble.faces.fit import fit
from facedouble.faces.light import fit_light
from facedouble.faces.reading import Sighting, read
from facedouble.media.encode import Writer
from facedouble.morphable import layout
from facedouble.morphable.gestures import JAW_SHARE, LIP_PROFILE, open_mouth
from facedouble.options import DrawOptions, EncodeOptions, Options
from facedouble.pipeline.analyse import Eyes
from facedouble.pipeline.double import key_crop, photo_frame
from facedouble.pipeline.sight import Pair, look, windows
from facedouble.protect.composite import compose
from facedouble.protect.drive import GAZE_GAIN, Performance, place
from facedouble.protect.face import area, render_face, surroundings_move
from facedouble.protect.finish import WARP_GRID
from facedouble.raster import blur, display, linear
from facedouble.types import (
    MESH_POINTS,
    Box,
    Bytes,
    ClipCode,
    Colour,
    Consent,
    Double,
    FaceCode,
    Floats,
    Frame,
    MediaInfo,
    Value,
)

PUBLIC_DOMAIN = Consent("public-domain portrait", ("test",), "2000-01-01", note="a work of the US government")
SHUT = (0.06, 0.06)  # aperture over eye width that counts as closed
TURNS = 4  # times that the landmarker sees the still, to settle


@dataclass(frozen=True)
class Portrait(Value):
    """A still with one face: its double, the code and outline of the still, px of the picture."""

    picture: Bytes
    double: Double
    rest: FaceCode
    clip: ClipCode
    outline: Floats
    box: Box
    gaps: Floats


def portrait_pixels(name: str, height: int = 512) -> Bytes:
    """One of the public-domain portraits inside packages we use anyway, cropped to head and shoulders.

    "astronaut" (scikit-image) or "admiral" (matplotlib).
    """
    if name == "astronaut":
        from skimage import data

        full = np.asarray(data.astronaut())[:300, 60:390]  # type: ignore[no-untyped-call]
    else:
        from matplotlib import cbook

        raw = np.fromfile(str(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)), np.uint8)
        full = cv2.imdecode(raw, cv2.IMREAD_COLOR)[..., ::-1][20:420, 80:430]  # above the name tag
    scale = height / full.shape[0]
    width = round(full.shape[1] * scale) // 2 * 2
    out: Bytes = cv2.resize(np.ascontiguousarray(full), (width, height), interpolation=cv2.INTER_CUBIC)
    return out


def read_portrait(pixels: Bytes, eyes: Eyes) -> Portrait:
    """Find and measure the face of a still."""
    frame = photo_frame(pixels, 0)
    options = Options()
    box = max((b for b, _ in detect(picture(frame), 0, eyes.detectors, options.detect)), key=lambda b: b.area)
    pair = Pair(eyes.follower, options.fit)
    window = windows([box])[0]
    crop = look(frame, window)
    found = None
    for _ in range(TURNS):
        found = pair.marks(crop)
    pair.close()
    if found is None:
        raise ValueError("no face in the portrait")
    marks = found[0] + [window.x0, window.y0, 0]
    key, local = key_crop(frame, marks)
    light = fit_light(key, local)
    rest = fit(read([Sighting(i, marks.astype(np.float32), light, 0.0) for i in range(3)]), 0.0, 0.0)
    chosen = capture.measure(capture.Material(marks[None].astype(np.float32), False))
    atlas = capture.texture(key, local, light, clean=False)
    made = capture.assemble(chosen, [atlas], capture.iris(key, local, light), PUBLIC_DOMAIN)
    still = chosen.neutral
    gaps = still[layout.LOWER_INNER_LIP[1:-1], 1] - still[layout.UPPER_INNER_LIP[1:-1], 1]
    low, high = marks[:MESH_POINTS, :2].min(0), marks[:MESH_POINTS, :2].max(0)
    return Portrait(pixels, made, rest.codes[0], rest.clip, rest.outlines[0].mesh, Box(*map(float, (*low, *high))),
                    np.maximum(gaps, 0))


def _codes(p: Portrait, s: Score) -> tuple[FaceCode, ...]:
    mouth = open_mouth()
    base = Rotation.from_rotvec(p.rest.rotation)
    rest_lids, shut = np.array(p.clip.lids_neutral), np.array(SHUT)
    codes = []
    for i in range(len(s.yaw)):
        # the signs of `pose.euler`
        turn = Rotation.from_euler("yxz", [s.yaw[i], s.pitch[i], s.roll[i]], degrees=True)
        light = p.rest.light.copy()
        light[:27] *= s.light[i]
        codes.append(replace(
            p.rest, rotation=(turn * base).as_rotvec().astype(np.float32),
            expression=(mouth * JAW_SHARE * s.gap[i]).astype(np.float32),
            lids=(shut + (rest_lids - shut) * s.lids[i]).astype(np.float32),
            lips=(p.gaps + s.gap[i] * LIP_PROFILE).astype(np.float32),
            gaze=(p.rest.gaze + np.tile([s.gaze_x[i], s.gaze_y[i]] / np.array(GAZE_GAIN), 2)).astype(np.float32), light=light))
    return tuple(codes)


def _animated(p: Portrait, stage: Performance, i: int) -> Bytes:
    """The portrait with its own face moved: the mesh drawn over the warped picture, soft at its rim."""
    h, w = p.picture.shape[:2]
    mesh = place(stage.mesh(i), stage.codes[i], stage.to)
    where = area(mesh, p.outline, w, h)
    if where is None:
        return p.picture
    crop = p.picture[where.y0 : where.y1, where.x0 : where.x1].astype(np.float32) / 255
    gx, gy = np.meshgrid(np.arange(crop.shape[1], dtype=np.float32), np.arange(crop.shape[0], dtype=np.float32))
    move = cv2.remap(surroundings_move(mesh, p.outline, where, push=True), gx / WARP_GRID, gy / WARP_GRID, cv2.INTER_LINEAR)
    light = linear(cv2.remap(crop, gx + move[..., 0], gy + move[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE))
    face = render_face(stage, i, mesh, where, margin=round(0.04 * where.size))
    alpha = blur(face.rim, 0.01 * where.size)[..., None]
    part = light[face.y : face.y + alpha.shape[0], face.x : face.x + alpha.shape[1]]
    part += (face.light - part) * alpha
    rgb = p.picture.copy()
    rgb[where.y0 : where.y1, where.x0 : where.x1] = np.clip(display(light) * 255 + 0.5, 0, 255).astype(np.uint8)
    return rgb


def animate(p: Portrait, s: Score, rate: Fraction) -> Iterator[Frame]:
    """The frames of the clip, 4:2:0, BT.601 limited range. The whole picture sways a little, as hand-held footage does."""
    stage = Performance(_codes(p, s), replace(p.clip, lids_closed=SHUT, edge_sigma=0.0, grain_sigma=0.0), p.double)
    h, w = (n // 2 * 2 for n in p.picture.shape[:2])
    rng = np.random.default_rng(7)
    for i in range(len(s.yaw)):
        t = i / float(rate)
        sway = np.array([[1, 0, 5 * np.sin(0.9 * t)], [0, 1, 3 * np.sin(1.3 * t)]], np.float32)
        rgb = cv2.warpAffine(_animated(p, stage, i), sway, (w, h), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        noisy = rgb.astype(np.float32) / 255 + rng.normal(0, 1 / 255, (h, w, 1)).astype(np.float32)
        planes = tuple(np.zeros((h >> k, w >> k), np.uint8) for k in (0, 1, 1))
        colour = Colour(primaries=6, transfer=6, matrix=6)
        put_rgb(Frame(i, i, 1, 1 / rate, planes, "yuv420p", colour), planes, noisy, np.ones((h, w), np.float32), 0, 0)
        yield Frame(i, i, 1, 1 / rate, planes, "yuv420p", colour)


def write_clip(path: Path, frames: Iterator[Frame], width: int, height: int, rate: Fraction,
               sounds: list[tuple[int, int, Fraction, Iterator[Floats]]]) -> None:
    """Encode generated frames. They show nobody who needs protection, so they pass the door with no parts."""
    info = MediaInfo("generated", "mp4", width // 2 * 2, height // 2 * 2, None, rate, 1 / rate, Fraction(0), None, 0,
                     Fraction(1), Colour(primaries=6, transfer=6, matrix=6), "yuv420p", 8, (), (), ())
    with Writer(path, info, EncodeOptions(crf=14), sounds) as writer:
        for frame in frames:
            writer.add(compose(frame, [], DrawOptions(), 0).safe)
