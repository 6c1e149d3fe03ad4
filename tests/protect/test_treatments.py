"""One suite over all treatments: what may be seen of a face, and of the others beside it."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pytest

from facedouble.media.decode import frames
from facedouble.options import DrawOptions
from facedouble.pipeline.analyse import Analysis
from facedouble.protect.composite import Composed, compose
from facedouble.protect.dissolve import mixed
from facedouble.protect.drive import Performance, place
from facedouble.protect.headwear import HEADWEAR
from facedouble.protect.treatments import MASKS, TREATMENTS, Part, ends
from facedouble.protect.veil import Ellipse, veil_patch
from facedouble.types import Array, Box, Double, Frame
from tests.protect.test_bottleneck import face_area, with_noise

PLAIN = DrawOptions()


@pytest.fixture(scope="module")
def frame(analysis: Analysis) -> Frame:
    return next(f for f in frames(analysis.info) if f.index == 24)


@pytest.fixture(scope="module")
def part(analysis: Analysis, double: Double) -> Part:
    role = analysis.roles[0]
    assert role.fit is not None
    i, step = 24 - role.track.start, 24 - role.fit.start
    stage = Performance(role.fit.codes, role.fit.clip, double)
    return Part(0, role.boxes[i], role.covers[i], 1.0, stage, step, role.fit.outlines[step].mesh, sure=True)


def planes(frame: Frame, *parts: Part) -> tuple[Array, ...]:
    return compose(frame, list(parts), PLAIN, 0).safe.frame.planes


def same(a: tuple[Array, ...], b: tuple[Array, ...]) -> bool:
    return all(np.array_equal(p, q) for p, q in zip(a, b, strict=True))


def face(frame: Frame, part: Part) -> Array:
    assert part.outline is not None
    return face_area(frame, part.outline)


def stranger(frame: Frame, part: Part) -> Part:
    """A second face that is half under the first, or over it."""
    b = part.box
    box = Box(b.x0 + 0.5 * b.width, b.y0, b.x1 + 0.5 * b.width, b.y1)
    return Part(1, box, Ellipse(part.cover.x + 0.5 * b.width, part.cover.y, part.cover.rx, part.cover.ry))


def moved(part: Part, widths: float) -> Part:
    """The same face and double once more, so many widths to the right."""
    assert part.stage is not None and part.outline is not None
    dx, b, c = widths * part.box.width, part.box, part.cover
    away = np.array([dx, 0, 0], np.float32)
    codes = tuple(replace(code, translation=code.translation + away) for code in part.stage.codes)
    stage = Performance(codes, part.stage.clip, part.stage.double)
    return replace(part, track=part.track + 1 + round(9 * abs(widths)), box=Box(b.x0 + dx, b.y0, b.x1 + dx, b.y1), stage=stage,
                   cover=Ellipse(c.x + dx, c.y, c.rx, c.ry), outline=part.outline + away[:2])


def core(frame: Frame, cover: Ellipse) -> Array:
    y, x = np.mgrid[0 : frame.height, 0 : frame.width]
    inside: Array = np.hypot((x - cover.x) / cover.rx, (y - cover.y) / cover.ry) < 0.98
    return inside


def test_a_part_that_says_nothing_gets_the_veil(frame: Frame, part: Part) -> None:
    assert part.treatment == "veil"
    assert compose(frame, [part], PLAIN, 0).veiled == {0}


def test_what_nobody_knows_gets_the_veil(frame: Frame, part: Part) -> None:
    assert same(planes(frame, replace(part, treatment="blur")), planes(frame, part))


@pytest.mark.parametrize("sure", [False, True])
@pytest.mark.parametrize("name", TREATMENTS)
def test_the_face_has_no_say_unless_it_is_shown(frame: Frame, part: Part, name: str, sure: bool) -> None:
    mine = replace(part, treatment=name, sure=sure)
    noisy = with_noise(frame, face(frame, part))
    seen = name in ("show", "ignore") and sure
    assert same(planes(frame, mine), planes(noisy, mine)) == (not seen)
    made = compose(frame, [mine], PLAIN, 0)
    assert made.shown == ({0} if seen else set())


@pytest.mark.parametrize("name", TREATMENTS)
def test_a_face_that_cannot_be_drawn_is_covered(frame: Frame, part: Part, name: str) -> None:
    lost = replace(part, treatment=name, sure=False, weight=0.0)
    if name == "hide":
        return
    assert same(planes(frame, lost), planes(frame, replace(part, treatment="veil")))


@pytest.mark.parametrize("hair", HEADWEAR)
@pytest.mark.parametrize("name", TREATMENTS)
def test_nobody_uncovers_somebody_else(frame: Frame, part: Part, name: str, hair: str) -> None:
    """A stranger behind or before the face, whose pixels have no say whatever the other one gets."""
    other = stranger(frame, part)
    noisy = with_noise(frame, core(frame, other.cover))
    for shown in (0.0, 0.5, 1.0) if name == "reveal" else (0.0,):
        mine = replace(part, treatment=name, shown=shown, hair=hair)
        for parts in ([mine, other], [other, mine]):
            assert same(planes(frame, *parts), planes(noisy, *parts))


@pytest.mark.parametrize("name", TREATMENTS)
def test_nobody_uncovers_somebody_else_s_double(frame: Frame, part: Part, name: str) -> None:
    """The other one is drawn as a double, half over or under the face."""
    other = replace(moved(part, 0.5), treatment="double")
    noisy = with_noise(frame, face(frame, other))
    for shown in (0.0, 0.5, 1.0) if name == "reveal" else (0.0,):
        mine = replace(part, treatment=name, shown=shown)
        for parts in ([mine, other], [other, mine]):
            assert not compose(frame, parts, PLAIN, 0).veiled - {0}
            assert same(planes(frame, *parts), planes(noisy, *parts))


@pytest.mark.parametrize("name", TREATMENTS)
def test_a_plain_region_far_away_stays_as_it_is(frame: Frame, part: Part, name: str) -> None:
    out = planes(frame, replace(part, treatment=name))
    assert np.array_equal(out[0][-8:, :8], frame.planes[0][-8:, :8])


@pytest.mark.parametrize("name", TREATMENTS)
def test_ten_bits_are_treated_alike(frame: Frame, part: Part, name: str) -> None:
    deep = replace(frame, planes=tuple(p.astype(np.uint16) * 4 for p in frame.planes), pixel_format="yuv420p10le")
    mine = replace(part, treatment=name, shown=0.5)
    a, b = planes(frame, mine), planes(deep, mine)
    assert np.abs(a[0].astype(int) - b[0] / 4).mean() < 1.0


@pytest.mark.parametrize("solid", ["ellipse", "box"])
def test_hide_is_one_constant_colour(frame: Frame, part: Part, solid: str) -> None:
    out = planes(frame, replace(part, treatment="hide", solid=solid))
    inside = face(frame, part)
    assert len(np.unique(out[0][inside])) == 1
    assert compose(frame, [replace(part, treatment="hide")], PLAIN, 0).veiled == {0}


def test_a_frame_can_be_hidden_whole(frame: Frame, part: Part) -> None:
    for solid in ("frame", "anything"):
        made = compose(frame, [replace(part, treatment="hide", solid=solid)], PLAIN, 0)
        assert made.safe.hidden and made.asked and made.veiled == {0}
        assert all(len(np.unique(p)) == 1 for p in made.safe.frame.planes)


@pytest.mark.parametrize("name", TREATMENTS)
def test_a_frame_hidden_for_one_is_hidden_for_all(frame: Frame, part: Part, name: str) -> None:
    """Nothing that anybody else gets is drawn over it, and the other one counts as covered."""
    whole = replace(part, treatment="hide", solid="frame")
    for shown in (0.0, 0.5, 1.0):
        other = replace(moved(part, 0.5), treatment=name, shown=shown)
        for parts in ([whole, other], [other, whole]):
            made = compose(frame, parts, PLAIN, 0)
            assert made.safe.hidden and made.asked and not made.shown and made.veiled == {whole.track, other.track}
            assert all(len(np.unique(p)) == 1 for p in made.safe.frame.planes)


def test_a_reveal_out_of_a_hidden_frame_has_no_jump(frame: Frame, part: Part) -> None:
    mine = replace(part, treatment="reveal", before="hide", solid="frame")
    steps = [compose(frame, [replace(mine, shown=s)], PLAIN, 0) for s in (0.0, 0.1, 0.5, 0.7, 0.97, 1.0)]
    assert [m.safe.hidden for m in steps] == [True, True, False, False, False, False]
    assert same(steps[-1].safe.frame.planes, frame.planes)
    away = [np.abs(m.safe.frame.planes[0].astype(int) - frame.planes[0]).mean() for m in steps]
    assert away == sorted(away, reverse=True) and away[-2] < 0.05 * away[0]
    hidden = replace(moved(part, 0.5), treatment="hide", solid="frame")
    assert all(compose(frame, [replace(mine, shown=s), hidden], PLAIN, 0).safe.hidden for s in (0.0, 0.5, 1.0))


def test_show_changes_nothing(frame: Frame, part: Part) -> None:
    for name in ("show", "ignore"):
        assert same(planes(frame, replace(part, treatment=name)), frame.planes)
        assert compose(frame, [replace(part, treatment=name, sure=False)], PLAIN, 0).veiled == {0}


def test_a_reveal_begins_as_the_double_and_ends_as_the_face(frame: Frame, part: Part) -> None:
    mine = replace(part, treatment="reveal")
    assert same(planes(frame, mine), planes(frame, replace(part, treatment="double")))
    assert same(planes(frame, replace(mine, shown=1.0)), frame.planes)
    assert same(planes(frame, replace(mine, shown=1.0, sure=False)), planes(frame, part))


@pytest.mark.parametrize("before", [*MASKS, "show", "reveal", "ignore", "blur"])
def test_a_reveal_begins_as_what_was_there_before(frame: Frame, part: Part, before: str) -> None:
    mine = replace(part, treatment="reveal", before=before)
    first = replace(part, treatment=before if before in MASKS else "veil")
    assert same(planes(frame, mine), planes(frame, first))
    assert same(planes(frame, replace(mine, shown=1.0)), frame.planes)


def test_a_reveal_has_no_jump(frame: Frame, part: Part) -> None:
    """Small steps change little, at both ends too, and never more than some steps of the whole way."""
    steps = [0.0, 0.02, *np.linspace(0.05, 0.95, 19).tolist(), 0.98, 1.0]
    lumas = [planes(frame, replace(part, treatment="reveal", shown=s))[0].astype(np.float64) for s in steps]
    area = face(frame, part)
    whole = np.abs(lumas[0] - lumas[-1])[area].mean()
    moved = np.array([np.abs(a - b)[area].mean() for a, b in pairwise(lumas)])
    assert moved[0] < 0.05 * whole and moved[-1] < 0.05 * whole
    assert moved.max() < 0.25 * whole
    means = np.array([luma[area].mean() for luma in lumas])
    low, high = sorted((means[0], means[-1]))
    assert (means > low - 6).all() and (means < high + 6).all()  # no flash, no dip; levels of 255


def test_a_reveal_mixes_only_from_some_way_on(part: Part) -> None:
    assert ends(part) is None
    first, second, share = ends(replace(part, treatment="reveal", shown=0.1)) or (part, part, 1.0)
    assert share == 0 and 0 < first.morph < 1 and second.shown == 1
    _, _, late = ends(replace(part, treatment="reveal", shown=0.9)) or (part, part, 0.0)
    assert 0.8 < late < 1


def test_a_reveal_without_a_double_dissolves_the_veil(frame: Frame, part: Part) -> None:
    mine = replace(part, treatment="reveal", weight=0.0)
    start, middle, end = (planes(frame, replace(mine, shown=s)) for s in (0.0, 0.6, 1.0))
    assert same(start, planes(frame, part)) and same(end, frame.planes)
    area = face(frame, part)
    a, b, m = (p[0][area].astype(int) for p in (start, end, middle))
    assert ((m >= np.minimum(a, b) - 2) & (m <= np.maximum(a, b) + 24)).mean() > 0.99
    assert not compose(frame, [replace(mine, shown=0.6)], PLAIN, 0).veiled


def test_two_reveals_at_once(frame: Frame, part: Part) -> None:
    other = replace(stranger(frame, part), treatment="reveal", shown=0.5, sure=True)
    made = compose(frame, [replace(part, treatment="reveal", shown=0.6), other], PLAIN, 0)
    assert made.shown == {0, 1} and not made.veiled


def test_the_halo_is_the_part_s_own(frame: Frame, part: Part) -> None:
    mine = replace(part, treatment="double")
    none = compose(frame, [mine], DrawOptions(halo=0.0), 0).safe.frame.planes
    assert same(planes(frame, replace(mine, halo=0.0)), none)
    assert not same(planes(frame, mine), none)


@pytest.mark.parametrize("seed", range(5))
def test_whatever_is_asked_for_only_shown_faces_are_seen(frame: Frame, part: Part, seed: int) -> None:
    """Three faces that overlap, each with anything at all: noise in all of those that are not shown changes nothing."""
    rng = np.random.default_rng(seed)
    parts, under = [], np.random.default_rng([seed, 1]).random(3) < 0.5
    for k, mine in enumerate((part, moved(part, 0.6), moved(part, -0.55))):
        asked = {"treatment": str(rng.choice([*TREATMENTS, "nonsense"])), "sure": bool(rng.random() < 0.6),
                 "shown": float(rng.choice([0.0, 0.3, 0.7, 1.0])), "hair": str(rng.choice(["keep", *HEADWEAR])),
                 "weight": float(rng.choice([0.0, 0.4, 1.0])), "before": str(rng.choice([*TREATMENTS])),
                 "halo": float(rng.random()), "solid": str(rng.choice(["ellipse", "box", "frame"], p=[0.45, 0.45, 0.1])),
                 "under": bool(under[k])}
        parts.append(replace(mine, **asked))  # type: ignore[arg-type]
    seen = [p.sure and (p.treatment in ("show", "ignore") or (p.treatment == "reveal" and p.shown > 0)) for p in parts]
    unseen = np.any([face(frame, p) for p, open_ in zip(parts, seen, strict=True) if not open_], 0)
    noisy = with_noise(frame, np.broadcast_to(unseen, frame.planes[0].shape))
    for order in ([0, 1, 2], [2, 0, 1]):
        chosen = [parts[k] for k in order]
        made = compose(frame, chosen, PLAIN, 0)
        assert made.shown <= {p.track for p, open_ in zip(parts, seen, strict=True) if open_}
        assert same(made.safe.frame.planes, planes(noisy, *chosen))


@pytest.mark.parametrize("hair", HEADWEAR)
def test_hair_under_a_cover_has_no_say(frame: Frame, part: Part, hair: str) -> None:
    mine = replace(part, treatment="double", hair=hair)
    assert part.stage is not None and part.outline is not None
    bare, worn = planes(frame, replace(mine, hair="keep")), planes(frame, mine)
    code = part.stage.codes[part.step]
    mesh = place(part.stage.mesh(part.step), code, part.stage.to)
    over = HEADWEAR[hair](part.stage, mesh, code, part.cover, frame.width, frame.height)
    assert over is not None
    area = over.under(0, 0, (frame.height, frame.width)) > 0
    opaque = np.zeros(area.shape, bool)
    h, w = over.whole.shape
    opaque[over.y : over.y + h, over.x : over.x + w] = over.whole >= 1
    opaque &= np.roll(opaque, 1, 0) & np.roll(opaque, -1, 0) & np.roll(opaque, 1, 1) & np.roll(opaque, -1, 1)
    assert opaque.sum() > 3000
    assert same(planes(with_noise(frame, opaque), mine), worn)
    eyes = mesh[[33, 133, 362, 263], :2].mean(0).round().astype(int)
    assert abs(int(worn[0][eyes[1], eyes[0]]) - int(bare[0][eyes[1], eyes[0]])) < 40  # the face is left open


@pytest.mark.parametrize("weight", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("name", TREATMENTS)
def test_long_hair_is_under_the_veil_whatever_the_face_gets(frame: Frame, part: Part, name: str, weight: float) -> None:
    """Down to the shoulders, beside and below the head; also in frames in which no double can be drawn."""
    for sure in (False, True):
        mine = replace(part, treatment=name, hair="veil", weight=weight, sure=sure)
        if name in ("show", "ignore") and sure:
            continue
        patch = veil_patch(part.cover, frame.width, frame.height, long=True)
        assert patch is not None
        (x, y), _, alpha = patch
        opaque = np.zeros((frame.height, frame.width), bool)
        opaque[y : y + len(alpha), x : x + alpha.shape[1]] = alpha >= 1
        opaque[1:-1, 1:-1] &= opaque[2:, 1:-1] & opaque[:-2, 1:-1] & opaque[1:-1, 2:] & opaque[1:-1, :-2]  # whole chroma samples
        assert opaque.sum() > 1.2 * core(frame, part.cover).sum()
        assert same(planes(frame, mine), planes(with_noise(frame, opaque), mine))


def test_a_long_veil_holds_the_short_one(part: Part) -> None:
    c = Ellipse(300.0, 250.0, part.cover.rx, part.cover.ry)
    long, short = (np.zeros((900, 700), np.float32) for _ in range(2))
    for out, patch in ((long, veil_patch(c, 700, 900, long=True)), (short, veil_patch(c, 700, 900))):
        assert patch is not None
        (x, y), image, alpha = patch
        out[y : y + len(alpha), x : x + alpha.shape[1]] = alpha
        assert (image > 0.2).all() and (image < 0.6).all()
        assert max(alpha[0].max(), alpha[-1].max(), alpha[:, 0].max(), alpha[:, -1].max()) == 0  # nothing of it is cut off
    assert (long >= short).all()
    below = long[round(c.y + 1.6 * c.ry)]
    assert below.max() == 1 and short[round(c.y + 1.6 * c.ry)].max() == 0
    assert (below == 1).sum() > 2 * c.rx


def test_an_unknown_cover_for_hair_is_the_veil(frame: Frame, part: Part) -> None:
    mine = replace(part, treatment="double")
    assert same(planes(frame, replace(mine, hair="wig")), planes(frame, replace(mine, hair="veil")))


def test_a_mix_meets_both_ends(frame: Frame) -> None:
    rng = np.random.default_rng(0)
    other = tuple(rng.integers(16, 235, p.shape).astype(p.dtype) for p in frame.planes)
    assert same(mixed(frame, frame.planes, other, 0.0), frame.planes)
    assert same(mixed(frame, frame.planes, other, 1.0), other)
    assert same(mixed(frame, other, other, 0.4), other)
    grey = tuple(np.full_like(p, v) for p, v in zip(frame.planes, (16, 128, 128), strict=True))
    white = tuple(np.full_like(p, v) for p, v in zip(frame.planes, (235, 128, 128), strict=True))
    half = mixed(frame, grey, white, 0.5)[0]
    assert abs(int(half[0, 0]) - (16 + 219 * 0.5 ** (1 / 2.2))) <= 1  # half of the light, not of the code


def between(frame: Frame, part: Part, other: Part) -> Array:
    """(h, w) bool: the inner face of a part where it is under somebody else's cover."""
    assert part.outline is not None
    inner = cv2.erode(face(frame, part).astype(np.uint8), np.ones((15, 15), np.uint8)) > 0
    made: Array = inner & core(frame, other.cover)
    assert made.sum() > 2000
    return made


