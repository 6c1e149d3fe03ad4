"""The matte for things in front of a face: it shows the thing, never the face, and only where it is asked for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from facedouble.colour import put_rgb
from facedouble.media.decode import frames
from facedouble.media.encode import Writer
from facedouble.media.probe import probe
from facedouble.morphable.topology import topology
from facedouble.options import DrawOptions, EncodeOptions, Options
from facedouble.pipeline.analyse import Analysis, Eyes, analyse
from facedouble.pipeline.render import Cast
from facedouble.pipeline.stage import perform
from facedouble.protect.composite import compose
from facedouble.protect.drive import place
from facedouble.protect.face import area
from facedouble.protect.occlusion import matte_step
from facedouble.protect.treatments import Part, what_stays
from facedouble.raster import cover
from facedouble.types import Array, Double, Frame
from tests.protect.test_bottleneck import with_noise

ON, OFF, STRICT = DrawOptions(occlusion=True), DrawOptions(), DrawOptions(occlusion=True, strict=True)
BLUE, CLOTH = (0.15, 0.3, 0.75), (0.9, 0.92, 0.95)
WIDE = 0.25, 0.75  # of the face's width
SEEN = 0.5  # share of the footage that counts as shown


def held(analysis: Analysis, path: Path, colour: tuple[float, float, float], first: int, last: int) -> list[Array]:
    """Write the witness' clip with a board that rises before the lower face in frames first to last; its places (h, w) bool."""
    fit = analysis.roles[0].fit
    assert fit is not None
    places = []
    with Writer(path, replace(analysis.info, audio=()), EncodeOptions(crf=8), []) as writer:
        for frame in frames(analysis.info):
            mesh = fit.outlines[frame.index - fit.start].mesh
            (x0, y0), (x1, y1) = mesh.min(0), mesh.max(0)
            board = np.zeros((frame.height, frame.width), bool)
            if first <= frame.index < last:
                rise = 0.55 * min(1.0, (frame.index - first + 1) / 6, (last - frame.index) / 6)
                left, right = (round(float(x0 + (x1 - x0) * u)) for u in WIDE)
                board[round(float(y1 - rise * (y1 - y0))) :, left:right] = True
            planes = tuple(p.copy() for p in frame.planes)
            picture = np.broadcast_to(np.array(colour, np.float32), (*board.shape, 3))
            put_rgb(frame, planes, picture, board.astype(np.float32), 0, 0)
            writer.add(compose(replace(frame, planes=planes), [], OFF, 0).safe)
            places.append(board)
    return places


def cast(made: Analysis, double: Double) -> Cast:
    return Cast(made.roles[0], perform(made.roles[0], double, Options(), 25.0))


def shown(frame: Frame, part: Part, options: DrawOptions = ON) -> Array:
    """(h, w) alpha of what stays in front."""
    out = np.zeros((frame.height, frame.width))
    assert part.stage is not None and part.outline is not None
    code = part.stage.codes[part.step]
    mesh = place(part.stage.mesh(part.step), code, part.stage.to)
    where = area(mesh, part.outline, frame.width, frame.height)
    assert where is not None
    matte = what_stays(frame, frame.planes, part, mesh, where, code.light, options)
    if matte is not None:
        step = matte_step(where.size)
        large = np.repeat(np.repeat(matte, step, 0), step, 1)[: where.shape[0], : where.shape[1]]
        out[where.y0 : where.y1, where.x0 : where.x1] = large
    return out


def grown(mask: Array, px: int) -> Array:
    import cv2

    made: Array = cv2.dilate(mask.astype(np.uint8), np.ones((2 * px + 1, 2 * px + 1), np.uint8)) > 0
    return made


def count(made: Analysis, truth: Analysis, double: Double, places: list[Array]) -> tuple[int, int, int]:
    """Pixels of the board in the mesh, those of them that stay, and face-labelled pixels that stay."""
    fit, player, there, kept, face = truth.roles[0].fit, cast(made, double), 0, 0, 0
    assert fit is not None
    for frame in frames(made.info):
        part = player.part(frame.index)
        if part is None or part.stage is None:
            continue
        stays = shown(frame, part) >= SEEN
        mesh = cover(fit.outlines[frame.index - fit.start].mesh, topology().triangles, frame.height, frame.width) > 0
        board = places[frame.index]
        there, kept = there + int((mesh & board).sum()), kept + int((mesh & board & stays).sum())
        face += int((mesh & ~board & stays).sum())
    return there, kept, face


@pytest.fixture(scope="module")
def scene(analysis: Analysis, eyes: Eyes, tmp_path_factory: pytest.TempPathFactory) -> tuple[Analysis, list[Array]]:
    """A blue board before the lower face for a third of the clip, analysed with the matte asked for."""
    path = tmp_path_factory.mktemp("things") / "board.mp4"
    places = held(analysis, path, BLUE, 20, 42)
    return analyse(probe(path), eyes, Options(draw=ON)), places


def test_the_thing_stays_and_no_face_pixel(scene: tuple[Analysis, list[Array]], analysis: Analysis, double: Double) -> None:
    made, places = scene
    there, kept, face = count(made, analysis, double, places)
    assert there > 20000 and kept > 0.5 * there
    assert face == 0


def test_what_hides_the_face_for_longer_than_not_does_not_turn_it_into_a_thing(analysis: Analysis, eyes: Eyes, double: Double,
                                                                              tmp_path: Path) -> None:
    """A cloth before the lower face for three quarters of the clip: when it goes, the face must not count as what is new."""
    places = held(analysis, tmp_path / "cloth.mp4", CLOTH, -9, 45)
    made = analyse(probe(tmp_path / "cloth.mp4"), eyes, Options(draw=ON))
    assert count(made, analysis, double, places)[2] == 0


def _planes(frame: Frame, part: Part, options: DrawOptions) -> tuple[Array, ...]:
    return compose(frame, [part], options, 0).safe.frame.planes


def test_only_where_it_is_asked_for(scene: tuple[Analysis, list[Array]], analysis: Analysis, double: Double) -> None:
    made, _ = scene
    part = cast(made, double).part(30)
    frame = next(f for f in frames(made.info) if f.index == 30)
    assert part is not None and part.front is not None and analysis.roles[0].front is None
    bare = replace(part, front=None)
    plain = _planes(frame, bare, OFF)
    for options, one in ((OFF, part), (STRICT, part), (STRICT, bare), (ON, bare)):
        assert all(np.array_equal(a, b) for a, b in zip(_planes(frame, one, options), plain, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(_planes(frame, part, ON), plain, strict=True))


def test_with_the_matte_noise_elsewhere_in_the_face_changes_nothing(scene: tuple[Analysis, list[Array]], double: Double) -> None:
    made, places = scene
    player = cast(made, double)
    for frame in (f for f in frames(made.info) if f.index in (10, 30)):
        part = player.part(frame.index)
        assert part is not None and part.outline is not None
        face = cover(part.outline, topology().triangles, frame.height, frame.width) > 0
        away = face & ~grown(places[frame.index], 20)
        assert away.sum() > 3000
        before, after = (_planes(f, part, ON) for f in (frame, with_noise(frame, away)))
        assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
