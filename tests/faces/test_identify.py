"""Who is who, from small arrays: crossings, returns, twins at the same time, doubt, crowds, and the order of the input."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import cdist

from facedouble.faces.identify import (
    CONFLICT,
    FEW,
    GLIMPSE,
    NO_FACE,
    Limits,
    Meeting,
    People,
    Piece,
    Seen,
    between,
    centre,
    distances,
    identify,
    linked,
    looks_at,
    tie,
    unfinished,
    verify,
)
from facedouble.types import Array

RNG = np.random.default_rng(0)


def on_sphere(n: int, radius: float, rng: np.random.Generator = RNG) -> Array:
    v = rng.normal(size=(n, 128))
    out: Array = v * radius / np.linalg.norm(v, axis=1, keepdims=True)
    return out


ANA, BEN, CAN = on_sphere(3, 0.6)  # about .85 apart, as people are in dlib's space


def seen(track: int, start: int, stop: int, who: list[Array], clip: str = "A", trust: float = 0.8, spread: float = 0.12,
         colours: Array | None = None) -> Seen:
    """A track with looks spread over it, each at one of `who`."""
    n = len(who)
    frames = np.linspace(start, stop - 1, n).round().astype(int)
    looks = (np.array(who).reshape(n, 128) + on_sphere(n, spread)).astype(np.float32)
    tones = np.zeros((n, 0), np.float32) if colours is None else np.tile(colours, (n, 1)).astype(np.float32)
    return Seen(clip, track, start, stop, frames, looks, np.full(n, trust, np.float32), tones)


def groups(people: People) -> list[set[str]]:
    return [{p.name for p in person.pieces} for person in people.people]


def test_a_person_who_leaves_and_returns_is_one_also_in_another_clip() -> None:
    tracks = [seen(0, 0, 50, [ANA] * 6), seen(1, 60, 90, [BEN] * 6), seen(2, 100, 150, [ANA] * 6), seen(0, 0, 40, [BEN] * 4, "B")]
    people = identify(tracks, [])
    assert groups(people) == [{"A:0", "A:2"}, {"A:1", "B:0"}]
    assert all(p.sure and p.confidence > 0.5 for p in people.people) and not people.maybe and not people.conflicts
    assert [name for name, _ in people.named()] == ["P1", "P2"]


def test_people_who_cross_are_told_apart_and_the_crossing_is_nobodys() -> None:
    tracks = [seen(0, 0, 100, [ANA] * 5 + [BEN] * 5), seen(1, 0, 100, [BEN] * 5 + [ANA] * 5)]
    people = identify(tracks, [Meeting("A", 0, 1, 0, 100)])
    assert groups(people) == [{"A:0@0-45", "A:1@55-100"}, {"A:0@55-100", "A:1@0-45"}]
    assert list(unfinished(tracks[0], Limits())) == [(44, 55)]


def test_a_missed_cut_before_one_backdrop_splits_the_track() -> None:
    people = identify([seen(3, 10, 40, [ANA, ANA, BEN, BEN, BEN])], [])
    assert groups(people) == [{"A:3@24-40"}, {"A:3@10-18"}]


def test_one_strange_look_is_not_sure_and_the_rest_stays_one() -> None:
    people = identify([seen(0, 0, 70, [ANA, ANA, ANA, BEN, ANA, ANA, ANA])], [])
    assert groups(people) == [{"A:0@0-24", "A:0@46-70"}, {"A:0@34-35"}]
    assert [p.why for p in people.people] == ["", GLIMPSE]


def test_a_grimace_does_not_split_a_track() -> None:
    people = identify([seen(0, 0, 60, [ANA, ANA + (BEN - ANA) * 0.4, ANA, ANA])], [])
    assert groups(people) == [{"A:0"}]


def test_two_alike_at_the_same_time_are_flagged_and_both_not_sure() -> None:
    tracks = [seen(0, 0, 50, [ANA] * 6), seen(1, 0, 50, [ANA] * 6), seen(2, 60, 90, [ANA] * 6), seen(3, 60, 90, [BEN] * 6)]
    people = identify(tracks, [Meeting("A", 0, 1, 0, 50), Meeting("A", 2, 3, 60, 90)])
    assert {g for s in groups(people) for g in s} == {"A:0", "A:1", "A:2", "A:3"} and len(people.people) == 4
    unsure = [next(iter(p.pieces)).name for p in people.people if not p.sure]
    assert unsure == ["A:0", "A:1"] and all(p.why == CONFLICT for p in people.people if not p.sure)
    assert [(d.one, d.other) for d in people.conflicts] == [(2, 3)]
    assert {(d.one, d.other) for d in people.maybe} == {(0, 2), (0, 3)}  # the lone one is told to be like both


def test_people_who_meet_elsewhere_are_never_tied_through_a_third() -> None:
    middle = (ANA + BEN) / 2
    near = [ANA + (middle - ANA) * 0.6, BEN + (middle - BEN) * 0.6]
    tracks = [seen(0, 0, 50, [near[0]] * 6), seen(1, 0, 50, [near[1]] * 6), seen(2, 60, 90, [middle] * 6)]
    people = identify(tracks, [Meeting("A", 0, 1, 0, 50)], Limits(same=0.3, likely=0.3, maybe=0.5))
    assert not any({"A:0", "A:1"} <= g for g in groups(people))


@pytest.mark.parametrize("track", [seen(0, 0, 30, []), seen(0, 0, 30, [ANA] * 4, trust=0.01)])
def test_a_face_that_is_never_seen_well_is_not_sure(track: Seen) -> None:
    people = identify([track, seen(1, 40, 60, [ANA] * 4)], [])
    assert groups(people) == [{"A:1"}, {"A:0"}]
    assert people.people[1].why == NO_FACE and people.people[1].confidence == 0 and not people.maybe


def test_a_pair_in_doubt_stays_apart_and_is_reported() -> None:
    alike = ANA + (BEN - ANA) * 0.5 / np.linalg.norm(BEN - ANA)
    tracks = [seen(0, 0, 30, [ANA] * 8, spread=0.01), seen(1, 40, 60, [alike] * 8, spread=0.01)]
    people = identify(tracks, [])
    assert len(people.people) == 2 and [(d.one, d.other) for d in people.maybe] == [(0, 1)]
    assert people.people[0].confidence < 0.5
    coloured = [seen(0, 0, 30, [ANA] * 8, spread=0.01, colours=np.array([40, 130, 140, 90, 120, 90])),
                seen(1, 40, 60, [alike] * 8, spread=0.01, colours=np.array([42, 130, 138, 92, 120, 91]))]
    assert len(identify(coloured, []).people) == 1  # hair and clothes settle it, within a clip
    elsewhere = [coloured[0], seen(1, 40, 60, [alike] * 8, "B", spread=0.01, colours=np.array([42, 130, 138, 92, 120, 91]))]
    assert len(identify(elsewhere, []).people) == 2


def test_likely_ones_are_tied_unless_somebody_else_is_as_near() -> None:
    limits = Limits()
    d = (limits.same + limits.likely) / 2
    line = np.zeros((3, 4))
    line[1, 0], line[2, 0] = d, 2 * d + 0.01
    apart = np.zeros((3, 3), bool)
    assert linked(line[:2], np.ones(2), apart[:2, :2], limits) == [[0, 1]]
    assert linked(line, np.ones(3), apart, limits) == [[0], [1], [2]]


def test_a_crowd_of_300_has_no_cap_and_is_quick() -> None:
    rng = np.random.default_rng(5)
    who = on_sphere(300, 0.6, rng)
    tracks = [Seen("A", k, 0, 50, np.arange(0, 48, 8), (who[k] + on_sphere(6, 0.15, rng)).astype(np.float32),
                   np.full(6, 0.7, np.float32), np.zeros((6, 6), np.float32)) for k in range(300)]
    meetings = [Meeting("A", i, j, 0, 3) for i in range(300) for j in range(i)]
    before = time.process_time()
    people = identify(tracks, meetings)
    assert len(people.people) == 300 and time.process_time() - before < 2


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.randoms(use_true_random=False))
def test_the_order_of_the_input_does_not_matter(seed: int, shuffle: object) -> None:
    rng = np.random.default_rng(seed)
    who = on_sphere(4, 0.45, rng)
    tracks, meetings = [], []
    for k in range(int(rng.integers(1, 12))):
        n = int(rng.integers(0, 7))
        looks = who[np.repeat(rng.integers(0, 4, 2), [n // 2, n - n // 2])] + on_sphere(n, 0.25, rng)
        at = np.sort(rng.permutation(40)[:n]) + 10 * k
        tracks.append(Seen("AB"[k % 2], k, 10 * k, 10 * k + 40, at, looks.astype(np.float32),
                           rng.uniform(0, 1, n).astype(np.float32), rng.uniform(0, 255, (n, 6)).astype(np.float32)))
        meetings += [Meeting("AB"[k % 2], k, j, 10 * k, 10 * j + 40) for j in range(k) if j % 2 == k % 2 and k - j < 4]
    people = identify(tracks, meetings)
    assert people == identify(tracks, meetings)
    shuffle.shuffle(tracks)  # type: ignore[attr-defined]
    shuffle.shuffle(meetings)  # type: ignore[attr-defined]
    turned = [Meeting(m.clip, m.other, m.one, m.start, m.stop) for m in meetings]
    assert people == identify(tracks, turned)
    claimed = [(p.clip, p.track, f) for q in people.people for p in q.pieces for f in range(p.start, p.stop)]
    assert len(claimed) == len(set(claimed))  # nobody's, or one person's


def shown(*who: Array, trust: float = 0.8) -> Array:
    track = seen(0, 100, 150, list(who), trust=trust)
    return verify(track, on_sphere(5, 0.1) + ANA, [on_sphere(5, 0.1) + BEN, on_sphere(5, 0.1) + CAN])


def test_only_frames_between_two_looks_that_agree_are_sure() -> None:
    sure = shown(*[ANA] * 6, *[BEN] * 5)
    assert sure[:17].all() and not sure[17:].any()  # Ben is seen from frame 29 on; 12 before it may be a dissolve
    assert not shown(*[BEN] * 11).any() and not shown(*[ANA] * 11, trust=0.0).any()
    assert shown(ANA, ANA).sum() == 2  # too far apart for those between them


def test_who_is_like_two_people_is_not_sure() -> None:
    assert not shown(*[(ANA + BEN) / 2] * 11).any()
    track = seen(0, 0, 20, [ANA] * 5)
    assert not verify(track, np.zeros((0, 128)), []).any()
    assert verify(track, on_sphere(4, 0.1) + ANA, []).all()
    assert not verify(track, on_sphere(4, 0.1) + ANA, [on_sphere(4, 0.1) + ANA]).any()  # the other one is as near


def test_looks_at_a_person_are_those_of_its_pieces_that_count() -> None:
    tracks = [seen(0, 0, 100, [ANA] * 5 + [BEN] * 5), seen(1, 0, 30, [CAN] * 3, "B", trust=0.0)]
    people = identify(tracks, [])
    first = next(p for p in people.people if p.pieces == (Piece("A", 0, 0, 45, False),))
    assert np.array_equal(looks_at(first, tracks), tracks[0].embeddings[:5])


def test_looks_taken_later_are_added_in_order() -> None:
    whole = seen(0, 0, 40, [ANA] * 7)
    parts = [Seen(whole.clip, 0, 0, 40, whole.frames[k], whole.embeddings[k], whole.trust[k], whole.colours[k])
             for k in (np.array([0, 2, 6]), np.array([0, 1, 3, 4, 5]))]
    assert np.array_equal(parts[0].joined(parts[1]).embeddings, whole.embeddings)
    with pytest.raises(ValueError, match="order"):
        Seen("A", 0, 0, 40, whole.frames[::-1], whole.embeddings, whole.trust, whole.colours)
    with pytest.raises(ValueError, match="numbers"):
        Seen("A", 0, 0, 40, whole.frames, whole.embeddings * np.nan, whole.trust, whole.colours)


def test_one_bad_look_hardly_moves_the_middle() -> None:
    looks = np.concatenate([ANA + on_sphere(5, 0.1), BEN[None]])
    assert np.linalg.norm(centre(looks, np.ones(6)) - ANA) < 0.6 * np.linalg.norm(looks.mean(0) - ANA)


def test_distances_are_those_of_a_slow_reference() -> None:
    e = np.random.default_rng(0).normal(size=(7, 128))
    assert np.allclose(distances(e), cdist(e, e), atol=1e-6) and np.allclose(between(e[:2], e), cdist(e[:2], e), atol=1e-6)


def test_linking_is_centroid_linkage() -> None:
    e = np.random.default_rng(3).normal(size=(40, 3)) * 0.5
    labels = fcluster(linkage(e, "centroid"), 0.44, "distance")
    reference = {frozenset(np.flatnonzero(labels == k).tolist()) for k in np.unique(labels)}
    limits = Limits(same=0.44, likely=0.0)
    assert {frozenset(g) for g in linked(e, np.ones(40), np.zeros((40, 40), bool), limits)} == reference and len(reference) > 5


def person(rng: np.random.Generator, looks: int, spread: float = 0.2) -> Array:
    out: Array = on_sphere(1, 1.0, rng) + on_sphere(looks, spread, rng)
    return out


def test_single_faces_are_tied_to_people() -> None:
    rng = np.random.default_rng(2)
    people = [person(rng, n) for n in (4, 9, 6)]
    order = rng.permutation(19)
    tied = tie(np.concatenate(people)[order], list(range(19)), 0.6)
    owner = np.repeat([0, 1, 2], [4, 9, 6])[order]
    assert [len(g) for g in tied] == [9, 6, 4]
    assert all(len(set(owner[g])) == 1 for g in tied) and sorted(i for g in tied for i in g) == list(range(19))
    assert tie(np.zeros((0, 128)), [], 0.6) == []


def test_two_faces_of_one_moment_are_two_people() -> None:
    one = person(np.random.default_rng(4), 6, spread=0.05)
    assert [len(g) for g in tie(one, [0, 0, 1, 1, 2, 2], 0.6)] == [3, 3]
    assert [len(g) for g in tie(one, list(range(6)), 0.6)] == [6]


def test_a_stray_face_goes_to_whom_it_would_be_accepted_as() -> None:
    base = np.zeros((FEW + 2, 128))
    stray = np.zeros((1, 128))
    stray[0, 0] = 0.55
    assert tie(np.concatenate([base, stray]), list(range(5)), 0.6) == [[0, 1, 2, 3, 4]]
    stray[0, 0] = 0.61
    assert tie(np.concatenate([base, stray]), list(range(5)), 0.6) == [[0, 1, 2, 3], [4]]


def test_what_shines_through_in_a_dissolve_is_nobody_for_sure() -> None:
    track = seen(0, 0, 90, [ANA] * 4 + [CAN] * 2 + [BEN] * 4)  # neither the one nor the other
    people = identify([track, seen(1, 100, 130, [BEN] * 4)], [])
    assert [(p.why, [q.track for q in p.pieces]) for p in people.people] == [("", [0, 1]), ("", [0]), (GLIMPSE, [0])]
