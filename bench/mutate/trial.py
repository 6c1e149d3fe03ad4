"""The audit on trial: faults of many kinds are made in clean films, and the audit has to find them; prints a table.

Every kind is made at eight places at the strength that it has to be found at (`NOMINAL`, else its strongest), and at one place at
each other one, to see where it ends. Even places are made in films of --films, on which limits were set; odd ones in films of
--held-out, at which nobody looked when they were set. Without --held-out both are made in --films, and the halves say nothing of
films that nobody knows. Something found in a clean film fails the trial: that is a false alarm, or worse.

Clean films are audited whole. A faulty one is tried with the checks that may catch it, the cheapest first, until one has: what a
part of the audit finds the whole one finds, too. With --log each result is written down at once, and a trial that was cut off
goes on where it was; results of other films, or of other code, are not taken for these.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Final, TypeVar, cast

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parents[1]))
from bench.mutate.cases import VIDEO, cases  # noqa: E402  found from any folder
from bench.mutate.containers import FAULTS as CONTAINERS  # noqa: E402
from bench.mutate.faults import PLACES, Case, Unfit  # noqa: E402
from bench.mutate.likeness import FAULTS as DOUBLES  # noqa: E402
from bench.mutate.pictures import FAULTS as PICTURES  # noqa: E402
from bench.mutate.sounds import FAULTS as SOUNDS  # noqa: E402
from bench.mutate.sounds import NOMINAL as SOUND_NOMINAL  # noqa: E402
from bench.mutate.sounds import suits  # noqa: E402
from facedouble.audit.verdict import GROUPS  # noqa: E402
from facedouble.errors import InputRefused  # noqa: E402
from facedouble.options import Options  # noqa: E402
from facedouble.pipeline.audit.run import Kit, Task, open_kit, quiet, run, tried  # noqa: E402
from facedouble.pipeline.audit.seen import account_of  # noqa: E402

FAULTS: Final = (*PICTURES, *DOUBLES, *CONTAINERS, *SOUNDS)
NOMINAL: Final[dict[str, float]] = {
    **{f.kind: f.strengths[min(1, len(f.strengths) - 1)] for f in CONTAINERS}, **SOUND_NOMINAL,
    "bare frames": 1, "mask shifted, px": 3, "swapped decision, s": 0.5, "footage blended in": 0.2,
    "footage blended in, moved": 0.2, "footage of one frame before blended in": 0.2,
    "small bare face elsewhere": 0.25, "darkened bare face": 0.3, "flash of one frame": 0.5, "frame repeated": 2,
    "veil lets through": 0.3, "reflection in a pane": 0.5, "blur instead of a double": 0.07,
    "blur with grain instead of a double": 0.07, "rim of the footage around a veil": 0.8,
    "mosaic instead of a double, px": 12, "rows of the footage left": 6,
}
"""The strength at which a kind has to be found; the strongest of those that are not named."""
BY: Final = {"picture": {"seen", "attacked"}, "sound": {"heard"}, "container": set(GROUPS)}
"""Groups of the checks that may catch a fault: the container's find every file that was not written by this program."""
STEPS: Final = {"picture": (("seen",), ("attacked",)), "sound": (("heard",),),
                "container": (("container",), ("heard",), ("seen",), ("attacked",))}
"""Groups of checks in the order in which they are tried, until one has found something."""
CODE: Final = (*sorted((HERE.parents[1] / "facedouble").rglob("*.py")), *sorted(HERE.glob("*.py")))
UNFIT: Final = "cannot be made: "
Films = tuple[Sequence[Case], Sequence[Case]]
"""Those for even places and those for odd ones."""
QUICK: Final = (0, 5)
"""Places of a quick trial, one in each half."""


@dataclass(frozen=True)
class Trial:
    """One fault to be made in one film. must: it has to be found; others: films of its half, if it cannot be made in that."""

    fault: int
    place: int
    strength: float
    case: Case
    must: bool
    others: Sequence[Case] = ()


@dataclass(frozen=True)
class Result:
    """found: group and name of the checks of the first step that found something; error: it could not be made, or the audit did
    not come to an end.
    """

    kind: str
    group: str
    place: int
    strength: float
    must: bool
    film: str
    found: tuple[tuple[str, str], ...]
    error: str = ""

    @property
    def caught(self) -> bool:
        """Whether it was found by what it was about: pictures by eyes, sound by ears."""
        return any(group in BY[self.group] for group, _ in self.found)


@lru_cache(maxsize=1)
def kit() -> Kit:
    """The models, once in each process, and what was seen in the footage."""
    kit = open_kit(Options())
    look = lru_cache(partial(account_of, models=kit.eyes))
    return replace(kit, look=lambda source, eyes: look(source))


def task_of(case: Case, film: Path) -> Task:
    """How a film of the trial is audited."""
    words = case.clean.with_name("words.txt")
    plan = case.source.with_name("film.plan.toml")
    by_plan = plan.is_file()
    return Task(film, () if by_plan else (case.source,), plan if by_plan else None, "A" if by_plan else "",
                words=words if words.is_file() else None, report=case.clean.with_suffix(".report.json"))


