"""What lies behind the voice: mains hum before and after, the made room tone, noise suppressed, residuals found. Prints Markdown.

    .venv/bin/python bench/ambience.py [--quick] [--data ../shared/data] [--write FOLDER]

Speech is LibriSpeech (ls-clean; in the noise table every second of ls-other, which have transcripts), laid into made
noise and hum; the room tone is learned from the pauses of real recordings. `--write` leaves the sounds of the noise table as
WAV for a recogniser (clean, noisy, cleaned), nothing else is written.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import chain, cycle
from pathlib import Path

import av
import numpy as np
import pyworld
from scipy.io import wavfile
from scipy.signal import butter, lfilter, resample_poly, sosfilt, stft

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))
from facedouble.audit.residual import residual  # noqa: E402
from facedouble.types import Array, Bools, Doubles, Floats  # noqa: E402
from facedouble.voice.ambience import clean, tone_of  # noqa: E402
from facedouble.voice.denoise import denoise  # noqa: E402
from facedouble.voice.hum import Wander  # noqa: E402
from tests.voice import electric  # noqa: E402

RATE, ENF_RATE = 16_000, 2000
HARMONICS = (1, 2, 3, 5, 7, 9)
FRAME = 800  # samples by which speech and pauses are told apart here


def load(path: Path) -> Floats:
    """Sound of a file: mono, 16 kHz."""
    with av.open(str(path)) as file:
        resampler = av.AudioResampler("flt", "mono", RATE)
        held = [made.to_ndarray() for frame in file.decode(audio=0) for made in resampler.resample(frame)]
    return np.asarray(np.concatenate(held, 1)[0], np.float32)


def speaks(sound: Floats) -> Bools:
    """Of each sample, whether its 50 ms are within 30 dB of the loudest of the recording."""
    frames = sound[:len(sound) // FRAME * FRAME].reshape(-1, FRAME).std(1)
    return np.repeat(frames > 10 ** (-30 / 20) * frames.max(), FRAME)


def pauses(sound: Floats) -> list[tuple[int, int]]:
    """Where nobody speaks, at least half a second long."""
    quiet = np.r_[False, ~speaks(sound), False]
    edges = np.flatnonzero(np.diff(quiet.astype(int)))
    return [(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a >= RATE // 2]


def db(power: float) -> float:
    """Power in decibels."""
    return 10 * float(np.log10(power + 1e-20))


def mains(speech: Sequence[Floats], quick: bool) -> Iterator[str]:
    """What an attacker reads of the grid's frequency, as correlation with the true one."""
    yield "| mains, straying (standard deviation) | harmonic | as it was | time base only | `clean` | `new` |"
    yield "|---|---|---|---|---|---|"
    seconds, worst = (1200 if quick else 3600), {"clean": 0.0, "new": 0.0}
    for grid, stray in ((50.0, 0.02), (60.0, 0.02), (50.0, 0.05), (50.0, 0.1)):
        rng = np.random.default_rng(int(grid + 1000 * stray))
        strays = electric.trace(seconds, stray, rng)
        sound = electric.hum(strays, ENF_RATE, (1, 2, 3, 4, 5, 7, 9, 11), 0.003, 0.001, rng, grid)
        slow = cycle([resample_poly(s, 1, RATE // ENF_RATE) for s in speech])
        pieces = (np.append(next(slow), np.zeros(3000)) for _ in range(10**6))
        spoken = np.fromiter(chain.from_iterable(pieces), np.float32, len(sound))
        quiet = list(silences(spoken))
        sound += 0.5 * spoken[:, None]
        blocks = electric.cut(sound)
        tone = tone_of(blocks, ENF_RATE, quiet)
        made = {"wander": list(Wander(ENF_RATE, rng).run(blocks)), "clean": list(clean(blocks, ENF_RATE, rng)),
                "new": list(tone.sound(len(sound), 1, ENF_RATE, rng))}
        known = electric.truth(strays)
        for h in HARMONICS:
            r = {name: float(np.corrcoef(known, electric.read(np.concatenate(out)[:, 0], ENF_RATE, h, mains=grid))[0, 1])
                 for name, out in (("was", blocks), *made.items())}
            worst = {name: max(worst[name], abs(r[name])) if stray < 0.1 else worst[name] for name in worst}
            yield (f"| {grid:.0f} Hz, {1000 * stray:.0f} mHz | {h} | {r['was']:.2f} | {r['wander']:.2f} | {r['clean']:+.2f} | "
                   f"{r['new']:+.2f} |")
    yield (f"\nGreatest |r| up to 50 mHz: `clean` {worst['clean']:.2f}, `new` {worst['new']:.2f}; "
           f"chance: {1 / (seconds / 4)**0.5:.2f} (one standard deviation).")


def silences(spoken: Floats) -> Iterator[tuple[int, int]]:
    """Runs of digital silence of a second and more: between the pieces of speech, where hum and noise alone are heard."""
    edges = np.flatnonzero(np.diff(np.r_[False, spoken == 0, False].astype(int)))
    yield from ((int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a >= ENF_RATE)


def rooms(data: Path, quick: bool) -> Iterator[str]:
    """The made tone against the pauses it was learned from."""
    files = sorted((data / "speech").glob("ls-other*.flac"))[:25:5 if quick else 1]
    files += [data / "video" / name for name in ("lp_d10.mp4", "sad_a.mp4")]
    rows, found = [], 0
    for k, path in enumerate(files):
        sound = load(path)
        quiet = pauses(sound)
        if not quiet:
            continue
        found += 1
        tone, rng = tone_of([sound[:, None]], RATE, quiet), np.random.default_rng(k)
        made = np.concatenate(list(tone.sound(len(sound), 1, RATE, rng)))[:, 0]
        was, now = (level(s, quiet) for s in (sound, made))
        other = np.concatenate(list(tone.sound(len(sound), 1, RATE, rng)))[:, 0]
        rows.append((was, now, residual(sound, made, RATE).peak, residual(other, made, RATE).peak))
    a = np.array(rows)
    yield f"{found} of {len(files)} have pauses of .5 s. Level there, dB re full scale (median of 50 ms, over 60 Hz):"
    yield (f"before, median {np.median(a[:, 0]):.1f} [{a[:, 0].min():.1f}, {a[:, 0].max():.1f}]; `new` {np.median(a[:, 1]):.1f} "
           f"[{a[:, 1].min():.1f}, {a[:, 1].max():.1f}]. Residual of the recording")
    yield (f"in `new`: median {np.median(a[:, 2]):.1f}, most {a[:, 2].max():.1f}; of a second, unrelated tone: "
           f"{np.median(a[:, 3]):.1f}, {a[:, 3].max():.1f}.")


def level(sound: Array, spans: Sequence[tuple[int, int]]) -> float:
    """Decibels over 60 Hz of the middle one of the 50 ms frames of the spans."""
    high = sosfilt(butter(4, 60, "highpass", fs=RATE, output="sos"), sound)
    held = np.concatenate([high[a:b] for a, b in spans])
    return db(float(np.median((held[:len(held) // FRAME * FRAME].reshape(-1, FRAME) ** 2).mean(1))))


def noises(speech: Sequence[Floats], others: Sequence[Floats], n: int, rng: np.random.Generator) -> dict[str, Doubles]:
    """As many samples of each, rms 1."""
    white, t = rng.standard_normal(n), np.arange(n) / RATE
    fan = lfilter([0.02], [1, -0.98], rng.standard_normal(n))
    fan += 0.05 * sum(np.sin(2 * np.pi * 50 * h * t) / h for h in range(1, 12))
    street = np.fft.irfft(np.fft.rfft(white) / np.sqrt(np.maximum(np.fft.rfftfreq(n), 1e-4)), n)
    knots = np.arange(0, t[-1] + 4, 3)
    street *= np.exp(0.5 * np.interp(t, knots, rng.standard_normal(len(knots))))
    babble = sum(np.resize(np.roll(np.concatenate(others), rng.integers(10**6)), n) for _ in range(6))
    made = {"white": white, "fan and hum": fan, "street, rising and falling": street, "six voices": np.asarray(babble, float)}
    return {name: sound / sound.std() for name, sound in made.items()}


def stoi(clean_: Array, other: Array) -> float:
    """Short-time objective intelligibility (Taal et al. 2011, doi 10.1109/TASL.2011.2114881), 10 kHz, 15 third-octave bands."""
    x, y = (resample_poly(s.astype(float), 5, 8) for s in (clean_, other))
    f, _, X = stft(x, 10_000, nperseg=256, noverlap=128, nfft=512)
    Y = stft(y, 10_000, nperseg=256, noverlap=128, nfft=512)[2]
    keep = 20 * np.log10(np.linalg.norm(X, axis=0) + 1e-12)
    keep = keep > keep.max() - 40
    centre = 150 * 2 ** (np.arange(15) / 3)
    bands = np.array([(f >= c * 2 ** (-1 / 6)) & (f < c * 2 ** (1 / 6)) for c in centre], float)
    A, B = (np.sqrt(bands @ np.abs(Z[:, keep]) ** 2) for Z in (X, Y))
    r = []
    for m in range(30, A.shape[1] + 1):
        a, b = A[:, m - 30:m], B[:, m - 30:m]
        scale = np.linalg.norm(a, axis=1, keepdims=True) / (np.linalg.norm(b, axis=1, keepdims=True) + 1e-12)
        b = np.minimum(b * scale, a * (1 + 10**0.75))
        a, b = (z - z.mean(1, keepdims=True) for z in (a, b))
        r.append(np.sum(a * b, 1) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1) + 1e-12))
    return float(np.mean(r))


def suppression(speech: Sequence[Floats], others: Sequence[Floats], write: Path | None) -> Iterator[str]:
    """Noise before and after, and what became of the speech."""
    whole = np.concatenate([np.append(s, np.zeros(RATE // 2, np.float32)) for s in speech])
    loud, rng, took = np.append(speaks(whole), np.zeros(len(whole) % FRAME, bool)), np.random.default_rng(1), []
    yield "| noise | SNR before | SNR after | segmental before | after | STOI before | after | noise in pauses |"
    yield "|---|---|---|---|---|---|---|---|"
    for name, noise in noises(speech, others, len(whole), rng).items():
        for snr in (20, 10, 5, 0):
            noisy = (whole + whole[loud].std() * 10 ** (-snr / 20) * noise).astype(np.float32)
            begin = time.process_time()
            made = np.concatenate(list(denoise(electric.cut(noisy[:, None]), RATE)))[:, 0]
            took.append((time.process_time() - begin) / len(whole) * RATE)
            a, b = (db(np.sum(whole[loud] ** 2) / np.sum((s - whole)[loud] ** 2)) for s in (noisy, made))
            c, d = (segmental(whole, s, loud) for s in (noisy, made))
            rest = db(np.mean(made[~loud] ** 2)) - db(np.mean(noisy[~loud] ** 2))
            yield (f"| {name} | {a:.1f} | {b:.1f} | {c:.1f} | {d:.1f} | {stoi(whole, noisy):.3f} | {stoi(whole, made):.3f} | "
                   f"{rest:+.1f} dB |")
            for kind, sound in (("noisy", noisy), ("cleaned", made), ("clean", whole)):
                if write is not None:
                    wavfile.write(write / f"{kind}_{name.split()[0].strip(',')}_{snr}.wav", RATE, np.clip(sound, -1, 1))
    yield f"\nReal-time factor {np.median(took):.3f} (16 kHz, one channel, CPU time)."


def segmental(whole: Array, other: Array, loud: Bools) -> float:
    """Mean over the frames with speech of the SNR in dB, each within -10 ... 35."""
    n = len(whole) // FRAME
    cut = [s[:n * FRAME].reshape(n, FRAME) for s in (whole, other - whole)]
    ratio = 10 * np.log10((cut[0] ** 2).sum(1) / ((cut[1] ** 2).sum(1) + 1e-12) + 1e-12)
    return float(np.clip(ratio[loud[:n * FRAME:FRAME]], -10, 35).mean())


def no_spectrum(sound: Floats, shape: Doubles) -> Doubles:
    """The melody, the voicing and the loudness of a voice, with one envelope throughout: what a double may share with it."""
    x = sound.astype(float)
    f0, t = pyworld.dio(x, RATE)
    f0 = pyworld.stonemask(x, f0, t, RATE)
    energy = pyworld.cheaptrick(x, f0, t, RATE).sum(1, keepdims=True)
    made = pyworld.synthesize(f0, energy * shape / shape.sum(), np.repeat((f0 == 0)[:, None], len(shape), 1) * 0.98 + 0.01, RATE)
    return np.resize(np.asarray(made), len(x))


def leaks(speech: Sequence[Floats], others: Sequence[Floats]) -> Iterator[str]:
    """Peaks where nothing leaks (95th percentile), and the share of leaks above it."""
    x = [s.astype(float) for s in others]
    shape = np.mean([pyworld.cheaptrick(s, *pyworld.dio(s, RATE), RATE).mean(0) for s in x[:3]], 0)
    pairs = [(s[:n], o[:n]) for s, o in zip(speech, cycle(others)) if (n := min(len(s), len(o)))]
    control = [(s, no_spectrum(s, shape)) for s, _ in pairs]
    null = {"another speaker": [residual(s, o, RATE).seconds[:, 1] for s, o in pairs],
            "control: melody and loudness of the witness, spectrum not": [residual(s, o, RATE).seconds[:, 1] for s, o in control]}
    for name, peaks in null.items():
        whole = np.concatenate(peaks)
        yield (f"Peaks of single seconds, {name}: median {np.median(whole):.1f}, 95th percentile {np.quantile(whole, 0.95):.1f}, "
               f"most {whole.max():.1f}.")
    limit = {name: float(np.quantile([p.max() for p in peaks], 0.95)) for name, peaks in null.items()}
    floor = max(limit.values())
    yield f"95th percentile of the peak of a recording: {', '.join(f'{name} {value:.1f}' for name, value in limit.items())}."
    yield "\n| leak into another's speech | recordings found, peak over the greater limit | median peak |"
    yield "|---|---|---|"
    rng = np.random.default_rng(2)
    for level in (0, -10, -20, -30, -40):
        found: dict[str, list[float]] = {"all of it": [], "200 ms": []}
        for s, o in pairs:
            gain = 10 ** (level / 20) * o.std() / s.std()
            found["all of it"].append(residual(s, o + gain * np.roll(s, 100), RATE).peak)
            spoken = [a for a in range(0, len(s) - 4800, 1600) if s[a:a + 3200].std() > 0.3 * s.std()]
            at, piece = int(rng.choice(spoken)), np.zeros_like(o)
            piece[at:at + 3200] = s[at:at + 3200]
            found["200 ms"].append(residual(s, o + gain * np.roll(piece, -700), RATE).peak)
        for name, peaks_ in found.items():
            yield f"| {name}, {level} dB | {sum(p > floor for p in peaks_)} of {len(peaks_)} | {np.median(peaks_):.1f} |"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=HERE.parent.parent / "shared" / "data")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--write", type=Path)
    parser.add_argument("--only", choices=("mains", "rooms", "suppression", "leaks"))
    asked = parser.parse_args()
    folder = asked.data / "speech"
    speech = [load(p) for p in sorted(folder.glob("ls-clean*.flac"))][:4 if asked.quick else 12]
    noted = [load(p) for p in sorted(folder.glob("ls-other*.flac"))[::5 if asked.quick else 2]]
    others = [load(p) for p in sorted(folder.glob("ls-other*.flac"))][::5]
    parts = {"mains": mains(speech, asked.quick), "rooms": rooms(asked.data, asked.quick),
             "suppression": suppression(noted, speech, asked.write), "leaks": leaks(speech, others)}
    for name, part in parts.items():
        if asked.only in (None, name):
            print(f"\n### {name}\n")
            for line in part:
                print(line, flush=True)


if __name__ == "__main__":
    main()
