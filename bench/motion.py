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

from facedouble.media.probe import probe
from facedouble.morphable.calm import EXPRESSIONS, LIDS, LIPS, blinks, calmed, mirroring
from facedouble.options import Options
from facedouble.pipeline.analyse import Analysis, analyse
from facedouble.pipeline.protect import open_eyes
from facedouble.types import Array

HERE = Path(__file__).resolve().parent
STRENGTHS = (0.0, 0.25, 0.5, 1.0)
LEAST_FRAMES = 70
DRAWS = 2000  # of the bootstrap
SAME = {"vr_3.mp4"}  # a person who is there twice stays out


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


def ranks(known: Array, seen: Array) -> Array:
    """(n,) normalised rank of the right person: 0 is the first guess, .5 is chance. known, seen (n, f)."""
    scale = known.std(0) + 1e-6
    far = np.linalg.norm((seen[:, None] - known[None]) / scale, axis=2)
    own = np.diag(far)
    found: Array = (far < own[:, None]).sum(1) / (len(known) - 1)
    return found


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
    people = []
    for path in sorted((args.data / "video").iterdir()):
        if path.name in SAME:
            continue
        made = analyse(probe(path), eyes, options)
        codes = longest(made)
        fit = next((r.fit for r in made.roles if r.fit is not None and codes is r.fit.codes.numbers), None)
        if codes is not None and fit is not None:
            people.append((codes, fit.clip, float(made.info.rate)))
    known = np.array([habits(c[: len(c) // 2], rate) for c, _, rate in people])
    rng = np.random.default_rng(0)
    spans = [len(c) // 2 for c, _, _ in people]
    print(f"{len(people)} people, halves of {min(spans)} to {max(spans)} frames\n")
    print("| calm | mean normalised rank | 95 % interval | first guess right | lips r | brows r | aperture r |")
    print("|" + "---|" * 7)
    for strength in STRENGTHS:
        calm = [calmed(c, clip, strength, rate, k) for k, (c, clip, rate) in enumerate(people)]
        found = ranks(known, np.array([habits(c[len(c) // 2 :], rate) for c, (_, _, rate) in zip(calm, people, strict=True)]))
        means = rng.choice(found, (DRAWS, len(found))).mean(1)
        low, high = np.percentile(means, (2.5, 97.5))
        costs = np.nanmedian([agreement(c, d) for (c, _, _), d in zip(people, calm, strict=True)], 0)
        print(f"| {strength:g} | {found.mean():.2f} | {low:.2f} – {high:.2f} | {(found == 0).mean():.0%} | "
              + " | ".join(f"{v:.2f}" for v in costs) + " |", flush=True)


if __name__ == "__main__":
    main()