def attempt(trial: Trial) -> Result:
    """Make a fault, audit it."""
    fault = FAULTS[trial.fault]
    made = Result(fault.kind, fault.group, trial.place, trial.strength, trial.must, trial.case.source.stem, ())
    with tempfile.TemporaryDirectory(prefix="facedouble-mutate-") as folder:
        film = Path(folder) / trial.case.clean.name
        try:
            fault.make(trial.case, trial.place, trial.strength, film)
            found = judged(trial.case, film, STEPS[fault.group])
        except Unfit as unfit:
            if trial.others:
                return attempt(replace(trial, case=trial.others[0], others=trial.others[1:]))
            return replace(made, must=False, error=f"{UNFIT}{unfit}")
        except Exception as error:  # what breaks the audit is not let go either; but it is no finding
            return replace(made, error=f"{type(error).__name__}: {error}")
    if isinstance(found, InputRefused):
        return replace(made, found=(("container", "not readable as a film"),), error=str(found))
    return replace(made, found=found)


def judged(case: Case, film: Path, steps: Sequence[Sequence[str]]) -> tuple[tuple[str, str], ...] | InputRefused:
    """Group and name of the checks of the first step that found something, or that the audit does not read such a film."""
    try:
        for groups in steps:
            *_, checks = tried(task_of(case, film), Options(), quiet, kit(), groups)
            found = tuple((c.group, c.name) for c in checks if c.findings and c.group in groups)
            if found:
                return found
    except InputRefused as refused:
        return refused
    return ()


T = TypeVar("T")
C = TypeVar("C", Result, tuple[str, ...])


class Log:
    """What came of each trial, and of each clean film, in a file, a line each; None: nowhere."""

    def __init__(self, path: Path | None) -> None:
        self.path, self.held = path, dict[str, Result | tuple[str, ...]]()
        if path is None or not path.is_file():
            return
        whole, _, cut = path.read_text().rpartition("\n")
        if cut:  # killed while it wrote
            path.write_text(whole + "\n" if whole else "")
        for line in whole.splitlines():
            named, came = json.loads(line)
            self.held[named] = tuple(came) if isinstance(came, list) else Result(
                **came | {"found": tuple(map(tuple, came["found"]))})

    def keep(self, named: str, came: Result | tuple[str, ...]) -> None:
        """Write one down."""
        if self.path is not None:
            with self.path.open("a") as file:
                file.write(json.dumps([named, came if isinstance(came, tuple) else vars(came)]) + "\n")

    def through(self, pool: ProcessPoolExecutor, todo: Mapping[str, T], try_it: Callable[[T], C]) -> Iterator[C]:
        """What came of all of them, in their order; what is in the file is not tried again."""
        came = pool.map(try_it, [one for named, one in todo.items() if named not in self.held])
        for named in todo:
            if named not in self.held:
                self.keep(named, one := next(came))
                yield one
            else:
                yield cast(C, self.held[named])


def key(trial: Trial) -> str:
    """What a trial is known by: kind, place, strength, the very clean film, and the code of audit and faults."""
    return f"{FAULTS[trial.fault].kind} {trial.strength:g} at {trial.place} {known_as(trial.case)}"


def known_as(case: Case) -> str:
    """What a clean film is known by, and the code."""
    return f"in {_digest(case.clean)} by {_digest(*CODE)}"


@lru_cache
def _digest(*files: Path) -> str:
    return hashlib.sha256(b"".join(hashlib.sha256(file.read_bytes()).digest() for file in files)).hexdigest()[:16]


def trials(faults: Sequence[int], films: Films, quick: bool, plain: bool) -> Iterator[Trial]:
    """All that is tried: of each fault its nominal strength at every place, others at one."""
    rng, used = random.Random(0), Counter[tuple[int, Case]]()
    for k in faults:
        fault = FAULTS[k]
        able = [[c for c in half if (suits(fault.kind, c) if fault.group == "sound" else c.source.parent == VIDEO)]
                for half in films]
        for name, fit in zip(("even", "odd"), able, strict=True):
            if not fit:
                print(f"{fault.kind}: no film for {name} places can have it", file=sys.stderr)
        nominal = NOMINAL.get(fault.kind, fault.strengths[0])
        at = fault.strengths.index(nominal)
        others = () if plain else (*fault.strengths[:at], *fault.strengths[at + 1 :])
        wanted = [(place, nominal, True) for place in (QUICK if quick else range(PLACES))]
        wanted += [((2 * n + 1) % PLACES, strength, fault.strengths.index(strength) < at) for n, strength in enumerate(others)]
        for place, strength, must in wanted:
            half, fit = place % 2, able[place % 2]
            if fit:  # every film as often as any other in each half, and not at the same place for each kind
                case, *rest = sorted(rng.sample(fit, len(fit)), key=partial(_used, used, half))
                used[half, case] += 1
                yield Trial(k, place, strength, case, must, rest)


def _used(used: Counter[tuple[int, Case]], half: int, case: Case) -> int:
    return used[half, case]


