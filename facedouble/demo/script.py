"""The score of a generated clip: head motion, blinks, gaze, mouth, light, as functions of time. The truth of the tests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from facedouble.types import Array, Value

BLINK = 0.16  # s, from open to open
BLINKS = (0.9, 2.3, 3.7, 5.2, 6.4, 7.9)  # s


@dataclass(frozen=True)
class Score(Value):
    """(T,) each: yaw, pitch, roll in degrees; lids 1 open, 0 shut; lip gap (canonical); gaze x, y (of eye width); light 1."""

    yaw: Array
    pitch: Array
    roll: Array
    lids: Array
    gap: Array
    gaze_x: Array
    gaze_y: Array
    light: Array


def score(frames: int, rate: float, yaw: float = 9.0) -> Score:
    """A person who speaks, looks around, nods a little. `yaw` is the largest turn, degrees."""
    t = np.arange(frames) / rate
    lids = np.ones(frames)
    for start in BLINKS:
        u = np.abs(t - start) / (BLINK / 2)
        lids = np.minimum(lids, np.clip(u * 1.6 - 0.6, 0, 1))
    syllables = np.maximum(0, np.sin(2 * np.pi * 2.1 * t)) * (0.55 + 0.45 * np.sin(2 * np.pi * 0.43 * t + 1))
    pause = ((t % 4.0) < 3.1).astype(float)
    pause = np.convolve(pause, np.ones(5) / 5, "same")
    return Score(
        yaw * np.sin(2 * np.pi * 0.23 * t), 4.0 * np.sin(2 * np.pi * 0.31 * t + 0.7), 2.5 * np.sin(2 * np.pi * 0.17 * t),
        lids, 0.16 * syllables * pause, 0.09 * np.sin(2 * np.pi * 0.37 * t + 0.4), 0.02 * np.sin(2 * np.pi * 0.53 * t),
        1 + 0.10 * np.sin(2 * np.pi * 0.11 * t))
