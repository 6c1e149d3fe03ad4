"""How late one sound is against another that says the same: from when it is loud and when it is not, whoever speaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from facedouble.types import Array, Bools, Doubles, Value

FRAME: Final = 0.01  # s
REACH: Final = 0.4  # s, either way
FLOOR: Final = 1e-3  # rms that is silence, full scale being 1: what is quieter is room


@dataclass(frozen=True)
class Lag(Value):
    """late: s that the output is late; likeness: correlation of the loudnesses there, 1 = alike; seconds: of speech compared."""

    late: float
    likeness: float
    seconds: float


class Lateness:
    """Seconds of both in any order; holds five sums for each lag."""

    def __init__(self) -> None:
        self.sums = np.zeros((5, 2 * round(REACH / FRAME) + 1))
        self.frames = 0

    def add(self, original: Array, output: Array, rate: int, spoken: Bools) -> None:
        """(n, C) and (n, D) of the same time, and where (n,) somebody speaks in both; REACH at the ends is only sought in."""
        step, reach = round(FRAME * rate), round(REACH / FRAME)
        a, b = loudness(original, step), loudness(output, step)
        on = spoken[:len(a) * step].reshape(-1, step).all(1)
        on[:reach] = on[len(on) - reach:] = False
        at = np.flatnonzero(on)
        if len(at):
            x = a[at][None]
            y = b[at[None] + np.arange(-reach, reach + 1)[:, None]]
            self.sums += np.stack([np.repeat(x, len(y), 0).sum(1), y.sum(1), np.repeat(x * x, len(y), 0).sum(1), (y * y).sum(1),
                                   (x * y).sum(1)])
            self.frames += len(at)

    def lag(self) -> Lag:
        """Where they are most alike."""
        n = max(self.frames, 1)
        x, y, xx, yy, xy = self.sums / n
        spread = np.sqrt(np.maximum(xx - x * x, 0) * np.maximum(yy - y * y, 0))
        likeness: Doubles = np.where(spread > 1e-6, (xy - x * y) / np.maximum(spread, 1e-6), 0.0)
        k = int(likeness.argmax())
        at = float(k)
        if 0 < k < len(likeness) - 1:
            left, here, right = likeness[k - 1:k + 2]
            bend = left - 2 * here + right
            at += float(np.clip(0.5 * (left - right) / bend, -0.5, 0.5)) if bend < 0 else 0.0
        return Lag((at - len(likeness) // 2) * FRAME, float(likeness[k]), self.frames * FRAME)


def loudness(sound: Array, step: int) -> Doubles:
    """(n, C) -> log of the rms of each `step` samples, all channels together."""
    whole = np.square(sound[:len(sound) // step * step].astype(np.float64)).mean(1).reshape(-1, step).mean(1)
    return np.asarray(np.log(np.maximum(whole, FLOOR**2)))
