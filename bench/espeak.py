"""Speech of espeak-ng with the true time of every word, through its library: the events that it gives beside the samples."""

from __future__ import annotations

import ctypes
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

sys.path.append(str(Path(__file__).resolve().parent.parent))
from facedouble.types import Doubles, Floats, Value

RATE: Final = 22_050  # samples/s of espeak-ng
LIBRARY: Final = "libespeak-ng.so.1"
_RETRIEVAL, _PHONEME_EVENTS, _UTF8, _CHARACTER = 1, 1, 1, 1
_WORD, _PHONEME = 1, 7  # kinds of events that are read; 0 ends a list
_PARAMETERS: Final = {"rate": 1, "pitch": 3, "range": 4, "gap": 7}


class _Event(ctypes.Structure):
    _fields_ = (("type", ctypes.c_int), ("unique", ctypes.c_uint), ("at", ctypes.c_int), ("length", ctypes.c_int),
                ("ms", ctypes.c_int), ("sample", ctypes.c_int), ("user", ctypes.c_void_p), ("id", ctypes.c_char * 8))


_CALLBACK: Final = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


@dataclass(frozen=True)
class Said(Value):
    """sound (N,) float32 at RATE; words (W,) float64 s, where the first sound of each begins."""

    sound: Floats
    words: Doubles


class Speaker:
    """The library, opened once: it keeps its state in the process."""

    def __init__(self) -> None:
        self._lib: Any = ctypes.CDLL(LIBRARY)
        if self._lib.espeak_Initialize(_RETRIEVAL, 200, None, _PHONEME_EVENTS) != RATE:
            raise OSError("espeak-ng does not speak at 22050 Hz here")

    def say(self, text: str, voice: str, **parameters: int) -> Said:
        """Speak `text` with e.g. "en-us+f3"; rate in words a minute, pitch and range 0 to 99, gap in 10 ms between words."""
        pieces: list[Floats] = []
        words: list[int] = []
        phones: list[int] = []

        def hear(samples: Any, count: int, events: Any) -> int:
            if samples and count:
                pieces.append(np.ctypeslib.as_array(samples, (count,)).astype(np.float32) / 32768)
            i = 0
            while events[i].type:
                if events[i].type == _WORD:
                    words.append(events[i].sample)
                elif events[i].type == _PHONEME and not events[i].id.startswith(b"_"):  # "_" is a pause
                    phones.append(events[i].sample)
                i += 1
            return 0

        kept = _CALLBACK(hear)
        self._lib.espeak_SetSynthCallback(kept)
        if self._lib.espeak_SetVoiceByName(voice.encode()):
            raise ValueError(f"espeak-ng has no voice {voice}")
        for name, number in {"rate": 175, "pitch": 50, "range": 50, "gap": 0, **parameters}.items():
            self._lib.espeak_SetParameter(_PARAMETERS[name], number, 0)
        data = text.encode() + b"\0"
        self._lib.espeak_Synth(data, len(data), 0, _CHARACTER, 0, _UTF8, None, None)
        self._lib.espeak_Synchronize()
        # a word's event stands before the pause and the closure of a stop; its first phoneme is where it is heard
        firsts = np.unique(np.searchsorted(phones, sorted(words)))
        return Said(np.concatenate(pieces), np.array(phones)[firsts[firsts < len(phones)]] / RATE)
