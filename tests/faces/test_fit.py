"""From landmarks to codes: what comes out of a moved mean shape is what went in; and when the veil takes over."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation

from facedouble.faces.fit import cross_fade, fit, fuse, judge
from facedouble.faces.outlines import Outlines
from facedouble.faces.reading import Sighting, gaze, read
from facedouble.faces.smooth import smooth
from facedouble.morphable import layout
from facedouble.morphable.pose import canonical, euler
from facedouble.morphable.semantics import neutral_frames, semantics
from facedouble.morphable.topology import topology
from facedouble.options import FitOptions, Options
from facedouble.pipeline.analyse import Analysis, Eyes, looks, quiet
from facedouble.types import Array, Doubles

T = topology()


def sightings(yaw: Array, size: float = 120.0, roll: Array | None = None) -> list[Sighting]:
    light = np.zeros(69, np.float32)
    rows = []
    for i, y in enumerate(yaw):
        r = Rotation.from_euler("yz", [y, 0 if roll is None else roll[i]], degrees=True).as_matrix()
        rows.append(Sighting(i, (size * T.mean @ r.T + [300 + i, 200, 0]).astype(np.float32), light, 0.01))
    return rows


def reference(rows: list[Sighting]) -> tuple[Doubles, Array, Doubles]:
    """The fit as its formulas read, with everything of all frames in memory: codes (n, 123), meshes (n, 468, 2), clip code."""
    marks = np.stack([s.marks for s in rows]).astype(np.float64)
    shapes, scales, rotations, shifts = canonical(marks, T.mean)
    turns = Rotation.from_matrix(rotations)
    middle = turns[len(turns) // 2]
    raw, turns = turns, middle * Rotation.from_rotvec(smooth((middle.inv() * turns).as_rotvec(), 7))
    angles = np.array([euler(m) for m in turns.as_matrix()])
    lag = np.degrees(np.pad((turns.inv() * raw).magnitude(), 1, mode="edge"))
    lag = np.array([lag[i : i + 3].mean() for i in range(len(raw))])
    pace = np.where(lag > 1.5, 1 - (1.5 / np.maximum(lag, 1e-9)) ** 2, 0)
    turns = turns * Rotation.from_rotvec(pace[:, None] * (turns.inv() * raw).as_rotvec())
    scales, shifts = (x + (pace * (y - x).T).T for x, y in ((smooth(scales, 9), scales), (smooth(shifts, 7), shifts)))
    middle = turns[int(np.abs(angles - np.median(angles, 0)).sum(1).argmin())]
    more = (middle.inv() * turns).as_rotvec() * [0.3, 0.15, 0]
    more *= np.minimum(1, np.radians(5) / np.maximum(np.linalg.norm(more, axis=1), 1e-9))[:, None]
    turns = turns * Rotation.from_rotvec(more * np.clip((50 - np.abs(angles[:, :1])) / 15, 0, 1))
    s = semantics(shapes)
    rest = neutral_frames(s, angles, shapes, T.mean, T.mirror)
    neutral = np.median(shapes[rest], 0)
    terms = layout.pose_terms(angles) - layout.pose_terms(np.median(angles[rest], 0)[None])
    moves = (shapes - neutral - np.tensordot(terms, T.bend, 1))[:, :468]
    region = [0] * 16 + [1] * 8 + [2] * 8
    expression = np.stack([(moves * T.weights[None, :, r, None] * T.basis[k]).sum((1, 2)) for k, r in enumerate(region)], 1)
    lids = smooth(np.stack([s.right_aperture, s.left_aperture], 1), 5)
    g = shapes[:, layout.LOWER_INNER_LIP[1:-1], 1] - shapes[:, layout.UPPER_INNER_LIP[1:-1], 1]
    g = np.maximum(g - np.minimum(np.percentile(g, 8, axis=0), 0.02), 0)
    lips = smooth(np.where(g < 0.012, g * 0.5, g), 5)
    looked = smooth(gaze(shapes), 5)
    both = (looked[:, :2] + looked[:, 2:]) / 2
    looked = np.concatenate([0.75 * both + 0.25 * own + 0.25 * (np.median(own, 0) - np.median(both, 0))
                             for own in (looked[:, :2], looked[:, 2:])], 1)
    lights = gaussian_filter1d(np.stack([x.light for x in rows]).astype(np.float64), 4.0, axis=0, mode="nearest")
    codes = np.concatenate([scales[:, None], turns.as_rotvec(), shifts, smooth(expression, 5), lids, lips,
                            looked, lights], 1)
    n, oval = semantics(neutral[None]), neutral[layout.OVAL][:, :2]
    x, y = oval.T
    clip = np.array([n.width[0], neutral[152, 1] - neutral[168, 1], np.linalg.norm(neutral[33] - neutral[133]),
                     abs(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))) / 2, (y.max() + y.min()) / 2,
                     *np.minimum(0.115, np.percentile(lids, 0.5, axis=0)), n.right_aperture[0], n.left_aperture[0],
                     *np.median(looked[:, [1, 3]], 0)])
    return codes, smooth(marks[:, :468, :2], 5), clip


@pytest.fixture(scope="module")
def seen(analysis: Analysis, eyes: Eyes) -> list[Sighting]:
    """The generated witness as the landmarker sees it, with a gap."""
    track = analysis.roles[0].track
    found = looks(analysis.info, (track,), eyes, Options(), quiet, analysis.frames)
    return [look.sighting for _, look in found if look is not None]


def filled(rows: list[Sighting]) -> list[Sighting]:
    """Gapless sightings, those in between interpolated."""
    made = [rows[0]]
    for b in rows[1:]:
        a = made[-1]
        for k in range(1, b.frame - a.frame):
            u = k / (b.frame - a.frame)
            made.append(Sighting(a.frame + k, a.marks * (1 - u) + b.marks * u, a.light * (1 - u) + b.light * u, 1.0))
        made.append(b)
    return made


@pytest.mark.parametrize("which", [slice(0, 3), slice(0, 4), slice(0, 6), slice(0, 33), slice(5, 43), slice(None), "gaps"])
def test_codes_outlines_and_clip_code_are_those_of_the_plain_formulas(seen: list[Sighting], which: slice | str) -> None:
    rows = seen[which] if isinstance(which, slice) else [s for s in seen if s.frame not in (7, *range(20, 31), 40)]
    codes, meshes, clip = reference(filled(rows))
    made = fit(read(rows), 0, 0)
    assert len(made.codes) == len(made.outlines) == len(codes)
    assert np.abs(made.codes.numbers[:, 7:] - codes[:, 7:]).max() < 1e-5 if len(codes) > 3 else True
    assert np.abs(made.codes.numbers[:, :54] - codes[:, :54]).max() < 1e-4  # px of up to some hundreds, float32
    assert np.abs(np.array([o.mesh for o in made.outlines]) - meshes).max() < 1 / 30  # px
    assert np.abs(np.array(made.clip.floats()[:11]) - clip).max() < 1e-5


def test_a_frame_needs_little_memory(seen: list[Sighting]) -> None:
    reading = read(seen)
    notes = reading.notes
    made = fit(reading, 0, 0)
    assert isinstance(made.outlines, Outlines)
    held = made.codes.numbers.nbytes + made.outlines.nbytes + made.angles.nbytes + notes.nbytes
    assert held / len(seen) < 1300  # measured about 1100; landmarks alone would be 5700
    assert not reading.sample


def test_the_same_sightings_give_the_same_bits(seen: list[Sighting]) -> None:
    a, b = fit(read(seen), 0, 0), fit(read(seen), 0, 0)
    assert a.codes == b.codes and a.clip == b.clip and np.array_equal(a.angles, b.angles)
    assert all(np.array_equal(p.mesh, q.mesh) for p, q in zip(a.outlines, b.outlines, strict=True))


def test_a_long_track_finds_its_neutral_shape_in_a_bounded_sample() -> None:
    rows = sightings(12 * np.sin(np.arange(1500) / 9))
    rng = np.random.default_rng(5)
    rows = [Sighting(s.frame, s.marks + rng.normal(0, 0.3, (478, 1)).astype(np.float32), s.light, 0.01) for s in rows]
    reading = read(rows)
    assert len(reading.notes) == 1500 and reading.every == 4 and len(reading.sample) == 375
    made = fit(reading, 0, 0)
    codes, _, clip = reference(rows)
    assert np.abs(np.array(made.clip.floats()[:11]) - clip).max() < 0.01  # another fifteen frames at rest, the same face
    assert np.abs(made.codes.numbers[:, :7] - codes[:, :7]).max() < 1e-3  # pose does not depend on the neutral shape
    short = read(rows[:600])
    assert len(short.notes) == 600 and short.every == 1 and len(short.sample) == 600


def test_a_reading_is_used_up_and_goes_forwards_only() -> None:
    rows = sightings(np.zeros(5))
    reading = read(rows)
    fit(reading, 0, 0)
    with pytest.raises(ValueError, match="used up"):
        fit(reading, 0, 0)
    with pytest.raises(ValueError, match="after"):
        read([rows[2], rows[1]])


def test_what_is_interpolated_is_never_trusted() -> None:
    rows = [s for s in sightings(np.zeros(30), size=90) if s.frame not in (10, 11, 12)]
    reading = read(rows)
    good = judge(fit(reading, 0, 0), reading.notes, FitOptions())
    assert len(good) == 30 and not good[10:13].any() and good[:10].all() and good[13:].all()


def test_pose_of_a_moved_mean_shape() -> None:
    yaw = 15 * np.sin(np.arange(40) / 6)
    made = fit(read(sightings(yaw)), 0, 0)
    assert np.abs(made.angles[:, 0] - yaw).max() < 1.0
    assert made.codes[10].scale == pytest.approx(120, rel=0.01)
    assert np.abs(made.codes[10].translation - [310, 200, 0]).max() < 1


def test_a_head_that_turns_fast_is_followed_and_one_at_rest_is_calm() -> None:
    """40 degrees to the side and back in three frames each: the window of seven frames misses them by more than 5."""
    rng = np.random.default_rng(2)
    yaw = np.interp(np.arange(60), [0, 29, 32, 35, 59], [20.0, 20, -20, 20, 20]) + 0.2 * rng.standard_normal(60)
    made = fit(read(sightings(yaw)), 0, 0)
    lag = smooth(yaw, 7)
    assert np.abs(lag - yaw).max() > 5
    assert made.angles[:, 0] == pytest.approx(lag, abs=0.1)
    drawn = np.array([euler(Rotation.from_rotvec(c.rotation.astype(np.float64)).as_matrix())[0] for c in made.codes])
    wanted = yaw + np.clip(0.15 * (yaw - np.median(lag)), -5, 5)
    assert np.abs(drawn - wanted).max() < 3
    still = np.r_[0:20, 42:60]
    assert np.diff(drawn[still], 2).std() < 1.2 * np.diff(lag[still], 2).std()  # turned farther by .15, jitter and all


def test_heads_are_turned_farther_than_they_are_read() -> None:
    """About their middle pose, by a seventh, at most by 5 degrees, and not at all where they are far to the side."""
    yaw = np.concatenate([np.linspace(0, 30, 60), np.linspace(30, 0, 60), np.zeros(241), np.linspace(0, 58, 60)])
    made = fit(read(sightings(yaw)), 0, 0)
    drawn = np.array([euler(Rotation.from_rotvec(c.rotation.astype(np.float64)).as_matrix())[0] for c in made.codes])
    more = drawn - made.angles[:, 0]
    assert more[150] == pytest.approx(0, abs=0.1) and more[40] == pytest.approx(0.15 * made.angles[40, 0], abs=0.2)
    assert 4 < more.max() < 5.1 and np.abs(more[np.abs(made.angles[:, 0]) > 50]).max() < 0.01
    assert (np.diff(drawn[-60:]) > 0).all()


def test_too_far_too_small_and_disagreeing_are_not_trusted() -> None:
    def good(rows: list[Sighting]) -> Array:
        reading = read(rows)
        return judge(fit(reading, 0, 0), reading.notes, FitOptions(max_yaw=40))

    turned = good(sightings(np.linspace(0, 60, 60)))
    assert turned[:35].all() and not turned[45:].any()
    assert not good(sightings(np.zeros(10), size=12)).any()
    assert not good([Sighting(s.frame, s.marks, s.light, 0.5) for s in sightings(np.zeros(10))]).any()


def test_the_fade_is_over_before_the_first_bad_frame() -> None:
    good = np.ones(60, bool)
    good[30:40] = False
    w = cross_fade(good, 5, 8)
    assert (w[30:40] == 0).all() and w[29] == 0 and w[40] == 0
    assert w[24] == 1 and w[45] == 1 and (np.diff(w[:30]) <= 0).all()
    assert (cross_fade(np.ones(5, bool), 5, 8) == 1).all()


def test_short_islands_of_trust_stay_veiled() -> None:
    good = np.zeros(40, bool)
    good[10:15] = True
    assert (cross_fade(good, 5, 8) == 0).all()


def test_smoothing_has_no_lag_and_leaves_short_runs_alone() -> None:
    x = np.sin(np.arange(50) / 5)
    assert np.abs(smooth(x, 5) - x).max() < 0.01
    assert np.array_equal(smooth(x[:2], 5), x[:2])


def test_a_mirrored_run_is_turned_back() -> None:
    seen = T.mean[T.mirror]  # in a mirror, with x turned back, a landmark has the other side's number
    fused, apart = fuse(T.mean, seen)
    assert apart < 1e-6 and np.allclose(fused[:468], T.mean[:468], atol=1e-6)


def test_the_fade_of_an_hour_of_footage_needs_little_memory() -> None:
    good = np.ones(90_000, bool)
    good[::3000] = False
    w = cross_fade(good, 5, 8)
    assert w[1500] == 1 and w[3000] == 0 and w[3001] == 0 and w[3002] == pytest.approx(0.2)


def test_a_small_face_that_tilts_is_not_trusted_for_a_second_around() -> None:
    def good(size: float, roll: Array) -> Array:
        reading = read(sightings(np.zeros(120), size, roll))
        return judge(fit(reading, 0, 0), reading.notes, FitOptions())

    tilt = np.where(np.arange(120) < 60, 0.0, np.clip(np.arange(120) - 60, 0, 15))
    width = float(np.linalg.norm(T.mean[234] - T.mean[454]))
    small, large = good(54 / width, tilt), good(90 / width, tilt)
    assert small[:35].all() and not small[50:].any()
    assert large.all()
    assert good(54 / width, np.zeros(120)).all()
