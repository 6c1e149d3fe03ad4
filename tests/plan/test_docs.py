from __future__ import annotations

import re
from pathlib import Path

from facedouble.plan.read import KEYS, read
from facedouble.plan.write import HEAD

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "plan.md").read_text()


def test_the_example_is_a_plan() -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    plan = read(example)
    assert [p.name for p in plan.people] == ["Rose", "Sam", "Man with a bag"]
    assert [(a, b, t.face) for a, b, t in plan.spans("A", 0, 5200, 5800)] == [
        (5200, 5250, "double"), (5250, 5300, "reveal"), (5300, 5750, "show"), (5750, 5800, "double")]
    assert [plan.treatment("A", track, 0).face for track in (1, 2, 7, 8)] == ["show", "veil", "ignore", "veil"]
    assert not plan.conflicts
    assert [plan.voicing(turn).said for _, turn in plan.turns("A")] == ["double noor", "mute"]
    assert [(b.start, b.stop) for b in plan.bleeps] == [(2400, 2900)]


def test_every_key_is_explained() -> None:
    table = PAGE[PAGE.index("| where | key |"):]
    for kind, keys in KEYS.items():
        for key in keys:
            assert re.search(rf"`{key}`|[\[.]{key}\]", table), (kind, key)


def test_a_fresh_plan_is_one() -> None:
    assert not read(HEAD).people
