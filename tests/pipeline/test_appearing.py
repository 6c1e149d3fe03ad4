"""Who is asked about a scene: whoever is seen or heard while it is shown, by the times of its own frames."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from facedouble.media.probe import probe
from facedouble.options import Options
from facedouble.pipeline.analyse import Eyes, analyse
from facedouble.pipeline.appearing import NOBODY, _read, scenes_of, take_id
from facedouble.pipeline.contents import Contents
from facedouble.plan.people import Person
from facedouble.plan.plan import Plan
from facedouble.plan.values import Clip
from facedouble.plan.voices import Speech, Voicing
from facedouble.store.renders import Appearance
from tests.media.make import clip


def nobody(said: Voicing) -> str:
    raise AssertionError(said)


@pytest.mark.parametrize("late", [0, 250])
def test_a_turn_belongs_to_the_scene_that_is_shown_meanwhile(late: int, tmp_path: Path, eyes: Eyes) -> None:
    """Ten frames of 200 ms, a cut, ten of 40 ms, as telephones write them in the dark and in the light."""
    ticks = [late + 200 * k for k in range(10)] + [late + 2000 + 40 * k for k in range(10)]
    film = clip(tmp_path / "a.mkv", 96, 64, 20, pts=ticks, base=Fraction(1, 1000), audio=[(16000, 3.0, 0.0)])
    made = analyse(probe(film), eyes, Options())
    said = {"P1": (late + 1500, late + 1980), "P2": (late + 2010, late + 2300), "": (late + 2600, late + 2900)}
    plan = Plan((Clip("A", "a.mkv", "a" * 64, 20, Fraction(6)),),
                people=(Person("P1", "Rose"), Person("P2", "Sam")),
                speech=tuple(Speech("A", a, b, who) for who, (a, b) in said.items()))
    told = Contents((0, 10, 20), ("1" * 64, "2" * 64))
    first, second = scenes_of(plan, "A", made, told, 0, {}, nobody)
    assert first.people == (Appearance("P1", "none", "mute"),)
    assert second.people == (Appearance("P2", "none", "mute"), Appearance(NOBODY, "none", "mute"))


@pytest.mark.parametrize(("turns", "read"), [({"P1": (900, 1500)}, {"P1"}), ({}, set()), ({"": (900, 1500)}, {NOBODY})])
def test_in_a_scene_with_subtitles_they_may_be_of_all_who_are_mute(turns: dict[str, tuple[int, int]], read: set[str],
                                                                   tmp_path: Path, eyes: Eyes) -> None:
    film = clip(tmp_path / "a.mkv", 96, 64, 20, pts=[200 * k for k in range(20)], base=Fraction(1, 1000),
                audio=[(16000, 4.0, 0.0)])
    made = analyse(probe(film), eyes, Options())
    plan = Plan((Clip("A", "a.mkv", "a" * 64, 20, Fraction(5)),), people=(Person("P1", "Rose"),),
                speech=tuple(Speech("A", a, b, who) for who, (a, b) in turns.items()))
    for worded in ((), (1,), (2,)):
        (scene, _) = scenes_of(plan, "A", made, Contents((0, 10, 20), ("1" * 64, "2" * 64), worded), 0, {}, nobody)
        assert {a.person for a in scene.people if a.voice == "read"} == (read if worded == (1,) else set())
        assert {a.person for a in scene.people} == read


def test_where_nobody_has_a_turn_they_may_be_of_all_who_are_seen() -> None:
    seen = [Appearance("P1", "veil", "none"), Appearance("P2", "double", "none", "a" * 16)]
    assert [(a.person, a.face, a.voice) for a in _read(seen)] == [("P1", "veil", "read"), ("P2", "double", "read")]
    kept = [Appearance("P1", "none", "keep"), Appearance("P2", "none", "double", None, "b" * 16)]
    assert _read(kept) == kept


def test_a_take_is_known_by_its_place(tmp_path: Path) -> None:
    places = ("day1/takes", "day2/takes", "takes.rose", "takes.sam", "turn 1.wav")
    names = [take_id(tmp_path, tmp_path / place) for place in places]
    assert len(set(names)) == 5 and take_id(tmp_path, tmp_path / "day1" / ".." / "day1" / "takes") == names[0]
