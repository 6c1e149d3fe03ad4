"""Limits of the audit's ears, on shared speech: who is taken for whom by the judge of voices, and what chance looks like to the
search for traces.

    .venv/bin/python bench/thresholds_voice.py [--data ../shared/data/speech]

The judge (Resemblyzer) hears pieces of 4 s, as in the audit. Pairs of different people, and of different recordings of one
person. Limits were chosen on one half of the people and are reported on the other; intervals are 95 % by bootstrap over people.
Traces: recordings of different people against each other, a second at a time, which share nothing.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import soxr

sys.path.append(str(Path(__file__).resolve().parent.parent))
from facedouble.audit.residual import RATE
from facedouble.audit.traces import MARGIN, Traces
from facedouble.audit.voices import PIECE
from facedouble.media.recording import blocks, recording
from facedouble.models.judge import judge
from facedouble.options import AuditOptions
from facedouble.types import Array, Doubles, Floats

DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data" / "speech"
LIMITS = (0.7, 0.75, 0.8, 0.85)
DRAWS = 1000


def read(path: Path) -> Floats:
    """A recording at RATE, one channel."""
    source = recording(path)
    sound = np.concatenate([block.mean(1) for block in blocks(source)])
    return np.asarray(soxr.resample(sound, source.rate, RATE), np.float32)


def people(data: Path) -> dict[str, list[Floats]]:
    """Recordings by speaker."""
    found: dict[str, list[Floats]] = {}
    for path in sorted(data.iterdir()):
        if match := re.match(r"(ls-other|so762|ls-clean)_(\d+)", path.name):
            found.setdefault("_".join(match.groups()), []).append(read(path))
    return found


def scores(prints: dict[str, list[Array]], names: Sequence[str]) -> tuple[dict[str, Doubles], dict[tuple[str, str], Doubles]]:
    """Likeness of pieces of different recordings of each person, and of each two people."""
    same = {}
    for name in names:
        pairs = [float(x @ y) for a, b in combinations(prints[name], 2) for x in a for y in b]
        if pairs:
            same[name] = np.array(pairs)
    different = {(a, b): (np.concatenate(prints[a]) @ np.concatenate(prints[b]).T).ravel().astype(np.float64)
                 for a, b in combinations(names, 2)}
    return same, different


def rates(same: dict[str, Doubles], different: dict[tuple[str, str], Doubles], limit: float) -> str:
    """False matches and false non-matches at a limit, each person counting alike."""
    rng = np.random.default_rng(0)
    names = sorted({n for pair in different for n in pair})
    place = {n: k for k, n in enumerate(names)}
    table = np.full((len(names), len(names)), np.nan)
    for (a, b), held in different.items():
        table[place[a], place[b]] = table[place[b], place[a]] = np.mean(held > limit)
    missed = np.array([np.mean(same[n] <= limit) if n in same else np.nan for n in names])
    fmr, fnmr = [], []
    for _ in range(DRAWS):
        drawn = rng.integers(0, len(names), len(names))
        fmr.append(np.nanmean(table[np.ix_(drawn, drawn)]))
        if np.isfinite(missed[drawn]).any():
            fnmr.append(np.nanmean(missed[drawn]))
    said = [f"{value:.2%} [{np.percentile(draws, 2.5):.2%}-{np.percentile(draws, 97.5):.2%}]"
            for value, draws in ((np.nanmean(table), fmr), (np.nanmean(missed), fnmr))]
    return " | ".join(said)


def chance(sounds: Sequence[Floats]) -> tuple[list[float], list[float]]:
    """What `Traces` finds in sounds that share nothing: windows of .2 s, and four seconds, one number a second."""
    single, lasting, pad = [], [], round(MARGIN * RATE)
    for one, other in zip(sounds, (*sounds[1:], sounds[0]), strict=True):
        search, n = Traces(), min(len(one), len(other))
        a, b = (np.pad(s[:n], pad)[:, None] for s in (one, other))
        for start in range(0, n - RATE + 1, RATE):
            part = slice(start, start + RATE + 2 * pad)
            found = search.add(a[part], b[part], np.zeros(RATE + 2 * pad, bool))
            single.append(found.single)
            lasting.append(found.lasting)
    return single, lasting


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    options = AuditOptions()
    found, hear, size = people(parser.parse_args().data), judge(), round(PIECE * RATE)
    prints = {name: [np.stack([hear(s[k:k + size]) for k in range(0, max(len(s) - size // 2, 1), size)]) for s in held]
              for name, held in found.items()}
    names = sorted(found)
    print("| half | limit | different people taken for one | one person not known again |\n|---|---|---|---|")
    for half, mine in (("chosen on", names[::2]), ("reported on", names[1::2])):
        same, different = scores(prints, mine)
        for limit in LIMITS:
            print(f"| {half}, {len(mine)} people | {limit:.2f} | {rates(same, different, limit)} |")
    print(f"\nThe audit's limits: {options.voice} as it is, {options.undone} with its pitch moved back.\n")
    print("| half | seconds | most, .2 s | most, lasting | over the limits |\n|---|---|---|---|---|")
    for half, mine in (("chosen on", names[::2]), ("reported on", names[1::2])):
        by_turns = [held[k] for k in range(max(map(len, found.values()))) for name in mine if len(held := found[name]) > k]
        single, lasting = chance(by_turns)
        over = sum(s > options.trace or q > options.lasting for s, q in zip(single, lasting, strict=True))
        print(f"| {half} | {len(single)} | {max(single):.2f} | {max(lasting):.2f} | {over} |")


if __name__ == "__main__":
    main()
