"""A volunteer's voice, ready to speak: what a `.fvoice` holds. The table below says which arrays, and of which shapes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from facedouble.types import Consent, Floats, Value, frozen

SCHEMA: Final[Mapping[str, tuple[int | str, ...]]] = MappingProxyType({
    "voice": ("S",),  # the numbers that the network knows the voice by
    "readout": (4, "I", "O"),  # from the network's outputs and thoughts to the volunteer's frames, fitted to the volunteer
    "real": ("U", 4, "O"),  # envelope and noise of the volunteer's own speech, a row a unit of 20 ms
    "predicted": ("U", 4, "O"),  # what the readout says of the same units
    "voicing": ("U",),  # share of voiced frames
    "spread": ("O",),  # standard deviation of the volunteer's frames of speech
    "f0": (2,),  # median and spread of ln Hz
    "prints": ("P", "V"),  # what casting knows the voice by: mean voice prints of some seconds each
})
"""Each array and its shape. A letter is a length that has to be the same wherever it stands; "4K" is four times K."""

RATES: Final = (8_000, 96_000)  # samples/s
LONGEST: Final = 3_600.0  # s of speech that a voice may be made of


@dataclass(frozen=True)
class VoiceDouble(Value):
    """A volunteer's voice. rate: samples/s of what it speaks; seconds: how much speech it was made of; arrays: see SCHEMA."""

    id: str
    consent: Consent
    rate: int
    seconds: float
    arrays: Mapping[str, Floats]

    def __post_init__(self) -> None:
        object.__setattr__(self, "arrays", MappingProxyType({name: frozen(a) for name, a in self.arrays.items()}))
        super().__post_init__()

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.id, self.consent, self.rate, self.seconds, dict(self.arrays))

    def check(self) -> None:
        if not RATES[0] <= self.rate <= RATES[1] or not 0 < self.seconds <= LONGEST:
            raise ValueError(f"no voice speaks {self.rate} samples/s, made of {self.seconds} s")
        check_arrays(self.arrays)


def check_arrays(arrays: Mapping[str, Floats]) -> None:
    """ValueError that names the first array which is missing, foreign, of another shape or kind, empty, or not finite."""
    if odd := sorted(set(arrays) ^ set(SCHEMA)):
        raise ValueError(f"{odd[0]} is {'missing' if odd[0] in SCHEMA else 'foreign'}")
    lengths: dict[str, int] = {}
    for name, shape in SCHEMA.items():
        held = arrays[name]
        if held.dtype not in (np.float16, np.float32) or held.ndim != len(shape) or not held.size:
            raise ValueError(f"{name} is not what it has to be")
        if not all(_fits(wanted, given, lengths) for wanted, given in zip(shape, held.shape, strict=True)):
            raise ValueError(f"{name} has the shape {held.shape}, not {shape}")
        if not np.isfinite(held).all():
            raise ValueError(f"{name} holds what is no number")


def _fits(wanted: int | str, given: int, lengths: dict[str, int]) -> bool:
    """Whether a length is the wanted one; `lengths` remembers what each letter stood for."""
    if isinstance(wanted, int):
        return given == wanted
    times, letter = int(wanted[:-1] or 1), wanted[-1]
    return given % times == 0 and lengths.setdefault(letter, given // times) == given // times


def identity(rate: int, arrays: Mapping[str, Floats]) -> str:
    """Sixteen hex digits over everything that sounds."""
    h = hashlib.sha256(f"{rate}".encode())
    for name in SCHEMA:
        held = np.ascontiguousarray(arrays[name])
        h.update(f"|{name} {held.dtype.str} {held.shape}|".encode())
        h.update(held.tobytes())
    return h.hexdigest()[:16]


def named(consent: Consent, rate: int, seconds: float, arrays: Mapping[str, Floats]) -> VoiceDouble:
    """A voice with the id that its content gives it."""
    check_arrays(arrays)
    return VoiceDouble(identity(rate, arrays), consent, rate, seconds, arrays)
