"""Random plans over finds with random gaps, drawn for real: what is seen of a face has been decided, and is sure."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facedouble.doubles.mannequin import VARIANTS, mannequin
from facedouble.options import Options
from facedouble.pipeline.analyse import Analysis, Eyes
from facedouble.pipeline.company import Act, Laid, PlanCompany, Rehearsed
from facedouble.plan.people import FACES, HAIR, HIDES, Decision, Person, Span, TrackName
from facedouble.plan.plan import Plan
from facedouble.plan.values import Ignored
from facedouble.protect.card import watermark
from facedouble.protect.composite import Composed, compose
from facedouble.protect.regions import Key, Place, interpolate
from facedouble.types import Array, Bools, Box, Double, Frame
from tests.pipeline.two_faces import Seen, film, see, side_by_side
from tests.plan.make import CLIPS, DOUBLES, FRAMES, TRACKS, bleeps, decisions, halos, regions, spans
from tests.plan.test_plan import said, slow
from tests.protect.test_bottleneck import with_noise

OPTIONS = Options()
CLAIMS = [["P0"], ["P1"], ["P2"], ["P0"], ["P1"], ["P2"], ["P0", "P1"], ["P2", ""], [""], []]
LOOKED_AT = 5  # frames of each random film
CHANCE = 0.02  # share of noisy samples that may be the footage's by chance: 1 of 220 levels


@pytest.fixture(scope="module")
def seen(witness: Path, eyes: Eyes, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    made = see(film(tmp_path_factory.mktemp("two") / "two.mp4", side_by_side(witness)), eyes, OPTIONS)
    assert len(made.frames) == FRAMES["A"]
    assert all(len(areas) == len(made.frames) and min(a.sum() for a in areas.values()) > 1500 for areas in made.areas)
    return made


@pytest.fixture(scope="module")
def doubles(double: Double) -> dict[str, Double]:
    return {"double ana": double, "double ben": mannequin(1), **{f"mannequin P{n}": mannequin(n % VARIANTS) for n in range(9)},
            "mannequin ": mannequin(0)}


@st.composite
def crowded(draw: st.DrawFn) -> Plan:
    """Three people and what is ignored share the first tracks of a clip among them, piece by piece; some claim the same."""
    faces: dict[str, list[TrackName]] = {"P0": [], "P1": [], "P2": [], "": []}
    for track in range(TRACKS):
        edges = [0, *sorted(draw(st.sets(st.integers(1, FRAMES["A"] - 1), max_size=2))), FRAMES["A"]]
        for start, stop in pairwise(edges):
            for who in draw(st.sampled_from(CLAIMS)):
                faces[who].append(TrackName("A", track, start, stop))
    cast = []
    for id_ in ("P0", "P1", "P2"):
        decision = draw(decisions(tuple(face for face in FACES if face != "reveal")))
        said_when = draw(spans(decision))
        if decision.face != "show" and draw(st.integers(0, 2)) == 0:
            start = draw(st.integers(0, FRAMES["A"] - 20))
            reveal = Decision("reveal", by="Rose", reason="so")
            said_when = [Span("A", start, FRAMES["A"], reveal, dissolve=draw(st.integers(5, FRAMES["A"] - start)))]
        cast.append(Person(id_, id_, tuple(faces[id_]), decision, draw(halos), draw(st.sampled_from(HAIR)), tuple(said_when),
                           hide=draw(st.sampled_from(HIDES))))
    return Plan(CLIPS, DOUBLES, tuple(cast), tuple(Ignored(face, "Lin") for face in faces[""]),
                tuple(draw(regions(n)) for n in range(draw(st.integers(0, 1)))),
                bleeps=tuple(draw(st.lists(bleeps(), max_size=1))))


@st.composite
def gaps(draw: st.DrawFn) -> frozenset[int]:
    """Frames in bursts, of which enough are left for a face to be known of."""
    lost: set[int] = set()
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, FRAMES["A"] - 1))
        lost |= set(range(start, start + draw(st.sampled_from([1, 2, 5, 9, 15]))))
    return frozenset(lost)


def rehearsed(plan: Plan, made: Analysis, doubles: dict[str, Double], seed: int) -> Rehearsed:
    """Everybody may play; a face is sure in random stretches of those frames in which a detector saw it."""
    rng = np.random.default_rng(seed)
    sure: dict[int, Bools] = {}
    for role in made.roles:
        n = len(role.weights)
        stretches = np.repeat(rng.random(n // 6 + 1) < 0.7, 6)[:n]
        sure[role.track.id] = stretches & np.asarray(role.track.rows["observed"])
    laid = []
    for r in plan.regions:
        if r.clip == "A":
            keys = [Key(k.frame, Place(k.x, k.y, min(k.w, 900), min(k.h, 900), k.angle)) for k in r.keys]
            stop = made.frames if r.stop is None else r.stop
            laid.append(Laid(r.start, interpolate(keys, r.start, stop), r.shape, r.cover))
    acts = {(role.track.id, name): Act(role, double) for role in made.roles for name, double in doubles.items()}
    mark = watermark(plan.watermark, made.info.width, made.info.height) if plan.watermark else None
    return Rehearsed(acts, sure, tuple(laid), mark)


def overlap(a: Box, b: Box) -> float:
    w, h = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
    both = max(w, 0) * max(h, 0)
    return both / (a.width * a.height + b.width * b.height - both)


def may_be_seen(plan: Plan, made: Analysis, sure: dict[int, Bools], face: Box, frame: int) -> bool:
    """Whether somebody decided that what is there in a frame is seen, read off the plan's lists, and it is sure."""
    for role in made.roles:
        i = frame - role.track.start
        if not 0 <= i < len(role.weights) or overlap(role.track.boxes[i], face) < 0.1:
            continue
        who = slow(plan, "A", role.track.id, frame)
        if len(who) != 1:
            continue
        (id_,) = who
        if id_ == "ignored":
            return True
        if any(b.clip == "A" and b.start - 300 <= (frame + 1) * 40 and frame * 40 <= b.stop + 300 for b in plan.bleeps):
            continue  # 25 frames/s: the lips say what is bleeped
        decision, span = said(next(p for p in plan.people if p.id == id_), "A", frame)
        if (decision.face == "show" or (decision.face == "reveal" and span is not None)) and sure[role.track.id][i]:
            return True
    return False


