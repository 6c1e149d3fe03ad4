"""The audit on trial: faults of many kinds are made in clean films, and the audit has to find them; prints a table.

Every kind is made at eight places at the strength that it has to be found at (`NOMINAL`, else its strongest), and at one place at
each weaker one, to see where it ends. Odd places are those on which no limit was fixed. A clean film of which something is found
stops the trial: that is a false alarm, or worse.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Final

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parents[1]))
from bench.mutate.cases import VIDEO, cases  # noqa: E402  found from any folder
from bench.mutate.containers import FAULTS as CONTAINERS  # noqa: E402
from bench.mutate.containers import Unfit  # noqa: E402
from bench.mutate.faults import PLACES, Case  # noqa: E402
from bench.mutate.likeness import FAULTS as DOUBLES  # noqa: E402
from bench.mutate.pictures import FAULTS as PICTURES  # noqa: E402
from bench.mutate.sounds import FAULTS as SOUNDS  # noqa: E402
from bench.mutate.sounds import NOMINAL as SOUND_NOMINAL  # noqa: E402
from bench.mutate.sounds import suits  # noqa: E402
from facedouble.errors import InputRefused  # noqa: E402
from facedouble.options import Options  # noqa: E402
from facedouble.pipeline.audit.run import Kit, Task, open_kit, run  # noqa: E402

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
CONTAINER: Final = {"parts of the file", "coded pictures", "coded sound", "another reader", "strings of the footage",
                    "counts and times", "around the file"}
"""The checks of the container, which find every file that was not written by this program."""
UNFIT: Final = "cannot be made: "


@dataclass(frozen=True)
class Trial:
    """One fault to be made in one film. must: it has to be found."""

    fault: int
    place: int
    strength: float
    case: Case
    must: bool


@dataclass(frozen=True)
class Result:
    """found: names of the checks that found something; error: it could not be made, or the audit did not come to an end."""

    kind: str
    group: str
    place: int
    strength: float
    must: bool
    film: str
    found: tuple[str, ...]
    error: str = ""

    @property
    def caught(self) -> bool:
        """Whether it was found by what it was about: a file written by another program is odd in any case."""
        return bool(set(self.found) - CONTAINER) if self.group != "container" else bool(self.found)


@lru_cache(maxsize=1)
def kit() -> Kit:
    """The models, once in each process."""
    return open_kit(Options())


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
            audit = run(task_of(trial.case, film), Options(), kit=kit())
        except Unfit as unfit:
            return replace(made, must=False, error=f"{UNFIT}{unfit}")
        except InputRefused as refused:
            return replace(made, found=("not readable as a film",), error=str(refused))
        except Exception as error:  # what breaks the audit is not let go either; but it is no finding
            return replace(made, error=f"{type(error).__name__}: {error}")
    return replace(made, found=tuple(c.name for c in audit.checks if c.findings))


def trials(faults: Sequence[int], films: Sequence[Case], quick: bool, plain: bool) -> Iterator[Trial]:
    """All that is tried: of each fault its nominal strength at every place, weaker ones at one."""
    for k in faults:
        fault = FAULTS[k]
        able = [c for c in films if (suits(fault.kind, c) if fault.group == "sound" else c.source.parent == VIDEO)]
        if not able:
            print(f"{fault.kind}: no film can have it", file=sys.stderr)
            continue
        nominal = NOMINAL.get(fault.kind, fault.strengths[0])
        for place in range(0, PLACES, 4 if quick else 1):
            yield Trial(k, place, nominal, able[(place + k) % len(able)], True)
        at = fault.strengths.index(nominal)
        for n, strength in enumerate(() if plain else (*fault.strengths[:at], *fault.strengths[at + 1 :])):
            place = (2 * n + 1) % PLACES
            yield Trial(k, place, strength, able[(place + k) % len(able)], fault.strengths.index(strength) < at)


def table(results: Sequence[Result]) -> str:
    """Markdown: by kind, how many were found, by halves, the weakest that was found and the strongest that was not."""
    rows = ["| kind | group | to be found | found, even places | found, odd places | weakest found | strongest missed | by |",
            "|---|---|---|---|---|---|---|---|"]
    for fault in FAULTS:
        mine = [r for r in results if r.kind == fault.kind]
        if not mine:
            continue
        must = [r for r in mine if r.must]
        halves = [f"{sum(r.caught for r in must if r.place % 2 == odd)} of {sum(r.place % 2 == odd for r in must)}"
                  for odd in (0, 1)]
        order = {s: n for n, s in enumerate(fault.strengths)}
        weakest = max((r.strength for r in mine if r.caught), key=lambda s: order.get(s, 0), default=None)
        missed = min((r.strength for r in mine if not r.caught), key=lambda s: order.get(s, 0), default=None)
        by = sorted({name for r in mine for name in r.found}, key=lambda n: -sum(n in r.found for r in mine))[:2]
        nominal = NOMINAL.get(fault.kind, fault.strengths[0])
        rows.append(f"| {fault.kind} | {fault.group} | {nominal:g} | {' | '.join(halves)} | {_of(weakest)} | {_of(missed)} | "
                    f"{'; '.join(by)} |")
    must = [r for r in results if r.must]
    seen = sum(r.group in ("picture", "sound") for r in must)
    rows.append(f"\n{sum(r.caught for r in must)} of {len(must)} faults found ({len({r.kind for r in must})} kinds, {seen} of "
                f"picture or sound; {sum(bool(r.error) for r in results)} errors).")
    return "\n".join(rows)


def _of(strength: float | None) -> str:
    return "-" if strength is None else f"{strength:g}"


def main() -> int:
    """Parse, try, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--films", type=Path, action="append", required=True, help="folders of clean films (cases.py)")
    parser.add_argument("--quick", action="store_true", help="two places, no weaker faults")
    parser.add_argument("--only", default="", help="kinds that hold this word, or a group")
    parser.add_argument("--skip", default="-", help="kinds that hold this word are left out")
    parser.add_argument("--no-weaker", action="store_true", help="every place, but no weaker and no stronger faults")
    parser.add_argument("--json", type=Path, help="all results")
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    films = [case for folder in given.films for case in cases(folder)]
    started = time.monotonic()
    with ProcessPoolExecutor(given.workers) as pool:
        clean = list(pool.map(attempt_clean, films))
        for case, found in zip(films, clean, strict=True):
            print(f"clean: {case.source.stem}: {', '.join(found) or 'nothing found'}", file=sys.stderr, flush=True)
        wanted = [k for k, f in enumerate(FAULTS) if (given.only in f.kind or given.only == f.group) and
                  given.skip not in f.kind]
        todo = list(trials(wanted, films, given.quick, given.quick or given.no_weaker))
        results = []
        for n, result in enumerate(pool.map(attempt, todo), 1):
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
    print(f"{sum(not found for found in clean)} of {len(clean)} clean films without a finding.\n\n{table(results)}")
    return 0 if all(not found for found in clean) and all(r.caught for r in results if r.must) else 1


def attempt_clean(case: Case) -> tuple[str, ...]:
    """What is found of a clean film: it ought to be nothing."""
    audit = run(task_of(case, case.clean), Options(), kit=kit())
    return tuple(f"{c.name}: {f.what} {f.frames or f.ms or ''}" for c, f in audit.findings)


if __name__ == "__main__":
    sys.exit(main())
