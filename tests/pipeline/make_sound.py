"""What makes sounds in tests: a seeded noise vocoder, a take, a tone, an altering cleaner; none gives a sample of the footage."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from facedouble.pipeline.sound import Crew
from facedouble.types import AudioInfo, Floats

HOP = 160  # samples of 10 ms at 16 kHz


@dataclass(frozen=True)
class NoiseVoice:
    """Whispers: noise of its own, as loud as what it hears."""

    rate: int = 16000
    seed: int = 5

    def __call__(self, sound: Floats) -> Floats:
        n = round(len(sound) * self.rate / 16000)
        padded = np.pad(sound, (0, -len(sound) % HOP))
        loud = np.sqrt(np.square(padded).reshape(-1, HOP).mean(1)) if len(sound) else np.zeros(0)
        shape = np.interp(np.arange(n) * 16000 / self.rate, np.arange(len(loud)) * HOP + HOP / 2, loud) if n else np.zeros(0)
        noise = np.random.default_rng(self.seed).standard_normal(n)
        return (0.5 * noise * shape).astype(np.float32)

    def tuned(self, sound: Floats) -> NoiseVoice:
        return self


def take() -> tuple[Floats, int]:
    """Three seconds of buzz at 22.05 kHz."""
    at = np.arange(66150) / 22050
    return (0.2 * np.sign(np.sin(2 * np.pi * 97 * at))).astype(np.float32), 22050


def fit(taken: Floats, guide: Floats, rate: int) -> tuple[Floats, tuple[str, ...]]:
    """The take, as long as the guide."""
    return np.resize(taken, len(guide)), ("it buzzes",)


@dataclass(frozen=True)
class Hiss:
    """As loud as the mean of what it learned of."""

    level: float

    def sound(self, samples: int, channels: int, rate: int, rng: np.random.Generator) -> Iterator[Floats]:
        for start in range(0, samples, 999):
            yield (self.level * rng.standard_normal((min(999, samples - start), channels))).astype(np.float32)


def hiss(blocks: Iterable[Floats], rate: int, pauses: Sequence[tuple[int, int]]) -> Hiss:
    """Learns in the pauses only."""
    at, total, count = 0, 0.0, 0
    for block in blocks:
        for a, b in pauses:
            part = block[max(a - at, 0) : max(b - at, 0)]
            total, count = total + float(np.abs(part).sum()), count + part.size
        at += len(block)
    return Hiss(0.01 * (1 + total / max(count, 1)))


def halved(blocks: Iterable[Floats], rate: int, rng: np.random.Generator) -> Iterator[Floats]:
    """Half as loud, and late by 3 samples."""
    late = None
    for block in blocks:
        late = np.zeros((3, block.shape[1]), np.float32) if late is None else late
        both = np.concatenate([late, block])
        yield 0.5 * both[: len(block)]
        late = both[len(block) :]


def crew(voices: Mapping[str, Callable[[Floats], Floats]] | None = None) -> Crew:
    """All of them, with voices "noor" and "iva", and any take by a name that begins with "take"."""
    return Crew({"noor": NoiseVoice(), "iva": NoiseVoice(48000, 7), **(voices or {})},  # type: ignore[dict-item]
                {"take": take, "take2": take}, fit, hiss, halved)


def stream(rate: int = 16000, channels: int = 1, start: Fraction = Fraction(0)) -> AudioInfo:
    return AudioInfo(1, "aac", rate, channels, start, None)


def blocks_of(sound: Floats, size: int = 1024) -> Callable[[], Iterator[Floats]]:
    """The footage, as often as it is read."""
    return lambda: (sound[k : k + size] for k in range(0, len(sound), size))
