from __future__ import annotations

import dataclasses
from dataclasses import fields, is_dataclass
from typing import Any

import pytest

from facedouble.errors import UsageError
from facedouble.options import DrawOptions, Options, parse


def knobs() -> list[tuple[str, str, Any]]:
    """Every number with a range: step, name, field."""
    return [(step.name, f.name, f) for step in fields(Options) if is_dataclass(getattr(Options(), step.name))
            for f in fields(getattr(Options(), step.name)) if "low" in f.metadata]


def test_an_empty_file_gives_the_defaults() -> None:
    assert parse("") == Options()


def test_values_are_taken() -> None:
    options = parse("seed = 3\n[draw]\nhalo = 1\nstrict = true\n[encode]\npreset = 'slow'\n")
    assert (options.seed, options.draw, options.encode.preset) == (3, DrawOptions(halo=1, strict=True), "slow")


@pytest.mark.parametrize("text", [
    "speed = 1", "[draw]\nhalos = 1", "[blur]\nsigma = 3", "[draw]\nhalo = 'much'", "[draw]\nstrict = 1",
    "[draw]\nhalo = -0.1", "[encode]\nthreads = 2.5", "draw = 1", "[draw", "[draw]\nhalo = nan", "seed = 'a'",
    "[draw]\nhalo = true",
])
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse(text)


@pytest.mark.parametrize(("step", "name", "field"), knobs())
def test_ranges_hold_at_both_ends(step: str, name: str, field: Any) -> None:
    part = getattr(Options(), step)
    for end in ("low", "high"):
        dataclasses.replace(part, **{name: field.metadata[end]})
    for outside in (field.metadata["low"] - 1, field.metadata["high"] + 1):
        with pytest.raises(UsageError, match=name):
            dataclasses.replace(part, **{name: outside})


def test_the_error_names_the_range_and_the_known() -> None:
    with pytest.raises(UsageError, match=r"halo = 2.0 is out of range: take 0.0 to 1.0"):
        parse("[draw]\nhalo = 2.0")
    with pytest.raises(UsageError, match=r"unknown option draw.blur: known are calm, hair, halo, occlusion, strict"):
        parse("[draw]\nblur = 2.0")


def test_the_digest_changes_with_every_option() -> None:
    digests = {Options().digest(), dataclasses.replace(Options(), seed=1).digest()}
    for step, name, field in knobs():
        part = getattr(Options(), step)
        other = field.metadata["high"] if getattr(part, name) != field.metadata["high"] else field.metadata["low"]
        digests.add(dataclasses.replace(Options(), **{step: dataclasses.replace(part, **{name: other})}).digest())
    assert len(digests) == 2 + len(knobs())
    assert Options().digest() == Options().digest()


def test_no_option_weakens_a_contract() -> None:
    names = {f.name for step in fields(Options) if is_dataclass(getattr(Options(), step.name))
             for f in fields(getattr(Options(), step.name))}
    assert not [name for name in names if name.startswith(("no_", "skip", "allow", "disable", "unsafe"))]