def table(results: Sequence[Result], held_out: bool = False) -> str:
    """Markdown: by kind, how many were found, by halves, the weakest that was found and the strongest that was not."""
    halves = ("films of the limits", "films held out") if held_out else ("even places", "odd places")
    rows = [f"| kind | group | to be found | found, {halves[0]} | found, {halves[1]} | weakest found | strongest missed | by |",
            "|---|---|---|---|---|---|---|---|"]
    for fault in FAULTS:
        mine = [r for r in results if r.kind == fault.kind]
        if not mine:
            continue
        must = [r for r in mine if r.must]
        order = {s: n for n, s in enumerate(fault.strengths)}
        weakest = max((r.strength for r in mine if r.caught), key=lambda s: order.get(s, 0), default=None)
        missed = min((r.strength for r in mine if not r.caught), key=lambda s: order.get(s, 0), default=None)
        by = [name for (_, name), _ in Counter(f for r in mine for f in r.found if f[0] in BY[r.group]).most_common(2)]
        nominal = NOMINAL.get(fault.kind, fault.strengths[0])
        rows.append(f"| {fault.kind} | {fault.group} | {nominal:g} | {' | '.join(_halves(must))} | {_of(weakest)} | "
                    f"{_of(missed)} | {'; '.join(by)} |")
    must = [r for r in results if r.must]
    seen = sum(r.group in ("picture", "sound") for r in must)
    rows.append(f"\n{sum(r.caught for r in must)} of {len(must)} faults found ({len({r.kind for r in must})} kinds, {seen} of "
                f"picture or sound; {sum(bool(r.error) for r in results)} errors): "
                f"{'; '.join(f'{name}, {n}' for name, n in zip(halves, _halves(must), strict=True))}.")
    return "\n".join(rows)


def _halves(must: Sequence[Result]) -> list[str]:
    return [f"{sum(r.caught for r in must if r.place % 2 == odd)} of {sum(r.place % 2 == odd for r in must)}" for odd in (0, 1)]


def _of(strength: float | None) -> str:
    return "-" if strength is None else f"{strength:g}"


def main() -> int:
    """Parse, try, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--films", type=Path, action="append", required=True, help="folders of clean films (cases.py)")
    parser.add_argument("--held-out", type=Path, action="append", default=[], help="the same, at which nobody looked: odd places")
    parser.add_argument("--quick", action="store_true", help="two places, no weaker faults")
    parser.add_argument("--only", default="", help="kinds that hold this word, or a group")
    parser.add_argument("--skip", default="-", help="kinds that hold this word are left out")
    parser.add_argument("--no-weaker", action="store_true", help="every place, but no weaker and no stronger faults")
    parser.add_argument("--no-clean", action="store_true", help="the clean films were audited already")
    parser.add_argument("--json", type=Path, help="all results")
    parser.add_argument("--log", type=Path, help="each result as it comes; what is in it already is not tried again")
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    known, fresh = ([case for folder in folders for case in cases(folder)] for folders in (given.films, given.held_out))
    films = [*known, *fresh]
    started = time.monotonic()
    with ProcessPoolExecutor(given.workers) as pool:
        log = Log(given.log)
        asked = [] if given.no_clean else films
        clean = list(log.through(pool, {f"clean {known_as(case)}": case for case in asked}, attempt_clean))
        for case, found in zip(asked, clean, strict=True):
            print(f"clean: {case.source.stem}: {', '.join(found) or 'nothing found'}", file=sys.stderr, flush=True)
        wanted = [k for k, f in enumerate(FAULTS) if (given.only in f.kind or given.only == f.group) and
                  given.skip not in f.kind]
        halves = known, fresh if given.held_out else known
        todo = {key(t): t for t in trials(wanted, halves, given.quick, given.quick or given.no_weaker)}
        results = []
        for n, result in enumerate(log.through(pool, todo, attempt), 1):
            if result.error.startswith(UNFIT):
                print(f"{result.kind} in {result.film}: {result.error}", file=sys.stderr)
                continue
            results.append(result)
            if not result.caught:
                word = "MISSED" if result.must else "missed"
                print(f"{word} {result.kind} {result.strength:g} at {result.place} in {result.film} {result.error}",
                      file=sys.stderr, flush=True)
            if n % 20 == 0:
                print(f"{n} of {len(todo)}, {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    if given.json:
        given.json.write_text(json.dumps([vars(r) for r in results], indent=1))
    print(f"{sum(not found for found in clean)} of {len(clean)} clean films without a finding.\n")
    print(table(results, bool(given.held_out)))
    return 0 if all(not found for found in clean) and all(r.caught for r in results if r.must) else 1


def attempt_clean(case: Case) -> tuple[str, ...]:
    """What is found of a clean film: it ought to be nothing."""
    audit = run(task_of(case, case.clean), Options(), kit=kit())
    return tuple(f"{c.name}: {f.what} {f.frames or f.ms or ''}" for c, f in audit.findings)


if __name__ == "__main__":
    sys.exit(main())
