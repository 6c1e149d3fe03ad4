"""Revoice: how far word onsets lie from the witness's, what is left of the witness, what the stretch does to the volunteer.

    .venv/bin/python bench/revoice.py [--quick] [--data ../shared/data] [--judge /path/to/python/with/resemblyzer]

No two people say the same words in the data, so truth comes from two other ways. Voices of espeak-ng say the same text at
different speeds and pitches; the library says when each phoneme is spoken. And real speech is turned into another voice (WORLD:
formants and F0 moved) on a random smooth time map, which is known. Prints Markdown, writes nothing into the tree.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
import pyworld
import soxr
from numba import njit
from scipy.signal import butter, sosfiltfilt

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))
from bench.espeak import RATE as ESPEAK  # noqa: E402
from bench.espeak import Speaker  # noqa: E402
from facedouble.errors import TakeRefused  # noqa: E402
from facedouble.types import Array, Doubles, Floats, Value  # noqa: E402
from facedouble.voice.align import align  # noqa: E402
from facedouble.voice.front import listen  # noqa: E402
from facedouble.voice.revoice import fit  # noqa: E402
from facedouble.voice.stretch import follow  # noqa: E402
from facedouble.voice.timing import Piece, pieces  # noqa: E402

RATE: Final = 16_000
FULL: Final = 48_000
SEED: Final = 5
VOICES: Final = ("", "+f3", "+m7", "+klatt2", "+f5")
TEXTS: Final = {
    "en-us": ("The old man walked slowly to the river and sat down under a tall tree.",
              "Nobody knew when the train would come back to the city, so we waited until morning.",
              "She put seven small apples on the kitchen table and closed the window behind her."),
    "de": ("Der alte Mann ging langsam zum Fluss und setzte sich unter einen hohen Baum.",
           "Niemand wusste, wann der Zug wieder in die Stadt kommen sollte, und wir warteten bis zum Morgen.",
           "Sie legte sieben kleine Birnen auf den Tisch und schloss hinter sich das Fenster."),
    "ru": ("Старый человек медленно шёл к реке и думал о своём доме.",
           "Никто не знал, когда поезд вернётся в город, и мы ждали до утра.",
           "Она положила семь маленьких яблок на стол и закрыла за собой окно."),
}


@dataclass(frozen=True)
class Pair(Value):
    """A guide, a take, and where moments of the guide lie in the take, in s."""

    guide: Floats
    take: Floats
    here: Doubles
    there: Doubles


def espeak_pairs(speaker: Speaker, language: str, count: int, rng: np.random.Generator, noise: float) -> Iterator[Pair]:
    """Two voices, each at its own speed, pitch and range, of one text; noise in dB under the loudest of the guide."""
    for k in range(count):
        text = TEXTS[language][k % len(TEXTS[language])]
        a, b = rng.choice(len(VOICES), 2, replace=False)
        said = [speaker.say(text, language + VOICES[v], rate=int(rng.integers(115, 215)), pitch=int(rng.integers(15, 85)),
                            range=int(rng.integers(20, 80)), gap=int(rng.integers(0, 4))) for v in (a, b)]
        if len(said[0].words) != len(said[1].words):
            continue
        lead = rng.uniform(0.1, 1.5, 2)
        sounds = []
        for s, before in zip(said, lead, strict=True):
            whole = np.concatenate([np.zeros(round(before * ESPEAK)), s.sound, np.zeros(round(rng.uniform(0.1, 1) * ESPEAK))])
            whole = whole + rng.standard_normal(len(whole)) * np.abs(whole).max() * 10 ** (noise / 20)
            sounds.append(soxr.resample(whole, ESPEAK, RATE).astype(np.float32))
        yield Pair(sounds[0], sounds[1], said[0].words + lead[0], said[1].words + lead[1])


def warped_pair(sound: Floats, rng: np.random.Generator) -> Pair:
    """Real speech, and itself in another voice on another timing: slopes of .7 to 1.5, changed every .4 s or so."""
    x = sound.astype(np.float64)
    f0, t = pyworld.harvest(x, RATE, f0_floor=60, f0_ceil=500)
    envelope, rough = pyworld.cheaptrick(x, f0, t, RATE), pyworld.d4c(x, f0, t, RATE)
    knots = np.arange(0, t[-1] + 0.4, 0.4)
    slopes = np.interp(t, knots, np.exp(rng.uniform(np.log(0.7), np.log(1.5), len(knots))))
    time_there = np.concatenate([[0.0], np.cumsum(slopes[:-1] * 0.005)])  # of the take, for each frame of the guide
    source = np.interp(np.arange(0, time_there[-1], 0.005), time_there, t) / 0.005
    low, part = np.floor(source).astype(int), (source % 1)[:, None]
    high = np.minimum(low + 1, len(f0) - 1)
    bins = np.arange(envelope.shape[1])
    formants = float(np.exp(rng.choice([-1, 1]) * rng.uniform(0.08, 0.2)))
    mixed = np.exp(np.log(envelope[low]) * (1 - part) + np.log(envelope[high]) * part)
    moved = np.array([np.interp(bins / formants, bins, row) for row in mixed])
    melody = f0[np.round(source).astype(int).clip(0, len(f0) - 1)] * float(np.exp(rng.uniform(-0.5, 0.5)))
    take = pyworld.synthesize(melody, np.ascontiguousarray(moved), np.ascontiguousarray(rough[low]), RATE)
    gap, end = rng.uniform(0.1, 1, 2)
    take = np.concatenate([np.zeros(round(gap * RATE)), take, np.zeros(round(end * RATE))])
    take = take + rng.standard_normal(len(take)) * np.abs(take).max() * 10 ** (-50 / 20)
    front = listen(sound)  # onsets: where the speech rises most, at most one in 120 ms; no words are marked in the data
    rise = np.where(front.quiet, 0, front.flux)
    onsets = [i for i in range(12, len(rise) - 12) if rise[i] > 0.35 and rise[i] == rise[i - 12 : i + 13].max()]
    here = (np.array(onsets) + 0.5) * 0.005
    return Pair(sound, take.astype(np.float32), here, np.interp(here, t, time_there) + gap)


def errors(pair: Pair) -> Doubles:
    """|ms| of each marked moment: where it comes to stand against where the witness has it, in the guide's time."""
    mine, theirs = listen(pair.guide), listen(pair.take)
    found = pieces(align(mine, theirs), mine, theirs)
    return np.array([abs(place(found, t) - g) * 1e3 for g, t in zip(pair.here, pair.there, strict=True)])