@pytest.mark.parametrize("widths", [0.0, 0.3, 0.5])
def test_a_veil_lies_under_somebody_else_s_double(frame: Frame, part: Part, widths: float) -> None:
    """A false face beside or over a double, found by mistake, does not cover it; what no double is drawn over is cloth."""
    mine, other = replace(part, treatment="double"), replace(moved(part, widths), treatment="veil", sure=False, under=True)
    alone, cloth, inner = planes(frame, mine), planes(frame, other), between(frame, mine, other)
    beside = core(frame, other.cover) & ~(cv2.dilate(face(frame, mine).astype(np.uint8), np.ones((61, 61), np.uint8)) > 0)
    for parts in ([mine, other], [other, mine]):
        made = compose(frame, parts, PLAIN, 0)
        out = made.safe.frame.planes
        assert made.veiled == {other.track}
        assert np.abs(out[0].astype(int) - alone[0])[inner].mean() < 0.25 * np.abs(cloth[0].astype(int) - alone[0])[inner].mean()
        assert np.array_equal(out[0][beside], cloth[0][beside])


@pytest.mark.parametrize("weight", [0.5, 1.0])
@pytest.mark.parametrize("hair", ["keep", *HEADWEAR])
@pytest.mark.parametrize("widths", [0.0, 0.3, 0.6])
def test_under_a_cover_everything_is_cloth_or_drawn(frame: Frame, part: Part, widths: float, hair: str, weight: float) -> None:
    """Footage that is noise all over, from which nothing is pulled into a cover: two kinds of it differ in no fine detail."""
    mine = replace(part, treatment="double", hair=hair, weight=weight)
    other, third = replace(moved(part, widths), treatment="veil", under=True), replace(moved(part, -0.4), treatment="double")
    inside = cv2.erode(core(frame, other.cover).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    everywhere = np.ones(inside.shape, bool)
    for parts in ([mine, other], [other, mine], [mine, other, third], [third, other, mine]):
        one, two = (planes(with_noise(frame, everywhere, seed), *parts)[0].astype(np.float32) for seed in (1, 2))
        apart = one - two
        assert np.abs(apart - cv2.blur(apart, (5, 5)))[inside].max() < 6  # levels; colours of a seam may differ
        assert same(planes(frame, *parts), planes(with_noise(frame, inside), *parts))


def test_a_veil_does_not_give_way_to_a_double_that_is_none(frame: Frame, part: Part) -> None:
    """Its face is not where it is drawn, or it is to be veiled: the cover lies over it like over everything else."""
    other = replace(moved(part, 0.3), treatment="veil", under=True)
    b = part.box
    far = replace(part, treatment="double", box=Box(b.x0 - b.width, b.y0, b.x1 - b.width, b.y1))
    inside = core(frame, other.cover)
    for mine in (far, replace(part, treatment="double", weight=0.0)):
        out, cloth = planes(frame, mine, other), planes(frame, other)
        assert np.array_equal(out[0][inside], cloth[0][inside])


def test_doubles_fade_beside_a_veil_without_a_jump(frame: Frame, part: Part) -> None:
    """Out of the veil and into it, the one's double or the other's: each small step of the way is a small one."""
    mine, other = replace(part, treatment="double"), replace(moved(part, 0.4), treatment="double")
    fades = np.linspace(0, 1, 21).tolist()
    for chain in ([[replace(mine, weight=w), replace(other, weight=0.0, under=True)] for w in fades],
                  [[mine, replace(other, weight=w)] for w in fades]):
        lumas = [planes(frame, *parts)[0].astype(float) for parts in chain]
        area = between(frame, mine, other)
        steps = np.array([np.abs(a - b)[area].mean() for a, b in pairwise(lumas)])
        assert steps.max() < 3 * max(steps.mean(), 0.5)


def test_composed_says_who_is_covered_and_who_is_seen(frame: Frame, part: Part) -> None:
    made: Composed = compose(frame, [replace(part, treatment="show"), stranger(frame, part)], PLAIN, 0)
    assert made.veiled == {1} and made.shown == {0}
