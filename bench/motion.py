"""What motion gives away, and what `--calm` costs: prints a table.

An attacker has other footage of everybody (the first half of each clip, undisguised) and looks at what is shown of the second
half: which of them moves like that? The codes are what is compared, which is more than the film shows. Head motion is
left out, because calm leaves it alone; so this is about the face's own motion.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))
from bench.skin import people as persons  # noqa: E402  found from any folder
from facedouble.media.probe import probe  # noqa: E402
from facedouble.morphable.calm import EXPRESSIONS, LIDS, LIPS, blinks, calmed, mirroring  # noqa: E402
from facedouble.options import Options  # noqa: E402
from facedouble.pipeline.analyse import Analysis, analyse  # noqa: E402
from facedouble.pipeline.protect import open_eyes  # noqa: E402
from facedouble.types import Array  # noqa: E402

STRENGTHS = (0.0, 0.25, 0.5, 1.0)
LEAST_FRAMES = 70
DRAWS = 2000  # of the bootstrap


def habits(codes: Array, rate: float) -> Array:
    """(f,) how somebody moves: asymmetry, liveliness of each expression, lids, blinks, lips."""
    e = codes[:, EXPRESSIONS].astype(np.float64)
    skew = (e @ mirroring().T - e) / 2
    lids, lips = codes[:, LIDS].astype(np.float64), codes[:, LIPS].astype(np.float64)
    rest = np.median(lids, 0)
    shut = blinks(lids, np.broadcast_to(rest, lids.shape))
    starts = int(np.sum(np.diff(np.r_[0, shut.astype(int)]) == 1))
    return np.concatenate([np.log(np.sqrt((skew**2).mean(0)) + 0.01), np.log(e.std(0) + 0.01), np.log(lids.std(0) + 0.01),
                           [np.log(np.abs(lids[:, 0] - lids[:, 1]).mean() + 0.01), starts / len(codes) * rate,
                            np.log(lips.std() + 0.005)]])


def ranks(known: Array, seen: Array, own: Array, scale: Array) -> Array:
    """(m,) normalised rank of the right person: 0 is the first guess, .5 is chance.

    known (n, f); seen (m, f), of people number own (m,) of the known; scale (f,) what is one step in each figure.
    """
    far = np.linalg.norm((seen[:, None] - known[None]) / scale, axis=2)
    right = far[np.arange(len(seen)), own]
    found: Array = (far < right[:, None]).sum(1) / (len(known) - 1)
    return found


def interval(found: Array) -> tuple[float, float]:
    """95 % bootstrap interval of the mean of ranks (m,), over people."""
    rng = np.random.default_rng(0)
    low, high = np.percentile(rng.choice(found, (DRAWS, len(found))).mean(1), (2.5, 97.5))
    return float(low), float(high)


def agreement(plain: Array, calm: Array) -> tuple[float, float, float]:
    """Correlation of lip gap, brows' strongest coefficient and aperture with what they were."""
    def r(a: Array, b: Array) -> float:
        return float(np.corrcoef(a, b)[0, 1]) if a.std() > 1e-4 and b.std() > 1e-6 else float("nan")

    brow = 7 + 16
    return (r(plain[:, LIPS].mean(1), calm[:, LIPS].mean(1)),
            r(plain[:, brow] + plain[:, brow + 8], calm[:, brow] + calm[:, brow + 8]),
            r(plain[:, LIDS].mean(1), calm[:, LIDS].mean(1)))


def longest(made: Analysis) -> Array | None:
    """The codes of the face that is read longest."""
    fits = [r.fit for r in made.roles if r.fit is not None]
    best = max(fits, key=lambda f: len(f.codes), default=None)
    return best.codes.numbers if best is not None and len(best.codes) >= LEAST_FRAMES else None


def main() -> None:
    """Analyse, split, guess."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=HERE.parents[0].parent / "shared/data")
    args = parser.parse_args()
    if not args.data.is_dir():
        sys.exit(f"{args.data}: the sample clips are not here; give their folder with --data")
    options = Options()
    eyes = open_eyes(options)
    people, there = [], set[str]()
    for clip, person in persons(args.data).items():
        if person in there:  # once is enough: nobody is to be found among others of himself
            continue
        made = analyse(probe(args.data / "video" / clip), eyes, options)
        codes = longest(made)
        fit = next((r.fit for r in made.roles if r.fit is not None and codes is r.fit.codes.numbers), None)
        if codes is not None and fit is not None:
            people.append((codes, fit.clip, float(made.info.rate)))
            there.add(person)
    known = np.array([habits(c[: len(c) // 2], rate) for c, _, rate in people])
    spans = [len(c) // 2 for c, _, _ in people]
    print(f"{len(people)} people, halves of {min(spans)} to {max(spans)} frames\n")
    print("| calm | mean normalised rank | 95 % interval | first guess right | lips r | brows r | aperture r |")
    print("|" + "---|" * 7)
    for strength in STRENGTHS:
        calm = [calmed(c, clip, strength, rate, k) for k, (c, clip, rate) in enumerate(people)]
        seen = np.array([habits(c[len(c) // 2 :], rate) for c, (_, _, rate) in zip(calm, people, strict=True)])
        found = ranks(known, seen, np.arange(len(known)), known.std(0) + 1e-6)
        low, high = interval(found)
        costs = np.nanmedian([agreement(c, d) for (c, _, _), d in zip(people, calm, strict=True)], 0)
        print(f"| {strength:g} | {found.mean():.2f} | {low:.2f} – {high:.2f} | {(found == 0).mean():.0%} | "
              + " | ".join(f"{v:.2f}" for v in costs) + " |", flush=True)


if __name__ == "__main__":
    main()