def place(found: Sequence[Piece], there: float) -> float:
    """Where a moment of the take is heard; 10 s off if nowhere."""
    best, near = -10.0, 1e9
    for p in found:
        off = max(p.take[0] - there, there - p.take[-1], 0.0)
        if off < near:
            near = off
            best = float(np.interp(there, p.take, p.guide)) + min(there - p.take[0], 0.0) + max(there - p.take[-1], 0.0)
    return best


def row(name: str, sets: Sequence[Doubles], rng: np.random.Generator) -> str:
    """A line of the table, with a bootstrap over the pairs."""
    if not sets:
        return f"| {name} | 0 | | | | |"
    picks = rng.integers(0, len(sets), (300, len(sets)))
    drawn = [np.percentile(np.concatenate([sets[i] for i in pick]), [50, 95]) for pick in picks]
    low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
    every = np.concatenate(sets)
    m, p = np.percentile(every, [50, 95])
    return (f"| {name} | {len(sets)} | {len(every)} | {m:.1f} [{low[0]:.1f}-{high[0]:.1f}] | "
            f"{p:.1f} [{low[1]:.1f}-{high[1]:.1f}] | {(every > 120).mean() * 100:.1f} % |")


def read(path: Path, seconds: float) -> Floats:
    """The first seconds of a recording, (N,) at 16 kHz."""
    with av.open(str(path)) as box:
        rate = box.streams.audio[0].rate
        made = np.concatenate([f.to_ndarray() for f in box.decode(audio=0)], axis=1)[0][: int(seconds * rate)]
    scaled = made.astype(np.float32) / (32768 if made.dtype == np.int16 else 2147483648 if made.dtype == np.int32 else 1)
    return np.asarray(scaled if rate == RATE else soxr.resample(scaled, rate, RATE), np.float32)


