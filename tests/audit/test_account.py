"""Who is where, as a plan and its notes say it: by an index, and as plainly as it can be worked out."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from facedouble.audit.account import Told
from facedouble.audit.follow import FOLLOWS
from facedouble.audit.verdict import Check
from facedouble.pipeline.audit.account import account_of_plan, owner
from facedouble.pipeline.audit.covers import Reported, more_veiled
from facedouble.pipeline.audit.run import _count
from facedouble.pipeline.audit.seen import Sighted, Stay
from facedouble.plan.people import Decision, Person, TrackName
from facedouble.plan.plan import Plan
from facedouble.plan.values import Clip, Ignored
from facedouble.types import Box, Colour, MediaInfo

CLIP = Clip("A", "a.mp4", "a" * 64, 500, Fraction(25))
SHOWN = Decision("show", by="me", reason="asked")


def test_everybody_is_where_the_notes_have_them() -> None:
    rng = np.random.default_rng(3)
    where = {k: (int(rng.integers(0, 400)), np.sort(rng.uniform(0, 200, (int(rng.integers(1, 90)), 2, 2)), 1).reshape(-1, 4))
             for k in range(40)}
    people = tuple(Person(f"P{n}", f"person {n}", tuple(TrackName("A", k) for k in range(n, 40, 3)), decision)
                   for n, decision in enumerate((Decision("mannequin", by="me"), SHOWN), 1))
    plan = Plan((CLIP,), people=(*people, Person("P9", "both", (TrackName("A", 4),))))
    account = account_of_plan(plan, "A", where, 7)
    for number in range(0, 520, 3):
        frame = number - 7
        plainly = [Told(Box.of(rows[frame - start]), plan.treatment("A", k, frame).face, owner(plan, "A", k, frame), k)
                   for k, (start, rows) in where.items() if start <= frame < start + len(rows)]
        assert list(account(number)) == plainly
    assert account(7 + where[4][0])[0].person == "" or len(account(7 + where[4][0])) > 1


def test_what_a_round_veiled_though_it_is_shown_has_to_be_a_veil() -> None:
    where = {k: (0, np.tile([10.0, 10, 50, 60], (100, 1))) for k in range(3)}
    plan = Plan((CLIP,), people=(Person("P1", "one", (TrackName("A", 0),), SHOWN),),
                ignored=(Ignored(TrackName("A", 1), "me"),))
    reported = Reported.of({"audit": {"covered": [{"face": k, "frames": [30, 40]} for k in (0, 1)]}})
    account = more_veiled(account_of_plan(plan, "A", where, 5), reported, 5)
    assert [t.treatment for t in account(5 + 20)] == ["show", "ignore", "veil"]
    assert {t.treatment for n in (25, 35, 44) for t in account(5 + n)} == {"veil"}


def test_without_a_plan_a_face_is_sure_only_where_it_was_seen() -> None:
    rows = np.tile([0.0, 0, 9, 9], (4, 1))
    account = Sighted((Stay(3, rows, np.array([False, True, True, False]), "double"), Stay(1, rows, np.ones(4, bool), "maybe")))
    told = {n: [(t.track, t.person, t.treatment) for t in account(n)] for n in (0, 1, 3, 4, 6, 7)}
    assert told == {0: [], 1: [(1, "face 2", "maybe")], 3: [(0, "face 1", "maybe"), (1, "face 2", "maybe")],
                    4: [(0, "face 1", "double"), (1, "face 2", "maybe")], 6: [(0, "face 1", "maybe")], 7: []}
    assert account.faces == ("face 2", "face 1")


def test_the_frames_of_a_film_are_those_that_were_looked_at() -> None:
    info = MediaInfo("made", "mp4", 64, 64, 160, Fraction(25), Fraction(1, 25), Fraction(0), None, 0, Fraction(1), Colour(),
                     "yuv420p", 8, (), (), ())
    plans = Check("counts and times", "container", "", 160, "frames")
    assert _count([Check(FOLLOWS, "seen", "", 60, "frames"), plans], info) == 60
