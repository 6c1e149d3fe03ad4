"""What may pass from the witness's voice into the volunteer's, and how it is read from a recording.

Three streams, and nothing else: what is said (content), the melody (F0, with voicing), the loudness. The witness's spectral
envelope is not even worked out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from facedouble.types import Floats, Value

SPEECH_RATE: Final = 16_000  # samples/s of the sound that is analysed
HOP: Final = 80  # samples of one frame of melody and loudness: 5 ms
UNIT: Final = 320  # samples of one unit of content: 20 ms, four frames


@dataclass(frozen=True)
class SpeechCode(Value):
    """All that passes from a stretch of speech.

    content: (U, D) float32, one row a unit. f0: (4 U,) float32 Hz, one a frame, 0 where unvoiced. energy: (4 U,) float32 dB.
    samples: how long the stretch is at SPEECH_RATE; the last unit is filled up with silence. sung: median and spread of ln F0,
    loud: 90th and 95th percentile of the energy, over the stretch, or over more that the same person says: what its melody and
    its loudness are measured against.
    """

    content: Floats
    f0: Floats
    energy: Floats
    samples: int
    sung: tuple[float, float]
    loud: tuple[float, float]

    def check(self) -> None:
        units = -(-self.samples // UNIT)
        if len(self.content) != units or self.f0.shape != (4 * units,) or self.energy.shape != (4 * units,):
            raise ValueError(f"a code of {self.samples} samples has {units} units of four frames")
