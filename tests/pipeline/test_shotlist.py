"""What to film: from the footage's own range, in plain words, on a page without a pixel of the witness."""

from __future__ import annotations

import pickle
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from facedouble.demo.script import Score
from facedouble.doubles.page import MARGIN, PIXELS, render
from facedouble.doubles.shotlist import Needs, Seen, main_light, needs, parts, see
from facedouble.doubles.shotpage import light_words, lines, page
from facedouble.errors import InputRefused
from facedouble.morphable.gestures import JAW_SHARE, LIP_PROFILE, open_mouth
from facedouble.options import Options
from facedouble.pipeline.analyse import Analysis, Eyes
from facedouble.pipeline.shotlist import propose, shotlist
from facedouble.types import Array, ClipCode, FaceCode

CLIP = ClipCode(0.57, 1.4, 0.33, 2.2, 0.4, (0.05, 0.05), (0.3, 0.3), (-0.03, -0.03), 1.0, 0.5)


def light(x: float, y: float) -> Array:
    """(69,) code of a light from the right of the picture (x) and from below (y)."""
    code = np.zeros(69, np.float32)
    code[:3], code[3:6], code[6:9], code[9:12] = 0.4, 0.4 * x, 0.4 * y, -0.1
    return code


def code(gap: float = 0.0, lids: float = 0.3, gaze: float = 0.5, lit: Array | None = None) -> FaceCode:
    f = np.float32
    return FaceCode(100.0, np.zeros(3, f), np.array([200, 200, 0], f), (open_mouth() * JAW_SHARE * gap).astype(f),
                    np.full(2, lids, f), (gap * LIP_PROFILE).astype(f), np.array([gaze, -0.03] * 2, f),
                    light(0, 0) if lit is None else lit)


def film(codes: list[FaceCode], yaw: Array | None = None) -> Seen:
    angles = np.zeros((len(codes), 3))
    angles[:, 0] = 0 if yaw is None else yaw
    return see(codes, CLIP, angles, np.arange(len(codes)), 25.0)


def test_the_range_of_the_generated_clip(analysis: Analysis, script: Score) -> None:
    found = propose([analysis])
    n = found.needs
    for got, meant in ((n.yaw, script.yaw), (n.pitch, script.pitch), (n.roll, script.roll)):
        assert all(v % 5 == 0 for v in got)
        assert np.ptp(np.percentile(meant, (2, 98))) * 0.7 <= got[1] - got[0] <= np.ptp(meant) + 12
    assert n.frames >= 50 and n.speaks and n.blinks >= 1
    assert "Say “a, e, i, o, u”" in found.needed and "Three blinks" in found.needed
    assert "Turn left, turn right" in found.spare and "Puffed cheeks" in found.needed
    assert not set(found.needed) & set(found.spare)
    assert any(line.startswith("Not needed: ") and "Turn left" in line for line in found.lines)


def test_the_page_is_made_of_the_numbers_alone(analysis: Analysis) -> None:
    found = propose([analysis])
    small = pickle.dumps(found.needs)
    assert len(small) < 4000
    assert render(page(pickle.loads(small)), "png") == found.picture
    made = cv2.imdecode(np.frombuffer(found.picture, np.uint8), cv2.IMREAD_COLOR)
    assert np.ptp(made.astype(int), axis=2).max() == 0  # line art in grey
    edge = int((MARGIN - 0.1) * PIXELS)
    assert (made[:, -edge:] == 255).all() and (made[-edge:] == 255).all()


def test_footage_is_read_as_the_protection_reads_it(witness: Path, analysis: Analysis, eyes: Eyes) -> None:
    assert shotlist([witness], eyes, Options()).lines == propose([analysis]).lines


def test_nothing_readable_is_refused(analysis: Analysis) -> None:
    with pytest.raises(InputRefused, match="whole capture sheet"):
        propose([replace(analysis, roles=())])


@pytest.mark.parametrize(("x", "y", "hour", "word"), [
    (0.5, 0, 3, "from the right"), (-0.5, 0, 9, "from the left"), (0, -0.5, 12, "above"), (0, 0.5, 6, "below"),
    (0.4, -0.4, 2, "above right"),
])
def test_where_the_light_comes_from(x: float, y: float, hour: int, word: str) -> None:
    got = main_light(np.stack([light(x, y)] * 5))
    assert abs(got.hour - hour) <= (1 if x and y else 0) and got.contrast > 1.5
    assert word in light_words(got)


def test_even_light_has_no_direction_and_colour_has_a_name() -> None:
    flat = light(0.02, 0.02)
    assert light_words(main_light(flat[None])).startswith("even")
    warm = light(0, 0)
    warm[2] *= 0.2
    assert "warm" in light_words(main_light(warm[None]))


def test_ranges_are_rounded_outward_and_rare_things_left_out() -> None:
    yaw = np.linspace(-22, 31, 200)
    yaw[7] = 80  # one frame measured badly
    n = needs([film([code()] * 200, yaw)])
    assert n.yaw == (-25, 35) and n.pitch == (0, 0)
    assert "Turn left, turn right" in parts(n)[0]
    assert any("turn 25° to the left and 35° to the right" in line for line in lines(n))


def test_mouth_blinks_and_gaze() -> None:
    rest, shut, ah = code(), code(lids=0.05), code(gap=0.3)
    n = needs([film([rest] * 40 + [shut] * 4 + [rest] * 40 + [shut] * 4 + [ah] * 20 + [code(gaze=0.65)] * 20)])
    assert n.blinks == 2 and n.gap == pytest.approx(0.3, abs=0.01) and n.speaks
    assert n.gaze[1] == pytest.approx(np.degrees(np.arcsin(0.15 * 29 / 12)), abs=1) and n.gaze[0] == 0
    needed, spare = parts(n)
    assert {"Neutral", "Three blinks", "Eyes closed", "Mouth wide open"} <= set(needed)
    assert {"Kiss", "Nod", "Wink left, wink right"} <= set(spare)
    text = "\n".join(lines(n))
    assert "26 mm" in text and "2 blinks" in text and "to the left" in text  # the picture's right is the person's left


def test_two_lights_are_both_told_and_the_larger_face_counts() -> None:
    day, lamp = film([code()] * 60), film([replace(code(lit=light(0.6, 0)), scale=300.0)] * 40)
    n = needs([day, lamp], unread=0.25)
    told = [line for line in lines(n) if line.startswith("Light: ")]
    assert len(told) == 2 and "60%" in told[0] and "3 o'clock" in told[1]
    assert n.face == pytest.approx(300 * 1.53, rel=0.02)
    assert any("25%" in line for line in lines(n))


def test_film_time_is_frames_not_tracks() -> None:
    n: Needs = needs([film([code(gap=0.3)] * 10), film([code()] * 90)])
    assert n.times["mouth wide open"] == pytest.approx(0.1)
    assert Fraction(n.frames) == 100
