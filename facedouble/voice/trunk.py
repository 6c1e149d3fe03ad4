"""The network that says with any voice what was said: from content to spectral envelope.

It was trained by `scripts/train_voice.py` on openly licensed speech of two hundred readers. What it is told of a voice are a few
numbers about the voice's long-term spectrum; no recogniser of speakers takes part, so that recognisers can judge it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from facedouble.types import Floats, Value
from facedouble.voice.code import HOP, SPEECH_RATE, SpeechCode

FRAMES: Final = 4  # frames of 5 ms in a unit of 20 ms
ENVELOPE: Final = 50  # mel-cepstral coefficients at 16 kHz
OUTPUTS: Final = ENVELOPE + 2  # one noise band and the share of voicing behind them
KNOWN_UNITS: Final = 100  # as many units of average content are mixed into the mean that is taken off a stretch
SPEECH_BELOW: Final = 25.0  # dB under the 95th percentile: still speech
LOUD_SPREAD: Final = 15.0  # dB
DRAWN: Final = 0.5  # share of the content that comes from the sounds of many readers which are nearest to it
NEAREST: Final = 4  # sounds
SOFT: Final = 0.1  # how fast a sound's weight falls with its squared distance, a number of the content

Run = Callable[[Floats, Floats], tuple[Floats, Floats]]


@dataclass(frozen=True)
class Trunk(Value):
    """The network, and the numbers that belong to it.

    run: (U, C + 2) content with voicing and loudness, (S,) voice -> (U, 4, OUTPUTS) in units of `spread` from `mean`, the last a
    logit, and (U, H) what it thought before. content_mean (W,), content_basis (W, C): how content is reduced; sounds (K, C): what
    it is drawn towards, middles of groups of alike units of many readers.
    voice_mean (V,), voice_basis (V, S): how a long-term spectrum becomes the voice's numbers. All float32.
    """

    run: Run
    content_mean: Floats
    content_basis: Floats
    sounds: Floats
    voice_mean: Floats
    voice_basis: Floats
    mean: Floats
    spread: Floats

    def check(self) -> None:
        if self.mean.shape != (OUTPUTS,) or self.spread.shape != (OUTPUTS,):
            raise ValueError("the network's mean and spread do not fit its outputs")
        if self.content_basis.shape[0] != len(self.content_mean) or self.voice_basis.shape[0] != len(self.voice_mean):
            raise ValueError("the network's bases do not fit its means")
        if self.sounds.shape[1:] != self.content_basis.shape[1:] or len(self.sounds) < NEAREST:
            raise ValueError("the sounds do not fit the content")

    def mean_of(self, content: Floats) -> Floats:
        """What stays the same in content (U, W): (W,). Of little, it is near that of everybody."""
        return np.asarray((content.sum(0) + KNOWN_UNITS * self.content_mean) / (len(content) + KNOWN_UNITS), np.float32)

    def reduced(self, content: Floats, mean: Floats | None = None) -> Floats:
        """Content (U, W) with less of the voice in it: (U, C).

        What stays the same in it, or in more of the same voice (mean, (W,)), is taken off, which tells more of the voice than of
        the words. And every unit is drawn towards the sounds nearest to it, which are nobody's: the network does not know how one
        person or one accent colours a sound.
        """
        own = np.asarray((content - (self.mean_of(content) if mean is None else mean)) @ self.content_basis, np.float32)
        return (1 - DRAWN) * own + DRAWN * self._common(own)

    def _common(self, own: Floats) -> Floats:
        """The mean of the nearest sounds, nearer ones counting more: (U, C) -> (U, C)."""
        found = np.empty_like(own)
        power = (self.sounds ** 2).sum(1)
        for at in range(0, len(own), 256):  # so that the table of distances stays small
            asked = own[at:at + 256]
            far = power - 2 * asked @ self.sounds.T
            near = np.argpartition(far, NEAREST - 1, axis=1)[:, :NEAREST]
            lengths = np.take_along_axis(far, near, 1) / own.shape[1]
            weights = np.exp((lengths.min(1, keepdims=True) - lengths) / SOFT)
            weights /= weights.sum(1, keepdims=True)
            found[at:at + 256] = (weights[:, :, None] * self.sounds[near]).sum(1)
        return found

    def voice(self, envelope: Floats, energy: Floats) -> Floats:
        """The numbers (S,) of the voice with these frames: (F, ENVELOPE) at 16 kHz, (F,) dB."""
        speech = envelope[energy > np.percentile(energy, 95) - SPEECH_BELOW, 1:]
        long_term = np.concatenate([speech.mean(0), np.log(speech.std(0) + 1e-3)])
        return np.asarray(np.clip((long_term - self.voice_mean) @ self.voice_basis, -3, 3), np.float32)

    def say(self, code: SpeechCode, voice: Floats) -> tuple[Floats, Floats]:
        """Envelope and noise (U, 4, ENVELOPE + 1) of this voice saying the code, and the thoughts (U, H).

        ValueError if the voice was made for another network.
        """
        if voice.shape != self.voice_basis.shape[1:]:
            raise ValueError(f"a voice of {voice.shape} numbers")
        voiced = (code.f0 > 0).reshape(-1, FRAMES).mean(1)
        energy = code.energy.reshape(-1, FRAMES).mean(1)
        loud = np.clip((energy - code.loud[0]) / LOUD_SPREAD, -3, 1)
        made, thoughts = self.run(np.column_stack([code.content, voiced, loud]).astype(np.float32), voice)
        return np.asarray(made[..., :-1] * self.spread[:-1] + self.mean[:-1], np.float32), thoughts


def loudness(sound: Floats, rate: int = SPEECH_RATE) -> Floats:
    """Power in dB, one value a frame of 5 ms: (N,) samples -> (ceil(N / hop),) float32, through Hann windows of 25 ms."""
    hop = HOP * rate // SPEECH_RATE
    half = 5 * hop // 2
    window = np.hanning(2 * half + 2)[1:-1]
    count = -(-len(sound) // hop)
    power = np.pad(np.asarray(sound, np.float64) ** 2, (half, half + count * hop - len(sound)))
    spans = np.lib.stride_tricks.sliding_window_view(power, len(window))[:count * hop:hop]
    return np.asarray(10 * np.log10(spans @ (window / window.sum()) + 1e-10), np.float32)