@njit(cache=True)
def _cycles(x: Array, f0: Array, hop: int, rate: int) -> Any:
    """Lengths of the cycles by matching each with the next, below a sample; -1 where a run ends."""
    out = []
    k = 0
    while k < len(f0):
        if f0[k] <= 0:
            k += 1
            continue
        at = float(k * hop)
        while True:
            i, frame = int(at), int(at / hop + 0.5)
            if frame >= len(f0) or f0[frame] <= 0:
                break
            size = int(rate / f0[frame])
            low, high = int(size * 0.8), int(size * 1.25) + 1
            if i + size + high + 2 >= len(x):
                break
            c = np.zeros(high - low + 1)
            for lag in range(low, high + 1):
                ab = aa = bb = 0.0
                for q in range(size):
                    p, r = x[i + q], x[i + lag + q]
                    ab, aa, bb = ab + p * r, aa + p * p, bb + r * r
                c[lag - low] = ab / np.sqrt(aa * bb + 1e-12)
            b = int(c.argmax())
            if c[b] < 0.85:
                out.append(-1.0)
                at += size
                continue
            length = float(b + low)
            if 0 < b < len(c) - 1 and c[b - 1] - 2 * c[b] + c[b + 1] < 0:
                length += 0.5 * (c[b - 1] - c[b + 1]) / (c[b - 1] - 2 * c[b] + c[b + 1])
            out.append(length)
            at += length
        out.append(-1.0)
        k = int(at / hop) + 1
    return np.array(out)


