"""The audit's trial: what counts as found, and in which films the faults are made."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from bench.mutate import trial as on_trial
from bench.mutate.cases import VIDEO
from bench.mutate.faults import Case, Fault
from bench.mutate.trial import BY, FAULTS, STEPS, Log, Result, Trial, attempt, key, table, trials

KINDS = [k for k, f in enumerate(FAULTS) if f.group != "sound"][:10]


def films(folder: str, count: int) -> list[Case]:
    return [Case(VIDEO / f"{folder}{k}.mp4", Path(folder) / f"{k}.mp4") for k in range(count)]


def result(group: str, place: int, *found: tuple[str, str]) -> Result:
    kind = next(f.kind for f in FAULTS if f.group == group)
    return Result(kind, group, place, 1, True, "film", found)


def test_pictures_are_caught_by_eyes_and_sound_by_ears() -> None:
    eyes, ears, walker = ("seen", "faces"), ("heard", "sound streams"), ("container", "coded sound")
    attacker = ("attacked", "the double itself")
    assert result("picture", 0, eyes).caught and result("picture", 0, ears, attacker).caught and result("sound", 0, ears).caught
    assert not result("picture", 0, ears, walker).caught and not result("sound", 0, eyes, walker).caught
    assert all(result("container", 0, by).caught for by in (eyes, ears, walker))
    assert "| coded sound |" not in table([result("picture", 0, walker)])


def spoilt(case: Case, place: int, strength: float, new: Path) -> None:
    new.write_bytes(b"no film")


@pytest.mark.parametrize("group", ["picture", "sound", "container"])
def test_a_film_that_is_refused_is_caught_only_if_the_file_was_broken(group: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_trial, "FAULTS", [Fault("spoilt", group, (1,), spoilt)])
    made = attempt(Trial(0, 0, 1, films("a", 1)[0], True))
    assert made.error and made.caught is (group == "container")


def test_a_fault_that_cannot_be_made_is_no_catch() -> None:
    container = next(k for k, f in enumerate(FAULTS) if f.group == "container")
    made = attempt(Trial(container, 0, 1, films("a", 1)[0], True))  # there is no such film
    assert made.error and not made.caught


def test_odd_places_are_made_in_films_that_were_held_out() -> None:
    known, fresh = films("known", 3), films("fresh", 4)
    made = list(trials(KINDS, (known, fresh), False, False))
    assert all(t.case in (fresh if t.place % 2 else known) for t in made)
    for half in (known, fresh):
        used = Counter(t.case for t in made if t.case in half)
        assert len(used) == len(half) and max(used.values()) - min(used.values()) <= 1
    assert len({t.case for t in made if t.place == 0}) > 1, "a place has not always the same film"
    quick = list(trials(KINDS, (known, fresh), True, True))
    assert Counter(t.case in fresh for t in quick) == {True: len(KINDS), False: len(KINDS)}
    assert "| found, films held out |" in table([result("picture", 1)], True) and "odd places" in table([result("picture", 1)])


def test_every_group_that_may_catch_a_fault_is_tried_before_it_counts_as_missed() -> None:
    assert {group: {name for step in steps for name in step} for group, steps in STEPS.items()} == BY


def test_a_trial_goes_on_where_it_was_cut_off_but_not_with_other_films(tmp_path: Path) -> None:
    film = tmp_path / "a.mp4"
    film.write_bytes(b"clean")
    one, two = (Trial(KINDS[0], place, 1, Case(VIDEO / "a.mp4", film), True) for place in (0, 1))
    first, path = result("picture", 0, ("seen", "faces")), tmp_path / "log.jsonl"
    Log(path).keep(key(one), first)
    Log(path).keep("clean a", ("faces: one more",))
    held = {key(one): first, "clean a": ("faces: one more",)}
    assert Log(path).held == held and key(two) not in held
    with path.open("a") as file:
        file.write('["cut o')  # killed while it wrote
    assert Log(path).held == held
    with ProcessPoolExecutor(1) as pool:
        came = list(Log(path).through(pool, {key(one): one, key(two): two}, _tried))
    assert [r.film for r in came] == ["film", "tried now"] and set(Log(path).held) == {*held, key(two)}
    other = tmp_path / "b.mp4"
    other.write_bytes(b"another clean one")
    assert key(Trial(KINDS[0], 0, 1, Case(VIDEO / "b.mp4", other), True)) not in Log(path).held


def _tried(trial: Trial) -> Result:
    return replace(result("picture", trial.place), film="tried now")
