"""The limits of casting voices and of volunteers' recordings. `.venv/bin/python bench/voice_casting.py limits|material`

limits: voice prints of all shared speech, one recording a print; pairs of one person's recordings and of different people's of
the same collection. False match: two people are called too alike; false non-match: one person is not. Intervals: bootstrap over
people, 95 %.

material: what is said of recordings of the shared speech as they are, and made worse on purpose.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))
from facedouble.audit.attack import eer  # noqa: E402
from facedouble.media.recording import blocks, recording  # noqa: E402  found from any folder
from facedouble.pipeline.hearing import Ears, open_ears  # noqa: E402
from facedouble.pipeline.voices import hear  # noqa: E402
from facedouble.types import Array, Floats  # noqa: E402
from facedouble.voice.casting import LEAST_LOOKS, LIKE, likeness  # noqa: E402
from facedouble.voice.code import SPEECH_RATE  # noqa: E402
from facedouble.voice.listen import Listener  # noqa: E402
from facedouble.voice.material import ONE_VOICE, Gauge, Recording, examine, halves, spoken  # noqa: E402

FOLDERS = ("speech", "speech_train")
DRAWS, SEED = 1000, 0
AT = (0.50, 0.55, LIKE[1], 0.62, LIKE[0], 0.70, 0.75)
MIXTURES = 200


def speaker(name: str) -> tuple[str, str]:
    """The collection of a file and who speaks in it, by its name; nobody for meetings and the like."""
    collection, _, rest = name.partition("_")
    who = rest.split("-" if collection.startswith("l") else "_")[0]
    return (collection, who) if who.isdigit() else ("", "")


def files(data: Path) -> Iterator[tuple[tuple[str, str], Path]]:
    """Every recording of one known speaker."""
    for folder in FOLDERS:
        for path in sorted((data / folder).iterdir()):
            if speaker(path.name)[0]:
                yield speaker(path.name), path


def prints(data: Path, ears: Ears) -> dict[tuple[str, str], list[Recording]]:
    """All recordings in which enough was heard, by who speaks."""
    found: dict[tuple[str, str], list[Recording]] = defaultdict(list)
    for who, path in files(data):
        heard = hear(path, ears)
        if len(heard.heard.prints) >= LEAST_LOOKS:
            found[who].append(heard)
    return found


def pairs(people: list[list[Recording]], collections: list[str]) -> tuple[Array, Array]:
    """Rows of person, person, likeness: same, and different of one collection."""
    same, different = [], []
    for a, mine in enumerate(people):
        same += [(a, a, likeness(x.heard.prints, y.heard.prints)) for k, x in enumerate(mine) for y in mine[:k]]
        for b in range(a):
            if collections[a] == collections[b]:
                different += [(a, b, likeness(x.heard.prints, y.heard.prints)) for x in mine[:2] for y in people[b][:2]]
    return np.array(same), np.array(different)


def rates(same: Array, different: Array, limit: float, times: Array) -> tuple[float, float]:
    """False matches and false non-matches at a limit, each person counted so many times."""
    here, there = (times[p[:, 0].astype(int)] * np.where(p[:, 0] == p[:, 1], 1, times[p[:, 1].astype(int)])
                   for p in (same, different))
    return float(np.average(different[:, 2] >= limit, weights=there)), float(np.average(same[:, 2] < limit, weights=here))


def limits(data: Path, ears: Ears) -> None:
    """Print the table of limits."""
    found = prints(data, ears)
    people, collections = list(found.values()), [who[0] for who in found]
    same, different = pairs(people, collections)
    rng = np.random.default_rng(SEED)
    several = np.unique(same[:, 0].astype(int))
    draws = []
    for _ in range(DRAWS):
        alone = np.setdiff1d(np.arange(len(people)), several)
        drawn = np.concatenate([rng.choice(several, len(several)), rng.choice(alone, len(alone))])
        draws.append(np.bincount(drawn, minlength=len(people)))
    seconds = np.median([spoken(r.heard) for p in people for r in p])
    print(f"{len(people)} people, {len(several)} of them with several recordings, {seconds:.1f} s of speech in the middle; "
          f"{len(same)} pairs of one person, {len(different)} of two. EER {eer(same[:, 2], different[:, 2]):.1%}\n")
    print("| likeness from | false match | false non-match |\n|---|---|---|")
    for limit in AT:
        values = rates(same, different, limit, np.ones(len(people)))
        spread = np.percentile([rates(same, different, limit, d) for d in draws], (2.5, 97.5), axis=0)
        cells = [f"{v:.1%} [{a:.1%}-{b:.1%}]" for v, a, b in zip(values, *spread, strict=True)]
        print(f"| {limit:.2f}{' (refused)' if limit == LIKE[0] else ' (near)' if limit == LIKE[1] else ''} | {cells[0]} | "
              f"{cells[1]} |")
    for name in sorted(set(collections)):
        of = [k for k, c in enumerate(collections) if c == name]
        mine = different[np.isin(different[:, 0], of)]
        print(f"\n{name}: {len(of)} people, false match {np.mean(mine[:, 2] >= LIKE[0]):.1%} of {len(mine)}", end="")
    print()


def heard_of(sound: Floats, ears: Ears, name: str) -> Recording:
    """A recording of samples (N,) at 16 kHz."""
    gauge, listener = Gauge(SPEECH_RATE), Listener(ears.activity(), ears.voiceprint)
    gauge.add(sound[:, None])
    listener.add(sound)
    return Recording(name, listener.done(), gauge.clipped, gauge.high)


def read(path: Path) -> Floats:
    """A whole recording, (N,)."""
    source = recording(path)
    if source.rate != SPEECH_RATE:
        raise SystemExit(f"{path}: {source.rate} samples/s")
    return np.asarray(np.concatenate(list(blocks(source))).mean(1), np.float32)


def noisy(decibel: float) -> Callable[[Floats, np.random.Generator], Floats]:
    """Pink noise so far below the sound."""

    def spoil(sound: Floats, rng: np.random.Generator) -> Floats:
        spectrum = np.fft.rfft(rng.normal(size=len(sound))) / np.sqrt(np.maximum(np.arange(len(sound) // 2 + 1), 20))
        noise = np.fft.irfft(spectrum, len(sound))
        scale = np.sqrt((sound**2).mean() / (noise**2).mean()) * 10 ** (-decibel / 20)
        return np.asarray(sound + scale * noise, np.float32)

    return spoil


def clipped(gain: float) -> Callable[[Floats, np.random.Generator], Floats]:
    """As if the level had been so many times too high."""
    return lambda sound, _: np.clip(sound / np.abs(sound).max() * gain, -1, 1).astype(np.float32)


def chord(sound: Floats, _: np.random.Generator) -> Floats:
    """Three steady notes with overtones, 15 dB below."""
    t = np.arange(len(sound)) / SPEECH_RATE
    notes = np.sum([np.sin(2 * np.pi * f * k * t) / k for f in (196, 247, 294) for k in range(1, 6)], 0)
    return np.asarray(sound + notes * np.sqrt((sound**2).mean() / (notes**2).mean()) * 10 ** (-15 / 20), np.float32)


WORSE: dict[str, Callable[[Floats, np.random.Generator], Floats]] = {
    "as it is": lambda sound, _: sound, "noise 30 dB below": noisy(30), "noise 20 dB below": noisy(20),
    "noise 12 dB below": noisy(12), "noise 5 dB below": noisy(5), "twice too loud": clipped(2),
    "four times too loud": clipped(4), "1 % of the level": lambda sound, _: sound * np.float32(0.01),
    "a chord 15 dB below": chord}


def material(data: Path, ears: Ears) -> None:
    """Print what is said of good and of spoiled recordings, and of two people in one."""
    rng = np.random.default_rng(SEED)
    paths = [path for who, path in files(data) if who[0] == "libri"]
    sounds = [read(paths[k]) for k in rng.choice(len(paths), 40, replace=False)]
    print("| recordings of the shared speech | refused | only remarked on | what is said most |\n|---|---|---|---|")
    for name, spoil in WORSE.items():
        said: dict[str, int] = defaultdict(int)
        grades = []
        for sound in sounds:
            remarks = [r for r in examine([heard_of(spoil(sound, rng), ears, "x")]).remarks if r.recording]
            grades.append(max((1 + r.refused for r in remarks), default=0))
            for r in remarks:
                said["".join(c for c in r.words if not c.isdigit())[:24]] += 1
        most = max(said, key=lambda w: said[w]) if said else ""
        print(f"| {name} | {np.mean([g == 2 for g in grades]):.0%} | {np.mean([g == 1 for g in grades]):.0%} | {most} |")
    everybody = [r for who, r in prints(data, ears).items() if who[0] != "LJ001"]
    long = [r[0] for r in everybody if spoken(r[0].heard) >= 9]
    alone = [halves([r.heard]) for r in long]
    two = []
    for _ in range(MIXTURES):
        a, b = rng.choice(len(long), 2, replace=False)
        two.append(halves([long[a].heard, long[b].heard]))
    print(f"\nlikeness of the halves: one person, {len(alone)} recordings: lowest {min(alone):.2f}; "
          f"under {ONE_VOICE[0]} (refused) {np.mean(np.array(alone) < ONE_VOICE[0]):.1%}, under {ONE_VOICE[1]} (remarked on) "
          f"{np.mean(np.array(alone) < ONE_VOICE[1]):.1%}. Two people, {MIXTURES} pairs: "
          f"{np.mean(np.array(two) < ONE_VOICE[0]):.1%}, {np.mean(np.array(two) < ONE_VOICE[1]):.1%}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("limits", "material"))
    parser.add_argument("--data", type=Path, default=HERE.parents[1] / "shared/data")
    parser.add_argument("--models", type=Path, default=None)
    given = parser.parse_args()
    {"limits": limits, "material": material}[given.part](given.data, open_ears(given.models))