def jitter(sound: Floats) -> tuple[float, Doubles, Doubles]:
    """Relative average perturbation over three cycles, at 48 kHz; F0 and its times."""
    x = sound.astype(np.float64)
    f0, t = pyworld.harvest(x, FULL, f0_floor=60, f0_ceil=500)
    c = _cycles(sosfiltfilt(butter(2, 1500, fs=FULL, output="sos"), x), f0, FULL // 200, FULL)
    three = np.lib.stride_tricks.sliding_window_view(c, 3)
    three = three[(three > 0).all(1)]
    off = np.abs(three[:, 1] - three.mean(1)) / three.mean(1)
    return float(np.mean(np.minimum(off, 0.05))), f0, t


def cepstra(sound: Floats, f0: Doubles, t: Doubles) -> Doubles:
    """(F, 24) mel-cepstra without loudness."""
    envelope = pyworld.cheaptrick(sound.astype(np.float64), f0, t, FULL)
    return np.asarray(pyworld.code_spectral_envelope(np.maximum(envelope, 1e-12), FULL, 40))[:, 1:25]


def volunteer(paths: Sequence[Path], rng: np.random.Generator) -> Iterator[str]:
    """What a stretch does: jitter against the un-warped, mel-cepstra against the nearest within 20 ms."""
    stretches = (0.7, 0.85, 1.2, 1.5)
    got: dict[float, list[tuple[float, float, float]]] = {s: [] for s in stretches}
    for path in paths:
        x = soxr.resample(read(path, 6), RATE, FULL).astype(np.float32)
        j, f0, t = jitter(x)
        base = cepstra(x, f0, t)
        said = base[f0 > 0]
        spread = np.sqrt(((said - said[rng.permutation(len(said))]) ** 2).sum(1)).mean()
        for s in stretches:
            y = follow(x, FULL, np.arange(int(len(x) * s)) / s)
            j1, f1, t1 = jitter(y)
            made = cepstra(y, f1, t1)
            at = np.clip(np.round(np.arange(len(f1)) / s).astype(int), 0, len(f0) - 1)
            both = (f1 > 0) & (f0[at] > 0)
            off = np.min([np.sqrt(((made - base[np.clip(at + k, 0, len(base) - 1)]) ** 2).sum(1)) for k in range(-4, 5)], axis=0)
            width = np.abs(made[f1 > 0].std(0) / said.std(0) - 1).mean()
            got[s].append((j1 / j, float(off[both].mean() / spread), float(width)))
    for s, lines in got.items():
        m, low, high = np.median(lines, 0), np.percentile(lines, 10, 0), np.percentile(lines, 90, 0)
        cells = (f"{a:.3f} [{b:.3f}-{c:.3f}]" for a, b, c in zip(m, low, high, strict=True))
        yield f"| {s} | {len(lines)} | " + " | ".join(cells) + " |"


JUDGE: Final = """
import sys, types, numpy as np
sys.modules.setdefault("webrtcvad", types.ModuleType("webrtcvad"))  # only trims silence, which is not asked for
from resemblyzer import VoiceEncoder
e = VoiceEncoder("cpu", verbose=False)
held = np.load(sys.argv[1])
np.savez(sys.argv[2], **{k: e.embed_utterance(held[k]) for k in held.files})
"""


def likeness(paths: Sequence[Path], judge: str) -> Iterator[str]:
    """Cosines by Resemblyzer: of different speakers, of output and witness, take and witness, output and take.

    The takes are other speakers' real recordings. They say other words, because no two say the same in the data: the map is
    nonsense then, but the sound goes the same way, and whatever passes from the witness passes here too.
    """
    sounds: dict[str, Floats] = {f"witness{k}": read(path, 8) for k, path in enumerate(paths)}
    pairs: list[tuple[int, int]] = []
    for k in range(len(paths)):
        for other in (k + 1, k + 2, k + 3, k + 5):
            m = other % len(paths)
            try:
                sounds[f"out{k}.{m}"] = fit(sounds[f"witness{m}"], sounds[f"witness{k}"], RATE).sound
                pairs.append((k, m))
            except TakeRefused as error:
                print(f"refused: {error}", file=sys.stderr)
    with tempfile.TemporaryDirectory() as folder:
        np.savez(f"{folder}/in.npz", **sounds)
        subprocess.run([judge, "-c", JUDGE, f"{folder}/in.npz", f"{folder}/out.npz"], check=True, stdout=subprocess.DEVNULL)
        with np.load(f"{folder}/out.npz") as held:
            said = {k: held[k] for k in held.files}
    count = range(len(paths))
    rows = {"different speakers": [said[f"witness{a}"] @ said[f"witness{b}"] for a in count for b in count if a < b],
            "take and witness": [said[f"witness{m}"] @ said[f"witness{k}"] for k, m in pairs],
            "output and witness": [said[f"out{k}.{m}"] @ said[f"witness{k}"] for k, m in pairs],
            "output and take": [said[f"out{k}.{m}"] @ said[f"witness{m}"] for k, m in pairs]}
    for name, each in rows.items():
        yield f"| {name} | {len(each)} | {np.median(each):.3f} | {np.percentile(each, 95):.3f} |"


def timing(quick: bool, data: Path, rng: np.random.Generator) -> None:
    """Print the tables of onsets and of stretch."""
    speaker = Speaker()  # once in a process: opened twice, the library hangs
    count = 6 if quick else 24
    print("| word onsets | pairs | onsets | median ms | 95 % ms | over 120 ms |\n|---|---|---|---|---|---|")
    for noise in (-70, -25):
        for language in TEXTS:
            pairs = espeak_pairs(speaker, language, count, rng, noise)
            print(row(f"espeak-ng {language}, noise {noise} dB", [errors(p) for p in pairs], rng), flush=True)
    files = sorted((data / "speech").glob("ls-*.flac"))
    real = [warped_pair(read(f, 10), rng) for f in (files[:4] if quick else files)]
    began = time.process_time()
    print(row("real speech, converted and warped", [errors(p) for p in real], rng))
    seconds = sum(len(p.guide) for p in real) / RATE
    print(f"\nAlignment takes {(time.process_time() - began) / seconds:.3f} s of CPU per s.\n")
    print("| stretch | recordings | jitter to un-warped | mel-cepstra off / own spread | change of their spread |")
    print("|---|---|---|---|---|")
    for line in volunteer(sorted((data / "speech").glob("ls-clean*.flac"))[: 3 if quick else 8], rng):
        print(line, flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only-likeness", action="store_true")
    parser.add_argument("--data", type=Path, default=HERE.parent / "../shared/data")
    parser.add_argument("--judge", default="", help="a Python that has Resemblyzer")
    args = parser.parse_args()
    if not args.only_likeness:
        timing(args.quick, args.data, np.random.default_rng(SEED))
    if args.judge:
        print("\n| cosine | pairs | median | 95 % |\n|---|---|---|---|")
        for line in likeness(sorted((args.data / "speech").glob("ls-clean*.flac")), args.judge):
            print(line)


if __name__ == "__main__":
    main()
