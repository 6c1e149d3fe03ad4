"""What an audit says: checks that were tried, what each found, and whether that lets the file go."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from facedouble.types import Box, Value

GROUPS: Final = ("seen", "attacked", "heard", "container")
VERDICT: Final = "verdict"  # the figure that says what was told of something that has no limit
Figure = float | int | str


@dataclass(frozen=True)
class Look(Value):
    """A place in the output to look at: a frame, and where in it (None: all of it), with a word of why."""

    frame: int
    box: Box | None = None
    why: str = ""


@dataclass(frozen=True)
class Finding(Value):
    """Something that must not be in the file.

    what: one sentence for a film-maker; frames: half-open, of the output; ms: half-open, of the output's time, for sound; box:
    px, upright; score and the limit that it is past; person: the plan's id of whom it gives away.
    """

    what: str
    frames: tuple[int, int] | None = None
    ms: tuple[int, int] | None = None
    box: Box | None = None
    score: float | None = None
    limit: float | None = None
    person: str = ""

    def check(self) -> None:
        for span in (self.frames, self.ms):
            if span is not None and not 0 <= span[0] < span[1]:
                raise ValueError(f"a finding of {span}")


@dataclass(frozen=True)
class Check(Value):
    """One thing that was tried.

    name: a few words; group: of GROUPS; tried: one sentence, how and on what; looked, unit: how many frames, faces, seconds,
    boxes; figures: what was measured, by name; worst: what comes nearest to a finding, to be looked at also where nothing was
    found; missing: why it could not be tried, "" if it was. needed: a file does not pass while that is missing.
    """

    name: str
    group: str
    tried: str
    looked: int = 0
    unit: str = ""
    findings: tuple[Finding, ...] = ()
    figures: Mapping[str, Figure] = field(default_factory=dict)
    worst: tuple[Look, ...] = ()
    missing: str = ""
    needed: bool = True

    def check(self) -> None:
        if self.group not in GROUPS:
            raise ValueError(f"no group {self.group}")
        if self.missing and self.findings:
            raise ValueError(f"{self.name}: not tried, and found something")

    @property
    def passed(self) -> bool:
        """Whether nothing stands against the file."""
        return not self.findings and not (self.missing and self.needed)


@dataclass(frozen=True)
class Audit(Value):
    """All of it. sha256: of the file; facts: models, limits, versions, seed; untested: one sentence each of what remains."""

    sha256: str
    size: int
    frames: int
    checks: tuple[Check, ...]
    facts: Mapping[str, Any]
    untested: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether every check was tried, where it is needed, and none found anything; of no checks nothing passes."""
        return bool(self.checks) and all(check.passed for check in self.checks)

    @property
    def findings(self) -> Sequence[tuple[Check, Finding]]:
        """Each with its check."""
        return [(check, finding) for check in self.checks for finding in check.findings]

    def json(self) -> str:
        """Sorted and stable: the same file, audited in the same way, gives the same text."""
        return json.dumps({"output": {"sha256": self.sha256, "bytes": self.size, "frames": self.frames}, "passed": self.passed,
                           "checks": [_plain(check) | {"passed": check.passed} for check in self.checks],
                           "untested": list(self.untested), **self.facts}, indent=1, sort_keys=True) + "\n"


def read(text: str) -> Audit:
    """What `Audit.json` wrote; ValueError if it is not that."""
    try:
        held = json.loads(text)
        output = held.pop("output")
        checks = tuple(_check_of(row) for row in held.pop("checks"))
        untested, passed = tuple(map(str, held.pop("untested"))), held.pop("passed")
        made = Audit(output["sha256"], int(output["bytes"]), int(output["frames"]), checks, held, untested)
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise ValueError(f"no audit: {error}") from error
    if made.passed is not passed:
        raise ValueError("an audit that contradicts itself")
    return made


def replaceable(data: bytes) -> bool:
    """Whether a file holds the words of an audit: only these, and the page beside them, may be replaced by later ones."""
    try:
        read(data.decode("utf-8"))
    except ValueError:
        return False
    return True


def _check_of(row: Mapping[str, Any]) -> Check:
    found = tuple(Finding(f["what"], _span(f["frames"]), _span(f["ms"]), _box(f["box"]), f["score"], f["limit"], f["person"])
                  for f in row["findings"])
    worst = tuple(Look(look["frame"], _box(look["box"]), look["why"]) for look in row["worst"])
    return Check(row["name"], row["group"], row["tried"], row["looked"], row["unit"], found, row["figures"], worst,
                 row["missing"], row["needed"])


def _span(row: Sequence[int] | None) -> tuple[int, int] | None:
    return None if row is None else (int(row[0]), int(row[1]))


def _box(row: Sequence[float] | None) -> Box | None:
    return None if row is None else Box(*map(float, row))


def _plain(value: Any) -> Any:
    """A value as JSON holds it; figures rounded, so that the last bit of a sum does not show."""
    if isinstance(value, Box):
        return [round(v, 1) for v in (value.x0, value.y0, value.x1, value.y1)]
    if isinstance(value, Value):
        return {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}  # type: ignore[attr-defined]
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return round(value, 4) if isinstance(value, float) else value