def same(a: tuple[Array, ...], b: tuple[Array, ...]) -> bool:
    return all(np.array_equal(p, q) for p, q in zip(a, b, strict=True))


def check(seen: Seen, plan: Plan, made: Analysis, ready: Rehearsed, numbers: list[int]) -> None:
    """In every frame: a face that may not be seen has no say in any sample, and none of its samples is the footage's."""
    company = PlanCompany(plan, "A", made, ready, OPTIONS)

    def drawn(frame: Frame) -> Composed:
        scene = company.scene(frame.index)
        return compose(frame, scene.parts, OPTIONS.draw, 0, scene.regions)

    for number in numbers:
        frame = seen.frames[number]
        open_ = [may_be_seen(plan, made, dict(ready.sure), seen.boxes[k][number], number) for k in (0, 1)]
        barred = np.zeros(seen.areas[0][number].shape, bool)
        for k in (0, 1):
            if not open_[k]:
                barred |= seen.areas[k][number]
        noisy = with_noise(frame, barred)
        plain, other = drawn(frame), drawn(noisy)
        assert same(plain.safe.frame.planes, other.safe.frame.planes), (number, open_)
        luma, source = other.safe.frame.planes[0], noisy.planes[0]
        if barred.any():
            assert (luma == source)[barred].mean() < CHANCE, (number, open_)
        seen_here = [(luma == frame.planes[0])[seen.areas[k][number]].mean() > 0.9 for k in (0, 1)]
        assert not any(s and not o for s, o in zip(seen_here, open_, strict=True)), (number, open_)


@settings(max_examples=20, deadline=None)
@given(crowded(), st.tuples(gaps(), gaps()), st.integers(0, 2**32 - 1),
       st.lists(st.integers(0, FRAMES["A"] - 1), min_size=LOOKED_AT, max_size=LOOKED_AT, unique=True))
def test_only_what_is_decided_and_sure_is_seen(seen: Seen, doubles: dict[str, Double], plan: Plan,
                                               lost: tuple[frozenset[int], ...], seed: int, numbers: list[int]) -> None:
    made = seen.analysis(lost, OPTIONS)
    near = numbers + [min(f + 1, FRAMES["A"] - 1) for gap in lost for f in sorted(gap)[:1]]
    check(seen, plan, made, rehearsed(plan, made, doubles, seed), sorted(set(near)))


def test_the_check_finds_a_face_that_nobody_decided_to_show(seen: Seen, doubles: dict[str, Double]) -> None:
    """The referee is none if it never whistles: a scene of another plan is a leak in the eyes of the empty one."""
    made = seen.analysis((frozenset(), frozenset()), OPTIONS)
    shown = Plan(CLIPS, DOUBLES, (Person("P1", "Sam", tuple(TrackName("A", r.track.id) for r in made.roles),
                                         Decision("show", by="Sam", reason="so")),))
    ready = rehearsed(shown, made, doubles, 0)
    ready = Rehearsed(ready.acts, {k: np.ones(len(v), bool) for k, v in ready.sure.items()})
    check(seen, shown, made, ready, [3, 30])
    company = PlanCompany(shown, "A", made, ready, OPTIONS)

    class Leaky(PlanCompany):
        scene = staticmethod(company.scene)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.pipeline.test_random_plans.PlanCompany", Leaky)
        with pytest.raises(AssertionError):
            check(seen, Plan(CLIPS), made, ready, [40])
